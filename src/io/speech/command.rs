//! The voice engine as a command: text in, WAV out, bounded in time and size.

use std::fmt;
use std::io;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::wav::with_true_length;
use super::{SPEAK_LIMIT, SpeechError};

/// The largest WAV file taken from the engine: ten minutes at 44.1 kHz.
const MAX_WAV: u64 = 60 << 20;

/// The program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceCommand {
    pub argv: Vec<String>,
}

impl Default for VoiceCommand {
    fn default() -> Self {
        // Slower than its 175 words a minute, for people who were asleep.
        let argv = ["espeak-ng", "-v", "en-us", "-s", "150", "-g", "2", "--stdin", "--stdout"];
        Self { argv: argv.map(str::to_owned).to_vec() }
    }
}

impl fmt::Display for VoiceCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.argv.join(" "))
    }
}

impl VoiceCommand {
    /// What the engine says for `text`: a WAV file with true lengths.
    pub async fn speak(&self, text: &str) -> Result<Vec<u8>, SpeechError> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(SpeechError::Engine("no voice engine is configured: set [voice] command".into()));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| {
                SpeechError::Engine(format!(
                    "the voice engine {program} cannot be started: {e}; install it (Debian: apt-get install espeak-ng) \
                     or set [voice] command"
                ))
            })?;
        let mut stdin = child.stdin.take().expect("stdin was asked to be piped above");
        let stdout = child.stdout.take().expect("stdout was asked to be piped above");
        let work = async {
            let write = async {
                // An engine that has heard enough may close its input; that is no fault.
                match stdin.write_all(text.as_bytes()).await {
                    Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e),
                    _ => {
                        drop(stdin);
                        Ok(())
                    }
                }
            };
            let mut wav = Vec::new();
            let mut limited = stdout.take(MAX_WAV);
            let (written, read) = tokio::join!(write, limited.read_to_end(&mut wav));
            written?;
            read?;
            let status = child.wait().await?;
            Ok::<_, io::Error>((wav, status))
        };
        match tokio::time::timeout(SPEAK_LIMIT, work).await {
            Ok(Ok((wav, status))) if status.success() && !wav.is_empty() => Ok(with_true_length(wav)),
            Ok(Ok((_, status))) => Err(SpeechError::Engine(format!("the voice engine {program} failed ({status})"))),
            Ok(Err(e)) => Err(SpeechError::Engine(format!("the voice engine {program} failed: {e}"))),
            Err(_) => Err(SpeechError::Engine(format!("the voice engine {program} took longer than 20 s"))),
        }
    }
}
