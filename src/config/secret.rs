//! Secrets in files of their own: one line, read without the space around it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::SecretString;

use crate::base::rng::secure_bytes;

/// The secret in `path`; why not, in words, if there is none.
pub fn read(path: &Path) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => "it does not exist".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => e.to_string(),
    })?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        secret => Ok(SecretString::from(secret.to_owned())),
    }
}

/// The secret in `path`, or a new random one of 256 bits that only the file's owner can read.
pub fn load_or_create(path: &Path) -> Result<SecretString, String> {
    if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(|e| e.to_string())?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let secret = STANDARD_NO_PAD.encode(secure_bytes::<32>());
            write_line(&mut file, &secret).map_err(|e| e.to_string())?;
            Ok(SecretString::from(secret))
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => read(path),
        Err(e) => Err(e.to_string()),
    }
}

fn write_line(file: &mut std::fs::File, line: &str) -> io::Result<()> {
    writeln!(file, "{line}")?;
    file.sync_all()
}
