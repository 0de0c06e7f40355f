//! A dialog (RFC 3261 §12): its identity, sequence numbers, route set and remote target, and what is
//! under way within it. Makes the requests sent inside it. Owned by the agent; pure.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::early::Branch;
use super::message::address::Address;
use super::message::{Headers, Method, Request, Uri};
use super::reliable::ReliableSender;
use super::session_timer::{LEAST, SessionTimer};
use super::terms::PeerTerms;
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

/// How far a call in has got with its first descriptions (RFC 3264), before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Nobody has offered: the offer is to be ours.
    Nobody,
    /// Ours went out, in a reliable provisional response.
    Ours,
    /// The caller's waits for our answer.
    Theirs,
    /// Answered: either side may offer anew.
    Settled,
}

/// A change of the session that we propose (re-INVITE), or a refresh of it (re-INVITE or UPDATE).
#[derive(Clone, Debug)]
pub struct Change {
    /// What it offers; `None` for a refresh by UPDATE.
    pub sdp: Option<Vec<u8>>,
    /// Ordered by the owner, who is told what came of it.
    pub ordered: bool,
    /// How often it was sent.
    pub tries: u8,
}

/// A change that waits to be sent.
#[derive(Debug)]
pub struct Waiting {
    pub change: Change,
    /// `None`: as soon as the one under way is done.
    pub at: Option<Instant>,
    /// The session was changed meanwhile: the owner has to offer anew.
    pub outdated: bool,
}

/// A transfer that the far end asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Its REFER, until that is answered.
    pub tx: Option<TxId>,
    /// The REFER's CSeq: tells its NOTIFYs from those of another (RFC 3515 §2.4.6).
    pub id: u32,
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
    /// We made the call, so its Call-ID is ours (§14.1).
    pub outgoing: bool,
    pub offer: Offer,
    /// What was agreed with its far end beforehand; `None`: as its address has it.
    pub terms: Option<PeerTerms>,
    /// Provisional responses go reliably.
    pub reliable: Option<ReliableSender>,
    /// Our answer, waiting for the PRACK of a description before it.
    pub answer_waiting: Option<Vec<u8>>,
    /// Those who have responded to a call out of ours, one for each To-tag.
    pub branches: Vec<Branch>,
    /// A reliable provisional response brought an offer: its PRACK waits for our answer. Branch, RAck.
    pub prack_owed: Option<(String, String)>,
    /// A 2xx to a call out without an offer brought one: the ACK of this INVITE, by its CSeq, waits for our answer.
    pub ack_owed: Option<(TxId, u32)>,
    /// A re-INVITE, UPDATE or PRACK whose offer the owner has to answer.
    pub reoffered: Option<TxId>,
    /// A re-INVITE or UPDATE of ours.
    pub changing: Option<(TxId, Change)>,
    pub change_waiting: Option<Waiting>,
    pub session: Option<SessionTimer>,
    /// The shortest session interval that the far end takes, in seconds.
    pub least: u32,
    /// The far end takes UPDATE.
    pub takes_update: bool,
    /// The descriptions in force.
    pub local_sdp: Option<Vec<u8>>,
    pub remote_sdp: Option<Vec<u8>>,
    pub referral: Option<Referral>,
    /// There was a transfer before: NOTIFYs have to tell which one they mean.
    pub referred: bool,
    /// The caller expects our offer.
    pub late_offer: bool,
    /// The owner hung up; BYE waits for the ACK (§15: not before it), with these headers.
    pub closing: Option<Vec<(String, String)>>,
    /// An OPTIONS of ours that asks whether the far end is still there.
    pub probe: Option<TxId>,
    /// When it ends for want of a connection.
    pub lost_at: Option<Instant>,
    /// A call in that rings, but no longer for us: the gate does not count it.
    pub waits_for_others: bool,
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
            outgoing: false,
            offer: Offer::Settled,
            terms: None,
            reliable: None,
            answer_waiting: None,
            branches: Vec::new(),
            prack_owed: None,
            ack_owed: None,
            reoffered: None,
            changing: None,
            change_waiting: None,
            session: None,
            least: LEAST,
            takes_update: false,
            local_sdp: None,
            remote_sdp: None,
            referral: None,
            referred: false,
            late_offer: false,
            closing: None,
            probe: None,
            waits_for_others: false,
            lost_at: None,
        }
    }

    pub const fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// A call out that is not answered yet, and nobody with this tag has responded to it.
    pub fn is_nobodys(&self, tag: &str) -> bool {
        matches!(self.stage, Stage::Calling { .. }) && self.branches.iter().all(|branch| branch.tag != tag)
    }

    /// Takes over what a 2xx to our INVITE says: who answered, and the way there (§12.1.2).
    pub fn adopt(&mut self, response: &Headers) {
        self.remote_tag = Some(response.to_tag().unwrap_or_default());
        self.remote = response.first("To").unwrap_or_default().to_owned();
        self.route = response.elements("Record-Route").map(str::to_owned).collect();
        self.route.reverse();
        self.refresh_target(response);
        self.note_allow(response);
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        [
            self.accepted.as_ref().map(|a| a.again.at().min(a.give_up_at)),
            self.lost_at,
            self.session.as_ref().map(SessionTimer::deadline),
            self.change_waiting.as_ref().and_then(|w| w.at),
            self.reliable.as_ref().and_then(ReliableSender::deadline),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// An offer of ours waits for its answer.
    pub fn has_offered(&self) -> bool {
        self.offer == Offer::Ours
            || self.accepted.as_ref().is_some_and(|a| a.expects_answer)
            || self.changing.as_ref().is_some_and(|(_, change)| change.sdp.is_some())
    }

    /// An offer of theirs waits for ours.
    pub fn owes_answer(&self) -> bool {
        self.offer == Offer::Theirs || self.reoffered.is_some() || self.prack_owed.is_some() || self.ack_owed.is_some()
    }

    /// A request of ours was sent anew in another transaction: that one carries on for it.
    pub fn carry_on(&mut self, old: TxId, new: TxId) {
        if let Stage::Calling { tx, .. } = &mut self.stage
            && *tx == old
        {
            *tx = new;
        }
        if let Some((tx, _)) = self.changing.as_mut().filter(|(tx, _)| *tx == old) {
            *tx = new;
        }
        if let Some(tx) = self.probe.as_mut().filter(|tx| **tx == old) {
            *tx = new;
        }
    }

    /// The far end's last CSeq: before the answer each branch of a call out counts for itself.
    pub fn remote_seq_of(&mut self, tag: &str) -> &mut Option<u32> {
        match self.branches.iter_mut().find(|b| b.tag == tag) {
            Some(branch) => &mut branch.remote_seq,
            None => &mut self.remote_seq,
        }
    }

    /// Takes note of what the far end says it can do.
    pub fn note_allow(&mut self, headers: &Headers) {
        if headers.first("Allow").is_some() {
            self.takes_update = headers.elements("Allow").any(|method| method == "UPDATE");
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
    pub fn next_hop(&self) -> Option<SocketAddr> {
        let uri = self.next_uri()?;
        listens_at(&uri, transport_of(&uri).unwrap_or(self.flow.transport))
    }

    /// What the next hop wants to be spoken to over, if it says so (RFC 3263 §4.1).
    pub fn next_transport(&self) -> Option<Transport> {
        transport_of(&self.next_uri()?)
    }

    fn next_uri(&self) -> Option<Uri> {
        match self.route.first() {
            Some(route) => Address::parse(route)?.uri.ok(),
            None => Uri::parse(&self.target).ok(),
        }
    }
}

fn transport_of(uri: &Uri) -> Option<Transport> {
    let named = uri.param("transport")?;
    let known = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let transport = known.into_iter().find(|transport| named.eq_ignore_ascii_case(transport.name()))?;
    // RFC 3261 §26.2.2: `sips:` means TLS, whatever carries it.
    Some(if uri.secure { Transport::Tls } else { transport })
}

/// The same of a request that was made in a dialog.
pub fn next_hop(request: &Request, transport: Transport) -> Option<SocketAddr> {
    match request.headers.elements("Route").next() {
        Some(route) => listens_at(&Address::parse(route)?.uri.ok()?, transport),
        None => listens_at(&request.uri, transport),
    }
}

fn listens_at(uri: &Uri, transport: Transport) -> Option<SocketAddr> {
    let ip: IpAddr = uri.host.trim_matches(['[', ']']).parse().ok()?;
    let tls = uri.secure || transport == Transport::Tls;
    Some((ip, uri.port.unwrap_or(if tls { 5061 } else { 5060 })).into())
}

fn is_loose(route: &str) -> bool {
    Address::parse(route).and_then(|a| a.uri.ok()).is_none_or(|uri| uri.param("lr").is_some())
}
