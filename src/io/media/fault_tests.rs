//! Media that fails: what a panic ends, what it leaves alone, and what is told of it.

use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::sync::mpsc;

use super::handle::{Media, MediaConfig, MediaError};
use super::leg::Fault;
use super::shard::Command;
use super::shard_tests::Rig;
use super::{Codec, MediaEvent, Prompt, ShardId};
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::domain::call::bridge::{HearMatrix, LegId};

fn closed(events: &[MediaEvent]) -> Vec<LegId> {
    let closed = |event: &MediaEvent| if let MediaEvent::Closed { leg, .. } = event { Some(*leg) } else { None };
    let mut legs: Vec<LegId> = events.iter().filter_map(closed).collect();
    legs.sort_unstable();
    legs
}

fn three(rig: &mut Rig) -> [LegId; 3] {
    let legs = [(1, 700.0), (2, 1_100.0), (3, 1_900.0)].map(|(id, hz)| rig.add(id, hz, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&legs));
    rig.run(10);
    legs
}

#[test]
fn a_panic_over_what_came_in_or_was_asked_ends_that_leg_and_the_neighbours_talk_on() {
    for fault in [Fault::Receive, Fault::Answer] {
        let mut rig = Rig::new();
        let [a, b, c] = three(&mut rig);
        rig.shard.leg(a).fault = Some(fault);
        if fault == Fault::Answer {
            rig.commands.send(Command::AnswerWeb(a, String::new())).unwrap();
        }
        rig.listen();
        rig.assert_hears(b, &[1_900.0]);
        rig.assert_hears(c, &[1_100.0]);
        let events = rig.events();
        assert_eq!(closed(&events), [a], "{fault:?}: {events:?}");
        assert_eq!(rig.pool.free(), 14, "{fault:?}: its port is free again");
    }
}

#[test]
fn a_panic_in_the_work_for_all_legs_tells_of_their_end_and_the_shard_serves_the_next_ones() {
    let mut rig = Rig::new();
    let legs = three(&mut rig);
    // One is on its way here from another shard, and one more is asked for in the beat that fails.
    let mut other = Rig::new();
    let coming = other.add(9, 1_300.0, Codec::Pcmu, 20);
    rig.commands.send(Command::Expect(vec![coming])).unwrap();
    rig.run(1);
    rig.shard.faults = 1;
    rig.bridge(HearMatrix::conference(&legs));
    rig.run(1);
    assert_eq!(closed(&rig.events()), legs);
    assert_eq!((rig.shard.len(), rig.pool.free()), (0, 16), "nothing is left behind");
    other.run(1);
    other.commands.send(Command::Move(vec![coming], rig.commands.clone())).unwrap();
    other.run(1);
    rig.run(1);
    assert_eq!(closed(&rig.events()), [coming], "whoever comes finds no bridge any more, and is told of");

    rig.peers.clear();
    let (a, b) = (rig.add(4, 700.0, Codec::Pcmu, 20), rig.add(5, 1_100.0, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
}

#[test]
fn a_shard_that_fails_at_every_beat_gives_up() {
    let mut rig = Rig::new();
    rig.shard.faults = 4;
    rig.bridge(HearMatrix::default());
    let beats = std::iter::repeat_with(|| rig.shard.tick(rig.clock.instant()));
    assert!(beats.take(5).all(|goes_on| goes_on), "four in a row are survived");
    rig.shard.faults = u32::MAX;
    rig.bridge(HearMatrix::default());
    let beats = std::iter::repeat_with(|| rig.shard.tick(rig.clock.instant()));
    assert_eq!(beats.take(100).take_while(|goes_on| *goes_on).count(), 4);
}

#[tokio::test]
async fn a_media_thread_that_has_ended_is_told_of_and_gets_no_calls() {
    let (events, _told) = mpsc::channel(8);
    let config = MediaConfig {
        bind_ip: [127, 0, 0, 1].into(),
        public_ip: None,
        ports: 16_050..=16_059,
        shards: 2,
        music: Arc::new(Prompt::from_pcm(vec![0; 160])),
        clock: Arc::new(TestClock::at(UtcMs(0))),
    };
    let (media, mut drivers) = Media::prepare(config, events).unwrap();
    assert_eq!(media.pick_shard(), ShardId(0));
    let mut gone = std::pin::pin!(media.gone());
    assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // What a thread does at its end.
    drop(drivers.remove(0));
    gone.await;
    assert_eq!(media.pick_shard(), ShardId(1));
    assert!(matches!(media.open_rtp(ShardId(0), LegId(1)), Err(MediaError::ShardGone)));
    assert!(media.open_rtp(ShardId(1), LegId(1)).is_ok(), "and nothing of it stands in the way");
}
