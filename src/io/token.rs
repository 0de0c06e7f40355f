//! Access tokens: makes and checks them, and knows which sessions have been revoked.
//!
//! The one place where tokens are checked, below `http` and `engine`: the API, the feed and the registrar
//! all ask [`Tokens`]. HS256 and nothing else, with our audience and issuer; `exp` is checked against the
//! shared clock. Sessions revoked in this process are refused at once; what the store says about a session
//! is for the caller to ask (`http/auth`).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::{SessionId, UserId};

use super::store::users::Role;

/// How long an access token is good for.
pub const ACCESS_SECS: i64 = 15 * 60;

const AUDIENCE: &str = "cordboard";
const ISSUER: &str = "cordboard";

/// Who a checked token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub user: UserId,
    pub role: Role,
    pub session: SessionId,
    pub expires_at: UtcMs,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not one of ours, or tampered with.
    Invalid,
    Expired,
    /// Its session was ended.
    Revoked,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "not a token of this service",
            Self::Expired => "the token has expired",
            Self::Revoked => "the session was ended",
        })
    }
}

impl std::error::Error for TokenError {}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: UserId,
    role: Role,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

/// Makes and checks access tokens. Cheap to clone; all clones share what was revoked.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

struct Shared {
    clock: SharedClock,
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    /// Sessions ended while a token of theirs may still be good, and until when to remember.
    revoked: Mutex<HashMap<SessionId, UtcMs>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Tokens signed with `key` (32 random bytes of the installation).
    pub fn new(key: &[u8; 32], clock: SharedClock) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // The library would read the system's clock; `check` compares with ours.
        validation.validate_exp = false;
        Self {
            shared: Arc::new(Shared {
                clock,
                sign: EncodingKey::from_secret(key),
                verify: DecodingKey::from_secret(key),
                validation,
                revoked: Mutex::default(),
            }),
        }
    }

    /// A token for `user` in `session`, good for [`ACCESS_SECS`].
    pub fn issue(&self, user: &UserId, role: Role, session: &SessionId) -> String {
        let now = self.shared.clock.utc().0 / 1_000;
        let claims = Claims {
            aud: AUDIENCE.into(),
            iss: ISSUER.into(),
            sub: user.clone(),
            role,
            sid: session.clone(),
            iat: now,
            exp: now + ACCESS_SECS,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.shared.sign)
            .expect("an HMAC key signs any claims that serialise, and these do")
    }

    /// Who `token` speaks for.
    pub fn check(&self, token: &str) -> Result<Bearer, TokenError> {
        let claims = decode::<Claims>(token, &self.shared.verify, &self.shared.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        // A token of ours never lasts longer than this, whatever it says.
        if claims.exp.saturating_sub(claims.iat) > ACCESS_SECS {
            return Err(TokenError::Invalid);
        }
        let expires_at = UtcMs(claims.exp.saturating_mul(1_000));
        if self.shared.clock.utc() >= expires_at {
            return Err(TokenError::Expired);
        }
        if self.is_revoked(&claims.sid) {
            return Err(TokenError::Revoked);
        }
        Ok(Bearer { user: claims.sub, role: claims.role, session: claims.sid, expires_at })
    }

    /// Refuses the tokens of `session` from now on.
    pub fn revoke(&self, session: &SessionId) {
        let now = self.shared.clock.utc();
        let mut revoked = self.revoked();
        revoked.retain(|_, until| *until > now);
        revoked.insert(session.clone(), now.plus_secs(ACCESS_SECS));
    }

    /// Whether `session` was ended here.
    pub fn is_revoked(&self, session: &SessionId) -> bool {
        self.revoked().contains_key(session)
    }

    fn revoked(&self) -> MutexGuard<'_, HashMap<SessionId, UtcMs>> {
        self.shared.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::base::clock::TestClock;

    fn tokens() -> (Tokens, TestClock) {
        let clock = TestClock::at(UtcMs(1_790_000_000_000));
        (Tokens::new(&[7; 32], Arc::new(clock.clone())), clock)
    }

    fn issue(tokens: &Tokens) -> String {
        tokens.issue(&UserId::named("kim"), Role::Operator, &SessionId::named("one"))
    }

    /// A token with these header and claims, signed with `key`.
    fn forge(algorithm: Algorithm, claims: &serde_json::Value, key: &[u8]) -> String {
        encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).expect("an HMAC key signs any JSON")
    }

    fn claims() -> serde_json::Value {
        serde_json::json!({"aud": "cordboard", "iss": "cordboard", "sub": "usr_kim", "role": "operator",
            "sid": "ses_one", "iat": 1_790_000_000, "exp": 1_790_000_900})
    }

    #[test]
    fn a_token_is_good_for_a_quarter_of_an_hour_by_our_clock() {
        let (tokens, clock) = tokens();
        let token = issue(&tokens);
        assert_eq!(tokens.check(&token).map(|b| b.user), Ok(UserId::named("kim")));
        clock.advance(Duration::from_secs(899));
        assert!(tokens.check(&token).is_ok());
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.check(&token), Err(TokenError::Expired));
    }

    #[test]
    fn a_revoked_session_is_refused_at_once() {
        let (tokens, _) = tokens();
        let token = issue(&tokens);
        tokens.revoke(&SessionId::named("one"));
        assert_eq!(tokens.check(&token), Err(TokenError::Revoked));
    }

    #[test]
    fn forged_tokens_are_refused() {
        let (tokens, _) = tokens();
        assert!(tokens.check(&forge(Algorithm::HS256, &claims(), &[7; 32])).is_ok(), "the forger itself works");
        assert_eq!(tokens.check(&forge(Algorithm::HS256, &claims(), &[8; 32])), Err(TokenError::Invalid));
        assert_eq!(tokens.check(&forge(Algorithm::HS512, &claims(), &[7; 32])), Err(TokenError::Invalid));
        for (claim, value) in [
            ("aud", serde_json::json!("elsewhere")),
            ("iss", serde_json::json!("elsewhere")),
            ("sub", serde_json::json!("not an id")),
            ("role", serde_json::json!("root")),
            ("exp", serde_json::json!(1_990_000_000)),
            ("exp", serde_json::json!("soon")),
        ] {
            let mut claims = claims();
            claims[claim] = value;
            assert_eq!(tokens.check(&forge(Algorithm::HS256, &claims, &[7; 32])), Err(TokenError::Invalid), "{claim}");
        }
        for claim in ["aud", "iss", "sub", "role", "sid", "iat", "exp"] {
            let mut claims = claims();
            claims.as_object_mut().expect("an object").remove(claim);
            assert!(tokens.check(&forge(Algorithm::HS256, &claims, &[7; 32])).is_err(), "without {claim}");
        }
        let unsigned = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#),
            URL_SAFE_NO_PAD.encode(claims().to_string())
        );
        assert_eq!(tokens.check(&unsigned), Err(TokenError::Invalid));
        for text in ["", ".", "..", "a.b.c", "Bearer x"] {
            assert_eq!(tokens.check(text), Err(TokenError::Invalid), "{text}");
        }
    }
}
