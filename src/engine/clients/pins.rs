//! The PINs of an account's people, for checking in by telephone. Set and taken away, never shown.

use std::fmt;

use super::{Clients, Refusal, lock};
use crate::base::id::{AccountId, ContactId, UserId};
use crate::domain::account::fault::Faults;
use crate::domain::checkin::pin::{Pin, PinFault};
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::check_in::PinSet;
use crate::io::store::{StoreError, Tx};

/// Whose PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinOf {
    /// All of the account's people share it.
    Account(AccountId),
    Contact(ContactId),
}

impl fmt::Display for PinOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Contact(id) => id.fmt(f),
        }
    }
}

impl Clients {
    /// The PINs of an account: whose, and since when.
    pub async fn list_pins(&self, account: &AccountId) -> Result<Vec<PinSet>, Refusal> {
        self.store.find_account_edition(account).await?.ok_or(Refusal::Missing { what: "account" })?;
        Ok(self.store.list_pins(account).await?)
    }

    /// Gives somebody this PIN in place of any other.
    pub async fn set_pin(&self, of: &PinOf, written: &str, by: &UserId) -> Result<PinSet, Refusal> {
        let pin = Pin::choose(written).map_err(|fault| {
            let (detail, cure) = match fault {
                PinFault::Digits => ("A PIN is 4 to 10 digits.", "Choose 4 to 10 digits and nothing else."),
                PinFault::Obvious => {
                    ("This is what everybody tries first.", "Choose digits that do not follow one another.")
                }
            };
            faulty("pin.invalid", detail, cure)
        })?;
        let mut tx = self.store.write().await?;
        let (account, contact) = find(&mut tx, of).await?;
        let now = self.clock.utc();
        match tx.set_pin(&account, contact.as_ref(), &pin, by, now).await {
            Err(StoreError::Conflict { .. }) => {
                tx.rollback().await?;
                let detail = "It cannot be this one.";
                return Err(faulty("pin.refused", detail, "Choose another one: each person has one of their own."));
            }
            other => other?,
        }
        if let Some(contact) = &contact {
            tx.close_inbox_sessions(contact).await?;
        }
        tx.audit(Entry::new(now, Who::User(by.clone()), Act::PinSet, of.to_string()));
        tx.commit("set_pin").await?;
        Ok(PinSet { contact, set_by: by.clone(), set_at: now })
    }

    /// Takes somebody's PIN away. False: there was none.
    pub async fn remove_pin(&self, of: &PinOf, by: &UserId) -> Result<bool, Refusal> {
        let mut tx = self.store.write().await?;
        let (account, contact) = find(&mut tx, of).await?;
        let removed = tx.remove_pin(&account, contact.as_ref()).await?;
        if removed {
            if let Some(contact) = &contact {
                tx.close_inbox_sessions(contact).await?;
            }
            let by = Who::User(by.clone());
            tx.audit(Entry::new(self.clock.utc(), by, Act::PinRemoved, of.to_string()));
        }
        tx.commit("remove_pin").await?;
        Ok(removed)
    }
}

fn faulty(code: &'static str, detail: &str, cure: &str) -> Refusal {
    let mut faults = Faults::default();
    faults.add("/pin", code, detail, cure);
    Refusal::Faulty(faults.unless(()).err().unwrap_or_default())
}

async fn find(tx: &mut Tx, of: &PinOf) -> Result<(AccountId, Option<ContactId>), Refusal> {
    let (account, contact) = match of {
        PinOf::Account(account) => (account.clone(), None),
        PinOf::Contact(id) => {
            let contact = tx.find_contact(id).await?.ok_or(Refusal::Missing { what: "contact" })?;
            (contact.account, Some(contact.id))
        }
    };
    lock(tx, &account, None).await?;
    Ok((account, contact))
}
