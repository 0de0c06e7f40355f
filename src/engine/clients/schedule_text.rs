//! Schedules in documents: people by name. A schedule of one rotation is written as such, as documents of before there were layers
//! have it; overrides and temporary schedules that are over are not written.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, OverrideId, ScheduleId};
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::{Account, Contact};
use crate::domain::oncall::edit::check_layer;
use crate::domain::oncall::{
    Days, Layer, ONLY_LAYER, Override, OverrideAct, Rotation, Schedule, ShiftLength, ShiftTurn, Temporary,
    TemporaryShift, Window,
};

use super::document::{RotationText, ScheduleText};
use super::import::find_person;
use super::people::People;

/// A layer; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerText {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    pub anchor: String,
    pub turns: Vec<TurnText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    #[serde(default)]
    pub days: Days,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UtcMs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UtcMs>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
}

/// One turn; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnText {
    pub people: Vec<String>,
    pub length: ShiftLength,
}

/// A temporary schedule; people by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporaryText {
    pub name: String,
    pub from: UtcMs,
    pub until: UtcMs,
    pub shifts: Vec<ShiftText>,
    pub by: String,
    pub made_at: UtcMs,
}

/// Somebody's part of it, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShiftText {
    pub contact: String,
    pub from: UtcMs,
    pub until: UtcMs,
}

/// A change for a time, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideText {
    #[serde(default, skip_serializing_if = "KindText::is_only")]
    pub kind: KindText,
    pub contact: String,
    /// For `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    pub from: UtcMs,
    pub until: UtcMs,
    pub by: String,
    pub made_at: UtcMs,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What an override does; `only` in documents that do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindText {
    #[default]
    Only,
    Replace,
    Add,
    Remove,
}

impl KindText {
    fn is_only(&self) -> bool {
        *self == Self::Only
    }
}

impl People<'_> {
    pub(super) fn schedule(&self, schedule: &Schedule, now: UtcMs) -> ScheduleText {
        let rotation = self.simple(&schedule.layers);
        let layers = if rotation.is_some() { Vec::new() } else { self.layers(&schedule.layers) };
        let shift = |shift: &TemporaryShift| ShiftText {
            contact: self.name(&shift.contact),
            from: shift.from,
            until: shift.until,
        };
        let temporary = |plan: &Temporary| TemporaryText {
            name: plan.name.clone(),
            from: plan.from,
            until: plan.until,
            shifts: plan.shifts.iter().map(shift).collect(),
            by: plan.by.clone(),
            made_at: plan.made_at,
        };
        ScheduleText {
            role: schedule.role.clone(),
            zone: Some(schedule.zone.clone()),
            rotation,
            layers,
            fallback: schedule.fallback.as_ref().map(|id| self.name(id)),
            remind: schedule.remind,
            temporary: schedule.temporary.iter().filter(|plan| plan.until > now).map(temporary).collect(),
            overrides: schedule.overrides.iter().filter(|o| o.until > now).map(|o| self.over(o)).collect(),
        }
    }

    /// The rotation of a schedule that has no more than one, in which everybody takes even turns alone.
    fn simple(&self, layers: &[Layer]) -> Option<RotationText> {
        let [layer] = layers else { return None };
        let length = layer.rotation.turns.first()?.length;
        let people: Vec<ContactId> =
            layer.rotation.turns.iter().filter_map(|turn| turn.people.first().cloned()).collect();
        let even = Rotation::even(people.clone(), &layer.rotation.anchor, length);
        (*layer == Layer::plain(ONLY_LAYER, even)).then(|| RotationText {
            people: people.iter().map(|id| self.name(id)).collect(),
            anchor: layer.rotation.anchor.clone(),
            length,
        })
    }

    fn layers(&self, layers: &[Layer]) -> Vec<LayerText> {
        let turn = |turn: &ShiftTurn| TurnText {
            people: turn.people.iter().map(|id| self.name(id)).collect(),
            length: turn.length,
        };
        let layer = |layer: &Layer| LayerText {
            name: layer.name.clone(),
            zone: layer.zone.clone(),
            anchor: layer.rotation.anchor.clone(),
            turns: layer.rotation.turns.iter().map(turn).collect(),
            windows: layer.windows.clone(),
            days: layer.days,
            from: layer.from,
            until: layer.until,
            beside: layer.beside,
        };
        layers.iter().map(layer).collect()
    }

    fn over(&self, over: &Override) -> OverrideText {
        OverrideText {
            kind: match over.act {
                OverrideAct::Only { .. } => KindText::Only,
                OverrideAct::Replace { .. } => KindText::Replace,
                OverrideAct::Add { .. } => KindText::Add,
                OverrideAct::Remove { .. } => KindText::Remove,
            },
            contact: self.name(over.act.contact()),
            instead_of: over.act.instead_of().map(|id| self.name(id)),
            from: over.from,
            until: over.until,
            by: over.by.clone(),
            made_at: over.made_at,
            note: over.note.clone(),
        }
    }
}

/// What a document says of a schedule.
pub(super) fn read_schedule(
    written: &ScheduleText,
    account: &Account,
    id: ScheduleId,
    contacts: &[Contact],
) -> Result<Schedule, Vec<Fault>> {
    let mut faults = Faults::default();
    let role = written.role.trim().to_owned();
    if role.is_empty() {
        faults.add("/role", "schedule.role", "The role is missing.", "Write what protocols call it: technician.");
    }
    let zone = written.zone.clone().unwrap_or_else(|| account.zone.clone());
    if TimeZone::get(&zone).is_err() {
        let detail = format!("There is no time zone \"{zone}\".");
        faults.add("/zone", "schedule.zone", detail, "Write its IANA name, or leave it out.");
    }
    let mut schedule = Schedule::blank(id, account.id.clone(), role, zone);
    schedule.remind = written.remind;
    if let Some(rotation) = &written.rotation {
        schedule.layers.push(read_rotation(&mut faults, rotation, contacts));
    }
    for (at, layer) in written.layers.iter().enumerate() {
        schedule.layers.push(read_layer(&mut faults, &format!("/layers/{at}"), layer, contacts));
    }
    let fallback = written.fallback.as_ref();
    schedule.fallback = fallback.and_then(|name| find_person(&mut faults, "/fallback".into(), name, contacts));
    for (at, plan) in written.temporary.iter().enumerate() {
        let mut shifts = Vec::new();
        for (nth, shift) in plan.shifts.iter().enumerate() {
            let pointer = format!("/temporary/{at}/shifts/{nth}/contact");
            let Some(contact) = find_person(&mut faults, pointer, &shift.contact, contacts) else { continue };
            shifts.push(TemporaryShift { contact, from: shift.from, until: shift.until });
        }
        let TemporaryText { name, from, until, by, made_at, .. } = plan.clone();
        schedule.temporary.push(Temporary { name, from, until, shifts, by, made_at });
    }
    for (at, entry) in written.overrides.iter().enumerate() {
        let Some(act) = read_act(&mut faults, at, entry, contacts) else { continue };
        let OverrideText { from, until, by, made_at, note, .. } = entry.clone();
        let id = OverrideId::named(&format!("{}-{}-{at}", made_at.0.max(0), from.0.max(0)));
        schedule.overrides.push(Override { id, act, from, until, by, made_at, note });
    }
    faults.unless(schedule)
}

fn read_rotation(faults: &mut Faults, written: &RotationText, contacts: &[Contact]) -> Layer {
    if written.anchor.parse::<jiff::civil::DateTime>().is_err() {
        let cure = "Write the local time of the first hand-off: 2026-11-02T08:00.";
        faults.add("/rotation/anchor", "schedule.anchor", "This is no date and time.", cure);
    }
    if written.people.is_empty() {
        let cure = "Name at least one contact, or leave the rotation out.";
        faults.add("/rotation/people", "schedule.nobody", "Nobody is in the rotation.", cure);
    }
    let people = written.people.iter().enumerate();
    let people = people.filter_map(|(at, name)| find_person(faults, format!("/rotation/people/{at}"), name, contacts));
    Layer::plain(ONLY_LAYER, Rotation::even(people.collect(), &written.anchor, written.length))
}

fn read_layer(faults: &mut Faults, pointer: &str, written: &LayerText, contacts: &[Contact]) -> Layer {
    let mut turns = Vec::new();
    for (at, turn) in written.turns.iter().enumerate() {
        let people = turn.people.iter().enumerate().filter_map(|(nth, name)| {
            find_person(faults, format!("{pointer}/turns/{at}/people/{nth}"), name, contacts)
        });
        turns.push(ShiftTurn { people: people.collect(), length: turn.length });
    }
    let LayerText { name, zone, anchor, windows, days, from, until, beside, .. } = written.clone();
    let rotation = Rotation { anchor, turns };
    let layer = Layer { name, zone, rotation, windows, days, from, until, beside };
    check_layer(faults, pointer, &layer, contacts);
    layer
}

fn read_act(faults: &mut Faults, at: usize, written: &OverrideText, contacts: &[Contact]) -> Option<OverrideAct> {
    let contact = find_person(faults, format!("/overrides/{at}/contact"), &written.contact, contacts)?;
    Some(match (written.kind, &written.instead_of) {
        (KindText::Only, _) => OverrideAct::Only { contact },
        (KindText::Add, _) => OverrideAct::Add { contact },
        (KindText::Remove, _) => OverrideAct::Remove { contact },
        (KindText::Replace, Some(name)) => {
            let instead_of = find_person(faults, format!("/overrides/{at}/instead_of"), name, contacts)?;
            OverrideAct::Replace { contact, instead_of }
        }
        (KindText::Replace, None) => {
            let cure = "Name in whose place, or write another kind.";
            faults.add(format!("/overrides/{at}"), "override.instead_of", "It replaces nobody.", cure);
            return None;
        }
    })
}
