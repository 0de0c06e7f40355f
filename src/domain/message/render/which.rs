//! Which of several open messages a text is for: the codes that confirm them, and what each is about. Pure.
//!
//! What always holds: it begins with the one that is named first, it is two joined GSM segments at most (three where the first alone, with
//! all the names in it, is longer), and whoever has more open than it lists is told how many, and whom to call about them.

use super::notice::number_to_call;
use super::{MAX_TEXT_CHARS, clock_by, cut, headline};
use crate::base::clock::UtcMs;
use crate::domain::account::Account;
use crate::domain::message::Message;

/// Of so many messages it is said what they are about.
pub const MAX_LISTED: usize = 5;
/// Two joined GSM segments.
const MAX_WHICH_CHARS: usize = 306;
const MAX_ABOUT_CHARS: usize = 40;

/// A message that somebody can confirm by text.
#[derive(Clone, Debug)]
pub struct Open {
    pub code: u16,
    pub message: Message,
    /// Whose it is.
    pub account: Account,
    /// Nothing is said of what it is about.
    pub protected: bool,
}

/// Says by which codes these are confirmed: `1ok Jane Roe, burst pipe 02:10`. `more`: so many more are open. `read`: what they wrote is no
/// "ok", and an operator reads it.
pub fn reply(account: &Account, open: &[Open], more: usize, read: bool, now: UtcMs) -> String {
    let read = if read { format!("{}: an operator will read your text. ", account.name) } else { String::new() };
    let asks = if open.len() + more > 1 { "Several messages are open. Reply: " } else { "To confirm, reply: " };
    let lines: Vec<String> = open.iter().take(MAX_LISTED).map(|one| line(account, one, now)).collect();
    let write = |listed: usize| {
        let rest = match open.len() - listed + more {
            0 => String::new(),
            rest => format!(" and {rest} more: {}", call_words(account)),
        };
        format!("{read}{asks}{}{rest}", lines[..listed].join("; "))
    };
    let fits = |listed: &usize| write(*listed).chars().count() <= MAX_WHICH_CHARS;
    // One is told however long it is, and then cut.
    let listed = (2..=lines.len()).rev().find(fits).unwrap_or(1).min(lines.len());
    cut(&write(listed), MAX_TEXT_CHARS)
}

fn line(account: &Account, one: &Open, now: UtcMs) -> String {
    let about = if one.protected {
        "protected".to_owned()
    } else {
        // The point of a headline is in no GSM alphabet: a text with it would be twice as long.
        cut(&headline(&one.message).replace(" \u{b7} ", ", "), MAX_ABOUT_CHARS)
    };
    let whose = if one.account.id == account.id { String::new() } else { format!(" ({})", one.account.name) };
    format!("{}ok {about} {}{whose}", one.code, clock_by(one.message.taken_at, now, &one.account.zone))
}

fn call_words(account: &Account) -> String {
    number_to_call(account)
        .map_or_else(|| "call your answering service.".to_owned(), |number| format!("call {number}."))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, account, message};
    use super::*;
    use crate::base::id::AccountId;

    fn open(code: u16, problem: &str) -> Open {
        Open { code, message: message(problem), account: account(), protected: false }
    }

    #[test]
    fn each_is_listed_with_its_code_and_what_is_protected_is_not_told() {
        let mut hidden = open(3, "Burst pipe");
        hidden.protected = true;
        let mut other = open(12, "No heat");
        other.account = Account { id: AccountId::named("heating"), name: "Acme Heating".into(), ..account() };
        other.account.zone = "America/New_York".into();
        let all = [open(11, "Leak"), hidden, other];
        assert_eq!(
            reply(&account(), &all, 0, false, NOW),
            "Several messages are open. Reply: 11ok Jane Roe, Leak 02:10; 3ok protected 02:10; \
             12ok Jane Roe, No heat 03:10 (Acme Heating)"
        );
        assert!(reply(&account(), &all, 0, true, NOW).starts_with(
            "Imaginary Plumbing: an operator will read your text. Several messages are open. Reply: 11ok Jane"
        ));
        assert_eq!(reply(&account(), &all[..1], 0, false, NOW), "To confirm, reply: 11ok Jane Roe, Leak 02:10");
    }

    #[test]
    fn of_many_the_first_are_listed_in_two_segments_and_the_rest_is_counted() {
        let all: Vec<Open> = (1..=5).map(|n| open(n, "Leak in the hall")).collect();
        let text = reply(&account(), &all, 5, false, NOW);
        assert!(
            text.starts_with("Several messages are open. Reply: 1ok Jane Roe, Leak in the hall 02:10; 2ok"),
            "{text}"
        );
        assert!(text.ends_with("; 5ok Jane Roe, Leak in the hall 02:10 and 5 more: call +1 202 555 0102."), "{text}");
        assert!(text.chars().count() <= MAX_WHICH_CHARS, "{text}");
        let long: Vec<Open> = (1..=5).map(|n| open(n, &"water everywhere ".repeat(9))).collect();
        let text = reply(&account(), &long, 1, true, NOW);
        assert!(text.chars().count() <= MAX_WHICH_CHARS, "{text}");
        assert!(text.ends_with(" and 3 more: call +1 202 555 0102."), "{text}");
    }
}
