//! Callers who hung up too early, kept apart by where they were: it says who is to blame, and who is to be rung back.
//!
//! A form that was begun and not finished is the fifth kind; it shows only after the wrap-up, so not here. What always holds:
//! a call is of one kind at most, told once, when the caller goes.

use serde::{Deserialize, Serialize};

use super::Call;
use super::event::{RecordEvent, Stage};

/// Where a caller was who hung up too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Abandoned {
    /// No operator was ever looked for.
    Greeting,
    /// Nobody was free in time, or the caller went back to the queue; also who heard the apology.
    Queue,
    /// An operator had put them on hold.
    Hold,
    /// Parked, for whoever would fetch them.
    Parked,
    /// The call was taken, and its form begun and not finished.
    Form,
}

impl Abandoned {
    /// What it means that the caller goes at this stage, if it means anything.
    pub(super) const fn at(stage: Stage) -> Option<Self> {
        match stage {
            Stage::Arriving | Stage::Greeting | Stage::Menu | Stage::Spilling => Some(Self::Greeting),
            Stage::Queued | Stage::Offered | Stage::Apology => Some(Self::Queue),
            // Music while the operator asks a colleague is a hold too.
            Stage::Held | Stage::Consulting => Some(Self::Hold),
            Stage::Parked => Some(Self::Parked),
            // Who had a voicemail or an announcement in place of a person has had what there is.
            Stage::Voicemail
            | Stage::CheckIn
            | Stage::Announcement
            | Stage::RingingBack
            | Stage::Talking
            | Stage::Patching
            | Stage::Conference
            | Stage::Patched
            | Stage::WrapUp
            | Stage::Ended => None,
        }
    }
}

impl Call {
    /// The caller goes, or was told that nobody is free.
    pub(super) fn note_abandoned(&mut self) {
        let excused = self.callback_asked_for() || self.setup.ring_back.is_some();
        if let Some(on) = Abandoned::at(self.stage_now()).filter(|_| !excused) {
            self.record(RecordEvent::Abandoned { on });
        }
    }
}
