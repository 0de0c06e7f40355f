//! Views are drawn beside the decisions, so that no commit waits for what the desks are to see of the one before.
//!
//! What always holds: one task at a time draws, so that an older view never follows a newer one; of a dispatch that is decided
//! about again meanwhile the latest alone is drawn. Driven by whoever commits: the first starts a task that ends when nothing
//! waits. What is lost with the process nobody misses, as every desk asks for all when it comes back.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::{BATCH, Dispatcher};
use crate::base::id::DispatchId;
use crate::domain::dispatch::state::State;

/// Dispatches whose views wait to be drawn, in the order of their first change.
#[derive(Default)]
pub(super) struct Unshown {
    order: VecDeque<DispatchId>,
    latest: HashMap<DispatchId, State>,
    is_drawn: bool,
}

/// Draws until nothing waits. Cut short, it leaves its place to whoever comes next.
struct Painter {
    dispatcher: Dispatcher,
    is_done: bool,
}

impl Unshown {
    fn put(&mut self, state: &State) {
        if self.latest.insert(state.id.clone(), state.clone()).is_none() {
            self.order.push_back(state.id.clone());
        }
    }

    /// As many as are drawn of one reading.
    fn take(&mut self) -> Vec<State> {
        let count = self.order.len().min(BATCH as usize);
        let ids: Vec<DispatchId> = self.order.drain(..count).collect();
        ids.iter().filter_map(|id| self.latest.remove(id)).collect()
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        let inner = &self.dispatcher.inner;
        if !self.is_done {
            self.dispatcher.unshown().is_drawn = false;
        }
        inner.flying.fetch_sub(1, Ordering::SeqCst);
        inner.landed.notify_waiters();
    }
}

impl Painter {
    async fn draw_all(mut self) {
        while let Some(states) = self.take() {
            self.dispatcher.draw(&states.iter().collect::<Vec<_>>()).await;
        }
    }

    /// None: nothing waits, and whoever comes from now on has another draw.
    fn take(&mut self) -> Option<Vec<State>> {
        let mut unshown = self.dispatcher.unshown();
        let states = unshown.take();
        if states.is_empty() {
            unshown.is_drawn = false;
            drop(unshown);
            self.is_done = true;
            return None;
        }
        Some(states)
    }
}

impl Dispatcher {
    fn unshown(&self) -> MutexGuard<'_, Unshown> {
        self.inner.unshown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has views drawn of what decisions that are committed have changed. Does not wait for them.
    pub(super) fn show_soon(&self, states: &[&State]) {
        if states.is_empty() {
            return;
        }
        let starts = {
            let mut unshown = self.unshown();
            states.iter().for_each(|state| unshown.put(state));
            !std::mem::replace(&mut unshown.is_drawn, true)
        };
        if starts {
            self.inner.flying.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(Painter { dispatcher: self.clone(), is_done: false }.draw_all());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::base::id::{AccountId, MessageId, ProtocolId};
    use crate::domain::account::Urgency;
    use crate::domain::dispatch::protocol::{Protocol, Until};
    use crate::domain::dispatch::state::NewDispatch;

    fn state(name: &str, round: u32) -> State {
        let account = AccountId::named("plumbing");
        let protocol = Protocol {
            id: ProtocolId::named("urgent"),
            account: account.clone(),
            name: "Urgent".to_owned(),
            version: 1,
            steps: Vec::new(),
            until: Until::Confirmed,
            repeat: None,
        };
        let new = NewDispatch {
            id: DispatchId::named(name),
            message: MessageId::named(name),
            account,
            urgency: Urgency::Urgent,
            protocol,
            undo_secs: 5,
            on_call: None,
            patched_to: None,
        };
        State { round, ..new.saved(UtcMs(0)) }
    }

    fn taken(unshown: &mut Unshown) -> Vec<(DispatchId, u32)> {
        unshown.take().into_iter().map(|state| (state.id, state.round)).collect()
    }

    #[test]
    fn the_latest_of_each_dispatch_alone_is_drawn_in_the_order_of_the_first_changes() {
        let mut unshown = Unshown::default();
        for (name, round) in [("b", 1), ("a", 1), ("b", 2), ("b", 3)] {
            unshown.put(&state(name, round));
        }
        assert_eq!(taken(&mut unshown), [(DispatchId::named("b"), 3), (DispatchId::named("a"), 1)]);
        unshown.put(&state("b", 4));
        assert_eq!(taken(&mut unshown), [(DispatchId::named("b"), 4)]);
        assert_eq!(taken(&mut unshown), []);
    }

    #[test]
    fn one_reading_has_room_for_so_many() {
        let mut unshown = Unshown::default();
        for n in 0..BATCH + 6 {
            unshown.put(&state(&n.to_string(), 1));
        }
        assert_eq!((taken(&mut unshown).len(), taken(&mut unshown).len()), (BATCH as usize, 6));
    }
}
