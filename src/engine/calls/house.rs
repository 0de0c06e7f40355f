//! The house that call stories happen in: the drivers as they are, with signalling, media, voice and record replaced by
//! channels. No sleeps: each wait is for the next thing the drivers do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use super::book::Accounts;
use super::callbacks::Callbacks;
use super::check_in::{Answer, CheckIns, DutyChange, Heard};
use super::greetings::{Greetings, Spoken, Status};
use super::outbound::Opened;
use super::record::{CallLog, Line, NotWritten};
use super::*;
use crate::base::clock::{SystemClock, UtcMs};
use crate::base::id::{AccountId, DispatchId};
use crate::domain::account::patching::{Found, Whom};
use crate::domain::account::{LeaveMessage, Speech, StatusGreeting};
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId, Source};
use crate::domain::call::outbound::AskPin;
use crate::domain::checkin::Marked;
use crate::domain::checkin::pin::Pin;
use crate::domain::ivr::digits::{Entered, SaidBack};
use crate::domain::operator::{Phone, Phones};
use crate::engine::feed::{RingsBackView, UserRef};
use crate::engine::legs::{Later, LegMedia, MediaFault, Patience, Signalling, Voice};
use crate::engine::signal::{DialOut, LegEvent, Offer};
use crate::engine::sip_side::own_keys;
use crate::engine::trunk::LegNumbers;
use crate::io::fax::Station;
use crate::io::media::prompt::Prompt;
use crate::io::media::take::Take;
use crate::io::media::tune::Tune;
use crate::io::media::{Apart, Codec, PlayId, Reach, RtpParameters, ShardId, Strays};
use crate::io::recording::{Ended, Kind, Tap};
use crate::io::speech::Kept;
use crate::io::store::audit::Who;
use crate::io::store::callbacks::Callback;
use crate::io::store::seal::Seal;
use crate::proto::sdp::{Session, Srtp};

/// What the drivers do to the outside.
#[derive(Debug)]
pub(super) enum Did {
    Asked(DialOut),
    Dialled { leg: LegId, offer: Vec<u8>, events: mpsc::Sender<LegEvent> },
    Rang { leg: LegId, user: UserId, events: mpsc::Sender<LegEvent> },
    Trunk { leg: LegId, command: LegCommand },
    Phone { leg: LegId, command: LegCommand },
    Opened { leg: LegId, strays: Strays },
    Connected { leg: LegId, send: bool },
    Bridged { matrix: HearMatrix },
    Played { leg: LegId, play: PlayId },
    Recorded { leg: LegId, kind: Kind },
    BoundKeys { leg: LegId, bound: KeysBound },
    Tuned { leg: LegId, own: bool },
    TakesDown { leg: LegId, take: Box<Take> },
    EndsTake { leg: LegId },
    Restart(LegId),
    Pressed { leg: LegId, keys: String },
    Moved { leg: LegId, to: ShardId },
    Closed,
    Kept(Callback),
    Read(DispatchId, Who),
    Heard(Heard),
    OnCall(DutyChange),
    KeptGreeting(Spoken),
    PutUp(Status),
    TakenDown(AccountId, String),
    Wrote(Line),
}

#[derive(Clone)]
struct Outside(mpsc::UnboundedSender<Did>, Arc<AtomicUsize>);

impl Outside {
    fn did(&self, did: Did) {
        let _ = self.0.send(did);
    }
}

impl Signalling for Outside {
    fn dial(&self, leg: LegId, call: DialOut, offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.did(Did::Asked(call));
        self.did(Did::Dialled { leg, offer: offer.with(Srtp::Off, own_keys(), [127, 0, 0, 1].into()), events });
    }

    fn phones_of(&self, user: &UserId) -> Phones {
        Phones { both: *user == UserId::named("lee"), ..Phones::of(Phone::Softphone) }
    }

    fn ring_for(&self, leg: LegId, user: &UserId, _by: &UserId, _offer: Offer, events: mpsc::Sender<LegEvent>) {
        self.did(Did::Rang { leg, user: user.clone(), events });
    }

    fn ring(
        &self,
        leg: LegId,
        user: &UserId,
        _phone: Phone,
        _call: &str,
        _offer: Offer,
        events: mpsc::Sender<LegEvent>,
    ) {
        self.did(Did::Rang { leg, user: user.clone(), events });
    }

    fn to_trunk(&self, leg: LegId, command: LegCommand) {
        self.did(Did::Trunk { leg, command });
    }

    fn to_phone(&self, leg: LegId, command: LegCommand) {
        self.did(Did::Phone { leg, command });
    }

    fn hold_off(&self, _hold_off: bool) {}
}

fn address() -> SocketAddr {
    "127.0.0.1:20000".parse().expect("an address")
}

impl LegMedia for Outside {
    /// Each call another.
    fn pick_shard(&self) -> ShardId {
        ShardId(self.1.fetch_add(1, Ordering::Relaxed))
    }

    fn open_rtp(&self, _shard: ShardId, leg: LegId, strays: Strays) -> Result<Reach, MediaFault> {
        self.did(Did::Opened { leg, strays });
        Ok(Reach::at(address()))
    }

    fn open_apart(&self) -> Result<(Reach, Apart), MediaFault> {
        Err(MediaFault("no fax is sent from here".to_owned()))
    }

    fn connect_rtp(&self, leg: LegId, parameters: RtpParameters) {
        self.did(Did::Connected { leg, send: parameters.send });
    }

    fn open_web(&self, _shard: ShardId, _leg: LegId, _prefer: Codec) -> Result<String, MediaFault> {
        Ok("an offer".into())
    }

    fn answer_web(&self, _leg: LegId, _answer: String) -> Result<(), MediaFault> {
        Ok(())
    }

    fn restart_web(&self, leg: LegId) {
        self.did(Did::Restart(leg));
    }

    fn set_bridge(&self, _shard: ShardId, _bridge: BridgeId, _rev: u64, matrix: HearMatrix) {
        self.did(Did::Bridged { matrix });
    }

    fn drop_bridge(&self, _shard: ShardId, _bridge: BridgeId) {}

    fn play(&self, leg: LegId, play: PlayId, _prompt: Arc<Prompt>, _repeat: bool) {
        self.did(Did::Played { leg, play });
    }

    fn stop(&self, _leg: LegId, _play: PlayId) {}

    fn set_tune(&self, leg: LegId, tune: Option<Arc<Tune>>) {
        self.did(Did::Tuned { leg, own: tune.is_some() });
    }

    fn take_down(&self, leg: LegId, take: Box<Take>) {
        self.did(Did::TakesDown { leg, take });
    }

    fn end_take(&self, leg: LegId) {
        self.did(Did::EndsTake { leg });
    }

    fn listen(&self, _leg: LegId) {}

    fn bind_keys(&self, leg: LegId, bound: KeysBound) {
        self.did(Did::BoundKeys { leg, bound });
    }

    fn press_keys(&self, leg: LegId, keys: &str) {
        self.did(Did::Pressed { leg, keys: keys.to_owned() });
    }

    fn record(&self, leg: LegId, _tap: Tap) {
        self.did(Did::Recorded { leg, kind: Kind::Sound });
    }

    fn set_recording(&self, leg: LegId, kind: Kind) {
        self.did(Did::Recorded { leg, kind });
    }

    fn move_leg(&self, leg: LegId, to: ShardId) {
        self.did(Did::Moved { leg, to });
    }

    fn close(&self, _leg: LegId) {
        self.did(Did::Closed);
    }
}

/// Speaks everything at once, but for words that say otherwise: those that are stuck never come.
struct Mouth;

impl Voice for Mouth {
    fn prompt(&self, speech: &Speech) -> Option<Arc<Prompt>> {
        let Speech::Spoken { text } = speech else { return None };
        assert!(text != "panic", "the voice was told to panic");
        (text != "mute" && !is_stuck(speech)).then(crate::engine::mixer::tone)
    }

    fn prepare<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        Box::pin(async move {
            if is_stuck(speech) {
                std::future::pending::<()>().await;
            }
            self.prompt(speech).ok_or_else(|| "no engine".to_owned())
        })
    }

    fn prepare_once<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        self.prepare(speech)
    }
}

fn is_stuck(speech: &Speech) -> bool {
    matches!(speech, Speech::Spoken { text } if text.contains("stuck"))
}

impl CallLog for Outside {
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), NotWritten>> {
        Box::pin(async move {
            lines.iter().for_each(|line| self.did(Did::Wrote(line.clone())));
            Ok(())
        })
    }
}

/// Takes all promises but those of one account.
impl Callbacks for Outside {
    fn entered<'a>(&'a self, _call: &'a CallId) -> Later<'a, Vec<Entered>> {
        let entered = Entered {
            label: "policy number".to_owned(),
            field: None,
            digits: "00471".to_owned().into(),
            said_back: SaidBack::Confirmed,
        };
        Box::pin(async move { vec![entered] })
    }

    fn write<'a>(&'a self, callback: &'a Callback) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            if callback.did.as_e164().ends_with("85") {
                return Err("no room".to_owned());
            }
            self.did(Did::Kept(callback.clone()));
            if callback.end.is_some() {
                // Written, and whoever wrote it does not know yet.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        })
    }
}

impl CheckIns for Outside {
    fn look<'a>(
        &'a self,
        _account: &'a Account,
        _caller: Option<&'a PhoneNumber>,
        pin: &'a Pin,
        _now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { check_in_tests::look(pin) })
    }

    fn vouched<'a>(
        &'a self,
        _account: &'a Account,
        contact: &'a ContactId,
        _now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { Ok(check_in_tests::vouched(contact)) })
    }

    fn opens<'a>(
        &'a self,
        _account: &'a AccountId,
        _called: &'a PhoneNumber,
        _of: &'a AskPin,
        pin: &'a Pin,
        _now: UtcMs,
    ) -> Later<'a, Result<Opened, String>> {
        Box::pin(async move { check_in_tests::opens(pin) })
    }

    fn read<'a>(&'a self, dispatch: &'a DispatchId, to: &'a Who, _at: UtcMs) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            self.did(Did::Read(dispatch.clone(), to.clone()));
            Ok(())
        })
    }

    fn mark<'a>(&'a self, _account: &'a Account, heard: &'a Heard) -> Later<'a, Result<Marked, String>> {
        Box::pin(async move {
            self.did(Did::Heard(heard.clone()));
            Ok(Marked::Noted)
        })
    }

    fn put_on_call<'a>(&'a self, change: &'a DutyChange) -> Later<'a, Result<u32, String>> {
        Box::pin(async move {
            self.did(Did::OnCall(change.clone()));
            Ok(7)
        })
    }
}

impl Greetings for Outside {
    fn keep<'a>(&'a self, greeting: &'a Spoken) -> Later<'a, Result<Kept, String>> {
        Box::pin(async move {
            self.did(Did::KeptGreeting(greeting.clone()));
            let millis = u64::try_from(greeting.prompt.duration().as_millis()).expect("short");
            Ok(Kept { recording: "spoken".to_owned(), millis })
        })
    }

    fn put_up<'a>(&'a self, status: &'a Status) -> Later<'a, Result<(StatusGreeting, u32), String>> {
        Box::pin(async move {
            self.did(Did::PutUp(status.clone()));
            let speech = Speech::Uploaded { recording: "spoken".to_owned() };
            let up = StatusGreeting { speech, words: None, by: status.by.clone(), at: status.at, until: status.until };
            Ok((up, 8))
        })
    }

    fn take_down<'a>(
        &'a self,
        account: &'a AccountId,
        by: &'a str,
        _proven: &'a Who,
        _at: UtcMs,
    ) -> Later<'a, Result<u32, String>> {
        Box::pin(async move {
            self.did(Did::TakenDown(account.clone(), by.to_owned()));
            Ok(9)
        })
    }
}

struct Book(String);

impl Accounts for Book {
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Arc<Account>>, String>> {
        let greeting = if did.as_e164().ends_with("66") { "panic" } else { &self.0 };
        let spoken = |text: &str| Speech::Spoken { text: text.to_owned() };
        let account = Account {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            zone: "America/New_York".into(),
            color: "#123456".into(),
            answer_phrase: "Imaginary Plumbing, how may I help?".into(),
            notes: String::new(),
            faq: Vec::new(),
            greeting: spoken(greeting),
            apology: spoken("apology"),
            comfort: queue_tests::comfort(did),
            dids: vec![did.clone()],
            caller_id: None,
            priority: 0,
            ring_secs: 20,
            max_wait_secs: 120,
            undo_secs: 5,
            secure: Default::default(),
            mail: Default::default(),
            leave_message: LeaveMessage::default(),
            recording: recording_tests::policy(did),
            queueing: queue_tests::queueing(did),
            patching: patch_tests::patching(did),
            hours: flow_tests::hours(did),
            menus: flow_tests::menus(),
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
        Box::pin(async { 3 })
    }

    fn find_people<'a>(
        &'a self,
        _account: &'a AccountId,
        whom: &'a [Whom],
        _now: UtcMs,
    ) -> Later<'a, Result<Vec<Found>, String>> {
        Box::pin(async { Ok(patch_tests::find(whom)) })
    }

    fn find_who_rings_back<'a>(&'a self, caller: &'a PhoneNumber) -> Later<'a, Option<RingsBackView>> {
        Box::pin(async move { ring_back_tests::asked(caller) })
    }
}

/// Recordings that nobody makes.
pub(super) fn recordings(clock: crate::base::clock::SharedClock) -> (Recordings, mpsc::UnboundedReceiver<Ended>) {
    let directory = std::env::temp_dir().join("cordboard-no-recordings");
    Recordings::start(directory, Arc::new(Seal::new(&[7; 32])), clock).expect("a thread")
}

pub(super) fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a valid number")
}

pub(super) fn user(name: &str) -> UserRef {
    UserRef { id: UserId::named(name), name: name.to_owned() }
}

pub(super) struct House {
    pub(super) calls: CallsHandle,
    pub(super) desk: DeskHandle,
    pub(super) feed: tokio::sync::broadcast::Receiver<FeedEvent>,
    pub(super) did: mpsc::UnboundedReceiver<Did>,
    pub(super) legs: LegNumbers,
    pub(super) seen: Vec<Line>,
    /// Ways of legs' events of which a story says no more.
    pub(super) kept: Vec<mpsc::Sender<LegEvent>>,
    /// What the dispatcher is told.
    pub(super) news: mpsc::UnboundedReceiver<CallNews>,
}

impl House {
    pub(super) fn open(greeting: &str) -> Self {
        Self::open_with(greeting, recordings(Arc::new(SystemClock)).0)
    }

    pub(super) fn open_with(greeting: &str, recordings: Recordings) -> Self {
        let (sender, did) = mpsc::unbounded_channel();
        let outside = Arc::new(Outside(sender, Arc::default()));
        let legs = LegNumbers::default();
        let feed = Feed::default();
        let watching = feed.subscribe();
        let clock = Arc::new(SystemClock);
        let (desk, from_desk) = DeskHandle::start(clock.clone(), feed.clone());
        let mut wiring = Wiring::new(clock, outside.clone(), outside.clone(), Arc::new(Mouth), legs.clone());
        // Nobody here is to wait for long.
        let ms = Duration::from_millis;
        wiring.patience = Patience { ask_after: ms(20), ask_every: ms(100), limit: ms(200), once_stuck: ms(50) };
        let wiring = Arc::new(wiring);
        let accounts = Arc::new(Book(greeting.to_owned()));
        let (news, told) = mpsc::unbounded_channel();
        let figures = FiguresHandle::new(Default::default(), wiring.clock.clone(), feed.clone());
        let parts = CallsParts {
            wiring,
            desk: desk.clone(),
            feed,
            accounts,
            log: outside.clone(),
            callbacks: outside.clone(),
            check_ins: outside.clone(),
            greetings: outside,
            numbering: Numbering::default(),
            shown: vec![number(flow_tests::SHOWN)],
            recordings,
            figures,
            park: ParkTimes::default(),
            station: Station::default(),
            news,
        };
        let calls = CallsHandle::start(parts, from_desk);
        Self { calls, desk, feed: watching, did, legs, seen: vec![], kept: vec![], news: told }
    }

    /// Waits for the next thing done that `pick` wants; lines written on the way are kept.
    pub(super) async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Did) -> Option<T>) -> (Did, T) {
        let found = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let did = self.did.recv().await.expect("the house stands");
                if let Did::Wrote(line) = &did {
                    self.seen.push(line.clone());
                }
                if let Some(found) = pick(&did) {
                    return (did, found);
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("waited in vain for: {what}"))
    }

    /// A call in; its leg and where its events go.
    pub(super) fn dials(&self, did: &str, offer: Option<Vec<u8>>) -> (LegId, mpsc::Sender<LegEvent>) {
        self.dials_from("+12025550150", did, offer)
    }

    pub(super) fn dials_from(
        &self,
        caller: &str,
        did: &str,
        offer: Option<Vec<u8>>,
    ) -> (LegId, mpsc::Sender<LegEvent>) {
        let (events, received) = mpsc::channel(8);
        let leg = self.legs.fresh();
        self.calls.take_in_one(IncomingCall {
            leg,
            trunk: "test".into(),
            did: Some(number(did)),
            caller: Some(number(caller)),
            forwarded_from: None,
            verstat: Some("TN-Validation-Failed"),
            offer,
            srtp: Srtp::Off,
            peer: [127, 0, 0, 1].into(),
            events: received,
        });
        (leg, events)
    }

    /// A caller who hears the greeting to its end and waits.
    pub(super) async fn queued(&mut self) -> (LegId, mpsc::Sender<LegEvent>) {
        let (leg, events) = self.dials("+12025550102", Some(offer()));
        self.until("answer", |d| answers(d, leg)).await;
        events.send(LegEvent::Established(None)).await.expect("the call listens");
        let play = self.until("greeting", |d| plays(d, leg)).await.1;
        self.calls.on_media(MediaEvent::PlayDone { leg, play });
        self.hears(leg, &[Source::Music]).await;
        (leg, events)
    }

    pub(super) async fn ready(&self, name: &str) {
        self.desk.heartbeat(user(name), false);
        self.desk.phones(UserId::named(name), Phones::of(Phone::Softphone));
        self.desk.checked(UserId::named(name), Phone::Softphone, true);
        self.desk.set_ready(user(name), true, None).await.expect("may be ready");
    }

    /// Waits until the operator's phone rings and takes the call.
    pub(super) async fn takes(&mut self, name: &str) -> (LegId, mpsc::Sender<LegEvent>) {
        let (did, leg) = self.until("ring", |d| rings(d, name)).await;
        let Did::Rang { events, .. } = did else { unreachable!("rings picks Rang") };
        events.send(LegEvent::Answered(b"an answer".to_vec())).await.expect("the call listens");
        self.calls.on_media(MediaEvent::WebUp { leg });
        (leg, events)
    }

    pub(super) async fn hears(&mut self, leg: LegId, sources: &[Source]) {
        let wanted = sources.to_vec();
        let what = format!("{leg:?} hears {wanted:?}");
        let heard = move |d: &Did| match d {
            Did::Bridged { matrix, .. } => {
                let listed = matrix.rows.iter().any(|(l, _)| *l == leg);
                (listed && matrix.heard_by(leg) == wanted).then_some(())
            }
            _ => None,
        };
        self.until(&what, heard).await;
    }

    pub(super) fn call(&self) -> CallId {
        self.calls.views().first().expect("a live call").id.clone()
    }

    pub(super) async fn does(&self, name: &str, command: Command) -> Result<(), CommandError> {
        self.calls.command(&self.call(), &UserId::named(name), command).await
    }

    pub(super) async fn finished(&mut self) -> CallEnd {
        let finish = |d: &Did| match d {
            Did::Wrote(Line::Finished { end, .. }) => Some(end.clone()),
            _ => None,
        };
        self.until("finish", finish).await.1
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        let kind = |line: &Line| match line {
            Line::Event { kind, .. } => Some(kind.clone()),
            _ => None,
        };
        self.seen.iter().filter_map(kind).collect()
    }

    pub(super) async fn gone(&mut self) {
        self.shown("the call goes from the desks", |e| matches!(e, FeedEvent::CallGone { .. }).then_some(())).await;
    }

    /// Waits until the desks are told what `pick` picks.
    pub(super) async fn shown<T>(&mut self, what: &str, pick: impl Fn(&FeedEvent) -> Option<T>) -> T {
        let told = async {
            loop {
                if let Ok(Some(picked)) = self.feed.recv().await.as_ref().map(&pick) {
                    return picked;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), told).await.expect(what)
    }
}

pub(super) fn offer() -> Vec<u8> {
    Session::new(7, "127.0.0.1:9000".parse().expect("an address"), &[Codec::Pcmu]).offer()
}

pub(super) fn answer_to(offer: &[u8]) -> Vec<u8> {
    let mut session = Session::new(8, "127.0.0.1:9002".parse().expect("an address"), &[Codec::Pcmu]);
    session.answer(offer).expect("an answer").0
}

pub(super) fn answers(did: &Did, of: LegId) -> Option<Vec<u8>> {
    match did {
        Did::Trunk { leg, command: LegCommand::Answer(sdp) } if *leg == of => Some(sdp.clone()),
        _ => None,
    }
}

pub(super) fn plays(did: &Did, to: LegId) -> Option<PlayId> {
    match did {
        Did::Played { leg, play } if *leg == to => Some(*play),
        _ => None,
    }
}

pub(super) fn rings(did: &Did, name: &str) -> Option<LegId> {
    match did {
        Did::Rang { leg, user, .. } if *user == UserId::named(name) => Some(*leg),
        _ => None,
    }
}

pub(super) fn hangs_up(did: &Did, of: LegId) -> Option<()> {
    match did {
        Did::Trunk { leg, command: LegCommand::HangUp } | Did::Phone { leg, command: LegCommand::HangUp } => {
            (*leg == of).then_some(())
        }
        _ => None,
    }
}
