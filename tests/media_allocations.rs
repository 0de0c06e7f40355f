//! Media threads allocate nothing per packet: 10,000 ticks of legs that play, relay, mix and are recorded, are listened to, press keys, hear
//! prompts end and are described anew, counted by the allocator itself. What they tell is told outside of that, as by
//! the thread that reads it. Under browser legs `rtc` allocates for its checks of the path, some a second; per packet nothing.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock, TestClock, UtcMs};
use cordboard::base::id::CallId;
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId, Source};
use cordboard::io::media::{Codec, EventTypes, Media, MediaEvent, PlayId, Prompt, RtpParameters, ShardId};
use cordboard::io::recording::{Kind, Recordings};
use cordboard::io::store::seal::Seal;
use cordboard::proto::audio::codec::Encoder;
use cordboard::proto::audio::dtmf;
use cordboard::proto::audio::frame::Frame;
use cordboard::proto::audio::tone::sine;
use cordboard::proto::rtp::packet::{self, Header, MAX_PACKET};
use cordboard::proto::rtp::srtp::{Guard, Keys, MAX_GROWTH, MasterKey, Suite};

#[path = "support/media.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod media;
#[path = "support/softphone.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod softphone;

use media::{config, own_ip, plain};
use softphone::Softphone;

thread_local! {
    /// Allocations while counting; `None` while not.
    static COUNT: Cell<Option<u64>> = const { Cell::new(None) };
}

struct Counting;

// SAFETY: hands everything through to the system's allocator unchanged; the count is a plain cell of the thread's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get().map(|n| n + 1)));
        // SAFETY: the caller's promise for `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System` through `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Ticks that are not counted: by then every far end is known, and lists have the length they keep.
const WARM_UP: u64 = 500;
/// Ticks between two keys of a far end, and how many a key lasts.
const KEY_EVERY: u64 = 50;
const KEY_LASTS: u64 = 5;

/// How a far end presses its key.
enum Key {
    /// In packets of its own; the timestamp of the press under way.
    Event(u32),
    /// As tones, in the codec.
    Tones(Vec<[u8; 160]>),
}

/// Most speak G.711; two speak G.722, one of them in a network that loses and delays.
fn codec(id: u64) -> Codec {
    match id {
        5 => Codec::Pcma,
        8 | 9 => Codec::G722,
        _ => Codec::Pcmu,
    }
}

/// A far end that sends and forgets.
struct Peer {
    socket: UdpSocket,
    header: Header,
    /// What it encrypts with.
    guard: Option<Guard>,
    /// Every so many packets one is lost, and one held back for 100 ms.
    weather: Option<u16>,
    key: Option<Key>,
    held: Option<(u16, Header)>,
}

impl Peer {
    fn turn(&mut self, to: std::net::SocketAddr, tick: u64) {
        let mut bytes = [0; MAX_PACKET + MAX_GROWTH];
        let (mut sound, mut event) = ([0x2a; 160], None);
        let part = tick % KEY_EVERY;
        match &mut self.key {
            Some(Key::Tones(tones)) if part < KEY_LASTS => sound = tones[part as usize],
            Some(Key::Event(start)) if part < KEY_LASTS => {
                if part == 0 {
                    *start = self.header.timestamp;
                }
                let [hi, lo] = (160 * (part as u16 + 1)).to_be_bytes();
                let header = Header { payload_type: 101, marker: part == 0, timestamp: *start, ..self.header };
                event = Some((header, [5, if part + 1 == KEY_LASTS { 0x8a } else { 10 }, hi, lo]));
            }
            _ => {}
        }
        let mut send = |header: &Header| {
            let (header, payload) = event.as_ref().map_or((header, &sound[..]), |(header, key)| (header, &key[..]));
            let mut len = packet::write(header, payload, &mut bytes[..MAX_PACKET]);
            if let Some(guard) = &mut self.guard {
                len = guard.protect(&mut bytes, len).expect("it has room");
            }
            self.socket.send_to(&bytes[..len], to).expect("loopback takes it");
        };
        let n = self.header.sequence;
        match self.weather {
            Some(every) if n % every == 3 => {}
            Some(every) if n % every == 9 => self.held = Some((n.wrapping_add(5), self.header)),
            _ => send(&self.header),
        }
        if let Some((_, header)) = self.held.take_if(|(until, _)| *until == n) {
            send(&header);
        }
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
        while self.socket.recv_from(&mut bytes).is_ok() {}
    }
}

#[test]
fn ten_thousand_ticks_of_prompt_relay_and_mix_plain_encrypted_and_recorded_allocate_nothing() {
    COUNT.set(Some(0));
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(COUNT.take(), Some(1), "the counter counts");

    let clock = TestClock::at(UtcMs(1_800_000_000_000));
    let (sender, mut events) = tokio::sync::mpsc::channel(64);
    let config = config(own_ip(250), 16_100..=16_131, Arc::new(clock.clone()));
    let (media, mut drivers) = Media::prepare(config, sender).expect("media starts");
    let driver = &mut drivers[0];
    let shard = ShardId(0);
    let mut peers = Vec::new();
    let pressed = dtmf::tones('5', 800).expect("a key");
    let pressed: Vec<[u8; 160]> =
        pressed.as_chunks().0.iter().map(|frame: &Frame| Encoder::default().frame(Codec::Pcmu, frame)).collect();
    for id in 1..=10 {
        let to = media.open_rtp(shard, LegId(id)).expect("a port");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        // Encrypted ones in relay and in mix.
        let key = |seed: u64| MasterKey([seed as u8; 30]);
        let keys = (id <= 3).then(|| Keys { suite: Suite::Tag80, ours: key(id), theirs: key(id + 100) });
        let parameters = RtpParameters {
            codec: codec(id),
            telephone_event: (id != 6).then_some(EventTypes::same(101)),
            comfort_noise: id == 10,
            ptime_ms: if id == 4 { 30 } else { 20 },
            srtp: keys,
            ..plain(socket.local_addr().expect("a bound socket"))
        };
        media.connect_rtp(LegId(id), parameters).expect("the leg is open");
        if id >= 7 {
            media.listen(LegId(id)).expect("the leg is open");
        }
        let header = Header {
            payload_type: codec(id).payload_type(),
            marker: false,
            sequence: 0,
            timestamp: 0,
            ssrc: id as u32,
        };
        let weather = (id >= 9).then_some(40);
        let guard = keys.map(|keys| Guard::new(keys.suite, &keys.theirs));
        // Relayed, mixed, and where no events were agreed.
        let key = match id {
            1 | 4 => Some(Key::Event(0)),
            6 => Some(Key::Tones(pressed.clone())),
            _ => None,
        };
        peers.push((to, parameters, Peer { socket, header, guard, weather, key, held: None }));
    }
    let leg = LegId;
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[leg(1), leg(2)]));
    media.set_bridge(shard, BridgeId(2), 1, HearMatrix::conference(&[leg(3), leg(4), leg(5)]));
    media.set_bridge(shard, BridgeId(3), 1, HearMatrix::default().with(leg(6), &[Source::Music]));
    media.set_bridge(shard, BridgeId(4), 1, HearMatrix::conference(&[leg(8), leg(9), leg(10)]));
    // One who is relayed, one in a mix, one who hears a prompt, and one whose recording is paused half of the time; the
    // disk is real, and slow now and then, as time goes much faster here than it is written.
    let directory = std::env::temp_dir().join(format!("cordboard-allocations-{}", std::process::id()));
    let seal = Arc::new(Seal::new(&[7; 32]));
    let (recordings, mut ended) =
        Recordings::start(directory.clone(), seal, Arc::new(clock.clone())).expect("a thread");
    for id in [1, 3, 7, 9] {
        let tap = recordings.begin(&CallId::named(&format!("{id}")));
        media.record(leg(id), tap).expect("the leg is open");
    }
    let prompt = Arc::new(Prompt::from_pcm(sine(500.0, 6_000.0, 5_000)));

    let (mut allocated, mut figures, mut keys, mut played) = (0, 0, 0, 0);
    for tick in 0..WARM_UP + 10_000 {
        if tick % 100 == 0 {
            // It ends after 32 ticks; then there is silence.
            media.play(leg(7), PlayId(tick), Arc::clone(&prompt), false).expect("the leg is open");
        }
        if tick % 300 == 0 {
            let (_, parameters, _) = &peers[2];
            let ptime_ms = if tick % 600 == 0 { 20 } else { 40 };
            media.connect_rtp(leg(3), RtpParameters { ptime_ms, ..*parameters }).expect("the leg is open");
        }
        if tick % 200 == 0 {
            let kind = if tick % 400 == 0 { Kind::Sound } else { Kind::Paused };
            media.set_recording(leg(9), kind).expect("the leg is open");
            driver.pump(clock.instant());
        }
        for (to, _, peer) in &mut peers {
            peer.turn(*to, tick);
        }
        clock.advance(Duration::from_millis(20));
        COUNT.set(Some(0));
        driver.pump(clock.instant());
        driver.tick(clock.instant());
        let count = COUNT.take().unwrap_or_default();
        if tick >= WARM_UP {
            allocated += count;
        }
        driver.tell();
        while let Ok(event) = events.try_recv() {
            figures += u32::from(matches!(event, MediaEvent::Quality { .. }));
            keys += u64::from(matches!(event, MediaEvent::Digit { digit: '5', .. }));
            played += u64::from(matches!(event, MediaEvent::PlayDone { .. }));
        }
    }
    assert_eq!(allocated, 0);
    assert!(figures > 10 * 36, "{figures}");
    assert_eq!((keys, played), (3 * (WARM_UP + 10_000) / KEY_EVERY, (WARM_UP + 10_000) / 100));
    for id in 1..=10 {
        media.close(leg(id));
    }
    driver.tick(clock.instant());
    driver.tell();
    let mut sent = 0;
    while let Ok(event) = events.try_recv() {
        if let MediaEvent::Closed { stats, .. } = event {
            let calm = stats.late + stats.concealed_ms == 0;
            assert!(
                (!calm && stats.lost > 200) || (stats.packets_in, stats.lost) == (WARM_UP + 10_000, 0),
                "{stats:?}"
            );
            sent += stats.packets_out;
        }
    }
    assert!(sent > 10 * 10_000 - 4_000, "{sent}");
    for _ in 0..4 {
        let end = ended.blocking_recv().expect("each recording ends");
        // From the first beat to the last, whatever the disk could keep of it.
        assert_eq!(end.figures.length_ms, (WARM_UP + 10_000) * 20, "{end:?}");
        assert!(end.complete && end.figures.sound_ms > 1_000, "{end:?}");
    }
    let _ = std::fs::remove_dir_all(directory);
}

#[test]
fn a_browser_leg_that_talks_and_hears_allocates_for_checks_of_the_path_alone() {
    let clock = TestClock::at(UtcMs(1_800_000_000_000));
    let (sender, mut events) = tokio::sync::mpsc::channel(64);
    let config = config(own_ip(249), 16_140..=16_149, Arc::new(clock.clone()));
    let (media, mut drivers) = Media::prepare(config, sender).expect("media starts");
    let (driver, shard) = (&mut drivers[0], ShardId(0));
    let mut phones = Vec::new();
    for leg in [LegId(1), LegId(2)] {
        let offer = media.open_web(shard, leg, &[Codec::Pcmu]).expect("an offer");
        let (phone, answer) = Softphone::answer(clock.instant(), &offer);
        media.answer_web(leg, answer).expect("the leg is open");
        phones.push(phone);
    }
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[LegId(1), LegId(2)]));
    let mut turn = |talk: bool| {
        for phone in &mut phones {
            if talk {
                phone.talk(clock.instant());
            }
            phone.turn(clock.instant());
        }
        clock.advance(Duration::from_millis(20));
        COUNT.set(Some(0));
        driver.pump(clock.instant());
        driver.tick(clock.instant());
        let count = COUNT.take().unwrap_or_default();
        driver.tell();
        (count, phones.iter().map(|phone| phone.heard).sum::<u64>())
    };
    let (mut up, mut ticks) = (0, 0);
    while up < 2 && ticks < 500 {
        turn(false);
        ticks += 1;
        while let Ok(event) = events.try_recv() {
            up += u32::from(matches!(event, MediaEvent::WebUp { .. }));
        }
    }
    assert_eq!(up, 2, "both are connected");
    let (mut busy, mut before) = (0, 0);
    for tick in 0..WARM_UP + 2_000 {
        let (allocated, heard) = turn(true);
        if tick == WARM_UP {
            before = heard;
        }
        busy += u32::from(tick >= WARM_UP && allocated > 0);
        while events.try_recv().is_ok() {}
    }
    let (_, heard) = turn(true);
    assert!((3_990..=4_010).contains(&(heard - before)), "each hears all: {}", heard - before);
    // Both ends check the path every 200 ms; each end's check is seen in one tick of each leg.
    assert!(busy <= 2_000 / 4, "{busy} of 2,000 ticks allocate");
}
