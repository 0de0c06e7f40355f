//! Sessions: a sign-in that lasts, carried by refresh tokens that work once.
//!
//! Only hashes of tokens are kept. A token that comes a second time was stolen, or its thief came first: the session ends for both
//! (RFC 9700 §4.14.2). Unless it comes again at once, and what it was exchanged for was never used: then that answer was lost on
//! its way, and is void from then on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::base::clock::UtcMs;
use crate::base::id::{SessionId, UserId};
use crate::base::rng::secure_bytes;

use super::users::User;
use super::{Query, Row, StoreError, Tx, args, readers};

/// How long a session lasts after it was opened or last refreshed.
pub const SESSION_MS: i64 = 12 * 3_600_000;

/// How soon a token comes again whose answer was lost.
const LOST_ANSWER_MS: i64 = 60_000;

/// How long a session that is over stays on record.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// A sign-in that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: UtcMs,
    pub expires_at: UtcMs,
    pub revoked_at: Option<UtcMs>,
}

impl Session {
    /// Whether it still counts.
    pub fn is_live(&self, now: UtcMs) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// What came of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// It was good; here is its successor.
    Renewed { session: Session, user: User, token: SecretString },
    /// Nobody knows it, or its session is over.
    Refused,
    /// It was used before: its session was ended. Commit, and alarm the user.
    Reused { user: UserId, session: SessionId },
}

readers! {
    /// The session with this identifier, live or not.
    find_session(id: &SessionId) -> Option<Session>;
    /// The sessions of a user that are live.
    list_sessions_of(user: &UserId, now: UtcMs) -> Vec<SessionId>;
}

async fn find_session(from: &mut impl Query, id: &SessionId) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "SELECT id, user_id, created_at, expires_at, revoked_at FROM session WHERE id = $1";
    from.fetch_optional(SQL, args![id]).await?.as_ref().map(session).transpose()
}

async fn list_sessions_of(from: &mut impl Query, user: &UserId, now: UtcMs) -> Result<Vec<SessionId>, StoreError> {
    const SQL: &str = "SELECT id FROM session WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2";
    from.fetch_all(SQL, args![user, now]).await?.iter().map(|row| row.read("id")).collect()
}

fn session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.read("id")?,
        user: row.read("user_id")?,
        created_at: row.read("created_at")?,
        expires_at: row.read("expires_at")?,
        revoked_at: row.read("revoked_at")?,
    })
}

fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, token.expose_secret().as_bytes()))
}

impl Tx {
    /// Opens a session for a user who has just proved who they are.
    pub async fn open_session(&mut self, user: &UserId, now: UtcMs) -> Result<(Session, SecretString), StoreError> {
        let old = now.plus_ms(-KEPT_MS);
        let forget = "DELETE FROM session_token WHERE session IN (SELECT id FROM session WHERE expires_at < $1)";
        self.execute(forget, args![old]).await?;
        self.execute("DELETE FROM session WHERE expires_at < $1", args![old]).await?;
        let session = Session {
            id: SessionId::fresh(now),
            user: user.clone(),
            created_at: now,
            expires_at: now.plus_ms(SESSION_MS),
            revoked_at: None,
        };
        self.execute(
            "INSERT INTO session (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            args![&session.id, user, now, session.expires_at],
        )
        .await?;
        let token = self.issue_token(&session.id, now).await?;
        Ok((session, token))
    }

    async fn issue_token(&mut self, session: &SessionId, now: UtcMs) -> Result<SecretString, StoreError> {
        let token = SecretString::from(URL_SAFE_NO_PAD.encode(secure_bytes::<32>()));
        self.execute(
            "INSERT INTO session_token (hash, session, issued_at) VALUES ($1, $2, $3)",
            args![hash(&token), session, now],
        )
        .await?;
        Ok(token)
    }

    /// Exchanges a refresh token. Commit whatever came of it.
    pub async fn refresh_session(&mut self, token: &SecretString, now: UtcMs) -> Result<Refreshed, StoreError> {
        let token_hash = hash(token);
        let sql = "SELECT session FROM session_token WHERE hash = $1";
        let Some(row) = self.fetch_optional(sql, args![&token_hash]).await? else {
            return Ok(Refreshed::Refused);
        };
        let id: SessionId = row.read("session")?;
        let Some(mut session) = self.find_session(&id).await? else {
            return Ok(Refreshed::Refused);
        };
        // The condition decides, so that of two that come at once exactly one wins.
        let spend = "UPDATE session_token SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
        if self.execute(spend, args![&token_hash, now]).await? == 0
            && !self.void_lost_answer(&token_hash, &id, now).await?
        {
            self.revoke_session(&id, "refresh token used twice", now).await?;
            return Ok(Refreshed::Reused { user: session.user, session: id });
        }
        let user = self.find_user(&session.user).await?.filter(|user| !user.disabled);
        let (true, Some(user)) = (session.is_live(now), user) else {
            return Ok(Refreshed::Refused);
        };
        session.expires_at = now.plus_ms(SESSION_MS);
        self.execute("UPDATE session SET expires_at = $2 WHERE id = $1", args![&id, session.expires_at]).await?;
        let token = self.issue_token(&id, now).await?;
        Ok(Refreshed::Renewed { session, user, token })
    }

    /// A token comes again. True if its answer may have been lost: it was spent just now, and nobody has used its successor. That
    /// is spent from now on, so whoever has it after all ends the session.
    async fn void_lost_answer(&mut self, token: &str, session: &SessionId, now: UtcMs) -> Result<bool, StoreError> {
        let void = "UPDATE session_token SET used_at = 0 WHERE session = $1 AND used_at IS NULL AND issued_at =
            (SELECT used_at FROM session_token WHERE hash = $2 AND used_at > $3)";
        let lost = self.execute(void, args![session, token, now.plus_ms(-LOST_ANSWER_MS)]).await? > 0;
        if lost {
            self.execute("UPDATE session_token SET used_at = $2 WHERE hash = $1", args![token, now]).await?;
        }
        Ok(lost)
    }

    /// Ends a session; tells whether it was live until now.
    pub async fn revoke_session(&mut self, id: &SessionId, why: &str, now: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE session SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.execute(sql, args![id, now, why]).await? > 0)
    }

    /// Ends all sessions of a user.
    pub async fn revoke_sessions_of(&mut self, user: &UserId, why: &str, now: UtcMs) -> Result<(), StoreError> {
        let sql = "UPDATE session SET revoked_at = $2, revoked_why = $3 WHERE user_id = $1 AND revoked_at IS NULL";
        self.execute(sql, args![user, now, why]).await.map(|_| ())
    }
}
