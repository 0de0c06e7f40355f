//! A protocol in plain English, line by line, as it is shown beside the account and in time lines.

use super::protocol::{Method, Protocol, Step, Target, Until};
use crate::base::id::ContactId;
use crate::domain::account::{CallType, Contact};

/// The steps, how they repeat, and what ends them. `call_types`: the account's, in whose words conditions are said.
pub fn describe(protocol: &Protocol, contacts: &[Contact], call_types: &[CallType]) -> Vec<String> {
    let name = |id: &ContactId| contacts.iter().find(|c| c.id == *id).map(|c| c.name.clone());
    let mut lines: Vec<String> = Vec::new();
    for (n, step) in (1..).zip(&protocol.steps) {
        lines.push(format!("{n}. {}.", capital(&describe_whole(step, &name, call_types))));
    }
    if let Some(repeat) = protocol.repeat {
        lines.push(format!("Then again from step {}.", repeat.from_step));
    }
    lines.push(
        match protocol.until {
            _ if ends_with(protocol, |method| method == Method::HoldForRecap) => {
                "Done when a recap with it has been accepted for delivery."
            }
            _ if ends_with(protocol, Method::is_held) => "Done when the client has heard it at check-in.",
            Until::Confirmed => "Until a person confirms.",
            Until::Told if protocol.steps.iter().any(|step| matches!(step.method, Method::SecureMessage { .. })) => {
                "Until a person has heard or opened the message, or confirms."
            }
            Until::Told => "Until a person has heard the message or confirms.",
            Until::HandedOver => "Done when everything has been accepted for delivery.",
        }
        .to_owned(),
    );
    lines
}

/// How often a step is made, how long an answer is waited for, and what that answer has to be.
fn terms(step: &Step) -> Vec<String> {
    let mut terms = Vec::new();
    if let Some(tries) = step.tries.filter(|tries| tries.times > 1) {
        terms.push(format!("up to {} times, {} apart", tries.times, span(tries.apart_secs)));
    }
    let last = if step.times() > 1 { "after the last " } else { "" };
    match step.wait_secs {
        0 => {}
        secs if step.method.is_held() => terms.push(format!("for {} at the most", span(secs))),
        secs if step.method.asks_nobody() => terms.push(format!("then wait {}", span(secs))),
        secs => terms.push(format!("{last}wait {} for an answer", span(secs))),
    }
    if step.method == Method::LivePatch {
        terms.push("if they are still on the line; if that fails, go on at once".to_owned());
    }
    if step.informs {
        terms.push("for their information only: it ends nothing".to_owned());
    }
    match step.done {
        None => {}
        Some(Until::Confirmed) => terms.push("done once a person confirms".to_owned()),
        Some(Until::Told) => terms.push("done once a person has heard or opened it".to_owned()),
        Some(Until::HandedOver) => terms.push("done once it is accepted for delivery".to_owned()),
    }
    terms
}

/// The last step, which nothing follows, is such a one.
fn ends_with(protocol: &Protocol, is_such: impl Fn(Method) -> bool) -> bool {
    protocol.repeat.is_none() && protocol.steps.last().is_some_and(|step| is_such(step.method))
}

/// A step with its terms and conditions: `call Ben (mobile), wait 10 minutes for an answer`.
pub fn describe_whole(step: &Step, name: &dyn Fn(&ContactId) -> Option<String>, call_types: &[CallType]) -> String {
    let mut parts = vec![describe_step(step, name)];
    parts.extend(terms(step));
    parts.extend(step.only.words(call_types));
    parts.join(", ")
}

/// What a step does: `text the technician on call (mobile) and ask for a confirmation`.
pub fn describe_step(step: &Step, name: &dyn Fn(&ContactId) -> Option<String>) -> String {
    let people: Vec<String> = step.to.iter().map(|target| describe_target(target, name)).collect();
    let people = match people.as_slice() {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    };
    match step.method {
        Method::Email => format!("email {people}"),
        Method::EmailConfirm => format!("email {people} and ask for a confirmation"),
        Method::Text => format!("text {people}"),
        Method::TextConfirm => format!("text {people} and ask for a confirmation"),
        Method::CallOut { leave_message: true } => format!("call {people}, leave a message if nobody takes it"),
        Method::CallOut { leave_message: false } => format!("call {people}"),
        Method::OperatorCall { leave_message, then_machine } => {
            let machine = if then_machine { ", or the machine if none takes it within 60 s" } else { "" };
            let leave = if leave_message { ", leave a message if nobody takes the call" } else { "" };
            format!("have an operator call {people}{machine}{leave}")
        }
        Method::SecureMessage { confirm: false } => format!("send a secure message to {people}"),
        Method::SecureMessage { confirm: true } => {
            format!("send a secure message to {people} and ask for a confirmation")
        }
        Method::HoldForRecap => "hold for the recap".to_owned(),
        Method::HoldForCheckIn { until: None } => "hold until the client checks in".to_owned(),
        Method::HoldForCheckIn { until: Some(time) } => {
            format!("hold until the client checks in, until {time} at the latest")
        }
        Method::Pager => format!("page {people}"),
        Method::Fax { tries: 1, .. } => format!("fax {people}"),
        Method::Fax { tries, retry_secs } => {
            format!("fax {people}, up to {tries} times, {} apart", span(retry_secs))
        }
        Method::LivePatch => format!("put the caller through to {people}"),
        Method::Webhook => format!("post it to {people}, as a webhook"),
    }
}

fn describe_target(target: &Target, name: &dyn Fn(&ContactId) -> Option<String>) -> String {
    match target {
        Target::OnCall { role, destination } => format!("the {role} on call ({destination})"),
        Target::Contact { contact, destination } => {
            format!("{} ({destination})", name(contact).unwrap_or_else(|| "a contact that is gone".to_owned()))
        }
    }
}

/// `15 minutes`, `1 hour`, `90 seconds`.
pub fn span(secs: u32) -> String {
    let (count, unit) = match secs {
        s if s >= 3_600 && s.is_multiple_of(3_600) => (s / 3_600, "hour"),
        s if s >= 60 && s.is_multiple_of(60) => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
