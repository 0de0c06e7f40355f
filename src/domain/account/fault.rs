//! What is wrong with something that people wrote: where, what, and what to do. All of it is told at once.

use std::borrow::Cow;

use serde::Serialize;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Where, as a JSON pointer into what was sent (RFC 6901): `/dids/0`; empty for the whole.
    pub pointer: String,
    /// Stable, dotted, for programs.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    /// What is wrong, in plain words.
    pub detail: String,
    /// What to do about it.
    pub cure: String,
}

/// Gathers what is wrong.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// One more.
    pub fn add(
        &mut self,
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let (pointer, code, detail, cure) = (pointer.into(), code.into(), detail.into(), cure.into());
        self.0.push(Fault { pointer, code, detail, cure });
    }

    /// All of these too.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Fault>) {
        self.0.extend(more);
    }

    /// All that is wrong, in the order in which it was found.
    pub fn into_list(self) -> Vec<Fault> {
        self.0
    }

    /// `value`, if nothing is wrong.
    pub fn unless<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// A text without what cannot be seen, trimmed; a fault if it is empty though it must not be, or too long.
    pub fn text(&mut self, written: &str, what: &Text) -> String {
        let text = crate::domain::message::form::visible(written, what.lines).trim().to_owned();
        if text.is_empty() && what.required {
            let detail = format!("{} is missing.", what.label);
            self.add(what.pointer.clone(), format!("{}_missing", what.code), detail, "Write it.");
        }
        if text.chars().count() > what.max {
            let detail = format!("{} is too long.", what.label);
            let cure = format!("Write {} characters at most.", what.max);
            self.add(what.pointer.clone(), format!("{}_too_long", what.code), detail, cure);
        }
        text
    }
}

/// What a text has to be.
#[derive(Clone, Debug)]
pub struct Text {
    pub pointer: String,
    /// `account.name`: its faults are `account.name_missing` and `account.name_too_long`.
    pub code: &'static str,
    /// As a sentence begins with it.
    pub label: &'static str,
    pub max: usize,
    pub required: bool,
    /// Line breaks stay.
    pub lines: bool,
}

impl Text {
    /// One line that must be there.
    pub fn line(pointer: impl Into<String>, code: &'static str, label: &'static str, max: usize) -> Self {
        Self { pointer: pointer.into(), code, label, max, required: true, lines: false }
    }

    /// The same, which may be left out.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// The same, of several lines.
    #[must_use]
    pub fn lines(self) -> Self {
        Self { lines: true, ..self }
    }
}
