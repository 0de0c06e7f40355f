//! Who works on which dispatch, so that two operators do not do the same: a lock that others see, that lapses by itself, and that
//! goes when its holder's consoles have gone.
//!
//! Pure; `engine/dispatcher/locks` drives it. In memory alone: whatever is at stake is in the dispatch, and with the process
//! every console goes too. What always holds: one operator at most has a dispatch, and nobody has one for ever.

use std::collections::BTreeMap;

use crate::base::clock::UtcMs;
use crate::base::id::{DispatchId, UserId};

/// How long a lock lasts after its holder has last done something with the dispatch.
pub const LASTS_MS: i64 = 10 * 60_000;
/// How long it waits for a console to come back: pages are loaded anew, and networks change.
pub const GONE_AFTER_MS: i64 = 30_000;

/// Somebody works on a dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub by: UserId,
    pub name: String,
    pub since: UtcMs,
    renewed_at: UtcMs,
    /// It was taken by calling somebody by hand, and goes with that call.
    for_call: bool,
    /// Since when no console of theirs is there.
    gone_at: Option<UtcMs>,
}

impl Lock {
    /// When it ends, unless something is done.
    pub fn until(&self) -> UtcMs {
        let lapses = self.renewed_at.plus_ms(LASTS_MS);
        self.gone_at.map_or(lapses, |gone| lapses.min(gone.plus_ms(GONE_AFTER_MS)))
    }
}

/// All locks.
#[derive(Debug, Default)]
pub struct Locks {
    held: BTreeMap<DispatchId, Lock>,
    consoles: BTreeMap<UserId, u32>,
}

impl Locks {
    /// `by` works on it from now on, or goes on. Refused with the lock of whoever has it, unless it is to be taken over.
    pub fn take(
        &mut self,
        now: UtcMs,
        dispatch: &DispatchId,
        by: &UserId,
        name: &str,
        over: bool,
    ) -> Result<Lock, Lock> {
        let lock = self.hold(now, dispatch, by, name, over)?;
        // Whoever says so works on it beyond a call, too.
        lock.for_call = false;
        Ok(lock.clone())
    }

    /// `by` calls somebody by hand for it: if nobody has it, the lock is theirs as long as that call. Says whether it was taken for it.
    pub fn take_for_call(&mut self, now: UtcMs, dispatch: &DispatchId, by: &UserId, name: &str) -> Result<bool, Lock> {
        let is_free = self.find(now, dispatch).is_none();
        let lock = self.hold(now, dispatch, by, name, false)?;
        lock.for_call |= is_free;
        Ok(is_free)
    }

    fn hold(
        &mut self,
        now: UtcMs,
        dispatch: &DispatchId,
        by: &UserId,
        name: &str,
        over: bool,
    ) -> Result<&mut Lock, Lock> {
        match self.find(now, dispatch) {
            Some(lock) if lock.by != *by && !over => return Err(lock.clone()),
            _ => {}
        }
        let fresh = || Lock {
            by: by.clone(),
            name: name.to_owned(),
            since: now,
            renewed_at: now,
            for_call: false,
            gone_at: None,
        };
        let lock = self.held.entry(dispatch.clone()).or_insert_with(fresh);
        if lock.by != *by || lock.until() <= now {
            *lock = fresh();
        }
        lock.renewed_at = now;
        Ok(lock)
    }

    /// Somebody does something with it: if the lock is theirs, it lasts anew; else whoever has it is told.
    pub fn touch(&mut self, now: UtcMs, dispatch: &DispatchId, by: &UserId) -> Result<(), Lock> {
        match self.held.get_mut(dispatch).filter(|lock| lock.until() > now) {
            Some(lock) if lock.by == *by => {
                lock.renewed_at = now;
                Ok(())
            }
            Some(lock) => Err(lock.clone()),
            None => Ok(()),
        }
    }

    /// `by` works on it no longer. Says whether they did.
    pub fn release(&mut self, dispatch: &DispatchId, by: &UserId) -> bool {
        let theirs = self.held.get(dispatch).is_some_and(|lock| lock.by == *by);
        if theirs {
            self.held.remove(dispatch);
        }
        theirs
    }

    /// The call by hand that `by` had for it is over: a lock that was taken for it goes too. Says whether it did.
    pub fn end_call(&mut self, dispatch: &DispatchId, by: &UserId) -> bool {
        let ends = self.held.get(dispatch).is_some_and(|lock| lock.by == *by && lock.for_call);
        if ends {
            self.held.remove(dispatch);
        }
        ends
    }

    /// The lock on a dispatch.
    pub fn find(&self, now: UtcMs, dispatch: &DispatchId) -> Option<&Lock> {
        self.held.get(dispatch).filter(|lock| lock.until() > now)
    }

    /// A console of theirs is there. Says which dispatches they keep by that.
    pub fn console_came(&mut self, user: &UserId) -> Vec<DispatchId> {
        *self.consoles.entry(user.clone()).or_default() += 1;
        self.mark(user, None)
    }

    /// One is gone. Says which dispatches they will lose by that.
    pub fn console_went(&mut self, now: UtcMs, user: &UserId) -> Vec<DispatchId> {
        let left = self.consoles.get_mut(user).map_or(0, |count| {
            *count = count.saturating_sub(1);
            *count
        });
        if left > 0 {
            return Vec::new();
        }
        self.consoles.remove(user);
        self.mark(user, Some(now))
    }

    fn mark(&mut self, user: &UserId, gone_at: Option<UtcMs>) -> Vec<DispatchId> {
        let mut marked = Vec::new();
        for (dispatch, lock) in self.held.iter_mut().filter(|(_, lock)| lock.by == *user && lock.gone_at != gone_at) {
            lock.gone_at = gone_at;
            marked.push(dispatch.clone());
        }
        marked
    }

    /// Takes out what has ended. Says which dispatches are free by that.
    pub fn lapse(&mut self, now: UtcMs) -> Vec<DispatchId> {
        let over = self.held.iter().filter(|(_, lock)| lock.until() <= now);
        let over: Vec<DispatchId> = over.map(|(dispatch, _)| dispatch.clone()).collect();
        for dispatch in &over {
            self.held.remove(dispatch);
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> UtcMs {
        UtcMs(0).plus_secs(secs)
    }

    fn burst_pipe() -> DispatchId {
        DispatchId::named("burst-pipe")
    }

    fn take(locks: &mut Locks, secs: i64, who: &str, over: bool) -> Result<String, String> {
        let taken = locks.take(at(secs), &burst_pipe(), &UserId::named(who), who, over);
        taken.map(|lock| lock.name).map_err(|lock| lock.name)
    }

    #[test]
    fn one_has_it_and_others_are_told_who_and_since_when() {
        let mut locks = Locks::default();
        assert_eq!(take(&mut locks, 0, "kim", false), Ok("kim".into()));
        assert_eq!(take(&mut locks, 5, "lee", false), Err("kim".into()));
        assert_eq!(take(&mut locks, 60, "kim", false), Ok("kim".into()));
        assert_eq!(locks.find(at(60), &burst_pipe()).map(|lock| lock.since), Some(at(0)), "since she began");
        assert!(!locks.release(&burst_pipe(), &UserId::named("lee")));
        assert!(locks.release(&burst_pipe(), &UserId::named("kim")));
        assert_eq!(take(&mut locks, 61, "lee", false), Ok("lee".into()));
    }

    #[test]
    fn it_is_taken_over_only_by_somebody_who_says_so() {
        let mut locks = Locks::default();
        assert_eq!(take(&mut locks, 0, "kim", false), Ok("kim".into()));
        assert_eq!(take(&mut locks, 5, "lee", true), Ok("lee".into()));
        assert_eq!(locks.find(at(5), &burst_pipe()).map(|lock| lock.since), Some(at(5)));
        assert_eq!(take(&mut locks, 6, "kim", false), Err("lee".into()));
    }

    #[test]
    fn it_lapses_ten_minutes_after_its_holder_has_last_done_something() {
        let mut locks = Locks::default();
        assert_eq!(take(&mut locks, 0, "kim", false), Ok("kim".into()));
        let (kim, lee) = (UserId::named("kim"), UserId::named("lee"));
        assert_eq!(locks.touch(at(300), &burst_pipe(), &kim), Ok(()));
        assert_eq!(locks.touch(at(400), &burst_pipe(), &lee).map_err(|lock| lock.name), Err("kim".into()));
        assert_eq!(locks.lapse(at(899)), []);
        assert_eq!(locks.touch(at(900), &burst_pipe(), &lee), Ok(()), "it has ended");
        assert_eq!(take(&mut locks, 900, "lee", false), Ok("lee".into()), "whether it was looked at or not");
        assert_eq!(locks.lapse(at(1_500)), [burst_pipe()]);
    }

    #[test]
    fn what_was_taken_for_a_call_goes_with_it_and_what_was_theirs_before_or_since_stays() {
        let mut locks = Locks::default();
        let (kim, lee, pipe) = (UserId::named("kim"), UserId::named("lee"), burst_pipe());
        assert_eq!(locks.take_for_call(at(0), &pipe, &kim, "kim"), Ok(true));
        assert_eq!(locks.take_for_call(at(1), &pipe, &kim, "kim"), Ok(false), "a second press has not taken it");
        assert_eq!(locks.take_for_call(at(2), &pipe, &lee, "lee").map_err(|lock| lock.name), Err("kim".into()));
        assert!(!locks.end_call(&pipe, &lee));
        assert!(locks.end_call(&pipe, &kim));
        assert_eq!(locks.find(at(3), &pipe), None);

        assert_eq!(take(&mut locks, 10, "kim", false), Ok("kim".into()));
        assert_eq!(locks.take_for_call(at(11), &pipe, &kim, "kim"), Ok(false));
        assert!(!locks.end_call(&pipe, &kim), "she had it before");
        assert!(locks.release(&pipe, &kim));

        assert_eq!(locks.take_for_call(at(20), &pipe, &kim, "kim"), Ok(true));
        assert_eq!(take(&mut locks, 21, "kim", false), Ok("kim".into()));
        assert!(!locks.end_call(&pipe, &kim), "she has taken it herself meanwhile");

        // One that has lapsed is nobody's.
        assert_eq!(locks.take_for_call(at(900), &pipe, &kim, "kim"), Ok(true));
        assert!(locks.end_call(&pipe, &kim));
    }

    #[test]
    fn a_console_that_is_lost_frees_it_after_half_a_minute_and_one_that_comes_back_keeps_it() {
        let kim = UserId::named("kim");
        let mut locks = Locks::default();
        locks.console_came(&kim);
        locks.console_came(&kim);
        assert_eq!(take(&mut locks, 0, "kim", false), Ok("kim".into()));
        assert_eq!(locks.console_went(at(10), &kim), [], "another one is there");
        assert_eq!(locks.console_went(at(20), &kim), [burst_pipe()]);
        assert_eq!(locks.console_came(&kim), [burst_pipe()]);
        assert_eq!(locks.lapse(at(60)), []);
        locks.console_went(at(60), &kim);
        assert_eq!(locks.lapse(at(89)), []);
        assert_eq!(locks.lapse(at(90)), [burst_pipe()]);
        assert_eq!(take(&mut locks, 90, "lee", false), Ok("lee".into()));
    }
}
