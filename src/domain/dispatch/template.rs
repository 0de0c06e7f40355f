//! Protocols as the trades of our clients have them, to begin with instead of with nothing.
//!
//! A template knows parts ("the technician on call", "the office"), no people. [`Template::fit`] puts an account's own people
//! and roles into them; who is missing is left out, and the check of the protocol says at which step. Pure. What always
//! holds: fitted to an account that has somebody for each part, a template passes that check.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::protocol::{Method, Repeat, Step, Target, Until};
use crate::base::id::ContactId;
use crate::domain::account::{Contact, Reach, Urgency};
use crate::domain::oncall::Schedule;

/// A protocol of a trade.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Stable, for programs.
    pub key: &'static str,
    pub trade: &'static str,
    /// What the protocol is called at first.
    pub name: &'static str,
    /// What it is for.
    pub says: &'static str,
    pub urgency: Urgency,
    pub parts: &'static [Part],
    steps: &'static [Sketch],
    repeat: bool,
    until: Until,
}

/// Somebody whom a template means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub key: &'static str,
    pub label: &'static str,
    /// Whoever is on call, rather than one person.
    pub on_call: bool,
    /// Words by which a role or a title is known.
    known_by: &'static [&'static str],
}

/// A step of a template.
#[derive(Clone, Copy, Debug)]
struct Sketch {
    method: Method,
    to: &'static [(&'static str, By)],
    wait_minutes: u32,
}

/// Which of somebody's destinations is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Phone,
    /// Their other telephone; the first if they have one only.
    OtherPhone,
    Email,
    Inbox,
}

/// Who plays a part in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Player {
    OnCall { role: String },
    Contact { contact: ContactId },
}

/// A template with an account's own people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fitted {
    pub name: String,
    pub steps: Vec<Step>,
    pub repeat: Option<Repeat>,
    pub until: Until,
}

const TECHNICIAN: Part = Part {
    key: "technician",
    label: "The technician on call",
    on_call: true,
    known_by: &["technician", "plumber", "hvac", "tech"],
};
const OFFICE: Part = Part { key: "office", label: "The office", on_call: false, known_by: &["office"] };
const LAWYER: Part =
    Part { key: "lawyer", label: "The lawyer", on_call: false, known_by: &["attorney", "lawyer", "partner"] };
const ASSISTANT: Part =
    Part { key: "assistant", label: "The assistant", on_call: false, known_by: &["assistant", "paralegal"] };
const DOCTOR: Part = Part {
    key: "doctor",
    label: "The doctor on call",
    on_call: true,
    known_by: &["doctor", "physician", "provider", "nurse"],
};
const DENTIST: Part =
    Part { key: "dentist", label: "The dentist on call", on_call: true, known_by: &["dentist", "doctor"] };
const OFFICE_MANAGER: Part = Part {
    key: "office_manager",
    label: "The office manager",
    on_call: false,
    known_by: &["office manager", "manager", "office"],
};
const FIRST: Part =
    Part { key: "first", label: "Who is called first", on_call: false, known_by: &["property manager"] };
const SECOND: Part = Part { key: "second", label: "Then", on_call: false, known_by: &["assistant"] };
const THIRD: Part = Part { key: "third", label: "Then", on_call: false, known_by: &["maintenance"] };
const FOURTH: Part = Part { key: "fourth", label: "Then", on_call: false, known_by: &["owner"] };
const PERSON: Part = Part { key: "person", label: "Who gets it", on_call: false, known_by: &[] };
const ON_CALL: Part = Part { key: "on_call", label: "Whoever is on call", on_call: true, known_by: &[] };

const CALL: Method = Method::CallOut { leave_message: false };
const CALL_AND_LEAVE: Method = Method::CallOut { leave_message: true };

const fn sketch(method: Method, to: &'static [(&'static str, By)], wait_minutes: u32) -> Sketch {
    Sketch { method, to, wait_minutes }
}

/// All of them, by trade.
pub const TEMPLATES: &[Template] = &[
    Template {
        key: "legal_every",
        trade: "Law office",
        name: "Every call",
        says: "Every legitimate call: email and text to the lawyer and the assistant; nobody has to confirm.",
        urgency: Urgency::Routine,
        parts: &[LAWYER, ASSISTANT],
        steps: &[
            sketch(Method::Email, &[("lawyer", By::Email), ("assistant", By::Email)], 0),
            sketch(Method::Text, &[("lawyer", By::Phone), ("assistant", By::Phone)], 0),
        ],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "legal_critical",
        trade: "Law office",
        name: "Critical client matter",
        says: "An arrest, a deadline, a court that waits: the lawyer, then the assistant, until one confirms.",
        urgency: Urgency::Urgent,
        parts: &[LAWYER, ASSISTANT],
        steps: &[
            sketch(Method::TextConfirm, &[("lawyer", By::Phone)], 10),
            sketch(CALL_AND_LEAVE, &[("lawyer", By::Phone)], 10),
            sketch(CALL_AND_LEAVE, &[("assistant", By::Phone)], 10),
        ],
        repeat: true,
        until: Until::Confirmed,
    },
    Template {
        key: "plumbing_urgent",
        trade: "HVAC and plumbing",
        name: "Urgent",
        says: "A leak, no hot water, a broken pipe: text, mobile, home, again until the technician confirms.",
        urgency: Urgency::Urgent,
        parts: &[TECHNICIAN],
        steps: &[
            sketch(Method::TextConfirm, &[("technician", By::Phone)], 15),
            sketch(CALL_AND_LEAVE, &[("technician", By::Phone)], 10),
            sketch(CALL, &[("technician", By::OtherPhone)], 0),
        ],
        repeat: true,
        until: Until::Confirmed,
    },
    Template {
        key: "plumbing_routine",
        trade: "HVAC and plumbing",
        name: "Non-urgent",
        says: "Estimates, appointments, bills: an email to the office.",
        urgency: Urgency::Routine,
        parts: &[OFFICE],
        steps: &[sketch(Method::Email, &[("office", By::Email)], 0)],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "property_urgent",
        trade: "Property management",
        name: "Urgent",
        says: "A water leak, no heat, air or electricity, a lock-out, damage, noise: four people one after the other, \
               again until one has heard it.",
        urgency: Urgency::Urgent,
        parts: &[FIRST, SECOND, THIRD, FOURTH],
        steps: &[
            sketch(CALL_AND_LEAVE, &[("first", By::Phone)], 10),
            sketch(CALL_AND_LEAVE, &[("second", By::Phone)], 10),
            sketch(CALL_AND_LEAVE, &[("third", By::Phone)], 10),
            sketch(CALL_AND_LEAVE, &[("fourth", By::Phone)], 10),
        ],
        repeat: true,
        until: Until::Told,
    },
    Template {
        key: "property_routine",
        trade: "Property management",
        name: "Recap",
        says: "Held for the recap email of the day. When that goes out is set under Recap.",
        urgency: Urgency::Routine,
        parts: &[],
        steps: &[sketch(Method::HoldForRecap, &[], 0)],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "medical_professional",
        trade: "Medical clinic",
        name: "Urgent, from a doctor or a lab",
        says: "Call the doctor on call, then a text to confirm; the office manager is texted if neither did it.",
        urgency: Urgency::Urgent,
        parts: &[DOCTOR, OFFICE_MANAGER],
        steps: &[
            sketch(CALL_AND_LEAVE, &[("doctor", By::Phone)], 10),
            sketch(Method::TextConfirm, &[("doctor", By::Phone)], 5),
            sketch(Method::Text, &[("office_manager", By::Phone)], 0),
        ],
        repeat: false,
        until: Until::Confirmed,
    },
    Template {
        key: "medical_patient",
        trade: "Medical clinic",
        name: "Urgent, from a patient",
        says: "Text the doctor on call to confirm; the office manager is texted if they do not.",
        urgency: Urgency::Urgent,
        parts: &[DOCTOR, OFFICE_MANAGER],
        steps: &[
            sketch(Method::TextConfirm, &[("doctor", By::Phone)], 5),
            sketch(Method::Text, &[("office_manager", By::Phone)], 0),
        ],
        repeat: false,
        until: Until::Confirmed,
    },
    Template {
        key: "medical_routine",
        trade: "Medical clinic",
        name: "Non-urgent",
        says: "Appointments, refills, bills: an email as soon as the call is over.",
        urgency: Urgency::Routine,
        parts: &[OFFICE_MANAGER],
        steps: &[sketch(Method::Email, &[("office_manager", By::Email)], 0)],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "dental_pain",
        trade: "Dental practice",
        name: "Patient in pain",
        says: "Text the dentist on call to confirm, then call, again until they confirm.",
        urgency: Urgency::Urgent,
        parts: &[DENTIST],
        steps: &[
            sketch(Method::TextConfirm, &[("dentist", By::Phone)], 10),
            sketch(CALL_AND_LEAVE, &[("dentist", By::Phone)], 10),
        ],
        repeat: true,
        until: Until::Confirmed,
    },
    Template {
        key: "any_email_and_text",
        trade: "Any trade",
        name: "Email and text",
        says: "Both at once, so that it is seen; nobody has to confirm.",
        urgency: Urgency::Routine,
        parts: &[PERSON],
        steps: &[sketch(Method::Email, &[("person", By::Email)], 0), sketch(Method::Text, &[("person", By::Phone)], 0)],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "any_secure",
        trade: "Any trade",
        name: "Secure message",
        says: "A push to the person's inbox; the message is opened there, after their PIN.",
        urgency: Urgency::Routine,
        parts: &[PERSON],
        steps: &[sketch(Method::SecureMessage { confirm: false }, &[("person", By::Inbox)], 0)],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "any_check_in",
        trade: "Any trade",
        name: "Hold for check-in",
        says: "Kept until the client calls and asks for it.",
        urgency: Urgency::Routine,
        parts: &[],
        steps: &[sketch(Method::HoldForCheckIn { until: None }, &[], 0)],
        repeat: false,
        until: Until::HandedOver,
    },
    Template {
        key: "any_urgent",
        trade: "Any trade",
        name: "Urgent",
        says: "Text whoever is on call to confirm, then call, again until they confirm.",
        urgency: Urgency::Urgent,
        parts: &[ON_CALL],
        steps: &[
            sketch(Method::TextConfirm, &[("on_call", By::Phone)], 15),
            sketch(CALL_AND_LEAVE, &[("on_call", By::Phone)], 10),
        ],
        repeat: true,
        until: Until::Confirmed,
    },
];

/// The template called `key`.
pub fn find_template(key: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.key == key)
}

impl Template {
    /// Who of an account plays each part, as far as titles and roles tell; nobody plays two.
    pub fn guess(&self, contacts: &[Contact], schedules: &[Schedule]) -> BTreeMap<String, Player> {
        let mut found: BTreeMap<String, Player> = BTreeMap::new();
        for part in self.parts {
            let played = |player: &Player| found.values().any(|known| known == player);
            let known = |words: &str| part.known_by.iter().any(|by| words.to_lowercase().contains(by));
            let roles = || schedules.iter().map(|s| (s.role.as_str(), Player::OnCall { role: s.role.clone() }));
            let people = || contacts.iter().map(|c| (c.title.as_str(), Player::Contact { contact: c.id.clone() }));
            let on_call = part.on_call.then(|| {
                let by_name = roles().find(|(role, player)| known(role) && !played(player));
                by_name.or_else(|| roles().find(|(_, player)| !played(player)))
            });
            let by_title = || people().find(|(title, player)| known(title) && !played(player));
            let anybody = || people().find(|(_, player)| !played(player));
            let player = on_call.flatten().or_else(by_title).or_else(anybody).map(|(_, player)| player);
            if let Some(player) = player {
                found.insert(part.key.to_owned(), player);
            }
        }
        found
    }

    /// The protocol with these people. A part that nobody plays is left out.
    pub fn fit(&self, players: &BTreeMap<String, Player>, contacts: &[Contact], schedules: &[Schedule]) -> Fitted {
        let target = |(part, by): &(&str, By)| {
            Some(match players.get(*part)? {
                Player::OnCall { role } => {
                    let schedule = schedules.iter().find(|s| s.role == *role);
                    let person = schedule.and_then(first_on).and_then(|id| contacts.iter().find(|c| c.id == *id));
                    Target::OnCall { role: role.clone(), destination: pick_destination(person, *by) }
                }
                Player::Contact { contact } => {
                    let person = contacts.iter().find(|c| c.id == *contact);
                    Target::Contact { contact: contact.clone(), destination: pick_destination(person, *by) }
                }
            })
        };
        let step = |sketch: &Sketch| {
            Step::new(sketch.method, sketch.to.iter().filter_map(target).collect(), sketch.wait_minutes * 60)
        };
        Fitted {
            name: self.name.to_owned(),
            steps: self.steps.iter().map(step).collect(),
            repeat: self.repeat.then_some(Repeat { from_step: 1 }),
            until: self.until,
        }
    }
}

/// Somebody whom a schedule means: their destinations stand for those of all who take turns.
fn first_on(schedule: &Schedule) -> Option<&ContactId> {
    schedule.regulars().first().copied()
}

/// What the person calls the destination that is meant; the usual word where they have none such.
fn pick_destination(person: Option<&Contact>, by: By) -> String {
    let is_meant = |reach: &Reach| match by {
        By::Phone | By::OtherPhone => matches!(reach, Reach::Phone(_)),
        By::Email => matches!(reach, Reach::Email(_)),
        By::Inbox => matches!(reach, Reach::Inbox(_)),
    };
    let mut meant = person.iter().flat_map(|person| &person.destinations).filter(|d| is_meant(&d.reach));
    let first = meant.next();
    let found = if by == By::OtherPhone { meant.next().or(first) } else { first };
    let usual = match by {
        By::Phone | By::OtherPhone => "mobile",
        By::Email => "email",
        By::Inbox => "inbox",
    };
    found.map_or_else(|| usual.to_owned(), |destination| destination.label.clone())
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
