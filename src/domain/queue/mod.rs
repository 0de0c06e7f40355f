//! The queue: callers waiting, and whom to offer which caller. Priority, then the longest wait; the operator
//! longest idle first.
//!
//! Does not ring anybody and does not time an offer: the call does, and says how it went. `engine/desk` drives
//! it. What always holds: a caller is offered to at most one operator at a time and an operator at most one
//! caller; a caller who was given back keeps the place at the head and the wait so far.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::base::deadline::soonest;
use crate::base::id::{CallId, UserId};

/// What the queue is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// A caller waits. `comfort`: how often they hear a word.
    Enqueue {
        call: CallId,
        priority: i32,
        max_wait: Duration,
        comfort: Option<Duration>,
    },
    /// A caller is no longer waiting: served, gone or told the apology.
    Dequeue {
        call: CallId,
    },
    /// A caller who was with an operator is back. Their maximum wait starts anew.
    Requeue {
        call: CallId,
        priority: i32,
        max_wait: Duration,
        comfort: Option<Duration>,
    },
    /// The same, and this operator is to have them, if idle.
    Hand {
        call: CallId,
        priority: i32,
        max_wait: Duration,
        comfort: Option<Duration>,
        user: UserId,
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
    Overdue,
    Comfort,
}

/// A caller in the queue.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub call: CallId,
    pub priority: i32,
    /// When the caller first queued.
    pub since: Instant,
    /// Given back: goes before all who were not.
    pub returned: bool,
    /// Who is being offered it.
    pub offered: Option<UserId>,
    overdue_at: Instant,
    overdue_told: bool,
    comfort: Option<(Duration, Instant)>,
}

/// All callers waiting and all operators idle.
#[derive(Debug, Default)]
pub struct Queue {
    tickets: Vec<Ticket>,
    idle: Vec<(Instant, UserId)>,
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
            Input::Enqueue { call, priority, max_wait, comfort } => {
                self.insert(now, call, priority, max_wait, comfort, false);
            }
            Input::Requeue { call, priority, max_wait, comfort } => {
                self.insert(now, call, priority, max_wait, comfort, true);
            }
            Input::Hand { call, priority, max_wait, comfort, user } => {
                self.insert(now, call.clone(), priority, max_wait, comfort, true);
                self.take(&call, user);
            }
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
        soonest(overdue.map(|at| (at, Reason::Overdue)), comfort.map(|at| (at, Reason::Comfort)))
    }

    /// Everybody who waits, first come first.
    pub fn waiting(&self) -> Vec<&Ticket> {
        let mut waiting: Vec<_> = self.tickets.iter().collect();
        waiting.sort_by_key(|t| (!t.returned, -i64::from(t.priority), t.since));
        waiting
    }

    fn insert(
        &mut self,
        now: Instant,
        call: CallId,
        priority: i32,
        max_wait: Duration,
        comfort: Option<Duration>,
        returned: bool,
    ) {
        let since = self.served.iter().find(|(c, _)| *c == call).map_or(now, |(_, since)| *since);
        self.tickets.retain(|t| t.call != call);
        self.tickets.push(Ticket {
            call,
            priority,
            since,
            returned,
            offered: None,
            overdue_at: now + max_wait,
            overdue_told: false,
            comfort: comfort.filter(|every| !every.is_zero()).map(|every| (every, now + every)),
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
        loop {
            // A caller already told to be overdue is on the way to the apology.
            let next = self.waiting().into_iter().find(|t| t.offered.is_none() && !t.overdue_told);
            let Some(call) = next.map(|t| t.call.clone()) else { return };
            let Some(longest_idle) = (0..self.idle.len()).min_by_key(|i| self.idle[*i].0) else { return };
            let (_, user) = self.idle.swap_remove(longest_idle);
            if let Some(ticket) = self.tickets.iter_mut().find(|t| t.call == call) {
                ticket.offered = Some(user.clone());
            }
            self.outputs.push_back(Output::Offer { call, user, taken: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, TestClock, UtcMs};
    use crate::base::rng::Rng;

    fn call(name: &str) -> CallId {
        CallId::named(name)
    }

    fn user(name: &str) -> UserId {
        UserId::named(name)
    }

    struct Desk {
        clock: TestClock,
        queue: Queue,
    }

    impl Desk {
        fn open() -> Self {
            Self { clock: TestClock::at(UtcMs(0)), queue: Queue::default() }
        }

        fn tell(&mut self, input: Input) -> Vec<Output> {
            self.queue.handle(self.clock.instant(), input);
            std::iter::from_fn(|| self.queue.poll_output()).collect()
        }

        fn joins(&mut self, name: &str, priority: i32) -> Vec<Output> {
            let (max_wait, comfort) = (Duration::from_secs(120), Some(Duration::from_secs(30)));
            self.tell(Input::Enqueue { call: call(name), priority, max_wait, comfort })
        }

        fn idle(&mut self, name: &str) -> Vec<Output> {
            let since = self.clock.instant();
            self.tell(Input::SeatIdle { user: user(name), since })
        }

        fn after(&mut self, secs: u64) -> Vec<Output> {
            self.clock.advance(Duration::from_secs(secs));
            self.tell(Input::Tick)
        }
    }

    fn offer(c: &str, u: &str) -> Output {
        Output::Offer { call: call(c), user: user(u), taken: false }
    }

    #[test]
    fn priority_goes_first_then_the_longest_wait() {
        let mut desk = Desk::open();
        desk.joins("first", 0);
        desk.after(1);
        desk.joins("second", 0);
        desk.after(1);
        desk.joins("clinic", 5);
        assert_eq!(desk.idle("kim"), [offer("clinic", "kim")]);
        assert_eq!(desk.idle("lee"), [offer("first", "lee")]);
        assert_eq!(desk.idle("max"), [offer("second", "max")]);
    }

    #[test]
    fn the_operator_longest_idle_is_offered_the_call() {
        let mut desk = Desk::open();
        desk.idle("kim");
        desk.after(1);
        desk.idle("lee");
        assert_eq!(desk.joins("a", 0), [offer("a", "kim")]);
        assert_eq!(desk.joins("b", 0), [offer("b", "lee")]);
    }

    #[test]
    fn a_failed_offer_gives_the_caller_the_head_with_the_wait_so_far() {
        let mut desk = Desk::open();
        desk.idle("kim");
        desk.joins("a", 0);
        let waited_since = desk.clock.instant();
        desk.after(5);
        desk.joins("urgent", 9);
        desk.tell(Input::OfferFailed { call: call("a") });
        assert_eq!(desk.idle("lee"), [offer("a", "lee")], "before the higher priority");
        assert_eq!(desk.queue.waiting()[0].since, waited_since);
    }

    #[test]
    fn a_caller_given_back_after_talking_keeps_the_original_wait_and_may_wait_again() {
        let mut desk = Desk::open();
        let first = desk.clock.instant();
        desk.joins("a", 0);
        desk.idle("kim");
        desk.tell(Input::Dequeue { call: call("a") });
        desk.after(600);
        desk.joins("b", 3);
        let (max_wait, comfort) = (Duration::from_secs(120), None);
        let told = desk.tell(Input::Requeue { call: call("a"), priority: 0, max_wait, comfort });
        assert_eq!(told, [], "not overdue at once for the ten minutes it was served");
        assert_eq!((desk.queue.waiting()[0].call.clone(), desk.queue.waiting()[0].since), (call("a"), first));
    }

    #[test]
    fn waiting_callers_hear_a_word_on_time_and_are_overdue_once() {
        let mut desk = Desk::open();
        desk.joins("a", 0);
        assert_eq!(desk.after(29), []);
        assert_eq!(desk.after(1), [Output::Comfort { call: call("a") }]);
        assert_eq!(desk.after(30), [Output::Comfort { call: call("a") }]);
        let told = desk.after(60);
        assert!(told.contains(&Output::Overdue { call: call("a") }));
        assert!(!desk.after(1).contains(&Output::Overdue { call: call("a") }));
        assert_eq!(desk.idle("kim"), [], "who is told the apology is offered to nobody");
    }

    #[test]
    fn an_overdue_caller_whose_offer_fails_is_overdue_again() {
        let mut desk = Desk::open();
        desk.idle("kim");
        desk.joins("a", 0);
        assert!(desk.after(120).contains(&Output::Overdue { call: call("a") }));
        assert!(desk.tell(Input::OfferFailed { call: call("a") }).contains(&Output::Overdue { call: call("a") }));
    }

    #[test]
    fn an_operator_can_take_a_caller_out_of_turn() {
        let mut desk = Desk::open();
        desk.joins("a", 0);
        desk.after(1);
        desk.joins("b", 0);
        assert_eq!(desk.tell(Input::Take { call: call("b"), user: user("kim") }), [], "not while busy");
        let mut desk = Desk::open();
        desk.idle("kim");
        desk.tell(Input::SeatBusy { user: user("kim") });
        assert_eq!(desk.joins("a", 0), []);
    }

    #[test]
    fn nobody_is_offered_twice_whatever_happens() {
        for seed in 0..2_000 {
            let mut rng = Rng::seeded(seed);
            let mut desk = Desk::open();
            // Who is offered what, as the outside sees it.
            let mut offered: Vec<(CallId, UserId)> = Vec::new();
            for _ in 0..120 {
                let c = format!("c{}", rng.below(6));
                let u = format!("u{}", rng.below(4));
                let outputs = match rng.below(7) {
                    0 => {
                        if desk.queue.waiting().iter().any(|t| t.call == call(&c)) {
                            vec![]
                        } else {
                            desk.joins(&c, 0)
                        }
                    }
                    1 => {
                        offered.retain(|(oc, _)| *oc != call(&c));
                        desk.tell(Input::Dequeue { call: call(&c) })
                    }
                    2 => {
                        offered.retain(|(oc, _)| *oc != call(&c));
                        desk.tell(Input::OfferFailed { call: call(&c) })
                    }
                    3 | 4 if !offered.iter().any(|(_, ou)| *ou == user(&u)) => desk.idle(&u),
                    5 => desk.tell(Input::SeatBusy { user: user(&u) }),
                    _ => desk.after(rng.below(20)),
                };
                for output in outputs {
                    if let Output::Offer { call, user, .. } = output {
                        assert!(!offered.iter().any(|(c, u)| *c == call || *u == user), "seed {seed}");
                        offered.push((call, user));
                    }
                }
            }
        }
    }
}
