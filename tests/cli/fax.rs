//! `[fax]` on a machine without the engine that faxes are sent by: refused before anything is started, with what to install.

use std::process::{Command, Stdio};

use super::{TempDir, said, whole, write};

#[test]
fn a_file_that_means_faxes_to_be_sent_is_refused_where_the_engine_is_missing() {
    let directory = TempDir::new("cli");
    // Found before the real one, if there is any, and no library.
    write(directory.path(), "libspandsp.so.2", "no library");
    write(directory.path(), "cordboard.toml", &format!("{}[fax]\nheader = \"Night Desk\"\n", whole()));
    for command in ["check", "serve"] {
        let output = Command::new(env!("CARGO_BIN_EXE_cordboard"))
            .arg(command)
            .current_dir(directory.path())
            .env("LD_LIBRARY_PATH", directory.path())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .output()
            .expect("the program can be started");
        let words = said(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {words}");
        assert!(words.contains("fax_needs_libspandsp2") && words.contains("apt install libspandsp2"), "{words}");
    }
    assert!(!directory.path().join("data").exists(), "something was begun");
}
