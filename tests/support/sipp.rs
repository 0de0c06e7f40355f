//! SIPp as the far end's signalling: a caller, or an on-call person's phone. The media is an [`Ear`]'s.

use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// A running SIPp, ended by its process id when dropped.
pub struct Sipp {
    child: Child,
    log: PathBuf,
    port: u16,
    call_id: String,
}

impl Sipp {
    /// Runs `tests/sipp/scenarios/<scenario>.xml` towards `target`, once, from `local_port`, with
    /// `[audio_port]` and further keys filled in.
    pub fn start(
        scenario: &str,
        target: &str,
        local_port: u16,
        audio_port: u16,
        keys: &[(&str, &str)],
        scratch: &Path,
    ) -> Self {
        Self::start_with(scenario, target, local_port, audio_port, keys, &[], scratch)
    }

    /// The same with further options of SIPp's own.
    pub fn start_with(
        scenario: &str,
        target: &str,
        local_port: u16,
        audio_port: u16,
        keys: &[(&str, &str)],
        options: &[&str],
        scratch: &Path,
    ) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sipp/scenarios/{scenario}.xml"));
        assert!(file.is_file(), "no scenario {}", file.display());
        let call_id = format!("call-{local_port}@127.0.0.1");
        let log = scratch.join(format!("sipp-{scenario}-{local_port}.log"));
        let output = std::fs::File::create(&log).expect("the scratch directory is writable");
        let mut command = Command::new("sipp");
        command
            .arg(target)
            .arg("-sf")
            .arg(file)
            .args(["-m", "1", "-l", "1", "-i", "127.0.0.1", "-p", &local_port.to_string()])
            .args(["-key", "audio_port", &audio_port.to_string()])
            .args(["-cid_str", &call_id])
            .args(["-timeout", "180s", "-timeout_error", "-nostdin", "-nd", "-trace_err", "-error_file"])
            .arg(log.with_extension("errors"));
        command.args(options);
        for (key, value) in keys {
            command.args(["-key", key, value]);
        }
        let error = output.try_clone().expect("a file handle can be cloned");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(error)
            .current_dir(scratch)
            .spawn()
            .expect("sipp was found before");
        Self { child, log, port: local_port, call_id }
    }

    /// Tells a `…_on_cue` scenario to go on: a MESSAGE in its call, which it waits for.
    pub fn cue(&self) {
        let cue = format!(
            "MESSAGE sip:cue@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKcue\r\n\
             From: <sip:test@127.0.0.1>;tag=cue\r\nTo: <sip:cue@127.0.0.1>\r\nCall-ID: {}\r\n\
             CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
            self.call_id
        );
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free UDP port on loopback");
        socket.send_to(cue.as_bytes(), ("127.0.0.1", self.port)).expect("loopback takes a datagram");
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<bool> {
        self.child.try_wait().expect("our own child can be asked").map(|status| status.success())
    }

    /// Waits for its end and asserts that the scenario went through.
    pub fn expect_success(mut self) {
        for _ in 0..1_000 {
            if let Some(success) = self.ended() {
                assert!(success, "SIPp failed:\n{}", self.tail());
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("SIPp did not end:\n{}", self.tail());
    }

    /// The end of what it printed.
    pub fn tail(&self) -> String {
        let mut log = std::fs::read(&self.log).unwrap_or_default();
        log.extend(std::fs::read(self.log.with_extension("errors")).unwrap_or_default());
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now, for TCP and UDP, outside the ephemeral range so that it stays free.
pub fn free_port() -> u16 {
    static ASKED: AtomicU16 = AtomicU16::new(0);
    for _ in 0..50 {
        let n = ASKED.fetch_add(1, Ordering::Relaxed);
        let port = 15_000 + (std::process::id() % 100) as u16 * 50 + n % 50;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on loopback");
}
