//! An anchor: a row of the audit log as it was seen once, kept where whoever writes the database does not write. It shows
//! what the log alone cannot: that the whole database was put back to what it was earlier, or the log to nothing.

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::chain::HASH_BYTES;
use crate::io::store::StoreError;

/// A row by its number and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub number: i64,
    pub hash: Vec<u8>,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("\"{text}\" is no anchor: write what `cordboard audit verify` printed, 1234:0a1b…");
        let (number, hex) = text.trim().split_once(':').ok_or_else(refuse)?;
        if hex.len() != 2 * HASH_BYTES || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refuse());
        }
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16);
        let hash: Result<Vec<u8>, _> = (0..HASH_BYTES).map(byte).collect();
        Ok(Self { number: number.parse().map_err(|_| refuse())?, hash: hash.map_err(|_| refuse())? })
    }
}

/// The anchor that the service keeps beside the key.
#[derive(Clone, Debug)]
pub struct AnchorFile(PathBuf);

impl AnchorFile {
    /// The one that goes with this key file.
    pub fn beside(key_file: &Path) -> Self {
        let mut name = key_file.as_os_str().to_owned();
        name.push(".audit");
        Self(name.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was kept last; none if nothing was.
    ///
    /// # Errors
    /// In words, if it is there and cannot be read.
    pub fn read(&self) -> Result<Option<Anchor>, String> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => text.parse().map(Some).map_err(|_| {
                format!("{} is not what Cordboard wrote there. Delete it to begin anew", self.0.display())
            }),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("cannot read {}: {e}", self.0.display())),
        }
    }

    /// Keeps this one from now on, whole or not at all.
    pub fn write(&self, anchor: &Anchor) -> Result<(), StoreError> {
        let mut fresh = self.0.clone().into_os_string();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let cannot = |e: std::io::Error| StoreError::not_writable(&self.0, &e);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(cannot)?;
        file.write_all(format!("{anchor}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)?;
        std::fs::rename(&fresh, &self.0).map_err(cannot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_read_as_it_was_printed_and_nothing_else_is_one() {
        let anchor = Anchor { number: 1_234, hash: (0..32).collect() };
        assert_eq!(anchor.to_string().parse(), Ok(anchor.clone()));
        let short = anchor.to_string();
        for text in ["", "1234", "1234:", ":00", &short[..short.len() - 1], "x:00", &format!("{short}0")] {
            assert!(text.parse::<Anchor>().is_err(), "{text}");
        }
    }
}
