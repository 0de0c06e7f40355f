//! The service as far as dispatch goes: a disk, a process that may be killed at any commit and any hand-over, and the order in
//! which the real driver (`engine/dispatcher`) commits, hands over and takes up. Decides no more than that driver does (whose code
//! a text means, as its `arrivals`): the machines of the library do.
//!
//! What is on [`Disk`] survives; lanes and what is with an edge fall with the process. [`Sabotage`] breaks one rule of the driver,
//! so that it is seen that the judge notices.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, AttemptId, CallId, DispatchId, MessageId};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::rng::Rng;
use cordboard::domain::account::Urgency;
use cordboard::domain::dispatch::apply;
use cordboard::domain::dispatch::confirm::{CODE_QUARANTINE_MS, Code, Meant, Reply, newest_open, pick_meant};
use cordboard::domain::dispatch::event::{Effect, Entry, Event};
use cordboard::domain::dispatch::job::JobNews;
use cordboard::domain::dispatch::lanes::{ChannelRates, Input, Lane, Lanes, Named, Pace, Rates, Ready};
use cordboard::domain::dispatch::state::{Attempt, Channel, NewDispatch, Phase, State};

use crate::judge::Judge;
use crate::outside::Outside;
use crate::town::Town;

/// The process was killed.
pub struct Crashed;

/// Which rule the driver breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    LosesMessage,
    ForgetsTimer,
    Oversleeps,
    Dawdles,
    ForgetsYes,
    SendsAfterYes,
    LetsRing,
    SendsTwice,
    SettlesOne,
    RoutineFirst,
    GivesUpSilently,
    IgnoresHours,
    Unpins,
}

pub struct Row {
    pub state: State,
    /// The timer that is stored with it.
    pub due: Option<UtcMs>,
    pub log: Vec<Entry>,
}

/// What came in from outside: stored first, then handled once.
#[derive(Clone, Debug)]
pub enum What {
    Text { from: PhoneNumber, body: String },
    About { attempt: AttemptId, event: Event },
    To { dispatch: DispatchId, event: Event },
    OfCall { call: CallId, event: Event },
}

pub struct Inbound {
    what: What,
    boot: u32,
    handled: bool,
}

#[derive(Default)]
pub struct Disk {
    pub rows: BTreeMap<DispatchId, Row>,
    pub inbound: Vec<Inbound>,
    known: BTreeSet<String>,
}

pub struct House {
    /// Time as it is, and how far the wall clock is off.
    pub true_ms: i64,
    pub offset_ms: i64,
    pub town: Town,
    pub disk: Disk,
    pub outside: Outside,
    pub judge: Judge,
    pub rng: Rng,
    /// Which start of the process it is; none is up while it is down.
    pub boot: u32,
    pub is_up: bool,
    /// At so many places from here where a process may be killed.
    pub crash_in: Option<u32>,
    /// How long a commit takes at the most.
    pub slow_ms: u64,
    lanes: Lanes,
    rates: Option<u32>,
    /// So is what one person is given.
    paces_each: bool,
    pub sabotage: Option<Sabotage>,
    saved: u32,
}

impl House {
    pub fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut rng = Rng::seeded(seed);
        let rates = (rng.below(2) == 0).then_some(30);
        let paces_each = rng.below(2) == 0;
        let mut town = Town::new();
        if rng.below(2) == 0 {
            town.keeps_hours(&mut rng);
        }
        let slow_ms = [0, 0, 50, 2_000][usize::try_from(rng.below(4)).expect("small")];
        let mut house = Self {
            // 2026-03-07T18:00 in Chicago: the night in which its clocks go forward.
            true_ms: 1_772_928_000_000,
            offset_ms: 0,
            town,
            disk: Disk::default(),
            outside: Outside::new(&mut rng),
            judge: Judge::default(),
            rng,
            boot: 1,
            is_up: true,
            crash_in: None,
            slow_ms,
            lanes: Lanes::default(),
            rates,
            paces_each,
            sabotage,
            saved: 0,
        };
        house.lanes = house.fresh_lanes();
        house
    }

    fn fresh_lanes(&self) -> Lanes {
        let Some(per_minute) = self.rates else { return Lanes::default() };
        // What waits for one person may leave in one.
        let to_one = self.paces_each.then_some(Pace { per_minute: 12, burst: 3, at_once: 4 });
        let rates = ChannelRates { pace: Pace { per_minute, burst: 4, at_once: 4 }, to_one };
        let channels = [Channel::Text, Channel::Email, Channel::Pager, Channel::Push].map(|channel| (channel, rates));
        Lanes::new(Rates { channels: channels.into(), ..Rates::default() })
    }

    pub fn now(&self) -> UtcMs {
        UtcMs(self.true_ms + self.offset_ms)
    }

    pub fn breaks(&self, rule: Sabotage) -> bool {
        self.sabotage == Some(rule)
    }

    /// A place where the process may be killed.
    fn point(&mut self) -> Result<(), Crashed> {
        match &mut self.crash_in {
            Some(0) => {
                self.crash_in = None;
                Err(Crashed)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The moment before it is on disk; that takes its time.
    fn before_commit(&mut self) -> Result<(), Crashed> {
        self.point()?;
        if self.slow_ms > 0 && self.rng.below(20) == 0 {
            self.true_ms += i64::try_from(self.rng.below(self.slow_ms)).expect("small");
        }
        Ok(())
    }

    /// An operator saves a message of this kind. Cut short, she does not hear whether it is on disk.
    pub fn save(&mut self, kind: usize) -> Result<DispatchId, Crashed> {
        self.saved += 1;
        let nth = self.saved;
        let meant = self.town.kinds[kind].clone();
        let id = DispatchId::named(&format!("d{nth}"));
        let message = MessageId::named(&format!("m{nth}"));
        let answers = [("problem", "burst pipe"), ("water", if self.rng.below(2) == 0 { "yes" } else { "no" })];
        let taken = crate::town::Taken {
            account: meant.protocol.account.clone(),
            kind,
            call_type: meant.call_type,
            protected: meant.protected,
            answers: answers.map(|(field, answer)| (field.to_owned(), answer.to_owned())).into(),
            edition: 1,
        };
        let new = NewDispatch {
            id: id.clone(),
            message: message.clone(),
            account: AccountId::clone(&taken.account),
            urgency: meant.urgency,
            protocol: meant.protocol,
            undo_secs: 5,
            on_call: meant.on_line.then(|| CallId::named(&format!("c{nth}"))),
            patched_to: None,
        };
        self.before_commit()?;
        let state = new.saved(self.now());
        self.town.messages.insert(message, taken);
        let due = state.wake().map(|(at, _)| at);
        self.judge.saved(&state);
        if !self.breaks(Sabotage::LosesMessage) {
            self.disk.rows.insert(id.clone(), Row { state, due, log: Vec::new() });
        }
        self.point()?;
        Ok(id)
    }

    /// Something came in. A repeat has the same name and is absorbed.
    pub fn comes_in(&mut self, name: String, what: What) -> Result<(), Crashed> {
        self.before_commit()?;
        if self.disk.known.insert(name.clone()) {
            self.disk.inbound.push(Inbound { what, boot: self.boot, handled: false });
        }
        self.point()?;
        self.take_arrivals()
    }

    fn take_arrivals(&mut self) -> Result<(), Crashed> {
        for i in 0..self.disk.inbound.len() {
            if !self.disk.inbound[i].handled {
                self.handle(i)?;
            }
        }
        Ok(())
    }

    fn handle(&mut self, i: usize) -> Result<(), Crashed> {
        let (what, of_boot) = (self.disk.inbound[i].what.clone(), self.disk.inbound[i].boot);
        match what {
            What::Text { from, body } => self.handle_text(i, &from, &body),
            What::About { event: Event::Job { news, .. }, .. }
                if of_boot != self.boot && !matches!(news, JobNews::Done { .. }) =>
            {
                self.settle(i)
            }
            What::About { attempt, event } => match self.dispatch_of(&attempt) {
                Some(id) => self.decide(&id, &event, Some(i)),
                None => self.settle(i),
            },
            What::To { dispatch, event } if self.disk.rows.contains_key(&dispatch) => {
                self.decide(&dispatch, &event, Some(i))
            }
            What::To { .. } => self.settle(i),
            What::OfCall { call, event } => {
                let of_call = |row: &&Row| row.state.on_call.as_ref() == Some(&call);
                let ids: Vec<DispatchId> =
                    self.disk.rows.values().filter(of_call).map(|row| row.state.id.clone()).collect();
                for id in ids {
                    self.decide(&id, &event, None)?;
                }
                self.settle(i)
            }
        }
    }

    /// Nothing more comes of it.
    fn settle(&mut self, i: usize) -> Result<(), Crashed> {
        self.before_commit()?;
        self.disk.inbound[i].handled = true;
        self.point()
    }

    pub fn dispatch_of(&self, attempt: &AttemptId) -> Option<DispatchId> {
        let row = self.disk.rows.values().find(|row| row.state.find_attempt(attempt).is_some())?;
        Some(row.state.id.clone())
    }

    /// In the order of `engine/dispatcher/arrivals`: whose it is the machine says.
    fn handle_text(&mut self, i: usize, from: &PhoneNumber, body: &str) -> Result<(), Crashed> {
        let (codes, whose): (Vec<Code>, Vec<DispatchId>) = self.codes_of(from).into_iter().unzip();
        match pick_meant(Reply::parse(body), &codes) {
            Meant::Yes(at) => {
                let event = Event::Replied { number: from.clone(), code: codes[at].code };
                return self.decide(&whose[at], &event, Some(i));
            }
            Meant::Which(at) => {
                let event = Event::AskedWhich { number: from.clone(), name: "somebody".into() };
                return self.decide(&whose[at], &event, Some(i));
            }
            Meant::Stop => return self.stop(i, from),
            Meant::Start => self.block(from, false)?,
            Meant::Nothing => {}
        }
        let asked = newest_open(&codes).map(|at| whose[at].clone()).or_else(|| self.open_at(from).pop());
        match asked {
            Some(id) => {
                let help = self.rng.below(3) > 0;
                let words = Some(body.to_owned().into());
                let event = Event::Unplaced { number: from.clone(), name: "somebody".into(), help, words, among: 1 };
                self.decide(&id, &event, Some(i))
            }
            None => self.settle(i),
        }
    }

    fn stop(&mut self, i: usize, from: &PhoneNumber) -> Result<(), Crashed> {
        self.block(from, true)?;
        for id in self.open_at(from) {
            self.decide(&id, &Event::Stopped { number: from.clone() }, None)?;
        }
        self.settle(i)
    }

    fn block(&mut self, number: &PhoneNumber, blocked: bool) -> Result<(), Crashed> {
        self.before_commit()?;
        for destination in self.town.contacts.iter_mut().flat_map(|contact| &mut contact.destinations) {
            if destination.reach.phone() == Some(number) {
                destination.blocked = blocked;
            }
        }
        self.point()
    }

    fn open_at(&self, number: &PhoneNumber) -> Vec<DispatchId> {
        let at = |row: &&Row| row.state.attempts.iter().any(|a| a.address.phone() == Some(number));
        let open = self.disk.rows.values().filter(|row| row.state.phase.is_open()).filter(at);
        open.map(|row| row.state.id.clone()).collect()
    }

    /// Codes that are not free at a number, and whose each is.
    fn codes_of(&self, number: &PhoneNumber) -> Vec<(Code, DispatchId)> {
        let mut codes = Vec::new();
        for state in self.disk.rows.values().map(|row| &row.state) {
            let quiet = state.closed_at.is_some_and(|at| self.now().since(at) >= CODE_QUARANTINE_MS);
            if let Some((_, code, _)) = state.codes().filter(|_| !quiet).find(|(at, _, _)| *at == number) {
                let is_open = state.closed_at.is_none();
                codes.push((Code { code, given_at: state.open_at, is_open }, state.id.clone()));
            }
        }
        codes
    }

    fn taken_codes(&self) -> BTreeMap<PhoneNumber, BTreeSet<u16>> {
        let mut taken: BTreeMap<PhoneNumber, BTreeSet<u16>> = BTreeMap::new();
        for state in self.disk.rows.values().map(|row| &row.state) {
            if state.closed_at.is_none_or(|at| self.now().since(at) < CODE_QUARANTINE_MS) {
                for (number, code, _) in state.codes() {
                    taken.entry(number.clone()).or_default().insert(code);
                }
            }
        }
        taken
    }

    /// Applies an event, and does what follows. `settles`: what came in, in the same transaction.
    pub fn decide(&mut self, id: &DispatchId, event: &Event, settles: Option<usize>) -> Result<(), Crashed> {
        let mut follows = VecDeque::new();
        self.decide_once(id, event, settles, &mut follows)?;
        self.follow(follows)
    }

    fn decide_once(
        &mut self,
        id: &DispatchId,
        event: &Event,
        settles: Option<usize>,
        follows: &mut VecDeque<(DispatchId, Effect)>,
    ) -> Result<(), Crashed> {
        let now = self.now();
        let before = self.disk.rows[id].state.clone();
        let taken = self.taken_codes();
        let (mut after, mut effects) = apply(&before, event, now, &self.town.view(&before.message, &taken));
        let mut due = after.wake().map(|(at, _)| at);
        self.spoil(&before, &mut after, &mut effects, &mut due);
        self.before_commit()?;
        self.judge.committed(&before, &after, event, &effects);
        self.judge.stored(&after, due);
        let row = self.disk.rows.get_mut(id).expect("it was read");
        row.log.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Record(entry) => Some(entry.clone()),
            _ => None,
        }));
        row.due = due;
        row.state = after;
        if let Some(i) = settles {
            self.disk.inbound[i].handled = true;
        }
        self.point()?;
        self.line_up(id, &effects);
        follows.extend(effects.into_iter().map(|effect| (id.clone(), effect)));
        Ok(())
    }

    /// Breaks the rule that this house breaks, if it does.
    fn spoil(&self, before: &State, after: &mut State, effects: &mut Vec<Effect>, due: &mut Option<UtcMs>) {
        match self.sabotage {
            Some(Sabotage::ForgetsTimer) if after.attempts.len() > 2 => *due = None,
            Some(Sabotage::ForgetsYes) if before.phase == Phase::Confirmed && after != before => {
                after.phase = Phase::ExhaustedUnconfirmed;
                after.closed_at = None;
            }
            Some(Sabotage::SendsAfterYes) if after.phase == Phase::Confirmed && before.phase != after.phase => {
                effects.extend(after.attempts.iter().find(|a| a.is_step()).map(|a| Effect::Perform(a.id.clone())));
            }
            Some(Sabotage::Dawdles) => {
                for (run, was) in after.runs.iter_mut().zip(before.runs.iter().map(Some).chain(std::iter::repeat(None)))
                {
                    if was.is_none_or(|was| was.wait_from.is_none()) {
                        run.wait_from = run.wait_from.map(|at| at.plus_secs(7_200));
                    }
                }
                *due = after.wake().map(|(at, _)| at);
            }
            Some(Sabotage::LetsRing) => effects.retain(|effect| !matches!(effect, Effect::CancelCall(_))),
            Some(Sabotage::SendsTwice) => {
                let again: Vec<Effect> = effects.iter().filter(|e| matches!(e, Effect::Perform(_))).cloned().collect();
                effects.extend(again);
            }
            Some(Sabotage::GivesUpSilently) if after.phase == Phase::ExhaustedUnconfirmed => after.troubles.clear(),
            Some(Sabotage::IgnoresHours) => {
                for a in after.attempts.iter_mut().filter(|a| a.hold_until.is_some() && a.hold_until == a.not_before) {
                    a.hold_until = None;
                    effects.push(Effect::Hand(a.id.clone()));
                }
                *due = after.wake().map(|(at, _)| at);
            }
            Some(Sabotage::Unpins) => {
                let kind = &self.town.kinds[self.town.messages[&after.message].kind];
                after.protocol.version = kind.protocol.version;
            }
            _ => {}
        }
    }

    /// What a decision puts in line, and what it takes out.
    fn line_up(&mut self, id: &DispatchId, effects: &[Effect]) {
        let (now, state) = (self.now(), &self.disk.rows[id].state);
        let waiting =
            state.attempts.iter().filter(|a| state.is_ready(a)).map(|a| (a.id.clone(), self.lane_of(state, a)));
        let under_way = state.attempts.iter().filter(|a| a.in_flight_since.is_some()).map(|a| a.id.clone());
        let (waiting, under_way) = (waiting.collect(), under_way.collect());
        let mut ready = Vec::new();
        for effect in effects {
            let Effect::Hand(attempt) = effect else { continue };
            if let Some(a) = state.find_attempt(attempt).filter(|a| a.job.is_none()) {
                ready.push(Ready { lane: self.lane_of(state, a), ..Ready::of(state, a, None) });
            }
        }
        self.lanes.handle(now, Input::Dispatch { id: id.clone(), waiting, under_way });
        for ready in ready {
            self.lanes.handle(now, Input::Ready(ready));
        }
    }

    fn lane_of(&self, state: &State, a: &Attempt) -> Lane {
        match Lane::of(state, a) {
            Lane::Urgent if self.breaks(Sabotage::RoutineFirst) => Lane::Routine,
            Lane::Routine if self.breaks(Sabotage::RoutineFirst) => Lane::Urgent,
            lane => lane,
        }
    }

    fn follow(&mut self, mut follows: VecDeque<(DispatchId, Effect)>) -> Result<(), Crashed> {
        // It has its turn, and was asked for while those were gathered that leave in one.
        let mut next: Option<Named> = None;
        loop {
            while let Some((id, effect)) = follows.pop_front() {
                match effect {
                    Effect::Hand(attempt) => {
                        let is_job = self.disk.rows[&id].state.find_attempt(&attempt).is_some_and(|a| a.job.is_some());
                        if is_job {
                            self.hand(&id, attempt, &mut follows)?;
                        }
                    }
                    Effect::Perform(attempt) => self.perform(&id, &attempt)?,
                    Effect::CancelCall(attempt) => {
                        self.point()?;
                        self.outside.take_back(self.true_ms, self.boot, &attempt);
                    }
                    Effect::Record(_) => {}
                }
            }
            let Some(first) = next.take().or_else(|| self.lanes.poll_output()) else { return Ok(()) };
            self.look_who_waits(&first.dispatch, &first.attempt);
            let along = first.along.clone();
            let mut turn = vec![first];
            while along.is_some() && next.is_none() {
                match self.lanes.poll_output() {
                    Some(other) if other.along == along => turn.push(other),
                    Some(other) => next = Some(other),
                    None => break,
                }
            }
            self.hand_turn(turn, &mut follows)?;
        }
    }

    /// Hands over what has one turn: each is committed before any of it leaves.
    fn hand_turn(&mut self, turn: Vec<Named>, follows: &mut VecDeque<(DispatchId, Effect)>) -> Result<(), Crashed> {
        let mut joined = Vec::new();
        for Named { dispatch, attempt, along } in turn {
            self.hand(&dispatch, attempt.clone(), follows)?;
            let given = follows.iter().position(|(_, effect)| matches!(effect, Effect::Perform(id) if *id == attempt));
            match given {
                None => self.lanes.handle(self.now(), Input::NotHanded(attempt)),
                Some(at) if along.is_some() => {
                    follows.remove(at);
                    joined.push((dispatch, attempt));
                }
                Some(_) => {}
            }
        }
        self.perform_jointly(&joined)
    }

    /// As `engine/dispatcher/joint`: what is left of them leaves in one, and what becomes of that becomes of each.
    fn perform_jointly(&mut self, members: &[(DispatchId, AttemptId)]) -> Result<(), Crashed> {
        if members.len() < 2 {
            return members.iter().try_for_each(|(id, attempt)| self.perform(id, attempt));
        }
        let mut given: Vec<(State, Attempt)> = Vec::new();
        for (id, attempt) in members {
            let state = self.disk.rows[id].state.clone();
            let Some(a) = state.find_attempt(attempt).cloned() else { continue };
            given.push((state, a));
        }
        self.point()?;
        self.judge.leave_jointly(&given);
        let now = self.now();
        given.iter().for_each(|(_, a)| self.judge.in_hours(a, now));
        let answered = if self.breaks(Sabotage::SettlesOne) { 1 } else { given.len() };
        self.outside.takes_jointly(self.true_ms, self.boot, &mut self.rng, &mut self.judge, &given, answered);
        self.point()
    }

    fn hand(
        &mut self,
        id: &DispatchId,
        attempt: AttemptId,
        follows: &mut VecDeque<(DispatchId, Effect)>,
    ) -> Result<(), Crashed> {
        let event = Event::Hand { attempt, node: format!("node-{}", self.boot) };
        self.decide_once(id, &event, None, follows)
    }

    /// Something has its turn: does anything urgent wait in the same line?
    fn look_who_waits(&mut self, id: &DispatchId, attempt: &AttemptId) {
        let Some(per_minute) = self.rates else { return };
        let state = &self.disk.rows[id].state;
        let Some(a) = state.find_attempt(attempt).filter(|a| state.is_ready(a)) else { return };
        let (channel, lane, to) = (a.channel, Lane::of(state, a), a.address.clone());
        let waits = self.disk.rows.values().any(|row| {
            // Where each person has a pace, what waits for one holds up nobody else.
            let same = |a: &&Attempt| {
                let one = !self.paces_each || a.address == to;
                a.channel == channel && one && Lane::of(&row.state, a) == Lane::Urgent
            };
            row.state
                .attempts
                .iter()
                .filter(same)
                .any(|a| a.id != *attempt && row.state.is_ready(a) && a.job.is_none() && self.lanes.has(&a.id))
        });
        let now = self.now();
        match lane {
            Lane::Routine if [Channel::Text, Channel::Email, Channel::Pager, Channel::Push].contains(&channel) => {
                self.judge.routine_leaves(channel, per_minute, waits, now);
            }
            Lane::Urgent if !waits => self.judge.nothing_urgent(channel),
            _ => {}
        }
    }

    /// Gives an attempt to its edge. Its handing over is committed.
    fn perform(&mut self, id: &DispatchId, attempt: &AttemptId) -> Result<(), Crashed> {
        let state = self.disk.rows[id].state.clone();
        let Some(a) = state.find_attempt(attempt).cloned() else { return Ok(()) };
        self.point()?;
        self.judge.leaves(&state, &a);
        let now = self.now();
        self.judge.in_hours(&a, now);
        self.outside.takes(self.true_ms, self.boot, &mut self.rng, &mut self.judge, &state, &a);
        self.point()
    }

    /// A provider, or a call, answers for an attempt that this start of the process gave it.
    pub fn answers(&mut self, event: &Event, attempt: &AttemptId) -> Result<(), Crashed> {
        self.lanes.handle(self.now(), Input::Over(attempt.clone()));
        match self.dispatch_of(attempt) {
            Some(id) => self.decide(&id, event, None),
            None => Ok(()),
        }
    }

    /// Does all that is due by now, the urgent first.
    pub fn tick(&mut self) -> Result<(), Crashed> {
        self.take_arrivals()?;
        for _ in 0..1_000 {
            let now = self.now();
            self.lanes.handle(now, Input::Due);
            self.follow(VecDeque::new())?;
            while let Some(Named { dispatch, attempt, .. }) = self.lanes.poll_held(now) {
                self.judge.seen.queued += 1;
                self.decide(&dispatch, &Event::Queued { attempt }, None)?;
            }
            // Commits take their time.
            let now = self.now();
            let is_due = |row: &&Row| row.due.is_some_and(|at| at <= now) && !self.breaks(Sabotage::Oversleeps);
            let mut due: Vec<(bool, DispatchId)> = self
                .disk
                .rows
                .values()
                .filter(is_due)
                .map(|row| (row.state.urgency != Urgency::Urgent, row.state.id.clone()))
                .collect();
            if due.is_empty() {
                return Ok(());
            }
            due.sort();
            for (_, id) in due {
                self.decide(&id, &Event::Due, None)?;
            }
        }
        Ok(())
    }

    /// When it has something to do by itself.
    pub fn next_due(&self) -> Option<UtcMs> {
        let timers = self.disk.rows.values().filter_map(|row| row.due).filter(|_| !self.breaks(Sabotage::Oversleeps));
        timers.chain(self.lanes.poll_timeout().map(|(at, _)| at)).min()
    }

    /// The process is gone, and with it its lanes, its calls and what it waited for.
    pub fn falls(&mut self) {
        self.is_up = false;
        self.crash_in = None;
        self.judge.seen.crashes += 1;
        self.excuse_what_is_under_way();
        self.outside.process_gone(self.boot);
    }

    /// Of what is with an edge now nobody will know whether it arrived.
    pub fn excuse_what_is_under_way(&mut self) {
        let flying: Vec<AttemptId> = self
            .disk
            .rows
            .values()
            .flat_map(|row| &row.state.attempts)
            .filter(|a| a.in_flight_since.is_some())
            .map(|a| a.id.clone())
            .collect();
        for attempt in flying {
            self.judge.excuse(&attempt);
        }
    }

    /// It starts again and takes up what the disk says, in the order of `Dispatcher::recover`.
    pub fn starts(&mut self) -> Result<(), Crashed> {
        self.boot += 1;
        self.is_up = true;
        self.lanes = self.fresh_lanes();
        let tell = |house: &mut Self, ids: Vec<DispatchId>, event: Event| -> Result<(), Crashed> {
            ids.iter().try_for_each(|id| house.decide(id, &event, None))
        };
        let states = |house: &Self, which: &dyn Fn(&State) -> bool| -> Vec<DispatchId> {
            house.disk.rows.values().filter(|row| which(&row.state)).map(|row| row.state.id.clone()).collect()
        };
        let ids = states(self, &|state| state.on_call.is_some());
        tell(self, ids, Event::CallEnded)?;
        let orphans: Vec<(DispatchId, AttemptId)> = self
            .disk
            .rows
            .values()
            .flat_map(|row| row.state.attempts.iter().map(|a| (row.state.id.clone(), a)))
            .filter(|(_, a)| a.in_flight_since.is_some() && a.owner.is_some())
            .map(|(id, a)| (id, a.id.clone()))
            .collect();
        for (id, attempt) in orphans {
            self.decide(&id, &Event::Interrupted { attempt }, None)?;
        }
        let ids = states(self, &|state| state.phase.is_open());
        tell(self, ids, Event::Resume)?;
        self.tick()
    }

    /// Everything the judge looks at between two steps.
    pub fn look(&mut self) {
        let now = self.now();
        let stored: BTreeSet<DispatchId> = self.disk.rows.keys().cloned().collect();
        self.judge.all(&stored);
        for row in self.disk.rows.values() {
            self.judge.stored(&row.state, row.due);
            if self.is_up {
                self.judge.settled(&row.state, now);
            }
        }
    }
}
