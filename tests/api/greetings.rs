//! Greetings spoken in by telephone: who may ask for it, the list, and a status greeting that is listened to and taken down.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, UserId};
use cordboard::domain::account::Speech;
use cordboard::engine::calls::greetings::{GreetingBook, Greetings as _, Spoken, Status};
use cordboard::io::media::Prompt;
use cordboard::io::store::audit::Who;
use serde_json::{Value, json};

use crate::audit::{row, rows};
use crate::support::House;

const ACCOUNT: &str = "/api/v1/accounts/acc_plumbing";

fn book(house: &House) -> GreetingBook {
    GreetingBook::new(house.front.store.clone(), Arc::clone(&house.front.voice))
}

fn prompt() -> Arc<Prompt> {
    Arc::new(Prompt::from_pcm(vec![1_000; 16_000]))
}

#[tokio::test]
async fn an_editor_is_rung_and_what_was_kept_is_chosen_from_a_list() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let by_phone = format!("{ACCOUNT}/recordings/by_phone");
    assert_eq!(house.ask(Method::POST, &by_phone, &kim, json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.ask(Method::POST, &by_phone, &sam, json!({})).await.status, StatusCode::ACCEPTED);
    assert_eq!(*house.told.dictated.lock().expect("no panic"), [AccountId::named("plumbing")]);
    let nobodys = "/api/v1/accounts/acc_nobody/recordings/by_phone";
    assert_eq!(house.ask(Method::POST, nobodys, &sam, json!({})).await.status, StatusCode::NOT_FOUND);

    let recordings = format!("{ACCOUNT}/recordings");
    assert_eq!(house.fetch(&recordings, &sam).await.json(), json!({"items": []}));
    let spoken =
        Spoken { account: AccountId::named("plumbing"), by: UserId::named("sam"), at: UtcMs(1_000), prompt: prompt() };
    let kept = book(&house).keep(&spoken).await.expect("kept");
    let listed = house.fetch(&recordings, &sam).await.json()["items"].clone();
    let speech = json!({"kind": "uploaded", "recording": kept.recording});
    assert_eq!((&listed[0]["speech"], &listed[0]["millis"], &listed[0]["at"]), (&speech, &json!(2_000), &json!(1_000)));
    assert_eq!(listed[0]["by"]["id"], "usr_sam");
    let heard = house.ask(Method::POST, "/api/v1/speech/listen", &sam, speech).await;
    assert_eq!(hound::WavReader::new(&heard.body[..]).expect("a WAV file").duration(), 16_000);
    let one = format!("{recordings}/{}", kept.recording);
    assert_eq!(house.ask(Method::DELETE, &one, &sam, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.ask(Method::DELETE, &one, &sam, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.fetch(&recordings, &sam).await.json(), json!({"items": []}));
}

/// A WAV file with so many seconds of a sine between two of silence.
fn words(secs: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut out = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut out, spec).expect("memory");
    for n in 0..8_000 * (secs + 4) {
        let loud = if (16_000..16_000 + 8_000 * secs).contains(&n) { 8_000.0 } else { 0.0 };
        let sample = (f64::from(n) * 440.0 * std::f64::consts::TAU / 8_000.0).sin() * loud;
        writer.write_sample(sample as i16).expect("memory");
    }
    writer.finalize().expect("memory");
    out.into_inner()
}

#[tokio::test]
async fn an_operator_records_the_answer_phrase_in_her_own_voice_hears_it_and_deletes_it() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let path = format!("{ACCOUNT}/answer_phrase");
    let set = async |wav: Vec<u8>| {
        let request = Request::builder().method(Method::PUT).uri(&path).header(header::CONTENT_TYPE, "audio/wav");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {kim}"));
        house.send(request.body(Body::from(wav)).expect("a request")).await
    };
    let got = set(words(2)).await;
    assert_eq!(got.status, StatusCode::OK, "{:?}", String::from_utf8_lossy(&got.body));
    let millis = got.json()["millis"].as_u64().expect("a length");
    assert!((2_000..2_600).contains(&millis), "the silence is gone: {millis}");
    assert_eq!(house.fetch(ACCOUNT, &lee).await.json()["answer_phrases"], json!([got.json()]), "the pop knows of it");
    let sound = format!("{path}/sound");
    assert_eq!(house.fetch(&sound, &kim).await.status, StatusCode::OK);
    assert_eq!(house.fetch(&sound, &lee).await.status, StatusCode::NOT_FOUND, "lee has none");
    for bad in [words(0), words(16)] {
        let got = set(bad).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "answer_phrase.nothing"));
    }
    assert_eq!(house.ask(Method::DELETE, &path, &lee, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.ask(Method::DELETE, &path, &kim, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch(ACCOUNT, &kim).await.json()["answer_phrases"], json!([]));
}

#[tokio::test]
async fn a_status_greeting_is_on_the_account_heard_at_the_desk_and_taken_down_there() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let sound = format!("{ACCOUNT}/status_greeting/sound");
    assert_eq!(house.fetch(&sound, &kim).await.status, StatusCode::NOT_FOUND);
    let at = house.front.clock.utc();
    let account = AccountId::named("plumbing");
    let until = Some(at.plus_secs(60));
    let status = Status {
        account: account.clone(),
        by: "Ada".into(),
        proven: Who::Account(account.clone()),
        at,
        until,
        prompt: prompt(),
    };
    let before = house.fetch(ACCOUNT, &kim).await.json()["edition"].as_u64();
    let (up, _) = book(&house).put_up(&status).await.expect("stored");
    assert!(matches!(up.speech, Speech::Uploaded { .. }));
    let shown = house.fetch(ACCOUNT, &kim).await.json();
    assert_eq!((&shown["status_greeting"]["by"], &shown["status_greeting"]["at"]), (&json!("Ada"), &json!(at.0)));
    assert!(shown["edition"].as_u64() > before, "consoles see that the account is another");
    let heard = house.fetch(&sound, &kim).await;
    assert_eq!(hound::WavReader::new(&heard.body[..]).expect("a WAV file").duration(), 16_000);
    let down = house.ask(Method::DELETE, &format!("{ACCOUNT}/status_greeting"), &kim, Value::Null).await;
    assert_eq!(down.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch(ACCOUNT, &kim).await.json()["status_greeting"], Value::Null);
    assert_eq!(house.fetch(&sound, &kim).await.status, StatusCode::NOT_FOUND);
    let noted = [
        row("acc_plumbing", "status_greeting.put_up", "acc_plumbing"),
        row("usr_kim", "status_greeting.taken_down", "acc_plumbing"),
    ];
    assert_eq!(rows(&house, "act=status_greeting").await, noted);
}
