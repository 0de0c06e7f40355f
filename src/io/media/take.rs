//! What a far end says for a while, kept in memory: words that somebody speaks in, to be heard back and perhaps kept.
//!
//! Room for all of it is made before; while it runs a frame is a copy. What the shard has taken down is handed over when it
//! is asked for, and is gone with the leg if it never is. Nothing of it touches a disk here.

use tokio::sync::oneshot;

use crate::proto::audio::frame::RATE;

use super::leg::Leg;

/// The longest that is taken down, in seconds; what comes after is not.
pub const TAKE_SECS: u32 = 120;

/// Words on their way into memory.
#[derive(Debug)]
pub struct Take {
    pcm: Vec<i16>,
    done: oneshot::Sender<Vec<i16>>,
}

impl Take {
    /// An empty one, and where it will come out.
    pub fn new() -> (Box<Self>, oneshot::Receiver<Vec<i16>>) {
        let (done, taken) = oneshot::channel();
        (Box::new(Self { pcm: Vec::with_capacity((TAKE_SECS * RATE) as usize), done }), taken)
    }

    /// The next that was said, if there is room.
    pub fn add(&mut self, frame: &[i16]) {
        if self.pcm.len() + frame.len() <= self.pcm.capacity() {
            self.pcm.extend_from_slice(frame);
        }
    }

    /// That was it.
    pub fn end(self) {
        // An error means that nobody wants it any more.
        let _ = self.done.send(self.pcm);
    }
}

impl Leg {
    /// The frame that was just pulled is taken down, if anything is.
    pub(super) fn take_down(&mut self, frame: &[i16]) {
        if let Some(take) = &mut self.take {
            take.add(frame);
        }
    }

    /// Hands over what was taken down.
    pub(super) fn end_take(&mut self) {
        if let Some(take) = self.take.take() {
            take.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Codec;
    use super::super::shard::Command;
    use super::super::shard_tests::Rig;
    use super::*;
    use crate::domain::call::bridge::HearMatrix;
    use crate::proto::audio::frame::FRAME;
    use crate::proto::audio::tone::power_at;

    #[test]
    fn what_a_far_end_says_meanwhile_is_taken_down_and_nothing_before_or_after() {
        let mut rig = Rig::new();
        let leg = rig.add(1, 700.0, Codec::Pcmu, 20);
        rig.bridge(HearMatrix::default().with(leg, &[]));
        rig.run(30);
        let (take, mut taken) = Take::new();
        rig.commands.send(Command::Take(leg, take)).unwrap();
        rig.run(50);
        assert!(taken.try_recv().is_err(), "it still runs");
        rig.commands.send(Command::EndTake(leg)).unwrap();
        rig.run(20);
        let pcm = taken.try_recv().expect("all that was said");
        assert!(pcm.len().abs_diff(50 * FRAME) <= 2 * FRAME, "{}", pcm.len());
        assert!(power_at(&pcm, 700.0).sqrt() > 4_000.0);
    }

    #[test]
    fn a_take_is_gone_with_its_leg_and_no_longer_than_there_is_room() {
        let mut rig = Rig::new();
        let leg = rig.add(1, 700.0, Codec::Pcmu, 20);
        let (take, mut taken) = Take::new();
        rig.commands.send(Command::Take(leg, take)).unwrap();
        rig.run(5);
        rig.commands.send(Command::Close(leg)).unwrap();
        rig.run(1);
        // The leg is let go by whoever reads what the shard tells.
        let _ = rig.events();
        assert_eq!(taken.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        let (mut take, mut taken) = Take::new();
        (0..TAKE_SECS * 60).for_each(|_| take.add(&[1; FRAME]));
        take.end();
        assert_eq!(taken.try_recv().map(|pcm| pcm.len()), Ok((TAKE_SECS * RATE) as usize));
    }
}
