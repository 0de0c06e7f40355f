//! The one list of routes, and what is around all of them: limits, time-outs, headers, a log line, and a net
//! for panics. The API's description is made from the same list.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::rng::secure_bytes;

use super::error::Problem;
use super::state::Front;
use super::{
    abandoned, account_edit, accounts, alarms, audit, board, callbacks, calls, check_in, client_users, console,
    contacts, dial_out, dispatch_call, dispatch_lock, dispatch_text, dispatches, drafts, editions, events, floor, flow,
    going_live, greetings, handover, health, hooks, inbox, inbox_devices, inner_calls, jobs, listen, mail_template, me,
    messages, openapi, own_voice, patches, portal, protocol_changes, protocol_desk, protocols, recall, recaps,
    recordings, rings_back, schedule_drag, schedule_edit, schedule_files, schedules, seat, sessions, shift_change,
    sip_ws, speech, spoken, status, users,
};

/// The largest body taken.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// How long a request may take. WebSockets are done with theirs once they are upgraded.
const PATIENCE: Duration = Duration::from_secs(15);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Every route there is.
fn list() -> OpenApiRouter<Front> {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .routes(routes!(sessions::open))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::close))
        .routes(routes!(me::show))
        .routes(routes!(accounts::list, account_edit::add))
        .routes(routes!(accounts::show, account_edit::change))
        .routes(routes!(schedules::list, schedule_edit::add))
        .routes(routes!(schedules::calendars))
        .routes(routes!(schedules::show))
        .routes(routes!(schedules::on_call))
        .routes(routes!(schedules::history))
        .routes(routes!(schedule_edit::preview))
        .routes(routes!(schedule_edit::change, schedule_edit::remove))
        .routes(routes!(schedule_drag::change_overrides))
        .routes(routes!(schedule_drag::everywhere))
        .routes(routes!(schedule_edit::add_override))
        .routes(routes!(schedule_edit::remove_override))
        .routes(routes!(schedule_edit::swap))
        .routes(routes!(schedule_edit::set_temporary))
        .routes(routes!(schedule_edit::cut))
        .routes(routes!(schedule_edit::undo))
        .routes(routes!(schedule_files::read_in))
        .routes(routes!(schedule_files::list_feeds, schedule_files::add_feed))
        .routes(routes!(schedule_files::remove_feed))
        .routes(routes!(schedule_files::feed))
        .routes(routes!(users::set_skills))
        .routes(routes!(accounts::messages))
        .routes(routes!(status::add))
        .routes(routes!(status::end))
        .routes(routes!(shift_change::show))
        .routes(routes!(account_edit::set_call_types))
        .routes(routes!(contacts::add))
        .routes(routes!(contacts::change, contacts::remove))
        .routes(routes!(spoken::list))
        .routes(routes!(spoken::set))
        .routes(routes!(spoken::hear))
        .routes(routes!(protocols::list, protocols::add))
        .routes(routes!(protocols::check))
        .routes(routes!(mail_template::preview))
        .routes(routes!(protocol_desk::simulate))
        .routes(routes!(protocol_desk::templates, protocol_desk::fit))
        .routes(routes!(protocol_desk::versions))
        .routes(routes!(protocol_desk::differences))
        .routes(routes!(protocol_desk::bring_back))
        .routes(routes!(speech::upload))
        .routes(routes!(speech::listen))
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::change))
        .routes(routes!(flow::change))
        .routes(routes!(flow::check))
        .routes(routes!(flow::try_menu))
        .routes(routes!(greetings::dictate))
        .routes(routes!(greetings::list))
        .routes(routes!(greetings::forget))
        .routes(routes!(greetings::listen))
        .routes(routes!(greetings::take_down))
        .routes(routes!(own_voice::set, own_voice::remove))
        .routes(routes!(own_voice::listen))
        .routes(routes!(recaps::show, recaps::set, recaps::remove))
        .routes(routes!(messages::list, messages::save))
        .routes(routes!(messages::show, editions::change))
        .routes(routes!(editions::list))
        .routes(routes!(messages::undo))
        .routes(routes!(drafts::list))
        .routes(routes!(drafts::save, drafts::discard))
        .routes(routes!(recall::take_draft))
        .routes(routes!(dispatches::list))
        .routes(routes!(dispatches::confirm))
        .routes(routes!(dispatches::close))
        .routes(routes!(dispatches::skip))
        .routes(routes!(dispatches::retry))
        .routes(routes!(dispatch_call::people, dispatch_call::call))
        .routes(routes!(dispatch_text::text))
        .routes(routes!(dispatch_lock::take, dispatch_lock::release))
        .routes(routes!(check_in::held))
        .routes(routes!(check_in::send))
        .routes(routes!(rings_back::show_pin))
        .routes(routes!(rings_back::told))
        .routes(routes!(check_in::read))
        .routes(routes!(check_in::pins))
        .routes(routes!(check_in::set_shared, check_in::remove_shared))
        .routes(routes!(check_in::set_own, check_in::remove_own))
        .routes(routes!(inbox::door))
        .routes(routes!(inbox::open, inbox::attend, inbox::close))
        .routes(routes!(inbox::subscribe, inbox::unsubscribe))
        .routes(routes!(inbox::resubscribe))
        .routes(routes!(inbox::pushed))
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::read))
        .routes(routes!(inbox::confirm))
        .routes(routes!(inbox::reply))
        .routes(routes!(inbox_devices::show))
        .routes(routes!(inbox_devices::invite))
        .routes(routes!(inbox_devices::revoke))
        .routes(routes!(seat::show, seat::change))
        .routes(routes!(seat::sip))
        .routes(routes!(seat::check))
        .routes(routes!(board::show))
        .routes(routes!(calls::list, dial_out::dial))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::finish))
        .routes(routes!(jobs::give_back))
        .routes(routes!(abandoned::ring_back, callbacks::give_up))
        .routes(routes!(abandoned::seen_to))
        .routes(routes!(callbacks::list))
        .routes(routes!(calls::take))
        .routes(routes!(calls::hold))
        .routes(routes!(calls::speak))
        .routes(routes!(calls::retrieve))
        .routes(routes!(calls::hang_up))
        .routes(routes!(calls::park))
        .routes(routes!(calls::fetch))
        .routes(routes!(calls::hand_over))
        .routes(routes!(calls::leave_colleague))
        .routes(routes!(handover::pass))
        .routes(routes!(handover::ask))
        .routes(routes!(handover::keys))
        .routes(routes!(handover::change_account))
        .routes(routes!(handover::take_form))
        .routes(routes!(handover::seats))
        .routes(routes!(calls::patch))
        .routes(routes!(calls::join))
        .routes(routes!(calls::join_call))
        .routes(routes!(calls::drop_off))
        .routes(routes!(calls::cancel_patch))
        .routes(routes!(calls::let_go))
        .routes(routes!(calls::next_number))
        .routes(routes!(calls::hold_contact))
        .routes(routes!(calls::talk_in_private))
        .routes(routes!(calls::join_colleague))
        .routes(routes!(patches::list))
        .routes(routes!(inner_calls::list))
        .routes(routes!(calls::wrap_up_done))
        .routes(routes!(calls::more_wrap_up))
        .routes(routes!(calls::start_recording))
        .routes(routes!(calls::stop_recording))
        .routes(routes!(calls::pause_recording))
        .routes(routes!(calls::resume_recording))
        .routes(routes!(calls::cover_recording))
        .routes(routes!(calls::uncover_recording))
        .routes(routes!(listen::start, listen::stop))
        .routes(routes!(floor::move_call))
        .routes(routes!(floor::log_out))
        .routes(routes!(recordings::listen))
        .routes(routes!(recordings::figures))
        .routes(routes!(recordings::peaks))
        .routes(routes!(alarms::silence))
        .routes(routes!(alarms::acknowledge))
        .routes(routes!(audit::list))
        .routes(routes!(client_users::list, client_users::add))
        .routes(routes!(client_users::change))
        .routes(routes!(protocol_changes::list))
        .routes(routes!(protocol_changes::approve))
        .routes(routes!(protocol_changes::refuse))
        .routes(routes!(going_live::show))
        .routes(routes!(going_live::approve))
        .merge(portal::list())
        .routes(routes!(events::connect))
        .routes(routes!(sip_ws::connect))
        .routes(routes!(hooks::inbound))
        .routes(routes!(hooks::status))
        .routes(routes!(hooks::telnyx))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(openapi::document))
}

/// The API's description.
pub fn description() -> utoipa::openapi::OpenApi {
    list().into_openapi()
}

/// The whole front door. `beside`: routes of others served on the same port (the demo's phones).
pub fn build(front: Front, beside: Router) -> Router {
    let (routes, _) = list().split_for_parts();
    routes
        .fallback(console::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(front.clone())
        .merge(beside)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(within_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(with_headers))
        .layer(middleware::from_fn_with_state(front, with_log))
}

async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Not this way", "This path does not take that method.")
}

async fn within_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("timeout", "It took too long and was given up.").into_response(),
    }
}

fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    // What it said may hold anything: the panic hook decides what is logged of it.
    metrics::counter!("cordboard_http_panics_total").increment(1);
    tracing::error!("a request panicked");
    Problem::fault().into_response()
}

/// Headers that every answer has.
async fn with_headers(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    set(headers, header::REFERRER_POLICY, "same-origin");
    set(headers, header::CONTENT_SECURITY_POLICY, console::CONTENT_SECURITY_POLICY);
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(headers, HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()");
    if api {
        set(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// A log line and figures for each request, by its route: a path or a query may hold a number.
async fn with_log(State(front): State<Front>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(&REQUEST_ID).filter(|id| {
        let plain = id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        plain && (8..=64).contains(&id.len())
    });
    let id = sent.cloned().unwrap_or_else(|| {
        HeaderValue::from_str(&URL_SAFE_NO_PAD.encode(secure_bytes::<12>())).expect("base64 is a header value")
    });
    let route = request.extensions().get::<MatchedPath>().map_or("console", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let started = front.clock.instant();
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = front.clock.instant().saturating_duration_since(started);
    let status = response.status();
    let labels = [("route", route), ("method", method.to_string()), ("status", status.as_str().to_owned())];
    metrics::counter!("cordboard_http_requests_total", &labels).increment(1);
    metrics::histogram!("cordboard_http_seconds", &labels[..1]).record(took);
    span.in_scope(|| tracing::debug!(status = status.as_u16(), ms = took.as_millis(), "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}
