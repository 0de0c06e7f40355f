//! An operator's seat: a headless Chromium with the real console, driven through `tests/browser/seat.mjs`,
//! one JSON line a command and one an answer. Her voice is a sine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::tones;

/// A running browser, ended when dropped.
pub struct Seat {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Seat {
    /// Opens the console of the server at `http_port`; the microphone plays a sine of `tone_hz`.
    pub fn open(http_port: u16, tone_hz: f64, scratch: &Path) -> Self {
        Self::open_from(&[], &format!("http://127.0.0.1:{http_port}"), tone_hz, scratch)
    }

    /// The same at an address, with a prefix that runs the browser elsewhere.
    pub fn open_from(prefix: &[String], base: &str, tone_hz: f64, scratch: &Path) -> Self {
        let voice = scratch.join(format!("voice-{tone_hz}.wav"));
        write_tone(&voice, tone_hz);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/seat.mjs");
        let mut words = prefix.iter().map(String::as_str).chain(["node"]);
        let mut child = Command::new(words.next().expect("one at least"))
            .args(words)
            .arg(script)
            .arg(base)
            .arg(&voice)
            .arg(scratch)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node was found before");
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, stdin, stdout }
    }

    /// Does `command` (a function of `seat.mjs`) with `arguments` and gives its answer.
    pub fn act(&mut self, command: &str, arguments: Value) -> Value {
        writeln!(self.stdin, "{}", json!({ "command": command, "arguments": arguments })).expect("the browser listens");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the browser answers");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer to {command}: {line:?}"));
        assert!(answer["error"].is_null(), "{command}: {}", answer["error"].as_str().unwrap_or("?"));
        answer["value"].clone()
    }

    /// Asserts who is heard in the headset over `seconds` and who is not, as [`tones::assert_hears`] judges it.
    pub fn assert_hears(&mut self, wanted: &[f64], unwanted: &[f64], seconds: u32) {
        let all: Vec<f64> = wanted.iter().chain(unwanted).copied().collect();
        let heard = self.act("levels", json!({ "frequencies": all, "seconds": seconds }));
        let tenths: Vec<Vec<f64>> = serde_json::from_value(heard).expect("levels by tenths of a second");
        assert!(tenths.len() >= seconds as usize * 10 - 1, "only {} tenths of a second were heard", tenths.len());
        tones::assert_hears("the operator", &tenths, wanted, unwanted);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Closing its input ends the script, and the script its browser; the kill is for one that hangs.
        let _ = writeln!(self.stdin, "{}", json!({ "command": "quit", "arguments": {} }));
        for _ in 0..50 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_tone(path: &Path, hz: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("the scratch directory is writable");
    // Whole seconds hold whole periods of a whole number of hertz, so the loop has no seam.
    for i in 0..48_000 * 4 {
        let sample = (std::f64::consts::TAU * hz * f64::from(i) / 48_000.0).sin() * 12_000.0;
        writer.write_sample(sample as i16).expect("the scratch directory is writable");
    }
    writer.finalize().expect("the scratch directory is writable");
}
