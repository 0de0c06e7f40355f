//! Whose number was dialled: the accounts that calls come in for, remembered.
//!
//! A call for an account that was read a moment ago costs the store nothing, and one that comes while the store is away is
//! answered all the same, by what was known last. Numbers that belong to nobody are not remembered, so dialling at random
//! fills nothing. So are the telephones of all contacts, as nearly nobody who calls is one of them. Driven by each call's task. What always holds: a change that this process commits counts from
//! the next call on, one that another process commits (`cordboard` on the command line) after [`FRESH`] at the latest, and
//! after [`FRESH_PHONES`] if it is a contact's telephone.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::account::patching::{Found, Whom, find_people};
use crate::engine::calls::rings_back;
use crate::engine::feed::RingsBackView;
use crate::engine::legs::Later;
use crate::io::store::{Store, StoreError};

/// How long an account is taken to be as it was read.
const FRESH: Duration = Duration::from_secs(1);
/// The same of the telephones of all contacts, which are many.
const FRESH_PHONES: Duration = Duration::from_secs(5);
/// How long the store may take where we remember what it would probably say: a caller is waiting for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a call must know of accounts.
pub trait Accounts: Send + Sync {
    /// The account that owns a dialled number.
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Arc<Account>>, String>>;
    /// The account with this identifier.
    fn find_account<'a>(&'a self, id: &'a AccountId) -> Later<'a, Result<Option<Arc<Account>>, String>>;
    /// How many messages this caller has left before; 0 if that cannot be told.
    fn count_earlier<'a>(&'a self, account: &'a AccountId, caller: &'a PhoneNumber) -> Later<'a, u32>;
    /// Who that is at `now`.
    fn find_people<'a>(
        &'a self,
        account: &'a AccountId,
        whom: &'a [Whom],
        now: UtcMs,
    ) -> Later<'a, Result<Vec<Found>, String>>;
    /// The contact who rings back from this number; nobody, if that cannot be told.
    fn find_who_rings_back<'a>(&'a self, caller: &'a PhoneNumber) -> Later<'a, Option<RingsBackView>>;
}

/// The store, and what it said last.
pub struct AccountBook {
    store: Store,
    clock: SharedClock,
    pages: Mutex<HashMap<PhoneNumber, Page>>,
    phones: Mutex<Option<Phones>>,
}

/// The telephones of all contacts, as they were read.
#[derive(Clone)]
struct Phones {
    numbers: Arc<HashSet<PhoneNumber>>,
    edition: u64,
    read_at: Instant,
}

/// An account as it was read.
#[derive(Clone)]
struct Page {
    account: Arc<Account>,
    /// The store's edition before it was read.
    edition: u64,
    /// When somebody last went to read it.
    asked_at: Instant,
}

impl AccountBook {
    pub fn new(store: Store, clock: SharedClock) -> Self {
        Self { store, clock, pages: Mutex::default(), phones: Mutex::default() }
    }

    /// Whether a contact has this telephone. Of several calls at once each may go and read them; none waits for another.
    pub async fn is_a_contacts(&self, number: &PhoneNumber) -> Result<bool, StoreError> {
        let (now, edition) = (self.clock.instant(), self.store.accounts_edition());
        let known = self.phones.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh =
            |known: &Phones| known.edition == edition && now.saturating_duration_since(known.read_at) < FRESH_PHONES;
        if let Some(known) = known.filter(fresh) {
            return Ok(known.numbers.contains(number));
        }
        let numbers: HashSet<_> = self.store.list_contact_phones().await?.into_iter().collect();
        let found = numbers.contains(number);
        let read = Phones { numbers: Arc::new(numbers), edition, read_at: now };
        *self.phones.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(found)
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<PhoneNumber, Page>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered: `Ok` if it still counts, `Err` if the store has to be asked first. Whoever is sent to the store is
    /// the only one for the next [`FRESH`], unless there has been a change.
    fn look_up(&self, did: &PhoneNumber, edition: u64) -> Result<Arc<Account>, Option<Arc<Account>>> {
        let now = self.clock.instant();
        let mut pages = self.pages();
        let page = pages.get_mut(did).ok_or(None)?;
        if page.edition == edition && now.saturating_duration_since(page.asked_at) < FRESH {
            return Ok(Arc::clone(&page.account));
        }
        page.asked_at = now;
        Err(Some(Arc::clone(&page.account)))
    }

    async fn read(&self, did: &PhoneNumber, edition: u64) -> Result<Option<Arc<Account>>, String> {
        let found = self.store.find_account_by_did(did).await.map_err(|error| error.to_string())?.map(Arc::new);
        let asked_at = self.clock.instant();
        let mut pages = self.pages();
        match &found {
            Some(account) => {
                pages.insert(did.clone(), Page { account: Arc::clone(account), edition, asked_at });
            }
            None => {
                pages.remove(did);
            }
        }
        Ok(found)
    }

    async fn find(&self, did: &PhoneNumber) -> Result<Option<Arc<Account>>, String> {
        let edition = self.store.accounts_edition();
        let known = match self.look_up(did, edition) {
            Ok(account) => return Ok(Some(account)),
            Err(None) => return self.read(did, edition).await,
            Err(Some(known)) => known,
        };
        match tokio::time::timeout(PATIENCE, self.read(did, edition)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(_)) | Err(_) => {
                metrics::counter!("cordboard_calls_by_memory_total").increment(1);
                tracing::warn!("the store does not answer; a call is taken by what was known of its account");
                Ok(Some(known))
            }
        }
    }
}

impl Accounts for AccountBook {
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        Box::pin(self.find(did))
    }

    fn find_account<'a>(&'a self, id: &'a AccountId) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        Box::pin(async move {
            let found = self.store.find_account(id).await.map_err(|error| error.to_string())?;
            Ok(found.map(Arc::new))
        })
    }

    fn count_earlier<'a>(&'a self, account: &'a AccountId, caller: &'a PhoneNumber) -> Later<'a, u32> {
        Box::pin(async move { self.store.count_messages_by_caller(account, caller).await.unwrap_or(0) })
    }

    fn find_people<'a>(
        &'a self,
        account: &'a AccountId,
        whom: &'a [Whom],
        now: UtcMs,
    ) -> Later<'a, Result<Vec<Found>, String>> {
        Box::pin(async move {
            let contacts = self.store.list_contacts(account).await.map_err(|error| error.to_string())?;
            let schedules = self.store.list_schedules(account).await.map_err(|error| error.to_string())?;
            // Only for the hours of telephones; the account is the call's own, and was read a moment ago.
            let zone = self.store.find_account(account).await.map_err(|error| error.to_string())?.map(|a| a.zone);
            Ok(find_people(whom, &contacts, &schedules, zone.as_deref().unwrap_or("UTC"), now))
        })
    }

    fn find_who_rings_back<'a>(&'a self, caller: &'a PhoneNumber) -> Later<'a, Option<RingsBackView>> {
        Box::pin(async move {
            if !self.is_a_contacts(caller).await.unwrap_or(true) {
                return None;
            }
            rings_back::find(&self.store, caller, self.clock.utc()).await.unwrap_or(None)
        })
    }
}
