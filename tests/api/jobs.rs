//! Jobs through the front door: taken, told, given back; and an operator who dials out.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use cordboard::base::id::{CallId, UserId};
use cordboard::engine::calls::Command;

use crate::support::{House, Told, message_body, number};

/// A house in which a call has just become an operator's to make; her token and the job.
async fn offered() -> (House, String, String) {
    let house = House::new().await;
    let (token, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let step = json!({"method": {"kind": "operator_call", "leave_message": true, "then_machine": true},
        "wait_secs": 600, "to": [{"kind": "on_call", "role": "technician", "destination": "mobile"}]});
    let by_operators = json!({"name": "urgent", "until": "confirmed", "call_types": ["ct_urgent"], "steps": [step]});
    let saved = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, by_operators).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{:?}", saved.json());
    let said = saved.json()["text"][0].as_str().expect("a line").to_owned();
    assert!(said.starts_with("1. Have an operator call the technician on call (mobile), or the machine"), "{said}");
    house.ask(Method::POST, "/api/v1/messages", &token, message_body()).await;
    house.advance(Duration::from_secs(6)).await;
    let jobs = house.fetch("/api/v1/jobs", &token).await.json();
    let attempt = jobs["items"][0]["attempt"].as_str().expect("a job").to_owned();
    (house, token, attempt)
}

fn call_of(attempt: &str) -> String {
    format!("/api/v1/calls/call_job-{attempt}/take")
}

async fn says(house: &House, token: &str, attempt: &str, outcome: Value) -> (StatusCode, String) {
    let got = house.ask(Method::POST, &format!("/api/v1/jobs/{attempt}/outcome"), token, outcome).await;
    let problem = if got.status.is_success() { String::new() } else { got.problem() };
    (got.status, problem)
}

#[tokio::test]
async fn a_job_is_offered_with_all_that_an_operator_must_know() {
    let (house, token, attempt) = offered().await;
    let jobs = Told::so_far(&house.told.jobs);
    assert_eq!((jobs.len(), jobs[0].attempt.as_str()), (1, attempt.as_str()));
    assert_eq!((jobs[0].name.as_str(), jobs[0].label.as_str()), ("Ben Ortiz", "mobile"));
    assert_eq!(jobs[0].to, number("+12025550121"));
    let listed = house.fetch("/api/v1/jobs", &token).await.json();
    assert_eq!(listed["items"][0]["taken_by"], Value::Null);
    let view = house.fetch("/api/v1/dispatches", &token).await.json();
    let next = view["items"][0]["next"]["text"].as_str().expect("something is next").to_owned();
    assert!(next.starts_with("If no operator takes the call to Ben Ortiz by"), "{next}");
}

/// Waits until an operator has the job.
async fn locked(house: &House) {
    while !house.store.list_open_jobs(10).await.expect("listed").iter().any(|job| job.taken_by.is_some()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_that_is_broken_off_once_the_job_is_hers_takes_the_call_all_the_same() {
    let (house, kim, attempt) = offered().await;
    let path = call_of(&attempt);
    tokio::select! {
        biased;
        () = locked(&house) => {}
        _ = house.ask(Method::POST, &path, &kim, Value::Null) => {}
    }
    let taken = async {
        while !Told::so_far(&house.told.commands).iter().any(|(_, _, command)| *command == Command::Take) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), taken).await.expect("a job that is locked has its call");
}

#[tokio::test]
async fn who_takes_a_job_has_it_and_another_does_not_get_it() {
    let (house, kim, attempt) = offered().await;
    let lee = house.sign_in("lee").await;
    assert_eq!(house.ask(Method::POST, &call_of(&attempt), &kim, Value::Null).await.status, StatusCode::NO_CONTENT);
    let commands = Told::so_far(&house.told.commands);
    assert_eq!(commands.last(), Some(&(CallId::named(&format!("job-{attempt}")), UserId::named("kim"), Command::Take)));
    let late = house.ask(Method::POST, &call_of(&attempt), &lee, Value::Null).await;
    assert_eq!((late.status, late.problem().as_str()), (StatusCode::CONFLICT, "job.gone"));
    let theirs = says(&house, &lee, &attempt, json!({"kind": "no_answer"})).await;
    assert_eq!(theirs, (StatusCode::CONFLICT, "job.not_yours".to_owned()));
    let listed = house.fetch("/api/v1/jobs", &kim).await.json();
    assert_eq!(listed["items"][0]["taken_by"], "usr_kim");
    // The key pressed twice is no other operator.
    assert_eq!(house.ask(Method::POST, &call_of(&attempt), &kim, Value::Null).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_came_of_it_is_on_the_time_line_and_the_dispatch_goes_on_by_it() {
    let (house, token, attempt) = offered().await;
    house.ask(Method::POST, &call_of(&attempt), &token, Value::Null).await;
    let nameless = says(&house, &token, &attempt, json!({"kind": "told", "name": "  "})).await;
    assert_eq!(nameless, (StatusCode::UNPROCESSABLE_ENTITY, "job.invalid".to_owned()));
    let told = says(&house, &token, &attempt, json!({"kind": "confirmed", "name": "Ben Ortiz"})).await;
    assert_eq!(told.0, StatusCode::NO_CONTENT);
    let settled = Told::so_far(&house.told.settled_jobs);
    assert_eq!(settled.last().map(|(id, word)| (id.as_str(), *word)), Some((attempt.as_str(), "confirmed")));
    assert_eq!(house.fetch("/api/v1/dispatches", &token).await.json()["items"], json!([]), "it is confirmed");
    assert_eq!(house.fetch("/api/v1/jobs", &token).await.json()["items"], json!([]));
    let again = says(&house, &token, &attempt, json!({"kind": "busy"})).await;
    assert_eq!(again, (StatusCode::CONFLICT, "job.not_yours".to_owned()));
}

#[tokio::test]
async fn a_job_that_is_given_back_or_that_no_phone_takes_is_nobodys() {
    let (house, token, attempt) = offered().await;
    house.ask(Method::POST, &call_of(&attempt), &token, Value::Null).await;
    let back = format!("/api/v1/jobs/{attempt}/give_back");
    assert_eq!(house.ask(Method::POST, &back, &token, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.ask(Method::POST, &back, &token, Value::Null).await.problem(), "job.not_yours");
    *house.told.refuse.lock().expect("no panic while it was held") = true;
    let refused = house.ask(Method::POST, &call_of(&attempt), &token, Value::Null).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"));
    let listed = house.fetch("/api/v1/jobs", &token).await.json();
    assert_eq!(listed["items"][0]["taken_by"], Value::Null, "{listed}");
    let nothing = house.ask(Method::POST, "/api/v1/jobs/att_nothing/give_back", &token, Value::Null).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_operator_dials_out_for_an_account() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let dial = |body: Value| house.ask(Method::POST, "/api/v1/calls", &token, body);
    let got = dial(json!({"account": "acc_plumbing", "contact": "con_ben", "destination": "dst_ben-mobile"})).await;
    assert_eq!((got.status, got.json()["call"].as_str()), (StatusCode::CREATED, Some("call_out")));
    let got = dial(json!({"account": "acc_plumbing", "number": "+1 202 555 0199"})).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let dialled = Told::so_far(&house.told.dialled_out);
    let to: Vec<_> = dialled.iter().map(|(order, _)| (order.to.clone(), order.label.as_deref())).collect();
    assert_eq!(to, [(number("+12025550121"), Some("mobile")), (number("+12025550199"), None)]);
    assert!(dialled.iter().all(|(order, by)| order.account.id.as_str() == "acc_plumbing" && by.as_str() == "usr_kim"));
    for (body, problem) in [
        (json!({"account": "acc_plumbing"}), "dial.invalid"),
        (json!({"account": "acc_plumbing", "number": "12"}), "dial.invalid"),
        (json!({"account": "acc_nobody", "number": "+12025550199"}), "not_found"),
    ] {
        assert_eq!(dial(body.clone()).await.problem(), problem, "{body}");
    }
    *house.told.refuse.lock().expect("no panic while it was held") = true;
    assert_eq!(dial(json!({"account": "acc_plumbing", "number": "+12025550199"})).await.problem(), "call.not_now");
}
