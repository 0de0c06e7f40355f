//! Editions of a message: what was taken first, and what each change made of it. Pure.
//!
//! A message that was saved is never overwritten: a change makes the next edition, and what was told before stays as told.

use serde::Serialize;

use super::Message;
use crate::base::clock::UtcMs;
use crate::base::id::UserId;

/// Who made an edition after the first, and when.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, Serialize, utoipa::ToSchema)]
pub struct Change {
    pub by: UserId,
    pub at: UtcMs,
    /// Why it did not go out again, where the one before was delivered: who was told has other words than these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<String>,
}

/// One thing that is another than it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// What it is, as the operator reads it.
    pub label: String,
    /// As people read it; none: there was nothing.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What a change made another: caller and answers, in the order of the form. The call type is told beside it.
pub fn differences(before: &Message, after: &Message) -> Vec<Difference> {
    let caller = |message: &Message| message.caller.as_ref().map(|n| super::render::number(n.as_e164()));
    let mut found = Vec::new();
    let mut look = |label: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            found.push(Difference { label: label.to_owned(), before, after });
        }
    };
    look("Caller ID", caller(before), caller(after));
    let shown = |message: &Message, name: &str| {
        let field = message.form.fields.iter().find(|field| field.name == name)?;
        let answer = message.answers.get(name)?;
        // That it changed is told, not what it was.
        Some(if field.sensitive.is_no() {
            field.show(answer)
        } else {
            format!("{} characters", answer.chars().count())
        })
    };
    let gone = before.form.fields.iter().filter(|old| !after.form.fields.iter().any(|new| new.name == old.name));
    for field in after.form.fields.iter().chain(gone) {
        let changed = before.answers.get(&field.name) != after.answers.get(&field.name);
        if changed {
            let (before, after) = (shown(before, &field.name), shown(after, &field.name));
            if before == after {
                look(&field.label, before, Some("another".to_owned()));
            } else {
                look(&field.label, before, after);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::form::Sensitive;
    use crate::domain::message::render::tests::message;

    #[test]
    fn a_change_tells_what_it_made_another_and_nothing_else() {
        let before = message("burst pipe");
        let mut after = before.clone();
        assert_eq!(differences(&before, &after), []);
        after.answers.insert("problem".into(), "burst boiler".into());
        after.answers.remove("pets");
        after.answers.insert("number".into(), "+12025550149".into());
        let told: Vec<_> = differences(&before, &after).into_iter().map(|d| (d.label, d.before, d.after)).collect();
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            ("Call back".to_owned(), some("+1 202 555 0147"), some("+1 202 555 0149")),
            ("Problem".to_owned(), some("burst pipe"), some("burst boiler")),
            ("Pets".to_owned(), some("one dog"), None),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_sensitive_is_not_in_a_difference() {
        let mut before = message("burst pipe");
        before.form.fields[3].sensitive = Sensitive::Kept;
        before.answers.insert("pets".into(), "1234".into());
        let mut after = before.clone();
        after.answers.insert("pets".into(), "5678".into());
        let told = format!("{:?}", differences(&before, &after));
        assert!(told.contains("Pets") && !told.contains("1234") && !told.contains("5678"), "{told}");
    }
}
