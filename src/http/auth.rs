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
use crate::domain::operator::skill::Skills;
use crate::engine::feed::UserRef;
use crate::io::store::users::Role;
use crate::io::token::{Bearer, TokenError};

use super::error::Problem;
use super::state::Front;

/// How long the store's word that a session lives is believed.
const RECHECK: Duration = Duration::from_secs(5);

/// Sessions remembered as alive at most.
const MAX_REMEMBERED: usize = 10_000;

/// What is shown and used of a signed-in person, as the store had it last.
#[derive(Clone, Debug)]
struct Known {
    name: String,
    skills: Skills,
}

/// Sessions lately seen alive in the store.
#[derive(Debug, Default)]
pub struct LiveSessions {
    seen: Mutex<HashMap<(SessionId, UserId), (Instant, Known)>>,
}

impl LiveSessions {
    fn find_fresh(&self, bearer: &Bearer, now: Instant) -> Option<Known> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, known) = seen.get(&(bearer.session.clone(), bearer.user.clone()))?;
        (now.saturating_duration_since(*at) < RECHECK).then(|| known.clone())
    }

    fn remember(&self, bearer: &Bearer, known: Known, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, (at, _)| now.saturating_duration_since(*at) < RECHECK);
        }
        seen.insert((bearer.session.clone(), bearer.user.clone()), (now, known));
    }

    /// Forgets all sessions of `user`, so that the store is asked next time.
    pub fn forget_user(&self, user: &UserId) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, known), _| known != user);
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
    /// What they can do for a caller.
    pub skills: Skills,
}

impl Signed {
    fn new(bearer: Bearer, known: Known) -> Self {
        Self { bearer, name: known.name, skills: known.skills }
    }

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
    if let Some(known) = front.live.find_fresh(&bearer, now) {
        return Ok(Signed::new(bearer, known));
    }
    let Some(known) = find_known(front, &bearer).await? else {
        front.tokens.revoke(&bearer.session);
        return Err(ended());
    };
    front.live.remember(&bearer, known.clone(), now);
    Ok(Signed::new(bearer, known))
}

/// The same, of somebody who may have a console: a client sees nothing live.
pub async fn check_desk(front: &Front, token: &str) -> Result<Signed, Problem> {
    let signed = check(front, token).await?;
    require(&signed, &[Role::Operator, Role::Supervisor, Role::Admin])?;
    Ok(signed)
}

/// The token's user, if their session still lives in the store.
async fn find_known(front: &Front, bearer: &Bearer) -> Result<Option<Known>, Problem> {
    let session = front.store.find_session(&bearer.session).await?;
    if session.is_none_or(|session| session.user != bearer.user || !session.is_live(front.clock.utc())) {
        return Ok(None);
    }
    let user = front.store.find_user(&bearer.user).await?;
    Ok(user.filter(|user| !user.disabled).map(|user| Known { name: user.name, skills: user.skills }))
}

/// Whether a session that was alive still is; what is known of its person is brought up to date. When the store does
/// not answer it counts as alive: the token runs out by itself.
pub async fn still_lives(front: &Front, signed: &mut Signed) -> bool {
    if front.tokens.is_revoked(&signed.bearer.session) {
        return false;
    }
    let now = front.clock.instant();
    if let Some(known) = front.live.find_fresh(&signed.bearer, now) {
        *signed = Signed::new(signed.bearer.clone(), known);
        return true;
    }
    match find_known(front, &signed.bearer).await {
        Ok(Some(known)) => {
            front.live.remember(&signed.bearer, known.clone(), now);
            *signed = Signed::new(signed.bearer.clone(), known);
            true
        }
        Ok(None) => {
            front.tokens.revoke(&signed.bearer.session);
            false
        }
        Err(_) => true,
    }
}

/// 401: whoever was signed in is so no more.
pub(super) fn ended() -> Problem {
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

/// Somebody who watches over others' calls and may change accounts: supervisors and admins.
pub struct Supervisor(pub Signed);

impl FromRequestParts<Front> for Supervisor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let signed = signed(parts, front).await?;
        require(&signed, &[Role::Supervisor, Role::Admin])?;
        Ok(Self(signed))
    }
}

/// Somebody who may change who signs in.
pub struct Admin(pub Signed);

impl FromRequestParts<Front> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let signed = signed(parts, front).await?;
        require(&signed, &[Role::Admin])?;
        Ok(Self(signed))
    }
}

/// Somebody of a client's, who has a portal. What of it they may see: `portal/guard`.
pub struct ClientUser(pub Signed);

impl FromRequestParts<Front> for ClientUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let signed = signed(parts, front).await?;
        require(&signed, &[Role::Client])?;
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
