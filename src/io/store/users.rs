//! Users: those who sign in. Passwords are kept as Argon2id hashes and checked off the async threads.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{SessionId, UserId};
use crate::domain::operator::skill::Skills;

use super::sql::{json, word};
use super::{Query, Row, Store, StoreError, Tx, args, readers};

/// The shortest password taken, in characters.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// A hash of nothing anybody knows, to be checked where there is no user.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$5Jb0W2h5bF7dFjmPz0kQ3o7U9N2cJ0b1m8m0yQd0c1E";

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Supervisor,
    Operator,
    /// Somebody of a client's: sees the portal of their own accounts, and nothing else.
    Client,
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub login: String,
    pub name: String,
    pub role: Role,
    /// Cannot sign in, and no session of theirs works any more.
    pub disabled: bool,
    /// What they can do for a caller.
    #[serde(default)]
    pub skills: Skills,
}

/// An Argon2id hash in PHC form.
#[derive(Clone)]
pub struct HashedPassword(String);

impl HashedPassword {
    /// Hashes a password; refuses one that is too short.
    pub async fn of(password: SecretString) -> Result<Self, StoreError> {
        if password.expose_secret().chars().count() < MIN_PASSWORD_CHARS {
            let why = format!("A password has at least {MIN_PASSWORD_CHARS} characters.");
            return Err(StoreError::Refused { why: vec![why] });
        }
        off_thread(move || {
            let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
            Self(hash.expect("Argon2's own default parameters are valid").to_string())
        })
        .await
    }
}

readers! {
    /// The user with this identifier.
    find_user(id: &UserId) -> Option<User>;
    /// The user who signs in with this login.
    find_user_by_login(login: &str) -> Option<User>;
    /// All users by login.
    list_users() -> Vec<User>;
}

const COLUMNS: &str = "SELECT id, login, name, role, disabled_at, skills FROM users";

async fn find_user(from: &mut impl Query, id: &UserId) -> Result<Option<User>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    from.fetch_optional(sql, args![id]).await?.as_ref().map(user).transpose()
}

async fn find_user_by_login(from: &mut impl Query, login: &str) -> Result<Option<User>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE login = $1"));
    from.fetch_optional(sql, args![fold(login)]).await?.as_ref().map(user).transpose()
}

async fn list_users(from: &mut impl Query) -> Result<Vec<User>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY login"));
    from.fetch_all(sql, Vec::new()).await?.iter().map(user).collect()
}

fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.read("id")?,
        login: row.read("login")?,
        name: row.read("name")?,
        role: row.read_word("role")?,
        disabled: row.read::<Option<UtcMs>>("disabled_at")?.is_some(),
        skills: row.read_json("skills")?,
    })
}

/// Logins are compared without regard to case and surrounding space.
fn fold(login: &str) -> String {
    login.trim().to_lowercase()
}

/// Whether somebody can sign in as this.
pub fn is_login(text: &str) -> bool {
    let login = fold(text);
    let plain = login.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b == b'_');
    !login.is_empty() && login.len() <= 64 && plain
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Failed(sqlx::Error::WorkerCrashed))
}

impl Store {
    /// The user with this login if the password is theirs and they may sign in. Takes as long for a login
    /// that does not exist, so that logins cannot be probed for.
    pub async fn find_user_by_password(&self, login: &str, password: SecretString) -> Result<Option<User>, StoreError> {
        const SQL: &str =
            "SELECT id, login, name, role, disabled_at, skills, password_hash FROM users WHERE login = $1";
        let row = self.fetch_optional(SQL, args![fold(login)]).await?;
        let hash = row.as_ref().map_or_else(|| Ok(NOBODY.to_owned()), |row| row.read::<String>("password_hash"))?;
        let matches = off_thread(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
        })
        .await?;
        let user = row.as_ref().map(user).transpose()?;
        Ok(user.filter(|user| matches && !user.disabled))
    }
}

impl Tx {
    /// Adds a user. The login must be new.
    pub async fn insert_user(&mut self, user: &User, password: &HashedPassword, now: UtcMs) -> Result<(), StoreError> {
        let login = fold(&user.login);
        if !is_login(&login) {
            let why = "A login has 1 to 64 letters, digits, dots, hyphens and underscores.".to_owned();
            return Err(StoreError::Refused { why: vec![why] });
        }
        self.execute(
            "INSERT INTO users (id, login, name, role, password_hash, created_at, disabled_at, skills)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![
                &user.id,
                login,
                &user.name,
                word(&user.role),
                &password.0,
                now,
                user.disabled.then_some(now),
                json(&user.skills)
            ],
        )
        .await?;
        Ok(())
    }

    /// Gives a user another password and ends their sessions.
    pub async fn set_password(
        &mut self,
        user: &UserId,
        password: &HashedPassword,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        self.write_password(user, password).await?;
        self.revoke_sessions_of(user, "password changed", now).await
    }

    /// The same by themselves: the session in which they have said the old one goes on, their others end.
    pub async fn set_own_password(
        &mut self,
        user: &UserId,
        password: &HashedPassword,
        session: &SessionId,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        self.write_password(user, password).await?;
        for other in self.list_sessions_of(user, now).await?.iter().filter(|other| *other != session) {
            self.revoke_session(other, "password changed", now).await?;
        }
        Ok(())
    }

    async fn write_password(&mut self, user: &UserId, password: &HashedPassword) -> Result<(), StoreError> {
        let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
        match self.execute(sql, args![user, &password.0]).await? {
            0 => Err(StoreError::Missing { what: "user" }),
            _ => Ok(()),
        }
    }

    /// Writes what a user is called and may do. With another role their sessions end, as tokens carry it.
    pub async fn update_user(&mut self, id: &UserId, name: &str, role: Role, now: UtcMs) -> Result<(), StoreError> {
        let Some(before) = self.find_user(id).await? else { return Err(StoreError::Missing { what: "user" }) };
        self.execute("UPDATE users SET name = $2, role = $3 WHERE id = $1", args![id, name, word(&role)]).await?;
        if before.role == role { Ok(()) } else { self.revoke_sessions_of(id, "role changed", now).await }
    }

    /// Lets a user who was locked out sign in again.
    pub async fn enable_user(&mut self, user: &UserId) -> Result<(), StoreError> {
        self.execute("UPDATE users SET disabled_at = NULL WHERE id = $1", args![user]).await.map(|_| ())
    }

    /// Says what a user can do from now on.
    pub async fn set_skills(&mut self, user: &UserId, skills: &Skills) -> Result<(), StoreError> {
        let sql = "UPDATE users SET skills = $2 WHERE id = $1";
        if self.execute(sql, args![user, json(skills)]).await? == 0 {
            return Err(StoreError::Missing { what: "user" });
        }
        Ok(())
    }

    /// Locks a user out and ends their sessions.
    pub async fn disable_user(&mut self, user: &UserId, now: UtcMs) -> Result<(), StoreError> {
        let sql = "UPDATE users SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1";
        if self.execute(sql, args![user, now]).await? == 0 {
            return Err(StoreError::Missing { what: "user" });
        }
        self.revoke_sessions_of(user, "user disabled", now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_costs_as_much_to_refuse_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).expect("it is a hash that can be checked");
        let ours = Argon2::default().hash_password(b"correct horse").expect("default parameters are valid").to_string();
        let ours = PasswordHash::new(&ours).expect("it is a hash that can be checked");
        assert_eq!((nobody.algorithm, nobody.version, &nobody.params), (ours.algorithm, ours.version, &ours.params));
        assert!(Argon2::default().verify_password(b"correct horse", &nobody).is_err());
    }
}
