//! Music of an account's own: recordings one after the other and from the first again, for the legs of its calls.
//!
//! A leg that has none hears the house's. Where each leg stands in it is the leg's own, so two callers who wait hear each
//! their own turn, and who is taken back from hold goes on where the music was. Nothing is allocated while it plays.

use std::sync::Arc;

use crate::proto::audio::frame::{FRAME, Frame};

use super::Codec;
use super::leg::Leg;
use super::prompt::Prompt;

/// Recordings in their order; at least one.
#[derive(Debug)]
pub struct Tune {
    pieces: Box<[Arc<Prompt>]>,
}

impl Tune {
    /// None, if there is nothing to play.
    pub fn new(pieces: Vec<Arc<Prompt>>) -> Option<Self> {
        (!pieces.is_empty()).then(|| Self { pieces: pieces.into_boxed_slice() })
    }

    /// The piece that plays at sample `at` of the endless round, and how far into it that is. A piece ends with the frame
    /// that it ends in.
    fn find(&self, at: usize) -> (&Prompt, usize) {
        let whole = |piece: &Prompt| piece.pcm().len().next_multiple_of(FRAME);
        let round: usize = self.pieces.iter().map(|piece| whole(piece)).sum();
        let mut at = at % round.max(1);
        for piece in &self.pieces {
            if at < whole(piece) {
                return (piece, at);
            }
            at -= whole(piece);
        }
        (&self.pieces[0], 0)
    }
}

impl Leg {
    /// Other music from now on, from its beginning; the same goes on.
    pub(super) fn set_tune(&mut self, tune: Option<Arc<Tune>>) {
        self.tune = tune;
        self.music_at = 0;
    }

    /// The next 20 ms of this leg's music, encoded.
    pub(super) fn encoded_music(&mut self, codec: Codec, house: &Prompt) -> [u8; FRAME] {
        let at = self.next_of_music();
        match &self.tune {
            Some(tune) => {
                let (piece, at) = tune.find(at);
                piece.encoded(codec, at)
            }
            None => house.encoded_round(codec, at),
        }
    }

    /// The same as samples.
    pub(super) fn music(&mut self, house: &Prompt) -> Frame {
        let at = self.next_of_music();
        match &self.tune {
            Some(tune) => {
                let (piece, at) = tune.find(at);
                piece.frame(at)
            }
            None => house.frame_round(at),
        }
    }

    const fn next_of_music(&mut self) -> usize {
        let at = self.music_at;
        self.music_at = at.wrapping_add(FRAME);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::super::shard::Command;
    use super::super::shard_tests::{MUSIC_HZ, Rig};
    use super::*;
    use crate::domain::call::bridge::{HearMatrix, Source};
    use crate::proto::audio::tone::sine;

    const OWN_HZ: f64 = 1_100.0;

    fn piece(hz: f64, samples: usize) -> Arc<Prompt> {
        Arc::new(Prompt::from_pcm(sine(hz, 6_000.0, samples)))
    }

    #[test]
    fn pieces_follow_each_other_in_their_order_and_begin_again() {
        assert!(Tune::new(Vec::new()).is_none());
        let (long, short) = (piece(500.0, 3 * FRAME - 10), piece(900.0, FRAME));
        let tune = Tune::new(vec![Arc::clone(&long), Arc::clone(&short)]).unwrap();
        let heard: Vec<_> = (0..6).map(|n| tune.find(n * FRAME)).map(|(piece, at)| (piece == &*short, at)).collect();
        let (in_long, in_short) = (|n: usize| (false, n * FRAME), (true, 0));
        assert_eq!(heard, [in_long(0), in_long(1), in_long(2), in_short, in_long(0), in_long(1)]);
    }

    #[test]
    fn a_leg_with_music_of_its_own_hears_that_and_its_neighbour_the_houses() {
        let mut rig = Rig::new();
        // The third stands for the music: a tone that the rig knows.
        let (mine, other) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_900.0, Codec::Pcma, 20));
        rig.add(3, OWN_HZ, Codec::Pcmu, 20);
        let own = Tune::new(vec![piece(OWN_HZ, 4_000), piece(OWN_HZ, 4_080)]).map(Arc::new);
        rig.commands.send(Command::SetTune(mine, own)).unwrap();
        rig.bridge(HearMatrix::default().with(mine, &[Source::Music]).with(other, &[Source::Music]));
        rig.listen();
        rig.assert_hears(mine, &[OWN_HZ]);
        rig.assert_hears(other, &[MUSIC_HZ]);
        rig.assert_seamless(mine);
        // Mixed with words it is the leg's own as well.
        rig.bridge(HearMatrix::default().with(mine, &[Source::Music, Source::Leg(other)]).with(other, &[]));
        rig.listen();
        rig.assert_hears(mine, &[OWN_HZ, 1_900.0]);
        // The call goes on for an account that has none.
        rig.commands.send(Command::SetTune(mine, None)).unwrap();
        rig.bridge(HearMatrix::default().with(mine, &[Source::Music]));
        rig.listen();
        rig.assert_hears(mine, &[MUSIC_HZ]);
    }
}
