//! Schedules of who is on call, with their overrides.

use sqlx::AssertSqlSafe;

use crate::base::id::{AccountId, ScheduleId};
use crate::domain::oncall::{Override, Schedule};

use super::sql::json;
use super::{Arg, Query, Row, StoreError, Tx, args, readers};

readers! {
    /// The schedule with this identifier.
    find_schedule(id: &ScheduleId) -> Option<Schedule>;
    /// All schedules of an account, by role.
    list_schedules(account: &AccountId) -> Vec<Schedule>;
}

async fn find_schedule(from: &mut impl Query, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
    Ok(load(from, "id = $1", args![id]).await?.pop())
}

async fn list_schedules(from: &mut impl Query, account: &AccountId) -> Result<Vec<Schedule>, StoreError> {
    load(from, "account = $1", args![account]).await
}

async fn load(from: &mut impl Query, filter: &'static str, args: Vec<Arg>) -> Result<Vec<Schedule>, StoreError> {
    let schedules =
        format!("SELECT id, account, role, zone, rotation, fallback FROM schedule WHERE {filter} ORDER BY role, id");
    let overrides = format!(
        "SELECT schedule, contact, from_at, until_at, made_by, made_at FROM schedule_override
         WHERE schedule IN (SELECT id FROM schedule WHERE {filter}) ORDER BY made_at, from_at"
    );
    // Safe: `filter` is one of the literals above.
    let rows = from.fetch_all(AssertSqlSafe(schedules), args.clone()).await?;
    let mut schedules = rows.iter().map(schedule).collect::<Result<Vec<_>, _>>()?;
    for row in from.fetch_all(AssertSqlSafe(overrides), args).await? {
        let owner: ScheduleId = row.read("schedule")?;
        if let Some(schedule) = schedules.iter_mut().find(|s| s.id == owner) {
            schedule.overrides.push(Override {
                contact: row.read("contact")?,
                from: row.read("from_at")?,
                until: row.read("until_at")?,
                by: row.read("made_by")?,
                made_at: row.read("made_at")?,
            });
        }
    }
    Ok(schedules)
}

fn schedule(row: &Row) -> Result<Schedule, StoreError> {
    Ok(Schedule {
        id: row.read("id")?,
        account: row.read("account")?,
        role: row.read("role")?,
        zone: row.read("zone")?,
        rotation: row.read_json_optional("rotation")?,
        overrides: Vec::new(),
        fallback: row.read("fallback")?,
    })
}

impl Tx {
    /// Writes a schedule with all its overrides.
    pub async fn upsert_schedule(&mut self, schedule: &Schedule) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO schedule (id, account, role, zone, rotation, fallback) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET role = excluded.role, zone = excluded.zone,
             rotation = excluded.rotation, fallback = excluded.fallback",
            args![
                &schedule.id,
                &schedule.account,
                &schedule.role,
                &schedule.zone,
                schedule.rotation.as_ref().map(json),
                schedule.fallback.as_ref()
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
            "INSERT INTO schedule_override (schedule, contact, from_at, until_at, made_by, made_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![schedule, &entry.contact, entry.from, entry.until, &entry.by, entry.made_at],
        )
        .await?;
        Ok(())
    }
}
