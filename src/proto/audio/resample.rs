//! Brings recorded sound to 8 kHz, once, when it is loaded. A windowed-sinc low-pass below the new
//! Nyquist frequency, one filter per output phase.

use std::f64::consts::PI;

use super::frame::RATE;

/// Zero crossings of the sinc on each side.
const WIDTH: f64 = 24.0;
/// Where the low-pass begins, as a part of the lower Nyquist frequency.
const EDGE: f64 = 0.92;

/// `samples` at `from` Hz, at 8 kHz.
pub fn to_8k(samples: &[i16], from: u32) -> Vec<i16> {
    if from == RATE || from == 0 || samples.is_empty() {
        return samples.to_vec();
    }
    let (step, phases) = {
        let g = gcd(from, RATE);
        (u64::from(from / g), u64::from(RATE / g))
    };
    // Relative to the input's Nyquist frequency.
    let cutoff = EDGE * f64::from(RATE.min(from)) / f64::from(from);
    let reach = (WIDTH / cutoff).ceil() as i64;
    let filters: Vec<Vec<f64>> = (0..phases)
        .map(|phase| {
            let offset = (phase * step % phases) as f64 / phases as f64;
            let taps: Vec<f64> = (-reach..=reach)
                .map(|k| {
                    let t = k as f64 - offset;
                    let window = t / (reach as f64 + 1.0);
                    // Blackman: stop-band beyond 70 dB.
                    let w = 0.42 + 0.5 * (PI * window).cos() + 0.08 * (2.0 * PI * window).cos();
                    let x = PI * cutoff * t;
                    w * if x.abs() < 1e-9 { cutoff } else { cutoff * x.sin() / x }
                })
                .collect();
            let sum: f64 = taps.iter().sum();
            taps.iter().map(|t| t / sum).collect()
        })
        .collect();
    let len = (samples.len() as u64 * phases).div_ceil(step);
    (0..len)
        .map(|n| {
            let centre = (n * step / phases) as i64;
            let filter = &filters[(n % phases) as usize];
            let sum: f64 = filter
                .iter()
                .zip(centre - reach..)
                .filter_map(|(tap, at)| Some(tap * f64::from(*samples.get(usize::try_from(at).ok()?)?)))
                .sum();
            sum.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
        })
        .collect()
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::super::tone::power_at;
    use super::*;

    fn tone_at(rate: u32, hz: f64) -> Vec<i16> {
        (0..rate).map(|n| (10_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16).collect()
    }

    #[test]
    fn speech_passes_and_what_would_alias_does_not() {
        for rate in [11_025, 16_000, 22_050, 44_100, 48_000] {
            let kept = to_8k(&tone_at(rate, 1_000.0), rate);
            assert!(kept.len().abs_diff(8_000) <= 1, "{rate}: {}", kept.len());
            let level = power_at(&kept[800..7_200], 1_000.0).sqrt();
            assert!((9_800.0..10_200.0).contains(&level), "{rate}: {level}");
            let aliased = to_8k(&tone_at(rate, 5_000.0), rate);
            let level = power_at(&aliased[800..7_200], 3_000.0).sqrt();
            assert!(level < 20.0, "{rate}: {level}");
        }
    }
}
