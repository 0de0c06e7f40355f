//! Networks of a test's own: it runs itself once more in a network namespace, and puts an operator's home beside it
//! in another, with links that come and go. Nothing of the machine's own network is touched, and all is gone with
//! the processes. Without the right to do so (root, or user namespaces) the test is skipped, loudly.

use std::ffi::OsStr;
use std::io::Read as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::peers;

/// Set in the run that is inside.
const INSIDE: &str = "CORDBOARD_TEST_INSIDE";
/// What Cordboard and its callers' carrier live at, inside.
pub const DESK: &str = "10.77.0.1";
/// A relay, beside them.
pub const RELAY: &str = "10.77.0.9";

/// Whether this is the run inside, whose network is the test's own. Otherwise runs `test` there, and fails as it does.
pub fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        ip(&["link", "set", "lo", "up"]);
        for address in [DESK, RELAY] {
            ip(&["addr", "add", &format!("{address}/32"), "dev", "lo"]);
        }
        return true;
    }
    if !["ip", "nsenter", "unshare", "nft"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return false;
    }
    let mut enter = vec!["--net"];
    // A user namespace of our own has no rights outside itself.
    if Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status().is_ok_and(|s| !s.success()) {
        enter.extend(["--user", "--map-root-user"]);
    }
    let allowed = Command::new("unshare").args(&enter).arg("true").stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        peers::skip(test, "network namespaces are not allowed here (run as root, or allow user namespaces)");
        return false;
    }
    let me = std::env::current_exe().expect("a test knows its own program");
    let status = Command::new("unshare")
        .args(&enter)
        .arg(me)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .status()
        .expect("unshare was found before");
    assert!(status.success(), "{test} failed inside its network");
    false
}

/// Runs a program that must succeed.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect("it was found before");
    let words = String::from_utf8_lossy(&output.stderr);
    let shown: Vec<_> = arguments.iter().map(|a| a.as_ref().to_string_lossy()).collect();
    assert!(output.status.success(), "{program} {}: {words}", shown.join(" "));
}

fn ip(arguments: &[&str]) {
    run("ip", arguments);
}

/// Another network namespace: a home, or the router before it. Gone when dropped.
pub struct Place {
    holder: Child,
    _open: ChildStdin,
}

impl Place {
    /// One without any link yet.
    pub fn new() -> Self {
        // It lasts as long as its standard input is open: also a test that is killed leaves nothing behind.
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo there; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare was found before");
        let mut there = [0; 6];
        holder.stdout.take().expect("piped").read_exact(&mut there).expect("a namespace is made");
        let open = holder.stdin.take().expect("piped");
        let place = Self { holder, _open: open };
        place.run("ip", &["link", "set", "lo", "up"]);
        place
    }

    /// How a program is run there.
    pub fn prefix(&self) -> Vec<String> {
        ["nsenter", "-t", &self.holder.id().to_string(), "-n"].map(str::to_owned).to_vec()
    }

    /// Runs a program there that must succeed.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        let prefix = self.prefix();
        let all: Vec<&str> =
            prefix[1..].iter().map(String::as_str).chain([program]).chain(arguments.iter().copied()).collect();
        run(&prefix[0], &all);
    }

    /// A link named `name` between here (`<net>.1`) and there (`<net>.2`); `net`: the first three parts of an address.
    pub fn link(&self, name: &str, net: &str) {
        let here = format!("{name}0");
        ip(&["link", "add", &here, "type", "veth", "peer", "name", name, "netns", &self.holder.id().to_string()]);
        ip(&["addr", "add", &format!("{net}.1/24"), "dev", &here]);
        ip(&["link", "set", &here, "up"]);
        self.run("ip", &["addr", "add", &format!("{net}.2/24"), "dev", name]);
        self.run("ip", &["link", "set", name, "up"]);
    }

    /// All goes by the link whose network this is.
    pub fn route_by(&self, net: &str) {
        self.run("ip", &["route", "replace", "default", "via", &format!("{net}.1")]);
    }

    /// A link that was left is there again.
    pub fn come_back(&self, name: &str, net: &str) {
        self.run("ip", &["link", "set", name, "up"]);
        self.run("ip", &["addr", "add", &format!("{net}.2/24"), "dev", name]);
    }

    /// A link's air is gone, and the address with it; the other end is not told.
    pub fn leave(&self, name: &str) {
        self.run("ip", &["link", "set", name, "down"]);
        self.run("ip", &["addr", "flush", "dev", name]);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
