//! Calls that operators make: taken and told, left to the machine, stood down while they ring; and a contact who rings back.

use cordboard::base::id::{ContactId, DispatchId, UserId};
use cordboard::base::pii::Pii;
use cordboard::domain::dispatch::by_hand::HandCall;
use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::job::JobOutcome;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::callout::{CallOutEvent, JobEvent};
use cordboard::engine::dispatcher::Decided;
use cordboard::engine::feed::UserRef;

use crate::desk::{Desk, Kind};
use crate::support::postgres::Postgres;
use crate::town;

const MINUTE: i64 = 60;

/// Ben's mobile by an operator or else the machine, ten minutes, then his home by an operator alone; until told.
fn by_operators() -> Protocol {
    let call = |then_machine| Method::OperatorCall { leave_message: true, then_machine };
    let steps = vec![(call(true), town::on_call("mobile"), 600), (call(false), town::on_call("home"), 0)];
    town::protocol(steps, true, Until::Told)
}

/// Who is at the desk.
pub fn kim() -> UserRef {
    UserRef { id: UserId::named("kim"), name: "Kim".to_owned() }
}

async fn taken_and_told(mut desk: Desk) {
    let id = desk.takes("burst pipe").await;
    let job = desk.seat().expect_job("Ben", "burst pipe");
    assert_eq!(desk.store.list_open_jobs(10).await.expect("listed").len(), 1);
    desk.advance(20).await;
    assert!(desk.dispatcher.take_job(&job, &kim()).await.expect("taken"));
    desk.advance(60).await;
    assert_eq!(desk.times(), [], "the machine keeps out of it");
    desk.seat().says(&job, CallOutEvent::Job(JobEvent::Answered { by: kim().id })).await;
    let told = JobOutcome::Told { name: "Ben".into() };
    assert_eq!(desk.dispatcher.finish_job(&job, &kim(), told).await.expect("done"), Decided::Changed);
    let view = desk.view(&id).await;
    assert_eq!(view.confirmed_by.as_deref(), Some("Ben"));
    for line in ["Kim calls Ben (mobile).", "Kim's call to Ben (mobile): told Ben.", "Ben heard the message."] {
        assert!(view.timeline.iter().any(|l| l.text == line), "{line}: {:#?}", view.timeline);
    }
    assert_eq!(desk.store.list_open_jobs(10).await.expect("listed"), []);
    desk.ends(&id, Phase::Told).await;
}

#[tokio::test]
async fn a_job_is_taken_and_told() {
    taken_and_told(Desk::at_work(&by_operators()).await).await;
}

#[tokio::test]
async fn a_job_is_taken_and_told_on_postgresql() {
    let Some(server) = Postgres::start("a job on PostgreSQL") else { return };
    taken_and_told(Desk::on_postgres(server.create_database(), &by_operators()).await).await;
}

#[tokio::test]
async fn a_job_that_nobody_takes_is_called_by_the_machine_after_a_minute() {
    let mut desk = Desk::at_work(&by_operators()).await;
    let id = desk.takes("burst pipe").await;
    let job = desk.seat().expect_job("Ben", "burst pipe");
    desk.advance(59).await;
    assert_eq!(desk.times(), []);
    desk.advance(1).await;
    assert_eq!(desk.times(), [(60, Kind::Call)]);
    assert!(!desk.seat().has(&job), "it is off the desks");
    assert!(!desk.dispatcher.take_job(&job, &kim()).await.expect("asked"), "too late to take it");
    desk.phone("Ben").expect_call();
    desk.phone("Ben")
        .picks_up(&[CallOutEvent::Answered, CallOutEvent::Told], cordboard::engine::callout::OutboundEnd::ToldOnly)
        .await;
    assert_eq!(desk.store.list_open_jobs(10).await.expect("listed"), []);
    desk.ends(&id, Phase::Told).await;
}

#[tokio::test]
async fn a_job_for_operators_alone_alarms_every_desk() {
    let mut desk = Desk::at_work(&by_operators()).await;
    let id = desk.takes("burst pipe").await;
    let first = desk.seat().expect_job("Ben", "burst pipe");
    assert!(desk.dispatcher.take_job(&first, &kim()).await.expect("taken"));
    let voicemail = JobOutcome::LeftOnVoicemail;
    assert_eq!(desk.dispatcher.finish_job(&first, &kim(), voicemail).await.expect("done"), Decided::Changed);
    desk.advance(11 * MINUTE).await;
    let second = desk.seat().expect_job("Ben", "burst pipe");
    let view = desk.view(&id).await;
    assert!(view.needs_operator, "{view:#?}");
    assert_eq!(
        view.alarm.as_deref(),
        Some("The call to Ben waits: an operator has to make it, or say what came of it.")
    );
    assert!(desk.dispatcher.take_job(&second, &kim()).await.expect("taken"));
    assert!(!desk.view(&id).await.needs_operator);
    let told = JobOutcome::Told { name: "Ben".into() };
    desk.dispatcher.finish_job(&second, &kim(), told).await.expect("done");
    desk.ends(&id, Phase::Told).await;
}

#[tokio::test]
async fn a_job_is_stood_down_while_it_rings() {
    let mut desk = Desk::at_work(&by_operators()).await;
    let id = desk.takes("burst pipe").await;
    let job = desk.seat().expect_job("Ben", "burst pipe");
    assert!(desk.dispatcher.take_job(&job, &kim()).await.expect("taken"));
    let yes = OperatorAct::Confirm { who: "Ben".into(), note: None, edition: None };
    desk.dispatcher.operator(&id, "Lee", yes).await.expect("confirmed");
    assert!(!desk.seat().has(&job), "it is off the desks at once");
    desk.seat().says(&job, CallOutEvent::Job(JobEvent::Dropped)).await;
    assert_eq!(desk.store.list_open_jobs(10).await.expect("listed"), []);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_lock_does_not_outlive_the_process_and_the_job_does() {
    let mut desk = Desk::at_work(&by_operators()).await;
    let id = desk.takes("burst pipe").await;
    let job = desk.seat().expect_job("Ben", "burst pipe");
    assert!(desk.dispatcher.take_job(&job, &kim()).await.expect("taken"));
    desk.restarts().await;
    let again = desk.seat().expect_job("Ben", "burst pipe");
    assert_eq!(again, job, "the same attempt");
    let open = desk.store.list_open_jobs(10).await.expect("listed");
    assert_eq!(open.iter().map(|job| job.taken_by.clone()).collect::<Vec<_>>(), [None]);
    assert!(desk.dispatcher.take_job(&again, &kim()).await.expect("taken"));
    let told = JobOutcome::Told { name: "Ben".into() };
    desk.dispatcher.finish_job(&again, &kim(), told).await.expect("done");
    desk.ends(&id, Phase::Told).await;
}

/// Kim calls Ben at home by hand.
async fn calls_by_hand(desk: &Desk, id: &DispatchId) -> Decided {
    calls_by_hand_at(desk, id, "home", town::PEOPLE[0].2).await
}

/// The same, at this telephone of his.
async fn calls_by_hand_at(desk: &Desk, id: &DispatchId, label: &str, number: &str) -> Decided {
    let call = HandCall {
        by: kim().id,
        contact: ContactId::named("Ben"),
        name: "Ben".into(),
        label: label.into(),
        number: town::number(number),
        ring_secs: 30,
    };
    let decided = desk.dispatcher.operator(id, "Kim", OperatorAct::Call(call)).await.expect("decided");
    desk.advance(0).await;
    decided
}

#[tokio::test]
async fn an_operator_calls_by_hand_and_the_yes_she_hears_confirms() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(5 * MINUTE).await;
    assert_eq!(calls_by_hand(&desk, &id).await, Decided::Changed);
    let job = desk.seat().expect_job("Ben", "burst pipe");
    let open = desk.store.list_open_jobs(10).await.expect("listed");
    let taken_by: Vec<_> = open.iter().map(|job| job.taken_by.clone()).collect();
    assert_eq!(taken_by, [Some(kim().id)], "hers from the start");
    assert_eq!(calls_by_hand(&desk, &id).await, Decided::Unchanged, "one call at a time");
    desk.seat().says(&job, CallOutEvent::Job(JobEvent::Answered { by: kim().id })).await;
    let yes = JobOutcome::Confirmed { name: "Ben".into() };
    assert_eq!(desk.dispatcher.finish_job(&job, &kim(), yes).await.expect("done"), Decided::Changed);
    let view = desk.view(&id).await;
    assert_eq!(view.confirmed_by.as_deref(), Some("Ben"));
    for line in ["Kim calls Ben (home).", "Kim's call to Ben (home): Ben confirmed."] {
        assert!(view.timeline.iter().any(|l| l.text == line), "{line}: {:#?}", view.timeline);
    }
    assert_eq!(desk.store.list_open_jobs(10).await.expect("listed"), []);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_step_rings_no_telephone_that_an_operator_speaks_on_by_hand_until_she_is_done() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(14 * MINUTE).await;
    assert_eq!(calls_by_hand_at(&desk, &id, "mobile", town::PEOPLE[0].1).await, Decided::Changed);
    let job = desk.seat().expect_job("Ben", "burst pipe");
    desk.advance(4 * MINUTE).await;
    assert_eq!(desk.times(), [], "his mobile would have rung three minutes ago");
    let told = JobOutcome::Told { name: "Ben".into() };
    assert_eq!(desk.dispatcher.finish_job(&job, &kim(), told).await.expect("done"), Decided::Changed);
    desk.advance(0).await;
    assert_eq!(desk.times(), [(18 * MINUTE, Kind::Call)], "he has not said yes");
    desk.phone("Ben").expect_call();
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_call_by_hand_ends_with_the_process_and_the_protocol_goes_on() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    assert_eq!(calls_by_hand(&desk, &id).await, Decided::Changed);
    desk.seat().expect_job("Ben", "burst pipe");
    desk.restarts().await;
    assert_eq!(desk.store.list_open_jobs(10).await.expect("listed"), [], "nobody else is asked to make it");
    let left = "Kim has let go of the call to Ben without saying what came of it.";
    let view = desk.view(&id).await;
    assert!(view.timeline.iter().any(|l| l.text == left), "{:#?}", view.timeline);
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn who_rings_back_holds_everything_up_and_confirms_to_the_operator() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    let mobile = town::number(town::PEOPLE[0].1);
    let home = town::number(town::PEOPLE[0].2);
    let stranger = town::number("+12025550199");
    let ben = [ContactId::named("Ben")];
    assert_eq!(desk.store.list_open_dispatches_asking(&mobile, &[]).await.expect("found"), std::slice::from_ref(&id));
    assert_eq!(desk.store.list_open_dispatches_asking(&home, &ben).await.expect("found"), std::slice::from_ref(&id));
    assert_eq!(desk.store.list_open_dispatches_asking(&stranger, &[]).await.expect("found"), []);
    desk.advance(14 * MINUTE).await;
    desk.dispatcher.pause(&[(id.clone(), Pii::new("Ben".into()))], &kim().id).await.expect("paused");
    let next = desk.view(&id).await.next.expect("something is next").text;
    assert!(next.starts_with("Paused while Ben speaks with"), "{next}");
    desk.advance(3 * MINUTE).await;
    assert_eq!(desk.times(), [], "his mobile would have rung two minutes ago");
    let yes = OperatorAct::Confirm { who: "Ben".into(), note: None, edition: None };
    assert_eq!(desk.dispatcher.operator(&id, "Kim", yes).await.expect("confirmed"), Decided::Changed);
    desk.dispatcher.resume_paused(std::slice::from_ref(&id)).await.expect("nothing to resume");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_talk_that_never_ends_holds_nothing_up_for_more_than_five_minutes() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(14 * MINUTE).await;
    desk.dispatcher.pause(&[(id.clone(), Pii::new("Ben".into()))], &kim().id).await.expect("paused");
    desk.advance(5 * MINUTE).await;
    assert_eq!(desk.times(), [(19 * MINUTE, Kind::Call)]);
    desk.phone("Ben").expect_call();
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}
