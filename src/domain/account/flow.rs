//! The way of a call after its greeting: to operators, through a menu, to voicemail, to an announcement, to a check-in, to a
//! number elsewhere, or to the account's people.
//!
//! Which flow counts when is said by the account's [`hours`](super::hours); a menu's exits are flows too. What always
//! holds: a caller for whom a flow comes to nothing goes on to the queue or to the apology, never nowhere.

use serde::{Deserialize, Serialize};

use super::Speech;
use super::patching::{AutoPatch, Unreached};
use crate::base::id::CallTypeId;
use crate::base::phone::PhoneNumber;
use crate::base::placed;
use crate::domain::operator::skill::Skills;

/// What happens to a caller once the greeting is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Flow {
    /// Wait for an operator.
    Queue {
        /// In place of the account's.
        #[serde(default, deserialize_with = "placed::priority")]
        priority: Option<i32>,
        /// What the call is known to be about; the operator may say otherwise.
        #[serde(default)]
        call_type: Option<CallTypeId>,
        /// What an operator must be able to do for this caller, besides what the account asks for: "press 2 for Spanish".
        #[serde(default, skip_serializing_if = "Skills::is_empty")]
        skills: Skills,
    },
    /// Choose from one of the account's menus, by name.
    Menu {
        menu: String,
    },
    Voicemail(Voicemail),
    /// Words, and then the call is over.
    Announcement {
        #[serde(deserialize_with = "placed::speech")]
        speech: Speech,
    },
    /// A client's person hears held messages, by PIN.
    CheckIn,
    /// Rung elsewhere, and connected with whoever answers.
    Spill(Spill),
    /// The account's people are rung, and connected if they want to be.
    Patch(AutoPatch),
}

/// A message that the caller speaks to nobody. It becomes a message like any other, with its sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Voicemail {
    /// Said before the tone.
    #[serde(deserialize_with = "placed::speech")]
    pub speech: Speech,
    /// What the message is taken as: its urgency and its protocol.
    pub call_type: CallTypeId,
    /// The longest message.
    #[serde(default = "default_max_secs", deserialize_with = "placed::max_secs")]
    pub max_secs: u32,
    /// Silence after which it is over.
    #[serde(default = "default_silence_secs", deserialize_with = "placed::silence_secs")]
    pub silence_secs: u32,
}

/// A number of the client's own that takes the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Spill {
    #[serde(deserialize_with = "placed::number")]
    pub number: PhoneNumber,
    #[serde(default = "default_ring_secs", deserialize_with = "placed::ring_secs")]
    pub ring_secs: u32,
    /// Nobody answers there, or it is busy.
    #[serde(default, deserialize_with = "placed::failed")]
    pub failed: SpillFailed,
    /// Rung before the call is answered, as when a client's own office comes first: the caller hears that telephone ring, hears no
    /// greeting if somebody takes it, and is not charged if nobody does. Then they are answered and greeted.
    #[serde(default)]
    pub before_answer: bool,
}

/// What becomes of a caller whom nobody took elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpillFailed {
    #[default]
    Queue,
    /// Told that nobody can take the call; an alarm asks the operators to ring back.
    Apology,
}

const fn default_max_secs() -> u32 {
    120
}

const fn default_silence_secs() -> u32 {
    6
}

const fn default_ring_secs() -> u32 {
    30
}

impl Default for Flow {
    /// Operators.
    fn default() -> Self {
        Self::Queue { priority: None, call_type: None, skills: Skills::new() }
    }
}

impl Flow {
    /// The word by which records name it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Queue { .. } => "queue",
            Self::Menu { .. } => "menu",
            Self::Voicemail(_) => "voicemail",
            Self::Announcement { .. } => "announcement",
            Self::Spill(_) => "spill",
            Self::Patch(_) => "patch",
            Self::CheckIn => "check_in",
        }
    }

    /// All that is said in it, so that it can be made ready ahead of time.
    pub fn speeches(&self) -> impl Iterator<Item = &Speech> {
        let (first, then) = match self {
            Self::Voicemail(voicemail) => (Some(&voicemail.speech), None),
            Self::Announcement { speech } => (Some(speech), None),
            Self::Patch(patch) => match &patch.failed {
                Unreached::Voicemail(voicemail) => (patch.speech.as_ref(), Some(&voicemail.speech)),
                Unreached::Queue { .. } | Unreached::Apology => (patch.speech.as_ref(), None),
            },
            Self::Queue { .. } | Self::Menu { .. } | Self::Spill(_) | Self::CheckIn => (None, None),
        };
        first.into_iter().chain(then)
    }
}
