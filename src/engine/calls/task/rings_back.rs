//! A call's task, as far as the caller is a contact who rings back: they are served first, and their dispatches pause while
//! an operator speaks with them.

use super::CallTask;
use crate::base::id::{DispatchId, UserId};
use crate::base::pii::Pii;
use crate::domain::call::Input;
use crate::engine::calls::record::CallNews;
use crate::engine::calls::rings_back::PRIORITY;
use crate::engine::feed::RingsBackView;

impl CallTask {
    pub(super) fn on_rings_back(&mut self, view: RingsBackView) {
        self.facts.rings_back = Some(view);
        if self.call.is_with_operator()
            && let Some(user) = self.call.seat().cloned()
        {
            self.pause_dispatches(&user);
        }
        self.tell(Input::Raise { priority: PRIORITY });
    }

    /// An operator speaks with them.
    pub(super) fn pause_dispatches(&self, by: &UserId) {
        let Some(view) = &self.facts.rings_back else { return };
        let (dispatches, who, by) = (self.asked(), view.name.clone(), by.clone());
        // An error means that the process is stopping.
        let _ = self.calls.news.send(CallNews::RingsBack { dispatches, who: Pii::new(who), by });
    }

    /// And no longer.
    pub(super) fn resume_dispatches(&self) {
        if self.facts.rings_back.is_some() {
            // An error means that the process is stopping.
            let _ = self.calls.news.send(CallNews::RangBack { dispatches: self.asked() });
        }
    }

    fn asked(&self) -> Vec<DispatchId> {
        let asked = self.facts.rings_back.iter().flat_map(|view| &view.dispatches);
        asked.map(|asked| asked.dispatch.clone()).collect()
    }
}
