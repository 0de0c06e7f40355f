//! What shape an answer must have beside its kind: how long, between what, like which pattern. Pure; a field asks it.
//!
//! A pattern is written by whoever knows the client's numbers, not by a programmer: `9` is a digit, `A` a letter, `*` any
//! character, and everything else stands for itself (`\` before a `9`, an `A` or a `*` that means itself). Dashes, blanks and
//! the like that stand for themselves may be left out when it is typed. The console has the same rules (`lib/shape.ts`); both
//! are held against one list of cases.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::kind::{FieldKind, MAX_ANSWER_CHARS, number};
use crate::domain::account::fault::Faults;

/// Patterns of one field.
const MAX_PATTERNS: usize = 10;
/// Characters of one, and of an example.
const MAX_PATTERN: usize = 60;

/// What shape an answer must have. What is not said may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FieldShape)]
pub struct Shape {
    /// Characters at least; of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// And at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Not less, or not earlier; of numbers (`0.5`), days (`2026-01-01`) and times (`08:00`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// Not more, or not later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// Like one of these; of texts of one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// What a right answer looks like, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// A stable code and a sentence for the operator.
pub type NotAsked = (&'static str, String);

impl Shape {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// An answer that its kind has taken, in its one shape.
    pub(super) fn check(&self, kind: &FieldKind, answer: String) -> Result<String, NotAsked> {
        let length = answer.chars().count();
        let like = self.example.as_ref().map(|example| format!(", like {example}")).unwrap_or_default();
        match (self.min_length, self.max_length) {
            (Some(min), _) if length < min as usize => {
                return Err(("too_short", format!("Too short: {min} characters at least{like}.")));
            }
            (_, Some(max)) if length > max as usize => {
                return Err(("too_long", format!("Too long: {max} characters at most{like}.")));
            }
            _ => {}
        }
        let clock = matches!(kind, FieldKind::Date | FieldKind::Time);
        let beyond = |bound: &Option<String>, side: Ordering| {
            bound.clone().filter(|bound| compare(kind, &answer, bound) == Some(side))
        };
        if let Some(min) = beyond(&self.min, Ordering::Less) {
            let (code, words) = if clock { ("too_early", "Too early") } else { ("too_small", "Too small") };
            return Err((code, format!("{words}: {} or more.", kind.show(&min))));
        }
        if let Some(max) = beyond(&self.max, Ordering::Greater) {
            let (code, words) = if clock { ("too_late", "Too late") } else { ("too_large", "Too large") };
            return Err((code, format!("{words}: {} at most.", kind.show(&max))));
        }
        if self.patterns.is_empty() {
            return Ok(answer);
        }
        let fits = self.patterns.iter().find_map(|pattern| fit(pattern, &answer));
        fits.ok_or_else(|| {
            let like = self.example.clone().unwrap_or_else(|| self.patterns.join(" or "));
            ("pattern", format!("Not as it should look: like {like}."))
        })
    }

    /// What somebody wrote of it, at `pointer`, for a field of this kind.
    pub fn checked(&self, faults: &mut Faults, pointer: &str, kind: &FieldKind) -> Self {
        let (texts, line) = (matches!(kind, FieldKind::Text | FieldKind::LongText), *kind == FieldKind::Text);
        let ordered = matches!(kind, FieldKind::Number | FieldKind::Date | FieldKind::Time);
        let mut refuse = |part: &str, detail: &str, cure: &str| {
            faults.add(format!("{pointer}/{part}"), "form.shape", detail, cure);
        };
        let (min_length, max_length) = (self.min_length, self.max_length);
        if (min_length.is_some() || max_length.is_some()) && !texts {
            refuse("min_length", "Only texts have a length.", "Leave it out, or take a text.");
        }
        let most = MAX_ANSWER_CHARS as u32;
        if max_length.is_some_and(|max| max == 0 || max > most || min_length.is_some_and(|min| min > max)) {
            refuse("max_length", "No answer has such a length.", "Write 1 to 4000, and no less than the least.");
        }
        if min_length.is_some_and(|min| min > most) {
            refuse("min_length", "No answer has such a length.", "Write 4000 at most.");
        }
        let mut bound = |part: &str, written: &Option<String>| {
            let written = written.as_ref().map(|text| text.trim()).filter(|text| !text.is_empty())?;
            let read = if ordered { kind.check(written, &[]).ok() } else { None };
            if read.is_none() {
                let cure = "Write a number, a day like 2026-03-07 or a time like 14:05, as the field takes.";
                refuse(part, "An answer of this kind has no such bound.", cure);
            }
            read
        };
        let (min, max) = (bound("min", &self.min), bound("max", &self.max));
        if let (Some(min), Some(max)) = (&min, &max)
            && compare(kind, min, max) == Some(Ordering::Greater)
        {
            refuse("max", "The most is less than the least.", "Write them the other way round.");
        }
        let patterns: Vec<String> =
            self.patterns.iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect();
        if !patterns.is_empty() && !line {
            refuse("patterns", "Only a text of one line has a pattern.", "Leave it out, or take a text of one line.");
        }
        if patterns.len() > MAX_PATTERNS || patterns.iter().any(|pattern| pattern.chars().count() > MAX_PATTERN) {
            refuse("patterns", "That is too much of a pattern.", "Write ten at most, of 60 characters at most.");
        }
        let example = self.example.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if example.as_ref().is_some_and(|example| example.chars().count() > MAX_PATTERN) {
            refuse("example", "That is too long for an example.", "Write 60 characters at most.");
        }
        let shape = Self { min_length, max_length, min, max, patterns, example };
        let wrong = |example: &String| match kind.check(example, &[]) {
            Ok(answer) => shape.check(kind, answer).is_err(),
            Err(_) => !matches!(kind, FieldKind::Contact),
        };
        if shape.example.as_ref().is_some_and(wrong) {
            faults.add(
                format!("{pointer}/example"),
                "form.shape_example",
                "The example would not be taken.",
                "Write one as callers should give it, or mend what is asked for.",
            );
        }
        shape
    }
}

/// Which of two answers of this kind is less, if that can be said.
fn compare(kind: &FieldKind, a: &str, b: &str) -> Option<Ordering> {
    match kind {
        FieldKind::Number => Some(compare_numbers(&number(a)?, &number(b)?)),
        // Both are written so that they sort as they follow each other.
        FieldKind::Date | FieldKind::Time => Some(a.cmp(b)),
        _ => None,
    }
}

/// Exactly, as they are written: `-3.50` and `12`.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let (whole, part) = (whole.trim_start_matches('0').to_owned(), part.trim_end_matches('0').to_owned());
        (negative && !(whole.is_empty() && part.is_empty()), whole, part)
    };
    let ((minus_a, whole_a, part_a), (minus_b, whole_b, part_b)) = (parts(a), parts(b));
    let size = whole_a.len().cmp(&whole_b.len()).then(whole_a.cmp(&whole_b)).then(part_a.cmp(&part_b));
    match (minus_a, minus_b) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => size,
        (true, true) => size.reverse(),
    }
}

/// What a place of a pattern takes.
#[derive(Clone, Copy)]
enum Place {
    Digit,
    Letter,
    Any,
    Itself(char),
}

fn places(pattern: &str) -> Vec<Place> {
    let mut chars = pattern.chars();
    let mut places = Vec::new();
    while let Some(c) = chars.next() {
        places.push(match c {
            '9' => Place::Digit,
            'A' => Place::Letter,
            '*' => Place::Any,
            '\\' => Place::Itself(chars.next().unwrap_or('\\')),
            c => Place::Itself(c),
        });
    }
    places
}

/// The answer as the pattern writes it, if it is like it.
fn fit(pattern: &str, answer: &str) -> Option<String> {
    let mut rest = answer.chars().peekable();
    let mut fitted = String::new();
    for place in places(pattern) {
        let next = rest.peek().copied();
        let takes = |c: char| match place {
            Place::Digit => c.is_ascii_digit(),
            Place::Letter => c.is_alphabetic(),
            Place::Any => true,
            Place::Itself(own) => c.to_lowercase().eq(own.to_lowercase()),
        };
        match (place, next.filter(|c| takes(*c))) {
            (Place::Itself(own), Some(_)) => fitted.push(own),
            (_, Some(c)) => fitted.push(c),
            // Left out: it parts what is typed and says nothing.
            (Place::Itself(own), None) if !own.is_alphanumeric() => {
                fitted.push(own);
                continue;
            }
            (_, None) => return None,
        }
        rest.next();
    }
    rest.next().is_none().then_some(fitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shared with the console: kind, shape, answer, and what comes of it.
    const CASES: &str = include_str!("../../../tests/shape-cases.json");

    #[derive(Deserialize)]
    struct Case {
        kind: FieldKind,
        shape: Shape,
        answer: String,
        /// As it is kept, or the code of what is wrong.
        kept: Option<String>,
        code: Option<String>,
    }

    #[test]
    fn answers_have_the_shape_that_is_asked_for() {
        let cases: Vec<Case> = serde_json::from_str(CASES).expect("a list of cases");
        assert!(cases.len() > 25, "{}", cases.len());
        for case in cases {
            let Case { kind, shape, answer, kept, code } = case;
            let checked = kind.check(&answer, &[]).expect("the kind takes it");
            let found = shape.check(&kind, checked);
            assert_eq!(found.clone().ok(), kept, "{answer}: {shape:?}");
            assert_eq!(found.err().map(|(code, _)| code.to_owned()), code, "{answer}: {shape:?}");
        }
    }

    #[test]
    fn whatever_the_pattern_and_the_answer_what_is_kept_is_like_it_and_stays_as_it_is() {
        const SIGNS: [char; 12] = ['9', 'A', '*', '\\', '-', ' ', '(', 'P', 'p', '4', 'ß', '\u{130}'];
        let mut kept = 0;
        for seed in 0..20_000 {
            let mut rng = crate::base::rng::Rng::seeded(seed);
            let mut text = |most: u64| -> String {
                let length = rng.below(most + 1);
                (0..length).map(|_| SIGNS[rng.below(SIGNS.len() as u64) as usize]).collect()
            };
            let (pattern, answer) = (text(6), text(6));
            let Some(fitted) = fit(&pattern, &answer) else { continue };
            kept += usize::from(!answer.is_empty());
            assert_eq!(fit(&pattern, &fitted).as_deref(), Some(fitted.as_str()), "seed {seed}: {pattern} {answer}");
        }
        assert!(kept > 200, "the seeds reach it: {kept}");
    }

    #[test]
    fn what_is_wrong_is_told_with_the_example() {
        let shape = Shape { patterns: vec!["AA-9999".into()], example: Some("PL-0471".into()), ..Shape::default() };
        let (code, message) = shape.check(&FieldKind::Text, "471".into()).unwrap_err();
        assert_eq!((code, message.as_str()), ("pattern", "Not as it should look: like PL-0471."));
        let shape = Shape { min: Some("1".into()), max: Some("10".into()), ..Shape::default() };
        let (code, message) = shape.check(&FieldKind::Number, "12".into()).unwrap_err();
        assert_eq!((code, message.as_str()), ("too_large", "Too large: 10 at most."));
    }

    fn told(kind: &FieldKind, shape: &Shape) -> Vec<String> {
        let mut faults = Faults::default();
        shape.checked(&mut faults, "/shape", kind);
        faults.into_list().into_iter().map(|f| f.pointer.trim_start_matches("/shape/").to_owned()).collect()
    }

    #[test]
    fn a_shape_that_no_answer_can_have_is_refused() {
        let shape = |json: &str| serde_json::from_str::<Shape>(json).expect("a shape");
        for (kind, json, wrong) in [
            (FieldKind::Text, r#"{"min_length": 3, "max_length": 5, "patterns": ["999"], "example": "471"}"#, vec![]),
            (FieldKind::Text, r#"{"min_length": 6, "max_length": 5}"#, vec!["max_length"]),
            (FieldKind::Text, r#"{"max_length": 0}"#, vec!["max_length"]),
            (FieldKind::Text, r#"{"min": "3"}"#, vec!["min"]),
            (FieldKind::Text, r#"{"patterns": ["999"], "example": "47"}"#, vec!["example"]),
            (FieldKind::LongText, r#"{"patterns": ["999"]}"#, vec!["patterns"]),
            (FieldKind::Number, r#"{"min": "1", "max": "1,250", "example": "12"}"#, vec![]),
            (FieldKind::Number, r#"{"min": "10", "max": "9.5"}"#, vec!["max"]),
            (FieldKind::Number, r#"{"min_length": 2}"#, vec!["min_length"]),
            (FieldKind::Date, r#"{"min": "yesterday"}"#, vec!["min"]),
            (FieldKind::YesNo, r#"{"max": "no"}"#, vec!["max"]),
            (FieldKind::Phone, r#"{"example": "+1 202 555 0147"}"#, vec![]),
        ] {
            assert_eq!(told(&kind, &shape(json)), wrong, "{json}");
        }
        let read = shape(r#"{"min": " 1,250 ", "patterns": ["", " 999 "], "example": ""}"#);
        let kept = read.checked(&mut Faults::default(), "/shape", &FieldKind::Number);
        assert_eq!((kept.min.as_deref(), kept.patterns, kept.example), (Some("1250"), vec!["999".to_owned()], None));
    }
}
