//! One call out over several ways: which is tried, when it is given up, and what the caller's side is told in the end.
//!
//! The next way is tried when one is broken: 503 and its kin, a lost connection, silence, or a carrier that does not take
//! our calls, or not as we offer them ([`Blame`]); and where a carrier's door says 100 and nothing comes from behind it
//! ([`TRYING`]). Answers about the called party (busy, declined, no such number) end the hunt: they would be the
//! same everywhere. Driven by `engine/trunk`,
//! which cancels what is left ([`HuntOutput::Leave`]) and makes the next attempt. What always holds: ways are tried
//! in order and each once; the last one is never left for its silence, and is tried within [`SILENCE`] if all before
//! it are silent.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long all silent ways together may hold a call up.
pub const SILENCE: Duration = Duration::from_secs(2);
/// How long a way that has said 100, and so that it is there, has for a word of the telephone itself.
pub const TRYING: Duration = Duration::from_secs(8);
/// Ways one call tries at most: the patience for each gets too short otherwise.
pub const MAX_WAYS: usize = 4;

/// What happens to a hunt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HuntInput {
    /// A provisional answer on the way tried now, 100 included. `described`: it brought audio.
    Progress { status: u16, described: bool },
    /// The telephone tried now has said that it is there, by 100: nothing stands between it and us.
    Spoke,
    /// It was refused, timed out (408) or lost its connection (503).
    Refused { status: u16 },
    /// The way after the one tried now is none any more; the places of those behind it move up.
    Gone,
    /// The time of [`Hunt::poll_timeout`] has come.
    Timeout,
}

/// What a hunt wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HuntOutput {
    /// The attempt under way is given up: whatever it still brings is cancelled or hung up.
    Leave,
    /// Try the way of this place.
    Try(usize),
    /// This is what came of it.
    Over { status: u16 },
}

/// What has been heard of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Nothing,
    /// 100: somebody has the call, and has not passed it on yet as far as is known.
    Trying,
    /// Any other provisional answer: it comes from where the telephone is.
    Word,
}

/// One call's hunt, until it is answered.
#[derive(Debug)]
pub struct Hunt {
    ways: usize,
    at: usize,
    patience: Duration,
    give_up_at: Option<Instant>,
    /// When the way tried now was begun with.
    tried_at: Instant,
    /// The furthest that the way tried now has come.
    heard: Heard,
    /// The called party was alerted.
    rang: bool,
    outputs: VecDeque<HuntOutput>,
}

impl Hunt {
    /// Begins with the first of `ways`.
    pub fn new(now: Instant, ways: usize) -> Self {
        let ways = ways.clamp(1, MAX_WAYS);
        let patience = SILENCE / u32::try_from(ways.saturating_sub(1).max(1)).unwrap_or(1);
        let (tried_at, heard, outputs) = (now, Heard::Nothing, VecDeque::new());
        let mut hunt = Self { ways, at: 0, patience, give_up_at: None, tried_at, heard, rang: false, outputs };
        hunt.start(now);
        hunt
    }

    fn start(&mut self, now: Instant) {
        (self.tried_at, self.heard) = (now, Heard::Nothing);
        self.give_up_at = (self.at + 1 < self.ways).then(|| now + self.patience);
        self.outputs.push_back(HuntOutput::Try(self.at));
    }

    pub fn handle(&mut self, now: Instant, input: HuntInput) {
        match input {
            HuntInput::Progress { status, described } => {
                self.hears(now, if status == 100 { Heard::Trying } else { Heard::Word });
                // Many carriers ring by 183 with audio, and never say 180.
                self.rang |= status == 180 || described;
            }
            HuntInput::Spoke => self.hears(now, Heard::Word),
            HuntInput::Refused { status } => {
                self.give_up_at = None;
                if self.at + 1 < self.ways && !self.rang && blame(status) != Blame::CalledParty {
                    self.next(now);
                } else {
                    self.outputs.push_back(HuntOutput::Over { status });
                }
            }
            HuntInput::Gone => {
                self.ways = (self.ways - 1).max(self.at + 1);
                // The last one is never left for its silence.
                self.give_up_at = self.give_up_at.filter(|_| self.at + 1 < self.ways);
            }
            HuntInput::Timeout if self.give_up_at.is_some_and(|at| at <= now) => {
                self.outputs.push_back(HuntOutput::Leave);
                self.next(now);
            }
            HuntInput::Timeout => {}
        }
    }

    fn hears(&mut self, now: Instant, heard: Heard) {
        if heard > self.heard {
            self.heard = heard;
            let waits = heard == Heard::Trying && self.at + 1 < self.ways;
            self.give_up_at = waits.then(|| now + TRYING);
        }
    }

    fn next(&mut self, now: Instant) {
        self.at += 1;
        self.start(now);
    }

    pub fn poll_output(&mut self) -> Option<HuntOutput> {
        self.outputs.pop_front()
    }

    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.give_up_at
    }

    /// The way tried now.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The telephone was heard of, by the way tried now.
    pub fn has_word(&self) -> bool {
        self.heard == Heard::Word
    }

    /// The way tried now has had all the time that a way gets, and the telephone was not heard of.
    pub fn is_mute(&self, now: Instant) -> bool {
        let had = match self.heard {
            Heard::Nothing => SILENCE,
            Heard::Trying => TRYING,
            Heard::Word => return false,
        };
        now.saturating_duration_since(self.tried_at) >= had
    }
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The way, or what it can do with a call like ours: another may do better.
    Way,
    /// Us, as that carrier knows us: a wrong login, an account that is suspended. Another may do better.
    Account,
    /// 403: us, or this number as that carrier sees it.
    AccountOrNumber,
    /// What we offer, or where that carrier would rather have us ask: another trunk's terms differ.
    Terms,
    /// The called party: it would be the same everywhere.
    CalledParty,
}

/// What an answer of this status is about.
pub const fn blame(status: u16) -> Blame {
    match status {
        // 505, 513, 580: what that carrier's gear cannot do, not what nobody can (RFC 3261 §21.5, RFC 3312 §8).
        408 | 500..=505 | 513 | 580 => Blame::Way,
        401 | 402 | 407 => Blame::Account,
        403 => Blame::AccountOrNumber,
        // Redirections are not followed: they may name anybody.
        300..=399 | 415 | 488 | 606 => Blame::Terms,
        _ => Blame::CalledParty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};
    use crate::base::rng::Rng;

    fn start() -> Instant {
        TestClock::at(UtcMs(0)).instant()
    }

    fn drain(hunt: &mut Hunt) -> Vec<HuntOutput> {
        std::iter::from_fn(|| hunt.poll_output()).collect()
    }

    #[test]
    fn a_broken_way_is_followed_by_the_next_and_the_last_ones_word_counts() {
        for status in [401, 402, 403, 407, 408, 500, 501, 502, 503, 504, 505, 513, 580] {
            let (now, mut hunt) = (start(), Hunt::new(start(), 2));
            assert_eq!(drain(&mut hunt), [HuntOutput::Try(0)]);
            hunt.handle(now, HuntInput::Progress { status: 100, described: false });
            hunt.handle(now, HuntInput::Refused { status });
            assert_eq!(drain(&mut hunt), [HuntOutput::Try(1)], "{status}");
            hunt.handle(now, HuntInput::Refused { status: 503 });
            assert_eq!(drain(&mut hunt), [HuntOutput::Over { status: 503 }]);
        }
    }

    #[test]
    fn an_answer_about_the_called_party_ends_the_hunt() {
        for status in [404, 410, 480, 484, 486, 487, 600, 603, 604, 607, 608] {
            let mut hunt = Hunt::new(start(), 3);
            hunt.handle(start(), HuntInput::Refused { status });
            assert_eq!(drain(&mut hunt), [HuntOutput::Try(0), HuntOutput::Over { status }]);
        }
    }

    #[test]
    fn what_a_carrier_does_not_take_of_our_offer_another_may() {
        for status in [300, 302, 380, 415, 488, 606] {
            let mut hunt = Hunt::new(start(), 2);
            hunt.handle(start(), HuntInput::Refused { status });
            assert_eq!(drain(&mut hunt), [HuntOutput::Try(0), HuntOutput::Try(1)], "{status}");
            hunt.handle(start(), HuntInput::Refused { status });
            assert_eq!(drain(&mut hunt), [HuntOutput::Over { status }]);
        }
    }

    #[test]
    fn a_telephone_that_rang_is_not_rung_by_another_way() {
        for (status, described) in [(180, false), (180, true), (183, true)] {
            let mut hunt = Hunt::new(start(), 2);
            hunt.handle(start(), HuntInput::Progress { status, described });
            hunt.handle(start(), HuntInput::Refused { status: 503 });
            assert_eq!(drain(&mut hunt), [HuntOutput::Try(0), HuntOutput::Over { status: 503 }], "{status}");
        }
        let mut hunt = Hunt::new(start(), 2);
        hunt.handle(start(), HuntInput::Progress { status: 183, described: false });
        hunt.handle(start(), HuntInput::Refused { status: 503 });
        assert_eq!(drain(&mut hunt), [HuntOutput::Try(0), HuntOutput::Try(1)], "a 183 alone alerts nobody");
    }

    #[test]
    fn silent_ways_hold_a_call_up_two_seconds_in_all() {
        for ways in 2..=MAX_WAYS {
            let mut hunt = Hunt::new(start(), ways);
            let mut now = start();
            while let Some(at) = hunt.poll_timeout() {
                now = at;
                hunt.handle(now, HuntInput::Timeout);
            }
            let held_up = now - start();
            assert!(held_up <= SILENCE && held_up > SILENCE - Duration::from_millis(1), "{ways}: {held_up:?}");
            assert_eq!(hunt.at(), ways - 1);
            let outputs = drain(&mut hunt);
            assert_eq!(outputs.iter().filter(|o| **o == HuntOutput::Leave).count(), ways - 1);
            assert_eq!(outputs.iter().filter(|o| matches!(o, HuntOutput::Try(_))).count(), ways);
        }
    }

    #[test]
    fn one_word_of_the_telephone_itself_and_the_way_is_kept() {
        for status in [180, 181, 182, 183] {
            let mut hunt = Hunt::new(start(), 2);
            let at = hunt.poll_timeout().expect("it has patience");
            hunt.handle(start(), HuntInput::Progress { status: 100, described: false });
            hunt.handle(start(), HuntInput::Progress { status, described: false });
            assert_eq!(hunt.poll_timeout(), None);
            hunt.handle(at, HuntInput::Timeout);
            hunt.handle(at, HuntInput::Progress { status: 100, described: false });
            assert_eq!(hunt.poll_timeout(), None, "a 100 that comes late changes nothing");
            assert_eq!(drain(&mut hunt), [HuntOutput::Try(0)], "nor does a timer that fires late");
        }
        let mut hunt = Hunt::new(start(), 2);
        hunt.handle(start(), HuntInput::Spoke);
        assert_eq!(hunt.poll_timeout(), None, "a telephone's own 100 is a word of it");
    }

    #[test]
    fn trying_and_nothing_after_is_left_for_the_next_way_after_eight_seconds() {
        let began = start();
        let mut hunt = Hunt::new(began, 2);
        let silent = hunt.poll_timeout().expect("it has patience");
        hunt.handle(began, HuntInput::Progress { status: 100, described: false });
        hunt.handle(silent, HuntInput::Timeout);
        assert_eq!(drain(&mut hunt), [HuntOutput::Try(0)], "it has said something");
        let at = hunt.poll_timeout().expect("and yet not enough");
        assert_eq!(at - began, Duration::from_secs(8));
        // Said again and again, it buys no time.
        hunt.handle(at - Duration::from_secs(1), HuntInput::Progress { status: 100, described: false });
        hunt.handle(at, HuntInput::Timeout);
        assert_eq!(drain(&mut hunt), [HuntOutput::Leave, HuntOutput::Try(1)]);
        hunt.handle(at, HuntInput::Progress { status: 100, described: false });
        assert_eq!(hunt.poll_timeout(), None, "there is no other");
    }

    #[test]
    fn whatever_happens_each_way_is_tried_once_in_order_and_the_end_is_told_once() {
        const STATUSES: [u16; 10] = [100, 180, 183, 408, 486, 488, 500, 503, 504, 603];
        for seed in 0..2_000 {
            let mut rng = Rng::seeded(seed);
            let ways = 1 + usize::try_from(rng.below(4)).expect("small");
            let (mut now, mut hunt) = (start(), Hunt::new(start(), ways));
            let (mut tried, mut left, mut over, mut rang) = (Vec::new(), 0, 0, false);
            for _ in 0..40 {
                for output in drain(&mut hunt) {
                    match output {
                        HuntOutput::Try(at) => tried.push(at),
                        HuntOutput::Leave => left += 1,
                        HuntOutput::Over { .. } => over += 1,
                    }
                    assert!(over == 0 || !matches!(output, HuntOutput::Try(_)), "{seed}: tried after the end");
                }
                if over > 0 {
                    break;
                }
                let before = tried.len();
                now += Duration::from_millis(rng.below(900));
                let status = STATUSES[usize::try_from(rng.below(10)).expect("small")];
                match rng.below(3) {
                    0 => hunt.handle(now, HuntInput::Timeout),
                    _ if status < 200 => {
                        let described = status > 100 && rng.below(2) == 0;
                        rang |= status == 180 || described;
                        hunt.handle(now, HuntInput::Progress { status, described });
                    }
                    _ => hunt.handle(now, HuntInput::Refused { status }),
                }
                assert!(!rang || hunt.at() + 1 == before, "{seed}: another way after it rang");
            }
            assert_eq!(tried, (0..tried.len()).collect::<Vec<_>>(), "{seed}");
            assert!(tried.len() <= ways && left < tried.len() && over <= 1, "{seed}");
        }
    }

    #[test]
    fn a_silent_way_is_kept_when_those_after_it_are_gone() {
        let mut hunt = Hunt::new(start(), 3);
        let at = hunt.poll_timeout().expect("it has patience");
        hunt.handle(at, HuntInput::Gone);
        assert_eq!(hunt.poll_timeout(), Some(at), "one is left");
        hunt.handle(at, HuntInput::Gone);
        hunt.handle(at, HuntInput::Timeout);
        assert_eq!((hunt.poll_timeout(), drain(&mut hunt)), (None, vec![HuntOutput::Try(0)]));
        hunt.handle(at, HuntInput::Refused { status: 503 });
        assert_eq!(drain(&mut hunt), [HuntOutput::Over { status: 503 }]);
    }

    #[test]
    fn the_only_way_is_never_left() {
        let mut hunt = Hunt::new(start(), 1);
        assert_eq!(hunt.poll_timeout(), None);
        assert_eq!(drain(&mut hunt), [HuntOutput::Try(0)]);
    }
}
