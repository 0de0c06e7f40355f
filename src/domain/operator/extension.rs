//! Extensions: short numbers by which operators call each other from desk phones.
//!
//! Every extension is two to four digits. None is an emergency number, so that who dials one of those never gets a
//! colleague.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::phone::PhoneNumber;

/// The first that is given where nobody says which.
const FIRST: u32 = 201;
/// The last.
const LAST: u32 = 9_999;

/// A short number of a desk phone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Extension(String);

/// Why a text is no extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoExtension {
    Digits,
    Emergency,
}

impl fmt::Display for NoExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digits => "an extension has two to four digits, such as 203",
            Self::Emergency => "an emergency number is nobody's extension: choose another, such as 203",
        })
    }
}

impl std::error::Error for NoExtension {}

impl Extension {
    /// Understands an extension.
    pub fn parse(text: &str) -> Result<Self, NoExtension> {
        let text = text.trim();
        if !(2..=4).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NoExtension::Digits);
        }
        if PhoneNumber::emergency(text).is_some() {
            return Err(NoExtension::Emergency);
        }
        Ok(Self(text.to_owned()))
    }

    /// The lowest from 201 on that is not taken.
    pub fn pick_free(is_taken: impl Fn(&Self) -> bool) -> Option<Self> {
        (FIRST..=LAST).filter_map(|n| Self::parse(&n.to_string()).ok()).find(|one| !is_taken(one))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Extension> for String {
    fn from(extension: Extension) -> Self {
        extension.0
    }
}

impl TryFrom<String> for Extension {
    type Error = NoExtension;
    fn try_from(text: String) -> Result<Self, NoExtension> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_short_and_never_a_call_for_help() {
        for good in ["20", "203", " 2031 "] {
            assert_eq!(Extension::parse(good).map(String::from).as_deref(), Ok(good.trim()));
        }
        for bad in ["", "2", "20310", "2a3", "+203"] {
            assert_eq!(Extension::parse(bad), Err(NoExtension::Digits), "{bad}");
        }
        for help in ["911", "112", "999"] {
            assert_eq!(Extension::parse(help), Err(NoExtension::Emergency), "{help}");
        }
    }

    #[test]
    fn the_next_free_one_leaves_out_what_is_taken_and_what_calls_for_help() {
        let taken = |n: u32| move |one: &Extension| one.as_str().parse::<u32>().is_ok_and(|it| it <= n);
        assert_eq!(Extension::pick_free(taken(0)).map(String::from).as_deref(), Some("201"));
        assert_eq!(Extension::pick_free(taken(910)).map(String::from).as_deref(), Some("912"));
        assert_eq!(Extension::pick_free(taken(9_999)), None);
    }
}
