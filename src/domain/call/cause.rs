//! Why a leg or a call ended, in the words of an answering service. SIP's codes become these in
//! `engine/sip_side` alone.

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
    /// The person, or their phone, wants no calls from the number we show (607).
    Unwanted,
    /// A network on the way took the call for spam; the person heard nothing of it (608).
    Blocked,
    /// The number does not exist or cannot be dialled (404, 410, 484, 604).
    WrongNumber,
    /// No trunk is up, no route, or the far end is overloaded (408, 480 without ringing, 5xx).
    Unreachable,
    /// Each trunk that might carry the call is full.
    LinesBusy,
    /// No common codec (488, 606).
    Incompatible,
    /// Refused by our own rules: a number no trunk may dial.
    Forbidden,
    /// Refused by our own rules: an emergency number, and no trunk is registered with an address for those.
    Emergency,
    /// Refused by our own rules: the account has as many calls out as it may have.
    Limited,
    /// Media and signalling of the far end fell silent.
    Lost,
    /// Something of ours failed; the log says what.
    Fault,
}
