//! Real peers that tests need: SIPp, Chromium, PostgreSQL, an SMTP server. Included by test binaries with
//! `#[path = "../support/peers.rs"] mod peers;`.
//!
//! A missing peer is a loud, named skip on a laptop (`scripts/test` lists it) and a failure in CI.

use std::io::Write as _;
use std::path::PathBuf;

/// Where `program` is, or `None` after having said that `test` is skipped for want of it.
///
/// # Panics
/// Where CI is set: there a skip is a failure.
pub fn find_program(test: &str, program: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|dir| dir.join(program)).find(|candidate| candidate.is_file())
    });
    if found.is_none() {
        skip(test, &format!("{program} is not installed (make test installs it on Debian)"));
    }
    found
}

/// Says that `test` is skipped and why.
///
/// # Panics
/// Where CI is set: there a skip is a failure.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} must not be skipped in CI: {why}");
    eprintln!("SKIPPED {test}: {why}");
    if let Some(path) = std::env::var_os("CORDBOARD_SKIPS") {
        let line = format!("{test}: {why}\n");
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list of skips can be written");
    }
}
