//! A dialog (RFC 3261 §12): its identity, sequence numbers, route set and remote target, and what is
//! under way within it. Makes the requests sent inside it. Owned by the agent; pure.

use std::time::Instant;

use super::message::address::Address;
use super::message::{Headers, Method, Request, Uri};
use super::transaction::timer::Backoff;
use super::words::{DialogId, Flow, Transport};

/// A transaction in the agent's tables.
pub type TxId = u64;

/// Where a dialog stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A call in, not answered.
    Ringing { tx: TxId },
    /// A call out, not answered.
    Calling { tx: TxId, canceling: bool },
    /// Answered.
    Up,
}

/// A 2xx of ours that waits for its ACK (§13.3.1.4).
#[derive(Debug)]
pub struct Accepted {
    pub cseq: u32,
    pub bytes: Vec<u8>,
    pub flow: Flow,
    pub again: Backoff,
    pub give_up_at: Instant,
    /// The offer was in the 2xx: the answer comes with the ACK.
    pub expects_answer: bool,
    /// It answers the first INVITE, not a later one.
    pub first: bool,
}

/// One dialog.
#[derive(Debug)]
pub struct Dialog {
    pub id: DialogId,
    pub flow: Flow,
    pub stage: Stage,
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: Option<String>,
    /// From or To of our requests, tag and all.
    pub local: String,
    /// To of our requests.
    pub remote: String,
    pub local_seq: u32,
    pub remote_seq: Option<u32>,
    pub route: Vec<String>,
    /// The far end's Contact.
    pub target: String,
    pub accepted: Option<Accepted>,
    /// A re-INVITE or UPDATE the owner has to answer.
    pub reoffered: Option<TxId>,
    /// A re-INVITE of ours.
    pub reinviting: Option<TxId>,
    /// The last ACK we sent for a 2xx, with its CSeq: sent again when that 2xx comes again.
    pub ack: Option<(u32, Vec<u8>)>,
    /// The caller expects our offer.
    pub late_offer: bool,
    /// A description that came with a provisional response.
    pub early_sdp: Option<Vec<u8>>,
    /// The owner hung up; BYE waits for the ACK (§15: not before it).
    pub closing: bool,
    /// When it ends for want of a connection.
    pub lost_at: Option<Instant>,
}

impl Dialog {
    /// A dialog at its beginning. `local` and `remote` are From and To of our requests.
    pub const fn new(id: DialogId, flow: Flow, stage: Stage, call_id: String, local_tag: String) -> Self {
        Self {
            id,
            flow,
            stage,
            call_id,
            local_tag,
            remote_tag: None,
            local: String::new(),
            remote: String::new(),
            local_seq: 0,
            remote_seq: None,
            route: Vec::new(),
            target: String::new(),
            accepted: None,
            reoffered: None,
            reinviting: None,
            ack: None,
            late_offer: false,
            early_sdp: None,
            closing: false,
            lost_at: None,
        }
    }

    /// Takes over what a 2xx to our INVITE says: who answered, and the way there (§12.1.2).
    pub fn adopt(&mut self, response: &Headers) {
        self.remote_tag = Some(response.to_tag().unwrap_or_default());
        self.remote = response.first("To").unwrap_or_default().to_owned();
        self.route = response.elements("Record-Route").map(str::to_owned).collect();
        self.route.reverse();
        self.refresh_target(response);
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        let accepted = self.accepted.as_ref().map(|a| a.again.at().min(a.give_up_at));
        match (accepted, self.lost_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Takes over the far end's Contact (target refresh, §12.2).
    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Some(contact) = headers.contact().filter(|c| c.uri.is_ok()) {
            self.target = contact.uri_text;
        }
    }

    /// A request inside the dialog, without Via (§12.2.1.1).
    pub fn request(&self, method: Method, seq: u32) -> Option<Request> {
        let mut headers = Headers::default();
        let loose = self.route.first().is_none_or(|first| is_loose(first));
        let target = if loose {
            for route in &self.route {
                headers.push("Route", route);
            }
            self.target.clone()
        } else {
            // A strict router wants itself as the target and the target as the last route.
            for route in self.route.iter().skip(1) {
                headers.push("Route", route);
            }
            headers.push("Route", format!("<{}>", self.target));
            Address::parse(&self.route[0])?.uri_text
        };
        headers.push("Max-Forwards", "70");
        headers.push("From", &self.local);
        headers.push("To", &self.remote);
        headers.push("Call-ID", &self.call_id);
        headers.push("CSeq", format!("{seq} {method}"));
        let mut uri = Uri::parse(&target).ok()?;
        // §19.1.5: what a Contact's URI carries as headers stays out of a request line.
        uri.headers = None;
        Some(Request { method, uri, headers, body: Vec::new() })
    }

    /// Where the next hop listens, if it is said by address: the first route, else the target.
    pub fn next_hop(&self) -> Option<std::net::SocketAddr> {
        let uri = match self.route.first() {
            Some(route) => Address::parse(route)?.uri.ok()?,
            None => Uri::parse(&self.target).ok()?,
        };
        let ip: std::net::IpAddr = uri.host.trim_matches(['[', ']']).parse().ok()?;
        let tls = uri.secure || self.flow.transport == Transport::Tls;
        Some((ip, uri.port.unwrap_or(if tls { 5061 } else { 5060 })).into())
    }
}

fn is_loose(route: &str) -> bool {
    Address::parse(route).and_then(|a| a.uri.ok()).is_none_or(|uri| uri.param("lr").is_some())
}
