//! Shifts out of a calendar (.ics), with each line that was not understood and why; out of a spreadsheet (CSV) they come by `read_table`.
//! Pure.
//!
//! What always holds: nothing is guessed. A line whose person or times are not certain is told of and left out. Of an event that repeats
//! what is over is not read, nor what is more than a year away, which is told too.

mod ics;
mod repeating;

use serde::Serialize;

use super::read_table::UnclearDate;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::namesake::fold;
use crate::domain::account::{Contact, Reach};

pub use ics::read_ics;

/// More than any plan of a year has.
pub(super) const MAX_LINES: usize = 5_000;

/// A shift that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReadShift)]
pub struct Shift {
    pub contact: ContactId,
    pub name: String,
    pub from: UtcMs,
    pub until: UtcMs,
    /// Where it stood, the first line 1.
    pub line: usize,
}

/// Something that was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NotUnderstood {
    pub line: usize,
    pub text: String,
    pub why: String,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadIn {
    pub shifts: Vec<Shift>,
    pub not_understood: Vec<NotUnderstood>,
    /// Events that repeat for longer than is read: up to when.
    pub cut: Vec<Cut>,
    /// Events that were called off where they come from.
    pub cancelled: Vec<Cancelled>,
    /// How it was read, where it could have been read otherwise.
    pub notes: Vec<String>,
    /// What has to be asked before lines with such dates can be read.
    pub unclear_date: Option<UnclearDate>,
}

/// An event that was read up to a day, and goes on after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReadShiftsCut)]
pub struct Cut {
    pub line: usize,
    pub text: String,
    /// None of it that begins later was read.
    pub until: UtcMs,
}

/// An event that is no shift any more (RFC 5545 §3.8.1.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReadShiftsCancelled)]
pub struct Cancelled {
    pub line: usize,
    pub text: String,
    /// When it would have begun, if that can be read.
    pub from: Option<UtcMs>,
}

impl ReadIn {
    pub(super) fn refuse(&mut self, line: usize, text: &str, why: impl Into<String>) {
        let text = text.trim().chars().take(200).collect();
        self.not_understood.push(NotUnderstood { line, text, why: why.into() });
    }

    pub(super) fn take(&mut self, line: usize, text: &str, who: &Contact, from: UtcMs, until: UtcMs) {
        if until <= from {
            return self.refuse(line, text, "It ends before it begins.");
        }
        self.shifts.push(Shift { contact: who.id.clone(), name: who.name.clone(), from, until, line });
    }
}

/// By name, or by an email address of theirs.
pub(super) fn find_person<'a>(written: &str, contacts: &'a [Contact]) -> Result<&'a Contact, String> {
    let wanted = fold(written);
    if wanted.is_empty() {
        return Err("Nobody is named.".to_owned());
    }
    let mail = |contact: &&Contact| {
        contact
            .destinations
            .iter()
            .any(|d| matches!(&d.reach, Reach::Email(address) if address.to_lowercase() == wanted))
    };
    let named: Vec<&Contact> = contacts.iter().filter(|c| fold(&c.name) == wanted).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => contacts.iter().find(mail).ok_or_else(|| "The account has no contact of this name.".to_owned()),
        _ => Err("Several contacts have this name.".to_owned()),
    }
}
