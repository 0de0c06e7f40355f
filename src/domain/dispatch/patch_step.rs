//! A live patch as a step: the operator who has the caller is asked to put them through, and the next step follows at once
//! if that comes to nothing.
//!
//! Rings nobody and knows no line: it is the operator who makes the patch on the call, as any other, and `engine/calls` tells
//! what becomes of it. What always holds: nobody is rung for a caller who has hung up, nor again after a crash; an offer
//! that nobody takes up ends by itself; and a patch that connects ends the dispatch whichever step it is in.

use serde::{Deserialize, Deserializer, Serialize};

use super::Turn;
use super::event::Note;
use super::state::{Attempt, CallOutcome, Phase};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;

/// How long the operator has to begin. The caller is on the line: there is nobody else to wait for.
pub const BEGIN_WITHIN_MS: i64 = 60_000;
/// How long a patch may ring and be announced until it is given up for the dispatch: a word of it has been lost.
const FINISH_WITHIN_MS: i64 = 15 * 60_000;

/// What makes an attempt the operator's who has the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchOffer {
    /// By then it has to be begun, or to be over.
    pub due_at: UtcMs,
    /// They are being rung.
    pub begun: bool,
}

/// Whom the caller is being put through to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patching {
    pub contact: Option<ContactId>,
    pub number: PhoneNumber,
}

/// How far a patch on the call has come. That it has connected is another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", content = "why", rename_all = "snake_case")]
pub enum PatchNews {
    /// They are being rung.
    Begun,
    /// It came to nothing.
    Over(PatchEnd),
}

/// Why a caller was not put through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchEnd {
    NoAnswer,
    Busy,
    /// They were spoken with, and did not take it; or declined on their telephone.
    Refused,
    WrongNumber,
    /// Not for want of an answer: no line, not allowed, lost.
    NotConnected,
    /// Before anybody had answered.
    GivenUp,
    NotBegun,
    CallerGone,
    OperatorLost,
}

impl PatchEnd {
    const fn of_call(self) -> CallOutcome {
        match self {
            Self::NoAnswer | Self::NotBegun => CallOutcome::NoAnswer,
            Self::Busy => CallOutcome::Busy,
            Self::Refused => CallOutcome::Declined,
            Self::WrongNumber | Self::NotConnected | Self::OperatorLost => CallOutcome::Lost,
            Self::GivenUp | Self::CallerGone => CallOutcome::Cancelled,
        }
    }
}

impl Patching {
    fn is_of(&self, a: &Attempt) -> bool {
        (self.contact.is_some() && self.contact == a.contact) || a.address.phone() == Some(&self.number)
    }
}

/// Adds to whom a caller was put through, one after another: each once, so that what is told twice changes nothing. True: somebody is new.
pub fn add_names(there: &mut Vec<String>, names: &[String]) -> bool {
    let before = there.len();
    for name in names {
        if !there.contains(name) {
            there.push(name.clone());
        }
    }
    there.len() > before
}

/// `Ben, then Ann`.
pub fn in_turn(names: &[String]) -> String {
    names.join(", then ")
}

/// How names are kept: one by one; before that they were one sentence, or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Names(Vec<String>),
    Sentence(String),
}

/// Reads them as they are kept.
pub(super) fn read_names<'de, D: Deserializer<'de>>(kept: D) -> Result<Vec<String>, D::Error> {
    Ok(match Option::<Kept>::deserialize(kept)? {
        Some(Kept::Names(names)) => names,
        Some(Kept::Sentence(sentence)) => vec![sentence],
        None => Vec::new(),
    })
}

impl Turn<'_> {
    /// A patch has connected: that ends it, whichever step it is in.
    pub(super) fn put_through(&mut self, names: &[String]) {
        let is_new = add_names(&mut self.s.patched_to, names);
        let to = in_turn(names);
        // Before T0 it can still be taken back; it closes when that time is over.
        if self.s.phase.is_open() && self.s.phase != Phase::Open {
            self.close(Phase::Patched, Some(to.clone()), None, None);
            self.stand_down_others(&to, None);
            self.send_records();
        } else if self.s.phase == Phase::Patched && is_new {
            self.s.closed_by = Some(in_turn(&self.s.patched_to));
            self.record(Some(&to.clone()), Note::Closed { phase: Phase::Patched, by: Some(to), reason: None });
        }
    }

    /// The operator with the caller sees it from now on.
    pub(super) fn offer_patch(&mut self, i: usize) {
        let now = self.now;
        let begun = self.s.patching.as_ref().is_some_and(|patching| patching.is_of(&self.s.attempts[i]));
        let within = if begun { FINISH_WITHIN_MS } else { BEGIN_WITHIN_MS };
        let a = &mut self.s.attempts[i];
        a.in_flight_since = Some(now);
        a.patch = Some(PatchOffer { due_at: now.plus_ms(within), begun });
        let (name, label) = (a.name.clone(), a.label.clone());
        self.record(Some(&name.clone()), Note::PatchOffered { name, label });
    }

    pub(super) fn patching(&mut self, contact: Option<&ContactId>, number: &PhoneNumber, news: PatchNews) {
        if !self.s.phase.is_open() {
            return;
        }
        let whom = Patching { contact: contact.cloned(), number: number.clone() };
        let asked = self.open_offers().into_iter().find(|i| whom.is_of(&self.s.attempts[*i]));
        match news {
            PatchNews::Begun => {
                self.s.patching = Some(whom);
                if let Some(i) = asked {
                    self.patch_begun(i);
                }
            }
            PatchNews::Over(why) => {
                self.s.patching = None;
                if why == PatchEnd::CallerGone {
                    self.caller_gone();
                } else if let Some(i) = asked {
                    self.patch_over(i, why);
                }
            }
        }
    }

    fn patch_begun(&mut self, i: usize) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        let Some(patch) = a.patch.as_mut().filter(|patch| !patch.begun) else { return };
        patch.begun = true;
        patch.due_at = now.plus_ms(FINISH_WITHIN_MS);
        a.handed_at.get_or_insert(now);
        let name = a.name.clone();
        self.record(Some(&name.clone()), Note::PatchBegun { name });
    }

    fn patch_over(&mut self, i: usize, why: PatchEnd) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        a.in_flight_since = None;
        a.ended_at = Some(now);
        a.outcome = Some(why.of_call());
        let (name, label) = (a.name.clone(), a.label.clone());
        self.record(Some(&name.clone()), Note::PatchOver { name, label, why });
    }

    /// Its time is over.
    pub(super) fn patch_due(&mut self, i: usize) {
        let begun = self.s.attempts[i].patch.as_ref().is_some_and(|patch| patch.begun);
        self.patch_over(i, if begun { PatchEnd::NotConnected } else { PatchEnd::NotBegun });
    }

    /// Nobody is on the line any more to be put through.
    pub(super) fn caller_gone(&mut self) {
        self.s.caller_gone = true;
        self.s.patching = None;
        for i in self.open_offers() {
            self.patch_over(i, PatchEnd::CallerGone);
        }
    }

    fn open_offers(&self) -> Vec<usize> {
        let open = |a: &Attempt| a.patch.is_some() && a.in_flight_since.is_some();
        (0..self.s.attempts.len()).filter(|i| open(&self.s.attempts[*i])).collect()
    }
}
