//! An account with everything that belongs to it, as one document: what `cordboard account export` writes and `import` reads.
//!
//! The shapes are the API's. People and protocols are named instead of numbered, so that a document can be written by hand
//! and read into another database. Old versions of protocols and overrides that are over are not in it.

use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, CallTypeId};
use crate::domain::account::edit::AccountEdit;
use crate::domain::account::edit_call_types::{CallTypeEdit, FormEdit};
use crate::domain::account::edit_contact::ContactEdit;
use crate::domain::account::{CallType, Contact, Urgency};
use crate::domain::dispatch::condition::{AnswerIs, Conditions, HoursAre};
use crate::domain::dispatch::hold::TimeOfDay;
use crate::domain::dispatch::protocol::{Method, Protocol, Repeat, Step, Target, Tries, Until};
use crate::domain::message::trigger::Trigger;
use crate::domain::oncall::ShiftLength;
use crate::domain::recap::plan::{Files, Plan, Recipient};

use super::flow_text::FlowText;
use super::people::People;
use super::schedule_text::{LayerText, OverrideText, TemporaryText};
use super::{Clients, Refusal};

/// An account, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub account: AccountEdit,
    #[serde(default)]
    pub contacts: Vec<ContactEdit>,
    #[serde(default)]
    pub schedules: Vec<ScheduleText>,
    #[serde(default)]
    pub protocols: Vec<ProtocolText>,
    #[serde(default)]
    pub call_types: Vec<CallTypeText>,
    /// Hours and menus. Without them they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowText>,
    /// When and to whom its recap goes. Without it that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recap: Option<RecapText>,
}

/// A schedule; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleText {
    pub role: String,
    /// The account's zone if it is left out.
    #[serde(default)]
    pub zone: Option<String>,
    /// The one layer of a simple schedule.
    #[serde(default)]
    pub rotation: Option<RotationText>,
    /// From the lowest to the uppermost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerText>,
    #[serde(default)]
    pub fallback: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remind: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub temporary: Vec<TemporaryText>,
    #[serde(default)]
    pub overrides: Vec<OverrideText>,
}

/// People taking turns, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationText {
    pub people: Vec<String>,
    pub anchor: String,
    pub length: ShiftLength,
}

/// A protocol; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolText {
    pub name: String,
    pub steps: Vec<StepText>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
    pub until: Until,
}

/// A step; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    pub method: Method,
    pub to: Vec<TargetText>,
    #[serde(default)]
    pub wait_secs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<Tries>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Until>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub informs: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<ConditionsText>,
}

/// When a step is made; call types by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionsText {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub call_types: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursAre>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerIs>,
}

/// Whom a step reaches; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TargetText {
    OnCall { role: String, destination: String },
    Contact { contact: String, destination: String },
}

/// A call type; its protocol by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallTypeText {
    pub name: String,
    pub urgency: Urgency,
    #[serde(default)]
    pub triggers: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Trigger>,
    #[serde(default)]
    pub form: FormEdit,
    #[serde(default)]
    pub protocol: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
}

/// A recap's plan; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecapText {
    pub times: Vec<TimeOfDay>,
    pub to: Vec<RecipientText>,
    #[serde(default)]
    pub empty: bool,
    #[serde(default)]
    pub files: Files,
}

/// One who gets it, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientText {
    pub contact: String,
    pub destination: String,
}

impl Clients {
    /// The account with this name or identifier as a document.
    pub async fn export(&self, name: &str) -> Result<Document, Refusal> {
        let id = AccountId::try_from(name.to_owned());
        let named = self.store.find_account_by_name(name).await?;
        let account = match (named, id) {
            (Some(account), _) => Some(account),
            (None, Ok(id)) => self.store.find_account(&id).await?,
            (None, Err(_)) => None,
        };
        let account = account.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(&account.id).await?;
        let schedules = self.store.list_schedules(&account.id).await?;
        let all = self.store.list_protocols(&account.id).await?;
        // Of each name the version in force, else the newest.
        let in_force = |p: &Protocol| account.call_types.iter().any(|t| t.protocol.as_ref() == Some(&p.id));
        let mut protocols: Vec<&Protocol> = Vec::new();
        for protocol in all.iter().filter(|p| in_force(p)).chain(&all) {
            if !protocols.iter().any(|p| p.name == protocol.name) {
                protocols.push(protocol);
            }
        }
        let people = People(&contacts);
        let now = self.clock.utc();
        Ok(Document {
            account: AccountEdit::from(&account),
            contacts: contacts.iter().map(without_ids).collect(),
            schedules: schedules.iter().map(|schedule| people.schedule(schedule, now)).collect(),
            protocols: protocols.iter().map(|protocol| people.protocol(protocol, &account.call_types)).collect(),
            call_types: account.call_types.iter().map(|t| call_type(t, &all)).collect(),
            flow: FlowText::of(&account, &contacts),
            recap: self.store.find_recap_plan(&account.id).await?.map(|set| people.recap(set.plan)),
        })
    }
}

fn without_ids(contact: &Contact) -> ContactEdit {
    let mut edit = ContactEdit::from(contact);
    edit.destinations.iter_mut().for_each(|destination| destination.id = None);
    edit
}

fn call_type(call_type: &CallType, protocols: &[Protocol]) -> CallTypeText {
    let CallTypeEdit { name, urgency, triggers, watched, form, protocol, protected, priority, .. } =
        CallTypeEdit::from(call_type);
    let protocol = protocol.and_then(|id| protocols.iter().find(|p| p.id == id)).map(|p| p.name.clone());
    CallTypeText { name, urgency, triggers, watched, form, protocol, protected, priority }
}

fn conditions(only: &Conditions, call_types: &[CallType]) -> ConditionsText {
    let Conditions { call_types: ids, answers, hours, windows } = only.clone();
    let name = |id: CallTypeId| {
        let found = call_types.iter().find(|t| t.id == id);
        found.map_or_else(|| id.to_string(), |t| t.name.clone())
    };
    ConditionsText { call_types: ids.into_iter().map(name).collect(), hours, windows, answers }
}

impl People<'_> {
    fn recap(&self, plan: Plan) -> RecapText {
        let name = |one: Recipient| RecipientText { contact: self.name(&one.contact), destination: one.destination };
        RecapText {
            times: plan.times,
            to: plan.to.into_iter().map(name).collect(),
            empty: plan.empty,
            files: plan.files,
        }
    }

    fn protocol(&self, protocol: &Protocol, call_types: &[CallType]) -> ProtocolText {
        let target = |target: &Target| match target {
            Target::OnCall { role, destination } => {
                TargetText::OnCall { role: role.clone(), destination: destination.clone() }
            }
            Target::Contact { contact, destination } => {
                TargetText::Contact { contact: self.name(contact), destination: destination.clone() }
            }
        };
        let step = |step: &Step| StepText {
            method: step.method,
            to: step.to.iter().map(target).collect(),
            wait_secs: step.wait_secs,
            tries: step.tries,
            done: step.done,
            informs: step.informs,
            only: (!step.only.is_empty()).then(|| conditions(&step.only, call_types)),
        };
        ProtocolText {
            name: protocol.name.clone(),
            steps: protocol.steps.iter().map(step).collect(),
            repeat: protocol.repeat,
            until: protocol.until,
        }
    }
}
