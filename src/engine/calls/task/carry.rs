//! A call's task, as far as it does what the machine says: legs, bridge, words, recording, desk.

use std::time::Duration;

use super::CallTask;
use crate::domain::account::{Comfort, RecordingMode};
use crate::domain::call::bridge::LegId;
use crate::domain::call::leg::LegInput;
use crate::domain::call::recording::RecordingState;
use crate::domain::call::{CallAlarm, Input, Output, Party};
use crate::domain::queue::Terms;
use crate::engine::calls::alarm_text;
use crate::engine::calls::record::Line;
use crate::engine::desk::{CallWord, Waiting};
use crate::engine::feed::AlarmLevel;
use crate::engine::signal::DialOut;
use crate::io::recording::Kind;

impl CallTask {
    /// Does what the machine says, until it says no more.
    pub(super) fn carry_out(&mut self) {
        while let Some(output) = self.call.poll_output() {
            if let Some((leg, event)) = self.carry_out_one(output) {
                self.call.handle(self.now(), Input::Leg { leg, event });
            }
        }
        self.follow_pause();
        self.show();
    }

    /// Does one thing; what came of it, if it failed at once.
    fn carry_out_one(&mut self, output: Output) -> Option<(LegId, LegInput)> {
        match output {
            Output::Ring { leg } => {
                if let Some(event) = self.legs.open(leg) {
                    return Some((leg, event));
                }
                self.legs.wait_for_others(leg);
                self.mixer.make_ready(&self.greeting);
            }
            Output::EarlyAudio { leg } => self.legs.send_early(leg),
            Output::Answer { leg } => {
                if let Some(event) = self.legs.open(leg) {
                    return Some((leg, event));
                }
                if self.mixer.make_ready(&self.greeting) {
                    self.answer(leg);
                } else {
                    self.answer_when_ready = Some(leg);
                }
            }
            Output::Dial { leg, to: Party::Number(number) } => {
                let account = Some(self.facts.account.id.clone());
                let call = DialOut { to: number, caller_id: self.caller_id(), account };
                return self.legs.dial(leg, call).map(|event| (leg, event));
            }
            Output::Dial { leg, to: Party::Operator(user) } => {
                return self.legs.ring(leg, &user, self.ring_on).map(|event| (leg, event));
            }
            Output::Dial { leg, to: Party::Listener(user) } => {
                let phone = self.supervisors.iter().find(|s| s.who.id == user).map(|s| s.phone);
                return self.legs.ring(leg, &user, phone).map(|event| (leg, event));
            }
            Output::ListenerGone { user } => self.listener_gone(user),
            Output::HangUp { leg } => self.legs.hang_up(leg),
            Output::Refuse { leg, why } => self.legs.turn_down(leg, why),
            Output::PickUp { leg } => self.legs.answer(leg),
            Output::Transfer { leg, progress } => self.legs.report(leg, progress),
            Output::SetBridge { rev, matrix } => self.mixer.set(rev, matrix),
            Output::Play { leg, play, speech } => self.mixer.play(leg, play, speech),
            Output::StopPlay { leg, play } => self.mixer.stop(leg, play),
            Output::Dictate { leg, on } => self.dictate(leg, on),
            Output::PlayDictated { leg, play } => self.play_dictated(leg, play),
            Output::SetRecording { leg, state } => self.set_recording(leg, state),
            Output::Keys { leg, keys } => self.calls.wiring.media.press_keys(leg, &keys),
            Output::ColleagueThere { user } => self.to_desk(CallWord::OfferAccepted { user }),
            Output::Pass { user } => self.to_desk(CallWord::Pass { user }),
            Output::Enqueue { priority, .. } => {
                self.queued_at = Some(self.now());
                self.to_desk(CallWord::Enqueue(self.waiting(priority)));
                self.calls.count_earlier(&self.facts);
            }
            Output::Requeue => self.to_desk(CallWord::Requeue(self.waiting(self.call.priority()))),
            Output::Hand { user } => self.to_desk(CallWord::Hand { waiting: self.waiting(self.call.priority()), user }),
            Output::BindKeys { leg, bound } => self.calls.wiring.media.bind_keys(leg, bound),
            Output::FindPeople { whom } => self.find_people(whom),
            Output::Bring { user } => self.to_desk(CallWord::Bring { user }),
            Output::Raise { priority } => self.to_desk(CallWord::Raise { priority }),
            Output::Dequeue => self.to_desk(CallWord::Dequeue),
            Output::Pause => self.to_desk(CallWord::Pause),
            Output::Resume => self.to_desk(CallWord::Resume),
            Output::StoreCallback { number } => self.promise(number),
            Output::CheckIn(wish) => self.serve_check_in(wish),
            Output::PlayOnce { leg, play, speech } => self.mixer.play_once(leg, play, speech),
            Output::OfferAccepted { user } => {
                self.operator = Some(user.clone());
                self.job_taken(&user);
                self.to_desk(CallWord::OfferAccepted { user });
            }
            Output::OfferFailed { user, why } => {
                self.job_freed(&user);
                self.to_desk(CallWord::OfferFailed { user, why });
            }
            Output::OperatorSilent { user, silent } => self.to_desk(CallWord::OperatorSilent { user, silent }),
            Output::OperatorHungUp { user } => self.to_desk(CallWord::OperatorHungUp { user }),
            Output::OperatorLost { user } => {
                self.job_freed(&user);
                self.to_desk(CallWord::OperatorLost { user });
            }
            Output::SeatFreed { user } => self.to_desk(CallWord::SeatFreed { user }),
            Output::WrappedUp { user } => self.to_desk(CallWord::WrappedUp { user }),
            Output::Record { at, event } => self.record(at, &event),
            Output::KeepDigits { at, entered } => {
                let (call, at) = (self.facts.id.clone(), self.facts.utc(at));
                self.calls.recorder.write(Line::Digits { call, at, entered });
            }
            Output::Alarm(CallAlarm::NoOperator) => {
                let text = alarm_text::no_operator(&self.facts.account.name, self.facts.caller.as_ref());
                self.calls.raise_of_caller(AlarmLevel::Critical, text, &self.facts.id);
            }
            Output::Alarm(CallAlarm::NobodyCame) => {
                let contact = self.contact.as_ref().map(|contact| contact.name.as_str());
                let text = alarm_text::nobody_came(&self.facts.account.name, contact);
                // They are on the line: nobody is to ring them back.
                self.calls.raise(AlarmLevel::Critical, text, Some(&self.facts.id));
            }
            Output::Alarm(CallAlarm::JoinedCutOff { call, number }) => self.joined_cut_off(&call, &number),
            Output::Ended { cause, outcome } => self.finish(cause, outcome),
        }
        None
    }

    /// The first sound begins the recording; it lasts as long as the caller's leg.
    fn set_recording(&mut self, leg: LegId, state: RecordingState) {
        let media = &self.calls.wiring.media;
        let kind = match state {
            RecordingState::On => Kind::Sound,
            RecordingState::Off => Kind::Off,
            RecordingState::Announcing | RecordingState::Paused => Kind::Paused,
        };
        if self.recorded {
            media.set_recording(leg, kind);
        } else if kind == Kind::Sound {
            self.recorded = true;
            media.record(leg, self.calls.recordings.begin(&self.facts.id));
        }
    }

    pub(super) fn answer(&mut self, leg: LegId) {
        // Words that may be needed later are made ready while the greeting plays.
        let account = &self.facts.account;
        let told = account.recording.announcement.as_ref().filter(|_| account.recording.mode != RecordingMode::Off);
        let comfort = account.comfort.iter().flat_map(Comfort::speeches);
        for speech in [&account.apology].into_iter().chain(comfort).chain(told).chain(&self.call.speeches_on_the_way())
        {
            self.mixer.make_ready(speech);
        }
        self.legs.answer(leg);
    }

    fn waiting(&self, priority: i32) -> Waiting {
        let account = &self.facts.account;
        if let Some(waiting) = self.waiting_outward() {
            return waiting;
        }
        Waiting {
            account: self.facts.account_ref(),
            terms: Terms {
                priority,
                max_wait: Duration::from_secs(account.max_wait_secs.into()),
                comfort: account.comfort.as_ref().map(|c| Duration::from_secs(c.every_secs.into())),
                position: account.comfort.as_ref().is_some_and(|c| c.position),
                skills: self.skills(),
                skill_wait: Duration::from_secs(account.queueing.skill_wait_secs.into()),
                since: None,
            },
            rang_at: self.facts.started_at,
            ring_back: false,
        }
    }

    pub(super) fn to_desk(&self, word: CallWord) {
        self.calls.desk.from_call(self.facts.id.clone(), word);
    }
}
