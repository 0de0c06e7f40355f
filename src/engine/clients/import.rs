//! A document made an account: a new one, or the one of its name as the document says. All of it in one transaction.
//!
//! Contacts are known by name (of several with one name by their order), schedules by role, protocols and call types by name.
//! What the document does not have stays, but for call types, which are written whole. What saving part by part would
//! refuse is refused here: hours and menus, whom and where they send callers, what cannot be said. A protocol that says the same as its newest version makes no new one, so that
//! a document read twice changes nothing the second time.

use std::collections::HashMap;

use crate::base::id::{AccountId, CallTypeId, ContactId, DestinationId, ProtocolId, ScheduleId};
use crate::domain::account::edit_call_types::{CallTypeEdit, CallTypesEdit};
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::patching::check_people;
use crate::domain::account::said::list_speeches;
use crate::domain::account::{Account, CallType, Contact};
use crate::domain::dispatch::condition::Conditions;
use crate::domain::dispatch::protocol::{Protocol, Step, Target};
use crate::domain::dispatch::validate::validate;
use crate::domain::oncall::Schedule;
use crate::domain::recap::plan::{Plan, Recipient};
use crate::io::store::Tx;
use crate::io::store::recaps::PlanSet;
use crate::io::store::schedule_history::Noted;

use super::astray::{led_astray, protocols_led_astray};
use super::document::{CallTypeText, ConditionsText, Document, ProtocolText, RecapText, StepText, TargetText};
use super::flow::check_flow;
use super::flow_text::FlowText;
use super::people::{Nobody, People};
use super::protocols::check_conditions;
use super::recap::held_for_nothing;
use super::schedule_text::read_schedule;
use super::{Clients, ProtocolEdit, Refusal, find_clashes, lock};

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub account: Account,
    /// There was none of its name before.
    pub new: bool,
}

/// Everything as it would be.
struct Outcome {
    account: Account,
    contacts: Vec<Contact>,
    schedules: Vec<Schedule>,
    protocols: Vec<Protocol>,
    /// When and to whom its recap goes, if the document changes that.
    recap: Option<Plan>,
}

impl Clients {
    /// Makes an account of a document, or changes the one of its name.
    pub async fn import(&self, document: &Document) -> Result<Imported, Refusal> {
        // The voice first, as nothing but the store is waited for in a transaction.
        let mut faults = self.check_words(document).await;
        let mut tx = self.store.write().await?;
        let known = tx.find_account_by_name(document.account.name.trim()).await?.map(|account| account.id);
        let new = known.is_none();
        let before = match known {
            Some(id) => lock(&mut tx, &id, None).await?,
            None => Account::blank(AccountId::fresh(self.clock.utc())),
        };
        let clashes = within(find_clashes(&mut tx, &before.id, &document.account).await?, "/account");
        let outcome = self.read(&mut tx, document, before, &mut faults).await?;
        let Some(outcome) = outcome.filter(|_| faults.is_empty()) else {
            faults.extend(clashes);
            return Err(Refusal::Faulty(faults));
        };
        if !clashes.is_empty() {
            return Err(Refusal::Clash(clashes));
        }
        let account = self.write(&mut tx, outcome).await?;
        let changed = self.finish(tx, account).await?;
        Ok(Imported { account: changed.now, new })
    }

    /// What the document has said to callers and cannot be said.
    async fn check_words(&self, document: &Document) -> Vec<Fault> {
        let unsaved = Account::blank(AccountId::named("unsaved"));
        let mut faults = match document.account.apply(unsaved.clone()) {
            Ok(account) => within(self.check_speeches(&account.id, account.speeches()).await, "/account"),
            Err(_) => Vec::new(),
        };
        if let Some((hours, menus)) = document.flow.as_ref().and_then(FlowText::read_words) {
            let unsaid = self.check_speeches(&unsaved.id, list_speeches(&hours, &menus)).await;
            faults.extend(within(unsaid, "/flow"));
        }
        faults
    }

    /// What the document says, given what there is. `None` if a fault leaves nothing to go on with.
    async fn read(
        &self,
        tx: &mut Tx,
        document: &Document,
        before: Account,
        faults: &mut Vec<Fault>,
    ) -> Result<Option<Outcome>, Refusal> {
        let now = self.clock.utc();
        let known = before.call_types.clone();
        let (id, was) = (before.id.clone(), before.clone());
        let account = keep(faults, "/account", document.account.apply(before));
        let mut contacts = tx.list_contacts(&id).await?;
        let there = contacts.clone();
        let mut named = HashMap::<String, usize>::new();
        for (at, written) in document.contacts.iter().enumerate() {
            let name = written.name.trim().to_lowercase();
            let nth = named.entry(name.clone()).or_default();
            let same = there.iter().enumerate().filter(|(_, c)| c.name.to_lowercase() == name);
            let place = same.map(|(place, _)| place).nth(*nth);
            *nth += 1;
            let blank = Contact {
                id: ContactId::fresh(now),
                account: id.clone(),
                name: String::new(),
                title: String::new(),
                language: None,
                zone: None,
                destinations: Vec::new(),
            };
            let before = place.map_or(blank, |place| contacts[place].clone());
            let mut edit = written.clone();
            for destination in &mut edit.destinations {
                // Known by label: an identifier of another database says nothing here.
                destination.id = before.find_destination(destination.label.trim()).map(|d| d.id.clone());
            }
            let read = edit.apply(&before, || DestinationId::fresh(now)).and_then(|contact| self.check_reach(contact));
            let Some(contact) = keep(faults, &format!("/contacts/{at}"), read) else { continue };
            match place {
                Some(place) => contacts[place] = contact,
                None => contacts.push(contact),
            }
        }
        let Some(account) = account else { return Ok(None) };
        let mut schedules = tx.list_schedules(&id).await?;
        let on_call = schedules.clone();
        let mut roles: Vec<&str> = Vec::new();
        for (at, written) in document.schedules.iter().enumerate() {
            let role = written.role.trim();
            if roles.contains(&role) {
                let mut twice = Faults::default();
                let detail = format!("There are two schedules for the role {role}.");
                twice.add("/role", "schedule.role_twice", detail, "Make one of the two.");
                keep(faults, &format!("/schedules/{at}"), twice.unless(()));
                continue;
            }
            roles.push(role);
            let place = schedules.iter().position(|s| s.role == role);
            let schedule_id = place.map_or_else(|| ScheduleId::fresh(now), |place| schedules[place].id.clone());
            let read = read_schedule(written, &account, schedule_id, &contacts);
            let Some(schedule) = keep(faults, &format!("/schedules/{at}"), read) else { continue };
            match place {
                Some(place) => schedules[place] = schedule,
                None => schedules.push(schedule),
            }
        }
        // Protocols name call types in their conditions, and call types their protocols: so each has its identifier first.
        let type_ids: Vec<(String, CallTypeId)> = document
            .call_types
            .iter()
            .map(|written| {
                let name = written.name.trim().to_lowercase();
                let there = known.iter().find(|t| t.name.to_lowercase() == name).map(|t| t.id.clone());
                (name, there.unwrap_or_else(|| CallTypeId::fresh(now)))
            })
            .collect();
        let versions = tx.list_protocols(&id).await?;
        let mut protocols: Vec<Protocol> = Vec::new();
        for (at, written) in document.protocols.iter().enumerate() {
            let read = read_protocol(written, &account, &type_ids, &contacts, &schedules);
            let Some(mut protocol) = keep(faults, &format!("/protocols/{at}"), read) else { continue };
            if protocols.iter().any(|p| p.name == protocol.name) {
                let detail = format!("There are two protocols called {}.", protocol.name);
                let mut twice = Faults::default();
                twice.add("/name", "protocol.name_twice", detail, "Give each a name of its own.");
                keep(faults, &format!("/protocols/{at}"), twice.unless(()));
                continue;
            }
            // The newest comes first.
            let last = versions.iter().find(|p| p.name == protocol.name);
            protocol.id = ProtocolId::fresh(now);
            protocol.version = last.map_or(1, |last| last.version.saturating_add(1));
            match last.filter(|last| says_the_same(last, &protocol)) {
                Some(last) => protocols.push(last.clone()),
                None => protocols.push(protocol),
            }
        }
        for old in &versions {
            if !protocols.iter().any(|p| p.name == old.name) {
                protocols.push(old.clone());
            }
        }
        let is_new = |id: &CallTypeId| !known.iter().any(|t| t.id == *id);
        let mut new = type_ids.iter().map(|(_, id)| id).filter(|id| is_new(id)).cloned();
        let fresh = || new.next().unwrap_or_else(|| CallTypeId::fresh(now));
        let read = read_call_types(&document.call_types, &account, &known, &protocols, fresh);
        let Some(call_types) = keep(faults, "", read) else { return Ok(None) };
        let mut account = Account { call_types, ..account };
        if let Some(flow) = &document.flow {
            let read = flow.read(&account.call_types, &contacts);
            let Some((hours, menus)) = keep(faults, "/flow", read) else { return Ok(None) };
            (account.hours, account.menus) = (hours, menus);
            faults.extend(within(check_flow(tx, &account, &contacts, &schedules).await?, "/flow"));
        } else {
            faults.extend(led_astray(&was, &account));
            let old = check_people(&was, &there, &on_call);
            for fault in check_people(&account, &contacts, &schedules).into_iter().filter(|f| !old.contains(f)) {
                faults.push(Fault { pointer: String::new(), ..fault });
            }
        }
        let set = tx.find_recap_plan(&id).await?.map(|set| set.plan);
        let recap = document.recap.as_ref().map(|written| read_recap(written, &contacts));
        let recap = recap.and_then(|read| keep(faults, "/recap", read)).filter(|plan| set.as_ref() != Some(plan));
        if let (None, Some(plan)) = (&document.recap, &set) {
            let old = plan.check(&there);
            let new = plan.check(&contacts).into_iter().filter(|fault| !old.contains(fault)).collect();
            faults.extend(within(new, "/recap"));
        }
        let none = recap.is_none() && set.is_none();
        let in_force = |p: &&Protocol| account.call_types.iter().any(|t| t.protocol.as_ref() == Some(&p.id));
        for (at, written) in document.protocols.iter().enumerate() {
            let Some(protocol) = protocols.iter().find(|p| p.name == written.name.trim()) else { continue };
            faults.extend(within(check_conditions(protocol, &account).into_list(), &format!("/protocols/{at}")));
        }
        let written = |p: &&Protocol| document.protocols.iter().any(|written| written.name.trim() == p.name);
        let others: Vec<Protocol> = protocols.iter().filter(|p| !written(p)).cloned().collect();
        faults.extend(protocols_led_astray(&was, &account, &others));
        if faults.is_empty() {
            for protocol in protocols.iter().filter(in_force) {
                let mut found = Faults::default();
                for fault in validate(protocol, &contacts, &schedules) {
                    let detail = format!("The protocol {}, which is in force: {}", protocol.name, fault.message);
                    found.add("", format!("protocol.{}", fault.code), detail, "Write a next version of it as well.");
                }
                for fault in held_for_nothing(protocol).into_iter().filter(|_| none) {
                    let detail = format!("The protocol {}, which is in force: {}", protocol.name, fault.detail);
                    found.add("", fault.code, detail, fault.cure);
                }
                faults.extend(found.into_list());
            }
        }
        Ok(Some(Outcome { account, contacts, schedules, protocols, recap }))
    }

    async fn write(&self, tx: &mut Tx, outcome: Outcome) -> Result<Account, Refusal> {
        let now = self.clock.utc();
        let Outcome { account, contacts, schedules, protocols, recap } = outcome;
        // First: everything else belongs to it. Its protocols may follow until commit.
        tx.upsert_account(&account, now).await?;
        for contact in &contacts {
            tx.upsert_contact(contact).await?;
        }
        let there = tx.list_schedules(&account.id).await?;
        for schedule in &schedules {
            tx.upsert_schedule(schedule).await?;
            let before = there.iter().find(|old| old.id == schedule.id);
            let (after, by) = (Some(schedule), "a file that was read in");
            let noted = Noted { before, after, by, who: &self.by, at: now, undoes: None };
            tx.note_schedule_change(&noted, &contacts).await?;
        }
        for protocol in &protocols {
            if tx.find_protocol(&protocol.id).await?.is_none() {
                tx.insert_made_protocol(protocol, &self.origin(None), now).await?;
            }
        }
        if let Some(plan) = recap {
            tx.set_recap_plan(&PlanSet { account: account.id.clone(), plan, set_at: now, since: now }).await?;
        }
        Ok(account)
    }
}

/// `faults` of a part, as faults of the whole.
fn within(faults: Vec<Fault>, part: &str) -> Vec<Fault> {
    faults.into_iter().map(|fault| Fault { pointer: format!("{part}{}", fault.pointer), ..fault }).collect()
}

/// What was read, or `None` and its faults with the others.
fn keep<T>(faults: &mut Vec<Fault>, part: &str, read: Result<T, Vec<Fault>>) -> Option<T> {
    read.map_err(|wrong| faults.extend(within(wrong, part))).ok()
}

/// Somebody by name, or by identifier.
pub(super) fn find_person(
    faults: &mut Faults,
    pointer: String,
    written: &str,
    contacts: &[Contact],
) -> Option<ContactId> {
    match People(contacts).find(written) {
        Ok(contact) => Some(contact),
        Err(Nobody::Ambiguous) => {
            let detail = format!("There are several contacts called {}.", written.trim());
            faults.add(pointer, "contact.ambiguous", detail, "Write which: the first is Name #1.");
            None
        }
        Err(Nobody::Unknown) => {
            let detail = format!("There is no contact called {}.", written.trim());
            faults.add(pointer, "contact.unknown", detail, "Add it to the contacts, or correct the name.");
            None
        }
    }
}

fn read_recap(written: &RecapText, contacts: &[Contact]) -> Result<Plan, Vec<Fault>> {
    let mut faults = Faults::default();
    let mut plan = Plan { times: written.times.clone(), to: Vec::new(), empty: written.empty, files: written.files };
    for (at, one) in written.to.iter().enumerate() {
        let Some(contact) = find_person(&mut faults, format!("/to/{at}/contact"), &one.contact, contacts) else {
            continue;
        };
        plan.to.push(Recipient { contact, destination: one.destination.clone() });
    }
    // Who is not known is told of once.
    faults.unless(())?;
    let wrong = plan.check(contacts);
    if wrong.is_empty() { Ok(plan) } else { Err(wrong) }
}

fn read_protocol(
    written: &ProtocolText,
    account: &Account,
    type_ids: &[(String, CallTypeId)],
    contacts: &[Contact],
    schedules: &[Schedule],
) -> Result<Protocol, Vec<Fault>> {
    let mut faults = Faults::default();
    let mut steps = Vec::new();
    for (at, step) in written.steps.iter().enumerate() {
        let mut to = Vec::new();
        for (nth, target) in step.to.iter().enumerate() {
            match target {
                TargetText::OnCall { role, destination } => {
                    to.push(Target::OnCall { role: role.clone(), destination: destination.clone() });
                }
                TargetText::Contact { contact, destination } => {
                    let pointer = format!("/steps/{at}/to/{nth}/contact");
                    if let Some(contact) = find_person(&mut faults, pointer, contact, contacts) {
                        to.push(Target::Contact { contact, destination: destination.clone() });
                    }
                }
            }
        }
        let only = step.only.as_ref();
        let only = only.map(|only| read_conditions(&mut faults, at, only, type_ids)).unwrap_or_default();
        let &StepText { method, wait_secs, tries, done, informs, .. } = step;
        steps.push(Step { method, to, wait_secs, tries, done, informs, only });
    }
    // Who is not known is told of once.
    faults.unless(())?;
    let edit = ProtocolEdit {
        edition: None,
        name: written.name.clone(),
        steps,
        repeat: written.repeat,
        until: written.until,
        call_types: Vec::new(),
    };
    let (protocol, faults) = edit.check(&account.id, contacts, schedules);
    faults.unless(protocol)
}

fn read_conditions(
    faults: &mut Faults,
    step: usize,
    written: &ConditionsText,
    type_ids: &[(String, CallTypeId)],
) -> Conditions {
    let ConditionsText { call_types, hours, windows, answers } = written.clone();
    let mut ids = Vec::new();
    for (nth, name) in call_types.iter().enumerate() {
        match type_ids.iter().find(|(there, _)| *there == name.trim().to_lowercase()) {
            Some((_, id)) => ids.push(id.clone()),
            None => {
                let pointer = format!("/steps/{step}/only/call_types/{nth}");
                let detail = format!("The document has no call type called {}.", name.trim());
                faults.add(pointer, "protocol.unknown_call_type", detail, "Add it, or correct the name.");
            }
        }
    }
    Conditions { call_types: ids, answers, hours, windows }
}

fn says_the_same(one: &Protocol, other: &Protocol) -> bool {
    one.steps == other.steps && one.repeat == other.repeat && one.until == other.until
}

fn read_call_types(
    written: &[CallTypeText],
    account: &Account,
    known: &[CallType],
    protocols: &[Protocol],
    fresh: impl FnMut() -> CallTypeId,
) -> Result<Vec<CallType>, Vec<Fault>> {
    let mut unknown = Faults::default();
    let mut call_types = Vec::new();
    for (at, call_type) in written.iter().enumerate() {
        let protocol = call_type.protocol.as_ref().map(|name| name.trim());
        let found = protocol.and_then(|name| protocols.iter().find(|p| p.name == name));
        if let (Some(name), None) = (protocol, found) {
            let detail = format!("{} has no protocol called {name} that can be used.", account.name);
            let cure = "Add it to the protocols, or correct the name.";
            unknown.add(format!("/call_types/{at}/protocol"), "call_type.protocol", detail, cure);
        }
        let same = |t: &&CallType| t.name.to_lowercase() == call_type.name.trim().to_lowercase();
        call_types.push(CallTypeEdit {
            id: known.iter().find(same).map(|t| t.id.clone()),
            name: call_type.name.clone(),
            urgency: call_type.urgency,
            triggers: call_type.triggers.clone(),
            watched: call_type.watched.clone(),
            form: call_type.form.clone(),
            protocol: found.map(|p| p.id.clone()),
            protected: call_type.protected,
            priority: call_type.priority,
        });
    }
    let read = CallTypesEdit { edition: None, call_types }.apply(known, protocols, fresh);
    let mut faults = unknown.unless(()).err().unwrap_or_default();
    match read {
        Ok(call_types) if faults.is_empty() => Ok(call_types),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}
