//! Calls over real sockets: a second trunk side and second media threads are the carrier and its telephones. Real
//! INVITEs, real RTP, real keys, on loopback.

mod lossy;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use super::book::Accounts;
use super::callbacks::Callbacks;
use super::check_in::Heard;
use super::greetings::{Greetings, Spoken, Status};
use super::record::{CallLog, Line, NotWritten};
use super::*;
use crate::base::clock::{SystemClock, UtcMs};
use crate::base::id::{AccountId, AttemptId};
use crate::domain::account::hours::Hours;
use crate::domain::account::patching::{Found, Whom};
use crate::domain::account::{LeaveMessage, Queueing, RecordingPolicy, Speech, StatusGreeting};
use crate::domain::call::bridge::{BridgeId, HearMatrix, LegId, Source};
use crate::domain::ivr::digits::Entered;
use crate::domain::operator::{Phone, Phones};
use crate::engine::callout::{CallOut, CallOutEvent, CallOutRequest, OutboundEnd};
use crate::engine::feed::{CallState, RingsBackView};
use crate::engine::legs::{Later, Signalling, Voice};
use crate::engine::mixer::tone;
use crate::engine::signal::{DialOut, LegEvent, Offer};
use crate::engine::trunk::{self, Carriage, Carrier, LegNumbers, TrunkHandle, TrunkSettings};
use crate::io::media::{Media, MediaConfig, Prompt};
use crate::io::net::tls::{Identity, IdentityFiles, PeerName, TlsPeer};
use crate::io::speech::Kept;
use crate::io::store::audit::Who;
use crate::io::store::callbacks::Callback;
use crate::proto::audio::codec::Codec;
use crate::proto::sdp::{OwnKeys, Session, Srtp};

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a valid number")
}

fn dialled(to: &str, caller_id: Option<&str>) -> DialOut {
    DialOut { to: number(to), caller_id: caller_id.map(number), account: None }
}

fn free_address() -> SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("an address")
}

/// Where one side of the loop is, in the clear and over TLS.
#[derive(Clone, Copy)]
struct Place {
    plain: SocketAddr,
    tls: SocketAddr,
}

impl Place {
    fn free() -> Self {
        Self { plain: free_address(), tls: free_address() }
    }
}

/// A certificate that both sides show and trust.
fn certificate() -> (Identity, TlsPeer) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("cordboard-loop-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("writable");
    let made = rcgen::generate_simple_self_signed(vec!["loop.test".to_owned()]).expect("a certificate");
    let files = IdentityFiles { certificate: directory.join("cert.pem"), key: directory.join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).expect("writable");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writable");
    let identity = Identity::load(files.clone()).expect("just written");
    let name = PeerName::parse("loop.test").expect("a name");
    let peer = TlsPeer::new("loop.test", name, Some(files.certificate), None).expect("a peer");
    let _ = std::fs::remove_dir_all(&directory);
    (identity, peer)
}

async fn trunk(
    here: Place,
    there: Place,
    legs: LegNumbers,
    secure: Option<&(Identity, TlsPeer)>,
) -> (TrunkHandle, mpsc::Receiver<IncomingCall>) {
    let target = if secure.is_some() { there.tls } else { there.plain };
    let mut carrier = Carrier::new("loopback", target.into());
    carrier.sources = vec!["127.0.0.1".parse().expect("an address")];
    carrier.over = secure.map_or(Carriage::Udp, |(_, peer)| Carriage::Tls(peer.clone()));
    carrier.srtp = if secure.is_some() { Srtp::Required } else { Srtp::Off };
    carrier.rules.channels = 10;
    let mut settings = TrunkSettings::new(here.plain, vec![carrier], legs);
    settings.tls = secure.map(|(identity, _)| (here.tls, identity.clone()));
    trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a trunk side")
}

fn media(first: u16) -> (Media, mpsc::Receiver<MediaEvent>) {
    let (events, received) = mpsc::channel(256);
    let config = MediaConfig {
        bind_ip: [127, 0, 0, 1].into(),
        public_ip: None,
        ports: first..=first + 199,
        shards: 1,
        music: tone(),
        clock: Arc::new(SystemClock),
    };
    (Media::start(config, events).expect("media"), received)
}

struct TrunkOnly(TrunkHandle);

impl Signalling for TrunkOnly {
    fn dial(&self, leg: LegId, call: DialOut, offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.0.dial(leg, call, offer, events);
    }

    fn phones_of(&self, _user: &UserId) -> Phones {
        Phones::of(Phone::Softphone)
    }

    fn ring(
        &self,
        _leg: LegId,
        _user: &UserId,
        _phone: Phone,
        _call: &str,
        _offer: Offer,
        events: mpsc::Sender<LegEvent>,
    ) {
        events.try_send(LegEvent::Ended(Cause::Unreachable)).expect("room for the only event");
    }

    fn ring_for(&self, _leg: LegId, _user: &UserId, _by: &UserId, _offer: Offer, events: mpsc::Sender<LegEvent>) {
        events.try_send(LegEvent::Ended(Cause::Unreachable)).expect("room for the only event");
    }

    fn to_trunk(&self, leg: LegId, command: LegCommand) {
        self.0.send(leg, command);
    }

    fn to_phone(&self, _leg: LegId, _command: LegCommand) {}

    fn hold_off(&self, _hold_off: bool) {}
}

struct Whistle;

impl Voice for Whistle {
    fn prompt(&self, _speech: &Speech) -> Option<Arc<Prompt>> {
        Some(tone())
    }

    fn prepare<'a>(&'a self, _speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        Box::pin(async { Ok(tone()) })
    }

    fn prepare_once<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        self.prepare(speech)
    }
}

struct Book;

impl Accounts for Book {
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        let spoken = |text: &str| Speech::Spoken { text: text.to_owned() };
        let account = Account {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            zone: "America/New_York".into(),
            color: "#123456".into(),
            answer_phrase: String::new(),
            notes: String::new(),
            faq: Vec::new(),
            greeting: spoken("greeting"),
            apology: spoken("apology"),
            comfort: None,
            dids: vec![did.clone()],
            caller_id: None,
            priority: 0,
            ring_secs: 20,
            max_wait_secs: 120,
            undo_secs: 5,
            secure: Default::default(),
            mail: Default::default(),
            leave_message: LeaveMessage::default(),
            recording: RecordingPolicy::default(),
            queueing: Queueing::default(),
            patching: Default::default(),
            hours: if did.as_e164() == check_in_tests::LINE { checks_in() } else { Hours::default() },
            menus: vec![],
            ages: Default::default(),
            status_greeting: None,
            answer_phrases: Vec::new(),
            call_types: vec![],
        };
        Box::pin(async move { Ok((!did.as_e164().ends_with("99")).then(|| Arc::new(account))) })
    }

    fn find_account<'a>(&'a self, id: &'a AccountId) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        Box::pin(async move {
            let found = self.find_by_did(&number("+12025550184")).await?;
            Ok(found.map(|account| Arc::new(Account { id: id.clone(), ..Account::clone(&account) })))
        })
    }

    fn count_earlier<'a>(&'a self, _account: &'a AccountId, _caller: &'a PhoneNumber) -> Later<'a, u32> {
        Box::pin(async { 0 })
    }

    fn find_people<'a>(
        &'a self,
        _account: &'a AccountId,
        _whom: &'a [Whom],
        _now: UtcMs,
    ) -> Later<'a, Result<Vec<Found>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn find_who_rings_back<'a>(&'a self, _caller: &'a PhoneNumber) -> Later<'a, Option<RingsBackView>> {
        Box::pin(async { None })
    }
}

fn checks_in() -> Hours {
    Hours { usual: Flow::CheckIn, ..Hours::default() }
}

/// Nobody asks for any here.
struct Promises;

impl Callbacks for Promises {
    fn entered<'a>(&'a self, _call: &'a CallId) -> Later<'a, Vec<Entered>> {
        Box::pin(async { Vec::new() })
    }

    fn write<'a>(&'a self, _callback: &'a Callback) -> Later<'a, Result<(), String>> {
        Box::pin(async { Err("nobody asks for any here".to_owned()) })
    }
}

impl Greetings for Promises {
    fn keep<'a>(&'a self, _greeting: &'a Spoken) -> Later<'a, Result<Kept, String>> {
        Box::pin(async { Err("nobody asks for any here".to_owned()) })
    }

    fn put_up<'a>(&'a self, _status: &'a Status) -> Later<'a, Result<(StatusGreeting, u32), String>> {
        Box::pin(async { Err("nobody asks for any here".to_owned()) })
    }

    fn take_down<'a>(
        &'a self,
        _account: &'a AccountId,
        _by: &'a str,
        _proven: &'a Who,
        _at: UtcMs,
    ) -> Later<'a, Result<u32, String>> {
        Box::pin(async { Err("nobody asks for any here".to_owned()) })
    }
}

struct Lines(mpsc::UnboundedSender<Line>);

impl CallLog for Lines {
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
        Box::pin(async move {
            lines.iter().for_each(|line| drop(self.0.send(line.clone())));
            Ok(())
        })
    }
}

struct World {
    calls: CallsHandle,
    written: mpsc::UnboundedReceiver<Line>,
    feed: tokio::sync::broadcast::Receiver<FeedEvent>,
    carrier: TrunkHandle,
    arriving: mpsc::Receiver<IncomingCall>,
    phones: Media,
    phone_events: mpsc::Receiver<MediaEvent>,
    legs: LegNumbers,
    srtp: Srtp,
    /// Held messages that were heard.
    heard: mpsc::UnboundedReceiver<Heard>,
}

impl World {
    async fn open(ports: u16, srtp: Srtp) -> Self {
        let (ours, theirs) = (Place::free(), Place::free());
        let legs = LegNumbers::default();
        let secure = (srtp != Srtp::Off).then(certificate);
        let (trunk_side, incoming) = trunk(ours, theirs, legs.clone(), secure.as_ref()).await;
        let (carrier, arriving) = trunk(theirs, ours, LegNumbers::default(), secure.as_ref()).await;
        let (house, mut house_events) = media(ports);
        let (phones, phone_events) = media(ports + 200);
        let feed = Feed::default();
        let watching = feed.subscribe();
        let clock = Arc::new(SystemClock);
        let (desk, from_desk) = DeskHandle::start(clock.clone(), feed.clone());
        let sides = Arc::new(TrunkOnly(trunk_side));
        let wiring = Arc::new(Wiring::new(clock, sides, Arc::new(house), Arc::new(Whistle), legs));
        let (lines, written) = mpsc::unbounded_channel();
        let log = Arc::new(Lines(lines));
        let (news, _) = mpsc::unbounded_channel();
        let (listed, heard) = mpsc::unbounded_channel();
        let (recordings, _) = house::recordings(Arc::new(SystemClock));
        let figures = FiguresHandle::new(Default::default(), wiring.clock.clone(), feed.clone());
        let parts = CallsParts {
            wiring,
            desk,
            feed,
            accounts: Arc::new(Book),
            log,
            callbacks: Arc::new(Promises),
            check_ins: Arc::new(check_in_tests::Listed(listed)),
            greetings: Arc::new(Promises),
            numbering: Numbering::default(),
            shown: Vec::new(),
            recordings,
            figures,
            park: ParkTimes::default(),
            station: Station::default(),
            news,
        };
        let calls = CallsHandle::start(parts, from_desk);
        tokio::spawn(calls.clone().take_in(incoming));
        let shards = calls.clone();
        tokio::spawn(async move {
            while let Some(event) = house_events.recv().await {
                shards.on_media(event);
            }
        });
        let legs = LegNumbers::default();
        Self { calls, written, feed: watching, carrier, arriving, phones, phone_events, legs, srtp, heard }
    }

    fn phone(&self) -> (LegId, Session) {
        let leg = self.legs.fresh();
        let address = self.phones.open_rtp(self.phones.pick_shard(), leg).expect("a port");
        (leg, self.session(leg, address))
    }

    fn session(&self, leg: LegId, address: SocketAddr) -> Session {
        let keys = OwnKeys::new([[leg.0 as u8; 30], [leg.0 as u8 + 1; 30]]);
        Session::new(leg.0, address, &[Codec::Pcmu]).with_srtp(self.srtp, keys)
    }

    async fn finished(&mut self) -> CallEnd {
        let finished = async {
            loop {
                if let Some(Line::Finished { end, .. }) = self.written.recv().await {
                    return end;
                }
            }
        };
        soon("the end on record", finished).await
    }

    /// Packets that the phone heard, once it is put down.
    async fn heard(&mut self, leg: LegId) -> u64 {
        self.phones.close(leg);
        let closed = async {
            loop {
                match self.phone_events.recv().await {
                    Some(MediaEvent::Closed { leg: l, stats }) if l == leg => return stats.packets_in,
                    Some(_) => {}
                    None => return 0,
                }
            }
        };
        soon("the phone's figures", closed).await
    }
}

async fn soon<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), wanted).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

#[tokio::test]
async fn a_caller_is_answered_hears_the_greeting_and_music_and_leaves() {
    caller_is_answered(World::open(30_000, Srtp::Off).await).await;
}

#[tokio::test]
async fn so_is_a_caller_over_a_trunk_that_encrypts() {
    caller_is_answered(World::open(31_200, Srtp::Required).await).await;
}

async fn caller_is_answered(mut world: World) {
    let (leg, mut session) = world.phone();
    let (events, mut told) = mpsc::channel(32);
    world.carrier.dial(leg, dialled("+12025550102", Some("+12025550150")), session.offer(), events);
    let answer = soon("an answer", async {
        loop {
            match told.recv().await.expect("the leg lives") {
                LegEvent::Answered(sdp) => return sdp,
                LegEvent::Ended(why) => panic!("not answered: {why:?}"),
                _ => {}
            }
        }
    });
    let agreed = session.accept(&answer.await).expect("an answer to our offer");
    assert_eq!(agreed.srtp.is_some(), world.srtp == Srtp::Required);
    world.phones.connect_rtp(leg, agreed.into()).expect("the phone's leg");
    // Queued: the whole greeting was played in real time.
    let queued = async {
        loop {
            if let Ok(FeedEvent::Call { call }) = world.feed.recv().await
                && call.state == CallState::Queued
            {
                return call;
            }
        }
    };
    let view = soon("the queue", queued).await;
    assert_eq!((view.caller, view.did), (Some(number("+12025550150")), number("+12025550102")));
    world.carrier.send(leg, LegCommand::HangUp);
    let end = world.finished().await;
    assert_eq!((end.outcome.as_str(), end.cause), ("abandoned", Cause::HungUp));
    let packets = world.heard(leg).await;
    assert!(packets >= 45, "a second of greeting in 20 ms packets: {packets}");
}

#[tokio::test]
async fn a_number_of_no_account_does_not_exist() {
    let world = World::open(30_400, Srtp::Off).await;
    let (leg, mut session) = world.phone();
    let (events, mut told) = mpsc::channel(32);
    world.carrier.dial(leg, dialled("+12025550199", None), session.offer(), events);
    let why = soon("a refusal", async {
        loop {
            if let LegEvent::Ended(why) = told.recv().await.expect("the leg lives") {
                return why;
            }
        }
    });
    assert_eq!(why.await, Cause::WrongNumber);
}

#[tokio::test]
async fn a_call_out_is_heard_and_confirmed_by_keys_of_a_real_phone() {
    call_out_is_confirmed(World::open(30_800, Srtp::Off).await, str::to_owned).await;
}

#[tokio::test]
async fn so_is_a_call_out_over_a_trunk_that_encrypts() {
    call_out_is_confirmed(World::open(31_600, Srtp::Required).await, str::to_owned).await;
}

/// RFC 3264 §6.1: each side sends with the types that the other gave.
#[tokio::test]
async fn so_is_a_call_out_whose_answer_gives_keys_another_type_than_our_offer_did() {
    let otherwise = |answer: &str| {
        assert!(answer.contains("RTP/AVP 0 101") && answer.contains("rtpmap:101 telephone-event"), "{answer}");
        answer
            .replace("RTP/AVP 0 101", "RTP/AVP 0 96")
            .replace("rtpmap:101", "rtpmap:96")
            .replace("fmtp:101", "fmtp:96")
    };
    call_out_is_confirmed(World::open(32_400, Srtp::Off).await, otherwise).await;
}

async fn call_out_is_confirmed(mut world: World, on_the_way: impl Fn(&str) -> String) {
    let (events, mut told) = mpsc::unbounded_channel();
    let request = CallOutRequest {
        attempt: AttemptId::named("one"),
        account: Some(AccountId::named("plumbing")),
        person: None,
        to: number("+12025550190"),
        caller_id: Some(number("+12025550102")),
        ring_secs: 30,
        intro: "Intro.".into(),
        content: Some("Content.".into()),
        leave: None,
        pin: None,
        caller: None,
        longest_talk_secs: None,
    };
    world.calls.place(request, events);
    let mut ringing = soon("the phone to ring", world.arriving.recv()).await.expect("a call");
    assert_eq!(ringing.did, Some(number("+12025550190")));
    let leg = ringing.leg;
    let address = world.phones.open_rtp(world.phones.pick_shard(), leg).expect("a port");
    let mut session = world.session(leg, address);
    let (answer, agreed) = session.answer(&ringing.offer.take().expect("an offer")).expect("an answer");
    assert_eq!(agreed.srtp.is_some(), world.srtp == Srtp::Required);
    world.phones.connect_rtp(leg, agreed.into()).expect("the phone's leg");
    let alone = HearMatrix::default().with(leg, &[Source::Ringback]);
    world.phones.set_bridge(world.phones.pick_shard(), BridgeId(1), 1, alone);
    world.carrier.send(leg, LegCommand::Ring);
    let answer = on_the_way(&String::from_utf8(answer).expect("our words are text"));
    world.carrier.send(leg, LegCommand::Answer(answer.into_bytes()));
    let mut got = vec![];
    let whole = async {
        while let Some((_, event)) = told.recv().await {
            if matches!(event, CallOutEvent::Answered | CallOutEvent::Told) {
                world.phones.press_keys(leg, "1").expect("the phone's leg");
            }
            got.push(event);
        }
    };
    soon("the call-out to end", whole).await;
    let ended = CallOutEvent::Ended(OutboundEnd::Confirmed);
    assert_eq!(
        got,
        [CallOutEvent::Ringing, CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Confirmed, ended]
    );
    assert_eq!(world.finished().await.outcome, "confirmed");
}

#[tokio::test]
async fn a_held_message_is_heard_and_marked_by_keys_of_a_real_phone() {
    let mut world = World::open(32_000, Srtp::Off).await;
    let (leg, mut session) = world.phone();
    let (events, mut told) = mpsc::channel(32);
    world.carrier.dial(leg, dialled(check_in_tests::LINE, Some("+12025550150")), session.offer(), events);
    let answer = soon("an answer", async {
        loop {
            match told.recv().await.expect("the leg lives") {
                LegEvent::Answered(sdp) => return sdp,
                LegEvent::Ended(why) => panic!("not answered: {why:?}"),
                _ => {}
            }
        }
    });
    let agreed = session.accept(&answer.await).expect("an answer to our offer");
    world.phones.connect_rtp(leg, agreed.into()).expect("the phone's leg");
    let alone = HearMatrix::default().with(leg, &[Source::Ringback]);
    world.phones.set_bridge(world.phones.pick_shard(), BridgeId(1), 1, alone);
    soon("the question for the PIN", async {
        loop {
            if let Ok(FeedEvent::Call { call }) = world.feed.recv().await
                && call.state == CallState::CheckIn
            {
                return;
            }
        }
    })
    .await;
    // The message is a second long. What is pressed before its end counts for nothing, what comes after once.
    world.phones.press_keys(leg, "4711#").expect("the phone's leg");
    soon("the PIN to be taken", async {
        loop {
            if let Some(Line::Event { kind, .. }) = world.written.recv().await
                && kind == "checked_in"
            {
                return;
            }
        }
    })
    .await;
    world.phones.press_keys(leg, "222222222222").expect("the phone's leg");
    let heard = soon("the message to be marked", world.heard.recv()).await.expect("a message");
    assert_eq!((heard.dispatch.as_str(), heard.who.as_str()), ("dsp_one", "Ada"));
    world.carrier.send(leg, LegCommand::HangUp);
    assert_eq!(world.finished().await.outcome, "checked_in");
    let packets = world.heard(leg).await;
    assert!(packets >= 95, "a second of greeting and one of the message in 20 ms packets: {packets}");
}
