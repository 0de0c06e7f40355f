//! Confirmations and every other way a dispatch ends, and what the people who were asked are told about it.

use super::Turn;
use super::event::{Effect, Note, Via};
use super::recurring::Recurring;
use super::state::{Address, Attempt, Channel, FailedFor, Phase, Purpose, RunState, Trouble};
use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;

impl Turn<'_> {
    pub(super) fn takes_confirmation(&self) -> bool {
        // A yes after the protocol's own end still says more than that end did.
        self.s.phase.is_open() || matches!(self.s.phase, Phase::Told | Phase::Delivered)
    }

    pub(super) fn replied(&mut self, number: &PhoneNumber, code: u16) {
        let asked = self.s.codes().filter(|(at, c, _)| *at == number && *c == code).last();
        let Some(id) = asked.map(|(_, _, attempt)| attempt.id.clone()) else {
            self.replied_before(number, code);
            return;
        };
        self.with(&id, |turn, i| {
            if turn.takes_confirmation() && turn.is_unknown_to(i) {
                turn.accepted_unheard(i, number);
            } else if turn.takes_confirmation() {
                turn.confirm(i, Via::Text);
            } else if turn.says_again(i) {
                let name = turn.attempt(i).name.clone();
                turn.record(Some(&name), Note::Repeated { name: name.clone(), ended: Some(turn.s.phase) });
                turn.tell(Purpose::AlreadyReply, &name, number);
            }
        });
    }

    /// The person says again what is known. Whether they are answered: whatever answers us by itself is not, for ever.
    pub(super) fn says_again(&mut self, i: usize) -> bool {
        Recurring::count(&mut self.s.attempts[i].repeated, self.now)
    }

    /// A person said yes to the attempt with this index.
    pub(super) fn confirm(&mut self, i: usize, via: Via) {
        let name = self.attempt(i).name.clone();
        self.confirm_as(i, via, &name, None);
    }

    /// The same, by somebody who may not be the one who was meant. `by`: the operator who took their yes.
    pub(super) fn confirm_as(&mut self, i: usize, via: Via, name: &str, by: Option<&str>) {
        if !self.takes_confirmation() {
            return;
        }
        if !self.is_of_now(i) {
            self.answered_before(i);
            return;
        }
        let informs = self.s.informs(&self.s.attempts[i].purpose);
        let a = &mut self.s.attempts[i];
        a.confirmed_at.get_or_insert(self.now);
        let (name, number) = (name.to_owned(), a.address.phone().cloned());
        self.record(Some(&name), Note::Confirmed { name: name.clone(), via, note: None, by: by.map(str::to_owned) });
        if informs {
            // Kept, and it ends nothing: whoever is only informed takes nothing on.
            return;
        }
        self.close(Phase::Confirmed, Some(name.clone()), None, Some(i));
        if via == Via::Text {
            self.await_opening(i);
        }
        match (via, number) {
            (Via::Text, Some(number)) => self.tell(Purpose::ConfirmedReply, &name, &number),
            (Via::Mail, _) => self.tell_by_mail(Purpose::ConfirmedReply, i),
            _ => {}
        }
        self.stand_down_others(&name, Some(i));
    }

    /// Ends the dispatch. Nothing of the message leaves from now on, and calls that ring are taken back,
    /// but for the attempt `except`, which ends by itself.
    pub(super) fn close(&mut self, phase: Phase, by: Option<String>, reason: Option<String>, except: Option<usize>) {
        self.s.phase = phase;
        self.s.closed_at = Some(self.now);
        self.s.closed_by.clone_from(&by);
        self.s.troubles.clear();
        self.s.unopened = None;
        self.s.paused = None;
        if let Some(run) = self.s.current() {
            let state = match phase {
                Phase::Confirmed => RunState::Confirmed,
                Phase::Told | Phase::ReadAtCheckIn => RunState::Told,
                Phase::Recapped | Phase::Delivered => RunState::Done,
                _ => RunState::Skipped,
            };
            self.end_run(run, state);
        }
        self.drop_unsettled(None, except);
        if !matches!(phase, Phase::Confirmed | Phase::Told | Phase::ReadAtCheckIn | Phase::Recapped) {
            self.record(by.as_deref(), Note::Closed { phase, by: by.clone(), reason });
        }
    }

    /// Drops what was not handed over yet and takes back calls, of one run or of all.
    pub(super) fn drop_unsettled(&mut self, run: Option<usize>, except: Option<usize>) {
        for (i, a) in self.s.attempts.iter_mut().enumerate() {
            let untaken = a.job.as_ref().is_some_and(|job| job.taken.is_none());
            let meant = match a.purpose {
                Purpose::Step { run: own } => run.is_none_or(|run| run == own),
                // No step's, so none takes it along.
                Purpose::ByHand { .. } => run.is_none(),
                _ => false,
            };
            // What they answered may be in line to go once more.
            let ends_by_itself = Some(i) == except && a.in_flight_since.is_some();
            if !meant || a.is_settled() || ends_by_itself {
                continue;
            }
            if a.patch.is_some() {
                a.in_flight_since = None;
                a.cancelled = true;
            } else if a.in_flight_since.is_none() && a.more {
                a.give_up_others();
            } else if a.in_flight_since.is_none() {
                a.cancelled = true;
                a.retry_at = None;
                a.hold_until = None;
            } else if matches!(a.channel, Channel::Call | Channel::Fax) {
                self.effects.push(Effect::CancelCall(a.id.clone()));
                if untaken {
                    a.in_flight_since = None;
                    a.owner = None;
                    a.cancelled = true;
                }
            }
        }
    }

    /// Tells everybody who was texted, was asked by email or has it in the inbox, but for the one who took it, that it is over.
    pub(super) fn stand_down_others(&mut self, by: &str, took: Option<usize>) {
        let took = took.map(|i| (self.attempt(i).contact.clone(), self.attempt(i).address.clone()));
        let mut others: Vec<(Channel, String, Address)> = Vec::new();
        let asks = |a: &Attempt| matches!(a.channel, Channel::Text | Channel::Push) || a.mail_confirm;
        for a in self.s.attempts.iter().filter(|a| a.is_step() && asks(a)) {
            let same = a.name == by
                || took.as_ref().is_some_and(|(contact, address)| {
                    a.address == *address || (a.contact.is_some() && a.contact == *contact)
                });
            // Whoever texted STOP had it before.
            let lost = a.failed.as_ref().is_some_and(|failed| failed.left_nothing() && !failed.is_stopped());
            let asked = a.handed_at.is_some() && !lost;
            if asked && !same && !others.iter().any(|(_, _, known)| *known == a.address) {
                others.push((a.channel, a.name.clone(), a.address.clone()));
            }
        }
        let stopped = |(channel, _, address): &(Channel, String, Address)| {
            *channel == Channel::Text && self.refuses_texts(address)
        };
        let (untold, others): (Vec<_>, Vec<_>) = others.into_iter().partition(stopped);
        for (_, name, _) in untold {
            self.not_texted(&name);
        }
        if others.is_empty() {
            return;
        }
        let mut names: Vec<String> = others.iter().map(|(_, name, _)| name.clone()).collect();
        names.dedup();
        self.record(None, Note::StoodDown { names, closed: self.s.phase == Phase::ClosedByOperator });
        for (channel, name, address) in others {
            self.tell_by(channel, Purpose::StandDown, &name, address);
        }
    }

    /// Plans a text that is not the message: an answer, or word that it is over.
    pub(super) fn tell(&mut self, purpose: Purpose, name: &str, number: &PhoneNumber) {
        self.tell_by(Channel::Text, purpose, name, Address::Phone(number.clone()));
    }

    pub(super) fn tell_by(&mut self, channel: Channel, purpose: Purpose, name: &str, address: Address) {
        if channel == Channel::Text && self.refuses_texts(&address) {
            return self.not_texted(name);
        }
        let i = self.push_attempt(purpose, channel, name, "", address);
        self.effects.push(Effect::Hand(self.attempt(i).id.clone()));
    }

    pub(super) fn ask_which(&mut self, number: &PhoneNumber, name: &str) {
        self.tell(Purpose::WhichReply, name, number);
    }

    /// Each text is a line of its own, which says what the alarm is about.
    pub(super) fn unplaced(&mut self, number: &PhoneNumber, name: &str, text: Note, help: bool) {
        self.record(Some(name), text);
        if self.s.phase.is_open() {
            self.s.troubles.insert(Trouble::TextUnplaced { from: name.to_owned() });
        }
        if help {
            self.tell(Purpose::HelpReply, name, number);
        }
    }

    /// What somebody wrote has been read. Of what else is the matter that says nothing.
    pub(super) fn dismissed(&mut self, by: &str, all: bool) {
        let is_to_read = |trouble: &Trouble| {
            matches!(trouble, Trouble::TextUnplaced { .. } | Trouble::Wrote { .. } | Trouble::MailUnplaced { .. })
        };
        self.s.troubles.retain(|trouble| !(all && is_to_read(trouble)));
        self.record(Some(by), Note::Dismissed { by: by.to_owned() });
    }

    /// STOP: what was texted there has failed, so the step moves on, and an operator is told.
    pub(super) fn stopped(&mut self, number: &PhoneNumber) {
        if !self.s.phase.is_open() {
            return;
        }
        let current = self.s.current();
        let mut who: Option<(String, Option<ContactId>)> = None;
        for a in &mut self.s.attempts {
            if a.channel != Channel::Text || a.address.phone() != Some(number) {
                continue;
            }
            who = Some((a.name.clone(), a.contact.clone()));
            let in_step = current.is_some_and(|run| a.purpose == Purpose::Step { run });
            if (in_step || !a.is_settled()) && a.failed.is_none() && a.confirmed_at.is_none() {
                a.in_flight_since = None;
                a.retry_at = None;
                a.failed = Some(FailedFor { at: self.now, permanent: true, why: "stopped".to_owned() });
            }
        }
        if let Some((name, _)) = who {
            self.asked_for_no_texts(&name, Some(number));
        }
    }

    /// It is said in the words of what they did: whoever reads that they cannot be reached looks for a fault. And said once, however
    /// many steps do not text them for it: it stands as an alarm until they text START.
    pub(super) fn asked_for_no_texts(&mut self, name: &str, number: Option<&PhoneNumber>) {
        self.trouble(Trouble::Stopped { who: name.to_owned(), number: number.cloned() });
    }

    /// START: they can be texted again. Told of where their STOP was.
    pub(super) fn started(&mut self, number: &PhoneNumber) {
        let asked = self.s.attempts.iter().rev().find(|a| a.address.phone() == Some(number)).map(|a| &a.name);
        let stopped = |trouble: &&Trouble| match trouble {
            Trouble::Stopped { number: Some(of), .. } => of == number,
            Trouble::Stopped { who, number: None } => Some(who) == asked,
            _ => false,
        };
        let over: Vec<Trouble> = self.s.troubles.iter().filter(stopped).cloned().collect();
        for trouble in over {
            self.s.troubles.remove(&trouble);
            if let Trouble::Stopped { who: name, .. } = trouble {
                self.record(Some(&name.clone()), Note::Started { name });
            }
        }
    }
}
