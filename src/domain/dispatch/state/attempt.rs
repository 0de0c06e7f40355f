//! One try at one destination: which way, for what, and its five facts.
//!
//! Plain data, stored as it is. What is shown of it is derived, so that two columns can never disagree. Facts are times, set
//! once and never taken back.

use serde::{Deserialize, Serialize};

use super::{ACCEPT_WITHIN_MS, CALL_GUARD_MS, HAND_WITHIN_MS, LANE_NET_MS, RETRY_AFTER_MS, Reason, TALK_GUARD_MS};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, ContactId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::PagerAddress;
use crate::domain::dispatch::fax::{FAX_GUARD_MS, FaxTries};
use crate::domain::dispatch::inbox::Secure;
use crate::domain::dispatch::job::Job;
use crate::domain::dispatch::patch_step::PatchOffer;
use crate::domain::dispatch::protocol::Method;
use crate::domain::dispatch::push::DevicePush;
use crate::domain::dispatch::recurring::Recurring;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Text,
    Call,
    Pager,
    /// To the devices of a person's inbox.
    Push,
    /// To a system of the client's.
    Webhook,
    Fax,
}

impl Channel {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Text => "text",
            Self::Call => "call",
            Self::Pager => "pager",
            Self::Push => "push",
            Self::Webhook => "webhook",
            Self::Fax => "fax",
        }
    }

    /// What goes that way, in a sentence.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Pager => "page",
            Self::Push => "secure message",
            other => other.name(),
        }
    }

    pub const fn of(method: Method) -> Option<Self> {
        match method {
            Method::Email | Method::EmailConfirm => Some(Self::Email),
            Method::Text | Method::TextConfirm => Some(Self::Text),
            Method::CallOut { .. } | Method::OperatorCall { .. } | Method::LivePatch => Some(Self::Call),
            Method::Pager => Some(Self::Pager),
            Method::SecureMessage { .. } => Some(Self::Push),
            Method::Webhook => Some(Self::Webhook),
            Method::Fax { .. } => Some(Self::Fax),
            Method::HoldForRecap | Method::HoldForCheckIn { .. } => None,
        }
    }
}

/// An address as it was when the attempt was planned.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "address", rename_all = "snake_case")]
pub enum Address {
    Phone(PhoneNumber),
    Email(String),
    Pager(PagerAddress),
    /// The inbox of this person.
    Inbox(ContactId),
    /// The client's system of this name.
    Webhook(String),
    Fax(PhoneNumber),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[address]")
    }
}

impl Address {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) | Self::Fax(number) => number.as_e164(),
            Self::Email(address) => address,
            Self::Pager(pager) => pager.as_str(),
            Self::Inbox(contact) => contact.as_str(),
            Self::Webhook(name) => name,
        }
    }

    /// Where somebody speaks and texts.
    pub const fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(number) => Some(number),
            Self::Email(_) | Self::Pager(_) | Self::Inbox(_) | Self::Webhook(_) | Self::Fax(_) => None,
        }
    }
}

/// What an attempt is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// The message itself, for the run with this index.
    Step { run: usize },
    /// The message itself, beside the steps: an operator brings it by hand. `run`: the last one that had begun.
    ByHand { run: usize },
    /// The email a protocol asks for, after the caller was put through: for the record, with that outcome.
    Record,
    /// Tells the one who confirmed that it counted.
    ConfirmedReply,
    /// Tells one who confirms again who did before.
    AlreadyReply,
    /// Tells the others who were asked.
    StandDown,
    /// Asks which of several open messages is meant.
    WhichReply,
    /// Says how to confirm.
    HelpReply,
    /// Tells one who answers what was told before the message was changed.
    ChangedReply,
    /// Tells one who says yes to what they can neither open nor have heard how to hear it.
    HearFirstReply,
}

/// One try at one destination, or one reply to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub id: AttemptId,
    pub purpose: Purpose,
    pub channel: Channel,
    pub contact: Option<ContactId>,
    /// The person's name, as it was.
    pub name: String,
    /// What people call the destination: "mobile".
    pub label: String,
    pub address: Address,
    /// The code that confirms by text.
    pub code: Option<u16>,
    /// A reply to this email confirms.
    #[serde(default)]
    pub mail_confirm: bool,
    /// Leave what the account leaves when nobody takes the call.
    #[serde(default)]
    pub leave_message: bool,
    /// An operator makes this call.
    #[serde(default)]
    pub job: Option<Job>,
    /// The operator with the caller is asked to put them through.
    #[serde(default)]
    pub patch: Option<PatchOffer>,
    /// It is a secure message, or the notice of one.
    #[serde(default)]
    pub secure: Option<Secure>,
    /// What became of a push to each of the person's devices.
    #[serde(default)]
    pub devices: Vec<DevicePush>,
    /// Accepted for one device, and others of theirs are still tried.
    #[serde(default)]
    pub more: bool,
    /// How often a fax is tried.
    #[serde(default)]
    pub fax: Option<FaxTries>,
    /// If it has to wait for its turn, it may leave in one text or email with others of its account for the same destination.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joins: bool,
    /// It left in one with others: under the name of this attempt, which may be its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub along: Option<AttemptId>,
    /// With all of these, so many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub along_of: u32,
    pub ring_secs: u32,
    pub planned_at: UtcMs,
    /// Since when it waits for its turn, where more is to leave than may at once.
    #[serde(default)]
    pub queued_at: Option<UtcMs>,
    /// When that is looked at, as it is urgent.
    #[serde(default)]
    pub held_back_at: Option<UtcMs>,
    /// An email waits for the end of the call until then, and whatever is not used at this hour for its hours.
    pub hold_until: Option<UtcMs>,
    /// When the hours of its destination begin, if it waits for them.
    #[serde(default)]
    pub not_before: Option<UtcMs>,
    /// The node that handed it over; whoever comes after a crash knows by it.
    pub owner: Option<String>,
    /// The provider's name for it.
    pub provider_id: Option<String>,
    // The five facts, each set once.
    pub handed_at: Option<UtcMs>,
    pub accepted_at: Option<UtcMs>,
    pub delivered_at: Option<UtcMs>,
    pub told_at: Option<UtcMs>,
    pub confirmed_at: Option<UtcMs>,
    /// How often a mail server has said that it is still under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delayed: Option<Recurring>,
    /// How often the person has said again what was known, or what was of before a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Recurring>,
    /// A call: when and how it ended.
    pub ended_at: Option<UtcMs>,
    pub outcome: Option<CallOutcome>,
    /// In the call a wrong PIN was keyed as often as one may be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrong_pins: bool,
    /// With the provider now: handed over (again), no answer yet. A call: until it ends.
    pub in_flight_since: Option<UtcMs>,
    /// In the call, the caller is talked with since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_caller_since: Option<UtcMs>,
    /// So long they spoke with the caller in that call, in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub talked_secs: u32,
    pub failures: u32,
    /// A fax: failures of ours in a row, which are no tries at their machine.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_up: u32,
    /// A fax: the service was stopped in the middle of it, which is no crash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Crashes it was in flight at.
    #[serde(default)]
    pub interruptions: u32,
    pub retry_at: Option<UtcMs>,
    /// Given up, and why.
    pub failed: Option<FailedFor>,
    /// Handed over a second time without knowing whether the first arrived.
    pub uncertain: bool,
    pub cancelled: bool,
}

/// Why an attempt was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedFor {
    pub at: UtcMs,
    pub permanent: bool,
    /// A short code, never an address or a text.
    pub why: String,
}

impl FailedFor {
    /// What a second try could not find out either: it may have arrived, so it is waited for.
    pub const UNKNOWN: &'static str = "unknown";
    /// How a code begins where the carrier has taken some parts of a long text and no more.
    pub const IN_PART: &'static str = "only_part_of_it_was_taken";
    /// No voice of ours could speak the words of a call.
    pub const NO_VOICE: &'static str = "our_voice_failed";

    /// It certainly did not arrive.
    pub fn is_certain(&self) -> bool {
        self.permanent || self.why != Self::UNKNOWN
    }

    /// They asked for no more texts once they had it.
    pub fn is_stopped(&self) -> bool {
        self.why == "stopped"
    }

    /// They have nothing of it: what is left to be told about it need not be told to them.
    pub fn left_nothing(&self) -> bool {
        self.permanent && !self.why.starts_with(Self::IN_PART)
    }
}

/// How a call-out ended, in the dispatcher's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    Confirmed,
    ToldOnly,
    LeftRequest,
    /// The same, on a machine.
    LeftOnMachine,
    /// The same, said to a person who heard another message in the same call.
    LeftWithPerson,
    NotAccepted,
    /// A machine answered, and nothing was left.
    Machine,
    Fax,
    /// Nothing was heard of whoever answered.
    Silent,
    Busy,
    NoAnswer,
    Declined,
    /// Our own machine or the line fell away in the middle.
    Lost,
    Cancelled,
}

/// The state shown for an attempt, derived from its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    Planned,
    Handed,
    Accepted,
    Delivered,
    Told,
    Confirmed,
    /// A call that is over without anybody told.
    Ended,
    FailedTemp,
    FailedPerm,
    Unknown,
    Cancelled,
}

impl AttemptState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Handed => "handed",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Told => "told",
            Self::Confirmed => "confirmed",
            Self::Ended => "ended",
            Self::FailedTemp => "failed_temp",
            Self::FailedPerm => "failed_perm",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Not written where there is nothing to say: most attempts are no fax, and in most calls nobody asks for the caller.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Attempt {
    /// The state shown. Later facts overtake earlier ones, and any fact overtakes a failure before it.
    pub fn state(&self) -> AttemptState {
        let facts = [
            (self.confirmed_at, AttemptState::Confirmed),
            (self.told_at, AttemptState::Told),
            (self.delivered_at, AttemptState::Delivered),
        ];
        if let Some((_, state)) = facts.into_iter().find(|(at, _)| at.is_some()) {
            return state;
        }
        match &self.failed {
            Some(failed) if failed.permanent => return AttemptState::FailedPerm,
            Some(failed) if !failed.is_certain() => return AttemptState::Unknown,
            Some(_) => return AttemptState::FailedTemp,
            None => {}
        }
        if self.cancelled {
            AttemptState::Cancelled
        } else if self.ended_at.is_some() {
            AttemptState::Ended
        } else if self.accepted_at.is_some() {
            AttemptState::Accepted
        } else if self.in_flight_since.is_some() {
            AttemptState::Handed
        } else if self.retry_at.is_some() {
            AttemptState::FailedTemp
        } else {
            AttemptState::Planned
        }
    }

    /// Waits to be handed over now.
    pub fn is_planned(&self) -> bool {
        self.hold_until.is_none() && self.retry_at.is_none() && self.in_flight_since.is_none() && !self.is_settled()
    }

    /// Nothing more will be done for it.
    pub fn is_settled(&self) -> bool {
        let over = match self.channel {
            Channel::Call => self.ended_at.is_some(),
            Channel::Email | Channel::Text | Channel::Pager | Channel::Push | Channel::Webhook | Channel::Fax => {
                self.accepted_at.is_some() && !self.more
            }
        };
        self.in_flight_since.is_none() && (over || self.failed.is_some() || self.cancelled)
    }

    /// Its edge has been down for longer than a step waits for: it is tried now and then, and others go on. The tries that a
    /// fax has at their machine are waited for.
    pub fn is_put_off(&self) -> bool {
        let tries = usize::try_from(self.edge_failures()).unwrap_or(usize::MAX);
        tries > RETRY_AFTER_MS.len() && self.failed.is_none() && self.accepted_at.is_none()
    }

    /// How often whatever it leaves by did not take it.
    pub(in crate::domain::dispatch) const fn edge_failures(&self) -> u32 {
        if self.fax.is_some() { self.held_up } else { self.failures }
    }

    /// How long whoever it was handed to has to say what became of it.
    pub(in crate::domain::dispatch) fn answer_within_ms(&self) -> i64 {
        match self.channel {
            Channel::Fax => i64::from(self.ring_secs) * 1_000 + FAX_GUARD_MS,
            Channel::Email | Channel::Text | Channel::Call | Channel::Pager | Channel::Push | Channel::Webhook => {
                ACCEPT_WITHIN_MS
            }
        }
    }

    /// When a call that is up since then is taken for lost: its end should have been told. A talk with the caller may last.
    pub(in crate::domain::dispatch) fn call_guard_at(&self, since: UtcMs) -> UtcMs {
        match self.with_caller_since {
            Some(talks) => talks.plus_ms(TALK_GUARD_MS),
            None => since.plus_secs(i64::from(self.ring_secs)).plus_ms(CALL_GUARD_MS),
        }
    }

    /// The talk with the caller is over, and the call goes on: its end is waited for anew.
    pub(in crate::domain::dispatch) fn talk_over(&mut self, now: UtcMs) {
        if self.with_caller_since.take().is_some() && self.in_flight_since.is_some() {
            self.in_flight_since = Some(now);
        }
    }

    /// How long it may be under way at the most.
    pub(in crate::domain::dispatch) fn lasts_ms(&self) -> i64 {
        match self.channel {
            Channel::Call if self.with_caller_since.is_some() => TALK_GUARD_MS,
            Channel::Call => i64::from(self.ring_secs) * 1_000 + CALL_GUARD_MS,
            _ => self.answer_within_ms(),
        }
    }

    /// When it is put in line again, should it still wait to be handed over.
    pub(in crate::domain::dispatch) const fn hand_by(&self) -> UtcMs {
        self.planned_at.plus_ms(if self.queued_at.is_some() { LANE_NET_MS } else { HAND_WITHIN_MS })
    }

    /// Is the message itself, not a reply.
    pub const fn is_step(&self) -> bool {
        matches!(self.purpose, Purpose::Step { .. } | Purpose::ByHand { .. })
    }

    /// An operator brings it, beside the steps.
    pub const fn is_by_hand(&self) -> bool {
        matches!(self.purpose, Purpose::ByHand { .. })
    }

    /// When this attempt wants attention, and why.
    pub(super) fn wake(&self) -> Option<(UtcMs, Reason)> {
        if self.is_settled() {
            return None;
        }
        if let Some(patch) = self.patch.as_ref().filter(|_| self.in_flight_since.is_some()) {
            return Some((patch.due_at, Reason::Patch));
        }
        if let Some(job) = self.job.as_ref().filter(|_| self.in_flight_since.is_some()) {
            return Some((job.due_at, Reason::Job));
        }
        Some(match (self.in_flight_since, self.hold_until, self.retry_at) {
            (Some(since), _, _) if self.channel == Channel::Call => (self.call_guard_at(since), Reason::CallGuard),
            (Some(since), _, _) => {
                let faxing = self.channel == Channel::Fax;
                let reason = if faxing { Reason::FaxGuard } else { Reason::AcceptGuard };
                (since.plus_ms(self.answer_within_ms()), reason)
            }
            (None, Some(at), _) if self.not_before == Some(at) => (at, Reason::Hours),
            (None, Some(at), _) => (at, Reason::CallEnd),
            (None, None, Some(at)) => (at, Reason::Retry),
            (None, None, None) if self.queued_at.is_some() => {
                (self.held_back_at.map_or_else(|| self.hand_by(), |at| at.min(self.hand_by())), Reason::Turn)
            }
            (None, None, None) => (self.hand_by(), Reason::Hand),
        })
    }
}
