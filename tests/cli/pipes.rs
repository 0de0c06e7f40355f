//! What is printed to somebody who has stopped reading, as `cordboard simulate … | head -1` does.

use std::process::{Command, Stdio};

use super::temp::TempDir;

#[test]
fn a_reader_who_stops_ends_the_command_quietly() {
    let directory = TempDir::new("cli-pipes");
    let simulate = ["simulate", "--account", "plumbing", "--call-type", "urgent", "--at", "2026-03-07T02:00"];
    let as_json = [&simulate[..], &["--json"]].concat();
    for arguments in [&simulate[..], &as_json[..], &["completions", "bash"][..]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cordboard"))
            .args(arguments)
            .current_dir(directory.path())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*words), (Some(0), ""), "{arguments:?}");
    }
}
