//! Where recordings are kept: a directory that is our own only, a file for each call. Or what a test puts in its place.
//!
//! Decides nothing: `writer` says what is written and where, `flusher` when it has to be on the disk. A file whose name
//! could not be brought there is written all the same, as only a power cut would cost it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::id::CallId;

use super::path_of;

/// Where files are made.
pub trait Shelf: Send {
    /// Makes a new, empty file for this call. If it fails there is none.
    fn make(&mut self, call: &CallId) -> io::Result<Arc<dyn Reel>>;
}

/// A file being written, and flushed by another thread meanwhile.
pub trait Reel: Send + Sync {
    /// Writes all of `bytes` from `at` on, over what is there.
    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()>;
    /// Cuts off what stands after the first `len` bytes.
    fn cut(&self, len: u64) -> io::Result<()>;
    /// Returns when all that was written before is on the disk, and the file's name.
    fn flush(&self) -> io::Result<()>;
}

#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Shelf for Directory {
    fn make(&mut self, call: &CallId) -> io::Result<Arc<dyn Reel>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let path = path_of(&self.path, call);
        // The last step that can fail: who tries again would find the file there.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Arc::new(Tape { file, directory: self.path.clone(), named: AtomicBool::new(false) }))
    }
}

struct Tape {
    file: File,
    directory: PathBuf,
    /// Its name is on the disk.
    named: AtomicBool,
}

impl Reel for Tape {
    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, at)
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.named.load(Ordering::Relaxed) {
            File::open(&self.directory)?.sync_all()?;
            self.named.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
