//! Drives the alarm chain and watches over the service, on a thread and a runtime of its own with connections of its own to the store:
//! what hangs elsewhere does not hang here.
//!
//! Once a second it looks at what stands: dispatches in the store that need an operator, critical alarms of the house, and what it
//! finds itself (the dispatcher does not come round, the main runtime does not, a timer is overdue, the store does not answer). What
//! is to be done is stored before it is done, so that no restart takes a step twice; where the store does not take it, the chain goes
//! on from memory, as an alarm told twice is better than one told to nobody. What always holds: nothing here waits for a lock or a
//! loop of the main runtime for longer than its patience. What it depends on all the same: calls are made by the main runtime,
//! and texts over SMPP by its connection; texts over HTTP are its own from end to end. So a runtime that stays frozen is not lived with:
//! [`super::guard`] ends the process.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::beat::Beat;
use super::{Alarms, DISPATCH, dispatch_of, note_acknowledged};
use crate::base::clock::UtcMs;
use crate::base::failpoint::failpoint;
use crate::base::id::{AlarmChainId, AttemptId, DispatchId};
use crate::domain::alarm::{Effect, Kind, Means, News, Outcome, Standing, State, Taken, advance, words};
use crate::domain::call::cause::Cause;
use crate::domain::dispatch::event::{Entry, Failure, Note};
use crate::engine::callout::{CallOut, CallOutEvent, CallOutRequest, OutboundEnd};
use crate::engine::feed::{AlarmLevel, AlarmView};
use crate::io::deliver::{Delivery, TextMessage, Texter};
use crate::io::store::alarms::StoredChain;
use crate::io::store::audit::Who;
use crate::io::store::{Store, StoreError};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// A loop that has not come round for so long stands still.
pub const STILL: Duration = Duration::from_secs(15);
/// A timer so long past its time that nobody serves is overdue …
const OVERDUE_MS: i64 = 60_000;
/// … once it has been so for this long by the monotonic clock: a jump of the wall clock is no standstill.
const OVERDUE_FOR: Duration = Duration::from_secs(15);
/// The store does not answer.
const AWAY: Duration = Duration::from_secs(30);
/// A chain that has taken no step so long after its first was due is stuck.
const NO_STEP_MS: i64 = 60_000;
/// The driver of the chain has not come round for so long.
const SILENT: Duration = Duration::from_secs(90);
/// How long the store may take for one look, or one decision.
const STORE_PATIENCE: Duration = Duration::from_secs(5);
/// How long whoever knows the house's alarms may take to say them.
const HOUSE_PATIENCE: Duration = Duration::from_secs(2);
/// How long a provider may take for a text.
const SEND_PATIENCE: Duration = Duration::from_secs(20);
/// How often a decision is tried anew when somebody has acknowledged meanwhile.
const TRIES: u32 = 4;
/// How long a supervisor's telephone rings.
const RING_SECS: u32 = 30;

/// The alarms of the house that stand now.
pub type HouseAlarms = Arc<dyn Fn() -> Vec<AlarmView> + Send + Sync>;

/// What it is made of.
#[derive(Clone)]
pub struct RingerParts {
    /// Through the same store as `store`.
    pub alarms: Alarms,
    pub store: Store,
    pub texter: Arc<dyn Texter>,
    pub call_out: Arc<dyn CallOut>,
    pub house: HouseAlarms,
    /// Struck by the main runtime.
    pub main: Beat,
}

/// The driver.
pub struct Ringer {
    parts: RingerParts,
    tell: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
    calls: mpsc::UnboundedReceiver<(AttemptId, CallOutEvent)>,
    /// What was heard of steps and is not decided upon.
    news: Vec<News>,
    /// What an earlier start left has been taken up.
    recovered: bool,
    /// What stood when it could last be asked for.
    in_need: Vec<DispatchId>,
    standing: Standing,
    looking: Option<JoinHandle<Vec<AlarmView>>>,
    /// The chain as it is known to be.
    known: Option<StoredChain>,
    /// The store has not taken it as it is.
    unsaved: bool,
    away_since: Option<Instant>,
    overdue_since: Option<Instant>,
}

impl std::fmt::Debug for Ringer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ringer")
    }
}

impl Ringer {
    pub fn new(parts: RingerParts) -> Self {
        let (tell, calls) = mpsc::unbounded_channel();
        Self {
            parts,
            tell,
            calls,
            news: Vec::new(),
            recovered: false,
            in_need: Vec::new(),
            standing: Standing::new(),
            looking: None,
            known: None,
            unsaved: false,
            away_since: None,
            overdue_since: None,
        }
    }

    /// Looks once a second until `stop` says true. A fault of ours in one look ends that look alone.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let parts = self.parts.clone();
        let mut own = self;
        while !*stop.borrow() {
            let now = parts.alarms.board.clock.utc();
            let look = tokio::spawn(async move {
                own.pulse(now).await;
                own
            });
            own = match look.await {
                Ok(own) => own,
                Err(_) => {
                    tracing::error!(code = "watchdog.fault", "a look at the alarms ended by a fault of ours");
                    metrics::counter!("cordboard_watchdog_total", "what" => "fault").increment(1);
                    Self::new(parts.clone())
                }
            };
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                Some((call, event)) = own.calls.recv() => own.hear(call, &event),
                // An error means that nobody will ever say it: the service is gone.
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Looks once, and does what follows.
    pub async fn pulse(&mut self, now: UtcMs) {
        self.parts.alarms.ringer_beat().strike();
        while let Ok((call, event)) = self.calls.try_recv() {
            self.hear(call, &event);
        }
        self.take_back_needless();
        self.look_at_store(now).await;
        self.look_at_house().await;
        self.watch();
        let standing = self.what_stands();
        // One that no carrier takes is followed by the next at once.
        for _ in 0..=self.parts.alarms.board.plan.steps.len() {
            let effects = self.decide(&standing, now).await;
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                self.perform(effect).await;
            }
        }
    }

    /// Dispatches that need somebody, and timers that nobody serves. What cannot be asked for stands as it stood.
    async fn look_at_store(&mut self, now: UtcMs) {
        let instant = self.parts.alarms.board.clock.instant();
        let store = &self.parts.store;
        let look = async {
            Ok::<_, StoreError>((store.list_dispatches_in_need().await?, store.find_most_overdue(now).await?))
        };
        match tokio::time::timeout(STORE_PATIENCE, look).await {
            Ok(Ok((in_need, due_at))) => {
                self.in_need = in_need;
                self.away_since = None;
                let overdue = due_at.is_some_and(|at| now.since(at) > OVERDUE_MS);
                self.overdue_since = overdue.then(|| self.overdue_since.unwrap_or(instant));
            }
            Ok(Err(_)) | Err(_) => {
                self.away_since.get_or_insert(instant);
            }
        }
    }

    /// Critical alarms of the house, each by itself; those of dispatches are in the store.
    async fn look_at_house(&mut self) {
        let house = Arc::clone(&self.parts.house);
        let mut looking = self.looking.take().unwrap_or_else(|| tokio::task::spawn_blocking(move || house()));
        match tokio::time::timeout(HOUSE_PATIENCE, &mut looking).await {
            Ok(Ok(alarms)) => {
                let critical =
                    |alarm: &AlarmView| alarm.level == AlarmLevel::Critical && !alarm.id.starts_with(DISPATCH);
                self.standing = alarms
                    .into_iter()
                    .filter(critical)
                    .map(|alarm| (alarm.id, if alarm.dispatch.is_some() { Kind::Message } else { Kind::House }))
                    .collect();
            }
            Ok(Err(_)) => {}
            // Whoever holds them hangs: no second one is sent after them.
            Err(_) => self.looking = Some(looking),
        }
    }

    fn watch(&self) {
        let instant = self.parts.alarms.board.clock.instant();
        let lasts = |since: Option<Instant>, limit: Duration| {
            since.is_some_and(|since| instant.saturating_duration_since(since) >= limit)
        };
        self.find(
            "dispatcher",
            self.parts.alarms.dispatcher_beat().age() >= STILL,
            "The dispatcher has stood still for 15 s: messages may not go out. See to urgent ones by hand; if it lasts, start \
             the service again and tell the engineer.",
        );
        self.find(
            "runtime",
            self.parts.main.age() >= STILL,
            "The service has stood still for 15 s: calls and messages may not go on. If it lasts for half a minute it ends \
             itself and is started again by whatever supervises it; if it is not, start it, and tell the engineer.",
        );
        self.find(
            "overdue",
            lasts(self.overdue_since, OVERDUE_FOR),
            "Something that was to be done for a message over a minute ago has not been done. See to urgent messages by hand, \
             and tell the engineer.",
        );
        self.find(
            "store",
            lasts(self.away_since, AWAY),
            "The database has not answered for 30 s: nothing can be saved, and messages do not go out. Tell the engineer.",
        );
    }

    fn find(&self, what: &'static str, is: bool, text: &str) {
        found(&self.parts.alarms, what, is, text);
    }

    fn what_stands(&self) -> Standing {
        let dispatches = self.in_need.iter().map(|id| (format!("{DISPATCH}{id}"), Kind::Message));
        let own = self.parts.alarms.raised().into_iter().map(|alarm| (alarm.id, Kind::Standstill));
        self.standing.clone().into_iter().chain(dispatches).chain(own).collect()
    }

    /// What is to be done now. Stored before it is said; if that cannot be, decided from memory.
    async fn decide(&mut self, standing: &Standing, now: UtcMs) -> Vec<Effect> {
        let news = std::mem::take(&mut self.news);
        let mut tries = 0;
        let why = loop {
            tries += 1;
            match tokio::time::timeout(STORE_PATIENCE, self.decide_and_store(standing, &news, now)).await {
                Ok(Ok(effects)) => return effects,
                Ok(Err(StoreError::Conflict { .. })) if tries < TRIES => {}
                Ok(Err(error)) => break error.code(),
                Err(_) => break "store.slow",
            }
        };
        self.decide_alone(standing, &news, now, why)
    }

    async fn decide_and_store(
        &mut self,
        standing: &Standing,
        news: &[News],
        now: UtcMs,
    ) -> Result<Vec<Effect>, StoreError> {
        let found = self.parts.store.find_alarm_chain().await?;
        let generation = |chain: Option<&StoredChain>| chain.map_or(0, |chain| chain.r#gen);
        let (stored, was_unsaved) = (generation(found.as_ref()), self.unsaved);
        // What was decided from memory counts unless somebody has written since.
        let base = if was_unsaved && generation(self.known.as_ref()) == stored { self.known.clone() } else { found };
        let Some(before) = base.map(|chain| chain.state).or_else(|| begin(standing, now)) else {
            self.known = None;
            return Ok(Vec::new());
        };
        let mut all = news.to_vec();
        if !self.recovered && !was_unsaved {
            // Whatever was under way fell with the process.
            let open = before.taken.iter().filter(|taken| taken.outcome.is_none());
            all.extend(open.map(|taken| (taken.id.clone(), Outcome::Unknown)));
        }
        let (after, effects) = advance(&before, &self.parts.alarms.board.plan, standing, &all, now);
        if stored > 0 && after == before && !was_unsaved {
            self.know(after, stored, false);
            return Ok(effects);
        }
        let mut tx = self.parts.store.write().await?;
        let read = tx.lock_alarm_chain().await?;
        if generation(read.as_ref()) != stored {
            return Err(StoreError::Conflict { what: "alarm_chain".to_owned() });
        }
        tx.save_alarm_chain(read.as_ref(), &after, now).await?;
        for effect in &effects {
            let Effect::Take(taken) = effect else { continue };
            let entry = Entry { at: now, who: None, note: Note::Alarmed { by: taken.by, name: taken.name.clone() } };
            for dispatch in after.unacknowledged().filter_map(|(alarm, _)| dispatch_of(alarm)) {
                tx.note_on_dispatch(&dispatch, &entry).await?;
            }
        }
        if after.acknowledged != before.acknowledged {
            note_acknowledged(&mut tx, &before, &after, Who::AlarmTelephone, now).await?;
        }
        tx.commit("alarm_step").await?;
        if after.acknowledged != before.acknowledged {
            metrics::counter!("cordboard_alarms_acknowledged_total").increment(1);
        }
        self.know(after, stored + 1, false);
        Ok(effects)
    }

    fn decide_alone(&mut self, standing: &Standing, news: &[News], now: UtcMs, why: &'static str) -> Vec<Effect> {
        let base = self.known.clone();
        let generation = base.as_ref().map_or(0, |chain| chain.r#gen);
        let Some(before) = base.map(|chain| chain.state).or_else(|| begin(standing, now)) else { return Vec::new() };
        if !self.unsaved {
            tracing::error!(
                code = "alarm.unsaved",
                why,
                "the store does not take the alarm chain; it goes on from memory"
            );
            metrics::counter!("cordboard_watchdog_total", "what" => "unsaved").increment(1);
        }
        let (after, effects) = advance(&before, &self.parts.alarms.board.plan, standing, news, now);
        self.know(after, generation, true);
        effects
    }

    fn know(&mut self, state: State, generation: i64, unsaved: bool) {
        self.recovered |= !unsaved;
        self.unsaved = unsaved;
        self.parts.alarms.show(&state);
        // One that is over stays in the store, out of sight.
        self.known = (!state.is_over() || unsaved).then_some(StoredChain { state, r#gen: generation });
    }

    async fn perform(&mut self, effect: Effect) {
        let taken = match effect {
            Effect::Take(taken) => taken,
            Effect::Cancel(call) => return self.parts.call_out.cancel(&call),
        };
        let Some(chain) = &self.known else { return };
        let (state, zone) = (&chain.state, self.parts.alarms.board.zone.as_str());
        let now = self.parts.alarms.board.clock.utc();
        tracing::warn!(attempt = %taken.id, round = taken.round, step = taken.step, "nobody has acknowledged an alarm: a step of the chain");
        match taken.by {
            Means::Text => {
                let outcome = self.text(&taken, words::text(state, zone, now)).await;
                self.news.push((taken.id, outcome));
            }
            Means::Call => {
                let request = CallOutRequest {
                    attempt: taken.id,
                    account: None,
                    person: None,
                    to: taken.number,
                    caller_id: None,
                    ring_secs: RING_SECS,
                    intro: words::spoken(state, zone, now),
                    content: None,
                    leave: Some(words::left(state, zone, now)),
                    pin: None,
                    caller: None,
                    longest_talk_secs: None,
                };
                failpoint("alarm_call", "before_place");
                self.parts.call_out.place(request, self.tell.clone());
                failpoint("alarm_call", "after_place");
            }
        }
    }

    async fn text(&self, taken: &Taken, body: String) -> Outcome {
        let text =
            TextMessage { attempt: taken.id.clone(), to: taken.number.clone(), own: Vec::new(), from: None, body };
        failpoint("alarm_text", "before_send");
        let sent = tokio::time::timeout(SEND_PATIENCE, self.parts.texter.send(&text)).await;
        failpoint("alarm_text", "after_send");
        let outcome = match sent {
            Ok(Delivery::Accepted { .. }) => Outcome::Accepted,
            Ok(Delivery::Failed { failure: Failure::Unknown, .. }) | Err(_) => Outcome::Unknown,
            Ok(Delivery::Failed { why, .. }) => {
                tracing::error!(code = "alarm.text_failed", why, "a supervisor could not be texted");
                Outcome::Failed
            }
        };
        count("text", outcome);
        outcome
    }

    fn hear(&mut self, call: AttemptId, event: &CallOutEvent) {
        let outcome = match event {
            CallOutEvent::Confirmed => Outcome::Acknowledged,
            CallOutEvent::Ended(end) => {
                let outcome = call_outcome(*end);
                count("call", outcome);
                outcome
            }
            _ => return,
        };
        self.news.push((call, outcome));
    }

    fn take_back_needless(&self) {
        let mut needless = self.parts.alarms.board.needless.lock().unwrap_or_else(PoisonError::into_inner);
        for call in std::mem::take(&mut *needless) {
            self.parts.call_out.cancel(&call);
        }
    }
}

impl Alarms {
    /// Looks after the chain's driver, from the main runtime: that it comes round, and that a chain that somebody should have been
    /// told of has begun. Where it does not, all that is left are the desks.
    ///
    /// # Errors
    /// The store's; of the chain nothing is known then.
    pub async fn look_after_ringer(&self, now: UtcMs) -> Result<(), StoreError> {
        let silent = self.ringer_beat().age() >= SILENT;
        let first = self.board.plan.steps.first().map(|step| i64::from(step.after_secs) * 1_000);
        let chain = self.store.find_alarm_chain().await?;
        let stuck = chain.zip(first).is_some_and(|(chain, first)| {
            let waits = chain.state.waits_since().filter(|since| now.since(*since) > first + NO_STEP_MS);
            waits.is_some_and(|since| chain.state.taken.iter().all(|taken| taken.at < since))
        });
        let text = "The alarm chain stands still: supervisors are not told of alarms. See to them at the desks, and tell the \
                    engineer.";
        found(self, "chain", silent || stuck, text);
        Ok(())
    }
}

/// The watchdog has found something, or finds it no longer.
fn found(alarms: &Alarms, what: &'static str, is: bool, text: &str) {
    let id = format!("watchdog:{what}");
    if is && alarms.raise(&id, text) {
        tracing::error!(code = format!("watchdog.{what}"), "the watchdog raises an alarm");
        metrics::counter!("cordboard_watchdog_total", "what" => what).increment(1);
    } else if !is && alarms.lower(&id) {
        tracing::info!(code = format!("watchdog.{what}"), "what the watchdog had found is over");
    }
}

/// A new chain, if there is anything to begin it for.
fn begin(standing: &Standing, now: UtcMs) -> Option<State> {
    (!standing.is_empty()).then(|| State::new(AlarmChainId::fresh(now), now))
}

fn count(by: &'static str, outcome: Outcome) {
    let result = match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Failed => "failed",
        Outcome::NotReached => "not_reached",
        Outcome::NotAcknowledged => "not_acknowledged",
        Outcome::Acknowledged => "acknowledged",
        Outcome::TakenBack => "taken_back",
        Outcome::Unknown => "unknown",
    };
    metrics::counter!("cordboard_alarm_steps_total", "by" => by, "result" => result).increment(1);
}

const fn call_outcome(end: OutboundEnd) -> Outcome {
    match end {
        OutboundEnd::Confirmed => Outcome::Acknowledged,
        OutboundEnd::Cancelled => Outcome::TakenBack,
        OutboundEnd::ToldOnly
        | OutboundEnd::LeftRequest
        | OutboundEnd::LeftOnMachine
        | OutboundEnd::LeftWithPerson
        | OutboundEnd::NotAccepted
        | OutboundEnd::Machine
        | OutboundEnd::Fax
        | OutboundEnd::Silent => Outcome::NotAcknowledged,
        OutboundEnd::NoVoice => Outcome::Failed,
        OutboundEnd::NotReached(cause) => match cause {
            Cause::Busy
            | Cause::NoAnswer
            | Cause::Declined
            | Cause::Unwanted
            | Cause::HungUp
            | Cause::Released
            | Cause::Lost => Outcome::NotReached,
            Cause::WrongNumber
            | Cause::Forbidden
            | Cause::Emergency
            | Cause::Blocked
            | Cause::LinesBusy
            | Cause::Limited
            | Cause::Unreachable
            | Cause::Incompatible
            | Cause::Fault => Outcome::Failed,
        },
    }
}
