//! What comes again and again about one attempt: its mail server that is still trying, a person who says once more what they said.
//!
//! The first times are lines of the history, and are answered; the rest is counted, and shown as one line. What always holds: however
//! long a night and whatever goes in a circle in it, lines and answers are few, and how often, since when and when last is known.

use serde::{Deserialize, Serialize};

use super::event::{Entry, Note};
use super::state::State;
use crate::base::clock::UtcMs;

/// So many times are lines of their own.
pub const LINES: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurring {
    pub times: u32,
    pub first: UtcMs,
    pub last: UtcMs,
}

impl Recurring {
    /// It is there once more. Says whether that is a line of its own.
    pub(super) fn count(counted: &mut Option<Self>, now: UtcMs) -> bool {
        let counted = counted.get_or_insert(Self { times: 0, first: now, last: now });
        counted.times = counted.times.saturating_add(1);
        counted.last = now;
        counted.times <= LINES
    }

    fn is_more_than_its_lines(self) -> bool {
        self.times > LINES
    }
}

/// A history with a line for whatever came oftener than it was written down, where it came last.
pub fn with_counted(history: &[Entry], state: &State) -> Vec<Entry> {
    let mut all = history.to_vec();
    for a in &state.attempts {
        let (name, who) = (|| a.name.clone(), Some(a.name.clone()));
        if let Some(Recurring { times, first, last }) = a.delayed.filter(|counted| counted.is_more_than_its_lines()) {
            all.push(Entry {
                at: last,
                who: who.clone(),
                note: Note::DelayedOften { name: name(), times, since: first },
            });
        }
        if let Some(Recurring { times, first, last }) = a.repeated.filter(|counted| counted.is_more_than_its_lines()) {
            all.push(Entry { at: last, who, note: Note::RepeatedOften { name: name(), times, since: first } });
        }
    }
    // Stable: what was written at the same moment stays in its order.
    all.sort_by_key(|entry| entry.at);
    all
}
