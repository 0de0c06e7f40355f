//! Making requests: calls out, CANCEL, BYE, re-INVITE, and what comes back.

use std::net::SocketAddr;
use std::time::Instant;

use super::super::admit::Admit;
use super::super::dialog::{Dialog, Stage, TxId, next_hop};
use super::super::message::body::find_sdp;
use super::super::message::{Headers, Message, Method, Request, Response, Uri, reason_phrase};
use super::super::session_timer::LEAST;
use super::super::transaction::Effects;
use super::super::transaction::client::ClientTransaction;
use super::super::transaction::client_invite::ClientInvite;
use super::super::wire::{self, Read};
use super::super::words::{DialogId, Event, Flow, Transport};
use super::change::retry_after;
use super::flows::User;
use super::uas::cseq_of;
use super::{Agent, Client, ClientKind, Reliable, Role, Timer};

impl Agent {
    #[expect(clippy::too_many_arguments, reason = "the fields of Command::Invite")]
    pub(super) fn invite(
        &mut self,
        now: Instant,
        id: DialogId,
        flow: Flow,
        request_uri: &str,
        from: &str,
        to: &str,
        extra: &[(String, String)],
        offer: Option<Vec<u8>>,
    ) {
        let terms = self.agreed.remove(&id).unwrap_or_else(|| self.terms_of(&flow));
        let Ok(uri) = Uri::parse(request_uri) else {
            return self.not_placed(id, 416);
        };
        let full = self.dialogs.len() >= self.config.max_dialogs
            || self.servers.len() + self.clients.len() >= self.config.max_transactions;
        if full {
            self.logins.forget_dialog(id);
            return self.event(Event::Full { dialog: id });
        }
        let (call_id, tag) = (self.rng.token(26), self.rng.token(16));
        let mut headers = Headers::default();
        headers.push("Max-Forwards", "70");
        headers.push("From", format!("{from};tag={tag}"));
        headers.push("To", to);
        headers.push("Call-ID", &call_id);
        headers.push("CSeq", "1 INVITE");
        headers.push("Contact", Self::contact(&flow, uri.secure));
        headers.push("Allow", self.allow());
        let supported = self.supported(&terms);
        if !supported.is_empty() {
            headers.push("Supported", supported);
        }
        if terms.reliable == Reliable::Required {
            headers.push("Require", "100rel");
        }
        Self::ask_for_session(&terms, &mut headers);
        headers.push("User-Agent", &self.config.user_agent);
        for (name, value) in extra {
            headers.push(name, value);
        }
        let late_offer = offer.is_none();
        if offer.is_some() {
            headers.push("Content-Type", "application/sdp");
        }
        let request = Request { method: Method::INVITE, uri, headers, body: offer.clone().unwrap_or_default() };
        let tx = self.send(now, flow, request, Some(id));
        let mut dialog = Dialog::new(id, flow, Stage::Calling { tx, canceling: false }, call_id, tag.clone());
        dialog.local = format!("{from};tag={tag}");
        dialog.remote = to.to_owned();
        dialog.local_seq = 1;
        dialog.target = request_uri.to_owned();
        dialog.late_offer = late_offer;
        dialog.outgoing = true;
        dialog.local_sdp = offer;
        dialog.terms = Some(terms);
        dialog.least = terms.session.map_or(LEAST, |policy| policy.least);
        self.add_dialog(dialog);
    }

    /// A call out that got no dialog, with whose end its login would be given back.
    fn not_placed(&mut self, id: DialogId, status: u16) {
        self.logins.forget_dialog(id);
        self.event(Event::Rejected { dialog: id, status, reason: reason_phrase(status), retry_after: None });
    }

    /// Sends a request in a client transaction of its own, with a Via on top.
    pub(super) fn send(&mut self, now: Instant, flow: Flow, mut request: Request, dialog: Option<DialogId>) -> TxId {
        let branch = format!("z9hG4bK{}", self.rng.token(20));
        request.headers.push_front("Via", Self::via(&flow, &branch));
        let bytes = request.to_bytes();
        let method = request.method.to_string();
        let reliable = flow.transport.is_reliable();
        let kind = if request.method == Method::INVITE {
            let machine = ClientInvite::new(now, reliable, bytes);
            let (last_seq, request) = (cseq_of(&request), Box::new(request));
            ClientKind::Invite { machine, request, ack: None, forked: Vec::new(), last_seq, cancel_wanted: false }
        } else {
            ClientKind::Other(ClientTransaction::new(now, reliable, bytes))
        };
        let tx = self.add_client(Client { key: (branch, method), flow, kind, dialog, resent: false });
        self.logins.lend_to_tx(tx, dialog.and_then(|dialog| self.logins.of_dialog(dialog)));
        tx
    }

    fn add_client(&mut self, client: Client) -> TxId {
        let id = self.fresh();
        self.client_keys.insert(client.key.clone(), id);
        self.connections.add(&client.flow, User::Client(id));
        self.clients.insert(id, client);
        self.apply_client(id, Effects { transmit: true, ..Effects::default() });
        id
    }

    fn via(flow: &Flow, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", flow.transport.name(), flow.local)
    }

    pub(super) fn apply_client(&mut self, id: TxId, effects: Effects) {
        let Some(client) = self.clients.get(&id) else { return };
        let (bytes, deadline) = match &client.kind {
            ClientKind::Invite { machine, .. } => (machine.bytes(), machine.deadline()),
            ClientKind::Other(machine) => (machine.bytes(), machine.deadline()),
        };
        if effects.transmit {
            let (flow, bytes) = (client.flow, bytes.to_vec());
            self.transmit(flow, bytes);
        }
        if effects.finished {
            self.forget_client(id);
        } else {
            self.arm(Timer::Client(id), Some(deadline));
        }
    }

    /// A BYE, or what else is no INVITE, that met its connection's end goes out once more towards a carrier, over the
    /// next one (RFC 3263 §4.3), which the driver knows. A call does not: another carrier may be tried.
    pub(super) fn resend(&mut self, id: TxId) -> bool {
        let role = self.config.role;
        let Some(Client { kind: ClientKind::Other(machine), flow, resent, .. }) = self.clients.get_mut(&id) else {
            return false;
        };
        if role != Role::Trunk || std::mem::replace(resent, true) {
            return false;
        }
        let (flow, bytes) = (*flow, machine.bytes().to_vec());
        let hop = match wire::read(&bytes, true) {
            Read::Message(Message::Request(request)) => {
                next_hop(&request, flow.transport).filter(|hop| self.is_usable(*hop))
            }
            _ => None,
        };
        self.event(Event::Undelivered { transaction: id, flow, hop });
        true
    }

    /// The way on of a request that was undelivered.
    pub(super) fn send_again(&mut self, id: TxId, flow: Flow) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let before = std::mem::replace(&mut client.flow, flow);
        self.connections.remove(&before, User::Client(id));
        self.connections.add(&flow, User::Client(id));
        if let ClientKind::Other(machine) = &client.kind {
            let bytes = machine.bytes().to_vec();
            self.transmit(flow, bytes);
        }
    }

    /// Requests may go there: it is an address, and we would take requests from it too.
    pub(super) fn is_usable(&self, hop: SocketAddr) -> bool {
        !hop.ip().is_unspecified() && !hop.ip().is_multicast() && hop.port() != 0 && self.config.admit.admits(hop.ip())
    }

    pub(super) fn client_timeout(&mut self, now: Instant, id: TxId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let effects = match &mut client.kind {
            ClientKind::Invite { machine, .. } => machine.on_timeout(now),
            ClientKind::Other(machine) => machine.on_timeout(now),
        };
        if effects.timed_out {
            self.probe_unanswered(now, id);
            self.client_failed(now, id, 408);
        } else {
            self.apply_client(id, effects);
        }
    }

    /// A request of ours got no answer: as if `status` had come (RFC 3261 §8.1.3.1).
    pub(super) fn client_failed(&mut self, now: Instant, id: TxId, status: u16) {
        self.registration_failed(id, status);
        let Some(client) = self.forget_client(id) else { return };
        self.options_answered(id, status);
        if let Some(dialog) = client.dialog {
            let response =
                Response { status, reason: reason_phrase(status), headers: Headers::default(), body: Vec::new() };
            self.refused(now, dialog, id, response);
        }
    }

    pub(super) fn client_response(&mut self, now: Instant, flow: Flow, id: TxId, response: Response) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        // Towards phones a response counts only on the connection that the request went out on.
        if self.config.role == Role::Phones && !client.flow.is_same_connection(&flow) {
            return;
        }
        let (effects, invite) = match &mut client.kind {
            ClientKind::Invite { machine, .. } => (machine.on_response(now, response.status), true),
            ClientKind::Other(machine) => (machine.on_response(now, response.status), false),
        };
        if effects.acknowledge
            && let ClientKind::Invite { request, .. } = &client.kind
        {
            let (flow, ack) = (client.flow, acknowledgement(request, &response));
            self.transmit(flow, ack.to_bytes());
        }
        if effects.deliver && self.answer_challenge(now, &flow, id, &response) {
            return self.apply_client(id, effects);
        }
        let dialog = self.clients.get(&id).and_then(|c| c.dialog);
        if effects.deliver && !invite {
            self.registration_answered(id, &response);
        }
        let probed = (effects.deliver && !invite && response.status >= 200).then_some(response.status);
        if effects.deliver {
            match (response.status, dialog) {
                (100..200, _) if invite => self.invite_progress(now, id, &response),
                (200..300, _) if invite => self.invite_accepted(now, id, &response),
                (200..300, Some(dialog)) => self.change_accepted(now, dialog, id, &response),
                (300.., Some(dialog)) => self.refused(now, dialog, id, response),
                _ => {}
            }
        }
        if let Some(status) = probed {
            self.probe_answered(now, id, status);
            self.options_answered(id, status);
        }
        self.apply_client(id, effects);
    }

    /// A 2xx to an INVITE: the first, a copy, or another branch's.
    fn invite_accepted(&mut self, now: Instant, tx: TxId, response: &Response) {
        let Some(Client { kind: ClientKind::Invite { request, ack, .. }, dialog, flow, .. }) = self.clients.get(&tx)
        else {
            return;
        };
        let (seq, flow, id) = (cseq_of(request), *flow, *dialog);
        let tag = response.headers.to_tag().unwrap_or_default();
        let sdp = find_sdp(&response.headers, &response.body).ok().flatten();
        if let Some(dialog) = id.and_then(|id| self.dialogs.get_mut(&id)) {
            let id = dialog.id;
            if dialog.stage == (Stage::Calling { tx, canceling: false }) {
                return self.answered(now, id, (tx, seq), tag, sdp, &response.headers);
            }
            if dialog.changing.as_ref().is_some_and(|(sent, _)| *sent == tx) {
                dialog.refresh_target(&response.headers);
                self.send_ack(id, (tx, seq), None);
                return self.change_accepted(now, id, tx, response);
            }
            if dialog.stage == Stage::Up && dialog.remote_tag.as_ref() == Some(&tag) {
                // A copy of one that was taken. Without an ACK it brought an offer that the owner has yet to answer.
                let Some(ack) = ack.clone() else { return };
                let flow = self.dialogs.get(&id).map_or(flow, |dialog| self.way_to(dialog));
                return self.transmit(flow, ack);
            }
            if matches!(dialog.stage, Stage::Calling { tx: calling, .. } if calling == tx) {
                // It crossed our CANCEL: hung up below.
                self.drop_reoffer(now, id);
                self.forget_dialog(id);
                self.event(Event::Rejected { dialog: id, status: 487, reason: reason_phrase(487), retry_after: None });
            }
        }
        self.drop_branch(now, tx, flow, seq, &tag, &response.headers);
    }

    /// The first 2xx: its branch becomes the dialog, the others are hung up as they answer.
    fn answered(
        &mut self,
        now: Instant,
        id: DialogId,
        invite: (TxId, u32),
        tag: String,
        sdp: Option<Vec<u8>>,
        response: &Headers,
    ) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        dialog.stage = Stage::Up;
        dialog.adopt(response);
        let won = dialog.branches.iter().position(|b| b.tag == tag).map(|at| dialog.branches.swap_remove(at));
        dialog.branches.clear();
        dialog.prack_owed = None;
        let (mut early, mut settled) = (None, !dialog.late_offer);
        if let Some(branch) = won {
            settled |= branch.settled;
            dialog.local_seq = dialog.local_seq.max(branch.local_seq);
            dialog.remote_seq = branch.remote_seq;
            dialog.takes_update |= branch.takes_update;
            early = branch.sdp;
        }
        // A description that came before the answer stands in for one that did not come with it; only if it
        // is this branch's own.
        let sdp = sdp.or(early);
        dialog.remote_sdp.clone_from(&sdp);
        let open = dialog.reoffered.and_then(|tx| self.servers.get(&tx));
        if open.is_some_and(|server| server.request.headers.from_tag() != tag) {
            self.drop_reoffer(now, id);
        }
        self.begin_session(now, id, response);
        if !settled && sdp.is_some() {
            // §13.2.2.4: the offer was theirs to make, and our answer goes with the ACK.
            if let Some(dialog) = self.dialogs.get_mut(&id) {
                dialog.ack_owed = Some(invite);
            }
            return self.event(Event::Reoffered { dialog: id, offer: sdp });
        }
        self.send_ack(id, invite, None);
        self.mind_transport(id);
        self.event(Event::Answered { dialog: id, sdp });
    }

    /// The owner has answered the offer of a 2xx; refused, the call that is up by then is ended again.
    pub(super) fn answer_late_offer(&mut self, now: Instant, id: DialogId, answer: Option<Vec<u8>>) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some(invite) = dialog.ack_owed.take() else { return };
        let (sdp, refused) = (dialog.remote_sdp.clone(), answer.is_none());
        dialog.local_sdp.clone_from(&answer);
        self.send_ack(id, invite, answer);
        if refused {
            self.send_bye(now, id, &[]);
            self.forget_dialog(id);
            return self.event(Event::Rejected {
                dialog: id,
                status: 488,
                reason: reason_phrase(488),
                retry_after: None,
            });
        }
        self.mind_transport(id);
        self.event(Event::Answered { dialog: id, sdp });
    }

    /// An answer nobody waits for any more, or a second one: ACK for each copy, BYE once (§13.2.2.4).
    fn drop_branch(&mut self, now: Instant, tx: TxId, flow: Flow, seq: u32, tag: &str, response: &Headers) {
        let Some(Client { kind: ClientKind::Invite { request, forked, last_seq, .. }, .. }) = self.clients.get_mut(&tx)
        else {
            return;
        };
        let bye_seq = *last_seq + 1;
        let known = forked.iter().any(|t| t == tag);
        // A peer that answers with ever new tags gets no more out of it than this.
        if !known && forked.len() >= 16 {
            return;
        }
        if !known {
            forked.push(tag.to_owned());
        }
        let (call_id, local_tag) = (request.headers.call_id().to_owned(), request.headers.from_tag());
        let mut branch = Dialog::new(DialogId(0), flow, Stage::Up, call_id, local_tag);
        branch.local = request.headers.first("From").unwrap_or_default().to_owned();
        branch.target = request.uri.to_string();
        branch.adopt(response);
        if let Some(ack) = branch.request(Method::ACK, seq) {
            let bytes = self.with_via(&branch, ack);
            self.transmit(self.way_to(&branch), bytes);
        }
        if !known && let Some(bye) = branch.request(Method::BYE, bye_seq) {
            let flow = self.way_to(&branch);
            let login = self.logins.of_tx(tx);
            let tx = self.send(now, flow, bye, None);
            self.logins.lend_to_tx(tx, login);
        }
    }

    /// A request of ours was refused, or got no answer.
    fn refused(&mut self, now: Instant, id: DialogId, tx: TxId, response: Response) {
        let Some(dialog) = self.dialogs.get(&id) else { return };
        match dialog.stage {
            Stage::Calling { tx: calling, canceling } if calling == tx => {
                if response.status == 422 && !canceling && self.ask_for_longer(now, id, tx, &response) {
                    return;
                }
                self.drop_reoffer(now, id);
                self.forget_dialog(id);
                let retry_after = retry_after(&response.headers);
                let (status, reason) = (response.status, response.reason);
                self.event(Event::Rejected { dialog: id, status, reason, retry_after });
            }
            _ => self.change_refused(now, id, tx, &response),
        }
    }

    /// `invite`: the transaction and CSeq of the INVITE whose 2xx it is for.
    fn send_ack(&mut self, id: DialogId, invite: (TxId, u32), answer: Option<Vec<u8>>) {
        let (tx, seq) = invite;
        let Some(dialog) = self.dialogs.get(&id) else { return };
        let Some(mut ack) = dialog.request(Method::ACK, seq) else { return };
        if let Some(sdp) = answer {
            ack.headers.push("Content-Type", "application/sdp");
            ack.body = sdp;
        }
        let flow = self.way_to(dialog);
        let branch = format!("z9hG4bK{}", self.rng.token(20));
        for (name, value) in self.logins.for_ack(id, seq) {
            ack.headers.push(name, value);
        }
        ack.headers.push_front("Via", Self::via(&flow, &branch));
        let bytes = ack.to_bytes();
        if let Some(Client { kind: ClientKind::Invite { ack, .. }, .. }) = self.clients.get_mut(&tx) {
            *ack = Some(bytes.clone());
        }
        self.transmit(flow, bytes);
    }

    fn with_via(&mut self, dialog: &Dialog, mut request: Request) -> Vec<u8> {
        let branch = format!("z9hG4bK{}", self.rng.token(20));
        let via = Self::via(&self.way_to(dialog), &branch);
        request.headers.push_front("Via", via);
        request.to_bytes()
    }

    /// Where a dialog's requests go: its connection; over UDP the first route or the target, if we would
    /// take requests from there too; else where the far end spoke from.
    pub(super) fn way_to(&self, dialog: &Dialog) -> Flow {
        if dialog.flow.transport != Transport::Udp || self.config.role == Role::Phones {
            return dialog.flow;
        }
        match dialog.next_hop() {
            Some(peer) if peer.ip().is_unspecified() || peer.ip().is_multicast() || peer.port() == 0 => dialog.flow,
            Some(peer) if matches!(self.config.admit, Admit::Any) || self.config.admit.admits(peer.ip()) => {
                Flow { peer, ..dialog.flow }
            }
            _ => dialog.flow,
        }
    }

    /// How requests of this dialog go out now, and where the far end says that it listens, if we would take requests
    /// from there too; of a call that rings in, where it takes the answer.
    pub fn way_of(&self, id: DialogId) -> Option<(Flow, Option<SocketAddr>)> {
        let dialog = self.dialogs.get(&id)?;
        let hop = match dialog.stage {
            Stage::Ringing { tx } => self.answers_at(tx),
            Stage::Calling { .. } | Stage::Up => dialog.next_hop(),
        };
        Some((dialog.flow, hop.filter(|hop| self.is_usable(*hop))))
    }

    pub(super) fn cancel(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if let Stage::Calling { tx, canceling } = &mut dialog.stage
            && !std::mem::replace(canceling, true)
        {
            let tx = *tx;
            self.cancel_transaction(now, tx);
        }
    }

    pub(super) fn cancel_transaction(&mut self, now: Instant, tx: TxId) {
        let Some(Client { kind: ClientKind::Invite { machine, cancel_wanted, .. }, .. }) = self.clients.get_mut(&tx)
        else {
            return;
        };
        if machine.is_proceeding() {
            self.send_cancel(now, tx);
        } else if machine.is_calling() {
            *cancel_wanted = true;
        }
    }

    /// CANCEL carries the INVITE's own branch (RFC 3261 §9.1).
    pub(super) fn send_cancel(&mut self, now: Instant, tx: TxId) {
        let Some(client) = self.clients.get_mut(&tx) else { return };
        let ClientKind::Invite { machine, request, .. } = &mut client.kind else { return };
        machine.on_cancel(now);
        let (deadline, flow, branch) = (machine.deadline(), client.flow, client.key.0.clone());
        let cancel = sibling(request, Method::CANCEL, request.headers.first("To").unwrap_or_default());
        let machine = ClientTransaction::new(now, flow.transport.is_reliable(), cancel.to_bytes());
        let key = (branch, Method::CANCEL.to_string());
        self.arm(Timer::Client(tx), Some(deadline));
        self.add_client(Client { key, flow, kind: ClientKind::Other(machine), dialog: None, resent: false });
    }

    pub(super) fn hang_up(&mut self, now: Instant, id: DialogId, headers: &[(String, String)]) {
        self.drop_reoffer(now, id);
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        match dialog.stage {
            Stage::Ringing { .. } => self.reject(now, id, 480, headers),
            Stage::Calling { tx, canceling } => {
                // A 2xx that crosses the CANCEL finds no dialog and is hung up.
                self.forget_dialog(id);
                if !canceling {
                    self.cancel_transaction(now, tx);
                }
            }
            Stage::Up if dialog.accepted.as_ref().is_some_and(|a| a.first) => {
                // RFC 3261 §15: the callee sends no BYE before the ACK is there.
                dialog.closing = Some(headers.to_vec());
            }
            Stage::Up => {
                if let Some(invite) = dialog.ack_owed.take() {
                    self.send_ack(id, invite, None);
                }
                self.send_bye(now, id, headers);
                self.forget_dialog(id);
            }
        }
    }

    pub(super) fn send_bye(&mut self, now: Instant, id: DialogId, headers: &[(String, String)]) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        dialog.local_seq += 1;
        let Some(dialog) = self.dialogs.get(&id) else { return };
        let Some(mut bye) = dialog.request(Method::BYE, dialog.local_seq) else { return };
        let flow = self.way_to(dialog);
        for (name, value) in headers {
            bye.headers.push(name, value);
        }
        bye.headers.push("User-Agent", &self.config.user_agent);
        let login = self.logins.of_dialog(id);
        let tx = self.send(now, flow, bye, None);
        self.logins.lend_to_tx(tx, login);
    }
}

/// The ACK of a refusal: the INVITE's own Via, the response's To (RFC 3261 §17.1.1.3).
fn acknowledgement(invite: &Request, response: &Response) -> Request {
    sibling(invite, Method::ACK, response.headers.first("To").unwrap_or_default())
}

/// A request of the same transaction: ACK or CANCEL.
fn sibling(invite: &Request, method: Method, to: &str) -> Request {
    let mut headers = Headers::default();
    headers.push("Via", invite.headers.first("Via").unwrap_or_default());
    for route in invite.headers.all("Route") {
        headers.push("Route", route);
    }
    headers.push("Max-Forwards", "70");
    headers.push("From", invite.headers.first("From").unwrap_or_default());
    headers.push("To", to);
    headers.push("Call-ID", invite.headers.call_id());
    headers.push("CSeq", format!("{} {method}", cseq_of(invite)));
    Request { method, uri: invite.uri.clone(), headers, body: Vec::new() }
}
