//! The four clients' nights.

use std::task::Poll;

use cordboard::base::id::{CallId, ContactId};
use cordboard::domain::dispatch::event::{Failure, OperatorAct};
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::engine::callout::{CallOutEvent, OutboundEnd};
use cordboard::engine::dispatcher::Decided;
use cordboard::io::deliver::Delivery;
use cordboard::io::store::ToArg as _;
use cordboard::io::store::inbound::{Arrival, Inbound, PATCHES};

use crate::desk::{Desk, Kind};
use crate::jobs::kim;
use crate::support::postgres::Postgres;
use crate::town;

const MINUTE: i64 = 60;

async fn plumbing_twice_round(mut desk: Desk) {
    let id = desk.takes("burst pipe").await;
    desk.advance(52 * MINUTE).await;
    let minutes = |minutes: i64, secs: i64| minutes * MINUTE + secs;
    assert_eq!(
        desk.times(),
        [
            (minutes(0, 0), Kind::Text),
            (minutes(15, 0), Kind::Call),
            (minutes(25, 30), Kind::Call),
            (minutes(26, 0), Kind::Text),
            (minutes(41, 0), Kind::Call),
            (minutes(51, 30), Kind::Call),
            (minutes(52, 0), Kind::Text),
        ]
    );
    let ben = desk.phone("Ben");
    for _ in 0..3 {
        ben.expect_text("burst pipe. Reply 1ok to confirm.");
    }
    for _ in 0..2 {
        ben.expect_call();
        ben.expect_call_at_home();
    }
    let view = desk.view(&id).await;
    assert!(view.needs_operator && view.alarm.is_some(), "from round 2 on an alarm sounds");
    let next = view.next.expect("something is next").text;
    assert!(next.starts_with("If no reply by 03:17:05 CST: call the technician"), "{next}");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn plumbing_nobody_answers_and_the_times_hold_to_the_second_twice_round() {
    plumbing_twice_round(Desk::at_work(&town::plumbing()).await).await;
}

#[tokio::test]
async fn plumbing_twice_round_on_postgresql() {
    let Some(server) = Postgres::start("the plumbing story on PostgreSQL") else { return };
    plumbing_twice_round(Desk::on_postgres(server.create_database(), &town::plumbing()).await).await;
}

#[tokio::test]
async fn ben_confirms_by_text_and_whoever_repeats_hears_so() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("Reply 1ok");
    desk.advance(4 * MINUTE).await;
    ben.replies("1 OK.").await;
    ben.expect_text("Confirmed 02:14, caller +1 202 555 0147");
    ben.replies("1ok").await;
    ben.expect_text("already confirmed by Ben at 02:14");
    desk.advance(24 * 60 * MINUTE).await;
    let view = desk.view(&id).await;
    assert_eq!((view.confirmed_by.as_deref(), view.needs_operator), (Some("Ben"), false));
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_reply_the_provider_sends_twice_counts_once() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    for _ in 0..3 {
        ben.replies_as("SM-same", "1ok").await;
    }
    ben.expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_late_reply_while_the_phone_rings_counts_and_the_phone_stops() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.advance(15 * MINUTE + 10).await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.expect_call();
    assert!(ben.rings());
    ben.replies("ok").await;
    ben.expect_text("Confirmed");
    assert!(!ben.rings());
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_key_on_the_phone_confirms() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.advance(15 * MINUTE).await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    assert!(ben.expect_call().words.contains("2, 0, 2. 5, 5, 5. 0, 1, 4, 7"));
    ben.picks_up(
        &[CallOutEvent::Ringing, CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Confirmed],
        OutboundEnd::Confirmed,
    )
    .await;
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn each_telephone_rings_as_long_as_is_said_of_it() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let mut ben = desk.store.find_contact(&ContactId::named("Ben")).await.expect("read").expect("Ben");
    let mobile = ben.destinations.iter_mut().find(|destination| destination.label == "mobile").expect("a mobile");
    mobile.ring_secs = 12;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_contact(&ben).await.expect("stored");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    desk.advance(15 * MINUTE).await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.phone("Ben").expect_call();
    desk.advance(11).await;
    assert!(desk.phone("Ben").rings());
    desk.advance(1).await;
    assert!(!desk.phone("Ben").rings());
    // His home rings for the half minute that is usual, ten minutes after the mobile fell silent.
    desk.advance(10 * MINUTE).await;
    assert_eq!(desk.phone("Ben").expect_call_at_home().at.since(desk.opened), (25 * MINUTE + 12) * 1_000);
    desk.phone("Ben").replies("ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_voicemail_is_neither_told_nor_confirmed() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.advance(15 * MINUTE).await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.expect_call();
    assert!(!desk.view(&id).await.reference_left, "a text leaves none");
    ben.picks_up(&[CallOutEvent::Answered], OutboundEnd::LeftOnMachine).await;
    assert!(desk.view(&id).await.reference_left);
    assert_eq!(desk.times(), []);
    desk.advance(10 * MINUTE).await;
    ben.expect_call_at_home();
    desk.advance(29).await;
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_landline_that_takes_no_texts_is_called_at_once() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let refusal = Delivery::Failed { failure: Failure::Permanent, why: "code_21614".into() };
    desk.provider_answers(Some(refusal));
    let id = desk.takes("burst pipe").await;
    let call = desk.phone("Ben").expect_call();
    assert_eq!(call.at, desk.opened);
    desk.advance(30).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn a_receipt_that_says_undelivered_moves_on_at_once_and_may_come_before_anything_else() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    desk.dispatcher.take_receipt("twilio", "SM1", "sent", None).await.expect("taken in");
    desk.dispatcher.take_receipt("twilio", "SM9", "delivered", None).await.expect("taken in");
    desk.advance(60).await;
    desk.dispatcher.take_receipt("twilio", "SM1", "undelivered", Some("30003")).await.expect("taken in");
    desk.advance(0).await;
    ben.expect_call();
    desk.advance(30).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn with_nobody_on_call_an_alarm_sounds_until_somebody_is() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_schedule(&town::schedule(None)).await.expect("written");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    desk.advance(3 * MINUTE).await;
    assert_eq!(desk.times(), []);
    let alarms = desk.dispatcher.alarms();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_schedule(&town::schedule(Some("Ada"))).await.expect("written");
    tx.commit("test").await.expect("committed");
    desk.advance(MINUTE).await;
    let ada = desk.phone("Ada");
    ada.expect_text("burst pipe");
    ada.replies("1ok").await;
    ada.expect_text("Confirmed");
    assert!(desk.dispatcher.alarms().is_empty());
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn two_messages_at_one_number_have_two_codes_and_a_bare_ok_is_asked_about() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let first = desk.takes("burst pipe").await;
    let second = desk.takes("no hot water").await;
    let ben = desk.phone("Ben");
    ben.expect_text("Reply 1ok");
    ben.expect_text("Reply 2ok");
    ben.replies("ok").await;
    let asked = ben.expect_text("1ok Jane Roe");
    assert!(asked.words.contains("2ok Jane Roe"), "{}", asked.words);
    ben.replies("2ok").await;
    ben.expect_text("Confirmed");
    assert_eq!(desk.state(&first).await.phase, Phase::Running);
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    // Neither code comes back within a day, so that a late reply confirms nothing else.
    let third = desk.takes("leak").await;
    let ben = desk.phone("Ben");
    ben.expect_text("Reply 3ok");
    ben.replies("3ok").await;
    ben.expect_text("Confirmed");
    assert_eq!(desk.state(&second).await.phase, Phase::Confirmed);
    desk.ends(&third, Phase::Confirmed).await;
}

#[tokio::test]
async fn on_my_way_is_an_operators_job_and_yes_confirms_nothing() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.replies("on my way").await;
    ben.expect_text("reply 1ok");
    ben.replies("YES").await;
    ben.expect_text("reply 1ok");
    let view = desk.view(&id).await;
    assert_eq!((view.state.as_str(), view.needs_operator), ("running", true));
    // Help is not given for ever.
    for n in 0..5 {
        ben.replies_as(&format!("more-{n}"), "what?").await;
    }
    for _ in 0..3 {
        ben.expect_text("reply 1ok");
    }
    let act = OperatorAct::Confirm { who: "Ben".into(), note: Some("on his way".into()), edition: None };
    assert_eq!(desk.dispatcher.operator(&id, "kim", act).await.expect("done"), Decided::Changed);
    desk.advance(0).await;
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn stop_blocks_the_number_alarms_and_goes_on_by_phone() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.replies("STOP").await;
    ben.expect_call();
    assert!(desk.view(&id).await.needs_operator);
    desk.advance(11 * MINUTE + 30).await;
    ben.expect_call_at_home();
    ben.expect_call();
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn whoever_texted_stop_hears_nothing_by_text_when_an_operator_closes_it() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.replies("STOP").await;
    ben.expect_call();
    let act = OperatorAct::Close { reason: "a drill".into() };
    desk.dispatcher.operator(&id, "Kim", act).await.expect("closed");
    desk.advance(MINUTE).await;
    let lines: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    let untold = "Ben is not texted about it: they asked for no more texts (STOP).";
    assert!(lines.iter().any(|line| line == untold), "{lines:#?}");
    // No text has left: there is nothing that he was not expected to get.
    desk.ends(&id, Phase::ClosedByOperator).await;
}

#[tokio::test]
async fn the_alarm_says_that_he_texted_stop_and_start_takes_it_back_with_a_line() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.replies("Stop").await;
    ben.expect_call();
    let alarm = "Ben texted STOP: no text reaches them until they text START.";
    assert_eq!(desk.view(&id).await.alarm.as_deref(), Some(alarm));
    ben.replies(" START ").await;
    let view = desk.view(&id).await;
    assert_eq!(view.alarm, None);
    let lines: Vec<&str> = view.timeline.iter().map(|line| line.text.as_str()).collect();
    assert!(lines.contains(&alarm) && lines.contains(&"Ben texted START: texts reach them again."), "{lines:#?}");
    // His mobile, ten minutes, his home, and then the text of the second round.
    desk.advance(11 * MINUTE + 30).await;
    ben.expect_call_at_home();
    ben.expect_text("burst pipe");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn start_takes_the_alarm_back_also_where_the_step_found_the_number_stopped_and_sent_nothing_there() {
    let text = (Method::TextConfirm, vec![town::named("Ben", "mobile")], 600);
    let home = (town::CALL, vec![town::named("Ben", "home")], 600);
    let mut desk = Desk::at_work(&town::protocol(vec![text, home], true, Until::Confirmed)).await;
    let first = desk.takes("burst pipe").await;
    desk.phone("Ben").replies("STOP").await;
    let second = desk.takes("no heat").await;
    let alarm = "Ben texted STOP: no text reaches them until they text START.";
    for id in [&first, &second] {
        assert_eq!(desk.view(id).await.alarm.as_deref(), Some(alarm));
    }
    desk.phone("Ben").replies("START").await;
    for id in [&first, &second] {
        assert_eq!(desk.view(id).await.alarm, None);
    }
}

#[tokio::test]
async fn the_lawyer_and_the_assistant_get_email_and_text_at_once() {
    let mut desk = Desk::at_work(&town::lawyer()).await;
    let id = desk.takes("arrested, needs counsel").await;
    for name in ["Ben", "Ada"] {
        desk.phone(name).expect_text("arrested, needs counsel");
        desk.phone(name).expect_mail("URGENT: Urgent repair for Imaginary Plumbing");
    }
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn the_property_manager_goes_down_the_list_until_one_has_heard_it() {
    let mut desk = Desk::at_work(&town::property()).await;
    let id = desk.takes("no heat").await;
    desk.phone("Ben").expect_call();
    desk.phone("Ben").picks_up(&[CallOutEvent::Answered], OutboundEnd::NotAccepted).await;
    desk.advance(10 * MINUTE).await;
    desk.phone("Ada").expect_call();
    desk.advance(10 * MINUTE + 30).await;
    desk.phone("Olive").expect_call();
    let heard = [CallOutEvent::Answered, CallOutEvent::Told];
    desk.phone("Olive").picks_up(&heard, OutboundEnd::ToldOnly).await;
    desk.advance(60 * MINUTE).await;
    desk.ends(&id, Phase::Told).await;
}

#[tokio::test]
async fn the_clinic_texts_the_office_and_then_asks_an_operator_and_a_late_yes_still_counts() {
    let mut desk = Desk::at_work(&town::clinic()).await;
    let id = desk.takes("critical lab value").await;
    let ben = desk.phone("Ben");
    ben.expect_call();
    desk.advance(10 * MINUTE + 30).await;
    ben.expect_text("critical lab value. Reply 1ok");
    desk.advance(5 * MINUTE).await;
    desk.phone("Olive").expect_text("critical lab value");
    let view = desk.view(&id).await;
    assert_eq!((view.state.as_str(), view.needs_operator), ("exhausted_unconfirmed", true));
    desk.advance(60 * MINUTE).await;
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    desk.phone("Olive").expect_text("handled by Ben");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_message_taken_back_in_time_leaves_no_trace_outside() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.saves("burst pipe").await;
    desk.advance(4).await;
    let message = desk.state(&id).await.message;
    assert_eq!(desk.dispatcher.undo(&message, "kim").await.expect("done"), Decided::Changed);
    desk.advance(60 * MINUTE).await;
    assert_eq!(desk.dispatcher.undo(&message, "kim").await.expect("done"), Decided::Unchanged);
    desk.ends(&id, Phase::Cancelled).await;
}

#[tokio::test]
async fn a_timer_that_was_lost_is_found_by_the_audit() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute("DELETE FROM timer", Vec::new()).await.expect("deleted");
    tx.commit("test").await.expect("committed");
    desk.advance(15 * MINUTE).await;
    desk.phone("Ben").expect_call();
    assert!(desk.dispatcher.alarms().iter().any(|alarm| alarm.id.starts_with("repair:")));
    desk.advance(30).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn one_dispatch_that_cannot_be_read_holds_up_no_other() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let bad = desk.takes("burst pipe").await;
    let good = desk.takes("no hot water").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.expect_text("no hot water");
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute("UPDATE dispatch SET body = '{' || body WHERE id = (SELECT MIN(id) FROM dispatch)", Vec::new())
        .await
        .expect("spoiled");
    // And a reply that somebody altered, older than all.
    let row = "INSERT INTO inbound (provider, provider_msg_id, received_at, kind, sealed)
        VALUES ('twilio', 'altered', 1, 'text', X'00')";
    tx.execute(row, Vec::new()).await.expect("inserted");
    tx.commit("test").await.expect("committed");
    desk.dispatcher.recover().await.expect("the other is taken up");
    desk.advance(15 * MINUTE).await;
    desk.phone("Ben").expect_call();
    let named = |start: &str| desk.dispatcher.alarms().iter().any(|alarm| alarm.id.starts_with(start));
    assert!(named(&format!("stuck:{bad}")) && named("unreadable:twilio:altered"));
    assert!(!named(&format!("stuck:{good}")));
    assert_eq!(desk.dispatcher.list_open_views().await.expect("views").len(), 1);
    // Mended, it goes on, and its alarm is gone.
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute("UPDATE dispatch SET body = SUBSTR(body, 2) WHERE body LIKE '{{%'", Vec::new()).await.expect("mended");
    tx.commit("test").await.expect("committed");
    desk.advance(MINUTE).await;
    desk.phone("Ben").expect_call();
    desk.advance(MINUTE).await;
    assert!(desk.dispatcher.alarms().iter().all(|alarm| !alarm.id.starts_with("stuck:")));
    desk.ends(&good, Phase::Running).await;
}

#[tokio::test]
async fn a_fault_of_ours_over_one_dispatch_stops_that_one_alone() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let bad = desk.takes("burst pipe").await;
    let good = desk.takes("no hot water").await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    ben.expect_text("no hot water");
    // A run that there is not: the machine trips over it.
    let mut tx = desk.store.write().await.expect("the store writes");
    let sql = "UPDATE dispatch SET body = REPLACE(body, '\"at\":\"in\",\"run\":0', '\"at\":\"in\",\"run\":9')
        WHERE id = (SELECT MIN(id) FROM dispatch)";
    tx.execute(sql, Vec::new()).await.expect("spoiled");
    tx.commit("test").await.expect("committed");
    desk.dispatcher.recover().await.expect("the other is taken up");
    desk.advance(15 * MINUTE).await;
    desk.phone("Ben").expect_call();
    let stuck = |id| desk.dispatcher.alarms().iter().any(|alarm| alarm.id == format!("stuck:{id}"));
    assert!(stuck(&bad) && !stuck(&good));
    // Mended, it goes on, and its alarm is gone.
    desk.advance(MINUTE).await;
    let mut tx = desk.store.write().await.expect("the store writes");
    let sql = "UPDATE dispatch SET body = REPLACE(body, '\"at\":\"in\",\"run\":9', '\"at\":\"in\",\"run\":0')";
    tx.execute(sql, Vec::new()).await.expect("mended");
    tx.commit("test").await.expect("committed");
    desk.advance(MINUTE).await;
    desk.phone("Ben").expect_call();
    desk.advance(MINUTE).await;
    assert!(!stuck(&bad));
    desk.ends(&good, Phase::Running).await;
}

#[tokio::test]
async fn a_timer_fired_late_by_one_who_lost_it_changes_no_row() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.saves("burst pipe").await;
    desk.wait(5);
    let now = desk.now();
    let mut tx = desk.store.write().await.expect("the store writes");
    let first = tx.claim_due(now, "gone", now.plus_secs(15), 8).await.expect("claimed");
    let second = tx.claim_due(now, "node", now.plus_secs(15), 8).await.expect("claimed");
    assert_eq!((first.len(), second.len()), (1, 1), "a node nobody hears of holds nothing");
    let read = tx.lock_dispatch(&id).await.expect("read").expect("it is there");
    assert_eq!(read.timer, Some(second[0].1));
    tx.put_off_timer(&id, first[0].1, now.plus_secs(900)).await.expect("no row");
    tx.commit("test").await.expect("committed");
    desk.advance(15).await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn a_yes_on_the_phone_that_cannot_be_stored_now_is_stored_later() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.advance(15 * MINUTE).await;
    desk.phone("Ben").expect_call();
    let change = async |sql: &'static str| {
        let mut tx = desk.store.write().await.expect("the store writes");
        tx.execute(sql, Vec::new()).await.expect("done");
        tx.commit("test").await.expect("committed");
    };
    change("CREATE TRIGGER full BEFORE INSERT ON inbound BEGIN SELECT RAISE(ABORT, 'disk is full'); END").await;
    let heard = [CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Confirmed];
    desk.phone("Ben").talks(&heard, OutboundEnd::Confirmed);
    for _ in 0..3 {
        assert!(desk.dispatcher.tick(desk.now()).await.is_err(), "it says that it could not");
    }
    assert_eq!(desk.state(&id).await.phase, Phase::Running);
    change("DROP TRIGGER full").await;
    desk.advance(0).await;
    assert_eq!(desk.view(&id).await.timeline.iter().filter(|line| line.kind == "confirmed").count(), 1);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn an_operators_request_that_is_cut_off_leaves_no_phone_ringing() {
    for polls in 1..60 {
        let mut desk = Desk::at_work(&town::plumbing()).await;
        let id = desk.takes("burst pipe").await;
        desk.advance(15 * MINUTE).await;
        assert!(desk.phone("Ben").rings());
        let act = OperatorAct::Confirm { who: "Ben".into(), note: None, edition: None };
        let mut seen = 0;
        let mut work = Box::pin(desk.dispatcher.operator(&id, "kim", act));
        let done = std::future::poll_fn(|cx| {
            seen += 1;
            match work.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(result.is_ok()),
                Poll::Pending if seen >= polls => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        // The client hangs up.
        drop(work);
        let mut rings = true;
        for _ in 0..400 {
            desk.advance(0).await;
            rings = desk.phone("Ben").rings();
            if !rings {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(desk.state(&id).await.phase, Phase::Confirmed, "cut off at poll {polls}");
        assert!(!rings, "cut off at poll {polls}: confirmed, and the phone still rings");
        desk.store.close().await;
        if done {
            return;
        }
    }
    panic!("the request never ends");
}

#[tokio::test]
async fn a_strangers_text_sounds_again_after_a_restart_until_somebody_has_seen_to_it() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("burst pipe");
    let stranger = town::number("+12025550199");
    desk.dispatcher.take_text("twilio", "SM1", stranger, None, "Who is this?".into()).await.expect("taken in");
    let heard = desk.dispatcher.alarms();
    assert_eq!(heard.len(), 1);
    desk.advance(5 * MINUTE).await;
    let again = desk.second_node().await;
    let recalled = again.alarms();
    assert_eq!(recalled[0].at, heard[0].at, "a restart makes nothing younger");
    assert_eq!((&recalled[0].id, &recalled[0].text, recalled[0].dismissible), (&heard[0].id, &heard[0].text, true));
    again.silence(&recalled[0].id, &kim()).await.expect("stored");
    assert_eq!(desk.second_node().await.alarms(), []);
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn a_patch_stored_while_the_message_was_being_saved_is_seen_when_it_opens() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.saves("burst pipe").await;
    let now = desk.now();
    let call = CallId::named("c1");
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.execute("UPDATE message SET call = $1", vec![call.as_str().to_arg()]).await.expect("as it was saved");
    let patch = Inbound {
        provider: PATCHES.into(),
        provider_msg_id: call.as_str().into(),
        received_at: now,
        what: Arrival::Patched { call, account: None, to: "Ben".into() },
    };
    assert!(tx.insert_inbound(&patch).await.expect("inserted"));
    assert!(tx.settle_inbound(&patch, "patched", now).await.expect("it listed no dispatch"));
    tx.commit("test").await.expect("committed");
    desk.advance(60 * MINUTE).await;
    desk.ends(&id, Phase::Patched).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_postgresql_hand_nothing_over_twice() {
    let Some(server) = Postgres::start("two nodes on PostgreSQL") else { return };
    let mut desk = Desk::on_postgres(server.create_database(), &town::plumbing()).await;
    let second = desk.second_node().await;
    let mut last = None;
    for n in 0..12 {
        last = Some(desk.saves(&format!("burst pipe {n}")).await);
    }
    desk.wait(5);
    let now = desk.now();
    let own = desk.dispatcher.clone();
    let (a, b) = tokio::join!(tokio::spawn(async move { own.tick(now).await }), async { second.tick(now).await });
    a.expect("no panic").expect("a tick");
    b.expect("a tick");
    assert_eq!(desk.times().len(), 12);
    let mut codes: Vec<String> = (0..12).map(|_| desk.phone("Ben").expect_text("Reply").words).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 12, "each has a code of its own");
    desk.ends(&last.expect("saved"), Phase::Running).await;
}
