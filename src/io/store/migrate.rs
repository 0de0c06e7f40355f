//! Migrations: embedded, numbered, additive, the same numbers on both stores. Each runs once, in one
//! transaction with its record; a database that knows more than this program is left alone.

use sqlx::{Connection as _, PgPool, SqlitePool};

use crate::base::clock::UtcMs;

use super::StoreError;

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// In order, without gaps; a released one is never edited.
const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_create_core"),
    migration!(2, "0002_create_dispatch"),
    migration!(3, "0003_create_device"),
    migration!(4, "0004_create_voicemail"),
    migration!(5, "0005_account_edition"),
    migration!(6, "0006_extend_queue"),
    migration!(7, "0007_create_job"),
    migration!(8, "0008_check_in"),
    migration!(9, "0009_extend_message"),
    migration!(10, "0010_create_greeting"),
    migration!(11, "0011_create_recap"),
    migration!(12, "0012_desk"),
    migration!(13, "0013_create_audit"),
    migration!(14, "0014_create_inbox"),
    migration!(15, "0015_mend_inbox"),
    migration!(16, "0016_rank_calls"),
    migration!(17, "0017_create_alarm_chain"),
    migration!(18, "0018_protocol_origin"),
    migration!(19, "0019_layer_schedules"),
    migration!(20, "0020_create_portal"),
    migration!(21, "0021_rank_timers"),
    migration!(22, "0022_time_destinations"),
    migration!(23, "0023_keep_status_words"),
    migration!(24, "0024_keep_change_makers"),
];

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const APPLIED: &str = "SELECT version, checksum FROM schema_migration ORDER BY version";
const RECORD: &str = "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
/// Names the lock under which nodes that start together take turns. Any fixed number of our own.
const LOCK: &str = "SELECT pg_advisory_xact_lock(706001)";

fn checksum(sql: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, sql.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is still to be done, given what has been.
fn pending(
    applied: &[(i64, String)],
    sql_of: fn(&Migration) -> &'static str,
) -> Result<Vec<&'static Migration>, StoreError> {
    if let Some((found, _)) = applied.iter().find(|(version, _)| *version > SCHEMA_VERSION) {
        let found = applied.iter().map(|(version, _)| *version).max().unwrap_or(*found);
        return Err(StoreError::Newer { found, known: SCHEMA_VERSION });
    }
    for (version, recorded) in applied {
        let known = MIGRATIONS.iter().find(|m| m.version == *version);
        if known.is_none_or(|m| &checksum(sql_of(m)) != recorded) {
            return Err(StoreError::Altered { version: *version });
        }
    }
    Ok(MIGRATIONS.iter().filter(|m| !applied.iter().any(|(version, _)| *version == m.version)).collect())
}

pub(super) async fn sqlite(pool: &SqlitePool, now: UtcMs) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(CREATE).execute(&mut *tx).await?;
    let applied: Vec<(i64, String)> = sqlx::query_as(APPLIED).fetch_all(&mut *tx).await?;
    for migration in pending(&applied, |m| m.sqlite)? {
        sqlx::raw_sql(migration.sqlite).execute(&mut *tx).await?;
        let record = sqlx::query(RECORD).bind(migration.version).bind(migration.name);
        record.bind(checksum(migration.sqlite)).bind(now.0).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

pub(super) async fn postgres(pool: &PgPool, now: UtcMs) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *tx).await?;
    sqlx::raw_sql(CREATE).execute(&mut *tx).await?;
    let applied: Vec<(i64, String)> = sqlx::query_as(APPLIED).fetch_all(&mut *tx).await?;
    for migration in pending(&applied, |m| m.postgres)? {
        sqlx::raw_sql(migration.postgres).execute(&mut *tx).await?;
        let record = sqlx::query(RECORD).bind(migration.version).bind(migration.name);
        record.bind(checksum(migration.postgres)).bind(now.0).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one_and_match_their_names() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version, i64::try_from(at).expect("few") + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
    }

    #[test]
    fn a_database_that_knows_more_is_refused() {
        let applied = vec![(SCHEMA_VERSION + 2, "x".to_owned())];
        let refused = pending(&applied, |m| m.sqlite);
        assert!(matches!(refused, Err(StoreError::Newer { found, .. }) if found == SCHEMA_VERSION + 2));
    }
}
