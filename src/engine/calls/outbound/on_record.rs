//! What became of a call-out: told to whoever placed it, and on the call's record.
//!
//! What always holds: one of the house's own, which is no account's, has no record; of several messages in one call, the one that came
//! furthest says how the call ended.

use serde_json::json;

use super::OutTask;
use crate::domain::call::bridge::HearMatrix;
use crate::domain::call::cause::Cause;
use crate::domain::call::outbound::OutboundEvent;
use crate::engine::callout::{CallOutEvent, OutboundEnd};
use crate::engine::calls::record::Line;
use crate::io::store::calls::CallEnd;

impl OutTask {
    pub(super) fn on_event(&mut self, reading: usize, event: OutboundEvent) {
        let told = match event {
            OutboundEvent::Ringing => ("ringing", CallOutEvent::Ringing),
            OutboundEvent::Answered => {
                if self.answered_at.is_none() {
                    self.answered_at = Some(self.calls.wiring.clock.utc());
                    // Alone in its bridge: it hears prompts, its keys are heard, and what it does is listened to.
                    self.rev += 1;
                    self.mixer.set(self.rev, HearMatrix::default().with(self.leg, &[]));
                    self.calls.wiring.media.listen(self.leg);
                }
                ("answered", CallOutEvent::Answered)
            }
            OutboundEvent::Told => ("told", CallOutEvent::Told),
            OutboundEvent::Confirmed => ("confirmed", CallOutEvent::Confirmed),
            OutboundEvent::Joined => ("caller_joined", CallOutEvent::Joined),
            OutboundEvent::Parted { secs } => ("caller_parted", CallOutEvent::Parted { secs }),
            OutboundEvent::NotJoined(why) => ("caller_not_joined", CallOutEvent::NotJoined(why)),
            OutboundEvent::Waits(wait) => ("waits", CallOutEvent::Waits(wait)),
            OutboundEvent::WrongPins => ("wrong_pins", CallOutEvent::WrongPins),
            OutboundEvent::Ended(how) => return self.on_end(reading, how),
        };
        self.record(reading, told.0, json!({}));
        if let Some(tell) = self.told.get(reading) {
            tell.event(told.1);
        }
    }

    fn on_end(&mut self, reading: usize, result: OutboundEnd) {
        metrics::counter!("cordboard_call_outs_total", "outcome" => outcome(result)).increment(1);
        if self.result.is_none_or(|known| rank(result) > rank(known)) {
            self.result = Some(result);
        }
        if let Some(tell) = self.told.get_mut(reading) {
            tell.ended(result);
        }
    }

    pub(super) fn record(&self, reading: usize, kind: &str, mut body: serde_json::Value) {
        body["attempt"] = json!(self.told.get(reading).map(|tell| &tell.attempt));
        let at = self.calls.wiring.clock.utc();
        self.write(Line::Event { call: self.id.clone(), at, kind: kind.to_owned(), body });
    }

    /// On the call's record. One of the house's own has none: its chain says what came of it.
    fn write(&self, line: Line) {
        if self.first.account.is_some() {
            self.calls.recorder.write(line);
        }
    }

    pub(super) fn finish(&self, result: OutboundEnd) {
        let cause = if let OutboundEnd::NotReached(cause) = result { cause } else { Cause::Released };
        let end = CallEnd {
            answered_at: self.answered_at,
            ended_at: self.calls.wiring.clock.utc(),
            outcome: outcome(result).to_owned(),
            cause,
            operator: None,
        };
        self.write(Line::Finished { call: self.id.clone(), end });
    }
}

/// Its name on record.
const fn outcome(result: OutboundEnd) -> &'static str {
    match result {
        OutboundEnd::Confirmed => "confirmed",
        OutboundEnd::ToldOnly => "told",
        OutboundEnd::LeftRequest | OutboundEnd::LeftWithPerson => "left_request",
        OutboundEnd::LeftOnMachine => "left_on_machine",
        OutboundEnd::NotAccepted => "not_accepted",
        OutboundEnd::Machine => "machine",
        OutboundEnd::Fax => "fax",
        OutboundEnd::Silent => "silent",
        OutboundEnd::NotReached(_) | OutboundEnd::NoVoice => "not_reached",
        OutboundEnd::Cancelled => "cancelled",
    }
}

/// Of several messages in one call, the one that came furthest says how the call ended.
const fn rank(result: OutboundEnd) -> u8 {
    match result {
        OutboundEnd::Confirmed => 4,
        OutboundEnd::ToldOnly => 3,
        OutboundEnd::LeftRequest | OutboundEnd::LeftOnMachine | OutboundEnd::LeftWithPerson => 2,
        OutboundEnd::Cancelled => 0,
        _ => 1,
    }
}
