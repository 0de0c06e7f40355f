//! Protocols that are being written: what one would do at a time, and what the trades begin with. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::protocols::check_conditions;
use super::{Clients, ProtocolEdit, Refusal};
use crate::base::id::{AccountId, CallTypeId, ContactId};
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::dispatch::simulate::{
    MAX_AFTER_MINUTES, MAX_HOURS, Outlook, People, Scenario, Surroundings, simulate,
};
use crate::domain::dispatch::template::{Fitted, Player, TEMPLATES, Template, find_template};
use crate::domain::message::form::Answers;
use crate::domain::oncall::first_instant;

const fn usual_hours() -> u32 {
    2
}

/// What is asked of a protocol that is not in force yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// As it is written, whether it was saved or not.
    pub protocol: ProtocolEdit,
    /// What kind of message it is.
    pub call_type: CallTypeId,
    /// When it is saved, on the account's clock: `2026-03-07T02:00`.
    pub at: String,
    /// How long is looked ahead, in hours.
    #[serde(default = "usual_hours")]
    pub hours: u32,
    #[serde(default)]
    pub people: People,
    /// What the message says, by the names of fields: conditions of steps may ask for it.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub answers: Answers,
}

/// A template as it would be in an account.
#[derive(Clone, Debug)]
pub struct Offered {
    pub template: &'static Template,
    /// Who plays its parts, as far as titles and roles tell.
    pub players: BTreeMap<String, Player>,
    /// What it would do, in plain English.
    pub text: Vec<String>,
}

impl Clients {
    /// What would happen with a message of that kind saved at that time. Faults, in the protocol (`/protocol/steps/0`) or in what
    /// is asked (`/at`), and nothing to be seen; or no faults.
    pub async fn rehearse(&self, id: &AccountId, asked: &Rehearsal) -> Result<Result<Outlook, Vec<Fault>>, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(id).await?;
        let schedules = self.store.list_schedules(id).await?;
        let recap = self.store.find_recap_plan(id).await?.map(|set| set.plan);
        let own_pins = self.store.list_own_pins(slice::from_ref(id)).await?;
        let own_pins: BTreeSet<ContactId> = own_pins.into_iter().map(|(_, contact)| contact).collect();
        let mut faults = Faults::default();
        let (protocol, wrong) = asked.protocol.check(id, &contacts, &schedules);
        let within = |fault: Fault| Fault { pointer: format!("/protocol{}", fault.pointer), ..fault };
        faults.extend(wrong.into_list().into_iter().map(within));
        faults.extend(check_conditions(&protocol, &account).into_list().into_iter().map(within));
        let call_type = account.call_types.iter().find(|t| t.id == asked.call_type);
        if call_type.is_none() {
            let cure = "Choose one of the account's call types.";
            faults.add("/call_type", "protocol.call_type", "The account has no such call type.", cure);
        }
        let zone = TimeZone::get(&account.zone).unwrap_or(TimeZone::UTC);
        let start = asked.at.parse::<DateTime>().ok().and_then(|at| first_instant(&zone, at));
        if start.is_none() {
            let cure = "Write it on the account's clock: 2026-03-07T02:00.";
            faults.add("/at", "simulation.at", "That is not a time.", cure);
        }
        if !(1..=MAX_HOURS).contains(&asked.hours) {
            let cure = format!("Choose 1 to {MAX_HOURS} hours.");
            faults.add("/hours", "simulation.hours", "So long cannot be looked ahead.", cure);
        }
        if matches!(asked.people, People::Confirms { after_minutes, .. } if after_minutes > MAX_AFTER_MINUTES) {
            let cure = format!("Choose {MAX_AFTER_MINUTES} minutes at most.");
            faults.add("/people/after_minutes", "simulation.after", "They confirm a day later at most.", cure);
        }
        let (Some(call_type), Some(start)) = (call_type, start) else { return Ok(Err(faults.into_list())) };
        if let Err(faults) = faults.unless(()) {
            return Ok(Err(faults));
        }
        let (call_type, people) = (call_type.clone(), asked.people);
        let scenario = Scenario { start, hours: asked.hours, people, answers: asked.answers.clone() };
        // It takes its time, and calls and dispatches have theirs meanwhile.
        let seen = tokio::task::spawn_blocking(move || {
            let around = Surroundings {
                account: &account,
                call_type: &call_type,
                contacts: &contacts,
                schedules: &schedules,
                recap: recap.as_ref(),
                own_pins: &own_pins,
            };
            simulate(&protocol, &around, &scenario)
        });
        // A panic is the request's, as anywhere.
        let seen = seen.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Ok(seen.map_err(|why| {
            let mut faults = Faults::default();
            faults.add("/people/step", "simulation.step", why.to_string(), "Choose another step, or nobody.");
            faults.into_list()
        }))
    }

    /// The templates, each with who of the account would play its parts.
    pub async fn list_templates(&self, id: &AccountId) -> Result<Vec<Offered>, Refusal> {
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(id).await?;
        let schedules = self.store.list_schedules(id).await?;
        let offered = |template: &'static Template| {
            let players = template.guess(&contacts, &schedules);
            let fitted = template.fit(&players, &contacts, &schedules);
            Offered { template, players, text: describe(&unsaved(id, fitted), &contacts, &account.call_types) }
        };
        Ok(TEMPLATES.iter().map(offered).collect())
    }

    /// The template called `key` with these people.
    pub async fn fit_template(
        &self,
        id: &AccountId,
        key: &str,
        players: &BTreeMap<String, Player>,
    ) -> Result<Fitted, Refusal> {
        self.store.find_account_edition(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let template = find_template(key).ok_or(Refusal::Missing { what: "template" })?;
        let contacts = self.store.list_contacts(id).await?;
        let schedules = self.store.list_schedules(id).await?;
        Ok(template.fit(players, &contacts, &schedules))
    }
}

fn unsaved(account: &AccountId, fitted: Fitted) -> Protocol {
    let Fitted { name, steps, repeat, until } = fitted;
    let id = crate::base::id::ProtocolId::named("unsaved");
    Protocol { id, account: account.clone(), name, version: 1, steps, repeat, until }
}
