//! What arrived of a stream: extended sequence numbers, loss and jitter (RFC 3550 §6.4.1, A.1, A.3, A.8).

use std::time::Instant;

use super::rtcp::ReportBlock;

const RATE: i64 = 8_000;

/// Figures of one incoming stream; starts anew when its SSRC changes, keeping the totals.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    ssrc: Option<u32>,
    base: u32,
    highest: u32,
    received: u32,
    /// Packets and losses of sources before this one.
    earlier_received: u64,
    earlier_lost: u64,
    expected_before: u32,
    received_before: u32,
    /// Arrival of the first packet, the origin of transit times.
    epoch: Option<Instant>,
    transit: i64,
    /// In sixteenths of a sample, as A.8 keeps it.
    jitter: u32,
}

impl Reception {
    /// Counts a packet.
    pub fn packet(&mut self, now: Instant, ssrc: u32, sequence: u16, timestamp: u32) {
        let epoch = *self.epoch.get_or_insert(now);
        let arrival = i64::try_from((now - epoch).as_micros()).unwrap_or(i64::MAX) / (1_000_000 / RATE);
        let transit = arrival - i64::from(timestamp);
        let ahead = sequence.wrapping_sub(self.highest as u16);
        let jumped = ahead > 3_000 && ahead < u16::MAX - 100;
        if self.ssrc != Some(ssrc) || jumped {
            self.earlier_lost += u64::from(self.lost_here());
            self.earlier_received += u64::from(self.received);
            self.ssrc = Some(ssrc);
            self.base = u32::from(sequence);
            self.highest = self.base;
            self.received = 1;
            (self.expected_before, self.received_before) = (0, 0);
            self.transit = transit;
            return;
        }
        if ahead < 0x8000 {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        }
        self.received = self.received.saturating_add(1);
        // Timestamps wrap: a difference is only meant modulo 2^32.
        let d = i64::from((transit - self.transit) as i32).unsigned_abs();
        self.transit = transit;
        // A jump of over a second is a new talk spurt with a clock of its own, no jitter.
        if d < RATE.unsigned_abs() {
            self.jitter = (self.jitter as i64 + d as i64 - ((i64::from(self.jitter) + 8) >> 4)).max(0) as u32;
        }
    }

    /// The source that is heard.
    pub const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// Packets received in all.
    pub fn received(&self) -> u64 {
        self.earlier_received + u64::from(self.received)
    }

    /// Packets lost in all.
    pub fn lost(&self) -> u64 {
        self.earlier_lost + u64::from(self.lost_here())
    }

    /// Jitter in microseconds.
    pub const fn jitter_us(&self) -> u32 {
        (self.jitter >> 4) * 125
    }

    fn expected(&self) -> u32 {
        if self.ssrc.is_some() { self.highest.wrapping_sub(self.base).wrapping_add(1) } else { 0 }
    }

    fn lost_here(&self) -> u32 {
        self.expected().saturating_sub(self.received)
    }

    /// The block that tells the sender how it is heard; begins a new interval.
    pub fn report(&mut self) -> Option<ReportBlock> {
        let ssrc = self.ssrc?;
        let expected = self.expected();
        let interval = expected.saturating_sub(self.expected_before);
        let lost = i64::from(interval) - i64::from(self.received.saturating_sub(self.received_before));
        (self.expected_before, self.received_before) = (expected, self.received);
        let fraction = if interval == 0 || lost <= 0 { 0 } else { ((lost << 8) / i64::from(interval)).min(255) };
        Some(ReportBlock {
            ssrc,
            fraction_lost: fraction as u8,
            lost: self.lost_here().min(0x7f_ffff),
            highest: self.highest,
            jitter: self.jitter >> 4,
            last_sr: 0,
            since_sr: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::base::clock::{Clock, TestClock, UtcMs};

    use super::*;

    #[test]
    fn loss_and_jitter_are_counted_across_a_wrap() {
        let clock = TestClock::at(UtcMs(0));
        let start = clock.instant();
        let mut r = Reception::default();
        for i in 0..100_u32 {
            if i % 10 == 5 {
                continue;
            }
            let at = start + Duration::from_millis(u64::from(i * 20));
            r.packet(at, 1, (65_500_u32 + i) as u16, (u32::MAX - 4_000).wrapping_add(i * 160));
        }
        assert_eq!((r.received(), r.lost(), r.jitter_us()), (90, 10, 0));
        let block = r.report().unwrap();
        assert_eq!((block.fraction_lost, block.lost, block.highest), (25, 10, 65_599));
        assert_eq!(r.report().unwrap().fraction_lost, 0);
    }

    #[test]
    fn a_wandering_arrival_shows_as_jitter() {
        let start = TestClock::at(UtcMs(0)).instant();
        let mut r = Reception::default();
        for i in 0..500_u64 {
            r.packet(start + Duration::from_millis(i * 20 + (i % 2) * 8), 1, i as u16, (i * 160) as u32);
        }
        assert!((7_000..=8_100).contains(&r.jitter_us()), "{}", r.jitter_us());
    }

    #[test]
    fn a_new_source_starts_anew_and_keeps_the_totals() {
        let start = TestClock::at(UtcMs(0)).instant();
        let mut r = Reception::default();
        for (ssrc, seq) in [(1, 10), (1, 12), (2, 40_000), (2, 40_001)] {
            r.packet(start, ssrc, seq, 0);
        }
        assert_eq!((r.received(), r.lost(), r.ssrc()), (4, 1, Some(2)));
    }
}
