//! Hours and menus as a document has them: in the API's shapes, but with call types and people by name, as identifiers of
//! another database say nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::people::{Nobody, People};
use crate::base::id::{CallTypeId, ContactId};
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::hours::Hours;
use crate::domain::account::{Account, CallType, Contact};
use crate::domain::ivr::menu::Menu;

/// Which way calls go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowText {
    hours: Value,
    #[serde(default)]
    menus: Vec<Value>,
}

/// What hours and menus name of the rest of their account.
#[derive(Clone, Copy)]
enum Named {
    CallType,
    Contact,
}

impl FlowText {
    /// What an account with these contacts has; `None` if all its calls simply go to the queue.
    pub(super) fn of(account: &Account, contacts: &[Contact]) -> Option<Self> {
        if account.hours == Hours::default() && account.menus.is_empty() {
            return None;
        }
        let named = |value: Value| {
            renamed(value, &mut |what, id| match what {
                Named::CallType => {
                    let known = account.call_types.iter().find(|t| t.id.as_str() == id);
                    known.map_or_else(|| id.to_owned(), |t| t.name.clone())
                }
                Named::Contact => id.parse().map_or_else(|_| id.to_owned(), |id| People(contacts).name(&id)),
            })
        };
        let hours = named(serde_json::to_value(&account.hours).unwrap_or_default());
        let menus = account.menus.iter().map(|menu| named(serde_json::to_value(menu).unwrap_or_default()));
        Some(Self { hours, menus: menus.collect() })
    }

    /// Hours and menus of an account that has these call types and contacts.
    pub(super) fn read(&self, call_types: &[CallType], contacts: &[Contact]) -> Result<(Hours, Vec<Menu>), Vec<Fault>> {
        let mut faults = Faults::default();
        let read = self.read_by(|what, name| match what {
            Named::CallType => {
                let same = |t: &&CallType| t.name.to_lowercase() == name.trim().to_lowercase();
                let Some(found) = call_types.iter().find(same) else {
                    let detail = format!("There is no call type called {name}.");
                    let cure = "Add it to the call types, or correct the name.";
                    faults.add("", "flow.unknown_call_type", detail, cure);
                    return name.to_owned();
                };
                found.id.to_string()
            }
            Named::Contact => match People(contacts).find(name) {
                Ok(id) => id.to_string(),
                Err(Nobody::Unknown) => {
                    let detail = format!("There is no contact called {name}, to whom callers are put through.");
                    let cure = "Add it to the contacts, or correct the name.";
                    faults.add("", "flow.unknown_contact", detail, cure);
                    name.to_owned()
                }
                Err(Nobody::Ambiguous) => {
                    let detail = format!("There are several contacts called {name}.");
                    faults.add("", "flow.ambiguous_contact", detail, "Write which: the first is Name #1.");
                    name.to_owned()
                }
            },
        });
        faults.unless(())?;
        read
    }

    /// The same as far as it can be read before there is an account, with nobody and nothing it names: for what is said.
    pub(super) fn read_words(&self) -> Option<(Hours, Vec<Menu>)> {
        let anything = |what: Named, _: &str| match what {
            Named::CallType => CallTypeId::named("unread").to_string(),
            Named::Contact => ContactId::named("unread").to_string(),
        };
        self.read_by(anything).ok()
    }

    fn read_by(&self, mut id: impl FnMut(Named, &str) -> String) -> Result<(Hours, Vec<Menu>), Vec<Fault>> {
        let unreadable = |pointer: String, why: serde_json::Error| {
            let mut faults = Faults::default();
            faults.add(pointer, "flow.unreadable", format!("It cannot be read: {why}."), "Write it as the API has it.");
            faults.into_list()
        };
        // All of it first, so that everything unknown is told at once.
        let hours = renamed(self.hours.clone(), &mut id);
        let menus: Vec<_> = self.menus.iter().map(|menu| renamed(menu.clone(), &mut id)).collect();
        let hours = serde_json::from_value(hours).map_err(|why| unreadable("/hours".to_owned(), why))?;
        let menus = menus
            .into_iter()
            .enumerate()
            .map(|(n, menu)| serde_json::from_value(menu).map_err(|why| unreadable(format!("/menus/{n}"), why)));
        Ok((hours, menus.collect::<Result<_, _>>()?))
    }
}

/// `value` with each call type and each contact that is named anywhere in it called otherwise.
fn renamed(mut value: Value, name: &mut impl FnMut(Named, &str) -> String) -> Value {
    rename(&mut value, name);
    value
}

fn rename(value: &mut Value, name: &mut impl FnMut(Named, &str) -> String) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("call_type", Value::String(text)) => *text = name(Named::CallType, text),
                    ("contact", Value::String(text)) => *text = name(Named::Contact, text),
                    (_, value) => rename(value, name),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, name)),
        _ => {}
    }
}
