//! A person's secure inbox: opened by PIN, through a link or on a device that is theirs; messages read, confirmed, answered.
//!
//! Its sessions are no operators' sessions: other tokens, other routes, shorter lives. What always holds: before the PIN no
//! answer names anybody or says what there is; a GET shows nothing of a message and changes nothing, so whatever looks at a link
//! in advance neither reads nor uses up anything; a device is known by a cookie that no script reads and no other site sends.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{self, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, DispatchId};
use crate::domain::account::{Account, Urgency};
use crate::domain::checkin::pin::Pin;
use crate::domain::message::render;
use crate::engine::dispatcher::Decided;
use crate::engine::inboxes::{Item, ItemState, Key, Opened, Reader, Refused};
use crate::io::deliver::outside::Reach;
use crate::io::deliver::push::{BadSubscription, read_subscription};
use crate::io::store::inbox::{InboxDevice, SESSION_MS, Subscription};

use super::error::{Problem, ProblemBody};
use super::extract::{Body, Id, Peer, Secure};
use super::state::Front;

/// The cookie by which a device is known.
const COOKIE: &str = "cordboard_inbox";
/// How long a browser keeps it.
const COOKIE_SECS: u32 = 400 * 24 * 3_600;
/// Longest link and PIN that are looked at.
const MAX_TOKEN: usize = 200;
const MAX_PIN: usize = 20;
/// Longest answer, in characters.
const MAX_REPLY: usize = 1_600;
const MAX_DEVICE_NAME: usize = 60;

/// An inbox that is open: whoever showed its session's token. Asking by it keeps nothing open.
pub struct Inbox(pub Reader);

/// The same, where a person has touched something: it stays open for longer.
pub struct Touched(pub Reader);

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| SecretString::from(token.trim().to_owned()))
}

fn closed() -> Problem {
    Problem::unauthorized("inbox.closed", "The inbox is closed. Open it with your PIN.")
}

impl FromRequestParts<Front> for Inbox {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(closed)?;
        front.inboxes.find_reader(&token).await?.map(Self).ok_or_else(closed)
    }
}

impl FromRequestParts<Front> for Touched {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(closed)?;
        let reader = front.inboxes.find_reader(&token).await?.ok_or_else(closed)?;
        front.inboxes.attend(&token, &reader.session).await?;
        Ok(Self(reader))
    }
}

/// The device that asks, by its cookie: whose it is, before any PIN.
pub struct Known(pub InboxDevice);

impl FromRequestParts<Front> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        device(front, &parts.headers).await?.map(Self).ok_or_else(|| refused(Refused::Unknown))
    }
}

fn cookie(headers: &HeaderMap) -> Option<SecretString> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut ours = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == COOKIE);
    ours.next().filter(|(_, token)| token.len() <= MAX_TOKEN).map(|(_, token)| SecretString::from(token.to_owned()))
}

/// The device that asks, if it is somebody's.
async fn device(front: &Front, headers: &HeaderMap) -> Result<Option<InboxDevice>, Problem> {
    match cookie(headers) {
        Some(token) => Ok(front.inboxes.find_device(&token).await?),
        None => Ok(None),
    }
}

/// What a page knows before the PIN: nothing of anybody.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DoorView {
    /// This device is somebody's: it asks for their PIN. Otherwise a link is needed.
    known: bool,
    /// What a browser subscribes to pushes with.
    push_key: String,
}

/// What an inbox is opened with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    pin: String,
    /// What stands behind the `#` of a link; without it, this device's person.
    #[serde(default)]
    link: Option<String>,
    /// What this device is called, for operators: "iPhone".
    #[serde(default)]
    device: Option<String>,
}

/// An inbox that was opened.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OpenedView {
    /// Bearer of the requests that follow.
    token: String,
    /// When it closes, unless its person touches it.
    expires_at: UtcMs,
    /// How long it stays open that nobody touches.
    idle_secs: i64,
    name: String,
    account: String,
    color: String,
    /// This device is the person's, and may take pushes.
    installed: bool,
}

/// Where pushes to a device go, as its browser tells it.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SubscriptionBody {
    endpoint: String,
    keys: SubscriptionKeys,
}

/// What they are encrypted for.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SubscriptionKeys {
    p256dh: String,
    auth: String,
}

/// A message in an inbox, without its content.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ItemView {
    /// Its dispatch.
    id: DispatchId,
    sent_at: UtcMs,
    /// When the caller's message was taken.
    taken_at: UtcMs,
    urgency: Urgency,
    /// `open`, `read`, `confirmed`, or `done` by others.
    state: &'static str,
    read_at: Option<UtcMs>,
    confirmed_at: Option<UtcMs>,
    /// Who saw to it, if it was somebody else.
    done_by: Option<String>,
    /// A confirmation is asked for.
    asks: bool,
    /// Until when it can be opened.
    expires_at: UtcMs,
    expired: bool,
}

/// The messages of an inbox: those that are open first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ItemList {
    items: Vec<ItemView>,
    /// The account's zone, in which times are told.
    zone: String,
}

/// An answer of the form.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AnswerView {
    label: String,
    words: String,
    /// It begins on a line of its own.
    long: bool,
}

/// A message that was opened.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ContentView {
    #[serde(flatten)]
    item: ItemView,
    /// Which edition of it was shown; a confirmation names it.
    edition: u32,
    call_type: String,
    /// The number called from.
    caller: Option<String>,
    answers: Vec<AnswerView>,
    /// It was changed after it was taken.
    changed: bool,
    /// What I wrote to the service about it, oldest first.
    written: Vec<WrittenView>,
}

/// Words to the service, and when.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WrittenView {
    at: UtcMs,
    text: String,
}

/// What was read is confirmed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedBody {
    edition: u32,
}

/// Words to the service.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyBody {
    text: String,
}

/// What a device shows of a push.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PushedView {
    /// `message`: there is one; `handled`: it was seen to, nothing is left to do.
    show: &'static str,
    /// How many messages wait for this person now.
    open: usize,
}

/// Whether this device is somebody's. Names nobody.
#[utoipa::path(get, path = "/api/v1/inbox", tag = "inbox", responses((status = OK, body = DoorView)))]
pub async fn door(State(front): State<Front>, headers: HeaderMap) -> Result<Json<DoorView>, Problem> {
    let known = device(&front, &headers).await?.is_some();
    Ok(Json(DoorView { known, push_key: front.inboxes.push_key().to_owned() }))
}

/// Opens an inbox with its person's PIN. By an invitation, this device is theirs from then on (a cookie).
#[utoipa::path(post, path = "/api/v1/inbox/session", tag = "inbox", request_body = Unlock,
    responses((status = CREATED, body = OpenedView), (status = UNAUTHORIZED, body = ProblemBody),
        (status = FORBIDDEN, body = ProblemBody), (status = TOO_MANY_REQUESTS, body = ProblemBody)))]
pub async fn open(
    State(front): State<Front>,
    Peer(peer): Peer,
    Secure(secure): Secure,
    headers: HeaderMap,
    Body(body): Body<Unlock>,
) -> Result<Response, Problem> {
    front
        .limits
        .by_source
        .take(&peer.ip().to_string(), front.clock.instant())
        .map_err(|wait| Problem::too_many("inbox.too_many", wait.as_secs() + 1))?;
    let key = match body.link {
        Some(link) if link.len() <= MAX_TOKEN => Key::Link(SecretString::from(link)),
        Some(_) => return Err(refused(Refused::Unknown)),
        None => Key::Device(cookie(&headers).ok_or_else(|| refused(Refused::Unknown))?),
    };
    let pin = Pin::pressed(body.pin.trim().chars().take(MAX_PIN).collect());
    let name: String = body.device.unwrap_or_default().trim().chars().take(MAX_DEVICE_NAME).collect();
    let name = if name.is_empty() { "a browser".to_owned() } else { name };
    let known = cookie(&headers);
    let Opened { session, token, contact, account, device } =
        front.inboxes.open(&key, &pin, known.as_ref(), &name).await.map_err(refused)?;
    tracing::info!(contact = %contact.id, "an inbox was opened");
    let view = OpenedView {
        token: token.expose_secret().to_owned(),
        expires_at: session.expires_at,
        idle_secs: SESSION_MS / 1_000,
        name: contact.name,
        account: account.name,
        color: account.color,
        installed: session.device.is_some(),
    };
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    if let Some(device) = device {
        response.headers_mut().insert(header::SET_COOKIE, set_cookie(device.expose_secret(), COOKIE_SECS, secure));
    }
    Ok(response)
}

fn set_cookie(token: &str, secs: u32, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/api/v1/inbox; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&cookie).expect("a token of ours is base64url")
}

fn refused(why: Refused) -> Problem {
    match why {
        Refused::Unknown => Problem::unauthorized(
            "inbox.unknown",
            "This link is over, or this device was taken away. Ask your answering service for another link.",
        ),
        // The same whether it was the PIN or the number of tries.
        Refused::Pin => Problem::forbidden(
            "inbox.pin",
            "That PIN does not open it. After six wrong ones none is taken here for an hour; your answering service can help.",
        ),
        Refused::Store(error) => error.into(),
    }
}

/// Its person is there and has touched the page, so it stays open for longer.
#[utoipa::path(put, path = "/api/v1/inbox/session", tag = "inbox", security(("bearer" = [])),
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn attend(_touched: Touched) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Closes the inbox.
#[utoipa::path(delete, path = "/api/v1/inbox/session", tag = "inbox", security(("bearer" = [])),
    responses((status = NO_CONTENT)))]
pub async fn close(State(front): State<Front>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    if let Some(token) = bearer(&headers) {
        front.inboxes.close(&token).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Pushes go to this device from now on.
#[utoipa::path(put, path = "/api/v1/inbox/push", tag = "inbox", security(("bearer" = [])), request_body = SubscriptionBody,
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn subscribe(
    State(front): State<Front>,
    Inbox(reader): Inbox,
    Body(body): Body<SubscriptionBody>,
) -> Result<StatusCode, Problem> {
    let to = subscription(&front, &body)?;
    if front.inboxes.subscribe(&reader, Some(&to)).await? { Ok(StatusCode::NO_CONTENT) } else { Err(not_installed()) }
}

/// No pushes to this device any more.
#[utoipa::path(delete, path = "/api/v1/inbox/push", tag = "inbox", security(("bearer" = [])),
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
pub async fn unsubscribe(State(front): State<Front>, Inbox(reader): Inbox) -> Result<StatusCode, Problem> {
    if front.inboxes.subscribe(&reader, None).await? { Ok(StatusCode::NO_CONTENT) } else { Err(not_installed()) }
}

fn subscription(front: &Front, body: &SubscriptionBody) -> Result<Subscription, Problem> {
    let reach = if front.settings.local_push_services { Reach::ThisMachineToo } else { Reach::World };
    read_subscription(&body.endpoint, &body.keys.p256dh, &body.keys.auth, reach).map_err(|why| {
        let detail = match why {
            BadSubscription::Endpoint => "`endpoint` is not the address of a push service.",
            BadSubscription::Keys => "`keys` are not those of a push subscription.",
        };
        Problem::invalid("inbox.subscription", detail, Vec::new())
    })
}

/// This device's browser has made its subscription anew: pushes go there. For the worker, which knows no PIN.
#[utoipa::path(put, path = "/api/v1/inbox/push/renewed", tag = "inbox", request_body = SubscriptionBody,
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn resubscribe(
    State(front): State<Front>,
    Known(device): Known,
    Body(body): Body<SubscriptionBody>,
) -> Result<StatusCode, Problem> {
    let to = subscription(&front, &body)?;
    if front.inboxes.resubscribe(&device, &to).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::conflict(
            "inbox.push_off",
            "Notifications are off on this device. Open the inbox and turn them on.",
        ))
    }
}

fn not_installed() -> Problem {
    Problem::conflict(
        "inbox.not_installed",
        "This inbox was opened by a notice's link. Ask for an invitation to install it.",
    )
}

/// A push has reached this device: what to show of it.
#[utoipa::path(post, path = "/api/v1/inbox/pushes/{id}", tag = "inbox", params(("id" = AttemptId, Path)),
    responses((status = OK, body = PushedView), (status = UNAUTHORIZED, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody)))]
pub async fn pushed(
    State(front): State<Front>,
    Known(device): Known,
    Id(attempt): Id<AttemptId>,
) -> Result<Json<PushedView>, Problem> {
    let (state, open) = front.inboxes.pushed(&device, &attempt).await?.ok_or_else(|| Problem::not_found("message"))?;
    let show = if state == ItemState::Open { "message" } else { "handled" };
    Ok(Json(PushedView { show, open }))
}

fn view(item: &Item) -> ItemView {
    ItemView {
        id: item.dispatch.clone(),
        sent_at: item.sent_at,
        taken_at: item.message.taken_at,
        urgency: item.message.urgency,
        state: match item.state {
            ItemState::Open => "open",
            ItemState::Read => "read",
            ItemState::Confirmed => "confirmed",
            ItemState::Done => "done",
        },
        read_at: item.read_at,
        confirmed_at: item.confirmed_at,
        done_by: item.done_by.clone(),
        asks: item.asks,
        expires_at: item.expires_at,
        expired: item.expired,
    }
}

async fn account(front: &Front, reader: &Reader) -> Result<Account, Problem> {
    front.store.find_account(&reader.contact.account).await?.ok_or_else(|| Problem::not_found("account"))
}

/// My messages, without what they say.
#[utoipa::path(get, path = "/api/v1/inbox/messages", tag = "inbox", security(("bearer" = [])),
    responses((status = OK, body = ItemList), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn list(State(front): State<Front>, Inbox(reader): Inbox) -> Result<Json<ItemList>, Problem> {
    let items = front.inboxes.list(&reader.contact).await?;
    let zone = account(&front, &reader).await?.zone;
    Ok(Json(ItemList { items: items.iter().map(view).collect(), zone }))
}

async fn find(front: &Front, reader: &Reader, id: &DispatchId) -> Result<Item, Problem> {
    let item = front.inboxes.find(&reader.contact, id).await?.ok_or_else(|| Problem::not_found("message"))?;
    if item.expired {
        let detail = "It was sent too long ago and can no longer be opened here. Your answering service still has it.";
        return Err(Problem::new(StatusCode::GONE, "inbox.expired", "No longer there", detail));
    }
    Ok(item)
}

/// Opens a message, all of it. That I have is told to whoever sent it.
#[utoipa::path(post, path = "/api/v1/inbox/messages/{id}/read", tag = "inbox", security(("bearer" = [])),
    params(("id" = DispatchId, Path)),
    responses((status = OK, body = ContentView), (status = UNAUTHORIZED, body = ProblemBody),
        (status = NOT_FOUND, body = ProblemBody), (status = GONE, body = ProblemBody)))]
pub async fn read(
    State(front): State<Front>,
    Touched(reader): Touched,
    Id(id): Id<DispatchId>,
) -> Result<Json<ContentView>, Problem> {
    let shown = find(&front, &reader, &id).await?;
    let account = account(&front, &reader).await?;
    let written = front.inboxes.written(&reader.contact, &id).await?;
    // The last that can fail: what is told to have been read is shown.
    front.inboxes.read(&reader.contact, &shown).await?;
    // As it stands after the reading; the content is what was read.
    let now = front.inboxes.find(&reader.contact, &id).await.unwrap_or(None);
    let message = &shown.message;
    let call_type = account.call_types.iter().find(|t| t.id == message.call_type);
    let answer = |a: render::Written| AnswerView { label: a.label, words: a.words, long: a.long };
    Ok(Json(ContentView {
        item: view(now.as_ref().unwrap_or(&shown)),
        edition: message.edition,
        call_type: call_type.map_or_else(|| "Message".to_owned(), |t| t.name.clone()),
        caller: message.caller.as_ref().map(|caller| caller.as_e164().to_owned()),
        answers: render::written_answers(message).into_iter().map(answer).collect(),
        changed: message.changed.is_some(),
        written: written.into_iter().map(|(at, text)| WrittenView { at, text }).collect(),
    }))
}

/// I have read it, in this edition, and say yes to it.
#[utoipa::path(post, path = "/api/v1/inbox/messages/{id}/confirm", tag = "inbox", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = ConfirmedBody,
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = CONFLICT, body = ProblemBody)))]
pub async fn confirm(
    State(front): State<Front>,
    Touched(reader): Touched,
    Id(id): Id<DispatchId>,
    Body(body): Body<ConfirmedBody>,
) -> Result<StatusCode, Problem> {
    let item = find(&front, &reader, &id).await?;
    if item.state == ItemState::Confirmed {
        // Pressed twice, or an answer that was lost on its way.
        return Ok(StatusCode::NO_CONTENT);
    }
    if item.message.edition != body.edition {
        return Err(Problem::conflict(
            "inbox.changed",
            "The message was changed meanwhile. Open it again, then confirm.",
        ));
    }
    if item.state == ItemState::Done {
        let by = item.done_by.map_or_else(String::new, |by| format!(" by {by}"));
        return Err(Problem::conflict("inbox.done", format!("It was already seen to{by}.")));
    }
    if !item.asks {
        return Err(Problem::conflict(
            "inbox.asks_nothing",
            "This message asks for no confirmation: reading it is enough.",
        ));
    }
    match front.inboxes.confirm(&reader.contact, &item, body.edition).await? {
        Decided::Changed => Ok(StatusCode::NO_CONTENT),
        Decided::Unchanged | Decided::NotFound => {
            Err(Problem::conflict("inbox.done", "It was seen to just now, or changed. Look at it again."))
        }
    }
}

/// I write to the service about it: an operator reads that.
#[utoipa::path(post, path = "/api/v1/inbox/messages/{id}/reply", tag = "inbox", security(("bearer" = [])),
    params(("id" = DispatchId, Path)), request_body = ReplyBody,
    responses((status = ACCEPTED), (status = UNAUTHORIZED, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
pub async fn reply(
    State(front): State<Front>,
    Touched(reader): Touched,
    Id(id): Id<DispatchId>,
    Body(body): Body<ReplyBody>,
) -> Result<StatusCode, Problem> {
    let text = body.text.trim();
    if text.is_empty() || text.chars().count() > MAX_REPLY {
        let detail = format!("Write 1 to {MAX_REPLY} characters.");
        return Err(Problem::invalid("inbox.reply", detail, Vec::new()));
    }
    let item = find(&front, &reader, &id).await?;
    front.inboxes.reply(&reader.contact, &item, text.to_owned()).await?;
    Ok(StatusCode::ACCEPTED)
}
