//! What is asked of everybody who signs in, of the service or of a client: a log-in name that is one and is free, a name, a password, and
//! that somebody is left who can let others in. Asked by `users` and `client_users`, each of which has what is its own beside it.

use secrecy::{ExposeSecret as _, SecretString};

use crate::base::id::UserId;
use crate::domain::account::fault::{Fault, Faults, Text};
use crate::io::store::Tx;
use crate::io::store::users::{HashedPassword, MIN_PASSWORD_CHARS, Role, User, is_login};

use super::error::Problem;

const MAX_NAME: usize = 80;
const MAX_PASSWORD: usize = 1_000;

/// How a name is written.
pub(super) fn name_line() -> Text {
    Text::line("/name", "user.name", "The name", MAX_NAME)
}

pub(super) fn check_login(faults: &mut Faults, login: &str) {
    if !is_login(login) {
        let cure = "Write 1 to 64 letters, digits, dots, hyphens and underscores.";
        faults.add("/login", "user.login", "This is no login.", cure);
    }
}

pub(super) fn check_password(faults: &mut Faults, password: &SecretString) {
    let chars = password.expose_secret().chars().count();
    if chars < MIN_PASSWORD_CHARS {
        let detail = format!("A password has at least {MIN_PASSWORD_CHARS} characters.");
        faults.add("/password", "user.password", detail, "Choose a longer one: several words are easy to remember.");
    } else if chars > MAX_PASSWORD {
        let detail = format!("A password has {MAX_PASSWORD} characters at most.");
        faults.add("/password", "user.password_too_long", detail, "Choose a shorter one.");
    }
}

/// All that is wrong with a user, if anything is.
pub(super) fn refuse_faulty(faults: Faults) -> Result<(), Problem> {
    faults.unless(()).map_err(|faults| Problem::faulty("user.invalid", faults))
}

/// The password as it is kept, where there is another.
pub(super) async fn hash(password: Option<SecretString>) -> Result<Option<HashedPassword>, Problem> {
    Ok(match password {
        Some(password) => Some(HashedPassword::of(password).await?),
        None => None,
    })
}

/// Nobody else signs in by this name, of the service or of a client.
pub(super) async fn refuse_taken(tx: &mut Tx, login: &str) -> Result<(), Problem> {
    match tx.find_user_by_login(login).await? {
        None => Ok(()),
        Some(_) => {
            Err(clash("/login", "user.login_taken", "There is a user with this login.", "Choose another login."))
        }
    }
}

/// An admin who can sign in is left when `before` has this role and may sign in or not.
pub(super) async fn refuse_last_admin(tx: &mut Tx, before: &User, role: Role, disabled: bool) -> Result<(), Problem> {
    let is_admin = |role: Role, disabled: bool| role == Role::Admin && !disabled;
    let stays = !is_admin(before.role, before.disabled) || is_admin(role, disabled);
    if stays || is_other_admin(tx, &before.id).await? {
        return Ok(());
    }
    let cure = "Make somebody else an admin first.";
    Err(clash("", "user.last_admin", "This is the only admin who can sign in.", cure))
}

async fn is_other_admin(tx: &mut Tx, than: &UserId) -> Result<bool, Problem> {
    let users = tx.list_users().await?;
    Ok(users.iter().any(|user| user.id != *than && user.role == Role::Admin && !user.disabled))
}

fn clash(pointer: &str, code: &'static str, detail: &str, cure: &str) -> Problem {
    let (detail, cure) = (detail.to_owned(), cure.to_owned());
    Problem::clash(code, vec![Fault { pointer: pointer.to_owned(), code: code.into(), detail, cure }])
}
