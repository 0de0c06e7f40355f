//! io/media.
