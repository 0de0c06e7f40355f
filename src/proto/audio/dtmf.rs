//! Keys as pairs of tones (ITU-T Q.23): a generator, and a detector (Q.24) for far ends that send no
//! telephone-event.
//!
//! The detector listens in blocks of 12.75 ms: a key of 40 ms holds two whole ones, a pause of 40 ms spoils three.
//! A key is two tones that make up nearly all of the sound, neither of them drowned by the other, without the
//! overtones of a voice. Allocates nothing.

use std::f64::consts::TAU;

use super::frame::{FRAME, Frame, RATE, SILENCE};

const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Peak of each of the two tones that we make.
const PEAK: f64 = 6_000.0;

/// Makes a key's tones for as long as they are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    tones: [(f64, f64, f64); 2],
}

impl Generator {
    /// The tones of `key`; `None` if it is no key.
    pub fn new(key: char) -> Option<Self> {
        let (row, column) =
            KEYS.iter().enumerate().find_map(|(r, keys)| Some((r, keys.iter().position(|k| *k == key)?)))?;
        let tone = |hz: f64| {
            let step = TAU * hz / f64::from(RATE);
            // Two samples before the first, from which each next follows.
            (2.0 * step.cos(), PEAK * -step.sin(), PEAK * -(2.0 * step).sin())
        };
        Some(Self { tones: [tone(LOW[row]), tone(HIGH[column])] })
    }

    /// The next 20 ms.
    pub fn frame(&mut self) -> Frame {
        let mut frame = SILENCE;
        for sample in &mut frame {
            let mut sum = 0.0;
            for (coefficient, one, two) in &mut self.tones {
                let next = *coefficient * *one - *two;
                (*two, *one) = (*one, next);
                sum += next;
            }
            *sample = sum as i16;
        }
        frame
    }
}

/// `samples` samples of a key's two tones; `None` if it is no key.
pub fn tones(key: char, samples: usize) -> Option<Vec<i16>> {
    let mut generator = Generator::new(key)?;
    let mut sound: Vec<i16> = (0..samples.div_ceil(FRAME)).flat_map(|_| generator.frame()).collect();
    sound.truncate(samples);
    Some(sound)
}

/// Samples listened to at a time.
const BLOCK: usize = 102;
/// Blocks in a row that must hold a key, and that must not for it to have ended.
const HITS: u8 = 2;
const MISSES: u8 = 3;
/// Below this mean square there is nothing to hear: -43 dBm0.
const FLOOR: f32 = 150.0 * 150.0;
/// How much stronger one group's tone may be than the other's, as powers: the lower by 8 dB, the upper by 6.
const LOW_OVER_HIGH: f32 = 6.3;
const HIGH_OVER_LOW: f32 = 4.0;
/// The tones' share of all that is heard.
const SHARE: f32 = 0.78;
/// How far a tone stands out of its group, as power.
const STAND_OUT: f32 = 5.0;
/// A voice has overtones: at most this part of a tone's power at three times a low tone and twice a high one (twice
/// a low one lies too near the high ones).
const OVERTONE: f32 = 0.06;

/// Goertzel's filter for one tone.
#[derive(Clone, Copy, Debug)]
struct Ear {
    coefficient: f32,
    s1: f32,
    s2: f32,
}

impl Ear {
    fn new(hz: f64) -> Self {
        Self { coefficient: 2.0 * (TAU * hz / f64::from(RATE)).cos() as f32, s1: 0.0, s2: 0.0 }
    }

    fn hear(&mut self, sample: f32) {
        let s0 = sample + self.coefficient * self.s1 - self.s2;
        (self.s2, self.s1) = (self.s1, s0);
    }

    /// The tone's power in the block, as the square of its peak; starts over.
    fn take(&mut self) -> f32 {
        let power = self.s1 * self.s1 + self.s2 * self.s2 - self.coefficient * self.s1 * self.s2;
        (self.s1, self.s2) = (0.0, 0.0);
        power / (BLOCK * BLOCK / 4) as f32
    }
}

/// Hears keys in a stream of frames. A key is told once a press, when it has lasted two blocks.
#[derive(Clone, Debug)]
pub struct Detector {
    /// Four low tones, four high ones, and an overtone of each.
    ears: [Ear; 16],
    energy: f32,
    filled: usize,
    candidate: Option<char>,
    hits: u8,
    told: Option<char>,
    misses: u8,
    sounding: bool,
}

impl Default for Detector {
    fn default() -> Self {
        let hz = |i: usize| if i < 4 { LOW[i] } else { HIGH[i - 4] };
        let ears = std::array::from_fn(|i| {
            Ear::new(match i {
                0..8 => hz(i),
                8..12 => 3.0 * hz(i - 8),
                _ => 2.0 * hz(i - 8),
            })
        });
        Self { ears, energy: 0.0, filled: 0, candidate: None, hits: 0, told: None, misses: 0, sounding: false }
    }
}

impl Detector {
    /// Takes the next 20 ms.
    pub fn hear(&mut self, frame: &Frame) -> Option<char> {
        self.sounding = self.told.is_some() && self.misses == 0;
        let mut told = None;
        for sample in frame {
            let sample = f32::from(*sample);
            self.energy += sample * sample;
            for ear in &mut self.ears {
                ear.hear(sample);
            }
            self.filled += 1;
            if self.filled == BLOCK {
                told = self.block().or(told);
            }
        }
        told
    }

    /// Whether the last frame held the sound of a key, one still doubtful included.
    pub const fn is_sounding(&self) -> bool {
        self.sounding
    }

    fn block(&mut self) -> Option<char> {
        let heard = self.key();
        (self.energy, self.filled) = (0.0, 0);
        self.sounding |= heard.is_some();
        if heard.is_some() && heard == self.candidate {
            self.hits = self.hits.saturating_add(1);
        } else {
            (self.candidate, self.hits) = (heard, u8::from(heard.is_some()));
        }
        if heard == self.told {
            self.misses = 0;
        } else {
            self.misses = self.misses.saturating_add(1);
            if self.misses >= MISSES {
                self.told = None;
            }
        }
        if heard.is_some() && self.hits >= HITS && self.told != heard {
            (self.told, self.misses) = (heard, 0);
            return heard;
        }
        None
    }

    fn key(&mut self) -> Option<char> {
        let powers: [f32; 16] = std::array::from_fn(|i| self.ears[i].take());
        let total = self.energy / BLOCK as f32;
        if total < FLOOR {
            return None;
        }
        let (row, low) = strongest(&powers[..4])?;
        let (column, high) = strongest(&powers[4..8])?;
        let balanced = low < high * LOW_OVER_HIGH && high < low * HIGH_OVER_LOW;
        let alone = (low + high) / 2.0 > total * SHARE;
        let voiced = powers[8 + row] > low * OVERTONE || powers[12 + column] > high * OVERTONE;
        (balanced && alone && !voiced).then_some(KEYS[row][column])
    }
}

fn strongest(powers: &[f32]) -> Option<(usize, f32)> {
    let (at, best) = powers.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    powers.iter().enumerate().all(|(i, p)| i == at || p * STAND_OUT < best).then_some((at, best))
}

#[cfg(test)]
#[path = "dtmf_tests.rs"]
mod tests;
