//! How an account wants its callers to wait, and what follows.

use serde::{Deserialize, Serialize};

use crate::domain::operator::skill::Skills;

/// How callers of an account wait. What an account of before does not say is as usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Queueing {
    /// What an operator must be able to do, all of it, to be offered its callers: "spanish", "medical".
    pub skills: Skills,
    /// After so long a caller is offered to anybody; at once if nobody at work has the skills.
    pub skill_wait_secs: u32,
    /// How long an operator may wrap up before that ends by itself. None: as long as they like.
    pub wrap_up_secs: Option<u32>,
}

impl Default for Queueing {
    fn default() -> Self {
        Self { skills: Skills::new(), skill_wait_secs: 30, wrap_up_secs: None }
    }
}
