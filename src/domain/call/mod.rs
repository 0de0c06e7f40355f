//! A call: the legs that belong together, from INVITE to wrap-up.
//!
//! [`Call`] is a machine: it decides and never does. This file holds its words, its state and how it ends; [`caller`] the
//! caller's way (greeting, queue), [`patch`] the live patch, [`transfer`] what a desk phone does of that
//! kind, [`operator`] the operator's side of it, [`listener`] supervisors who listen, [`moving`] those who move it, [`outbound`] the call a machine makes, [`recording`] whether it is recorded,
//! [`view`] what can be read off. `engine/calls` drives it, `engine/legs` carries out
//! what it says.
//!
//! What always holds: who hears whom is computed from the state alone and sent as a whole snapshot with a
//! revision whenever it changes; a hang-up beats a join; the server's legs are each released exactly once; and
//! [`Output::Ended`] comes exactly once, however the parties leave.

pub mod bridge;
mod caller;
pub mod cause;
pub mod event;
pub mod leg;
pub mod listener;
mod moving;
mod operator;
pub mod outbound;
pub mod patch;
pub mod path;
pub mod recording;
pub mod transfer;
pub mod view;

#[cfg(test)]
mod random_test;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transfer_tests;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::base::deadline::soonest;
use crate::base::id::{ContactId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{RecordingPolicy, Speech};

use bridge::{HearMatrix, LegId};
use cause::Cause;
use event::{CallOutcome, OfferEnd, RecordEvent, Stage};
use leg::{Leg, LegInput};
use listener::Listener;
use patch::{Patch, PatchEnd};
use recording::{Recording, RecordingCommand, RecordingState};
use transfer::TransferProgress;

/// The longest a prompt is waited for whose end we were never told.
const PROMPT_LIMIT: Duration = Duration::from_secs(180);
/// How long a caller whose INVITE we answered may take to acknowledge; the signalling side gives up at 32 s.
const ACK_LIMIT: Duration = Duration::from_secs(40);
/// How long we wait to hear from the console of an operator whose phone hung up.
const DOUBT_LIMIT: Duration = Duration::from_secs(15);

/// What a call is made with, out of its account.
#[derive(Clone, Debug)]
pub struct Setup {
    pub caller: LegId,
    pub greeting: Speech,
    pub apology: Speech,
    pub comfort: Option<Speech>,
    /// How long one operator is offered the call.
    pub ring: Duration,
    pub recording: RecordingPolicy,
}

/// What a call is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The call is here; always first.
    Arrived,
    Leg {
        leg: LegId,
        event: LegInput,
    },
    PlayDone {
        leg: LegId,
        play: u64,
    },
    /// Words could not be spoken; a tone plays in their place.
    Unspoken {
        leg: LegId,
        play: u64,
    },
    /// A hear matrix is in force.
    Bridged {
        rev: u64,
    },
    /// The queue picked an operator. `ring`: their phone is rung at once; otherwise they must take the call.
    Offer {
        user: UserId,
        leg: LegId,
        ring: bool,
    },
    /// The account's maximum wait is over.
    Overdue,
    /// Time for the comfort message.
    Comfort,
    /// Neither media nor console of the operator for 5 s.
    SeatLost {
        user: UserId,
    },
    /// The operator's phone hung up and the console is alive: it was meant.
    SeatHungUp {
        user: UserId,
    },
    /// The service is stopping: everybody is let go.
    Stop,
    /// A deadline may have passed.
    Tick,
}

/// What an operator does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorCommand {
    Take,
    Hold,
    Retrieve,
    HangUp,
    /// Dial a contact while the caller hears music. `leg` is the number of the leg to be made.
    Patch {
        leg: LegId,
        number: PhoneNumber,
        contact: Option<ContactId>,
        ring: Duration,
    },
    Join,
    Drop,
    Cancel,
    Recording(RecordingCommand),
    WrapUpDone {
        disposition: Option<String>,
    },
}

/// Why a command was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    NoSuchCall,
    /// Another operator has the call, or none.
    NotYours,
    /// It does not fit what the call is doing now.
    NotNow,
    /// The caller has hung up in the meantime.
    CallerGone,
    /// The account does not want its calls recorded.
    NotRecorded,
    /// Who has the call cannot listen to it as well.
    OwnCall,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchCall => "there is no such call",
            Self::NotYours => "this call is not at your seat",
            Self::NotNow => "the call cannot do that now",
            Self::CallerGone => "the caller has hung up",
            Self::NotRecorded => "calls for this account are not recorded",
            Self::OwnCall => "this call is yours: you are in it already",
        })
    }
}

impl std::error::Error for CommandError {}

/// Whom a leg is dialled to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Operator(UserId),
    /// A supervisor who wants to listen.
    Listener(UserId),
    Number(PhoneNumber),
}

/// Something people should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAlarm {
    /// No operator within the maximum wait: somebody has to call back.
    NoOperator,
}

/// What a call wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Answer the caller.
    Answer {
        leg: LegId,
    },
    Dial {
        leg: LegId,
        to: Party,
    },
    /// End a leg, in whatever state it is, and close its media. Exactly once for every leg.
    HangUp {
        leg: LegId,
    },
    /// End a second leg of an operator's phone, which is not answered yet, in place of [`Output::HangUp`].
    Refuse {
        leg: LegId,
        why: Cause,
    },
    /// Answer that leg: the contact is there.
    AnswerOperator {
        leg: LegId,
    },
    /// How the transfer goes that was asked for by `leg`.
    Transfer {
        leg: LegId,
        progress: TransferProgress,
    },
    SetBridge {
        rev: u64,
        matrix: HearMatrix,
    },
    Play {
        leg: LegId,
        play: u64,
        speech: Speech,
    },
    StopPlay {
        leg: LegId,
        play: u64,
    },
    /// The caller's call is recorded, or not, from now on.
    SetRecording {
        leg: LegId,
        state: RecordingState,
    },
    /// To the queue: a caller waits.
    Enqueue,
    /// To the queue: the caller no longer waits.
    Dequeue,
    /// To the queue: the caller is back, at the head.
    Requeue,
    /// The same, and this operator is to have them if they are free.
    Hand {
        user: UserId,
    },
    OfferAccepted {
        user: UserId,
    },
    OfferFailed {
        user: UserId,
        why: OfferEnd,
    },
    /// Nothing is heard of the operator's browser, or it is heard again.
    OperatorSilent {
        user: UserId,
        silent: bool,
    },
    /// The operator's phone hung up: was that meant?
    OperatorHungUp {
        user: UserId,
    },
    /// The operator was lost to the call.
    OperatorLost {
        user: UserId,
    },
    /// The operator has no more to do with the call but to finish the form.
    SeatFreed {
        user: UserId,
    },
    WrappedUp {
        user: UserId,
    },
    /// A supervisor no longer listens. Once for each that ever was dialled.
    ListenerGone {
        user: UserId,
    },
    Record {
        at: Instant,
        event: RecordEvent,
    },
    Alarm(CallAlarm),
    /// All is over but the operator's wrap-up. Exactly once.
    Ended {
        cause: Cause,
        outcome: CallOutcome,
    },
}

/// Why a call wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Acknowledge,
    PromptEnd,
    OfferRing,
    ContactRing,
    Doubt,
    Farewell,
    Listener,
}

/// The operator of a call.
#[derive(Clone, Debug)]
struct Operator {
    user: UserId,
    leg: Leg,
    /// Their phone has put the caller on hold.
    holds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Arriving {
        until: Instant,
    },
    Greeting {
        until: Instant,
    },
    Queued,
    Offered {
        until: Instant,
    },
    Talking,
    Held,
    /// The operator's phone hung up; the console will tell whether that was meant.
    Doubt {
        until: Instant,
    },
    /// `self.patch` says how far.
    Patching,
    Apology {
        until: Instant,
    },
    /// Only a contact is left, who is being told goodbye.
    Farewell,
    Over,
}

/// A leg that hears its last words.
#[derive(Clone, Debug)]
struct Parting {
    leg: Leg,
    play: u64,
    until: Instant,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    setup: Setup,
    now: Instant,
    phase: Phase,
    stage: Stage,
    stage_since: Instant,
    caller: Leg,
    caller_gone: bool,
    operator: Option<Operator>,
    patch: Option<Patch>,
    recording: Recording,
    /// How the last patch came to nothing, for the screen.
    patch_end: Option<PatchEnd>,
    /// The contact who was joined with the caller, once there was one.
    joined: Option<Option<ContactId>>,
    handled: bool,
    /// The operator who still has the form to finish.
    wrapping: Option<UserId>,
    parting: Vec<Parting>,
    listeners: Vec<Listener>,
    /// What plays to the caller.
    playing: Option<u64>,
    last_play: u64,
    rev: u64,
    matrix: HearMatrix,
    outputs: VecDeque<Output>,
}

impl Call {
    /// A call that has not begun; give it [`Input::Arrived`].
    pub fn new(now: Instant, setup: Setup) -> Self {
        let caller = Leg::new(setup.caller);
        let recording = Recording::new(setup.recording.clone());
        Self {
            setup,
            now,
            phase: Phase::New,
            stage: Stage::Arriving,
            stage_since: now,
            caller,
            caller_gone: false,
            operator: None,
            patch: None,
            recording,
            patch_end: None,
            joined: None,
            handled: false,
            wrapping: None,
            parting: Vec::new(),
            listeners: Vec::new(),
            playing: None,
            last_play: 0,
            rev: 0,
            matrix: HearMatrix::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = now;
        match input {
            Input::Arrived => self.arrive(),
            Input::Leg { leg, event } => self.on_leg(leg, event),
            Input::PlayDone { leg, play } => self.on_play_done(leg, play),
            Input::Unspoken { leg, play } => self.on_unspoken(leg, play),
            Input::Bridged { rev } => {
                // A shard may still tell of an older snapshot: only the last one counts.
                if rev == self.rev {
                    self.record(RecordEvent::Bridged { rev });
                }
            }
            Input::Offer { user, leg, ring } => self.on_offer(user, leg, ring),
            Input::Overdue => self.on_overdue(),
            Input::Comfort => self.on_comfort(),
            Input::SeatLost { user } => self.on_seat_lost(&user),
            Input::SeatHungUp { user } => self.on_seat_hung_up(&user),
            Input::Stop => {
                self.end(Cause::Released);
                self.wrapping = None;
            }
            Input::Tick => self.on_tick(),
        }
        self.settle();
    }

    /// Follows an operator, or says why not. Nothing changes when it does not.
    pub fn command(&mut self, now: Instant, by: &UserId, command: OperatorCommand) -> Result<(), CommandError> {
        self.now = now;
        let result = self.follow(by, command);
        self.settle();
        result
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let own = match self.phase {
            Phase::Arriving { until } => Some((until, Reason::Acknowledge)),
            Phase::Greeting { until } | Phase::Apology { until } => Some((until, Reason::PromptEnd)),
            Phase::Offered { until } => Some((until, Reason::OfferRing)),
            Phase::Doubt { until } => Some((until, Reason::Doubt)),
            Phase::Patching => {
                self.patch.as_ref().and_then(Patch::ring_until).map(|until| (until, Reason::ContactRing))
            }
            _ => None,
        };
        let farewell = self.parting.iter().map(|p| p.until).min().map(|until| (until, Reason::Farewell));
        let announced = self.announced_until().map(|until| (until, Reason::PromptEnd));
        let listener = self.listeners_until().map(|until| (until, Reason::Listener));
        soonest(soonest(own, announced), soonest(farewell, listener))
    }

    /// True when nothing is left to do, wrap-up included.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Over && self.wrapping.is_none() && self.outputs.is_empty()
    }

    fn on_leg(&mut self, leg: LegId, event: LegInput) {
        if leg == self.caller.id {
            self.on_caller(event);
        } else if self.operator.as_ref().is_some_and(|o| o.leg.id == leg) {
            self.on_operator(event);
        } else if self.patch.as_ref().is_some_and(|p| p.leg.id == leg) {
            self.on_contact(event);
        } else if self.consult_leg() == Some(leg) {
            self.on_consult(event);
        } else if self.listens(leg) {
            self.on_listener(leg, event);
        } else if matches!(event, LegInput::Ended(_)) {
            self.end_parting(|p| p.leg.id == leg);
        }
    }

    fn on_play_done(&mut self, leg: LegId, play: u64) {
        if leg != self.caller.id {
            self.contact_heard(leg, play);
            self.end_parting(|p| p.leg.id == leg && p.play == play);
            return;
        }
        if self.playing != Some(play) {
            return;
        }
        self.playing = None;
        self.caller_heard(play);
        match self.phase {
            Phase::Greeting { .. } => self.greeting_over(),
            Phase::Apology { .. } => self.end(Cause::NoAnswer),
            _ => {}
        }
    }

    fn on_tick(&mut self) {
        let now = self.now;
        match self.phase {
            Phase::Arriving { until } if until <= now => self.on_caller_gone(Cause::Lost),
            Phase::Greeting { until } if until <= now => {
                let announcing = self.is_announcing();
                self.stop_play();
                if announcing {
                    self.join_queue();
                } else {
                    self.greeting_over();
                }
            }
            Phase::Apology { until } if until <= now => self.end(Cause::NoAnswer),
            Phase::Offered { until } if until <= now => self.fail_offer(OfferEnd::Missed),
            Phase::Doubt { until } if until <= now => self.lose_operator(),
            Phase::Patching if self.patch.as_ref().and_then(Patch::ring_until).is_some_and(|u| u <= now) => {
                self.fail_patch(Cause::NoAnswer);
            }
            _ => {}
        }
        self.give_up_announcement();
        self.give_up_listeners();
        self.end_parting(|p| p.until <= now);
    }

    /// Ends the call for everybody still in it.
    fn end(&mut self, cause: Cause) {
        if self.phase == Phase::Over {
            return;
        }
        let stage = self.stage_now();
        self.end_recording();
        self.stop_play();
        match self.phase {
            Phase::Offered { .. } => {
                // Out of the queue first: else the seat that is free again is offered this call once more.
                self.outputs.push_back(Output::Dequeue);
                self.fail_offer(OfferEnd::Withdrawn);
            }
            Phase::Queued => self.outputs.push_back(Output::Dequeue),
            _ => {}
        }
        let outcome = match (self.joined.is_some(), self.handled) {
            (true, _) => CallOutcome::Patched,
            (false, true) => CallOutcome::Handled,
            (false, false) if stage == Stage::Apology => CallOutcome::NoOperator,
            (false, false) => CallOutcome::Abandoned(stage),
        };
        self.phase = Phase::Over;
        // The bridge is emptied before its legs go.
        self.settle_bridge();
        self.release_caller();
        self.end_transfer(cause);
        if let Some(mut patch) = self.patch.take() {
            self.release(&mut patch.leg);
        }
        for mut parting in std::mem::take(&mut self.parting) {
            self.release(&mut parting.leg);
        }
        self.let_listeners_go(|_| true);
        self.free_operator();
        self.record(RecordEvent::Ended { cause, outcome });
        self.outputs.push_back(Output::Ended { cause, outcome });
    }

    fn release_caller(&mut self) {
        if self.caller.release() {
            self.outputs.push_back(Output::HangUp { leg: self.caller.id });
        }
    }

    fn release(&mut self, leg: &mut Leg) {
        if leg.release() {
            self.outputs.push_back(Output::HangUp { leg: leg.id });
        }
    }

    fn next_play(&mut self) -> u64 {
        self.last_play += 1;
        self.last_play
    }

    fn play_to_caller(&mut self, speech: Speech) {
        let play = self.next_play();
        self.playing = Some(play);
        self.outputs.push_back(Output::Play { leg: self.caller.id, play, speech });
    }

    fn stop_play(&mut self) {
        if let Some(play) = self.playing.take() {
            self.caller_missed();
            self.outputs.push_back(Output::StopPlay { leg: self.caller.id, play });
        }
    }

    fn record(&mut self, event: RecordEvent) {
        self.outputs.push_back(Output::Record { at: self.now, event });
    }

    /// After every input: the stage's clock and, if it changed, who hears whom.
    fn settle(&mut self) {
        let stage = self.stage_now();
        if stage != self.stage {
            self.stage = stage;
            self.stage_since = self.now;
        }
        self.lift_pause();
        self.settle_listeners();
        self.settle_bridge();
        self.settle_recording();
    }

    fn settle_bridge(&mut self) {
        if self.recording_now() != RecordingState::On {
            // Silent before anybody is heard who was not told.
            self.settle_recording();
        }
        let matrix = self.who_hears_whom();
        if matrix != self.matrix {
            self.rev += 1;
            self.matrix = matrix.clone();
            self.outputs.push_back(Output::SetBridge { rev: self.rev, matrix });
        }
    }
}
