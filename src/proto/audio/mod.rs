//! Sound as numbers: 8 kHz, mono, 16 bit. Pure.

pub mod dtmf;
pub mod frame;
pub mod g711;
pub mod mix;
pub mod resample;
pub mod tone;
