//! What has become of a dispatch between what an operator saw of it and what they did to it: whether it has gone on since, and the
//! words for whoever is refused. Pure.
//!
//! `http` says the words, the machine asks [`State::is_at`]. What always holds: an act on a step is of the step that was seen, and
//! whoever is refused hears who was there before them, or where it stands.

use super::event::{Entry, Note, Via};
use super::state::{Cursor, Phase, State};
use crate::base::clock::UtcMs;

/// For so long something has happened just now.
const JUST_MS: i64 = 60_000;

/// Who asks why, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asks<'a> {
    pub by: &'a str,
    pub now: UtcMs,
}

impl State {
    /// How often it has gone on: to another step, try or round, or because an operator had it tried again. Only ever more.
    pub fn moves(&self) -> u32 {
        let runs = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        let tries = self.runs.iter().fold(0_u32, |sum, run| sum.saturating_add(u32::from(run.again)));
        let between = u32::from(matches!(self.cursor, Cursor::Pausing { .. } | Cursor::Done));
        runs.saturating_add(tries).saturating_add(self.retried).saturating_mul(2).saturating_add(between)
    }

    /// It stands where somebody saw it who saw so many [`moves`](State::moves). None: wherever it stands.
    pub(super) fn is_at(&self, moves: Option<u32>) -> bool {
        moves.is_none_or(|moves| moves == self.moves())
    }
}

/// Who has ended it, for whoever comes too late. None: it is open.
pub fn over(state: &State, history: &[Entry], asks: Asks<'_>) -> Option<String> {
    let closed_at = state.closed_at?;
    let just = if asks.now.since(closed_at) < JUST_MS { "just " } else { "" };
    let by = state.closed_by.as_deref().unwrap_or("somebody");
    Some(match state.phase {
        Phase::Confirmed => {
            let yes = history.iter().rev().find_map(|entry| match &entry.note {
                Note::Confirmed { name, via, by: took, .. } if name == by => Some((*via, took.as_deref())),
                _ => None,
            });
            match yes {
                Some((Via::Operator, Some(took))) => format!("{} {just}confirmed it for {by}.", has(took, asks)),
                _ => format!("{by} has {just}confirmed it."),
            }
        }
        Phase::ClosedByOperator => format!("{} {just}closed it.", has(by, asks)),
        Phase::Cancelled => format!("{} {just}taken it back.", has(by, asks)),
        Phase::Patched => format!("The caller was put through to {by}: nothing is left to do."),
        Phase::Told | Phase::ReadAtCheckIn => format!("{by} has {just}heard it: nothing is left to do."),
        _ => "It is closed: everything was accepted for delivery.".to_owned(),
    })
}

/// Who has moved it on since it was seen, and where it stands, for whoever acts on a step that is over.
pub fn moved(state: &State, history: &[Entry], asks: Asks<'_>) -> String {
    let enters = |note: &Note| matches!(note, Note::Step { .. } | Note::Again { .. } | Note::Round { .. });
    let since = history.iter().rev().find(|entry| enters(&entry.note)).map(|entry| entry.at);
    let mut late = history.iter().rev().take_while(|entry| since.is_none_or(|since| entry.at >= since));
    let hand = late.find_map(|entry| match &entry.note {
        Note::Skipped { by } => Some(format!("{} skipped it", has(by, asks))),
        Note::Retried { by } => Some(format!("{} had it tried again", has(by, asks))),
        _ => None,
    });
    let hand = hand.unwrap_or_else(|| "It has gone on meanwhile".to_owned());
    format!("{hand}: {}.", stands(state))
}

fn has(who: &str, asks: Asks<'_>) -> String {
    if who == asks.by { "You have".to_owned() } else { format!("{who} has") }
}

fn stands(state: &State) -> String {
    match state.cursor {
        Cursor::In { run } => {
            let step = state.runs.get(run).map_or(1, |run| run.step.saturating_add(1));
            format!("step {step} is running")
        }
        Cursor::Before => "step 1 is about to begin".to_owned(),
        Cursor::Pausing { .. } => "the next round is about to begin".to_owned(),
        Cursor::Done => "the steps have run out".to_owned(),
    }
}
