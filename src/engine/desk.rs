//! The desk: one loop over the queue and all seats. Puts callers and operators together and shows both.
//!
//! Does not ring anybody: an offer goes to the call ([`FromDesk`]), which says what came of it ([`CallWord`]).
//! What always holds: whatever a call or a console says, queue and seats change here only, one word at a time.

mod aside;
mod handle;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use tokio::sync::mpsc;

use super::feed::{AccountRef, Feed, QueueView, SeatView, UserRef};
use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::{CallId, UserId};
use crate::domain::operator::skill::Skills;
use crate::domain::operator::{self, CannotListen, CannotTake, Phone, Phones, Seat, State};
use crate::domain::queue::{self, Queue, Terms};

use handle::ToDesk;
pub use handle::{CallWord, DeskHandle, FromDesk, SetReady, Waiting};

struct OneSeat {
    who: UserRef,
    seat: Seat,
    /// The queue counts on them.
    at_work: bool,
    shown: Option<SeatView>,
}

/// What is shown of somebody who waits.
struct Shown {
    account: AccountRef,
    rang_at: UtcMs,
    /// They are here again: somebody had them.
    back_since: Option<UtcMs>,
    ring_back: bool,
}

struct Desk {
    clock: SharedClock,
    feed: Feed,
    /// The most calls at one seat.
    seat_calls: usize,
    queue: Queue,
    seats: BTreeMap<UserId, OneSeat>,
    /// Phones that are registered, also of people without a console yet.
    phones: HashMap<UserId, Phones>,
    /// What people can do, where it is anything.
    skills: HashMap<UserId, Skills>,
    /// How those who wait are shown.
    waiting: HashMap<CallId, Shown>,
    /// Who speaks with a colleague, console or not.
    aside: HashSet<UserId>,
    to_calls: mpsc::UnboundedSender<FromDesk>,
    shown_queue: QueueView,
}

impl Desk {
    async fn run(mut self, mut words: mpsc::UnboundedReceiver<ToDesk>) {
        loop {
            let wake = self.wake_at().map(|at| at.saturating_duration_since(self.clock.instant()));
            tokio::select! {
                word = words.recv() => match word {
                    Some(word) => self.on_word(word),
                    None => return,
                },
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.on_time(),
            }
            self.show();
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let seats = self.seats.values().filter_map(|s| s.seat.poll_timeout()).min();
        seats.into_iter().chain(self.queue.poll_timeout().map(|(at, _)| at)).min()
    }

    fn on_time(&mut self) {
        for user in self.seats.keys().cloned().collect::<Vec<_>>() {
            self.tell_seat(&user, operator::Input::Tick);
        }
        self.tell_queue(queue::Input::Tick);
    }

    fn on_word(&mut self, word: ToDesk) {
        match word {
            ToDesk::Heartbeat { user, typing } => {
                self.seat_of(&user);
                self.tell_seat(&user.id, operator::Input::Heartbeat { typing });
            }
            ToDesk::Phones { user, phones } => {
                self.phones.insert(user.clone(), phones);
                self.phones.retain(|_, phones| phones.last.is_some());
                self.tell_seat(&user, operator::Input::Phones { phones });
            }
            ToDesk::Skilled { user, skills } => self.on_skilled(user, skills),
            ToDesk::Checked { user, phone, passed } => {
                self.tell_seat(&user, operator::Input::Checked { phone, passed });
            }
            ToDesk::SetReady { user, ready, reason, reply } => {
                let answer = self.set_ready(&user, ready, reason);
                // An error means only that nobody waits for the answer.
                let _ = reply.send(answer);
            }
            ToDesk::Take { call, user, reply } => {
                let before = self.offered_to(&call);
                if self.why_not_take(&user).is_none() {
                    self.tell_queue(queue::Input::Take { call: call.clone(), user: user.clone() });
                }
                let _ = reply.send(before.is_none() && self.offered_to(&call) == Some(user));
            }
            ToDesk::Listen { call, user, reply } => {
                let answer = self.listen(call, &user);
                let _ = reply.send(answer);
            }
            ToDesk::LogOut { user, reason, reply } => {
                self.tell_seat(&user, operator::Input::LogOut { reason });
                let _ = reply.send(self.seats.contains_key(&user).then(|| self.seat_view(&user)));
            }
            ToDesk::Floor { reply } => {
                let seats = self.seats.keys().map(|user| self.seat_view(user)).collect();
                let _ = reply.send((seats, self.queue_view()));
            }
            ToDesk::Fetch { call, user, reply } => {
                let why_not = self.why_not_take(&user);
                if why_not.is_none() {
                    self.bring(call, user, true);
                }
                let _ = reply.send(why_not.map_or(Ok(()), Err));
            }
            ToDesk::WhyNotTake { user, reply } => {
                let _ = reply.send(self.why_not_take(&user));
            }
            ToDesk::IsReady { user, reply } => {
                let _ = reply.send(self.is_ready(&user));
            }
            ToDesk::Seats { reply } => {
                let at_work = self.seats.iter().filter(|(_, one)| one.seat.state() != State::Offline);
                let mut seats: Vec<_> = at_work.map(|(user, _)| self.seat_view(user)).collect();
                seats.sort_by(|a, b| a.user.name.cmp(&b.user.name));
                let _ = reply.send(seats);
            }
            ToDesk::TakeAside { by, to, reply } => {
                let _ = reply.send(self.take_aside(by, to));
            }
            ToDesk::EndAside { by, to } => self.end_aside(by, to),
            ToDesk::FromCall { call, word } => self.on_call(call, word),
            ToDesk::Board { user, reply } => {
                self.seat_of(&user);
                let _ = reply.send((self.seat_view(&user.id), self.queue_view()));
            }
        }
    }

    fn offered_to(&self, call: &CallId) -> Option<UserId> {
        self.queue.waiting().into_iter().find(|t| t.call == *call).and_then(|t| t.offered.clone())
    }

    fn why_not_take(&self, user: &UserId) -> Option<CannotTake> {
        self.seats.get(user).map_or(Some(CannotTake::NotReady), |one| one.seat.why_not_take(self.seat_calls))
    }

    fn is_ready(&self, user: &UserId) -> bool {
        self.seats.get(user).is_some_and(|one| one.seat.state() == State::Ready && !one.seat.is_aside())
    }

    /// A caller who is in no queue comes to a seat.
    fn bring(&mut self, call: CallId, user: UserId, ring: bool) {
        let phone = self.seats.get(&user).and_then(|one| one.seat.phone_to_ring());
        self.tell_seat(&user, operator::Input::Offered { call: call.clone(), by_key: false });
        self.tell_call(FromDesk::Fetch { call, user, phone, ring });
    }

    fn set_ready(&mut self, user: &UserRef, ready: bool, reason: Option<String>) -> SetReady {
        if let Some(why) = self.seat_of(user).why_not_ready().filter(|_| ready) {
            return Err(why);
        }
        self.tell_seat(&user.id, operator::Input::SetReady { ready, reason });
        Ok(self.seat_view(&user.id))
    }

    fn listen(&mut self, call: CallId, user: &UserRef) -> Result<Phone, CannotListen> {
        let seat = self.seat_of(user);
        let phone = seat.may_listen()?;
        let before = seat.listens().filter(|before| **before != call).cloned();
        self.tell_seat(&user.id, operator::Input::Listens { call: Some(call) });
        if let Some(call) = before {
            self.tell_call(FromDesk::ListensElsewhere { call, user: user.id.clone() });
        }
        Ok(phone)
    }

    fn stop_listening(&mut self, call: &CallId, user: &UserId) {
        if self.seats.get(user).is_some_and(|one| one.seat.listens() == Some(call)) {
            self.tell_seat(user, operator::Input::Listens { call: None });
        }
    }

    fn on_call(&mut self, call: CallId, word: CallWord) {
        match word {
            CallWord::Enqueue(waiting) => {
                let terms = self.put_down(&call, waiting, None);
                self.tell_queue(queue::Input::Enqueue { call, terms });
            }
            CallWord::Requeue(waiting) => {
                let terms = self.put_down(&call, waiting, Some(self.clock.utc()));
                self.tell_queue(queue::Input::Requeue { call, terms });
            }
            CallWord::Hand { waiting, user } => {
                let terms = self.put_down(&call, waiting, Some(self.clock.utc()));
                self.tell_queue(queue::Input::Hand { call, terms, user });
            }
            CallWord::Dequeue => self.dequeue(call),
            CallWord::Raise { priority } => self.tell_queue(queue::Input::Raise { call, priority }),
            CallWord::Bring { user } if self.why_not_take(&user).is_none() => self.bring(call, user, true),
            CallWord::Bring { user } => self.tell_call(FromDesk::PassRefused { call, user }),
            CallWord::Pause => self.tell_queue(queue::Input::Pause { call }),
            CallWord::Resume => self.tell_queue(queue::Input::Resume { call }),
            CallWord::OfferFailed { user, why } => {
                // The seat first: who missed the call goes to the end of the line before it is offered again.
                self.tell_seat(&user, operator::Input::OfferFailed { call: call.clone(), why });
                self.tell_queue(queue::Input::OfferFailed { call, user });
            }
            CallWord::Taken => self.tell_queue(queue::Input::Taken { call }),
            CallWord::OfferAccepted { user } => {
                self.waiting.remove(&call);
                self.tell_queue(queue::Input::Served { call: call.clone() });
                self.tell_seat(&user, operator::Input::Accepted { call });
            }
            CallWord::OperatorSilent { user, silent } => {
                self.tell_seat(&user, operator::Input::Silent { call, silent });
            }
            CallWord::OperatorHungUp { user } => self.tell_seat(&user, operator::Input::PhoneHungUp { call }),
            CallWord::OperatorLost { user } => self.tell_seat(&user, operator::Input::LostCall { call }),
            CallWord::SeatFreed { user } => self.tell_seat(&user, operator::Input::Freed { call }),
            CallWord::WrappedUp { user } => self.tell_seat(&user, operator::Input::WrappedUp { call }),
            CallWord::ListenerGone { user } => self.stop_listening(&call, &user),
            CallWord::Pass { user } => {
                if self.is_ready(&user) {
                    let ring = self.seats.get(&user).is_some_and(|one| one.seat.rings_at_once());
                    self.bring(call, user, ring);
                } else {
                    self.tell_call(FromDesk::PassRefused { call, user });
                }
            }
            CallWord::Died => {
                self.dequeue(call.clone());
                for user in self.seats.keys().cloned().collect::<Vec<_>>() {
                    self.stop_listening(&call, &user);
                }
                let at_it = |(_, one): &(&UserId, &OneSeat)| one.seat.calls().any(|c| *c == call);
                let users: Vec<_> = self.seats.iter().filter(at_it).map(|(user, _)| user.clone()).collect();
                for user in users {
                    self.tell_seat(&user, operator::Input::LostCall { call: call.clone() });
                }
            }
        }
    }

    /// How they are shown from now on; the rest is the queue's.
    fn put_down(&mut self, call: &CallId, waiting: Waiting, back: Option<UtcMs>) -> Terms {
        let Waiting { account, terms, rang_at, ring_back } = waiting;
        // Who is here already waits on.
        let back_since = self.waiting.get(call).map_or(back, |shown| shown.back_since);
        self.waiting.insert(call.clone(), Shown { account, rang_at, back_since, ring_back });
        terms
    }

    fn dequeue(&mut self, call: CallId) {
        self.waiting.remove(&call);
        self.tell_queue(queue::Input::Dequeue { call });
    }

    fn on_skilled(&mut self, user: UserId, skills: Skills) {
        if skills.is_empty() {
            self.skills.remove(&user);
        } else {
            self.skills.insert(user.clone(), skills.clone());
        }
        if self.seats.get(&user).is_some_and(|one| one.at_work) {
            self.tell_queue(queue::Input::AtWork { user, skills });
        }
    }

    fn seat_of(&mut self, user: &UserRef) -> &mut Seat {
        let now = self.clock.instant();
        let phones = self.phones.get(&user.id).copied().unwrap_or_default();
        let aside = self.aside.contains(&user.id);
        let one = self.seats.entry(user.id.clone()).or_insert_with(|| {
            let mut seat = Seat::new(now);
            seat.handle(now, operator::Input::Phones { phones });
            seat.handle(now, operator::Input::Aside { aside });
            OneSeat { who: user.clone(), seat, at_work: false, shown: None }
        });
        one.who = user.clone();
        &mut one.seat
    }

    fn tell_seat(&mut self, user: &UserId, input: operator::Input) {
        let now = self.clock.instant();
        let Some(one) = self.seats.get_mut(user) else { return };
        one.seat.handle(now, input);
        let at_work = one.seat.state() != State::Offline;
        if std::mem::replace(&mut one.at_work, at_work) != at_work {
            // Before the seat is told to be idle: the queue has to know what for.
            let (user, skills) = (user.clone(), self.skills.get(user).cloned().unwrap_or_default());
            let input = if at_work { queue::Input::AtWork { user, skills } } else { queue::Input::Left { user } };
            self.tell_queue(input);
        }
        while let Some(output) = self.seats.get_mut(user).and_then(|one| one.seat.poll_output()) {
            let user = user.clone();
            match output {
                operator::Output::Idle { since } => self.tell_queue(queue::Input::SeatIdle { user, since }),
                operator::Output::Busy => self.tell_queue(queue::Input::SeatBusy { user }),
                operator::Output::Lost { call } => self.tell_call(FromDesk::SeatLost { call, user }),
                operator::Output::HungUp { call } => self.tell_call(FromDesk::SeatHungUp { call, user }),
            }
        }
    }

    fn tell_queue(&mut self, input: queue::Input) {
        self.queue.handle(self.clock.instant(), input);
        while let Some(output) = self.queue.poll_output() {
            match output {
                queue::Output::Offer { call, user, taken } => {
                    let phone = self.seats.get(&user).and_then(|one| one.seat.phone_to_ring());
                    // Whom we are to call ourselves is dialled by a key, never by surprise.
                    let by_key = !taken && self.waiting.get(&call).is_some_and(|shown| shown.ring_back);
                    let at_once = self.seats.get(&user).is_some_and(|one| one.seat.rings_at_once());
                    let ring = taken || (at_once && !by_key);
                    self.tell_seat(&user, operator::Input::Offered { call: call.clone(), by_key });
                    self.tell_call(FromDesk::Offer { call, user, phone, ring, taken });
                }
                queue::Output::Overdue { call } => self.tell_call(FromDesk::Overdue { call }),
                queue::Output::Comfort { call, place } => self.tell_call(FromDesk::Comfort { call, place }),
                queue::Output::MakeWay { call, user } => self.tell_call(FromDesk::MakeWay { call, user }),
            }
        }
    }

    fn tell_call(&self, word: FromDesk) {
        // An error means that the process is stopping.
        let _ = self.to_calls.send(word);
    }
}
