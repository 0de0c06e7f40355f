//! A message: what was taken from a caller. The form's answers, who took it, when, and for whom.

pub mod form;
pub mod render;
pub mod voicemail;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Urgency;

use form::{Answers, Form};

/// What was taken from a caller. Immutable once its dispatch has opened.
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
    /// The form as it was when the message was taken.
    pub form: Form,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub answers: Answers,
}
