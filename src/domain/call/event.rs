//! What goes on the record of a call, each with its time to the millisecond.
