//! How punctual dispatches are, and how many: `cargo bench --bench dispatch`. The dispatcher alone, on SQLite with full
//! durability in the temporary directory, with edges that take everything at once; prints one table beside what design §6
//! promises. A step is what the provider sees of it: an attempt decided, committed, handed over, taken, and that committed.
//!
//! Options, after `--`: `--open N` dispatches (10,000), `--window N` seconds from one step of a dispatch to its next (60),
//! `--quick` a tenth of both (the same steps a second), `--check` to end with 1 where a figure is beyond its bound. As a
//! disk's sync may be most of what is measured, the floor (bare commits of one row) is measured in the same run. A desk watches the
//! feed, so that views are made of all that changes; at a start none does yet. All are of one account. Every wait is bounded.

#[path = "../tests/support/temp.rs"]
mod temp;
#[path = "../tests/stories/town.rs"]
#[allow(dead_code, reason = "the stories' people and protocols are used in part")]
mod town;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SharedClock, SystemClock, TestClock, UtcMs};
use cordboard::base::id::{AttemptId, DispatchId};
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{Purpose, State};
use cordboard::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer};
use cordboard::engine::dispatcher::{Dispatcher, Edges};
use cordboard::engine::feed::Feed;
use cordboard::io::deliver::{Answer, Delivery, Mail, Mailer, Page, Pager, Post, Poster, TextMessage, Texter};
use cordboard::io::store::{Store, StoreConfig};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};

use temp::TempDir;
use town::named;

/// What design §6 and its issue promise.
const MOST_LATE_MS: f64 = 250.0;
const LEAST_STEPS: f64 = 2_000.0;
const LONGEST_RECOVERY_MS: f64 = 2_000.0;
const LOOPS: usize = 20;
/// Where simulated time begins.
const NIGHT: UtcMs = UtcMs(1_772_871_000_000);

struct Options {
    open: usize,
    window: u32,
    check: bool,
}

impl Options {
    fn of(args: &[String]) -> Self {
        let number = |name: &str| {
            let at = args.iter().position(|arg| arg == name)?;
            args.get(at + 1)?.parse().ok()
        };
        let part = if args.iter().any(|arg| arg == "--quick") { 10 } else { 1 };
        Self {
            open: number("--open").unwrap_or(10_000 / part),
            window: number("--window").map_or(60 / part as u32, |secs: usize| secs as u32),
            check: args.iter().any(|arg| arg == "--check"),
        }
    }
}

/// Takes everything, at once, and knows when.
struct Carrier {
    clock: SharedClock,
    taken: Mutex<HashMap<AttemptId, UtcMs>>,
}

impl Carrier {
    fn take(&self, attempt: &AttemptId) -> Delivery {
        let now = self.clock.utc();
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).entry(attempt.clone()).or_insert(now);
        Delivery::Accepted { provider_id: None }
    }

    fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Texter for Carrier {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        let taken = self.take(&text.attempt);
        Box::pin(async move { taken })
    }
}

impl Mailer for Carrier {
    fn send<'a>(&'a self, mail: &'a Mail) -> Answer<'a> {
        let taken = self.take(&mail.attempt);
        Box::pin(async move { taken })
    }
}

impl Pager for Carrier {
    fn page<'a>(&'a self, page: &'a Page) -> Answer<'a> {
        let taken = self.take(&page.attempt);
        Box::pin(async move { taken })
    }
}

impl Poster for Carrier {
    fn post<'a>(&'a self, post: &'a Post) -> Answer<'a> {
        let taken = self.take(&post.attempt);
        Box::pin(async move { taken })
    }
}

impl CallOut for Carrier {
    fn place(&self, _request: CallOutRequest, _events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {}

    fn fax(&self, _request: FaxRequest, _events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {}

    fn offer(&self, _job: JobOffer, _events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>) {}

    fn cancel(&self, _attempt: &AttemptId) {}
}

/// A service on a store of its own.
struct House {
    store: Store,
    clock: SharedClock,
    carrier: Arc<Carrier>,
    dispatcher: Dispatcher,
    messages: usize,
}

impl House {
    async fn open(directory: &Path, clock: SharedClock, protocol: &Protocol) -> Self {
        let store = Store::open(&StoreConfig::in_directory(directory), clock.utc()).await.expect("the store opens");
        town::settle(&store, protocol, clock.utc()).await;
        let carrier = Arc::new(Carrier { clock: Arc::clone(&clock), taken: Mutex::default() });
        let feed = Feed::default();
        let mut desk = feed.subscribe();
        // It misses some when it is slow, as a console would, and ends with the house.
        tokio::spawn(async move { while !matches!(desk.recv().await, Err(RecvError::Closed)) {} });
        let dispatcher = start(&store, &clock, &carrier, feed);
        Self { store, clock, carrier, dispatcher, messages: 0 }
    }

    async fn saves(&mut self) -> DispatchId {
        self.messages += 1;
        let message = town::message(&format!("m{}", self.messages), "burst pipe", self.clock.utc());
        let account = self.store.find_account(&message.account).await.expect("read").expect("an account");
        let mut tx = self.store.write().await.expect("the store writes");
        tx.insert_message(&message).await.expect("inserted");
        self.dispatcher.open(&mut tx, &message, &account).await.expect("opened");
        tx.commit("bench").await.expect("committed");
        self.dispatcher.wake();
        self.store.find_dispatch_of_message(&message.id).await.expect("read").expect("a dispatch")
    }

    async fn state(&self, id: &DispatchId) -> State {
        self.store.find_dispatch(id).await.expect("read").expect("it is there").state
    }
}

fn start(store: &Store, clock: &SharedClock, carrier: &Arc<Carrier>, feed: Feed) -> Dispatcher {
    let edges = Edges {
        mailer: carrier.clone(),
        texter: carrier.clone(),
        pager: carrier.clone(),
        poster: carrier.clone(),
        call_out: carrier.clone(),
    };
    Dispatcher::new(store.clone(), Arc::clone(clock), feed, edges, "node")
}

/// Texts to one person, so many, so far apart.
fn texts(count: usize, wait_secs: u32) -> Protocol {
    let step = || (Method::Text, vec![named("Ben", "mobile")], wait_secs);
    town::protocol((0..count).map(|_| step()).collect(), false, Until::HandedOver)
}

/// A row of the table.
struct Row {
    what: String,
    figure: String,
    bound: String,
    holds: bool,
}

impl Row {
    fn below(what: &str, figure: f64, bound: f64, unit: &str) -> Self {
        let (figure_words, bound_words) = (format!("{figure:.0} {unit}"), format!("at most {bound:.0} {unit}"));
        Self { what: what.to_owned(), figure: figure_words, bound: bound_words, holds: figure <= bound }
    }

    fn above(what: &str, figure: f64, bound: f64, unit: &str) -> Self {
        let (figure_words, bound_words) = (format!("{figure:.0} {unit}"), format!("at least {bound:.0} {unit}"));
        Self { what: what.to_owned(), figure: figure_words, bound: bound_words, holds: figure >= bound }
    }

    fn told(what: &str, figure: String) -> Self {
        Self { what: what.to_owned(), figure, bound: "-".to_owned(), holds: true }
    }
}

/// How late each text was at the provider, in ms, after the end of the wait before it.
fn lateness(state: &State, taken: &HashMap<AttemptId, UtcMs>) -> Vec<f64> {
    let of_run = |run: usize| {
        let attempt = state.attempts.iter().find(|a| a.purpose == Purpose::Step { run })?;
        taken.get(&attempt.id).copied()
    };
    let pairs = (1..state.runs.len()).filter_map(|run| {
        let due = state.due_at(run - 1)?;
        Some(of_run(run)?.since(due) as f64)
    });
    pairs.collect()
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(at).copied().unwrap_or(f64::INFINITY)
}

/// Dispatches that are all open, each with a step every `window`, spread evenly; then a start on what they leave.
async fn punctual(options: &Options, rows: &mut Vec<Row>) {
    let directory = TempDir::new("bench-dispatch");
    let clock: SharedClock = Arc::new(SystemClock);
    // As many steps as they are measured, and those before.
    let mut house = House::open(directory.path(), Arc::clone(&clock), &texts(8, options.window)).await;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn({
        let dispatcher = house.dispatcher.clone();
        async move { dispatcher.run(stopped).await }
    });
    let window = Duration::from_secs(options.window.into());
    let (began, mut ids) = (clock.instant(), Vec::with_capacity(options.open));
    for n in 0..options.open {
        ids.push(house.saves().await);
        let at = began + window.mul_f64((n + 1) as f64 / options.open as f64);
        tokio::time::sleep(at.saturating_duration_since(clock.instant())).await;
    }
    let saving = began.elapsed_by(&clock);
    // Two windows with all of them open.
    tokio::time::sleep(window * 2).await;
    stop.send(true).expect("it runs");
    running.await.expect("it ends");
    let taken = house.carrier.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut late = Vec::new();
    for id in &ids {
        late.extend(lateness(&house.state(id).await, &taken));
    }
    late.sort_by(f64::total_cmp);
    let open = options.open;
    rows.push(Row::told("saved in", format!("{:.0} s for {open}", saving.as_secs_f64())));
    rows.push(Row::told("steps measured", late.len().to_string()));
    rows.push(Row::told("lateness, half below", format!("{:.0} ms", percentile(&late, 0.5))));
    rows.push(Row::below(&format!("lateness, 99 % below, {open} open"), percentile(&late, 0.99), MOST_LATE_MS, "ms"));
    // A start on all of them, by another process as far as the store can tell.
    let again = start(&house.store, &clock, &house.carrier, Feed::default());
    let began = clock.instant();
    again.recover().await.expect("it takes them up");
    let took = began.elapsed_by(&clock).as_secs_f64() * 1_000.0;
    rows.push(Row::below(&format!("a start takes up {open} open"), took, LONGEST_RECOVERY_MS, "ms"));
    house.store.close().await;
}

/// All of them due at once.
async fn throughput(options: &Options, rows: &mut Vec<Row>) {
    let directory = TempDir::new("bench-dispatch");
    let clock = TestClock::at(NIGHT);
    let mut house = House::open(directory.path(), Arc::new(clock.clone()), &texts(2, 3_600)).await;
    let count = (options.open / 5).max(200);
    for _ in 0..count {
        house.saves().await;
    }
    clock.advance(Duration::from_secs(6));
    let began = SystemClock.instant();
    house.dispatcher.tick(clock.utc()).await.expect("a tick");
    let took = SystemClock.instant().saturating_duration_since(began).as_secs_f64();
    assert_eq!(house.carrier.count(), count, "each has had its first step");
    rows.push(Row::above(&format!("steps a second, {count} due at once"), count as f64 / took, LEAST_STEPS, "/s"));
    house.store.close().await;
}

/// The floor: commits of one row, one after the other; another row each time, as SQLite writes nothing where nothing changes.
async fn floor(rows: &mut Vec<Row>) {
    let directory = TempDir::new("bench-dispatch");
    let clock = TestClock::at(NIGHT);
    let house = House::open(directory.path(), Arc::new(clock.clone()), &texts(1, 0)).await;
    let (count, began) = (500_u32, SystemClock.instant());
    for n in 0..count {
        let mut tx = house.store.write().await.expect("the store writes");
        tx.beat_node("floor", "floor", clock.utc().plus_ms(n.into())).await.expect("a row");
        tx.commit("bench").await.expect("committed");
    }
    let took = SystemClock.instant().saturating_duration_since(began).as_secs_f64();
    rows.push(Row::told(
        "floor: commits of one row a second, one after the other",
        format!("{:.0} /s", f64::from(count) / took),
    ));
    house.store.close().await;
}

/// Twenty rounds in simulated time: each begins when the one before it says.
async fn drift(rows: &mut Vec<Row>) {
    let directory = TempDir::new("bench-dispatch");
    let clock = TestClock::at(NIGHT);
    let steps = vec![
        (Method::TextConfirm, vec![named("Ben", "mobile")], 45),
        (Method::TextConfirm, vec![named("Ada", "mobile")], 45),
    ];
    let mut house =
        House::open(directory.path(), Arc::new(clock.clone()), &town::protocol(steps, true, Until::Confirmed)).await;
    let id = house.saves().await;
    let opened = clock.utc().plus_secs(5);
    let end = opened.plus_secs(90 * LOOPS as i64);
    while let Some(due) = house.dispatcher.next_due().await.expect("a time").filter(|due| *due <= end) {
        let ahead = u64::try_from(due.since(clock.utc())).unwrap_or(0);
        clock.advance(Duration::from_millis(ahead));
        house.dispatcher.tick(clock.utc()).await.expect("a tick");
    }
    let state = house.state(&id).await;
    let starts: Vec<UtcMs> = state.runs.iter().filter(|run| run.step == 0).map(|run| run.entered_at).collect();
    let last = *starts.get(LOOPS).expect("so many rounds");
    let off = last.since(opened.plus_secs(90 * LOOPS as i64)) as f64;
    rows.push(Row::below(&format!("drift after {LOOPS} loops"), off.abs(), 0.0, "ms"));
    house.store.close().await;
}

/// Since then, by a clock.
trait Since {
    fn elapsed_by(&self, clock: &SharedClock) -> Duration;
}

impl Since for std::time::Instant {
    fn elapsed_by(&self, clock: &SharedClock) -> Duration {
        clock.instant().saturating_duration_since(*self)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::of(&args);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut rows = Vec::new();
    runtime.block_on(async {
        floor(&mut rows).await;
        drift(&mut rows).await;
        throughput(&options, &mut rows).await;
        punctual(&options, &mut rows).await;
    });
    println!("| | measured | promised | |\n| --- | --- | --- | --- |");
    for row in &rows {
        println!("| {} | {} | {} | {} |", row.what, row.figure, row.bound, if row.holds { "" } else { "beyond" });
    }
    if options.check && rows.iter().any(|row| !row.holds) {
        std::process::exit(1);
    }
}
