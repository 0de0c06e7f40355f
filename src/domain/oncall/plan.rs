//! A schedule ready to be asked: who is on call at an instant and by what, and when that may change next. Pure.
//!
//! Overrides beat temporary schedules beat layers, an upper layer beats a lower one, layers that are beside each other share; the
//! fallback stands in while nobody is left. A layer with a zone or an anchor that cannot be read counts for nothing.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::turns::Turns;
use super::windows::{HolidayTimes, Windows};
use super::{Days, Layer, Override, OverrideAct, Schedule, Temporary};
use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, OverrideId};

/// What says who is on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = OnCallSource)]
pub enum Source {
    /// Layers by their place from the lowest, 0; several that are beside each other.
    Layer {
        layers: Vec<usize>,
    },
    Temporary {
        name: String,
    },
    /// Those that made the difference, in the order made.
    Override {
        ids: Vec<OverrideId>,
    },
    Fallback,
    Nobody,
}

/// Who is on call at an instant, by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) people: Vec<ContactId>,
    pub(super) source: Source,
}

pub(super) struct Plan<'a> {
    schedule: &'a Schedule,
    zone: Option<TimeZone>,
    layers: Vec<Option<ReadyLayer<'a>>>,
    holidays: Option<HolidayTimes>,
    /// In the order in which they were made.
    overrides: Vec<&'a Override>,
}

struct ReadyLayer<'a> {
    layer: &'a Layer,
    turns: Turns<'a>,
    windows: Windows<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn of(schedule: &'a Schedule) -> Self {
        let zone = TimeZone::get(&schedule.zone).ok();
        let ready = |layer: &'a Layer| {
            let zone = match &layer.zone {
                Some(name) => TimeZone::get(name).ok()?,
                None => zone.clone()?,
            };
            let turns = Turns::of(&layer.rotation, zone.clone())?;
            Some(ReadyLayer { layer, turns, windows: Windows::of(&layer.windows, zone) })
        };
        let mut overrides: Vec<&Override> = schedule.overrides.iter().collect();
        overrides.sort_by_key(|over| over.made_at);
        Self {
            schedule,
            layers: schedule.layers.iter().map(ready).collect(),
            holidays: zone.clone().map(|zone| HolidayTimes::of(&schedule.holidays, zone)),
            zone,
            overrides,
        }
    }

    /// Who is on call at `at`.
    pub(super) fn at(&self, at: UtcMs) -> Verdict {
        let Verdict { mut people, source } = self.below(at);
        let mut by: Vec<OverrideId> = Vec::new();
        for over in self.overrides_at(at) {
            if matches!(over.act, OverrideAct::Only { .. }) {
                by.clear();
            }
            if apply(&over.act, &mut people) {
                by.push(over.id.clone());
            }
        }
        let source = if by.is_empty() { source } else { Source::Override { ids: by } };
        match &self.schedule.fallback {
            Some(fallback) if people.is_empty() => Verdict { people: vec![fallback.clone()], source: Source::Fallback },
            _ => Verdict { people, source },
        }
    }

    /// The same without overrides and fallback.
    fn below(&self, at: UtcMs) -> Verdict {
        if let Some(plan) = self.temporary_at(at) {
            let mut people = Vec::new();
            for shift in plan.shifts.iter().filter(|shift| shift.from <= at && at < shift.until) {
                put(&mut people, &shift.contact);
            }
            let source = if people.is_empty() { Source::Nobody } else { Source::Temporary { name: plan.name.clone() } };
            return Verdict { people, source };
        }
        let mut top = self.layers.len();
        while top > 0 {
            // Down to the layer that all of these are beside.
            let mut bottom = top - 1;
            while bottom > 0 && self.schedule.layers[bottom].beside {
                bottom -= 1;
            }
            let (mut people, mut layers) = (Vec::new(), Vec::new());
            for index in bottom..top {
                let Some(on) = self.layer_at(index, at) else { continue };
                for person in on {
                    put(&mut people, person);
                }
                layers.push(index);
            }
            if !layers.is_empty() {
                return Verdict { people, source: Source::Layer { layers } };
            }
            top = bottom;
        }
        Verdict { people: Vec::new(), source: Source::Nobody }
    }

    /// Who is on call by one layer alone; none while it does not count or pauses.
    pub(super) fn layer_at(&self, index: usize, at: UtcMs) -> Option<&'a [ContactId]> {
        let ready = self.layers.get(index)?.as_ref()?;
        let layer = ready.layer;
        let begun = layer.from.is_none_or(|from| from <= at) && layer.until.is_none_or(|until| at < until);
        let is_day = match layer.days {
            Days::All => true,
            Days::Holidays => self.is_holiday(at),
            Days::NotHolidays => !self.is_holiday(at),
        };
        if !begun || !is_day || !ready.windows.are_open(at) {
            return None;
        }
        Some(ready.turns.turn_at(at)?.people.as_slice()).filter(|people| !people.is_empty())
    }

    fn is_holiday(&self, at: UtcMs) -> bool {
        self.holidays.as_ref().is_some_and(|holidays| holidays.is_one(at))
    }

    /// The temporary schedule in force at `at`; of several the one made last.
    pub(super) fn temporary_at(&self, at: UtcMs) -> Option<&'a Temporary> {
        let here = self.schedule.temporary.iter().filter(|plan| plan.from <= at && at < plan.until);
        here.max_by_key(|plan| plan.made_at)
    }

    fn overrides_at(&self, at: UtcMs) -> impl Iterator<Item = &'a Override> {
        self.overrides.iter().copied().filter(move |over| over.from <= at && at < over.until)
    }

    /// The override changes somebody at `at`, as those before it left things.
    pub(super) fn takes_effect(&self, id: &OverrideId, at: UtcMs) -> bool {
        let mut people = self.below(at).people;
        for over in self.overrides_at(at) {
            let does = apply(&over.act, &mut people);
            if over.id == *id {
                return does;
            }
        }
        false
    }

    /// The next instant later than `after` at which something may change.
    pub(super) fn next_change(&self, after: UtcMs) -> Option<UtcMs> {
        let layers = (0..self.layers.len()).filter_map(|index| self.next_layer_change(index, after));
        let temporary = self.schedule.temporary.iter().flat_map(|plan| {
            let shifts = plan.shifts.iter().flat_map(|shift| [shift.from, shift.until]);
            shifts.chain([plan.from, plan.until])
        });
        let overrides = self.overrides.iter().flat_map(|over| [over.from, over.until]);
        layers.chain(temporary.chain(overrides).filter(|at| *at > after)).min()
    }

    /// The same for one layer alone.
    pub(super) fn next_layer_change(&self, index: usize, after: UtcMs) -> Option<UtcMs> {
        let ready = self.layers.get(index)?.as_ref()?;
        let layer = ready.layer;
        let holidays = self.holidays.as_ref().filter(|_| layer.days != Days::All);
        let ends = [layer.from, layer.until].into_iter().flatten().filter(|at| *at > after);
        let civil = [
            ready.turns.next_hand_off(after),
            ready.windows.next_change(after),
            holidays.and_then(|holidays| holidays.next_change(after)),
        ];
        ends.chain(civil.into_iter().flatten()).min()
    }

    /// The reason in words for what [`Plan::at`] says at `at`.
    pub(super) fn why(&self, at: UtcMs, source: &Source) -> String {
        match source {
            Source::Nobody => "nobody is on call".to_owned(),
            Source::Fallback => "fallback".to_owned(),
            Source::Layer { layers } => {
                let names: Vec<&str> = layers
                    .iter()
                    .filter_map(|index| self.schedule.layers.get(*index))
                    .map(|layer| layer.name.as_str())
                    .collect();
                names.join(" and ")
            }
            Source::Temporary { name } => {
                let plan = self.temporary_at(at);
                let by = plan.map(|plan| format!(" by {}, {}", plan.by, self.time(plan.made_at, plan.from)));
                format!("temporary schedule {name}{}", by.unwrap_or_default())
            }
            Source::Override { ids } => {
                let last = ids.last().and_then(|id| self.overrides.iter().find(|over| over.id == *id));
                let Some(over) = last else { return "override".to_owned() };
                let below = self.below(at).source;
                let beats = match below {
                    Source::Nobody => Cow::Borrowed(""),
                    beaten => Cow::Owned(format!(", beats {}", self.why(at, &beaten))),
                };
                format!("override by {}, {}{beats}", over.by, self.time(over.made_at, over.from))
            }
        }
    }

    /// When something was made, in the schedule's civil time; with the date if that is not `of`'s.
    fn time(&self, at: UtcMs, of: UtcMs) -> String {
        let civil = |at: UtcMs| {
            let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
            Some(zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?))
        };
        let (Some(made), Some(day)) = (civil(at), civil(of)) else { return String::new() };
        let format = if made.date() == day.date() { "%H:%M" } else { "%-d %b %H:%M" };
        made.strftime(format).to_string()
    }
}

/// Says whether it changed anybody.
fn apply(act: &OverrideAct, people: &mut Vec<ContactId>) -> bool {
    match act {
        OverrideAct::Only { contact } => {
            *people = vec![contact.clone()];
            true
        }
        OverrideAct::Replace { contact, instead_of } => {
            let Some(place) = people.iter().position(|person| person == instead_of) else { return false };
            if contact == instead_of {
                return false;
            }
            if people.contains(contact) {
                // Both were on call: whoever stays is on call once.
                people.remove(place);
            } else {
                people[place] = contact.clone();
            }
            true
        }
        OverrideAct::Add { contact } => put(people, contact),
        OverrideAct::Remove { contact } => {
            let before = people.len();
            people.retain(|person| person != contact);
            people.len() < before
        }
    }
}

fn put(people: &mut Vec<ContactId>, person: &ContactId) -> bool {
    let new = !people.contains(person);
    if new {
        people.push(person.clone());
    }
    new
}
