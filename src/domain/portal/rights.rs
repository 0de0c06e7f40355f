//! What somebody of a client's may see and do of one account. Whoever has no right of an account does not know that it is there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One thing they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See and change who is on call.
    Schedule,
    /// Read messages with what became of them.
    Messages,
    /// See and change people and their numbers, and approve them.
    Contacts,
    /// See protocols, propose others, and approve the escalation.
    Protocol,
    /// See the figures.
    Reports,
    /// Hear the calls of messages; without the right to messages it is none.
    Recordings,
    /// See and change holidays, the status greeting and the recap, and approve the scripts.
    Settings,
}

/// All that somebody may of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    pub fn allow(&self, right: Right) -> bool {
        self.0.contains(&right) && (right != Right::Recordings || self.0.contains(&Right::Messages))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<T: IntoIterator<Item = Right>>(rights: T) -> Self {
        Self(rights.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_heard_by_those_who_read_the_messages_alone() {
        let rights = Rights::from_iter([Right::Recordings, Right::Reports]);
        assert!(!rights.allow(Right::Recordings) && rights.allow(Right::Reports) && !rights.allow(Right::Messages));
        assert!(Rights::from_iter([Right::Recordings, Right::Messages]).allow(Right::Recordings));
    }
}
