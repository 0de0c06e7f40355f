//! Urgency by the client's own list: what makes a call urgent, found in what was taken, and what becomes of an operator's
//! other opinion. Pure; the console looks through the form in the same way while it is filled in (`lib/triggers.ts`).
//!
//! What always holds: who takes something as urgent that is not on the list says why, and so does who takes something as
//! less that is on it. Sensitive answers are not looked at.

use serde::{Deserialize, Serialize};

use super::form::{Answers, FieldKind, Form};
use crate::domain::account::{CallType, Urgency};

/// The longest reason taken, in characters.
pub const MAX_REASON_CHARS: usize = 500;
/// How many letters a word of the list may go on with: `leak` is also found in `leaks` and `leaking`.
const MAX_ENDING: usize = 3;

/// Something that makes a call one of this type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trigger {
    /// These words, in this order, in any answer.
    Words { words: String },
    /// This answer in the field of this name.
    Answer { field: String, is: String },
}

/// What an operator decided otherwise than the client's list, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Graded {
    pub how: Grading,
    /// What of the list was met, as it is read out: `no heat`.
    pub trigger: Option<String>,
    pub reason: String,
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grading {
    /// Taken as urgent, and nothing of the list was met.
    Raised,
    /// Something of the list was met, and it was not taken as urgent.
    Lowered,
}

impl Trigger {
    /// Whether the answers hold it.
    pub fn is_met(&self, form: &Form, answers: &Answers) -> bool {
        match self {
            Self::Answer { field, is } => answers.get(field).is_some_and(|answer| {
                answer.lines().any(|line| line.trim().to_lowercase() == is.trim().to_lowercase())
            }),
            Self::Words { words } => {
                let worded = form.fields.iter().filter(|field| {
                    let plain = !matches!(field.kind, FieldKind::Phone | FieldKind::Number | FieldKind::Contact);
                    plain && field.sensitive.is_no()
                });
                let wanted = split(words);
                worded.filter_map(|field| answers.get(&field.name)).any(|answer| holds(&split(answer), &wanted))
            }
        }
    }

    /// As it is read out.
    pub fn said(&self) -> &str {
        match self {
            Self::Words { words } => words,
            Self::Answer { is, .. } => is,
        }
    }
}

/// Lower-case words, without what stands between them.
fn split(text: &str) -> Vec<String> {
    let letters = |c: char| c.is_alphanumeric() || c == '\'' || c == '\u{2019}';
    let words = text.split(|c| !letters(c)).filter(|word| !word.is_empty());
    words.map(|word| word.to_lowercase().replace('\u{2019}', "'")).collect()
}

/// Whether `wanted` stands in `text`, one word after the other. The last may go on by an ending.
fn holds(text: &[String], wanted: &[String]) -> bool {
    let Some((last, first)) = wanted.split_last() else { return false };
    text.windows(wanted.len()).any(|window| {
        let Some((end, start)) = window.split_last() else { return false };
        let ending = end.strip_prefix(last.as_str()).map(|rest| rest.chars().count());
        start == first && ending.is_some_and(|letters| letters <= MAX_ENDING)
    })
}

/// The first of the urgent types' triggers that the answers hold, with its type.
pub fn find_met<'a>(types: &'a [CallType], form: &Form, answers: &Answers) -> Option<(&'a CallType, &'a Trigger)> {
    let urgent = types.iter().filter(|t| t.urgency == Urgency::Urgent);
    urgent
        .flat_map(|t| t.watched.iter().map(move |trigger| (t, trigger)))
        .find(|(_, trigger)| trigger.is_met(form, answers))
}

/// Whether taking `answers` as `chosen` is another opinion than the list's, and what of the list was met.
pub fn grade(types: &[CallType], chosen: &CallType, answers: &Answers) -> Option<(Grading, Option<String>)> {
    let met = find_met(types, &chosen.form, answers).map(|(_, trigger)| trigger.said().to_owned());
    match (chosen.urgency, met) {
        // A type without a list says nothing about what belongs to it.
        (Urgency::Urgent, None) if !chosen.watched.is_empty() => Some((Grading::Raised, None)),
        (Urgency::Routine | Urgency::NotLegitimate, Some(trigger)) => Some((Grading::Lowered, Some(trigger))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallTypeId;
    use crate::domain::message::form::{Field, Sensitive};

    fn words(words: &str) -> Trigger {
        Trigger::Words { words: words.into() }
    }

    fn call_type(id: &str, urgency: Urgency, watched: Vec<Trigger>) -> CallType {
        let field = |name: &str, kind| Field { name: name.into(), label: name.into(), kind, ..Field::default() };
        let problem = FieldKind::Choice { options: vec!["Leak".into(), "Noise".into()] };
        let card = Field { sensitive: Sensitive::Kept, ..field("card", FieldKind::Text) };
        let fields = vec![
            field("message", FieldKind::LongText),
            field("callback", FieldKind::Phone),
            field("problem", problem),
            card,
        ];
        CallType {
            id: CallTypeId::named(id),
            name: id.into(),
            urgency,
            triggers: String::new(),
            watched,
            form: Form { version: 1, fields },
            protocol: None,
            protected: false,
            priority: None,
        }
    }

    fn types() -> Vec<CallType> {
        let leak = Trigger::Answer { field: "problem".into(), is: "leak".into() };
        vec![
            call_type("routine", Urgency::Routine, vec![]),
            call_type("urgent", Urgency::Urgent, vec![words("no heat"), words("flood"), leak]),
            call_type("sales", Urgency::NotLegitimate, vec![]),
        ]
    }

    fn answers(name: &str, answer: &str) -> Answers {
        Answers::from([(name.to_owned(), answer.to_owned())])
    }

    fn met(name: &str, answer: &str) -> Option<String> {
        let types = types();
        find_met(&types, &types[0].form, &answers(name, answer)).map(|(_, trigger)| trigger.said().to_owned())
    }

    #[test]
    fn words_of_the_list_are_found_as_words() {
        assert_eq!(met("message", "There is NO\nheat, since noon").as_deref(), Some("no heat"));
        assert_eq!(met("message", "the cellar is flooding!").as_deref(), Some("flood"));
        assert_eq!(met("problem", "Leak").as_deref(), Some("leak"));
        for other in ["heat no", "no heaters? no: no, heat", "floodlights", "leak"] {
            let found = met("message", other);
            assert!(found.is_none() || other.contains("no, heat"), "{other}: {found:?}");
        }
        assert_eq!(met("card", "no heat"), None, "what is sensitive is not looked at");
        assert_eq!(met("callback", "flood"), None);
    }

    #[test]
    fn another_opinion_than_the_lists_is_noticed_both_ways() {
        let types = types();
        let (routine, urgent, sales) = (&types[0], &types[1], &types[2]);
        let flood = answers("message", "a flood in the cellar");
        let lowered = Some((Grading::Lowered, Some("flood".to_owned())));
        assert_eq!(grade(&types, routine, &flood), lowered);
        assert_eq!(grade(&types, sales, &flood), lowered);
        assert_eq!(grade(&types, urgent, &flood), None);
        let quote = answers("message", "wants a quote");
        assert_eq!(grade(&types, urgent, &quote), Some((Grading::Raised, None)));
        assert_eq!(grade(&types, routine, &quote), None);
        let unlisted = call_type("urgent", Urgency::Urgent, vec![]);
        assert_eq!(grade(&[routine.clone(), unlisted.clone()], &unlisted, &quote), None, "no list, no other opinion");
    }
}
