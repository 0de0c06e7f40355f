//! Protocols as machines over bytes and time. Pure: no sockets, tasks or clock; never names `domain`.

pub mod audio;
pub mod mail;
pub mod paging;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod sms;
pub mod smtp;
pub mod snpp;
pub mod t38;
pub mod tap;
pub mod turn;
pub mod wctp;
