//! Callers who are turned away for want of room: too many at once for this machine, or all channels of their trunk in use.
//! Told on every desk while it lasts and for a minute after. Who they were is not known: a refusal keeps nothing. Pure;
//! `run` notes each, and raises and takes back the alarms.

use std::collections::{BTreeMap, VecDeque};
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
    /// By trunk, and how many so far.
    full: BTreeMap<usize, (Instant, u32)>,
    /// Trunks where it is over, and how many there were.
    over: VecDeque<(usize, u32)>,
}

impl TurnedAway {
    /// A caller was one too many. True for the first.
    pub const fn too_many(&mut self, now: Instant) -> bool {
        self.too_many.replace(now).is_none()
    }

    /// A caller came in over a trunk whose channels are all in use. True for the first.
    pub fn full(&mut self, now: Instant, trunk: usize) -> bool {
        let (at, count) = self.full.entry(trunk).or_insert((now, 0));
        *at = now;
        *count += 1;
        *count == 1
    }

    /// A trunk that turns nobody away any more, and how many it did.
    pub fn poll_over(&mut self) -> Option<(usize, u32)> {
        self.over.pop_front()
    }

    /// What is to be told now: each alarm and its words, none if it is over. `name_of` a trunk.
    pub fn words<'a>(
        &mut self,
        now: Instant,
        name_of: impl Fn(usize) -> &'a str,
    ) -> [(&'static str, Option<String>); 2] {
        let lasts = |at: &Instant| now.saturating_duration_since(*at) < TOLD_FOR;
        self.too_many = self.too_many.filter(lasts);
        self.over.extend(self.full.extract_if(.., |_, (at, _)| !lasts(at)).map(|(trunk, (_, count))| (trunk, count)));
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
        assert!(turned_away.too_many(clock.instant()) && !turned_away.too_many(clock.instant()));
        assert!(turned_away.full(clock.instant(), 1));
        clock.advance(Duration::from_secs(30));
        assert!(turned_away.full(clock.instant(), 0) && !turned_away.full(clock.instant(), 0));
        let [too_many, full] = told(&mut turned_away);
        assert!(too_many.is_some_and(|words| words.contains("at once")));
        assert!(full.is_some_and(|words| words.contains("of north, south are in use")));
        clock.advance(Duration::from_secs(30));
        let [too_many, full] = told(&mut turned_away);
        assert_eq!(too_many, None);
        assert!(full.is_some_and(|words| words.contains("of north are in use")));
        assert_eq!(turned_away.poll_over(), Some((1, 1)));
        clock.advance(Duration::from_secs(30));
        assert_eq!(told(&mut turned_away), [None, None]);
        assert_eq!((turned_away.poll_over(), turned_away.poll_over()), (Some((0, 2)), None));
    }
}
