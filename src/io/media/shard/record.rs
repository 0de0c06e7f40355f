//! What a recorded call says, beat by beat, into its tap.
//!
//! The caller's leg has the tap. Its one side is what the caller says, whoever hears it; the other is what is said to
//! the call: everybody else in the caller's bridge whom anybody hears, so not an operator who has the call on hold,
//! nor a supervisor who whispers or whoever is not to be recorded (`off_record`; the caller's own side may be left out by it as
//! well), and every prompt. Not music and not ringing. Keys that are for us alone have been taken out of what a leg says
//! before (`Leg::pull`). Relayed or mixed makes no difference: what legs say is there at each beat.

use super::Shard;
use crate::domain::call::bridge::{KeysBound, Source};
use crate::io::media::MediaEvent;
use crate::proto::audio::frame::SILENCE;

impl Shard {
    /// A beat for each recorded leg that has not had it; before anything is said in it.
    pub(super) fn record_beat(&mut self) {
        for i in 0..self.legs.len() {
            if self.legs[i].tap.is_some() && self.legs[i].beat < Some(self.beat) {
                self.guarded(i, |shard| shard.record_leg(i));
            }
        }
    }

    fn record_leg(&mut self, i: usize) {
        let Some(mut tap) = self.legs[i].tap.take() else { return };
        if tap.wants_sound() {
            self.mix.clear();
            if let Some(words) = self.legs[i].words() {
                self.mix.add(&words);
            }
            for other in &self.plan[i].beside {
                if self.plan[*other].listeners > 0 {
                    self.mix.add(&self.frames[*other]);
                }
                if let Some(words) = self.legs[*other].words() {
                    self.mix.add(&words);
                }
            }
            let said = if self.plan[i].off_record { &SILENCE } else { &self.frames[i] };
            tap.beat(said, &self.mix.frame());
            // Somebody speaks to us alone: whoever waits for the end of it is told.
            if self.legs[i].bound == KeysBound::All
                && let Some(speaks) = self.legs[i].hush.hear(&self.frames[i])
            {
                self.tell(MediaEvent::Voice { leg: self.legs[i].id, speaks });
            }
        } else {
            tap.beat(&SILENCE, &SILENCE);
        }
        self.legs[i].tap = Some(tap);
    }

    /// Who is in a bridge with each leg that is recorded, heard by it or not.
    pub(super) fn plan_recordings(&mut self) {
        for hears in &mut self.plan {
            hears.beside.clear();
            hears.off_record = false;
        }
        if self.legs.iter().all(|leg| leg.tap.is_none()) {
            return;
        }
        for bridge in self.bridges.values() {
            let rows = &bridge.matrix.rows;
            for (leg, _) in rows {
                let Some(at) = self.places.get(leg).filter(|at| self.legs[**at].tap.is_some()) else { continue };
                self.plan[*at].off_record |= bridge.matrix.off_record.contains(leg);
                // Whoever is only heard is in it too.
                let heard = rows.iter().flat_map(|(_, sources)| sources).filter_map(|source| match source {
                    Source::Leg(leg) => Some(leg),
                    Source::Music | Source::Ringback => None,
                });
                for other in rows.iter().map(|(leg, _)| leg).chain(heard) {
                    let beside = &mut self.plan[*at].beside;
                    if bridge.matrix.off_record.contains(other) {
                        continue;
                    }
                    if let Some(other) = self.places.get(other)
                        && other != at
                        && !beside.contains(other)
                    {
                        beside.push(*other);
                    }
                }
            }
        }
    }
}
