//! UDPTL, the transport of T.38 over UDP (ITU-T T.38 §9.1, in ASN.1's aligned PER, X.691): a sequence number, one IFP packet, and what
//! makes good the loss of earlier ones.
//!
//! [`Sender`] adds the IFP packets sent before (`t38UDPRedundancy`); [`Receiver`] gives each packet once and in order, those lost
//! from what came with later ones. Forward error correction (`t38UDPFEC`) is read, and only its primary packet used: we never
//! offer it. Bytes in, bytes out: no sockets, no time. Whatever comes, it is bounded and nothing panics.

use std::collections::VecDeque;

/// The longest datagram that is read or written; longer ones would be cut into pieces on the way.
pub const MAX_DATAGRAM: usize = 1_400;
/// The longest IFP packet. A page at 14,400 bit/s in packets of 30 ms makes about 60 bytes.
pub const MAX_IFP: usize = 1_024;
/// Earlier packets that one carries at most, either way.
pub const MAX_EARLIER: usize = 16;
/// Further back than this is no late packet, further ahead no gap (as RFC 3550 appendix A.1 has it for RTP).
const MAX_LATE: u16 = 100;
const MAX_GAP: u16 = 3_000;

/// One datagram, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    pub sequence: u16,
    pub primary: &'a [u8],
    /// IFP packets sent before, the latest first. Empty with forward error correction.
    pub earlier: Vec<&'a [u8]>,
}

/// Reads a datagram; `None` if it is none.
pub fn read(bytes: &[u8]) -> Option<Datagram<'_>> {
    if bytes.len() > MAX_DATAGRAM {
        return None;
    }
    let mut rest = Reader(bytes);
    let sequence = u16::from_be_bytes([rest.byte()?, rest.byte()?]);
    let primary = rest.ifp()?;
    let mut earlier = Vec::new();
    // A choice of two: its index is one bit, padded to the octet.
    if rest.byte()? & 0x80 == 0 {
        for _ in 0..rest.length()? {
            // What is cut off or without end is no reason to lose the primary packet.
            let Some(ifp) = rest.ifp().filter(|_| earlier.len() < MAX_EARLIER) else { break };
            earlier.push(ifp);
        }
    }
    Some(Datagram { sequence, primary, earlier })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A length determinant (X.691 §11.9): 7 bits, or 14. Pieces of 16 K are more than a datagram holds.
    fn length(&mut self) -> Option<usize> {
        let first = self.byte()?;
        match first >> 6 {
            0 | 1 => Some(usize::from(first)),
            2 => Some(usize::from(first & 0x3F) << 8 | usize::from(self.byte()?)),
            _ => None,
        }
    }

    fn ifp(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (ifp, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(ifp)
    }
}

fn put_length(into: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        into.push(u8::try_from(length).expect("seven bits fit"));
    } else {
        let length = u16::try_from(length).expect("no packet of ours is longer than MAX_IFP");
        into.extend_from_slice(&(0x8000 | length).to_be_bytes());
    }
}

/// How many bytes a packet takes with its length before it.
const fn size_of(ifp: &[u8]) -> usize {
    ifp.len() + if ifp.len() < 0x80 { 1 } else { 2 }
}

/// Our side: numbers the IFP packets and sends the last few along with each.
#[derive(Clone, Debug)]
pub struct Sender {
    next: u16,
    redundancy: usize,
    max_datagram: usize,
    /// The latest first.
    sent: VecDeque<Vec<u8>>,
}

impl Sender {
    /// Sends up to `redundancy` earlier packets along, as far as `max_datagram` (what the far end takes, `T38FaxMaxDatagram`)
    /// has room for them.
    pub fn new(redundancy: usize, max_datagram: usize) -> Self {
        let redundancy = redundancy.min(MAX_EARLIER);
        Self { next: 0, redundancy, max_datagram: max_datagram.min(MAX_DATAGRAM), sent: VecDeque::new() }
    }

    /// The datagram for the next IFP packet; `None` if that is longer than [`MAX_IFP`].
    pub fn write(&mut self, ifp: &[u8]) -> Option<Vec<u8>> {
        if ifp.len() > MAX_IFP {
            return None;
        }
        let mut bytes = self.next.to_be_bytes().to_vec();
        put_length(&mut bytes, ifp.len());
        bytes.extend_from_slice(ifp);
        bytes.push(0);
        // One octet for their number: MAX_EARLIER is below 128.
        let mut room = self.max_datagram.saturating_sub(bytes.len() + 1);
        let fits = self.sent.iter().take_while(|earlier| {
            let fits = size_of(earlier) <= room;
            room = room.saturating_sub(size_of(earlier));
            fits
        });
        let fits = fits.count();
        put_length(&mut bytes, fits);
        for earlier in self.sent.iter().take(fits) {
            put_length(&mut bytes, earlier.len());
            bytes.extend_from_slice(earlier);
        }
        self.next = self.next.wrapping_add(1);
        self.sent.push_front(ifp.to_vec());
        self.sent.truncate(self.redundancy);
        Some(bytes)
    }
}

/// An IFP packet with its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ifp {
    pub sequence: u16,
    pub bytes: Vec<u8>,
}

/// The far end's packets, each once and in order.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// The next one wanted; none before the first.
    next: Option<u16>,
    /// Where a far end that numbers anew would go on.
    anew: Option<u16>,
    /// Packets that came with a later one alone.
    restored: u64,
    /// Packets that never came.
    lost: u64,
}

impl Receiver {
    /// What a datagram brings that was not there yet, in order.
    pub fn handle(&mut self, bytes: &[u8]) -> Vec<Ifp> {
        let Some(datagram) = read(bytes) else { return Vec::new() };
        let sequence = datagram.sequence;
        let next = self.next.unwrap_or(sequence);
        let ahead = sequence.wrapping_sub(next);
        let behind = next.wrapping_sub(sequence);
        if ahead != 0 && ahead > MAX_GAP {
            if behind > MAX_LATE && self.anew == Some(sequence) {
                // The far end has begun to count anew, as some do when a call is changed.
                return self.restart(&datagram);
            }
            // Late, doubled, or astray.
            self.anew = (behind > MAX_LATE).then(|| sequence.wrapping_add(1));
            return Vec::new();
        }
        self.anew = None;
        let mut ifps = Vec::new();
        let missed = usize::from(ahead);
        // The earlier ones are given latest first.
        for (back, earlier) in (1..=missed).zip(&datagram.earlier) {
            let back = u16::try_from(back).expect("no more than the gap");
            ifps.push(Ifp { sequence: sequence.wrapping_sub(back), bytes: earlier.to_vec() });
        }
        self.restored += ifps.len() as u64;
        self.lost += (missed - ifps.len()) as u64;
        ifps.reverse();
        ifps.push(Ifp { sequence, bytes: datagram.primary.to_vec() });
        self.next = Some(sequence.wrapping_add(1));
        ifps
    }

    fn restart(&mut self, datagram: &Datagram<'_>) -> Vec<Ifp> {
        self.anew = None;
        self.next = Some(datagram.sequence.wrapping_add(1));
        vec![Ifp { sequence: datagram.sequence, bytes: datagram.primary.to_vec() }]
    }

    /// Packets that were lost on the way and made good.
    pub const fn restored(&self) -> u64 {
        self.restored
    }

    /// Packets that were lost for good.
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Packets of all lengths, told apart by their content.
    fn ifp(n: u16) -> Vec<u8> {
        n.to_be_bytes().into_iter().cycle().take(2 + usize::from(n % 190)).collect()
    }

    fn datagrams(count: u16, redundancy: usize) -> Vec<Vec<u8>> {
        let mut sender = Sender::new(redundancy, MAX_DATAGRAM);
        (0..count).map(|n| sender.write(&ifp(n)).expect("short")).collect()
    }

    #[test]
    fn a_datagram_is_written_as_t38_has_it() {
        let mut sender = Sender::new(2, 1_400);
        assert_eq!(sender.write(&[6]).unwrap(), [0, 0, 1, 6, 0, 0]);
        assert_eq!(sender.write(&[7, 8]).unwrap(), [0, 1, 2, 7, 8, 0, 1, 1, 6]);
        assert_eq!(sender.write(&[9]).unwrap(), [0, 2, 1, 9, 0, 2, 2, 7, 8, 1, 6]);
        assert_eq!(sender.write(&[]).unwrap(), [0, 3, 0, 0, 2, 1, 9, 2, 7, 8]);
        let long = sender.write(&[1; 200]).unwrap();
        assert_eq!(long[..4], [0, 4, 0x80, 200]);
        assert_eq!(read(&long).unwrap().primary, [1; 200]);
        assert!(sender.write(&[0; MAX_IFP + 1]).is_none());
    }

    #[test]
    fn earlier_packets_go_along_as_far_as_the_far_end_has_room() {
        let mut sender = Sender::new(3, 20);
        let sizes: Vec<usize> = (0..4).map(|_| sender.write(&[5; 6]).unwrap().len()).collect();
        assert_eq!(sizes, [11, 18, 18, 18]);
        assert_eq!(sender.write(&[5; 40]).unwrap().len(), 45, "the packet itself goes in any case");
    }

    #[test]
    fn error_correction_is_read_and_its_packet_used() {
        // fec-npackets is an unconstrained INTEGER: length 1, value 3; then one octet string of parity.
        let bytes = [0, 9, 2, 0xC0, 0x01, 0x80, 1, 3, 1, 2, 0xAA, 0xBB];
        let datagram = read(&bytes).unwrap();
        assert_eq!((datagram.sequence, datagram.primary), (9, &[0xC0, 0x01][..]));
        assert!(datagram.earlier.is_empty());
    }

    #[test]
    fn what_is_cut_off_loses_only_what_is_missing() {
        let whole = [0, 2, 1, 9, 0, 2, 2, 7, 8, 1, 6];
        for end in 0..whole.len() {
            let read = read(&whole[..end]);
            let earlier = read.as_ref().map(|datagram| datagram.earlier.len());
            let wanted = match end {
                0..=5 => None,
                6..=8 => Some(0),
                _ => Some(1),
            };
            assert_eq!(earlier, wanted, "{end}");
        }
        assert!(read(&[0; MAX_DATAGRAM + 1]).is_none());
        assert!(read(&[0, 0, 0xC1, 0]).is_none(), "pieces");
    }

    #[test]
    fn late_and_doubled_packets_are_given_once() {
        let sent = datagrams(5, 0);
        let mut receiver = Receiver::default();
        let mut given = Vec::new();
        for at in [0, 1, 1, 3, 2, 4] {
            given.extend(receiver.handle(&sent[at]).into_iter().map(|ifp| ifp.sequence));
        }
        assert_eq!(given, [0, 1, 3, 4]);
        assert_eq!((receiver.restored(), receiver.lost()), (0, 1));
    }

    #[test]
    fn a_far_end_that_counts_anew_is_followed_with_its_second_packet() {
        let mut receiver = Receiver::default();
        receiver.handle(&[0x40, 0, 1, 6, 0, 0]);
        let sent = datagrams(3, 0);
        let given: Vec<usize> = sent.iter().map(|bytes| receiver.handle(bytes).len()).collect();
        assert_eq!(given, [0, 1, 1]);
    }

    #[test]
    fn the_count_goes_around() {
        let mut receiver = Receiver::default();
        let given: Vec<u16> = [0xFFFEu16, 0xFFFF, 0, 1]
            .iter()
            .flat_map(|n| receiver.handle(&[n.to_be_bytes().as_slice(), &[1, 6, 0, 0]].concat()))
            .map(|ifp| ifp.sequence)
            .collect();
        assert_eq!(given, [0xFFFE, 0xFFFF, 0, 1]);
        assert_eq!(receiver.lost(), 0);
    }

    proptest! {
        /// Whatever is lost, doubled or overtaken on the way: each packet comes once, in order and as it was sent, and all of them
        /// if no more in a row are lost than earlier ones go along.
        #[test]
        fn redundancy_restores_what_was_lost_in_order(
            redundancy in 0_usize..5,
            fates in proptest::collection::vec(0_u8..10, 1..300),
        ) {
            let sent = datagrams(u16::try_from(fates.len()).unwrap(), redundancy);
            let mut way: Vec<&Vec<u8>> = Vec::new();
            let (mut gap, mut worst) = (0, 0);
            for (n, fate) in fates.iter().enumerate() {
                // The last one comes through, so that there is a later one to restore from.
                let lost = *fate < 3 && n + 1 < fates.len();
                gap = if lost { gap + 1 } else { 0 };
                worst = worst.max(gap);
                match fate {
                    _ if lost => {}
                    3 => way.extend([&sent[n], &sent[n]]),
                    4 if !way.is_empty() => way.insert(way.len() - 1, &sent[n]),
                    _ => way.push(&sent[n]),
                }
            }
            // The first that comes says where the count begins: what was lost before it was never known of.
            let mut receiver = Receiver::default();
            let given: Vec<Ifp> = way.iter().flat_map(|bytes| receiver.handle(bytes)).collect();
            for two in given.windows(2) {
                prop_assert!(two[0].sequence < two[1].sequence);
            }
            for one in &given {
                prop_assert_eq!(&one.bytes, &ifp(one.sequence));
            }
            let first = usize::from(given[0].sequence);
            prop_assert_eq!(given.len() as u64 + receiver.lost(), (fates.len() - first) as u64);
            let overtaken = fates.contains(&4);
            if worst <= redundancy && !overtaken {
                prop_assert_eq!(given.len(), fates.len() - first);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20)) {
            let mut receiver = Receiver::default();
            for bytes in &datagrams {
                for ifp in receiver.handle(bytes) {
                    prop_assert!(ifp.bytes.len() <= bytes.len());
                }
            }
        }
    }
}
