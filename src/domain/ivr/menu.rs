//! A menu as it is stored: nodes that play, ask, branch or leave, each known by a name of its own.
//!
//! Holds no way of its own: [`Ivr`](super::Ivr) goes through it, [`validate`](super::validate) says what is wrong with it.

use serde::{Deserialize, Serialize};

use super::digits::Digits;
use crate::base::phone::PhoneNumber;
use crate::base::placed;
use crate::domain::account::Speech;
use crate::domain::account::flow::Flow;

/// What a caller goes through by the keys of their telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Menu {
    /// Flows name it by this.
    pub name: String,
    /// The node it begins at.
    pub start: String,
    pub nodes: Vec<Node>,
    /// Where a caller goes who does not find through: normally to operators.
    #[serde(default)]
    pub otherwise: Flow,
}

/// A place in a menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MenuNode)]
pub struct Node {
    pub id: String,
    #[serde(flatten)]
    pub step: Step,
}

/// What happens there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
#[schema(as = MenuStep)]
pub enum Step {
    /// Words, and on to the next.
    Play {
        #[serde(deserialize_with = "placed::speech")]
        speech: Speech,
        next: String,
        /// A key cuts them short.
        #[serde(default)]
        barge_in: bool,
    },
    Gather(Gather),
    Digits(Digits),
    /// On by what is known of the call.
    Branch {
        on: Condition,
        then: String,
        otherwise: String,
    },
    /// Out of the menu.
    Exit {
        #[serde(deserialize_with = "placed::flow")]
        flow: Flow,
    },
}

/// Words that ask for keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MenuGather)]
pub struct Gather {
    #[serde(deserialize_with = "placed::speech")]
    pub speech: Speech,
    pub choices: Vec<Choice>,
    /// How long the caller may take for the first key after the words.
    #[serde(default = "default_timeout_secs", deserialize_with = "placed::timeout_secs")]
    pub timeout_secs: u32,
    /// How often it is asked again.
    #[serde(default = "default_retries", deserialize_with = "placed::retries")]
    pub retries: u32,
    /// Keys count while the words are spoken, and cut them short.
    #[serde(default = "yes")]
    pub barge_in: bool,
    /// Said before it is asked again, after keys that are no choice.
    #[serde(default, deserialize_with = "placed::invalid")]
    pub invalid: Option<Speech>,
    /// The same after no key at all.
    #[serde(default, deserialize_with = "placed::silent")]
    pub silent: Option<Speech>,
    /// The node after the last try; none: the menu's `otherwise`.
    #[serde(default)]
    pub gave_up: Option<String>,
}

/// One of the things a caller may press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MenuChoice)]
pub struct Choice {
    /// One or more of `0`–`9` and `*`; `#` alone.
    pub digits: String,
    /// What it is about, for the operator and the record: "emergency".
    pub label: String,
    pub next: String,
}

/// Something that is known of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
#[schema(as = MenuCondition)]
pub enum Condition {
    /// The window or holiday of this name is in force.
    Window { name: String },
    /// The caller's number is withheld.
    Withheld,
    /// The caller's number is one of these.
    Caller { numbers: Vec<PhoneNumber> },
}

/// What of a call conditions look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The window or holiday in force.
    pub window: Option<String>,
    pub caller: Option<PhoneNumber>,
}

const fn default_timeout_secs() -> u32 {
    6
}

const fn default_retries() -> u32 {
    2
}

const fn yes() -> bool {
    true
}

impl Menu {
    /// The node called `id`.
    pub fn find(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// Every way out of it.
    pub fn exits(&self) -> impl Iterator<Item = &Flow> {
        let exits = self.nodes.iter().filter_map(|node| match &node.step {
            Step::Exit { flow } => Some(flow),
            Step::Play { .. } | Step::Gather(_) | Step::Digits(_) | Step::Branch { .. } => None,
        });
        exits.chain([&self.otherwise])
    }

    /// All that may be said in it, exits too.
    pub fn speeches(&self) -> impl Iterator<Item = &Speech> {
        self.nodes.iter().flat_map(|node| node.step.speeches()).chain(self.otherwise.speeches())
    }
}

impl Step {
    /// What may be said here.
    fn speeches(&self) -> Vec<&Speech> {
        match self {
            Self::Play { speech, .. } => vec![speech],
            Self::Gather(gather) => {
                [Some(&gather.speech), gather.invalid.as_ref(), gather.silent.as_ref()].into_iter().flatten().collect()
            }
            // What is said back is made for one caller.
            Self::Digits(digits) => {
                [Some(&digits.speech), digits.invalid.as_ref(), digits.silent.as_ref()].into_iter().flatten().collect()
            }
            Self::Branch { .. } => Vec::new(),
            Self::Exit { flow } => flow.speeches().collect(),
        }
    }

    /// The nodes after this one, by whatever way.
    pub(super) fn nexts(&self) -> Vec<&str> {
        let mut nexts = self.nexts_by_themselves();
        match self {
            Self::Gather(gather) => nexts.extend(gather.choices.iter().map(|choice| choice.next.as_str())),
            Self::Digits(digits) => nexts.push(&digits.next),
            Self::Play { .. } | Self::Branch { .. } | Self::Exit { .. } => {}
        }
        nexts
    }

    /// The nodes to which a caller comes who presses nothing.
    pub(super) fn nexts_by_themselves(&self) -> Vec<&str> {
        match self {
            Self::Play { next, .. } => vec![next],
            Self::Gather(Gather { gave_up, .. }) | Self::Digits(Digits { gave_up, .. }) => {
                gave_up.iter().map(String::as_str).collect()
            }
            Self::Branch { then, otherwise, .. } => vec![then, otherwise],
            Self::Exit { .. } => Vec::new(),
        }
    }
}

impl Condition {
    /// Whether it is so.
    pub fn holds(&self, context: &Context) -> bool {
        match self {
            Self::Window { name } => context.window.as_ref() == Some(name),
            Self::Withheld => context.caller.is_none(),
            Self::Caller { numbers } => context.caller.as_ref().is_some_and(|caller| numbers.contains(caller)),
        }
    }
}
