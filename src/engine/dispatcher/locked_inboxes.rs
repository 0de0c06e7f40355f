//! The warning that too many wrong PINs were tried at somebody's inbox: on every desk, and again after a start.
//!
//! What is kept of it is the audit log alone: that it was locked is there before the desks are told, and so is that an operator has seen
//! to it. What always holds: for an hour from when it was locked no start loses the warning, though whose inbox it is cannot be read, and
//! none brings back what was seen to.

use super::Dispatcher;
use super::unplaced::or_without;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::{Account, Contact};
use crate::engine::feed::AlarmLevel;
use crate::io::store::StoreError;
use crate::io::store::audit::{Act, AuditFilter};
use crate::io::store::check_in::WRONG_PINS_COUNT_MS;

/// Warned of again after a start at most.
const MOST: u32 = 100;

impl Dispatcher {
    /// Tells the desks. That it was locked at `at` is on the audit log.
    pub fn alarm_of_locked_inbox(&self, account: &Account, contact: &Contact, at: UtcMs) {
        let text = words(Some(account), Some(contact));
        self.raise_since(at, alarm_id(&contact.id, at), AlarmLevel::Warning, text, None, None);
    }

    /// Warnings that stood before a start.
    pub(super) async fn recall_locked_inboxes(&self, now: UtcMs) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let act = Some(Act::InboxLocked.as_str().to_owned());
        let locked = AuditFilter { act, since: Some(now.plus_ms(-WRONG_PINS_COUNT_MS)), ..AuditFilter::default() };
        for row in store.list_audit(&locked, None, MOST).await? {
            let Ok(id) = row.object.parse::<ContactId>() else { continue };
            let act = Some(Act::AlarmDismissed.as_str().to_owned());
            let seen = AuditFilter { act, object: Some(alarm_id(&id, row.at)), ..AuditFilter::default() };
            if !store.list_audit(&seen, None, 1).await?.is_empty() {
                continue;
            }
            let contact = match store.find_contact(&id).await {
                // They are gone, and their inbox with them.
                Ok(None) => continue,
                read => or_without(read),
            };
            let account = match &contact {
                Some(contact) => or_without(store.find_account(&contact.account).await),
                None => None,
            };
            let text = words(account.as_ref(), contact.as_ref());
            self.raise_since(row.at, alarm_id(&id, row.at), AlarmLevel::Warning, text, None, None);
        }
        Ok(())
    }
}

/// What the desks are told; of one that cannot be read as much as is known.
fn words(account: Option<&Account>, contact: Option<&Contact>) -> String {
    let what = match (account, contact) {
        (Some(account), Some(contact)) => {
            format!("{}: too many wrong PINs at the inbox of {}", account.name, contact.name)
        }
        (_, Some(contact)) => format!("Too many wrong PINs at the inbox of {}", contact.name),
        (_, None) => "Too many wrong PINs at an inbox that cannot be read".to_owned(),
    };
    format!(
        "{what}. For an hour none is taken on that device or by that link. If it was not them, take their devices away."
    )
}

fn alarm_id(contact: &ContactId, at: UtcMs) -> String {
    format!("inbox_pins:{contact}:{at}")
}
