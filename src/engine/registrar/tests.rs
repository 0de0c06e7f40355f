//! The phone side, against browsers' WebSockets: registration, ringing, and calls that outlive a connection.

mod roaming;

use super::*;
use crate::base::clock::SystemClock;
use crate::domain::call::cause::Cause;
use crate::domain::operator::Phone;
use crate::engine::signal::LegCommand;
use crate::io::net::WsFlow;

fn register(cseq: u32, token: &str, contact: &str) -> Vec<u8> {
    format!(
        "REGISTER sip:cordboard.local SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKr{cseq}\r\n\
         From: <sip:kim@cordboard.local>;tag=1\r\nTo: <sip:kim@cordboard.local>\r\nCall-ID: r\r\n\
         CSeq: {cseq} REGISTER\r\n{token}Contact: {contact}\r\nExpires: 300\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

async fn next(flow: &mut WsFlow) -> String {
    let bytes = tokio::time::timeout(Duration::from_secs(5), flow.next()).await.expect("in time").expect("open");
    String::from_utf8(bytes).expect("text")
}

async fn start() -> (RegistrarHandle, mpsc::UnboundedReceiver<PhoneChange>) {
    let (_, none) = watch::channel(Devices::default());
    start_with(none).await
}

async fn start_with(devices: watch::Receiver<Devices>) -> (RegistrarHandle, mpsc::UnboundedReceiver<PhoneChange>) {
    let check: TokenCheck = Arc::new(|token| (token == "kims").then(|| UserId::named("kim")));
    let bind = "127.0.0.1:0".parse().expect("an address");
    let digests = vec![Algorithm::SHA_256, Algorithm::MD5];
    let doors = Doors::plain(bind);
    spawn(PhoneSettings::new(doors, check, devices, digests), Arc::new(SystemClock)).await.expect("a free port")
}

const CONTACT: &str = "<sip:abc@xyz.invalid;transport=ws>;+sip.ice;reg-id=1;expires=600";
const TOKEN: &str = "Authorization: Bearer kims\r\n";

/// The answer of a browser that takes the call.
fn answer_to(invite: &str) -> Vec<u8> {
    let line = |name: &str| invite.lines().find(|l| l.starts_with(name)).expect("a header").to_owned();
    format!(
        "SIP/2.0 200 OK\r\n{}\r\n{}\r\n{}{}\r\n{}\r\n{}\r\nContact: <sip:abc@xyz.invalid;transport=ws>\r\n\
         Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
        line("Via: "),
        line("From: "),
        line("To: "),
        if line("To: ").contains(";tag=") { "" } else { ";tag=browser" },
        line("Call-ID: "),
        line("CSeq: ")
    )
    .into_bytes()
}

#[tokio::test]
async fn a_softphone_without_a_token_is_challenged_and_one_with_it_is_rung() {
    let (handle, mut changes) = start().await;
    let kim = UserId::named("kim");
    let mut ws = handle.open_ws("127.0.0.1:9".parse().expect("an address"), false).await.expect("open");
    ws.receive(register(1, "", CONTACT)).await.expect("open");
    let refused = next(&mut ws).await;
    assert!(refused.starts_with("SIP/2.0 401 ") && !refused.contains("Server"), "{refused}");
    for challenge in ["Bearer realm=\"cordboard\"", "algorithm=SHA-256", "algorithm=MD5"] {
        assert!(refused.contains(challenge), "{refused}");
    }
    ws.receive(register(1, "Authorization: Bearer forged\r\n", CONTACT)).await.expect("open");
    assert!(next(&mut ws).await.starts_with("SIP/2.0 403 "));
    assert_eq!(handle.phones_of(&kim), Phones::default());

    ws.receive(register(2, TOKEN, CONTACT)).await.expect("open");
    let accepted = next(&mut ws).await;
    assert!(accepted.starts_with("SIP/2.0 200 OK"), "{accepted}");
    assert!(accepted.contains("Contact: <sip:abc@xyz.invalid;transport=ws>;+sip.ice;reg-id=1;expires="));
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::of(Phone::Softphone))));

    let (events, mut heard) = mpsc::channel(super::super::signal::LEG_EVENT_DEPTH);
    let call = vec![("X-Cordboard-Call".to_owned(), "call_1".to_owned())];
    handle.ring(LegId(1), &kim, Phone::Softphone, b"v=0\r\n".to_vec(), call, events);
    let invite = next(&mut ws).await;
    assert!(invite.starts_with("INVITE sip:abc@xyz.invalid;transport=ws SIP/2.0\r\n"), "{invite}");
    assert!(invite.contains("X-Cordboard-Call: call_1") && invite.ends_with("v=0\r\n"));

    // The browser goes: its binding goes, the ringing leg ends.
    drop(ws);
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::default())));
    assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Unreachable))));
    assert_eq!(handle.phones_of(&kim), Phones::default());
}

#[tokio::test]
async fn an_answered_call_finds_its_browser_again_on_a_new_flow() {
    let (handle, mut changes) = start().await;
    let kim = UserId::named("kim");
    let peer = "127.0.0.1:9".parse().expect("an address");
    let mut ws = handle.open_ws(peer, false).await.expect("open");
    ws.receive(register(1, TOKEN, CONTACT)).await.expect("open");
    next(&mut ws).await;
    let (events, mut heard) = mpsc::channel(super::super::signal::LEG_EVENT_DEPTH);
    handle.ring(LegId(1), &kim, Phone::Softphone, b"v=0\r\n".to_vec(), Vec::new(), events);
    let invite = next(&mut ws).await;
    ws.receive(answer_to(&invite)).await.expect("open");
    assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
    assert!(next(&mut ws).await.starts_with("ACK "));
    drop(ws);
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::of(Phone::Softphone))));
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::default())));

    let mut ws = handle.open_ws(peer, false).await.expect("open");
    ws.receive(register(2, TOKEN, CONTACT)).await.expect("open");
    assert!(next(&mut ws).await.starts_with("SIP/2.0 200"));
    assert!(matches!(heard.recv().await, Some(LegEvent::Moved)));
    handle.send(LegId(1), LegCommand::HangUp);
    assert!(next(&mut ws).await.starts_with("BYE sip:abc@xyz.invalid"));
    assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Released))));
}

#[tokio::test]
async fn a_phone_whose_connection_is_found_dead_while_we_send_is_offline_at_once() {
    let (handle, mut changes) = start().await;
    let kim = UserId::named("kim");
    let mut ws = handle.open_ws("127.0.0.1:9".parse().expect("an address"), false).await.expect("open");
    ws.receive(register(1, TOKEN, CONTACT)).await.expect("open");
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::of(Phone::Softphone))));
    // It asks and never reads: at some point there is no room for one more answer. It does not close.
    for asked in 2..200 {
        if ws.receive(register(asked, "", CONTACT)).await.is_err() {
            break;
        }
    }
    let change = tokio::time::timeout(Duration::from_secs(5), changes.recv()).await;
    assert_eq!(change.expect("in time"), Some((kim, Phones::default())));
}

#[tokio::test]
async fn a_second_browser_of_the_same_user_does_not_take_over_the_first_ones_call() {
    let (handle, mut changes) = start().await;
    let kim = UserId::named("kim");
    let peer = "127.0.0.1:9".parse().expect("an address");
    let mut first = handle.open_ws(peer, false).await.expect("open");
    first.receive(register(1, TOKEN, CONTACT)).await.expect("open");
    next(&mut first).await;
    let (events, mut heard) = mpsc::channel(super::super::signal::LEG_EVENT_DEPTH);
    handle.ring(LegId(1), &kim, Phone::Softphone, b"v=0\r\n".to_vec(), Vec::new(), events);
    let invite = next(&mut first).await;
    first.receive(answer_to(&invite)).await.expect("open");
    assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
    assert!(next(&mut first).await.starts_with("ACK "));
    drop(first);
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::of(Phone::Softphone))));
    assert_eq!(changes.recv().await, Some((kim.clone(), Phones::default())));

    let mut second = handle.open_ws(peer, false).await.expect("open");
    let other = "<sip:def@other.invalid;transport=ws>;expires=600";
    second.receive(register(2, TOKEN, other)).await.expect("open");
    assert!(next(&mut second).await.starts_with("SIP/2.0 200"));
    handle.send(LegId(1), LegCommand::HangUp);
    assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Released))));
    second.receive(register(3, TOKEN, other)).await.expect("open");
    let then = next(&mut second).await;
    assert!(then.starts_with("SIP/2.0 200"), "a call that is not its own: {then}");
}

#[tokio::test]
async fn a_call_hung_up_while_its_phone_is_lost_is_forgotten() {
    let (_, devices) = watch::channel(Devices::default());
    let doors = Doors::plain("127.0.0.1:0".parse().expect("an address"));
    let settings = PhoneSettings::new(doors, Arc::new(|_| None), devices, vec![Algorithm::MD5]);
    let (mut side, ..) = open(settings, Arc::new(SystemClock)).await.expect("a free port");
    let (here, gone) = (DialogId(1), DialogId(2));
    let (events, _heard) = mpsc::channel(super::super::signal::LEG_EVENT_DEPTH);
    side.legs.add(LegId(1), here, events.clone());
    side.legs.add(LegId(2), gone, events);
    side.lost.extend([here, gone]);
    side.legs.on_command(LegId(2), LegCommand::HangUp);
    side.sweep();
    assert_eq!(side.lost, HashSet::from([here]));
}

#[tokio::test]
async fn a_phone_side_that_panicked_is_known_to_be_gone() {
    let (_, devices) = watch::channel(Devices::default());
    let check: TokenCheck = Arc::new(|_| panic!("as it happens"));
    let doors = Doors::plain("127.0.0.1:0".parse().expect("an address"));
    let settings = PhoneSettings::new(doors, check, devices, vec![Algorithm::MD5]);
    let (handle, _changes) = spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
    let mut ws = handle.open_ws("127.0.0.1:9".parse().expect("an address"), false).await.expect("open");
    ws.receive(register(1, TOKEN, CONTACT)).await.expect("open");
    tokio::time::timeout(Duration::from_secs(5), handle.gone()).await.expect("in time");
}
