//! Protocols as clients would have them. A proposal is checked as if it were to be saved, is kept with a plain-English reading of before
//! and after, and waits for the service: approved, it is published as the next version under the client's name and the approver's.
//!
//! What always holds: a proposal is decided once; what is published is what was read, or nothing: an approval names the version of
//! what it read; while it waits it reads by what is in force now, not by what was when it was proposed; what came to be wrong with
//! it meanwhile is told to whoever would approve it, and it waits on.

use super::protocols::{check_in_force, put_in_force};
use super::{Changed, Checked, Clients, ProtocolEdit, Refusal, lock};
use crate::base::id::{AccountId, ProtocolChangeId, UserId};
use crate::domain::account::fault::{Faults, Text};
use crate::domain::account::{Account, Contact};
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::difference::differences;
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::oncall::Schedule;
use crate::domain::portal::going_live::version_of;
use crate::io::store::audit::{Act, Entry};
use crate::io::store::protocol_changes::{ChangeState, ChangeWords, Decision, ProtocolChange};
use crate::io::store::protocols::Origin;
use crate::io::store::{StoreError, Tx};

const MAX_NOTE: usize = 1_000;

/// What a proposal would change, and all that is wrong with it.
#[derive(Clone, Debug)]
pub struct CheckedChange {
    pub before: Vec<String>,
    pub after: Checked,
    pub changes: Vec<String>,
}

/// How a proposal reads.
#[derive(Clone, Debug)]
pub struct ReadChange {
    pub words: ChangeWords,
    /// Of what it would change now: an approval names it. None once it is decided.
    pub version: Option<String>,
}

/// What the service decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Refuse,
    /// By the client who proposed it.
    Withdraw,
}

impl Clients {
    /// What a proposal would change, in plain English, and what is wrong with it. Keeps nothing.
    pub async fn check_change(&self, account: &AccountId, edit: &ProtocolEdit) -> Result<CheckedChange, Refusal> {
        let after = self.check_protocol(account, edit).await?;
        let account = self.store.find_account(account).await?.ok_or(Refusal::Missing { what: "account" })?;
        let mut tx = self.store.write().await?;
        let reading = read(&mut tx, &account, edit).await?;
        tx.rollback().await?;
        Ok(CheckedChange { before: reading.before, after, changes: reading.changes })
    }

    /// Puts a proposal into the service's queue. Refused with all that would keep it from being put in force.
    pub async fn propose(
        &self,
        account: &AccountId,
        edit: &ProtocolEdit,
        note: &str,
        by: &UserId,
    ) -> Result<ProtocolChange, Refusal> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, account, edit.edition).await?;
        let (_, mut faults) = check_in_force(self, &mut tx, &account, edit).await?;
        let line = Text::line("/note", "protocol_change.note", "The note", MAX_NOTE).optional().lines();
        let note = faults.text(note, &line);
        let reading = read(&mut tx, &account, edit).await?;
        if reading.changes.is_empty() {
            let detail = "It does what is done now, for the same kinds of call.";
            faults.add("", "protocol.same", detail, "Change something first.");
        }
        faults.unless(()).map_err(Refusal::Faulty)?;
        let edit = ProtocolEdit { edition: None, ..edit.clone() };
        let words = ChangeWords { note, ..reading.words() };
        let change = ProtocolChange {
            id: ProtocolChangeId::fresh(now),
            account: account.id,
            proposed_by: by.clone(),
            proposed_at: now,
            protocol: serde_json::to_string(&edit).expect("its maps have text keys, so it is always JSON"),
            based_on: reading.based_on.map(|p| p.id),
            state: ChangeState::Waiting,
            decision: None,
            words,
        };
        tx.insert_protocol_change(&change).await?;
        tx.audit(Entry::new(now, self.by.clone(), Act::ProtocolProposed, change.id.to_string()));
        tx.commit("propose_protocol").await?;
        Ok(change)
    }

    /// Publishes what was proposed, as the next version of its name; as it was read, of that `version`.
    pub async fn approve_change(
        &self,
        id: &ProtocolChangeId,
        version: &str,
        words: &str,
        by: &UserId,
    ) -> Result<Changed<Protocol>, Refusal> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let (change, account) = find(&mut tx, id).await?;
        if change.state != ChangeState::Waiting {
            tx.rollback().await?;
            return Err(decided());
        }
        let edit = edit_of(&change)?;
        let versions = tx.list_protocols(&account.id).await?;
        let name = edit.name.trim();
        let last = versions.iter().filter(|p| p.name == name).map(|p| p.version).max().unwrap_or(0);
        let decision = Decision { by: by.clone(), at: now, version: Some(last.saturating_add(1)) };
        // What is kept of it is what was replaced, which may be another than when it was proposed.
        let reading = read(&mut tx, &account, &edit).await?;
        if reading.version() != version {
            tx.rollback().await?;
            let detail = "What it would change is another than what was read: read it again, and approve that.";
            return Err(Refusal::NotNow { code: "protocol_change.stale", detail });
        }
        let change =
            ProtocolChange { words: ChangeWords { note: change.words.note.clone(), ..reading.words() }, ..change };
        settle(&mut tx, &change, ChangeState::Approved, &decision, &said(words, false)?).await?;
        tx.audit(Entry::new(now, self.by.clone(), Act::ProtocolApproved, id.to_string()));
        let origin = Origin { by: Some(change.proposed_by), brings_back: None, approved_by: Some(by.clone()) };
        // Committed with the version, or not at all.
        put_in_force(self, tx, account, &edit, &origin).await
    }

    /// A proposal comes to nothing: the service refuses it, and says why; or its client withdraws it.
    pub async fn drop_change(
        &self,
        id: &ProtocolChangeId,
        verdict: Verdict,
        words: &str,
        by: &UserId,
    ) -> Result<ProtocolChange, Refusal> {
        let now = self.clock.utc();
        let (state, act) = match verdict {
            Verdict::Refuse => (ChangeState::Refused, Act::ProtocolRefused),
            Verdict::Withdraw => (ChangeState::Withdrawn, Act::ProtocolWithdrawn),
        };
        let words = said(words, verdict == Verdict::Refuse)?;
        let mut tx = self.store.write().await?;
        let (change, _) = find(&mut tx, id).await?;
        settle(&mut tx, &change, state, &Decision { by: by.clone(), at: now, version: None }, &words).await?;
        tx.audit(Entry::new(now, self.by.clone(), act, id.to_string()));
        let dropped = tx.find_protocol_change(id).await?;
        tx.commit("drop_protocol_change").await?;
        dropped.ok_or(Refusal::Missing { what: "change" })
    }

    /// How a proposal reads that waits, by what is in force now; one that is decided stays as it was read.
    pub async fn read_change(&self, change: &ProtocolChange) -> Result<ReadChange, Refusal> {
        if change.state != ChangeState::Waiting {
            return Ok(ReadChange { words: change.words.clone(), version: None });
        }
        let edit = edit_of(change)?;
        let account = self.store.find_account(&change.account).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(&account.id).await?;
        let schedules = self.store.list_schedules(&account.id).await?;
        let versions = self.store.list_protocols(&account.id).await?;
        let reading = compare(&account, &edit, &contacts, &schedules, &versions);
        let words = ChangeWords { note: change.words.note.clone(), ..reading.words() };
        Ok(ReadChange { words, version: Some(reading.version()) })
    }

    /// Whether the version that a proposal became is in force, for some kind of call.
    pub async fn is_in_force(&self, change: &ProtocolChange) -> Result<bool, Refusal> {
        let Some(version) = change.decision.as_ref().and_then(|decision| decision.version) else {
            return Ok(false);
        };
        let edit = edit_of(change)?;
        let account = self.store.find_account(&change.account).await?.ok_or(Refusal::Missing { what: "account" })?;
        let versions = self.store.list_protocols(&account.id).await?;
        let became = versions.iter().find(|p| p.name == edit.name.trim() && p.version == version);
        Ok(became.is_some_and(|p| account.call_types.iter().any(|t| t.protocol.as_ref() == Some(&p.id))))
    }

    /// Whether the protocol is another than when this was proposed.
    pub async fn is_overtaken(&self, change: &ProtocolChange) -> Result<bool, Refusal> {
        let edit = edit_of(change)?;
        let versions = self.store.list_protocols(&change.account).await?;
        let newest = versions.iter().filter(|p| p.name == edit.name.trim()).max_by_key(|p| p.version);
        Ok(change.state == ChangeState::Waiting && newest.map(|p| &p.id) != change.based_on.as_ref())
    }
}

/// The proposal as the editor writes it.
pub(super) fn edit_of(change: &ProtocolChange) -> Result<ProtocolEdit, Refusal> {
    let corrupt = |_| Refusal::Store(StoreError::Corrupt { column: "protocol".to_owned() });
    serde_json::from_str(&change.protocol).map_err(corrupt)
}

/// The proposal and its account, nobody else's to change.
async fn find(tx: &mut Tx, id: &ProtocolChangeId) -> Result<(ProtocolChange, Account), Refusal> {
    let missing = || Refusal::Missing { what: "change" };
    let change = tx.find_protocol_change(id).await?.ok_or_else(missing)?;
    let account = lock(tx, &change.account, None).await?;
    Ok((change, account))
}

async fn settle(
    tx: &mut Tx,
    change: &ProtocolChange,
    state: ChangeState,
    decision: &Decision,
    words: &str,
) -> Result<(), Refusal> {
    let words = ChangeWords { decided: words.to_owned(), ..change.words.clone() };
    if tx.settle_protocol_change(&change.id, state, decision, &words).await? {
        return Ok(());
    }
    Err(decided())
}

fn decided() -> Refusal {
    Refusal::NotNow { code: "protocol_change.decided", detail: "It was decided already: read it again." }
}

fn said(words: &str, required: bool) -> Result<String, Refusal> {
    let mut faults = Faults::default();
    let line = Text::line("/words", "protocol_change.words", "Why", MAX_NOTE).lines();
    let words = faults.text(words, &if required { line } else { line.optional() });
    faults.unless(words).map_err(Refusal::Faulty)
}

/// A proposal beside what it would replace.
struct Reading {
    based_on: Option<Protocol>,
    before: Vec<String>,
    after: Vec<String>,
    changes: Vec<String>,
}

impl Reading {
    fn words(&self) -> ChangeWords {
        let (before, after, changes) = (self.before.clone(), self.after.clone(), self.changes.clone());
        ChangeWords { before, after, changes, ..ChangeWords::default() }
    }

    /// Its name: another for whatever reads otherwise, and for another newest version.
    fn version(&self) -> String {
        let based_on = self.based_on.as_ref().map(|newest| &newest.id);
        let read = (based_on, &self.before, &self.after, &self.changes);
        version_of(&serde_json::to_string(&read).expect("an id and texts are always JSON"))
    }
}

/// By what the transaction sees.
async fn read(tx: &mut Tx, account: &Account, edit: &ProtocolEdit) -> Result<Reading, StoreError> {
    let contacts = tx.list_contacts(&account.id).await?;
    let schedules = tx.list_schedules(&account.id).await?;
    let versions = tx.list_protocols(&account.id).await?;
    Ok(compare(account, edit, &contacts, &schedules, &versions))
}

/// In plain English, against the version of its name that is in force for its kinds of call, else the newest; without one, against
/// what its kinds of call have now.
fn compare(
    account: &Account,
    edit: &ProtocolEdit,
    contacts: &[Contact],
    schedules: &[Schedule],
    versions: &[Protocol],
) -> Reading {
    let (after, _) = edit.check(&account.id, contacts, schedules);
    let based_on = versions.iter().filter(|p| p.name == after.name).max_by_key(|p| p.version);
    let theirs = |p: &&Protocol| {
        account.call_types.iter().any(|t| edit.call_types.contains(&t.id) && t.protocol.as_ref() == Some(&p.id))
    };
    let in_force = versions.iter().filter(|p| p.name == after.name).filter(theirs).max_by_key(|p| p.version);
    let before = in_force.or(based_on).or_else(|| versions.iter().find(theirs));
    let mut changes = match before {
        Some(before) => differences(before, &after, contacts, &account.call_types),
        None => vec!["There is no such protocol yet.".to_owned()],
    };
    for call_type in account.call_types.iter().filter(|t| edit.call_types.contains(&t.id)) {
        let now = call_type.protocol.as_ref().and_then(|id| versions.iter().find(|p| p.id == *id));
        match now {
            Some(now) if now.name == after.name => {}
            Some(now) => {
                changes.push(format!("{}: from now on by {}, not by {}.", call_type.name, after.name, now.name))
            }
            None => {
                changes.push(format!("{}: from now on by {}; until now nobody is told.", call_type.name, after.name))
            }
        }
    }
    Reading {
        before: before.map(|p| describe(p, contacts, &account.call_types)).unwrap_or_default(),
        after: describe(&after, contacts, &account.call_types),
        changes,
        based_on: based_on.cloned(),
    }
}
