//! Ways to reach people of which nobody has seen that they do: what is to be tried before an account goes live. Pure; asked by
//! `engine/clients`.
//!
//! What always holds: only a way that a code can be sent by is named, a telephone or an email address.

use serde::Serialize;

use super::going_live::Whole;
use crate::base::clock::UtcMs;
use crate::base::id::DestinationId;
use crate::domain::account::{Destination, Reach, Urgency};
use crate::domain::dispatch::protocol::Target;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Untried {
    /// Whose it is.
    pub name: String,
    /// What it is called among theirs: "mobile".
    pub destination: String,
    /// Urgent messages go there.
    pub urgent: bool,
}

/// All of them, in the order of the contacts. `tried`: those that were shown to reach their people.
pub fn untried(whole: &Whole<'_>, now: UtcMs, tried: &[DestinationId]) -> Vec<Untried> {
    let urgent = urgent_ways(*whole, now);
    let mut found = Vec::new();
    for contact in whole.contacts {
        for way in contact.destinations.iter().filter(|way| takes_a_code(way) && !tried.contains(&way.id)) {
            found.push(Untried {
                name: contact.name.clone(),
                destination: way.label.clone(),
                urgent: urgent.contains(&way.id),
            });
        }
    }
    found
}

fn takes_a_code(way: &Destination) -> bool {
    matches!(way.reach, Reach::Phone(_) | Reach::Email(_))
}

/// Where the protocols of urgent calls reach whom they name, or whoever may be on call from now on.
fn urgent_ways(whole: Whole<'_>, now: UtcMs) -> Vec<DestinationId> {
    let mut ways = Vec::new();
    for call_type in whole.account.call_types.iter().filter(|call_type| call_type.urgency == Urgency::Urgent) {
        let Some(id) = &call_type.protocol else { continue };
        let Some(protocol) = whole.protocols.iter().find(|protocol| protocol.id == *id) else { continue };
        for target in protocol.steps.iter().flat_map(|step| &step.to) {
            let (people, label) = match target {
                Target::Contact { contact, destination } => (vec![contact], destination),
                Target::OnCall { role, destination } => {
                    let schedule = whole.schedules.iter().find(|schedule| schedule.role == *role);
                    (schedule.map(|schedule| schedule.people_since(now)).unwrap_or_default(), destination)
                }
            };
            for contact in whole.contacts.iter().filter(|contact| people.contains(&&contact.id)) {
                ways.extend(contact.find_destination(label).map(|way| way.id.clone()));
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{CallTypeId, ContactId, ProtocolId};
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::{CallType, Contact};
    use crate::domain::dispatch::protocol::{Method, Protocol, Step, Until};
    use crate::domain::message::form::Form;
    use crate::domain::message::render::tests::account;

    #[test]
    fn what_was_never_tried_is_named_and_what_urgent_messages_go_by_among_it() {
        let mut account = account();
        let call_type = |name: &str, urgency| CallType {
            id: CallTypeId::named(name),
            name: name.into(),
            urgency,
            triggers: String::new(),
            watched: vec![],
            form: Form { version: 1, fields: vec![] },
            protocol: Some(ProtocolId::named(name)),
            protected: false,
            priority: None,
        };
        account.call_types = vec![call_type("urgent", Urgency::Urgent), call_type("routine", Urgency::Routine)];
        let way = |label: &str, reach| Destination {
            id: DestinationId::named(label),
            label: label.into(),
            reach,
            ring_secs: 30,
            blocked: false,
            hours: vec![],
        };
        let number = PhoneNumber::parse("+12025550110").expect("a number");
        let ben = Contact {
            id: ContactId::named("ben"),
            account: account.id.clone(),
            name: "Ben".into(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: vec![
                way("mobile", Reach::Phone(number)),
                way("email", Reach::Email("ben@example.com".into())),
                way("inbox", Reach::Inbox(String::new())),
            ],
        };
        let protocol = |name: &str, method, destination: &str| Protocol {
            id: ProtocolId::named(name),
            account: account.id.clone(),
            name: name.into(),
            version: 1,
            steps: vec![Step::new(
                method,
                vec![Target::Contact { contact: ben.id.clone(), destination: destination.into() }],
                60,
            )],
            repeat: None,
            until: Until::Confirmed,
        };
        let protocols =
            [protocol("urgent", Method::TextConfirm, "mobile"), protocol("routine", Method::Email, "email")];
        let contacts = std::slice::from_ref(&ben);
        let whole = Whole { account: &account, contacts, schedules: &[], protocols: &protocols, recap: None };
        let named = |tried: &[DestinationId]| -> Vec<(String, bool)> {
            untried(&whole, UtcMs(0), tried).into_iter().map(|way| (way.destination, way.urgent)).collect()
        };
        assert_eq!(named(&[]), [("mobile".to_owned(), true), ("email".to_owned(), false)]);
        assert_eq!(named(&[DestinationId::named("mobile")]), [("email".to_owned(), false)]);
    }
}
