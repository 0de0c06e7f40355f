//! What check-ins need: the messages that are held, whose PIN it is, and how many were nobody's.
//!
//! A PIN is kept as a keyed hash alone (`seal`), whose key is outside the database: a copy of the database tells no PIN,
//! though there are only few that are possible. Within an account a PIN is one person's. A try is counted and judged in one
//! transaction, one at a time for an account: whoever tries many at once has no more tries than whoever tries them in turn.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DispatchId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::checkin::pin::{Pin, are_too_many};

use super::inbox::InboxDevice;
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

/// Wrong PINs of the last hour: from one place, and from all that count with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrongPins {
    pub of_one: u32,
    pub of_all: u32,
}

impl WrongPins {
    const fn locks(self) -> bool {
        are_too_many(self.of_one, self.of_all)
    }
}

/// From where a PIN was tried. Whoever locks one place by wrong ones locks no other person's, and no device of theirs.
#[derive(Clone, Copy, Debug)]
pub enum PinFrom<'a> {
    /// A call from a number of nobody of the account; those without a number count as one, and all of them together.
    Stranger(Option<&'a PhoneNumber>),
    /// A call from a number of one of the account's people, which counts alone.
    Known(&'a PhoneNumber),
    /// A telephone that was called with a message for one of these people, none: for whoever shares the account's PIN. Counts with
    /// calls from there.
    Called { number: &'a PhoneNumber, people: &'a [ContactId] },
    /// A device on which this person's inbox is, which counts alone.
    Device(&'a InboxDevice),
    /// A link to this person's inbox; theirs count together.
    Link { token: &'a SecretString, contact: &'a ContactId },
}

/// What came of a PIN that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Right(PinSet),
    /// `locks`: from now on none is taken there.
    Wrong {
        locks: bool,
    },
    /// None is taken there, right or wrong.
    Locked,
}

impl PinFrom<'_> {
    /// Whether a PIN opens anything there: at an inbox, its person's own alone; on a call to somebody, theirs, of two who share the
    /// telephone either's, or the one that all share.
    fn takes(self, found: &PinSet) -> bool {
        match self {
            Self::Stranger(_) | Self::Known(_) => true,
            Self::Called { people, .. } => found.contact.as_ref().is_none_or(|contact| people.contains(contact)),
            Self::Device(device) => found.contact.as_ref() == Some(&device.contact),
            Self::Link { contact, .. } => found.contact.as_ref() == Some(contact),
        }
    }

    /// The place itself; none: a call without a number.
    fn place(self, seal: &Seal) -> Option<String> {
        match self {
            Self::Stranger(caller) => caller.map(|caller| seal.index("caller", caller.as_e164())),
            Self::Known(number) | Self::Called { number, .. } => Some(seal.index("caller", number.as_e164())),
            Self::Device(device) => Some(seal.index("inbox_device", device.id.as_str())),
            Self::Link { token, .. } => Some(seal.index("inbox_link", token.expose_secret())),
        }
    }

    /// What it counts with.
    fn scope(self, seal: &Seal) -> String {
        match self {
            Self::Stranger(_) => "call".to_owned(),
            Self::Known(_) | Self::Called { .. } | Self::Device(_) => self.place(seal).unwrap_or_default(),
            Self::Link { contact, .. } => seal.index("inbox_links", contact.as_str()),
        }
    }
}

readers! {
    /// Dispatches of an account whose messages can be read at check-in, the one held longest first.
    list_held_dispatches(account: &AccountId) -> Vec<DispatchId>;
    /// Whose PIN this is, among an account's people.
    find_pin(account: &AccountId, pin: &Pin) -> Option<PinSet>;
    /// The PINs of an account.
    list_pins(account: &AccountId) -> Vec<PinSet>;
    /// PINs that were wrong in the last hour: from there, and from all that count with it.
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

async fn count_wrong_pins(
    from: &mut impl Query,
    account: &AccountId,
    from_where: PinFrom<'_>,
    now: UtcMs,
) -> Result<WrongPins, StoreError> {
    // Callers without a number count as one.
    const SQL: &str = "SELECT COUNT(*) AS of_all,
        COALESCE(SUM(CASE WHEN COALESCE(caller_index, '') = $3 THEN 1 ELSE 0 END), 0) AS of_one
        FROM wrong_pin WHERE account = $1 AND at > $2 AND scope = $4";
    let (place, scope) = (from_where.place(from.seal()).unwrap_or_default(), from_where.scope(from.seal()));
    let row = from.fetch_optional(SQL, args![account, now.plus_ms(-WRONG_PINS_COUNT_MS), place, scope]).await?;
    let Some(row) = row else { return Ok(WrongPins::default()) };
    Ok(WrongPins { of_one: row.read("of_one")?, of_all: row.read("of_all")? })
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

    /// Tries a PIN. How many were wrong is counted first, and what is wrong is remembered, before anybody else's try at this
    /// account is looked at.
    pub async fn try_pin(
        &mut self,
        account: &AccountId,
        from_where: PinFrom<'_>,
        pin: &Pin,
        now: UtcMs,
    ) -> Result<Tried, StoreError> {
        let lock = self.dialect().for_update();
        // Safe: one of two fixed endings.
        let sql = AssertSqlSafe(format!("SELECT id FROM account WHERE id = $1{lock}"));
        self.fetch_optional(sql, args![account]).await?;
        let locked = self.count_wrong_pins(account, from_where, now).await?.locks();
        let found = self.find_pin(account, pin).await?.filter(|found| from_where.takes(found));
        match found {
            Some(found) if !locked => Ok(Tried::Right(found)),
            // Wrong ones beyond the limit prolong it; a right one does not.
            Some(_) => Ok(Tried::Locked),
            None => {
                self.insert_wrong_pin(account, from_where, now).await?;
                let locks = self.count_wrong_pins(account, from_where, now).await?.locks();
                Ok(if locked { Tried::Locked } else { Tried::Wrong { locks } })
            }
        }
    }

    /// Remembers a PIN that was wrong, and forgets those that no longer count.
    async fn insert_wrong_pin(
        &mut self,
        account: &AccountId,
        from_where: PinFrom<'_>,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let before = now.plus_ms(-WRONG_PINS_COUNT_MS);
        self.execute("DELETE FROM wrong_pin WHERE account = $1 AND at <= $2", args![account, before]).await?;
        let (place, scope) = (from_where.place(self.seal()), from_where.scope(self.seal()));
        let sql = "INSERT INTO wrong_pin (account, caller_index, at, scope) VALUES ($1, $2, $3, $4)";
        self.execute(sql, args![account, place, now, scope]).await.map(|_| ())
    }
}
