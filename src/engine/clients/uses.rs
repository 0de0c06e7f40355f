//! Where a person of an account is named: what a client looks at before they take somebody out, in sentences. That nobody is taken out
//! who is counted on, `contacts` sees to; this only tells.

use serde::Serialize;

use super::contacts::{find_uses, in_use};
use super::{Clients, Refusal};
use crate::base::id::{AccountId, ContactId};
use crate::domain::account::{Contact, Reach};
use crate::domain::dispatch::describe::describe_step;
use crate::domain::dispatch::protocol::Target;

/// Where somebody is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Use {
    pub kind: UseKind,
    /// In a sentence.
    pub text: String,
    /// Which of their destinations it names, if it does.
    pub destination: Option<String>,
}

/// What names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UseKind {
    /// A step of a protocol that runs, or will run next.
    Protocol,
    /// A turn of a schedule.
    Schedule,
    /// On call when nobody else is.
    Fallback,
    /// On call for a time.
    Override,
    Recap,
    /// Hours and menus put callers through to them.
    Hours,
    /// Notices of their secure inbox go to this destination of theirs.
    Notice,
}

impl Clients {
    /// Where a contact of this account is named.
    pub async fn list_uses(&self, account: &AccountId, id: &ContactId) -> Result<Vec<Use>, Refusal> {
        let now = self.clock.utc();
        let missing = || Refusal::Missing { what: "contact" };
        let contact = self.store.find_contact(id).await?.filter(|c| c.account == *account).ok_or_else(missing)?;
        let mut tx = self.store.write().await?;
        let account = tx.find_account(account).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = tx.list_contacts(&account.id).await?;
        let mut uses = Vec::new();
        for (protocol, state) in in_use(&mut tx, &account).await? {
            let name = |id: &ContactId| contacts.iter().find(|c| c.id == *id).map(|c| c.name.clone());
            for (n, step) in (1..).zip(&protocol.steps) {
                let named = step.to.iter().find_map(|target| match target {
                    Target::Contact { contact, destination } if contact == id => Some(destination.clone()),
                    _ => None,
                });
                if named.is_some() {
                    let does = describe_step(step, &name);
                    let text = format!("The protocol {} ({state}), step {n}: {does}.", protocol.name);
                    uses.push(Use { kind: UseKind::Protocol, text, destination: named });
                }
            }
        }
        for schedule in tx.list_schedules(&account.id).await? {
            let role = &schedule.role;
            if schedule.layers.iter().flat_map(|layer| &layer.rotation.turns).any(|turn| turn.people.contains(id)) {
                let text = format!("Takes turns in the schedule of the {role}.");
                uses.push(Use { kind: UseKind::Schedule, text, destination: None });
            }
            if schedule.fallback.as_ref() == Some(id) {
                let text = format!("On call as {role} when nobody else is.");
                uses.push(Use { kind: UseKind::Fallback, text, destination: None });
            }
            let shifts = schedule.temporary.iter().flat_map(|plan| &plan.shifts);
            if shifts.filter(|shift| shift.until > now).any(|shift| shift.contact == *id) {
                let text = format!("Has shifts in a temporary schedule of the {role}.");
                uses.push(Use { kind: UseKind::Schedule, text, destination: None });
            }
            if schedule
                .overrides
                .iter()
                .any(|o| o.until > now && (o.act.contact() == id || o.act.instead_of() == Some(id)))
            {
                let text = format!("Put on call as {role} for a time that is not over.");
                uses.push(Use { kind: UseKind::Override, text, destination: None });
            }
        }
        if let Some(set) = tx.find_recap_plan(&account.id).await? {
            for to in set.plan.to.into_iter().filter(|to| to.contact == *id) {
                let text = format!("Gets the recap at {}.", to.destination);
                uses.push(Use { kind: UseKind::Recap, text, destination: Some(to.destination) });
            }
        }
        // What else would keep them from being taken out is told by whoever would refuse it.
        let kept = find_uses(&mut tx, &account, &contact, None, now).await?;
        let by_hours = kept.into_iter().filter(|fault| fault.cure.contains("hours and menus"));
        uses.extend(by_hours.map(|fault| Use { kind: UseKind::Hours, text: fault.detail, destination: None }));
        uses.extend(notices(&contact));
        tx.rollback().await?;
        Ok(uses)
    }
}

fn notices(contact: &Contact) -> impl Iterator<Item = Use> {
    let inboxes = contact.destinations.iter().filter_map(|d| match &d.reach {
        Reach::Inbox(notice) if !notice.is_empty() => Some(notice),
        _ => None,
    });
    inboxes.map(|notice| Use {
        kind: UseKind::Notice,
        text: format!("Notices of the secure inbox go to {notice}."),
        destination: Some(notice.clone()),
    })
}
