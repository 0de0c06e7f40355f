//! Media: legs on shards. Threads of their own, off tokio, one 20 ms tick each.
//!
//! [`Media`] is the handle everybody else uses: it opens legs, bridges them, plays prompts. What happens
//! comes back as [`MediaEvent`]s. A leg is self-contained (its socket, jitter buffer, outgoing stream); a shard ticks
//! its legs and knows who hears whom. Nothing here knows calls, queues or signalling.

mod apart;
mod beat;
mod bell;
#[cfg(test)]
mod call_rig;
#[cfg(test)]
mod far_end_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod hand_tests;
mod handle;
mod hush;
mod inbox;
#[cfg(test)]
mod join_tests;
mod keys;
mod leg;
#[cfg(test)]
mod listen_tests;
#[cfg(test)]
mod move_tests;
mod news;
mod port;
pub mod prompt;
mod reach;
mod ready;
#[cfg(test)]
mod record_tests;
mod rtp_path;
mod secure;
#[cfg(test)]
mod secure_tests;
mod shard;
#[cfg(test)]
mod shard_tests;
#[cfg(test)]
mod sound_tests;
pub mod take;
pub mod tune;
mod web_path;

use std::net::SocketAddr;
use std::time::Instant;

use crate::domain::call::bridge::{BridgeId, LegId};
use crate::proto::rtp::srtp::Keys;
use crate::proto::sdp::Negotiated;

pub use crate::proto::audio::codec::Codec;
pub use crate::proto::audio::far_end::{FarEnd, Sound};
pub use crate::proto::rtp::latch::Strays;
pub use crate::proto::rtp::reports::Quality as LegQuality;
pub use crate::proto::rtp::telephone_event::EventTypes;
pub use apart::Apart;
pub use handle::{Media, MediaConfig, MediaError, ShardDriver};
pub use prompt::{Prompt, PromptError};
pub use reach::{Place, Reach};

/// A media thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShardId(pub usize);

/// One playing of a prompt, so that a late "done" of an earlier one is known for what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// What a shard tells.
#[derive(Debug)]
pub enum MediaEvent {
    /// A prompt was played to its end (never sent for one that was stopped or replaced).
    PlayDone { leg: LegId, play: PlayId },
    /// A key was pressed: told once, at its first packet.
    Digit { leg: LegId, digit: char, at: Instant },
    /// A hear matrix is in force.
    Bridged { bridge: BridgeId, rev: u64 },
    /// A browser's path is up: ICE and DTLS done. Told again of a new path after [`Media::restart_web`].
    WebUp { leg: LegId },
    /// A browser's path is down: nothing from it for 5 s, or its first answer could not be used. It may come up again.
    WebDown { leg: LegId },
    /// What [`Media::restart_web`] asked for: the browser's answer goes to [`Media::answer_web`].
    WebOffer { leg: LegId, offer: String },
    /// What [`Media::restart_web`] asked for cannot be made now.
    WebNoOffer { leg: LegId },
    /// Nothing came from the far end for the leg's time limit (RTP and RTCP: 15 s; a browser: 5 s).
    Silent { leg: LegId },
    /// Nothing came for 3 minutes from a telephone that is not on hold: there is nobody any more, though its signalling may
    /// say so.
    Gone { leg: LegId },
    /// Media comes from the far end again.
    Heard { leg: LegId },
    /// The far end of a recorded leg whose keys are bound begins to speak, or has said nothing for a second.
    Voice { leg: LegId, speaks: bool },
    /// What the far end does, of a leg that is listened to ([`Media::listen`]).
    Sound { leg: LegId, sound: Sound },
    /// How the leg is heard, every 5 s on average.
    Quality { leg: LegId, quality: LegQuality },
    /// The leg is closed and its port free again.
    Closed { leg: LegId, stats: LegStats },
}

/// Quality figures of a leg, for the call record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegStats {
    pub packets_in: u64,
    pub packets_out: u64,
    pub lost: u64,
    /// RFC 3550 §6.4.1, in microseconds.
    pub jitter_us: u32,
    /// What the far end says of our packets: lost in all, and its jitter; and the last time there and back.
    pub lost_out: Option<u32>,
    pub jitter_out_us: Option<u32>,
    pub round_trip_us: Option<u32>,
    /// Packets that came too late to be played, or came again; and ms of sound that had to be made up. Nothing is
    /// made up for legs that are relayed, though it is counted.
    pub late: u64,
    pub doubled: u64,
    pub concealed_ms: u64,
    /// Packets from elsewhere than the far end, dropped. Once the address is locked none reach us: the kernel keeps
    /// them out.
    pub strangers: u64,
    /// SRTP packets turned away: forged, damaged or sent twice.
    pub srtp_refused: u64,
}

/// What was agreed for a SIP leg's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpParameters {
    pub remote: SocketAddr,
    pub codec: Codec,
    /// Payload types of telephone-event, if agreed.
    pub telephone_event: Option<EventTypes>,
    /// Comfort noise was agreed: the far end may fall silent and say how loud its silence is.
    pub comfort_noise: bool,
    /// RTCP shares RTP's port (RFC 5761).
    pub rtcp_mux: bool,
    /// We send (the far end did not put us on hold by `sendonly`, `inactive` or 0.0.0.0).
    pub send: bool,
    /// The far end sends.
    pub receive: bool,
    /// Packet time towards the far end, in ms: 10 to 60.
    pub ptime_ms: u8,
    /// What it is encrypted with.
    pub srtp: Option<Keys>,
}

impl From<Negotiated> for RtpParameters {
    fn from(agreed: Negotiated) -> Self {
        Self {
            remote: agreed.remote,
            codec: agreed.codec,
            telephone_event: agreed.telephone_event,
            comfort_noise: agreed.comfort_noise,
            rtcp_mux: agreed.rtcp_mux,
            send: agreed.send,
            receive: agreed.receive,
            ptime_ms: agreed.ptime_ms,
            srtp: agreed.srtp,
        }
    }
}
