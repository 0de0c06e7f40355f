//! Schedules of who is on call, with their overrides.

use serde::Deserialize;
use sqlx::AssertSqlSafe;

use crate::base::id::{AccountId, ContactId, ScheduleId};
use crate::domain::account::hours::Holiday;
use crate::domain::oncall::{Layer, ONLY_LAYER, Override, OverrideAct, Rotation, Schedule, ShiftLength};

use super::calls::pieces;
use super::sql::{json, places};
use super::{Arg, Query, Row, StoreError, Tx, args, readers};

readers! {
    /// The schedule with this identifier.
    find_schedule(id: &ScheduleId) -> Option<Schedule>;
    /// All schedules of an account, by role.
    list_schedules(account: &AccountId) -> Vec<Schedule>;
    /// Every schedule there is.
    list_all_schedules() -> Vec<Schedule>;
    /// All schedules of these accounts, each one's by role.
    list_schedules_of(accounts: &[AccountId]) -> Vec<Schedule>;
}

/// What schedules had in place of layers before there were any.
#[derive(Deserialize)]
struct OldRotation {
    people: Vec<ContactId>,
    anchor: String,
    length: ShiftLength,
}

/// Of an account's settings, what schedules ask about.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OnlyHours {
    hours: OnlyHolidays,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OnlyHolidays {
    holidays: Vec<Holiday>,
}

async fn find_schedule(from: &mut impl Query, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
    Ok(load(from, "id = $1", args![id]).await?.pop())
}

async fn list_schedules(from: &mut impl Query, account: &AccountId) -> Result<Vec<Schedule>, StoreError> {
    load(from, "account = $1", args![account]).await
}

async fn list_all_schedules(from: &mut impl Query) -> Result<Vec<Schedule>, StoreError> {
    load(from, "1 = 1", Vec::new()).await
}

async fn list_schedules_of(from: &mut impl Query, accounts: &[AccountId]) -> Result<Vec<Schedule>, StoreError> {
    let mut schedules = Vec::new();
    for accounts in pieces(accounts) {
        let filter = format!("account IN ({})", places(accounts.len()));
        schedules.extend(load(from, &filter, accounts.iter().flat_map(|id| args![id]).collect()).await?);
    }
    Ok(schedules)
}

async fn load(from: &mut impl Query, filter: &str, args: Vec<Arg>) -> Result<Vec<Schedule>, StoreError> {
    let schedules = format!(
        "SELECT id, account, role, zone, rotation, layers, temporary, fallback, remind FROM schedule WHERE {filter} ORDER BY role, id"
    );
    let overrides = format!(
        "SELECT schedule, id, kind, contact, instead_of, from_at, until_at, made_by, made_at, note FROM schedule_override
         WHERE schedule IN (SELECT id FROM schedule WHERE {filter}) ORDER BY made_at, id"
    );
    // Safe: `filter` is one of the literals above, or made of placeholders.
    let rows = from.fetch_all(AssertSqlSafe(schedules), args.clone()).await?;
    let mut schedules = rows.iter().map(schedule).collect::<Result<Vec<_>, _>>()?;
    for row in from.fetch_all(AssertSqlSafe(overrides), args).await? {
        let owner: ScheduleId = row.read("schedule")?;
        if let Some(schedule) = schedules.iter_mut().find(|s| s.id == owner) {
            schedule.overrides.push(Override {
                id: row.read("id")?,
                act: act(&row)?,
                from: row.read("from_at")?,
                until: row.read("until_at")?,
                by: row.read("made_by")?,
                made_at: row.read("made_at")?,
                note: row.read("note")?,
            });
        }
    }
    for schedule in schedules.iter_mut().filter(|schedule| schedule.asks_for_holidays()) {
        const SQL: &str = "SELECT settings FROM account WHERE id = $1";
        if let Some(row) = from.fetch_optional(SQL, args![&schedule.account]).await? {
            schedule.holidays = row.read_json::<OnlyHours>("settings")?.hours.holidays;
        }
    }
    Ok(schedules)
}

fn act(row: &Row) -> Result<OverrideAct, StoreError> {
    let contact = row.read("contact")?;
    let instead_of: Option<ContactId> = row.read("instead_of")?;
    Ok(match (row.read::<String>("kind")?.as_str(), instead_of) {
        ("replace", Some(instead_of)) => OverrideAct::Replace { contact, instead_of },
        ("add", _) => OverrideAct::Add { contact },
        ("remove", _) => OverrideAct::Remove { contact },
        _ => OverrideAct::Only { contact },
    })
}

const fn kind(act: &OverrideAct) -> &'static str {
    match act {
        OverrideAct::Only { .. } => "only",
        OverrideAct::Replace { .. } => "replace",
        OverrideAct::Add { .. } => "add",
        OverrideAct::Remove { .. } => "remove",
    }
}

fn schedule(row: &Row) -> Result<Schedule, StoreError> {
    let layers = match row.read_json_optional::<Vec<Layer>>("layers")? {
        Some(layers) => layers,
        None => row.read_json_optional::<OldRotation>("rotation")?.into_iter().map(only_layer).collect(),
    };
    Ok(Schedule {
        id: row.read("id")?,
        account: row.read("account")?,
        role: row.read("role")?,
        zone: row.read("zone")?,
        layers,
        temporary: row.read_json("temporary")?,
        overrides: Vec::new(),
        fallback: row.read("fallback")?,
        remind: row.read("remind")?,
        holidays: Vec::new(),
    })
}

fn only_layer(old: OldRotation) -> Layer {
    Layer::plain(ONLY_LAYER, Rotation::even(old.people, &old.anchor, old.length))
}

impl Tx {
    /// Writes a schedule with all its overrides.
    pub async fn upsert_schedule(&mut self, schedule: &Schedule) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO schedule (id, account, role, zone, layers, temporary, fallback, remind)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET role = excluded.role, zone = excluded.zone, rotation = NULL,
             layers = excluded.layers, temporary = excluded.temporary, fallback = excluded.fallback,
             remind = excluded.remind",
            args![
                &schedule.id,
                &schedule.account,
                &schedule.role,
                &schedule.zone,
                json(&schedule.layers),
                json(&schedule.temporary),
                schedule.fallback.as_ref(),
                schedule.remind
            ],
        )
        .await?;
        self.execute("DELETE FROM schedule_override WHERE schedule = $1", args![&schedule.id]).await?;
        for entry in &schedule.overrides {
            self.insert_override(&schedule.id, entry).await?;
        }
        Ok(())
    }

    /// Puts somebody else on call from one instant to another.
    pub async fn insert_override(&mut self, schedule: &ScheduleId, entry: &Override) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO schedule_override
             (schedule, id, kind, contact, instead_of, from_at, until_at, made_by, made_at, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                schedule,
                &entry.id,
                kind(&entry.act),
                entry.act.contact(),
                entry.act.instead_of(),
                entry.from,
                entry.until,
                &entry.by,
                entry.made_at,
                &entry.note
            ],
        )
        .await?;
        Ok(())
    }

    /// Removes a schedule with its overrides; its history stays. Whoever does it has seen to it that nothing needs it.
    pub async fn delete_schedule(&mut self, id: &ScheduleId) -> Result<(), StoreError> {
        self.execute("DELETE FROM schedule_override WHERE schedule = $1", args![id]).await?;
        self.execute("DELETE FROM schedule_feed WHERE schedule = $1", args![id]).await?;
        self.execute("DELETE FROM schedule WHERE id = $1", args![id]).await.map(|_| ())
    }
}
