//! Words spoken in, told as a conversation; and thousands of them with any keys in any order.

use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};
use crate::base::rng::Rng;

fn script(for_a_time: bool) -> Script {
    Script {
        ask: "Please say the greeting after the tone.".into(),
        keep: "To keep it".into(),
        for_a_time: for_a_time.then(|| "Friday at 8 a.m.".to_owned()),
        kept: "It is kept.".into(),
    }
}

struct Line {
    clock: TestClock,
    dictation: Dictation,
    said: Vec<String>,
    done: Vec<Output>,
}

impl Line {
    fn rings(for_a_time: bool) -> Self {
        let clock = TestClock::at(UtcMs(0));
        let dictation = Dictation::new(clock.instant(), script(for_a_time));
        let mut line = Self { clock, dictation, said: vec![], done: vec![] };
        line.carry_out();
        line
    }

    fn tell(&mut self, input: Input) {
        self.dictation.handle(self.clock.instant(), input);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dictation.poll_output() {
            match output {
                Output::Play(Speech::Spoken { text }) => self.said.push(text),
                Output::Play(Speech::Recorded { prompt }) => self.said.push(prompt),
                Output::StopPlay => {}
                other => self.done.push(other),
            }
        }
    }

    fn hears_out(&mut self) -> &str {
        self.tell(Input::PlayDone);
        self.said.last().map_or("", String::as_str)
    }

    fn after(&mut self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        self.tell(Input::Tick);
    }

    /// Words after the tone, and the pound key.
    fn speaks(&mut self) {
        assert_eq!(self.hears_out(), "beep");
        self.hears_out();
        assert_eq!((self.done.pop(), self.dictation.is_speaking()), (Some(Output::Begin), true));
        self.tell(Input::Digit('#'));
        assert_eq!(self.done.pop(), Some(Output::End));
    }
}

#[test]
fn words_are_spoken_heard_back_and_kept_by_a_key() {
    let mut line = Line::rings(false);
    assert_eq!(line.said[0], "Please say the greeting after the tone. Press the pound key when you are done.");
    line.speaks();
    line.tell(Input::Taken { spoken: true });
    assert_eq!(line.said.last().map(String::as_str), Some("This is what callers will hear."));
    line.tell(Input::PlayDone);
    assert_eq!(line.done.pop(), Some(Output::PlayBack));
    assert_eq!(line.hears_out(), "To keep it, press 1. To speak again, press 2. To keep nothing, press the star key.");
    line.tell(Input::Digit('3'));
    assert_eq!(line.done, [], "there is no such choice");
    line.tell(Input::Digit('1'));
    assert_eq!(line.done.pop(), Some(Output::Keep { for_a_time: false }));
    line.tell(Input::Kept(true));
    assert_eq!(line.said.last().map(String::as_str), Some("It is kept."));
    line.hears_out();
    assert_eq!((line.done.pop(), line.dictation.poll_timeout()), (Some(Output::Leave { kept: true }), None));
}

#[test]
fn what_may_be_kept_for_a_time_is_and_says_until_when() {
    let mut line = Line::rings(true);
    line.speaks();
    line.tell(Input::Taken { spoken: true });
    line.tell(Input::PlayDone);
    assert!(line.hears_out().contains("To keep it until Friday at 8 a.m., press 3."), "{:?}", line.said);
    line.done.clear();
    line.tell(Input::Digit('3'));
    assert_eq!(line.done, [Output::Keep { for_a_time: true }]);
    line.tell(Input::Kept(true));
    assert_eq!(line.said.last().map(String::as_str), Some("It is kept. It counts until Friday at 8 a.m."));
}

#[test]
fn where_nothing_was_said_that_is_told_and_asked_for_twice_more() {
    let mut line = Line::rings(false);
    for _ in 0..2 {
        line.speaks();
        line.tell(Input::Taken { spoken: false });
        assert!(line.said.last().is_some_and(|said| said.starts_with("We heard nothing. Please say")));
    }
    line.speaks();
    line.tell(Input::Taken { spoken: false });
    assert!(line.said.last().is_some_and(|said| said.starts_with("We still heard nothing")));
    line.hears_out();
    assert_eq!(line.done, [Output::Leave { kept: false }]);
}

#[test]
fn words_without_an_end_are_ended_and_whoever_says_no_more_keeps_nothing() {
    let mut line = Line::rings(false);
    line.tell(Input::Digit('#'));
    line.hears_out();
    line.after(MAX_WORDS.as_secs());
    assert_eq!(line.done, [Output::Begin, Output::End]);
    line.tell(Input::Taken { spoken: true });
    line.tell(Input::PlayDone);
    line.tell(Input::PlayDone);
    for _ in 0..3 {
        line.tell(Input::PlayDone);
        line.after(KEY_LIMIT.as_secs());
    }
    assert_eq!(line.said.last().map(String::as_str), Some("Nothing is kept."));
    line.hears_out();
    assert_eq!(line.done.last(), Some(&Output::Leave { kept: false }));
}

#[test]
fn a_star_gives_up_while_one_speaks_as_before_and_after() {
    let mut line = Line::rings(true);
    assert_eq!(line.hears_out(), "beep");
    line.hears_out();
    line.tell(Input::Digit('*'));
    assert_eq!(line.done, [Output::Begin, Output::End]);
    assert_eq!(line.said.last().map(String::as_str), Some("Nothing is kept."));
    line.tell(Input::Taken { spoken: true });
    assert_eq!(line.said.last().map(String::as_str), Some("Nothing is kept."), "what comes of it is nobody's");
    line.hears_out();
    assert_eq!(line.done.last(), Some(&Output::Leave { kept: false }));
}

#[test]
fn whatever_keys_come_it_ends_once_and_nothing_is_kept_that_was_not_played_back() {
    let (mut kept, mut again) = (0, 0);
    for seed in 0..4_000 {
        let mut rng = Rng::seeded(seed);
        let clock = TestClock::at(UtcMs(0));
        let mut dictation = Dictation::new(clock.instant(), script(seed % 2 == 0));
        let (mut playing, mut speaking, mut played_back, mut left) = (false, false, false, 0);
        for step in 0..400 {
            while let Some(output) = dictation.poll_output() {
                assert_eq!(left, 0, "seed {seed}: {output:?} after the end");
                match output {
                    Output::Play(_) => {
                        assert!(!std::mem::replace(&mut playing, true), "seed {seed}: two things are said at once");
                    }
                    Output::StopPlay => assert!(std::mem::take(&mut playing), "seed {seed}: stops what does not play"),
                    Output::Begin => {
                        assert!(!playing && !std::mem::replace(&mut speaking, true), "seed {seed}: over our own words");
                        played_back = false;
                    }
                    Output::End => {
                        assert!(std::mem::take(&mut speaking), "seed {seed}: nothing was begun");
                        again += 1;
                    }
                    Output::PlayBack => {
                        assert!(!std::mem::replace(&mut playing, true), "seed {seed}: over our own words");
                        played_back = true;
                    }
                    Output::Keep { for_a_time } => {
                        assert!(played_back && (!for_a_time || seed % 2 == 0), "seed {seed}: kept unheard");
                        kept += 1;
                    }
                    Output::Leave { .. } => {
                        assert!(!playing && !speaking, "seed {seed}: goes on after the end");
                        left += 1;
                    }
                }
            }
            assert_eq!(dictation.poll_timeout().is_none(), left == 1, "seed {seed}: waits for nothing, or for ever");
            let input = match rng.below(10) {
                // Whoever says no more comes to an end by time alone.
                _ if step > 300 => Input::Tick,
                0..=3 => {
                    playing = false;
                    Input::PlayDone
                }
                4 => Input::Taken { spoken: rng.below(3) > 0 },
                5 => Input::Kept(rng.below(3) > 0),
                6 => Input::Tick,
                _ => {
                    let keys = ['1', '2', '3', '#', '#', '0', '*'];
                    let key = keys[usize::try_from(rng.below(7)).expect("small")];
                    Input::Digit(if key == '*' && rng.below(4) > 0 { '9' } else { key })
                }
            };
            if input == Input::Tick && (step > 300 || rng.below(2) == 0) {
                let at = dictation.poll_timeout().unwrap_or_else(|| clock.instant());
                clock.advance(at.saturating_duration_since(clock.instant()));
            }
            dictation.handle(clock.instant(), input);
        }
        assert_eq!(left, 1, "seed {seed}: {dictation:?}");
    }
    assert!(kept > 300 && again > 3_000, "the seeds reach what there is: {kept} {again}");
}
