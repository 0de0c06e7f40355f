//! Challenges to requests of ours (401, 407): answered with a trunk's login, once.
//!
//! A login answers only what it was lent to: a call out or a registration over its own trunk, challenged by
//! that trunk's own address and in its own realm. A dialog that the far end opened is never lent one, so a
//! stranger who challenges our BYE learns nothing (CVE-2021-41158). A second challenge to one request is
//! answered only if it says that the nonce was old.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::super::dialog::{Dialog, Stage, TxId};
use super::super::digest::client::{Asked, Login, credentials, pick_challenge};
use super::super::digest::fields::Challenge;
use super::super::message::{Headers, Message, Method, Request, Response};
use super::super::wire::{self, Read};
use super::super::words::{DialogId, Flow, LoginId, RequestId};
use super::uas::cseq_of;
use super::{Agent, Client, ClientKind};

/// Answers to one request: the first, and one more if its nonce was old.
const MOST_ANSWERS: u8 = 2;

/// Who may be answered with what.
#[derive(Debug, Default)]
pub(super) struct Logins {
    known: HashMap<LoginId, Known>,
    by_dialog: HashMap<DialogId, ByDialog>,
    by_tx: HashMap<TxId, Loan>,
    /// Registrations of ours under way.
    pub(super) registers: HashMap<TxId, RequestId>,
}

#[derive(Debug)]
struct Known {
    login: Login,
    /// Where its trunk is.
    peers: Vec<IpAddr>,
    /// The nonce answered last, and how often.
    nonce: String,
    count: u32,
}

#[derive(Debug)]
struct ByDialog {
    login: LoginId,
    /// What the last INVITE was sent with, by its CSeq: its ACK carries the same (RFC 3261 §22.1).
    sent: Option<(u32, &'static str, String)>,
}

#[derive(Clone, Copy, Debug)]
struct Loan {
    login: LoginId,
    answers: u8,
}

impl Logins {
    pub(super) fn lend_to_tx(&mut self, tx: TxId, login: Option<LoginId>) {
        if let Some(login) = login {
            self.by_tx.insert(tx, Loan { login, answers: 0 });
        }
    }

    pub(super) fn of_dialog(&self, dialog: DialogId) -> Option<LoginId> {
        self.by_dialog.get(&dialog).map(|by| by.login)
    }

    pub(super) fn of_tx(&self, tx: TxId) -> Option<LoginId> {
        self.by_tx.get(&tx).map(|loan| loan.login)
    }

    pub(super) fn forget_dialog(&mut self, dialog: DialogId) {
        self.by_dialog.remove(&dialog);
    }

    pub(super) fn forget_tx(&mut self, tx: TxId) {
        self.by_tx.remove(&tx);
        self.registers.remove(&tx);
    }

    /// What the ACK of the INVITE with this CSeq has to carry.
    pub(super) fn for_ack(&self, dialog: DialogId, seq: u32) -> Option<(&'static str, &str)> {
        let (of, name, value) = self.by_dialog.get(&dialog)?.sent.as_ref()?;
        (*of == seq).then_some((*name, value.as_str()))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_dialog.is_empty() && self.by_tx.is_empty() && self.registers.is_empty()
    }

    /// The credentials for a challenge, if it may be answered.
    fn answer(
        &mut self,
        loan: Loan,
        peer: IpAddr,
        response: &Response,
        request: &Request,
        cnonce: &str,
    ) -> Option<String> {
        let known = self.known.get_mut(&loan.login).filter(|known| known.peers.contains(&peer.to_canonical()))?;
        let by_proxy = response.status == 407;
        let mut challenges = Challenge::all_in(&response.headers);
        challenges.retain(|c| c.by_proxy == by_proxy);
        let challenge = pick_challenge(&challenges, known.login.realm.as_deref())?;
        if loan.answers >= MOST_ANSWERS || (loan.answers > 0 && !challenge.stale) {
            return None;
        }
        if known.login.realm.is_none() {
            // The realm is learned where we spoke first, and locked.
            if ![Method::INVITE, Method::REGISTER].contains(&request.method) {
                return None;
            }
            known.login.realm = Some(challenge.realm.clone());
        }
        if known.nonce == challenge.nonce {
            known.count = known.count.saturating_add(1);
        } else {
            known.nonce.clone_from(&challenge.nonce);
            known.count = 1;
        }
        let (method, uri) = (request.method.to_string(), request.uri.to_string());
        let asked = Asked { method: &method, uri: &uri, body: &request.body };
        Some(credentials(challenge, &known.login, asked, cnonce, known.count))
    }
}

impl Agent {
    /// Makes a trunk's login known. Its trunk is at none of ours until [`Agent::set_login_peers`].
    pub fn add_login(&mut self, id: LoginId, login: Login) {
        self.logins.known.insert(id, Known { login, peers: Vec::new(), nonce: String::new(), count: 0 });
    }

    /// Where the trunk of a login is now.
    pub fn set_login_peers(&mut self, id: LoginId, peers: impl IntoIterator<Item = IpAddr>) {
        if let Some(known) = self.logins.known.get_mut(&id) {
            known.peers = peers.into_iter().map(|ip| ip.to_canonical()).collect();
        }
    }

    /// Lends a login to a call out, for all its requests. Before its [`Command::Invite`](super::Command::Invite).
    pub fn lend_login(&mut self, dialog: DialogId, login: LoginId) {
        self.logins.by_dialog.insert(dialog, ByDialog { login, sent: None });
    }

    /// Sends a challenged request again with credentials, if that may be. `true`: it was.
    pub(super) fn answer_challenge(&mut self, now: Instant, flow: &Flow, id: TxId, response: &Response) -> bool {
        if !matches!(response.status, 401 | 407) {
            return false;
        }
        let Some(loan) = self.logins.by_tx.get(&id).copied() else { return false };
        let Some(client) = self.clients.get(&id) else { return false };
        let (sent_on, dialog) = (client.flow, client.dialog);
        if !sent_on.is_same_connection(flow) || sent_on.peer.ip() != flow.peer.ip() {
            return false;
        }
        let Some(request) = request_of(client) else { return false };
        let invite = request.method == Method::INVITE;
        if invite && !dialog.is_some_and(|dialog| self.waits_for(dialog, id)) {
            return false;
        }
        // Before the answer each branch counts for itself (RFC 3261 §12.2.1.1), and only the INVITE is the call's own.
        let early = |d: &Dialog| matches!(d.stage, Stage::Calling { .. });
        if !invite && dialog.and_then(|dialog| self.dialogs.get(&dialog)).is_some_and(early) {
            return false;
        }
        let cnonce = self.rng.token(20);
        let Some(value) = self.logins.answer(loan, flow.peer.ip(), response, &request, &cnonce) else { return false };
        let name = if response.status == 407 { "Proxy-Authorization" } else { "Authorization" };
        let seq = dialog.and_then(|dialog| self.dialogs.get_mut(&dialog)).map_or_else(
            || cseq_of(&request) + 1,
            |dialog| {
                dialog.local_seq += 1;
                dialog.local_seq
            },
        );
        let again = with_credentials(&request, seq, name, &value);
        let tx = self.send(now, sent_on, again, dialog);
        self.logins.by_tx.insert(tx, Loan { answers: loan.answers + 1, ..loan });
        if let Some(ticket) = self.logins.registers.remove(&id) {
            self.logins.registers.insert(tx, ticket);
        }
        if let Some(dialog) = dialog {
            self.waits_for_other(dialog, id, tx);
        }
        if invite && let Some(by) = dialog.and_then(|dialog| self.logins.by_dialog.get_mut(&dialog)) {
            by.sent = Some((seq, name, value));
        }
        true
    }

    /// The dialog still wants to know what comes of this INVITE.
    fn waits_for(&self, dialog: DialogId, tx: TxId) -> bool {
        self.dialogs.get(&dialog).is_some_and(|d| {
            let changing = d.changing.as_ref().is_some_and(|(sent, _)| *sent == tx);
            d.stage == (Stage::Calling { tx, canceling: false }) || changing
        })
    }

    /// Another transaction carries the request on.
    fn waits_for_other(&mut self, dialog: DialogId, old: TxId, new: TxId) {
        let Some(dialog) = self.dialogs.get_mut(&dialog) else { return };
        if matches!(dialog.stage, Stage::Calling { tx, .. } if tx == old) {
            // What was heard of the first attempt went with it.
            dialog.branches.clear();
        }
        dialog.carry_on(old, new);
    }
}

/// The request that a transaction sent.
pub(super) fn request_of(client: &Client) -> Option<Request> {
    match &client.kind {
        ClientKind::Invite { request, .. } => Some((**request).clone()),
        ClientKind::Other(machine) => match wire::read(machine.bytes(), client.flow.transport.is_stream()) {
            Read::Message(Message::Request(request)) => Some(request),
            _ => None,
        },
    }
}

/// The same request once more: without its Via, with the next CSeq and with credentials (RFC 3261 §22.2).
fn with_credentials(request: &Request, seq: u32, name: &str, value: &str) -> Request {
    let mut headers = Headers::default();
    let mut vias = 0;
    for (field, text) in request.headers.iter() {
        if field.eq_ignore_ascii_case("Via") && vias == 0 {
            vias += 1;
        } else if field.eq_ignore_ascii_case("CSeq") {
            headers.push("CSeq", format!("{seq} {}", request.method));
        } else if !field.eq_ignore_ascii_case(name) && !field.eq_ignore_ascii_case("Content-Length") {
            headers.push(field, text);
        }
    }
    headers.push(name, value);
    Request { method: request.method.clone(), uri: request.uri.clone(), headers, body: request.body.clone() }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::super::super::admit::Admit;
    use super::super::super::words::{Command, Event, Input, Output, RegisterOrder, Transport};
    use super::super::{AgentConfig, Role};
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};
    use crate::base::rng::Rng;

    const SDP: &[u8] = b"v=0\r\n";
    const LOGIN: LoginId = LoginId(1);

    struct Rig {
        now: Instant,
        agent: Agent,
    }

    fn flow_to(peer: &str) -> Flow {
        let local = "192.0.2.1:5060".parse().expect("an address");
        Flow { transport: Transport::Udp, local, peer: peer.parse().expect("an address"), connection: 0 }
    }

    fn trunk() -> Flow {
        flow_to("198.51.100.1:5060")
    }

    fn challenge(realm: &str, nonce: &str, more: &str) -> String {
        format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth,auth-int\"{more}\r\n")
    }

    /// A response to a request as it was sent.
    fn reply(request: &str, status: &str, extra: &str) -> Vec<u8> {
        let line = |name: &str| request.lines().find(|l| l.starts_with(name)).expect("a header").to_owned();
        let to = line("To: ");
        let to = if to.contains(";tag=") { to } else { format!("{to};tag=far") };
        format!(
            "SIP/2.0 {status}\r\n{}\r\n{}\r\n{to}\r\n{}\r\n{}\r\n{extra}Content-Length: 0\r\n\r\n",
            line("Via: "),
            line("From: "),
            line("Call-ID: "),
            line("CSeq: ")
        )
        .into_bytes()
    }

    impl Rig {
        fn new(realm: Option<&str>) -> Self {
            let now = TestClock::at(UtcMs(0)).instant();
            let mut agent = Agent::new(AgentConfig::new(Role::Trunk, Admit::Any), Rng::seeded(1));
            let password = SecretString::from("secret".to_owned());
            agent.add_login(LOGIN, Login { user: "us".to_owned(), password, realm: realm.map(str::to_owned) });
            agent.set_login_peers(LOGIN, [trunk().peer.ip()]);
            Self { now, agent }
        }

        fn drain(&mut self) -> (Vec<String>, Vec<Event>) {
            let (mut sent, mut events) = (Vec::new(), Vec::new());
            while let Some(output) = self.agent.poll_output() {
                match output {
                    Output::Transmit { bytes, .. } | Output::Refuse { bytes, .. } => {
                        sent.push(String::from_utf8(bytes).expect("text"));
                    }
                    Output::Event(event) => events.push(event),
                    Output::CloseFlow { .. } => {}
                }
            }
            (sent, events)
        }

        fn tell(&mut self, input: Input) -> (Vec<String>, Vec<Event>) {
            self.agent.handle(self.now, input);
            self.drain()
        }

        fn receive(&mut self, flow: Flow, bytes: Vec<u8>) -> (Vec<String>, Vec<Event>) {
            self.tell(Input::Received { flow, bytes })
        }

        /// Calls out over the trunk; the INVITE.
        fn call(&mut self, lent: bool) -> (DialogId, String) {
            let dialog = self.agent.next_dialog();
            if lent {
                self.agent.lend_login(dialog, LOGIN);
            }
            let (mut sent, _) = self.tell(Input::Command(Command::Invite {
                dialog,
                flow: trunk(),
                request_uri: "sip:+12025550110@carrier.example".to_owned(),
                from: "<sip:us@192.0.2.1>".to_owned(),
                to: "<sip:+12025550110@carrier.example>".to_owned(),
                headers: vec![],
                offer: Some(SDP.to_vec()),
            }));
            (dialog, sent.remove(0))
        }
    }

    fn line(message: &str, name: &str) -> String {
        message.lines().find(|l| l.starts_with(name)).map(str::to_owned).unwrap_or_default()
    }

    #[test]
    fn a_challenged_call_is_placed_again_with_credentials_and_its_ack_carries_them() {
        let mut rig = Rig::new(None);
        let (dialog, invite) = rig.call(true);
        let (sent, events) = rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("a", "n1", "")));
        assert!(events.is_empty(), "{events:?}");
        assert!(sent[0].starts_with("ACK ") || sent[1].starts_with("ACK "), "{sent:?}");
        let again = sent.iter().find(|s| s.starts_with("INVITE ")).expect("placed again").clone();
        assert_eq!(line(&again, "CSeq: "), "CSeq: 2 INVITE");
        assert_eq!(line(&again, "Call-ID: "), line(&invite, "Call-ID: "));
        assert_eq!(line(&again, "From: "), line(&invite, "From: "));
        assert_ne!(line(&again, "Via: "), line(&invite, "Via: "));
        let authorization = line(&again, "Authorization: ");
        assert!(authorization.contains("realm=\"a\"") && authorization.contains("nc=00000001"), "{again}");
        assert!(again.ends_with("v=0\r\n"), "{again}");

        let ok = "Contact: <sip:far@198.51.100.1>\r\n";
        let (sent, events) = rig.receive(trunk(), reply(&again, "200 OK", ok));
        assert!(matches!(events.as_slice(), [Event::Answered { .. }]), "{events:?}");
        assert_eq!(line(&sent[0], "CSeq: "), "CSeq: 2 ACK");
        assert_eq!(line(&sent[0], "Authorization: "), authorization);

        // Its BYE is challenged too, and answered although the dialog is over for its owner.
        let (sent, _) = rig.tell(Input::Command(Command::Bye { dialog, headers: vec![] }));
        assert_eq!(line(&sent[0], "CSeq: "), "CSeq: 3 BYE");
        let (sent, _) = rig.receive(trunk(), reply(&sent[0], "401 Unauthorized", &challenge("a", "n1", "")));
        assert_eq!(line(&sent[0], "CSeq: "), "CSeq: 4 BYE");
        assert!(line(&sent[0], "Authorization: ").contains("nc=00000002"), "the nonce is counted on: {}", sent[0]);
        rig.receive(trunk(), reply(&sent[0], "200 OK", ""));
        for _ in 0..10 {
            let Some((at, _)) = rig.agent.poll_timeout() else { break };
            rig.now = at.max(rig.now);
            rig.tell(Input::Timeout);
        }
        assert!(rig.agent.logins.is_empty(), "nothing is left: {:?}", rig.agent.logins);
    }

    #[test]
    fn a_login_lent_to_a_call_that_cannot_be_placed_is_given_back() {
        for (uri, full) in [("carrier.example", false), ("sip:+12025550110@carrier.example", true)] {
            let mut rig = Rig::new(Some("a"));
            if full {
                rig.agent.config.max_dialogs = 0;
            }
            let dialog = rig.agent.next_dialog();
            rig.agent.lend_login(dialog, LOGIN);
            let (_, events) = rig.tell(Input::Command(Command::Invite {
                dialog,
                flow: trunk(),
                request_uri: uri.to_owned(),
                from: "<sip:us@192.0.2.1>".to_owned(),
                to: "<sip:+12025550110@carrier.example>".to_owned(),
                headers: vec![],
                offer: Some(SDP.to_vec()),
            }));
            let wanted = match events[..] {
                [Event::Full { .. }] => full,
                [Event::Rejected { status: 416, .. }] => !full,
                _ => false,
            };
            assert!(wanted, "{events:?}");
            assert!(rig.agent.logins.is_empty(), "nothing is left: {:?}", rig.agent.logins);
        }
    }

    #[test]
    fn a_second_challenge_is_answered_only_if_the_nonce_was_old_and_a_third_never() {
        let mut rig = Rig::new(Some("a"));
        let (_, invite) = rig.call(true);
        let (sent, _) = rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("a", "n1", "")));
        let second = sent.iter().find(|s| s.starts_with("INVITE ")).expect("placed again").clone();
        let (sent, events) =
            rig.receive(trunk(), reply(&second, "401 Unauthorized", &challenge("a", "n2", ", stale=true")));
        assert!(events.is_empty());
        let third = sent.iter().find(|s| s.starts_with("INVITE ")).expect("placed again").clone();
        assert!(line(&third, "Authorization: ").contains("nonce=\"n2\""));
        assert_eq!(third.matches("Authorization: ").count(), 1);
        let (sent, events) =
            rig.receive(trunk(), reply(&third, "401 Unauthorized", &challenge("a", "n3", ", stale=true")));
        assert!(!sent.iter().any(|s| s.starts_with("INVITE ")));
        assert!(matches!(events.as_slice(), [Event::Rejected { status: 401, .. }]), "{events:?}");

        let (_, invite) = rig.call(true);
        let (sent, _) = rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("a", "n4", "")));
        let second = sent.iter().find(|s| s.starts_with("INVITE ")).expect("placed again").clone();
        let (_, events) = rig.receive(trunk(), reply(&second, "401 Unauthorized", &challenge("a", "n5", "")));
        assert!(matches!(events.as_slice(), [Event::Rejected { status: 401, .. }]), "a wrong password: {events:?}");
    }

    #[test]
    fn no_credentials_go_to_another_realm_another_peer_or_a_call_that_was_lent_none() {
        let mut rig = Rig::new(Some("a"));
        let refused = |(sent, events): (Vec<String>, Vec<Event>)| {
            assert!(!sent.iter().any(|s| s.contains("uthorization")), "{sent:?}");
            assert!(matches!(events.as_slice(), [Event::Rejected { status: 401, .. }]), "{events:?}");
        };
        let (_, invite) = rig.call(true);
        refused(rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("b", "n", ""))));
        let (_, invite) = rig.call(true);
        refused(rig.receive(flow_to("203.0.113.9:5060"), reply(&invite, "401 Unauthorized", &challenge("a", "n", ""))));
        let (_, invite) = rig.call(false);
        refused(rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("a", "n", ""))));
        rig.agent.set_login_peers(LOGIN, ["203.0.113.9".parse().expect("an address")]);
        let (_, invite) = rig.call(true);
        refused(rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("a", "n", ""))));
    }

    #[test]
    fn the_realm_that_asked_first_is_the_only_one_answered_from_then_on() {
        let mut rig = Rig::new(None);
        let (_, invite) = rig.call(true);
        let (sent, _) = rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("a", "n", "")));
        assert!(sent.iter().any(|s| s.starts_with("INVITE ")));
        let (_, invite) = rig.call(true);
        let (_, events) = rig.receive(trunk(), reply(&invite, "401 Unauthorized", &challenge("other", "n", "")));
        assert!(matches!(events.as_slice(), [Event::Rejected { status: 401, .. }]));
    }

    #[test]
    fn a_challenge_on_a_dialog_that_the_trunk_opened_is_never_answered() {
        let mut rig = Rig::new(Some("a"));
        let invite = "INVITE sip:+12025550102@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1;rport\r\n\
                      From: <sip:+12025550110@198.51.100.1>;tag=f\r\nTo: <sip:+12025550102@192.0.2.1>\r\nCall-ID: c\r\n\
                      CSeq: 1 INVITE\r\nContact: <sip:far@198.51.100.1>\r\nMax-Forwards: 70\r\n\
                      Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
        let (_, events) = rig.receive(trunk(), invite.into());
        let [Event::Incoming { dialog, .. }] = events.as_slice() else { panic!("{events:?}") };
        let dialog = *dialog;
        let (sent, _) = rig.tell(Input::Command(Command::Answer { dialog, sdp: SDP.to_vec() }));
        let to = line(&sent[0], "To: ");
        let ack = format!(
            "ACK sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK2;rport\r\n\
             From: <sip:+12025550110@198.51.100.1>;tag=f\r\n{to}\r\nCall-ID: c\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n"
        );
        rig.receive(trunk(), ack.into_bytes());
        let (sent, _) = rig.tell(Input::Command(Command::Bye { dialog, headers: vec![] }));
        assert!(sent[0].starts_with("BYE "), "{sent:?}");
        for status in ["401 Unauthorized", "407 Proxy Authentication Required"] {
            let proxy = challenge("a", "n", "").replace("WWW", "Proxy");
            let both = challenge("a", "n", "") + &proxy;
            let (sent, _) = rig.receive(trunk(), reply(&sent[0], status, &both));
            assert!(sent.is_empty(), "{sent:?}");
        }
    }

    #[test]
    fn a_challenged_registration_is_repeated_and_its_outcome_told_once() {
        let mut rig = Rig::new(None);
        let order = RegisterOrder {
            request: RequestId(9),
            flow: trunk(),
            login: Some(LOGIN),
            registrar: "sip:carrier.example".to_owned(),
            address: "sip:us@carrier.example".to_owned(),
            contact_user: "us".to_owned(),
            call_id: "reg".to_owned(),
            cseq: 7,
            expires: 300,
        };
        let (sent, _) = rig.tell(Input::Command(Command::Register(Box::new(order.clone()))));
        assert!(sent[0].starts_with("REGISTER sip:carrier.example SIP/2.0\r\n"), "{}", sent[0]);
        assert_eq!(line(&sent[0], "Contact: "), "Contact: <sip:us@192.0.2.1:5060>");
        let (sent, events) = rig.receive(trunk(), reply(&sent[0], "401 Unauthorized", &challenge("a", "n", "")));
        assert!(events.is_empty());
        assert_eq!(line(&sent[0], "CSeq: "), "CSeq: 8 REGISTER");
        assert!(line(&sent[0], "Authorization: ").contains("uri=\"sip:carrier.example\""));
        let granted =
            "Contact: <sip:us@192.0.2.1:5060>;expires=120, <sip:us@192.0.2.200>;expires=9\r\nExpires: 300\r\n";
        let (_, events) = rig.receive(trunk(), reply(&sent[0], "200 OK", granted));
        let [Event::Registration(answer)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((answer.request, answer.status, answer.expires, answer.cseq), (RequestId(9), 200, Some(120), 8));

        // Nobody answers: that is told as well.
        rig.tell(Input::Command(Command::Register(Box::new(order))));
        let mut told = Vec::new();
        for _ in 0..30 {
            let Some((at, _)) = rig.agent.poll_timeout() else { break };
            rig.now = at.max(rig.now);
            told.extend(rig.tell(Input::Timeout).1);
        }
        let [Event::Registration(answer)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(answer.status, 408);
    }
}
