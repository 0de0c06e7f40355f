//! A call's task, as far as callbacks go: the promise it asks to have stored, and the promise it is to keep.

use std::time::{Duration, Instant};

use super::CallTask;
use super::outward::Outward;
use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::CallOutcome;
use crate::domain::operator::skill::Skills;
use crate::domain::queue::Terms;
use crate::engine::calls::callbacks::RungBack;
use crate::engine::desk::Waiting;
use crate::io::store::callbacks::Callback;

/// As good as for ever: whoever is not on the line hears no apology.
const NO_LIMIT: Duration = Duration::from_secs(365 * 86_400);

impl CallTask {
    /// What an operator must be able to do for the caller: what the account asks for, and what the call's flow does.
    pub(super) fn skills(&self) -> Skills {
        self.facts.account.queueing.skills.union(self.call.skills()).cloned().collect()
    }

    /// Has it stored that the caller is to be called back there.
    pub(super) fn promise(&self, number: PhoneNumber) {
        let (facts, now) = (&self.facts, self.calls.wiring.clock.utc());
        let callback = Callback {
            call: facts.id.clone(),
            account: facts.account.id.clone(),
            did: facts.did.clone(),
            number,
            priority: self.call.priority(),
            skills: self.skills(),
            call_type: self.call.call_type().cloned(),
            since: self.queued_at.map_or(now, |at| facts.utc(at)),
            promised_at: now,
            tries: 0,
            next_at: now,
            end: None,
        };
        self.calls.promise(callback, facts.account.clone());
    }

    /// The other party is not on the line; their call came in then, and their place is of one who has waited for so long.
    pub(super) fn waiting_off_the_line(&self, terms: Terms, rang_at: UtcMs, waited: Duration) -> Waiting {
        Waiting {
            account: self.facts.account_ref(),
            terms: Terms {
                max_wait: NO_LIMIT,
                skill_wait: Duration::from_secs(self.facts.account.queueing.skill_wait_secs.into()),
                since: Some(before(self.now(), waited)),
                ..terms
            },
            rang_at,
            ring_back: true,
        }
    }

    /// Once: what came of the promise.
    pub(super) fn tell_rung_back(&mut self, cause: Cause, outcome: CallOutcome) {
        let Some(Outward::Promise { tell, .. }) = &mut self.outward else { return };
        let Some(tell) = tell.take() else { return };
        let operator = self.operator.clone();
        let rung = match outcome {
            // Whom a stop cut off is rung again, as after a crash.
            _ if self.stopped && cause == Cause::Released => RungBack::Stopped,
            CallOutcome::Handled | CallOutcome::Patched => RungBack::Reached { operator },
            _ if self.stopped => RungBack::Stopped,
            _ => RungBack::NotReached { cause, operator },
        };
        // An error means that the process is stopping.
        let _ = tell.send(rung);
    }
}

/// A machine may have been up for less than somebody has waited.
fn before(now: Instant, waited: Duration) -> Instant {
    now.checked_sub(waited).unwrap_or(now)
}
