//! Desk phones: whose they are, what they register as, and what their secrets are checked with.
//!
//! The secret itself is shown once, when the phone is added, and kept nowhere: what is kept (HA1, a hash for
//! each algorithm) opens the same door, so it is sealed.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{DeviceId, UserId};
use crate::base::rng::secure_bytes;
use crate::domain::operator::extension::Extension;
use crate::proto::sip::digest::{Hash, ha1};

use super::{Query, Row, StoreError, Tx, args, readers};

/// The realm of desk phones. Part of what is kept of each secret, so it never changes.
pub const REALM: &str = "cordboard";
/// Longest name of a phone, in characters.
const MAX_NAME_CHARS: usize = 60;

/// A desk phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    /// Whose it is.
    pub user: UserId,
    /// What it registers as.
    pub login: String,
    /// "Desk 3".
    pub name: String,
    /// What colleagues dial.
    pub extension: Option<Extension>,
    pub created_at: UtcMs,
    /// Its owner may sign in; the phone of one who may not registers no more.
    pub active: bool,
}

/// A desk phone and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedDevice {
    pub device: Device,
    /// What its owner types to sign in.
    pub owner_login: String,
    pub owner_name: String,
}

/// What a phone's secret is checked with.
#[derive(Clone, Debug)]
pub struct DeviceHashes {
    pub md5: SecretString,
    pub sha256: SecretString,
}

impl DeviceHashes {
    /// Of a phone's login and secret.
    pub fn of(login: &str, secret: &SecretString) -> Self {
        let of = |hash| ha1(hash, login, REALM, secret);
        Self { md5: of(Hash::Md5), sha256: of(Hash::Sha256) }
    }

    /// The one for an algorithm, if it is kept.
    pub fn for_hash(&self, hash: Hash) -> Option<SecretString> {
        match hash {
            Hash::Md5 => Some(self.md5.clone()),
            Hash::Sha256 => Some(self.sha256.clone()),
            Hash::Sha512_256 => None,
        }
    }
}

/// 160 random bits, in letters and digits that cannot be mistaken for each other.
pub fn fresh_secret() -> SecretString {
    SecretString::from(letters::<32>())
}

/// A login for a phone of the user who signs in as `user`.
pub fn fresh_login(user: &str) -> String {
    format!("{user}-{}", letters::<5>())
}

fn letters<const N: usize>() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    secure_bytes::<N>().iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    md5: String,
    sha256: String,
}

readers! {
    /// All desk phones, by login.
    list_devices() -> Vec<Device>;
    /// The same, with their owners.
    list_owned_devices() -> Vec<OwnedDevice>;
    /// What the secret of a phone is checked with.
    find_device_hashes(id: &DeviceId) -> Option<DeviceHashes>;
}

async fn list_devices(from: &mut impl Query) -> Result<Vec<Device>, StoreError> {
    Ok(list_owned_devices(from).await?.into_iter().map(|owned| owned.device).collect())
}

async fn list_owned_devices(from: &mut impl Query) -> Result<Vec<OwnedDevice>, StoreError> {
    const SQL: &str = "SELECT d.id, d.user_id, d.login, d.name, d.extension, d.created_at, u.disabled_at,
        u.login AS owner_login, u.name AS owner_name
        FROM device d JOIN users u ON u.id = d.user_id ORDER BY d.login";
    let owned = |row: &Row| {
        let (owner_login, owner_name) = (row.read("owner_login")?, row.read("owner_name")?);
        Ok(OwnedDevice { device: device(row)?, owner_login, owner_name })
    };
    from.fetch_all(SQL, Vec::new()).await?.iter().map(owned).collect()
}

async fn find_device_hashes(from: &mut impl Query, id: &DeviceId) -> Result<Option<DeviceHashes>, StoreError> {
    let Some(row) = from.fetch_optional("SELECT sealed FROM device WHERE id = $1", args![id]).await? else {
        return Ok(None);
    };
    let kept: Kept = from.seal().open_json(&context(id), &row.read::<Vec<u8>>("sealed")?)?;
    Ok(Some(DeviceHashes { md5: SecretString::from(kept.md5), sha256: SecretString::from(kept.sha256) }))
}

fn device(row: &Row) -> Result<Device, StoreError> {
    let extension = match row.read::<Option<String>>("extension")? {
        Some(text) => {
            Some(Extension::parse(&text).map_err(|_| StoreError::Corrupt { column: "extension".to_owned() })?)
        }
        None => None,
    };
    Ok(Device {
        extension,
        id: row.read("id")?,
        user: row.read("user_id")?,
        login: row.read("login")?,
        name: row.read("name")?,
        created_at: row.read("created_at")?,
        active: row.read::<Option<UtcMs>>("disabled_at")?.is_none(),
    })
}

fn context(id: &DeviceId) -> String {
    format!("device:{id}")
}

impl Tx {
    /// Adds a desk phone. Its login must be new, and so its extension.
    pub async fn insert_device(&mut self, device: &Device, hashes: &DeviceHashes) -> Result<(), StoreError> {
        let name = device.name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            let why = format!("A phone's name has 1 to {MAX_NAME_CHARS} characters, such as \"Desk 3\".");
            return Err(StoreError::Refused { why: vec![why] });
        }
        let kept =
            Kept { md5: hashes.md5.expose_secret().to_owned(), sha256: hashes.sha256.expose_secret().to_owned() };
        let sealed = self.seal.seal_json(&context(&device.id), &kept);
        self.execute(
            "INSERT INTO device (id, user_id, login, name, sealed, created_at, extension)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                &device.id,
                &device.user,
                &device.login,
                name,
                sealed,
                device.created_at,
                device.extension.as_ref().map(Extension::as_str)
            ],
        )
        .await?;
        Ok(())
    }

    /// Removes the desk phone that registers as `login`; false if there is none.
    pub async fn remove_device(&mut self, login: &str) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM device WHERE login = $1", args![login]).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_secret_is_long_and_never_the_same() {
        let (a, b) = (fresh_secret(), fresh_secret());
        assert_eq!(a.expose_secret().len(), 32);
        assert_ne!(a.expose_secret(), b.expose_secret());
        assert!(fresh_login("kim").starts_with("kim-"));
    }

    #[test]
    fn hashes_are_printed_by_nothing() {
        let hashes = DeviceHashes::of("kim-1", &SecretString::from("s".to_owned()));
        let printed = format!("{hashes:?}");
        assert!(!printed.contains(hashes.md5.expose_secret()), "{printed}");
        assert!(hashes.for_hash(Hash::Sha512_256).is_none());
    }
}
