//! The alarm for trunks that are up and whose carrier does not have us registered: calls go out over them, and none come
//! in. It goes by itself when the carrier takes the registration.

use super::super::alarms::UNREGISTERED;
use super::super::registrations::reason;
use super::{Path, Watch};
use crate::engine::feed::AlarmLevel;

impl Path {
    /// A caller may reach us over it now, as far as is known.
    const fn brings_calls(&self) -> bool {
        self.takes_calls && !self.down && self.unregistered.is_none()
    }
}

impl Watch {
    /// Whether a carrier has us registered: None, or it is not failing; else its last word.
    pub fn registration(&mut self, trunk: usize, unregistered: Option<u16>) {
        let Some(path) = self.paths.get_mut(trunk).filter(|path| path.unregistered != unregistered) else { return };
        path.unregistered = unregistered;
        self.assess_registrations();
    }

    pub(super) fn assess_registrations(&self) {
        let failing: Vec<(&str, u16)> =
            self.paths.iter().filter_map(|path| Some((path.name.as_str(), path.unregistered?))).collect();
        if failing.is_empty() {
            return self.alarms.take_back(UNREGISTERED);
        }
        let others = self.paths.iter().any(Path::brings_calls);
        let level = if others { AlarmLevel::Warning } else { AlarmLevel::Critical };
        self.alarms.raise(UNREGISTERED, level, words(&failing, others));
    }
}

fn words(failing: &[(&str, u16)], others: bool) -> String {
    let what = match failing {
        [(name, status)] => format!(
            "The carrier of the trunk {name} does not have us registered ({status}: {}). Calls of its numbers do not \
             reach us.",
            reason(*status)
        ),
        _ => {
            let names: Vec<String> = failing.iter().map(|(name, status)| format!("{name} ({status})")).collect();
            format!(
                "The carriers of the trunks {} do not have us registered; the log says what to look at. Calls of their \
                 numbers do not reach us.",
                names.join(", ")
            )
        }
    };
    if others { what } else { format!("{what} No other trunk brings calls.") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::alarms::Alarms;
    use super::super::{Carrier, Watch};
    use crate::base::clock::{Clock as _, SharedClock, TestClock, UtcMs};
    use crate::engine::feed::{AlarmLevel, Feed};

    fn watch(targets: &[&str], change: impl FnOnce(&mut [Carrier])) -> (Watch, Arc<Alarms>) {
        let clock = TestClock::at(UtcMs(0));
        let now = clock.instant();
        let shared: SharedClock = Arc::new(clock);
        let alarms = Arc::new(Alarms::new(Feed::default(), shared));
        let carrier = |(at, target): (usize, &&str)| {
            let mut carrier = Carrier::new(&format!("carrier-{at}"), target.parse().expect("a target"));
            carrier.targets_call = true;
            carrier
        };
        let mut carriers: Vec<Carrier> = targets.iter().enumerate().map(carrier).collect();
        change(&mut carriers);
        let mut watch = Watch::new(&carriers, Arc::clone(&alarms));
        watch.place_addresses(now, &carriers);
        (watch, alarms)
    }

    fn standing(alarms: &Alarms) -> Option<(AlarmLevel, String)> {
        alarms.list().pop().map(|alarm| (alarm.level, alarm.text))
    }

    #[test]
    fn a_refused_registration_alarms_though_pings_are_answered_and_goes_with_its_cause() {
        let (mut watch, alarms) = watch(&["192.0.2.1"], |_| {});
        watch.registration(0, None);
        assert_eq!(standing(&alarms), None);
        watch.registration(0, Some(403));
        let (level, text) = standing(&alarms).expect("an alarm");
        assert_eq!(level, AlarmLevel::Critical);
        assert!(text.contains("(403: check `login`, `password_file` and `realm`)"), "{text}");
        assert!(text.ends_with("No other trunk brings calls."), "{text}");
        assert!(watch.is_up(0), "calls go out over it");
        watch.registration(0, None);
        assert_eq!(standing(&alarms), None);
    }

    #[test]
    fn it_is_a_warning_while_another_trunk_brings_calls() {
        let (mut watch, alarms) = watch(&["192.0.2.1", "192.0.2.2", "192.0.2.3"], |carriers| {
            carriers[2].targets_call = false;
        });
        watch.registration(0, Some(403));
        assert_eq!(standing(&alarms).expect("an alarm").0, AlarmLevel::Warning);
        watch.registration(1, Some(408));
        let (level, text) = standing(&alarms).expect("an alarm");
        assert_eq!(level, AlarmLevel::Critical, "over the third no calls come in");
        assert!(text.contains("carrier-0 (403), carrier-1 (408)"), "{text}");
        watch.registration(0, None);
        assert_eq!(standing(&alarms).expect("an alarm").0, AlarmLevel::Warning);
    }
}
