//! Challenges to requests of ours (401, 407): answered with a trunk's login, once each.
//!
//! A login answers only what it was lent to: a call out or a registration over its own trunk, challenged by
//! that trunk's own address and in its own realm. A dialog that the far end opened is never lent one, so a
//! stranger who challenges our BYE learns nothing (CVE-2021-41158). A proxy and the server behind it may both
//! challenge one request, and the repeat proves us to both; a second challenge of the same one is answered only if it
//! says that the nonce was old.

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

/// Answers to one who asks, for one request: the first, and one more if its nonce was old.
const MOST_ANSWERS: u8 = 2;

/// A header of a request, with what proves us.
type Proof = (&'static str, String);

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
    server: Asker,
    proxy: Asker,
}

impl Known {
    const fn asker(&mut self, by_proxy: bool) -> &mut Asker {
        if by_proxy { &mut self.proxy } else { &mut self.server }
    }
}

/// Who asks: a trunk's server by 401 (RFC 3261 §22.2), or a proxy before it by 407 (§22.3).
#[derive(Debug, Default)]
struct Asker {
    /// The realm it asked in first, if the login names none: from then on the only one.
    realm: Option<String>,
    /// The nonce answered last, and how often.
    nonce: String,
    count: u32,
}

impl Asker {
    /// How often this nonce is used, this time included. `before`: how often by the same request.
    fn count(&mut self, nonce: &str, before: u32) -> u32 {
        if self.nonce != nonce {
            nonce.clone_into(&mut self.nonce);
            self.count = before;
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

#[derive(Debug)]
struct ByDialog {
    login: LoginId,
    /// What the last INVITE was sent with, by its CSeq: its ACK carries the same (RFC 3261 §22.1).
    sent: Option<(u32, Vec<Proof>)>,
}

#[derive(Clone, Debug)]
struct Loan {
    login: LoginId,
    /// What this request, and those it repeats, were challenged with: by the server, by a proxy, or by both.
    met: Vec<Met>,
}

/// The challenge of one who asks, and how it was answered.
#[derive(Clone, Debug)]
struct Met {
    challenge: Challenge,
    cnonce: String,
    /// How often its nonce has been used.
    count: u32,
    answers: u8,
}

impl Logins {
    pub(super) fn lend_to_tx(&mut self, tx: TxId, login: Option<LoginId>) {
        if let Some(login) = login {
            self.by_tx.insert(tx, Loan { login, met: Vec::new() });
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
    pub(super) fn for_ack(&self, dialog: DialogId, seq: u32) -> &[Proof] {
        let sent = self.by_dialog.get(&dialog).and_then(|by| by.sent.as_ref());
        sent.filter(|(of, _)| *of == seq).map_or(&[][..], |(_, proofs)| proofs.as_slice())
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_dialog.is_empty() && self.by_tx.is_empty() && self.registers.is_empty()
    }

    /// What the request is repeated with, if its challenge may be answered, and the loan of the repeat. What another asker
    /// was answered before goes along, counted on.
    fn answer(
        &mut self,
        loan: &Loan,
        peer: IpAddr,
        response: &Response,
        request: &Request,
        cnonce: String,
    ) -> Option<(Loan, Vec<Proof>)> {
        let known = self.known.get_mut(&loan.login).filter(|known| known.peers.contains(&peer.to_canonical()))?;
        let by_proxy = response.status == 407;
        let mut challenges = Challenge::all_in(&response.headers);
        challenges.retain(|c| c.by_proxy == by_proxy);
        let realm = known.login.realm.clone().or_else(|| known.asker(by_proxy).realm.clone());
        let challenge = pick_challenge(&challenges, realm.as_deref())?;
        let mut met = loan.met.clone();
        let answers = met.iter().find(|m| m.challenge.by_proxy == by_proxy).map_or(0, |m| m.answers);
        if answers >= MOST_ANSWERS || (answers > 0 && !challenge.stale) {
            return None;
        }
        if realm.is_none() {
            // The realm is learned where we spoke first, and locked.
            if ![Method::INVITE, Method::REGISTER].contains(&request.method) {
                return None;
            }
            known.asker(by_proxy).realm = Some(challenge.realm.clone());
        }
        met.retain(|m| m.challenge.by_proxy != by_proxy);
        met.push(Met { challenge: challenge.clone(), cnonce, count: 0, answers: answers + 1 });
        let (method, uri) = (request.method.to_string(), request.uri.to_string());
        let asked = Asked { method: &method, uri: &uri, body: &request.body };
        let mut proofs = Vec::with_capacity(met.len());
        for met in &mut met {
            met.count = known.asker(met.challenge.by_proxy).count(&met.challenge.nonce, met.count);
            let name = if met.challenge.by_proxy { "Proxy-Authorization" } else { "Authorization" };
            proofs.push((name, credentials(&met.challenge, &known.login, asked, &met.cnonce, met.count)));
        }
        Some((Loan { login: loan.login, met }, proofs))
    }
}

impl Agent {
    /// Makes a trunk's login known. Its trunk is at none of ours until [`Agent::set_login_peers`].
    pub fn add_login(&mut self, id: LoginId, login: Login) {
        let (server, proxy) = (Asker::default(), Asker::default());
        self.logins.known.insert(id, Known { login, peers: Vec::new(), server, proxy });
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
        let Some(loan) = self.logins.by_tx.get(&id).cloned() else { return false };
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
        let answer = self.logins.answer(&loan, flow.peer.ip(), response, &request, cnonce);
        let Some((loan, proofs)) = answer else { return false };
        let seq = dialog.and_then(|dialog| self.dialogs.get_mut(&dialog)).map_or_else(
            || cseq_of(&request) + 1,
            |dialog| {
                dialog.local_seq += 1;
                dialog.local_seq
            },
        );
        let again = with_credentials(&request, seq, &proofs);
        let tx = self.send(now, sent_on, again, dialog);
        self.logins.by_tx.insert(tx, loan);
        if let Some(ticket) = self.logins.registers.remove(&id) {
            self.logins.registers.insert(tx, ticket);
        }
        if let Some(dialog) = dialog {
            self.waits_for_other(dialog, id, tx);
        }
        if invite && let Some(by) = dialog.and_then(|dialog| self.logins.by_dialog.get_mut(&dialog)) {
            by.sent = Some((seq, proofs));
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
fn with_credentials(request: &Request, seq: u32, proofs: &[Proof]) -> Request {
    let is_proof = |field: &str| proofs.iter().any(|(name, _)| field.eq_ignore_ascii_case(name));
    let mut headers = Headers::default();
    let mut vias = 0;
    for (field, text) in request.headers.iter() {
        if field.eq_ignore_ascii_case("Via") && vias == 0 {
            vias += 1;
        } else if field.eq_ignore_ascii_case("CSeq") {
            headers.push("CSeq", format!("{seq} {}", request.method));
        } else if !is_proof(field) && !field.eq_ignore_ascii_case("Content-Length") {
            headers.push(field, text);
        }
    }
    for (name, value) in proofs {
        headers.push(name, value);
    }
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

    const BY_PROXY: &str = "407 Proxy Authentication Required";
    const BY_SERVER: &str = "401 Unauthorized";

    fn proxy_challenge(realm: &str, nonce: &str, more: &str) -> String {
        challenge(realm, nonce, more).replace("WWW-", "Proxy-")
    }

    /// The INVITE among what was sent.
    fn placed_again(sent: &[String]) -> Option<String> {
        sent.iter().find(|s| s.starts_with("INVITE ")).cloned()
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
    fn a_call_that_a_proxy_challenges_and_the_server_behind_it_too_is_placed_with_credentials_for_both() {
        for (named, of_proxy) in [(None, "p"), (Some("a"), "a")] {
            let mut rig = Rig::new(named);
            let (_, invite) = rig.call(true);
            let (sent, _) = rig.receive(trunk(), reply(&invite, BY_PROXY, &proxy_challenge(of_proxy, "n1", "")));
            let second = placed_again(&sent).expect("placed again");
            let (sent, events) = rig.receive(trunk(), reply(&second, BY_SERVER, &challenge("a", "n2", "")));
            assert!(events.is_empty(), "{events:?}");
            let third = placed_again(&sent).expect("placed once more");
            assert_eq!(line(&third, "CSeq: "), "CSeq: 3 INVITE");
            assert_eq!(
                (third.matches("\nAuthorization: ").count(), third.matches("\nProxy-A").count()),
                (1, 1),
                "{third}"
            );
            let [by_proxy, by_server] = ["Proxy-Authorization: ", "Authorization: "].map(|name| line(&third, name));
            assert!(by_server.contains("nonce=\"n2\"") && by_server.contains("nc=00000001"), "{by_server}");
            // The same nonce a second time is counted (RFC 7616 §3.4), or it would pass for a replay.
            assert!(by_proxy.contains("nonce=\"n1\"") && by_proxy.contains("nc=00000002"), "{by_proxy}");
            let ok = "Contact: <sip:far@198.51.100.1>\r\n";
            let (sent, events) = rig.receive(trunk(), reply(&third, "200 OK", ok));
            assert!(matches!(events.as_slice(), [Event::Answered { .. }]), "{events:?}");
            assert_eq!(line(&sent[0], "CSeq: "), "CSeq: 3 ACK");
            let carried = ["Proxy-Authorization: ", "Authorization: "].map(|name| line(&sent[0], name));
            assert_eq!(carried, [by_proxy, by_server]);
        }
    }

    #[test]
    fn a_wrong_password_ends_a_call_at_once_whether_the_proxy_says_so_or_the_server() {
        for first in [BY_PROXY, BY_SERVER] {
            for second in [BY_PROXY, BY_SERVER] {
                let mut rig = Rig::new(Some("a"));
                let ask = |status: &str, nonce: &str| match status {
                    BY_PROXY => proxy_challenge("a", nonce, ""),
                    _ => challenge("a", nonce, ""),
                };
                let other = if first == BY_PROXY { BY_SERVER } else { BY_PROXY };
                let (_, invite) = rig.call(true);
                let (sent, _) = rig.receive(trunk(), reply(&invite, first, &ask(first, "n1")));
                let again = placed_again(&sent).expect("placed again");
                let (sent, _) = rig.receive(trunk(), reply(&again, other, &ask(other, "n2")));
                let again = placed_again(&sent).expect("placed once more");
                let (sent, events) = rig.receive(trunk(), reply(&again, second, &ask(second, "n3")));
                assert_eq!(placed_again(&sent), None, "{first}, {other}, {second}");
                assert!(matches!(events.as_slice(), [Event::Rejected { status: 401 | 407, .. }]), "{events:?}");
            }
        }
    }

    #[test]
    fn nonces_that_are_said_to_be_old_for_ever_are_answered_four_times_in_all() {
        let mut rig = Rig::new(None);
        let (_, mut invite) = rig.call(true);
        let mut placed = 1;
        for n in 0..10 {
            let (nonce, old) = (format!("n{n}"), ", stale=true");
            let asked = if n % 2 == 0 { proxy_challenge("p", &nonce, old) } else { challenge("a", &nonce, old) };
            let (sent, _) = rig.receive(trunk(), reply(&invite, if n % 2 == 0 { BY_PROXY } else { BY_SERVER }, &asked));
            let Some(again) = placed_again(&sent) else { break };
            (invite, placed) = (again, placed + 1);
        }
        assert_eq!(placed, 5);
    }

    #[test]
    fn a_proxy_is_answered_in_one_realm_alone_as_the_server_is() {
        for (named, asked, answered) in
            [(Some("a"), "p", false), (Some("a"), "a", true), (None, "p", true), (None, "q", false)]
        {
            let mut rig = Rig::new(named);
            if named.is_none() {
                let (_, invite) = rig.call(true);
                rig.receive(trunk(), reply(&invite, BY_SERVER, &challenge("a", "n", "")));
                let (_, invite) = rig.call(true);
                rig.receive(trunk(), reply(&invite, BY_PROXY, &proxy_challenge("p", "n", "")));
            }
            let (_, invite) = rig.call(true);
            let (sent, _) = rig.receive(trunk(), reply(&invite, BY_PROXY, &proxy_challenge(asked, "n", "")));
            assert_eq!(placed_again(&sent).is_some(), answered, "{named:?}, {asked}");
        }
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
