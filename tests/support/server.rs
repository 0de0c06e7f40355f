//! Cordboard as a newcomer starts it: the real binary as a child process, `demo`, in a scratch directory.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running demo, ended by its process id when dropped.
pub struct Server {
    child: Child,
    pub dir: PathBuf,
    pub http: u16,
    pub sip: u16,
    /// Where desk phones register; 0 where the configuration says it.
    pub phones: u16,
    output: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
        command
            .arg("demo")
            .arg("--data")
            .arg(dir)
            .args(["--http", &format!("127.0.0.1:{http}")])
            .args(["--sip", &format!("127.0.0.1:{sip}")])
            .args(["--phones", &format!("127.0.0.1:{phones}")])
            .args(["--rtp-ports", &media_ports()])
            .args(arguments)
            .envs(env.iter().copied());
        Self::launch(command, dir, http, sip, phones)
    }

    /// Starts `cordboard serve` with the configuration in `dir`, which says these ports.
    pub fn serve(dir: &Path, http: u16, sip: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
        command.arg("serve").arg("--config").arg(dir.join("cordboard.toml"));
        Self::launch(command, dir, http, sip, 0)
    }

    fn launch(mut command: Command, dir: &Path, http: u16, sip: u16, phones: u16) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let [output, log]: [Arc<Mutex<String>>; 2] = Default::default();
        // Standard error is the log; both together are what a person sees.
        let streams: [(Box<dyn std::io::Read + Send>, _); 2] = [
            (Box::new(child.stdout.take().expect("stdout is piped")), None),
            (Box::new(child.stderr.take().expect("stderr is piped")), Some(Arc::clone(&log))),
        ];
        for (stream, log) in streams {
            let output = Arc::clone(&output);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    for kept in [Some(&output), log.as_ref()].into_iter().flatten() {
                        let mut kept = kept.lock().expect("no holder of this lock panics");
                        kept.push_str(&line);
                        kept.push('\n');
                    }
                }
            });
        }
        let mut server = Self { child, dir: dir.to_owned(), http, sip, phones, output, log };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                panic!("it ended at start ({status}):\n{}", self.output());
            }
            if http_status(self.http, "/readyz") == Some(200) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it was not ready within 30 s:\n{}", self.output());
    }

    /// All that it printed.
    pub fn output(&self) -> String {
        self.output.lock().expect("no holder of this lock panics").clone()
    }

    /// What it wrote to standard error alone: its log.
    pub fn log(&self) -> String {
        self.log.lock().expect("no holder of this lock panics").clone()
    }

    /// Asks it to end, as an init system does: SIGTERM.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(status.expect("kill can be run").success(), "it is not there any more:\n{}", self.output());
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child can be asked").is_none()
    }

    /// Waits for its end and gives its exit code; none if a signal ended it.
    pub fn exit_code(&mut self) -> Option<i32> {
        for _ in 0..1_200 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it did not end within 60 s:\n{}", self.output());
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- what cordboard printed ---\n{}", self.output());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
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
