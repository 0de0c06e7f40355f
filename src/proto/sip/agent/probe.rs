//! Asking the far end of a dialog whether it is still there: an OPTIONS inside the dialog (RFC 3261 §11, §12.2).
//!
//! Any answer but 481 and 408 says yes, a refusal or a challenge too. No answer within [`PROBE_LIMIT`] ends the dialog with
//! a BYE, in case it is only deaf. One probe at a time for each dialog; none before it is up.

use std::time::{Duration, Instant};

use super::super::dialog::{Stage, TxId};
use super::super::message::Method;
use super::super::transaction::Effects;
use super::super::words::{DialogId, EndReason};
use super::{Agent, Client, ClientKind};

/// How long a far end may take to answer, which has been silent for as long already: half of Timer F (RFC 3261 §17.1.2.2),
/// and over UDP it is asked six times by then.
const PROBE_LIMIT: Duration = Duration::from_secs(15);

impl Agent {
    pub(super) fn probe(&mut self, now: Instant, id: DialogId) {
        let Some(dialog) = self.dialogs.get_mut(&id) else { return };
        if dialog.probe.is_some() || dialog.stage != Stage::Up || dialog.is_closing() {
            return;
        }
        dialog.local_seq += 1;
        let Some(dialog) = self.dialogs.get(&id) else { return };
        let Some(mut options) = dialog.request(Method::OPTIONS, dialog.local_seq) else { return };
        let flow = self.way_to(dialog);
        options.headers.push("Contact", Self::contact(&flow, options.uri.secure));
        options.headers.push("Accept", "application/sdp");
        options.headers.push("User-Agent", &self.config.user_agent);
        let tx = self.send(now, flow, options, Some(id));
        if let Some(dialog) = self.dialogs.get_mut(&id) {
            dialog.probe = Some(tx);
        }
        if let Some(Client { kind: ClientKind::Other(machine), .. }) = self.clients.get_mut(&tx) {
            machine.give_up_by(now + PROBE_LIMIT);
        }
        self.apply_client(tx, Effects::default());
    }

    /// The dialog that a transaction of ours probes.
    fn probed(&self, tx: TxId) -> Option<DialogId> {
        let dialog = self.clients.get(&tx)?.dialog?;
        self.dialogs.get(&dialog).is_some_and(|d| d.probe == Some(tx)).then_some(dialog)
    }

    /// What a final answer to a probe says.
    pub(super) fn probe_answered(&mut self, now: Instant, tx: TxId, status: u16) {
        if matches!(status, 408 | 481)
            && let Some(dialog) = self.probed(tx)
        {
            self.end(now, dialog, EndReason::Timeout);
        }
    }

    /// A transaction of ours got no answer at all.
    pub(super) fn probe_unanswered(&mut self, now: Instant, tx: TxId) {
        if let Some(dialog) = self.probed(tx) {
            self.send_bye(now, dialog, &[]);
            self.end(now, dialog, EndReason::Timeout);
        }
    }
}
