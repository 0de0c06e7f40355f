//! The store: everything that must outlive the process, in SQLite (the default) or PostgreSQL.
//!
//! One SQL text serves both: `$1` placeholders, columns of integer, text and bytes only, JSON as text,
//! times as UTC milliseconds, `now` always bound. What differs is in [`dialect`]. Reads go through
//! [`Store`], writes through a [`Tx`], which is undone unless [`Tx::commit`] is called. Reading functions
//! exist on both. SQLite has one writer at a time: keep transactions short and never await anything but
//! the store inside one. Message answers, drafts, numbers that callers enter in menus, callers of messages, status lines,
//! written status greetings and what checks desk phones' secrets are sealed ([`seal`]).

pub mod abandoned;
pub mod accounts;
pub mod alarms;
pub mod approvals;
pub mod audit;
pub mod callbacks;
pub mod calls;
pub mod check_in;
pub mod client_users;
pub mod contacts;
pub mod decisions;
pub mod devices;
pub mod dialect;
pub mod digits;
pub mod dispatch;
pub mod drafts;
mod entries;
pub mod error;
pub mod greetings;
pub mod idempotency;
pub mod inbound;
pub mod inbox;
pub mod inner_calls;
pub mod jobs;
pub mod messages;
mod migrate;
mod one_row;
pub mod protocol_changes;
pub mod protocols;
pub mod recaps;
pub mod schedule_feeds;
pub mod schedule_history;
pub mod schedules;
pub mod seal;
pub mod sessions;
pub mod shift_notices;
pub mod sql;
pub mod status;
pub mod usage;
pub mod users;
pub mod verifications;
pub mod voicemails;

use std::fs::{File, OpenOptions, TryLockError};
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, SqlSafeStr, Sqlite, SqlitePool, Transaction,
};

use crate::base::clock::UtcMs;
use crate::base::failpoint::failpoint;

pub use crate::config::{Place, StoreConfig};
pub use dialect::Dialect;
pub use error::StoreError;
pub use migrate::SCHEMA_VERSION;
pub use one_row::Column;
pub use sql::{Arg, FromCell, Row, ToArg};

use seal::Seal;

/// How long a statement waits for a connection, and SQLite for a lock, before it fails.
const PATIENCE: Duration = Duration::from_secs(10);
/// Readers on SQLite beside the one writer.
const SQLITE_READERS: u32 = 4;
/// Statements that a connection keeps prepared: those for many rows come in six sizes each.
const STATEMENTS: usize = 256;
/// Connections to PostgreSQL from one process.
const POSTGRES_CONNECTIONS: u32 = 10;

/// The advisory lock that the one service on a PostgreSQL database holds: "cordboar" in ASCII.
const POSTGRES_HOLD: i64 = i64::from_be_bytes(*b"cordboar");

/// The data of the service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Pools,
    seal: Arc<Seal>,
    editions: Arc<Editions>,
}

/// What a reader who remembers needs to know: whether this process has committed a change since.
#[derive(Debug, Default)]
struct Editions {
    accounts: AtomicU64,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool, path: PathBuf },
    Postgres(PgPool),
}

/// A transaction: everything or nothing. Dropped without [`Tx::commit`], it is undone.
#[derive(Debug)]
pub struct Tx {
    open: Open,
    seal: Arc<Seal>,
    editions: Arc<Editions>,
    changes_accounts: bool,
    audited: Vec<audit::Entry>,
}

/// The service runs here ([`Store::hold`]). The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Hold {
    _by: HeldBy,
}

#[derive(Debug)]
#[expect(dead_code, reason = "kept open, never used: what is held goes with it")]
enum HeldBy {
    File(File),
    Connection(PgConnection),
}

#[derive(Debug)]
enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// What the store answers, some time. A type of its own, so that futures that hold one do not also hold the
/// type of the statement's text: `&'static str` is one only for that lifetime, and the compiler then cannot
/// see that they may be sent between threads.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Something rows can be read from: `&Store` or [`Tx`].
pub trait Query: Send {
    /// All rows of a query.
    fn fetch_all(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, Vec<Row>>;

    /// All rows of a query that gives just these columns; from SQLite they come as one row. Their order is the query's only
    /// if that has a `LIMIT`.
    fn fetch_together(
        &mut self,
        columns: &'static [Column],
        sql: impl SqlSafeStr,
        args: Vec<Arg>,
    ) -> Answer<'_, Vec<Row>> {
        let sql = sql.into_sql_str();
        if self.dialect() == Dialect::Postgres {
            return self.fetch_all(sql, args);
        }
        // Safe: the caller's statement inside one of literals.
        let found = self.fetch_optional(AssertSqlSafe(one_row::in_one(columns, sql.as_str())), args);
        Box::pin(async move { found.await?.map_or_else(|| Ok(Vec::new()), |row| one_row::apart(columns, &row)) })
    }

    /// The key to the sealed columns.
    fn seal(&self) -> &Seal;

    /// Which of the two stores it is.
    fn dialect(&self) -> Dialect;

    /// The first row of a query, if it has any.
    fn fetch_optional(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, Option<Row>> {
        let rows = self.fetch_all(sql, args);
        Box::pin(async move { Ok(rows.await?.into_iter().next()) })
    }
}

impl Query for &Store {
    fn fetch_all(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, Vec<Row>> {
        let sql = sql.into_sql_str();
        Box::pin(async move {
            match &self.pools {
                Pools::Sqlite { readers, .. } => {
                    let rows = sql::bind_sqlite(sqlx::query(sql), args).fetch_all(readers).await?;
                    rows.iter().map(sql::from_sqlite).collect()
                }
                Pools::Postgres(pool) => {
                    let rows = sql::bind_postgres(sqlx::query(sql), args).fetch_all(pool).await?;
                    rows.iter().map(sql::from_postgres).collect()
                }
            }
        })
    }

    fn seal(&self) -> &Seal {
        &self.seal
    }

    fn dialect(&self) -> Dialect {
        Store::dialect(self)
    }
}

impl Query for Tx {
    fn fetch_all(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, Vec<Row>> {
        let sql = sql.into_sql_str();
        Box::pin(async move {
            match &mut self.open {
                Open::Sqlite(tx) => {
                    let rows = sql::bind_sqlite(sqlx::query(sql), args).fetch_all(&mut **tx).await?;
                    rows.iter().map(sql::from_sqlite).collect()
                }
                Open::Postgres(tx) => {
                    let rows = sql::bind_postgres(sqlx::query(sql), args).fetch_all(&mut **tx).await?;
                    rows.iter().map(sql::from_postgres).collect()
                }
            }
        })
    }

    fn seal(&self) -> &Seal {
        &self.seal
    }

    fn dialect(&self) -> Dialect {
        match self.open {
            Open::Sqlite(_) => Dialect::Sqlite,
            Open::Postgres(_) => Dialect::Postgres,
        }
    }
}

impl Tx {
    /// Runs a statement that changes rows; tells how many.
    pub fn execute(&mut self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, u64> {
        let sql = sql.into_sql_str();
        Box::pin(async move {
            Ok(match &mut self.open {
                Open::Sqlite(tx) => sql::bind_sqlite(sqlx::query(sql), args).execute(&mut **tx).await?.rows_affected(),
                Open::Postgres(tx) => {
                    sql::bind_postgres(sqlx::query(sql), args).execute(&mut **tx).await?.rows_affected()
                }
            })
        })
    }

    /// Makes all of it permanent. On return it is on disk. `place` names this commit for the tests that kill
    /// the process before and after it (`tests/crash`): one name, one place in the code.
    pub async fn commit(self, place: &str) -> Result<(), StoreError> {
        self.commit_all(&[place]).await
    }

    /// The same of a transaction in which several things are done that have a name each.
    pub async fn commit_all(mut self, places: &[&str]) -> Result<(), StoreError> {
        self.chain_audit().await?;
        for place in places {
            failpoint(place, "before_commit");
        }
        match self.open {
            Open::Sqlite(tx) => tx.commit().await?,
            Open::Postgres(tx) => tx.commit().await?,
        }
        if self.changes_accounts {
            self.editions.accounts.fetch_add(1, Ordering::SeqCst);
        }
        for place in places {
            failpoint(place, "after_commit");
        }
        Ok(())
    }

    /// Undoes all of it now rather than when dropped.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.open {
            Open::Sqlite(tx) => tx.rollback().await?,
            Open::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

impl Store {
    /// Opens the store, made and brought up to date as needed. `now` is written beside what is made.
    pub async fn open(config: &StoreConfig, now: UtcMs) -> Result<Self, StoreError> {
        let pools = match &config.place {
            Place::Sqlite(path) => open_sqlite(path).await?,
            Place::Postgres(url) => open_postgres(url).await?,
        };
        match &pools {
            Pools::Sqlite { writer, .. } => migrate::sqlite(writer, now).await?,
            Pools::Postgres(pool) => migrate::postgres(pool, now).await?,
        }
        let seal = open_seal(&pools, &config.key_file).await?;
        Ok(Self { pools, seal: Arc::new(seal), editions: Arc::default() })
    }

    /// Rises with each change of accounts that this process commits. Who remembers an account reads it *before* the
    /// account; what another process changes does not show here.
    pub fn accounts_edition(&self) -> u64 {
        self.editions.accounts.load(Ordering::SeqCst)
    }

    /// Begins a transaction. On SQLite it holds the one writer from here on.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let open = match &self.pools {
            Pools::Sqlite { writer, .. } => Open::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Open::Postgres(pool.begin().await?),
        };
        let (seal, editions) = (Arc::clone(&self.seal), Arc::clone(&self.editions));
        Ok(Tx { open, seal, editions, changes_accounts: false, audited: Vec::new() })
    }

    /// All rows of a query outside any transaction.
    pub fn fetch_all(&self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, Vec<Row>> {
        let sql = sql.into_sql_str();
        Box::pin(async move {
            let mut from = self;
            Query::fetch_all(&mut from, sql, args).await
        })
    }

    /// The first row of a query outside any transaction.
    pub fn fetch_optional(&self, sql: impl SqlSafeStr, args: Vec<Arg>) -> Answer<'_, Option<Row>> {
        let rows = self.fetch_all(sql, args);
        Box::pin(async move { Ok(rows.await?.into_iter().next()) })
    }

    /// The house's key, for what is sealed outside the database.
    pub fn house_seal(&self) -> Arc<Seal> {
        Arc::clone(&self.seal)
    }

    /// Which of the two stores it is.
    pub const fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Makes this process the only one that runs the service on this store, for as long as the result
    /// lives: two would each call the same people and end each other's calls. Other commands may still use
    /// the store. SQLite is held by a file beside it, PostgreSQL by a connection of its own.
    pub async fn hold(&self) -> Result<Hold, StoreError> {
        let by = match &self.pools {
            Pools::Sqlite { path, .. } => HeldBy::File(hold_sqlite(path)?),
            Pools::Postgres(pool) => HeldBy::Connection(hold_postgres(&pool.connect_options()).await?),
        };
        Ok(Hold { _by: by })
    }

    /// Whether the store answers, for `/readyz`.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.fetch_all("SELECT 1 AS one", Vec::new()).await.map(|_| ())
    }

    /// Closes all connections; what is committed stays.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(path: &Path) -> Result<Pools, StoreError> {
    if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(|e| StoreError::not_writable(directory, &e))?;
    }
    // Numbers and names are in it: its owner's only. What SQLite puts beside it gets the same rights.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(StoreError::not_writable(path, &e)),
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was acknowledged survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS)
        .busy_timeout(PATIENCE);
    // In KiB; by itself 2 MB a connection, which a night of many calls fills and nothing gives back. The system keeps the
    // file's pages in memory all the same.
    let options = options.pragma("cache_size", "-512");
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().pragma("cache_size", "-1024"))
        .await
        .map_err(|e| StoreError::opening_sqlite(path, e))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(|e| StoreError::opening_sqlite(path, e))?;
    Ok(Pools::Sqlite { writer, readers, path: path.to_owned() })
}

async fn open_postgres(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(StoreError::opening_postgres)?;
    let options = options.statement_cache_capacity(STATEMENTS);
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(StoreError::opening_postgres)?;
    Ok(Pools::Postgres(pool))
}

fn hold_sqlite(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::create(&name).map_err(|e| StoreError::not_writable(&name, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { place: path.display().to_string() }),
        Err(TryLockError::Error(e)) => Err(StoreError::not_writable(&name, &e)),
    }
}

/// The lock belongs to the session, so the server lets go of it when the connection ends, and only then.
async fn hold_postgres(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let mut connection = PgConnection::connect_with(options).await.map_err(StoreError::opening_postgres)?;
    let ours = sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock($1)")
        .bind(POSTGRES_HOLD)
        .fetch_one(&mut connection)
        .await?;
    if ours {
        return Ok(connection);
    }
    let name = options.get_database().unwrap_or_else(|| options.get_username());
    Err(StoreError::InUse { place: format!("{name} (PostgreSQL)") })
}

/// The key that this database was first opened with; a new one for a new database.
async fn open_seal(pools: &Pools, key_file: &Path) -> Result<Seal, StoreError> {
    const FIND: &str = "SELECT value FROM setting WHERE name = 'seal_fingerprint'";
    const INSERT: &str = "INSERT INTO setting (name, value) VALUES ('seal_fingerprint', $1) ON CONFLICT DO NOTHING";
    let find = async || match pools {
        Pools::Sqlite { writer, .. } => sqlx::query_scalar::<_, String>(FIND).fetch_optional(writer).await,
        Pools::Postgres(pool) => sqlx::query_scalar::<_, String>(FIND).fetch_optional(pool).await,
    };
    let known = find().await?;
    let seal = if known.is_some() { Seal::load(key_file)? } else { Seal::load_or_create(key_file)? };
    if known.is_none() {
        match pools {
            Pools::Sqlite { writer, .. } => {
                sqlx::query(INSERT).bind(seal.fingerprint()).execute(writer).await.map(|_| ())?
            }
            Pools::Postgres(pool) => sqlx::query(INSERT).bind(seal.fingerprint()).execute(pool).await.map(|_| ())?,
        }
    }
    // Read again: another node may have been first.
    match find().await? {
        Some(fingerprint) if fingerprint == seal.fingerprint() => Ok(seal),
        _ => Err(StoreError::WrongKey { path: key_file.to_owned() }),
    }
}

/// Reading functions of a noun, callable on a [`Store`] and inside a [`Tx`].
macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $out:ty;)*) => {
        impl $crate::io::store::Store {$(
            $(#[$doc])*
            pub async fn $name(&self, $($arg: $ty),*) -> Result<$out, $crate::io::store::StoreError> {
                let mut from = self;
                $name(&mut from, $($arg),*).await
            }
        )*}
        impl $crate::io::store::Tx {$(
            $(#[$doc])*
            pub async fn $name(&mut self, $($arg: $ty),*) -> Result<$out, $crate::io::store::StoreError> {
                $name(self, $($arg),*).await
            }
        )*}
    };
}
pub(crate) use readers;

/// The arguments of a statement, each of its own type: `args![id, now, None::<i64>]`.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$($crate::io::store::ToArg::to_arg($arg)),*] };
}
pub(crate) use args;
