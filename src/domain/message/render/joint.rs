//! How several messages read in one text, or in one email, where more is to leave than may at once. Pure.
//!
//! What always holds: each has its reference and its own time; nothing is cut that would not be in a text of its own.

use super::{MAX_SUBJECT_CHARS, MAX_TEXT_CHARS, clock_by, cut, one_line, said_briefly};
use crate::base::clock::UtcMs;
use crate::domain::account::Account;
use crate::domain::message::Message;

/// The longest text of several messages: ten joined GSM segments, which all carriers take.
pub const MAX_JOINT_TEXT_CHARS: usize = 1_530;

/// One of the messages.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub message: &'a Message,
    /// What names it on the telephone.
    pub reference: &'a str,
}

/// The text, and how many of the messages it holds, from the first on. None: no two have room in one.
pub fn text(account: &Account, parts: &[Part<'_>], now: UtcMs) -> Option<(String, usize)> {
    let lines: Vec<String> = parts
        .iter()
        .map(|Part { message, reference }| {
            let head = format!("{} (ref {reference}) ", clock_by(message.taken_at, now, &account.zone));
            let room = MAX_TEXT_CHARS.saturating_sub(head.len());
            format!("{head}{}", cut(&said_briefly(message), room))
        })
        .collect();
    let write = |fit: usize| format!("{}: {fit} messages\n{}", account.name, lines[..fit].join("\n"));
    let fits = |fit: &usize| write(*fit).chars().count() <= MAX_JOINT_TEXT_CHARS;
    let fit = (2..=lines.len()).rev().find(fits)?;
    Some((write(fit), fit))
}

/// The email's subject and plain text: each message as its own email would say it, under its reference.
pub fn email(account: &Account, letters: &[(&str, String)]) -> (String, String) {
    let of = letters.len();
    let subject = cut(&one_line(&format!("{of} messages for {}", account.name)), MAX_SUBJECT_CHARS);
    let mut body = format!("{of} messages for {}, one under another.\n", account.name);
    for (n, (reference, words)) in letters.iter().enumerate() {
        body.push_str(&format!("\n===== {} of {of}: reference {reference} =====\n\n{}\n", n + 1, words.trim_end()));
    }
    (subject, body)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, account, message};
    use super::*;

    #[test]
    fn a_text_of_several_names_each_with_its_time_and_reference() {
        let (one, two) = (message("Leak in the hall"), message("Door does not shut"));
        let parts = [Part { message: &one, reference: "482913" }, Part { message: &two, reference: "553120" }];
        let (text, fit) = text(&account(), &parts, NOW).expect("they fit");
        assert_eq!(fit, 2);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(lines[0], format!("{}: 2 messages", account().name));
        assert!(lines[1].contains("(ref 482913)") && lines[1].contains("Leak in the hall"), "{text}");
        assert!(lines[2].contains("(ref 553120)") && lines[2].contains("Door does not shut"), "{text}");
    }

    #[test]
    fn what_would_make_it_too_long_is_left_for_a_text_of_its_own_and_one_alone_is_none() {
        let long = message(&"water everywhere ".repeat(40));
        let parts = [Part { message: &long, reference: "482913" }; 6];
        let (written, fit) = text(&account(), &parts, NOW).expect("some fit");
        assert_eq!(fit, 3);
        assert!(written.chars().count() <= MAX_JOINT_TEXT_CHARS);
        assert!(text(&account(), &parts[..1], NOW).is_none());
        assert!(text(&account(), &[], NOW).is_none());
    }

    #[test]
    fn an_email_of_several_holds_each_whole() {
        let letters = [("482913", "First.\nAll of it.\n\n".to_owned()), ("553120", "Second.".to_owned())];
        let (subject, body) = email(&account(), &letters);
        assert_eq!(subject, format!("2 messages for {}", account().name));
        assert!(body.contains("===== 1 of 2: reference 482913 =====\n\nFirst.\nAll of it.\n"), "{body}");
        assert!(body.ends_with("===== 2 of 2: reference 553120 =====\n\nSecond.\n"), "{body}");
    }
}
