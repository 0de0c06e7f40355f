//! What a client approves before their account is in service: the scripts, the contacts, the escalation. An account is a draft until
//! each was approved once; a part that is another since says so, and the account stays in service. Callers are never refused over it.
//!
//! Pure. What always holds: an approval is of what was read (its version), and is kept with it; a part that a newer program tells
//! more of is no other part for that: what was approved is read as today's and compared with today's.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::rights::Right;
use crate::base::id::ContactId;
use crate::domain::account::edit_call_types::{CallTypeEdit, FormEdit};
use crate::domain::account::edit_contact::{ContactEdit, ReachKind};
use crate::domain::account::faq::Faq;
use crate::domain::account::hours::Hours;
use crate::domain::account::{Account, Contact, Speech, Urgency};
use crate::domain::dispatch::condition::window_words;
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::protocol::{Protocol, Repeat, Step, Until};
use crate::domain::oncall::Schedule;
use crate::domain::recap::plan::Plan;

/// What is approved by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What callers hear and are asked.
    Scripts,
    /// Who they are and how they are reached.
    Contacts,
    /// Who is told of what, in which order.
    Escalation,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Scripts, Self::Contacts, Self::Escalation];

    /// What somebody of the client's has to have to approve it.
    pub const fn right(self) -> Right {
        match self {
            Self::Scripts => Right::Settings,
            Self::Contacts => Right::Contacts,
            Self::Escalation => Right::Protocol,
        }
    }

    /// The word stored and shown to programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scripts => "scripts",
            Self::Contacts => "contacts",
            Self::Escalation => "escalation",
        }
    }
}

/// An account with everything that its client approves.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    pub account: &'a Account,
    pub contacts: &'a [Contact],
    pub schedules: &'a [Schedule],
    /// Those in force.
    pub protocols: &'a [Protocol],
    pub recap: Option<&'a Plan>,
}

/// A part as it can be kept and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Content {
    Scripts {
        answer_phrase: String,
        greeting: Speech,
        apology: Speech,
        #[serde(default)]
        faq: Vec<Faq>,
        hours: Box<Hours>,
        call_types: Vec<Script>,
    },
    Contacts {
        people: BTreeMap<ContactId, ContactEdit>,
    },
    Escalation {
        /// By the name of the call type.
        protocols: BTreeMap<String, Steps>,
        roles: Vec<String>,
        recap: Option<Plan>,
    },
}

/// What is asked about one kind of call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    pub name: String,
    pub urgency: Urgency,
    pub triggers: String,
    pub form: FormEdit,
}

/// What is done about one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    pub protocol: String,
    pub steps: Vec<Step>,
    pub repeat: Option<Repeat>,
    pub until: Until,
}

impl Content {
    /// A part as it is now.
    pub fn of(part: Part, whole: &Whole<'_>) -> Self {
        let account = whole.account;
        match part {
            Part::Scripts => Self::Scripts {
                answer_phrase: account.answer_phrase.clone(),
                greeting: account.greeting.clone(),
                apology: account.apology.clone(),
                faq: account.faq.clone(),
                // What somebody sets for a day is no script.
                hours: Box::new(Hours { overrides: Vec::new(), ..account.hours.clone() }),
                call_types: account
                    .call_types
                    .iter()
                    .map(|call_type| {
                        let CallTypeEdit { name, urgency, triggers, form, .. } = CallTypeEdit::from(call_type);
                        Script { name, urgency, triggers, form }
                    })
                    .collect(),
            },
            Part::Contacts => {
                Self::Contacts { people: whole.contacts.iter().map(|c| (c.id.clone(), person(c, account))).collect() }
            }
            Part::Escalation => Self::Escalation {
                protocols: in_force(whole).map(|(name, p)| (name, Steps::of(p))).collect(),
                roles: whole.schedules.iter().map(|schedule| schedule.role.clone()).collect(),
                recap: whole.recap.cloned(),
            },
        }
    }

    /// It as the text that is kept.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("its maps have text keys, so it is always JSON")
    }

    /// What was kept; none: of a program that told it so otherwise that it cannot be read.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Its name: short, and another for another content.
    pub fn version(&self) -> String {
        version_of(&self.to_text())
    }
}

/// A short name for what was read: another for another text.
pub fn version_of(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

impl Steps {
    fn of(protocol: &Protocol) -> Self {
        Self {
            protocol: protocol.name.clone(),
            steps: protocol.steps.clone(),
            repeat: protocol.repeat,
            until: protocol.until,
        }
    }
}

fn in_force<'a>(whole: &Whole<'a>) -> impl Iterator<Item = (String, &'a Protocol)> {
    let protocols = whole.protocols;
    let account = whole.account;
    account.call_types.iter().filter_map(move |call_type| {
        let id = call_type.protocol.as_ref()?;
        Some((call_type.name.clone(), protocols.iter().find(|p| p.id == *id)?))
    })
}

/// A part in plain English, line by line.
pub fn lines(part: Part, whole: &Whole<'_>) -> Vec<String> {
    let account = whole.account;
    match part {
        Part::Scripts => scripts(account),
        Part::Contacts => whole.contacts.iter().map(|c| contact(c, account)).collect(),
        Part::Escalation => {
            let mut lines = Vec::new();
            for call_type in &account.call_types {
                let protocol = call_type.protocol.as_ref().and_then(|id| whole.protocols.iter().find(|p| p.id == *id));
                match protocol {
                    Some(protocol) => {
                        lines.push(format!("{}: {}, version {}.", call_type.name, protocol.name, protocol.version));
                        lines.extend(describe(protocol, whole.contacts, &account.call_types));
                    }
                    None => lines.push(format!("{}: nobody is told.", call_type.name)),
                }
            }
            // Without a call type there is nothing of it to read yet, whoever is on call.
            if !whole.schedules.is_empty() && !account.call_types.is_empty() {
                let roles: Vec<&str> = whole.schedules.iter().map(|schedule| schedule.role.as_str()).collect();
                lines.push(format!("There is somebody on call as {}.", roles.join(", ")));
            }
            lines.extend(whole.recap.map(|plan| recap(plan, whole.contacts)));
            lines
        }
    }
}

fn scripts(account: &Account) -> Vec<String> {
    let words = |speech: &Speech| match speech {
        Speech::Spoken { text } => format!("\u{201c}{text}\u{201d}"),
        Speech::Recorded { .. } | Speech::Uploaded { .. } => "a recording".to_owned(),
    };
    let mut lines = vec![
        format!("Callers hear {}.", words(&account.greeting)),
        format!("Operators say \u{201c}{}\u{201d}", account.answer_phrase),
        format!("When nobody is free: {}.", words(&account.apology)),
    ];
    for call_type in &account.call_types {
        let asked: Vec<&str> = call_type.form.fields.iter().map(|field| field.label.as_str()).collect();
        let when = if call_type.triggers.is_empty() { String::new() } else { format!(" ({})", call_type.triggers) };
        lines.push(format!("{}{when}: asked for {}.", call_type.name, asked.join(", ")));
    }
    let holidays: Vec<&str> = account.hours.holidays.iter().map(|day| day.name.as_str()).collect();
    if !holidays.is_empty() {
        lines.push(format!("Holidays: {}.", holidays.join(", ")));
    }
    lines
}

/// All of a plan, as any of it is approved: when, to whom, and how.
fn recap(plan: &Plan, contacts: &[Contact]) -> String {
    let times: Vec<String> = plan.times.iter().map(ToString::to_string).collect();
    let name =
        |id: &ContactId| contacts.iter().find(|c| c.id == *id).map_or("somebody who is gone", |c| c.name.as_str());
    let to: Vec<String> = plan.to.iter().map(|to| format!("{} ({})", name(&to.contact), to.destination)).collect();
    let mut said = format!("Recap at {}", times.join(", "));
    if !to.is_empty() {
        said.push_str(&format!(" to {}", to.join(", ")));
    }
    for (is_so, words) in [
        (plan.empty, "also if there is nothing to report"),
        (plan.files.pdf, "with the report as pages"),
        (plan.files.csv, "with the messages as a table"),
    ] {
        if is_so {
            said.push_str(", ");
            said.push_str(words);
        }
    }
    said.push('.');
    said
}

/// Somebody as they are approved: with the clock that their hours are by, be it the account's, and none where there are no hours.
fn person(contact: &Contact, account: &Account) -> ContactEdit {
    let edit = ContactEdit::from(contact);
    let has_hours = edit.destinations.iter().any(|d| !d.hours.is_empty());
    let zone = has_hours.then(|| edit.zone.clone().unwrap_or_else(|| account.zone.clone()));
    ContactEdit { zone, ..edit }
}

fn contact(contact: &Contact, account: &Account) -> String {
    let edit = person(contact, account);
    let reached = edit.destinations.iter().map(|d| {
        let reached = match d.reach.kind {
            ReachKind::Inbox => format!("{} (secure inbox)", d.label),
            _ => format!("{} {}", d.label, d.reach.address),
        };
        let hours: Vec<String> = d.hours.iter().map(window_words).collect();
        if hours.is_empty() { reached } else { format!("{reached} ({})", hours.join(", and ")) }
    });
    let title = if contact.title.is_empty() { String::new() } else { format!(", {}", contact.title) };
    let reached: Vec<String> = reached.collect();
    let reached = if reached.is_empty() { "no way to reach them".to_owned() } else { reached.join(", ") };
    let language = contact.language.as_ref().map(|tag| format!(" (language: {tag})")).unwrap_or_default();
    let clock = edit.zone.map(|zone| format!("; hours by the clock of {zone}")).unwrap_or_default();
    format!("{}{title}{language}: {reached}{clock}.", contact.name)
}

/// What a part has nothing of, so that there is nothing to approve yet, and who puts it there; none: there is something to read.
pub fn lacks(part: Part, whole: &Whole<'_>) -> Option<&'static str> {
    match part {
        // No account is saved without words for its callers.
        Part::Scripts => None,
        Part::Contacts => whole.contacts.is_empty().then_some(
            "There is nobody among the contacts yet, so there is nothing to approve. Whoever may change contacts adds \
             people in the portal under People; the service can do it on the account's page.",
        ),
        Part::Escalation => whole.account.call_types.is_empty().then_some(
            "There is no call type yet, so nothing happens with any message, and there is nothing to approve. The \
             service sets up call types and their protocols on the account's page.",
        ),
    }
}

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Never approved.
    Open,
    Approved,
    /// It is another since it was approved.
    Changed,
}

/// How a part stands whose last approval was of this.
pub fn part_state(approved: Option<&str>, now: &Content) -> PartState {
    match approved.map(Content::from_text) {
        None => PartState::Open,
        Some(Some(then)) if then == *now => PartState::Approved,
        Some(_) => PartState::Changed,
    }
}

/// Whether an account is a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Draft,
    InService,
}

/// By how its parts stand. `before`: it was in service before approvals were kept.
pub fn standing(parts: &[(Part, PartState)], before: bool) -> Standing {
    let approved = parts.iter().all(|(_, state)| *state != PartState::Open);
    if before || approved { Standing::InService } else { Standing::Draft }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::DestinationId;
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::hours::{Span, Weekday};
    use crate::domain::account::{Destination, Reach};
    use crate::domain::message::render::tests::account;
    use crate::domain::oncall::Window;
    use crate::domain::recap::plan::{Files, Recipient};

    fn whole(account: &Account) -> Whole<'_> {
        Whole { account, contacts: &[], schedules: &[], protocols: &[], recap: None }
    }

    #[test]
    fn a_changed_part_says_so_and_the_account_stays_in_service() {
        let mut account = account();
        let approved = Content::of(Part::Scripts, &whole(&account)).to_text();
        let state = |account: &Account| part_state(Some(&approved), &Content::of(Part::Scripts, &whole(account)));
        assert_eq!(state(&account), PartState::Approved);
        account.color = "#000000".into();
        assert_eq!(state(&account), PartState::Approved, "no caller hears a colour");
        account.answer_phrase.push('!');
        assert_eq!(state(&account), PartState::Changed);
        let parts = [(Part::Scripts, PartState::Changed), (Part::Contacts, PartState::Approved)];
        assert_eq!(standing(&parts, false), Standing::InService);
        assert_eq!(standing(&[(Part::Scripts, PartState::Open)], false), Standing::Draft);
        assert_eq!(standing(&[(Part::Scripts, PartState::Open)], true), Standing::InService);
    }

    #[test]
    fn another_clock_of_somebodys_hours_is_another_contact_and_is_read() {
        let mut account = account();
        account.zone = "America/New_York".into();
        let span = Span { from: "08:00".into(), until: "18:00".into() };
        let mobile = Destination {
            id: DestinationId::named("mobile"),
            label: "mobile".into(),
            reach: Reach::Phone(PhoneNumber::parse("+12025550110").expect("a number")),
            ring_secs: 30,
            blocked: false,
            hours: vec![Window { days: vec![Weekday::Monday], span }],
        };
        let mut ben = Contact {
            id: ContactId::named("ben"),
            account: account.id.clone(),
            name: "Ben".into(),
            title: String::new(),
            language: None,
            zone: None,
            destinations: vec![mobile],
        };
        let read = |ben: &Contact, account: &Account| {
            let contacts = std::slice::from_ref(ben);
            let whole = Whole { account, contacts, schedules: &[], protocols: &[], recap: None };
            (lines(Part::Contacts, &whole).join(" "), Content::of(Part::Contacts, &whole))
        };
        let (said, approved) = read(&ben, &account);
        assert!(
            said.ends_with("(only on Monday between 08:00 and 18:00); hours by the clock of America/New_York."),
            "{said}"
        );
        let state = |now: &Content| part_state(Some(&approved.to_text()), now);
        // The account moves, and he has no clock of his own.
        account.zone = "America/Chicago".into();
        assert_eq!(state(&read(&ben, &account).1), PartState::Changed);
        // His own is the one that was approved: nothing is another.
        ben.zone = Some("America/New_York".into());
        assert_eq!(state(&read(&ben, &account).1), PartState::Approved);
        ben.zone = Some("America/Denver".into());
        let (said, now) = read(&ben, &account);
        assert!(said.contains("by the clock of America/Denver") && state(&now) == PartState::Changed, "{said}");
        // Without hours no clock counts.
        ben.destinations[0].hours.clear();
        assert!(!read(&ben, &account).0.contains("clock"));
    }

    #[test]
    fn whatever_makes_the_escalation_another_is_read_in_it() {
        let mut account = account();
        let form = crate::domain::message::form::Form::default();
        account.call_types.push(crate::domain::account::CallType {
            id: crate::base::id::CallTypeId::named("urgent"),
            name: "Urgent".into(),
            urgency: Urgency::Urgent,
            triggers: String::new(),
            watched: vec![],
            form,
            protocol: None,
            protected: false,
            priority: None,
        });
        let schedule = |role: &str| {
            let id = crate::base::id::ScheduleId::named(role);
            Schedule::blank(id, account.id.clone(), role.to_owned(), "UTC".to_owned())
        };
        let (one, two) = ([schedule("technician")], [schedule("technician"), schedule("deputy")]);
        let plan = |to: &str| Plan {
            times: crate::domain::dispatch::hold::TimeOfDay::parse("07:30").into_iter().collect(),
            to: vec![Recipient { contact: ContactId::named("ben"), destination: to.to_owned() }],
            empty: false,
            files: Files::default(),
        };
        let (mail, fax) = (plan("email"), plan("fax"));
        let read = |schedules: &[Schedule], recap: &Plan| {
            let whole = Whole { account: &account, contacts: &[], schedules, protocols: &[], recap: Some(recap) };
            (lines(Part::Escalation, &whole), Content::of(Part::Escalation, &whole))
        };
        let (said, before) = read(&one, &mail);
        for (other, after) in [read(&two, &mail), read(&one, &fax)] {
            assert_ne!(before, after);
            assert_ne!(said, other);
        }
    }

    #[test]
    fn there_is_nothing_to_approve_of_a_part_that_says_nothing() {
        let account = account();
        let empty = whole(&account);
        for part in Part::ALL {
            assert_eq!(lacks(part, &empty).is_some(), lines(part, &empty).is_empty(), "{part:?}");
        }
        assert!(lacks(Part::Contacts, &empty).is_some() && lacks(Part::Escalation, &empty).is_some());
    }

    #[test]
    fn what_cannot_be_read_any_more_counts_as_another() {
        let account = account();
        let now = Content::of(Part::Contacts, &whole(&account));
        assert_eq!(part_state(Some("{\"part\":\"wishes\"}"), &now), PartState::Changed);
        assert_eq!(part_state(None, &now), PartState::Open);
    }

    #[test]
    fn another_content_has_another_version() {
        let mut account = account();
        let version = |account: &Account| Content::of(Part::Scripts, &whole(account)).version();
        let before = version(&account);
        assert_eq!((before.len(), version(&account)), (12, before.clone()));
        account.greeting = Speech::Spoken { text: "Another greeting.".into() };
        assert_ne!(version(&account), before);
    }
}
