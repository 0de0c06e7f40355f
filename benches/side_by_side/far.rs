//! Far ends of the audio: sockets that listen, and talk if they are told where to, on a thread of their own that
//! beats every 20 ms.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cordboard::base::clock::{Clock, SystemClock};
use cordboard::proto::rtp::packet::{self, Header, MAX_PACKET};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

pub const TICK: Duration = Duration::from_millis(20);

pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_nonblocking(true).expect("a socket");
    socket
}

pub fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("a bound socket")
}

/// Whoever measures a beat must not be late himself: ahead of everything else, where that is allowed.
pub fn go_first() {
    let first = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, first);
}

/// Calls `turn` each 20 ms, without drift, until told to stop.
pub fn every_tick(stop: &AtomicBool, mut turn: impl FnMut()) {
    let mut next = SystemClock.instant();
    while !stop.load(Ordering::Relaxed) {
        turn();
        next += TICK;
        thread::sleep(next.saturating_duration_since(SystemClock.instant()));
    }
}

/// Far ends at work.
pub struct FarEnds {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    heard: Arc<AtomicU64>,
    to: Arc<Mutex<Vec<(usize, SocketAddr)>>>,
}

impl FarEnds {
    /// Far ends that listen; each talks once it is told where to, if `talk`.
    pub fn start(sockets: Vec<UdpSocket>, talk: bool) -> Self {
        Self::begin(sockets, talk, usize::MAX)
    }

    /// Far ends that talk, of which every `deaf`th, the first among them, is listened to by somebody else.
    pub fn start_deaf(sockets: Vec<UdpSocket>, deaf: usize) -> Self {
        Self::begin(sockets, true, deaf)
    }

    fn begin(sockets: Vec<UdpSocket>, talk: bool, deaf: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(AtomicU64::new(0));
        let to: Arc<Mutex<Vec<(usize, SocketAddr)>>> = Arc::default();
        let (stopped, count, news) = (Arc::clone(&stop), Arc::clone(&heard), Arc::clone(&to));
        let thread = thread::spawn(move || {
            let mut targets: Vec<Option<SocketAddr>> = vec![None; sockets.len()];
            let mut header = Header { payload_type: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 7 };
            let mut bytes = [0; MAX_PACKET];
            go_first();
            every_tick(&stopped, || {
                for (n, address) in news.lock().expect("no holder panics").drain(..) {
                    targets[n] = Some(address);
                }
                for (n, (socket, to)) in sockets.iter().zip(&targets).enumerate() {
                    while (deaf == usize::MAX || n % deaf != 0) && socket.recv_from(&mut bytes).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Some(to) = to.filter(|_| talk) {
                        let len = packet::write(&header, &[0x2a; 160], &mut bytes);
                        let _ = socket.send_to(&bytes[..len], to);
                    }
                }
                header.sequence = header.sequence.wrapping_add(1);
                header.timestamp = header.timestamp.wrapping_add(160);
            });
        });
        Self { stop, thread: Some(thread), heard, to }
    }

    /// Where the `n`th far end sends from now on.
    pub fn aim(&self, n: usize, to: SocketAddr) {
        self.to.lock().expect("no holder panics").push((n, to));
    }

    /// Packets heard so far, all together.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }
}

impl Drop for FarEnds {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sockets that are looked at packet by packet.
struct Watch<'a> {
    sockets: &'a [UdpSocket],
    set: std::os::fd::OwnedFd,
    seen: Vec<epoll::Event>,
}

impl<'a> Watch<'a> {
    fn new(sockets: &'a [UdpSocket]) -> Self {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll set");
        for (n, socket) in sockets.iter().enumerate() {
            epoll::add(&set, socket, epoll::EventData::new_u64(n as u64), epoll::EventFlags::IN)
                .expect("it can be watched");
        }
        Self { sockets, set, seen: Vec::with_capacity(64) }
    }

    /// Waits for packets, 100 ms at most, and hands each over with its socket's number. Woken by each packet, so that it
    /// adds no beat of its own.
    fn turn(&mut self, mut each: impl FnMut(Instant, usize, &[u8])) -> Instant {
        self.seen.clear();
        let wait = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        let _ = epoll::wait(&self.set, spare_capacity(&mut self.seen), Some(&wait));
        let now = SystemClock.instant();
        let mut bytes = [0; 2_048];
        for event in &self.seen {
            let n = event.data.u64() as usize;
            if let Ok(len) = self.sockets[n].recv(&mut bytes) {
                each(now, n, &bytes[..len]);
            }
        }
        now
    }
}

/// Gaps between packets, in milliseconds.
pub struct Gaps {
    /// Of all streams, sorted.
    sorted: Vec<f64>,
    /// How late whoever measured woke up himself, at worst.
    pub own: f64,
}

impl Gaps {
    /// The gap that `part` of all lie below; none if nothing was heard.
    pub fn below(&self, part: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        self.sorted.get((last as f64 * part) as usize).copied()
    }

    /// How many of a hundred are no longer than `ms`.
    pub fn within(&self, ms: f64) -> f64 {
        self.sorted.partition_point(|gap| *gap <= ms) as f64 * 100.0 / self.sorted.len().max(1) as f64
    }
}

/// Listens to `sockets` for `run`.
pub fn gaps(sockets: &[UdpSocket], run: Duration) -> Gaps {
    let stop = AtomicBool::new(false);
    let until = SystemClock.instant() + run;
    thread::scope(|scope| {
        let own = scope.spawn(|| {
            go_first();
            let (mut next, mut worst) = (SystemClock.instant(), Duration::ZERO);
            while !stop.load(Ordering::Relaxed) {
                next += TICK;
                thread::sleep(next.saturating_duration_since(SystemClock.instant()));
                worst = worst.max(SystemClock.instant().saturating_duration_since(next));
            }
            worst.as_secs_f64() * 1e3
        });
        let watcher = scope.spawn(|| {
            go_first();
            let mut watch = Watch::new(sockets);
            let (mut last, mut gaps) = (vec![None::<Instant>; sockets.len()], Vec::new());
            while watch.turn(|now, n, _| {
                if let Some(before) = last[n].replace(now) {
                    gaps.push((now - before).as_secs_f64() * 1e3);
                }
            }) < until
            {}
            gaps.sort_by(f64::total_cmp);
            gaps
        });
        let sorted = watcher.join().expect("the watcher ends");
        stop.store(true, Ordering::Relaxed);
        Gaps { sorted, own: own.join().expect("the metronome ends") }
    })
}

/// When each socket hears the first packet with sound in it, mu-law silence being none; watches until `stop` is set.
pub fn first_sounds(sockets: &[UdpSocket], stop: &AtomicBool) -> Vec<Option<Instant>> {
    go_first();
    let mut watch = Watch::new(sockets);
    let mut first = vec![None; sockets.len()];
    while !stop.load(Ordering::Relaxed) {
        watch.turn(|now, n, bytes| {
            let sound = packet::read(bytes).is_some_and(|(_, sound)| sound.iter().any(|octet| *octet & 0x7f != 0x7f));
            if first[n].is_none() && sound {
                first[n] = Some(now);
            }
        });
    }
    first
}
