//! Texts, by each shape of provider there is.

pub mod twilio;
