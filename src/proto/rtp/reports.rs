//! What two ends tell each other about how they are heard (RFC 3550 §6): our SR and RR, theirs read, and the figures
//! that come of both: loss, jitter and the time there and back.
//!
//! One for each leg. Knows no socket and no clock; the owner hands in what came and sends what is written.

use std::time::{Duration, Instant};

use super::outgoing::Outgoing;
use super::packet::Header;
use super::reception::Reception;
use super::rtcp::{self, MAX_COMPOUND, ReportBlock, Rtcp, SenderInfo};

/// Between two reports.
const EVERY: Duration = Duration::from_secs(5);

/// How a party hears us and we hear it, of late. `None`: the far end has not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Lost of what it sends, in thousandths.
    pub lost_in: u16,
    pub jitter_in_us: u32,
    /// Lost of what we send.
    pub lost_out: Option<u16>,
    pub jitter_out_us: Option<u32>,
    pub round_trip_us: Option<u32>,
}

/// The reports of one leg.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    reception: Reception,
    /// What the interval that ended last says of them.
    block: Option<ReportBlock>,
    due_at: Option<Instant>,
    /// Our last two SRs: the middle of the NTP time in them, and when they went.
    sent: [Option<(u32, Instant)>; 2],
    /// Their last SR, the same way.
    came: Option<(u32, Instant)>,
    theirs: Option<ReportBlock>,
    round_trip: Option<Duration>,
}

impl Reports {
    /// Media starts: the first report is half an interval away.
    pub fn start(&mut self, now: Instant) {
        self.due_at.get_or_insert(now + EVERY / 2);
    }

    /// Counts a packet that came.
    pub fn packet(&mut self, now: Instant, header: &Header) {
        self.reception.packet(now, header.ssrc, header.sequence, header.timestamp);
    }

    /// Takes RTCP that came; `ours` is the SSRC we send with. False if it is none.
    pub fn rtcp(&mut self, now: Instant, bytes: &[u8], ours: u32) -> bool {
        rtcp::read(bytes, |said| match said {
            Rtcp::Sender { info, .. } => self.came = Some((middle(info.ntp), now)),
            Rtcp::Report { block, .. } if block.ssrc == ours => {
                self.theirs = Some(block);
                if let Some(there_and_back) = self.there_and_back(now, &block) {
                    self.round_trip = Some(there_and_back);
                }
            }
            Rtcp::Report { .. } | Rtcp::Bye { .. } => {}
        })
    }

    /// RFC 3550 §6.4.1, by our own clock: theirs tells only how long they kept it.
    fn there_and_back(&self, now: Instant, block: &ReportBlock) -> Option<Duration> {
        let (_, sent_at) = self.sent.iter().flatten().find(|(ntp, _)| *ntp == block.last_sr)?;
        let kept = Duration::from_micros(u64::from(block.since_sr) * 1_000_000 / 65_536);
        Some(now.saturating_duration_since(*sent_at).saturating_sub(kept))
    }

    /// Whether a report is due; begins the next interval if so.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let due = self.due_at.is_some_and(|at| at <= now);
        if due {
            self.due_at = Some(now + EVERY);
            self.block = self.reception.report();
        }
        due
    }

    /// Writes our report and says how long it is.
    pub fn write(
        &mut self,
        now: Instant,
        epoch_ms: i64,
        out: &Outgoing,
        bye: bool,
        into: &mut [u8; MAX_COMPOUND],
    ) -> usize {
        if bye {
            self.block = self.reception.report();
        }
        let (packets, octets) = out.sent();
        let info = SenderInfo { ntp: rtcp::ntp_time(epoch_ms), timestamp: out.timestamp(), packets, octets };
        let block = self.block.map(|block| match self.came {
            Some((ntp, at)) => {
                let since = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
                ReportBlock { last_sr: ntp, since_sr: u32::try_from(since).unwrap_or(u32::MAX), ..block }
            }
            None => block,
        });
        let sender = (packets > 0).then_some(&info);
        if sender.is_some() {
            self.sent = [Some((middle(info.ntp), now)), self.sent[0]];
        }
        rtcp::write(into, out.ssrc(), sender, block.as_ref(), "cordboard", bye)
    }

    /// The figures of the last interval.
    pub fn quality(&self) -> Quality {
        Quality {
            lost_in: self.block.map_or(0, |b| thousandths(b.fraction_lost)),
            jitter_in_us: self.reception.jitter_us(),
            lost_out: self.theirs.map(|b| thousandths(b.fraction_lost)),
            jitter_out_us: self.theirs.map(|b| b.jitter.saturating_mul(125)),
            round_trip_us: self.round_trip.map(|t| u32::try_from(t.as_micros()).unwrap_or(u32::MAX)),
        }
    }

    /// Packets lost on the way to us, in all.
    pub fn lost(&self) -> u64 {
        self.reception.lost()
    }

    /// Packets of ours lost on the way, in all, as the far end counts them.
    pub fn lost_out(&self) -> Option<u32> {
        // 24 bits with a sign: more came than were sent where a network doubles them.
        self.theirs.map(|b| if b.lost & 0x80_0000 == 0 { b.lost } else { 0 })
    }
}

/// The middle half of an NTP time, by which reports name it.
const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

fn thousandths(fraction: u8) -> u16 {
    (u32::from(fraction) * 1_000 / 256) as u16
}

#[cfg(test)]
mod tests {
    use crate::base::clock::{Clock, TestClock, UtcMs};

    use super::*;

    /// An end: its stream, its reports, its SSRC.
    struct End(Outgoing, Reports);

    impl End {
        fn new(ssrc: u32) -> Self {
            Self(Outgoing::new(ssrc, 1, 2), Reports::default())
        }

        fn report(&mut self, clock: &TestClock) -> Vec<u8> {
            assert!(self.1.is_due(clock.instant()));
            let mut bytes = [0; MAX_COMPOUND];
            let len = self.1.write(clock.instant(), clock.utc().0, &self.0, false, &mut bytes);
            bytes[..len].to_vec()
        }
    }

    #[test]
    fn loss_jitter_and_the_way_there_and_back_come_out_of_an_exchange() {
        let clock = TestClock::at(UtcMs(1_800_000_000_000));
        let (mut a, mut b) = (End::new(7), End::new(8));
        a.1.start(clock.instant());
        b.1.start(clock.instant());
        for n in 0..500 {
            let header = a.0.own(0, 160);
            let back = b.0.own(0, 160);
            // Every tenth is lost, every other is 8 ms late; the way back is clean.
            if n % 10 != 3 {
                b.1.packet(clock.instant() + Duration::from_millis(n % 2 * 8), &header);
            }
            a.1.packet(clock.instant(), &back);
            clock.advance(Duration::from_millis(20));
        }
        let sr = a.report(&clock);
        clock.advance(Duration::from_millis(30));
        assert!(b.1.rtcp(clock.instant(), &sr, 8));
        clock.advance(Duration::from_millis(700));
        let answer = b.report(&clock);
        clock.advance(Duration::from_millis(50));
        assert!(a.1.rtcp(clock.instant(), &answer, 7));
        let quality = a.1.quality();
        let round_trip = quality.round_trip_us.unwrap();
        assert!((79_900..80_100).contains(&round_trip), "{round_trip}");
        assert!((95..=102).contains(&quality.lost_out.unwrap()), "{quality:?}");
        assert!((6_000..9_000).contains(&quality.jitter_out_us.unwrap()), "{quality:?}");
        assert_eq!((quality.lost_in, quality.jitter_in_us, a.1.lost_out()), (0, 0, Some(50)));
        assert_eq!(b.1.quality().lost_out, Some(0));
        assert_eq!(b.1.lost(), 50);
        assert!(!a.1.rtcp(clock.instant(), b"nothing", 7));
    }

    #[test]
    fn a_report_about_somebody_else_or_an_sr_we_never_sent_says_nothing() {
        let clock = TestClock::at(UtcMs(0));
        let mut a = End::new(7);
        for (ssrc, last_sr) in [(9, 0), (7, 12_345)] {
            let block = ReportBlock { ssrc, last_sr, fraction_lost: 128, ..ReportBlock::default() };
            let mut bytes = [0; MAX_COMPOUND];
            let len = rtcp::write(&mut bytes, 1, None, Some(&block), "x", false);
            assert!(a.1.rtcp(clock.instant(), &bytes[..len], 7));
            assert_eq!(a.1.quality().round_trip_us, None);
        }
        assert_eq!(a.1.quality().lost_out, Some(500));
    }
}
