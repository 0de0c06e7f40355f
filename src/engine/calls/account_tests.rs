//! A call that turns out to be for another account, through the drivers: whose number is shown, and whose figures count it. In the
//! house of `tests`.

use super::house::{Did, House, number};
use super::*;
use crate::base::id::AccountId;
use crate::domain::account::{RecordingMode, RecordingPolicy, Speech};

#[tokio::test]
async fn whom_we_call_in_a_call_that_was_changed_to_another_account_sees_a_number_of_that_one() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (call, _, _) = house.talks("kim").await;
    let found = house.calls.0.accounts.find_by_did(&number("+12025550102")).await;
    let called = found.expect("a book").expect("an account");
    let clinic = Account {
        id: AccountId::named("clinic"),
        dids: vec![number("+12025550104")],
        caller_id: None,
        ..Account::clone(&called)
    };
    assert_eq!(house.asks("kim", &call, Command::ChangeAccount(Arc::new(clinic.clone()))).await, Ok(()));
    let (ring, then) = (Duration::from_secs(30), Vec::new());
    let patch = Command::Patch { number: number("+12025550190"), contact: None, ring, then, cold: false };
    assert_eq!(house.asks("kim", &call, patch).await, Ok(()));
    let asked = |d: &Did| match d {
        Did::Asked(out) => Some(out.clone()),
        _ => None,
    };
    let out = house.until("whom to dial", asked).await.1;
    assert_eq!((out.caller_id, out.account), (Some(number("+12025550104")), Some(clinic.id)));

    // As after a start, when the record says which account was called.
    assert_eq!(house.asks("kim", &call, Command::HangUp).await, Ok(()));
    house.finished().await;
    let figures = house.calls.0.figures.view();
    let counted: Vec<_> = figures.accounts.iter().map(|one| (&one.account, one.figures.answered)).collect();
    assert_eq!(counted, [(&called.id, 1)]);
}

#[tokio::test]
async fn a_fault_in_a_call_that_was_changed_to_another_account_is_told_under_the_name_of_that_one() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    let (call, _, _) = house.talks("kim").await;
    let found = house.calls.0.accounts.find_by_did(&number("+12025550102")).await;
    let called = found.expect("a book").expect("an account");
    let told = Some(Speech::Spoken { text: "panic".into() });
    let clinic = Account {
        id: AccountId::named("clinic"),
        name: "Imaginary Clinic".into(),
        recording: RecordingPolicy { mode: RecordingMode::OnDemand, announcement: told, ..RecordingPolicy::default() },
        ..Account::clone(&called)
    };
    assert_eq!(house.asks("kim", &call, Command::ChangeAccount(Arc::new(clinic))).await, Ok(()));
    assert!(house.asks("kim", &call, Command::Recording(RecordingCommand::Start)).await.is_err(), "it fails at once");
    let alarm = |e: &FeedEvent| match e {
        FeedEvent::Alarm { alarm } => Some(alarm.text.clone()),
        _ => None,
    };
    let text = house.shown("the alarm", alarm).await;
    assert!(text.starts_with("Imaginary Clinic: a caller was cut off by a fault of ours"), "{text}");
}
