//! Whole calls through the drivers.
