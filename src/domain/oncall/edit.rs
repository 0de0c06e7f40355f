//! What people may write as a schedule. All that is wrong is told at once. Pure.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Layer, Schedule};
use crate::base::id::ContactId;
use crate::domain::account::Contact;
use crate::domain::account::fault::{Fault, Faults};

const MAX_LAYERS: usize = 20;
const MAX_TURNS: usize = 400;
const MAX_PEOPLE: usize = 20;
const MAX_WINDOWS: usize = 50;

/// A schedule as it is written: its overrides and temporary schedules have doors of their own and stay.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct ScheduleEdit {
    /// The account's, as it was read.
    #[serde(default)]
    pub edition: Option<u32>,
    pub role: String,
    /// The account's if it is left out.
    #[serde(default)]
    pub zone: Option<String>,
    /// From the lowest to the uppermost.
    #[serde(default)]
    pub layers: Vec<Layer>,
    #[serde(default)]
    pub fallback: Option<ContactId>,
    /// Tell its people before their shift and when it begins.
    #[serde(default)]
    pub remind: bool,
}

impl ScheduleEdit {
    /// `before` as this says.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn apply(&self, before: &Schedule, zone: &str, contacts: &[Contact]) -> Result<Schedule, Vec<Fault>> {
        let mut faults = Faults::default();
        let role = self.role.trim();
        if role.is_empty() || role.chars().count() > 60 {
            let cure = "Write what protocols call it, in 60 characters at most: technician.";
            faults.add("/role", "schedule.role", "The role is missing or too long.", cure);
        }
        let zone = self.zone.as_deref().map_or(zone, str::trim);
        check_zone(&mut faults, "/zone", zone);
        if self.layers.len() > MAX_LAYERS {
            let cure = format!("Write {MAX_LAYERS} at most.");
            faults.add("/layers", "schedule.too_many_layers", "These are too many layers.", cure);
        }
        for (at, layer) in self.layers.iter().enumerate() {
            check_layer(&mut faults, &format!("/layers/{at}"), layer, contacts);
        }
        if let Some(fallback) = &self.fallback {
            check_person(&mut faults, "/fallback", fallback, contacts);
        }
        faults.unless(Schedule {
            role: role.to_owned(),
            zone: zone.to_owned(),
            layers: self.layers.clone(),
            fallback: self.fallback.clone(),
            remind: self.remind,
            ..before.clone()
        })
    }
}

/// What is wrong with a layer, each with where it stands below `pointer`.
pub fn check_layer(faults: &mut Faults, pointer: &str, layer: &Layer, contacts: &[Contact]) {
    if layer.name.trim().is_empty() || layer.name.chars().count() > 60 {
        let cure = "Write one of 60 characters at most: it stands in reasons.";
        faults.add(format!("{pointer}/name"), "schedule.layer_name", "The name is missing or too long.", cure);
    }
    if let Some(zone) = &layer.zone {
        check_zone(faults, &format!("{pointer}/zone"), zone);
    }
    if layer.rotation.anchor.parse::<DateTime>().is_err() {
        let cure = "Write the first hand-off as 2026-11-02T08:00.";
        faults.add(format!("{pointer}/rotation/anchor"), "schedule.anchor", "This is no date and time.", cure);
    }
    let turns = &layer.rotation.turns;
    if turns.is_empty() || turns.len() > MAX_TURNS || turns.iter().all(|turn| turn.people.is_empty()) {
        let cure = format!("Name at least one contact, in {MAX_TURNS} turns at most.");
        faults.add(format!("{pointer}/rotation/turns"), "schedule.nobody", "Nobody is in the rotation.", cure);
    }
    for (at, turn) in turns.iter().enumerate() {
        let pointer = format!("{pointer}/rotation/turns/{at}");
        if !turn.length.lasts() {
            let cure = "Write how long a turn lasts: 1 and more.";
            faults.add(format!("{pointer}/length"), "schedule.length", "This turn has no length.", cure);
        }
        if turn.people.len() > MAX_PEOPLE {
            let cure = format!("Name {MAX_PEOPLE} at most.");
            faults.add(format!("{pointer}/people"), "schedule.too_many", "These are too many at once.", cure);
        }
        for (nth, person) in turn.people.iter().enumerate() {
            check_person(faults, &format!("{pointer}/people/{nth}"), person, contacts);
        }
    }
    if layer.windows.len() > MAX_WINDOWS {
        let cure = format!("Write {MAX_WINDOWS} at most.");
        faults.add(format!("{pointer}/windows"), "schedule.too_many_windows", "These are too many hours.", cure);
    }
    for (at, window) in layer.windows.iter().enumerate() {
        if window.days.is_empty() {
            let cure = "Choose the days on which it begins, or leave it out.";
            faults.add(format!("{pointer}/windows/{at}/days"), "schedule.window_days", "It is on no day.", cure);
        }
        if window.span.times().is_none() {
            let cure = "Write both ends as 20:00.";
            faults.add(format!("{pointer}/windows/{at}"), "schedule.window_times", "This is no time of the day.", cure);
        }
    }
    if let (Some(from), Some(until)) = (layer.from, layer.until)
        && until <= from
    {
        let cure = "Choose an end that is later than the beginning.";
        faults.add(format!("{pointer}/until"), "schedule.times", "It ends before it begins.", cure);
    }
}

fn check_zone(faults: &mut Faults, pointer: &str, zone: &str) {
    if TimeZone::get(zone).is_err() {
        let detail = format!("There is no zone called {zone}.");
        faults.add(pointer, "schedule.zone", detail, "Write its IANA name, or leave it out.");
    }
}

fn check_person(faults: &mut Faults, pointer: &str, id: &ContactId, contacts: &[Contact]) {
    if !contacts.iter().any(|contact| contact.id == *id) {
        let detail = "The account has no such contact.";
        faults.add(pointer, "schedule.unknown_contact", detail, "Choose one of the account's contacts.");
    }
}
