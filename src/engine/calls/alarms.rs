//! Alarms about calls on the desks. Those of a caller whom somebody has to ring back stand until somebody has seen to it;
//! others go by themselves after a while.
//!
//! The record of calls is what is kept of lost callers, and the list of them is read from there: an alarm only says that there
//! is one more. What always holds: having seen to an alarm is on the record of its call only where the alarm was about its
//! caller; and what passes never pushes out what stands.

use std::sync::{Arc, PoisonError};

use super::{ALARM_STAYS, Calls};
use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::engine::feed::{AlarmLevel, AlarmView, FeedEvent};

/// Alarms of those that go by themselves, kept at most; the oldest goes first.
const ALARMS_KEPT: usize = 100;

/// An alarm as it stands.
pub(super) struct Standing {
    pub(super) view: AlarmView,
    /// Its call's caller has to be rung back.
    about_caller: bool,
    /// It does not go by itself.
    pub(super) stays: bool,
}

impl Calls {
    /// Puts an alarm on every desk; it goes when an operator has seen to it, or by itself after half an hour.
    pub(super) fn raise(self: &Arc<Self>, level: AlarmLevel, text: String, call: Option<&CallId>) {
        self.stand(level, text, call, false, false);
    }

    /// The same of a caller who has to be rung back. Where that is our doing, it stands until somebody has seen to it.
    pub(super) fn raise_of_caller(self: &Arc<Self>, level: AlarmLevel, text: String, call: &CallId) {
        self.stand(level, text, Some(call), true, level == AlarmLevel::Critical);
    }

    /// The same of many callers at once, who are all on the list of those to be rung back.
    pub(super) fn raise_of_many(self: &Arc<Self>, text: String) {
        self.stand(AlarmLevel::Critical, text, None, false, true);
    }

    fn stand(
        self: &Arc<Self>,
        level: AlarmLevel,
        text: String,
        call: Option<&CallId>,
        about_caller: bool,
        stays: bool,
    ) {
        let at = self.wiring.clock.utc();
        let mut view = AlarmView {
            id: alarm_id(at, call),
            level,
            text,
            at,
            dispatch: None,
            call: call.cloned(),
            dismissible: true,
        };
        let evicted = {
            let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
            // What is critical and about no call happens each time anew: a second call for help is no repetition.
            let repeats = level == AlarmLevel::Warning || view.call.is_some();
            if repeats && alarms.iter().any(|a| a.view.text == view.text && a.view.call == view.call) {
                return;
            }
            // Two in one millisecond.
            while alarms.iter().any(|a| a.view.id == view.id) {
                view.id.push('_');
            }
            let crowded = !stays && alarms.iter().filter(|a| !a.stays).count() >= ALARMS_KEPT;
            let oldest = alarms.iter().position(|a| !a.stays).filter(|_| crowded);
            let evicted = oldest.map(|oldest| alarms.remove(oldest).view.id);
            alarms.push(Standing { view: view.clone(), about_caller, stays });
            evicted
        };
        if let Some(id) = evicted {
            self.feed.publish(FeedEvent::AlarmGone { id });
        }
        let id = view.id.clone();
        self.feed.publish(FeedEvent::Alarm { alarm: view });
        if stays {
            return;
        }
        let calls = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(ALARM_STAYS).await;
            if let Some(calls) = calls.upgrade() {
                calls.take_back(&id);
            }
        });
    }

    /// Takes an alarm off the desks; the call whose caller it was about.
    pub(super) fn take_back(&self, alarm: &str) -> Option<CallId> {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let at = alarms.iter().position(|a| a.view.id == alarm)?;
        let gone = alarms.remove(at);
        drop(alarms);
        self.feed.publish(FeedEvent::AlarmGone { id: alarm.to_owned() });
        gone.view.call.filter(|_| gone.about_caller)
    }
}

fn alarm_id(at: UtcMs, call: Option<&CallId>) -> String {
    call.map_or_else(|| format!("calls_{at}"), |call| format!("{call}_{at}"))
}
