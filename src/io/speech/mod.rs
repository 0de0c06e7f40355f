//! io/speech.
