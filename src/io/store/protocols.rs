//! Protocols: inserted, never changed. A new version is a new row; dispatches that run go on with theirs.

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ProtocolId};
use crate::domain::dispatch::protocol::{Protocol, Repeat, Step, Until};
use crate::domain::dispatch::validate::validate;

use super::sql::json;
use super::{Query, Row, StoreError, Tx, args, readers};

#[derive(Serialize, Deserialize)]
struct Body {
    steps: Vec<Step>,
    repeat: Option<Repeat>,
    until: Until,
}

readers! {
    /// The protocol with this identifier: one version of it.
    find_protocol(id: &ProtocolId) -> Option<Protocol>;
    /// All protocols of an account, every version, newest first within a name.
    list_protocols(account: &AccountId) -> Vec<Protocol>;
}

async fn find_protocol(from: &mut impl Query, id: &ProtocolId) -> Result<Option<Protocol>, StoreError> {
    const SQL: &str = "SELECT id, account, name, version, body FROM protocol WHERE id = $1";
    from.fetch_optional(SQL, args![id]).await?.as_ref().map(protocol).transpose()
}

async fn list_protocols(from: &mut impl Query, account: &AccountId) -> Result<Vec<Protocol>, StoreError> {
    const SQL: &str =
        "SELECT id, account, name, version, body FROM protocol WHERE account = $1 ORDER BY name, version DESC";
    from.fetch_all(SQL, args![account]).await?.iter().map(protocol).collect()
}

fn protocol(row: &Row) -> Result<Protocol, StoreError> {
    let body: Body = row.read_json("body")?;
    Ok(Protocol {
        id: row.read("id")?,
        account: row.read("account")?,
        name: row.read("name")?,
        version: row.read("version")?,
        steps: body.steps,
        repeat: body.repeat,
        until: body.until,
    })
}

impl Tx {
    /// Puts a version of a protocol into the store. One that could not run with the account's people and
    /// schedules, or that has a step of a method not built yet, is refused with every fault.
    pub async fn insert_protocol(&mut self, protocol: &Protocol, now: UtcMs) -> Result<(), StoreError> {
        let contacts = self.list_contacts(&protocol.account).await?;
        let schedules = self.list_schedules(&protocol.account).await?;
        let faults = validate(protocol, &contacts, &schedules);
        if !faults.is_empty() {
            let sentence = |step: Option<usize>, message: String| match step {
                Some(step) => format!("Step {step}: {message}"),
                None => message,
            };
            return Err(StoreError::Refused {
                why: faults.into_iter().map(|fault| sentence(fault.step, fault.message)).collect(),
            });
        }
        let body = Body { steps: protocol.steps.clone(), repeat: protocol.repeat, until: protocol.until };
        self.execute(
            "INSERT INTO protocol (id, account, name, version, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            args![&protocol.id, &protocol.account, &protocol.name, protocol.version, json(&body), now],
        )
        .await?;
        Ok(())
    }
}
