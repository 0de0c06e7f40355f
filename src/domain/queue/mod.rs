//! The queue: callers waiting, and whom to offer which caller. Priority, then the longest wait; the operator
//! longest idle first, of those who have the skills that the caller needs.
//!
//! Does not ring anybody and does not time an offer: the call does, and says how it went. `engine/desk` drives
//! it. What always holds: a caller is offered to at most one operator at a time and an operator at most one
//! caller; a caller who was given back keeps the place at the head and the wait so far; no caller is overtaken at an
//! operator who could be offered them, and skills are not waited for longer than the account says, nor at all if nobody
//! at work has them; a caller on the line waits for no call that we are to make ourselves (a callback, a job) and that the
//! operator does not take within seconds: it goes back to its place.

pub mod place;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::base::deadline::soonest;
use crate::base::id::{CallId, UserId};
use crate::domain::operator::skill::Skills;
use place::{Place, Waits};

/// How a caller waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Higher goes first.
    pub priority: i32,
    pub max_wait: Duration,
    /// How often they hear a word.
    pub comfort: Option<Duration>,
    /// They are told their place with it.
    pub position: bool,
    /// What an operator must be able to do.
    pub skills: Skills,
    /// How long an operator with all of that is waited for.
    pub skill_wait: Duration,
    /// When the wait began, if not now: a caller to be called back keeps their place.
    pub since: Option<Instant>,
}

/// What the queue is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// A caller waits.
    Enqueue {
        call: CallId,
        terms: Terms,
    },
    /// A caller is no longer waiting: gone or told the apology.
    Dequeue {
        call: CallId,
    },
    /// A caller goes before those of a lower priority from now on.
    Raise {
        call: CallId,
        priority: i32,
    },
    /// A caller cannot be offered now, and keeps their place.
    Pause {
        call: CallId,
    },
    Resume {
        call: CallId,
    },
    /// An operator speaks with the caller.
    Served {
        call: CallId,
    },
    /// A caller who was with an operator is back. Their maximum wait starts anew.
    Requeue {
        call: CallId,
        terms: Terms,
    },
    /// The same, and this operator is to have them, if idle.
    Hand {
        call: CallId,
        terms: Terms,
        user: UserId,
    },
    /// The operator has pressed the key for what she is offered.
    Taken {
        call: CallId,
    },
    /// An offer came to nothing: the caller is at the head again.
    OfferFailed {
        call: CallId,
        user: UserId,
    },
    /// An operator can be offered a call, idle since `since`.
    SeatIdle {
        user: UserId,
        since: Instant,
    },
    SeatBusy {
        user: UserId,
    },
    /// An operator is at work, ready or not, and can do this.
    AtWork {
        user: UserId,
        skills: Skills,
    },
    /// An operator has gone.
    Left {
        user: UserId,
    },
    /// An operator asks for this caller, idle or not: whether the seat has room is the seat's to say.
    Take {
        call: CallId,
        user: UserId,
    },
    Tick,
}

/// What the queue wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `taken`: the operator asked for it.
    Offer { call: CallId, user: UserId, taken: bool },
    /// The maximum wait is over.
    Overdue { call: CallId },
    /// `place`: to be told as well.
    Comfort { call: CallId, place: Option<Place> },
    /// Nobody is on the line of what this operator is offered, and somebody is who could be offered to them: it is to be taken
    /// back, unless they have taken it. [`Input::OfferFailed`] or [`Input::Taken`] follows.
    MakeWay { call: CallId, user: UserId },
}

/// Why the queue wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Skills,
    Rest,
    Look,
    Overdue,
    Comfort,
}

/// A caller in the queue.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub call: CallId,
    pub terms: Terms,
    /// When the caller first queued.
    pub since: Instant,
    /// Given back: goes before all who were not.
    pub returned: bool,
    /// Who is being offered it.
    pub offered: Option<UserId>,
    /// Until then callers on the line leave the operator the time to take it; none: it is not offered, or somebody is on its line,
    /// or she has taken it.
    look_until: Option<Instant>,
    /// It was asked to make way, and has not yet.
    makes_way: bool,
    /// Cannot be offered now.
    paused: bool,
    /// Not on the line, and not wanted just now: callers on the line go first until then.
    rests_until: Option<Instant>,
    /// From then on anybody will do.
    anybody_at: Instant,
    anybody: bool,
    overdue_at: Instant,
    overdue_told: bool,
    comfort: Option<(Duration, Instant)>,
    /// At which place they began to wait.
    began_at: u32,
    told: Option<Place>,
}

impl Ticket {
    const fn can_be_offered(&self) -> bool {
        self.offered.is_none() && !self.paused && self.rests_until.is_none()
    }

    /// It is we who are to call: the place is of somebody who waits elsewhere.
    const fn is_off_line(&self) -> bool {
        self.terms.since.is_some()
    }

    /// Its wait says something of others': it was one, on the line.
    const fn counts(&self) -> bool {
        !self.returned && !self.is_off_line()
    }
}

/// What is kept of a caller who left the queue, should they come back.
#[derive(Debug)]
struct Past {
    call: CallId,
    since: Instant,
    told: Option<Place>,
}

/// All callers waiting and all operators idle.
#[derive(Debug, Default)]
pub struct Queue {
    tickets: Vec<Ticket>,
    idle: Vec<(Instant, UserId)>,
    at_work: BTreeMap<UserId, Skills>,
    past: VecDeque<Past>,
    waits: Waits,
    /// Nobody took a call that we are to make: callers on the line go before all such until then.
    on_line_first_until: Option<Instant>,
    /// When the next call to be made has been looked at for long enough.
    look_until: Option<Instant>,
    outputs: VecDeque<Output>,
}

/// How long callers on the line go before one to be called back whom nobody took.
const REST: Duration = Duration::from_secs(30);
/// How long an operator is left to take a call that she is to make, when somebody on the line waits.
const LOOK: Duration = Duration::from_secs(5);
/// How many callers who left are remembered.
const PAST_KEPT: usize = 1_024;

impl Queue {
    /// Takes in what happened, and makes the offers that follow.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Enqueue { call, terms } => self.insert(now, call, terms, false),
            Input::Requeue { call, terms } => self.insert(now, call, terms, true),
            Input::Hand { call, terms, user } => {
                self.insert(now, call.clone(), terms, true);
                if self.idle.iter().any(|(_, idle)| *idle == user) {
                    self.take(&call, user);
                }
            }
            Input::Dequeue { call } => self.remove(&call),
            Input::Raise { call, priority } => {
                if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == call) {
                    ticket.terms.priority = ticket.terms.priority.max(priority);
                }
            }
            Input::Pause { call } => {
                if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == call) {
                    ticket.paused = true;
                }
            }
            Input::Resume { call } => {
                if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == call) {
                    ticket.paused = false;
                    // The call ignored "overdue" meanwhile: it is said again.
                    ticket.overdue_told = false;
                }
            }
            Input::Served { call } => {
                if let Some(ticket) = self.tickets.iter().find(|t| t.call == call && t.counts()) {
                    self.waits.add(now, now.saturating_duration_since(ticket.since), ticket.began_at);
                }
                self.remove(&call);
            }
            Input::OfferFailed { call, user } => {
                // Only what was offered here: somebody who came too late to fetch the caller takes them from nobody.
                let is_it = |t: &&mut Ticket| t.call == call && t.offered.as_ref() == Some(&user);
                if let Some(ticket) = self.tickets.iter_mut().find(is_it) {
                    ticket.offered = None;
                    ticket.look_until = None;
                    let made_way = std::mem::take(&mut ticket.makes_way);
                    if ticket.is_off_line() {
                        // Whatever made way is wanted still: by the next operator whom nobody on the line waits for.
                        ticket.rests_until = (!made_way).then_some(now + REST);
                        self.on_line_first_until = Some(now + REST);
                    } else {
                        ticket.returned = true;
                    }
                    // The call ignores "overdue" while an operator's phone comes up: it is said again.
                    ticket.overdue_told = false;
                }
            }
            Input::Taken { call } => {
                if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == call) {
                    (ticket.look_until, ticket.makes_way) = (None, false);
                }
            }
            Input::SeatIdle { user, since } => {
                // Free again without a word of it: what she was to make, she has not taken.
                if self.tickets.iter().any(|t| t.is_off_line() && t.offered.as_ref() == Some(&user)) {
                    self.on_line_first_until = Some(now + REST);
                }
                self.idle.retain(|(_, u)| *u != user);
                self.idle.push((since, user));
            }
            Input::SeatBusy { user } => self.idle.retain(|(_, u)| *u != user),
            Input::AtWork { user, skills } => {
                self.at_work.insert(user, skills);
            }
            Input::Left { user } => {
                self.at_work.remove(&user);
            }
            Input::Take { call, user } => self.take(&call, user),
            Input::Tick => {}
        }
        self.run_clocks(now);
        self.offer(now);
        self.make_way(now);
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let overdue = self.tickets.iter().filter(|t| !t.overdue_told).map(|t| t.overdue_at).min();
        let comfort = self.tickets.iter().filter_map(|t| t.comfort).map(|(_, at)| at).min();
        let skills = self.tickets.iter().filter(|t| t.offered.is_none() && !t.anybody).map(|t| t.anybody_at).min();
        let spoken = soonest(overdue.map(|at| (at, Reason::Overdue)), comfort.map(|at| (at, Reason::Comfort)));
        let rest = self.tickets.iter().filter_map(|t| t.rests_until).min();
        let offers = soonest(skills.map(|at| (at, Reason::Skills)), rest.map(|at| (at, Reason::Rest)));
        soonest(soonest(spoken, offers), self.look_until.map(|at| (at, Reason::Look)))
    }

    /// Everybody who waits, first come first.
    pub fn waiting(&self) -> Vec<&Ticket> {
        let mut waiting: Vec<_> = self.tickets.iter().collect();
        waiting.sort_by_key(|t| (!t.returned, -i64::from(t.terms.priority), t.since));
        waiting
    }

    fn insert(&mut self, now: Instant, call: CallId, terms: Terms, returned: bool) {
        let past = self.past.iter().find(|past| past.call == call);
        let fresh = terms.since.unwrap_or(now);
        let (since, told) = past.map_or((fresh, None), |past| (past.since, past.told));
        self.tickets.retain(|t| t.call != call);
        self.tickets.push(Ticket {
            call: call.clone(),
            since,
            returned,
            offered: None,
            look_until: None,
            makes_way: false,
            paused: false,
            rests_until: None,
            anybody_at: now + terms.skill_wait,
            anybody: terms.skills.is_empty(),
            overdue_at: now + terms.max_wait,
            overdue_told: false,
            comfort: terms.comfort.filter(|every| !every.is_zero()).map(|every| (every, now + every)),
            began_at: 1,
            told,
            terms,
        });
        let position = self.position(&call);
        if let Some(ticket) = self.tickets.last_mut() {
            ticket.began_at = position;
        }
    }

    /// How many callers are to be offered next, up to this one.
    fn position(&self, call: &CallId) -> u32 {
        let before = self.waiting().into_iter().take_while(|t| t.call != *call);
        u32::try_from(before.filter(|t| t.offered.is_none()).count()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn remove(&mut self, call: &CallId) {
        if let Some(at) = self.tickets.iter().position(|t| t.call == *call) {
            // Not swapped: who came in the same instant keeps their order.
            let ticket = self.tickets.remove(at);
            self.past.retain(|past| past.call != *call);
            self.past.push_back(Past { call: ticket.call, since: ticket.since, told: ticket.told });
            if self.past.len() > PAST_KEPT {
                self.past.pop_front();
            }
        }
    }

    fn take(&mut self, call: &CallId, user: UserId) {
        let free = !self.tickets.iter().any(|t| t.offered.as_ref() == Some(&user));
        let is_it = |t: &&mut Ticket| t.call == *call && t.offered.is_none() && !t.paused && free;
        if let Some(ticket) = self.tickets.iter_mut().find(is_it) {
            ticket.offered = Some(user.clone());
            self.idle.retain(|(_, u)| *u != user);
            self.outputs.push_back(Output::Offer { call: call.clone(), user, taken: true });
        }
    }

    fn run_clocks(&mut self, now: Instant) {
        for at in 0..self.tickets.len() {
            let ticket = &mut self.tickets[at];
            ticket.anybody |= ticket.anybody_at <= now;
            ticket.rests_until = ticket.rests_until.filter(|until| *until > now);
            if !ticket.overdue_told && ticket.overdue_at <= now {
                ticket.overdue_told = true;
                self.outputs.push_back(Output::Overdue { call: ticket.call.clone() });
            }
            if let Some((every, due)) = &mut ticket.comfort
                && *due <= now
            {
                *due = now + *every;
                let (call, place) = (ticket.call.clone(), self.tell_place(now, at));
                self.outputs.push_back(Output::Comfort { call, place });
            }
        }
    }

    /// What this caller can be told of their place, which they have been told then.
    fn tell_place(&mut self, now: Instant, at: usize) -> Option<Place> {
        let ticket = &self.tickets[at];
        if !ticket.terms.position || ticket.offered.is_some() || ticket.paused {
            return None;
        }
        let place = self.waits.place(now, self.position(&ticket.call));
        let (said, told) = place.told_after(ticket.told)?;
        self.tickets[at].told = Some(told);
        Some(said)
    }

    fn offer(&mut self, now: Instant) {
        let on_line_first = self.on_line_first_until.is_some_and(|until| until > now);
        // A caller already told to be overdue is on the way to the apology.
        let mut free: Vec<_> = self.waiting().into_iter().filter(|t| t.can_be_offered() && !t.overdue_told).collect();
        free.sort_by_key(|t| on_line_first && t.is_off_line());
        for call in free.into_iter().map(|t| t.call.clone()).collect::<Vec<_>>() {
            let Some(at) = self.tickets.iter().position(|t| t.call == call) else { continue };
            let Some(longest_idle) = self.pick_operator(&self.tickets[at]) else { continue };
            let (_, user) = self.idle.swap_remove(longest_idle);
            let ticket = &mut self.tickets[at];
            ticket.offered = Some(user.clone());
            ticket.look_until = ticket.is_off_line().then_some(now + LOOK);
            self.outputs.push_back(Output::Offer { call, user, taken: false });
        }
    }

    /// Callers on the line for whom nobody is idle have those who look at a call that they are to make.
    fn make_way(&mut self, now: Instant) {
        self.look_until = None;
        // Each of these has one coming.
        let coming = self.tickets.iter().filter(|t| t.makes_way).count();
        let on_line = |t: &&Ticket| t.can_be_offered() && !t.overdue_told && !t.is_off_line();
        let left: Vec<CallId> =
            self.waiting().into_iter().filter(on_line).skip(coming).map(|t| t.call.clone()).collect();
        for caller in left {
            let Some(caller) = self.tickets.iter().find(|t| t.call == caller) else { continue };
            let looked_at = self.tickets.iter().enumerate().filter_map(|(at, t)| {
                let (until, user) = (t.look_until?, t.offered.as_ref()?);
                (!t.makes_way && self.may_have(caller, user)).then(|| (until, at, user.clone()))
            });
            match looked_at.min_by_key(|(until, ..)| *until) {
                Some((until, at, user)) if until <= now => {
                    self.tickets[at].makes_way = true;
                    self.outputs.push_back(Output::MakeWay { call: self.tickets[at].call.clone(), user });
                }
                Some((until, ..)) => self.look_until = Some(self.look_until.map_or(until, |at| at.min(until))),
                None => {}
            }
        }
    }

    fn has_all(&self, caller: &Ticket, user: &UserId) -> bool {
        self.at_work.get(user).is_some_and(|skills| caller.terms.skills.is_subset(skills))
    }

    /// Skills are not waited for any longer.
    fn will_anybody_do(&self, caller: &Ticket) -> bool {
        caller.anybody || !self.at_work.keys().any(|user| self.has_all(caller, user))
    }

    fn may_have(&self, caller: &Ticket, user: &UserId) -> bool {
        self.has_all(caller, user) || self.will_anybody_do(caller)
    }

    /// Where in `idle` the operator is who gets this caller.
    fn pick_operator(&self, ticket: &Ticket) -> Option<usize> {
        let longest_idle = |skilled: bool| {
            let fit = (0..self.idle.len()).filter(|i| !skilled || self.has_all(ticket, &self.idle[*i].1));
            fit.min_by_key(|i| self.idle[*i].0)
        };
        longest_idle(true).or_else(|| longest_idle(false).filter(|_| self.will_anybody_do(ticket)))
    }
}

#[cfg(test)]
mod tests;
