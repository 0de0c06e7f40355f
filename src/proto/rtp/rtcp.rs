//! RTCP (RFC 3550 §6): the compound packets that we send, and what we read of theirs.
//!
//! Sent: SR or RR, then SDES with a CNAME, and BYE at the end. Read leniently: what is not understood is
//! stepped over, what is cut short ends the reading.

/// How a stream is received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    /// In 256ths, since the last report.
    pub fraction_lost: u8,
    pub lost: u32,
    pub highest: u32,
    /// In samples.
    pub jitter: u32,
    /// Middle 32 bits of the last SR's NTP time, 0 if none came.
    pub last_sr: u32,
    /// Since then, in 65 536ths of a second.
    pub since_sr: u32,
}

/// What a sender says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// 32.32 bit NTP time.
    pub ntp: u64,
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// Something their RTCP said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rtcp {
    Sender { ssrc: u32, info: SenderInfo },
    Report { from: u32, block: ReportBlock },
    Bye { ssrc: u32 },
}

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;

/// Room for any compound packet that we make.
pub const MAX_COMPOUND: usize = 128;

/// NTP time of a wall time in epoch milliseconds.
pub const fn ntp_time(epoch_ms: i64) -> u64 {
    // Seconds from 1900 to 1970.
    const OFFSET: u64 = 2_208_988_800;
    let ms = if epoch_ms < 0 { 0 } else { epoch_ms.unsigned_abs() };
    ((ms / 1_000 + OFFSET) << 32) | (((ms % 1_000) << 32) / 1_000)
}

/// Writes a compound packet and says how long it is. With `sender` it is an SR, without an RR.
pub fn write(
    into: &mut [u8; MAX_COMPOUND],
    ssrc: u32,
    sender: Option<&SenderInfo>,
    block: Option<&ReportBlock>,
    cname: &str,
    bye: bool,
) -> usize {
    let mut w = Writer { into, at: 0 };
    let start = w.begin(u8::from(block.is_some()), if sender.is_some() { SR } else { RR }, ssrc);
    if let Some(info) = sender {
        w.u32((info.ntp >> 32) as u32);
        w.u32(info.ntp as u32);
        w.u32(info.timestamp);
        w.u32(info.packets);
        w.u32(info.octets);
    }
    if let Some(b) = block {
        w.u32(b.ssrc);
        w.u32((u32::from(b.fraction_lost) << 24) | (b.lost & 0xff_ffff));
        w.u32(b.highest);
        w.u32(b.jitter);
        w.u32(b.last_sr);
        w.u32(b.since_sr);
    }
    w.end(start);
    let start = w.begin(1, SDES, ssrc);
    let name = &cname.as_bytes()[..cname.len().min(31)];
    w.bytes(&[1, name.len() as u8]);
    w.bytes(name);
    // One to four zero bytes end the chunk on a word boundary (§6.5).
    w.bytes(&[0; 4][..4 - (w.at - start) % 4]);
    w.end(start);
    if bye {
        let start = w.begin(1, BYE, ssrc);
        w.end(start);
    }
    w.at
}

struct Writer<'a> {
    into: &'a mut [u8; MAX_COMPOUND],
    at: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.into[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn u32(&mut self, n: u32) {
        self.bytes(&n.to_be_bytes());
    }

    fn begin(&mut self, count: u8, kind: u8, ssrc: u32) -> usize {
        let start = self.at;
        self.bytes(&[0x80 | count, kind, 0, 0]);
        self.u32(ssrc);
        start
    }

    fn end(&mut self, start: usize) {
        let words = ((self.at - start) / 4 - 1) as u16;
        self.into[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }
}

/// Reads a compound packet, telling `each` what it says. False if it is none.
pub fn read(bytes: &[u8], mut each: impl FnMut(Rtcp)) -> bool {
    let mut rest = bytes;
    let mut first = true;
    while let [head, kind, hi, lo, ..] = *rest {
        let len = (usize::from(u16::from_be_bytes([hi, lo])) + 1) * 4;
        // Every compound packet starts with a report (§6.1); reduced-size RTCP is not negotiated.
        if head >> 6 != 2 || len > rest.len() || (first && kind != SR && kind != RR) {
            return !first;
        }
        first = false;
        let (packet, after) = rest.split_at(len);
        rest = after;
        let word = |i: usize| packet.get(i * 4..i * 4 + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
        let Some(ssrc) = word(1) else { continue };
        let mut blocks_at = 2;
        if kind == SR
            && let (Some(a), Some(b), Some(timestamp), Some(packets), Some(octets)) =
                (word(2), word(3), word(4), word(5), word(6))
        {
            let ntp = (u64::from(a) << 32) | u64::from(b);
            each(Rtcp::Sender { ssrc, info: SenderInfo { ntp, timestamp, packets, octets } });
            blocks_at = 7;
        }
        if kind == SR || kind == RR {
            for i in 0..usize::from(head & 0x1f) {
                let at = blocks_at + i * 6;
                let (Some(who), Some(loss), Some(highest), Some(jitter), Some(last_sr), Some(since_sr)) =
                    (word(at), word(at + 1), word(at + 2), word(at + 3), word(at + 4), word(at + 5))
                else {
                    break;
                };
                let block = ReportBlock {
                    ssrc: who,
                    fraction_lost: (loss >> 24) as u8,
                    lost: loss & 0xff_ffff,
                    highest,
                    jitter,
                    last_sr,
                    since_sr,
                };
                each(Rtcp::Report { from: ssrc, block });
            }
        } else if kind == BYE {
            each(Rtcp::Bye { ssrc });
        }
    }
    !first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_we_write_is_what_we_read() {
        let info = SenderInfo { ntp: ntp_time(1_000), timestamp: 160, packets: 9, octets: 1_440 };
        let block =
            ReportBlock { ssrc: 5, fraction_lost: 3, lost: 70, highest: 65_600, jitter: 8, last_sr: 1, since_sr: 2 };
        for cname in ["", "a", "ab", "abc", "0123456789abcdef"] {
            let mut bytes = [0; MAX_COMPOUND];
            let len = write(&mut bytes, 77, Some(&info), Some(&block), cname, true);
            assert_eq!(len % 4, 0);
            let mut said = Vec::new();
            assert!(read(&bytes[..len], |r| said.push(r)));
            assert_eq!(
                said,
                [Rtcp::Sender { ssrc: 77, info }, Rtcp::Report { from: 77, block }, Rtcp::Bye { ssrc: 77 }]
            );
        }
    }

    #[test]
    fn ntp_time_starts_in_1900() {
        assert_eq!(ntp_time(500) >> 32, 2_208_988_800);
        assert_eq!(ntp_time(500) as u32, 1 << 31);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), count in 0_u8..32) {
            let mut bytes = bytes;
            if bytes.len() > 4 {
                (bytes[0], bytes[1], bytes[2]) = (0x80 | count, 200, 0);
            }
            read(&bytes, |_| {});
        }
    }
}
