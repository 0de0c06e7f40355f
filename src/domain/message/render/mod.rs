//! How a message reads in an email, in a text, on a faxed page and aloud. Pure: what is rendered is made anew from the
//! message whenever it is sent, and kept nowhere.

pub mod fax;
pub mod joint;
pub mod letter;
pub mod notice;
pub mod over;
mod sample;
pub mod speech;
mod spoken;
pub mod webhook;
pub mod which;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::Message;
use super::form::{Field, FieldKind};
use super::trigger::{Graded, Grading};
use crate::base::clock::UtcMs;
use crate::domain::account::{Account, Urgency};

/// The longest text sent: three joined GSM segments. What does not fit is cut, and said to be cut.
pub const MAX_TEXT_CHARS: usize = 459;
const MAX_SUBJECT_CHARS: usize = 120;
const MAX_HEADLINE_CHARS: usize = 100;
/// Of a field's label, in a text or on a page.
const MAX_LABEL_CHARS: usize = 40;
/// A weekday says which day is meant for so long: six days.
const WEEKDAY_SAYS_MS: i64 = 6 * 24 * 60 * 60 * 1_000;
/// In place of a sensitive answer.
const NOT_SENT: &str = "kept with the message, not sent";

/// An email about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    pub subject: String,
    pub body: String,
}

/// The civil time in `zone`, in UTC if the zone is unknown.
pub fn civil(at: UtcMs, zone: &str) -> DateTime {
    zoned(at, zone).datetime()
}

/// The time by the clocks of `zone`, of UTC if the zone is unknown.
pub fn zoned(at: UtcMs, zone: &str) -> ZonedDateTime {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    ZonedDateTime::new(Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH), zone)
}

/// `02:14`.
pub fn clock(at: UtcMs, zone: &str) -> String {
    civil(at, zone).strftime("%H:%M").to_string()
}

/// The same as somebody reads it at `now`: `Thu 02:14` where that is another day, `Thu 5 Mar 02:14` where a weekday alone would not do.
pub fn clock_by(at: UtcMs, now: UtcMs, zone: &str) -> String {
    let (then, today) = (civil(at, zone), civil(now, zone));
    let format = if then.date() == today.date() {
        "%H:%M"
    } else if now.since(at).abs() < WEEKDAY_SAYS_MS {
        "%a %H:%M"
    } else {
        "%a %-d %b %H:%M"
    };
    then.strftime(format).to_string()
}

/// `02:14 EST`, or `02:14:30 EST` where it is not a whole minute: what is announced must not come after its time, and is read
/// where other clocks hang.
pub fn clock_in_zone(at: UtcMs, zone: &str) -> String {
    let time = zoned(at, zone);
    time.strftime(if time.second() == 0 { "%H:%M %Z" } else { "%H:%M:%S %Z" }).to_string()
}

/// `02:14:00 EST`: what counts down is written alike whether or not it ends on the minute.
pub fn second_in_zone(at: UtcMs, zone: &str) -> String {
    zoned(at, zone).strftime("%H:%M:%S %Z").to_string()
}

/// `Sat 7 Mar 2026, 02:14`.
pub fn date_and_clock(at: UtcMs, zone: &str) -> String {
    civil(at, zone).strftime("%a %-d %b %Y, %H:%M").to_string()
}

/// A number as people read it: `+1 202 555 0101`; other countries' in one piece.
pub fn number(e164: &str) -> String {
    match e164.strip_prefix("+1") {
        Some(d) if d.len() == 10 => format!("+1 {} {} {}", &d[..3], &d[3..6], &d[6..]),
        _ => e164.to_owned(),
    }
}

/// Who called and what for, in one line, for a screen: `Jane Roe · burst pipe in the kitchen`.
pub fn headline(message: &Message) -> String {
    let answers: Vec<(&Field, String)> =
        brief_answers(message).filter(|(field, _)| !is_number(message, field)).collect();
    // Who comes first on a form; what for is a choice or a long text, an address is not.
    let what_for = |(field, _): &&(&Field, String)| {
        matches!(field.kind, FieldKind::LongText | FieldKind::Choice { .. } | FieldKind::Several { .. })
    };
    let problem = answers.iter().skip(1).find(what_for).or_else(|| answers.get(1));
    let parts: Vec<&str> = answers.iter().take(1).chain(problem).map(|(_, answer)| answer.as_str()).collect();
    let text = if parts.is_empty() {
        message.caller.as_ref().map_or_else(|| "unknown caller".to_owned(), |n| number(n.as_e164()))
    } else {
        parts.join(" · ")
    };
    cut(&one_line(&text), MAX_HEADLINE_CHARS)
}

/// The number to ring back: what the caller gave, else the one they called from.
pub fn callback_number(message: &Message) -> Option<String> {
    let told = message.form.fields.iter().filter(|f| f.sensitive.is_no());
    let given = told.filter_map(|f| message.answers.get(&f.name).filter(|answer| f.is_number(answer))).next().cloned();
    given.or_else(|| message.caller.as_ref().map(|n| n.as_e164().to_owned()))
}

/// An answer as it is written to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub label: String,
    pub words: String,
    /// It begins on a line of its own, so that it stays readable.
    pub long: bool,
}

/// The answers in the form's order, as the client may read them: what is sensitive is not among the words.
pub fn written_answers(message: &Message) -> Vec<Written> {
    let written = |field: &Field| {
        let answer = message.answers.get(&field.name)?;
        let told = field.sensitive.is_no();
        let words = if told { field.show(answer) } else { NOT_SENT.to_owned() };
        let long = told && (field.kind == FieldKind::LongText || words.contains('\n'));
        Some(Written { label: field.label.clone(), words, long })
    };
    message.form.fields.iter().filter_map(written).collect()
}

/// The email. `outcome` says what became of the call ("Put through to Ben Ortiz."), where there is something to say.
pub fn email(message: &Message, account: &Account, call_type: &str, outcome: Option<&str>) -> Email {
    let urgent = if message.urgency == Urgency::Urgent { "URGENT: " } else { "" };
    let subject = format!("{urgent}{} for {}: {}", call_type, account.name, headline(message));
    let mut body = format!(
        "{}{} for {}\nTaken {}\n\n",
        urgent,
        call_type,
        account.name,
        date_and_clock(message.taken_at, &account.zone)
    );
    for answer in written_answers(message) {
        let gap = if answer.long { "\n" } else { " " };
        body.push_str(&format!("{}:{gap}{}\n", answer.label, answer.words));
    }
    if let Some(caller) = &message.caller {
        body.push_str(&format!("\nCalled from: {}\n", number(caller.as_e164())));
    }
    if let Some(graded) = &message.graded {
        body.push_str(&format!("\n{}\n", graded_words(graded)));
    }
    if message.changed.is_some() {
        body.push_str("\nThis message was changed after it was taken.\n");
    }
    if let Some(outcome) = outcome {
        body.push_str(&format!("\n{outcome}\n"));
    }
    Email { subject: cut(&one_line(&subject), MAX_SUBJECT_CHARS), body }
}

/// The text, with the reply that confirms it where one is asked for. The reply is never what is cut.
pub fn text(message: &Message, account: &Account, code: Option<u16>, now: UtcMs) -> String {
    let urgent = if message.urgency == Urgency::Urgent { " URGENT" } else { "" };
    let head = format!("{}{urgent} {}: ", account.name, clock_by(message.taken_at, now, &account.zone));
    let tail = code.map_or_else(String::new, |code| format!(" Reply {code}ok to confirm."));
    let room = MAX_TEXT_CHARS.saturating_sub(head.chars().count() + tail.chars().count() + 1);
    let said = cut(&said_briefly(message), room);
    let stop = if said.ends_with(['.', '!', '?']) || tail.is_empty() { "" } else { "." };
    format!("{head}{said}{stop}{tail}")
}

/// What a text says of a message, in one line: the answers that are told in brief, and the caller's number.
fn said_briefly(message: &Message) -> String {
    let mut parts: Vec<String> = brief_answers(message).map(|(field, answer)| in_brief(field, &answer)).collect();
    let named = message.form.fields.iter().any(|f| {
        f.brief && f.kind == FieldKind::Phone && message.answers.get(&f.name).is_none_or(|answer| f.is_number(answer))
    });
    match &message.caller {
        Some(caller) if !named => parts.push(number(caller.as_e164())),
        _ => {}
    }
    one_line(&parts.join("; "))
}

/// An answer as it stands in a text or on a page: after its label where it says nothing by itself ("Yes", "3").
fn in_brief(field: &Field, answer: &str) -> String {
    if !matches!(field.kind, FieldKind::YesNo | FieldKind::Number | FieldKind::Date | FieldKind::Time) {
        return answer.to_owned();
    }
    let label = cut(field.label.trim_end_matches([':', ' ']), MAX_LABEL_CHARS);
    let colon = if label.ends_with('?') { "" } else { ":" };
    format!("{label}{colon} {answer}")
}

/// The page: the number to ring back first, as a pager may show the beginning alone; then who it is for and what it is about.
/// As long as it comes: how much a carrier takes, its edge knows.
pub fn page(message: &Message, account: &Account, now: UtcMs) -> String {
    let urgent = if message.urgency == Urgency::Urgent { "URGENT " } else { "" };
    let back = callback_number(message).map_or_else(String::new, |back| format!("Call {}. ", number(&back)));
    let answers = brief_answers(message).filter(|(field, _)| !is_number(message, field));
    let said: Vec<String> = answers.map(|(field, answer)| in_brief(field, &answer)).collect();
    let taken = clock_by(message.taken_at, now, &account.zone);
    one_line(&format!("{urgent}{back}{} {taken}: {}", account.name, said.join("; ")))
}

/// Tells the one who confirmed that it counted: `Confirmed 02:14, caller +1 202 555 0147`; without the caller if that is
/// `protected`.
pub fn confirmed_reply(message: &Message, account: &Account, at: UtcMs, protected: bool) -> String {
    let caller = callback_number(message)
        .filter(|_| !protected)
        .map_or_else(String::new, |n| format!(", caller {}", number(&n)));
    format!("{}: Confirmed {}{caller}. Thank you.", account.name, clock(at, &account.zone))
}

/// Tells one who answers what was told before the message was changed.
pub fn changed_reply(message: &Message, account: &Account, code: Option<u16>, now: UtcMs) -> String {
    let taken = clock_by(message.taken_at, now, &account.zone);
    let how = code.map_or_else(String::new, |code| format!(" To confirm it as it is now, reply {code}ok."));
    format!("{}: the message of {taken} was changed since. It comes to you anew.{how}", account.name)
}

/// Answers a text that was not understood, where no other message is open ([`which`]).
pub fn help_reply(message: &Message, account: &Account, code: Option<u16>, now: UtcMs) -> String {
    let taken = clock_by(message.taken_at, now, &account.zone);
    let how = code.map_or_else(String::new, |code| format!(" To confirm the message of {taken}, reply {code}ok."));
    format!("{}: an operator will read your text.{how}", account.name)
}

/// Urgency otherwise than by the client's list, in a sentence.
pub fn graded_words(graded: &Graded) -> String {
    let reason = graded.reason.trim_end_matches('.');
    match (graded.how, &graded.trigger) {
        (Grading::Raised, _) => format!("Taken as urgent though nothing of your list was met: {reason}."),
        (Grading::Lowered, Some(trigger)) => {
            format!("Not taken as urgent though \u{201c}{trigger}\u{201d} is on your list: {reason}.")
        }
        (Grading::Lowered, None) => format!("Not taken as urgent though it is on your list: {reason}."),
    }
}

/// Answers that are said and texted: the brief ones in the form's order, all of them if none is brief; never sensitive ones.
pub(super) fn brief_answers(message: &Message) -> impl Iterator<Item = (&Field, String)> {
    let any_brief = message.form.fields.iter().any(|f| f.brief && f.sensitive.is_no());
    let told = message.form.fields.iter().filter(move |f| f.sensitive.is_no() && (f.brief || !any_brief));
    told.filter_map(|field| Some((field, field.show(message.answers.get(&field.name)?))))
}

/// The answer is a telephone number: told as the one to call back, and not among the words.
pub(super) fn is_number(message: &Message, field: &Field) -> bool {
    message.answers.get(&field.name).is_some_and(|answer| field.is_number(answer))
}

/// Line breaks and runs of blanks become one blank.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `max` characters; what was cut shows as `...` (a real ellipsis is not in the GSM alphabet).
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::base::id::{AccountId, CallTypeId, MessageId};
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::hours::Hours;
    use crate::domain::account::{LeaveMessage, Patching, Queueing, RecordingPolicy, Speech};
    use crate::domain::message::form::{Answers, Form, Sensitive};

    /// 2026-03-07T02:10 in Chicago, when the messages of tests are taken.
    pub(crate) const NOW: UtcMs = UtcMs(1_772_871_000_000);

    pub(crate) fn account() -> Account {
        let speech = Speech::Spoken { text: "Hello".into() };
        Account {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            zone: "America/Chicago".into(),
            color: "#336699".into(),
            answer_phrase: String::new(),
            notes: String::new(),
            faq: Vec::new(),
            greeting: speech.clone(),
            apology: speech,
            comfort: None,
            dids: vec![PhoneNumber::parse("+12025550102").expect("valid")],
            caller_id: None,
            priority: 0,
            ring_secs: 20,
            max_wait_secs: 120,
            undo_secs: 5,
            secure: Default::default(),
            mail: Default::default(),
            leave_message: LeaveMessage::CallbackRequest,
            recording: RecordingPolicy::default(),
            queueing: Queueing::default(),
            patching: Patching::default(),
            hours: Hours::default(),
            menus: vec![],
            ages: Default::default(),
            status_greeting: None,
            answer_phrases: Vec::new(),
            call_types: vec![],
        }
    }

    pub(crate) fn message(problem: &str) -> Message {
        let field = |name: &str, label: &str, kind, brief| Field {
            name: name.into(),
            label: label.into(),
            kind,
            required: true,
            brief,
            ..Field::default()
        };
        let answers = [("name", "Jane Roe"), ("number", "+12025550147"), ("problem", problem), ("pets", "one dog")];
        Message {
            id: MessageId::named("m"),
            account: AccountId::named("plumbing"),
            call_type: CallTypeId::named("urgent"),
            call: None,
            caller: PhoneNumber::parse("+12025550148").ok(),
            urgency: Urgency::Urgent,
            taken_by: None,
            // 2026-03-07T02:10 in Chicago.
            taken_at: NOW,
            begun_at: None,
            form: Form {
                version: 1,
                fields: vec![
                    field("name", "Caller", FieldKind::Text, true),
                    field("number", "Call back", FieldKind::Phone, true),
                    field("problem", "Problem", FieldKind::LongText, true),
                    field("pets", "Pets", FieldKind::Text, false),
                ],
            },
            answers: answers.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<Answers>(),
            edition: 1,
            changed: None,
            graded: None,
        }
    }

    #[test]
    fn what_leaves_on_another_day_says_of_which_day_its_time_is() {
        let days = |days: i64| NOW.plus_secs(days * 86_400);
        let head = |now| {
            let text = text(&message("Leak"), &account(), Some(1), now);
            text.split_once(": ").expect("a head").0.to_owned()
        };
        assert_eq!(head(NOW.plus_secs(21 * 3_600)), "Imaginary Plumbing URGENT 02:10", "the same day");
        assert_eq!(head(days(1)), "Imaginary Plumbing URGENT Sat 02:10");
        assert_eq!(head(days(7)), "Imaginary Plumbing URGENT Sat 7 Mar 02:10");
        // A minute after midnight it is another day, too.
        assert_eq!(clock_by(NOW, NOW.plus_secs(22 * 3_600), "America/Chicago"), "Sat 02:10");
        assert!(page(&message("Leak"), &account(), days(1)).contains("Imaginary Plumbing Sat 02:10: "));
    }

    #[test]
    fn a_text_says_what_where_and_how_to_confirm() {
        assert_eq!(
            text(&message("Burst pipe\nin the kitchen"), &account(), Some(1), NOW),
            "Imaginary Plumbing URGENT 02:10: Jane Roe; +1 202 555 0147; Burst pipe in the kitchen. Reply 1ok to confirm."
        );
    }

    #[test]
    fn an_answer_that_says_nothing_by_itself_is_texted_and_paged_after_its_label() {
        let mut message = message("Leak");
        for (label, kind, answer) in [
            ("Main valve shut", FieldKind::YesNo, "yes"),
            ("Is there water?", FieldKind::YesNo, "no"),
            ("Rooms", FieldKind::Number, "3"),
        ] {
            let name = label.to_lowercase();
            message.answers.insert(name.clone(), answer.into());
            message.form.fields.push(Field { name, label: label.into(), kind, brief: true, ..Field::default() });
        }
        let said = "Leak; Main valve shut: Yes; Is there water? No; Rooms: 3";
        assert_eq!(
            text(&message, &account(), Some(1), NOW),
            format!("Imaginary Plumbing URGENT 02:10: Jane Roe; +1 202 555 0147; {said}. Reply 1ok to confirm.")
        );
        assert!(
            page(&message, &account(), NOW).ends_with(&format!("Jane Roe; {said}")),
            "{}",
            page(&message, &account(), NOW)
        );
    }

    #[test]
    fn a_page_says_first_where_to_ring_back() {
        assert_eq!(
            page(&message("Burst pipe\nin the kitchen"), &account(), NOW),
            "URGENT Call +1 202 555 0147. Imaginary Plumbing 02:10: Jane Roe; Burst pipe in the kitchen"
        );
    }

    #[test]
    fn a_long_text_is_cut_before_the_reply_code() {
        let long = text(&message(&"water everywhere ".repeat(80)), &account(), Some(12), NOW);
        assert!(long.chars().count() <= MAX_TEXT_CHARS);
        assert!(long.ends_with("... Reply 12ok to confirm."), "{long}");
    }

    #[test]
    fn an_email_holds_every_answer_and_the_outcome() {
        let mail = email(&message("Burst pipe"), &account(), "Urgent repair", Some("Put through to Ben Ortiz."));
        assert_eq!(mail.subject, "URGENT: Urgent repair for Imaginary Plumbing: Jane Roe · Burst pipe");
        for part in
            ["Taken Sat 7 Mar 2026, 02:10", "Problem:\nBurst pipe", "Pets: one dog", "+1 202 555 0148", "Ben Ortiz"]
        {
            assert!(mail.body.contains(part), "{part} is missing in {}", mail.body);
        }
    }

    #[test]
    fn what_is_sensitive_leaves_by_no_door() {
        let mut message = message("Burst pipe");
        message.form.fields[2].sensitive = Sensitive::Kept;
        let mail = email(&message, &account(), "Urgent", None);
        assert!(mail.body.contains("Problem: kept with the message, not sent"), "{}", mail.body);
        let told = [
            mail.subject,
            mail.body,
            text(&message, &account(), Some(1), NOW),
            page(&message, &account(), NOW),
            headline(&message),
            speech::content(&message, &account()),
            speech::held(&message, &account()),
        ];
        for words in told {
            assert!(!words.contains("Burst pipe"), "{words}");
        }
        // A number that is kept to oneself is no number to call back, nor is it said in groups.
        message.form.fields[1].sensitive = Sensitive::Kept;
        message.caller = None;
        let said = speech::held(&message, &account());
        assert!(!said.contains("5, 5, 5") && said.contains("They left no number."), "{said}");
    }

    #[test]
    fn a_subject_never_holds_a_line_break() {
        let mail = email(&message("a\r\nBcc: someone@example.com"), &account(), "Urgent", None);
        assert!(!mail.subject.contains(['\r', '\n']));
    }
}
