//! What an account says of its secure messages: how long they can be opened, and who gets a link to one.

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
}

impl Default for SecureMessages {
    fn default() -> Self {
        Self { days: 7, accept_first: false }
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
