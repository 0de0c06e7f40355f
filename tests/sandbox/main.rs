//! The sandbox's page in two real browsers: one is the caller, one the on-call staff, and the carrier calls
//! itself. Each speaks a sine through its handset and must hear the other's and not its own.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/temp.rs"]
mod temp;
#[path = "../support/tones.rs"]
mod tones;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;

use cordboard::base::clock::SystemClock;
use cordboard::base::phone::PhoneNumber;
use cordboard::sandbox::board::{NumberEntry, PhoneEntry};
use cordboard::sandbox::{Carrier, SandboxConfig};

const CALLER_HZ: u32 = 600;
const STAFF_HZ: u32 = 1_000;
const BEN: &str = "+12025550110";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

/// The committed bundle, as the front door serves it.
async fn bundle(UrlPath(path): UrlPath<String>) -> impl IntoResponse {
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        _ => "text/html",
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("console/dist").join(path);
    ([("content-type", kind)], std::fs::read(file).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_and_the_on_call_phone_talk_through_their_handsets() {
    let test = "the_caller_and_the_on_call_phone_talk_through_their_handsets";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let base = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let ben = PhoneEntry { number: number(BEN), name: "Ben".to_owned(), title: "mobile".to_owned() };
    let entry = NumberEntry { number: number(BEN), account: "Ben's phone".to_owned(), hint: "a chat".to_owned() };
    let carrier = Carrier::start(SandboxConfig {
        clock: Arc::new(SystemClock),
        sip_bind: loopback,
        trunk_target: loopback,
        rtp_ports: 28_600..=28_699,
        smtp_bind: loopback,
        http_base: base.clone(),
        inbound_path: "/hooks/sms/sandbox/inbound".to_owned(),
        sms_sid: "ACsandbox".to_owned(),
        sms_token: "secret".to_owned(),
        caller: number("+12025550190"),
        phones: vec![ben],
        mailboxes: Vec::new(),
        numbers: vec![entry],
        logins: Vec::new(),
    })
    .await
    .expect("a sandbox starts");
    carrier.exchange().aim(carrier.sip_addr()).await;
    let app = Router::new().route("/{*path}", get(bundle)).nest("/sandbox", carrier.router());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let scratch = temp::TempDir::new("sandbox");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox/pair.mjs");
    let voices = [CALLER_HZ, STAFF_HZ].map(|hz| {
        let file = scratch.path().join(format!("{hz}.wav"));
        write_tone(&file, hz);
        file
    });
    let mut node = Command::new("node");
    node.arg(script)
        .arg(format!("{base}/sandbox.html"))
        .args(voices)
        .args([CALLER_HZ, STAFF_HZ].map(|hz| hz.to_string()));
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("no panic").expect("node runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    let said: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("the browsers failed: {errors}"));
    // Levels in dB of [600 Hz, 1000 Hz], by tenths of a second.
    for (ear, own, other) in [("caller", 0, 1), ("staff", 1, 0)] {
        let heard: Vec<[f64; 2]> = serde_json::from_value(said[ear].clone()).expect("levels");
        assert!(heard.len() >= 49, "{ear} heard {} tenths of a second", heard.len());
        let tenths: Vec<Vec<f64>> = heard.iter().map(|levels| vec![levels[other], levels[own]]).collect();
        let hz = [CALLER_HZ, STAFF_HZ].map(f64::from);
        tones::assert_hears(ear, &tenths, &[hz[other]], &[hz[own]]);
    }
    assert!(said["last"].as_str().is_some_and(|last| last.starts_with("They hung up after 0:0")), "{said}");
    server.abort();
}

fn write_tone(path: &Path, hz: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("the scratch directory is writable");
    // Whole seconds hold whole periods of a whole number of hertz, so the loop has no seam.
    for i in 0..48_000 * 4 {
        let sample = (std::f64::consts::TAU * f64::from(hz) * f64::from(i) / 48_000.0).sin() * 12_000.0;
        writer.write_sample(sample as i16).expect("the scratch directory is writable");
    }
    writer.finalize().expect("the scratch directory is writable");
}
