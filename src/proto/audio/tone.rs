//! Tones: a steady sine, the ringing tone of North America, the beep at an operator's ear. And the
//! measure of how much of a tone is in a sound (Goertzel), which is how tests tell voices apart.

use std::f64::consts::TAU;

use super::frame::RATE;

/// `samples` samples of a sine of `hz` with the given peak, starting at phase 0.
pub fn sine(hz: f64, peak: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| (peak * (TAU * hz * n as f64 / f64::from(RATE)).sin()) as i16).collect()
}

/// One round of the North American ringing tone: 440 and 480 Hz, 2 s on, 4 s off.
pub fn ringback() -> Vec<i16> {
    let on = 2 * RATE as usize;
    let mut round: Vec<i16> =
        sine(440.0, 4_000.0, on).iter().zip(sine(480.0, 4_000.0, on)).map(|(a, b)| a + b).collect();
    round.resize(6 * RATE as usize, 0);
    round
}

/// The beep before an operator is put through: 200 ms of 1 kHz, with soft edges.
pub fn beep() -> Vec<i16> {
    let mut beep = sine(1_000.0, 8_000.0, RATE as usize / 5);
    let edge = RATE as usize / 200;
    let len = beep.len();
    for i in 0..edge {
        let gain = i as f64 / edge as f64;
        beep[i] = (f64::from(beep[i]) * gain) as i16;
        beep[len - 1 - i] = (f64::from(beep[len - 1 - i]) * gain) as i16;
    }
    beep
}

/// The power of `hz` in `samples`, as the square of the peak of a sine that would give it.
pub fn power_at(samples: &[i16], hz: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hz / f64::from(RATE)).cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for sample in samples {
        let s0 = f64::from(*sample) + coefficient * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    let half = samples.len() as f64 / 2.0;
    (s1 * s1 + s2 * s2 - coefficient * s1 * s2) / (half * half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_where_it_is_and_nowhere_else() {
        let tone = sine(700.0, 10_000.0, 8_000);
        let found = power_at(&tone, 700.0).sqrt();
        assert!((9_900.0..10_100.0).contains(&found), "{found}");
        assert!(power_at(&tone, 900.0) * 1_000.0 < power_at(&tone, 700.0));
    }

    #[test]
    fn the_ringing_tone_rings_for_two_seconds_of_six() {
        let round = ringback();
        assert_eq!(round.len(), 48_000);
        assert!(power_at(&round[..16_000], 440.0) > 1e7 && power_at(&round[..16_000], 480.0) > 1e7);
        assert!(round[16_000..].iter().all(|s| *s == 0));
    }
}
