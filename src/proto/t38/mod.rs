//! Fax over IP (ITU-T T.38): what carries its packets. What the packets say is read and written by a fax engine in `io`.

pub mod udptl;
