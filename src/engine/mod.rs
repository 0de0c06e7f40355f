//! Drivers: one loop a file, each drives one kind of machine. Imports inside engine go
//! `dispatcher → calls → {desk, mixer, legs} → trunk`; what travels up is a channel that `app` wires.

pub mod alarms;
pub mod audit;
pub mod callout;
pub mod calls;
pub mod clients;
pub mod desk;
pub mod dictaphone;
pub mod dispatcher;
pub mod feed;
pub mod figures;
mod here;
pub mod inboxes;
mod keep_open;
pub mod legs;
pub mod mail_in;
pub mod mixer;
pub mod recaps;
pub mod registrar;
pub mod shifts;
pub mod signal;
mod sip_side;
pub mod texts;
pub mod trunk;
pub mod voicemails;
