//! sip: see docs/architecture.md.
