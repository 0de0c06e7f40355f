//! Reading `[recording]`: where recordings of calls are and how long they are kept.

use std::path::PathBuf;

use super::section::Section;

/// How long recordings are kept unless told otherwise, in days.
const KEEP_DAYS: u32 = 30;
/// The longest they can be kept: ten years.
const MOST_DAYS: i64 = 3_660;

/// Recordings of calls. Which calls are recorded is each account's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Made when the first recording begins.
    pub directory: PathBuf,
    /// Days after a recording's end when it is deleted.
    pub keep_days: u32,
}

impl Recording {
    /// Kept in this directory for as long as usual.
    pub const fn in_directory(directory: PathBuf) -> Self {
        Self { directory, keep_days: KEEP_DAYS }
    }
}

pub(super) fn read_recording(section: &Section<'_>) -> Option<Recording> {
    let directory = section.text("directory");
    let days = section.number("keep_days", 1..=MOST_DAYS);
    section.finish();
    let wrong = (directory.is_none() && section.has("directory")) || (days.is_none() && section.has("keep_days"));
    let path = section.path(directory.as_ref().map_or("recordings", |at| &at.value));
    if path.exists() && !path.is_dir() {
        let span = directory.map_or_else(|| section.span(), |at| at.span);
        let what = format!("`directory` is {}, and that is a file", path.display());
        section.complain(span, what, "Name a directory of its own: directory = \"/var/lib/cordboard/recordings\"");
        return None;
    }
    if wrong {
        return None;
    }
    let keep_days = days.and_then(|days| u32::try_from(days.value).ok()).unwrap_or(KEEP_DAYS);
    Some(Recording { directory: path, keep_days })
}
