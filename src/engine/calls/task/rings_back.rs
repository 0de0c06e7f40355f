//! A call's task, as far as the caller is a contact who rings back: they are served first, and their dispatches pause while
//! an operator speaks with them, or has them on hold.
//!
//! What always holds: a pause that was told of is told to be over as soon as no operator has the caller any more, by
//! whatever that came: also a panic.

use tokio::sync::mpsc;

use super::CallTask;
use crate::base::id::{AccountId, DispatchId, UserId};
use crate::base::pii::Pii;
use crate::domain::call::{CommandError, Input};
use crate::engine::calls::record::CallNews;
use crate::engine::calls::rings_back::{FRESH_MS, PRIORITY};
use crate::engine::feed::{AskedView, RingsBackView};

/// What asks the caller waits as long as there is this.
pub(super) struct Pausing {
    dispatches: Vec<DispatchId>,
    news: mpsc::UnboundedSender<CallNews>,
}

impl Pausing {
    /// What of the view does not wait yet waits from now on; the rest waits on.
    fn extend(&mut self, view: &RingsBackView, by: &UserId) {
        // What they have only had a notice of is over.
        let goes_on = |asked: &&AskedView| !asked.notice && !self.dispatches.contains(&asked.dispatch);
        let more = view.dispatches.iter().filter(goes_on);
        let more: Vec<_> = more.map(|one| (one.dispatch.clone(), Pii::new(one.name.clone()))).collect();
        if more.is_empty() {
            return;
        }
        self.dispatches.extend(more.iter().map(|(id, _)| id.clone()));
        // An error means that the process is stopping.
        let _ = self.news.send(CallNews::RingsBack { asked: more, by: by.clone() });
    }
}

impl Drop for Pausing {
    fn drop(&mut self) {
        if self.dispatches.is_empty() {
            return;
        }
        // An error means that the process is stopping.
        let _ = self.news.send(CallNews::RangBack { dispatches: std::mem::take(&mut self.dispatches) });
    }
}

impl CallTask {
    pub(super) fn on_rings_back(&mut self, view: RingsBackView) {
        let fresh = self.calls.wiring.clock.utc().plus_ms(-FRESH_MS);
        let first = view.dispatches.iter().any(|asked| !asked.notice || asked.dispatch.made_at() >= Some(fresh));
        self.facts.rings_back = Some(view);
        if first {
            self.tell(Input::Raise { priority: PRIORITY });
        } else {
            self.show();
        }
    }

    /// Their PIN was right: what this account asks them is shown from now on, and may be confirmed.
    pub(super) fn on_proved(&mut self, by: &UserId, account: &AccountId) -> Result<(), CommandError> {
        if self.call.seat() != Some(by) {
            return Err(CommandError::NotYours);
        }
        let view = self.facts.rings_back.as_mut().ok_or(CommandError::NotNow)?;
        for asked in view.dispatches.iter_mut().filter(|asked| asked.account.id == *account) {
            asked.pin = false;
        }
        self.show();
        Ok(())
    }

    /// Who they are is known by their PIN, and what they are asked: they are shown as whoever calls from a number of theirs.
    pub(super) fn on_named(&mut self, by: &UserId, mut view: RingsBackView) -> Result<(), CommandError> {
        if self.call.seat() != Some(by) {
            return Err(CommandError::NotYours);
        }
        let known = self.facts.rings_back.take().map(|known| known.dispatches).unwrap_or_default();
        let is_new = |asked: &AskedView| view.dispatches.iter().all(|one| one.dispatch != asked.dispatch);
        let others: Vec<AskedView> = known.into_iter().filter(is_new).collect();
        view.dispatches.extend(others);
        self.on_rings_back(view);
        self.show();
        Ok(())
    }

    /// They have been told what they had a notice of: it stands on the call no longer.
    pub(super) fn on_heard(&mut self, by: &UserId, dispatch: &DispatchId) -> Result<(), CommandError> {
        if self.call.seat() != Some(by) {
            return Err(CommandError::NotYours);
        }
        let view = self.facts.rings_back.as_mut().ok_or(CommandError::NotNow)?;
        view.dispatches.retain(|asked| !(asked.notice && asked.dispatch == *dispatch));
        // What is open stands on: they may say yes yet.
        view.dispatches.iter_mut().filter(|asked| asked.dispatch == *dispatch).for_each(|asked| asked.unheard = false);
        self.show();
        Ok(())
    }

    /// Begins and ends the pause as operators come and go; one who is only rung does not have them yet.
    pub(super) fn follow_pause(&mut self) {
        let spoken_with = self.call.is_with_operator() && self.call.offered_until().is_none();
        let by = self.call.seat().filter(|_| spoken_with);
        match (&self.facts.rings_back, by) {
            (Some(view), Some(by)) => {
                let none = || Pausing { dispatches: Vec::new(), news: self.calls.news.clone() };
                self.pausing.get_or_insert_with(none).extend(view, by);
            }
            _ => self.pausing = None,
        }
        if self.call.patch().is_none() {
            self.joined_pausing = None;
        }
    }
}
