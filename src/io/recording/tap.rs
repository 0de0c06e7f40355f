//! The shard's end of a recording. It rides in the caller's leg, so it moves with it from shard to shard.
//!
//! What always holds: [`Tap::beat`] allocates nothing, waits for nobody and takes no lock. The pool of blocks is made
//! with the tap; blocks go to the writer and come back through two rings that never wait for the other end (a channel of the
//! standard library would: for a sender in the middle of sending), and at whose other ends nobody sleeps. Each beat is one frame of the recording's time, whether it could be
//! kept or not: the two sides and the clock stay in step.

use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::proto::audio::frame::{FRAME, Frame};
use crate::proto::audio::g711;

use super::Health;

/// Frames in a block: 200 ms.
pub(super) const FRAMES: usize = 10;
/// Blocks of a pool: a disk may stand still for 5 s and nothing is lost.
pub(super) const BLOCKS: usize = 25;
/// What a frame of both sides takes, one octet a sample.
pub(super) const BOTH: usize = 2 * FRAME;

/// What a frame of a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Sound,
    /// Silence on both sides: somebody paused the recording.
    Paused,
    /// Silence on both sides: the recording was stopped for a while.
    Off,
    /// Silence on both sides: what was said could not be kept.
    Gap,
}

impl Kind {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Sound => 0,
            Self::Paused => 1,
            Self::Off => 2,
            Self::Gap => 3,
        }
    }

    pub(super) const fn of_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Sound),
            1 => Some(Self::Paused),
            2 => Some(Self::Off),
            3 => Some(Self::Gap),
            _ => None,
        }
    }
}

/// Some frames on their way to the writer.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Which frame of the recording it begins with.
    at: u64,
    len: usize,
    kinds: [Kind; FRAMES],
    /// G.711 µ-law, a frame of the caller's, then one of ours. Telephones give no more, and it is half the disk.
    sound: [[u8; BOTH]; FRAMES],
}

impl Block {
    fn empty() -> Box<Self> {
        Box::new(Self { at: 0, len: 0, kinds: [Kind::Gap; FRAMES], sound: [[g711::ULAW_SILENCE; BOTH]; FRAMES] })
    }

    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = (Kind, &[u8; BOTH])> {
        self.kinds.iter().copied().zip(&self.sound).take(self.len)
    }
}

/// The writer's ends of a tap's channels.
#[derive(Debug)]
pub(super) struct BlockEnds {
    pub(super) full: Consumer<Box<Block>>,
    pub(super) free: Producer<Box<Block>>,
}

/// Takes down what is said, from its first beat until it is dropped.
#[derive(Debug)]
pub struct Tap {
    kind: Kind,
    /// The next frame.
    at: u64,
    block: Option<Box<Block>>,
    /// Kept back for the end, which must always get through.
    last: Option<Box<Block>>,
    full: Producer<Box<Block>>,
    free: Consumer<Box<Block>>,
    health: Arc<Health>,
}

impl Tap {
    pub(super) fn new(health: Arc<Health>) -> (Self, BlockEnds) {
        let (full, to_write) = RingBuffer::new(BLOCKS + 1);
        let (mut give_back, free) = RingBuffer::new(BLOCKS + 1);
        for _ in 0..BLOCKS {
            // There is room for all of them.
            let _ = give_back.push(Block::empty());
        }
        let tap = Self { kind: Kind::Sound, at: 0, block: None, last: Some(Block::empty()), full, free, health };
        (tap, BlockEnds { full: to_write, free: give_back })
    }

    /// From the next beat on: sound, or silence and why.
    pub const fn set(&mut self, kind: Kind) {
        self.kind = kind;
    }

    /// Whether sound is wanted at the next beat.
    pub fn wants_sound(&self) -> bool {
        self.kind == Kind::Sound
    }

    /// A beat: what the caller says, and what our side says.
    pub fn beat(&mut self, caller: &Frame, ours: &Frame) {
        if self.block.is_none()
            && let Ok(mut free) = self.free.pop()
        {
            (free.at, free.len) = (self.at, 0);
            self.block = Some(free);
        }
        match &mut self.block {
            Some(block) => {
                block.kinds[block.len] = self.kind;
                if self.kind == Kind::Sound {
                    let (left, right) = block.sound[block.len].split_at_mut(FRAME);
                    for (to, from) in [(left, caller), (right, ours)] {
                        for (octet, sample) in to.iter_mut().zip(from) {
                            *octet = g711::to_ulaw(*sample);
                        }
                    }
                }
                block.len += 1;
            }
            None => self.health.lose(1),
        }
        self.at += 1;
        if self.block.as_ref().is_some_and(|block| block.len == FRAMES) {
            self.hand_on();
        }
    }

    /// Beats that were missed: their time passes, and what was said in it is not there.
    pub fn skip(&mut self, beats: u32) {
        self.hand_on();
        self.at += u64::from(beats);
    }

    fn hand_on(&mut self) {
        if let Some(block) = self.block.take() {
            // There is room for every block that there is.
            let _ = self.full.push(block);
        }
    }
}

impl Drop for Tap {
    /// The end: what is left, and how long it all was.
    fn drop(&mut self) {
        self.hand_on();
        if let Some(mut last) = self.last.take() {
            (last.at, last.len) = (self.at, 0);
            let _ = self.full.push(last);
        }
    }
}

/// A frame of a recording.
#[cfg(test)]
#[derive(Debug)]
pub struct FrameForTest {
    pub kind: Kind,
    pub caller: Vec<i16>,
    pub ours: Vec<i16>,
}

#[cfg(test)]
impl FrameForTest {
    fn new(kind: Kind, sound: &[u8; BOTH]) -> Self {
        let side = |octets: &[u8]| -> Vec<i16> {
            let silent = kind != Kind::Sound;
            octets.iter().map(|octet| if silent { 0 } else { g711::from_ulaw(*octet) }).collect()
        };
        let (caller, ours) = sound.split_at(FRAME);
        Self { kind, caller: side(caller), ours: side(ours) }
    }
}

/// What a tap took down, taken straight from it.
#[cfg(test)]
#[derive(Debug)]
pub struct TapeForTest {
    ends: BlockEnds,
    at: u64,
}

#[cfg(test)]
impl TapeForTest {
    /// Frames since the last time. What is missing is a gap.
    pub fn take(&mut self) -> Vec<FrameForTest> {
        let mut frames = Vec::new();
        while let Ok(block) = self.ends.full.pop() {
            frames.extend((self.at..block.at).map(|_| FrameForTest::new(Kind::Gap, &[0; BOTH])));
            self.at = block.at;
            for (kind, sound) in block.frames() {
                frames.push(FrameForTest::new(kind, sound));
                self.at += 1;
            }
            let _ = self.ends.free.push(block);
        }
        frames
    }
}

#[cfg(test)]
impl Tap {
    /// A tap whose blocks the test takes itself.
    pub fn for_test() -> (Self, TapeForTest) {
        let (tap, ends) = Self::new(Arc::default());
        (tap, TapeForTest { ends, at: 0 })
    }
}
