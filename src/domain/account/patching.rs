//! Patches as an account wants them: whom its flow has rung for a caller, one after another, and how long caller and
//! contact may talk on without an operator.
//!
//! Who is on call is resolved when the patch starts, by whoever drives the call. What always holds: a caller for whom nobody
//! presses 1 goes where the account says, to its operators unless it says otherwise.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Faults};
use super::flow::{Flow, Voicemail};
use super::said::list_flows;
use super::{Account, Contact, Speech};
use crate::base::clock::UtcMs;
use crate::base::id::{CallTypeId, ContactId};
use crate::base::phone::PhoneNumber;
use crate::base::placed;
use crate::domain::oncall::{Schedule, resolve};
use crate::domain::operator::skill::Skills;

/// The most people that one patch rings.
pub const MAX_PEOPLE: usize = 10;

/// A patch that nobody makes by hand: people are rung, are asked to press 1, and are put through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AutoPatch {
    /// Whom, in this order; each at their telephones, in theirs.
    pub whom: Vec<Whom>,
    /// Said to the caller first, in place of the usual words.
    #[serde(default, deserialize_with = "placed::speech")]
    pub speech: Option<Speech>,
    /// What becomes of a caller for whom nobody pressed 1.
    #[serde(default, deserialize_with = "placed::failed")]
    pub failed: Unreached,
}

/// Who is rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Whom {
    /// Whoever is on call for it then.
    Role {
        role: String,
    },
    Contact {
        contact: ContactId,
    },
}

/// What becomes of a caller for whom nobody could be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Unreached {
    /// Operators.
    Queue {
        /// In place of the account's.
        #[serde(default, deserialize_with = "placed::priority")]
        priority: Option<i32>,
        #[serde(default)]
        call_type: Option<CallTypeId>,
        /// Besides what the account asks for.
        #[serde(default, skip_serializing_if = "Skills::is_empty")]
        skills: Skills,
    },
    Voicemail(Voicemail),
    /// Told that nobody can take the call; an alarm asks the operators to ring back.
    Apology,
}

impl Default for Unreached {
    fn default() -> Self {
        Self::Queue { priority: None, call_type: None, skills: Skills::new() }
    }
}

impl Unreached {
    /// The way on; none: the apology.
    pub fn flow(self) -> Option<Flow> {
        match self {
            Self::Queue { priority, call_type, skills } => Some(Flow::Queue { priority, call_type, skills }),
            Self::Voicemail(voicemail) => Some(Flow::Voicemail(voicemail)),
            Self::Apology => None,
        }
    }
}

/// What an account says of patches whose operator has left. What one of before does not say is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Patching {
    /// How long caller and contact may talk on; a tone warns both a minute before. None: as long as they like.
    pub max_secs: Option<u32>,
}

/// Somebody to ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub contact: ContactId,
    pub name: String,
    /// Why it is them, for the record.
    pub why: String,
    /// Their telephones with how long each is let ring (seconds), in the order in which they are tried.
    pub numbers: Vec<(PhoneNumber, u32)>,
}

/// Who that is at `now`; nobody twice. `zone`: the account's, in which hours of destinations are.
pub fn find_people(whom: &[Whom], contacts: &[Contact], schedules: &[Schedule], zone: &str, now: UtcMs) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for whom in whom {
        let (ids, why) = match whom {
            Whom::Contact { contact } => (vec![contact.clone()], "named by the account's flow".to_owned()),
            Whom::Role { role } => {
                let schedule = schedules.iter().find(|schedule| schedule.role == *role);
                let Some(on_call) = schedule.and_then(|schedule| resolve(schedule, now)) else { continue };
                (on_call.people().cloned().collect(), format!("on call as {role}: {}", on_call.why))
            }
        };
        for id in ids {
            let Some(contact) = contacts.iter().find(|contact| contact.id == id) else { continue };
            let telephone = |d: &super::Destination| Some((d.reach.phone()?.clone(), d.ring_secs));
            // The caller is on the line: outside of all their hours they are rung at any of them.
            let open = contact.open_at(|d| d.reach.phone().is_some(), zone, now);
            let numbers: Vec<_> = open.into_iter().filter_map(telephone).collect();
            if !numbers.is_empty() && !found.iter().any(|there| there.contact == id) {
                found.push(Found { contact: id, name: contact.name.clone(), why: why.clone(), numbers });
            }
        }
    }
    found
}

/// Some of its callers are put through by machine: it needs a voice.
pub fn rings_people(account: &Account) -> bool {
    list_flows(&account.hours, &account.menus).iter().any(|(_, flow)| matches!(flow, Flow::Patch(_)))
}

/// Whether those whom the account's patches ring are there, and have a telephone.
pub fn check_people(account: &Account, contacts: &[Contact], schedules: &[Schedule]) -> Vec<Fault> {
    let mut faults = Faults::default();
    let roles: BTreeSet<&str> = schedules.iter().map(|schedule| schedule.role.as_str()).collect();
    for (at, flow) in list_flows(&account.hours, &account.menus) {
        let Flow::Patch(patch) = flow else { continue };
        for (n, whom) in patch.whom.iter().enumerate() {
            match whom {
                Whom::Role { role } if !roles.contains(role.as_str()) => {
                    let detail = format!("Nobody is ever on call as \"{role}\".");
                    let at = format!("{at}/whom/{n}/role");
                    faults.add(at, "flow.unknown_role", detail, "Name a role of the account's schedules.");
                }
                Whom::Role { .. } => {}
                Whom::Contact { contact } => {
                    let at = format!("{at}/whom/{n}/contact");
                    match contacts.iter().find(|there| there.id == *contact) {
                        None => {
                            let detail = "The account has no such contact.";
                            faults.add(at, "flow.unknown_contact", detail, "Name one of its own.");
                        }
                        Some(there) if !has_telephone(there) => {
                            let detail = "This contact has no telephone.";
                            faults.add(at, "flow.no_telephone", detail, "Add one, or name somebody else.");
                        }
                        Some(_) => {}
                    }
                }
            }
        }
    }
    faults.into_list()
}

fn has_telephone(contact: &Contact) -> bool {
    contact.destinations.iter().any(|destination| destination.reach.phone().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::DestinationId;
    use crate::domain::account::hours::Hours;
    use crate::domain::account::{Destination, Reach};
    use crate::domain::ivr::menu::Menu;
    use crate::domain::ivr::tests::{exit, gather};
    use crate::domain::message::render::tests::account;

    fn patch(whom: Vec<Whom>) -> Flow {
        Flow::Patch(AutoPatch { whom, speech: None, failed: Unreached::default() })
    }

    fn contact(name: &str, reach: Reach) -> Contact {
        let destination = Destination {
            id: DestinationId::named(name),
            label: "it".into(),
            reach,
            ring_secs: 30,
            blocked: false,
            hours: vec![],
        };
        Contact {
            id: ContactId::named(name),
            account: account().id,
            name: name.into(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: vec![destination],
        }
    }

    #[test]
    fn whom_nobody_can_ring_is_told_in_hours_and_in_menus() {
        let of = |name: &str| Whom::Contact { contact: ContactId::named(name) };
        let usual = patch(vec![Whom::Role { role: "doctor".into() }, of("ann"), of("bob"), of("gone")]);
        let nodes = vec![gather("ask", &[("1", "out")]), exit("out", patch(vec![Whom::Role { role: "x".into() }]))];
        let menu = Menu { name: "main".into(), start: "ask".into(), nodes, otherwise: Flow::default() };
        let account = Account { hours: Hours { usual, ..Hours::default() }, menus: vec![menu], ..account() };
        let phone = Reach::Phone(account.dids[0].clone());
        let contacts = [contact("ann", phone), contact("bob", Reach::Email("bob@example.com".into()))];
        let schedule = Schedule {
            id: crate::base::id::ScheduleId::named("s"),
            account: account.id.clone(),
            role: "doctor".into(),
            zone: "UTC".into(),
            layers: vec![],
            temporary: vec![],
            remind: false,
            holidays: vec![],
            overrides: vec![],
            fallback: None,
        };
        let found: Vec<_> =
            check_people(&account, &contacts, &[schedule]).into_iter().map(|f| (f.pointer, f.code)).collect();
        let wanted = [
            ("/hours/usual/whom/2/contact", "flow.no_telephone"),
            ("/hours/usual/whom/3/contact", "flow.unknown_contact"),
            ("/menus/0/nodes/1/flow/whom/0/role", "flow.unknown_role"),
        ];
        assert_eq!(found, wanted.map(|(at, code)| (at.to_owned(), code.into())));
    }

    #[test]
    fn who_is_on_call_is_rung_first_and_nobody_twice() {
        let account = account();
        let phone = Reach::Phone(account.dids[0].clone());
        let contacts =
            [contact("ann", phone.clone()), contact("bob", phone), contact("cy", Reach::Email("c@d.ef".into()))];
        let schedule = Schedule {
            id: crate::base::id::ScheduleId::named("s"),
            account: account.id,
            role: "doctor".into(),
            zone: "UTC".into(),
            layers: vec![],
            temporary: vec![],
            remind: false,
            holidays: vec![],
            overrides: vec![],
            fallback: Some(ContactId::named("ann")),
        };
        let of = |name: &str| Whom::Contact { contact: ContactId::named(name) };
        let whom =
            [of("cy"), Whom::Role { role: "doctor".into() }, of("ann"), of("bob"), Whom::Role { role: "x".into() }];
        let found = find_people(&whom, &contacts, &[schedule], "UTC", UtcMs(0));
        let names: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.numbers.len())).collect();
        assert_eq!(names, [("ann", 1), ("bob", 1)], "who has no telephone cannot be rung");
        assert!(found[0].why.starts_with("on call as doctor: "), "{}", found[0].why);
    }

    #[test]
    fn a_patch_is_read_as_it_is_written() {
        let text = r#"{"kind":"patch","whom":[{"by":"role","role":"doctor"}]}"#;
        let flow: Flow = serde_json::from_str(text).expect("a flow");
        assert_eq!(flow, patch(vec![Whom::Role { role: "doctor".into() }]));
        let Flow::Patch(read) = flow else { unreachable!("as it was compared") };
        assert_eq!(read.failed.flow(), Some(Flow::default()), "to operators, if nothing else is said");
    }
}
