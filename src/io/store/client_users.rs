//! Clients' own log-ins: to which accounts each belongs, and what they may there. The person is a row of `users`, of the role
//! `client`; what always holds is that nobody of another role has a row here.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, UserId};
use crate::domain::portal::rights::Rights;

use super::sql::json;
use super::users::{Role, User};
use super::{Query, Row, StoreError, Tx, args, readers};

/// An account of somebody's, and what they may there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub user: UserId,
    pub account: AccountId,
    pub rights: Rights,
}

readers! {
    /// What a client may of this account; none: it is not theirs, or there is no such account.
    find_access(user: &UserId, account: &AccountId) -> Option<Rights>;
    /// All accounts of a client.
    list_access(user: &UserId) -> Vec<Access>;
    /// Of all clients, by user.
    list_all_access() -> Vec<Access>;
}

const COLUMNS: &str = "SELECT user_id, account, rights FROM client_account";

async fn find_access(from: &mut impl Query, user: &UserId, account: &AccountId) -> Result<Option<Rights>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE user_id = $1 AND account = $2"));
    from.fetch_optional(sql, args![user, account]).await?.map(|row| row.read_json("rights")).transpose()
}

async fn list_access(from: &mut impl Query, user: &UserId) -> Result<Vec<Access>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE user_id = $1 ORDER BY account"));
    from.fetch_all(sql, args![user]).await?.iter().map(access).collect()
}

async fn list_all_access(from: &mut impl Query) -> Result<Vec<Access>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY user_id, account"));
    from.fetch_all(sql, Vec::new()).await?.iter().map(access).collect()
}

fn access(row: &Row) -> Result<Access, StoreError> {
    Ok(Access { user: row.read("user_id")?, account: row.read("account")?, rights: row.read_json("rights")? })
}

impl Tx {
    /// Says which accounts a client has from now on, and what they may there, in place of what was said before.
    pub async fn set_access(&mut self, user: &UserId, access: &[(AccountId, Rights)]) -> Result<(), StoreError> {
        let of = self.find_user(user).await?.ok_or(StoreError::Missing { what: "user" })?;
        if of.role != Role::Client {
            return Err(StoreError::Refused { why: vec!["Only a client's log-in belongs to accounts.".to_owned()] });
        }
        self.execute("DELETE FROM client_account WHERE user_id = $1", args![user]).await?;
        for (account, rights) in access {
            let sql = "INSERT INTO client_account (user_id, account, rights) VALUES ($1, $2, $3)";
            self.execute(sql, args![user, account, json(rights)]).await?;
        }
        Ok(())
    }

    /// Writes what a client is called, and lets them sign in or not.
    pub async fn update_client(
        &mut self,
        before: &User,
        name: &str,
        disabled: bool,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        self.update_user(&before.id, name, before.role, now).await?;
        match (before.disabled, disabled) {
            (false, true) => self.disable_user(&before.id, now).await,
            (true, false) => self.enable_user(&before.id).await,
            _ => Ok(()),
        }
    }
}
