//! The outside world, one kind of thing a folder.

pub mod deliver;
pub mod fax;
pub mod mail_in;
pub mod media;
pub mod net;
pub mod pdf;
pub mod recording;
pub mod speech;
pub mod store;
pub mod systemd;
pub mod token;
pub mod webrtc;
