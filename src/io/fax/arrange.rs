//! Sound of a fax as it comes: put in order, and what is missing said to be missing. Not a jitter buffer: nothing is stretched,
//! concealed or dropped to catch up, as two modems are at both ends of it.
//!
//! A packet that is missing is waited for until three later ones are here (60 ms): by then it is lost. Always: what is given has
//! as many samples as the far end's clock went on by, up to [`MAX_GAP`].

use std::collections::BTreeMap;

use crate::proto::rtp::packet::Header;

/// Later packets that are held back for one that is missing.
const PATIENCE: usize = 3;
/// The longest pause that is filled: beyond that the far end's clock has jumped.
const MAX_GAP: u32 = 8_000 * 10;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Sound(Vec<i16>),
    /// So many samples never came.
    Missing(u32),
}

/// Packets of one far end, as they come.
#[derive(Debug, Default)]
pub(super) struct Arranger {
    ssrc: Option<u32>,
    /// Where sound goes on: sequence, unwrapped, and timestamp.
    next: Option<(u64, u32)>,
    waiting: BTreeMap<u64, (u32, Vec<i16>)>,
}

impl Arranger {
    /// What a packet brings, in order.
    pub(super) fn put(&mut self, header: &Header, samples: Vec<i16>) -> Vec<Piece> {
        if self.ssrc.replace(header.ssrc).is_some_and(|before| before != header.ssrc) {
            self.next = None;
            self.waiting.clear();
        }
        let place = match self.next {
            None => u64::from(header.sequence) + (1 << 16),
            Some((next, _)) => unwrapped(next, header.sequence),
        };
        if self.next.is_some_and(|(next, _)| place < next) {
            return Vec::new();
        }
        self.waiting.insert(place, (header.timestamp, samples));
        let mut pieces = Vec::new();
        while let Some((place, _)) = self.waiting.first_key_value() {
            let in_turn = self.next.is_none_or(|(next, _)| *place == next);
            if !in_turn && self.waiting.len() <= PATIENCE {
                break;
            }
            let Some((place, (timestamp, samples))) = self.waiting.pop_first() else { break };
            if let Some((_, wanted)) = self.next {
                // Silence that was not sent counts as well (RFC 3550 §4: the sender's clock goes on).
                let gap = timestamp.wrapping_sub(wanted);
                if (1..=MAX_GAP).contains(&gap) {
                    pieces.push(Piece::Missing(gap));
                }
            }
            let length = u32::try_from(samples.len()).unwrap_or_default();
            self.next = Some((place + 1, timestamp.wrapping_add(length)));
            pieces.push(Piece::Sound(samples));
        }
        pieces
    }
}

/// The sequence number nearest to `next`.
fn unwrapped(next: u64, sequence: u16) -> u64 {
    let ahead = sequence.wrapping_sub(next as u16);
    if ahead < 0x8000 { next + u64::from(ahead) } else { next.saturating_sub(u64::from(ahead.wrapping_neg())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(arranger: &mut Arranger, n: u16, value: i16) -> Vec<Piece> {
        let timestamp = u32::from(n.wrapping_add(10)) * 160;
        let header = Header { payload_type: 0, marker: false, sequence: n, timestamp, ssrc: 7 };
        arranger.put(&header, vec![value; 160])
    }

    fn sound(value: i16) -> Piece {
        Piece::Sound(vec![value; 160])
    }

    #[test]
    fn what_is_late_is_put_in_its_place_and_what_is_lost_is_said_to_be_missing() {
        let mut arranger = Arranger::default();
        assert_eq!(put(&mut arranger, 1, 1), [sound(1)]);
        assert_eq!(put(&mut arranger, 3, 3), []);
        assert_eq!(put(&mut arranger, 2, 2), [sound(2), sound(3)]);
        assert_eq!(put(&mut arranger, 2, 2), [], "doubled");
        for n in 5..8 {
            assert_eq!(put(&mut arranger, n, 0), []);
        }
        let all = put(&mut arranger, 8, 0);
        assert_eq!(all[..2], [Piece::Missing(160), sound(0)]);
        assert_eq!(all.len(), 5);
        assert_eq!(put(&mut arranger, 4, 4), [], "too late");
    }

    #[test]
    fn the_count_goes_around_and_another_source_begins_anew() {
        let mut arranger = Arranger::default();
        assert_eq!(put(&mut arranger, 65_535, 1).len(), 1);
        let header = Header { payload_type: 0, marker: false, sequence: 0, timestamp: 10 * 160, ssrc: 7 };
        assert_eq!(arranger.put(&header, vec![2; 160]), [sound(2)]);
        let other = Header { ssrc: 8, sequence: 400, timestamp: 9, ..header };
        assert_eq!(arranger.put(&other, vec![3; 160]), [sound(3)]);
    }

    #[test]
    fn a_pause_of_a_far_end_that_sends_no_silence_is_filled() {
        let mut arranger = Arranger::default();
        let header = Header { payload_type: 0, marker: false, sequence: 1, timestamp: 0, ssrc: 7 };
        arranger.put(&header, vec![1; 160]);
        let after = Header { sequence: 2, timestamp: 4_000, marker: true, ..header };
        assert_eq!(arranger.put(&after, vec![2; 160]), [Piece::Missing(3_840), sound(2)]);
        let jumped = Header { sequence: 3, timestamp: 4_000_000, ..header };
        assert_eq!(arranger.put(&jumped, vec![3; 160]), [sound(3)]);
    }
}
