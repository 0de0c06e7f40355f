//! The protocols of accounts: each change is a new version, and a call type has one of them in force. Dispatches that run
//! go on with theirs.

use std::slice;

use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, CallTypeId, ProtocolId};
use crate::domain::account::fault::{Fault, Faults, Text};
use crate::domain::account::{Account, Contact, Urgency};
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::protocol::{Protocol, Repeat, Step, Until};
use crate::domain::dispatch::unread_check::People;
use crate::domain::dispatch::validate::{ProtocolFault, validate};
use crate::domain::dispatch::{condition_check, unread_check};
use crate::domain::oncall::Schedule;
use crate::io::store::Tx;
use crate::io::store::audit::Who;
use crate::io::store::protocols::Origin;

use super::recap::held_for_nothing;
use super::{Changed, Clients, Refusal, lock};

const MAX_NAME: usize = 80;

/// A protocol as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtocolEdit {
    /// The edition of the account that was read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    /// One that is there already gets its next version.
    pub name: String,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
    pub until: Until,
    /// Call types that it is put in force for at once.
    #[serde(default)]
    pub call_types: Vec<CallTypeId>,
}

impl ProtocolEdit {
    pub(super) fn check(
        &self,
        account: &AccountId,
        contacts: &[Contact],
        schedules: &[Schedule],
    ) -> (Protocol, Faults) {
        let mut faults = Faults::default();
        let name = faults.text(&self.name, &Text::line("/name", "protocol.name", "The name", MAX_NAME));
        let protocol = Protocol {
            id: ProtocolId::named("unsaved"),
            account: account.clone(),
            name,
            version: 1,
            steps: self.steps.clone(),
            repeat: self.repeat,
            until: self.until,
        };
        for fault in validate(&protocol, contacts, schedules) {
            add(&mut faults, fault);
        }
        (protocol, faults)
    }
}

/// What the conditions of a protocol name and its account does not have.
pub(super) fn check_conditions(protocol: &Protocol, account: &Account) -> Faults {
    let mut faults = Faults::default();
    for fault in condition_check::check(protocol, account) {
        add(&mut faults, fault);
    }
    faults
}

/// A fault where it belongs on the page.
fn add(faults: &mut Faults, fault: ProtocolFault) {
    let pointer = match fault.step {
        Some(step) => format!("/steps/{}", step - 1),
        None if fault.code.starts_with("repeat") => "/repeat".to_owned(),
        None if fault.code == "cannot_confirm" => "/until".to_owned(),
        None => "/steps".to_owned(),
    };
    let cure = cure(&fault);
    faults.add(pointer, format!("protocol.{}", fault.code), fault.message, cure);
}

/// What a protocol would do, and all that is to be said about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// In plain English, line by line.
    pub text: Vec<String>,
    pub faults: Vec<Fault>,
    /// What may not be meant; it can be saved all the same.
    pub warnings: Vec<Fault>,
}

fn cure(fault: &ProtocolFault) -> &'static str {
    match fault.code {
        "steps" => "Add a step, or take some out.",
        "wait" => "Choose a shorter wait.",
        "fax_tries" => "Choose another number.",
        "fax_retry" => "Choose a longer or a shorter time.",
        "nobody" => "Add a contact, or a role that is on call.",
        "repeat" => "Choose a step that there is.",
        "repeat_forever" => "Wait for a confirmation, or do not repeat.",
        "repeat_informs" => "Repeat from another step, or let one of them count.",
        "only_informs" => "Take the mark off a step that somebody is to act on.",
        "informs_asks" => "Choose another way, or take the mark off.",
        "informs_waits" | "hold_terms" | "tries_own" | "patch_waits" => "Take out what does not go together.",
        "done_never" => "Choose what this way can come to.",
        "tries" | "tries_apart" => "Choose another number.",
        "unknown_call_type" => "Choose one of the account's call types, or take the condition out.",
        "unknown_field" => "Choose a field of their forms, or take the condition out.",
        "sensitive_field" => "Choose another field.",
        "too_many_answers" => "Take some out.",
        "hours" => "Write both times with four digits.",
        "hours_days" => "Choose at least one day.",
        "unknown_window" => "Choose one of the account's windows or holidays.",
        "never_made" => "Change its conditions, or take the step out.",
        "opens_nowhere" => "Give them a secure inbox and a PIN of their own, or let a call follow.",
        "repeat_patches" => "Repeat from a step that asks somebody by text, email or call.",
        "no_step_left" => "Add a step without conditions, unless that is what is wanted.",
        "recap_not_last" => "Move it to the end, or take it out.",
        "cannot_confirm" => "Add a step that can be confirmed, or end at handing over.",
        "unknown_role" => "Choose a role that has a schedule, or a contact.",
        "unknown_contact" => "Choose one of the account's contacts.",
        "unknown_destination" => "Give the contact such a destination, or choose another.",
        _ => "Choose another destination.",
    }
}

impl Clients {
    /// Whose a version is that is written now.
    pub(super) fn origin(&self, brings_back: Option<u32>) -> Origin {
        let by = match &self.by {
            Who::User(user) => Some(user.clone()),
            _ => None,
        };
        Origin { by, brings_back, approved_by: None }
    }

    /// What is wrong with a protocol, and what it would do, in plain English. Changes nothing.
    pub async fn check_protocol(&self, account: &AccountId, edit: &ProtocolEdit) -> Result<Checked, Refusal> {
        let account = self.store.find_account(account).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(&account.id).await?;
        let schedules = self.store.list_schedules(&account.id).await?;
        let (protocol, mut faults) = edit.check(&account.id, &contacts, &schedules);
        faults.extend(check_conditions(&protocol, &account).into_list());
        let mut warnings = Faults::default();
        for warning in condition_check::warn(&protocol, &account) {
            add(&mut warnings, warning);
        }
        let own_pins = self.store.list_own_pins(slice::from_ref(&account.id)).await?;
        let own_pins = own_pins.into_iter().map(|(_, contact)| contact).collect();
        let people = People { contacts: &contacts, schedules: &schedules, own_pins: &own_pins };
        for warning in unread_check::warn(&protocol, &account, &edit.call_types, people) {
            add(&mut warnings, warning);
        }
        faults.extend(self.check_replies(&protocol));
        let text = describe(&protocol, &contacts, &account.call_types);
        Ok(Checked { text, faults: faults.into_list(), warnings: warnings.into_list() })
    }

    /// Makes a protocol, or the next version of the one of its name, and puts it in force where that is asked for.
    pub async fn add_protocol(&self, account: &AccountId, edit: &ProtocolEdit) -> Result<Changed<Protocol>, Refusal> {
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, account, edit.edition).await?;
        put_in_force(self, tx, account, edit, &self.origin(None)).await
    }
}

/// All that is wrong with a protocol that is to be put in force, by everything that the transaction sees.
pub(super) async fn check_in_force(
    clients: &Clients,
    tx: &mut Tx,
    account: &Account,
    edit: &ProtocolEdit,
) -> Result<(Protocol, Faults), Refusal> {
    let contacts = tx.list_contacts(&account.id).await?;
    let schedules = tx.list_schedules(&account.id).await?;
    let (protocol, mut faults) = edit.check(&account.id, &contacts, &schedules);
    faults.extend(check_conditions(&protocol, account).into_list());
    faults.extend(clients.check_replies(&protocol));
    if tx.find_recap_plan(&account.id).await?.is_none() {
        faults.extend(held_for_nothing(&protocol));
    }
    for (at, id) in edit.call_types.iter().enumerate() {
        let pointer = format!("/call_types/{at}");
        match account.call_types.iter().find(|t| t.id == *id) {
            None => {
                let cure = "Choose one of the account's call types.";
                faults.add(pointer, "protocol.call_type", "The account has no such call type.", cure);
            }
            Some(call_type) if call_type.urgency == Urgency::NotLegitimate => {
                let detail = "Calls that are not legitimate are not dispatched.";
                faults.add(pointer, "call_type.not_dispatched", detail, "Choose another call type.");
            }
            Some(_) => {}
        }
    }
    Ok((protocol, faults))
}

/// Saves the next version in the transaction that holds the account.
pub(super) async fn put_in_force(
    clients: &Clients,
    mut tx: Tx,
    mut account: Account,
    edit: &ProtocolEdit,
    origin: &Origin,
) -> Result<Changed<Protocol>, Refusal> {
    let now = clients.clock.utc();
    let (mut protocol, faults) = check_in_force(clients, &mut tx, &account, edit).await?;
    faults.unless(()).map_err(Refusal::Faulty)?;
    let versions = tx.list_protocols(&account.id).await?;
    let last = versions.iter().filter(|p| p.name == protocol.name).map(|p| p.version).max().unwrap_or(0);
    protocol.id = ProtocolId::fresh(now);
    protocol.version = last.saturating_add(1);
    tx.insert_made_protocol(&protocol, origin, now).await?;
    for call_type in account.call_types.iter_mut().filter(|t| edit.call_types.contains(&t.id)) {
        call_type.protocol = Some(protocol.id.clone());
    }
    tx.upsert_account(&account, now).await?;
    let Changed { edition, .. } = clients.finish(tx, account).await?;
    Ok(Changed { now: protocol, edition })
}
