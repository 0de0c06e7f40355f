//! *Start here*, as a newcomer walks it: the demo as a child process, its sandbox page in one headless Chromium and
//! the operator's desk in another. A patch, a text confirmed by its code, a call-out confirmed by its keys; each
//! side speaks a sine and must hear the other's.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/tones.rs"]
mod tones;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use server::Server;

const SANDBOX_HZ: u32 = 600;
const DESK_HZ: u32 = 1_000;

#[test]
fn a_newcomer_walks_the_tour_to_its_end() {
    let test = "a_newcomer_walks_the_tour_to_its_end";
    // The call-out speaks.
    if !["chromium", "node", "espeak-ng"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let server = Server::start();
    let voices = [SANDBOX_HZ, DESK_HZ].map(|hz| {
        let file = server.dir.join(format!("voice-{hz}.wav"));
        write_tone(&file, hz);
        (file, hz.to_string())
    });
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tour/tour.mjs"));
    node.arg(format!("http://127.0.0.1:{}", server.http));
    for (file, hz) in &voices {
        node.arg(file).arg(hz);
    }
    let output = node.arg(&server.dir).output().expect("node was found before");
    let steps = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the tour ended early:\n{steps}");
    println!("{steps}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no result:\n{steps}"));

    for (ear, own, other) in [("caller", 0, 1), ("operator", 1, 0), ("technician", 0, 1), ("operator_in_private", 1, 0)]
    {
        assert_hears(&seen["heard"][ear], ear, own, other);
    }
    let said = &seen["said"];
    assert_eq!(said["alone"], 2, "caller and technician talk on without the operator");
    let row = |name: &str| said[name].as_str().expect("a row of the dispatch strip").to_owned();
    assert!(row("patched").contains("Ann Archer · Broken pipe"), "{}", row("patched"));
    assert!(!row("patched").contains("Confirmed"), "who was put through did not confirm: {}", row("patched"));
    let texts = lines(&said["texts"]);
    assert!(texts.iter().any(|text| text.contains("Bob Burst") && text.contains("ok to confirm")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("Confirmed")), "the reply is answered: {texts:?}");
    let timeline = lines(&said["timeline"]);
    let has = |words: &str| assert!(timeline.iter().any(|line| line.contains(words)), "{words}: {timeline:#?}");
    for words in ["went on to the next step", "phone was answered", "heard the message", "confirmed by key"] {
        has(words);
    }
    assert_eq!(lines(&seen["undone"]), Vec::<String>::new(), "every step of the tour is ticked off");
    assert_eq!(lines(&seen["faults"]), Vec::<String>::new(), "the browsers' consoles are clean");
}

/// Levels in dB of the two voices, by tenths of a second.
fn assert_hears(levels: &Value, ear: &str, own: usize, other: usize) {
    let heard: Vec<[f64; 2]> = serde_json::from_value(levels.clone()).expect("levels");
    assert!(heard.len() >= 19, "the {ear} heard {} tenths of a second", heard.len());
    let tenths: Vec<Vec<f64>> = heard.iter().map(|levels| vec![levels[other], levels[own]]).collect();
    let hz = [SANDBOX_HZ, DESK_HZ].map(f64::from);
    tones::assert_hears(&format!("the {ear}"), &tenths, &[hz[other]], &[hz[own]]);
}

fn lines(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("a list of lines");
    items.iter().map(|line| line.as_str().expect("a line").to_owned()).collect()
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
