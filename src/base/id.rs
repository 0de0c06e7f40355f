//! Identifiers: a prefix that says what it names, then a time-ordered random part, as text
//! (`msg_0mdk3v9q8t7w2x4y6z8a1b2c3d`). Text sorts by the time it was made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::clock::UtcMs;
use super::rng::secure_bytes;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 48 bits of milliseconds and 80 random bits in Crockford's base 32 (26 characters).
fn time_ordered(now: UtcMs) -> String {
    let random: [u8; 16] = secure_bytes();
    written((u128::from(now.0.max(0).unsigned_abs()) << 80) | (u128::from_le_bytes(random) >> 48))
}

/// When [`time_ordered`] made this; none: it did not.
fn made_at(text: &str) -> Option<UtcMs> {
    if text.len() != 26 {
        return None;
    }
    let mut bits = 0_u128;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        // The first of 26 digits has room for two bits more than there are.
        bits = bits.checked_mul(32)? | digit as u128;
    }
    i64::try_from(bits >> 80).ok().map(UtcMs)
}

fn written(bits: u128) -> String {
    (0..26).rev().map(|i| char::from(ALPHABET[((bits >> (i * 5)) & 31) as usize])).collect()
}

/// A text that is not an identifier of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError {
    /// The prefix that was expected.
    pub expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an identifier of the form {}_…", self.expected)
    }
}

impl std::error::Error for IdError {}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A fresh identifier made at `now`.
            pub fn fresh(now: UtcMs) -> Self {
                Self(format!(concat!($prefix, "_{}"), time_ordered(now)))
            }

            /// The first that could be made at `at`: none made before sorts after it.
            pub fn first_at(at: UtcMs) -> Self {
                Self(format!(concat!($prefix, "_{}"), written(u128::from(at.0.max(0).unsigned_abs()) << 80)))
            }

            /// When it was made, if it is not a name of somebody's own.
            pub fn made_at(&self) -> Option<UtcMs> {
                made_at(self.0.get(concat!($prefix, "_").len()..)?)
            }

            /// A fixed identifier for demo data and tests: the prefix and `name`.
            pub fn named(name: &str) -> Self {
                Self(format!(concat!($prefix, "_{}"), name))
            }

            /// The whole text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                Self::try_from(s.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(s: String) -> Result<Self, IdError> {
                let rest = s.strip_prefix(concat!($prefix, "_")).unwrap_or_default();
                let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if !rest.is_empty() && rest.len() <= 64 && plain {
                    Ok(Self(s))
                } else {
                    Err(IdError { expected: $prefix })
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// A client of the answering service.
    AccountId = "acc";
    /// A chain of alarms, from the first until none stands.
    AlarmChainId = "alc";
    /// One try at one destination by one step.
    AttemptId = "att";
    /// A call: the legs that belong together.
    CallId = "call";
    /// A kind of call an account distinguishes.
    CallTypeId = "ct";
    /// A person of a client.
    ContactId = "con";
    /// A way to reach a contact.
    DestinationId = "dst";
    /// A desk phone.
    DeviceId = "dev";
    /// One run of a protocol for a message.
    DispatchId = "dsp";
    /// A form being filled in.
    DraftId = "drf";
    /// A device on which a person's inbox is.
    InboxDeviceId = "inb";
    /// What was taken from a caller.
    MessageId = "msg";
    /// A change of who is on call, from one instant to another.
    OverrideId = "ovr";
    /// A protocol as a client would have it.
    ProtocolChangeId = "pch";
    /// Versioned dispatch steps.
    ProtocolId = "pro";
    /// A report of an account's messages.
    RecapId = "rcp";
    /// A schedule of who is on call.
    ScheduleId = "sch";
    /// A calendar of shifts that other programs read.
    ScheduleFeedId = "icf";
    /// A signed-in session of a user.
    SessionId = "ses";
    /// A line of an account's status board.
    StatusId = "sta";
    /// A step as it was entered in one round of a dispatch.
    StepRunId = "stp";
    /// A person who signs in.
    UserId = "usr";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_parse_back() {
        let (a, b) = (MessageId::fresh(UtcMs(1)), MessageId::fresh(UtcMs(2)));
        assert!(a < b);
        assert_eq!(a.as_str().parse::<MessageId>(), Ok(a.clone()));
        assert!(a.as_str().parse::<CallId>().is_err());
    }

    #[test]
    fn an_id_says_when_it_was_made_and_a_name_does_not() {
        let at = UtcMs(1_772_865_000_123);
        assert_eq!(CallId::fresh(at).made_at(), Some(at));
        assert_eq!(CallId::first_at(at).made_at(), Some(at));
        for name in ["kim", "abcdefghijklmnopqrstuvwxyz", "zzzzzzzzzzzzzzzzzzzzzzzzzz"] {
            assert_eq!(CallId::named(name).made_at(), None, "{name}");
        }
    }
}
