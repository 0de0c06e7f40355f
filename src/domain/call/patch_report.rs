//! What became of a call's patches, read off its record: whom, when, how it ended, and how many minutes.
//!
//! Pure. What always holds: each number that was dialled for a patch, and each caller who was taken in for one, is one line; one that was cut off by a crash has no
//! end and no minutes.

use serde::Serialize;

use super::cause::Cause;
use super::event::RecordEvent;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;

/// How one number went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatchOutcome {
    /// Rings, or was cut off.
    Open,
    /// Not answered: `why`.
    Failed,
    /// Answered by a machine, or by somebody who did not want it.
    NotAccepted,
    /// Said no by a key.
    Declined,
    /// Given up by the operator, or the caller hung up before; `why` is `lost` where the operator's line broke.
    GivenUp,
    /// Joined with the caller.
    Joined,
}

/// One number of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchLine {
    pub contact: Option<ContactId>,
    pub number: PhoneNumber,
    /// By the account's flow: no operator made it.
    pub automated: bool,
    /// Joined with the caller without having been told anything first: a cold patch.
    pub cold: bool,
    /// Why it was that contact, where the flow said so.
    pub why_them: Option<String>,
    pub dialled_at: UtcMs,
    pub answered_at: Option<UtcMs>,
    pub joined_at: Option<UtcMs>,
    pub outcome: PatchOutcome,
    pub why: Option<Cause>,
    /// How long caller and contact were joined, and how much of that without an operator.
    pub ms: Option<u64>,
    pub alone_ms: Option<u64>,
}

/// The lines of a call's record.
pub fn read(events: impl IntoIterator<Item = (UtcMs, RecordEvent)>) -> Vec<PatchLine> {
    let mut lines: Vec<PatchLine> = Vec::new();
    let (mut automated, mut reasons) = (false, Vec::new());
    // The operator's line broke, and nobody has come since.
    let mut lost = false;
    for (at, event) in events {
        match &event {
            RecordEvent::PatchSought => automated = true,
            RecordEvent::PersonFound { contact, why } => reasons.push((contact.clone(), why.clone())),
            RecordEvent::NobodyReached => automated = false,
            RecordEvent::OperatorLost { .. } => lost = true,
            RecordEvent::Talking { .. } | RecordEvent::HandedOver { .. } => lost = false,
            RecordEvent::PatchDialled { contact, number } | RecordEvent::CallTakenIn { contact, number, .. } => {
                let reason = reasons.iter().find(|(there, _)| contact.as_ref() == Some(there));
                lines.push(PatchLine {
                    contact: contact.clone(),
                    number: number.clone(),
                    automated,
                    cold: false,
                    why_them: reason.filter(|_| automated).map(|(_, why)| why.clone()),
                    dialled_at: at,
                    answered_at: None,
                    joined_at: None,
                    outcome: PatchOutcome::Open,
                    why: None,
                    ms: None,
                    alone_ms: None,
                });
            }
            _ => {}
        }
        let Some(line) = lines.last_mut() else { continue };
        let ends = |outcome| if line.outcome == PatchOutcome::Open { outcome } else { line.outcome };
        match event {
            RecordEvent::PatchAnswered => line.answered_at = Some(at),
            RecordEvent::PatchUnannounced => line.cold = true,
            RecordEvent::PatchJoined => {
                (line.outcome, line.joined_at) = (PatchOutcome::Joined, Some(at));
                automated = false;
            }
            RecordEvent::PatchFailed { why } => (line.outcome, line.why) = (ends(PatchOutcome::Failed), Some(why)),
            RecordEvent::PatchNotAccepted { declined: true } => line.outcome = ends(PatchOutcome::Declined),
            RecordEvent::PatchNotAccepted { declined: false } => line.outcome = ends(PatchOutcome::NotAccepted),
            RecordEvent::PatchCancelled | RecordEvent::Ended { .. } | RecordEvent::Requeued => {
                if lost && line.outcome == PatchOutcome::Open {
                    line.why = Some(Cause::Lost);
                }
                line.outcome = ends(PatchOutcome::GivenUp);
            }
            RecordEvent::PatchOver { ms, alone_ms } => (line.ms, line.alone_ms) = (Some(ms), Some(alone_ms)),
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::UserId;
    use crate::domain::call::event::{CallOutcome, Stage};

    fn number() -> PhoneNumber {
        PhoneNumber::parse("+12025550190").expect("a valid number")
    }

    fn outcomes(events: Vec<RecordEvent>) -> Vec<(PatchOutcome, Option<u64>)> {
        let events = events.into_iter().zip(0..).map(|(event, n)| (UtcMs(n), event));
        read(events).into_iter().map(|line| (line.outcome, line.ms)).collect()
    }

    fn dialled(contact: &str) -> RecordEvent {
        RecordEvent::PatchDialled { contact: Some(ContactId::named(contact)), number: number() }
    }

    #[test]
    fn each_number_is_told_with_what_became_of_it() {
        let ended = RecordEvent::Ended { cause: Cause::HungUp, outcome: CallOutcome::Patched };
        let events = vec![
            dialled("ann"),
            RecordEvent::PatchFailed { why: Cause::Busy },
            dialled("ann"),
            RecordEvent::PatchCancelled,
            dialled("bob"),
            RecordEvent::PatchAnswered,
            RecordEvent::PatchJoined,
            RecordEvent::PatchDropped,
            RecordEvent::PatchOver { ms: 61_000, alone_ms: 60_000 },
            ended,
        ];
        let wanted =
            [(PatchOutcome::Failed, None), (PatchOutcome::GivenUp, None), (PatchOutcome::Joined, Some(61_000))];
        assert_eq!(outcomes(events), wanted);
    }

    #[test]
    fn an_operator_whose_line_broke_has_not_given_up_of_her_own() {
        let lost = || RecordEvent::OperatorLost { user: UserId::named("kim"), stage: Stage::Patching };
        let told = |events: &[RecordEvent]| {
            let all = [&[dialled("ann"), RecordEvent::PatchAnswered][..], events].concat();
            let line = read(all.into_iter().map(|event| (UtcMs(0), event))).remove(0);
            (line.outcome, line.why, line.answered_at.is_some())
        };
        assert_eq!(told(&[lost(), RecordEvent::Requeued]), (PatchOutcome::GivenUp, Some(Cause::Lost), true));
        let by_her = [RecordEvent::PatchCancelled, lost(), RecordEvent::Requeued];
        assert_eq!(told(&by_her), (PatchOutcome::GivenUp, None, true), "it was over before");
        let joined = [RecordEvent::PatchJoined, lost(), RecordEvent::PatchDropped, RecordEvent::Requeued];
        assert_eq!(told(&joined), (PatchOutcome::Joined, None, true), "the two talk on");
    }

    #[test]
    fn a_cold_patch_is_told_from_a_warm_one() {
        let joined = |events: &[RecordEvent]| {
            let all = [&[dialled("ann"), RecordEvent::PatchAnswered][..], events].concat();
            read(all.into_iter().map(|event| (UtcMs(0), event))).remove(0)
        };
        let warm = joined(&[RecordEvent::PatchJoined]);
        let cold = joined(&[RecordEvent::PatchUnannounced, RecordEvent::PatchJoined]);
        assert_eq!((warm.cold, cold.cold, cold.outcome), (false, true, PatchOutcome::Joined));
    }

    #[test]
    fn who_was_rung_by_the_flow_is_told_with_the_reason() {
        let events = [
            RecordEvent::PatchSought,
            RecordEvent::PersonFound { contact: ContactId::named("ann"), why: "on call".into() },
            dialled("ann"),
            RecordEvent::PatchAnswered,
            RecordEvent::PatchNotAccepted { declined: true },
            RecordEvent::NobodyReached,
            dialled("ann"),
        ];
        let lines = read(events.into_iter().zip(0..).map(|(event, n)| (UtcMs(n), event)));
        assert_eq!((lines[0].automated, lines[0].why_them.as_deref()), (true, Some("on call")));
        assert_eq!(lines[0].outcome, PatchOutcome::Declined);
        assert_eq!((lines[1].automated, lines[1].why_them.as_deref()), (false, None), "the operator's own");
        assert_eq!(lines[1].outcome, PatchOutcome::Open);
    }
}
