//! Before a call out is answered: provisional responses, of as many branches as it was forked to, and the
//! PRACKs for those that want one (RFC 3262 §4). None of them is an answer.

use std::time::Instant;

use super::super::dialog::{Stage, TxId};
use super::super::early::{Branch, Heard, MAX_BRANCHES};
use super::super::message::body::find_sdp;
use super::super::message::{Method, Response};
use super::super::words::{DialogId, Event};
use super::{Agent, Client, ClientKind};

impl Agent {
    pub(super) fn invite_progress(&mut self, now: Instant, tx: TxId, response: &Response) {
        if let Some(Client { kind: ClientKind::Invite { cancel_wanted, .. }, .. }) = self.clients.get_mut(&tx)
            && std::mem::take(cancel_wanted)
        {
            return self.send_cancel(now, tx);
        }
        let Some(dialog) = self.clients.get(&tx).and_then(|c| c.dialog).and_then(|id| self.dialogs.get_mut(&id)) else {
            return;
        };
        if dialog.stage != (Stage::Calling { tx, canceling: false }) {
            return;
        }
        let id = dialog.id;
        if response.status == 100 {
            // Somebody is there, whatever becomes of the call.
            return self.event(Event::Progress { dialog: id, status: 100, sdp: None });
        }
        let sdp = find_sdp(&response.headers, &response.body).ok().flatten();
        let status = response.status;
        // A response without a tag makes no dialog (§12.1); it still says that something rings.
        let Some(tag) = response.headers.to_tag() else {
            return self.event(Event::Progress { dialog: id, status, sdp });
        };
        let mut branch = match dialog.branches.iter().position(|b| b.tag == tag) {
            // RFC 6228: this branch is over, others may go on.
            Some(at) if status == 199 => {
                dialog.branches.swap_remove(at);
                return;
            }
            Some(at) => dialog.branches.swap_remove(at),
            None if dialog.branches.len() < MAX_BRANCHES => Branch::new(dialog, tag),
            None => return self.event(Event::Progress { dialog: id, status, sdp }),
        };
        let before = branch.rseq;
        let heard = branch.hear(dialog, &response.headers);
        let asks = dialog.late_offer && !branch.settled;
        match (heard, sdp) {
            (Heard::Absorbed, _) => self.keep_branch(id, branch),
            (Heard::Plain, sdp) => {
                if sdp.is_some() && !branch.settled {
                    branch.sdp.clone_from(&sdp);
                }
                self.keep_branch(id, branch);
                self.event(Event::Progress { dialog: id, status, sdp });
            }
            (Heard::Reliable(_), Some(_)) if asks && dialog.owes_answer() => {
                // One at a time: it comes again, since it gets no PRACK now.
                branch.rseq = before;
                self.keep_branch(id, branch);
            }
            (Heard::Reliable(rseq), Some(offer)) if asks => {
                let rack = rack(rseq, response);
                dialog.prack_owed = Some((branch.tag.clone(), rack));
                branch.sdp = Some(offer.clone());
                self.keep_branch(id, branch);
                self.event(Event::Progress { dialog: id, status, sdp: None });
                self.event(Event::Reoffered { dialog: id, offer: Some(offer) });
            }
            (Heard::Reliable(rseq), sdp) => {
                if sdp.is_some() && !dialog.late_offer {
                    // §5: it is the answer, and no other will follow.
                    branch.settled = true;
                    branch.sdp.clone_from(&sdp);
                }
                self.send_prack(now, id, branch, &rack(rseq, response), None);
                self.event(Event::Progress { dialog: id, status, sdp });
            }
        }
    }

    /// The far end leaves one branch of a call out, by a BYE in its early dialog. True if others go on, and it with
    /// them.
    pub(super) fn branch_left(&mut self, now: Instant, id: DialogId, tag: &str) -> bool {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return false };
        let Some(at) = dialog.branches.iter().position(|b| b.tag == tag) else { return false };
        if !matches!(dialog.stage, Stage::Calling { .. }) || dialog.branches.len() == 1 {
            return false;
        }
        dialog.branches.swap_remove(at);
        // Its offer of a while ago is nobody's: the answer to it will find no branch.
        let open = dialog.reoffered.and_then(|tx| self.servers.get(&tx));
        if open.is_some_and(|server| server.request.headers.from_tag() == tag) {
            self.drop_reoffer(now, id);
        }
        true
    }

    fn keep_branch(&mut self, id: DialogId, branch: Branch) {
        if let Some(dialog) = self.dialogs.get_mut(&id) {
            dialog.branches.push(branch);
        }
    }

    fn send_prack(&mut self, now: Instant, id: DialogId, mut branch: Branch, rack: &str, answer: Option<Vec<u8>>) {
        let Some(dialog) = self.dialogs.get(&id) else { return };
        branch.local_seq += 1;
        let (whole, seq, stage) = (branch.dialog(dialog), branch.local_seq, dialog.stage);
        self.keep_branch(id, branch);
        let Some(mut prack) = whole.request(Method::PRACK, seq) else { return };
        prack.headers.push("RAck", rack);
        prack.headers.push("User-Agent", &self.config.user_agent);
        if let Some(sdp) = answer {
            prack.headers.push("Content-Type", "application/sdp");
            prack.body = sdp;
        }
        let flow = self.way_to(&whole);
        self.send(now, flow, prack, Some(id));
        if let Stage::Calling { tx, .. } = stage
            && let Some(Client { kind: ClientKind::Invite { last_seq, .. }, .. }) = self.clients.get_mut(&tx)
        {
            *last_seq = seq.max(*last_seq);
        }
    }

    /// The owner has answered an offer that came with a reliable provisional response: the answer goes with
    /// the PRACK. Refused, the call is given up: a PRACK cannot say no.
    pub(super) fn answer_early_offer(&mut self, now: Instant, id: DialogId, answer: Option<Vec<u8>>) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        let Some((tag, rack)) = dialog.prack_owed.take() else { return };
        let Some(at) = dialog.branches.iter().position(|b| b.tag == tag) else { return };
        let Some(answer) = answer else { return self.cancel(now, id) };
        let mut branch = dialog.branches.swap_remove(at);
        branch.settled = true;
        dialog.local_sdp = Some(answer.clone());
        self.send_prack(now, id, branch, &rack, Some(answer));
    }
}

/// RAck for a response (§7.2).
fn rack(rseq: u32, response: &Response) -> String {
    format!("{rseq} {} INVITE", response.headers.cseq().map_or(0, |c| c.number))
}
