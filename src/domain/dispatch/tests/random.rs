//! Random nights against the promises: random events in random order, of protocols with all that may be said of a step.

use std::collections::BTreeSet;

use super::super::condition::{Conditions, HoursAre};
use super::super::event::{CallNews, Failure};
use super::super::job::{JobNews, JobOutcome};
use super::super::patch_step::{PatchEnd, PatchNews};
use super::super::protocol::{Method, Protocol, Step, Tries, Until};
use super::super::state::CallOutcome;
use super::super::*;
use super::{by_operators, named, number, on_call, plumbing, saved, town};
use crate::base::id::{CallId, ContactId, UserId};
use crate::base::rng::Rng;
use crate::domain::account::hours::{Span, Weekday};
use crate::domain::message::form::AskedAt;

/// Random events in random order, the promises checked after each.
fn random_night(seed: u64) -> (State, Vec<Entry>) {
    let mut rng = Rng::seeded(seed);
    let until = [Until::Confirmed, Until::Told, Until::HandedOver][usize::try_from(rng.below(3)).expect("small")];
    let mut protocol = if seed.is_multiple_of(2) { plumbing() } else { by_operators() };
    protocol.until = until;
    if until == Until::HandedOver {
        protocol.repeat = None;
    }
    vary(&mut rng, &mut protocol);
    if rng.below(4) == 0 {
        let wait_secs = 60;
        protocol.steps.insert(0, Step::new(Method::HoldForCheckIn { until: None }, vec![], wait_secs));
    }
    let town = town();
    let mut s = saved(protocol);
    s.on_call = (rng.below(2) == 0).then(|| CallId::named("c"));
    let mut now = UtcMs(0);
    let mut log = Vec::new();
    let mut confirmations = 0;
    for _ in 0..120 {
        now = match s.wake() {
            Some((at, _)) if rng.below(3) == 0 => now.max(at),
            _ => now.plus_ms(i64::try_from(rng.below(20_000)).expect("small")),
        };
        let pick = |rng: &mut Rng, s: &State| {
            let n = u64::try_from(s.attempts.len()).expect("small");
            usize::try_from(rng.below(n)).ok().and_then(|i| s.attempts.get(i)).map(|a| (a.id.clone(), a.channel))
        };
        let kim = UserId::named("kim");
        let event = match (rng.below(26), pick(&mut rng, &s)) {
            (0..=3, Some((attempt, _))) => Event::Hand { attempt, node: "n".into() },
            (4 | 5, Some((attempt, Channel::Text | Channel::Email | Channel::Push))) => {
                Event::Accepted { attempt, provider_id: None }
            }
            (4, Some((attempt, Channel::Call))) => {
                Event::Call { attempt, news: CallNews::Ended(CallOutcome::NoAnswer) }
            }
            (5, Some((attempt, Channel::Call))) => Event::Call { attempt, news: CallNews::Told },
            (6, Some((attempt, _))) => Event::Failed { attempt, failure: Failure::Temporary, why: "x".into() },
            (7, Some((attempt, _))) if rng.below(2) == 0 => Event::Queued { attempt },
            (7, Some((attempt, _))) => Event::Failed { attempt, failure: Failure::Unknown, why: "x".into() },
            (8, Some((attempt, _))) => Event::Interrupted { attempt },
            (9, Some((attempt, _))) => Event::Delivered { attempt },
            (10, _) if rng.below(4) == 0 => Event::Replied { number: number(100), code: 1 },
            (11, Some((attempt, Channel::Call))) if rng.below(4) == 0 => {
                Event::Call { attempt, news: CallNews::Confirmed }
            }
            (12, _) if rng.below(4) == 0 => {
                Event::Operator { by: "kim".into(), act: OperatorAct::Skip { moves: None } }
            }
            (13, _) if rng.below(4) == 0 => {
                Event::Operator { by: "kim".into(), act: OperatorAct::Retry { moves: None } }
            }
            (13, Some((attempt, _))) if rng.below(4) == 0 => {
                Event::Failed { attempt, failure: Failure::Permanent, why: "x".into() }
            }
            (14, _) if rng.below(4) == 0 => Event::ReadAtCheckIn { who: "Ada".into(), by: None, edition: Some(1) },
            (14, _) if rng.below(8) == 0 => Event::Stopped { number: number(100) },
            // No more draws: the nights stay the same ones.
            (14, _) if now.0 % 2 == 0 => {
                Event::Unplaced { number: number(100), name: "ben".into(), help: false, words: None, among: 1 }
            }
            (14, _) => Event::Dismissed { by: "kim".into(), all: true },
            (15, _) => Event::Resume,
            (16 | 17, Some((attempt, Channel::Call))) => {
                Event::Job { attempt, news: JobNews::Taken { by: kim, name: "Kim".into() } }
            }
            (18, Some((attempt, Channel::Call))) if rng.below(3) == 0 => {
                Event::Job { attempt, news: JobNews::Freed { by: kim } }
            }
            (19, Some((attempt, Channel::Call))) if rng.below(3) == 0 => {
                let name = "Ben".to_owned();
                let all = [
                    JobOutcome::Told { name: name.clone() },
                    JobOutcome::Confirmed { name },
                    JobOutcome::Refused,
                    JobOutcome::NoAnswer,
                    JobOutcome::WrongNumber,
                ];
                let outcome = all[usize::try_from(rng.below(5)).expect("small")].clone();
                Event::Job { attempt, news: JobNews::Done { by: kim, name: "Kim".into(), outcome } }
            }
            (20, Some((attempt, Channel::Call))) if rng.below(8) == 0 => Event::Job { attempt, news: JobNews::Dropped },
            (21, _) if rng.below(4) == 0 => Event::RingsBack { who: "Ben".into(), by: "Kim".into() },
            (21, _) => Event::RangBack,
            (22..=24, _) => patch_news(&mut rng),
            (25, _) if rng.below(12) == 0 => Event::CallEnded,
            (25, _) if rng.below(12) == 0 => Event::Patched { to: vec!["ben".into()] },
            _ => Event::Due,
        };
        let before = s.phase;
        let (next, effects) = apply(&s, &event, now, &town);
        for effect in effects {
            match effect {
                Effect::Perform(id) => {
                    let a = next.find_attempt(&id).expect("known");
                    assert!(a.patch.is_none(), "seed {seed}: the machine rings nobody for a caller");
                    assert!(
                        !a.is_step() || before != Phase::Confirmed,
                        "seed {seed}: handed over after the confirmation"
                    );
                }
                Effect::Record(entry) => {
                    let there = next.on_call.is_some() && !next.caller_gone;
                    let offered = matches!(entry.note, Note::PatchOffered { .. });
                    assert!(!offered || there, "seed {seed}: a patch for a caller who has gone");
                    log.push(entry);
                }
                _ => {}
            }
        }
        assert!(before != Phase::Confirmed || next.phase == Phase::Confirmed, "seed {seed}: a yes was taken back");
        assert!(before != Phase::ReadAtCheckIn || next.phase == before, "seed {seed}: read, and open again");
        confirmations += u32::from(before != Phase::Confirmed && next.phase == Phase::Confirmed);
        let settled = next.attempts.iter().all(Attempt::is_settled);
        let runs = matches!(next.phase, Phase::Open | Phase::Running | Phase::HeldForCheckIn);
        assert_eq!(
            next.wake().is_some(),
            runs || !settled,
            "seed {seed}: no reason to wake after {event:?}: {next:#?}"
        );
        assert!(next.phase != Phase::ExhaustedUnconfirmed || next.needs_operator(), "seed {seed}: nobody is asked");
        if let Some((at, reason)) = next.wake() {
            let late = now.since(at);
            assert!(late <= 0, "seed {seed}: {reason:?} is {late} ms late after {event:?}");
        }
        s = next;
    }
    assert!(confirmations <= 1, "seed {seed}: confirmed {confirmations} times");
    (s, log)
}

/// Steps with all that may be said of one, some of it in each night.
fn vary(rng: &mut Rng, protocol: &mut Protocol) {
    if rng.below(3) == 0 {
        protocol.steps[0].tries = Some(Tries { times: 3, apart_secs: 60 });
    }
    if rng.below(3) == 0 {
        let last = protocol.steps.len() - 1;
        protocol.steps[last].done =
            Some([Until::HandedOver, Until::Told][usize::try_from(rng.below(2)).expect("small")]);
    }
    if rng.below(3) == 0 {
        let email = Step::new(Method::Email, vec![named("office", "email")], 0);
        protocol.steps.insert(1, Step { informs: true, ..email });
    }
    if rng.below(3) == 0 {
        let span = Span { from: "00:00".into(), until: "00:05".into() };
        let at = AskedAt { days: vec![Weekday::Thursday], span };
        let only = Conditions { hours: Some(HoursAre { at, outside: rng.below(2) == 0 }), ..Conditions::default() };
        protocol.steps[1].only = only;
    }
    if rng.below(2) == 0 {
        protocol
            .steps
            .insert(0, Step::new(Method::LivePatch, vec![on_call("mobile").remove(0), named("ada", "mobile")], 0));
    }
}

fn patch_news(rng: &mut Rng) -> Event {
    let ends = [PatchEnd::NoAnswer, PatchEnd::Refused, PatchEnd::GivenUp, PatchEnd::CallerGone, PatchEnd::OperatorLost];
    let contact = Some(ContactId::named(["ben", "ada", "zoe"][usize::try_from(rng.below(3)).expect("small")]));
    let news = match rng.below(8) {
        0..=3 => PatchNews::Begun,
        n => PatchNews::Over(ends[usize::try_from(n - 4 + rng.below(2)).expect("small")]),
    };
    Event::Patching { contact, number: number(900), news }
}

#[test]
fn in_random_nights_nothing_is_sent_after_a_yes_and_there_is_always_a_reason_to_wake() {
    let mut phases = BTreeSet::new();
    let (mut skipped, mut again, mut offered, mut begun, mut handed_over) = (0, 0, 0, 0, 0);
    let mut ends = BTreeSet::new();
    for seed in 0..1_500 {
        let (state, log) = random_night(seed);
        phases.insert(state.phase.name());
        for entry in log {
            match entry.note {
                Note::NotMade { .. } => skipped += 1,
                Note::Again { .. } => again += 1,
                Note::Closed { phase: Phase::Delivered, .. } if state.protocol.until != Until::HandedOver => {
                    handed_over += 1;
                }
                Note::PatchOffered { .. } => offered += 1,
                Note::PatchBegun { .. } => begun += 1,
                Note::PatchOver { why, .. } => {
                    ends.insert(format!("{why:?}"));
                }
                _ => {}
            }
        }
    }
    let reached = [skipped, again, offered, begun, handed_over];
    assert!(reached.iter().all(|times| *times > 0), "skips, tries, offers, begun, ended by a step: {reached:?}");
    for end in ["NoAnswer", "Refused", "GivenUp", "NotBegun", "CallerGone", "OperatorLost"] {
        assert!(ends.contains(end), "{end}: {ends:?}");
    }
    assert!(phases.contains("patched"), "{phases:?}");
    assert!(phases.contains("confirmed") && phases.contains("running"), "{phases:?}");
    assert!(phases.contains("read_at_check_in"), "{phases:?}");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [7, 42, 4_711] {
        assert_eq!(random_night(seed), random_night(seed));
    }
}
