//! Check-ins told as phone conversations.

use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};

pub(super) fn held(count: usize) -> Vec<Held> {
    let held = |n: usize| Held {
        dispatch: DispatchId::named(&format!("d{n}")),
        edition: 1,
        words: format!("From caller {n}."),
    };
    (1..=count).map(held).collect()
}

pub(super) fn duty(role: &str, hand_off: bool) -> Duty {
    let person = |name: &str| (ContactId::named(name), name.to_owned());
    Duty {
        schedule: ScheduleId::named(role),
        role: role.to_owned(),
        now: Some("Ben".to_owned()),
        hand_off: hand_off.then(|| "Monday at 8 a.m.".to_owned()),
        people: vec![person("Ben"), person("Ada")],
    }
}

pub(super) fn status() -> StatusNow {
    let speech = Speech::Uploaded { recording: "ice".into() };
    StatusNow { speech, words: "Your callers hear a status greeting by Ada, since today at 7 a.m.".into() }
}

/// Somebody on the telephone, and what they have heard.
struct Line {
    clock: TestClock,
    check_in: CheckIn,
    said: Vec<String>,
    read: Vec<DispatchId>,
    /// That a message is read is put on record as soon as it is asked for.
    on_record: bool,
    done: Vec<Output>,
}

impl Line {
    fn rings() -> Self {
        let clock = TestClock::at(UtcMs(0));
        let check_in = CheckIn::new(clock.instant());
        let mut line = Self { clock, check_in, said: vec![], read: vec![], on_record: true, done: vec![] };
        line.carry_out();
        line
    }

    /// In, with so many messages held.
    fn in_with(count: usize, duties: Vec<Duty>) -> Self {
        Self::rings().enters(count, duties)
    }

    fn enters(self, count: usize, duties: Vec<Duty>) -> Self {
        let mut line = self;
        line.presses("4711#");
        assert_eq!(line.done, [Output::Look { pin: Pin::pressed("4711".into()) }]);
        line.done.clear();
        let welcome = Welcome { contact: None, who: "Ada".into(), held: held(count), duties, ..Welcome::default() };
        line.tell(Input::Looked(Looked::Welcome(Box::new(welcome))));
        line
    }

    fn tell(&mut self, input: Input) {
        self.check_in.handle(self.clock.instant(), input);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.check_in.poll_output() {
            match output {
                Output::Play(Speech::Spoken { text }) => self.said.push(text),
                Output::Play(Speech::Recorded { prompt: name } | Speech::Uploaded { recording: name }) => {
                    self.said.push(name);
                }
                Output::StopPlay => {}
                Output::Read { dispatch } => {
                    self.read.push(dispatch);
                    if self.on_record {
                        self.check_in.handle(self.clock.instant(), Input::ReadNoted(true));
                    }
                }
                other => self.done.push(other),
            }
        }
    }

    fn presses(&mut self, keys: &str) {
        keys.chars().for_each(|key| self.tell(Input::Digit(key)));
    }

    fn hears_out(&mut self) -> &str {
        self.tell(Input::PlayDone);
        self.heard()
    }

    fn heard(&self) -> &str {
        self.said.last().map_or("", String::as_str)
    }

    fn after(&mut self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        self.tell(Input::Tick);
    }

    fn left(&self) -> Option<Leave> {
        match self.done.last() {
            Some(Output::Leave(leave)) => Some(*leave),
            _ => None,
        }
    }

    fn marks(&self) -> Vec<DispatchId> {
        let mark = |o: &Output| if let Output::Mark { dispatch, .. } = o { Some(dispatch.clone()) } else { None };
        self.done.iter().filter_map(mark).collect()
    }
}

#[test]
fn whoever_checks_in_hears_what_is_new_and_marks_it_by_key() {
    let mut line = Line::in_with(2, vec![]);
    assert_eq!(line.heard(), "You have 2 new messages. Message 1 of 2. From caller 1.");
    assert!(line.hears_out().starts_with("Delivered, press 2."));
    line.presses("2");
    assert_eq!(line.marks(), [DispatchId::named("d1")]);
    line.tell(Input::Marked(Marked::Noted));
    assert_eq!(line.heard(), "Delivered. Message 2 of 2. From caller 2.");
    line.hears_out();
    line.presses("2");
    line.tell(Input::Marked(Marked::Noted));
    assert_eq!(
        line.heard(),
        "Delivered. There are no more messages. For a status greeting to your callers, press 5. For an operator, press 0. To end, press the star key."
    );
    line.presses("*");
    assert_eq!(line.heard(), "Goodbye.");
    line.hears_out();
    assert_eq!(line.left(), Some(Leave::Ended));
}

#[test]
fn no_word_of_a_message_is_said_before_it_is_on_record_that_it_is_read() {
    for fails in [false, true] {
        let line = Line { on_record: false, ..Line::rings() };
        let mut line = line.enters(1, vec![]);
        line.presses("29");
        assert_eq!((line.read.len(), line.heard().contains("From caller 1.")), (1, false));
        if fails {
            line.tell(Input::ReadNoted(false));
        } else {
            line.after(15);
        }
        line.hears_out();
        assert!(line.said.iter().all(|said| !said.contains("From caller 1.")), "{:?}", line.said);
        assert_eq!(line.left(), Some(Leave::Operator), "a person reads it out");
    }
}

#[test]
fn a_message_that_was_not_heard_to_its_end_is_not_marked() {
    let mut line = Line::in_with(1, vec![]);
    line.presses("2");
    assert_eq!(line.marks(), []);
    // Its words took longer than anybody waits: whether they were heard is not known.
    line.after(600);
    line.presses("2");
    assert_eq!((line.marks(), line.heard()), (vec![], "Please hear it to its end first. The message. From caller 1."));
    line.hears_out();
    line.presses("2");
    assert_eq!(line.marks(), [DispatchId::named("d1")]);
}

#[test]
fn what_was_heard_once_is_marked_while_it_is_heard_again() {
    let mut line = Line::in_with(1, vec![]);
    line.hears_out();
    line.presses("12");
    assert_eq!(line.marks(), [DispatchId::named("d1")]);
}

#[test]
fn a_tone_in_place_of_words_is_no_message() {
    let mut line = Line::in_with(1, vec![]);
    line.tell(Input::Unspoken);
    line.tell(Input::PlayDone);
    assert_eq!((line.marks(), line.left()), (vec![], Some(Leave::Operator)), "a person can read it out");
}

#[test]
fn keys_lead_on_and_back_and_kept_ones_are_there_again() {
    let mut line = Line::in_with(3, vec![]);
    line.hears_out();
    line.presses("3");
    assert_eq!(line.heard(), "Kept. Message 2 of 3. From caller 2.");
    line.hears_out();
    line.presses("2");
    line.tell(Input::Marked(Marked::Noted));
    assert_eq!(line.heard(), "Delivered. Message 3 of 3. From caller 3.");
    line.presses("9");
    assert_eq!(line.heard(), "Message 1 of 3. From caller 1.", "what is delivered is not read again");
    line.presses("33");
    assert!(line.heard().starts_with("Kept. There are no more messages. 2 are kept for later."), "{}", line.heard());
    line.presses("1");
    assert_eq!(line.heard(), "Message 1 of 3. From caller 1.");
    line.presses("*");
    assert_eq!(line.heard(), "2 messages are kept for you. Goodbye.");
}

#[test]
fn what_cannot_be_noted_stays_held_and_is_said_to() {
    let mut line = Line::in_with(1, vec![]);
    line.hears_out();
    line.presses("2");
    line.after(15);
    assert!(line.heard().starts_with("That could not be noted: the message stays held."), "{}", line.heard());
    line.tell(Input::Marked(Marked::Noted));
    assert!(line.heard().contains("To hear messages, press 1."), "a late answer changes nothing");
}

#[test]
fn what_was_changed_while_it_was_heard_is_heard_anew_before_it_is_delivered() {
    let mut line = Line::in_with(2, vec![]);
    line.hears_out();
    line.presses("2");
    let now = Held { dispatch: DispatchId::named("d1"), edition: 2, words: "From caller 1, who moved.".into() };
    line.tell(Input::Marked(Marked::Changed(Box::new(now))));
    assert_eq!(line.heard(), format!("{} Message 1 of 2. From caller 1, who moved.", words::CHANGED));
    line.presses("2");
    assert_eq!(line.marks().len(), 1, "what was heard is not what it says now");
    line.hears_out();
    line.presses("2");
    let mark = Output::Mark { dispatch: DispatchId::named("d1"), edition: 2 };
    assert_eq!(line.done.last(), Some(&mark));
    line.tell(Input::Marked(Marked::Noted));
    assert_eq!(line.heard(), "Delivered. Message 2 of 2. From caller 2.");
}

#[test]
fn three_wrong_pins_end_the_call_politely() {
    let mut line = Line::rings();
    for _ in 0..2 {
        line.presses("1111#");
        line.tell(Input::Looked(Looked::Refused));
        assert_eq!(line.heard(), "That did not work.");
        assert!(line.hears_out().starts_with("Please enter your PIN"));
    }
    line.presses("1111#");
    line.tell(Input::Looked(Looked::Refused));
    assert_eq!(line.heard(), words::REFUSED);
    line.hears_out();
    assert_eq!(line.left(), Some(Leave::Ended));
    assert_eq!(line.done.iter().filter(|o| matches!(o, Output::Look { .. })).count(), 3);
}

#[test]
fn the_pin_needs_no_pound_key_and_a_slip_is_taken_back() {
    let mut line = Line::rings();
    line.presses("99*4711");
    line.after(8);
    assert_eq!(line.done, [Output::Look { pin: Pin::pressed("4711".into()) }]);
}

#[test]
fn an_operator_is_one_key_away() {
    let mut line = Line::rings();
    line.presses("0#");
    assert_eq!(line.left(), Some(Leave::Operator), "without a PIN too");
    let mut line = Line::in_with(1, vec![]);
    line.presses("0");
    assert_eq!(line.left(), Some(Leave::Operator));
}

#[test]
fn where_the_pin_cannot_be_looked_up_an_operator_helps() {
    let mut line = Line::rings();
    line.presses("4711#");
    line.after(15);
    assert_eq!(line.heard(), words::SORRY_OPERATOR);
    line.hears_out();
    assert_eq!(line.left(), Some(Leave::Operator));
}

#[test]
fn silence_is_asked_twice_more_and_then_let_go() {
    let mut line = Line::rings();
    for _ in 0..3 {
        line.hears_out();
        line.after(8);
    }
    assert_eq!(line.heard(), "Goodbye.");
    line.hears_out();
    assert_eq!(line.left(), Some(Leave::Ended));
    let mut line = Line::in_with(1, vec![]);
    line.hears_out();
    for _ in 0..3 {
        line.hears_out();
        line.after(8);
    }
    assert_eq!((line.marks(), line.heard()), (vec![], "1 message is kept for you. Goodbye."));
}

#[test]
fn who_has_nothing_to_hear_is_told_so() {
    let mut line = Line::in_with(0, vec![]);
    assert_eq!(
        line.heard(),
        "You have no new messages. For a status greeting to your callers, press 5. For an operator, press 0. To end, press the star key."
    );
    line.presses("14");
    assert_eq!(line.said.len(), 2, "there is nothing under these keys");
}

#[test]
fn somebody_else_is_put_on_call_until_the_next_hand_off() {
    let mut line = Line::in_with(0, vec![duty("technician", true)]);
    line.presses("4");
    assert_eq!(
        line.heard(),
        "Ben is on call as technician. For Ben, press 1. For Ada, press 2. To leave it as it is, press the star key."
    );
    line.presses("2");
    assert!(line.heard().starts_with("Until the next hand-off, Monday at 8 a.m., press 1."), "{}", line.heard());
    line.presses("1");
    assert_eq!(
        line.heard(),
        "Ada on call as technician from now on, until Monday at 8 a.m. If that is right, press 1. If not, press 2."
    );
    assert_eq!(line.done, [], "not before it was said and agreed to");
    line.presses("1");
    let (schedule, contact) = (ScheduleId::named("technician"), ContactId::named("Ada"));
    assert_eq!(line.done, [Output::PutOnCall { schedule, contact, span: Span::HandOff }]);
    line.tell(Input::PutOnCall(true));
    assert_eq!(line.heard(), "That is changed.");
    line.hears_out();
    line.presses("4");
    assert!(line.heard().starts_with("Ada is on call as technician."));
}

#[test]
fn or_for_some_hours_of_one_of_several_duties() {
    let mut line = Line::in_with(0, vec![duty("technician", false), duty("manager", false)]);
    line.presses("4");
    assert!(line.heard().starts_with("Who is on call for what? For technician, press 1. For manager, press 2."));
    line.presses("2");
    line.presses("1");
    line.presses("999#");
    assert!(line.heard().starts_with("Please take 1 to 168 hours"), "{}", line.heard());
    line.presses("8");
    line.after(8);
    assert!(line.heard().starts_with("Ben on call as manager from now on, for 8 hours."), "{}", line.heard());
    line.presses("2");
    assert!(line.heard().starts_with("Ben is on call as manager."), "{}", line.heard());
    line.presses("*");
    assert!(line.heard().contains("To change who is on call, press 4."));
    assert_eq!(line.done, []);
}

/// At the other choices, with this status greeting in force.
fn at_the_menu(status: Option<StatusNow>) -> Line {
    let mut line = Line::rings();
    line.presses("4711#");
    line.done.clear();
    let morning = "Friday at 8 a.m.".to_owned();
    let welcome = Welcome { who: "Ada".into(), status, morning, ..Welcome::default() };
    line.tell(Input::Looked(Looked::Welcome(Box::new(welcome))));
    line
}

#[test]
fn a_status_greeting_is_spoken_in_heard_back_and_put_up_for_a_time_or_for_good() {
    for (key, until_morning) in [("1", false), ("3", true)] {
        let mut line = at_the_menu(None);
        line.presses("5");
        assert!(line.heard().starts_with("Please say after the tone what callers shall hear"), "{}", line.heard());
        assert_eq!(line.hears_out(), "beep");
        line.hears_out();
        line.presses("#");
        assert_eq!(line.done, [Output::Dictate(true), Output::Dictate(false)]);
        line.tell(Input::Dictated(true));
        line.hears_out();
        assert_eq!(line.done.last(), Some(&Output::PlayDictated));
        assert!(line.hears_out().contains("To keep it until Friday at 8 a.m., press 3."), "{}", line.heard());
        line.presses(key);
        assert_eq!(line.done.last(), Some(&Output::PutUpGreeting { until_morning }));
        line.tell(Input::GreetingUp(Some(status())));
        assert!(line.heard().starts_with("Your callers hear it from now on."), "{}", line.heard());
        assert!(line.hears_out().starts_with("For a status greeting"), "{}", line.heard());
        // It is known now.
        line.presses("5");
        assert!(line.heard().starts_with("Your callers hear a status greeting by Ada"), "{}", line.heard());
    }
}

#[test]
fn a_status_greeting_that_plays_is_heard_and_taken_down() {
    let mut line = at_the_menu(Some(status()));
    line.presses("51");
    assert_eq!(line.heard(), "ice");
    line.presses("2");
    assert_eq!(line.done, [Output::TakeDownGreeting]);
    line.tell(Input::GreetingDown(true));
    assert_eq!(line.heard(), "It is taken down.");
    line.hears_out();
    line.presses("5");
    assert!(line.heard().starts_with("Please say after the tone"), "there is none any more: {}", line.heard());
}

#[test]
fn whoever_hangs_up_or_thinks_better_of_it_has_put_up_nothing() {
    let mut line = at_the_menu(None);
    line.presses("5*");
    assert_eq!(line.heard(), "Nothing is kept.");
    assert!(line.hears_out().starts_with("For a status greeting"), "{}", line.heard());
    assert_eq!(line.done, []);
}

#[test]
fn an_operator_is_one_key_away_from_a_greeting_that_is_spoken_in_too() {
    let mut line = at_the_menu(None);
    line.presses("50");
    assert_eq!(line.done, [Output::Leave(Leave::Operator)], "while it is asked for");

    let mut line = at_the_menu(None);
    line.presses("5");
    line.hears_out();
    line.hears_out();
    line.presses("0");
    let spoken = [Output::Dictate(true), Output::Dictate(false), Output::Leave(Leave::Operator)];
    assert_eq!(line.done, spoken, "while it is spoken, and nothing goes on being taken down");
}

#[test]
fn what_is_read_to_them_is_told_once_whether_or_not_they_hear_it_out_or_mark_it() {
    let read = |line: &Line| line.read.iter().map(DispatchId::to_string).collect::<Vec<_>>();
    let mut line = Line::in_with(2, vec![]);
    assert_eq!(read(&line), ["dsp_d1"], "before a word of it is heard");
    line.presses("1");
    line.hears_out();
    assert_eq!(read(&line), ["dsp_d1"], "repeated, it is the same");
    line.presses("3");
    assert_eq!(read(&line), ["dsp_d1", "dsp_d2"], "the first is kept, and was read all the same");
    line.presses("9");
    line.presses("*");
    assert_eq!(read(&line).len(), 2);
    assert_eq!(line.marks(), []);
    assert_eq!(Line::in_with(0, vec![]).read, []);
}
