//! Transfers asked for by the far end: REFER with the NOTIFYs that tell how it goes (RFC 3515), and INVITEs
//! that replace a dialog (RFC 3891). The transfer itself is the driver's.
//!
//! Only where [`AgentConfig::transfers`](super::AgentConfig) says so; else every REFER gets 603.

use std::time::Instant;

use super::super::dialog::{Dialog, Referral, Stage};
use super::super::message::{Headers, Method, Request};
use super::super::refer::{ReferTo, Replaces, sipfrag};
use super::super::words::{DialogId, Event, Flow};
use super::{Agent, ServerKey};

/// How long a transfer may be under way before its end is told, in seconds; for Subscription-State only.
const PATIENCE: u32 = 180;

impl Agent {
    pub(super) fn refer(&mut self, now: Instant, flow: Flow, key: ServerKey, request: Request, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if !self.config.transfers || dialog.stage != Stage::Up || dialog.is_closing() {
            return self.refuse_in_dialog(now, flow, key, request, 603, None);
        }
        let Some(ReferTo { target, replaces }) = ReferTo::of(&request.headers) else {
            return self.refuse_in_dialog(now, flow, key, request, 400, None);
        };
        if dialog.referral.is_some() {
            return self.refuse_in_dialog(now, flow, key, request, 491, None);
        }
        let number = request.headers.cseq().map_or(0, |c| c.number);
        let tx = self.add_server(flow, key, request, Some(id));
        if let Some(dialog) = self.dialogs.get_mut(&id) {
            dialog.referral = Some(Referral { tx: Some(tx), id: number });
        }
        self.arm_dialog(id);
        self.event(Event::Refer { dialog: id, target: Box::new(target), replaces: replaces.map(Box::new) });
    }

    /// The owner sets about it: 202, and the first NOTIFY (RFC 3515 §2.4.4).
    pub(super) fn accept_refer(&mut self, now: Instant, id: DialogId) {
        let referral = self.dialogs.get_mut(&id).and_then(|d| d.referral.as_mut());
        let Some(tx) = referral.and_then(|r| r.tx.take()) else { return };
        if let Some(response) = self.compose(tx, 202, None) {
            self.respond(now, tx, response);
        }
        self.notify(now, id, 100);
    }

    /// How it goes: a status below 200, or what came of it in the end.
    pub(super) fn report_refer(&mut self, now: Instant, id: DialogId, status: u16) {
        self.accept_refer(now, id);
        self.notify(now, id, status);
    }

    pub(super) fn refuse_refer(&mut self, now: Instant, id: DialogId, status: u16) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if let Some(Referral { tx: Some(tx), .. }) = dialog.referral.take_if(|r| r.tx.is_some()) {
            self.respond_plain(now, tx, status.clamp(300, 699));
        }
    }

    fn notify(&mut self, now: Instant, id: DialogId, status: u16) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some(referral) = dialog.referral else { return };
        let over = status >= 200;
        // §2.4.6: the first transfer of a dialog needs no id, and some phones know none.
        let event = if dialog.referred { format!("refer;id={}", referral.id) } else { "refer".to_owned() };
        if over {
            dialog.referral = None;
            dialog.referred = true;
        }
        dialog.local_seq += 1;
        let Some(dialog) = self.dialogs.get(&id) else { return };
        let Some(mut request) = dialog.request(Method::NOTIFY, dialog.local_seq) else { return };
        let flow = self.way_to(dialog);
        let state = if over { "terminated;reason=noresource".to_owned() } else { format!("active;expires={PATIENCE}") };
        request.headers.push("Contact", Self::contact(&flow, request.uri.secure));
        request.headers.push("Event", event);
        request.headers.push("Subscription-State", state);
        request.headers.push("User-Agent", &self.config.user_agent);
        request.headers.push("Content-Type", "message/sipfrag;version=2.0");
        request.body = sipfrag(status);
        self.send(now, flow, request, None);
    }

    /// The dialog that an INVITE is to take the place of; the status to refuse with, if there is none.
    pub(super) fn named_by_replaces(&self, invite: &Headers) -> Result<Option<DialogId>, u16> {
        if !self.config.transfers || invite.count("Replaces") == 0 {
            return Ok(None);
        }
        let [one] = invite.all("Replaces").collect::<Vec<_>>()[..] else { return Err(400) };
        let named = Replaces::parse(one).ok_or(400_u16)?;
        let dialog = self.find_replaced(&named).ok_or(481_u16)?;
        match dialog.stage {
            // RFC 3891 §3: an early dialog may be taken over only from the side that made it.
            Stage::Ringing { .. } => Err(481),
            Stage::Up if dialog.is_closing() => Err(603),
            Stage::Up if named.early_only => Err(486),
            Stage::Calling { .. } | Stage::Up => Ok(Some(dialog.id)),
        }
    }

    /// A dialog of ours by all three of its ids (RFC 3891 §3). For a driver that attends to a transfer.
    pub fn find_by_replaces(&self, named: &Replaces) -> Option<DialogId> {
        self.find_replaced(named).map(|d| d.id)
    }

    fn find_replaced(&self, named: &Replaces) -> Option<&Dialog> {
        let key = (named.call_id.clone(), named.to_tag.clone());
        let dialog = self.dialogs.get(self.dialog_keys.get(&key)?)?;
        let same = match &dialog.remote_tag {
            Some(tag) => *tag == named.from_tag,
            None => dialog.branches.iter().any(|b| b.tag == named.from_tag),
        };
        same.then_some(dialog)
    }
}
