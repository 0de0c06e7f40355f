//! Serving requests: calls in, what happens inside dialogs, registrations, and the answers the owner gives.

use std::time::Instant;

use super::super::dialog::{Accepted, Dialog, Offer, Stage, TxId};
use super::super::identity::IncomingInvite;
use super::super::message::address::stamp_via;
use super::super::message::body::find_sdp;
use super::super::message::{CSeq, Headers, Method, Request, Response, Via};
use super::super::session_timer::{LEAST, Terms, least_of};
use super::super::transaction::Effects;
use super::super::transaction::server::ServerTransaction;
use super::super::transaction::server_invite::ServerInvite;
use super::super::transaction::timer::{Backoff, GIVE_UP, T2};
use super::super::words::{DialogId, EndReason, Event, Flow, RegisterRequest, RequestId};
use super::flows::User;
use super::merged::Names;
use super::reply::reply_flow;
use super::{Agent, Role, Server, ServerKey, ServerKind, Timer};

/// How long a carrier is asked to keep away while we end and start again, in seconds.
const LEAVING_FOR: &str = "30";
/// How long a carrier is asked to keep away a call that would be too many, in seconds.
pub(super) const RETRY_AFTER: &str = "5";

/// RFC 3261 §17.2.3; without the magic cookie RFC 2543's way, by what must be equal in each copy.
pub(super) fn server_key(method: &Method, headers: &Headers) -> ServerKey {
    let method = if *method == Method::ACK { &Method::INVITE } else { method };
    headers.via().and_then(|via| branch_key(method, &via)).unwrap_or_else(|| {
        let cseq = headers.cseq().map_or(0, |c| c.number);
        let via = headers.elements("Via").next().unwrap_or_default();
        ServerKey(format!("{method} 2543|{}|{}|{cseq}|{via}", headers.call_id(), headers.from_tag()))
    })
}

/// The same by Via alone; `None` without the magic cookie.
pub(super) fn branch_key(method: &Method, via: &Via) -> Option<ServerKey> {
    let branch = via.branch()?;
    let mut key = format!("{method} {branch}|{}:{}", via.host, via.port.unwrap_or(5060));
    key.make_ascii_lowercase();
    Some(ServerKey(key))
}

impl Agent {
    pub(super) fn request(&mut self, now: Instant, flow: Flow, mut request: Request, len: usize) {
        let key = server_key(&request.method, &request.headers);
        if request.method == Method::ACK {
            return self.acknowledged(now, flow, &key, &request);
        }
        if let Some(id) = self.server_keys.get(&key).copied() {
            self.came_again(id, flow);
            let effects = self.servers.get(&id).map(|server| match &server.kind {
                ServerKind::Invite(machine) => machine.on_request(),
                ServerKind::Other(machine) => machine.on_request(),
            });
            return self.apply_server(id, effects.unwrap_or_default());
        }
        if let Some(via) = request.headers.first("Via") {
            let stamped = stamp_via(via, flow.peer.ip(), flow.peer.port());
            request.headers.replace_first("Via", &stamped);
        }
        if request.method == Method::CANCEL {
            return self.cancelled(now, flow, &request);
        }
        if request.headers.to_tag().is_some() {
            return self.request_in_dialog(now, flow, key, request);
        }
        let calls = request.method == Method::INVITE && self.may_call(&flow);
        if self.config.role == Role::Phones && request.method != Method::REGISTER && !calls {
            return self.short_403(flow, &request.headers, len);
        }
        if self.refused_at_once(flow, &request, false) {
            return;
        }
        if request.method == Method::INVITE {
            self.incoming(now, flow, key, request);
        } else if request.method == Method::OPTIONS {
            let id = self.add_server(flow, key, request, None);
            self.respond_options(now, id);
        } else if request.method == Method::REGISTER {
            self.register(flow, key, request);
        } else if request.method == Method::REFER {
            self.refuse_request(flow, &request, 603, &[]);
        } else {
            // BYE, INFO, UPDATE, PRACK outside any dialog.
            self.refuse_request(flow, &request, 481, &[]);
        }
    }

    fn incoming(&mut self, now: Instant, flow: Flow, key: ServerKey, request: Request) {
        let Ok(offer) = find_sdp(&request.headers, &request.body) else {
            return self.refuse_request(flow, &request, 415, &[("Accept", "application/sdp".to_owned())]);
        };
        // RFC 3261 §21.4.7: someone who takes no SDP can't be answered.
        let takes_sdp = request.headers.count("Accept") == 0
            || request.headers.elements("Accept").any(|range| {
                let media = range.split(';').next().unwrap_or_default().trim();
                ["application/sdp", "application/*", "*/*"].iter().any(|ok| media.eq_ignore_ascii_case(ok))
            });
        if !takes_sdp {
            return self.refuse_request(flow, &request, 406, &[]);
        }
        if self.dialogs.len() >= self.config.max_dialogs {
            return self.refuse_request(flow, &request, 503, &[("Retry-After", "10".to_owned())]);
        }
        let names = Names::of(&request.headers);
        if self.is_merged(now, names.as_ref()) {
            return self.refuse_request(flow, &request, 482, &[]);
        }
        let replaces = match self.named_by_replaces(&request.headers) {
            Ok(replaces) => replaces,
            Err(status) => return self.refuse_request(flow, &request, status, &[]),
        };
        let dialog_id = self.next_dialog();
        if let Terms::TooShort(least) = self.session_terms(dialog_id, &flow, &request.headers) {
            return self.refuse_request(flow, &request, 422, &[("Min-SE", least.to_string())]);
        }
        // Last: whoever is let in waits for the answer of the owner, and for nothing else.
        if !self.let_in(now) {
            return self.refuse_request(flow, &request, 503, &[("Retry-After", RETRY_AFTER.to_owned())]);
        }
        let headers = request.headers.clone();
        let tx = self.add_server(flow, key, request.clone(), Some(dialog_id));
        if let Some((server, names)) = self.servers.get_mut(&tx).zip(names) {
            server.names = Some(names.clone());
            self.invites.insert(names, tx);
        }
        let local_tag = self.servers.get(&tx).map(|s| s.to_tag.clone()).unwrap_or_default();
        let mut dialog =
            Dialog::new(dialog_id, flow, Stage::Ringing { tx }, headers.call_id().to_owned(), local_tag.clone());
        dialog.remote_tag = Some(headers.from_tag());
        dialog.local = format!("{};tag={local_tag}", headers.first("To").unwrap_or_default());
        dialog.remote = headers.first("From").unwrap_or_default().to_owned();
        dialog.remote_seq = headers.cseq().map(|c| c.number);
        dialog.route = headers.elements("Record-Route").map(str::to_owned).collect();
        // An RFC 2543 client may send no Contact: From has to do.
        dialog.target = headers.from().map(|a| a.uri_text).unwrap_or_default();
        dialog.refresh_target(&headers);
        dialog.note_allow(&headers);
        dialog.least = least_of(&headers).unwrap_or(LEAST).max(LEAST);
        dialog.late_offer = offer.is_none();
        dialog.offer = if offer.is_some() { Offer::Theirs } else { Offer::Nobody };
        dialog.remote_sdp.clone_from(&offer);
        dialog.reliable = self.reliable_for(&flow, &headers);
        self.add_dialog(dialog);
        self.respond(now, tx, Response::to_request(&request, 100, None));
        let trusted = self.config.role == Role::Trunk;
        let invite = Box::new(IncomingInvite { request_uri: request.uri, headers, offer, trusted, replaces });
        self.event(Event::Incoming { dialog: dialog_id, flow, invite });
    }

    fn register(&mut self, flow: Flow, key: ServerKey, request: Request) {
        let headers = &request.headers;
        // RFC 3261 §10.3: the address of record has to be a SIP URI with a user.
        let user = headers.to().and_then(|to| to.uri.ok()).and_then(|uri| uri.user_plain());
        let (Some(user), Some(cseq)) = (user, headers.cseq()) else {
            return self.refuse_request(flow, &request, 400, &[]);
        };
        let bearer = headers.all("Authorization").find_map(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
        });
        let register = Box::new(RegisterRequest {
            user,
            bearer,
            contacts: headers.elements("Contact").map(str::to_owned).collect(),
            // RFC 3261 §20.19: an Expires that can't be read counts as the default.
            expires: headers.first("Expires").map(|v| v.trim().parse().unwrap_or(3600)),
            call_id: headers.call_id().to_owned(),
            cseq: cseq.number,
            headers: headers.clone(),
        });
        let id = self.add_server(flow, key, request, None);
        self.event(Event::Register { request: RequestId(id), flow, register });
    }

    pub(super) fn respond_register(
        &mut self,
        now: Instant,
        request: RequestId,
        status: u16,
        headers: &[(String, String)],
    ) {
        if status == 401 {
            // Nor for someone who has yet to prove who they are; asked again, they get another challenge.
            if let Some(server) = self.forget_server(request.0) {
                let len = server.request.to_bytes().len();
                self.challenge(server.flow, &server.request.headers, len, headers);
            }
            return;
        }
        let Some(server) = self.servers.get(&request.0) else { return };
        if status == 403 {
            // Nothing is kept for someone who may not register.
            if let Some(server) = self.forget_server(request.0) {
                let len = server.request.to_bytes().len();
                self.short_403(server.flow, &server.request.headers, len);
            }
            return;
        }
        let mut response = Response::to_request(&server.request, status, Some(&server.to_tag));
        for (name, value) in headers {
            response.headers.push(name, value);
        }
        response.headers.push("Server", &self.config.user_agent);
        self.respond(now, request.0, response);
    }

    fn acknowledged(&mut self, now: Instant, flow: Flow, key: &ServerKey, request: &Request) {
        if let Some(id) = self.server_keys.get(key).copied()
            && let Some(Server { kind: ServerKind::Invite(machine), .. }) = self.servers.get_mut(&id)
        {
            let effects = machine.on_ack(now);
            self.apply_server(id, effects);
            if !effects.deliver {
                return;
            }
        }
        let Some(id) = self.find_dialog(request, &flow) else { return };
        let cseq = request.headers.cseq().map_or(0, |c| c.number);
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some(accepted) = dialog.accepted.take_if(|a| a.cseq == cseq) else { return };
        let closing = dialog.closing.take();
        self.arm_dialog(id);
        if let Some(headers) = closing {
            self.send_bye(now, id, &headers);
            self.forget_dialog(id);
            return;
        }
        let answer = find_sdp(&request.headers, &request.body).ok().flatten().filter(|_| accepted.expects_answer);
        if let (Some(dialog), true) = (self.dialogs.get_mut(&id), answer.is_some()) {
            dialog.remote_sdp.clone_from(&answer);
        }
        if accepted.first {
            self.mind_transport(id);
        }
        if accepted.first || accepted.expects_answer {
            self.event(Event::Established { dialog: id, answer });
        }
    }

    /// RFC 3261 §9.2: 200 to the CANCEL, 487 to its INVITE if that isn't answered yet. A re-INVITE counts as answered once
    /// its owner knows of it: the owner moves its media before the answer gets here, and would be left alone with that.
    fn cancelled(&mut self, now: Instant, flow: Flow, request: &Request) {
        let invite = server_key(&Method::INVITE, &request.headers);
        let found = self.server_keys.get(&invite).copied().and_then(|id| self.servers.get(&id).map(|s| (id, s)));
        let Some((id, server)) = found.filter(|(_, s)| s.flow.peer.ip() == flow.peer.ip()) else {
            return self.refuse_request(flow, request, 481, &[]);
        };
        let open = matches!(&server.kind, ServerKind::Invite(machine) if machine.is_open());
        let response = Response::to_request(request, 200, Some(&server.to_tag));
        let refusal = Response::to_request(&server.request, 487, Some(&server.to_tag));
        let dialog = server.dialog;
        self.transmit(reply_flow(flow, &request.headers), response.to_bytes());
        let dialog = dialog.and_then(|id| self.dialogs.get(&id));
        if !open || dialog.is_some_and(|dialog| dialog.reoffered == Some(id)) {
            return;
        }
        let ringing = dialog.filter(|dialog| dialog.stage == (Stage::Ringing { tx: id })).map(|dialog| dialog.id);
        self.respond(now, id, refusal);
        if let Some(dialog) = ringing {
            self.drop_reoffer(now, dialog);
            self.settle(dialog);
            self.forget_dialog(dialog);
            self.event(Event::Canceled { dialog });
        }
    }

    fn request_in_dialog(&mut self, now: Instant, flow: Flow, key: ServerKey, request: Request) {
        let Some(id) = self.find_dialog(&request, &flow) else {
            return self.refuse_request(flow, &request, 481, &[]);
        };
        if self.refused_at_once(flow, &request, true) {
            return;
        }
        let number = request.headers.cseq().map_or(0, |c| c.number);
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if request.method == Method::BYE && dialog.is_nobodys(&request.headers.from_tag()) {
            return self.refuse_in_dialog(now, flow, key, request, 481, None);
        }
        let seen = dialog.remote_seq_of(&request.headers.from_tag());
        // RFC 3261 §12.2.2: older than what was seen already.
        if seen.is_some_and(|seen| number < seen) {
            return self.refuse_request(flow, &request, 500, &[]);
        }
        *seen = Some(number);
        if request.method == Method::INVITE || request.method == Method::UPDATE {
            return self.reoffered(now, flow, key, request, id);
        }
        if request.method == Method::PRACK {
            return self.pracked(now, flow, key, request, id);
        }
        if request.method == Method::REFER {
            return self.refer(now, flow, key, request, id);
        }
        let tx = self.add_server(flow, key, request.clone(), Some(id));
        if request.method == Method::OPTIONS {
            return self.respond_options(now, tx);
        }
        self.respond_plain(now, tx, 200);
        if request.method == Method::INFO {
            let content_type = request.headers.first("Content-Type").unwrap_or_default().to_owned();
            self.event(Event::Info { dialog: id, content_type, body: request.body });
        } else if request.method == Method::BYE {
            self.ended_by_far_end(now, id, &request.headers.from_tag());
        }
    }

    /// `from`: the tag of who said so.
    fn ended_by_far_end(&mut self, now: Instant, id: DialogId, from: &str) {
        let Some(stage) = self.dialogs.get(&id).map(|d| d.stage) else { return };
        if self.branch_left(now, id, from) {
            return;
        }
        self.drop_reoffer(now, id);
        match stage {
            Stage::Ringing { tx } => {
                self.settle(id);
                self.respond_plain(now, tx, 487);
                self.forget_dialog(id);
                self.event(Event::Canceled { dialog: id });
            }
            Stage::Calling { tx, canceling } => {
                // RFC 3261 §9.1: it was the last that we know of. Whoever else its INVITE reaches is not to ring on.
                if !canceling {
                    self.cancel_transaction(now, tx);
                }
                self.end(now, id, EndReason::Bye);
            }
            Stage::Up => self.end(now, id, EndReason::Bye),
        }
    }

    pub(super) fn answer(&mut self, now: Instant, id: DialogId, sdp: Vec<u8>) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Stage::Ringing { tx } = dialog.stage else { return };
        if let Some(reliable) = &mut dialog.reliable {
            if reliable.holds_back_answer() {
                dialog.answer_waiting = Some(sdp);
                return;
            }
            reliable.settle();
        }
        self.settle(id);
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        dialog.stage = Stage::Up;
        // Whether its answer arrives is seen by the ACK.
        dialog.lost_at = None;
        // RFC 3262 §5: what a reliable response has answered or offered is not said again.
        let said = matches!(dialog.offer, Offer::Settled | Offer::Ours);
        if dialog.offer != Offer::Ours {
            dialog.late_offer = dialog.offer == Offer::Nobody;
        }
        dialog.offer = Offer::Settled;
        if !said {
            dialog.local_sdp = Some(sdp.clone());
        }
        self.respond_in_dialog(now, tx, id, 200, Some(sdp).filter(|_| !said));
    }

    pub(super) fn reject(&mut self, now: Instant, id: DialogId, status: u16, headers: &[(String, String)]) {
        let Some(Stage::Ringing { tx }) = self.dialogs.get(&id).map(|d| d.stage) else { return };
        self.drop_reoffer(now, id);
        self.settle(id);
        self.forget_dialog(id);
        let Some(server) = self.servers.get(&tx) else { return };
        let mut response = Response::to_request(&server.request, status.clamp(300, 699), Some(&server.to_tag));
        for (name, value) in headers {
            response.headers.push(name, value);
        }
        response.headers.push("Server", &self.config.user_agent);
        self.respond(now, tx, response);
    }

    /// 101 to 299 inside a dialog: with Contact, Record-Route and a description.
    pub(super) fn compose(&self, tx: TxId, status: u16, sdp: Option<Vec<u8>>) -> Option<Response> {
        let server = self.servers.get(&tx)?;
        let mut response = Response::to_request(&server.request, status, Some(&server.to_tag));
        for route in server.request.headers.all("Record-Route") {
            response.headers.push("Record-Route", route);
        }
        response.headers.push("Contact", Self::contact(&server.flow, server.request.uri.secure));
        response.headers.push("Allow", self.allow());
        self.say_supported(server, &mut response);
        response.headers.push("Server", &self.config.user_agent);
        if let Some(sdp) = sdp {
            response.headers.push("Content-Type", "application/sdp");
            response.body = sdp;
        }
        Some(response)
    }

    /// Sends what [`Self::compose`] makes; a 2xx to an INVITE is repeated until its ACK.
    pub(super) fn respond_in_dialog(
        &mut self,
        now: Instant,
        tx: TxId,
        id: DialogId,
        status: u16,
        sdp: Option<Vec<u8>>,
    ) {
        let Some(mut response) = self.compose(tx, status, sdp) else { return };
        let Some(server) = self.servers.get(&tx) else { return };
        let (flow, invite) = (server.flow, server.request.method == Method::INVITE);
        let (number, first) = (cseq_of(&server.request), server_is_first(&server.request));
        let up = self.dialogs.get(&id).is_some_and(|d| d.stage == Stage::Up);
        // RFC 4028 §9: a session begins with the call; an UPDATE before that agrees on nothing.
        if status >= 200 && up && (invite || server.request.method == Method::UPDATE) {
            let terms = self.session_terms(id, &server.flow, &server.request.headers);
            for (name, value) in self.agree(now, id, terms).iter() {
                response.headers.push(name, value);
            }
        }
        if invite
            && status >= 200
            && let Some(dialog) = self.dialogs.get_mut(&id)
        {
            dialog.accepted = Some(Accepted {
                cseq: number,
                bytes: response.to_bytes(),
                flow,
                again: Backoff::start(now, T2),
                give_up_at: now + GIVE_UP,
                expects_answer: dialog.late_offer,
                first,
            });
            self.arm_dialog(id);
        }
        self.respond(now, tx, response);
    }

    fn respond_options(&mut self, now: Instant, tx: TxId) {
        let Some(server) = self.servers.get(&tx) else { return };
        // RFC 3261 §11.2: as an INVITE would be answered. A call that is up goes on.
        let status = if self.leaving && server.dialog.is_none() { 503 } else { 200 };
        let mut response = Response::to_request(&server.request, status, Some(&server.to_tag));
        if status == 503 {
            response.headers.push("Retry-After", LEAVING_FOR);
        }
        response.headers.push("Allow", self.allow());
        response.headers.push("Accept", "application/sdp");
        self.say_supported(server, &mut response);
        response.headers.push("Server", &self.config.user_agent);
        self.respond(now, tx, response);
    }

    fn say_supported(&self, server: &Server, response: &mut Response) {
        let supported = self.supported(&self.terms_in(server.dialog, &server.flow));
        if !supported.is_empty() {
            response.headers.push("Supported", supported);
        }
    }

    pub(super) fn respond_plain(&mut self, now: Instant, tx: TxId, status: u16) {
        let Some(server) = self.servers.get(&tx) else { return };
        let mut response = Response::to_request(&server.request, status, Some(&server.to_tag));
        response.headers.push("Server", &self.config.user_agent);
        self.respond(now, tx, response);
    }

    pub(super) fn respond(&mut self, now: Instant, tx: TxId, response: Response) {
        let Some(server) = self.servers.get_mut(&tx) else { return };
        let effects = match &mut server.kind {
            ServerKind::Invite(machine) => machine.on_response(now, response.status, response.to_bytes()),
            ServerKind::Other(machine) => machine.on_response(now, response.to_bytes()),
        };
        if response.status >= 200 {
            // The transaction outlives its answer by half a minute; what was asked is of no more use.
            server.request.headers = Headers::default();
            server.request.body = Vec::new();
        }
        self.apply_server(tx, effects);
        if let Some(Server { kind: ServerKind::Invite(machine), .. }) = self.servers.get_mut(&tx) {
            machine.sent();
        }
    }

    pub(super) fn add_server(
        &mut self,
        flow: Flow,
        key: ServerKey,
        request: Request,
        dialog: Option<DialogId>,
    ) -> TxId {
        let id = self.fresh();
        let reliable = flow.transport.is_reliable();
        let kind = if request.method == Method::INVITE {
            ServerKind::Invite(ServerInvite::new(reliable))
        } else {
            ServerKind::Other(ServerTransaction::new(reliable))
        };
        let to_tag = request.headers.to_tag().unwrap_or_else(|| self.rng.token(16));
        let flow = reply_flow(flow, &request.headers);
        self.server_keys.insert(key.clone(), id);
        self.connections.add(&flow, User::Server(id));
        self.servers.insert(id, Server { key, flow, kind, request, dialog, to_tag, names: None });
        id
    }

    fn apply_server(&mut self, id: TxId, effects: Effects) {
        let Some(server) = self.servers.get(&id) else { return };
        let (bytes, deadline) = match &server.kind {
            ServerKind::Invite(machine) => (machine.bytes(), machine.deadline()),
            ServerKind::Other(machine) => (machine.bytes(), machine.deadline()),
        };
        if effects.transmit {
            let (flow, bytes) = (server.flow, bytes.to_vec());
            self.transmit(flow, bytes);
        }
        if effects.finished {
            self.forget_server(id);
        } else {
            self.arm(Timer::Server(id), deadline);
        }
    }

    pub(super) fn server_timeout(&mut self, now: Instant, id: TxId) {
        let effects = self.servers.get_mut(&id).map(|server| match &mut server.kind {
            ServerKind::Invite(machine) => machine.on_timeout(now),
            ServerKind::Other(machine) => machine.on_timeout(now),
        });
        self.apply_server(id, effects.unwrap_or_default());
    }
}

/// The INVITE that began a dialog carries no To-tag.
fn server_is_first(request: &Request) -> bool {
    request.headers.to_tag().is_none()
}

/// `number METHOD` as it stands in CSeq.
pub(super) fn cseq_of(request: &Request) -> u32 {
    request.headers.first("CSeq").and_then(CSeq::parse).map_or(0, |c| c.number)
}
