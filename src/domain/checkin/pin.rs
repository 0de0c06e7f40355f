//! A PIN: the digits by which a client's people say on the telephone who they are.
//!
//! Never printed, whatever prints it; kept as a keyed hash alone (`io/store/check_in`).

use std::fmt;

/// How many digits one has.
pub const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;

/// Wrong PINs in an hour after which none is taken any more: from one caller or inbox, for one account.
const MOST_OF_ONE: u32 = 6;
const MOST_OF_ACCOUNT: u32 = 20;

/// So many were wrong within the hour that none is taken, right or wrong.
pub const fn are_too_many(of_one: u32, of_account: u32) -> bool {
    of_one >= MOST_OF_ONE || of_account >= MOST_OF_ACCOUNT
}

/// Digits that may be a PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

/// Why digits cannot be somebody's PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinFault {
    /// Too few, too many, or not digits.
    Digits,
    /// What everybody tries first.
    Obvious,
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[pin]")
    }
}

impl Pin {
    /// As somebody chooses it.
    pub fn choose(text: &str) -> Result<Self, PinFault> {
        let text = text.trim();
        if !DIGITS.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PinFault::Digits);
        }
        let steps: Vec<i16> = text.as_bytes().windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
        if [0, 1, -1].iter().any(|step| steps.iter().all(|s| s == step)) {
            return Err(PinFault::Obvious);
        }
        Ok(Self(text.to_owned()))
    }

    /// As somebody presses it, right or wrong.
    pub const fn pressed(keys: String) -> Self {
        Self(keys)
    }

    /// The digits, for the store's keyed hash alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_four_to_ten_digits_that_are_not_the_first_anybody_tries() {
        for text in ["4711", " 20260307 ", "1357902468", "1122", "1212"] {
            assert!(Pin::choose(text).is_ok(), "{text}");
        }
        for text in ["", "471", "12345678901", "47 11", "47a1", "４７１１"] {
            assert_eq!(Pin::choose(text), Err(PinFault::Digits), "{text}");
        }
        for text in ["0000", "1234", "456789", "9876"] {
            assert_eq!(Pin::choose(text), Err(PinFault::Obvious), "{text}");
        }
    }

    #[test]
    fn a_pin_is_never_printed() {
        assert_eq!(format!("{:?}", Pin::choose("4711")), "Ok([pin])");
    }
}
