//! A protocol: versioned dispatch steps. Immutable once in force; a dispatch pins the version it runs.

use serde::{Deserialize, Serialize};

use super::condition::Conditions;
use super::fax::{RETRY_SECS, TRIES};
use super::hold::TimeOfDay;
use crate::base::id::{AccountId, ContactId, ProtocolId};

/// A version of an account's steps for a call type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Protocol {
    pub id: ProtocolId,
    pub account: AccountId,
    pub name: String,
    pub version: u32,
    pub steps: Vec<Step>,
    /// Where to go on when the steps have run out.
    pub repeat: Option<Repeat>,
    /// What ends the dispatch.
    pub until: Until,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    pub method: Method,
    pub to: Vec<Target>,
    /// How long an answer is waited for, from acceptance or hang-up, before the next step.
    #[serde(default)]
    pub wait_secs: u32,
    /// It is made more than once before the next step is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<Tries>,
    /// What ends the dispatch in this step, where that is not what ends the protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Until>,
    /// It only tells people: nothing that comes of it ends the dispatch, nobody is told by it for the protocol, and the next
    /// step follows at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub informs: bool,
    /// When it is made at all.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub only: Conditions,
}

/// How often a step is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tries {
    /// At the most.
    pub times: u8,
    /// How long an answer is waited for between two of them, from acceptance or hang-up.
    pub apart_secs: u32,
}

impl Step {
    /// A step that is made once, whenever its turn comes.
    pub fn new(method: Method, to: Vec<Target>, wait_secs: u32) -> Self {
        Self { method, to, wait_secs, tries: None, done: None, informs: false, only: Conditions::default() }
    }

    /// How often it is made at the most.
    pub fn times(&self) -> u8 {
        self.tries.map_or(1, |tries| tries.times.max(1))
    }

    /// What ends the dispatch in this step of a protocol with that end; none: nothing in it does.
    pub fn until(&self, protocol: Until) -> Option<Until> {
        (!self.informs).then(|| self.done.unwrap_or(protocol))
    }

    /// It is over and done with once everybody's carrier has taken it, though its protocol waits for a person.
    pub fn ends_at_handing_over(&self, protocol: Until) -> bool {
        protocol != Until::HandedOver && self.until(protocol) == Some(Until::HandedOver)
    }
}

/// How a step reaches its people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Method {
    Email,
    /// An email that a reply confirms (`ok`).
    EmailConfirm,
    Text,
    /// A text with a code to reply with (`1ok`).
    TextConfirm,
    /// A call that reads the message out.
    CallOut {
        /// Leave what the account leaves when nobody takes the call.
        leave_message: bool,
    },
    /// A call that an operator makes.
    OperatorCall {
        /// Leave a request to call back when nobody takes the call.
        leave_message: bool,
        /// The machine makes it if no operator takes it within a minute.
        then_machine: bool,
    },
    /// A push to the person's inbox, where the message is opened after their PIN. The push itself says nothing of it.
    SecureMessage {
        /// Ask there for a confirmation.
        #[serde(default)]
        confirm: bool,
    },
    HoldForRecap,
    /// The client asks for it: hears it at check-in.
    HoldForCheckIn {
        /// Until this time of the day in the account's zone, `18:00`; then the next step. None: as long as it takes.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        until: Option<TimeOfDay>,
    },
    Pager,
    /// The message as a page for a fax machine.
    Fax {
        /// How often it is tried at the most.
        #[serde(default = "usual_tries")]
        tries: u8,
        /// How long after a try that failed the next one is made.
        #[serde(default = "usual_retry")]
        retry_secs: u32,
    },
    /// The operator puts the caller through, while they are on the line.
    LivePatch,
    Webhook,
}

const fn usual_tries() -> u8 {
    TRIES
}

const fn usual_retry() -> u32 {
    RETRY_SECS
}

/// Whom a step reaches. Resolved when the step starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// Whoever is on call for `role`, at their destination called `destination`.
    OnCall { role: String, destination: String },
    /// A named person, at their destination called `destination`.
    Contact { contact: ContactId, destination: String },
}

/// Go on from an earlier step when the last one is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Repeat {
    /// Counted from 1, as people count steps.
    pub from_step: u32,
}

/// What ends a dispatch (design §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// A person said yes.
    Confirmed,
    /// A person heard or opened the whole content, or confirmed.
    Told,
    /// The carrier took it; for protocols without confirmation.
    HandedOver,
}
