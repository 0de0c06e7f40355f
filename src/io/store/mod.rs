//! io/store.
