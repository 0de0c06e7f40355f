//! Lanes: what is to be handed over waits here for its turn, so that no edge and no person is given more than they take, and
//! nothing urgent waits behind anything routine.
//!
//! Decides which attempt goes next and when; sends nothing and stores nothing. `engine/dispatcher/lanes` drives it. It may be
//! lost with the process: an attempt that waits is *planned* in the store, and the next start puts it in line again. What always
//! holds: an attempt is let through once until it is over; within a lane it goes by the time it was due, each destination in its
//! turn; an edge that is slow or full holds up no other; what waits leaves at the latest when all before it have. What has waited
//! for one destination may have one turn together: messages of one account, none urgent, none protected, none that asks for a yes.
//! One of them that leaves by itself after all is paid for as well, by what follows.

mod pace;
mod queue;
mod rates;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::state::{Attempt, Channel, Purpose, State};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, DispatchId};
use crate::base::pii::Pii;
use crate::domain::account::Urgency;
use pace::{Gate, Opens, Paid};
use queue::Queue;

pub use pace::Pace;
pub use rates::{ChannelRates, Rates};

/// What waits longer than this is said to wait: shorter is nothing that anybody would look for.
pub const SHOWN_AFTER_MS: i64 = 5_000;
/// Messages in one text: what phones show of longer ones is no list any more.
const MOST_IN_TEXT: usize = 4;
/// Messages in one email.
const MOST_IN_EMAIL: usize = 20;
/// Destinations of a channel whose pace is remembered before those that are at rest are forgotten.
const MANY: usize = 1_024;

/// Which of the two lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    Urgent,
    Routine,
}

impl Lane {
    const ALL: [Self; 2] = [Self::Urgent, Self::Routine];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Routine => "routine",
        }
    }

    /// In which an attempt waits. What nobody's answer is waited for is never urgent: the word to others that it is handled,
    /// what is for the record, and what only informs.
    pub fn of(state: &State, attempt: &Attempt) -> Self {
        let aside = matches!(attempt.purpose, Purpose::StandDown | Purpose::Record) || state.informs(&attempt.purpose);
        if state.urgency == Urgency::Urgent && !aside { Self::Urgent } else { Self::Routine }
    }
}

/// By what something leaves: a channel, or one of its providers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub channel: Channel,
    /// As the configuration calls it.
    pub provider: Option<String>,
}

impl Edge {
    /// For figures: `email`, `text:twilio`.
    pub fn name(&self) -> String {
        let channel = self.channel.name();
        self.provider.as_ref().map_or_else(|| channel.to_owned(), |provider| format!("{channel}:{provider}"))
    }
}

/// An attempt that wants to be handed over.
#[derive(Clone, Debug)]
pub struct Ready {
    pub attempt: AttemptId,
    pub dispatch: DispatchId,
    pub edge: Edge,
    pub to: Pii<String>,
    pub lane: Lane,
    /// Since when it wants to.
    pub due: UtcMs,
    /// It is known to wait.
    pub known: bool,
    /// It is over so long after it was handed over, whatever is heard of it.
    pub lasts_ms: i64,
    /// With what else of this account waits for the same destination it may leave in one.
    pub joins: Option<AccountId>,
}

impl Ready {
    pub fn of(state: &State, attempt: &Attempt, provider: Option<String>) -> Self {
        // What may have arrived goes once more by itself, and says so.
        let joins = state.may_join(attempt) && !attempt.uncertain;
        Self {
            attempt: attempt.id.clone(),
            dispatch: state.id.clone(),
            edge: Edge { channel: attempt.channel, provider },
            to: Pii::new(attempt.address.as_str().to_owned()),
            lane: Lane::of(state, attempt),
            due: attempt.queued_at.unwrap_or(attempt.planned_at),
            known: attempt.queued_at.is_some(),
            lasts_ms: attempt.lasts_ms(),
            joins: joins.then(|| state.account.clone()),
        }
    }
}

/// What lanes are told.
#[derive(Clone, Debug)]
pub enum Input {
    Ready(Ready),
    /// If it waits, it may leave in one with what else of this account waits for the same destination, as is known by now.
    Joins(AttemptId, AccountId),
    /// Whoever it was handed to has answered, or the call is over.
    Over(AttemptId),
    /// It was let through and is not wanted any more: nobody was given it.
    NotHanded(AttemptId),
    /// It was let through together with others and leaves as a delivery of its own: that is paid for as well, if it is not yet.
    Apart(AttemptId),
    /// All of a dispatch that may still go out, and in which lane, and all that is under way for it.
    Dispatch {
        id: DispatchId,
        waiting: Vec<(AttemptId, Lane)>,
        under_way: Vec<AttemptId>,
    },
    /// Time has passed.
    Due,
}

/// An attempt of a dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub dispatch: DispatchId,
    pub attempt: AttemptId,
    /// It leaves in one with all that name the same here; it comes right behind that one, which has had the turn for all.
    pub along: Option<AttemptId>,
}

/// Why lanes want to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Something may go then.
    Turn,
    /// Something has waited for long then.
    Shown,
    /// Nothing was heard of something by then.
    Expired,
}

/// One lane, for figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneFigures {
    pub edge: String,
    pub lane: Lane,
    pub waiting: usize,
    /// When what has waited longest was due.
    pub oldest: Option<UtcMs>,
}

#[derive(Clone, Debug)]
struct EdgeLanes {
    /// None: no limit.
    gate: Option<Gate>,
    urgent: Queue,
    routine: Queue,
}

impl EdgeLanes {
    const fn queue(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::Urgent => &self.urgent,
            Lane::Routine => &self.routine,
        }
    }

    const fn queue_mut(&mut self, lane: Lane) -> &mut Queue {
        match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Routine => &mut self.routine,
        }
    }
}

#[derive(Clone, Debug)]
struct Waiting {
    ready: Ready,
    /// When it is shown, unless it is.
    shown_at: Option<UtcMs>,
}

/// Let through, and not over.
#[derive(Clone, Debug)]
struct UnderWay {
    dispatch: DispatchId,
    edge: Edge,
    to: Pii<String>,
    lane: Lane,
    at_edge: Option<Paid>,
    at_destination: Option<Paid>,
    until: UtcMs,
}

/// The lanes of one node.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    rates: Rates,
    edges: BTreeMap<Edge, EdgeLanes>,
    destinations: BTreeMap<Channel, BTreeMap<Pii<String>, Gate>>,
    waiting: BTreeMap<AttemptId, Waiting>,
    under_way: BTreeMap<AttemptId, UnderWay>,
    /// What of each dispatch waits or is under way.
    of_dispatch: BTreeMap<DispatchId, BTreeSet<AttemptId>>,
    unshown: BTreeSet<(UtcMs, AttemptId)>,
    ends: BTreeSet<(UtcMs, AttemptId)>,
    /// What has its turn and was not asked for yet, by lane.
    urgent: VecDeque<Named>,
    routine: VecDeque<Named>,
    turn_at: Option<UtcMs>,
}

impl Lanes {
    pub fn new(rates: Rates) -> Self {
        Self { rates, ..Self::default() }
    }

    pub fn handle(&mut self, now: UtcMs, input: Input) {
        match input {
            Input::Ready(ready) => self.enter(now, ready),
            Input::Joins(attempt, account) => {
                if let Some(waiting) = self.waiting.get_mut(&attempt) {
                    waiting.ready.joins = Some(account);
                }
            }
            Input::Over(attempt) => self.over(&attempt, Gate::leave),
            Input::NotHanded(attempt) => self.over(&attempt, Gate::give_back),
            Input::Apart(attempt) => self.pay_late(&attempt, now),
            Input::Dispatch { id, waiting, under_way } => self.follow(&id, &waiting, &under_way),
            Input::Due => {}
        }
        while let Some((_, attempt)) = self.ends.first().filter(|(until, _)| *until <= now).cloned() {
            self.ends.pop_first();
            self.over(&attempt, Gate::leave);
        }
        self.serve(now);
    }

    /// What has its turn, to be handed over now.
    pub fn poll_output(&mut self) -> Option<Named> {
        self.urgent.pop_front().or_else(|| self.routine.pop_front())
    }

    /// What has waited for long enough that somebody should see it. Asked for apart: it delays nothing that has its turn.
    pub fn poll_held(&mut self, now: UtcMs) -> Option<Named> {
        while let Some((_, attempt)) = self.unshown.first().filter(|(at, _)| *at <= now).cloned() {
            self.unshown.pop_first();
            if let Some(waiting) = self.waiting.get_mut(&attempt) {
                waiting.shown_at = None;
                return Some(Named { dispatch: waiting.ready.dispatch.clone(), attempt, along: None });
            }
        }
        None
    }

    pub fn poll_timeout(&self) -> Option<(UtcMs, Reason)> {
        let turn = self.turn_at.map(|at| (at, Reason::Turn));
        let shown = self.unshown.first().map(|(at, _)| (*at, Reason::Shown));
        let expired = self.ends.first().map(|(at, _)| (*at, Reason::Expired));
        [turn, shown, expired].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// It waits here for its turn.
    pub fn is_waiting(&self, attempt: &AttemptId) -> bool {
        self.waiting.contains_key(attempt)
    }

    /// It waits here, or was let through and is not over.
    pub fn has(&self, attempt: &AttemptId) -> bool {
        self.waiting.contains_key(attempt) || self.under_way.contains_key(attempt)
    }

    /// Of each lane that was ever used.
    pub fn figures(&self) -> Vec<LaneFigures> {
        let lanes = self.edges.iter().flat_map(|(edge, lanes)| Lane::ALL.map(|lane| (edge, lane, lanes.queue(lane))));
        let figures = lanes.map(|(edge, lane, queue)| LaneFigures {
            edge: edge.name(),
            lane,
            waiting: queue.len(),
            oldest: queue.oldest(),
        });
        figures.collect()
    }

    fn enter(&mut self, now: UtcMs, ready: Ready) {
        if let Some(known) = self.waiting.get(&ready.attempt) {
            // The same again, as its net under the lane told it. A message may have become urgent since.
            let (attempt, lane) = (known.ready.attempt.clone(), ready.lane);
            return self.change_lane(&attempt, lane);
        }
        if self.under_way.contains_key(&ready.attempt) {
            return;
        }
        let rates = &self.rates;
        let lanes = self.edges.entry(ready.edge.clone()).or_insert_with(|| EdgeLanes {
            gate: rates.of_edge(&ready.edge).map(|pace| Gate::new(pace, now)),
            urgent: Queue::default(),
            routine: Queue::default(),
        });
        lanes.queue_mut(ready.lane).insert(&ready.to, ready.due, ready.attempt.clone());
        self.of_dispatch.entry(ready.dispatch.clone()).or_default().insert(ready.attempt.clone());
        let shown_at = (!ready.known).then(|| now.plus_ms(SHOWN_AFTER_MS));
        if let Some(at) = shown_at {
            self.unshown.insert((at, ready.attempt.clone()));
        }
        self.waiting.insert(ready.attempt.clone(), Waiting { ready, shown_at });
    }

    fn change_lane(&mut self, attempt: &AttemptId, lane: Lane) {
        let Some(Waiting { ready, .. }) = self.waiting.get_mut(attempt).filter(|known| known.ready.lane != lane) else {
            return;
        };
        if let Some(lanes) = self.edges.get_mut(&ready.edge) {
            lanes.queue_mut(ready.lane).remove(&ready.to, ready.due, attempt);
            lanes.queue_mut(lane).insert(&ready.to, ready.due, attempt.clone());
            ready.lane = lane;
        }
    }

    /// What a dispatch does not want any more leaves its lane, and what is over its place.
    fn follow(&mut self, id: &DispatchId, waiting: &[(AttemptId, Lane)], under_way: &[AttemptId]) {
        let known: Vec<AttemptId> = self.of_dispatch.get(id).into_iter().flatten().cloned().collect();
        for attempt in known {
            let wanted = waiting.iter().find(|(own, _)| *own == attempt).map(|(_, lane)| *lane);
            match wanted {
                Some(lane) => self.change_lane(&attempt, lane),
                // Let through, its handing over may not be written down yet: then it is still among those that may go out.
                None if self.waiting.contains_key(&attempt) => self.withdraw(&attempt),
                None if !under_way.contains(&attempt) => self.over(&attempt, Gate::leave),
                None => {}
            }
        }
    }

    /// Takes what waits out of its lane.
    fn withdraw(&mut self, attempt: &AttemptId) {
        let Some(Waiting { ready, shown_at }) = self.waiting.remove(attempt) else { return };
        if let Some(lanes) = self.edges.get_mut(&ready.edge) {
            lanes.queue_mut(ready.lane).remove(&ready.to, ready.due, attempt);
        }
        if let Some(at) = shown_at {
            self.unshown.remove(&(at, attempt.clone()));
        }
        self.forget(&ready.dispatch, attempt);
    }

    fn forget(&mut self, dispatch: &DispatchId, attempt: &AttemptId) {
        if let Some(of_dispatch) = self.of_dispatch.get_mut(dispatch) {
            of_dispatch.remove(attempt);
            if of_dispatch.is_empty() {
                self.of_dispatch.remove(dispatch);
            }
        }
    }

    fn over(&mut self, attempt: &AttemptId, leaves: fn(&mut Gate, Paid)) {
        let Some(gone) = self.under_way.remove(attempt) else { return };
        self.ends.remove(&(gone.until, attempt.clone()));
        let gate = self.edges.get_mut(&gone.edge).and_then(|lanes| lanes.gate.as_mut());
        if let Some((gate, paid)) = gate.zip(gone.at_edge) {
            leaves(gate, paid);
        }
        let gate = self.destinations.get_mut(&gone.edge.channel).and_then(|gates| gates.get_mut(&gone.to));
        if let Some((gate, paid)) = gate.zip(gone.at_destination) {
            leaves(gate, paid);
        }
        self.forget(&gone.dispatch, attempt);
    }

    /// Lets through all that may go now: at each edge the urgent first.
    fn serve(&mut self, now: UtcMs) {
        self.turn_at = None;
        let busy = |lanes: &EdgeLanes| !lanes.urgent.is_empty() || !lanes.routine.is_empty();
        let edges: Vec<Edge> =
            self.edges.iter().filter(|(_, lanes)| busy(lanes)).map(|(edge, _)| edge.clone()).collect();
        for edge in &edges {
            for lane in Lane::ALL {
                while let Some(attempt) = self.pick(edge, lane, now) {
                    let joined = self.pick_joined(edge, lane, &attempt);
                    let along = (!joined.is_empty()).then_some(&attempt);
                    self.let_through(&attempt, along, now);
                    for other in &joined {
                        self.let_through(other, along, now);
                    }
                }
            }
        }
    }

    /// Whose turn it is now. If it is nobody's, notes when it may be somebody's.
    fn pick(&mut self, edge: &Edge, lane: Lane, now: UtcMs) -> Option<AttemptId> {
        let lanes = self.edges.get_mut(edge)?;
        if lanes.queue(lane).is_empty() {
            return None;
        }
        let mut soonest = self.turn_at;
        let mut may = |opens: Opens| match opens {
            Opens::Now => true,
            Opens::At(at) => {
                soonest = Some(soonest.map_or(at, |known| known.min(at)));
                false
            }
            Opens::WhenOver => false,
        };
        let picked = if lanes.gate.as_mut().is_none_or(|gate| may(gate.opens(lane, now))) {
            let mut gates = self.destinations.get_mut(&edge.channel);
            lanes.queue(lane).pick(|to| {
                let gate = gates.as_mut().and_then(|gates| gates.get_mut(to));
                gate.is_none_or(|gate| may(gate.opens(lane, now)))
            })
        } else {
            None
        };
        self.turn_at = soonest;
        picked
    }

    /// What leaves in one with this attempt, which has its turn: whatever may, of other dispatches, in order. All of it has waited,
    /// as what comes while there is room is let through alone.
    fn pick_joined(&self, edge: &Edge, lane: Lane, first: &AttemptId) -> Vec<AttemptId> {
        let most = match (edge.channel, lane) {
            (Channel::Text, Lane::Routine) => MOST_IN_TEXT,
            (Channel::Email, Lane::Routine) => MOST_IN_EMAIL,
            _ => return Vec::new(),
        };
        let ready = |attempt: &AttemptId| self.waiting.get(attempt).map(|waiting| &waiting.ready);
        let Some((first_ready, lanes)) = ready(first).zip(self.edges.get(edge)) else { return Vec::new() };
        let Some(account) = &first_ready.joins else { return Vec::new() };
        let mut dispatches = BTreeSet::from([&first_ready.dispatch]);
        let others = lanes.queue(lane).of(&first_ready.to).filter(|other| *other != first);
        let joined = others.filter(|other| {
            ready(other).is_some_and(|own| own.joins.as_ref() == Some(account) && dispatches.insert(&own.dispatch))
        });
        joined.take(most - 1).cloned().collect()
    }

    /// `along`: whose turn it has, if it leaves in one with others. That one pays for all.
    fn let_through(&mut self, attempt: &AttemptId, along: Option<&AttemptId>, now: UtcMs) {
        let pays = along.is_none_or(|first| first == attempt);
        let Some(Waiting { ready, shown_at }) = self.waiting.remove(attempt) else { return };
        if let Some(at) = shown_at {
            self.unshown.remove(&(at, attempt.clone()));
        }
        let Ready { dispatch, edge, to, lane, due, lasts_ms, .. } = ready;
        let mut at_edge = None;
        if let Some(lanes) = self.edges.get_mut(&edge) {
            if pays {
                lanes.queue_mut(lane).take(&to, due, attempt);
                at_edge = lanes.gate.as_mut().map(|gate| gate.take(lane));
            } else {
                lanes.queue_mut(lane).remove(&to, due, attempt);
            }
        }
        let at_destination = self.rates.to_one(edge.channel).filter(|_| pays).map(|pace| {
            let gates = self.destinations.entry(edge.channel).or_default();
            // A destination at rest is as good as one that is not known.
            if gates.len() >= MANY {
                gates.retain(|_, gate| !gate.is_idle(now));
            }
            gates.entry(to.clone()).or_insert_with(|| Gate::new(pace, now)).take(lane)
        });
        let until = now.plus_ms(lasts_ms);
        self.ends.insert((until, attempt.clone()));
        let in_turn = match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Routine => &mut self.routine,
        };
        in_turn.push_back(Named { dispatch: dispatch.clone(), attempt: attempt.clone(), along: along.cloned() });
        let gone = UnderWay { dispatch, edge, to, lane, at_edge, at_destination, until };
        self.under_way.insert(attempt.clone(), gone);
    }

    /// It was to leave with one that pays for all, and does not.
    fn pay_late(&mut self, attempt: &AttemptId, now: UtcMs) {
        let Some(own) = self.under_way.get_mut(attempt) else { return };
        if own.at_edge.is_none() {
            let gate = self.edges.get_mut(&own.edge).and_then(|lanes| lanes.gate.as_mut());
            own.at_edge = gate.map(|gate| gate.owe(own.lane, now));
        }
        if own.at_destination.is_none() {
            let gate = self.destinations.get_mut(&own.edge.channel).and_then(|gates| gates.get_mut(&own.to));
            own.at_destination = gate.map(|gate| gate.owe(own.lane, now));
        }
    }
}
