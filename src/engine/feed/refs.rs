//! How views name a user, an account and a contact: by id, with what is shown of them.
//!
//! Decides nothing. All other views are made of these. What always holds: names in them are for a signed-in operator's socket, never for a log.

use serde::Serialize;

use crate::base::id::{AccountId, ContactId, UserId};
use crate::domain::account::Account;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UserRef {
    pub id: UserId,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountRef {
    pub id: AccountId,
    pub name: String,
    pub color: String,
    pub zone: String,
}

impl From<&Account> for AccountRef {
    fn from(account: &Account) -> Self {
        let Account { id, name, color, zone, .. } = account;
        Self { id: id.clone(), name: name.clone(), color: color.clone(), zone: zone.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ContactRef {
    pub id: ContactId,
    pub name: String,
}
