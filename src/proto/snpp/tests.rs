//! Dialogues as RFC 1861 writes them, and as gateways break them.

use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};

fn job(messages: &[&str]) -> Job {
    Job {
        login: None,
        pager: "5550142".to_owned(),
        messages: messages.iter().map(|m| (*m).to_owned()).collect(),
        urgent: false,
    }
}

/// What is said to each reply in turn, and how it ends.
fn play(job: Job, replies: &[&str]) -> (Vec<String>, Option<Outcome>) {
    let clock = TestClock::at(UtcMs(0));
    let mut page = Page::new(job);
    page.handle(clock.instant(), Input::Connected);
    let (mut said, mut end) = (Vec::new(), None);
    for reply in replies {
        page.handle(clock.instant(), Input::Bytes(reply.as_bytes()));
        while let Some(output) = page.poll_output() {
            match output {
                Output::Send(bytes) => said.push(String::from_utf8(bytes).expect("ASCII").trim_end().to_owned()),
                Output::Done(outcome) => assert!(end.replace(outcome).is_none(), "one outcome"),
            }
        }
    }
    (said, end)
}

fn outcome(replies: &[&str]) -> Outcome {
    play(job(&["burst pipe"]), replies).1.expect("it is over")
}

const OK: &str = "250 OK\r\n";
const HELLO: &str = "220 SNPP Gateway Ready\r\n";

#[test]
fn a_page_is_taken_once_send_was_answered() {
    let (said, end) = play(job(&["burst pipe"]), &[HELLO, OK, OK, "250 Message Sent Successfully\r\n"]);
    assert_eq!(said, ["PAGE 5550142", "MESS burst pipe", "SEND", "QUIT"]);
    assert_eq!(end, Some(Outcome::Taken { reference: None }));
}

#[test]
fn a_login_goes_first_and_an_urgent_page_asks_for_the_first_level() {
    let login = Some(("desk".to_owned(), Some("secret".to_owned())));
    let job = Job { login, urgent: true, ..job(&["burst pipe"]) };
    let replies = [HELLO, OK, OK, "500 Command Not Implemented\r\n", OK, OK];
    let (said, end) = play(job, &replies);
    assert_eq!(said, ["LOGI desk secret", "PAGE 5550142", "LEVE 0", "MESS burst pipe", "SEND", "QUIT"]);
    assert_eq!(end, Some(Outcome::Taken { reference: None }), "a gateway without levels is no hindrance");
}

#[test]
fn a_long_message_goes_as_text_of_several_lines_and_never_ends_it_early() {
    let long = format!(".{}", "water ".repeat(60).trim_end());
    let (said, end) = play(job(&[&long]), &[HELLO, OK, "354 Begin Input\r\n", OK, OK]);
    assert_eq!(said[1], "DATA");
    assert_eq!(said[2], format!(" {long}\r\n."));
    assert_eq!(&said[3..], ["SEND", "QUIT"]);
    assert_eq!(end, Some(Outcome::Taken { reference: None }));
}

#[test]
fn what_a_gateway_does_not_know_is_said_the_other_way_once() {
    let (said, _) = play(job(&["burst pipe"]), &[HELLO, OK, "500 ?\r\n", "354 go\r\n", OK, OK]);
    assert_eq!(said, ["PAGE 5550142", "MESS burst pipe", "DATA", "burst pipe\r\n.", "SEND", "QUIT"]);
    assert_eq!(outcome(&[HELLO, OK, "500 ?\r\n", "500 ?\r\n"]), Outcome::Later { why: "snpp_500".into() });
}

#[test]
fn several_parts_are_several_pages_over_one_connection() {
    let (said, end) = play(job(&["1/2 burst", "2/2 pipe"]), &[HELLO, OK, OK, OK, OK, OK, OK]);
    let expected = ["PAGE 5550142", "MESS 1/2 burst", "SEND", "PAGE 5550142", "MESS 2/2 pipe", "SEND", "QUIT"];
    assert_eq!(said, expected);
    assert_eq!(end, Some(Outcome::Taken { reference: None }));
}

#[test]
fn two_way_words_mean_taken_and_their_tag_is_kept() {
    let taken = |reference: &str| Outcome::Taken { reference: Some(reference.to_owned()) };
    assert_eq!(outcome(&[HELLO, "850 Unit Online\r\n", OK, "860 00321 1234 Message Delivered\r\n"]), taken("00321"));
    assert_eq!(outcome(&[HELLO, "950 Unit NOT Online\r\n", OK, "960 00322 1234 Queued\r\n"]), taken("00322"));
    assert_eq!(outcome(&[HELLO, OK, OK, "960 OK, Message QUEUED\r\n"]), Outcome::Taken { reference: None });
}

#[test]
fn every_refusal_is_told_apart_by_whether_another_try_could_help() {
    let refused = |why: &str| Outcome::Refused { why: why.to_owned() };
    let later = |why: &str| Outcome::Later { why: why.to_owned() };
    assert_eq!(outcome(&["421 Gateway Service Unavailable\r\n"]), later("snpp_421"));
    assert_eq!(outcome(&["554 not now\r\n"]), later("snpp_554"));
    assert_eq!(outcome(&[HELLO, "550 Invalid Pager ID\r\n"]), refused("snpp_550"));
    assert_eq!(outcome(&[HELLO, "750 Unit NOT Online; Denied\r\n"]), later("snpp_750"));
    assert_eq!(outcome(&[HELLO, "503 Already Entered\r\n"]), later("snpp_503"));
    assert_eq!(outcome(&[HELLO, OK, "550 Invalid Message\r\n"]), refused("snpp_550"));
    assert_eq!(outcome(&[HELLO, OK, "552 too long\r\n"]), refused("snpp_552"));
    assert_eq!(outcome(&[HELLO, OK, "554 failed\r\n"]), later("snpp_554"));
    assert_eq!(outcome(&[HELLO, OK, OK, "550 Illegal Pager ID\r\n"]), refused("snpp_550"));
    assert_eq!(outcome(&[HELLO, OK, OK, "554 Message Failed\r\n"]), later("snpp_554"));
    assert_eq!(outcome(&[HELLO, OK, OK, "503 Incomplete\r\n"]), later("snpp_503"));
    assert_eq!(outcome(&[HELLO, OK, OK, "421 Goodbye\r\n"]), later("snpp_421"));
    assert_eq!(outcome(&[HELLO, OK, OK, "780 NOT Delivered\r\n"]), later("snpp_780"));
    assert_eq!(outcome(&[HELLO, OK, OK, "354 what?\r\n"]), Outcome::Unsure { why: "snpp_354".into() });
    let login = Some(("desk".to_owned(), None));
    let end = play(Job { login, ..job(&["burst pipe"]) }, &[HELLO, "550 Invalid Login\r\n"]).1;
    assert_eq!(end, Some(later("login_refused")));
}

#[test]
fn help_and_lines_that_go_on_are_no_answers() {
    let replies = ["220-Welcome\r\n214 some news\r\n220 ready\r\n", "214 a\r\n214 b\r\n250 OK\r\n", OK, OK];
    assert_eq!(outcome(&replies), Outcome::Taken { reference: None });
}

#[test]
fn however_replies_are_cut_they_are_read_the_same() {
    let whole = [HELLO, OK, OK, "860 00321 1234 Message Delivered\r\n"].concat();
    let clock = TestClock::at(UtcMs(0));
    let mut page = Page::new(job(&["burst pipe"]));
    page.handle(clock.instant(), Input::Connected);
    for byte in whole.as_bytes() {
        page.handle(clock.instant(), Input::Bytes(&[*byte]));
    }
    let last = std::iter::from_fn(|| page.poll_output()).last();
    assert_eq!(last, Some(Output::Done(Outcome::Taken { reference: Some("00321".to_owned()) })));
}

#[test]
fn what_breaks_before_send_was_not_taken_and_what_breaks_after_is_unsure() {
    let clock = TestClock::at(UtcMs(0));
    type End = fn(&mut Page, Instant);
    let endings: [(&str, End); 3] = [
        ("broken_off", |page, now| page.handle(now, Input::Closed)),
        ("silent", |page, _| {
            let (at, reason) = page.poll_timeout().expect("it waits");
            assert_eq!(reason, Reason::Silence);
            page.handle(at, Input::Due);
        }),
        ("unreadable", |page, now| page.handle(now, Input::Bytes(b"\xff\x00 garbage\r\n"))),
    ];
    for (why, end) in endings {
        for replies in 0..=3 {
            let mut page = Page::new(job(&["burst pipe"]));
            page.handle(clock.instant(), Input::Connected);
            for reply in [HELLO, OK, OK].iter().take(replies) {
                page.handle(clock.instant(), Input::Bytes(reply.as_bytes()));
            }
            end(&mut page, clock.instant());
            let why = why.to_owned();
            let expected = if replies == 3 { Outcome::Unsure { why } } else { Outcome::Later { why } };
            assert_eq!(std::iter::from_fn(|| page.poll_output()).last(), Some(Output::Done(expected)));
            assert_eq!(page.poll_timeout(), None);
        }
    }
}

#[test]
fn an_endless_line_ends_the_page() {
    let clock = TestClock::at(UtcMs(0));
    let mut page = Page::new(job(&["burst pipe"]));
    page.handle(clock.instant(), Input::Connected);
    page.handle(clock.instant(), Input::Bytes(&[b'2'; 10_000]));
    let last = std::iter::from_fn(|| page.poll_output()).last();
    assert_eq!(last, Some(Output::Done(Outcome::Later { why: "unreadable".to_owned() })));
}

#[test]
fn a_gateway_that_answers_slowly_is_given_up_before_the_dispatcher_gives_up() {
    let clock = TestClock::at(UtcMs(0));
    let start = clock.instant();
    let mut page = Page::new(job(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]));
    page.handle(start, Input::Connected);
    let mut now = start;
    while let Some((at, _)) = page.poll_timeout() {
        let answered = now + Duration::from_secs(9);
        if at <= answered {
            page.handle(at, Input::Due);
            now = at;
        } else {
            page.handle(answered, Input::Bytes(if now == start { HELLO.as_bytes() } else { OK.as_bytes() }));
            now = answered;
        }
    }
    assert_eq!(now, start + WITHIN);
}

/// What the gateway said last, as it is kept.
fn said(login: bool, replies: &[&str]) -> Option<String> {
    let clock = TestClock::at(UtcMs(0));
    let login = login.then(|| ("desk".to_owned(), Some("secret".to_owned())));
    let mut page = Page::new(Job { login, ..job(&["burst pipe"]) });
    page.handle(clock.instant(), Input::Connected);
    for reply in replies {
        page.handle(clock.instant(), Input::Bytes(reply.as_bytes()));
    }
    page.said().map(str::to_owned)
}

#[test]
fn what_a_gateway_refuses_with_is_kept_in_its_own_words_and_of_a_login_nothing() {
    let invalid = "550 Invalid Pager ID\r\n";
    assert_eq!(said(false, &[HELLO, invalid]).as_deref(), Some("550 Invalid Pager ID"));
    assert_eq!(said(true, &[HELLO, OK, invalid]).as_deref(), Some("550 Invalid Pager ID"));
    assert_eq!(said(true, &[HELLO, "550 secret is no password\r\n"]), None);
    assert_eq!(said(false, &[HELLO, OK, OK, OK]), None, "taken");
    assert_eq!(said(false, &[HELLO, OK, "500 ?\r\n", "354 go\r\n"]), None, "it goes on the other way");
}
