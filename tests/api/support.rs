//! A front door over a real store with one account and two operators; calls and phones are doubles that
//! write down what they are told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use cordboard::base::clock::{Clock as _, SharedClock, TestClock, UtcMs};
use cordboard::base::id::{
    AccountId, CallId, CallTypeId, ContactId, DestinationId, DispatchId, MessageId, ProtocolId, ScheduleId, UserId,
};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::{Account, CallType, Contact, Destination, LeaveMessage, Reach, Speech, Urgency};
use cordboard::domain::dispatch::protocol::{Method as StepMethod, Protocol, Repeat, Step, Target, Until};
use cordboard::domain::message::Message;
use cordboard::domain::message::form::{Field, FieldKind, Form};
use cordboard::domain::oncall::Schedule;
use cordboard::engine::feed::{DispatchView, Feed, QueueView, SeatState, SeatView, UserRef};
use cordboard::http::router;
use cordboard::http::state::{
    Answer, Board, CallAction, Desk, DispatchAction, DispatchRefusal, Dispatches, Front, NotNow, Parts, PhoneFlow,
    Phones, Settings, SmsProvider, TextIn, TextNews,
};
use cordboard::io::store::users::{HashedPassword, Role, User};
use cordboard::io::store::{Store, StoreConfig, StoreError, Tx};
use cordboard::io::token::Tokens;

pub const PASSWORD: &str = "correct horse battery";
pub const KEY: [u8; 32] = [7; 32];
pub const SMS_SECRET: &str = "the provider's secret";
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
    directory: PathBuf,
}

/// What the doubles were told.
#[derive(Default)]
pub struct Told {
    pub acts: Mutex<Vec<(CallId, UserId, CallAction)>>,
    pub ready: Mutex<Vec<(UserId, bool, Option<String>)>>,
    pub beats: Mutex<Vec<(UserId, bool)>>,
    pub gone: Mutex<Vec<UserId>>,
    pub texts: Mutex<Vec<TextIn>>,
    pub news: Mutex<Vec<TextNews>>,
    pub refuse: Mutex<bool>,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
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
        let clock = TestClock::at(START);
        let name: [u8; 8] = cordboard::base::rng::secure_bytes();
        let directory = std::env::temp_dir().join(format!("cordboard-api-{:016x}", u64::from_le_bytes(name)));
        let store = Store::open(&StoreConfig::in_directory(&directory), START).await.expect("the store opens");
        fill(&store).await;
        let told = Arc::new(Told::default());
        let feed = Feed::default();
        let shared: SharedClock = Arc::new(clock.clone());
        let double = Arc::new(Double { told: told.clone(), clock: clock.clone(), store: store.clone() });
        let front = Front::new(Parts {
            clock: shared.clone(),
            store: store.clone(),
            feed,
            tokens: Tokens::new(&KEY, shared),
            desk: double.clone(),
            dispatches: double.clone(),
            phones: double,
            settings: Settings {
                public_url: PUBLIC_URL.into(),
                sip_domain: "cordboard.local".into(),
                sms_providers: vec![SmsProvider { name: "twilio".into(), auth_token: SMS_SECRET.into() }],
                ..Settings::default()
            },
            metrics: None,
            draining: Arc::default(),
            limits: Default::default(),
            live: Default::default(),
            consoles: Default::default(),
        });
        Self { router: router::build(front.clone(), Router::new()), front, clock, store, told, directory }
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

    /// Serves on a port of loopback until the test ends.
    pub async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
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

/// The form of the urgent call type, filled in.
pub fn answers() -> Value {
    json!({"name": "Pat Doe", "phone": "202 555 0188", "problem": "Burst pipe in the cellar"})
}

pub fn message_body() -> Value {
    json!({"account": "acc_plumbing", "call_type": "ct_urgent", "caller": "+12025550188", "answers": answers()})
}

async fn fill(store: &Store) {
    let account = AccountId::named("plumbing");
    let protocol = Protocol {
        id: ProtocolId::named("urgent"),
        account: account.clone(),
        name: "urgent".into(),
        version: 1,
        steps: vec![Step {
            method: StepMethod::TextConfirm,
            to: vec![Target::OnCall { role: "technician".into(), destination: "mobile".into() }],
            wait_secs: 900,
        }],
        repeat: Some(Repeat { from_step: 1 }),
        until: Until::Confirmed,
    };
    let field =
        |name: &str, kind, required| Field { name: name.into(), label: name.into(), kind, required, brief: true };
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
        form: form.clone(),
        protocol,
    };
    let contact = Contact {
        id: ContactId::named("ben"),
        account: account.clone(),
        name: "Ben Ortiz".into(),
        title: "technician".into(),
        destinations: vec![
            Destination {
                id: DestinationId::named("ben-mobile"),
                label: "mobile".into(),
                reach: Reach::Phone(number("+12025550121")),
                ring_secs: 30,
                blocked: false,
            },
            Destination {
                id: DestinationId::named("ben-email"),
                label: "email".into(),
                reach: Reach::Email("ben@example.com".into()),
                ring_secs: 30,
                blocked: false,
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
        greeting: Speech::Spoken { text: "Welcome.".into() },
        apology: Speech::Spoken { text: "We are sorry.".into() },
        comfort: None,
        dids: vec![number("+12025550102")],
        caller_id: None,
        priority: 0,
        ring_secs: 15,
        max_wait_secs: 120,
        undo_secs: 5,
        leave_message: LeaveMessage::CallbackRequest,
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
        rotation: None,
        overrides: Vec::new(),
        fallback: Some(contact.id.clone()),
    };
    let hash = HashedPassword::of(PASSWORD.into()).await.expect("a password");
    let bare = Account {
        call_types: plumbing.call_types.iter().cloned().map(|t| CallType { protocol: None, ..t }).collect(),
        ..plumbing.clone()
    };
    let mut tx = store.write().await.expect("a transaction");
    // Account, then protocol, then the account again with its call types pointing at the protocol.
    tx.upsert_account(&bare, START).await.expect("an account");
    tx.insert_protocol(&protocol, START).await.expect("a protocol");
    tx.upsert_account(&plumbing, START).await.expect("an account");
    tx.upsert_contact(&contact).await.expect("a contact");
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    for (name, role) in [("kim", Role::Operator), ("lee", Role::Operator), ("sam", Role::Supervisor)] {
        let user =
            User { id: UserId::named(name), login: name.into(), name: name.to_uppercase(), role, disabled: false };
        tx.insert_user(&user, &hash, START).await.expect("a user");
    }
    tx.commit().await.expect("the demo data");
}

struct Double {
    told: Arc<Told>,
    clock: TestClock,
    store: Store,
}

impl Double {
    fn seat(&self, user: UserRef) -> SeatView {
        SeatView {
            user,
            state: SeatState::NotReady,
            reason: None,
            since: self.clock.utc(),
            phone: true,
            checked: true,
            calls: Vec::new(),
        }
    }
}

fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().expect("no panic while it was held").push(item);
}

impl Desk for Double {
    fn board(&self, user: UserRef) -> Answer<'_, Board> {
        Box::pin(async {
            Board { seat: self.seat(user), calls: Vec::new(), queue: QueueView::default(), alarms: Vec::new() }
        })
    }

    fn act(&self, call: CallId, by: UserId, action: CallAction) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async {
            if *self.told.refuse.lock().expect("no panic") {
                return Err(NotNow("The caller has gone.".into()));
            }
            push(&self.told.acts, (call, by, action));
            Ok(())
        })
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

    fn console_gone(&self, user: UserId) {
        push(&self.told.gone, user);
    }

    fn check_media(&self, _user: UserId) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async { Err(NotNow("Your softphone is not connected.".into())) })
    }
}

impl Phones for Double {
    fn open(&self, _peer: SocketAddr) -> Answer<'_, Option<PhoneFlow>> {
        Box::pin(async {
            let (to_us, mut from_phone) = tokio::sync::mpsc::channel::<Vec<u8>>(8);
            let (to_phone, outgoing) = tokio::sync::mpsc::channel(8);
            // Says everything back, as the agent would answer.
            tokio::spawn(async move {
                while let Some(bytes) = from_phone.recv().await {
                    if to_phone.send(bytes).await.is_err() {
                        break;
                    }
                }
            });
            Some(PhoneFlow { incoming: to_us, outgoing })
        })
    }
}

impl Dispatches for Double {
    fn open<'a>(
        &'a self,
        _tx: &'a mut Tx,
        _message: &'a Message,
        _account: &'a Account,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn opened(&self, _message: MessageId) {}

    fn find_view(&self, _message: MessageId) -> Answer<'_, Result<Option<DispatchView>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn list_open(&self) -> Answer<'_, Result<Vec<DispatchView>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn act(&self, _id: DispatchId, _by: UserRef, _action: DispatchAction) -> Answer<'_, Result<(), DispatchRefusal>> {
        Box::pin(async { Err(DispatchRefusal::NotFound) })
    }

    fn undo(&self, message: MessageId, _by: UserRef) -> Answer<'_, Result<(), DispatchRefusal>> {
        Box::pin(async move {
            let taken = self.store.find_message(&message).await.map_err(DispatchRefusal::Store)?;
            let taken_at = taken.ok_or(DispatchRefusal::NotFound)?.taken_at;
            if self.clock.utc().since(taken_at) > 5_000 {
                return Err(DispatchRefusal::NotNow("It has gone out.".into()));
            }
            let mut tx = self.store.write().await.map_err(DispatchRefusal::Store)?;
            let there = tx.withdraw_message(&message, self.clock.utc()).await.map_err(DispatchRefusal::Store)?;
            tx.restore_draft(&message).await.map_err(DispatchRefusal::Store)?;
            tx.commit().await.map_err(DispatchRefusal::Store)?;
            if there { Ok(()) } else { Err(DispatchRefusal::NotFound) }
        })
    }

    fn take_text(&self, text: TextIn) -> Answer<'_, Result<(), StoreError>> {
        push(&self.told.texts, text);
        Box::pin(async { Ok(()) })
    }

    fn take_news(&self, news: TextNews) -> Answer<'_, Result<(), StoreError>> {
        push(&self.told.news, news);
        Box::pin(async { Ok(()) })
    }
}
