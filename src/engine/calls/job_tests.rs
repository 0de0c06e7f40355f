//! Jobs of dispatches through the drivers: offered, taken, dialled, settled, let go, taken back; and an operator who dials out.

use super::dial_out::DialOrder;
use super::house::{Did, House, answer_to, hangs_up, number, rings, user};
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::base::id::{AttemptId, DispatchId, MessageId};
use crate::domain::account::{RecordingMode, RecordingPolicy, Speech, Urgency};
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::callout::{CallOut, CallOutEvent, JobEvent, JobOffer};
use crate::engine::feed::SeatState;
use crate::engine::signal::LegEvent;

const DID: &str = "+12025550102";
const DOCTOR: &str = "+12025550160";

type Told = mpsc::UnboundedReceiver<(AttemptId, CallOutEvent)>;

async fn account(house: &House) -> Account {
    let account = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    Account::clone(&account)
}

fn kim() -> UserId {
    UserId::named("kim")
}

fn attempt() -> AttemptId {
    AttemptId::named("1")
}

/// The dispatcher wants the doctor called.
async fn offers(house: &House) -> Told {
    let account = account(house).await;
    offers_for(house, account)
}

/// The same, for this account.
fn offers_for(house: &House, account: Account) -> Told {
    offers_to(house, account, None)
}

/// The same; `by_hand`: the call is this operator's own.
fn offers_to(house: &House, account: Account, by_hand: Option<UserId>) -> Told {
    let (events, told) = mpsc::unbounded_channel();
    let now = SystemClock.utc();
    let job = JobOffer {
        attempt: attempt(),
        dispatch: DispatchId::named("1"),
        message: MessageId::named("1"),
        account: Arc::new(account),
        urgency: Urgency::Urgent,
        headline: "Jane Roe: burst pipe".into(),
        name: "Dr Patel".into(),
        label: "mobile".into(),
        to: number(DOCTOR),
        ring_secs: 30,
        leave_message: true,
        offered_at: now,
        due_at: now.plus_ms(60_000),
        then_machine: true,
        by_hand,
    };
    house.calls.offer(job, events);
    told
}

async fn hears_of(told: &mut Told) -> JobEvent {
    let news = tokio::time::timeout(Duration::from_secs(10), told.recv()).await.expect("in time").expect("news");
    match news {
        (_, CallOutEvent::Job(event)) => event,
        (_, other) => panic!("no news of a job: {other:?}"),
    }
}

/// The job is off the desks: nobody is left to tell anything of it.
async fn hears_no_more(told: &mut Told) {
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), told.recv()).await, Ok(None));
}

/// Waits until the job's call is there, in this state.
async fn shown(house: &mut House, state: CallState) -> CallView {
    let pick = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.job.is_some() && call.state == state => Some(CallView::clone(call)),
        _ => None,
    };
    house.shown("the job", pick).await
}

/// The doctor's leg, dialled.
async fn dialled(house: &mut House) -> (LegId, Vec<u8>, mpsc::Sender<LegEvent>) {
    let dialled = |d: &Did| matches!(d, Did::Dialled { .. }).then_some(());
    let (Did::Dialled { leg, offer, events }, ()) = house.until("dialled", dialled).await else {
        unreachable!("dialled picks Dialled")
    };
    (leg, offer, events)
}

/// Kim has taken the job, and the doctor's telephone rings.
async fn taken(house: &mut House, told: &mut Told) -> (CallId, LegId, Vec<u8>, mpsc::Sender<LegEvent>) {
    house.ready("kim").await;
    let view = shown(house, CallState::Offered).await;
    assert_eq!(house.calls.command(&view.id, &kim(), Command::Take).await, Ok(()));
    let (_, phone) = house.takes("kim").await;
    house.kept.push(phone);
    let (leg, offer, events) = dialled(house).await;
    assert_eq!(hears_of(told).await, JobEvent::Taken { by: kim() });
    (view.id, leg, offer, events)
}

#[tokio::test]
async fn a_job_is_offered_by_a_strip_dialled_by_a_key_and_done_once_its_outcome_is_known() {
    let mut house = House::open("greeting");
    let mut told = offers(&house).await;
    let queued = shown(&mut house, CallState::Queued).await;
    let job = queued.job.expect("a job");
    assert_eq!((job.name.as_str(), job.label.as_str(), job.then_machine), ("Dr Patel", "mobile", true));
    let (call, leg, offer, doctor) = taken(&mut house, &mut told).await;
    doctor.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    assert_eq!(hears_of(&mut told).await, JobEvent::Answered { by: kim() });
    let both = |d: &Did| match d {
        Did::Bridged { matrix } => matches!(matrix.heard_by(leg), [Source::Leg(_)]).then_some(()),
        _ => None,
    };
    house.until("the two talk", both).await;
    doctor.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    shown(&mut house, CallState::WrapUp).await;
    let done = house.calls.command(&call, &kim(), Command::WrapUpDone { disposition: None }).await;
    assert_eq!(done, Err(CommandError::OutcomeMissing));
    assert_eq!(house.calls.settle_job(&attempt(), "told"), Ok(()));
    house.gone().await;
    let (seat, _) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!(seat.state, SeatState::Ready);
    hears_no_more(&mut told).await;
}

#[tokio::test]
async fn an_operator_who_is_lost_while_it_rings_frees_the_job_for_another() {
    let mut house = House::open("greeting");
    let mut told = offers(&house).await;
    let (_, leg, _, _doctor) = taken(&mut house, &mut told).await;
    let phone = house.kept.pop().expect("her telephone");
    phone.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.until("the doctor is let go", |d| hangs_up(d, leg)).await;
    assert_eq!(hears_of(&mut told).await, JobEvent::Freed { by: kim() });
    house.ready("lee").await;
    let again = shown(&mut house, CallState::Offered).await;
    assert_eq!(again.seat, Some(UserId::named("lee")));
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_job_frees_it_for_another() {
    let mut house = House::open("greeting");
    let told = Some(Speech::Spoken { text: "panic".into() });
    let recording = RecordingPolicy { mode: RecordingMode::On, announcement: told, ..RecordingPolicy::default() };
    let mut told = offers_for(&house, Account { recording, ..account(&house).await });
    let (call, _, offer, doctor) = taken(&mut house, &mut told).await;
    doctor.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    assert_eq!(hears_of(&mut told).await, JobEvent::Answered { by: kim() });
    assert_eq!(hears_of(&mut told).await, JobEvent::Freed { by: kim() });
    let again = shown(&mut house, CallState::Queued).await;
    assert_ne!(again.id, call);
}

#[tokio::test]
async fn a_job_that_is_given_back_is_offered_again() {
    let mut house = House::open("greeting");
    let mut told = offers(&house).await;
    let (call, ..) = taken(&mut house, &mut told).await;
    assert_eq!(house.calls.give_back_job(&attempt()), Ok(()));
    assert_eq!(hears_of(&mut told).await, JobEvent::Freed { by: kim() });
    assert!(matches!(hears_of(&mut told).await, JobEvent::Left { .. }), "whoever else it was locked for is free of it");
    let again = shown(&mut house, CallState::Queued).await;
    assert_ne!(again.id, call);
}

#[tokio::test]
async fn a_job_that_is_taken_back_while_it_rings_frees_telephone_and_seat() {
    let mut house = House::open("greeting");
    let mut told = offers(&house).await;
    let (_, leg, _, _doctor) = taken(&mut house, &mut told).await;
    house.calls.cancel(&attempt());
    house.until("the doctor's telephone is silent", |d| hangs_up(d, leg)).await;
    assert_eq!(hears_of(&mut told).await, JobEvent::Dropped);
    let ready = |e: &FeedEvent| match e {
        FeedEvent::Seat { seat } if seat.state == SeatState::Ready && seat.calls.is_empty() => Some(()),
        _ => None,
    };
    house.shown("kim is ready", ready).await;
    hears_no_more(&mut told).await;
}

#[tokio::test]
async fn a_job_that_is_taken_back_untaken_is_off_the_desks_and_nobody_is_rung() {
    let mut house = House::open("greeting");
    let mut told = offers(&house).await;
    house.ready("kim").await;
    shown(&mut house, CallState::Offered).await;
    house.calls.cancel(&attempt());
    house.gone().await;
    hears_no_more(&mut told).await;
    let rung = std::iter::from_fn(|| house.did.try_recv().ok()).any(|d| rings(&d, "kim").is_some());
    assert!(!rung);
}

#[tokio::test]
async fn a_job_waits_beside_callers_by_the_priority_of_its_account() {
    let mut house = House::open("greeting");
    let _told = offers(&house).await;
    let waiting = |e: &FeedEvent| match e {
        FeedEvent::Queue { queue } => queue.waiting.first().map(|w| (w.priority, w.ring_back)),
        _ => None,
    };
    assert_eq!(house.shown("the queue", waiting).await, (0, true));
    for _ in 0..10_000 {
        if house.calls.is_idle() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("a stop of the service waits for it");
}

#[tokio::test]
async fn a_call_by_hand_rings_her_telephone_at_once_and_wants_its_outcome() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let account = account(&house).await;
    let mut told = offers_to(&house, account, Some(kim()));
    let (_, phone) = house.takes("kim").await;
    house.kept.push(phone);
    let (_, offer, doctor) = dialled(&mut house).await;
    assert_eq!(hears_of(&mut told).await, JobEvent::Taken { by: kim() });
    doctor.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    assert_eq!(hears_of(&mut told).await, JobEvent::Answered { by: kim() });
    let view = shown(&mut house, CallState::Talking).await;
    assert!(view.job.is_some_and(|job| job.by_hand));
    doctor.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    shown(&mut house, CallState::WrapUp).await;
    let done = house.calls.command(&view.id, &kim(), Command::WrapUpDone { disposition: None }).await;
    assert_eq!(done, Err(CommandError::OutcomeMissing));
    assert_eq!(house.calls.settle_job(&attempt(), "confirmed"), Ok(()));
    house.gone().await;
    hears_no_more(&mut told).await;
}

#[tokio::test]
async fn a_call_by_hand_that_its_operator_does_not_get_comes_to_nobody_else() {
    let mut house = House::open("greeting");
    house.ready("lee").await;
    let account = account(&house).await;
    assert_eq!(house.calls.may_dial(&kim()).await, Err(CommandError::NotReady));
    let mut told = offers_to(&house, account, Some(kim()));
    assert!(matches!(hears_of(&mut told).await, JobEvent::Left { .. }));
    hears_no_more(&mut told).await;
    let rung = std::iter::from_fn(|| house.did.try_recv().ok()).any(|d| rings(&d, "lee").is_some());
    assert!(!rung);
}

#[tokio::test]
async fn a_call_by_hand_that_is_taken_back_before_she_has_it_is_over() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let account = account(&house).await;
    let mut told = offers_to(&house, account, Some(kim()));
    let rang = house.until("her telephone rings", |d| rings(d, "kim")).await;
    house.calls.cancel(&attempt());
    assert_eq!(hears_of(&mut told).await, JobEvent::Dropped);
    hears_no_more(&mut told).await;
    drop(rang);
}

fn order(account: Account) -> DialOrder {
    DialOrder { account, to: number(DOCTOR), contact: None, label: None, ring: Duration::from_secs(30) }
}

#[tokio::test]
async fn an_operator_dials_out_with_the_accounts_number_and_it_is_on_record() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let call = house.calls.dial_out(order(account(&house).await), &kim()).await.expect("she may");
    let (_, phone) = house.takes("kim").await;
    let asked = |d: &Did| match d {
        Did::Asked(out) => Some(out.clone()),
        _ => None,
    };
    let out = house.until("whom to dial", asked).await.1;
    assert_eq!((out.to, out.caller_id, out.account.is_some()), (number(DOCTOR), Some(number(DID)), true));
    let (leg, offer, doctor) = dialled(&mut house).await;
    doctor.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    let talking = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.state == CallState::Talking => Some(CallView::clone(call)),
        _ => None,
    };
    let view = house.shown("the two talk", talking).await;
    assert!(view.id == call && view.dialled.is_some() && view.job.is_none() && view.ring_back.is_none());
    assert_eq!(house.calls.command(&call, &kim(), Command::Hold).await, Ok(()));
    house.hears(leg, &[Source::Music]).await;
    assert_eq!(house.calls.command(&call, &kim(), Command::HangUp).await, Ok(()));
    assert_eq!(house.finished().await.outcome, "taken");
    drop(phone);
}

#[tokio::test]
async fn nobody_dials_out_without_a_seat_or_from_the_middle_of_a_patch() {
    let mut house = House::open("greeting");
    let account = account(&house).await;
    assert_eq!(house.calls.dial_out(order(account.clone()), &kim()).await, Err(CommandError::NotReady));
    house.ready("kim").await;
    assert!(house.calls.dial_out(order(account.clone()), &kim()).await.is_ok());
    house.until("her telephone rings", |d| rings(d, "kim")).await;
    assert_eq!(house.calls.dial_out(order(account), &kim()).await, Err(CommandError::NotNow));
    assert_eq!(house.calls.views().len(), 1);
}
