//! A call's task, as far as offers go that come when the call is over: a seat that nobody answers would stand by for ever.

use super::{CallTask, ToCall};
use crate::domain::call::event::OfferEnd;
use crate::engine::desk::{CallWord, FromDesk};

impl CallTask {
    /// Whoever the queue has just offered the call to is told so, as is the desk of offers that come from now on. Who took a job
    /// by the key has it by now, though not its call, and has to be freed of it.
    pub(super) fn give_back_offers(&mut self) {
        self.inbox.close();
        while let Ok(word) = self.inbox.try_recv() {
            if let ToCall::Desk(FromDesk::Offer { user, taken: true, .. }) = &*word {
                self.job_claimed(user);
            }
            if let ToCall::Desk(FromDesk::Offer { user, .. } | FromDesk::Fetch { user, .. }) = *word {
                self.to_desk(CallWord::Dequeue);
                self.to_desk(CallWord::OfferFailed { user, why: OfferEnd::Withdrawn });
            }
        }
    }
}
