//! One of those who respond to a call out before it is answered: an early dialog (RFC 3261 §12.1), known by
//! its To-tag. A call that is forked has several; the first that answers becomes the dialog. Pure.

use super::dialog::{Dialog, Stage};
use super::message::Headers;
use super::reliable::rseq_of;
use super::words::DialogId;

/// Branches of one call that are kept; what more there are is heard, but gets no PRACK.
pub const MAX_BRANCHES: usize = 16;

/// An early dialog.
#[derive(Debug)]
pub struct Branch {
    pub tag: String,
    pub local_seq: u32,
    pub remote_seq: Option<u32>,
    /// The last reliable provisional response that was acknowledged.
    pub rseq: Option<u32>,
    /// The description that it sent.
    pub sdp: Option<Vec<u8>>,
    /// Offer and answer are through, as that came reliably.
    pub settled: bool,
    pub takes_update: bool,
    remote: String,
    route: Vec<String>,
    target: String,
}

/// What a provisional response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Sent once and no more.
    Plain,
    /// Wants a PRACK with this RSeq.
    Reliable(u32),
    /// A copy, or one that came before its time: no PRACK, no effect (RFC 3262 §4).
    Absorbed,
}

impl Branch {
    /// Begins with a response of its own tag. `dialog` is the call's, not yet anybody's.
    pub fn new(dialog: &Dialog, tag: String) -> Self {
        Self {
            tag,
            local_seq: dialog.local_seq,
            remote_seq: None,
            rseq: None,
            sdp: None,
            settled: false,
            remote: dialog.remote.clone(),
            route: Vec::new(),
            target: dialog.target.clone(),
            takes_update: false,
        }
    }

    /// Takes in a provisional response.
    pub fn hear(&mut self, dialog: &Dialog, response: &Headers) -> Heard {
        let heard = match (rseq_of(response), self.rseq) {
            (None, _) => Heard::Plain,
            (Some(rseq), Some(last)) if last.checked_add(1) != Some(rseq) => return Heard::Absorbed,
            (Some(rseq), _) => {
                self.rseq = Some(rseq);
                Heard::Reliable(rseq)
            }
        };
        let mut whole = self.dialog(dialog);
        whole.adopt(response);
        (self.remote, self.route, self.target) = (whole.remote, whole.route, whole.target);
        self.takes_update = whole.takes_update;
        heard
    }

    /// Takes over the far end's Contact.
    pub fn refresh_target(&mut self, dialog: &Dialog, headers: &Headers) {
        let mut whole = self.dialog(dialog);
        whole.refresh_target(headers);
        self.target = whole.target;
    }

    /// The call's dialog as this branch has it: for requests to it.
    pub fn dialog(&self, call: &Dialog) -> Dialog {
        let mut whole = Dialog::new(DialogId(0), call.flow, Stage::Up, call.call_id.clone(), call.local_tag.clone());
        whole.local.clone_from(&call.local);
        whole.remote.clone_from(&self.remote);
        whole.remote_tag = Some(self.tag.clone());
        whole.route.clone_from(&self.route);
        whole.target.clone_from(&self.target);
        whole.takes_update = self.takes_update;
        whole.local_seq = self.local_seq;
        whole
    }
}
