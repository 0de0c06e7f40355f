//! io/net.
