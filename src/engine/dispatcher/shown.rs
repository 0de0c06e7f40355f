//! Views are drawn beside the decisions, so that no commit waits for what the desks are to see of the one before; while more
//! decisions wait, they are drawn of many at once: [`LONGEST_MS`] after the first change at the latest, with the next commit.
//!
//! What always holds: no older view or alarm of a dispatch follows a newer one, whoever read it when, as how often it had been
//! written goes along; one task at a time draws; of a dispatch that is decided about again meanwhile the latest alone is drawn.
//! Driven by whoever commits: the first starts a task that ends when nothing waits. What is lost with the process nobody misses,
//! as every desk asks for all when it comes back.

use std::cmp;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::{BATCH, Dispatcher};
use crate::base::clock::UtcMs;
use crate::base::id::DispatchId;
use crate::domain::dispatch::state::State;

/// Views that wait while decisions do, at most.
const MOST_WAITING: usize = 2 * BATCH as usize;
/// How long a view waits for decisions, at most, in ms.
const LONGEST_MS: i64 = 250;
/// Dispatches of which it is known how new the state is that was shown: far more than change while anything is read.
const REMEMBERED: usize = 4_096;

/// Dispatches whose views wait to be drawn, in the order of their first change.
#[derive(Default)]
pub(super) struct Unshown {
    order: VecDeque<DispatchId>,
    latest: HashMap<DispatchId, State>,
    /// When the first of them changed.
    since: Option<UtcMs>,
    is_drawn: bool,
    known: Known,
}

/// How often dispatches had been written when they were shown, of those that were shown last.
#[derive(Default)]
struct Known {
    order: VecDeque<DispatchId>,
    gens: HashMap<DispatchId, i64>,
}

impl Known {
    /// How a state that was written so often stands to what was shown: newer, the same, or older.
    fn compare(&mut self, id: &DispatchId, written: i64) -> cmp::Ordering {
        let Some(known) = self.gens.get_mut(id) else {
            self.gens.insert(id.clone(), written);
            self.order.push_back(id.clone());
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.gens.remove(&oldest);
            }
            return cmp::Ordering::Greater;
        };
        let order = written.cmp(known);
        *known = written.max(*known);
        order
    }
}

/// Draws until nothing waits. Cut short, it leaves its place to whoever comes next.
struct Painter {
    dispatcher: Dispatcher,
    is_done: bool,
}

impl Unshown {
    fn put(&mut self, state: &State, now: UtcMs) {
        if self.latest.insert(state.id.clone(), state.clone()).is_none() {
            self.order.push_back(state.id.clone());
        }
        self.since.get_or_insert(now);
    }

    /// Whether to draw now, if more decisions wait.
    fn is_time(&self, now: UtcMs) -> bool {
        self.order.len() >= MOST_WAITING || self.since.is_some_and(|since| now.since(since) >= LONGEST_MS)
    }

    /// As many as are drawn of one reading.
    fn take(&mut self) -> Vec<State> {
        let count = self.order.len().min(BATCH as usize);
        let ids: Vec<DispatchId> = self.order.drain(..count).collect();
        if self.order.is_empty() {
            self.since = None;
        }
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

    /// None: nothing waits that is to be drawn now, and whoever comes from now on has another draw.
    fn take(&mut self) -> Option<Vec<State>> {
        let mut unshown = self.dispatcher.unshown();
        let states = if self.dispatcher.lets_draw(&unshown) { unshown.take() } else { Vec::new() };
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

    /// Publishes dispatches as they stand in the store, each with how often it had been written: alarms at once, views as soon
    /// as they are drawn, if anybody watches. Nobody who comes to watch later needs these views, as they ask for all.
    pub(super) fn show_all(&self, read: &[(i64, &State)]) {
        let (is_watched, now) = (self.inner.feed.is_watched(), self.inner.clock.utc());
        let mut unshown = self.unshown();
        for (written, state) in read {
            match unshown.known.compare(&state.id, *written) {
                cmp::Ordering::Less => continue,
                // Something beside it has changed: a lock.
                cmp::Ordering::Equal => {}
                cmp::Ordering::Greater => self.sound(state),
            }
            if is_watched {
                unshown.put(state, now);
            }
        }
        drop(unshown);
        self.draw_soon();
    }

    /// No decision waits, or views have waited long enough. Asked with the views in hand: whoever serves the last decision draws
    /// what was left.
    fn lets_draw(&self, unshown: &Unshown) -> bool {
        unshown.is_time(self.inner.clock.utc()) || !self.has_decisions_waiting()
    }

    /// Has views drawn if any wait and it is time. Does not wait for them.
    pub(super) fn draw_soon(&self) {
        let starts = {
            let mut unshown = self.unshown();
            let is_time = !unshown.order.is_empty() && self.lets_draw(&unshown);
            is_time && !std::mem::replace(&mut unshown.is_drawn, true)
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
            patched_to: Vec::new(),
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
            unshown.put(&state(name, round), UtcMs(0));
        }
        assert_eq!(taken(&mut unshown), [(DispatchId::named("b"), 3), (DispatchId::named("a"), 1)]);
        unshown.put(&state("b", 4), UtcMs(0));
        assert_eq!(taken(&mut unshown), [(DispatchId::named("b"), 4)]);
        assert_eq!(taken(&mut unshown), []);
    }

    #[test]
    fn what_was_read_before_a_decision_and_comes_after_it_is_older() {
        let (mut known, [a, b]) = (Known::default(), ["a", "b"].map(DispatchId::named));
        let orders = [(&a, 5), (&b, 1), (&a, 6), (&a, 5), (&a, 6), (&b, 2)].map(|(id, n)| known.compare(id, n));
        use cmp::Ordering::{Equal, Greater, Less};
        assert_eq!(orders, [Greater, Greater, Greater, Less, Equal, Greater]);
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut known = Known::default();
        for n in 0..=REMEMBERED {
            known.compare(&DispatchId::named(&n.to_string()), 1);
        }
        assert_eq!((known.order.len(), known.gens.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(known.compare(&DispatchId::named(&REMEMBERED.to_string()), 1), cmp::Ordering::Equal);
    }

    #[test]
    fn views_wait_for_decisions_until_they_are_many_or_the_first_has_waited_long() {
        let mut unshown = Unshown::default();
        unshown.put(&state("a", 1), UtcMs(0));
        unshown.put(&state("b", 1), UtcMs(200));
        assert_eq!([249, 250].map(|now| unshown.is_time(UtcMs(now))), [false, true]);
        taken(&mut unshown);
        unshown.put(&state("a", 2), UtcMs(300));
        assert!(!unshown.is_time(UtcMs(300)), "what was drawn waits no more");
        for n in 1..MOST_WAITING {
            unshown.put(&state(&n.to_string(), 1), UtcMs(300));
        }
        assert!(unshown.is_time(UtcMs(300)));
    }

    #[test]
    fn one_reading_has_room_for_so_many() {
        let mut unshown = Unshown::default();
        for n in 0..BATCH + 6 {
            unshown.put(&state(&n.to_string(), 1), UtcMs(0));
        }
        assert_eq!((taken(&mut unshown).len(), taken(&mut unshown).len()), (BATCH as usize, 6));
    }
}
