//! Thousands of check-ins with any keys in any order: nobody is stuck, and nothing is marked that was not heard.

use std::collections::BTreeSet;

use super::tests::{duty, held, status};
use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};
use crate::base::rng::Rng;

struct World {
    seed: u64,
    rng: Rng,
    clock: TestClock,
    check_in: CheckIn,
    /// What plays, and whether it is a tone instead.
    plays: Option<(String, bool)>,
    /// Messages of which it was told that they are read.
    read: BTreeSet<DispatchId>,
    /// Messages that were played to their end, by their place.
    heard: BTreeSet<usize>,
    marked: BTreeSet<DispatchId>,
    /// The edition of each that is current, by its place, and how often one was changed.
    editions: [u32; 3],
    changed: usize,
    put_on_call: usize,
    /// What is said is taken down now; it was, and was played back.
    dictating: bool,
    played_back: bool,
    put_up: usize,
    left: Vec<Leave>,
    messages: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let clock = TestClock::at(UtcMs(0));
        let now = clock.instant();
        // For some an operator vouches.
        let vouched = seed.is_multiple_of(5).then(|| ContactId::named("ada"));
        let check_in = vouched.map_or_else(|| CheckIn::new(now), |contact| CheckIn::vouched(now, contact));
        let mut world = Self {
            seed,
            rng: Rng::seeded(seed),
            clock,
            check_in,
            plays: None,
            read: BTreeSet::new(),
            heard: BTreeSet::new(),
            marked: BTreeSet::new(),
            editions: [1; 3],
            changed: 0,
            put_on_call: 0,
            dictating: false,
            played_back: false,
            put_up: 0,
            left: vec![],
            messages: 0,
        };
        world.carry_out(None);
        world
    }

    fn tell(&mut self, input: Input) {
        let key = if let Input::Digit(key) = input { Some(key) } else { None };
        if let (Input::PlayDone, Some((text, false))) =
            (&input, self.plays.take_if(|_| matches!(input, Input::PlayDone)))
        {
            self.heard.extend((1..=self.messages).filter(|n| text.contains(&format!("From caller {n}."))));
        }
        if let (Input::Unspoken, Some((_, tone))) = (&input, &mut self.plays) {
            *tone = true;
        }
        self.check_in.handle(self.clock.instant(), input);
        self.carry_out(key);
    }

    fn carry_out(&mut self, key: Option<char>) {
        let seed = self.seed;
        while let Some(output) = self.check_in.poll_output() {
            assert!(self.left.is_empty(), "seed {seed}: {output:?} after the end");
            match output {
                Output::Play(Speech::Spoken { text }) => {
                    let told = |n: &usize| self.read.contains(&held(3)[n - 1].dispatch);
                    let all = (1..=3).filter(|n| text.contains(&format!("From caller {n}."))).all(|n| told(&n));
                    assert!(all, "seed {seed}: read, and not told to be: {text}");
                    assert!(self.plays.replace((text, false)).is_none(), "seed {seed}: two things are said at once");
                }
                Output::Play(other) => {
                    assert!(self.plays.replace((format!("{other:?}"), false)).is_none(), "seed {seed}: two at once");
                }
                Output::Dictate(on) => {
                    assert_ne!(std::mem::replace(&mut self.dictating, on), on, "seed {seed}: said twice");
                    assert!(!on || self.plays.is_none(), "seed {seed}: our own words are taken down");
                    self.played_back = false;
                    if !on && self.rng.below(4) > 0 {
                        let spoken = self.rng.below(4) > 0;
                        self.tell(Input::Dictated(spoken));
                    }
                }
                Output::PlayDictated => {
                    assert!(self.plays.replace(("theirs".into(), false)).is_none(), "seed {seed}: two at once");
                    self.played_back = true;
                }
                Output::PutUpGreeting { until_morning } => {
                    assert_eq!(key, Some(if until_morning { '3' } else { '1' }), "seed {seed}: put up without the key");
                    assert!(self.played_back, "seed {seed}: put up unheard");
                    self.put_up += 1;
                    let up = (self.rng.below(3) > 0).then(status);
                    self.tell(Input::GreetingUp(up));
                }
                Output::TakeDownGreeting => {
                    assert_eq!(key, Some('2'), "seed {seed}: taken down without the key");
                    let done = self.rng.below(3) > 0;
                    self.tell(Input::GreetingDown(done));
                }
                Output::Read { dispatch } => {
                    assert!(!self.read.contains(&dispatch), "seed {seed}: on record, and asked for again");
                    match self.rng.below(20) {
                        0 => {}
                        1 => self.tell(Input::ReadNoted(false)),
                        _ => {
                            self.read.insert(dispatch);
                            self.tell(Input::ReadNoted(true));
                        }
                    }
                }
                Output::StopPlay => assert!(self.plays.take().is_some(), "seed {seed}: stops what does not play"),
                Output::Look { .. } | Output::Vouched { .. } => {
                    let looked = match self.rng.below(4) {
                        0 => Looked::Refused,
                        1 if self.rng.below(8) == 0 => Looked::Failed,
                        _ => {
                            self.messages = usize::try_from(self.rng.below(4)).expect("small");
                            let hand_off = self.rng.below(2) == 0;
                            let duties = vec![duty("technician", hand_off), duty("manager", !hand_off)];
                            let held = held(self.messages);
                            let status = (self.rng.below(2) == 0).then(status);
                            let morning = "Friday at 8 a.m.".to_owned();
                            let who = "Ada".into();
                            Looked::Welcome(Box::new(Welcome {
                                contact: None,
                                vouched_by: None,
                                who,
                                held,
                                duties,
                                status,
                                morning,
                            }))
                        }
                    };
                    if self.rng.below(10) > 0 {
                        self.tell(Input::Looked(looked));
                    }
                }
                Output::Mark { dispatch, edition } => {
                    assert_eq!(key, Some('2'), "seed {seed}: marked without the key");
                    let n = held(3).iter().position(|held| held.dispatch == dispatch).expect("one of them") + 1;
                    assert!(self.heard.contains(&n), "seed {seed}: marked and not heard: {n} of {:?}", self.heard);
                    assert_eq!(edition, self.editions[n - 1], "seed {seed}: marked by words of before a change");
                    match self.rng.below(8) {
                        0 => {}
                        1 => self.tell(Input::Marked(Marked::Failed)),
                        2 => {
                            self.editions[n - 1] += 1;
                            self.changed += 1;
                            self.heard.remove(&n);
                            let now = Held { edition: edition + 1, ..held(n).remove(n - 1) };
                            self.tell(Input::Marked(Marked::Changed(Box::new(now))));
                        }
                        _ => {
                            assert!(self.marked.insert(dispatch), "seed {seed}: marked twice");
                            self.tell(Input::Marked(Marked::Noted));
                        }
                    }
                }
                Output::PutOnCall { span, .. } => {
                    assert_eq!(key, Some('1'), "seed {seed}: put on call without the key");
                    assert!(!matches!(span, Span::Hours(0)), "seed {seed}");
                    self.put_on_call += 1;
                    let done = self.rng.below(3) > 0;
                    self.tell(Input::PutOnCall(done));
                }
                Output::Leave(leave) => self.left.push(leave),
            }
        }
        let over = !self.left.is_empty();
        assert!(!over || (self.plays.is_none() && !self.dictating), "seed {seed}: goes on");
        assert_eq!(self.check_in.poll_timeout().is_none(), over, "seed {seed}: waits for nothing, or for ever");
    }

    fn step(&mut self) {
        match self.rng.below(12) {
            0..=4 => {
                let keys = ['1', '2', '2', '3', '4', '5', '7', '9', '0', '*', '#', '8'];
                let key = keys[usize::try_from(self.rng.below(12)).expect("small")];
                // Most do not want to be rid of it so soon.
                if !matches!(key, '0' | '*') || self.rng.below(6) == 0 {
                    self.tell(Input::Digit(key));
                }
            }
            5..=8 => self.tell(Input::PlayDone),
            9 if self.rng.below(12) == 0 => self.tell(Input::Unspoken),
            10 => self.tell(Input::Marked(Marked::Noted)),
            _ => {
                let ms = self.rng.below(9_000);
                self.clock.advance(Duration::from_millis(ms));
                self.tell(Input::Tick);
            }
        }
    }
}

#[test]
fn whatever_keys_come_nobody_is_stuck_and_nothing_is_marked_that_was_not_heard() {
    let (mut marked, mut changed, mut put_on_call, mut to_operators, mut put_up) = (0, 0, 0, 0, 0);
    for seed in 0..4_000 {
        let mut world = World::new(seed);
        for _ in 0..150 {
            if world.left.is_empty() {
                world.step();
            }
        }
        marked += world.marked.len();
        changed += world.changed;
        put_on_call += world.put_on_call;
        put_up += world.put_up;
        // Whoever says no more comes to an end by time alone.
        for _ in 0..60 {
            if let Some(at) = world.check_in.poll_timeout() {
                world.clock.advance(at.saturating_duration_since(world.clock.instant()));
                world.tell(Input::Tick);
            }
        }
        assert_eq!(world.left.len(), 1, "seed {seed}: {:?}", world.check_in);
        to_operators += usize::from(world.left == [Leave::Operator]);
        for input in [Input::Digit('2'), Input::PlayDone, Input::Tick, Input::Marked(Marked::Noted)] {
            world.tell(input);
        }
    }
    assert!(
        marked > 200 && changed > 30 && put_on_call > 20 && to_operators > 100 && put_up > 20,
        "the seeds reach what there is: {marked} {changed} {put_on_call} {to_operators} {put_up}"
    );
}
