//! OPTIONS of ours: whether a host is there (RFC 3261 §11.1).

use std::time::Instant;

use super::super::dialog::TxId;
use super::super::message::{Headers, Method, Request, Uri};
use super::super::words::{Event, Flow, RequestId};
use super::Agent;

impl Agent {
    /// A number for an OPTIONS ([`Command::Options`](super::super::words::Command::Options)).
    pub const fn next_request(&mut self) -> RequestId {
        RequestId(self.fresh())
    }

    pub(super) fn ask_options(&mut self, now: Instant, request: RequestId, flow: Flow, uri: &str, from: &str) {
        let Ok(parsed) = Uri::parse(uri) else {
            return self.event(Event::OptionsAnswered { request, status: 416 });
        };
        let (call_id, tag) = (self.rng.token(26), self.rng.token(16));
        let mut headers = Headers::default();
        headers.push("Max-Forwards", "70");
        headers.push("From", format!("{from};tag={tag}"));
        headers.push("To", format!("<{uri}>"));
        headers.push("Call-ID", &call_id);
        headers.push("CSeq", "1 OPTIONS");
        headers.push("Contact", Self::contact(&flow, parsed.secure));
        headers.push("Accept", "application/sdp");
        headers.push("User-Agent", &self.config.user_agent);
        let options = Request { method: Method::OPTIONS, uri: parsed, headers, body: Vec::new() };
        let tx = self.send(now, flow, options, None);
        self.asked.insert(tx, request);
    }

    /// Tells of the answer, if this transaction is an OPTIONS of ours that had none yet.
    pub(super) fn options_answered(&mut self, tx: TxId, status: u16) {
        if let Some(request) = self.asked.remove(&tx) {
            self.event(Event::OptionsAnswered { request, status });
        }
    }
}
