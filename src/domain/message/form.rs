//! A form: the fields an operator fills in for a call type, and the check of what was filled in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::phone::PhoneNumber;

/// Answers by field name, as typed and then normalised by [`Form::check`].
pub type Answers = BTreeMap<String, String>;

/// The fields of a call type, in the order they are asked. Versions are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Form {
    pub version: u32,
    pub fields: Vec<Field>,
}

/// One thing to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Field {
    /// The key of its answer: lower-case letters, digits and `_`. Left out where a form is written: made of the label.
    #[serde(default)]
    pub name: String,
    /// What the operator reads.
    pub label: String,
    pub kind: FieldKind,
    #[serde(default)]
    pub required: bool,
    /// Said aloud and texted when the message is delivered; others are for email and the screen.
    #[serde(default)]
    pub brief: bool,
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    LongText,
    Phone,
    Choice { options: Vec<String> },
}

/// What is wrong with one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    pub field: String,
    /// Stable: `required`, `phone`, `choice`, `too_long`, `unknown_field`.
    pub code: String,
    /// For the operator, in plain words.
    pub message: String,
}

/// The longest answer taken, in characters.
pub const MAX_ANSWER_CHARS: usize = 4_000;

impl Form {
    /// Checks and normalises answers: trims, turns phone numbers into E.164, drops empty ones.
    /// All faults are told at once.
    pub fn check(&self, answers: &Answers) -> Result<Answers, Vec<FieldError>> {
        let mut checked = Answers::new();
        let mut errors = Vec::new();
        for name in answers.keys().filter(|name| !self.fields.iter().any(|f| &f.name == *name)) {
            errors.push(FieldError::new(name, "unknown_field", "This form has no such field."));
        }
        for field in &self.fields {
            let answer = answers.get(&field.name).map(|typed| field.kind.clean(typed)).unwrap_or_default();
            let answer = answer.trim();
            if answer.is_empty() {
                if field.required {
                    errors.push(FieldError::new(&field.name, "required", &format!("Please ask for: {}.", field.label)));
                }
                continue;
            }
            match field.kind.check(answer) {
                Ok(answer) => {
                    checked.insert(field.name.clone(), answer);
                }
                Err((code, message)) => errors.push(FieldError::new(&field.name, code, message)),
            }
        }
        if errors.is_empty() { Ok(checked) } else { Err(errors) }
    }
}

impl FieldKind {
    /// What was typed without what cannot be seen: control characters, and those that turn or hide text, which
    /// would make a text or a page say something else than was taken. Line breaks stay in long texts alone.
    fn clean(&self, typed: &str) -> String {
        visible(typed, *self == Self::LongText)
    }

    fn check(&self, answer: &str) -> Result<String, (&'static str, &'static str)> {
        if answer.chars().count() > MAX_ANSWER_CHARS {
            return Err(("too_long", "Too long: 4,000 characters at most."));
        }
        match self {
            Self::Text | Self::LongText => Ok(answer.to_owned()),
            Self::Phone => PhoneNumber::parse(answer)
                .map(String::from)
                .map_err(|_| ("phone", "Not a complete telephone number: ask again, with area code.")),
            Self::Choice { options } => options
                .iter()
                .find(|option| option.eq_ignore_ascii_case(answer))
                .cloned()
                .ok_or(("choice", "Pick one of the list.")),
        }
    }
}

/// `typed` without what cannot be seen; line breaks become spaces unless `lines` are wanted.
pub fn visible(typed: &str, lines: bool) -> String {
    let seen = |c: char| match c {
        '\n' if lines => Some('\n'),
        '\n' | '\t' => Some(' '),
        c if c.is_control() => None,
        // Bidirectional and zero-width formatting, Unicode's "default ignorable" ones among what people paste.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' => None,
        c => Some(c),
    };
    typed.chars().filter_map(seen).collect()
}

impl FieldError {
    fn new(field: &str, code: &str, message: &str) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), message: message.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let field =
            |name: &str, kind| Field { name: name.into(), label: name.into(), kind, required: true, brief: true };
        Form { version: 1, fields: vec![field("name", FieldKind::Text), field("message", FieldKind::LongText)] }
    }

    fn check(name: &str, message: &str) -> Result<Answers, Vec<FieldError>> {
        form().check(&[("name".to_owned(), name.to_owned()), ("message".to_owned(), message.to_owned())].into())
    }

    #[test]
    fn what_cannot_be_seen_is_not_taken() {
        let taken = check("Ann\u{202e} \u{0}Archer\nReply 9ok", "first\r\nsecond").unwrap();
        assert_eq!(taken["name"], "Ann Archer Reply 9ok");
        assert_eq!(taken["message"], "first\nsecond");
    }

    #[test]
    fn a_required_answer_of_blanks_is_missing() {
        let errors = check("  \u{200b}\u{feff} ", "x").unwrap_err();
        assert_eq!((errors.len(), errors[0].code.as_str()), (1, "required"));
    }
}
