//! What is counted of an account between two instants: its calls, its messages with how their dispatches stand, and how long callers
//! were put through. Read for the client's figures; nothing of anybody's words or numbers is in it.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, MessageId};
use crate::domain::call::event::RecordEvent;
use crate::domain::dispatch::state::Phase;
use crate::domain::figures::{CallTally, Fact as CallFact};
use crate::domain::portal::usage::{Counted, Fact};

use super::{Query, Row, StoreError, args, readers};

readers! {
    /// Facts of an account from an instant to another, in no order.
    list_usage(account: &AccountId, from_at: UtcMs, until: UtcMs) -> Vec<Fact>;
    /// Messages of an account that were taken from an instant to another, oldest first.
    list_messages_taken(account: &AccountId, from_at: UtcMs, until: UtcMs, limit: u32) -> Vec<MessageId>;
    /// Messages of an account about which somebody is being told or has to do something, whenever they were taken, oldest first.
    list_messages_under_way(account: &AccountId, limit: u32) -> Vec<MessageId>;
}

async fn list_usage(
    from: &mut impl Query,
    account: &AccountId,
    from_at: UtcMs,
    until: UtcMs,
) -> Result<Vec<Fact>, StoreError> {
    let mut facts = Vec::new();
    calls(from, account, from_at, until, &mut facts).await?;
    messages(from, account, from_at, until, &mut facts).await?;
    Ok(facts)
}

/// Calls that came in, by the events that count, in their order.
async fn calls(
    from: &mut impl Query,
    account: &AccountId,
    from_at: UtcMs,
    until: UtcMs,
    facts: &mut Vec<Fact>,
) -> Result<(), StoreError> {
    const CALLS: &str = "SELECT id, started_at FROM call WHERE account = $1 AND id >= $2 AND started_at >= $3
        AND started_at < $4 AND direction = 'in'";
    const EVENTS: &str = "SELECT e.call AS call, c.started_at AS started_at, e.at AS at, e.kind AS kind, e.body AS body
        FROM call_event e JOIN call c ON c.id = e.call WHERE c.account = $1 AND c.id >= $2 AND c.started_at >= $3
        AND c.started_at < $4 AND c.direction = 'in'
        AND e.kind IN ('talking', 'patch_accepted', 'patch_dropped', 'patch_over', 'abandoned', 'ended') ORDER BY e.call, e.seq";
    let bounds = || args![account, &CallId::first_at(from_at), from_at, until];
    for row in from.fetch_all(CALLS, bounds()).await? {
        facts.push(Fact { at: row.read("started_at")?, what: Counted::Call });
    }
    let mut tally: Option<(CallId, CallTally)> = None;
    for row in from.fetch_all(EVENTS, bounds()).await? {
        let (call, started_at, at): (CallId, UtcMs, UtcMs) =
            (row.read("call")?, row.read("started_at")?, row.read("at")?);
        let event = event(&row)?;
        if let RecordEvent::PatchOver { ms, .. } = &event {
            facts.push(Fact { at: started_at, what: Counted::Patch { ms: i64::try_from(*ms).unwrap_or(i64::MAX) } });
        }
        if tally.as_ref().is_none_or(|(of, _)| *of != call) {
            tally = Some((call, CallTally::default()));
        }
        let Some((_, tally)) = &mut tally else { continue };
        for fact in tally.note(started_at, at, &event) {
            let what = match fact {
                CallFact::Answered { wait_ms } => Counted::Answered { wait_ms },
                CallFact::Lost { .. } => Counted::Abandoned,
                CallFact::Offered | CallFact::Talked { .. } => continue,
            };
            facts.push(Fact { at: started_at, what });
        }
    }
    Ok(())
}

fn event(row: &Row) -> Result<RecordEvent, StoreError> {
    let kind: String = row.read("kind")?;
    let mut body: serde_json::Value = row.read_json("body")?;
    body["kind"] = kind.into();
    serde_json::from_value(body).map_err(|_| StoreError::Corrupt { column: "body".to_owned() })
}

/// Messages that were not taken back, and their dispatches.
async fn messages(
    from: &mut impl Query,
    account: &AccountId,
    from_at: UtcMs,
    until: UtcMs,
    facts: &mut Vec<Fact>,
) -> Result<(), StoreError> {
    const SQL: &str = "SELECT m.taken_at AS taken_at, d.state AS state, d.open_at AS open_at, d.closed_at AS closed_at
        FROM message m LEFT JOIN dispatch d ON d.message = m.id
        WHERE m.account = $1 AND m.taken_at >= $2 AND m.taken_at < $3 AND m.withdrawn_at IS NULL";
    for row in from.fetch_all(SQL, args![account, from_at, until]).await? {
        let at: UtcMs = row.read("taken_at")?;
        facts.push(Fact { at, what: Counted::Message });
        let Some(state) = row.read::<Option<String>>("state")? else { continue };
        let (open_at, closed_at): (UtcMs, Option<UtcMs>) = (row.read("open_at")?, row.read("closed_at")?);
        let end = closed_at.map_or("open", |_| end_word(&state));
        let took_ms = closed_at.map(|closed_at| closed_at.since(open_at).max(0)).filter(|_| is_delivery(end));
        facts.push(Fact { at, what: Counted::Dispatch { end, took_ms } });
    }
    Ok(())
}

/// A phase as it is counted.
fn end_word(state: &str) -> &'static str {
    const ENDS: [&str; 8] = [
        "confirmed",
        "told",
        "delivered",
        "patched",
        "recapped",
        "read_at_check_in",
        "cancelled",
        "closed_by_operator",
    ];
    ENDS.into_iter().find(|end| *end == state).unwrap_or("open")
}

/// It ended because somebody has it; what the service closed took no time to deliver.
fn is_delivery(end: &str) -> bool {
    !matches!(end, "open" | "cancelled" | "closed_by_operator")
}

async fn list_messages_taken(
    from: &mut impl Query,
    account: &AccountId,
    from_at: UtcMs,
    until: UtcMs,
    limit: u32,
) -> Result<Vec<MessageId>, StoreError> {
    const SQL: &str = "SELECT id FROM message WHERE account = $1 AND taken_at >= $2 AND taken_at < $3
        AND withdrawn_at IS NULL ORDER BY taken_at, id LIMIT $4";
    from.fetch_all(SQL, args![account, from_at, until, limit]).await?.iter().map(|row| row.read("id")).collect()
}

async fn list_messages_under_way(
    from: &mut impl Query,
    account: &AccountId,
    limit: u32,
) -> Result<Vec<MessageId>, StoreError> {
    const SQL: &str = "SELECT message FROM dispatch WHERE account = $1 AND closed_at IS NULL
        AND (needs_operator <> 0 OR state NOT IN ($2, $3)) ORDER BY id LIMIT $4";
    let args = args![account, Phase::HeldForCheckIn.name(), Phase::HeldForRecap.name(), limit];
    from.fetch_all(SQL, args).await?.iter().map(|row| row.read("message")).collect()
}
