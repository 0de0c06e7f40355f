//! Nights that are made up, with people who answer, people who do not, and a recap.

use super::*;
use crate::base::id::{AccountId, CallTypeId, DestinationId, ScheduleId};
use crate::domain::account::{Destination, Reach, Urgency};
use crate::domain::dispatch::protocol::{Step, Tries, Until};
use crate::domain::dispatch::tests::{named, on_call, protocol};
use crate::domain::message::form::{Answers, Form};

/// Saturday, 7 March 2026, 02:00 in New York.
const SATURDAY: UtcMs = UtcMs(1_772_866_800_000);

fn person(name: &str, last: u32) -> Contact {
    let destination = |label: &str, reach| Destination {
        id: DestinationId::named(&format!("{name}-{label}")),
        label: label.to_owned(),
        reach,
        ring_secs: 30,
        blocked: false,
        hours: Vec::new(),
    };
    let number = |n: u32| PhoneNumber::parse(&format!("+1202555{n:04}")).expect("a number");
    Contact {
        id: ContactId::named(name),
        account: AccountId::named("plumbing"),
        name: name.to_owned(),
        title: "technician".to_owned(),
        language: None,
        zone: None,
        destinations: vec![
            destination("mobile", Reach::Phone(number(last))),
            destination("home", Reach::Phone(number(last + 1))),
            destination("email", Reach::Email(format!("{name}@example.com"))),
            destination("inbox", Reach::Inbox("mobile".to_owned())),
        ],
    }
}

fn outlook(protocol: &Protocol, people: People, hours: u32) -> Result<Outlook, Unanswerable> {
    outlook_of(protocol, [person("ben", 100), person("office", 110)], people, hours)
}

fn outlook_of(
    protocol: &Protocol,
    contacts: [Contact; 2],
    people: People,
    hours: u32,
) -> Result<Outlook, Unanswerable> {
    let own_pins: BTreeSet<ContactId> = contacts.iter().map(|contact| contact.id.clone()).collect();
    outlook_with(protocol, &contacts, (false, &own_pins), people, hours)
}

/// Of messages that are protected or not, and who has a PIN of their own.
fn outlook_with(
    protocol: &Protocol,
    contacts: &[Contact],
    (protected, own_pins): (bool, &BTreeSet<ContactId>),
    people: People,
    hours: u32,
) -> Result<Outlook, Unanswerable> {
    let schedules = [Schedule {
        id: ScheduleId::named("technician"),
        account: AccountId::named("plumbing"),
        role: "technician".to_owned(),
        zone: "America/New_York".to_owned(),
        layers: vec![],
        temporary: vec![],
        remind: false,
        holidays: vec![],
        overrides: Vec::new(),
        fallback: Some(ContactId::named("ben")),
    }];
    let mut account = Account::blank(AccountId::named("client"));
    account.zone = "America/New_York".to_owned();
    let call_type = CallType {
        id: CallTypeId::named("kind"),
        name: "Kind".to_owned(),
        urgency: Urgency::Urgent,
        triggers: String::new(),
        watched: Vec::new(),
        form: Form::default(),
        protocol: None,
        protected,
        priority: None,
    };
    let around = Surroundings {
        account: &account,
        call_type: &call_type,
        contacts,
        schedules: &schedules,
        recap: None,
        own_pins,
    };
    let scenario = Scenario { start: SATURDAY, hours, people, answers: Answers::new() };
    simulate(protocol, &around, &scenario)
}

fn plumbing() -> Protocol {
    protocol(
        vec![
            (Method::TextConfirm, on_call("mobile"), 900),
            (Method::CallOut { leave_message: true }, on_call("mobile"), 600),
            (Method::CallOut { leave_message: false }, on_call("home"), 0),
        ],
        true,
        Until::Confirmed,
    )
}

fn told(outlook: &Outlook) -> Vec<String> {
    outlook.lines.iter().map(|line| format!("{} {}", line.after_secs / 60, line.text)).collect()
}

#[test]
fn where_nobody_answers_the_steps_follow_each_other_and_say_who_and_why() {
    let outlook = outlook(&plumbing(), People::Nobody, 1).expect("it can be seen");
    let steps: Vec<_> = outlook.lines.iter().filter(|line| line.kind == "step").collect();
    let times: Vec<_> = steps.iter().map(|line| (line.step, line.round, line.local.as_str())).collect();
    assert_eq!(
        times[..4],
        [
            (Some(1), 1, "2026-03-07 02:00:00"),
            (Some(2), 1, "2026-03-07 02:15:00"),
            (Some(3), 1, "2026-03-07 02:25:30"),
            (Some(1), 2, "2026-03-07 02:26:00"),
        ]
    );
    assert_eq!(steps[0].why, ["ben: technician on call by fallback"]);
    assert_eq!((outlook.state, outlook.needs_operator), ("running", true), "a round is over and nobody was told");
    assert!(outlook.next.is_some());
}

#[test]
fn hours_of_destinations_are_honoured_as_in_a_night_that_is_no_test() {
    let mut ben = person("ben", 100);
    ben.destinations[0].hours = crate::domain::account::reachable::tests::weekdays("08:00", "18:00");
    let outlook = outlook_of(&plumbing(), [ben, person("office", 110)], People::Nobody, 1).expect("it can be seen");
    let hours: Vec<_> = outlook.lines.iter().filter(|line| line.kind == "hours").collect();
    // On Saturday at two in the night it is his home that is texted and called.
    assert_eq!(hours[0].text, "ben's mobile is not used before Mon 9 Mar 2026, 08:00: home is used instead.");
    assert_eq!(hours[0].step, Some(1));
    let used: Vec<_> = outlook.lines.iter().filter(|line| line.kind == "attempt").map(|line| &line.text).collect();
    assert!(!used.is_empty() && used.iter().all(|text| !text.contains("mobile")), "{used:#?}");
}

#[test]
fn a_text_is_answered_after_some_minutes_and_nothing_follows() {
    let outlook = outlook(&plumbing(), People::Confirms { step: 1, after_minutes: 7 }, 2).expect("it can be seen");
    let lines = told(&outlook);
    assert!(lines.contains(&"7 ben confirmed by text.".to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("Step 2")), "{lines:#?}");
    assert_eq!((outlook.state, outlook.next), ("confirmed", None));
}

#[test]
fn a_telephone_is_taken_up_while_it_rings() {
    let outlook = outlook(&plumbing(), People::Confirms { step: 2, after_minutes: 0 }, 2).expect("it can be seen");
    let lines = told(&outlook);
    let texts: Vec<_> = outlook.lines.iter().map(|line| line.text.as_str()).collect();
    let at = |text: &str| texts.iter().position(|known| *known == text).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
    assert!(at("ben's phone was answered.") < at("ben heard the message."));
    assert!(at("ben heard the message.") < at("ben confirmed by key on the phone."));
    assert_eq!(outlook.state, "confirmed");
}

#[test]
fn whoever_lets_it_ring_out_rings_back() {
    let outlook = outlook(&plumbing(), People::Confirms { step: 2, after_minutes: 5 }, 2).expect("it can be seen");
    let lines = told(&outlook);
    assert!(lines.contains(&"20 ben confirmed to an operator: they rang back.".to_owned()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("no answer")), "{lines:#?}");
}

#[test]
fn a_call_that_is_no_longer_wanted_is_taken_back() {
    // Both at once; the answer to the text comes while the telephone still rings.
    let call = Method::CallOut { leave_message: false };
    let both = protocol(
        vec![(Method::TextConfirm, on_call("mobile"), 0), (call, vec![named("office", "mobile")], 600)],
        true,
        Until::Confirmed,
    );
    let outlook = outlook(&both, People::Confirms { step: 1, after_minutes: 0 }, 2).expect("it can be seen");
    let lines = told(&outlook);
    assert!(lines.contains(&"0 Call to office (mobile): taken back.".to_owned()), "{lines:#?}");
    assert_eq!(outlook.state, "confirmed");
}

#[test]
fn an_operators_call_is_made_by_an_operator_and_a_secure_message_is_confirmed_in_the_inbox() {
    let operator = Method::OperatorCall { leave_message: false, then_machine: true };
    for (method, label, expected) in [
        (operator, "mobile", "ben confirmed to an operator."),
        (Method::SecureMessage { confirm: true }, "inbox", "ben confirmed in the inbox."),
    ] {
        let one = protocol(vec![(method, on_call(label), 600)], true, Until::Confirmed);
        let outlook = outlook(&one, People::Confirms { step: 1, after_minutes: 0 }, 1).expect("it can be seen");
        assert!(outlook.lines.iter().any(|line| line.text == expected), "{:#?}", told(&outlook));
        assert_eq!(outlook.state, "confirmed");
    }
}

#[test]
fn whoever_has_no_pin_confirms_no_protected_message_by_text_as_in_a_night_that_is_no_test() {
    let contacts = [person("ben", 100), person("office", 110)];
    let seen = |own_pins: &BTreeSet<ContactId>| {
        let people = People::Confirms { step: 1, after_minutes: 7 };
        outlook_with(&plumbing(), &contacts, (true, own_pins), people, 1).expect("it can be seen")
    };
    assert_eq!(seen(&BTreeSet::from([ContactId::named("ben")])).state, "confirmed");
    let without = seen(&BTreeSet::from([ContactId::named("office")]));
    let lines = told(&without);
    assert_eq!((without.state, without.needs_operator), ("running", true), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("7 ") && line.contains("confirms nothing")), "{lines:#?}");
    assert!(without.lines.iter().any(|line| line.kind == "step" && line.step == Some(2)), "{lines:#?}");
}

#[test]
fn nothing_is_pushed_to_whoever_has_no_pin_that_opens_it() {
    let secure = Method::SecureMessage { confirm: true };
    let one = protocol(vec![(secure, on_call("inbox"), 600)], true, Until::Confirmed);
    let people = People::Confirms { step: 1, after_minutes: 0 };
    let contacts = [person("ben", 100), person("office", 110)];
    let seen = outlook_with(&one, &contacts, (false, &BTreeSet::new()), people, 1).expect("it can be seen");
    let lines = told(&seen);
    assert!(lines.iter().all(|line| !line.contains("confirmed in the inbox")), "{lines:#?}");
}

#[test]
fn a_step_that_asks_nobody_confirms_nothing_and_one_that_is_not_there_neither() {
    let email = protocol(vec![(Method::Email, vec![named("office", "email")], 0)], false, Until::HandedOver);
    let asked = |step| outlook(&email, People::Confirms { step, after_minutes: 0 }, 1);
    assert_eq!(asked(1), Err(Unanswerable::AsksNobody { step: 1 }));
    assert_eq!(asked(2), Err(Unanswerable::NoSuchStep { step: 2 }));
    assert_eq!(asked(0), Err(Unanswerable::NoSuchStep { step: 0 }));
}

#[test]
fn a_week_of_any_protocol_is_seen_to_its_end() {
    let steps: Vec<Step> = plumbing().steps;
    for mut protocol in [plumbing(), Protocol { steps, repeat: None, ..plumbing() }] {
        protocol.steps[2].to = on_call("nowhere");
        let outlook = outlook(&protocol, People::Nobody, MAX_HOURS).expect("it can be seen");
        assert!(!outlook.lines.is_empty());
        let sorted = outlook.lines.windows(2).all(|two| two[0].at <= two[1].at);
        assert!(sorted, "in the order of time");
    }
}

#[test]
fn rounds_without_a_pause_are_not_followed_for_a_week_and_that_is_said() {
    let text = Step::new(Method::Text, vec![named("ben", "mobile")], 0);
    let mut protocol = plumbing();
    protocol.steps = vec![text; 20];
    let seen = outlook(&protocol, People::Nobody, MAX_HOURS).expect("it can be seen");
    assert!(seen.cut && seen.lines.len() < MAX_LINES + 500, "{}", seen.lines.len());
    assert!(!outlook(&plumbing(), People::Nobody, 24).expect("it can be seen").cut);
}

#[test]
fn of_a_call_made_twice_the_telephone_that_rings_is_taken_up() {
    let call = Step::new(Method::CallOut { leave_message: false }, on_call("mobile"), 600);
    let tries = Some(Tries { times: 2, apart_secs: 120 });
    let mut protocol = plumbing();
    (protocol.steps, protocol.repeat) = (vec![Step { tries, ..call }], None);
    let rings = |outlook: &Outlook| {
        outlook.lines.iter().filter(|line| line.text.contains("Call")).map(|line| line.after_secs).collect::<Vec<_>>()
    };
    let first = rings(&outlook(&protocol, People::Nobody, 1).expect("it can be seen"));
    assert!(first.len() >= 2, "{first:?}");
    let seen = outlook(&protocol, People::Confirms { step: 1, after_minutes: 3 }, 1).expect("it can be seen");
    assert_eq!(seen.state, "confirmed");
    assert!(told(&seen).iter().all(|line| !line.contains("rang back")), "{:?}", told(&seen));
}
