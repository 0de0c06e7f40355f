//! Events of a calendar that repeat (RFC 5545 §3.3.10): the simple ones, by days and by weeks, as days. Pure; asked by `read_in`.
//!
//! Reckons in civil days alone, and knows no zone: a shift at 8:00 is at 8:00 on every one of them, whatever the clocks do between,
//! and `read_in` makes instants of it. What always holds: a rule with any part that is not known here is refused whole, with its
//! name, and no rule is followed further than it is asked for.

use jiff::civil::{Date, DateTime};

use crate::domain::account::hours::Weekday;

/// Monday first (`WKST` unless it is said).
const WEEK: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

/// How an event repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeats {
    /// By weeks, else by days.
    weekly: bool,
    /// Every so many of them.
    interval: i32,
    /// On these days alone; none: by days on every one, by weeks on the day of the first.
    on: Vec<Weekday>,
    end: End,
    /// The day with which weeks begin.
    week_from: Weekday,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Never,
    /// So many times, the first included.
    After(u32),
    /// As it is written: `read_in` knows how times are read.
    Until(String),
}

/// The days of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) days: Vec<Date>,
    /// It goes on after the last day that was looked at.
    pub(super) goes_on: bool,
}

impl Repeats {
    /// Out of the value of an `RRULE`. What is not understood is said as the end of a sentence that begins with "It repeats".
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        let (mut weekly, mut interval, mut count, mut until) = (None, 1, None, None);
        let (mut on, mut week_from) = (Vec::new(), Weekday::Monday);
        let mut seen: Vec<String> = Vec::new();
        for part in value.trim().split(';').filter(|part| !part.is_empty()) {
            let odd = || format!("by {part}, which is not understood");
            let (name, value) = part.split_once('=').ok_or_else(odd)?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            if seen.contains(&name) {
                return Err(format!("by two parts {name}"));
            }
            match name.as_str() {
                "FREQ" if value == "DAILY" => weekly = Some(false),
                "FREQ" if value == "WEEKLY" => weekly = Some(true),
                "INTERVAL" => {
                    interval = value.parse::<i32>().ok().filter(|n| (1..=1_000).contains(n)).ok_or_else(odd)?
                }
                "COUNT" => count = Some(value.parse::<u32>().ok().filter(|n| *n > 0).ok_or_else(odd)?),
                "UNTIL" => until = Some(value),
                "BYDAY" => on = value.split(',').map(day).collect::<Option<_>>().ok_or_else(odd)?,
                "WKST" => week_from = day(&value).ok_or_else(odd)?,
                _ => return Err(odd()),
            }
            seen.push(name);
        }
        let weekly = weekly.ok_or("by no FREQ")?;
        let end = match (count, until) {
            (None, None) => End::Never,
            (Some(count), None) => End::After(count),
            (None, Some(until)) => End::Until(until),
            (Some(_), Some(_)) => return Err("by COUNT and UNTIL, of which only one may be".to_owned()),
        };
        Ok(Self { weekly, interval, on, end, week_from })
    }

    /// The `UNTIL` as it is written.
    pub(super) fn until(&self) -> Option<&str> {
        match &self.end {
            End::Until(written) => Some(written),
            End::Never | End::After(_) => None,
        }
    }

    /// The days on which it is from its first one on: none after `last`, and only those for which `is_before_end` holds. None: its own
    /// first day is not one of them, which the standard leaves open.
    pub(super) fn days(&self, first: Date, last: Date, is_before_end: impl Fn(Date) -> bool) -> Option<Days> {
        let own = |date: Date| self.on.iter().any(|day| day.as_civil() == date.weekday());
        if !self.on.is_empty() && !own(first) {
            return None;
        }
        let on = |date: Date| match (self.on.is_empty(), self.weekly) {
            (false, _) => own(date),
            (true, true) => date.weekday() == first.weekday(),
            (true, false) => true,
        };
        let into_week = first.weekday().since(self.week_from.as_civil());
        let most = match self.end {
            End::After(count) => count,
            End::Never | End::Until(_) => u32::MAX,
        };
        let (mut days, mut met, mut date, mut n) = (Vec::new(), 0, first, 0_i32);
        loop {
            if met == most || !is_before_end(date) {
                return Some(Days { days, goes_on: false });
            }
            if date > last {
                return Some(Days { days, goes_on: true });
            }
            let period = if self.weekly { (n + i32::from(into_week)) / 7 } else { n };
            if period % self.interval == 0 && on(date) {
                days.push(date);
                met += 1;
            }
            let Ok(next) = date.tomorrow() else { return Some(Days { days, goes_on: false }) };
            (date, n) = (next, n + 1);
        }
    }
}

fn day(code: &str) -> Option<Weekday> {
    let code = code.trim();
    WEEK.iter().find(|(name, _)| *name == code).map(|(_, day)| *day)
}

/// An end of the day `on` that lies as long after its beginning, on the clock, as that of the first lies after the first.
pub(super) fn as_long_after(first: (DateTime, DateTime), on: DateTime) -> Option<DateTime> {
    on.checked_add(first.1.duration_since(first.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn days(rule: &str, first: &str, last: &str) -> (String, bool) {
        let found = Repeats::parse(rule).expect("a rule").days(date(first), date(last), |_| true).expect("days");
        let days: Vec<_> = found.days.iter().map(|day| day.strftime("%m-%d").to_string()).collect();
        (days.join(" "), found.goes_on)
    }

    #[test]
    fn days_and_weeks_follow_each_other_as_the_standard_has_them() {
        for (rule, first, last, expected, goes_on) in [
            ("FREQ=DAILY;COUNT=3", "2026-12-30", "2027-12-31", "12-30 12-31 01-01", false),
            ("FREQ=DAILY;INTERVAL=3", "2026-12-01", "2026-12-10", "12-01 12-04 12-07 12-10", true),
            ("FREQ=DAILY;BYDAY=SA,SU;COUNT=3", "2026-12-05", "2027-12-31", "12-05 12-06 12-12", false),
            ("FREQ=WEEKLY", "2026-12-03", "2026-12-20", "12-03 12-10 12-17", true),
            ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4", "2026-12-01", "2027-12-31", "12-01 12-03 12-08 12-10", false),
            // RFC 5545 §3.3.10's own example of what the first day of the week changes.
            (
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
                "1997-08-05",
                "1998-01-01",
                "08-05 08-10 08-19 08-24",
                false,
            ),
            (
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
                "1997-08-05",
                "1998-01-01",
                "08-05 08-17 08-19 08-31",
                false,
            ),
        ] {
            assert_eq!(days(rule, first, last), (expected.to_owned(), goes_on), "{rule}");
        }
        assert_eq!(
            Repeats::parse("FREQ=WEEKLY;BYDAY=MO").expect("a rule").days(
                date("2026-12-01"),
                date("2027-01-01"),
                |_| true
            ),
            None
        );
    }

    #[test]
    fn a_rule_with_anything_that_is_not_known_is_refused_by_name() {
        for (rule, part) in [
            ("FREQ=MONTHLY", "FREQ=MONTHLY"),
            ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY=1MO"),
            ("FREQ=DAILY;BYHOUR=8", "BYHOUR=8"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
            ("FREQ=DAILY;COUNT=0", "COUNT=0"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT and UNTIL"),
            ("FREQ=DAILY;FREQ=DAILY", "two parts FREQ"),
            ("COUNT=2", "no FREQ"),
            ("daily", "daily"),
        ] {
            let why = Repeats::parse(rule).expect_err(rule);
            assert!(why.contains(part), "{rule}: {why}");
        }
    }
}
