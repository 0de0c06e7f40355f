//! One lane of one edge: what waits in it, by destination. By the time it was due, and fair: each destination has its turn before
//! one of them has its next, so that a hundred messages for one person delay the one for another by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::clock::UtcMs;
use crate::base::id::AttemptId;
use crate::base::pii::Pii;

/// What waits for one destination.
#[derive(Clone, Debug)]
struct Flow {
    /// In which round its first has its turn.
    round: u64,
    items: BTreeSet<(UtcMs, AttemptId)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    flows: BTreeMap<Pii<String>, Flow>,
    /// Of whatever was taken last.
    round: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.flows.values().map(|flow| flow.items.len()).sum()
    }

    /// When what has waited longest was due.
    pub(super) fn oldest(&self) -> Option<UtcMs> {
        self.flows.values().filter_map(|flow| flow.items.first()).map(|(due, _)| *due).min()
    }

    pub(super) fn insert(&mut self, to: &Pii<String>, due: UtcMs, attempt: AttemptId) {
        let round = self.round + 1;
        let flow = self.flows.entry(to.clone()).or_insert_with(|| Flow { round, items: BTreeSet::new() });
        flow.items.insert((due, attempt));
    }

    /// What waits for this destination, in order.
    pub(super) fn of(&self, to: &Pii<String>) -> impl Iterator<Item = &AttemptId> {
        self.flows.get(to).into_iter().flat_map(|flow| flow.items.iter().map(|(_, attempt)| attempt))
    }

    /// It leaves without having had its turn.
    pub(super) fn remove(&mut self, to: &Pii<String>, due: UtcMs, attempt: &AttemptId) {
        let Some(flow) = self.flows.get_mut(to) else { return };
        flow.items.remove(&(due, attempt.clone()));
        if flow.items.is_empty() {
            self.flows.remove(to);
        }
    }

    /// It has its turn.
    pub(super) fn take(&mut self, to: &Pii<String>, due: UtcMs, attempt: &AttemptId) {
        if let Some(flow) = self.flows.get_mut(to) {
            self.round = self.round.max(flow.round);
            flow.round = self.round + 1;
        }
        self.remove(to, due, attempt);
    }

    /// Whose turn it is among the destinations that `may` be given something.
    pub(super) fn pick(&self, mut may: impl FnMut(&Pii<String>) -> bool) -> Option<AttemptId> {
        let mut best: Option<&Flow> = None;
        for (to, flow) in &self.flows {
            // Only of those that would go before is it asked whether they may.
            let before = best.is_none_or(|best| (flow.round, flow.items.first()) < (best.round, best.items.first()));
            if before && may(to) {
                best = Some(flow);
            }
        }
        best.and_then(|flow| flow.items.first()).map(|(_, attempt)| attempt.clone())
    }
}
