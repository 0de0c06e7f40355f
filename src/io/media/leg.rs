//! One party's media, self-contained: its way to the far end (`rtp_path`, `web_path`), what was agreed, what came in (latch, jitter buffer, digits),
//! the one stream that goes out. A leg knows no other leg; its shard tells it what to say and asks what it heard.
//!
//! Always: what goes out is one continuous stream, whoever speaks in it; nothing is sent before somebody said
//! where to; a packet is heard only from where the latch admits it.

mod hear;
mod keep;
mod speak;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Instant;

use metrics::Counter;

use crate::base::rng::{Rng, secure_bytes};
use crate::domain::call::bridge::{KeysBound, LegId};
use crate::io::recording::Tap;
use crate::proto::audio::codec::{Decoder, Encoder};
use crate::proto::audio::dtmf::Detector;
use crate::proto::audio::frame::FRAME;
use crate::proto::rtp::jitter::JitterBuffer;
use crate::proto::rtp::outgoing::Outgoing;
use crate::proto::rtp::reports::{CanonicalName, Reports};
use crate::proto::rtp::telephone_event::{Part, Receiver};

use super::hush::Hush;
use super::keys::Keys;
use super::prompt::Prompt;
use super::rtp_path::RtpPath;
use super::secure::Secure;
use super::take::Take;
use super::tune::Tune;
use super::web_path::WebPath;
use super::{Codec, EventTypes, FarEnd, LegQuality, LegStats, PlayId, RtpParameters};

/// The longest packet time of our own, in samples.
const MAX_SAMPLES: usize = 480;

#[derive(Debug)]
enum Path {
    Rtp(RtpPath),
    Web(WebPath),
}

/// What was agreed about the codec, from SDP or the browser's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) codec: Codec,
    pub(super) telephone_event: Option<EventTypes>,
    pub(super) comfort_noise: bool,
    send: bool,
    receive: bool,
    /// Samples in a packet towards the far end.
    pub(super) samples: usize,
}

/// A prompt that was played to its end.
pub(super) type Played = (PlayId, Arc<Prompt>);

#[derive(Debug)]
struct Playing {
    play: PlayId,
    prompt: Arc<Prompt>,
    at: usize,
    repeat: bool,
}

/// What a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Sound(Codec),
    /// Part of a key press; what it tells that is new.
    Key(Option<Part>),
    /// How loud its silence is.
    Noise,
    Other,
}

/// Something to tell after a leg's housekeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Silent,
    Gone,
    Heard,
    WebUp,
    WebDown,
    Quality(LegQuality),
}

/// A leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: LegId,
    path: Path,
    pub(super) agreed: Option<Agreed>,
    /// All of what was agreed with a telephone last.
    parameters: Option<RtpParameters>,
    out: Outgoing,
    /// Whose packets go out as they are.
    relays: Option<LegId>,
    /// Encoded sound that waits for a whole packet.
    pending: [u8; MAX_SAMPLES + FRAME],
    pending_len: usize,
    encoder: Encoder,
    /// For packets relayed in a codec other than ours.
    decoder: Decoder,
    pub(super) jitter: JitterBuffer,
    reports: Reports,
    keys: Receiver,
    detector: Detector,
    /// Which digits are for us, not for whoever listens.
    pub(super) bound: KeysBound,
    pub(super) hush: Hush,
    keys_out: Keys,
    playing: Option<Playing>,
    /// Music of its own, and how far it or the house's has come.
    pub(super) tune: Option<Arc<Tune>>,
    pub(super) music_at: usize,
    ringback_at: usize,
    heard_at: Option<Instant>,
    silent: bool,
    /// When a silence that lasts is told again.
    silent_again_at: Option<Instant>,
    /// That it is given up was told.
    gone: bool,
    packets_in: u64,
    packets_out: u64,
    /// SRTP packets turned away, for the metrics; and how many of them it has been told.
    refused: Counter,
    refused_told: u64,
    /// Beats that it has had, by its shard's count; none before its first shard.
    pub(super) beat: Option<u64>,
    /// Takes down what its far end says and what is said to it, if its call is recorded.
    pub(super) tap: Option<Box<Tap>>,
    /// What its far end says for a while, to be heard back.
    pub(super) take: Option<Box<Take>>,
    /// Listens to what answered.
    pub(super) ear: Option<Box<FarEnd>>,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
}

/// Where a test has a leg panic.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Receive,
    Answer,
}

impl Leg {
    pub(super) fn rtp(id: LegId, path: RtpPath, rng: &mut Rng) -> Self {
        let ssrc = rng.next_u64() as u32;
        Self::new(id, Path::Rtp(path), ssrc, rng)
    }

    pub(super) fn web(id: LegId, path: WebPath, rng: &mut Rng) -> Self {
        let ssrc = path.peer.ssrc();
        Self::new(id, Path::Web(path), ssrc, rng)
    }

    fn new(id: LegId, path: Path, ssrc: u32, rng: &mut Rng) -> Self {
        // Below 2^15: a receiver of SRTP that misses the first packets would take a wrap among them for none, and decrypt
        // nothing from then on (RFC 3711 §3.3.1).
        let sequence = rng.next_u64() as u16 & 0x7fff;
        Self {
            id,
            path,
            agreed: None,
            parameters: None,
            out: Outgoing::new(ssrc, sequence, rng.next_u64() as u32),
            relays: None,
            pending: [0; MAX_SAMPLES + FRAME],
            pending_len: 0,
            encoder: Encoder::default(),
            decoder: Decoder::default(),
            jitter: JitterBuffer::default(),
            reports: Reports::new(CanonicalName::new(secure_bytes()), Rng::seeded(rng.next_u64())),
            keys: Receiver::default(),
            detector: Detector::default(),
            bound: KeysBound::None,
            hush: Hush::default(),
            keys_out: Keys::default(),
            playing: None,
            tune: None,
            music_at: 0,
            ringback_at: 0,
            heard_at: None,
            silent: false,
            silent_again_at: None,
            gone: false,
            packets_in: 0,
            packets_out: 0,
            // Asked for here and not where it is told: looking it up takes a lock.
            refused: metrics::counter!("cordboard_srtp_refused_total"),
            refused_told: 0,
            beat: None,
            tap: None,
            take: None,
            ear: None,
            #[cfg(test)]
            fault: None,
        }
    }

    /// Takes what SDP says, at first and after each re-offer. The same again keeps a session alive and touches no audio
    /// (RFC 4028 §7.4).
    pub(super) fn connect(&mut self, now: Instant, parameters: &RtpParameters) {
        let Path::Rtp(path) = &mut self.path else { return };
        path.describe();
        if self.parameters.replace(*parameters) == Some(*parameters) {
            return;
        }
        path.latch.tell(path.as_of_socket(parameters.remote));
        Secure::agree(&mut path.secure, parameters.srtp);
        path.mux = parameters.rtcp_mux;
        path.aim();
        self.agreed = Some(Agreed {
            codec: parameters.codec,
            telephone_event: parameters.telephone_event,
            comfort_noise: parameters.comfort_noise,
            send: parameters.send,
            receive: parameters.receive,
            samples: usize::from(parameters.ptime_ms / 10).clamp(1, 6) * 80,
        });
        self.out.advance(self.pending_len as u32);
        self.pending_len = 0;
        self.jitter.want_floor(parameters.comfort_noise);
        if !parameters.receive {
            self.jitter.clear();
        }
        self.keys.renew();
        self.heard_at = Some(now);
        self.reports.start(now);
    }

    /// Takes a browser's answer. False if it cannot be used.
    pub(super) fn answer(&mut self, now: Instant, answer: &str) -> bool {
        #[cfg(test)]
        assert_ne!(self.fault, Some(Fault::Answer), "a fault was asked for");
        let Path::Web(path) = &mut self.path else { return false };
        if let Err(error) = path.peer.accept(now, answer) {
            tracing::warn!(leg = self.id.0, %error, "a browser's answer cannot be used");
            return false;
        }
        // An answer to a restart says nothing about whether anything is heard.
        let first = self.agreed.is_none();
        self.agreed = Some(Agreed {
            codec: path.peer.codec(),
            telephone_event: path.peer.telephone_event().map(EventTypes::same),
            comfort_noise: false,
            send: true,
            receive: true,
            samples: FRAME,
        });
        if first {
            self.heard_at = Some(now);
            self.reports.start(now);
        }
        true
    }

    /// Looks for a new path to a browser that has answered: the offer to make it. None: there is nothing to look for.
    pub(super) fn restart(&mut self, now: Instant) -> Option<String> {
        self.agreed?;
        let Path::Web(path) = &mut self.path else { return None };
        path.peer
            .restart(now)
            .inspect_err(|error| tracing::warn!(leg = self.id.0, %error, "no new path to a browser can be offered"))
            .ok()
    }

    /// Whether what is sent now reaches somebody, who has not put us on hold.
    fn ready(&self) -> bool {
        self.agreed.is_some_and(|agreed| agreed.send)
            && match &self.path {
                Path::Rtp(path) => path.latch.target().is_some(),
                Path::Web(path) => path.is_up(),
            }
    }

    /// The sockets: audio's, and RTCP's if that is another.
    pub(super) const fn sockets(&self) -> (&UdpSocket, Option<&UdpSocket>) {
        match &self.path {
            Path::Rtp(path) => (&path.rtp, Some(&path.rtcp)),
            Path::Web(path) => (&path.socket, None),
        }
    }
}
