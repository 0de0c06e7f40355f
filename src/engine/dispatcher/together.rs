//! Decisions share commits. Whatever is asked while a commit is under way waits for its end, and then goes into the next one
//! with all else that waits, up to [`BATCH`]: whoever asks alone waits for nobody, and the busier it is the more share a
//! flush of the disk.
//!
//! What always holds: nothing follows from a decision before its commit; a dispatch is decided about once a commit, in the
//! order asked; one that cannot be read, or that a fault of ours stops, is left out of the commit, and where the store refuses
//! the whole, each is decided about alone. Driven by whoever asks: the first starts a task that ends when nobody waits.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::town::Towns;
use super::{BATCH, Decided, Dispatcher, Settles, TRIES, entries, point};
use crate::base::id::{AttemptId, DispatchId};
use crate::domain::dispatch::event::{Effect, Entry, Event};
use crate::domain::dispatch::state::{Phase, State};
use crate::io::store::StoreError;
use crate::io::store::decisions::Decision;
use crate::io::store::dispatch::StoredDispatch;
use crate::io::store::inbound::Inbound;

/// Decisions in a row that the store does not answer before the rest is told so without asking.
const MOST_SILENT: u32 = 2;

/// An event of one dispatch, to be decided about.
pub(super) struct Asked {
    pub(super) id: DispatchId,
    pub(super) event: Event,
    pub(super) settles: Settled,
}

/// [`Settles`], for those who do not wait where it was asked.
pub(super) enum Settled {
    Nothing,
    Arrival(Box<Inbound>, String),
    Timer(i64),
}

/// What came of it, with what is to follow.
pub(super) struct Outcome {
    pub(super) decided: Decided,
    pub(super) effects: Vec<Effect>,
    /// As it stands now, if it was decided about.
    pub(super) committed: Option<Committed>,
}

/// A dispatch as a commit left it.
pub(super) struct Committed {
    pub(super) state: State,
    /// What leaves in writing is a notice.
    pub(super) protected: bool,
}

/// Dispatches as the commits left them that something is to follow from.
pub(super) type Latest = HashMap<DispatchId, Committed>;

type Answer = Result<Outcome, StoreError>;

struct Waiting {
    asked: Arc<Asked>,
    answer: oneshot::Sender<Answer>,
}

/// Who waits for the next commit, and whether somebody sees to it.
#[derive(Default)]
pub(super) struct Gathered {
    waiting: VecDeque<Waiting>,
    is_seen_to: bool,
}

/// Sees to those who wait, until nobody does. Cut short, it leaves the place to others, and whoever waits hears so.
struct Keeper {
    dispatcher: Dispatcher,
    is_done: bool,
}

/// A decision that is about to be written.
struct Turn {
    /// The place among those asked.
    n: usize,
    read: StoredDispatch,
    after: State,
    effects: Vec<Effect>,
    entries: Vec<Entry>,
    changed: bool,
}

impl Asked {
    pub(super) fn new(id: &DispatchId, event: Event, settles: Settles<'_>) -> Self {
        let settles = match settles {
            Settles::Nothing => Settled::Nothing,
            Settles::Arrival(inbound, outcome) => Settled::Arrival(Box::new(inbound.clone()), outcome.to_owned()),
            Settles::Timer(claimed) => Settled::Timer(claimed),
        };
        Self { id: id.clone(), event, settles }
    }
}

impl Outcome {
    const fn without_effects(decided: Decided) -> Self {
        Self { decided, effects: Vec::new(), committed: None }
    }
}

impl Gathered {
    /// Those whose turn it is, each dispatch once.
    fn take(&mut self) -> Vec<Waiting> {
        let (mut batch, mut later, mut seen) = (Vec::new(), VecDeque::new(), HashSet::new());
        while batch.len() < BATCH as usize
            && let Some(next) = self.waiting.pop_front()
        {
            if seen.insert(next.asked.id.clone()) {
                batch.push(next);
            } else {
                later.push_back(next);
            }
        }
        later.append(&mut self.waiting);
        self.waiting = later;
        batch
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if !self.is_done {
            let mut gathered = self.dispatcher.gathered();
            gathered.is_seen_to = false;
            gathered.waiting.clear();
        }
    }
}

impl Keeper {
    async fn see_to_all(mut self) {
        while let Some(batch) = self.take() {
            self.dispatcher.settle_batch(batch).await;
        }
    }

    /// None: nobody waits, and whoever comes from now on has another see to it.
    fn take(&mut self) -> Option<Vec<Waiting>> {
        let mut gathered = self.dispatcher.gathered();
        let batch = gathered.take();
        if batch.is_empty() {
            gathered.is_seen_to = false;
            drop(gathered);
            self.is_done = true;
            self.dispatcher.draw_soon();
            return None;
        }
        Some(batch)
    }
}

impl Dispatcher {
    /// Decides about many, in the order asked, and answers in it. What follows is the caller's to do.
    pub(super) async fn decide_all(&self, asked: Vec<Asked>) -> Vec<Answer> {
        let asked: Vec<Arc<Asked>> = asked.into_iter().map(Arc::new).collect();
        let answers = self.gather(&asked);
        let mut all = Vec::with_capacity(asked.len());
        for (asked, answer) in asked.iter().zip(answers) {
            all.push(match answer.await {
                Ok(answer) => answer,
                // Whoever saw to it was cut short.
                Err(_) => self.decide_alone(asked).await,
            });
        }
        all
    }

    pub(super) async fn decide_once(&self, asked: Asked) -> Answer {
        self.decide_all(vec![asked]).await.pop().expect("one was asked, and one is answered")
    }

    /// Decides about each of many and does what follows; one that cannot go on holds up no other.
    ///
    /// # Errors
    /// The store as a whole does not answer.
    pub(super) async fn decide_each(&self, mut asked: Vec<Asked>) -> Result<(), StoreError> {
        while !asked.is_empty() {
            let rest = asked.split_off(asked.len().min(BATCH as usize));
            let ids: Vec<DispatchId> = asked.iter().map(|asked| asked.id.clone()).collect();
            let answers = self.decide_all(std::mem::replace(&mut asked, rest)).await;
            for (id, answer) in ids.iter().zip(self.follow_answers(&ids, answers).await) {
                self.outlive(id, answer).await?;
            }
        }
        Ok(())
    }

    /// Does what follows from decisions that are committed, whatever came of others; what is left is how each ended.
    pub(super) async fn follow_answers(
        &self,
        ids: &[DispatchId],
        answers: Vec<Answer>,
    ) -> Vec<Result<Decided, StoreError>> {
        let (mut effects, mut latest, mut ends) = (Vec::new(), Latest::new(), Vec::with_capacity(answers.len()));
        for (id, answer) in ids.iter().zip(answers) {
            ends.push(answer.map(|outcome| {
                effects.extend(outcome.effects.into_iter().map(|effect| (id.clone(), effect)));
                latest.extend(outcome.committed.map(|committed| (id.clone(), committed)));
                outcome.decided
            }));
        }
        self.follow_all(effects, latest).await;
        ends
    }

    /// Does what follows from decisions that are committed, and hands over whatever has its turn by then.
    /// `latest`: the dispatches as those decisions left them.
    pub(super) async fn follow_all(&self, effects: Vec<(DispatchId, Effect)>, latest: Latest) {
        let (mut todo, mut latest, mut joined) = (effects, latest, HashMap::new());
        loop {
            if todo.is_empty() {
                let Some((handed, along)) = self.take_turns().await else { return };
                ((todo, latest), joined) = (handed, along);
                continue;
            }
            let (mut hands, mut flights) = (Vec::new(), Vec::new());
            for (id, effect) in todo {
                match effect {
                    // It has its turn in its lane.
                    Effect::Hand(attempt) if self.is_in_lane(&attempt) => {}
                    Effect::Hand(attempt) => hands.push((id, attempt)),
                    Effect::Perform(attempt) => flights.push((id, attempt)),
                    Effect::CancelCall(attempt) => self.inner.edges.call_out.cancel(&attempt),
                    Effect::Record(_) => {}
                }
            }
            self.perform_all(flights, &latest, &joined).await;
            (todo, latest) = self.hand_all(hands).await;
        }
    }

    /// Commits that these attempts are handed over, and says what follows, from which states.
    pub(super) async fn hand_all(&self, attempts: Vec<(DispatchId, AttemptId)>) -> (Vec<(DispatchId, Effect)>, Latest) {
        let hand = |(id, attempt): &(DispatchId, AttemptId)| {
            let event = Event::Hand { attempt: attempt.clone(), node: self.inner.boot.clone() };
            Asked::new(id, event, Settles::Nothing)
        };
        let answers = self.decide_all(attempts.iter().map(hand).collect()).await;
        let (mut effects, mut latest) = (Vec::new(), Latest::new());
        for ((id, attempt), answer) in attempts.into_iter().zip(answers) {
            let leaves = answer.as_ref().is_ok_and(|o| o.effects.contains(&Effect::Perform(attempt.clone())));
            if !leaves {
                self.not_handed(attempt);
            }
            match answer {
                Ok(outcome) => {
                    effects.extend(outcome.effects.into_iter().map(|effect| (id.clone(), effect)));
                    latest.extend(outcome.committed.map(|committed| (id, committed)));
                }
                // What is not handed over now is found by its timer.
                Err(error) => tracing::error!(dispatch = %id, code = error.code(), "an attempt waits"),
            }
        }
        (effects, latest)
    }

    /// Starts attempts whose handing over is committed, those that have one turn together as one. Does not wait for them.
    async fn perform_all(
        &self,
        flights: Vec<(DispatchId, AttemptId)>,
        latest: &Latest,
        joined: &HashMap<AttemptId, AttemptId>,
    ) {
        // One alone reads what it needs by itself.
        let mut papers = match flights.len() {
            0 | 1 => HashMap::new(),
            _ => self.find_all_papers(&flights, latest).await,
        };
        let mut joint: BTreeMap<&AttemptId, Vec<_>> = BTreeMap::new();
        for (id, attempt) in flights {
            match (joined.get(&attempt), papers.remove(&attempt)) {
                (Some(first), Some(papers)) => joint.entry(first).or_default().push((id, papers)),
                (along, papers) => {
                    if along.is_some() {
                        self.leaves_apart(&attempt);
                    }
                    self.perform(id, attempt, papers);
                }
            }
        }
        joint.into_values().for_each(|members| self.perform_jointly(members));
    }

    pub(super) fn has_decisions_waiting(&self) -> bool {
        !self.gathered().waiting.is_empty()
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.inner.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts them where the next commit takes them from, all at once, and sees to it that there is one.
    fn gather(&self, asked: &[Arc<Asked>]) -> Vec<oneshot::Receiver<Answer>> {
        let mut answers = Vec::with_capacity(asked.len());
        let mut gathered = self.gathered();
        for asked in asked {
            let (answer, answered) = oneshot::channel();
            gathered.waiting.push_back(Waiting { asked: Arc::clone(asked), answer });
            answers.push(answered);
        }
        let starts = !asked.is_empty() && !std::mem::replace(&mut gathered.is_seen_to, true);
        drop(gathered);
        if starts {
            tokio::spawn(Keeper { dispatcher: self.clone(), is_done: false }.see_to_all());
        }
        answers
    }

    /// Decides about a batch, and tells each who waits; whoever has gone need not be told.
    async fn settle_batch(&self, mut batch: Vec<Waiting>) {
        if batch.len() == 1
            && let Some(waiting) = batch.pop()
        {
            let answer = self.decide_alone(&waiting.asked).await;
            let _ = waiting.answer.send(answer);
            return;
        }
        let asked: Vec<Arc<Asked>> = batch.iter().map(|waiting| Arc::clone(&waiting.asked)).collect();
        match self.try_together(&asked).await {
            Ok(answers) => {
                for (waiting, answer) in batch.into_iter().zip(answers) {
                    let _ = waiting.answer.send(answer);
                }
            }
            Err(error) => {
                tracing::warn!(code = error.code(), count = batch.len(), "decisions cannot share a commit: one by one");
                let mut silent = 0;
                for waiting in batch {
                    let answer = if silent < MOST_SILENT {
                        self.decide_alone(&waiting.asked).await
                    } else {
                        Err(StoreError::unanswered())
                    };
                    let is_silent = answer.as_ref().is_err_and(StoreError::may_pass);
                    silent = if is_silent { silent + 1 } else { 0 };
                    let _ = waiting.answer.send(answer);
                }
            }
        }
    }

    async fn decide_alone(&self, asked: &Arc<Asked>) -> Answer {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_together(std::slice::from_ref(asked)).await {
                Err(StoreError::Conflict { .. }) if tries < TRIES => {}
                Err(error) => return Err(error),
                Ok(answers) => return answers.into_iter().next().expect("one was asked, and one is answered"),
            }
        }
    }

    /// Decides about each of these dispatches in one transaction.
    ///
    /// # Errors
    /// The store's: nothing was decided about any of them.
    async fn try_together(&self, asked: &[Arc<Asked>]) -> Result<Vec<Answer>, StoreError> {
        let now = self.inner.clock.utc();
        let mut answers: Vec<Answer> = asked.iter().map(|_| Ok(Outcome::without_effects(Decided::Unchanged))).collect();
        let mut tx = self.inner.store.write().await?;
        let ids: Vec<DispatchId> = asked.iter().map(|asked| asked.id.clone()).collect();
        let mut found = tx.lock_dispatches(&ids).await?;
        let mut read: Vec<(usize, StoredDispatch)> = Vec::with_capacity(asked.len());
        for (n, asked) in asked.iter().enumerate() {
            match (found.remove(&asked.id), &asked.settles) {
                (None, _) => answers[n] = Ok(Outcome::without_effects(Decided::NotFound)),
                (Some(Err(error)), _) => answers[n] = Err(error),
                // Late or doubled: whoever holds the timer now, or has set it anew, sees to it.
                (Some(Ok(stored)), Settled::Timer(claimed)) if stored.timer != Some(*claimed) => {}
                (Some(Ok(stored)), _) => read.push((n, stored)),
            }
        }
        let mut towns = Towns::load(&mut tx, &read.iter().map(|(_, read)| read).collect::<Vec<_>>(), now).await?;
        let mut turns: Vec<Turn> = Vec::with_capacity(read.len());
        for (n, read) in read {
            let asked = &asked[n];
            // A patch may have been stored while the message was being saved, when neither saw the other.
            let patched = match (&asked.event, read.state.phase) {
                (Event::Due, Phase::Open) if towns.comes_from_a_call(&read.state) => {
                    tx.find_patch_of_message(&read.state.message).await?
                }
                _ => Vec::new(),
            };
            let patched = (!patched.is_empty()).then_some(Event::Patched { to: patched });
            let event = patched.as_ref().unwrap_or(&asked.event);
            let (after, effects) = match self.apply(&read.state, event, now, &towns.town(&read.state)) {
                Ok(applied) => applied,
                Err(error) => {
                    answers[n] = Err(error);
                    continue;
                }
            };
            if let Settled::Arrival(inbound, outcome) = &asked.settles
                && !tx.settle_inbound(inbound, outcome, now).await?
            {
                continue;
            }
            towns.take_codes(&after);
            let (changed, entries) = (after != read.state || !effects.is_empty(), entries(&effects));
            turns.push(Turn { n, read, after, effects, entries, changed });
        }
        // A fired timer is written even if nothing changed: its lease ends by it.
        let written = turns.iter().filter(|turn| turn.changed || asked[turn.n].event == Event::Due);
        let decisions: Vec<Decision<'_>> =
            written.map(|turn| Decision { read: &turn.read, after: &turn.after, entries: &turn.entries }).collect();
        tx.save_dispatches(&decisions, now).await?;
        let mut places: Vec<&str> = Vec::new();
        for place in turns.iter().map(|turn| point(&asked[turn.n].event)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if places.is_empty() {
            tx.rollback().await?;
        } else {
            tx.commit_all(&places).await?;
        }
        // Committed: from here on nothing may end as if it were not.
        let changed: Vec<&Turn> = turns.iter().filter(|turn| turn.changed).collect();
        for turn in &changed {
            let event = point(&asked[turn.n].event);
            metrics::counter!("cordboard_dispatch_decisions_total", "event" => event).increment(1);
            self.end_call_lock(&turn.read.state, &turn.after);
        }
        self.line_up(&changed.iter().map(|turn| (&turn.after, &turn.effects[..])).collect::<Vec<_>>()).await;
        self.show_all(&changed.iter().map(|turn| (turn.read.r#gen + 1, &turn.after)).collect::<Vec<_>>());
        for turn in turns {
            let decided = if turn.changed { Decided::Changed } else { Decided::Unchanged };
            let committed = Committed { state: turn.after, protected: turn.read.head.protected };
            answers[turn.n] = Ok(Outcome { decided, effects: turn.effects, committed: Some(committed) });
        }
        for (asked, answer) in asked.iter().zip(&mut answers) {
            if matches!(answer, Ok(Outcome { decided: Decided::NotFound, .. }))
                && let Err(error) = self.settle_nothing(&asked.settles).await
            {
                *answer = Err(error);
            }
        }
        Ok(answers)
    }

    /// What came in is about no dispatch that there is.
    async fn settle_nothing(&self, settles: &Settled) -> Result<(), StoreError> {
        let Settled::Arrival(inbound, outcome) = settles else { return Ok(()) };
        let mut tx = self.inner.store.write().await?;
        tx.settle_inbound(inbound, outcome, self.inner.clock.utc()).await?;
        tx.commit("settle_nothing").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(gathered: &mut Gathered, names: &[(&str, i64)]) {
        for (name, n) in names {
            let asked = Arc::new(Asked::new(&DispatchId::named(name), Event::Due, Settles::Timer(*n)));
            gathered.waiting.push_back(Waiting { asked, answer: oneshot::channel().0 });
        }
    }

    fn took(gathered: &mut Gathered) -> Vec<(String, i64)> {
        let named = |waiting: &Waiting| match waiting.asked.settles {
            Settled::Timer(n) => (waiting.asked.id.to_string(), n),
            _ => unreachable!("all of them are timers"),
        };
        gathered.take().iter().map(named).collect()
    }

    #[test]
    fn a_dispatch_is_in_a_commit_once_and_its_events_keep_their_order() {
        let mut gathered = Gathered::default();
        asks(&mut gathered, &[("a", 1), ("b", 1), ("a", 2), ("a", 3), ("c", 1)]);
        let id = |name: &str, n| (DispatchId::named(name).to_string(), n);
        assert_eq!(took(&mut gathered), [id("a", 1), id("b", 1), id("c", 1)]);
        asks(&mut gathered, &[("b", 2)]);
        assert_eq!(took(&mut gathered), [id("a", 2), id("b", 2)]);
        assert_eq!(took(&mut gathered), [id("a", 3)]);
        assert_eq!(took(&mut gathered), []);
    }

    #[test]
    fn a_commit_has_room_for_so_many() {
        let mut gathered = Gathered::default();
        let names: Vec<String> = (0..BATCH + 6).map(|n| n.to_string()).collect();
        asks(&mut gathered, &names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>());
        assert_eq!((took(&mut gathered).len(), took(&mut gathered).len()), (BATCH as usize, 6));
    }
}
