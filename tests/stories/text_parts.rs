//! Long texts that come in as parts: made one when all are there, whatever their order, and read by somebody in any case. And one of
//! ours of which a carrier has taken a part alone.

use cordboard::domain::dispatch::event::{Failure, OperatorAct};
use cordboard::domain::dispatch::state::Phase;
use cordboard::io::deliver::Delivery;
use cordboard::proto::sms::parts::Place;

use crate::desk::{Desk, Kind};
use crate::town;

const BEN: &str = "+12025550110";

async fn part(desk: &Desk, id: &str, reference: u16, of: u8, number: u8, body: &str) {
    let place = Place { reference, of, number };
    let taken = desk.dispatcher.take_text_part("carrier", id, town::number(BEN), None, body.to_owned(), place).await;
    taken.expect("taken in");
    desk.advance(0).await;
}

fn said(desk: &Desk) -> Vec<String> {
    desk.dispatcher.alarms().into_iter().filter(|alarm| alarm.id.starts_with("text:")).map(|alarm| alarm.text).collect()
}

#[tokio::test]
async fn parts_in_any_order_and_some_twice_are_one_text() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("Reply 1ok");
    part(&desk, "s:1", 7, 3, 3, " on the 4th floor").await;
    part(&desk, "s:2", 7, 3, 1, "I am at the door").await;
    part(&desk, "s:2", 7, 3, 1, "I am at the door").await;
    part(&desk, "s:3", 9, 2, 1, "another text").await;
    assert_eq!(said(&desk), Vec::<String>::new(), "not all of it is there");
    part(&desk, "s:4", 7, 3, 2, ", nobody opens").await;
    desk.advance(0).await;
    let said = said(&desk);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("\u{201c}I am at the door, nobody opens on the 4th floor\u{201d}"), "{said:?}");
    desk.phone("Ben").expect_text("an operator will read your text");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn a_part_that_never_comes_is_marked_and_the_rest_is_read() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("Reply 1ok");
    part(&desk, "s:1", 7, 3, 1, "I am at the door").await;
    part(&desk, "s:2", 7, 3, 3, "opens").await;
    desk.advance(61).await;
    desk.advance(0).await;
    let said = said(&desk);
    assert!(said.len() == 1 && said[0].contains("I am at the door [...] opens"), "{said:?}");
    desk.phone("Ben").expect_text("an operator will read your text");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn parts_outlive_a_restart() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_text("Reply 1ok");
    part(&desk, "s:1", 7, 2, 1, "1").await;
    desk.restarts().await;
    part(&desk, "s:2", 7, 2, 2, "ok").await;
    desk.advance(0).await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_text_of_ours_that_was_taken_in_part_is_on_the_time_line_and_goes_once_more() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let why = "only_part_of_it_was_taken".to_owned();
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Unknown, why }));
    let id = desk.takes("burst pipe").await;
    desk.provider_answers(None);
    desk.advance(5).await;
    desk.phone("Ben").expect_text("Reply 1ok");
    let said: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    for line in [
        "Text to Ben failed (only part of it was taken), will be tried again.",
        "Sending a text to Ben, once more: whether it arrived the first time is not known.",
    ] {
        assert!(said.iter().any(|text| text == line), "{line} is not in {said:#?}");
    }
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn half_a_text_and_a_no_is_on_the_time_line_the_next_step_follows_and_who_has_half_hears_how_it_ended() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let why = "only_part_of_it_was_taken_and_the_rest_refused_smpp_0b".to_owned();
    desk.provider_answers(Some(Delivery::Failed { failure: Failure::Permanent, why }));
    let id = desk.takes("burst pipe").await;
    desk.provider_answers(None);
    desk.advance(1).await;
    let said: Vec<String> = desk.view(&id).await.timeline.into_iter().map(|line| line.text).collect();
    let line = "Text to Ben failed (only part of it was taken and the rest refused: the carrier knows no such number, code 0x0b), given up.";
    assert!(said.iter().any(|text| text == line), "{said:#?}");
    assert_eq!(desk.times(), [(0, Kind::Call)], "fifteen minutes are not waited for half a text");
    desk.phone("Ben").expect_call();
    let act = OperatorAct::Confirm { who: "Olive".into(), note: None, edition: None };
    desk.dispatcher.operator(&id, "Kim", act).await.expect("decided");
    desk.advance(1).await;
    desk.phone("Ben").expect_text("handled by Olive");
    desk.ends(&id, Phase::Confirmed).await;
}
