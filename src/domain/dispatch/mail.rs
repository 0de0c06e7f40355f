//! What comes back by mail about an email of a dispatch: that it could not be delivered, that it is late, a reply.
//!
//! An email is confirmed by a reply only where its step asks for that, and never where the message is protected. What always
//! holds: a bounce never takes back what a person has confirmed; one reply has one effect; whoever answers a mail that
//! asks nothing is read by an operator, and the words stay on record.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::confirm::Reply;
use super::event::{Note, Via};
use super::recurring::Recurring;
use super::state::{Address, Attempt, Channel, FailedFor, Phase, Purpose, State, Trouble};
use crate::base::id::AttemptId;
use crate::base::pii::Pii;

/// So often a person who confirms once more by mail hears that it was confirmed before.
const MAX_ALREADY: usize = 3;

/// What a mail server says became of an email (RFC 3464 §2.3.3). `status`: its code (RFC 3463), `5.1.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// Given up; `for_good`: it would be again.
    Failed {
        status: String,
        for_good: bool,
        /// What the server that would not have it said; it may quote an address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Pii<String>>,
    },
    /// Not delivered yet, and tried on.
    Delayed { status: String },
    /// In the mailbox.
    Delivered,
}

impl State {
    /// Whether these words of a person, in a reply to this email, confirm the message. A number before the yes is the code that
    /// the person was texted for the same dispatch; 1 where there is none.
    pub fn is_yes_by_mail(&self, attempt: &AttemptId, words: &str) -> bool {
        let Some(asked) = self.find_attempt(attempt).filter(|asked| asked.mail_confirm) else { return false };
        let same = |a: &&Attempt| a.contact.is_some() && a.contact == asked.contact;
        let mut codes = self.attempts.iter().filter(same).filter_map(|a| a.code).peekable();
        match Reply::parse(words) {
            Reply::Bare => true,
            Reply::Code(code) if codes.peek().is_none() => code == 1,
            Reply::Code(code) => codes.any(|known| known == code),
            Reply::Stop | Reply::Start | Reply::WrongNumber | Reply::Other => false,
        }
    }
}

impl Turn<'_> {
    pub(super) fn mail_fate(&mut self, i: usize, fate: &Fate) {
        if self.attempt(i).channel != Channel::Email {
            return;
        }
        match fate {
            Fate::Failed { status, for_good, said } => self.bounced(i, status, *for_good, said.clone()),
            Fate::Delayed { status } => self.delayed(i, status),
            Fate::Delivered => self.delivered(i),
        }
    }

    /// It came back: whoever carried it has given it up, so nothing is gained by waiting.
    fn bounced(&mut self, i: usize, status: &str, for_good: bool, said: Option<Pii<String>>) {
        let (phase, of_now) = (self.s.phase, self.is_of_now(i));
        let a = &mut self.s.attempts[i];
        let proven = a.delivered_at.is_some() || a.told_at.is_some() || a.confirmed_at.is_some();
        if proven || a.cancelled || a.failed.as_ref().is_some_and(FailedFor::is_certain) {
            return;
        }
        // It may be faster than the answer of the relay that took it.
        a.accepted_at.get_or_insert(self.now);
        a.in_flight_since = None;
        a.owner = None;
        a.retry_at = None;
        a.failures += 1;
        let why = format!("came_back_{status}");
        a.failed = Some(FailedFor { at: self.now, permanent: for_good, why: why.clone() });
        let (name, label, step) = (a.name.clone(), a.label.clone(), a.is_step());
        let note = Note::Failed { channel: Channel::Email, name: name.clone(), label, why, said, for_good: true };
        self.record(Some(&name), note);
        if step && of_now && phase.is_open() {
            self.notice_instead(i);
        }
        self.came_back(i);
    }

    /// What had been taken was not delivered after all. What was told before a change is of no account any more.
    pub(super) fn came_back(&mut self, i: usize) {
        if !self.attempt(i).is_step() || !self.is_of_now(i) {
            return;
        }
        match self.s.phase {
            Phase::Delivered => self.reopen(i),
            // All steps are over: nobody else will see that one of their people was not reached.
            Phase::ExhaustedUnconfirmed => {
                let who = self.attempt(i).name.clone();
                self.trouble(Trouble::Unreachable { who });
            }
            _ => {}
        }
    }

    /// What was delivered by the protocol's own terms was not, if this attempt counted for it: the next step has its turn
    /// after all.
    fn reopen(&mut self, i: usize) {
        let (purpose, name) = (self.attempt(i).purpose.clone(), self.attempt(i).name.clone());
        let counted = match self.s.current() {
            // A step has ended it before the last: what other steps sent has not.
            Some(run) => purpose == Purpose::Step { run },
            None => matches!(purpose, Purpose::Step { .. }),
        };
        if !counted || self.s.informs(&purpose) {
            return;
        }
        self.s.closed_at = None;
        self.s.closed_by = None;
        self.record(Some(&name), Note::Reopened { name: name.clone() });
        self.trouble(Trouble::Unreachable { who: name });
        match self.s.current() {
            Some(run) => {
                self.s.phase = Phase::Running;
                // Its end had taken the alarm back that sounds in later rounds.
                if self.s.round > 1 && !self.s.anybody_told() {
                    self.trouble(Trouble::NobodyTold);
                }
                self.advance(run);
            }
            None => self.s.phase = Phase::ExhaustedUnconfirmed,
        }
    }

    fn delayed(&mut self, i: usize, status: &str) {
        let a = self.attempt(i);
        let settled = a.delivered_at.or(a.told_at).or(a.confirmed_at).is_some() || a.failed.is_some();
        if !settled {
            let name = a.name.clone();
            if !Recurring::count(&mut self.s.attempts[i].delayed, self.now) {
                return;
            }
            self.record(Some(&name), Note::Delayed { name: name.clone(), status: status.to_owned() });
        }
    }

    /// A person said yes in a reply to this email.
    pub(super) fn mail_yes(&mut self, i: usize) {
        let name = self.attempt(i).name.clone();
        if !self.attempt(i).mail_confirm {
            return;
        }
        if !self.takes_confirmation() {
            if self.says_again(i) {
                self.record(Some(&name), Note::Repeated { name: name.clone(), ended: Some(self.s.phase) });
                self.tell_by_mail(Purpose::AlreadyReply, i);
            }
            return;
        }
        if !self.is_of_now(i) {
            if self.answered_before(i) {
                self.tell_by_mail(Purpose::ChangedReply, i);
            }
            return;
        }
        self.confirm(i, Via::Mail);
    }

    /// Answers whoever replied to this email, at the address that it went to.
    pub(super) fn tell_by_mail(&mut self, purpose: Purpose, i: usize) {
        let Address::Email(_) = &self.attempt(i).address else { return };
        let (name, address) = (self.attempt(i).name.clone(), self.attempt(i).address.clone());
        // Whoever has got hold of a reply's address cannot have somebody else's mailbox filled.
        let told = self.s.attempts.iter().filter(|a| a.purpose == purpose && a.address == address).count();
        if told < MAX_ALREADY {
            self.tell_by(Channel::Email, purpose, &name, address);
        }
    }

    /// A reply by mail that an operator has to read. Each is a line of its own, once the dispatch is over too; it says what the alarm is
    /// about. Whose mailbox another is than the one that was written to, nobody knows: it is named before the words.
    pub(super) fn wrote_mail(&mut self, i: usize, from: &Pii<String>, words: &Pii<String>) {
        let (name, elsewhere) = (self.attempt(i).name.clone(), !self.attempt(i).is_mailbox(from.reveal()));
        let words = if elsewhere { Pii::new(format!("{}: {}", from.reveal(), words.reveal())) } else { words.clone() };
        self.record(Some(&name), Note::Mailed { name: name.clone(), elsewhere, words: Some(words) });
        if self.s.phase.is_open() {
            self.s.troubles.insert(Trouble::MailUnplaced { from: whose_reply(&name, elsewhere) });
        }
    }
}

impl Attempt {
    /// It went to this mailbox. Servers may tell cases apart (RFC 5321 §2.4); hardly any does.
    pub fn is_mailbox(&self, address: &str) -> bool {
        matches!(&self.address, Address::Email(known) if known.trim().eq_ignore_ascii_case(address.trim()))
    }
}

/// Who has answered an email to `name`.
pub fn whose_reply(name: &str, elsewhere: bool) -> String {
    if elsewhere { format!("somebody at another address than {name}'s") } else { name.to_owned() }
}
