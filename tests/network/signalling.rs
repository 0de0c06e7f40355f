//! Signalling through a tenth of loss, doubling and reordering either way: a running trunk side and, as the carrier, an
//! agent of ours with sockets of its own. Calls in and out are answered, changed, given up, refused and hung up by either
//! side; every one of them ends as it should, and nothing of it lingers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::id::{DeviceId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::rng::Rng;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::operator::{Phone, Phones};
use cordboard::engine::registrar::devices::{Devices, KnownDevice};
use cordboard::engine::registrar::{self, PhoneSettings};
use cordboard::engine::signal::{DialOut, IncomingCall, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use cordboard::engine::trunk::{self, Carrier, CarrierAccount, LegNumbers, Registering, TrunkHandle, TrunkSettings};
use cordboard::io::net::{Doors, Endpoint, NetEvent};
use cordboard::io::store::devices::DeviceHashes;
use cordboard::proto::sip::digest::Algorithm;
use cordboard::proto::sip::digest::client::Login;
use cordboard::proto::sip::{
    Admit, Agent, AgentConfig, Command, DialogId, EndReason, Event, Flow, Input, Output, Role, Transport,
};
use secrecy::SecretString;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::own_address;
use super::relay::{Relay, Weather};

const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n";
const BAD: Weather = Weather { lost: 10, doubled: 5, jitter_ms: 30 };
/// Calls either way. What becomes of one is in the last digit of its number: see [`Fate`].
const CALLS: u32 = 60;
/// Longer than any transaction lasts.
const LIMIT: Duration = Duration::from_secs(100);

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Fate {
    /// Answered and hung up by the carrier, after a change if it called.
    HungUpByCarrier,
    /// The same by us.
    HungUpByUs,
    /// Given up by whoever called, while it rings.
    GivenUp,
    /// Refused by whoever is called.
    Refused,
}
use Fate::{GivenUp, HungUpByCarrier, HungUpByUs, Refused};

fn fate(number: &str) -> Fate {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    [HungUpByCarrier, HungUpByUs, GivenUp, Refused][digits.parse::<usize>().expect("digits") % 4]
}

fn number(nth: u32) -> String {
    format!("+120255501{nth:02}")
}

/// How a call ended, as one side saw it.
type Ends = Vec<(String, Fate, String)>;

/// The carrier.
struct FarEnd {
    agent: Agent,
    endpoint: Endpoint,
    /// Towards us.
    flow: Flow,
    numbers: HashMap<DialogId, String>,
    ends: Ends,
    /// Numbers of calls of ours that have reached it.
    reached: mpsc::UnboundedSender<String>,
}

impl FarEnd {
    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.agent.handle(SystemClock.instant(), input);
            while let Some(output) = self.agent.poll_output() {
                match output {
                    Output::Transmit { flow, bytes } | Output::Refuse { flow, bytes } => {
                        self.endpoint.transmit(&flow, bytes).expect("UDP takes it");
                    }
                    Output::Event(event) => inputs.extend(self.on(event).into_iter().map(Input::Command)),
                    Output::CloseFlow { .. } => {}
                }
            }
        }
    }

    async fn next(&mut self) -> Input {
        let due = self.agent.poll_timeout().map(|(at, _)| at.saturating_duration_since(SystemClock.instant()));
        tokio::select! {
            event = self.endpoint.next() => match event {
                NetEvent::Received { flow, bytes } => Input::Received { flow, bytes },
                NetEvent::Closed { .. } | NetEvent::Opened { .. } => unreachable!("it speaks UDP alone"),
            },
            () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => Input::Timeout,
        }
    }

    fn end(&mut self, dialog: DialogId, how: &str) {
        let number = self.numbers.remove(&dialog).unwrap_or_else(|| panic!("{dialog:?} ends twice: {how}"));
        self.ends.push((number.clone(), fate(&number), how.to_owned()));
    }

    fn hang_up(&mut self, dialog: DialogId) -> Vec<Command> {
        self.end(dialog, "hung up");
        vec![Command::Bye { dialog, headers: Vec::new() }]
    }

    fn fate(&self, dialog: DialogId) -> Option<Fate> {
        self.numbers.get(&dialog).map(|number| fate(number))
    }

    fn on(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::Progress { dialog, .. } if self.fate(dialog) == Some(GivenUp) => vec![Command::Cancel { dialog }],
            Event::Answered { dialog, .. } => vec![Command::Reinvite { dialog, sdp: SDP.to_vec() }],
            Event::ReinviteAnswered { dialog, .. } if self.fate(dialog) == Some(HungUpByCarrier) => {
                self.hang_up(dialog)
            }
            Event::Rejected { dialog, status, .. } => {
                self.end(dialog, &status.to_string());
                Vec::new()
            }
            Event::Incoming { dialog, invite, .. } => {
                let number = invite.dialled().expect("a number");
                let number = number.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned();
                let fate = fate(&number);
                self.numbers.insert(dialog, number.clone());
                let _ = self.reached.send(number);
                let ring = Command::Ring { dialog, sdp: None };
                match fate {
                    HungUpByCarrier | HungUpByUs => vec![Command::Answer { dialog, sdp: SDP.to_vec() }, ring],
                    GivenUp => vec![ring],
                    Refused => {
                        self.end(dialog, "refused");
                        vec![Command::Reject { dialog, status: 486, headers: Vec::new() }]
                    }
                }
            }
            Event::Established { dialog, .. } if self.fate(dialog) == Some(HungUpByCarrier) => self.hang_up(dialog),
            Event::Reoffered { dialog, .. } => vec![Command::AnswerReinvite { dialog, sdp: SDP.to_vec() }],
            Event::Canceled { dialog } => {
                self.end(dialog, "given up");
                Vec::new()
            }
            Event::Ended { dialog, why } => {
                self.end(dialog, if why == EndReason::Bye { "bye" } else { "fault" });
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn call(&mut self, number: &str) {
        let dialog = self.agent.next_dialog();
        self.numbers.insert(dialog, number.to_owned());
        self.feed(Input::Command(Command::Invite {
            dialog,
            flow: self.flow,
            request_uri: format!("sip:{number}@{}", self.flow.peer),
            from: "<sip:+12025550199@carrier.example>".to_owned(),
            to: format!("<sip:{number}@{}>", self.flow.peer),
            headers: Vec::new(),
            offer: Some(SDP.to_vec()),
        }));
    }

    /// Turns over until so many calls have ended, and what is left of them has run out.
    async fn run(mut self, calls: usize) -> Ends {
        let all = async {
            while self.ends.len() < calls || self.agent.load() != (0, 0) {
                let input = self.next().await;
                self.feed(input);
            }
        };
        let done = timeout(LIMIT, all).await.is_ok();
        let load = self.agent.load();
        assert!(
            done,
            "{} of {calls} calls have ended, {load:?} in the tables; open: {:?}",
            self.ends.len(),
            self.numbers
        );
        self.ends
    }
}

/// The trunk side, with an owner for each call that comes in.
fn own(trunk: TrunkHandle, mut calls: mpsc::Receiver<IncomingCall>, told: mpsc::UnboundedSender<(String, String)>) {
    tokio::spawn(async move {
        while let Some(mut call) = calls.recv().await {
            let number = call.did.as_ref().expect("a number").as_e164().to_owned();
            let fate = fate(&number);
            let (trunk, told) = (trunk.clone(), told.clone());
            tokio::spawn(async move {
                match fate {
                    Refused => trunk.send(call.leg, LegCommand::Reject(Cause::Busy)),
                    _ => trunk.send(call.leg, LegCommand::Ring),
                }
                if matches!(fate, HungUpByCarrier | HungUpByUs) {
                    trunk.send(call.leg, LegCommand::Answer(SDP.to_vec()));
                }
                while let Some(event) = call.events.recv().await {
                    match event {
                        LegEvent::Reoffered(_) => {
                            trunk.send(call.leg, LegCommand::AnswerReoffer(SDP.to_vec()));
                            if fate == HungUpByUs {
                                trunk.send(call.leg, LegCommand::HangUp);
                            }
                        }
                        LegEvent::Ended(cause) => {
                            let _ = told.send((number.clone(), format!("{cause:?}")));
                        }
                        _ => {}
                    }
                }
            });
        }
    });
}

/// Calls out, each as its number says; how they ended.
fn dial(
    trunk: &TrunkHandle,
    nth: u32,
    legs: &LegNumbers,
    told: mpsc::UnboundedSender<(String, String)>,
    mut gone: watch::Receiver<Vec<String>>,
) {
    let number = number(nth);
    let (leg, fate) = (legs.fresh(), fate(&number));
    let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
    let call = DialOut { to: PhoneNumber::parse(&number).expect("a number"), caller_id: None, account: None };
    trunk.dial(leg, call, SDP.to_vec(), events);
    let trunk = trunk.clone();
    tokio::spawn(async move {
        if fate == GivenUp {
            // Once it rings there, whether or not that was heard here.
            let _ = gone.wait_for(|reached| reached.contains(&number)).await;
            trunk.send(leg, LegCommand::HangUp);
        }
        while let Some(event) = heard.recv().await {
            match event {
                LegEvent::Answered(_) if fate == HungUpByUs => trunk.send(leg, LegCommand::HangUp),
                LegEvent::Ended(cause) => {
                    let _ = told.send((number.clone(), format!("{cause:?}")));
                }
                _ => {}
            }
        }
    });
}

async fn trunk_side(bind: SocketAddr, carrier: SocketAddr) -> (TrunkHandle, mpsc::Receiver<IncomingCall>) {
    let mut settings = settings(carrier);
    settings.bind = bind;
    trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port")
}

fn settings(carrier: SocketAddr) -> TrunkSettings {
    let mut carrier = Carrier::new("carrier", carrier.into());
    carrier.sources =
        vec![carrier.target.to_string().split(':').next().unwrap_or_default().parse().expect("an address")];
    carrier.rules.channels = 1_000;
    carrier.rules.calls_per_second = 1_000;
    carrier.ping_every = None;
    TrunkSettings::new(own_address(0), vec![carrier], LegNumbers::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_comes_up_and_ends_through_a_tenth_of_loss_either_way_and_none_lingers() {
    // The faces have to be known before either side is there: a port that is free at one loopback address most likely
    // is at any.
    let endpoint = Endpoint::bind(own_address(0)).await.expect("a free port");
    let theirs = endpoint.local();
    let free = UdpSocket::bind(own_address(0)).await.expect("a free port");
    let ours = free.local_addr().expect("bound");
    drop(free);
    let faces = [own_address(ours.port()), own_address(theirs.port())];
    let relay = Relay::open([Some(ours), Some(theirs)], faces, BAD, 7);
    relay.translate();
    let (trunk, calls) = trunk_side(ours, faces[1]).await;
    let (told, mut heard) = mpsc::unbounded_channel();
    own(trunk.clone(), calls, told.clone());
    let agent = Agent::new(AgentConfig::new(Role::Trunk, Admit::Any), Rng::seeded(5));
    let flow = Flow { transport: Transport::Udp, local: theirs, peer: faces[0], connection: 0 };
    let (reached, mut arrived) = mpsc::unbounded_channel();
    let mut far = FarEnd { agent, endpoint, flow, numbers: HashMap::new(), ends: Vec::new(), reached };
    let (there, gone) = watch::channel(Vec::new());
    tokio::spawn(async move {
        while let Some(number) = arrived.recv().await {
            there.send_modify(|all: &mut Vec<String>| all.push(number));
        }
    });
    let legs = LegNumbers::default();
    for nth in 0..CALLS {
        far.call(&number(nth));
    }
    // Those out have legs of their own number range.
    for _ in 0..10_000 {
        legs.fresh();
    }
    for nth in 0..CALLS {
        dial(&trunk, nth, &legs, told.clone(), gone.clone());
    }
    let ends = far.run(CALLS as usize * 2).await;
    let mut seen_there: HashMap<(Fate, String), usize> = HashMap::new();
    for (_, fate, how) in ends {
        *seen_there.entry((fate, how)).or_default() += 1;
    }
    let each = CALLS as usize / 4;
    let expected = |list: &[(Fate, &str, usize)]| -> HashMap<(Fate, String), usize> {
        list.iter().map(|(fate, how, count)| ((*fate, (*how).to_owned()), *count)).collect()
    };
    let there = [
        (HungUpByCarrier, "hung up", 2 * each),
        (HungUpByUs, "bye", 2 * each),
        (GivenUp, "487", each),
        (GivenUp, "given up", each),
        (Refused, "486", each),
        (Refused, "refused", each),
    ];
    assert_eq!(seen_there, expected(&there), "as the carrier saw it");
    let mut seen_here: HashMap<(Fate, String), usize> = HashMap::new();
    for _ in 0..CALLS * 2 {
        let (number, how) = timeout(LIMIT, heard.recv()).await.expect("in time").expect("open");
        *seen_here.entry((fate(&number), how)).or_default() += 1;
    }
    let here = [
        (HungUpByCarrier, "HungUp", 2 * each),
        (HungUpByUs, "Released", 2 * each),
        (GivenUp, "HungUp", each),
        (GivenUp, "Released", each),
        (Refused, "Released", each),
        (Refused, "Busy", each),
    ];
    assert_eq!(seen_here, expected(&here), "as we saw it");
    let (lost, passed) = relay.lost();
    assert!(lost * 100 > passed * 3, "the network was too good: {lost} of {passed} lost");
    nothing_lingers(&relay, &trunk, faces[1]).await;
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

/// Asks inside every dialog that ever was, as the far end might: none is known any more (RFC 3261 §12.2.2).
async fn nothing_lingers(relay: &Relay, trunk: &TrunkHandle, face: SocketAddr) {
    let asker = UdpSocket::bind(SocketAddr::new(face.ip(), 0)).await.expect("a free port");
    let mut asked: HashMap<String, (String, String, bool)> = HashMap::new();
    for text in relay.texts(0).into_iter().filter(|text| text.starts_with("SIP/2.0 200")) {
        let (Some(call), Some(from), Some(to)) =
            (field(&text, "Call-ID: "), field(&text, "From: "), field(&text, "To: "))
        else {
            continue;
        };
        // Calls that we made have our tag in From.
        let ours = field(&text, "CSeq: ").is_some_and(|c| c == "1 INVITE") && !from.contains("carrier.example");
        if from.contains(";tag=") && to.contains(";tag=") {
            asked.entry(call.to_owned()).or_insert_with(|| (from.to_owned(), to.to_owned(), ours));
        }
    }
    assert!(asked.len() >= CALLS as usize, "only {} dialogs were seen", asked.len());
    for (nth, (call, (from, to, ours))) in asked.into_iter().enumerate() {
        let (from, to) = if ours { (to, from) } else { (from, to) };
        let request = format!(
            "OPTIONS sip:a@{} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKlinger{nth};rport\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {call}\r\nCSeq: 900 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            trunk.local(),
            asker.local_addr().expect("bound")
        );
        asker.send_to(request.as_bytes(), trunk.local()).await.expect("loopback takes it");
        let mut buffer = [0; 4_096];
        let (len, _) =
            timeout(Duration::from_secs(10), asker.recv_from(&mut buffer)).await.expect("an answer").expect("ok");
        let answer = String::from_utf8_lossy(&buffer[..len]);
        assert!(answer.starts_with("SIP/2.0 481 "), "a dialog lingers: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trunks_register_by_digest_through_a_tenth_of_loss() {
    let secret = SecretString::from("of many bits".to_owned());
    let users: Vec<String> = (0..8).map(|nth| format!("trunk{nth}")).collect();
    let device = |user: &String| {
        let hashes = DeviceHashes::of(user, &secret);
        let known = KnownDevice {
            id: DeviceId::named(user),
            owner: UserId::named(user),
            owner_login: user.clone(),
            owner_name: user.clone(),
            extension: None,
            hashes,
        };
        (user.clone(), known)
    };
    let (_keep, devices) = watch::channel(Devices::new(users.iter().map(device).collect()));
    let digests = vec![Algorithm::SHA_256, Algorithm::MD5];
    let settings_of_phones = PhoneSettings::new(Doors::plain(own_address(0)), Arc::new(|_| None), devices, digests);
    let (registrar, mut changes) =
        registrar::spawn(settings_of_phones, Arc::new(SystemClock)).await.expect("a free port");
    let mut kept = Vec::new();
    for (nth, user) in users.iter().enumerate() {
        let free = UdpSocket::bind(own_address(0)).await.expect("a free port");
        let ours = free.local_addr().expect("bound");
        drop(free);
        let faces = [own_address(ours.port()), own_address(0)];
        let relay = Relay::open([Some(ours), Some(registrar.local())], faces, BAD, nth as u64);
        let mut settings = settings(relay.face(1));
        settings.bind = ours;
        let login = Login { user: user.clone(), password: secret.clone(), realm: None };
        let register = Some(Registering { domain: "cordboard.local".to_owned(), expires: 600 });
        settings.carriers[0].account = Some(CarrierAccount { login, register });
        let trunk = trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
        kept.push((relay, trunk));
    }
    for _ in &users {
        let (_, phones) = timeout(LIMIT, changes.recv()).await.expect("in time").expect("open");
        assert_eq!(phones, Phones::of(Phone::DeskPhone));
    }
    assert!(users.iter().all(|user| registrar.phones_of(&UserId::named(user)) == Phones::of(Phone::DeskPhone)));
}
