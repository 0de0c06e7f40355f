//! Dialogues as the specification writes them, and as terminals and lines break them.

use super::*;
use crate::base::clock::{Clock as _, TestClock, UtcMs};

const ASKED: &str = "ID=";
const LOGGED_IN: &str = "\r110 1.8\r\x06\r";
const GO: &str = "\x1b[p\r";
const TAKEN: &str = "211 Page accepted\r\x06\r";
const BYE: &str = "115 Goodbye\r\x1b\x04\r";

fn job(messages: &[&str]) -> Job {
    let messages = messages.iter().map(|m| (*m).to_owned()).collect();
    Job { password: None, pager: "5550142".to_owned(), messages }
}

struct Line {
    page: Page,
    now: Instant,
    said: Vec<Vec<u8>>,
    end: Option<Outcome>,
}

impl Line {
    fn open(job: Job) -> Self {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut line = Self { page: Page::new(job), now, said: Vec::new(), end: None };
        line.tell(Input::Connected);
        line
    }

    fn tell(&mut self, input: Input<'_>) -> &mut Self {
        self.page.handle(self.now, input);
        while let Some(output) = self.page.poll_output() {
            match output {
                Output::Send(bytes) => self.said.push(bytes),
                Output::Done(outcome) => assert!(self.end.replace(outcome).is_none(), "one outcome"),
            }
        }
        self
    }

    fn hears(&mut self, what: &str) -> &mut Self {
        self.tell(Input::Bytes(what.as_bytes()))
    }

    /// Time passes until it wants to be woken.
    fn silence(&mut self) -> &mut Self {
        let (at, _) = self.page.poll_timeout().expect("it waits");
        self.now = at;
        self.tell(Input::Due)
    }

    fn hears_some(&mut self, all: &[&str]) -> &mut Self {
        for what in all {
            self.hears(what);
        }
        self
    }

    fn hears_all(&mut self, all: &[&str]) -> Outcome {
        self.hears_some(all).end.clone().expect("it is over")
    }
}

fn outcome(heard: &[&str]) -> Outcome {
    Line::open(job(&["burst pipe"])).hears_all(heard)
}

fn later(why: &str) -> Outcome {
    Outcome::Later { why: why.to_owned() }
}

fn refused(why: &str) -> Outcome {
    Outcome::Refused { why: why.to_owned() }
}

#[test]
fn the_checksum_is_that_of_the_specification() {
    // §6's worked example: STX, "123", CR, "ABC", CR, ETX add up to 0x17b.
    assert_eq!(checksum(b"\x02123\rABC\r\x03"), *b"17;");
}

#[test]
fn a_page_is_taken_once_its_block_is_acknowledged_and_nothing_took_it_back() {
    let mut line = Line::open(job(&["burst pipe"]));
    assert_eq!(line.hears_all(&[ASKED, LOGGED_IN, GO, TAKEN, BYE]), Outcome::Taken { reference: None });
    let block = b"\x025550142\rburst pipe\r\x03";
    let block = [block.as_slice(), &checksum(block), b"\r"].concat();
    assert_eq!(line.said, [b"\r".to_vec(), b"\x1bPG1\r".to_vec(), block, b"\x04\r".to_vec()]);
}

#[test]
fn a_password_goes_with_the_login() {
    let mut line = Line::open(Job { password: Some("secret".to_owned()), ..job(&["a"]) });
    line.hears(ASKED);
    assert_eq!(line.said[1], b"\x1bPG1secret\r");
}

#[test]
fn a_terminal_that_is_slow_to_wake_is_asked_three_times_two_seconds_apart() {
    let mut line = Line::open(job(&["burst pipe"]));
    let start = line.now;
    line.silence().silence();
    assert_eq!(line.said.len(), 3);
    assert_eq!(line.now, start + Duration::from_secs(4));
    assert_eq!(line.hears_all(&[ASKED, LOGGED_IN, GO, TAKEN, BYE]), Outcome::Taken { reference: None });
    let mut dead = Line::open(job(&["burst pipe"]));
    dead.silence().silence().silence();
    assert_eq!((dead.end, dead.said.len()), (Some(later("silent")), 3));
}

#[test]
fn a_long_message_goes_in_blocks_that_say_how_they_go_on() {
    let message = "w".repeat(600);
    let all = blocks("5550142", &message);
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|block| block.len() <= 256));
    let ends: Vec<u8> = all.iter().map(|block| block[block.len() - 5]).collect();
    assert_eq!(ends, [0x1f, 0x1f, 0x03]);
    let content: Vec<u8> = all.iter().flat_map(|block| block[1..block.len() - 5].to_vec()).collect();
    assert_eq!(content, format!("5550142\r{message}\r").into_bytes());
    // A block that is just full with its field ends as one.
    let ends_with_field = blocks("5550142", &"w".repeat(241));
    assert_eq!(ends_with_field.len(), 1);
    assert_eq!(blocks(&"1".repeat(249), "w")[0][251], 0x17);

    let mut line = Line::open(job(&[&message]));
    assert_eq!(
        line.hears_all(&[ASKED, LOGGED_IN, GO, "\x06\r", "\x06\r", TAKEN, BYE]),
        Outcome::Taken { reference: None }
    );
    assert_eq!(line.said[2..5], all);
}

#[test]
fn what_was_garbled_is_sent_again_and_three_times_at_most() {
    let mut line = Line::open(job(&["burst pipe"]));
    assert_eq!(
        line.hears_all(&[ASKED, LOGGED_IN, GO, "\x15\r", "\x15\r", TAKEN, BYE]),
        Outcome::Taken { reference: None }
    );
    assert_eq!(line.said[2], line.said[3]);
    assert_eq!(line.said[3], line.said[4]);
    assert_eq!(outcome(&[ASKED, LOGGED_IN, GO, "\x15\r", "\x15\r", "\x15\r"]), later("garbled"));
}

#[test]
fn a_login_is_tried_three_times_and_then_somebody_has_to_mend_it() {
    assert_eq!(outcome(&[ASKED, "\x15\r", "\x15\r", "\x15\r"]), later("login_refused"));
    assert_eq!(outcome(&[ASKED, ASKED, ASKED, ASKED]), later("login_refused"));
    assert_eq!(outcome(&[ASKED, "510 bad password\r\x1b\x04\r"]), later("tap_510"));
    assert_eq!(outcome(&[ASKED, "\x15\r", LOGGED_IN, GO, TAKEN, BYE]), Outcome::Taken { reference: None });
}

#[test]
fn an_abandoned_transaction_is_refused_with_the_terminals_own_number() {
    assert_eq!(outcome(&[ASKED, LOGGED_IN, GO, "511 Invalid pager\r\x1e\r"]), refused("tap_511"));
    assert_eq!(outcome(&[ASKED, LOGGED_IN, GO, "\x1e\r"]), refused("abandoned"));
    assert_eq!(
        outcome(&[ASKED, LOGGED_IN, GO, TAKEN, "513 after all\r\x1e\r"]),
        refused("tap_513"),
        "taken back at the end"
    );
    assert_eq!(outcome(&[ASKED, LOGGED_IN, GO, "501 timeout\r\x1b\x04\r"]), later("tap_501"));
}

#[test]
fn several_messages_are_several_transactions() {
    let mut line = Line::open(job(&["1/2 burst", "2/2 pipe"]));
    assert_eq!(line.hears_all(&[ASKED, LOGGED_IN, GO, TAKEN, TAKEN, BYE]), Outcome::Taken { reference: None });
    assert!(line.said[3].starts_with(b"\x025550142\r2/2 pipe\r"));
}

#[test]
fn what_breaks_before_the_last_block_was_not_taken_and_what_breaks_after_it_is_unsure() {
    let until: [&[&str]; 5] =
        [&[], &[ASKED], &[ASKED, LOGGED_IN], &[ASKED, LOGGED_IN, GO], &[ASKED, LOGGED_IN, GO, TAKEN]];
    for (step, heard) in until.into_iter().enumerate() {
        let expected = |why: &str| match step {
            0..=2 => later(why),
            3 => Outcome::Unsure { why: why.to_owned() },
            _ => Outcome::Taken { reference: None },
        };
        let mut closed = Line::open(job(&["burst pipe"]));
        closed.hears_some(heard);
        closed.tell(Input::Closed);
        assert_eq!(closed.end, Some(expected("broken_off")), "step {step}");
    }
    let mut silent = Line::open(job(&["burst pipe"]));
    silent.hears_some(&[ASKED, LOGGED_IN, GO]);
    silent.silence();
    assert_eq!(silent.end, Some(Outcome::Unsure { why: "silent".to_owned() }));
    assert_eq!(silent.said.len(), 4, "a block that was not answered is not sent again");
    let mut between = Line::open(job(&[&"w".repeat(600)]));
    between.hears_some(&[ASKED, LOGGED_IN, GO, "\x06\r"]);
    between.silence();
    assert_eq!(between.end, Some(later("silent")), "half a transaction is none");
}

#[test]
fn parity_line_feeds_and_cuts_change_nothing() {
    let heard = [ASKED, "\r\n110 1.8\r\n\x06\r\n", GO, TAKEN, BYE].concat();
    let mut line = Line::open(job(&["burst pipe"]));
    for byte in heard.bytes() {
        let parity = if byte.count_ones() % 2 == 1 { 0x80 } else { 0 };
        line.tell(Input::Bytes(&[byte | parity]));
    }
    assert_eq!(line.end, Some(Outcome::Taken { reference: None }));
}

#[test]
fn an_endless_line_ends_the_page() {
    let mut line = Line::open(job(&["burst pipe"]));
    line.tell(Input::Bytes(&[b'x'; 10_000]));
    assert_eq!(line.end, Some(later("unreadable")));
}

#[test]
fn what_a_terminal_refuses_with_is_kept_in_its_own_words_and_of_a_login_nothing() {
    let said = |heard: &[&str]| {
        let mut line = Line::open(job(&["burst pipe"]));
        line.hears_some(heard);
        line.page.said().map(str::to_owned)
    };
    assert_eq!(said(&[ASKED, LOGGED_IN, GO, "511 Invalid pager\r\x1e\r"]).as_deref(), Some("511 Invalid pager"));
    assert_eq!(said(&[ASKED, LOGGED_IN, GO, "No such pager\r\x1e\r"]).as_deref(), Some("No such pager"));
    assert_eq!(said(&[ASKED, LOGGED_IN, GO, "No such pager\x1e\r"]).as_deref(), Some("No such pager"));
    assert_eq!(said(&[ASKED, LOGGED_IN, GO, "\x1e\r"]), None);
    assert_eq!(said(&[ASKED, "510 bad password\r\x1b\x04\r"]), None);
}
