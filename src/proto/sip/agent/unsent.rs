//! Datagrams of ours that the system did not take (RFC 3261 §18.4, §17.1.4): no route, or a rule against it. A request
//! that begins something fails at once, as if by 503, so that another way is tried and nobody waits half a minute for an
//! answer to what was never asked.
//!
//! What belongs to a call that is up is left to its timers, as are responses: a route that comes back within half a
//! minute still carries them.

use std::time::Instant;

use super::super::message::{Message, Method};
use super::super::wire::{self, Read};
use super::Agent;

impl Agent {
    pub(super) fn unsent(&mut self, now: Instant, bytes: &[u8]) {
        let Read::Message(Message::Request(request)) = wire::read(bytes, false) else { return };
        let begins = [Method::INVITE, Method::OPTIONS, Method::REGISTER].contains(&request.method)
            && request.headers.to_tag().is_none();
        let branch = request.headers.via().and_then(|via| via.branch().map(str::to_owned));
        let Some(branch) = branch.filter(|_| begins) else { return };
        if let Some(id) = self.client_keys.get(&(branch, request.method.to_string())).copied() {
            self.client_failed(now, id, 503);
        }
    }
}
