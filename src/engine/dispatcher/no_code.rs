//! A code that is nobody's of theirs: whoever texts `2ok` and has nothing open with a 2 hears that nothing was confirmed by it.
//!
//! No dispatch is about it, so the answer goes by its edge alone, under an attempt's identifier that no dispatch knows. What always
//! holds: contacts alone are answered, but for those who asked for no texts, and no number is more often than by the other answers;
//! that it was is stored first, so that after a crash none is answered twice.

use super::Dispatcher;
use super::perform::Flight;
use crate::base::id::AttemptId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, Destination, Reach};
use crate::domain::dispatch::confirm::{MAX_HELP_REPLIES, Reply};
use crate::io::deliver::{Delivery, TextMessage};
use crate::io::store::StoreError;

impl Dispatcher {
    /// What a number is answered that has nothing open, if that is to be said: it texted a code.
    pub(super) async fn no_such_code(&self, from: &PhoneNumber, body: &str) -> Result<Option<TextMessage>, StoreError> {
        let Reply::Code(code) = Reply::parse(body) else { return Ok(None) };
        let store = &self.inner.store;
        let people = store.list_contacts_by_phone(from).await?;
        let stopped = |d: &Destination| d.blocked && matches!(&d.reach, Reach::Phone(number) if number == from);
        if people.iter().flat_map(|person| &person.destinations).any(stopped) {
            return Ok(None);
        }
        let Some(person) = people.first() else { return Ok(None) };
        let Some(account) = store.find_account(&person.account).await? else { return Ok(None) };
        if store.count_help_replies(from).await? >= MAX_HELP_REPLIES {
            return Ok(None);
        }
        let attempt = AttemptId::fresh(self.inner.clock.utc());
        let (own, body) = (account.own_numbers(), words(&account, code));
        Ok(Some(TextMessage { attempt, to: from.clone(), own, from: None, body }))
    }

    /// Sends such an answer. Does not wait for it: an operator reads what they wrote in any case.
    pub(super) fn answer_no_code(&self, answer: TextMessage) {
        let (own, flight) = (self.clone(), Flight::start(self, answer.attempt.clone()));
        tokio::spawn(async move {
            if let Delivery::Failed { why, .. } = own.send_text(&answer).await.delivery {
                tracing::warn!(%why, "an answer to a code that is nobody's was not taken");
            }
            drop(flight);
        });
    }
}

fn words(account: &Account, code: u16) -> String {
    format!(
        "{}: you have no open message with the code {code}, so nothing was confirmed. An operator will read your text.",
        account.name
    )
}
