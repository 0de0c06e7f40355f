//! Messages that wait for the client: *hold for check-in* until they ask for them, *hold for recap* until their report goes out.
//!
//! Such a step reaches nobody by itself. One for check-in ends when somebody has heard the message at check-in, by telephone or
//! from an operator, or when its time is over, and then the next step goes on; one for a recap when that was accepted. What always holds: a message counts as read once,
//! and only while its dispatch is open; one whose time ran out can still be read until somebody has it by another way.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::Note;
use super::protocol::{Method, Step};
use super::state::{Phase, RunState, State, StepRun};
use crate::base::clock::UtcMs;
use crate::base::id::StepRunId;
use crate::domain::oncall::first_instant;

/// A time of the day, `18:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    /// `HH:MM` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let two = |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        if !two(hour) || !two(minute) {
            return None;
        }
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        Time::new(hour, minute, 0, 0).ok().map(|_| Self { hour, minute })
    }

    /// It on a day.
    pub const fn on(self, date: Date) -> DateTime {
        date.to_datetime(Time::constant(self.hour, self.minute, 0, 0))
    }

    /// The first instant after `now` at which the clocks of `zone` show it; in UTC if there is no such zone.
    pub fn next(self, zone: &str, now: UtcMs) -> UtcMs {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let today = zone.to_datetime(Timestamp::from_millisecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH)).date();
        let days = [Some(today), today.tomorrow().ok()].into_iter().flatten();
        let mut instants = days.filter_map(|day| first_instant(&zone, self.on(day)));
        instants.find(|at| *at > now).unwrap_or(now)
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| "write the time of the day as 18:00".to_owned())
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl Method {
    /// Reaches nobody by itself: the message waits to be asked for, or for its report.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::HoldForCheckIn { .. } | Self::HoldForRecap)
    }

    /// Goes to a machine, which answers nothing: the wait after it is one and no more.
    pub const fn asks_nobody(self) -> bool {
        matches!(self, Self::Fax { .. } | Self::Webhook)
    }
}

impl State {
    /// Since when the message has been there to be read at check-in, if its protocol holds it for that.
    pub fn held_since(&self) -> Option<UtcMs> {
        let for_check_in = |step: &Step| matches!(step.method, Method::HoldForCheckIn { .. });
        let held = |step: usize| self.protocol.steps.get(step).is_some_and(for_check_in);
        // Runs of before the message was changed held other words, by steps of another protocol maybe.
        self.runs.iter().skip(self.first_run).find(|run| held(run.step)).map(|run| run.entered_at)
    }

    /// It can be read at check-in: nobody has it by another way yet.
    pub fn waits_for_check_in(&self) -> bool {
        let open = [Phase::HeldForCheckIn, Phase::HeldForRecap, Phase::Running, Phase::ExhaustedUnconfirmed];
        open.contains(&self.phase) && self.held_since().is_some()
    }

    /// The run that holds the message for the next recap.
    pub fn held_for_recap(&self) -> Option<&StepRun> {
        (self.phase == Phase::HeldForRecap).then(|| self.runs.get(self.current()?)).flatten()
    }
}

impl Turn<'_> {
    /// The step that was just entered holds the message.
    pub(super) fn hold(&mut self, run: usize, step: &Step) {
        let by_clock = match step.method {
            Method::HoldForCheckIn { until } => until.map(|time| time.next(self.world.zone(), self.now)),
            _ => None,
        };
        let waited = (step.wait_secs > 0).then(|| self.now.plus_secs(i64::from(step.wait_secs)));
        let until = by_clock.into_iter().chain(waited).min();
        let recap = step.method == Method::HoldForRecap;
        self.s.phase = if recap { Phase::HeldForRecap } else { Phase::HeldForCheckIn };
        self.s.runs[run].state = RunState::Held;
        self.s.runs[run].held_until = until;
        if let Some(until) = until {
            let next = self.says_next(self.s.runs[run].step);
            self.record(None, Note::Held { until, next });
        }
    }

    /// Goes on from a run that held the message if its time is over. Says whether anything moved.
    pub(super) fn pass_held(&mut self, run: usize) -> bool {
        if self.s.runs[run].ended_at.is_none() {
            if self.s.due_at(run).is_none_or(|due| due > self.now) {
                return false;
            }
            self.end_run(run, RunState::TimedOut);
        }
        self.s.phase = Phase::Running;
        self.advance(run);
        true
    }

    /// A recap that holds the message as this run holds it, and in this edition, was accepted for these people. With words of
    /// before a change it is held on, for the next one.
    pub(super) fn recapped(&mut self, run: &StepRunId, to: &[String], edition: Option<u32>) {
        if self.s.held_for_recap().is_none_or(|held| held.id != *run) || !self.is_as_heard(edition) {
            return;
        }
        self.record(None, Note::Recapped { to: to.to_vec() });
        self.close(Phase::Recapped, Some(to.join(", ")), None, None);
    }

    /// `who` has heard the whole message at check-in, in this edition: from the operator `by`, or by telephone. Of words of
    /// before a change nobody has been told; an operator sees that at once, of a telephone it is written down.
    pub(super) fn read_at_check_in(&mut self, who: &str, by: Option<&str>, edition: Option<u32>) {
        if !self.s.waits_for_check_in() {
            return;
        }
        if !self.is_as_heard(edition) {
            if by.is_none() {
                self.record(Some(who), Note::HeardBefore { who: who.to_owned() });
            }
            return;
        }
        self.record(Some(who), Note::ReadAtCheckIn { who: who.to_owned(), by: by.map(str::to_owned) });
        self.close(Phase::ReadAtCheckIn, Some(who.to_owned()), None, None);
        self.stand_down_others(who, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_day_is_written_as_people_write_it() {
        for text in ["18:00", "00:00", "23:59"] {
            assert_eq!(TimeOfDay::parse(text).map(|time| time.to_string()).as_deref(), Some(text));
        }
        for text in ["18", "6:00", "24:00", "18:60", "6 pm", "18:00:00", "+1:00"] {
            assert_eq!(TimeOfDay::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_six_oclock_is_todays_or_tomorrows_on_the_accounts_clock() {
        let six = TimeOfDay::parse("18:00").expect("a time");
        // 2026-03-07, 12:00 in Chicago, the day before its clocks go forward.
        let noon = UtcMs(1_772_906_400_000);
        assert_eq!(six.next("America/Chicago", noon).since(noon), 6 * 3_600_000);
        let six_today = six.next("America/Chicago", noon);
        assert_eq!(six.next("America/Chicago", six_today).since(six_today), 23 * 3_600_000, "strictly after");
        assert_eq!(six.next("Nowhere", UtcMs(0)), UtcMs(18 * 3_600_000));
    }
}
