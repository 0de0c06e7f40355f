//! Call types with their forms as somebody writes them, and the check of what was written: the whole list of an
//! account, in its order. Pure; driven by `engine/clients`. Fields and triggers are checked in `edit_form`.

use serde::{Deserialize, Serialize};

use crate::base::id::{CallTypeId, ProtocolId};
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::message::form::{Field, Form};
use crate::domain::message::trigger::Trigger;

use super::edit::PRIORITY;
use super::edit_form::{check_fields, check_triggers};
use super::fault::{Fault, Faults, Text};
use super::{CallType, Urgency};

const MAX_NAME: usize = 80;
const MAX_TRIGGERS: usize = 2_000;
const MAX_TYPES: usize = 50;

/// All call types of an account. Those that are left out are retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTypesEdit {
    /// The edition of the account that was read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    pub call_types: Vec<CallTypeEdit>,
}

/// A call type as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CallTypeEdit {
    /// Left out for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CallTypeId>,
    pub name: String,
    pub urgency: Urgency,
    #[serde(default)]
    pub triggers: String,
    /// What of it can be found in a form, and is suggested while one is filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Trigger>,
    #[serde(default)]
    pub form: FormEdit,
    /// The protocol in force; none for calls that are not dispatched.
    #[serde(default)]
    pub protocol: Option<ProtocolId>,
    /// Texts, emails, pages and recaps say only that there is a message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Callers who are known to call about this go before those of a lower priority. Left out: it says nothing of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
}

/// A form as it is written. Its version is counted by the service: a change makes the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FormEdit {
    #[serde(default)]
    pub fields: Vec<Field>,
}

impl From<&CallType> for CallTypeEdit {
    fn from(call_type: &CallType) -> Self {
        Self {
            id: Some(call_type.id.clone()),
            name: call_type.name.clone(),
            urgency: call_type.urgency,
            triggers: call_type.triggers.clone(),
            watched: call_type.watched.clone(),
            form: FormEdit { fields: call_type.form.fields.clone() },
            protocol: call_type.protocol.clone(),
            protected: call_type.protected,
            priority: call_type.priority,
        }
    }
}

impl CallTypesEdit {
    /// The call types as they would be, given those that there are and the account's protocols.
    pub fn apply(
        &self,
        known: &[CallType],
        protocols: &[Protocol],
        mut fresh: impl FnMut() -> CallTypeId,
    ) -> Result<Vec<CallType>, Vec<Fault>> {
        let mut faults = Faults::default();
        if self.call_types.len() > MAX_TYPES {
            let detail = format!("An account has {MAX_TYPES} call types at most.");
            faults.add("/call_types", "call_type.too_many", detail, "Take some out.");
        }
        let mut types: Vec<CallType> = Vec::new();
        for (at, written) in self.call_types.iter().enumerate() {
            let pointer = format!("/call_types/{at}");
            let name = Text::line(format!("{pointer}/name"), "call_type.name", "The name", MAX_NAME);
            let name = faults.text(&written.name, &name);
            if !name.is_empty() && types.iter().any(|t| t.name.to_lowercase() == name.to_lowercase()) {
                let detail = format!("There are two call types called {name}.");
                faults.add(format!("{pointer}/name"), "call_type.name_twice", detail, "Give each a name of its own.");
            }
            let triggers = Text::line(format!("{pointer}/triggers"), "call_type.triggers", "This", MAX_TRIGGERS);
            let triggers = faults.text(&written.triggers, &triggers.optional().lines());
            let before = written.id.as_ref().and_then(|id| known.iter().find(|t| t.id == *id));
            let twice = written.id.as_ref().is_some_and(|id| types.iter().any(|t| t.id == *id));
            if (written.id.is_some() && before.is_none()) || twice {
                let cure = "Leave the id out to add a new one.";
                faults.add(format!("{pointer}/id"), "call_type.unknown", "The account has no such call type.", cure);
            }
            if let Some(id) = &written.protocol {
                let pointer = format!("{pointer}/protocol");
                if !protocols.iter().any(|p| p.id == *id) {
                    let cure = "Choose one of the account's protocols, or none.";
                    faults.add(pointer, "call_type.protocol", "The account has no such protocol.", cure);
                } else if written.urgency == Urgency::NotLegitimate {
                    let cure = "Choose another urgency, or no protocol.";
                    let detail = "Calls that are not legitimate are not dispatched.";
                    faults.add(pointer, "call_type.not_dispatched", detail, cure);
                }
            }
            if written.priority.is_some_and(|priority| !(PRIORITY.0..=PRIORITY.1).contains(&priority)) {
                let cure = format!("Choose {} to {}; 0 is ordinary, higher goes first.", PRIORITY.0, PRIORITY.1);
                let detail = "This priority is out of bounds.";
                faults.add(format!("{pointer}/priority"), "call_type.priority", detail, cure);
            }
            let fields = check_fields(&mut faults, &pointer, &written.form.fields);
            let watched = check_triggers(&mut faults, &pointer, &written.watched, &fields);
            let form = match before {
                Some(before) if before.form.fields == fields => before.form.clone(),
                Some(before) => Form { version: before.form.version.saturating_add(1), fields },
                None => Form { version: 1, fields },
            };
            types.push(CallType {
                id: before.map_or_else(&mut fresh, |t| t.id.clone()),
                name,
                urgency: written.urgency,
                triggers,
                watched,
                form,
                protocol: written.protocol.clone(),
                protected: written.protected,
                priority: written.priority,
            });
        }
        faults.unless(types)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> CallTypesEdit {
        serde_json::from_str(json).unwrap()
    }

    fn apply(edit: &CallTypesEdit, known: &[CallType]) -> Result<Vec<CallType>, Vec<Fault>> {
        let mut made = known.len();
        edit.apply(known, &[], || {
            made += 1;
            CallTypeId::named(&made.to_string())
        })
    }

    const URGENT: &str = r#"{"call_types": [{"name": "Urgent", "urgency": "urgent", "form": {"fields": [
        {"label": "Caller's name", "kind": {"kind": "text"}, "required": true},
        {"label": "Caller's name", "kind": {"kind": "phone"}},
        {"label": "Problem", "kind": {"kind": "choice", "options": ["Leak", "Other"]}}]}}]}"#;

    #[test]
    fn fields_get_keys_of_their_labels_and_a_change_makes_the_next_version() {
        let first = apply(&read(URGENT), &[]).unwrap();
        let keys: Vec<_> = first[0].form.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(keys, ["caller_s_name", "caller_s_name_2", "problem"]);
        assert_eq!(first[0].form.version, 1);
        let mut again = CallTypesEdit { edition: None, call_types: first.iter().map(CallTypeEdit::from).collect() };
        assert_eq!(apply(&again, &first).unwrap(), first);
        again.call_types[0].form.fields.pop();
        let second = apply(&again, &first).unwrap();
        assert_eq!((second[0].form.version, &second[0].id), (2, &first[0].id));
    }

    #[test]
    fn a_type_goes_before_others_within_the_bounds_that_an_account_does() {
        let ranked = |rank: &str| {
            let json = format!(r#"{{"call_types": [{{"name": "A", "urgency": "routine", "priority": {rank}}}]}}"#);
            apply(&read(&json), &[])
        };
        assert_eq!(ranked("100").unwrap()[0].priority, Some(100));
        assert_eq!(ranked("null").unwrap()[0].priority, None);
        let told: Vec<_> = ranked("101").unwrap_err().into_iter().map(|f| (f.pointer, f.code)).collect();
        assert_eq!(told, [("/call_types/0/priority".to_owned(), "call_type.priority".into())]);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let bad = read(
            r#"{"call_types": [
            {"id": "ct_others", "name": "", "urgency": "urgent", "protocol": "pro_others", "form": {"fields": [
                {"name": "Bad Name", "label": "", "kind": {"kind": "text"}},
                {"name": "x", "label": "X", "kind": {"kind": "choice", "options": []}},
                {"name": "x", "label": "Y", "kind": {"kind": "choice", "options": ["a", "A"]}}]}}]}"#,
        );
        let told: Vec<_> = apply(&bad, &[]).unwrap_err().into_iter().map(|f| f.code).collect();
        let expected = [
            "call_type.name_missing",
            "call_type.unknown",
            "call_type.protocol",
            "form.label_missing",
            "form.name",
            "form.options",
            "form.name_twice",
            "form.option_twice",
        ];
        assert_eq!(told, expected);
    }
}
