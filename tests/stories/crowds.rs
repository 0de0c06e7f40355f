//! Many dispatches that come due in one moment: they share commits, and nothing else.

use std::collections::BTreeSet;

use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::dispatcher::Decided;

use crate::desk::Desk;
use crate::support::postgres::Postgres;
use crate::town;

const MINUTE: i64 = 60;
/// More than go into one commit.
const MANY: usize = 70;

async fn a_crowd_is_told(mut desk: Desk) {
    let mut ids = Vec::new();
    for n in 0..MANY {
        ids.push(desk.saves(&format!("leak {n:03}")).await);
    }
    desk.advance(5).await;
    let mut codes = BTreeSet::new();
    for _ in 0..MANY {
        desk.phone("Ben").expect_text("leak");
    }
    for id in &ids {
        let state = desk.state(id).await;
        codes.extend(state.codes().map(|(_, code, _)| code));
        let lines = desk.view(id).await.timeline.iter().filter(|line| line.kind == "accepted").count();
        assert_eq!((state.runs.len(), lines), (1, 1), "each is one step on, and says so once");
    }
    assert_eq!(codes.len(), MANY, "each has a code of its own");
    // An operator closes them all at once: Ben hears it of each, and the timers of none of them fires again.
    let close = |id| desk.dispatcher.operator(id, "Kim", OperatorAct::Close { reason: "a drill".into() });
    for decided in futures_util::future::join_all(ids.iter().map(close)).await {
        assert_eq!(decided.expect("stored"), Decided::Changed);
    }
    desk.advance(60 * MINUTE).await;
    for id in &ids {
        desk.phone("Ben").expect_text("closed by the answering service: no need to act");
        assert_eq!(desk.state(id).await.phase, Phase::ClosedByOperator);
    }
    desk.ends(&ids[0], Phase::ClosedByOperator).await;
}

#[tokio::test]
async fn a_crowd_that_is_due_at_once_is_told_one_by_one() {
    a_crowd_is_told(Desk::at_work(&town::plumbing()).await).await;
}

#[tokio::test]
async fn a_crowd_that_is_due_at_once_is_told_one_by_one_on_postgresql() {
    let Some(server) = Postgres::start("a crowd on PostgreSQL") else { return };
    a_crowd_is_told(Desk::on_postgres(server.create_database(), &town::plumbing()).await).await;
}

#[tokio::test]
async fn one_that_the_store_refuses_and_one_that_cannot_be_read_stop_nobody_in_their_commit() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(desk.saves(&format!("leak {n:03}")).await);
    }
    let change = async |sql: String| {
        let mut tx = desk.store.write().await.expect("the store writes");
        tx.execute(sqlx::AssertSqlSafe(sql), Vec::new()).await.expect("done");
        tx.commit("test").await.expect("committed");
    };
    change(format!(
        "CREATE TRIGGER refused BEFORE UPDATE ON dispatch WHEN NEW.id = '{}' BEGIN SELECT RAISE(ABORT, 'refused'); END",
        ids[3]
    ))
    .await;
    change(format!(
        "INSERT INTO step_run (dispatch, n, id, round, step, state, entered_at, body)
         VALUES ('{}', 0, 'spoiled', 1, 0, 'attempting', 1, 'x')",
        ids[7]
    ))
    .await;
    desk.advance(5).await;
    for _ in 0..10 {
        desk.phone("Ben").expect_text("leak");
    }
    let stuck = |id| desk.dispatcher.alarms().iter().any(|alarm| alarm.id == format!("stuck:{id}"));
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(stuck(id), n == 3 || n == 7, "{n}");
    }
    // Put right, both go on.
    change("DROP TRIGGER refused".to_owned()).await;
    change("DELETE FROM step_run WHERE id = 'spoiled'".to_owned()).await;
    desk.advance(MINUTE).await;
    desk.phone("Ben").expect_text("leak");
    desk.phone("Ben").expect_text("leak");
    assert!(ids.iter().all(|id| !stuck(id)));
    desk.ends(&ids[3], Phase::Running).await;
}
