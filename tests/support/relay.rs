//! A network of ours between two parties: a UDP relay that loses, doubles, delays and so reorders, from a seed, and keeps
//! what passes as a capture (pcap) that needs no privileges.
//!
//! Each party stands behind a *face*: the address at which the other sees it. What is sent to a party's face goes on
//! to the party itself, from the face of the other. So both see one address each, as behind a NAT that keeps ports.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::rng::Rng;

/// What happens to a datagram, either way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// In percent.
    pub lost: u64,
    pub doubled: u64,
    /// Each is delayed by up to so much, so that a later one may overtake.
    pub jitter_ms: u64,
}

/// Nothing happens.
pub const CALM: Weather = Weather { lost: 0, doubled: 0, jitter_ms: 0 };

/// A datagram on the link of one of the parties.
struct Passed {
    at: Instant,
    party: usize,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

struct Shared {
    /// Where the parties are; one that is not known is where its first datagram comes from.
    parties: [Option<SocketAddr>; 2],
    passed: Vec<Passed>,
    lost: usize,
    /// In what a party says of itself its face stands for it, as behind a gateway that reads SIP.
    translates: bool,
}

/// A relay. Its threads end with it.
pub struct Relay {
    faces: [SocketAddr; 2],
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Something under way: when it arrives, in what order it came, to whom, and what.
type Waiting = Reverse<(Instant, u64, usize, Vec<u8>)>;

impl Relay {
    /// Between two parties, each with the face that stands for it (port 0: any).
    pub fn open(parties: [Option<SocketAddr>; 2], faces: [SocketAddr; 2], weather: Weather, seed: u64) -> Self {
        let sockets = faces.map(|face| {
            let socket = UdpSocket::bind(face).unwrap_or_else(|e| panic!("a face at {face}: {e}"));
            socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket takes a timeout");
            Arc::new(socket)
        });
        let faces = [0, 1].map(|side: usize| sockets[side].local_addr().expect("bound"));
        let shared = Arc::new(Mutex::new(Shared { parties, passed: Vec::new(), lost: 0, translates: false }));
        let stop = Arc::new(AtomicBool::new(false));
        let (came, coming) = mpsc::channel();
        let mut threads = Vec::new();
        for side in [0, 1] {
            let (socket, came, shared, stop) =
                (Arc::clone(&sockets[side]), came.clone(), Arc::clone(&shared), Arc::clone(&stop));
            let face = faces[side];
            threads.push(std::thread::spawn(move || {
                let mut buffer = [0; 65_535];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
                    let (at, bytes) = (SystemClock.instant(), buffer[..len].to_vec());
                    let mut shared = shared.lock().expect("no holder of this lock panics");
                    shared.parties[1 - side].get_or_insert(from);
                    shared.passed.push(Passed { at, party: 1 - side, from, to: face, bytes: bytes.clone() });
                    let _ = came.send((at, side, bytes));
                }
            }));
        }
        drop(came);
        let (there, ended) = (Arc::clone(&shared), Arc::clone(&stop));
        threads.push(std::thread::spawn(move || carry(&coming, &sockets, &there, &ended, weather, Rng::seeded(seed))));
        Self { faces, shared, stop, threads }
    }

    /// From now on what follows in a call comes this way too: each party's address becomes its face in what it says.
    pub fn translate(&self) {
        self.shared.lock().expect("no holder of this lock panics").translates = true;
    }

    /// The address that stands for a party: where the other one sends.
    pub const fn face(&self, party: usize) -> SocketAddr {
        self.faces[party]
    }

    /// How many datagrams were lost, and how many came.
    pub fn lost(&self) -> (usize, usize) {
        let shared = self.shared.lock().expect("no holder of this lock panics");
        (shared.lost, shared.passed.len())
    }

    /// What a party has sent and was sent, oldest first.
    pub fn texts(&self, party: usize) -> Vec<String> {
        let shared = self.shared.lock().expect("no holder of this lock panics");
        let own = shared.passed.iter().filter(|passed| passed.party == party);
        own.map(|passed| String::from_utf8_lossy(&passed.bytes).into_owned()).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Decides what becomes of each, and delivers in time.
fn carry(
    coming: &mpsc::Receiver<(Instant, usize, Vec<u8>)>,
    sockets: &[Arc<UdpSocket>; 2],
    shared: &Mutex<Shared>,
    stop: &AtomicBool,
    weather: Weather,
    mut rng: Rng,
) {
    let mut waiting: BinaryHeap<Waiting> = BinaryHeap::new();
    let mut order = 0;
    while !stop.load(Ordering::Relaxed) {
        let now = SystemClock.instant();
        while let Some(Reverse((_, _, to, bytes))) = waiting.pop_if_due(now) {
            let mut shared = shared.lock().expect("no holder of this lock panics");
            let Some(party) = shared.parties[to] else { continue };
            let from = sockets[1 - to].local_addr().expect("bound");
            let bytes = match shared.parties[1 - to].filter(|_| shared.translates) {
                Some(sender) => {
                    String::from_utf8_lossy(&bytes).replace(&sender.to_string(), &from.to_string()).into_bytes()
                }
                None => bytes,
            };
            if sockets[1 - to].send_to(&bytes, party).is_ok() {
                shared.passed.push(Passed { at: now, party: to, from, to: party, bytes });
            }
        }
        let next = waiting.peek().map(|Reverse((at, ..))| at.saturating_duration_since(now));
        let patience = next.unwrap_or(Duration::from_millis(20)).min(Duration::from_millis(20));
        let Ok((at, to, bytes)) = coming.recv_timeout(patience) else { continue };
        if rng.below(100) < weather.lost {
            shared.lock().expect("no holder of this lock panics").lost += 1;
            continue;
        }
        for _ in 0..=u64::from(rng.below(100) < weather.doubled) {
            order += 1;
            let due = at + Duration::from_micros(rng.below(weather.jitter_ms * 1_000 + 1));
            waiting.push(Reverse((due, order, to, bytes.clone())));
        }
    }
}

trait Due {
    fn pop_if_due(&mut self, now: Instant) -> Option<Waiting>;
}

impl Due for BinaryHeap<Waiting> {
    fn pop_if_due(&mut self, now: Instant) -> Option<Waiting> {
        if self.peek().is_some_and(|Reverse((at, ..))| *at <= now) { self.pop() } else { None }
    }
}

/// Writes what passed on one party's link of each relay as one capture, in order of time.
pub fn write_pcap(file: &Path, links: &[(&Relay, usize)]) {
    // Little-endian, microseconds, version 2.4, packets whole, each beginning with its IP header.
    let mut out: Vec<u8> =
        [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101].iter().flat_map(|w| w.to_le_bytes()).collect();
    let guards: Vec<_> = links
        .iter()
        .map(|(relay, party)| (relay.shared.lock().expect("no holder of this lock panics"), *party))
        .collect();
    let own = |(shared, party)| {
        let (shared, party): (&Shared, usize) = (shared, party);
        shared.passed.iter().filter(move |passed| passed.party == party)
    };
    let mut all: Vec<&Passed> = guards.iter().flat_map(|(shared, party)| own((shared, *party))).collect();
    all.sort_by_key(|passed| passed.at);
    let start = all.first().map_or_else(|| SystemClock.instant(), |passed| passed.at);
    for passed in all {
        let (SocketAddr::V4(from), SocketAddr::V4(to)) = (passed.from, passed.to) else { continue };
        let since = passed.at.saturating_duration_since(start);
        let len = 28 + passed.bytes.len();
        let mut packet = vec![0x45, 0];
        packet.extend((len as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        packet.extend(from.ip().octets());
        packet.extend(to.ip().octets());
        let sum: u32 = packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
        let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(from.port().to_be_bytes());
        packet.extend(to.port().to_be_bytes());
        packet.extend((len as u16 - 20).to_be_bytes());
        // No checksum, which IPv4 allows.
        packet.extend([0, 0]);
        packet.extend(&passed.bytes);
        // Any day will do.
        let words = [1_790_000_000 + since.as_secs() as u32, since.subsec_micros(), len as u32, len as u32];
        out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        out.extend(packet);
    }
    std::fs::write(file, out).expect("the scratch directory is writable");
}
