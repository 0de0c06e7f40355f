//! Whether the process lives, whether it can work, and its figures. Open to whoever can reach the port:
//! nothing here names an account, a person or a number.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use super::state::Front;

/// The process lives.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = OK, body = String)))]
pub async fn live() -> &'static str {
    "ok\n"
}

/// The process can work: its store answers and it is not being stopped.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = OK, body = String), (status = SERVICE_UNAVAILABLE, body = super::error::ProblemBody)))]
pub async fn ready(State(front): State<Front>) -> Result<&'static str, Problem> {
    if front.draining.load(Ordering::Relaxed) {
        return Err(Problem::unavailable("health.draining", "The process is finishing its calls."));
    }
    if let Err(error) = front.store.ping().await {
        tracing::error!(code = error.code(), "the store does not answer");
        return Err(Problem::unavailable("health.store", "The store does not answer."));
    }
    Ok("ok\n")
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = OK, body = String)))]
pub async fn metrics(State(front): State<Front>) -> Response {
    match &front.metrics {
        Some(figures) => {
            // Histograms are folded when somebody looks, so that nothing needs a task of its own.
            figures.run_upkeep();
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], figures.render()).into_response()
        }
        None => (StatusCode::OK, "").into_response(),
    }
}
