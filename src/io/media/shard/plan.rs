//! Who hears whom, worked out anew when legs, bridges or prompts have changed; and which two are relayed.

use super::{Leg, Shard};
use crate::domain::call::bridge::{KeysBound, LegId, Source};

/// What one leg hears, by places in the shard's list of legs.
#[derive(Debug, Default)]
pub(super) struct Hears {
    pub(super) legs: Vec<usize>,
    pub(super) music: bool,
    pub(super) ringback: bool,
    /// How many legs hear this one.
    pub(super) listeners: usize,
    /// Who else is in its bridge, if it is recorded.
    pub(super) beside: Vec<usize>,
    /// What it says itself is left out of its recording.
    pub(super) off_record: bool,
    /// The leg to which this one's packets go on directly.
    pub(super) relay_to: Option<usize>,
    /// Its own far end gets another leg's packets directly.
    pub(super) relayed: bool,
}

impl Shard {
    /// Works out anew who hears whom and which pairs are relayed.
    pub(super) fn replan(&mut self) {
        if !self.stale {
            return;
        }
        self.stale = false;
        #[cfg(test)]
        if let Some(left) = self.faults.checked_sub(1) {
            self.faults = left;
            panic!("a fault was asked for");
        }
        self.plan.resize_with(self.legs.len(), Hears::default);
        for hears in &mut self.plan {
            hears.legs.clear();
            (hears.music, hears.ringback, hears.relay_to, hears.relayed) = (false, false, None, false);
            hears.listeners = 0;
        }
        let place = |id: LegId| self.places.get(&id).copied();
        for (leg, sources) in self.bridges.values().flat_map(|bridge| &bridge.matrix.rows) {
            let Some(at) = place(*leg) else { continue };
            let hears = &mut self.plan[at];
            for source in sources {
                match source {
                    Source::Music => hears.music = true,
                    Source::Ringback => hears.ringback = true,
                    Source::Leg(other) => {
                        if let Some(other) = place(*other)
                            && !hears.legs.contains(&other)
                        {
                            hears.legs.push(other);
                        }
                    }
                }
            }
        }
        for i in 0..self.legs.len() {
            for n in 0..self.plan[i].legs.len() {
                let heard = self.plan[i].legs[n];
                self.plan[heard].listeners += 1;
            }
        }
        self.plan_recordings();
        for i in 0..self.legs.len() {
            if let Some(j) = self.relays_with(i) {
                self.plan[i].relay_to = Some(j);
                self.plan[i].relayed = true;
            }
        }
    }

    /// The one leg that `i` hears and is heard by, if the two can be relayed.
    fn relays_with(&self, i: usize) -> Option<usize> {
        let only = |a: usize| match self.plan[a].legs[..] {
            [b] if b != a && !self.plan[a].music && !self.plan[a].ringback => Some(b),
            _ => None,
        };
        let j = only(i).filter(|j| only(*j) == Some(i))?;
        let listeners = |a: usize| self.plan[a].listeners;
        let (a, b) = (&self.legs[i], &self.legs[j]);
        let (one, two) = (a.agreed?, b.agreed?);
        let alike = one.codec == two.codec
            && one.samples == two.samples
            && one.comfort_noise == two.comfort_noise
            && one.telephone_event.is_some() == two.telephone_event.is_some();
        // Tones that are for us alone can be taken out of sound that is mixed, not out of packets.
        let ours = |leg: &Leg| leg.bound == KeysBound::All && leg.keys_in_band();
        let plain = |leg: &Leg| !leg.is_playing() && !leg.is_pressing() && !ours(leg);
        (alike && plain(a) && plain(b) && listeners(i) == 1 && listeners(j) == 1).then_some(j)
    }
}
