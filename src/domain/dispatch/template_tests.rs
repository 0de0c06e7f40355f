//! Each template in an account that has everybody: it passes the check, and a night of it ends as its trade wants.

use super::super::protocol::Protocol;
use super::super::simulate::{People, Scenario, Surroundings, can_confirm, simulate};
use super::super::validate::validate;
use super::*;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallTypeId, DestinationId, ProtocolId, ScheduleId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Destination};
use crate::domain::dispatch::hold::TimeOfDay;
use crate::domain::message::form::Form;
use crate::domain::oncall::{Layer, Rotation, ShiftLength};
use crate::domain::recap::plan::{Plan, Recipient};

const NAMES: [(&str, &str); 6] = [
    ("ann", "attorney"),
    ("bob", "assistant"),
    ("cleo", "maintenance"),
    ("dan", "office manager"),
    ("eve", "doctor"),
    ("fay", "technician"),
];

fn people() -> Vec<Contact> {
    let person = |(n, (name, title)): (usize, &(&str, &str))| {
        let destination = |label: &str, reach| Destination {
            id: DestinationId::named(&format!("{name}-{label}")),
            label: label.to_owned(),
            reach,
            ring_secs: 30,
            blocked: false,
            hours: Vec::new(),
        };
        let number = |n: usize| PhoneNumber::parse(&format!("+1202555{:04}", 100 + n)).expect("a number");
        Contact {
            id: ContactId::named(name),
            account: AccountId::named("client"),
            name: (*name).to_owned(),
            title: (*title).to_owned(),
            language: None,
            zone: None,
            destinations: vec![
                destination("cell", Reach::Phone(number(2 * n))),
                destination("house", Reach::Phone(number(2 * n + 1))),
                destination("mail", Reach::Email(format!("{name}@example.com"))),
                destination("box", Reach::Inbox("cell".to_owned())),
            ],
        }
    };
    NAMES.iter().enumerate().map(person).collect()
}

fn schedules() -> Vec<Schedule> {
    let schedule = |role: &str, people: &[&str]| Schedule {
        id: ScheduleId::named(role),
        account: AccountId::named("client"),
        role: role.to_owned(),
        zone: "America/New_York".to_owned(),
        layers: vec![Layer::plain(
            "rotation",
            Rotation::even(
                people.iter().map(|name| ContactId::named(name)).collect(),
                "2026-01-05T08:00",
                ShiftLength::Days(1),
            ),
        )],
        temporary: Vec::new(),
        overrides: Vec::new(),
        fallback: None,
        remind: false,
        holidays: Vec::new(),
    };
    vec![schedule("technician", &["fay", "cleo"]), schedule("doctor", &["eve", "ann"])]
}

fn fitted(template: &Template) -> Protocol {
    let (contacts, schedules) = (people(), schedules());
    let Fitted { name, steps, repeat, until } =
        template.fit(&template.guess(&contacts, &schedules), &contacts, &schedules);
    let (id, account) = (ProtocolId::named(template.key), AccountId::named("client"));
    Protocol { id, account, name, version: 1, steps, repeat, until }
}

fn night(template: &Template, hours: u32, people_do: People) -> (&'static str, Vec<String>) {
    let (contacts, schedules) = (people(), schedules());
    let to = vec![Recipient { contact: ContactId::named("dan"), destination: "mail".to_owned() }];
    let recap = Plan { times: TimeOfDay::parse("08:00").into_iter().collect(), to, empty: false, ..Plan::default() };
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
        protected: false,
        priority: None,
    };
    let own_pins = contacts.iter().map(|contact| contact.id.clone()).collect();
    let around = Surroundings {
        account: &account,
        call_type: &call_type,
        contacts: &contacts,
        schedules: &schedules,
        recap: Some(&recap),
        own_pins: &own_pins,
    };
    // Saturday, 7 March 2026, 02:00 in New York.
    let start = UtcMs(1_772_866_800_000);
    let scenario = Scenario { start, hours, people: people_do, ..Scenario::default() };
    let outlook = simulate(&fitted(template), &around, &scenario).expect("a scenario that can be");
    (outlook.state, outlook.lines.into_iter().map(|line| line.text).collect())
}

#[test]
fn every_template_passes_the_check_in_an_account_that_has_everybody() {
    for template in TEMPLATES {
        let faults = validate(&fitted(template), &people(), &schedules());
        assert_eq!(faults, [], "{}", template.key);
        assert!(template.steps.iter().flat_map(|s| s.to).all(|(key, _)| template.parts.iter().any(|p| p.key == *key)));
    }
    let mut keys: Vec<_> = TEMPLATES.iter().map(|template| template.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), TEMPLATES.len(), "each by a key of its own");
}

#[test]
fn where_nobody_answers_an_urgent_template_goes_on_or_asks_an_operator_and_a_routine_one_is_done() {
    for template in TEMPLATES {
        let (state, lines) = night(template, 3, People::Nobody);
        let expected: &[&str] = match (template.urgency, template.repeat) {
            (Urgency::Urgent, true) => &["running"],
            (Urgency::Urgent, false) => &["exhausted_unconfirmed"],
            _ => &["delivered", "held_for_recap", "held_for_check_in"],
        };
        assert!(expected.contains(&state), "{}: {state} {lines:#?}", template.key);
    }
}

#[test]
fn whoever_confirms_ends_it_at_each_step_of_each_template_that_can_be_confirmed() {
    for template in TEMPLATES {
        for (n, step) in (1..).zip(template.steps).filter(|(_, step)| can_confirm(step.method)) {
            let (state, lines) = night(template, 3, People::Confirms { step: n, after_minutes: 0 });
            let ends = ["confirmed", "told", "read_at_check_in"];
            assert!(ends.contains(&state), "{} step {n} ({:?}): {state} {lines:#?}", template.key, step.method);
        }
    }
}

#[test]
fn what_is_held_for_the_recap_is_in_the_next_one() {
    let template = find_template("property_routine").expect("a template");
    let (state, lines) = night(template, 7, People::Nobody);
    assert_eq!(state, "recapped", "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("recap to dan")), "{lines:?}");
}

#[test]
fn a_part_that_nobody_plays_is_left_out_and_the_check_says_where() {
    let template = find_template("plumbing_urgent").expect("a template");
    let fitted = template.fit(&template.guess(&[], &[]), &[], &[]);
    assert!(fitted.steps.iter().all(|step| step.to.is_empty()));
    let (id, account) = (ProtocolId::named("p"), AccountId::named("client"));
    let Fitted { name, steps, repeat, until } = fitted;
    let protocol = Protocol { id, account, name, version: 1, steps, repeat, until };
    let faults: Vec<_> = validate(&protocol, &[], &[]).into_iter().map(|f| (f.step, f.code)).collect();
    assert_eq!(faults, [(Some(1), "nobody"), (Some(2), "nobody"), (Some(3), "nobody")]);
}

#[test]
fn parts_are_played_by_title_and_role_and_nobody_plays_two() {
    let template = find_template("property_urgent").expect("a template");
    let players: Vec<_> = template.guess(&people(), &schedules()).into_values().collect();
    assert_eq!(players.len(), 4);
    for (n, player) in players.iter().enumerate() {
        assert!(!players[..n].contains(player), "{players:?}");
    }
    let medical = find_template("medical_patient").expect("a template").guess(&people(), &schedules());
    assert_eq!(medical["doctor"], Player::OnCall { role: "doctor".to_owned() });
    assert_eq!(medical["office_manager"], Player::Contact { contact: ContactId::named("dan") });
}

#[test]
fn the_other_telephone_is_the_first_where_there_is_no_other() {
    let mut person = people().remove(0);
    assert_eq!(pick_destination(Some(&person), By::OtherPhone), "house");
    person.destinations.retain(|d| d.label != "house");
    assert_eq!(pick_destination(Some(&person), By::OtherPhone), "cell");
    assert_eq!(pick_destination(None, By::Email), "email");
}
