//! Registrations of ours with a carrier (RFC 3261 §10.2): the request, and what came of it.
//!
//! When to register is for the machine in `registration` to say; a challenge is answered by `challenge`.

use std::time::Instant;

use super::super::dialog::TxId;
use super::super::message::address::Address;
use super::super::message::{Headers, Method, Request, Response, Uri};
use super::super::words::{Event, Flow, RegisterAnswer, RegisterOrder};
use super::uas::cseq_of;
use super::{Agent, Client, ClientKind};

impl Agent {
    pub(super) fn register_with(&mut self, now: Instant, order: &RegisterOrder) {
        let Ok(uri) = Uri::parse(&order.registrar) else {
            return self.registration(order.request, order.cseq, 400, None);
        };
        let tag = self.rng.token(16);
        let mut headers = Headers::default();
        headers.push("Max-Forwards", "70");
        headers.push("From", format!("<{}>;tag={tag}", order.address));
        headers.push("To", format!("<{}>", order.address));
        headers.push("Call-ID", &order.call_id);
        headers.push("CSeq", format!("{} REGISTER", order.cseq));
        headers.push("Contact", Self::contact_of(&order.flow, &order.contact_user));
        headers.push("Expires", order.expires.to_string());
        headers.push("Allow", self.allow());
        headers.push("User-Agent", &self.config.user_agent);
        let request = Request { method: Method::REGISTER, uri, headers, body: Vec::new() };
        let tx = self.send(now, order.flow, request, None);
        self.logins.lend_to_tx(tx, order.login);
        self.logins.registers.insert(tx, order.request);
    }

    fn contact_of(flow: &Flow, user: &str) -> String {
        Self::contact(flow, false).replacen("<sip:", &format!("<sip:{user}@"), 1)
    }

    /// A final response came to a registration of ours, if it is one.
    pub(super) fn registration_answered(&mut self, id: TxId, response: &Response) {
        if response.status < 200 {
            return;
        }
        let Some(request) = self.logins.registers.remove(&id) else { return };
        let own = self.clients.get(&id).and_then(own_contact);
        let seq = response.headers.cseq().map_or(0, |c| c.number);
        self.registration(request, seq, response.status, Some((response, own)));
    }

    /// No response came to a registration of ours, if it is one. Before its transaction is forgotten.
    pub(super) fn registration_failed(&mut self, id: TxId, status: u16) {
        let Some(request) = self.logins.registers.remove(&id) else { return };
        let seq = self.clients.get(&id).and_then(sent).map_or(0, |request| cseq_of(&request));
        self.registration(request, seq, status, None);
    }

    fn registration(
        &mut self,
        request: super::super::words::RequestId,
        cseq: u32,
        status: u16,
        response: Option<(&Response, Option<Uri>)>,
    ) {
        let seconds = |name: &str| {
            let (response, _) = response.as_ref()?;
            let text = response.headers.first(name)?.trim_start();
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..digits].parse().ok()
        };
        let granted = response.as_ref().and_then(|(response, own)| granted(response, own.as_ref()));
        let (min_expires, retry_after) = (seconds("Min-Expires"), seconds("Retry-After"));
        let expires = granted.or_else(|| seconds("Expires"));
        let answer = RegisterAnswer { request, status, cseq, expires, min_expires, retry_after };
        self.event(Event::Registration(answer));
    }
}

fn sent(client: &Client) -> Option<Request> {
    match &client.kind {
        ClientKind::Invite { .. } => None,
        ClientKind::Other(_) => super::challenge::request_of(client),
    }
}

/// The Contact that a REGISTER of ours named.
fn own_contact(client: &Client) -> Option<Uri> {
    sent(client)?.headers.contact()?.uri.ok()
}

/// How long our own binding lasts, among all that a 200 lists (§10.2.4). A registrar that writes our address
/// otherwise, and lists but one, means ours.
fn granted(response: &Response, own: Option<&Uri>) -> Option<u32> {
    let listed: Vec<Address> = response.headers.elements("Contact").filter_map(Address::parse).collect();
    let is_own = |address: &&Address| {
        let Ok(uri) = &address.uri else { return false };
        own.is_some_and(|own| {
            uri.user == own.user
                && uri.host.eq_ignore_ascii_case(&own.host)
                && uri.port.unwrap_or(5060) == own.port.unwrap_or(5060)
        })
    };
    let ours = listed.iter().find(is_own).or_else(|| listed.first().filter(|_| listed.len() == 1))?;
    ours.param("expires")?.parse().ok()
}
