//! A form: the fields an operator fills in for a call type, and the check of what was filled in.
//!
//! A field may be asked only at certain hours, or only where an earlier answer says so. What always holds of checked
//! answers: a field that is not shown is neither missed nor kept. What each kind takes is in `kind`.

use std::collections::BTreeMap;

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::domain::account::hours::{Span, Weekday};
use crate::domain::oncall::is_during;

pub use super::kind::{FieldKind, MAX_ANSWER_CHARS};
pub use super::shape::Shape;

/// Answers by field name, as typed and then normalised by [`Form::check`].
pub type Answers = BTreeMap<String, String>;

/// The fields of a call type, in the order they are asked. Versions are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Form {
    pub version: u32,
    pub fields: Vec<Field>,
}

/// One thing to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// Asked only where an earlier answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_if: Option<ShownIf>,
    /// Asked only at these hours, in the account's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<AskedAt>,
    /// A card number and the like: the recording is silent while it is typed, and it is in no draft, text, call or email.
    #[serde(default, skip_serializing_if = "Sensitive::is_no")]
    pub sensitive: Sensitive,
    /// How long an answer is, between what, like which pattern.
    #[serde(default, skip_serializing_if = "Shape::is_empty")]
    pub shape: Shape,
}

/// A field is shown where an earlier one has such an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShownIf {
    /// The name of an earlier field; where a form is written, its label will do.
    pub field: String,
    /// One of these; none: any answer at all.
    #[serde(default)]
    pub is: Vec<String>,
}

/// Hours of some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AskedAt {
    /// The days on which they begin.
    pub days: Vec<Weekday>,
    #[serde(flatten)]
    pub span: Span,
}

/// Whether an answer is one that must not get about, and whether it is kept at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitive {
    #[default]
    No,
    /// Kept with the message, encrypted as all of it is.
    Kept,
    /// Checked and forgotten: for what the operator only passes on.
    NotKept,
}

impl Sensitive {
    /// An answer like any other.
    pub const fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

/// In what circumstances a form is filled in.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// When, by the clocks of the account's zone.
    pub at: ZonedDateTime,
    /// The account's people by name.
    pub people: &'a [String],
    /// A message is changed: what is not kept was asked before, and is not asked again.
    pub again: bool,
}

/// Beside an answer that was taken as it was.
pub const NOT_AS_ASKED: &str = "(not as asked)";

/// What is wrong with one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    pub field: String,
    /// Stable: `required`, `phone`, `number`, `date`, `time`, `yes_no`, `choice`, `contact`, `too_short`, `too_long`,
    /// `pattern`, `too_small`, `too_large`, `too_early`, `too_late`, `unknown_field`; of what was also taken `asked`, `sensitive`,
    /// `too_many`.
    pub code: String,
    /// For the operator, in plain words.
    pub message: String,
    /// Only how it is written is wrong: an urgent message may be saved with it as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub format: bool,
}

/// What is wrong with an answer, before it is said of which field.
struct Wrong {
    code: &'static str,
    message: String,
    format: bool,
}

impl Form {
    /// Checks and normalises answers: trims, brings each into its kind's shape, drops empty ones and those of fields
    /// that are not shown. All faults are told at once.
    pub fn check(&self, answers: &Answers, asked: &Asked<'_>) -> Result<Answers, Vec<FieldError>> {
        self.check_or_take(answers, asked, |_, _| false)
    }

    /// The same, but an answer that is only not written as it should be is taken as it is where `takes` says so: what a caller
    /// says in an emergency is not waited for. No other field is asked because of it.
    pub fn check_or_take(
        &self,
        answers: &Answers,
        asked: &Asked<'_>,
        takes: impl Fn(&Field, &str) -> bool,
    ) -> Result<Answers, Vec<FieldError>> {
        let (mut checked, mut as_they_are) = (Answers::new(), Answers::new());
        let mut errors = Vec::new();
        for name in answers.keys().filter(|name| !self.fields.iter().any(|f| &f.name == *name)) {
            errors.push(FieldError::new(name, "unknown_field", "This form has no such field."));
        }
        for field in &self.fields {
            // Only what is shown before it is in `checked`, so a condition on a hidden field is never met.
            if !field.is_shown(&checked, &asked.at) {
                continue;
            }
            let answer = answers.get(&field.name).map(|typed| field.kind.clean(typed)).unwrap_or_default();
            let answer = answer.trim();
            if answer.is_empty() {
                let asked_before = asked.again && field.sensitive == Sensitive::NotKept;
                if field.required && !asked_before {
                    errors.push(FieldError::new(&field.name, "required", &format!("Please ask for: {}.", field.label)));
                }
                continue;
            }
            match field.check(answer, asked.people) {
                Ok(answer) => {
                    checked.insert(field.name.clone(), answer);
                }
                Err(wrong) if wrong.format && takes(field, answer) => {
                    as_they_are.insert(field.name.clone(), answer.to_owned());
                }
                Err(Wrong { code, message, format }) => {
                    errors.push(FieldError { format, ..FieldError::new(&field.name, code, &message) });
                }
            }
        }
        checked.append(&mut as_they_are);
        if errors.is_empty() { Ok(checked) } else { Err(errors) }
    }

    /// The fields whose answers are not written as they were asked for: taken as they were, as it was urgent.
    pub fn not_as_asked(&self, answers: &Answers) -> Vec<&Field> {
        self.fields.iter().filter(|field| answers.get(&field.name).is_some_and(|answer| field.is_odd(answer))).collect()
    }

    /// Answers without those of sensitive fields: what may be looked through, and kept as a draft.
    pub fn without_sensitive(&self, mut answers: Answers) -> Answers {
        self.drop_where(&mut answers, |field| field.sensitive != Sensitive::No);
        answers
    }

    /// Checked answers without those that are not kept.
    pub fn kept(&self, mut answers: Answers) -> Answers {
        self.drop_where(&mut answers, |field| field.sensitive == Sensitive::NotKept);
        answers
    }

    fn drop_where(&self, answers: &mut Answers, drop: impl Fn(&Field) -> bool) {
        for field in self.fields.iter().filter(|field| drop(field)) {
            answers.remove(&field.name);
        }
    }
}

impl Field {
    /// The answer in its one shape, by its kind and by what else is asked of it.
    fn check(&self, answer: &str, people: &[String]) -> Result<String, Wrong> {
        let answer = self.kind.check(answer, people).map_err(|(code, message)| Wrong {
            code,
            message: message.to_owned(),
            format: FieldKind::is_format(code),
        })?;
        self.shape.check(&self.kind, answer).map_err(|(code, message)| Wrong { code, message, format: true })
    }

    /// A kept answer that is not written as it was asked for.
    pub fn is_odd(&self, answer: &str) -> bool {
        self.check(answer, &[]).is_err_and(|wrong| wrong.format)
    }

    /// A kept answer as people read it; that it is not as it was asked for is said beside it.
    pub fn show(&self, answer: &str) -> String {
        let shown = self.kind.show(answer);
        if self.is_odd(answer) { format!("{shown} {NOT_AS_ASKED}") } else { shown }
    }

    /// A kept answer is a telephone number, which can be dialled and is read as one.
    pub fn is_number(&self, answer: &str) -> bool {
        self.kind == FieldKind::Phone && self.kind.check(answer, &[]).is_ok()
    }

    /// Whether it is asked at `at`, after the answers of the shown fields before it.
    pub fn is_shown(&self, before: &Answers, at: &ZonedDateTime) -> bool {
        let now = self.hours.as_ref().is_none_or(|hours| hours.covers(at));
        now && self.shown_if.as_ref().is_none_or(|condition| condition.is_met(before))
    }
}

impl ShownIf {
    fn is_met(&self, before: &Answers) -> bool {
        let Some(answer) = before.get(&self.field) else { return false };
        // An answer that names several is met by each of them.
        let same = |wanted: &String| answer.lines().any(|line| line.to_lowercase() == wanted.to_lowercase());
        self.is.is_empty() || self.is.iter().any(same)
    }
}

impl AskedAt {
    /// Whether `at` is in these hours, by its clocks.
    pub fn covers(&self, at: &ZonedDateTime) -> bool {
        is_during(&self.days, &self.span, at.time_zone(), UtcMs(at.timestamp().as_millisecond()))
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
    pub fn new(field: &str, code: &str, message: &str) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), message: message.to_owned(), format: false }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
