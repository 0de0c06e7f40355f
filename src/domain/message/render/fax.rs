//! What a fax about a message says, line by line; `io/fax/page` sets it on pages. Pure, like all of `render`. What is sensitive is not
//! among the words, as nobody knows who stands at the machine.

use super::notice::call_words;
use super::{Written, callback_number, date_and_clock, graded_words, number, written_answers};
use crate::base::clock::UtcMs;
use crate::domain::account::{Account, Urgency};
use crate::domain::message::Message;

/// What the pages say.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The account's name.
    pub account: String,
    /// `Message`, or `URGENT message`.
    pub title: String,
    /// What kind of call it was, when it was taken.
    pub about: Vec<String>,
    /// The answers in the form's order.
    pub answers: Vec<Written>,
    /// The number to ring back.
    pub callback: Option<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// By which the service finds the message.
    pub reference: String,
    /// When it is sent, in the account's zone.
    pub sent: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").finish_non_exhaustive()
    }
}

/// The fax of a message, sent `now`. `outcome` says what became of the call, where there is something to say.
/// `reference` is what the service finds it by.
pub fn letter(
    message: &Message,
    account: &Account,
    call_type: &str,
    outcome: Option<&str>,
    reference: &str,
    now: UtcMs,
) -> Letter {
    let title = if message.urgency == Urgency::Urgent { "URGENT message" } else { "Message" };
    let zone = zone_words(message.taken_at, &account.zone);
    let mut notes = Vec::new();
    if let Some(caller) = &message.caller {
        notes.push(format!("Called from {}.", number(caller.as_e164())));
    }
    notes.extend(message.graded.as_ref().map(graded_words));
    if message.changed.is_some() {
        notes.push("This message was changed after it was taken.".to_owned());
    }
    notes.extend(outcome.map(str::to_owned));
    Letter {
        account: account.name.clone(),
        title: title.to_owned(),
        about: vec![call_type.to_owned(), format!("Taken {}{zone}", date_and_clock(message.taken_at, &account.zone))],
        answers: written_answers(message),
        callback: callback_number(message).map(|given| number(&given)),
        notes,
        reference: reference.to_owned(),
        sent: format!("{}{}", date_and_clock(now, &account.zone), zone_words(now, &account.zone)),
    }
}

/// The page of a message that is protected: that there is one, and whom to call.
pub fn notice(message: &Message, account: &Account, reference: &str, now: UtcMs) -> Letter {
    let zone = zone_words(message.taken_at, &account.zone);
    let title = if message.urgency == Urgency::Urgent { "URGENT protected message" } else { "Protected message" };
    Letter {
        account: account.name.clone(),
        title: title.to_owned(),
        about: vec![format!("Taken {}{zone}", date_and_clock(message.taken_at, &account.zone))],
        answers: Vec::new(),
        callback: None,
        notes: vec![call_words(account)],
        reference: reference.to_owned(),
        sent: format!("{}{}", date_and_clock(now, &account.zone), zone_words(now, &account.zone)),
    }
}

/// ` CST`: a page lies on a desk long after it came.
fn zone_words(at: UtcMs, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!(" {}", zone.to_offset_info(at).abbreviation())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{account, message};
    use super::*;
    use crate::domain::message::form::Sensitive;

    /// 2026-03-07T02:15 in Chicago.
    const NOW: UtcMs = UtcMs(1_772_871_300_000);

    #[test]
    fn a_letter_has_every_answer_in_the_forms_order_and_times_with_their_zone() {
        let letter =
            letter(&message("Burst pipe"), &account(), "Repair", Some("Put through to Ben Ortiz."), "482913", NOW);
        assert_eq!((letter.account.as_str(), letter.title.as_str()), ("Imaginary Plumbing", "URGENT message"));
        assert_eq!(letter.about, ["Repair", "Taken Sat 7 Mar 2026, 02:10 CST"]);
        assert_eq!(letter.sent, "Sat 7 Mar 2026, 02:15 CST");
        let labels: Vec<&str> = letter.answers.iter().map(|answer| answer.label.as_str()).collect();
        assert_eq!(labels, ["Caller", "Call back", "Problem", "Pets"]);
        assert_eq!(letter.callback.as_deref(), Some("+1 202 555 0147"));
        assert_eq!(letter.notes, ["Called from +1 202 555 0148.", "Put through to Ben Ortiz."]);
        assert_eq!(letter.reference, "482913");
    }

    #[test]
    fn a_notice_says_that_there_is_a_message_and_whom_to_call_and_nothing_of_it() {
        let message = message("Burst pipe");
        let notice = notice(&message, &account(), "482913", NOW);
        assert_eq!(notice.title, "URGENT protected message");
        assert_eq!(notice.about, ["Taken Sat 7 Mar 2026, 02:10 CST"]);
        assert_eq!(notice.notes, [call_words(&account())]);
        assert!(notice.answers.is_empty() && notice.callback.is_none());
        let notes = notice.notes.concat();
        assert!(!notes.contains("0147") && !notes.contains("0148") && notice.reference == "482913");
    }

    #[test]
    fn what_is_sensitive_is_on_no_page_and_nothing_in_a_log() {
        let mut message = message("Burst pipe");
        message.form.fields[2].sensitive = Sensitive::Kept;
        let letter = letter(&message, &account(), "Repair", None, "482913", NOW);
        assert!(letter.answers.iter().all(|answer| !answer.words.contains("Burst pipe")));
        assert_eq!(letter.answers[2].words, "kept with the message, not sent");
        assert!(!format!("{letter:?}").contains("Jane"));
    }
}
