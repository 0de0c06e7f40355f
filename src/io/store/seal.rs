//! Sealing: what callers said is kept encrypted (ChaCha20-Poly1305, RFC 8439) with a key that lives in a
//! file outside the database. A sealed value names its row in the authenticated data, so it opens in no
//! other. Equality search works on keyed hashes ([`Seal::index`]).

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::rng::secure_bytes;
use crate::config::KEY_HEADER;

use super::StoreError;

/// First byte of a sealed value; a later way of sealing gets another.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// The key to the sealed columns.
pub struct Seal {
    key: LessSafeKey,
    index: hmac::Key,
    audit: hmac::Key,
    mail: hmac::Key,
    fingerprint: String,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// A seal from its 32 secret bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let sealing = hmac::sign(&master, b"cordboard seal");
        let key = UnboundKey::new(&CHACHA20_POLY1305, sealing.as_ref())
            .expect("HMAC-SHA256 gives the 32 bytes this cipher takes");
        let index = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, b"cordboard index").as_ref());
        let audit = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, b"cordboard audit").as_ref());
        let mail = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, b"cordboard mail").as_ref());
        let fingerprint = URL_SAFE_NO_PAD.encode(&hmac::sign(&master, b"cordboard fingerprint").as_ref()[..12]);
        Self { key: LessSafeKey::new(key), index, audit, mail, fingerprint }
    }

    /// Reads the key of an existing database.
    pub fn load(path: &Path) -> Result<Self, StoreError> {
        Self::read(path, true)
    }

    /// `sealed`: there is a database that needs this key and no other.
    fn read(path: &Path, sealed: bool) -> Result<Self, StoreError> {
        let refuse = |why: &str| StoreError::NoKey { path: path.to_owned(), why: why.to_owned(), sealed };
        let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => refuse("it does not exist"),
            ErrorKind::PermissionDenied => refuse("permission denied"),
            _ => refuse("it cannot be read"),
        })?;
        let mut lines = text.lines();
        let secret = lines
            .next()
            .filter(|line| *line == KEY_HEADER)
            .and_then(|_| lines.next())
            .and_then(|line| STANDARD.decode(line.trim()).ok())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| refuse("it is not a Cordboard key"))?;
        Ok(Self::new(&secret))
    }

    /// Reads the key, or makes one for a new database.
    pub fn load_or_create(path: &Path) -> Result<Self, StoreError> {
        if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory).map_err(|e| StoreError::not_writable(directory, &e))?;
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let secret: [u8; 32] = secure_bytes();
                let text = format!("{KEY_HEADER}\n{}\n", STANDARD.encode(secret));
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|e| StoreError::not_writable(path, &e))?;
                Ok(Self::new(&secret))
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Self::read(path, false),
            Err(e) => Err(StoreError::not_writable(path, &e)),
        }
    }

    /// Tells keys apart without telling anything of them.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What the audit log is chained with.
    pub(super) const fn audit_key(&self) -> &hmac::Key {
        &self.audit
    }

    /// What the addresses are signed with that mail comes back to.
    pub fn mail_key(&self) -> hmac::Key {
        self.mail.clone()
    }

    /// Seals `plain` for the row that `context` names (`message:msg_…`).
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = secure_bytes();
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .expect("a value of a form is far below the cipher's limit of 256 GiB");
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.append(&mut sealed);
        out
    }

    /// Opens what [`Seal::seal`] made for the same row.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (version, rest) = sealed.split_first().ok_or(StoreError::Unsealed)?;
        let (nonce, body) = rest.split_at_checked(NONCE_BYTES).ok_or(StoreError::Unsealed)?;
        if *version != VERSION {
            return Err(StoreError::Unsealed);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Unsealed)?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| StoreError::Unsealed)?;
        Ok(plain.to_vec())
    }

    /// Seals a value as JSON.
    pub fn seal_json<T: Serialize>(&self, context: &str, value: &T) -> Vec<u8> {
        self.seal(context, super::sql::json(value).as_bytes())
    }

    /// Opens a value sealed by [`Seal::seal_json`].
    pub fn open_json<T: DeserializeOwned>(&self, context: &str, sealed: &[u8]) -> Result<T, StoreError> {
        let plain = self.open(context, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Unsealed)
    }

    /// A keyed hash by which equal values of one kind (`caller`) are found without being readable.
    pub fn index(&self, kind: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_in_its_own_row_only() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal("message:msg_1", b"burst pipe");
        assert_eq!(seal.open("message:msg_1", &sealed).expect("opens"), b"burst pipe");
        assert!(matches!(seal.open("message:msg_2", &sealed), Err(StoreError::Unsealed)));
        assert!(matches!(Seal::new(&[8; 32]).open("message:msg_1", &sealed), Err(StoreError::Unsealed)));
    }

    #[test]
    fn no_cut_or_altered_value_opens() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal("x", b"burst pipe");
        assert!((0..sealed.len()).all(|n| seal.open("x", &sealed[..n]).is_err()));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(seal.open("x", &altered).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_index_of_equal_values_is_equal_under_one_key_only() {
        let (a, b) = (Seal::new(&[1; 32]), Seal::new(&[2; 32]));
        assert_eq!(a.index("caller", "+12025550123"), a.index("caller", "+12025550123"));
        assert_ne!(a.index("caller", "+12025550123"), a.index("callback", "+12025550123"));
        assert_ne!(a.index("caller", "+12025550123"), b.index("caller", "+12025550123"));
    }
}
