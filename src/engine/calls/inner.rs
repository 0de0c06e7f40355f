//! Calls from one operator's desk phone to another's: colleague to colleague, with no caller and no account behind it.
//!
//! The desk says whether the other is free, and offers neither of the two a call meanwhile. Nothing is recorded; that the
//! call was, between whom and how long, is on record. What always holds: both are free again however it ends, also by a
//! panic; a phone that dials is answered, or refused with the reason; and one whose caller goes to the colleague by a transfer is over before
//! that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Calls;
use super::record::Line;
use crate::base::id::{CallId, UserId};
use crate::domain::call::bridge::{HearMatrix, LegId, Source};
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::engine::legs::Legs;
use crate::engine::mixer::Mixer;
use crate::engine::signal::{LegCommand, PhoneCall};
use crate::io::media::MediaEvent;
use crate::io::store::inner_calls::InnerCall;

/// How long a colleague's phone rings.
const RING: Duration = Duration::from_secs(60);
/// How long a call that is over waits for its ports to be free.
const CLOSING_LIMIT: Duration = Duration::from_secs(2);

const BUSY: &str = "Your colleague has a call.";
const NO_PHONE: &str = "Your colleague has no desk phone that is registered.";

/// Inner calls under way, by the leg of the phone that made each.
#[derive(Debug, Default)]
pub(super) struct InnerCalls(Mutex<HashMap<LegId, Two>>);

#[derive(Debug)]
struct Two {
    by: UserId,
    to: UserId,
    /// Has it end.
    end: mpsc::UnboundedSender<()>,
}

impl InnerCalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<LegId, Two>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Lets everybody go.
    pub(super) fn stop(&self) {
        for two in self.lock().values() {
            // An error means that it is over.
            let _ = two.end.send(());
        }
    }
}

/// One of them; dropped, also by a panic, it is over.
struct Turn {
    calls: Arc<Calls>,
    leg: LegId,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.calls.end_inner(self.leg);
    }
}

impl Calls {
    /// Takes in a call to a colleague.
    pub(super) fn call_colleague(self: &Arc<Self>, call: PhoneCall, to: UserId) {
        let calls = Arc::clone(self);
        tokio::spawn(async move {
            let (by, leg) = (call.user.clone(), call.leg);
            if !calls.desk.take_aside(by.clone(), to.clone()).await {
                metrics::counter!("cordboard_inner_calls_total", "outcome" => "busy").increment(1);
                calls.note_refused(by, to, Cause::Busy);
                return calls.wiring.signalling.to_phone(leg, LegCommand::RejectSaying(Cause::Busy, BUSY));
            }
            let (end, ended) = mpsc::unbounded_channel();
            calls.inner.lock().insert(leg, Two { by: by.clone(), to: to.clone(), end });
            let turn = Turn { calls: Arc::clone(&calls), leg };
            Talk::new(calls, leg, by, to).run(call, ended).await;
            drop(turn);
        });
    }

    /// The call that this leg made is over, if it is one to a colleague: who that is.
    pub(super) fn end_inner(&self, leg: LegId) -> Option<UserId> {
        let Two { by, to, end } = self.inner.lock().remove(&leg)?;
        self.desk.end_aside(by, to.clone());
        // An error means that it has ended by itself.
        let _ = end.send(());
        Some(to)
    }

    fn note_refused(&self, by: UserId, to: UserId, why: Cause) {
        let now = self.wiring.clock.utc();
        let (id, end) = (CallId::fresh(now), Some((now, why)));
        self.recorder.write(Line::Inner(InnerCall { id, by, to, started_at: now, answered_at: None, end }));
    }
}

struct Talk {
    calls: Arc<Calls>,
    /// The phone that called, and the one that is called.
    legs_of: (LegId, LegId),
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    ring_until: Option<Instant>,
    record: InnerCall,
}

impl Talk {
    fn new(calls: Arc<Calls>, phone: LegId, by: UserId, to: UserId) -> Self {
        let wiring = Arc::clone(&calls.wiring);
        let (shard, other, started_at) = (wiring.media.pick_shard(), wiring.fresh_leg(), wiring.clock.utc());
        let (media_events, media) = mpsc::unbounded_channel();
        let record = InnerCall { id: CallId::fresh(started_at), by, to, started_at, answered_at: None, end: None };
        let legs = Legs::new(Arc::clone(&wiring), shard, record.id.to_string(), media_events.clone());
        let ring_until = Some(wiring.clock.instant() + RING);
        let mixer = Mixer::new(wiring, shard, media_events);
        Self { calls, legs_of: (phone, other), legs, mixer, media, ring_until, record }
    }

    async fn run(mut self, call: PhoneCall, mut ended: mpsc::UnboundedReceiver<()>) {
        self.begin(call);
        while self.record.end.is_none() {
            let wake = self.ring_until.map(|at| at.saturating_duration_since(self.calls.wiring.clock.instant()));
            tokio::select! {
                biased;
                Some(event) = self.media.recv() => self.on_media(*event),
                (leg, event) = self.legs.next() => {
                    if let Some(input) = self.legs.translate(leg, event) {
                        self.on_leg(leg, input);
                    }
                }
                _ = ended.recv() => self.end(Cause::Released),
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.refuse(Cause::NoAnswer),
            }
        }
        // Before their ports are waited for: whoever hung up is free.
        self.calls.end_inner(self.legs_of.0);
        while self.legs.has_closing() {
            match tokio::time::timeout(CLOSING_LIMIT, self.media.recv()).await {
                Ok(Some(event)) => self.on_media(*event),
                _ => break,
            }
        }
    }

    fn begin(&mut self, call: PhoneCall) {
        let (phone, other) = self.legs_of;
        self.legs.adopt_phone(call);
        self.write();
        if let Some(LegInput::Ended(why)) = self.legs.open(phone) {
            // It was refused where that was found.
            return self.end(why);
        }
        if let Some(failed) = self.legs.ring_for(other, &self.record.to, &self.record.by) {
            self.on_leg(other, failed);
        }
    }

    fn on_media(&mut self, event: MediaEvent) {
        if let Some((leg, input)) = self.legs.heard_of_media(&event) {
            return self.on_leg(leg, input);
        }
        if let MediaEvent::Closed { leg, .. } = event
            && let Some(input) = self.legs.closed(leg)
        {
            self.on_leg(leg, input);
        }
    }

    fn on_leg(&mut self, leg: LegId, input: LegInput) {
        let answered = self.record.answered_at.is_some();
        match input {
            LegInput::Answered if leg == self.legs_of.1 && !answered => self.connect(),
            LegInput::Ended(why) if leg == self.legs_of.1 && !answered => self.refuse(why),
            LegInput::Ended(why) => self.end(why),
            _ => {}
        }
    }

    fn connect(&mut self) {
        let (phone, other) = self.legs_of;
        self.ring_until = None;
        self.record.answered_at = Some(self.calls.wiring.clock.utc());
        self.write();
        self.mixer.set(1, HearMatrix::default().with(phone, &[Source::Leg(other)]).with(other, &[Source::Leg(phone)]));
        self.legs.answer(phone);
    }

    /// The colleague cannot be had.
    fn refuse(&mut self, why: Cause) {
        let said = match why {
            Cause::Unreachable => Some(NO_PHONE),
            Cause::Busy => Some(BUSY),
            _ => None,
        };
        self.legs.turn_down_saying(self.legs_of.0, why, said);
        self.end(why);
    }

    fn end(&mut self, why: Cause) {
        if self.record.end.is_some() {
            return;
        }
        let outcome = if self.record.answered_at.is_some() { "talked" } else { "not_reached" };
        metrics::counter!("cordboard_inner_calls_total", "outcome" => outcome).increment(1);
        self.record.end = Some((self.calls.wiring.clock.utc(), why));
        self.write();
        self.legs.hang_up(self.legs_of.1);
        self.legs.hang_up(self.legs_of.0);
    }

    fn write(&self) {
        self.calls.recorder.write(Line::Inner(self.record.clone()));
    }
}
