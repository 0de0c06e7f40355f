//! Messages, those that are changed too, and the lines of status boards.

use cordboard::base::id::{StatusId, UserId};
use cordboard::domain::message::Message;
use cordboard::domain::message::edition::Change;
use cordboard::domain::message::trigger::Grading;
use cordboard::io::store::messages::MessageFilter;
use cordboard::io::store::status::StatusLine;
use cordboard::io::store::{Store, StoreError};

use super::NOW;
use super::contract::{account, call, message, number, with_account, with_user};

pub async fn messages_are_sealed_and_paged(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let mut tx = store.write().await.unwrap();
    for n in 1..=4 {
        tx.insert_message(&message(n)).await.unwrap();
    }
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_message(&message(1).id).await.unwrap(), Some(message(1)));

    let all = MessageFilter::default();
    let page = store.list_messages(&all, None, 3).await.unwrap();
    assert_eq!(page, vec![message(4), message(3), message(2)]);
    assert_eq!(store.list_messages(&all, Some(&page[2].id), 3).await.unwrap(), vec![message(1)]);
    let caller = number("+12025550150");
    let filter = MessageFilter {
        account: Some(account().id),
        caller: Some(caller.clone()),
        call: Some(call(1).id),
        ..MessageFilter::default()
    };
    assert_eq!(store.list_messages(&filter, None, 10).await.unwrap(), vec![message(4), message(2), message(1)]);
    assert_eq!(store.count_messages_by_caller(&account().id, &caller).await.unwrap(), 3);

    // Nobody reads the answers or the number without the key.
    let row = store.fetch_all("SELECT sealed, caller_index FROM message", Vec::new()).await.unwrap().remove(0);
    let sealed: Vec<u8> = row.read("sealed").unwrap();
    let index: String = row.read("caller_index").unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("Pat"));
    assert!(!index.contains("5550150"));
    // A sealed value opens in its own row only.
    let mut tx = store.write().await.unwrap();
    let moved = "UPDATE message SET sealed = (SELECT sealed FROM message WHERE id = 'msg_001') WHERE id = 'msg_002'";
    tx.execute(moved, Vec::new()).await.unwrap();
    assert!(matches!(tx.find_message(&message(2).id).await, Err(StoreError::Unsealed)));
    drop(tx);

    let mut tx = store.write().await.unwrap();
    assert!(tx.withdraw_message(&message(4).id, NOW).await.unwrap());
    assert!(!tx.withdraw_message(&message(4).id, NOW).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_messages(&all, None, 1).await.unwrap(), vec![message(3)]);
    assert_eq!(store.count_messages_by_caller(&account().id, &caller).await.unwrap(), 2);
    assert_eq!(store.find_message(&message(4).id).await.unwrap(), Some(message(4)));
}

fn changed(before: &Message, name: &str) -> Message {
    let mut after = before.clone();
    after.answers.insert("name".into(), name.into());
    after.edition += 1;
    let unsent = Some("said by telephone".to_owned()).filter(|_| after.edition.is_multiple_of(2));
    after.changed = Some(Change { by: UserId::named("kim"), at: NOW.plus_secs(i64::from(after.edition)), unsent });
    after
}

pub async fn a_changed_message_keeps_what_it_was(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let first = message(1);
    let mut tx = store.write().await.unwrap();
    tx.insert_message(&first).await.unwrap();
    tx.commit("test").await.unwrap();

    let second = changed(&first, "Pat Two");
    let mut third = changed(&second, "Pat Three");
    third.caller = None;
    let mut tx = store.write().await.unwrap();
    assert!(tx.change_message(&second).await.unwrap());
    assert!(!tx.change_message(&second).await.unwrap(), "it is no longer the one before");
    assert!(tx.change_message(&third).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_message(&first.id).await.unwrap(), Some(third.clone()));
    assert_eq!(store.list_earlier_editions(&first.id).await.unwrap(), [first.clone(), second]);
    let by_caller = MessageFilter { caller: first.caller.clone(), ..MessageFilter::default() };
    assert!(store.list_messages(&by_caller, None, 9).await.unwrap().is_empty(), "found by what it is now");

    // What was taken back is not changed.
    let mut tx = store.write().await.unwrap();
    tx.withdraw_message(&first.id, NOW).await.unwrap();
    assert!(!tx.change_message(&changed(&third, "Pat Four")).await.unwrap());
    tx.insert_message(&message(2)).await.unwrap();
    tx.commit("test").await.unwrap();

    let lowered =
        |since| MessageFilter { graded: Some(Grading::Lowered), taken_since: Some(since), ..MessageFilter::default() };
    assert_eq!(store.list_messages(&lowered(NOW), None, 9).await.unwrap(), [message(2)]);
    assert!(store.list_messages(&lowered(NOW.plus_ms(1)), None, 9).await.unwrap().is_empty());
}

pub async fn status_lines_end(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let line = |name: &str, secs: i64, until: Option<i64>| StatusLine {
        id: StatusId::named(name),
        account: account().id,
        text: format!("Dr {name} is late"),
        made_by: UserId::named("kim"),
        made_at: NOW.plus_secs(secs),
        until: until.map(|secs| NOW.plus_secs(secs)),
    };
    let (first, second) = (line("a", 0, Some(100)), line("b", 1, None));
    let mut tx = store.write().await.unwrap();
    tx.insert_status(&first).await.unwrap();
    tx.insert_status(&second).await.unwrap();
    tx.commit("test").await.unwrap();
    let up = async |secs: i64| store.list_status(&account().id, NOW.plus_secs(secs)).await.unwrap();
    assert_eq!(up(99).await, [second.clone(), first.clone()]);
    assert_eq!(up(100).await, std::slice::from_ref(&second));
    assert_eq!(store.list_all_status(NOW).await.unwrap(), [second.clone(), first]);
    let mut tx = store.write().await.unwrap();
    assert!(tx.end_status(&second.id, &UserId::named("kim"), NOW).await.unwrap());
    assert!(!tx.end_status(&second.id, &UserId::named("kim"), NOW).await.unwrap());
    tx.commit("test").await.unwrap();
    assert!(up(200).await.is_empty());
    assert_eq!(store.find_status(&second.id).await.unwrap(), Some(second), "over, and not forgotten");
    let row = store.fetch_all("SELECT sealed FROM status_line", Vec::new()).await.unwrap().remove(0);
    assert!(!String::from_utf8_lossy(&row.read::<Vec<u8>>("sealed").unwrap()).contains("late"), "it may name people");
}
