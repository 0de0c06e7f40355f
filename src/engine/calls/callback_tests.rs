//! Callbacks through the drivers: asked for by keys, stored, and kept by an operator.

use super::house::{Did, House, answer_to, hangs_up, number, plays};
use super::queue_tests::waits;
use super::record::Line;
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::feed::RingBackView;
use crate::engine::signal::LegEvent;
use crate::io::store::callbacks::Callback;

pub(super) const DID: &str = "+12025550184";

pub(super) fn presses(house: &House, leg: LegId, digit: char) {
    house.calls.on_media(MediaEvent::Digit { leg, digit, at: SystemClock.instant() });
}

fn kept(did: &Did) -> Option<Callback> {
    match did {
        Did::Kept(callback) => Some(callback.clone()),
        _ => None,
    }
}

/// A caller who asks for it, has it confirmed and hangs up; what was stored.
async fn promised(house: &mut House) -> Callback {
    promised_at(house, DID).await
}

async fn promised_at(house: &mut House, did: &str) -> Callback {
    let (caller, _line) = waits(house, did).await;
    house.until("the offer", |d| plays(d, caller)).await;
    presses(house, caller, '1');
    house.until("the number", |d| plays(d, caller)).await;
    presses(house, caller, '1');
    let callback = house.until("the promise", kept).await.1;
    let goodbye = house.until("goodbye", |d| plays(d, caller)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg: caller, play: goodbye });
    house.until("hang-up", |d| hangs_up(d, caller)).await;
    assert_eq!(house.finished().await.outcome, "callback");
    callback
}

/// A caller who is being called back.
struct Taken {
    view: RingBackView,
    caller: LegId,
    offer: Vec<u8>,
    from_caller: mpsc::Sender<LegEvent>,
    /// Dropped, the operator is lost.
    _phone: mpsc::Sender<LegEvent>,
}

/// Waits until the caller to be called back is offered, and takes them; the caller's leg is dialled.
async fn takes(house: &mut House, who: &str) -> Taken {
    let offered = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.state == CallState::Offered => {
            call.ring_back.clone().map(|r| (call.id.clone(), r))
        }
        _ => None,
    };
    let (call, view) = house.shown("the offer", offered).await;
    let by = UserId::named(who);
    assert_eq!(house.calls.command(&call, &by, Command::Take).await, Ok(()));
    let (_, phone) = house.takes(who).await;
    let dialled = |d: &Did| matches!(d, Did::Dialled { .. }).then_some(());
    let asked = |d: &Did| match d {
        Did::Asked(out) => Some(out.clone()),
        _ => None,
    };
    let out = house.until("whom to dial", asked).await.1;
    assert_eq!((out.to, out.caller_id), (number("+12025550150"), Some(number(DID))));
    let (Did::Dialled { leg: caller, offer, events: from_caller }, ()) = house.until("dialled", dialled).await else {
        unreachable!("dialled picks Dialled")
    };
    Taken { view, caller, offer, from_caller, _phone: phone }
}

#[tokio::test]
async fn a_caller_who_asks_for_it_is_called_back_by_an_operator() {
    let mut house = House::open("greeting");
    let callback = promised(&mut house).await;
    assert_eq!((callback.number.clone(), callback.tries, callback.end.clone()), (number("+12025550150"), 0, None));
    house.ready("kim").await;
    let taken = takes(&mut house, "kim").await;
    assert_eq!((taken.view.promised_in, taken.view.since), (callback.call.clone(), callback.rang_at()));
    taken.from_caller.send(LegEvent::Answered(answer_to(&taken.offer))).await.expect("the call listens");
    let both = |d: &Did| match d {
        Did::Bridged { matrix } => matches!(matrix.heard_by(taken.caller), [Source::Leg(_)]).then_some(()),
        _ => None,
    };
    house.until("the two talk", both).await;
    taken.from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let end = house.until("what came of it", kept).await.1.end.expect("it is over");
    assert_eq!((end.outcome.as_str(), end.operator), ("reached", Some(UserId::named("kim"))));
}

#[tokio::test]
async fn a_caller_who_asks_to_be_called_back_keeps_their_place_and_what_they_called_about() {
    let mut house = House::open("greeting");
    let callback = promised_at(&mut house, flow_tests::RANKED).await;
    assert_eq!(callback.priority, 7, "the rank that the call had, not its account's");
    house.ready("kim").await;
    let offered = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.ring_back.is_some() && call.state == CallState::Offered => Some(call.clone()),
        _ => None,
    };
    let view = house.shown("the offer", offered).await;
    assert_eq!(view.call_type, Some(crate::base::id::CallTypeId::named("urgent")), "the form that they called about");
    let entered: Vec<_> = view.entered.iter().map(|entered| entered.digits.reveal().as_str()).collect();
    assert_eq!(entered, ["00471"], "and what they entered then");
}

#[tokio::test]
async fn a_caller_who_is_not_reached_is_tried_again_later() {
    let mut house = House::open("greeting");
    let callback = promised(&mut house).await;
    house.ready("kim").await;
    let taken = takes(&mut house, "kim").await;
    taken.from_caller.send(LegEvent::Ended(Cause::Busy)).await.expect("the call listens");
    let tried = house.until("what came of it", kept).await.1;
    assert_eq!((tried.tries, tried.end.clone()), (1, None));
    assert!(tried.next_at.since(callback.next_at) >= 5 * 60_000);
}

#[tokio::test]
async fn the_third_try_in_vain_is_the_last_and_an_alarm() {
    let mut house = House::open("greeting");
    let account = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    let mut callback = promise_of_before();
    callback.tries = 2;
    house.calls.keep_promises(vec![(callback, Account::clone(&account))]);
    house.ready("kim").await;
    let taken = takes(&mut house, "kim").await;
    taken.from_caller.send(LegEvent::Ended(Cause::NoAnswer)).await.expect("the call listens");
    let alarm = |e: &FeedEvent| match e {
        FeedEvent::Alarm { alarm } => Some(alarm.level),
        _ => None,
    };
    assert_eq!(house.shown("the alarm", alarm).await, AlarmLevel::Critical);
    let end = house.until("what came of it", kept).await.1.end.expect("it is over");
    assert_eq!(end.outcome, "not_reached");
}

pub(super) fn promise_of_before() -> Callback {
    let now = SystemClock.utc();
    Callback {
        call: CallId::named("before"),
        account: AccountId::named("plumbing"),
        did: number(DID),
        number: number("+12025550150"),
        priority: 0,
        skills: Default::default(),
        call_type: None,
        since: now.plus_ms(-370_000),
        promised_at: now.plus_ms(-300_000),
        tries: 0,
        next_at: now,
        end: None,
    }
}

#[tokio::test]
async fn a_promise_of_before_the_start_waits_at_its_place() {
    let mut house = House::open("greeting");
    let (_caller, _line) = waits(&mut house, "+12025550102").await;
    let account = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    let callback = promise_of_before();
    house.calls.keep_promises(vec![(callback.clone(), Account::clone(&account))]);
    let first = |e: &FeedEvent| match e {
        FeedEvent::Queue { queue } if queue.waiting.len() == 2 => queue.waiting.first().cloned(),
        _ => None,
    };
    let first = house.shown("both wait", first).await;
    assert!(first.ring_back && first.since.since(callback.since).abs() < 1_000, "{first:?}");
    house.calls.stop();
    assert_eq!(house.finished().await.outcome, "cut_off");
}

#[tokio::test]
async fn what_the_store_does_not_take_is_not_promised_and_the_caller_waits_on() {
    let mut house = House::open("greeting");
    let (caller, _line) = waits(&mut house, "+12025550185").await;
    house.until("the offer", |d| plays(d, caller)).await;
    presses(&house, caller, '1');
    house.until("the number", |d| plays(d, caller)).await;
    presses(&house, caller, '1');
    house.until("we are sorry", |d| plays(d, caller)).await;
    let dropped =
        |d: &Did| matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "callback_not_wanted").then_some(());
    house.until("its line", dropped).await;
    assert_eq!(house.calls.views()[0].state, CallState::Queued);
}

#[tokio::test]
async fn an_operator_rings_a_caller_back_who_hung_up_with_one_key() {
    let mut house = House::open("greeting");
    let account = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    // They were not reached until now.
    house.calls.recall(vec![], vec![], vec![(promise_of_before(), account.name.clone())]);
    house.ready("kim").await;
    let (calls, account) = (house.calls.clone(), Account::clone(&account));
    let ringing =
        tokio::spawn(async move { calls.ring_back(promise_of_before(), account, &UserId::named("kim")).await });
    let (_phone, _events) = house.takes("kim").await;
    assert!(ringing.await.expect("no panic"));
    let dialled = |d: &Did| matches!(d, Did::Dialled { .. }).then_some(());
    let (Did::Dialled { offer, events, .. }, ()) = house.until("dialled", dialled).await else {
        unreachable!("dialled picks Dialled")
    };
    events.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house
        .until("talking", |d| matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "talking").then_some(()))
        .await;
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let seen = |d: &Did| match d {
        Did::Wrote(Line::Event { kind, call, .. }) if kind == SEEN_TO => Some(call.clone()),
        _ => None,
    };
    assert_eq!(house.until("seen to", seen).await.1, promise_of_before().call);
    assert_eq!(house.calls.alarms(), [], "nobody need ring them any more");
}

#[tokio::test]
async fn a_caller_who_was_given_up_can_be_rung_anew_in_the_very_moment_in_which_that_is_stored() {
    let mut house = House::open("greeting");
    let account = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    let later = Callback { next_at: SystemClock.utc().plus_ms(600_000), ..promise_of_before() };
    house.calls.keep_promises(vec![(later.clone(), Account::clone(&account))]);
    while house.calls.give_up_ringing(&later.call, &UserId::named("kim")).is_err() {
        tokio::task::yield_now().await;
    }
    let over = |d: &Did| kept(d).and_then(|callback| callback.end);
    assert_eq!(house.until("the end of it", over).await.1.outcome, "given_up");
    let anew = Callback { promised_at: SystemClock.utc(), ..promise_of_before() };
    assert!(house.calls.ring_back(anew, Account::clone(&account), &UserId::named("kim")).await);
    let queued = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.ring_back.is_some() => (call.state == CallState::Queued).then_some(()),
        _ => None,
    };
    house.shown("the caller's place", queued).await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_too_early_is_an_alarm_where_the_account_wants_it() {
    let mut house = House::open("greeting");
    let (_caller, from_caller) = waits(&mut house, "+12025550186").await;
    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let alarm = |e: &FeedEvent| match e {
        FeedEvent::Alarm { alarm } => Some(alarm.clone()),
        _ => None,
    };
    let alarm = house.shown("the alarm", alarm).await;
    assert_eq!((alarm.level, alarm.dismissible), (AlarmLevel::Warning, true));
    let call = alarm.call.expect("it is about a call");
    house.calls.see_to(&call);
    assert_eq!(house.calls.alarms(), []);
    let seen = |d: &Did| matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == SEEN_TO).then_some(());
    house.until("seen to", seen).await;
}

/// A caller who was called back and found busy; the next try is minutes away. With the operator who dialled.
async fn busy(house: &mut House) -> (Callback, Taken) {
    promised(house).await;
    house.ready("kim").await;
    let taken = takes(house, "kim").await;
    taken.from_caller.send(LegEvent::Ended(Cause::Busy)).await.expect("the call listens");
    let tried = house.until("what came of it", kept).await.1;
    let over = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.ring_back.is_some() => {
            (call.state == CallState::WrapUp).then(|| call.id.clone())
        }
        _ => None,
    };
    let call = house.shown("the wrap-up", over).await;
    let done = Command::WrapUpDone { disposition: None };
    assert_eq!(house.calls.command(&call, &UserId::named("kim"), done).await, Ok(()));
    (tried, taken)
}

#[tokio::test]
async fn who_was_found_busy_is_rung_again_at_an_operators_word() {
    let mut house = House::open("greeting");
    let (tried, _kim) = busy(&mut house).await;
    let (calls, call) = (house.calls.clone(), tried.call.clone());
    let ringing = tokio::spawn(async move { calls.ring_now(&call, &UserId::named("kim")).await });
    let (_phone, _events) = house.takes("kim").await;
    assert_eq!(ringing.await.expect("no panic"), Ok(()));
    house.until("dialled", |d| matches!(d, Did::Dialled { .. }).then_some(())).await;
    let twice = house.calls.give_up_ringing(&tried.call, &UserId::named("kim"));
    assert_eq!(twice, Err(CommandError::NotNow), "they are being rung");
}

#[tokio::test]
async fn who_was_found_busy_and_is_given_up_is_not_rung_again() {
    let mut house = House::open("greeting");
    let (tried, _kim) = busy(&mut house).await;
    assert_eq!(house.calls.give_up_ringing(&tried.call, &UserId::named("kim")), Ok(()));
    let end = house.until("the end of it", kept).await.1.end.expect("it is over");
    assert_eq!((end.outcome.as_str(), end.operator), ("given_up", Some(UserId::named("kim"))));
    let told = |e: &FeedEvent| match e {
        FeedEvent::Caller { call, seen_to } if *call == tried.call => Some(*seen_to),
        _ => None,
    };
    assert!(!house.shown("that it has changed", told).await);
}

#[tokio::test]
async fn who_waits_to_be_rung_back_leaves_the_queue_when_given_up() {
    let mut house = House::open("greeting");
    let callback = promised(&mut house).await;
    let waits = |n: usize| {
        move |e: &FeedEvent| match e {
            FeedEvent::Queue { queue } => (queue.waiting.len() == n).then_some(()),
            _ => None,
        }
    };
    let queued = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.ring_back.is_some() => (call.state == CallState::Queued).then_some(()),
        _ => None,
    };
    house.shown("the caller's place", queued).await;
    assert_eq!(house.calls.give_up_ringing(&callback.call, &UserId::named("kim")), Ok(()));
    let end = house.until("the end of it", kept).await.1.end.expect("it is over");
    assert_eq!(end.outcome, "given_up");
    house.shown("nobody waits", waits(0)).await;
}

#[tokio::test]
async fn who_was_rung_back_and_is_put_in_the_queue_again_waits_for_the_same_skills() {
    let mut house = House::open("greeting");
    let spanish = crate::domain::operator::skill::Skill::parse("Spanish").expect("a skill");
    let account = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    let callback = Callback { skills: [spanish.clone()].into(), ..promise_of_before() };
    house.desk.skilled(UserId::named("kim"), [spanish.clone()].into());
    house.calls.keep_promises(vec![(callback, Account::clone(&account))]);
    house.ready("kim").await;
    let taken = takes(&mut house, "kim").await;
    taken.from_caller.send(LegEvent::Answered(answer_to(&taken.offer))).await.expect("the call listens");
    let talks = |e: &FeedEvent| match e {
        FeedEvent::Call { call } => (call.state == CallState::Talking).then(|| call.id.clone()),
        _ => None,
    };
    let call = house.shown("the two talk", talks).await;
    let to_the_queue = Command::Pass { to: None, note: None };
    assert_eq!(house.calls.command(&call, &UserId::named("kim"), to_the_queue).await, Ok(()));
    let again = |e: &FeedEvent| match e {
        FeedEvent::Queue { queue } => queue.waiting.first().map(|w| w.skills.clone()),
        _ => None,
    };
    assert_eq!(house.shown("their place", again).await, [spanish], "what they chose when they called counts still");
}
