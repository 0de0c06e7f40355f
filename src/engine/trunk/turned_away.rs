//! Callers who are turned away for want of room: too many at once for this machine, or all channels of their trunk in use.
//! Told on every desk while it lasts and for a minute after. Who they were is not known: a refusal keeps nothing. Pure;
//! `run` notes each, and raises and takes back the alarms.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// More calls than this machine can answer.
pub const TOO_MANY: &str = "callers_turned_away";
/// All channels of a trunk in use.
pub const FULL: &str = "trunks_full";

/// How long after the last one it is told.
const TOLD_FOR: Duration = Duration::from_secs(60);

const TOO_MANY_WORDS: &str = "Callers are being turned away: more calls come in at once than can be answered here. Their \
                              carriers were told to try again, or elsewhere.";

/// Who was turned away of late.
#[derive(Debug, Default)]
pub struct TurnedAway {
    too_many: Option<Instant>,
    /// By trunk.
    full: BTreeMap<usize, Instant>,
}

impl TurnedAway {
    /// A caller was one too many.
    pub const fn too_many(&mut self, now: Instant) {
        self.too_many = Some(now);
    }

    /// A caller came in over a trunk whose channels are all in use.
    pub fn full(&mut self, now: Instant, trunk: usize) {
        self.full.insert(trunk, now);
    }

    /// What is to be told now: each alarm and its words, none if it is over. `name_of` a trunk.
    pub fn words<'a>(
        &mut self,
        now: Instant,
        name_of: impl Fn(usize) -> &'a str,
    ) -> [(&'static str, Option<String>); 2] {
        let lasts = |at: &Instant| now.saturating_duration_since(*at) < TOLD_FOR;
        self.too_many = self.too_many.filter(lasts);
        self.full.retain(|_, at| lasts(at));
        let names: Vec<&str> = self.full.keys().map(|trunk| name_of(*trunk)).collect();
        let full = (!names.is_empty()).then(|| {
            format!(
                "Callers are being turned away: all channels of {} are in use. If the carrier allows for more, raise \
                 `channels` in its file.",
                names.join(", ")
            )
        });
        [(TOO_MANY, self.too_many.map(|_| TOO_MANY_WORDS.to_owned())), (FULL, full)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn it_is_told_while_callers_are_turned_away_and_for_a_minute_after() {
        let clock = TestClock::at(UtcMs(0));
        let mut turned_away = TurnedAway::default();
        let told = |turned_away: &mut TurnedAway| {
            turned_away.words(clock.instant(), |trunk| ["north", "south"][trunk]).map(|(_, words)| words)
        };
        assert_eq!(told(&mut turned_away), [None, None]);
        turned_away.too_many(clock.instant());
        turned_away.full(clock.instant(), 1);
        clock.advance(Duration::from_secs(30));
        turned_away.full(clock.instant(), 0);
        let [too_many, full] = told(&mut turned_away);
        assert!(too_many.is_some_and(|words| words.contains("at once")));
        assert!(full.is_some_and(|words| words.contains("of north, south are in use")));
        clock.advance(Duration::from_secs(30));
        let [too_many, full] = told(&mut turned_away);
        assert_eq!(too_many, None);
        assert!(full.is_some_and(|words| words.contains("of north are in use")));
        clock.advance(Duration::from_secs(30));
        assert_eq!(told(&mut turned_away), [None, None]);
    }
}
