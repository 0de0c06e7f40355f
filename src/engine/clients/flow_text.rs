//! Hours and menus as a document has them: in the API's shapes, but with call types by name, as identifiers of another database say
//! nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::hours::Hours;
use crate::domain::account::{Account, CallType};
use crate::domain::ivr::menu::Menu;

/// Which way calls go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowText {
    hours: Value,
    #[serde(default)]
    menus: Vec<Value>,
}

impl FlowText {
    /// What an account has; `None` if all its calls simply go to the queue.
    pub(super) fn of(account: &Account) -> Option<Self> {
        if account.hours == Hours::default() && account.menus.is_empty() {
            return None;
        }
        let named = |mut value: Value| {
            name_call_types(&mut value, &mut |id| {
                let known = account.call_types.iter().find(|t| t.id.as_str() == id);
                known.map_or_else(|| id.to_owned(), |t| t.name.clone())
            });
            value
        };
        let hours = named(serde_json::to_value(&account.hours).unwrap_or_default());
        let menus = account.menus.iter().map(|menu| named(serde_json::to_value(menu).unwrap_or_default()));
        Some(Self { hours, menus: menus.collect() })
    }

    /// Hours and menus of an account that has these call types.
    pub(super) fn read(&self, call_types: &[CallType]) -> Result<(Hours, Vec<Menu>), Vec<Fault>> {
        let mut faults = Faults::default();
        let mut unknown = Vec::new();
        let mut known = |value: &Value| {
            let mut value = value.clone();
            name_call_types(&mut value, &mut |name| {
                let same = |t: &&CallType| t.name.to_lowercase() == name.trim().to_lowercase();
                call_types.iter().find(same).map_or_else(
                    || {
                        unknown.push(name.to_owned());
                        name.to_owned()
                    },
                    |t| t.id.to_string(),
                )
            });
            value
        };
        let hours = known(&self.hours);
        let menus: Vec<Value> = self.menus.iter().map(&mut known).collect();
        for name in unknown {
            let detail = format!("There is no call type called {name}.");
            faults.add("", "flow.unknown_call_type", detail, "Add it to the call types, or correct the name.");
        }
        faults.unless(())?;
        let unreadable = |pointer: String, why: serde_json::Error| {
            let mut faults = Faults::default();
            faults.add(pointer, "flow.unreadable", format!("It cannot be read: {why}."), "Write it as the API has it.");
            faults.unless(()).err().unwrap_or_default()
        };
        let hours = serde_json::from_value(hours).map_err(|why| unreadable("/hours".to_owned(), why))?;
        let menus = menus
            .into_iter()
            .enumerate()
            .map(|(n, menu)| serde_json::from_value(menu).map_err(|why| unreadable(format!("/menus/{n}"), why)));
        Ok((hours, menus.collect::<Result<_, _>>()?))
    }
}

/// Has each call type that is named anywhere called otherwise.
fn name_call_types(value: &mut Value, name: &mut impl FnMut(&str) -> String) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "call_type" => *text = name(text),
                    value => name_call_types(value, name),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| name_call_types(value, name)),
        _ => {}
    }
}
