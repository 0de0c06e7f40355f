//! A voicemail as a message: what those who are told of it read and hear. What was said is in the call's recording.

use super::Message;
use super::form::{Answers, Field, FieldKind, Form};
use crate::base::clock::UtcMs;
use crate::base::id::{CallId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType};
use crate::domain::ivr::digits::Entered;

/// A voicemail that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    pub call: CallId,
    pub caller: Option<PhoneNumber>,
    pub begun_at: UtcMs,
    pub ended_at: UtcMs,
    /// What the caller entered in the menu before.
    pub entered: Vec<Entered>,
}

/// The message that `spoken` makes, taken as `call_type`.
pub fn message(id: MessageId, account: &Account, call_type: &CallType, spoken: &Spoken) -> Message {
    let mut answers = Answers::from([("voicemail".to_owned(), length(spoken.ended_at.since(spoken.begun_at)))]);
    let mut form = form();
    for (n, entered) in spoken.entered.iter().enumerate() {
        let name = format!("entered_{}", n + 1);
        answers.insert(name.clone(), entered.digits.reveal().clone());
        form.fields.push(Field { name, label: entered.label.clone(), brief: true, ..Field::default() });
    }
    Message {
        id,
        account: account.id.clone(),
        call_type: call_type.id.clone(),
        call: Some(spoken.call.clone()),
        caller: spoken.caller.clone(),
        urgency: call_type.urgency,
        taken_by: None,
        taken_at: spoken.begun_at,
        begun_at: None,
        form,
        answers,
        edition: 1,
        changed: None,
        graded: None,
    }
}

/// Whether a message is a voicemail, so that there is something to hear: nobody took it, and it came by a call. What an operator
/// made of it since, who has listened to it, may be of another call type and on its form.
pub const fn is_spoken(message: &Message) -> bool {
    message.call.is_some() && message.taken_by.is_none()
}

/// What an email holds of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Attached,
    /// The account wants it so.
    Linked,
    TooLong,
    /// It cannot be read.
    Lost,
}

/// What an email says of it; `page`: where the message is in the console.
pub fn where_to_hear(heard: Heard, page: &str) -> String {
    let why = match heard {
        Heard::Attached => return format!("What the caller said is attached. The message: {page}"),
        Heard::Linked => "Listen to it",
        Heard::TooLong => "It is too long to be attached. Listen to it",
        Heard::Lost => "The sound could not be attached; tell the answering service. The message",
    };
    format!("{why} (with your log-in): {page}")
}

/// Nobody asked the caller anything, so the call type's own form would stay empty.
fn form() -> Form {
    let voicemail = Field {
        name: "voicemail".to_owned(),
        label: "Voicemail".to_owned(),
        kind: FieldKind::Text,
        required: true,
        brief: true,
        ..Field::default()
    };
    Form { version: 1, fields: vec![voicemail] }
}

/// `Spoken message of 1 minute 5 seconds, kept with the call`.
fn length(ms: i64) -> String {
    let secs = (ms.max(0) + 500) / 1_000;
    let some = |count: i64, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        more => Some(format!("{more} {word}s")),
    };
    let parts: Vec<_> = [some(secs / 60, "minute"), some(secs % 60, "second")].into_iter().flatten().collect();
    let length = if parts.is_empty() { "less than a second".to_owned() } else { parts.join(" ") };
    format!("Spoken message of {length}, kept with the call")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{CallTypeId, UserId};
    use crate::domain::account::Urgency;
    use crate::domain::ivr::digits::SaidBack;
    use crate::domain::message::edition::Change;
    use crate::domain::message::form::Asked;
    use crate::domain::message::render::{self, tests::account};

    fn spoken(secs: i64) -> Message {
        spoken_after(secs, vec![])
    }

    fn spoken_after(secs: i64, entered: Vec<Entered>) -> Message {
        let call_type = CallType {
            id: CallTypeId::named("urgent"),
            name: "Urgent".into(),
            urgency: Urgency::Urgent,
            triggers: String::new(),
            watched: vec![],
            form: Form::default(),
            protocol: None,
            protected: false,
            priority: None,
        };
        // 2026-03-07T02:10 in Chicago.
        let begun_at = UtcMs(1_772_871_000_000);
        let caller = PhoneNumber::parse("+12025550148").ok();
        let ended_at = begun_at.plus_secs(secs);
        let spoken = Spoken { call: CallId::named("c"), caller, begun_at, ended_at, entered };
        message(MessageId::named("m"), &account(), &call_type, &spoken)
    }

    #[test]
    fn who_is_texted_reads_how_long_it_is_and_whom_to_ring_back() {
        assert_eq!(
            render::text(&spoken(65), &account(), Some(4), spoken(65).taken_at),
            "Imaginary Plumbing URGENT 02:10: Spoken message of 1 minute 5 seconds, kept with the call; \
             +1 202 555 0148. Reply 4ok to confirm."
        );
    }

    #[test]
    fn what_the_caller_entered_before_is_in_the_message_and_passes_its_form() {
        let entered = Entered {
            label: "Policy number".into(),
            field: None,
            digits: "00471".to_owned().into(),
            said_back: SaidBack::Confirmed,
        };
        let message = spoken_after(65, vec![entered]);
        let text = render::text(&message, &account(), None, message.taken_at);
        assert!(text.contains("kept with the call; 00471"), "{text}");
        let asked = Asked { at: render::zoned(message.asked_at(), "UTC"), people: &[], again: false };
        assert_eq!(message.form.check(&message.answers, &asked).as_ref(), Ok(&message.answers));
    }

    #[test]
    fn an_email_says_where_it_is_heard() {
        assert!(is_spoken(&spoken(3)));
        assert!(!is_spoken(&render::tests::message("Burst pipe")));
        let page = "https://desk.example/messages/msg_m";
        let attached = where_to_hear(Heard::Attached, page);
        assert_eq!(attached, "What the caller said is attached. The message: https://desk.example/messages/msg_m");
        for heard in [Heard::Linked, Heard::TooLong, Heard::Lost] {
            assert!(where_to_hear(heard, page).ends_with("(with your log-in): https://desk.example/messages/msg_m"));
        }
    }

    #[test]
    fn a_voicemail_that_is_taken_as_something_else_is_still_heard() {
        let changed = Change { by: UserId::named("kim"), at: UtcMs(1_772_871_100_000), unsent: None };
        let form = render::tests::message("Burst pipe").form;
        let message = Message { form, edition: 2, changed: Some(changed), ..spoken(3) };
        assert!(is_spoken(&message));
        assert!(!is_spoken(&Message { call: None, ..message }), "taken with no call there is nothing to hear");
    }

    #[test]
    fn a_voicemail_passes_its_own_form_and_reads_in_one_line() {
        for (secs, words) in [(0, "less than a second"), (1, "1 second"), (120, "2 minutes"), (34, "34 seconds")] {
            let message = spoken(secs);
            let asked = Asked { at: render::zoned(message.asked_at(), "UTC"), people: &[], again: false };
            assert_eq!(message.form.check(&message.answers, &asked).as_ref(), Ok(&message.answers));
            assert_eq!(render::headline(&message), format!("Spoken message of {words}, kept with the call"));
        }
    }
}
