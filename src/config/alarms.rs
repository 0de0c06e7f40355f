//! Reading `[alarms]`: which supervisors are told of alarms that nobody at a desk acknowledges, by what, and how soon.

use super::read::NUMBER_FIX;
use super::section::Section;
use crate::base::phone::PhoneNumber;
use crate::domain::alarm::{Means, Plan, Step};

/// Two rounds begin at least so far apart, and an acknowledgment counts for so long at least.
const SHORTEST_SECS: i64 = 300;
const LONGEST_SECS: i64 = 86_400;
/// The longest that one step is waited for.
const LONGEST_STEP_SECS: i64 = 3_600;
/// A step comes so long after the one before, unless told otherwise.
const AFTER_SECS: u32 = 120;
/// More would be a list of everybody.
const MOST_STEPS: usize = 20;
const MOST_CHARS: usize = 60;

const STEPS_FIX: &str = "Write one [[alarms.step]] for each: after_secs, by = \"text\" or \"call\", name, number";

/// `texts`: there is a provider of texts; `calls`: there is a trunk.
pub(super) fn read_alarms(section: &Section<'_>, texts: bool, calls: bool) -> Option<Plan> {
    let usual = Plan::default();
    let secs = |key, usual: u32| match section.number(key, SHORTEST_SECS..=LONGEST_SECS) {
        Some(at) => u32::try_from(at.value).ok(),
        None => (!section.has(key)).then_some(usual),
    };
    let (repeat_secs, remind_secs) = (secs("repeat_secs", usual.repeat_secs), secs("remind_secs", usual.remind_secs));
    let sections = section.sections("step");
    section.finish();
    if section.is_there() && sections.is_empty() {
        section.complain(section.span(), "it has no step, so nobody is told", STEPS_FIX);
    }
    if let Some(beyond) = sections.get(MOST_STEPS) {
        beyond.complain(beyond.span(), format_args!("there are more than {MOST_STEPS} steps"), "Leave some out");
    }
    let steps: Option<Vec<Step>> = sections.iter().map(|step| read_step(step, texts, calls)).collect();
    Some(Plan { steps: steps?, repeat_secs: repeat_secs?, remind_secs: remind_secs? })
}

fn read_step(section: &Section<'_>, texts: bool, calls: bool) -> Option<Step> {
    let after = section.number("after_secs", 0..=LONGEST_STEP_SECS);
    let by = section.parsed("by", "Write \"text\" or \"call\"", |text| match text {
        "text" => Some(Means::Text),
        "call" => Some(Means::Call),
        _ => None,
    });
    let fix_name = "Write who it is, as desks should read it: \"Pat\", 60 characters at most";
    let name = section.parsed("name", fix_name, |text| {
        let text = text.trim();
        let plain = !text.is_empty() && text.chars().count() <= MOST_CHARS && !text.chars().any(char::is_control);
        plain.then(|| text.to_owned())
    });
    let number = section.parsed("number", NUMBER_FIX, |text| PhoneNumber::parse(text).ok());
    section.finish();
    for key in ["by", "name", "number"].into_iter().filter(|key| !section.has(key)) {
        section.complain_missing(key, STEPS_FIX);
    }
    if let Some(by) = &by {
        let (there, what, fix) = match by.value {
            Means::Text => (texts, "it texts, and no texts leave", "Add an [[sms]] provider, or write by = \"call\""),
            Means::Call => {
                (calls, "it calls, and there is no trunk", "Name a trunk in `trunks`, or write by = \"text\"")
            }
        };
        if !there {
            section.complain(by.span.clone(), what, fix);
        }
    }
    let after_secs = match after {
        Some(at) => u32::try_from(at.value).ok()?,
        None if section.has("after_secs") => return None,
        None => AFTER_SECS,
    };
    Some(Step { after_secs, by: by?.value, name: name?.value, number: number?.value })
}
