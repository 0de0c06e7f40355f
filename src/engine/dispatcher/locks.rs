//! Locks of operators on dispatches, told to all desks as they come and go. Decides nothing: `domain/dispatch/lock` does.

use std::sync::{MutexGuard, PoisonError};

use super::Dispatcher;
use crate::base::id::{DispatchId, UserId};
use crate::domain::dispatch::lock::{Lock, Locks};
use crate::domain::dispatch::state::State;
use crate::engine::feed::{LockView, UserRef};
use crate::io::store::StoreError;

impl Dispatcher {
    /// `by` works on a dispatch from now on; refused with the lock of whoever does, unless it is to be taken over.
    pub async fn take_lock(&self, id: &DispatchId, by: &UserRef, over: bool) -> Result<LockView, LockView> {
        let now = self.inner.clock.utc();
        let taken = self.locks().take(now, id, &by.id, &by.name, over);
        let taken = taken.as_ref().map(LockView::from).map_err(LockView::from)?;
        self.show_locked(std::slice::from_ref(id)).await;
        Ok(taken)
    }

    /// `by` calls somebody by hand for it: refused with the lock of whoever else works on it. Says whether the lock was taken for the
    /// call, and goes with it.
    pub async fn take_lock_for_call(&self, id: &DispatchId, by: &UserRef) -> Result<bool, LockView> {
        let taken = self.locks().take_for_call(self.inner.clock.utc(), id, &by.id, &by.name);
        let taken = taken.map_err(|lock| LockView::from(&lock))?;
        self.show_locked(std::slice::from_ref(id)).await;
        Ok(taken)
    }

    /// What a call by hand has taken goes with it. Whoever draws the dispatch after this shows it free.
    pub(super) fn end_call_lock(&self, before: &State, after: &State) {
        if let Some(by) = before.hand_caller().filter(|by| after.hand_caller() != Some(*by)) {
            self.locks().end_call(&before.id, by);
        }
    }

    /// `by` works on it no longer.
    pub async fn release_lock(&self, id: &DispatchId, by: &UserId) {
        if self.locks().release(id, by) {
            self.show_locked(std::slice::from_ref(id)).await;
        }
    }

    /// `by` does something with it: refused with the lock of whoever works on it, if that is somebody else.
    pub fn touch_lock(&self, id: &DispatchId, by: &UserId) -> Result<(), LockView> {
        self.locks().touch(self.inner.clock.utc(), id, by).map_err(|lock| LockView::from(&lock))
    }

    /// A console of somebody's is there.
    pub async fn console_came(&self, user: &UserId) {
        let kept = self.locks().console_came(user);
        self.show_locked(&kept).await;
    }

    /// And is gone.
    pub async fn console_went(&self, user: &UserId) {
        let marked = self.locks().console_went(self.inner.clock.utc(), user);
        self.show_locked(&marked).await;
    }

    pub(super) async fn lapse_locks(&self) {
        let free = self.locks().lapse(self.inner.clock.utc());
        self.show_locked(&free).await;
    }

    pub(super) fn find_lock(&self, id: &DispatchId) -> Option<LockView> {
        self.locks().find(self.inner.clock.utc(), id).map(LockView::from)
    }

    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.inner.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Desks that miss it see it with the next change.
    pub(super) async fn show_locked(&self, ids: &[DispatchId]) {
        for id in ids {
            match self.inner.store.find_dispatch(id).await {
                Ok(Some(read)) => self.show_all(&[(read.r#gen, &read.state)]),
                Ok(None) => {}
                Err(error) => self.cannot_show(id, &error),
            }
        }
    }

    fn cannot_show(&self, id: &DispatchId, error: &StoreError) {
        tracing::error!(dispatch = %id, node = %self.inner.node, code = error.code(), "a lock cannot be shown");
    }
}

impl From<&Lock> for LockView {
    fn from(lock: &Lock) -> Self {
        let by = UserRef { id: lock.by.clone(), name: lock.name.clone() };
        Self { by, since: lock.since, until: lock.until() }
    }
}
