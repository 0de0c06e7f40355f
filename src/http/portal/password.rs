//! A client's own password, changed by themselves: whoever made their log-in has typed it, and need not go on knowing it.
//!
//! What always holds: the old one is asked for, and trying it is counted as a try to sign in; their other sessions end with it, the
//! one that it was said in goes on. Neither password is ever logged.

use axum::extract::State;
use axum::http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::domain::account::fault::Faults;
use crate::http::auth::{ClientUser, ended};
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Body, Peer};
use crate::http::sessions::count_try;
use crate::http::state::Front;
use crate::http::user_checks::{check_password, refuse_faulty};
use crate::io::store::audit::{Act, Entry, Who};
use crate::io::store::users::HashedPassword;

/// Another password of my own.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// The one that I sign in with now.
    #[schema(value_type = String, format = Password)]
    old_password: SecretString,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Changes my password. I stay signed in here, and am signed out everywhere else.
#[utoipa::path(put, path = "/api/v1/portal/password", tag = "portal", security(("bearer" = [])),
    request_body = OwnPassword,
    responses((status = NO_CONTENT), (status = FORBIDDEN, body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody), (status = TOO_MANY_REQUESTS, body = ProblemBody)))]
pub async fn change(
    State(front): State<Front>,
    ClientUser(signed): ClientUser,
    Peer(peer): Peer,
    Body(body): Body<OwnPassword>,
) -> Result<StatusCode, Problem> {
    let (id, session) = (signed.bearer.user, signed.bearer.session);
    let mut faults = Faults::default();
    check_password(&mut faults, &body.password);
    if body.password.expose_secret() == body.old_password.expose_secret() {
        faults.add("/password", "user.password_same", "The old and the new one are the same.", "Choose another.");
    }
    refuse_faulty(faults)?;
    let user = front.store.find_user(&id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let login = user.login.trim().to_lowercase();
    count_try(&front, peer, &login)?;
    if front.store.find_user_by_password(&login, body.old_password).await?.is_none() {
        metrics::counter!("cordboard_sign_in_failed_total").increment(1);
        tracing::info!(user = %id, "a change of password was refused");
        front.audit.note(Who::User(id.clone()), Act::SessionFailed, &id.to_string()).await;
        return Err(wrong_old());
    }
    front.limits.by_login.forgive(&login);
    let hashed = HashedPassword::of(body.password).await?;
    let now = front.clock.utc();
    let mut tx = front.store.write().await?;
    let open = tx.list_sessions_of(&id, now).await?;
    // Whoever was signed out meanwhile, as by another password from the service, changes nothing.
    if !open.contains(&session) {
        return Err(ended());
    }
    tx.set_own_password(&id, &hashed, &session, now).await?;
    tx.audit(Entry::new(now, Who::User(id.clone()), Act::UserChanged, id.to_string()));
    tx.commit("own_password").await?;
    for other in open.iter().filter(|other| **other != session) {
        front.tokens.revoke(other);
    }
    front.live.forget_user(&id);
    tracing::info!(user = %id, "a client changed their password");
    Ok(StatusCode::NO_CONTENT)
}

fn wrong_old() -> Problem {
    let mut faults = Faults::default();
    let cure = "Type the one that you log in with. If you have changed it a moment ago, the new one counts already.";
    faults.add("/old_password", "user.password_wrong", "This is not your password.", cure);
    Problem::faulty("user.invalid", faults.into_list())
}
