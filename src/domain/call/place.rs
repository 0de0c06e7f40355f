//! The caller's place in the queue, said after the comfort message.
//!
//! What is said of it is decided by the queue. What always holds: it is said in the queue only, and not over other words, nor
//! twice running: what comes while it is being said is let pass, as the comfort message is that it came with.

use super::event::RecordEvent;
use super::{Call, Phase};
use crate::domain::account::Speech;
use crate::domain::queue::place::Place;

impl Call {
    pub(super) fn on_place(&mut self, place: Place) {
        if self.playing.is_some() && self.playing == self.saying_place {
            return;
        }
        self.place = Some(place);
        if self.playing.is_none() {
            self.say_place();
        }
    }

    /// Whatever played is over.
    pub(super) fn say_place(&mut self) {
        // Once an operator's phone rings they are a moment away, whatever was true before.
        if let Some(Place { position, minutes }) = self.place.take()
            && self.phase == Phase::Queued
            && !self.is_recalled()
            && self.caller.is_up()
        {
            self.record(RecordEvent::PlaceTold { position, minutes });
            self.play_to_caller(Speech::Spoken { text: Place { position, minutes }.words() });
            self.saying_place = self.playing;
        }
    }
}
