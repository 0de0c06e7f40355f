//! One request that comes by several ways (RFC 3261 §8.2.2.2): a carrier that forks to two addresses of ours, or sends an
//! INVITE once more with a branch of its own. It is one call, and one greeting: the second is told 482.
//!
//! Only a call that rings or is up stands in the way. One that was refused may be tried again by another way, and one
//! whose connection was lost while it rang makes room for the one that comes after it.

use std::time::Instant;

use super::super::dialog::{Stage, TxId};
use super::super::message::Headers;
use super::super::words::DialogId;
use super::Agent;

/// What is equal in each: Call-ID, From tag, CSeq.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Names {
    call_id: String,
    from_tag: String,
    cseq: u32,
}

impl Names {
    /// `None` for an RFC 2543 client, who has no From tag: two calls of one might look the same.
    pub(super) fn of(invite: &Headers) -> Option<Self> {
        let from_tag = Some(invite.from_tag()).filter(|tag| !tag.is_empty())?;
        Some(Self { call_id: invite.call_id().to_owned(), from_tag, cseq: invite.cseq()?.number })
    }
}

impl Agent {
    /// Whether this INVITE, of no transaction that is known, is one that has come by another way.
    pub(super) fn is_merged(&mut self, now: Instant, names: Option<&Names>) -> bool {
        let Some(dialog) = names.and_then(|names| self.ongoing(names)) else { return false };
        let lost =
            self.dialogs.get(&dialog).is_some_and(|d| matches!(d.stage, Stage::Ringing { .. }) && d.lost_at.is_some());
        if lost {
            self.lost_for_good(now, dialog);
        }
        !lost
    }

    fn ongoing(&self, names: &Names) -> Option<DialogId> {
        let tx: &TxId = self.invites.get(names)?;
        self.servers.get(tx)?.dialog.filter(|dialog| self.dialogs.contains_key(dialog))
    }
}
