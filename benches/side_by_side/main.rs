//! What our server costs beside its peers and beside the bare system calls, in one run: `cargo bench --bench
//! side_by_side`. Prints one table of medians; README's *Measure it* says how to read it. Linux only.
//!
//! Options, after `--`: `--rounds N` (3), `--seconds N` of each steady window (8), `--other PATH` measures another
//! binary of ours beside this one, `--only WORD` the rows that hold the word, `--overload` four times too many calls as
//! well (two minutes a round). All traffic is on loopback, every wait is
//! bounded, every process that was started is ended by its id. In each round the order of the measured turns.

mod far;
mod floor;
mod kamailio;
mod ours;
mod process;
mod sip;

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};

use far::{FarEnds, address, socket};
use kamailio::Kamailio;
use ours::{DIALLED, Engine, Server};
use sip::{Callee, Callers};

const PLAYED: &str = "greeting, then music: CPU s per call-minute (300 calls)";
const TALKED: &str = "the same, callers talking: CPU s per call-minute";
const BRIDGED: &str = "two legs bridged: CPU s per call-minute (150)";
const ROOMS: &str = "three in a patch: CPU s per room-minute (60)";
const SIGNALLED: &str = "answer and hang up, on record: CPU s per 1,000 calls";
const RATE: &str = "calls a second before a repeated message";
const MEMORY: &str = "memory per playing call, KB (300 calls)";
const GAP: &str = "gap between packets, ms: largest of 99.9 % (600 calls)";
const WORST: &str = "gap between packets, ms: largest of all (600 calls)";
const ANSWER: &str = "INVITE to 200, ms: 99 % below (200 calls a second)";
const BRIDGE_UP: &str = "bridge set-up, second leg answers at once, ms: half below";
const OVERLOAD: &str = "four times too many: answered, % of what it can take";
const OVERLOAD_RSS: &str = "45 s after that: memory, % of what it was before";
const OVERLOAD_CPU: &str = "45 s after that: CPU, % of a core";
const OVERLOAD_SOCKETS: &str = "45 s after that: sockets more than before";
const ROWS: [&str; 15] = [
    PLAYED,
    TALKED,
    BRIDGED,
    ROOMS,
    SIGNALLED,
    RATE,
    MEMORY,
    GAP,
    WORST,
    ANSWER,
    BRIDGE_UP,
    OVERLOAD,
    OVERLOAD_RSS,
    OVERLOAD_CPU,
    OVERLOAD_SOCKETS,
];

/// Who is measured.
#[derive(Clone, Debug)]
enum Subject {
    Ours(&'static str, PathBuf),
    /// Our media engine alone.
    Engine,
    Kamailio,
    /// The bare system calls.
    Floor,
}

impl Subject {
    const fn name(&self) -> &'static str {
        match self {
            Self::Ours(name, _) => name,
            Self::Engine => "cordboard",
            Self::Kamailio => "kamailio+rtpengine",
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
    only: Option<String>,
    overload: bool,
}

impl Options {
    fn read() -> Self {
        let mut options = Self { rounds: 3, window: Duration::from_secs(8), other: None, only: None, overload: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = |usual: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
            match argument.as_str() {
                "--rounds" => options.rounds = number(3).clamp(1, 20) as usize,
                "--seconds" => options.window = Duration::from_secs(number(8).clamp(2, 60)),
                "--other" => options.other = arguments.next().map(PathBuf::from),
                "--only" => options.only = arguments.next(),
                "--overload" => options.overload = true,
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

/// The same while `ears` far ends must hear a packet every 20 ms.
fn steady(window: Duration, units: usize, far: &FarEnds, ears: usize, spent: impl Fn() -> f64) -> Result<f64, String> {
    let (began, before) = (SystemClock.instant(), far.heard());
    let figure = per_minute(window, units, spent);
    let heard = (far.heard() - before) as f64 / (SystemClock.instant() - began).as_secs_f64() / ears as f64;
    if (46.0..54.0).contains(&heard) {
        return Ok(figure);
    }
    Err(format!("each far end heard {heard:.1} packets a second, not 50: the machine is too busy"))
}

/// Brings `count` calls up at an easy rate, each with a far end of its own.
fn bring_up(callers: &mut Callers, far: &FarEnds, addresses: &[SocketAddr]) -> Result<(), String> {
    let start = SystemClock.instant();
    for (n, audio) in addresses.iter().enumerate() {
        callers.invite(*audio);
        callers.serve(start + Duration::from_millis(10) * (n as u32 + 1), false);
    }
    callers.serve(SystemClock.instant() + Duration::from_secs(1), false);
    for n in 0..addresses.len() {
        let to = callers.audio(n).ok_or_else(|| {
            let tally = &callers.tally;
            format!("call {n} of {} is not up: {} answered, {} refused", addresses.len(), tally.answered, tally.refused)
        })?;
        far.aim(n, to);
    }
    Ok(())
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
fn played(who: &Subject, binary: &std::path::Path, options: &Options, table: &mut Table) -> Result<(), String> {
    let server = Server::start(binary)?;
    sleep(Duration::from_secs(1));
    let empty = server.process.rss_kb();
    for talk in [false, true] {
        let (sockets, addresses) = far_ends(300);
        let far = FarEnds::start(sockets, talk);
        let mut callers = Callers::new(server.sip, DIALLED);
        bring_up(&mut callers, &far, &addresses)?;
        let figure = steady(options.window, 300, &far, 300, || server.process.cpu())?;
        table.add(if talk { TALKED } else { PLAYED }, who, figure);
        if !talk {
            table.add(MEMORY, who, (server.process.rss_kb() - empty) / 300.0);
        }
        hang_up(&mut callers, 300);
    }
    Ok(())
}

/// How steady 600 calls are played to, seen by 32 of them.
fn steadiness(who: &Subject, binary: &std::path::Path, options: &Options, table: &mut Table) -> Result<(), String> {
    let server = Server::start(binary)?;
    let (mut sockets, addresses) = far_ends(600);
    let watched = sockets.iter().step_by(19).map(|s| s.try_clone().expect("a descriptor")).collect::<Vec<_>>();
    // The watched are read by the watcher alone.
    let mut n = 0;
    sockets.retain(|_| {
        n += 1;
        n % 19 != 1
    });
    let far = FarEnds::start(sockets, false);
    let mut callers = Callers::new(server.sip, DIALLED);
    let start = SystemClock.instant();
    for (n, audio) in addresses.iter().enumerate() {
        callers.invite(*audio);
        callers.serve(start + Duration::from_millis(10) * (n as u32 + 1), false);
    }
    callers.serve(SystemClock.instant() + Duration::from_secs(1), false);
    let gaps = far::gaps(&watched, options.window);
    let last = gaps.len().checked_sub(1).ok_or("nothing was heard")?;
    table.add(GAP, who, gaps[(last as f64 * 0.999) as usize]);
    table.add(WORST, who, gaps[last]);
    drop(far);
    hang_up(&mut callers, 600);
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

fn signalled(who: &Subject, binary: &std::path::Path, options: &Options, table: &mut Table) -> Result<(), String> {
    let server = Server::start(binary)?;
    let mut callers = Callers::new(server.sip, DIALLED);
    storm(&mut callers, 50, Duration::from_secs(2));
    sleep(Duration::from_secs(1));
    let before = server.process.cpu();
    let mut callers = Callers::new(server.sip, DIALLED);
    storm(&mut callers, 200, options.window);
    // What waits to be put on record belongs to it.
    sleep(Duration::from_secs(2));
    let idle = per_minute(Duration::from_secs(2), 1, || server.process.cpu()) / 60.0;
    let spent = server.process.cpu() - before - idle * 4.0;
    let tally = &callers.tally;
    if tally.ended != tally.answered || tally.refused > 0 || tally.answered == 0 {
        return Err(format!("{} answered, {} refused, {} ended", tally.answered, tally.refused, tally.ended));
    }
    table.add(SIGNALLED, who, spent * 1_000.0 / tally.answered as f64);
    table.add(ANSWER, who, tally.setup(0.99));
    let mut clean = 0;
    for rate in [300, 400, 500, 600, 800, 1_000, 1_200, 1_500] {
        let mut callers = Callers::new(server.sip, DIALLED);
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

/// Four times as many calls as are taken when there are too many, for 10 s; and what is left of it 45 s later.
fn overloaded(who: &Subject, binary: &std::path::Path, table: &mut Table) -> Result<(), String> {
    let server = Server::start(binary)?;
    let mut callers = Callers::new(server.sip, DIALLED);
    storm(&mut callers, 100, Duration::from_secs(3));
    let (memory, sockets) = (server.process.rss_kb(), server.process.sockets());
    let mut able: f64 = 0.0;
    for rate in [400, 600, 800, 1_000, 1_300, 1_700, 2_200] {
        let mut callers = Callers::new(server.sip, DIALLED);
        storm(&mut callers, rate, Duration::from_secs(3));
        able = able.max(callers.tally.answered as f64 / 3.0);
        if callers.tally.answered < rate as usize * 3 * 9 / 10 {
            break;
        }
    }
    let mut callers = Callers::new(server.sip, DIALLED);
    storm(&mut callers, (able * 4.0) as u32, Duration::from_secs(10));
    let tally = &callers.tally;
    eprintln!(
        "  able {able:.0}/s; of {:.0}/s: {} answered, {} refused, {} repeated, {} ended",
        able * 4.0,
        tally.answered,
        tally.refused,
        tally.repeated,
        tally.ended
    );
    table.add(OVERLOAD, who, tally.answered as f64 * 10.0 / able);
    sleep(Duration::from_secs(45));
    table.add(OVERLOAD_RSS, who, server.process.rss_kb() * 100.0 / memory);
    table.add(OVERLOAD_SOCKETS, who, server.process.sockets() as f64 - sockets as f64);
    table.add(OVERLOAD_CPU, who, per_minute(Duration::from_secs(5), 1, || server.process.cpu()) * 100.0 / 60.0);
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
    let figure = steady(options.window, groups, &far, groups * size, || engine.process.cpu())?;
    table.add(row, who, figure);
    Ok(())
}

fn kamailio_bridges(who: &Subject, options: &Options, table: &mut Table) -> Result<(), String> {
    let (sockets, addresses) = far_ends(300);
    let (here, there) = addresses.split_at(150);
    let callee = Callee::start(there.to_vec());
    let peer = Kamailio::start(callee.address)?;
    let far = FarEnds::start(sockets, true);
    let mut callers = Callers::new(peer.sip, "bench");
    bring_up(&mut callers, &far, here)?;
    for (ours, theirs) in callee.stop() {
        let n = there.iter().position(|a| *a == ours).ok_or("an address that is not ours")?;
        far.aim(150 + n, theirs);
    }
    sleep(Duration::from_secs(2));
    let figure = steady(options.window, 150, &far, 300, || peer.cpu())?;
    table.add(BRIDGED, who, figure);
    table.add(BRIDGE_UP, who, callers.tally.setup(0.5));
    Ok(())
}

fn measure(who: &Subject, options: &Options, table: &mut Table) -> Result<(), String> {
    match who {
        Subject::Ours(_, binary) => {
            if options.wants(&[PLAYED, TALKED, MEMORY]) {
                played(who, binary, options, table)?;
            }
            if options.wants(&[GAP, WORST]) {
                steadiness(who, binary, options, table)?;
            }
            if options.wants(&[SIGNALLED, RATE, ANSWER]) {
                signalled(who, binary, options, table)?;
            }
            if options.overload {
                overloaded(who, binary, table)?;
            }
        }
        Subject::Engine => {
            if options.wants(&[BRIDGED]) {
                engine(who, BRIDGED, 150, 2, options, table)?;
            }
            if options.wants(&[ROOMS]) {
                engine(who, ROOMS, 60, 3, options, table)?;
            }
            if options.wants(&[BRIDGE_UP]) {
                table.add(BRIDGE_UP, who, floor::bridge_up()?);
            }
        }
        Subject::Kamailio => {
            if options.wants(&[BRIDGED, BRIDGE_UP]) {
                kamailio_bridges(who, options, table)?;
            }
        }
        Subject::Floor => {
            let window = options.window.min(Duration::from_secs(4));
            for (row, legs, units, receive) in
                [(PLAYED, 300, 300, false), (TALKED, 300, 300, true), (BRIDGED, 300, 150, true), (ROOMS, 180, 60, true)]
            {
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
    for row in ROWS {
        let cell = |name: &&str| table.median(row, name).map_or_else(|| "-".to_owned(), |f| format!("{f:.3}"));
        if names.iter().any(|name| table.median(row, name).is_some()) {
            println!("| {row:<62} |{}", names.iter().map(|n| format!(" {:>18} |", cell(n))).collect::<String>());
        }
    }
    println!("\nBridges and patches of cordboard: its media engine alone, without signalling. Floor: a loop that only");
    println!("sends, or receives and sends, as many datagrams from as many sockets.");
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
    let options = Options::read();
    let mut subjects =
        vec![Subject::Ours("cordboard", PathBuf::from(env!("CARGO_BIN_EXE_cordboard"))), Subject::Engine];
    subjects.extend(options.other.clone().map(|binary| Subject::Ours("other", binary)));
    let mut notes = Vec::new();
    match kamailio::missing() {
        None => subjects.push(Subject::Kamailio),
        Some(why) => notes.push(format!("kamailio+rtpengine: {why}")),
    }
    notes.push(
        "Asterisk, FreeSWITCH, rustpbx: in no package of this system; figures of theirs are in docs/performance.md"
            .to_owned(),
    );
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
}
