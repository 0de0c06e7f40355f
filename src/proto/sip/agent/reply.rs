//! Stateless replies: refusals that need no transaction. An INVITE refused so is answered anew each time
//! it comes; its ACK finds nothing and is absorbed (RFC 3261 §8.2.7).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use super::super::message::address::stamp_via;
use super::super::message::headers::reply_headers;
use super::super::message::{Headers, Message, Method, Request, Response, Via, reason_phrase};
use super::super::wire::{self, Read, Refusal};
use super::super::words::{Event, Flow};
use super::{Agent, is_served};

/// How many times as large as what came a challenge over UDP may be: whoever forges a victim's address gains no more by us than
/// by a QUIC server (RFC 9000 §8.1 has the same bound). Less would cut the list for phones that write short requests,
/// and lock out those that can do only what was cut.
const AMPLIFIED: usize = 3;

/// Where responses to a request go (RFC 3261 §18.2.2, RFC 3581): its connection; for UDP its source with
/// the port of Via, or the source's port if asked by `rport`. `maddr` is not followed: it would let
/// anyone aim our responses at a third party.
pub(super) fn reply_flow(flow: Flow, headers: &Headers) -> Flow {
    headers.via().map_or(flow, |via| flow_by(flow, &via))
}

/// The same by the topmost Via.
pub(super) fn flow_by(flow: Flow, via: &Via) -> Flow {
    if flow.transport.is_reliable() || via.param("rport").is_some() {
        return flow;
    }
    Flow { peer: SocketAddr::new(flow.peer.ip(), via.port.unwrap_or(5060)), ..flow }
}

/// What a response takes over from a request that came by `flow`. Its Via says where that was (RFC 3261 §18.2.1, RFC 3581
/// §4), also of one that could not be read further.
fn echo(flow: &Flow, request: &Headers, tag: Option<&str>) -> Headers {
    let mut headers = reply_headers(request, tag);
    if let Some(via) = request.first("Via") {
        headers.replace_first("Via", &stamp_via(via, flow.peer.ip(), flow.peer.port()));
    }
    headers
}

/// What makes a request itself.
fn identity(request: &Headers) -> [Option<&str>; 4] {
    ["Via", "From", "Call-ID", "CSeq"].map(|name| request.first(name))
}

impl Agent {
    /// Refuses what the wire front couldn't let through.
    pub(super) fn refuse(&mut self, flow: Flow, refusal: Refusal, len: usize) {
        if refusal.method == "ACK" {
            return;
        }
        if self.config.role == super::Role::Phones && refusal.method != "REGISTER" {
            return self.short_403(flow, &refusal.headers, len);
        }
        self.send_refusal(flow, &refusal.headers, refusal.status, &[]);
    }

    /// Refuses a request that was read.
    pub(super) fn refuse_request(&mut self, flow: Flow, request: &Request, status: u16, extra: &[(&str, String)]) {
        if request.method != Method::ACK {
            self.send_refusal(flow, &request.headers, status, extra);
        }
    }

    pub(super) fn send_refusal(&mut self, flow: Flow, request: &Headers, status: u16, extra: &[(&str, String)]) {
        let tag = self.stateless_tag(identity(request));
        let mut response = Response {
            status,
            reason: reason_phrase(status),
            headers: echo(&flow, request, Some(&tag)),
            body: Vec::new(),
        };
        if matches!(status, 405 | 501) {
            response.headers.push("Allow", self.allow());
        }
        for (name, value) in extra {
            response.headers.push(name, value);
        }
        // Anyone may write to the phone side: what they get is no larger than it has to be.
        if self.config.role != super::Role::Phones {
            response.headers.push("Server", &self.config.user_agent);
        }
        self.transmit(reply_flow(flow, request), response.to_bytes());
        self.event(Event::Refused { status });
    }

    /// Someone who may not speak to us: always the same short answer, whatever was asked.
    pub(super) fn turn_away(&mut self, flow: Flow, bytes: &[u8]) {
        match wire::read(bytes, flow.transport.is_stream()) {
            Read::Message(Message::Request(request)) if request.method != Method::ACK => {
                self.short_403(flow, &request.headers, bytes.len());
            }
            Read::Refuse(refusal) if refusal.method != "ACK" => self.short_403(flow, &refusal.headers, bytes.len()),
            _ => {}
        }
    }

    /// 403 and nothing else; never larger than what asked for it, so that a forged source address gains
    /// nothing by it.
    pub(super) fn short_403(&mut self, flow: Flow, request: &Headers, len: usize) {
        let tag = self.stateless_tag(identity(request));
        // What comes first is what a client needs least: words, then a tag of ours, then where it came from.
        let tries: [&dyn Fn() -> (String, Headers); 3] = [
            &|| (reason_phrase(403), echo(&flow, request, Some(&tag))),
            &|| (String::new(), echo(&flow, request, None)),
            &|| (String::new(), reply_headers(request, None)),
        ];
        let mut responses = tries.iter().map(|make| {
            let (reason, headers) = make();
            Response { status: 403, reason, headers, body: Vec::new() }.to_bytes()
        });
        if let Some(response) = responses.find(|response| response.len() <= len) {
            self.transmit(reply_flow(flow, request), response);
        }
        self.event(Event::Refused { status: 403 });
    }

    /// 401 with challenges, best first. Over UDP the source may be forged: what goes there is at most [`AMPLIFIED`] times
    /// what came, with the last challenge alone if need be. The shortest REGISTER there is has room for all we have.
    pub(super) fn challenge(&mut self, flow: Flow, request: &Headers, len: usize, challenges: &[(String, String)]) {
        let tag = self.stateless_tag(identity(request));
        for from in [0, challenges.len().saturating_sub(1)] {
            let mut headers = echo(&flow, request, Some(&tag));
            for (name, value) in &challenges[from..] {
                headers.push(name, value);
            }
            let response = Response { status: 401, reason: reason_phrase(401), headers, body: Vec::new() }.to_bytes();
            if flow.transport.is_reliable() || response.len() <= len * AMPLIFIED {
                self.transmit(reply_flow(flow, request), response);
                return self.event(Event::Refused { status: 401 });
            }
        }
        self.short_403(flow, request, len);
    }

    /// The same tag for the same request, without remembering it.
    pub(super) fn stateless_tag(&self, identity: [Option<&str>; 4]) -> String {
        let mut hasher = DefaultHasher::new();
        self.secret.hash(&mut hasher);
        identity.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Refuses by method, by a Require that we don't fulfil, or for want of room. `true`: it was refused.
    pub(super) fn refused_at_once(&mut self, flow: Flow, request: &Request, in_dialog: bool) -> bool {
        if !is_served(&request.method, self.config.role) {
            self.refuse_request(flow, request, 405, &[]);
            return true;
        }
        // RFC 3261 §8.2.2.3. CANCEL and ACK can't require.
        let ours = self.supported(&self.terms_of(&flow));
        let is_known = |tag: &&str| ours.split(", ").any(|known| known.eq_ignore_ascii_case(tag));
        let unsupported: Vec<&str> = request.headers.elements("Require").filter(|tag| !is_known(tag)).collect();
        if !unsupported.is_empty() {
            let unsupported = unsupported.join(", ");
            self.refuse_request(flow, request, 420, &[("Unsupported", unsupported)]);
            return true;
        }
        // What belongs to a call that is up gets through as long as there is any room at all.
        let room = if in_dialog { self.config.max_transactions * 2 } else { self.config.max_transactions };
        if self.servers.len() + self.clients.len() >= room {
            self.refuse_request(flow, request, 503, &[("Retry-After", "10".to_owned())]);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::super::admit::Admit;
    use super::super::super::words::{Input, Output, Transport};
    use super::super::{AgentConfig, Role};
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};
    use crate::base::rng::Rng;

    fn answer(role: Role, admit: Admit, text: &str) -> (SocketAddr, String) {
        let now: Instant = TestClock::at(UtcMs(0)).instant();
        let mut agent = Agent::new(AgentConfig::new(role, admit), Rng::seeded(1));
        let peer = "203.0.113.7:40000".parse().expect("an address");
        let flow = Flow { transport: Transport::Udp, local: ([192, 0, 2, 1], 5060).into(), peer, connection: 0 };
        agent.handle(now, Input::Received { flow, bytes: text.as_bytes().to_vec() });
        match agent.poll_output() {
            Some(Output::Transmit { flow, bytes }) => (flow.peer, String::from_utf8(bytes).expect("text")),
            other => panic!("no answer: {other:?}"),
        }
    }

    #[test]
    fn whoever_is_refused_is_told_where_the_request_came_from() {
        let padding = "X-Padding: so that the short refusal is no larger than what asked for it\r\n";
        let request = |uri: &str, version: &str| {
            format!(
                "INVITE {uri} SIP/{version}\r\nVia: SIP/2.0/UDP 10.0.0.5:5066;branch=z9hG4bKa;rport\r\n\
                 From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{padding}\
                 Max-Forwards: 70\r\nContact: <sip:a@10.0.0.5>\r\nContent-Length: 0\r\n\r\n"
            )
        };
        let strangers = Admit::Sources(vec!["198.51.100.1".parse().expect("an address")]);
        for (what, role, admit, text) in [
            ("403 to a stranger", Role::Trunk, strangers, request("sip:b@h", "2.0")),
            ("403 of the phone side", Role::Phones, Admit::Any, request("sip:b@h", "2.0")),
            ("505", Role::Trunk, Admit::Any, request("sip:b@h", "7.0")),
            ("416", Role::Trunk, Admit::Any, request("nothing:b", "2.0")),
        ] {
            let (peer, answer) = answer(role, admit, &text);
            assert!(answer.starts_with(&format!("SIP/2.0 {}", &what[..3])), "{what}: {answer}");
            let via = answer.lines().find(|line| line.starts_with("Via: ")).expect("a Via");
            assert!(via.contains(";rport=40000") && via.contains(";received=203.0.113.7"), "{what}: {via}");
            assert_eq!(peer.port(), 40_000, "{what}");
            assert!(answer.len() <= text.len(), "{what}");
        }
    }
}
