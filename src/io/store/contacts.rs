//! Contacts and the ways to reach them.

use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DestinationId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Contact, Destination, Reach};

use super::calls::pieces;
use super::sql::{json, places};
use super::{Arg, Query, Row, StoreError, Tx, args, readers};

readers! {
    /// The contact with this identifier.
    find_contact(id: &ContactId) -> Option<Contact>;
    /// All contacts of an account, in the account's order.
    list_contacts(account: &AccountId) -> Vec<Contact>;
    /// All contacts of these accounts, each one's in its order.
    list_contacts_of(accounts: &[AccountId]) -> Vec<Contact>;
    /// Everybody, of whichever account, who has this telephone: whose text or call it may be.
    list_contacts_by_phone(number: &PhoneNumber) -> Vec<Contact>;
    /// Every telephone of everybody, in no order.
    list_contact_phones() -> Vec<PhoneNumber>;
    /// How somebody's name is said; none: as it is written, or there is nobody of that identifier.
    find_spoken_as(id: &ContactId) -> Option<String>;
    /// How the names of an account's people are said, of those where it was written.
    list_spoken_as(account: &AccountId) -> Vec<(ContactId, String)>;
}

async fn find_spoken_as(from: &mut impl Query, id: &ContactId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT spoken_as FROM contact WHERE id = $1";
    Ok(from.fetch_optional(SQL, args![id]).await?.map(|row| row.read("spoken_as")).transpose()?.flatten())
}

async fn list_spoken_as(from: &mut impl Query, account: &AccountId) -> Result<Vec<(ContactId, String)>, StoreError> {
    const SQL: &str = "SELECT id, spoken_as FROM contact WHERE account = $1 AND spoken_as IS NOT NULL";
    from.fetch_all(SQL, args![account]).await?.iter().map(|row| Ok((row.read("id")?, row.read("spoken_as")?))).collect()
}

async fn find_contact(from: &mut impl Query, id: &ContactId) -> Result<Option<Contact>, StoreError> {
    Ok(load(from, "id = $1", args![id]).await?.pop())
}

async fn list_contacts(from: &mut impl Query, account: &AccountId) -> Result<Vec<Contact>, StoreError> {
    load(from, "account = $1", args![account]).await
}

async fn list_contacts_of(from: &mut impl Query, accounts: &[AccountId]) -> Result<Vec<Contact>, StoreError> {
    let mut contacts = Vec::new();
    for accounts in pieces(accounts) {
        let filter = format!("account IN ({})", places(accounts.len()));
        contacts.extend(load(from, &filter, accounts.iter().flat_map(|id| args![id]).collect()).await?);
    }
    Ok(contacts)
}

async fn list_contacts_by_phone(from: &mut impl Query, number: &PhoneNumber) -> Result<Vec<Contact>, StoreError> {
    const FILTER: &str = "id IN (SELECT contact FROM destination WHERE kind = 'phone' AND address = $1)";
    load(from, FILTER, args![number]).await
}

async fn list_contact_phones(from: &mut impl Query) -> Result<Vec<PhoneNumber>, StoreError> {
    const SQL: &str = "SELECT DISTINCT address FROM destination WHERE kind = 'phone'";
    from.fetch_all(SQL, Vec::new()).await?.iter().map(|row| row.read("address")).collect()
}

async fn load(from: &mut impl Query, filter: &str, args: Vec<Arg>) -> Result<Vec<Contact>, StoreError> {
    let contacts =
        format!("SELECT id, account, name, title, language, zone FROM contact WHERE {filter} ORDER BY position, id");
    let destinations = format!(
        "SELECT id, contact, label, kind, address, ring_secs, blocked, hours FROM destination
         WHERE contact IN (SELECT id FROM contact WHERE {filter}) ORDER BY position, id"
    );
    // Safe: `filter` is one of the literals above, or made of placeholders.
    let rows = from.fetch_all(AssertSqlSafe(contacts), args.clone()).await?;
    let mut contacts = rows.iter().map(contact).collect::<Result<Vec<_>, _>>()?;
    for row in from.fetch_all(AssertSqlSafe(destinations), args).await? {
        let owner: ContactId = row.read("contact")?;
        if let Some(contact) = contacts.iter_mut().find(|c| c.id == owner) {
            contact.destinations.push(destination(&row)?);
        }
    }
    Ok(contacts)
}

fn contact(row: &Row) -> Result<Contact, StoreError> {
    Ok(Contact {
        id: row.read("id")?,
        account: row.read("account")?,
        name: row.read("name")?,
        title: row.read("title")?,
        language: row.read("language")?,
        zone: row.read("zone")?,
        destinations: Vec::new(),
    })
}

fn destination(row: &Row) -> Result<Destination, StoreError> {
    let kind: String = row.read("kind")?;
    let reach = match kind.as_str() {
        "phone" => Reach::Phone(row.read("address")?),
        "email" => Reach::Email(row.read("address")?),
        "pager" => {
            let address: String = row.read("address")?;
            Reach::Pager(address.parse().map_err(|_| StoreError::Corrupt { column: "address".to_owned() })?)
        }
        "webhook" => Reach::Webhook(row.read("address")?),
        "inbox" => Reach::Inbox(row.read("address")?),
        "fax" => Reach::Fax(row.read("address")?),
        _ => return Err(StoreError::Corrupt { column: "kind".to_owned() }),
    };
    Ok(Destination {
        id: row.read("id")?,
        label: row.read("label")?,
        reach,
        ring_secs: row.read("ring_secs")?,
        blocked: row.read("blocked")?,
        hours: row.read_json_optional("hours")?.unwrap_or_default(),
    })
}

impl Tx {
    /// Writes a contact with all its destinations. A new one goes to the end of the account's list.
    pub async fn upsert_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.changes_accounts = true;
        self.execute(
            "INSERT INTO contact (id, account, position, name, title, language, zone)
             VALUES ($1, $2, (SELECT COALESCE(MAX(position), 0) + 1 FROM contact WHERE account = $2), $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, title = excluded.title,
             language = excluded.language, zone = excluded.zone",
            args![
                &contact.id,
                &contact.account,
                &contact.name,
                &contact.title,
                contact.language.as_deref(),
                contact.zone.as_deref()
            ],
        )
        .await?;
        let kept = self.fetch_all("SELECT id FROM destination WHERE contact = $1", args![&contact.id]).await?;
        for row in kept {
            let id: DestinationId = row.read("id")?;
            if !contact.destinations.iter().any(|d| d.id == id) {
                self.execute("DELETE FROM destination WHERE id = $1", args![&id]).await?;
            }
        }
        for (position, destination) in (0_i64..).zip(&contact.destinations) {
            let (kind, address) = match &destination.reach {
                Reach::Phone(number) => ("phone", number.as_e164()),
                Reach::Email(address) => ("email", address.as_str()),
                Reach::Pager(pager) => ("pager", pager.as_str()),
                Reach::Webhook(name) => ("webhook", name.as_str()),
                Reach::Inbox(notice) => ("inbox", notice.as_str()),
                Reach::Fax(number) => ("fax", number.as_e164()),
            };
            let hours = (!destination.hours.is_empty()).then(|| json(&destination.hours));
            self.execute(
                "INSERT INTO destination (id, contact, position, label, kind, address, ring_secs, blocked, hours)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT (id) DO UPDATE SET position = excluded.position, label = excluded.label,
                 kind = excluded.kind, address = excluded.address, ring_secs = excluded.ring_secs,
                 blocked = excluded.blocked, hours = excluded.hours",
                args![
                    &destination.id,
                    &contact.id,
                    position,
                    &destination.label,
                    kind,
                    address,
                    destination.ring_secs,
                    destination.blocked,
                    hours
                ],
            )
            .await?;
        }
        Ok(())
    }

    /// Says how somebody's name is said from now on.
    pub async fn set_spoken_as(&mut self, id: &ContactId, words: Option<&str>) -> Result<(), StoreError> {
        self.execute("UPDATE contact SET spoken_as = $2 WHERE id = $1", args![id, words]).await.map(|_| ())
    }

    /// Removes a contact with all its destinations, and the overrides of schedules that put it on call and are over. Whoever
    /// does it has seen to it that nothing else names it.
    pub async fn delete_contact(&mut self, id: &ContactId, now: UtcMs) -> Result<(), StoreError> {
        self.changes_accounts = true;
        let over = "DELETE FROM schedule_override WHERE contact = $1 AND until_at <= $2";
        self.execute(over, args![id, now]).await?;
        self.execute("DELETE FROM destination WHERE contact = $1", args![id]).await?;
        self.execute("DELETE FROM verification WHERE contact = $1", args![id]).await?;
        self.execute("DELETE FROM pin WHERE contact = $1", args![id]).await?;
        self.close_inbox(id).await?;
        self.execute("DELETE FROM contact WHERE id = $1", args![id]).await.map(|_| ())
    }

    /// Marks every destination with this number as blocked (the person replied STOP), or as open again.
    /// Tells how many there are.
    pub async fn block_number(&mut self, number: &PhoneNumber, blocked: bool) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE destination SET blocked = $2 WHERE kind = 'phone' AND address = $1",
            args![number, blocked],
        )
        .await
    }
}
