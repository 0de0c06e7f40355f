//! What earlier starts left to be done for callers, as the store has it: whom to ring back, and what the desks were told that is
//! not over. Read once, before calls are taken in; `engine/calls` sees to it.

use std::collections::HashMap;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId};
use crate::domain::account::Account;
use crate::domain::call::abandoned::LATELY_MS;
use crate::engine::calls::callbacks::NOT_REACHED;
use crate::io::store::callbacks::Callback;
use crate::io::store::calls::{CallEventRecord, CallRecord};
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

/// Of calls that a crash cut off: the callers of other calls who were joined with them then. Their own calls were over.
pub(super) async fn joined_in(store: &Store, cut_off: &WithAccounts) -> Result<WithAccounts, StoreError> {
    let mut callers = Vec::new();
    for (call, _) in cut_off {
        match joined_with(store, &call.id).await {
            Ok(caller) => callers.extend(caller),
            // No start waits for one record that cannot be read.
            Err(error) => {
                tracing::error!(code = error.code(), "who was joined with a call that was cut off is not known")
            }
        }
    }
    with_names(store, &names(store).await?, callers).await
}

/// The caller who was in this call to its end, unless they are on record as lost already.
async fn joined_with(store: &Store, call: &CallId) -> Result<Option<CallRecord>, StoreError> {
    let Some(other) = find_joined(&store.list_call_events(call).await?) else { return Ok(None) };
    if store.list_call_events(&other).await?.iter().any(|event| event.kind == "abandoned") {
        return Ok(None);
    }
    store.find_call(&other).await
}

/// The call whose caller was in this one to its end.
fn find_joined(events: &[CallEventRecord]) -> Option<CallId> {
    const OVER: [&str; 4] = ["patch_over", "contact_left", "patch_cancelled", "patch_failed"];
    let at = events.iter().rposition(|event| event.kind == "call_taken_in")?;
    if events[at + 1..].iter().any(|event| OVER.contains(&event.kind.as_str())) {
        return None;
    }
    serde_json::from_value(events[at].body["call"].clone()).ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::call::cause::Cause;
    use crate::domain::call::event::RecordEvent;

    fn record(events: &[RecordEvent]) -> Vec<CallEventRecord> {
        let written = events.iter().map(|event| serde_json::to_value(event).expect("it is written like this"));
        let kind = |body: &serde_json::Value| body["kind"].as_str().expect("each has one").to_owned();
        written.map(|body| CallEventRecord { seq: 0, at: UtcMs(0), kind: kind(&body), body }).collect()
    }

    #[test]
    fn a_caller_who_was_taken_into_a_call_is_in_it_until_its_record_says_otherwise() {
        let number = crate::base::phone::PhoneNumber::parse("+12025550160").expect("a number");
        let call = CallId::named("2");
        let taken = RecordEvent::CallTakenIn { call: call.clone(), contact: None, number };
        let left = RecordEvent::ContactLeft { why: Cause::HungUp };
        let over = RecordEvent::PatchOver { ms: 1, alone_ms: 0 };
        assert_eq!(find_joined(&record(&[taken.clone(), RecordEvent::PatchJoined])), Some(call));
        assert_eq!(find_joined(&record(&[taken.clone(), left])), None);
        assert_eq!(find_joined(&record(&[taken, RecordEvent::PatchJoined, over])), None);
        assert_eq!(find_joined(&record(&[RecordEvent::PatchJoined])), None);
    }
}
