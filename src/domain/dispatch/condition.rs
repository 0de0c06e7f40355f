//! When a step is made: for which call types, after which answers, at which hours.
//!
//! Looked at when the step starts, by the message as it is then. What always holds: all that is said has to hold, what is
//! not said always does, and a step that is not made says why in words that hold no answer.

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};

use super::event::World;
use crate::base::clock::UtcMs;
use crate::base::id::CallTypeId;
use crate::domain::account::CallType;
use crate::domain::account::hours::Weekday;
use crate::domain::message::form::{Answers, AskedAt};
use crate::domain::message::render::zoned;
use crate::domain::oncall::Window;

/// What has to hold for a step to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The message is of one of these call types; none: of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub call_types: Vec<CallTypeId>,
    /// These answers were given, each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerIs>,
    /// The clock of the account's zone shows such a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursAre>,
    /// One of these windows or holidays of the account counts, by name; none: whatever counts. Overrides change where calls
    /// go, and not what these say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
}

/// An answer of the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerIs {
    /// The name of the field.
    pub field: String,
    /// It is one of these; none: it was answered at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// The other way round: it is none of these, or was not answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
}

/// Hours of some days, or all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HoursAre {
    #[serde(flatten)]
    pub at: AskedAt,
    /// The other way round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

/// What conditions are looked at by.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    pub call_type: Option<&'a CallTypeId>,
    pub answers: &'a Answers,
    /// When, by the clocks of the account's zone.
    pub at: ZonedDateTime,
    /// The window or holiday that counts.
    pub window: Option<&'a str>,
}

/// One of several conditions.
#[derive(Clone, Copy, Debug)]
enum Condition<'a> {
    CallTypes(&'a [CallTypeId]),
    Answer(&'a AnswerIs),
    Hours(&'a HoursAre),
    Windows(&'a [String]),
}

impl Conditions {
    /// Nothing is said: the step is always made.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn each(&self) -> impl Iterator<Item = Condition<'_>> {
        let call_types = (!self.call_types.is_empty()).then_some(Condition::CallTypes(&self.call_types));
        let windows = (!self.windows.is_empty()).then_some(Condition::Windows(&self.windows));
        let hours = self.hours.as_ref().map(Condition::Hours);
        let answers = self.answers.iter().map(Condition::Answer);
        call_types.into_iter().chain(hours).chain(windows).chain(answers)
    }

    /// Whether all of them hold.
    pub fn hold(&self, here: &Circumstances<'_>) -> bool {
        self.each().all(|condition| condition.holds(here))
    }

    /// Each in words: `only between 18:00 and 08:00`.
    pub fn words(&self, call_types: &[CallType]) -> Vec<String> {
        self.each().map(|condition| condition.words(call_types)).collect()
    }

    /// The first that does not hold now, in words.
    pub fn find_unmet(&self, world: &dyn World, now: UtcMs) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let (none, window) = (Answers::new(), world.window(now));
        let here = Circumstances {
            call_type: world.call_type(),
            answers: world.answers().unwrap_or(&none),
            at: zoned(now, world.zone()),
            window: window.as_deref(),
        };
        let unmet = self.each().find(|condition| !condition.holds(&here))?;
        Some(unmet.words(world.call_types()))
    }
}

impl Condition<'_> {
    fn holds(self, here: &Circumstances<'_>) -> bool {
        match self {
            Self::CallTypes(wanted) => here.call_type.is_some_and(|own| wanted.contains(own)),
            Self::Answer(wanted) => wanted.is_given(here.answers) != wanted.not,
            Self::Hours(hours) => hours.at.covers(&here.at) != hours.outside,
            Self::Windows(wanted) => here.window.is_some_and(|own| wanted.iter().any(|name| name == own)),
        }
    }

    fn words(self, call_types: &[CallType]) -> String {
        match self {
            Self::CallTypes(wanted) => {
                let name = |id: &CallTypeId| call_types.iter().find(|t| t.id == *id).map(|t| t.name.clone());
                let names: Vec<String> =
                    wanted.iter().map(|id| name(id).unwrap_or_else(|| "a call type that is gone".to_owned())).collect();
                format!("only for {}", one_of(&names))
            }
            Self::Answer(wanted) => format!("only if {}", wanted.words(call_types)),
            Self::Hours(hours) => hours.words(),
            Self::Windows(wanted) => {
                let names: Vec<String> = wanted.iter().map(|name| format!("\u{201c}{name}\u{201d}")).collect();
                format!("only in the account's hours {}", one_of(&names))
            }
        }
    }
}

impl AnswerIs {
    fn is_given(&self, answers: &Answers) -> bool {
        let Some(answer) = answers.get(&self.field) else { return false };
        // An answer that names several is met by each of them.
        let same = |wanted: &String| answer.lines().any(|line| line.to_lowercase() == wanted.to_lowercase());
        self.is.is_empty() || self.is.iter().any(same)
    }

    /// `"Is there water?" is yes`.
    pub fn words(&self, call_types: &[CallType]) -> String {
        let mut fields = call_types.iter().flat_map(|t| &t.form.fields);
        let label = fields.find(|f| f.name == self.field).map_or(self.field.as_str(), |f| f.label.as_str());
        let not = if self.not { " not" } else { "" };
        if self.is.is_empty() {
            return format!("\u{201c}{label}\u{201d} is{not} answered");
        }
        format!("\u{201c}{label}\u{201d} is{not} {}", one_of(&self.is))
    }
}

impl HoursAre {
    fn words(&self) -> String {
        let AskedAt { days, span } = &self.at;
        let days = days_words(days);
        let on = days.as_ref().map(|days| format!(" on {days}")).unwrap_or_default();
        match (self.outside, span.from == span.until) {
            (false, true) => format!("only{}", if on.is_empty() { " at any hour".to_owned() } else { on }),
            (false, false) => format!("only{on} between {} and {}", span.from, span.until),
            (true, true) => format!("only not{}", if on.is_empty() { " on any day".to_owned() } else { on }),
            (true, false) => {
                let days = days.map(|days| format!("{days}, ")).unwrap_or_default();
                format!("only outside {days}{} to {}", span.from, span.until)
            }
        }
    }
}

/// `only on Monday to Friday between 08:00 and 18:00`.
pub fn window_words(window: &Window) -> String {
    let at = AskedAt { days: window.days.clone(), span: window.span.clone() };
    HoursAre { at, outside: false }.words()
}

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "Monday"),
    (Weekday::Tuesday, "Tuesday"),
    (Weekday::Wednesday, "Wednesday"),
    (Weekday::Thursday, "Thursday"),
    (Weekday::Friday, "Friday"),
    (Weekday::Saturday, "Saturday"),
    (Weekday::Sunday, "Sunday"),
];

/// `Monday to Friday`, `Saturday and Sunday`; none: every day.
fn days_words(days: &[Weekday]) -> Option<String> {
    let there: Vec<usize> = (0..DAYS.len()).filter(|n| days.contains(&DAYS[*n].0)).collect();
    let name = |n: usize| DAYS[n].1;
    match there.as_slice() {
        [first, .., last] if there.len() == DAYS.len() => {
            debug_assert!(first < last);
            None
        }
        [first, .., last] if there.len() > 2 && last - first + 1 == there.len() => {
            Some(format!("{} to {}", name(*first), name(*last)))
        }
        _ => {
            let names: Vec<String> = there.iter().map(|n| name(*n).to_owned()).collect();
            Some(list(&names, "and"))
        }
    }
}

/// `yes`, `yes or no`, `a, b or c`.
fn one_of(items: &[String]) -> String {
    list(items, "or")
}

fn list(items: &[String], last_by: &str) -> String {
    match items {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} {last_by} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::hours::Span;

    fn hours(days: &[Weekday], from: &str, until: &str, outside: bool) -> HoursAre {
        let span = Span { from: from.into(), until: until.into() };
        HoursAre { at: AskedAt { days: days.to_vec(), span }, outside }
    }

    fn at(hour: i8) -> ZonedDateTime {
        let civil = jiff::civil::date(2026, 3, 7).at(hour, 0, 0, 0);
        civil.to_zoned_datetime(jiff::tz::TimeZone::UTC).expect("UTC has every civil time")
    }

    fn every_day() -> Vec<Weekday> {
        DAYS.iter().map(|(day, _)| *day).collect()
    }

    #[test]
    fn hours_read_as_people_say_them() {
        let weekend = [Weekday::Sunday, Weekday::Saturday];
        let week = &every_day()[..5];
        for (hours, words) in [
            (hours(&every_day(), "18:00", "08:00", false), "only between 18:00 and 08:00"),
            (hours(&weekend, "08:00", "18:00", false), "only on Saturday and Sunday between 08:00 and 18:00"),
            (hours(week, "08:00", "18:00", true), "only outside Monday to Friday, 08:00 to 18:00"),
            (hours(&weekend, "00:00", "00:00", false), "only on Saturday and Sunday"),
            (hours(&[Weekday::Monday, Weekday::Wednesday], "00:00", "00:00", true), "only not on Monday and Wednesday"),
        ] {
            assert_eq!(hours.words(), words);
        }
    }

    #[test]
    fn an_answer_is_one_of_these_or_not_or_there_at_all() {
        let answers: Answers =
            [("water".to_owned(), "Yes".to_owned()), ("rooms".to_owned(), "hall\nkitchen".to_owned())].into();
        let is = |field: &str, is: &[&str], not| {
            let wanted =
                AnswerIs { field: field.into(), is: is.iter().map(|value| (*value).to_owned()).collect(), not };
            let conditions = Conditions { answers: vec![wanted], ..Conditions::default() };
            conditions.hold(&Circumstances { call_type: None, answers: &answers, at: at(2), window: None })
        };
        assert!(is("water", &["no", "yes"], false) && !is("water", &["no"], false));
        assert!(is("rooms", &["Kitchen"], false), "one of several");
        assert!(is("water", &[], false) && !is("gas", &[], false));
        assert!(is("water", &["no"], true) && is("gas", &["yes"], true) && is("gas", &[], true));
    }

    #[test]
    fn all_that_is_said_has_to_hold() {
        let urgent = CallTypeId::named("urgent");
        let conditions = Conditions {
            call_types: vec![urgent.clone()],
            hours: Some(hours(&every_day(), "18:00", "08:00", false)),
            windows: vec!["Night".into()],
            ..Conditions::default()
        };
        let none = Answers::new();
        let here = |hour, window| Circumstances { call_type: Some(&urgent), answers: &none, at: at(hour), window };
        assert!(conditions.hold(&here(2, Some("Night"))));
        assert!(!conditions.hold(&here(8, Some("Night"))), "the last minute is not part of it");
        assert!(!conditions.hold(&here(2, None)));
        assert!(!conditions.hold(&Circumstances { call_type: None, ..here(2, Some("Night")) }));
        assert!(Conditions::default().hold(&here(12, None)), "nothing said");
    }
}
