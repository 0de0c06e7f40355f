//! Held messages that an operator reads out. What is read by telephone comes in by the same door (`engine/calls/check_in`).

use super::{Decided, Dispatcher, Settles, to_its_end};
use crate::base::id::{AccountId, DispatchId};
use crate::domain::dispatch::event::Event;
use crate::engine::feed::DispatchView;
use crate::io::store::StoreError;
use crate::io::store::inbound::{Arrival, CHECK_INS};

impl Dispatcher {
    /// The operator `by` has read a held message out to `who`, all of this edition. Says whether it changed anything; it
    /// does not if the message is another by now.
    pub async fn read_out(&self, id: &DispatchId, who: &str, by: &str, edition: u32) -> Result<Decided, StoreError> {
        let (who, by, edition) = (who.to_owned(), Some(by.to_owned()), Some(edition));
        let event = Event::ReadAtCheckIn { who: who.clone(), by: by.clone(), edition };
        let what = Arrival::ReadAtCheckIn { dispatch: id.clone(), who, by, edition };
        let inbound = self.inbound(CHECK_INS, &self.fresh_name(), what);
        let (own, id) = (self.clone(), id.clone());
        to_its_end(async move {
            own.insert(&inbound).await?;
            own.decide(&id, &event, Settles::Arrival(&inbound, "read_at_check_in")).await
        })
        .await
    }

    /// The messages of an account that can be read at check-in, the one held longest first.
    pub async fn list_held_views(&self, account: &AccountId) -> Result<Vec<DispatchView>, StoreError> {
        let mut views = Vec::new();
        for id in self.inner.store.list_held_dispatches(account).await? {
            views.extend(self.find_readable_view(&id).await?);
        }
        Ok(views)
    }
}
