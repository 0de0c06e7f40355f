//! Slots at which callers are parked: small numbers that operators can say to each other.
//!
//! What always holds: no two calls have the same one, and one whose call is fetched or gone is free again.

use super::Calls;
use crate::base::id::CallId;

impl Calls {
    /// The lowest free slot, for this call, or the one that it has. It has it until it is shown as no longer parked.
    pub(super) fn take_slot(&self, call: &CallId) -> u32 {
        let mut live = self.lock();
        if let Some(slot) = live.get(call).and_then(|l| l.slot) {
            return slot;
        }
        let taken = |slot: u32| live.values().any(|l| l.slot == Some(slot));
        let free = (1..=u32::MAX).find(|slot| !taken(*slot)).unwrap_or(u32::MAX);
        if let Some(live) = live.get_mut(call) {
            live.slot = Some(free);
        }
        free
    }
}
