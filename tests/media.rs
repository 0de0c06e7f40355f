//! Media as the rest of the house uses it: real threads, real time, a SIP far end and a browser (webrtc-rs'
//! core as the answering side), each with a tone of its own.

#[path = "support/media.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod media;
#[path = "support/softphone.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod softphone;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cordboard::base::clock::{Clock, SharedClock, SystemClock, TestClock, UtcMs};
use cordboard::base::id::CallId;
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId, Source};
use cordboard::io::media::{Codec, Media, MediaConfig, MediaEvent, PlayId, Prompt, ShardDriver, ShardId};
use cordboard::io::recording::Recordings;
use cordboard::io::store::seal::Seal;
use cordboard::proto::audio::g711;
use cordboard::proto::audio::tone::{power_at, sine};
use cordboard::proto::rtp::packet::{self, Header, MAX_PACKET};
use cordboard::proto::sdp::Session;
use media::MUSIC_HZ;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_PCMA, MIME_TYPE_PCMU};
use softphone::{SSRC, Softphone};
use tokio::sync::mpsc;

const CALLER_HZ: f64 = 700.0;
const OPERATOR_HZ: f64 = 1_100.0;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a read timeout");
    socket
}

/// What every far end does: says its tone 20 ms at a time, keeps what it hears.
struct Voice {
    tone: Vec<u8>,
    header: Header,
    next: Instant,
    heard: Vec<i16>,
    packets: Vec<Header>,
    clock: SharedClock,
}

impl Voice {
    fn new(hz: f64, ssrc: u32, clock: SharedClock) -> Self {
        let tone = sine(hz, 8_000.0, 8_000).into_iter().map(g711::to_ulaw).collect();
        let header = Header { payload_type: 0, marker: true, sequence: 1, timestamp: 160, ssrc };
        Self { tone, header, next: clock.instant(), heard: Vec::new(), packets: Vec::new(), clock }
    }

    /// The packet that is due, if one is.
    fn due(&mut self) -> Option<(Header, [u8; 160])> {
        let now = self.clock.instant();
        if now < self.next {
            return None;
        }
        self.next += Duration::from_millis(20);
        let at = self.header.timestamp as usize % self.tone.len();
        let header = self.header;
        self.header.sequence += 1;
        self.header.timestamp += 160;
        self.header.marker = false;
        Some((header, self.tone[at..at + 160].try_into().expect("a second of tone is whole packets")))
    }

    fn hear(&mut self, header: Header, payload: &[u8]) {
        let decode = if header.payload_type == 8 { g711::from_alaw } else { g711::from_ulaw };
        self.heard.extend(payload.iter().map(|b| decode(*b)));
        self.packets.push(header);
    }

    /// The last `seconds` hold `hz` at least 20 dB over the other tones.
    fn assert_hears(&self, hz: f64, seconds: usize) {
        let heard = &self.heard[self.heard.len() - seconds * 8_000..];
        let power = |hz: f64| power_at(heard, hz).max(1.0);
        for other in [CALLER_HZ, OPERATOR_HZ, MUSIC_HZ].into_iter().filter(|t| *t != hz) {
            let db = 10.0 * (power(hz) / power(other)).log10();
            assert!(db >= 20.0, "{hz} Hz is only {db:.1} dB over {other} Hz");
        }
    }
}

/// A SIP far end.
struct Caller {
    socket: UdpSocket,
    to: SocketAddr,
    voice: Voice,
    reports: usize,
}

impl Caller {
    fn turn(&mut self) {
        let mut bytes = [0; 2_048];
        if let Some((header, sound)) = self.voice.due() {
            let len = packet::write(&header, &sound, &mut bytes[..MAX_PACKET]);
            self.socket.send_to(&bytes[..len], self.to).expect("loopback takes it");
        }
        while let Ok((len, from)) = self.socket.recv_from(&mut bytes) {
            assert_eq!(from, self.to, "sound comes from where it is sent to");
            if packet::is_rtcp(&bytes[..len]) {
                // Both sides are ours, so both said that reports share the port.
                self.reports += 1;
                continue;
            }
            let (header, payload) = packet::read(&bytes[..len]).expect("it is RTP");
            self.voice.hear(header, payload);
        }
    }
}

/// A browser.
struct Browser {
    phone: Softphone,
    voice: Voice,
}

impl Browser {
    fn answer(offer: &str, clock: SharedClock) -> (Self, String) {
        let codecs = [(MIME_TYPE_PCMU, 0), (MIME_TYPE_PCMA, 8)];
        let (phone, mut sdp) = Softphone::answer_in(clock.instant(), offer, &codecs);
        // It waits a little for what comes, as the caller does.
        phone.socket().set_nonblocking(false).expect("a socket");
        phone.socket().set_read_timeout(Some(Duration::from_millis(2))).expect("a read timeout");
        // Candidates as browsers on real machines send them, none of which leads anywhere here.
        sdp.push_str(concat!(
            "a=candidate:1 1 udp 2122260223 3c1b3a30-1f2e-4d5c-8b9a-abcdefabcdef.local 50000 typ host\r\n",
            "a=candidate:2 1 tcp 1518280447 192.0.2.5 9 typ host tcptype active\r\n",
            "a=candidate:3 1 udp 2122260223 fd00::5 50001 typ host generation 0 network-cost 999\r\n",
            "a=candidate:4 1 udp 1686052607 198.51.100.7 40000 typ srflx raddr 192.0.2.5 rport 50002\r\n",
        ));
        (Self { phone, voice: Voice::new(OPERATOR_HZ, SSRC, clock) }, sdp)
    }

    fn turn(&mut self) {
        let now = self.voice.clock.instant();
        if let Some((header, sound)) = self.voice.due() {
            self.phone.say(now, &header, Bytes::copy_from_slice(&sound));
        }
        let voice = &mut self.voice;
        self.phone.turn_hearing(now, |header, payload| voice.hear(header, payload));
    }
}

/// Two media threads.
fn config(ports: std::ops::RangeInclusive<u16>, clock: SharedClock) -> MediaConfig {
    MediaConfig { shards: 2, ..media::config(media::own_ip(251), ports, clock) }
}

struct Rig {
    media: Media,
    events: mpsc::Receiver<MediaEvent>,
    seen: Vec<MediaEvent>,
}

impl Rig {
    fn start(ports: std::ops::RangeInclusive<u16>) -> Self {
        let (sender, events) = mpsc::channel(64);
        let media = Media::start(config(ports, Arc::new(SystemClock)), sender).expect("media starts");
        Self { media, events, seen: Vec::new() }
    }

    /// Turns both far ends over until `done`, 60 s at most.
    fn until(
        &mut self,
        caller: &mut Caller,
        browser: Option<&mut Browser>,
        what: &str,
        done: impl Fn(&Caller, Option<&Browser>, &[MediaEvent]) -> bool,
    ) {
        let mut browser = browser;
        for _ in 0..15_000 {
            caller.turn();
            if let Some(browser) = browser.as_deref_mut() {
                browser.turn();
            }
            while let Ok(event) = self.events.try_recv() {
                self.seen.push(event);
            }
            if done(caller, browser.as_deref(), &self.seen) {
                return;
            }
        }
        panic!("{what} did not happen; events: {:?}", self.seen);
    }
}

/// A SIP caller whose offer has been answered.
fn call(media: &Media, shard: ShardId, leg: LegId) -> Caller {
    let socket = socket();
    let mut theirs = Session::new(1, socket.local_addr().expect("bound"), &[Codec::Pcmu]);
    let local = media.open_rtp(shard, leg).expect("a port");
    let mut ours = Session::new(2, local, &[Codec::Pcmu, Codec::Pcma]);
    let (answer, agreed) = ours.answer(&theirs.offer()).expect("we speak PCMU");
    let to = theirs.accept(&answer).expect("they do too").remote;
    media.connect_rtp(leg, agreed.into()).expect("the leg is open");
    Caller { socket, to, voice: Voice::new(CALLER_HZ, 77, Arc::new(SystemClock)), reports: 0 }
}

#[test]
fn a_caller_and_a_browser_hear_each_other_through_greeting_talk_and_hold() {
    let mut rig = Rig::start(16_200..=16_209);
    let (caller_leg, operator_leg) = (LegId(1), LegId(2));
    let shard = rig.media.pick_shard();
    let mut caller = call(&rig.media, shard, caller_leg);
    let greeting = sine(1_700.0, 8_000.0, 4_000);
    let prompt = Arc::new(Prompt::from_pcm(greeting.clone()));
    rig.media.play(caller_leg, PlayId(1), prompt, false).expect("the leg is open");
    rig.until(&mut caller, None, "the greeting", |_, _, seen| {
        seen.iter().any(|e| matches!(e, MediaEvent::PlayDone { play: PlayId(1), .. }))
    });
    // Silence may come before it, nothing of it may be missing.
    let start = caller.voice.heard.iter().position(|s| s.abs() > 1_000).expect("it was heard").saturating_sub(1);
    let power = power_at(&caller.voice.heard[start..start + 1_600], 1_700.0).sqrt();
    assert!(power > 7_800.0, "the first 200 ms: {power}");
    assert!(power_at(&caller.voice.heard[start..start + 3_900], 1_700.0).sqrt() > 7_800.0);

    let offer = rig.media.open_web(shard, operator_leg, &[Codec::Pcmu, Codec::Pcma]).expect("an offer");
    let (mut browser, answer) = Browser::answer(&offer, Arc::new(SystemClock));
    rig.media.answer_web(operator_leg, answer).expect("the leg is open");
    rig.until(&mut caller, Some(&mut browser), "the browser's path", |_, _, seen| {
        seen.iter().any(|e| matches!(e, MediaEvent::WebUp { .. }))
    });

    let bridge = BridgeId(1);
    rig.media.set_bridge(shard, bridge, 1, HearMatrix::conference(&[caller_leg, operator_leg]));
    let directory = std::env::temp_dir().join(format!("cordboard-media-{}", std::process::id()));
    let (seal, clock) = (Arc::new(Seal::new(&[7; 32])), Arc::new(SystemClock));
    let (recordings, mut recorded) = Recordings::start(directory.clone(), seal, clock).expect("a thread");
    let recorded_call = CallId::named("recorded");
    rig.media.record(caller_leg, recordings.begin(&recorded_call)).expect("the leg is open");
    let mark = caller.voice.heard.len();
    rig.until(&mut caller, Some(&mut browser), "talk", |c, _, _| c.voice.heard.len() >= mark + 28_000);
    caller.voice.assert_hears(OPERATOR_HZ, 2);
    browser.voice.assert_hears(CALLER_HZ, 2);

    let hold = HearMatrix::default().with(caller_leg, &[Source::Music]);
    rig.media.set_bridge(shard, bridge, 2, hold);
    let mark = caller.voice.heard.len();
    rig.until(&mut caller, Some(&mut browser), "music", |c, _, _| c.voice.heard.len() >= mark + 20_000);
    caller.voice.assert_hears(MUSIC_HZ, 2);

    for pair in caller.voice.packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        // A busy machine may hold everybody up; that shows as a pause, with the marker after it.
        assert!(step == 160 || pair[1].marker, "{step}");
    }

    assert!(caller.reports >= 1, "reports come with the sound");
    let free = rig.media.free_ports();
    rig.media.close(caller_leg);
    rig.media.close(operator_leg);
    rig.until(&mut caller, Some(&mut browser), "the end", |_, _, seen| {
        seen.iter().filter(|e| matches!(e, MediaEvent::Closed { .. })).count() == 2
    });
    assert_eq!(rig.media.free_ports(), free + 2);

    // The two of them were recorded as they spoke, each on their own side, and not the music.
    recorded.blocking_recv().expect("the recording ends with the caller's leg");
    let recording = recordings.open(&recorded_call).expect("it opens");
    let mut wav = Vec::new();
    while (wav.len() as u64) < recording.wav_len() {
        wav.extend(recording.wav(wav.len() as u64..u64::MAX).expect("it reads"));
    }
    let samples = hound::WavReader::new(&wav[..]).expect("a WAV file").into_samples();
    let samples: Vec<i16> = samples.collect::<Result<_, _>>().expect("whole");
    for (side, hz) in [(0, CALLER_HZ), (1, OPERATOR_HZ)] {
        let said: Vec<i16> = samples.iter().copied().skip(side).step_by(2).skip(8_000).take(16_000).collect();
        for other in [CALLER_HZ, OPERATOR_HZ, MUSIC_HZ].into_iter().filter(|t| *t != hz) {
            let db = 10.0 * (power_at(&said, hz).max(1.0) / power_at(&said, other).max(1.0)).log10();
            assert!(db >= 20.0, "side {side}: {hz} Hz is only {db:.1} dB over {other} Hz");
        }
    }
    let _ = std::fs::remove_dir_all(directory);
}

#[test]
fn a_leg_that_is_not_there_and_a_full_range_are_said_so() {
    let rig = Rig::start(16_220..=16_223);
    let shard = rig.media.pick_shard();
    assert!(rig.media.stop(LegId(9), PlayId(1)).is_err());
    rig.media.open_rtp(shard, LegId(1)).expect("a port");
    assert!(rig.media.open_rtp(shard, LegId(1)).is_err(), "the id is taken");
    rig.media.open_rtp(shard, LegId(2)).expect("a port");
    let error = rig.media.open_rtp(shard, LegId(3)).expect_err("the range is full");
    assert!(error.to_string().contains("no media port could be opened"), "{error}");
    assert_eq!(rig.media.pick_shard().0, 1, "the other shard is empty");
}

/// The figures that come every 5 s are none.
const fn is_news(event: &MediaEvent) -> bool {
    !matches!(event, MediaEvent::Quality { .. })
}

/// 20 ms of injected time, `turn` being called at each quarter of them.
fn twenty_ms(clock: &TestClock, driver: &mut ShardDriver, mut turn: impl FnMut()) {
    for quarter in 0..4 {
        turn();
        clock.advance(Duration::from_millis(5));
        if quarter == 3 {
            driver.tick(clock.instant());
        } else {
            driver.pump(clock.instant());
        }
        driver.tell();
    }
}

#[test]
fn a_browser_that_goes_away_is_told_after_five_seconds_and_when_it_is_back() {
    let clock = TestClock::at(UtcMs(1_800_000_000_000));
    let (sender, mut events) = mpsc::channel(64);
    let shared: SharedClock = Arc::new(clock.clone());
    let (media, mut drivers) = Media::prepare(config(16_240..=16_249, shared.clone()), sender).expect("media starts");
    let driver = &mut drivers[0];
    let (shard, leg) = (ShardId(0), LegId(1));
    let offer = media.open_web(shard, leg, &[Codec::Pcmu, Codec::Pcma]).expect("an offer");
    let (mut browser, answer) = Browser::answer(&offer, shared);
    browser.phone.socket().set_nonblocking(true).expect("a socket");
    media.answer_web(leg, answer).expect("the leg is open");
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::default().with(leg, &[Source::Leg(leg)]));
    let mut seen = Vec::new();
    let mut round_trip = None;
    for _ in 0..250 {
        twenty_ms(&clock, driver, || browser.turn());
        for event in std::iter::from_fn(|| events.try_recv().ok()) {
            match event {
                MediaEvent::Quality { quality, .. } => round_trip = quality.round_trip_us,
                event => seen.push(event),
            }
        }
    }
    // The browser looks at its socket each 5 ms.
    assert!(round_trip.is_some_and(|us| us <= 20_000), "{round_trip:?}");
    assert!(matches!(seen[..], [MediaEvent::Bridged { .. }, MediaEvent::WebUp { .. }]), "{seen:?}");
    browser.voice.assert_hears(OPERATOR_HZ, 3);

    // An answer that came too late is of no use, and the path there is goes on.
    seen.clear();
    media.answer_web(leg, "v=0\r\n".to_owned()).expect("the leg is open");
    for _ in 0..50 {
        twenty_ms(&clock, driver, || browser.turn());
        seen.extend(std::iter::from_fn(|| events.try_recv().ok()).filter(is_news));
    }
    assert!(seen.is_empty(), "a path that works is not told to be lost: {seen:?}");
    browser.voice.assert_hears(OPERATOR_HZ, 1);

    seen.clear();
    let mut ticks = 0;
    while !seen.iter().any(|e| matches!(e, MediaEvent::Silent { .. })) && ticks < 500 {
        twenty_ms(&clock, driver, || {});
        seen.extend(std::iter::from_fn(|| events.try_recv().ok()).filter(is_news));
        ticks += 1;
    }
    assert!((249..=252).contains(&ticks), "{ticks}: {seen:?}");

    for _ in 0..100 {
        twenty_ms(&clock, driver, || browser.turn());
        seen.extend(std::iter::from_fn(|| events.try_recv().ok()).filter(is_news));
    }
    assert!(seen.iter().any(|e| matches!(e, MediaEvent::Heard { .. })), "{seen:?}");
    browser.voice.assert_hears(OPERATOR_HZ, 1);

    seen.clear();
    for _ in 0..500 {
        twenty_ms(&clock, driver, || {});
        seen.extend(std::iter::from_fn(|| events.try_recv().ok()).filter(is_news));
    }
    let down = seen.iter().filter(|e| matches!(e, MediaEvent::WebDown { .. })).count();
    let silent = seen.iter().filter(|e| matches!(e, MediaEvent::Silent { .. })).count();
    assert_eq!((down, silent), (1, 1), "{seen:?}");
}

#[test]
fn a_browser_that_has_not_answered_can_be_offered_no_new_path_and_that_is_told() {
    let clock = TestClock::at(UtcMs(1_800_000_000_000));
    let (sender, mut events) = mpsc::channel(64);
    let (media, mut drivers) =
        Media::prepare(config(16_250..=16_259, Arc::new(clock.clone())), sender).expect("media starts");
    let leg = LegId(1);
    media.open_web(ShardId(0), leg, &[Codec::Pcmu]).expect("an offer");
    media.restart_web(leg).expect("the leg is open");
    twenty_ms(&clock, &mut drivers[0], || {});
    assert!(matches!(events.try_recv(), Ok(MediaEvent::WebNoOffer { leg: LegId(1) })));
}
