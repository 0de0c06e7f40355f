//! Greetings that people speak in by telephone.

use cordboard::base::id::UserId;
use cordboard::domain::account::{AnswerPhrase, Speech, StatusGreeting};
use cordboard::io::store::Store;
use cordboard::io::store::greetings::AccountRecording;

use super::NOW;
use super::contract::{account, with_account, with_user};

pub async fn spoken_in_by_telephone(store: Store) {
    with_account(&store).await;
    with_user(&store, "kim").await;
    let id = account().id;
    let made = |name: &str, secs: i64| AccountRecording {
        recording: name.to_owned(),
        millis: 2_500,
        made_by: UserId::named("kim"),
        made_at: NOW.plus_secs(secs),
    };
    let names = async || {
        let made = store.list_account_recordings(&id).await.unwrap();
        made.into_iter().map(|made| made.recording).collect::<Vec<_>>()
    };
    let mut tx = store.write().await.unwrap();
    tx.insert_account_recording(&id, &made("old", 1)).await.unwrap();
    tx.insert_account_recording(&id, &made("new", 2)).await.unwrap();
    // The same sound again.
    tx.insert_account_recording(&id, &made("old", 3)).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_account_recordings(&id).await.unwrap()[0], made("old", 3));
    assert_eq!(names().await, ["old", "new"]);
    let mut tx = store.write().await.unwrap();
    assert!(tx.delete_account_recording(&id, "old").await.unwrap());
    assert!(!tx.delete_account_recording(&id, "old").await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(names().await, ["new"]);

    let status = |name: &str, secs: i64| StatusGreeting {
        speech: Speech::Uploaded { recording: name.to_owned() },
        // One was spoken in, the other written.
        words: (name == "storm").then(|| "Closed by the storm.".to_owned()),
        by: "Ada".to_owned(),
        at: NOW.plus_secs(secs),
        until: (name == "ice").then(|| NOW.plus_secs(60)),
    };
    let up = async || store.find_account(&id).await.unwrap().unwrap().status_greeting;
    assert_eq!(up().await, None);
    for (name, secs) in [("ice", 1), ("storm", 2)] {
        let mut tx = store.write().await.unwrap();
        tx.insert_status_greeting(&id, name, &status(name, secs)).await.unwrap();
        tx.commit("test").await.unwrap();
        assert_eq!(up().await, Some(status(name, secs)), "the last one is heard, alone");
    }
    // Whoever writes the account writes its settings: what plays stays.
    let mut tx = store.write().await.unwrap();
    tx.upsert_account(&account(), NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(up().await, Some(status("storm", 2)));
    // Words that lie in another row's place cannot be opened: the greeting is heard without, and no account is hidden by it.
    let mut tx = store.write().await.unwrap();
    let moved = "UPDATE status_greeting SET made_at = made_at + 1 WHERE ended_at IS NULL";
    tx.execute(moved, Vec::new()).await.unwrap();
    tx.commit("test").await.unwrap();
    let without = StatusGreeting { words: None, at: NOW.plus_secs(2).plus_ms(1), ..status("storm", 2) };
    assert_eq!(up().await, Some(without));
    assert!(store.list_accounts().await.unwrap().iter().any(|account| account.id == id));
    let mut tx = store.write().await.unwrap();
    assert!(tx.end_status_greeting(&id, "Kim", NOW.plus_secs(3)).await.unwrap());
    assert!(!tx.end_status_greeting(&id, "Kim", NOW.plus_secs(3)).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(up().await, None);

    let phrases = async || store.find_account(&id).await.unwrap().unwrap().answer_phrases;
    let phrase = |name: &str| AnswerPhrase {
        operator: UserId::named("kim"),
        speech: Speech::Uploaded { recording: name.to_owned() },
        millis: 2_500,
    };
    for name in ["first", "second"] {
        let mut tx = store.write().await.unwrap();
        tx.set_answer_phrase(&id, &UserId::named("kim"), &made(name, 4)).await.unwrap();
        tx.commit("test").await.unwrap();
        assert_eq!(phrases().await, [phrase(name)], "one for each operator");
    }
    let mut tx = store.write().await.unwrap();
    assert!(tx.remove_answer_phrase(&id, &UserId::named("kim")).await.unwrap());
    assert!(!tx.remove_answer_phrase(&id, &UserId::named("kim")).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(phrases().await, []);
}
