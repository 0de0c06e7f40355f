//! What the caller said, alone: one side of a recording, from a moment on, as a WAV. For those who get a voicemail by email.

use crate::base::clock::UtcMs;
use crate::proto::audio::frame::FRAME;
use crate::proto::audio::g711;

use super::segment::SECOND;
use super::sound::{Sound, WAV_HEAD, wav_head};
use super::tap::{BOTH, Kind};
use super::{FRAME_MS, RecordingError};

/// Octets of WAV that one side's frame becomes.
const SIDE: usize = FRAME * 2;

impl Sound {
    /// The caller's side from `from` on; None if that would have more than `most` octets. Reads the file: for a thread that
    /// may block.
    pub fn caller_wav(&self, from: UtcMs, most: u64) -> Result<Option<Vec<u8>>, RecordingError> {
        let skipped = u64::try_from(from.since(self.started_at())).unwrap_or(0) / FRAME_MS;
        let octets = self.frames().saturating_sub(skipped) * SIDE as u64;
        if WAV_HEAD + octets > most {
            return Ok(None);
        }
        let mut wav = wav_head(octets, 1).to_vec();
        let whole = usize::try_from(skipped).unwrap_or(usize::MAX) / SECOND;
        for n in whole..self.seconds() {
            let second = self.second(n)?;
            let mut sound = second.sound.chunks_exact(BOTH);
            for (place, kind) in second.kinds.iter().enumerate() {
                let frame = if *kind == Kind::Sound { sound.next() } else { None };
                if ((n * SECOND + place) as u64) < skipped {
                    continue;
                }
                match frame {
                    Some(both) => {
                        wav.extend(both[..FRAME].iter().flat_map(|octet| g711::from_ulaw(*octet).to_le_bytes()));
                    }
                    None => wav.resize(wav.len() + SIDE, 0),
                }
            }
        }
        Ok(Some(wav))
    }
}
