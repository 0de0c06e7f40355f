//! rustpbx, another Rust server, from crates.io (docs/performance.md says how to get it): calls that are played to, calls
//! that are answered and hung up, two legs bridged.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use cordboard::proto::audio::tone::sine;

use super::Service;
use super::process::{Process, Scratch, free_port};

/// Answered and played to.
pub const GREETED: &str = "greeting";
/// Sent on to the callee.
pub const BRIDGED: &str = "bench";

/// What a call takes beside the steady window, with ease: it keeps a greeting in memory once a call.
const BESIDE: Duration = Duration::from_secs(12);

/// The running server.
pub struct Rustpbx {
    pub process: Process,
    pub sip: SocketAddr,
    /// Last: it is removed when the process has ended.
    _scratch: Scratch,
}

impl Rustpbx {
    /// Starts `binary`; calls to [`BRIDGED`] go on to `callee`, those to [`GREETED`] are played to for `window`.
    pub fn start(binary: &Path, callee: SocketAddr, window: Duration) -> Result<Self, String> {
        let scratch = Scratch::new("rustpbx");
        let dir = &scratch.0;
        let (http, sip) = (free_port(14_600), free_port(14_900));
        let fill = |text: &str| {
            text.replace("{http}", &http.to_string())
                .replace("{sip}", &sip.to_string())
                .replace("{callee}", &callee.to_string())
                .replace("{here}", &dir.display().to_string())
        };
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), fill(text)).map_err(|why| why.to_string());
        write("rustpbx.toml", include_str!("rustpbx.toml"))?;
        write(
            "ivr.toml",
            "[ivr]\nname = \"bench\"\n[ivr.root]\ngreeting = \"{here}/greeting.wav\"\ntimeout_ms = 60000\n",
        )?;
        greeting(&dir.join("greeting.wav"), window + BESIDE).map_err(|why| why.to_string())?;
        let mut command = Command::new(binary);
        // Beside what it is told it looks around where it is started.
        command.arg("--conf").arg(dir.join("rustpbx.toml")).current_dir(dir).env_remove("RUST_LOG");
        let mut process = Process::start(command, &dir.join("log"))?;
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", http)).is_ok() {
                // The console is there; SIP follows.
                sleep(Duration::from_secs(1));
                return Ok(Self { process, sip: SocketAddr::from(([127, 0, 0, 1], sip)), _scratch: scratch });
            }
            if !process.is_running() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        Err(format!("{} did not get ready:\n{log}", binary.display()))
    }

    /// Calls that it plays to.
    pub const fn greeting(&self) -> Service<'_> {
        Service { process: &self.process, sip: self.sip, dialled: GREETED }
    }
}

fn greeting(path: &Path, length: Duration) -> Result<(), hound::Error> {
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format };
    let mut wav = hound::WavWriter::create(path, spec)?;
    for sample in sine(300.0, 6_000.0, length.as_secs() as usize * 8_000) {
        wav.write_sample(sample)?;
    }
    wav.finalize()
}
