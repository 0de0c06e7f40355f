//! The unit of everything that is mixed: 20 ms of sound.

/// Samples in a second.
pub const RATE: u32 = 8_000;

/// Samples in a frame of 20 ms.
pub const FRAME: usize = 160;

/// 20 ms of sound.
pub type Frame = [i16; FRAME];

/// 20 ms of silence.
pub const SILENCE: Frame = [0; FRAME];
