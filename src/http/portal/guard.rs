//! The one door of the portal: who asks, for which account, and whether they may. Each handler of it takes a [`PortalClient`] that names
//! the right it needs, and so cannot be written without one.
//!
//! What always holds: an account that is not theirs and one that is not there answer alike, whatever else is asked; rights are read anew
//! for each request, so that one taken away counts at once.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::base::id::AccountId;
use crate::domain::account::Account;
use crate::domain::portal::rights::{Right, Rights};
use crate::http::auth::{ClientUser, Signed};
use crate::http::error::Problem;
use crate::http::state::Front;

/// What a handler needs.
pub trait Need: Send + Sync + 'static {
    /// None: that the account is theirs is enough.
    const RIGHT: Option<Right>;
}

/// The needs there are, by name.
pub mod needs {
    use super::{Need, Right};

    macro_rules! needs {
        ($($name:ident = $right:expr;)*) => {$(
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl Need for $name {
                const RIGHT: Option<Right> = $right;
            }
        )*};
    }
    needs! {
        Any = None;
        Schedule = Some(Right::Schedule);
        Messages = Some(Right::Messages);
        Contacts = Some(Right::Contacts);
        Protocol = Some(Right::Protocol);
        Reports = Some(Right::Reports);
        Recordings = Some(Right::Recordings);
        Settings = Some(Right::Settings);
    }
}

/// A client who may do this for the account that the path names `{account}`.
pub struct PortalClient<N> {
    pub signed: Signed,
    pub account: AccountId,
    pub rights: Rights,
    of: PhantomData<N>,
}

impl<N: Need> FromRequestParts<Front> for PortalClient<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let ClientUser(signed) = ClientUser::from_request_parts(parts, front).await?;
        let account = Named::from_request_parts(parts, front).await?.find::<AccountId>("account", "account")?;
        let rights = front.store.find_access(&signed.bearer.user, &account).await?;
        let rights = rights.ok_or_else(|| Problem::not_found("account"))?;
        if N::RIGHT.is_some_and(|right| !rights.allow(right)) {
            return Err(missing_right());
        }
        Ok(Self { signed, account, rights, of: PhantomData })
    }
}

impl<N> PortalClient<N> {
    /// Refuses whoever has not this right as well.
    pub fn require(&self, right: Right) -> Result<(), Problem> {
        if self.rights.allow(right) { Ok(()) } else { Err(missing_right()) }
    }

    /// The account itself.
    pub async fn find_account(&self, front: &Front) -> Result<Account, Problem> {
        front.store.find_account(&self.account).await?.ok_or_else(|| Problem::not_found("account"))
    }
}

fn missing_right() -> Problem {
    Problem::forbidden("portal.right", "Your log-in has no right to this: ask your answering service for it.")
}

/// What the path names, by name: `{id}`, `{destination}`.
pub struct Named(Vec<(String, String)>);

impl FromRequestParts<Front> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, front).await.map_err(|_| Problem::not_found("thing"))?;
        Ok(Self(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

impl Named {
    /// The identifier called `name`; a text that is none names nothing.
    pub fn find<T: TryFrom<String>>(&self, name: &str, what: &'static str) -> Result<T, Problem> {
        let value = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| Problem::not_found(what))
    }
}
