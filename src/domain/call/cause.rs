//! Why a leg or a call ended, in the words of an answering service. SIP's codes become these in
//! `engine/legs` and `engine/trunk` alone.

use serde::{Deserialize, Serialize};

/// Why a leg ended, or never came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The far end hung up.
    HungUp,
    /// We hung up.
    Released,
    Busy,
    NoAnswer,
    /// The person, or their phone, said no (603).
    Declined,
    /// The number does not exist or cannot be dialled (404, 410, 484, 604).
    WrongNumber,
    /// No trunk, no route, or the far end is overloaded (408, 480 without ringing, 5xx).
    Unreachable,
    /// No common codec (488, 606).
    Incompatible,
    /// Refused by our own rules: a number no trunk may dial.
    Forbidden,
    /// Media and signalling of the far end fell silent.
    Lost,
    /// Something of ours failed; the log says what.
    Fault,
}
