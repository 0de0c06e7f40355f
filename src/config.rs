//! The configuration file, parsed once. Reports every mistake at once, with line and cure.
