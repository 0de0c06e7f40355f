//! Callers who enter numbers, on injected time.

use super::digits::{Digits, Entered, SaidBack};
use super::menu::Node;
use super::tests::{exit, gather, says, spoken};
use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};

const WAIT: Duration = Duration::from_secs(8);

/// Asks for a number of 3 to 5 digits; then it is over.
pub(crate) fn number() -> Digits {
    Digits {
        speech: spoken("your number"),
        label: "policy number".into(),
        field: Some("policy".into()),
        min: 3,
        max: 5,
        say_back: true,
        back: None,
        timeout_secs: 8,
        retries: 1,
        barge_in: true,
        invalid: Some(spoken("too short")),
        silent: None,
        next: "out".into(),
        gave_up: None,
    }
}

pub(crate) fn node(digits: Digits) -> Node {
    Node { id: "number".into(), step: Step::Digits(digits) }
}

struct Way {
    ivr: Ivr,
    clock: TestClock,
}

impl Way {
    fn into(digits: Digits) -> Self {
        let nodes = vec![node(digits), exit("out", says("out")), gather("ask", &[("1", "out"), ("#", "out")])];
        let menu = Menu { name: "main".into(), start: "number".into(), nodes, otherwise: Flow::default() };
        let clock = TestClock::at(UtcMs(0));
        let mut way = Self { ivr: Ivr::new(clock.instant(), menu, Context::default()), clock };
        assert_eq!(way.outputs(), [Output::Play(spoken("your number"))]);
        way
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.ivr.poll_output()).collect()
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.ivr.handle(self.clock.instant(), input);
        self.outputs()
    }

    fn keys(&mut self, keys: &str) -> Vec<Output> {
        keys.chars().flat_map(|key| self.tell(Input::Digit(key))).collect()
    }

    /// Time passes up to the next deadline.
    fn wait(&mut self) -> (Duration, Vec<Output>) {
        let waited = self.ivr.poll_timeout().expect("it waits") - self.clock.instant();
        self.clock.advance(waited);
        (waited, self.tell(Input::Tick))
    }
}

fn said(digits: &str) -> Output {
    let text = format!("You entered: {digits}. Press 1 if that is right, 2 to enter it again.");
    Output::PlayOnce(Speech::Spoken { text })
}

fn entered(digits: &str, said_back: SaidBack) -> Output {
    let (label, field) = ("policy number".to_owned(), Some("policy".to_owned()));
    Output::Entered(Entered { label, field, digits: digits.to_owned().into(), said_back })
}

fn out() -> Output {
    Output::Exit(says("out"))
}

#[test]
fn a_number_is_said_back_and_counts_when_the_caller_says_that_it_is_right() {
    let mut way = Way::into(number());
    way.tell(Input::PlayDone);
    assert_eq!(way.keys("471"), [], "it may be longer");
    assert_eq!(way.keys("#"), [said("4, 7, 1")]);
    way.tell(Input::PlayDone);
    assert_eq!(way.keys("1"), [entered("471", SaidBack::Confirmed), out()]);
    assert_eq!(way.ivr.poll_timeout(), None);
}

#[test]
fn whoever_knows_the_words_need_not_hear_them_to_the_end() {
    let mut way = Way::into(number());
    assert_eq!(way.keys("4"), [Output::StopPlay], "barge-in");
    assert_eq!(way.keys("71#"), [said("4, 7, 1")]);
    assert_eq!(way.keys("1"), [Output::StopPlay, entered("471", SaidBack::Confirmed), out()]);
    let mut way = Way::into(Digits { barge_in: false, ..number() });
    assert_eq!(way.keys("471#"), [], "the words first");
    way.tell(Input::PlayDone);
    assert_eq!(way.keys("471#"), [said("4, 7, 1")]);
    assert_eq!(way.keys("1"), [], "and these");
    way.tell(Input::PlayDone);
    assert_eq!(way.keys("1"), [entered("471", SaidBack::Confirmed), out()]);
}

#[test]
fn with_its_last_digit_a_number_is_over_and_the_hash_that_many_press_then_means_nothing() {
    let mut way = Way::into(Digits { say_back: false, next: "ask".into(), ..number() });
    let asks = Output::Play(spoken("ask"));
    assert_eq!(way.keys("00471"), [Output::StopPlay, entered("00471", SaidBack::No), asks]);
    assert_eq!(way.keys("#"), [], "no choice of the next question");
    assert!(way.keys("#").contains(&out()), "a second one is");
}

#[test]
fn who_hears_the_next_question_to_its_end_means_that_by_a_hash() {
    let mut way = Way::into(Digits { say_back: false, next: "ask".into(), ..number() });
    way.keys("00471");
    way.tell(Input::PlayDone);
    assert!(way.keys("#").contains(&out()));
}

#[test]
fn a_wrong_number_is_entered_again_as_often_as_the_menu_says() {
    let mut way = Way::into(number());
    way.keys("471#");
    assert_eq!(way.keys("2"), [Output::StopPlay, Output::Play(spoken("your number"))]);
    assert_eq!(way.keys("472#"), [Output::StopPlay, said("4, 7, 2")]);
    let missed = Output::Missed { silent: false };
    assert_eq!(way.keys("2"), [Output::StopPlay, missed, Output::Exit(Flow::default())]);
}

#[test]
fn a_star_begins_the_number_anew() {
    let mut way = Way::into(number());
    way.keys("99*471#");
    assert_eq!(way.keys("1"), [Output::StopPlay, entered("471", SaidBack::Confirmed), out()]);
}

#[test]
fn too_few_digits_are_told_and_asked_again() {
    let mut way = Way::into(number());
    let missed = Output::Missed { silent: false };
    assert_eq!(way.keys("47#"), [Output::StopPlay, missed.clone(), Output::Play(spoken("too short"))]);
    assert_eq!(way.tell(Input::PlayDone), [Output::Play(spoken("your number"))]);
    // Or nothing more comes.
    way.keys("4");
    assert_eq!(way.wait(), (WAIT, vec![missed, Output::Exit(Flow::default())]));
    // A key in the middle of being told is the first of the next try.
    let mut way = Way::into(number());
    way.keys("4#");
    assert_eq!(way.keys("471#"), [Output::StopPlay, said("4, 7, 1")]);
}

#[test]
fn digits_that_come_slowly_are_one_number_and_silence_ends_it() {
    let mut way = Way::into(number());
    way.tell(Input::PlayDone);
    for key in "471".chars() {
        way.clock.advance(WAIT - Duration::from_millis(1));
        assert_eq!(way.tell(Input::Digit(key)), []);
    }
    assert_eq!(way.wait(), (WAIT, vec![said("4, 7, 1")]));
    let mut way = Way::into(number());
    way.tell(Input::PlayDone);
    let asks = Output::Play(spoken("your number"));
    assert_eq!(way.wait(), (WAIT, vec![Output::Missed { silent: true }, asks]), "nothing at all");
}

#[test]
fn whoever_does_not_answer_hears_it_once_more_and_then_it_counts_as_that() {
    let mut way = Way::into(number());
    way.keys("471#");
    way.tell(Input::PlayDone);
    assert_eq!(way.wait(), (WAIT, vec![said("4, 7, 1")]));
    way.tell(Input::PlayDone);
    assert_eq!(way.wait(), (WAIT, vec![entered("471", SaidBack::Unanswered), out()]));
    // A key that is no answer is none.
    let mut way = Way::into(number());
    way.keys("471#");
    assert_eq!(way.keys("7"), [Output::StopPlay, said("4, 7, 1")]);
    assert_eq!(way.keys("7"), [Output::StopPlay, entered("471", SaidBack::Unanswered), out()]);
}

#[test]
fn what_could_not_be_said_back_counts_and_nobody_waits_for_an_answer_to_a_tone() {
    let mut way = Way::into(number());
    way.keys("471#");
    assert_eq!(way.tell(Input::Unspoken), [Output::StopPlay, entered("471", SaidBack::Unanswered), out()]);
}

#[test]
fn it_is_said_back_in_the_accounts_own_words() {
    let digits = Digits { back: Some("Ha marcado {digits}. Pulse 1 o 2.".into()), ..number() };
    assert_eq!(digits.words_back("4711"), Speech::Spoken { text: "Ha marcado 4, 7, 1, 1. Pulse 1 o 2.".into() });
}

#[test]
fn a_node_that_asks_for_a_number_reads_back_from_its_json() {
    let text = r#"{"id": "n", "step": "digits", "speech": {"kind": "spoken", "text": "Your number."}, "label": "policy number",
        "max": 10, "next": "out"}"#;
    let read: Node = serde_json::from_str(text).unwrap();
    let Step::Digits(digits) = &read.step else { panic!("it asks for digits") };
    assert_eq!(
        (digits.min, digits.say_back, digits.timeout_secs, digits.retries, digits.barge_in),
        (1, true, 8, 2, true)
    );
    let again = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Node>(&again).unwrap(), read);
}
