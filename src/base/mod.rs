//! Words every layer shares. Depends on nothing of ours and does no I/O, but for reading the clock
//! ([`clock`]) and the system's random source ([`rng`]).

pub mod clock;
pub mod deadline;
pub mod failpoint;
pub mod id;
pub mod numbering;
pub mod phone;
pub mod pii;
pub mod placed;
pub mod rng;
