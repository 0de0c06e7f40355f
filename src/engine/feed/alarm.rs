//! Alarms on the desks, and the chain of those who are told when nobody sees to one.
//!
//! Raised by whoever finds a cause, the chain by `alarms`; decides nothing. What always holds: an alarm keeps its id until it is gone.

use serde::Serialize;

use super::dispatch::LineView;
use crate::base::clock::UtcMs;
use crate::base::id::{CallId, DispatchId, MessageId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlarmView {
    pub id: String,
    pub level: AlarmLevel,
    pub text: String,
    pub at: UtcMs,
    pub dispatch: Option<DispatchId>,
    /// The message that it leads to, also once its dispatch is over and on no board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    pub call: Option<CallId>,
    /// An operator can take it back by having seen to it; others go when their cause does.
    pub dismissible: bool,
}

/// The alarm chain: who was told of what stands, who sees to it, and who is told next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlarmChainView {
    pub begun_at: UtcMs,
    /// Alarms that nobody has acknowledged: ids of alarms.
    pub waits: Vec<String>,
    /// Those that somebody sees to.
    pub acknowledged: Vec<String>,
    /// Steps that were taken, the last ones.
    pub told: Vec<LineView>,
    /// Who acknowledged last.
    pub by: Option<LineView>,
    /// What comes when nobody acknowledges; none: nobody is told, for want of somebody in the configuration.
    pub next: Option<LineView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmLevel {
    Warning,
    Critical,
}
