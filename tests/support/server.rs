//! Cordboard as a newcomer starts it: the real binary as a child process, `demo`, in a scratch directory.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
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
    output: Arc<Mutex<String>>,
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
        // Media ports lie outside the ephemeral range; each process and server has a part of its own.
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let base = 20_000 + 200 * ((std::process::id() as u16 % 24) * 2 + n % 2);
        let mut child = Command::new(env!("CARGO_BIN_EXE_cordboard"))
            .arg("demo")
            .arg("--data")
            .arg(dir)
            .args(["--http", &format!("127.0.0.1:{http}")])
            .args(["--sip", &format!("127.0.0.1:{sip}")])
            .args(["--phones", &format!("127.0.0.1:{phones}")])
            .args(["--rtp-ports", &format!("{base}-{}", base + 199)])
            .args(arguments)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let output = Arc::new(Mutex::new(String::new()));
        let streams: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("stdout is piped")),
            Box::new(child.stderr.take().expect("stderr is piped")),
        ];
        for stream in streams {
            let output = Arc::clone(&output);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                }
            });
        }
        let mut server = Self { child, dir: dir.to_owned(), http, sip, output };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                panic!("the demo ended at start ({status}):\n{}", self.output());
            }
            if http_status(self.http, "/readyz") == Some(200) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the demo was not ready within 30 s:\n{}", self.output());
    }

    /// All that it printed.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
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
            eprintln!("--- what the demo printed ---\n{}", self.output());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn scratch() -> PathBuf {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("cordboard-demo-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("the temporary directory is writable");
    dir
}

fn http_status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).ok()?.parse().ok()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port on loopback");
    listener.local_addr().expect("a bound socket has an address").port()
}
