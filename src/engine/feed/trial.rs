//! Views of what an editor tries at their own telephone: a menu that is walked through, a greeting that is spoken in.
//!
//! Said by `calls/trial` and `calls/dictate`, and only to the console of whoever tries. What always holds: each is a whole snapshot.

use serde::Serialize;

use super::call::ChosenView;
use crate::base::id::{AccountId, UserId};
use crate::domain::account::Speech;
use crate::domain::account::flow::Flow;

/// A menu on somebody's telephone, as far as they have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TrialView {
    pub user: UserId,
    pub account: AccountId,
    pub menu: String,
    pub state: TrialState,
    /// The nodes that they have come through, in order; the last is where they are.
    pub trail: Vec<String>,
    pub chosen: Vec<ChosenView>,
    /// How often they pressed nothing in time, or nothing that could be followed.
    pub missed: u32,
    pub exit: Option<Flow>,
    /// Where a caller would go there, in a sentence.
    pub says: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    Ringing,
    Walking,
    /// At an exit, hearing its words.
    Left,
    Over,
    /// The telephone did not answer.
    Unreached,
}

/// A greeting that is spoken in on somebody's telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DictationView {
    pub user: UserId,
    pub account: AccountId,
    pub state: DictationState,
    /// How often nothing was heard of them.
    pub silent: u32,
    /// What was kept, and how long it is.
    pub speech: Option<Speech>,
    pub millis: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DictationState {
    Ringing,
    /// They are told what to do.
    Listening,
    /// They speak, and are taken down.
    Speaking,
    /// They hear it back, and say whether it is kept.
    Choosing,
    Kept,
    Over,
    /// The telephone did not answer.
    Unreached,
}
