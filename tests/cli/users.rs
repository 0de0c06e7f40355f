//! Users and their desk phones, as they are added and taken away at a shell.

use super::temp::TempDir;
use super::{SMALL, cordboard, said, write};

#[test]
fn desk_phones_are_added_listed_and_removed() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", SMALL);
    let phone = |arguments: &[&str]| {
        let output = cordboard(directory.path(), &[&["phone"], arguments].concat());
        (output.status.code(), said(&output))
    };
    let (code, words) = phone(&["add", "--user", "kim", "--name", "Desk 3"]);
    assert_eq!((code, words.trim()), (Some(1), "there is no user \"kim\". Known: there is none yet"));
    assert_eq!(cordboard(directory.path(), &["user", "add", "kim"]).status.code(), Some(0));
    let (code, words) = phone(&["add", "--user", "kim", "--name", "Desk 3"]);
    assert_eq!(code, Some(0), "{words}");
    let value = |name: &str| {
        let line = words.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {words}"));
        line.trim().to_owned()
    };
    let (user, secret) = (value("User:"), value("Secret:"));
    assert!(user.starts_with("kim-") && secret.len() >= 26, "{words}");
    assert_eq!(value("Realm:"), "cordboard");
    assert!(value("Address:").starts_with("127.0.0.1:"), "{words}");

    let (code, words) = phone(&["add", "--user", "kim", "--name", " desk 3"]);
    assert!(code == Some(1) && words.contains(&format!("cordboard phone remove {user}")), "{words}");
    let (_, listed) = phone(&["list"]);
    assert_eq!(listed.trim(), format!("{user}  Desk 3  kim  201"));
    let (code, words) = phone(&["add", "--user", "kim", "--name", "Desk 4", "--extension", "201"]);
    assert!(code == Some(1) && words.contains("extension 201 is \"Desk 3\"'s"), "{words}");
    let (code, words) = phone(&["add", "--user", "kim", "--name", "Desk 4", "--extension", "911"]);
    assert!(code == Some(2) && words.contains("emergency number"), "{words}");
    let data = std::fs::read(directory.path().join("data/cordboard.db")).expect("the database is a file");
    assert!(!String::from_utf8_lossy(&data).contains(&secret), "the secret is kept nowhere");
    assert_eq!(phone(&["remove", &user]), (Some(0), format!("Removed {user}.\n")));
    let (code, words) = phone(&["remove", &user]);
    assert!(code == Some(1) && words.contains("there is no phone"), "{words}");
    assert!(phone(&["list"]).1.starts_with("No desk phones."));
}

#[test]
fn users_are_added_once() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", SMALL);
    let output = cordboard(directory.path(), &["user", "add", "Ana", "--role", "supervisor"]);
    let words = said(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(words.starts_with("Added Ana.\nPassword: "), "{words}");
    let output = cordboard(directory.path(), &["user", "add", "ana"]);
    assert_eq!((output.status.code(), said(&output).trim()), (Some(1), "there is a user \"ana\" already"));
    let output = cordboard(directory.path(), &["user", "add", "a b"]);
    assert_eq!(output.status.code(), Some(1));
    // Nothing on standard input: no password.
    let output = cordboard(directory.path(), &["user", "add", "bo", "--password-stdin"]);
    assert_eq!((output.status.code(), said(&output).trim()), (Some(1), "A password has at least 8 characters."));
}

#[test]
fn what_users_can_do_is_said_when_they_are_added_and_later() {
    let directory = TempDir::new("cli");
    write(directory.path(), "cordboard.toml", SMALL);
    let skills = |words: &[&str]| {
        let output = cordboard(directory.path(), &[&["user", "skills"], words].concat());
        (output.status.code(), said(&output).trim().to_owned())
    };
    let add = ["user", "add", "ana", "--skill", "Spanish", "--skill", "medical"];
    assert_eq!(cordboard(directory.path(), &add).status.code(), Some(0));
    assert_eq!(skills(&["bo", "german"]), (Some(1), "there is no user \"bo\". Known: ana".to_owned()));
    assert_eq!(skills(&["ana", "German", "medical"]), (Some(0), "ana: german, medical.".to_owned()));
    assert_eq!(skills(&["ana"]), (Some(0), "ana: no skills.".to_owned()));
    assert_eq!(skills(&["ana", " "]).0, Some(2));
}
