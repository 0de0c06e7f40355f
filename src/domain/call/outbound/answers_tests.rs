//! What may answer a call-out, played against it second by second: greetings with and without a beep, faxes, busy lines,
//! silence, and people of all kinds. Sounds are told as late as `proto/audio/far_end` tells them.

use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;
use crate::domain::call::bridge::LegId;

const LEAVE: &str = "There is a message for you. Please call back: 2, 0, 2. The reference is 1, 2, 3.";

/// What the far end does, from when to when, in ms after it answered.
#[derive(Clone, Copy, Debug)]
enum Does {
    Speaks(u64, u64),
    Beeps(u64, u64),
    Fax(u64),
    /// A busy tone from then on.
    Busy(u64),
    /// Pressed, or heard in a recording, at that time.
    Key(u64, char),
    /// Pressed so long after those words were said to their end, the how many-th time.
    Answers(Saying, u32, u64, char),
    HangsUp(u64),
}

struct Answer {
    does: Vec<Does>,
    /// From when on it takes down what is said to it, and the silence that ends it.
    records: Option<(u64, u64)>,
}

fn answer(does: &[Does]) -> Answer {
    Answer { does: does.to_vec(), records: None }
}

/// A greeting of so long, with a beep or without, then a recording that 3 s of silence end.
fn voicemail(greeting: u64, beep: bool, more: &[Does]) -> Answer {
    let mut does = vec![Does::Speaks(300, 300 + greeting)];
    let mut from = 300 + greeting;
    if beep {
        does.push(Does::Beeps(from + 400, from + 900));
        from += 900;
    }
    does.extend(more);
    Answer { does, records: Some((from, 3_000)) }
}

/// Something that was said, from when to when, and whether to its end.
#[derive(Clone, Copy, Debug)]
struct Said {
    what: Saying,
    from: u64,
    to: u64,
    whole: bool,
}

struct Heard {
    said: Vec<Said>,
    events: Vec<OutboundEvent>,
    end: OutboundEnd,
}

impl Heard {
    fn of(&self, what: Saying) -> Vec<Said> {
        self.said.iter().filter(|said| said.what == what).copied().collect()
    }

    fn has(&self, event: OutboundEvent) -> bool {
        self.events.contains(&event)
    }

    /// What is left was said whole, behind this time.
    fn left_after(&self, at: u64) -> Option<Said> {
        self.of(Saying::Leave).into_iter().find(|said| said.whole && said.from >= at)
    }
}

/// What it takes to say.
fn length(what: Saying) -> u64 {
    match what {
        Saying::Intro => 6_000,
        Saying::Check => 2_000,
        Saying::Content => 20_000,
        Saying::Question => 4_000,
        Saying::Leave => 14_000,
        Saying::Thanks | Saying::Handled => 2_500,
        Saying::Pin | Saying::WrongPin | Saying::Refused | Saying::Connecting | Saying::Back(_) => {
            unreachable!("no reading here asks for a PIN or has a caller")
        }
    }
}

fn what(reading: &Reading, said: &Speech) -> Saying {
    let all = [Saying::Intro, Saying::Check, Saying::Content, Saying::Question, Saying::Leave, Saying::Thanks];
    all.into_iter().find(|what| speech(reading, *what, false).as_ref() == Some(said)).expect("words that are known")
}

/// What is told of the sounds, in order.
fn told(does: &[Does]) -> Vec<(u64, OutboundInput)> {
    let mut told = Vec::new();
    let mut quiet = Vec::new();
    let heard = |heard| OutboundInput::Heard(heard);
    for one in does {
        match *one {
            Does::Speaks(from, to) => {
                told.push((from + 100, heard(super::Heard::Voice)));
                quiet.push(to);
            }
            Does::Beeps(from, to) => {
                told.push((from + 140, heard(super::Heard::Tone)));
                told.push((to + 80, heard(super::Heard::Beep)));
            }
            Does::Fax(from) => {
                told.push((from + 140, heard(super::Heard::Tone)));
                told.push((from + 1_000, heard(super::Heard::Fax)));
            }
            Does::Busy(from) => told.push((from + 2_600, heard(super::Heard::Busy))),
            Does::Key(at, key) => told.push((at, OutboundInput::Leg(LegInput::Digit(key)))),
            Does::HangsUp(at) => told.push((at, OutboundInput::Leg(LegInput::Ended(Cause::HungUp)))),
            Does::Answers(..) => {}
        }
    }
    // Silence is told if nothing follows within the time it takes.
    let begins = |at: u64| {
        does.iter().any(|one| match *one {
            Does::Speaks(from, _) | Does::Beeps(from, _) => (at..at + 600).contains(&from),
            _ => false,
        })
    };
    told.extend(quiet.into_iter().filter(|at| !begins(*at)).map(|at| (at + 600, heard(super::Heard::Quiet))));
    told.sort_by_key(|(at, _)| *at);
    told
}

/// Plays an answer against a call-out with `leave`; all that happened.
fn play(answer: &Answer, leave: Option<&str>) -> Heard {
    let clock = TestClock::at(UtcMs(0));
    let start = clock.instant();
    let reading = Reading {
        intro: "Intro.".into(),
        content: Some("Content.".into()),
        leave: leave.map(str::to_owned),
        ..Reading::default()
    };
    let setup = OutboundSetup {
        leg: LegId(1),
        to: PhoneNumber::parse("+12025550190").expect("a valid number"),
        ring: Duration::from_secs(30),
        longest_talk: None,
        first: reading.clone(),
    };
    let mut call = Outbound::new(start, setup);
    let mut todo = told(&answer.does);
    let (mut said, mut events): (Vec<Said>, Vec<OutboundEvent>) = (Vec::new(), Vec::new());
    let (mut playing, mut now, mut spoke_at): (Option<(u64, Said)>, u64, u64) = (None, 0, 0);
    let mut inputs = vec![OutboundInput::Start, OutboundInput::Leg(LegInput::Answered)];
    loop {
        for input in std::mem::take(&mut inputs) {
            call.handle(start + Duration::from_millis(now), input);
        }
        while let Some(output) = call.poll_output() {
            match output {
                OutboundOutput::Play { play, speech, .. } => {
                    let what = what(&reading, &speech);
                    playing = Some((play, Said { what, from: now, to: now + length(what), whole: true }));
                }
                OutboundOutput::StopPlay { .. } | OutboundOutput::HangUp { .. } => {
                    if let Some((_, cut)) = playing.take() {
                        said.push(Said { to: now, whole: false, ..cut });
                        spoke_at = now;
                    }
                }
                OutboundOutput::Event { event, .. } => events.push(event),
                _ => {}
            }
        }
        if let Some(OutboundEvent::Ended(end)) = events.last() {
            let end = *end;
            return Heard { said, events, end };
        }
        assert!(now < 600_000, "it never ends: {said:?}");
        let silent = answer.records.filter(|_| playing.is_none()).map(|(from, limit)| from.max(spoke_at) + limit);
        let tick = call.poll_timeout().map(|at| u64::try_from((at - start).as_millis()).expect("small"));
        let done = playing.map(|(_, said)| said.to);
        let next = [silent, tick, done, todo.first().map(|(at, _)| *at)].into_iter().flatten().min();
        now = next.expect("something comes").max(now);
        if let Some((play, whole)) = playing.filter(|(_, said)| said.to <= now) {
            playing = None;
            said.push(whole);
            spoke_at = now;
            let count = said.iter().filter(|one| one.what == whole.what && one.whole).count();
            for one in &answer.does {
                if let Does::Answers(to, nth, after, key) = *one
                    && to == whole.what
                    && usize::try_from(nth) == Ok(count)
                {
                    todo.push((now + after, OutboundInput::Leg(LegInput::Digit(key))));
                }
            }
            todo.sort_by_key(|(at, _)| *at);
            inputs.push(OutboundInput::PlayDone { play });
        } else if todo.first().is_some_and(|(at, _)| *at <= now) {
            inputs.push(todo.remove(0).1);
        } else if silent.is_some_and(|at| at <= now) && tick.is_none_or(|at| at > now) {
            inputs.push(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
        } else {
            inputs.push(OutboundInput::Tick);
        }
    }
}

#[test]
fn greetings_of_5_to_40_s_hear_nothing_of_the_message_and_are_left_the_whole_request() {
    for greeting in (5_000..=40_000).step_by(500) {
        for beep in [true, false] {
            let machine = voicemail(greeting, beep, &[]);
            let (records, silence) = machine.records.expect("it records");
            let heard = play(&machine, Some(LEAVE));
            let case = format!("a greeting of {greeting} ms, beep: {beep}: {:?}", heard.said);
            assert!(heard.of(Saying::Content).is_empty(), "{case}");
            assert!(!heard.has(OutboundEvent::Told) && !heard.has(OutboundEvent::Confirmed), "{case}");
            let left = heard.left_after(records).unwrap_or_else(|| panic!("nothing is left: {case}"));
            assert!(left.from - records < silence, "the machine has hung up: {case}");
            assert_eq!(heard.end, OutboundEnd::LeftOnMachine, "{case}");
        }
    }
}

#[test]
fn behind_25_s_of_greeting_a_beep_and_3_s_of_silence_the_request_is_whole_from_its_first_word() {
    let machine = voicemail(25_000, true, &[]);
    let heard = play(&machine, Some(LEAVE));
    let records = 300 + 25_000 + 900;
    let after: Vec<Said> = heard.said.iter().filter(|said| said.to > records).copied().collect();
    assert_eq!(after.len(), 1, "the recording holds the request alone: {:?}", heard.said);
    assert!(after[0].what == Saying::Leave && after[0].whole, "{after:?}");
    assert!((records..records + 1_000).contains(&after[0].from), "{after:?}");
}

#[test]
fn a_greeting_that_pauses_is_left_the_request_behind_its_end() {
    let machine = Answer {
        does: vec![
            Does::Speaks(300, 6_300),
            Does::Speaks(8_800, 15_000),
            Does::Speaks(17_500, 22_000),
            Does::Beeps(24_600, 25_000),
        ],
        records: Some((25_000, 3_000)),
    };
    let heard = play(&machine, Some(LEAVE));
    assert!(heard.left_after(25_000).is_some() && heard.of(Saying::Content).is_empty(), "{:?}", heard.said);
    assert_eq!(heard.end, OutboundEnd::LeftOnMachine);
}

#[test]
fn a_key_in_a_greeting_lets_nothing_of_the_message_onto_the_recording() {
    for greeting in (5_000..=40_000).step_by(2_500) {
        for beep in [true, false] {
            for key in (400..greeting).step_by(700) {
                let machine = voicemail(greeting, beep, &[Does::Key(key, '1'), Does::Key(key + 300, '1')]);
                let (records, _) = machine.records.expect("it records");
                let heard = play(&machine, Some(LEAVE));
                let case = format!("{greeting} ms, beep: {beep}, 1 at {key} ms: {:?}", heard.said);
                assert!(heard.of(Saying::Content).iter().all(|said| said.to <= records), "{case}");
                assert!(!heard.has(OutboundEvent::Told) && !heard.has(OutboundEvent::Confirmed), "{case}");
                assert!(heard.left_after(records).is_some(), "nothing is left: {case}");
            }
        }
    }
}

#[test]
fn fax_busy_and_silence_are_told_apart_and_hear_nothing_of_the_message() {
    let cases = [
        (answer(&[Does::Fax(1_500)]), OutboundEnd::Fax),
        (answer(&[Does::Busy(200)]), OutboundEnd::NotReached(Cause::Busy)),
        (answer(&[]), OutboundEnd::Silent),
        (answer(&[Does::HangsUp(4_000)]), OutboundEnd::Silent),
        (answer(&[Does::Speaks(300, 900), Does::HangsUp(4_000)]), OutboundEnd::NotAccepted),
        (answer(&[Does::Speaks(300, 12_000), Does::HangsUp(13_000)]), OutboundEnd::Machine),
    ];
    for (answer, end) in cases {
        let heard = play(&answer, Some(LEAVE));
        assert_eq!(heard.end, end, "{:?}: {:?}", answer.does, heard.said);
        assert!(heard.of(Saying::Content).is_empty() && !heard.has(OutboundEvent::Confirmed), "{:?}", answer.does);
        let quick = heard.said.iter().all(|said| said.to <= 5_000);
        assert!(quick || end == OutboundEnd::Silent || end == OutboundEnd::Machine, "{end:?}: {:?}", heard.said);
    }
}

#[test]
fn where_nothing_is_to_be_left_a_machine_is_hung_up_on() {
    for beep in [true, false] {
        let heard = play(&voicemail(9_000, beep, &[]), None);
        assert_eq!(heard.end, OutboundEnd::Machine, "{:?}", heard.said);
        assert!(heard.said.iter().all(|said| said.what == Saying::Intro), "{:?}", heard.said);
    }
}

#[test]
fn people_hear_and_confirm_however_they_answer() {
    let confirms = Does::Answers(Saying::Question, 1, 900, '1');
    let cases: [(&str, &[Does]); 7] = [
        ("says hello", &[Does::Speaks(300, 1_000), Does::Answers(Saying::Intro, 1, 700, '1'), confirms]),
        ("says nothing", &[Does::Answers(Saying::Intro, 1, 700, '1'), confirms]),
        ("is quick", &[Does::Speaks(300, 800), Does::Key(2_000, '1'), confirms]),
        ("is slow", &[Does::Speaks(7_000, 7_800), Does::Answers(Saying::Intro, 3, 3_500, '1'), confirms]),
        (
            "introduces herself at length, and asks who it is",
            &[
                Does::Speaks(300, 4_200),
                Does::Speaks(9_000, 10_500),
                Does::Answers(Saying::Intro, 2, 500, '1'),
                confirms,
            ],
        ),
        (
            "is somewhere loud",
            &[
                Does::Speaks(100, 300_000),
                Does::Answers(Saying::Intro, 1, 700, '1'),
                Does::Answers(Saying::Check, 1, 900, '5'),
                confirms,
            ],
        ),
        ("presses 1 while the request is said", &[Does::Speaks(300, 900), Does::Key(33_000, '1'), confirms]),
    ];
    for (who, does) in cases {
        let heard = play(&answer(does), Some(LEAVE));
        assert_eq!(heard.end, OutboundEnd::Confirmed, "one who {who}: {:?}", heard.said);
        assert!(heard.has(OutboundEvent::Told), "one who {who}");
    }
}

#[test]
fn a_person_who_presses_nothing_is_told_the_request_and_counts_as_nobody_who_took_it() {
    let heard = play(&answer(&[Does::Speaks(300, 1_100), Does::Speaks(7_000, 8_000)]), Some(LEAVE));
    assert_eq!(heard.end, OutboundEnd::LeftRequest, "{:?}", heard.said);
    assert!(heard.of(Saying::Content).is_empty());
}

#[test]
fn who_hangs_up_into_a_busy_tone_has_not_confirmed() {
    let does = [Does::Speaks(300, 900), Does::Answers(Saying::Intro, 1, 700, '1'), Does::Busy(12_000)];
    let heard = play(&answer(&does), Some(LEAVE));
    assert_eq!(heard.end, OutboundEnd::NotAccepted, "{:?}", heard.said);
    assert!(!heard.has(OutboundEvent::Told));
}
