//! A seat: an operator at work. Away, ready, offered, talking, wrapping up.
