//! What people who were asked are told once a dispatch is over: that nothing is left to do, and about which message. Pure.
//!
//! What always holds: only what somebody has taken on is called handled or confirmed, and of what a message is about nothing is
//! said that they were not told in writing before.

use super::{clock_by, cut, headline};
use crate::base::clock::UtcMs;
use crate::domain::account::Account;
use crate::domain::message::Message;

/// Of what a message is about, in characters.
const MAX_ABOUT_CHARS: usize = 60;

/// How it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended<'a> {
    /// This person has said yes.
    Confirmed(&'a str),
    /// This person has heard it, and nobody asks for more.
    Heard(&'a str),
    /// The caller was put through to this person.
    PutThrough(&'a str),
    /// It was in a recap.
    Recapped,
    /// The answering service has closed it, and nobody has said yes.
    Closed,
}

/// How somebody who was asked knows the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// They were to confirm it by this code.
    pub code: Option<u16>,
    /// They were told in writing what it is about.
    pub about: bool,
}

/// Tells the others who were asked that nothing is left to do, and about which message: of one minute there may be several.
pub fn stand_down(message: &Message, account: &Account, ended: Ended<'_>, known: Known, now: UtcMs) -> String {
    let taken = clock_by(message.taken_at, now, &account.zone);
    let code = known.code.map(|code| format!("code {code}"));
    // The point of a headline is in no GSM alphabet: a text with it would be twice as long.
    let about = known.about.then(|| cut(&headline(message).replace(" \u{b7} ", ", "), MAX_ABOUT_CHARS));
    let which: Vec<String> = code.into_iter().chain(about).collect();
    let which = if which.is_empty() { String::new() } else { format!(" ({})", which.join(": ")) };
    let over = match ended {
        Ended::Confirmed(by) => format!("is handled by {by}. No need to do anything."),
        Ended::Heard(by) => format!("needs nothing more: {by} has heard it."),
        Ended::PutThrough(by) => format!("needs nothing more: the caller was put through to {by}."),
        Ended::Recapped => "needs nothing more: it was in the recap.".to_owned(),
        Ended::Closed => "is closed by the answering service: no need to act.".to_owned(),
    };
    format!("{}: the message of {taken}{which} {over}", account.name)
}

/// Tells one who confirms what is over already.
pub fn already_reply(account: &Account, ended: Ended<'_>, at: UtcMs, now: UtcMs) -> String {
    let at = clock_by(at, now, &account.zone);
    let over = match ended {
        Ended::Confirmed(by) => format!("already confirmed by {by} at {at}."),
        Ended::Heard(by) => format!("it needs nothing more: {by} heard it at {at}."),
        Ended::PutThrough(by) => format!("it needs nothing more: the caller was put through to {by} at {at}."),
        Ended::Recapped => format!("it needs nothing more: it was in the recap at {at}."),
        Ended::Closed => format!("closed by the answering service at {at}: no need to act."),
    };
    format!("{}: {over}", account.name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, account, message};
    use super::*;

    #[test]
    fn whoever_has_several_open_of_one_minute_is_told_which_one_is_handled() {
        let told = |known| stand_down(&message("Burst pipe"), &account(), Ended::Confirmed("Ben Ortiz"), known, NOW);
        assert_eq!(
            told(Known { code: Some(3), about: true }),
            "Imaginary Plumbing: the message of 02:10 (code 3: Jane Roe, Burst pipe) is handled by Ben Ortiz. \
             No need to do anything."
        );
        assert_eq!(
            told(Known { code: Some(3), about: false }),
            "Imaginary Plumbing: the message of 02:10 (code 3) is handled by Ben Ortiz. No need to do anything.",
            "of a protected one the code alone is said"
        );
        assert!(told(Known { code: None, about: true }).contains(" 02:10 (Jane Roe, Burst pipe) is handled"));
        assert!(told(Known { code: None, about: false }).contains(" 02:10 is handled by"));
    }

    #[test]
    fn what_nobody_confirmed_is_closed_and_not_handled() {
        let known = Known { code: Some(1), about: true };
        let text = stand_down(&message("Burst pipe"), &account(), Ended::Closed, known, NOW);
        assert_eq!(
            text,
            "Imaginary Plumbing: the message of 02:10 (code 1: Jane Roe, Burst pipe) is closed by the answering \
             service: no need to act."
        );
        let late = already_reply(&account(), Ended::Closed, NOW, NOW);
        assert_eq!(late, "Imaginary Plumbing: closed by the answering service at 02:10: no need to act.");
        let again = already_reply(&account(), Ended::Confirmed("Ben"), NOW, NOW);
        assert_eq!(again, "Imaginary Plumbing: already confirmed by Ben at 02:10.");
    }

    #[test]
    fn nobody_is_said_to_have_confirmed_what_the_caller_told_them_or_a_recap_did() {
        let known = Known { code: None, about: false };
        for (ended, over, late) in [
            (Ended::Heard("Ben"), "Ben has heard it.", "Ben heard it at 02:10."),
            (
                Ended::PutThrough("Ben"),
                "the caller was put through to Ben.",
                "the caller was put through to Ben at 02:10.",
            ),
            (Ended::Recapped, "it was in the recap.", "it was in the recap at 02:10."),
        ] {
            assert_eq!(
                stand_down(&message("Burst pipe"), &account(), ended, known, NOW),
                format!("Imaginary Plumbing: the message of 02:10 needs nothing more: {over}")
            );
            assert_eq!(
                already_reply(&account(), ended, NOW, NOW),
                format!("Imaginary Plumbing: it needs nothing more: {late}")
            );
        }
    }
}
