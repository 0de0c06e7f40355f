//! The four accounts: a solo lawyer, a plumber, a property manager, a clinic, each with its protocols.

use crate::base::id::{AccountId, CallTypeId, ContactId, ProtocolId};
use crate::domain::account::flow::Flow;
use crate::domain::account::hours::Hours;
use crate::domain::account::{
    Account, CallType, Comfort, LeaveMessage, Patching, Queueing, RecordingMode, RecordingPolicy, Speech, Urgency,
};
use crate::domain::dispatch::hold::TimeOfDay;
use crate::domain::dispatch::protocol::{Method, Protocol, Repeat, Step, Target, Until};
use crate::domain::ivr::menu::{Choice, Gather, Menu, Node, Step as MenuStep};
use crate::domain::message::form::{FieldKind, Form};
use crate::domain::oncall::ShiftLength;
use crate::domain::recap::plan::{Plan, Recipient};

use super::forms::{asked, caller_and, choice, field, in_full, not_legitimate, only_if, optional, watching};
use super::people::{contact, rotation};
use super::{Client, number};

/// On this number the lawyer hears what could wait.
const CHECK_IN: &str = "+12025550105";
const MINUTE: u32 = 60;
const NEW_YORK: &str = "America/New_York";
const CHICAGO: &str = "America/Chicago";
const LOS_ANGELES: &str = "America/Los_Angeles";

/// All of them, in the order of their numbers.
pub fn clients() -> Vec<Client> {
    vec![lawyer(), plumbing(), property(), clinic()]
}

fn account(key: &str, name: &str, did: &str, zone: &str, color: &str) -> Account {
    Account {
        id: AccountId::named(key),
        name: name.to_owned(),
        zone: zone.to_owned(),
        color: color.to_owned(),
        answer_phrase: format!("{name}, how may I help you?"),
        notes: String::new(),
        faq: Vec::new(),
        greeting: Speech::Recorded { prompt: key.to_owned() },
        apology: Speech::Recorded { prompt: "apology".to_owned() },
        comfort: Some(Comfort {
            every_secs: 30,
            speech: Speech::Recorded { prompt: "comfort".to_owned() },
            further: Vec::new(),
            position: false,
        }),
        dids: vec![number(did)],
        caller_id: Some(number(did)),
        priority: 0,
        ring_secs: 20,
        max_wait_secs: 180,
        undo_secs: 10,
        secure: Default::default(),
        mail: Default::default(),
        leave_message: LeaveMessage::CallbackRequest,
        recording: RecordingPolicy::default(),
        queueing: Queueing::default(),
        patching: Patching::default(),
        hours: Hours::default(),
        menus: Vec::new(),
        ages: Default::default(),
        status_greeting: None,
        answer_phrases: Vec::new(),
        call_types: Vec::new(),
    }
}

fn call_type(
    key: &str,
    name: &str,
    urgency: Urgency,
    triggers: &str,
    form: Form,
    protocol: Option<&Protocol>,
) -> CallType {
    CallType {
        id: CallTypeId::named(key),
        name: name.to_owned(),
        urgency,
        triggers: triggers.to_owned(),
        watched: Vec::new(),
        form,
        protocol: protocol.map(|protocol| protocol.id.clone()),
        protected: false,
        priority: None,
    }
}

fn sales(account: &str) -> CallType {
    let key = format!("{account}-sales");
    let triggers = "someone selling something, a wrong number, a robot";
    call_type(&key, "Sales or wrong number", Urgency::NotLegitimate, triggers, not_legitimate(), None)
}

fn protocol(account: &str, key: &str, name: &str, steps: Vec<Step>, repeat: Option<Repeat>, until: Until) -> Protocol {
    Protocol {
        id: ProtocolId::named(&format!("{key}-1")),
        account: AccountId::named(account),
        name: name.to_owned(),
        version: 1,
        steps,
        repeat,
        until,
    }
}

fn step(method: Method, to: Vec<Target>, wait_minutes: u32) -> Step {
    Step::new(method, to, wait_minutes * MINUTE)
}

fn to(contact: &str, destination: &str) -> Target {
    Target::Contact { contact: ContactId::named(contact), destination: destination.to_owned() }
}

fn on_call(role: &str, destination: &str) -> Target {
    Target::OnCall { role: role.to_owned(), destination: destination.to_owned() }
}

const CALL_AND_LEAVE: Method = Method::CallOut { leave_message: true };
const CALL: Method = Method::CallOut { leave_message: false };
const FROM_THE_FIRST: Option<Repeat> = Some(Repeat { from_step: 1 });

/// Doctors and laboratories press 1 and go before others.
fn professionals_first() -> Menu {
    let node = |id: &str, step| Node { id: id.to_owned(), step };
    let ask = Gather {
        speech: Speech::Recorded { prompt: "clinic_menu".to_owned() },
        choices: vec![Choice {
            digits: "1".to_owned(),
            label: "doctor or laboratory".to_owned(),
            next: "professional".to_owned(),
        }],
        timeout_secs: 3,
        retries: 0,
        barge_in: true,
        invalid: None,
        silent: None,
        gave_up: None,
    };
    let call_type = Some(CallTypeId::named("clinic-professional"));
    let first = Flow::Queue { priority: Some(20), call_type, skills: Default::default() };
    Menu {
        name: "main".to_owned(),
        start: "ask".to_owned(),
        nodes: vec![node("ask", MenuStep::Gather(ask)), node("professional", MenuStep::Exit { flow: first })],
        otherwise: Flow::default(),
    }
}

/// Every legitimate call: email and text to the lawyer and her assistant, no confirmation.
fn lawyer() -> Client {
    let contacts = vec![
        contact(
            "lawyer",
            "harriet",
            "Harriet Vance",
            "attorney",
            &[("mobile", "+12025550121"), ("email", "harriet.vance@example.com")],
        ),
        contact(
            "lawyer",
            "tomas",
            "Tomas Reed",
            "assistant",
            &[("mobile", "+12025550122"), ("email", "tomas.reed@example.com")],
        ),
    ];
    let every = protocol(
        "lawyer",
        "lawyer-every",
        "Every call",
        vec![
            step(Method::Email, vec![to("harriet", "email"), to("tomas", "email")], 0),
            step(Method::Text, vec![to("harriet", "mobile"), to("tomas", "mobile")], 0),
        ],
        None,
        Until::HandedOver,
    );
    let method = Method::HoldForCheckIn { until: None };
    let held = protocol("lawyer", "lawyer-held", "Check-in", vec![step(method, vec![], 0)], None, Until::HandedOver);
    let message = || field("message", "Message", FieldKind::LongText);
    let mut account = account("lawyer", "Law Office of Harriet Vance", "+12025550101", NEW_YORK, "#7c5cff");
    account.answer_phrase = "Law office of Harriet Vance, this is the receptionist. How may I help you?".to_owned();
    account.notes = "Never give legal advice and never say whether somebody is a client.\n\
                     Court clerks: take case number and deadline word for word, read them back."
        .to_owned();
    account.call_types = vec![
        call_type(
            "lawyer-court",
            "Court or opposing counsel",
            Urgency::Urgent,
            "a court, a clerk, another attorney's office, an arrest",
            caller_and(vec![
                field("office", "Court or office", FieldKind::Text),
                optional("case", "Case number", FieldKind::Text),
                message(),
            ]),
            Some(&every),
        ),
        call_type(
            "lawyer-client",
            "Client",
            Urgency::Routine,
            "somebody who says they are represented by Ms Vance",
            caller_and(vec![message()]),
            Some(&every),
        ),
        call_type(
            "lawyer-new",
            "New client",
            Urgency::Routine,
            "somebody who looks for an attorney",
            caller_and(vec![
                choice("matter", "Kind of matter", &["Family", "Criminal", "Estate", "Business", "Other"]),
                in_full(optional("heard", "How they heard of us", FieldKind::Text)),
                message(),
            ]),
            Some(&every),
        ),
        call_type(
            "lawyer-wait",
            "Can wait until she checks in",
            Urgency::Routine,
            "invoices, subscriptions, invitations",
            caller_and(vec![message()]),
            Some(&held),
        ),
        sales("lawyer"),
    ];
    let check_in = number(CHECK_IN);
    account.dids.push(check_in.clone());
    account.hours.check_in = Some(check_in);
    Client { account, contacts, schedules: Vec::new(), protocols: vec![every, held], recap: None }
}

/// Urgent: text with confirmation, mobile, home, again until confirmed. Otherwise email to the office.
fn plumbing() -> Client {
    let contacts = vec![
        contact(
            "plumbing",
            "ben",
            "Ben Ortiz",
            "technician",
            &[("mobile", "+12025550110"), ("home", "+12025550111"), ("email", "ben@imaginary-plumbing.test")],
        ),
        contact(
            "plumbing",
            "maya",
            "Maya Lindqvist",
            "technician",
            &[("mobile", "+12025550112"), ("home", "+12025550113"), ("email", "maya@imaginary-plumbing.test")],
        ),
        contact("plumbing", "plumbing-office", "Office", "office", &[("email", "info@imaginary-plumbing.test")]),
    ];
    let days = ShiftLength::Days(1);
    let schedules = vec![rotation("plumbing", "technician", NEW_YORK, &["ben", "maya"], "2026-11-02T08:00", days)];
    let urgent = protocol(
        "plumbing",
        "plumbing-urgent",
        "Urgent",
        vec![
            step(Method::TextConfirm, vec![on_call("technician", "mobile")], 15),
            step(CALL_AND_LEAVE, vec![on_call("technician", "mobile")], 10),
            step(CALL, vec![on_call("technician", "home")], 0),
        ],
        FROM_THE_FIRST,
        Until::Confirmed,
    );
    let routine = protocol(
        "plumbing",
        "plumbing-routine",
        "Non-urgent",
        vec![step(Method::Email, vec![to("plumbing-office", "email")], 0)],
        None,
        Until::HandedOver,
    );
    let mut account = account("plumbing", "Imaginary Plumbing", "+12025550102", NEW_YORK, "#0b84a5");
    account.recording.mode = RecordingMode::OnDemand;
    account.notes = "Smell of gas: tell them to leave the house and dial 911 from outside; take no message first.\n\
                     Ask whether they have shut the main valve; it is usually beside the meter.\n\
                     We do not quote prices on the phone."
        .to_owned();
    account.faq = asked(&[
        ("Do you work on Sundays?", "For emergencies, at any hour. Everything else from Monday, 8 in the morning."),
        ("How do I shut the water off?", "The main valve is mostly by the meter: turn it clockwise until it stops."),
        (
            "Do you work on gas boilers?",
            "Yes, all makes. If you smell gas, leave the house first and dial 911 from outside.",
        ),
    ]);
    let job = "Address of the job";
    account.call_types = vec![
        watching(
            call_type(
                "plumbing-urgent",
                "Urgent",
                Urgency::Urgent,
                "leak, no hot water, broken pipe",
                caller_and(vec![
                    field("address", job, FieldKind::Text),
                    choice("problem", "Problem", &["Leak", "No hot water", "Broken pipe", "Drain backing up", "Other"]),
                    only_if(
                        optional("valve", "Main valve shut", FieldKind::YesNo),
                        "problem",
                        &["Leak", "Broken pipe"],
                    ),
                    optional("message", "Details", FieldKind::LongText),
                ]),
                Some(&urgent),
            ),
            &["leak", "no hot water", "broken pipe", "burst pipe", "flood"],
            &["Leak", "No hot water", "Broken pipe"],
        ),
        call_type(
            "plumbing-routine",
            "Non-urgent",
            Urgency::Routine,
            "estimates, appointments, bills, anything that can wait until morning",
            caller_and(vec![
                optional("address", job, FieldKind::Text),
                field("message", "Message", FieldKind::LongText),
            ]),
            Some(&routine),
        ),
        sales("plumbing"),
    ];
    Client { account, contacts, schedules, protocols: vec![urgent, routine], recap: None }
}

/// Urgent: four people called one after the other, again until one has heard it. Otherwise held for the recap at
/// eight.
fn property() -> Client {
    let people = [
        ("john-doe", "John Doe", "property manager", "+12025550114"),
        ("jane-doe", "Jane Doe", "assistant manager", "+12025550115"),
        ("john-roe", "John Roe", "maintenance", "+12025550116"),
        ("richard-roe", "Richard Roe", "owner", "+12025550117"),
    ];
    let reached = |(key, name, title, mobile): &(&str, &str, &str, &str)| {
        let email = format!("{key}@lakeview-property.test");
        contact("property", key, name, title, &[("mobile", mobile), ("email", &email)])
    };
    let urgent = protocol(
        "property",
        "property-urgent",
        "Urgent",
        people.iter().map(|(key, ..)| step(CALL_AND_LEAVE, vec![to(key, "mobile")], 10)).collect(),
        FROM_THE_FIRST,
        Until::Told,
    );
    let routine = protocol(
        "property",
        "property-routine",
        "Recap",
        vec![step(Method::HoldForRecap, Vec::new(), 0)],
        None,
        Until::HandedOver,
    );
    let mut account = account("property", "Lakeview Property Management", "+12025550103", CHICAGO, "#ca7a00");
    account.notes = "Fire, smoke, break-in: 911 first.\n\
                     Lock-outs: only for tenants whose name is on the lease; take the unit number.\n\
                     Noise: urgent after 22:00 only."
        .to_owned();
    let problems = ["Water leak", "No heat", "No air conditioning", "No electricity", "Locked out", "Damage", "Noise"];
    account.call_types = vec![
        watching(
            call_type(
                "property-urgent",
                "Urgent",
                Urgency::Urgent,
                "water leak, no heat, air conditioning or electricity, lock-out, damage, noise",
                caller_and(vec![
                    field("unit", "Building and unit", FieldKind::Text),
                    choice("problem", "Problem", &problems),
                    optional("message", "Details", FieldKind::LongText),
                ]),
                Some(&urgent),
            ),
            &["leak", "no heat", "no air conditioning", "no electricity", "locked out"],
            &problems,
        ),
        call_type(
            "property-routine",
            "Non-urgent",
            Urgency::Routine,
            "rent, viewings, repairs that can wait",
            caller_and(vec![
                optional("unit", "Building and unit", FieldKind::Text),
                field("message", "Message", FieldKind::LongText),
            ]),
            Some(&routine),
        ),
        sales("property"),
    ];
    let contacts = people.iter().map(reached).collect();
    let to = ["john-doe", "jane-doe"]
        .map(|key| Recipient { contact: ContactId::named(key), destination: "email".to_owned() });
    let recap = Plan {
        times: TimeOfDay::parse("08:00").into_iter().collect(),
        to: to.to_vec(),
        empty: true,
        ..Plan::default()
    };
    Client { account, contacts, schedules: Vec::new(), protocols: vec![urgent, routine], recap: Some(recap) }
}

/// Urgent from doctors and labs: a call, then a text to confirm, then the office manager. Urgent from
/// patients: the text, then the office manager. Otherwise email.
fn clinic() -> Client {
    let contacts = vec![
        contact(
            "clinic",
            "osei",
            "Dr. Amara Osei",
            "doctor",
            &[("mobile", "+12025550118"), ("email", "a.osei@maple-street-clinic.test"), ("inbox", "inbox:mobile")],
        ),
        contact(
            "clinic",
            "brandt",
            "Dr. Felix Brandt",
            "doctor",
            &[("mobile", "+12025550119"), ("email", "f.brandt@maple-street-clinic.test"), ("inbox", "inbox:mobile")],
        ),
        contact(
            "clinic",
            "rosa",
            "Rosa Whitfield",
            "office manager",
            &[("mobile", "+12025550120"), ("email", "office@maple-street-clinic.test")],
        ),
    ];
    let weeks = ShiftLength::Weeks(1);
    let schedules = vec![rotation("clinic", "doctor", LOS_ANGELES, &["osei", "brandt"], "2026-11-02T07:00", weeks)];
    let professional = protocol(
        "clinic",
        "clinic-professional",
        "Urgent, from a doctor or a lab",
        vec![
            step(CALL_AND_LEAVE, vec![on_call("doctor", "mobile")], 10),
            step(Method::TextConfirm, vec![on_call("doctor", "mobile")], 5),
            step(Method::Text, vec![to("rosa", "mobile")], 0),
        ],
        None,
        Until::Confirmed,
    );
    let patient = protocol(
        "clinic",
        "clinic-patient",
        "Urgent, from a patient",
        vec![
            step(Method::TextConfirm, vec![on_call("doctor", "mobile")], 5),
            step(Method::Text, vec![to("rosa", "mobile")], 0),
        ],
        None,
        Until::Confirmed,
    );
    let routine = protocol(
        "clinic",
        "clinic-routine",
        "Non-urgent",
        vec![step(Method::Email, vec![to("rosa", "email")], 0)],
        None,
        Until::HandedOver,
    );
    // Not in force: for whoever wants to try an inbox.
    let secure = protocol(
        "clinic",
        "clinic-secure",
        "Urgent, by secure message",
        vec![
            step(Method::SecureMessage { confirm: true }, vec![on_call("doctor", "inbox")], 5),
            step(CALL_AND_LEAVE, vec![on_call("doctor", "mobile")], 10),
        ],
        Some(Repeat { from_step: 1 }),
        Until::Confirmed,
    );
    let mut account = account("clinic", "Maple Street Clinic", "+12025550104", LOS_ANGELES, "#2f9e58");
    account.priority = 10;
    // Whoever presses nothing waits for an operator as everywhere.
    account.menus = vec![professionals_first()];
    account.hours.usual = Flow::Menu { menu: "main".to_owned() };
    account.answer_phrase = "Maple Street Clinic answering service. Is this a medical emergency?".to_owned();
    account.notes = "Chest pain, trouble breathing, heavy bleeding, thoughts of suicide: hang up and dial 911.\n\
                     Labs: write the value and its unit as said, read it back."
        .to_owned();
    let with_patient = |more: Vec<_>| {
        let mut fields = vec![
            field("patient", "Patient's name", FieldKind::Text),
            field("birth", "Patient's date of birth", FieldKind::Text),
        ];
        fields.extend(more);
        caller_and(fields)
    };
    account.call_types = vec![
        call_type(
            "clinic-professional",
            "Urgent: doctor or lab",
            Urgency::Urgent,
            "a hospital, a doctor, a pharmacy or a lab that needs the doctor now",
            with_patient(vec![
                field("office", "Hospital, practice or lab", FieldKind::Text),
                field("message", "Message or result", FieldKind::LongText),
            ]),
            Some(&professional),
        ),
        call_type(
            "clinic-patient",
            "Urgent: patient",
            Urgency::Urgent,
            "a patient who cannot wait until the clinic opens",
            with_patient(vec![field("problem", "Symptoms, since when", FieldKind::LongText)]),
            Some(&patient),
        ),
        call_type(
            "clinic-routine",
            "Non-urgent",
            Urgency::Routine,
            "appointments, refills, referrals, bills",
            caller_and(vec![
                choice("problem", "About", &["Appointment", "Refill", "Referral", "Bill", "Other"]),
                field("message", "Message", FieldKind::LongText),
            ]),
            Some(&routine),
        ),
        sales("clinic"),
    ];
    Client { account, contacts, schedules, protocols: vec![professional, patient, routine, secure], recap: None }
}
