//! What a client's system is posted: made anew from the message, as all that leaves is.

use super::perform::Papers;
use crate::base::clock::UtcMs;
use crate::domain::message::render::webhook;
use crate::io::deliver::Post;

impl Papers {
    /// A notice alone of what is protected.
    pub(super) fn post(&self, to: &str, at: UtcMs) -> Post {
        let Self { state, attempt, message, account, .. } = self;
        let body = if self.is_notice() {
            webhook::notice(&state.id, message, account, at)
        } else {
            webhook::message(&state.id, message, account, self.call_type(), self.outcome(), at)
        };
        Post { attempt: attempt.id.clone(), to: to.to_owned(), body, at }
    }
}
