//! Processes that are measured: started in a process group of their own, asked for their CPU time and memory through
//! /proc, ended by their id.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use std::os::unix::process::CommandExt as _;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A process with its children.
pub struct Process {
    child: Child,
    group: u32,
}

impl Process {
    /// Starts it; what it prints goes to `log`.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let open = || File::create(log).map_err(|why| format!("cannot write {}: {why}", log.display()));
        let out = open()?;
        let err = out.try_clone().map_err(|why| why.to_string())?;
        let child = command
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(|why| format!("{}: {why}", command.get_program().to_string_lossy()))?;
        let group = child.id();
        Ok(Self { child, group })
    }

    /// Writes to its standard input.
    pub fn tell(&mut self, text: &str) -> Result<(), String> {
        let input = self.child.stdin.as_mut().ok_or("its standard input is closed")?;
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).map_err(|why| why.to_string())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// CPU seconds so far, user and system, of the whole group.
    pub fn cpu(&self) -> f64 {
        self.members().iter().map(|stat| (stat.user + stat.system) as f64 / TICKS).sum()
    }

    /// Resident memory in KB of the whole group.
    pub fn rss_kb(&self) -> f64 {
        self.members().iter().map(|stat| stat.pages as f64 * 4.0).sum()
    }

    /// Open sockets of the leader.
    pub fn sockets(&self) -> usize {
        let open = fs::read_dir(format!("/proc/{}/fd", self.group)).into_iter().flatten().flatten();
        open.filter(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))).count()
    }

    fn members(&self) -> Vec<Stat> {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = all.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        stats.filter_map(|text| Stat::parse(&text)).filter(|stat| stat.group == self.group).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.group.to_string()]).status();
        for _ in 0..100 {
            if !self.is_running() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        // Whoever of the group is left; it was made by us and holds nothing else.
        if !self.members().is_empty() {
            let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.group)]).status();
        }
        let _ = self.child.wait();
    }
}

/// Clock ticks a second in /proc: 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

struct Stat {
    group: u32,
    user: u64,
    system: u64,
    pages: u64,
}

impl Stat {
    /// proc(5): after the name in brackets come state, parent, group, …, utime (14th), stime, …, rss (24th).
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |n: usize| fields.get(n - 3)?.parse().ok();
        Some(Self { group: fields.get(2)?.parse().ok()?, user: number(14)?, system: number(15)?, pages: number(24)? })
    }
}

/// Keeps what is measured and what measures on cores of their own, as far as there are two: what the one does not get, the
/// other must not have taken.
pub struct Apart(CpuSet);

impl Apart {
    /// From here on this thread, and what it starts, runs on the first core alone.
    pub fn first_core() -> Option<Self> {
        let whole = sched_getaffinity(None).ok().filter(|set| set.count() > 1)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| whole.is_set(*core));
        let mut first = CpuSet::new();
        first.set(cores.next()?);
        sched_setaffinity(None, &first).ok()?;
        Some(Self(whole))
    }

    /// From here on on all the others.
    pub fn other_cores(&self) {
        let mut others = self.0;
        if let Some(first) = (0..CpuSet::MAX_CPU).find(|core| others.is_set(*core)) {
            others.unset(first);
        }
        let _ = sched_setaffinity(None, &others);
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.0);
    }
}

/// A port that is free for UDP and TCP now, below the ephemeral range.
pub fn free_port(from: u16) -> u16 {
    let free =
        |port: &u16| UdpSocket::bind(("127.0.0.1", *port)).is_ok() && TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (from..from + 200).find(free).expect("one of 200 ports is free")
}

/// Where the run keeps its files.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("cordboard-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("the temporary directory is writable");
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where a program is installed.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    dirs.map(|dir| dir.join(program)).find(|found| found.is_file())
}
