//! The check of a protocol before it is saved: everything wrong with it at once, each fault with what to do. What conditions
//! name is checked in `condition_check`, as it is the account's.

use serde::Serialize;

use super::fax::{MAX_TRIES, RETRY_BOUNDS};
use super::protocol::{Method, Protocol, Step, Target, Until};
use super::state::Channel;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::{Contact, Reach};
use crate::domain::oncall::Schedule;

/// The longest wait of one step: a week.
const MAX_WAIT_SECS: u32 = 7 * 24 * 3_600;
const MAX_STEPS: usize = 50;
/// A step is made so often at the most.
const MAX_TIMES: u8 = 10;
/// Between two tries, in seconds: less is one try, more is another step.
const APART: (u32, u32) = (30, 24 * 3_600);

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
            check.held_plainly(n, step);
            check.held(n, step, n == protocol.steps.len() && protocol.repeat.is_none());
            continue;
        }
        let Some(channel) = Channel::of(step.method) else { continue };
        check.terms(n, step, protocol.until);
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
    if !protocol.steps.is_empty() && protocol.steps.iter().all(|step| step.informs) {
        let message = if protocol.repeat.is_some() {
            "Every step of the loop only informs: it would go on for ever. Let one of them ask somebody."
        } else {
            "Every step only informs, so that nothing is the end of it. Let one of them count."
        };
        check.fault(None, "only_informs", message.into());
        return check.faults;
    }
    if let Some(from) = protocol.repeat.and_then(|repeat| usize::try_from(repeat.from_step).ok()) {
        let looped = protocol.steps.get(from.saturating_sub(1)..).unwrap_or_default();
        if !looped.is_empty() && looped.iter().all(|step| step.informs) {
            let message = format!("From step {from} on every step only informs: repeat from one that asks somebody.");
            check.fault(None, "repeat_informs", message);
        }
    }
    let ends = |step: &Step| match step.until(protocol.until) {
        Some(until) => step.method.is_held() || can_end(step.method, until),
        None => false,
    };
    let asks = protocol.until != Until::HandedOver;
    if asks && !protocol.steps.is_empty() && !protocol.steps.iter().any(ends) {
        let message = "No step can be confirmed: add a text, an email or a secure message with confirmation or a call, or end at handing over.";
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

    /// How often it is made, and what ends it.
    fn terms(&mut self, n: usize, step: &Step, until: Until) {
        let patch = step.method == Method::LivePatch;
        if patch && step.wait_secs > 0 {
            let message = "After a patch that failed the next step follows at once: take the wait out.";
            self.fault(Some(n), "patch_waits", message.into());
        }
        if let Some(tries) = step.tries {
            // A fax and a post have tries of their own, and a patch is the operator's.
            if patch || step.method.asks_nobody() {
                let message = "This way has no tries of the step's own: take them out.";
                self.fault(Some(n), "tries_own", message.into());
            }
            if !(2..=MAX_TIMES).contains(&tries.times) {
                self.fault(Some(n), "tries", format!("Make a step 2 to {MAX_TIMES} times, or leave its tries out."));
            }
            if !(APART.0..=APART.1).contains(&tries.apart_secs) {
                self.fault(Some(n), "tries_apart", "Wait 30 seconds to a day between two tries.".into());
            }
        }
        if step.informs {
            if can_end(step.method, Until::Confirmed) {
                let message = "This way asks for an answer: choose email, text, page, fax, webhook or a secure message \
                               without confirmation to inform somebody.";
                self.fault(Some(n), "informs_asks", message.into());
            }
            if step.done.is_some() || step.tries.is_some() || step.wait_secs > 0 {
                let message = "What only informs is not waited for and ends nothing: leave wait, tries and end out.";
                self.fault(Some(n), "informs_waits", message.into());
            }
        }
        if let Some(done) = step.done.filter(|done| *done != until)
            && !can_end(step.method, done)
        {
            let message = match done {
                Until::Confirmed => "Nobody can confirm by this way: choose one that asks for it, or another end.",
                Until::Told => {
                    "Nobody is known to have heard or read it by this way: choose another way or another end."
                }
                Until::HandedOver => "A patch is not handed over to anybody: choose another end.",
            };
            self.fault(Some(n), "done_never", message.into());
        }
    }

    /// What is held reaches nobody, so there is nothing that could be tried or done.
    fn held_plainly(&mut self, n: usize, step: &Step) {
        if step.tries.is_some() || step.done.is_some() || step.informs {
            let message =
                "What is held is neither tried again nor done by itself: leave tries, end and information out.";
            self.fault(Some(n), "hold_terms", message.into());
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
                let mut people: Vec<&ContactId> = schedule.people_since(UtcMs(i64::MIN));
                people.sort();
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

/// What is sent by this way can come to such an end.
const fn can_end(method: Method, until: Until) -> bool {
    match until {
        Until::HandedOver => !matches!(method, Method::LivePatch),
        Until::Told | Until::Confirmed => match method {
            // Whoever is put through takes it on.
            Method::TextConfirm
            | Method::EmailConfirm
            | Method::CallOut { .. }
            | Method::OperatorCall { .. }
            | Method::LivePatch => true,
            // Whoever opens it has been told.
            Method::SecureMessage { confirm } => confirm || matches!(until, Until::Told),
            _ => false,
        },
    }
}
