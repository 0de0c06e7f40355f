//! Notices of secure and of protected messages, and invitations to an inbox: that there is something and where, and nothing of what it says.

use super::{Email, MAX_SUBJECT_CHARS, clock, clock_by, cut, number, one_line};
use crate::base::clock::UtcMs;
use crate::domain::account::{Account, Urgency};

/// How somebody comes to the message that a notice is of.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// By a link of their own, with their PIN.
    Link(&'a str),
    /// By a link that follows once they have accepted it by reply.
    AcceptFirst,
    /// By calling the service.
    Call,
}

/// A text that says that there is a message which is not said in it, with the reply that confirms it where one is asked for.
pub fn text(
    account: &Account,
    urgency: Urgency,
    taken_at: UtcMs,
    way: Way<'_>,
    code: Option<u16>,
    now: UtcMs,
) -> String {
    let urgent = if urgency == Urgency::Urgent { " URGENT" } else { "" };
    let taken = clock_by(taken_at, now, &account.zone);
    let how = match way {
        // Nothing stands right behind a link, or telephones take it for a part of it.
        Way::Link(link) => {
            return format!(
                "{}{urgent} {taken}: a secure message waits for you.{} Open it with your PIN: {link}",
                account.name,
                reply_words(code, "confirm")
            );
        }
        Way::AcceptFirst => {
            let accept = reply_words(code, "accept it");
            return format!(
                "{}{urgent} {taken}: a secure message waits for you.{accept} Its link is sent to whoever accepts.",
                account.name
            );
        }
        Way::Call => call_words(account),
    };
    // They can open it nowhere, so their yes counts once they have heard it.
    let code = code.map_or_else(String::new, |code| format!(" Then reply {code}ok to confirm."));
    format!("{}{urgent} {taken}: a protected message waits for you. {how}{code}", account.name)
}

fn reply_words(code: Option<u16>, what: &str) -> String {
    code.map_or_else(String::new, |code| format!(" Reply {code}ok to {what}."))
}

/// Tells the one who accepted a message by text that it counted, and where it is.
pub fn accepted_text(account: &Account, at: UtcMs, link: &str) -> String {
    format!("{}: Confirmed {}. Open it with your PIN: {link}", account.name, clock(at, &account.zone))
}

/// Answers whoever accepts by text what they can open nowhere and have not heard yet.
pub fn hear_first_reply(account: &Account) -> String {
    format!("{}: this does not confirm it yet. {}", account.name, call_words(account))
}

/// The same as an email.
pub fn email(account: &Account, urgency: Urgency, taken_at: UtcMs, way: Way<'_>, now: UtcMs) -> Email {
    let urgent = if urgency == Urgency::Urgent { "URGENT: " } else { "" };
    let subject = format!("{urgent}Secure message from {}", account.name);
    let taken = clock_by(taken_at, now, &account.zone);
    let how = match way {
        Way::Link(link) => format!(
            "Open it with your PIN:\n{link}\n\nThis link is yours alone. It leads to the message for {}.\n",
            account.secure.in_words()
        ),
        // An email is never answered by a code.
        Way::AcceptFirst | Way::Call => format!("It is not sent by email. {}\n", call_words(account)),
    };
    let body = format!("A secure message of {taken} waits for you.\n\n{how}");
    Email { subject: cut(&one_line(&subject), MAX_SUBJECT_CHARS), body }
}

/// Which number tells it: the account's own for check-ins, else the one that its people know.
pub fn call_words(account: &Account) -> String {
    number_to_call(account)
        .map_or_else(|| "Call your answering service to hear it.".to_owned(), |to| format!("Call {to} to hear it."))
}

/// The number by which an account's people reach the service, as people read it.
pub(super) fn number_to_call(account: &Account) -> Option<String> {
    let to = account.hours.check_in.as_ref().or(account.caller_id.as_ref()).or_else(|| account.dids.first());
    to.map(|to| number(to.as_e164()))
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
        let notice = |way, code| text(&account, message.urgency, message.taken_at, way, code, message.taken_at);
        let by_text = notice(Way::Link(link), None);
        assert_eq!(
            by_text,
            "Imaginary Plumbing URGENT 02:10: a secure message waits for you. Open it with your PIN: \
             https://desk.example.com/inbox#abc"
        );
        let to_call = notice(Way::Call, Some(12));
        assert_eq!(
            to_call,
            "Imaginary Plumbing URGENT 02:10: a protected message waits for you. Call +1 202 555 0102 to hear it. \
             Then reply 12ok to confirm."
        );
        assert_eq!(
            hear_first_reply(&account),
            "Imaginary Plumbing: this does not confirm it yet. Call +1 202 555 0102 to hear it."
        );
        let accept = notice(Way::AcceptFirst, Some(12));
        assert_eq!(
            accept,
            "Imaginary Plumbing URGENT 02:10: a secure message waits for you. Reply 12ok to accept it. Its link is sent to \
             whoever accepts."
        );
        let accepted = accepted_text(&account, message.taken_at, link);
        assert_eq!(
            accepted,
            "Imaginary Plumbing: Confirmed 02:10. Open it with your PIN: https://desk.example.com/inbox#abc"
        );
        let both = notice(Way::Link(link), Some(1));
        assert!(both.contains("Reply 1ok to confirm.") && both.ends_with(link), "{both}");
        let mails = [Way::Link(link), Way::AcceptFirst, Way::Call]
            .map(|way| email(&account, message.urgency, message.taken_at, way, message.taken_at));
        let mails = mails.into_iter().flat_map(|mail| [mail.subject, mail.body]);
        for words in [by_text, to_call, both, invitation_text(&account, link)].into_iter().chain(mails) {
            for said in message.answers.values() {
                assert!(!words.contains(said.as_str()), "{words}");
            }
        }
    }

    #[test]
    fn a_notice_that_was_held_says_of_which_day_its_message_is_by_email_as_by_text() {
        let (account, message) = (account(), message("Burst pipe"));
        let now = message.taken_at.plus_secs(22 * 3_600);
        let by_text = text(&account, message.urgency, message.taken_at, Way::Call, None, now);
        assert!(by_text.contains(" Sat 02:10: "), "{by_text}");
        let by_email = email(&account, message.urgency, message.taken_at, Way::Call, now).body;
        assert!(by_email.starts_with("A secure message of Sat 02:10 waits for you."), "{by_email}");
    }
}
