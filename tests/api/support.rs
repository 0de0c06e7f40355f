//! A front door over a real store with one account and two operators; calls and phones are doubles that
//! write down what they are told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::{Extension, Router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use cordboard::base::clock::{Clock as _, SharedClock, TestClock, UtcMs};
use cordboard::base::id::{
    AccountId, AttemptId, CallId, CallTypeId, ContactId, DestinationId, ProtocolId, ScheduleId, UserId,
};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::hours::Hours;
use cordboard::domain::account::{
    Account, CallType, Contact, Destination, LeaveMessage, Queueing, Reach, RecordingPolicy, Speech, Urgency,
};
use cordboard::domain::account::{RecordedLegs, RecordingMode};
use cordboard::domain::alarm::{Means, Plan, Step as AlarmStep};
use cordboard::domain::call::recording::RecordingState;
use cordboard::domain::dispatch::fax::FaxOutcome;
use cordboard::domain::dispatch::protocol::{Method as StepMethod, Protocol, Repeat, Step, Target, Until};
use cordboard::domain::message::form::{Field, FieldKind, Form};
use cordboard::domain::oncall::Schedule;
use cordboard::domain::operator::skill::Skills;
use cordboard::engine::alarms::Alarms;
use cordboard::engine::audit::Audit;
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer};
use cordboard::engine::calls::dial_out::DialOrder;
use cordboard::engine::calls::trial::MenuTrial;
use cordboard::engine::calls::{Command, ListenMode};
use cordboard::engine::clients::Clients;
use cordboard::engine::clients::reach::Reachable;
use cordboard::engine::dispatcher::{Dispatcher, Edges, InboxDoor};
use cordboard::engine::feed::{AccountBrief, AccountRef, CallState, CallView, RecordingView};
use cordboard::engine::feed::{Feed, FiguresView, FloorView, QueueView, SeatState, SeatView, UserRef};
use cordboard::engine::inboxes::Inboxes;
use cordboard::http::router;
use cordboard::http::state::{
    Answer, Board, CallbackKey, Desk, Front, NotNow, Parts, Phones, Relay, Settings, SmsProvider,
};
use cordboard::io::deliver::push::{Push, PushKey, Pusher};
use cordboard::io::deliver::{self, Delivery, Mail, Mailer, Page, Pager, Post, Poster, TextMessage, Texter};
use cordboard::io::net::census::Seat;
use cordboard::io::net::{Endpoint, NetEvent, WsDoor, WsFlow};
use cordboard::io::recording::Recordings;
use cordboard::io::speech::{Speaker, VoiceCommand};
use cordboard::io::store::callbacks::Callback;
use cordboard::io::store::users::{HashedPassword, Role, User};
use cordboard::io::store::{Place, Store, StoreConfig, StoreError};
use cordboard::io::token::Tokens;
use tokio::sync::mpsc;

pub const PASSWORD: &str = "correct horse battery";
pub const KEY: [u8; 32] = [7; 32];
pub const SMS_SECRET: &str = "the provider's secret";
/// What the other provider's key is made of.
pub const TELNYX_SEED: &[u8; 32] = &[7; 32];

fn telnyx_key() -> [u8; 32] {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    let pair = Ed25519KeyPair::from_seed_unchecked(TELNYX_SEED).expect("a seed");
    pair.public_key().as_ref().try_into().expect("32 octets")
}
pub const RELAY: [&str; 2] = ["turn:relay.example.com:3478", "turns:relay.example.com:443"];
pub const RELAY_SECRET: &str = "the relay's secret";
pub const PUBLIC_URL: &str = "https://desk.example.com";
/// 2026-03-07T02:00:00Z.
pub const START: UtcMs = UtcMs(1_772_848_800_000);

/// A front door with what stands behind it.
pub struct House {
    pub router: Router,
    pub front: Front,
    pub clock: TestClock,
    pub store: Store,
    pub told: Arc<Told>,
    pub recordings: Recordings,
    /// To be removed in the end, if it is ours.
    directory: Option<PathBuf>,
}

/// Where news of a call-out goes.
pub type News = mpsc::UnboundedSender<(AttemptId, CallOutEvent)>;

/// What the doubles were told.
#[derive(Default)]
pub struct Told {
    pub commands: Mutex<Vec<(CallId, UserId, Command)>>,
    pub ready: Mutex<Vec<(UserId, bool, Option<String>)>>,
    pub beats: Mutex<Vec<(UserId, bool)>>,
    pub skilled: Mutex<Vec<(UserId, Skills)>>,
    pub silenced: Mutex<Vec<String>>,
    pub rung_back: Mutex<Vec<(Callback, UserId)>>,
    pub rung_now: Mutex<Vec<(CallId, UserId)>>,
    pub given_up: Mutex<Vec<(CallId, UserId)>>,
    pub seen_to: Mutex<Vec<CallId>>,
    pub listened: Mutex<Vec<(CallId, UserId)>>,
    /// Who listens to which live call from now on; no mode: no longer.
    pub listens: Mutex<Vec<(CallId, UserId, Option<ListenMode>)>>,
    pub moved: Mutex<Vec<(CallId, UserId, Option<UserId>)>>,
    /// Who was sent home by whom.
    pub logged_out: Mutex<Vec<(UserId, UserId)>>,
    /// The state of kim's seat on the floor, unless she is idle.
    pub kims: Mutex<Option<SeatState>>,
    /// Menus that were tried out.
    pub tried: Mutex<Vec<String>>,
    /// Accounts for which somebody was rung to speak a greeting in.
    pub dictated: Mutex<Vec<AccountId>>,
    pub texts: Mutex<Vec<TextMessage>>,
    pub mails: Mutex<Vec<Mail>>,
    pub pushes: Mutex<Vec<Push>>,
    /// What push services answer, unless they take everything.
    pub push_answer: Mutex<Option<Delivery>>,
    pub calls: Mutex<Vec<(CallOutRequest, News)>>,
    pub jobs: Mutex<Vec<JobOffer>>,
    /// What became of jobs.
    pub settled_jobs: Mutex<Vec<(AttemptId, &'static str)>>,
    pub dialled_out: Mutex<Vec<(DialOrder, UserId)>>,
    /// Calls that are up.
    pub up: Mutex<Vec<CallView>>,
    pub refuse: Mutex<bool>,
    /// The store of call records does not answer.
    pub away: Mutex<bool>,
}

impl Told {
    /// A copy of what was told so far.
    pub fn so_far<T: Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
        list.lock().expect("no panic while it was held").clone()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// An answer of the front door.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The stable code of a problem; checks its shape.
    pub fn problem(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        assert_eq!(body["type"], format!("urn:cordboard:problem:{}", body["code"].as_str().expect("a code")));
        body["code"].as_str().expect("a code").to_owned()
    }
}

impl House {
    pub async fn new() -> Self {
        Self::on(None).await
    }

    /// On the database at `postgres`, or on SQLite.
    pub async fn on(postgres: Option<String>) -> Self {
        let name: [u8; 8] = cordboard::base::rng::secure_bytes();
        let directory = std::env::temp_dir().join(format!("cordboard-api-{:016x}", u64::from_le_bytes(name)));
        let mut config = StoreConfig::in_directory(&directory);
        if let Some(url) = postgres {
            std::fs::create_dir_all(&directory).expect("the temporary directory can be written");
            config.place = Place::Postgres(url);
        }
        let mut house = Self::open(&config, TestClock::at(START)).await;
        house.directory = Some(directory);
        house
    }

    /// On a store that outlives it; filled if it is empty.
    pub async fn open(config: &StoreConfig, clock: TestClock) -> Self {
        let store = Store::open(config, START).await.expect("the store opens");
        if store.list_accounts().await.expect("the store answers").is_empty() {
            fill(&store).await;
        }
        let told = Arc::new(Told::default());
        let feed = Feed::default();
        let shared: SharedClock = Arc::new(clock.clone());
        let double = Arc::new(Double { told: told.clone(), clock: clock.clone(), door: echo().await });
        let beside = config.key_file.parent().expect("the key is in a directory").join("recordings");
        let (recordings, _) = Recordings::start(beside, store.house_seal(), shared.clone()).expect("a thread");
        let edges = Edges {
            mailer: double.clone(),
            texter: double.clone(),
            pager: double.clone(),
            poster: double.clone(),
            call_out: double.clone(),
        };
        let dispatcher = Dispatcher::new(store.clone(), shared.clone(), feed.clone(), edges, "test");
        dispatcher.open_inboxes(InboxDoor { pusher: double.clone(), public_url: PUBLIC_URL.into() });
        let alarms = Alarms::new(store.clone(), shared.clone(), feed.clone(), alarm_plan(), "America/New_York");
        dispatcher.watched_by(alarms.clone());
        let letters = (double.clone() as Arc<dyn Mailer>, double.clone() as Arc<dyn Texter>);
        let key = PushKey::open(&PushKey::fresh()).expect("a key").public().to_owned();
        let inboxes = Inboxes::new(store.clone(), shared.clone(), dispatcher.clone(), letters, PUBLIC_URL.into(), key);
        let at = |name: &str| config.key_file.parent().expect("the key is in a directory").join(name);
        // An engine of our own: it prints a prompt that exists, whatever it is told to say.
        let engine = VoiceCommand { argv: ["cat", "prompts/en/comfort.wav"].map(str::to_owned).to_vec() };
        let voice = Speaker::new(None, at("speech"), at("greetings"), engine).expect("directories");
        let voice = Arc::new(voice);
        let front = Front::new(Parts {
            clock: shared.clone(),
            store: store.clone(),
            audit: Audit::start(store.clone(), shared.clone()),
            clients: Clients::new(store.clone(), voice.clone(), shared.clone(), feed.clone()).reaching(Reachable {
                pagers: vec!["metro".to_owned()],
                webhooks: vec!["desk".to_owned()],
                replies: false,
            }),
            inboxes,
            voice,
            feed,
            tokens: Tokens::new(&KEY, shared),
            desk: double.clone(),
            dispatcher,
            alarms,
            recordings: recordings.clone(),
            phones: double,
            settings: Settings {
                public_url: PUBLIC_URL.into(),
                sip_domain: "cordboard.local".into(),
                not_ready_reasons: vec!["Lunch".into(), "Training".into()],
                sms_providers: vec![
                    SmsProvider { name: "twilio".into(), key: CallbackKey::Twilio(SMS_SECRET.into()) },
                    SmsProvider { name: "telnyx".into(), key: CallbackKey::Telnyx(telnyx_key()) },
                ],
                relay: Some(Relay {
                    urls: RELAY.map(str::to_owned).to_vec(),
                    secret: RELAY_SECRET.into(),
                    ttl: Duration::from_secs(7_200),
                }),
                ..Settings::default()
            },
            metrics: metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok(),
            draining: Arc::default(),
            stopping: Arc::default(),
            limits: Default::default(),
            live: Default::default(),
        });
        let router = router::build(front.clone(), Router::new());
        Self { router, front, clock, store, told, recordings, directory: None }
    }

    /// Where its data is.
    pub fn directory(&self) -> &Path {
        self.directory.as_deref().expect("this house has a directory of its own")
    }

    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 4 << 20).await.expect("a body").to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }

    /// A request with a JSON body, unless it is null, and a token, unless it is empty.
    pub async fn ask(&self, method: Method, path: &str, token: &str, body: Value) -> Got {
        self.send(request(method, path, token, &body)).await
    }

    pub async fn fetch(&self, path: &str, token: &str) -> Got {
        self.ask(Method::GET, path, token, Value::Null).await
    }

    /// Signs in; the access token.
    pub async fn sign_in(&self, login: &str) -> String {
        self.session(login).await["access_token"].as_str().expect("a token").to_owned()
    }

    pub async fn session(&self, login: &str) -> Value {
        let body = json!({"login": login, "password": PASSWORD});
        let got = self.ask(Method::POST, "/api/v1/sessions", "", body).await;
        assert_eq!(got.status, StatusCode::CREATED, "{:?}", got.json());
        got.json()
    }

    /// Lets `by` pass and the dispatcher do what has become due.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.front.dispatcher.tick(self.clock.utc()).await.expect("the store answers");
    }

    /// Serves on a port of loopback until the test ends.
    pub async fn listen(&self) -> SocketAddr {
        self.listen_at_seat(None).await
    }

    /// The same for connections whose place in a census is this one.
    pub async fn listen_at_seat(&self, seat: Option<&Seat>) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut router = self.router.clone();
        if let Some(seat) = seat {
            router = router.layer(Extension(seat.voucher()));
        }
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        address
    }
}

pub fn request(method: Method, path: &str, token: &str, body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "desk.example.com");
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_null() {
        return request.body(Body::empty()).expect("a request");
    }
    request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).expect("a request")
}

pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

/// Lee is texted of what nobody acknowledges within a minute.
pub fn alarm_plan() -> Plan {
    let (name, number) = ("Lee Moss".to_owned(), number("+12025550131"));
    let step = AlarmStep { after_secs: 60, by: Means::Text, name, number };
    Plan { steps: vec![step], ..Plan::default() }
}

/// The form of the urgent call type, filled in.
pub fn answers() -> Value {
    json!({"name": "Pat Doe", "phone": "202 555 0188", "problem": "Burst pipe in the cellar"})
}

pub fn message_body() -> Value {
    json!({"account": "acc_plumbing", "call_type": "ct_urgent", "caller": "+12025550188", "answers": answers()})
}

async fn fill(store: &Store) {
    let account = AccountId::named("plumbing");
    let step = |method, destination: &str, wait_secs| {
        let to = Target::OnCall { role: "technician".into(), destination: destination.into() };
        Step::new(method, vec![to], wait_secs)
    };
    let protocol = Protocol {
        id: ProtocolId::named("urgent"),
        account: account.clone(),
        name: "urgent".into(),
        version: 1,
        steps: vec![
            step(StepMethod::TextConfirm, "mobile", 900),
            step(StepMethod::CallOut { leave_message: true }, "mobile", 600),
            step(StepMethod::Email, "email", 60),
        ],
        repeat: Some(Repeat { from_step: 1 }),
        until: Until::Confirmed,
    };
    let field = |name: &str, kind, required| Field {
        name: name.into(),
        label: name.into(),
        kind,
        required,
        brief: true,
        ..Field::default()
    };
    let form = Form {
        version: 1,
        fields: vec![
            field("name", FieldKind::Text, true),
            field("phone", FieldKind::Phone, true),
            field("problem", FieldKind::LongText, true),
            field("when", FieldKind::Choice { options: vec!["Now".into(), "Today".into()] }, false),
        ],
    };
    let call_type = |id: &str, urgency, protocol| CallType {
        id: CallTypeId::named(id),
        name: id.into(),
        urgency,
        triggers: String::new(),
        watched: vec![],
        form: form.clone(),
        protocol,
        protected: false,
        priority: None,
    };
    let contact = Contact {
        id: ContactId::named("ben"),
        account: account.clone(),
        name: "Ben Ortiz".into(),
        title: "technician".into(),
        language: None,
        zone: None,
        destinations: vec![
            Destination {
                id: DestinationId::named("ben-mobile"),
                label: "mobile".into(),
                reach: Reach::Phone(number("+12025550121")),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
            Destination {
                id: DestinationId::named("ben-email"),
                label: "email".into(),
                reach: Reach::Email("ben@example.com".into()),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
        ],
    };
    let plumbing = Account {
        id: account.clone(),
        name: "Imaginary Plumbing".into(),
        zone: "America/New_York".into(),
        color: "#2266aa".into(),
        answer_phrase: "Imaginary Plumbing, how can I help?".into(),
        notes: "Ask whether the water is turned off.".into(),
        faq: vec![],
        greeting: Speech::Spoken { text: "Welcome.".into() },
        apology: Speech::Spoken { text: "We are sorry.".into() },
        comfort: None,
        dids: vec![number("+12025550102")],
        caller_id: None,
        priority: 0,
        ring_secs: 15,
        max_wait_secs: 120,
        undo_secs: 5,
        secure: Default::default(),
        mail: Default::default(),
        leave_message: LeaveMessage::CallbackRequest,
        recording: RecordingPolicy::default(),
        queueing: Queueing::default(),
        patching: Default::default(),
        hours: Hours::default(),
        menus: vec![],
        ages: Default::default(),
        status_greeting: None,
        answer_phrases: vec![],
        call_types: vec![
            call_type("urgent", Urgency::Urgent, Some(protocol.id.clone())),
            call_type("sales", Urgency::NotLegitimate, None),
        ],
    };
    let schedule = Schedule {
        id: ScheduleId::named("technician"),
        account: account.clone(),
        role: "technician".into(),
        zone: "America/New_York".into(),
        layers: vec![],
        temporary: vec![],
        remind: false,
        holidays: vec![],
        overrides: Vec::new(),
        fallback: Some(contact.id.clone()),
    };
    let hash = HashedPassword::of(PASSWORD.into()).await.expect("a password");
    let mut tx = store.write().await.expect("a transaction");
    // A protocol is checked against the people it names; its account may name it before it is there.
    tx.upsert_account(&plumbing, START).await.expect("an account");
    tx.upsert_contact(&contact).await.expect("a contact");
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    tx.insert_protocol(&protocol, START).await.expect("a protocol");
    for (name, role) in
        [("kim", Role::Operator), ("lee", Role::Operator), ("sam", Role::Supervisor), ("ada", Role::Admin)]
    {
        let user = User {
            id: UserId::named(name),
            login: name.into(),
            name: name.to_uppercase(),
            role,
            disabled: false,
            skills: Skills::new(),
        };
        tx.insert_user(&user, &hash, START).await.expect("a user");
    }
    tx.commit("test").await.expect("the demo data");
}

struct Double {
    told: Arc<Told>,
    clock: TestClock,
    door: WsDoor,
}

impl Double {
    fn seat(&self, user: UserRef) -> SeatView {
        SeatView {
            user,
            state: SeatState::NotReady,
            reason: None,
            since: self.clock.utc(),
            phone: false,
            desk_phone: false,
            checked: false,
            calls: Vec::new(),
            aside: false,
            skills: Vec::new(),
        }
    }
}

fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().expect("no panic while it was held").push(item);
}

/// A door for softphones behind which everything is said back, and whoever registers is known.
async fn echo() -> WsDoor {
    let mut endpoint = Endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let door = endpoint.ws_door();
    tokio::spawn(async move {
        loop {
            if let NetEvent::Received { flow, bytes } = endpoint.next().await {
                if bytes.starts_with(b"REGISTER ") {
                    endpoint.vouch(&flow);
                }
                let _ = endpoint.transmit(&flow, bytes);
            }
        }
    });
    door
}

impl Desk for Double {
    fn board(&self, user: UserRef) -> Answer<'_, Option<Board>> {
        Box::pin(async {
            let seat = self.seat(user);
            Some(Board { seat, calls: Told::so_far(&self.told.up), queue: QueueView::default(), alarms: Vec::new() })
        })
    }

    fn floor(&self) -> Answer<'_, Option<FloorView>> {
        Box::pin(async {
            let mut kims = self.seat(UserRef { id: UserId::named("kim"), name: "KIM".into() });
            kims.state = self.told.kims.lock().expect("no panic while it was held").unwrap_or(kims.state);
            let seats = vec![kims];
            let (calls, queue, figures) = (Vec::new(), QueueView::default(), FiguresView::default());
            Some(FloorView { seats, calls, queue, figures, answer_within_secs: 20 })
        })
    }

    fn command(&self, call: CallId, by: UserId, command: Command) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async {
            if *self.told.refuse.lock().expect("no panic while it was held") {
                return Err(NotNow("The caller has hung up.".into()));
            }
            push(&self.told.commands, (call, by, command));
            Ok(())
        })
    }

    fn dial_out(&self, order: DialOrder, by: UserId) -> Answer<'_, Result<CallId, NotNow>> {
        Box::pin(async {
            if *self.told.refuse.lock().expect("no panic while it was held") {
                return Err(NotNow("You are in a patch.".into()));
            }
            push(&self.told.dialled_out, (order, by));
            Ok(CallId::named("out"))
        })
    }

    fn may_dial(&self, _by: UserId) -> Answer<'_, Result<(), NotNow>> {
        let refused = *self.told.refuse.lock().expect("no panic while it was held");
        let answer = if refused { Err(NotNow("You are in a patch.".into())) } else { Ok(()) };
        Box::pin(std::future::ready(answer))
    }

    fn job_of(&self, call: &CallId) -> Option<AttemptId> {
        // The call of a job is named like it.
        let jobs = Told::so_far(&self.told.jobs);
        let own = |job: &JobOffer| *call == CallId::named(&format!("job-{}", job.attempt));
        jobs.into_iter().find(own).map(|job| job.attempt)
    }

    fn settle_job(&self, attempt: &AttemptId, outcome: &'static str) {
        push(&self.told.settled_jobs, (attempt.clone(), outcome));
    }

    fn give_back_job(&self, attempt: &AttemptId) {
        push(&self.told.settled_jobs, (attempt.clone(), "given_back"));
    }

    fn seats(&self) -> Answer<'_, Vec<SeatView>> {
        let lee = UserRef { id: UserId::named("lee"), name: "Lee".to_owned() };
        Box::pin(async { vec![self.seat(lee)] })
    }

    fn set_ready(&self, user: UserRef, ready: bool, reason: Option<String>) -> Answer<'_, Result<SeatView, NotNow>> {
        Box::pin(async move {
            push(&self.told.ready, (user.id.clone(), ready, reason));
            Ok(self.seat(user))
        })
    }

    fn heartbeat(&self, user: UserRef, typing: bool) {
        push(&self.told.beats, (user.id, typing));
    }

    fn skilled(&self, user: UserId, skills: Skills) {
        push(&self.told.skilled, (user, skills));
    }

    fn check_media(&self, _user: UserRef) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async { Err(NotNow("The softphone is not registered.".into())) })
    }

    fn try_menu(&self, _user: UserRef, trial: MenuTrial) -> Answer<'_, Result<(), NotNow>> {
        push(&self.told.tried, trial.menu.name);
        Box::pin(async { Ok(()) })
    }

    fn dictate(&self, _user: UserRef, account: AccountId) -> Answer<'_, Result<(), NotNow>> {
        push(&self.told.dictated, account);
        Box::pin(async { Ok(()) })
    }

    fn listen(&self, call: CallId, by: UserRef, mode: ListenMode) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move {
            if *self.told.refuse.lock().expect("no panic while it was held") {
                return Err(NotNow("Nobody talks in this call now.".into()));
            }
            push(&self.told.listens, (call, by.id, Some(mode)));
            Ok(())
        })
    }

    fn leave(&self, call: CallId, by: UserId) {
        push(&self.told.listens, (call, by, None));
    }

    fn move_call(&self, call: CallId, by: UserId, to: Option<UserId>) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async {
            push(&self.told.moved, (call, by, to));
            Ok(())
        })
    }

    fn log_out(&self, user: UserId, by: UserRef) -> Answer<'_, bool> {
        Box::pin(async move {
            let sits = user == UserId::named("kim");
            push(&self.told.logged_out, (user, by.id));
            sits
        })
    }

    fn silence<'a>(&'a self, alarm: &'a str) -> Answer<'a, Result<(), StoreError>> {
        push(&self.told.silenced, alarm.to_owned());
        Box::pin(async { Ok(()) })
    }

    fn ring_back(&self, callback: Callback, _account: Account, by: UserId) -> Answer<'_, bool> {
        push(&self.told.rung_back, (callback, by));
        Box::pin(async { true })
    }

    fn ring_now(&self, call: CallId, by: UserId) -> Answer<'_, Result<(), NotNow>> {
        push(&self.told.rung_now, (call, by));
        Box::pin(async { Ok(()) })
    }

    fn give_up_ringing(&self, call: CallId, by: UserId) -> Result<(), NotNow> {
        push(&self.told.given_up, (call, by));
        Ok(())
    }

    fn see_to(&self, call: CallId) {
        push(&self.told.seen_to, call);
    }

    fn listened(&self, call: CallId, by: UserId) -> Answer<'_, bool> {
        let away = *self.told.away.lock().expect("no panic while it was held");
        if !away {
            push(&self.told.listened, (call, by));
        }
        Box::pin(async move { !away })
    }
}

impl Phones for Double {
    fn open(&self, peer: SocketAddr, secure: bool) -> Answer<'_, Option<WsFlow>> {
        Box::pin(async move { self.door.open(peer, secure).await.ok() })
    }
}

impl Texter for Double {
    fn send<'a>(&'a self, text: &'a TextMessage) -> deliver::Answer<'a> {
        push(&self.told.texts, text.clone());
        let provider_id = Some(format!("SM{}", Told::so_far(&self.told.texts).len()));
        Box::pin(async { Delivery::Accepted { provider_id } })
    }
}

impl Pager for Double {
    fn page<'a>(&'a self, _page: &'a Page) -> deliver::Answer<'a> {
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl Poster for Double {
    fn post<'a>(&'a self, _post: &'a Post) -> deliver::Answer<'a> {
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl Pusher for Double {
    fn send<'a>(&'a self, push: &'a Push) -> deliver::Answer<'a> {
        self::push(&self.told.pushes, push.clone());
        let answer = self.told.push_answer.lock().expect("no panic while it was held").clone();
        Box::pin(async { answer.unwrap_or(Delivery::Accepted { provider_id: None }) })
    }
}

impl Mailer for Double {
    fn send<'a>(&'a self, mail: &'a Mail) -> deliver::Answer<'a> {
        push(&self.told.mails, mail.clone());
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl CallOut for Double {
    fn place(&self, request: CallOutRequest, events: News) {
        push(&self.told.calls, (request, events));
    }

    fn fax(&self, request: FaxRequest, events: News) {
        let delivered = CallOutEvent::Faxed(FaxOutcome::Delivered { pages: 1 });
        events.send((request.attempt, delivered)).expect("the dispatcher listens");
    }

    fn offer(&self, job: JobOffer, _events: News) {
        push(&self.told.jobs, job);
    }

    fn cancel(&self, _attempt: &AttemptId) {}
}

/// A call that `user` talks on.
pub fn call_of(user: &str) -> CallView {
    CallView {
        id: CallId::named("1"),
        account: AccountRef {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            color: "#123456".into(),
            zone: "America/New_York".into(),
        },
        account_brief: AccountBrief { answer_phrase: String::new(), notes: String::new() },
        did: PhoneNumber::parse("+12025550102").expect("a valid number"),
        caller: None,
        forwarded_from: None,
        state: CallState::Talking,
        seat: Some(UserId::named(user)),
        started_at: START,
        state_since: START,
        offered_until: None,
        patch: None,
        hears: vec![],
        ended: None,
        parked: None,
        colleague: None,
        taken: true,
        note: None,
        recording: RecordingView {
            mode: RecordingMode::Off,
            state: RecordingState::Off,
            covered: false,
            legs: RecordedLegs::default(),
        },
        earlier: 0,
        chosen: vec![],
        entered: vec![],
        call_type: None,
        ring_back: None,
        job: None,
        dialled: None,
        comes: None,
        rings_back: None,
        wrap_up_until: None,
        listeners: vec![],
    }
}
