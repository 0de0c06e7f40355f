//! What can go wrong with the store: a stable code for programs, a sentence for people. Never holds data
//! of a row.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the store did not do what was asked.
#[derive(Debug)]
pub enum StoreError {
    /// A directory or file cannot be made or written.
    NotWritable { path: PathBuf, why: String },
    /// The file is there but is no database, or cannot be opened.
    CannotOpen { path: PathBuf, why: String },
    /// PostgreSQL does not let us in.
    CannotConnect { why: String },
    /// Another process runs the service on it.
    InUse { place: String },
    /// Written by a newer program.
    Newer { found: i64, known: i64 },
    /// A migration in the database is not the one that this program has under its number.
    Altered { version: i64 },
    /// The key file does not belong to this database.
    WrongKey { path: PathBuf },
    /// The key file is missing, though the database holds sealed data, or is not a key.
    /// `sealed`: a database is there that was sealed with it.
    NoKey { path: PathBuf, why: String, sealed: bool },
    /// Something with this name, login or number is there already.
    Conflict { what: String },
    /// What was asked for does not exist, or something it refers to does not.
    Missing { what: &'static str },
    /// What was to be stored breaks a rule; one sentence each.
    Refused { why: Vec<String> },
    /// A row does not hold what it should.
    Corrupt { column: String },
    /// A sealed value does not open: it was altered, or moved between rows.
    Unsealed,
    /// The database did not answer in time or failed.
    Failed(sqlx::Error),
}

impl StoreError {
    /// Stable, dotted.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotWritable { .. } => "store.not_writable",
            Self::CannotOpen { .. } => "store.cannot_open",
            Self::CannotConnect { .. } => "store.cannot_connect",
            Self::InUse { .. } => "store.in_use",
            Self::Newer { .. } => "store.newer",
            Self::Altered { .. } => "store.altered",
            Self::WrongKey { .. } => "store.wrong_key",
            Self::NoKey { .. } => "store.no_key",
            Self::Conflict { .. } => "store.conflict",
            Self::Missing { .. } => "store.missing",
            Self::Refused { .. } => "store.refused",
            Self::Corrupt { .. } => "store.corrupt",
            Self::Unsealed => "store.unsealed",
            Self::Failed(_) => "store.failed",
        }
    }

    /// The same may well be done later: the store does not answer, is busy or full. Otherwise it is what was
    /// asked that cannot be done.
    pub fn may_pass(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        let Some(code) = error.as_database_error().and_then(|e| e.code()) else { return true };
        // PostgreSQL's classes "data exception" and "integrity constraint violation".
        let postgres = code.len() == 5 && (code.starts_with("22") || code.starts_with("23"));
        // SQLITE_CONSTRAINT and SQLITE_MISMATCH; the low byte is the primary code.
        let sqlite = code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 19 | 20));
        !postgres && !sqlite
    }

    /// The store did not answer whoever asked a moment before, so it was not asked again.
    pub const fn unanswered() -> Self {
        Self::Failed(sqlx::Error::PoolTimedOut)
    }

    pub(super) fn not_writable(path: &Path, why: &io::Error) -> Self {
        Self::NotWritable { path: path.to_owned(), why: plain_io(why) }
    }

    pub(super) fn opening_sqlite(path: &Path, error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().map(|c| c.into_owned()));
        match code.as_deref() {
            // SQLITE_READONLY and its kin, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_FULL.
            Some("8" | "14" | "3" | "13" | "264" | "520" | "776" | "1032" | "1288" | "1544") => {
                Self::NotWritable { path: path.to_owned(), why: plain_database(&error) }
            }
            _ => Self::CannotOpen { path: path.to_owned(), why: plain_database(&error) },
        }
    }

    pub(super) fn opening_postgres(error: sqlx::Error) -> Self {
        Self::CannotConnect { why: plain_database(&error) }
    }
}

fn plain_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::NotFound => "not found".into(),
        io::ErrorKind::NotADirectory => "a part of the path is not a directory".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        _ => error.to_string(),
    }
}

fn plain_database(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(e) => e.message().to_owned(),
        sqlx::Error::Io(e) => plain_io(e),
        sqlx::Error::PoolTimedOut => "no answer in time".into(),
        other => other.to_string(),
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWritable { path, why } => write!(
                f,
                "cannot write to {}: {why}. Give the user who runs Cordboard the right to write there, or choose another place",
                path.display()
            ),
            Self::CannotOpen { path, why } => write!(f, "cannot open the database {}: {why}", path.display()),
            Self::CannotConnect { why } => {
                write!(f, "cannot connect to PostgreSQL: {why}. Check [store] url, and that the server runs")
            }
            Self::InUse { place } => {
                write!(f, "another Cordboard runs on the database {place}: end it first, or choose another place")
            }
            Self::Newer { found, known } => write!(
                f,
                "this database was written by a newer Cordboard (schema {found}, this program knows {known}): upgrade the program"
            ),
            Self::Altered { version } => write!(
                f,
                "migration {version} in this database is not the one this program has: it was written by another build of Cordboard"
            ),
            Self::WrongKey { path } => write!(
                f,
                "the key file {} does not belong to this database: put the right one back, or choose another database",
                path.display()
            ),
            Self::NoKey { path, why, sealed } => {
                let cure = if *sealed {
                    "This database is sealed with a key: put its file back"
                } else {
                    "No database is sealed with it yet: name another file in [store] key_file, which is made if it is not there"
                };
                write!(f, "cannot use the key file {}: {why}. {cure}", path.display())
            }
            Self::Conflict { what } => write!(f, "there is already one like this ({what})"),
            Self::Missing { what } => write!(f, "there is no such {what}"),
            Self::Refused { why } => f.write_str(&why.join(" ")),
            Self::Corrupt { column } => write!(f, "a row does not hold what it should in `{column}`"),
            Self::Unsealed => f.write_str("a sealed value does not open: it was altered outside Cordboard"),
            Self::Failed(error) => write!(f, "the database failed: {}", plain_database(error)),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(e) if e.is_unique_violation() => {
                // PostgreSQL names the constraint, SQLite the columns; neither tells a value.
                let what = e.constraint().map_or_else(|| e.message().to_owned(), str::to_owned);
                Self::Conflict { what }
            }
            Some(e) if e.is_foreign_key_violation() => Self::Missing { what: "thing referred to" },
            _ => Self::Failed(error),
        }
    }
}
