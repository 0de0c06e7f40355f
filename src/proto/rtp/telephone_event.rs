//! Keys as telephone-event packets (RFC 4733): told once a press on the way in, made on the way out.

use super::packet::Header;

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// Hears keys. A press is many packets with one timestamp, its end is sent three times, and any of them may be
/// lost or doubled: SSRC and timestamp together say which press a packet is of (§2.5.1.2).
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    last: Option<(u32, u32)>,
}

impl Receiver {
    /// Takes a packet; the key, if this is the first of its press.
    pub fn packet(&mut self, header: &Header, payload: &[u8]) -> Option<char> {
        let &[event, ..] = payload else { return None };
        let key = char::from(*KEYS.get(usize::from(event))?);
        let press = (header.ssrc, header.timestamp);
        if payload.len() < 4 || self.last == Some(press) {
            return None;
        }
        // An old press that arrives late, out of order, is still the same press.
        if let Some((ssrc, timestamp)) = self.last
            && ssrc == header.ssrc
            && (timestamp.wrapping_sub(header.timestamp) as i32) > 0
        {
            return None;
        }
        self.last = Some(press);
        Some(key)
    }
}

/// Whether `key` can be sent.
pub fn is_key(key: char) -> bool {
    u8::try_from(key).is_ok_and(|k| KEYS.contains(&k))
}

/// One press on its way out: a payload for each 20 ms, the end three times.
#[derive(Clone, Copy, Debug)]
pub struct Press {
    event: u8,
    /// Timestamp of the whole press.
    pub timestamp: u32,
    duration: u16,
    ends_sent: u8,
    started: bool,
}

/// A payload of a press, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PressPacket {
    pub payload: [u8; 4],
    /// First packet: carries the marker.
    pub first: bool,
}

impl Press {
    /// How long a press lasts, in samples: 100 ms.
    const LENGTH: u16 = 800;
    const STEP: u16 = 160;

    /// A press of `key` that begins at `timestamp`.
    pub fn new(key: char, timestamp: u32) -> Option<Self> {
        let event = KEYS.iter().position(|k| char::from(*k) == key)?;
        Some(Self { event: event as u8, timestamp, duration: 0, ends_sent: 0, started: false })
    }

    /// The packet for the next 20 ms; `None` when the press is over.
    pub fn next_packet(&mut self) -> Option<PressPacket> {
        if self.ends_sent == 3 {
            return None;
        }
        let first = !self.started;
        self.started = true;
        self.duration = (self.duration + Self::STEP).min(Self::LENGTH);
        let end = self.duration == Self::LENGTH;
        self.ends_sent += u8::from(end);
        // Volume 10 (-10 dBm0), as browsers send it.
        let flags = if end { 0x80 } else { 0 } | 10;
        let [hi, lo] = self.duration.to_be_bytes();
        Some(PressPacket { payload: [self.event, flags, hi, lo], first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(timestamp: u32) -> Header {
        Header { payload_type: 101, marker: false, sequence: 0, timestamp, ssrc: 9 }
    }

    #[test]
    fn a_press_is_told_once_however_many_packets_it_has() {
        let mut receiver = Receiver::default();
        let mut told = String::new();
        for (key, at) in [('1', 1_000), ('1', 3_000), ('#', 5_000)] {
            let mut press = Press::new(key, at).unwrap();
            let mut packets = 0;
            while let Some(packet) = press.next_packet() {
                packets += 1;
                told.extend(receiver.packet(&header(at), &packet.payload));
            }
            assert_eq!(packets, 7);
        }
        assert_eq!(told, "11#");
        assert_eq!(receiver.packet(&header(3_000), &[1, 0x8a, 3, 32]), None, "late end of an earlier press");
    }

    #[test]
    fn a_press_whose_beginning_was_lost_is_told_by_its_end() {
        let mut receiver = Receiver::default();
        assert_eq!(receiver.packet(&header(7), &[5, 0x8a, 3, 32]), Some('5'));
        assert_eq!(receiver.packet(&header(8), &[16, 0x8a, 3, 32]), None, "flash is no key");
        assert_eq!(receiver.packet(&header(9), &[1]), None);
    }
}
