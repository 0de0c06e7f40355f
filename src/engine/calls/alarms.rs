//! Alarms about calls on the desks. Those of a caller whom somebody has to ring back stand until somebody has seen to it;
//! others go by themselves after a while.
//!
//! The record of calls is what is kept of lost callers, and the list of them is read from there: an alarm only says that there
//! is one more. What always holds: having seen to an alarm is on the record of its call only where the alarm was about its
//! caller; and what passes never pushes out what stands.

use std::sync::{Arc, PoisonError};

use super::{ALARM_STAYS, Calls};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId};
use crate::engine::feed::{AlarmLevel, AlarmView, FeedEvent};
use crate::io::store::calls::{PINS_LOCKED_SEEN, SEEN_TO};

/// Alarms of those that go by themselves, kept at most; the oldest goes first.
const ALARMS_KEPT: usize = 100;

/// An alarm as it stands.
pub(super) struct Standing {
    pub(super) view: AlarmView,
    /// What its call's record says once an operator has seen it.
    seen: Option<&'static str>,
    /// It does not go by itself.
    pub(super) stays: bool,
    /// Of those that are one while it stands: which.
    alike: Option<String>,
    /// How often that happened again: by itself it goes half an hour after the last.
    again: u32,
}

impl Calls {
    /// Puts an alarm on every desk; it goes when an operator has seen to it, or by itself after half an hour.
    pub(super) fn raise(self: &Arc<Self>, level: AlarmLevel, text: String, call: Option<&CallId>) {
        self.stand(self.compose(level, text, call, self.wiring.clock.utc()));
    }

    /// The same of a caller who has to be rung back. Where that is our doing, it stands until somebody has seen to it.
    pub(super) fn raise_of_caller(self: &Arc<Self>, level: AlarmLevel, text: String, call: &CallId) {
        let stays = level == AlarmLevel::Critical;
        let alarm = self.compose(level, text, Some(call), self.wiring.clock.utc());
        self.stand(Standing { seen: Some(SEEN_TO), stays, ..alarm });
    }

    /// The same of one who was lost at `at`, before the start.
    pub(super) fn raise_again(self: &Arc<Self>, text: String, call: &CallId, at: UtcMs) {
        let alarm = self.compose(AlarmLevel::Critical, text, Some(call), at);
        self.stand(Standing { seen: Some(SEEN_TO), stays: true, ..alarm });
    }

    /// The same of PINs that are tried in vain, in this call at last.
    pub(super) fn raise_of_pins(self: &Arc<Self>, text: String, call: &CallId, at: UtcMs) {
        let alarm = self.compose(AlarmLevel::Warning, text, Some(call), at);
        self.stand(Standing { seen: Some(PINS_LOCKED_SEEN), ..alarm });
    }

    /// The same of many callers at once, who are all on the list of those to be rung back.
    pub(super) fn raise_of_many(self: &Arc<Self>, text: String) {
        let alarm = self.compose(AlarmLevel::Critical, text, None, self.wiring.clock.utc());
        self.stand(Standing { stays: true, ..alarm });
    }

    /// The same of what no voice could read out. Of several in a row of one account there is one alarm, in the words of the last.
    pub(super) fn raise_of_voice(self: &Arc<Self>, account: Option<&AccountId>, text: String) {
        let which = account.map_or_else(|| "house".to_owned(), |id| format!("account {id}"));
        let alarm = self.compose(AlarmLevel::Critical, text, None, self.wiring.clock.utc());
        self.stand(Standing { alike: Some(which), ..alarm });
    }

    /// `at`: since when it is so.
    fn compose(&self, level: AlarmLevel, text: String, call: Option<&CallId>, at: UtcMs) -> Standing {
        let view = AlarmView {
            id: alarm_id(self.wiring.clock.utc(), call),
            level,
            text,
            at,
            dispatch: None,
            message: None,
            call: call.cloned(),
            dismissible: true,
        };
        Standing { view, seen: None, stays: false, alike: None, again: 0 }
    }

    /// Puts it on the desks, unless it stands already; one that is alike is in these words from now on.
    fn stand(self: &Arc<Self>, mut alarm: Standing) {
        let (evicted, view, stays) = {
            let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
            let alike = alarms.iter_mut().find(|a| a.alike.is_some() && a.alike == alarm.alike);
            if let Some(known) = alike {
                (known.view.text, known.view.at) = (alarm.view.text, alarm.view.at);
                known.again = known.again.saturating_add(1);
                let (view, again) = (known.view.clone(), known.again);
                drop(alarms);
                self.go_later(view.id.clone(), again);
                self.feed.publish(FeedEvent::Alarm { alarm: view });
                return;
            }
            let view = &mut alarm.view;
            // What is critical and about no call happens each time anew: a second call for help is no repetition.
            let repeats = view.level == AlarmLevel::Warning || view.call.is_some();
            if repeats && alarms.iter().any(|a| a.view.text == view.text && a.view.call == view.call) {
                return;
            }
            // Two in one millisecond.
            while alarms.iter().any(|a| a.view.id == view.id) {
                view.id.push('_');
            }
            let crowded = !alarm.stays && alarms.iter().filter(|a| !a.stays).count() >= ALARMS_KEPT;
            let oldest = alarms.iter().position(|a| !a.stays).filter(|_| crowded);
            let evicted = oldest.map(|oldest| alarms.remove(oldest).view.id);
            let (view, stays) = (alarm.view.clone(), alarm.stays);
            alarms.push(alarm);
            (evicted, view, stays)
        };
        if let Some(id) = evicted {
            self.feed.publish(FeedEvent::AlarmGone { id });
        }
        let id = view.id.clone();
        self.feed.publish(FeedEvent::Alarm { alarm: view });
        if !stays {
            self.go_later(id, 0);
        }
    }

    /// It goes by itself, unless it happens again until then.
    fn go_later(self: &Arc<Self>, id: String, again: u32) {
        let calls = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(ALARM_STAYS).await;
            if let Some(calls) = calls.upgrade() {
                calls.expire(&id, again);
            }
        });
    }

    /// The time is over of what had happened `again` so often.
    pub(super) fn expire(&self, id: &str, again: u32) {
        let is_gone = {
            let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
            let before = alarms.len();
            alarms.retain(|alarm| alarm.view.id != id || alarm.again != again);
            alarms.len() < before
        };
        if is_gone {
            self.feed.publish(FeedEvent::AlarmGone { id: id.to_owned() });
        }
    }

    /// All that stand.
    pub(super) fn list_alarms(&self) -> Vec<AlarmView> {
        let alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.iter().map(|alarm| alarm.view.clone()).collect()
    }

    /// Takes those about a call off the desks, as somebody has seen to its caller.
    pub(super) fn take_back_about(&self, call: &CallId) {
        for alarm in self.list_alarms().into_iter().filter(|alarm| alarm.call.as_ref() == Some(call)) {
            self.take_back(&alarm.id);
        }
    }

    /// Takes an alarm off the desks; the call whose record says from now on that it was seen, and by what.
    pub(super) fn take_back(&self, alarm: &str) -> Option<(CallId, &'static str)> {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let at = alarms.iter().position(|a| a.view.id == alarm)?;
        let gone = alarms.remove(at);
        drop(alarms);
        self.feed.publish(FeedEvent::AlarmGone { id: alarm.to_owned() });
        gone.view.call.zip(gone.seen)
    }
}

fn alarm_id(at: UtcMs, call: Option<&CallId>) -> String {
    call.map_or_else(|| format!("calls_{at}"), |call| format!("{call}_{at}"))
}
