//! What trunk and registrar have in common: an agent on its sockets, and the legs it signals for.
//!
//! The loop in `trunk` or `registrar` awaits [`SipSide::next`] and feeds what comes; nothing here awaits a
//! peer or an owner. A panic in the agent is caught: it costs one message. [`Legs`] keeps the promise of
//! [`LegEvent::Ended`]: the last event, once. Only here SIP's status codes become causes and back.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use metrics::Counter;
use tokio::sync::mpsc;
use tracing::error;

use super::signal::{LegCommand, LegEvent};
use crate::base::clock::SharedClock;
use crate::base::rng::secure_bytes;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::transfer::TransferProgress;
use crate::io::net::{Endpoint, FlowGone, NetEvent, NotSent};
use crate::proto::sdp::OwnKeys;
use crate::proto::sip::{Agent, Command, DialogId, EndReason, Event, Flow, Input, Output};

/// Messages, and orders, that are dealt with in one go. Each go asks timers, orders and network in turn, which costs more than
/// a message that is refused.
pub const AT_ONCE: usize = 32;
/// How often owners that are gone, bindings and connections are looked after.
pub const SWEEP: Duration = Duration::from_secs(1);

/// An agent on its sockets.
#[derive(Debug)]
pub struct SipSide {
    pub agent: Agent,
    pub endpoint: Endpoint,
    pub clock: SharedClock,
    /// For metrics.
    pub name: &'static str,
    /// What the agent has refused for want of room since its owner looked last.
    pub turned_away: u32,
    /// Counters by status. Looking one up costs more than a refusal should.
    refused: HashMap<u16, Counter>,
}

/// What came of feeding an agent.
#[derive(Debug)]
pub struct Fed {
    pub events: Vec<Event>,
    /// Found dead while sending. The agent knows; the network will not tell of them again.
    pub closed: Vec<Flow>,
}

impl SipSide {
    pub fn new(agent: Agent, endpoint: Endpoint, clock: SharedClock, name: &'static str) -> Self {
        Self { agent, endpoint, clock, name, turned_away: 0, refused: HashMap::new() }
    }

    /// What happens next, from the network or by time. Cancel-safe.
    pub async fn next(&mut self) -> Input {
        let wait = self.agent.poll_timeout().map(|(at, _)| at.saturating_duration_since(self.clock.instant()));
        tokio::select! {
            event = self.endpoint.next() => input_of(event),
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => Input::Timeout,
        }
    }

    /// What has come from the network already.
    pub fn ready(&mut self) -> Option<Input> {
        self.endpoint.ready().map(input_of)
    }

    /// Feeds the agent and carries out what it wants; what it tells is returned.
    pub fn feed(&mut self, input: Input) -> Fed {
        let (mut events, mut closed) = (Vec::new(), Vec::new());
        // Apart, as most are alone.
        let (mut first, mut inputs) = (Some(input), Vec::new());
        // Each flow found closed is taken out of the endpoint, each request not sent out of the agent, so this ends.
        while let Some(input) = first.take().or_else(|| inputs.pop()) {
            let now = self.clock.instant();
            let agent = &mut self.agent;
            agent.unread(self.endpoint.unread());
            if catch_unwind(AssertUnwindSafe(|| agent.handle(now, input))).is_err() {
                metrics::counter!("cordboard_sip_panics_total", "side" => self.name).increment(1);
                error!(side = self.name, "the SIP agent panicked over one message and goes on");
            }
            while let Some(output) = self.agent.poll_output() {
                match output {
                    Output::Transmit { flow, bytes } => match self.endpoint.transmit(&flow, bytes) {
                        Ok(()) => {}
                        Err(NotSent::Gone) => {
                            inputs.push(Input::FlowClosed { flow });
                            closed.push(flow);
                        }
                        Err(NotSent::Refused(bytes)) => inputs.push(Input::Unsent { bytes }),
                    },
                    Output::Refuse { flow, bytes } => self.endpoint.transmit_soon(&flow, bytes),
                    Output::CloseFlow { flow } => self.endpoint.close(&flow),
                    Output::Event(Event::Refused { status }) => {
                        self.turned_away += u32::from(status == 503);
                        self.count_refusal(status);
                    }
                    Output::Event(event) => events.push(event),
                }
            }
        }
        Fed { events, closed }
    }

    /// Says a word that keeps a way open through a NAT and asks for nothing: an empty line, over a connection two, which its
    /// far end may answer by one (RFC 5626 §3.5.1).
    pub fn keep_open(&mut self, flow: &Flow) -> Result<(), FlowGone> {
        let word: &[u8] = if flow.transport.is_reliable() { b"\r\n\r\n" } else { b"\r\n" };
        match self.endpoint.transmit(flow, word.to_vec()) {
            // One that the system takes no datagram for now has a registration that finds out.
            Ok(()) | Err(NotSent::Refused(_)) => Ok(()),
            Err(NotSent::Gone) => Err(FlowGone),
        }
    }

    pub fn count_refusal(&mut self, status: u16) {
        let counter = self.refused.entry(status).or_insert_with(
            || metrics::counter!("cordboard_sip_refused_total", "side" => self.name, "status" => status.to_string()),
        );
        counter.increment(1);
    }
}

fn input_of(event: NetEvent) -> Input {
    match event {
        NetEvent::Received { flow, bytes } => Input::Received { flow, bytes },
        NetEvent::Closed { flow, .. } | NetEvent::Opened { flow, .. } => Input::FlowClosed { flow },
    }
}

#[derive(Debug)]
struct Leg {
    dialog: DialogId,
    events: mpsc::Sender<LegEvent>,
    rang: bool,
}

/// The legs one side signals for.
#[derive(Debug, Default)]
pub struct Legs {
    by_leg: HashMap<LegId, Leg>,
    by_dialog: HashMap<DialogId, LegId>,
}

impl Legs {
    pub fn add(&mut self, leg: LegId, dialog: DialogId, events: mpsc::Sender<LegEvent>) {
        self.by_dialog.insert(dialog, leg);
        self.by_leg.insert(leg, Leg { dialog, events, rang: false });
    }

    /// The leg goes on by another dialog: what it had so far is given up.
    pub fn rewire(&mut self, leg: LegId, dialog: DialogId) {
        if let Some(wired) = self.by_leg.get_mut(&leg) {
            self.by_dialog.remove(&wired.dialog);
            wired.dialog = dialog;
            wired.rang = false;
            self.by_dialog.insert(dialog, leg);
        }
    }

    pub fn len(&self) -> usize {
        self.by_leg.len()
    }

    pub fn leg_of(&self, dialog: DialogId) -> Option<LegId> {
        self.by_dialog.get(&dialog).copied()
    }

    pub fn dialog_of(&self, leg: LegId) -> Option<DialogId> {
        self.by_leg.get(&leg).map(|l| l.dialog)
    }

    /// Passes an event on. An owner that is gone, or lets too many pile up, loses the leg: the command
    /// returned hangs it up. The last place is kept for `Ended`.
    pub fn tell(&mut self, dialog: DialogId, event: LegEvent) -> Option<Command> {
        let leg = self.by_leg.get(self.by_dialog.get(&dialog)?)?;
        let room = leg.events.capacity() > 1 || leg.events.max_capacity() == 1;
        if room && leg.events.try_send(event).is_ok() {
            return None;
        }
        metrics::counter!("cordboard_legs_dropped_total").increment(1);
        self.end(dialog, Cause::Fault);
        Some(Command::Bye { dialog, headers: Vec::new() })
    }

    /// The leg is over: the last event, and it is forgotten.
    pub fn end(&mut self, dialog: DialogId, cause: Cause) {
        if let Some(leg) = self.by_dialog.remove(&dialog).and_then(|leg| self.by_leg.remove(&leg)) {
            // An owner that is gone needs no word.
            let _ = leg.events.try_send(LegEvent::Ended(cause));
        }
    }

    /// What an agent's event means for its leg; a command if something follows from it at once.
    pub fn on_event(&mut self, event: Event) -> Option<Command> {
        match event {
            Event::Progress { dialog, status, sdp } => {
                if let Some(leg) = self.by_dialog.get(&dialog).and_then(|id| self.by_leg.get_mut(id)) {
                    leg.rang |= status == 180 || sdp.is_some();
                }
                match sdp {
                    Some(sdp) => self.tell(dialog, LegEvent::EarlyMedia(sdp)),
                    None if status == 180 => self.tell(dialog, LegEvent::Ringing),
                    None => None,
                }
            }
            Event::Answered { dialog, sdp: Some(sdp) } => self.tell(dialog, LegEvent::Answered(sdp)),
            Event::Answered { dialog, sdp: None } => {
                // Answered without a description: there will never be audio.
                self.end(dialog, Cause::Incompatible);
                Some(Command::Bye { dialog, headers: Vec::new() })
            }
            Event::Established { dialog, answer } => self.tell(dialog, LegEvent::Established(answer)),
            Event::Reoffered { dialog, offer } => self.tell(dialog, LegEvent::Reoffered(offer)),
            Event::Info { dialog, content_type, body } => {
                digit_of(&content_type, &body).and_then(|digit| self.tell(dialog, LegEvent::Digit(digit)))
            }
            Event::Canceled { dialog } => {
                self.end(dialog, Cause::HungUp);
                None
            }
            Event::Rejected { dialog, status, .. } => {
                let rang = self.leg_of(dialog).and_then(|id| self.by_leg.get(&id)).is_some_and(|leg| leg.rang);
                self.end(dialog, cause_of(status, rang));
                None
            }
            Event::Full { dialog } => {
                self.end(dialog, Cause::LinesBusy);
                None
            }
            Event::Ended { dialog, why } => {
                self.end(
                    dialog,
                    match why {
                        EndReason::Bye => Cause::HungUp,
                        EndReason::Timeout | EndReason::FlowLost | EndReason::NoAck | EndReason::Expired => Cause::Lost,
                        EndReason::Fault => Cause::Fault,
                    },
                );
                None
            }
            Event::ReinviteAnswered { dialog, sdp: Some(sdp) } => self.tell(dialog, LegEvent::Reanswered(sdp)),
            // An answer that describes nothing agrees to nothing.
            Event::ReinviteAnswered { dialog, sdp: None } | Event::ReinviteRejected { dialog, .. } => {
                self.tell(dialog, LegEvent::ReofferRefused)
            }
            // Ours to change is none of this; the rest is the loop's.
            Event::Refer { .. }
            | Event::Incoming { .. }
            | Event::FlowLost { .. }
            | Event::Register { .. }
            | Event::Registration(_)
            | Event::OptionsAnswered { .. }
            | Event::Undelivered { .. }
            | Event::OtherTransport { .. }
            | Event::Refused { .. } => None,
        }
    }

    /// What an owner's command means for the agent.
    pub fn on_command(&mut self, leg: LegId, command: LegCommand) -> Option<Command> {
        let dialog = self.dialog_of(leg)?;
        Some(match command {
            LegCommand::Ring => Command::Ring { dialog, sdp: None },
            LegCommand::WaitForOthers => Command::WaitForOthers { dialog },
            LegCommand::EarlyMedia(sdp) => Command::Ring { dialog, sdp: Some(sdp) },
            LegCommand::Answer(sdp) => Command::Answer { dialog, sdp },
            LegCommand::AnswerReoffer(sdp) => Command::AnswerReinvite { dialog, sdp },
            LegCommand::RejectReoffer => Command::RejectReinvite { dialog, status: 488 },
            LegCommand::Reoffer(sdp) => Command::Reinvite { dialog, sdp },
            LegCommand::Probe => Command::Probe { dialog },
            LegCommand::Reject(cause) => {
                self.end(dialog, Cause::Released);
                let status = status_of(cause);
                Command::Reject { dialog, status, headers: said_with(status) }
            }
            LegCommand::RejectSaying(cause, why) => {
                self.end(dialog, Cause::Released);
                // RFC 3261 §20.43.
                let warning = ("Warning".to_owned(), format!("399 cordboard.local \"{why}\""));
                Command::Reject { dialog, status: status_of(cause), headers: vec![warning] }
            }
            LegCommand::Transfer(TransferProgress::Begun) => Command::AcceptRefer { dialog },
            LegCommand::Transfer(TransferProgress::Ringing) => Command::ReportRefer { dialog, status: 180 },
            LegCommand::Transfer(TransferProgress::Done) => Command::ReportRefer { dialog, status: 200 },
            LegCommand::Transfer(TransferProgress::Failed(why)) => {
                Command::ReportRefer { dialog, status: status_of(why) }
            }
            LegCommand::RefuseTransfer(why) => Command::RefuseRefer { dialog, status: status_of(why) },
            LegCommand::HangUp => {
                self.end(dialog, Cause::Released);
                Command::Bye { dialog, headers: Vec::new() }
            }
        })
    }

    /// Legs whose owner is gone: forgotten, and to be hung up.
    pub fn orphans(&mut self) -> Vec<Command> {
        let gone: Vec<DialogId> =
            self.by_leg.values().filter(|leg| leg.events.is_closed()).map(|leg| leg.dialog).collect();
        gone.into_iter()
            .map(|dialog| {
                self.end(dialog, Cause::Fault);
                Command::Bye { dialog, headers: Vec::new() }
            })
            .collect()
    }
}

/// Keys for one leg, or one attempt to make it; used if its trunk, or its phone, encrypts.
pub fn own_keys() -> OwnKeys {
    OwnKeys::new([secure_bytes(), secure_bytes()])
}

/// Why a call out was refused. 487 without our asking: somebody gave up on the way.
pub fn cause_of(status: u16, rang: bool) -> Cause {
    match status {
        486 | 600 => Cause::Busy,
        603 => Cause::Declined,
        // RFC 8197, RFC 8688: neither says that the line is busy.
        607 => Cause::Unwanted,
        608 => Cause::Blocked,
        404 | 410 | 484 | 604 => Cause::WrongNumber,
        415 | 488 | 606 => Cause::Incompatible,
        408 | 480 | 487 if rang => Cause::NoAnswer,
        _ => Cause::Unreachable,
    }
}

/// What a refusal says beside its status.
fn said_with(status: u16) -> Vec<(String, String)> {
    let said = match status {
        // RFC 3261 §20.43: incompatible media format.
        488 => Some((
            "Warning",
            "305 cordboard.local \"PCMU, PCMA and G.722 are spoken here, encrypted as the trunk is set up\"",
        )),
        // RFC 3261 §21.5.4: else a carrier may take us for gone for longer than we are.
        503 => Some(("Retry-After", "10")),
        _ => None,
    };
    said.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// How a call in is refused for a cause.
pub const fn status_of(cause: Cause) -> u16 {
    match cause {
        Cause::Busy => 486,
        Cause::Declined => 603,
        Cause::Unwanted => 607,
        Cause::Blocked => 608,
        Cause::WrongNumber => 404,
        Cause::Incompatible => 488,
        Cause::Forbidden | Cause::Emergency => 403,
        Cause::Unreachable | Cause::LinesBusy | Cause::Limited => 503,
        Cause::NoAnswer | Cause::HungUp | Cause::Released => 480,
        Cause::Lost | Cause::Fault => 500,
    }
}

/// The key in an INFO: `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (`5`).
fn digit_of(content_type: &str, body: &[u8]) -> Option<char> {
    let media = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let text = std::str::from_utf8(body).ok()?;
    let key = match media.as_str() {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("Signal").then(|| value.trim())
        })?,
        "application/dtmf" => text.trim(),
        _ => return None,
    };
    match key {
        "10" => Some('*'),
        "11" => Some('#'),
        _ => key.chars().next().filter(|c| key.len() == 1 && matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')),
    }
}

#[cfg(test)]
mod tests {
    use super::super::signal::LEG_EVENT_DEPTH;
    use super::*;

    #[test]
    fn codes_become_causes() {
        assert_eq!(cause_of(486, true), Cause::Busy);
        assert_eq!(cause_of(480, true), Cause::NoAnswer);
        assert_eq!(cause_of(480, false), Cause::Unreachable);
        assert_eq!(cause_of(603, true), Cause::Declined);
        assert_eq!(cause_of(607, false), Cause::Unwanted);
        assert_eq!(cause_of(608, false), Cause::Blocked);
        assert_eq!(cause_of(503, false), Cause::Unreachable);
    }

    #[test]
    fn keys_are_read_from_both_kinds_of_info() {
        assert_eq!(digit_of("application/dtmf-relay", b"Signal= 5\r\nDuration= 160\r\n"), Some('5'));
        assert_eq!(digit_of("application/dtmf; x=y", b"#"), Some('#'));
        assert_eq!(digit_of("application/dtmf", b"55"), None);
    }

    #[test]
    fn an_owner_that_does_not_listen_loses_the_leg_and_still_hears_the_end() {
        let (mut legs, dialog) = (Legs::default(), DialogId(1));
        let (sender, mut events) = mpsc::channel(LEG_EVENT_DEPTH);
        legs.add(LegId(1), dialog, sender);
        let mut hung_up = 0;
        for _ in 0..100 {
            hung_up += usize::from(legs.on_event(Event::Reoffered { dialog, offer: None }).is_some());
        }
        assert_eq!((hung_up, legs.len()), (1, 0));
        let mut last = None;
        while let Ok(event) = events.try_recv() {
            last = Some(event);
        }
        assert!(matches!(last, Some(LegEvent::Ended(Cause::Fault))));
    }

    #[test]
    fn after_a_hang_up_nothing_is_told_but_the_end() {
        let (mut legs, dialog) = (Legs::default(), DialogId(1));
        let (sender, mut events) = mpsc::channel(LEG_EVENT_DEPTH);
        legs.add(LegId(1), dialog, sender);
        assert!(matches!(legs.on_command(LegId(1), LegCommand::HangUp), Some(Command::Bye { .. })));
        assert!(legs.on_event(Event::Ended { dialog, why: EndReason::Bye }).is_none());
        assert!(matches!(events.try_recv(), Ok(LegEvent::Ended(Cause::Released))));
        assert!(events.try_recv().is_err());
        assert!(legs.on_command(LegId(1), LegCommand::HangUp).is_none());
    }
}
