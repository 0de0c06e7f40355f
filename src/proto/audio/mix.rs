//! Sums what several parties say, with saturation.

use super::frame::{FRAME, Frame, SILENCE};

/// The sum of some frames.
#[derive(Clone, Debug)]
pub struct Mix {
    sum: [i32; FRAME],
}

impl Default for Mix {
    fn default() -> Self {
        Self { sum: [0; FRAME] }
    }
}

impl Mix {
    /// Back to silence.
    pub fn clear(&mut self) {
        self.sum = [0; FRAME];
    }

    /// Adds a frame. Fewer than 65 536 of them always fit.
    pub fn add(&mut self, frame: &Frame) {
        for (sum, sample) in self.sum.iter_mut().zip(frame) {
            *sum += i32::from(*sample);
        }
    }

    /// What is heard.
    pub fn frame(&self) -> Frame {
        let mut frame = SILENCE;
        for (sample, sum) in frame.iter_mut().zip(&self.sum) {
            *sample = (*sum).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_voices_saturate_instead_of_wrapping() {
        let mut mix = Mix::default();
        mix.add(&[30_000; FRAME]);
        mix.add(&[30_000; FRAME]);
        assert_eq!(mix.frame(), [i16::MAX; FRAME]);
        mix.add(&[-30_000; FRAME]);
        assert_eq!(mix.frame(), [30_000; FRAME]);
    }
}
