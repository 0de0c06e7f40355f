//! Which of a person's destinations is used at an hour: the one that is meant, unless it is outside of its hours; then the next in the
//! person's order that takes the same and is within its own.
//!
//! Pure; asked by `domain/dispatch` when a step plans its attempts, and by `patching` when a caller is put through. What always holds:
//! a destination without hours is never passed over, and where nothing is within hours the answer still says which is meant and
//! from when on it is: what is urgent is not dropped over an hour.

use jiff::tz::TimeZone;

use super::{Contact, Destination};
use crate::base::clock::UtcMs;
use crate::domain::oncall::{is_within, opens_at};

/// Where somebody is reached now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached<'a> {
    /// Where it was meant.
    AsMeant(&'a Destination),
    /// It is outside of its hours, and this one is within its own.
    Instead { used: &'a Destination, not_before: Option<UtcMs> },
    /// So is every other that would do.
    NotNow { not_before: Option<UtcMs> },
}

impl Destination {
    /// Whether it is used at `at`, on the clocks of `zone`.
    pub fn is_open(&self, zone: &TimeZone, at: UtcMs) -> bool {
        is_within(&self.hours, zone, at)
    }
}

impl Contact {
    /// The zone of its hours: its own, else its account's.
    pub fn zone_of_hours(&self, account: &str) -> TimeZone {
        TimeZone::get(self.zone.as_deref().unwrap_or(account)).unwrap_or(TimeZone::UTC)
    }

    /// Where somebody is reached at `at` who is meant to be at `meant`; `takes`: which others would do. The next in their order comes
    /// first, and after the last the first.
    pub fn reached_at<'a>(
        &'a self,
        meant: &'a Destination,
        takes: impl Fn(&Destination) -> bool,
        account_zone: &str,
        at: UtcMs,
    ) -> Reached<'a> {
        // Most have no hours, and need no zone for that.
        if meant.hours.is_empty() {
            return Reached::AsMeant(meant);
        }
        let zone = self.zone_of_hours(account_zone);
        if meant.is_open(&zone, at) {
            return Reached::AsMeant(meant);
        }
        let not_before = opens_at(&meant.hours, &zone, at);
        let place = self.destinations.iter().position(|d| d.id == meant.id).unwrap_or(0);
        let (before, after) = self.destinations.split_at(place);
        let mut others = after.iter().chain(before).filter(|d| d.id != meant.id);
        match others.find(|d| takes(d) && d.is_open(&zone, at)) {
            Some(used) => Reached::Instead { used, not_before },
            None => Reached::NotNow { not_before },
        }
    }

    /// Their destinations for which `takes` holds, in their order, those within hours; all of them if none is.
    pub fn open_at(&self, takes: impl Fn(&Destination) -> bool, account_zone: &str, at: UtcMs) -> Vec<&Destination> {
        let all: Vec<&Destination> = self.destinations.iter().filter(|d| takes(d)).collect();
        if all.iter().all(|d| d.hours.is_empty()) {
            return all;
        }
        let zone = self.zone_of_hours(account_zone);
        let open: Vec<&Destination> = all.iter().copied().filter(|d| d.is_open(&zone, at)).collect();
        if open.is_empty() { all } else { open }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId, DestinationId};
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::Reach;
    use crate::domain::account::hours::{Span, Weekday};
    use crate::domain::oncall::Window;

    /// Monday to Friday, from `from` until `until`.
    pub(crate) fn weekdays(from: &str, until: &str) -> Vec<Window> {
        let days = vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        vec![Window { days, span: Span { from: from.into(), until: until.into() } }]
    }

    fn ben(hours: [Vec<Window>; 3]) -> Contact {
        let [mobile, home, email] = hours;
        let destination = |label: &str, reach, hours| Destination {
            id: DestinationId::named(label),
            label: label.into(),
            reach,
            ring_secs: 30,
            blocked: false,
            hours,
        };
        let number = |text: &str| Reach::Phone(PhoneNumber::parse(text).expect("a number"));
        Contact {
            id: ContactId::named("ben"),
            account: AccountId::named("a"),
            name: "Ben".into(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: vec![
                destination("mobile", number("+12025550110"), mobile),
                destination("home", number("+12025550111"), home),
                destination("email", Reach::Email("ben@example.com".into()), email),
            ],
        }
    }

    fn at(text: &str) -> UtcMs {
        UtcMs(text.parse::<jiff::Timestamp>().expect("an instant").as_millisecond())
    }

    fn phone(d: &Destination) -> bool {
        d.reach.phone().is_some()
    }

    const ZONE: &str = "America/New_York";

    #[test]
    fn within_its_hours_the_one_that_is_meant_is_used_and_outside_the_next_that_does() {
        let ben = ben([weekdays("08:00", "18:00"), vec![], vec![]]);
        let mobile = &ben.destinations[0];
        // Monday, 9 March 2026: 08:00 there is 12:00 UTC, the clocks went forward the day before.
        for (instant, expected) in [
            ("2026-03-09T11:59:59Z", "home"),
            ("2026-03-09T12:00:00Z", "mobile"),
            ("2026-03-09T21:59:59Z", "mobile"),
            ("2026-03-09T22:00:00Z", "home"),
        ] {
            let used = match ben.reached_at(mobile, phone, ZONE, at(instant)) {
                Reached::AsMeant(used) | Reached::Instead { used, .. } => used.label.as_str(),
                Reached::NotNow { .. } => "none",
            };
            assert_eq!(used, expected, "{instant}");
        }
    }

    #[test]
    fn after_the_last_comes_the_first_and_an_email_address_is_no_telephone() {
        let ben = ben([vec![], weekdays("08:00", "18:00"), vec![]]);
        let night = at("2026-03-07T07:00:00Z");
        let Reached::Instead { used, not_before } = ben.reached_at(&ben.destinations[1], phone, ZONE, night) else {
            panic!("another is used");
        };
        // It is Saturday: the next hours begin on Monday.
        assert_eq!((used.label.as_str(), not_before), ("mobile", Some(at("2026-03-09T12:00:00Z"))));
    }

    #[test]
    fn where_nothing_is_within_hours_it_is_said_from_when_on_and_all_are_left_for_a_caller_who_waits() {
        let ben = ben([weekdays("08:00", "18:00"), weekdays("09:00", "17:00"), vec![]]);
        let night = at("2026-03-07T07:00:00Z");
        let not_before = Some(at("2026-03-09T12:00:00Z"));
        assert_eq!(ben.reached_at(&ben.destinations[0], phone, ZONE, night), Reached::NotNow { not_before });
        assert_eq!(ben.open_at(phone, ZONE, night).len(), 2);
        let morning: Vec<_> = ben.open_at(phone, ZONE, at("2026-03-09T12:30:00Z"));
        assert_eq!(morning.iter().map(|d| d.label.as_str()).collect::<Vec<_>>(), ["mobile"]);
    }

    #[test]
    fn a_person_elsewhere_has_their_own_clock() {
        let mut ben = ben([weekdays("08:00", "18:00"), vec![], vec![]]);
        ben.zone = Some("America/Los_Angeles".into());
        let eight_in_new_york = at("2026-03-09T12:00:00Z");
        let reached = ben.reached_at(&ben.destinations[0], phone, ZONE, eight_in_new_york);
        assert!(matches!(reached, Reached::Instead { .. }), "{reached:?}");
    }
}
