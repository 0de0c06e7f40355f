//! Whether destinations reach their people: a code that was sent there and said back. A code is kept as a keyed hash alone; an address
//! counts as shown to be reached only as long as it is the same.

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DestinationId};

use super::seal::Seal;
use super::sql::word;
use super::{Query, StoreError, Tx, args, readers};

/// Wrong codes that are taken before another one has to be sent.
pub const MAX_TRIES: u32 = 5;
/// Between two codes to one destination.
pub const APART_MS: i64 = 60_000;
/// How long a code counts.
pub const LASTS_MS: i64 = 15 * 60_000;

/// Destinations of one account that may be sent a code within an hour.
pub const MOST_AN_HOUR: u32 = 20;

/// What addresses are hashed as.
const ADDRESS: &str = "verified_address";

/// By what a code goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Text,
    /// A call that speaks it.
    Call,
    Email,
}

/// What was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub destination: DestinationId,
    pub at: UtcMs,
    pub way: Way,
    /// The keyed hash of the address that was reached.
    index: String,
}

/// A code that is on its way.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    pub destination: &'a DestinationId,
    pub contact: &'a ContactId,
    pub way: Way,
    pub address: &'a str,
    pub code: &'a str,
    pub now: UtcMs,
}

/// What came of a code that somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Right,
    Wrong,
    /// There is none, or it is too old, or too many were wrong.
    Over,
}

readers! {
    /// What of a contact's destinations was shown to reach them.
    list_verified(contact: &ContactId) -> Vec<Verified>;
    /// When a code was last sent there.
    find_code_sent(destination: &DestinationId) -> Option<UtcMs>;
    /// How many destinations of an account were sent one since then.
    count_codes_sent(account: &AccountId, since: UtcMs) -> u32;
}

async fn list_verified(from: &mut impl Query, contact: &ContactId) -> Result<Vec<Verified>, StoreError> {
    const SQL: &str = "SELECT destination, verified_at, verified_way, verified_index FROM verification
        WHERE contact = $1 AND verified_at IS NOT NULL";
    let rows = from.fetch_all(SQL, args![contact]).await?;
    rows.iter()
        .map(|row| {
            Ok(Verified {
                destination: row.read("destination")?,
                at: row.read("verified_at")?,
                way: row.read_word("verified_way")?,
                index: row.read("verified_index")?,
            })
        })
        .collect()
}

async fn find_code_sent(from: &mut impl Query, destination: &DestinationId) -> Result<Option<UtcMs>, StoreError> {
    const SQL: &str = "SELECT sent_at FROM verification WHERE destination = $1";
    Ok(from.fetch_optional(SQL, args![destination]).await?.map(|row| row.read("sent_at")).transpose()?.flatten())
}

async fn count_codes_sent(from: &mut impl Query, account: &AccountId, since: UtcMs) -> Result<u32, StoreError> {
    const SQL: &str = "SELECT COUNT(*) AS n FROM verification v JOIN contact c ON c.id = v.contact
        WHERE c.account = $1 AND v.sent_at > $2";
    from.fetch_optional(SQL, args![account, since]).await?.map_or(Ok(0), |row| row.read("n"))
}

impl Verified {
    /// It was this address.
    pub fn is_of(&self, seal: &Seal, address: &str) -> bool {
        self.index == seal.index(ADDRESS, address)
    }
}

fn code_context(destination: &DestinationId, code: &str) -> String {
    format!("{destination} {code}")
}

impl Tx {
    /// A code goes out; one that was sent before counts no more.
    pub async fn note_code(&mut self, sent: &Sent<'_>) -> Result<UtcMs, StoreError> {
        let expires_at = sent.now.plus_ms(LASTS_MS);
        let address = self.seal().index(ADDRESS, sent.address);
        let code = self.seal().index("verification", &code_context(sent.destination, sent.code));
        self.execute(
            "INSERT INTO verification (destination, contact, way, address_index, code_index, sent_at, expires_at, tries)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
             ON CONFLICT (destination) DO UPDATE SET contact = excluded.contact, way = excluded.way,
             address_index = excluded.address_index, code_index = excluded.code_index, sent_at = excluded.sent_at,
             expires_at = excluded.expires_at, tries = 0",
            args![sent.destination, sent.contact, word(&sent.way), address, code, sent.now, expires_at],
        )
        .await?;
        Ok(expires_at)
    }

    /// A code was said for a destination with this address: counted and judged in one transaction. The right one counts once.
    pub async fn judge_code(
        &mut self,
        destination: &DestinationId,
        address: &str,
        code: &str,
        now: UtcMs,
    ) -> Result<Said, StoreError> {
        // Counted first, which holds the row: whoever tries many at once has no more tries than whoever tries them in turn.
        let count = "UPDATE verification SET tries = tries + 1 WHERE destination = $1 AND code_index IS NOT NULL
            AND expires_at > $2 AND tries < $3 AND address_index = $4";
        let index = self.seal().index(ADDRESS, address);
        if self.execute(count, args![destination, now, MAX_TRIES, index]).await? == 0 {
            return Ok(Said::Over);
        }
        let code = self.seal().index("verification", &code_context(destination, code));
        let settle = "UPDATE verification SET verified_at = $2, verified_way = way, verified_index = address_index,
            code_index = NULL WHERE destination = $1 AND code_index = $3";
        let right = self.execute(settle, args![destination, now, code]).await? > 0;
        Ok(if right { Said::Right } else { Said::Wrong })
    }
}
