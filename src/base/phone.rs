//! Telephone numbers in E.164. Redacted in `Debug`; printing one is explicit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number in E.164: `+` and 3 to 15 digits (ITU-T E.164 §6).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// Why a text is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneError {
    /// Something other than digits, a leading plus and the usual separators.
    Character,
    /// Fewer than 3 or more than 15 digits, or a national number of the wrong length.
    Length,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "a telephone number holds digits, spaces and - . ( ) only",
            Self::Length => "not a complete telephone number: write it as +12025550101 or 202 555 0101",
        })
    }
}

impl std::error::Error for PhoneError {}

impl PhoneNumber {
    /// Reads a number as people and carriers write it: `+…`, `00…`, `011…`, or a North American
    /// national number of 10 digits (or 11 with the leading 1).
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let text = text.trim();
        let international = text.starts_with('+');
        let mut digits = String::with_capacity(16);
        for (i, c) in text.chars().enumerate() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if i == 0 => {}
                ' ' | '-' | '.' | '(' | ')' | '\u{a0}' => {}
                _ => return Err(PhoneError::Character),
            }
        }
        let e164 = if international {
            digits
        } else if let Some(rest) = digits.strip_prefix("011").or_else(|| digits.strip_prefix("00")) {
            rest.to_owned()
        } else if digits.len() == 10 {
            format!("1{digits}")
        } else if digits.len() == 11 && digits.starts_with('1') {
            digits
        } else {
            return Err(PhoneError::Length);
        };
        // An E.164 number never starts with 0 (country codes are 1-9).
        if (3..=15).contains(&e164.len()) && !e164.starts_with('0') {
            Ok(Self(format!("+{e164}")))
        } else {
            Err(PhoneError::Length)
        }
    }

    /// `+12025550101`.
    pub fn as_e164(&self) -> &str {
        &self.0
    }

    /// The digits without the plus.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[number]")
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;
    fn from_str(s: &str) -> Result<Self, PhoneError> {
        Self::parse(s)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneError;
    fn try_from(s: String) -> Result<Self, PhoneError> {
        Self::parse(&s)
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_people_and_carriers_write_them() {
        for text in ["+1 202 555 0101", "(202) 555-0101", "12025550101", "0012025550101", "011 1 202 555 0101"] {
            assert_eq!(PhoneNumber::parse(text).map(String::from).as_deref(), Ok("+12025550101"), "{text}");
        }
        assert_eq!(PhoneNumber::parse("5550101"), Err(PhoneError::Length));
        assert_eq!(PhoneNumber::parse("call me"), Err(PhoneError::Character));
    }

    #[test]
    fn a_number_is_redacted_when_debugged() {
        let number = PhoneNumber::parse("+12025550101").expect("a valid number");
        assert_eq!(format!("{number:?}"), "[number]");
    }
}
