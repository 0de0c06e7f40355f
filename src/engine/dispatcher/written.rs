//! What people write from their inboxes, for operators to read; and that one of them has seen to what came in.
//!
//! The words themselves stand on the time line of their message (`domain/dispatch`), sealed in the store. What always holds: an alarm of
//! them leads to the message though its dispatch is over; who took an alarm off the desks is on record before it goes.

use std::sync::PoisonError;

use super::Dispatcher;
use super::unplaced::named;
use crate::base::id::DispatchId;
use crate::domain::dispatch::event::{Entry, Note};
use crate::engine::feed::{AlarmLevel, UserRef};
use crate::io::store::StoreError;
use crate::io::store::audit::{self, Act, Who};
use crate::io::store::inbound::Inbound;

impl Dispatcher {
    /// For the desks alone: holds what somebody wrote, all of it. Whoever has seen to it takes it back like a text.
    pub(super) async fn alarm_of_reply(
        &self,
        inbound: &Inbound,
        dispatch: &DispatchId,
        name: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        let view = self.find_readable_view(dispatch).await?;
        let message = view.as_ref().map(|view| view.message.clone());
        let about = view.map(named).map_or_else(String::new, |about| format!(" about {about}"));
        let text = format!("{name} wrote from the inbox{about}: \u{201c}{body}\u{201d}");
        let id = format!("text:{}:{}", inbound.provider, inbound.provider_msg_id);
        self.raise_since(inbound.received_at, id, AlarmLevel::Warning, text, Some(dispatch.clone()), message);
        Ok(())
    }

    /// Writes down that `by` has seen to an alarm that no cause takes back: on the audit log, and on the time line of what it is
    /// about. [`Dispatcher::silence`] takes it back after that.
    ///
    /// # Errors
    /// The store's; nothing is written down.
    pub async fn note_dismissed(&self, alarm: &str, by: &UserRef) -> Result<(), StoreError> {
        let known = self.inner.alarms.lock().unwrap_or_else(PoisonError::into_inner).get(alarm).cloned();
        let Some(known) = known.filter(|known| known.dismissible) else { return Ok(()) };
        let now = self.inner.clock.utc();
        let object = known.message.map_or_else(|| alarm.to_owned(), |message| message.to_string());
        let mut tx = self.inner.store.write().await?;
        if let Some(dispatch) = &known.dispatch {
            let note = Note::Dismissed { by: by.name.clone() };
            tx.note_on_dispatch(dispatch, &Entry { at: now, who: Some(by.name.clone()), note }).await?;
        }
        tx.audit(audit::Entry::new(now, Who::User(by.id.clone()), Act::AlarmDismissed, object));
        tx.commit("dismissed").await?;
        if let Some(dispatch) = &known.dispatch {
            self.show_locked(std::slice::from_ref(dispatch)).await;
        }
        Ok(())
    }
}
