//! The one stream that a far end gets from us, whoever speaks in it: one SSRC, sequence numbers without a
//! seam, timestamps that never go back, across every change between our own packets (prompt, mix) and
//! relayed ones.
//!
//! Relayed packets keep the spacing of their source, so that loss and reordering stay visible to the far
//! end. Where one source takes over from another within [`SEAM`], its timestamps follow on directly;
//! after a longer silence they jump by the time that passed and the marker is set (RFC 3551 §4.1).

use super::packet::Header;

/// A pause shorter than this, in samples, is closed up: 60 ms.
const SEAM: i32 = 480;

/// The stream.
#[derive(Clone, Debug)]
pub struct Outgoing {
    ssrc: u32,
    sequence: u16,
    /// Timestamp of our own next packet; moves on with time.
    clock: u32,
    /// Timestamp just after the last packet sent; `None` before the first.
    end: Option<u32>,
    relay: Option<Relay>,
    packets: u32,
    octets: u32,
}

#[derive(Clone, Copy, Debug)]
struct Relay {
    ssrc: u32,
    first: u16,
    newest: u16,
    newest_timestamp: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
}

impl Outgoing {
    /// A stream that starts with these random numbers (RFC 3550 §5.1).
    pub const fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, sequence, clock: timestamp, end: None, relay: None, packets: 0, octets: 0 }
    }

    /// Its SSRC.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of now.
    pub const fn timestamp(&self) -> u32 {
        self.clock
    }

    /// Packets and payload octets sent, as an SR counts them.
    pub const fn sent(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    /// Time passes without a packet of our own.
    pub const fn advance(&mut self, samples: u32) {
        self.clock = self.clock.wrapping_add(samples);
    }

    /// The header of our own next packet.
    pub fn own(&mut self, payload_type: u8, samples: u32) -> Header {
        let marker = self.seam();
        self.relay = None;
        let header = self.header(payload_type, marker, self.sequence, self.clock);
        self.sequence = self.sequence.wrapping_add(1);
        self.clock = self.clock.wrapping_add(samples);
        self.end = Some(self.clock);
        self.count(samples);
        header
    }

    /// The header of a telephone-event packet in a press that began at `timestamp` (from
    /// [`Self::begin_press`]); a press takes the place of sound for `samples`.
    pub fn press(&mut self, payload_type: u8, first: bool, timestamp: u32, samples: u32) -> Header {
        let header = self.header(payload_type, first, self.sequence, timestamp);
        self.sequence = self.sequence.wrapping_add(1);
        self.clock = self.clock.wrapping_add(samples);
        self.end = Some(self.clock);
        self.count(4);
        header
    }

    /// The timestamp for a press that begins now.
    pub fn begin_press(&mut self) -> u32 {
        self.seam();
        self.relay = None;
        self.clock
    }

    /// The header under which a packet from elsewhere goes on, holding `samples`; `None` if it belongs before
    /// the change to this source and must not go.
    pub fn relayed(&mut self, theirs: &Header, payload_type: u8, samples: u32, octets: u32) -> Option<Header> {
        let fresh = !self.follows(theirs);
        let mut marker = theirs.marker;
        if fresh {
            marker |= self.seam();
            self.relay = Some(Relay {
                ssrc: theirs.ssrc,
                first: theirs.sequence,
                newest: theirs.sequence,
                newest_timestamp: theirs.timestamp,
                sequence_offset: self.sequence.wrapping_sub(theirs.sequence),
                timestamp_offset: self.clock.wrapping_sub(theirs.timestamp),
            });
        }
        let relay = self.relay.as_mut()?;
        // What was sent before the change would take the number of a packet that has gone out.
        if (theirs.sequence.wrapping_sub(relay.first) as i16) < 0 {
            return None;
        }
        if (theirs.sequence.wrapping_sub(relay.newest) as i16) >= 0 {
            (relay.newest, relay.newest_timestamp) = (theirs.sequence, theirs.timestamp);
        }
        let sequence = theirs.sequence.wrapping_add(relay.sequence_offset);
        let timestamp = theirs.timestamp.wrapping_add(relay.timestamp_offset);
        if (sequence.wrapping_sub(self.sequence) as i16) >= 0 {
            self.sequence = sequence.wrapping_add(1);
        }
        let end = timestamp.wrapping_add(samples);
        if self.end.is_none_or(|e| (end.wrapping_sub(e) as i32) > 0) {
            self.end = Some(end);
        }
        self.count(octets);
        Some(self.header(payload_type, marker, sequence, timestamp))
    }

    /// A packet of the source being relayed that is kept from the far end: the next takes its number, so that
    /// it does not look lost.
    pub fn swallow(&mut self, theirs: &Header) {
        if self.follows(theirs)
            && let Some(relay) = &mut self.relay
            && (theirs.sequence.wrapping_sub(relay.newest) as i16) > 0
        {
            relay.sequence_offset = relay.sequence_offset.wrapping_sub(1);
            (relay.newest, relay.newest_timestamp) = (theirs.sequence, theirs.timestamp);
            // Anything older would now be counted wrongly; it no longer goes.
            relay.first = theirs.sequence;
        }
    }

    /// What is relayed next comes from another far end. Its SSRC does not say so: two may have chosen the same.
    pub const fn change_source(&mut self) {
        self.relay = None;
    }

    fn follows(&self, theirs: &Header) -> bool {
        self.relay.is_some_and(|relay| {
            let ahead = theirs.sequence.wrapping_sub(relay.newest) as i16;
            let later = theirs.timestamp.wrapping_sub(relay.newest_timestamp) as i32;
            relay.ssrc == theirs.ssrc && ahead.unsigned_abs() < 1_000 && later.unsigned_abs() < 60 * 8_000
        })
    }

    /// Brings the clock to where the next packet of another source belongs. True after a real pause, and
    /// at the start.
    fn seam(&mut self) -> bool {
        let Some(end) = self.end else { return true };
        let pause = self.clock.wrapping_sub(end) as i32;
        if pause < SEAM {
            self.clock = end;
            false
        } else {
            true
        }
    }

    const fn header(&self, payload_type: u8, marker: bool, sequence: u16, timestamp: u32) -> Header {
        Header { payload_type, marker, sequence, timestamp, ssrc: self.ssrc }
    }

    const fn count(&mut self, octets: u32) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theirs(n: u16) -> Header {
        Header { payload_type: 0, marker: false, sequence: n, timestamp: u32::from(n).wrapping_mul(160), ssrc: 5 }
    }

    fn continuous(headers: &[Header]) {
        for pair in headers.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "{pair:?}");
            assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160), "{pair:?}");
            assert_eq!((pair[1].ssrc, pair[1].marker), (pair[0].ssrc, false), "{pair:?}");
        }
    }

    #[test]
    fn changes_between_own_and_relayed_packets_leave_no_seam() {
        let mut out = Outgoing::new(1, 65_530, u32::MAX - 500);
        let mut sent = Vec::new();
        for round in 0..5_u16 {
            for _ in 0..10 {
                sent.push(out.own(0, 160));
            }
            for n in 0..10 {
                sent.extend(out.relayed(&theirs(round * 7_000 + n), 0, 160, 160));
                out.advance(160);
            }
        }
        assert!(sent[0].marker);
        continuous(&sent);
    }

    #[test]
    fn loss_and_reordering_of_the_source_show_through() {
        let mut out = Outgoing::new(1, 100, 0);
        let seqs: Vec<u16> = [10, 11, 13, 12, 15]
            .iter()
            .filter_map(|n| out.relayed(&theirs(*n), 0, 160, 160))
            .map(|h| h.sequence)
            .collect();
        assert_eq!(seqs, [100, 101, 103, 102, 105]);
        assert_eq!(out.own(0, 160).sequence, 106);
        assert!(out.relayed(&theirs(16), 0, 160, 160).is_some());
        assert_eq!(out.relayed(&theirs(14), 0, 160, 160), None, "its place is taken");
    }

    #[test]
    fn swallowed_packets_leave_no_hole() {
        let mut out = Outgoing::new(1, 0, 0);
        out.relayed(&theirs(1), 0, 160, 160);
        out.swallow(&theirs(2));
        out.swallow(&theirs(3));
        assert_eq!(out.relayed(&theirs(4), 0, 160, 160).map(|h| h.sequence), Some(1));
    }

    #[test]
    fn a_real_pause_shows_in_timestamp_and_marker() {
        let mut out = Outgoing::new(1, 0, 0);
        let before = out.own(0, 160);
        for _ in 0..50 {
            out.advance(160);
        }
        let after = out.own(0, 160);
        assert_eq!((after.timestamp - before.timestamp, after.marker, after.sequence), (51 * 160, true, 1));
    }
}
