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

pub const TICK: Duration = Duration::from_millis(20);

pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_nonblocking(true).expect("a socket");
    socket
}

pub fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("a bound socket")
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
        let stop = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(AtomicU64::new(0));
        let to: Arc<Mutex<Vec<(usize, SocketAddr)>>> = Arc::default();
        let (stopped, count, news) = (Arc::clone(&stop), Arc::clone(&heard), Arc::clone(&to));
        let thread = thread::spawn(move || {
            let mut targets: Vec<Option<SocketAddr>> = vec![None; sockets.len()];
            let mut header = Header { payload_type: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 7 };
            let mut bytes = [0; MAX_PACKET];
            every_tick(&stopped, || {
                for (n, address) in news.lock().expect("no holder panics").drain(..) {
                    targets[n] = Some(address);
                }
                for (socket, to) in sockets.iter().zip(&targets) {
                    while socket.recv_from(&mut bytes).is_ok() {
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

/// Listens to `sockets` for `run` and gives the gaps between the packets of each, in milliseconds, sorted. Woken by each
/// packet, so that it adds no beat of its own.
pub fn gaps(sockets: &[UdpSocket], run: Duration) -> Vec<f64> {
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll set");
    for (n, socket) in sockets.iter().enumerate() {
        epoll::add(&set, socket, epoll::EventData::new_u64(n as u64), epoll::EventFlags::IN)
            .expect("it can be watched");
    }
    let until = SystemClock.instant() + run;
    let mut last: Vec<Option<Instant>> = vec![None; sockets.len()];
    let (mut seen, mut gaps, mut bytes) = (Vec::with_capacity(64), Vec::new(), [0; 2_048]);
    loop {
        seen.clear();
        let wait = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        let _ = epoll::wait(&set, spare_capacity(&mut seen), Some(&wait));
        let now = SystemClock.instant();
        if now >= until {
            break;
        }
        for event in &seen {
            let n = event.data.u64() as usize;
            if sockets[n].recv_from(&mut bytes).is_ok()
                && let Some(before) = last[n].replace(now)
            {
                gaps.push((now - before).as_secs_f64() * 1e3);
            }
        }
    }
    gaps.sort_by(f64::total_cmp);
    gaps
}
