//! Steps: entering one resolves its people and plans its attempts; a step is passed when its wait is over,
//! or at once when nothing more can come of it.

use super::Turn;
use super::describe::describe_step;
use super::event::{Effect, Note};
use super::fax::FaxTries;
use super::in_hours::{Timed, address_of};
use super::inbox::Secure;
use super::job::Job;
use super::protocol::{Method, Step, Target, Until};
use super::state::{
    ACCEPT_WITHIN_MS, Address, Attempt, CallOutcome, Channel, Cursor, FailedFor, HOLD_FOR_CALL_MS, Phase, Purpose,
    ROUND_GAP_MS, RunState, StepRun, Trouble,
};
use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, StepRunId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Contact, Destination, Urgency};
use crate::domain::oncall::OnCall;

impl Turn<'_> {
    pub(super) fn enter(&mut self, index: usize) {
        let Some(step) = self.s.protocol.steps.get(index).cloned() else {
            self.s.cursor = Cursor::Done;
            return;
        };
        let run = self.s.runs.len();
        let own = self.s.id.as_str();
        let own = own.split_once('_').map_or(own, |(_, rest)| rest);
        let unmet = self.why_not_made(&step);
        self.s.runs.push(StepRun {
            id: StepRunId::named(&format!("{own}-{}", run + 1)),
            round: self.s.round,
            step: index,
            entered_at: self.now,
            state: RunState::Attempting,
            again: 0,
            first_attempt: self.s.attempts.len(),
            wait_from: None,
            held_until: None,
            ended_at: None,
            why: Vec::new(),
        });
        self.s.cursor = Cursor::In { run };
        if let Some(why) = unmet {
            self.s.runs[run].why.push(why.clone());
            self.end_run(run, RunState::Skipped);
            let does = self.says(&step);
            return self.record(None, Note::NotMade { step: index, does, why });
        }
        let people: Vec<_> = step.to.iter().flat_map(|target| self.resolve(run, target)).collect();
        let (does, why) = (self.says(&step), self.s.runs[run].why.clone());
        self.record(None, Note::Step { step: index, does, why });
        if step.method.is_held() {
            return self.hold(run, &step);
        }
        for (contact, destination) in people {
            self.plan(run, &step, &contact, &destination);
        }
        if self.s.attempts_of(run).next().is_none() {
            self.end_run(run, RunState::NoOne);
        } else if !step.informs {
            self.s.troubles.remove(&Trouble::NobodyAsked);
        }
    }

    /// Why a step is passed over now, if it is.
    fn why_not_made(&self, step: &Step) -> Option<String> {
        if step.method == Method::LivePatch && !self.s.is_caller_there() {
            return Some("the caller is not on the line".to_owned());
        }
        step.only.find_unmet(self.world, self.now)
    }

    /// The people and destinations a target means now: several where several are on call at once. Who and why is kept on the run.
    fn resolve(&mut self, run: usize, target: &Target) -> Vec<(Contact, Destination)> {
        let world = self.world;
        let (ids, label, why) = match target {
            Target::Contact { contact, destination } => (vec![contact.clone()], destination, None),
            Target::OnCall { role, destination } => match world.on_call(role, self.now) {
                Some(on_call) => {
                    self.s.troubles.remove(&Trouble::NobodyOnCall { role: role.clone() });
                    let ids = on_call.people().cloned().collect();
                    (ids, destination, Some(format!("{role} on call by {}", on_call.why)))
                }
                None => {
                    self.s.runs[run].why.push(format!("{role}: nobody on call"));
                    self.record(None, Note::NoOne { role: role.clone() });
                    self.trouble(Trouble::NobodyOnCall { role: role.clone() });
                    return Vec::new();
                }
            },
        };
        ids.iter().filter_map(|id| self.reach(run, id, label, why.as_deref())).collect()
    }

    fn reach(&mut self, run: usize, id: &ContactId, label: &str, why: Option<&str>) -> Option<(Contact, Destination)> {
        let world = self.world;
        let Some(contact) = world.contact(id) else {
            self.unreachable("somebody who is no contact any more", "no such contact");
            return None;
        };
        let why = why.map_or_else(|| contact.name.clone(), |why| format!("{}: {why}", contact.name));
        self.s.runs[run].why.push(why);
        match contact.find_destination(label) {
            Some(destination) => Some((contact.clone(), destination.clone())),
            None => {
                self.unreachable(&contact.name, &format!("has no {label}"));
                None
            }
        }
    }

    pub(super) fn plan(&mut self, run: usize, step: &Step, contact: &Contact, meant: &Destination) {
        let Some(channel) = Channel::of(step.method) else { return };
        let Timed { destination, not_before, odd } = self.in_hours(contact, meant, channel, step.method);
        let Some(address) = address_of(contact, destination, channel) else {
            return self.unreachable(&contact.name, &format!("{} takes no {}", destination.label, channel.noun()));
        };
        if channel == Channel::Text && destination.blocked {
            return self.asked_for_no_texts(&contact.name, address.phone());
        }
        if self.s.attempts_of_try(run).any(|a| a.address == address) {
            return;
        }
        if let Some(note) = odd {
            self.record(Some(&contact.name), note);
        }
        let code = match (step.method, &address) {
            (Method::TextConfirm, Address::Phone(number)) => match self.code_for(number) {
                Some(code) => Some(code),
                None => return self.unreachable(&contact.name, "has no confirmation code left"),
            },
            _ => None,
        };
        // Email waits for the call's end, so that it can say what became of the call.
        let held = channel == Channel::Email && self.s.on_call.is_some();
        let (protected, urgent) = (self.world.is_protected(), self.s.urgency == Urgency::Urgent);
        self.bundle(run, channel, &contact.name, &address);
        let i = self.push_attempt(Purpose::Step { run }, channel, &contact.name, &destination.label, address);
        let attempt = &mut self.s.attempts[i];
        attempt.contact = Some(contact.id.clone());
        attempt.code = code;
        // Anybody who reads along could say yes to a notice, and would not have read the message.
        attempt.mail_confirm = step.method == Method::EmailConfirm && !protected;
        attempt.leave_message = matches!(
            step.method,
            Method::CallOut { leave_message: true } | Method::OperatorCall { leave_message: true, .. }
        );
        attempt.job = Job::of(step.method, self.now);
        attempt.secure = Secure::of(step.method, contact, destination, protected);
        attempt.fax = FaxTries::of(step.method);
        attempt.joins = matches!(step.method, Method::Text | Method::Email) && !urgent && !protected;
        attempt.ring_secs = destination.ring_secs;
        if step.method == Method::LivePatch {
            self.offer_patch(i);
        } else if held {
            attempt.hold_until = Some(self.now.plus_ms(HOLD_FOR_CALL_MS).max(not_before.unwrap_or(self.now)));
            attempt.not_before = not_before;
            self.record(Some(&contact.name), Note::HeldForCall { name: contact.name.clone() });
        } else if not_before.is_some() {
            attempt.hold_until = not_before;
            attempt.not_before = not_before;
        } else {
            self.effects.push(Effect::Hand(self.attempt(i).id.clone()));
        }
    }

    /// Appends an attempt, not yet in line to be handed over, and gives its index.
    pub(super) fn push_attempt(
        &mut self,
        purpose: Purpose,
        channel: Channel,
        name: &str,
        label: &str,
        address: Address,
    ) -> usize {
        let id = self.next_attempt_id();
        self.s.attempts.push(Attempt {
            id,
            purpose,
            channel,
            contact: None,
            name: name.to_owned(),
            label: label.to_owned(),
            address,
            code: None,
            mail_confirm: false,
            leave_message: false,
            job: None,
            patch: None,
            secure: None,
            devices: Vec::new(),
            more: false,
            fax: None,
            joins: false,
            along: None,
            along_of: 0,
            ring_secs: 0,
            planned_at: self.now,
            queued_at: None,
            held_back_at: None,
            hold_until: None,
            not_before: None,
            owner: None,
            provider_id: None,
            handed_at: None,
            accepted_at: None,
            delivered_at: None,
            told_at: None,
            confirmed_at: None,
            delayed: None,
            repeated: None,
            ended_at: None,
            outcome: None,
            wrong_pins: false,
            in_flight_since: None,
            with_caller_since: None,
            talked_secs: 0,
            failures: 0,
            held_up: 0,
            stopped: false,
            interruptions: 0,
            retry_at: None,
            failed: None,
            uncertain: false,
            cancelled: false,
        });
        self.s.attempts.len() - 1
    }

    /// The same dispatch keeps its code at a number over all rounds.
    pub(super) fn code_for(&self, number: &PhoneNumber) -> Option<u16> {
        let kept = self.s.codes().find(|(at, _, _)| *at == number).map(|(_, code, _)| code);
        kept.or_else(|| self.world.pick_code(number))
    }

    fn unreachable(&mut self, name: &str, why: &str) {
        self.record(Some(name), Note::Unreachable { name: name.to_owned(), why: why.to_owned() });
        self.trouble(Trouble::Unreachable { who: name.to_owned() });
    }

    /// After a patch nobody has to be reached any more, but the emails of the protocol still go out, and its faxes and posts, once
    /// the call is over, and say what became of it.
    pub(super) fn send_records(&mut self) {
        let world = self.world;
        let now = self.now;
        let steps = self.s.protocol.steps.clone();
        for step in steps.iter().filter(|step| step.only.find_unmet(world, now).is_none()) {
            let meant = step.to.iter().flat_map(|target| match target {
                Target::Contact { contact, destination } => vec![(contact.clone(), destination)],
                Target::OnCall { role, destination } => {
                    let on_call = world.on_call(role, now);
                    on_call.iter().flat_map(OnCall::people).map(|id| (id.clone(), destination)).collect()
                }
            });
            for (id, label) in meant.collect::<Vec<_>>() {
                let Some(contact) = world.contact(&id) else { continue };
                let Some(meant) = contact.find_destination(label) else { continue };
                let channel = match step.method {
                    Method::Email | Method::EmailConfirm => Channel::Email,
                    Method::Webhook => Channel::Webhook,
                    Method::Fax { .. } => Channel::Fax,
                    _ => continue,
                };
                let Timed { destination, not_before, odd } = self.in_hours(contact, meant, channel, step.method);
                let Some(address) = address_of(contact, destination, channel) else { continue };
                if self.s.attempts.iter().any(|a| a.address == address && !a.cancelled) {
                    continue;
                }
                if let Some(note) = odd {
                    self.record(Some(&contact.name), note);
                }
                let label = &destination.label;
                let i = self.push_attempt(Purpose::Record, channel, &contact.name, label, address);
                self.s.attempts[i].not_before = not_before;
                self.s.attempts[i].fax = FaxTries::of(step.method);
                self.s.attempts[i].ring_secs = destination.ring_secs;
                if self.s.on_call.is_some() {
                    let until = self.now.plus_ms(HOLD_FOR_CALL_MS).max(not_before.unwrap_or(self.now));
                    self.s.attempts[i].hold_until = Some(until);
                    self.record(Some(&contact.name), Note::HeldForCall { name: contact.name.clone() });
                } else if not_before.is_some() {
                    self.s.attempts[i].hold_until = not_before;
                } else {
                    self.effects.push(Effect::Hand(self.attempt(i).id.clone()));
                }
            }
        }
    }

    /// Goes on from the run if it is over. Says whether anything moved.
    pub(super) fn pass(&mut self, run: usize) -> bool {
        let Some(step) = self.s.protocol.steps.get(self.s.runs[run].step).cloned() else { return false };
        if self.s.runs[run].ended_at.is_some() {
            self.advance(run);
            return true;
        }
        if step.informs {
            // What it sends goes its way meanwhile.
            self.end_run(run, RunState::Done);
            self.advance(run);
            return true;
        }
        if step.ends_at_handing_over(self.s.protocol.until) {
            let begun = self.s.runs[run].wait_from.is_some();
            let is_waited_for = |a: &Attempt| !a.is_settled() && !a.is_put_off() && !self.s.is_held_back(a, self.now);
            if !begun && self.s.attempts_of_try(run).any(is_waited_for) {
                return false;
            }
            if self.s.attempts_of_try(run).all(has_reached) {
                self.close(Phase::Delivered, None, None, None);
                return true;
            }
        }
        let wait_secs = self.s.runs[run].wait_secs(&step);
        if wait_secs == 0 && Channel::of(step.method) != Some(Channel::Call) {
            self.end_run(run, RunState::Done);
            self.advance(run);
            return true;
        }
        if self.s.attempts_of_try(run).all(is_hopeless) {
            self.end_run(run, RunState::Failed);
            self.advance(run);
            return true;
        }
        if self.s.runs[run].wait_from.is_none() {
            let Some(from) = self.wait_from(run) else { return false };
            self.s.runs[run].wait_from = Some(from);
            self.s.runs[run].state = RunState::Waiting;
            let until = from.plus_secs(i64::from(wait_secs));
            if until > self.now {
                let next = self.says_try(run, &step).unwrap_or_else(|| self.says_next(self.s.runs[run].step));
                self.record(None, Note::Waiting { until, next, asks_nobody: step.method.asks_nobody() });
            }
        }
        if self.s.due_at(run).is_some_and(|due| due <= self.now) {
            if self.s.runs[run].has_tries_left(&step) && !self.is_no_more_to_do(run, &step) {
                self.try_again(run, &step);
                return true;
            }
            self.end_run(run, RunState::TimedOut);
            self.advance(run);
            return true;
        }
        false
    }

    /// Since when an answer is waited for: the last hang-up, or the last acceptance. `None`: not all of the
    /// run's attempts have got that far.
    fn wait_from(&self, run: usize) -> Option<UtcMs> {
        let mut from = None;
        for a in self.s.attempts_of_try(run).filter(|a| !is_hopeless(a)) {
            let own = match a.channel {
                Channel::Call => a.ended_at,
                // It takes its time, and all its tries: the wait begins when that is over.
                Channel::Fax => a.accepted_at.or_else(|| a.failed.as_ref().map(|failed| failed.at)),
                Channel::Email | Channel::Text | Channel::Pager | Channel::Push | Channel::Webhook => {
                    let late = a.handed_at.filter(|at| self.now >= at.plus_ms(ACCEPT_WITHIN_MS));
                    let unknown = a.failed.as_ref().map(|failed| a.handed_at.unwrap_or(failed.at));
                    a.accepted_at.or(late).or(unknown)
                }
            };
            // Handed over to its lane, and not taken for as long as a carrier may take: others go on.
            let held = a.queued_at.filter(|_| self.s.is_held_back(a, self.now));
            from = from.max(Some(own.or(held)?));
        }
        from
    }

    pub(super) fn end_run(&mut self, run: usize, state: RunState) {
        let run = &mut self.s.runs[run];
        if run.ended_at.is_none() {
            run.ended_at = Some(self.now);
            run.state = state;
        }
    }

    pub(super) fn advance(&mut self, run: usize) {
        let next = self.s.runs[run].step + 1;
        if next < self.s.protocol.steps.len() {
            return self.enter(next);
        }
        let Some(step) = self.s.next_round() else {
            self.s.cursor = Cursor::Done;
            return;
        };
        let until = self.s.round_at.plus_ms(ROUND_GAP_MS);
        if until <= self.now {
            self.start_round(step);
        } else {
            self.s.cursor = Cursor::Pausing { until, step };
        }
    }

    /// The steps have run out: is that the end by the protocol's own terms?
    pub(super) fn finish(&mut self) -> bool {
        if self.s.protocol.until == Until::HandedOver {
            // A step that an operator had made again counts by what came of it the last time.
            let made_again =
                |run: usize| self.s.runs[run + 1..].iter().any(|later| later.step == self.s.runs[run].step);
            let stands = |a: &&Attempt| !matches!(a.purpose, Purpose::Step { run } if made_again(run));
            let steps = self.s.attempts.iter().filter(|a| a.is_step() && self.s.is_of_now(&a.purpose)).filter(stands);
            if steps.clone().any(|a| !a.is_settled()) {
                return false;
            }
            // Nobody counts on those who are only informed, and a patch that came to nothing has led to what follows it.
            let counts = |a: &&Attempt| !self.s.informs(&a.purpose) && a.patch.is_none();
            let is_counted = |run: usize| self.s.step_of(run).is_none_or(|step| !step.informs);
            let mut runs = self.s.runs.iter().enumerate().skip(self.s.first_run);
            if steps.clone().any(|a| counts(&a))
                && runs.all(|(n, run)| run.state != RunState::NoOne || !is_counted(n) || made_again(n))
                && steps.filter(counts).all(|a| self.is_done(a))
            {
                self.close(Phase::Delivered, None, None, None);
                return true;
            }
        }
        self.s.phase = Phase::ExhaustedUnconfirmed;
        self.trouble(self.run_out());
        true
    }

    /// What is the matter once the steps have run out. Where it only has to be handed over nobody was asked to say yes.
    fn run_out(&self) -> Trouble {
        if !self.s.only_hands_over() {
            return Trouble::Exhausted;
        }
        let counts = |a: &&Attempt| a.is_step() && self.s.is_of_now(&a.purpose) && !self.s.informs(&a.purpose);
        Trouble::NotHandedOver { some: self.s.attempts.iter().filter(counts).any(has_reached) }
    }

    /// An attempt has done what its step is for, where all of them have to.
    fn is_done(&self, a: &Attempt) -> bool {
        let Purpose::Step { run } = a.purpose else { return true };
        let step = self.s.step_of(run);
        // Whoever was to hear it, or to say yes, would have ended it.
        if step.and_then(|step| step.done).is_some_and(|done| done != Until::HandedOver) {
            return false;
        }
        // Of several tries one that got through is enough.
        has_reached(a) || self.s.attempts_of(run).any(|other| other.address == a.address && has_reached(other))
    }

    pub(super) fn says(&self, step: &Step) -> String {
        describe_step(step, &|id: &ContactId| self.world.contact(id).map(|c| c.name.clone()))
    }

    /// What comes after a step, in words.
    pub(super) fn says_next(&self, after: usize) -> String {
        match (self.s.protocol.steps.get(after + 1), self.s.next_round()) {
            (Some(step), _) => {
                let only = step.only.words(self.world.call_types());
                [vec![self.says(step)], only].concat().join(", ")
            }
            (None, Some(from)) => {
                let first = self.s.protocol.steps.get(from).map(|step| self.says(step)).unwrap_or_default();
                format!("again from step {}: {first}", from + 1)
            }
            (None, None) => "call an operator: the steps have run out".to_owned(),
        }
    }
}

/// It was taken, or left, or heard.
pub(super) fn has_reached(a: &Attempt) -> bool {
    match a.channel {
        Channel::Call => {
            let left = matches!(
                a.outcome,
                Some(CallOutcome::LeftRequest | CallOutcome::LeftOnMachine | CallOutcome::LeftWithPerson)
            );
            left || a.told_at.is_some() || a.outcome == Some(CallOutcome::ToldOnly)
        }
        Channel::Email | Channel::Text | Channel::Pager | Channel::Push | Channel::Webhook | Channel::Fax => {
            // Where no device took it, its notice stands for it.
            let noticed = a.secure.as_ref().is_some_and(|secure| secure.noticed);
            noticed || (a.accepted_at.is_some() && a.failed.is_none())
        }
    }
}

/// Nothing can come of it any more, or not for a long time.
fn is_hopeless(a: &Attempt) -> bool {
    a.cancelled || a.is_put_off() || a.failed.as_ref().is_some_and(FailedFor::is_certain)
}
