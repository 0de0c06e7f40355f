//! What people write from their inboxes, for operators to read.
//!
//! The words themselves stand on the time line of their message (`domain/dispatch`), sealed in the store. What always holds: an alarm of
//! them leads to the message though its dispatch is over.

use super::Dispatcher;
use super::unplaced::{named, or_without};
use crate::base::id::DispatchId;
use crate::engine::feed::AlarmLevel;
use crate::io::store::StoreError;
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
        let view = or_without(self.find_readable_view(dispatch).await);
        let message = view.as_ref().map(|view| view.message.clone());
        let now = self.inner.clock.utc();
        let about = view.map_or_else(String::new, |view| format!(" about {}", named(view, now)));
        let text = format!("{name} wrote from the inbox{about}: \u{201c}{body}\u{201d}");
        let id = format!("text:{}:{}", inbound.provider, inbound.provider_msg_id);
        self.raise_since(inbound.received_at, id, AlarmLevel::Warning, text, Some(dispatch.clone()), message);
        Ok(())
    }
}
