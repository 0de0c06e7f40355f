//! Telephone numbers in E.164. Redacted in `Debug`; printing one is explicit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number in E.164: `+` and 3 to 15 digits (ITU-T E.164 §6).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// Numbers by which people call for help, the world over: police, fire, ambulance, and the test number of North
/// America (933). Country by country in ITU-T's list of national numbering plans (E.129).
const EMERGENCY: [&str; 33] = [
    "911", "112", "999", "000", "110", "111", "118", "119", "117", "100", "101", "102", "103", "104", "105", "106",
    "107", "108", "113", "114", "115", "116", "120", "122", "123", "190", "191", "192", "193", "194", "195", "933",
    "995",
];
/// Shorter than this, country code and all, no number is a subscriber's: three digits at most after three at most of
/// the country (E.164 §6.2.1) make six.
const SUBSCRIBER_DIGITS: usize = 7;

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

    /// An emergency number as a person dials it: `911`. Its form here is the digits with a plus, which is no
    /// subscriber's number.
    pub fn emergency(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        EMERGENCY.contains(&digits.as_str()).then(|| Self(format!("+{digits}")))
    }

    /// Too short to be a subscriber's: an emergency number or a special service, with or without a country code.
    pub fn is_short(&self) -> bool {
        self.digits().len() < SUBSCRIBER_DIGITS
    }

    /// The emergency number that a short number is, as it is dialled: `911` for `+911` and `+1911`.
    pub fn emergency_code(&self) -> Option<&str> {
        let digits = self.digits();
        let forms = (0..=3).filter_map(|country| digits.get(country..));
        forms.filter(|form| self.is_short() && form.len() >= 3).find(|form| EMERGENCY.contains(form))
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

    #[test]
    fn emergency_numbers_are_known_with_and_without_a_country_code() {
        for text in ["+911", "+1911", "+112", "+49110", "+49112", "+353999", "+420112", "+44999", "+61000", "+1933"] {
            let number = PhoneNumber::parse(text).expect("a number");
            assert!(number.is_short(), "{text}");
            let code = number.emergency_code().expect("an emergency number");
            assert!(text.ends_with(code), "{text}: {code}");
        }
        let dialled = PhoneNumber::emergency("9-1-1").expect("people write it so");
        assert_eq!(dialled.emergency_code(), Some("911"));
        let subscriber = PhoneNumber::parse("+12025550911").expect("a number");
        assert!(!subscriber.is_short() && subscriber.emergency_code().is_none());
        let directory = PhoneNumber::parse("+1411").expect("a number");
        assert!(directory.is_short() && directory.emergency_code().is_none());
        assert_eq!(PhoneNumber::emergency("2025550911"), None);
    }
}
