//! Recordings at the front door: who may listen, that it is written down, the WAV itself, parts of it, and what is said
//! of a file that somebody has altered.

use std::io::Cursor;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use cordboard::base::id::{AccountId, CallId, UserId};
use cordboard::domain::call::cause::Cause;
use cordboard::engine::calls::{Command, RecordingCommand};
use cordboard::io::recording::Kind;
use cordboard::io::store::calls::{CallEnd, CallRecord, Direction, NewCallEvent};
use serde_json::{Value, json};

use crate::support::{Got, House, START, Told, number};

const FRAME: usize = 160;

/// A call that kim took, recorded: two seconds of sound, one of pause.
pub async fn recorded(house: &House) -> CallId {
    let call = CallId::named("recorded");
    let end = CallEnd {
        answered_at: Some(START),
        ended_at: START.plus_secs(3),
        outcome: "taken".into(),
        cause: Cause::HungUp,
        operator: Some(UserId::named("kim")),
    };
    let record = CallRecord {
        id: call.clone(),
        account: AccountId::named("plumbing"),
        direction: Direction::In,
        trunk: "test".into(),
        did: Some(number("+12025550102")),
        remote: Some(number("+12025550188")),
        forwarded_from: None,
        started_at: START,
        end: Some(end),
    };
    let mut tx = house.store.write().await.expect("the store writes");
    tx.insert_call(&record).await.expect("inserted");
    tx.commit("test").await.expect("committed");
    let mut tap = house.recordings.begin(&call);
    for _ in 0..100 {
        tap.beat(&[1_000; FRAME], &[-3_000; FRAME]);
    }
    tap.set(Kind::Paused);
    for _ in 0..50 {
        tap.beat(&[1_000; FRAME], &[-3_000; FRAME]);
    }
    drop(tap);
    for _ in 0..1_000 {
        if house.recordings.is_idle() {
            return call;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the recording was not written within 10 s");
}

async fn part(house: &House, token: &str, range: &str) -> Got {
    let request = Request::builder()
        .uri("/api/v1/calls/call_recorded/recording")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::RANGE, range);
    house.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn whoever_may_hears_a_stereo_wav_and_it_is_written_down() {
    let house = House::new().await;
    recorded(&house).await;
    let path = "/api/v1/calls/call_recorded/recording";
    let (kim, lee, sam) = (house.sign_in("kim").await, house.sign_in("lee").await, house.sign_in("sam").await);
    let got = house.fetch(path, &lee).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "recording.not_yours"));
    assert_eq!(house.fetch(path, "").await.problem(), "auth.required");
    assert!(Told::so_far(&house.told.listened).is_empty(), "who is refused has not listened");
    for token in [&kim, &sam] {
        let got = house.fetch(path, token).await;
        assert_eq!(got.status, StatusCode::OK);
        assert_eq!(got.headers[header::CONTENT_TYPE], "audio/wav");
        assert_eq!(got.headers[header::CACHE_CONTROL], "no-store");
        let wav = hound::WavReader::new(Cursor::new(got.body)).expect("a WAV file");
        assert_eq!((wav.spec().channels, wav.spec().sample_rate, wav.duration()), (2, 8_000, 24_000));
        let samples: Vec<i16> = wav.into_samples().collect::<Result<_, _>>().expect("whole");
        let near = |sample: i16, wanted: i16| sample.abs_diff(wanted) < 100;
        assert!(samples[..32_000].chunks(2).all(|both| near(both[0], 1_000) && near(both[1], -3_000)));
        assert!(samples[32_000..].iter().all(|sample| *sample == 0), "the pause is silent");
    }
    let call = || CallId::named("recorded");
    let listened = Told::so_far(&house.told.listened);
    assert_eq!(listened, [(call(), UserId::named("kim")), (call(), UserId::named("sam"))]);
    let log = house.fetch("/api/v1/audit?object=call_recorded", &sam).await.json();
    let rows: Vec<_> =
        log["items"].as_array().expect("rows").iter().map(|row| (&row["who"]["name"], &row["act"])).collect();
    let heard = json!("recording.heard");
    assert_eq!(rows, [(&json!("SAM"), &heard), (&json!("KIM"), &heard)]);
}

#[tokio::test]
async fn who_handed_the_call_on_may_hear_it_and_who_was_only_offered_it_may_not() {
    let house = House::new().await;
    let call = recorded(&house).await;
    let lee = house.sign_in("lee").await;
    let path = "/api/v1/calls/call_recorded/recording";
    for (kind, status) in [("offered", StatusCode::FORBIDDEN), ("talking", StatusCode::OK)] {
        let body = json!({"user": UserId::named("lee")});
        let mut tx = house.store.write().await.expect("the store writes");
        let event = NewCallEvent { call: &call, at: START, kind, body: &body };
        tx.append_call_events(&[event]).await.expect("appended");
        tx.commit("test").await.expect("committed");
        assert_eq!(house.fetch(path, &lee).await.status, status, "{kind}");
    }
}

#[tokio::test]
async fn a_voicemail_is_every_operators_and_a_talk_after_it_is_not() {
    let house = House::new().await;
    let call = recorded(&house).await;
    let lee = house.sign_in("lee").await;
    let path = "/api/v1/calls/call_recorded/recording";
    for (kind, status) in [("voicemail_begun", StatusCode::OK), ("talking", StatusCode::FORBIDDEN)] {
        let body = json!({"user": UserId::named("kim")});
        let mut tx = house.store.write().await.expect("the store writes");
        let event = NewCallEvent { call: &call, at: START, kind, body: &body };
        tx.append_call_events(&[event]).await.expect("appended");
        tx.commit("test").await.expect("committed");
        assert_eq!(house.fetch(path, &lee).await.status, status, "{kind}");
    }
}

#[tokio::test]
async fn nothing_is_played_while_it_cannot_be_written_down() {
    let house = House::new().await;
    recorded(&house).await;
    let sam = house.sign_in("sam").await;
    *house.told.away.lock().expect("nobody panicked") = true;
    let got = house.fetch("/api/v1/calls/call_recorded/recording", &sam).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "recording.not_on_record"));
}

#[tokio::test]
async fn parts_are_given_as_asked_for() {
    let house = House::new().await;
    recorded(&house).await;
    let sam = house.sign_in("sam").await;
    let whole = house.fetch("/api/v1/calls/call_recorded/recording", &sam).await.body;
    assert_eq!(whole.len(), 44 + 24_000 * 4);
    for (range, bytes) in [("bytes=0-43", 0..44), ("bytes=30000-70000", 30_000..70_001), ("bytes=-10", 96_034..96_044)]
    {
        let got = part(&house, &sam, range).await;
        assert_eq!(got.status, StatusCode::PARTIAL_CONTENT, "{range}");
        let told = format!("bytes {}-{}/96044", bytes.start, bytes.end - 1);
        assert_eq!(got.headers[header::CONTENT_RANGE], told);
        assert_eq!(got.body, whole[bytes], "{range}");
    }
    let got = part(&house, &sam, "bytes=96044-").await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::RANGE_NOT_SATISFIABLE, "range"));
    assert_eq!(got.headers[header::CONTENT_RANGE], "bytes */96044");
    assert_eq!(part(&house, &sam, "bytes=5-1").await.status, StatusCode::OK, "nonsense is ignored");
}

#[tokio::test]
async fn a_part_is_given_whatever_became_of_the_others_and_refused_if_it_is_altered_itself() {
    let house = House::new().await;
    let call = recorded(&house).await;
    let sam = house.sign_in("sam").await;
    let whole = house.fetch("/api/v1/calls/call_recorded/recording", &sam).await.body;
    let path = house.directory().join("recordings").join(format!("{call}.rec"));
    let mut bytes = std::fs::read(&path).expect("it is there");
    // In the sound of the second second.
    let altered = bytes.len() / 2 + 1_000;
    bytes[altered] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let got = part(&house, &sam, "bytes=100-32043").await;
    assert_eq!((got.status, &got.body[..]), (StatusCode::PARTIAL_CONTENT, &whole[100..32_044]), "the first second");
    let got = part(&house, &sam, "bytes=70000-").await;
    assert_eq!((got.status, &got.body[..]), (StatusCode::PARTIAL_CONTENT, &whole[70_000..]), "the last");
    for range in ["bytes=32044-40000", "bytes=40000-", "bytes=0-"] {
        let got = part(&house, &sam, range).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "recording.damaged"), "{range}");
    }
}

#[tokio::test]
async fn what_is_recorded_of_a_call_can_be_looked_at() {
    let house = House::new().await;
    recorded(&house).await;
    let sam = house.sign_in("sam").await;
    let got = house.fetch("/api/v1/calls/call_recorded/recording/figures", &sam).await.json();
    assert_eq!(
        got,
        json!({
            "started_at": START,
            "figures": {"length_ms": 3_000, "sound_ms": 2_000, "paused_ms": 1_000, "off_ms": 0, "gap_ms": 0},
            "marks": [{"kind": "paused", "at_ms": 2_000, "length_ms": 1_000}],
            "complete": true, "legs": {"caller": true, "operator": true, "contact": true},
        })
    );
    assert!(Told::so_far(&house.told.listened).is_empty(), "figures are not listening");
}

#[tokio::test]
async fn an_altered_recording_is_refused_in_words_and_nobody_has_listened() {
    let house = House::new().await;
    let call = recorded(&house).await;
    let sam = house.sign_in("sam").await;
    assert_eq!(house.fetch("/api/v1/calls/call_none/recording", &sam).await.problem(), "not_found");
    let path = house.directory().join("recordings").join(format!("{call}.rec"));
    let mut bytes = std::fs::read(&path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let got = house.fetch("/api/v1/calls/call_recorded/recording", &sam).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "recording.damaged"));
    let words = "The recording was altered or damaged at 0:01 and is not played: restore the file from a copy.";
    assert_eq!(got.json()["detail"], words);
    std::fs::remove_file(&path).expect("removed");
    let got = house.fetch("/api/v1/calls/call_recorded/recording", &sam).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::NOT_FOUND, "recording.missing"));
    assert!(Told::so_far(&house.told.listened).is_empty());
}

#[tokio::test]
async fn each_button_of_a_recording_reaches_the_call() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for button in ["start", "pause", "resume", "cover", "uncover", "stop"] {
        let path = format!("/api/v1/calls/call_1/recording/{button}");
        let got = house.ask(Method::POST, &path, &kim, Value::Null).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "{button}");
    }
    use RecordingCommand::{Cover, Pause, Resume, Start, Stop, Uncover};
    let acts: Vec<Command> = Told::so_far(&house.told.commands).into_iter().map(|(.., command)| command).collect();
    assert_eq!(acts, [Start, Pause, Resume, Cover, Uncover, Stop].map(Command::Recording));
}

#[tokio::test]
async fn a_wave_form_shows_both_sides_and_is_no_listening() {
    let house = House::new().await;
    recorded(&house).await;
    let path = "/api/v1/calls/call_recorded/recording/peaks";
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    assert_eq!(house.fetch(path, &lee).await.problem(), "recording.not_yours");
    let got = house.fetch(path, &kim).await;
    assert_eq!(got.status, StatusCode::OK);
    let peaks = got.json();
    assert_eq!(peaks["length_ms"], 3_000);
    let side = |name: &str| -> Vec<u64> {
        peaks[name].as_array().expect("a list").iter().map(|peak| peak.as_u64().expect("a number")).collect()
    };
    let (caller, ours) = (side("caller"), side("ours"));
    assert_eq!((caller.len(), ours.len()), (150, 150), "one for each frame of a short recording");
    // 1,000 and 3,000 of 32,767, by their square roots.
    assert!(caller[..100].iter().all(|peak| (16..=18).contains(peak)), "{caller:?}");
    assert!(ours[..100].iter().all(|peak| (29..=31).contains(peak)), "{ours:?}");
    assert!(caller[100..].iter().chain(&ours[100..]).all(|peak| *peak == 0), "the pause is silence");
    assert_eq!(house.fetch(path, &kim).await.json(), peaks, "remembered");
    assert!(Told::so_far(&house.told.listened).is_empty());
    let missing = house.fetch("/api/v1/calls/call_none/recording/peaks", &kim).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whose_words_were_recorded_is_told_with_the_picture_and_the_figures() {
    let house = House::new().await;
    let call = recorded(&house).await;
    let sam = house.sign_in("sam").await;
    let legs = || async {
        let wave = house.fetch("/api/v1/calls/call_recorded/recording/peaks", &sam).await.json();
        let figures = house.fetch("/api/v1/calls/call_recorded/recording/figures", &sam).await.json();
        assert_eq!(wave["legs"], figures["legs"]);
        assert_eq!(wave["length_ms"], 3_000);
        wave["legs"].clone()
    };
    assert_eq!(
        legs().await,
        json!({"caller": true, "operator": true, "contact": true}),
        "a record of before it was said"
    );
    for (state, caller, contact) in [("announcing", true, true), ("on", false, false), ("on", false, true)] {
        let body = json!({"state": state, "legs": {"caller": caller, "operator": true, "contact": contact}});
        let mut tx = house.store.write().await.expect("the store writes");
        let event = NewCallEvent { call: &call, at: START, kind: "recording_changed", body: &body };
        tx.append_call_events(&[event]).await.expect("appended");
        tx.commit("test").await.expect("committed");
    }
    assert_eq!(legs().await, json!({"caller": false, "operator": true, "contact": true}), "in any part of it");
}
