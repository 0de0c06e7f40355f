//! Texts, by each shape of provider there is, and by several of them as one.

pub mod several;
pub mod smpp;
pub mod telnyx;
pub mod twilio;
