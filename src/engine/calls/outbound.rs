//! Call-outs: a task around each [`Outbound`] machine, for the dispatcher ([`CallOut`]).
//!
//! All words are made ready before the number is dialled: without a voice nobody's telephone is rung. What always
//! holds: every call-out placed ends with exactly one [`CallOutEvent::Ended`], also when its task panics; what it
//! reads out is kept by nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;

use super::record::Line;
use super::{Calls, CallsHandle, fax};
use crate::base::id::{AttemptId, CallId};
use crate::domain::account::Speech;
use crate::domain::call::bridge::{HearMatrix, LegId};
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::call::outbound::{
    Outbound, OutboundEnd, OutboundEvent, OutboundInput, OutboundOutput, OutboundSetup,
};
use crate::domain::dispatch::fax::{FaxFault, FaxOutcome};
use crate::engine::callout::{CallOut, CallOutEvent, CallOutRequest, CallOutResult, FaxRequest, JobOffer};
use crate::engine::feed::AlarmLevel;
use crate::engine::legs::{Legs, stats_on_record};
use crate::engine::mixer::Mixer;
use crate::engine::signal::DialOut;
use crate::io::media::MediaEvent;
use crate::io::media::prompt::Prompt;
use crate::io::store::calls::{CallEnd, CallRecord, Direction};

/// How long the voice may take for the words of one call-out.
const VOICE_LIMIT: Duration = Duration::from_secs(30);
/// How long a call-out that is over waits for its quality figures.
const STATS_WAIT: Duration = Duration::from_secs(2);

/// What one call-out says.
type Words = HashMap<Speech, Arc<Prompt>>;

/// Why a call-out is ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The message is handled.
    Cancel,
    /// The service is stopping.
    Stop,
}

/// Call-outs under way, by attempt: how each is taken back.
#[derive(Debug, Default)]
pub(super) struct OutCalls {
    live: Mutex<HashMap<AttemptId, mpsc::UnboundedSender<Halt>>>,
}

impl OutCalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, mpsc::UnboundedSender<Halt>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn stop(&self) {
        for cancel in self.lock().values() {
            // An error means only that the call-out is over.
            let _ = cancel.send(Halt::Stop);
        }
    }
}

impl CallOut for CallsHandle {
    fn place(&self, request: CallOutRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        let calls = Arc::clone(&self.0);
        let (cancel, cancelled) = mpsc::unbounded_channel();
        calls.out.lock().insert(request.attempt.clone(), cancel);
        tokio::spawn(async move {
            let attempt = request.attempt.clone();
            let id = CallId::fresh(calls.wiring.clock.utc());
            let tell = Tell { attempt: attempt.clone(), events };
            let (worker, to, call) = (Arc::clone(&calls), tell.clone(), id.clone());
            let work = tokio::spawn(async move { place(worker, call, request, to, cancelled).await });
            let result = work.await.unwrap_or_else(|_| {
                metrics::counter!("cordboard_call_panics_total").increment(1);
                tracing::error!(attempt = %attempt, "a call-out ended by a fault of ours");
                calls.finish_as_fault(id);
                CallOutResult::NotReached(Cause::Fault)
            });
            calls.out.lock().remove(&attempt);
            tell.event(CallOutEvent::Ended(result));
        });
    }

    fn fax(&self, request: FaxRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        let calls = Arc::clone(&self.0);
        let (cancel, cancelled) = mpsc::unbounded_channel();
        calls.out.lock().insert(request.attempt.clone(), cancel);
        tokio::spawn(async move {
            let attempt = request.attempt.clone();
            let id = CallId::fresh(calls.wiring.clock.utc());
            let tell = Tell { attempt: attempt.clone(), events };
            let (worker, to, call) = (Arc::clone(&calls), tell.clone(), id.clone());
            let work = tokio::spawn(async move { fax::place(worker, call, request, to, cancelled).await });
            let outcome = work.await.unwrap_or_else(|_| {
                metrics::counter!("cordboard_call_panics_total").increment(1);
                tracing::error!(attempt = %attempt, "a call for a fax ended by a fault of ours");
                calls.finish_as_fault(id);
                FaxOutcome::Failed { why: FaxFault::Fault, confirmed: 0, pages: 0 }
            });
            calls.out.lock().remove(&attempt);
            tell.event(CallOutEvent::Faxed(outcome));
        });
    }

    fn offer(&self, job: JobOffer, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
        self.0.offer_job(job, events);
    }

    fn cancel(&self, attempt: &AttemptId) {
        self.0.jobs.stand_down(attempt);
        if let Some(cancel) = self.0.out.lock().get(attempt) {
            // An error means only that the call-out is over.
            let _ = cancel.send(Halt::Cancel);
        }
    }
}

#[derive(Clone)]
pub(super) struct Tell {
    attempt: AttemptId,
    events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
}

impl Tell {
    pub(super) fn event(&self, event: CallOutEvent) {
        // An error means that the dispatcher is stopping.
        let _ = self.events.send((self.attempt.clone(), event));
    }
}

/// One call-out from the first word made ready to its last event but the end, which is the result.
async fn place(
    calls: Arc<Calls>,
    id: CallId,
    request: CallOutRequest,
    tell: Tell,
    mut cancelled: mpsc::UnboundedReceiver<Halt>,
) -> CallOutResult {
    let setup = OutboundSetup {
        leg: calls.wiring.fresh_leg(),
        to: request.to.clone(),
        ring: Duration::from_secs(request.ring_secs.max(1).into()),
        intro: request.intro.clone(),
        content: request.content.clone(),
        leave: request.leave.clone(),
    };
    let ready = tokio::select! {
        ready = tokio::time::timeout(VOICE_LIMIT, make_ready(&calls, &setup)) => ready,
        halt = cancelled.recv() => return match halt {
            Some(Halt::Stop) => CallOutResult::NotReached(Cause::Released),
            Some(Halt::Cancel) | None => CallOutResult::Cancelled,
        },
    };
    let words = match ready {
        Ok(Ok(words)) => words,
        Ok(Err(why)) => return without_voice(&calls, &why),
        Err(_) => return without_voice(&calls, "it took too long"),
    };
    OutTask::start(calls, id, request, setup, words, tell).run(cancelled).await
}

async fn make_ready(calls: &Calls, setup: &OutboundSetup) -> Result<Words, String> {
    let mut words = Words::new();
    for speech in Outbound::speeches(setup) {
        let prompt = calls.wiring.voice.prepare_once(&speech).await?;
        words.insert(speech, prompt);
    }
    Ok(words)
}

fn without_voice(calls: &Arc<Calls>, why: &str) -> CallOutResult {
    tracing::error!("a call-out was not made, the voice failed: {why}");
    let text = "A message could not be read out by telephone: the voice failed.".to_owned();
    calls.raise(AlarmLevel::Critical, text, None);
    CallOutResult::NotReached(Cause::Fault)
}

struct OutTask {
    calls: Arc<Calls>,
    id: CallId,
    request: CallOutRequest,
    machine: Outbound,
    leg: LegId,
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    tell: Tell,
    answered_at: Option<crate::base::clock::UtcMs>,
    result: Option<CallOutResult>,
}

impl OutTask {
    fn start(
        calls: Arc<Calls>,
        id: CallId,
        request: CallOutRequest,
        setup: OutboundSetup,
        words: Words,
        tell: Tell,
    ) -> Self {
        let wiring = Arc::clone(&calls.wiring);
        let shard = wiring.media.pick_shard();
        let started_at = wiring.clock.utc();
        let (media_events, media) = mpsc::unbounded_channel();
        let legs = Legs::new(Arc::clone(&wiring), shard, id.to_string(), media_events.clone());
        let mut mixer = Mixer::new(Arc::clone(&wiring), shard, media_events);
        mixer.keep_apart(words);
        calls.recorder.write(Line::Started(CallRecord {
            id: id.clone(),
            account: request.account.clone(),
            direction: Direction::Out,
            trunk: String::new(),
            did: None,
            remote: Some(request.to.clone()),
            forwarded_from: None,
            started_at,
            end: None,
        }));
        let leg = setup.leg;
        let machine = Outbound::new(wiring.clock.instant(), setup);
        Self { calls, id, request, machine, leg, legs, mixer, media, tell, answered_at: None, result: None }
    }

    async fn run(mut self, mut cancelled: mpsc::UnboundedReceiver<Halt>) -> CallOutResult {
        self.tell(OutboundInput::Start);
        while !self.machine.is_done() {
            let wake = self.machine.poll_timeout().map(|at| at.saturating_duration_since(self.now()));
            tokio::select! {
                biased;
                Some(event) = self.media.recv() => self.on_media(*event),
                (leg, event) = self.legs.next() => {
                    if let Some(event) = self.legs.translate(leg, event) {
                        self.tell(OutboundInput::Leg(event));
                    }
                }
                Some(halt) = cancelled.recv() => self.tell(match halt {
                    Halt::Cancel => OutboundInput::Cancel,
                    Halt::Stop => OutboundInput::Stop,
                }),
                prepared = self.mixer.prepared() => {
                    self.mixer.on_prepared(prepared);
                }
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {
                    self.tell(OutboundInput::Tick);
                }
            }
        }
        let result = self.result.unwrap_or(CallOutResult::NotReached(Cause::Fault));
        self.finish(result);
        while self.legs.has_closing() {
            match tokio::time::timeout(STATS_WAIT, self.media.recv()).await {
                Ok(Some(event)) => self.on_media(*event),
                _ => break,
            }
        }
        result
    }

    fn now(&self) -> Instant {
        self.calls.wiring.clock.instant()
    }

    fn on_media(&mut self, event: MediaEvent) {
        if let Some((_, input)) = self.legs.heard_of_media(&event) {
            return self.tell(OutboundInput::Leg(input));
        }
        match event {
            MediaEvent::PlayDone { play, .. } => self.tell(OutboundInput::PlayDone { play: play.0 }),
            MediaEvent::Closed { leg, stats } => {
                self.record("leg_closed", stats_on_record(&stats));
                if let Some(input) = self.legs.closed(leg) {
                    self.tell(OutboundInput::Leg(input));
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, input: OutboundInput) {
        self.machine.handle(self.now(), input);
        while let Some(output) = self.machine.poll_output() {
            if let Some(event) = self.carry_out(output) {
                self.machine.handle(self.now(), OutboundInput::Leg(event));
            }
        }
    }

    fn carry_out(&mut self, output: OutboundOutput) -> Option<LegInput> {
        match output {
            OutboundOutput::Dial { leg, to } => {
                let (caller_id, account) = (self.request.caller_id.clone(), Some(self.request.account.clone()));
                return self.legs.dial(leg, DialOut { to, caller_id, account });
            }
            OutboundOutput::Play { leg, play, speech } => self.mixer.play(leg, play, speech),
            OutboundOutput::StopPlay { leg, play } => self.mixer.stop(leg, play),
            OutboundOutput::HangUp { leg } => self.legs.hang_up(leg),
            OutboundOutput::Event(event) => self.on_event(event),
        }
        None
    }

    fn on_event(&mut self, event: OutboundEvent) {
        match event {
            OutboundEvent::Ringing => {
                self.record("ringing", json!({}));
                self.tell.event(CallOutEvent::Ringing);
            }
            OutboundEvent::Answered => {
                self.answered_at = Some(self.calls.wiring.clock.utc());
                // Alone in its bridge: it hears prompts, and its keys are heard.
                self.mixer.set(1, HearMatrix::default().with(self.leg, &[]));
                self.record("answered", json!({}));
                self.tell.event(CallOutEvent::Answered);
            }
            OutboundEvent::Told => {
                self.record("told", json!({}));
                self.tell.event(CallOutEvent::Told);
            }
            OutboundEvent::Confirmed => {
                self.record("confirmed", json!({}));
                self.tell.event(CallOutEvent::Confirmed);
            }
            OutboundEvent::Ended(how) => {
                self.result = Some(match how {
                    OutboundEnd::Confirmed => CallOutResult::Confirmed,
                    OutboundEnd::ToldOnly => CallOutResult::ToldOnly,
                    OutboundEnd::LeftRequest => CallOutResult::LeftRequest,
                    OutboundEnd::NotAccepted => CallOutResult::NotAccepted,
                    OutboundEnd::NotReached(cause) => CallOutResult::NotReached(cause),
                    OutboundEnd::Cancelled => CallOutResult::Cancelled,
                });
            }
        }
    }

    fn record(&self, kind: &str, mut body: serde_json::Value) {
        body["attempt"] = json!(self.request.attempt);
        let at = self.calls.wiring.clock.utc();
        self.calls.recorder.write(Line::Event { call: self.id.clone(), at, kind: kind.to_owned(), body });
    }

    fn finish(&self, result: CallOutResult) {
        let (outcome, cause) = match result {
            CallOutResult::Confirmed => ("confirmed", Cause::Released),
            CallOutResult::ToldOnly => ("told", Cause::Released),
            CallOutResult::LeftRequest => ("left_request", Cause::Released),
            CallOutResult::NotAccepted => ("not_accepted", Cause::Released),
            CallOutResult::NotReached(cause) => ("not_reached", cause),
            CallOutResult::Cancelled => ("cancelled", Cause::Released),
        };
        metrics::counter!("cordboard_call_outs_total", "outcome" => outcome).increment(1);
        let end = CallEnd {
            answered_at: self.answered_at,
            ended_at: self.calls.wiring.clock.utc(),
            outcome: outcome.to_owned(),
            cause,
            operator: None,
        };
        self.calls.recorder.write(Line::Finished { call: self.id.clone(), end });
    }
}
