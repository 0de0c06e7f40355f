//! What a client sees of their account, and what they answer for: rights, the night in sentences, figures by day, what callers hear, and what they
//! have approved. Pure; driven by `engine/clients` and `http/portal`.

pub mod going_live;
pub mod heard;
pub mod night;
pub mod rights;
pub mod usage;
