//! One call's task: the loop around a [`Call`]. Hands it what legs, shard, desk and operators say, and carries out
//! what it answers.
//!
//! Decides nothing. What always holds: when the task ends, however it ends, its legs are hung up ([`Legs`]) and
//! its bridge is empty ([`Mixer`]).

mod account;
mod carry;
mod check_in;
mod comes;
mod joining;
mod listener;
mod offers;
mod on_record;
pub(super) mod outward;
mod patching;
mod phone;
mod reach;
mod ring_back;
mod rings_back;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::check_in::CheckedIn;
use super::record::Line;
use super::view::{Facts, quality_view, view};
use super::{Calls, Command, alarm_text};
use crate::base::clock::UtcMs;
use crate::base::id::{CallId, UserId};
use crate::domain::account::flow::Flow;
use crate::domain::account::hours::Picked;
use crate::domain::account::patching::Found;
use crate::domain::account::{Account, Speech};
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::comes::Coming;
use crate::domain::call::leg::LegInput;
use crate::domain::call::listener::ListenMode;
use crate::domain::call::{Call, CommandError, Input, OperatorCommand, Setup};
use crate::domain::checkin;
use crate::domain::figures::CallTally;
use crate::domain::ivr::menu::{Context, Menu};
use crate::domain::operator::Phone;
use crate::engine::desk::{CallWord, FromDesk};
use crate::engine::dictaphone::Dictaphone;
use crate::engine::feed::{AlarmLevel, CallView, ContactRef, FeedEvent, RingsBackView, UserRef};
use crate::engine::legs::{Lands, Legs, stats_on_record};
use crate::engine::mixer::Mixer;
use crate::engine::signal::{IncomingCall, LegEvent, PhoneCall};
use crate::io::media::MediaEvent;

use account::{callback_terms, comfort_of, patch_limit_of, phrases_of, ranks_of, ring_of, wrap_up_of};
use joining::Given;
pub(super) use joining::{Handed, Offered};
use listener::Supervisor;
use outward::{Outward, ToJob};
use patching::Patching;
use rings_back::Pausing;

/// How long a call that is over waits for the quality figures of its last leg.
const STATS_WAIT: Duration = Duration::from_secs(2);

/// What reaches a call from outside its legs.
pub(super) enum ToCall {
    Desk(FromDesk),
    Command {
        by: UserId,
        command: Command,
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// So many messages has this caller left before.
    Earlier(u32),
    /// Who calls has been asked by dispatches that are open.
    RingsBack(RingsBackView),
    /// About the job that the call does.
    Job(ToJob),
    /// A callback is stored, or could not be.
    CallbackStored {
        stored: bool,
        /// Dropped unsent: the caller has gone, and hears nothing of it.
        heard: oneshot::Sender<()>,
    },
    /// The promise that it is to keep is given up, if its caller is not dialled yet.
    Withdraw,
    /// Whom an automated patch is to ring.
    People(Vec<Found>),
    /// What was asked for a check-in.
    CheckIn(checkin::Input),
    /// The desk phone of the call's operator calls somebody.
    PhoneCall(PhoneCall),
    /// A supervisor wants to listen, on this phone, or to listen on in another mode.
    Listen {
        by: UserRef,
        phone: Phone,
        mode: ListenMode,
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// A supervisor takes the call from its operator.
    Move {
        by: UserId,
        to: Option<UserId>,
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// Whether its operator may have its caller join another call of theirs, and who that is.
    MayGive {
        by: UserId,
        reply: oneshot::Sender<Result<Offered, CommandError>>,
    },
    /// The caller of another call is to be the contact.
    TakeIn {
        by: UserId,
        offered: Box<Offered>,
        reply: oneshot::Sender<Result<Lands, CommandError>>,
    },
    /// The caller goes there.
    GiveAway {
        by: UserId,
        to: CallId,
        lands: Lands,
        reply: oneshot::Sender<Given>,
    },
    /// The leg of whom was taken in; none, if they have gone.
    Given {
        leg: LegId,
        given: Option<Box<Handed>>,
    },
    /// A supervisor has heard enough.
    Leave {
        by: UserId,
    },
    Stop,
}

/// One call.
pub(super) struct CallTask {
    calls: Arc<Calls>,
    facts: Facts,
    /// The account that was called; the call may be another's by now.
    called: Arc<Account>,
    call: Call,
    legs: Legs,
    mixer: Mixer,
    inbox: mpsc::UnboundedReceiver<Box<ToCall>>,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    /// Who was dialled last, for the screen.
    contact: Option<ContactRef>,
    /// What the dispatcher is told of patches that have not connected.
    patching: Patching,
    /// Whom an automated patch rings.
    people: Vec<ContactRef>,
    greeting: Speech,
    /// The caller's leg, while the greeting is made ready before it is answered.
    answer_when_ready: Option<LegId>,
    ended: Option<Cause>,
    /// The service is stopping and lets everybody go.
    stopped: bool,
    talked_at: Option<UtcMs>,
    /// The phone that the operator on offer would be rung on.
    ring_on: Option<Phone>,
    operator: Option<UserId>,
    shown: Option<CallView>,
    /// The recording has begun.
    recorded: bool,
    /// Supervisors in the call, or on the way into it.
    supervisors: Vec<Supervisor>,
    /// What the figures of today have been told of it.
    tally: CallTally,
    /// When the caller began to wait.
    queued_at: Option<Instant>,
    /// Whom the call is made to, if it began at our side.
    outward: Option<Outward>,
    /// Who has checked in, by name.
    checked_in: CheckedIn,
    dictaphone: Dictaphone,
    /// What asks the caller waits while an operator has them.
    pausing: Option<Pausing>,
    /// The same of the contact, whose call was joined with this one.
    joined_pausing: Option<Pausing>,
    /// Of whose figures the contact is who was joined last, and when they called.
    joined_counted: Option<(Arc<Account>, UtcMs)>,
    /// Why the caller comes.
    coming: Coming,
}

impl CallTask {
    pub(super) fn new(
        calls: Arc<Calls>,
        facts: Facts,
        picked: Picked,
        incoming: IncomingCall,
        inbox: mpsc::UnboundedReceiver<Box<ToCall>>,
    ) -> Self {
        let mut task = Self::on_leg(calls, facts, picked, incoming.leg, None, inbox);
        task.legs.adopt(incoming.leg, incoming.offer, incoming.srtp, incoming.peer, incoming.events);
        task
    }

    /// A call that begins at our side: the other party's leg is yet to be dialled.
    pub(super) fn outward(
        calls: Arc<Calls>,
        facts: Facts,
        outward: Outward,
        inbox: mpsc::UnboundedReceiver<Box<ToCall>>,
    ) -> Self {
        let leg = calls.wiring.fresh_leg();
        let picked = facts.account.flow_at(facts.started_at);
        Self::on_leg(calls, facts, picked, leg, Some(outward), inbox)
    }

    fn on_leg(
        calls: Arc<Calls>,
        facts: Facts,
        picked: Picked,
        caller: LegId,
        outward: Option<Outward>,
        inbox: mpsc::UnboundedReceiver<Box<ToCall>>,
    ) -> Self {
        let wiring = &calls.wiring;
        let shard = wiring.media.pick_shard();
        let (media_events, media) = mpsc::unbounded_channel();
        let legs = Legs::new(Arc::clone(wiring), shard, facts.id.to_string(), media_events.clone());
        let mut mixer = Mixer::new(Arc::clone(wiring), shard, media_events);
        let account = &facts.account;
        mixer.set_music(&account.queueing.music);
        let is_named = |menu: &&Menu| matches!(&picked.flow, Flow::Menu { menu: name } if *name == menu.name);
        let menus = account.menus.iter().filter(is_named);
        let promised = outward.as_ref().and_then(Outward::callback);
        let setup = Setup {
            name: account.name.clone(),
            caller,
            greeting: picked.greeting,
            status: picked.status,
            flow: picked.flow.clone(),
            menus: menus.cloned().collect(),
            context: Context { window: picked.window, caller: facts.caller.clone() },
            priority: promised.map_or(account.priority, |callback| callback.priority),
            ranks: ranks_of(account),
            call_type: promised.and_then(|callback| callback.call_type.clone()),
            entered: outward.as_ref().map(|outward| outward.entered().to_vec()).unwrap_or_default(),
            skills: promised.map(|callback| callback.skills.clone()).unwrap_or_default(),
            // Whom we called ourselves is nobody who waited for the account.
            overdue: account.hours.overdue.clone().filter(|_| outward.as_ref().is_none_or(Outward::is_promise)),
            overdue_leg: wiring.fresh_leg(),
            spill_leg: wiring.fresh_leg(),
            apology: account.apology.clone(),
            comfort: comfort_of(account),
            ring: ring_of(account),
            recording: account.recording.clone(),
            // Of a job it has to be said what came of it, however long that takes.
            wrap_up: wrap_up_of(account).filter(|_| !matches!(outward, Some(Outward::Job(_)))),
            callback: callback_terms(&calls, &facts, account),
            ring_back: outward.as_ref().map(Outward::ring_back),
            park: calls.park,
            patch_limit: patch_limit_of(account),
            phrases: phrases_of(account),
        };
        // What is heard first is ready before the call is answered.
        let greeting = setup.status.as_ref().unwrap_or(&setup.greeting).clone();
        let call = Call::new(facts.started, setup);
        let called = Arc::clone(&facts.account);
        Self {
            calls,
            facts,
            called,
            call,
            legs,
            mixer,
            inbox,
            media,
            contact: None,
            patching: Patching::default(),
            people: Vec::new(),
            greeting,
            answer_when_ready: None,
            ended: None,
            stopped: false,
            talked_at: None,
            ring_on: None,
            operator: None,
            shown: None,
            recorded: false,
            supervisors: Vec::new(),
            tally: CallTally::default(),
            queued_at: None,
            outward,
            checked_in: CheckedIn::nobody(),
            dictaphone: Dictaphone::default(),
            pausing: None,
            joined_pausing: None,
            joined_counted: None,
            coming: Coming::default(),
        }
    }

    /// Boxed, as a future keeps room for whatever it is given at each level.
    pub(super) async fn run(mut self: Box<Self>) {
        if self.outward.is_none() {
            self.calls.look_who_rings_back(&self.facts);
        }
        self.tell(Input::Arrived);
        while !self.call.is_done() {
            self.turn().await;
        }
        self.give_back_offers();
        self.tell_job_end();
        let deadline = self.now() + STATS_WAIT;
        while self.legs.has_closing() {
            let left = deadline.saturating_duration_since(self.now());
            match tokio::time::timeout(left, self.media.recv()).await {
                Ok(Some(event)) => self.on_media(*event),
                _ => break,
            }
        }
    }

    /// Waits for one thing to happen and follows it.
    async fn turn(&mut self) {
        let wake = [self.call.poll_timeout().map(|(at, _)| at), self.legs.poll_timeout()].into_iter().flatten().min();
        let wake = wake.map(|at| at.saturating_duration_since(self.now()));
        tokio::select! {
            biased;
            Some(event) = self.media.recv() => self.on_media(*event),
            (leg, event) = self.legs.next() => self.on_signal(leg, event),
            Some(word) = self.inbox.recv() => self.on_word(*word),
            prepared = self.mixer.prepared() => {
                let readied = self.mixer.on_prepared(prepared);
                if !readied.spoken {
                    let text = alarm_text::voice(&self.facts.account);
                    self.calls.raise(AlarmLevel::Warning, text, Some(&self.facts.id));
                }
                match readied.for_play {
                    None => {
                        if let Some(leg) = self.answer_when_ready.take() {
                            self.answer(leg);
                        }
                    }
                    Some((leg, play)) if !readied.spoken => self.tell(Input::Unspoken { leg, play }),
                    Some(_) => {}
                }
            }
            () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {
                self.legs.tick(self.now());
                self.tell(Input::Tick);
            }
        }
    }

    fn now(&self) -> Instant {
        self.calls.wiring.clock.instant()
    }

    fn tell(&mut self, input: Input) {
        self.call.handle(self.now(), input);
        self.carry_out();
    }

    fn on_signal(&mut self, leg: LegId, event: LegEvent) {
        if let LegEvent::Transfer { to, consulted } = event {
            return self.on_transfer(leg, to, consulted);
        }
        if let Some(event) = self.legs.translate(leg, event) {
            self.leg(leg, event);
        }
    }

    fn leg(&mut self, leg: LegId, event: LegInput) {
        self.tell(Input::Leg { leg, event });
    }

    fn on_media(&mut self, event: MediaEvent) {
        if self.legs.follow_path(self.now(), &event) {
            return;
        }
        if let Some((leg, input)) = self.legs.heard_of_media(&event) {
            self.leg(leg, input);
            return;
        }
        match event {
            MediaEvent::PlayDone { leg, play } => self.tell(Input::PlayDone { leg, play: play.0 }),
            MediaEvent::Bridged { rev, .. } => self.tell(Input::Bridged { rev }),
            MediaEvent::Quality { leg, quality } => {
                if let Some(role) = self.call.role(leg) {
                    let quality = quality_view(self.facts.id.clone(), role, &quality);
                    self.calls.feed.publish(FeedEvent::Quality { quality });
                }
            }
            MediaEvent::Closed { leg, stats } => {
                let fallen = self.legs.closed(leg);
                let at = self.facts.utc(self.now());
                let mut body = stats_on_record(&stats);
                body["leg"] = Value::from(leg.0);
                self.calls.recorder.write(Line::Event {
                    call: self.facts.id.clone(),
                    at,
                    kind: "leg_closed".to_owned(),
                    body,
                });
                if let Some(input) = fallen {
                    self.leg(leg, input);
                }
            }
            _ => {}
        }
    }

    fn on_word(&mut self, word: ToCall) {
        match word {
            ToCall::Desk(FromDesk::Offer { user, phone, ring, taken, .. }) => {
                self.ring_on = phone;
                self.make_phrase_ready(&user);
                if taken {
                    self.job_claimed(&user);
                }
                let leg = self.calls.wiring.fresh_leg();
                // Who is to be called back is dialled by a key, never by surprise.
                let ring = taken || (ring && !self.call.waits_to_ring_back());
                self.tell(Input::Offer { user, leg, ring });
            }
            ToCall::Desk(FromDesk::Fetch { user, phone, ring, .. }) => {
                self.ring_on = phone;
                let leg = self.calls.wiring.fresh_leg();
                self.tell(Input::Fetch { user, leg, ring });
            }
            ToCall::Desk(FromDesk::PassRefused { user, .. }) => self.tell(Input::PassRefused { user }),
            ToCall::Desk(FromDesk::Overdue { .. }) => self.tell(Input::Overdue),
            ToCall::Desk(FromDesk::Comfort { place, .. }) => {
                self.tell(Input::Comfort);
                if let Some(place) = place {
                    self.tell(Input::Place(place));
                }
            }
            ToCall::Desk(FromDesk::MakeWay { user, .. }) => self.tell(Input::MakeWay { user }),
            ToCall::Desk(FromDesk::SeatLost { user, .. }) => self.tell(Input::SeatLost { user }),
            ToCall::Desk(FromDesk::SeatHungUp { user, .. }) => self.tell(Input::SeatHungUp { user }),
            ToCall::Desk(FromDesk::ListensElsewhere { user, .. }) | ToCall::Leave { by: user } => self.leave(&user),
            ToCall::Move { by, to, reply } => {
                let moved = self.call.move_on(self.now(), &by, to);
                self.carry_out();
                let _ = reply.send(moved);
            }
            ToCall::MayGive { by, reply } => {
                let _ = reply.send(self.may_give(&by));
            }
            ToCall::TakeIn { by, offered, reply } => {
                let taken = self.take_in(&by, *offered);
                let _ = reply.send(taken);
            }
            ToCall::GiveAway { by, to, lands, reply } => self.give_away(&by, to, &lands, reply),
            ToCall::Given { leg, given } => self.on_given(leg, given),
            ToCall::Listen { by, phone, mode, reply } => {
                let listens = self.listen(by, phone, mode);
                let _ = reply.send(listens);
            }
            ToCall::Command { by, command, reply } => {
                let followed = self.follow(&by, command);
                // An error means only that nobody waits for the answer.
                let _ = reply.send(followed);
            }
            ToCall::Earlier(messages) => {
                self.facts.earlier = messages;
                self.show();
            }
            ToCall::People(found) => self.on_people(found),
            ToCall::RingsBack(view) => self.on_rings_back(view),
            ToCall::Job(word) => self.on_job_word(word),
            ToCall::CallbackStored { stored, heard } => {
                if self.ended.is_none() {
                    // An error means only that nobody waits to know.
                    let _ = heard.send(());
                }
                self.tell(Input::CallbackStored(stored));
            }
            ToCall::CheckIn(input) => self.on_check_in(input),
            ToCall::PhoneCall(call) => self.on_phone_call(call),
            ToCall::Withdraw => {
                self.call.withdraw_ring_back(self.now());
                self.carry_out();
            }
            ToCall::Stop => {
                self.stopped = true;
                self.tell(Input::Stop);
            }
        }
    }

    fn follow(&mut self, by: &UserId, command: Command) -> Result<(), CommandError> {
        let mut dialled = None;
        let takes = command == Command::Take;
        let command = match command {
            Command::Take => OperatorCommand::Take,
            Command::Hold => OperatorCommand::Hold,
            Command::Retrieve => OperatorCommand::Retrieve,
            Command::HangUp => OperatorCommand::HangUp,
            Command::Join => OperatorCommand::Join,
            Command::Drop => OperatorCommand::Drop,
            Command::Cancel => OperatorCommand::Cancel,
            Command::LetGo => OperatorCommand::LetGo,
            Command::Recording(command) => OperatorCommand::Recording(command),
            Command::WrapUpMore => OperatorCommand::WrapUpMore,
            Command::Park => OperatorCommand::Park { slot: self.calls.take_slot(&self.facts.id) },
            // The desk brings a parked caller, if there is one.
            Command::Fetch => return Err(CommandError::NotNow),
            // Two calls have a part in it.
            Command::JoinCall { .. } => return Err(CommandError::NotNow),
            Command::Pass { to, note } => OperatorCommand::Pass { to, note },
            Command::Ask { user } => OperatorCommand::Ask { user },
            Command::HandOver => OperatorCommand::HandOver,
            Command::ChangeAccount(account) => return self.change_account(by, account),
            Command::Proved { account } => return self.on_proved(by, &account),
            Command::Named(view) => return self.on_named(by, view),
            Command::Heard { dispatch } => return self.on_heard(by, &dispatch),
            Command::Speak => OperatorCommand::Speak,
            Command::CheckIn { vouched } => OperatorCommand::CheckIn { vouched },
            Command::Keys(keys) => OperatorCommand::Keys(keys),
            Command::WrapUpDone { disposition } => OperatorCommand::WrapUpDone { disposition },
            Command::NextNumber => OperatorCommand::NextNumber,
            Command::HoldContact => OperatorCommand::HoldContact,
            Command::Private => OperatorCommand::Private,
            Command::Patch { number, contact, ring, then, cold } => {
                let leg = self.calls.wiring.fresh_leg();
                let id = contact.as_ref().map(|c| c.id.clone());
                dialled = Some(contact);
                let then = self.numbers(then);
                OperatorCommand::Patch { leg, number, contact: id, ring, then, cold }
            }
        };
        let followed = self.call.command(self.now(), by, command);
        if followed.is_ok()
            && let Some(contact) = dialled
        {
            self.contact = contact;
        }
        if takes && followed.is_ok() {
            self.job_claimed(by);
            self.to_desk(CallWord::Taken);
        }
        self.carry_out();
        followed
    }

    fn show(&mut self) {
        let ring_back = self.outward.as_ref().and_then(Outward::callback);
        let mut view = view(&self.facts, &self.call, self.contact.as_ref(), ring_back, self.ended);
        view.listeners = self.listener_views();
        (view.job, view.dialled, view.comes) = (self.job_view(), self.dialled_view(), self.comes_view());
        if self.shown.as_ref() != Some(&view) {
            self.shown = Some(view.clone());
            let joined = self.call.joined().is_some().then(|| self.contact.clone());
            self.calls.show(&view, joined);
            self.calls.feed.publish(FeedEvent::Call { call: Box::new(view) });
        }
    }
}
