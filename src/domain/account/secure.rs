//! What an account says of its secure messages: how long they can be opened, who gets a link to one, and which are read out by
//! telephone to nobody without a PIN.

use serde::{Deserialize, Serialize};

use super::fault::Faults;

const DAYS: std::ops::RangeInclusive<u32> = 1..=30;
const DAY_MS: i64 = 24 * 3_600_000;

/// How an account's messages are opened in inboxes. What one of before does not say is as usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct SecureMessages {
    /// How many days a message can be opened after it was sent, and its links lead there.
    pub days: u32,
    /// A text about a protected message that asks for a confirmation has no link in it: whoever accepts it by reply is sent
    /// one, and nobody else.
    pub accept_first: bool,
    /// Which messages a call-out reads only after the person's PIN.
    pub call_pin: CallPin,
}

/// Whether a call-out asks for a PIN before it reads a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallPin {
    #[default]
    Never,
    /// Of a protected call type.
    Protected,
    Always,
}

impl CallPin {
    pub const fn is_asked(self, protected: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Protected => protected,
            Self::Always => true,
        }
    }
}

impl Default for SecureMessages {
    fn default() -> Self {
        Self { days: 7, accept_first: false, call_pin: CallPin::Never }
    }
}

impl SecureMessages {
    pub fn lasts_ms(&self) -> i64 {
        i64::from(self.days) * DAY_MS
    }

    /// "7 days".
    pub fn in_words(&self) -> String {
        if self.days == 1 { "one day".to_owned() } else { format!("{} days", self.days) }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if !DAYS.contains(&self.days) {
            let cure = format!("Choose {} to {} days.", DAYS.start(), DAYS.end());
            faults.add("/secure/days", "account.secure", format!("{} days are out of bounds.", self.days), cure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_asked_for_where_the_account_says_so_and_by_one_of_before_never() {
        let asked = |pin: CallPin| [pin.is_asked(false), pin.is_asked(true)];
        assert_eq!(asked(CallPin::Never), [false, false]);
        assert_eq!(asked(CallPin::Protected), [false, true]);
        assert_eq!(asked(CallPin::Always), [true, true]);
        let before: SecureMessages = serde_json::from_str(r#"{"days": 3, "accept_first": true}"#).unwrap();
        assert_eq!(before.call_pin, CallPin::Never);
    }
}
