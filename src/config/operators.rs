//! Reading `[operators]`: what is the same for all of them.

use super::section::Section;

/// The longest reason, in characters.
const MAX_CHARS: usize = 40;
/// A menu longer than its keys is none.
const MOST: usize = 9;

/// What is the same for all operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operators {
    /// Why somebody is not ready, to choose from. Empty: they say it in their own words.
    pub not_ready_reasons: Vec<String>,
}

impl Default for Operators {
    fn default() -> Self {
        Self { not_ready_reasons: ["Break", "Lunch", "Training", "System"].map(str::to_owned).to_vec() }
    }
}

pub(super) fn read_operators(section: &Section<'_>) -> Option<Operators> {
    let fix = format!("Write 1 to {MAX_CHARS} characters: \"Lunch\"");
    let reason = |text: &str| {
        let text = text.trim();
        (1..=MAX_CHARS).contains(&text.chars().count()).then(|| text.to_owned())
    };
    let has = section.has("not_ready_reasons");
    let reasons = section.list("not_ready_reasons", &fix, reason);
    section.finish();
    let Some(reasons) = reasons else { return (!has).then(Operators::default) };
    if let Some(over) = reasons.get(MOST) {
        let what = format!("`not_ready_reasons` holds more than {MOST}, the keys there are for them");
        section.complain(over.span.clone(), what, "Keep those that your reports tell apart");
        return None;
    }
    for (at, reason) in reasons.iter().enumerate() {
        if reasons[..at].iter().any(|other| other.value.to_lowercase() == reason.value.to_lowercase()) {
            let what = format!("`not_ready_reasons` holds \"{}\" twice", reason.value);
            section.complain(reason.span.clone(), what, "Write it once");
            return None;
        }
    }
    Some(Operators { not_ready_reasons: reasons.into_iter().map(|at| at.value).collect() })
}
