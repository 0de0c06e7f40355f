//! The jitter buffer of one incoming stream: packets of any packet time go in as they come, 20 ms come
//! out at each tick.
//!
//! A ring of samples by timestamp. Where it plays is fixed by the first packet and the target delay, which
//! grows when packets come late and shrinks, only in silence or after seconds of slack, when they do not.
//! What is missing is concealed by repeating what was heard, fading to silence in 60 ms. Knows no clock:
//! each [`JitterBuffer::pull`] is 20 ms. Allocates once, when it is made.

use crate::proto::audio::frame::{FRAME, Frame, SILENCE};

/// Half a second; a power of two.
const RING: usize = 4_096;
/// Marks a sample that never came. G.711 has no such value.
const MISSING: i16 = i16::MIN;
const MS: i64 = 8;
const FIRST_TARGET: i64 = 40 * MS;
const MIN_TARGET: i64 = 20 * MS;
const MAX_TARGET: i64 = 120 * MS;
/// A timestamp further off than this is another stream.
const JUMP: i64 = 8_000;
/// Pulls over which slack is watched before the delay shrinks: 3 s.
const WATCH: u32 = 150;
/// Samples until a repeated sound has faded: 60 ms.
const FADE: usize = 480;

/// What happened to the packets of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounts {
    /// Came after their moment, or were too far ahead to keep.
    pub late: u64,
    /// Came again.
    pub duplicate: u64,
    /// Samples that had to be made up while the stream ran.
    pub concealed: u64,
}

/// The buffer.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    ring: Box<[i16; RING]>,
    /// Timestamp, extended, of the next sample to play; `None` until a packet came.
    play: Option<i64>,
    /// The newest sample's, exclusive.
    end: i64,
    ssrc: u32,
    target: i64,
    /// Least slack of a packet at its arrival since the watch began.
    slack: i64,
    watched: u32,
    /// Pulls in a row that found nothing.
    dry: u32,
    history: Frame,
    faded: usize,
    counts: JitterCounts,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self {
            ring: Box::new([MISSING; RING]),
            play: None,
            end: 0,
            ssrc: 0,
            target: FIRST_TARGET,
            slack: i64::MAX,
            watched: 0,
            dry: 0,
            history: SILENCE,
            faded: FADE,
            counts: JitterCounts::default(),
        }
    }
}

impl JitterBuffer {
    /// Takes a packet's samples, decoded from `payload` by `decode`.
    pub fn put(&mut self, ssrc: u32, timestamp: u32, payload: &[u8], decode: fn(u8) -> i16) {
        let len = payload.len() as i64;
        if payload.is_empty() || payload.len() > RING / 4 {
            return;
        }
        let Some(mut play) = self.play.filter(|_| ssrc == self.ssrc) else {
            self.restart(ssrc, i64::from(timestamp));
            self.store(i64::from(timestamp), payload, decode);
            return;
        };
        let ahead = i64::from(timestamp.wrapping_sub(play as u32) as i32);
        let mut at = play + ahead;
        // A jump, or a stream that stood still while it was silent: start over with it.
        let stalled = self.dry > 10 && ahead < 0;
        if ahead.abs() > JUMP || stalled || (self.dry > 10 && ahead + len > RING as i64 - FRAME as i64) {
            self.restart(ssrc, i64::from(timestamp));
            at = i64::from(timestamp);
            play = at - self.target;
        }
        let slack = at - play;
        self.slack = self.slack.min(slack);
        if slack + len <= 0 {
            self.counts.late += 1;
            self.widen(len);
            return;
        }
        if slack + len > RING as i64 - FRAME as i64 {
            self.counts.late += 1;
            return;
        }
        if slack < 0 {
            self.widen(-slack);
        }
        if self.ring[index(at.max(play))] != MISSING {
            self.counts.duplicate += 1;
            return;
        }
        self.store(at, payload, decode);
    }

    /// The next 20 ms. Silence until something came and after it has long stopped.
    pub fn pull(&mut self) -> Frame {
        let Some(play) = self.play else { return SILENCE };
        let mut frame = SILENCE;
        let mut missing = 0;
        for (i, sample) in frame.iter_mut().enumerate() {
            let slot = &mut self.ring[index(play + i as i64)];
            if *slot == MISSING {
                missing += 1;
                *sample = self.conceal(i);
            } else {
                *sample = *slot;
                *slot = MISSING;
                self.faded = 0;
            }
        }
        if missing == FRAME {
            self.dry = self.dry.saturating_add(1);
        } else {
            self.dry = 0;
            self.history = frame;
        }
        // A stream that pauses is not being repaired; only count while it is expected.
        if self.dry < 4 && play >= 0 && play < self.end + 3 * FRAME as i64 {
            self.counts.concealed += missing as u64;
        }
        self.play = Some(play + FRAME as i64);
        self.watch(play + FRAME as i64);
        frame
    }

    /// Whether sound is waiting to be pulled.
    pub fn has_sound(&self) -> bool {
        self.play.is_some_and(|play| self.end > play)
    }

    /// Present target delay in ms.
    pub const fn target_ms(&self) -> i64 {
        self.target / MS
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
        self.history = SILENCE;
        self.faded = FADE;
    }

    fn restart(&mut self, ssrc: u32, timestamp: i64) {
        self.ring.fill(MISSING);
        self.ssrc = ssrc;
        self.play = Some(timestamp - self.target);
        self.end = timestamp;
        self.slack = i64::MAX;
        self.watched = 0;
        self.dry = 0;
    }

    fn store(&mut self, at: i64, payload: &[u8], decode: fn(u8) -> i16) {
        let play = self.play.unwrap_or(at);
        for (i, byte) in payload.iter().enumerate() {
            let t = at + i as i64;
            if t >= play {
                self.ring[index(t)] = decode(*byte);
            }
        }
        self.end = self.end.max(at + payload.len() as i64);
    }

    /// Something came too late: play later, so that its like will be in time.
    fn widen(&mut self, by: i64) {
        let target = (self.target + by.max(10 * MS)).min(MAX_TARGET);
        let step = target - self.target;
        if step > 0 {
            self.target = target;
            // Playing stands still for that long; concealment fills it.
            self.play = self.play.map(|play| play - step);
        }
        self.slack = i64::MAX;
        self.watched = 0;
    }

    /// Gives back delay that nothing has needed for a while, from the ring's front: 10 ms at a time, but half
    /// of what a stall has piled up.
    fn watch(&mut self, play: i64) {
        self.watched += 1;
        if self.watched < WATCH {
            return;
        }
        // A packet should arrive no more than a tick and the least target ahead of its moment.
        let spare = self.slack.min(RING as i64) - (MIN_TARGET + FRAME as i64);
        if self.slack != i64::MAX && spare > 10 * MS {
            let step = (spare / 2).max(10 * MS);
            for i in 0..step {
                self.ring[index(play + i)] = MISSING;
            }
            self.play = Some(play + step);
            self.target = (self.target - step).max(MIN_TARGET);
            // Soon again if there is more to give back.
            self.watched = WATCH - 25;
        } else {
            self.watched = 0;
        }
        self.slack = i64::MAX;
    }

    fn conceal(&mut self, i: usize) -> i16 {
        if self.faded >= FADE {
            return 0;
        }
        self.faded += 1;
        let gain = (FADE - self.faded) as i32;
        (i32::from(self.history[i % FRAME]) * gain / FADE as i32) as i16
    }
}

/// Where in the ring the sample of an extended timestamp is.
const fn index(at: i64) -> usize {
    (at as usize) & (RING - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream whose samples count up, so that each output says where it came from.
    fn packet(n: u32, len: usize) -> (u32, Vec<u8>) {
        (n * len as u32, (0..len).map(|_| (n % 100) as u8 + 1).collect())
    }

    fn plain(byte: u8) -> i16 {
        i16::from(byte)
    }

    #[test]
    fn a_steady_stream_comes_out_whole_after_40_ms() {
        for len in [80, 160, 240, 320, 480] {
            let mut buffer = JitterBuffer::default();
            let (mut sent, mut out) = (0, Vec::new());
            for tick in 0..200 {
                while sent * len <= tick * 160 {
                    let (t, p) = packet(sent as u32, len);
                    buffer.put(1, t.wrapping_add(u32::MAX - 2_000), &p, plain);
                    sent += 1;
                }
                out.extend(buffer.pull());
            }
            let counts = buffer.counts();
            assert_eq!((counts.late, counts.duplicate), (0, 0), "{len}");
            let first = out.iter().position(|s| *s != 0).unwrap();
            assert_eq!(first, 320, "{len}");
            let whole = out[first..].windows(2).all(|w| w[1] == w[0] || w[1] == w[0] % 100 + 1);
            assert!(whole, "{len}");
        }
    }

    #[test]
    fn reordered_packets_are_put_right_and_doubled_ones_counted() {
        let mut buffer = JitterBuffer::default();
        let mut out = Vec::new();
        for pair in 0..20 {
            for n in [pair * 2 + 1, pair * 2, pair * 2 + 1] {
                let (t, p) = packet(n, 160);
                buffer.put(1, t, &p, plain);
            }
            out.extend(buffer.pull());
            out.extend(buffer.pull());
        }
        assert_eq!(buffer.counts().duplicate, 20);
        let heard: Vec<i16> = out.chunks(160).map(|c| c[0]).filter(|s| *s != 0).collect();
        assert!(heard.windows(2).all(|w| w[1] == w[0] + 1), "{heard:?}");
    }

    #[test]
    fn a_lost_packet_is_repeated_softer_and_long_loss_fades_out() {
        let mut buffer = JitterBuffer::default();
        for n in 0..4 {
            buffer.put(1, n * 160, &[100; 160], plain);
        }
        let out: Vec<Frame> = (0..12).map(|_| buffer.pull()).collect();
        assert_eq!(out[2], [100; 160]);
        assert!(out[6][0] > 95 && out[6][159] < 70, "repeated and fading: {:?}", out[6]);
        assert_eq!(out[9], SILENCE, "gone after 60 ms");
        assert!(buffer.counts().concealed > 0);
    }

    #[test]
    fn late_packets_widen_the_delay_and_a_calm_network_narrows_it() {
        let mut buffer = JitterBuffer::default();
        let mut rng = crate::base::rng::Rng::seeded(5);
        let mut waiting: Vec<(u64, u32)> = Vec::new();
        for tick in 0..3_000_u64 {
            let delay = if (10..500).contains(&tick) { rng.below(5) } else { 0 };
            waiting.push((tick + delay, tick as u32));
            for (_, n) in waiting.extract_if(.., |(at, _)| *at <= tick) {
                buffer.put(1, n * 160, &[50; 160], plain);
            }
            buffer.pull();
            if tick == 499 {
                assert!(buffer.target_ms() >= 80, "{}", buffer.target_ms());
            }
        }
        assert!(buffer.target_ms() <= 50, "{}", buffer.target_ms());
        let late = buffer.counts().late;
        assert!(late < 20, "{late}");
    }

    #[test]
    fn the_delay_that_a_stall_of_ours_leaves_behind_is_given_back() {
        let mut buffer = JitterBuffer::default();
        for tick in 0..1_000 {
            buffer.put(1, tick * 160, &[50; 160], plain);
            // For 400 ms packets pile up and nobody pulls.
            if !(100..120).contains(&tick) {
                buffer.pull();
            }
            if tick == 130 {
                assert!(buffer.depth_ms() > 400, "{}", buffer.depth_ms());
            }
        }
        assert!(buffer.depth_ms() <= 60, "{}", buffer.depth_ms());
        assert_eq!(buffer.counts().late, 0);
    }

    #[test]
    fn a_new_source_or_a_jump_starts_over() {
        let mut buffer = JitterBuffer::default();
        for (ssrc, t) in [(1, 0), (2, 77_000), (2, 4_000_000_000)] {
            buffer.put(ssrc, t, &[9; 160], plain);
            buffer.put(ssrc, t.wrapping_add(160), &[9; 160], plain);
            let out: Vec<Frame> = (0..4).map(|_| buffer.pull()).collect();
            assert_eq!((out[2], out[3]), ([9; 160], [9; 160]), "{ssrc} {t}");
        }
    }

    #[test]
    fn a_stream_whose_clock_stood_still_while_silent_is_taken_up_again() {
        let mut buffer = JitterBuffer::default();
        buffer.put(1, 0, &[9; 160], plain);
        for _ in 0..100 {
            buffer.pull();
        }
        buffer.put(1, 160, &[7; 160], plain);
        let out: Vec<Frame> = (0..4).map(|_| buffer.pull()).collect();
        assert!(out.contains(&[7; 160]));
    }
}
