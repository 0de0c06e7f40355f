//! Part of the contract: the alarm chain.

use cordboard::base::id::AlarmChainId;
use cordboard::domain::alarm::{Kind, Plan, Standing, State, advance};
use cordboard::io::store::{Store, StoreError};

use super::NOW;
use super::contract::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    vec![("one_alarm_chain_stands_at_a_time", |s| Box::pin(one_alarm_chain_stands_at_a_time(s)))]
}

fn begun(name: &str) -> State {
    let standing = Standing::from([("trunks_down".to_owned(), Kind::House)]);
    advance(&State::new(AlarmChainId::named(name), NOW), &Plan::default(), &standing, &[], NOW).0
}

async fn one_alarm_chain_stands_at_a_time(store: Store) {
    assert!(store.find_alarm_chain().await.unwrap().is_none());
    let first = begun("one");
    let mut tx = store.write().await.unwrap();
    tx.save_alarm_chain(None, &first, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let mut tx = store.write().await.unwrap();
    let second = tx.save_alarm_chain(None, &begun("two"), NOW).await;
    assert!(matches!(second, Err(StoreError::Conflict { .. })), "{second:?}");
    tx.rollback().await.unwrap();

    let read = store.find_alarm_chain().await.unwrap().unwrap();
    assert_eq!(read.state, first);
    let (over, _) = advance(&first, &Plan::default(), &Standing::new(), &[], NOW);
    let mut tx = store.write().await.unwrap();
    tx.lock_alarm_chain().await.unwrap().unwrap();
    tx.save_alarm_chain(Some(&read), &over, NOW).await.unwrap();
    // Whoever has not read the latest writes nothing.
    let stale = tx.save_alarm_chain(Some(&read), &first, NOW).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "{stale:?}");
    tx.commit("test").await.unwrap();
    assert!(store.find_alarm_chain().await.unwrap().is_none(), "it is over");

    let mut tx = store.write().await.unwrap();
    tx.save_alarm_chain(None, &begun("two"), NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_alarm_chain().await.unwrap().unwrap().state.id, AlarmChainId::named("two"));
    assert_eq!(store.find_most_overdue(NOW).await.unwrap(), None);
    assert!(store.list_dispatches_in_need().await.unwrap().is_empty());
}
