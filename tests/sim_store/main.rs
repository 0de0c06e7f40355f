//! Nights with faults through the real dispatcher and the real store, held to the promises of `tests/sim` ([`judge`]): the process is
//! killed between a commit and its effect and between an effect and its answer, on a disk that is slow, by a clock that is set.
//!
//! Fewer nights than there, as each is on disk. `CORDBOARD_SEED=n cargo test --test sim_store` plays one, `CORDBOARD_LONG=1` ten times as
//! many. What an edge does with an attempt hangs on the seed, the message and the try alone, whatever order the store's threads run in.

#[allow(dead_code, reason = "the nights without a store use all of it, this test a part")]
#[path = "../sim/judge.rs"]
mod judge;
mod night;
mod outside;
mod settle;
#[path = "../stories/town.rs"]
#[allow(dead_code, reason = "the stories use all of the town, this test a part")]
mod story;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "the nights without a store use all of it, this test a part")]
#[path = "../sim/town.rs"]
mod town;

use judge::Promise;
use outside::Breaks;

const SEEDS: u64 = 30;
const LONG: u64 = 300;

#[test]
fn on_the_real_store_no_night_breaks_a_promise() {
    let alone: Option<u64> = std::env::var("CORDBOARD_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let many = if std::env::var_os("CORDBOARD_LONG").is_some() { LONG } else { SEEDS };
    let template = settle::template();
    let (mut crashes, mut duplicates, mut arrived, mut yes) = (0, 0, 0, 0);
    let mut broken = Vec::new();
    for seed in alone.map_or(0..many, |seed| seed..seed + 1) {
        let night = night::run(seed, &template, None);
        let faults = night.judge.faults.iter();
        broken.extend(faults.map(|(promise, words)| format!("CORDBOARD_SEED={seed}: {promise:?}: {words}")));
        crashes += night.judge.seen.crashes;
        duplicates += night.judge.seen.duplicates;
        arrived += night.arrived;
        yes += u32::from(night.judge.seen.phases.contains("confirmed"));
    }
    println!("{crashes} crashes, {arrived} arrivals, {duplicates} of them double, {yes} nights with a yes");
    assert!(broken.is_empty(), "promises were broken:\n{}", broken.join("\n"));
    if alone.is_none() {
        assert!(crashes > 0 && duplicates > 0 && yes > 0, "too quiet a night proves nothing");
    }
}

#[test]
fn each_promise_that_is_broken_on_the_real_store_is_noticed() {
    let template = settle::template();
    for (breaks, promise) in [
        (Breaks::Content, Promise::NothingInClear),
        (Breaks::Twice, Promise::OneDuplicate),
        (Breaks::AfterYes, Promise::NothingAfterYes),
        (Breaks::Timer, Promise::OneReasonToWake),
    ] {
        let caught = (0..20).any(|seed| {
            let night = night::run(seed, &template, Some(breaks));
            night.judge.faults.iter().any(|(broken, _)| *broken == promise)
        });
        assert!(caught, "{breaks:?} went unnoticed as {promise:?}");
    }
}
