//! A call as consoles see it, computed from its machine. Changes nothing.

use std::sync::Arc;
use std::time::Instant;

use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::call::Call;
use crate::domain::call::bridge::Source;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::Stage;
use crate::domain::call::patch;
use crate::domain::call::view::Role;
use crate::domain::ivr::menu::Choice;
use crate::engine::feed::{
    AccountBrief, AccountRef, CallState, CallView, ChosenView, ColleagueView, ContactRef, EndedView, HearsView,
    NoteView, ParkedView, PatchState, PatchView, QualityView, RecordingView, RingBackView, RingsBackView,
};
use crate::io::media::LegQuality;
use crate::io::store::callbacks::Callback;

/// What does not change in a call; `earlier` is counted once the caller waits for somebody who wants to know it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub id: CallId,
    pub account: Arc<Account>,
    pub did: PhoneNumber,
    pub caller: Option<PhoneNumber>,
    pub forwarded_from: Option<PhoneNumber>,
    pub started: Instant,
    pub started_at: UtcMs,
    pub earlier: u32,
    /// Who calls has been asked by dispatches that are open.
    pub rings_back: Option<RingsBackView>,
}

impl Facts {
    /// Wall time of a monotonic one, by the call's own start: events keep their distances to the millisecond.
    pub(super) fn utc(&self, at: Instant) -> UtcMs {
        let ms = |later: Instant, earlier: Instant| {
            i64::try_from(later.saturating_duration_since(earlier).as_millis()).unwrap_or(i64::MAX)
        };
        self.started_at.plus_ms(ms(at, self.started) - ms(self.started, at))
    }

    pub(super) fn account_ref(&self) -> AccountRef {
        AccountRef::from(&*self.account)
    }
}

/// The call now. `contact` is who was dialled last, `ended` how the call ended if it did.
pub(super) fn view(
    facts: &Facts,
    call: &Call,
    contact: Option<&ContactRef>,
    ring_back: Option<&Callback>,
    ended: Option<Cause>,
) -> CallView {
    CallView {
        id: facts.id.clone(),
        account: facts.account_ref(),
        account_brief: AccountBrief {
            answer_phrase: facts.account.answer_phrase.clone(),
            notes: facts.account.notes.clone(),
        },
        did: facts.did.clone(),
        caller: facts.caller.clone(),
        forwarded_from: facts.forwarded_from.clone(),
        state: state(call.stage()),
        chosen: call.choices().iter().map(chosen).collect(),
        entered: call.entered().to_vec(),
        call_type: call.call_type().cloned(),
        seat: call.seat().cloned(),
        started_at: facts.started_at,
        state_since: facts.utc(call.stage_since()),
        wrap_up_until: call.wrap_up_until().map(|at| facts.utc(at)),
        offered_until: call.offered_until().map(|at| facts.utc(at)),
        ring_back: ring_back.map(|callback| RingBackView {
            promised_in: callback.call.clone(),
            since: callback.rang_at(),
            tries: callback.tries,
        }),
        job: None,
        dialled: None,
        comes: None,
        rings_back: facts.rings_back.as_ref().map(RingsBackView::for_desks),
        patch: patch_view(facts, call, contact),
        hears: hears(call),
        ended: ended.map(|cause| EndedView { cause }),
        parked: call.parked().map(|parked| ParkedView {
            slot: parked.slot(),
            by: parked.by.clone(),
            since: facts.utc(parked.since),
            remind_at: facts.utc(parked.remind_at),
            return_at: facts.utc(parked.return_at),
        }),
        colleague: call.colleague().map(|asked| ColleagueView {
            user: asked.user.clone(),
            there: asked.is_up(),
            joined: asked.joined,
            since: facts.utc(asked.since),
        }),
        taken: call.was_taken(),
        note: call.note().map(|note| NoteView { by: note.by.clone(), text: note.text.clone() }),
        recording: RecordingView {
            mode: call.recording_mode(),
            state: call.recording_state(),
            covered: call.is_recording_covered(),
            legs: call.recorded_legs(),
        },
        earlier: facts.earlier,
        listeners: Vec::new(),
    }
}

fn chosen(choice: &Choice) -> ChosenView {
    ChosenView { key: choice.digits.clone(), label: choice.label.clone() }
}

/// The figures of a party's line.
pub(super) fn quality_view(call: CallId, role: Role, quality: &LegQuality) -> QualityView {
    let lost = quality.lost_in.max(quality.lost_out.unwrap_or(0));
    let jitter_us = quality.jitter_in_us.max(quality.jitter_out_us.unwrap_or(0));
    QualityView {
        call,
        who: role.word(),
        loss: f32::from(lost) / 10.0,
        jitter_ms: jitter_us.div_ceil(1_000),
        round_trip_ms: quality.round_trip_us.map(|us| us.div_ceil(1_000)),
    }
}

const fn state(stage: Stage) -> CallState {
    match stage {
        Stage::Arriving | Stage::Greeting => CallState::Greeting,
        Stage::Menu => CallState::Menu,
        Stage::Voicemail => CallState::Voicemail,
        Stage::CheckIn => CallState::CheckIn,
        Stage::Announcement => CallState::Announcement,
        Stage::Spilling => CallState::Spilling,
        Stage::Reaching => CallState::Reaching,
        Stage::Queued | Stage::Apology => CallState::Queued,
        Stage::Offered => CallState::Offered,
        Stage::RingingBack => CallState::RingingBack,
        Stage::Talking => CallState::Talking,
        Stage::Held => CallState::Held,
        Stage::Parked => CallState::Parked,
        Stage::Consulting => CallState::Consulting,
        Stage::Patching => CallState::Patching,
        Stage::Conference => CallState::Conference,
        Stage::Patched => CallState::Patched,
        Stage::WrapUp => CallState::WrapUp,
        Stage::Ended => CallState::Ended,
    }
}

fn patch_view(facts: &Facts, call: &Call, contact: Option<&ContactRef>) -> Option<PatchView> {
    let contact = contact.cloned();
    if let Some(patch) = call.patch() {
        let state = match patch.state {
            patch::PatchState::Dialling => PatchState::Dialling,
            patch::PatchState::Ringing => PatchState::Ringing,
            patch::PatchState::Asked => PatchState::Asked,
            patch::PatchState::Private => PatchState::Private,
            patch::PatchState::Held => PatchState::Held,
            patch::PatchState::Joined => PatchState::Joined,
            patch::PatchState::Dropped => PatchState::Dropped,
        };
        let since = facts.utc(patch.since);
        return Some(PatchView {
            state,
            contact,
            came_from: patch.came_from.clone(),
            number: patch.number.clone(),
            why: None,
            since,
            recalled: patch.recalled,
            next: call.next_number_to_dial().cloned(),
            cold: patch.cold,
        });
    }
    let end = call.patch_end()?;
    let since = facts.utc(end.since);
    let (number, why) = (end.number.clone(), Some(end.why));
    Some(PatchView {
        state: PatchState::Failed,
        contact,
        came_from: None,
        number,
        why,
        since,
        recalled: false,
        next: None,
        cold: false,
    })
}

fn hears(call: &Call) -> Vec<HearsView> {
    let rows = &call.matrix().rows;
    rows.iter()
        .filter_map(|(leg, sources)| {
            let role = call.role(*leg)?;
            let hears = if role == Role::Caller && call.caller_hears_prompt() {
                vec!["prompt"]
            } else {
                sources.iter().filter_map(|s| word(call, *s)).collect()
            };
            Some(HearsView { who: role.word(), hears })
        })
        .collect()
}

fn word(call: &Call, source: Source) -> Option<&'static str> {
    match source {
        Source::Leg(leg) => call.role(leg).map(Role::word),
        Source::Music => Some("music"),
        Source::Ringback => Some("ringback"),
    }
}
