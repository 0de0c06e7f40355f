//! The answer phrase of an account in an operator's own voice: recorded by her once, heard by callers whenever she takes one of
//! the account's calls.

use serde::{Deserialize, Serialize};

use super::Speech;
use crate::base::id::UserId;

/// An operator's recording of an account's answer phrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnswerPhrase {
    pub operator: UserId,
    pub speech: Speech,
    pub millis: u32,
}
