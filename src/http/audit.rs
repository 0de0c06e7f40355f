//! The audit log: who read, heard or changed what, for supervisors and admins; and how handlers put on it what they show.
//!
//! Whatever is shown of a message is on the log before the answer leaves. Whoever reads the log is on it too, once an hour.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, UserId};
use crate::engine::feed::DispatchView;
use crate::io::store::audit::{Act, AuditFilter, AuditRow, Who};

use super::auth::{Signed, Supervisor};
use super::error::{Problem, ProblemBody};
use super::extract::Params;
use super::messages::{MessagePage, pick_limit};
use super::state::Front;

/// Looks at the log within this are one.
const ONE_LOOK: Duration = Duration::from_secs(60 * 60);
/// The longest word that can be asked for.
const MAX_WORD: usize = 80;

/// Which rows; all that is given must hold.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// What it was done to: `msg_…`, `call_…`, `acc_…`, `usr_…`, `ses_…`.
    object: Option<String>,
    /// Who did it: a user `usr_…`, a caller with the PIN of a contact `con_…` or with the one that an account's people share
    /// `acc_…`, `alarm_telephone` (whoever has one that the alarm chain told), `command_line`, `house` (the service by itself), `nobody` (who did not say rightly who they are).
    who: Option<String>,
    /// What was done: `message.read`; or all of a kind: `message`.
    act: Option<String>,
    /// From this time on.
    #[param(value_type = Option<i64>)]
    since: Option<UtcMs>,
    /// Before this time.
    #[param(value_type = Option<i64>)]
    until: Option<UtcMs>,
    cursor: Option<i64>,
    limit: Option<u32>,
}

/// Rows of the audit log, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditPage {
    items: Vec<AuditView>,
    /// Send it as `cursor` for those that follow; null at the end.
    next: Option<i64>,
}

/// Who did what to what.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditView {
    /// From 1, without gaps: `cordboard audit verify` names a row by it.
    number: i64,
    at: UtcMs,
    who: WhoView,
    /// `message.read`, `recording.heard`, `account.changed` …
    act: String,
    /// Null if it was done to nothing in particular.
    object: Option<String>,
}

/// Who it was.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct WhoView {
    kind: WhoKind,
    /// As it can be asked for.
    id: String,
    /// What they are called today; null if there is no such person any more.
    name: Option<String>,
}

/// What kind of somebody.
#[derive(Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhoKind {
    User,
    /// A caller with the PIN of this contact.
    Contact,
    /// A caller with the PIN that this account's people share.
    Account,
    /// Whoever has a telephone that the alarm chain told.
    AlarmTelephone,
    CommandLine,
    /// The service by itself.
    House,
    /// Somebody who did not say rightly who they are.
    Nobody,
    /// A word of a newer program's.
    Other,
}

/// The audit log, the newest row first. That I look is on it as well, once an hour.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", security(("bearer" = [])), params(Which),
    responses((status = OK, body = AuditPage), (status = BAD_REQUEST, body = ProblemBody),
        (status = FORBIDDEN, body = ProblemBody), (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
pub async fn list(
    State(front): State<Front>,
    Supervisor(signed): Supervisor,
    Params(which): Params<Which>,
) -> Result<Json<AuditPage>, Problem> {
    for (name, word) in [("object", &which.object), ("who", &which.who), ("act", &which.act)] {
        let plain = |text: &String| {
            text.len() <= MAX_WORD && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        if !word.as_ref().is_none_or(plain) {
            let detail = format!("`{name}` is an identifier or a word: letters, digits, dots, hyphens, underscores.");
            return Err(Problem::malformed("query.invalid", detail));
        }
    }
    let session = signed.bearer.session.to_string();
    let who = Who::User(signed.bearer.user);
    if !front.audit.within(ONE_LOOK, &who, Act::AuditRead, [session]).await {
        return Err(away());
    }
    let limit = pick_limit(which.limit);
    let filter =
        AuditFilter { object: which.object, who: which.who, act: which.act, since: which.since, until: which.until };
    let mut rows = front.store.list_audit(&filter, which.cursor, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.number);
    Ok(Json(AuditPage { items: show(&front, rows).await?, next }))
}

async fn show(front: &Front, rows: Vec<AuditRow>) -> Result<Vec<AuditView>, Problem> {
    let users = front.store.list_users().await?.into_iter().map(|user| (user.id, user.name)).collect();
    let mut known: HashMap<String, WhoView> = HashMap::new();
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let who = match known.get(&row.who) {
            Some(who) => who.clone(),
            None => {
                let view = name(front, &users, &row.who).await?;
                known.insert(row.who, view.clone());
                view
            }
        };
        let object = Some(row.object).filter(|object| !object.is_empty());
        items.push(AuditView { number: row.number, at: row.at, who, act: row.act, object });
    }
    Ok(items)
}

/// Whoever stands in a row, by name.
async fn name(front: &Front, users: &HashMap<UserId, String>, who: &str) -> Result<WhoView, Problem> {
    let contact = async |id: &ContactId| front.store.find_contact(id).await.map(|found| found.map(|c| c.name));
    let account = async |id: &AccountId| front.store.find_account(id).await.map(|found| found.map(|a| a.name));
    let (kind, name) = match Who::parse(who) {
        Some(Who::User(id)) => (WhoKind::User, users.get(&id).cloned()),
        Some(Who::Contact(id)) => (WhoKind::Contact, contact(&id).await?),
        Some(Who::Account(id)) => (WhoKind::Account, account(&id).await?),
        Some(Who::AlarmTelephone) => (WhoKind::AlarmTelephone, None),
        Some(Who::CommandLine) => (WhoKind::CommandLine, None),
        Some(Who::House) => (WhoKind::House, None),
        Some(Who::Nobody) => (WhoKind::Nobody, None),
        None => (WhoKind::Other, None),
    };
    Ok(WhoView { kind, id: who.to_owned(), name })
}

/// Puts on the log that they read this, or refuses: nobody reads unrecorded.
pub(super) async fn reads(front: &Front, signed: &Signed, act: Act, object: impl ToString) -> Result<(), Problem> {
    all(front, signed, act, vec![object.to_string()]).await
}

/// The same for a page of messages.
pub(super) async fn listed(front: &Front, signed: &Signed, page: &MessagePage) -> Result<(), Problem> {
    all(front, signed, Act::MessageListed, page.ids().map(ToString::to_string).collect()).await
}

/// The same for dispatches, which say of their messages who called and what for.
pub(super) async fn headlines<'a>(
    front: &Front,
    signed: &Signed,
    dispatches: impl IntoIterator<Item = &'a DispatchView>,
) -> Result<(), Problem> {
    let messages = dispatches.into_iter().map(|dispatch| dispatch.message.to_string()).collect();
    all(front, signed, Act::MessageListed, messages).await
}

/// The same for several things at once.
pub(super) async fn all(front: &Front, signed: &Signed, act: Act, objects: Vec<String>) -> Result<(), Problem> {
    let who = Who::User(signed.bearer.user.clone());
    if front.audit.reads(&who, act, objects).await { Ok(()) } else { Err(away()) }
}

/// Puts on the log that they did this, each time, or refuses.
pub(super) async fn did(front: &Front, signed: &Signed, act: Act, object: impl ToString) -> Result<(), Problem> {
    let who = Who::User(signed.bearer.user.clone());
    if front.audit.note(who, act, &object.to_string()).await { Ok(()) } else { Err(away()) }
}

fn away() -> Problem {
    let detail = "That you read this cannot be put on the audit log now, so nothing is shown: try again in a while.";
    Problem::unavailable("audit.away", detail)
}
