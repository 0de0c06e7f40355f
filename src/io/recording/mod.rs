//! Recordings of calls: what a shard hears at each beat becomes an encrypted file that can be listened to.
//!
//! The caller is on one side, all that our side says (operator, contact, voice) on the other, in step. A shard hands
//! blocks from a pool made beforehand to one writer thread ([`Tap`], [`writer`]): a disk that is slow or full stalls
//! that thread alone; what does not fit is missing, marked as a gap, and counted ([`Health`]). Each second is sealed
//! by itself under a key of the recording's own ([`segment`]), so that a crash costs what was not yet written; another
//! thread sees to it that a power cut costs little more ([`flusher`]).
//! [`Recorded`] reads all of it again, [`Sound`] any part, or the caller's side alone, [`Peaks`] are its wave form. Decides
//! nothing about who is recorded, and keeps no list but
//! the directory.

mod caller;
mod flusher;
mod peaks;
mod reader;
mod segment;
mod shelf;
mod sound;
mod tap;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{DirEntry, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc as told;

use crate::base::clock::{SharedClock, UtcMs};
use crate::base::id::CallId;
use crate::io::store::seal::Seal;

pub use peaks::Peaks;
pub use reader::{Mark, Recorded};
pub use shelf::{Reel, Shelf};
pub use sound::Sound;
#[cfg(test)]
pub use tap::{FrameForTest, TapeForTest};
pub use tap::{Kind, Tap};

use flusher::Flusher;
use shelf::Directory;
use writer::{New, Writer};

/// What a file of ours ends in.
const ENDING: &str = "rec";
/// Milliseconds in a frame.
const FRAME_MS: u64 = 20;

/// Why a recording cannot be listened to.
#[derive(Debug)]
pub enum RecordingError {
    /// There is none, or no longer.
    Missing,
    /// The file is another call's, was sealed with another key, or is no recording.
    NotOurs,
    /// What the file holds from this second on is not what was written.
    Damaged { second: u64 },
    /// The disk failed.
    Disk(io::Error),
}

impl RecordingError {
    /// Stable, dotted.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "recording.missing",
            Self::NotOurs => "recording.not_ours",
            Self::Damaged { .. } => "recording.damaged",
            Self::Disk(_) => "recording.disk",
        }
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no recording of this call, or it has been deleted by age"),
            Self::NotOurs => f.write_str(
                "the file is not this call's recording, or was sealed with another key: restore the key file that was \
                 in use then ([store] key_file)",
            ),
            Self::Damaged { second } => write!(
                f,
                "the recording was altered or damaged at {}:{:02} and is not played: restore the file from a copy",
                second / 60,
                second % 60
            ),
            Self::Disk(error) => write!(f, "the recording cannot be read: {error}"),
        }
    }
}

impl std::error::Error for RecordingError {}

impl From<io::Error> for RecordingError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::NotFound { Self::Missing } else { Self::Disk(error) }
    }
}

/// How long a recording is and what of it is there, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Figures {
    pub length_ms: u64,
    /// Sound is there.
    pub sound_ms: u64,
    /// Silence because somebody paused it.
    pub paused_ms: u64,
    /// Silence because it was stopped for a while.
    pub off_ms: u64,
    /// Silence because the disk or the machine did not keep up: sound was lost.
    pub gap_ms: u64,
}

impl Figures {
    fn count(&mut self, kind: Kind, frames: u64) {
        let ms = frames * FRAME_MS;
        self.length_ms += ms;
        match kind {
            Kind::Sound => self.sound_ms += ms,
            Kind::Paused => self.paused_ms += ms,
            Kind::Off => self.off_ms += ms,
            Kind::Gap => self.gap_ms += ms,
        }
    }
}

/// A recording is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub call: CallId,
    pub figures: Figures,
    /// Its end is on disk. False: the disk failed to the last.
    pub complete: bool,
}

/// How the writing goes; looked at by whoever raises alarms.
#[derive(Debug, Default)]
pub struct Health {
    /// Frames that no block was free for: the disk is too slow.
    lost: AtomicU64,
    /// Seconds that the disk would not take.
    refused: AtomicU64,
    why: Mutex<Option<ErrorKind>>,
    /// Recordings whose end nobody has put on record yet.
    running: AtomicUsize,
}

/// What went wrong since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Milliseconds of calls that were not recorded, because the disk is too slow.
    pub lost_ms: u64,
    /// Why the disk refuses, if it does.
    pub refused: Option<ErrorKind>,
    /// The writer thread is gone.
    pub gone: bool,
}

impl Trouble {
    /// Nothing went wrong.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Health {
    /// On the packet path: a count, nothing more.
    fn lose(&self, frames: u64) {
        self.lost.fetch_add(frames, Ordering::Relaxed);
    }

    fn refuse(&self, error: &io::Error) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.kind());
    }

    fn noted(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a look for old recordings did.
#[derive(Debug, Default)]
pub struct Swept {
    /// Whose recordings were deleted.
    pub deleted: Vec<CallId>,
    /// Why one that is too old is still there, or may be after a power cut.
    pub trouble: Option<io::Error>,
}

/// The way to the recordings. Cheap to clone; when the last clone is gone and the last recording over, its threads end.
#[derive(Clone, Debug)]
pub struct Recordings {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    seal: Arc<Seal>,
    clock: SharedClock,
    new: mpsc::Sender<New>,
    health: Arc<Health>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    peaks: peaks::Remembered,
}

impl Recordings {
    /// Starts the writer over a directory, which is made when the first recording begins. The ends of recordings come
    /// on the other channel; for each, [`Recordings::noted`] is to be said.
    pub fn start(
        directory: PathBuf,
        seal: Arc<Seal>,
        clock: SharedClock,
    ) -> io::Result<(Self, told::UnboundedReceiver<Ended>)> {
        let shelf = Box::new(Directory::new(directory.clone()));
        Self::start_on(shelf, directory, seal, clock)
    }

    /// The same, written to `shelf`; read from the directory.
    pub fn start_on(
        shelf: Box<dyn Shelf>,
        directory: PathBuf,
        seal: Arc<Seal>,
        clock: SharedClock,
    ) -> io::Result<(Self, told::UnboundedReceiver<Ended>)> {
        let (new, received) = mpsc::channel();
        let (ends, ended) = told::unbounded_channel();
        let health = Arc::new(Health::default());
        let (flushes, asked) = mpsc::channel();
        let flusher = Flusher::new(Arc::clone(&health), ends);
        let to_disk = flusher.clone();
        thread::Builder::new().name("recordings-disk".to_owned()).spawn(move || to_disk.run(asked))?;
        let (sealing, time) = (Arc::clone(&seal), Arc::clone(&clock));
        let writer = Writer::new(received, shelf, sealing, time, Arc::clone(&health), flushes, flusher);
        let writer = thread::Builder::new().name("recordings".to_owned()).spawn(move || writer.run())?;
        let inner = Inner {
            directory,
            seal,
            clock,
            new,
            health,
            writer: Mutex::new(Some(writer)),
            peaks: peaks::Remembered::default(),
        };
        Ok((Self { inner: Arc::new(inner) }, ended))
    }

    /// A tap for a call's caller ([`Media::record`](crate::io::media::Media::record)); the recording lasts until it is
    /// dropped.
    pub fn begin(&self, call: &CallId) -> Tap {
        let (tap, ends) = Tap::new(Arc::clone(&self.inner.health));
        let new = New { call: call.clone(), started_at: self.inner.clock.utc(), blocks: ends };
        self.inner.health.running.fetch_add(1, Ordering::SeqCst);
        if self.inner.new.send(new).is_err() {
            // The writer is gone: the tap finds no block, and says so.
            self.inner.health.noted();
        }
        tap
    }

    /// What went wrong since this was last asked.
    pub fn take_trouble(&self) -> Trouble {
        let health = &self.inner.health;
        let refused = health.refused.swap(0, Ordering::Relaxed) > 0;
        let why = health.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Trouble {
            lost_ms: health.lost.swap(0, Ordering::Relaxed) * FRAME_MS,
            refused: why.filter(|_| refused),
            gone: writer.as_ref().is_none_or(thread::JoinHandle::is_finished),
        }
    }

    /// One of the ends that were told is on its way to the call's record.
    pub fn noted(&self) {
        self.inner.health.noted();
    }

    /// True once every recording that was begun is over, its end written or given up, and noted.
    pub fn is_idle(&self) -> bool {
        self.inner.health.running.load(Ordering::SeqCst) == 0
    }

    /// Opens a call's recording, also one that is still going on, after having looked at all of it. Reads the file:
    /// for a thread that may block.
    pub fn open(&self, call: &CallId) -> Result<Recorded, RecordingError> {
        Recorded::open(File::open(path_of(&self.inner.directory, call))?, &self.inner.seal, call)
    }

    /// Opens the sound of a call's recording, to be read in parts: a second is looked at when it is read. Reads a little
    /// of the file: for a thread that may block.
    pub fn open_sound(&self, call: &CallId) -> Result<Sound, RecordingError> {
        Sound::open(File::open(path_of(&self.inner.directory, call))?, &self.inner.seal, call)
    }

    /// Deletes what was last written to before `now` less `keep`, as much of it as can be, and tells whose recordings
    /// those were. A file is there or is not, whenever the power fails; the directory is on disk before this returns.
    pub fn sweep(&self, now: UtcMs, keep: Duration) -> Swept {
        let mut swept = Swept::default();
        let entries = match std::fs::read_dir(&self.inner.directory) {
            Ok(entries) => entries,
            Err(error) => {
                swept.trouble = Some(error).filter(|error| error.kind() != ErrorKind::NotFound);
                return swept;
            }
        };
        let now = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        for entry in entries {
            match entry.and_then(|entry| delete_old(&entry, now, keep)) {
                Ok(call) => swept.deleted.extend(call),
                Err(error) => swept.trouble = Some(error),
            }
        }
        self.inner.peaks.forget(&swept.deleted);
        if !swept.deleted.is_empty()
            && let Err(error) = File::open(&self.inner.directory).and_then(|directory| directory.sync_all())
        {
            swept.trouble = Some(error);
        }
        swept
    }
}

/// Deletes a recording that is too old. None: it is not, or is none.
fn delete_old(entry: &DirEntry, now: Duration, keep: Duration) -> io::Result<Option<CallId>> {
    let Some(call) = call_of(&entry.path()) else { return Ok(None) };
    let written = entry.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    if now.saturating_sub(written) <= keep {
        return Ok(None);
    }
    std::fs::remove_file(entry.path())?;
    Ok(Some(call))
}

/// Where a call's recording is. An identifier holds letters, digits, `-` and `_` only, so it is a file's name.
fn path_of(directory: &Path, call: &CallId) -> PathBuf {
    directory.join(format!("{call}.{ENDING}"))
}

fn call_of(path: &Path) -> Option<CallId> {
    let ours = path.extension().is_some_and(|ending| ending == ENDING);
    path.file_stem().filter(|_| ours)?.to_str()?.parse().ok()
}
