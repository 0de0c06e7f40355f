//! The contact has rung back and an operator speaks with them: nothing goes out to anybody meanwhile, for some minutes at
//! most.
//!
//! Knows no call: `engine/calls` tells when the talk begins and ends. What always holds: a pause ends by itself; what was due
//! in it is done then; and whatever comes in during it (a reply, a confirmation) counts at once.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::Note;
use super::state::Phase;
use crate::base::clock::UtcMs;

/// The longest a pause may be.
pub const PAUSE_MS: i64 = 5 * 60_000;

/// Why nothing goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The operator.
    pub by: String,
    /// The person who rang back.
    pub who: String,
    pub until: UtcMs,
}

impl Turn<'_> {
    pub(super) fn pause(&mut self, who: &str, by: &str) {
        let goes_on = matches!(self.s.phase, Phase::Open | Phase::Running | Phase::HeldForCheckIn);
        if !goes_on || self.s.paused.is_some() {
            return;
        }
        let (by, who, until) = (by.to_owned(), who.to_owned(), self.now.plus_ms(PAUSE_MS));
        self.record(Some(&who), Note::Paused { by: by.clone(), who: who.clone(), until });
        self.s.paused = Some(Pause { by, who, until });
    }

    /// Goes on, with all that was due meanwhile. False: nothing was paused.
    pub(super) fn resume(&mut self) -> bool {
        let paused = self.s.paused.take().is_some();
        if paused {
            self.record(None, Note::Resumed);
            self.plan_all_again();
        }
        paused
    }

    /// True while it lasts; ends it when it is over.
    pub(super) fn is_paused(&mut self) -> bool {
        let Some(pause) = &self.s.paused else { return false };
        if !self.s.phase.is_open() {
            self.s.paused = None;
            return false;
        }
        if pause.until > self.now {
            return true;
        }
        self.resume();
        false
    }
}
