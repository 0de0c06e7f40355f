//! How steady the sound is: gaps between packets as the far ends see them, while calls are played to, while they are
//! added, while they are relayed; and how soon a caller hears the greeting.

use std::net::UdpSocket;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cordboard::base::clock::{Clock as _, SystemClock};

use super::far::{self, FarEnds};
use super::ours::{DIALLED, Engine, Server};
use super::sip::Callers;
use super::{NOWHERE, Options, Subject, Table, far_ends, hang_up};

pub const PLAYED: &str = "500 calls played: slots without a gap over 60 ms, %";
pub const RELAYED: &str = "500 calls relayed: slots without a gap over 60 ms, %";
pub const GAP: &str = "gap between packets, ms: largest of 99.9 % (600 calls)";
pub const WORST: &str = "gap between packets, ms: largest of all (600 calls)";
pub const ADDING: &str = "the same while the last 100 are added at 100 a second";
pub const OWN: &str = "how late the measuring thread itself woke up, ms, at worst";
pub const FIRST: &str = "INVITE to the greeting's first sound, ms: 99 % below (50 a second)";
pub const ROWS: [&str; 7] = [PLAYED, RELAYED, GAP, WORST, ADDING, OWN, FIRST];

/// Of so many calls one is watched.
const EVERY: usize = 15;

/// The watched ones, read by the watcher alone, and the others.
fn apart(sockets: Vec<UdpSocket>) -> (Vec<UdpSocket>, Vec<UdpSocket>) {
    let (mut watched, mut others) = (Vec::new(), Vec::new());
    for (n, socket) in sockets.into_iter().enumerate() {
        if n % EVERY == 0 { watched.push(socket) } else { others.push(socket) }
    }
    (watched, others)
}

/// Calls `from` to `to`, 100 a second, and a second to settle.
fn add(callers: &mut Callers, addresses: &[std::net::SocketAddr]) {
    let start = SystemClock.instant();
    for (n, audio) in addresses.iter().enumerate() {
        callers.invite(*audio);
        callers.serve(start + Duration::from_millis(10) * (n as u32 + 1), false);
    }
    callers.serve(SystemClock.instant() + Duration::from_secs(1), false);
}

/// 500 calls, then 600, played to.
pub fn played(who: &Subject, binary: &Path, options: &Options, table: &mut Table) -> Result<(), String> {
    let server = Server::start(binary, NOWHERE)?;
    let (sockets, addresses) = far_ends(600);
    let (watched, others) = apart(sockets);
    let _far = FarEnds::start(others, false);
    let mut callers = Callers::new(server.sip, DIALLED);
    add(&mut callers, &addresses[..500]);
    let gaps = far::gaps(&watched, options.window);
    gaps.below(1.0).ok_or("nothing was heard")?;
    table.add(PLAYED, who, gaps.within(60.0));
    let mut own = gaps.own;
    let gaps = thread::scope(|scope| {
        let watcher = scope.spawn(|| far::gaps(&watched, Duration::from_millis(1_500)));
        add(&mut callers, &addresses[500..]);
        watcher.join().expect("the watcher ends")
    });
    table.add(ADDING, who, gaps.below(1.0).ok_or("nothing was heard")?);
    own = own.max(gaps.own);
    let gaps = far::gaps(&watched, options.window);
    table.add(GAP, who, gaps.below(0.999).ok_or("nothing was heard")?);
    table.add(WORST, who, gaps.below(1.0).ok_or("nothing was heard")?);
    table.add(OWN, who, own.max(gaps.own));
    hang_up(&mut callers, 600);
    Ok(())
}

/// 500 pairs of legs, relayed, everybody talking.
pub fn relayed(who: &Subject, options: &Options, table: &mut Table) -> Result<(), String> {
    let (sockets, addresses) = far_ends(1_000);
    let engine = Engine::start(&addresses, 2)?;
    // Watched are copies of those that talk: what they hear is read by the watcher or by them.
    let watched: Vec<UdpSocket> =
        sockets.iter().step_by(EVERY * 2).map(|s| s.try_clone().expect("a descriptor")).collect();
    let far = FarEnds::start_deaf(sockets, EVERY * 2);
    for (n, to) in engine.legs.iter().enumerate() {
        far.aim(n, *to);
    }
    thread::sleep(Duration::from_secs(2));
    let gaps = far::gaps(&watched, options.window);
    gaps.below(1.0).ok_or("nothing was heard")?;
    table.add(RELAYED, who, gaps.within(60.0));
    Ok(())
}

/// 50 new calls a second, each up for three seconds.
pub fn greeted(who: &Subject, binary: &Path, options: &Options, table: &mut Table) -> Result<(), String> {
    const RATE: usize = 50;
    let server = Server::start(binary, NOWHERE)?;
    let count = RATE * options.window.as_secs() as usize;
    let (sockets, addresses) = far_ends(count);
    let mut callers = Callers::new(server.sip, DIALLED);
    let stop = AtomicBool::new(false);
    let first = thread::scope(|scope| {
        let watcher = scope.spawn(|| far::first_sounds(&sockets, &stop));
        let start = SystemClock.instant();
        for n in 0..count + RATE * 3 {
            if let Some(audio) = addresses.get(n) {
                callers.invite(*audio);
            }
            if let Some(over) = n.checked_sub(RATE * 3) {
                callers.bye(over);
            }
            callers.serve(start + Duration::from_secs(1) * (n as u32 + 1) / RATE as u32, false);
        }
        stop.store(true, Ordering::Relaxed);
        watcher.join().expect("the watcher ends")
    });
    let mut taken = Vec::new();
    for (n, first) in first.into_iter().enumerate() {
        let (first, began) = first.zip(callers.began(n)).ok_or_else(|| format!("call {n} of {count} heard nothing"))?;
        taken.push((first - began).as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    table.add(FIRST, who, taken[(taken.len() - 1) * 99 / 100]);
    Ok(())
}
