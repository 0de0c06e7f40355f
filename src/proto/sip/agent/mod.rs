//! The user agent: tables of transactions and dialogs, and what happens to them.
//!
//! This file holds the tables, deadlines and the way in and out; `uas` serves requests, `uac` makes them,
//! `early` hears what comes before an answer, `prack` sends it, `change` is re-INVITE and UPDATE of both
//! sides, `session` keeps session timers, `terms` says with whom, `refer` takes transfers, `probe` asks whether a far end
//! is still there, `options` whether a host is, `register` registers with carriers, `challenge` says which challenges
//! (401, 407) are answered, `reply` refuses statelessly, `flows` says what the end of a connection means, `unsent` hears
//! what could not be sent, `merged` knows calls that come by two ways. Tables are bounded: what doesn't fit is refused
//! with 503 before any work is done, what is already up goes on.

#[cfg(test)]
mod admission_tests;
mod challenge;
mod change;
mod early;
mod flows;
mod merged;
mod options;
mod prack;
mod probe;
mod refer;
mod register;
mod reply;
mod session;
mod shed;
mod terms;
mod uac;
mod uas;
mod unsent;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::admission::Admission;
use super::admit::{Admit, Source};
use super::dialog::{Dialog, TxId};
use super::message::{Message, Method, Request, Response};
use super::session_timer::SessionPolicy;
use super::terms::{PeerTerms, Reliable};
use super::transaction::client::ClientTransaction;
use super::transaction::client_invite::ClientInvite;
use super::transaction::server::ServerTransaction;
use super::transaction::server_invite::ServerInvite;
use super::wire::{self, Read};
use super::words::{Command, DialogId, EndReason, Event, Flow, Input, Output, RequestId, Transport};
use crate::base::rng::Rng;
use flows::User;

/// Room that a table keeps.
const ROOM: usize = 4_096;

/// Which side an agent stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Speaks to carriers: takes calls, no registrations.
    Trunk,
    /// Speaks to phones: takes registrations, and calls from those that [`Agent::hear_calls`] names; any other request
    /// outside a dialog gets the short 403, and a dialog belongs to the connection it was made on.
    Phones,
}

/// How an agent is set up.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    pub role: Role,
    /// Server and User-Agent.
    pub user_agent: String,
    pub admit: Admit,
    pub max_dialogs: usize,
    pub max_transactions: usize,
    /// Session timers; `None`: not for us.
    pub session: Option<SessionPolicy>,
    /// What we do about reliable provisional responses.
    pub reliable: Reliable,
    /// REFER and Replaces are passed on. Otherwise a REFER is refused, and a Replaces means nothing.
    pub transfers: bool,
}

impl AgentConfig {
    /// The usual limits.
    pub fn new(role: Role, admit: Admit) -> Self {
        Self {
            role,
            user_agent: concat!("Cordboard/", env!("CARGO_PKG_VERSION")).to_owned(),
            admit,
            max_dialogs: 4_000,
            // Each lives on for 32 s (64·T1), two a call: three thousand calls a second.
            max_transactions: 200_000,
            session: Some(SessionPolicy::default()),
            reliable: Reliable::default(),
            // A carrier has no business in moving calls about between people here.
            transfers: false,
        }
    }
}

/// Why an agent wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A message is to be repeated, or a transaction ends.
    Transaction,
    /// An answer waits for its ACK, a reliable response for its PRACK, a session for its refresh, or a
    /// dialog for its connection.
    Dialog,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Timer {
    Server(TxId),
    Client(TxId),
    Dialog(DialogId),
}

/// Which transaction a request belongs to (RFC 3261 §17.2.3). ACK and CANCEL go by INVITE's; CANCEL has its own as well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ServerKey(String);

#[derive(Debug)]
enum ServerKind {
    Invite(ServerInvite),
    Other(ServerTransaction),
}

#[derive(Debug)]
struct Server {
    key: ServerKey,
    /// Where responses go.
    flow: Flow,
    kind: ServerKind,
    request: Request,
    dialog: Option<DialogId>,
    to_tag: String,
    /// Of an INVITE that began a call: what it is known by when it comes another way.
    names: Option<merged::Names>,
}

#[derive(Debug)]
enum ClientKind {
    Invite {
        machine: ClientInvite,
        request: Box<Request>,
        /// The ACK of the 2xx that its dialog has taken: sent again as often as that comes again, whatever the dialog has
        /// agreed on since.
        ack: Option<Vec<u8>>,
        /// Tags of forked answers that were acknowledged and hung up.
        forked: Vec<String>,
        /// The highest CSeq that any branch has seen of us.
        last_seq: u32,
        /// Give it up as soon as a provisional response is there (§9.1).
        cancel_wanted: bool,
    },
    Other(ClientTransaction),
}

#[derive(Debug)]
struct Client {
    key: (String, String),
    flow: Flow,
    kind: ClientKind,
    dialog: Option<DialogId>,
    /// It went out again because its connection broke.
    resent: bool,
}

/// A user agent.
#[derive(Debug)]
pub struct Agent {
    config: AgentConfig,
    rng: Rng,
    admission: Admission,
    /// Key of the To-tags that stateless replies carry.
    secret: u64,
    next_id: u64,
    outputs: VecDeque<Output>,
    servers: HashMap<TxId, Server>,
    server_keys: HashMap<ServerKey, TxId>,
    /// INVITEs that began a call.
    invites: HashMap<merged::Names, TxId>,
    clients: HashMap<TxId, Client>,
    /// OPTIONS of ours that wait for an answer.
    asked: HashMap<TxId, RequestId>,
    client_keys: HashMap<(String, String), TxId>,
    dialogs: HashMap<DialogId, Dialog>,
    /// (Call-ID, our tag).
    dialog_keys: HashMap<(String, String), DialogId>,
    connections: flows::Connections,
    timers: BTreeSet<(Instant, Timer)>,
    armed: HashMap<Timer, Instant>,
    logins: challenge::Logins,
    /// It is about to end, and says so to whoever asks whether it is there.
    leaving: bool,
    /// Far ends with terms of their own, and those of calls out that are about to be made.
    terms: Vec<(Source, Transport, PeerTerms)>,
    agreed: HashMap<DialogId, PeerTerms>,
    /// Ways that phones may call by.
    callers: HashSet<(Transport, SocketAddr, u64)>,
}

impl Agent {
    pub fn new(config: AgentConfig, mut rng: Rng) -> Self {
        let secret = rng.next_u64();
        Self {
            config,
            rng,
            admission: Admission::default(),
            secret,
            next_id: 1,
            outputs: VecDeque::new(),
            servers: HashMap::new(),
            server_keys: HashMap::new(),
            invites: HashMap::new(),
            clients: HashMap::new(),
            asked: HashMap::new(),
            client_keys: HashMap::new(),
            dialogs: HashMap::new(),
            dialog_keys: HashMap::new(),
            connections: flows::Connections::default(),
            timers: BTreeSet::new(),
            armed: HashMap::new(),
            logins: challenge::Logins::default(),
            leaving: false,
            terms: Vec::new(),
            agreed: HashMap::new(),
            callers: HashSet::new(),
        }
    }

    /// A number for a call out ([`Command::Invite`]).
    pub const fn next_dialog(&mut self) -> DialogId {
        self.next_id += 1;
        DialogId(self.next_id)
    }

    /// From now on it says that it takes no more calls (503 to OPTIONS outside of any), so that carriers choose another.
    pub const fn leave(&mut self) {
        self.leaving = true;
    }

    /// What both ends call a dialog that is there.
    pub fn call_id_of(&self, dialog: DialogId) -> Option<&str> {
        self.dialogs.get(&dialog).map(|dialog| dialog.call_id.as_str())
    }

    /// So many messages lie unread behind the one that comes next.
    pub const fn unread(&mut self, messages: usize) {
        self.admission.unread(messages);
    }

    /// Whoever takes calls in has no room for one more just now, or has again.
    pub const fn crowded(&mut self, crowded: bool) {
        self.admission.crowded(crowded);
    }

    /// No new calls for now, or again, whatever else speaks for them.
    pub const fn hold_off(&mut self, hold_off: bool) {
        self.admission.hold_off(hold_off);
    }

    /// Whether somebody at that address may speak to it.
    pub fn admits(&self, ip: IpAddr) -> bool {
        self.config.admit.admits(ip)
    }

    /// Who may speak to it from now on.
    pub fn admit(&mut self, admit: Admit) {
        self.config.admit = admit;
    }

    /// Phones that came by these may call ([`Event::Incoming`]), and no others. What they say of themselves is not
    /// looked at here.
    pub fn hear_calls(&mut self, ways: Vec<Flow>) {
        self.callers = ways.into_iter().map(|way| (way.transport, way.peer, way.connection)).collect();
    }

    fn may_call(&self, flow: &Flow) -> bool {
        self.config.role == Role::Trunk || self.callers.contains(&(flow.transport, flow.peer, flow.connection))
    }

    /// Takes in what happened. Outputs are ready afterwards.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received { flow, bytes } => self.receive(now, flow, &bytes),
            Input::FlowClosed { flow } => self.flow_closed(now, flow),
            Input::Unsent { bytes } => self.unsent(now, &bytes),
            Input::Timeout => self.fire(now),
            Input::Command(command) => self.command(now, command),
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.timers.first().map(|(at, timer)| match timer {
            Timer::Server(_) | Timer::Client(_) => (*at, Reason::Transaction),
            Timer::Dialog(_) => (*at, Reason::Dialog),
        })
    }

    /// Dialogs and transactions held, for tests of leaks and for metrics.
    pub fn load(&self) -> (usize, usize) {
        (self.dialogs.len(), self.servers.len() + self.clients.len())
    }

    fn receive(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        if !self.config.admit.admits(flow.peer.ip()) {
            return self.turn_away(flow, bytes);
        }
        if self.shed(now, flow, bytes) {
            return;
        }
        match wire::read(bytes, flow.transport.is_stream()) {
            Read::Message(Message::Request(request)) => self.request(now, flow, request, bytes.len()),
            Read::Message(Message::Response(response)) => self.response(now, flow, response),
            Read::Refuse(refusal) => self.refuse(flow, refusal, bytes.len()),
            // RFC 5626 §4.4.1; for TCP the framer's reader answers. Phones do it over UDP as well.
            Read::Keepalive if bytes == b"\r\n\r\n" && (flow.connection != 0 || self.config.role == Role::Phones) => {
                self.transmit(flow, b"\r\n".to_vec());
            }
            Read::Keepalive | Read::Drop(_) => {}
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Invite { dialog, flow, request_uri, from, to, headers, offer } => {
                self.invite(now, dialog, flow, &request_uri, &from, &to, &headers, offer);
            }
            Command::Cancel { dialog } => self.cancel(now, dialog),
            Command::Ring { dialog, sdp } => self.ring(now, dialog, sdp),
            Command::WaitForOthers { dialog } => self.settle(dialog),
            Command::Answer { dialog, sdp } => self.answer(now, dialog, sdp),
            Command::Reject { dialog, status, headers } => self.reject(now, dialog, status, &headers),
            Command::Reinvite { dialog, sdp } => self.reinvite(now, dialog, sdp),
            Command::AnswerReinvite { dialog, sdp } => self.answer_reoffer(now, dialog, Ok(sdp)),
            Command::RejectReinvite { dialog, status } => self.answer_reoffer(now, dialog, Err(status)),
            Command::AcceptRefer { dialog } => self.accept_refer(now, dialog),
            Command::ReportRefer { dialog, status } => self.report_refer(now, dialog, status),
            Command::RefuseRefer { dialog, status } => self.refuse_refer(now, dialog, status),
            Command::Probe { dialog } => self.probe(now, dialog),
            Command::Bye { dialog, headers } => self.hang_up(now, dialog, &headers),
            Command::MoveFlow { dialog, flow } => self.move_flow(dialog, flow),
            Command::SendAgain { transaction, flow } => self.send_again(transaction, flow),
            Command::Register(order) => self.register_with(now, &order),
            Command::Options { request, flow, request_uri, from } => {
                self.ask_options(now, request, flow, &request_uri, &from);
            }
            Command::Respond { request, status, headers } => self.respond_register(now, request, status, &headers),
        }
    }

    /// Runs everything that is due. Each machine moves its deadline on, so this ends.
    fn fire(&mut self, now: Instant) {
        // At most as many as there are now: one armed anew for this very moment waits for the next call.
        for _ in 0..self.timers.len() {
            let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= now) else { return };
            // Each is taken out just before it runs, so that a panic in one costs no other.
            self.timers.remove(&(at, timer));
            self.armed.remove(&timer);
            match timer {
                Timer::Server(id) => self.server_timeout(now, id),
                Timer::Client(id) => self.client_timeout(now, id),
                Timer::Dialog(id) => self.dialog_timeout(now, id),
            }
        }
    }

    fn dialog_timeout(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if dialog.lost_at.is_some_and(|at| now >= at) {
            return self.lost_for_good(now, id);
        }
        if let Some(accepted) = &mut dialog.accepted {
            if now >= accepted.give_up_at {
                // RFC 3261 §13.3.1.4: never acknowledged; the dialog is up all the same, so it gets a BYE.
                dialog.accepted = None;
                let headers = dialog.closing.clone().unwrap_or_default();
                self.send_bye(now, id, &headers);
                return self.end(now, id, EndReason::NoAck);
            }
            if accepted.again.fire(now) {
                let (flow, bytes) = (accepted.flow, accepted.bytes.clone());
                self.transmit(flow, bytes);
            }
        }
        if self.tend_reliable(now, id) || self.tend_session(now, id) {
            return;
        }
        self.send_waiting_change(now, id);
        self.arm_dialog(id);
    }

    /// Forgets a dialog and tells so, unless its owner has hung up already.
    fn end(&mut self, now: Instant, id: DialogId, why: EndReason) {
        self.drop_reoffer(now, id);
        if let Some(dialog) = self.forget_dialog(id)
            && !dialog.is_closing()
        {
            self.event(Event::Ended { dialog: id, why });
        }
    }

    fn forget_dialog(&mut self, id: DialogId) -> Option<Dialog> {
        let dialog = self.dialogs.remove(&id)?;
        self.connections.remove(&dialog.flow, User::Dialog(id));
        self.logins.forget_dialog(id);
        self.dialog_keys.remove(&(dialog.call_id.clone(), dialog.local_tag.clone()));
        give_back(&mut self.dialogs);
        give_back(&mut self.dialog_keys);
        self.arm(Timer::Dialog(id), None);
        // A change or transfer that nobody answered goes with its dialog.
        for tx in dialog.reoffered.into_iter().chain(dialog.referral.and_then(|r| r.tx)) {
            self.forget_server(tx);
        }
        Some(dialog)
    }

    fn add_dialog(&mut self, dialog: Dialog) {
        self.dialog_keys.insert((dialog.call_id.clone(), dialog.local_tag.clone()), dialog.id);
        self.connections.add(&dialog.flow, User::Dialog(dialog.id));
        self.dialogs.insert(dialog.id, dialog);
    }

    fn forget_server(&mut self, id: TxId) -> Option<Server> {
        let server = self.servers.remove(&id)?;
        self.server_keys.remove(&server.key);
        self.connections.remove(&server.flow, User::Server(id));
        if let Some(names) = server.names.as_ref().filter(|names| self.invites.get(names) == Some(&id)) {
            self.invites.remove(names);
            give_back(&mut self.invites);
        }
        self.arm(Timer::Server(id), None);
        give_back(&mut self.servers);
        give_back(&mut self.server_keys);
        Some(server)
    }

    fn forget_client(&mut self, id: TxId) -> Option<Client> {
        let client = self.clients.remove(&id)?;
        self.client_keys.remove(&client.key);
        self.connections.remove(&client.flow, User::Client(id));
        if let Some(dialog) = client.dialog.and_then(|dialog| self.dialogs.get_mut(&dialog)) {
            dialog.probe.take_if(|probe| *probe == id);
        }
        self.logins.forget_tx(id);
        self.arm(Timer::Client(id), None);
        Some(client)
    }

    fn arm_dialog(&mut self, id: DialogId) {
        let at = self.dialogs.get(&id).and_then(Dialog::deadline);
        self.arm(Timer::Dialog(id), at);
    }

    fn arm(&mut self, timer: Timer, at: Option<Instant>) {
        if let Some(old) = self.armed.remove(&timer) {
            self.timers.remove(&(old, timer));
        }
        match at {
            Some(at) => {
                self.timers.insert((at, timer));
                self.armed.insert(timer, at);
            }
            None => give_back(&mut self.armed),
        }
    }

    const fn fresh(&mut self) -> TxId {
        self.next_id += 1;
        self.next_id
    }

    fn transmit(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit { flow, bytes });
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Where the peer of a flow reaches us: its local address, which its driver has chosen for that peer. `secure`: what
    /// we answer to was a `sips:` URI, so ours has to be one (RFC 3261 §12.1.1); it says TLS by itself (RFC 5630 §3.1.3).
    /// Otherwise what carriers expect: `sip:` with the transport.
    fn contact(flow: &Flow, secure: bool) -> String {
        if secure {
            return format!("<sips:{}>", flow.local);
        }
        let transport = match flow.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => ";transport=ws",
        };
        format!("<sip:{}{transport}>", flow.local)
    }

    const fn allow(&self) -> &'static str {
        match (self.config.role, self.config.transfers) {
            (Role::Trunk, false) => "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE",
            (Role::Trunk, true) => "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER",
            (Role::Phones, false) => "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REGISTER",
            (Role::Phones, true) => "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REGISTER, REFER",
        }
    }

    fn response(&mut self, now: Instant, flow: Flow, response: Response) {
        let Some((via, cseq)) = response.headers.via().zip(response.headers.cseq()) else { return };
        let Some(branch) = via.branch() else { return };
        let key = (branch.to_owned(), cseq.method.to_string());
        // A response to nothing of ours is dropped (RFC 3261 §18.1.2).
        if let Some(id) = self.client_keys.get(&key).copied() {
            self.client_response(now, flow, id, response);
        }
    }

    /// The dialog a request names, if all three parts match (§12.2.2) and, towards phones, the connection.
    fn find_dialog(&self, request: &Request, flow: &Flow) -> Option<DialogId> {
        let key = (request.headers.call_id().to_owned(), request.headers.to_tag()?);
        let dialog = self.dialogs.get(self.dialog_keys.get(&key)?)?;
        let from = request.headers.from_tag();
        let same = dialog.remote_tag.as_ref().is_none_or(|tag| *tag == from);
        let trusted = self.config.role == Role::Trunk || dialog.flow.is_same_connection(flow);
        (same && trusted).then_some(dialog.id)
    }
}

/// Gives back the room that a flood has left behind in a table. Each time it halves at least, so it costs little per entry.
fn give_back<K: Eq + Hash, V>(table: &mut HashMap<K, V>) {
    if table.capacity() > ROOM && table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2);
    }
}

#[cfg(test)]
impl Agent {
    /// No dialog waits for an ACK or for an answer to a change.
    pub(super) fn dialogs_are_quiet(&self) -> bool {
        self.dialogs.values().all(|d| d.accepted.is_none() && d.reoffered.is_none() && d.changing.is_none())
    }

    /// As if no far end had named UPDATE in its Allow.
    pub(super) fn forget_update(&mut self) {
        for dialog in self.dialogs.values_mut() {
            dialog.takes_update = false;
        }
    }

    /// Nothing is known of any connection or call that is over.
    pub(super) fn indexes_are_empty(&self) -> bool {
        self.connections.is_empty() && self.invites.is_empty()
    }

    pub(super) const fn limit_dialogs(&mut self, most: usize) {
        self.config.max_dialogs = most;
    }
}

/// Is it one that RFC 3261 and its extensions know, but we don't serve?
fn is_served(method: &Method, role: Role) -> bool {
    [
        Method::INVITE,
        Method::ACK,
        Method::BYE,
        Method::CANCEL,
        Method::OPTIONS,
        Method::INFO,
        Method::UPDATE,
        Method::PRACK,
        // Refused in words of its own where transfers aren't taken.
        Method::REFER,
    ]
    .contains(method)
        || (role == Role::Phones && *method == Method::REGISTER)
}
