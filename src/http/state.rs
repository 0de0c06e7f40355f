//! What every handler can reach: the store, the feed, tokens, and the parts of the engine, each behind a
//! narrow trait that says what the front door needs of it and no more. `app` makes one and hands it over.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::base::clock::SharedClock;
use crate::base::id::{CallId, DispatchId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::message::Message;
use crate::engine::feed::{AlarmView, CallView, ContactRef, DispatchView, Feed, QueueView, SeatView, UserRef};
use crate::io::store::{Store, StoreError, Tx};
use crate::io::token::Tokens;

use super::auth::LiveSessions;
use super::events::Consoles;
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
    pub feed: Feed,
    pub tokens: Tokens,
    pub desk: Arc<dyn Desk>,
    pub dispatches: Arc<dyn Dispatches>,
    pub phones: Arc<dyn Phones>,
    pub settings: Settings,
    pub metrics: Option<PrometheusHandle>,
    /// Set when the process is asked to stop: `/readyz` says so, feeds are closed.
    pub draining: Arc<AtomicBool>,
    pub limits: SignInLimits,
    pub live: LiveSessions,
    pub consoles: Consoles,
}

/// What the configuration says about the front door.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How the world reaches us: `https://desk.example.com`. Signatures of callbacks are over it.
    pub public_url: String,
    /// The SIP domain of operators' phones.
    pub sip_domain: String,
    /// Believe `X-Forwarded-For` (its last entry) and `X-Forwarded-Proto`: a proxy of ours sets them.
    pub behind_proxy: bool,
    /// Serve the demo's phones under `/sandbox`.
    pub sandbox: bool,
    /// Providers whose callbacks are taken: name in the path, and the secret they sign with.
    pub sms_providers: Vec<SmsProvider>,
}

/// A provider of texts that calls back.
#[derive(Clone, Debug)]
pub struct SmsProvider {
    pub name: String,
    pub auth_token: SecretString,
}

/// How often signing in may be tried.
#[derive(Debug)]
pub struct SignInLimits {
    pub by_login: Buckets,
    pub by_source: Buckets,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { by_login: Buckets::new(5, Duration::from_secs(30)), by_source: Buckets::new(30, Duration::from_secs(5)) }
    }
}

/// Not now: what was asked does not fit the state a thing is in. In words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNow(pub String);

/// What an operator does to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallAction {
    Take,
    Hold,
    Retrieve,
    HangUp,
    /// Dial a contact while the caller waits.
    Patch(PatchTo),
    Join,
    /// Leave caller and contact to themselves.
    DropOff,
    /// Give up the dialled party; back to the caller.
    CancelPatch,
    WrapUpDone {
        disposition: Option<String>,
    },
}

/// Whom to patch to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchTo {
    pub number: PhoneNumber,
    /// None: dialled by hand.
    pub contact: Option<ContactRef>,
    pub ring_secs: u32,
}

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
    /// Everything live, with `user`'s own seat.
    fn board(&self, user: UserRef) -> Answer<'_, Board>;
    /// Does `action` to `call` for `by`.
    fn act(&self, call: CallId, by: UserId, action: CallAction) -> Answer<'_, Result<(), NotNow>>;
    /// `user` is ready for calls, or not, and why not.
    fn set_ready(&self, user: UserRef, ready: bool, reason: Option<String>) -> Answer<'_, Result<SeatView, NotNow>>;
    /// A console of `user` is there; they are typing, or not.
    fn heartbeat(&self, user: UserRef, typing: bool);
    /// The last console of `user` has gone.
    fn console_gone(&self, user: UserId);
    /// Rings `user`'s softphone with a call that plays a tone and echoes.
    fn check_media(&self, user: UserId) -> Answer<'_, Result<(), NotNow>>;
}

/// A softphone's connection: SIP messages, whole, both ways. Dropping it closes the flow.
pub struct PhoneFlow {
    pub incoming: mpsc::Sender<Vec<u8>>,
    pub outgoing: mpsc::Receiver<Vec<u8>>,
}

/// Where softphones' connections go.
pub trait Phones: Send + Sync {
    /// A softphone has connected from `peer`.
    fn open(&self, peer: SocketAddr) -> Answer<'_, Option<PhoneFlow>>;
}

/// What an operator does to a dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DispatchAction {
    /// A person said yes to the operator.
    Confirm {
        who: String,
        note: Option<String>,
    },
    Close {
        reason: String,
    },
    /// Go on with the next step now.
    Skip,
}

/// Why something was not done to a dispatch.
#[derive(Debug)]
pub enum DispatchRefusal {
    NotFound,
    NotNow(String),
    Store(StoreError),
}

/// A text somebody sent us, as the provider's callback tells it.
#[derive(Clone, Debug)]
pub struct TextIn {
    pub provider: String,
    /// The provider's own name for it: a callback sent twice is the same text.
    pub id: String,
    pub from: PhoneNumber,
    pub to: Option<PhoneNumber>,
    pub body: String,
}

/// News of a text we sent.
#[derive(Clone, Debug)]
pub struct TextNews {
    pub provider: String,
    /// The provider's name for it, given when it was accepted.
    pub id: String,
    pub state: String,
    pub error: Option<String>,
}

/// Dispatches, as the front door needs them.
pub trait Dispatches: Send + Sync {
    /// Opens the dispatch of a message in the transaction that puts the message into the store.
    fn open<'a>(
        &'a self,
        tx: &'a mut Tx,
        message: &'a Message,
        account: &'a Account,
    ) -> Answer<'a, Result<(), StoreError>>;
    /// What [`Dispatches::open`] wrote is committed: go to work.
    fn opened(&self, message: MessageId);
    /// The dispatch of a message, as operators see it.
    fn find_view(&self, message: MessageId) -> Answer<'_, Result<Option<DispatchView>, StoreError>>;
    /// Every open dispatch.
    fn list_open(&self) -> Answer<'_, Result<Vec<DispatchView>, StoreError>>;
    /// Does `action` to a dispatch for `by`.
    fn act(&self, id: DispatchId, by: UserRef, action: DispatchAction) -> Answer<'_, Result<(), DispatchRefusal>>;
    /// Takes a message back while that is possible: message, dispatch and draft in one transaction.
    fn undo(&self, message: MessageId, by: UserRef) -> Answer<'_, Result<(), DispatchRefusal>>;
    /// Puts a text that came in into the store, once.
    fn take_text(&self, text: TextIn) -> Answer<'_, Result<(), StoreError>>;
    /// Takes news of a text we sent.
    fn take_news(&self, news: TextNews) -> Answer<'_, Result<(), StoreError>>;
}
