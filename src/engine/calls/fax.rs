//! Calls for faxes: a task around each [`FaxCall`] machine, for the dispatcher. Signalling is the trunk's, sound and T.38 a
//! [`Line`]'s, on a thread of its own; the descriptions of both are made here.
//!
//! [`super::fax_queue`] says which is sent when. What always holds: every fax placed ends with exactly one [`CallOutEvent::Faxed`], also when its task panics; its pages are
//! kept by nobody; what must be encrypted on the way is never taken to T.38, which is not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc;

use super::Calls;
use super::fax_queue::{Halt, Order, Tell};
use super::record::Line as Recorded;
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, CallId};
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::fax::{FaxCall, FaxInput, FaxOutput, MachinesEnd};
use crate::domain::dispatch::fax::{FaxFault, FaxOutcome};
use crate::engine::callout::{CallOutEvent, FaxRequest};
use crate::engine::feed::AlarmLevel;
use crate::engine::signal::{DialOut, LEG_EVENT_DEPTH, LegCommand, LegEvent, Offer, Offered};
use crate::engine::sip_side::own_keys;
use crate::io::fax::spandsp::{Missing, Spandsp};
use crate::io::fax::{Document, Line, News};
use crate::io::media::Codec;
use crate::io::store::calls::{CallEnd, CallRecord, Direction};
use crate::proto::sdp::{self, Session, Srtp, receives_at};

/// Modems need every sample as it is: nothing but G.711.
const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

/// Sends a fax, and after it what waits for its machine, in a task of their own.
pub(super) fn place(calls: &Arc<Calls>, request: FaxRequest, events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {
    let mut due = calls.faxes.begin(Order::new(request, events));
    if due.is_none() {
        return;
    }
    let calls = Arc::clone(calls);
    tokio::spawn(async move {
        while let Some((Order { request, tell }, halted)) = due {
            let (id, to) = (CallId::fresh(calls.wiring.clock.utc()), request.to.clone());
            let (worker, teller, call) = (Arc::clone(&calls), tell.clone(), id.clone());
            let work = tokio::spawn(async move { send(worker, call, request, teller, halted).await });
            let outcome = work.await.unwrap_or_else(|_| {
                metrics::counter!("cordboard_call_panics_total").increment(1);
                tracing::error!(attempt = %tell.attempt, "a call for a fax ended by a fault of ours");
                calls.finish_as_fault(id);
                FaxOutcome::Failed { why: FaxFault::Fault, confirmed: 0, pages: 0 }
            });
            due = calls.faxes.over(&to);
            tell.event(CallOutEvent::Faxed(outcome));
        }
    });
}

/// One fax, from its pages to the end of its call.
async fn send(
    calls: Arc<Calls>,
    id: CallId,
    request: FaxRequest,
    tell: Tell,
    mut cancelled: mpsc::UnboundedReceiver<Halt>,
) -> FaxOutcome {
    let failed = |why| FaxOutcome::Failed { why, confirmed: 0, pages: 0 };
    let spandsp = match Spandsp::load() {
        Ok(spandsp) => spandsp,
        Err(missing) => {
            tracing::error!(code = Missing::CODE, "{missing}");
            let text = "A fax could not be sent: fax needs libspandsp2 (apt install libspandsp2).".to_owned();
            calls.raise(AlarmLevel::Critical, text, None);
            return failed(FaxFault::NoEngine);
        }
    };
    let (letter, station) = (request.letter.clone(), calls.station.clone());
    // Some milliseconds of work.
    let document = tokio::task::spawn_blocking(move || Document::of(&letter, &station)).await;
    let document = match document {
        Ok(Ok(document)) => document,
        Ok(Err(why)) => {
            tracing::error!("the pages of a fax could not be made: {why}");
            return failed(FaxFault::Fault);
        }
        Err(_) => return failed(FaxFault::Fault),
    };
    match FaxTask::start(calls, id, request, document, spandsp, tell) {
        Ok(task) => task.run(&mut cancelled).await,
        Err(why) => failed(why),
    }
}

struct FaxTask {
    calls: Arc<Calls>,
    id: CallId,
    request: FaxRequest,
    machine: FaxCall,
    leg: LegId,
    session: Session,
    offer: Option<Offer>,
    line: Line,
    news: mpsc::UnboundedReceiver<News>,
    events: mpsc::Receiver<LegEvent>,
    /// Until the number is dialled.
    leg_events: Option<mpsc::Sender<LegEvent>>,
    /// What the far end proposes, until it is looked at.
    proposed: Option<Vec<u8>>,
    /// T.38 as agreed.
    fax: Option<sdp::Fax>,
    srtp: Srtp,
    /// The leg is.
    ended: bool,
    line_gone: bool,
    answered_at: Option<UtcMs>,
    tell: Tell,
    outcome: Option<FaxOutcome>,
}

impl FaxTask {
    fn start(
        calls: Arc<Calls>,
        id: CallId,
        request: FaxRequest,
        document: Document,
        spandsp: Spandsp,
        tell: Tell,
    ) -> Result<Self, FaxFault> {
        let wiring = Arc::clone(&calls.wiring);
        let (reach, apart) = wiring.media.open_apart().map_err(|fault| {
            tracing::error!("no port for a fax: {fault}");
            FaxFault::Limited
        })?;
        let leg = wiring.fresh_leg();
        let session = Session::new(wiring.session_of(leg), reach.towards(None), &CODECS);
        let mut session = session.with_srtp(Srtp::Off, own_keys());
        let offer = Offer::Reaching(Box::new(session.clone()), reach);
        session.settle(Srtp::Off);
        let pages = document.pages();
        let (news_out, news) = mpsc::unbounded_channel();
        let line =
            Line::open(apart, document, calls.station.id.clone(), spandsp, Arc::clone(&wiring.clock), move |said| {
                // An error means only that the call is over.
                let _ = news_out.send(said);
            });
        let line = line.map_err(|why| {
            tracing::error!("no thread for a fax: {why}");
            FaxFault::Fault
        })?;
        calls.recorder.write(Recorded::Started(CallRecord {
            id: id.clone(),
            account: request.account.clone(),
            direction: Direction::Out,
            trunk: String::new(),
            did: None,
            remote: Some(request.to.clone()),
            forwarded_from: None,
            started_at: wiring.clock.utc(),
            end: None,
        }));
        let ring = Duration::from_secs(request.ring_secs.max(1).into());
        let machine = FaxCall::new(wiring.clock.instant(), pages, ring);
        let (leg_events, events) = mpsc::channel(LEG_EVENT_DEPTH);
        Ok(Self {
            calls,
            id,
            request,
            machine,
            leg,
            session,
            offer: Some(offer),
            line,
            news,
            events,
            leg_events: Some(leg_events),
            proposed: None,
            fax: None,
            srtp: Srtp::Off,
            ended: false,
            line_gone: false,
            answered_at: None,
            tell,
            outcome: None,
        })
    }

    async fn run(mut self, cancelled: &mut mpsc::UnboundedReceiver<Halt>) -> FaxOutcome {
        self.tell(FaxInput::Start);
        while !self.machine.is_done() {
            let wake = self.machine.poll_timeout().map(|at| at.saturating_duration_since(self.now()));
            tokio::select! {
                biased;
                said = self.news.recv(), if !self.line_gone => {
                    self.line_gone = said.is_none();
                    self.tell(match said {
                        Some(News::MachineHeard) => FaxInput::MachineHeard,
                        Some(News::Begun) => FaxInput::Begun,
                        Some(News::Confirmed(pages)) => FaxInput::Confirmed(pages),
                        Some(News::Done(end)) => FaxInput::MachinesDone(end),
                        // A thread that ends without a word has failed.
                        None => FaxInput::MachinesDone(MachinesEnd::Fault),
                    });
                }
                event = self.events.recv(), if !self.ended => {
                    // A signalling side that vanishes without a word has ended the leg.
                    self.on_leg(event.unwrap_or(LegEvent::Ended(Cause::Fault)));
                }
                Some(halt) = cancelled.recv() => self.tell(match halt {
                    Halt::Cancel => FaxInput::Cancel,
                    Halt::Stop => FaxInput::Stop,
                }),
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => self.tell(FaxInput::Tick),
            }
        }
        let nothing = FaxOutcome::Failed { why: FaxFault::Fault, confirmed: 0, pages: 0 };
        let outcome = self.outcome.unwrap_or(nothing);
        self.finish(outcome);
        outcome
    }

    fn now(&self) -> Instant {
        self.calls.wiring.clock.instant()
    }

    fn on_leg(&mut self, event: LegEvent) {
        match event {
            LegEvent::Offered(offered) => self.offered(&offered),
            LegEvent::Ringing => {
                self.record("ringing", json!({}));
                self.tell.event(CallOutEvent::Ringing);
            }
            LegEvent::Answered(sdp) => match self.agree(&sdp) {
                true => {
                    self.answered_at = Some(self.calls.wiring.clock.utc());
                    self.record("answered", json!({}));
                    self.tell(FaxInput::Answered);
                }
                false => self.tell(FaxInput::MachinesDone(MachinesEnd::Broken)),
            },
            LegEvent::Reoffered(offer) => self.reoffered(offer),
            LegEvent::Reanswered(sdp) => self.reanswered(&sdp),
            LegEvent::ReofferRefused => {
                self.record("t38_refused", json!({}));
                self.tell(FaxInput::ImageRefused);
            }
            LegEvent::Ended(cause) => {
                self.ended = true;
                self.tell(FaxInput::Ended(cause));
            }
            LegEvent::Transfer { .. } => self.command(LegCommand::RefuseTransfer(Cause::Declined)),
            // Early sound is no machine's: those answer. What is answered is established by it.
            LegEvent::EarlyMedia(_) | LegEvent::Established(_) | LegEvent::Moved | LegEvent::Digit(_) => {}
        }
    }

    /// The way it goes out by, and what was said there.
    fn offered(&mut self, offered: &Offered) {
        self.srtp = offered.srtp;
        self.session.rekey(offered.keys);
        if let Some(local) = offered.local {
            self.session.move_to(local);
        }
        self.session.settle(offered.srtp);
    }

    /// Sound, as the far end answers. False: there will be none.
    fn agree(&mut self, sdp: &[u8]) -> bool {
        let Ok(agreed) = self.session.accept(sdp) else { return false };
        if agreed.srtp.is_some() || self.srtp == Srtp::Required {
            self.machine.forbid_image();
        }
        true
    }

    /// The far end wants things to be otherwise.
    fn reoffered(&mut self, offer: Option<Vec<u8>>) {
        let Some(offer) = offer else {
            // It asks for what is in force.
            let words = if self.fax.is_some() { self.session.offer_fax() } else { self.session.offer() };
            return self.command(LegCommand::AnswerReoffer(words));
        };
        // Tried on a copy: what is refused has to leave things as they were.
        if self.session.clone().answer_fax(&offer).is_ok() {
            self.proposed = Some(offer);
            return self.tell(FaxInput::ImageOffered);
        }
        match self.session.answer(&offer) {
            Ok((answer, agreed)) if self.fax.is_none() => {
                self.line.sound(agreed.into());
                self.command(LegCommand::AnswerReoffer(answer));
            }
            // Back to sound when the machines are done, as gateways do: nothing is said by it any more.
            Ok((answer, _)) => self.command(LegCommand::AnswerReoffer(answer)),
            Err(_) => self.command(LegCommand::RejectReoffer),
        }
    }

    /// The far end has answered an offer of ours, or repeats an answer.
    fn reanswered(&mut self, sdp: &[u8]) {
        match self.session.accept_fax(sdp) {
            Ok(fax) => {
                self.fax = Some(fax);
                self.tell(FaxInput::ImageAgreed);
            }
            Err(_) if self.fax.is_none() => {
                // It answered with something else than was offered: sound again, if it is that.
                if receives_at(sdp).is_some() && self.session.accept(sdp).is_err() {
                    tracing::warn!(leg = self.leg.0, "an answer to T.38 that is neither that nor sound");
                }
                self.tell(FaxInput::ImageRefused);
            }
            Err(_) => {}
        }
    }

    fn tell(&mut self, input: FaxInput) {
        let now = self.now();
        match input {
            FaxInput::MachineHeard => self.record("fax_machine_heard", json!({})),
            FaxInput::Confirmed(pages) => self.record("fax_confirmed", json!({ "pages": pages })),
            _ => {}
        }
        self.machine.handle(now, input);
        while let Some(output) = self.machine.poll_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: FaxOutput) {
        match output {
            FaxOutput::Dial => {
                let call = DialOut {
                    to: self.request.to.clone(),
                    caller_id: self.request.caller_id.clone(),
                    account: Some(self.request.account.clone()),
                };
                if let Some((offer, events)) = self.offer.take().zip(self.leg_events.take()) {
                    self.calls.wiring.signalling.dial(self.leg, call, offer, events);
                }
            }
            FaxOutput::Sound => {
                if let Some(agreed) = self.session.agreed().copied() {
                    self.line.sound(agreed.into());
                }
            }
            FaxOutput::OfferImage => {
                self.line.silence();
                let offer = self.session.offer_fax();
                self.command(LegCommand::Reoffer(offer));
            }
            FaxOutput::TakeImage => {
                let answer = self.proposed.take().and_then(|offer| self.session.answer_fax(&offer).ok());
                let Some((answer, fax)) = answer else { return self.command(LegCommand::RejectReoffer) };
                self.command(LegCommand::AnswerReoffer(answer));
                self.fax = Some(fax);
                self.image();
            }
            FaxOutput::RefuseImage => {
                self.proposed = None;
                self.command(LegCommand::RejectReoffer);
            }
            FaxOutput::Image => self.image(),
            FaxOutput::HangUp => self.command(LegCommand::HangUp),
            FaxOutput::Ended(outcome) => self.outcome = Some(outcome),
        }
    }

    fn image(&self) {
        if let Some(fax) = self.fax {
            self.record("t38", json!({}));
            self.line.image(fax);
        }
    }

    fn command(&self, command: LegCommand) {
        if !self.ended {
            self.calls.wiring.signalling.to_trunk(self.leg, command);
        }
    }

    fn record(&self, kind: &str, mut body: serde_json::Value) {
        body["attempt"] = json!(self.request.attempt);
        let at = self.calls.wiring.clock.utc();
        self.calls.recorder.write(Recorded::Event { call: self.id.clone(), at, kind: kind.to_owned(), body });
    }

    fn finish(&self, outcome: FaxOutcome) {
        let (outcome, cause) = match outcome {
            FaxOutcome::Delivered { .. } => ("fax_delivered", Cause::Released),
            FaxOutcome::Failed { why: FaxFault::Busy, .. } => ("fax_failed", Cause::Busy),
            FaxOutcome::Failed { why: FaxFault::NoAnswer, .. } => ("fax_failed", Cause::NoAnswer),
            FaxOutcome::Failed { why: FaxFault::LineLost, .. } => ("fax_failed", Cause::Lost),
            FaxOutcome::Failed { .. } => ("fax_failed", Cause::Unreachable),
            FaxOutcome::Cancelled => ("cancelled", Cause::Released),
        };
        metrics::counter!("cordboard_faxes_total", "outcome" => outcome).increment(1);
        let end = CallEnd {
            answered_at: self.answered_at,
            ended_at: self.calls.wiring.clock.utc(),
            outcome: outcome.to_owned(),
            cause,
            operator: None,
        };
        self.calls.recorder.write(Recorded::Finished { call: self.id.clone(), end });
    }
}

impl Drop for FaxTask {
    /// Also when the task panics: nobody stays on the line.
    fn drop(&mut self) {
        if !self.machine.is_done() {
            self.command(LegCommand::HangUp);
        }
    }
}
