//! The demo's carrier and phones.

pub mod board;
pub mod exchange;
pub mod mail;
pub mod phone;
pub mod sms;
pub mod smtp;
pub mod web;
