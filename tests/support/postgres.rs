//! A PostgreSQL server of a test's own: on loopback, in a temporary directory, stopped when dropped.
//!
//! Where PostgreSQL is not installed the tests that need it are skipped by name, loudly; with `CI` set in
//! the environment that is a failure instead.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::temp::TempDir;

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    server: Child,
    port: u16,
    _directory: TempDir,
    binaries: PathBuf,
}

impl Postgres {
    /// Starts a server for `test`; `None`, with a word on why, where there is none to start.
    pub fn start(test: &str) -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            let words = format!("SKIPPED {test}: PostgreSQL is not installed (Debian: apt install postgresql)");
            assert!(std::env::var_os("CI").is_none(), "{words}");
            eprintln!("{words}");
            return None;
        };
        let directory = TempDir::new("postgres");
        let data = directory.path().join("data");
        let root = is_root();
        fs::create_dir(&data).expect("the temporary directory can be written");
        if root {
            // The server refuses to run as root; Debian's package made this user.
            run(Command::new("chown").arg("-R").arg("postgres").arg(directory.path()));
        }
        run(as_server_user(root, &binaries.join("initdb")).arg("--pgdata").arg(&data).args([
            "--username=cordboard",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]));
        let port = free_port();
        let mut server = as_server_user(root, &binaries.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", directory.path().display()))
            // Only a test's data: never waits for the disk.
            .args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"])
            .args(["-c", "max_connections=60", "-c", "shared_buffers=16MB"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's binary can be started");
        let mut lines = BufReader::new(server.stderr.take().expect("stderr is piped")).lines();
        let mut said = String::new();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| {
            said.push_str(&line);
            said.push('\n');
            line.contains("ready to accept connections")
        });
        assert!(ready, "PostgreSQL did not start:\n{said}");
        // Drains what it says from here on, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Self { server, port, _directory: directory, binaries })
    }

    /// The address of a new, empty database.
    pub fn create_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        run(Command::new(self.binaries.join("createdb")).args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "cordboard",
            &name,
        ]));
        format!("postgres://cordboard@127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown. Runuser hands it on to the server it waits for.
        let _ = Command::new("kill").args(["-INT", &self.server_pid().to_string()]).status();
        let _ = self.server.wait();
    }
}

impl Postgres {
    /// The server itself, not the `runuser` before it: the first line of its pid file.
    fn server_pid(&self) -> u32 {
        let file = self._directory.path().join("data/postmaster.pid");
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or_else(|| self.server.id())
    }
}

fn find_binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file());
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

fn as_server_user(root: bool, binary: &Path) -> Command {
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(binary).current_dir("/");
        command
    } else {
        Command::new(binary)
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the command can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
