//! What on-call people text back that is no confirmation, what they are told (which messages are open, by which codes), and who reads it:
//! the operators, and whoever reads the time line of the message.

use cordboard::base::id::{AccountId, CallTypeId, ContactId, DestinationId, DispatchId, MessageId, ProtocolId, UserId};
use cordboard::domain::account::{Account, Contact};
use cordboard::domain::dispatch::event::OperatorAct;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Step, Until};
use cordboard::domain::dispatch::state::Phase;
use cordboard::domain::message::Message;
use cordboard::engine::feed::{AlarmView, UserRef};
use cordboard::io::store::inbound::{Arrival, Inbound};

use crate::desk::Desk;
use crate::jobs::kim;
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

/// What operators are told of texts.
fn jobs(desk: &Desk) -> Vec<AlarmView> {
    desk.dispatcher.alarms().into_iter().filter(|alarm| alarm.id.starts_with("text:")).collect()
}

async fn lines(desk: &Desk, id: &DispatchId) -> Vec<String> {
    desk.view(id).await.timeline.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn what_he_wrote_stands_on_the_messages_time_line_each_text_by_itself_and_stays_there() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ids = asks_ben(&mut desk, &["burst pipe"]).await;
    let ben = desk.phone("Ben");
    for body in ["on my way", "7ok", "on my way"] {
        ben.replies_as(&format!("in-{}-{body}", jobs(&desk).len()), body).await;
        ben.expect_text("reply 1ok");
    }
    let about = "Ben sent a text about Imaginary Plumbing, Jane Roe \u{b7} burst pipe, 02:10: ";
    let told = jobs(&desk);
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|job| job.text.starts_with(about) && job.dispatch.as_ref() == Some(&ids[0])), "{told:?}");
    for job in &told {
        assert!(desk.view(&ids[0]).await.needs_operator, "not all of it has been read");
        desk.dispatcher.silence(&job.id, &kim()).await.expect("seen to");
    }
    assert!(!desk.view(&ids[0]).await.needs_operator, "no supervisor is called for what Kim has read");
    desk.restarts().await;
    assert_eq!(jobs(&desk), [], "an operator has seen to them");
    let said = lines(&desk, &ids[0]).await;
    let wrote: Vec<&str> =
        said.iter().filter_map(|said| said.strip_prefix("Ben sent a text that matches nothing: ")).collect();
    assert_eq!(wrote, ["\u{201c}on my way\u{201d}", "\u{201c}7ok\u{201d}", "\u{201c}on my way\u{201d}"]);
    // Nothing of it confirms.
    desk.ends(&ids[0], Phase::Running).await;
}

#[tokio::test]
async fn of_two_who_see_to_a_text_at_once_one_stands_on_the_time_line() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ids = asks_ben(&mut desk, &["burst pipe"]).await;
    let ben = desk.phone("Ben");
    ben.replies_as("in-1", "on my way").await;
    ben.expect_text("reply 1ok");
    let job = jobs(&desk).pop().expect("the words are on the desks");
    let (kim, lee) = (kim(), UserRef { id: UserId::named("lee"), name: "Lee".to_owned() });
    let dispatcher = &desk.dispatcher;
    let (one, two) = tokio::join!(dispatcher.silence(&job.id, &kim), dispatcher.silence(&job.id, &lee));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(jobs(&desk), []);
    let said = lines(&desk, &ids[0]).await;
    let seen = said.iter().filter(|line| line.contains("saw to what came in")).count();
    assert_eq!(seen, 1, "{said:#?}");
    desk.ends(&ids[0], Phase::Running).await;
}

#[tokio::test]
async fn whoever_texts_a_code_that_is_nobodys_of_theirs_hears_that_nothing_was_confirmed() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let id = asks_ben(&mut desk, &["burst pipe"]).await.remove(0);
    // Ada is no part of it.
    for n in 0..7 {
        desk.phone("Ada").replies_as(&format!("in-{n}"), "1ok").await;
    }
    for _ in 0..5 {
        let said = desk.phone("Ada").expect_text("you have no open message with the code 1, so nothing was confirmed");
        assert!(!said.words.contains("burst pipe") && !said.words.contains("Jane"), "{}", said.words);
    }
    assert_eq!(jobs(&desk).len(), 7, "an operator reads each of them");
    assert_eq!(desk.state(&id).await.phase, Phase::Running);
    // What is no code is not answered, nor is anybody who asked for no texts.
    desk.phone("Olive").replies("hello").await;
    desk.phone("Olive").replies("STOP").await;
    desk.phone("Olive").replies("1ok").await;
    desk.dispatcher
        .take_text("twilio", "in-stranger", town::number("+12025550199"), None, "1ok".to_owned())
        .await
        .expect("taken in");
    desk.advance(0).await;
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn with_several_open_operators_read_which_it_may_be_about_and_after_a_restart_too() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ids = asks_ben(&mut desk, &["burst pipe", "no hot water"]).await;
    let ben = desk.phone("Ben");
    ben.replies("on my way").await;
    ben.expect_text("an operator will read your text");
    desk.advance(1).await;
    let later = desk.takes("leak").await;
    desk.phone("Ben").expect_text("Reply 3ok");
    desk.restarts().await;
    let told = jobs(&desk);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].text,
        "Ben sent a text that may be about any of 2 messages (Imaginary Plumbing, Jane Roe \u{b7} no hot water, 02:10; \
         Imaginary Plumbing, Jane Roe \u{b7} burst pipe, 02:10): \u{201c}on my way\u{201d}"
    );
    assert_eq!(told[0].dispatch.as_ref(), Some(&ids[1]), "it leads to the newest");
    let line = "Ben sent a text that matches nothing, with 2 messages open: \u{201c}on my way\u{201d}";
    assert!(lines(&desk, &ids[1]).await.iter().any(|said| said == line));
    // One whose code he names is that one.
    let ben = desk.phone("Ben");
    ben.replies("1").await;
    ben.expect_text("Reply: 1ok Jane Roe, burst pipe");
    let line = "Ben sent a text that matches nothing: \u{201c}1\u{201d}";
    assert!(lines(&desk, &ids[0]).await.iter().any(|said| said == line));
    desk.ends(&later, Phase::Running).await;
}

#[tokio::test]
async fn an_operator_is_led_to_the_message_that_has_the_words_and_seeing_to_them_takes_its_alarm_back() {
    let steps = ["Ada", "Ben"].iter().map(|who| (Method::TextConfirm, vec![town::named(who, "mobile")], 600)).collect();
    let mut desk = Desk::at_work(&town::protocol(steps, true, Until::Confirmed)).await;
    let first = desk.takes("burst pipe").await;
    desk.advance(60).await;
    let second = desk.takes("no hot water").await;
    let skip = OperatorAct::Skip { moves: None };
    desk.dispatcher.operator(&second, "Kim", skip).await.expect("the store answers");
    desk.advance(10 * 60).await;
    desk.phone("Ben").replies("on my way").await;
    let said = "\u{201c}on my way\u{201d}";
    assert!(lines(&desk, &first).await.iter().any(|line| line.contains(said)), "its code was given to him last");
    let job = jobs(&desk).remove(0);
    assert_eq!(job.dispatch.as_ref(), Some(&first));
    desk.dispatcher.silence(&job.id, &kim()).await.expect("seen to");
    assert!(!desk.view(&first).await.needs_operator, "{:?}", desk.view(&first).await.alarm);
}

#[tokio::test]
async fn a_bare_ok_that_waited_over_a_restart_confirms_nothing_that_was_taken_since() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let received_at = desk.now();
    desk.advance(1).await;
    let later = asks_ben(&mut desk, &["leak"]).await.remove(0);
    for body in ["ok", "on my way"] {
        let from = town::number(town::PEOPLE[0].1);
        let waited = Inbound {
            provider: "twilio".into(),
            provider_msg_id: format!("waited-{body}"),
            received_at,
            what: Arrival::Text { from, to: None, body: body.into() },
        };
        let mut tx = desk.store.write().await.expect("the store writes");
        assert!(tx.insert_inbound(&waited).await.expect("stored"));
        tx.commit("test").await.expect("committed");
    }
    desk.restarts().await;
    assert_eq!(desk.state(&later).await.phase, Phase::Running, "it was meant for something else");
    let said = lines(&desk, &later).await;
    assert!(said.iter().all(|line| !line.contains("sent a text")), "{said:#?}");
    assert_eq!(jobs(&desk).len(), 2, "operators read both");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&later, Phase::Confirmed).await;
}

/// Another client, who has the same technician, and an urgent message of theirs.
async fn another_client_asks_ben(desk: &Desk) -> DispatchId {
    let number = town::number(town::PEOPLE[0].1);
    let ben = desk.store.list_contacts_by_phone(&number).await.expect("listed").remove(0);
    let mut theirs = Contact { id: ContactId::named("their-ben"), account: AccountId::named("two"), ..ben };
    for destination in &mut theirs.destinations {
        destination.id = DestinationId::named(&format!("their-{}", destination.label));
    }
    let step = Step::new(Method::TextConfirm, vec![town::named("their-ben", "mobile")], 900);
    let protocol = Protocol {
        id: ProtocolId::named("p2"),
        account: AccountId::named("two"),
        steps: vec![step],
        ..town::plumbing()
    };
    let mut account = Account { id: AccountId::named("two"), name: "Acme Heating".into(), ..town::account() };
    account.dids = vec![town::number("+12025550109")];
    account.call_types[0].id = CallTypeId::named("theirs");
    account.call_types[0].protocol = Some(ProtocolId::named("p2"));
    let bare = Account { call_types: vec![], ..account.clone() };
    let id = MessageId::named("theirs");
    let message = Message {
        account: account.id.clone(),
        call_type: CallTypeId::named("theirs"),
        ..town::message("theirs", "no heat", desk.now())
    };
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&bare, desk.now()).await.expect("an account");
    tx.upsert_contact(&theirs).await.expect("a contact");
    tx.insert_protocol(&protocol, desk.now()).await.expect("a protocol");
    tx.upsert_account(&account, desk.now()).await.expect("an account");
    tx.insert_message(&message).await.expect("inserted");
    desk.dispatcher.open(&mut tx, &message, &account).await.expect("opened");
    tx.commit("test").await.expect("committed");
    desk.advance(5).await;
    desk.store.find_dispatch_of_message(&id).await.expect("found").expect("a dispatch")
}

#[tokio::test]
async fn what_may_be_about_another_clients_message_stands_on_nobodys_time_line() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ours = asks_ben(&mut desk, &["burst pipe"]).await.remove(0);
    let theirs = another_client_asks_ben(&desk).await;
    let ben = desk.phone("Ben");
    ben.expect_text("Reply 2ok");
    ben.replies("at Elm Street, on my way to you then").await;
    ben.expect_text("Reply: 2ok Jane Roe, no heat 02:10; 1ok Jane Roe, burst pipe 02:10 (Imaginary Plumbing)");
    for id in [&ours, &theirs] {
        let said = lines(&desk, id).await;
        assert!(said.iter().all(|said| !said.contains("Elm Street")), "{said:#?}");
    }
    let line = "Ben sent a text that may be about another message: an operator reads it.";
    assert!(lines(&desk, &theirs).await.iter().any(|said| said == line));
    let told = jobs(&desk);
    let text = told.first().map_or("", |job| job.text.as_str());
    for part in
        ["Acme Heating, Jane Roe \u{b7} no heat", "Imaginary Plumbing, Jane Roe \u{b7} burst pipe", "Elm Street"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    desk.ends(&ours, Phase::Running).await;
}

#[tokio::test]
async fn a_code_that_is_nobodys_is_answered_in_the_name_of_the_client_whose_number_was_texted() {
    let desk = Desk::at_work(&town::plumbing()).await;
    let theirs = another_client_asks_ben(&desk).await;
    let ben = desk.phone("Ben");
    ben.expect_text("Reply 1ok");
    ben.replies("1ok").await;
    ben.expect_text("Confirmed");
    let numbers = [
        ("+12025550109", "Acme Heating"),
        ("+12025550102", "Imaginary Plumbing"),
        ("+12025550199", "Your answering service"),
    ];
    for (to, name) in numbers {
        let (from, to) = (town::number(town::PEOPLE[0].1), town::number(to));
        let id = format!("in-{name}");
        desk.dispatcher.take_text("twilio", &id, from, Some(to), "9ok".to_owned()).await.expect("taken in");
        desk.advance(0).await;
        let said = ben.expect_text("you have no open message with the code 9, so nothing was confirmed").words;
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
    }
    desk.ends(&theirs, Phase::Confirmed).await;
}

#[tokio::test]
async fn whoever_says_that_it_is_the_wrong_number_is_told_nothing_and_an_operator_reads_it() {
    let mut desk = Desk::at_work(&town::plumbing()).await;
    let ids = asks_ben(&mut desk, &["burst pipe", "no hot water"]).await;
    desk.phone("Ben").replies("Wrong number!").await;
    assert_eq!(desk.times(), [], "no list of codes and callers for a stranger");
    let told = jobs(&desk);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.ends_with(": \u{201c}Wrong number!\u{201d}"), "{}", told[0].text);
    for id in &ids {
        assert_eq!(desk.state(id).await.phase, Phase::Running);
    }
    desk.ends(&ids[0], Phase::Running).await;
}
