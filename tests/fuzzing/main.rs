//! The fuzz targets of `fuzz/` on seeded mutations of their seeds: what libFuzzer does for hours with its eyes open, here
//! blindly for seconds, on the compiler that builds the product. A failure names the target and the number of the
//! input; `CORDBOARD_FUZZ=target:number` plays that one again, `CORDBOARD_FUZZ_RUNS` says how many there are.

#[path = "../support/mutate.rs"]
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cordboard::base::rng::Rng;
use mutate::mutate;
use targets::{ALL, Target};

/// Inputs of each target, where nothing else is said.
const RUNS: u64 = 2_000;

/// Where the seeds of a target are: its own folder, and RFC 4475's messages where SIP is read.
fn folders(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("fuzz/seeds").join(name)];
    if name.starts_with("sip_") {
        folders.push(root.join("tests/torture"));
    }
    folders
}

/// The seeds, in an order that does not change.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = folders(name)
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())))
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_file() && path.extension().is_none_or(|ending| ending == "dat"))
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("a seed")).collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds
}

/// The input of this number: the seeds themselves come first, then mutations of them.
fn input(name: &str, seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    if let Some(seed) = usize::try_from(number).ok().and_then(|at| seeds.get(at)) {
        return seed.clone();
    }
    let mut rng = Rng::seeded(number ^ name.bytes().fold(0x4475, |sum: u64, b| sum.wrapping_mul(31) + u64::from(b)));
    let pick = |rng: &mut Rng| usize::try_from(rng.below(seeds.len() as u64)).expect("small");
    let (one, two) = (pick(&mut rng), pick(&mut rng));
    let mut bytes = seeds[one].clone();
    for _ in 0..=rng.below(8) {
        mutate(&mut rng, &mut bytes, &seeds[two]);
    }
    bytes
}

fn check(name: &str, target: Target, seeds: &[Vec<u8>], number: u64) {
    let bytes = input(name, seeds, number);
    if catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_err() {
        let shown = String::from_utf8_lossy(&bytes);
        panic!("play it again with CORDBOARD_FUZZ={name}:{number} cargo test --test fuzzing\n{shown}");
    }
}

fn run(name: &str) {
    let (_, target) = ALL.into_iter().find(|(known, _)| *known == name).expect("it is in the list");
    let seeds = seeds(name);
    if let Ok(again) = std::env::var("CORDBOARD_FUZZ") {
        let (wanted, number) = again.split_once(':').expect("CORDBOARD_FUZZ is target:number");
        if wanted == name {
            check(name, target, &seeds, number.parse().expect("a number"));
        }
        return;
    }
    let runs = std::env::var("CORDBOARD_FUZZ_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number"));
    for number in 0..runs.max(seeds.len() as u64) {
        check(name, target, &seeds, number);
    }
}

#[test]
fn whatever_a_message_is_the_front_reads_it_or_says_why_not() {
    run("sip_wire");
}

#[test]
fn whatever_messages_come_the_agent_answers_on_and_keeps_nothing() {
    run("sip_agent");
}

#[test]
fn however_a_stream_is_cut_the_same_messages_come_out() {
    run("sip_stream");
}

#[test]
fn what_is_read_as_a_uri_prints_as_the_same_uri() {
    run("uri");
}

#[test]
fn what_is_read_as_a_description_prints_as_the_same_and_is_answered_line_by_line() {
    run("sdp");
}

#[test]
fn whatever_rtp_comes_no_sound_is_kept_for_long() {
    run("rtp");
}

#[test]
fn whatever_rtcp_says_is_counted_or_left() {
    run("rtcp");
}

#[test]
fn no_forged_packet_is_opened() {
    run("srtp");
}

#[test]
fn stun_dtls_and_udptl_at_a_telephones_socket_are_noise() {
    run("media_socket");
}

#[test]
fn noise_at_a_browsers_socket_never_ends_its_leg() {
    run("browser_socket");
}

#[test]
fn digest_fields_of_any_kind_are_read_or_left() {
    run("digest");
}

#[test]
fn whatever_udptl_comes_a_fax_gets_each_packet_once_and_in_order() {
    run("udptl");
}

#[test]
fn whatever_a_paging_gateway_says_a_page_ends_once_and_in_time() {
    run("snpp");
}

#[test]
fn whatever_a_paging_terminal_says_a_page_ends_once_and_in_time() {
    run("tap");
}

#[test]
fn whatever_a_wctp_gateway_answers_is_read_or_left() {
    run("wctp");
}

#[test]
fn whatever_a_text_carrier_sends_is_read_or_left_and_texts_in_parts_stay_whole() {
    run("sms");
}

#[test]
fn every_target_is_there_for_libfuzzer_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let listed = std::fs::read_to_string(folder.join("Cargo.toml")).expect("the manifest");
    for (name, _) in ALL {
        let text = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).expect(name);
        assert!(text.contains(&format!("targets::{name}(data)")), "{name}");
        assert!(listed.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
    }
}
