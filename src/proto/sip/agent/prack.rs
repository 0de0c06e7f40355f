//! Provisional responses to a call in, reliable ones among them (RFC 3262): sent one at a time, each again
//! and again until its PRACK, and 504 when that never comes.

use std::time::Instant;

use super::super::dialog::{Offer, Stage, TxId};
use super::super::message::body::find_sdp;
use super::super::message::{Headers, Request};
use super::super::reliable::{Due, RAck, ReliableSender};
use super::super::session_timer::supports;
use super::super::words::{DialogId, EndReason, Event, Flow};
use super::{Agent, Reliable, ServerKey};

fn requires_reliable(invite: &Headers) -> bool {
    invite.elements("Require").any(|tag| tag.eq_ignore_ascii_case("100rel"))
}

impl Agent {
    /// A sender for an INVITE whose provisional responses have to arrive.
    pub(super) fn reliable_for(&mut self, flow: &Flow, invite: &Headers) -> Option<ReliableSender> {
        let required = requires_reliable(invite);
        let wanted = self.terms_of(flow).reliable == Reliable::Required;
        if required || (wanted && supports(invite, "100rel")) {
            let first = u32::try_from(1 + self.rng.below(0x7fff_fffe)).unwrap_or(1);
            return Some(ReliableSender::new(first));
        }
        None
    }

    /// 180, or 183 with a description.
    pub(super) fn ring(&mut self, now: Instant, id: DialogId, sdp: Option<Vec<u8>>) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Stage::Ringing { tx } = dialog.stage else { return };
        if dialog.answer_waiting.is_some() {
            return;
        }
        let status = if sdp.is_some() { 183 } else { 180 };
        // RFC 3262 §5: the first reliable response to an INVITE without an offer has to make one. Where there is none to
        // make yet, those who insist on reliable ones hear nothing before the answer; the rest hear it ring as ever.
        if dialog.reliable.is_some() && dialog.offer == Offer::Nobody && sdp.is_none() {
            let insists = self.servers.get(&tx).is_some_and(|server| requires_reliable(&server.request.headers));
            if !insists {
                self.respond_in_dialog(now, tx, id, status, None);
            }
            return;
        }
        match dialog.reliable.as_mut().map(|reliable| reliable.may_send(status, sdp.as_ref())) {
            None => self.respond_in_dialog(now, tx, id, status, sdp),
            Some(true) => self.ring_reliably(now, id, tx, status, sdp),
            Some(false) => {}
        }
    }

    fn ring_reliably(&mut self, now: Instant, id: DialogId, tx: TxId, status: u16, mut sdp: Option<Vec<u8>>) {
        let Some(server) = self.servers.get(&tx) else { return };
        let (flow, cseq) = (server.flow, server.request.headers.cseq().map_or(0, |c| c.number));
        // §5: once it is answered, a description in a provisional response would be a second answer.
        if self.dialogs.get(&id).is_some_and(|d| matches!(d.offer, Offer::Settled | Offer::Ours)) {
            sdp = None;
        }
        let describes = sdp.is_some();
        let Some(mut response) = self.compose(tx, status, sdp.clone()) else { return };
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if describes {
            // It answers the caller's offer, or makes ours.
            dialog.offer = if dialog.offer == Offer::Theirs { Offer::Settled } else { Offer::Ours };
            dialog.local_sdp = sdp;
        }
        let Some(reliable) = &mut dialog.reliable else { return };
        response.headers.push("Require", "100rel");
        response.headers.push("RSeq", reliable.rseq().to_string());
        reliable.sent(now, cseq, flow, response.to_bytes(), describes);
        self.arm_dialog(id);
        self.respond(now, tx, response);
    }

    /// PRACK: 200 if it acknowledges what is on its way, 481 if not (§3).
    pub(super) fn pracked(&mut self, now: Instant, flow: Flow, key: ServerKey, request: Request, id: DialogId) {
        let Some(rack) = RAck::of(&request.headers) else {
            return self.refuse_in_dialog(now, flow, key, request, 400, None);
        };
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some(reliable) = dialog.reliable.as_mut().filter(|r| r.is_acknowledged(&rack)) else {
            return self.refuse_in_dialog(now, flow, key, request, 481, None);
        };
        let Ok(sdp) = find_sdp(&request.headers, &request.body) else {
            let accept = ("Accept", "application/sdp".to_owned());
            return self.refuse_in_dialog(now, flow, key, request, 415, Some(accept));
        };
        if sdp.is_some() && (dialog.offer == Offer::Theirs || dialog.reoffered.is_some()) {
            // Their first offer still waits for our answer.
            return self.refuse_in_dialog(now, flow, key, request, 400, None);
        }
        let next = reliable.take_next();
        let tx = self.add_server(flow, key, request, Some(id));
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        match sdp {
            Some(answer) if dialog.offer == Offer::Ours => {
                dialog.offer = Offer::Settled;
                dialog.remote_sdp = Some(answer.clone());
                self.respond_plain(now, tx, 200);
                self.event(Event::ReinviteAnswered { dialog: id, sdp: Some(answer) });
            }
            Some(offer) => {
                // §5: the answer goes into the 200.
                dialog.reoffered = Some(tx);
                self.event(Event::Reoffered { dialog: id, offer: Some(offer) });
            }
            None => self.respond_plain(now, tx, 200),
        }
        if let Some((status, sdp)) = next
            && let Some(Stage::Ringing { tx }) = self.dialogs.get(&id).map(|d| d.stage)
        {
            self.ring_reliably(now, id, tx, status, sdp);
        }
        self.arm_dialog(id);
        let waiting = self.dialogs.get_mut(&id).filter(|d| d.reliable.as_ref().is_some_and(|r| !r.holds_back_answer()));
        if let Some(sdp) = waiting.and_then(|d| d.answer_waiting.take()) {
            self.answer(now, id, sdp);
        }
    }

    /// What is due of a reliable provisional response. True if the dialog ended by that.
    pub(super) fn tend_reliable(&mut self, now: Instant, id: DialogId) -> bool {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return true };
        let (due, stage) = (dialog.reliable.as_mut().map_or(Due::Nothing, |r| r.fire(now)), dialog.stage);
        match (due, stage) {
            (Due::Repeat(flow, bytes), _) => self.transmit(flow, bytes),
            (Due::GiveUp, Stage::Ringing { tx }) => {
                // §3: the INVITE is refused with a 5xx.
                self.drop_reoffer(now, id);
                self.settle(id);
                self.respond_plain(now, tx, 504);
                self.end(now, id, EndReason::NoAck);
                return true;
            }
            _ => {}
        }
        false
    }
}
