//! When an account's recap goes out and to whom: set, changed, taken away.

use super::{Clients, Refusal, lock};
use crate::base::id::AccountId;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::dispatch::protocol::{Method, Protocol};
use crate::domain::recap::plan::Plan;
use crate::io::store::audit::{Act, Entry};
use crate::io::store::recaps::PlanSet;

impl Clients {
    /// When and to whom an account's recaps go; none: it gets none.
    pub async fn find_recap_plan(&self, account: &AccountId) -> Result<Option<PlanSet>, Refusal> {
        self.store.find_account_edition(account).await?.ok_or(Refusal::Missing { what: "account" })?;
        Ok(self.store.find_recap_plan(account).await?)
    }

    /// Sets it. The first recap is that of the next time that comes.
    pub async fn set_recap_plan(&self, account: &AccountId, plan: Plan) -> Result<PlanSet, Refusal> {
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, account, None).await?;
        let faults = plan.check(&tx.list_contacts(&account.id).await?);
        if !faults.is_empty() {
            return Err(Refusal::Faulty(faults));
        }
        let now = self.clock.utc();
        let set = PlanSet { account: account.id, plan, set_at: now, since: now };
        tx.set_recap_plan(&set).await?;
        tx.audit(Entry::new(now, self.by.clone(), Act::AccountChanged, set.account.to_string()));
        tx.commit("recap_plan").await?;
        Ok(set)
    }

    /// Takes it away, unless messages are held for it, or would be.
    pub async fn remove_recap_plan(&self, account: &AccountId) -> Result<(), Refusal> {
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, account, None).await?;
        let mut faults = Faults::default();
        for call_type in &account.call_types {
            let Some(protocol) = &call_type.protocol else { continue };
            if tx.find_protocol(protocol).await?.is_some_and(|protocol| holds_for_recap(&protocol)) {
                let detail = format!("Messages of the kind {} are held for it.", call_type.name);
                faults.add("", "recap.in_use", detail, "Change that protocol first.");
            }
        }
        if !tx.list_dispatches_for_recap(&account.id).await?.is_empty() {
            let cure = "Wait for the next recap, or close those messages.";
            faults.add("", "recap.messages_wait", "Messages wait for the next recap.", cure);
        }
        faults.unless(()).map_err(Refusal::Clash)?;
        tx.remove_recap_plan(&account.id).await?;
        tx.audit(Entry::new(self.clock.utc(), self.by.clone(), Act::AccountChanged, account.id.to_string()));
        tx.commit("recap_plan_gone").await?;
        Ok(())
    }
}

fn holds_for_recap(protocol: &Protocol) -> bool {
    protocol.steps.iter().any(|step| step.method == Method::HoldForRecap)
}

/// The faults of a protocol that holds messages for a recap, of an account that gets none.
pub(super) fn held_for_nothing(protocol: &Protocol) -> Vec<Fault> {
    let mut faults = Faults::default();
    for (n, step) in protocol.steps.iter().enumerate() {
        if step.method == Method::HoldForRecap {
            let detail = "The account gets no recap: what is held for it would wait for ever.";
            faults.add(format!("/steps/{n}"), "protocol.no_recap", detail, "Set the times of its recap first.");
        }
    }
    faults.into_list()
}
