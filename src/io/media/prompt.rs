//! A prompt: words or music ready to play, encoded beforehand so that playing is a copy and a send.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::proto::audio::codec::Encoder;
use crate::proto::audio::frame::{FRAME, Frame, RATE, SILENCE};
use crate::proto::audio::resample;

use super::Codec;

/// Longer recordings are refused: 15 minutes.
const MAX_SECONDS: u32 = 900;

/// 8 kHz mono, in every form it is played in.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    pcm: Box<[i16]>,
    pcmu: Box<[u8]>,
    pcma: Box<[u8]>,
    g722: Box<[u8]>,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({:?})", self.duration())
    }
}

/// Why a recording cannot be played.
#[derive(Debug)]
pub enum PromptError {
    /// It cannot be read, or is no WAV file.
    Wav(hound::Error),
    /// It is longer than 15 minutes.
    TooLong,
    /// It holds no sound.
    Empty,
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wav(error) => write!(f, "cannot read the recording: {error}"),
            Self::TooLong => f.write_str("the recording is longer than 15 minutes"),
            Self::Empty => f.write_str("the recording holds no sound"),
        }
    }
}

impl std::error::Error for PromptError {}

impl From<hound::Error> for PromptError {
    fn from(error: hound::Error) -> Self {
        Self::Wav(error)
    }
}

impl Prompt {
    /// From samples at 8 kHz.
    pub fn from_pcm(pcm: Vec<i16>) -> Self {
        let encoded = |codec| {
            let mut encoder = Encoder::default();
            pcm.iter().map(|s| encoder.sample(codec, *s)).collect()
        };
        let (pcmu, pcma, g722) = (encoded(Codec::Pcmu), encoded(Codec::Pcma), encoded(Codec::G722));
        Self { pcm: pcm.into_boxed_slice(), pcmu, pcma, g722 }
    }

    /// From a WAV file of any rate, width and number of channels.
    pub fn from_wav(path: &Path) -> Result<Self, PromptError> {
        Self::read(hound::WavReader::open(path)?)
    }

    /// From the bytes of a WAV file, as a voice engine writes them.
    pub fn from_wav_bytes(bytes: &[u8]) -> Result<Self, PromptError> {
        Self::read(hound::WavReader::new(bytes)?)
    }

    fn read<R: Read>(mut wav: hound::WavReader<R>) -> Result<Self, PromptError> {
        let spec = wav.spec();
        let channels = usize::from(spec.channels.max(1));
        if wav.duration() / spec.sample_rate.max(1) > MAX_SECONDS {
            return Err(PromptError::TooLong);
        }
        let samples: Vec<i16> = match spec.sample_format {
            hound::SampleFormat::Float => {
                wav.samples::<f32>().map(|s| s.map(|s| (s * 32_767.0) as i16)).collect::<Result<_, _>>()?
            }
            hound::SampleFormat::Int => {
                let width = i32::from(spec.bits_per_sample);
                let scale = |s: i32| if width >= 16 { s >> (width - 16) } else { s << (16 - width) };
                wav.samples::<i32>().map(|s| s.map(|s| scale(s) as i16)).collect::<Result<_, _>>()?
            }
        };
        let mono: Vec<i16> = samples
            .chunks(channels)
            .map(|c| (c.iter().map(|s| i32::from(*s)).sum::<i32>() / channels as i32) as i16)
            .collect();
        if mono.is_empty() {
            return Err(PromptError::Empty);
        }
        Ok(Self::from_pcm(resample::to_8k(&mono, spec.sample_rate)))
    }

    /// One prompt after another, with a pause between.
    #[must_use]
    pub fn followed_by(&self, next: &Self, pause: Duration) -> Self {
        let pause = usize::try_from(pause.as_millis()).unwrap_or(0) * RATE as usize / 1_000;
        let mut pcm = self.pcm.to_vec();
        pcm.resize(pcm.len() + pause, 0);
        pcm.extend_from_slice(&next.pcm);
        Self::from_pcm(pcm)
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.pcm.len() as u64 * 1_000 / u64::from(RATE))
    }

    /// The samples at 8 kHz.
    pub fn pcm(&self) -> &[i16] {
        &self.pcm
    }

    const fn bytes(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
            Codec::G722 => &self.g722,
        }
    }

    /// 20 ms from sample `at`, encoded; silence after the end.
    pub(super) fn encoded(&self, codec: Codec, at: usize) -> [u8; FRAME] {
        let mut frame = [codec.silence(); FRAME];
        let rest = self.bytes(codec).get(at..).unwrap_or_default();
        let len = rest.len().min(FRAME);
        frame[..len].copy_from_slice(&rest[..len]);
        frame
    }

    /// 20 ms from sample `at` of its endless repetition, encoded.
    pub(super) fn encoded_round(&self, codec: Codec, at: usize) -> [u8; FRAME] {
        let bytes = self.bytes(codec);
        let mut frame = self.encoded(codec, at % bytes.len().max(1));
        let have = bytes.len().saturating_sub(at % bytes.len().max(1)).min(FRAME);
        for (byte, again) in frame[have..].iter_mut().zip(bytes.iter().cycle()) {
            *byte = *again;
        }
        frame
    }

    /// 20 ms from sample `at`; silence after the end.
    pub(super) fn frame(&self, at: usize) -> Frame {
        let mut frame = SILENCE;
        let rest = self.pcm.get(at..).unwrap_or_default();
        let len = rest.len().min(FRAME);
        frame[..len].copy_from_slice(&rest[..len]);
        frame
    }

    /// 20 ms from sample `at` of its endless repetition.
    pub(super) fn frame_round(&self, at: usize) -> Frame {
        let mut frame = SILENCE;
        let start = at % self.pcm.len().max(1);
        let have = (self.pcm.len() - start).min(FRAME);
        frame[..have].copy_from_slice(&self.pcm[start..start + have]);
        for (sample, again) in frame[have..].iter_mut().zip(self.pcm.iter().cycle()) {
            *sample = *again;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::audio::g711;
    use crate::proto::audio::tone::{power_at, sine};

    fn wav(spec: hound::WavSpec, write: impl FnOnce(&mut hound::WavWriter<&mut std::io::Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        write(&mut writer);
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn wav_files_of_many_kinds_sound_the_same() {
        for (rate, channels, bits) in [(8_000, 1, 16), (44_100, 2, 24), (22_050, 1, 8), (16_000, 1, 32)] {
            let spec = hound::WavSpec {
                channels,
                sample_rate: rate,
                bits_per_sample: bits,
                sample_format: hound::SampleFormat::Int,
            };
            let bytes = wav(spec, |w| {
                for n in 0..rate {
                    let s = (std::f64::consts::TAU * 500.0 * f64::from(n) / f64::from(rate)).sin() * 0.3;
                    for _ in 0..channels {
                        w.write_sample((s * f64::from(1_u32 << (bits - 1))) as i32).unwrap();
                    }
                }
            });
            let prompt = Prompt::from_wav_bytes(&bytes).unwrap();
            let level = power_at(&prompt.pcm()[800..7_200], 500.0).sqrt();
            assert!((9_500.0..10_200.0).contains(&level), "{rate} {channels} {bits}: {level}");
            assert!(prompt.duration().abs_diff(Duration::from_secs(1)) < Duration::from_millis(2));
        }
    }

    #[test]
    fn a_file_that_is_no_recording_is_refused() {
        assert!(Prompt::from_wav_bytes(b"RIFFnonsense").is_err());
        assert!(Prompt::from_wav(Path::new("/nonexistent.wav")).is_err());
    }

    #[test]
    fn repeating_wraps_without_a_gap() {
        let prompt = Prompt::from_pcm(sine(100.0, 9_000.0, 240));
        let mut heard = Vec::new();
        for tick in 0..9 {
            let frame = prompt.frame_round(tick * FRAME);
            let encoded = prompt.encoded_round(Codec::Pcma, tick * FRAME);
            assert!(frame.iter().zip(encoded).all(|(s, b)| g711::to_alaw(*s) == b));
            heard.extend(frame);
        }
        assert!(heard.iter().enumerate().all(|(i, s)| *s == prompt.pcm()[i % 240]));
    }
}
