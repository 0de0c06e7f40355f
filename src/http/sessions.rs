//! Signing in, staying signed in, signing out.
//!
//! A wrong login takes as long as a wrong password (the store sees to it), and both are counted against the
//! login and against where they come from. Neither login nor address is ever logged.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::sessions::Refreshed;
use crate::io::store::users::{Role, User};
use crate::io::token::ACCESS_SECS;

use super::auth::{Person, Signed};
use super::error::{Problem, ProblemBody};
use super::extract::{Body, Peer};
use super::state::Front;

/// Who wants to sign in.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SignIn {
    login: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// The refresh token given last; it works once.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Refresh {
    #[schema(value_type = String)]
    refresh_token: SecretString,
}

/// A signed-in session.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SignedIn {
    access_token: String,
    /// Exchange it for the next pair before the access token expires.
    refresh_token: String,
    /// Seconds until the access token expires.
    expires_in: i64,
    user: PersonView,
}

/// A person who is signed in.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PersonView {
    pub id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    pub name: String,
    pub role: Role,
}

impl PersonView {
    /// As the token and the session tell.
    pub fn of(signed: &Signed) -> Self {
        Self { id: signed.bearer.user.clone(), login: None, name: signed.name.clone(), role: signed.bearer.role }
    }
}

impl From<User> for PersonView {
    fn from(user: User) -> Self {
        Self { id: user.id, login: Some(user.login), name: user.name, role: user.role }
    }
}

/// Signs in.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", request_body = SignIn,
    responses((status = CREATED, body = SignedIn), (status = UNAUTHORIZED, body = ProblemBody),
        (status = TOO_MANY_REQUESTS, body = ProblemBody)))]
pub async fn open(
    State(front): State<Front>,
    Peer(peer): Peer,
    Body(body): Body<SignIn>,
) -> Result<(StatusCode, Json<SignedIn>), Problem> {
    let login = body.login.trim().to_lowercase();
    let now = front.clock.utc();
    count_try(&front, peer, &login)?;
    let Some(user) = front.store.find_user_by_password(&login, body.password).await? else {
        metrics::counter!("cordboard_sign_in_failed_total").increment(1);
        tracing::info!("a sign-in was refused");
        // Whose login it was, if it is anybody's. Refused all the same if the log does not take it.
        let tried = front.store.find_user_by_login(&login).await?.map_or_else(String::new, |user| user.id.to_string());
        front.audit.note(Who::Nobody, Act::SessionFailed, &tried).await;
        return Err(Problem::unauthorized("auth.wrong", "Login or password is wrong."));
    };
    front.limits.by_login.forgive(&login);
    let mut tx = front.store.write().await?;
    let (session, refresh) = tx.open_session(&user.id, now).await?;
    tx.audit(Entry::new(now, Who::User(user.id.clone()), Act::SessionOpened, session.id.to_string()));
    tx.commit("sign_in").await?;
    tracing::info!(user = %user.id, session = %session.id, "signed in");
    Ok((StatusCode::CREATED, Json(signed_in(&front, user, &session.id, &refresh))))
}

/// A try at the password of `login`: counted against it and against where it comes from. Refused where there were too many.
pub(super) fn count_try(front: &Front, peer: SocketAddr, login: &str) -> Result<(), Problem> {
    let (source, at) = (peer.ip().to_string(), front.clock.instant());
    for (limit, key) in [(&front.limits.by_source, source.as_str()), (&front.limits.by_login, login)] {
        limit.take(key, at).map_err(|wait| {
            metrics::counter!("cordboard_sign_in_limited_total").increment(1);
            Problem::too_many("auth.too_many", wait.as_secs() + 1)
        })?;
    }
    Ok(())
}

fn signed_in(front: &Front, user: User, session: &crate::base::id::SessionId, refresh: &SecretString) -> SignedIn {
    SignedIn {
        access_token: front.tokens.issue(&user.id, user.role, session),
        refresh_token: refresh.expose_secret().to_owned(),
        expires_in: ACCESS_SECS,
        user: user.into(),
    }
}

/// Exchanges a refresh token for a new pair.
#[utoipa::path(post, path = "/api/v1/sessions/refresh", tag = "sessions", request_body = Refresh,
    responses((status = OK, body = SignedIn), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn refresh(
    State(front): State<Front>,
    Peer(peer): Peer,
    Body(body): Body<Refresh>,
) -> Result<Json<SignedIn>, Problem> {
    let source = peer.ip().to_string();
    front
        .limits
        .by_source
        .take(&source, front.clock.instant())
        .map_err(|wait| Problem::too_many("auth.too_many", wait.as_secs() + 1))?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    let outcome = tx.refresh_session(&body.refresh_token, now).await?;
    if let Refreshed::Reused { user, session } = &outcome {
        tx.audit(Entry::new(now, Who::User(user.clone()), Act::SessionReused, session.to_string()));
    }
    tx.commit("refresh").await?;
    match outcome {
        Refreshed::Renewed { session, user, token } => Ok(Json(signed_in(&front, user, &session.id, &token))),
        Refreshed::Refused => Err(Problem::unauthorized("auth.refresh", "The session is over. Sign in again.")),
        Refreshed::Reused { user, session } => {
            front.tokens.revoke(&session);
            front.live.forget(&session);
            tracing::warn!(%user, %session, "a refresh token came twice: the session was ended");
            Err(Problem::unauthorized("auth.reused", "This sign-in was used elsewhere and was ended. Sign in again."))
        }
    }
}

/// Signs out: the session's tokens work no more.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "sessions", security(("bearer" = [])),
    responses((status = NO_CONTENT), (status = UNAUTHORIZED, body = ProblemBody)))]
pub async fn close(State(front): State<Front>, Person(signed): Person) -> Result<StatusCode, Problem> {
    let session = &signed.bearer.session;
    let mut tx = front.store.write().await?;
    let now = front.clock.utc();
    if tx.revoke_session(session, "signed out", now).await? {
        let by = Who::User(signed.bearer.user.clone());
        tx.audit(Entry::new(now, by, Act::SessionClosed, session.to_string()));
    }
    tx.commit("sign_out").await?;
    front.tokens.revoke(session);
    front.live.forget(session);
    tracing::info!(user = %signed.bearer.user, %session, "signed out");
    Ok(StatusCode::NO_CONTENT)
}
