//! Protocols: inserted, never changed. A new version is a new row; dispatches that run go on with theirs.

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, DispatchId, MessageId, ProtocolId, UserId};
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

/// Where a version comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Nobody: it was not written by somebody with a log-in.
    pub by: Option<UserId>,
    /// The version whose steps it has again.
    pub brings_back: Option<u32>,
    /// Who of the service approved it, where a client proposed it.
    pub approved_by: Option<UserId>,
}

/// A version with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeProtocol {
    pub protocol: Protocol,
    pub made_at: UtcMs,
    pub origin: Origin,
}

/// An open dispatch and the version that it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub protocol: ProtocolId,
    pub dispatch: DispatchId,
    pub message: MessageId,
    pub opened_at: UtcMs,
}

/// What of a dispatch's state says which version it runs.
#[derive(Deserialize)]
struct Pinned {
    protocol: PinnedProtocol,
}

#[derive(Deserialize)]
struct PinnedProtocol {
    id: ProtocolId,
}

readers! {
    /// The protocol with this identifier: one version of it.
    find_protocol(id: &ProtocolId) -> Option<Protocol>;
    /// All protocols of an account, every version, newest first within a name.
    list_protocols(account: &AccountId) -> Vec<Protocol>;
    /// The same with where each comes from.
    list_made_protocols(account: &AccountId) -> Vec<MadeProtocol>;
    /// Open dispatches of an account with the versions that they run, oldest first.
    list_running(account: &AccountId) -> Vec<Running>;
}

async fn list_made_protocols(from: &mut impl Query, account: &AccountId) -> Result<Vec<MadeProtocol>, StoreError> {
    const SQL: &str = "SELECT id, account, name, version, body, created_at, made_by, brings_back, approved_by FROM protocol \
                       WHERE account = $1 ORDER BY name, version DESC";
    let made = |row: &Row| {
        let origin = Origin {
            by: row.read("made_by")?,
            brings_back: row.read("brings_back")?,
            approved_by: row.read("approved_by")?,
        };
        Ok(MadeProtocol { protocol: protocol(row)?, made_at: row.read("created_at")?, origin })
    };
    from.fetch_all(SQL, args![account]).await?.iter().map(made).collect()
}

async fn list_running(from: &mut impl Query, account: &AccountId) -> Result<Vec<Running>, StoreError> {
    const SQL: &str =
        "SELECT id, message, open_at, body FROM dispatch WHERE account = $1 AND closed_at IS NULL ORDER BY open_at, id";
    let running = |row: &Row| {
        let pinned: Pinned = row.read_json("body")?;
        let (dispatch, message) = (row.read("id")?, row.read("message")?);
        Ok(Running { protocol: pinned.protocol.id, dispatch, message, opened_at: row.read("open_at")? })
    };
    from.fetch_all(SQL, args![account]).await?.iter().map(running).collect()
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
        self.insert_made_protocol(protocol, &Origin::default(), now).await
    }

    /// The same, with where it comes from.
    pub async fn insert_made_protocol(
        &mut self,
        protocol: &Protocol,
        origin: &Origin,
        now: UtcMs,
    ) -> Result<(), StoreError> {
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
            "INSERT INTO protocol (id, account, name, version, body, created_at, made_by, brings_back, approved_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                &protocol.id,
                &protocol.account,
                &protocol.name,
                protocol.version,
                json(&body),
                now,
                origin.by.as_ref(),
                origin.brings_back,
                origin.approved_by.as_ref()
            ],
        )
        .await?;
        Ok(())
    }
}
