//! What earlier starts left to be done for callers, as the store has it: whom to ring back, and what the desks were told that is
//! not over. Read once, before calls are taken in; `engine/calls` sees to it.

use std::collections::HashMap;

use crate::base::clock::UtcMs;
use crate::base::id::AccountId;
use crate::domain::account::Account;
use crate::domain::call::abandoned::LATELY_MS;
use crate::engine::calls::callbacks::NOT_REACHED;
use crate::io::store::callbacks::Callback;
use crate::io::store::calls::CallRecord;
use crate::io::store::check_in::WRONG_PINS_COUNT_MS;
use crate::io::store::{Store, StoreError};

/// Calls, and for whom the callers called.
pub(super) type WithAccounts = Vec<(CallRecord, String)>;

/// What accounts are called.
async fn names(store: &Store) -> Result<HashMap<AccountId, String>, StoreError> {
    Ok(store.list_accounts().await?.into_iter().map(|account| (account.id, account.name)).collect())
}

/// Callers of earlier starts whose alarm nobody has seen to, and those that the last one left on the line.
pub(super) async fn to_ring_back(store: &Store, now: UtcMs) -> Result<(WithAccounts, WithAccounts), StoreError> {
    let names = names(store).await?;
    let since = now.plus_ms(-LATELY_MS);
    let waiting = with_names(store, &names, store.list_calls_to_ring_back(since).await?).await?;
    let cut_off = with_names(store, &names, store.list_unfinished_calls().await?).await?;
    Ok((waiting, cut_off))
}

/// Callers of earlier starts who were joined with another call and cut off in that, and whose alarm nobody has seen to.
pub(super) async fn joined(store: &Store, now: UtcMs) -> Result<WithAccounts, StoreError> {
    let names = names(store).await?;
    let calls = store.list_joined_calls_to_ring_back(now.plus_ms(-LATELY_MS)).await?;
    with_names(store, &names, calls).await
}

/// Each under the name of the account whose call it was in the end: the record has the one that was called, and an operator may
/// have changed it since.
async fn with_names(
    store: &Store,
    names: &HashMap<AccountId, String>,
    calls: Vec<CallRecord>,
) -> Result<WithAccounts, StoreError> {
    let mut named = Vec::with_capacity(calls.len());
    for call in calls {
        let account = store.find_account_of_call(&call.id).await?.unwrap_or_else(|| call.account.clone());
        let name = names.get(&account).cloned().unwrap_or_default();
        named.push((call, name));
    }
    Ok(named)
}

/// Callers who were promised to be called back, and whom they had called.
pub(super) async fn promised(store: &Store) -> Result<Vec<(Callback, Account)>, StoreError> {
    let accounts: HashMap<_, _> = store.list_accounts().await?.into_iter().map(|a| (a.id.clone(), a)).collect();
    let with_account = |callback: Callback| accounts.get(&callback.account).cloned().map(|account| (callback, account));
    Ok(store.list_open_callbacks().await?.into_iter().filter_map(with_account).collect())
}

/// Callers who were promised it and not reached, whom nobody has seen to, and whom they had called.
pub(super) async fn unreached(store: &Store, now: UtcMs) -> Result<Vec<(Callback, String)>, StoreError> {
    let names = names(store).await?;
    let mut callbacks = store.list_callbacks_to_see_to(now.plus_ms(-LATELY_MS)).await?;
    callbacks.retain(|callback| callback.end.as_ref().is_some_and(|end| end.outcome == NOT_REACHED));
    let with_name = |callback: Callback| {
        let name = names.get(&callback.account).cloned().unwrap_or_default();
        (callback, name)
    };
    Ok(callbacks.into_iter().map(with_name).collect())
}

/// Calls of the last hour in which one wrong PIN too many was tried, and whose line that was.
pub(super) async fn guessed(store: &Store, now: UtcMs) -> Result<WithAccounts, StoreError> {
    let names = names(store).await?;
    let calls = store.list_calls_that_locked_pins(now.plus_ms(-WRONG_PINS_COUNT_MS)).await?;
    let with_name = |call: CallRecord| {
        let name = names.get(&call.account).cloned().unwrap_or_default();
        (call, name)
    };
    Ok(calls.into_iter().map(with_name).collect())
}
