//! The warning, while a protocol is written, of people to whom it would send in writing what they can open nowhere: a notice of a protected
//! message leads whoever has no inbox, or no PIN, to the telephone, and their yes by text counts for nothing until they have heard it.
//!
//! Keeps nothing from being saved. Pure: who has a PIN is looked up outside.

use std::collections::BTreeSet;

use super::protocol::{Method, Protocol, Step, Target};
use super::validate::ProtocolFault;
use crate::base::clock::UtcMs;
use crate::base::id::{CallTypeId, ContactId};
use crate::domain::account::{Account, Contact, Reach};
use crate::domain::oncall::Schedule;

/// Whom the protocol may reach.
#[derive(Clone, Copy, Debug)]
pub struct People<'a> {
    pub contacts: &'a [Contact],
    pub schedules: &'a [Schedule],
    /// Who has a PIN of their own.
    pub own_pins: &'a BTreeSet<ContactId>,
}

/// A warning for each step of a protocol for these call types that writes of protected messages to somebody who can open them nowhere.
pub fn warn(
    protocol: &Protocol,
    account: &Account,
    call_types: &[CallTypeId],
    people: People<'_>,
) -> Vec<ProtocolFault> {
    let protected: Vec<&CallTypeId> =
        account.call_types.iter().filter(|t| t.protected && call_types.contains(&t.id)).map(|t| &t.id).collect();
    let is_made = |step: &Step| {
        let only = &step.only.call_types;
        protected.iter().any(|id| only.is_empty() || only.contains(id))
    };
    let mut warnings = Vec::new();
    for (n, step) in (1..).zip(&protocol.steps).filter(|(_, step)| is_made(step)) {
        let Some(then) = comes_of_it(step.method) else { continue };
        let names: BTreeSet<&str> = step.to.iter().flat_map(|target| people.find_unable(target)).collect();
        if names.is_empty() {
            continue;
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!(
            "A protected message is opened in an inbox, with a PIN. Without the one or the other: {names}. {then}"
        );
        warnings.push(ProtocolFault { step: Some(n), code: "opens_nowhere", message });
    }
    warnings
}

/// What comes of a step of this kind for whoever can open nothing; none if it is not opened anyway.
const fn comes_of_it(method: Method) -> Option<&'static str> {
    match method {
        Method::TextConfirm => {
            Some("They are told to call, and their reply confirms nothing until they have heard the message.")
        }
        Method::Text | Method::Email | Method::EmailConfirm => Some("They are told to call to hear it."),
        Method::SecureMessage { .. } => Some("Nothing reaches them by this step."),
        _ => None,
    }
}

impl<'a> People<'a> {
    fn find_unable(self, target: &Target) -> Vec<&'a str> {
        let meant: Vec<&ContactId> = match target {
            Target::Contact { contact, .. } => vec![contact],
            // Whoever may be on call, not only who is today.
            Target::OnCall { role, .. } => {
                let schedule = self.schedules.iter().find(|schedule| schedule.role == *role);
                schedule.map(|schedule| schedule.people_since(UtcMs(i64::MIN))).unwrap_or_default()
            }
        };
        let found = self.contacts.iter().filter(|contact| meant.contains(&&contact.id));
        found.filter(|contact| !self.opens(contact)).map(|contact| contact.name.as_str()).collect()
    }

    fn opens(self, contact: &Contact) -> bool {
        let has_inbox = contact.destinations.iter().any(|d| matches!(d.reach, Reach::Inbox(_)));
        has_inbox && self.own_pins.contains(&contact.id)
    }
}
