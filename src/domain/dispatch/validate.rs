//! The check of a protocol before it is saved: everything wrong with it at once, each fault with what to do.
//! A method that is not built yet is refused here, never skipped later.

use serde::Serialize;

use super::fax::{MAX_TRIES, RETRY_BOUNDS};
use super::protocol::{Method, Protocol, Step, Target, Until};
use super::state::Channel;
use crate::base::id::ContactId;
use crate::domain::account::{Contact, Reach};
use crate::domain::oncall::Schedule;

/// The longest wait of one step: a week.
const MAX_WAIT_SECS: u32 = 7 * 24 * 3_600;
const MAX_STEPS: usize = 50;

/// One thing wrong with a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtocolFault {
    /// Counted from 1; none if it is about the whole.
    pub step: Option<usize>,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub message: String,
}

/// All faults of `protocol`, given the account's people and schedules. Empty: it can be saved.
pub fn validate(protocol: &Protocol, contacts: &[Contact], schedules: &[Schedule]) -> Vec<ProtocolFault> {
    let mut check = Check { contacts, schedules, faults: Vec::new() };
    if protocol.steps.is_empty() || protocol.steps.len() > MAX_STEPS {
        check.fault(None, "steps", format!("A protocol has 1 to {MAX_STEPS} steps."));
    }
    for (n, step) in (1..).zip(&protocol.steps) {
        if step.wait_secs > MAX_WAIT_SECS {
            check.fault(Some(n), "wait", "Wait a week at most.".into());
        }
        if step.method.is_held() {
            check.held(n, step, n == protocol.steps.len() && protocol.repeat.is_none());
            continue;
        }
        let Some(channel) = Channel::of(step.method) else {
            let method = method_name(step.method);
            check.fault(Some(n), "method_not_built", format!("{method} is not available yet: choose another method."));
            continue;
        };
        if let Method::Fax { tries, retry_secs } = step.method {
            check.tries(n, tries, retry_secs);
        }
        if step.to.is_empty() {
            check.fault(Some(n), "nobody", "Say whom this step reaches.".into());
        }
        for target in &step.to {
            check.target(n, target, channel);
        }
    }
    if let Some(repeat) = protocol.repeat {
        let from = usize::try_from(repeat.from_step).unwrap_or(usize::MAX);
        if from < 1 || from > protocol.steps.len() {
            check.fault(None, "repeat", format!("There is no step {} to repeat from.", repeat.from_step));
        }
        if protocol.until == Until::HandedOver {
            check.fault(None, "repeat_forever", "Without a confirmation to wait for, steps cannot repeat.".into());
        }
    }
    let confirms = |m: Method| match m {
        Method::TextConfirm | Method::CallOut { .. } | Method::OperatorCall { .. } => true,
        // Whoever opens it has been told.
        Method::SecureMessage { confirm } => confirm || protocol.until == Until::Told,
        other => other.is_held(),
    };
    let asks = protocol.until != Until::HandedOver;
    if asks && !protocol.steps.is_empty() && !protocol.steps.iter().any(|step| confirms(step.method)) {
        let message = "No step can be confirmed: add a text or a secure message with confirmation or a call, or end at handing over.";
        check.fault(None, "cannot_confirm", message.into());
    }
    check.faults
}

struct Check<'a> {
    contacts: &'a [Contact],
    schedules: &'a [Schedule],
    faults: Vec<ProtocolFault>,
}

impl Check<'_> {
    fn fault(&mut self, step: Option<usize>, code: &'static str, message: String) {
        self.faults.push(ProtocolFault { step, code, message });
    }

    fn tries(&mut self, n: usize, tries: u8, retry_secs: u32) {
        if !(1..=MAX_TRIES).contains(&tries) {
            self.fault(Some(n), "fax_tries", format!("Try a fax 1 to {MAX_TRIES} times."));
        }
        let (least, most) = RETRY_BOUNDS;
        if !(least..=most).contains(&retry_secs) {
            self.fault(Some(n), "fax_retry", format!("Wait {least} to {most} seconds before a fax is tried again."));
        }
    }

    /// A step that holds the message. `last`: nothing comes after it.
    fn held(&mut self, n: usize, step: &Step, last: bool) {
        let until = matches!(step.method, Method::HoldForCheckIn { until: Some(_) });
        if step.method == Method::HoldForRecap && (!last || step.wait_secs > 0) {
            let message =
                "What is held for the recap waits until that is out: let it be the last step, without a wait.";
            return self.fault(Some(n), "recap_not_last", message.into());
        }
        if !step.to.is_empty() {
            let message = "What is held reaches nobody by itself: leave out whom, or choose another method.";
            self.fault(Some(n), "hold_reaches_nobody", message.into());
        }
        if until && step.wait_secs > 0 {
            let message = "Say either until what time it is held, or for how long: not both.";
            self.fault(Some(n), "hold_ends_twice", message.into());
        }
        if !until && step.wait_secs == 0 && !last {
            let message = "What comes after it would never happen: say until what time it is held, or for how long.";
            self.fault(Some(n), "hold_without_end", message.into());
        }
    }

    fn target(&mut self, n: usize, target: &Target, channel: Channel) {
        match target {
            Target::Contact { contact, destination } => self.person(n, contact, destination, channel),
            Target::OnCall { role, destination } => {
                let schedules = self.schedules;
                let Some(schedule) = schedules.iter().find(|s| s.role == *role) else {
                    return self.fault(Some(n), "unknown_role", format!("There is no schedule for the role {role}."));
                };
                // Whoever may be on call must be reachable, not only who is on call today.
                let rotation = schedule.rotation.iter().flat_map(|r| &r.people);
                let mut people: Vec<&ContactId> = rotation.chain(&schedule.fallback).collect();
                people.extend(schedule.overrides.iter().map(|o| &o.contact));
                people.sort();
                people.dedup();
                for person in people {
                    self.person(n, person, destination, channel);
                }
            }
        }
    }

    fn person(&mut self, n: usize, contact: &ContactId, label: &str, channel: Channel) {
        let contacts = self.contacts;
        let Some(contact) = contacts.iter().find(|c| c.id == *contact) else {
            return self.fault(Some(n), "unknown_contact", "This step names somebody who is no contact.".into());
        };
        match contact.find_destination(label).map(|d| &d.reach) {
            None => self.fault(Some(n), "unknown_destination", format!("{} has no {label}.", contact.name)),
            Some(Reach::Phone(_)) if matches!(channel, Channel::Text | Channel::Call) => {}
            Some(Reach::Email(_)) if channel == Channel::Email => {}
            Some(Reach::Pager(_)) if channel == Channel::Pager => {}
            Some(Reach::Webhook(_)) if channel == Channel::Webhook => {}
            Some(Reach::Inbox(_)) if channel == Channel::Push => {}
            Some(Reach::Fax(_)) if channel == Channel::Fax => {}
            Some(_) => {
                let channel = channel.noun();
                let message = format!("{}'s {label} takes no {channel}: name another.", contact.name);
                self.fault(Some(n), "wrong_destination", message);
            }
        }
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Email => "Email",
        Method::Text => "Text",
        Method::TextConfirm => "Text with confirmation",
        Method::CallOut { .. } => "Call",
        Method::OperatorCall { .. } => "Call by an operator",
        Method::SecureMessage { .. } => "Secure message",
        Method::HoldForRecap => "Hold for recap",
        Method::HoldForCheckIn { .. } => "Hold for check-in",
        Method::Pager => "Pager",
        Method::Fax { .. } => "Fax",
        Method::LivePatch => "Live patch as a step",
        Method::Webhook => "Webhook",
    }
}
