//! Faxes under way and those that wait for them: one at a time for a machine, which is busy with ours as with anybody's, and a
//! try that we ourselves have made vain is a try lost.
//!
//! Knows neither calls nor pages: [`super::fax`] sends. What always holds: each order is either given out once, or its
//! dispatcher told that it was taken back or stopped.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::base::id::AttemptId;
use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::fax::{FaxFault, FaxOutcome};
use crate::engine::callout::{CallOutEvent, FaxRequest};

/// Why a fax is ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The message is handled.
    Cancel,
    /// The service is stopping.
    Stop,
}

/// Whoever is told what becomes of a fax.
#[derive(Clone, Debug)]
pub(super) struct Tell {
    pub attempt: AttemptId,
    events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
}

impl Tell {
    pub(super) fn event(&self, event: CallOutEvent) {
        // An error means that the dispatcher is stopping.
        let _ = self.events.send((self.attempt.clone(), event));
    }
}

/// A fax to be sent, and who is told of it.
#[derive(Debug)]
pub(super) struct Order {
    pub request: FaxRequest,
    pub tell: Tell,
}

impl Order {
    pub(super) fn new(request: FaxRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) -> Self {
        let tell = Tell { attempt: request.attempt.clone(), events };
        Self { request, tell }
    }

    fn ended(&self, outcome: FaxOutcome) {
        self.tell.event(CallOutEvent::Faxed(outcome));
    }
}

/// An order that is to be sent now, and how it is told to end.
pub(super) type Due = (Order, mpsc::UnboundedReceiver<Halt>);

/// What a machine is sent now, and what waits for that.
#[derive(Debug)]
struct Machine {
    attempt: AttemptId,
    halt: mpsc::UnboundedSender<Halt>,
    waiting: VecDeque<Order>,
}

/// Faxes by the machine that they go to.
#[derive(Debug, Default)]
pub(super) struct Faxes {
    machines: Mutex<HashMap<PhoneNumber, Machine>>,
}

impl Faxes {
    fn lock(&self) -> MutexGuard<'_, HashMap<PhoneNumber, Machine>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Gives the order back if its machine is free; else it waits there for [`Faxes::over`].
    pub(super) fn begin(&self, order: Order) -> Option<Due> {
        let mut machines = self.lock();
        match machines.get_mut(&order.request.to) {
            Some(machine) => {
                machine.waiting.push_back(order);
                None
            }
            None => {
                let (halt, halted) = mpsc::unbounded_channel();
                let (attempt, waiting) = (order.tell.attempt.clone(), VecDeque::new());
                machines.insert(order.request.to.clone(), Machine { attempt, halt, waiting });
                Some((order, halted))
            }
        }
    }

    /// The fax to this machine is over: the next for it.
    pub(super) fn over(&self, to: &PhoneNumber) -> Option<Due> {
        let mut machines = self.lock();
        let machine = machines.get_mut(to)?;
        let Some(order) = machine.waiting.pop_front() else {
            machines.remove(to);
            return None;
        };
        let (halt, halted) = mpsc::unbounded_channel();
        (machine.attempt, machine.halt) = (order.tell.attempt.clone(), halt);
        Some((order, halted))
    }

    /// Ends all, and what waits does not begin.
    pub(super) fn stop(&self) {
        for machine in self.lock().values_mut() {
            for order in machine.waiting.drain(..) {
                order.ended(FaxOutcome::Failed { why: FaxFault::Stopped, confirmed: 0, pages: 0 });
            }
            // An error means only that the fax is over.
            let _ = machine.halt.send(Halt::Stop);
        }
    }

    pub(super) fn cancel(&self, attempt: &AttemptId) {
        for machine in self.lock().values_mut() {
            if machine.attempt == *attempt {
                // As above.
                let _ = machine.halt.send(Halt::Cancel);
            }
            let at = machine.waiting.iter().position(|order| order.tell.attempt == *attempt);
            if let Some(order) = at.and_then(|at| machine.waiting.remove(at)) {
                order.ended(FaxOutcome::Cancelled);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::base::id::AccountId;
    use crate::domain::message::render::fax;
    use crate::domain::message::render::tests::{account, message};

    const OFFICE: &str = "+12025550133";
    const CLINIC: &str = "+12025550134";

    type Told = mpsc::UnboundedReceiver<(AttemptId, CallOutEvent)>;

    struct Rig {
        faxes: Faxes,
        events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
        told: Told,
    }

    impl Rig {
        fn new() -> Self {
            let (events, told) = mpsc::unbounded_channel();
            Self { faxes: Faxes::default(), events, told }
        }

        fn begins(&self, name: &str, to: &str) -> Option<Due> {
            let request = FaxRequest {
                attempt: AttemptId::named(name),
                account: AccountId::named("plumbing"),
                to: PhoneNumber::parse(to).expect("a number"),
                caller_id: None,
                ring_secs: 30,
                letter: fax::letter(&message("Leak"), &account(), "Repair", None, "482913", UtcMs(0)),
            };
            self.faxes.begin(Order::new(request, self.events.clone()))
        }

        fn next(&self, to: &str) -> Option<AttemptId> {
            self.faxes.over(&PhoneNumber::parse(to).expect("a number")).map(|(order, _)| order.tell.attempt)
        }

        fn said(&mut self) -> Vec<(AttemptId, CallOutEvent)> {
            std::iter::from_fn(|| self.told.try_recv().ok()).collect()
        }
    }

    #[test]
    fn a_second_fax_to_one_machine_waits_for_the_first_and_another_machine_waits_for_none() {
        let rig = Rig::new();
        assert!(rig.begins("one", OFFICE).is_some());
        assert!(rig.begins("two", OFFICE).is_none() && rig.begins("three", OFFICE).is_none());
        assert!(rig.begins("other", CLINIC).is_some());
        assert_eq!(rig.next(OFFICE), Some(AttemptId::named("two")));
        assert_eq!(rig.next(OFFICE), Some(AttemptId::named("three")));
        assert_eq!((rig.next(OFFICE), rig.next(CLINIC)), (None, None));
        assert!(rig.faxes.is_empty());
        assert!(rig.begins("four", OFFICE).is_some(), "it is free again");
    }

    #[test]
    fn one_that_waits_is_taken_back_without_a_word_to_the_one_before_it() {
        let mut rig = Rig::new();
        let (_, mut halted) = rig.begins("one", OFFICE).expect("it is free");
        assert!(rig.begins("two", OFFICE).is_none());
        rig.faxes.cancel(&AttemptId::named("two"));
        assert_eq!(rig.said(), [(AttemptId::named("two"), CallOutEvent::Faxed(FaxOutcome::Cancelled))]);
        assert!(halted.try_recv().is_err());
        rig.faxes.cancel(&AttemptId::named("one"));
        assert_eq!(halted.try_recv(), Ok(Halt::Cancel));
        assert_eq!(rig.next(OFFICE), None);
    }

    #[test]
    fn a_stop_ends_the_one_under_way_and_lets_none_begin() {
        let mut rig = Rig::new();
        let (_, mut halted) = rig.begins("one", OFFICE).expect("it is free");
        assert!(rig.begins("two", OFFICE).is_none());
        rig.faxes.stop();
        let stopped = FaxOutcome::Failed { why: FaxFault::Stopped, confirmed: 0, pages: 0 };
        assert_eq!(rig.said(), [(AttemptId::named("two"), CallOutEvent::Faxed(stopped))]);
        assert_eq!((halted.try_recv(), rig.next(OFFICE)), (Ok(Halt::Stop), None));
    }
}
