//! What a client sees of their account, and what they answer for: rights, the night in sentences, figures by day, what callers hear, what they
//! have approved, and what was never tried. Pure; driven by `engine/clients` and `http/portal`.

pub mod going_live;
pub mod heard;
pub mod night;
pub mod rights;
pub mod untried;
pub mod usage;
