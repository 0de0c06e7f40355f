//! Who changed which schedule, in words, with the schedule as it was: what an undo puts back. Rows are only ever added.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ScheduleId};
use crate::domain::account::Contact;
use crate::domain::oncall::Schedule;
use crate::domain::oncall::difference::{Line, difference, instant, naming};

use super::audit::Who;
use super::sql::json;
use super::{Query, Row, StoreError, Tx, args, readers};

/// A change to be noted.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    /// None: it was made.
    pub before: Option<&'a Schedule>,
    /// None: it was removed.
    pub after: Option<&'a Schedule>,
    /// Who did it, as people call them.
    pub by: &'a str,
    /// The same, told apart from whoever is called so too.
    pub who: &'a Who,
    pub at: UtcMs,
    /// It takes this change back.
    pub undoes: Option<i64>,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleChange {
    pub seq: i64,
    pub schedule: ScheduleId,
    pub role: String,
    pub at: UtcMs,
    pub by: String,
    /// None: made before this was kept.
    pub who: Option<Who>,
    pub lines: Vec<Line>,
    pub before: Option<Schedule>,
    pub after: Option<Schedule>,
    pub undoes: Option<i64>,
}

readers! {
    /// The changes of an account's schedules, or of one, the newest first, from before `before` on.
    list_schedule_changes(
        account: &AccountId,
        schedule: Option<&ScheduleId>,
        before: i64,
        limit: u32,
    ) -> Vec<ScheduleChange>;
    /// The last change of a schedule, of one that was removed too, with whose it is.
    find_last_schedule_change(schedule: &ScheduleId) -> Option<(AccountId, ScheduleChange)>;
}

const COLUMNS: &str = "account, seq, schedule, role, at, made_by, made_by_who, lines, was, became, undoes";

async fn list_schedule_changes(
    from: &mut impl Query,
    account: &AccountId,
    schedule: Option<&ScheduleId>,
    before: i64,
    limit: u32,
) -> Result<Vec<ScheduleChange>, StoreError> {
    // Safe: nothing but the list of columns is put in.
    let rows = match schedule {
        Some(schedule) => {
            let sql = format!(
                "SELECT {COLUMNS} FROM schedule_change
                 WHERE account = $1 AND schedule = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4"
            );
            from.fetch_all(sqlx::AssertSqlSafe(sql), args![account, schedule, before, limit]).await?
        }
        None => {
            let sql = format!(
                "SELECT {COLUMNS} FROM schedule_change WHERE account = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3"
            );
            from.fetch_all(sqlx::AssertSqlSafe(sql), args![account, before, limit]).await?
        }
    };
    rows.iter().map(change).collect()
}

async fn find_last_schedule_change(
    from: &mut impl Query,
    schedule: &ScheduleId,
) -> Result<Option<(AccountId, ScheduleChange)>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM schedule_change WHERE schedule = $1 ORDER BY seq DESC LIMIT 1");
    let row = from.fetch_optional(sqlx::AssertSqlSafe(sql), args![schedule]).await?;
    row.map(|row| Ok((row.read("account")?, change(&row)?))).transpose()
}

fn change(row: &Row) -> Result<ScheduleChange, StoreError> {
    Ok(ScheduleChange {
        seq: row.read("seq")?,
        schedule: row.read("schedule")?,
        role: row.read("role")?,
        at: row.read("at")?,
        by: row.read("made_by")?,
        who: row.read::<Option<String>>("made_by_who")?.and_then(|who| Who::parse(&who)),
        lines: row.read_json("lines")?,
        before: row.read_json_optional("was")?,
        after: row.read_json_optional("became")?,
        undoes: row.read("undoes")?,
    })
}

impl Tx {
    /// Notes a change in the words of the account's `contacts`. False: nothing is other than it was, and nothing is noted.
    /// Whoever calls it holds the account.
    pub async fn note_schedule_change(&mut self, noted: &Noted<'_>, contacts: &[Contact]) -> Result<bool, StoreError> {
        // One of the two may come out of the history, which has no holidays.
        let both = [noted.before, noted.after].into_iter().flatten();
        let holidays = both.map(|schedule| &schedule.holidays).find(|days| !days.is_empty());
        // What is over is forgotten now and then, which is no change by anybody.
        let current = |schedule: &Schedule| {
            let mut schedule = schedule.clone();
            if let Some(holidays) = holidays {
                schedule.holidays.clone_from(holidays);
            }
            schedule.overrides.retain(|over| over.until > noted.at);
            schedule.temporary.retain(|plan| plan.until > noted.at);
            schedule
        };
        let (before, after) = (noted.before.map(current), noted.after.map(current));
        let mut lines = difference(before.as_ref(), after.as_ref(), &naming(contacts));
        if let (Some(seq), Some(of)) = (noted.undoes, noted.after.or(noted.before)) {
            let taken = self.list_schedule_changes(&of.account, Some(&of.id), seq.saturating_add(1), 1).await?;
            let whose = taken.first().map(|taken| format!("{} changed {}", taken.by, instant(taken.at, &of.zone)));
            let what = format!("took back what {}", whose.as_deref().unwrap_or("was changed before"));
            lines.insert(0, Line { what, before: None, after: None });
        }
        let Some(of) = noted.after.or(noted.before).filter(|_| !lines.is_empty()) else { return Ok(false) };
        let sql = "INSERT INTO schedule_change
            (account, seq, schedule, role, at, made_by, made_by_who, lines, was, became, undoes)
            VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM schedule_change WHERE account = $1),
                $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let args = args![
            &of.account,
            &of.id,
            &of.role,
            noted.at,
            noted.by,
            noted.who.to_string(),
            json(&lines),
            noted.before.map(json),
            noted.after.map(json),
            noted.undoes
        ];
        self.execute(sql, args).await?;
        Ok(true)
    }
}
