//! Cordboard as a newcomer starts it: the real binary as a child process, `demo`, in a scratch directory.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

#[path = "program.rs"]
mod program;

pub use program::Program;

/// A running service or demo, ended by its process id when dropped.
pub struct Server {
    program: Program,
    pub dir: PathBuf,
    pub http: u16,
    pub sip: u16,
    /// Where desk phones register; 0 where the configuration says it.
    pub phones: u16,
}

impl Deref for Server {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

static NEXT: AtomicU16 = AtomicU16::new(0);

impl Server {
    /// Starts `cordboard demo` with ports of its own and waits until it is ready.
    pub fn start() -> Self {
        Self::start_in(&scratch(), &[], &[])
    }

    /// The same, with its calls out going to 127.0.0.1:`port` instead of the sandbox's phones.
    pub fn start_with_carrier(port: u16) -> Self {
        let dir = scratch();
        Self::start_in(&dir, &["--carrier", &format!("127.0.0.1:{port}")], &[])
    }

    /// Starts a demo on the data in `dir`, with further arguments and environment variables.
    pub fn start_in(dir: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let (http, sip, phones) = (free_port(), free_port(), free_port());
        let mut command = demo(dir, http, sip, phones);
        command.args(arguments).envs(env.iter().copied());
        Self::launch(command, dir, http, sip, phones)
    }

    /// Ends a demo that was started without arguments, as a power cut would, and starts it on the same data at the same ports.
    pub fn starts_anew(&mut self) {
        self.program.kill();
        let http = self.http;
        self.program = Program::start(&mut demo(&self.dir, http, self.sip, self.phones));
        self.program.wait_until(|_| http_status(http, "/readyz") == Some(200));
    }

    /// Starts `cordboard serve` with the configuration in `dir`, which says these ports.
    pub fn serve(dir: &Path, http: u16, sip: u16) -> Self {
        Self::launch(serving(dir), dir, http, sip, 0)
    }

    /// The same; none if it ended at its start.
    pub fn try_serve(dir: &Path, http: u16, sip: u16) -> Option<Self> {
        let mut program = Program::start(&mut serving(dir));
        let up = program.comes_up(|_| http_status(http, "/readyz") == Some(200));
        up.is_ok().then(|| Self { program, dir: dir.to_owned(), http, sip, phones: 0 })
    }

    fn launch(mut command: Command, dir: &Path, http: u16, sip: u16, phones: u16) -> Self {
        let mut program = Program::start(&mut command);
        program.wait_until(|_| http_status(http, "/readyz") == Some(200));
        Self { program, dir: dir.to_owned(), http, sip, phones }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It writes there as long as it runs.
        self.program.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// `cordboard demo` on the data in `dir`, at these ports.
fn demo(dir: &Path, http: u16, sip: u16, phones: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
    command
        .arg("demo")
        .arg("--data")
        .arg(dir)
        .args(["--http", &format!("127.0.0.1:{http}")])
        .args(["--sip", &format!("127.0.0.1:{sip}")])
        .args(["--phones", &format!("127.0.0.1:{phones}")])
        .args(["--rtp-ports", &media_ports()]);
    command
}

/// `cordboard serve` with the configuration in `dir`.
pub fn serving(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
    command.arg("serve").arg("--config").arg(dir.join("cordboard.toml"));
    command
}

/// A directory of a test's own; removed by the server that runs in it.
pub fn scratch() -> PathBuf {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("cordboard-demo-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("the temporary directory is writable");
    dir
}

/// A range of media ports, outside the ephemeral range; each process and server has a part of its own.
pub fn media_ports() -> String {
    static SERVERS: AtomicU16 = AtomicU16::new(0);
    let n = SERVERS.fetch_add(1, Ordering::Relaxed);
    let base = 20_000 + 100 * ((std::process::id() % 10) as u16 * 10 + n % 10);
    format!("{base}-{}", base + 99)
}

/// The status of `GET path`; none while nobody answers.
pub fn http_status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).ok()?.parse().ok()
}

/// A port that is free now, for TCP and UDP, outside the ephemeral range so that it stays free.
pub fn free_port() -> u16 {
    static ASKED: AtomicU16 = AtomicU16::new(0);
    for _ in 0..50 {
        let n = ASKED.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (std::process::id() % 100) as u16 * 50 + n % 50;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on loopback");
}
