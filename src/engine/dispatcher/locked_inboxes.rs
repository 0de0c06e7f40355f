//! The warning that too many wrong PINs were tried at somebody's inbox: on every desk, and again after a start.
//!
//! What is kept of it is the audit log alone: that it was locked is there before the desks are told, and so is that an operator has seen
//! to it. What always holds: as long as no PIN is taken there, no start loses the warning, and none brings back what was seen to.

use super::Dispatcher;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::{Account, Contact};
use crate::engine::feed::AlarmLevel;
use crate::io::store::StoreError;
use crate::io::store::audit::{Act, AuditFilter};

/// So long no PIN is taken where too many were wrong.
const LOCKED_MS: i64 = 3_600_000;
/// Warned of again after a start at most.
const MOST: u32 = 100;

impl Dispatcher {
    /// Tells the desks. That it was locked at `at` is on the audit log.
    pub fn alarm_of_locked_inbox(&self, account: &Account, contact: &Contact, at: UtcMs) {
        let text = format!(
            "{}: too many wrong PINs at the inbox of {}. For an hour none is taken on that device or by that link. If it was \
             not them, take their devices away.",
            account.name, contact.name
        );
        self.raise_since(at, alarm_id(&contact.id, at), AlarmLevel::Warning, text, None, None);
    }

    /// Warnings that stood before a start.
    pub(super) async fn recall_locked_inboxes(&self, now: UtcMs) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let act = Some(Act::InboxLocked.as_str().to_owned());
        let locked = AuditFilter { act, since: Some(now.plus_ms(-LOCKED_MS)), ..AuditFilter::default() };
        for row in store.list_audit(&locked, None, MOST).await? {
            let Ok(id) = row.object.parse::<ContactId>() else { continue };
            let act = Some(Act::AlarmDismissed.as_str().to_owned());
            let seen = AuditFilter { act, object: Some(alarm_id(&id, row.at)), ..AuditFilter::default() };
            if !store.list_audit(&seen, None, 1).await?.is_empty() {
                continue;
            }
            let Some(contact) = store.find_contact(&id).await? else { continue };
            if let Some(account) = store.find_account(&contact.account).await? {
                self.alarm_of_locked_inbox(&account, &contact, row.at);
            }
        }
        Ok(())
    }
}

fn alarm_id(contact: &ContactId, at: UtcMs) -> String {
    format!("inbox_pins:{contact}:{at}")
}
