//! A status greeting: words of a client's own person that callers hear before the greeting, for a while ("we are closed today,
//! the roads are iced over"). Put up at a check-in, taken down there or at a desk; one at a time for each account.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Account, Speech};
use crate::base::clock::UtcMs;
use crate::domain::oncall::first_instant;

/// What callers hear before the greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StatusGreeting {
    pub speech: Speech,
    /// What it says, where it was written; none: somebody spoke it in.
    #[serde(default)]
    pub words: Option<String>,
    /// Whose words they are.
    pub by: String,
    pub at: UtcMs,
    /// When it is over by itself; none: when somebody takes it down.
    pub until: Option<UtcMs>,
}

impl Account {
    /// The one that callers hear at `now`.
    pub fn status_greeting_at(&self, now: UtcMs) -> Option<&StatusGreeting> {
        self.status_greeting.as_ref().filter(|status| status.until.is_none_or(|until| now < until))
    }
}

/// The hour at which a greeting "until tomorrow morning" is over.
const MORNING: i8 = 8;
/// Who records one in the small hours means the morning that comes, who does so shortly before it the one after.
const AWAY_MS: i64 = 4 * 60 * 60 * 1_000;

/// Until when "until tomorrow morning" is, said at `now`.
pub fn next_morning(zone: &str, now: UtcMs) -> Option<UtcMs> {
    let zone = TimeZone::get(zone).ok()?;
    let today = zone.to_datetime(Timestamp::from_millisecond(now.0).ok()?).date();
    let days = [Some(today), today.tomorrow().ok()].into_iter().flatten();
    let mut mornings = days.filter_map(|day| first_instant(&zone, day.at(MORNING, 0, 0, 0)));
    mornings.find(|at| at.0 - now.0 >= AWAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::hours::Hours;
    use crate::domain::message::render::tests::account;

    #[test]
    fn a_status_greeting_is_heard_until_its_end_and_not_on_the_check_in_line() {
        let speech = Speech::Uploaded { recording: "ice".into() };
        let (by, until) = ("Ada".into(), Some(UtcMs(20)));
        let status = StatusGreeting { speech: speech.clone(), words: None, by, at: UtcMs(10), until };
        let line = PhoneNumber::parse("+12025550109").expect("a valid number");
        let hours = Hours { check_in: Some(line.clone()), ..Hours::default() };
        let mut account = Account { status_greeting: Some(status.clone()), hours, ..account() };
        let heard = |account: &Account, at: i64| account.flow_at(UtcMs(at)).status;
        assert_eq!((heard(&account, 19), heard(&account, 20)), (Some(speech.clone()), None));
        assert_eq!(account.flow_of_call(&line, UtcMs(15)).status, None);
        account.status_greeting = Some(StatusGreeting { until: None, ..status });
        assert_eq!(heard(&account, 1_000_000_000_000), Some(speech));
    }

    #[test]
    fn tomorrow_morning_is_eight_oclock_where_the_account_is() {
        let at = |text: &str| UtcMs(text.parse::<Timestamp>().unwrap().as_millisecond());
        for (now, morning) in [
            // Thursday evening, in the small hours, and while they open.
            ("2026-11-26T22:00:00-05:00", "2026-11-27T08:00:00-05:00"),
            ("2026-11-27T02:00:00-05:00", "2026-11-27T08:00:00-05:00"),
            ("2026-11-27T07:30:00-05:00", "2026-11-28T08:00:00-05:00"),
            // The night in which clocks go forward.
            ("2026-03-07T20:00:00-05:00", "2026-03-08T08:00:00-04:00"),
        ] {
            assert_eq!(next_morning("America/New_York", at(now)), Some(at(morning)), "{now}");
        }
        assert_eq!(next_morning("Moon/Crater", UtcMs(0)), None);
    }
}
