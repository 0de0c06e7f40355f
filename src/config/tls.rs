//! What TLS needs of the configuration: whose certificate we show, and whose we want to see.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::section::{At, Section};

/// A certificate with its chain, and its key: PEM files, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A file that cannot be used for TLS, and why. Prints as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    pub file: PathBuf,
    why: String,
}

impl TlsFault {
    pub fn new(file: &Path, why: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), why: why.to_string() }
    }

    /// A name that no certificate could say.
    pub fn no_name(name: &str) -> Self {
        Self::new(Path::new(name), "it is neither a host name nor an address")
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used for TLS: {}", self.file.display(), self.why)
    }
}

impl std::error::Error for TlsFault {}

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

/// Reads a certificate with its chain, and the key that it is for.
pub fn read_pair(files: &IdentityFiles) -> Result<CertifiedKey, TlsFault> {
    let chain = read_certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|e| TlsFault::new(&files.key, format_args!("it holds no private key in PEM ({e})")))?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())
        .map_err(|e| TlsFault::new(&files.key, format_args!("it does not fit {} ({e})", files.certificate.display())))
}

/// Reads what is certificates in a file.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(chain) if chain.is_empty() => Err(TlsFault::new(path, "it holds no certificate in PEM")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(TlsFault::new(path, error)),
    }
}

/// The keys `certificate` and `key` of a section, both or neither. An error was told.
pub(super) fn read_identity(section: &Section<'_>) -> Result<Option<IdentityFiles>, ()> {
    let (certificate, key) = (find_file(section, "certificate"), find_file(section, "key"));
    match (section.has("certificate"), section.has("key")) {
        (false, false) => Ok(None),
        (true, true) => {
            let (certificate, key) = (certificate.ok_or(())?, key.ok_or(())?);
            let files = IdentityFiles { certificate: certificate.value, key: key.value };
            let Err(fault) = read_pair(&files) else { return Ok(Some(files)) };
            let span = if fault.file == files.key { key.span } else { certificate.span };
            let fix = "Name the certificate with its chain in `certificate` and the private key it was made for in `key`, in PEM";
            section.complain(span, fault, fix);
            Err(())
        }
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
    find_file(section, key).map(|file| file.value)
}

/// The same, with its place.
fn find_file(section: &Section<'_>, key: &'static str) -> Option<At<PathBuf>> {
    let text = section.text(key)?;
    let path = section.path(&text.value);
    match std::fs::File::open(&path) {
        Ok(_) => Some(At { value: path, span: text.span }),
        Err(error) => {
            let what = format_args!("`{key}` names {}, which cannot be read ({error})", path.display());
            section.complain(text.span, what, "Name a file that Cordboard may read, relative to this one");
            None
        }
    }
}
