//! The file of a recording, as bytes: a head that the house's key opens, then a segment for each second.
//!
//! The head seals the recording's own key in the call's name, so that a file opens as that call's only. A segment is
//! sealed with that key (ChaCha20-Poly1305, RFC 8439); its number in the file and whether it is the last are part of
//! what is authenticated. So segments cannot be altered, swapped, repeated or left out, and a file that was cut off
//! ends without a last one, which its reader tells. No nonce is used twice: a segment that the disk refused is sealed
//! anew with the next.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::base::rng::secure_bytes;
use crate::io::store::seal::Seal;

use super::tap::{BOTH, Kind};

/// Frames in a segment: a second.
pub(super) const SECOND: usize = 50;
/// What a file begins with. The number is the format's version.
const MAGIC: [u8; 8] = *b"CBREC\x01\r\n";
const KEY: usize = 32;
const TAG: usize = 16;
/// Length, whether it is the last, nonce.
pub(super) const PREFIX: usize = 4 + 1 + 8;
/// The longest sealed content.
const LONGEST: usize = 1 + SECOND * (1 + BOTH) + TAG;

/// A second while it is gathered or after it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Second {
    pub(super) kinds: Vec<Kind>,
    /// [`BOTH`] octets for each frame that is [`Kind::Sound`].
    pub(super) sound: Vec<u8>,
}

impl Second {
    pub(super) fn push(&mut self, kind: Kind, sound: &[u8]) {
        self.kinds.push(kind);
        if kind == Kind::Sound {
            self.sound.extend_from_slice(sound);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.kinds.len() >= SECOND
    }

    /// So many frames of nothing.
    pub(super) fn gap(frames: usize) -> Self {
        Self { kinds: vec![Kind::Gap; frames], sound: Vec::new() }
    }

    /// `None` for what no writer of ours makes.
    fn read(plain: &[u8]) -> Option<Self> {
        let (count, rest) = plain.split_first()?;
        let (kinds, sound) = rest.split_at_checked(usize::from(*count))?;
        let kinds = kinds.iter().map(|code| Kind::of_code(*code)).collect::<Option<Vec<_>>>()?;
        let loud = kinds.iter().filter(|kind| **kind == Kind::Sound).count();
        (kinds.len() <= SECOND && sound.len() == loud * BOTH).then(|| Self { kinds, sound: sound.to_vec() })
    }
}

/// What a recording's segments are sealed with.
pub(super) struct SegmentKey(LessSafeKey);

impl std::fmt::Debug for SegmentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SegmentKey")
    }
}

impl SegmentKey {
    fn new(secret: &[u8; KEY]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, secret).expect("the cipher takes 32 bytes");
        Self(LessSafeKey::new(key))
    }

    fn nonce(sealings: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&sealings.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn bound_to(number: u64, last: bool) -> Aad<[u8; 16]> {
        let mut bound = *b"segment\0________";
        bound[8..].copy_from_slice(&number.to_be_bytes());
        bound[7] = u8::from(last);
        Aad::from(bound)
    }

    /// Opens what follows a segment's prefix.
    pub(super) fn open(&self, number: u64, prefix: &Prefix, sealed: &mut [u8]) -> Option<Second> {
        let bound = Self::bound_to(number, prefix.last);
        let plain = self.0.open_in_place(Self::nonce(prefix.sealings), bound, sealed).ok()?;
        Second::read(plain)
    }
}

/// Seals a recording's segments.
#[derive(Debug)]
pub(super) struct Sealer {
    key: SegmentKey,
    /// How often it has sealed: the next nonce.
    sealings: u64,
    bytes: Vec<u8>,
}

impl Sealer {
    /// With a fresh key, and the head of the file.
    pub(super) fn new(seal: &Seal, call: &CallId, started_at: UtcMs) -> (Self, Vec<u8>) {
        let secret: [u8; KEY] = secure_bytes();
        let mut plain = secret.to_vec();
        plain.extend_from_slice(&started_at.0.to_be_bytes());
        let sealed = seal.seal(&context(call), &plain);
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&u16::try_from(sealed.len()).expect("a key and a time are short").to_be_bytes());
        head.extend_from_slice(&sealed);
        (Self { key: SegmentKey::new(&secret), sealings: 0, bytes: Vec::new() }, head)
    }

    /// The bytes of segment `number`.
    pub(super) fn seal(&mut self, number: u64, last: bool, second: &Second) -> &[u8] {
        let nonce = self.sealings;
        self.sealings += 1;
        self.bytes.clear();
        self.bytes.push(u8::try_from(second.kinds.len()).expect("a second has 50 frames at most"));
        self.bytes.extend(second.kinds.iter().map(|kind| kind.code()));
        self.bytes.extend_from_slice(&second.sound);
        self.key
            .0
            .seal_in_place_append_tag(SegmentKey::nonce(nonce), SegmentKey::bound_to(number, last), &mut self.bytes)
            .expect("a second is far below the cipher's limit");
        let mut prefix = [0; PREFIX];
        prefix[..4].copy_from_slice(&u32::try_from(self.bytes.len()).expect("a second is short").to_be_bytes());
        prefix[4] = u8::from(last);
        prefix[5..].copy_from_slice(&nonce.to_be_bytes());
        self.bytes.splice(0..0, prefix);
        &self.bytes
    }
}

/// What stands before a sealed second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub(super) len: usize,
    pub(super) last: bool,
    sealings: u64,
}

impl Prefix {
    /// `None` for what no writer of ours makes.
    pub(super) fn read(bytes: &[u8; PREFIX]) -> Option<Self> {
        let [a, b, c, d, last, sealings @ ..] = *bytes;
        let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let sane = (TAG + 1..=LONGEST).contains(&len) && last <= 1;
        sane.then(|| Self { len, last: last == 1, sealings: u64::from_be_bytes(sealings) })
    }
}

/// What a file's head holds: the key, when the recording began, and how long the head is. `None` if the head is not
/// there, not this call's, or was sealed with another key.
pub(super) fn read_head(seal: &Seal, call: &CallId, file: &[u8]) -> Option<(SegmentKey, UtcMs, usize)> {
    let rest = file.strip_prefix(&MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let len = usize::from(u16::from_be_bytes(*len));
    let plain = seal.open(&context(call), rest.get(..len)?).ok()?;
    let (secret, started_at) = plain.split_first_chunk::<KEY>()?;
    let started_at = i64::from_be_bytes(started_at.try_into().ok()?);
    Some((SegmentKey::new(secret), UtcMs(started_at), MAGIC.len() + 2 + len))
}

/// Longer than any head.
pub(super) const HEAD_ROOM: usize = 256;

fn context(call: &CallId) -> String {
    format!("recording:{call}")
}
