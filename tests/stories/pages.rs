//! Pages in a night: who wears a pager is paged, and what comes of it is never taken for somebody's yes.

use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::dispatch::protocol::{Method, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::io::deliver::Delivery;

use crate::desk::Desk;
use crate::town;

const MINUTE: i64 = 60;

#[tokio::test]
async fn a_page_goes_out_first_and_the_text_asks_for_the_yes() {
    let steps = vec![(Method::Pager, town::on_call("pager"), 120), (Method::TextConfirm, town::on_call("mobile"), 900)];
    let mut desk = Desk::at_work(&town::protocol(steps, true, Until::Confirmed)).await;
    let id = desk.takes("burst pipe").await;
    let ben = desk.phone("Ben");
    ben.expect_page("URGENT Call +1 202 555 0147.");
    let view = desk.view(&id).await;
    let lines: Vec<&str> = view.timeline.iter().map(|line| line.text.as_str()).collect();
    assert!(lines.contains(&"Sending a page to Ben (pager)."), "{lines:?}");
    assert!(lines.contains(&"Page sent to Ben (pager), accepted."), "{lines:?}");
    assert!(view.confirmed_by.is_none(), "a page taken by its carrier is nobody's yes");
    desk.advance(2 * MINUTE).await;
    ben.expect_text("Reply 1ok");
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_page_alone_is_done_when_its_carrier_has_it() {
    let protocol =
        town::protocol(vec![(Method::Pager, vec![town::named("Ben", "pager")], 0)], false, Until::HandedOver);
    let mut desk = Desk::at_work(&protocol).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_page("Imaginary Plumbing");
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn a_carrier_that_is_down_sounds_and_one_that_knows_no_such_pager_moves_on_at_once() {
    let steps = vec![(Method::Pager, town::on_call("pager"), 600), (Method::TextConfirm, town::on_call("mobile"), 900)];
    let protocol = town::protocol(steps, true, Until::Confirmed);
    let mut desk = Desk::at_work(&protocol).await;
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Permanent, why: "snpp_550".into() }));
    let id = desk.saves("burst pipe").await;
    desk.wait(5);
    desk.dispatcher.tick(desk.now()).await.expect("a tick");
    let view = desk.view(&id).await;
    let at = |words: &str| view.timeline.iter().find(|line| line.text.starts_with(words)).map(|line| line.at);
    let given_up = at("Page to Ben (pager) failed (the carrier's code 550, no reason given), given up.");
    assert!(given_up.is_some() && given_up == at("Step 2:"), "no ten minutes for nothing: {:?}", view.timeline);

    let mut desk = Desk::at_work(&protocol).await;
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Temporary, why: "no_connection".into() }));
    let id = desk.takes("burst pipe").await;
    desk.advance(50).await;
    let view = desk.view(&id).await;
    assert_eq!(view.alarm.as_deref(), Some("The pager carrier does not take the page."));
}

#[tokio::test]
async fn what_a_carrier_says_stands_on_the_time_line_with_the_pager_that_is_meant() {
    let protocol =
        town::protocol(vec![(Method::Pager, vec![town::named("Ben", "pager")], 0)], false, Until::HandedOver);
    let mut desk = Desk::at_work(&protocol).await;
    desk.carrier_says(Failure::Permanent, "snpp_550", "550 no such pager 5550142");
    let id = desk.takes("burst pipe").await;
    let view = desk.view(&id).await;
    let lines: Vec<&str> = view.timeline.iter().map(|line| line.text.as_str()).collect();
    let refused = "Page to Ben (pager) was refused: the carrier said \u{201c}550 no such pager 5550142\u{201d}.";
    assert!(lines.contains(&refused), "{lines:#?}");
    assert_eq!(view.alarm.as_deref(), Some("The steps have run out and nothing could be handed over."));
    desk.ends(&id, Phase::ExhaustedUnconfirmed).await;

    let mut desk = Desk::at_work(&protocol).await;
    desk.carrier_says(Failure::Temporary, "snpp_554", "554 busy");
    let id = desk.takes("burst pipe").await;
    let view = desk.view(&id).await;
    let later = "Page to Ben (pager) was not taken: the carrier said \u{201c}554 busy\u{201d}. It will be tried again.";
    assert!(view.timeline.iter().any(|line| line.text == later), "{:#?}", view.timeline);
}
