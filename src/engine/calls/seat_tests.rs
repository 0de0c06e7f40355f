//! Several calls at one seat, callers who are parked, fetched and passed on, keys to the other party. In the house of
//! `tests`.

use super::house::{Did, House, answers, hangs_up, number, offer, plays, user};
use super::*;
use crate::base::id::AccountId;
use crate::domain::call::bridge::{LegId, Source};
use crate::domain::call::transfer::TransferProgress;
use crate::domain::operator::{Phone, Phones};
use crate::engine::feed::{CallState, SeatState};
use crate::engine::signal::{Dialled, LegEvent};
use crate::io::media::Strays;

impl House {
    /// Waits until a call is shown like this.
    pub(super) async fn is(&mut self, call: &CallId, state: CallState) {
        let like = |e: &FeedEvent| matches!(e, FeedEvent::Call { call: c } if c.id == *call && c.state == state);
        self.shown(&format!("{call} is {state:?}"), |e| like(e).then_some(())).await;
    }

    pub(super) async fn asks(&self, name: &str, call: &CallId, command: Command) -> Result<(), CommandError> {
        self.calls.command(call, &UserId::named(name), command).await
    }

    /// The call that is none of these.
    pub(super) fn other_than(&self, known: &[CallView]) -> CallId {
        let views = self.calls.views();
        views.iter().find(|v| known.iter().all(|k| k.id != v.id)).expect("a live call").id.clone()
    }

    pub(super) fn view(&self, call: &CallId) -> CallView {
        self.calls.views().into_iter().find(|v| v.id == *call).expect("a live call")
    }

    /// A caller with whom an operator who is ready talks: call, caller's leg, operator's leg.
    pub(super) async fn talks(&mut self, name: &str) -> (CallId, LegId, LegId) {
        let before = self.calls.views();
        let (caller, events) = self.queued().await;
        self.kept.push(events);
        let call = self.other_than(&before);
        let (operator, events) = self.takes(name).await;
        self.kept.push(events);
        self.hears(caller, &[Source::Leg(operator)]).await;
        self.is(&call, CallState::Talking).await;
        (call, caller, operator)
    }

    /// A caller who waits.
    pub(super) async fn waits(&mut self) -> (CallId, LegId) {
        let before = self.calls.views();
        let (caller, events) = self.queued().await;
        self.kept.push(events);
        let call = self.other_than(&before);
        self.is(&call, CallState::Queued).await;
        (call, caller)
    }
}

#[tokio::test]
async fn a_talking_operator_takes_a_second_caller_and_the_first_hears_music_before() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (one, first, kims) = house.talks("kim").await;
    let (two, second) = house.waits().await;
    assert_eq!(house.asks("kim", &two, Command::Take).await, Ok(()));
    // In this order: it is waited for one after the other.
    house.hears(first, &[Source::Music]).await;
    let (leg, _events) = house.takes("kim").await;
    house.hears(second, &[Source::Leg(leg)]).await;
    house.is(&two, CallState::Talking).await;
    let (seat, _) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!((seat.state, seat.calls), (SeatState::Talking, vec![one.clone(), two.clone()]));

    // Back to the first: now the second is on hold.
    assert_eq!(house.asks("kim", &one, Command::Retrieve).await, Ok(()));
    house.hears(second, &[Source::Music]).await;
    house.hears(first, &[Source::Leg(kims)]).await;
    assert_eq!(house.asks("kim", &two, Command::HangUp).await, Ok(()));
    house.is(&two, CallState::WrapUp).await;
    assert_eq!(house.asks("kim", &two, Command::WrapUpDone { disposition: None }).await, Ok(()));
    let (seat, queue) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!((seat.calls, queue.ready), (vec![one], 0), "she still talks");
}

#[tokio::test]
async fn a_seat_takes_no_more_calls_than_it_may_and_none_in_the_middle_of_a_patch() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let mut calls = vec![house.talks("kim").await.0];
    for _ in 0..2 {
        let (call, caller) = house.waits().await;
        assert_eq!(house.asks("kim", &call, Command::Take).await, Ok(()));
        let (leg, events) = house.takes("kim").await;
        house.kept.push(events);
        house.hears(caller, &[Source::Leg(leg)]).await;
        house.is(&call, CallState::Talking).await;
        calls.push(call);
    }
    let (fourth, _) = house.waits().await;
    assert_eq!(house.asks("kim", &fourth, Command::Take).await, Err(CommandError::SeatFull));
    calls.push(fourth);
    let states = |house: &House| calls.iter().map(|call| house.view(call).state).collect::<Vec<_>>();
    let (held, talking, queued) = (CallState::Held, CallState::Talking, CallState::Queued);
    assert_eq!(states(&house), [held, held, talking, queued], "whom she talks with was not disturbed");

    let to = number("+12025550190");
    let patch = Command::Patch {
        number: to,
        contact: None,
        ring: Duration::from_secs(30),
        then: Default::default(),
        cold: false,
    };
    assert_eq!(house.asks("kim", &calls[2], patch).await, Ok(()));
    house.is(&calls[2], CallState::Patching).await;
    assert_eq!(house.asks("kim", &calls[0], Command::Retrieve).await, Err(CommandError::Patching));
}

#[tokio::test]
async fn a_parked_caller_is_fetched_by_another_operator_and_slots_are_used_again() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (one, first, kims) = house.talks("kim").await;
    assert_eq!(house.asks("lee", &one, Command::Fetch).await, Err(CommandError::NotNow), "not parked");
    assert_eq!(house.asks("kim", &one, Command::Park).await, Ok(()));
    house.hears(first, &[Source::Music]).await;
    house.until("kim's leg is let go", |d| hangs_up(d, kims)).await;
    house.is(&one, CallState::Parked).await;
    let slot = |house: &House, call: &CallId| house.view(call).parked.and_then(|p| p.slot);
    assert_eq!(slot(&house, &one), Some(1));
    // She is free for the next, whom she parks beside.
    let (two, _, _) = house.talks("kim").await;
    assert_eq!(house.asks("kim", &two, Command::Park).await, Ok(()));
    house.is(&two, CallState::Parked).await;
    assert_eq!(slot(&house, &two), Some(2));

    assert_eq!(house.asks("lee", &one, Command::Fetch).await, Err(CommandError::NotReady), "lee is not at work");
    house.desk.set_ready(user("kim"), false, None).await.expect("may be not ready");
    house.ready("lee").await;
    assert_eq!(house.asks("lee", &one, Command::Fetch).await, Ok(()));
    let (lees, _events) = house.takes("lee").await;
    house.hears(first, &[Source::Leg(lees)]).await;
    house.is(&one, CallState::Talking).await;
    let view = house.view(&one);
    assert_eq!((view.seat, view.taken, view.parked), (Some(UserId::named("lee")), true, None));
    let (seat, _) = house.desk.board(user("lee")).await.expect("the desk is open");
    assert_eq!(seat.calls, std::slice::from_ref(&one));
    assert_eq!(house.asks("lee", &one, Command::Park).await, Ok(()));
    house.is(&one, CallState::Parked).await;
    assert_eq!(slot(&house, &one), Some(1), "it was free again");
}

#[tokio::test]
async fn a_second_press_of_park_leaves_the_slot_with_the_caller_who_has_it() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (one, _, _) = house.talks("kim").await;
    assert_eq!(house.asks("kim", &one, Command::Park).await, Ok(()));
    assert_eq!(house.asks("kim", &one, Command::Park).await, Err(CommandError::NotYours));
    house.is(&one, CallState::Parked).await;
    let (two, _, _) = house.talks("kim").await;
    assert_eq!(house.asks("kim", &two, Command::Park).await, Ok(()));
    house.is(&two, CallState::Parked).await;
    let slot = |call: &CallId| house.view(call).parked.and_then(|parked| parked.slot);
    assert_eq!((slot(&one), slot(&two)), (Some(1), Some(2)));
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_parked_is_on_record_as_that() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (caller, from_caller) = house.queued().await;
    let call = house.call();
    let (operator, _events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.is(&call, CallState::Talking).await;
    assert_eq!(house.asks("kim", &call, Command::Park).await, Ok(()));
    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(house.finished().await.outcome, "abandoned_parked");
}

#[tokio::test]
async fn a_caller_is_given_to_an_operator_who_is_ready_or_back_to_the_queue() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (call, caller, _) = house.talks("kim").await;
    let pass = |to: Option<&str>| Command::Pass { to: to.map(UserId::named), note: Some("speaks French".to_owned()) };
    assert_eq!(house.asks("kim", &call, pass(Some("lee"))).await, Err(CommandError::NotThere));
    assert_eq!(house.asks("max", &call, pass(None)).await, Err(CommandError::NotYours));
    house.ready("lee").await;
    assert_eq!(house.asks("kim", &call, pass(Some("lee"))).await, Ok(()));
    house.hears(caller, &[Source::Music]).await;
    let (lees, _events) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(lees)]).await;
    house.is(&call, CallState::Talking).await;
    let note = house.calls.views()[0].note.clone().expect("a note");
    assert_eq!((note.by, note.text.as_deref()), (UserId::named("kim"), Some("speaks French")));

    house.desk.set_ready(user("kim"), false, None).await.expect("may be not ready");
    assert_eq!(house.asks("lee", &call, pass(None)).await, Ok(()));
    // Lee is ready still, and longest idle: the queue offers the caller again.
    let (again, _events) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(again)]).await;
}

#[tokio::test]
async fn an_operator_asks_another_who_takes_the_caller_over() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (call, caller, kims) = house.talks("kim").await;
    let ask = Command::Ask { user: UserId::named("lee") };
    assert_eq!(house.asks("kim", &call, ask.clone()).await, Err(CommandError::NotThere));
    house.ready("lee").await;
    assert_eq!(house.asks("kim", &call, ask).await, Ok(()));
    let (lees, _events) = house.takes("lee").await;
    house.hears(kims, &[Source::Leg(lees)]).await;
    house.is(&call, CallState::Consulting).await;
    let (seat, queue) = house.desk.board(user("lee")).await.expect("the desk is open");
    assert_eq!((seat.state, queue.ready), (SeatState::Talking, 0), "the queue leaves her alone");
    let (waiting, _) = house.waits().await;
    assert_eq!(house.asks("lee", &waiting, Command::Take).await, Err(CommandError::Patching));
    assert_eq!(house.asks("kim", &call, Command::HandOver).await, Ok(()));
    house.hears(caller, &[Source::Leg(lees)]).await;
    house.is(&call, CallState::Talking).await;
    assert_eq!(house.view(&call).seat, Some(UserId::named("lee")));
    // Kim is free: she gets the caller who waits.
    house.takes("kim").await;
}

#[tokio::test]
async fn a_desk_phone_transfers_its_caller_to_another_operator() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (caller, _from_caller) = house.queued().await;
    let call = house.call();
    let (operator, from_operator) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.is(&call, CallState::Talking).await;
    house.ready("lee").await;
    let to = Dialled::Seat(UserId::named("lee"));
    from_operator.send(LegEvent::Transfer { to, consulted: None }).await.expect("the call listens");
    let done = |d: &Did| match d {
        Did::Phone { leg, command: LegCommand::Transfer(TransferProgress::Done) } => (*leg == operator).then_some(()),
        _ => None,
    };
    house.until("the phone is told", done).await;
    let (lees, _events) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(lees)]).await;
}

#[tokio::test]
async fn a_call_for_the_wrong_account_goes_on_in_the_right_one_s_name() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (call, _, _) = house.talks("kim").await;
    let found = house.calls.0.accounts.find_by_did(&number("+12025550103")).await.expect("a book");
    let mut clinic = (*found.expect("an account")).clone();
    (clinic.id, clinic.caller_id) = (AccountId::named("clinic"), Some(number("+12025550104")));
    let change = Command::ChangeAccount(Arc::new(clinic));
    assert_eq!(house.asks("lee", &call, change.clone()).await, Err(CommandError::NotYours));
    assert_eq!(house.asks("kim", &call, change).await, Ok(()));
    assert_eq!(house.calls.views()[0].account.id, AccountId::named("clinic"));
    let patch = Command::Patch {
        number: number("+12025550190"),
        contact: None,
        ring: Duration::from_secs(30),
        then: Default::default(),
        cold: false,
    };
    assert_eq!(house.asks("kim", &call, patch).await, Ok(()));
    let asked = |d: &Did| match d {
        Did::Asked(out) => Some(out.clone()),
        _ => None,
    };
    let out = house.until("dial", asked).await.1;
    assert_eq!((out.account, out.caller_id), (Some(AccountId::named("clinic")), Some(number("+12025550104"))));
    let changed =
        |d: &Did| matches!(d, Did::Wrote(Line::Event { kind, .. }) if kind == "account_changed").then_some(());
    if !house.kinds().contains(&"account_changed".to_owned()) {
        house.until("the record", changed).await;
    }
}

#[tokio::test]
async fn keys_go_to_the_caller() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (call, caller, _) = house.talks("kim").await;
    assert_eq!(house.asks("kim", &call, Command::Keys("42#".to_owned())).await, Ok(()));
    let pressed = |d: &Did| match d {
        Did::Pressed { leg, keys } if *leg == caller => Some(keys.clone()),
        _ => None,
    };
    assert_eq!(house.until("keys", pressed).await.1, "42#");
}

#[tokio::test]
async fn after_silence_a_desk_phone_is_followed_to_another_host_and_a_carrier_is_not() {
    let mut house = House::open("greeting");
    house.desk.heartbeat(user("kim"), false);
    house.desk.phones(UserId::named("kim"), Phones::of(Phone::DeskPhone));
    house.desk.set_ready(user("kim"), true, None).await.expect("may be ready");
    let opened = |d: &Did| match d {
        Did::Opened { leg, strays } => Some((*leg, *strays)),
        _ => None,
    };
    let (caller, events) = house.dials("+12025550102", Some(offer()));
    assert_eq!(house.until("the caller's port", opened).await.1, (caller, Strays::Ports));
    house.until("answer", |d| answers(d, caller)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, caller)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg: caller, play });
    assert_eq!(house.until("the operator's port", opened).await.1.1, Strays::Hosts);
}
