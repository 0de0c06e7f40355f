//! A call: the legs that belong together, from INVITE to wrap-up.
//!
//! [`Call`] is a machine: it decides and never does. `engine/calls` drives it, `engine/legs` carries out what it says. This
//! file holds its state and how it ends; each of the others a part of its life:
//!
//! * [`words`]     what it is told, what is asked of it, what it wants done.
//! * [`caller`]    the caller's way: greeting, queue. [`flow`] is what lies between, [`early_keys`] what is pressed too soon for it,
//!   [`voicemail`] what is said to nobody, [`check_in`] a client's person who hears held messages,
//!   [`sent_to_check_in`] one whom an operator sends there.
//! * [`operator`]  the operator's side, [`own_voice`] what she has recorded of it, [`wrap_up`] what is left to do then, [`place`] what waiting callers are told.
//! * [`patch`]     the live patch; [`transfer`] what a desk phone does of that kind; [`reach`] the one that nobody makes by
//!   hand; [`alone`] caller and contact on their own;
//!   [`patch_report`] what became of them.
//! * [`joining`]   a caller who becomes the contact of another call.
//! * [`park`]      callers who are parked or passed on; [`colleague`] an operator whom the operator asks; [`room`] more than two who talk.
//! * [`callback`]  who would rather be called back, [`ring_back`] the call that does it, [`abandoned`] who hung up too early.
//! * [`errand`]    calls that begin at our side: a job of a dispatch's, an operator who dials out.
//! * [`listener`]  supervisors who listen, [`moving`] those who move the call.
//! * [`outbound`]  the call that a machine makes. [`recording`] whether it is recorded. [`view`] what can be read off,
//!   [`comes`] why a caller comes.
//!
//! What always holds: who hears whom is computed from the state alone and sent as a whole snapshot with a
//! revision whenever it changes; a hang-up beats a join; the server's legs are each released exactly once; and
//! [`Output::Ended`] comes exactly once, however the parties leave.

pub mod abandoned;
mod alone;
pub mod bridge;
pub mod callback;
mod caller;
pub mod cause;
pub mod check_in;
pub mod colleague;
pub mod comes;
mod early_keys;
pub mod errand;
pub mod event;
pub mod fax;
mod flow;
pub mod joining;
pub mod leg;
pub mod listener;
mod moving;
mod operator;
pub mod outbound;
mod own_voice;
pub mod park;
pub mod patch;
pub mod patch_report;
pub mod path;
mod place;
pub mod reach;
pub mod recording;
pub mod ring_back;
mod room;
mod sent_to_check_in;
pub mod transfer;
pub mod view;
mod voicemail;
pub mod way;
mod words;
mod wrap_up;

#[cfg(test)]
mod flow_tests;
#[cfg(test)]
mod random_test;
#[cfg(test)]
mod reach_tests;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod transfer_tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::base::deadline::soonest;
use crate::base::id::{CallTypeId, ContactId, UserId};
use crate::domain::account::Speech;
use crate::domain::account::flow::{SpillFailed, Voicemail};
use crate::domain::checkin::{self, CheckIn};
use crate::domain::ivr::digits::Entered;
use crate::domain::ivr::menu::Choice;
use crate::domain::ivr::{self, Ivr};
use crate::domain::operator::skill::Skills;
use crate::domain::queue::place::Place;

use bridge::{HearMatrix, KeysBound, LegId};
use callback::{Callback, Step};
use cause::Cause;
use colleague::Colleague;
use event::{CallOutcome, OfferEnd, RecordEvent, Stage, VoicemailEnd};
use leg::{Leg, LegInput};
use listener::Listener;
use own_voice::OwnVoice;
use park::{Note, Parked};
use patch::{Patch, PatchEnd};
use reach::Reaching;
use recording::{Recording, RecordingState};
use voicemail::Voicing;

pub use words::{AccountChange, CallAlarm, CommandError, Input, OperatorCommand, Output, Party, Reason, Setup};

/// The longest a prompt is waited for whose end we were never told.
const PROMPT_LIMIT: Duration = Duration::from_secs(180);
/// How long a caller whose INVITE we answered may take to acknowledge; the signalling side gives up at 32 s.
const ACK_LIMIT: Duration = Duration::from_secs(40);
/// How long we wait to hear from the console of an operator whose phone hung up.
const DOUBT_LIMIT: Duration = Duration::from_secs(15);

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
    /// `self.ivr` says where.
    Menu,
    Voicemail(Voicing),
    /// `self.check_in` says where.
    CheckIn,
    Announcing {
        until: Instant,
    },
    Queued,
    /// In the queue, and talking about being called back.
    CallingBack {
        step: Step,
        until: Instant,
    },
    Offered {
        until: Instant,
    },
    /// The caller's telephone rings, and the operator hears it.
    RingingBack {
        until: Instant,
    },
    Talking,
    Held,
    /// At nobody's seat; `self.parked` says where.
    Parked,
    /// The operator's phone hung up; the console will tell whether that was meant.
    Doubt {
        until: Instant,
        /// The caller was on hold before.
        held: bool,
    },
    /// `self.patch` says how far.
    Patching,
    /// The contact of a patch without an operator has gone; a supervisor who has barged in talks with the caller.
    WithSupervisor,
    /// The account's people are rung; `self.reaching` says who is left, `self.patch` who it is now.
    Reaching,
    /// `self.colleague` says how far.
    Consulting,
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
    reaching: Option<Reaching>,
    ivr: Option<Ivr>,
    /// The status greeting plays: the greeting is yet to come.
    greeting_to_come: bool,
    /// Pressed in the greeting, for the menu.
    early_keys: String,
    check_in: Option<CheckIn>,
    /// What the caller chose in the menu.
    chosen: Vec<Choice>,
    /// And entered.
    entered: Vec<Entered>,
    call_type: Option<CallTypeId>,
    /// What its flow asks of an operator, besides what the account does.
    skills: Skills,
    priority: i32,
    /// At least this, whatever the flow says.
    raised: i32,
    voicemail: Option<Voicemail>,
    /// The caller speaks, as far as we are told of it.
    caller_speaks: bool,
    /// The caller said something into the voicemail.
    voicemail_heard: bool,
    /// One was left.
    voicemail_left: bool,
    /// Connected elsewhere, without an operator.
    spilled: bool,
    /// Waited in the queue for too long, and goes on elsewhere.
    overdue: bool,
    /// Rung elsewhere before the call was answered, in vain: what follows the greeting.
    overflowed: Option<SpillFailed>,
    /// Legs some or all of whose keys are ours.
    keys_bound: Vec<(LegId, KeysBound)>,
    recording: Recording,
    /// How the last patch came to nothing, for the screen.
    patch_end: Option<PatchEnd>,
    /// The contact who was joined with the caller, once there was one.
    joined: Option<Option<ContactId>>,
    parked: Option<Parked>,
    colleague: Option<Colleague>,
    note: Option<Note>,
    handled: bool,
    /// An operator has spoken with the caller, or would have.
    answered_before: bool,
    own_voice: Option<OwnVoice>,
    /// What came of the job is known, or nobody has to say.
    settled: bool,
    /// The service is stopping.
    let_go: bool,
    /// The operator who still has the form to finish.
    wrapping: Option<UserId>,
    wrap_up_until: Option<Instant>,
    parting: Vec<Parting>,
    listeners: Vec<Listener>,
    /// What plays to the caller.
    playing: Option<u64>,
    /// How often the comfort messages have been said.
    comforted: usize,
    /// To be said next.
    place: Option<Place>,
    /// What plays while the place is said.
    saying_place: Option<u64>,
    callback: Callback,
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
        let (priority, call_type, skills) = (setup.priority, setup.call_type.clone(), setup.skills.clone());
        let entered = setup.entered.clone();
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
            reaching: None,
            ivr: None,
            greeting_to_come: false,
            early_keys: String::new(),
            check_in: None,
            chosen: Vec::new(),
            entered,
            call_type,
            skills,
            priority,
            raised: i32::MIN,
            voicemail: None,
            caller_speaks: false,
            voicemail_heard: false,
            voicemail_left: false,
            spilled: false,
            overdue: false,
            overflowed: None,
            keys_bound: Vec::new(),
            recording,
            patch_end: None,
            joined: None,
            parked: None,
            colleague: None,
            note: None,
            handled: false,
            answered_before: false,
            own_voice: None,
            settled: false,
            let_go: false,
            wrapping: None,
            wrap_up_until: None,
            parting: Vec::new(),
            listeners: Vec::new(),
            playing: None,
            comforted: 0,
            place: None,
            saying_place: None,
            callback: Callback::default(),
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
            Input::Unspoken { leg, play } => {
                self.on_unspoken(leg, play);
                self.check_in_unspoken(leg, play);
                self.menu_unspoken(leg, play);
            }
            Input::CheckIn(input) => self.tell_check_in(input),
            Input::Bridged { rev } => {
                // A shard may still tell of an older snapshot: only the last one counts.
                if rev == self.rev {
                    self.record(RecordEvent::Bridged { rev });
                }
            }
            Input::Offer { user, leg, ring } => self.on_offer(user, leg, ring),
            Input::Fetch { user, leg, ring } => self.on_fetch(user, leg, ring),
            Input::People(people) => self.on_people(people),
            Input::PassRefused { user } => self.on_pass_refused(&user),
            Input::Overdue => self.on_overdue(),
            Input::Comfort => self.on_comfort(),
            Input::Place(place) => self.on_place(place),
            Input::MakeWay { user } => self.make_way(&user),
            Input::Raise { priority } => self.on_raised(priority),
            Input::StoodDown => self.on_stood_down(),
            Input::GivenBack => self.on_given_back(),
            Input::Settled => self.settle_job(),
            Input::CallbackStored(stored) => self.on_callback_stored(stored),
            Input::SeatLost { user } => self.on_seat_lost(&user),
            Input::SeatHungUp { user } => self.on_seat_hung_up(&user),
            Input::Stop => {
                self.let_go = true;
                self.end(Cause::Released);
                // Whoever comes after the stop finds the form that was begun.
                self.end_wrap_up(None);
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
            Phase::Greeting { until } | Phase::Apology { until } | Phase::Announcing { until } => {
                Some((until, Reason::PromptEnd))
            }
            Phase::Menu => self.ivr.as_ref().and_then(Ivr::poll_timeout).map(|until| (until, Reason::Menu)),
            Phase::Voicemail(voicing) => Some((voicing.until(), Reason::Voicemail)),
            Phase::CheckIn => {
                self.check_in.as_ref().and_then(CheckIn::poll_timeout).map(|until| (until, Reason::CheckIn))
            }
            Phase::Offered { until } => Some((until, Reason::OfferRing)),
            Phase::Queued => self.callback_offer_at().map(|at| (at, Reason::Callback)),
            Phase::CallingBack { until, .. } => Some((until, Reason::Callback)),
            Phase::RingingBack { until } => Some((until, Reason::RingBack)),
            Phase::Doubt { until, .. } => Some((until, Reason::Doubt)),
            Phase::Parked => self.parked_until().map(|until| (until, Reason::ParkedTooLong)),
            Phase::Consulting => self.colleague_until().map(|until| (until, Reason::ColleagueRing)),
            Phase::Reaching => self.reaching_until().map(|until| (until, Reason::Reach)),
            Phase::Patching => {
                let asked = self.colleague_until().map(|until| (until, Reason::ColleagueRing));
                let rings = self.patch.as_ref().and_then(Patch::ring_until).map(|until| (until, Reason::ContactRing));
                soonest(soonest(rings, asked), self.alone_until().map(|until| (until, Reason::PatchTime)))
            }
            _ => None,
        };
        let farewell = self.parting.iter().map(|p| p.until).min().map(|until| (until, Reason::Farewell));
        let announced = self.announced_until().map(|until| (until, Reason::PromptEnd));
        let listener = self.listeners_until().map(|until| (until, Reason::Listener));
        let wrap_up = self.wrap_up_until().map(|until| (until, Reason::WrapUp));
        let covered = self.covered_until().map(|until| (until, Reason::Covered));
        soonest(soonest(soonest(own, announced), soonest(farewell, listener)), soonest(wrap_up, covered))
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
        } else if self.colleague.as_ref().and_then(Colleague::leg_id) == Some(leg) {
            self.on_colleague(event);
        } else if matches!(event, LegInput::Ended(_)) {
            self.end_parting(|p| p.leg.id == leg);
        }
    }

    fn on_play_done(&mut self, leg: LegId, play: u64) {
        if leg != self.caller.id {
            self.contact_heard(leg, play);
            self.question_heard(leg, play);
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
            Phase::Menu => self.tell_menu(ivr::Input::PlayDone),
            Phase::CheckIn => self.tell_check_in(checkin::Input::PlayDone),
            Phase::Voicemail(voicing) if !self.is_voicemail_recorded() => self.on_voiced(voicing),
            Phase::Announcing { .. } => self.end(Cause::Released),
            Phase::Apology { .. } => self.apology_over(),
            Phase::CallingBack { step, .. } => self.callback_words_over(step),
            _ => {
                self.say_place();
                self.offer_callback();
            }
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
                    self.leave_greeting();
                } else {
                    self.greeting_over();
                }
            }
            Phase::Menu => self.tell_menu(ivr::Input::Tick),
            Phase::CheckIn => self.tell_check_in(checkin::Input::Tick),
            Phase::Voicemail(voicing) if voicing.until() <= now => self.on_voiced(voicing),
            Phase::Announcing { until } if until <= now => self.end(Cause::Released),
            Phase::Apology { until } if until <= now => self.apology_over(),
            Phase::Offered { until } if until <= now => self.fail_offer(OfferEnd::Missed),
            Phase::Doubt { until, .. } if until <= now => self.lose_operator(),
            Phase::CallingBack { step, until } if until <= now => self.callback_timed_out(step),
            Phase::RingingBack { until } if until <= now => self.give_up_ring_back(),
            Phase::Parked => self.give_back_parked(),
            Phase::Consulting | Phase::Patching if self.colleague_until().is_some_and(|until| until <= now) => {
                self.colleague_gone(Cause::NoAnswer);
            }
            Phase::Patching if self.patch.as_ref().and_then(Patch::ring_until).is_some_and(|u| u <= now) => {
                self.fail_patch(Cause::NoAnswer);
            }
            Phase::Patching => self.alone_tick(),
            Phase::Reaching => self.reaching_tick(),
            _ => {}
        }
        self.give_up_announcement();
        self.give_up_listeners();
        self.give_up_wrap_up();
        self.give_up_cover();
        self.offer_callback();
        self.end_parting(|p| p.until <= now);
    }

    /// Ends the call for everybody still in it.
    fn end(&mut self, cause: Cause) {
        if self.phase == Phase::Over {
            return;
        }
        let stage = self.stage_now();
        self.close_voicemail(VoicemailEnd::CutOff);
        let parked = self.parked.take().and_then(|parked| parked.slot()).is_some();
        self.end_recording();
        self.stop_play();
        match self.phase {
            Phase::Offered { .. } => {
                // Out of the queue first: else the seat that is free again is offered this call once more.
                self.outputs.push_back(Output::Dequeue);
                self.fail_offer(OfferEnd::Withdrawn);
            }
            Phase::Queued => self.outputs.push_back(Output::Dequeue),
            _ if self.callback_keeps_place() => self.outputs.push_back(Output::Dequeue),
            _ => {}
        }
        // Whoever is not on the line, or is promised a callback, is called back all the same.
        let cut_off = self.let_go && !self.caller_gone && !self.callback_asked_for() && self.setup.ring_back.is_none();
        let outcome = match (self.joined.is_some(), self.handled) {
            _ if cut_off => CallOutcome::CutOff,
            _ if parked => CallOutcome::Abandoned(Stage::Parked),
            (true, _) => CallOutcome::Patched,
            (false, true) => CallOutcome::Handled,
            (false, false) if self.callback_asked_for() => CallOutcome::Callback,
            (false, false) if self.setup.ring_back.is_some() => CallOutcome::NotReached,
            (false, false) if self.spilled => CallOutcome::Spilled,
            (false, false) if self.voicemail_left => CallOutcome::Voicemail,
            (false, false) if stage == Stage::Announcement => CallOutcome::Announced,
            (false, false) if stage == Stage::CheckIn => CallOutcome::CheckedIn,
            (false, false) if stage == Stage::Apology => CallOutcome::NoOperator,
            (false, false) => CallOutcome::Abandoned(stage),
        };
        self.phase = Phase::Over;
        // The bridge is emptied before its legs go.
        self.settle_bridge();
        self.release_caller();
        self.end_transfer(cause);
        self.reaching = None;
        if let Some(mut patch) = self.take_patch() {
            // Another caller, whose own call is over: nobody tells of them but this one.
            if let Some(call) = patch.came_from.clone().filter(|_| self.let_go && patch.leg.is_up()) {
                let number = patch.number.clone();
                self.outputs.push_back(Output::Alarm(CallAlarm::JoinedCutOff { call, number }));
            }
            self.release(&mut patch.leg);
        }
        for mut parting in std::mem::take(&mut self.parting) {
            self.release(&mut parting.leg);
        }
        self.let_listeners_go(|_| true);
        self.let_colleague_go(OfferEnd::Withdrawn);
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
            self.place = None;
            self.caller_missed();
            self.outputs.push_back(Output::StopPlay { leg: self.caller.id, play });
        }
    }

    fn record(&mut self, event: RecordEvent) {
        self.outputs.push_back(Output::Record { at: self.now, event });
    }

    /// After every input: the stage's clock and, if it changed, who hears whom.
    fn settle(&mut self) {
        self.settle_company();
        let stage = self.stage_now();
        if stage != self.stage {
            self.stage = stage;
            self.stage_since = self.now;
        }
        self.lift_pause();
        self.settle_own_phrase();
        self.settle_listeners();
        self.settle_keys();
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
