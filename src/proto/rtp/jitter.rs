//! The jitter buffer of one incoming stream: packets of any packet time go in as they come, 20 ms come
//! out at each tick.
//!
//! A ring of octets by timestamp, decoded when they are played, so that a codec with a memory gets them in order.
//! Playing starts 20 ms behind the first packet. The delay grows when packets come late, up to what all but a few
//! of the last seconds' needed and never over 200 ms; it shrinks when they need less, in silence, or after
//! 3 s of sound by leaving out whole pitch periods. What is missing is made up ([`Concealer`]), comfort noise is
//! played where the far end says so. Knows no clock: each [`JitterBuffer::pull`] is 20 ms. Allocates once, when it
//! is made. Always: what is played is in the order of its timestamps, and none of it twice.

use super::arrivals::Arrivals;
use super::packet::{Header, MAX_PAYLOAD};
use crate::proto::audio::codec::{Codec, Decoder};
use crate::proto::audio::conceal::Concealer;
use crate::proto::audio::frame::{FRAME, Frame, SILENCE};
use crate::proto::audio::noise::Noise;

/// Half a second; a power of two.
const RING: usize = 4_096;
const _: () = assert!(MAX_PAYLOAD <= RING / 4, "several packets fit");
/// A slot to which nothing came.
const MISSING: u16 = u16::MAX;
const MS: i64 = 8;
/// Delay at the start, and what is kept over the need.
const FIRST: i64 = 20 * MS;
/// No sample waits longer than this, but for the packet time of its own packet.
const MOST: i64 = 200 * MS;
/// Grown at least so much at a time.
const GROW: i64 = 10 * MS;
/// Left out at a time in silence.
const SHRINK: usize = 80;
/// A timestamp further off than this is another stream.
const JUMP: i64 = 8_000;
/// Pulls between two looks at whether the delay could shrink: 500 ms.
const LOOK: u32 = 25;
/// Pulls that sound is waited to pause for before some of it is left out: 3 s.
const PATIENCE: u32 = 150;
/// Pulls without anything after which a stream has paused.
const PAUSED: u32 = 10;
/// Mean square below which a frame is silence: -50 dB.
const QUIET: i64 = 100 * 100;
/// Where in a frame something is left out, and over how many samples its sides are blended.
const CUT_AT: usize = 40;
const CUT_BLEND: usize = 80;

/// What happened to the packets of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounts {
    /// Came after their moment, or were too far ahead to keep.
    pub late: u64,
    /// Came again.
    pub duplicate: u64,
    /// Samples that had to be made up while the stream ran.
    pub concealed: u64,
    /// Samples left out to shorten the delay.
    pub left_out: u64,
}

/// The buffer.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    ring: Box<[u16; RING]>,
    /// Timestamp, extended, of the next sample to play; `None` until a packet came.
    play: Option<i64>,
    /// The newest sample's, exclusive; and that of the newest that was played.
    end: i64,
    done: i64,
    ssrc: u32,
    /// The highest sequence number and, bit by bit, which of the 64 up to it came.
    newest: u16,
    seen: u64,
    /// Samples pulled since the stream started.
    pulled: i64,
    arrivals: Arrivals,
    /// Delay that a stream that starts now gets: what was learnt of the network.
    target: i64,
    /// Delay that could be given back, and pulls since that was found.
    excess: i64,
    waited: u32,
    looked: u32,
    /// Pulls in a row that found nothing.
    dry: u32,
    /// The far end says nothing on purpose: it sends a key, or noise.
    resting: bool,
    /// From where on the far end wants noise.
    comfort: Option<i64>,
    noise: Noise,
    decoder: Decoder,
    concealer: Concealer,
    counts: JitterCounts,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self {
            ring: Box::new([MISSING; RING]),
            play: None,
            end: 0,
            done: 0,
            ssrc: 0,
            newest: 0,
            seen: 0,
            pulled: 0,
            arrivals: Arrivals::default(),
            target: FIRST,
            excess: 0,
            waited: 0,
            looked: 0,
            dry: 0,
            resting: false,
            comfort: None,
            noise: Noise::default(),
            decoder: Decoder::default(),
            concealer: Concealer::default(),
            counts: JitterCounts::default(),
        }
    }
}

impl JitterBuffer {
    /// Takes a packet of sound.
    pub fn put(&mut self, header: &Header, payload: &[u8], codec: Codec) {
        let len = payload.len() as i64;
        if payload.is_empty() || payload.len() > MAX_PAYLOAD {
            return;
        }
        let Some((at, mut play)) = self.place(header, len) else { return };
        let slack = at - play;
        self.arrivals.push(self.lateness(at));
        if slack < 0 {
            self.grow(len);
            play = self.play.unwrap_or(play);
        }
        // What was played already keeps its place, even where playing has been set back.
        let open = play.max(self.done);
        if at + len <= open {
            self.counts.late += 1;
            return;
        }
        self.resting = false;
        self.store(at, open, payload, codec);
        self.catch_up(len);
    }

    /// Takes a packet of comfort noise (RFC 3389): from its timestamp on there is noise, until sound comes.
    pub fn put_noise(&mut self, header: &Header, payload: &[u8]) {
        // The spectrum that may follow the level is left alone.
        let Some(level) = payload.first() else { return };
        let Some((at, _)) = self.place(header, 0) else { return };
        if self.comfort.is_none_or(|from| from <= at) {
            self.comfort = Some(at);
            self.noise.set_level(level & 0x7f);
        }
        self.end = self.end.max(at);
        self.resting = true;
        self.catch_up(0);
    }

    /// Something else of the stream came in place of sound, such as a key: what is missing now is not lost.
    pub fn rest(&mut self, header: &Header) {
        if self.play.is_some() && header.ssrc == self.ssrc {
            self.is_new(header.sequence);
            self.resting = true;
        }
    }

    /// The next 20 ms. Silence until something came and after it has long stopped.
    pub fn pull(&mut self) -> Frame {
        let Some(play) = self.play else { return SILENCE };
        let mut sound = [0; FRAME + 2 * SHRINK];
        let missing = self.read(play, &mut sound[..FRAME]);
        let mut next = play + FRAME as i64;
        self.dry = if missing == FRAME { self.dry.saturating_add(1) } else { 0 };
        // A stream that pauses is not being repaired; only count while it is expected.
        if !self.resting && self.dry < 4 {
            self.counts.concealed += missing as u64;
        }
        if self.excess > 0 {
            next += self.leave_out(&mut sound, next, missing);
        }
        self.play = Some(next);
        self.pulled += FRAME as i64;
        self.looked += 1;
        if self.looked >= LOOK {
            self.looked = 0;
            self.look();
        }
        let mut frame = SILENCE;
        frame.copy_from_slice(&sound[..FRAME]);
        frame
    }

    /// Whether the far end's silence is filled with noise as soft as its quietest moments, where sound fails.
    pub const fn want_floor(&mut self, wanted: bool) {
        self.concealer.want_floor(wanted);
    }

    /// Delay that a sample arriving now would have, in ms.
    pub fn depth_ms(&self) -> i64 {
        self.play.map_or(0, |play| (self.end - play).max(0) / MS)
    }

    /// What happened so far.
    pub const fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Forgets the stream; the counts and what was learnt of the network stay.
    pub fn clear(&mut self) {
        self.ring.fill(MISSING);
        self.play = None;
        self.comfort = None;
        self.concealer.hush();
    }

    /// Where a packet belongs and where playing is, after starting over with a stream that is new; `None` if it has
    /// come before.
    fn place(&mut self, header: &Header, len: i64) -> Option<(i64, i64)> {
        let Some(play) = self.play.filter(|_| header.ssrc == self.ssrc) else {
            return Some(self.restart(header));
        };
        let ahead = i64::from(header.timestamp.wrapping_sub(play as u32) as i32);
        // A jump, or a stream whose clock stood still while it paused.
        let paused = self.dry > PAUSED;
        if ahead.abs() > JUMP || (paused && (ahead < 0 || ahead + len > MOST)) {
            return Some(self.restart(header));
        }
        if !self.is_new(header.sequence) {
            self.counts.duplicate += 1;
            return None;
        }
        if ahead + len > (RING - FRAME) as i64 {
            // So far ahead that the ring does not reach: what lies between is given up.
            self.skip(ahead + len - MOST);
        }
        Some((play + ahead, self.play.unwrap_or(play)))
    }

    fn restart(&mut self, header: &Header) -> (i64, i64) {
        let at = i64::from(header.timestamp);
        self.ring.fill(MISSING);
        self.ssrc = header.ssrc;
        (self.newest, self.seen) = (header.sequence, 1);
        let play = at - self.target;
        (self.play, self.end, self.done) = (Some(play), at, play);
        (self.pulled, self.excess, self.waited, self.looked) = (play, 0, 0, 0);
        // Until its first sample is due nothing is missing.
        self.dry = 4;
        self.comfort = None;
        self.arrivals.clear();
        (at, play)
    }

    /// Marks a sequence number as come; false if it had. One far off starts the account anew.
    const fn is_new(&mut self, sequence: u16) -> bool {
        let ahead = sequence.wrapping_sub(self.newest) as i16;
        if ahead > 0 {
            self.seen = if ahead < 64 { self.seen << ahead } else { 0 } | 1;
            self.newest = sequence;
            return true;
        }
        let bit = 1_u64.wrapping_shl(ahead.unsigned_abs() as u32);
        if ahead <= -64 {
            (self.newest, self.seen) = (sequence, 1);
            return true;
        }
        let new = self.seen & bit == 0;
        self.seen |= bit;
        new
    }

    /// How late a packet is, were the buffer to start with no delay at all.
    const fn lateness(&self, at: i64) -> i32 {
        (self.pulled - at) as i32
    }

    fn store(&mut self, at: i64, open: i64, payload: &[u8], codec: Codec) {
        let tag = u16::from(codec.payload_type()) << 8;
        for (t, octet) in (at..).zip(payload) {
            if t >= open {
                self.ring[index(t)] = tag | u16::from(*octet);
            }
        }
        self.end = self.end.max(at + payload.len() as i64);
    }

    /// A packet came too late: plays later, so that its like will be in time, if it has many like it.
    fn grow(&mut self, len: i64) {
        let Some((spread, play)) = self.arrivals.spread().zip(self.play) else { return };
        let delay = self.pulled - play;
        let need = i64::from(spread.latest) - delay;
        let room = (i64::from(spread.earliest) + MOST - delay).min(MOST + len - (self.end - play));
        let step = if need > 0 { need.max(GROW).min(room) } else { 0 };
        if step > 0 {
            // Playing stands still for that long; concealment fills it.
            self.play = Some(play - step);
        }
        (self.excess, self.waited, self.looked) = (0, 0, 0);
    }

    /// Looks whether the delay is longer than the last seconds needed.
    fn look(&mut self) {
        let Some((spread, play)) = self.arrivals.spread().zip(self.play) else { return };
        if self.arrivals.count() < LOOK as usize {
            return;
        }
        let delay = self.pulled - play;
        self.target = (delay - i64::from(spread.usual)).clamp(FIRST, MOST);
        let excess = delay - i64::from(spread.latest) - FIRST;
        if excess < SHRINK as i64 {
            (self.excess, self.waited) = (0, 0);
        } else {
            self.excess = excess;
        }
    }

    /// Shortens the delay where that is hardly heard. `sound` holds the frame; how far playing moves beyond it.
    fn leave_out(&mut self, sound: &mut [i16; FRAME + 2 * SHRINK], next: i64, missing: usize) -> i64 {
        self.waited += 1;
        if missing == FRAME {
            // Nothing is there to be heard: all of it, up to where sound goes on.
            let gap = (next..self.end.min(next + self.excess)).take_while(|t| self.ring[index(*t)] == MISSING).count();
            let step = if next >= self.end { self.excess } else { gap as i64 };
            self.excess -= step;
            return step;
        }
        let power: i64 = sound[..FRAME].iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
        let quiet = power < QUIET * FRAME as i64;
        if !quiet && self.waited < PATIENCE {
            return 0;
        }
        let lag = if quiet { SHRINK } else { self.concealer.find_pitch() };
        let there = (next..next + lag as i64).all(|t| self.ring[index(t)] != MISSING);
        if !there || self.excess < lag as i64 {
            return 0;
        }
        self.read(next, &mut sound[FRAME..FRAME + lag]);
        for i in CUT_AT..FRAME {
            let (old, new) = (i32::from(sound[i]), i32::from(sound[i + lag]));
            let done = (i - CUT_AT).min(CUT_BLEND) as i32;
            sound[i] = ((old * (CUT_BLEND as i32 - done) + new * done) / CUT_BLEND as i32) as i16;
        }
        self.counts.left_out += lag as u64;
        self.excess -= lag as i64;
        if !quiet {
            // Not again in the next breath.
            self.waited -= PATIENCE / 15;
        }
        lag as i64
    }

    /// Too far behind what comes: the rest of the way is jumped over.
    fn catch_up(&mut self, len: i64) {
        let over = self.play.map_or(0, |play| self.end - play - (MOST + len));
        if over > 0 {
            self.skip(over);
        }
    }

    /// Gives up what lies before, unplayed.
    fn skip(&mut self, samples: i64) {
        let Some(play) = self.play else { return };
        for t in play..play + samples.min(RING as i64) {
            let slot = &mut self.ring[index(t)];
            self.counts.left_out += u64::from(*slot != MISSING);
            *slot = MISSING;
        }
        self.play = Some(play + samples);
    }

    /// Plays what is there from `at` on and makes up the rest; how much that was.
    fn read(&mut self, at: i64, out: &mut [i16]) -> usize {
        let (mut i, mut missing) = (0, 0);
        while i < out.len() {
            let from = at + i as i64;
            let start = index(from);
            let slots = &mut self.ring[start..RING.min(start + out.len() - i)];
            // As far as there is sound of one codec, or none.
            let kind = slots[0] >> 8;
            let run = slots.iter().position(|slot| slot >> 8 != kind).unwrap_or(slots.len());
            let sound = &mut out[i..i + run];
            i += run;
            if let Some(codec) = Codec::of_payload_type(kind as u8) {
                for (sample, slot) in sound.iter_mut().zip(&*slots) {
                    *sample = self.decoder.octet(codec, *slot as u8);
                }
                slots[..run].fill(MISSING);
                self.done = from + run as i64;
                self.concealer.play(sound);
                if self.comfort.is_some_and(|noise| noise < self.done) {
                    self.comfort = None;
                }
                continue;
            }
            missing += run;
            if self.comfort.is_some_and(|noise| noise <= from) {
                self.concealer.hush();
                sound.fill_with(|| self.noise.sample());
            } else if self.resting && self.end <= from {
                self.concealer.hush();
                sound.fill(0);
            } else {
                self.concealer.fill(sound);
            }
        }
        missing
    }
}

/// Where in the ring the sample of an extended timestamp is.
const fn index(at: i64) -> usize {
    (at as usize) & (RING - 1)
}

#[cfg(test)]
#[path = "jitter_tests.rs"]
mod tests;
