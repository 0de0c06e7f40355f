//! `cordboard account`: a service set up from a document, without the console.

use super::temp::TempDir;
use super::{cordboard, said, whole, write};

const HEATING: &str = r#"
[account]
name = "Acme Heating"
zone = "America/Chicago"
dids = ["(202) 555-0150"]
greeting = { kind = "recorded", prompt = "plumbing" }
apology = { kind = "recorded", prompt = "apology" }
recording = { mode = "off", announcement = { kind = "recorded", prompt = "apology" }, tell_contact = true }

[[contacts]]
name = "Dana Reyes"
title = "technician"
destinations = [
    { label = "mobile", reach = { kind = "phone", address = "202 555 0151" } },
    { label = "email", reach = { kind = "email", address = "dana@example.com" } },
]

[[schedules]]
role = "technician"
fallback = "Dana Reyes"

[[protocols]]
name = "Repairs"
until = "confirmed"
repeat = { from_step = 1 }
steps = [
    { method = { kind = "text_confirm" }, wait_secs = 900, to = [{ kind = "on_call", role = "technician", destination = "mobile" }] },
    { method = { kind = "email" }, to = [{ kind = "contact", contact = "Dana Reyes", destination = "email" }] },
]

[[call_types]]
name = "Repair"
urgency = "urgent"
triggers = "no heat, a leak"
watched = [{ kind = "words", words = "no heat" }, { kind = "answer", field = "smell", is = "yes" }]
protocol = "Repairs"
form = { fields = [
    { label = "Caller's name", kind = { kind = "text" }, required = true, brief = true },
    { label = "Number", kind = { kind = "phone" }, required = true },
    { name = "smell", label = "Smell of gas", kind = { kind = "yes_no" } },
    { label = "Since", kind = { kind = "time" }, shown_if = { field = "smell", is = ["yes"] } },
] }
"#;

/// Nights are for the voicemail.
const NIGHT: &str = r#"
[flow.hours]
windows = [{ name = "night", days = ["monday", "sunday"], from = "18:00", until = "08:00", flow = { kind = "voicemail", call_type = "repair", speech = { kind = "spoken", text = "Speak after the tone." } } }]
"#;

#[test]
fn an_account_is_imported_listed_and_exported_into_another_database() {
    let directory = TempDir::new("cli-account");
    let here = directory.path();
    write(here, "cordboard.toml", &whole());
    write(here, "heating.toml", &format!("{HEATING}{NIGHT}"));
    let listed = cordboard(here, &["account", "list"]);
    assert!(said(&listed).contains("No accounts"), "{}", said(&listed));
    let imported = cordboard(here, &["account", "import", "heating.toml"]);
    assert_eq!((imported.status.code(), said(&imported).as_str()), (Some(0), "Made Acme Heating.\n"));
    let listed = said(&cordboard(here, &["account", "list"]));
    assert!(listed.starts_with("Acme Heating  +12025550150  acc_"), "{listed}");
    // Read again it changes nothing, and makes no other version of its protocol.
    let again = cordboard(here, &["account", "import", "heating.toml"]);
    assert_eq!(said(&again), "Changed Acme Heating.\n");
    let exported = cordboard(here, &["account", "export", "Acme Heating"]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let document = String::from_utf8(exported.stdout).expect("JSON is UTF-8");

    let there = TempDir::new("cli-account-there");
    write(there.path(), "cordboard.toml", &whole());
    write(there.path(), "heating.json", &document);
    let imported = cordboard(there.path(), &["account", "import", "heating.json"]);
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
    let exported = cordboard(there.path(), &["account", "export", "Acme Heating"]);
    assert_eq!(String::from_utf8_lossy(&exported.stdout), document);
}

/// What else steps may say: nights a patch, then a call twice; by day, and only where it smells, a text; the office is informed.
const STEPS: &str = r#"steps = [
    { method = { kind = "live_patch" }, to = [{ kind = "on_call", role = "technician", destination = "mobile" }] },
    { method = { kind = "call_out", leave_message = true }, wait_secs = 600, tries = { times = 2, apart_secs = 120 }, to = [{ kind = "on_call", role = "technician", destination = "mobile" }], only = { windows = ["night"] } },
    { method = { kind = "text_confirm" }, wait_secs = 900, to = [{ kind = "on_call", role = "technician", destination = "mobile" }], only = { call_types = ["Repair"], answers = [{ field = "smell", is = ["yes"] }] } },
    { method = { kind = "text" }, done = "handed_over", to = [{ kind = "contact", contact = "Dana Reyes", destination = "mobile" }], only = { hours = { days = ["tuesday"], from = "08:00", until = "18:00" } } },
    { method = { kind = "email" }, informs = true, to = [{ kind = "contact", contact = "Dana Reyes", destination = "email" }] },
]
"#;

#[test]
fn steps_with_conditions_are_read_by_name_written_back_and_played_through_with_what_is_skipped() {
    let directory = TempDir::new("cli-account-steps");
    let here = directory.path();
    write(here, "cordboard.toml", &whole());
    let (head, rest) = HEATING.split_once("steps = [").expect("its steps");
    let (_, tail) = rest.split_once("]\n\n").expect("their end");
    let document = format!("{head}{STEPS}\n{tail}{NIGHT}");
    write(here, "heating.toml", &document);
    let imported = cordboard(here, &["account", "import", "heating.toml"]);
    assert_eq!(said(&imported), "Made Acme Heating.\n");
    let exported = cordboard(here, &["account", "export", "Acme Heating"]);
    let exported: serde_json::Value = serde_json::from_slice(&exported.stdout).expect("it is JSON");
    let steps = &exported["protocols"][0]["steps"];
    assert_eq!(steps[1]["tries"], serde_json::json!({"times": 2, "apart_secs": 120}));
    assert_eq!(steps[2]["only"]["call_types"], serde_json::json!(["Repair"]), "by name");
    assert_eq!(
        (&steps[3]["done"], &steps[4]["informs"]),
        (&serde_json::json!("handed_over"), &serde_json::json!(true))
    );
    assert_eq!(steps[0].get("only"), None);

    let simulate = |at: &str, answer: &str| {
        let arguments =
            ["simulate", "--config", "cordboard.toml", "--account", "Acme Heating", "--call-type", "Repair"];
        said(&cordboard(here, &[&arguments[..], &["--hours", "1", "--at", at, "--answer", answer]].concat()))
    };
    // A Monday night.
    let night = simulate("2026-03-09T20:00", "Smell of gas=no");
    for line in [
        "+0:00  Step 1 skipped (put the caller through to the technician on call (mobile)): the caller is not on the line.",
        "+2:30  Step 2, try 2 of 2: call the technician on call (mobile), leave a message if nobody takes it.",
        "+13:00  Step 3 skipped (text the technician on call (mobile) and ask for a confirmation): \
         only if \u{201c}Smell of gas\u{201d} is yes.",
        "+13:00  Step 4 skipped (text Dana Reyes (mobile)): only on Tuesday between 08:00 and 18:00.",
        "+13:00  Step 5: email Dana Reyes (email) (Dana Reyes).",
    ] {
        assert!(night.contains(line), "missing: {line}\nsaid:\n{night}");
    }
    // By day nobody is called; once the text was taken it is over.
    let day = simulate("2026-03-10T10:00", "smell=yes");
    assert!(
        day.contains("+0:00  Step 2 skipped") && day.contains("in the account's hours \u{201c}night\u{201d}."),
        "{day}"
    );
    assert!(day.contains("+15:00  Step 4: text Dana Reyes (mobile)") && day.contains("After 1 h: delivered."), "{day}");
    assert!(simulate("2026-03-10T10:00", "gas=yes").contains("Repair asks no \"gas\". It asks: \"Caller's name\""));

    write(here, "wrong.toml", &document.replace("[\"Repair\"]", "[\"Sales\"]"));
    let told = said(&cordboard(here, &["account", "import", "wrong.toml"]));
    assert!(told.contains("The document has no call type called Sales."), "{told}");
    write(here, "wrong.toml", &document.replace("windows = [\"night\"]", "windows = [\"nights\"]"));
    let told = said(&cordboard(here, &["account", "import", "wrong.toml"]));
    assert!(told.contains("The account's hours have no nights."), "{told}");
}

#[test]
fn everything_wrong_with_a_document_is_told_with_its_line_and_nothing_is_kept() {
    let directory = TempDir::new("cli-account-wrong");
    let here = directory.path();
    write(here, "cordboard.toml", &whole());
    let wrong = HEATING
        .replace("America/Chicago", "America/Nowhere")
        .replace("202 555 0151", "0151")
        .replace("contact = \"Dana Reyes\"", "contact = \"Dan\"")
        .replace("label = \"Number\"", "label = \"\"");
    write(here, "heating.toml", &wrong);
    let output = cordboard(here, &["account", "import", "heating.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    let line = |words: &str| wrong.lines().position(|line| line.contains(words)).expect("it is in the document") + 1;
    for (place, what) in [("America/Nowhere", "no time zone"), ("0151\"", "not a complete telephone number")] {
        let expected = format!("heating.toml:{}: ", line(place));
        assert!(said.lines().any(|l| l.starts_with(&expected) && l.contains(what)), "{expected}{what}\n{said}");
    }
    assert!(said.ends_with("Nothing was changed.\n"), "{said}");
    assert!(super::said(&cordboard(here, &["account", "list"])).contains("No accounts"));
    // With those mended the rest is told: what depends on them could not be looked at before.
    write(here, "heating.toml", &wrong.replace("America/Nowhere", "UTC").replace("\"0151\"", "\"+12025550151\""));
    let said = super::said(&cordboard(here, &["account", "import", "heating.toml"]));
    assert!(said.contains("There is no contact called Dan."), "{said}");
    assert!(said.contains("What the operator reads is missing."), "{said}");
}

#[test]
fn a_wrong_command_is_told_apart_from_one_that_failed() {
    let directory = TempDir::new("cli-account-codes");
    write(directory.path(), "cordboard.toml", &whole());
    let code = |arguments: &[&str]| cordboard(directory.path(), arguments).status.code();
    assert_eq!(code(&["account", "export", "Nobody"]), Some(1));
    assert_eq!(code(&["account", "import", "nowhere.toml"]), Some(1));
    assert_eq!(code(&["account", "import"]), Some(2));
    assert_eq!(code(&["account", "--help"]), Some(0));
}
