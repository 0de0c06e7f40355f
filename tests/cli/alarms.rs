//! Whom alarms reach: `[alarms]` as `check` reads it.

use crate::temp::TempDir;
use crate::{cordboard, said, write};

const STEP: &str = "[[alarms.step]]\nby = \"text\"\nname = \"Pat\"\nnumber = \"+12025550180\"\n";

fn check(config: &str) -> (Option<i32>, String) {
    let directory = TempDir::new("alarms");
    write(directory.path(), "token", "secret\n");
    write(directory.path(), "cordboard.toml", config);
    let output = cordboard(directory.path(), &["check"]);
    (output.status.code(), said(&output))
}

/// With a provider of texts.
fn with_texts(alarms: &str) -> String {
    format!(
        "{alarms}[http]\npublic_url = \"https://desk.example.com\"\n[[sms]]\nname = \"one\"\nkind = \"twilio\"\n\
         account_sid = \"AC1\"\nauth_token_file = \"token\"\nfrom = \"+12025550100\"\n"
    )
}

#[test]
fn a_house_where_nobody_would_be_told_is_warned_and_one_with_a_supervisor_is_not() {
    let (code, said) = check("");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("warning: [alarms] has no step: an alarm while nobody is at a desk reaches nobody"),
        "{said}"
    );
    let (code, said) = check(&with_texts(STEP));
    assert_eq!((code, said.trim()), (Some(0), "cordboard.toml: no mistakes (0 trunks)"));
}

#[test]
fn each_mistake_is_told_with_its_line() {
    for (config, mistake) in [
        ("[alarms]\n".to_owned(), "1: [alarms]: it has no step, so nobody is told. Write one [[alarms.step]]"),
        (STEP.to_owned(), "2: [[alarms.step]]: it texts, and no texts leave. Add an [[sms]] provider"),
        (STEP.replace("\"text\"", "\"call\""), "2: [[alarms.step]]: it calls, and there is no trunk. Name a trunk"),
        (with_texts(&STEP.replace("\"text\"", "\"pigeon\"")), "2: [[alarms.step]]: `by = \"pigeon\"` cannot be read."),
        (with_texts(&STEP.replace("name = \"Pat\"\n", "")), "1: [[alarms.step]]: `name` is missing."),
        (with_texts(&STEP.replace("+12025550180", "911")), "4: [[alarms.step]]: `number = \"911\"` cannot be read."),
        (
            with_texts(&format!("[alarms]\nrepeat_secs = 10\n{STEP}")),
            "2: [alarms]: `repeat_secs` is not a whole number from 300 to 86400.",
        ),
        (
            with_texts(&format!("{STEP}after_sec = 5\n")),
            "5: [[alarms.step]]: `after_sec` is not known. Perhaps `after_secs`",
        ),
    ] {
        let (code, said) = check(&config);
        assert_eq!(code, Some(1), "{config}\n{said}");
        assert!(said.contains(&format!("cordboard.toml:{mistake}")) && said.contains("1 mistake"), "{mistake}\n{said}");
    }
}
