//! Too many calls: refuses a new one after a glance, and passes over the ACK to it. Reading a message whole costs most of
//! what refusing it costs, and in a flood that is taken from calls that could be answered. Whatever is not plain, or belongs
//! to something that is known, is left to the ordinary way.

use std::time::Instant;

use super::super::dialog::{Dialog, Stage};
use super::super::glance::Glance;
use super::super::message::Method;
use super::super::words::{DialogId, Event, Flow, Output};
use super::reply::flow_by;
use super::uas::{RETRY_AFTER, branch_key};
use super::{Agent, Role};

impl Agent {
    /// Whether this message was one that is over with here.
    pub(super) fn shed(&mut self, now: Instant, flow: Flow, bytes: &[u8]) -> bool {
        let (invite, ack) = (bytes.starts_with(b"INVITE "), bytes.starts_with(b"ACK "));
        // What acknowledges refusals comes a moment after them, when the gate may be open again.
        if self.config.role != Role::Trunk || !(ack || invite && self.gate_is_shut(now)) {
            return false;
        }
        let Some(glance) = Glance::at(bytes) else { return false };
        let Some(key) = branch_key(&Method::INVITE, glance.via()) else { return false };
        if self.server_keys.contains_key(&key) {
            return false;
        }
        match (invite, glance.to_tag()) {
            (true, None) => {
                let tag = self.stateless_tag(glance.identity().map(Some));
                let fields = format!("Retry-After: {RETRY_AFTER}\r\nServer: {}\r\n", self.config.user_agent);
                let response = glance.response("SIP/2.0 503 Service Unavailable", flow.peer, &tag, &fields);
                self.outputs.push_back(Output::Refuse { flow: flow_by(flow, glance.via()), bytes: response });
                self.event(Event::Refused { status: 503 });
                true
            }
            // RFC 3261 §8.2.7: what acknowledges a stateless refusal finds nothing and is absorbed.
            (false, Some(tag)) => !self.dialog_keys.contains_key(&(glance.call_id().to_owned(), tag.to_owned())),
            _ => false,
        }
    }

    /// Whether calls are too many just now.
    pub(super) fn gate_is_shut(&mut self, now: Instant) -> bool {
        if self.admission.wants_count(now) {
            let waits = |d: &&Dialog| matches!(d.stage, Stage::Ringing { .. }) && !d.waits_for_others;
            let waiting = self.dialogs.values().filter(waits).count();
            self.admission.counted(waiting);
        }
        self.admission.is_shut()
    }

    /// A call that was let in waits for us no longer: it has its final answer, or is gone, or somebody else is rung for it.
    pub(super) fn settle(&mut self, id: DialogId) {
        let waits =
            self.dialogs.get_mut(&id).is_some_and(|dialog| !std::mem::replace(&mut dialog.waits_for_others, true));
        if waits {
            self.admission.settled();
        }
    }

    /// Lets a call in, unless calls are too many.
    pub(super) fn let_in(&mut self, now: Instant) -> bool {
        let shut = self.gate_is_shut(now);
        if !shut {
            self.admission.let_in();
        }
        !shut
    }
}
