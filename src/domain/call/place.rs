//! The caller's place in the queue, said after the comfort message.
//!
//! What is said of it is decided by the queue. What always holds: it is said in the queue only, and not over other words.

use super::event::RecordEvent;
use super::{Call, Phase};
use crate::domain::account::Speech;
use crate::domain::queue::place::Place;

impl Call {
    pub(super) fn on_place(&mut self, place: Place) {
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
        }
    }
}
