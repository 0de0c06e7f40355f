//! What did not get through, as a sentence: in the words of whoever refused it where they gave any, and never by a bare code.
//!
//! Pure; [`super::timeline`] asks. What always holds: somebody with several pagers is named with the one that is meant.

use super::describe::capital;
use super::state::Channel;

/// Whom it was for. Of several pagers each has a carrier of its own, and whose words are told has to be known: there the destination
/// stands beside the name.
pub(super) fn whom(channel: Channel, name: &str, label: &str, said: Option<&str>) -> String {
    let which = channel == Channel::Pager || said.is_some();
    if which && !label.is_empty() { format!("{name} ({label})") } else { name.to_owned() }
}

pub(super) fn sentence(channel: Channel, whom: &str, why: &str, said: Option<&str>, for_good: bool) -> String {
    let what = capital(channel.noun());
    let Some(said) = said else {
        let then = if for_good { "given up" } else { "will be tried again" };
        return format!("{what} to {whom} failed ({}), {then}.", reason(why));
    };
    let by = match channel {
        Channel::Text | Channel::Pager | Channel::Call => "the carrier",
        Channel::Email => "the mail server",
        Channel::Webhook => "their system",
        Channel::Push => "the push service",
        Channel::Fax => "their machine",
    };
    if let Some(status) = why.strip_prefix("came_back_") {
        return format!("{what} to {whom} came back ({status}), given up: {by} said \u{201c}{said}\u{201d}.");
    }
    if for_good {
        format!("{what} to {whom} was refused: {by} said \u{201c}{said}\u{201d}.")
    } else {
        format!("{what} to {whom} was not taken: {by} said \u{201c}{said}\u{201d}. It will be tried again.")
    }
}

/// A short code as somebody reads it who knows no protocol.
fn reason(why: &str) -> String {
    if let Some((before, status)) = why.split_once("smpp_") {
        let before = before.trim_end_matches('_').replace('_', " ");
        return if before.is_empty() { smpp(status) } else { format!("{before}: {}", smpp(status)) };
    }
    let number = why.split_once('_').filter(|(_, rest)| rest.bytes().all(|byte| byte.is_ascii_digit()));
    match number {
        Some(("snpp" | "wctp" | "tap" | "code", number)) => format!("the carrier's code {number}, no reason given"),
        Some(("smtp", number)) => format!("the mail server's code {number}, no reason given"),
        Some(("http", number)) => format!("answered with status {number}, no reason given"),
        _ if why == "abandoned" => "the carrier refused it and gave no reason".to_owned(),
        _ => why.replace('_', " "),
    }
}

/// What a carrier's status says (SMPP 3.4 §5.1.3), two hexadecimal digits; others are the carrier's own.
fn smpp(status: &str) -> String {
    let words = match status {
        "01" => "the carrier finds it too long",
        "04" | "0d" | "0e" | "0f" => "the carrier does not take our log-in",
        "08" => "a fault at the carrier's",
        "0a" | "48" | "49" => "the carrier does not take the number it is sent from",
        "0b" | "50" | "51" => "the carrier knows no such number",
        "11" | "13" | "43" | "45" => "the carrier could not take it",
        "14" => "the carrier's queue is full",
        "15" => "the carrier does not know our kind of service",
        "58" => "too many at once for the carrier",
        "61" | "62" => "the carrier does not take its times",
        "64" => "the network cannot take it now",
        "65" | "66" => "the network refused it for good",
        "fe" => "the carrier could not deliver it",
        "ff" => "the carrier gave no reason",
        _ => return format!("the carrier's code 0x{status}, no reason given"),
    };
    format!("{words}, code 0x{status}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(channel: Channel, why: &str, words: Option<&str>, for_good: bool) -> String {
        sentence(channel, &whom(channel, "Dana Reyes", "alpha", words), why, words, for_good)
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_whoever_refused() {
        assert_eq!(
            said(Channel::Pager, "snpp_550", Some("550 no such pager"), true),
            "Page to Dana Reyes (alpha) was refused: the carrier said \u{201c}550 no such pager\u{201d}."
        );
        assert_eq!(
            said(Channel::Email, "smtp_451", Some("451 4.2.1 try later"), false),
            "Email to Dana Reyes (alpha) was not taken: the mail server said \u{201c}451 4.2.1 try later\u{201d}. It will be \
             tried again."
        );
    }

    #[test]
    fn what_came_back_is_told_in_the_words_of_the_server_that_would_not_have_it() {
        assert_eq!(
            said(Channel::Email, "came_back_5.1.1", Some("550 5.1.1 mailbox unavailable"), true),
            "Email to Dana Reyes (alpha) came back (5.1.1), given up: the mail server said \u{201c}550 5.1.1 mailbox \
             unavailable\u{201d}."
        );
    }

    #[test]
    fn where_nobody_gave_a_reason_that_is_said_and_other_codes_are_words() {
        for (channel, why, told) in [
            (
                Channel::Pager,
                "snpp_550",
                "Page to Dana Reyes (alpha) failed (the carrier's code 550, no reason given), given up.",
            ),
            (
                Channel::Pager,
                "abandoned",
                "Page to Dana Reyes (alpha) failed (the carrier refused it and gave no reason), given up.",
            ),
            (
                Channel::Webhook,
                "http_422",
                "Webhook to Dana Reyes failed (answered with status 422, no reason given), given up.",
            ),
            (
                Channel::Text,
                "smpp_0b",
                "Text to Dana Reyes failed (the carrier knows no such number, code 0x0b), given up.",
            ),
            (
                Channel::Text,
                "smpp_58",
                "Text to Dana Reyes failed (too many at once for the carrier, code 0x58), given up.",
            ),
            (
                Channel::Text,
                "smpp_400",
                "Text to Dana Reyes failed (the carrier's code 0x400, no reason given), given up.",
            ),
            (
                Channel::Text,
                "only_part_of_it_was_taken_and_the_rest_refused_smpp_14",
                "Text to Dana Reyes failed (only part of it was taken and the rest refused: the carrier's queue is full, code \
                 0x14), given up.",
            ),
            (Channel::Text, "no_connection", "Text to Dana Reyes failed (no connection), given up."),
            (Channel::Email, "came_back_5.1.1", "Email to Dana Reyes failed (came back 5.1.1), given up."),
        ] {
            assert_eq!(said(channel, why, None, true), told);
        }
    }
}
