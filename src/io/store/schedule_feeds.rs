//! Calendars of shifts that other programs read by a secret address. Of the secret only its hash is kept; a revoked one is gone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, ScheduleFeedId, ScheduleId};
use crate::base::rng::secure_bytes;

use super::{Query, Row, StoreError, Tx, args, readers};

/// A calendar that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleFeed {
    pub id: ScheduleFeedId,
    pub account: AccountId,
    /// Of one schedule, or of one person in all of the account's.
    pub schedule: Option<ScheduleId>,
    pub contact: Option<ContactId>,
    pub by: String,
    pub made_at: UtcMs,
    pub last_read_at: Option<UtcMs>,
}

readers! {
    /// The calendars of an account that may be read, the oldest first.
    list_schedule_feeds(account: &AccountId) -> Vec<ScheduleFeed>;
    /// One of them.
    find_schedule_feed(id: &ScheduleFeedId) -> Option<ScheduleFeed>;
    /// The one with this secret.
    find_schedule_feed_by_token(token: &SecretString) -> Option<ScheduleFeed>;
}

const FEEDS: &str = "SELECT id, account, schedule, contact, made_by, made_at, last_read_at FROM schedule_feed";

async fn list_schedule_feeds(from: &mut impl Query, account: &AccountId) -> Result<Vec<ScheduleFeed>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{FEEDS} WHERE account = $1 ORDER BY made_at, id"));
    from.fetch_all(sql, args![account]).await?.iter().map(feed).collect()
}

async fn find_schedule_feed(from: &mut impl Query, id: &ScheduleFeedId) -> Result<Option<ScheduleFeed>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{FEEDS} WHERE id = $1"));
    from.fetch_optional(sql, args![id]).await?.as_ref().map(feed).transpose()
}

async fn find_schedule_feed_by_token(
    from: &mut impl Query,
    token: &SecretString,
) -> Result<Option<ScheduleFeed>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{FEEDS} WHERE token_hash = $1"));
    from.fetch_optional(sql, args![hash(token)]).await?.as_ref().map(feed).transpose()
}

fn feed(row: &Row) -> Result<ScheduleFeed, StoreError> {
    Ok(ScheduleFeed {
        id: row.read("id")?,
        account: row.read("account")?,
        schedule: row.read("schedule")?,
        contact: row.read("contact")?,
        by: row.read("made_by")?,
        made_at: row.read("made_at")?,
        last_read_at: row.read("last_read_at")?,
    })
}

fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, token.expose_secret().as_bytes()))
}

impl Tx {
    /// Makes a calendar readable; the secret is given out once.
    pub async fn insert_schedule_feed(&mut self, feed: &ScheduleFeed) -> Result<SecretString, StoreError> {
        let token = SecretString::from(URL_SAFE_NO_PAD.encode(secure_bytes::<24>()));
        let sql = "INSERT INTO schedule_feed (id, account, schedule, contact, token_hash, made_by, made_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let args = args![
            &feed.id,
            &feed.account,
            feed.schedule.as_ref(),
            feed.contact.as_ref(),
            hash(&token),
            &feed.by,
            feed.made_at
        ];
        self.execute(sql, args).await?;
        Ok(token)
    }

    /// Nobody reads it any more. False: nobody could.
    pub async fn delete_schedule_feed(&mut self, id: &ScheduleFeedId) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM schedule_feed WHERE id = $1", args![id]).await? > 0)
    }

    /// It was read.
    pub async fn touch_schedule_feed(&mut self, id: &ScheduleFeedId, now: UtcMs) -> Result<(), StoreError> {
        self.execute("UPDATE schedule_feed SET last_read_at = $2 WHERE id = $1", args![id, now]).await.map(|_| ())
    }
}
