//! What a dispatch is told ([`Event`]), what it wants done ([`Effect`]), and what it writes down ([`Note`]).

use serde::{Deserialize, Serialize};

use super::by_hand::HandCall;
use super::fax::FaxOutcome;
use super::in_hours::OutOfHours;
use super::inbox::InboxNews;
use super::job::{JobNews, JobOutcome};
use super::mail::Fate;
use super::patch_step::{PatchEnd, PatchNews};
use super::protocol::Protocol;
use super::push::DevicePush;
use super::state::{CallOutcome, Channel, Phase, Trouble};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, CallTypeId, ContactId, DestinationId, StepRunId};
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::account::{CallType, Contact, Urgency};
use crate::domain::alarm::{self, Means};
use crate::domain::message::form::Answers;
use crate::domain::oncall::OnCall;

/// Something that happened. Those that confirm come out of the store as inbound rows, whatever their door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Time has passed. Harmless at any time: nothing that is not due is done.
    Due,
    /// The dispatcher starts (again): what was planned is handed over at once.
    Resume,
    /// The node `node` is about to give an attempt to its provider.
    Hand { attempt: AttemptId, node: String },
    /// It waits for its turn: more is to leave than may at once.
    Queued { attempt: AttemptId },
    /// The provider took it.
    Accepted { attempt: AttemptId, provider_id: Option<String> },
    /// The same of one that left in one text or email with others: under the name of the attempt `along`, `of` in all.
    AcceptedAlong { attempt: AttemptId, provider_id: String, along: AttemptId, of: usize },
    /// The push services of a person's devices answered, each for its own.
    Pushed { attempt: AttemptId, answers: Vec<DevicePush> },
    /// It reached the device.
    Delivered { attempt: AttemptId },
    /// It did not get through.
    Failed { attempt: AttemptId, failure: Failure, why: String },
    /// The same, and whoever refused it said why.
    Refused { attempt: AttemptId, failure: Failure, why: String, said: Pii<String> },
    /// The node that had handed it over is gone and nobody knows what became of it.
    Interrupted { attempt: AttemptId },
    /// News of a call-out.
    Call { attempt: AttemptId, news: CallNews },
    /// A call for a fax is over.
    Faxed { attempt: AttemptId, outcome: FaxOutcome },
    /// News of a call that an operator is to make.
    Job { attempt: AttemptId, news: JobNews },
    /// News from the inbox of the person whom an attempt reached.
    Inbox { attempt: AttemptId, news: InboxNews },
    /// A person wrote from their inbox, for an operator to read.
    Wrote { contact: ContactId, name: String, words: Pii<String> },
    /// An operator has seen to it that whoever accepted the message knows what it says.
    UnopenedSeen { by: String },
    /// A mail server says what became of an email.
    Mail { attempt: AttemptId, fate: Fate },
    /// The person whom this email asked said yes in a reply to it.
    MailYes { attempt: AttemptId },
    /// It was replied to otherwise, for an operator to read. `from`: the mailbox that the reply says it is from.
    WroteMail { attempt: AttemptId, from: Pii<String>, words: Pii<String> },
    /// A person who was asked has rung back, and the operator `by` speaks with them.
    RingsBack { who: String, by: String },
    /// And no longer.
    RangBack,
    /// The person at `number` replied with `code`.
    Replied { number: PhoneNumber, code: u16 },
    /// The person at `number` asked for no more texts.
    Stopped { number: PhoneNumber },
    /// They take that back (START).
    Started { number: PhoneNumber },
    /// A bare "ok" from a number with several open messages.
    AskedWhich { number: PhoneNumber, name: String },
    /// A text from `number` that matches nothing; `help`: tell them how to confirm. `words`: what it says, where it is about no
    /// other account's message; `among`: it may be about so many.
    Unplaced { number: PhoneNumber, name: String, help: bool, words: Option<Pii<String>>, among: u32 },
    /// An operator has read what somebody texted, wrote or mailed, and acts on it. `all`: nothing else of it waits to be read.
    Dismissed { by: String, all: bool },
    /// An operator acts.
    Operator { by: String, act: OperatorAct },
    /// The call the message was taken on is over.
    CallEnded,
    /// `who` heard the whole message at check-in: from the operator `by`, or by telephone. `edition`: which one they heard;
    /// none: as it is.
    ReadAtCheckIn {
        who: String,
        by: Option<String>,
        #[serde(default)]
        edition: Option<u32>,
    },
    /// News of a patch on that call, to this person or number.
    Patching { contact: Option<ContactId>, number: PhoneNumber, news: PatchNews },
    /// Patches on that call have connected: to these people, one after another.
    Patched { to: Vec<String> },
    /// A recap with the message as this run holds it, in this edition, was accepted for these people.
    Recapped { run: StepRunId, to: Vec<String>, edition: Option<u32> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Certainly not taken; later it may be.
    Temporary,
    /// Never will be: a landline, a blocked or wrong address.
    Permanent,
    /// It may or may not have been taken.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", content = "outcome", rename_all = "snake_case")]
pub enum CallNews {
    Answered,
    Told,
    Confirmed,
    /// They pressed 2 and talk with the caller.
    Joined,
    /// They no longer do.
    Parted {
        secs: u32,
    },
    /// They pressed 2, and the caller could not be had.
    NotJoined(PatchEnd),
    /// The message waits in the call while the caller of another one is talked with, or no longer.
    Waits(bool),
    /// A wrong PIN was keyed as often as one may be.
    WrongPins,
    /// Over. Always the last news.
    Ended(CallOutcome),
    /// The number cannot be called at all.
    WrongNumber,
    /// No trunk would take it.
    NoTrunk,
    /// No voice could speak its words: no trunk was asked.
    NoVoice,
    /// Our own rules forbid such numbers.
    Forbidden,
    /// A network on the way took it for spam: nobody was rung.
    Blocked,
    /// The account, or every trunk, has as many calls as it may: later it may go.
    Limited,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum OperatorAct {
    /// A person said yes to the operator. `edition`: of the message that was read to them; none: as it is.
    Confirm {
        who: String,
        note: Option<String>,
        #[serde(default)]
        edition: Option<u32>,
    },
    /// One of `people` rang back from `number` about a notice, and she has told them what it is about. `edition`: likewise.
    Told {
        number: PhoneNumber,
        people: Vec<ContactId>,
        edition: Option<u32>,
    },
    Close {
        reason: String,
    },
    /// Go on with the next step now. `moves`: as often as it had gone on when the step was seen that is meant; none: from
    /// whichever it is in.
    Skip {
        #[serde(default)]
        moves: Option<u32>,
    },
    /// Try again now what did not get through, or go through the step once more. `moves`: likewise.
    Retry {
        #[serde(default)]
        moves: Option<u32>,
    },
    /// She calls a person herself.
    Call(HandCall),
    /// She has the message texted to a person's telephone now.
    Text {
        contact: ContactId,
        destination: DestinationId,
    },
    /// Take it back within the undo time.
    Undo,
    /// The message is another now. `protocol`: what is in force for it; none: it is not dispatched.
    Change {
        urgency: Urgency,
        protocol: Option<Box<Protocol>>,
        /// Go through the steps again.
        again: bool,
        /// Why not, of what was delivered.
        unsent: Option<String>,
    },
}

/// What the world should do, after the state is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Hand an attempt over: apply [`Event::Hand`], commit, then [`Effect::Perform`].
    Hand(AttemptId),
    /// Give it to the provider now; its handing over is committed.
    Perform(AttemptId),
    /// End a call that is no longer wanted.
    CancelCall(AttemptId),
    /// Write down.
    Record(Entry),
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: UtcMs,
    /// The person it is about.
    pub who: Option<String>,
    pub note: Note,
}

/// What is written down; sentences are made of it by [`super::timeline`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    Opened {
        protocol: String,
        version: u32,
    },
    Round {
        round: u32,
    },
    Step {
        step: usize,
        does: String,
        why: Vec<String>,
    },
    /// A step that is not made now, and why.
    NotMade {
        step: usize,
        does: String,
        why: String,
    },
    /// A step is made again.
    Again {
        step: usize,
        nth: u8,
        of: u8,
        does: String,
    },
    NoOne {
        role: String,
    },
    Unreachable {
        name: String,
        why: String,
    },
    /// They texted START after a STOP.
    Started {
        name: String,
    },
    HeldForCall {
        name: String,
    },
    /// A destination is outside of its hours.
    Hours {
        name: String,
        label: String,
        /// When they begin again, if they do.
        not_before: Option<UtcMs>,
        then: OutOfHours,
    },
    /// It waits for its turn.
    Queued {
        channel: Channel,
        name: String,
    },
    /// What still waited for its turn is left out, as the next try says the same.
    Bundled {
        channel: Channel,
        name: String,
    },
    Handed {
        channel: Channel,
        name: String,
        label: String,
        again: bool,
    },
    /// It left in one text or email with others that had waited.
    LeftAlong {
        channel: Channel,
        name: String,
        of: usize,
    },
    Accepted {
        channel: Channel,
        name: String,
        label: String,
    },
    Delivered {
        channel: Channel,
        name: String,
    },
    /// An email is still on its way, a mail server says.
    Delayed {
        name: String,
        status: String,
    },
    /// The same, so often since then.
    DelayedOften {
        name: String,
        times: u32,
        since: UtcMs,
    },
    /// Their machine has confirmed all pages.
    Faxed {
        name: String,
        pages: u32,
    },
    FaxTakenBack {
        name: String,
    },
    Failed {
        channel: Channel,
        name: String,
        #[serde(default)]
        label: String,
        why: String,
        /// What whoever refused it said, sealed in the store: it may quote a number or an address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Pii<String>>,
        for_good: bool,
    },
    /// What became of a push to each of several devices.
    Devices {
        name: String,
        lines: Vec<DeviceLine>,
    },
    Waiting {
        until: UtcMs,
        next: String,
        /// Nobody's answer is waited for.
        #[serde(default)]
        asks_nobody: bool,
    },
    /// Held for check-in, and what comes when nobody checks in.
    Held {
        until: UtcMs,
        next: String,
    },
    ReadAtCheckIn {
        who: String,
        by: Option<String>,
    },
    /// Heard by telephone as it was before a change.
    HeardBefore {
        who: String,
    },
    Recapped {
        to: Vec<String>,
    },
    Answered {
        name: String,
    },
    /// `wrong_pins`: a wrong PIN was keyed in it as often as one may be.
    CallEnded {
        name: String,
        label: String,
        outcome: CallOutcome,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        wrong_pins: bool,
    },
    Told {
        name: String,
    },
    /// They rang back about a notice, and the operator `by` told them.
    ToldByOperator {
        name: String,
        by: String,
    },
    /// They pressed 2, heard the message before, and talk with the caller.
    Joined {
        name: String,
    },
    Parted {
        name: String,
        since: UtcMs,
        secs: u32,
    },
    NotJoined {
        name: String,
        why: PatchEnd,
    },
    /// Opened in the inbox, all of it.
    Read {
        name: String,
    },
    /// No device took the secure message, so a notice without content goes to this destination.
    NoticeInstead {
        name: String,
        label: String,
    },
    Confirmed {
        name: String,
        via: Via,
        note: Option<String>,
        /// The operator who took their yes, where one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// They said yes to what was over. `ended`: how it was; lines of before that was kept have none.
    Repeated {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<Phase>,
    },
    /// They said again what was answered before, so often since then.
    RepeatedOften {
        name: String,
        times: u32,
        since: UtcMs,
    },
    Trouble {
        trouble: Trouble,
    },
    Skipped {
        by: String,
    },
    /// An operator had it tried again.
    Retried {
        by: String,
    },
    Closed {
        phase: Phase,
        by: Option<String>,
        reason: Option<String>,
    },
    JobOffered {
        name: String,
        label: String,
        then_machine: bool,
    },
    JobTaken {
        name: String,
        label: String,
        by: String,
    },
    JobFreed {
        name: String,
        by: String,
    },
    JobDone {
        name: String,
        label: String,
        by: String,
        outcome: JobOutcome,
    },
    /// A call that an operator made by hand was let go, and nobody has said what came of it.
    HandCallLeft {
        name: String,
        by: String,
    },
    /// An operator has the message texted now.
    TextedByHand {
        name: String,
        label: String,
        by: String,
    },
    NobodyTook {
        name: String,
    },
    PatchOffered {
        name: String,
        label: String,
    },
    PatchBegun {
        name: String,
    },
    PatchOver {
        name: String,
        label: String,
        why: PatchEnd,
    },
    Paused {
        by: String,
        who: String,
        until: UtcMs,
    },
    Resumed,
    StoodDown {
        names: Vec<String>,
        /// An operator has closed it: nobody has taken it on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        closed: bool,
    },
    /// They asked for no more texts, so an answer, or word that it is over, does not go to them.
    NotTexted {
        name: String,
    },
    Reopened {
        name: String,
    },
    /// `open`: the dispatch was, when the message was changed; `again`: its steps begin anew.
    Changed {
        by: String,
        again: bool,
        open: bool,
        /// Why it does not go out again, once it was delivered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsent: Option<String>,
    },
    AnsweredBefore {
        name: String,
    },
    /// Somebody sent a text that matches nothing. `words`: what it says, sealed in the store, where it is about no other account's
    /// message; `among`: it may be about so many.
    Texted {
        name: String,
        words: Option<Pii<String>>,
        among: u32,
    },
    /// Somebody wrote from their inbox. `words`: sealed in the store.
    Wrote {
        contact: ContactId,
        name: String,
        words: Option<Pii<String>>,
    },
    /// An email to `name` was answered. `elsewhere`: from a mailbox that is not the one it went to. `words`: sealed in the store.
    Mailed {
        name: String,
        elsewhere: bool,
        words: Option<Pii<String>>,
    },
    /// Somebody has accepted a protected message and not opened it in time.
    NotOpened {
        name: String,
    },
    /// Somebody has accepted a protected message that they can neither open nor have heard: it stays open.
    AcceptedUnheard {
        name: String,
    },
    /// An operator has seen to it.
    UnopenedSeen {
        name: String,
        by: String,
    },
    /// An operator has seen to what came in, and took it off the desks.
    Dismissed {
        by: String,
    },
    /// A supervisor is told that an operator is needed.
    Alarmed {
        by: Means,
        name: String,
    },
    /// Somebody sees to the alarm.
    Acknowledged {
        by: String,
        via: alarm::Via,
    },
}

/// What became of a push to one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLine {
    pub device: String,
    /// None: its push service took it.
    pub why: Option<String>,
    /// It is tried once more.
    pub again: bool,
}

/// The door a confirmation came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Text,
    Key,
    Operator,
    Inbox,
    Mail,
}

/// What a dispatch looks up in its surroundings while it decides.
pub trait World {
    /// Who is on call for `role` at `at`.
    fn on_call(&self, role: &str, at: UtcMs) -> Option<OnCall>;
    /// The account's zone, in which its times of the day are.
    fn zone(&self) -> &str;
    /// A person of the account.
    fn contact(&self, id: &ContactId) -> Option<&Contact>;
    /// Which edition of it the message is.
    fn edition(&self) -> u32;
    /// The message is of a protected type: what leaves in writing is a notice.
    fn is_protected(&self) -> bool {
        false
    }
    /// Whether texts may go to this number, as far as one of the account's people has it; none: nobody has.
    fn takes_texts(&self, _number: &PhoneNumber) -> Option<bool> {
        None
    }
    /// This person has a PIN of their own, which opens their inbox.
    fn has_own_pin(&self, contact: &ContactId) -> bool;
    /// The account's call types, whose names and forms conditions are said in.
    fn call_types(&self) -> &[CallType] {
        &[]
    }
    /// The call type of the message.
    fn call_type(&self) -> Option<&CallTypeId> {
        None
    }
    /// What was answered; none if that is not known.
    fn answers(&self) -> Option<&Answers> {
        None
    }
    /// The window or holiday of the account that counts at `at`.
    fn window(&self, _at: UtcMs) -> Option<String> {
        None
    }
    /// A confirmation code that is free at `number`.
    fn pick_code(&self, number: &PhoneNumber) -> Option<u16>;
}
