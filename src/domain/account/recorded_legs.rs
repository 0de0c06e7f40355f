//! Whose words a recording of an account's calls holds. Plain data; `domain/call/recording` follows it, and who is not
//! recorded need not be told that others are.

use serde::{Deserialize, Serialize};

use super::RecordingMode;
use super::fault::Faults;

/// Whose words a recording holds; whoever is left out is silence on their channel, while they talk on as ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordedLegs {
    /// The caller, on the left. A voicemail is recorded whatever is said here: callers are asked to speak it.
    #[serde(default = "yes")]
    pub caller: bool,
    /// Our side: the operator, a colleague, a supervisor who barges in; on the right, as all words of the house are.
    #[serde(default = "yes")]
    pub operator: bool,
    /// Whoever is patched in, or dialled for the account as one of its people; on the right, or on the left where nobody
    /// else called.
    #[serde(default = "yes")]
    pub contact: bool,
}

const fn yes() -> bool {
    true
}

impl Default for RecordedLegs {
    fn default() -> Self {
        Self { caller: true, operator: true, contact: true }
    }
}

impl RecordedLegs {
    /// Nobody is left out.
    pub const fn all(self) -> bool {
        self.caller && self.operator && self.contact
    }

    /// Whoever is in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            caller: self.caller || other.caller,
            operator: self.operator || other.operator,
            contact: self.contact || other.contact,
        }
    }

    pub(super) fn check(self, mode: RecordingMode, faults: &mut Faults) {
        if mode != RecordingMode::Off && !(self.caller || self.operator || self.contact) {
            let detail = "Calls are recorded, and nobody's words.";
            let cure = "Say whose: the caller's, the operator's or the contact's; or do not record.";
            faults.add("/recording/legs", "account.recording_nobody", detail, cure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::RecordingPolicy;

    #[test]
    fn policies_of_before_there_was_a_choice_are_of_everybody() {
        let old = r#"{"mode": "on", "announcement": null, "tell_contact": true}"#;
        let read: RecordingPolicy = serde_json::from_str(old).expect("it reads on");
        assert!(read.legs.all());
        let some: RecordedLegs = serde_json::from_str(r#"{"contact": false}"#).expect("a part of it");
        assert_eq!(some, RecordedLegs { contact: false, ..RecordedLegs::default() });
    }

    #[test]
    fn calls_that_are_recorded_without_anybodys_words_are_refused() {
        let nobody = RecordedLegs { caller: false, operator: false, contact: false };
        let told = |legs: RecordedLegs, mode| {
            let mut faults = Faults::default();
            legs.check(mode, &mut faults);
            faults.into_list().into_iter().map(|f| (f.pointer, f.code)).collect::<Vec<_>>()
        };
        let place = ("/recording/legs".to_owned(), "account.recording_nobody".into());
        assert_eq!(told(nobody, RecordingMode::OnDemand), [place]);
        assert_eq!(told(nobody, RecordingMode::Off), []);
        assert_eq!(told(RecordedLegs { contact: true, ..nobody }, RecordingMode::On), []);
    }

    #[test]
    fn whoever_was_recorded_in_any_part_was_recorded() {
        let caller = RecordedLegs { caller: true, operator: false, contact: false };
        let contact = RecordedLegs { caller: false, operator: false, contact: true };
        assert_eq!(caller.or(contact), RecordedLegs { operator: false, ..RecordedLegs::default() });
    }
}
