//! Messages that nobody has left, for looking at an account's own words before they are used. Pure.
//!
//! What always holds: numbers are of the fictional range, addresses of example.com, and each answer is one that its field could get, as far
//! as the field shows one: of a pattern without an example nobody knows one, and who is picked is of no account.

use crate::base::clock::UtcMs;
use crate::base::id::{CallTypeId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Urgency};
use crate::domain::message::Message;
use crate::domain::message::form::{Field, Form};
use crate::domain::message::kind::FieldKind;

/// What somebody says where a line of text is asked for: by words of the question, those before first.
const SAID: &[(&[&str], &str)] = &[
    (&["mail", "email"], "jane.roe@example.com"),
    (&["birth", "birthday", "dob"], "4 May 1980"),
    (&["address", "street"], "12 Elm Street"),
    (&["unit", "building", "apartment", "room"], "Building 4, unit 12"),
    (&["company", "firm", "office", "court", "hospital", "practice", "lab", "business"], "Example Company"),
    (&["case", "reference", "order", "policy"], "1417"),
    (&["name", "caller", "patient", "tenant", "customer", "who"], NAME),
];
const NAME: &str = "Jane Roe";
/// Where the question is about something else.
const ANYTHING: &str = "What the caller said";

/// The call types of an account whose messages are sent; an invented one where it has none yet.
pub(super) fn samples(account: &Account) -> Vec<CallType> {
    let dispatched = account.call_types.iter().filter(|t| t.urgency != Urgency::NotLegitimate).cloned();
    let all: Vec<CallType> = dispatched.collect();
    if all.is_empty() { vec![invented_type()] } else { all }
}

/// Where an account has none yet.
pub(super) fn invented_type() -> CallType {
    let field =
        |name: &str, label: &str, kind| Field { name: name.into(), label: label.into(), kind, ..Field::default() };
    CallType {
        id: CallTypeId::named("sample"),
        name: "Message".into(),
        urgency: Urgency::Routine,
        triggers: String::new(),
        watched: Vec::new(),
        form: Form {
            version: 1,
            fields: vec![
                field("name", "Caller", FieldKind::Text),
                field("number", "Call back", FieldKind::Phone),
                field("message", "Message", FieldKind::LongText),
            ],
        },
        protocol: None,
        protected: false,
        priority: None,
    }
}

/// A message that nobody has left, with an answer to each question.
pub(super) fn sample(account: &Account, call_type: &CallType) -> Message {
    let fields = &call_type.form.fields;
    // Who calls comes first on a form, whatever it is called in whatever language.
    let first = fields.iter().find(|field| field.kind == FieldKind::Text).map(|field| field.name.as_str());
    let answered = |field: &Field| (field.name.clone(), answer(field, first == Some(field.name.as_str())));
    Message {
        id: MessageId::named("sample"),
        account: account.id.clone(),
        call_type: call_type.id.clone(),
        call: None,
        caller: PhoneNumber::parse("+12025550148").ok(),
        urgency: call_type.urgency,
        taken_by: None,
        // 2026-03-07T02:10 in Chicago.
        taken_at: UtcMs(1_772_871_000_000),
        begun_at: None,
        form: call_type.form.clone(),
        answers: fields.iter().map(answered).collect(),
        edition: 1,
        changed: None,
        graded: None,
    }
}

/// `first`: it is the first line of text that is asked for.
fn answer(field: &Field, first: bool) -> String {
    let usual = usual(field, first);
    let takes = |answer: &String| field.shape.check(&field.kind, answer.clone()).is_ok();
    if takes(&usual) {
        return usual;
    }
    let shape = &field.shape;
    let longest = shape.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let cut: String = usual.chars().take(longest).collect();
    let others = [shape.example.clone(), shape.min.clone(), shape.max.clone(), Some(cut)];
    others.into_iter().flatten().find(takes).unwrap_or(usual)
}

/// The same, whatever shape it must have.
fn usual(field: &Field, first: bool) -> String {
    match &field.kind {
        FieldKind::Text => match &field.shape.example {
            Some(example) => example.clone(),
            None => said(field, first).to_owned(),
        },
        FieldKind::LongText => "What the caller said, in their own words.\nIt may have several lines.".to_owned(),
        FieldKind::Phone => "+12025550147".to_owned(),
        FieldKind::Number => "12".to_owned(),
        FieldKind::Date => "2026-03-07".to_owned(),
        FieldKind::Time => "02:10".to_owned(),
        FieldKind::YesNo => "yes".to_owned(),
        FieldKind::Choice { options } | FieldKind::Several { options } => options.first().cloned().unwrap_or_default(),
        FieldKind::Contact => "Ben Ortiz".to_owned(),
    }
}

fn said(field: &Field, first: bool) -> &'static str {
    let asked = format!("{} {}", field.label, field.name).to_lowercase();
    let words: Vec<&str> = asked.split(|c: char| !c.is_alphanumeric()).collect();
    let found = SAID.iter().find(|(names, _)| names.iter().any(|name| words.contains(name)));
    found.map_or(if first { NAME } else { ANYTHING }, |(_, said)| *said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::shape::Shape;

    fn of(name: &str, label: &str, kind: FieldKind) -> Field {
        Field { name: name.into(), label: label.into(), kind, ..Field::default() }
    }

    #[test]
    fn an_answer_fits_what_is_asked() {
        for (name, label, expected) in [
            ("address", "Address of the job", "12 Elm Street"),
            ("patient", "Patient's name", NAME),
            ("birth", "Patient's date of birth", "4 May 1980"),
            ("unit", "Building and unit", "Building 4, unit 12"),
            ("office", "Court or office", "Example Company"),
            ("case", "Case number", "1417"),
            ("e_mail", "E-mail address", "jane.roe@example.com"),
            ("heard", "How they heard of us", ANYTHING),
            ("community", "Community", ANYTHING),
        ] {
            assert_eq!(answer(&of(name, label, FieldKind::Text), false), expected, "{label}");
        }
        assert_eq!(answer(&of("wer", "Wer ruft an?", FieldKind::Text), true), NAME);
        let mut like = of("plate", "Licence plate", FieldKind::Text);
        like.shape.example = Some("ABC 123".into());
        assert_eq!(answer(&like, false), "ABC 123");
    }

    #[test]
    fn an_answer_has_the_shape_that_is_asked_for() {
        let asks = |kind, shape| answer(&Field { shape, ..of("asked", "Asked", kind) }, false);
        let least = |min: &str| Shape { min: Some(min.to_owned()), ..Shape::default() };
        let most = |max: &str| Shape { max: Some(max.to_owned()), ..Shape::default() };
        assert_eq!(asks(FieldKind::Number, least("20")), "20");
        assert_eq!(asks(FieldKind::Number, most("5")), "5");
        assert_eq!(asks(FieldKind::Number, least("10")), "12");
        assert_eq!(asks(FieldKind::Date, most("2026-01-31")), "2026-01-31");
        assert_eq!(asks(FieldKind::Time, least("08:00")), "08:00");
        let short = Shape { max_length: Some(8), ..Shape::default() };
        assert_eq!(asks(FieldKind::LongText, short), "What the");
    }

    #[test]
    fn an_answer_is_one_that_its_field_takes() {
        let options = || vec!["Leak".to_owned(), "No heat".to_owned()];
        for kind in [
            FieldKind::Text,
            FieldKind::LongText,
            FieldKind::Phone,
            FieldKind::Number,
            FieldKind::Date,
            FieldKind::Time,
            FieldKind::YesNo,
            FieldKind::Choice { options: options() },
            FieldKind::Several { options: options() },
        ] {
            let given = answer(&of("asked", "Asked", kind.clone()), false);
            assert_eq!(kind.check(&given, &[]).as_deref(), Ok(given.as_str()), "{kind:?}");
        }
    }
}
