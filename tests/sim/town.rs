//! The clients of a simulated night, their people, and what each kind of message is dispatched by: the four protocols of the
//! design and all the other methods. The same five people are on call for several clients, so their codes meet at one number.

use std::collections::{BTreeMap, BTreeSet};

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AccountId, CallTypeId, ContactId, DestinationId, MessageId, ProtocolId, ScheduleId};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::rng::Rng;
use cordboard::domain::account::hours::{Span, Weekday};
use cordboard::domain::account::{CallType, Contact, Destination, Reach, Urgency};
use cordboard::domain::dispatch::condition::{AnswerIs, Conditions, HoursAre};
use cordboard::domain::dispatch::confirm::pick_code;
use cordboard::domain::dispatch::event::World;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Repeat, Step, Target, Tries, Until};
use cordboard::domain::dispatch::stopped::takes_texts;
use cordboard::domain::message::form::{Answers, AskedAt};
use cordboard::domain::oncall::{OnCall, Schedule, Window, resolve};

pub const PEOPLE: [&str; 5] = ["ben", "ada", "olive", "roe", "kit"];
pub const ACCOUNTS: [&str; 3] = ["plumbing", "clinic", "lawyer"];
/// The role that protocols ask for.
pub const ROLE: &str = "technician";
const ZONE: &str = "America/Chicago";
const DAYS: [Weekday; 7] = {
    use Weekday::*;
    [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]
};
const LEAVES: Method = Method::CallOut { leave_message: true };

/// A kind of message that callers leave, and its protocol in force.
#[derive(Clone, Debug)]
pub struct Kind {
    pub call_type: CallTypeId,
    pub urgency: Urgency,
    pub protected: bool,
    /// Taken while the caller is on the line, who may be put through.
    pub on_line: bool,
    pub protocol: Protocol,
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub account: AccountId,
    pub kind: usize,
    pub call_type: CallTypeId,
    pub protected: bool,
    pub answers: Answers,
    pub edition: u32,
}

#[derive(Clone, Debug)]
pub struct Town {
    pub contacts: Vec<Contact>,
    pub schedules: Vec<Schedule>,
    pub kinds: Vec<Kind>,
    pub messages: BTreeMap<MessageId, Taken>,
}

pub fn number(person: usize, nth: usize) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1202555{:04}", 100 + person * 10 + nth)).expect("a valid number")
}

pub fn contact_id(account: &str, person: &str) -> ContactId {
    ContactId::named(&format!("{account}-{person}"))
}

fn contact(account: &str, nth: usize) -> Contact {
    let name = PEOPLE[nth];
    let destination = |label: &str, reach| Destination {
        id: DestinationId::named(&format!("{account}-{name}-{label}")),
        label: label.into(),
        reach,
        ring_secs: 30,
        blocked: false,
        hours: Vec::new(),
    };
    Contact {
        id: contact_id(account, name),
        account: AccountId::named(account),
        name: name.into(),
        title: "technician".into(),
        destinations: vec![
            destination("mobile", Reach::Phone(number(nth, 0))),
            destination("home", Reach::Phone(number(nth, 1))),
            destination("email", Reach::Email(format!("{name}@example.com"))),
            destination("pager", Reach::Pager(format!("{}@metro", 700 + nth).parse().expect("a pager"))),
            destination("inbox", Reach::Inbox("mobile".into())),
            destination("desk", Reach::Webhook("desk".into())),
            destination("fax", Reach::Fax(number(9, 9))),
        ],
        language: None,
        zone: None,
    }
}

impl Town {
    pub fn new() -> Self {
        let contacts = ACCOUNTS.iter().flat_map(|account| (0..PEOPLE.len()).map(|nth| contact(account, nth))).collect();
        let schedules = ACCOUNTS.iter().enumerate().map(|(nth, account)| schedule(account, Some(nth % 3))).collect();
        Self { contacts, schedules, kinds: kinds(), messages: BTreeMap::new() }
    }

    /// Some of what people are reached by is not used at every hour, and the night comes to the end or the beginning of it.
    pub fn keeps_hours(&mut self, rng: &mut Rng) {
        let spans = [("08:00", "18:30"), ("20:00", "06:00"), ("07:00", "23:00")];
        for destination in self.contacts.iter_mut().flat_map(|contact| &mut contact.destinations) {
            if rng.below(5) == 0 {
                let (from, until) = spans[usize::try_from(rng.below(3)).expect("small")];
                let span = Span { from: from.into(), until: until.into() };
                destination.hours = vec![Window { days: DAYS.to_vec(), span }];
            }
        }
    }

    pub fn view<'a>(&'a self, message: &MessageId, taken: &'a BTreeMap<PhoneNumber, BTreeSet<u16>>) -> View<'a> {
        View { town: self, message: &self.messages[message], taken }
    }
}

/// Who is on call: one person, or nobody.
pub fn schedule(account: &str, who: Option<usize>) -> Schedule {
    let id = ScheduleId::named(account);
    let mut schedule = Schedule::blank(id, AccountId::named(account), ROLE.into(), ZONE.into());
    schedule.fallback = who.map(|who| contact_id(account, PEOPLE[who]));
    schedule
}

/// What a dispatch looks up.
pub struct View<'a> {
    town: &'a Town,
    message: &'a Taken,
    taken: &'a BTreeMap<PhoneNumber, BTreeSet<u16>>,
}

impl World for View<'_> {
    fn on_call(&self, role: &str, at: UtcMs) -> Option<OnCall> {
        let own = |schedule: &&Schedule| schedule.account == self.message.account && schedule.role == role;
        resolve(self.town.schedules.iter().find(own)?, at)
    }
    fn zone(&self) -> &str {
        ZONE
    }
    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.town.contacts.iter().find(|contact| contact.id == *id)
    }
    fn takes_texts(&self, number: &PhoneNumber) -> Option<bool> {
        takes_texts(&self.town.contacts, number)
    }
    fn edition(&self) -> u32 {
        self.message.edition
    }
    fn is_protected(&self) -> bool {
        self.message.protected
    }
    fn has_own_pin(&self, _contact: &ContactId) -> bool {
        true
    }
    fn call_types(&self) -> &[CallType] {
        &[]
    }
    fn call_type(&self) -> Option<&CallTypeId> {
        Some(&self.message.call_type)
    }
    fn answers(&self) -> Option<&Answers> {
        Some(&self.message.answers)
    }
    fn pick_code(&self, number: &PhoneNumber) -> Option<u16> {
        self.taken.get(number).map_or_else(|| pick_code(&BTreeSet::new()), pick_code)
    }
}

fn on_call(label: &str) -> Vec<Target> {
    vec![Target::OnCall { role: ROLE.into(), destination: label.into() }]
}

fn named(account: &str, people: &[&str], label: &str) -> Vec<Target> {
    let one = |person: &&str| Target::Contact { contact: contact_id(account, person), destination: label.into() };
    people.iter().map(one).collect()
}

struct Draft {
    name: &'static str,
    account: &'static str,
    urgency: Urgency,
    steps: Vec<Step>,
    again: bool,
    until: Until,
}

impl Draft {
    fn kind(self, protected: bool, on_line: bool) -> Kind {
        let protocol = Protocol {
            id: ProtocolId::named(self.name),
            account: AccountId::named(self.account),
            name: self.name.into(),
            version: 1,
            steps: self.steps,
            repeat: self.again.then_some(Repeat { from_step: 1 }),
            until: self.until,
        };
        Kind { call_type: CallTypeId::named(self.name), urgency: self.urgency, protected, on_line, protocol }
    }
}

fn kinds() -> Vec<Kind> {
    use Urgency::{Routine, Urgent};
    let step = Step::new;
    let draft = |name, account, urgency, again, until, steps| Draft { name, account, urgency, steps, again, until };
    let at_night = AskedAt { days: DAYS.to_vec(), span: Span { from: "22:00".into(), until: "06:00".into() } };
    let only = |field: &str, is: &str, not| Conditions {
        answers: vec![AnswerIs { field: field.into(), is: vec![is.into()], not }],
        ..Conditions::default()
    };
    let three = ["ada", "olive", "roe"];
    vec![
        // Design §9, 1 to 4.
        draft(
            "lawyer",
            "lawyer",
            Routine,
            false,
            Until::HandedOver,
            vec![
                step(Method::Email, named("lawyer", &["ben", "ada"], "email"), 0),
                step(Method::Text, named("lawyer", &["ben", "ada"], "mobile"), 0),
            ],
        )
        .kind(false, true),
        draft(
            "pipe",
            "plumbing",
            Urgent,
            true,
            Until::Confirmed,
            vec![
                step(Method::TextConfirm, on_call("mobile"), 900),
                step(LEAVES, on_call("mobile"), 600),
                step(Method::CallOut { leave_message: false }, on_call("home"), 0),
            ],
        )
        .kind(false, false),
        draft("flood", "plumbing", Urgent, true, Until::Told, {
            ["ben", "ada", "olive", "roe"]
                .iter()
                .map(|p| step(LEAVES, named("plumbing", &[p], "mobile"), 600))
                .collect()
        })
        .kind(false, false),
        draft(
            "lab",
            "clinic",
            Urgent,
            false,
            Until::Confirmed,
            vec![
                step(LEAVES, on_call("mobile"), 600),
                step(Method::TextConfirm, on_call("mobile"), 300),
                step(Method::Text, named("clinic", &["kit"], "mobile"), 0),
            ],
        )
        .kind(false, false),
        draft(
            "patient",
            "clinic",
            Urgent,
            false,
            Until::Confirmed,
            vec![
                step(Method::TextConfirm, on_call("mobile"), 300),
                step(Method::Text, named("clinic", &["kit"], "mobile"), 0),
            ],
        )
        .kind(false, false),
        draft("bill", "lawyer", Routine, false, Until::HandedOver, vec![step(Method::HoldForRecap, vec![], 0)])
            .kind(false, false),
        draft(
            "held",
            "clinic",
            Routine,
            false,
            Until::Confirmed,
            vec![
                step(Method::HoldForCheckIn { until: None }, vec![], 1_800),
                step(Method::TextConfirm, on_call("mobile"), 600),
            ],
        )
        .kind(false, false),
        // The other methods.
        draft(
            "papers",
            "lawyer",
            Routine,
            false,
            Until::HandedOver,
            vec![
                step(Method::Pager, named("lawyer", &["ada"], "pager"), 300),
                step(Method::Fax { tries: 3, retry_secs: 300 }, named("lawyer", &["kit"], "fax"), 0),
                step(Method::Webhook, named("lawyer", &["kit"], "desk"), 0),
            ],
        )
        .kind(false, false),
        draft(
            "secret",
            "clinic",
            Urgent,
            true,
            Until::Confirmed,
            vec![
                step(Method::SecureMessage { confirm: true }, on_call("inbox"), 600),
                step(LEAVES, on_call("mobile"), 300),
            ],
        )
        .kind(true, false),
        draft(
            "desk",
            "plumbing",
            Urgent,
            true,
            Until::Confirmed,
            vec![
                Step { informs: true, ..step(Method::Webhook, named("plumbing", &["kit"], "desk"), 0) },
                step(Method::EmailConfirm, on_call("email"), 900),
                step(Method::OperatorCall { leave_message: true, then_machine: true }, on_call("mobile"), 600),
                step(Method::OperatorCall { leave_message: false, then_machine: false }, on_call("home"), 300),
            ],
        )
        .kind(false, false),
        draft(
            "patch",
            "clinic",
            Urgent,
            true,
            Until::Confirmed,
            vec![
                step(Method::LivePatch, on_call("mobile"), 0),
                Step {
                    tries: Some(Tries { times: 3, apart_secs: 120 }),
                    ..step(Method::TextConfirm, on_call("mobile"), 600)
                },
                step(LEAVES, named("clinic", &["ada"], "mobile"), 300),
            ],
        )
        .kind(false, true),
        draft(
            "group",
            "plumbing",
            Urgent,
            true,
            Until::Confirmed,
            vec![
                Step {
                    only: only("water", "yes", false),
                    ..step(Method::TextConfirm, named("plumbing", &three, "mobile"), 600)
                },
                Step {
                    only: Conditions {
                        hours: Some(HoursAre { at: at_night, outside: false }),
                        ..Conditions::default()
                    },
                    ..step(LEAVES, on_call("mobile"), 300)
                },
                Step {
                    only: only("water", "yes", true),
                    done: Some(Until::HandedOver),
                    ..step(Method::Email, named("plumbing", &["kit"], "email"), 0)
                },
            ],
        )
        .kind(false, false),
        // Of which many may come at once, for the same people.
        draft(
            "note",
            "lawyer",
            Routine,
            false,
            Until::HandedOver,
            vec![step(Method::Text, named("lawyer", &["ben", "ada"], "mobile"), 0)],
        )
        .kind(false, false),
    ]
}
