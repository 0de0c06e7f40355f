//! A front door over a real store with one account and two operators; calls and phones are doubles that
//! write down what they are told.

mod double;
mod edges;
mod fill;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::{Extension, Router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use cordboard::base::clock::{Clock as _, SharedClock, TestClock, UtcMs};
use cordboard::engine::alarms::Alarms;
use cordboard::engine::audit::Audit;
use cordboard::engine::clients::Clients;
use cordboard::engine::clients::reach::Reachable;
use cordboard::engine::dispatcher::{Dispatcher, Edges, InboxDoor};
use cordboard::engine::feed::Feed;
use cordboard::engine::inboxes::Inboxes;
use cordboard::http::router;
use cordboard::http::state::{CallbackKey, Front, Parts, Relay, Settings, SmsProvider};
use cordboard::io::deliver::push::PushKey;
use cordboard::io::deliver::{Mailer, Texter};
use cordboard::io::net::census::Seat;
use cordboard::io::recording::Recordings;
use cordboard::io::speech::{Speaker, VoiceCommand};
use cordboard::io::store::{Place, Store, StoreConfig};
use cordboard::io::token::Tokens;

pub use double::Told;
use double::{Double, echo};
#[allow(unused_imports, reason = "shared test support is used in part by each test binary")]
pub use edges::call_of;
use fill::fill;
#[allow(unused_imports, reason = "shared test support is used in part by each test binary")]
pub use fill::{alarm_plan, answers, message_body, number};

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
