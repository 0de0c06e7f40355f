//! A message as a client's own system gets it: the answers by their names, or, of a protected call type, only that there is one.
//! Pure; `io/deliver/webhook` writes it as JSON, and people build on its names.

use jiff::Timestamp;
use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallTypeId, DispatchId, MessageId};
use crate::domain::account::{Account, Urgency};
use crate::domain::message::Message;

/// What is posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookBody {
    #[serde(rename = "type")]
    pub kind: WebhookKind,
    /// When it was handed over, as RFC 3339 has it.
    pub timestamp: String,
    pub data: WebhookData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub enum WebhookKind {
    /// The message itself.
    #[serde(rename = "message.dispatched")]
    Message,
    /// That there is one, of a protected call type: it is to be asked for.
    #[serde(rename = "message.notice")]
    Notice,
}

/// What every one says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookData {
    pub dispatch: DispatchId,
    pub message: MessageId,
    /// Counted from 1; more where the message was changed.
    pub edition: u32,
    pub account: WebhookAccount,
    pub urgency: Urgency,
    pub taken_at: String,
    /// Absent in a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<WebhookContent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookAccount {
    pub id: AccountId,
    pub name: String,
}

/// What the message says.
#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookContent {
    pub call_type: WebhookCallType,
    /// The number that was called from.
    pub caller: Option<String>,
    /// In the form's order.
    pub answers: Vec<WebhookAnswer>,
    /// What became of the call, where there is something to say.
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookCallType {
    pub id: CallTypeId,
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookAnswer {
    pub name: String,
    pub label: String,
    /// Null: it is kept with the message and not sent.
    pub value: Option<String>,
    /// It is not written as the form asks: it was urgent, and taken as it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_as_asked: bool,
}

impl std::fmt::Debug for WebhookContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookContent")
    }
}

/// The message for a client's system. `call_type`: its name; `outcome`: as in an email.
pub fn message(
    dispatch: &DispatchId,
    message: &Message,
    account: &Account,
    call_type: &str,
    outcome: Option<String>,
    now: UtcMs,
) -> WebhookBody {
    let answers = message.form.fields.iter().filter_map(|field| {
        let value = message.answers.get(&field.name)?;
        let not_as_asked = field.is_odd(value);
        let value = field.sensitive.is_no().then(|| value.clone());
        Some(WebhookAnswer { name: field.name.clone(), label: field.label.clone(), value, not_as_asked })
    });
    let content = WebhookContent {
        call_type: WebhookCallType { id: message.call_type.clone(), name: call_type.to_owned() },
        caller: message.caller.as_ref().map(|number| number.as_e164().to_owned()),
        answers: answers.collect(),
        outcome,
    };
    body(WebhookKind::Message, Some(content), dispatch, message, account, now)
}

/// That there is one.
pub fn notice(dispatch: &DispatchId, message: &Message, account: &Account, now: UtcMs) -> WebhookBody {
    body(WebhookKind::Notice, None, dispatch, message, account, now)
}

fn body(
    kind: WebhookKind,
    content: Option<WebhookContent>,
    dispatch: &DispatchId,
    message: &Message,
    account: &Account,
    now: UtcMs,
) -> WebhookBody {
    let written = |at: UtcMs| Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    WebhookBody {
        kind,
        timestamp: written(now),
        data: WebhookData {
            dispatch: dispatch.clone(),
            message: message.id.clone(),
            edition: message.edition,
            account: WebhookAccount { id: account.id.clone(), name: account.name.clone() },
            urgency: message.urgency,
            taken_at: written(message.taken_at),
            content,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{account, message as taken};
    use super::*;
    use crate::domain::message::form::Sensitive;

    const NOW: UtcMs = UtcMs(1_772_871_005_000);

    #[test]
    fn a_system_gets_every_answer_by_its_name_but_what_is_sensitive() {
        let mut taken = taken("Burst pipe");
        let id = DispatchId::named("d");
        let said = message(&id, &taken, &account(), "Urgent repair", None, NOW);
        let json = serde_json::to_value(&said).expect("JSON");
        assert_eq!((&json["type"], &json["timestamp"]), (&"message.dispatched".into(), &"2026-03-07T08:10:05Z".into()));
        assert_eq!(json["data"]["dispatch"], "dsp_d");
        let field = taken.form.fields[2].name.clone();
        let value = |json: &serde_json::Value| {
            let answers = json["data"]["content"]["answers"].as_array().expect("answers");
            answers.iter().find(|answer| answer["name"] == *field).expect("it was answered")["value"].clone()
        };
        assert_eq!(value(&json), "Burst pipe");
        taken.form.fields[2].sensitive = Sensitive::Kept;
        let json = serde_json::to_value(message(&id, &taken, &account(), "Urgent", None, NOW)).expect("JSON");
        assert_eq!(value(&json), serde_json::Value::Null);
        assert!(!json.to_string().contains("Burst pipe"));
    }

    #[test]
    fn a_notice_says_that_there_is_one_and_nothing_of_it() {
        let taken = taken("Burst pipe");
        let said = serde_json::to_string(&notice(&DispatchId::named("d"), &taken, &account(), NOW)).expect("JSON");
        assert!(said.contains("message.notice") && said.contains(taken.id.as_str()));
        let hidden = taken.answers.values().map(String::as_str).chain(taken.caller.as_ref().map(|n| n.as_e164()));
        for words in hidden.chain([taken.call_type.as_str(), "content"]) {
            assert!(!said.contains(words), "{words} is in {said}");
        }
    }
}
