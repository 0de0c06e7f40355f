//! A whole night from one seed: callers save messages through the evening, clients change who is on call and by what protocol,
//! operators act, clocks are set, the process is killed and starts again; in the morning everything must have come to its end.

use cordboard::base::id::{CallId, DispatchId};
use cordboard::base::rng::Rng;
use cordboard::domain::dispatch::event::{Event, OperatorAct};
use cordboard::domain::dispatch::patch_step::{PatchEnd, PatchNews};
use cordboard::domain::dispatch::state::{Phase, State};

use crate::house::{Crashed, House, Sabotage, What};
use crate::outside::{Happens, between, one_of};
use crate::town::{ACCOUNTS, contact_id, number, schedule};

/// 2026-03-07T18:00 in Chicago.
pub const START_MS: i64 = 1_772_928_000_000;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// When the day's operators see to what is left, and when all has to be over: a day's patience with an edge that was away later.
const MORNING_MS: i64 = 7 * HOUR;
const END_MS: i64 = MORNING_MS + 40 * HOUR;

/// What is done in a night.
#[derive(Clone, Debug)]
pub enum Act {
    Save {
        kind: usize,
    },
    Schedule {
        account: usize,
        who: Option<usize>,
    },
    /// The next version of a protocol is in force.
    Edit {
        kind: usize,
    },
    /// A message is changed.
    Change {
        nth: usize,
        again: bool,
    },
    Operator {
        nth: usize,
        act: OperatorAct,
    },
    RingsBack {
        nth: usize,
    },
    RangBack {
        nth: usize,
    },
    CheckIn {
        nth: usize,
    },
    /// The process will be killed at so many places from here.
    Arm {
        places: u32,
    },
    Start,
    /// The wall clock is set.
    Set {
        by_ms: i64,
    },
    /// Recaps go out, and operators end what still goes round.
    Morning,
}

pub fn run(seed: u64, sabotage: Option<Sabotage>) -> House {
    let mut house = House::new(seed, sabotage);
    plan(&mut house);
    let end = START_MS + END_MS;
    // A night that never ends is a fault of ours or of the house: each turn takes one thing that happens.
    for _ in 0..200_000 {
        let timer = house.next_due().filter(|_| house.is_up).map(|at| at.0 - house.offset_ms);
        let next = [house.outside.next_at(), timer].into_iter().flatten().min();
        let Some(next) = next.filter(|at| *at <= end) else { break };
        house.true_ms = house.true_ms.max(next);
        if step(&mut house).is_err() {
            falls(&mut house);
        }
        house.look();
        if !house.judge.faults.is_empty() {
            return house;
        }
    }
    let states: Vec<State> = house.disk.rows.values().map(|row| row.state.clone()).collect();
    for state in &states {
        house.judge.morning(state);
    }
    house
}

fn falls(house: &mut House) {
    house.falls();
    let down = between(&mut house.rng, 1, 90);
    house.judge.lost_ms += down + 2 * MINUTE;
    house.outside.at(house.true_ms + down, Happens::Act(Act::Start));
}

/// Draws what will be done.
fn plan(house: &mut House) {
    let rng = &mut house.rng.clone();
    let mut acts: Vec<(i64, Act)> = Vec::new();
    let kinds = u64::try_from(house.town.kinds.len()).expect("small");
    let small = |n: u64| usize::try_from(n).expect("small");
    let saves = 5 + small(rng.below(5));
    for _ in 0..saves {
        acts.push((between(rng, 0, 10_000), Act::Save { kind: small(rng.below(kinds)) }));
    }
    if rng.below(3) == 0 {
        // Taken back at once.
        let at = between(rng, 0, 600);
        acts.push((at, Act::Save { kind: small(rng.below(kinds)) }));
        acts.push((at + 2 * SECOND, Act::Operator { nth: 0, act: OperatorAct::Undo }));
    }
    if rng.below(4) == 0 {
        // Many routine ones at once, and something urgent behind them.
        let at = between(rng, 600, 9_000);
        acts.extend((0..12).map(|n| (at + n * 10, Act::Save { kind: 0 })));
        acts.extend((0..3).map(|n| (at + 200 + n, Act::Save { kind: 4 })));
    }
    if rng.below(3) == 0 {
        // Many at once for the same people: what waits for one of them may leave in one.
        let (at, note) = (between(rng, 600, 9_000), house.town.kinds.len() - 1);
        acts.extend((0..10).map(|n| (at + n * 10, Act::Save { kind: note })));
    }
    for _ in 0..rng.below(4) {
        let who = one_of(rng, &[None, Some(0), Some(1), Some(2), Some(4)]);
        acts.push((between(rng, 0, 15_000), Act::Schedule { account: small(rng.below(3)), who }));
    }
    for _ in 0..rng.below(4) {
        acts.push((between(rng, 0, 12_000), Act::Edit { kind: small(rng.below(kinds)) }));
    }
    for _ in 0..rng.below(3) {
        let (nth, again) = (small(rng.below(8)), rng.below(2) == 0);
        acts.push((between(rng, 600, 14_000), Act::Change { nth, again }));
    }
    for _ in 0..rng.below(4) {
        let act = match rng.below(6) {
            0 => OperatorAct::Confirm { who: "ben".into(), note: None, edition: None },
            1 => OperatorAct::Close { reason: "a drill".into() },
            2 | 3 => OperatorAct::Retry { moves: None },
            _ => OperatorAct::Skip { moves: None },
        };
        acts.push((between(rng, 600, 16_000), Act::Operator { nth: small(rng.below(8)), act }));
    }
    for _ in 0..rng.below(3) {
        let (at, nth) = (between(rng, 600, 16_000), small(rng.below(8)));
        acts.push((at, Act::RingsBack { nth }));
        if rng.below(2) == 0 {
            acts.push((at + between(rng, 30, 200), Act::RangBack { nth }));
        }
    }
    for _ in 0..rng.below(3) {
        acts.push((between(rng, 600, 16_000), Act::CheckIn { nth: small(rng.below(8)) }));
    }
    for _ in 0..rng.below(5) {
        acts.push((between(rng, 0, 16_000), Act::Arm { places: u32::try_from(rng.below(60)).expect("small") }));
    }
    if rng.below(3) == 0 {
        let by_ms = one_of(rng, &[-2 * HOUR, -90 * SECOND, 40 * SECOND, 10 * MINUTE, HOUR]);
        acts.push((between(rng, 600, 14_000), Act::Set { by_ms }));
    }
    acts.push((MORNING_MS, Act::Morning));
    for (at, act) in acts {
        house.outside.at(START_MS + at, Happens::Act(act));
    }
    // What was drawn here is not drawn again by the night itself.
    house.rng = rng.clone();
}

/// All that happens by now, then what is due.
fn step(house: &mut House) -> Result<(), Crashed> {
    while let Some(happens) = house.outside.take_due(house.true_ms) {
        if let Err(crashed) = happen(house, happens.clone()) {
            // Whoever was not answered tries again.
            if matches!(happens, Happens::Comes { .. }) {
                house.outside.at(house.true_ms + 100 * SECOND, happens);
            }
            return Err(crashed);
        }
    }
    if house.is_up { house.tick() } else { Ok(()) }
}

fn happen(house: &mut House, happens: Happens) -> Result<(), Crashed> {
    let again = |house: &mut House, happens| {
        house.outside.at(house.true_ms + 10 * SECOND, happens);
        Ok(())
    };
    match happens {
        Happens::Act(Act::Start) => house.starts(),
        Happens::Act(Act::Set { by_ms }) => {
            house.offset_ms += by_ms;
            house.judge.lost_ms += by_ms.abs();
            if by_ms > 0 {
                // By this clock whoever has something now has said nothing for too long.
                house.excuse_what_is_under_way();
            }
            house.judge.seen.jumps += 1;
            Ok(())
        }
        Happens::Answer { boot, attempt, event } => {
            if boot == house.boot && house.is_up {
                house.answers(&event, &attempt)
            } else {
                Ok(())
            }
        }
        happens if !house.is_up => again(house, happens),
        Happens::News { boot, ref attempt, ref event } => {
            let name = format!("call-{boot}-{}-{attempt}-{event:?}", house.true_ms);
            house.comes_in(name, What::About { attempt: attempt.clone(), event: event.clone() })
        }
        Happens::Comes { name, what } => house.comes_in(name, what),
        Happens::Act(act) => does(house, act),
    }
}

/// The dispatch of the nth message that was saved.
fn nth(house: &House, nth: usize) -> Option<DispatchId> {
    let id = DispatchId::named(&format!("d{}", nth + 1));
    house.disk.rows.contains_key(&id).then_some(id)
}

fn tell(house: &mut House, n: usize, event: Event) -> Result<(), Crashed> {
    let Some(dispatch) = nth(house, n) else { return Ok(()) };
    let name = format!("act-{}-{n}", house.true_ms);
    house.comes_in(name, What::To { dispatch, event })
}

fn does(house: &mut House, act: Act) -> Result<(), Crashed> {
    match act {
        Act::Save { kind } => {
            let id = house.save(kind)?;
            if let Some(call) = house.disk.rows.get(&id).and_then(|row| row.state.on_call.clone()) {
                talk(house, &call);
            }
            Ok(())
        }
        Act::Schedule { account, who } => {
            house.town.schedules[account] = schedule(ACCOUNTS[account], who);
            Ok(())
        }
        Act::Edit { kind } => {
            // Whoever runs the old version would be seen at other waits and another order from now on.
            let protocol = &mut house.town.kinds[kind].protocol;
            protocol.version += 1;
            protocol.steps.reverse();
            for step in &mut protocol.steps {
                step.wait_secs += 60;
            }
            house.judge.seen.pinned += 1;
            Ok(())
        }
        Act::Change { nth: n, again } => {
            let Some(id) = nth(house, n) else { return Ok(()) };
            let message = house.disk.rows[&id].state.message.clone();
            let taken = house.town.messages.get_mut(&message).expect("it was saved");
            taken.edition += 1;
            let kind = &house.town.kinds[taken.kind];
            let act = OperatorAct::Change {
                urgency: kind.urgency,
                protocol: Some(Box::new(kind.protocol.clone())),
                again,
                unsent: None,
            };
            tell(house, n, Event::Operator { by: "kim".into(), act })
        }
        Act::Operator { nth, act } => tell(house, nth, Event::Operator { by: "kim".into(), act }),
        Act::RingsBack { nth } => {
            house.judge.lost_ms += 5 * MINUTE;
            tell(house, nth, Event::RingsBack { who: "ben".into(), by: "kim".into() })
        }
        Act::RangBack { nth } => tell(house, nth, Event::RangBack),
        Act::CheckIn { nth } => {
            tell(house, nth, Event::ReadAtCheckIn { who: "ada".into(), by: None, edition: Some(1) })
        }
        Act::Arm { places } => {
            house.crash_in = Some(places);
            Ok(())
        }
        Act::Morning => morning(house),
        Act::Start | Act::Set { .. } => Ok(()),
    }
}

/// The caller is on the line for a while, and may be put through.
fn talk(house: &mut House, call: &CallId) {
    let rng: &mut Rng = &mut house.rng;
    let ends = [PatchEnd::NoAnswer, PatchEnd::Refused, PatchEnd::Busy, PatchEnd::CallerGone, PatchEnd::OperatorLost];
    let begun = between(rng, 6, 50);
    let over = begun + between(rng, 5, 60);
    let end = over + between(rng, 5, 300);
    let (fate, why) = (rng.below(5), one_of(rng, &ends));
    let mut comes = |at: i64, event: Event| {
        let name = format!("patch-{call}-{at}");
        let what = What::OfCall { call: call.clone(), event };
        house.outside.at(house.true_ms + at, Happens::Comes { name, what });
    };
    let whom = (Some(contact_id("clinic", "ben")), number(0, 0));
    let patching = |news| Event::Patching { contact: whom.0.clone(), number: whom.1.clone(), news };
    match fate {
        0 => {}
        1 => {
            comes(begun, patching(PatchNews::Begun));
            comes(over, Event::Patched { to: vec!["ben".into()] });
        }
        _ => {
            comes(begun, patching(PatchNews::Begun));
            comes(over, patching(PatchNews::Over(why)));
        }
    }
    comes(end, Event::CallEnded);
}

/// Recaps are accepted; what goes round and round is ended by the day's operators, with a reason.
fn morning(house: &mut House) -> Result<(), Crashed> {
    let states: Vec<State> = house.disk.rows.values().map(|row| row.state.clone()).collect();
    for state in states {
        let event = match state.held_for_recap() {
            Some(run) => {
                let edition = Some(house.town.messages[&state.message].edition);
                Event::Recapped { run: run.id.clone(), to: vec!["ada".into()], edition }
            }
            // Whatever does not go round comes to its end by itself, and is looked at for that when the night is over.
            None if state.phase == Phase::Running && state.protocol.repeat.is_some() => {
                let act = OperatorAct::Close { reason: "seen to by day".into() };
                Event::Operator { by: "lee".into(), act }
            }
            None => continue,
        };
        let name = format!("morning-{}", state.id);
        house.comes_in(name, What::To { dispatch: state.id.clone(), event })?;
    }
    Ok(())
}
