//! All that differs between SQLite and PostgreSQL in the statements we write. Everything else is one text.

use std::fmt;

/// Which store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// The place of a statement's `number`th argument.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder {
    dialect: Dialect,
    number: usize,
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dialect {
            Dialect::Sqlite => f.write_str("?"),
            Dialect::Postgres => write!(f, "${}", self.number),
        }
    }
}

impl Dialect {
    /// The place of the `number`th argument in a statement of many rows, which has them in their order, each once. SQLite
    /// has to search for a place that has a name among all the others', for each of them.
    pub const fn place(self, number: usize) -> Placeholder {
        Placeholder { dialect: self, number }
    }

    /// Appended to a `SELECT` inside a transaction: its rows are ours until commit. SQLite needs nothing,
    /// its transactions hold the only writer.
    pub const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// Like [`Dialect::for_update`], passing over rows that another transaction holds.
    pub const fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}
