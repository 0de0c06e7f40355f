//! Numbers that callers entered in a menu: an event of their call, with the digits sealed, as they are part of what a caller
//! said. What each is and whether it was confirmed stands in the open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::calls::NewCallEvent;
use super::seal::Seal;
use super::sql::places;
use super::{Query, Row, StoreError, ToArg, Tx, readers};
use crate::base::clock::UtcMs;
use crate::base::id::CallId;
use crate::base::pii::Pii;
use crate::domain::ivr::digits::{Entered, SaidBack};

/// What the event is called.
pub const KIND: &str = "digits_entered";

/// The event's body.
#[derive(Serialize, Deserialize)]
struct Body {
    label: String,
    field: Option<String>,
    said_back: SaidBack,
    /// Of how many digits it is.
    count: usize,
    sealed: String,
}

readers! {
    /// The numbers that the caller of a call entered, in order, each as it was entered last.
    list_digits(call: &CallId) -> Vec<Entered>;
    /// The same of several calls.
    list_digits_of(calls: &[CallId]) -> Vec<(CallId, Entered)>;
}

fn context(call: &CallId) -> String {
    format!("digits:{call}")
}

async fn list_digits(from: &mut impl Query, call: &CallId) -> Result<Vec<Entered>, StoreError> {
    let all = list_digits_of(from, std::slice::from_ref(call)).await?;
    Ok(all.into_iter().map(|(_, entered)| entered).collect())
}

async fn list_digits_of(from: &mut impl Query, calls: &[CallId]) -> Result<Vec<(CallId, Entered)>, StoreError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT call, body FROM call_event WHERE call IN ({}) AND kind = '{KIND}' ORDER BY call, seq",
        places(calls.len())
    );
    let args = calls.iter().map(ToArg::to_arg).collect();
    // Safe: made of literals and places.
    let rows = from.fetch_all(sqlx::AssertSqlSafe(sql), args).await?;
    let mut all: Vec<(CallId, Entered)> = Vec::new();
    for row in &rows {
        let (call, entered) = read(row, from.seal())?;
        all.retain(|(of, before)| *of != call || before.label != entered.label);
        all.push((call, entered));
    }
    Ok(all)
}

fn read(row: &Row, seal: &Seal) -> Result<(CallId, Entered), StoreError> {
    let (call, body): (CallId, Body) = (row.read("call")?, row.read_json("body")?);
    let sealed = STANDARD.decode(body.sealed).map_err(|_| StoreError::Corrupt { column: "body".to_owned() })?;
    let digits: String = seal.open_json(&context(&call), &sealed)?;
    let Body { label, field, said_back, .. } = body;
    Ok((call, Entered { label, field, digits: Pii::new(digits), said_back }))
}

impl Tx {
    /// Puts a number on record that the caller of a call has entered.
    pub async fn insert_digits(&mut self, call: &CallId, at: UtcMs, entered: &Entered) -> Result<(), StoreError> {
        let digits = entered.digits.reveal();
        let body = Body {
            label: entered.label.clone(),
            field: entered.field.clone(),
            said_back: entered.said_back,
            count: digits.len(),
            sealed: STANDARD.encode(self.seal().seal_json(&context(call), digits)),
        };
        let body = serde_json::to_value(body).map_err(|_| StoreError::Corrupt { column: "body".to_owned() })?;
        self.append_call_events(&[NewCallEvent { call, at, kind: KIND, body: &body }]).await
    }
}
