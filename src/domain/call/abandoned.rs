//! Callers who hung up too early, kept apart by where they were: it says who is to blame, and who is to be rung back.
//!
//! A form that was begun and not finished shows only after the wrap-up, so it is not told here. What always holds: a call is of one
//! kind at most, told once, when the caller goes.

use serde::{Deserialize, Serialize};

use super::event::{RecordEvent, Stage};
use super::{Call, Phase};

/// How long after their call a lost caller is to be rung back: seven days.
pub const LATELY_MS: i64 = 7 * 86_400_000;

/// Where a caller was who hung up too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Abandoned {
    /// No operator was ever looked for.
    Greeting,
    /// Choosing by keys.
    Menu,
    /// Asked to speak a message, and said nothing.
    Voicemail,
    /// Music, while the client's people or their own number were rung by the account's flow: no operator was ever looked for.
    PutThrough,
    /// They hung up waiting for an operator, be it once more.
    Queue,
    /// They were told that nobody is free, whether they heard it to its end or not.
    NoOperator,
    /// An operator had put them on hold.
    Hold,
    /// Parked, for whoever would fetch them.
    Parked,
    /// The call was taken, and its form begun and not finished.
    Form,
    /// We cut them off: by a crash, a fault or a stop. Found by how the call ended, as nobody was there to tell it; of one who was
    /// joined with another call, and lost their operator there, told by that call.
    CutOff,
}

impl Abandoned {
    /// What it means that the caller goes at this stage, if it means anything.
    pub(super) const fn at(stage: Stage) -> Option<Self> {
        match stage {
            Stage::Arriving | Stage::Greeting => Some(Self::Greeting),
            Stage::Menu => Some(Self::Menu),
            Stage::Voicemail => Some(Self::Voicemail),
            Stage::Reaching | Stage::Spilling => Some(Self::PutThrough),
            Stage::Queued | Stage::Offered => Some(Self::Queue),
            Stage::Apology => Some(Self::NoOperator),
            // Music while the operator asks a colleague is a hold too; and while a contact is dialled, see below.
            Stage::Held | Stage::Consulting | Stage::Patching => Some(Self::Hold),
            Stage::Parked => Some(Self::Parked),
            // Who had an announcement in place of a person, or came to hear messages, has had what there is.
            Stage::CheckIn
            | Stage::Announcement
            | Stage::RingingBack
            | Stage::Talking
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
        // A message that was left is dispatched like any other; whoever has a contact on the line is served, whatever they
        // wait for: one who is still being dialled is nobody yet.
        let has_contact = self.patch.as_ref().is_some_and(|patch| patch.leg.is_up());
        let served = self.voicemail_left || self.is_recalled() || (self.phase == Phase::Patching && has_contact);
        // Who gives up while their own office rings, before we have answered, has not come to us yet.
        let not_ours = self.stage_left() == Stage::Spilling && !self.caller.is_up();
        let excused = self.callback_asked_for() || self.setup.ring_back.is_some() || served || not_ours;
        let on = match Abandoned::at(self.stage_left()) {
            // They had waited for an operator before others were rung for them, or they were asked to speak.
            Some(Abandoned::Greeting | Abandoned::Voicemail | Abandoned::PutThrough) if self.overdue => {
                Some(Abandoned::Queue)
            }
            on => on,
        };
        if let Some(on) = on.filter(|_| !excused) {
            self.record(RecordEvent::Abandoned { on });
        }
    }
}
