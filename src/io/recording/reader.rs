//! A recording being looked at: all of it is read and found to be what was written when it is opened, and what of it is
//! there and what is missing is counted. Its sound is then read as [`Sound`] gives it.

use std::fs::File;
use std::ops::Range;

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::io::store::seal::Seal;

use super::sound::Sound;
use super::tap::Kind;
use super::{FRAME_MS, Figures, RecordingError};

/// A part without sound, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Mark {
    pub kind: Kind,
    pub at_ms: u64,
    pub length_ms: u64,
}

/// A recording, opened and looked at whole.
#[derive(Debug)]
pub struct Recorded {
    sound: Sound,
    figures: Figures,
    marks: Vec<Mark>,
}

impl Recorded {
    pub(super) fn open(file: File, seal: &Seal, call: &CallId) -> Result<Self, RecordingError> {
        Self::look(Sound::open(file, seal, call)?)
    }

    /// Looks at all of it. Reads the file: for a thread that may block.
    pub fn look(sound: Sound) -> Result<Self, RecordingError> {
        let mut recorded = Self { sound, figures: Figures::default(), marks: Vec::new() };
        for n in 0..recorded.sound.seconds() {
            let second = recorded.sound.second(n)?;
            recorded.count(&second.kinds);
        }
        Ok(recorded)
    }

    fn count(&mut self, kinds: &[Kind]) {
        for kind in kinds {
            let at_ms = self.figures.length_ms;
            self.figures.count(*kind, 1);
            if *kind == Kind::Sound {
                continue;
            }
            match self.marks.last_mut() {
                Some(mark) if mark.kind == *kind && mark.at_ms + mark.length_ms == at_ms => mark.length_ms += FRAME_MS,
                _ => self.marks.push(Mark { kind: *kind, at_ms, length_ms: FRAME_MS }),
            }
        }
    }

    /// When it began.
    pub const fn started_at(&self) -> UtcMs {
        self.sound.started_at()
    }

    /// How long it is and what of it is there.
    pub const fn figures(&self) -> Figures {
        self.figures
    }

    /// What is missing, and why.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether its end is there.
    pub const fn is_complete(&self) -> bool {
        self.sound.is_complete()
    }

    /// Octets of the whole WAV file.
    pub const fn wav_len(&self) -> u64 {
        self.sound.wav_len()
    }

    /// A part of the WAV file, as [`Sound::wav`] gives it.
    pub fn wav(&self, range: Range<u64>) -> Result<Vec<u8>, RecordingError> {
        self.sound.wav(range)
    }
}

impl From<Recorded> for Sound {
    fn from(recorded: Recorded) -> Self {
        recorded.sound
    }
}
