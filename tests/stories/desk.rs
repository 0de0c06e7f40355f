//! The words of a story: `desk.phone("Ben").expect_text("burst pipe")`. Time moves only by
//! [`Desk::advance`], from one due moment to the next.

mod people;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SharedClock, TestClock, UtcMs};
use cordboard::base::id::{AttemptId, CallId, ContactId, DispatchId, MessageId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::pii::Pii;
use cordboard::domain::account::Urgency;
use cordboard::domain::alarm::Plan;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::fax::{FaxFault, FaxOutcome};
use cordboard::domain::dispatch::lanes::Rates;
use cordboard::domain::dispatch::patch_step::PatchNews;
use cordboard::domain::dispatch::protocol::Protocol;
use cordboard::domain::dispatch::state::{Phase, State};
use cordboard::domain::message::Message;
use cordboard::domain::message::edition::Change;
use cordboard::engine::alarms::Alarms;
use cordboard::engine::alarms::ringer::{Ringer, RingerParts};
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer, OutboundEnd};
use cordboard::engine::calls::record::{CallLog, Line};
use cordboard::engine::dispatcher::{Dispatcher, Edges, InboxDoor};
use cordboard::engine::feed::{DispatchView, Feed};
use cordboard::engine::inboxes::Inboxes;
use cordboard::engine::mail_in;
use cordboard::engine::recaps::Recaps;
use cordboard::engine::shifts::Shifts;
use cordboard::io::deliver::push::{Push, Pusher};
use cordboard::io::deliver::{
    Answer, Attached, Delivery, Heard, Hearing, Mail, Mailer, Page, Pager, Post, Poster, TextMessage, Texter,
};
use cordboard::io::mail_in::addresses::{Ours, Purpose};
use cordboard::io::store::calls::{CallRecord, Direction};
use cordboard::io::store::inbound::{Arrival, Inbound, PATCH_TRIES};
use cordboard::io::store::users::{HashedPassword, Role, User};
use cordboard::io::store::{Place, Store, StoreConfig};
use tokio::sync::mpsc::UnboundedSender;

use crate::support::temp::TempDir;
use crate::town;

/// 2026-03-07T02:10 in Chicago.
pub const NIGHT: UtcMs = UtcMs(1_772_871_000_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Call,
    Mail,
    Page,
    Push,
    Post,
    Fax,
}

/// Something that reached a person's device.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub at: UtcMs,
    pub kind: Kind,
    pub to: String,
    pub words: String,
}

struct Ring {
    until: UtcMs,
    attempt: AttemptId,
    to: String,
    events: UnboundedSender<(AttemptId, CallOutEvent)>,
}

/// A fax on its way, and what will have become of it.
struct Faxing {
    until: UtcMs,
    attempt: AttemptId,
    outcome: FaxOutcome,
    events: UnboundedSender<(AttemptId, CallOutEvent)>,
}

/// A job on the desks; `seen`: the story knows of it.
struct Job {
    offer: JobOffer,
    events: UnboundedSender<(AttemptId, CallOutEvent)>,
    seen: bool,
}

/// All devices, and the carrier between.
struct Devices {
    clock: TestClock,
    arrived: Mutex<Vec<Arrived>>,
    rings: Mutex<Vec<Ring>>,
    faxes: Mutex<Vec<Faxing>>,
    /// What becomes of the next faxes; after that they arrive.
    fax_fates: Mutex<VecDeque<FaxOutcome>>,
    refuse: Mutex<Option<Delivery>>,
    /// What it says to that in its own words.
    said: Mutex<Option<String>>,
    /// What the push service answers, unless it takes everything.
    unpushed: Mutex<Option<Delivery>>,
    /// What that of one device answers, by where pushes to it go.
    unpushed_at: Mutex<BTreeMap<String, Delivery>>,
    jobs: Mutex<Vec<Job>>,
    /// Jobs that were taken back.
    gone: Mutex<Vec<AttemptId>>,
    sent: Mutex<u32>,
    /// Whom emails went to, and which attempt each was.
    mails: Mutex<Vec<(String, AttemptId)>>,
    /// To whom emails come back before they are answered.
    bounces_first: Mutex<Option<Dispatcher>>,
}

impl Devices {
    fn note(&self, kind: Kind, to: &str, words: String) {
        let at = self.clock.utc();
        self.arrived.lock().expect("unpoisoned").push(Arrived { at, kind, to: to.to_owned(), words });
    }

    fn take(&self) -> Delivery {
        if let Some(refusal) = self.refuse.lock().expect("unpoisoned").clone() {
            return refusal;
        }
        let mut sent = self.sent.lock().expect("unpoisoned");
        *sent += 1;
        Delivery::Accepted { provider_id: Some(format!("SM{sent}")) }
    }
}

impl Texter for Devices {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        let taken = self.take();
        if matches!(taken, Delivery::Accepted { .. }) {
            self.note(Kind::Text, text.to.as_e164(), text.body.clone());
        }
        Box::pin(async move { taken })
    }
}

impl Pager for Devices {
    fn page<'a>(&'a self, page: &'a Page) -> Answer<'a> {
        let taken = self.take();
        if matches!(taken, Delivery::Accepted { .. }) {
            self.note(Kind::Page, page.to.as_str(), page.body.clone());
        }
        Box::pin(async move { taken })
    }

    fn page_and_hear<'a>(&'a self, page: &'a Page) -> Hearing<'a> {
        let said = self.said.lock().expect("unpoisoned").clone();
        Box::pin(async move { Heard::new(self.page(page).await, said.map(Pii::new)) })
    }
}

impl Mailer for Devices {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a> {
        let taken = self.take();
        if !matches!(taken, Delivery::Accepted { .. }) {
            return Box::pin(async move { taken });
        }
        let file = |file: &Attached| format!("[{}, {} octets]", file.name, file.octets.len());
        let attached: String = mail.attached.iter().map(file).collect();
        self.mails.lock().expect("unpoisoned").push((mail.to.clone(), mail.attempt.clone()));
        self.note(Kind::Mail, &mail.to, format!("{}\n{}{}", mail.subject, mail.body, attached));
        let first = self.bounces_first.lock().expect("unpoisoned").clone();
        Box::pin(async move {
            if let Some(dispatcher) = first {
                let ours = vec![Ours { purpose: Purpose::Bounce, attempt: mail.attempt.clone() }];
                let report = delivery_report("first", "failed", "5.1.1").into_bytes();
                mail_in::take(&dispatcher, String::new(), ours, report).await.expect("taken in");
            }
            taken
        })
    }
}

impl Poster for Devices {
    fn post<'a>(&'a self, post: &'a Post) -> Answer<'a> {
        let taken = self.take();
        if matches!(taken, Delivery::Accepted { .. }) {
            self.note(Kind::Post, &post.to, serde_json::to_string(&post.body).expect("JSON"));
        }
        Box::pin(async move { taken })
    }
}

impl Pusher for Devices {
    fn send<'a>(&'a self, push: &'a Push) -> Answer<'a> {
        let own = self.unpushed_at.lock().expect("unpoisoned").get(&push.to.endpoint).cloned();
        let answer = own.or_else(|| self.unpushed.lock().expect("unpoisoned").clone());
        // What broke off had arrived.
        if !matches!(answer, Some(Delivery::Failed { failure: Failure::Permanent | Failure::Temporary, .. })) {
            self.note(Kind::Push, &push.to.endpoint, push.attempt.to_string());
        }
        Box::pin(async move { answer.unwrap_or(Delivery::Accepted { provider_id: None }) })
    }
}

impl CallOut for Devices {
    fn place(&self, request: CallOutRequest, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        let pin = request.pin.map_or("", |_| " After a PIN.");
        let two = request.caller.map_or_else(String::new, |caller| format!(" 2: {}.", caller.as_e164()));
        self.note(
            Kind::Call,
            request.to.as_e164(),
            format!("{} {}{pin}{two}", request.intro, request.content.unwrap_or_default()),
        );
        let until = self.clock.utc().plus_secs(i64::from(request.ring_secs));
        let to = request.to.as_e164().to_owned();
        self.rings.lock().expect("unpoisoned").push(Ring { until, attempt: request.attempt, to, events });
    }

    fn fax(&self, request: FaxRequest, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        let letter = &request.letter;
        let said = letter.answers.iter().map(|answer| &answer.words).chain(&letter.callback).chain(&letter.notes);
        let said: Vec<&str> = said.map(String::as_str).collect();
        self.note(Kind::Fax, request.to.as_e164(), format!("{}: {}", letter.title, said.join("; ")));
        let fate = self.fax_fates.lock().expect("unpoisoned").pop_front();
        let outcome = fate.unwrap_or(FaxOutcome::Delivered { pages: 1 });
        let busy = matches!(outcome, FaxOutcome::Failed { why: FaxFault::Busy | FaxFault::WrongNumber, .. });
        let until = self.clock.utc().plus_secs(if busy { 2 } else { 60 });
        self.faxes.lock().expect("unpoisoned").push(Faxing { until, attempt: request.attempt, outcome, events });
    }

    fn offer(&self, offer: JobOffer, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        let mut jobs = self.jobs.lock().expect("unpoisoned");
        jobs.retain(|job| job.offer.attempt != offer.attempt);
        jobs.push(Job { offer, events, seen: false });
    }

    fn cancel(&self, attempt: &AttemptId) {
        // Its way back to the dispatcher lasts as long as somebody has it.
        for job in self.jobs.lock().expect("unpoisoned").iter_mut().filter(|job| job.offer.attempt == *attempt) {
            job.seen = true;
            self.gone.lock().expect("unpoisoned").push(attempt.clone());
        }
        let mut faxes = self.faxes.lock().expect("unpoisoned");
        if let Some(i) = faxes.iter().position(|fax| fax.attempt == *attempt) {
            let fax = faxes.remove(i);
            let _ = fax.events.send((fax.attempt, CallOutEvent::Faxed(FaxOutcome::Cancelled)));
        }
        let mut rings = self.rings.lock().expect("unpoisoned");
        if let Some(i) = rings.iter().position(|ring| ring.attempt == *attempt) {
            let ring = rings.remove(i);
            let _ = ring.events.send((ring.attempt, CallOutEvent::Ended(OutboundEnd::Cancelled)));
        }
    }
}

pub struct Desk {
    pub dispatcher: Dispatcher,
    pub store: Store,
    pub clock: TestClock,
    devices: Arc<Devices>,
    taken: u32,
    /// Of what she takes or changes from now on.
    pub urgency: Urgency,
    /// How fast what leaves may leave, if the house has decided that.
    pub rates: Option<Rates>,
    /// What is answered beside the usual in what she takes next.
    answers: Vec<(String, String)>,
    /// The call on which she takes it, if the caller is on the line.
    call: Option<CallId>,
    /// T0 of the first dispatch.
    pub opened: UtcMs,
    _directory: Option<TempDir>,
}

/// How the world reaches the inboxes.
pub const PUBLIC_URL: &str = "https://desk.example.com";

fn door(devices: &Arc<Devices>) -> InboxDoor {
    InboxDoor { pusher: devices.clone(), public_url: PUBLIC_URL.to_owned() }
}

/// A person's phones and mailbox.
pub struct Phone<'a> {
    desk: &'a Desk,
    name: &'static str,
}

impl Desk {
    pub async fn at_work(protocol: &Protocol) -> Self {
        let directory = TempDir::new("story");
        let config = StoreConfig::in_directory(directory.path());
        Self::with_store(&config, protocol, Some(directory)).await
    }

    pub async fn on_postgres(url: String, protocol: &Protocol) -> Self {
        let directory = TempDir::new("story");
        let key_file = directory.path().join("key");
        Self::with_store(&StoreConfig { place: Place::Postgres(url), key_file }, protocol, Some(directory)).await
    }

    async fn with_store(config: &StoreConfig, protocol: &Protocol, directory: Option<TempDir>) -> Self {
        let store = Store::open(config, NIGHT).await.expect("the store opens");
        town::settle(&store, protocol, NIGHT).await;
        let clock = TestClock::at(NIGHT);
        let devices = Arc::new(Devices {
            clock: clock.clone(),
            arrived: Mutex::default(),
            rings: Mutex::default(),
            faxes: Mutex::default(),
            fax_fates: Mutex::default(),
            refuse: Mutex::default(),
            said: Mutex::default(),
            unpushed: Mutex::default(),
            unpushed_at: Mutex::default(),
            jobs: Mutex::default(),
            gone: Mutex::default(),
            sent: Mutex::default(),
            mails: Mutex::default(),
            bounces_first: Mutex::default(),
        });
        let edges = Edges {
            mailer: devices.clone(),
            texter: devices.clone(),
            pager: devices.clone(),
            poster: devices.clone(),
            call_out: devices.clone(),
        };
        let shared = Arc::new(clock.clone());
        let dispatcher = Dispatcher::new(store.clone(), shared, Feed::default(), edges, "node");
        dispatcher.open_inboxes(door(&devices));
        dispatcher.recover().await.expect("nothing to take up");
        Self {
            dispatcher,
            store,
            clock,
            devices,
            taken: 0,
            urgency: Urgency::Urgent,
            rates: None,
            answers: vec![],
            call: None,
            opened: NIGHT,
            _directory: directory,
        }
    }

    /// An operator saves a message; its undo time passes, so that now is its T0.
    pub async fn takes(&mut self, problem: &str) -> DispatchId {
        let id = self.saves(problem).await;
        self.advance(5).await;
        id
    }

    /// An operator saves a message.
    pub async fn saves(&mut self, problem: &str) -> DispatchId {
        self.taken += 1;
        let now = self.clock.utc();
        let mut message = town::message(&format!("m{}", self.taken), problem, now);
        message.answers.extend(self.answers.drain(..));
        message.call = self.call.clone();
        message.urgency = self.urgency;
        let account = self.store.find_account(&message.account).await.expect("found").expect("an account");
        let mut tx = self.store.write().await.expect("the store writes");
        tx.insert_message(&message).await.expect("inserted");
        self.dispatcher.open(&mut tx, &message, &account).await.expect("opened");
        tx.commit("test").await.expect("committed");
        if self.taken == 1 {
            self.opened = now.plus_secs(5);
        }
        self.find(&message.id).await
    }

    /// The caller answers something more.
    pub fn answers(&mut self, field: &str, answer: &str) {
        self.answers.push((field.to_owned(), answer.to_owned()));
    }

    /// A caller is on the line from now on, and what is taken is taken on that call.
    pub async fn talks_with_a_caller(&mut self) -> CallId {
        let id = CallId::named("line1");
        let record = CallRecord {
            id: id.clone(),
            account: town::account().id,
            direction: Direction::In,
            trunk: "carrier".into(),
            did: None,
            remote: None,
            forwarded_from: None,
            started_at: self.now(),
            end: None,
        };
        let mut tx = self.store.write().await.expect("the store writes");
        tx.insert_call(&record).await.expect("inserted");
        tx.commit("test").await.expect("committed");
        self.call = Some(id.clone());
        id
    }

    /// What the call tells of a patch to somebody, as its record does.
    pub async fn patch(&self, nth: u32, to: (&str, &str), news: PatchNews) {
        let call = self.call.clone().expect("a caller on the line");
        let (contact, number) = (Some(ContactId::named(to.0)), town::number(to.1));
        let inbound = Inbound {
            provider: PATCH_TRIES.into(),
            provider_msg_id: format!("{call}:{nth:06}"),
            received_at: self.now(),
            what: Arrival::Patching { call, account: Some(town::account().id), contact, number, news },
        };
        self.comes_in(&inbound).await;
    }

    /// The record of the call is written, as far as it has come.
    pub async fn records(&self, lines: &[Line]) {
        CallLog::write(&self.store, lines).await.expect("on record");
    }

    /// Something that came in is there for the dispatcher to find.
    pub async fn comes_in(&self, inbound: &Inbound) {
        let mut tx = self.store.write().await.expect("the store writes");
        assert!(tx.insert_inbound(inbound).await.expect("inserted"));
        tx.commit("test").await.expect("committed");
        self.advance(0).await;
    }

    /// An operator, who is a user from the first time on that she is asked for.
    pub async fn kim(&self) -> UserId {
        let id = UserId::named("kim");
        if self.store.find_user(&id).await.expect("asked").is_none() {
            let kim = User {
                id: id.clone(),
                login: "kim".into(),
                name: "Kim".into(),
                role: Role::Supervisor,
                disabled: false,
                skills: Default::default(),
            };
            let password = HashedPassword::of("correct horse battery".into()).await.expect("long enough");
            let mut tx = self.store.write().await.expect("the store writes");
            tx.insert_user(&kim, &password, NIGHT).await.expect("a user");
            tx.commit("test").await.expect("committed");
        }
        id
    }

    /// An operator changes a message; with `again` its dispatch begins anew.
    pub async fn changes(&self, id: &DispatchId, problem: &str, again: bool) {
        let state = self.state(id).await;
        let before = self.store.find_message(&state.message).await.expect("found").expect("a message");
        let account = self.store.find_account(&before.account).await.expect("found").expect("an account");
        let mut after = Message { edition: before.edition + 1, urgency: self.urgency, ..before };
        after.changed = Some(Change { by: self.kim().await, at: self.now(), unsent: None });
        after.answers.insert("problem".into(), problem.into());
        let mut tx = self.store.write().await.expect("the store writes");
        assert!(tx.change_message(&after).await.expect("written"));
        let follows = self.dispatcher.change(&mut tx, &after, &account, "Kim", again).await.expect("told");
        tx.commit("test").await.expect("committed");
        self.dispatcher.follow_change(follows).await;
    }

    async fn find(&self, message: &MessageId) -> DispatchId {
        self.store.find_dispatch_of_message(message).await.expect("found").expect("a dispatch")
    }

    /// Time passes; what is due happens exactly when it is due. Phones that nobody picks up stop ringing
    /// after their ring time.
    pub async fn advance(&self, secs: i64) {
        let end = self.clock.utc().plus_secs(secs);
        self.dispatcher.tick(self.clock.utc()).await.expect("a tick");
        loop {
            let due = self.dispatcher.next_due().await.expect("a time");
            let ring = self.devices.rings.lock().expect("unpoisoned").iter().map(|ring| ring.until).min();
            let fax = self.devices.faxes.lock().expect("unpoisoned").iter().map(|fax| fax.until).min();
            let Some(next) = [due, ring, fax].into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.to(next);
            let over: Vec<Ring> = {
                let mut rings = self.devices.rings.lock().expect("unpoisoned");
                let (over, on) = rings.drain(..).partition(|ring| ring.until <= next);
                *rings = on;
                over
            };
            for ring in over {
                self.end(ring, OutboundEnd::NotReached(Cause::NoAnswer));
            }
            for fax in self.devices.faxes.lock().expect("unpoisoned").extract_if(.., |fax| fax.until <= next) {
                let event = CallOutEvent::Faxed(fax.outcome);
                fax.events.send((fax.attempt, event)).expect("the dispatcher listens");
            }
            self.dispatcher.tick(self.clock.utc()).await.expect("a tick");
        }
        self.to(end);
        self.dispatcher.tick(end).await.expect("a tick");
    }

    /// Makes and sends the recaps of this account.
    pub fn recaps(&self) -> Recaps {
        let clock = Arc::new(self.clock.clone());
        Recaps::new(self.store.clone(), clock, self.devices.clone(), self.dispatcher.clone())
    }

    /// Tells people of their shifts.
    pub fn shifts(&self) -> Shifts {
        let clock = Arc::new(self.clock.clone());
        let (mailer, texter) = (self.devices.clone(), self.devices.clone());
        Shifts::new(self.store.clone(), clock, mailer, texter, self.dispatcher.clone())
    }

    /// The house's alarm chain by this plan, which watches over the dispatcher, and its driver.
    pub fn alarm_chain(&self, plan: Plan) -> (Alarms, Ringer) {
        let clock: SharedClock = Arc::new(self.clock.clone());
        let alarms = Alarms::new(self.store.clone(), clock.clone(), Feed::default(), plan, "America/Chicago");
        self.dispatcher.watched_by(alarms.clone());
        let house = self.dispatcher.clone();
        let ringer = Ringer::new(RingerParts {
            alarms: alarms.clone(),
            store: self.store.clone(),
            texter: self.devices.clone(),
            call_out: self.devices.clone(),
            house: Arc::new(move || house.alarms()),
            main: alarms.ringer_beat().clone(),
        });
        (alarms, ringer)
    }

    /// The inboxes of this account's people.
    pub fn inboxes(&self) -> Inboxes {
        let clock = Arc::new(self.clock.clone());
        let letters = (self.devices.clone() as Arc<dyn Mailer>, self.devices.clone() as Arc<dyn Texter>);
        Inboxes::new(self.store.clone(), clock, self.dispatcher.clone(), letters, PUBLIC_URL.into(), "key".into())
    }

    /// The push service answers like this from now on; `None`: it takes everything.
    pub fn push_service_answers(&self, delivery: Option<Delivery>) {
        *self.devices.unpushed.lock().expect("unpoisoned") = delivery;
    }

    /// The push service of the device that pushes reach there answers like this from now on; `None`: like the others'.
    pub fn push_service_answers_at(&self, endpoint: &str, delivery: Option<Delivery>) {
        let mut at = self.devices.unpushed_at.lock().expect("unpoisoned");
        match delivery {
            Some(delivery) => at.insert(endpoint.to_owned(), delivery),
            None => at.remove(endpoint),
        };
    }

    /// Pushes that arrived and that nobody has looked at: when, and where. They are looked at now.
    pub fn pushes(&self) -> Vec<(UtcMs, String)> {
        let mut arrived = self.devices.arrived.lock().expect("unpoisoned");
        let (pushes, others) = std::mem::take(&mut *arrived).into_iter().partition(|a| a.kind == Kind::Push);
        *arrived = others;
        let pushes: Vec<Arrived> = pushes;
        pushes.into_iter().map(|push| (push.at, push.to)).collect()
    }

    /// All that arrived and that nobody has looked at. It is looked at now.
    pub fn all_arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.devices.arrived.lock().expect("unpoisoned"))
    }

    /// Time passes and nobody looks.
    pub fn wait(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    pub fn now(&self) -> UtcMs {
        self.clock.utc()
    }

    fn to(&self, at: UtcMs) {
        let ms = u64::try_from(at.since(self.clock.utc())).unwrap_or(0);
        self.clock.advance(Duration::from_millis(ms));
    }

    fn end(&self, ring: Ring, result: OutboundEnd) {
        ring.events.send((ring.attempt, CallOutEvent::Ended(result))).expect("the dispatcher listens");
    }

    /// Another node of the service, on the same store, clock and carrier.
    pub async fn second_node(&self) -> Dispatcher {
        let devices = &self.devices;
        let edges = Edges {
            mailer: devices.clone(),
            texter: devices.clone(),
            pager: devices.clone(),
            poster: devices.clone(),
            call_out: devices.clone(),
        };
        let clock = Arc::new(self.clock.clone());
        let second = Dispatcher::new(self.store.clone(), clock, Feed::default(), edges, "second");
        second.open_inboxes(door(devices));
        second.recover().await.expect("nothing to take up");
        second
    }

    /// The process is gone and started again; devices and carrier stay.
    pub async fn restarts(&mut self) {
        let devices = &self.devices;
        devices.jobs.lock().expect("unpoisoned").clear();
        let edges = Edges {
            mailer: devices.clone(),
            texter: devices.clone(),
            pager: devices.clone(),
            poster: devices.clone(),
            call_out: devices.clone(),
        };
        let clock = Arc::new(self.clock.clone());
        self.dispatcher = Dispatcher::new(self.store.clone(), clock, Feed::default(), edges, "node");
        if let Some(rates) = &self.rates {
            self.dispatcher.paced_by(rates.clone());
        }
        self.dispatcher.open_inboxes(door(devices));
        self.dispatcher.recover().await.expect("what was cut off is taken up");
        self.advance(0).await;
    }

    /// A mail comes in at an email's own address for replies, as by the door.
    pub async fn mail_for(&self, attempt: &AttemptId, sender: &str, mail: &str) {
        self.comes_back(Purpose::Reply, attempt, sender, mail).await;
    }

    /// A mail server has given an email up.
    pub async fn report_on(&self, attempt: &AttemptId, status: &str) {
        self.report(attempt, "report", "failed", status).await;
    }

    /// The same, in the words of the server that would not have it.
    pub async fn report_saying(&self, attempt: &AttemptId, status: &str, said: &str) {
        let report = delivery_report("report", "failed", status);
        let report = report.replace("\r\n\r\n--B--", &format!("\r\nDiagnostic-Code: {said}\r\n\r\n--B--"));
        self.comes_back(Purpose::Bounce, attempt, "", &report).await;
    }

    async fn report(&self, attempt: &AttemptId, id: &str, action: &str, status: &str) {
        self.comes_back(Purpose::Bounce, attempt, "", &delivery_report(id, action, status)).await;
    }

    /// From now on each email comes back before the relay that took it has answered.
    pub fn mail_bounces_first(&self) {
        *self.devices.bounces_first.lock().expect("unpoisoned") = Some(self.dispatcher.clone());
    }

    async fn comes_back(&self, purpose: Purpose, attempt: &AttemptId, sender: &str, mail: &str) {
        let ours = vec![Ours { purpose, attempt: attempt.clone() }];
        let taken = mail_in::take(&self.dispatcher, sender.to_owned(), ours, mail.as_bytes().to_vec()).await;
        taken.expect("taken in");
        self.advance(0).await;
    }

    /// Where operators see jobs.
    pub const fn seat(&self) -> Seat<'_> {
        Seat { desk: self }
    }

    pub fn phone(&self, name: &'static str) -> Phone<'_> {
        Phone { desk: self, name }
    }

    /// What left the house so far: seconds after T0, kind, to whom.
    pub fn times(&self) -> Vec<(i64, Kind)> {
        let arrived = self.devices.arrived.lock().expect("unpoisoned");
        arrived.iter().map(|a| (a.at.since(self.opened) / 1_000, a.kind)).collect()
    }

    /// The provider answers like this from now on; `None`: it takes everything.
    pub fn provider_answers(&self, delivery: Option<Delivery>) {
        *self.devices.refuse.lock().expect("unpoisoned") = delivery;
    }

    /// Carriers of pages refuse in these words from now on.
    pub fn carrier_says(&self, failure: Failure, why: &str, said: &str) {
        self.provider_answers(Some(Delivery::Failed { failure, why: why.to_owned() }));
        *self.devices.said.lock().expect("unpoisoned") = Some(said.to_owned());
    }

    /// What becomes of the next faxes, in order.
    pub fn fax_machine(&self, fates: &[FaxOutcome]) {
        self.devices.fax_fates.lock().expect("unpoisoned").extend(fates);
    }

    pub async fn state(&self, id: &DispatchId) -> State {
        self.store.find_dispatch(id).await.expect("found").expect("a dispatch").state
    }

    pub async fn view(&self, id: &DispatchId) -> DispatchView {
        self.dispatcher.find_view(id).await.expect("found").expect("a view")
    }

    /// The story is over: in this phase, nothing unexpected on any device, nothing rings, and whatever is
    /// open has one time to wake at.
    pub async fn ends(self, id: &DispatchId, phase: Phase) {
        assert_eq!(self.state(id).await.phase, phase);
        let left = self.devices.arrived.lock().expect("unpoisoned").clone();
        assert!(left.is_empty(), "nobody expected {left:#?}");
        assert!(self.devices.rings.lock().expect("unpoisoned").is_empty(), "a phone still rings");
        assert!(self.devices.faxes.lock().expect("unpoisoned").is_empty(), "a fax is still on its way");
        let jobs = self.devices.jobs.lock().expect("unpoisoned").iter().filter(|job| !job.seen).count();
        assert_eq!(jobs, 0, "a job that nobody expected");
        for id in self.store.list_open_dispatches(100).await.expect("listed") {
            let state = self.state(&id).await;
            let waits = matches!(state.phase, Phase::HeldForCheckIn | Phase::HeldForRecap);
            assert!(waits || state.wake().is_some() || state.needs_operator(), "{id} sleeps for ever");
        }
        assert!(self.store.list_sleepless_dispatches().await.expect("listed").is_empty());
        self.store.close().await;
    }
}

/// What a mail server says of an email (RFC 3464).
fn delivery_report(id: &str, action: &str, status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.net\r\nMessage-ID: <{id}@mx.example.net>\r\nSubject: Undelivered Mail\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n--B\r\n\r\nSorry.\r\n--B\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; ben@example.com\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--B--\r\n"
    )
}

/// What an operator sees of jobs.
pub struct Seat<'a> {
    desk: &'a Desk,
}
