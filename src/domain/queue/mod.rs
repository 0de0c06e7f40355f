//! The queue: callers waiting, and whom to offer which caller. Priority, then the longest wait; the operator
//! longest idle first, of those who have the skills that the caller needs.
//!
//! Does not ring anybody and does not time an offer: the call does, and says how it went. `engine/desk` drives
//! it. What always holds: a caller is offered to at most one operator at a time and an operator at most one
//! caller; a caller who was given back keeps the place at the head and the wait so far; no caller is overtaken at an
//! operator who could be offered them, and skills are not waited for longer than the account says, nor at all if nobody
//! at work has them.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::base::deadline::soonest;
use crate::base::id::{CallId, UserId};
use crate::domain::operator::skill::Skills;

/// How a caller waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Higher goes first.
    pub priority: i32,
    pub max_wait: Duration,
    /// How often they hear a word.
    pub comfort: Option<Duration>,
    /// What an operator must be able to do.
    pub skills: Skills,
    /// How long an operator with all of that is waited for.
    pub skill_wait: Duration,
}

/// What the queue is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// A caller waits.
    Enqueue {
        call: CallId,
        terms: Terms,
    },
    /// A caller is no longer waiting: served, gone or told the apology.
    Dequeue {
        call: CallId,
    },
    /// A caller who was with an operator is back. Their maximum wait starts anew.
    Requeue {
        call: CallId,
        terms: Terms,
    },
    /// An offer came to nothing: the caller is at the head again.
    OfferFailed {
        call: CallId,
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
    /// An operator asks for this caller.
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
    Offer {
        call: CallId,
        user: UserId,
        taken: bool,
    },
    /// The maximum wait is over.
    Overdue {
        call: CallId,
    },
    Comfort {
        call: CallId,
    },
}

/// Why the queue wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Skills,
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
    /// From then on anybody will do.
    anybody_at: Instant,
    anybody: bool,
    overdue_at: Instant,
    overdue_told: bool,
    comfort: Option<(Duration, Instant)>,
}

/// All callers waiting and all operators idle.
#[derive(Debug, Default)]
pub struct Queue {
    tickets: Vec<Ticket>,
    idle: Vec<(Instant, UserId)>,
    at_work: BTreeMap<UserId, Skills>,
    /// When callers who left the queue for an operator had first queued, should they come back.
    served: VecDeque<(CallId, Instant)>,
    outputs: VecDeque<Output>,
}

/// How many served callers' first times are remembered.
const SERVED_KEPT: usize = 1_024;

impl Queue {
    /// Takes in what happened, and makes the offers that follow.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Enqueue { call, terms } => self.insert(now, call, terms, false),
            Input::Requeue { call, terms } => self.insert(now, call, terms, true),
            Input::Dequeue { call } => self.remove(&call),
            Input::OfferFailed { call } => {
                if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == call) {
                    ticket.offered = None;
                    ticket.returned = true;
                    // The call ignores "overdue" while an operator's phone comes up: it is said again.
                    ticket.overdue_told = false;
                }
            }
            Input::SeatIdle { user, since } => {
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
        self.offer();
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
        soonest(spoken, skills.map(|at| (at, Reason::Skills)))
    }

    /// Everybody who waits, first come first.
    pub fn waiting(&self) -> Vec<&Ticket> {
        let mut waiting: Vec<_> = self.tickets.iter().collect();
        waiting.sort_by_key(|t| (!t.returned, -i64::from(t.terms.priority), t.since));
        waiting
    }

    fn insert(&mut self, now: Instant, call: CallId, terms: Terms, returned: bool) {
        let since = self.served.iter().find(|(c, _)| *c == call).map_or(now, |(_, since)| *since);
        self.tickets.retain(|t| t.call != call);
        self.tickets.push(Ticket {
            call,
            since,
            returned,
            offered: None,
            anybody_at: now + terms.skill_wait,
            anybody: terms.skills.is_empty(),
            overdue_at: now + terms.max_wait,
            overdue_told: false,
            comfort: terms.comfort.filter(|every| !every.is_zero()).map(|every| (every, now + every)),
            terms,
        });
    }

    fn remove(&mut self, call: &CallId) {
        if let Some(at) = self.tickets.iter().position(|t| t.call == *call) {
            let ticket = self.tickets.swap_remove(at);
            self.served.retain(|(c, _)| c != call);
            self.served.push_back((ticket.call, ticket.since));
            if self.served.len() > SERVED_KEPT {
                self.served.pop_front();
            }
        }
    }

    fn take(&mut self, call: &CallId, user: UserId) {
        let idle = self.idle.iter().any(|(_, u)| *u == user);
        if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == *call && t.offered.is_none() && idle) {
            ticket.offered = Some(user.clone());
            self.idle.retain(|(_, u)| *u != user);
            self.outputs.push_back(Output::Offer { call: call.clone(), user, taken: true });
        }
    }

    fn run_clocks(&mut self, now: Instant) {
        for ticket in &mut self.tickets {
            ticket.anybody |= ticket.anybody_at <= now;
            if !ticket.overdue_told && ticket.overdue_at <= now {
                ticket.overdue_told = true;
                self.outputs.push_back(Output::Overdue { call: ticket.call.clone() });
            }
            if let Some((every, at)) = &mut ticket.comfort
                && *at <= now
            {
                *at = now + *every;
                self.outputs.push_back(Output::Comfort { call: ticket.call.clone() });
            }
        }
    }

    fn offer(&mut self) {
        // A caller already told to be overdue is on the way to the apology.
        let free = self.waiting().into_iter().filter(|t| t.offered.is_none() && !t.overdue_told);
        for call in free.map(|t| t.call.clone()).collect::<Vec<_>>() {
            let Some(at) = self.tickets.iter().position(|t| t.call == call) else { continue };
            let Some(longest_idle) = self.pick_operator(&self.tickets[at]) else { continue };
            let (_, user) = self.idle.swap_remove(longest_idle);
            self.tickets[at].offered = Some(user.clone());
            self.outputs.push_back(Output::Offer { call, user, taken: false });
        }
    }

    /// Where in `idle` the operator is who gets this caller.
    fn pick_operator(&self, ticket: &Ticket) -> Option<usize> {
        let has_all =
            |user: &UserId| self.at_work.get(user).is_some_and(|skills| ticket.terms.skills.is_subset(skills));
        let longest_idle = |skilled: bool| {
            let fit = (0..self.idle.len()).filter(|i| !skilled || has_all(&self.idle[*i].1));
            fit.min_by_key(|i| self.idle[*i].0)
        };
        longest_idle(true).or_else(|| {
            let anybody = ticket.anybody || !self.at_work.keys().any(has_all);
            longest_idle(false).filter(|_| anybody)
        })
    }
}

#[cfg(test)]
mod tests;
