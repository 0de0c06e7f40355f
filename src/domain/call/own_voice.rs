//! An operator's own voice: her recording of the account's answer phrase, which the caller, and she, hear the moment she takes
//! the call, so that the sixtieth caller of a night is greeted as the first was.
//!
//! What always holds: it plays once in a call, to a caller nobody has spoken with yet, never over the words about a recording,
//! and to neither of them once anything else is done; a key of hers ends it.

use super::bridge::LegId;
use super::event::RecordEvent;
use super::{Call, Output, Phase};
use crate::base::id::UserId;

/// What plays, to each of the two.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnVoice {
    to_caller: u64,
    to_operator: (LegId, u64),
}

impl Call {
    /// She is there, and the first who is.
    pub(super) fn say_own_phrase(&mut self, user: &UserId) {
        let first = !std::mem::replace(&mut self.answered_before, true);
        let free =
            self.phase == Phase::Talking && !self.is_announcing() && self.joined.is_none() && self.playing.is_none();
        let Some(leg) = self.operator.as_ref().map(|operator| operator.leg.id) else { return };
        let phrase = self.setup.phrases.iter().find(|(of, _)| of == user);
        let Some(speech) = phrase.map(|(_, speech)| speech.clone()).filter(|_| first && free) else { return };
        self.record(RecordEvent::OwnPhrasePlayed { user: user.clone() });
        self.play_to_caller(speech.clone());
        let (Some(to_caller), play) = (self.playing, self.next_play()) else { return };
        self.outputs.push_back(Output::Play { leg, play, speech });
        self.own_voice = Some(OwnVoice { to_caller, to_operator: (leg, play) });
    }

    /// She would rather speak herself.
    pub(super) fn stop_own_phrase(&mut self) {
        let Some(OwnVoice { to_caller, to_operator: (leg, play) }) = self.own_voice.take() else { return };
        if self.playing == Some(to_caller) {
            self.stop_play();
        }
        // Her leg may be another's by now, or gone, and hears nothing more of it by that.
        if self.operator.as_ref().is_some_and(|operator| operator.leg.id == leg) {
            self.outputs.push_back(Output::StopPlay { leg, play });
        }
    }

    /// After every input: where the caller hears it no longer, or something else is done, she does not either.
    pub(super) fn settle_own_phrase(&mut self) {
        let over = |own: OwnVoice| self.phase != Phase::Talking || self.playing != Some(own.to_caller);
        if self.own_voice.is_some_and(over) {
            self.stop_own_phrase();
        }
    }
}
