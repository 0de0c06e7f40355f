//! Who is on call at an instant: overrides beat temporary schedules beat layers beat the fallback (`plan`).

use super::plan::{Plan, Verdict};
use super::{OnCall, Schedule};
use crate::base::clock::UtcMs;

/// Changes looked at before a shift is called open-ended; more than any rotation with two people needs.
const MAX_BOUNDARIES: usize = 512;

/// Who is on call at `now`, until when, and why. `None`: nobody.
pub fn resolve(schedule: &Schedule, now: UtcMs) -> Option<OnCall> {
    let plan = Plan::of(schedule);
    let verdict = plan.at(now);
    let until = until(&plan, &verdict, now);
    let why = plan.why(now, &verdict.source);
    let mut people = verdict.people.into_iter();
    let contact = people.next()?;
    Some(OnCall { contact, others: people.collect(), until, why })
}

fn until(plan: &Plan<'_>, verdict: &Verdict, now: UtcMs) -> Option<UtcMs> {
    let mut at = now;
    for _ in 0..MAX_BOUNDARIES {
        at = plan.next_change(at)?;
        if plan.at(at) != *verdict {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
