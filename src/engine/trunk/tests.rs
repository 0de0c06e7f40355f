//! Calls out over real sockets, the carriers being played by the test word by word: who is called next, and what
//! becomes of what was given up. Nothing here measures time; the order of what is sent says it.

mod elsewhere;
mod mute;
mod reach;
mod refusing;
mod registered;
mod room;
mod secure;
mod terms;
mod told;
mod whose;

use std::net::Ipv6Addr;

use tokio::net::UdpSocket;
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::*;
use crate::base::clock::{SystemClock, TestClock, UtcMs};
use crate::base::id::AccountId;
use crate::base::numbering::NumberFormat;
use crate::engine::feed::{AlarmLevel, FeedEvent};
use crate::engine::signal::LEG_EVENT_DEPTH;
use crate::io::net::fake_dns::{Known, name_server};

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n";
const BEN: &str = "+12025550110";
/// Nothing here takes anywhere near as long; a test that waits in vain ends by it.
const PATIENCE: Duration = Duration::from_secs(30);

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

/// A carrier's server.
struct Far {
    socket: UdpSocket,
    address: SocketAddr,
}

/// A message that a carrier got.
#[derive(Clone, Debug)]
struct Got {
    text: String,
    from: SocketAddr,
}

impl Got {
    fn line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Far {
    async fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("bound");
        Self { socket, address }
    }

    /// The next message.
    async fn gets_any(&self) -> Got {
        let mut buffer = vec![0; 4_096];
        let (len, from) =
            timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await.expect("a message").expect("a datagram");
        Got { text: String::from_utf8_lossy(&buffer[..len]).into_owned(), from }
    }

    /// The next message that begins so; copies of earlier ones are passed over.
    async fn gets(&self, method: &str) -> Got {
        for _ in 0..50 {
            let got = self.gets_any().await;
            if got.line().starts_with(method) {
                return got;
            }
        }
        panic!("no {method}");
    }

    /// How many messages have arrived that nobody read, but for pings: on a slow machine one more may be on its way.
    fn unread(&self) -> usize {
        let mut buffer = vec![0; 4_096];
        let come = std::iter::from_fn(|| {
            let (len, _) = self.socket.try_recv_from(&mut buffer).ok()?;
            Some(buffer[..len].to_vec())
        });
        come.filter(|message| !message.starts_with(b"OPTIONS ")).count()
    }

    /// All that was sent before has been heard.
    async fn is_heard(&self, house: &House) {
        let asked = format!(
            "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKheard\r\nFrom: <sip:far@h>;tag=1\r\n\
             To: <sip:127.0.0.1>\r\nCall-ID: heard\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            self.address
        );
        self.socket.send_to(asked.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
        self.gets("SIP/2.0 200").await;
    }

    async fn says(&self, to: &Got, status: &str, sdp: bool) {
        let echoed = ["Via", "From", "Call-ID", "CSeq"]
            .map(|name| format!("{name}: {}\r\n", to.header(name).expect("each request has it")))
            .concat();
        let tag = if to.header("To").expect("it has").contains("tag=") { "" } else { ";tag=far" };
        let (kind, body) = if sdp { ("Content-Type: application/sdp\r\n", SDP) } else { ("", "") };
        let text = format!(
            "SIP/2.0 {status}\r\n{echoed}To: {}{tag}\r\nContact: <sip:far@{}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            to.header("To").expect("it has"),
            self.address,
            body.len()
        );
        self.socket.send_to(text.as_bytes(), to.from).await.expect("loopback takes a datagram");
    }
}

/// A trunk side with these carriers, in the order given.
struct House {
    trunk: TrunkHandle,
    calls: mpsc::Receiver<IncomingCall>,
    feed: broadcast::Receiver<FeedEvent>,
    legs: LegNumbers,
}

async fn house(carriers: Vec<Carrier>, change: impl FnOnce(&mut TrunkSettings)) -> House {
    house_at(Arc::new(SystemClock), carriers, change).await
}

async fn house_at(clock: SharedClock, carriers: Vec<Carrier>, change: impl FnOnce(&mut TrunkSettings)) -> House {
    let legs = LegNumbers::default();
    let mut settings = TrunkSettings::new(([127, 0, 0, 1], 0).into(), carriers, legs.clone());
    change(&mut settings);
    let feed = settings.feed.subscribe();
    let (trunk, calls) = spawn(settings, clock).await.expect("a free port");
    House { trunk, calls, feed, legs }
}

fn carrier(far: &Far, priority: u16) -> Carrier {
    let mut carrier = Carrier::new(&format!("carrier-{priority}"), far.address.into());
    carrier.sources = vec!["127.0.0.1".parse().expect("an address")];
    carrier.rules.priority = priority;
    carrier.ping_every = None;
    carrier
}

/// A leg's owner.
struct Caller {
    leg: LegId,
    events: mpsc::Receiver<LegEvent>,
}

impl Caller {
    /// The next event but for word of how much an offer encrypted.
    async fn hears(&mut self) -> LegEvent {
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await.expect("in time").expect("a leg ends with a word");
            if !matches!(event, LegEvent::Offered(_)) {
                return event;
            }
        }
    }

    async fn ends(&mut self) -> Cause {
        match self.hears().await {
            LegEvent::Ended(cause) => cause,
            other => panic!("{other:?}"),
        }
    }
}

impl House {
    fn dials(&self, to: &str) -> Caller {
        self.dials_as(to, None, None)
    }

    fn dials_as(&self, to: &str, caller_id: Option<&str>, account: Option<&str>) -> Caller {
        let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
        let leg = self.legs.fresh();
        let call = DialOut { to: number(to), caller_id: caller_id.map(number), account: account.map(AccountId::named) };
        self.trunk.dial(leg, call, SDP.as_bytes().to_vec(), events);
        Caller { leg, events: received }
    }

    /// The next change of alarms.
    async fn told(&mut self) -> FeedEvent {
        timeout(PATIENCE, self.feed.recv()).await.expect("in time").expect("the feed lives")
    }
}

#[tokio::test]
async fn a_trunk_that_says_503_is_followed_by_the_next_and_the_owner_sees_one_attempt() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&second, 20), carrier(&first, 10)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    first.says(&refused, "503 Service Unavailable", false).await;
    first.gets("ACK").await;
    let taken = second.gets("INVITE").await;
    assert_eq!(taken.line(), format!("INVITE sip:{BEN}@{} SIP/2.0", second.address));
    assert_ne!(taken.header("Call-ID"), refused.header("Call-ID"), "a call of its own for each");
    second.says(&taken, "180 Ringing", false).await;
    assert!(matches!(caller.hears().await, LegEvent::Ringing));
    second.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
    second.gets("ACK").await;
    house.trunk.send(caller.leg, LegCommand::HangUp);
    second.gets("BYE").await;
    assert_eq!(caller.ends().await, Cause::Released);
    assert!(caller.events.recv().await.is_none());
}

#[tokio::test]
async fn a_silent_trunk_is_left_and_its_late_ringing_cancelled() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let silent = first.gets("INVITE").await;
    let taken = second.gets("INVITE").await;
    // Sent at 0, 0.5 and 1.5 s; had it been waited for longer, there would be a fourth.
    assert!(first.unread() <= 2);
    second.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
    first.says(&silent, "180 Ringing", false).await;
    let cancel = first.gets("CANCEL").await;
    assert_eq!(cancel.header("Via"), silent.header("Via"), "it is that INVITE's");
    first.says(&cancel, "200 OK", false).await;
    first.says(&silent, "487 Request Terminated", false).await;
    first.gets("ACK").await;
    house.trunk.send(caller.leg, LegCommand::HangUp);
    assert_eq!(caller.ends().await, Cause::Released, "of the first trunk nothing was told");
}

#[tokio::test]
async fn a_silent_trunk_is_not_left_for_one_that_is_full() {
    let (first, second) = (Far::open().await, Far::open().await);
    let mut small = carrier(&second, 20);
    small.rules.channels = 1;
    let mut broken = carrier(&first, 10);
    broken.rules.calls_per_second = 100;
    let house = house(vec![broken, small], |_| {}).await;
    // The second one's only line is taken.
    let mut before = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    first.says(&refused, "503 Service Unavailable", false).await;
    let taken = second.gets("INVITE").await;
    second.says(&taken, "200 OK", true).await;
    assert!(matches!(before.hears().await, LegEvent::Answered(_)));
    let mut caller = house.dials(BEN);
    let silent = first.gets("INVITE").await;
    // Sent at 0, 0.5, 1.5 and 3.5 s: it is waited for longer than where there is another.
    for _ in 0..3 {
        assert_eq!(first.gets("INVITE").await.header("Via"), silent.header("Via"));
    }
    first.says(&silent, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
}

#[tokio::test]
async fn an_agent_of_ours_that_is_full_is_nobodys_fault() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |settings| settings.max_calls = 1).await;
    let mut up = house.dials(BEN);
    let taken = first.gets("INVITE").await;
    first.says(&taken, "200 OK", true).await;
    assert!(matches!(up.hears().await, LegEvent::Answered(_)));
    first.gets("ACK").await;
    assert_eq!(house.dials(BEN).ends().await, Cause::LinesBusy);
    house.trunk.send(up.leg, LegCommand::HangUp);
    let bye = first.gets("BYE").await;
    first.says(&bye, "200 OK", false).await;
    assert_eq!(up.ends().await, Cause::Released);
    // It would be tried after the other, had it been blamed.
    let _again = house.dials(BEN);
    first.gets("INVITE").await;
    assert_eq!(second.unread(), 0);
}

#[tokio::test]
async fn a_late_answer_of_a_silent_trunk_is_acknowledged_and_hung_up() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let silent = first.gets("INVITE").await;
    let taken = second.gets("INVITE").await;
    second.says(&taken, "180 Ringing", false).await;
    assert!(matches!(caller.hears().await, LegEvent::Ringing));
    first.says(&silent, "200 OK", true).await;
    first.gets("ACK").await;
    let bye = first.gets("BYE").await;
    first.says(&bye, "200 OK", false).await;
    second.says(&taken, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy, "the second goes on as if nothing had been");
}

#[tokio::test]
async fn a_trunk_whose_connection_is_refused_is_followed_by_the_next_at_once() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let second = Far::open().await;
    let mut first = carrier(&second, 10);
    first.target = nobody.into();
    first.over = Carriage::Tcp;
    let house = house(vec![first, carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let taken = second.gets("INVITE").await;
    second.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
}

#[tokio::test]
async fn an_answer_about_the_called_party_is_final() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    for (status, cause) in [
        ("486 Busy Here", Cause::Busy),
        ("603 Decline", Cause::Declined),
        ("607 Unwanted", Cause::Unwanted),
        ("608 Rejected", Cause::Blocked),
        ("404 Not Found", Cause::WrongNumber),
        ("480 Temporarily Unavailable", Cause::Unreachable),
    ] {
        let mut caller = house.dials(BEN);
        let asked = first.gets("INVITE").await;
        first.says(&asked, status, false).await;
        assert_eq!(caller.ends().await, cause, "{status}");
    }
    assert_eq!(second.unread(), 0, "the other trunk was never asked");
}

#[tokio::test]
async fn when_every_trunk_refuses_the_last_word_is_told_once() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    for far in [&first, &second] {
        let asked = far.gets("INVITE").await;
        far.says(&asked, "100 Trying", false).await;
        far.says(&asked, "500 Server Internal Error", false).await;
    }
    assert_eq!(caller.ends().await, Cause::Unreachable);
    assert!(caller.events.recv().await.is_none());
}

#[tokio::test]
async fn a_caller_who_gives_up_while_the_second_trunk_is_tried_leaves_nothing_behind() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    first.says(&refused, "502 Bad Gateway", false).await;
    let ringing = second.gets("INVITE").await;
    second.says(&ringing, "180 Ringing", false).await;
    assert!(matches!(caller.hears().await, LegEvent::Ringing));
    house.trunk.send(caller.leg, LegCommand::HangUp);
    second.gets("CANCEL").await;
    assert_eq!(caller.ends().await, Cause::Released);
}

#[tokio::test]
async fn when_no_trunk_answers_pings_calls_are_tried_all_the_same_and_one_alarm_stands_until_one_does() {
    let far = Far::open().await;
    let mut only = carrier(&far, 10);
    only.ping_every = Some(Duration::from_millis(40));
    let mut house = house(vec![only], |_| {}).await;
    let ping = far.gets("OPTIONS").await;
    assert_eq!(ping.line(), format!("OPTIONS sip:{} SIP/2.0", far.address));
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert_eq!((alarm.level, alarm.dismissible), (AlarmLevel::Critical, false));
    assert!(alarm.text.starts_with("The trunk carrier-10 does not answer. Calls are tried over"), "{}", alarm.text);
    assert_eq!(house.trunk.alarms(), [alarm]);
    let mut caller = house.dials(BEN);
    let tried = far.gets("INVITE").await;
    far.says(&tried, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy, "a carrier may carry calls and answer no pings");
    // Any answer is a sign of life. Old pings, still repeated, are answered too and count for nothing.
    loop {
        let ping = far.gets("OPTIONS").await;
        far.says(&ping, "405 Method Not Allowed", false).await;
        if let Ok(FeedEvent::AlarmGone { id }) = house.feed.try_recv() {
            assert_eq!(id, alarms::DOWN);
            break;
        }
    }
    assert!(house.trunk.alarms().is_empty());
    let _caller = house.dials(BEN);
    far.gets("INVITE").await;
}

#[tokio::test]
async fn a_call_for_help_goes_on_to_a_trunk_that_answers_no_pings() {
    let (up, silent) = (Far::open().await, Far::open().await);
    let mut carriers = [carrier(&up, 20), carrier(&silent, 10)];
    carriers.iter_mut().for_each(|carrier| carrier.rules.emergency = true);
    carriers[1].ping_every = Some(Duration::from_millis(40));
    let mut house = house(carriers.into(), |_| {}).await;
    assert!(matches!(house.told().await, FeedEvent::Alarm { .. }));
    let help = PhoneNumber::emergency("911").expect("an emergency number");
    let mut caller = house.dials(help.as_e164());
    let refused = up.gets("INVITE").await;
    up.says(&refused, "503 Service Unavailable", false).await;
    let taken = silent.gets("INVITE").await;
    silent.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
}

#[tokio::test]
async fn a_full_trunk_is_passed_over_with_all_its_servers_and_rests_for_none_of_it() {
    let (first, second, third) = (Far::open().await, Far::open().await, Far::open().await);
    let service = "_sip._udp.sip.carrier.example.";
    let (server, _) = name_server(vec![
        Known::srv(service, 60, [10, 0, second.address.port()], "a.carrier.example."),
        Known::srv(service, 60, [20, 0, third.address.port()], "b.carrier.example."),
        Known::address("a.carrier.example.", 60, [127, 0, 0, 1]),
        Known::address("b.carrier.example.", 60, [127, 0, 0, 1]),
    ])
    .await;
    let mut narrow = carrier(&second, 20);
    narrow.target = "sip.carrier.example".parse().expect("a target");
    narrow.rules.channels = 1;
    narrow.ping_every = Some(PING_EVERY);
    let mut house = house(vec![narrow, carrier(&first, 10)], |settings| settings.name_server = Some(server)).await;
    for far in [&second, &third] {
        let ping = far.gets("OPTIONS").await;
        far.says(&ping, "200 OK", false).await;
    }
    let mut caller = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    first.says(&refused, "100 Trying", false).await;
    // Meanwhile the other trunk's only channel is taken.
    let from_carrier = format!(
        "INVITE sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKin\r\n\
         From: <sip:+12025550199@h>;tag=1\r\nTo: <sip:+12025550102@127.0.0.1>\r\nCall-ID: in\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:far@{}>\r\nContent-Length: 0\r\n\r\n",
        second.address, second.address
    );
    second.socket.send_to(from_carrier.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
    let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    first.says(&refused, "503 Service Unavailable", false).await;
    assert_eq!(caller.ends().await, Cause::Unreachable);
    assert_eq!(third.unread(), 0, "the second server is of the full trunk too");
    // The channel is free again: the trunk was not to blame, and its first server is the first.
    house.trunk.send(call.leg, LegCommand::Reject(Cause::Busy));
    second.gets("SIP/2.0 486").await;
    let _caller = house.dials(BEN);
    let next = second.gets("INVITE").await;
    assert_eq!(next.line(), format!("INVITE sip:{BEN}@sip.carrier.example SIP/2.0"));
}

#[tokio::test]
async fn a_call_on_the_last_channel_of_its_trunk_still_tries_that_trunks_other_server() {
    let (first, second, other) = (Far::open().await, Far::open().await, Far::open().await);
    let service = "_sip._udp.sip.carrier.example.";
    let (server, _) = name_server(vec![
        Known::srv(service, 60, [10, 0, first.address.port()], "a.carrier.example."),
        Known::srv(service, 60, [20, 0, second.address.port()], "b.carrier.example."),
        Known::address("a.carrier.example.", 60, [127, 0, 0, 1]),
        Known::address("b.carrier.example.", 60, [127, 0, 0, 1]),
    ])
    .await;
    let mut narrow = carrier(&first, 10);
    narrow.target = "sip.carrier.example".parse().expect("a target");
    narrow.rules.channels = 1;
    narrow.ping_every = Some(PING_EVERY);
    let mut next = carrier(&other, 20);
    next.rules.channels = 1;
    next.rules.plan.allowed.push("+33".parse().expect("a pattern"));
    // By this one the second server fails a call, so that it is tried after the other trunk.
    let mut aside = carrier(&second, 30);
    aside.rules.plan.allowed = vec!["+44".parse().expect("a pattern")];
    let house = house(vec![narrow, next, aside], |settings| settings.name_server = Some(server)).await;
    for far in [&first, &second] {
        let ping = far.gets("OPTIONS").await;
        far.says(&ping, "200 OK", false).await;
    }
    let mut failing = house.dials("+442071838750");
    let failed = second.gets("INVITE").await;
    second.says(&failed, "503 Service Unavailable", false).await;
    assert_eq!(failing.ends().await, Cause::Unreachable);
    let mut caller = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    first.says(&refused, "100 Trying", false).await;
    let _fills = house.dials("+33142685300");
    other.gets("INVITE").await;
    first.says(&refused, "503 Service Unavailable", false).await;
    let taken = second.gets("INVITE sip:+1").await;
    second.says(&taken, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy);
}

#[tokio::test]
async fn a_telephone_that_rang_with_audio_is_not_rung_by_another_trunk() {
    for status in ["408 Request Timeout", "500 Server Internal Error", "503 Service Unavailable"] {
        let (first, second) = (Far::open().await, Far::open().await);
        let house = house(vec![carrier(&first, 10), carrier(&second, 20)], |_| {}).await;
        let mut caller = house.dials(BEN);
        let rings = first.gets("INVITE").await;
        first.says(&rings, "183 Session Progress", true).await;
        assert!(matches!(caller.hears().await, LegEvent::EarlyMedia(_)));
        first.says(&rings, status, false).await;
        assert!(matches!(caller.ends().await, Cause::Unreachable | Cause::NoAnswer), "{status}");
        assert_eq!(second.unread(), 0, "{status}");
    }
}

#[tokio::test]
async fn a_trunk_side_for_both_families_finds_a_carrier_that_has_ipv4_alone() {
    let far = Far::open().await;
    let service = "_sip._udp.sip.carrier.example.";
    let (server, _) = name_server(vec![
        Known::srv(service, 60, [10, 0, far.address.port()], "a.carrier.example."),
        Known::address("a.carrier.example.", 60, [127, 0, 0, 1]),
    ])
    .await;
    let mut named = carrier(&far, 10);
    named.target = "sip.carrier.example".parse().expect("a target");
    named.ping_every = Some(PING_EVERY);
    let _house = house(vec![named], |settings| {
        settings.name_server = Some(server);
        settings.bind = (Ipv6Addr::UNSPECIFIED, 0).into();
    })
    .await;
    far.gets("OPTIONS").await;
}

#[tokio::test]
async fn refusals_that_pile_up_alarm_without_a_number_and_go_when_seen_to() {
    let far = Far::open().await;
    let mut house = house(vec![carrier(&far, 10)], |_| {}).await;
    for n in 0..5 {
        let mut caller = house.dials_as(&format!("+2525550{n:03}"), None, Some("plumbing"));
        assert_eq!(caller.ends().await, Cause::Forbidden);
    }
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert!(alarm.dismissible && !alarm.text.contains(|c: char| c.is_ascii_digit()), "{}", alarm.text);
    house.trunk.silence(&alarm.id);
    assert!(matches!(house.told().await, FeedEvent::AlarmGone { .. }));
    assert_eq!(far.unread(), 0, "nothing was sent");
}

#[tokio::test]
async fn an_account_over_its_limit_is_refused_and_others_are_not() {
    let far = Far::open().await;
    let limits = Limits { account_calls: 1, account_calls_per_hour: 2 };
    let house = house(vec![carrier(&far, 10)], |settings| settings.limits = limits).await;
    let mut first = house.dials_as(BEN, None, Some("one"));
    let invite = far.gets("INVITE").await;
    assert_eq!(house.dials_as(BEN, None, Some("one")).ends().await, Cause::Limited);
    let mut other = house.dials_as(BEN, None, Some("other"));
    let others = far.gets("INVITE").await;
    far.says(&others, "486 Busy Here", false).await;
    assert_eq!(other.ends().await, Cause::Busy);
    far.says(&invite, "486 Busy Here", false).await;
    assert_eq!(first.ends().await, Cause::Busy, "and its place is free again");
    let _second = house.dials_as(BEN, None, Some("one"));
    far.gets("INVITE").await;
}

#[tokio::test]
async fn emergency_numbers_go_out_as_dialled_over_a_trunk_registered_for_them() {
    let (plain, registered) = (Far::open().await, Far::open().await);
    let mut second = carrier(&registered, 20);
    second.rules.emergency = true;
    second.numbering.format = NumberFormat::National;
    let house = house(vec![carrier(&plain, 10), second], |_| {}).await;
    let help = PhoneNumber::emergency("911").expect("an emergency number");
    let _caller = house.dials(help.as_e164());
    let invite = registered.gets("INVITE").await;
    assert_eq!(invite.line(), format!("INVITE sip:911@{} SIP/2.0", registered.address));
    assert_eq!(plain.unread(), 0);
}

#[tokio::test]
async fn numbers_are_written_and_read_as_the_carrier_does() {
    let far = Far::open().await;
    let mut british = carrier(&far, 10);
    british.numbering = Numbering { format: NumberFormat::National, ..Numbering::of_country("44") };
    british.rules.plan.allowed = vec!["+44".parse().expect("a pattern")];
    british.caller_ids = vec![number("+442079460100"), number("+442079460102")];
    british.shown = Shown::Pai;
    let mut house = house(vec![british], |_| {}).await;
    let _caller = house.dials_as("+442079460999", Some("+442079460102"), None);
    let invite = far.gets("INVITE").await;
    assert_eq!(invite.line(), format!("INVITE sip:02079460999@{} SIP/2.0", far.address));
    assert!(invite.header("From").expect("it has").starts_with("<sip:02079460100@127.0.0.1>"), "who the customer is");
    assert_eq!(invite.header("P-Asserted-Identity"), Some("<sip:02079460102@127.0.0.1>"), "who calls");

    let from_carrier = format!(
        "INVITE sip:02079460102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKin\r\n\
         From: <tel:7946-0999;phone-context=+4420>;tag=1\r\nTo: <sip:02079460102@127.0.0.1>\r\nCall-ID: in\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:far@{}>\r\nDiversion: <sip:00442079460555@h>;reason=no-answer\r\n\
         Content-Length: 0\r\n\r\n",
        far.address, far.address
    );
    far.socket.send_to(from_carrier.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
    let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    let read = |number: Option<PhoneNumber>| number.map(String::from);
    assert_eq!(read(call.did).as_deref(), Some("+442079460102"));
    assert_eq!(read(call.caller).as_deref(), Some("+442079460999"));
    assert_eq!(read(call.forwarded_from).as_deref(), Some("+442079460555"));
}

#[tokio::test]
async fn a_host_is_found_by_srv_and_its_second_server_takes_what_the_first_refuses() {
    let (first, second) = (Far::open().await, Far::open().await);
    let service = "_sip._udp.sip.carrier.example.";
    let (server, _) = name_server(vec![
        Known::srv(service, 60, [10, 0, first.address.port()], "a.carrier.example."),
        Known::srv(service, 60, [20, 0, second.address.port()], "b.carrier.example."),
        Known::address("a.carrier.example.", 60, [127, 0, 0, 1]),
        Known::address("b.carrier.example.", 60, [127, 0, 0, 1]),
    ])
    .await;
    let mut named = carrier(&first, 10);
    named.target = "sip.carrier.example".parse().expect("a target");
    // Pings say when the name has been looked up.
    named.ping_every = Some(PING_EVERY);
    let house = house(vec![named], |settings| settings.name_server = Some(server)).await;
    for far in [&first, &second] {
        let ping = far.gets("OPTIONS").await;
        far.says(&ping, "200 OK", false).await;
    }
    let mut caller = house.dials(BEN);
    let refused = first.gets("INVITE").await;
    assert_eq!(refused.line(), format!("INVITE sip:{BEN}@sip.carrier.example SIP/2.0"), "a name stays a name");
    first.says(&refused, "503 Service Unavailable", false).await;
    let taken = second.gets("INVITE").await;
    second.says(&taken, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy);
}

#[tokio::test]
async fn a_server_answers_our_calls_without_being_listed_and_calls_in_only_where_its_trunk_says_so() {
    for targets_call in [false, true] {
        let far = Far::open().await;
        let mut unlisted = carrier(&far, 10);
        unlisted.sources = Vec::new();
        unlisted.targets_call = targets_call;
        let mut house = house(vec![unlisted], |_| {}).await;
        let mut caller = house.dials(BEN);
        let invite = far.gets("INVITE").await;
        far.says(&invite, "200 OK", true).await;
        assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
        far.gets("ACK").await;
        let from_server = format!(
            "INVITE sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKin\r\n\
             From: <sip:+12025550199@h>;tag=1\r\nTo: <sip:+12025550102@127.0.0.1>\r\nCall-ID: in\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:far@{}>\r\nContent-Length: 0\r\n\r\n",
            far.address, far.address
        );
        far.socket.send_to(from_server.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
        if targets_call {
            let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
            assert_eq!(call.did.map(String::from).as_deref(), Some("+12025550102"));
        } else {
            far.gets("SIP/2.0 403").await;
            assert!(house.calls.try_recv().is_err(), "nobody hears of it");
        }
    }
}

#[test]
fn only_numbers_of_the_carrier_are_shown() {
    let (a, b, c) = (number("+12025550101"), number("+12025550102"), number("+12025550103"));
    let mut carrier = Carrier::new("c", "carrier.example:5060".parse().expect("a target"));
    carrier.caller_ids = vec![a.clone(), b.clone()];
    assert_eq!(carrier.pick_caller_id(Some(&b)), Some(b));
    assert_eq!(carrier.pick_caller_id(Some(&c)), Some(a));
    carrier.caller_ids.clear();
    assert_eq!(carrier.pick_caller_id(Some(&c)), Some(c));
    assert_eq!(carrier.pick_caller_id(None), None);
}

#[tokio::test]
async fn a_trunk_to_which_no_route_leads_is_not_waited_for() {
    let far = Far::open().await;
    let mut lost = carrier(&far, 10);
    // From the loopback interface the system sends nothing there.
    lost.target = SocketAddr::from(([192, 0, 2, 1], 5060)).into();
    let house = house(vec![lost], |_| {}).await;
    // Silence would be waited for longer than a test is.
    assert_eq!(house.dials(BEN).ends().await, Cause::Unreachable);
}
