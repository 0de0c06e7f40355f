//! The caller's way through a [`Call`] after the greeting, by the account's flow: a menu, an announcement, a number
//! elsewhere, or the queue at once. Voicemail is in [`voicemail`](super::voicemail).
//!
//! What always holds: a flow that comes to nothing ends in the queue or in the apology; the caller's keys are ours alone
//! while they are asked for any, neither passed on nor recorded.

use std::time::Duration;

use super::bridge::{KeysBound, LegId};
use super::cause::Cause;
use super::event::RecordEvent;
use super::leg::LegState;
use super::patch::PatchState;
use super::voicemail::Voicing;
use super::{Call, CallAlarm, Output, PROMPT_LIMIT, Phase};
use crate::base::id::CallTypeId;
use crate::domain::account::Speech;
use crate::domain::account::flow::{Flow, Spill, SpillFailed};
use crate::domain::account::patching::Unreached;
use crate::domain::checkin::{self, CheckIn};
use crate::domain::ivr::digits::Entered;
use crate::domain::ivr::menu::Choice;
use crate::domain::ivr::{self, Ivr};
use crate::domain::operator::skill::Skills;

impl Call {
    /// What the caller chose in the menu, in order.
    pub fn choices(&self) -> &[Choice] {
        &self.chosen
    }

    /// The numbers that the caller entered in the menu, in order, each as it was entered last.
    pub fn entered(&self) -> &[Entered] {
        &self.entered
    }

    /// What the call is about, as far as its flow says.
    pub const fn call_type(&self) -> Option<&CallTypeId> {
        self.call_type.as_ref()
    }

    /// What an operator must be able to do for the caller, besides what the account asks for.
    pub const fn skills(&self) -> &Skills {
        &self.skills
    }

    /// The rank of the caller in the queue.
    pub const fn priority(&self) -> i32 {
        self.priority
    }

    /// The greeting is over, and all that had to be said after it.
    pub(super) fn leave_greeting(&mut self) {
        self.record(RecordEvent::GreetingEnded);
        match self.overflowed {
            Some(failed) => self.overflow(failed),
            None => self.enter_flow(self.setup.flow.clone()),
        }
    }

    pub(super) fn enter_flow(&mut self, flow: Flow) {
        match flow {
            Flow::Queue { priority, call_type, skills } => {
                let flow = priority.unwrap_or(self.setup.priority);
                let typed = call_type.as_ref().and_then(|id| self.setup.ranks.iter().find(|(there, _)| there == id));
                self.priority = typed.map_or(flow, |(_, rank)| flow.max(*rank)).max(self.raised);
                (self.call_type, self.skills) = (call_type, skills);
                self.join_queue();
            }
            Flow::Menu { menu } => match self.setup.menus.iter().find(|there| there.name == menu).cloned() {
                Some(there) => {
                    self.record(RecordEvent::MenuEntered { menu });
                    self.ivr = Some(Ivr::new(self.now, there, self.setup.context.clone()));
                    self.phase = Phase::Menu;
                    self.follow_menu();
                    self.follow_early_keys();
                }
                None => self.join_queue(),
            },
            Flow::Voicemail(voicemail) => self.offer_voicemail(voicemail),
            Flow::Announcement { speech } => {
                self.record(RecordEvent::AnnouncementStarted);
                self.play_to_caller(speech);
                self.phase = Phase::Announcing { until: self.now + PROMPT_LIMIT };
            }
            Flow::Spill(spill) => self.start_spill(spill, self.setup.spill_leg),
            Flow::Patch(patch) => self.start_reaching(patch),
            Flow::CheckIn => {
                self.begin_check_in();
                self.follow_early_keys();
            }
        }
    }

    pub(super) fn on_caller_key(&mut self, key: char) {
        match self.phase {
            Phase::Menu => self.tell_menu(ivr::Input::Digit(key)),
            Phase::Greeting { .. } => self.on_early_key(key),
            Phase::CheckIn => self.tell_check_in(checkin::Input::Digit(key)),
            Phase::Voicemail(_) => self.on_voicemail_key(key),
            Phase::Patching if key == '*' => self.on_star(self.caller.id),
            _ => self.on_callback_key(key),
        }
    }

    pub(super) fn tell_menu(&mut self, input: ivr::Input) {
        if let Some(ivr) = &mut self.ivr {
            ivr.handle(self.now, input);
        }
        self.follow_menu();
    }

    /// A tone plays in place of what was to be said back.
    pub(super) fn menu_unspoken(&mut self, leg: LegId, play: u64) {
        if leg == self.caller.id && self.playing == Some(play) && self.phase == Phase::Menu {
            self.tell_menu(ivr::Input::Unspoken);
        }
    }

    fn follow_menu(&mut self) {
        while let Some(output) = self.ivr.as_mut().and_then(Ivr::poll_output) {
            match output {
                ivr::Output::Play(speech) => self.play_to_caller(speech),
                ivr::Output::PlayOnce(speech) => {
                    let play = self.next_play();
                    self.playing = Some(play);
                    self.outputs.push_back(Output::PlayOnce { leg: self.caller.id, play, speech });
                }
                ivr::Output::StopPlay => self.stop_play(),
                ivr::Output::Entered(entered) => {
                    self.entered.retain(|before| before.label != entered.label);
                    self.entered.push(entered.clone());
                    self.outputs.push_back(Output::KeepDigits { at: self.now, entered });
                }
                ivr::Output::Chose(choice) => {
                    self.record(RecordEvent::MenuChosen { choice: choice.label.clone() });
                    self.chosen.push(choice);
                }
                ivr::Output::Missed { silent } => self.record(RecordEvent::MenuMissed { silent }),
                ivr::Output::Exit(flow) => {
                    self.ivr = None;
                    self.record(RecordEvent::MenuLeft { to: flow.word().to_owned() });
                    // One menu a call: what leads into another is refused when it is saved.
                    let into_another = matches!(flow, Flow::Menu { .. });
                    self.enter_flow(if into_another { Flow::default() } else { flow });
                }
            }
        }
    }

    /// Nobody takes the call: the caller is told so, and somebody has to ring back.
    pub(super) fn apologise(&mut self) {
        self.outputs.push_back(Output::Alarm(CallAlarm::NoOperator));
        self.record(RecordEvent::ApologyStarted);
        self.stop_play();
        self.play_to_caller(self.setup.apology.clone());
        self.phase = Phase::Apology { until: self.now + PROMPT_LIMIT };
    }

    /// Somebody else is rung first, and the caller answered by whoever takes it. False if the flow is another one.
    pub(super) fn ring_before_answer(&mut self) -> bool {
        match self.setup.flow.clone() {
            Flow::Spill(spill) if spill.before_answer => {
                self.outputs.push_back(Output::Ring { leg: self.caller.id });
                self.start_spill(spill, self.setup.spill_leg);
                true
            }
            _ => false,
        }
    }

    /// What that telephone sounds like while it rings is what the caller hears, before either is answered.
    pub(super) fn pass_early_audio(&mut self) {
        if self.caller.state == LegState::Dialling {
            self.caller.state = LegState::Early;
            self.outputs.push_back(Output::EarlyAudio { leg: self.caller.id });
        }
    }

    /// The caller has waited in the queue for too long: what the account says then, once; after that the apology.
    pub(super) fn leave_queue_overdue(&mut self) {
        self.outputs.push_back(Output::Dequeue);
        let Some(flow) = self.setup.overdue.take() else { return self.apologise() };
        self.overdue = true;
        self.stop_play();
        self.record(RecordEvent::QueueLeft { to: flow.word().to_owned() });
        match flow {
            // By a leg of its own: the call may have been rung elsewhere before.
            Flow::Spill(spill) => self.start_spill(spill, self.setup.overdue_leg),
            flow => self.enter_flow(flow),
        }
    }

    fn start_spill(&mut self, spill: Spill, leg: LegId) {
        self.record(RecordEvent::SpillDialled { number: spill.number.clone() });
        let ring = Duration::from_secs(spill.ring_secs.into());
        self.dial_contact(leg, spill.number, None, ring);
        if let Some(patch) = &mut self.patch {
            patch.spill = Some(spill.failed);
        }
    }

    /// They answered elsewhere: the two are connected.
    pub(super) fn join_spill(&mut self) {
        if !self.caller.is_up() {
            self.outputs.push_back(Output::PickUp { leg: self.caller.id });
        }
        self.set_patch_state(PatchState::Dropped);
        self.spilled = true;
        self.record(RecordEvent::SpillAnswered);
    }

    pub(super) fn fail_spill(&mut self, failed: SpillFailed, why: Cause) {
        self.record(RecordEvent::SpillFailed { why });
        if let Some(mut patch) = self.patch.take() {
            self.release(&mut patch.leg);
        }
        if self.caller.is_up() {
            self.overflow(failed);
        } else {
            self.overflowed = Some(failed);
            self.answer();
        }
    }

    fn overflow(&mut self, failed: SpillFailed) {
        match failed {
            SpillFailed::Queue => self.join_queue(),
            SpillFailed::Apology => self.apologise(),
        }
    }

    /// Whether what the caller presses is meant for us alone.
    pub(super) fn wants_keys(&self) -> bool {
        matches!(self.phase, Phase::Menu | Phase::Voicemail(_) | Phase::CheckIn | Phase::CallingBack { .. })
            || self.takes_early_keys()
    }

    /// After every input: which keys are ours.
    pub(super) fn settle_keys(&mut self) {
        let contact = self.patch.as_ref().map(|patch| &patch.leg).filter(|leg| leg.is_up()).map(|leg| leg.id);
        let caller = self.caller.is_up().then_some(self.caller.id);
        for leg in [caller, contact].into_iter().flatten() {
            let bound = self.binding_of(leg);
            let before = self.keys_bound.iter().position(|(there, _)| *there == leg);
            if before.map_or(KeysBound::None, |at| self.keys_bound[at].1) == bound {
                continue;
            }
            if let Some(at) = before {
                self.keys_bound.swap_remove(at);
            }
            self.keys_bound.push((leg, bound));
            if Some(leg) == caller {
                // Whether they speak is told anew from here on.
                self.caller_speaks = false;
            }
            self.outputs.push_back(Output::BindKeys { leg, bound });
        }
    }

    fn binding_of(&self, leg: LegId) -> KeysBound {
        let all = if leg == self.caller.id { self.wants_keys() } else { self.phase == Phase::Reaching };
        if all {
            KeysBound::All
        } else if self.has_star(leg) {
            KeysBound::Star
        } else {
            KeysBound::None
        }
    }

    /// What may be said on the way, to be made ready ahead of time.
    pub fn speeches_on_the_way(&self) -> Vec<Speech> {
        let flow = &self.setup.flow;
        let menu = match flow {
            Flow::Menu { menu } => self.setup.menus.iter().find(|there| there.name == *menu),
            _ => None,
        };
        let takes_voicemail = |flow: &Flow| match flow {
            Flow::Voicemail(_) => true,
            Flow::Patch(patch) => matches!(patch.failed, Unreached::Voicemail(_)),
            _ => false,
        };
        let overdue = self.setup.overdue.as_ref();
        let any = |of: fn(&Flow) -> bool| {
            of(flow) || overdue.is_some_and(of) || menu.is_some_and(|menu| menu.exits().any(of))
        };
        let (voicemail, reaches) = (any(takes_voicemail), any(|flow| matches!(flow, Flow::Patch(_))));
        let check_in = any(|flow| matches!(flow, Flow::CheckIn));
        // A patch by hand is announced by a person, who has time for that.
        let reach = if reaches { self.reach_speeches() } else { Vec::new() };
        let said = flow.speeches().chain(overdue.into_iter().flat_map(Flow::speeches));
        let said = said.chain(menu.into_iter().flat_map(|menu| menu.speeches())).cloned();
        let said = said.chain(self.setup.status.is_some().then(|| self.setup.greeting.clone()));
        let said = said.chain(check_in.then(CheckIn::speeches).into_iter().flatten());
        said.chain(voicemail.then(Voicing::speeches).into_iter().flatten()).chain(reach).collect()
    }
}
