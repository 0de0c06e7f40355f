//! What a shard tells, on its way to everybody else: a ring for each shard, and one thread that reads them all.
//!
//! A media thread goes before every other thread and must not wait for one. To put something into a channel at which a task
//! waits is to wake that task, with the scheduler's locks and now and then a call into the kernel. So a shard puts what it
//! tells into a ring at whose other end nobody sleeps; and with it what it is done with, so that sockets are closed, ports
//! given back and prompts freed elsewhere. The reader looks every 2 ms while there are legs. Always: a shard waits for
//! nobody; what has no room is dropped and counted, but for a leg's end, which is told when there is; a leg's port is free
//! before its end is told.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use metrics::Counter;
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::leg::Leg;
use super::{LegStats, MediaEvent, Prompt, ShardId};
use crate::domain::call::bridge::LegId;

/// How long something told may lie: with the time between two looks at the sockets, a key is told within 8 ms.
const LOOK: Duration = Duration::from_millis(2);
/// The same while there is no leg that could tell anything: whoever adds the first one wakes the reader.
const IDLE: Duration = Duration::from_millis(20);
/// What may lie there.
const ROOM: usize = 4_096;

/// On which shard each leg is.
pub(super) type Homes = Arc<Mutex<HashMap<LegId, ShardId>>>;

#[derive(Debug)]
enum News {
    Event(MediaEvent),
    /// The leg has left its shard; its sockets are to be closed.
    Ended(Box<Leg>, LegStats),
    /// Nobody here plays it any more.
    Spent(Arc<Prompt>),
}

/// The shard's end.
#[derive(Debug)]
pub(super) struct Teller {
    ring: Producer<News>,
    /// Ends for which there was no room.
    waiting: VecDeque<News>,
    dropped: Counter,
}

/// The other end.
#[derive(Debug)]
pub(super) struct Ear(Consumer<News>);

/// A way for what a shard tells.
pub(super) fn news() -> (Teller, Ear) {
    let (ring, other) = RingBuffer::new(ROOM);
    // Asked for once: looking a counter up takes a lock.
    let dropped = metrics::counter!("cordboard_media_events_dropped_total");
    (Teller { ring, waiting: VecDeque::with_capacity(64), dropped }, Ear(other))
}

impl Teller {
    pub(super) fn tell(&mut self, event: MediaEvent) {
        if self.ring.push(News::Event(event)).is_err() {
            self.dropped.increment(1);
        }
    }

    /// Lets a leg go that has left the shard.
    pub(super) fn end(&mut self, leg: Box<Leg>, stats: LegStats) {
        self.waiting.push_back(News::Ended(leg, stats));
        self.flush();
    }

    /// Lets a prompt go.
    pub(super) fn spend(&mut self, prompt: Option<Arc<Prompt>>) {
        if let Some(prompt) = prompt {
            // Where there is no room it is freed here.
            let _ = self.ring.push(News::Spent(prompt));
        }
    }

    /// Once per tick: tells what waits for room.
    pub(super) fn flush(&mut self) {
        while let Some(news) = self.waiting.pop_front() {
            if let Err(PushError::Full(news)) = self.ring.push(news) {
                return self.waiting.push_front(news);
            }
        }
    }
}

impl Ear {
    /// Hands on what was told, as far as `events` has room. False when nothing can come any more.
    pub(super) fn turn(&mut self, events: &mpsc::Sender<MediaEvent>, homes: &Homes) -> bool {
        loop {
            let permit = match events.try_reserve() {
                Ok(permit) => Some(permit),
                // It lies until there is.
                Err(TrySendError::Full(())) => return true,
                // Nobody wants to know; legs end all the same.
                Err(TrySendError::Closed(())) => None,
            };
            let over = self.0.is_abandoned();
            let Ok(news) = self.0.pop() else { return !over };
            let event = match news {
                News::Event(event) => Some(event),
                News::Ended(leg, stats) => {
                    let id = leg.id;
                    // What a leg that failed leaves behind may fail again.
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(leg)));
                    lock(homes).remove(&id);
                    Some(MediaEvent::Closed { leg: id, stats })
                }
                News::Spent(prompt) => {
                    drop(prompt);
                    None
                }
            };
            if let Some((permit, event)) = permit.zip(event) {
                permit.send(event);
            }
        }
    }
}

fn lock(homes: &Homes) -> std::sync::MutexGuard<'_, HashMap<LegId, ShardId>> {
    homes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reader's thread, until all shards have ended.
pub(super) fn read(mut ears: Vec<Ear>, events: &mpsc::Sender<MediaEvent>, homes: &Homes) {
    loop {
        ears.retain_mut(|ear| ear.turn(events, homes));
        if ears.is_empty() {
            return;
        }
        let idle = lock(homes).is_empty();
        thread::park_timeout(if idle { IDLE } else { LOOK });
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake};

    use super::super::port::PortPool;
    use super::super::rtp_path::RtpPath;
    use super::super::{Codec, EventTypes, Media, MediaConfig, RtpParameters, Strays};
    use super::*;
    use crate::base::clock::{Clock, TestClock, UtcMs};
    use crate::base::rng::Rng;
    use crate::proto::rtp::packet::{self, Header, MAX_PACKET};

    fn heard(leg: u64) -> MediaEvent {
        MediaEvent::Heard { leg: LegId(leg) }
    }

    #[test]
    fn what_has_no_room_is_dropped_but_for_the_end_of_a_leg_whose_port_is_free_before_it_is_told() {
        let [_, _, b, c] = std::process::id().to_be_bytes();
        let pool = PortPool::new(&(15_010..=15_011));
        let (rtp, rtcp, lease) = pool.bind_pair([127, b | 64, c, 3].into(), false).unwrap();
        let leg = Box::new(Leg::rtp(LegId(9), RtpPath::new(rtp, rtcp, lease, Strays::Ports), &mut Rng::seeded(1)));
        let (mut teller, mut ear) = news();
        let homes = Homes::default();
        homes.lock().unwrap().insert(LegId(9), ShardId(0));
        for n in 0..ROOM as u64 + 5 {
            teller.tell(heard(n));
        }
        teller.end(leg, LegStats::default());
        let (events, mut told) = mpsc::channel(7);
        for first in (0..ROOM as u64).step_by(7) {
            assert!(ear.turn(&events, &homes));
            for n in first..(first + 7).min(ROOM as u64) {
                assert!(matches!(told.try_recv(), Ok(MediaEvent::Heard { leg }) if leg.0 == n));
            }
            assert!(told.try_recv().is_err());
        }
        assert_eq!(pool.free(), 0);
        teller.flush();
        drop(teller);
        assert!(!ear.turn(&events, &homes), "nothing can come any more");
        assert_eq!((pool.free(), homes.lock().unwrap().len()), (1, 0));
        assert!(matches!(told.try_recv(), Ok(MediaEvent::Closed { leg: LegId(9), .. })));
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_media_thread_wakes_nobody_when_a_key_is_pressed() {
        let clock = TestClock::at(UtcMs(1_800_000_000_000));
        let [_, _, b, c] = std::process::id().to_be_bytes();
        let config = MediaConfig {
            bind_ip: [127, b | 64, c, 4].into(),
            public_ip: None,
            ports: 15_012..=15_013,
            shards: 1,
            music: Arc::new(Prompt::from_pcm(vec![0; 160])),
            clock: Arc::new(clock.clone()),
        };
        let (events, mut told) = mpsc::channel(8);
        let (media, mut drivers) = Media::prepare(config, events).unwrap();
        let to = media.open_rtp(ShardId(0), LegId(1)).unwrap();
        let telephone = UdpSocket::bind(std::net::SocketAddr::new(to.ip(), 0)).unwrap();
        let parameters = RtpParameters {
            remote: telephone.local_addr().unwrap(),
            codec: Codec::Pcmu,
            telephone_event: Some(EventTypes::same(101)),
            comfort_noise: false,
            rtcp_mux: false,
            send: true,
            receive: true,
            ptime_ms: 20,
            srtp: None,
        };
        media.connect_rtp(LegId(1), parameters).unwrap();
        let woken = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Arc::clone(&woken).into();
        let mut context = Context::from_waker(&waker);
        assert!(told.poll_recv(&mut context).is_pending());
        let mut bytes = [0; MAX_PACKET];
        let header = Header { payload_type: 101, marker: true, sequence: 1, timestamp: 160, ssrc: 7 };
        let len = packet::write(&header, &[5, 10, 0, 160], &mut bytes);
        telephone.send_to(&bytes[..len], to).unwrap();
        drivers[0].tick(clock.instant());
        assert_eq!(woken.0.load(Ordering::SeqCst), 0, "on the media thread");
        drivers[0].tell();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1, "by the reader");
        let Poll::Ready(Some(MediaEvent::Digit { digit: '5', .. })) = told.poll_recv(&mut context) else {
            panic!("a key")
        };
    }
}
