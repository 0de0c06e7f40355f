//! What TLS needs of the configuration: whose certificate we show, and whose we want to see.

use std::path::PathBuf;

use super::section::Section;

/// A certificate with its chain, and its key: PEM files, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// How a trunk shows who it is over TLS, and we to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkTls {
    /// The name its certificate must say, if it isn't the target's host.
    pub name: Option<String>,
    /// Authorities that may have signed it. None: those the system trusts.
    pub ca_file: Option<PathBuf>,
    /// What we show if asked.
    pub identity: Option<IdentityFiles>,
}

/// The keys `certificate` and `key` of a section, both or neither. An error was told.
pub(super) fn read_identity(section: &Section<'_>) -> Result<Option<IdentityFiles>, ()> {
    let (certificate, key) = (read_file(section, "certificate"), read_file(section, "key"));
    match (section.has("certificate"), section.has("key")) {
        (false, false) => Ok(None),
        (true, true) => Ok(Some(IdentityFiles { certificate: certificate.ok_or(())?, key: key.ok_or(())? })),
        (true, false) => {
            section.complain_missing("key", "Name the file with the certificate's private key, in PEM");
            Err(())
        }
        (false, true) => {
            section.complain_missing("certificate", "Name the file with the certificate and its chain, in PEM");
            Err(())
        }
    }
}

/// The same for a section that is about nothing else.
pub(super) fn read_identity_section(section: &Section<'_>) -> Result<Option<IdentityFiles>, ()> {
    let read = read_identity(section);
    section.finish();
    if section.is_there() && read == Ok(None) {
        section.complain_missing("certificate", "Name two files in PEM: certificate (with its chain) and key");
        return Err(());
    }
    read
}

/// A file that can be read.
pub(super) fn read_file(section: &Section<'_>, key: &'static str) -> Option<PathBuf> {
    let text = section.text(key)?;
    let path = section.path(&text.value);
    match std::fs::File::open(&path) {
        Ok(_) => Some(path),
        Err(error) => {
            let what = format_args!("`{key}` names {}, which cannot be read ({error})", path.display());
            section.complain(text.span, what, "Name a file that Cordboard may read, relative to this one");
            None
        }
    }
}
