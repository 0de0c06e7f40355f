//! Trunks that take calls of ours in, or say nothing to them, and let none ring: a carrier's door whose house is dead. The
//! alarm for them. One call may be given up for reasons of its own, so it takes several in a row.
//!
//! Pure but for the alarm; `out` says what was heard. What always holds: one telephone that is heard of, or one answer
//! about the called party, and it is a good trunk again.

use std::collections::BTreeMap;

use tracing::warn;

use super::Carrier;
use super::alarms::{Alarms, MUTE};
use crate::engine::feed::AlarmLevel;

/// So many calls in a row, and it is not the telephone.
const SEVERAL: u32 = 3;

/// How many calls in a row each trunk left without a word of the telephone.
#[derive(Debug, Default)]
pub(super) struct Mute {
    rows: BTreeMap<usize, u32>,
}

impl Mute {
    /// A call was left, or given up, and had its time.
    pub(super) fn unheard(&mut self, trunk: usize) {
        let row = self.rows.entry(trunk).or_default();
        *row = row.saturating_add(1);
    }

    /// The telephone was heard of.
    pub(super) fn heard(&mut self, trunk: usize) {
        self.rows.remove(&trunk);
    }

    /// Somebody has seen to it: it is looked at anew.
    pub(super) fn seen_to(&mut self) {
        self.rows.clear();
    }

    /// Says over which trunks nothing rings now.
    pub(super) fn tell(&self, carriers: &[Carrier], alarms: &Alarms) {
        let mute = self.rows.iter().filter(|(_, row)| **row >= SEVERAL);
        let names: Vec<&str> = mute.filter_map(|(trunk, _)| Some(carriers.get(*trunk)?.name.as_str())).collect();
        if names.is_empty() {
            return alarms.take_back(MUTE);
        }
        let all = names.len() == carriers.len();
        let level = if all { AlarmLevel::Critical } else { AlarmLevel::Warning };
        let others =
            if all { "No other trunk is left" } else { "Each such call loses time before it is tried over another" };
        let names = names.join(", ");
        let words = format!(
            "Calls out over {names} do not ring: the carrier takes them, or says nothing, and no telephone is heard \
             of. {others}. Call the carrier."
        );
        if alarms.raise(MUTE, level, words) {
            warn!(
                trunks = names,
                calls = SEVERAL,
                "so many calls out in a row did not ring over a trunk: ask its carrier why"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::clock::{SharedClock, TestClock, UtcMs};
    use crate::engine::feed::Feed;

    #[test]
    fn three_calls_in_a_row_without_a_word_alarm_and_one_that_rings_ends_it() {
        let clock: SharedClock = Arc::new(TestClock::at(UtcMs(0)));
        let alarms = Alarms::new(Feed::default(), clock);
        let carriers =
            ["one", "two"].map(|name| Carrier::new(name, format!("{name}.example").parse().expect("a target")));
        let mut mute = Mute::default();
        let mut standing = |change: &dyn Fn(&mut Mute)| {
            change(&mut mute);
            mute.tell(&carriers, &alarms);
            alarms.list().into_iter().map(|alarm| alarm.level).next()
        };
        let unheard: &dyn Fn(&mut Mute) = &|mute| mute.unheard(0);
        let heard: &dyn Fn(&mut Mute) = &|mute| mute.heard(0);
        assert_eq!([unheard, unheard, heard, unheard, unheard].map(&mut standing), [None; 5], "one rang between them");
        assert_eq!(standing(unheard), Some(AlarmLevel::Warning));
        assert_eq!(standing(&|mute| (0..3).for_each(|_| mute.unheard(1))), Some(AlarmLevel::Critical));
        assert_eq!(standing(&Mute::seen_to), None);
        assert_eq!(standing(unheard), None, "it is looked at anew");
    }
}
