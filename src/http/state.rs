//! What every handler can reach: the store, the feed, tokens, the dispatcher, and, behind narrow traits, what
//! needs sockets and threads to exist: calls and phones. `app` makes one and hands it over.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;

use crate::base::clock::SharedClock;
use crate::base::id::{AccountId, AttemptId, CallId, UserId};
use crate::config::Ages;
use crate::domain::account::Account;
use crate::domain::operator::skill::Skills;
use crate::engine::alarms::Alarms;
use crate::engine::audit::Audit;
use crate::engine::calls::dial_out::DialOrder;
use crate::engine::calls::trial::MenuTrial;
use crate::engine::calls::{Command, ListenMode};
use crate::engine::clients::Clients;
use crate::engine::clients::reach::Reachable;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::feed::{AlarmView, CallView, Feed, FloorView, QueueView, SeatView, UserRef};
use crate::engine::inboxes::Inboxes;
use crate::io::net::WsFlow;
use crate::io::recording::Recordings;
use crate::io::speech::Speaker;
use crate::io::store::Store;
use crate::io::store::audit::Who;
use crate::io::store::callbacks::Callback;
use crate::io::token::Tokens;
use crate::proto::sip::Source;

use super::auth::{LiveSessions, Signed};
use super::error::Problem;
use super::limit::Buckets;

/// What a part of the engine answers, some time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything a handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct Front(Arc<Parts>);

impl Front {
    /// The front door over these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Front {
    /// Where accounts are changed, in the name of whoever asks.
    pub(super) fn clients_of(&self, signed: &Signed) -> Clients {
        self.clients.by(Who::User(signed.bearer.user.clone()))
    }
}

impl std::ops::Deref for Front {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts a front door is made of.
pub struct Parts {
    pub clock: SharedClock,
    pub store: Store,
    pub audit: Audit,
    pub feed: Feed,
    pub tokens: Tokens,
    pub desk: Arc<dyn Desk>,
    pub dispatcher: Dispatcher,
    pub alarms: Alarms,
    pub recordings: Recordings,
    pub clients: Clients,
    pub inboxes: Inboxes,
    pub voice: Arc<Speaker>,
    pub phones: Arc<dyn Phones>,
    pub settings: Settings,
    pub metrics: Option<PrometheusHandle>,
    /// Set when the process is asked to stop: `/readyz` says so, calls in progress go on.
    pub draining: Arc<AtomicBool>,
    /// Set when the last call is over and the process ends: feeds are closed.
    pub stopping: Arc<AtomicBool>,
    pub limits: Limits,
    pub live: LiveSessions,
}

/// What the configuration says about the front door.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How the world reaches us: `https://desk.example.com`. Signatures of callbacks are over it.
    pub public_url: String,
    /// The SIP domain of operators' phones.
    pub sip_domain: String,
    /// Our own proxies: only from there `X-Forwarded-For` (its last entry) and `X-Forwarded-Proto` are believed.
    pub proxies: Vec<Source>,
    /// Push services on this machine are taken too.
    pub local_push_services: bool,
    /// Serve the demo's phones under `/sandbox`.
    pub sandbox: bool,
    /// Why an operator is not ready, to choose from; empty: in their own words.
    pub not_ready_reasons: Vec<String>,
    /// From what age on an open dispatch is shown as late.
    pub ages: Ages,
    /// By what contacts are reached that the configuration knows.
    pub reachable: Reachable,
    /// Providers whose callbacks are taken: name in the path, and what they sign with.
    pub sms_providers: Vec<SmsProvider>,
    /// The relay for operators whose network lets no audio through.
    pub relay: Option<Relay>,
}

/// A TURN relay, and the secret that makes credentials for it.
#[derive(Clone, Debug)]
pub struct Relay {
    pub urls: Vec<String>,
    pub secret: SecretString,
    pub ttl: Duration,
}

/// A provider of texts that calls back.
#[derive(Clone, Debug)]
pub struct SmsProvider {
    pub name: String,
    pub key: CallbackKey,
}

/// What its callbacks are signed with.
#[derive(Clone, Debug)]
pub enum CallbackKey {
    /// A secret that both have.
    Twilio(SecretString),
    /// Its public key, of Ed25519.
    Telnyx([u8; 32]),
}

/// How often something may be tried, or asked for.
#[derive(Debug)]
pub struct Limits {
    /// Signing in.
    pub by_login: Buckets,
    pub by_source: Buckets,
    /// Words that clients of an account listen to: greetings need the same voice.
    pub listens: Buckets,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            by_login: Buckets::new(5, Duration::from_secs(30)),
            by_source: Buckets::new(30, Duration::from_secs(5)),
            listens: Buckets::new(10, Duration::from_secs(6)),
        }
    }
}

/// Not now: what was asked does not fit the state a thing is in. In words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNow(pub String);

/// Everything live that a console shows, as of one instant.
#[derive(Clone, Debug)]
pub struct Board {
    pub seat: SeatView,
    pub calls: Vec<CallView>,
    pub queue: QueueView,
    pub alarms: Vec<AlarmView>,
}

/// Calls and seats, as the front door needs them.
pub trait Desk: Send + Sync {
    /// Everything live, with `user`'s own seat. None: the service is stopping.
    fn board(&self, user: UserRef) -> Answer<'_, Option<Board>>;
    /// Everything that a supervisor watches. None: the service is stopping.
    fn floor(&self) -> Answer<'_, Option<FloorView>>;
    /// Does what `by` asks of `call`.
    fn command(&self, call: CallId, by: UserId, command: Command) -> Answer<'_, Result<(), NotNow>>;
    /// `by` dials out for an account: the name of the call.
    fn dial_out(&self, order: DialOrder, by: UserId) -> Answer<'_, Result<CallId, NotNow>>;
    /// `by` has room for a call that they make themselves, or why not.
    fn may_dial(&self, by: UserId) -> Answer<'_, Result<(), NotNow>>;
    /// The job that a call does.
    fn job_of(&self, call: &CallId) -> Option<AttemptId>;
    /// What came of a job is known.
    fn settle_job(&self, attempt: &AttemptId, outcome: &'static str);
    /// The operator gives a job back.
    fn give_back_job(&self, attempt: &AttemptId);
    /// Everybody at work, by name.
    fn seats(&self) -> Answer<'_, Vec<SeatView>>;
    /// `user` is ready for calls, or not, and why not.
    fn set_ready(&self, user: UserRef, ready: bool, reason: Option<String>) -> Answer<'_, Result<SeatView, NotNow>>;
    /// A console of `user` is there; they are typing, or not.
    fn heartbeat(&self, user: UserRef, typing: bool);
    /// What `user` can do for a caller.
    fn skilled(&self, user: UserId, skills: Skills);
    /// Rings `user`'s softphone with a call that plays a tone and echoes.
    fn check_media(&self, user: UserRef) -> Answer<'_, Result<(), NotNow>>;
    /// Rings `user`'s softphone with a menu to be gone through.
    fn try_menu(&self, user: UserRef, trial: MenuTrial) -> Answer<'_, Result<(), NotNow>>;
    /// Rings `user`'s softphone and takes down a greeting for this account.
    fn dictate(&self, user: UserRef, account: AccountId) -> Answer<'_, Result<(), NotNow>>;
    /// `by` listens to `call` from now on, or goes on in another mode.
    fn listen(&self, call: CallId, by: UserRef, mode: ListenMode) -> Answer<'_, Result<(), NotNow>>;
    /// `by` no longer listens to `call`.
    fn leave(&self, call: CallId, by: UserId);
    /// Takes `call` from its operator, for `to` or for whoever is free first.
    fn move_call(&self, call: CallId, by: UserId, to: Option<UserId>) -> Answer<'_, Result<(), NotNow>>;
    /// No more calls for `user`; those that ring there or are on hold go back to the head of the queue. False: nobody of that
    /// name has sat down.
    fn log_out(&self, user: UserId, by: UserRef) -> Answer<'_, bool>;
    /// An operator has seen to an alarm of a trunk, or of a call, that nothing else takes back: answered when it is stored, so that no
    /// start raises it again.
    fn silence<'a>(&'a self, alarm: &'a str) -> Answer<'a, ()>;
    /// `by` rings a caller back who hung up too early. False: it cannot be stored now.
    fn ring_back(&self, callback: Callback, account: Account, by: UserId) -> Answer<'_, bool>;
    /// `by` rings a caller back now who was to be rung later.
    fn ring_now(&self, call: CallId, by: UserId) -> Answer<'_, Result<(), NotNow>>;
    /// `by` would not have a caller rung any more.
    fn give_up_ringing(&self, call: CallId, by: UserId) -> Result<(), NotNow>;
    /// Somebody has seen to the caller of a call that is over.
    fn see_to(&self, call: CallId);
    /// `by` listens to the recording of `call`: answered when its record says so. False: it cannot now.
    fn listened(&self, call: CallId, by: UserId) -> Answer<'_, bool>;
}

/// Where softphones' connections go.
pub trait Phones: Send + Sync {
    /// A softphone has connected from `peer`, over TLS if `secure`. None: no more can.
    fn open(&self, peer: SocketAddr, secure: bool) -> Answer<'_, Option<WsFlow>>;
}

/// Everything live, or the problem that there is nothing live any more.
pub async fn board(front: &Front, user: UserRef) -> Result<Board, Problem> {
    let board = front.desk.board(user).await;
    board.ok_or_else(|| Problem::unavailable("health.draining", "The service is stopping."))
}
