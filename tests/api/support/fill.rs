//! What is in the store of a new house: one account with its form, protocol, person and schedule, four users; and what is told of it.
//!
//! Written once, by [`House`](super::House), into a store that is empty. What always holds: it is the same in every house.

use serde_json::{Value, json};

use cordboard::base::id::{AccountId, CallTypeId, ContactId, DestinationId, ProtocolId, ScheduleId, UserId};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::hours::Hours;
use cordboard::domain::account::{
    Account, CallType, Contact, Destination, LeaveMessage, Queueing, Reach, RecordingPolicy, Speech, Urgency,
};
use cordboard::domain::alarm::{Means, Plan, Step as AlarmStep};
use cordboard::domain::dispatch::protocol::{Method as StepMethod, Protocol, Repeat, Step, Target, Until};
use cordboard::domain::message::form::{Field, FieldKind, Form};
use cordboard::domain::oncall::Schedule;
use cordboard::domain::operator::skill::Skills;
use cordboard::io::store::Store;
use cordboard::io::store::users::{HashedPassword, Role, User};

use super::{PASSWORD, START};

pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

/// Lee is texted of what nobody acknowledges within a minute.
pub fn alarm_plan() -> Plan {
    let (name, number) = ("Lee Moss".to_owned(), number("+12025550131"));
    let step = AlarmStep { after_secs: 60, by: Means::Text, name, number };
    Plan { steps: vec![step], ..Plan::default() }
}

/// The form of the urgent call type, filled in.
pub fn answers() -> Value {
    json!({"name": "Pat Doe", "phone": "202 555 0188", "problem": "Burst pipe in the cellar"})
}

pub fn message_body() -> Value {
    json!({"account": "acc_plumbing", "call_type": "ct_urgent", "caller": "+12025550188", "answers": answers()})
}

pub(super) async fn fill(store: &Store) {
    let account = AccountId::named("plumbing");
    let step = |method, destination: &str, wait_secs| {
        let to = Target::OnCall { role: "technician".into(), destination: destination.into() };
        Step::new(method, vec![to], wait_secs)
    };
    let protocol = Protocol {
        id: ProtocolId::named("urgent"),
        account: account.clone(),
        name: "urgent".into(),
        version: 1,
        steps: vec![
            step(StepMethod::TextConfirm, "mobile", 900),
            step(StepMethod::CallOut { leave_message: true }, "mobile", 600),
            step(StepMethod::Email, "email", 60),
        ],
        repeat: Some(Repeat { from_step: 1 }),
        until: Until::Confirmed,
    };
    let field = |name: &str, kind, required| Field {
        name: name.into(),
        label: name.into(),
        kind,
        required,
        brief: true,
        ..Field::default()
    };
    let form = Form {
        version: 1,
        fields: vec![
            field("name", FieldKind::Text, true),
            field("phone", FieldKind::Phone, true),
            field("problem", FieldKind::LongText, true),
            field("when", FieldKind::Choice { options: vec!["Now".into(), "Today".into()] }, false),
        ],
    };
    let call_type = |id: &str, urgency, protocol| CallType {
        id: CallTypeId::named(id),
        name: id.into(),
        urgency,
        triggers: String::new(),
        watched: vec![],
        form: form.clone(),
        protocol,
        protected: false,
        priority: None,
    };
    let contact = Contact {
        id: ContactId::named("ben"),
        account: account.clone(),
        name: "Ben Ortiz".into(),
        title: "technician".into(),
        language: None,
        zone: None,
        destinations: vec![
            Destination {
                id: DestinationId::named("ben-mobile"),
                label: "mobile".into(),
                reach: Reach::Phone(number("+12025550121")),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
            Destination {
                id: DestinationId::named("ben-email"),
                label: "email".into(),
                reach: Reach::Email("ben@example.com".into()),
                ring_secs: 30,
                blocked: false,
                hours: Vec::new(),
            },
        ],
    };
    let plumbing = Account {
        id: account.clone(),
        name: "Imaginary Plumbing".into(),
        zone: "America/New_York".into(),
        color: "#2266aa".into(),
        answer_phrase: "Imaginary Plumbing, how can I help?".into(),
        notes: "Ask whether the water is turned off.".into(),
        faq: vec![],
        greeting: Speech::Spoken { text: "Welcome.".into() },
        apology: Speech::Spoken { text: "We are sorry.".into() },
        comfort: None,
        dids: vec![number("+12025550102")],
        caller_id: None,
        priority: 0,
        ring_secs: 15,
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
        call_types: vec![
            call_type("urgent", Urgency::Urgent, Some(protocol.id.clone())),
            call_type("sales", Urgency::NotLegitimate, None),
        ],
    };
    let schedule = Schedule {
        id: ScheduleId::named("technician"),
        account: account.clone(),
        role: "technician".into(),
        zone: "America/New_York".into(),
        layers: vec![],
        temporary: vec![],
        remind: false,
        holidays: vec![],
        overrides: Vec::new(),
        fallback: Some(contact.id.clone()),
    };
    let hash = HashedPassword::of(PASSWORD.into()).await.expect("a password");
    let mut tx = store.write().await.expect("a transaction");
    // A protocol is checked against the people it names; its account may name it before it is there.
    tx.upsert_account(&plumbing, START).await.expect("an account");
    tx.upsert_contact(&contact).await.expect("a contact");
    tx.upsert_schedule(&schedule).await.expect("a schedule");
    tx.insert_protocol(&protocol, START).await.expect("a protocol");
    for (name, role) in
        [("kim", Role::Operator), ("lee", Role::Operator), ("sam", Role::Supervisor), ("ada", Role::Admin)]
    {
        let user = User {
            id: UserId::named(name),
            login: name.into(),
            name: name.to_uppercase(),
            role,
            disabled: false,
            skills: Skills::new(),
        };
        tx.insert_user(&user, &hash, START).await.expect("a user");
    }
    tx.commit("test").await.expect("the demo data");
}
