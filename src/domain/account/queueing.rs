//! How an account wants its callers to wait, and what follows.

use serde::{Deserialize, Serialize};

use super::Speech;
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
    /// What a caller hears when the maximum wait is over.
    pub when_overdue: WhenOverdue,
    /// After so long in the queue a caller is offered to be called back, keeping their place. None: never.
    pub callback_after_secs: Option<u32>,
    /// A caller who hung up too early is an alarm on the desks, not only in the list.
    pub abandoned_alarm: bool,
    /// Recordings that its callers hear wherever there is music (in the queue, on hold, parked), one after the other and from
    /// the first again. None: the house's music.
    pub music: Vec<Speech>,
}

/// What a caller hears when no operator could take the call in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenOverdue {
    #[default]
    Apology,
    /// The offer to be called back; the apology where that is not wanted.
    Callback,
}

impl Default for Queueing {
    fn default() -> Self {
        Self {
            skills: Skills::new(),
            skill_wait_secs: 30,
            wrap_up_secs: None,
            when_overdue: WhenOverdue::Apology,
            callback_after_secs: None,
            abandoned_alarm: false,
            music: Vec::new(),
        }
    }
}
