//! What two ends tell each other about how they are heard (RFC 3550 §6): our SR and RR, theirs read, and the figures
//! that come of both: loss, jitter and the time there and back.
//!
//! One for each leg. Knows no socket and no clock; the owner hands in what came and sends what is written.

use std::time::{Duration, Instant};

use super::outgoing::Outgoing;
use super::packet::Header;
use super::reception::Reception;
use super::rtcp::{self, MAX_COMPOUND, ReportBlock, Rtcp, SenderInfo};
use crate::base::rng::Rng;

/// Between two reports, on average: each time half of it at least and as much more at most, so that legs that began
/// together do not report together for ever (RFC 3550 §6.2).
const EVERY: Duration = Duration::from_secs(5);

/// What a leg is called in reports: of random bytes, and no two the same (RFC 7022 §4.2). One name for all would tell a far
/// end that they are sources of one party, and whoever reads along that calls belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalName([u8; 16]);

impl CanonicalName {
    pub const fn new(random: [u8; 12]) -> Self {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (mut name, mut at) = ([0; 16], 0);
        while at < 16 {
            // Six bits each.
            let bit = at * 6;
            let pair = ((random[bit / 8] as u16) << 8) | if bit / 8 < 11 { random[bit / 8 + 1] as u16 } else { 0 };
            name[at] = LETTERS[((pair >> (10 - bit % 8)) & 63) as usize];
            at += 1;
        }
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

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
#[derive(Clone, Debug)]
pub struct Reports {
    name: CanonicalName,
    rng: Rng,
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
    /// Reports under this name, at times that `rng` draws.
    pub fn new(name: CanonicalName, rng: Rng) -> Self {
        Self {
            name,
            rng,
            reception: Reception::default(),
            block: None,
            due_at: None,
            sent: [None; 2],
            came: None,
            theirs: None,
            round_trip: None,
        }
    }

    /// Media starts: the first report is half an interval away.
    pub fn start(&mut self, now: Instant) {
        if self.due_at.is_none() {
            self.due_at = Some(now + self.interval() / 2);
        }
    }

    const fn interval(&mut self) -> Duration {
        let every = EVERY.as_millis() as u64;
        Duration::from_millis(every / 2 + self.rng.below(every + 1))
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
            self.due_at = Some(now + self.interval());
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
        rtcp::write(into, out.ssrc(), sender, block.as_ref(), self.name.as_str(), bye)
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
            let name = CanonicalName::new([ssrc as u8; 12]);
            Self(Outgoing::new(ssrc, 1, 2), Reports::new(name, Rng::seeded(ssrc.into())))
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
    fn reports_come_every_5_s_on_average_and_never_at_a_beat_of_their_own() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut reports = End::new(7).1;
        reports.start(now);
        let due = |ms: &u64| reports.is_due(now + Duration::from_millis(*ms));
        let times: Vec<u64> = (0..1_000_000).step_by(20).filter(due).collect();
        assert!((1_250..=3_760).contains(&times[0]), "{times:?}");
        let mut between: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(between.iter().all(|ms| (2_500..=7_520).contains(ms)), "{between:?}");
        assert!((180..=220).contains(&between.len()), "{}", between.len());
        between.sort_unstable();
        assert!(between[20] < 3_500 && between[between.len() - 20] > 6_500, "spread over all of it: {between:?}");
    }

    #[test]
    fn a_canonical_name_is_its_bytes_in_base64() {
        assert_eq!(CanonicalName::new(*b"Cordboard 42").as_str(), "Q29yZGJvYXJkIDQy");
        assert_eq!(CanonicalName::new([0xff; 12]).as_str(), "////////////////");
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
