//! Call-outs: a task around each [`Outbound`] machine, for the dispatcher and the alarm chain ([`CallOut`]).
//!
//! One call at a time for a telephone: what else is to be read there for the same account joins it; another account's waits
//! until the telephone is free, or finds it busy after a while. All words are made ready before the number is dialled, or
//! before they join: without a voice nobody's telephone is rung. Who is called may be joined with the caller in this bridge,
//! by the trunks' rules and in the account's name. What always holds: every call-out placed ends with exactly one [`CallOutEvent::Ended`], also when its task panics; what one call says is
//! one account's, whose number it shows; what it reads out is kept by nobody.

mod on_record;
mod pins;
mod talk;
#[cfg(test)]
mod tests;
mod waiting;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;

use super::record::Line;
use super::{Calls, CallsHandle, fax};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, CallId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::call::outbound::{Heard, Outbound, OutboundInput, OutboundOutput, OutboundSetup, PinLooked};
use crate::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer, OutboundEnd};
use crate::engine::legs::{Legs, stats_on_record};
use crate::engine::mixer::{Mixer, tone};
use crate::engine::signal::DialOut;
use crate::io::media::{MediaEvent, Sound};
use crate::io::store::calls::{CallRecord, Direction};

use waiting::Waiting;
use words::{Words, make_ready, reading};

pub use pins::Opened;
pub(super) use pins::opens;

/// How long a call-out that is over waits for its quality figures.
const STATS_WAIT: Duration = Duration::from_secs(2);
/// The tone that warns both of the end of their talk: no words of the machine's.
const WARNING: u64 = u64::MAX - 1;

/// What a call that is up is asked for.
enum Ask {
    /// The message of this attempt is handled.
    Cancel(AttemptId),
    /// Another message for the same telephone.
    Further(Box<Order>),
    /// The service is stopping.
    Stop,
}

/// One attempt that waits to be read, and who is told of it.
struct Order {
    request: CallOutRequest,
    tell: Tell,
}

/// Call-outs under way, by the telephone that they call.
#[derive(Debug, Default)]
pub(super) struct OutCalls {
    live: Mutex<HashMap<PhoneNumber, mpsc::UnboundedSender<Ask>>>,
}

impl OutCalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<PhoneNumber, mpsc::UnboundedSender<Ask>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn stop(&self) {
        self.ask_all(|| Ask::Stop);
    }

    fn ask_all(&self, ask: impl Fn() -> Ask) {
        for call in self.lock().values() {
            // An error means only that the call-out is over.
            let _ = call.send(ask());
        }
    }

    /// Gives the order to the call that is up for its telephone; else it is the first of a new one, which is told what comes
    /// after it there.
    fn join(&self, order: Order) -> Option<(Order, mpsc::UnboundedReceiver<Ask>)> {
        let mut live = self.lock();
        let order = match live.get(&order.request.to) {
            Some(call) => match call.send(Ask::Further(Box::new(order))) {
                Ok(()) => return None,
                Err(mpsc::error::SendError(Ask::Further(order))) => *order,
                // What was sent comes back.
                Err(_) => return None,
            },
            None => order,
        };
        let (ask, asked) = mpsc::unbounded_channel();
        live.insert(order.request.to.clone(), ask);
        Some((order, asked))
    }

    /// The call for this telephone is over: what came for it too late, in order. Nothing more comes.
    fn leave(&self, to: &PhoneNumber, asked: &mut mpsc::UnboundedReceiver<Ask>) -> Vec<Ask> {
        let mut live = self.lock();
        live.remove(to);
        asked.close();
        std::iter::from_fn(|| asked.try_recv().ok()).collect()
    }
}

impl CallOut for CallsHandle {
    fn place(&self, request: CallOutRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        let tell = Tell { attempt: request.attempt.clone(), events, ended: false };
        place(&self.0, Order { request, tell });
    }

    fn fax(&self, request: FaxRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        fax::place(&self.0, request, events);
    }

    fn offer(&self, job: JobOffer, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        self.0.offer_job(job, events);
    }

    fn cancel(&self, attempt: &AttemptId) {
        self.0.jobs.stand_down(attempt);
        self.0.faxes.cancel(attempt);
        // Each knows its own.
        self.0.out.ask_all(|| Ask::Cancel(attempt.clone()));
    }
}

/// Has an order read: in the call that is up for its telephone, or in one of its own.
fn place(calls: &Arc<Calls>, order: Order) {
    let Some((order, mut asked)) = calls.out.join(order) else { return };
    let calls = Arc::clone(calls);
    tokio::spawn(async move {
        let (to, on_record) = (order.request.to.clone(), order.request.account.is_some());
        let id = CallId::fresh(calls.wiring.clock.utc());
        // Whoever waits for the end of all news finds no call any more.
        let _news = order.tell.events.clone();
        let (worker, call) = (Arc::clone(&calls), id.clone());
        let work = tokio::spawn(async move {
            let late = call_out(worker, call, order, &mut asked).await;
            (late, asked)
        });
        match work.await {
            Ok((late, mut asked)) => {
                let asks = calls.out.leave(&to, &mut asked);
                place_late(&calls, late, asks);
            }
            Err(_) => {
                metrics::counter!("cordboard_call_panics_total").increment(1);
                tracing::error!(call = %id, "a call-out ended by a fault of ours");
                if on_record {
                    calls.finish_as_fault(id);
                }
                // Another may have begun by now, as this one took no more orders.
                let mut live = calls.out.lock();
                if live.get(&to).is_some_and(mpsc::UnboundedSender::is_closed) {
                    live.remove(&to);
                }
            }
        }
    });
}

/// What came too late for the call that was up.
fn place_late(calls: &Arc<Calls>, mut orders: Vec<Order>, asks: Vec<Ask>) {
    for ask in asks {
        match ask {
            Ask::Further(order) => orders.push(*order),
            Ask::Cancel(attempt) => take_back(&mut orders, &attempt),
            Ask::Stop => {
                let stopped = OutboundEnd::NotReached(Cause::Released);
                orders.drain(..).for_each(|mut order| order.tell.ended(stopped));
            }
        }
    }
    for order in orders {
        place(calls, order);
    }
}

/// Takes back an order that nobody has heard of yet.
fn take_back(orders: &mut Vec<Order>, attempt: &AttemptId) {
    if let Some(at) = orders.iter().position(|order| order.tell.attempt == *attempt) {
        orders.remove(at).tell.ended(OutboundEnd::Cancelled);
    }
}

/// Whoever is told what becomes of an attempt. Told of its end whatever happens, once.
struct Tell {
    attempt: AttemptId,
    events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
    ended: bool,
}

impl Tell {
    fn event(&self, event: CallOutEvent) {
        // An error means that the dispatcher is stopping.
        let _ = self.events.send((self.attempt.clone(), event));
    }

    fn ended(&mut self, result: OutboundEnd) {
        if !std::mem::replace(&mut self.ended, true) {
            self.event(CallOutEvent::Ended(result));
        }
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        self.ended(OutboundEnd::NotReached(Cause::Fault));
    }
}

/// One call-out from the first word made ready to its end. Gives back what was to join it and came too late.
async fn call_out(
    calls: Arc<Calls>,
    id: CallId,
    mut order: Order,
    asked: &mut mpsc::UnboundedReceiver<Ask>,
) -> Vec<Order> {
    let setup = OutboundSetup {
        leg: calls.wiring.fresh_leg(),
        to: order.request.to.clone(),
        ring: Duration::from_secs(order.request.ring_secs.max(1).into()),
        longest_talk: order.request.longest_talk_secs.map(|secs| Duration::from_secs(secs.into())),
        first: reading(&order.request),
    };
    let mut further: Vec<Order> = Vec::new();
    let ready = make_ready(Arc::clone(&calls), order.request.clone());
    tokio::pin!(ready);
    let words = loop {
        tokio::select! {
            words = &mut ready => break words,
            ask = asked.recv() => match ask {
                Some(Ask::Cancel(attempt)) if attempt == order.tell.attempt => break Err(OutboundEnd::Cancelled),
                Some(Ask::Cancel(attempt)) => take_back(&mut further, &attempt),
                Some(Ask::Further(order)) => further.push(*order),
                Some(Ask::Stop) | None => {
                    let stopped = OutboundEnd::NotReached(Cause::Released);
                    further.drain(..).for_each(|mut order| order.tell.ended(stopped));
                    break Err(stopped);
                }
            },
        }
    };
    let words = match words {
        Ok(words) => words,
        Err(result) => {
            order.tell.ended(result);
            return further;
        }
    };
    let mut task = OutTask::start(calls, id, order, setup, words);
    for order in further {
        task.join(order);
    }
    task.run(asked).await
}

struct OutTask {
    calls: Arc<Calls>,
    id: CallId,
    first: CallOutRequest,
    machine: Outbound,
    leg: LegId,
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    /// By the machine's number of each message.
    told: Vec<Tell>,
    /// To be read too, once their words are ready.
    preparing: Vec<Order>,
    readied: mpsc::UnboundedReceiver<(AttemptId, Result<Words, OutboundEnd>)>,
    ready: mpsc::UnboundedSender<(AttemptId, Result<Words, OutboundEnd>)>,
    /// Of other accounts, for the same telephone.
    waiting: Waiting,
    looked: mpsc::UnboundedReceiver<PinLooked>,
    looks: mpsc::UnboundedSender<PinLooked>,
    /// The caller's, dialled last.
    caller_leg: Option<LegId>,
    /// Of the bridge.
    rev: u64,
    answered_at: Option<UtcMs>,
    /// How far it came with any of them.
    result: Option<OutboundEnd>,
}

impl OutTask {
    fn start(calls: Arc<Calls>, id: CallId, order: Order, setup: OutboundSetup, words: Words) -> Self {
        let Order { request: first, tell } = order;
        let wiring = Arc::clone(&calls.wiring);
        let shard = wiring.media.pick_shard();
        let started_at = wiring.clock.utc();
        let (media_events, media) = mpsc::unbounded_channel();
        let legs = Legs::new(Arc::clone(&wiring), shard, id.to_string(), media_events.clone());
        let mut mixer = Mixer::new(Arc::clone(&wiring), shard, media_events);
        mixer.keep_apart(words);
        if let Some(account) = &first.account {
            calls.recorder.write(Line::Started(CallRecord {
                id: id.clone(),
                account: account.clone(),
                direction: Direction::Out,
                trunk: String::new(),
                did: None,
                remote: Some(first.to.clone()),
                forwarded_from: None,
                started_at,
                end: None,
            }));
        }
        let leg = setup.leg;
        let machine = Outbound::new(wiring.clock.instant(), setup);
        let (ready, readied) = mpsc::unbounded_channel();
        let (looks, looked) = mpsc::unbounded_channel();
        Self {
            calls,
            id,
            first,
            machine,
            leg,
            legs,
            mixer,
            media,
            told: vec![tell],
            preparing: Vec::new(),
            readied,
            ready,
            waiting: Waiting::default(),
            looked,
            looks,
            caller_leg: None,
            rev: 0,
            answered_at: None,
            result: None,
        }
    }

    async fn run(mut self, asked: &mut mpsc::UnboundedReceiver<Ask>) -> Vec<Order> {
        self.tell(OutboundInput::Start);
        while !self.machine.is_done() {
            self.waiting.give_up(self.now());
            let wake = [self.machine.poll_timeout(), self.waiting.due_at()].into_iter().flatten().min();
            let wake = wake.map(|at| at.saturating_duration_since(self.now()));
            tokio::select! {
                biased;
                Some(event) = self.media.recv() => self.on_media(*event),
                (leg, event) = self.legs.next() => {
                    if let Some(event) = self.legs.translate(leg, event) {
                        self.on_leg(leg, event);
                    }
                }
                Some(ask) = asked.recv() => self.on_ask(ask),
                Some((attempt, words)) = self.readied.recv() => self.on_ready(&attempt, words),
                Some(looked) = self.looked.recv() => self.tell(OutboundInput::Looked(looked)),
                prepared = self.mixer.prepared() => {
                    self.mixer.on_prepared(prepared);
                }
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {
                    self.tell(OutboundInput::Tick);
                }
            }
        }
        self.finish(self.result.unwrap_or(OutboundEnd::NotReached(Cause::Fault)));
        while self.legs.has_closing() {
            match tokio::time::timeout(STATS_WAIT, self.media.recv()).await {
                Ok(Some(event)) => self.on_media(*event),
                _ => break,
            }
        }
        let mut late = std::mem::take(&mut self.preparing);
        late.extend(self.waiting.take());
        late
    }

    /// Reads another message in this call, once its words are ready, if it is the same account's.
    fn join(&mut self, order: Order) {
        if order.request.account != self.first.account {
            return self.waiting.add(self.now(), order);
        }
        let (calls, request) = (Arc::clone(&self.calls), order.request.clone());
        let (attempt, ready) = (order.tell.attempt.clone(), self.ready.clone());
        self.preparing.push(order);
        tokio::spawn(async move {
            let words = make_ready(calls, request).await;
            // An error means only that the call is over.
            let _ = ready.send((attempt, words));
        });
    }

    fn on_ask(&mut self, ask: Ask) {
        match ask {
            Ask::Further(order) => self.join(*order),
            Ask::Cancel(attempt) => {
                take_back(&mut self.preparing, &attempt);
                self.waiting.take_back(&attempt);
                if let Some(reading) = self.told.iter().position(|tell| tell.attempt == attempt) {
                    self.tell(OutboundInput::Cancel { reading });
                }
            }
            Ask::Stop => {
                let stopped = OutboundEnd::NotReached(Cause::Released);
                let late = std::mem::take(&mut self.preparing).into_iter().chain(self.waiting.take());
                late.for_each(|mut order| order.tell.ended(stopped));
                self.tell(OutboundInput::Stop);
            }
        }
    }

    fn on_ready(&mut self, attempt: &AttemptId, words: Result<Words, OutboundEnd>) {
        let Some(at) = self.preparing.iter().position(|order| order.tell.attempt == *attempt) else { return };
        let Order { request, mut tell } = self.preparing.remove(at);
        match words {
            Ok(words) => {
                self.mixer.keep_apart(words);
                self.told.push(tell);
                self.tell(OutboundInput::Further(Box::new(reading(&request))));
            }
            Err(result) => tell.ended(result),
        }
    }

    fn now(&self) -> Instant {
        self.calls.wiring.clock.instant()
    }

    fn on_media(&mut self, event: MediaEvent) {
        if let Some((leg, input)) = self.legs.heard_of_media(&event) {
            return self.on_leg(leg, input);
        }
        match event {
            MediaEvent::PlayDone { play, .. } => self.tell(OutboundInput::PlayDone { play: play.0 }),
            MediaEvent::Sound { sound, .. } => self.tell(OutboundInput::Heard(heard(sound))),
            MediaEvent::Closed { leg, stats } => {
                let mut body = stats_on_record(&stats);
                if leg != self.leg {
                    body["party"] = json!("caller");
                }
                self.record(0, "leg_closed", body);
                if let Some(input) = self.legs.closed(leg) {
                    self.on_leg(leg, input);
                }
            }
            _ => {}
        }
    }

    fn on_leg(&mut self, leg: LegId, event: LegInput) {
        if leg == self.leg {
            self.tell(OutboundInput::Leg(event));
        } else if self.caller_leg == Some(leg) {
            self.tell(OutboundInput::Caller(event));
        }
    }

    fn tell(&mut self, input: OutboundInput) {
        self.machine.handle(self.now(), input);
        while let Some(output) = self.machine.poll_output() {
            if let Some(input) = self.carry_out(output) {
                self.machine.handle(self.now(), input);
            }
        }
    }

    /// As the account, by its number and within its limits, whomever it is for.
    fn dial(&mut self, leg: LegId, to: PhoneNumber) -> Option<LegInput> {
        let (caller_id, account) = (self.first.caller_id.clone(), self.first.account.clone());
        self.legs.dial(leg, DialOut { to, caller_id, account })
    }

    fn carry_out(&mut self, output: OutboundOutput) -> Option<OutboundInput> {
        match output {
            OutboundOutput::Dial { leg, to } => return self.dial(leg, to).map(OutboundInput::Leg),
            OutboundOutput::DialCaller { to } => {
                let leg = self.calls.wiring.fresh_leg();
                self.caller_leg = Some(leg);
                return self.dial(leg, to).map(OutboundInput::Caller);
            }
            OutboundOutput::HangUpCaller => {
                if let Some(leg) = self.caller_leg.take() {
                    self.legs.hang_up(leg);
                }
            }
            OutboundOutput::Hear(hears) => self.hear(hears),
            OutboundOutput::Warn => {
                for leg in [Some(self.leg), self.caller_leg].into_iter().flatten() {
                    self.mixer.play_ready(leg, WARNING, tone());
                }
            }
            OutboundOutput::Look { of, pin } => self.look(of, pin),
            OutboundOutput::Play { leg, play, speech } => self.mixer.play(leg, play, speech),
            OutboundOutput::StopPlay { leg, play } => self.mixer.stop(leg, play),
            OutboundOutput::HangUp { leg } => self.legs.hang_up(leg),
            OutboundOutput::Event { reading, event } => self.on_event(reading, event),
        }
        None
    }
}

const fn heard(sound: Sound) -> Heard {
    match sound {
        Sound::Voice => Heard::Voice,
        Sound::Quiet => Heard::Quiet,
        Sound::Tone => Heard::Tone,
        Sound::Beep => Heard::Beep,
        Sound::Fax => Heard::Fax,
        Sound::Busy => Heard::Busy,
    }
}
