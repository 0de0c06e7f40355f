//! What check-ins need: the messages that are held, whose PIN it is, and how many were nobody's.
//!
//! A PIN is kept as a keyed hash alone (`seal`), whose key is outside the database: a copy of the database tells no PIN,
//! though there are only few that are possible. Within an account a PIN is one person's.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DispatchId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::checkin::pin::Pin;

use super::seal::Seal;
use super::{Query, StoreError, Tx, args, readers};

/// Wrong PINs count for so long.
pub const WRONG_PINS_COUNT_MS: i64 = 60 * 60 * 1_000;

/// A PIN as far as anybody may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinSet {
    /// Whose it is; none if all of the account's people share it.
    pub contact: Option<ContactId>,
    pub set_by: UserId,
    pub set_at: UtcMs,
}

/// Wrong PINs of the last hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrongPins {
    pub of_caller: u32,
    pub of_account: u32,
}

/// From where a PIN was tried.
#[derive(Clone, Copy, Debug)]
pub enum PinFrom<'a> {
    /// A call; those without a number count as one caller.
    Caller(Option<&'a PhoneNumber>),
    /// The secure inbox of this person.
    Inbox(&'a ContactId),
}

readers! {
    /// Dispatches of an account whose messages can be read at check-in, the one held longest first.
    list_held_dispatches(account: &AccountId) -> Vec<DispatchId>;
    /// Whose PIN this is, among an account's people.
    find_pin(account: &AccountId, pin: &Pin) -> Option<PinSet>;
    /// The PINs of an account.
    list_pins(account: &AccountId) -> Vec<PinSet>;
    /// PINs that were nobody's in the last hour: from there, and in all.
    count_wrong_pins(account: &AccountId, from_where: PinFrom<'_>, now: UtcMs) -> WrongPins;
}

async fn list_held_dispatches(from: &mut impl Query, account: &AccountId) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT id FROM dispatch WHERE account = $1 AND held_since IS NOT NULL AND closed_at IS NULL
        ORDER BY held_since, id";
    from.fetch_all(SQL, args![account]).await?.iter().map(|row| row.read("id")).collect()
}

/// The same digits say nothing at another account.
fn index(seal: &Seal, account: &AccountId, pin: &Pin) -> String {
    seal.index("pin", &format!("{account} {}", pin.reveal()))
}

async fn find_pin(from: &mut impl Query, account: &AccountId, pin: &Pin) -> Result<Option<PinSet>, StoreError> {
    const SQL: &str = "SELECT contact, set_by, set_at FROM pin WHERE account = $1 AND pin_index = $2";
    let index = index(from.seal(), account, pin);
    from.fetch_optional(SQL, args![account, index]).await?.as_ref().map(pin_set).transpose()
}

async fn list_pins(from: &mut impl Query, account: &AccountId) -> Result<Vec<PinSet>, StoreError> {
    const SQL: &str = "SELECT contact, set_by, set_at FROM pin WHERE account = $1 ORDER BY set_at, pin_index";
    from.fetch_all(SQL, args![account]).await?.iter().map(pin_set).collect()
}

fn pin_set(row: &super::Row) -> Result<PinSet, StoreError> {
    Ok(PinSet { contact: row.read("contact")?, set_by: row.read("set_by")?, set_at: row.read("set_at")? })
}

fn caller_index(seal: &Seal, from_where: PinFrom<'_>) -> Option<String> {
    match from_where {
        PinFrom::Caller(caller) => caller.map(|caller| seal.index("caller", caller.as_e164())),
        PinFrom::Inbox(contact) => Some(seal.index("inbox", contact.as_str())),
    }
}

async fn count_wrong_pins(
    from: &mut impl Query,
    account: &AccountId,
    from_where: PinFrom<'_>,
    now: UtcMs,
) -> Result<WrongPins, StoreError> {
    // Callers without a number count as one.
    const SQL: &str = "SELECT COUNT(*) AS of_account,
        COALESCE(SUM(CASE WHEN COALESCE(caller_index, '') = $3 THEN 1 ELSE 0 END), 0) AS of_caller
        FROM wrong_pin WHERE account = $1 AND at > $2";
    let caller = caller_index(from.seal(), from_where).unwrap_or_default();
    let row = from.fetch_optional(SQL, args![account, now.plus_ms(-WRONG_PINS_COUNT_MS), caller]).await?;
    let Some(row) = row else { return Ok(WrongPins::default()) };
    Ok(WrongPins { of_caller: row.read("of_caller")?, of_account: row.read("of_account")? })
}

impl Tx {
    /// Gives a person of an account, or all of them together, this PIN in place of any other.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else of the account has it.
    pub async fn set_pin(
        &mut self,
        account: &AccountId,
        contact: Option<&ContactId>,
        pin: &Pin,
        by: &UserId,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        self.remove_pin(account, contact).await?;
        let index = index(self.seal(), account, pin);
        let set = self
            .execute(
                "INSERT INTO pin (account, pin_index, contact, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT DO NOTHING",
                args![account, index, contact, by, now],
            )
            .await?;
        if set == 0 { Err(StoreError::Conflict { what: "pin".to_owned() }) } else { Ok(()) }
    }

    /// Takes a person's PIN away, or the one that all share. False: there was none.
    pub async fn remove_pin(&mut self, account: &AccountId, contact: Option<&ContactId>) -> Result<bool, StoreError> {
        let removed = match contact {
            Some(contact) => self.execute("DELETE FROM pin WHERE contact = $1", args![contact]).await?,
            None => self.execute("DELETE FROM pin WHERE account = $1 AND contact IS NULL", args![account]).await?,
        };
        Ok(removed > 0)
    }

    /// Remembers a PIN that was nobody's, and forgets those that no longer count.
    pub async fn insert_wrong_pin(
        &mut self,
        account: &AccountId,
        from_where: PinFrom<'_>,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let before = now.plus_ms(-WRONG_PINS_COUNT_MS);
        self.execute("DELETE FROM wrong_pin WHERE account = $1 AND at <= $2", args![account, before]).await?;
        let caller = caller_index(self.seal(), from_where);
        let sql = "INSERT INTO wrong_pin (account, caller_index, at) VALUES ($1, $2, $3)";
        self.execute(sql, args![account, caller, now]).await.map(|_| ())
    }
}
