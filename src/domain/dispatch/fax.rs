//! What becomes of a fax, in the dispatch's words: how often it is tried, and how it ended. Only pages that the far machine
//! confirmed count; nobody has read them by that, so a fax is delivered at best and never told.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::{Failure, Note};
use super::protocol::Method;
use super::state::{Channel, Trouble};

/// How often a fax is tried, unless the step says otherwise.
pub const TRIES: u8 = 3;
/// How long after a try that failed the next one is made, unless the step says otherwise: a machine that is busy, or without
/// paper, is so for minutes.
pub const RETRY_SECS: u32 = 5 * 60;
/// What a step may say.
pub const MAX_TRIES: u8 = 10;
pub const RETRY_BOUNDS: (u32, u32) = (30, 3_600);
/// A fax that has not reported its end so long after it was handed over is given up: longer than any call for one lasts, and the
/// one before it at the same machine.
pub const FAX_GUARD_MS: i64 = 90 * 60_000;

/// How a step wants its fax tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxTries {
    pub tries: u8,
    pub retry_secs: u32,
}

impl FaxTries {
    pub(super) const fn of(method: Method) -> Option<Self> {
        match method {
            Method::Fax { tries, retry_secs } => Some(Self { tries, retry_secs }),
            _ => None,
        }
    }
}

/// How one call for a fax ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum FaxOutcome {
    /// The far machine has confirmed every page.
    Delivered { pages: u32 },
    /// Not all of them: `confirmed` of `pages`.
    Failed { why: FaxFault, confirmed: u32, pages: u32 },
    /// It was taken back.
    Cancelled,
}

/// Why a fax did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaxFault {
    Busy,
    NoAnswer,
    Declined,
    WrongNumber,
    /// Our own rules forbid such numbers.
    Forbidden,
    /// A network on the way took the call for spam.
    Blocked,
    /// The account, or every trunk, has as many calls as it may.
    Limited,
    NoTrunk,
    /// Somebody or something answered, and it was no fax machine.
    NoMachine,
    /// It is a fax machine that cannot take such a page.
    Incapable,
    /// The line, or the conversation of the two machines, broke off.
    LineLost,
    /// There is no engine for faxes on this machine.
    NoEngine,
    /// The service was stopped in the middle of it.
    Stopped,
    /// Something of ours failed; the log says what.
    Fault,
}

impl FaxFault {
    /// Whether another try may do better.
    pub const fn failure(self) -> Failure {
        match self {
            Self::WrongNumber | Self::Forbidden | Self::Blocked | Self::Incapable => Failure::Permanent,
            Self::Busy
            | Self::NoAnswer
            | Self::Declined
            | Self::Limited
            | Self::NoTrunk
            | Self::NoMachine
            | Self::LineLost
            | Self::NoEngine
            | Self::Stopped
            | Self::Fault => Failure::Temporary,
        }
    }

    /// It never came to a try at their machine: what failed is on our side.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Limited | Self::NoTrunk | Self::NoEngine | Self::Stopped | Self::Fault)
    }

    /// The code on record, which reads as words.
    const fn code(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Declined => "declined",
            Self::WrongNumber => "wrong_number",
            Self::Forbidden => "not_allowed_by_our_rules",
            Self::Blocked => "taken_for_spam_on_the_way",
            Self::Limited => "too_many_calls_out",
            Self::NoTrunk => "no_trunk",
            Self::NoMachine => "answered_but_no_fax_machine",
            Self::Incapable => "their_machine_cannot_take_such_a_page",
            Self::LineLost => "line_lost",
            Self::NoEngine => "fax_needs_libspandsp2",
            Self::Stopped => "the_service_was_stopped",
            Self::Fault => "a_fault_of_ours",
        }
    }
}

impl Turn<'_> {
    /// A call for a fax is over.
    pub(super) fn faxed(&mut self, i: usize, outcome: FaxOutcome) {
        let a = &mut self.s.attempts[i];
        match outcome {
            FaxOutcome::Delivered { pages } => {
                a.in_flight_since = None;
                a.owner = None;
                a.retry_at = None;
                if a.delivered_at.is_some() {
                    return;
                }
                // What was confirmed arrived, whatever we thought had become of it.
                a.failed = None;
                a.accepted_at.get_or_insert(self.now);
                a.delivered_at = Some(self.now);
                let name = a.name.clone();
                self.s.troubles.remove(&Trouble::EdgeDown { channel: Channel::Fax });
                self.trunks_take_faxes(i);
                self.record(Some(&name), Note::Faxed { name: name.clone(), pages });
            }
            // The next start takes it up ([`Event::Interrupted`]), and knows that it was no crash.
            FaxOutcome::Failed { why: FaxFault::Stopped, .. } => a.stopped = a.in_flight_since.is_some(),
            FaxOutcome::Failed { why, confirmed: 0, .. } if why.is_ours() => self.held_up(i, why.code()),
            FaxOutcome::Failed { why, confirmed: 0, .. } => self.failed(i, why.failure(), why.code()),
            FaxOutcome::Failed { why, confirmed, pages } => {
                let code = format!("{}_after_{confirmed}_of_{pages}_pages", why.code());
                self.failed(i, why.failure(), &code);
            }
            FaxOutcome::Cancelled => {
                if a.in_flight_since.take().is_some() {
                    a.owner = None;
                    a.cancelled = true;
                    let name = a.name.clone();
                    self.record(Some(&name), Note::FaxTakenBack { name: name.clone() });
                }
            }
        }
    }

    /// It has got as far as their machine, or past it: nothing of ours holds this one up any more. Another may be held up still.
    pub(super) fn trunks_take_faxes(&mut self, i: usize) {
        self.s.attempts[i].held_up = 0;
        self.edge_is_back(i, &Trouble::FaxHeldUp);
    }
}
