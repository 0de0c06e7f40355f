//! The forms of the demo's call types: what an operator asks, in the order she asks it; and what callers ask her.

use crate::domain::account::CallType;
use crate::domain::account::faq::Faq;
use crate::domain::message::form::{Field, FieldKind, Form, ShownIf};
use crate::domain::message::trigger::Trigger;

/// What callers ask, and what is answered.
pub fn asked(entries: &[(&str, &str)]) -> Vec<Faq> {
    let entry = |(question, answer): &(&str, &str)| Faq { question: (*question).into(), answer: (*answer).into() };
    entries.iter().map(entry).collect()
}

/// A field that is asked for and told in short messages too.
pub fn field(name: &str, label: &str, kind: FieldKind) -> Field {
    Field { name: name.to_owned(), label: label.to_owned(), kind, required: true, brief: true, ..Field::default() }
}

/// The same, but it may stay empty.
pub fn optional(name: &str, label: &str, kind: FieldKind) -> Field {
    Field { required: false, ..field(name, label, kind) }
}

/// The same field, for email and the screen only.
pub fn in_full(field: Field) -> Field {
    Field { brief: false, ..field }
}

/// A field that takes one of a list.
pub fn choice(name: &str, label: &str, options: &[&str]) -> Field {
    let options = options.iter().map(|&option| option.to_owned()).collect();
    field(name, label, FieldKind::Choice { options })
}

/// The same field, asked only where `other` is one of `is`.
pub fn only_if(field: Field, other: &str, is: &[&str]) -> Field {
    let is = is.iter().map(|&answer| answer.to_owned()).collect();
    Field { shown_if: Some(ShownIf { field: other.to_owned(), is }), ..field }
}

/// The same call type, suggested by these words and by these answers to `problem`.
pub fn watching(call_type: CallType, words: &[&str], problems: &[&str]) -> CallType {
    let words = words.iter().map(|&words| Trigger::Words { words: words.to_owned() });
    let answer = |&is: &&str| Trigger::Answer { field: "problem".to_owned(), is: is.to_owned() };
    CallType { watched: words.chain(problems.iter().map(answer)).collect(), ..call_type }
}

/// Who called and where to ring back, which every form begins with, and `more`.
pub fn caller_and(more: Vec<Field>) -> Form {
    let mut fields =
        vec![field("name", "Caller's name", FieldKind::Text), field("callback", "Call-back number", FieldKind::Phone)];
    fields.extend(more);
    Form { version: 1, fields }
}

/// What is noted of sales calls and wrong numbers, if anything.
pub fn not_legitimate() -> Form {
    Form { version: 1, fields: vec![in_full(optional("message", "What it was", FieldKind::Text))] }
}
