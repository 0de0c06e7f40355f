//! Which way the calls of an account go: its hours and menus, changed as a whole, or only looked at.

use serde::Serialize;

use super::astray::protocols_led_astray;
use super::{Changed, Clients, Refusal, lock};
use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::account::check::{check, check_menu};
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::flow::Flow;
use crate::domain::account::hours::Hours;
use crate::domain::account::patching::check_people;
use crate::domain::account::said::{list_menu_speeches, list_speeches};
use crate::domain::account::{Account, Contact, Speech};
use crate::domain::ivr::menu::Menu;
use crate::domain::oncall::Schedule;
use crate::io::store::{StoreError, Tx};

/// What is wrong with hours and menus, and what they would say of a call that arrives now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CheckedFlow {
    pub errors: Vec<Fault>,
    pub now: FlowNow,
}

/// What counts for a call that arrives now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FlowNow {
    pub at: UtcMs,
    /// "window night", "holiday Thanksgiving", "override: storm", "usual".
    pub why: String,
    /// The name of the window or of the holiday.
    pub window: Option<String>,
    pub flow: Flow,
    /// The first instant at which something else counts; none if nothing else is known of for a week.
    pub until: Option<UtcMs>,
}

impl Clients {
    /// Puts hours and menus in force. `edition`: as of which the account was read; without it, whatever stands is replaced.
    pub async fn set_flow(
        &self,
        id: &AccountId,
        edition: Option<u32>,
        hours: Hours,
        menus: Vec<Menu>,
    ) -> Result<Changed<Account>, Refusal> {
        // The voice first, as nothing but the store is waited for in a transaction.
        let unsaid = self.check_speeches(id, list_speeches(&hours, &menus)).await;
        let mut tx = self.store.write().await?;
        let mut account = lock(&mut tx, id, edition).await?;
        let before = account.clone();
        (account.hours, account.menus) = (hours, menus);
        let (contacts, schedules) = (tx.list_contacts(id).await?, tx.list_schedules(id).await?);
        let mut faults = check_flow(&mut tx, &account, &contacts, &schedules).await?;
        faults.extend(protocols_led_astray(&before, &account, &tx.list_protocols(id).await?));
        faults.extend(unsaid);
        if !faults.is_empty() {
            return Err(Refusal::Faulty(faults));
        }
        tx.upsert_account(&account, self.clock.utc()).await?;
        self.finish(tx, account).await
    }

    /// What is wrong with hours and menus, and what they say of now. Changes nothing; nothing is spoken for it.
    pub async fn check_flow(&self, id: &AccountId, hours: Hours, menus: Vec<Menu>) -> Result<CheckedFlow, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let account = Account { hours, menus, ..account };
        let mut errors = check(&account);
        let kept = |(_, speech): &(String, &Speech)| !matches!(speech, Speech::Spoken { .. });
        let recordings = list_speeches(&account.hours, &account.menus).into_iter().filter(kept);
        errors.extend(self.check_speeches(id, recordings).await);
        for (at, spill) in account.spills() {
            errors.extend(round(at, &account, self.store.find_account_by_did(&spill.number).await?));
        }
        let (contacts, schedules) = (self.store.list_contacts(id).await?, self.store.list_schedules(id).await?);
        errors.extend(check_people(&account, &contacts, &schedules));
        let now = self.clock.utc();
        let picked = account.flow_at(now);
        let until = account.flow_until(now);
        let now = FlowNow { at: now, why: picked.why, window: picked.window, flow: picked.flow, until };
        Ok(CheckedFlow { errors, now })
    }

    /// A menu as the account could have it, to be tried out: refused with all that is wrong, each at its place below
    /// `/menu`. What it says is ready.
    pub async fn check_menu(&self, id: &AccountId, menu: &Menu) -> Result<Account, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let mut faults = check_menu(&account, menu, "/menu");
        if faults.is_empty() {
            faults.extend(self.check_speeches(id, list_menu_speeches(menu, "/menu")).await);
        }
        if faults.is_empty() { Ok(account) } else { Err(Refusal::Faulty(faults)) }
    }
}

/// All that is wrong with the hours and menus of an account that has these people, but for what cannot be said.
pub(super) async fn check_flow(
    tx: &mut Tx,
    account: &Account,
    contacts: &[Contact],
    schedules: &[Schedule],
) -> Result<Vec<Fault>, StoreError> {
    let mut faults = check(account);
    faults.extend(check_people(account, contacts, schedules));
    for (at, spill) in account.spills() {
        faults.extend(round(at, account, tx.find_account_by_did(&spill.number).await?));
    }
    Ok(faults)
}

/// The fault of a number elsewhere that is another account's of this house.
fn round(at: String, account: &Account, owner: Option<Account>) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(other) = owner.filter(|other| other.id != account.id) {
        let detail = format!("That is a number of {}: the call would come back to this house.", other.name);
        faults.add(at, "flow.round", detail, "Name another.");
    }
    faults.into_list()
}
