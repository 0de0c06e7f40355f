//! The demo as somebody starts it who has the program alone: from a folder of theirs.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::temp::TempDir;

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").to_string()
}

/// What it says until it is up; all of it if it ends before.
fn until_up(directory: &Path, program: &Path) -> String {
    let mut child = Command::new(program)
        .args(["demo", "--data", "data", "--http", &free(), "--sip", &free(), "--phones", &free()])
        .args(["--rtp-ports", "29900-29999"])
        .current_dir(directory)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program can be started");
    let stdout = child.stdout.take().expect("stdout was asked to be piped above");
    let _running = Running(child);
    let mut said = String::new();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        said.push_str(&line);
        said.push('\n');
        if line.contains("http://") {
            break;
        }
    }
    said
}

#[test]
fn the_demo_starts_from_a_folder_that_holds_nothing_of_ours() {
    let directory = TempDir::new("cli-demo");
    // Not from where it was built: nothing may be found beside it.
    let program = directory.path().join("cordboard");
    let built = env!("CARGO_BIN_EXE_cordboard");
    if std::fs::hard_link(built, &program).is_err() {
        std::fs::copy(built, &program).expect("the temporary directory can be written");
    }
    let said = until_up(directory.path(), &program);
    assert!(said.contains("http://"), "it ended before it was up: {said}");
}
