//! Pushes to the several devices of one person: what became of each, and which of them are tried once more.
//!
//! An attempt was accepted when the push service of one device took it, and says which; that hides nothing of the others: what
//! may still get through to them is tried again, though the wait has begun. What is gone for good is not asked again.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::{DeviceLine, Effect, Failure, Note};
use super::state::{Attempt, RETRY_AFTER_MS};
use crate::base::id::InboxDeviceId;

/// How often what may have arrived is sent.
const TRIES_IN_DOUBT: u32 = 2;

/// What became of a push to one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePush {
    pub device: InboxDeviceId,
    /// What its browser says it is: "iPhone".
    pub name: String,
    pub answer: PushAnswer,
    /// How often it was tried; counted here.
    #[serde(default)]
    pub tries: u32,
}

/// What its push service said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum PushAnswer {
    Taken,
    /// `why`: a short code.
    Failed {
        failure: Failure,
        why: String,
    },
}

impl DevicePush {
    fn is_taken(&self) -> bool {
        self.answer == PushAnswer::Taken
    }

    /// Another try may get through.
    fn is_worth_a_try(&self) -> bool {
        match self.answer {
            PushAnswer::Failed { failure: Failure::Temporary, .. } => {
                usize::try_from(self.tries).is_ok_and(|tries| tries <= RETRY_AFTER_MS.len())
            }
            PushAnswer::Failed { failure: Failure::Unknown, .. } => self.tries < TRIES_IN_DOUBT,
            PushAnswer::Taken | PushAnswer::Failed { failure: Failure::Permanent, .. } => false,
        }
    }
}

/// Of the failures of several devices the one that counts for all: what may still come of it first.
const fn rank(failure: Failure) -> u8 {
    match failure {
        Failure::Unknown => 2,
        Failure::Temporary => 1,
        Failure::Permanent => 0,
    }
}

impl Attempt {
    /// Whether a device is pushed to when this attempt is handed over: not if its service took it, or never will, nor once it may have
    /// arrived twice.
    pub fn goes_to(&self, device: &InboxDeviceId) -> bool {
        let known = self.devices.iter().find(|known| known.device == *device);
        known.is_none_or(|known| match known.answer {
            PushAnswer::Taken => false,
            // While others of theirs are still tried, what may have arrived does not come again and again.
            PushAnswer::Failed { failure: Failure::Unknown, .. } => known.tries < TRIES_IN_DOUBT,
            PushAnswer::Failed { failure, .. } => failure != Failure::Permanent,
        })
    }

    /// The devices that are still tried are given up. What was taken stays taken.
    pub(super) fn give_up_others(&mut self) {
        self.more = false;
        self.in_flight_since = None;
        self.owner = None;
        self.retry_at = None;
    }
}

impl Turn<'_> {
    pub(super) fn pushed(&mut self, i: usize, answers: &[DevicePush]) {
        let a = &mut self.s.attempts[i];
        for answer in answers {
            match a.devices.iter_mut().find(|known| known.device == answer.device) {
                Some(known) => *known = DevicePush { tries: known.tries + 1, ..answer.clone() },
                None => a.devices.push(DevicePush { tries: 1, ..answer.clone() }),
            }
        }
        if a.devices.iter().any(DevicePush::is_taken) {
            a.give_up_others();
            self.accepted(i, None);
            self.try_others(i);
        } else {
            let failures = a.devices.iter().filter_map(|known| match &known.answer {
                PushAnswer::Failed { failure, why } => Some((*failure, why.clone())),
                PushAnswer::Taken => None,
            });
            let Some((failure, why)) = failures.max_by_key(|(failure, _)| rank(*failure)) else { return };
            self.failed(i, failure, &why);
        }
        self.record_devices(i, answers);
    }

    /// One device's service took it; the others, which may yet, are tried again while anybody waits for an answer.
    fn try_others(&mut self, i: usize) {
        let wanted = !self.attempt(i).is_step() || (self.s.phase.is_open() && self.is_of_now(i));
        let a = &mut self.s.attempts[i];
        let worth = a.told_at.is_none() && a.failed.is_none() && a.devices.iter().any(DevicePush::is_worth_a_try);
        let after = usize::try_from(a.failures).ok().and_then(|n| RETRY_AFTER_MS.get(n));
        if let Some(after) = after.filter(|_| wanted && worth && a.accepted_at.is_some()) {
            a.failures += 1;
            a.more = true;
            a.retry_at = Some(self.now.plus_ms(*after));
        }
    }

    /// Where there are several, what became of each.
    fn record_devices(&mut self, i: usize, answers: &[DevicePush]) {
        let a = self.attempt(i);
        if a.devices.len() < 2 {
            return;
        }
        let told = a.devices.iter().filter(|known| answers.iter().any(|answer| answer.device == known.device));
        let lines = told.map(|known| DeviceLine {
            device: known.name.clone(),
            why: match &known.answer {
                PushAnswer::Taken => None,
                PushAnswer::Failed { why, .. } => Some(why.clone()),
            },
            again: a.retry_at.is_some() && known.is_worth_a_try(),
        });
        let note = Note::Devices { name: a.name.clone(), lines: lines.collect() };
        let name = a.name.clone();
        self.record(Some(&name), note);
    }

    /// The node that was pushing to the others is gone: they are pushed to once more.
    pub(super) fn others_interrupted(&mut self, i: usize, most: u32) {
        let open = self.s.phase.is_open() && self.is_of_now(i);
        let a = &mut self.s.attempts[i];
        a.interruptions += 1;
        let again = (open || !a.is_step()) && a.interruptions <= most;
        a.give_up_others();
        if again {
            a.more = true;
            a.uncertain = true;
            a.planned_at = self.now;
            self.effects.push(Effect::Hand(a.id.clone()));
        }
    }
}
