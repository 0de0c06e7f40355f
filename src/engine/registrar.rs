//! The phone side: operators' phones register here and are rung. One loop that owns an agent, its sockets
//! and the bindings of users to flows.
//!
//! A phone proves who it is by `Authorization: Bearer` on REGISTER (RFC 8898), checked by a closure that
//! `app` gives; anything else it sends outside a dialog gets the same short 403. Requests inside a dialog
//! are trusted by their flow and dialog, never refused because a token ran out. The flow gone, its
//! bindings are gone; an answered call outlives it for 5 s, in which the same user may register again.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::info;

use super::signal::{LegCommand, LegEvent};
use super::sip_side::{Legs, SWEEP, SipSide};
use crate::base::clock::SharedClock;
use crate::base::id::UserId;
use crate::base::rng::Rng;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::io::net::{BindError, Doors, Endpoint, FlowGone, WsDoor, WsFlow};
use crate::proto::sip::message::Address;
use crate::proto::sip::{
    Admit, Agent, AgentConfig, Command, DialogId, Event, Flow, Input, RegisterRequest, RequestId, Role,
};

/// How long a binding lasts, in seconds: unless asked otherwise, and at most.
const DEFAULT_EXPIRES: u32 = 600;
const MAX_EXPIRES: u32 = 3600;
/// Phones a user may have registered.
const MAX_BINDINGS: usize = 10;
/// Whose calls operators' phones show.
const CALLER: &str = "\"Cordboard\" <sip:calls@cordboard.local>";

/// Checks a bearer token: whose it is, if it is valid now.
pub type TokenCheck = Arc<dyn Fn(&str) -> Option<UserId> + Send + Sync>;

enum Order {
    Ring { leg: LegId, user: UserId, offer: Vec<u8>, headers: Vec<(String, String)>, events: mpsc::Sender<LegEvent> },
    Leg(LegId, LegCommand),
}

/// The way to the phone side. Cheap to clone; calls never wait, except to open a WebSocket.
#[derive(Clone)]
pub struct RegistrarHandle {
    // Unbounded: only legs of ours write to it, a few words each, and the loop never waits.
    orders: mpsc::UnboundedSender<Order>,
    online: Arc<RwLock<HashSet<UserId>>>,
    door: WsDoor,
    local: SocketAddr,
    local_tls: Option<SocketAddr>,
}

impl fmt::Debug for RegistrarHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrarHandle").field("local", &self.local).finish_non_exhaustive()
    }
}

impl RegistrarHandle {
    /// Rings the phone that `user` registered last. What happens comes on `events`.
    pub fn ring(
        &self,
        leg: LegId,
        user: &UserId,
        offer: Vec<u8>,
        headers: Vec<(String, String)>,
        events: mpsc::Sender<LegEvent>,
    ) {
        let order = Order::Ring { leg, user: user.clone(), offer, headers, events };
        if let Err(mpsc::error::SendError(Order::Ring { events, .. })) = self.orders.send(order) {
            let _ = events.try_send(LegEvent::Ended(Cause::Fault));
        }
    }

    pub fn send(&self, leg: LegId, command: LegCommand) {
        // A phone side that is gone has ended its legs.
        let _ = self.orders.send(Order::Leg(leg, command));
    }

    /// Has a phone that can be rung.
    pub fn is_registered(&self, user: &UserId) -> bool {
        self.online.read().unwrap_or_else(PoisonError::into_inner).contains(user)
    }

    /// A flow for a WebSocket that `http` has upgraded; `secure` if it is `wss`.
    pub async fn open_ws(&self, peer: SocketAddr, secure: bool) -> Result<WsFlow, FlowGone> {
        self.door.open(peer, secure).await
    }

    /// Where it listens for phones on UDP and TCP.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for phones on TLS.
    pub const fn local_tls(&self) -> Option<SocketAddr> {
        self.local_tls
    }
}

/// Starts the phone side. The receiver tells who comes online and goes offline.
pub async fn spawn(
    doors: Doors,
    check: TokenCheck,
    clock: SharedClock,
) -> Result<(RegistrarHandle, mpsc::UnboundedReceiver<(UserId, bool)>), BindError> {
    let endpoint = Endpoint::open(doors).await?;
    let (local, local_tls) = (endpoint.local(), endpoint.local_tls());
    let config = AgentConfig::new(Role::Phones, Admit::Any);
    let (orders, inbox) = mpsc::unbounded_channel();
    // Unbounded, and small all the same: two words for each time a user's first phone comes or last goes.
    let (changes, told) = mpsc::unbounded_channel();
    let online = Arc::new(RwLock::new(HashSet::new()));
    let door = endpoint.ws_door();
    let side = SipSide { agent: Agent::new(config, Rng::from_system()), endpoint, clock, name: "phones" };
    let looped = Loop {
        side,
        legs: Legs::default(),
        users: HashMap::new(),
        lost: HashSet::new(),
        bindings: HashMap::new(),
        check,
        online: Arc::clone(&online),
        changes,
    };
    tokio::spawn(looped.run(inbox));
    info!(%local, tls = local_tls.map(tracing::field::display), "phone side listens");
    Ok((RegistrarHandle { orders, online, door, local, local_tls }, told))
}

/// One phone of a user.
#[derive(Debug)]
struct Binding {
    /// The URI to ring it by.
    uri: String,
    /// The Contact as it came, without `expires`: phones look for themselves in the answer.
    contact: String,
    flow: Flow,
    expires_at: Instant,
    call_id: String,
    cseq: u32,
}

struct Loop {
    side: SipSide,
    legs: Legs,
    /// Whose phone a leg rings.
    users: HashMap<LegId, UserId>,
    /// Answered calls whose flow is gone.
    lost: HashSet<DialogId>,
    /// Newest last.
    bindings: HashMap<UserId, Vec<Binding>>,
    check: TokenCheck,
    online: Arc<RwLock<HashSet<UserId>>>,
    changes: mpsc::UnboundedSender<(UserId, bool)>,
}

impl Loop {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                input = self.side.next() => self.feed(input),
                order = orders.recv() => match order {
                    Some(Order::Ring { leg, user, offer, headers, events }) => {
                        self.ring(leg, user, offer, headers, events);
                    }
                    Some(Order::Leg(leg, command)) => {
                        if let Some(command) = self.legs.on_command(leg, command) {
                            self.feed(Input::Command(command));
                        }
                    }
                    None => break,
                },
                _ = sweep.tick() => self.sweep(),
            }
        }
        info!("phone side ends");
    }

    fn feed(&mut self, input: Input) {
        if let Input::FlowClosed { flow } = &input {
            self.drop_bindings(|b| b.flow.is_same_connection(flow));
        }
        let mut events = self.side.feed(input);
        // Registrations are answered and dialogs end, so the chain is short.
        while !events.is_empty() {
            let mut commands = Vec::new();
            for event in events {
                match event {
                    Event::Register { request, flow, register } => {
                        commands.extend(self.register(request, flow, &register));
                    }
                    Event::FlowLost { dialog } => {
                        self.lost.insert(dialog);
                        commands.extend(self.find_again(dialog));
                    }
                    // The agent takes no calls from phones: those to operators are made by us.
                    Event::Incoming { dialog, .. } => {
                        commands.push(Command::Reject { dialog, status: 403, headers: Vec::new() });
                    }
                    event => {
                        if let Event::Ended { dialog, .. } = &event {
                            self.lost.remove(dialog);
                        }
                        commands.extend(self.legs.on_event(event));
                    }
                }
            }
            events = commands.into_iter().flat_map(|c| self.side.feed(Input::Command(c))).collect();
        }
    }

    fn sweep(&mut self) {
        self.users.retain(|leg, _| self.legs.dialog_of(*leg).is_some());
        for flow in self.side.endpoint.sweep() {
            self.feed(Input::FlowClosed { flow });
        }
        for command in self.legs.orphans() {
            self.feed(Input::Command(command));
        }
        let now = self.side.clock.instant();
        self.drop_bindings(|b| b.expires_at <= now);
    }

    fn ring(
        &mut self,
        leg: LegId,
        user: UserId,
        offer: Vec<u8>,
        headers: Vec<(String, String)>,
        events: mpsc::Sender<LegEvent>,
    ) {
        let Some((uri, flow)) = self.bindings.get(&user).and_then(|b| b.last()).map(|b| (b.uri.clone(), b.flow)) else {
            let _ = events.try_send(LegEvent::Ended(Cause::Unreachable));
            return;
        };
        let dialog = self.side.agent.next_dialog();
        self.legs.add(leg, dialog, events);
        self.users.insert(leg, user);
        let to = format!("<{uri}>");
        self.feed(Input::Command(Command::Invite {
            dialog,
            flow,
            request_uri: uri,
            from: CALLER.to_owned(),
            to,
            headers,
            offer: Some(offer),
        }));
    }

    /// Answers a REGISTER (RFC 3261 §10.3); the commands that follow from it.
    fn register(&mut self, request: RequestId, flow: Flow, register: &RegisterRequest) -> Vec<Command> {
        let respond = |status, headers| Command::Respond { request, status, headers };
        let Some(user) = register.bearer.as_deref().and_then(|token| (self.check)(token)) else {
            return vec![respond(403, Vec::new())];
        };
        // Its connection need not make room for strangers'.
        self.side.endpoint.vouch(&flow);
        let now = self.side.clock.instant();
        let Some(wanted) = read_contacts(register) else {
            return vec![respond(400, Vec::new())];
        };
        let bindings = self.bindings.entry(user.clone()).or_default();
        bindings.retain(|b| b.expires_at > now);
        // RFC 3261 §10.3 step 7: an older REGISTER that arrives late changes nothing.
        let stale = |b: &Binding| b.call_id == register.call_id && b.cseq >= register.cseq;
        if bindings.iter().any(stale) && !register.contacts.is_empty() {
            return vec![respond(500, Vec::new())];
        }
        match wanted {
            Contacts::All => bindings.clear(),
            Contacts::These(contacts) => {
                for (uri, contact, expires) in contacts {
                    bindings.retain(|b| b.uri != uri);
                    if expires > 0 {
                        bindings.push(Binding {
                            uri,
                            contact,
                            flow,
                            expires_at: now + Duration::from_secs(u64::from(expires)),
                            call_id: register.call_id.clone(),
                            cseq: register.cseq,
                        });
                    }
                }
                let surplus = bindings.len().saturating_sub(MAX_BINDINGS);
                bindings.drain(..surplus);
            }
        }
        let headers = bindings
            .iter()
            .map(|b| {
                let left = b.expires_at.saturating_duration_since(now).as_secs();
                ("Contact".to_owned(), format!("{};expires={left}", b.contact))
            })
            .collect();
        let mut commands = vec![respond(200, headers)];
        self.note(&user);
        let lost: Vec<DialogId> = self
            .lost
            .iter()
            .copied()
            .filter(|d| self.legs.leg_of(*d).is_some_and(|leg| self.users.get(&leg) == Some(&user)))
            .collect();
        commands.extend(lost.into_iter().filter_map(|dialog| self.find_again(dialog)));
        commands
    }

    /// A call whose flow is gone goes on over the flow that its user registered since.
    fn find_again(&mut self, dialog: DialogId) -> Option<Command> {
        let user = self.users.get(&self.legs.leg_of(dialog)?)?;
        let flow = self.bindings.get(user)?.last()?.flow;
        self.lost.remove(&dialog);
        Some(Command::MoveFlow { dialog, flow })
    }

    fn drop_bindings(&mut self, is_gone: impl Fn(&Binding) -> bool) {
        let mut touched = Vec::new();
        for (user, bindings) in &mut self.bindings {
            let before = bindings.len();
            bindings.retain(|b| !is_gone(b));
            if bindings.len() != before {
                touched.push(user.clone());
            }
        }
        for user in touched {
            self.note(&user);
        }
    }

    /// Tells if `user` has come online or gone offline.
    fn note(&mut self, user: &UserId) {
        let is_online = self.bindings.get(user).is_some_and(|b| !b.is_empty());
        if !is_online {
            self.bindings.remove(user);
        }
        let mut online = self.online.write().unwrap_or_else(PoisonError::into_inner);
        let changed = if is_online { online.insert(user.clone()) } else { online.remove(user) };
        drop(online);
        if changed {
            // Nobody listening is nobody to tell.
            let _ = self.changes.send((user.clone(), is_online));
        }
    }
}

enum Contacts {
    All,
    /// URI, value without `expires`, seconds.
    These(Vec<(String, String, u32)>),
}

/// What a REGISTER asks for; `None` if it breaks the rules.
fn read_contacts(register: &RegisterRequest) -> Option<Contacts> {
    if register.contacts.iter().any(|c| c == "*") {
        // RFC 3261 §10.3 step 6.
        let alone = register.contacts.len() == 1 && register.expires == Some(0);
        return alone.then_some(Contacts::All);
    }
    let contacts = register.contacts.iter().take(MAX_BINDINGS).map(|value| {
        let address = Address::parse(value).filter(|a| a.uri.is_ok())?;
        let asked = match address.param("expires") {
            Some(text) => text.parse().unwrap_or(DEFAULT_EXPIRES),
            None => register.expires.unwrap_or(DEFAULT_EXPIRES),
        };
        Some((address.uri_text, without_expires(value), asked.min(MAX_EXPIRES)))
    });
    contacts.collect::<Option<Vec<_>>>().map(Contacts::These)
}

/// A Contact value without its `expires` parameter (not one inside the URI's brackets).
fn without_expires(value: &str) -> String {
    let after = value.rfind('>').map_or(0, |at| at + 1);
    let (address, params) = value.split_at(after);
    let kept: Vec<&str> = params
        .split(';')
        .filter(|p| !p.trim_start().get(..7).is_some_and(|name| name.eq_ignore_ascii_case("expires")))
        .collect();
    format!("{address}{}", kept.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;

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

    async fn start() -> (RegistrarHandle, mpsc::UnboundedReceiver<(UserId, bool)>) {
        let check: TokenCheck = Arc::new(|token| (token == "kims").then(|| UserId::named("kim")));
        let bind = "127.0.0.1:0".parse().expect("an address");
        spawn(Doors::plain(bind), check, Arc::new(SystemClock)).await.expect("a free port")
    }

    const CONTACT: &str = "<sip:abc@xyz.invalid;transport=ws>;+sip.ice;reg-id=1;expires=600";
    const TOKEN: &str = "Authorization: Bearer kims\r\n";

    #[tokio::test]
    async fn a_phone_without_a_token_gets_the_short_403_and_one_with_it_is_rung() {
        let (handle, mut changes) = start().await;
        let kim = UserId::named("kim");
        let mut ws = handle.open_ws("127.0.0.1:9".parse().expect("an address"), false).await.expect("open");
        ws.receive(register(1, "", CONTACT)).await.expect("open");
        let refused = next(&mut ws).await;
        assert!(refused.starts_with("SIP/2.0 403 ") && !refused.contains("Server"), "{refused}");
        assert!(!handle.is_registered(&kim));

        ws.receive(register(2, TOKEN, CONTACT)).await.expect("open");
        let accepted = next(&mut ws).await;
        assert!(accepted.starts_with("SIP/2.0 200 OK"), "{accepted}");
        assert!(accepted.contains("Contact: <sip:abc@xyz.invalid;transport=ws>;+sip.ice;reg-id=1;expires="));
        assert_eq!(changes.recv().await, Some((kim.clone(), true)));

        let (events, mut heard) = mpsc::channel(super::super::signal::LEG_EVENT_DEPTH);
        let call = vec![("X-Cordboard-Call".to_owned(), "call_1".to_owned())];
        handle.ring(LegId(1), &kim, b"v=0\r\n".to_vec(), call, events);
        let invite = next(&mut ws).await;
        assert!(invite.starts_with("INVITE sip:abc@xyz.invalid;transport=ws SIP/2.0\r\n"), "{invite}");
        assert!(invite.contains("X-Cordboard-Call: call_1") && invite.ends_with("v=0\r\n"));

        // The browser goes: its binding goes, the ringing leg ends.
        drop(ws);
        assert_eq!(changes.recv().await, Some((kim.clone(), false)));
        assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Unreachable))));
        assert!(!handle.is_registered(&kim));
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
        handle.ring(LegId(1), &kim, b"v=0\r\n".to_vec(), Vec::new(), events);
        let invite = next(&mut ws).await;
        let line = |name: &str| invite.lines().find(|l| l.starts_with(name)).expect("a header").to_owned();
        let answer = format!(
            "SIP/2.0 200 OK\r\n{}\r\n{}\r\n{};tag=browser\r\n{}\r\n{}\r\nContact: <sip:abc@xyz.invalid;transport=ws>\r\n\
             Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
            line("Via: "),
            line("From: "),
            line("To: "),
            line("Call-ID: "),
            line("CSeq: ")
        );
        ws.receive(answer.into_bytes()).await.expect("open");
        assert!(matches!(heard.recv().await, Some(LegEvent::Answered(_))));
        assert!(next(&mut ws).await.starts_with("ACK "));
        drop(ws);
        assert_eq!(changes.recv().await, Some((kim.clone(), true)));
        assert_eq!(changes.recv().await, Some((kim.clone(), false)));

        let mut ws = handle.open_ws(peer, false).await.expect("open");
        ws.receive(register(2, TOKEN, CONTACT)).await.expect("open");
        assert!(next(&mut ws).await.starts_with("SIP/2.0 200"));
        handle.send(LegId(1), LegCommand::HangUp);
        assert!(next(&mut ws).await.starts_with("BYE sip:abc@xyz.invalid"));
        assert!(matches!(heard.recv().await, Some(LegEvent::Ended(Cause::Released))));
    }

    #[test]
    fn a_contact_is_given_back_without_its_expiry() {
        assert_eq!(without_expires("<sip:a@h;expires=9>;q=1;Expires=5;x"), "<sip:a@h;expires=9>;q=1;x");
        assert_eq!(without_expires("sip:a@h;expires=5"), "sip:a@h");
    }
}
