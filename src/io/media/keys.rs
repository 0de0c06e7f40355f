//! Keys on their way to a leg's far end, one after another: as telephone-event where that was agreed, as tones where
//! it was not. A key that somebody in the call holds lasts as long as it is held, to the sample.
//!
//! Asked once a tick. Always: a key that began ends, also when nobody tells of it any more.

use std::collections::VecDeque;

use crate::domain::call::bridge::KeysBound;
use crate::proto::audio::dtmf::Generator;
use crate::proto::audio::frame::{FRAME, Frame, SILENCE};
use crate::proto::rtp::telephone_event::{Part, Press, PressPacket, is_key};

/// The `*` key as an event (RFC 4733 §3.2).
const STAR: u8 = 10;
/// Keys waiting to be sent.
const MAX_KEYS: usize = 32;
/// How long a key lasts that nobody holds, in samples: 100 ms.
const LENGTH: u32 = 800;
/// The shortest tone: 50 ms, of which any detector hears 40.
const MIN_TONE: u32 = 400;
/// Ticks of silence after a tone, beside the one in which it ended.
const PAUSE: u8 = 2;
/// Ticks after which a held key of which nothing is told any more is over.
const FORGOTTEN: u8 = 50;

/// Whether a telephone-event is of a key that is for us alone.
pub(super) fn binds_event(bound: KeysBound, payload: &[u8]) -> bool {
    match bound {
        KeysBound::None => false,
        KeysBound::Star => payload.first() == Some(&STAR),
        KeysBound::All => true,
    }
}

#[derive(Clone, Copy, Debug)]
struct Key {
    key: char,
    length: u32,
    ended: bool,
    untold: u8,
}

#[derive(Debug)]
enum Form {
    Event(Press),
    Tone { generator: Generator, done: u32 },
}

/// What a tick brings.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one tick; a box would be an allocation")]
pub(super) enum Next {
    Event(PressPacket),
    /// In place of what would be said.
    Tone(Frame),
}

/// The keys of one leg.
#[derive(Debug)]
pub(super) struct Keys {
    waiting: VecDeque<Key>,
    now: Option<(Key, Form)>,
    pause: u8,
}

impl Default for Keys {
    fn default() -> Self {
        Self { waiting: VecDeque::with_capacity(MAX_KEYS), now: None, pause: 0 }
    }
}

impl Keys {
    /// Presses keys, after those still waiting.
    pub(super) fn press(&mut self, keys: impl Iterator<Item = char>) {
        for key in keys.filter(|k| is_key(*k)) {
            self.add(Key { key, length: LENGTH, ended: true, untold: 0 });
        }
    }

    /// Does what somebody's key does.
    pub(super) fn follow(&mut self, part: &Part) {
        let held = self.waiting.back_mut().or_else(|| self.now.as_mut().map(|(key, _)| key)).filter(|key| !key.ended);
        match held {
            Some(held) if !part.begun && held.key == part.key => {
                (held.length, held.ended, held.untold) = (part.length, part.ended, 0);
                return;
            }
            // A new press ends one whose end was never told.
            Some(held) => held.ended = true,
            None => {}
        }
        if part.begun {
            self.add(Key { key: part.key, length: part.length, ended: part.ended, untold: 0 });
        }
    }

    /// True while nothing of a key is to be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.now.is_none() && self.waiting.is_empty() && self.pause == 0
    }

    /// What the next 20 ms bring; `None` leaves them to sound. `begin` gives the timestamp of an event that begins.
    pub(super) fn next(&mut self, events: bool, begin: impl FnOnce() -> u32) -> Option<Next> {
        if self.pause > 0 {
            self.pause -= 1;
            return Some(Next::Tone(SILENCE));
        }
        if self.now.is_none() {
            let key = self.waiting.pop_front()?;
            let form = if events {
                Press::new(key.key, begin()).map(Form::Event)
            } else {
                Generator::new(key.key).map(|generator| Form::Tone { generator, done: 0 })
            };
            self.now = form.map(|form| (key, form));
        }
        let (key, form) = self.now.as_mut()?;
        key.untold = key.untold.saturating_add(1);
        key.ended |= key.untold > FORGOTTEN;
        match form {
            Form::Event(press) => {
                let packet = press.next_packet(key.length, key.ended);
                if packet.is_none() {
                    // A tick of sound between two keys keeps them apart.
                    self.now = None;
                }
                packet.map(Next::Event)
            }
            Form::Tone { generator, done } => {
                let mut frame = generator.frame();
                let left = key.length.max(MIN_TONE).saturating_sub(*done);
                *done += FRAME as u32;
                if key.ended && left <= FRAME as u32 {
                    frame[left as usize..].fill(0);
                    (self.now, self.pause) = (None, PAUSE);
                }
                Some(Next::Tone(frame))
            }
        }
    }

    fn add(&mut self, key: Key) {
        if self.waiting.len() < MAX_KEYS {
            self.waiting.push_back(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::audio::dtmf::Detector;

    fn part(key: char, begun: bool, length: u32, ended: bool) -> Part {
        Part { key, begun, length, ended }
    }

    fn durations(keys: &mut Keys, ticks: usize) -> Vec<(u16, bool)> {
        (0..ticks)
            .filter_map(|_| match keys.next(true, || 0) {
                Some(Next::Event(p)) => {
                    Some((u16::from_be_bytes([p.payload[2], p.payload[3]]), p.payload[1] & 0x80 != 0))
                }
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_held_key_lasts_as_long_as_it_is_held() {
        let mut keys = Keys::default();
        keys.follow(&part('5', true, 160, false));
        let mut sent = Vec::new();
        for n in 2..=100 {
            sent.extend(durations(&mut keys, 1));
            keys.follow(&part('5', false, n * 160, false));
        }
        keys.follow(&part('5', false, 16_077, true));
        sent.extend(durations(&mut keys, 10));
        assert!(sent.windows(2).all(|w| w[1].0 >= w[0].0));
        let ends: Vec<_> = sent.iter().filter(|(_, end)| *end).collect();
        assert_eq!(ends, [&(16_077, true); 3]);
        assert!(keys.is_idle());
    }

    #[test]
    fn a_held_key_nobody_tells_of_any_more_ends() {
        for events in [true, false] {
            let mut keys = Keys::default();
            keys.follow(&part('5', true, 160, false));
            let ticks = (0..200).take_while(|_| {
                keys.next(events, || 0);
                !keys.is_idle()
            });
            assert!((40..80).contains(&ticks.count()));
        }
    }

    #[test]
    fn tones_are_as_long_as_the_keys_and_far_enough_apart_to_be_told() {
        let mut keys = Keys::default();
        keys.press("11".chars());
        keys.follow(&part('9', true, 160, false));
        let (mut detector, mut heard, mut loud) = (Detector::default(), String::new(), 0);
        for tick in 0..60 {
            if tick == 40 {
                keys.follow(&part('9', false, 3_000, true));
            }
            if let Some(Next::Tone(frame)) = keys.next(false, || 0) {
                heard.extend(detector.hear(&frame));
                loud += frame.iter().filter(|s| s.abs() > 100).count();
            }
        }
        assert_eq!(heard, "119");
        // Two of 100 ms, and one held for 26 ticks before its end was told.
        assert!((1_500 + 3_900..1_700 + 4_500).contains(&loud), "{loud}");
        assert!(keys.is_idle());
    }
}
