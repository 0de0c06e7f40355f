//! The address of a pager: its number (a PIN, or the telephone number it has) and the carrier that pages it. Written as
//! one text, `5550142@metro`, as it stands in files, on the API and in the store. Pure; whether there is such a carrier, the
//! configuration knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest number of a pager; RFC 1861 names none, and carriers use ten digits.
const MAX_PIN: usize = 32;
const MAX_CARRIER: usize = 40;

/// A pager.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PagerAddress(String);

/// It is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPager;

impl PagerAddress {
    /// What the carrier knows it by.
    pub fn pin(&self) -> &str {
        self.0.split_once('@').map_or("", |(pin, _)| pin)
    }

    /// The name of its carrier in the configuration.
    pub fn carrier(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, carrier)| carrier)
    }

    /// The whole, as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PagerAddress {
    type Err = NotAPager;

    /// A number may be written with blanks, dots and dashes; letters are kept, as some carriers have names for PINs.
    fn from_str(text: &str) -> Result<Self, NotAPager> {
        let (pin, carrier) = text.trim().split_once('@').ok_or(NotAPager)?;
        let written = pin.trim();
        let pin: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '+')).collect();
        let carrier = carrier.trim().to_lowercase();
        let plain = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !plain(&pin, MAX_PIN) || !plain(&carrier, MAX_CARRIER) {
            return Err(NotAPager);
        }
        Ok(Self(format!("{pin}@{carrier}")))
    }
}

impl fmt::Display for PagerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PagerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[pager]@{}", self.carrier())
    }
}

impl fmt::Display for NotAPager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a pager: write its number and its carrier, 5550142@metro")
    }
}

impl TryFrom<String> for PagerAddress {
    type Error = NotAPager;
    fn try_from(text: String) -> Result<Self, NotAPager> {
        text.parse()
    }
}

impl From<PagerAddress> for String {
    fn from(pager: PagerAddress) -> Self {
        pager.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_is_read_as_people_write_it_and_prints_as_one_text() {
        let pager: PagerAddress = " 555-0142 @ Metro".parse().expect("a pager");
        assert_eq!((pager.pin(), pager.carrier()), ("5550142", "metro"));
        assert_eq!(pager.to_string(), "5550142@metro");
        assert_eq!(serde_json::to_string(&pager).expect("JSON"), "\"5550142@metro\"");
        assert_eq!(format!("{pager:?}"), "[pager]@metro");
    }

    #[test]
    fn what_would_break_out_of_a_command_or_names_no_carrier_is_no_pager() {
        let long = format!("{}@metro", "5".repeat(33));
        for text in
            ["5550142", "@metro", "5550142@", "555\r\nSEND@metro", "5550142@me tro", "5@a@b", "5;0@metro", &long]
        {
            assert_eq!(text.parse::<PagerAddress>(), Err(NotAPager), "{text}");
        }
    }
}
