//! Answers that `cordboard simulate` is given.

use super::temp::TempDir;
use super::{cordboard, said};

#[test]
fn an_answer_that_nobody_can_pick_is_refused_with_those_that_can_be() {
    let directory = TempDir::new("cli-answers");
    let ask = |answer: &str| {
        let at = "2026-03-07T02:00";
        let plain = ["simulate", "--account", "plumbing", "--call-type", "urgent", "--at", at, "--answer", answer];
        cordboard(directory.path(), &plain)
    };
    for (answer, told) in [
        ("valve=maybe", "\"Main valve shut\" cannot be \"maybe\". It takes: yes, no"),
        ("Main valve shut=", "\"Main valve shut\" cannot be \"\". It takes: yes, no"),
        (
            "problem=fire",
            "\"Problem\" cannot be \"fire\". It takes: Leak, No hot water, Broken pipe, Drain backing up, Other",
        ),
    ] {
        let output = ask(answer);
        assert_eq!((output.status.code(), said(&output).trim()), (Some(1), told), "{answer}");
    }
    for answer in ["valve=No", "problem=leak", "address=12 Elm St"] {
        let output = ask(answer);
        assert_eq!(output.status.code(), Some(0), "{answer}: {}", said(&output));
    }
}
