//! A message: what was taken from a caller. The form's answers, who took it, when, and for whom.

pub mod also;
pub mod edition;
pub mod form;
pub mod kind;
pub mod render;
pub mod shape;
pub mod trigger;
pub mod voicemail;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Urgency;

use edition::Change;
use form::{Answers, Form};
use trigger::Graded;

/// What was taken from a caller. A change makes the next edition; those before stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    pub id: MessageId,
    pub account: AccountId,
    pub call_type: CallTypeId,
    pub call: Option<CallId>,
    pub caller: Option<PhoneNumber>,
    pub urgency: Urgency,
    pub taken_by: Option<UserId>,
    pub taken_at: UtcMs,
    /// When its form was begun: what is asked at some hours alone was asked by this clock. None: when it was taken.
    #[serde(default)]
    pub begun_at: Option<UtcMs>,
    /// The form as it was when the message was taken.
    pub form: Form,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub answers: Answers,
    /// Counted from 1.
    pub edition: u32,
    /// Who made this edition; none: it is as it was taken.
    pub changed: Option<Change>,
    /// Urgency otherwise than by the client's list.
    pub graded: Option<Graded>,
}

impl Message {
    /// By which clock its form was filled in.
    pub fn asked_at(&self) -> UtcMs {
        self.begun_at.unwrap_or(self.taken_at)
    }
}
