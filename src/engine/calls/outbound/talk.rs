//! Who is called, and the caller whom they asked for: who hears whom as their talk comes about.
//!
//! Decides nothing; the machine says when each is dialled and let go. What always holds: in a talk `*` is for us alone.

use super::OutTask;
use crate::domain::call::bridge::{HearMatrix, KeysBound, Source};
use crate::domain::call::outbound::Hears;

impl OutTask {
    /// Puts in force who hears whom. In a talk, `*` is for us alone.
    pub(super) fn hear(&mut self, hears: Hears) {
        let alone = HearMatrix::default().with(self.leg, &[]);
        let matrix = match (hears, self.caller_leg) {
            (Hears::Ringback, _) => HearMatrix::default().with(self.leg, &[Source::Ringback]),
            (Hears::Early, Some(caller)) => {
                HearMatrix::default().with(self.leg, &[Source::Leg(caller)]).with(caller, &[])
            }
            (Hears::Each, Some(caller)) => HearMatrix::conference(&[self.leg, caller]),
            (Hears::Alone | Hears::Early | Hears::Each, _) => alone,
        };
        let bound = if hears == Hears::Each { KeysBound::Star } else { KeysBound::None };
        self.calls.wiring.media.bind_keys(self.leg, bound);
        self.rev += 1;
        self.mixer.set(self.rev, matrix);
    }
}
