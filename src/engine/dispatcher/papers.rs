//! What the words of many attempts are made of, read in few statements, but for the dispatches, which stand as the commit that
//! handed the attempts over left them. One whose papers are not here reads them by itself, and says what is wrong with them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Dispatcher;
use super::perform::Papers;
use super::together::{Committed, Latest};
use crate::base::id::{AccountId, AttemptId, DispatchId, MessageId};
use crate::domain::account::Account;
use crate::domain::message::Message;
use crate::io::store::StoreError;

impl Dispatcher {
    /// The papers of these attempts, as far as they can be read together.
    pub(super) async fn find_all_papers(
        &self,
        attempts: &[(DispatchId, AttemptId)],
        latest: &Latest,
    ) -> HashMap<AttemptId, Papers> {
        self.read_all_papers(attempts, latest).await.unwrap_or_else(|error| {
            tracing::warn!(code = error.code(), "attempts cannot be read together: one by one");
            HashMap::new()
        })
    }

    async fn read_all_papers(
        &self,
        attempts: &[(DispatchId, AttemptId)],
        latest: &Latest,
    ) -> Result<HashMap<AttemptId, Papers>, StoreError> {
        let store = &self.inner.store;
        let states = || attempts.iter().filter_map(|(id, _)| latest.get(id)).map(|committed| &committed.state);
        let messages: BTreeSet<MessageId> = states().map(|state| state.message.clone()).collect();
        let accounts: BTreeSet<AccountId> = states().map(|state| state.account.clone()).collect();
        let messages: Vec<MessageId> = messages.into_iter().collect();
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let messages = store.find_messages(&messages).await?;
        let messages: BTreeMap<&MessageId, &Message> = messages.iter().map(|message| (&message.id, message)).collect();
        let accounts = store.find_accounts(&accounts).await?;
        let accounts: BTreeMap<&AccountId, &Account> = accounts.iter().map(|account| (&account.id, account)).collect();
        let papers = |id: &DispatchId, attempt: &AttemptId| {
            let Committed { state, protected } = latest.get(id)?;
            Some(Papers {
                attempt: state.find_attempt(attempt)?.clone(),
                message: (*messages.get(&state.message)?).clone(),
                account: (*accounts.get(&state.account)?).clone(),
                protected: *protected,
                state: state.clone(),
            })
        };
        let all = attempts.iter().filter_map(|(id, attempt)| Some((attempt.clone(), papers(id, attempt)?)));
        Ok(all.collect())
    }
}
