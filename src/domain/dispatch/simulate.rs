//! What a protocol would do, minute by minute, from a time on: for whoever writes one, before it is in force, and for
//! `cordboard simulate`.
//!
//! Runs the dispatch machine itself in a world that is made up: carriers take all that is sent at once, no operator takes a
//! job, and people do what the [`Scenario`] says. Pure: sends nothing, stores nothing, and the same question has the same answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::{CallNews, Effect, Entry, Event, Failure, Note, OperatorAct, World};
use super::fax::FaxOutcome;
use super::inbox::InboxNews;
use super::job::{JobNews, JobOutcome};
use super::protocol::{Method, Protocol};
use super::state::{Attempt, CallOutcome, Channel, NewDispatch, State};
use super::{apply, timeline};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, CallTypeId, ContactId, DispatchId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Account, CallType, Contact};
use crate::domain::message::form::Answers;
use crate::domain::oncall::{OnCall, Schedule, resolve};
use crate::domain::recap::plan::Plan;

/// What is looked at, at the most, of a protocol that begins its rounds one after the other: attempts, and lines.
const MAX_ATTEMPTS: usize = 1_000;
const MAX_LINES: usize = 5_000;
/// The longest that can be looked ahead: a week.
pub const MAX_HOURS: u32 = 168;
/// The latest that somebody confirms: a day after they were asked.
pub const MAX_AFTER_MINUTES: u32 = 24 * 60;
/// Whoever answers at once needs a moment to take the telephone up.
const PICKS_UP_MS: i64 = 10_000;
/// How long somebody listens before they say yes.
const LISTENS_MS: i64 = 30_000;
/// Who does what an operator does here.
const OPERATOR: &str = "An operator";

/// The account in which it would happen.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    pub account: &'a Account,
    /// Of which kind the message is.
    pub call_type: &'a CallType,
    pub contacts: &'a [Contact],
    pub schedules: &'a [Schedule],
    pub recap: Option<&'a Plan>,
    /// Who has a PIN of their own: nobody else opens an inbox.
    pub own_pins: &'a BTreeSet<ContactId>,
}

/// What is asked: from when on, for how long, and what people do.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// When the message is saved; the first step is then.
    pub start: UtcMs,
    pub hours: u32,
    pub people: People,
    /// What the message says, by the names of fields: conditions of steps may ask for it.
    pub answers: Answers,
}

/// What the people do who are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum People {
    /// Nobody answers.
    #[default]
    Nobody,
    /// Nobody answers before this step; whoever it asks first confirms so long after it began. A telephone that has stopped
    /// ringing by then is not taken up any more: they ring back.
    Confirms {
        /// Counted from 1.
        step: u32,
        #[serde(default)]
        after_minutes: u32,
    },
}

/// Why there is nothing to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    NoSuchStep {
        step: u32,
    },
    /// The step asks nobody for a yes.
    AsksNobody {
        step: u32,
    },
}

impl std::fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchStep { step } => write!(f, "There is no step {step}."),
            Self::AsksNobody { step } => {
                write!(f, "Step {step} asks nobody for a confirmation: choose a step that can be confirmed.")
            }
        }
    }
}

/// What would happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Outlook {
    /// So much would happen that no more was looked at.
    pub cut: bool,
    pub lines: Vec<OutlookLine>,
    /// The state at the end of the time looked at: `running`, `confirmed`, `delivered`, …
    pub state: &'static str,
    pub needs_operator: bool,
    /// What would come after that.
    pub next: Option<String>,
}

/// One thing that would happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OutlookLine {
    pub at: UtcMs,
    /// On the account's clock: `2026-03-07 02:15:00`.
    pub local: String,
    /// Since the message was saved.
    pub after_secs: i64,
    /// As in time lines: `step`, `attempt`, `accepted`, …
    pub kind: &'static str,
    pub text: String,
    /// The person it is about.
    pub who: Option<String>,
    /// The step it belongs to, counted from 1.
    pub step: Option<usize>,
    pub round: u32,
    /// Of a step that begins: whom it means, and why them.
    pub why: Vec<String>,
}

/// Whether somebody whom a step with this method reaches can say yes to it.
pub const fn can_confirm(method: Method) -> bool {
    matches!(
        method,
        Method::TextConfirm
            | Method::EmailConfirm
            | Method::CallOut { .. }
            | Method::OperatorCall { .. }
            | Method::SecureMessage { confirm: true }
            | Method::HoldForCheckIn { .. }
    )
}

/// Lets `protocol` run in these surroundings.
pub fn simulate(protocol: &Protocol, around: &Surroundings<'_>, scenario: &Scenario) -> Result<Outlook, Unanswerable> {
    if let People::Confirms { step, .. } = scenario.people {
        let index = usize::try_from(step).ok().and_then(|step| step.checked_sub(1));
        let found = index.and_then(|index| protocol.steps.get(index)).ok_or(Unanswerable::NoSuchStep { step })?;
        if !can_confirm(found.method) {
            return Err(Unanswerable::AsksNobody { step });
        }
    }
    let dispatch = NewDispatch {
        id: DispatchId::named("simulated"),
        message: MessageId::named("simulated"),
        account: protocol.account.clone(),
        urgency: around.call_type.urgency,
        protocol: protocol.clone(),
        // So that the first step is at the time asked for.
        undo_secs: 0,
        on_call: None,
        patched_to: Vec::new(),
    };
    let start = scenario.start;
    let mut night = Night {
        around,
        answers: &scenario.answers,
        people: scenario.people,
        state: dispatch.saved(start),
        now: start,
        entries: Vec::new(),
        planned: Vec::new(),
        yes: Yes::NotYetAsked,
    };
    let seen = night.run_until(start.plus_secs(i64::from(scenario.hours.min(MAX_HOURS)) * 3_600));
    Ok(Outlook {
        cut: !seen,
        lines: lines(&night.entries, start, &around.account.zone),
        state: night.state.phase.name(),
        needs_operator: night.state.needs_operator(),
        next: timeline::next(&night.state, &around.account.zone).map(|(_, text)| text),
    })
}

fn lines(entries: &[Entry], start: UtcMs, zone: &str) -> Vec<OutlookLine> {
    let (mut step, mut round) = (None, 1);
    let line = |entry: &Entry| {
        let mut why = Vec::new();
        match &entry.note {
            Note::Step { step: index, why: own, .. } => {
                step = Some(index + 1);
                why.clone_from(own);
            }
            Note::NotMade { step: index, .. } => step = Some(index + 1),
            Note::Round { round: number } => (step, round) = (None, *number),
            Note::Closed { .. } | Note::Opened { .. } => step = None,
            _ => {}
        }
        let (kind, text) = timeline::sentence(entry, zone);
        let after_secs = entry.at.since(start) / 1_000;
        OutlookLine {
            at: entry.at,
            local: local(entry.at, zone),
            after_secs,
            kind,
            text,
            who: entry.who.clone(),
            step,
            round,
            why,
        }
    };
    entries.iter().map(line).collect()
}

fn local(at: UtcMs, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let civil = jiff::Timestamp::from_millisecond(at.0).map(|at| zone.to_datetime(at));
    civil.map_or_else(|_| at.to_string(), |civil| civil.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Whether the one who confirms has been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Yes {
    NotYetAsked,
    /// In this run, and says yes at that time.
    Asked {
        run: usize,
        at: UtcMs,
    },
    Said,
}

/// The time that is made up.
struct Night<'a> {
    around: &'a Surroundings<'a>,
    answers: &'a Answers,
    people: People,
    state: State,
    now: UtcMs,
    entries: Vec<Entry>,
    /// What comes by itself: a call that rings out, somebody who has listened.
    planned: Vec<(UtcMs, Event)>,
    yes: Yes,
}

impl Night<'_> {
    /// Says whether it was seen to the end.
    fn run_until(&mut self, end: UtcMs) -> bool {
        self.tell(Event::Due);
        while self.state.attempts.len() < MAX_ATTEMPTS && self.entries.len() < MAX_LINES {
            let planned = self.planned.iter().map(|(at, _)| *at).min();
            let wakes = self.state.wake().map(|(at, _)| at);
            let yes = match self.yes {
                Yes::Asked { at, .. } => Some(at),
                Yes::NotYetAsked | Yes::Said => None,
            };
            let recap = self.recap_at();
            let come = [planned, wakes, yes, recap].into_iter().flatten().min();
            let Some(at) = come.filter(|at| *at <= end) else { return true };
            self.now = self.now.max(at);
            let due = |at: Option<UtcMs>| at.is_some_and(|at| at <= self.now);
            if due(yes) {
                self.say_yes();
            } else if let Some(first) = self.planned.iter().position(|(at, _)| *at <= self.now) {
                let (_, event) = self.planned.remove(first);
                self.tell(event);
            } else if due(recap) {
                self.tell_recap();
            } else {
                self.tell(Event::Due);
            }
        }
        false
    }

    /// Tells the machine, and does at once what it wants done.
    fn tell(&mut self, event: Event) {
        let mut waiting = vec![event];
        while let Some(event) = waiting.pop() {
            let (state, effects) = apply(&self.state, &event, self.now, &Here(self.around, self.answers));
            self.state = state;
            // Whoever says yes opens it then.
            self.state.unopened = None;
            for effect in effects {
                match effect {
                    Effect::Record(mut entry) => {
                        self.notice(&entry.note);
                        if let Note::Confirmed { by, .. } = &mut entry.note {
                            // Nobody in particular: "to an operator".
                            *by = None;
                        }
                        self.entries.push(entry);
                    }
                    Effect::Hand(attempt) => waiting.insert(0, Event::Hand { attempt, node: "simulation".to_owned() }),
                    Effect::Perform(attempt) => waiting.extend(self.perform(attempt)),
                    Effect::CancelCall(attempt) => {
                        let rings =
                            |event: &Event| matches!(event, Event::Call { attempt: own, .. } if *own == attempt);
                        let before = self.planned.len();
                        self.planned.retain(|(_, event)| !rings(event));
                        if self.planned.len() < before {
                            let news = CallNews::Ended(CallOutcome::Cancelled);
                            waiting.insert(0, Event::Call { attempt, news });
                        }
                    }
                }
            }
        }
    }

    /// The step at which somebody confirms may have begun.
    fn notice(&mut self, note: &Note) {
        let (People::Confirms { step, after_minutes }, Yes::NotYetAsked) = (self.people, self.yes) else { return };
        let Note::Step { step: index, .. } = note else { return };
        if u32::try_from(*index) == Ok(step.saturating_sub(1)) {
            let after = (i64::from(after_minutes.min(MAX_AFTER_MINUTES)) * 60_000).max(PICKS_UP_MS);
            let run = self.state.runs.iter().rposition(|run| run.step == *index);
            self.yes = run.map_or(Yes::NotYetAsked, |run| Yes::Asked { run, at: self.now.plus_ms(after) });
        }
    }

    fn perform(&mut self, attempt: AttemptId) -> Option<Event> {
        let found = self.state.find_attempt(&attempt)?;
        if found.job.is_some() {
            // No operator takes it by herself.
            return None;
        }
        match found.channel {
            Channel::Call => {
                let until = self.now.plus_secs(i64::from(found.ring_secs));
                let news = CallNews::Ended(CallOutcome::NoAnswer);
                self.planned.push((until, Event::Call { attempt, news }));
                None
            }
            Channel::Fax => Some(Event::Faxed { attempt, outcome: FaxOutcome::Delivered { pages: 1 } }),
            // Nobody could open it, so it is not pushed.
            Channel::Push if found.contact.as_ref().is_some_and(|contact| !self.around.own_pins.contains(contact)) => {
                Some(Event::Failed { attempt, failure: Failure::Permanent, why: "no_pin".to_owned() })
            }
            _ => Some(Event::Accepted { attempt, provider_id: None }),
        }
    }

    /// Whoever was asked first says yes, by the way they were asked.
    fn say_yes(&mut self) {
        let Yes::Asked { run, .. } = self.yes else { return };
        self.yes = Yes::Said;
        if !self.state.phase.is_open() {
            return;
        }
        let asked = |a: &&Attempt| !a.cancelled && a.failed.is_none();
        let Some(attempt) = self.state.attempts_of_try(run).find(asked).cloned() else {
            // It reached nobody, or holds the message: then it is the client who asks for it.
            if self.state.waits_for_check_in() {
                let who = "the client".to_owned();
                self.tell(Event::ReadAtCheckIn { who, by: None, edition: None });
            }
            return;
        };
        let (id, name) = (attempt.id.clone(), attempt.name.clone());
        match (attempt.channel, &attempt.job, attempt.code, attempt.address.phone()) {
            (Channel::Text, _, Some(code), Some(number)) => {
                let number = number.clone();
                self.tell(Event::Replied { number, code });
            }
            (Channel::Push, ..) => {
                let news = InboxNews::Confirmed { edition: EDITION };
                self.tell(Event::Inbox { attempt: id, news });
            }
            (Channel::Call, Some(_), ..) if attempt.in_flight_since.is_some() => {
                let (by, operator) = (UserId::named("simulated"), OPERATOR.to_owned());
                self.tell(Event::Job {
                    attempt: id.clone(),
                    news: JobNews::Taken { by: by.clone(), name: operator.clone() },
                });
                self.tell(Event::Job { attempt: id.clone(), news: JobNews::Answered { by: by.clone() } });
                let news = JobNews::Done { by, name: operator, outcome: JobOutcome::Confirmed { name } };
                self.planned.push((self.now.plus_ms(LISTENS_MS), Event::Job { attempt: id, news }));
            }
            (Channel::Call, None, ..) if attempt.in_flight_since.is_some() => {
                // It rings no longer.
                self.planned.retain(|(_, event)| !matches!(event, Event::Call { attempt, .. } if *attempt == id));
                self.tell(Event::Call { attempt: id.clone(), news: CallNews::Answered });
                let news = CallNews::Ended(CallOutcome::Confirmed);
                self.planned.push((self.now.plus_ms(LISTENS_MS), Event::Call { attempt: id, news }));
            }
            _ => {
                let act = OperatorAct::Confirm { who: name, note: Some("they rang back".to_owned()), edition: None };
                self.tell(Event::Operator { by: OPERATOR.to_owned(), act });
            }
        }
    }

    fn recap_at(&self) -> Option<UtcMs> {
        let held = self.state.held_for_recap()?;
        self.around.recap?.next_at(&self.around.account.zone, held.entered_at)
    }

    fn tell_recap(&mut self) {
        let (Some(held), Some(plan)) = (self.state.held_for_recap(), self.around.recap) else { return };
        let to: Vec<String> = plan.addresses(self.around.contacts).0.into_iter().map(|(name, _)| name).collect();
        let run = held.id.clone();
        self.tell(Event::Recapped { run, to, edition: None });
    }
}

/// The message as it was taken.
const EDITION: u32 = 1;

/// The account, and the message, as the machine asks about them.
struct Here<'a>(&'a Surroundings<'a>, &'a Answers);

impl World for Here<'_> {
    fn on_call(&self, role: &str, at: UtcMs) -> Option<OnCall> {
        self.0.schedules.iter().find(|schedule| schedule.role == role).and_then(|schedule| resolve(schedule, at))
    }

    fn zone(&self) -> &str {
        &self.0.account.zone
    }

    fn call_types(&self) -> &[CallType] {
        &self.0.account.call_types
    }

    fn call_type(&self) -> Option<&CallTypeId> {
        Some(&self.0.call_type.id)
    }

    fn answers(&self) -> Option<&Answers> {
        Some(self.1)
    }

    fn window(&self, at: UtcMs) -> Option<String> {
        self.0.account.window_at(at)
    }

    fn edition(&self) -> u32 {
        EDITION
    }

    fn is_protected(&self) -> bool {
        self.0.call_type.protected
    }

    fn has_own_pin(&self, contact: &ContactId) -> bool {
        self.0.own_pins.contains(contact)
    }

    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.0.contacts.iter().find(|contact| &contact.id == id)
    }

    fn pick_code(&self, _number: &PhoneNumber) -> Option<u16> {
        Some(1)
    }
}

#[cfg(test)]
#[path = "simulate_tests.rs"]
mod tests;
