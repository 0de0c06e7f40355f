//! Part of the contract: sessions and their refresh tokens.

use cordboard::base::clock::UtcMs;
use cordboard::io::store::Store;
use cordboard::io::store::sessions::{Refreshed, SESSION_MS};
use secrecy::SecretString;

use super::NOW;
use super::contract::{Case, secret, user, with_user};

/// The cases of this file by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("a_refresh_token_works_once", |s| Box::pin(a_refresh_token_works_once(s))),
        ("a_lost_answer_to_a_refresh_does_not_end_the_session", |s| {
            Box::pin(a_lost_answer_to_a_refresh_does_not_end_the_session(s))
        }),
    ]
}

async fn refresh(store: &Store, token: &SecretString, now: UtcMs) -> Refreshed {
    let mut tx = store.write().await.unwrap();
    let refreshed = tx.refresh_session(token, now).await.unwrap();
    tx.commit("test").await.unwrap();
    refreshed
}

async fn a_refresh_token_works_once(store: Store) {
    with_user(&store, "kim").await;
    let mut tx = store.write().await.unwrap();
    let (session, first) = tx.open_session(&user("kim").id, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert!(store.find_session(&session.id).await.unwrap().expect("is there").is_live(NOW));

    let Refreshed::Renewed { token: second, user: who, .. } = refresh(&store, &first, NOW.plus_secs(60)).await else {
        panic!("a fresh token is good");
    };
    assert_eq!(who, user("kim"));
    assert!(matches!(refresh(&store, &secret("made up"), NOW).await, Refreshed::Refused));
    // The first comes again though its successor was used: somebody has stolen it. Nothing of this session works any more.
    let Refreshed::Renewed { token: third, .. } = refresh(&store, &second, NOW.plus_secs(65)).await else {
        panic!("so is the next");
    };
    assert!(matches!(refresh(&store, &first, NOW.plus_secs(70)).await, Refreshed::Reused { .. }));
    assert!(matches!(refresh(&store, &third, NOW.plus_secs(80)).await, Refreshed::Refused));
    assert!(!store.find_session(&session.id).await.unwrap().expect("is there").is_live(NOW.plus_secs(80)));

    let mut tx = store.write().await.unwrap();
    let (_, old) = tx.open_session(&user("kim").id, NOW).await.unwrap();
    let (closed, token) = tx.open_session(&user("kim").id, NOW).await.unwrap();
    assert!(tx.revoke_session(&closed.id, "signed out", NOW).await.unwrap());
    assert!(!tx.revoke_session(&closed.id, "signed out", NOW).await.unwrap());
    tx.commit("test").await.unwrap();
    assert!(matches!(refresh(&store, &token, NOW).await, Refreshed::Refused));
    assert!(matches!(refresh(&store, &old, NOW.plus_ms(SESSION_MS)).await, Refreshed::Refused));
}

async fn a_lost_answer_to_a_refresh_does_not_end_the_session(store: Store) {
    with_user(&store, "kim").await;
    let mut tx = store.write().await.unwrap();
    let (_, first) = tx.open_session(&user("kim").id, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let renewed = async |token: &SecretString, secs: i64| match refresh(&store, token, NOW.plus_secs(secs)).await {
        Refreshed::Renewed { token, .. } => token,
        other => panic!("{other:?} after {secs} s"),
    };
    // The line breaks twice before an answer comes back.
    let lost = renewed(&first, 10).await;
    renewed(&first, 15).await;
    let second = renewed(&first, 20).await;
    let third = renewed(&second, 600).await;
    // Much later it is no lost answer.
    assert!(matches!(refresh(&store, &second, NOW.plus_secs(700)).await, Refreshed::Reused { .. }));
    assert!(matches!(refresh(&store, &third, NOW.plus_secs(710)).await, Refreshed::Refused));

    // Whoever has the answer that was taken for lost ends the session of whoever asked again.
    let mut tx = store.write().await.unwrap();
    let (_, first) = tx.open_session(&user("kim").id, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let stolen = renewed(&first, 10).await;
    let second = renewed(&first, 15).await;
    assert!(matches!(refresh(&store, &stolen, NOW.plus_secs(16)).await, Refreshed::Reused { .. }));
    assert!(matches!(refresh(&store, &second, NOW.plus_secs(17)).await, Refreshed::Refused));
    assert!(matches!(refresh(&store, &lost, NOW.plus_secs(18)).await, Refreshed::Refused | Refreshed::Reused { .. }));
}
