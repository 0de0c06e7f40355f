//! Too many calls: four times what the server takes for ten seconds, then twice that for a minute while other calls
//! are played to; and what is left of it a minute later. The server has a core of its own and the callers have the others,
//! unless all of them are shared (`--together`).

use std::path::Path;
use std::thread;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};

use super::far;
use super::ours::{DIALLED, Server};
use super::process::Apart;
use super::sip::Callers;
use super::{NOWHERE, Subject, Table, bring_up_deaf, far_ends, hang_up, per_minute, storm};

pub const FOUR: &str = "four times too many for 10 s: answered, % of what it can take";
pub const TWICE: &str = "twice too many for 60 s: answered, % of what it can take";
pub const MEANWHILE: &str = "100 calls up meanwhile: slots without a gap over 60 ms, %";
pub const LOST: &str = "of these, ended by it";
pub const MEMORY: &str = "60 s after that: memory, % of what it was before";
pub const CPU: &str = "60 s after that: CPU, % of a core";
pub const SOCKETS: &str = "60 s after that: sockets more than before";
pub const ROWS: [&str; 7] = [FOUR, TWICE, MEANWHILE, LOST, MEMORY, CPU, SOCKETS];

/// Calls that are up while there are too many.
const UP: usize = 100;

/// Callers in a storm; `awake` if they have cores of their own.
fn callers(server: &Server, awake: bool) -> Callers {
    let mut callers = Callers::new(server.sip, DIALLED);
    callers.awake = awake;
    callers
}

/// A storm; how many were answered in each second until the last of them was.
fn answered_a_second(callers: &mut Callers, rate: u32, run: Duration) -> f64 {
    let began = SystemClock.instant();
    storm(callers, rate, run);
    let last = callers.tally.last_answer.map_or(run, |last| last - began);
    callers.tally.answered as f64 / last.max(run).as_secs_f64()
}

/// The most calls a second that are taken for longer than a call is remembered (32 s, RFC 3261 §17.2.1): for a few seconds
/// it is more.
fn able(server: &Server, awake: bool) -> f64 {
    let at = |rate: f64, run| answered_a_second(&mut callers(server, awake), rate as u32, run);
    let mut burst: f64 = 0.0;
    for rate in [400.0, 600.0, 800.0, 1_000.0, 1_300.0, 1_700.0, 2_200.0, 3_000.0, 4_000.0] {
        let took = at(rate, Duration::from_secs(4));
        burst = burst.max(took);
        if took < rate * 0.9 {
            break;
        }
    }
    let lasting = [0.7, 0.85, 1.0].map(|part| at(burst * part, Duration::from_secs(40)));
    eprintln!("  {burst:.0}/s for a few seconds; for longer at 70, 85 and 100 % of that: {lasting:.0?}");
    lasting.into_iter().fold(0.0, f64::max)
}

/// So many times what it can take; how many of a hundred that it can take were answered.
fn flood(server: &Server, awake: bool, able: f64, times: f64, run: Duration) -> f64 {
    let mut callers = callers(server, awake);
    let began = SystemClock.instant();
    let took = answered_a_second(&mut callers, (able * times) as u32, run);
    let tally = &callers.tally;
    eprintln!(
        "  able {able:.0}/s; {took:.0}/s of {:.0}/s in {:.1} s: {} answered, {} refused, {} repeated, {} ended; answer within {:.0} ms (99 %)",
        able * times,
        (SystemClock.instant() - began).as_secs_f64(),
        tally.answered,
        tally.refused,
        tally.repeated,
        tally.ended,
        tally.setup(0.99)
    );
    took * 100.0 / able
}

/// All of it.
pub fn measure(
    who: &Subject,
    binary: &Path,
    together: bool,
    known: Option<f64>,
    table: &mut Table,
) -> Result<(), String> {
    let apart = (!together).then(Apart::first_core).flatten();
    let server = Server::start(binary, NOWHERE)?;
    if let Some(apart) = &apart {
        apart.other_cores();
    }
    let mut callers = Callers::new(server.sip, DIALLED);
    storm(&mut callers, 100, Duration::from_secs(3));
    let (memory, sockets) = (server.process.rss_kb(), server.process.sockets());
    let awake = apart.is_some();
    let able = known.unwrap_or_else(|| able(&server, awake));
    table.add(FOUR, who, flood(&server, awake, able, 4.0, Duration::from_secs(10)));
    // Whoever has not been told yet tries for 32 s (RFC 3261 §17.1.1.2).
    thread::sleep(Duration::from_secs(35));
    let (far, addresses) = far_ends(UP);
    let mut talkers = Callers::new(server.sip, DIALLED);
    bring_up_deaf(&mut talkers, &addresses)?;
    let run = Duration::from_secs(60);
    let over = SystemClock.instant() + run;
    let (gaps, answered) = thread::scope(|scope| {
        let watcher = scope.spawn(|| far::gaps(&far, run));
        // They say nothing, so each is asked after a while whether it is still there.
        let served = scope.spawn(|| talkers.serve(over, false));
        let answered = flood(&server, awake, able, 2.0, run);
        served.join().expect("the callers that are up end");
        (watcher.join().expect("the watcher ends"), answered)
    });
    table.add(TWICE, who, answered);
    table.add(MEANWHILE, who, gaps.within(60.0));
    // Whoever was hung up on has it waiting.
    talkers.serve(SystemClock.instant() + Duration::from_millis(500), false);
    table.add(LOST, who, talkers.tally.ended as f64);
    hang_up(&mut talkers, UP);
    let at_once = server.process.rss_kb();
    thread::sleep(Duration::from_secs(60));
    let after = server.process.rss_kb();
    eprintln!("  memory: {memory:.0} KB before, {at_once:.0} KB at the end of it, {after:.0} KB a minute later");
    table.add(MEMORY, who, after * 100.0 / memory);
    table.add(SOCKETS, who, server.process.sockets() as f64 - sockets as f64);
    table.add(CPU, who, per_minute(Duration::from_secs(5), 1, || server.process.cpu()) * 100.0 / 60.0);
    Ok(())
}
