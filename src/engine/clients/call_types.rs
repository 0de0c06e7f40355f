//! The call types of an account with their forms, written as one list.

use crate::base::id::{AccountId, CallTypeId};
use crate::domain::account::Account;
use crate::domain::account::edit_call_types::CallTypesEdit;
use crate::domain::account::fault::Fault;

use super::astray::{led_astray, protocols_led_astray};
use super::recap::held_for_nothing;
use super::{Changed, Clients, Refusal, lock};

impl Clients {
    /// Writes all call types of an account that was read as of `edition`. Those left out are retired, unless hours or menus
    /// lead to them; one that was, and is named again, is back.
    pub async fn set_call_types(
        &self,
        account: &AccountId,
        edition: u32,
        edit: &CallTypesEdit,
    ) -> Result<Changed<Account>, Refusal> {
        let now = self.clock.utc();
        let mut tx = self.store.write().await?;
        let before = lock(&mut tx, account, Some(edition)).await?;
        let protocols = tx.list_protocols(&before.id).await?;
        let mut known = before.call_types.clone();
        for id in edit.call_types.iter().filter_map(|written| written.id.as_ref()) {
            if known.iter().all(|there| there.id != *id)
                && let Some((owner, retired)) = tx.find_call_type(id).await?
                && owner == before.id
            {
                known.push(retired);
            }
        }
        let call_types = edit.apply(&known, &protocols, || CallTypeId::fresh(now)).map_err(Refusal::Faulty)?;
        let account = Account { call_types, ..before.clone() };
        let mut faults = led_astray(&before, &account);
        faults.extend(protocols_led_astray(&before, &account, &protocols));
        if tx.find_recap_plan(&account.id).await?.is_none() {
            for (at, call_type) in account.call_types.iter().enumerate() {
                let protocol = protocols.iter().find(|protocol| call_type.protocol.as_ref() == Some(&protocol.id));
                let held = protocol.map(held_for_nothing).unwrap_or_default();
                faults.extend(held.into_iter().map(|f| Fault { pointer: format!("/call_types/{at}/protocol"), ..f }));
            }
        }
        if !faults.is_empty() {
            return Err(Refusal::Faulty(faults));
        }
        tx.upsert_account(&account, now).await?;
        self.finish(tx, account).await
    }
}
