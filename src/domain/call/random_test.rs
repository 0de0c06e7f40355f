//! Thousands of calls in which anything happens in any order. What must hold whatever comes.

use crate::base::id::{CallId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::RecordingPolicy;
use crate::domain::account::flow::Flow;
use crate::domain::call::callback::CallbackTerms;
use crate::domain::call::errand::Errand;
use crate::domain::call::joining::Joining;
use crate::domain::call::recording::RecordingCommand;
use crate::domain::call::ring_back::RingBack;
use crate::domain::call::transfer::TransferProgress;
use crate::domain::checkin::status_greeting::StatusNow;
use crate::domain::checkin::{self, Held, Looked, Welcome};
use crate::domain::ivr::menu::Menu;
use std::collections::{BTreeMap, BTreeSet};

use super::bridge::Source;
use super::check_in::Wish;
use super::listener::ListenMode;
use super::tests::{change_account, setup};
use super::transfer::{TransferTo, Wanted};
use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::rng::Rng;
use crate::domain::account::RecordingMode;
use crate::domain::account::flow::{Spill, SpillFailed};
use crate::domain::account::patching::{AutoPatch, Unreached};
use crate::domain::call::reach::{Number, Person};
use crate::domain::ivr::tests::{exit, gather, says, spoken};

const CALLER: LegId = LegId(1);
const SPILL: LegId = LegId(9_999);
const OVERDUE: LegId = LegId(9_998);

mod checks;
mod ways;

use ways::{announced, callback, flow, menu, overdue, phrases, policy, ring_back, vouched, words, wrap_up};

struct World {
    seed: u64,
    rng: Rng,
    clock: TestClock,
    call: Call,
    started: BTreeSet<LegId>,
    hung_up: BTreeMap<LegId, usize>,
    contacts: BTreeSet<LegId>,
    operators: BTreeSet<LegId>,
    plays: Vec<(LegId, u64)>,
    next_leg: u64,
    rev: u64,
    matrix: HearMatrix,
    ended: usize,
    called_back: bool,
    caller_gone: bool,
    in_queue: bool,
    recorded: bool,
    /// Who heard the announcement to its end.
    heard: BTreeSet<LegId>,
    announcements: Vec<(LegId, u64)>,
    /// Those in whose place a tone played.
    unspoken: BTreeSet<(LegId, u64)>,
    /// Contacts beside whom the operator had the recording go on.
    waived: BTreeSet<LegId>,
    /// Whether a contact who was to be told was ever recorded.
    contact_recorded: bool,
    /// Who wraps up.
    wrapping: Option<UserId>,
    /// Second legs of operators' phones that ring.
    unanswered: BTreeSet<LegId>,
    /// Transfers under way, and how many came to their end.
    transfers: usize,
    transferred: usize,
    /// Supervisors who were dialled and whose end was not told, and how many were in a call.
    listening: BTreeMap<UserId, LegId>,
    keys_bound: BTreeMap<LegId, KeysBound>,
    /// Voicemails that began and did not end.
    voicemails: usize,
    /// The caller.
    answered: bool,
    /// What happens in few calls, and how often it did.
    reached: BTreeMap<&'static str, usize>,
    outcome: Option<CallOutcome>,
    /// What was dictated is to be handed over.
    dictated: bool,
    /// What a check-in asked for and was not answered.
    wishes: Vec<Wish>,
    /// It is to be said whom an automated patch rings.
    sought: bool,
    /// An operator's own voice was heard.
    own_voice: bool,
    /// Patches that were joined and are not over.
    clocks: i32,
    /// Telephones that were dialled, but for the caller's.
    numbers: BTreeSet<LegId>,
    /// Which of them last.
    dialled: Option<LegId>,
    /// Contacts whom somebody joined with the caller, or who took the caller over.
    introduced: BTreeSet<LegId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let clock = TestClock::at(UtcMs(0));
        let (recording, wrap_up, callback) = (policy(seed), wrap_up(seed), callback(seed));
        let setup = Setup {
            recording,
            wrap_up,
            callback,
            ring_back: ring_back(seed),
            flow: flow(seed),
            menus: vec![menu()],
            spill_leg: SPILL,
            overdue: overdue(seed),
            overdue_leg: OVERDUE,
            status: seed.is_multiple_of(7).then(|| spoken("status")),
            phrases: phrases(seed),
            patch_limit: seed.is_multiple_of(5).then_some(Duration::from_secs(70)),
            ..setup()
        };
        // Who is called back has no leg before.
        let started = if setup.ring_back.is_some() { BTreeSet::new() } else { BTreeSet::from([CALLER]) };
        Self {
            seed,
            rng: Rng::seeded(seed),
            call: Call::new(clock.instant(), setup),
            clock,
            started,
            hung_up: BTreeMap::new(),
            contacts: BTreeSet::new(),
            operators: BTreeSet::new(),
            plays: vec![],
            next_leg: 1,
            rev: 0,
            matrix: HearMatrix::default(),
            ended: 0,
            called_back: false,
            caller_gone: false,
            in_queue: false,
            recorded: false,
            heard: BTreeSet::new(),
            announcements: vec![],
            unspoken: BTreeSet::new(),
            waived: BTreeSet::new(),
            contact_recorded: false,
            wrapping: None,
            unanswered: BTreeSet::new(),
            transfers: 0,
            transferred: 0,
            listening: BTreeMap::new(),
            keys_bound: BTreeMap::new(),
            voicemails: 0,
            dictated: false,
            answered: false,
            reached: BTreeMap::new(),
            outcome: None,
            wishes: vec![],
            sought: false,
            own_voice: false,
            clocks: 0,
            numbers: BTreeSet::new(),
            dialled: None,
            introduced: BTreeSet::new(),
        }
    }

    fn fresh_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg)
    }

    fn tell(&mut self, input: Input) {
        if let Input::Leg { leg: CALLER, event: LegInput::Ended(_) } = input {
            self.caller_gone |= self.started.contains(&CALLER);
        }
        if let Input::PlayDone { leg, play } = input
            && self.announcements.contains(&(leg, play))
            && !self.unspoken.contains(&(leg, play))
        {
            self.heard.insert(leg);
        }
        if let Input::Unspoken { leg, play } = input {
            self.unspoken.insert((leg, play));
        }
        self.call.handle(self.clock.instant(), input);
        self.check();
    }

    /// Supervisors come, switch and go.
    fn supervise(&mut self) {
        let by = UserId::named(["sam", "ada", "kim"][self.rng.below(3) as usize]);
        let modes = [ListenMode::Monitor, ListenMode::Whisper, ListenMode::Barge];
        let (now, mode) = (self.clock.instant(), modes[self.rng.below(3) as usize]);
        if self.rng.below(40) == 0 {
            let to = (self.rng.below(2) == 0).then(|| UserId::named("lee"));
            let _ = self.call.move_on(now, &by, to);
        } else if self.rng.below(5) == 0 {
            self.call.leave(now, &by);
        } else {
            let leg = self.fresh_leg();
            let _ = self.call.listen(now, &by, leg, mode);
            if self.rng.below(2) == 0 {
                self.check();
                self.tell(Input::Leg { leg, event: LegInput::Answered });
                self.tell(Input::Leg { leg, event: LegInput::MediaUp });
            }
        }
        self.check();
    }

    fn command(&mut self, command: OperatorCommand) {
        let by = self.call.seat().cloned().unwrap_or_else(|| UserId::named("nobody"));
        let before = self.call.caller_gone();
        // Whoever she has asked comes to her and the contact then, which is as well.
        let colleague = self.call.colleague.is_some() && !self.call.has_colleague_joined();
        let joins = command == OperatorCommand::Join && !colleague;
        let resumes = command == OperatorCommand::Recording(RecordingCommand::Resume);
        let unsaid = self.untold().filter(|leg| resumes && self.unspoken.iter().any(|(told, _)| told == leg));
        let followed = self.call.command(self.clock.instant(), &by, command);
        self.waived.extend(unsaid.filter(|_| followed.is_ok()));
        assert!(!(joins && before && followed.is_ok()), "seed {}: joined a caller who had gone", self.seed);
        self.check();
    }

    /// The caller of another call of the operator's becomes the contact.
    fn take_in(&mut self, leg: LegId, number: PhoneNumber) {
        let by = self.call.seat().cloned().unwrap_or_else(|| UserId::named("nobody"));
        let gone = self.call.caller_gone();
        let other = Joining { leg, number, contact: None, call: CallId::named("other") };
        let taken = self.call.take_in(self.clock.instant(), &by, other);
        assert!(!(gone && taken.is_ok()), "seed {}: joined with a caller who had gone", self.seed);
        if taken.is_ok() {
            self.started.insert(leg);
        }
        self.check();
    }

    /// The caller goes on in another call of the operator's, which hangs them up.
    fn give_away(&mut self) {
        let by = self.call.seat().cloned().unwrap_or_else(|| UserId::named("nobody"));
        if let Ok(leg) = self.call.give_away(self.clock.instant(), &by, CallId::named("other")) {
            self.started.remove(&leg);
            self.caller_gone = true;
        }
        self.check();
    }

    /// What an operator does with a desk phone.
    fn phone(&mut self) {
        let Some((by, asked)) = self.call.operator.as_ref().map(|o| (o.user.clone(), o.leg.id)) else { return };
        let second = self.call.consult_leg();
        let number = PhoneNumber::parse("+12025550190").expect("a valid number");
        let to = Wanted { leg: LegId(self.next_leg + 1), number, ring: Duration::from_secs(30) };
        let now = self.clock.instant();
        match (self.rng.below(4), second) {
            (0, None) => {
                let leg = LegId(self.next_leg + 2);
                if self.call.consult(now, &by, leg, to).is_ok() {
                    self.next_leg += 2;
                    self.started.insert(leg);
                    self.unanswered.insert(leg);
                }
            }
            (0 | 1, Some(second)) => {
                let (asked, other) = if self.rng.below(2) == 0 { (asked, second) } else { (second, asked) };
                let _ = self.call.transfer(now, asked, TransferTo::Consulted(other));
            }
            (2, _) => self.next_leg += u64::from(self.call.transfer(now, asked, TransferTo::Number(to)).is_ok()),
            _ => {
                let hold = self.rng.below(2) == 0;
                self.tell(Input::Leg { leg: asked, event: LegInput::Hold(hold) });
            }
        }
        self.check();
    }

    /// The store answers a check-in. True if it did.
    fn serve_check_in(&mut self) -> bool {
        if std::mem::take(&mut self.dictated) {
            let spoken = self.rng.below(4) > 0;
            self.tell(Input::CheckIn(checkin::Input::Dictated(spoken)));
            return true;
        }
        let Some(wish) = self.wishes.pop() else { return false };
        let input = match wish {
            Wish::Look { .. } if self.rng.below(6) == 0 => checkin::Input::Looked(Looked::Refused),
            Wish::Vouched { .. } if self.rng.below(6) == 0 => checkin::Input::Looked(Looked::Failed),
            Wish::Look { .. } | Wish::Vouched { .. } => {
                let held = |n: &str| Held { dispatch: DispatchId::named(n), edition: 1, words: "Burst pipe.".into() };
                let held = vec![held("one"), held("two")];
                let words = || StatusNow { speech: spoken("status"), words: "Ada's".into() };
                let status = (self.rng.below(2) == 0).then(words);
                let welcome = Welcome { who: "Ada".into(), held, status, ..Welcome::default() };
                checkin::Input::Looked(Looked::Welcome(Box::new(welcome)))
            }
            Wish::Read { .. } => checkin::Input::ReadNoted(self.rng.below(8) > 0),
            Wish::Mark { dispatch, edition } => checkin::Input::Marked(ways::marked(&mut self.rng, dispatch, edition)),
            Wish::PutOnCall { .. } => checkin::Input::PutOnCall(true),
            Wish::PutUpGreeting { .. } => checkin::Input::GreetingUp(None),
            Wish::TakeDownGreeting => checkin::Input::GreetingDown(true),
        };
        self.tell(Input::CheckIn(input));
        true
    }

    /// What several operators do. True if they did something.
    fn desk(&mut self) -> bool {
        let user = UserId::named(["kim", "lee"][self.rng.below(2) as usize]);
        match self.call.stage() {
            Stage::Talking | Stage::Held if self.rng.below(30) == 0 => {
                let commands = [
                    OperatorCommand::Park { slot: 1 },
                    OperatorCommand::Pass { to: None, note: None },
                    OperatorCommand::Pass { to: Some(user.clone()), note: None },
                    OperatorCommand::Ask { user },
                    OperatorCommand::Keys("1".to_owned()),
                    OperatorCommand::CheckIn { vouched: vouched(self.rng.below(2)) },
                    change_account(policy(self.seed)),
                ];
                let which = self.rng.below(7) as usize;
                self.command(commands[which].clone());
            }
            Stage::Consulting if self.rng.below(8) == 0 => self.command(OperatorCommand::HandOver),
            Stage::Conference if self.rng.below(10) == 0 => {
                let commands = [
                    OperatorCommand::Ask { user },
                    OperatorCommand::HoldContact,
                    OperatorCommand::Private,
                    OperatorCommand::Join,
                    OperatorCommand::HandOver,
                ];
                let which = self.rng.below(5) as usize;
                self.command(commands[which].clone());
            }
            Stage::Patching if self.rng.below(10) == 0 => {
                let commands = [OperatorCommand::HoldContact, OperatorCommand::Join, OperatorCommand::Private];
                let which = self.rng.below(3) as usize;
                self.command(commands[which].clone());
            }
            Stage::Conference if self.call.colleague().is_none() => return false,
            Stage::Parked | Stage::Consulting | Stage::Conference if self.rng.below(6) == 0 => {
                if self.rng.below(6) == 0 {
                    self.tell(Input::PassRefused { user });
                    return true;
                }
                // The desk brings whom the call asks for, mostly, and they mostly come.
                let asked = self.call.colleague().map(|c| c.user.clone());
                let towards = self.call.parked().and_then(|p| match &p.place {
                    park::Place::Towards(to) => Some(to.clone()),
                    park::Place::Slot(_) => None,
                });
                let user = asked.or(towards).filter(|_| self.rng.below(5) > 0).unwrap_or(user);
                let leg = self.fresh_leg();
                self.operators.insert(leg);
                let ring = self.rng.below(3) > 0;
                self.tell(Input::Fetch { user, leg, ring });
                if self.rng.below(3) > 0 {
                    self.tell(Input::Leg { leg, event: LegInput::Answered });
                    self.tell(Input::Leg { leg, event: LegInput::MediaUp });
                }
            }
            _ if self.rng.below(80) == 0 => {
                let leg = self.fresh_leg();
                self.tell(Input::Fetch { user, leg, ring: true });
                self.command(OperatorCommand::HandOver);
            }
            _ => return false,
        }
        true
    }

    /// What becomes of an automated patch, and of those who are alone. True if something was done.
    fn reach(&mut self) -> bool {
        if std::mem::take(&mut self.sought) {
            let count = self.rng.below(3);
            let people = (0..count).map(|n| self.person(n)).collect();
            self.tell(Input::People(people));
            return true;
        }
        let patch = self.call.patch.as_ref().map(|patch| patch.leg.id);
        match (self.call.stage(), patch) {
            (Stage::Reaching, Some(leg)) if self.rng.below(4) == 0 => {
                let key = ['1', '2', '5', '*'][self.rng.below(4) as usize];
                let events = [LegInput::Ringing, LegInput::Answered, LegInput::Digit(key), LegInput::Digit('1')];
                let event = events[self.rng.below(4) as usize];
                self.tell(Input::Leg { leg, event });
            }
            (Stage::Patched, Some(leg)) if self.rng.below(12) == 0 => {
                let leg = if self.rng.below(2) == 0 { CALLER } else { leg };
                self.tell(Input::Leg { leg, event: LegInput::Digit('*') });
            }
            _ => return false,
        }
        true
    }

    fn person(&mut self, n: u64) -> Person {
        let number = PhoneNumber::parse("+12025550192").expect("a valid number");
        let numbers = (0..=self.rng.below(2)).map(|_| {
            let leg = self.fresh_leg();
            Number { leg, number: number.clone(), ring: Duration::from_secs(6) }
        });
        let numbers = numbers.collect();
        Person { contact: ContactId::named(&format!("person{n}")), why: "as it is".into(), numbers }
    }

    fn step(&mut self) {
        if (self.rng.below(3) > 0 && self.serve_check_in()) || self.desk() || self.reach() {
            return;
        }
        let spills = [SPILL, OVERDUE].into_iter().filter(|leg| self.started.contains(leg));
        let legs: Vec<LegId> = (1..=self.next_leg).map(LegId).chain(spills).collect();
        let leg = legs[self.rng.below(legs.len() as u64) as usize];
        let user = UserId::named(["kim", "lee"][self.rng.below(2) as usize]);
        match self.rng.below(34) {
            33 if self.rng.below(12) == 0 => {
                let inputs = [Input::Settled, Input::StoodDown, Input::GivenBack, Input::Raise { priority: 9 }];
                let which = self.rng.below(4) as usize;
                self.tell(inputs[which].clone());
            }
            28 => {
                let key = ['1', '2', '3', '4', '5', '9', '#'][self.rng.below(7) as usize];
                self.tell(Input::Leg { leg: CALLER, event: LegInput::Digit(key) });
            }
            29 => {
                let event = if self.rng.below(2) == 0 { LegInput::Spoke } else { LegInput::Quiet };
                self.tell(Input::Leg { leg: CALLER, event });
            }
            0 | 1 => self.tell(Input::Leg { leg, event: LegInput::Answered }),
            2 | 3 => self.tell(Input::Leg { leg, event: LegInput::MediaUp }),
            4 => self.tell(Input::Leg { leg: CALLER, event: LegInput::Established }),
            5 => self.tell(Input::Leg { leg, event: LegInput::Ringing }),
            6 => self.tell(Input::Leg { leg, event: LegInput::Early }),
            7 if self.rng.below(3) == 0 => {
                let why = [Cause::HungUp, Cause::Lost, Cause::Busy][self.rng.below(3) as usize];
                self.tell(Input::Leg { leg, event: LegInput::Ended(why) });
            }
            8 | 9 => {
                if let Some((leg, play)) = self.plays.last().copied() {
                    self.tell(Input::PlayDone { leg, play });
                }
            }
            10 | 11 => {
                let leg = self.fresh_leg();
                self.operators.insert(leg);
                let ring = self.rng.below(3) > 0;
                self.tell(Input::Offer { user, leg, ring });
            }
            12 => {
                self.tell(Input::Comfort);
                if self.rng.below(2) == 0 {
                    self.tell(Input::Place(Place { position: 2, minutes: None }));
                }
            }
            13 if self.rng.below(10) == 0 => self.tell(Input::Overdue),
            13 if self.rng.below(3) == 0 => self.tell(Input::MakeWay { user }),
            14 if self.rng.below(3) == 0 => self.tell(Input::SeatLost { user }),
            15 if self.rng.below(3) == 0 => self.tell(Input::SeatHungUp { user }),
            16 => {
                let leg = self.fresh_leg();
                self.contacts.insert(leg);
                let number = PhoneNumber::parse("+12025550190").expect("a valid number");
                if leg.0.is_multiple_of(5) {
                    return self.take_in(leg, number);
                }
                self.command(OperatorCommand::Patch {
                    leg,
                    number,
                    contact: None,
                    ring: Duration::from_secs(30),
                    then: Default::default(),
                    cold: false,
                });
            }
            17 => self.command(OperatorCommand::Join),
            18 => self.command(OperatorCommand::Drop),
            19 => {
                use RecordingCommand::{Cover, Pause, Resume, Start, Stop, Uncover};
                let commands = [
                    OperatorCommand::Take,
                    OperatorCommand::Hold,
                    OperatorCommand::Retrieve,
                    OperatorCommand::Cancel,
                    OperatorCommand::WrapUpDone { disposition: None },
                    OperatorCommand::WrapUpMore,
                    OperatorCommand::Recording(Start),
                    OperatorCommand::Recording(Stop),
                    OperatorCommand::Recording(Pause),
                    OperatorCommand::Recording(Resume),
                    OperatorCommand::Recording(Cover),
                    OperatorCommand::Recording(Uncover),
                ];
                let which = self.rng.below(12) as usize;
                self.command(commands[which].clone());
            }
            20 => {
                let event = if self.rng.below(2) == 0 { LegInput::Silent } else { LegInput::Heard };
                self.tell(Input::Leg { leg, event });
            }
            32 if self.seed.is_multiple_of(19) => self.give_away(),
            21 | 22 => self.phone(),
            27 => self.supervise(),
            23 if self.rng.below(4) == 0 => {
                if let Some((leg, play)) = self.plays.last().copied() {
                    self.tell(Input::Unspoken { leg, play });
                }
            }
            24 | 25 => {
                let key = ['1', '1', '2', '5', '#'][self.rng.below(5) as usize];
                self.tell(Input::Leg { leg: CALLER, event: LegInput::Digit(key) });
            }
            26 => {
                let stored = self.rng.below(4) > 0;
                self.tell(Input::CallbackStored(stored));
            }
            _ => {
                let by = Duration::from_millis(self.rng.below(4_000));
                self.clock.advance(by);
                self.tell(Input::Tick);
            }
        }
    }

    /// Everybody goes home: caller and contact hang up, the operator finishes, deadlines pass.
    fn close(&mut self) {
        for leg in (1..=self.next_leg).map(LegId).chain([SPILL, OVERDUE]).collect::<Vec<_>>() {
            self.tell(Input::Leg { leg, event: LegInput::Ended(Cause::HungUp) });
        }
        for _ in 0..5 {
            if let Some((at, _)) = self.call.poll_timeout() {
                self.clock.advance(at.saturating_duration_since(self.clock.instant()));
                self.tell(Input::Tick);
            }
        }
        // Nobody is done with a job before they have said what came of it.
        self.tell(Input::Settled);
        self.command(OperatorCommand::WrapUpDone { disposition: None });
        if self.call.waits_to_ring_back() {
            // Nobody else ends it.
            self.tell(Input::Stop);
        }
    }
}

#[test]
fn whatever_happens_nobody_hears_what_they_must_not_and_every_leg_is_hung_up() {
    let mut reached: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut count = |what, times| *reached.entry(what).or_default() += times;
    for seed in 0..16_000 {
        let mut world = World::new(seed);
        world.tell(Input::Arrived);
        for _ in 0..220 {
            world.step();
        }
        count("patches", usize::from(world.call.joined().is_some()));
        count("recordings", usize::from(world.recorded));
        count("contacts who were told of a recording", usize::from(world.contact_recorded));
        world.close();
        count("transfers", world.transferred);
        count("callbacks", usize::from(world.called_back));
        match ring_back(seed).map(|back| back.errand).filter(|_| world.call.handled) {
            Some(Errand::Promise) => count("promises kept", 1),
            Some(Errand::Job | Errand::JobOf(_)) => count("jobs", 1),
            Some(Errand::Own(_)) => count("operators who dial out", 1),
            None => {}
        }
        count("operators' own voices", usize::from(world.own_voice));
        for (what, times) in &world.reached {
            count(what, *times);
        }
        match world.outcome {
            Some(CallOutcome::Voicemail) => count("voicemails", 1),
            Some(CallOutcome::Spilled) => count("spills", 1),
            Some(CallOutcome::Announced) => count("announcements", 1),
            Some(CallOutcome::CheckedIn) => count("check-ins", 1),
            _ => {}
        }
        assert!(world.listening.is_empty(), "seed {seed}: each listener's end is told");
        assert_eq!(world.clocks, 0, "seed {seed}: each patch that was joined is over once");
        assert_eq!(world.transfers, 0, "seed {seed}: whoever asked for a transfer is told of its end");
        assert_eq!(world.voicemails, 0, "seed {seed}: a voicemail without an end");
        assert_eq!(world.ended, 1, "seed {seed}: ends once");
        assert!(world.call.is_done(), "seed {seed}: {:?}", world.call);
        assert_eq!(world.hung_up.len(), world.started.len(), "seed {seed}: every leg is let go");
        assert!(world.matrix.rows.is_empty(), "seed {seed}: the bridge is empty at the end");
        assert!(!world.in_queue, "seed {seed}: nobody left in the queue");
    }
    for (what, least) in ways::DEEP {
        let times = reached.get(what).copied().unwrap_or_default();
        assert!(times >= least, "the seeds reach too few {what}: {times} of {least}\n{reached:?}");
    }
}
