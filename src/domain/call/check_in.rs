//! A check-in in a [`Call`]: the client's person on the line goes through it ([`checkin`](crate::domain::checkin)) as a
//! caller through a menu.
//!
//! What always holds: what is pressed is ours alone, neither passed on nor recorded, and never on the record; whoever wants
//! an operator, or for whom it comes to nothing by our fault, goes on to the queue.

use super::bridge::LegId;
use super::cause::Cause;
use super::event::RecordEvent;
use super::{Call, Output, Phase};
use crate::base::id::{ContactId, DispatchId, ScheduleId};
use crate::domain::account::flow::Flow;
use crate::domain::checkin::on_call::Span;
use crate::domain::checkin::pin::Pin;
use crate::domain::checkin::{self, CheckIn, Leave, Looked};

/// What a check-in asks of the store. Each but one is answered by a [`checkin::Input`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Look {
        pin: Pin,
    },
    /// What is held, for somebody whom an operator vouches for.
    Vouched {
        contact: ContactId,
    },
    /// Put down that it is read to them. The one wish that is not answered.
    Read {
        dispatch: DispatchId,
    },
    Mark {
        dispatch: DispatchId,
        edition: u32,
    },
    PutOnCall {
        schedule: ScheduleId,
        contact: ContactId,
        span: Span,
    },
    PutUpGreeting {
        until_morning: bool,
    },
    TakeDownGreeting,
}

impl Call {
    pub(super) fn begin_check_in(&mut self) {
        self.record(RecordEvent::CheckInBegun);
        self.check_in = Some(CheckIn::new(self.now));
        self.phase = Phase::CheckIn;
        self.follow_check_in();
    }

    pub(super) fn tell_check_in(&mut self, input: checkin::Input) {
        if self.phase != Phase::CheckIn {
            return;
        }
        match &input {
            checkin::Input::Looked(Looked::Welcome(welcome)) => {
                self.record(RecordEvent::CheckedIn { contact: welcome.contact.clone(), held: welcome.held.len() });
            }
            checkin::Input::Looked(Looked::Refused) => self.record(RecordEvent::PinRefused),
            checkin::Input::GreetingUp(Some(_)) => self.record(RecordEvent::StatusGreetingPutUp),
            checkin::Input::GreetingDown(true) => self.record(RecordEvent::StatusGreetingTakenDown),
            _ => {}
        }
        if let Some(check_in) = &mut self.check_in {
            check_in.handle(self.now, input);
        }
        self.follow_check_in();
    }

    /// A tone plays in place of what was to be said.
    pub(super) fn check_in_unspoken(&mut self, leg: LegId, play: u64) {
        if leg == self.caller.id && self.playing == Some(play) {
            self.tell_check_in(checkin::Input::Unspoken);
        }
    }

    pub(super) fn follow_check_in(&mut self) {
        while let Some(output) = self.check_in.as_mut().and_then(CheckIn::poll_output) {
            match output {
                checkin::Output::Play(speech) if CheckIn::is_fixed(&speech) => self.play_to_caller(speech),
                checkin::Output::Play(speech) => {
                    let play = self.next_play();
                    self.playing = Some(play);
                    self.outputs.push_back(Output::PlayOnce { leg: self.caller.id, play, speech });
                }
                checkin::Output::StopPlay => self.stop_play(),
                checkin::Output::Look { pin } => self.outputs.push_back(Output::CheckIn(Wish::Look { pin })),
                checkin::Output::Vouched { contact } => {
                    self.outputs.push_back(Output::CheckIn(Wish::Vouched { contact }));
                }
                checkin::Output::Read { dispatch } => self.outputs.push_back(Output::CheckIn(Wish::Read { dispatch })),
                checkin::Output::Mark { dispatch, edition } => {
                    self.record(RecordEvent::ReadAtCheckIn { dispatch: dispatch.clone() });
                    self.outputs.push_back(Output::CheckIn(Wish::Mark { dispatch, edition }));
                }
                checkin::Output::PutOnCall { schedule, contact, span } => {
                    self.record(RecordEvent::PutOnCall { schedule: schedule.clone(), contact: contact.clone() });
                    self.outputs.push_back(Output::CheckIn(Wish::PutOnCall { schedule, contact, span }));
                }
                checkin::Output::Dictate(on) => self.outputs.push_back(Output::Dictate { leg: self.caller.id, on }),
                checkin::Output::PlayDictated => {
                    let play = self.next_play();
                    self.playing = Some(play);
                    self.outputs.push_back(Output::PlayDictated { leg: self.caller.id, play });
                }
                checkin::Output::PutUpGreeting { until_morning } => {
                    self.outputs.push_back(Output::CheckIn(Wish::PutUpGreeting { until_morning }));
                }
                checkin::Output::TakeDownGreeting => self.outputs.push_back(Output::CheckIn(Wish::TakeDownGreeting)),
                checkin::Output::Leave(Leave::Operator) => {
                    self.check_in = None;
                    self.record(RecordEvent::CheckInLeft);
                    if !self.back_from_check_in() {
                        self.enter_flow(Flow::default());
                    }
                }
                checkin::Output::Leave(Leave::Ended) => {
                    self.check_in = None;
                    self.end(Cause::Released);
                }
            }
        }
    }
}
