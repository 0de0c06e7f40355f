//! A house that breaks one rule of the driver, so that it is seen that the judge notices.
//!
//! Asked by the house at the place of each rule. What always holds: one that breaks none changes nothing.

use cordboard::base::clock::UtcMs;
use cordboard::domain::dispatch::event::Effect;
use cordboard::domain::dispatch::lanes::Lane;
use cordboard::domain::dispatch::state::{Attempt, Phase, State};

use super::House;

/// Which rule the driver breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    LosesMessage,
    ForgetsTimer,
    Oversleeps,
    Dawdles,
    ForgetsYes,
    SendsAfterYes,
    LetsRing,
    SendsTwice,
    SettlesOne,
    RoutineFirst,
    GivesUpSilently,
    IgnoresHours,
    Unpins,
}

impl House {
    pub fn breaks(&self, rule: Sabotage) -> bool {
        self.sabotage == Some(rule)
    }

    /// Breaks the rule that this house breaks, if it does.
    pub(super) fn spoil(&self, before: &State, after: &mut State, effects: &mut Vec<Effect>, due: &mut Option<UtcMs>) {
        match self.sabotage {
            Some(Sabotage::ForgetsTimer) if after.attempts.len() > 2 => *due = None,
            Some(Sabotage::ForgetsYes) if before.phase == Phase::Confirmed && after != before => {
                after.phase = Phase::ExhaustedUnconfirmed;
                after.closed_at = None;
            }
            Some(Sabotage::SendsAfterYes) if after.phase == Phase::Confirmed && before.phase != after.phase => {
                effects.extend(after.attempts.iter().find(|a| a.is_step()).map(|a| Effect::Perform(a.id.clone())));
            }
            Some(Sabotage::Dawdles) => {
                for (run, was) in after.runs.iter_mut().zip(before.runs.iter().map(Some).chain(std::iter::repeat(None)))
                {
                    if was.is_none_or(|was| was.wait_from.is_none()) {
                        run.wait_from = run.wait_from.map(|at| at.plus_secs(7_200));
                    }
                }
                *due = after.wake().map(|(at, _)| at);
            }
            Some(Sabotage::LetsRing) => effects.retain(|effect| !matches!(effect, Effect::CancelCall(_))),
            Some(Sabotage::SendsTwice) => {
                let again: Vec<Effect> = effects.iter().filter(|e| matches!(e, Effect::Perform(_))).cloned().collect();
                effects.extend(again);
            }
            Some(Sabotage::GivesUpSilently) if after.phase == Phase::ExhaustedUnconfirmed => after.troubles.clear(),
            Some(Sabotage::IgnoresHours) => {
                for a in after.attempts.iter_mut().filter(|a| a.hold_until.is_some() && a.hold_until == a.not_before) {
                    a.hold_until = None;
                    effects.push(Effect::Hand(a.id.clone()));
                }
                *due = after.wake().map(|(at, _)| at);
            }
            Some(Sabotage::Unpins) => {
                let kind = &self.town.kinds[self.town.messages[&after.message].kind];
                after.protocol.version = kind.protocol.version;
            }
            _ => {}
        }
    }

    pub(super) fn lane_of(&self, state: &State, a: &Attempt) -> Lane {
        match Lane::of(state, a) {
            Lane::Urgent if self.breaks(Sabotage::RoutineFirst) => Lane::Routine,
            Lane::Routine if self.breaks(Sabotage::RoutineFirst) => Lane::Urgent,
            lane => lane,
        }
    }
}
