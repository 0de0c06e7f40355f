//! Which way the calls of an account go: its hours and menus, changed as a whole.

use super::{Changed, Clients, Refusal, lock};
use crate::base::id::AccountId;
use crate::domain::account::Account;
use crate::domain::account::check::{self, check};
use crate::domain::account::hours::Hours;
use crate::domain::account::patching::check_people;
use crate::domain::ivr::menu::Menu;
use crate::io::store::StoreError;

/// Why hours and menus were not changed.
#[derive(Debug)]
pub enum FlowRefusal {
    /// All that is wrong with them.
    Faulty(Vec<check::Fault>),
    Other(Refusal),
}

impl From<Refusal> for FlowRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal)
    }
}

impl From<StoreError> for FlowRefusal {
    fn from(error: StoreError) -> Self {
        Self::Other(Refusal::Store(error))
    }
}

impl Clients {
    /// Puts hours and menus in force. `edition`: as of which the account was read; without it, whatever stands is replaced.
    pub async fn set_flow(
        &self,
        id: &AccountId,
        edition: Option<u32>,
        hours: Hours,
        menus: Vec<Menu>,
    ) -> Result<Changed<Account>, FlowRefusal> {
        let mut tx = self.store.write().await?;
        let mut account = lock(&mut tx, id, edition).await?;
        (account.hours, account.menus) = (hours, menus);
        let mut faults = check(&account);
        faults.extend(check_people(&account, &tx.list_contacts(id).await?, &tx.list_schedules(id).await?));
        if !faults.is_empty() {
            return Err(FlowRefusal::Faulty(faults));
        }
        tx.upsert_account(&account, self.clock.utc()).await?;
        Ok(self.finish(tx, account).await?)
    }
}
