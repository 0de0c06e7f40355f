//! A contact who rings back, through the drivers: served first, shown, and their dispatches pause meanwhile.

use super::house::{House, answers, number, offer, plays, rings};
use super::queue_tests::waits;
use super::*;
use crate::base::id::{AccountId, DispatchId, MessageId};
use crate::base::pii::Pii;
use crate::domain::account::{RecordingMode, RecordingPolicy, Speech, Urgency};
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::feed::{AccountRef, AskedView, RingsBackView};
use crate::engine::signal::LegEvent;

const DID: &str = "+12025550102";
/// The doctor's number, and the nurse's, who is asked for her PIN; from all others nobody rings back.
pub(super) const DOCTOR: &str = "+12025550160";
const NURSE: &str = "+12025550163";

pub(super) fn asked(caller: &PhoneNumber) -> Option<RingsBackView> {
    let asked = AskedView {
        edition: 1,
        dispatch: DispatchId::named("1"),
        name: "Dr Patel".into(),
        message: MessageId::named("1"),
        account: AccountRef {
            id: AccountId::named("plumbing"),
            name: "Imaginary Plumbing".into(),
            color: "#123456".into(),
            zone: "America/New_York".into(),
        },
        headline: "Jane Roe: burst pipe".into(),
        urgency: Urgency::Urgent,
        pin: false,
        notice: false,
        unheard: false,
    };
    match caller.as_e164() {
        DOCTOR => {
            let contact = ContactId::named("patel");
            Some(RingsBackView { contact, name: "Dr Patel".into(), dispatches: vec![asked] })
        }
        NURSE => {
            let asked = AskedView { name: "Nurse Roe".into(), pin: true, ..asked };
            let account = AccountRef { id: AccountId::named("clinic"), ..asked.account.clone() };
            let elsewhere = AskedView { dispatch: DispatchId::named("2"), account, ..asked.clone() };
            let notice = AskedView { dispatch: DispatchId::named("3"), notice: true, ..asked.clone() };
            let dispatches = vec![asked, elsewhere, notice];
            Some(RingsBackView { contact: ContactId::named("roe"), name: "Nurse Roe".into(), dispatches })
        }
        _ => None,
    }
}

/// The doctor calls and hears the greeting to its end.
pub(super) async fn rings_back(house: &mut House) -> (LegId, mpsc::Sender<LegEvent>) {
    rings_back_from(house, DOCTOR).await
}

async fn rings_back_from(house: &mut House, caller: &str) -> (LegId, mpsc::Sender<LegEvent>) {
    let (leg, events) = house.dials_from(caller, DID, Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.hears(leg, &[Source::Music]).await;
    (leg, events)
}

async fn news(house: &mut House) -> CallNews {
    let told = async {
        loop {
            let news = house.news.recv().await.expect("the house stands");
            if matches!(news, CallNews::RingsBack { .. } | CallNews::RangBack { .. }) {
                return news;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), told).await.expect("in time")
}

#[tokio::test]
async fn a_contact_who_rings_back_goes_before_callers_who_wait_longer_and_is_known_by_name() {
    let mut house = House::open("greeting");
    let (_caller, _line) = waits(&mut house, "+12025550102").await;
    let (_doctor, _events) = rings_back(&mut house).await;
    let first = |e: &FeedEvent| match e {
        FeedEvent::Queue { queue } if queue.waiting.len() == 2 => {
            queue.waiting.first().filter(|first| first.priority > 0).map(|first| first.call.clone())
        }
        _ => None,
    };
    let first = house.shown("the doctor is first", first).await;
    let views = house.calls.views();
    let view = views.iter().find(|view| view.id == first).expect("a live call");
    let known = view.rings_back.as_ref().expect("known");
    assert_eq!((known.name.as_str(), known.dispatches.len()), ("Dr Patel", 1));
}

#[tokio::test]
async fn their_dispatches_pause_while_an_operator_has_them_and_go_on_after_it() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (_doctor, events) = rings_back(&mut house).await;
    let (_leg, _phone) = house.takes("kim").await;
    let dispatches = vec![DispatchId::named("1")];
    let asked = vec![(dispatches[0].clone(), Pii::new("Dr Patel".into()))];
    let began = CallNews::RingsBack { asked, by: UserId::named("kim") };
    assert_eq!(news(&mut house).await, began);
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(news(&mut house).await, CallNews::RangBack { dispatches });
}

/// Kim speaks with the doctor, whose dispatch pauses.
async fn speaks(house: &mut House) -> (LegId, mpsc::Sender<LegEvent>, mpsc::Sender<LegEvent>) {
    house.ready("kim").await;
    let (leg, events) = rings_back(house).await;
    let (_, phone) = house.takes("kim").await;
    assert!(matches!(news(house).await, CallNews::RingsBack { .. }));
    (leg, events, phone)
}

fn goes_on() -> CallNews {
    CallNews::RangBack { dispatches: vec![DispatchId::named("1")] }
}

#[tokio::test]
async fn what_they_name_beside_waits_as_well_and_what_waits_already_does_not_go_on_for_it() {
    let mut house = House::open("greeting");
    let (_leg, events, _phone) = speaks(&mut house).await;
    let (call, kim) = (house.calls.views().pop().expect("a live call").id, UserId::named("kim"));
    let nurse = asked(&number(NURSE)).expect("she is asked by two, and has a notice");
    assert_eq!(house.calls.command(&call, &kim, Command::Named(nurse)).await, Ok(()));
    let more = vec![(DispatchId::named("2"), Pii::new("Nurse Roe".into()))];
    assert_eq!(news(&mut house).await, CallNews::RingsBack { asked: more, by: kim });
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let dispatches = vec![DispatchId::named("1"), DispatchId::named("2")];
    assert_eq!(news(&mut house).await, CallNews::RangBack { dispatches });
}

#[tokio::test]
async fn a_contact_who_is_parked_speaks_with_nobody_until_fetched() {
    let mut house = House::open("greeting");
    let (leg, _events, _phone) = speaks(&mut house).await;
    let (call, kim) = (house.calls.views().pop().expect("a live call").id, UserId::named("kim"));
    assert_eq!(house.calls.command(&call, &kim, Command::Hold).await, Ok(()));
    assert_eq!(house.calls.command(&call, &kim, Command::Retrieve).await, Ok(()));
    assert_eq!(house.calls.command(&call, &kim, Command::Park).await, Ok(()));
    assert_eq!(news(&mut house).await, goes_on(), "not while on hold, and at once when parked");
    house.hears(leg, &[Source::Music]).await;
    assert_eq!(house.calls.command(&call, &kim, Command::Fetch).await, Ok(()));
    let _rung = house.until("her telephone rings", |d| rings(d, "kim")).await;
    assert!(house.news.try_recv().is_err(), "her telephone rings: nobody speaks with them yet");
}

#[tokio::test]
async fn a_contact_who_is_passed_on_pauses_their_dispatches_again_with_the_next_operator() {
    let mut house = House::open("greeting");
    let (_leg, events, _phone) = speaks(&mut house).await;
    let (call, kim) = (house.calls.views().pop().expect("a live call").id, UserId::named("kim"));
    house.ready("lee").await;
    let pass = Command::Pass { to: Some(UserId::named("lee")), note: None };
    assert_eq!(house.calls.command(&call, &kim, pass).await, Ok(()));
    assert_eq!(news(&mut house).await, goes_on());
    let (_, lee) = house.takes("lee").await;
    house.kept.push(lee);
    let CallNews::RingsBack { by, .. } = news(&mut house).await else { panic!("lee speaks with them") };
    assert_eq!(by, UserId::named("lee"));
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(news(&mut house).await, goes_on());
}

#[tokio::test]
async fn a_right_pin_shows_what_its_account_asks_and_what_was_heard_is_off_the_call() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (_leg, _events) = rings_back_from(&mut house, NURSE).await;
    let (_, _phone) = house.takes("kim").await;
    assert!(matches!(news(&mut house).await, CallNews::RingsBack { .. }));
    let call = house.calls.views().pop().expect("a live call").id;
    // What desks are told of each: whether it says what it is about.
    let told = || {
        let back = house.calls.views().pop().and_then(|view| view.rings_back).expect("known").for_desks();
        let says = |asked: AskedView| (asked.dispatch, asked.pin, !asked.headline.is_empty());
        back.dispatches.into_iter().map(says).collect::<Vec<_>>()
    };
    let [one, elsewhere, notice] = ["1", "2", "3"].map(DispatchId::named);
    let untold = |dispatch: &DispatchId| (dispatch.clone(), true, false);
    let shown = |dispatch: &DispatchId| (dispatch.clone(), false, true);
    assert_eq!(told(), [untold(&one), untold(&elsewhere), untold(&notice)]);

    let does = async |by: &str, command: Command| house.calls.command(&call, &UserId::named(by), command).await;
    let proved = || Command::Proved { account: AccountId::named("plumbing") };
    assert_eq!(does("lee", proved()).await, Err(CommandError::NotYours), "they are not on her line");
    assert_eq!(told(), [untold(&one), untold(&elsewhere), untold(&notice)]);
    assert_eq!(does("kim", proved()).await, Ok(()));
    assert_eq!(told(), [shown(&one), untold(&elsewhere), shown(&notice)], "the other account asks for itself");

    let heard = |dispatch: &DispatchId| Command::Heard { dispatch: dispatch.clone() };
    assert_eq!(does("lee", heard(&notice)).await, Err(CommandError::NotYours));
    assert_eq!(does("kim", heard(&notice)).await, Ok(()));
    assert_eq!(does("kim", heard(&one)).await, Ok(()));
    assert_eq!(told(), [shown(&one), untold(&elsewhere)], "what asks them stands until it is answered");
}

#[tokio::test]
async fn a_panic_in_the_middle_of_the_talk_ends_the_pause() {
    let mut house = House::open("greeting");
    let (_leg, _events, _phone) = speaks(&mut house).await;
    let (call, kim) = (house.calls.views().pop().expect("a live call").id, UserId::named("kim"));
    let found = house.calls.0.accounts.find_by_did(&number(DID)).await.expect("a book").expect("an account");
    let told = Some(Speech::Spoken { text: "panic".into() });
    let recording = RecordingPolicy { mode: RecordingMode::On, announcement: told, ..RecordingPolicy::default() };
    let other = Account { id: AccountId::named("other"), recording, ..Account::clone(&found) };
    // The words about the recording that follow are none that can be said.
    let _ = house.calls.command(&call, &kim, Command::ChangeAccount(Arc::new(other))).await;
    assert_eq!(news(&mut house).await, goes_on());
}

#[tokio::test]
async fn who_calls_from_another_number_is_a_caller_like_any() {
    let mut house = House::open("greeting");
    let (_caller, _line) = waits(&mut house, "+12025550102").await;
    let view = house.calls.views().pop().expect("a live call");
    assert_eq!(view.rings_back, None);
}
