//! Session timers in the agent (RFC 4028): what is agreed on in each 2xx, the longer interval after a 422,
//! the refresh in time and the end without one.

use std::time::Instant;

use super::super::dialog::TxId;
use super::super::message::{Headers, Response};
use super::super::session_timer::{LEAST, SessionTimer, Terms, least_of, terms};
use super::super::words::{DialogId, EndReason, Flow};
use super::{Agent, Client, ClientKind, PeerTerms};

/// A call out is tried anew at most until its CSeq is this.
const MAX_CSEQ: u32 = 8;
/// The longest interval that a far end may ask for, in seconds; a day.
const LONGEST: u32 = 86_400;

impl Agent {
    /// What a request of theirs is answered with, as to its session.
    pub(super) fn session_terms(&self, id: DialogId, flow: &Flow, request: &Headers) -> Terms {
        let Some(policy) = &self.terms_in(Some(id), flow).session else { return Terms::None };
        let timer = self.dialogs.get(&id).and_then(|d| d.session.as_ref());
        terms(policy, request, timer.map(SessionTimer::is_ours))
    }

    /// Our 2xx agrees on `terms`: what goes into it.
    pub(super) fn agree(&mut self, now: Instant, id: DialogId, terms: Terms) -> Headers {
        let mut headers = Headers::default();
        let Some(dialog) = self.dialogs.get_mut(&id) else { return headers };
        dialog.session = None;
        if let Terms::Agreed(agreed) = terms {
            let theirs = agreed.refresher == Some(super::super::session_timer::Refresher::Uac);
            dialog.session = Some(SessionTimer::start(now, agreed.secs, !theirs));
            headers.push("Session-Expires", agreed.value());
            if theirs {
                // §9: so that whoever has to refresh knows it.
                headers.push("Require", "timer");
            }
        }
        self.arm_dialog(id);
        headers
    }

    /// A 2xx to a request of ours begins the session's time, or begins it anew.
    pub(super) fn begin_session(&mut self, now: Instant, id: DialogId, response: &Headers) {
        let Some(dialog) = self.dialogs.get(&id) else { return };
        if self.terms_in(Some(id), &dialog.flow).session.is_none() {
            return;
        }
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        dialog.session = match (SessionTimer::from_response(now, response), dialog.session) {
            (Some(agreed), _) => Some(agreed),
            // Somebody who leaves the header out of a later answer may count on us all the same.
            (None, Some(before)) if before.is_ours() => Some(SessionTimer::start(now, before.terms().secs, true)),
            (None, _) => None,
        };
        self.arm_dialog(id);
    }

    /// What an INVITE of ours asks for.
    pub(super) fn ask_for_session(terms: &PeerTerms, headers: &mut Headers) {
        if let Some(policy) = &terms.session {
            headers.push("Session-Expires", policy.expires.to_string());
            if policy.least > LEAST {
                headers.push("Min-SE", policy.least.to_string());
            }
        }
    }

    /// 422 to a call out: it is made anew with the interval that was named (§7.3). True if it was.
    pub(super) fn ask_for_longer(&mut self, now: Instant, id: DialogId, tx: TxId, response: &Response) -> bool {
        let Some(Client { kind: ClientKind::Invite { request, .. }, flow, .. }) = self.clients.get(&tx) else {
            return false;
        };
        let session = self.terms_in(Some(id), flow).session;
        let (Some(policy), Some(least)) = (session, least_of(&response.headers)) else { return false };
        let (mut request, flow) = (request.as_ref().clone(), *flow);
        let Some(dialog) = self.dialogs.get_mut(&id) else { return false };
        if least <= dialog.least || least > LONGEST || dialog.local_seq >= MAX_CSEQ {
            return false;
        }
        dialog.least = least;
        dialog.local_seq += 1;
        dialog.branches.clear();
        request.headers.remove_first("Via");
        request.headers.set("CSeq", &format!("{} INVITE", dialog.local_seq));
        request.headers.set("Session-Expires", &policy.expires.max(least).to_string());
        request.headers.set("Min-SE", &least.to_string());
        let again = self.send(now, flow, request, Some(id));
        if let Some(dialog) = self.dialogs.get_mut(&id) {
            dialog.carry_on(tx, again);
        }
        true
    }

    /// What is due of a session. True if it ended by that.
    pub(super) fn tend_session(&mut self, now: Instant, id: DialogId) -> bool {
        let Some(session) = self.dialogs.get_mut(&id).and_then(|d| d.session.as_mut()) else { return false };
        if session.is_over(now) {
            let reason = "SIP;cause=408;text=\"Session expired\"";
            self.send_bye(now, id, &[("Reason".to_owned(), reason.to_owned())]);
            self.end(now, id, EndReason::Expired);
            return true;
        }
        if session.take_refresh(now) {
            self.refresh(now, id);
        }
        false
    }
}
