//! What the tests here are made of: a process that is killed and started again ([`Life`], seen from within, and [`Case`], seen from
//! outside), the directory and the database that outlive it, and the providers that it speaks to ([`Outside`]).
//!
//! The process is this test binary, run as the child that a test of its own name is. What always holds: it dies only where it is
//! told to, and goes on at the time at which it died.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordboard::base::clock::{Clock as _, TestClock, UtcMs};
use cordboard::base::id::AttemptId;
use cordboard::domain::dispatch::fax::FaxOutcome;
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer};
use cordboard::engine::dispatcher::Edges;
use cordboard::io::deliver::{Answer, Delivery, Mail, Mailer, Page, Pager, Post, Poster, TextMessage, Texter};
use cordboard::io::store::{Place, Store, StoreConfig};
use tokio::sync::mpsc::UnboundedSender;

use crate::support::temp::TempDir;

/// When the nights here begin: 2026-03-07T02:10 in Chicago.
pub const NIGHT: UtcMs = UtcMs(1_772_871_000_000);
/// Set for the child: where it works, and the database if it is PostgreSQL.
const DIRECTORY: &str = "CORDBOARD_CRASH_DIRECTORY";
const DATABASE: &str = "CORDBOARD_CRASH_DATABASE";
/// Set for the child that is killed from outside: the provider never answers.
const SLOW: &str = "CORDBOARD_CRASH_SLOW";
const FAILPOINT: &str = "CORDBOARD_FAILPOINT";

/// The process that is killed, from within.
pub struct Life {
    pub directory: PathBuf,
    pub config: StoreConfig,
    /// It stands in a file, so that time goes on where the life before was cut off.
    pub clock: TestClock,
}

impl Life {
    /// `None`: this is no child. The first life begins at `start`.
    pub fn of_child(start: UtcMs) -> Option<Self> {
        let directory = PathBuf::from(std::env::var_os(DIRECTORY)?);
        let now = std::fs::read_to_string(directory.join("now")).ok().and_then(|text| text.parse().ok());
        let config = config(&directory, std::env::var(DATABASE).ok().as_deref());
        Some(Self { directory, config, clock: TestClock::at(now.map_or(start, UtcMs)) })
    }

    pub async fn store(&self) -> Store {
        Store::open(&self.config, self.clock.utc()).await.expect("the store opens")
    }

    /// Moves on to `at`, unless it is later already.
    pub fn reach(&self, at: UtcMs) {
        let left = at.since(self.clock.utc());
        self.clock.advance(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        std::fs::write(self.directory.join("now"), self.clock.utc().to_string()).expect("written");
    }

    pub fn pass(&self, secs: i64) {
        self.reach(self.clock.utc().plus_secs(secs));
    }
}

/// Several lives of one process, from outside.
pub struct Case {
    pub directory: TempDir,
    database: Option<String>,
    /// For whoever reads that it failed.
    pub name: String,
    /// The test that is the child.
    child: &'static str,
}

impl Case {
    pub fn new(child: &'static str, kind: &str, failpoint: &str, database: Option<String>) -> Self {
        Self { directory: TempDir::new("crash"), database, name: format!("{kind}, {failpoint}"), child }
    }

    pub async fn store(&self) -> Store {
        let config = config(self.directory.path(), self.database.as_deref());
        Store::open(&config, NIGHT).await.expect("the store opens")
    }

    /// The child, ready to be started.
    pub fn command(&self) -> Command {
        let mut child = Command::new(std::env::current_exe().expect("this binary has a path"));
        child.args([self.child, "--exact", "--nocapture"]).env(DIRECTORY, self.directory.path());
        child.env_remove(FAILPOINT).env_remove(DATABASE).env_remove(SLOW);
        if let Some(database) = &self.database {
            child.env(DATABASE, database);
        }
        child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        child
    }

    /// The same with providers that never answer.
    pub fn slow_command(&self) -> Command {
        let mut child = self.command();
        child.env(SLOW, "1").stderr(Stdio::null());
        child
    }

    /// Lives until it dies at `failpoint`; false: it never came by there.
    pub fn dies(&self, failpoint: &str) -> bool {
        !self.came_to_its_end(&self.command().env(FAILPOINT, failpoint).output().expect("the child starts"))
    }

    /// Lives to its end.
    pub fn lives(&self) {
        let output = self.command().output().expect("the child starts");
        assert!(self.came_to_its_end(&output), "{}: killed without a failpoint", self.name);
    }

    fn came_to_its_end(&self, output: &Output) -> bool {
        let said = String::from_utf8_lossy(&output.stderr);
        let (ended, killed) = (output.status.success(), output.status.code().is_none());
        assert!(ended || killed, "{}: it failed:\n{said}", self.name);
        ended
    }

    /// What left the house over all its lives.
    pub fn sent(&self) -> Vec<(String, String)> {
        sent(self.directory.path())
    }
}

/// Before and after each of these commits.
pub fn around(commits: &[&str]) -> impl Iterator<Item = String> {
    commits.iter().flat_map(|place| [format!("{place}.before_commit"), format!("{place}.after_commit")])
}

/// Before and after a provider is asked.
pub fn around_provider((provider, before, after): (&str, &str, &str)) -> [String; 2] {
    [before, after].map(|place| format!("{provider}.{place}"))
}

fn config(directory: &Path, database: Option<&str>) -> StoreConfig {
    match database {
        None => StoreConfig::in_directory(directory),
        Some(url) => StoreConfig { place: Place::Postgres(url.to_owned()), key_file: directory.join("key") },
    }
}

/// What the child wrote: kind and attempt, one line for each time a provider was called.
fn sent(directory: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(directory.join("sent")).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// A call that rings: until when, and who wants to know.
pub type Ring = (UtcMs, AttemptId, UnboundedSender<(AttemptId, CallOutEvent)>);

/// A job on the desks, and who wants to know of it.
pub type Job = (AttemptId, UnboundedSender<(AttemptId, CallOutEvent)>);

/// The providers of the child: a file that outlives it.
pub struct Outside {
    pub directory: PathBuf,
    clock: TestClock,
    slow: bool,
    pub rings: Mutex<Vec<Ring>>,
    /// Jobs on the desks.
    pub jobs: Mutex<Vec<Job>>,
}

impl Outside {
    pub fn new(directory: &Path, clock: &TestClock) -> Self {
        Self {
            directory: directory.to_owned(),
            clock: clock.clone(),
            slow: std::env::var_os(SLOW).is_some(),
            rings: Mutex::default(),
            jobs: Mutex::default(),
        }
    }

    /// All edges of a dispatcher.
    pub fn edges(self: Arc<Self>) -> Edges {
        Edges { mailer: self.clone(), texter: self.clone(), pager: self.clone(), poster: self.clone(), call_out: self }
    }

    pub fn note(&self, kind: &str, attempt: &AttemptId) {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(self.directory.join("sent"));
        file.and_then(|mut file| file.write_all(format!("{kind} {attempt}\n").as_bytes())).expect("written");
    }
}

impl Mailer for Outside {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a> {
        self.note("mail", &mail.attempt);
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl Texter for Outside {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        self.note("text", &text.attempt);
        Box::pin(async {
            if self.slow {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            Delivery::Accepted { provider_id: Some(format!("SM-{}", text.attempt)) }
        })
    }
}

impl Pager for Outside {
    fn page<'a>(&'a self, page: &'a Page) -> Answer<'a> {
        self.note("page", &page.attempt);
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl Poster for Outside {
    fn post<'a>(&'a self, post: &'a Post) -> Answer<'a> {
        self.note("post", &post.attempt);
        Box::pin(async { Delivery::Accepted { provider_id: None } })
    }
}

impl CallOut for Outside {
    fn place(&self, request: CallOutRequest, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        self.note("call", &request.attempt);
        let until = self.clock.utc().plus_secs(i64::from(request.ring_secs));
        self.rings.lock().expect("unpoisoned").push((until, request.attempt, events));
    }

    fn fax(&self, request: FaxRequest, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        self.note("fax", &request.attempt);
        let delivered = CallOutEvent::Faxed(FaxOutcome::Delivered { pages: 1 });
        // An error means that the dispatcher is gone.
        let _ = events.send((request.attempt, delivered));
    }

    fn offer(&self, job: JobOffer, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        self.note("job", &job.attempt);
        self.jobs.lock().expect("unpoisoned").push((job.attempt, events));
    }

    fn cancel(&self, attempt: &AttemptId) {
        self.jobs.lock().expect("unpoisoned").retain(|(offered, _)| offered != attempt);
        self.rings.lock().expect("unpoisoned").retain(|(_, ringing, _)| ringing != attempt);
    }
}
