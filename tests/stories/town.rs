//! The clients, people and protocols of the stories. Names are ours, numbers of the fictional range.

use std::collections::BTreeMap;

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, CallTypeId, ContactId, DestinationId, MessageId, ProtocolId, ScheduleId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::hours::Hours;
use cordboard::domain::account::{
    Account, CallType, Contact, Destination, LeaveMessage, PagerAddress, Queueing, Reach, RecordingPolicy, Speech,
    Urgency,
};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Repeat, Step, Target, Until};
use cordboard::domain::dispatch::validate::validate;
use cordboard::domain::message::Message;
use cordboard::domain::message::form::{Field, FieldKind, Form};
use cordboard::domain::oncall::Schedule;
use cordboard::io::store::Store;

pub const CALL: Method = Method::CallOut { leave_message: true };

/// name, mobile, home, email.
pub const PEOPLE: &[(&str, &str, &str, &str)] = &[
    ("Ben", "+12025550110", "+12025550111", "ben@example.com"),
    ("Ada", "+12025550112", "+12025550113", "ada@example.com"),
    ("Olive", "+12025550114", "+12025550115", "olive@example.com"),
    ("Roe", "+12025550116", "+12025550117", "roe@example.com"),
];

/// The one machine in town, which all of them share.
pub const FAX: &str = "+12025550133";

pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a valid number")
}

pub fn on_call(label: &str) -> Vec<Target> {
    vec![Target::OnCall { role: "technician".into(), destination: label.into() }]
}

pub fn named(name: &str, label: &str) -> Target {
    Target::Contact { contact: ContactId::named(name), destination: label.into() }
}

pub fn protocol(steps: Vec<(Method, Vec<Target>, u32)>, repeat: bool, until: Until) -> Protocol {
    Protocol {
        id: ProtocolId::named("p"),
        account: AccountId::named("one"),
        name: "Urgent".into(),
        version: 1,
        steps: steps.into_iter().map(|(method, to, wait_secs)| Step::new(method, to, wait_secs)).collect(),
        repeat: repeat.then_some(Repeat { from_step: 1 }),
        until,
    }
}

/// The same of steps with more to them.
pub fn of_steps(steps: Vec<Step>, repeat: bool, until: Until) -> Protocol {
    Protocol { steps, ..protocol(vec![], repeat, until) }
}

/// Design §9, 2: text the technician on call, 15 min, mobile, 10 min, home, again until confirmed.
pub fn plumbing() -> Protocol {
    let steps = vec![
        (Method::TextConfirm, on_call("mobile"), 900),
        (CALL, on_call("mobile"), 600),
        (Method::CallOut { leave_message: false }, on_call("home"), 0),
    ];
    protocol(steps, true, Until::Confirmed)
}

/// Design §9, 1: email and text to the lawyer and the assistant, no confirmation.
pub fn lawyer() -> Protocol {
    let to = |label: &str| vec![named("Ben", label), named("Ada", label)];
    protocol(vec![(Method::Email, to("email"), 0), (Method::Text, to("mobile"), 0)], false, Until::HandedOver)
}

/// Design §9, 3: four people in turn, ten minutes each, again until delivered.
pub fn property() -> Protocol {
    let steps = ["Ben", "Ada", "Olive", "Roe"].iter().map(|name| (CALL, vec![named(name, "mobile")], 600)).collect();
    protocol(steps, true, Until::Told)
}

/// Design §9, 4: call the doctor, 10 min, text with confirmation, 5 min, text the office manager.
pub fn clinic() -> Protocol {
    let steps = vec![
        (CALL, on_call("mobile"), 600),
        (Method::TextConfirm, on_call("mobile"), 300),
        (Method::Text, vec![named("Olive", "mobile")], 0),
    ];
    protocol(steps, false, Until::Confirmed)
}

fn contact(name: &str, mobile: &str, home: &str, email: &str) -> Contact {
    let destination = |label: &str, reach| Destination {
        id: DestinationId::named(&format!("{name}-{label}")),
        label: label.into(),
        reach,
        ring_secs: 30,
        blocked: false,
        hours: Vec::new(),
    };
    Contact {
        id: ContactId::named(name),
        account: AccountId::named("one"),
        name: name.into(),
        title: "technician".into(),
        language: None,
        zone: None,
        destinations: vec![
            destination("mobile", Reach::Phone(number(mobile))),
            destination("home", Reach::Phone(number(home))),
            destination("email", Reach::Email(email.into())),
            destination("pager", Reach::Pager(pager(mobile))),
            destination("inbox", Reach::Inbox(String::new())),
            destination("desk", Reach::Webhook("desk".into())),
            destination("fax", Reach::Fax(number(FAX))),
        ],
    }
}

/// Everybody's pager has the number of their mobile.
pub fn pager(mobile: &str) -> PagerAddress {
    format!("{mobile}@metro").parse().expect("a pager")
}

fn form() -> Form {
    let field = |name: &str, label: &str, kind| Field {
        name: name.into(),
        label: label.into(),
        kind,
        required: true,
        brief: true,
        ..Field::default()
    };
    Form {
        version: 1,
        fields: vec![
            field("name", "Caller", FieldKind::Text),
            field("number", "Call back", FieldKind::Phone),
            field("problem", "Problem", FieldKind::LongText),
            Field { required: false, brief: false, ..field("water", "Is there water?", FieldKind::YesNo) },
        ],
    }
}

pub fn account() -> Account {
    let speech = Speech::Spoken { text: "Hello".into() };
    Account {
        id: AccountId::named("one"),
        name: "Imaginary Plumbing".into(),
        zone: "America/Chicago".into(),
        color: "#336699".into(),
        answer_phrase: "Imaginary Plumbing, how can I help?".into(),
        notes: String::new(),
        faq: Vec::new(),
        greeting: speech.clone(),
        apology: speech,
        comfort: None,
        dids: vec![number("+12025550102")],
        caller_id: None,
        priority: 0,
        ring_secs: 20,
        max_wait_secs: 120,
        undo_secs: 5,
        secure: Default::default(),
        mail: Default::default(),
        leave_message: LeaveMessage::CallbackRequest,
        recording: RecordingPolicy::default(),
        queueing: Queueing::default(),
        patching: Default::default(),
        hours: Hours::default(),
        menus: vec![],
        ages: Default::default(),
        status_greeting: None,
        answer_phrases: vec![],
        call_types: vec![CallType {
            id: CallTypeId::named("urgent"),
            name: "Urgent repair".into(),
            urgency: Urgency::Urgent,
            triggers: "leak, no hot water, broken pipe".into(),
            watched: vec![],
            form: form(),
            protocol: Some(ProtocolId::named("p")),
            protected: false,
            priority: None,
        }],
    }
}

/// Who is on call as technician: one person, or nobody.
pub fn schedule(who: Option<&str>) -> Schedule {
    Schedule {
        id: ScheduleId::named("s"),
        account: AccountId::named("one"),
        role: "technician".into(),
        zone: "America/Chicago".into(),
        layers: vec![],
        temporary: vec![],
        remind: false,
        holidays: vec![],
        overrides: vec![],
        fallback: who.map(ContactId::named),
    }
}

/// Fills a fresh store.
pub async fn settle(store: &Store, protocol: &Protocol, now: UtcMs) {
    let contacts: Vec<Contact> = PEOPLE.iter().map(|(n, m, h, e)| contact(n, m, h, e)).collect();
    let schedule = schedule(Some("Ben"));
    assert_eq!(validate(protocol, &contacts, std::slice::from_ref(&schedule)), [], "the story's protocol is sound");
    let mut tx = store.write().await.expect("the store writes");
    let mut bare = account();
    bare.call_types.clear();
    tx.upsert_account(&bare, now).await.expect("an account");
    for contact in &contacts {
        tx.upsert_contact(contact).await.expect("a contact");
    }
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    tx.insert_protocol(protocol, now).await.expect("a protocol");
    tx.upsert_account(&account(), now).await.expect("an account");
    tx.commit("test").await.expect("committed");
}

pub fn message(id: &str, problem: &str, now: UtcMs) -> Message {
    let answers = [("name", "Jane Roe"), ("number", "+12025550147"), ("problem", problem)];
    Message {
        id: MessageId::named(id),
        account: AccountId::named("one"),
        call_type: CallTypeId::named("urgent"),
        call: None,
        caller: Some(number("+12025550148")),
        urgency: Urgency::Urgent,
        taken_by: None,
        taken_at: now,
        begun_at: None,
        form: form(),
        answers: answers.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<BTreeMap<_, _>>(),
        edition: 1,
        changed: None,
        graded: None,
    }
}
