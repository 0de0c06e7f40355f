//! SRTP and SRTCP (RFC 3711): AES in counter mode and HMAC-SHA1, with keys that were agreed elsewhere (`sdp`).
//!
//! [`Guard`] works in place on the caller's buffer and allocates nothing. Always: a packet changes nothing, neither
//! the rollover counter nor the replay window, before its tag has been found right; a packet is let through once. Does
//! not know addresses, and does not rekey by itself: a new key is a new guard.

use std::fmt;

use aes::Aes128;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use ring::hmac;

/// How long tags are; the cipher is the same (RFC 4568 §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    Tag80,
    Tag32,
}

impl Suite {
    /// Both, the stronger first.
    pub const ALL: [Self; 2] = [Self::Tag80, Self::Tag32];

    /// As in `a=crypto`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// The suite called so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    const fn rtp_tag(self) -> usize {
        match self {
            Self::Tag80 => 10,
            Self::Tag32 => 4,
        }
    }
}

/// RTCP's tag is whole in both suites (RFC 4568 §6.2.2).
const RTCP_TAG: usize = 10;
/// What a packet may grow by: a tag, and SRTCP's index.
pub const MAX_GROWTH: usize = RTCP_TAG + 4;
/// Sources a guard keeps apart; the one not heard for longest makes room.
const SOURCES: usize = 4;
const KEY: usize = 16;
const SALT: usize = 14;

/// A master key with its salt. Never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; KEY + SALT]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

/// What two ends agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    pub suite: Suite,
    /// What we send with.
    pub ours: MasterKey,
    /// What they send with.
    pub theirs: MasterKey,
}

/// Why a packet is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not long enough, or no such packet at all.
    Malformed,
    /// The tag is wrong: changed on the way, or not from whom we agreed the key with.
    Tag,
    /// It was let through before, or is too old to tell.
    Replayed,
}

/// Keys of one direction of one protocol, derived from the master key (§4.3).
struct Session {
    cipher: Aes128,
    salt: [u8; 16],
    auth: hmac::Key,
}

impl Session {
    /// `label`: 0 for RTP, 3 for RTCP; authentication and salt have the two after it.
    fn derive(master: &MasterKey, label: u8) -> Self {
        let (key, salt) = master.0.split_at(KEY);
        let prf = Aes128::new(GenericArray::from_slice(key));
        let mut cipher = [0; KEY];
        derive(&prf, salt, label, &mut cipher);
        let mut auth = [0; 20];
        derive(&prf, salt, label + 1, &mut auth);
        let mut own_salt = [0; 16];
        derive(&prf, salt, label + 2, &mut own_salt[..SALT]);
        Self {
            cipher: Aes128::new(GenericArray::from_slice(&cipher)),
            salt: own_salt,
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &auth),
        }
    }

    /// En- or decrypts (§4.1.1): IV = salt·2^16 xor SSRC·2^64 xor index·2^16.
    fn crypt(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        let mut iv = self.salt;
        for (at, byte) in ssrc.to_be_bytes().into_iter().enumerate() {
            iv[4 + at] ^= byte;
        }
        for (at, byte) in index.to_be_bytes()[2..].iter().enumerate() {
            iv[8 + at] ^= byte;
        }
        keystream(&self.cipher, iv, bytes);
    }

    fn tag(&self, packet: &[u8], more: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.auth);
        context.update(packet);
        context.update(more);
        context.sign()
    }
}

/// The key derivation of §4.3.3 at rate 0: the keystream that begins at label·2^48 xor salt.
fn derive(prf: &Aes128, salt: &[u8], label: u8, into: &mut [u8]) {
    let mut iv = [0; 16];
    iv[..SALT].copy_from_slice(salt);
    iv[7] ^= label;
    into.fill(0);
    keystream(prf, iv, into);
}

/// Adds the keystream of counter mode from `iv` on; its last two bytes count blocks.
fn keystream(cipher: &Aes128, iv: [u8; 16], bytes: &mut [u8]) {
    for (number, chunk) in bytes.chunks_mut(16).enumerate() {
        let mut block = iv;
        // A datagram has at most 4,096 blocks.
        block[14..].copy_from_slice(&(number as u16).to_be_bytes());
        let mut block = GenericArray::from(block);
        cipher.encrypt_block(&mut block);
        for (byte, key) in chunk.iter_mut().zip(block) {
            *byte ^= key;
        }
    }
}

/// Which indices have been let through: the newest and the 127 before it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    newest: u64,
    /// Bit n: `newest - n` was seen.
    seen: u128,
}

impl Window {
    const fn is_new(&self, index: u64) -> bool {
        if self.seen == 0 || index > self.newest {
            return true;
        }
        let age = self.newest - index;
        age < 128 && self.seen & (1 << age) == 0
    }

    const fn note(&mut self, index: u64) {
        if self.seen == 0 || index > self.newest {
            let ahead = if self.seen == 0 { 128 } else { index - self.newest };
            self.seen = if ahead < 128 { self.seen << ahead } else { 0 } | 1;
            self.newest = index;
        } else {
            let age = self.newest - index;
            if age < 128 {
                self.seen |= 1 << age;
            }
        }
    }
}

/// One synchronisation source.
#[derive(Clone, Copy, Debug, Default)]
struct Source {
    ssrc: u32,
    window: Window,
    /// When it was last heard, in packets of its guard; 0: the place is free.
    heard: u64,
}

/// Sources of one direction of one protocol.
#[derive(Clone, Copy, Debug, Default)]
struct Sources {
    known: [Source; SOURCES],
    clock: u64,
}

impl Sources {
    fn find(&self, ssrc: u32) -> Option<&Source> {
        self.known.iter().find(|source| source.heard != 0 && source.ssrc == ssrc)
    }

    fn note(&mut self, ssrc: u32, index: u64) {
        self.clock += 1;
        let clock = self.clock;
        let at = self.known.iter().position(|source| source.heard != 0 && source.ssrc == ssrc);
        let at = at.unwrap_or_else(|| {
            let oldest = (0..SOURCES).min_by_key(|i| self.known[*i].heard).unwrap_or_default();
            self.known[oldest] = Source { ssrc, ..Source::default() };
            oldest
        });
        self.known[at].heard = clock;
        self.known[at].window.note(index);
    }
}

/// The index a sequence number most likely means (§3.3.1): the one nearest to the newest.
const fn guess(newest: Option<u64>, sequence: u16) -> u64 {
    let Some(newest) = newest else { return sequence as u64 };
    let (rollover, last) = (newest >> 16, newest as u16);
    let rollover = if last < 0x8000 {
        if sequence as i32 - last as i32 > 0x8000 { rollover.saturating_sub(1) } else { rollover }
    } else if last as i32 - 0x8000 > sequence as i32 {
        rollover + 1
    } else {
        rollover
    };
    rollover << 16 | sequence as u64
}

/// One direction: what we send, or what we receive.
pub struct Guard {
    suite: Suite,
    rtp: Session,
    rtcp: Session,
    rtp_sources: Sources,
    rtcp_sources: Sources,
    /// The index of the next SRTCP packet that we send.
    next_rtcp: u32,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Guard {
    pub fn new(suite: Suite, master: &MasterKey) -> Self {
        Self {
            suite,
            rtp: Session::derive(master, 0),
            rtcp: Session::derive(master, 3),
            rtp_sources: Sources::default(),
            rtcp_sources: Sources::default(),
            next_rtcp: 0,
        }
    }

    /// Protects the RTP packet in the first `len` bytes; says how long it is then. `None` if it is no packet or has no
    /// room to grow.
    pub fn protect(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        let (head, sequence, ssrc) = read_head(buffer.get(..len)?)?;
        let tag_len = self.suite.rtp_tag();
        buffer.get(..len + tag_len)?;
        let index = guess(self.rtp_sources.find(ssrc).map(|s| s.window.newest), sequence);
        self.rtp.crypt(ssrc, index, &mut buffer[head..len]);
        let tag = self.rtp.tag(&buffer[..len], &((index >> 16) as u32).to_be_bytes());
        buffer[len..len + tag_len].copy_from_slice(&tag.as_ref()[..tag_len]);
        self.rtp_sources.note(ssrc, index);
        Some(len + tag_len)
    }

    /// Opens an SRTP packet in place; says how much of it is the RTP packet.
    pub fn open(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let len = packet.len().checked_sub(self.suite.rtp_tag()).ok_or(Refused::Malformed)?;
        let (head, sequence, ssrc) = read_head(&packet[..len]).ok_or(Refused::Malformed)?;
        let source = self.rtp_sources.find(ssrc);
        let index = guess(source.map(|s| s.window.newest), sequence);
        let tag = self.rtp.tag(&packet[..len], &((index >> 16) as u32).to_be_bytes());
        if !same(tag.as_ref(), &packet[len..]) {
            return Err(Refused::Tag);
        }
        if source.is_some_and(|s| !s.window.is_new(index)) {
            return Err(Refused::Replayed);
        }
        self.rtp.crypt(ssrc, index, &mut packet[head..len]);
        self.rtp_sources.note(ssrc, index);
        Ok(len)
    }

    /// Protects the RTCP compound in the first `len` bytes; says how long it is then.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        let whole = len + 4 + RTCP_TAG;
        if len < 8 || buffer.len() < whole {
            return None;
        }
        // §9.2: after 2^31 packets the key is used up. At one in five seconds that is 340 years.
        let index = self.next_rtcp;
        self.next_rtcp = index.checked_add(1).filter(|next| *next < 1 << 31)?;
        let ssrc = word(buffer, 4);
        self.rtcp.crypt(ssrc, u64::from(index), &mut buffer[8..len]);
        buffer[len..len + 4].copy_from_slice(&(index | 1 << 31).to_be_bytes());
        let tag = self.rtcp.tag(&buffer[..len + 4], &[]);
        buffer[len + 4..whole].copy_from_slice(&tag.as_ref()[..RTCP_TAG]);
        Some(whole)
    }

    /// Opens an SRTCP packet in place; says how much of it is the RTCP compound.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let signed = packet.len().checked_sub(RTCP_TAG).ok_or(Refused::Malformed)?;
        let len = signed.checked_sub(4).filter(|len| *len >= 8).ok_or(Refused::Malformed)?;
        let tag = self.rtcp.tag(&packet[..signed], &[]);
        if !same(tag.as_ref(), &packet[signed..]) {
            return Err(Refused::Tag);
        }
        let (ssrc, told) = (word(packet, 4), word(packet, len));
        let index = u64::from(told & !(1 << 31));
        if self.rtcp_sources.find(ssrc).is_some_and(|s| !s.window.is_new(index)) {
            return Err(Refused::Replayed);
        }
        // The E bit: a packet may be authenticated only (§3.4).
        if told >> 31 == 1 {
            self.rtcp.crypt(ssrc, index, &mut packet[8..len]);
        }
        self.rtcp_sources.note(ssrc, index);
        Ok(len)
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// Whether `told` begins `tag`, in a time that does not say where they differ.
fn same(tag: &[u8], told: &[u8]) -> bool {
    tag.iter().zip(told).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Where an RTP packet's payload begins, its sequence number and its source.
fn read_head(packet: &[u8]) -> Option<(usize, u16, u32)> {
    let first = *packet.first()?;
    if first >> 6 != 2 || packet.len() < 12 {
        return None;
    }
    let mut head = 12 + usize::from(first & 0xf) * 4;
    if first & 0x10 != 0 {
        let words = packet.get(head + 2..head + 4)?;
        head += 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4;
    }
    (head <= packet.len()).then(|| (head, u16::from_be_bytes([packet[2], packet[3]]), word(packet, 8)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let bytes: Vec<u8> = (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).expect("a test writes hexadecimal digits"))
            .collect();
        bytes.try_into().expect("a test counts its bytes")
    }

    /// The key of RFC 3711, appendix B.3.
    fn master() -> MasterKey {
        MasterKey(hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"))
    }

    fn packet(sequence: u16, payload: &[u8]) -> ([u8; 200], usize) {
        let mut bytes = [0; 200];
        bytes[0] = 0x80;
        bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
        bytes[8..12].copy_from_slice(&[0, 0, 0, 7]);
        bytes[12..12 + payload.len()].copy_from_slice(payload);
        (bytes, 12 + payload.len())
    }

    fn pair() -> (Guard, Guard) {
        (Guard::new(Suite::Tag80, &master()), Guard::new(Suite::Tag80, &master()))
    }

    #[test]
    fn the_keystream_is_that_of_rfc_3711_b_2() {
        let cipher = Aes128::new(GenericArray::from_slice(&hex::<16>("2b7e151628aed2a6abf7158809cf4f3c")));
        let mut stream = [0; 32];
        keystream(&cipher, hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"), &mut stream);
        assert_eq!(stream[..16], hex::<16>("e03ead0935c95e80e166b16dd92b4eb4"));
        assert_eq!(stream[16..], hex::<16>("d23513162b02d0f72a43a2fe4a5f97ab"));
        let mut long = vec![0; 16 * 0xff02];
        keystream(&cipher, hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"), &mut long);
        assert_eq!(long[16 * 0xfeff..][..16], hex::<16>("ec8cdf7398607cb0f2d21675ea9ea1e4"));
    }

    #[test]
    fn keys_are_derived_as_in_rfc_3711_b_3() {
        let (key, salt) = (hex::<16>("e1f97a0d3e018be0d64fa32c06de4139"), hex::<14>("0ec675ad498afeebb6960b3aabe6"));
        let prf = Aes128::new(GenericArray::from_slice(&key));
        let mut derived = [0; 94];
        derive(&prf, &salt, 0, &mut derived[..16]);
        assert_eq!(derived[..16], hex::<16>("c61e7a93744f39ee10734afe3ff7a087"));
        derive(&prf, &salt, 2, &mut derived[..14]);
        assert_eq!(derived[..14], hex::<14>("30cbbc08863d8c85d49db34a9ae1"));
        derive(&prf, &salt, 1, &mut derived);
        assert_eq!(derived[..16], hex::<16>("cebe321f6ff7716b6fd4ab49af256a15"));
    }

    #[test]
    fn packets_are_those_of_other_implementations() {
        let mut guard = Guard::new(Suite::Tag80, &master());
        let mut bytes = [0; 38];
        bytes[..12].copy_from_slice(&hex::<12>("800f1234decafbadcafebabe"));
        bytes[12..28].fill(0xab);
        assert_eq!(guard.protect(&mut bytes, 28), Some(38));
        let told = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb";
        assert_eq!(bytes, hex::<38>(told));
        let mut report = [0; 38];
        report[..8].copy_from_slice(&hex::<8>("81c8000bcafebabe"));
        report[8..24].fill(0xab);
        // That implementation counts from 1.
        guard.next_rtcp = 1;
        assert_eq!(guard.protect_rtcp(&mut report, 24), Some(38));
        let told = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798";
        assert_eq!(report, hex::<38>(told));
    }

    #[test]
    fn a_packet_is_let_through_once_and_a_changed_one_never() {
        let (mut out, mut inward) = pair();
        let (mut bytes, len) = packet(9, b"hello");
        let len = out.protect(&mut bytes, len).expect("it has room");
        assert_ne!(&bytes[12..17], b"hello");
        for at in 0..len {
            let mut changed = bytes;
            changed[at] ^= 1;
            assert!(inward.open(&mut changed[..len]).is_err(), "byte {at}");
        }
        let mut copy = bytes;
        assert_eq!(inward.open(&mut bytes[..len]), Ok(17));
        assert_eq!(&bytes[12..17], b"hello");
        assert_eq!(inward.open(&mut copy[..len]), Err(Refused::Replayed));
    }

    #[test]
    fn packets_out_of_order_pass_across_the_rollover_and_old_ones_do_not() {
        let (mut out, mut inward) = pair();
        let mut sealed = Vec::new();
        for step in 0..400_u32 {
            let (mut bytes, len) = packet(65_400_u32.wrapping_add(step) as u16, &step.to_be_bytes());
            let len = out.protect(&mut bytes, len).expect("it has room");
            sealed.push(bytes[..len].to_vec());
        }
        // Number 65,535 and number 0 among them.
        for pair in sealed[1..].chunks_exact_mut(2) {
            pair.swap(0, 1);
        }
        let copies = sealed.clone();
        let mut opened = Vec::new();
        for (at, bytes) in sealed.iter_mut().enumerate() {
            let len = inward.open(bytes).unwrap_or_else(|why| panic!("packet {at}: {why:?}"));
            opened.push(word(&bytes[..len], 12));
        }
        opened.sort_unstable();
        assert!(opened.into_iter().eq(0..400));
        for (at, bytes) in copies.into_iter().enumerate() {
            // Beyond half a turn of the counter an old number means another index, and the tag is wrong.
            assert!(inward.open(&mut bytes.clone()).is_err(), "packet {at} passes twice");
        }
    }

    #[test]
    fn the_short_tag_is_four_bytes_and_reports_keep_the_long_one() {
        let mut guard = Guard::new(Suite::Tag32, &master());
        let (mut bytes, len) = packet(1, &[5; 160]);
        assert_eq!(guard.protect(&mut bytes, len), Some(len + 4));
        let mut other = Guard::new(Suite::Tag32, &master());
        assert_eq!(other.open(&mut bytes[..len + 4]), Ok(len));
        let mut report = [1; 64];
        let len = guard.protect_rtcp(&mut report, 32).expect("it has room");
        assert_eq!(len, 32 + MAX_GROWTH);
        let mut again = report;
        assert_eq!(other.open_rtcp(&mut report[..len]), Ok(32));
        assert_eq!(report[..32], [1; 32]);
        assert_eq!(other.open_rtcp(&mut again[..len]), Err(Refused::Replayed));
        assert!(guard.protect(&mut [0x80; 13], 12).is_none(), "no room");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_none_pass(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let (_, mut inward) = pair();
            prop_assert!(inward.open(&mut bytes.clone()).is_err());
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            prop_assert!(inward.open(&mut bytes.clone()).is_err());
            prop_assert!(inward.open_rtcp(&mut bytes).is_err());
        }
    }
}
