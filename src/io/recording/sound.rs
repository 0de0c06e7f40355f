//! The sound of a recording: where each of its seconds stands in the file, and any part of it as a stereo WAV, the caller
//! left, our side right.
//!
//! A part costs the seconds that it touches, however long the recording is: before each stands how long it is, and all
//! but the last are whole, so that the last alone is opened to learn where an octet of the WAV is. Each is opened when it
//! is read, so never a byte is given out of a file that is not what was written; that all of it is tells
//! [`Recorded`](super::Recorded). A file without its last segment was cut off, by a crash or because the call goes on: it
//! is as long as what is whole, and says so ([`Sound::is_complete`]).

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::io::store::seal::Seal;
use crate::proto::audio::frame::{FRAME, RATE};
use crate::proto::audio::g711;

use super::RecordingError;
use super::segment::{HEAD_ROOM, PREFIX, Prefix, SECOND, Second, SegmentKey, read_head};
use super::tap::{BOTH, Kind};

/// The head of a WAV file.
const WAV_HEAD: u64 = 44;
/// Two samples of 16 bits.
const SAMPLE: u64 = 4;
/// Octets of WAV that a frame becomes.
const WAV_FRAME: u64 = FRAME as u64 * SAMPLE;
/// Octets of WAV that a second becomes.
const WAV_SECOND: u64 = SECOND as u64 * WAV_FRAME;

/// A recording's sound, opened.
#[derive(Debug)]
pub struct Sound {
    file: File,
    key: SegmentKey,
    started_at: UtcMs,
    /// Where each second's segment is.
    seconds: Vec<(u64, Prefix)>,
    frames: u64,
    complete: bool,
    /// Segments that were read so far.
    #[cfg(test)]
    pub(super) read: AtomicU64,
}

impl Sound {
    pub(super) fn open(file: File, seal: &Seal, call: &CallId) -> Result<Self, RecordingError> {
        let len = file.metadata()?.len();
        let mut head = [0; HEAD_ROOM];
        let have = usize::try_from(len).unwrap_or(usize::MAX).min(HEAD_ROOM);
        file.read_exact_at(&mut head[..have], 0)?;
        let (key, started_at, at) = read_head(seal, call, &head[..have]).ok_or(RecordingError::NotOurs)?;
        let mut sound = Self {
            file,
            key,
            started_at,
            seconds: Vec::new(),
            frames: 0,
            complete: false,
            #[cfg(test)]
            read: AtomicU64::new(0),
        };
        sound.find_seconds(at as u64, len)?;
        if let Some(last) = sound.seconds.len().checked_sub(1) {
            let frames = last * SECOND + sound.second(last)?.kinds.len();
            sound.frames = frames as u64;
        }
        Ok(sound)
    }

    /// Goes from segment to segment, from `at` on, without reading what is in them.
    fn find_seconds(&mut self, mut at: u64, len: u64) -> Result<(), RecordingError> {
        let mut prefix = [0; PREFIX];
        while at + PREFIX as u64 <= len {
            if self.complete {
                return Err(self.damaged());
            }
            self.file.read_exact_at(&mut prefix, at)?;
            if prefix == [0; PREFIX] && self.is_blank(at, len)? {
                // A power cut left room that was never written.
                return Ok(());
            }
            let read = Prefix::read(&prefix).ok_or_else(|| self.damaged())?;
            let end = at + (PREFIX + read.len) as u64;
            if end > len {
                return Ok(());
            }
            self.seconds.push((at, read));
            self.complete = read.last;
            at = end;
        }
        // Bytes after the end were put there by somebody else.
        if self.complete && at != len { Err(self.damaged()) } else { Ok(()) }
    }

    fn damaged(&self) -> RecordingError {
        RecordingError::Damaged { second: self.seconds.len() as u64 }
    }

    fn is_blank(&self, from: u64, len: u64) -> io::Result<bool> {
        let mut bytes = [0; 4_096];
        let mut at = from;
        while at < len {
            let have = usize::try_from(len - at).unwrap_or(usize::MAX).min(bytes.len());
            self.file.read_exact_at(&mut bytes[..have], at)?;
            if bytes[..have].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += have as u64;
        }
        Ok(true)
    }

    /// How many seconds there are, the last of them perhaps in part.
    pub(super) const fn seconds(&self) -> usize {
        self.seconds.len()
    }

    /// How many frames there are.
    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    /// Opens the `n`th second.
    pub(super) fn second(&self, n: usize) -> Result<Second, RecordingError> {
        let damaged = || RecordingError::Damaged { second: n as u64 };
        let (at, prefix) = self.seconds.get(n).ok_or_else(damaged)?;
        #[cfg(test)]
        self.read.fetch_add(1, Ordering::Relaxed);
        let mut sealed = vec![0; prefix.len];
        self.file.read_exact_at(&mut sealed, at + PREFIX as u64).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof { damaged() } else { RecordingError::Disk(error) }
        })?;
        let second = self.key.open(n as u64, prefix, &mut sealed);
        second.filter(|second| second.is_full() || prefix.last).ok_or_else(|| {
            tracing::error!(second = n, code = "recording.damaged", "a recording does not open");
            damaged()
        })
    }

    /// When the recording began.
    pub const fn started_at(&self) -> UtcMs {
        self.started_at
    }

    /// Whether its end is there.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Octets of the whole WAV file.
    pub const fn wav_len(&self) -> u64 {
        WAV_HEAD + self.frames * WAV_FRAME
    }

    /// A part of the WAV file: the octets of `range` that are in the head or in the first second it touches. Empty only
    /// if the range is, or lies behind the end. To be asked again for what follows.
    pub fn wav(&self, range: Range<u64>) -> Result<Vec<u8>, RecordingError> {
        let range = range.start..range.end.min(self.wav_len());
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let (from, bytes) = if range.start < WAV_HEAD {
            (0, self.wav_head().to_vec())
        } else {
            let second = (range.start - WAV_HEAD) / WAV_SECOND;
            let n = usize::try_from(second).map_err(|_| RecordingError::Damaged { second })?;
            (WAV_HEAD + second * WAV_SECOND, to_wav(&self.second(n)?))
        };
        let place = |at: u64| usize::try_from(at - from).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[place(range.start)..place(range.end)].to_vec())
    }

    /// RIFF/WAVE, PCM, 16 bits, two channels, 8 kHz. Longer than 37 hours its lengths say as much as they can.
    fn wav_head(&self) -> [u8; WAV_HEAD as usize] {
        const CHANNELS: u16 = 2;
        let data = u32::try_from(self.frames * WAV_FRAME).unwrap_or(u32::MAX);
        let mut head = [0; WAV_HEAD as usize];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            head[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(b"RIFF");
        put(&data.saturating_add(36).to_le_bytes());
        put(b"WAVEfmt ");
        put(&16_u32.to_le_bytes());
        put(&1_u16.to_le_bytes());
        put(&CHANNELS.to_le_bytes());
        put(&RATE.to_le_bytes());
        put(&(RATE * SAMPLE as u32).to_le_bytes());
        put(&(SAMPLE as u16).to_le_bytes());
        put(&16_u16.to_le_bytes());
        put(b"data");
        put(&data.to_le_bytes());
        head
    }
}

/// A second as interleaved samples; silence where there is no sound.
fn to_wav(second: &Second) -> Vec<u8> {
    let mut wav = Vec::with_capacity(second.kinds.len() * FRAME * SAMPLE as usize);
    let mut sound = second.sound.chunks_exact(BOTH);
    for kind in &second.kinds {
        match if *kind == Kind::Sound { sound.next() } else { None } {
            Some(both) => {
                let (caller, ours) = both.split_at(FRAME);
                for (left, right) in caller.iter().zip(ours) {
                    wav.extend_from_slice(&g711::from_ulaw(*left).to_le_bytes());
                    wav.extend_from_slice(&g711::from_ulaw(*right).to_le_bytes());
                }
            }
            None => wav.resize(wav.len() + FRAME * SAMPLE as usize, 0),
        }
    }
    wav
}
