//! The API's description, made from the same list as the router, so that no route is left out.

use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What is true of the whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cordboard",
        description = "Times are UTC epoch milliseconds; telephone numbers are E.164; identifiers are text. \
            Refusals are RFC 9457 problems with a stable dotted `code`.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    components(schemas(super::error::ProblemBody, crate::domain::message::render::webhook::WebhookBody)),
    modifiers(&Bearer)
)]
pub struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "health", responses((status = OK, description = "OpenAPI 3.1")))]
pub async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(super::router::description())
}

/// A frame of the feed. `hello` holds the whole picture, the others one thing that has changed.
#[derive(utoipa::ToSchema)]
pub struct FeedFrame {
    /// `hello`, `seat`, `call`, `call_gone`, `queue`, `dispatch`, `alarm`, `alarm_gone`, `alarm_chain`, `figures`, `quality`, `account`,
    /// `trial`, `dictation`, `pong`, `problem`.
    #[schema(rename = "type")]
    pub kind: String,
    pub user: Option<super::sessions::PersonView>,
    pub seat: Option<crate::engine::feed::SeatView>,
    pub call: Option<crate::engine::feed::CallView>,
    pub calls: Option<Vec<crate::engine::feed::CallView>>,
    pub queue: Option<crate::engine::feed::QueueView>,
    pub dispatch: Option<crate::engine::feed::DispatchView>,
    pub dispatches: Option<Vec<crate::engine::feed::DispatchView>>,
    pub alarm: Option<crate::engine::feed::AlarmView>,
    pub alarms: Option<Vec<crate::engine::feed::AlarmView>>,
    /// In `hello`: who is told of alarms and who sees to them; null: nothing stands.
    pub alarm_chain: Option<crate::engine::feed::AlarmChainView>,
    /// The same in `alarm_chain`.
    pub chain: Option<crate::engine::feed::AlarmChainView>,
    pub figures: Option<crate::engine::feed::FiguresView>,
    pub not_ready_reasons: Option<Vec<String>>,
    pub pagers: Option<Vec<String>>,
    pub webhooks: Option<Vec<String>>,
    pub ages: Option<crate::config::Ages>,
    pub quality: Option<crate::engine::feed::QualityView>,
    pub trial: Option<crate::engine::feed::TrialView>,
    pub dictation: Option<crate::engine::feed::DictationView>,
    /// Of an account that is another now.
    pub edition: Option<u32>,
    /// Of what is gone, or of that account.
    pub id: Option<String>,
}
