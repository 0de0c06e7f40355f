//! The fields of a form and the triggers of a call type as somebody writes them, and the check of what was written. Pure;
//! driven by `edit_call_types`.

use crate::domain::message::form::{AskedAt, Field, FieldKind, ShownIf};
use crate::domain::message::trigger::Trigger;

use super::fault::{Faults, Text};

const MAX_NAME: usize = 80;
const MAX_FIELDS: usize = 60;
const MAX_OPTIONS: usize = 100;
const MAX_KEY: usize = 40;
const MAX_TRIGGERS: usize = 200;

/// The fields of the form of the call type at the pointer `call_type`.
pub(super) fn check_fields(faults: &mut Faults, call_type: &str, written: &[Field]) -> Vec<Field> {
    if written.len() > MAX_FIELDS {
        let detail = format!("A form has {MAX_FIELDS} fields at most.");
        faults.add(format!("{call_type}/form/fields"), "form.too_many", detail, "Take some out.");
    }
    let mut fields: Vec<Field> = Vec::new();
    for (at, field) in written.iter().enumerate() {
        let pointer = format!("{call_type}/form/fields/{at}");
        let label = Text::line(format!("{pointer}/label"), "form.label", "What the operator reads", MAX_NAME);
        let label = faults.text(&field.label, &label);
        let name = if field.name.trim().is_empty() { free_key(&label, &fields) } else { field.name.trim().to_owned() };
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain || name.len() > MAX_KEY {
            let cure = format!("Write {MAX_KEY} lower-case letters, digits and _ at most, or leave it out.");
            faults.add(format!("{pointer}/name"), "form.name", "This is no name of a field.", cure);
        }
        if fields.iter().any(|f| f.name == name) {
            let detail = format!("There are two fields named {name}.");
            faults.add(format!("{pointer}/name"), "form.name_twice", detail, "Give each a name of its own.");
        }
        let options = format!("{pointer}/kind/options");
        let kind = match &field.kind {
            FieldKind::Choice { options: list } => FieldKind::Choice { options: check_options(faults, &options, list) },
            FieldKind::Several { options: list } => {
                FieldKind::Several { options: check_options(faults, &options, list) }
            }
            other => other.clone(),
        };
        let shown_if = field.shown_if.as_ref();
        let shown_if = shown_if.map(|shown| check_condition(faults, &format!("{pointer}/shown_if"), shown, &fields));
        if let Some(hours) = &field.hours {
            check_hours(faults, &format!("{pointer}/hours"), hours);
        }
        let shape = field.shape.checked(faults, &format!("{pointer}/shape"), &kind);
        fields.push(Field { name, label, kind, shape, shown_if, ..field.clone() });
    }
    fields
}

/// Its field by name, and what it asks for as that field's list has it.
fn check_condition(faults: &mut Faults, pointer: &str, written: &ShownIf, before: &[Field]) -> ShownIf {
    let wanted = written.field.trim();
    let found = before
        .iter()
        .find(|field| field.name == wanted)
        .or_else(|| before.iter().find(|field| field.label.to_lowercase() == wanted.to_lowercase()));
    let Some(found) = found else {
        let cure = "Choose one that comes before it.";
        faults.add(format!("{pointer}/field"), "form.shown_if", "No earlier field of this form is called so.", cure);
        return written.clone();
    };
    if !found.sensitive.is_no() {
        let cure = "Choose another field.";
        let detail = "A sensitive answer is not kept for other fields to look at.";
        faults.add(format!("{pointer}/field"), "form.shown_if_sensitive", detail, cure);
    }
    let values = found.kind.values();
    let mut is = Vec::new();
    for (at, value) in written.is.iter().enumerate() {
        let pointer = format!("{pointer}/is/{at}");
        let value = faults.text(value, &Text::line(pointer.clone(), "form.shown_if_value", "The answer", MAX_NAME));
        match &values {
            None => is.push(value),
            Some(values) => match values.iter().find(|known| known.to_lowercase() == value.to_lowercase()) {
                Some(known) => is.push((*known).to_owned()),
                None => {
                    let detail = format!("{} never has this answer.", found.label);
                    faults.add(pointer, "form.shown_if_value", detail, format!("Choose of: {}.", values.join(", ")));
                }
            },
        }
    }
    ShownIf { field: found.name.clone(), is }
}

fn check_hours(faults: &mut Faults, pointer: &str, hours: &AskedAt) {
    if hours.days.is_empty() {
        faults.add(format!("{pointer}/days"), "form.hours_days", "No day is named.", "Choose a day, or all of them.");
    }
    if hours.span.times().is_none() {
        let cure = "Write both as HH:MM, from 00:00 to 23:59.";
        faults.add(pointer, "form.hours_span", "These are no times of the day.", cure);
    }
}

fn check_options(faults: &mut Faults, pointer: &str, written: &[String]) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for (at, option) in written.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        let option = faults.text(option, &Text::line(pointer.clone(), "form.option", "The choice", MAX_NAME));
        if !option.is_empty() && options.iter().any(|o| o.eq_ignore_ascii_case(&option)) {
            let detail = format!("{option} is in the list twice.");
            faults.add(pointer, "form.option_twice", detail, "Take one of them out.");
        }
        options.push(option);
    }
    if options.is_empty() || options.len() > MAX_OPTIONS {
        let cure = format!("Write 1 to {MAX_OPTIONS} choices.");
        faults.add(pointer, "form.options", "There is nothing to choose from, or too much.", cure);
    }
    options
}

/// The triggers of a call type whose form has these fields.
pub(super) fn check_triggers(
    faults: &mut Faults,
    call_type: &str,
    written: &[Trigger],
    fields: &[Field],
) -> Vec<Trigger> {
    if written.len() > MAX_TRIGGERS {
        let detail = format!("A call type has {MAX_TRIGGERS} triggers at most.");
        faults.add(format!("{call_type}/watched"), "trigger.too_many", detail, "Take some out.");
    }
    let mut triggers = Vec::new();
    for (at, trigger) in written.iter().enumerate() {
        let pointer = format!("{call_type}/watched/{at}");
        let said = |part: &str| Text::line(format!("{pointer}/{part}"), "trigger.words", "What to look for", MAX_NAME);
        triggers.push(match trigger {
            Trigger::Words { words } => {
                let words = faults.text(words, &said("words"));
                if !words.is_empty() && !words.chars().any(char::is_alphanumeric) {
                    let cure = "Write the words a caller would say.";
                    faults.add(format!("{pointer}/words"), "trigger.words", "There is no word in it.", cure);
                }
                Trigger::Words { words }
            }
            Trigger::Answer { field, is } => {
                let is = faults.text(is, &said("is"));
                let found = fields.iter().find(|f| f.name == field.trim());
                let has = found
                    .map(|f| f.kind.values().is_none_or(|v| v.iter().any(|v| v.to_lowercase() == is.to_lowercase())));
                if has != Some(true) || found.is_some_and(|f| !f.sensitive.is_no()) {
                    let cure = "Choose a field of this form that is not sensitive, and one of its answers.";
                    faults.add(format!("{pointer}/field"), "trigger.answer", "The form has no such answer.", cure);
                }
                Trigger::Answer { field: field.trim().to_owned(), is }
            }
        });
    }
    triggers
}

/// A key for a field's answers, made of its label, that no field before it has.
fn free_key(label: &str, taken: &[Field]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let words: Vec<String> = label.split_whitespace().map(|word| word.chars().map(plain).collect()).collect();
    let key: String = words.join("_").chars().take(MAX_KEY - 4).collect();
    let key = key.trim_matches('_');
    let key = if key.is_empty() { "field" } else { key };
    let free = |key: &String| !taken.iter().any(|f| f.name == *key);
    let numbered = (2_u32..).map(|n| format!("{key}_{n}"));
    std::iter::once(key.to_owned()).chain(numbered).find(free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::fault::Fault;

    fn fields(json: &str) -> Result<Vec<Field>, Vec<Fault>> {
        let written: Vec<Field> = serde_json::from_str(json).unwrap();
        let mut faults = Faults::default();
        let fields = check_fields(&mut faults, "/call_types/0", &written);
        faults.unless(fields)
    }

    const FIELDS: &str = r#"[
        {"label": "Problem", "kind": {"kind": "choice", "options": ["Leak", "Noise"]}},
        {"label": "Where", "kind": {"kind": "text"}, "shown_if": {"field": "problem", "is": ["leak"]},
         "hours": {"days": ["monday"], "from": "18:00", "until": "08:00"}},
        {"label": "Valve shut", "kind": {"kind": "yes_no"}, "shown_if": {"field": "WHERE"}}]"#;

    #[test]
    fn a_condition_names_an_earlier_field_by_name_or_label() {
        let fields = fields(FIELDS).unwrap();
        assert_eq!(fields[1].shown_if, Some(ShownIf { field: "problem".into(), is: vec!["Leak".into()] }));
        assert_eq!(fields[2].shown_if, Some(ShownIf { field: "where".into(), is: vec![] }));
    }

    #[test]
    fn conditions_and_hours_that_cannot_be_met_are_told_at_once() {
        let wrong = FIELDS
            .replace("\"leak\"", "\"flood\"")
            .replace("\"WHERE\"", "\"Valve shut\"")
            .replace("[\"monday\"]", "[]")
            .replace("18:00", "25:00");
        let told: Vec<_> = fields(&wrong).unwrap_err().into_iter().map(|f| (f.pointer, f.code)).collect();
        let at = |n: u32, rest: &str| format!("/call_types/0/form/fields/{n}/{rest}");
        let expected = [
            (at(1, "shown_if/is/0"), "form.shown_if_value".into()),
            (at(1, "hours/days"), "form.hours_days".into()),
            (at(1, "hours"), "form.hours_span".into()),
            (at(2, "shown_if/field"), "form.shown_if".into()),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn triggers_look_for_words_and_for_answers_that_there_are() {
        let fields = fields(FIELDS).unwrap();
        let check = |trigger| {
            let mut faults = Faults::default();
            check_triggers(&mut faults, "/call_types/0", &[trigger], &fields);
            faults.unless(()).is_ok()
        };
        let answer = |field: &str, is: &str| Trigger::Answer { field: field.into(), is: is.into() };
        assert!(check(Trigger::Words { words: "no heat".into() }));
        assert!(check(answer("problem", "leak")));
        for wrong in [answer("problem", "flood"), answer("roof", "leak"), Trigger::Words { words: " ... ".into() }] {
            assert!(!check(wrong.clone()), "{wrong:?}");
        }
    }
}
