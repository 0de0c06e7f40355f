//! What a field of a form takes: how an answer is cleaned, checked and brought into one shape, and how it reads.
//!
//! An answer is one text whatever the kind, so that messages of any form are kept, sent and read in the same way. Pure; a
//! form asks it for each of its fields.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::form::visible;
use super::render;
use crate::base::phone::PhoneNumber;

/// The longest answer taken, in characters.
pub const MAX_ANSWER_CHARS: usize = 4_000;
/// The longest number taken, in characters.
const MAX_NUMBER_CHARS: usize = 24;

/// What a field takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    #[default]
    Text,
    LongText,
    Phone,
    /// A number, with a point before what is less than one: `1,250.50` becomes `1250.50`.
    Number,
    /// A day: `2026-03-07`.
    Date,
    /// A time of the day: `14:05`.
    Time,
    /// `yes` or `no`.
    YesNo,
    /// One of a list.
    Choice {
        options: Vec<String>,
    },
    /// Any of a list, one a line.
    Several {
        options: Vec<String>,
    },
    /// A person of the account, by name.
    Contact,
}

/// A stable code and a sentence for the operator.
pub type Wrong = (&'static str, &'static str);

impl FieldKind {
    /// What was typed without what cannot be seen: control characters, and those that turn or hide text, which
    /// would make a text or a page say something else than was taken. Line breaks stay where an answer may have several.
    pub(super) fn clean(&self, typed: &str) -> String {
        visible(typed, matches!(self, Self::LongText | Self::Several { .. }))
    }

    /// That an answer is wrong by this code is a matter of how it is written: it may say what is meant all the same.
    pub(super) fn is_format(code: &str) -> bool {
        matches!(code, "phone" | "number" | "date" | "time")
    }

    /// The answer in its one shape. `people`: whom of the account can be picked.
    pub(super) fn check(&self, answer: &str, people: &[String]) -> Result<String, Wrong> {
        if answer.chars().count() > MAX_ANSWER_CHARS {
            return Err(("too_long", "Too long: 4,000 characters at most."));
        }
        match self {
            Self::Text | Self::LongText => Ok(answer.to_owned()),
            Self::Phone => PhoneNumber::parse(answer)
                .map(String::from)
                .map_err(|_| ("phone", "Not a complete telephone number: ask again, with area code.")),
            Self::Number => number(answer).ok_or(("number", "Not a number: write digits, like 1250 or 12.5.")),
            Self::Date => answer
                .parse::<Date>()
                .map(|date| date.to_string())
                .map_err(|_| ("date", "Not a day: write year, month, day, like 2026-03-07.")),
            Self::Time => time(answer).ok_or(("time", "Not a time of the day: write hours and minutes, like 14:05.")),
            Self::YesNo => ["yes", "no"]
                .into_iter()
                .find(|word| word.eq_ignore_ascii_case(answer))
                .map(str::to_owned)
                .ok_or(("yes_no", "Answer yes or no.")),
            Self::Choice { options } => pick(options, answer).ok_or(("choice", "Pick one of the list.")),
            Self::Several { options } => several(options, answer).ok_or(("choice", "Pick only what is in the list.")),
            Self::Contact => pick(people, answer).ok_or(("contact", "Pick one of the account's people.")),
        }
    }

    /// A checked answer as people read it, in one line unless it was typed in several.
    pub fn show(&self, answer: &str) -> String {
        match self {
            Self::Phone => render::number(answer),
            Self::Date => answer
                .parse::<Date>()
                .map_or_else(|_| answer.to_owned(), |date| date.strftime("%a %-d %b %Y").to_string()),
            Self::YesNo if answer == "yes" => "Yes".to_owned(),
            Self::YesNo if answer == "no" => "No".to_owned(),
            Self::Several { .. } => answer.lines().collect::<Vec<_>>().join(", "),
            _ => answer.to_owned(),
        }
    }

    /// What a condition on this kind can ask for; none: anything.
    pub fn values(&self) -> Option<Vec<&str>> {
        match self {
            Self::YesNo => Some(vec!["yes", "no"]),
            Self::Choice { options } | Self::Several { options } => Some(options.iter().map(String::as_str).collect()),
            _ => None,
        }
    }
}

/// As the list writes it.
fn pick(list: &[String], answer: &str) -> Option<String> {
    list.iter().find(|item| item.to_lowercase() == answer.to_lowercase()).cloned()
}

/// Those picked, each once, in the order of the list. None: one is not in it.
fn several(options: &[String], answer: &str) -> Option<String> {
    let picked: Vec<&str> = answer.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let known = |line: &&str| options.iter().any(|option| option.to_lowercase() == line.to_lowercase());
    if !picked.iter().all(known) {
        return None;
    }
    let chosen = options.iter().filter(|option| picked.iter().any(|p| p.to_lowercase() == option.to_lowercase()));
    Some(chosen.map(String::as_str).collect::<Vec<_>>().join("\n"))
}

/// Digits with at most one point; commas only where thousands are set apart.
pub(super) fn number(answer: &str) -> Option<String> {
    let answer: String = answer.chars().filter(|c| *c != ' ' && *c != '\u{a0}').collect();
    if answer.len() > MAX_NUMBER_CHARS {
        return None;
    }
    let (sign, digits) = match answer.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", answer.strip_prefix('+').unwrap_or(&answer)),
    };
    let (whole, part) = match digits.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (digits, None),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let grouped =
        rest.iter().all(|group| group.len() == 3 && all_digits(group)) && (rest.is_empty() || first.len() <= 3);
    if !all_digits(first) || !grouped || part.is_some_and(|part| !all_digits(part)) {
        return None;
    }
    let part = part.map(|part| format!(".{part}")).unwrap_or_default();
    Some(format!("{sign}{first}{}{part}", rest.concat()))
}

/// `9:05` and `09:05` are the same time.
fn time(answer: &str) -> Option<String> {
    let (hours, minutes) = answer.split_once(':')?;
    let digits =
        |text: &str, max: usize| text.len() <= max && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours, 2) || minutes.len() != 2 || !digits(minutes, 2) {
        return None;
    }
    let time = Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()?;
    Some(time.strftime("%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &FieldKind, answer: &str) -> Option<String> {
        kind.check(answer, &["Dr Ada Patel".to_owned()]).ok()
    }

    #[test]
    fn numbers_are_read_as_written_and_never_guessed() {
        for (typed, read) in [
            ("12", Some("12")),
            ("-3.50", Some("-3.50")),
            ("+1 250", Some("1250")),
            ("1,250,000.5", Some("1250000.5")),
            ("1,5", None),
            ("12,345,6", None),
            ("1234,567", None),
            (".5", None),
            ("5.", None),
            ("1e9", None),
            ("", None),
            ("one", None),
        ] {
            assert_eq!(check(&FieldKind::Number, typed).as_deref(), read, "{typed}");
        }
    }

    #[test]
    fn days_and_times_have_one_shape() {
        assert_eq!(check(&FieldKind::Date, "2026-03-07").as_deref(), Some("2026-03-07"));
        assert_eq!(FieldKind::Date.show("2026-03-07"), "Sat 7 Mar 2026");
        for wrong in ["2026-02-30", "3/7/2026", "tomorrow"] {
            assert_eq!(check(&FieldKind::Date, wrong), None, "{wrong}");
        }
        assert_eq!(check(&FieldKind::Time, "9:05").as_deref(), Some("09:05"));
        for wrong in ["24:00", "9", "9:5", "09:60", "+9:05"] {
            assert_eq!(check(&FieldKind::Time, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_picked_is_as_the_list_has_it() {
        let options = vec!["Kitchen".to_owned(), "Cellar".to_owned(), "Roof".to_owned()];
        let several = FieldKind::Several { options };
        assert_eq!(check(&several, "roof\n\nkitchen\nRoof").as_deref(), Some("Kitchen\nRoof"));
        assert_eq!(several.show("Kitchen\nRoof"), "Kitchen, Roof");
        assert_eq!(check(&several, "roof\nattic"), None);
        assert_eq!(check(&FieldKind::YesNo, "YES").as_deref(), Some("yes"));
        assert_eq!(check(&FieldKind::YesNo, "maybe"), None);
        assert_eq!(check(&FieldKind::Contact, "dr ada patel").as_deref(), Some("Dr Ada Patel"));
        assert_eq!(check(&FieldKind::Contact, "Dr Nobody"), None);
    }
}
