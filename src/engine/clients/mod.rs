//! Clients: accounts are made and changed here, for the API and the command line alike.
//!
//! What was written is checked whole (`domain/account/edit`, and what only store and voice can tell), stored in one transaction
//! and shown to consoles. What always holds: a change that was refused changed nothing; one edition of an account follows
//! another, so nobody overwrites what they have not seen; what an account says to callers can be said when it is saved. A
//! call that is up keeps what it began with; in whose name an account was changed is on the audit log. Knows nothing of who may
//! do it: whoever drives this does.

mod astray;
mod call_types;
mod changes;
mod contacts;
pub mod document;
mod flow;
mod flow_text;
mod going_live;
mod import;
mod mail;
mod people;
mod pins;
mod protocols;
pub mod reach;
mod recap;
mod rehearsal;
mod schedule_import;
mod schedule_text;
mod schedules;
mod settings;
mod uses;
mod versions;

use std::sync::Arc;

use crate::base::clock::SharedClock;
use crate::base::id::AccountId;
use crate::domain::account::edit::AccountEdit;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::{Account, Speech};
use crate::engine::feed::{Feed, FeedEvent};
use crate::io::speech::Speaker;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::{Store, StoreError, Tx};

use astray::led_astray;
use reach::Reachable;

pub use changes::{CheckedChange, ReadChange, Verdict};
pub use contacts::read_spoken;
pub use flow::{CheckedFlow, FlowNow};
pub use going_live::{GoingLive, PartNow, Yes};
pub use import::Imported;
pub use pins::PinOf;
pub use protocols::{Checked, ProtocolEdit};
pub use rehearsal::{Offered, Rehearsal};
pub use schedule_import::{Format, ShiftFile, ShiftsRead, is_import_by};
pub use schedules::{ChangedSchedule, cut_temporary, take_back};
pub use settings::HolidayEdit;
pub use uses::{Use, UseKind};
pub use versions::Version;

/// Where accounts are made and changed. Cheap to clone.
#[derive(Clone)]
pub struct Clients {
    store: Store,
    voice: Arc<Speaker>,
    clock: SharedClock,
    feed: Feed,
    /// In whose name accounts are changed.
    by: Who,
    reachable: Arc<Reachable>,
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such thing.
    Missing {
        what: &'static str,
    },
    /// It was changed since it was read.
    Stale {
        now: u32,
    },
    /// What was written is wrong.
    Faulty(Vec<Fault>),
    /// It is right, and does not go together with what else there is.
    Clash(Vec<Fault>),
    /// It is not in the state that this needs: a stable code, and a sentence.
    NotNow {
        code: &'static str,
        detail: &'static str,
    },
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What was changed, and the edition of its account from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed<T> {
    pub now: T,
    pub edition: u32,
}

impl Clients {
    pub fn new(store: Store, voice: Arc<Speaker>, clock: SharedClock, feed: Feed) -> Self {
        Self { store, voice, clock, feed, by: Who::House, reachable: Arc::default() }
    }

    /// The same, in somebody's name.
    #[must_use]
    pub fn by(&self, by: Who) -> Self {
        Self { by, ..self.clone() }
    }

    /// Makes an account.
    pub async fn add(&self, edit: &AccountEdit) -> Result<Changed<Account>, Refusal> {
        self.put(Account::blank(AccountId::fresh(self.clock.utc())), None, edit).await
    }

    /// Changes an account that was read as of `edition`.
    pub async fn change(&self, id: &AccountId, edition: u32, edit: &AccountEdit) -> Result<Changed<Account>, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        self.put(account, Some(edition), edit).await
    }

    async fn put(
        &self,
        before: Account,
        edition: Option<u32>,
        edit: &AccountEdit,
    ) -> Result<Changed<Account>, Refusal> {
        let id = before.id.clone();
        // The voice first, as nothing but the store is waited for in a transaction.
        let (mut faults, unsaid) = match edit.apply(before) {
            Ok(account) => (Vec::new(), self.check_speeches(&account.id, account.speeches()).await),
            Err(faults) => (faults, Vec::new()),
        };
        faults.extend(unsaid);
        let mut tx = self.store.write().await?;
        let now = match edition {
            None => Account::blank(id),
            Some(edition) => lock(&mut tx, &id, Some(edition)).await?,
        };
        let clashes = find_clashes(&mut tx, &now.id, edit).await?;
        if !faults.is_empty() {
            faults.extend(clashes);
            return Err(Refusal::Faulty(faults));
        }
        if !clashes.is_empty() {
            return Err(Refusal::Clash(clashes));
        }
        let account = edit.apply(now.clone()).map_err(Refusal::Faulty)?;
        let astray = led_astray(&now, &account);
        if !astray.is_empty() {
            return Err(Refusal::Faulty(astray));
        }
        tx.upsert_account(&account, self.clock.utc()).await?;
        self.finish(tx, account).await
    }

    /// Commits a change of `account` and shows it.
    async fn finish(&self, mut tx: Tx, account: Account) -> Result<Changed<Account>, Refusal> {
        let edition = tx.find_account_edition(&account.id).await?.unwrap_or(1);
        // Each change counts the edition up, and the first makes it 1.
        let act = if edition == 1 { Act::AccountAdded } else { Act::AccountChanged };
        tx.audit(Entry::new(self.clock.utc(), self.by.clone(), act, account.id.to_string()));
        tx.commit("change_account").await?;
        self.feed.publish(FeedEvent::Account { id: account.id.clone(), edition });
        Ok(Changed { now: account, edition })
    }

    /// What of an account's words cannot be said. What can be is ready for the next call.
    async fn check_speeches<'a, P: Into<String>>(
        &self,
        account: &AccountId,
        speeches: impl IntoIterator<Item = (P, &'a Speech)>,
    ) -> Vec<Fault> {
        let mut faults = Faults::default();
        for (pointer, speech) in speeches {
            if let Err(why) = self.voice.prepare(speech).await {
                let (code, cure) = match speech {
                    Speech::Spoken { .. } => {
                        tracing::warn!(%account, "the voice engine fails: {why}");
                        ("speech.no_voice", "See to the voice engine, or upload a recording.")
                    }
                    Speech::Recorded { .. } | Speech::Uploaded { .. } => {
                        ("speech.no_recording", "Upload it, or write what is to be spoken.")
                    }
                };
                faults.add(pointer, code, "This cannot be said to callers.", cure);
            }
        }
        faults.into_list()
    }
}

/// The account as it is now, nobody else's to change; refused if it was changed since `edition`.
async fn lock(tx: &mut Tx, id: &AccountId, edition: Option<u32>) -> Result<Account, Refusal> {
    let (account, now) = tx.lock_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
    match edition {
        Some(edition) if edition != now => Err(Refusal::Stale { now }),
        _ => Ok(account),
    }
}

/// What other accounts have already.
async fn find_clashes(tx: &mut Tx, id: &AccountId, edit: &AccountEdit) -> Result<Vec<Fault>, StoreError> {
    let mut faults = Faults::default();
    let name = edit.name.trim();
    if tx.find_account_by_name(name).await?.is_some_and(|other| other.id != *id) {
        let detail = format!("There is another account called {name}.");
        faults.add("/name", "account.name_taken", detail, "Choose another name.");
    }
    for (at, written) in edit.dids.iter().enumerate() {
        let Ok(did) = written.parse() else { continue };
        if let Some(other) = tx.find_account_by_did(&did).await?.filter(|other| other.id != *id) {
            let detail = format!("This number belongs to {}.", other.name);
            let cure = format!("Take it away from {} first, or choose another number.", other.name);
            faults.add(format!("/dids/{at}"), "account.did_taken", detail, cure);
        }
    }
    // Nor does a call that one account sends elsewhere come back to the house by another.
    for other in tx.list_accounts().await? {
        for (_, spill) in other.spills() {
            let is_it = |written: &String| written.parse() == Ok(spill.number.clone());
            if let Some(at) = edit.dids.iter().position(is_it) {
                let detail = format!("{} sends its calls to this number: they would come back here.", other.name);
                let cure = format!("Change the hours of {} first, or choose another number.", other.name);
                faults.add(format!("/dids/{at}"), "account.did_spilled_to", detail, cure);
            }
        }
    }
    Ok(faults.unless(()).err().unwrap_or_default())
}
