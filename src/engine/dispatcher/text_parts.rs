//! Long texts that come in as parts (SMPP): each is stored as it comes, and the text is made of them once all are there, or after
//! a while of those that came, with a mark where one is missing: half a text is read by an operator, and none is lost.

use super::arrivals::cut;
use super::{Dispatcher, StoreError};
use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::io::store::inbound::{Arrival, Inbound};
use crate::proto::sms::parts::Place;

/// How long the rest of a text is waited for.
const WAIT_MS: i64 = 60_000;
/// In place of a part that did not come.
const MISSING: &str = " [...] ";

impl Dispatcher {
    /// Takes a part of a text that came in; a repeat of the provider's is absorbed.
    ///
    /// # Errors
    /// The store's; nothing was taken.
    pub async fn take_text_part(
        &self,
        provider: &str,
        id: &str,
        from: PhoneNumber,
        to: Option<PhoneNumber>,
        body: String,
        place: Place,
    ) -> Result<(), StoreError> {
        let Place { reference, of, number } = place;
        let body = cut(&body);
        self.arrive(provider, id, Arrival::TextPart { from, to, body, reference, of, number }).await
    }

    /// Makes a text of its parts if they are all there, or have been waited for long enough. Else they stay as they are, and
    /// are looked at again.
    pub(super) async fn join_parts(
        &self,
        part: &Inbound,
        from: &PhoneNumber,
        to: Option<&PhoneNumber>,
        (reference, of): (u16, u8),
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let mut parts = Vec::new();
        for row in self.inner.store.list_waiting_text_parts(from).await? {
            match &row.what {
                Arrival::TextPart { to: its_to, body, reference: its, of: its_of, number, .. }
                    if row.provider == part.provider && (its_to.as_ref(), *its, *its_of) == (to, reference, of) =>
                {
                    parts.push((*number, body.clone(), row));
                }
                _ => {}
            }
        }
        let Some(oldest) = parts.iter().map(|(_, _, row)| row).min_by_key(|row| row.received_at) else {
            return Ok(());
        };
        let whole = (1..=of).all(|n| parts.iter().any(|(number, ..)| *number == n));
        if !whole && now.since(oldest.received_at) < WAIT_MS {
            return Ok(());
        }
        let words = |n| parts.iter().find(|(number, ..)| *number == n).map_or(MISSING, |(_, body, _)| body.as_str());
        let text = Inbound {
            provider: part.provider.clone(),
            provider_msg_id: format!("parts:{}", oldest.provider_msg_id),
            received_at: oldest.received_at,
            what: Arrival::Text { from: from.clone(), to: to.cloned(), body: (1..=of).map(words).collect() },
        };
        let mut tx = self.inner.store.write().await?;
        let mut ours = tx.insert_inbound(&text).await?;
        for (_, _, row) in &parts {
            ours &= tx.settle_inbound(row, "joined", now).await?;
        }
        if !ours {
            // Somebody else has made the text.
            return tx.rollback().await;
        }
        tx.commit("join").await?;
        // It waits among what came in.
        self.wake();
        Ok(())
    }
}
