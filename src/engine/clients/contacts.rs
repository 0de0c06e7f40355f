//! The contacts of accounts. What a protocol in force or a schedule counts on is not taken away: the refusal says where.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DestinationId};
use crate::domain::account::edit_contact::ContactEdit;
use crate::domain::account::fault::{Fault, Faults, Text};
use crate::domain::account::namesake::{find_namesake, known_by};
use crate::domain::account::patching::check_people;
use crate::domain::account::{Account, Contact};
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::dispatch::validate::{ProtocolFault, validate};
use crate::domain::oncall::Schedule;
use crate::io::store::audit::{Act, Entry};
use crate::io::store::{StoreError, Tx};

use super::{Changed, Clients, Refusal, astray, lock};

const MAX_SPOKEN: usize = 80;

impl Clients {
    /// Adds a contact to an account.
    pub async fn add_contact(&self, account: &AccountId, edit: &ContactEdit) -> Result<Changed<Contact>, Refusal> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let account = match lock(&mut tx, account, edit.edition).await {
            // Whoever has lost the answer sends it once more: they are there, and need not be there twice.
            Err(Refusal::Stale { now }) if !edit.namesake => {
                let people = tx.list_contacts(account).await?;
                let there = people.into_iter().find(|there| edit.is_written(there));
                return there.map(|there| Changed { now: there, edition: now }).ok_or(Refusal::Stale { now });
            }
            locked => locked?,
        };
        let blank = Contact {
            id: ContactId::fresh(now),
            account: account.id.clone(),
            name: String::new(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: Vec::new(),
        };
        let contact = edit.apply(&blank, || DestinationId::fresh(now)).and_then(|contact| self.check_reach(contact));
        let contact = contact.map_err(Refusal::Faulty)?;
        refuse_namesake(&mut tx, edit, &blank, &contact).await?;
        self.keep_contact(tx, account, contact).await
    }

    /// Changes a contact whose account was read as of `edition`.
    pub async fn change_contact(
        &self,
        id: &ContactId,
        edition: u32,
        edit: &ContactEdit,
    ) -> Result<Changed<Contact>, Refusal> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let before = tx.find_contact(id).await?.ok_or(Refusal::Missing { what: "contact" })?;
        let account = match lock(&mut tx, &before.account, Some(edition)).await {
            // RFC 9110 §13.1.1: what has been written already is done, be the edition another by that very change.
            Err(Refusal::Stale { now }) => {
                let there = tx.find_contact(id).await?.filter(|there| edit.is_written(there));
                return there.map(|there| Changed { now: there, edition: now }).ok_or(Refusal::Stale { now });
            }
            locked => locked?,
        };
        let contact = edit.apply(&before, || DestinationId::fresh(now)).and_then(|contact| self.check_reach(contact));
        let contact = contact.map_err(Refusal::Faulty)?;
        refuse_namesake(&mut tx, edit, &before, &contact).await?;
        let lost = find_uses(&mut tx, &account, &before, Some(&contact), now).await?;
        if !lost.is_empty() {
            return Err(Refusal::Clash(lost));
        }
        self.keep_contact(tx, account, contact).await
    }

    async fn keep_contact(&self, mut tx: Tx, account: Account, contact: Contact) -> Result<Changed<Contact>, Refusal> {
        tx.upsert_contact(&contact).await?;
        tx.touch_account(&account.id, self.clock.utc()).await?;
        let Changed { edition, .. } = self.finish(tx, account).await?;
        Ok(Changed { now: contact, edition })
    }

    /// Says how a person's name is said in calls, for the voice engine; none: as it is written.
    pub async fn set_spoken_as(&self, contact: &Contact, words: Option<&str>) -> Result<(), Refusal> {
        let words = read_spoken(words.unwrap_or_default()).map_err(Refusal::Faulty)?;
        let words = Some(words).filter(|words| !words.is_empty());
        let mut tx = self.store.write().await?;
        tx.set_spoken_as(&contact.id, words.as_deref()).await?;
        let (now, account) = (self.clock.utc(), contact.account.to_string());
        tx.audit(Entry::new(now, self.by.clone(), Act::AccountChanged, account));
        tx.commit("spoken_as").await?;
        Ok(())
    }

    /// Removes a contact that nothing counts on.
    pub async fn remove_contact(&self, id: &ContactId, edition: Option<u32>) -> Result<Changed<AccountId>, Refusal> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let contact = tx.find_contact(id).await?.ok_or(Refusal::Missing { what: "contact" })?;
        let account = lock(&mut tx, &contact.account, edition).await?;
        let uses = find_uses(&mut tx, &account, &contact, None, now).await?;
        if !uses.is_empty() {
            return Err(Refusal::Clash(uses));
        }
        tx.delete_contact(id, now).await?;
        tx.touch_account(&account.id, now).await?;
        let Changed { now: account, edition } = self.finish(tx, account).await?;
        Ok(Changed { now: account.id, edition })
    }
}

/// How a name is said, as somebody writes it; empty: as the name is.
pub fn read_spoken(words: &str) -> Result<String, Vec<Fault>> {
    let mut faults = Faults::default();
    let line = Text::line("/spoken_as", "contact.spoken_as", "How the name is said", MAX_SPOKEN).optional();
    let words = faults.text(words, &line);
    faults.unless(words)
}

/// Asks whether somebody is meant who is there already, unless that was said.
async fn refuse_namesake(tx: &mut Tx, edit: &ContactEdit, before: &Contact, contact: &Contact) -> Result<(), Refusal> {
    if edit.namesake {
        return Ok(());
    }
    let people = tx.list_contacts(&contact.account).await?;
    let Some(other) = find_namesake(contact, before, &people) else { return Ok(()) };
    let mut faults = Faults::default();
    let detail = format!("There is already somebody called {}.", known_by(other));
    let cure = "Change that one, or say that this is somebody else.";
    faults.add("/name", "contact.namesake", detail, cure);
    Err(Refusal::Clash(faults.into_list()))
}

/// Where something counts on what `before` would lose by becoming `after`, or by going.
pub(super) async fn find_uses(
    tx: &mut Tx,
    account: &Account,
    before: &Contact,
    after: Option<&Contact>,
    now: UtcMs,
) -> Result<Vec<Fault>, StoreError> {
    let contacts = tx.list_contacts(&account.id).await?;
    let schedules = tx.list_schedules(&account.id).await?;
    let mut then: Vec<Contact> = contacts.iter().filter(|c| c.id != before.id).cloned().collect();
    then.extend(after.cloned());
    let mut faults = Faults::default();
    if after.is_none() {
        for schedule in schedules.iter().filter(|schedule| names(schedule, before, now)) {
            let detail = format!("{} is in the schedule of the {}.", before.name, schedule.role);
            faults.add("", "contact.in_use", detail, "Take them out of the schedule first.");
        }
    }
    let rung_by_nobody = check_people(account, &contacts, &schedules);
    for fault in check_people(account, &then, &schedules).into_iter().filter(|fault| !rung_by_nobody.contains(fault)) {
        let way = astray::place(account, &fault.pointer);
        let detail = format!("{way} puts callers through to {}. {}", before.name, fault.detail);
        faults.add("", "contact.in_use", detail, "Change hours and menus first.");
    }
    for (protocol, state) in in_use(tx, account).await? {
        let wrong_already = validate(&protocol, &contacts, &schedules);
        for fault in validate(&protocol, &then, &schedules).into_iter().filter(|fault| !wrong_already.contains(fault)) {
            let cure = "Put another version of the protocol in force first.";
            faults.add("", "contact.in_use", place(&protocol, state, before, &fault), cure);
        }
    }
    if let Some(set) = tx.find_recap_plan(&account.id).await? {
        let wrong_already = set.plan.check(&contacts);
        for fault in set.plan.check(&then).into_iter().filter(|fault| !wrong_already.contains(fault)) {
            let detail = format!("The recap goes to {}. {}", before.name, fault.detail);
            faults.add("", "contact.in_use", detail, "Let it go to somebody else first.");
        }
    }
    Ok(faults.unless(()).err().unwrap_or_default())
}

/// In sentences: where it is used, and what would be missing there.
fn place(protocol: &Protocol, state: &str, contact: &Contact, fault: &ProtocolFault) -> String {
    let what =
        if fault.code == "unknown_contact" { format!("It reaches {}.", contact.name) } else { fault.message.clone() };
    match fault.step {
        Some(step) => format!("The protocol {} ({state}), step {step}: {what}", protocol.name),
        None => format!("The protocol {} ({state}): {what}", protocol.name),
    }
}

/// Whoever is in it, but for overrides that are over.
fn names(schedule: &Schedule, contact: &Contact, now: UtcMs) -> bool {
    schedule.people_since(now).contains(&&contact.id)
}

/// The protocols that run, or will run next.
pub(super) async fn in_use(tx: &mut Tx, account: &Account) -> Result<Vec<(Protocol, &'static str)>, StoreError> {
    let in_force = |p: &Protocol| account.call_types.iter().any(|t| t.protocol.as_ref() == Some(&p.id));
    let all = tx.list_protocols(&account.id).await?;
    let mut used: Vec<_> = all.into_iter().filter(in_force).map(|p| (p, "in force")).collect();
    for running in tx.list_running_protocols(&account.id).await? {
        if !used.iter().any(|(p, _)| p.id == running.id) {
            used.push((running, "of an open dispatch"));
        }
    }
    Ok(used)
}
