//! Callers in menus, on injected time.

use super::menu::{Condition, Node};
use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};
use crate::base::phone::PhoneNumber;

pub(crate) fn spoken(text: &str) -> Speech {
    Speech::Spoken { text: text.to_owned() }
}

pub(crate) fn says(text: &str) -> Flow {
    Flow::Announcement { speech: spoken(text) }
}

fn node(id: &str, step: Step) -> Node {
    Node { id: id.to_owned(), step }
}

pub(crate) fn play(id: &str, text: &str, next: &str) -> Node {
    node(id, Step::Play { speech: spoken(text), next: next.to_owned(), barge_in: false })
}

pub(crate) fn gather(id: &str, choices: &[(&str, &str)]) -> Node {
    let choice = |(digits, next): &(&str, &str)| Choice {
        digits: (*digits).to_owned(),
        label: format!("to {next}"),
        next: (*next).to_owned(),
    };
    node(
        id,
        Step::Gather(Gather {
            speech: spoken(id),
            choices: choices.iter().map(choice).collect(),
            timeout_secs: 5,
            retries: 1,
            barge_in: true,
            invalid: None,
            silent: None,
            gave_up: None,
        }),
    )
}

pub(crate) fn exit(id: &str, flow: Flow) -> Node {
    node(id, Step::Exit { flow })
}

/// Asks first: 1 for the urgent, 2 for the hours, otherwise to operators.
pub(crate) fn menu() -> Menu {
    let nodes = vec![
        gather("ask", &[("1", "urgent"), ("2", "hours")]),
        exit("urgent", says("urgent")),
        exit("hours", says("hours")),
    ];
    Menu { name: "main".into(), start: "ask".into(), nodes, otherwise: Flow::default() }
}

struct Way {
    ivr: Ivr,
    clock: TestClock,
}

impl Way {
    fn into(menu: Menu) -> Self {
        Self::with(menu, Context::default())
    }

    fn with(menu: Menu, context: Context) -> Self {
        let clock = TestClock::at(UtcMs(0));
        Self { ivr: Ivr::new(clock.instant(), menu, context), clock }
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.ivr.poll_output()).collect()
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.ivr.handle(self.clock.instant(), input);
        self.outputs()
    }

    fn press(&mut self, key: char) -> Vec<Output> {
        self.tell(Input::Digit(key))
    }

    /// Time passes up to the next deadline.
    fn wait(&mut self) -> (Duration, Vec<Output>) {
        let waited = self.ivr.poll_timeout().expect("it waits") - self.clock.instant();
        self.clock.advance(waited);
        (waited, self.tell(Input::Tick))
    }
}

fn asks(text: &str) -> Output {
    Output::Play(spoken(text))
}

fn chose(digits: &str, next: &str) -> Output {
    Output::Chose(Choice { digits: digits.into(), label: format!("to {next}"), next: next.into() })
}

#[test]
fn a_key_cuts_the_words_short_and_leads_where_it_should() {
    let mut way = Way::into(menu());
    assert_eq!(way.outputs(), [asks("ask")]);
    assert_eq!(way.press('2'), [Output::StopPlay, chose("2", "hours"), Output::Exit(says("hours"))]);
    assert_eq!((way.press('1'), way.tell(Input::PlayDone), way.ivr.poll_timeout()), (vec![], vec![], None));
}

#[test]
fn without_barge_in_keys_count_after_the_words_alone() {
    let mut menu = menu();
    let Step::Gather(gather) = &mut menu.nodes[0].step else { panic!("it asks first") };
    gather.barge_in = false;
    let mut way = Way::into(menu);
    way.outputs();
    assert_eq!(way.press('1'), []);
    assert_eq!(way.tell(Input::PlayDone), []);
    assert_eq!(way.press('1'), [chose("1", "urgent"), Output::Exit(says("urgent"))]);
}

#[test]
fn whoever_presses_nothing_is_asked_again_and_then_comes_to_operators() {
    let mut way = Way::into(menu());
    way.outputs();
    way.tell(Input::PlayDone);
    assert_eq!(way.wait(), (Duration::from_secs(5), vec![Output::Missed { silent: true }, asks("ask")]));
    way.tell(Input::PlayDone);
    assert_eq!(way.wait().1, [Output::Missed { silent: true }, Output::Exit(Flow::default())]);
}

#[test]
fn whoever_presses_a_wrong_key_hears_so_and_may_answer_before_the_end_of_it() {
    let mut menu = menu();
    let Step::Gather(gather) = &mut menu.nodes[0].step else { panic!("it asks first") };
    gather.invalid = Some(spoken("that is no choice"));
    gather.gave_up = Some("hours".into());
    let mut way = Way::into(menu);
    way.outputs();
    let missed = Output::Missed { silent: false };
    assert_eq!(way.press('7'), [Output::StopPlay, missed.clone(), asks("that is no choice")]);
    assert_eq!(way.tell(Input::PlayDone), [asks("ask")]);
    assert_eq!(way.press('8'), [Output::StopPlay, missed, Output::Exit(says("hours"))]);
    let mut way = Way::into(self::menu());
    way.outputs();
    way.press('7');
    assert_eq!(way.press('1'), [Output::StopPlay, chose("1", "urgent"), Output::Exit(says("urgent"))]);
}

#[test]
fn longer_choices_wait_for_their_next_key_and_the_hash_ends_the_wait() {
    let nodes = vec![
        gather("ask", &[("1", "one"), ("12", "twelve")]),
        exit("one", says("one")),
        exit("twelve", says("twelve")),
    ];
    let menu = Menu { nodes, ..menu() };
    let keyed = |keys: &str| {
        let mut way = Way::into(menu.clone());
        way.outputs();
        let all: Vec<_> = keys.chars().flat_map(|key| way.press(key)).collect();
        (way, all)
    };
    let exit = |outputs: &[Output]| outputs.iter().find(|o| matches!(o, Output::Exit(_))).cloned();
    assert_eq!(exit(&keyed("12").1), Some(Output::Exit(says("twelve"))));
    assert_eq!(exit(&keyed("1#").1), Some(Output::Exit(says("one"))));
    let (mut way, outputs) = keyed("1");
    assert_eq!(exit(&outputs), None);
    let (waited, outputs) = way.wait();
    assert_eq!((waited, exit(&outputs)), (BETWEEN_KEYS, Some(Output::Exit(says("one")))));
    assert!(keyed("13").1.contains(&Output::Missed { silent: false }));
}

#[test]
fn branches_follow_what_is_known_of_the_call() {
    let known = PhoneNumber::parse("+12025550147").expect("a valid number");
    let conditions = [
        (Condition::Window { name: "night".into() }, Context { window: Some("night".into()), caller: None }),
        (Condition::Withheld, Context::default()),
        (Condition::Caller { numbers: vec![known.clone()] }, Context { window: None, caller: Some(known.clone()) }),
    ];
    let others = [Context::default(), Context { window: None, caller: Some(known) }, Context::default()];
    for ((on, holds), other) in conditions.into_iter().zip(others) {
        let branch = Step::Branch { on, then: "yes".into(), otherwise: "no".into() };
        let nodes = vec![node("branch", branch), exit("yes", says("yes")), exit("no", says("no"))];
        let menu = Menu { start: "branch".into(), nodes, ..menu() };
        assert_eq!(Way::with(menu.clone(), holds).outputs(), [Output::Exit(says("yes"))]);
        assert_eq!(Way::with(menu, other).outputs(), [Output::Exit(says("no"))]);
    }
}

#[test]
fn words_whose_end_is_never_told_do_not_keep_the_caller() {
    let nodes = vec![play("hello", "hello", "ask"), gather("ask", &[("1", "out")]), exit("out", says("out"))];
    let mut way = Way::into(Menu { start: "hello".into(), nodes, ..menu() });
    way.outputs();
    assert_eq!(way.wait(), (PLAY_LIMIT, vec![Output::StopPlay, asks("ask")]));
}

#[test]
fn whoever_goes_round_and_round_comes_to_operators_in_the_end() {
    let mut way = Way::into(Menu { nodes: vec![gather("ask", &[("9", "ask")])], ..menu() });
    way.outputs();
    let presses = (0..1_000).take_while(|_| !way.press('9').contains(&Output::Exit(Flow::default()))).count();
    assert!(presses < MAX_STEPS as usize, "{presses}");
}

#[test]
fn a_menu_reads_back_from_its_json() {
    let text = r#"{"name": "main", "start": "ask", "nodes": [
        {"id": "ask", "step": "gather", "speech": {"kind": "spoken", "text": "Press 1."},
         "choices": [{"digits": "1", "label": "emergency", "next": "out"}]},
        {"id": "out", "step": "exit", "flow": {"kind": "queue", "priority": 5}}]}"#;
    let read: Menu = serde_json::from_str(text).unwrap();
    let Step::Gather(gather) = &read.nodes[0].step else { panic!("it asks first") };
    assert_eq!((gather.timeout_secs, gather.retries, gather.barge_in), (6, 2, true));
    assert_eq!(read.otherwise, Flow::default());
    let again = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Menu>(&again).unwrap(), read);
}

#[test]
fn the_way_of_a_caller_can_be_read_off_node_by_node_with_those_that_take_no_time() {
    let menu = Menu {
        name: "main".into(),
        start: "known".into(),
        nodes: vec![
            node("known", Step::Branch { on: Condition::Withheld, then: "ask".into(), otherwise: "out".into() }),
            gather("ask", &[("1", "hello")]),
            play("hello", "hello", "out"),
            exit("out", says("bye")),
        ],
        otherwise: Flow::default(),
    };
    let mut way = Way::into(menu);
    assert_eq!(way.ivr.trail(), ["known", "ask"]);
    way.press('1');
    assert_eq!(way.ivr.trail(), ["known", "ask", "hello"]);
    way.tell(Input::PlayDone);
    assert_eq!(way.ivr.trail(), ["known", "ask", "hello", "out"]);
}
