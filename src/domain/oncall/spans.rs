//! Who is on call from when until when, and by which layer: what a calendar shows. Pure.
//!
//! What always holds: the spans of [`final_spans`] cover what was asked for without hole or overlap, and at each instant say what
//! [`super::resolve`] does.

use serde::Serialize;

use super::Schedule;
use super::plan::{Plan, Verdict};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;

pub use super::plan::Source;

/// More changes than anybody looks at in a calendar at once; what is later is told as one span.
const MAX_CHANGES: usize = 10_000;

/// The same people on call by the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ShiftSpan)]
pub struct Span {
    /// In their order; nobody if it is empty.
    pub people: Vec<ContactId>,
    pub from: UtcMs,
    pub until: UtcMs,
    /// In words: "override by the office, 17:02, beats rotation B".
    pub why: String,
    pub source: Source,
    /// It begins there; false: it began before what was asked for.
    pub starts: bool,
    /// It ends there; false: it goes on.
    pub ends: bool,
}

/// Who is on call between two instants, without holes.
pub fn final_spans(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Vec<Span> {
    let plan = Plan::of(schedule);
    let look = |at| Some(plan.at(at));
    walk(&plan, from, until, look, |after| plan.next_change(after))
}

/// Whom each layer by itself puts on call, the lowest first; where one puts nobody on call is left out.
pub fn layer_spans(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Vec<Vec<Span>> {
    let plan = Plan::of(schedule);
    let layer = |index: usize| {
        let look = |at| {
            let people = plan.layer_at(index, at)?.to_vec();
            Some(Verdict { people, source: Source::Layer { layers: vec![index] } })
        };
        walk(&plan, from, until, look, |after| plan.next_layer_change(index, after))
    };
    (0..schedule.layers.len()).map(layer).collect()
}

/// What the temporary schedules say; what they leave open is left out.
pub fn temporary_spans(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Vec<Span> {
    let alone = Schedule { layers: Vec::new(), overrides: Vec::new(), fallback: None, ..schedule.clone() };
    final_spans(&alone, from, until).into_iter().filter(|span| !span.people.is_empty()).collect()
}

fn walk(
    plan: &Plan<'_>,
    from: UtcMs,
    until: UtcMs,
    look: impl Fn(UtcMs) -> Option<Verdict>,
    next: impl Fn(UtcMs) -> Option<UtcMs>,
) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut at = from;
    for changes in 0.. {
        if at >= until {
            break;
        }
        let change = if changes < MAX_CHANGES { next(at) } else { None };
        let end = change.map_or(until, |next| next.min(until));
        if let Some(Verdict { people, source }) = look(at) {
            let last = spans.last_mut().filter(|last| last.until == at);
            match last.filter(|last| last.people == people && last.source == source) {
                Some(last) => last.until = end,
                None => {
                    let why = plan.why(at, &source);
                    spans.push(Span { people, from: at, until: end, why, source, starts: true, ends: true });
                }
            }
        }
        at = end;
    }
    if let Some(first) = spans.first_mut().filter(|first| first.from == from) {
        let before = look(UtcMs(from.0 - 1));
        first.starts = before.is_none_or(|b| (&b.people, &b.source) != (&first.people, &first.source));
    }
    if let Some(last) = spans.last_mut().filter(|last| last.until == until) {
        let after = look(until);
        last.ends = after.is_none_or(|a| (&a.people, &a.source) != (&last.people, &last.source));
    }
    spans
}
