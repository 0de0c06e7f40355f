//! The versions of a protocol: who wrote each and when, what it does otherwise than the one before, which open dispatches still
//! run it, and one of before brought back, as the next version. A version that was saved never changes.

use super::protocols::put_in_force;
use super::{Changed, Clients, ProtocolEdit, Refusal, lock};
use crate::base::id::{AccountId, CallTypeId, ProtocolId};
use crate::domain::account::fault::Faults;
use crate::domain::dispatch::difference::differences;
use crate::domain::dispatch::protocol::Protocol;
use crate::io::store::protocols::{MadeProtocol, Running};

/// A version with all that is known of it.
#[derive(Clone, Debug)]
pub struct Version {
    pub made: MadeProtocol,
    /// What it does otherwise than the version before; none: it is the first.
    pub changes: Option<Vec<String>>,
    /// Call types that have it in force.
    pub in_force: Vec<CallTypeId>,
    /// Open dispatches that run it.
    pub running: Vec<Running>,
}

impl Clients {
    /// The versions of the account's protocols, by name, the newest first.
    pub async fn list_versions(&self, id: &AccountId) -> Result<Vec<Version>, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(id).await?;
        let made = self.store.list_made_protocols(id).await?;
        let running = self.store.list_running(id).await?;
        let version = |(at, one): (usize, &MadeProtocol)| {
            let before = made.get(at + 1).filter(|before| before.protocol.name == one.protocol.name);
            let is_in_force = |of: &Option<ProtocolId>| of.as_ref() == Some(&one.protocol.id);
            Version {
                made: one.clone(),
                changes: before
                    .map(|before| differences(&before.protocol, &one.protocol, &contacts, &account.call_types)),
                in_force: account
                    .call_types
                    .iter()
                    .filter(|t| is_in_force(&t.protocol))
                    .map(|t| t.id.clone())
                    .collect(),
                running: running.iter().filter(|r| r.protocol == one.protocol.id).cloned().collect(),
            }
        };
        Ok(made.iter().enumerate().map(version).collect())
    }

    /// What the version `after` does otherwise than `before`, which is of the same account.
    pub async fn compare_versions(&self, before: &ProtocolId, after: &ProtocolId) -> Result<Vec<String>, Refusal> {
        let missing = || Refusal::Missing { what: "protocol" };
        let after = self.store.find_protocol(after).await?.ok_or_else(missing)?;
        let before = self.store.find_protocol(before).await?.ok_or_else(missing)?;
        if before.account != after.account {
            return Err(missing());
        }
        let account = self.store.find_account(&after.account).await?.ok_or_else(missing)?;
        Ok(differences(&before, &after, &self.store.list_contacts(&account.id).await?, &account.call_types))
    }

    /// Makes the next version with the steps of an earlier one, in force wherever a version of that name is. Refused if its people
    /// or roles are gone, or if the newest does the same.
    pub async fn bring_back(&self, id: &ProtocolId, edition: Option<u32>) -> Result<Changed<Protocol>, Refusal> {
        let missing = || Refusal::Missing { what: "protocol" };
        let found = self.store.find_protocol(id).await?.ok_or_else(missing)?;
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, &found.account, edition).await?;
        let versions = tx.list_protocols(&account.id).await?;
        let newest = versions.iter().filter(|p| p.name == found.name).max_by_key(|p| p.version);
        let does = |p: &Protocol| (p.steps.clone(), p.repeat, p.until);
        if newest.is_some_and(|newest| does(newest) == does(&found)) {
            let mut faults = Faults::default();
            let detail = format!("The newest version of {} does the same.", found.name);
            faults.add("", "protocol.same", detail, "Choose another version, or put the newest in force.");
            return Err(Refusal::Clash(faults.into_list()));
        }
        let of_that_name = |id: &ProtocolId| versions.iter().any(|p| p.id == *id && p.name == found.name);
        let in_force = |of: &Option<ProtocolId>| of.as_ref().is_some_and(of_that_name);
        let edit = ProtocolEdit {
            edition: None,
            name: found.name.clone(),
            steps: found.steps.clone(),
            repeat: found.repeat,
            until: found.until,
            call_types: account.call_types.iter().filter(|t| in_force(&t.protocol)).map(|t| t.id.clone()).collect(),
        };
        put_in_force(self, tx, account, &edit, &self.origin(Some(found.version))).await
    }
}
