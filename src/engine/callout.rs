//! What the dispatcher asks of the call side: a call made by the machine that reads a message out, or by an operator, or one for
//! a fax.
//!
//! `engine/calls` makes it, `app` wires the two together, the dispatcher knows only this file.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, DispatchId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Urgency};
use crate::domain::call::cause::Cause;
use crate::domain::dispatch::fax::FaxOutcome;
use crate::domain::message::render::fax::Letter;

pub use crate::domain::call::outbound::{AskPin, OutboundEnd};

/// A call to place for a step. Texts are words for the voice engine, already normalised for speech.
#[derive(Clone, Debug)]
pub struct CallOutRequest {
    pub attempt: AttemptId,
    /// In whose name; none: the house's own, about an alarm. It is on no account's record.
    pub account: Option<AccountId>,
    /// Whom it is for, as the desks name them.
    pub person: Option<String>,
    pub to: PhoneNumber,
    pub caller_id: Option<PhoneNumber>,
    pub ring_secs: u32,
    /// Who calls and what for; nothing of the message ("Imaginary Plumbing has an urgent message for …").
    pub intro: String,
    /// The message; spoken only after 1 was pressed. None: there is nothing to hear, and the first 1 confirms.
    pub content: Option<String>,
    /// What is left when nobody accepts the call, after the beep; `None`: hang up.
    pub leave: Option<String>,
    /// The message is spoken only after this person's PIN.
    pub pin: Option<AskPin>,
    /// Whom 2 connects with, after the message.
    pub caller: Option<PhoneNumber>,
    /// How long they may talk; none: up to an hour.
    pub longest_talk_secs: Option<u32>,
}

/// A fax to send for a step.
#[derive(Clone, Debug)]
pub struct FaxRequest {
    pub attempt: AttemptId,
    pub account: AccountId,
    pub to: PhoneNumber,
    pub caller_id: Option<PhoneNumber>,
    pub ring_secs: u32,
    pub letter: Letter,
}

/// A call that an operator is to make for a step: a job on the desks of this node until it is done or taken back.
#[derive(Clone, Debug)]
pub struct JobOffer {
    pub attempt: AttemptId,
    pub dispatch: DispatchId,
    pub message: MessageId,
    pub account: Arc<Account>,
    pub urgency: Urgency,
    /// What the message is about, in a few words.
    pub headline: String,
    /// Whom to call, and what they call that telephone.
    pub name: String,
    pub label: String,
    pub to: PhoneNumber,
    pub ring_secs: u32,
    /// A request to call back may be left.
    pub leave_message: bool,
    pub offered_at: UtcMs,
    /// Until then an operator may take it before the machine does, or before all desks are alarmed.
    pub due_at: UtcMs,
    pub then_machine: bool,
    /// An operator makes it by hand, beside the steps: it comes to her alone, and her telephone rings at once.
    pub by_hand: Option<UserId>,
}

/// What happens to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// An operator has it.
    Taken { by: UserId },
    /// The dialled telephone was answered.
    Answered { by: UserId },
    /// They have it no longer, and have not said what came of it. It is offered anew.
    Freed { by: UserId },
    /// It was taken back after an operator had taken it.
    Dropped,
    /// Its call is over and nobody has said what came of it: whoever had it at this time, in whatever way, has it no longer.
    Left { at: UtcMs },
}

/// What happened to a call-out. Ends with exactly one [`CallOutEvent::Ended`], or, if it was for a fax, with exactly one
/// [`CallOutEvent::Faxed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutEvent {
    Ringing,
    Answered,
    /// The person pressed 1 and heard the message through to the call-back number.
    Told,
    /// The person pressed 1 after that: they said yes.
    Confirmed,
    /// They pressed 2 after that, and talk with the caller.
    Joined,
    /// They no longer do.
    Parted {
        secs: u32,
    },
    /// They pressed 2, and the caller could not be had.
    NotJoined(Cause),
    /// This message waits while the caller of another one is talked with; or no longer.
    Waits(bool),
    /// Somebody keyed a wrong PIN as often as one may be, and hears nothing of the message.
    WrongPins,
    /// The call is over.
    Ended(OutboundEnd),
    /// The call for a fax is over.
    Faxed(FaxOutcome),
    /// News of a job; what came of it is said at the front door.
    Job(JobEvent),
}

/// Places call-outs. Implemented by `engine/calls`; by a recorder of calls in stories.
pub trait CallOut: Send + Sync {
    /// Starts a call, or has it read in the one that is up for that telephone and account; events follow on `events`.
    fn place(&self, request: CallOutRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>);
    /// Starts a call for a fax; events follow on `events`.
    fn fax(&self, request: FaxRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>);
    /// Puts a job on the desks, or on the one of who makes it by hand; events follow on `events`.
    fn offer(&self, job: JobOffer, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>);
    /// Takes a job off the desks, or ends a call, that is no longer wanted, within 1 s: what is being heard is told "already handled".
    fn cancel(&self, attempt: &AttemptId);
}
