//! Why we do not make a call, by our own rules or for want of a line.

use crate::domain::call::cause::Cause;

/// Why a call out is not even tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// An emergency number, and no trunk is set for those.
    Emergency,
    /// No trunk may dial such numbers.
    Destination,
    /// The account has as many calls out as it may have at one time.
    AccountCalls,
    /// The account has made as many calls out within the hour as it may.
    AccountHour,
    /// Each trunk that may dial it is full, or takes no more new calls this second.
    LinesBusy,
    /// No server of a trunk that may dial it is known.
    Down,
}

impl Refusal {
    /// As operators and the record see it.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Emergency => Cause::Emergency,
            Self::Destination => Cause::Forbidden,
            Self::AccountCalls | Self::AccountHour => Cause::Limited,
            Self::LinesBusy => Cause::LinesBusy,
            Self::Down => Cause::Unreachable,
        }
    }

    /// For metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Destination => "destination",
            Self::AccountCalls => "account_calls",
            Self::AccountHour => "account_hour",
            Self::LinesBusy => "lines_busy",
            Self::Down => "down",
        }
    }

    /// Somebody who keeps meeting this may be trying to call at our cost.
    pub(super) const fn is_suspicious(self) -> bool {
        matches!(self, Self::Destination | Self::AccountHour)
    }
}
