//! Secure inboxes: the devices they are on, the links that lead to them, the sessions in which they are open, which messages
//! are in them, and the key that pushes are signed with.
//!
//! Of tokens only hashes are kept; where pushes go to is sealed. A link is one person's and ends by itself; neither a link
//! nor a device opens anything without the person's PIN (`engine/inboxes`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DispatchId, InboxDeviceId, MessageId};
use crate::base::rng::secure_bytes;

use super::calls::pieces;
use super::sql::places;
use super::{Query, Row, StoreError, Tx, args, readers};

/// How long an invitation leads to the inbox.
pub const INVITATION_MS: i64 = 72 * 3_600_000;
/// How long an inbox stays open that nobody touches, and how long at most.
pub const SESSION_MS: i64 = 10 * 60_000;
pub const LONGEST_SESSION_MS: i64 = 8 * 3_600_000;
/// A session's end is moved when it has moved by so much; a page tells of touches half a minute apart.
const TOUCH_MS: i64 = 20_000;
/// Devices of one person; the one that was seen longest ago makes room.
const MAX_DEVICES: usize = 8;

/// Where pushes to a device go, and what they are encrypted for (RFC 8291).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub endpoint: String,
    /// The device's public key, uncompressed.
    pub p256dh: Vec<u8>,
    pub auth: Vec<u8>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[subscription]")
    }
}

/// A device on which somebody's inbox is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxDevice {
    pub id: InboxDeviceId,
    pub contact: ContactId,
    /// What its browser says it is: "iPhone".
    pub name: String,
    pub added_at: UtcMs,
    pub seen_at: UtcMs,
    /// None: it takes no pushes.
    pub subscription: Option<Subscription>,
    /// Since when the push service knows it no more.
    pub gone_at: Option<UtcMs>,
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// The device on which it is opened is the person's from then on.
    Invitation,
    /// It stands in a notice and opens the inbox, with the PIN, for as long as the message can be opened.
    Notice,
}

impl LinkPurpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Notice => "notice",
        }
    }
}

/// A link to somebody's inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxLink {
    pub contact: ContactId,
    pub purpose: LinkPurpose,
    pub made_at: UtcMs,
    pub expires_at: UtcMs,
}

/// An inbox that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxSession {
    pub contact: ContactId,
    /// None: it was opened by a notice's link.
    pub device: Option<InboxDeviceId>,
    pub opened_at: UtcMs,
    pub expires_at: UtcMs,
}

readers! {
    /// The devices of a person, the newest first.
    list_inbox_devices(contact: &ContactId) -> Vec<InboxDevice>;
    /// The device that keeps this token.
    find_inbox_device(token: &SecretString) -> Option<InboxDevice>;
    /// The link with this token, if it still leads anywhere.
    find_inbox_link(token: &SecretString, now: UtcMs) -> Option<InboxLink>;
    /// The newest invitation of a person that still counts.
    find_invitation(contact: &ContactId, now: UtcMs) -> Option<InboxLink>;
    /// The session with this token, if it is open.
    find_inbox_session(token: &SecretString, now: UtcMs) -> Option<InboxSession>;
    /// Dispatches whose messages are in a person's inbox, the newest first.
    list_inbox_dispatches(contact: &ContactId, limit: u32) -> Vec<DispatchId>;
    /// Whether a person has a PIN of their own.
    has_own_pin(account: &AccountId, contact: &ContactId) -> bool;
    /// Who of these accounts has a PIN of their own.
    list_own_pins(accounts: &[AccountId]) -> Vec<(AccountId, ContactId)>;
    /// Whether a message is of a type that is protected, in force or retired.
    is_protected(message: &MessageId) -> bool;
    /// The key that pushes are signed with, as PKCS#8; none yet.
    find_push_key() -> Option<SecretString>;
}

fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, token.expose_secret().as_bytes()))
}

/// 128 random bits, short enough for a text.
fn fresh_token() -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(secure_bytes::<16>()))
}

const DEVICE: &str = "SELECT id, contact, name, added_at, seen_at, subscription, gone_at FROM inbox_device";

fn device_context(id: &InboxDeviceId) -> String {
    format!("inbox_device:{id}")
}

fn device(row: &Row, from: &impl Query) -> Result<InboxDevice, StoreError> {
    let id: InboxDeviceId = row.read("id")?;
    let sealed: Option<Vec<u8>> = row.read("subscription")?;
    let subscription = sealed.map(|sealed| from.seal().open_json(&device_context(&id), &sealed)).transpose()?;
    Ok(InboxDevice {
        contact: row.read("contact")?,
        name: row.read("name")?,
        added_at: row.read("added_at")?,
        seen_at: row.read("seen_at")?,
        subscription,
        gone_at: row.read("gone_at")?,
        id,
    })
}

async fn list_inbox_devices(from: &mut impl Query, contact: &ContactId) -> Result<Vec<InboxDevice>, StoreError> {
    let sql = AssertSqlSafe(format!("{DEVICE} WHERE contact = $1 ORDER BY id DESC"));
    let rows = from.fetch_all(sql, args![contact]).await?;
    rows.iter().map(|row| device(row, from)).collect()
}

async fn find_inbox_device(from: &mut impl Query, token: &SecretString) -> Result<Option<InboxDevice>, StoreError> {
    let sql = AssertSqlSafe(format!("{DEVICE} WHERE token_hash = $1"));
    let row = from.fetch_optional(sql, args![hash(token)]).await?;
    row.map(|row| device(&row, from)).transpose()
}

fn link(row: &Row) -> Result<InboxLink, StoreError> {
    let purpose: String = row.read("purpose")?;
    let purpose = match purpose.as_str() {
        "invitation" => LinkPurpose::Invitation,
        "notice" => LinkPurpose::Notice,
        _ => return Err(StoreError::Corrupt { column: "purpose".to_owned() }),
    };
    Ok(InboxLink {
        contact: row.read("contact")?,
        purpose,
        made_at: row.read("made_at")?,
        expires_at: row.read("expires_at")?,
    })
}

async fn find_inbox_link(
    from: &mut impl Query,
    token: &SecretString,
    now: UtcMs,
) -> Result<Option<InboxLink>, StoreError> {
    const SQL: &str =
        "SELECT contact, purpose, made_at, expires_at FROM inbox_link WHERE token_hash = $1 AND expires_at > $2";
    from.fetch_optional(SQL, args![hash(token), now]).await?.as_ref().map(link).transpose()
}

async fn find_invitation(
    from: &mut impl Query,
    contact: &ContactId,
    now: UtcMs,
) -> Result<Option<InboxLink>, StoreError> {
    const SQL: &str = "SELECT contact, purpose, made_at, expires_at FROM inbox_link
        WHERE contact = $1 AND purpose = 'invitation' AND expires_at > $2 ORDER BY made_at DESC LIMIT 1";
    from.fetch_optional(SQL, args![contact, now]).await?.as_ref().map(link).transpose()
}

async fn find_inbox_session(
    from: &mut impl Query,
    token: &SecretString,
    now: UtcMs,
) -> Result<Option<InboxSession>, StoreError> {
    const SQL: &str =
        "SELECT contact, device, opened_at, expires_at FROM inbox_session WHERE token_hash = $1 AND expires_at > $2";
    let Some(row) = from.fetch_optional(SQL, args![hash(token), now]).await? else { return Ok(None) };
    Ok(Some(InboxSession {
        contact: row.read("contact")?,
        device: row.read("device")?,
        opened_at: row.read("opened_at")?,
        expires_at: row.read("expires_at")?,
    }))
}

async fn list_inbox_dispatches(
    from: &mut impl Query,
    contact: &ContactId,
    limit: u32,
) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT dispatch FROM attempt WHERE inbox = $1 GROUP BY dispatch ORDER BY dispatch DESC LIMIT $2";
    from.fetch_all(SQL, args![contact, limit]).await?.iter().map(|row| row.read("dispatch")).collect()
}

async fn has_own_pin(from: &mut impl Query, account: &AccountId, contact: &ContactId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT contact FROM pin WHERE account = $1 AND contact = $2";
    Ok(from.fetch_optional(SQL, args![account, contact]).await?.is_some())
}

async fn list_own_pins(
    from: &mut impl Query,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, ContactId)>, StoreError> {
    let mut found = Vec::new();
    for accounts in pieces(accounts) {
        let places = places(accounts.len());
        let sql = format!("SELECT account, contact FROM pin WHERE contact IS NOT NULL AND account IN ({places})");
        // Safe: it is made of placeholders.
        let args = accounts.iter().flat_map(|id| args![id]).collect();
        for row in from.fetch_all(AssertSqlSafe(sql), args).await? {
            found.push((row.read("account")?, row.read("contact")?));
        }
    }
    Ok(found)
}

async fn is_protected(from: &mut impl Query, message: &MessageId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT call_type.protected AS protected FROM message
        JOIN call_type ON call_type.id = message.call_type WHERE message.id = $1";
    from.fetch_optional(SQL, args![message]).await?.map_or(Ok(false), |row| row.read("protected"))
}

const PUSH_KEY: &str = "push_key:1";

async fn find_push_key(from: &mut impl Query) -> Result<Option<SecretString>, StoreError> {
    let Some(row) = from.fetch_optional("SELECT sealed FROM push_key WHERE id = 1", Vec::new()).await? else {
        return Ok(None);
    };
    let sealed: Vec<u8> = row.read("sealed")?;
    let text: String = from.seal().open_json(PUSH_KEY, &sealed)?;
    Ok(Some(SecretString::from(text)))
}

impl Tx {
    /// A new link to a person's inbox: its token, to be sent and never kept.
    pub async fn insert_inbox_link(
        &mut self,
        contact: &ContactId,
        purpose: LinkPurpose,
        lasts_ms: i64,
        now: UtcMs,
    ) -> Result<(SecretString, UtcMs), StoreError> {
        self.execute("DELETE FROM inbox_link WHERE expires_at <= $1", args![now]).await?;
        let (token, expires_at) = (fresh_token(), now.plus_ms(lasts_ms));
        self.execute(
            "INSERT INTO inbox_link (token_hash, contact, purpose, made_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            args![hash(&token), contact, purpose.name(), now, expires_at],
        )
        .await?;
        Ok((token, expires_at))
    }

    /// An invitation was sent: those before it lead nowhere any more.
    pub async fn void_other_invitations(&mut self, contact: &ContactId, sent: &SecretString) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM inbox_link WHERE contact = $1 AND purpose = 'invitation' AND token_hash <> $2";
        self.execute(SQL, args![contact, hash(sent)]).await.map(|_| ())
    }

    /// A link leads nowhere any more, as it never left.
    pub async fn void_link(&mut self, token: &SecretString) -> Result<(), StoreError> {
        self.execute("DELETE FROM inbox_link WHERE token_hash = $1", args![hash(token)]).await.map(|_| ())
    }

    /// A further device of a person: it, and the token that it keeps. Of too many, the one not seen for longest goes.
    pub async fn insert_inbox_device(
        &mut self,
        contact: &ContactId,
        name: &str,
        now: UtcMs,
    ) -> Result<(InboxDeviceId, SecretString), StoreError> {
        let mut known = self.list_inbox_devices(contact).await?;
        known.sort_by_key(|device| device.seen_at);
        let too_many = (known.len() + 1).saturating_sub(MAX_DEVICES);
        for device in known.iter().take(too_many) {
            self.delete_inbox_device(contact, &device.id).await?;
        }
        let (id, token) = (InboxDeviceId::fresh(now), fresh_token());
        self.execute(
            "INSERT INTO inbox_device (id, contact, token_hash, name, added_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5)",
            args![&id, contact, hash(&token), name, now],
        )
        .await?;
        Ok((id, token))
    }

    /// A device is there.
    pub async fn see_inbox_device(&mut self, id: &InboxDeviceId, now: UtcMs) -> Result<(), StoreError> {
        self.execute("UPDATE inbox_device SET seen_at = $2 WHERE id = $1", args![id, now]).await.map(|_| ())
    }

    /// Where pushes to a device go from now on; none: nowhere. Whichever device they went to there before, whoever's, gets none.
    pub async fn set_subscription(
        &mut self,
        id: &InboxDeviceId,
        subscription: Option<&Subscription>,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let sealed = subscription.map(|s| self.seal().seal_json(&device_context(id), s));
        let endpoint = subscription.map(|s| self.seal().index("push_endpoint", &s.endpoint));
        if let Some(endpoint) = &endpoint {
            const TAKE: &str = "UPDATE inbox_device SET subscription = NULL, endpoint_index = NULL, gone_at = NULL
                WHERE endpoint_index = $1 AND id <> $2";
            self.execute(TAKE, args![endpoint.as_str(), id]).await?;
        }
        const SQL: &str = "UPDATE inbox_device SET subscription = $2, endpoint_index = $4, gone_at = NULL, seen_at = $3
            WHERE id = $1";
        self.execute(SQL, args![id, sealed, now, endpoint]).await.map(|_| ())
    }

    /// The push service says that a device's subscription is gone: it is not asked again. A newer one is left alone.
    pub async fn drop_subscription(&mut self, device: &InboxDevice, now: UtcMs) -> Result<(), StoreError> {
        let now_is = self.list_inbox_devices(&device.contact).await?.into_iter().find(|d| d.id == device.id);
        if now_is.is_some_and(|now_is| now_is.subscription == device.subscription) {
            const SQL: &str = "UPDATE inbox_device SET subscription = NULL, endpoint_index = NULL, gone_at = $2
                WHERE id = $1";
            self.execute(SQL, args![&device.id, now]).await?;
        }
        Ok(())
    }

    /// Takes a device away from a person's inbox, with what is open on it. False: it is none of theirs.
    pub async fn delete_inbox_device(&mut self, contact: &ContactId, id: &InboxDeviceId) -> Result<bool, StoreError> {
        self.execute("DELETE FROM inbox_session WHERE device = $1", args![id]).await?;
        const SQL: &str = "DELETE FROM inbox_device WHERE id = $1 AND contact = $2";
        Ok(self.execute(SQL, args![id, contact]).await? > 0)
    }

    /// Opens an inbox for whoever has just shown by PIN who they are: the token by which it stays open.
    pub async fn open_inbox(
        &mut self,
        contact: &ContactId,
        device: Option<&InboxDeviceId>,
        now: UtcMs,
    ) -> Result<(InboxSession, SecretString), StoreError> {
        self.execute("DELETE FROM inbox_session WHERE expires_at <= $1", args![now]).await?;
        let token = SecretString::from(URL_SAFE_NO_PAD.encode(secure_bytes::<32>()));
        let expires_at = now.plus_ms(SESSION_MS);
        self.execute(
            "INSERT INTO inbox_session (token_hash, contact, device, opened_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            args![hash(&token), contact, device, now, expires_at],
        )
        .await?;
        Ok((InboxSession { contact: contact.clone(), device: device.cloned(), opened_at: now, expires_at }, token))
    }

    /// An open inbox was used: it stays open for longer, within the longest.
    pub async fn touch_inbox(
        &mut self,
        token: &SecretString,
        session: &InboxSession,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE inbox_session SET expires_at = $2 WHERE token_hash = $1 AND expires_at > $3";
        let until = session.kept_open_until(now);
        self.execute(SQL, args![hash(token), until, now]).await.map(|_| ())
    }

    /// Closes an inbox that is open.
    pub async fn close_inbox_session(&mut self, token: &SecretString) -> Result<(), StoreError> {
        self.execute("DELETE FROM inbox_session WHERE token_hash = $1", args![hash(token)]).await.map(|_| ())
    }

    /// Closes all that is open of a person's inbox: their PIN is another, or gone.
    pub async fn close_inbox_sessions(&mut self, contact: &ContactId) -> Result<(), StoreError> {
        self.execute("DELETE FROM inbox_session WHERE contact = $1", args![contact]).await.map(|_| ())
    }

    /// Takes a person's inbox away with its devices and links.
    pub async fn close_inbox(&mut self, contact: &ContactId) -> Result<(), StoreError> {
        self.close_inbox_sessions(contact).await?;
        self.execute("DELETE FROM inbox_device WHERE contact = $1", args![contact]).await?;
        self.void_inbox_links(contact).await
    }

    /// No link that was sent to a person opens anything any more.
    pub async fn void_inbox_links(&mut self, contact: &ContactId) -> Result<(), StoreError> {
        self.execute("DELETE FROM inbox_link WHERE contact = $1", args![contact]).await.map(|_| ())
    }

    /// Keeps the key that pushes are signed with, unless there is one. Whoever reads it afterwards has the one that counts.
    pub async fn insert_push_key(&mut self, pkcs8: &SecretString, now: UtcMs) -> Result<(), StoreError> {
        let sealed = self.seal().seal_json(PUSH_KEY, &pkcs8.expose_secret());
        const SQL: &str = "INSERT INTO push_key (id, made_at, sealed) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";
        self.execute(SQL, args![now, sealed]).await.map(|_| ())
    }
}

impl InboxSession {
    /// Until when it stays open if it is used now.
    fn kept_open_until(&self, now: UtcMs) -> UtcMs {
        now.plus_ms(SESSION_MS).min(self.opened_at.plus_ms(LONGEST_SESSION_MS))
    }

    /// Its end would move by enough to be worth a write.
    pub fn is_worth_touching(&self, now: UtcMs) -> bool {
        self.kept_open_until(now).since(self.expires_at) >= TOUCH_MS
    }
}
