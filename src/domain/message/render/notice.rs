//! Notices of secure messages, and invitations to an inbox: that there is something and where, and nothing of what it says.

use super::{Email, MAX_SUBJECT_CHARS, clock, cut, one_line};
use crate::base::clock::UtcMs;
use crate::domain::account::{Account, Urgency};

/// A text that says that there is a secure message. `link` leads to it.
pub fn text(account: &Account, urgency: Urgency, taken_at: UtcMs, link: &str) -> String {
    let urgent = if urgency == Urgency::Urgent { " URGENT" } else { "" };
    let taken = clock(taken_at, &account.zone);
    format!("{}{urgent} {taken}: a secure message waits for you. Open it with your PIN: {link}", account.name)
}

/// The same as an email.
pub fn email(account: &Account, urgency: Urgency, taken_at: UtcMs, link: &str) -> Email {
    let urgent = if urgency == Urgency::Urgent { "URGENT: " } else { "" };
    let subject = format!("{urgent}Secure message from {}", account.name);
    let taken = clock(taken_at, &account.zone);
    let body = format!(
        "A secure message of {taken} waits for you.\n\nOpen it with your PIN:\n{link}\n\n\
         This link is yours alone. It leads to the message for seven days.\n"
    );
    Email { subject: cut(&one_line(&subject), MAX_SUBJECT_CHARS), body }
}

/// A text that invites somebody to put their inbox on a device.
pub fn invitation_text(account: &Account, link: &str) -> String {
    format!("{}: your secure inbox. Open this on your phone, with your PIN, within three days: {link}", account.name)
}

/// The same as an email.
pub fn invitation_email(account: &Account, link: &str) -> Email {
    let subject = format!("Your secure inbox for messages of {}", account.name);
    let body = format!(
        "Open this on the phone or computer that is to receive your messages, within three days:\n{link}\n\n\
         It asks for the PIN that you check in with. Then let it send notifications; on an iPhone or iPad, first add it \
         to the home screen (Share, Add to Home Screen) and paste this link there.\n\n\
         This link is yours alone: do not pass it on.\n"
    );
    Email { subject: cut(&one_line(&subject), MAX_SUBJECT_CHARS), body }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{account, message};
    use super::*;

    #[test]
    fn a_notice_says_that_there_is_a_message_and_nothing_of_it() {
        let (account, message) = (account(), message("Burst pipe"));
        let link = "https://desk.example.com/inbox#abc";
        let by_text = text(&account, message.urgency, message.taken_at, link);
        assert_eq!(
            by_text,
            "Imaginary Plumbing URGENT 02:10: a secure message waits for you. Open it with your PIN: \
             https://desk.example.com/inbox#abc"
        );
        assert!(by_text.len() <= 160, "one segment");
        let mail = email(&account, message.urgency, message.taken_at, link);
        for words in [by_text, mail.subject, mail.body, invitation_text(&account, link)] {
            for said in message.answers.values() {
                assert!(!words.contains(said.as_str()), "{words}");
            }
        }
    }
}
