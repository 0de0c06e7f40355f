//! Faxes: a letter's pages ([`page`], [`tiff`]), the engine that speaks T.30 for us ([`spandsp`]), and the line it speaks over
//! ([`line`]): sound or T.38, on a socket and a thread of its own, never on the media shards.
//!
//! The pages are kept in memory alone: what a client's message says is on no disk in the clear. Whom to call, when, and what
//! counts as delivered is decided elsewhere (`domain/call/fax`).

mod arrange;
pub mod line;
pub mod page;
pub mod spandsp;
pub mod tiff;

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};

use crate::domain::message::render::fax::Letter;

pub use line::{Line, News};
pub use page::Station;

/// The pages of one fax, as a file that is in memory only.
#[derive(Debug)]
pub struct Document {
    file: OwnedFd,
    pages: u32,
}

impl Document {
    /// Sets a letter.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn of(letter: &Letter, station: &Station) -> io::Result<Self> {
        let pages = page::set(letter, station);
        let mut file = File::from(rustix::fs::memfd_create("fax", rustix::fs::MemfdFlags::CLOEXEC)?);
        file.write_all(&tiff::write(&pages))?;
        Ok(Self { file: file.into(), pages: u32::try_from(pages.len()).expect("a letter has few pages") })
    }

    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// Under what name the engine opens it, as long as this is there.
    fn path(&self) -> CString {
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        CString::new(path).expect("digits and slashes hold no zero")
    }
}
