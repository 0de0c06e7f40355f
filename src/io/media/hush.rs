//! Whether a far end speaks: told when it begins to, and when it has said nothing for a second.
//!
//! By loudness alone: a line's hiss is below it, a whisper above. Asked once a beat; allocates nothing.

use crate::proto::audio::frame::Frame;

/// How loud a frame of speech is at least, on average: some 50 dB below the loudest.
const LOUD: u32 = 100;
/// Loud frames, less the quiet ones between them, that are speech and no click.
const SPEECH: u8 = 5;
/// Quiet frames in a row after which nobody speaks any more: a second.
const SILENCE: u8 = 50;

/// What is known of a far end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hush {
    speaks: bool,
    loud: u8,
    quiet: u8,
}

impl Hush {
    /// A frame of what it says. True or false: from now on it speaks, or no longer.
    pub(super) fn hear(&mut self, frame: &Frame) -> Option<bool> {
        let sum: u32 = frame.iter().map(|sample| u32::from(sample.unsigned_abs())).sum();
        if sum / frame.len() as u32 >= LOUD {
            (self.loud, self.quiet) = ((self.loud + 1).min(SPEECH), 0);
        } else {
            (self.loud, self.quiet) = (self.loud.saturating_sub(1), (self.quiet + 1).min(SILENCE));
        }
        let speaks = if self.speaks { self.quiet < SILENCE } else { self.loud >= SPEECH };
        let changed = speaks != self.speaks;
        self.speaks = speaks;
        changed.then_some(speaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::audio::frame::{FRAME, SILENCE as NOTHING};

    fn told(hush: &mut Hush, frame: Frame, count: usize) -> Vec<(usize, bool)> {
        (0..count).filter_map(|n| hush.hear(&frame).map(|speaks| (n, speaks))).collect()
    }

    #[test]
    fn speech_is_told_once_it_is_there_and_silence_after_a_second() {
        let mut hush = Hush::default();
        let voice = [400; FRAME];
        assert_eq!(told(&mut hush, NOTHING, 500), []);
        assert_eq!(told(&mut hush, voice, 100), [(4, true)]);
        assert_eq!(told(&mut hush, NOTHING, 200), [(49, false)]);
        assert_eq!(told(&mut hush, voice, 100), [(4, true)]);
        assert_eq!(told(&mut hush, NOTHING, 49), [], "a breath");
        assert_eq!(told(&mut hush, voice, 100), []);
    }

    #[test]
    fn a_click_or_hiss_is_no_speech() {
        let mut hush = Hush::default();
        let (click, hiss) = ([20_000; FRAME], [60; FRAME]);
        for _ in 0..20 {
            assert_eq!(told(&mut hush, click, 2), []);
            assert_eq!(told(&mut hush, hiss, 20), []);
        }
    }
}
