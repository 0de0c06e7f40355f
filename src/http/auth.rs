//! Who asks: the bearer token of a request, whether its session still lives, and the role it needs.
//!
//! The token itself is checked in `io/token`. That a session was ended on another node is learned from the
//! store, at most [`RECHECK`] later.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::base::id::{SessionId, UserId};
use crate::engine::feed::UserRef;
use crate::io::store::users::Role;
use crate::io::token::{Bearer, TokenError};

use super::error::Problem;
use super::state::Front;

/// How long the store's word that a session lives is believed.
const RECHECK: Duration = Duration::from_secs(5);

/// Sessions remembered as alive at most.
const MAX_REMEMBERED: usize = 10_000;

/// Sessions lately seen alive in the store.
#[derive(Debug, Default)]
pub struct LiveSessions {
    seen: Mutex<HashMap<(SessionId, UserId), (Instant, String)>>,
}

impl LiveSessions {
    fn name_if_fresh(&self, bearer: &Bearer, now: Instant) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, name) = seen.get(&(bearer.session.clone(), bearer.user.clone()))?;
        (now.saturating_duration_since(*at) < RECHECK).then(|| name.clone())
    }

    fn remember(&self, bearer: &Bearer, name: String, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, (at, _)| now.saturating_duration_since(*at) < RECHECK);
        }
        seen.insert((bearer.session.clone(), bearer.user.clone()), (now, name));
    }

    /// Forgets `session`, so that the store is asked next time.
    pub fn forget(&self, session: &SessionId) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _), _| known != session);
    }
}

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Signed {
    pub bearer: Bearer,
    pub name: String,
}

impl Signed {
    /// As others see them.
    pub fn user(&self) -> UserRef {
        UserRef { id: self.bearer.user.clone(), name: self.name.clone() }
    }
}

/// Checks `token` and its session.
pub async fn check(front: &Front, token: &str) -> Result<Signed, Problem> {
    let bearer = front.tokens.check(token).map_err(|e| match e {
        TokenError::Invalid => Problem::unauthorized("auth.invalid", "The token is not one of this service."),
        TokenError::Expired => Problem::unauthorized("auth.expired", "The token has expired: refresh it."),
        TokenError::Revoked => ended(),
    })?;
    let now = front.clock.instant();
    if let Some(name) = front.live.name_if_fresh(&bearer, now) {
        return Ok(Signed { bearer, name });
    }
    let Some(name) = find_name(front, &bearer).await? else {
        front.tokens.revoke(&bearer.session);
        return Err(ended());
    };
    front.live.remember(&bearer, name.clone(), now);
    Ok(Signed { bearer, name })
}

/// The name of the token's user, if their session still lives in the store.
async fn find_name(front: &Front, bearer: &Bearer) -> Result<Option<String>, Problem> {
    let session = front.store.find_session(&bearer.session).await?;
    if session.is_none_or(|session| session.user != bearer.user || !session.is_live(front.clock.utc())) {
        return Ok(None);
    }
    let user = front.store.find_user(&bearer.user).await?;
    Ok(user.filter(|user| !user.disabled).map(|user| user.name))
}

/// Whether a session that was alive still is. When the store does not answer it counts as alive: the token
/// runs out by itself.
pub async fn still_lives(front: &Front, signed: &Signed) -> bool {
    if front.tokens.is_revoked(&signed.bearer.session) {
        return false;
    }
    let now = front.clock.instant();
    if front.live.name_if_fresh(&signed.bearer, now).is_some() {
        return true;
    }
    match find_name(front, &signed.bearer).await {
        Ok(Some(name)) => {
            front.live.remember(&signed.bearer, name, now);
            true
        }
        Ok(None) => {
            front.tokens.revoke(&signed.bearer.session);
            false
        }
        Err(_) => true,
    }
}

fn ended() -> Problem {
    Problem::unauthorized("auth.ended", "The session was ended. Sign in again.")
}

async fn signed(parts: &Parts, front: &Front) -> Result<Signed, Problem> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = header.and_then(|v| v.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        return Err(Problem::unauthorized("auth.required", "Send Authorization: Bearer and an access token."));
    };
    check(front, token.trim()).await
}

/// Anybody signed in.
pub struct Person(pub Signed);

impl FromRequestParts<Front> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        signed(parts, front).await.map(Self)
    }
}

/// Somebody who takes calls: operators, and supervisors and admins, who may do all that operators do.
pub struct Operator(pub Signed);

impl FromRequestParts<Front> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let signed = signed(parts, front).await?;
        require(&signed, &[Role::Operator, Role::Supervisor, Role::Admin])?;
        Ok(Self(signed))
    }
}

/// Somebody who watches over others' calls.
pub struct Supervisor(pub Signed);

impl FromRequestParts<Front> for Supervisor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let signed = signed(parts, front).await?;
        require(&signed, &[Role::Supervisor, Role::Admin])?;
        Ok(Self(signed))
    }
}

/// Refuses whoever has none of these roles.
pub fn require(signed: &Signed, roles: &[Role]) -> Result<(), Problem> {
    if roles.contains(&signed.bearer.role) {
        Ok(())
    } else {
        Err(Problem::forbidden("auth.role", "Your role does not allow this."))
    }
}
