//! Calls of before the start: what a crash cut off is ended on record, and callers and forms that nobody has seen to since are
//! put on the desks again.
//!
//! Told once, at the start, before calls are taken in (`app`). What always holds: many of one kind are one alarm.

use super::record::Line;
use super::{CUT_OFF, CallsHandle, FAULT, alarm_text, on_record};
use crate::base::clock::UtcMs;
use crate::base::id::{CallId, UserId};
use crate::domain::call::abandoned::Abandoned;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::RecordEvent;
use crate::engine::feed::AlarmLevel;
use crate::io::store::callbacks::Callback;
use crate::io::store::calls::{CallEnd, CallRecord, Direction};

/// As many callers of before the start are told of one by one; more of them at once.
const TOLD_EACH: usize = 10;

impl CallsHandle {
    /// Calls that a crash cut off, with their accounts' names: ends their records, and puts each caller on the desks to be rung back. Once, at
    /// start, before calls are taken in, as is [`CallsHandle::recall`].
    pub fn bury_cut_off(&self, cut_off: Vec<(CallRecord, String)>) {
        let callers = cut_off.iter().filter(|(call, _)| call.direction == Direction::In).count();
        if callers > TOLD_EACH {
            self.0.raise_of_many(alarm_text::many_cut_off(callers));
        }
        for (call, account) in cut_off {
            let end = CallEnd {
                answered_at: None,
                ended_at: self.0.wiring.clock.utc(),
                outcome: CUT_OFF.to_owned(),
                cause: Cause::Fault,
                operator: None,
            };
            self.0.recorder.write(Line::Finished { call: call.id.clone(), end });
            if call.direction == Direction::In && callers <= TOLD_EACH {
                let text = alarm_text::cut_off(&account, call.remote.as_ref());
                self.0.raise_of_caller(AlarmLevel::Critical, text, &call.id);
            }
        }
    }

    /// Callers who were joined with a call that a crash cut off, by their own calls, with their accounts' names: on record as lost,
    /// and on the desks to be rung back. Once, at start.
    pub fn bury_joined(&self, joined: Vec<(CallRecord, String)>) {
        for (call, account) in joined {
            let (kind, body) = on_record(&RecordEvent::Abandoned { on: Abandoned::CutOff });
            self.0.recorder.write(Line::Event { call: call.id.clone(), at: self.0.wiring.clock.utc(), kind, body });
            let text = alarm_text::joined_cut_off(&account, call.remote.as_ref());
            self.0.raise_of_caller(AlarmLevel::Critical, text, &call.id);
        }
    }

    /// Forms that nobody finishes any more, as their operators' calls ended with the last start: on record as left. Once, at start.
    pub fn bury_forms(&self, begun: Vec<(CallId, UserId)>) {
        for (call, user) in begun {
            let (kind, body) = on_record(&RecordEvent::WrappedUp { user, disposition: None });
            self.0.recorder.write(Line::Event { call, at: self.0.wiring.clock.utc(), kind, body });
        }
    }

    /// Callers of an earlier start whom nobody has seen to yet, with their accounts' names: on the desks again. `joined`: those
    /// who were joined with another call and cut off in that. `unreached`: those who were promised to be rung back, and were
    /// not reached.
    pub fn recall(
        &self,
        mut callers: Vec<(CallRecord, String)>,
        mut joined: Vec<(CallRecord, String)>,
        unreached: Vec<(Callback, String)>,
    ) {
        // What was said of them last counts.
        joined.retain(|(call, _)| !unreached.iter().any(|(callback, _)| callback.call == call.id));
        callers.retain(|(call, _)| !unreached.iter().any(|(callback, _)| callback.call == call.id));
        callers.retain(|(call, _)| !joined.iter().any(|(other, _)| other.id == call.id));
        let many = callers.len() + joined.len() + unreached.len();
        if many > TOLD_EACH {
            return self.0.raise_of_many(alarm_text::many_waiting(many));
        }
        for (callback, account) in unreached {
            let text = alarm_text::not_reached(&account, &callback.number);
            let at = callback.end.as_ref().map_or(callback.next_at, |end| end.at);
            self.0.raise_again(text, &callback.call, at);
        }
        for (call, account) in joined {
            let text = alarm_text::joined_cut_off(&account, call.remote.as_ref());
            self.0.raise_again(text, &call.id, over_at(&call));
        }
        for (call, account) in callers {
            let caller = call.remote.as_ref();
            let text = match call.end.as_ref().map(|end| end.outcome.as_str()) {
                Some(CUT_OFF) => alarm_text::cut_off(&account, caller),
                Some(FAULT) => alarm_text::fault(&account, caller),
                _ => alarm_text::no_operator(&account, caller),
            };
            self.0.raise_again(text, &call.id, over_at(&call));
        }
    }

    /// Alarms of an earlier start about PINs that were tried in vain, with the accounts' names: on the desks again.
    pub fn recall_pins(&self, calls: Vec<(CallRecord, String)>) {
        for (call, account) in calls {
            self.0.raise_of_pins(alarm_text::wrong_pins(&account, call.remote.as_ref()), &call.id, over_at(&call));
        }
    }
}

/// When a call ended that is over, as its alarm is no younger than that.
fn over_at(call: &CallRecord) -> UtcMs {
    call.end.as_ref().map_or(call.started_at, |end| end.ended_at)
}
