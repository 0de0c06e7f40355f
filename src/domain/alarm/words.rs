//! What a supervisor is told, and what desks show of the chain. Says how many and since when, and nothing of a client, a caller or
//! a message: whoever holds that telephone may not be alone.

use super::{Kind, Means, Outcome, State, Taken, Via};
use crate::base::clock::UtcMs;
use crate::domain::message::render::clock_by;

/// What stands and is not acknowledged: `2 messages need an operator, since 02:15`. Times in `zone`.
fn what(state: &State, zone: &str, now: UtcMs) -> String {
    let count = |kind: Kind| state.unacknowledged().filter(|(_, cause)| cause.kind == kind).count();
    let mut parts = Vec::new();
    if count(Kind::Standstill) > 0 {
        parts.push("the service stands still, and messages may not go out".to_owned());
    }
    match count(Kind::Message) {
        0 => {}
        1 => parts.push("1 message needs an operator".to_owned()),
        n => parts.push(format!("{n} messages need an operator")),
    }
    match count(Kind::House) {
        0 => {}
        1 => parts.push("1 alarm of the service stands".to_owned()),
        n => parts.push(format!("{n} alarms of the service stand")),
    }
    let since = state.waits_since().map_or_else(String::new, |at| format!(", since {}", clock_by(at, now, zone)));
    format!("{}{since}", parts.join("; "))
}

/// The text: one part of an SMS in all but the rarest case.
pub fn text(state: &State, zone: &str, now: UtcMs) -> String {
    format!("ALARM: {}. Nobody has acknowledged. See the desk, or reply ACK.", what(state, zone, now))
}

/// What the call says before it asks for a 1.
pub fn spoken(state: &State, zone: &str, now: UtcMs) -> String {
    format!("This is the alarm of the answering service. Nobody has acknowledged this yet: {}.", what(state, zone, now))
}

/// What is left where nobody presses a key.
pub fn left(state: &State, zone: &str, now: UtcMs) -> String {
    format!("This is the alarm of the answering service: {}. Please see to it at the desk.", what(state, zone, now))
}

/// A step that was taken, as desks read it.
pub fn taken(taken: &Taken) -> String {
    let (name, by) = (&taken.name, taken.by);
    match (by, taken.outcome) {
        (Means::Text, None) => format!("Texting {name}."),
        (Means::Call, None) => format!("Calling {name}."),
        (Means::Text, Some(Outcome::Accepted)) => format!("Text sent to {name}, accepted."),
        (Means::Text, Some(Outcome::Unknown)) => format!("Text to {name}: whether it arrived is not known."),
        (Means::Text, Some(_)) => format!("Text to {name} failed."),
        (Means::Call, Some(Outcome::Acknowledged)) => format!("Call to {name}: acknowledged."),
        (Means::Call, Some(Outcome::NotAcknowledged)) => format!("Call to {name}: answered, not acknowledged."),
        (Means::Call, Some(Outcome::NotReached)) => format!("Call to {name}: no answer."),
        (Means::Call, Some(Outcome::TakenBack)) => format!("Call to {name}: no longer needed."),
        (Means::Call, Some(Outcome::Unknown)) => format!("Call to {name}: what came of it is not known."),
        (Means::Call, Some(Outcome::Failed | Outcome::Accepted)) => format!("Call to {name} failed."),
    }
}

/// What comes next if nobody acknowledges.
pub fn next(by: Means, name: &str) -> String {
    match by {
        Means::Text => format!("If nobody acknowledges: text {name}."),
        Means::Call => format!("If nobody acknowledges: call {name}."),
    }
}

/// Who sees to it.
pub fn acknowledged(by: &str, via: Via) -> String {
    let via = match via {
        Via::Desk => "at a desk",
        Via::Text => "by text",
        Via::Key => "by key on the phone",
    };
    format!("{by} acknowledged the alarm {via}.")
}
