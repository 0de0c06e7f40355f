//! Many rows that come as one: a list of lists in JSON. SQLite is asked on a thread of its own, and each row that it finds
//! wakes whoever waits for it; a step of a dispatch would be mostly that. PostgreSQL sends them together anyway.
//!
//! Driven by [`Query::fetch_together`](super::Query::fetch_together). Knows of no table. What always holds: the rows read the
//! same as [`Query::fetch_all`](super::Query::fetch_all) gives them.

use std::sync::Arc;

use serde_json::Value;

use super::StoreError;
use super::sql::{Cell, Row};

/// A column of a query whose rows come together.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Integers or text.
    Plain(&'static str),
    /// Bytes, never null.
    Bytes(&'static str),
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain(name) | Self::Bytes(name) => name,
        }
    }
}

/// The statement for SQLite that has the rows of `query` in its one column. Their order is that of `query` only if that has
/// a `LIMIT`: an order alone is not looked at inside another query.
pub(super) fn in_one(columns: &[Column], query: &str) -> String {
    let values: Vec<String> = columns
        .iter()
        .map(|column| match column {
            Column::Plain(name) => (*name).to_owned(),
            Column::Bytes(name) => format!("hex({name})"),
        })
        .collect();
    format!("SELECT json_group_array(json_array({})) AS found FROM ({query})", values.join(", "))
}

/// The rows that such a statement found.
pub(super) fn apart(columns: &[Column], one: &Row) -> Result<Vec<Row>, StoreError> {
    let names: Arc<[String]> = columns.iter().map(|column| column.name().to_owned()).collect();
    let found: Vec<Vec<Value>> = one.read_json("found")?;
    found
        .into_iter()
        .map(|values| {
            let cells = columns.iter().zip(values).map(|(column, value)| {
                cell(*column, value).ok_or_else(|| StoreError::Corrupt { column: column.name().to_owned() })
            });
            Ok(Row::of(Arc::clone(&names), cells.collect::<Result<_, _>>()?))
        })
        .collect()
}

fn cell(column: Column, value: Value) -> Option<Cell> {
    Some(match (column, value) {
        (Column::Plain(_), Value::Null) => Cell::Null,
        (Column::Plain(_), Value::Number(number)) => Cell::Int(number.as_i64()?),
        (Column::Plain(_), Value::String(text)) => Cell::Text(text),
        (Column::Bytes(_), Value::String(hex)) => Cell::Blob(bytes(&hex)?),
        _ => return None,
    })
}

/// What SQLite's `hex` wrote.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.as_bytes().chunks(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hex_wrote_is_read_and_nothing_else() {
        assert_eq!(bytes("00FFa9"), Some(vec![0, 0xff, 0xa9]));
        assert_eq!(bytes(""), Some(Vec::new()));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("0G"), None);
    }
}
