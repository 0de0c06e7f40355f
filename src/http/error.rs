//! Problems: every refusal of the API, as RFC 9457 `application/problem+json` with a stable dotted code.
//!
//! Codes never change once published; titles and details are for people. A problem about our own faults
//! says nothing of the fault: the log does.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::account::fault::Fault;
use crate::domain::message::form::FieldError;
use crate::engine::clients::Refusal;
use crate::io::store::StoreError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable: `auth.required`, `message.invalid`, `call.not_now`, …
    pub code: &'static str,
    pub title: &'static str,
    pub detail: String,
    pub errors: Vec<Wrong>,
    pub retry_after_secs: Option<u64>,
}

/// One thing that is wrong: with an answer of a form, or with something that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Wrong {
    Answer(FieldError),
    Written(Fault),
}

/// A problem as it is sent (RFC 9457 §3.1, with our extensions `code` and `errors`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// `urn:cordboard:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// Stable dotted code, for programs.
    code: &'static str,
    detail: String,
    /// What is wrong, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Wrong>,
}

impl Problem {
    /// A problem with nothing more to it than these.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), retry_after_secs: None }
    }

    /// 400: the request cannot be read.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "The request cannot be read", detail)
    }

    /// 401: nobody is signed in.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, "Sign in first", detail)
    }

    /// 403: signed in, but not for this.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, "Not allowed", detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", format!("There is no such {what}."))
    }

    /// 409: not in the state it is in now.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "Not now", detail)
    }

    /// 422: read, understood, and wrong.
    pub fn invalid(code: &'static str, detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, "Something in it is not right", detail);
        Self { errors: errors.into_iter().map(Wrong::Answer).collect(), ..problem }
    }

    /// The same for what people wrote, each fault with its place and its cure.
    pub fn faulty(code: &'static str, faults: Vec<Fault>) -> Self {
        let detail = sentence("is not right", &faults);
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, "Something in it is not right", detail);
        Self { errors: faults.into_iter().map(Wrong::Written).collect(), ..problem }
    }

    /// 409: right in itself, and at odds with what else there is.
    pub fn clash(code: &'static str, faults: Vec<Fault>) -> Self {
        let detail = sentence("stands in the way", &faults);
        let problem = Self::conflict(code, detail);
        Self { errors: faults.into_iter().map(Wrong::Written).collect(), ..problem }
    }

    /// 429: too many tries.
    pub fn too_many(code: &'static str, retry_after_secs: u64) -> Self {
        let detail = format!("Too many attempts. Try again in {retry_after_secs} s.");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, "Too many attempts", detail);
        Self { retry_after_secs: Some(retry_after_secs), ..problem }
    }

    /// 503: a part of the service that this needs is not there now.
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Not available", detail)
    }

    /// 500: our fault.
    pub fn fault() -> Self {
        let detail = "Something went wrong on our side; the log has the reason.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", "Our fault", detail)
    }
}

/// A reason, as the engine and the disk give it, as a sentence for people.
pub(super) fn as_sentence(why: impl std::fmt::Display) -> String {
    let why = why.to_string();
    let mut letters = why.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The one fault, or how many there are.
fn sentence(what: &str, faults: &[Fault]) -> String {
    match faults {
        [fault] => format!("{} {}", fault.detail, fault.cure),
        _ => format!("{} things: what {what} is told for each.", faults.len()),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing { what } => Self::not_found(what),
            Refusal::Stale { now } => Self::conflict(
                "account.stale",
                format!(
                    "The account was changed meanwhile (edition {now}). Read it again, and make your change to that."
                ),
            ),
            Refusal::Faulty(faults) => Self::faulty("account.invalid", faults),
            Refusal::Clash(faults) => Self::clash("account.clash", faults),
            Refusal::NotNow { code, detail } => Self::conflict(code, detail),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing { what } => Self::not_found(what),
            StoreError::Conflict { .. } => Self::conflict("store.conflict", "There is already one like this."),
            StoreError::Refused { why } => Self::invalid("store.refused", why.join(" "), Vec::new()),
            other => {
                tracing::error!(code = other.code(), error = %other, "the store failed");
                Self::fault()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: format!("urn:cordboard:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
