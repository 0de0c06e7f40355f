//! What a client listens to before they approve it: what callers of their account hear, and nothing else.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, UserId};
use cordboard::domain::account::Speech;
use cordboard::engine::calls::greetings::{GreetingBook, Greetings as _, Spoken};
use cordboard::io::media::Prompt;
use serde_json::{Value, json};

use crate::portal::{HERE, client};
use crate::support::{House, START};

/// A recording of the account that is `samples` long, by its name.
async fn recorded(house: &House, samples: usize) -> String {
    let (account, by) = (AccountId::named("plumbing"), UserId::named("sam"));
    let prompt = Arc::new(Prompt::from_pcm(vec![1_000; samples]));
    let spoken = Spoken { account, by, at: UtcMs(1_000), prompt };
    let book = GreetingBook::new(house.front.store.clone(), Arc::clone(&house.front.voice));
    book.keep(&spoken).await.expect("kept").recording
}

#[tokio::test]
async fn a_client_hears_the_recordings_that_they_approve_and_no_other() {
    let house = House::new().await;
    let (greeting, unused) = (recorded(&house, 16_000).await, recorded(&house, 8_000).await);
    let mut account = house.store.find_account(&AccountId::named("plumbing")).await.expect("a store").expect("there");
    account.greeting = Speech::Uploaded { recording: greeting };
    let mut tx = house.store.write().await.expect("the store writes");
    tx.upsert_account(&account, START).await.expect("an account");
    tx.commit("test").await.expect("committed");

    let path = format!("{HERE}/greetings");
    let pat = client(&house, "pat", &["settings"]).await;
    let listed = house.fetch(&path, &pat).await.json()["items"].clone();
    let usual = json!({"at": "/greeting", "title": "The usual greeting", "recorded": true, "words": Value::Null});
    assert_eq!(listed[0], usual, "{listed}");
    assert_eq!((&listed[1]["at"], &listed[1]["words"]), (&json!("/apology"), &json!("We are sorry.")), "{listed}");

    let sound = |at: &str| format!("{path}/sound?at={at}");
    let heard = house.fetch(&sound("/greeting"), &pat).await;
    assert_eq!(heard.status, StatusCode::OK);
    assert_eq!(heard.headers[header::CONTENT_TYPE], "audio/wav");
    assert_eq!(hound::WavReader::new(&heard.body[..]).expect("a WAV file").duration(), 16_000);
    // A recording that no caller hears is not listened to, by whatever it is asked for.
    for nothing in ["/nowhere", "/status_greeting", unused.as_str()] {
        assert_eq!(house.fetch(&sound(nothing), &pat).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    // What the voice says anew each time is heard ten times a minute; a recording costs it nothing.
    for _ in 0..10 {
        assert_eq!(house.fetch(&sound("/apology"), &pat).await.status, StatusCode::OK);
    }
    assert_eq!(house.fetch(&sound("/apology"), &pat).await.problem(), "speech.too_many");
    assert_eq!(house.fetch(&sound("/greeting"), &pat).await.status, StatusCode::OK);
    // Who may not read the scripts does not hear them.
    let ann = client(&house, "ann", &["messages", "recordings"]).await;
    for asked in [path.clone(), sound("/greeting")] {
        assert_eq!(house.fetch(&asked, &ann).await.problem(), "portal.right");
    }
}
