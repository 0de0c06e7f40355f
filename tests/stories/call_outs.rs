//! Call-outs whose contact does more than listen: a PIN before the message, and 2 for the caller.

use cordboard::base::id::{AccountId, DispatchId};
use cordboard::domain::account::{CallPin, SecureMessages};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::dispatch::state::{Phase, Trouble};
use cordboard::engine::callout::{CallOutEvent, OutboundEnd};

use crate::desk::Desk;
use crate::town;

const MINUTE: i64 = 60;

/// Ben's mobile rings for a burst pipe.
async fn ringing() -> (Desk, DispatchId) {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.advance(15 * MINUTE).await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    assert!(ben.expect_call().words.contains("2: +12025550147."), "2 connects with the number that was spoken");
    (desk, id)
}

async fn lines(desk: &Desk, id: &DispatchId) -> Vec<String> {
    desk.view(id).await.timeline.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn ben_talks_with_the_caller_for_longer_than_any_call_lasts_and_confirms_then() {
    let (desk, id) = ringing().await;
    let ben = desk.phone("Ben");
    ben.is_on(&[CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Joined]).await;
    desk.advance(14 * MINUTE).await;
    let ben = desk.phone("Ben");
    ben.is_on(&[CallOutEvent::Parted { secs: 840 }]).await;
    let said = lines(&desk, &id).await;
    assert!(said.iter().any(|line| line == "Ben pressed 2 and is connected to the caller."), "{said:#?}");
    let talked =
        said.iter().any(|line| line.starts_with("Ben was connected to the caller 02:25") && line.ends_with("14 min."));
    assert!(talked, "{said:#?}");
    assert_eq!(desk.view(&id).await.confirmed_by, None, "a talk confirms nothing");
    desk.advance(30).await;
    let ben = desk.phone("Ben");
    ben.picks_up(&[CallOutEvent::Confirmed], OutboundEnd::Confirmed).await;
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn ben_was_connected_and_hung_up_so_he_was_told_and_the_steps_go_on() {
    let (desk, id) = ringing().await;
    let ben = desk.phone("Ben");
    ben.is_on(&[CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::NotJoined(Cause::Busy)]).await;
    ben.is_on(&[CallOutEvent::Joined]).await;
    ben.picks_up(&[CallOutEvent::Parted { secs: 45 }], OutboundEnd::ToldOnly).await;
    let said = lines(&desk, &id).await;
    assert!(said.iter().any(|line| line == "Ben pressed 2 and was not connected to the caller: busy."), "{said:#?}");
    assert!(said.iter().any(|line| line.ends_with("45 s.")), "{said:#?}");
    let asks = "Ben spoke with the caller for 45 s and did not press 1, so the steps go on: ask, and confirm it by hand if it \
                is taken care of.";
    assert!(said.iter().any(|line| line == asks), "{said:#?}");
    assert_eq!(desk.view(&id).await.alarm.as_deref(), Some(asks), "operators are told with the dispatch");
    desk.advance(10 * MINUTE).await;
    let ben = desk.phone("Ben");
    ben.expect_call_at_home();
    desk.advance(30).await;
    desk.phone("Ben").expect_text("burst pipe");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn ben_spoke_with_the_caller_and_his_late_yes_takes_the_alarm_back() {
    let (desk, id) = ringing().await;
    let ben = desk.phone("Ben");
    ben.is_on(&[CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Joined]).await;
    ben.picks_up(&[CallOutEvent::Parted { secs: 9 }], OutboundEnd::ToldOnly).await;
    let who = "Ben".to_owned();
    assert!(desk.state(&id).await.troubles.contains(&Trouble::SpokeUnconfirmed { who, secs: 9 }));
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    assert_eq!(desk.view(&id).await.alarm, None);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_caller_who_only_picked_up_and_was_gone_is_nothing_to_ask_about() {
    let (desk, id) = ringing().await;
    let ben = desk.phone("Ben");
    ben.is_on(&[CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Joined]).await;
    ben.picks_up(&[CallOutEvent::Parted { secs: 2 }], OutboundEnd::ToldOnly).await;
    let state = desk.state(&id).await;
    assert!(state.troubles.is_empty(), "{:?}", state.troubles);
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn where_the_account_asks_for_a_pin_the_call_asks_for_it() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let mut account = desk.store.find_account(&AccountId::named("one")).await.expect("asked").expect("an account");
    account.secure = SecureMessages { call_pin: CallPin::Always, ..account.secure };
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("written");
    tx.commit("test").await.expect("committed");
    let id = desk.takes("burst pipe").await;
    desk.advance(15 * MINUTE).await;
    let ben = desk.phone("Ben");
    ben.expect_text("burst pipe");
    assert!(ben.expect_call().words.contains("After a PIN."));
    // Three wrong ones: nothing was heard, a request is left, and the step goes on.
    ben.picks_up(&[CallOutEvent::Answered, CallOutEvent::WrongPins], OutboundEnd::LeftRequest).await;
    let asks = "A wrong PIN was keyed three times in the call to Ben: whoever has that phone has not heard the message. Call, \
                and ask who is there.";
    let said = lines(&desk, &id).await;
    assert!(said.iter().any(|line| line == asks), "{said:#?}");
    let ended = "Call to Ben (mobile): a wrong PIN three times, so the message was not read; whoever has that phone was asked \
                 to call back.";
    assert_eq!(said.iter().filter(|line| line.starts_with("Call to Ben")).collect::<Vec<_>>(), [ended], "it was taken");
    assert_eq!(desk.view(&id).await.alarm.as_deref(), Some(asks), "operators are told with the dispatch");
    desk.advance(10 * MINUTE).await;
    let ben = desk.phone("Ben");
    assert!(ben.expect_call_at_home().words.contains("After a PIN."));
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}
