//! An RTP packet: its header and its payload, over `rtp-rs`. Writes into a buffer of the caller's, so
//! that sending allocates nothing.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

/// The longest payload that is played, mixed or passed on: 128 ms. Ours are of 60 ms at most; far ends send what they like.
pub const MAX_PAYLOAD: usize = 1_024;
/// Room for any packet that we send: a header and such a payload.
pub const MAX_PACKET: usize = 12 + MAX_PAYLOAD;

/// Payload type that our own offers give telephone-event; an answer keeps to that of its offer.
pub const TELEPHONE_EVENT: u8 = 101;
/// Static payload type of comfort noise (RFC 3389 §4).
pub const COMFORT_NOISE: u8 = 13;

/// What of the header matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Reads a packet; `None` if it is none.
pub fn read(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let packet = RtpReader::new(bytes).ok()?;
    let header = Header {
        payload_type: packet.payload_type(),
        marker: packet.mark(),
        sequence: packet.sequence_number().into(),
        timestamp: packet.timestamp(),
        ssrc: packet.ssrc(),
    };
    Some((header, packet.payload()))
}

/// Whether a datagram on a shared port is RTCP, not RTP (RFC 5761 §4).
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, kind, ..] if first >> 6 == 2 && (192..=223).contains(kind))
}

/// Writes a packet into `into` and says how long it is; 0 if it does not fit.
pub fn write(header: &Header, payload: &[u8], into: &mut [u8]) -> usize {
    RtpPacketBuilder::new()
        .payload_type(header.payload_type & 0x7f)
        .marked(header.marker)
        .sequence(Seq::from(header.sequence))
        .timestamp(header.timestamp)
        .ssrc(header.ssrc)
        .payload(payload)
        .build_into(into)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_survives_write_and_read() {
        let header = Header { payload_type: 101, marker: true, sequence: 65_535, timestamp: u32::MAX, ssrc: 7 };
        let mut bytes = [0; MAX_PACKET];
        let len = write(&header, &[1, 2, 3], &mut bytes);
        assert_eq!(read(&bytes[..len]), Some((header, &[1_u8, 2, 3][..])));
        assert_eq!(write(&header, &[0; MAX_PAYLOAD + 1], &mut bytes), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            let _ = read(&bytes);
        }
    }
}
