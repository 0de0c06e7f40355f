//! What on-call people text back that is no confirmation, and what they are told: which messages are open, by which codes.

use cordboard::base::id::DispatchId;
use cordboard::domain::dispatch::state::Phase;

use crate::desk::Desk;
use crate::town;

/// So many urgent messages for Ben, one after the other.
async fn asks_ben(desk: &mut Desk, problems: &[&str]) -> Vec<DispatchId> {
    let mut ids = Vec::new();
    for problem in problems {
        ids.push(desk.takes(problem).await);
        desk.phone("Ben").expect_text(&format!("Reply {}ok", ids.len()));
    }
    ids
}

#[tokio::test]
async fn whatever_he_writes_with_several_open_lists_them_all_and_confirms_none() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ids = asks_ben(&mut desk, &["burst pipe", "no hot water", "leak"]).await;
    let ben = desk.phone("Ben");
    for body in ["YES", "1ok 2ok", "\u{1f44d}"] {
        ben.replies(body).await;
        let words = ben.expect_text("an operator will read your text").words;
        let places =
            ["3ok Jane Roe, leak", "2ok Jane Roe, no hot water", "1ok Jane Roe, burst pipe"].map(|one| words.find(one));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "the newest first: {words}");
    }
    for body in ["1", "ok 1"] {
        ben.replies(body).await;
        ben.expect_text("Reply: 1ok Jane Roe, burst pipe 02:10; 3ok Jane Roe, leak 02:10; 2ok Jane Roe, no hot water");
    }
    for id in &ids {
        assert_eq!(desk.state(id).await.phase, Phase::Running);
    }
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    desk.ends(&ids[0], Phase::Confirmed).await;
}

#[tokio::test]
async fn of_ten_that_are_open_the_newest_are_listed_and_the_rest_is_counted() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ids = asks_ben(&mut desk, &["leak"; 10]).await;
    let ben = desk.phone("Ben");
    ben.replies("ok").await;
    let words = ben.expect_text("Several messages are open. Reply: 10ok Jane Roe, leak").words;
    assert!(words.contains("; 6ok Jane") && !words.contains("; 5ok Jane"), "{words}");
    assert!(words.ends_with(" and 5 more: call +1 202 555 0102."), "{words}");
    ben.replies("3").await;
    ben.expect_text("Reply: 3ok Jane Roe, leak");
    desk.ends(&ids[0], Phase::Running).await;
}
