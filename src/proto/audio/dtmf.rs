//! Keys as pairs of tones (ITU-T Q.23): a generator, and a detector for far ends that send no
//! telephone-event.

use super::frame::Frame;
use super::tone::{power_at, sine};

const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// `samples` samples of a key's two tones; `None` if it is no key.
pub fn tones(key: char, samples: usize) -> Option<Vec<i16>> {
    let (row, column) =
        KEYS.iter().enumerate().find_map(|(r, keys)| Some((r, keys.iter().position(|k| *k == key)?)))?;
    let (low, high) = (sine(LOW[row], 6_000.0, samples), sine(HIGH[column], 6_000.0, samples));
    Some(low.iter().zip(high).map(|(a, b)| a + b).collect())
}

/// Hears keys in a stream of frames. A key is told once, when its tones have lasted two frames.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    candidate: Option<char>,
    told: bool,
    /// Frames without the key since it was heard: a gap of one does not end it.
    missing: u8,
}

impl Detector {
    /// Takes the next 20 ms.
    pub fn hear(&mut self, frame: &Frame) -> Option<char> {
        let heard = key_in(frame);
        if heard.is_some() && heard == self.candidate {
            self.missing = 0;
            if !self.told {
                self.told = true;
                return heard;
            }
        } else if self.candidate.is_none() || self.missing >= 1 || (heard.is_some() && !self.told) {
            *self = Self { candidate: heard, told: false, missing: 0 };
        } else {
            self.missing += 1;
        }
        None
    }
}

fn key_in(frame: &Frame) -> Option<char> {
    let total: f64 = frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / frame.len() as f64;
    // Below -36 dBm0 or so there is nothing to hear.
    if total < 150.0 * 150.0 {
        return None;
    }
    let (row, low) = strongest(frame, &LOW)?;
    let (column, high) = strongest(frame, &HIGH)?;
    // Both tones together make up the sound, and neither drowns the other (twist within 8 dB).
    let share = (low + high) / 2.0 / total;
    (share > 0.75 && low < high * 6.3 && high < low * 6.3).then_some(KEYS[row][column])
}

fn strongest(frame: &Frame, tones: &[f64; 4]) -> Option<(usize, f64)> {
    let powers = tones.map(|hz| power_at(frame, hz));
    let (at, best) = powers.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    // 160 samples see neighbours 73 Hz away; 4 dB over the next is what a clean tone gives.
    powers.iter().enumerate().all(|(i, p)| i == at || p * 2.0 < best).then_some((at, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(samples: &[i16]) -> String {
        let mut detector = Detector::default();
        samples.chunks_exact(160).filter_map(|c| detector.hear(c.try_into().unwrap())).collect()
    }

    #[test]
    fn every_key_is_heard_once_a_press() {
        let mut sound = vec![0; 100];
        for key in "123A456B789C*0#D11".chars() {
            sound.extend(tones(key, 800).unwrap());
            sound.extend([0; 560]);
        }
        assert_eq!(hear(&sound), "123A456B789C*0#D11");
    }

    #[test]
    fn one_tone_or_noise_is_no_key() {
        assert_eq!(hear(&sine(697.0, 10_000.0, 8_000)), "");
        let mut rng = crate::base::rng::Rng::seeded(3);
        let noise: Vec<i16> = (0..80_000).map(|_| (rng.next_u64() as i16) / 4).collect();
        assert_eq!(hear(&noise), "");
    }
}
