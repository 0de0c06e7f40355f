//! From what age on an account's open dispatches are shown as late, where that is not as the house has it (`[board]`).

use serde::{Deserialize, Serialize};

use super::fault::Faults;

/// Sooner than this nothing can have come of it; later than a day it is nobody's.
const SECS: std::ops::RangeInclusive<u32> = 10..=24 * 3_600;

/// In seconds after a dispatch opened. None: as the house has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct OwnAges {
    pub urgent_warning_secs: Option<u32>,
    pub urgent_critical_secs: Option<u32>,
    pub routine_warning_secs: Option<u32>,
}

impl OwnAges {
    pub(super) fn check(self, faults: &mut Faults) {
        let all = [
            ("/ages/urgent_warning_secs", self.urgent_warning_secs),
            ("/ages/urgent_critical_secs", self.urgent_critical_secs),
            ("/ages/routine_warning_secs", self.routine_warning_secs),
        ];
        for (pointer, secs) in all {
            if let Some(secs) = secs.filter(|secs| !SECS.contains(secs)) {
                let cure = format!("Choose {} to {} seconds, or none for the house's.", SECS.start(), SECS.end());
                faults.add(pointer, "account.ages", format!("{secs} s is out of bounds."), cure);
            }
        }
        if let (Some(warning), Some(critical)) = (self.urgent_warning_secs, self.urgent_critical_secs)
            && critical <= warning
        {
            let detail = "An urgent dispatch is very late before it is late.";
            let cure = "Let the second age be longer than the first.";
            faults.add("/ages/urgent_critical_secs", "account.ages_order", detail, cure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(ages: OwnAges) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        ages.check(&mut faults);
        let told = faults.unless(()).err().unwrap_or_default();
        told.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    #[test]
    fn an_account_may_set_each_or_none_and_red_comes_after_amber() {
        assert_eq!(faults(OwnAges::default()), []);
        let ages =
            OwnAges { urgent_warning_secs: Some(120), urgent_critical_secs: Some(300), routine_warning_secs: None };
        assert_eq!(faults(ages), []);
        let told = faults(OwnAges { urgent_critical_secs: Some(120), routine_warning_secs: Some(1), ..ages });
        let expected =
            [("/ages/routine_warning_secs", "account.ages"), ("/ages/urgent_critical_secs", "account.ages_order")];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }
}
