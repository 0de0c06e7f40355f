//! Recordings that accounts have of their own: uploaded as WAV, kept as what is played (8 kHz, one channel), under a name
//! made of their sound. One that is kept never changes, so whoever names it plays what was heard when it was chosen.

use std::io::Cursor;
use std::sync::Arc;

use ring::digest;

use crate::domain::account::Speech;
use crate::io::media::prompt::Prompt;
use crate::proto::audio::frame::RATE;
use crate::proto::audio::trim::spoken_part;

use super::{Speaker, SpeechError, is_plain, keep};

/// The largest file taken: a minute and more in the best quality.
pub const MAX_UPLOAD_BYTES: usize = 12 * 1024 * 1024;

/// The sample rates taken.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// The longest recording taken, in seconds.
const MAX_SECS: u64 = 300;

/// A recording that is kept now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What [`Speech::Uploaded`] calls it.
    pub recording: String,
    pub millis: u64,
}

impl Speaker {
    /// Takes a WAV file, makes of it what is played, and keeps that.
    pub async fn keep_upload(&self, wav: Vec<u8>) -> Result<Kept, SpeechError> {
        let converted = tokio::task::spawn_blocking(move || convert(&wav)).await;
        let (wav, prompt) = converted.map_err(|_| SpeechError::Upload("it cannot be read as a WAV file".into()))??;
        self.keep_wav(&wav, &prompt).await
    }

    /// Takes a WAV file of somebody's words, and keeps them without the silence around. None: nothing is said, or more than
    /// `max_ms`.
    pub async fn keep_words(&self, wav: Vec<u8>, max_ms: u64) -> Result<Option<Kept>, SpeechError> {
        let converted = tokio::task::spawn_blocking(move || {
            let (_, prompt) = convert(&wav)?;
            Ok(spoken_part(prompt.pcm()).map(|part| Prompt::from_pcm(prompt.pcm()[part].to_vec())))
        });
        let words = converted.await.map_err(|_| SpeechError::Upload("it cannot be read as a WAV file".into()))??;
        match words.filter(|words| words.duration().as_millis() <= u128::from(max_ms)) {
            Some(words) => Ok(Some(self.keep_prompt(&words).await?)),
            None => Ok(None),
        }
    }

    /// Keeps what was spoken in by telephone.
    pub async fn keep_prompt(&self, prompt: &Prompt) -> Result<Kept, SpeechError> {
        self.keep_wav(&as_wav(prompt.pcm()), prompt).await
    }

    async fn keep_wav(&self, wav: &[u8], prompt: &Prompt) -> Result<Kept, SpeechError> {
        let hash = digest::digest(&digest::SHA256, wav);
        let recording: String = hash.as_ref().iter().take(16).map(|b| format!("{b:02x}")).collect();
        keep(&self.uploads, &recording, wav).await?;
        Ok(Kept { recording, millis: u64::try_from(prompt.duration().as_millis()).unwrap_or(u64::MAX) })
    }

    /// What callers would hear for `speech`, as a WAV file. Words that nobody has saved are kept nowhere.
    pub async fn wav(&self, speech: &Speech) -> Result<Vec<u8>, SpeechError> {
        let prompt: Arc<Prompt> = self.prepare_once(speech).await?;
        Ok(as_wav(prompt.pcm()))
    }

    pub(super) async fn read_upload(&self, recording: &str) -> Result<Vec<u8>, SpeechError> {
        let path = self.uploads.join(format!("{recording}.wav"));
        let found = if is_plain(recording) { tokio::fs::read(&path).await.ok() } else { None };
        found.ok_or_else(|| {
            SpeechError::Prompt(format!(
                "there is no recording of this name in {}; upload it again, or say in [voice] recordings where they are",
                self.uploads.display()
            ))
        })
    }
}

/// What is kept of an upload, and the prompt that it makes.
fn convert(wav: &[u8]) -> Result<(Vec<u8>, Prompt), SpeechError> {
    const CURE: &str = "save it as a WAV file: PCM, 8 to 48 kHz";
    let refuse = |why: String| SpeechError::Upload(format!("{why}; {CURE}"));
    let spec = hound::WavReader::new(wav).map_err(|e| refuse(format!("it cannot be read as a WAV file: {e}")))?.spec();
    if !RATES.contains(&spec.sample_rate) {
        return Err(refuse(format!("its sample rate is {} Hz", spec.sample_rate)));
    }
    let prompt = Prompt::from_wav_bytes(wav).map_err(|e| refuse(e.to_string()))?;
    if prompt.duration().as_secs() > MAX_SECS {
        return Err(SpeechError::Upload(format!("it is longer than {} minutes; cut it", MAX_SECS / 60)));
    }
    Ok((as_wav(prompt.pcm()), prompt))
}

fn as_wav(pcm: &[i16]) -> Vec<u8> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut out = Cursor::new(Vec::with_capacity(44 + pcm.len() * 2));
    let written = hound::WavWriter::new(&mut out, spec).and_then(|mut writer| {
        pcm.iter().try_for_each(|sample| writer.write_sample(*sample))?;
        writer.finalize()
    });
    written.expect("memory takes a few minutes of sound");
    out.into_inner()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::io::speech::VoiceCommand;

    /// A second of 440 Hz on each channel.
    fn tone(rate: u32, bits: u16, channels: u16) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut out = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
        let loud = f64::from(1_i32 << (bits - 2));
        for n in 0..rate {
            let sample = (f64::from(n) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() * loud;
            (0..channels).for_each(|_| writer.write_sample(sample as i32).unwrap());
        }
        writer.finalize().unwrap();
        out.into_inner()
    }

    fn speaker(dir: &Path) -> Speaker {
        let command = VoiceCommand { argv: vec!["false".into()] };
        Speaker::new(None, dir.join("cache"), dir.join("uploads"), command).unwrap()
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("cordboard-upload-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[tokio::test]
    async fn any_pcm_becomes_what_is_played() {
        let dir = scratch("any");
        let speaker = speaker(&dir);
        for (rate, bits, channels) in [(8_000, 8, 1), (16_000, 16, 2), (44_100, 24, 2), (48_000, 32, 1)] {
            let kept = speaker.keep_upload(tone(rate, bits, channels)).await.unwrap();
            assert_eq!(kept.millis, 1_000, "{rate} Hz, {bits} bits, {channels} channels");
            let wav = speaker.wav(&Speech::Uploaded { recording: kept.recording }).await.unwrap();
            let mut reader = hound::WavReader::new(&wav[..]).unwrap();
            assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1));
            let samples: Vec<f64> = reader.samples::<i16>().map(|s| f64::from(s.unwrap())).collect();
            let power = |hz: f64| {
                let angle = |n: usize| n as f64 * hz * std::f64::consts::TAU / 8_000.0;
                let sum = |f: fn(f64) -> f64| samples.iter().enumerate().map(|(n, s)| s * f(angle(n))).sum::<f64>();
                sum(f64::cos).hypot(sum(f64::sin)) / samples.len() as f64
            };
            assert!(power(440.0) > 3_000.0 && power(700.0) < 100.0, "{} {}", power(440.0), power(700.0));
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn what_is_no_recording_is_refused_in_a_sentence() {
        let dir = scratch("none");
        let speaker = speaker(&dir);
        for bad in [b"ID3 an mp3".to_vec(), tone(96_000, 16, 1), Vec::new()] {
            let why = speaker.keep_upload(bad).await.unwrap_err().to_string();
            assert!(why.contains("WAV file: PCM, 8 to 48 kHz"), "{why}");
        }
        assert_eq!(std::fs::read_dir(dir.join("uploads")).unwrap().count(), 0);
        let named = Speech::Uploaded { recording: "../cache/x".into() };
        assert!(matches!(speaker.prepare(&named).await, Err(SpeechError::Prompt(_))));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
