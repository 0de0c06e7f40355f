//! io/deliver.
