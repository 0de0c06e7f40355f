//! Lanes on simulated time: what goes first, what waits and for how long, and random nights against the promises.

use std::collections::BTreeMap;

use super::*;
use crate::base::rng::Rng;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn rates(pace: Pace, to_one: Option<Pace>) -> Rates {
    Rates { channels: BTreeMap::from([(Channel::Text, ChannelRates { pace, to_one })]), providers: BTreeMap::new() }
}

fn ready(name: &str, to: &str, lane: Lane, due: UtcMs) -> Ready {
    Ready {
        attempt: AttemptId::named(name),
        dispatch: DispatchId::named(name),
        edge: Edge { channel: Channel::Text, provider: None },
        to: Pii::new(to.to_owned()),
        lane,
        due,
        known: false,
        lasts_ms: MINUTE,
        joins: None,
    }
}

/// Lanes with a provider that answers after a while.
struct Night {
    lanes: Lanes,
    now: UtcMs,
    answers_after_ms: i64,
    answers: Vec<(UtcMs, AttemptId)>,
    /// What was handed over, and when.
    handed: Vec<(i64, String)>,
}

impl Night {
    fn with(rates: Rates, answers_after_ms: i64) -> Self {
        let lanes = Lanes::new(rates);
        Self { lanes, now: UtcMs(0), answers_after_ms, answers: Vec::new(), handed: Vec::new() }
    }

    fn puts(&mut self, name: &str, to: &str, lane: Lane) {
        let ready = ready(name, to, lane, self.now);
        self.lanes.handle(self.now, Input::Ready(ready));
        self.hand_over();
    }

    fn hand_over(&mut self) {
        while let Some(Named { attempt, .. }) = self.lanes.poll_output() {
            let name = attempt.as_str().trim_start_matches("att_").to_owned();
            self.handed.push((self.now.0, name));
            self.answers.push((self.now.plus_ms(self.answers_after_ms), attempt));
        }
        while self.lanes.poll_held(self.now).is_some() {}
        let next = self.lanes.poll_timeout().map(|(at, _)| at);
        assert!(next.is_none_or(|at| at > self.now), "woken without end at {}", self.now);
    }

    fn until(&mut self, end: i64) {
        loop {
            let answer = self.answers.iter().map(|(at, _)| *at).min();
            let wake = self.lanes.poll_timeout().map(|(at, _)| at);
            let Some(at) = [answer, wake].into_iter().flatten().min().filter(|at| at.0 <= end) else { break };
            self.now = self.now.max(at);
            match self.answers.iter().position(|(due, _)| *due <= self.now) {
                Some(first) => {
                    let (_, attempt) = self.answers.remove(first);
                    self.lanes.handle(self.now, Input::Over(attempt));
                }
                None => self.lanes.handle(self.now, Input::Due),
            }
            self.hand_over();
        }
        self.now = UtcMs(end);
    }

    /// When it was handed over.
    fn at(&self, name: &str) -> Option<i64> {
        self.handed.iter().find(|(_, handed)| handed == name).map(|(at, _)| *at)
    }
}

const USUAL: Pace = Pace { per_minute: 60, burst: 10, at_once: 8 };

#[test]
fn an_urgent_text_goes_at_once_though_five_hundred_routine_ones_wait() {
    let mut night = Night::with(rates(USUAL, None), 200);
    for n in 0..500 {
        night.puts(&format!("r{n:03}"), &format!("person {n}"), Lane::Routine);
    }
    night.until(30 * SECOND);
    let before = night.handed.len();
    night.puts("u", "doctor", Lane::Urgent);
    assert_eq!(night.at("u"), Some(30 * SECOND), "at once");
    assert_eq!(night.handed.len(), before + 1, "and it was the next");
    night.until(600 * SECOND);
    assert_eq!(night.handed.len(), 501, "nothing is lost");
    let order: Vec<&str> = night.handed.iter().map(|(_, name)| name.as_str()).filter(|name| *name != "u").collect();
    assert!(order.is_sorted(), "by the time they were due");
}

#[test]
fn a_rate_is_kept_over_the_hour() {
    let mut night = Night::with(rates(USUAL, None), 200);
    for n in 0..5_000 {
        night.puts(&format!("r{n}"), &format!("person {}", n % 100), Lane::Routine);
    }
    night.until(60 * MINUTE);
    let most = 60 * 60 + i64::from(USUAL.burst) + 1;
    let handed = i64::try_from(night.handed.len()).expect("few");
    assert!((most - 15..=most).contains(&handed), "{handed} in an hour");
}

#[test]
fn routine_ones_go_on_through_an_hour_of_urgent_ones_which_wait_for_none_of_them() {
    let mut with = Night::with(rates(USUAL, None), 200);
    let mut alone = Night::with(rates(USUAL, None), 200);
    for n in 0..100 {
        with.puts(&format!("r{n:03}"), "office", Lane::Routine);
    }
    // More than there is room for.
    for n in 0..3_600_i64 {
        for night in [&mut with, &mut alone] {
            night.until(n * SECOND);
            night.puts(&format!("u{n:04}"), &format!("doctor {n}"), Lane::Urgent);
        }
    }
    let urgent = |night: &Night| {
        let urgent = night.handed.iter().filter(|(_, name)| name.starts_with('u'));
        urgent.cloned().collect::<Vec<_>>()
    };
    let routine = with.handed.len() - urgent(&with).len();
    assert!(routine >= 100, "{routine} routine ones in the hour");
    // Burst and what was taken of it before aside, the urgent go as if there were no others.
    let late = urgent(&with).iter().zip(urgent(&alone)).map(|((with, _), (alone, _))| with - alone).max();
    assert!(late.is_some_and(|ms| ms <= 10 * SECOND), "{late:?} ms later than without them");
}

#[test]
fn a_provider_that_is_slow_for_an_hour_keeps_places_for_what_is_urgent() {
    // Each takes 45 s, so that eight at once are 10 a minute.
    let mut night = Night::with(rates(USUAL, None), 45 * SECOND);
    for n in 0..400 {
        night.puts(&format!("r{n:03}"), &format!("person {n}"), Lane::Routine);
    }
    for n in 1..60 {
        let at = n * MINUTE + 7 * SECOND;
        night.until(at);
        let name = format!("u{n}");
        night.puts(&name, "doctor", Lane::Urgent);
        assert_eq!(night.at(&name), Some(at), "minute {n}");
    }
    night.until(90 * MINUTE);
    assert_eq!(night.handed.len(), 459);
}

#[test]
fn a_slow_provider_holds_up_no_other() {
    let mut night = Night::with(rates(USUAL, None), 45 * SECOND);
    for n in 0..50 {
        night.puts(&format!("r{n}"), &format!("person {n}"), Lane::Routine);
    }
    let mut other = ready("other", "person 1", Lane::Routine, night.now);
    other.edge.provider = Some("second".to_owned());
    night.lanes.handle(night.now, Input::Ready(other));
    night.hand_over();
    assert_eq!(night.at("other"), Some(0));
}

#[test]
fn a_person_who_is_flooded_waits_and_delays_nobody_else() {
    let to_one = Pace { per_minute: 6, burst: 4, at_once: 4 };
    let mut night = Night::with(rates(USUAL, Some(to_one)), 200);
    for n in 0..40 {
        night.puts(&format!("f{n:02}"), "ben", Lane::Routine);
    }
    night.until(2 * SECOND);
    assert!(night.handed.len() <= 5, "{:?}", night.handed);
    night.puts("ada", "ada", Lane::Routine);
    night.puts("u", "ben", Lane::Urgent);
    assert_eq!((night.at("ada"), night.at("u")), (Some(2 * SECOND), Some(2 * SECOND)));
    night.until(10 * MINUTE);
    let order: Vec<&String> = night.handed.iter().map(|(_, name)| name).filter(|name| name.starts_with('f')).collect();
    assert!(order.is_sorted());
    assert_eq!(order.len(), 40, "and all of them come");
}

#[test]
fn destinations_have_their_turns() {
    let slow = Pace { per_minute: 60, burst: 2, at_once: 4 };
    let mut night = Night::with(rates(slow, None), 100);
    for n in 0..50 {
        night.puts(&format!("f{n:02}"), "ben", Lane::Routine);
    }
    night.until(5 * SECOND);
    for name in ["ada", "olive", "roe"] {
        night.puts(name, name, Lane::Routine);
    }
    night.until(12 * SECOND);
    for name in ["ada", "olive", "roe"] {
        assert!(night.at(name).is_some(), "{name} waits behind the fifty for Ben: {:?}", night.handed);
    }
}

#[test]
fn what_is_not_wanted_any_more_leaves_its_lane_and_what_becomes_urgent_changes_it() {
    let mut night = Night::with(rates(Pace { per_minute: 1, burst: 2, at_once: 2 }, None), 100);
    for name in ["a", "b", "c", "d"] {
        night.puts(name, name, Lane::Routine);
    }
    let waits = |night: &Night| night.lanes.figures().iter().map(|lane| lane.waiting).collect::<Vec<_>>();
    let before = waits(&night);
    let gone = Input::Dispatch { id: DispatchId::named("d"), waiting: vec![], under_way: vec![] };
    night.lanes.handle(night.now, gone);
    assert_eq!(waits(&night)[1], before[1] - 1);
    let waiting = vec![(AttemptId::named("c"), Lane::Urgent)];
    night.lanes.handle(night.now, Input::Dispatch { id: DispatchId::named("c"), waiting, under_way: vec![] });
    night.hand_over();
    assert_eq!(night.at("c"), Some(0), "urgent now");
    night.until(10 * MINUTE);
    assert_eq!(night.at("d"), None);
}

#[test]
fn what_was_let_through_and_not_handed_over_costs_nothing() {
    let mut lanes = Lanes::new(rates(Pace { per_minute: 1, burst: 2, at_once: 2 }, None));
    let now = UtcMs(0);
    for n in 0..20 {
        let name = format!("u{n}");
        lanes.handle(now, Input::Ready(ready(&name, "ben", Lane::Urgent, now)));
        assert!(lanes.poll_output().is_some(), "{name}");
        assert!(lanes.has(&AttemptId::named(&name)));
        lanes.handle(now, Input::NotHanded(AttemptId::named(&name)));
        assert!(!lanes.has(&AttemptId::named(&name)));
    }
}

#[test]
fn what_is_never_heard_of_again_gives_its_place_back() {
    let mut night = Night::with(rates(Pace { per_minute: 600, burst: 20, at_once: 2 }, None), 100 * MINUTE);
    for n in 0..3 {
        night.puts(&format!("u{n}"), "ben", Lane::Urgent);
    }
    assert_eq!((night.at("u0"), night.at("u1")), (Some(0), None));
    night.until(3 * MINUTE);
    assert_eq!((night.at("u1"), night.at("u2")), (Some(MINUTE), Some(2 * MINUTE)));
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let mut lanes = Lanes::new(rates(Pace { per_minute: 60, burst: 2, at_once: 8 }, None));
    let late = UtcMs(60 * MINUTE);
    for n in 0..3 {
        lanes.handle(late, Input::Ready(ready(&format!("u{n}"), "ben", Lane::Urgent, late)));
    }
    let mut handed = 0;
    for ms in 0..3_000 {
        lanes.handle(UtcMs(ms), Input::Due);
        while lanes.poll_output().is_some() {
            handed += 1;
        }
    }
    assert_eq!(handed, 3);
}

#[test]
fn what_waits_for_long_is_told_once() {
    let mut lanes = Lanes::new(rates(Pace { per_minute: 1, burst: 2, at_once: 2 }, None));
    let now = UtcMs(0);
    for name in ["a", "b", "c", "d"] {
        lanes.handle(now, Input::Ready(ready(name, "ben", Lane::Routine, now)));
    }
    while lanes.poll_output().is_some() {}
    assert_eq!(lanes.poll_held(now.plus_ms(SHOWN_AFTER_MS - 1)), None);
    let mut held = Vec::new();
    while let Some(Named { attempt, .. }) = lanes.poll_held(now.plus_ms(SHOWN_AFTER_MS)) {
        held.push(attempt.as_str().to_owned());
    }
    assert_eq!(held, ["att_b", "att_c", "att_d"]);
    assert_eq!(lanes.poll_held(now.plus_ms(MINUTE)), None);
}

/// Random arrivals, answers and withdrawals: nothing is lost or let through twice, and no rate and no bound is broken.
fn random_night(seed: u64) {
    let mut rng = Rng::seeded(seed);
    let small = |rng: &mut Rng, most: u64| u32::try_from(rng.below(most)).expect("small");
    let pace =
        Pace { per_minute: 1 + small(&mut rng, 300), burst: 2 + small(&mut rng, 20), at_once: 2 + small(&mut rng, 10) };
    let to_one = (rng.below(2) == 0).then(|| Pace { per_minute: 1 + small(&mut rng, 60), burst: 3, at_once: 3 });
    let mut lanes = Lanes::new(rates(pace, to_one));
    let mut now = UtcMs(0);
    let (mut wanted, mut handed, mut under_way) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    for n in 0..600 {
        now = now.plus_ms(i64::try_from(rng.below(2_000)).expect("small"));
        match rng.below(6) {
            0..=2 => {
                let lane = if rng.below(4) == 0 { Lane::Urgent } else { Lane::Routine };
                let to = format!("p{}", rng.below(6));
                let ready = ready(&format!("{n}"), &to, lane, now);
                wanted.insert(ready.attempt.clone());
                // The same again changes nothing.
                lanes.handle(now, Input::Ready(ready.clone()));
                lanes.handle(now, Input::Ready(ready));
            }
            3 | 4 => {
                if let Some(attempt) = under_way.pop_first() {
                    lanes.handle(now, Input::Over(attempt));
                }
            }
            _ => {
                let waiting = wanted.iter().find(|attempt| !handed.contains_key(*attempt)).cloned();
                if let Some(attempt) = waiting.filter(|_| rng.below(3) == 0) {
                    let id = DispatchId::named(attempt.as_str().trim_start_matches("att_"));
                    lanes.handle(now, Input::Dispatch { id, waiting: vec![], under_way: vec![] });
                    wanted.remove(&attempt);
                }
            }
        }
        lanes.handle(now, Input::Due);
        while let Some(Named { attempt, .. }) = lanes.poll_output() {
            assert!(wanted.contains(&attempt), "seed {seed}: {attempt} was taken out");
            assert!(handed.insert(attempt.clone(), now).is_none(), "seed {seed}: {attempt} twice");
            under_way.insert(attempt);
        }
        // What nobody answers is over after a minute.
        under_way.retain(|attempt| now.since(handed[attempt]) < MINUTE);
        assert!(under_way.len() <= pace.at_once as usize, "seed {seed}: {} under way", under_way.len());
        while lanes.poll_held(now).is_some() {}
        assert!(lanes.poll_timeout().is_none_or(|(at, _)| at > now), "seed {seed}: woken without end");
    }
    let most = i64::from(pace.burst) + 1 + now.0 * i64::from(pace.per_minute) / MINUTE + 1;
    assert!(i64::try_from(handed.len()).expect("few") <= most, "seed {seed}: {} handed, {most} at most", handed.len());
    // Whatever waits leaves, given time.
    for _ in 0..20_000 {
        let Some((at, _)) = lanes.poll_timeout() else { break };
        now = now.max(at);
        lanes.handle(now, Input::Due);
        while let Some(Named { attempt, .. }) = lanes.poll_output() {
            assert!(handed.insert(attempt, now).is_none());
        }
        while lanes.poll_held(now).is_some() {}
    }
    let left: Vec<_> = wanted.iter().filter(|attempt| !handed.contains_key(*attempt)).collect();
    assert!(left.is_empty(), "seed {seed}: {left:?} never left");
    assert!(lanes.figures().iter().all(|lane| lane.waiting == 0 && lane.oldest.is_none()), "seed {seed}");
    assert!(lanes.of_dispatch.is_empty() && lanes.ends.is_empty() && lanes.unshown.is_empty(), "seed {seed}: leaked");
}

#[test]
fn random_nights_keep_the_promises() {
    for seed in 0..300 {
        random_night(seed);
    }
}

/// A routine text of this account that may join others.
fn joining(name: &str, to: &str, account: &str, due: UtcMs) -> Ready {
    Ready { joins: Some(AccountId::named(account)), ..ready(name, to, Lane::Routine, due) }
}

/// All that has its turn by now: its name, and whose turn it has where that is not its own alone.
fn turns(lanes: &mut Lanes) -> Vec<(String, Option<String>)> {
    let name = |attempt: &AttemptId| attempt.as_str().trim_start_matches("att_").to_owned();
    let named = |named: Named| (name(&named.attempt), named.along.as_ref().map(name));
    std::iter::from_fn(|| lanes.poll_output()).map(named).collect()
}

fn alone(name: &str) -> (String, Option<String>) {
    (name.to_owned(), None)
}

fn along(name: &str, first: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(first.to_owned()))
}

/// A text a minute to one person, after the first two.
const SLOW: Pace = Pace { per_minute: 1, burst: 2, at_once: 8 };

#[test]
fn what_has_waited_for_one_person_has_one_turn_together_and_pays_once() {
    let mut lanes = Lanes::new(rates(USUAL, Some(SLOW)));
    for n in 0..8 {
        lanes.handle(UtcMs(0), Input::Ready(joining(&format!("r{n}"), "ben", "one", UtcMs(n))));
    }
    assert_eq!(turns(&mut lanes), [alone("r0"), alone("r1")], "what finds room is nobody's company");
    lanes.handle(UtcMs(10 * MINUTE), Input::Due);
    let went = turns(&mut lanes);
    assert_eq!(went[..4], [along("r2", "r2"), along("r3", "r2"), along("r4", "r2"), along("r5", "r2")]);
    assert_eq!(went[4..], [along("r6", "r6"), along("r7", "r6")], "four are enough for a text");
    for n in 0..8 {
        lanes.handle(UtcMs(10 * MINUTE), Input::Over(AttemptId::named(&format!("r{n}"))));
        assert!(!lanes.has(&AttemptId::named(&format!("r{n}"))));
    }
}

#[test]
fn what_may_join_others_by_what_is_known_later_does() {
    let mut lanes = Lanes::new(rates(USUAL, Some(SLOW)));
    for n in 0..5 {
        lanes.handle(UtcMs(0), Input::Ready(ready(&format!("r{n}"), "ben", Lane::Routine, UtcMs(n))));
    }
    assert_eq!(turns(&mut lanes), [alone("r0"), alone("r1")]);
    for name in ["r0", "r2", "r4"] {
        lanes.handle(UtcMs(1), Input::Joins(AttemptId::named(name), AccountId::named("one")));
    }
    assert_eq!(turns(&mut lanes), [], "what has left is not put in line by it");
    lanes.handle(UtcMs(10 * MINUTE), Input::Due);
    assert_eq!(turns(&mut lanes), [along("r2", "r2"), along("r4", "r2"), alone("r3")]);
}

#[test]
fn what_is_another_accounts_or_persons_or_urgent_or_of_the_same_dispatch_or_wants_to_be_alone_joins_nothing() {
    let mut lanes = Lanes::new(rates(Pace { per_minute: 600, burst: 40, at_once: 40 }, Some(SLOW)));
    for first in ["a", "b"] {
        lanes.handle(UtcMs(0), Input::Ready(joining(first, "ben", "one", UtcMs(0))));
        lanes.handle(UtcMs(0), Input::Ready(joining(&format!("{first}2"), "ada", "one", UtcMs(0))));
    }
    assert_eq!(turns(&mut lanes).len(), 4);
    let urgent = Ready { lane: Lane::Urgent, ..joining("urgent", "ben", "one", UtcMs(2)) };
    let same = Ready { dispatch: DispatchId::named("first"), ..joining("same", "ben", "one", UtcMs(3)) };
    let waits = [
        joining("first", "ben", "one", UtcMs(1)),
        urgent,
        same,
        joining("other", "ben", "two", UtcMs(4)),
        ready("code", "ben", Lane::Routine, UtcMs(5)),
        joining("ada", "ada", "one", UtcMs(6)),
    ];
    for ready in waits {
        lanes.handle(UtcMs(1), Input::Ready(ready));
    }
    let mut went = turns(&mut lanes);
    for minute in 1..30 {
        lanes.handle(UtcMs(minute * MINUTE), Input::Due);
        went.extend(turns(&mut lanes));
    }
    let mut expected = ["first", "urgent", "same", "other", "code", "ada"].map(alone);
    went.sort();
    expected.sort();
    assert_eq!(went, expected);
}

#[test]
fn one_that_is_not_wanted_any_more_leaves_the_others_their_turn() {
    let mut lanes = Lanes::new(rates(USUAL, Some(SLOW)));
    for n in 0..5 {
        lanes.handle(UtcMs(0), Input::Ready(joining(&format!("r{n}"), "ben", "one", UtcMs(n))));
    }
    assert_eq!(turns(&mut lanes).len(), 2);
    lanes.handle(UtcMs(1), Input::Dispatch { id: DispatchId::named("r3"), waiting: vec![], under_way: vec![] });
    lanes.handle(UtcMs(10 * MINUTE), Input::Due);
    assert_eq!(turns(&mut lanes), [along("r2", "r2"), along("r4", "r2")]);
}

/// What has its turn next, and when.
fn next_turns(lanes: &mut Lanes, mut now: UtcMs) -> (UtcMs, Vec<(String, Option<String>)>) {
    loop {
        let (at, _) = lanes.poll_timeout().expect("something waits");
        now = now.max(at);
        lanes.handle(now, Input::Due);
        while lanes.poll_held(now).is_some() {}
        let went = turns(lanes);
        if !went.is_empty() {
            return (now, went);
        }
    }
}

#[test]
fn what_leaves_by_itself_after_all_is_paid_for_once_and_what_follows_waits_for_that() {
    let goes_after = |apart: &[&str]| {
        let mut lanes = Lanes::new(rates(USUAL, Some(SLOW)));
        for n in 0..6 {
            lanes.handle(UtcMs(0), Input::Ready(joining(&format!("r{n}"), "ben", "one", UtcMs(n))));
        }
        assert_eq!(turns(&mut lanes).len(), 2);
        let (now, went) = next_turns(&mut lanes, UtcMs(0));
        assert_eq!(went.len(), 4);
        for name in apart.iter().chain(apart) {
            lanes.handle(now, Input::Apart(AttemptId::named(name)));
        }
        lanes.handle(now, Input::Ready(ready("next", "ben", Lane::Routine, now)));
        assert_eq!(turns(&mut lanes), []);
        let (at, went) = next_turns(&mut lanes, now);
        assert_eq!(went, [alone("next")]);
        at.since(now)
    };
    let together = goes_after(&[]);
    assert_eq!(goes_after(&["r2"]), together, "it has paid for all");
    assert!(goes_after(&["r2", "r5"]) > together + 50 * SECOND);
    assert!(goes_after(&["r2", "r3", "r4", "r5"]) > together + 150 * SECOND);
}

#[test]
fn what_leaves_by_itself_after_all_takes_no_place_of_what_is_urgent() {
    let mut lanes = Lanes::new(rates(Pace { per_minute: 600, burst: 40, at_once: 3 }, Some(SLOW)));
    for n in 0..6 {
        lanes.handle(UtcMs(0), Input::Ready(joining(&format!("r{n}"), "ben", "one", UtcMs(n))));
    }
    for (name, _) in turns(&mut lanes) {
        lanes.handle(UtcMs(1), Input::Over(AttemptId::named(&name)));
    }
    let (now, went) = next_turns(&mut lanes, UtcMs(1));
    assert_eq!(went.len(), 4);
    for (name, _) in &went {
        lanes.handle(now, Input::Apart(AttemptId::named(name)));
    }
    lanes.handle(now, Input::Ready(ready("u", "doctor", Lane::Urgent, now)));
    assert_eq!(turns(&mut lanes), [alone("u")]);
    lanes.handle(now, Input::Ready(ready("next", "ada", Lane::Routine, now)));
    assert_eq!(turns(&mut lanes), [], "its own places are taken");
    for (name, _) in &went {
        lanes.handle(now, Input::Over(AttemptId::named(name)));
    }
    assert_eq!(turns(&mut lanes), [alone("next")]);
}

#[test]
fn one_client_s_dead_system_fills_its_own_places_and_holds_back_nobody_else_s() {
    let channel = ChannelRates { pace: Pace { per_minute: 300, burst: 40, at_once: 2 }, to_one: None };
    let mut lanes =
        Lanes::new(Rates { channels: BTreeMap::from([(Channel::Webhook, channel)]), providers: BTreeMap::new() });
    let post = |name: &str, system: &str| Ready {
        edge: Edge { channel: Channel::Webhook, provider: Some(system.to_owned()) },
        lasts_ms: 60 * MINUTE,
        ..ready(name, system, Lane::Routine, UtcMs(0))
    };
    for n in 0..20 {
        lanes.handle(UtcMs(0), Input::Ready(post(&format!("d{n}"), "dead")));
    }
    assert_eq!(turns(&mut lanes).len(), 1, "one place of two is kept for what is urgent");
    for n in 0..20 {
        let name = format!("a{n}");
        lanes.handle(UtcMs(n), Input::Ready(post(&name, "alive")));
        assert_eq!(turns(&mut lanes), [alone(&name)], "at once, whatever the other does");
        lanes.handle(UtcMs(n), Input::Over(AttemptId::named(&name)));
    }
    let waiting: Vec<usize> = lanes.figures().iter().map(|lane| lane.waiting).collect();
    assert_eq!(waiting.iter().sum::<usize>(), 19, "and each of its own is still there");
}
