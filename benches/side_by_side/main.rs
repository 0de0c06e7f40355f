//! What our server costs beside its peers and beside the bare system calls, in one run: `cargo bench --bench
//! side_by_side`. Prints one table of medians; README's *Measure it* says how to read it. Linux only.
//!
//! Options, after `--`: `--rounds N` (3), `--seconds N` of each steady window (8), `--other PATH` measures another
//! binary of ours beside this one, `--rustpbx PATH` that of rustpbx (one on PATH is found), `--only WORD` the rows that hold the
//! word, `--overload` far too many calls as well (five minutes a round; three with `--able N`, the calls a second it is known to take),
//! `--check` to end with 1 where a figure of ours is
//! beyond its bound (`limits`). All traffic is on loopback, every wait is bounded, every process that was started is ended by
//! its id. In each round the order of the measured turns.

mod beat;
mod browser;
mod far;
mod floor;
mod kamailio;
mod limits;
mod ours;
mod overload;
mod process;
mod rustpbx;
mod sip;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};

use browser::Browsers;
use far::{FarEnds, address, socket};
use kamailio::Kamailio;
use ours::{Engine, Server};
use process::{Process, find};
use rustpbx::Rustpbx;
use sip::{Callee, Callers};

const PLAYED: &str = "greeting, then music: CPU s per call-minute (300 calls)";
const TALKED: &str = "the same, callers talking: CPU s per call-minute";
const BRIDGED: &str = "two legs bridged: CPU s per call-minute (150)";
const ROOMS: &str = "three in a patch: CPU s per room-minute (60)¹";
const SIGNALLED: &str = "answer and hang up, on record: CPU s per 1,000 calls";
const RATE: &str = "calls a second before a repeated message";
const MEMORY: &str = "memory per playing call, KB (300 calls)";
const ANSWER: &str = "INVITE to 200, ms: 99 % below (200 calls a second)";
const BRIDGE_UP: &str = "bridge set-up, second leg answers at once, ms: half below¹";
const BROWSER: &str = "browser leg: CPU s per leg-minute (100 legs, relayed in twos)¹";
const ROWS: [&str; 10] = [PLAYED, TALKED, BRIDGED, ROOMS, BROWSER, SIGNALLED, RATE, MEMORY, ANSWER, BRIDGE_UP];

/// Nobody listens there.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// Browser legs that are measured together.
const BROWSERS: usize = 100;

/// Who is measured.
#[derive(Clone, Debug)]
enum Subject {
    Ours(&'static str, PathBuf),
    /// Our media engine alone.
    Engine,
    Kamailio,
    Rustpbx(PathBuf),
    /// The bare system calls.
    Floor,
}

/// A service that is called: whose time and memory count, where it is, and what is dialled.
struct Service<'a> {
    process: &'a Process,
    sip: SocketAddr,
    dialled: &'a str,
}

impl Subject {
    const fn name(&self) -> &'static str {
        match self {
            Self::Ours(name, _) => name,
            Self::Engine => "cordboard",
            Self::Kamailio => "kamailio+rtpengine",
            Self::Rustpbx(_) => "rustpbx",
            Self::Floor => "floor",
        }
    }
}

/// All figures of a run.
#[derive(Default)]
struct Table {
    figures: BTreeMap<(&'static str, &'static str), Vec<f64>>,
    failures: BTreeMap<&'static str, String>,
}

impl Table {
    fn add(&mut self, row: &'static str, who: &Subject, figure: f64) {
        self.figures.entry((row, who.name())).or_default().push(figure);
    }

    fn median(&self, row: &str, who: &str) -> Option<f64> {
        let found = self.figures.iter().find(|((r, w), _)| *r == row && *w == who)?;
        let mut sorted = found.1.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}

struct Options {
    rounds: usize,
    window: Duration,
    other: Option<PathBuf>,
    rustpbx: Option<PathBuf>,
    only: Option<String>,
    overload: bool,
    /// The callers may use the server's core as well.
    together: bool,
    /// So many calls a second it is known to take.
    able: Option<f64>,
    /// A figure of ours beyond its bound is a failure.
    check: bool,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            rounds: 3,
            window: Duration::from_secs(8),
            other: None,
            rustpbx: find("rustpbx"),
            only: None,
            overload: false,
            together: false,
            able: None,
            check: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = |usual: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
            match argument.as_str() {
                "--rounds" => options.rounds = number(3).clamp(1, 20) as usize,
                "--seconds" => options.window = Duration::from_secs(number(8).clamp(2, 60)),
                "--other" => options.other = arguments.next().map(PathBuf::from),
                "--rustpbx" => options.rustpbx = arguments.next().map(PathBuf::from),
                "--only" => options.only = arguments.next(),
                "--overload" => options.overload = true,
                "--together" => options.together = true,
                "--able" => options.able = Some(number(1_000) as f64),
                "--check" => options.check = true,
                _ => {}
            }
        }
        options
    }

    fn wants(&self, rows: &[&str]) -> bool {
        self.only.as_ref().is_none_or(|word| rows.iter().any(|row| row.contains(word.as_str())))
    }
}

/// CPU seconds that `spent` counts over a window, for one unit and a minute of it.
fn per_minute(window: Duration, units: usize, spent: impl Fn() -> f64) -> f64 {
    let (began, before) = (SystemClock.instant(), spent());
    sleep(window);
    // A busy machine sleeps longer than it was told to.
    (spent() - before) * 60.0 / (SystemClock.instant() - began).as_secs_f64() / units as f64
}

/// The same while `ears` far ends, which have `heard` so much, must hear a packet every 20 ms.
fn steady(
    window: Duration,
    units: usize,
    heard: impl Fn() -> u64,
    ears: usize,
    spent: impl Fn() -> f64,
) -> Result<f64, String> {
    let (began, before) = (SystemClock.instant(), heard());
    let figure = per_minute(window, units, spent);
    let heard = (heard() - before) as f64 / (SystemClock.instant() - began).as_secs_f64() / ears as f64;
    if (46.0..54.0).contains(&heard) {
        return Ok(figure);
    }
    Err(format!("each far end heard {heard:.1} packets a second, not 50: the machine is too busy"))
}

/// Brings calls up at an easy rate, each with a far end of its own that talks to it.
fn bring_up(callers: &mut Callers, far: &FarEnds, addresses: &[SocketAddr]) -> Result<(), String> {
    for (n, to) in bring_up_deaf(callers, addresses)?.into_iter().enumerate() {
        far.aim(n, to);
    }
    Ok(())
}

/// The same, and where each is to be talked to.
fn bring_up_deaf(callers: &mut Callers, addresses: &[SocketAddr]) -> Result<Vec<SocketAddr>, String> {
    let start = SystemClock.instant();
    for (n, audio) in addresses.iter().enumerate() {
        callers.invite(*audio);
        callers.serve(start + Duration::from_millis(10) * (n as u32 + 1), false);
    }
    callers.serve(SystemClock.instant() + Duration::from_secs(1), false);
    let up = |n| {
        callers.audio(n).ok_or_else(|| {
            let tally = &callers.tally;
            format!("call {n} of {} is not up: {} answered, {} refused", addresses.len(), tally.answered, tally.refused)
        })
    };
    (0..addresses.len()).map(up).collect()
}

fn hang_up(callers: &mut Callers, count: usize) {
    for n in 0..count {
        callers.bye(n);
        if n % 10 == 9 {
            callers.serve(SystemClock.instant() + Duration::from_millis(20), false);
        }
    }
    let give_up = SystemClock.instant() + Duration::from_secs(5);
    while callers.pending() > 0 && SystemClock.instant() < give_up {
        callers.serve(SystemClock.instant() + Duration::from_millis(50), false);
    }
}

fn far_ends(count: usize) -> (Vec<UdpSocket>, Vec<SocketAddr>) {
    let sockets: Vec<UdpSocket> = (0..count).map(|_| socket()).collect();
    let addresses = sockets.iter().map(address).collect();
    (sockets, addresses)
}

/// Calls that are played to.
fn played(who: &Subject, service: &Service<'_>, options: &Options, table: &mut Table) -> Result<(), String> {
    // A few calls first: code that is read in and words that are spoken once are not a call's.
    {
        let (sockets, addresses) = far_ends(20);
        let far = FarEnds::start(sockets, false);
        let mut callers = Callers::new(service.sip, service.dialled);
        bring_up(&mut callers, &far, &addresses)?;
        hang_up(&mut callers, 20);
    }
    sleep(Duration::from_secs(1));
    let empty = service.process.rss_kb();
    for talk in [false, true] {
        let (sockets, addresses) = far_ends(300);
        let far = FarEnds::start(sockets, talk);
        let mut callers = Callers::new(service.sip, service.dialled);
        bring_up(&mut callers, &far, &addresses)?;
        let figure = steady(options.window, 300, || far.heard(), 300, || service.process.cpu())?;
        table.add(if talk { TALKED } else { PLAYED }, who, figure);
        if !talk {
            table.add(MEMORY, who, (service.process.rss_kb() - empty) / 300.0);
        }
        hang_up(&mut callers, 300);
    }
    Ok(())
}

/// Calls that are hung up as soon as they are up, `rate` a second.
fn storm(callers: &mut Callers, rate: u32, run: Duration) {
    let start = SystemClock.instant();
    let count = rate * run.as_secs() as u32;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    for n in 0..count {
        callers.invite(nowhere);
        callers.serve(start + Duration::from_secs_f64(f64::from(n + 1) / f64::from(rate)), true);
    }
    let give_up = SystemClock.instant() + Duration::from_secs(5);
    while callers.pending() > 0 && SystemClock.instant() < give_up {
        callers.serve(SystemClock.instant() + Duration::from_millis(20), true);
    }
}

fn signalled(who: &Subject, service: &Service<'_>, options: &Options, table: &mut Table) -> Result<(), String> {
    let mut callers = Callers::new(service.sip, service.dialled);
    storm(&mut callers, 50, Duration::from_secs(2));
    sleep(Duration::from_secs(1));
    let before = service.process.cpu();
    let mut callers = Callers::new(service.sip, service.dialled);
    storm(&mut callers, 200, options.window);
    // What waits to be put on record belongs to it.
    sleep(Duration::from_secs(2));
    let idle = per_minute(Duration::from_secs(2), 1, || service.process.cpu()) / 60.0;
    let spent = service.process.cpu() - before - idle * 4.0;
    let tally = &callers.tally;
    if tally.ended != tally.answered || tally.refused > 0 || tally.answered == 0 {
        let (answered, ended) = (tally.answered, tally.ended);
        return Err(format!("at 200 calls a second: {answered} answered, {} refused, {ended} ended", tally.refused));
    }
    table.add(SIGNALLED, who, spent * 1_000.0 / tally.answered as f64);
    table.add(ANSWER, who, tally.setup(0.99));
    let mut clean = 0;
    for rate in [300, 400, 500, 600, 800, 1_000, 1_200, 1_500] {
        let mut callers = Callers::new(service.sip, service.dialled);
        storm(&mut callers, rate, Duration::from_secs(3));
        if callers.tally.repeated > 0 || callers.tally.refused > 0 {
            break;
        }
        clean = rate;
        sleep(Duration::from_secs(1));
    }
    table.add(RATE, who, f64::from(clean));
    Ok(())
}

/// Groups of legs in our engine that hear each other, everybody talking.
fn engine(
    who: &Subject,
    row: &'static str,
    groups: usize,
    size: usize,
    options: &Options,
    table: &mut Table,
) -> Result<(), String> {
    let (sockets, addresses) = far_ends(groups * size);
    let engine = Engine::start(&addresses, size)?;
    let far = FarEnds::start(sockets, true);
    for (n, to) in engine.legs.iter().enumerate() {
        far.aim(n, *to);
    }
    sleep(Duration::from_secs(2));
    let figure = steady(options.window, groups, || far.heard(), groups * size, || engine.process.cpu())?;
    table.add(row, who, figure);
    Ok(())
}

/// Pairs of legs through somebody who sends calls to `dialled` on to the callee that `start` is given. `look`: where it is
/// called, and the CPU seconds that it has taken. The time from INVITE to the callee's 200, if the caller waits for that.
fn bridged<P>(
    who: &Subject,
    dialled: &str,
    options: &Options,
    table: &mut Table,
    start: impl FnOnce(SocketAddr) -> Result<P, String>,
    look: impl Fn(&P) -> (SocketAddr, f64),
) -> Result<f64, String> {
    let (sockets, addresses) = far_ends(300);
    let (here, there) = addresses.split_at(150);
    let callee = Callee::start(there.to_vec());
    let peer = start(callee.address)?;
    let far = FarEnds::start(sockets, true);
    let mut callers = Callers::new(look(&peer).0, dialled);
    bring_up(&mut callers, &far, here)?;
    // Somebody may greet first.
    for _ in 0..100 {
        if callee.taken() >= here.len() {
            break;
        }
        callers.serve(SystemClock.instant() + Duration::from_millis(200), false);
    }
    for (ours, theirs) in callee.stop() {
        let n = there.iter().position(|a| *a == ours).ok_or("an address that is not ours")?;
        far.aim(150 + n, theirs);
    }
    sleep(Duration::from_secs(2));
    let figure = steady(options.window, 150, || far.heard(), 300, || look(&peer).1)?;
    table.add(BRIDGED, who, figure);
    Ok(callers.tally.setup(0.5))
}

fn measure(who: &Subject, options: &Options, table: &mut Table) -> Result<(), String> {
    match who {
        Subject::Ours(_, binary) => {
            if options.wants(&[PLAYED, TALKED, MEMORY]) {
                played(who, &Server::start(binary, NOWHERE)?.greeting(), options, table)?;
            }
            if options.wants(&[BRIDGED]) {
                let start = |callee| Server::start(binary, callee);
                bridged(who, ours::SENT_ON, options, table, start, |server| (server.sip, server.process.cpu()))?;
            }
            if options.wants(&[beat::PLAYED, beat::GAP, beat::WORST, beat::ADDING, beat::OWN]) {
                beat::played(who, binary, options, table)?;
            }
            if options.wants(&[beat::FIRST]) {
                beat::greeted(who, binary, options, table)?;
            }
            if options.wants(&[SIGNALLED, RATE, ANSWER]) {
                signalled(who, &Server::start(binary, NOWHERE)?.greeting(), options, table)?;
            }
            if options.overload {
                overload::measure(who, binary, options.together, options.able, table)?;
            }
        }
        Subject::Engine => {
            if options.wants(&[ROOMS]) {
                engine(who, ROOMS, 60, 3, options, table)?;
            }
            if options.wants(&[BROWSER]) {
                let browsers = Browsers::start(BROWSERS)?;
                sleep(Duration::from_secs(2));
                let spent = || browsers.engine.cpu();
                let figure = steady(options.window, BROWSERS, || browsers.heard(), BROWSERS, spent)?;
                table.add(BROWSER, who, figure);
            }
            if options.wants(&[beat::RELAYED]) {
                beat::relayed(who, options, table)?;
            }
            if options.wants(&[BRIDGE_UP]) {
                table.add(BRIDGE_UP, who, floor::bridge_up()?);
            }
        }
        Subject::Kamailio => {
            if options.wants(&[BRIDGED, BRIDGE_UP]) {
                let look = |peer: &Kamailio| (peer.sip, peer.cpu());
                let up = bridged(who, rustpbx::BRIDGED, options, table, Kamailio::start, look)?;
                table.add(BRIDGE_UP, who, up);
            }
        }
        Subject::Rustpbx(binary) => {
            let mut done = Vec::new();
            if options.wants(&[PLAYED, TALKED, MEMORY]) {
                let peer = Rustpbx::start(binary, NOWHERE, options.window);
                done.push(peer.and_then(|peer| played(who, &peer.greeting(), options, table)));
            }
            if options.wants(&[BRIDGED, BRIDGE_UP]) {
                let start = |callee| Rustpbx::start(binary, callee, options.window);
                let look = |peer: &Rustpbx| (peer.sip, peer.process.cpu());
                let up = bridged(who, rustpbx::BRIDGED, options, table, start, look);
                done.push(up.map(|up| table.add(BRIDGE_UP, who, up)));
            }
            if options.wants(&[SIGNALLED, RATE, ANSWER]) {
                let peer = Rustpbx::start(binary, NOWHERE, options.window);
                done.push(peer.and_then(|peer| signalled(who, &peer.greeting(), options, table)));
            }
            // One that it does not manage keeps no other from being measured.
            done.into_iter().collect::<Result<(), String>>()?;
        }
        Subject::Floor => {
            let window = options.window.min(Duration::from_secs(4));
            for (row, legs, units, receive) in [
                (PLAYED, 300, 300, false),
                (TALKED, 300, 300, true),
                (BRIDGED, 300, 150, true),
                (ROOMS, 180, 60, true),
                (BROWSER, BROWSERS, BROWSERS, true),
            ] {
                if options.wants(&[row]) {
                    table.add(row, who, floor::bare(legs, units, receive, window));
                }
            }
        }
    }
    Ok(())
}

fn print(table: &Table, subjects: &[Subject], notes: &[String]) {
    let mut names: Vec<&str> = subjects.iter().map(Subject::name).collect();
    names.dedup();
    println!("\n| {:<62} |{}", "", names.iter().map(|n| format!(" {n:>18} |")).collect::<String>());
    println!("| {} |{}", "-".repeat(62), format!(" {}: |", "-".repeat(17)).repeat(names.len()));
    for row in ROWS.into_iter().chain(beat::ROWS).chain(overload::ROWS) {
        let cell = |name: &&str| table.median(row, name).map_or_else(|| "-".to_owned(), |f| format!("{f:.3}"));
        if names.iter().any(|name| table.median(row, name).is_some()) {
            println!("| {row:<62} |{}", names.iter().map(|n| format!(" {:>18} |", cell(n))).collect::<String>());
        }
    }
    println!(
        "\n¹ Of cordboard: its media (and for the set-up its trunk side) alone; the whole server needs operators for these."
    );
    println!("Floor: a loop that only sends, or receives and sends, as many datagrams from as many sockets.");
    for note in notes {
        println!("{note}");
    }
    for (name, why) in &table.failures {
        println!("{name}: FAILED: {why}");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, asked, group, ..] = arguments.as_slice()
        && flag == "--engine"
    {
        return ours::engine(asked, group);
    }
    match arguments.as_slice() {
        [_, flag, count, ..] if flag == "--browser-engine" => return browser::engine(count),
        [_, flag, offers, ..] if flag == "--softphones" => return browser::softphones(offers),
        _ => {}
    }
    let options = Options::read();
    let mut subjects =
        vec![Subject::Ours("cordboard", PathBuf::from(env!("CARGO_BIN_EXE_cordboard"))), Subject::Engine];
    subjects.extend(options.other.clone().map(|binary| Subject::Ours("other", binary)));
    let mut notes = Vec::new();
    match kamailio::missing() {
        None => subjects.push(Subject::Kamailio),
        Some(why) => notes.push(format!("kamailio+rtpengine: {why}")),
    }
    match options.rustpbx.clone() {
        Some(binary) => subjects.push(Subject::Rustpbx(binary)),
        None => {
            notes.push("rustpbx: not installed; docs/performance.md says how to get it, and has figures".to_owned())
        }
    }
    subjects.push(Subject::Floor);
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned();
    let mut table = Table::default();
    let mut loads = vec![load()];
    for round in 0..options.rounds {
        let turn = round % subjects.len();
        for who in subjects[turn..].iter().chain(&subjects[..turn]) {
            eprintln!("round {} of {}: {who:?}", round + 1, options.rounds);
            if let Err(why) = measure(who, &options, &mut table) {
                eprintln!("  failed: {why}");
                table.failures.insert(who.name(), why);
            }
        }
        loads.push(load());
    }
    notes.push(format!("Load of the machine before and after each round: {}", loads.join("; ")));
    print(&table, &subjects, &notes);
    let due = |row: &str| options.wants(&[row]) && (options.overload || !overload::ROWS.contains(&row));
    let beyond = limits::beyond(|row| table.median(row, "cordboard"), due);
    for line in &beyond {
        println!("beyond its bound: {line}");
    }
    if options.check && !(options.overload && options.only.is_none()) {
        println!("not all bounds were looked at: that takes --overload, and no --only");
    }
    if options.check && (!beyond.is_empty() || table.failures.contains_key("cordboard")) {
        std::process::exit(1);
    }
}
