//! The alarm chain: who is told, and by what, of alarms that nobody has acknowledged (design §6, *Guards*). Pure.
//!
//! What stands is shown to it as a whole; it keeps what it has seen, takes the steps of the house's [`Plan`] one after another
//! and round again, and stops when somebody has acknowledged or the cause is gone. Sends and shows nothing: `engine/alarms`
//! drives it and stores each state before it does what follows. What always holds: a step that is in [`State::taken`] is not
//! taken again; an acknowledgment counts for no alarm that whoever gave it was not told of; what is acknowledged and stands all
//! the same rings again; two rounds never begin closer together than the plan allows.

pub mod standstill;
#[cfg(test)]
mod tests;
pub mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AlarmChainId, AttemptId};
use crate::base::phone::PhoneNumber;

/// A call of which no end was heard is given up so long after it was made.
const CALL_LIMIT_MS: i64 = 3 * 60_000;
/// Steps that are remembered of one chain; the oldest go first.
const MAX_TAKEN: usize = 60;

/// What the house has decided: whom to tell, in order. No steps: alarms stay on the desks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// From the last step to the first one of the next round.
    pub repeat_secs: u32,
    /// What was acknowledged and still stands rings again after so long.
    pub remind_secs: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self { steps: Vec::new(), repeat_secs: 900, remind_secs: 3_600 }
    }
}

/// One supervisor told by one means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Since the alarm, for the first; else since the step before came to nothing.
    pub after_secs: u32,
    pub by: Means,
    pub name: String,
    pub number: PhoneNumber,
}

/// By what somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    Text,
    Call,
}

/// What an alarm is about. Ordered: the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The service itself stands still.
    Standstill,
    /// A message needs an operator.
    Message,
    /// Something else of the house: a carrier, a caller to ring back, a full disk.
    House,
}

/// Alarms that stand now, by the names that desks know them by.
pub type Standing = BTreeMap<String, Kind>;

/// An alarm as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    pub kind: Kind,
    /// When it was first seen.
    pub since: UtcMs,
    pub acknowledged_at: Option<UtcMs>,
}

/// Somebody said that they see to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgment {
    pub at: UtcMs,
    pub by: String,
    pub via: Via,
}

/// The door an acknowledgment came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Desk,
    Text,
    Key,
}

/// Where the plan is read while somebody has yet to acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// From 1.
    pub round: u32,
    /// The step that comes next, from 0.
    pub next: usize,
    /// When it does; none: the plan has no steps.
    pub due_at: Option<UtcMs>,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Goes to the provider as its reference.
    pub id: AttemptId,
    pub at: UtcMs,
    pub round: u32,
    pub step: usize,
    pub by: Means,
    pub name: String,
    pub number: PhoneNumber,
    pub outcome: Option<Outcome>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took the text.
    Accepted,
    /// Nobody was told: the text was not taken, the call was not made.
    Failed,
    /// The call was not answered, or busy.
    NotReached,
    /// It was answered, and nobody pressed 1.
    NotAcknowledged,
    /// 1 was pressed.
    Acknowledged,
    /// It was taken back, as somebody else had acknowledged.
    TakenBack,
    /// A crash or a provider's silence: it may have arrived.
    Unknown,
}

/// One chain, from the first alarm until none stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub id: AlarmChainId,
    pub begun_at: UtcMs,
    pub causes: BTreeMap<String, Cause>,
    pub chain: Option<Chain>,
    /// The last ones.
    pub taken: Vec<Taken>,
    /// Steps taken in all.
    pub count: u32,
    pub acknowledged: Option<Acknowledgment>,
}

/// What is to be done once a state is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// To be told of the alarms that nobody has acknowledged.
    Take(Taken),
    /// A call that is no longer wanted.
    Cancel(AttemptId),
}

/// What was heard of a step.
pub type News = (AttemptId, Outcome);

impl State {
    pub fn new(id: AlarmChainId, now: UtcMs) -> Self {
        let (causes, taken) = (BTreeMap::new(), Vec::new());
        Self { id, begun_at: now, causes, chain: None, taken, count: 0, acknowledged: None }
    }

    /// Nothing stands any more.
    pub fn is_over(&self) -> bool {
        self.causes.is_empty()
    }

    /// Alarms that nobody has acknowledged.
    pub fn unacknowledged(&self) -> impl Iterator<Item = (&String, &Cause)> {
        self.causes.iter().filter(|(_, cause)| cause.acknowledged_at.is_none())
    }

    /// Since when the oldest of them stands.
    pub fn waits_since(&self) -> Option<UtcMs> {
        self.unacknowledged().map(|(_, cause)| cause.since).min()
    }

    /// The step taken last at this number: who was told there, and when.
    pub fn told_at(&self, number: &PhoneNumber) -> Option<&Taken> {
        self.taken.iter().rev().find(|taken| taken.number == *number)
    }
}

/// Takes in what stands now and what was heard of steps, and says what is to be done next: at most one new step.
pub fn advance(before: &State, plan: &Plan, standing: &Standing, news: &[News], now: UtcMs) -> (State, Vec<Effect>) {
    let (mut state, mut effects) = (before.clone(), Vec::new());
    for (id, outcome) in news {
        hear(&mut state, plan, id, *outcome, now);
    }
    state.causes.retain(|name, _| standing.contains_key(name));
    for (name, kind) in standing {
        state.causes.entry(name.clone()).or_insert(Cause { kind: *kind, since: now, acknowledged_at: None });
    }
    let remind_ms = i64::from(plan.remind_secs) * 1_000;
    let mut reminded = false;
    for cause in state.causes.values_mut() {
        if cause.acknowledged_at.is_some_and(|at| now.since(at) >= remind_ms) {
            cause.acknowledged_at = None;
            reminded = true;
        }
    }
    settle(&mut state, plan, reminded, now, &mut effects);
    if let Some(taken) = take_due(&mut state, plan, now) {
        effects.push(Effect::Take(taken));
    }
    (state, effects)
}

/// Somebody sees to it: to all alarms, or to those that stood at `upto`. None: there was nothing to acknowledge.
pub fn acknowledge(
    before: &State,
    plan: &Plan,
    acknowledgment: Acknowledgment,
    upto: Option<UtcMs>,
) -> Option<(State, Vec<Effect>)> {
    let (mut state, mut effects) = (before.clone(), Vec::new());
    let now = acknowledgment.at;
    mark(&mut state, acknowledgment, upto).then(|| {
        settle(&mut state, plan, false, now, &mut effects);
        (state, effects)
    })
}

/// Which alarms an acknowledgment has changed.
pub fn newly_acknowledged<'a>(before: &'a State, after: &'a State) -> impl Iterator<Item = &'a str> {
    let was_open = |name: &str| before.causes.get(name).is_some_and(|cause| cause.acknowledged_at.is_none());
    after
        .causes
        .iter()
        .filter(move |(name, cause)| cause.acknowledged_at.is_some() && was_open(name))
        .map(|(name, _)| name.as_str())
}

fn mark(state: &mut State, acknowledgment: Acknowledgment, upto: Option<UtcMs>) -> bool {
    let mut any = false;
    for cause in state.causes.values_mut() {
        if cause.acknowledged_at.is_none() && upto.is_none_or(|upto| cause.since <= upto) {
            cause.acknowledged_at = Some(acknowledgment.at);
            any = true;
        }
    }
    if any {
        state.acknowledged = Some(acknowledgment);
        // Whatever is left is a new alarm, and has a chain of its own.
        state.chain = None;
    }
    any
}

fn hear(state: &mut State, plan: &Plan, id: &AttemptId, outcome: Outcome, now: UtcMs) {
    let Some(at) = state.taken.iter().position(|taken| taken.id == *id && taken.outcome.is_none()) else { return };
    state.taken[at].outcome = Some(outcome);
    let taken = state.taken[at].clone();
    if outcome == Outcome::Acknowledged {
        let acknowledgment = Acknowledgment { at: now, by: taken.name, via: Via::Key };
        mark(state, acknowledgment, Some(taken.at));
        return;
    }
    let is_last = at + 1 == state.taken.len();
    let Some(due_at) = state.chain.as_mut().and_then(|chain| chain.due_at.as_mut()).filter(|_| is_last) else { return };
    let wait = match outcome {
        // Nobody was told, and of the next round it was said how soon it may begin.
        Outcome::Failed if taken.step + 1 < plan.steps.len() => 0,
        _ => wait_after_ms(plan, taken.step),
    };
    *due_at = (*due_at).min(now.plus_ms(wait));
}

/// Has a chain while there is something to acknowledge, and none else. `at_once`: an alarm is rung about again.
fn settle(state: &mut State, plan: &Plan, at_once: bool, now: UtcMs, effects: &mut Vec<Effect>) {
    let Some(since) = state.waits_since() else {
        state.chain = None;
        let rings = state.taken.iter_mut().filter(|taken| taken.by == Means::Call && taken.outcome.is_none());
        for taken in rings {
            taken.outcome = Some(Outcome::TakenBack);
            effects.push(Effect::Cancel(taken.id.clone()));
        }
        return;
    };
    // Nobody was told of any that is left: that is a new alarm, and has a chain of its own.
    if state.taken.last().is_some_and(|taken| taken.at < since) {
        state.chain = None;
    }
    if state.chain.is_some() {
        return;
    }
    let due_at = plan.steps.first().map(|first| match at_once {
        true => now,
        false => now.max(since.plus_secs(i64::from(first.after_secs))),
    });
    state.chain = Some(Chain { round: 1, next: 0, due_at });
}

/// Takes the next step if its time has come.
fn take_due(state: &mut State, plan: &Plan, now: UtcMs) -> Option<Taken> {
    let chain = state.chain.as_mut()?;
    if plan.steps.is_empty() {
        chain.due_at = None;
        return None;
    }
    // A configuration that has steps again, or fewer.
    let due_at = *chain.due_at.get_or_insert(now);
    if now < due_at {
        return None;
    }
    if chain.next >= plan.steps.len() {
        chain.next = 0;
    }
    let (n, round) = (chain.next, chain.round);
    let step = &plan.steps[n];
    let guard = if step.by == Means::Call { CALL_LIMIT_MS } else { 0 };
    chain.due_at = Some(now.plus_ms(guard + wait_after_ms(plan, n)));
    chain.next = n + 1;
    if chain.next == plan.steps.len() {
        (chain.next, chain.round) = (0, round + 1);
    }
    state.count += 1;
    let own = state.id.as_str();
    let own = own.split_once('_').map_or(own, |(_, rest)| rest);
    let taken = Taken {
        id: AttemptId::named(&format!("{own}-{}", state.count)),
        at: now,
        round,
        step: n,
        by: step.by,
        name: step.name.clone(),
        number: step.number.clone(),
        outcome: None,
    };
    if state.taken.len() >= MAX_TAKEN {
        state.taken.remove(0);
    }
    state.taken.push(taken.clone());
    Some(taken)
}

/// What is waited after a step for somebody to acknowledge.
fn wait_after_ms(plan: &Plan, step: usize) -> i64 {
    let secs = plan.steps.get(step + 1).map_or(plan.repeat_secs, |next| next.after_secs);
    i64::from(secs) * 1_000
}

/// Whether a text says that its sender sees to an alarm. None of these words, alone as they must stand, confirms a message or
/// asks a carrier for anything ([`super::dispatch::confirm::Reply`]).
pub fn is_acknowledgment(body: &str) -> bool {
    let word = body.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    matches!(word.as_str(), "ack" | "acknowledge" | "acknowledged")
}
