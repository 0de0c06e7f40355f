//! Menus made at random, sound and unsound, with callers who press anything at any time.

use super::digits::Digits;
use super::digits_tests::{node as digits_node, number};
use super::menu::{Condition, Node};
use super::tests::{exit, gather, play, says};
use super::validate::validate;
use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};
use crate::base::rng::Rng;

const KEYS: [char; 6] = ['0', '1', '2', '9', '*', '#'];

/// A node whose ways lead to any of `count` nodes, or nowhere.
fn node(rng: &mut Rng, n: u64, count: u64) -> Node {
    let mut somewhere = || rng.below(count + 1).to_string();
    let (a, b, c) = (somewhere(), somewhere(), somewhere());
    let id = n.to_string();
    match rng.below(6) {
        0 => play(&id, "words", &a),
        1 | 2 => {
            let mut node = gather(&id, &[("1", &a), ("12", &b), ("#", &c)]);
            if let Step::Gather(gather) = &mut node.step {
                gather.barge_in = rng.below(2) == 0;
                gather.retries = rng.below(3) as u32;
                gather.invalid = (rng.below(2) == 0).then(|| Speech::Spoken { text: "no".into() });
                gather.gave_up = (rng.below(2) == 0).then_some(c);
            }
            node
        }
        4 => {
            let digits = Digits {
                min: 1 + rng.below(2) as u32,
                max: 2 + rng.below(3) as u32,
                say_back: rng.below(2) == 0,
                barge_in: rng.below(2) == 0,
                retries: rng.below(3) as u32,
                next: a,
                gave_up: (rng.below(2) == 0).then_some(b),
                ..number()
            };
            Node { id, ..digits_node(digits) }
        }
        3 => Node { id, step: Step::Branch { on: Condition::Withheld, then: a, otherwise: b } },
        _ => exit(&id, says(&a)),
    }
}

fn menu(rng: &mut Rng) -> Menu {
    let count = rng.below(8) + 1;
    let nodes = (0..count).map(|n| node(rng, n, count)).collect();
    Menu { name: "random".into(), start: "0".into(), nodes, otherwise: says("otherwise") }
}

#[test]
fn whatever_the_menu_and_the_caller_there_is_one_exit_and_it_comes_in_time() {
    let (mut sound, mut chosen, mut otherwise, mut entered) = (0, 0, 0, 0);
    for seed in 0..5_000 {
        let mut rng = Rng::seeded(seed);
        let menu = menu(&mut rng);
        let is_sound = validate(&menu, "").is_empty();
        sound += u32::from(is_sound);
        let clock = TestClock::at(UtcMs(0));
        let started = clock.instant();
        let mut ivr = Ivr::new(started, menu, Context::default());
        let (mut playing, mut exits) = (false, Vec::new());
        // Half of the callers press nothing at all.
        let silent = rng.below(2) == 0;
        for _ in 0..10_000 {
            while let Some(output) = ivr.poll_output() {
                assert!(exits.is_empty(), "seed {seed}: something after the exit");
                match output {
                    Output::Play(_) | Output::PlayOnce(_) => {
                        assert!(!playing, "seed {seed}: two things play at once");
                        playing = true;
                    }
                    Output::StopPlay => {
                        assert!(playing, "seed {seed}: stops what does not play");
                        playing = false;
                    }
                    Output::Chose(_) => chosen += 1,
                    Output::Entered(_) => entered += 1,
                    Output::Missed { .. } => {}
                    Output::Exit(flow) => exits.push(flow),
                }
            }
            if !exits.is_empty() {
                break;
            }
            let at = ivr.poll_timeout().unwrap_or_else(|| panic!("seed {seed}: nothing to wait for and no exit"));
            match rng.below(5) {
                4 if playing && rng.below(4) == 0 => ivr.handle(clock.instant(), Input::Unspoken),
                0 if !silent => ivr.handle(clock.instant(), Input::Digit(KEYS[rng.below(6) as usize])),
                1 | 2 if playing => {
                    playing = false;
                    clock.advance(Duration::from_millis(rng.below(3_000)));
                    ivr.handle(clock.instant(), Input::PlayDone);
                }
                _ => {
                    clock.advance(at.saturating_duration_since(clock.instant()));
                    ivr.handle(clock.instant(), Input::Tick);
                }
            }
        }
        assert_eq!(exits.len(), 1, "seed {seed}");
        assert!(!playing, "seed {seed}: words go on after the exit");
        assert_eq!(ivr.poll_timeout(), None, "seed {seed}");
        assert!(clock.instant() - started <= MAX_STAY + PLAY_LIMIT, "seed {seed}: too long");
        assert!(!(is_sound && silent && ivr.steps > MAX_STEPS), "seed {seed}: a sound menu lets a silent caller out");
        otherwise += u32::from(exits == [says("otherwise")]);
    }
    let reached = sound > 50 && chosen > 200 && otherwise > 500 && entered > 100;
    assert!(reached, "the seeds reach all: {sound} {chosen} {otherwise} {entered}");
}
