//! An operator has seen to an alarm that no dispatch takes back: words that nobody could place, a recap that got lost, a message that was
//! accepted and not opened.
//!
//! What always holds: who has seen to it, on the audit log and on the time line of what it is about, and that no start raises it again
//! are one commit, after which it goes; of two who see to one at once, one has.

use std::sync::PoisonError;

use super::town::Town;
use super::unopened::read_alarm;
use super::{Dispatcher, entries, to_its_end};
use crate::base::id::DispatchId;
use crate::domain::dispatch::event::{Entry, Event, Note};
use crate::domain::dispatch::state::State;
use crate::domain::recap::read_lost_alarm;
use crate::engine::feed::UserRef;
use crate::io::store::audit::{self, Act, Who};
use crate::io::store::{StoreError, Tx};

impl Dispatcher {
    /// `by` has seen to an alarm. Nothing is done about one that is gone, or that its dispatch takes back.
    ///
    /// # Errors
    /// The store's; nothing is written down, and the alarm stays.
    pub async fn silence(&self, alarm: &str, by: &UserRef) -> Result<(), StoreError> {
        let (own, alarm, by) = (self.clone(), alarm.to_owned(), by.clone());
        to_its_end(async move { own.silence_now(&alarm, &by).await }).await
    }

    async fn silence_now(&self, alarm: &str, by: &UserRef) -> Result<(), StoreError> {
        // Whoever comes second waits, and finds it gone; or there, where the first could not store it.
        let _turn = self.inner.seeing_to.lock().await;
        let known = self.inner.alarms.lock().unwrap_or_else(PoisonError::into_inner).get(alarm).cloned();
        let Some(known) = known.filter(|known| known.dismissible) else { return Ok(()) };
        let now = self.inner.clock.utc();
        let mut tx = self.inner.store.write().await?;
        let text = alarm.strip_prefix("text:").or_else(|| alarm.strip_prefix("stop:"));
        if let Some((provider, id)) = text.and_then(|name| name.split_once(':')) {
            tx.see_unplaced(provider, id).await?;
        }
        if let Some((recap, email)) = read_lost_alarm(alarm) {
            tx.see_lost_recap(&recap, &email).await?;
        }
        let opened = match read_alarm(alarm) {
            Some(id) => self.see_unopened(&mut tx, &id).await?,
            None => None,
        };
        if let Some(dispatch) = &known.dispatch {
            let note = Note::Dismissed { by: by.name.clone() };
            tx.note_on_dispatch(dispatch, &Entry { at: now, who: Some(by.name.clone()), note }).await?;
        }
        let object = known.message.map_or_else(|| alarm.to_owned(), |message| message.to_string());
        tx.audit(audit::Entry::new(now, Who::User(by.id.clone()), Act::AlarmDismissed, object));
        tx.commit("dismissed").await?;
        self.take_back(alarm);
        match (&opened, &known.dispatch) {
            (Some((written, after)), _) => self.show_all(&[(*written, after)]),
            (None, Some(dispatch)) => self.show_locked(std::slice::from_ref(dispatch)).await,
            (None, None) => {}
        }
        Ok(())
    }

    /// What the dispatch is from then on, and how often it is written by that.
    async fn see_unopened(&self, tx: &mut Tx, id: &DispatchId) -> Result<Option<(i64, State)>, StoreError> {
        let Some(read) = tx.lock_dispatch(id).await? else { return Ok(None) };
        let now = self.inner.clock.utc();
        let town = Town::load(tx, &read, None, now).await?;
        let (after, effects) = self.apply(&read.state, &Event::UnopenedSeen, now, &town)?;
        tx.save_dispatch(&read, &after, &entries(&effects), now).await?;
        Ok(Some((read.r#gen + 1, after)))
    }
}
