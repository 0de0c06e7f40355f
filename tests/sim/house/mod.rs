//! The service as far as dispatch goes: a disk, a process that may be killed at any commit and any hand-over, and the order in
//! which the real driver (`engine/dispatcher`) commits, hands over and takes up. Decides no more than that driver does (whose code
//! a text means, as its `arrivals`): the machines of the library do.
//!
//! What is on [`Disk`] survives; lanes and what is with an edge fall with the process. [`Sabotage`] breaks one rule of the driver,
//! so that it is seen that the judge notices.

mod drive;
mod replies;
mod sabotage;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, AttemptId, CallId, DispatchId, MessageId};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::rng::Rng;
use cordboard::domain::account::Urgency;
use cordboard::domain::dispatch::event::{Entry, Event};
use cordboard::domain::dispatch::job::JobNews;
use cordboard::domain::dispatch::lanes::{ChannelRates, Input, Lanes, Named, Pace, Rates};
use cordboard::domain::dispatch::state::{Channel, NewDispatch, State};

use crate::judge::Judge;
use crate::outside::Outside;
use crate::town::Town;

pub use sabotage::Sabotage;

/// The process was killed.
pub struct Crashed;

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
            patched_to: Vec::new(),
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
