//! What waits for a telephone that a call-out of another account has: it must not be read in that account's name. Called for
//! when the telephone is free; after a few minutes it is busy for whoever waits, and their step goes on.

use std::time::{Duration, Instant};

use super::{Order, take_back};
use crate::base::id::AttemptId;
use crate::domain::call::cause::Cause;
use crate::engine::callout::OutboundEnd;

/// How long the telephone is waited for.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// In the order in which they came.
#[derive(Default)]
pub(super) struct Waiting {
    orders: Vec<Order>,
    /// Until when, of each.
    until: Vec<Instant>,
}

impl Waiting {
    pub(super) fn add(&mut self, now: Instant, order: Order) {
        self.orders.push(order);
        self.until.push(now + PATIENCE);
    }

    /// When the first has waited for too long.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.until.first().copied()
    }

    /// Lets go of those who have waited for too long.
    pub(super) fn give_up(&mut self, now: Instant) {
        let due = self.until.iter().take_while(|until| **until <= now).count();
        self.until.drain(..due);
        for mut order in self.orders.drain(..due) {
            order.tell.ended(OutboundEnd::NotReached(Cause::Busy));
        }
    }

    /// Takes back one that nobody has heard of yet.
    pub(super) fn take_back(&mut self, attempt: &AttemptId) {
        if let Some(at) = self.orders.iter().position(|order| order.tell.attempt == *attempt) {
            self.until.remove(at);
            take_back(&mut self.orders, attempt);
        }
    }

    /// All that still wait.
    pub(super) fn take(&mut self) -> Vec<Order> {
        self.until.clear();
        std::mem::take(&mut self.orders)
    }
}
