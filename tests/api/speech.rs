//! Greetings uploaded, listened to, and named by an account.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Got, House};

fn tone(rate: u32) -> Vec<u8> {
    let spec =
        hound::WavSpec { channels: 2, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut out = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
    for n in 0..rate * 2 {
        let sample = (f64::from(n / 2) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 9_000.0;
        writer.write_sample(sample as i16).unwrap();
    }
    writer.finalize().unwrap();
    out.into_inner()
}

async fn upload(house: &House, token: &str, wav: Vec<u8>) -> Got {
    let request = Request::builder().method(Method::POST).uri("/api/v1/speech/recordings");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    house.send(request.header(header::CONTENT_TYPE, "audio/wav").body(Body::from(wav)).unwrap()).await
}

#[tokio::test]
async fn a_greeting_is_uploaded_listened_to_and_put_in_force() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    // More than any other body may have.
    let got = upload(&house, &sam, tone(48_000)).await;
    assert_eq!(got.status, StatusCode::CREATED, "{:?}", String::from_utf8_lossy(&got.body));
    let kept = got.json();
    assert_eq!(kept["millis"], 1_000);
    let heard = house.ask(Method::POST, "/api/v1/speech/listen", &sam, kept["speech"].clone()).await;
    assert_eq!((heard.status, heard.headers[header::CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, "audio/wav"));
    let wav = hound::WavReader::new(&heard.body[..]).unwrap();
    assert_eq!((wav.spec().sample_rate, wav.spec().channels, wav.duration()), (8_000, 1, 8_000));
    let edit = json!({"name": "Acme", "zone": "UTC", "greeting": kept["speech"]});
    let made = house.ask(Method::POST, "/api/v1/accounts", &sam, edit).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.json()["greeting"], kept["speech"]);
}

#[tokio::test]
async fn words_are_listened_to_before_they_are_saved() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let words = json!({"kind": "spoken", "text": "Good evening."});
    let heard = house.ask(Method::POST, "/api/v1/speech/listen", &sam, words).await;
    assert!(hound::WavReader::new(&heard.body[..]).unwrap().duration() > 0);
    let got = house.ask(Method::POST, "/api/v1/speech/listen", &sam, json!({"kind": "spoken", "text": " "})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "speech.text_missing"));
    let long = json!({"kind": "spoken", "text": "a".repeat(150_000)});
    let got = house.ask(Method::POST, "/api/v1/speech/listen", &sam, long).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "speech.text_too_long"));
    let got =
        house.ask(Method::POST, "/api/v1/speech/listen", &sam, json!({"kind": "uploaded", "recording": "x"})).await;
    assert_eq!(got.problem(), "speech.no_recording");
}

#[tokio::test]
async fn what_is_no_recording_is_refused_with_what_to_do() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    for bad in [b"not a recording".to_vec(), Vec::new()] {
        let got = upload(&house, &sam, bad).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "speech.upload"));
        let body: Value = got.json();
        assert!(body["detail"].as_str().unwrap().contains("WAV file: PCM, 8 to 48 kHz"), "{body}");
    }
    let got = upload(&house, &sam, vec![0; 13 << 20]).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large"));
}
