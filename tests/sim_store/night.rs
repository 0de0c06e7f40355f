//! One night on a store of its own: lives of the process, one after the other, each with a runtime that is thrown away where it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cordboard::base::clock::{Clock as _, UtcMs};
use cordboard::base::id::DispatchId;
use cordboard::base::rng::Rng;
use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::state::State;
use cordboard::engine::dispatcher::Dispatcher;
use cordboard::engine::feed::Feed;
use cordboard::io::store::{Row, Store, StoreConfig};

use crate::judge::{Judge, Promise};
use crate::outside::{Breaks, Edge, Outside, Says, SetClock, edges};
use crate::settle::{self, START};
use crate::support::temp::TempDir;
use crate::town::{ACCOUNTS, Kind, Town, schedule};

const HOURS: i64 = 3 * 3_600_000;

enum Act {
    Save(usize),
    Schedule(usize, Option<usize>),
    Edit(usize),
    Operator(usize, OperatorAct),
    Set(i64),
    Kill(u32),
}

pub struct Night {
    pub judge: Judge,
    pub arrived: u32,
}

/// What the night knows beside the store, over all lives.
struct Memory {
    rng: Rng,
    kinds: Vec<Kind>,
    script: BTreeMap<(i64, u32), Act>,
    ids: Vec<DispatchId>,
    before: BTreeMap<DispatchId, State>,
    saved: u32,
    /// What came in and was not answered yet.
    in_hand: Option<Says>,
}

pub fn run(seed: u64, template: &TempDir, breaks: Option<Breaks>) -> Night {
    let directory = copy(template.path());
    let outside = Outside::new(seed, SetClock::at(START), breaks);
    let mut rng = Rng::seeded(seed);
    let kinds = settle::kinds(&Town::new());
    let script = plan(&mut rng, kinds.len());
    let mut memory = Memory { rng, kinds, script, ids: Vec::new(), before: BTreeMap::new(), saved: 0, in_hand: None };
    loop {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let is_over = runtime.block_on(async {
            tokio::select! {
                biased;
                () = outside.dies.notified() => false,
                () = live(directory.path(), &outside, &mut memory) => true,
            }
        });
        // As a kill: whatever is under way ends where it waits.
        runtime.shutdown_background();
        if is_over {
            break;
        }
        outside.process_gone();
        let down = 1_000 + i64::try_from(memory.rng.below(60_000)).expect("small");
        outside.clock.advance(down);
        let mut judge = outside.judge.lock().expect("unpoisoned");
        judge.seen.crashes += 1;
        judge.lost_ms += down + 120_000;
        drop(judge);
        if let Some(says) = memory.in_hand.take() {
            outside.says_again(says);
        }
    }
    let judge = std::mem::take(&mut *outside.judge.lock().expect("unpoisoned"));
    let arrived = *outside.arrived.lock().expect("unpoisoned");
    Night { judge, arrived }
}

fn copy(from: &Path) -> TempDir {
    let to = TempDir::new("sim-night");
    for entry in std::fs::read_dir(from).expect("the template is there") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("copied");
    }
    to
}

fn plan(rng: &mut Rng, kinds: usize) -> BTreeMap<(i64, u32), Act> {
    let small = |n: u64| usize::try_from(n).expect("small");
    let kinds = u64::try_from(kinds).expect("small");
    let mut acts: Vec<(u64, Act)> = Vec::new();
    for _ in 0..4 + rng.below(3) {
        acts.push((rng.below(3_600), Act::Save(small(rng.below(kinds)))));
    }
    // Whatever else the night has, what one must not read and what has to be confirmed are in it.
    acts.push((60, Act::Save(1)));
    acts.push((90, Act::Save(8)));
    for _ in 0..rng.below(3) {
        let who = [None, Some(0), Some(3)][small(rng.below(3))];
        acts.push((rng.below(7_000), Act::Schedule(small(rng.below(3)), who)));
    }
    for _ in 0..rng.below(3) {
        acts.push((rng.below(5_000), Act::Edit(small(rng.below(kinds)))));
    }
    for _ in 0..rng.below(3) {
        let all = [
            OperatorAct::Skip { moves: None },
            OperatorAct::Retry { moves: None },
            OperatorAct::Close { reason: "a drill".into() },
            OperatorAct::Confirm { who: "ben".into(), note: None, edition: None },
        ];
        acts.push((600 + rng.below(7_000), Act::Operator(small(rng.below(5)), all[small(rng.below(4))].clone())));
    }
    if rng.below(3) == 0 {
        let by = [-3_600_000, -90_000, 40_000, 3_600_000][small(rng.below(4))];
        acts.push((600 + rng.below(7_000), Act::Set(by)));
    }
    for _ in 0..1 + rng.below(4) {
        acts.push((rng.below(8_000), Act::Kill(u32::try_from(rng.below(4)).expect("small"))));
    }
    let at = |secs: u64| START.0 + i64::try_from(secs).expect("small") * 1_000;
    acts.into_iter().zip(0..).map(|((secs, act), n)| ((at(secs), n), act)).collect()
}

/// One life of the process, from its start to the end of the night.
async fn live(directory: &Path, outside: &Arc<Outside>, memory: &mut Memory) {
    let clock = &outside.clock;
    let store = Store::open(&StoreConfig::in_directory(directory), clock.utc()).await.expect("the store opens");
    excuse_what_was_under_way(&store, outside, &memory.ids).await;
    let edge = Arc::new(Edge { store: store.clone(), outside: outside.clone() });
    let dispatcher = Dispatcher::new(store.clone(), Arc::new(clock.clone()), Feed::default(), edges(&edge), "node");
    dispatcher.recover().await.expect("what was cut off is taken up");
    loop {
        let offset = clock.utc().since(clock.true_time());
        let timer = dispatcher.next_due().await.expect("a time").map(|at| at.plus_ms(-offset));
        let script = memory.script.first_key_value().map(|((at, _), _)| UtcMs(*at));
        let next = [timer, script, outside.next_at()].into_iter().flatten().min();
        let Some(next) = next.filter(|at| at.since(START) <= HOURS) else { break };
        clock.advance(next.since(clock.true_time()));
        outside.calls_tell();
        while let Some(says) = outside.take_said() {
            memory.in_hand = Some(says.clone());
            match says {
                Says::Text { id, from, body } => dispatcher.take_text("twilio", &id, from, None, body).await,
                Says::Mail { id, what } => dispatcher.take_mail(&id, what).await,
            }
            .expect("taken in");
            memory.in_hand = None;
        }
        while let Some(entry) = memory.script.first_entry().filter(|entry| entry.key().0 <= clock.true_time().0) {
            let act = entry.remove();
            does(&store, &dispatcher, outside, memory, act).await;
        }
        if memory.rng.below(12) == 0 {
            // Somebody else writes for two seconds: nothing of ours is stored before that is over.
            let held = store.write().await.expect("the store writes");
            let slow = async {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                clock.advance(2_000);
                held.rollback().await.expect("given up");
            };
            let (ticked, ()) = tokio::join!(dispatcher.tick(clock.utc()), slow);
            ticked.expect("a tick");
        }
        dispatcher.tick(clock.utc()).await.expect("a tick");
        match outside.breaks {
            Some(Breaks::AfterYes) => edge.sends_after_yes().await,
            Some(Breaks::Timer) => sets_timers_late(&store).await,
            Some(Breaks::Content | Breaks::Twice) | None => {}
        }
        look(&store, outside, memory).await;
        if !outside.judge.lock().expect("unpoisoned").faults.is_empty() {
            break;
        }
    }
    store.close().await;
}

async fn sets_timers_late(store: &Store) {
    let mut tx = store.write().await.expect("the store writes");
    tx.execute("UPDATE timer SET due_at = due_at + 60000", Vec::new()).await.expect("done");
    tx.commit("test").await.expect("committed");
}

/// What was with an edge when the process fell may go once more.
async fn excuse_what_was_under_way(store: &Store, outside: &Outside, ids: &[DispatchId]) {
    let found = store.find_dispatches(ids).await.expect("read");
    let mut judge = outside.judge.lock().expect("unpoisoned");
    for read in found.into_values().flatten() {
        for a in read.state.attempts.iter().filter(|a| a.in_flight_since.is_some()) {
            judge.excuse(&a.id);
        }
    }
}

async fn does(store: &Store, dispatcher: &Dispatcher, outside: &Outside, memory: &mut Memory, act: Act) {
    let now = outside.clock.utc();
    match act {
        Act::Save(kind) => save(store, dispatcher, outside, memory, kind).await,
        Act::Schedule(account, who) => {
            let mut tx = store.write().await.expect("the store writes");
            tx.upsert_schedule(&schedule(ACCOUNTS[account], who)).await.expect("a schedule");
            tx.commit("test").await.expect("committed");
        }
        Act::Edit(kind) => {
            let mut next = memory.kinds[kind].protocol.clone();
            next.version += 1;
            next.steps.reverse();
            let mut tx = store.write().await.expect("the store writes");
            // Not each protocol makes sense backwards.
            if tx.insert_protocol(&next, now).await.is_ok() {
                tx.commit("test").await.expect("committed");
                memory.kinds[kind].protocol = next;
            } else {
                tx.rollback().await.expect("given up");
            }
        }
        Act::Operator(nth, act) => {
            let retry = matches!(act, OperatorAct::Retry { .. });
            let Some(id) = memory.ids.get(nth) else { return };
            if retry {
                // Whoever has it tried again has read that it may have arrived.
                let state = store.find_dispatch(id).await.expect("read").expect("there").state;
                let mut judge = outside.judge.lock().expect("unpoisoned");
                state.attempts.iter().filter(|a| a.failed.is_some()).for_each(|a| judge.excuse(&a.id));
            }
            dispatcher.operator(id, "kim", act).await.expect("taken");
        }
        Act::Set(by_ms) => {
            outside.clock.set(by_ms);
            if by_ms > 0 {
                excuse_what_was_under_way(store, outside, &memory.ids).await;
            }
            let mut judge = outside.judge.lock().expect("unpoisoned");
            judge.lost_ms += by_ms.abs();
            judge.seen.jumps += 1;
        }
        Act::Kill(places) => *outside.kill_in.lock().expect("unpoisoned") = Some(places),
    }
}

async fn save(store: &Store, dispatcher: &Dispatcher, outside: &Outside, memory: &mut Memory, kind: usize) {
    memory.saved += 1;
    let kind = &memory.kinds[kind];
    let secret = format!("quartz{}leak", memory.saved);
    let message = settle::message(memory.saved, kind, &secret, outside.clock.utc());
    let account = store.find_account(&message.account).await.expect("read").expect("an account");
    let mut tx = store.write().await.expect("the store writes");
    tx.insert_message(&message).await.expect("inserted");
    assert!(dispatcher.open(&mut tx, &message, &account).await.expect("opened"));
    tx.commit("test").await.expect("committed");
    let id = store.find_dispatch_of_message(&message.id).await.expect("read").expect("a dispatch");
    let own = id.as_str().split_once('_').map_or(id.as_str(), |(_, own)| own).to_owned();
    // Whoever breaks that rule dispatches it as any other.
    let is_secret = kind.protected || outside.breaks == Some(Breaks::Content);
    let secret = is_secret.then_some(secret);
    outside.known.lock().expect("unpoisoned").insert(own, (memory.saved, secret));
    let state = store.find_dispatch(&id).await.expect("read").expect("there").state;
    outside.judge.lock().expect("unpoisoned").saved(&state);
    memory.before.insert(id.clone(), state);
    memory.ids.push(id);
}

/// All that the judge looks at between two moments.
async fn look(store: &Store, outside: &Outside, memory: &mut Memory) {
    let found = store.find_dispatches(&memory.ids).await.expect("read");
    let sleepless = store.list_sleepless_dispatches().await.expect("read");
    let timers = timers(store).await;
    let (now, rings) = (outside.clock.utc(), outside.rings());
    let mut judge = outside.judge.lock().expect("unpoisoned");
    let there: BTreeSet<DispatchId> = found.keys().cloned().collect();
    judge.all(&there);
    for id in sleepless {
        judge.faults.push((Promise::OneReasonToWake, format!("{id} has no timer")));
    }
    for (id, read) in found {
        let state = read.expect("it can be read").state;
        if let Some(before) = memory.before.get(&id) {
            judge.moved(before, &state);
        }
        judge.stored(&state, timers.get(&id).copied());
        judge.settled(&state, now);
        for a in state.attempts.iter().filter(|a| rings.contains(&a.id)) {
            let heard = a.told_at.is_some() || a.confirmed_at.is_some();
            if !state.phase.is_open() && !heard {
                judge.faults.push((Promise::NothingAfterYes, format!("{} still rings", a.id)));
            }
        }
        memory.before.insert(id, state);
    }
}

/// The timers as they are on disk.
async fn timers(store: &Store) -> BTreeMap<DispatchId, UtcMs> {
    let rows = store.fetch_all("SELECT dispatch, due_at FROM timer", Vec::new()).await.expect("read");
    let name = |row: &Row| row.read::<DispatchId>("dispatch").expect("a name");
    let due = |row: &Row| row.read::<UtcMs>("due_at").expect("a time");
    rows.iter().map(|row| (name(row), due(row))).collect()
}
