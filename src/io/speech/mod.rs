//! Words for callers: recorded prompts, which are inside the program unless a directory of others is configured, recordings
//! that accounts have of their own (`upload`), else text spoken by a voice engine.
//!
//! The engine is a command (espeak-ng unless configured otherwise): text on its standard input, a WAV file
//! on its standard output. It is a process of its own and never linked, as espeak-ng is under the GPL.
//! What it spoke is cached on disk by text and voice, for nobody but us to read, and prompts in use stay in
//! memory; words spoken once, as a message's are, are kept nowhere. Texts hold names and numbers: they are never
//! logged, and a cache file's name is a hash.

mod command;
mod upload;
mod wav;

use std::collections::HashMap;
use std::fmt;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ring::digest;
use rust_embed::RustEmbed;
use tokio::io::AsyncWriteExt as _;

use crate::config::Voice;
use crate::domain::account::Speech;
use crate::io::media::prompt::Prompt;

pub use command::VoiceCommand;
pub use upload::{Kept, MAX_UPLOAD_BYTES};

/// How many prompts stay in memory, and how much of them: a second is 40 KB, music lasts minutes.
const KEPT: usize = 200;
const KEPT_SOUND: Duration = Duration::from_secs(60 * 60);

/// The longest text spoken, in characters: about six minutes.
const MAX_TEXT: usize = 5_000;

/// Why there are no words to play.
#[derive(Debug)]
pub enum SpeechError {
    /// The recorded prompt is missing or no WAV file; the text says which and where it was looked for.
    Prompt(String),
    /// What was uploaded is no recording that can be played; the text says why and what to do.
    Upload(String),
    /// There is no voice engine, or it failed; the text says what to do.
    Engine(String),
    /// The cache directory cannot be written.
    Cache(PathBuf, io::Error),
}

impl fmt::Display for SpeechError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt(what) | Self::Upload(what) | Self::Engine(what) => f.write_str(what),
            Self::Cache(path, e) => {
                write!(f, "cannot keep spoken prompts in {}: {e}; make the directory writable", path.display())
            }
        }
    }
}

impl std::error::Error for SpeechError {}

/// The recorded prompts that come with Cordboard.
#[derive(RustEmbed)]
#[folder = "prompts/en/"]
struct Recorded;

/// Finds or makes the prompt for any [`Speech`]. Shared by all calls.
#[derive(Debug)]
pub struct Speaker {
    prompts: Option<PathBuf>,
    cache: PathBuf,
    uploads: PathBuf,
    command: VoiceCommand,
    ready: Mutex<HashMap<Speech, Arc<Prompt>>>,
}

impl Speaker {
    /// `prompts` is a directory of recorded prompts in place of our own, `cache` one for us to write in. Recordings of accounts
    /// are kept in `uploads`, which holds the only copy.
    pub fn new(
        prompts: Option<PathBuf>,
        cache: PathBuf,
        uploads: PathBuf,
        command: VoiceCommand,
    ) -> Result<Self, SpeechError> {
        for directory in [&cache, &uploads] {
            make_private(directory).map_err(|e| SpeechError::Cache(directory.clone(), e))?;
        }
        Ok(Self { prompts, cache, uploads, command, ready: Mutex::default() })
    }

    /// As configured.
    pub fn of(voice: &Voice) -> Result<Self, SpeechError> {
        let command = voice.command.clone().map_or_else(VoiceCommand::default, |argv| VoiceCommand { argv });
        Self::new(voice.prompts.clone(), voice.cache.clone(), voice.recordings.clone(), command)
    }

    /// The prompt for `speech` if it is in memory. Never waits.
    pub fn find_ready(&self, speech: &Speech) -> Option<Arc<Prompt>> {
        self.lock().get(speech).cloned()
    }

    /// The prompt for `speech`, loaded or spoken if need be. Off the call path: may take a second.
    pub async fn prepare(&self, speech: &Speech) -> Result<Arc<Prompt>, SpeechError> {
        if let Some(prompt) = self.find_ready(speech) {
            return Ok(prompt);
        }
        let wav = match speech {
            Speech::Recorded { prompt } => self.read_recorded(prompt).await?,
            Speech::Uploaded { recording } => self.read_upload(recording).await?,
            Speech::Spoken { text } => self.speak(text).await?,
        };
        let prompt = self.read_wav(speech, &wav)?;
        let mut ready = self.lock();
        let held: Duration = ready.values().map(|prompt| prompt.duration()).sum();
        if ready.len() >= KEPT || held + prompt.duration() > KEPT_SOUND {
            ready.clear(); // rare; what is still needed comes back from disk
        }
        ready.insert(speech.clone(), Arc::clone(&prompt));
        Ok(prompt)
    }

    /// The prompt for words that are played to one person once, such as a message: kept neither on disk nor
    /// in memory. May take a second.
    pub async fn prepare_once(&self, speech: &Speech) -> Result<Arc<Prompt>, SpeechError> {
        match speech {
            Speech::Recorded { .. } | Speech::Uploaded { .. } => self.prepare(speech).await,
            Speech::Spoken { text } => self.read_wav(speech, &self.command.speak(&speakable(text)).await?),
        }
    }

    fn read_wav(&self, speech: &Speech, wav: &[u8]) -> Result<Arc<Prompt>, SpeechError> {
        let prompt = Prompt::from_wav_bytes(wav).map_err(|e| match speech {
            Speech::Recorded { prompt } => SpeechError::Prompt(format!(
                "the prompt {prompt}.wav{} cannot be played: {e}; save it as a WAV file",
                self.place()
            )),
            Speech::Uploaded { recording } => SpeechError::Prompt(format!(
                "the recording {}/{recording}.wav cannot be played: {e}; upload it again",
                self.uploads.display()
            )),
            Speech::Spoken { .. } => SpeechError::Engine(format!("what {} wrote cannot be played: {e}", self.command)),
        })?;
        Ok(Arc::new(prompt))
    }

    /// Speaks a short word, to find out at start whether the engine works at all.
    pub async fn check_engine(&self) -> Result<(), SpeechError> {
        self.command.speak("ready").await.map(drop)
    }

    /// What the engine says for `text`, as WAV.
    pub async fn speak(&self, text: &str) -> Result<Vec<u8>, SpeechError> {
        let text = speakable(text);
        let key = digest::digest(&digest::SHA256, format!("{}\n{text}", self.command).as_bytes());
        let name: String = key.as_ref().iter().take(16).map(|b| format!("{b:02x}")).collect();
        let path = self.cache.join(format!("{name}.wav"));
        if let Ok(wav) = tokio::fs::read(&path).await {
            return Ok(wav);
        }
        let wav = self.command.speak(&text).await?;
        keep(&self.cache, &name, &wav).await?;
        Ok(wav)
    }

    async fn read_recorded(&self, name: &str) -> Result<Vec<u8>, SpeechError> {
        if !is_plain(name) {
            return Err(SpeechError::Prompt(format!(
                "\"{name}\" is no prompt name: letters, digits, - and _ only, without .wav"
            )));
        }
        let file = format!("{name}.wav");
        let read = match &self.prompts {
            Some(directory) => tokio::fs::read(directory.join(&file)).await,
            None => {
                Recorded::get(&file).map(|found| found.data.into_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        };
        read.map_err(|e| {
            SpeechError::Prompt(format!(
                "the prompt {file}{} cannot be read: {e}; record it, or say in [voice] prompts where the recorded prompts are",
                self.place()
            ))
        })
    }

    /// Where the recorded prompts are, if not inside the program.
    fn place(&self) -> String {
        self.prompts.as_ref().map_or_else(String::new, |directory| format!(" in {}", directory.display()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Speech, Arc<Prompt>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes `<name>.wav`, for nobody else to read: aside and moved, so that a crash never leaves half a prompt under its name.
async fn keep(directory: &Path, name: &str, wav: &[u8]) -> Result<(), SpeechError> {
    let part = format!("{name}.{:016x}.part", u64::from_le_bytes(crate::base::rng::secure_bytes()));
    let (aside, path) = (directory.join(part), directory.join(format!("{name}.wav")));
    let written = async {
        let mut file = tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).await?;
        file.write_all(wav).await?;
        file.sync_all().await?;
        tokio::fs::rename(&aside, &path).await
    };
    written.await.map_err(|e| SpeechError::Cache(directory.to_owned(), e))
}

/// A name that cannot leave its directory.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Makes a directory that nobody else may look into; one that is there already becomes so.
fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// A text without control characters, and no longer than can be spoken.
fn speakable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(MAX_TEXT).collect()
}

/// How long the engine may take for one text.
const SPEAK_LIMIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker(dir: &Path, argv: &[&str]) -> Speaker {
        let argv = argv.iter().map(|s| (*s).to_owned()).collect();
        let (cache, uploads) = (dir.join("cache"), dir.join("uploads"));
        Speaker::new(None, cache, uploads, VoiceCommand { argv }).unwrap()
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("cordboard-speech-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[tokio::test]
    async fn a_recorded_prompt_is_loaded_once_and_kept() {
        let dir = scratch("recorded");
        let speaker = speaker(&dir, &["false"]);
        let speech = Speech::Recorded { prompt: "plumbing".into() };
        assert!(speaker.find_ready(&speech).is_none());
        let first = speaker.prepare(&speech).await.unwrap();
        assert!(Arc::ptr_eq(&first, &speaker.find_ready(&speech).unwrap()));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn prompts_of_ones_own_are_read_in_place_of_ours() {
        let dir = scratch("own");
        std::fs::write(dir.join("hello.wav"), Recorded::get("moment.wav").unwrap().data).unwrap();
        let argv = VoiceCommand { argv: vec!["false".to_owned()] };
        let own = Speaker::new(Some(dir.clone()), dir.join("cache"), dir.join("uploads"), argv).unwrap();
        own.prepare(&Speech::Recorded { prompt: "hello".into() }).await.unwrap();
        let missing = own.prepare(&Speech::Recorded { prompt: "moment".into() }).await.unwrap_err().to_string();
        assert!(missing.starts_with("the prompt moment.wav in ") && missing.contains("[voice] prompts"), "{missing}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn a_prompt_name_cannot_leave_its_directory() {
        let dir = scratch("escape");
        let speaker = speaker(&dir, &["false"]);
        let result = speaker.prepare(&Speech::Recorded { prompt: "../../secret".into() }).await;
        assert!(matches!(result, Err(SpeechError::Prompt(_))));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn a_missing_engine_is_said_in_a_sentence() {
        let dir = scratch("missing");
        let speaker = speaker(&dir, &["cordboard-has-no-such-voice"]);
        let error = speaker.check_engine().await.unwrap_err().to_string();
        assert!(error.contains("voice engine") && error.contains("install"), "{error}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn a_text_is_spoken_once_and_then_read_from_disk() {
        let dir = scratch("cached");
        // An engine of our own: it prints a prompt that exists, whatever it is told to say.
        let engine = speaker(&dir, &["cat", "prompts/en/comfort.wav"]);
        let wav = engine.speak("hello").await.unwrap();
        assert_eq!(wav, std::fs::read("prompts/en/comfort.wav").unwrap());
        let files: Vec<_> = std::fs::read_dir(dir.join("cache")).unwrap().collect();
        assert_eq!(files.len(), 1);
        assert_eq!(engine.speak("hello").await.unwrap(), wav);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn what_is_spoken_once_is_kept_nowhere() {
        let dir = scratch("once");
        let engine = speaker(&dir, &["cat", "prompts/en/comfort.wav"]);
        let message = Speech::Spoken { text: "a burst pipe".into() };
        engine.prepare_once(&message).await.unwrap();
        assert!(engine.find_ready(&message).is_none());
        assert_eq!(std::fs::read_dir(dir.join("cache")).unwrap().count(), 0);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn nobody_else_may_read_what_was_spoken() {
        let dir = scratch("private");
        let cache = dir.join("cache");
        std::fs::create_dir_all(&cache).unwrap();
        let engine = speaker(&dir, &["cat", "prompts/en/comfort.wav"]);
        engine.speak("hello").await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cache), 0o700);
        for file in std::fs::read_dir(&cache).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
