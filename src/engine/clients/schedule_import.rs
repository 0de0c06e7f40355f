//! Shifts out of a spreadsheet or a calendar, made a temporary schedule of a role. Looked at first: nothing is stored unless it is asked
//! for, and not while lines were not understood unless whoever asks has seen them and says so.

use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ScheduleId};
use crate::domain::account::Account;
use crate::domain::account::fault::Faults;
use crate::domain::oncall::calendar::{Calendar, calendar};
use crate::domain::oncall::change::{Made, TemporaryEdit};
use crate::domain::oncall::edit::ScheduleEdit;
use crate::domain::oncall::read_in::{ReadIn, read_csv, read_ics};
use crate::domain::oncall::{Schedule, TemporaryShift};

use super::{ChangedSchedule, Clients, Refusal};

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
            Format::Csv => read_csv(&file.text, &zone, &contacts),
            Format::Ics => read_ics(&file.text, &zone, &contacts, self.clock.utc()),
        };
        let Some(edit) = as_edit(&read) else {
            return if file.dry_run {
                Ok(ShiftsRead { schedule: None, edition, change: None, read, calendar: None })
            } else {
                Err(refuse("import.nothing", "No line of it was understood.", "Look at it with dry_run first."))
            };
        };
        let blank = || Schedule::blank(ScheduleId::named("preview"), id.clone(), role.to_owned(), account.zone.clone());
        if file.dry_run {
            let made = Made { by, at: self.clock.utc() };
            let before = there.unwrap_or_else(blank);
            let after = edit.apply(&before, &contacts, made).map_err(Refusal::Faulty)?;
            let calendar = Some(calendar(&after, edit.from, edit.until));
            return Ok(ShiftsRead { schedule: None, edition, change: None, read, calendar });
        }
        if !read.not_understood.is_empty() && !file.skip {
            let detail = format!("{} lines were not understood.", read.not_understood.len());
            let cure = "Correct them, or send `skip` to leave them out.";
            return Err(refuse("import.not_understood", &detail, cure));
        }
        let (schedule, seen) = match there {
            Some(schedule) => (schedule.id, file.edition),
            None => {
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
        let ChangedSchedule { now, edition, change } = changed;
        Ok(ShiftsRead { schedule: Some(now), edition, change, read, calendar })
    }
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
    let from: UtcMs = read.shifts.iter().map(|shift| shift.from).min()?;
    let until = read.shifts.iter().map(|shift| shift.until).max()?;
    let shift = |shift: &crate::domain::oncall::read_in::Shift| TemporaryShift {
        contact: shift.contact.clone(),
        from: shift.from,
        until: shift.until,
    };
    let shifts = read.shifts.iter().map(shift).collect();
    Some(TemporaryEdit { edition: None, name: "read in".to_owned(), from, until, shifts })
}

fn refuse(code: &'static str, detail: &str, cure: &str) -> Refusal {
    let mut faults = Faults::default();
    faults.add("/text", code, detail, cure);
    Refusal::Clash(faults.into_list())
}
