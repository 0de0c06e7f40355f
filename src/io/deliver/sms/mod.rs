//! Texts, by each shape of provider there is, and by several of them as one.

mod seen;
pub mod several;
pub mod smpp;
pub mod telnyx;
pub mod twilio;
