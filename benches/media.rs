//! What a leg costs: CPU time of the media thread per leg and 20 ms, side by side in one run with a bare loop
//! that only sends (or receives and sends) datagrams of the same size. Ratios are what to compare between
//! machines; the figures themselves depend on the kernel. Linux only: reads `/proc/self/task/*/schedstat`.
//!
//! `cargo bench --bench media [-- LEGS SECONDS]`, by default 200 legs for 5 s each.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cordboard::base::clock::{Clock, SystemClock};
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::io::media::{Codec, EventTypes, Media, MediaConfig, PlayId, Prompt, RtpParameters, ShardId};
use cordboard::proto::audio::tone::sine;
use cordboard::proto::rtp::packet::{self, Header, MAX_PACKET};

const TICK: Duration = Duration::from_millis(20);
const SIZE: usize = 172;

/// CPU time so far of our thread called `name`.
fn cpu(name: &str) -> Duration {
    let read = |task: fs::DirEntry| {
        let comm = fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        let spent = stat.split_whitespace().next()?.parse().ok()?;
        (comm.trim() == name).then_some(Duration::from_nanos(spent))
    };
    fs::read_dir("/proc/self/task").into_iter().flatten().flatten().find_map(read).unwrap_or_default()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_nonblocking(true).expect("a socket");
    socket
}

/// Calls `turn` each 20 ms, without drift, until told to stop.
fn every_tick(stop: &AtomicBool, mut turn: impl FnMut()) {
    let mut next = SystemClock.instant();
    while !stop.load(Ordering::Relaxed) {
        turn();
        next += TICK;
        thread::sleep(next.saturating_duration_since(SystemClock.instant()));
    }
}

/// Far ends that only listen, or that talk too, on a thread of their own.
fn far_ends(sockets: Vec<(UdpSocket, SocketAddr)>, talk: bool, stop: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut header = Header { payload_type: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 7 };
        every_tick(&stop, || {
            let mut bytes = [0; MAX_PACKET];
            for (socket, to) in &sockets {
                while socket.recv_from(&mut bytes).is_ok() {}
                if talk {
                    let len = packet::write(&header, &[0x2a; 160], &mut bytes);
                    let _ = socket.send_to(&bytes[..len], to);
                }
            }
            header.sequence = header.sequence.wrapping_add(1);
            header.timestamp = header.timestamp.wrapping_add(160);
        });
    })
}

/// The bare loop: one send a leg and tick; with `receive`, one receive too.
fn bare(legs: usize, run: Duration, receive: bool) -> Duration {
    let stop = Arc::new(AtomicBool::new(false));
    let pairs: Vec<_> = (0..legs).map(|_| (socket(), socket())).collect();
    let address = |s: &UdpSocket| s.local_addr().expect("a bound socket");
    let (ours, theirs): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .map(|(us, them)| {
            let (here, there) = (address(&us), address(&them));
            ((us, there), (them, here))
        })
        .unzip();
    let far = far_ends(theirs, receive, stop.clone());
    let stopped = stop.clone();
    let loop_thread = thread::Builder::new()
        .name("bare".into())
        .spawn(move || {
            let mut bytes = [0; 2_048];
            every_tick(&stopped, || {
                for (socket, to) in &ours {
                    if receive {
                        let _ = socket.recv_from(&mut bytes);
                    }
                    let _ = socket.send_to(&bytes[..SIZE], to);
                }
            });
        })
        .expect("a thread");
    let spent = measure("bare", run);
    stop.store(true, Ordering::Relaxed);
    loop_thread.join().expect("the loop ends");
    far.join().expect("the far ends end");
    spent
}

#[derive(Clone, Copy, PartialEq)]
enum Load {
    /// Every leg is played a greeting; its far end is silent.
    Greeting,
    /// Legs in twos, relayed.
    Pairs,
    /// Legs in threes, mixed.
    Conferences,
}

fn legs(count: usize, run: Duration, load: Load) -> Duration {
    let (events, mut seen) = tokio::sync::mpsc::channel(64);
    let drain = thread::spawn(move || while seen.blocking_recv().is_some() {});
    let config = MediaConfig {
        bind_ip: [127, 0, 0, 1].into(),
        public_ip: None,
        ports: 12_000..=19_999,
        shards: 1,
        music: Arc::new(Prompt::from_pcm(sine(300.0, 6_000.0, 8_000))),
        clock: Arc::new(SystemClock),
    };
    let media = Media::start(config, events).expect("media starts");
    let prompt = Arc::new(Prompt::from_pcm(sine(500.0, 6_000.0, 80_000)));
    let mut far = Vec::new();
    let ids: Vec<LegId> = (0..count as u64).map(LegId).collect();
    for leg in &ids {
        let to = media.open_rtp(ShardId(0), *leg).expect("a port");
        let socket = socket();
        let remote = socket.local_addr().expect("a bound socket");
        let parameters = RtpParameters {
            remote,
            codec: Codec::Pcmu,
            telephone_event: Some(EventTypes::same(101)),
            comfort_noise: false,
            rtcp_mux: false,
            send: true,
            receive: true,
            ptime_ms: 20,
            srtp: None,
        };
        media.connect_rtp(*leg, parameters).expect("the leg is open");
        far.push((socket, to));
        if load == Load::Greeting {
            media.play(*leg, PlayId(leg.0), prompt.clone(), true).expect("the leg is open");
        }
    }
    let size = match load {
        Load::Greeting => usize::MAX,
        Load::Pairs => 2,
        Load::Conferences => 3,
    };
    if load != Load::Greeting {
        for (i, group) in ids.chunks(size).enumerate() {
            media.set_bridge(ShardId(0), BridgeId(i as u64), 1, HearMatrix::conference(group));
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    let far = far_ends(far, load != Load::Greeting, stop.clone());
    let spent = measure("media-0", run);
    stop.store(true, Ordering::Relaxed);
    far.join().expect("the far ends end");
    drop(media);
    drain.join().expect("the events end with the shard");
    spent
}

fn measure(thread_name: &str, run: Duration) -> Duration {
    thread::sleep(Duration::from_millis(500));
    let before = cpu(thread_name);
    thread::sleep(run);
    cpu(thread_name).saturating_sub(before)
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(200);
    let run = Duration::from_secs(numbers.get(1).map_or(5, |s| *s as u64));
    let ticks = run.as_secs_f64() / TICK.as_secs_f64();
    let per_leg = |spent: Duration| spent.as_secs_f64() * 1e6 / ticks / count as f64;
    println!("{count} legs, {} s each, one media thread", run.as_secs());
    println!("{:<44} {:>12} {:>10} {:>8}", "", "us/leg/20ms", "% of core", "ratio");
    let line = |what: &str, spent: Duration, base: Duration| {
        let us = per_leg(spent);
        println!("{what:<44} {us:>12.2} {:>10.3} {:>8.2}", us / 200.0, spent.as_secs_f64() / base.as_secs_f64());
    };
    let send = bare(count, run, false);
    line("bare loop: send", send, send);
    line("greeting played (ratio to: send)", legs(count, run, Load::Greeting), send);
    let both = bare(count, run, true);
    line("bare loop: receive and send", both, both);
    line("bridged pair, relayed (to: receive, send)", legs(count, run, Load::Pairs), both);
    line("three in conference (to: receive, send)", legs(count, run, Load::Conferences), both);
}
