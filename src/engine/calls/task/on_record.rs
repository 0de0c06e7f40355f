//! A call's task, as far as the record goes: what happened in it, what today's figures count of it, and how it ended.

use std::time::Instant;

use super::CallTask;
use super::outward::Outward;
use crate::base::pii::Pii;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::{CallOutcome, RecordEvent, Stage};
use crate::engine::calls::record::Line;
use crate::engine::calls::{CUT_OFF, alarm_text, on_record};
use crate::engine::feed::AlarmLevel;
use crate::io::store::calls::CallEnd;
use crate::io::store::voicemails::VoicemailBegun;

impl CallTask {
    pub(super) fn record(&mut self, at: Instant, event: &RecordEvent) {
        // Figures are of calls that came in, each of the account that was called: so they are counted anew after a start.
        if self.outward.is_none() {
            let (account, started_at) = (&self.called, self.facts.started_at);
            let counted = self.tally.note(started_at, self.facts.utc(at), event);
            self.calls.figures.count(&account.id, &account.zone, started_at, counted);
        }
        if matches!(event, RecordEvent::Abandoned { .. }) && self.facts.account.queueing.abandoned_alarm {
            let text = alarm_text::abandoned(&self.facts.account.name, self.facts.caller.as_ref());
            self.calls.raise_of_caller(AlarmLevel::Warning, text, &self.facts.id);
        }
        if let RecordEvent::Talking { user } = event {
            self.job_answered(user);
            let talks_at = self.facts.utc(at);
            self.talked_at.get_or_insert(talks_at);
        }
        if *event == RecordEvent::PatchJoined {
            let patched = self.call.patch().map(|patch| patch.number.as_e164().to_owned());
            let to = self.contact.as_ref().map(|c| c.name.clone()).or(patched).unwrap_or_default();
            let (call, account, to) = (self.facts.id.clone(), self.facts.account.id.clone(), Pii::new(to));
            let nth = self.patching.connected(&account);
            self.calls.recorder.write(Line::Patched { account, call, at: self.facts.utc(at), nth, to });
        }
        self.note_patching(at, event);
        self.record_voicemail(at, event);
        self.note_dialled(event);
        self.note_why(at, event);
        if matches!(event, RecordEvent::CallerSilent | RecordEvent::ContactSilent) {
            tracing::warn!(call = %self.facts.id, "a telephone sends neither audio nor reports, and should; asking whether it is there");
        }
        let (kind, body) = on_record(event);
        self.calls.recorder.write(Line::Event { call: self.facts.id.clone(), at: self.facts.utc(at), kind, body });
    }

    /// That a voicemail is being spoken is on record before much of it is: a crash then leaves a message all the same.
    fn record_voicemail(&self, at: Instant, event: &RecordEvent) {
        let (call, at) = (self.facts.id.clone(), self.facts.utc(at));
        match event {
            RecordEvent::VoicemailBegun { call_type } => {
                let begun = VoicemailBegun { call, call_type: call_type.clone(), at };
                self.calls.recorder.write(Line::VoicemailBegun(begun));
            }
            RecordEvent::VoicemailEnded { heard, .. } => {
                self.calls.recorder.write(Line::VoicemailEnded { call, at, heard: *heard });
            }
            _ => {}
        }
    }

    pub(super) fn finish(&mut self, cause: Cause, outcome: CallOutcome) {
        self.ended = Some(cause);
        self.tell_rung_back(cause, outcome);
        let outcome = match outcome {
            // Whom we let go is to be rung back, as after a crash; so is who was being called back.
            CallOutcome::CutOff => CUT_OFF,
            _ if self.stopped && cause == Cause::Released && self.outward.as_ref().is_some_and(Outward::is_promise) => {
                CUT_OFF
            }
            CallOutcome::Handled => "taken",
            CallOutcome::Patched => "patched",
            CallOutcome::Spilled => "spilled",
            CallOutcome::Voicemail => "voicemail",
            CallOutcome::Announced => "announced",
            CallOutcome::CheckedIn => "checked_in",
            CallOutcome::Abandoned(Stage::Parked) => "abandoned_parked",
            CallOutcome::Abandoned(_) | CallOutcome::NoOperator => "abandoned",
            CallOutcome::Callback => "callback",
            CallOutcome::NotReached => "not_reached",
        };
        metrics::counter!("cordboard_calls_ended_total", "outcome" => outcome).increment(1);
        let end = CallEnd {
            answered_at: self.talked_at,
            ended_at: self.facts.utc(self.now()),
            outcome: outcome.to_owned(),
            cause,
            operator: self.operator.clone(),
        };
        self.calls.recorder.write(Line::Finished { call: self.facts.id.clone(), end });
    }
}
