//! Trunks: which one a call goes over, and what it may do there.
//!
//! [`Routing`] picks: by priority and weight among those that are up, have a free channel and may dial the number. It
//! refuses what the rules forbid (default deny), what an account has too much of, and emergency numbers. It does not
//! know where a trunk leads or how it is spoken to; its driver, `engine/trunk`, does. What always holds: whoever wants
//! a call out, whatever for, asks [`Routing::permit`]; nothing else opens the way.

mod dial_plan;
mod refusal;
mod routing;
mod toll;

pub use dial_plan::{DialPattern, DialPlan};
pub use refusal::Refusal;
pub use routing::{Ask, Limits, Notice, Routing, TrunkRules};
