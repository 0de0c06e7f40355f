//! The warning that somebody has accepted a protected message and not opened it: on every desk, with the person and the time.
//!
//! Decides nothing: `domain/dispatch/unopened` does. What always holds: the warning leads to the message, whose dispatch is over; a start
//! raises it again; it goes when the message is opened, or once it is stored that an operator has seen to it.

use super::Dispatcher;
use crate::base::clock::UtcMs;
use crate::base::id::DispatchId;
use crate::domain::dispatch::state::State;
use crate::engine::feed::AlarmLevel;
use crate::io::store::StoreError;

/// How the names of such alarms begin.
const NAME: &str = "unopened:";
/// A message can be opened for thirty days at most.
const LONGEST_MS: i64 = 31 * 86_400_000;

/// An alarm is one of these.
pub(super) fn is_unopened_alarm(alarm: &str) -> bool {
    alarm.starts_with(NAME)
}

impl Dispatcher {
    /// Raises the warning, or takes it back.
    pub(super) fn sound_unopened(&self, state: &State) {
        let id = format!("{NAME}{}", state.id);
        let Some(unopened) = state.unopened_by() else { return self.take_back(&id) };
        let text = format!(
            "{} accepted a protected message at {} and has not opened it yet: call them.",
            unopened.name, unopened.accepted
        );
        self.raise_about(id, AlarmLevel::Warning, text, Some(state.id.clone()), Some(state.message.clone()));
    }

    /// Dispatches that were warned of before a start.
    pub(super) async fn list_unopened(&self, now: UtcMs) -> Result<Vec<DispatchId>, StoreError> {
        self.inner.store.list_unopened_dispatches(now.plus_ms(-LONGEST_MS)).await
    }
}
