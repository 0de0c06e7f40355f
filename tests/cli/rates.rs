//! How fast what leaves may leave: `[rates]` as `check` reads it.

use crate::temp::TempDir;
use crate::{cordboard, said, write};

const SMS: &str = "[http]\npublic_url = \"https://desk.example.com\"\n[[sms]]\nname = \"one\"\nkind = \"twilio\"\n\
                   account_sid = \"AC1\"\nauth_token_file = \"token\"\nfrom = \"+12025550100\"\n";

fn check(rates: &str) -> (Option<i32>, String) {
    let directory = TempDir::new("rates");
    write(directory.path(), "token", "secret\n");
    write(directory.path(), "cordboard.toml", &format!("{rates}{SMS}"));
    let output = cordboard(directory.path(), &["check"]);
    (output.status.code(), said(&output))
}

#[test]
fn rates_of_channels_of_one_person_and_of_one_provider_are_read() {
    let (code, said) = check(
        "[rates.text]\nper_minute = 120\nburst = 40\nat_once = 10\nto_one_per_minute = 20\nto_one_burst = 5\n\
         to_one_at_once = 2\n[rates.call_out]\nper_minute = 30\nto_one_per_minute = 10\n[[rates.provider]]\nchannel = \"text\"\nname = \"one\"\n\
         per_minute = 600\n",
    );
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn nonsense_is_told_with_its_line() {
    for (rates, mistake) in [
        ("[rates.text]\nper_minute = 0\n", "2: [rates.text]: `per_minute` is not a whole number from 1 to 60000."),
        ("[rates.text]\nat_once = 1\n", "2: [rates.text]: `at_once` is not a whole number from 2 to 1000."),
        ("[rates.text]\nburst = 1\n", "2: [rates.text]: `burst` is not a whole number from 2 to 60000."),
        (
            "[rates.text]\nper_minute = 6\n",
            "1: [rates.text]: `to_one_per_minute` lets more through to one destination than `per_minute` does to all",
        ),
        ("[rates.webhook]\nto_one_burst = 3\n", "2: [rates.webhook]: `to_one_burst` is not known."),
        ("[rates.texts]\nper_minute = 6\n", "1: [rates]: `texts` is not known. Perhaps `text` was meant"),
        (
            "[[rates.provider]]\nchannel = \"text\"\nname = \"two\"\nper_minute = 6\n",
            "3: [[rates.provider]]: nothing of this channel is called \"two\".",
        ),
        (
            "[[rates.provider]]\nchannel = \"email\"\nname = \"one\"\n",
            "2: [[rates.provider]]: `channel = \"email\"` cannot be read.",
        ),
        ("[[rates.provider]]\nname = \"one\"\nper_minute = 6\n", "1: [[rates.provider]]: `channel` is missing."),
    ] {
        let (code, said) = check(rates);
        assert_eq!(code, Some(1), "{rates}\n{said}");
        assert!(said.contains(&format!("cordboard.toml:{mistake}")), "{mistake}\n{said}");
    }
}
