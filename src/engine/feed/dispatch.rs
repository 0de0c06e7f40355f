//! A dispatch as operators and clients read it: plain sentences, what was last and what comes next.
//!
//! Made by the dispatcher; decides nothing. What always holds: each is a whole snapshot, and what waits to be asked for is told to all desks
//! without the message's own words ([`DispatchView::for_all`]).

use serde::Serialize;

use super::refs::{AccountRef, ContactRef, UserRef};
use crate::base::clock::UtcMs;
use crate::base::id::{CallId, DispatchId, MessageId, ProtocolId};
use crate::domain::account::Urgency;
use crate::domain::dispatch::state::Phase;

/// A dispatch as an operator and a client read it: plain sentences, with what comes next.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DispatchView {
    pub id: DispatchId,
    pub message: MessageId,
    /// What a person names who calls back about it: six digits, left on their voicemail.
    pub reference: String,
    /// It was: a request to call back has been left with somebody, or on a voicemail.
    pub reference_left: bool,
    /// Which edition of it the message is.
    pub edition: u32,
    pub account: AccountRef,
    /// A state of design §6: `open`, `running`, `confirmed`, …
    pub state: String,
    /// How often it has gone on: sent along with what is done to its step, so that no other one is meant.
    pub moves: u32,
    /// The version of the protocol that it runs, and which of its steps it is in, counted from 1; none: it is in no step.
    pub protocol: ProtocolId,
    pub step: Option<u32>,
    pub urgency: Urgency,
    pub needs_operator: bool,
    /// Somebody was told, or is being told, and it waits for somebody's yes.
    pub waits_for_yes: bool,
    /// The steps have run out where nobody was to say yes, and not all of it could be handed over.
    pub not_handed_over: bool,
    pub alarm: Option<String>,
    /// Since when that alarm stands.
    pub alarm_at: Option<UtcMs>,
    pub opened_at: UtcMs,
    /// Since when it can be read at check-in; none if it cannot.
    pub held_since: Option<UtcMs>,
    pub closed_at: Option<UtcMs>,
    pub undo_until: Option<UtcMs>,
    /// Who called and what for; empty where all desks are told of one that waits for the client's people to ask for it, or was
    /// read to them: whoever reads it asks for it, and is on the audit log.
    pub headline: String,
    /// The last thing that was done for whoever waits; not that a supervisor is told of the alarm.
    pub last: Option<LineView>,
    pub next: Option<LineView>,
    /// Of one that was closed: by whom and why, or how it was over.
    pub ended: Option<LineView>,
    /// What comes when the wait that `next` tells of is over, whom and how first: "call Rosa (mobile)".
    pub next_brief: Option<String>,
    pub confirmed_by: Option<String>,
    /// Whom its protocol now asks to put the caller through to, in the order in which they are tried.
    pub patches: Vec<PatchOfferView>,
    /// Who works on it.
    pub lock: Option<LockView>,
    pub timeline: Vec<LineView>,
}

/// Somebody whom the operator with the caller is asked to ring for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PatchOfferView {
    /// The call with the caller.
    pub call: CallId,
    pub contact: ContactRef,
    /// What people call the telephone: "mobile".
    pub destination: String,
    /// They are being rung.
    pub begun: bool,
    /// By then it has to be begun, else the next step follows.
    pub until: UtcMs,
}

/// An operator works on a dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LockView {
    pub by: UserRef,
    pub since: UtcMs,
    /// When it ends, unless they do something with it.
    pub until: UtcMs,
}

impl DispatchView {
    /// As all desks are told of it unasked.
    pub fn for_all(mut self) -> Self {
        if self.held_since.is_some() || self.state == Phase::ReadAtCheckIn.name() {
            self.headline.clear();
        }
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineView {
    pub at: UtcMs,
    /// Stable: `opened`, `step`, `attempt`, `accepted`, `delivered`, `told`, `confirmed`, `failed`,
    /// `waiting`, `repeat`, `alarm`, `operator`, `changed`, `closed`.
    pub kind: String,
    pub text: String,
    pub who: Option<String>,
}
