//! Desk phones against the registrar over real sockets: the right secret, wrong ones, none, and a phone that
//! is removed.

use std::net::{IpAddr, SocketAddr};

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};

use super::devices::KnownDevice;
use super::*;
use crate::base::clock::{SharedClock, SystemClock, TestClock, UtcMs};
use crate::base::phone::PhoneNumber;
use crate::domain::call::cause::Cause;
use crate::domain::call::transfer::TransferProgress;
use crate::domain::operator::Phone;
use crate::domain::operator::extension::Extension;
use crate::engine::signal::{Dialled, LEG_EVENT_DEPTH, LegCommand};
use crate::io::net::{Doors, WsFlow};
use crate::io::store::devices::DeviceHashes;
use crate::proto::sip::digest::client::{Asked, Login, credentials, pick_challenge};
use crate::proto::sip::digest::fields::Challenge;
use crate::proto::sip::message::Headers;

pub(super) const SECRET: &str = "a secret of many bits";
pub(super) const USER: &str = "kim-desk";
const LEES: &str = "lee-desk";

/// Desk phones by name: Kim's, and Lee's one.
fn devices(names: &[&str]) -> Devices {
    let known = |name: &&str| {
        let (owner, extension) = match *name {
            USER => ("kim", "203"),
            LEES => ("lee", ""),
            _ => ("kim", ""),
        };
        let known = KnownDevice {
            id: DeviceId::named(name),
            owner: UserId::named(owner),
            owner_login: owner.to_owned(),
            owner_name: format!("\"{owner}\" of ours"),
            extension: Extension::parse(extension).ok(),
            hashes: DeviceHashes::of(name, &SecretString::from(SECRET.to_owned())),
        };
        ((*name).to_owned(), known)
    };
    Devices::new(names.iter().map(known).collect())
}

pub(super) struct House {
    pub(super) handle: RegistrarHandle,
    pub(super) changes: mpsc::UnboundedReceiver<PhoneChange>,
    devices: watch::Sender<Devices>,
    calls: mpsc::Receiver<PhoneCall>,
}

async fn house() -> House {
    house_at(Arc::new(SystemClock)).await
}

async fn house_at(clock: SharedClock) -> House {
    house_of(&[USER, LEES], clock).await
}

pub(super) async fn house_with(phones: &[&str]) -> House {
    house_of(phones, Arc::new(SystemClock)).await
}

async fn house_of(phones: &[&str], clock: SharedClock) -> House {
    house_seen_at(Vec::new(), phones, clock).await
}

async fn house_seen_at(public: Vec<IpAddr>, phones: &[&str], clock: SharedClock) -> House {
    let (sender, devices) = watch::channel(devices(phones));
    let check: TokenCheck = Arc::new(|_| None);
    let bind = "127.0.0.1:0".parse().expect("an address");
    let digests = vec![Algorithm::SHA_256, Algorithm::MD5];
    let mut settings = PhoneSettings::new(Doors::plain(bind), check, devices, digests);
    let (made, calls) = mpsc::channel(8);
    settings.calls = Some(made);
    settings.public = public;
    let (handle, changes) = spawn(settings, clock).await.expect("a free port");
    House { handle, changes, devices: sender, calls }
}

/// A telephone that can only do UDP.
pub(super) struct Handset {
    pub(super) socket: UdpSocket,
    to: SocketAddr,
    pub(super) cseq: u32,
    user: &'static str,
}

impl Handset {
    pub(super) async fn new(house: &House, user: &'static str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        Self { socket, to: house.handle.local(), cseq: 0, user }
    }

    pub(super) async fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.to).await.expect("loopback takes a datagram");
    }

    /// The next message that says something.
    pub(super) async fn receive(&self) -> String {
        loop {
            let message = self.receive_any().await;
            if !message.starts_with("SIP/2.0 100 ") {
                return message;
            }
        }
    }

    async fn receive_any(&self) -> String {
        let mut buffer = vec![0; 4096];
        let received = tokio::time::timeout(Duration::from_secs(5), self.socket.recv(&mut buffer));
        let len = received.await.expect("in time").expect("received");
        String::from_utf8(buffer[..len].to_vec()).expect("text")
    }

    fn register(&mut self, authorization: &str, contact: &str, expires: u32) -> String {
        self.cseq += 1;
        let (user, cseq) = (self.user, self.cseq);
        format!(
            "REGISTER sip:cordboard.local SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.8.7:5060;branch=z9hG4bK{user}{cseq};rport\r\n\
             From: <sip:{user}@cordboard.local>;tag=1\r\nTo: <sip:{user}@cordboard.local>\r\nCall-ID: call-of-{user}\r\n\
             CSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n{authorization}Contact: {contact}\r\nExpires: {expires}\r\n\
             User-Agent: a telephone that says as much of itself as telephones do, 1.2.3 (build 4567)\r\n\
             Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY, MESSAGE\r\nContent-Length: 0\r\n\r\n"
        )
    }

    /// A call of its own.
    fn invite(&self, authorization: &str, cseq: u32) -> String {
        let user = self.user;
        format!(
            "INVITE {TARGET} SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.8.7:5060;branch=z9hG4bKi{user}{cseq};rport\r\n\
             From: <sip:{user}@cordboard.local>;tag=7\r\nTo: <{TARGET}>\r\nCall-ID: second-of-{user}\r\n\
             CSeq: {cseq} INVITE\r\nMax-Forwards: 70\r\n{authorization}Contact: {CONTACT}\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    async fn ask(&mut self, authorization: &str, contact: &str, expires: u32) -> String {
        let register = self.register(authorization, contact, expires);
        self.send(register.as_bytes()).await;
        self.receive().await
    }

    /// Registers as it should be done, with this secret and algorithm.
    pub(super) async fn log_in(&mut self, secret: &str, algorithm: Algorithm, contact: &str, expires: u32) -> String {
        let challenged = self.ask("", contact, expires).await;
        assert!(challenged.starts_with("SIP/2.0 401 "), "{challenged}");
        let authorization = answer(&challenged, self.user, secret, algorithm, 1);
        self.ask(&authorization, contact, expires).await
    }
}

fn challenge(response: &str, algorithm: Algorithm) -> Challenge {
    let mut headers = Headers::default();
    for line in response.lines() {
        if let Some((name, value)) = line.split_once(": ") {
            headers.push(name, value);
        }
    }
    let all = Challenge::all_in(&headers);
    assert_eq!(pick_challenge(&all, Some(REALM)).map(|c| c.algorithm), Some(Algorithm::SHA_256), "{response}");
    all.into_iter().find(|c| c.algorithm == algorithm).expect("offered")
}

/// The same for another request, by SHA-256, with a challenge used for the first time.
fn answer_for(method: &str, uri: &str, response: &str, secret: &str, count: u32) -> String {
    let login = Login { user: USER.to_owned(), password: SecretString::from(secret.to_owned()), realm: None };
    let asked = Asked { method, uri, body: b"" };
    let challenge = challenge(response, Algorithm::SHA_256);
    format!("Authorization: {}\r\n", credentials(&challenge, &login, asked, "cn", count))
}

fn answer(response: &str, user: &str, secret: &str, algorithm: Algorithm, count: u32) -> String {
    let login = Login { user: user.to_owned(), password: SecretString::from(secret.to_owned()), realm: None };
    let asked = Asked { method: "REGISTER", uri: "sip:cordboard.local", body: b"" };
    format!("Authorization: {}\r\n", credentials(&challenge(response, algorithm), &login, asked, "cn", count))
}

pub(super) const CONTACT: &str = "<sip:kim-desk@10.9.8.7:5060>";
/// Whom the phone calls.
const TARGET: &str = "sip:2025550142@cordboard.local";

#[tokio::test]
async fn a_desk_phone_registers_by_either_algorithm_and_is_rung_where_it_really_is() {
    for algorithm in [Algorithm::SHA_256, Algorithm::MD5] {
        let mut house = house().await;
        let kim = UserId::named("kim");
        let mut phone = Handset::new(&house, USER).await;
        let accepted = phone.log_in(SECRET, algorithm, CONTACT, 3600).await;
        assert!(accepted.starts_with("SIP/2.0 200 "), "{accepted}");
        let expires: u32 = accepted
            .lines()
            .find_map(|l| l.strip_prefix(&format!("Contact: {CONTACT};expires=")))
            .and_then(|n| n.parse().ok())
            .expect("its own contact");
        assert!(expires <= 60, "short behind a NAT: {expires}");
        assert!(accepted.contains("received=127.0.0.1"), "{accepted}");
        assert_eq!(house.changes.recv().await, Some((kim.clone(), Phones::of(Phone::DeskPhone))));

        let (events, _heard) = mpsc::channel(LEG_EVENT_DEPTH);
        house.handle.ring(LegId(1), &kim, Phone::DeskPhone, b"v=0\r\n".to_vec(), Vec::new(), events);
        let invite = phone.receive().await;
        assert!(invite.starts_with("INVITE sip:kim-desk@10.9.8.7:5060 SIP/2.0\r\n"), "{invite}");
        // A softphone is not what it has.
        let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
        house.handle.ring(LegId(2), &kim, Phone::Softphone, b"v=0\r\n".to_vec(), Vec::new(), events);
        assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Unreachable))));
    }
}

#[tokio::test]
async fn a_wrong_secret_a_stranger_and_a_borrowed_name_get_nowhere_and_learn_nothing() {
    let house = house().await;
    let mut answers = Vec::new();
    for user in [USER, "nobody"] {
        let mut phone = Handset::new(&house, user).await;
        let refused = phone.log_in("a guess", Algorithm::SHA_256, CONTACT, 60).await;
        assert!(refused.starts_with("SIP/2.0 401 ") && !refused.contains("stale"), "{refused}");
        // All but what differs in every answer: nonce, tag and who asked.
        let nonce = challenge(&refused, Algorithm::MD5).nonce;
        let kept = refused.replace(&nonce, "NONCE").replace(user, "USER");
        let port = phone.socket.local_addr().expect("bound").port().to_string();
        let kept = kept.replace(&port, "PORT");
        let lines: Vec<String> = kept.lines().filter(|l| !l.starts_with("To: ")).map(str::to_owned).collect();
        answers.push(lines);
    }
    assert_eq!(answers[0], answers[1]);

    // Kim's phone may not register lee's.
    let mut phone = Handset::new(&house, USER).await;
    let challenged = phone.ask("", CONTACT, 60).await;
    let authorization = answer(&challenged, USER, SECRET, Algorithm::MD5, 1);
    phone.user = "lee-desk";
    let refused = phone.ask(&authorization, "<sip:lee-desk@10.9.8.7>", 60).await;
    assert!(refused.starts_with("SIP/2.0 403 "), "{refused}");
    assert_eq!(house.handle.phones_of(&UserId::named("kim")), Phones::default());
}

#[tokio::test]
async fn credentials_work_once_and_a_count_goes_on() {
    let house = house().await;
    let mut phone = Handset::new(&house, USER).await;
    let challenged = phone.ask("", CONTACT, 60).await;
    let first = answer(&challenged, USER, SECRET, Algorithm::SHA_256, 1);
    assert!(phone.ask(&first, CONTACT, 60).await.starts_with("SIP/2.0 200 "));
    let replayed = phone.ask(&first, CONTACT, 60).await;
    assert!(replayed.starts_with("SIP/2.0 401 ") && replayed.contains("stale=true"), "{replayed}");
    let second = answer(&challenged, USER, SECRET, Algorithm::SHA_256, 2);
    assert!(phone.ask(&second, CONTACT, 60).await.starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn who_guesses_on_is_heard_no_more_and_the_true_phone_still_is() {
    let house = house().await;
    let mut phone = Handset::new(&house, USER).await;
    assert!(phone.log_in(SECRET, Algorithm::MD5, CONTACT, 60).await.starts_with("SIP/2.0 200 "));
    let mut guesser = Handset::new(&house, "lee-desk").await;
    let mut refusals = 0;
    for _ in 0..15 {
        let challenged = guesser.ask("", CONTACT, 60).await;
        let authorization = answer(&challenged, "lee-desk", "a guess", Algorithm::MD5, 1);
        refusals += usize::from(guesser.ask(&authorization, CONTACT, 60).await.starts_with("SIP/2.0 403 "));
    }
    assert_eq!(refusals, 5, "ten were heard");
    // The same address, but one that was right before.
    assert!(phone.log_in(SECRET, Algorithm::MD5, CONTACT, 60).await.starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn a_removed_phone_is_rung_no_more_and_cannot_come_back() {
    let mut house = house().await;
    let kim = UserId::named("kim");
    let mut phone = Handset::new(&house, USER).await;
    assert!(phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await.starts_with("SIP/2.0 200 "));
    assert_eq!(house.changes.recv().await, Some((kim.clone(), Phones::of(Phone::DeskPhone))));
    house.devices.send_replace(Devices::default());
    assert_eq!(house.changes.recv().await, Some((kim, Phones::default())));
    let refused = phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
    assert!(refused.starts_with("SIP/2.0 401 "), "{refused}");
}

#[tokio::test]
async fn a_phone_switched_off_and_on_has_one_binding_and_good_bye_takes_it_back() {
    let mut house = house().await;
    let kim = UserId::named("kim");
    let mut phone = Handset::new(&house, USER).await;
    phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
    let (mut again, moved) = (Handset::new(&house, USER).await, "<sip:kim-desk@10.9.8.7:5099>");
    again.cseq = 100;
    // Another Call-ID, as after a start.
    let challenged = again.ask("", moved, 60).await;
    let authorization = answer(&challenged, USER, SECRET, Algorithm::MD5, 1);
    let register = again.register(&authorization, moved, 60).replace("call-of", "new-call-of");
    again.send(register.as_bytes()).await;
    let accepted = again.receive().await;
    assert_eq!(accepted.matches("Contact: ").count(), 1, "{accepted}");
    assert!(accepted.contains(moved), "{accepted}");
    assert_eq!(house.changes.recv().await, Some((kim.clone(), Phones::of(Phone::DeskPhone))));

    let authorization = answer(&challenged, USER, SECRET, Algorithm::MD5, 2);
    let register = again.register(&authorization, "*", 0).replace("call-of", "new-call-of");
    again.send(register.as_bytes()).await;
    assert!(again.receive().await.starts_with("SIP/2.0 200 "));
    assert_eq!(house.changes.recv().await, Some((kim, Phones::default())));
}

#[tokio::test]
async fn what_a_phone_asks_outside_a_dialog_is_refused_and_its_keep_alive_answered() {
    let house = house().await;
    let mut phone = Handset::new(&house, USER).await;
    // Not even asked who it is, before it has registered.
    phone.send(phone.invite("", 1).as_bytes()).await;
    let refused = phone.receive().await;
    assert!(refused.starts_with("SIP/2.0 403 ") && !refused.contains("Authenticate"), "{refused}");
    phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
    for method in ["REFER", "OPTIONS", "MESSAGE"] {
        let request = phone.register("", CONTACT, 60).replace("REGISTER", method);
        phone.send(request.as_bytes()).await;
        let refused = phone.receive().await;
        assert!(refused.starts_with("SIP/2.0 403 "), "{refused}");
    }
    phone.send(b"\r\n\r\n").await;
    assert_eq!(phone.receive().await, "\r\n");
}

#[tokio::test]
async fn a_call_that_a_registered_phone_makes_has_to_prove_itself_and_is_told_whom_for() {
    let mut house = house().await;
    let mut phone = Handset::new(&house, USER).await;
    phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
    phone.send(phone.invite("", 1).as_bytes()).await;
    let challenged = phone.receive().await;
    assert!(challenged.starts_with("SIP/2.0 401 "), "{challenged}");
    for (cseq, secret, status) in [(2, "a guess", "SIP/2.0 401 "), (3, SECRET, "SIP/2.0 100 ")] {
        let authorization = answer_for("INVITE", TARGET, &challenged, secret, cseq);
        phone.send(phone.invite(&authorization, cseq).as_bytes()).await;
        let answered = phone.receive_any().await;
        let answered = if status.contains("401") { phone.receive().await } else { answered };
        assert!(answered.starts_with(status), "{answered}");
    }
    let call = tokio::time::timeout(Duration::from_secs(5), house.calls.recv()).await.expect("in time").expect("told");
    let number = PhoneNumber::parse("+12025550142").expect("a number");
    assert_eq!((call.user, call.to), (UserId::named("kim"), Dialled::Number(number)));
    house.handle.send(call.leg, LegCommand::RejectSaying(Cause::Forbidden, "Nobody is there."));
    let refused = phone.receive().await;
    assert!(
        refused.starts_with("SIP/2.0 403 ") && refused.contains("Warning: 399 cordboard.local \"Nobody is there.\""),
        "{refused}"
    );
}

#[tokio::test]
async fn a_colleague_is_dialled_by_log_in_by_extension_or_by_what_the_phone_registers_as() {
    for (dialled, to) in [
        ("lee", Some("lee")),
        ("LEE", Some("lee")),
        ("lee-desk", Some("lee")),
        ("203", Some("kim")),
        ("204", None),
        ("nobody", None),
    ] {
        let mut house = house().await;
        let mut phone = Handset::new(&house, USER).await;
        phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
        let target = format!("sip:{dialled}@cordboard.local");
        phone.send(phone.invite("", 1).replace(TARGET, &target).as_bytes()).await;
        let challenged = phone.receive().await;
        let authorization = answer_for("INVITE", &target, &challenged, SECRET, 2);
        phone.send(phone.invite(&authorization, 2).replace(TARGET, &target).as_bytes()).await;
        let call = tokio::time::timeout(Duration::from_secs(5), house.calls.recv()).await.expect("in time");
        let wanted = to.map_or(Dialled::Unknown, |to| Dialled::Seat(UserId::named(to)));
        assert_eq!(call.expect("told").to, wanted, "{dialled}");
    }
}

#[tokio::test]
async fn a_colleagues_phone_shows_who_calls_and_is_not_made_to_answer_by_itself() {
    let house = house().await;
    let mut phone = Handset::new(&house, "lee-desk").await;
    assert!(phone.log_in(SECRET, Algorithm::MD5, CONTACT, 60).await.starts_with("SIP/2.0 200 "));
    let (events, _heard) = mpsc::channel(LEG_EVENT_DEPTH);
    let (lee, kim) = (UserId::named("lee"), UserId::named("kim"));
    house.handle.ring_for(LegId(1), &lee, &kim, b"v=0\r\n".to_vec().into(), events);
    let invite = phone.receive().await;
    assert!(invite.contains("From: \"kim of ours\" <sip:203@cordboard.local>;tag="), "{invite}");
    assert!(!invite.contains("Answer-Mode") && !invite.contains("answer-after"), "{invite}");
}

#[tokio::test]
async fn a_transfer_is_heard_in_a_call_of_that_phones_and_tells_whom_its_other_call_is_with() {
    let mut house = house().await;
    let kim = UserId::named("kim");
    let mut phone = Handset::new(&house, USER).await;
    phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
    let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
    house.handle.ring(LegId(1_001), &kim, Phone::DeskPhone, b"v=0\r\n".to_vec(), Vec::new(), events);
    let invite = phone.receive().await;
    let of = |text: &str, name: &str| {
        let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line[name.len()..].to_owned()
    };
    let (from, to, id) = (of(&invite, "From: "), of(&invite, "To: "), of(&invite, "Call-ID: "));
    let ok = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {from}\r\nTo: {to};tag=phone\r\nCall-ID: {id}\r\nCSeq: {}\r\n\
         Contact: {CONTACT}\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
        of(&invite, "Via: "),
        of(&invite, "CSeq: ")
    );
    phone.send(ok.as_bytes()).await;
    assert!(phone.receive().await.starts_with("ACK "));
    assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
    let refer = |cseq: u32, to_uri: &str| {
        format!(
            "REFER sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.8.7;branch=z9hG4bKr{cseq};rport\r\nFrom: {to};tag=phone\r\n\
             To: {from}\r\nCall-ID: {id}\r\nCSeq: {cseq} REFER\r\nContact: {CONTACT}\r\nRefer-To: <{to_uri}>\r\n\
             Content-Length: 0\r\n\r\n"
        )
    };
    phone.send(refer(1, "sip:+12025550142@h").as_bytes()).await;
    let number = PhoneNumber::parse("+12025550142").expect("a number");
    match heard.recv().await {
        Some(LegEvent::Transfer { to, consulted: None }) => assert_eq!(to, Dialled::Number(number)),
        other => panic!("{other:?}"),
    }
    for (progress, expected) in [
        (TransferProgress::Begun, vec!["SIP/2.0 202 ", "SIP/2.0 100 Trying"]),
        (TransferProgress::Ringing, vec!["SIP/2.0 180 Ringing"]),
        (TransferProgress::Failed(Cause::Busy), vec!["SIP/2.0 486 Busy Here"]),
    ] {
        house.handle.send(LegId(1_001), LegCommand::Transfer(progress));
        for words in expected {
            let told = phone.receive().await;
            assert!(told.contains(words), "{told}");
            if told.starts_with("NOTIFY ") {
                let ok = told.replace("NOTIFY sip:kim-desk@10.9.8.7:5060 SIP/2.0", "SIP/2.0 200 OK");
                phone.send(ok.split("Contact: ").next().expect("a part").as_bytes()).await;
            }
        }
    }
    // Another call of that phone's, which it makes itself.
    phone.send(phone.invite("", 1).as_bytes()).await;
    let challenged = phone.receive().await;
    let authorization = answer_for("INVITE", TARGET, &challenged, SECRET, 1);
    phone.send(phone.invite(&authorization, 2).as_bytes()).await;
    let second = house.calls.recv().await.expect("told");
    house.handle.send(second.leg, LegCommand::Ring);
    let ringing = phone.receive().await;
    assert!(ringing.starts_with("SIP/2.0 180 "), "{ringing}");
    let tag = of(&ringing, "To: ").split_once(";tag=").expect("a tag").1.to_owned();
    let replaces = |id: &str| format!("sip:b@h?Replaces={id}%3Bto-tag%3D{tag}%3Bfrom-tag%3D7");
    phone.send(refer(2, &replaces("elsewhere")).as_bytes()).await;
    let refused = phone.receive().await;
    assert!(refused.starts_with("SIP/2.0 404 "), "a call that is not there: {refused}");
    phone.send(refer(3, &replaces("second-of-kim-desk")).as_bytes()).await;
    match heard.recv().await {
        Some(LegEvent::Transfer { consulted: Some(leg), .. }) => assert_eq!(leg, second.leg),
        other => panic!("{other:?}"),
    }
    house.handle.send(LegId(1_001), LegCommand::RefuseTransfer(Cause::Busy));
    assert!(phone.receive().await.starts_with("SIP/2.0 486 "));
}

#[tokio::test]
async fn a_short_register_over_udp_is_asked_for_every_digest_and_with_at_most_three_times_its_size() {
    let house = house().await;
    let phone = Handset::new(&house, USER).await;
    for padding in [0, 60, 200, 400] {
        let register = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.8.7:5060;branch=z9hG4bKp{padding};rport\r\nFrom: <sip:k@h>;tag=1\r\n\
             To: <sip:k@h>\r\nCall-ID: {padding}\r\nCSeq: 1 REGISTER\r\nUser-Agent: {}\r\nContent-Length: 0\r\n\r\n",
            "x".repeat(padding)
        );
        phone.send(register.as_bytes()).await;
        let answer = phone.receive().await;
        assert!(answer.len() <= 3 * register.len(), "{} to {}:\n{answer}", answer.len(), register.len());
        for algorithm in ["algorithm=SHA-256", "algorithm=MD5"] {
            assert!(answer.contains(algorithm), "{answer}");
        }
    }
}

/// The next message that says something, of a telephone on a connection.
async fn next_on(stream: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut message = String::new();
        while !message.ends_with("\r\n\r\n") {
            let read = tokio::time::timeout(Duration::from_secs(5), stream.read_line(&mut message));
            assert_ne!(read.await.expect("in time").expect("received"), 0, "closed after {message:?}");
        }
        let length =
            message.lines().find_map(|l| l.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap_or(0));
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("a whole message");
        if !message.starts_with("SIP/2.0 100 ") {
            return message + &String::from_utf8(body).expect("text");
        }
    }
}

/// Registers by a new connection; it, and the count of the next request.
async fn log_in_by_tcp(house: &House, id: &str, cseq: u32, contact: &str) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(TcpStream::connect(house.handle.local()).await.expect("it listens"));
    let mut authorization = String::new();
    for cseq in [cseq, cseq + 1] {
        let register = format!(
            "REGISTER sip:cordboard.local SIP/2.0\r\nVia: SIP/2.0/TCP 10.9.8.7;branch=z9hG4bK{id}{cseq};rport\r\n\
             From: <sip:{USER}@cordboard.local>;tag=1\r\nTo: <sip:{USER}@cordboard.local>\r\nCall-ID: {id}\r\n\
             CSeq: {cseq} REGISTER\r\n{authorization}Contact: {contact}\r\nExpires: 300\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(register.as_bytes()).await.expect("open");
        let answered = next_on(&mut stream).await;
        if answered.starts_with("SIP/2.0 200 ") {
            assert_eq!(answered.matches("Contact: ").count(), 1, "one phone, one way to it: {answered}");
            return stream;
        }
        authorization = answer(&answered, USER, SECRET, Algorithm::SHA_256, 1);
    }
    panic!("not registered");
}

#[tokio::test]
async fn a_call_of_a_desk_phone_that_changed_its_network_goes_on_over_its_new_connection() {
    for (id, count) in [("the-same", 10), ("another", 1)] {
        let house = house().await;
        let mut old = log_in_by_tcp(&house, "the-same", 1, "<sip:kim-desk@10.9.8.7:5060;transport=tcp>").await;
        let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
        house.handle.ring(LegId(1), &UserId::named("kim"), Phone::DeskPhone, b"v=0\r\n".to_vec(), Vec::new(), events);
        let invite = next_on(&mut old).await;
        let of = |name: &str| invite.lines().find(|l| l.starts_with(name)).expect("a header").to_owned();
        let ok = format!(
            "SIP/2.0 200 OK\r\n{}\r\n{}\r\n{};tag=phone\r\n{}\r\n{}\r\nContact: <sip:kim-desk@10.9.8.7:5060;transport=tcp>\r\n\
             Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
            of("Via: "),
            of("From: "),
            of("To: "),
            of("Call-ID: "),
            of("CSeq: ")
        );
        old.write_all(ok.as_bytes()).await.expect("open");
        assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
        assert!(next_on(&mut old).await.starts_with("ACK "));
        // Its network vanishes, and nobody sees the old connection close.
        let mut new = log_in_by_tcp(&house, id, count, "<sip:kim-desk@10.1.1.1:5062;transport=tcp>").await;
        let told = tokio::time::timeout(Duration::from_secs(5), heard.recv()).await.expect("told in time");
        assert!(matches!(told, Some(LegEvent::Moved)), "{told:?}");
        house.handle.send(LegId(1), LegCommand::HangUp);
        let bye = next_on(&mut new).await;
        assert!(bye.starts_with("BYE "), "{bye}");
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), old.read_to_end(&mut rest)).await;
        assert!(closed.is_ok() && rest.is_empty(), "the old one is closed, and nothing more went there");
    }
}

#[tokio::test]
async fn credentials_for_one_number_call_no_other() {
    let mut house = house().await;
    let mut phone = Handset::new(&house, USER).await;
    phone.log_in(SECRET, Algorithm::SHA_256, CONTACT, 60).await;
    phone.send(phone.invite("", 1).as_bytes()).await;
    let challenged = phone.receive().await;
    phone.send(refused_ack(&phone, 1, &challenged).as_bytes()).await;
    let elsewhere = "sip:9005550199@cordboard.local";
    for (cseq, uri) in [(2, elsewhere), (3, "sip:2025550142@elsewhere.invalid"), (4, "no URI")] {
        let authorization = answer_for("INVITE", uri, &challenged, SECRET, cseq);
        phone.send(phone.invite(&authorization, cseq).as_bytes()).await;
        let refused = phone.receive().await;
        assert!(refused.starts_with("SIP/2.0 401 "), "{uri}: {refused}");
        phone.send(refused_ack(&phone, cseq, &refused).as_bytes()).await;
    }
    // Written otherwise, it is the same.
    let authorization = answer_for("INVITE", "sip:%32025550142@CORDBOARD.local", &challenged, SECRET, 5);
    phone.send(phone.invite(&authorization, 5).as_bytes()).await;
    let call = tokio::time::timeout(Duration::from_secs(5), house.calls.recv()).await.expect("in time").expect("told");
    assert_eq!(call.user, UserId::named("kim"));
}

/// Acknowledges a refusal, so that it is not sent again.
fn refused_ack(phone: &Handset, cseq: u32, refused: &str) -> String {
    let to = refused.lines().find(|l| l.starts_with("To: ")).expect("a To").to_owned();
    let invite = phone.invite("", cseq).replace("INVITE", "ACK");
    let own = invite.lines().find(|l| l.starts_with("To: ")).expect("a To").to_owned();
    invite.replace(&own, &to)
}

#[tokio::test]
async fn a_phone_behind_a_nat_that_forgets_after_thirty_seconds_is_spoken_to_before() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let house = house_at(clock.clone()).await;
    let mut phone = Handset::new(&house, USER).await;
    // An address that is not where it comes from.
    let accepted = phone.log_in(SECRET, Algorithm::SHA_256, "<sip:kim@10.9.8.7:5060>", 300).await;
    assert!(accepted.starts_with("SIP/2.0 200"), "{accepted}");
    for _ in 0..2 {
        clock.advance(Duration::from_secs(26));
        let asked = phone.receive().await;
        assert!(asked.starts_with("OPTIONS sip:kim@10.9.8.7:5060 SIP/2.0\r\n"), "{asked}");
        let echoed: String = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "]
            .map(|name| format!("{}\r\n", asked.lines().find(|line| line.starts_with(name)).expect("it has it")))
            .concat();
        phone.send(format!("SIP/2.0 200 OK\r\n{echoed}Content-Length: 0\r\n\r\n").as_bytes()).await;
        // It has been heard when the next thing is.
        phone.ask("", "<sip:kim@10.9.8.7:5060>", 300).await;
    }
}

/// What stands after this, in the first line that begins so.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).expect("it has it")
}

/// The next message that says something.
async fn heard(way: &mut WsFlow) -> String {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(5), way.next()).await.expect("in time").expect("open");
        let text = String::from_utf8(next).expect("text");
        if !text.starts_with("SIP/2.0 100 ") {
            return text;
        }
    }
}

#[tokio::test]
async fn behind_a_nat_a_phone_outside_is_told_an_address_that_its_hang_up_reaches_and_one_in_the_house_the_local_one() {
    let public: IpAddr = "203.0.113.7".parse().expect("an address");
    for (peer, ip) in [("198.51.100.4:40000", "203.0.113.7"), ("192.168.1.55:5060", "127.0.0.1")] {
        let mut house = house_seen_at(vec![public], &[USER], Arc::new(SystemClock)).await;
        let mut phone = Handset::new(&house, USER).await;
        // Any transport will do, and this one takes a peer from anywhere.
        let mut way = house.handle.open_ws(peer.parse().expect("an address"), false).await.expect("open");
        way.receive(phone.register("", CONTACT, 60).into_bytes()).await.expect("open");
        let authorization = answer(&heard(&mut way).await, USER, SECRET, Algorithm::SHA_256, 1);
        way.receive(phone.register(&authorization, CONTACT, 60).into_bytes()).await.expect("open");
        let registered = heard(&mut way).await;
        assert!(registered.starts_with("SIP/2.0 200 "), "{registered}");
        let told = format!("<sip:{ip}:{};transport=ws>", house.handle.local().port());

        let (events, _heard) = mpsc::channel(LEG_EVENT_DEPTH);
        house.handle.ring(LegId(1), &UserId::named("kim"), Phone::Softphone, b"v=0\r\n".to_vec(), Vec::new(), events);
        let rung = heard(&mut way).await;
        assert_eq!(header(&rung, "Contact: "), told, "{peer} is rung");

        way.receive(phone.invite("", 1).into_bytes()).await.expect("open");
        let authorization = answer_for("INVITE", TARGET, &heard(&mut way).await, SECRET, 2);
        way.receive(phone.invite(&authorization, 2).into_bytes()).await.expect("open");
        let call =
            tokio::time::timeout(Duration::from_secs(5), house.calls.recv()).await.expect("in time").expect("told");
        house.handle.send(call.leg, LegCommand::Answer(b"v=0\r\n".to_vec()));
        let answered = heard(&mut way).await;
        assert!(answered.starts_with("SIP/2.0 200 "), "{answered}");
        assert_eq!(header(&answered, "Contact: "), told, "{peer} calls");
    }
}
