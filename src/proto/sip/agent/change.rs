//! Changing a session: re-INVITE and UPDATE (RFC 3311) of either side, and what happens when both change at
//! once (RFC 3261 §14). A refresh of the session timer goes the same way (`session`).
//!
//! What always holds: one change of ours at a time; every change of theirs gets an answer, at once or when
//! the owner has given one.

use std::time::{Duration, Instant};

use super::super::dialog::{Change, Dialog, Offer, Stage, TxId, Waiting};
use super::super::message::body::find_sdp;
use super::super::message::{Headers, Method, Request, Response};
use super::super::session_timer::{Terms, least_of};
use super::super::words::{DialogId, EndReason, Event, Flow};
use super::{Agent, Client, ClientKind, ServerKey, Timer};

/// How often a change is sent before its refusal is told.
const MAX_TRIES: u8 = 5;
/// A change that is due while another exchange is under way waits for so long.
const BUSY: Duration = Duration::from_secs(1);
/// The longest Retry-After that a change of the owner's waits for, in seconds.
const PATIENCE: u32 = 10;

/// A change may be sent.
fn is_free(dialog: &Dialog) -> bool {
    dialog.stage == Stage::Up
        && !dialog.is_closing()
        && dialog.accepted.is_none()
        && dialog.reoffered.is_none()
        && dialog.changing.is_none()
        && dialog.lost_at.is_none()
        && dialog.ack_owed.is_none()
}

/// Seconds (RFC 3261 §20.33).
pub(super) fn retry_after(headers: &Headers) -> Option<u32> {
    headers.first("Retry-After")?.split([';', '(', ' ']).next()?.parse().ok()
}

impl Agent {
    /// A re-INVITE or UPDATE of theirs, in a dialog or an early one.
    pub(super) fn reoffered(&mut self, now: Instant, flow: Flow, key: ServerKey, request: Request, id: DialogId) {
        let Ok(offer) = find_sdp(&request.headers, &request.body) else {
            let accept = ("Accept", "application/sdp".to_owned());
            return self.refuse_in_dialog(now, flow, key, request, 415, Some(accept));
        };
        if let Terms::TooShort(least) = self.session_terms(id, &flow, &request.headers) {
            return self.refuse_in_dialog(now, flow, key, request, 422, Some(("Min-SE", least.to_string())));
        }
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let invite = request.method == Method::INVITE;
        let calling = matches!(dialog.stage, Stage::Calling { .. });
        let tag = request.headers.from_tag();
        let branch = dialog.branches.iter().position(|b| b.tag == tag).filter(|_| calling);
        if dialog.is_closing() || (calling && !invite && branch.is_none()) {
            return self.refuse_in_dialog(now, flow, key, request, 481, None);
        }
        if invite || offer.is_some() {
            let settled = branch.is_some_and(|at| dialog.branches[at].settled);
            // RFC 3261 §14.2, RFC 3311 §5.2: both sides change at once, or our 2xx still waits for its ACK.
            if dialog.has_offered() || (calling && !settled) || (invite && (calling || dialog.accepted.is_some())) {
                return self.refuse_in_dialog(now, flow, key, request, 491, None);
            }
            // The same two: one at a time.
            if dialog.owes_answer() || dialog.offer == Offer::Nobody || (invite && dialog.stage != Stage::Up) {
                let wait = ("Retry-After", self.rng.below(11).to_string());
                return self.refuse_in_dialog(now, flow, key, request, 500, Some(wait));
            }
        }
        match branch {
            Some(at) => {
                let mut branch = dialog.branches.swap_remove(at);
                branch.refresh_target(dialog, &request.headers);
                dialog.branches.push(branch);
            }
            None => {
                dialog.refresh_target(&request.headers);
                dialog.note_allow(&request.headers);
            }
        }
        self.mind_transport(id);
        let tx = self.add_server(flow, key, request.clone(), Some(id));
        if !invite && offer.is_none() {
            return self.respond_in_dialog(now, tx, id, 200, None);
        }
        if invite {
            self.respond(now, tx, Response::to_request(&request, 100, None));
        }
        if let Some(dialog) = self.dialogs.get_mut(&id) {
            dialog.reoffered = Some(tx);
            dialog.late_offer = offer.is_none();
        }
        self.event(Event::Reoffered { dialog: id, offer });
    }

    /// Refuses in a transaction of its own: a copy of the request that comes when things have changed gets the
    /// same answer.
    pub(super) fn refuse_in_dialog(
        &mut self,
        now: Instant,
        flow: Flow,
        key: ServerKey,
        request: Request,
        status: u16,
        extra: Option<(&str, String)>,
    ) {
        let mut response = Response::to_request(&request, status, None);
        let tx = self.add_server(flow, key, request, None);
        if let Some((name, value)) = extra {
            response.headers.push(name, value);
        }
        response.headers.push("Server", &self.config.user_agent);
        self.respond(now, tx, response);
        self.event(Event::Refused { status });
    }

    pub(super) fn answer_reoffer(&mut self, now: Instant, id: DialogId, answer: Result<Vec<u8>, u16>) {
        match self.dialogs.get(&id) {
            Some(dialog) if dialog.prack_owed.is_some() => return self.answer_early_offer(now, id, answer.ok()),
            Some(dialog) if dialog.ack_owed.is_some() => return self.answer_late_offer(now, id, answer.ok()),
            _ => {}
        }
        let Some(tx) = self.dialogs.get_mut(&id).and_then(|d| d.reoffered.take()) else { return };
        let sdp = match answer {
            Ok(sdp) => sdp,
            Err(status) => return self.respond_plain(now, tx, status.clamp(400, 699)),
        };
        let theirs = self
            .servers
            .get(&tx)
            .map(|s| (s.request.headers.from_tag(), find_sdp(&s.request.headers, &s.request.body)));
        if let (Some(dialog), Some((tag, Ok(theirs)))) = (self.dialogs.get_mut(&id), theirs) {
            dialog.local_sdp = Some(sdp.clone());
            if let Some(waiting) = &mut dialog.change_waiting {
                waiting.outdated = true;
            }
            if let Some(branch) = dialog.branches.iter_mut().find(|b| b.tag == tag) {
                branch.sdp = theirs;
            } else if theirs.is_some() {
                dialog.remote_sdp = theirs;
            }
        }
        self.respond_in_dialog(now, tx, id, 200, Some(sdp));
    }

    /// The dialog goes: a change or transfer that nobody has answered gets 487 (RFC 3261 §15.1.2). One of ours is waited
    /// for no longer than a call that was given up: the far end may have forgotten it with the call.
    pub(super) fn drop_reoffer(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let ours = dialog.changing.as_ref().map(|(tx, _)| *tx);
        let open = [dialog.reoffered.take(), dialog.referral.take().and_then(|r| r.tx)];
        for tx in open.into_iter().flatten() {
            self.respond_plain(now, tx, 487);
        }
        if let Some(tx) = ours
            && let Some(Client { kind: ClientKind::Invite { machine, .. }, .. }) = self.clients.get_mut(&tx)
        {
            machine.on_cancel(now);
            let deadline = machine.deadline();
            self.arm(Timer::Client(tx), Some(deadline));
        }
    }

    pub(super) fn reinvite(&mut self, now: Instant, id: DialogId, sdp: Vec<u8>) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let change = Change { sdp: Some(sdp), ordered: true, tries: 0 };
        let has_order = dialog.changing.as_ref().is_some_and(|(_, c)| c.ordered)
            || dialog.change_waiting.as_ref().is_some_and(|w| w.change.ordered);
        let refreshing = dialog.changing.as_ref().is_some_and(|(_, c)| !c.ordered);
        if is_free(dialog) && !has_order {
            // It refreshes the session as well.
            dialog.change_waiting = None;
            return self.send_change(now, id, change);
        }
        if refreshing && !has_order && !dialog.is_closing() && dialog.reoffered.is_none() {
            dialog.change_waiting = Some(Waiting { change, at: None, outdated: false });
            return;
        }
        self.event(Event::ReinviteRejected { dialog: id, status: 491 });
    }

    /// A refresh by the session timer: changes nothing (RFC 4028 §7.4). UPDATE without a description if the
    /// far end takes that, else the description that is in force once more.
    pub(super) fn refresh(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let sdp = dialog.local_sdp.clone().filter(|_| !dialog.takes_update);
        let is_possible = is_free(dialog) && (dialog.takes_update || sdp.is_some());
        // One that waits for another go refreshes the session when it comes.
        let awaited = dialog.change_waiting.is_some();
        if is_possible && !awaited {
            return self.send_change(now, id, Change { sdp, ordered: false, tries: 0 });
        }
        if let Some(session) = &mut dialog.session {
            session.try_again(now, Some(2));
        }
    }

    pub(super) fn send_change(&mut self, now: Instant, id: DialogId, mut change: Change) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        change.tries = change.tries.saturating_add(1);
        dialog.local_seq += 1;
        let method = if change.sdp.is_some() { Method::INVITE } else { Method::UPDATE };
        let Some(dialog) = self.dialogs.get(&id) else { return };
        let Some(mut request) = dialog.request(method, dialog.local_seq) else { return };
        let flow = self.way_to(dialog);
        request.headers.push("Contact", Self::contact(&flow, request.uri.secure));
        request.headers.push("Allow", self.allow());
        let supported = self.supported(&self.terms_in(Some(id), &flow));
        if !supported.is_empty() {
            request.headers.push("Supported", supported);
        }
        if let Some(session) = &dialog.session {
            request.headers.push("Session-Expires", session.terms().value());
            request.headers.push("Min-SE", dialog.least.to_string());
        }
        request.headers.push("User-Agent", &self.config.user_agent);
        if let Some(sdp) = &change.sdp {
            request.headers.push("Content-Type", "application/sdp");
            request.body.clone_from(sdp);
        }
        let tx = self.send(now, flow, request, Some(id));
        if let Some(dialog) = self.dialogs.get_mut(&id) {
            dialog.changing = Some((tx, change));
        }
    }

    /// A change that waited is due.
    pub(super) fn send_waiting_change(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let free = is_free(dialog);
        let Some(waiting) = dialog.change_waiting.as_mut().filter(|w| w.at.is_some_and(|at| now >= at)) else { return };
        if !free {
            waiting.at = Some(now + BUSY);
            return;
        }
        let Some(waiting) = dialog.change_waiting.take() else { return };
        match (waiting.outdated, waiting.change.ordered) {
            (false, _) => self.send_change(now, id, waiting.change),
            // The session has changed under it: the owner has to make it anew.
            (true, true) => self.event(Event::ReinviteRejected { dialog: id, status: 491 }),
            // What changed it refreshed it.
            (true, false) => {}
        }
    }

    /// A 2xx to a change of ours.
    pub(super) fn change_accepted(&mut self, now: Instant, id: DialogId, tx: TxId, response: &Response) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some((_, change)) = dialog.changing.take_if(|(sent, _)| *sent == tx) else { return };
        let sdp = find_sdp(&response.headers, &response.body).ok().flatten();
        dialog.refresh_target(&response.headers);
        dialog.note_allow(&response.headers);
        let is_news = change.sdp.is_some() && sdp.is_some() && sdp != dialog.remote_sdp;
        if change.sdp.is_some() {
            dialog.local_sdp = change.sdp;
        }
        if sdp.is_some() {
            dialog.remote_sdp.clone_from(&sdp);
        }
        self.begin_session(now, id, &response.headers);
        self.mind_transport(id);
        // A refresh is nobody's business, unless the far end took the occasion to change something.
        if change.ordered || is_news {
            self.event(Event::ReinviteAnswered { dialog: id, sdp });
        }
        self.after_change(now, id);
    }

    /// A change that waited for this one is next.
    fn after_change(&mut self, now: Instant, id: DialogId) {
        let waiting = self.dialogs.get_mut(&id).and_then(|d| d.change_waiting.as_mut());
        if let Some(waiting) = waiting.filter(|w| w.at.is_none()) {
            waiting.at = Some(now);
        }
        self.send_waiting_change(now, id);
        self.arm_dialog(id);
    }

    /// A change of ours was refused.
    pub(super) fn change_refused(&mut self, now: Instant, id: DialogId, tx: TxId, response: &Response) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some((_, mut change)) = dialog.changing.take_if(|(sent, _)| *sent == tx) else { return };
        let (status, wait) = (response.status, retry_after(&response.headers));
        let again = change.tries < MAX_TRIES && !dialog.is_closing();
        match status {
            // RFC 3261 §12.2.1.2: the far end no longer knows the dialog, or isn't there any more.
            408 | 481 => {
                if status == 408 {
                    self.send_bye(now, id, &[]);
                }
                return self.end(now, id, EndReason::Timeout);
            }
            491 if again => {
                // §14.1: in steps of 10 ms, the owner of the Call-ID later than the other.
                let steps = if dialog.outgoing { 210 + self.rng.below(191) } else { self.rng.below(201) };
                self.keep_change(id, change, now + Duration::from_millis(steps * 10));
            }
            500 if again && wait.is_some_and(|w| w <= PATIENCE) => {
                let wait = Duration::from_secs(wait.unwrap_or_default().max(1).into());
                self.keep_change(id, change, now + wait);
            }
            422 if again && least_of(&response.headers).is_some_and(|least| least > dialog.least) => {
                dialog.least = least_of(&response.headers).unwrap_or(dialog.least);
                if let Some(session) = &mut dialog.session {
                    session.lengthen(dialog.least);
                }
                return self.send_change(now, id, change);
            }
            405 | 501 if change.sdp.is_none() && dialog.local_sdp.is_some() => {
                dialog.takes_update = false;
                change.sdp.clone_from(&dialog.local_sdp);
                return self.send_change(now, id, change);
            }
            _ if change.ordered => self.event(Event::ReinviteRejected { dialog: id, status }),
            _ => {
                if let Some(session) = &mut dialog.session {
                    session.try_again(now, wait);
                }
            }
        }
        self.after_change(now, id);
    }

    /// Keeps a change for later. One that waits already goes first: it is newer, and the owner's.
    fn keep_change(&mut self, id: DialogId, change: Change, at: Instant) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if let Some(waiting) = &mut dialog.change_waiting {
            waiting.at = Some(at);
        } else {
            dialog.change_waiting = Some(Waiting { change, at: Some(at), outdated: false });
        }
    }
}
