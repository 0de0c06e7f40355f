//! Thousands of calls in which anything happens in any order. What must hold whatever comes.

use std::collections::{BTreeMap, BTreeSet};

use super::bridge::Source;
use super::listener::ListenMode;
use super::tests::setup;
use super::transfer::{TransferTo, Wanted};
use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::rng::Rng;
use crate::domain::account::RecordingMode;

const CALLER: LegId = LegId(1);

fn words() -> Speech {
    Speech::Spoken { text: "This call is recorded".to_owned() }
}

const fn announced(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

fn policy(seed: u64) -> RecordingPolicy {
    let mode = [RecordingMode::On, RecordingMode::OnDemand, RecordingMode::Off][seed as usize / 2 % 3];
    RecordingPolicy { mode, announcement: announced(seed).then(words), tell_contact: !seed.is_multiple_of(5) }
}

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
    /// Second legs of operators' phones that ring.
    unanswered: BTreeSet<LegId>,
    /// Transfers under way, and how many came to their end.
    transfers: usize,
    transferred: usize,
    /// Supervisors who were dialled and whose end was not told, and how many were in a call.
    listening: BTreeMap<UserId, LegId>,
    listened: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let clock = TestClock::at(UtcMs(0));
        Self {
            seed,
            rng: Rng::seeded(seed),
            call: Call::new(clock.instant(), Setup { recording: policy(seed), ..setup() }),
            clock,
            started: BTreeSet::from([CALLER]),
            hung_up: BTreeMap::new(),
            contacts: BTreeSet::new(),
            operators: BTreeSet::new(),
            plays: vec![],
            next_leg: 1,
            rev: 0,
            matrix: HearMatrix::default(),
            ended: 0,
            caller_gone: false,
            in_queue: false,
            recorded: false,
            heard: BTreeSet::new(),
            announcements: vec![],
            unspoken: BTreeSet::new(),
            waived: BTreeSet::new(),
            contact_recorded: false,
            unanswered: BTreeSet::new(),
            transfers: 0,
            transferred: 0,
            listening: BTreeMap::new(),
            listened: 0,
        }
    }

    fn fresh_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg)
    }

    fn tell(&mut self, input: Input) {
        if let Input::Leg { leg: CALLER, event: LegInput::Ended(_) } = input {
            self.caller_gone = true;
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

    fn check(&mut self) {
        let seed = self.seed;
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Dial { leg, to } => {
                    assert!(self.started.insert(leg), "seed {seed}: dialled twice");
                    if let Party::Listener(user) = to {
                        assert!(self.listening.insert(user, leg).is_none(), "seed {seed}: listens twice");
                    }
                }
                Output::ListenerGone { user } => {
                    let leg = self.listening.remove(&user);
                    assert!(leg.is_some_and(|leg| self.hung_up.contains_key(&leg)), "seed {seed}: gone twice");
                }
                Output::Record { event: RecordEvent::ListenBegan { .. }, .. } => self.listened += 1,
                Output::HangUp { leg } => {
                    assert!(self.started.contains(&leg), "seed {seed}: never dialled");
                    *self.hung_up.entry(leg).or_default() += 1;
                    assert_eq!(self.hung_up[&leg], 1, "seed {seed}: hung up twice");
                }
                Output::Refuse { leg, .. } => {
                    assert!(self.unanswered.contains(&leg), "seed {seed}: refused though answered");
                    *self.hung_up.entry(leg).or_default() += 1;
                    assert_eq!(self.hung_up[&leg], 1, "seed {seed}: let go twice");
                }
                Output::AnswerOperator { leg } => {
                    assert!(self.unanswered.remove(&leg), "seed {seed}: answered twice");
                }
                Output::Transfer { progress, .. } => match progress {
                    TransferProgress::Begun => self.transfers += 1,
                    TransferProgress::Ringing => assert!(self.transfers > 0, "seed {seed}"),
                    TransferProgress::Done | TransferProgress::Failed(_) => {
                        assert!(self.transfers > 0, "seed {seed}: told of a transfer's end twice");
                        self.transfers -= 1;
                        self.transferred += usize::from(progress == TransferProgress::Done);
                    }
                },
                Output::SetBridge { rev, matrix } => {
                    assert!(rev > self.rev, "seed {seed}: revisions grow");
                    self.rev = rev;
                    self.matrix = matrix;
                    self.check_matrix();
                    assert!(!self.recorded || self.untold().is_none(), "seed {seed}: heard before it fell silent");
                }
                Output::Play { leg, play, speech } => {
                    if speech == words() {
                        self.announcements.push((leg, play));
                    }
                    assert!(!self.hung_up.contains_key(&leg), "seed {seed}: played to nobody");
                    self.plays.push((leg, play));
                }
                Output::Enqueue | Output::Requeue | Output::Hand { .. } => {
                    assert!(!self.in_queue && !self.caller_gone, "seed {seed}: queued twice, or without a caller");
                    self.in_queue = true;
                }
                Output::Dequeue | Output::OfferAccepted { .. } => self.in_queue = false,
                Output::Ended { .. } => self.ended += 1,
                Output::SetRecording { state, .. } => self.recorded = state == RecordingState::On,
                _ => {}
            }
        }
        assert!(self.ended <= 1, "seed {seed}: ended twice");
        let may = self.call.recording_mode() != RecordingMode::Off && !self.caller_gone;
        let told = !announced(seed) || self.heard.contains(&CALLER);
        assert!(!self.recorded || (may && told), "seed {seed}: recorded unasked or untold");
        assert!(!self.recorded || self.untold().is_none(), "seed {seed}: a contact is recorded untold");
        let paused = self.call.recording_state() == RecordingState::Paused;
        let alone = self.call.operator.is_none() && self.untold().is_none();
        assert!(!(paused && alone), "seed {seed}: a pause that nobody can lift");
        self.contact_recorded |= self.recorded && self.must_tell().is_some();
        self.check_listeners();
    }

    /// The contact on the line, if they are to be told.
    fn must_tell(&self) -> Option<LegId> {
        let must = announced(self.seed) && policy(self.seed).tell_contact;
        let up = self.call.patch.as_ref().filter(|patch| must && patch.leg.is_up());
        up.map(|patch| patch.leg.id)
    }

    /// The contact on the line who should have been told and was not.
    fn untold(&self) -> Option<LegId> {
        self.must_tell().filter(|leg| !self.heard.contains(leg) && !self.waived.contains(leg))
    }

    fn check_matrix(&self) {
        let seed = self.seed;
        for (leg, sources) in &self.matrix.rows {
            assert!(!self.hung_up.contains_key(leg), "seed {seed}: a leg that is gone hears");
            assert!(!sources.contains(&Source::Leg(*leg)), "seed {seed}: hears itself");
            for source in sources {
                if let Source::Leg(other) = source {
                    assert!(self.matrix.rows.iter().any(|(l, _)| l == other), "seed {seed}: hears an unlisted leg");
                }
            }
        }
        assert!(!(self.caller_gone && self.matrix.rows.iter().any(|(l, _)| *l == CALLER)), "seed {seed}");
        // While operator and contact announce, the caller hears music and is heard by nobody.
        if self.call.stage_now() == Stage::Patching {
            let caller = self.matrix.heard_by(CALLER);
            assert!(caller.iter().all(|s| *s == Source::Music), "seed {seed}: caller hears the announcement");
            let heard = self.matrix.rows.iter().any(|(_, s)| s.contains(&Source::Leg(CALLER)));
            assert!(!heard, "seed {seed}: caller is heard in private");
        }
    }

    /// Takes the supervisors out of the matrix: the rest is as it would be without them, but that they are heard. A monitor
    /// is heard by nobody, a whisper by the operator alone, and neither is on the recording.
    fn check_listeners(&self) {
        let seed = self.seed;
        for listener in self.call.listeners().iter().filter(|l| l.is_there()) {
            let leg = self.listening[&listener.user];
            let hear: Vec<LegId> = (self.matrix.rows.iter())
                .filter(|(_, sources)| sources.contains(&Source::Leg(leg)))
                .map(|(hearer, _)| *hearer)
                .filter(|hearer| !self.listening.values().any(|l| l == hearer))
                .collect();
            let operator = |leg: &LegId| self.call.role(*leg) == Some(view::Role::Operator);
            match listener.mode {
                ListenMode::Monitor => assert!(hear.is_empty(), "seed {seed}: a monitor is heard by {hear:?}"),
                ListenMode::Whisper => {
                    assert!(hear.len() <= 1 && hear.iter().all(operator), "seed {seed}: a whisper to {hear:?}");
                    assert!(self.matrix.off_record.contains(&leg), "seed {seed}: a whisper is recorded");
                }
                ListenMode::Barge if matches!(self.call.stage_now(), Stage::Patching) => {
                    assert!(!hear.contains(&CALLER), "seed {seed}: the caller hears of the announcement");
                }
                ListenMode::Barge => {}
            }
        }
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
        let joins = command == OperatorCommand::Join;
        let resumes = command == OperatorCommand::Recording(RecordingCommand::Resume);
        let unsaid = self.untold().filter(|leg| resumes && self.unspoken.iter().any(|(told, _)| told == leg));
        let followed = self.call.command(self.clock.instant(), &by, command);
        self.waived.extend(unsaid.filter(|_| followed.is_ok()));
        assert!(!(joins && before && followed.is_ok()), "seed {}: joined a caller who had gone", self.seed);
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

    fn step(&mut self) {
        let legs: Vec<LegId> = (1..=self.next_leg).map(LegId).collect();
        let leg = legs[self.rng.below(legs.len() as u64) as usize];
        let user = UserId::named(["kim", "lee"][self.rng.below(2) as usize]);
        match self.rng.below(26) {
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
            12 => self.tell(Input::Comfort),
            13 if self.rng.below(10) == 0 => self.tell(Input::Overdue),
            14 if self.rng.below(3) == 0 => self.tell(Input::SeatLost { user }),
            15 if self.rng.below(3) == 0 => self.tell(Input::SeatHungUp { user }),
            16 => {
                let leg = self.fresh_leg();
                self.contacts.insert(leg);
                let number = PhoneNumber::parse("+12025550190").expect("a valid number");
                self.command(OperatorCommand::Patch { leg, number, contact: None, ring: Duration::from_secs(30) });
            }
            17 => self.command(OperatorCommand::Join),
            18 => self.command(OperatorCommand::Drop),
            19 => {
                use RecordingCommand::{Pause, Resume, Start, Stop};
                let commands = [
                    OperatorCommand::Take,
                    OperatorCommand::Hold,
                    OperatorCommand::Retrieve,
                    OperatorCommand::Cancel,
                    OperatorCommand::WrapUpDone { disposition: None },
                    OperatorCommand::Recording(Start),
                    OperatorCommand::Recording(Stop),
                    OperatorCommand::Recording(Pause),
                    OperatorCommand::Recording(Resume),
                ];
                let which = self.rng.below(9) as usize;
                self.command(commands[which].clone());
            }
            20 => {
                let event = if self.rng.below(2) == 0 { LegInput::Silent } else { LegInput::Heard };
                self.tell(Input::Leg { leg, event });
            }
            21 | 22 => self.phone(),
            25 => self.supervise(),
            23 if self.rng.below(4) == 0 => {
                if let Some((leg, play)) = self.plays.last().copied() {
                    self.tell(Input::Unspoken { leg, play });
                }
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
        for leg in (1..=self.next_leg).map(LegId).collect::<Vec<_>>() {
            self.tell(Input::Leg { leg, event: LegInput::Ended(Cause::HungUp) });
        }
        for _ in 0..5 {
            if let Some((at, _)) = self.call.poll_timeout() {
                self.clock.advance(at.saturating_duration_since(self.clock.instant()));
                self.tell(Input::Tick);
            }
        }
        self.command(OperatorCommand::WrapUpDone { disposition: None });
    }
}

#[test]
fn whatever_happens_nobody_hears_what_they_must_not_and_every_leg_is_hung_up() {
    let (mut patched, mut recorded, mut transferred, mut contacts, mut listened) = (0, 0, 0, 0, 0);
    for seed in 0..8_000 {
        let mut world = World::new(seed);
        world.tell(Input::Arrived);
        for _ in 0..220 {
            world.step();
        }
        patched += usize::from(world.call.joined().is_some());
        recorded += usize::from(world.recorded);
        contacts += usize::from(world.contact_recorded);
        world.close();
        transferred += world.transferred;
        listened += world.listened;
        assert!(world.listening.is_empty(), "seed {seed}: each listener's end is told");
        assert_eq!(world.transfers, 0, "seed {seed}: whoever asked for a transfer is told of its end");
        assert_eq!(world.ended, 1, "seed {seed}: ends once");
        assert!(world.call.is_done(), "seed {seed}: {:?}", world.call);
        assert_eq!(world.hung_up.len(), world.started.len(), "seed {seed}: every leg is let go");
        assert!(world.matrix.rows.is_empty(), "seed {seed}: the bridge is empty at the end");
        assert!(!world.in_queue, "seed {seed}: nobody left in the queue");
    }
    assert!(
        patched > 100 && recorded > 100 && transferred > 20 && contacts > 5 && listened > 300,
        "the seeds reach the deep phases: {patched} {recorded} {transferred} {contacts} {listened}"
    );
}
