//! Sound as numbers: 8 kHz, mono, 16 bit. Pure.

pub mod codec;
pub mod conceal;
pub mod dtmf;
pub mod far_end;
pub mod frame;
pub mod g711;
pub mod g722;
pub mod mix;
pub mod noise;
pub mod resample;
pub mod tone;
pub mod trim;
