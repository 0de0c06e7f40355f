//! What the dispatch board says of a dispatch beside its sentences ([`super::timeline`]). Pure; the views that `engine/dispatcher`
//! publishes are made with it.
//!
//! What always holds: a time that stands beside words is of the event that the words say.

use super::event::{Entry, Note};
use super::job::JobOutcome;
use super::state::{CallOutcome, State};
use crate::base::clock::UtcMs;

/// Since when the gravest of what needs an operator does. What has come back since counts from then.
pub fn alarm_at(state: &State, history: &[Entry]) -> Option<UtcMs> {
    let worst = state.troubles.iter().next_back()?;
    let is_its = |note: &Note| matches!(note, Note::Trouble { trouble } if trouble == worst);
    history.iter().rev().find(|entry| is_its(&entry.note)).map(|entry| entry.at)
}

/// It may stand as the last thing that was done. That the house is told of an alarm is nothing done for whoever waits.
pub fn may_be_last(note: &Note) -> bool {
    !matches!(note, Note::Alarmed { .. })
}

/// Somebody has been left a request to call back, which names the dispatch by its reference.
pub fn is_reference_left(history: &[Entry]) -> bool {
    history.iter().any(|entry| match &entry.note {
        Note::CallEnded { outcome, .. } => matches!(outcome, CallOutcome::LeftRequest | CallOutcome::LeftOnMachine),
        Note::JobDone { outcome, .. } => matches!(outcome, JobOutcome::LeftWith { .. } | JobOutcome::LeftOnVoicemail),
        _ => false,
    })
}
