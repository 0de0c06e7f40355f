//! The service is killed before and after each commit and each call to a provider, and started again, on both
//! stores: nothing is lost, at most one attempt is made twice, and that one is marked. Here the dispatcher's
//! night; in [`shift`] an operator's day at the front door, in [`recap`] the morning of a recap, in [`secure`] a secure
//! message. The process that is killed is this test binary itself,
//! run as a child; in [`restart`] it is the whole program.

#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../support/api.rs"]
mod api;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../api/support.rs"]
mod front;
#[path = "../support/peers.rs"]
mod peers;
mod recap;
mod restart;
mod secure;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../support/server.rs"]
mod server;
mod shift;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "../support/sipp.rs"]
mod sipp;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "the stories use all of the town, this test a part")]
#[path = "../stories/town.rs"]
mod town;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordboard::base::clock::{Clock as _, TestClock, UtcMs};
use cordboard::base::id::{AttemptId, DispatchId, MessageId, UserId};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::event::Note;
use cordboard::domain::dispatch::job::JobOutcome;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{Attempt, Phase};
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, CallOutResult, JobOffer};
use cordboard::engine::dispatcher::{Dispatcher, Edges};
use cordboard::engine::feed::{Feed, UserRef};
use cordboard::io::deliver::{Answer, Delivery, Mail, Mailer, Page, Pager, TextMessage, Texter};
use cordboard::io::store::{Place, Store, StoreConfig};
use support::postgres::Postgres;
use support::temp::TempDir;
use tokio::sync::mpsc::UnboundedSender;

const NIGHT: UtcMs = UtcMs(1_772_871_000_000);
/// Set for the child: where it works, and the database if it is PostgreSQL.
const DIRECTORY: &str = "CORDBOARD_CRASH_DIRECTORY";
const DATABASE: &str = "CORDBOARD_CRASH_DATABASE";
/// Set for the child that is killed from outside: the provider never answers.
const SLOW: &str = "CORDBOARD_CRASH_SLOW";
const FAILPOINT: &str = "CORDBOARD_FAILPOINT";
/// The commits that a night comes by.
const COMMITS: &[&str] = &[
    "beat",
    "resume",
    "settle",
    "stop",
    "claim",
    "due",
    "hand",
    "result",
    "inbound",
    "call",
    "job",
    "ring_back",
    "reply",
    "join",
];
/// The calls to providers, each with what is before and after.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("text", "before_send", "after_send"),
    ("email", "before_send", "after_send"),
    ("call", "before_place", "after_place"),
    ("page", "before_send", "after_send"),
    ("job", "before_offer", "after_offer"),
];
/// Commits of commands that are simply given again: on the command line, by those who set the service up, and on the devices of
/// an inbox, where each is one transaction and whoever got no answer reads what stands.
const COMMANDS: &[&str] = &[
    "seed_demo",
    "add_user",
    "add_phone",
    "remove_phone",
    "set_user_skills",
    "change_account",
    "cut_audit",
    "add_user_by_admin",
    "change_user",
    "set_skills",
    "log_out",
    "set_pin",
    "remove_pin",
    "status",
    "end_status",
    "end_status_greeting",
    "answer_phrase",
    "remove_answer_phrase",
    "forget_recording",
    "recap_plan",
    "recap_plan_gone",
    "take_draft",
    "push_key",
    "invite",
    "revoke_inbox_device",
    "subscribe",
    "touch_inbox",
    "close_inbox",
];
/// Turns of the child's loop; a night has far fewer.
const MAX_TURNS: usize = 500;

fn protocol() -> Protocol {
    let steps = vec![
        // The wait keeps one attempt at a time in the air, so that one at most can be cut off.
        (Method::Email, vec![town::named("Olive", "email")], 60),
        (Method::TextConfirm, town::on_call("mobile"), 900),
        (town::CALL, town::on_call("mobile"), 600),
        (Method::Pager, town::on_call("pager"), 60),
        (Method::OperatorCall { leave_message: true, then_machine: false }, town::on_call("home"), 60),
    ];
    town::protocol(steps, true, Until::Confirmed)
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
type Ring = (UtcMs, AttemptId, UnboundedSender<(AttemptId, CallOutEvent)>);

/// A job on the desks, and who wants to know of it.
type Job = (AttemptId, UnboundedSender<(AttemptId, CallOutEvent)>);

/// The providers of the child: a file that outlives it.
struct Outside {
    directory: PathBuf,
    clock: TestClock,
    slow: bool,
    rings: Mutex<Vec<Ring>>,
    /// Jobs on the desks.
    jobs: Mutex<Vec<Job>>,
}

impl Outside {
    fn note(&self, kind: &str, attempt: &AttemptId) {
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

impl CallOut for Outside {
    fn place(&self, request: CallOutRequest, events: UnboundedSender<(AttemptId, CallOutEvent)>) {
        self.note("call", &request.attempt);
        let until = self.clock.utc().plus_secs(i64::from(request.ring_secs));
        self.rings.lock().expect("unpoisoned").push((until, request.attempt, events));
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

/// Not a test by itself: the process that is killed. Dispatches until the message is confirmed. Its clock
/// stands in a file, so that time goes on where the one before it was cut off.
#[tokio::test]
async fn the_child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let database = std::env::var(DATABASE).ok();
    let now = std::fs::read_to_string(directory.join("now")).ok().and_then(|text| text.parse().ok());
    let clock = TestClock::at(now.map_or(NIGHT, UtcMs));
    let store = Store::open(&config(&directory, database.as_deref()), clock.utc()).await.expect("the store opens");
    let outside = Arc::new(Outside {
        directory: directory.clone(),
        clock: clock.clone(),
        slow: std::env::var_os(SLOW).is_some(),
        rings: Mutex::default(),
        jobs: Mutex::default(),
    });
    let edges =
        Edges { mailer: outside.clone(), texter: outside.clone(), pager: outside.clone(), call_out: outside.clone() };
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock.clone()), Feed::default(), edges, "node");
    dispatcher.recover().await.expect("what was cut off is taken up");
    let id = store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
    let kim = UserRef { id: UserId::named("kim"), name: "Kim".to_owned() };
    for _ in 0..MAX_TURNS {
        dispatcher.tick(clock.utc()).await.expect("a tick");
        let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
        if state.phase == Phase::Confirmed && state.wake().is_none() {
            // Texts that are nobody's answer here; their carrier repeats them until it has its receipt.
            let strangers = [("IN-stranger", "+12025550199", "Who is this?"), ("IN-stop", town::PEOPLE[1].1, "STOP")];
            for (name, from, body) in strangers {
                let taken = dispatcher.take_text("twilio", name, town::number(from), None, body.to_owned()).await;
                taken.expect("taken in");
            }
            // One of them in two parts.
            for (number, name, body) in [(1, "IN-part-1", "Is anybody "), (2, "IN-part-2", "there?")] {
                let place = cordboard::proto::sms::parts::Place { reference: 7, of: 2, number };
                let from = town::number("+12025550198");
                let taken = dispatcher.take_text_part("carrier", name, from, None, body.to_owned(), place).await;
                taken.expect("taken in");
            }
            dispatcher.tick(clock.utc()).await.expect("a tick");
            store.close().await;
            return;
        }
        // An operator makes the call that is theirs to make; nobody answers it.
        let job = outside.jobs.lock().expect("unpoisoned").pop();
        if let Some((attempt, _)) = job {
            assert!(dispatcher.take_job(&attempt, &kim).await.expect("asked"), "nobody else has it");
            dispatcher.finish_job(&attempt, &kim, JobOutcome::NoAnswer).await.expect("written down");
            continue;
        }
        // The person answers the second text; their carrier repeats until it has its receipt.
        let texts = state.attempts.iter().filter(|a| a.is_step() && a.code.is_some() && a.accepted_at.is_some());
        if state.phase != Phase::Confirmed && texts.count() >= 2 {
            // They ring back first, and are cut off.
            dispatcher.pause(std::slice::from_ref(&id), "Ben", &kim.id).await.expect("paused");
            dispatcher.resume_paused(std::slice::from_ref(&id)).await.expect("it goes on");
            let ben = town::number(town::PEOPLE[0].1);
            dispatcher.take_text("twilio", "IN1", ben, None, "1ok".to_owned()).await.expect("taken in");
            continue;
        }
        let ring = outside.rings.lock().expect("unpoisoned").iter().map(|(until, ..)| *until).min();
        let due = dispatcher.next_due().await.expect("a time");
        let next = [ring, due].into_iter().flatten().min().expect("an open dispatch has a reason to wake");
        let ms = u64::try_from(next.since(clock.utc())).unwrap_or(0);
        clock.advance(Duration::from_millis(ms));
        std::fs::write(directory.join("now"), clock.utc().to_string()).expect("written");
        for (until, attempt, events) in std::mem::take(&mut *outside.rings.lock().expect("unpoisoned")) {
            if until <= clock.utc() {
                let over = CallOutEvent::Ended(CallOutResult::NotReached(Cause::NoAnswer));
                events.send((attempt, over)).expect("the dispatcher listens");
            } else {
                outside.rings.lock().expect("unpoisoned").push((until, attempt, events));
            }
        }
    }
    panic!("the night has no end");
}

/// This binary again, as the child called `test`.
fn child_of(test: &str, directory: &Path, database: Option<&str>) -> Command {
    let mut child = Command::new(std::env::current_exe().expect("this binary has a path"));
    child.args([test, "--exact", "--nocapture"]).env(DIRECTORY, directory);
    child.env_remove(FAILPOINT).env_remove(DATABASE).env_remove(SLOW);
    if let Some(database) = database {
        child.env(DATABASE, database);
    }
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    child
}

struct Case {
    directory: TempDir,
    database: Option<String>,
    name: String,
}

impl Case {
    async fn prepare(name: String, database: Option<String>) -> Self {
        let directory = TempDir::new("crash");
        let store = Store::open(&config(directory.path(), database.as_deref()), NIGHT).await.expect("opens");
        town::settle(&store, &protocol(), NIGHT).await;
        let message = town::message("m1", "burst pipe", NIGHT);
        let account = store.find_account(&message.account).await.expect("found").expect("an account");
        let quiet = Arc::new(cordboard::io::deliver::NotConfigured);
        let outside = Arc::new(Outside {
            directory: directory.path().to_owned(),
            clock: TestClock::at(NIGHT),
            slow: false,
            rings: Mutex::default(),
            jobs: Mutex::default(),
        });
        let edges = Edges { mailer: quiet.clone(), texter: quiet.clone(), pager: quiet, call_out: outside };
        let clock = Arc::new(TestClock::at(NIGHT));
        let dispatcher = Dispatcher::new(store.clone(), clock, Feed::default(), edges, "front");
        let mut tx = store.write().await.expect("the store writes");
        tx.insert_message(&message).await.expect("inserted");
        dispatcher.open(&mut tx, &message, &account).await.expect("opened");
        tx.commit("test").await.expect("committed");
        store.close().await;
        Self { directory, database, name }
    }

    fn child(&self) -> Command {
        child_of("the_child", self.directory.path(), self.database.as_deref())
    }

    /// Starts the child again and lets it come to the end; then checks what it promised.
    async fn recovers(&self) {
        let output = self.child().output().expect("the child starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: the second start failed:\n{said}", self.name);
        let store = Store::open(&config(self.directory.path(), self.database.as_deref()), NIGHT).await.expect("opens");
        let id: DispatchId =
            store.find_dispatch_of_message(&MessageId::named("m1")).await.expect("found").expect("a dispatch");
        let state = store.find_dispatch(&id).await.expect("found").expect("a dispatch").state;
        assert_eq!(state.phase, Phase::Confirmed, "{}", self.name);
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for (_, attempt) in sent(self.directory.path()) {
            *times.entry(attempt).or_default() += 1;
        }
        let doubled: Vec<&Attempt> =
            state.attempts.iter().filter(|a| times.get(a.id.as_str()).copied().unwrap_or(0) > 1).collect();
        assert!(doubled.len() <= 1, "{}: {} attempts were made twice", self.name, doubled.len());
        // A job that is put on the desks again is no second call.
        assert!(
            doubled.iter().all(|a| a.uncertain || a.job.is_some()),
            "{}: a doubled attempt is not marked",
            self.name
        );
        assert!(times.values().all(|n| *n <= 2), "{}: {times:?}", self.name);
        // Nothing is lost: email, text, call, page and job of the first round, email and text of the second, the answer.
        for attempt in &state.attempts {
            assert!(times.contains_key(attempt.id.as_str()), "{}: {} was never made", self.name, attempt.id);
            assert!(attempt.handed_at.is_some(), "{}", self.name);
        }
        assert_eq!(state.attempts.iter().filter(|a| a.is_step()).count(), 7, "{}", self.name);
        assert_eq!(times.len(), 8, "{}: {times:?}", self.name);
        let entries = store.list_dispatch_entries(&id).await.expect("listed");
        let confirmed = entries.iter().filter(|e| matches!(e.note, Note::Confirmed { .. })).count();
        assert_eq!(confirmed, 1, "{}: a yes has one effect", self.name);
        assert!(store.list_open_jobs(10).await.expect("listed").is_empty(), "{}: a job is left", self.name);
        assert!(store.list_waiting_inbound(10).await.expect("listed").is_empty(), "{}", self.name);
        let unplaced = store.list_unplaced_texts(10).await.expect("listed");
        assert_eq!(unplaced.len(), 3, "{}: operators hear of each text nobody could place", self.name);
        let people = store.list_contacts_by_phone(&town::number(town::PEOPLE[1].1)).await.expect("listed");
        assert!(people[0].destinations.iter().any(|d| d.blocked), "{}: STOP is heeded", self.name);
        assert!(store.find_next_due().await.expect("read").is_none(), "{}: something still wants to wake", self.name);
        store.close().await;
    }
}

/// Kills the child at `failpoint`; `false` if the night never comes by there.
async fn kill_at(failpoint: &str, database: Option<String>, kind: &str) -> bool {
    let case = Case::prepare(format!("{kind}, {failpoint}"), database).await;
    let output = case.child().env(FAILPOINT, failpoint).output().expect("the child starts");
    if output.status.success() {
        return false;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_none(), "{}: it failed rather than died:\n{said}", case.name);
    case.recovers().await;
    true
}

/// Kills the child from outside while a provider has a text and has not answered.
async fn kill_nine(database: Option<String>, kind: &str) {
    let case = Case::prepare(format!("{kind}, kill -9 in mid-call"), database).await;
    let mut child: Child = case.child().env(SLOW, "1").stderr(Stdio::null()).spawn().expect("the child starts");
    for _ in 0..600 {
        if sent(case.directory.path()).iter().any(|(kind, _)| kind == "text") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().expect("it lives until we kill it");
    child.wait().expect("it is gone");
    let texts = sent(case.directory.path()).iter().filter(|(kind, _)| kind == "text").count();
    assert_eq!(texts, 1, "{}", case.name);
    case.recovers().await;
    let texts = sent(case.directory.path()).iter().filter(|(kind, _)| kind == "text").count();
    assert_eq!(texts, 4, "{}: first text twice, second once, the answer", case.name);
}

async fn every_place(kind: &str, database: impl Fn() -> Option<String>) {
    let commits = COMMITS.iter().flat_map(|place| [format!("{place}.before_commit"), format!("{place}.after_commit")]);
    let calls = PROVIDERS.iter().flat_map(|(p, before, after)| [format!("{p}.{before}"), format!("{p}.{after}")]);
    for failpoint in commits.chain(calls) {
        assert!(kill_at(&failpoint, database(), kind).await, "{kind}: the night never comes by {failpoint}");
        kill_at(&format!("{failpoint}:3"), database(), kind).await;
    }
    kill_nine(database(), kind).await;
}

/// The literals in `text` between `before` and the next quotation mark.
fn literals<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once('"').map(|(literal, _)| literal)).collect()
}

#[test]
fn there_is_no_commit_and_no_call_to_a_provider_at_which_nothing_is_killed() {
    let mut files = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut commits = Vec::new();
    let mut providers = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        commits.extend(literals(&text, ".commit(\"").into_iter().map(str::to_owned));
        providers.extend(literals(&text, "failpoint(\"").into_iter().map(str::to_owned));
        // The dispatcher's decisions are committed in one place, under the name of their event.
        if let Some((_, names)) = text.split_once("const fn point(event: &Event)") {
            let (names, _) = names.split_once("\n}").expect("the end of the function");
            commits.extend(literals(names, "=> \"").into_iter().map(str::to_owned));
        }
    }
    commits.sort();
    let mut known: Vec<&str> =
        [COMMITS, COMMANDS, shift::PLACES, recap::PLACES, secure::PLACES, &[shift::AFTER_A_CRASH.1]]
            .into_iter()
            .flatten()
            .copied()
            .collect();
    known.sort_unstable();
    assert_eq!(commits, known, "each commit has one name of its own, and is killed before and after");
    providers.sort();
    providers.dedup();
    let mut known: Vec<&str> =
        PROVIDERS.iter().chain([&recap::PROVIDER, &secure::PROVIDER]).map(|(place, ..)| *place).collect();
    known.sort_unstable();
    assert_eq!(providers, known);
}

#[tokio::test]
async fn killed_anywhere_on_sqlite_nothing_is_lost_and_at_most_one_attempt_is_doubled() {
    every_place("SQLite", || None).await;
}

#[tokio::test]
async fn killed_anywhere_on_postgresql_nothing_is_lost_and_at_most_one_attempt_is_doubled() {
    let Some(server) = Postgres::start("crashes on PostgreSQL") else { return };
    every_place("PostgreSQL", || Some(server.create_database())).await;
}
