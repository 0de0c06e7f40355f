//! The codecs of the wire, as one thing: each takes one octet for each sample at 8 kHz, so that sizes and
//! timestamps are the same for all. [`Encoder`] and [`Decoder`] hold what a codec remembers between samples.

use super::frame::{FRAME, Frame};
use super::g711::{self, ALAW_SILENCE, ULAW_SILENCE};
use super::g722::{self, NarrowDecoder, NarrowEncoder};

/// A codec that a leg speaks on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    Pcmu,
    Pcma,
    /// Wideband on the wire; here the part below 4 kHz (RTP clock 8000 by RFC 3551 §4.5.2's old mistake).
    G722,
}

impl Codec {
    /// All we speak.
    pub const ALL: [Self; 3] = [Self::Pcmu, Self::Pcma, Self::G722];

    /// The name in an rtpmap.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
        }
    }

    /// The static payload type (RFC 3551 §6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    /// The codec of a static payload type.
    pub const fn of_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            9 => Some(Self::G722),
            _ => None,
        }
    }

    /// The octet that is silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcmu => ULAW_SILENCE,
            Self::Pcma => ALAW_SILENCE,
            Self::G722 => g722::SILENCE,
        }
    }
}

/// One direction's encoder, whatever the codec of the moment is.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    g722: NarrowEncoder,
}

impl Encoder {
    /// One sample.
    pub fn sample(&mut self, codec: Codec, sample: i16) -> u8 {
        match codec {
            Codec::Pcmu => g711::to_ulaw(sample),
            Codec::Pcma => g711::to_alaw(sample),
            Codec::G722 => self.g722.encode(sample),
        }
    }

    /// 20 ms.
    pub fn frame(&mut self, codec: Codec, frame: &Frame) -> [u8; FRAME] {
        match codec {
            Codec::Pcmu => frame.map(g711::to_ulaw),
            Codec::Pcma => frame.map(g711::to_alaw),
            Codec::G722 => frame.map(|sample| self.g722.encode(sample)),
        }
    }
}

/// One direction's decoder.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    g722: NarrowDecoder,
}

impl Decoder {
    /// One octet.
    pub fn octet(&mut self, codec: Codec, octet: u8) -> i16 {
        match codec {
            Codec::Pcmu => g711::from_ulaw(octet),
            Codec::Pcma => g711::from_alaw(octet),
            Codec::G722 => self.g722.decode(octet),
        }
    }
}
