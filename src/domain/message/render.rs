//! How a message reads in an email, in a text and aloud.
