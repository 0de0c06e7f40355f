//! A seat: an operator at work. Offline, not ready, ready, offered, talking, wrapping up.
//!
//! Knows whether console and softphone are there and what the operator wants; does not pick calls (the queue) and
//! does not hold them (the call). `engine/desk` drives one per operator.
//!
//! A console's softphone has to pass a media check first: browsers withhold microphones. A desk phone is a telephone
//! by itself and is taken to work once it is registered; a check of it that fails counts all the same. Of several
//! phones the one that came last is rung, among those known to work: so a console that is open for its forms alone,
//! its softphone never checked, does not draw calls away from the desk phone beside it.
//!
//! An operator may have several calls: the queue offers one to an idle seat alone, further ones she takes by a key. Which
//! of them she speaks on is not known here (the calls know, and `engine/calls` sees to it that it is one).
//!
//! What always holds: a seat is idle for the queue only while it is ready, its console is alive and its phone is
//! registered; an operator in a call counts as gone once nothing was heard of their phone for 10 s, console or not
//! (a laptop that changes networks has neither for some seconds), one in no call once the console was silent for 5 s;
//! and then every call of theirs is told exactly once. Who comes back is not ready, for the reason that she had.

mod event;
pub mod extension;
mod hand;
mod phones;
pub mod skill;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::base::id::CallId;
use crate::domain::call::event::OfferEnd;

pub use event::{CannotListen, CannotTake, Input, NotReadyYet, Output};
use hand::{Hand, Part};
pub use phones::{Phone, Phones};

/// How long a softphone that has fallen silent (5 s) may stay so.
pub const MEDIA_LIMIT: Duration = Duration::from_secs(5);
/// A console that says nothing for this long is gone.
pub const SOCKET_LIMIT: Duration = Duration::from_secs(5);

/// Longer than any break: who comes back later begins another shift, with no reason of the last one.
const NEXT_SHIFT: Duration = Duration::from_secs(4 * 60 * 60);
/// Why a seat is not ready whose only phone is one that nobody has heard.
const NOT_CHECKED: &str = "calls would ring an unchecked softphone";

/// Why somebody is not ready who was, when her console comes back.
const CONSOLE_GONE: &str = "the console was gone for a while";

/// Calls that a seat may have at once, unless told otherwise.
pub const SEAT_CALLS: usize = 3;

/// What a seat is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Offline,
    NotReady,
    Ready,
    Offered,
    Talking,
    WrapUp,
}

/// One operator's seat.
#[derive(Debug)]
pub struct Seat {
    state: State,
    since: Instant,
    reason: Option<String>,
    socket_until: Option<Instant>,
    typing: bool,
    phones: Phones,
    /// The console's softphone has passed its check.
    checked: bool,
    /// The desk phone has not failed one.
    desk_phone_works: bool,
    /// What the operator asked for; comes into force when a call is over.
    wants_ready: bool,
    /// A supervisor logged the seat out: it takes no call, by a key neither, and is not ready again before it is done with those
    /// that it has. Then its sessions end.
    sent_home: bool,
    idle_since: Instant,
    /// The calls offered, talked on or wrapped up.
    hand: Hand,
    /// The call of another's that is listened to: the phone is taken.
    listens: Option<CallId>,
    /// The desk phone is taken by a colleague.
    aside: bool,
    told_idle: bool,
    /// What is offered rings by itself: it needs no key.
    rings: bool,
    outputs: VecDeque<Output>,
}

impl Seat {
    /// An empty seat.
    pub const fn new(now: Instant) -> Self {
        Self {
            state: State::Offline,
            since: now,
            reason: None,
            socket_until: None,
            typing: false,
            phones: Phones { last: None, both: false },
            checked: false,
            desk_phone_works: true,
            wants_ready: false,
            sent_home: false,
            idle_since: now,
            hand: Hand::empty(),
            listens: None,
            aside: false,
            told_idle: false,
            rings: false,
            outputs: VecDeque::new(),
        }
    }

    pub const fn state(&self) -> State {
        self.state
    }

    pub const fn since(&self) -> Instant {
        self.since
    }

    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The calls here, in the order in which they came.
    pub fn calls(&self) -> impl Iterator<Item = &CallId> {
        self.hand.calls()
    }

    /// What stands in the way of a waiting caller whom the operator asks for, if a seat may have `most` calls.
    pub fn why_not_take(&self, most: usize) -> Option<CannotTake> {
        let fit = match self.state {
            _ if self.aside => false,
            State::Ready => true,
            State::Offline | State::NotReady => false,
            _ if self.sent_home => false,
            State::Offered | State::Talking | State::WrapUp => self.phone() && self.checked(),
        };
        if !fit {
            Some(CannotTake::NotReady)
        } else if self.hand.is_offered() {
            Some(CannotTake::Offered)
        } else {
            (self.calls().count() >= most).then_some(CannotTake::Full)
        }
    }

    /// The operator speaks with a colleague on the desk phone.
    pub const fn is_aside(&self) -> bool {
        self.aside
    }

    /// A supervisor has logged the operator out, and there is something to finish first.
    pub const fn is_sent_home(&self) -> bool {
        self.sent_home
    }

    /// A colleague who calls hears that the operator is busy.
    pub const fn is_busy_for_colleagues(&self) -> bool {
        self.aside || self.listens.is_some() || matches!(self.state, State::Offered | State::Talking)
    }

    /// The call of another's that is listened to here.
    pub const fn listens(&self) -> Option<&CallId> {
        self.listens.as_ref()
    }

    /// Whether a supervisor here may listen, ready for calls or not, and on which phone.
    pub fn may_listen(&self) -> Result<Phone, CannotListen> {
        match (self.state, self.phone_to_ring()) {
            (State::Offline, _) => Err(CannotListen::NoConsole),
            (State::Offered | State::Talking, _) => Err(CannotListen::HasCall),
            _ if self.aside => Err(CannotListen::HasCall),
            (_, None) => Err(CannotListen::NoPhone),
            (_, Some(phone)) => Ok(phone),
        }
    }

    /// An operator who types takes a call by a key; one who does not is connected at once.
    pub const fn rings_at_once(&self) -> bool {
        !self.typing
    }

    /// A phone of theirs is registered.
    pub const fn phone(&self) -> bool {
        self.phones.last.is_some()
    }

    /// The phone that a call would ring.
    pub fn phone_to_ring(&self) -> Option<Phone> {
        self.phones.kinds().find(|phone| self.works(*phone)).or(self.phones.last)
    }

    /// That phone is known to work, or taken to.
    pub fn checked(&self) -> bool {
        self.phone_to_ring().is_some_and(|phone| self.works(phone))
    }

    const fn works(&self, phone: Phone) -> bool {
        match phone {
            Phone::Softphone => self.checked,
            Phone::DeskPhone => self.desk_phone_works,
        }
    }

    /// What stands in the way of *ready*.
    pub fn why_not_ready(&self) -> Option<NotReadyYet> {
        if matches!(self.state, State::Offline) {
            Some(NotReadyYet::NoConsole)
        } else if !self.phone() {
            Some(NotReadyYet::NoPhone)
        } else if !self.checked() {
            Some(NotReadyYet::NotChecked)
        } else if self.sent_home {
            Some(NotReadyYet::SentHome)
        } else {
            None
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Heartbeat { typing } => self.on_heartbeat(now, typing),
            Input::Phones { phones } => {
                // Plugged in anew: what failed may have been put right.
                if phones.has(Phone::DeskPhone) && !self.phones.has(Phone::DeskPhone) {
                    self.desk_phone_works = true;
                }
                self.phones = phones;
                self.stand_down_if(now, "phone not connected", NOT_CHECKED);
            }
            Input::Checked { phone, passed } => {
                match phone {
                    Phone::DeskPhone => self.desk_phone_works = passed,
                    Phone::Softphone => self.checked = passed,
                }
                self.stand_down_if(now, "phone not connected", "media check failed");
            }
            Input::SetReady { ready, reason } => self.on_set_ready(now, ready, reason),
            Input::Offered { call, by_key } if self.state != State::Offline && !self.hand.is_offered() => {
                self.rings = self.rings_at_once() && !by_key;
                self.hand.put(call, Part::Offered);
                self.settle(now);
            }
            Input::OfferFailed { call, why } => self.on_offer_failed(now, &call, why),
            Input::Accepted { call } if self.state != State::Offline => {
                self.hand.put(call, Part::Up);
                self.settle(now);
            }
            Input::Silent { call, silent } => self.hand.set_silent(&call, silent.then_some(now + MEDIA_LIMIT)),
            Input::PhoneHungUp { call } => self.hand.set_hung_up(&call),
            Input::LostCall { call } if self.hand.remove(&call) => {
                self.stand_down(now, "connection to the phone lost");
            }
            Input::Freed { call } => {
                self.hand.free(&call);
                self.settle(now);
            }
            Input::Listens { call } => self.listens = call,
            Input::Aside { aside } => self.aside = aside,
            Input::LogOut { reason } => self.on_log_out(now, reason),
            Input::WrappedUp { call } if self.hand.remove(&call) => self.rest(now),
            _ => {}
        }
        self.check_presence(now);
        self.sent_home &= !self.hand.is_empty();
        self.tell_queue();
    }

    /// The next thing to tell, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the console's silence, or the softphone's, means that it is gone. The only reasons a seat wakes for.
    pub fn poll_timeout(&self) -> Option<Instant> {
        // Once the console is gone, a call is kept up by its media alone: only news of that changes anything.
        let socket = self.socket_until.filter(|_| self.state != State::Offline);
        let media = self.hand.silent_until();
        [socket, media].into_iter().flatten().min()
    }

    fn on_heartbeat(&mut self, now: Instant, typing: bool) {
        self.socket_until = Some(now + SOCKET_LIMIT);
        self.typing = typing;
        if self.state == State::Offline {
            self.reason.take_if(|_| now.saturating_duration_since(self.since) >= NEXT_SHIFT);
            self.go(now, State::NotReady);
        }
        self.outputs.extend(self.hand.meant().map(|call| Output::HungUp { call }));
    }

    fn on_set_ready(&mut self, now: Instant, ready: bool, reason: Option<String>) {
        let ready = ready && self.why_not_ready().is_none();
        if self.sent_home {
            return;
        }
        self.wants_ready = ready;
        match (self.state, ready) {
            (State::NotReady, true) => {
                self.reason = None;
                self.idle_since = now;
                self.go(now, State::Ready);
            }
            (State::Ready | State::NotReady, false) => {
                self.reason = reason;
                self.go(now, State::NotReady);
            }

            (State::Offered | State::Talking | State::WrapUp, _) => self.reason = reason,
            (State::Offline, _) if reason.is_some() => self.reason = reason,
            _ => {}
        }
    }

    fn on_log_out(&mut self, now: Instant, reason: String) {
        self.wants_ready = false;
        self.reason = Some(reason);
        for call in self.hand.take_offered() {
            self.outputs.push_back(Output::Lost { call });
        }
        self.sent_home = !self.hand.is_empty();
        if self.hand.is_empty() && self.state != State::Offline {
            self.go(now, State::NotReady);
        }
    }

    fn on_offer_failed(&mut self, now: Instant, call: &CallId, why: OfferEnd) {
        if !self.hand.remove_offered(call) {
            return;
        }
        match why {
            // A phone on which she has another call is not a dead one.
            OfferEnd::PhoneFailed if self.hand.is_empty() => self.stand_down(now, "the phone did not take the call"),
            OfferEnd::SeatGone => {}
            // A phone that rang for as long as that by an idle seat: nobody is there, and the next caller is not to find out.
            OfferEnd::Missed if self.rings && self.rings_at_once() && self.hand.is_empty() => {
                self.stand_down(now, "a call rang and nobody answered");
            }
            // Another operator first, when there is one.
            OfferEnd::Missed => {
                self.idle_since = now;
                self.rest(now);
            }
            OfferEnd::PhoneFailed | OfferEnd::Withdrawn => self.rest(now),
        }
    }

    /// The state that the calls here make.
    fn settle(&mut self, now: Instant) {
        if let Some(state) = self.hand.state().filter(|_| self.state != State::Offline) {
            self.go(now, state);
        }
    }

    /// After a call or an offer: on with the others; after the last one ready again, if that is what the operator wants.
    fn rest(&mut self, now: Instant) {
        if self.state == State::Offline {
            return;
        }
        if !self.hand.is_empty() {
            return self.settle(now);
        }
        if self.wants_ready && self.phone() && !self.checked() {
            self.stand_down(now, NOT_CHECKED);
        } else if self.wants_ready && self.phone() {
            if self.state != State::Offered {
                self.idle_since = now;
            }
            self.reason = None;
            self.go(now, State::Ready);
        } else {
            self.go(now, State::NotReady);
        }
    }

    /// Ready no more, if there is nothing left to ring, or nothing that works.
    fn stand_down_if(&mut self, now: Instant, no_phone: &str, not_checked: &str) {
        match self.why_not_ready().filter(|_| self.state == State::Ready) {
            Some(NotReadyYet::NoPhone) => self.stand_down(now, no_phone),
            Some(NotReadyYet::NotChecked) => self.stand_down(now, not_checked),
            Some(NotReadyYet::NoConsole | NotReadyYet::SentHome) | None => {}
        }
    }

    fn stand_down(&mut self, now: Instant, reason: &str) {
        if self.state != State::Offline {
            self.not_ready_for(reason);
            self.go(now, self.hand.state().unwrap_or(State::NotReady));
        }
    }

    /// A reason of hers stands: she knows of it, and others plan by it.
    fn not_ready_for(&mut self, reason: &str) {
        if std::mem::take(&mut self.wants_ready) || self.reason.is_none() {
            self.reason = Some(reason.to_owned());
        }
    }

    /// Offline once neither console nor media is there. A console that lives on without its media (its page was
    /// loaded anew in mid-call) loses the call as well, a little later: the caller must not talk to nobody.
    fn check_presence(&mut self, now: Instant) {
        let lost = self.hand.take_silent(now);
        if !lost.is_empty() {
            self.outputs.extend(lost.into_iter().map(|call| Output::Lost { call }));
            if self.phone_to_ring() == Some(Phone::DeskPhone) {
                self.stand_down(now, "nothing was heard of the desk phone");
            } else {
                self.checked = false;
                self.stand_down(now, "nothing was heard of the softphone: do the ready check");
            }
        }
        let socket_gone = self.socket_until.is_none_or(|until| until <= now);
        if self.state == State::Offline || !socket_gone {
            return;
        }
        self.socket_until = None;
        // Also while their silence is still waited for: the console may be lost by the same change of network.
        let lost = if self.hand.is_kept(now) { self.hand.take_hung_up() } else { self.hand.take_all() };
        self.outputs.extend(lost.into_iter().map(|call| Output::Lost { call }));
        if !self.hand.is_empty() {
            return self.settle(now);
        }
        if self.wants_ready {
            self.not_ready_for(CONSOLE_GONE);
        }
        self.checked = false;
        self.typing = false;
        self.go(now, State::Offline);
    }

    fn go(&mut self, now: Instant, state: State) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }

    fn tell_queue(&mut self) {
        let idle = self.state == State::Ready && self.listens.is_none() && !self.aside;
        if idle != self.told_idle {
            self.told_idle = idle;
            self.outputs.push_back(if idle { Output::Idle { since: self.idle_since } } else { Output::Busy });
        }
    }
}

#[cfg(test)]
mod tests;
