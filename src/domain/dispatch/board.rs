//! What the dispatch board says of a dispatch beside its sentences ([`super::timeline`]). Pure; the views that `engine/dispatcher`
//! publishes are made with it.
//!
//! What always holds: a time that stands beside words is of the event that the words say.

use super::event::{Entry, Note};
use super::job::JobOutcome;
use super::mail::whose_reply;
use super::state::{CallOutcome, Phase, Reason, State, Trouble};
use crate::base::clock::UtcMs;

/// Since when the gravest of what needs an operator does. What has come back since counts from then.
pub fn alarm_at(state: &State, history: &[Entry]) -> Option<UtcMs> {
    let worst = state.troubles.iter().next_back()?;
    let is_its = |note: &Note| match (note, worst) {
        (Note::Trouble { trouble }, _) => trouble == worst,
        // What somebody wrote is a line of its own.
        (Note::Wrote { name, .. }, Trouble::Wrote { from }) => name == from,
        (Note::Texted { name, .. }, Trouble::TextUnplaced { from }) => name == from,
        (Note::Mailed { name, elsewhere, .. }, Trouble::MailUnplaced { from }) => {
            whose_reply(name, *elsewhere) == *from
        }
        (Note::AcceptedUnheard { name }, Trouble::AcceptedUnheard { who }) => name == who,
        _ => false,
    };
    history.iter().rev().find(|entry| is_its(&entry.note)).map(|entry| entry.at)
}

/// The step it is in, counted from 1.
pub fn step(state: &State) -> Option<u32> {
    let run = state.runs.get(state.current().filter(|_| state.phase.is_open())?)?;
    u32::try_from(run.step).ok()?.checked_add(1)
}

/// It may stand as the last thing that was done. That the house is told of an alarm is nothing done for whoever waits.
pub fn may_be_last(note: &Note) -> bool {
    !matches!(note, Note::Alarmed { .. })
}

/// Somebody has been left a request to call back, which names the dispatch by its reference.
pub fn is_reference_left(history: &[Entry]) -> bool {
    history.iter().any(|entry| match &entry.note {
        Note::CallEnded { outcome, .. } => {
            matches!(outcome, CallOutcome::LeftRequest | CallOutcome::LeftOnMachine | CallOutcome::LeftWithPerson)
        }
        Note::JobDone { outcome, .. } => matches!(outcome, JobOutcome::LeftWith { .. } | JobOutcome::LeftOnVoicemail),
        _ => false,
    })
}

/// What comes when the wait it is in is over, whom and how first: `call Rosa (mobile)`. None: there is no such wait, and the sentence
/// of [`super::timeline::next`] says the most important thing first.
pub fn next_brief(state: &State, history: &[Entry]) -> Option<String> {
    let (_, reason) = state.wake()?;
    match (state.phase, reason) {
        (Phase::Running, Reason::WaitOver) => history.iter().rev().find_map(|entry| match &entry.note {
            Note::Waiting { next, .. } => Some(whom_first(next)),
            _ => None,
        }),
        (Phase::HeldForCheckIn, Reason::HoldOver) => history.iter().rev().find_map(|entry| match &entry.note {
            Note::Held { next, .. } => Some(whom_first(next)),
            _ => None,
        }),
        (Phase::Running, Reason::Job) => {
            let mut asked = state.attempts.iter().rev().filter(|a| a.in_flight_since.is_some());
            let (name, job) = asked.find_map(|a| Some((&a.name, a.job.as_ref()?)))?;
            (job.taken.is_none() && job.then_machine).then(|| format!("the machine calls {name}"))
        }
        _ => None,
    }
}

/// `try 2 of 2: call Ben (mobile)` as `call Ben (mobile), try 2 of 2`: a row has room for the beginning alone.
fn whom_first(next: &str) -> String {
    let comes_again = |lead: &str| lead.starts_with("again from step ") || lead.starts_with("try ");
    match next.split_once(": ") {
        Some((lead, does)) if comes_again(lead) && !does.is_empty() => format!("{does}, {lead}"),
        _ => next.to_owned(),
    }
}
