//! Why the service could not start or go on: a sentence that says what to do.

use std::fmt;

/// Prints as a sentence. Ends the process with exit code 1.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
