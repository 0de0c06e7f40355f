//! A message that is changed: its dispatch is told in the transaction that changes it, and what follows is done after
//! the commit.

use super::{Dispatcher, Town, entries, to_its_end};
use crate::base::id::DispatchId;
use crate::domain::account::Account;
use crate::domain::dispatch::apply;
use crate::domain::dispatch::event::{Effect, Event, OperatorAct};
use crate::domain::dispatch::state::State;
use crate::domain::message::Message;
use crate::io::store::{StoreError, Tx};

/// What follows from a change once it is committed.
#[derive(Debug)]
pub struct Follows {
    pub(super) id: DispatchId,
    /// How often it has been written by then.
    pub(super) written: i64,
    pub(super) after: State,
    pub(super) effects: Vec<Effect>,
}

impl Dispatcher {
    /// Tells the dispatch of a message, in the transaction that changes it to `message`, that it is another now; with
    /// `again` its steps begin anew. One that was not dispatched until now is, if its call type is.
    ///
    /// # Errors
    /// The store's; the transaction is then to be given up.
    pub async fn change(
        &self,
        tx: &mut Tx,
        message: &Message,
        account: &Account,
        by: &str,
        again: bool,
    ) -> Result<Option<Follows>, StoreError> {
        let Some(id) = tx.find_dispatch_of_message(&message.id).await? else {
            if again {
                self.open(tx, message, account).await?;
            }
            return Ok(None);
        };
        let now = self.inner.clock.utc();
        let Some(read) = tx.lock_dispatch(&id).await? else { return Ok(None) };
        let protocol = match account.call_types.iter().find(|t| t.id == message.call_type) {
            Some(call_type) => match &call_type.protocol {
                Some(protocol) => tx.find_protocol(protocol).await?,
                None => None,
            },
            // Retired since: it goes on by the protocol that it began with.
            None => Some(read.state.protocol.clone()),
        };
        let town = Town::load(tx, &read, protocol.as_ref(), now).await?;
        let unsent = message.changed.as_ref().and_then(|change| change.unsent.clone());
        let act = OperatorAct::Change { urgency: message.urgency, protocol: protocol.map(Box::new), again, unsent };
        let (after, effects) = apply(&read.state, &Event::Operator { by: by.to_owned(), act }, now, &town);
        tx.save_dispatch(&read, &after, &entries(&effects), now).await?;
        Ok(Some(Follows { id, written: read.r#gen + 1, after, effects }))
    }

    /// Does what follows from a change that is committed, to its end whoever waits for it.
    pub async fn follow_change(&self, follows: Option<Follows>) {
        let own = self.clone();
        to_its_end(async move {
            if let Some(Follows { id, written, after, effects }) = follows {
                own.line_up(&[(&after, &effects)]).await;
                own.show_all(&[(written, &after)]);
                own.follow(&id, effects).await;
            }
            own.wake();
        })
        .await;
    }
}
