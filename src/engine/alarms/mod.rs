//! Alarms beyond the desks: what all know of the alarm chain ([`Alarms`]), and who drives it ([`ringer`]).
//!
//! Who is told and when is decided in `domain/alarm`. Here acknowledgments come in, from desks and by text; each is one
//! transaction with its line on the audit log and on the time lines of the dispatches it is about. What always holds: an
//! acknowledgment that was answered is stored; what the chain does next takes it into account.

pub mod beat;
pub mod guard;
pub mod ringer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::{AttemptId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::domain::alarm::{Acknowledgment, Effect, Plan, State, Via, acknowledge, newly_acknowledged, words};
use crate::domain::dispatch::event::{Entry, Note};
use crate::engine::feed::{AlarmChainView, AlarmLevel, AlarmView, Feed, FeedEvent, LineView, UserRef};
use crate::io::store::audit::{Act, Entry as AuditEntry, Who};
use crate::io::store::inbound::Inbound;
use crate::io::store::{Store, StoreError, Tx};

use beat::Beat;

/// Lines of a chain that desks are shown.
const TOLD_SHOWN: usize = 8;

/// What the desks call the alarm of a dispatch.
const DISPATCH: &str = "dispatch:";

/// The alarm chain as the rest of the house meets it. Cheap to clone.
#[derive(Clone)]
pub struct Alarms {
    store: Store,
    board: Arc<Board>,
}

/// What the chain's driver and everybody else share; nothing here waits for anything.
struct Board {
    clock: SharedClock,
    feed: Feed,
    plan: Plan,
    /// On whose clock times are told.
    zone: String,
    shown: Mutex<Option<AlarmChainView>>,
    /// Alarms that the watchdog itself has raised.
    raised: Mutex<BTreeMap<String, AlarmView>>,
    /// Calls that an acknowledgment has made needless; their driver takes them back.
    needless: Mutex<Vec<AttemptId>>,
    /// Of the dispatcher's loop.
    dispatcher: Beat,
    /// Of whatever drives the chain.
    ringer: Beat,
}

impl std::fmt::Debug for Alarms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Alarms")
    }
}

impl Alarms {
    /// By this plan, with times told in `zone`.
    pub fn new(store: Store, clock: SharedClock, feed: Feed, plan: Plan, zone: &str) -> Self {
        let board = Board {
            dispatcher: Beat::new(Arc::clone(&clock)),
            ringer: Beat::new(Arc::clone(&clock)),
            clock,
            feed,
            plan,
            zone: zone.to_owned(),
            shown: Mutex::default(),
            raised: Mutex::default(),
            needless: Mutex::default(),
        };
        Self { store, board: Arc::new(board) }
    }

    /// The same through another store: of a runtime of its own.
    pub fn through(&self, store: Store) -> Self {
        Self { store, board: Arc::clone(&self.board) }
    }

    /// What the dispatcher strikes each time it comes round.
    pub fn dispatcher_beat(&self) -> &Beat {
        &self.board.dispatcher
    }

    /// What the chain's driver strikes each time it comes round.
    pub fn ringer_beat(&self) -> &Beat {
        &self.board.ringer
    }

    /// The chain as desks see it; none: nothing stands.
    pub fn chain(&self) -> Option<AlarmChainView> {
        self.board.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Alarms of the watchdog that stand.
    pub fn raised(&self) -> Vec<AlarmView> {
        self.board.raised.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Somebody at a desk sees to all that stands. False: there was nothing to acknowledge.
    ///
    /// # Errors
    /// The store's; nothing is acknowledged.
    pub async fn acknowledge(&self, by: &UserRef) -> Result<bool, StoreError> {
        let now = self.board.clock.utc();
        let mut tx = self.store.write().await?;
        let acknowledgment = Acknowledgment { at: now, by: by.name.clone(), via: Via::Desk };
        let Some(done) = self.mark(&mut tx, acknowledgment, None, Who::User(by.id.clone())).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        tx.commit("alarm_desk").await?;
        self.acknowledged(done);
        Ok(true)
    }

    /// Somebody whom the chain has told texts that they see to it. False: nobody at that number was told of anything that stands,
    /// so the text is something else.
    ///
    /// # Errors
    /// The store's; nothing is acknowledged, and the text waits.
    pub async fn acknowledge_by_text(&self, text: &Inbound, from: &PhoneNumber) -> Result<bool, StoreError> {
        let now = self.board.clock.utc();
        let mut tx = self.store.write().await?;
        let read = tx.lock_alarm_chain().await?;
        let told = read.as_ref().and_then(|read| read.state.told_at(from).cloned());
        // From a supervisor when nothing stands any more, it is late and asks for nothing.
        let late = read.is_none() && self.board.plan.steps.iter().any(|step| step.number == *from);
        if told.is_none() && !late {
            tx.rollback().await?;
            return Ok(false);
        }
        if !tx.settle_inbound(text, "acknowledged", now).await? {
            tx.rollback().await?;
            return Ok(true);
        }
        let mut done = None;
        if let Some(told) = told {
            let acknowledgment = Acknowledgment { at: now, by: told.name, via: Via::Text };
            done = self.mark(&mut tx, acknowledgment, Some(told.at), Who::AlarmTelephone).await?;
        }
        // Said twice, or after somebody else: it is settled all the same, and is nobody's job.
        tx.commit("alarm_text").await?;
        if let Some(done) = done {
            self.acknowledged(done);
        }
        Ok(true)
    }

    async fn mark(
        &self,
        tx: &mut Tx,
        acknowledgment: Acknowledgment,
        upto: Option<UtcMs>,
        who: Who,
    ) -> Result<Option<(State, Vec<Effect>)>, StoreError> {
        let Some(read) = tx.lock_alarm_chain().await? else { return Ok(None) };
        let now = acknowledgment.at;
        let Some(done) = acknowledge(&read.state, &self.board.plan, acknowledgment, upto) else { return Ok(None) };
        tx.save_alarm_chain(Some(&read), &done.0, now).await?;
        note_acknowledged(tx, &read.state, &done.0, who, now).await?;
        Ok(Some(done))
    }

    fn acknowledged(&self, (state, effects): (State, Vec<Effect>)) {
        let mut needless = self.board.needless.lock().unwrap_or_else(PoisonError::into_inner);
        needless.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Cancel(call) => Some(call),
            Effect::Take(_) => None,
        }));
        drop(needless);
        metrics::counter!("cordboard_alarms_acknowledged_total").increment(1);
        self.show(&state);
    }

    /// Shows the chain on all desks, if it is another now.
    fn show(&self, state: &State) {
        let view = (!state.is_over()).then(|| self.view(state));
        let mut shown = self.board.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown == view {
            return;
        }
        shown.clone_from(&view);
        drop(shown);
        self.board.feed.publish(FeedEvent::AlarmChain { chain: view.map(Box::new) });
    }

    fn view(&self, state: &State) -> AlarmChainView {
        let line =
            |at, kind: &str, text, who: &str| LineView { at, kind: kind.to_owned(), text, who: Some(who.to_owned()) };
        let skipped = state.taken.len().saturating_sub(TOLD_SHOWN);
        let told = state.taken.iter().skip(skipped);
        let next = state.chain.as_ref().and_then(|chain| {
            let step = self.board.plan.steps.get(chain.next).or_else(|| self.board.plan.steps.first())?;
            Some(line(chain.due_at?, "next", words::next(step.by, &step.name), &step.name))
        });
        let (waits, acknowledged) = state.causes.iter().partition::<Vec<_>, _>(|(_, c)| c.acknowledged_at.is_none());
        let names = |causes: Vec<(&String, _)>| causes.into_iter().map(|(name, _)| name.clone()).collect();
        AlarmChainView {
            begun_at: state.begun_at,
            waits: names(waits),
            acknowledged: names(acknowledged),
            told: told.map(|taken| line(taken.at, "attempt", words::taken(taken), &taken.name)).collect(),
            by: state
                .acknowledged
                .as_ref()
                .map(|a| line(a.at, "acknowledged", words::acknowledged(&a.by, a.via), &a.by)),
            next,
        }
    }

    /// Raises an alarm of the watchdog's own on all desks. True: it did not stand yet.
    fn raise(&self, id: &str, text: &str) -> bool {
        let mut raised = self.board.raised.lock().unwrap_or_else(PoisonError::into_inner);
        if raised.contains_key(id) {
            return false;
        }
        let alarm = AlarmView {
            id: id.to_owned(),
            level: AlarmLevel::Critical,
            text: text.to_owned(),
            at: self.board.clock.utc(),
            dispatch: None,
            message: None,
            call: None,
            dismissible: false,
        };
        raised.insert(id.to_owned(), alarm.clone());
        drop(raised);
        metrics::counter!("cordboard_alarms_total", "part" => "watchdog").increment(1);
        self.board.feed.publish(FeedEvent::Alarm { alarm });
        true
    }

    /// Its cause is gone. True: it stood.
    fn lower(&self, id: &str) -> bool {
        let gone = self.board.raised.lock().unwrap_or_else(PoisonError::into_inner).remove(id).is_some();
        if gone {
            self.board.feed.publish(FeedEvent::AlarmGone { id: id.to_owned() });
        }
        gone
    }
}

/// Puts an acknowledgment on the audit log, and on the time line of each dispatch that it is about.
async fn note_acknowledged(tx: &mut Tx, before: &State, after: &State, who: Who, now: UtcMs) -> Result<(), StoreError> {
    let Some(acknowledgment) = &after.acknowledged else { return Ok(()) };
    tx.audit(AuditEntry::new(now, who, Act::AlarmAcknowledged, after.id.as_str()));
    let note = Note::Acknowledged { by: acknowledgment.by.clone(), via: acknowledgment.via };
    let entry = Entry { at: now, who: None, note };
    for dispatch in newly_acknowledged(before, after).filter_map(dispatch_of) {
        tx.note_on_dispatch(&dispatch, &entry).await?;
    }
    Ok(())
}

/// The dispatch that an alarm is about, if it is about one.
fn dispatch_of(alarm: &str) -> Option<DispatchId> {
    alarm.strip_prefix(DISPATCH)?.parse().ok()
}
