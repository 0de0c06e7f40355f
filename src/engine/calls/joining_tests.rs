//! A doctor rings back while her patient is on hold, and the operator makes one call of the two. In the house of `tests`.

use super::house::{Did, House, hangs_up, number};
use super::ring_back_tests::rings_back;
use super::*;
use crate::base::id::AccountId;
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::feed::PatchState;
use crate::engine::signal::LegEvent;
use crate::io::media::ShardId;

/// The patient's call, on hold, and the doctor's, whom Kim speaks with: each with its caller's leg and hers.
struct Two {
    patients: (CallId, LegId, LegId),
    doctors: (CallId, LegId, LegId),
    /// The doctor's telephone.
    line: mpsc::Sender<LegEvent>,
}

async fn two(house: &mut House) -> Two {
    house.ready("kim").await;
    let patients = house.talks("kim").await;
    let before = house.calls.views();
    let (doctor, line) = rings_back(house).await;
    let call = house.other_than(&before);
    assert_eq!(house.asks("kim", &call, Command::Take).await, Ok(()));
    house.hears(patients.1, &[Source::Music]).await;
    let (leg, events) = house.takes("kim").await;
    house.kept.push(events);
    house.hears(doctor, &[Source::Leg(leg)]).await;
    house.is(&call, CallState::Talking).await;
    Two { patients, doctors: (call, doctor, leg), line }
}

#[tokio::test]
async fn a_doctor_who_rings_back_is_connected_with_the_patient_on_hold_and_both_records_say_so() {
    let mut house = House::open("greeting");
    let Two { patients: (one, patient, kims), doctors: (other, doctor, second), line } = two(&mut house).await;
    assert_eq!(house.asks("kim", &one, Command::JoinCall { other: other.clone() }).await, Ok(()));
    house.hears(doctor, &[Source::Leg(kims)]).await;
    house.until("her second leg is let go", |d| hangs_up(d, second)).await;
    let moves = |d: &Did| match d {
        Did::Moved { leg, to } => Some((*leg, *to)),
        // Whoever is given away is not hung up.
        other => hangs_up(other, doctor).map(|()| (doctor, ShardId(usize::MAX))),
    };
    assert_eq!(house.until("the doctor goes where the patient is", moves).await.1, (doctor, ShardId(0)));
    house.is(&other, CallState::WrapUp).await;
    let patch = house.view(&one).patch.expect("a patch");
    assert_eq!(
        (patch.state, patch.contact.map(|contact| contact.name).as_deref()),
        (PatchState::Private, Some("Dr Patel"))
    );
    assert_eq!(house.view(&one).patch.and_then(|patch| patch.came_from), Some(other.clone()), "they had called");

    assert_eq!(house.asks("kim", &one, Command::Join).await, Ok(()));
    house.hears(patient, &[Source::Leg(kims), Source::Leg(doctor)]).await;
    assert_eq!(house.asks("kim", &one, Command::Drop).await, Ok(()));
    house.hears(patient, &[Source::Leg(doctor)]).await;
    // What is heard of the doctor's telephone is this call's now.
    line.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.until("the patient is let go", |d| hangs_up(d, patient)).await;
    let ended = |house: &House| -> Vec<(CallId, String)> {
        let end = |line: &Line| match line {
            Line::Finished { call, end } => Some((call.clone(), end.outcome.clone())),
            _ => None,
        };
        house.seen.iter().filter_map(end).collect()
    };
    while ended(&house).len() < 2 {
        house.finished().await;
    }
    assert_eq!(ended(&house), [(other.clone(), "taken".to_owned()), (one.clone(), "patched".to_owned())]);
    let names = |call: &CallId, kind: &str| {
        house.seen.iter().find_map(|line| match line {
            Line::Event { call: of, kind: k, body, .. } if of == call && k == kind => {
                body["call"].as_str().map(str::to_owned)
            }
            _ => None,
        })
    };
    assert_eq!(names(&one, "call_taken_in"), Some(other.to_string()));
    assert_eq!(names(&other, "given_to"), Some(one.to_string()));
}

#[tokio::test]
async fn a_call_is_joined_with_one_of_the_same_operator_and_with_no_other() {
    let mut house = House::open("greeting");
    let Two { patients: (one, patient, _), doctors: (other, doctor, second), line: _line } = two(&mut house).await;
    let join = |other: &CallId| Command::JoinCall { other: other.clone() };
    assert_eq!(house.asks("kim", &one, join(&one)).await, Err(CommandError::NotNow));
    assert_eq!(house.asks("lee", &one, join(&other)).await, Err(CommandError::NotYours));
    assert_eq!(house.asks("kim", &one, join(&CallId::named("none"))).await, Err(CommandError::NoSuchCall));
    let (waiting, _) = house.waits().await;
    assert_eq!(house.asks("kim", &one, join(&waiting)).await, Err(CommandError::NotYours));
    assert_eq!(
        house.asks("kim", &waiting, join(&other)).await,
        Err(CommandError::NotYours),
        "and nobody is given away"
    );
    let hears = |house: &House, call: &CallId| house.view(call).hears;
    assert_eq!(hears(&house, &other).len(), 2, "the doctor talks on: {doctor:?} {second:?}");
    assert_eq!(house.view(&one).state, CallState::Held, "{patient:?}");
}

#[tokio::test]
async fn who_was_joined_and_cut_off_stands_on_the_desks_by_their_own_call_until_seen_to() {
    let mut house = House::open("greeting");
    let Two { patients: (one, _, kims), doctors: (other, doctor, _), line: _line } = two(&mut house).await;
    assert_eq!(house.asks("kim", &one, Command::JoinCall { other: other.clone() }).await, Ok(()));
    house.hears(doctor, &[Source::Leg(kims)]).await;
    // Of the first call that she took: its caller's telephone, and hers.
    house.kept[1].send(LegEvent::Ended(Cause::Fault)).await.expect("the call listens");
    let lost = |d: &Did| match d {
        Did::Wrote(Line::Event { call, kind, body, .. }) if kind == "abandoned" => Some((call.clone(), body.clone())),
        _ => None,
    };
    let (_, lost) = house.until("who was cut off", lost).await;
    assert_eq!(lost, (other.clone(), serde_json::json!({ "on": "cut_off" })));
    house.is(&one, CallState::Queued).await;
    let stands = |house: &House| -> Vec<(Option<CallId>, bool, String)> {
        let alarms = house.calls.0.alarms.lock().expect("unpoisoned");
        alarms.iter().map(|alarm| (alarm.view.call.clone(), alarm.stays, alarm.view.id.clone())).collect()
    };
    let standing = stands(&house);
    let [(call, true, alarm)] = &standing[..] else { panic!("one that stays: {standing:?}") };
    assert_eq!(*call, Some(other.clone()), "it leads to whom to ring back");
    house.calls.silence(alarm).await;
    let seen = |d: &Did| match d {
        Did::Wrote(Line::Event { call, kind, .. }) if kind == SEEN_TO => Some(call.clone()),
        _ => None,
    };
    assert_eq!(house.until("seen to", seen).await.1, other);
    assert_eq!(stands(&house), []);
}

#[tokio::test]
async fn callers_of_two_clients_are_not_joined() {
    let mut house = House::open("greeting");
    let Two { patients: (one, ..), doctors: (other, ..), line: _line } = two(&mut house).await;
    let called = house.calls.0.accounts.find_by_did(&number("+12025550102")).await.expect("found");
    let clinic = Account { id: AccountId::named("clinic"), ..Account::clone(&called.expect("an account")) };
    assert_eq!(house.asks("kim", &other, Command::ChangeAccount(Arc::new(clinic))).await, Ok(()));
    let join = Command::JoinCall { other: other.clone() };
    assert_eq!(house.asks("kim", &one, join).await, Err(CommandError::OtherAccount));
    assert_eq!((house.view(&one).state, house.view(&other).state), (CallState::Held, CallState::Talking));
}
