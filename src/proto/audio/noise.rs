//! Comfort noise: a steady hiss at a given level, softened at its top so that it does not sound like rain.
//! The same seed gives the same noise.

/// A generator of noise.
#[derive(Clone, Debug)]
pub struct Noise {
    state: u32,
    last: i32,
    peak: i32,
}

impl Default for Noise {
    fn default() -> Self {
        Self { state: 0x2545_f491, last: 0, peak: 0 }
    }
}

impl Noise {
    /// The level of RFC 3389 §3: decibels below the loudest square wave, 0 to 127.
    pub fn set_level(&mut self, below: u8) {
        self.set_rms(32_767.0 * 10_f32.powf(-f32::from(below.min(127)) / 20.0));
    }

    /// The level as the root of the mean square of its samples.
    pub fn set_rms(&mut self, rms: f32) {
        // Evenly spread values up to a peak have a third of its square as their power.
        self.peak = (rms * 1.732).min(32_767.0) as i32;
    }

    /// The next sample.
    pub fn sample(&mut self) -> i16 {
        // Numerical Recipes' linear congruential generator; its upper bits are random enough for ears.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let fresh = ((self.state as i32 >> 15) * self.peak) >> 16;
        // The mean of two neighbours, at the power of one.
        let sample = ((fresh + self.last) * 23_170) >> 15;
        self.last = fresh;
        sample.clamp(-32_768, 32_767) as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_level_that_was_asked_for() {
        for below in [20, 40, 60] {
            let mut noise = Noise::default();
            noise.set_level(below);
            let power: f64 = (0..16_000).map(|_| f64::from(noise.sample()).powi(2)).sum::<f64>() / 16_000.0;
            let db = 20.0 * (power.sqrt() / 32_767.0).log10();
            assert!((db + f64::from(below)).abs() < 1.0, "-{below} dB became {db:.1}");
        }
        let mut noise = Noise::default();
        noise.set_level(127);
        assert!((0..100).all(|_| noise.sample() == 0));
    }
}
