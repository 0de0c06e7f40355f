//! Keys through a network that loses one packet in twenty and delays the others by up to 40 ms: four digits arrive as four
//! digits. Thousands of entries in simulated time through the media shard and its real sockets; then some through the
//! relay, with threads and time as they are.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SharedClock, SystemClock, TestClock, UtcMs};
use cordboard::base::rng::Rng;
use cordboard::domain::call::bridge::LegId;
use cordboard::io::media::{Media, MediaEvent, ShardId};
use cordboard::proto::rtp::packet::{self, Header, MAX_PACKET};
use tokio::sync::mpsc;

use super::media::{config, plain};
use super::own_address;
use super::relay::{Relay, Weather};

const LEGS: u64 = 20;
/// Of four digits each, on all legs together.
const ENTRIES: u64 = 2_000;
const LOST: u64 = 5;
const JITTER_TICKS: u64 = 2;
/// Ticks of a press, between two, and after the last of an entry.
const PRESS: u32 = 5;
const GAP: u32 = 4;
const PAUSE: u32 = 25;

/// Somebody who talks and presses keys; the packets of a telephone (RFC 4733 §2.5).
struct Caller {
    header: Header,
    rng: Rng,
    /// What is pressed in this entry, and how many ticks of it have passed.
    entry: [u8; 4],
    tick: u32,
}

impl Caller {
    fn new(seed: u64) -> Self {
        let header = Header { payload_type: 0, marker: false, sequence: seed as u16, timestamp: 0, ssrc: seed as u32 };
        let mut caller = Self { header, rng: Rng::seeded(seed), entry: [0; 4], tick: 0 };
        caller.begin();
        caller
    }

    fn begin(&mut self) {
        self.tick = 0;
        self.entry = [0; 4].map(|_| self.rng.below(10) as u8);
    }

    fn digits(&self) -> String {
        self.entry.iter().map(|digit| char::from(b'0' + digit)).collect()
    }

    /// The packets of the next 20 ms; true with the last of an entry.
    fn next(&mut self) -> (Vec<Vec<u8>>, bool) {
        let (slot, within) = (self.tick / (PRESS + GAP), self.tick % (PRESS + GAP));
        let mut packets = Vec::new();
        match self.entry.get(slot as usize) {
            Some(digit) if within < PRESS => {
                let begun = self.header.timestamp.wrapping_sub(within * 160);
                let last = within + 1 == PRESS;
                // The end is said three times at once.
                for _ in 0..=2 * u32::from(last) {
                    let [hi, lo] = ((within + 1) as u16 * 160).to_be_bytes();
                    let flags = if last { 0x80 } else { 0 } | 10;
                    let header = Header { payload_type: 101, marker: within == 0, timestamp: begun, ..self.header };
                    packets.push(written(&header, &[*digit, flags, hi, lo]));
                    self.header.sequence = self.header.sequence.wrapping_add(1);
                }
            }
            _ => {
                packets.push(written(&self.header, &[0x2a; 160]));
                self.header.sequence = self.header.sequence.wrapping_add(1);
            }
        }
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
        self.tick += 1;
        (packets, self.tick == 4 * (PRESS + GAP) + PAUSE)
    }
}

fn written(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [0; MAX_PACKET];
    let len = packet::write(header, payload, &mut bytes);
    bytes[..len].to_vec()
}

#[test]
fn of_two_thousand_entries_of_four_digits_at_one_packet_in_twenty_lost_two_at_most_are_wrong() {
    let clock = TestClock::at(UtcMs(1_800_000_000_000));
    let (sender, mut events) = mpsc::channel(1_024);
    let (media, mut drivers) =
        Media::prepare(config(own_address(0).ip(), 16_200..=16_299, Arc::new(clock.clone())), sender).expect("media");
    let driver = &mut drivers[0];
    let mut callers = Vec::new();
    for id in 1..=LEGS {
        let to = media.open_rtp(ShardId(0), LegId(id)).expect("a port");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        media.connect_rtp(LegId(id), plain(socket.local_addr().expect("bound"))).expect("the leg is open");
        callers.push((socket, to, Caller::new(id), Vec::<(u64, Vec<u8>)>::new(), String::new()));
    }
    let (mut rng, mut done, mut wrong) = (Rng::seeded(0xd7f), 0, Vec::new());
    for tick in 0.. {
        for (socket, to, caller, under_way, heard) in &mut callers {
            let (packets, is_last) = caller.next();
            for bytes in packets {
                if rng.below(100) >= LOST {
                    under_way.push((tick + rng.below(JITTER_TICKS + 1), bytes));
                }
            }
            for (_, bytes) in under_way.extract_if(.., |(due, _)| *due <= tick) {
                socket.send_to(&bytes, *to).expect("loopback takes it");
            }
            while socket.recv_from(&mut [0; 2_048]).is_ok() {}
            if is_last {
                done += 1;
                if *heard != caller.digits() {
                    wrong.push(format!("{heard} for {}", caller.digits()));
                }
                heard.clear();
                caller.begin();
            }
        }
        if done >= ENTRIES {
            break;
        }
        clock.advance(Duration::from_millis(20));
        driver.pump(clock.instant());
        driver.tick(clock.instant());
        driver.tell();
        while let Ok(event) = events.try_recv() {
            if let MediaEvent::Digit { leg: LegId(id), digit, .. } = event {
                callers[id as usize - 1].4.push(digit);
            }
        }
    }
    assert!(wrong.len() as u64 * 1_000 <= done, "{} of {done} are wrong: {wrong:?}", wrong.len());
}

#[test]
fn entries_through_the_relay_arrive_digit_by_digit() {
    let (sender, mut events) = mpsc::channel(1_024);
    let clock: SharedClock = Arc::new(SystemClock);
    let media =
        Media::start(config(own_address(0).ip(), 16_300..=16_399, Arc::clone(&clock)), sender).expect("media starts");
    let weather = Weather { lost: LOST, doubled: 2, jitter_ms: 40 };
    let mut callers = Vec::new();
    for id in 1..=10 {
        let to = media.open_rtp(ShardId(0), LegId(id)).expect("a port");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let here = socket.local_addr().expect("bound");
        let relay = Relay::open([Some(to), Some(here)], [own_address(0), own_address(0)], weather, id);
        media.connect_rtp(LegId(id), plain(relay.face(1))).expect("the leg is open");
        callers.push((socket, relay, Caller::new(100 + id), String::new(), String::new(), 0));
    }
    let mut next = clock.instant();
    for _ in 0..2 * (4 * (PRESS + GAP) + PAUSE) {
        for (socket, relay, caller, pressed, ..) in &mut callers {
            let (packets, is_last) = caller.next();
            for bytes in packets {
                socket.send_to(&bytes, relay.face(0)).expect("loopback takes it");
            }
            if is_last {
                pressed.push_str(&caller.digits());
                caller.begin();
            }
        }
        next += Duration::from_millis(20);
        // The pace of a telephone: there is nothing else to wait for.
        std::thread::sleep(next.saturating_duration_since(clock.instant()));
        while let Ok(event) = events.try_recv() {
            if let MediaEvent::Digit { leg: LegId(id), digit, .. } = event {
                callers[id as usize - 1].4.push(digit);
            }
        }
    }
    for (nth, (_, relay, _, pressed, heard, _)) in callers.iter().enumerate() {
        assert_eq!((pressed.len(), heard), (8, pressed), "caller {nth}, {:?} lost", relay.lost());
    }
}
