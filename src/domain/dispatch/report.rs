//! What providers, carriers and crashes report about an attempt. Facts only ever move forward.

use super::Turn;
use super::event::{CallNews, Effect, Failure, Note, Via};
use super::protocol::Until;
use super::state::{
    Attempt, CallOutcome, Channel, FailedFor, PATIENT_AFTER_MS, PATIENT_TRIES, Phase, Purpose, RETRY_AFTER_MS, Trouble,
};
use crate::base::clock::UtcMs;
use crate::base::id::AttemptId;
use crate::base::pii::Pii;

/// Who was connected to the caller for less has hardly said a name.
const SPOKE_SECS: u32 = 5;
/// After so many crashes under the same attempt it is given up rather than sent again.
const MAX_INTERRUPTIONS: u32 = 3;

impl Turn<'_> {
    pub(super) fn hand(&mut self, i: usize, node: &str) {
        let a = &self.s.attempts[i];
        if !self.s.is_ready(a) || self.holds_back_answer(i) {
            return;
        }
        let a = &self.s.attempts[i];
        if a.job.is_some() {
            return self.offer_job(i, node);
        }
        let (id, again) = (a.id.clone(), a.uncertain);
        let (channel, name, label) = (a.channel, a.name.clone(), a.label.clone());
        let a = &mut self.s.attempts[i];
        a.handed_at.get_or_insert(self.now);
        a.in_flight_since = Some(self.now);
        a.with_caller_since = None;
        a.owner = Some(node.to_owned());
        a.stopped = false;
        a.queued_at = None;
        a.held_back_at = None;
        self.effects.push(Effect::Perform(id));
        self.record(Some(&name.clone()), Note::Handed { channel, name, label, again });
    }

    pub(super) fn accepted(&mut self, i: usize, provider_id: Option<&str>) {
        let a = &mut self.s.attempts[i];
        if a.more {
            // It was before, and the other devices are still tried.
            return;
        }
        if a.provider_id.is_none() {
            a.provider_id = provider_id.map(str::to_owned);
        }
        if a.channel != Channel::Call {
            a.in_flight_since = None;
            a.owner = None;
        }
        // A late yes overtakes what we thought had failed; a definite no stands.
        a.retry_at = None;
        if a.accepted_at.is_none() && a.failed.as_ref().is_some_and(|f| !f.permanent) {
            a.failed = None;
        }
        if a.accepted_at.is_some() || a.failed.is_some() {
            return;
        }
        a.accepted_at = Some(self.now);
        let (channel, name, label) = (a.channel, a.name.clone(), a.label.clone());
        let down = Trouble::of_edge(a);
        self.edge_is_back(i, &down);
        if channel == Channel::Webhook {
            // It is the system itself that answers: there is no carrier in between, and nothing more to come.
            return self.delivered(i);
        }
        self.record(Some(&name.clone()), Note::Accepted { channel, name, label });
    }

    /// The same of one that left in one with others, under the name that the carrier has for all of them.
    pub(super) fn accepted_along(&mut self, i: usize, provider_id: &str, along: &AttemptId, of: usize) {
        let a = &mut self.s.attempts[i];
        a.along = Some(along.clone());
        a.along_of = u32::try_from(of).unwrap_or(u32::MAX);
        let (channel, name) = (a.channel, a.name.clone());
        self.record(Some(&name.clone()), Note::LeftAlong { channel, name, of });
        self.accepted(i, Some(provider_id));
    }

    pub(super) fn delivered(&mut self, i: usize) {
        self.accepted(i, None);
        let a = &mut self.s.attempts[i];
        if a.delivered_at.is_none() && a.failed.is_none() {
            a.delivered_at = Some(self.now);
            let (channel, name) = (a.channel, a.name.clone());
            self.record(Some(&name.clone()), Note::Delivered { channel, name });
        }
    }

    /// What an attempt leaves by takes things again: no alarm any more, unless it still holds up another.
    pub(super) fn edge_is_back(&mut self, i: usize, down: &Trouble) {
        let holds_up = |n: usize, a: &Attempt| {
            let waits = n != i && a.is_step() && !a.cancelled && a.is_put_off() && self.is_of_now(n);
            waits && Trouble::of_edge(a) == *down
        };
        if !self.s.attempts.iter().enumerate().any(|(n, a)| holds_up(n, a)) {
            self.s.troubles.remove(down);
        }
    }

    pub(super) fn failed(&mut self, i: usize, failure: Failure, why: &str) {
        // Also where what was held up was another: it was left out for this one, or has all its tries once more.
        if self.attempt(i).channel == Channel::Fax {
            self.trunks_take_faxes(i);
        }
        self.failed_by(i, failure, why, None, false);
    }

    /// The same, in the words of whoever refused it.
    pub(super) fn refused(&mut self, i: usize, failure: Failure, why: &str, said: &Pii<String>) {
        self.failed_by(i, failure, why, Some(said), false);
    }

    /// A fax could not leave, by no fault of theirs: none of its tries, and it is tried again for as long as any edge is that is away.
    pub(super) fn held_up(&mut self, i: usize, why: &str) {
        self.failed_by(i, Failure::Temporary, why, None, true);
    }

    fn failed_by(&mut self, i: usize, failure: Failure, why: &str, said: Option<&Pii<String>>, ours: bool) {
        let (phase, of_now) = (self.s.phase, self.is_of_now(i));
        let a = &mut self.s.attempts[i];
        if a.more {
            // Only the other devices have not got it.
            return a.give_up_others();
        }
        let proven = a.delivered_at.is_some() || a.told_at.is_some() || a.confirmed_at.is_some();
        if proven && a.channel != Channel::Call {
            // A reply or a receipt overtook the provider's answer: it was taken.
            a.in_flight_since = None;
            a.owner = None;
            a.retry_at = None;
            set_once(&mut a.accepted_at, self.now);
        }
        if proven || a.failed.is_some() || (a.accepted_at.is_some() && failure != Failure::Permanent) {
            return;
        }
        a.in_flight_since = None;
        a.owner = None;
        if ours {
            a.held_up += 1;
        } else {
            a.failures += 1;
        }
        let retry = match failure {
            Failure::Permanent => None,
            Failure::Temporary if a.fax.is_some() && !ours => {
                let fax = a.fax.filter(|fax| a.failures < u32::from(fax.tries));
                fax.map(|fax| self.now.plus_secs(i64::from(fax.retry_secs)))
            }
            Failure::Temporary => self.try_again_at(i),
            // It may have arrived, and does no harm if it comes again: under the same name it is known as a double.
            Failure::Unknown if a.channel == Channel::Webhook => {
                a.uncertain = true;
                self.try_again_at(i)
            }
            // It may have arrived: once more, and marked so.
            Failure::Unknown if a.uncertain => None,
            Failure::Unknown => {
                a.uncertain = true;
                Some(self.now.plus_ms(RETRY_AFTER_MS[0]))
            }
        };
        // What is closed is not tried again, nor what was told before a change.
        let a = &mut self.s.attempts[i];
        let retry = retry.filter(|_| (phase.is_open() && of_now) || !a.is_step());
        a.retry_at = retry;
        let (channel, name, label) = (a.channel, a.name.clone(), a.label.clone());
        if retry.is_none() {
            let permanent = failure == Failure::Permanent;
            let why = if failure == Failure::Unknown { FailedFor::UNKNOWN } else { why };
            a.failed = Some(FailedFor { at: self.now, permanent, why: why.to_owned() });
            if a.channel == Channel::Call {
                a.ended_at.get_or_insert(self.now);
            }
        }
        let (bounced, step) = (a.accepted_at.is_some(), a.is_step());
        let (label, why, said, for_good) = (label, why.to_owned(), said.cloned(), retry.is_none());
        let note = Note::Failed { channel, name: name.clone(), label, why, said, for_good };
        self.record(Some(&name), note);
        let is_down = retry.is_none() || self.attempt(i).is_put_off();
        if is_down && step && of_now && failure != Failure::Permanent && phase.is_open() {
            self.trouble(Trouble::of_edge(self.attempt(i)));
        }
        if retry.is_none() && step && of_now && phase.is_open() {
            self.notice_instead(i);
        }
        if bounced {
            self.came_back(i);
        }
    }

    /// When what could not be handed over just now is tried again. A step that others follow is given up soon, so that
    /// these have their turn. Where everything has to be handed over, or it is the record of a call that is over, nobody else
    /// brings it, and an edge that is away for an hour must cost no message. Of a fax only what is ours comes here: it goes on
    /// beside the steps that follow, as it has its tries still.
    fn try_again_at(&self, i: usize) -> Option<UtcMs> {
        let a = self.attempt(i);
        let tried = usize::try_from(a.edge_failures().saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(ms) = RETRY_AFTER_MS.get(tried) {
            return Some(self.now.plus_ms(*ms));
        }
        let alone = (a.is_step() && self.s.protocol.until == Until::HandedOver) || a.purpose == Purpose::Record;
        let alone = alone || a.fax.is_some();
        // The notice of a secure message brings it too, once its push is given up.
        let alone = alone && a.secure.as_ref().is_none_or(|secure| secure.notice.is_none());
        // Counted, not timed: an operator who has it tried again gives it all its tries once more.
        let patient = tried - RETRY_AFTER_MS.len();
        let after = PATIENT_AFTER_MS[patient.min(PATIENT_AFTER_MS.len() - 1)];
        (alone && a.channel != Channel::Call && patient < PATIENT_TRIES).then(|| self.now.plus_ms(after))
    }

    /// The node that had it is gone: a text or an email goes once more with the same code, a call is redialled.
    pub(super) fn interrupted(&mut self, i: usize) {
        let open = self.s.phase.is_open() && self.is_of_now(i);
        let a = &mut self.s.attempts[i];
        if a.in_flight_since.is_none() {
            return;
        }
        if a.job.is_some() {
            return self.job_interrupted(i);
        }
        if a.more {
            return self.others_interrupted(i, MAX_INTERRUPTIONS);
        }
        a.in_flight_since = None;
        a.owner = None;
        // Of what was stopped it is known that it did not arrive, and a start after a stop is nothing that could go round for ever.
        let crashed = !std::mem::take(&mut a.stopped);
        a.interruptions += u32::from(crashed);
        if a.channel == Channel::Call && a.told_at.is_some() {
            a.ended_at.get_or_insert(self.now);
            a.outcome.get_or_insert(CallOutcome::ToldOnly);
        } else if a.is_step() && !open {
            a.cancelled = true;
        } else if a.interruptions > MAX_INTERRUPTIONS {
            a.failed = Some(FailedFor { at: self.now, permanent: false, why: FailedFor::UNKNOWN.into() });
            if a.channel == Channel::Call {
                a.ended_at.get_or_insert(self.now);
            }
        } else {
            a.uncertain |= crashed;
            a.wrong_pins = false;
            a.planned_at = self.now;
            self.effects.push(Effect::Hand(a.id.clone()));
        }
    }

    pub(super) fn call_news(&mut self, i: usize, news: CallNews) {
        let a = &mut self.s.attempts[i];
        let name = a.name.clone();
        // We may have given up waiting for its end while somebody still listened: what they say counts.
        let given_up = a.outcome == Some(CallOutcome::Lost);
        if a.ended_at.is_some() && !(given_up && matches!(news, CallNews::Told | CallNews::Confirmed)) {
            return;
        }
        match news {
            CallNews::Answered => {
                let is_first = a.accepted_at.is_none();
                set_once(&mut a.accepted_at, self.now);
                if is_first {
                    self.edge_is_back(i, &Trouble::VoiceDown);
                    self.edge_is_back(i, &Trouble::EdgeDown { channel: Channel::Call });
                }
                self.record(Some(&name.clone()), Note::Answered { name });
            }
            CallNews::Told => self.told(i),
            CallNews::Confirmed => {
                self.told(i);
                self.confirm(i, Via::Key);
            }
            CallNews::Joined => {
                a.with_caller_since = Some(self.now);
                self.record(Some(&name.clone()), Note::Joined { name });
            }
            CallNews::Parted { secs } => {
                let since = a.with_caller_since.unwrap_or_else(|| self.now.plus_secs(-i64::from(secs)));
                a.talk_over(self.now);
                a.talked_secs = a.talked_secs.saturating_add(secs);
                self.record(Some(&name.clone()), Note::Parted { name, since, secs });
            }
            CallNews::NotJoined(why) => self.record(Some(&name.clone()), Note::NotJoined { name, why }),
            CallNews::Waits(true) => a.with_caller_since = Some(self.now),
            CallNews::Waits(false) => a.talk_over(self.now),
            CallNews::WrongPins => {
                a.wrong_pins = true;
                self.wrong_pins(name);
            }
            CallNews::NoTrunk
            | CallNews::NoVoice
            | CallNews::WrongNumber
            | CallNews::Forbidden
            | CallNews::Blocked
            | CallNews::Limited
                if a.accepted_at.is_some() =>
            {
                self.call_news(i, CallNews::Ended(CallOutcome::Lost));
            }
            CallNews::WrongNumber => self.failed(i, Failure::Permanent, "wrong_number"),
            CallNews::NoTrunk => self.failed(i, Failure::Temporary, "no_trunk"),
            CallNews::NoVoice => self.failed(i, Failure::Temporary, FailedFor::NO_VOICE),
            // Another try would meet the same rule, the same network.
            CallNews::Forbidden => self.failed(i, Failure::Permanent, "not_allowed_by_our_rules"),
            CallNews::Blocked => self.failed(i, Failure::Permanent, "taken_for_spam_on_the_way"),
            CallNews::Limited => self.failed(i, Failure::Temporary, "too_many_calls_out"),
            CallNews::Ended(outcome) => {
                a.ended_at = Some(self.now);
                a.outcome = Some(outcome);
                a.in_flight_since = None;
                a.with_caller_since = None;
                a.owner = None;
                a.cancelled |= outcome == CallOutcome::Cancelled;
                let (label, wrong_pins) = (a.label.clone(), a.wrong_pins);
                self.record(Some(&name.clone()), Note::CallEnded { name, label, outcome, wrong_pins });
                match outcome {
                    CallOutcome::Confirmed => {
                        self.told(i);
                        self.confirm(i, Via::Key);
                    }
                    CallOutcome::ToldOnly => {
                        self.told(i);
                        self.spoke_unconfirmed(i);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Somebody has that person's telephone who does not know the PIN: the person themself, or somebody else. An operator can ask.
    fn wrong_pins(&mut self, who: String) {
        if self.s.phase.is_open() {
            self.trouble(Trouble::WrongPins { who });
        }
    }

    /// Whoever has spoken with the caller may well have taken it on, and hung up with them. A talk confirms nothing, so the steps go
    /// on; but somebody should ask before the next person is woken.
    fn spoke_unconfirmed(&mut self, i: usize) {
        let a = self.attempt(i);
        let (who, secs, confirmed) = (a.name.clone(), a.talked_secs, a.confirmed_at.is_some());
        let asked = !confirmed && self.is_of_now(i) && !self.s.informs(&self.attempt(i).purpose);
        if secs >= SPOKE_SECS && asked && self.s.phase.is_open() {
            self.trouble(Trouble::SpokeUnconfirmed { who, secs });
        }
    }

    /// What ends the dispatch by an attempt of now.
    fn until_of(&self, i: usize) -> Until {
        let until = self.s.protocol.until;
        match self.attempt(i).purpose {
            Purpose::Step { run } => self.s.step_of(run).and_then(|step| step.done).unwrap_or(until),
            _ => until,
        }
    }

    fn told(&mut self, i: usize) {
        let name = self.attempt(i).name.clone();
        self.told_by(i, &name);
    }

    /// Somebody has heard the whole message by this attempt.
    pub(super) fn told_by(&mut self, i: usize, name: &str) {
        self.told_as(i, name, Note::Told { name: name.to_owned() });
    }

    /// The same, in the words of how they came to know it.
    pub(super) fn told_as(&mut self, i: usize, name: &str, note: Note) {
        let a = &mut self.s.attempts[i];
        if a.told_at.is_some() {
            return;
        }
        a.told_at = Some(self.now);
        // Whoever keyed wrong PINs, or said yes unheard, they have it now, under whatever name that was said.
        let who = a.name.clone();
        self.s.troubles.remove(&Trouble::WrongPins { who: who.clone() });
        self.s.troubles.remove(&Trouble::AcceptedUnheard { who });
        let name = name.to_owned();
        self.record(Some(&name), note);
        if !self.is_of_now(i) || self.s.informs(&self.attempt(i).purpose) {
            return;
        }
        self.s.troubles.remove(&Trouble::NobodyTold);
        if self.until_of(i) == Until::Told && self.s.phase.is_open() {
            self.close(Phase::Told, Some(name.clone()), None, Some(i));
            self.stand_down_others(&name, Some(i));
        }
    }
}

fn set_once(fact: &mut Option<UtcMs>, now: UtcMs) {
    fact.get_or_insert(now);
}
