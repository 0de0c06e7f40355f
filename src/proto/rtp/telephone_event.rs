//! Keys as telephone-event packets (RFC 4733): told at a press's beginning and end on the way in, made on the way
//! out as long as they were, or as long as they are held.

use super::packet::Header;

const KEYS: &[u8; 16] = b"0123456789*#ABCD";
/// Ticks of 20 ms without a packet after which a press whose end was lost is over.
const LOST_AFTER: u8 = 6;
/// The longest a segment of a press can be (§2.5.1.3).
const SEGMENT: u32 = 0xffff;

/// How far behind the last press an old one can be that arrives out of order: in packets, and in samples (two segments,
/// 16 s). Anything else that is earlier is of a clock that began anew, under the same SSRC: gateways do that after hold,
/// transfer and early media.
const BEHIND: u16 = 500;
const BEHIND_SAMPLES: i32 = 2 * SEGMENT as i32;

/// The payload types of keys in one session: each side gives the one by which it takes them, and they may differ (RFC 3264
/// §5.1, §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTypes {
    /// The far end takes them by this: we send it.
    pub sent: u8,
    /// We take them by this.
    pub taken: u8,
}

impl EventTypes {
    /// Both sides gave the same.
    pub const fn same(payload_type: u8) -> Self {
        Self { sent: payload_type, taken: payload_type }
    }

    /// Whether a packet of that type is a key's. There are far ends that send with the type that they gave themselves.
    pub const fn is_key(self, payload_type: u8) -> bool {
        payload_type == self.taken || payload_type == self.sent
    }
}

/// What became of a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub key: char,
    /// This is the first that is heard of it.
    pub begun: bool,
    /// How long it has lasted, in samples.
    pub length: u32,
    /// It is over.
    pub ended: bool,
}

/// Hears keys. A press is many packets with one timestamp, its end is sent three times, and any of them may be
/// lost or doubled: SSRC and timestamp together say which press a packet is of (§2.5.1.2).
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    last: Option<Coming>,
    /// The next press may be as much earlier as it likes.
    renewed: bool,
}

/// A press on its way in.
#[derive(Clone, Copy, Debug)]
struct Coming {
    ssrc: u32,
    /// The latest of its packets.
    sequence: u16,
    /// Of its present segment.
    timestamp: u32,
    key: char,
    /// Length of the segments before.
    before: u32,
    duration: u16,
    ended: bool,
    silent: u8,
}

impl Coming {
    const fn length(&self) -> u32 {
        self.before.saturating_add(self.duration as u32)
    }

    const fn part(&self, begun: bool) -> Part {
        Part { key: self.key, begun, length: self.length(), ended: self.ended }
    }
}

impl Receiver {
    /// Takes a packet; what it tells that is new. A press before it whose end was lost ended as it stood.
    pub fn packet(&mut self, header: &Header, payload: &[u8]) -> Option<Part> {
        let &[event, flags, hi, lo, ..] = payload else { return None };
        let key = char::from(*KEYS.get(usize::from(event))?);
        let (duration, end) = (u16::from_be_bytes([hi, lo]), flags & 0x80 != 0);
        let &Header { ssrc, sequence, timestamp, .. } = header;
        let fresh = Coming { ssrc, sequence, timestamp, key, before: 0, duration, ended: end, silent: 0 };
        let Some(last) = self.last.as_mut().filter(|last| last.ssrc == header.ssrc) else {
            self.last = Some(fresh);
            return Some(fresh.part(true));
        };
        let later = header.timestamp.wrapping_sub(last.timestamp) as i32;
        // An old press that arrives late, out of order, is still the same press.
        let behind = last.sequence.wrapping_sub(sequence);
        if (-BEHIND_SAMPLES..0).contains(&later) && behind <= BEHIND && !self.renewed {
            return None;
        }
        if later == 0 {
            last.silent = 0;
            if behind > BEHIND {
                last.sequence = sequence;
            }
            if last.ended || (duration <= last.duration && !end) {
                return None;
            }
            last.duration = last.duration.max(duration);
            last.ended = end;
            return Some(last.part(false));
        }
        // Longer than a segment holds: the same press goes on under a new timestamp.
        if !last.ended && last.key == key && later as u32 == SEGMENT && u32::from(last.duration) > SEGMENT - 2_000 {
            *last = Coming { before: last.before.saturating_add(SEGMENT), ..fresh };
            return Some(last.part(false));
        }
        *last = fresh;
        self.renewed = false;
        Some(fresh.part(true))
    }

    /// Something was agreed anew with the far end, whose clock may begin anew by it. A press that goes on is the same.
    pub const fn renew(&mut self) {
        self.renewed = true;
    }

    /// 20 ms pass; the end of a press of which nothing comes any more.
    pub fn tick(&mut self) -> Option<Part> {
        let last = self.last.as_mut().filter(|last| !last.ended)?;
        last.silent += 1;
        if last.silent < LOST_AFTER {
            return None;
        }
        last.ended = true;
        Some(last.part(false))
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
    /// Timestamp of the present segment.
    timestamp: u32,
    /// Samples told so far, and of them those in segments before.
    told: u32,
    before: u32,
    ends_sent: u8,
    started: bool,
}

/// A payload of a press, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PressPacket {
    pub payload: [u8; 4],
    pub timestamp: u32,
    /// First packet: carries the marker.
    pub first: bool,
}

impl Press {
    const STEP: u32 = 160;

    /// A press of `key` that begins at `timestamp`.
    pub fn new(key: char, timestamp: u32) -> Option<Self> {
        let event = KEYS.iter().position(|k| char::from(*k) == key)?;
        Some(Self { event: event as u8, timestamp, told: 0, before: 0, ends_sent: 0, started: false })
    }

    /// The packet for the next 20 ms of a press that has `length` samples so far, and no more if it has `ended`;
    /// `None` when all is told.
    pub fn next_packet(&mut self, length: u32, ended: bool) -> Option<PressPacket> {
        if self.ends_sent == 3 {
            return None;
        }
        let first = !self.started;
        self.started = true;
        // Never more than has been pressed: what has been told cannot be taken back.
        self.told = self.told.max(self.told.saturating_add(Self::STEP).min(length));
        let segment = self.told - self.before;
        let timestamp = self.timestamp;
        let duration = segment.min(SEGMENT);
        let end = ended && self.told >= length && segment <= SEGMENT;
        if segment >= SEGMENT && !end {
            self.before += SEGMENT;
            self.timestamp = self.timestamp.wrapping_add(SEGMENT);
        }
        self.ends_sent += u8::from(end);
        // Volume 10 (-10 dBm0), as browsers send it.
        let flags = if end { 0x80 } else { 0 } | 10;
        let [hi, lo] = (duration as u16).to_be_bytes();
        Some(PressPacket { payload: [self.event, flags, hi, lo], timestamp, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(timestamp: u32) -> Header {
        Header { payload_type: 101, marker: false, sequence: 0, timestamp, ssrc: 9 }
    }

    /// A press of `length` as it goes out and comes in.
    fn told(receiver: &mut Receiver, key: char, at: u32, length: u32) -> (Vec<Part>, usize) {
        let mut press = Press::new(key, at).unwrap();
        let (mut parts, mut packets) = (Vec::new(), 0);
        while let Some(packet) = press.next_packet(length, true) {
            packets += 1;
            parts.extend(receiver.packet(&header(packet.timestamp), &packet.payload));
        }
        (parts, packets)
    }

    #[test]
    fn a_press_is_told_once_however_many_packets_it_has() {
        let mut receiver = Receiver::default();
        for (key, at) in [('1', 1_000), ('1', 3_000), ('#', 5_000)] {
            let (parts, packets) = told(&mut receiver, key, at, 800);
            assert_eq!(packets, 7);
            assert_eq!(parts.iter().filter(|p| p.begun).count(), 1);
            assert_eq!(parts.last(), Some(&Part { key, begun: false, length: 800, ended: true }));
            assert_eq!(parts.iter().filter(|p| p.ended).count(), 1);
        }
        assert_eq!(receiver.packet(&header(3_000), &[1, 0x8a, 3, 32]), None, "late end of an earlier press");
    }

    #[test]
    fn keys_are_heard_however_far_the_clock_of_the_far_end_goes_back() {
        let press = |receiver: &mut Receiver, sequence: u16, timestamp: u32| -> usize {
            let packets = (0..3).map(|n| Header { sequence: sequence.wrapping_add(n), ..header(timestamp) });
            packets.filter_map(|header| receiver.packet(&header, &[7, 0x8a, 3, 32])).filter(|part| part.begun).count()
        };
        for back in [1, 16_000, 40_000, 500_000, 1 << 31, u32::MAX / 2 + 77] {
            let mut receiver = Receiver::default();
            assert_eq!(press(&mut receiver, 65_530, 900_000), 1);
            assert_eq!(press(&mut receiver, 10, 900_000_u32.wrapping_sub(back)), 1, "{back} samples back");
        }
        let mut receiver = Receiver::default();
        assert_eq!(press(&mut receiver, 500, 900_000), 1);
        assert_eq!(press(&mut receiver, 490, 898_000), 0, "late, out of order");
        receiver.renew();
        assert_eq!(press(&mut receiver, 500, 900_000), 0, "the same press, over the re-offer");
        assert_eq!(press(&mut receiver, 490, 898_000), 1, "and a clock that the re-offer began anew");
        assert_eq!(press(&mut receiver, 480, 896_000), 0);
    }

    #[test]
    fn a_length_that_is_no_whole_number_of_packets_is_exact() {
        for length in [1, 161, 333, 800, 12_345] {
            let (parts, packets) = told(&mut Receiver::default(), '7', 50, length);
            assert_eq!(parts.last().unwrap().length, length);
            assert_eq!(packets, length.div_ceil(160) as usize + 2);
        }
    }

    #[test]
    fn a_key_held_for_20_s_is_one_press_in_segments() {
        let mut receiver = Receiver::default();
        let (parts, _) = told(&mut receiver, '5', u32::MAX - 9, 160_000);
        assert_eq!(parts.iter().filter(|p| p.begun).count(), 1);
        assert_eq!(parts.last(), Some(&Part { key: '5', begun: false, length: 160_000, ended: true }));
        assert!(parts.windows(2).all(|w| w[1].length > w[0].length || w[1].ended));
    }

    #[test]
    fn no_packets_make_it_panic_and_no_press_is_told_twice_in_a_row() {
        let mut rng = crate::base::rng::Rng::seeded(41);
        let (mut receiver, mut parts) = (Receiver::default(), Vec::new());
        let mut timestamp = 0_u32;
        for _ in 0..200_000 {
            timestamp = match rng.below(6) {
                0 => rng.next_u64() as u32,
                1 => timestamp.wrapping_add(SEGMENT),
                _ => timestamp,
            };
            let payload: Vec<u8> = (0..rng.below(6)).map(|_| (rng.next_u64() >> 3) as u8 & 0xcf).collect();
            parts.extend(receiver.packet(&Header { ssrc: rng.below(2) as u32, ..header(timestamp) }, &payload));
            parts.extend(receiver.tick());
        }
        assert!(parts.windows(2).all(|w| w[1].begun || !w[0].ended), "after its end nothing is told of a press");
    }

    #[test]
    fn a_press_goes_out_no_longer_than_it_has_come_in() {
        let mut press = Press::new('3', 0).unwrap();
        let durations: Vec<u16> = [(160, false), (320, false), (320, false), (320, false), (400, true)]
            .into_iter()
            .filter_map(|(length, ended)| press.next_packet(length, ended))
            .map(|p| u16::from_be_bytes([p.payload[2], p.payload[3]]))
            .collect();
        assert_eq!(durations, [160, 320, 320, 320, 400]);
    }

    #[test]
    fn a_press_whose_beginning_was_lost_is_told_by_its_end_and_one_whose_end_was_lost_by_silence() {
        let mut receiver = Receiver::default();
        let part = receiver.packet(&header(7), &[5, 0x8a, 3, 32]).unwrap();
        assert_eq!(part, Part { key: '5', begun: true, length: 800, ended: true });
        assert_eq!(receiver.packet(&header(8), &[16, 0x8a, 3, 32]), None, "flash is no key");
        assert_eq!(receiver.packet(&header(9), &[1]), None);
        assert!(!receiver.packet(&header(900), &[6, 0x0a, 1, 0]).unwrap().ended);
        let ends: Vec<Part> = (0..20).filter_map(|_| receiver.tick()).collect();
        assert_eq!(ends, [Part { key: '6', begun: false, length: 256, ended: true }]);
    }
}
