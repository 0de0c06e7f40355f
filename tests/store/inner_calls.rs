//! Part of the contract: calls between operators.

use cordboard::base::id::{CallId, UserId};
use cordboard::domain::call::cause::Cause;
use cordboard::io::store::Store;
use cordboard::io::store::inner_calls::InnerCall;

use super::NOW;
use super::contract::{Case, with_user};

pub fn cases() -> Vec<(&'static str, Case)> {
    vec![("an_inner_call_ends_once_and_the_newest_is_listed_first", |s| Box::pin(an_inner_call_ends_once(s)))]
}

async fn write(store: &Store, call: &InnerCall) {
    let mut tx = store.write().await.unwrap();
    tx.upsert_inner_call(call).await.unwrap();
    tx.commit("test").await.unwrap();
}

async fn an_inner_call_ends_once(store: Store) {
    with_user(&store, "kim").await;
    with_user(&store, "lee").await;
    let (by, to) = (UserId::named("kim"), UserId::named("lee"));
    let begun = InnerCall { id: CallId::named("1"), by, to, started_at: NOW, answered_at: None, end: None };
    write(&store, &begun).await;
    let answered = InnerCall { answered_at: Some(NOW.plus_ms(5)), ..begun.clone() };
    write(&store, &answered).await;
    let over = InnerCall { end: Some((NOW.plus_ms(9), Cause::HungUp)), ..answered };
    write(&store, &over).await;
    // Written again, as when the store's answer was lost.
    write(&store, &begun).await;
    let later = InnerCall { id: CallId::named("2"), ..begun };
    write(&store, &later).await;
    assert_eq!(store.list_inner_calls(None, 10).await.unwrap(), [later.clone(), over.clone()]);
    assert_eq!(store.list_inner_calls(None, 1).await.unwrap(), std::slice::from_ref(&later));
    assert_eq!(store.list_inner_calls(Some(&later.id), 10).await.unwrap(), [over]);
}
