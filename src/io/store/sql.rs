//! Values in and out of statements, the same for both stores: integers, texts, bytes, and null of each.
//!
//! A row is read out of the driver at once, so nothing above this file names a driver's type.

use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Column as _, Postgres, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;

use super::StoreError;

/// A value bound to a statement. Nulls are typed, as PostgreSQL wants them.
#[derive(Clone, PartialEq, Eq)]
pub enum Arg {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl std::fmt::Debug for Arg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[argument]")
    }
}

/// Something that can be bound to a statement.
pub trait ToArg {
    /// The null of its type.
    const NULL: Arg;
    fn to_arg(self) -> Arg;
}

impl<T: ToArg> ToArg for Option<T> {
    const NULL: Arg = T::NULL;
    fn to_arg(self) -> Arg {
        self.map_or(T::NULL, T::to_arg)
    }
}

macro_rules! int_args {
    ($($ty:ty),*) => {$(
        impl ToArg for $ty {
            const NULL: Arg = Arg::Int(None);
            fn to_arg(self) -> Arg {
                Arg::Int(Some(i64::from(self)))
            }
        }
    )*};
}
int_args!(i64, i32, u32, u16, u8, bool);

impl ToArg for UtcMs {
    const NULL: Arg = Arg::Int(None);
    fn to_arg(self) -> Arg {
        Arg::Int(Some(self.0))
    }
}

impl ToArg for String {
    const NULL: Arg = Arg::Text(None);
    fn to_arg(self) -> Arg {
        Arg::Text(Some(self))
    }
}

impl ToArg for &String {
    const NULL: Arg = Arg::Text(None);
    fn to_arg(self) -> Arg {
        Arg::Text(Some(self.clone()))
    }
}

impl ToArg for &str {
    const NULL: Arg = Arg::Text(None);
    fn to_arg(self) -> Arg {
        Arg::Text(Some(self.to_owned()))
    }
}

impl ToArg for Vec<u8> {
    const NULL: Arg = Arg::Blob(None);
    fn to_arg(self) -> Arg {
        Arg::Blob(Some(self))
    }
}

impl ToArg for &PhoneNumber {
    const NULL: Arg = Arg::Text(None);
    fn to_arg(self) -> Arg {
        Arg::Text(Some(self.as_e164().to_owned()))
    }
}

/// The places of a statement's only arguments, so many of them.
pub(super) fn places(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// A value of a row.
#[derive(Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// A type that a column can be read as.
pub trait FromCell: Sized {
    /// `None` if the cell does not hold one.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if matches!(cell, Cell::Null) { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

macro_rules! int_cells {
    ($($ty:ty),*) => {$(
        impl FromCell for $ty {
            fn from_cell(cell: &Cell) -> Option<Self> {
                if let Cell::Int(n) = cell { Self::try_from(*n).ok() } else { None }
            }
        }
    )*};
}
int_cells!(i64, i32, u32, u16, u8, usize);

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Int(0) => Some(false),
            Cell::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromCell for UtcMs {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).map(Self)
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text.clone()) } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Blob(bytes) = cell { Some(bytes.clone()) } else { None }
    }
}

impl FromCell for PhoneNumber {
    fn from_cell(cell: &Cell) -> Option<Self> {
        String::from_cell(cell).and_then(|text| Self::try_from(text).ok())
    }
}

macro_rules! id_columns {
    ($($id:ident),*) => {$(
        impl ToArg for &crate::base::id::$id {
            const NULL: Arg = Arg::Text(None);
            fn to_arg(self) -> Arg {
                Arg::Text(Some(self.as_str().to_owned()))
            }
        }
        impl FromCell for crate::base::id::$id {
            fn from_cell(cell: &Cell) -> Option<Self> {
                String::from_cell(cell).and_then(|text| Self::try_from(text).ok())
            }
        }
    )*};
}
id_columns!(
    AccountId,
    AlarmChainId,
    AttemptId,
    CallId,
    CallTypeId,
    ContactId,
    DestinationId,
    DeviceId,
    DispatchId,
    DraftId,
    InboxDeviceId,
    MessageId,
    OverrideId,
    ProtocolChangeId,
    ProtocolId,
    RecapId,
    ScheduleFeedId,
    ScheduleId,
    SessionId,
    StatusId,
    StepRunId,
    UserId
);

/// A row read out of the database.
#[derive(Clone)]
pub struct Row {
    columns: Arc<[String]>,
    cells: Vec<Cell>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Row {
    pub(super) const fn of(columns: Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { columns, cells }
    }

    /// The value of `column`.
    pub fn read<T: FromCell>(&self, column: &str) -> Result<T, StoreError> {
        self.columns
            .iter()
            .position(|name| name == column)
            .and_then(|at| T::from_cell(&self.cells[at]))
            .ok_or_else(|| StoreError::Corrupt { column: column.to_owned() })
    }

    /// The value that the JSON text in `column` describes.
    pub fn read_json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text: String = self.read(column)?;
        // The reason is dropped: it may quote what was stored.
        serde_json::from_str(&text).map_err(|_| StoreError::Corrupt { column: column.to_owned() })
    }

    /// Like [`Row::read_json`], for a column that may be null.
    pub fn read_json_optional<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>, StoreError> {
        match self.read::<Option<String>>(column)? {
            None => Ok(None),
            Some(_) => self.read_json(column).map(Some),
        }
    }

    /// The values of JSON texts that were put together with commas between them; null: none.
    pub fn read_jsons<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Vec<T>, StoreError> {
        let Some(texts) = self.read::<Option<String>>(column)? else { return Ok(Vec::new()) };
        serde_json::from_str(&format!("[{texts}]")).map_err(|_| StoreError::Corrupt { column: column.to_owned() })
    }

    /// A plain enum kept as its serde name (`urgent`, `operator`).
    pub fn read_word<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let word: String = self.read(column)?;
        from_word(&word).ok_or_else(|| StoreError::Corrupt { column: column.to_owned() })
    }
}

/// The serde name of a plain enum.
pub fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A plain enum from its serde name.
pub fn from_word<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// `value` as JSON text.
pub fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our types have text keys only, so they are always JSON")
}

pub(super) fn bind_sqlite(
    mut query: Query<'_, Sqlite, SqliteArguments>,
    args: Vec<Arg>,
) -> Query<'_, Sqlite, SqliteArguments> {
    for arg in args {
        query = match arg {
            Arg::Int(value) => query.bind(value),
            Arg::Text(value) => query.bind(value),
            Arg::Blob(value) => query.bind(value),
        };
    }
    query
}

pub(super) fn bind_postgres(
    mut query: Query<'_, Postgres, PgArguments>,
    args: Vec<Arg>,
) -> Query<'_, Postgres, PgArguments> {
    for arg in args {
        query = match arg {
            Arg::Int(value) => query.bind(value),
            Arg::Text(value) => query.bind(value),
            Arg::Blob(value) => query.bind(value),
        };
    }
    query
}

pub(super) fn from_sqlite(row: &SqliteRow) -> Result<Row, StoreError> {
    let columns = row.columns().iter().map(|c| c.name().to_owned()).collect();
    let mut cells = Vec::with_capacity(row.columns().len());
    for at in 0..row.columns().len() {
        let raw = row.try_get_raw(at)?;
        // SQLite's types belong to values, not to columns.
        let kind = if raw.is_null() { "NULL".to_owned() } else { raw.type_info().name().to_owned() };
        cells.push(match kind.as_str() {
            "NULL" => Cell::Null,
            "INTEGER" => Cell::Int(row.try_get_unchecked(at)?),
            "TEXT" => Cell::Text(row.try_get_unchecked(at)?),
            "BLOB" => Cell::Blob(row.try_get_unchecked(at)?),
            _ => return Err(StoreError::Corrupt { column: row.columns()[at].name().to_owned() }),
        });
    }
    Ok(Row { columns, cells })
}

pub(super) fn from_postgres(row: &PgRow) -> Result<Row, StoreError> {
    let columns = row.columns().iter().map(|c| c.name().to_owned()).collect();
    let mut cells = Vec::with_capacity(row.columns().len());
    for at in 0..row.columns().len() {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            cells.push(Cell::Null);
            continue;
        }
        let kind = raw.type_info().name().to_owned();
        cells.push(match kind.as_str() {
            "INT8" => Cell::Int(row.try_get(at)?),
            "INT4" => Cell::Int(i64::from(row.try_get::<i32, _>(at)?)),
            "TEXT" | "VARCHAR" | "NAME" => Cell::Text(row.try_get(at)?),
            "BYTEA" => Cell::Blob(row.try_get(at)?),
            _ => return Err(StoreError::Corrupt { column: row.columns()[at].name().to_owned() }),
        });
    }
    Ok(Row { columns, cells })
}
