//! An operator has seen to an alarm that no dispatch takes back: words that nobody could place, a recap that got lost, a message that was
//! accepted and not opened.
//!
//! What always holds: who has seen to it, on the audit log and on the time line of what it is about, and that no start raises it again
//! are one commit, after which it goes; of two who see to one at once, one has.

use std::sync::PoisonError;

use super::change::Follows;
use super::town::Town;
use super::unopened::is_unopened_alarm;
use super::{Dispatcher, entries, to_its_end};
use crate::base::id::DispatchId;
use crate::domain::dispatch::event::Event;
use crate::domain::recap::read_lost_alarm;
use crate::engine::feed::{AlarmView, UserRef};
use crate::io::store::audit::{Act, Entry, Who};
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
        let mut tx = self.inner.store.write().await?;
        if let Some((provider, id)) = read_words_alarm(alarm) {
            tx.see_unplaced(provider, id).await?;
        }
        if let Some((recap, email)) = read_lost_alarm(alarm) {
            tx.see_lost_recap(&recap, &email).await?;
        }
        let by_name = by.name.clone();
        let event = match &known.dispatch {
            Some(id) if read_words_alarm(alarm).is_some() => {
                let all = !self.is_more_to_read(alarm, id);
                Some((id, Event::Dismissed { by: by_name, all }))
            }
            Some(id) if is_unopened_alarm(alarm) => Some((id, Event::UnopenedSeen { by: by_name })),
            // Nothing came in that anybody had to read.
            _ => None,
        };
        let decided = match &event {
            Some((id, event)) => self.decide_within(&mut tx, id, event).await?,
            None => None,
        };
        let object = known.message.as_ref().map_or_else(|| alarm.to_owned(), ToString::to_string);
        tx.audit(Entry::new(self.inner.clock.utc(), Who::User(by.id.clone()), Act::AlarmDismissed, object));
        tx.commit("dismissed").await?;
        self.take_back(alarm);
        self.follow_change(decided).await;
        Ok(())
    }

    /// Other words about it wait to be read.
    fn is_more_to_read(&self, alarm: &str, about: &DispatchId) -> bool {
        let alarms = self.inner.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |other: &AlarmView| other.id != alarm && read_words_alarm(&other.id).is_some();
        alarms.values().any(|other| other.dispatch.as_ref() == Some(about) && waits(other))
    }

    /// What follows from it once it is committed. None: the dispatch cannot be read, which holds up nobody who has seen to an alarm, and
    /// has one of its own.
    async fn decide_within(&self, tx: &mut Tx, id: &DispatchId, event: &Event) -> Result<Option<Follows>, StoreError> {
        let read = match tx.lock_dispatch(id).await {
            Ok(Some(read)) => read,
            Ok(None) | Err(StoreError::Corrupt { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let now = self.inner.clock.utc();
        let town = Town::load(tx, &read, None, now).await?;
        let (after, effects) = self.apply(&read.state, event, now, &town)?;
        tx.save_dispatch(&read, &after, &entries(&effects), now).await?;
        Ok(Some(Follows { id: id.clone(), written: read.r#gen + 1, after, effects }))
    }
}

/// The door and the name of what came in, if an alarm is of words that somebody is to read.
fn read_words_alarm(alarm: &str) -> Option<(&str, &str)> {
    alarm.strip_prefix("text:").or_else(|| alarm.strip_prefix("stop:"))?.split_once(':')
}
