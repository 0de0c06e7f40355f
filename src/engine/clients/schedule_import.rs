//! Shifts out of a spreadsheet or a calendar, made a temporary schedule of a role. Looked at first: nothing is stored unless it is asked
//! for, and not while lines were not understood unless whoever asks has seen them and says so.

use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::base::id::{AccountId, ScheduleId};
use crate::domain::account::Account;
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::oncall::calendar::{Calendar, calendar};
use crate::domain::oncall::change::{Made, TemporaryEdit};
use crate::domain::oncall::dates::DateOrder;
use crate::domain::oncall::displaced::{Displaced, both_on_call, extent, left_open, odd_dates};
use crate::domain::oncall::edit::ScheduleEdit;
use crate::domain::oncall::read_in::{ReadIn, read_ics};
use crate::domain::oncall::read_table::read_csv;
use crate::domain::oncall::{Schedule, Temporary, TemporaryShift};

use super::{ChangedSchedule, Clients, Refusal};

/// What the temporary schedule is called that a file becomes.
const READ_IN: &str = "read in";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ShiftFileFormat)]
pub enum Format {
    Csv,
    Ics,
}

/// A file to be read in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct ShiftFile {
    /// The account's, as it was read. Not needed to look only.
    #[serde(default)]
    pub edition: Option<u32>,
    pub format: Format,
    pub text: String,
    /// Whose schedule it goes into; one is made if there is none.
    pub role: String,
    /// Of times that do not say; the schedule's if it is left out.
    #[serde(default)]
    pub zone: Option<String>,
    /// What stands first in a date like 5/12/2026; the file decides, where its dates can be read only one way.
    #[serde(default)]
    pub date_order: Option<DateOrder>,
    /// Only look what would come of it.
    #[serde(default)]
    pub dry_run: bool,
    /// What was not understood is left out.
    #[serde(default)]
    pub skip: bool,
}

/// What came of it, or would.
#[derive(Clone, Debug)]
pub struct ShiftsRead {
    /// None: nothing was stored.
    pub schedule: Option<Schedule>,
    pub edition: u32,
    /// The change in the history, to be named when it is taken back.
    pub change: Option<i64>,
    pub read: ReadIn,
    /// What it puts out of force. None: nothing of it was understood.
    pub displaced: Option<Displaced>,
    /// Why it could not be stored as it is.
    pub refused: Vec<Fault>,
    pub calendar: Option<Calendar>,
}

impl Clients {
    /// Reads a file into the schedule of a role.
    pub async fn import_shifts(&self, id: &AccountId, file: &ShiftFile, by: &str) -> Result<ShiftsRead, Refusal> {
        let edition = self.store.find_account_edition(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let account = self.store.find_account(id).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(id).await?;
        let role = file.role.trim();
        let there = self.store.list_schedules(id).await?.into_iter().find(|schedule| schedule.role == role);
        let zone = read_zone(file, &account, there.as_ref())?;
        let read = match file.format {
            Format::Csv => read_csv(&file.text, &zone, &contacts, file.date_order),
            Format::Ics => read_ics(&file.text, &zone, &contacts, self.clock.utc()),
        };
        let Some(edit) = as_edit(&read) else {
            return if file.dry_run {
                Ok(looked_at(edition, read))
            } else {
                Err(refuse("import.nothing", "No line of it was understood.", "Look at it with dry_run first."))
            };
        };
        let blank = || Schedule::blank(ScheduleId::named("preview"), id.clone(), role.to_owned(), account.zone.clone());
        if file.dry_run {
            let made = Made { by, at: self.clock.utc() };
            let before = there.clone().unwrap_or_else(blank);
            // A date that is years off makes it longer than may be: the report says which, so it is not refused here.
            return Ok(match edit.apply(&before, &contacts, made) {
                Ok(after) => ShiftsRead {
                    refused: self.clashes_of(&account, &contacts, there, &after).await?,
                    displaced: displaced(&edit, Some(&after), &read),
                    calendar: Some(calendar(&after, edit.from, edit.until)),
                    ..looked_at(edition, read)
                },
                Err(refused) => {
                    ShiftsRead { displaced: displaced(&edit, None, &read), refused, ..looked_at(edition, read) }
                }
            });
        }
        if !read.not_understood.is_empty() && !file.skip {
            let detail = match read.not_understood.len() {
                1 => "1 line was not understood.".to_owned(),
                lines => format!("{lines} lines were not understood."),
            };
            let cure = "Correct them, or send `skip` to leave them out.";
            return Err(refuse("import.not_understood", &detail, cure));
        }
        let (schedule, seen) = match there {
            Some(schedule) => (schedule.id, file.edition),
            None => {
                // What would be refused leaves no empty schedule behind.
                let made = Made { by, at: self.clock.utc() };
                edit.apply(&blank(), &contacts, made).map_err(Refusal::Faulty)?;
                let empty = ScheduleEdit {
                    edition: file.edition,
                    role: role.to_owned(),
                    zone: file.zone.clone(),
                    layers: Vec::new(),
                    fallback: None,
                    remind: false,
                };
                let made = self.add_schedule(id, &empty, by).await?;
                (made.now.id, Some(made.edition))
            }
        };
        let change =
            |schedule: &Schedule, _: &Account, contacts: &[_], made: Made<'_>| edit.apply(schedule, contacts, made);
        let changed = self.change_schedule(&schedule, seen, by, change).await?;
        let calendar = Some(calendar(&changed.now, edit.from, edit.until));
        let displaced = displaced(&edit, Some(&changed.now), &read);
        let ChangedSchedule { now, edition, change } = changed;
        Ok(ShiftsRead { schedule: Some(now), edition, change, read, displaced, refused: Vec::new(), calendar })
    }
}

/// What a change put there was read from a file by `by`.
pub fn is_import_by(before: Option<&Schedule>, after: Option<&Schedule>, by: &str) -> bool {
    let was_there = |plan: &Temporary| before.is_some_and(|before| before.temporary.contains(plan));
    after.is_some_and(|after| {
        after.temporary.iter().any(|plan| plan.name == READ_IN && plan.by == by && !was_there(plan))
    })
}

/// Only read so far.
fn looked_at(edition: u32, read: ReadIn) -> ShiftsRead {
    ShiftsRead { schedule: None, edition, change: None, read, displaced: None, refused: Vec::new(), calendar: None }
}

/// `after`: the schedule with it, if it can be one.
fn displaced(edit: &TemporaryEdit, after: Option<&Schedule>, read: &ReadIn) -> Option<Displaced> {
    let open = after.map(|after| left_open(after, &read.shifts)).unwrap_or_default();
    let (both, odd) = (both_on_call(&read.shifts), odd_dates(&read.shifts));
    Some(Displaced { from: edit.from, until: edit.until, open, both, odd })
}

fn read_zone(file: &ShiftFile, account: &Account, there: Option<&Schedule>) -> Result<TimeZone, Refusal> {
    let own = there.map_or(account.zone.as_str(), |schedule| schedule.zone.as_str());
    let name = file.zone.as_deref().unwrap_or(own);
    TimeZone::get(name).map_err(|_| {
        let mut faults = Faults::default();
        let detail = format!("There is no zone called {name}.");
        faults.add("/zone", "schedule.zone", detail, "Write its IANA name, or leave it out.");
        Refusal::Faulty(faults.into_list())
    })
}

/// One temporary schedule from the first beginning to the last end.
fn as_edit(read: &ReadIn) -> Option<TemporaryEdit> {
    let (from, until) = extent(&read.shifts)?;
    let shift = |shift: &crate::domain::oncall::read_in::Shift| TemporaryShift {
        contact: shift.contact.clone(),
        from: shift.from,
        until: shift.until,
    };
    let shifts = read.shifts.iter().map(shift).collect();
    Some(TemporaryEdit { edition: None, name: READ_IN.to_owned(), from, until, shifts })
}

fn refuse(code: &'static str, detail: &str, cure: &str) -> Refusal {
    let mut faults = Faults::default();
    faults.add("/text", code, detail, cure);
    Refusal::Clash(faults.into_list())
}
