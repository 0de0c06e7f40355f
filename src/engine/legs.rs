//! Legs: what a call machine says about a leg becomes signalling and media, what these tell becomes words for it.
//!
//! The one place where a leg's session description is negotiated. Does not decide anything and keeps no bridge
//! (`engine/mixer`). Owned by one call's task. What always holds: a leg that was started is hung up and its media
//! closed, also when the task that owns it panics (on drop).

mod colleague;
mod giving;
mod keys;
mod outside;
mod roaming;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::signal::{DialOut, LEG_EVENT_DEPTH, LegCommand, LegEvent, Offer, PhoneCall};
use super::sip_side::own_keys;
use crate::base::id::UserId;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::call::path::{Path, PathInput};
use crate::domain::call::transfer::TransferProgress;
use crate::domain::operator::Phone;
use crate::io::media::{Codec, LegStats, MediaEvent, Reach, RtpParameters, ShardId, Strays};
use crate::proto::sdp::{SdpError, Session, Srtp, receives_at};

pub use giving::{GivenLeg, Lands};
use keys::{Keys, Sent};
pub use outside::{Later, LegMedia, MediaFault, ONE_MOMENT, Patience, Routes, Sides, Signalling, Voice, Wiring};

/// What we offer, best first: the house mixes at 8 kHz.
const CODECS: [Codec; 3] = Codec::ALL;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Trunk,
    Phone,
}

impl Side {
    /// A desk phone may be beyond a NAT that begins anew; it has logged in. A carrier has said where it is.
    const fn strays(self) -> Strays {
        match self {
            Self::Trunk => Strays::Ports,
            Self::Phone => Strays::Hosts,
        }
    }
}

/// One leg: its signalling and its description.
struct Wire {
    leg: LegId,
    side: Side,
    events: mpsc::Receiver<LegEvent>,
    /// None for a browser, and until media is open.
    sdp: Option<Session>,
    /// The caller's offer, until it is looked at.
    offer: Option<Vec<u8>>,
    /// How much its trunk encrypts.
    srtp: Srtp,
    /// Where its signalling comes from, if it called.
    peer: Option<IpAddr>,
    /// Our answer to it, and what was agreed, until it is sent.
    answer: Option<(Vec<u8>, Option<RtpParameters>)>,
    /// To a browser.
    path: Path,
    keys: Keys,
    media_open: bool,
    /// Nothing has been heard of it for so long that it was asked whether it is there.
    asked: bool,
    ended: bool,
}

/// The legs of one call.
pub struct Legs {
    wiring: Arc<Wiring>,
    shard: ShardId,
    /// What consoles know the call by.
    call: String,
    wires: Vec<Wire>,
    /// Hung up; the shard has yet to tell how they went.
    closing: Vec<LegId>,
    media_events: mpsc::UnboundedSender<Box<MediaEvent>>,
}

impl Legs {
    pub fn new(
        wiring: Arc<Wiring>,
        shard: ShardId,
        call: String,
        media_events: mpsc::UnboundedSender<Box<MediaEvent>>,
    ) -> Self {
        Self { wiring, shard, call, wires: Vec::new(), closing: Vec::new(), media_events }
    }

    /// Takes over the leg of a call that came in.
    pub fn adopt(
        &mut self,
        leg: LegId,
        offer: Option<Vec<u8>>,
        srtp: Srtp,
        peer: IpAddr,
        events: mpsc::Receiver<LegEvent>,
    ) {
        self.adopt_from(Side::Trunk, leg, offer, srtp, peer, events);
    }

    /// The same of a call that an operator's desk phone makes.
    pub fn adopt_phone(&mut self, call: PhoneCall) {
        self.adopt_from(Side::Phone, call.leg, call.offer, call.srtp, call.peer, call.events);
    }

    fn adopt_from(
        &mut self,
        side: Side,
        leg: LegId,
        offer: Option<Vec<u8>>,
        srtp: Srtp,
        peer: IpAddr,
        events: mpsc::Receiver<LegEvent>,
    ) {
        self.route(leg);
        self.wires.push(Wire {
            leg,
            side,
            events,
            sdp: None,
            offer,
            srtp,
            peer: Some(peer),
            answer: None,
            path: Path::default(),
            keys: Keys::default(),
            media_open: false,
            asked: false,
            ended: false,
        });
    }

    /// Looks at a caller's offer, unless that was done before. One that can be answered is told that it rings, while the
    /// greeting is made ready; one that cannot is refused without. What came of it, if it failed.
    pub fn open(&mut self, leg: LegId) -> Option<LegInput> {
        if self.wires.iter().any(|w| w.leg == leg && w.media_open) {
            return None;
        }
        let side = self.wires.iter().find(|w| w.leg == leg).map_or(Side::Trunk, |w| w.side);
        let reach = match self.wiring.media.open_rtp(self.shard, leg, side.strays()) {
            Ok(reach) => reach,
            // Its carrier may have another way.
            Err(fault) => return Some(self.refuse(leg, Cause::LinesBusy, &fault)),
        };
        let Some(wire) = self.wires.iter_mut().find(|w| w.leg == leg) else {
            self.wiring.media.close(leg);
            return Some(LegInput::Ended(Cause::Lost));
        };
        wire.media_open = true;
        // Who speaks SIP tells which network it is on; what it wants audio at tells the family.
        let said = wire.offer.as_deref().and_then(receives_at).filter(|ip| !ip.is_unspecified());
        let other = said.filter(|said| wire.peer.is_some_and(|peer| peer.to_canonical().is_ipv4() != said.is_ipv4()));
        let mut session = Session::new(self.wiring.session_of(leg), reach.towards(other.or(wire.peer)), &CODECS)
            .with_srtp(wire.srtp, own_keys());
        let answered = match wire.offer.take() {
            Some(offer) => session.answer(&offer).map(|(answer, agreed)| (answer, Some(agreed.into()))),
            // A late offer: ours goes into the answer, theirs comes with the acknowledgement (RFC 3261 §13.2.1).
            None => Ok((session.offer(), None)),
        };
        wire.sdp = Some(session);
        match answered {
            Ok(answer) => {
                wire.answer = Some(answer);
                self.command(side, leg, LegCommand::Ring);
                None
            }
            Err(error) => Some(self.refuse(leg, refusal(&error), &error)),
        }
    }

    /// Answers a caller whose leg is open.
    pub fn answer(&mut self, leg: LegId) {
        let wire = self.wires.iter_mut().find(|w| w.leg == leg);
        let Some((side, (description, agreed))) = wire.and_then(|w| w.answer.take().map(|a| (w.side, a))) else {
            return;
        };
        if let Some(agreed) = agreed {
            self.wiring.media.connect_rtp(leg, agreed);
        }
        self.command(side, leg, LegCommand::Answer(description));
    }

    /// Whom a caller's leg waits for is somebody else.
    pub fn wait_for_others(&self, leg: LegId) {
        if let Some(wire) = self.wires.iter().find(|w| w.leg == leg && !w.ended) {
            self.command(wire.side, leg, LegCommand::WaitForOthers);
        }
    }

    /// Lets a caller whose leg is open hear something before the answer (183). One who made no offer rings on: there is no
    /// audio before theirs is known (RFC 3261 §13.2.1).
    pub fn send_early(&mut self, leg: LegId) {
        let wire = self.wires.iter().find(|w| w.leg == leg && !w.ended);
        let Some((side, description, agreed)) = wire
            .and_then(|w| w.answer.as_ref().and_then(|(answer, agreed)| Some((w.side, answer.clone(), (*agreed)?))))
        else {
            return;
        };
        self.wiring.media.connect_rtp(leg, agreed);
        self.command(side, leg, LegCommand::EarlyMedia(description));
    }

    fn refuse(&self, leg: LegId, cause: Cause, why: &dyn fmt::Display) -> LegInput {
        tracing::warn!(call = self.call, leg = leg.0, "call not answered: {why}");
        if let Some(wire) = self.wires.iter().find(|w| w.leg == leg) {
            self.command(wire.side, leg, LegCommand::Reject(cause));
        }
        LegInput::Ended(cause)
    }

    /// Refuses a call of a desk phone that was not answered yet, and lets its leg go.
    pub fn turn_down(&mut self, leg: LegId, why: Cause) {
        self.turn_down_saying(leg, why, None);
    }

    /// The same, with words for whoever looks at the phone.
    pub fn turn_down_saying(&mut self, leg: LegId, why: Cause, said: Option<&'static str>) {
        if let Some(wire) = self.wires.iter_mut().find(|w| w.leg == leg && !w.ended) {
            let side = wire.side;
            // What the signalling side says of its end is of no more use.
            wire.ended = true;
            let refusal = said.map_or(LegCommand::Reject(why), |said| LegCommand::RejectSaying(why, said));
            self.command(side, leg, refusal);
        }
        self.hang_up(leg);
    }

    /// Tells a phone how the transfer goes that it asked for.
    pub fn report(&self, leg: LegId, progress: TransferProgress) {
        if let Some(wire) = self.wires.iter().find(|w| w.leg == leg && !w.ended) {
            self.command(wire.side, leg, LegCommand::Transfer(progress));
        }
    }

    /// Tells a phone that there will be no transfer.
    pub fn refuse_transfer(&self, leg: LegId, why: Cause) {
        if let Some(wire) = self.wires.iter().find(|w| w.leg == leg && !w.ended) {
            self.command(wire.side, leg, LegCommand::RefuseTransfer(why));
        }
    }

    /// Dials a number. What came of it, if it failed at once.
    pub fn dial(&mut self, leg: LegId, call: DialOut) -> Option<LegInput> {
        let reach = match self.wiring.media.open_rtp(self.shard, leg, Side::Trunk.strays()) {
            Ok(reach) => reach,
            Err(fault) => return Some(failed(leg, &fault)),
        };
        let (offer, session) = first_offer(self.wiring.session_of(leg), reach);
        let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
        self.started(leg, Side::Trunk, received, Some(session));
        self.wiring.signalling.dial(leg, call, offer, events);
        None
    }

    /// Rings an operator on a phone of this kind: a browser's leg for a softphone, a telephone's for a desk phone.
    /// What came of it, if it failed at once.
    pub fn ring(&mut self, leg: LegId, user: &UserId, phone: Option<Phone>) -> Option<LegInput> {
        let Some(phone) = phone else { return Some(LegInput::Ended(Cause::Unreachable)) };
        let media = &self.wiring.media;
        let opened = match phone {
            Phone::Softphone => {
                let offer = media.open_web(self.shard, leg, self.callers_codec());
                offer.map(|offer| (Offer::Words(offer.into_bytes()), None))
            }
            Phone::DeskPhone => media.open_rtp(self.shard, leg, Side::Phone.strays()).map(|reach| {
                let (offer, session) = first_offer(self.wiring.session_of(leg), reach);
                (offer, Some(session))
            }),
        };
        let (offer, session) = match opened {
            Ok(opened) => opened,
            Err(fault) => return Some(failed(leg, &fault)),
        };
        let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
        self.started(leg, Side::Phone, received, session);
        self.wiring.signalling.ring(leg, user, phone, &self.call, offer, events);
        None
    }

    /// A browser is offered the caller's codec first: with equal codecs, two legs are relayed.
    fn callers_codec(&self) -> Codec {
        let agreed = self.wires.iter().find_map(|w| w.sdp.as_ref().and_then(Session::agreed));
        agreed.map_or(Codec::Pcmu, |agreed| agreed.codec)
    }

    fn started(&mut self, leg: LegId, side: Side, events: mpsc::Receiver<LegEvent>, sdp: Option<Session>) {
        self.route(leg);
        self.wires.push(Wire {
            leg,
            side,
            events,
            sdp,
            offer: None,
            srtp: Srtp::Off,
            peer: None,
            answer: None,
            path: Path::default(),
            keys: Keys::default(),
            media_open: true,
            asked: false,
            ended: false,
        });
    }

    fn route(&self, leg: LegId) {
        self.wiring.routes.add_leg(leg, self.media_events.clone());
    }

    /// Ends a leg in whatever state it is and closes its media.
    pub fn hang_up(&mut self, leg: LegId) {
        let Some(at) = self.wires.iter().position(|w| w.leg == leg) else { return };
        let wire = self.wires.swap_remove(at);
        if !wire.ended {
            self.command(wire.side, leg, LegCommand::HangUp);
        }
        if wire.media_open {
            self.closing.push(leg);
            self.wiring.media.close(leg);
        } else {
            self.wiring.routes.remove_leg(leg);
        }
    }

    /// What a shard's event about a leg means to the machine. A telephone from which nothing has come for too long
    /// is asked whether it is still there: if it does not answer that either, the leg ends 30 s after its last packet, and in
    /// the end if only its gateway answers.
    pub fn heard_of_media(&mut self, event: &MediaEvent) -> Option<(LegId, LegInput)> {
        if let MediaEvent::Digit { leg, .. } = event
            && !self.counts_key(*leg, Sent::AsAudio)
        {
            return None;
        }
        let (MediaEvent::Silent { leg } | MediaEvent::Heard { leg } | MediaEvent::Gone { leg }) = event else {
            return input_of_media(event);
        };
        let is_it = |w: &&mut Wire| w.leg == *leg && !w.is_web() && !w.ended;
        let Some(wire) = self.wires.iter_mut().find(is_it) else { return input_of_media(event) };
        let side = wire.side;
        if !matches!(event, MediaEvent::Gone { .. }) {
            let silent = matches!(event, MediaEvent::Silent { .. });
            let asked = std::mem::replace(&mut wire.asked, silent);
            if silent {
                self.command(side, *leg, LegCommand::Probe);
            }
            // A desk phone that is muted may send nothing at all: its operator is not taken for lost before it was asked.
            return if silent && !asked && side == Side::Phone { None } else { input_of_media(event) };
        }
        wire.ended = true;
        tracing::info!(leg = leg.0, "a telephone that has sent nothing for minutes is hung up");
        self.command(side, *leg, LegCommand::HangUp);
        Some((*leg, LegInput::Ended(Cause::Lost)))
    }

    /// The shard closed a leg. What the machine is to be told, if nobody had asked for that: its media failed,
    /// and a leg that hears nothing is ended.
    pub fn closed(&mut self, leg: LegId) -> Option<LegInput> {
        self.wiring.routes.remove_leg(leg);
        self.closing.retain(|l| *l != leg);
        let at = self.wires.iter().position(|w| w.leg == leg)?;
        let wire = self.wires.swap_remove(at);
        if wire.ended {
            return None;
        }
        self.command(wire.side, leg, LegCommand::HangUp);
        Some(LegInput::Ended(Cause::Fault))
    }

    /// True while a shard has yet to tell how a leg went.
    pub fn has_closing(&self) -> bool {
        !self.closing.is_empty()
    }

    /// The next event of any leg.
    pub async fn next(&mut self) -> (LegId, LegEvent) {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(LegId, LegEvent)> {
        for wire in self.wires.iter_mut().filter(|w| !w.ended) {
            if let Poll::Ready(event) = wire.events.poll_recv(cx) {
                // A signalling side that vanishes without a word has ended the leg.
                let event = event.unwrap_or(LegEvent::Ended(Cause::Fault));
                wire.ended = matches!(event, LegEvent::Ended(_));
                return Poll::Ready((wire.leg, event));
            }
        }
        Poll::Pending
    }

    /// What an event means to the machine; nothing, if it was answered here.
    pub fn translate(&mut self, leg: LegId, event: LegEvent) -> Option<LegInput> {
        Some(match event {
            LegEvent::Offered(offered) => {
                if let Some(session) = self.wires.iter_mut().find(|w| w.leg == leg).and_then(|w| w.sdp.as_mut()) {
                    session.rekey(offered.keys);
                    if let Some(local) = offered.local {
                        session.move_to(local);
                    }
                    session.settle(offered.srtp);
                }
                return None;
            }
            LegEvent::Ringing => LegInput::Ringing,
            // Early audio that cannot be read is no reason to give the call up: it still rings.
            LegEvent::EarlyMedia(sdp) => self.accept(leg, &sdp).map_or(LegInput::Ringing, |()| LegInput::Early),
            LegEvent::Answered(sdp) => self.answered(leg, sdp),
            LegEvent::Established(sdp) => match sdp {
                Some(sdp) => self.accept(leg, &sdp).map_or_else(LegInput::Ended, |()| LegInput::Established),
                None if self.is_agreed(leg) => LegInput::Established,
                None => LegInput::Ended(Cause::Incompatible),
            },
            LegEvent::Reoffered(offer) => return self.answer_reoffer(leg, offer),
            // An answer that cannot be read leaves things as they were: the call was up before.
            LegEvent::Reanswered(sdp) => {
                if !self.reanswered_path(leg, &sdp) {
                    let _ = self.accept(leg, &sdp);
                }
                return None;
            }
            LegEvent::ReofferRefused | LegEvent::Moved => {
                let moved = matches!(event, LegEvent::Moved);
                let input = if moved { PathInput::Moved } else { PathInput::Refused };
                self.tell_path(self.wiring.clock.instant(), leg, input);
                return None;
            }
            LegEvent::Digit(digit) => {
                return self.counts_key(leg, Sent::BySignalling).then_some(LegInput::Digit(digit));
            }
            // There is nobody to transfer but in a call with a caller, whose task looks at this before.
            LegEvent::Transfer { .. } => {
                self.refuse_transfer(leg, Cause::Declined);
                return None;
            }
            LegEvent::Ended(cause) => LegInput::Ended(cause),
        })
    }

    fn answered(&mut self, leg: LegId, sdp: Vec<u8>) -> LegInput {
        let Some(wire) = self.wires.iter().find(|w| w.leg == leg) else { return LegInput::Ended(Cause::Released) };
        if wire.is_web() {
            let answer = String::from_utf8_lossy(&sdp).into_owned();
            return match self.wiring.media.answer_web(leg, answer) {
                Ok(()) => LegInput::Answered,
                Err(fault) => failed(leg, &fault),
            };
        }
        if sdp.is_empty() && self.is_agreed(leg) {
            return LegInput::Answered;
        }
        let desk_phone = wire.side == Side::Phone;
        self.accept(leg, &sdp).map_or_else(LegInput::Ended, |()| {
            if desk_phone {
                // There is no path to wait for: it is told as a browser's is. An error means the call is over.
                let _ = self.media_events.send(Box::new(MediaEvent::WebUp { leg }));
            }
            LegInput::Answered
        })
    }

    fn accept(&mut self, leg: LegId, sdp: &[u8]) -> Result<(), Cause> {
        let wire = self.wires.iter_mut().find(|w| w.leg == leg).ok_or(Cause::Released)?;
        let session = wire.sdp.as_mut().ok_or(Cause::Released)?;
        let before = session.agreed().copied();
        let agreed = session.accept(sdp).map_err(|error| {
            tracing::warn!(leg = leg.0, "{error}");
            refusal(&error)
        })?;
        if before != Some(agreed) {
            wire.keys = Keys::default();
        }
        self.wiring.media.connect_rtp(leg, agreed.into());
        Ok(())
    }

    fn is_agreed(&self, leg: LegId) -> bool {
        self.wires.iter().any(|w| w.leg == leg && w.sdp.as_ref().is_some_and(|s| s.agreed().is_some()))
    }

    /// Far-end hold, another address, another codec: followed without troubling the call. But a desk phone that holds
    /// is an operator who does.
    fn answer_reoffer(&mut self, leg: LegId, offer: Option<Vec<u8>>) -> Option<LegInput> {
        let wire = self.wires.iter_mut().find(|w| w.leg == leg)?;
        let (side, mut held) = (wire.side, None);
        let command = match (&mut wire.sdp, offer) {
            (Some(session), Some(offer)) => {
                let before = session.agreed().copied();
                match session.answer(&offer) {
                    Ok((answer, agreed)) => {
                        if before != Some(agreed) {
                            wire.keys = Keys::default();
                        }
                        // The same again is for media to know, too: it may come from elsewhere now.
                        self.wiring.media.connect_rtp(leg, agreed.into());
                        let changed = before.is_some_and(|before| before.send != agreed.send);
                        held = (side == Side::Phone && changed).then_some(LegInput::Hold(!agreed.send));
                        LegCommand::AnswerReoffer(answer)
                    }
                    Err(_) => LegCommand::RejectReoffer,
                }
            }
            (Some(session), None) => LegCommand::AnswerReoffer(session.offer()),
            (None, _) => LegCommand::RejectReoffer,
        };
        self.command(side, leg, command);
        held
    }

    fn command(&self, side: Side, leg: LegId, command: LegCommand) {
        match side {
            Side::Trunk => self.wiring.signalling.to_trunk(leg, command),
            Side::Phone => self.wiring.signalling.to_phone(leg, command),
        }
    }
}

impl Drop for Legs {
    fn drop(&mut self) {
        for leg in self.wires.iter().map(|w| w.leg).collect::<Vec<_>>() {
            self.hang_up(leg);
        }
        for leg in std::mem::take(&mut self.closing) {
            self.wiring.routes.remove_leg(leg);
        }
    }
}

fn input_of_media(event: &MediaEvent) -> Option<(LegId, LegInput)> {
    match event {
        MediaEvent::Digit { leg, digit, .. } => Some((*leg, LegInput::Digit(*digit))),
        MediaEvent::Voice { leg, speaks } => Some((*leg, if *speaks { LegInput::Spoke } else { LegInput::Quiet })),
        MediaEvent::WebUp { leg } => Some((*leg, LegInput::MediaUp)),
        MediaEvent::WebDown { leg } | MediaEvent::Silent { leg } => Some((*leg, LegInput::Silent)),
        MediaEvent::Heard { leg } => Some((*leg, LegInput::Heard)),
        MediaEvent::PlayDone { .. }
        | MediaEvent::Bridged { .. }
        | MediaEvent::Gone { .. }
        | MediaEvent::Sound { .. }
        | MediaEvent::WebOffer { .. }
        | MediaEvent::WebNoOffer { .. }
        | MediaEvent::Quality { .. }
        | MediaEvent::Closed { .. } => None,
    }
}

/// Quality figures as they go on the record.
pub fn stats_on_record(stats: &LegStats) -> serde_json::Value {
    serde_json::json!({
        "packets_in": stats.packets_in, "packets_out": stats.packets_out,
        "lost": stats.lost, "jitter_us": stats.jitter_us,
        "lost_out": stats.lost_out, "jitter_out_us": stats.jitter_out_us, "round_trip_us": stats.round_trip_us,
        "late": stats.late, "doubled": stats.doubled, "concealed_ms": stats.concealed_ms,
        "strangers": stats.strangers, "srtp_refused": stats.srtp_refused,
    })
}

/// Our first offer for a leg, and what it will be once it is known to whom it went.
fn first_offer(id: u64, reach: Reach) -> (Offer, Session) {
    let mut session = Session::new(id, reach.towards(None), &CODECS).with_srtp(Srtp::Off, own_keys());
    let offer = Offer::Reaching(Box::new(session.clone()), reach);
    session.settle(Srtp::Off);
    (offer, session)
}

fn failed(leg: LegId, fault: &MediaFault) -> LegInput {
    tracing::error!(leg = leg.0, "no media for a leg: {fault}");
    LegInput::Ended(Cause::Fault)
}

const fn refusal(error: &SdpError) -> Cause {
    match error {
        SdpError::Malformed(_) | SdpError::NoAudio | SdpError::Incompatible(_) | SdpError::Address => {
            Cause::Incompatible
        }
    }
}
