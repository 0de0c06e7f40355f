//! Messages that are changed and go out again: the new code confirms, the old one does not, whatever became of either meanwhile.

use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::dispatcher::Decided;

use crate::desk::Desk;
use crate::support::postgres::Postgres;
use crate::town;

const TWO_DAYS: i64 = 2 * 24 * 3_600;

/// Ben is texted with this code, and says yes to it.
async fn confirms(desk: &Desk, code: &str) {
    desk.phone("Ben").expect_text(&format!("Reply {code}ok"));
    desk.phone("Ben").replies(&format!("{code}ok")).await;
    desk.phone("Ben").expect_text("Confirmed");
}

#[tokio::test]
async fn a_message_that_goes_out_again_is_confirmed_by_its_new_code_alone() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.changes(&id, "burst boiler", true).await;
    desk.advance(0).await;
    desk.phone("Ben").expect_text("burst boiler");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("To confirm it as it is now, reply 2ok.");
    assert_eq!(desk.state(&id).await.phase, Phase::Running);
    desk.phone("Ben").replies("2ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn what_was_closed_by_hand_and_goes_out_again_is_not_said_to_have_ended_by_that() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("Reply 1ok");
    let close = OperatorAct::Close { reason: "a drill".into() };
    assert_eq!(desk.dispatcher.operator(&id, "Kim", close).await.expect("closed"), Decided::Changed);
    desk.advance(1).await;
    desk.phone("Ben").expect_text("is closed by the answering service");
    let ended = desk.view(&id).await.ended.map(|line| line.text);
    assert_eq!(ended.as_deref(), Some("Closed by Kim: a drill."));
    desk.changes(&id, "burst boiler", true).await;
    desk.advance(1).await;
    assert_eq!(desk.view(&id).await.ended, None, "it runs");
    confirms(&desk, "2").await;
    let view = desk.view(&id).await;
    assert_eq!((view.ended, view.confirmed_by.as_deref()), (None, Some("Ben")));
    desk.ends(&id, Phase::Confirmed).await;
}

async fn the_code_of_days_ago_confirms_again(mut desk: Desk) {
    let monday = desk.takes("burst pipe").await;
    confirms(&desk, "1").await;
    desk.advance(TWO_DAYS).await;
    let wednesday = desk.takes("no heat").await;
    confirms(&desk, "1").await;
    assert_eq!(desk.state(&wednesday).await.phase, Phase::Confirmed);
    desk.advance(TWO_DAYS).await;
    desk.changes(&monday, "burst boiler", true).await;
    desk.advance(0).await;
    confirms(&desk, "1").await;
    assert!(desk.dispatcher.alarms().is_empty(), "it was no stranger's text");
    desk.ends(&monday, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_code_that_another_message_had_meanwhile_confirms_the_one_that_goes_out_again() {
    the_code_of_days_ago_confirms_again(Desk::at_work(&town::plumbing()).await).await;
}

#[tokio::test]
async fn the_same_on_postgresql() {
    let Some(server) = Postgres::start("a change on PostgreSQL") else { return };
    the_code_of_days_ago_confirms_again(Desk::on_postgres(server.create_database(), &town::plumbing()).await).await;
}

#[tokio::test]
async fn an_old_code_that_is_another_message_s_now_confirms_that_one() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let monday = desk.takes("burst pipe").await;
    confirms(&desk, "1").await;
    desk.advance(TWO_DAYS).await;
    let wednesday = desk.takes("no heat").await;
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.changes(&monday, "burst boiler", true).await;
    desk.advance(0).await;
    desk.phone("Ben").expect_text("Reply 2ok");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    assert_eq!(desk.state(&wednesday).await.phase, Phase::Confirmed);
    desk.phone("Ben").replies("2ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&monday, Phase::Confirmed).await;
}
