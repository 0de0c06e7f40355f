//! SNPP (RFC 1861), levels 1 and 2, from the client's side: the dialogue that hands one message to a pager's carrier.
//!
//! A machine over lines; `io/deliver/pager` drives it. Of level 3 nothing is asked for, but a gateway may answer in its
//! codes. What always holds: a page counts as taken only once SEND was answered so; whatever happens between SEND and its answer
//! leaves it unsure, whatever happens before leaves it not taken.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::proto::paging::{Dialogue, Input, Outcome, Output, Reason, WITHIN};

/// How long one reply may take.
const REPLY_WITHIN: Duration = Duration::from_secs(10);
/// How long the reply to SEND may take: a gateway may hand the page on first.
const SEND_WITHIN: Duration = Duration::from_secs(25);
/// No reply is longer.
const MAX_LINE: usize = 2_000;
/// Longer messages go by DATA (level 2), as level 1 takes them on the command's own line.
const MAX_ON_LINE: usize = 200;

/// What is to be handed over. All of it is printable ASCII.
#[derive(Clone)]
pub struct Job {
    pub login: Option<(String, Option<String>)>,
    pub pager: String,
    /// One page each, in order.
    pub messages: Vec<String>,
    /// Asks for the first service level (RFC 1861 §4.5.4); a gateway without levels is not pressed.
    pub urgent: bool,
}

/// What the reply that is waited for is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Closed,
    Greeting,
    Login,
    Page,
    Level,
    /// By MESS; `other`: DATA was refused before.
    Line {
        other: bool,
    },
    /// By DATA; `other`: MESS was refused before.
    Data {
        other: bool,
    },
    Text,
    Send,
    Over,
}

/// One page on its way over one connection.
pub struct Page {
    job: Job,
    /// Pages of the job that are taken.
    taken: usize,
    at: At,
    line: Vec<u8>,
    /// The last reply, if it refused something.
    said: Option<String>,
    out: VecDeque<Output>,
    due_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl Page {
    pub fn new(job: Job) -> Self {
        let (line, out) = (Vec::new(), VecDeque::new());
        Self { job, taken: 0, at: At::Closed, line, said: None, out, due_at: None, ends_at: None }
    }

    fn wait(&mut self, now: Instant, at: At) {
        let within = if at == At::Send { SEND_WITHIN } else { REPLY_WITHIN };
        let due_at = now + within;
        self.at = at;
        self.due_at = Some(self.ends_at.map_or(due_at, |end| due_at.min(end)));
    }

    fn say(&mut self, now: Instant, at: At, line: &str) {
        self.out.push_back(Output::Send(format!("{line}\r\n").into_bytes()));
        self.wait(now, at);
    }

    fn end(&mut self, outcome: Outcome) {
        if self.at == At::Over {
            return;
        }
        self.at = At::Over;
        self.due_at = None;
        self.out.push_back(Output::Send(b"QUIT\r\n".to_vec()));
        self.out.push_back(Output::Done(outcome));
    }

    fn later(&mut self, code: u16) {
        self.end(Outcome::Later { why: format!("snpp_{code}") });
    }

    fn refused(&mut self, code: u16) {
        self.end(Outcome::Refused { why: format!("snpp_{code}") });
    }

    /// Something went wrong that is no reply: what it means depends on whether SEND was said.
    fn broken(&mut self, why: &str) {
        let why = why.to_owned();
        self.end(if self.at == At::Send { Outcome::Unsure { why } } else { Outcome::Later { why } });
    }

    fn read_line(&mut self, now: Instant) {
        let line = std::mem::take(&mut self.line);
        let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
        let code = std::str::from_utf8(&line[..digits.min(3)]).ok().and_then(|code| code.parse::<u16>().ok());
        match (code, digits, line.get(3)) {
            // Help may come at any time, and lines that go on are followed by their last.
            (Some(214 | 218), 3, _) | (Some(_), 3, Some(b'-')) => {}
            (Some(code), 3, None | Some(b' ')) => self.replied(now, code, &line),
            _ => self.broken("unreadable"),
        }
    }

    fn replied(&mut self, now: Instant, code: u16, line: &[u8]) {
        let refuses = matches!(code, 400..=799) && !matches!(self.at, At::Closed | At::Login | At::Over);
        self.said = refuses.then(|| String::from_utf8_lossy(line).into_owned());
        match (self.at, code) {
            (At::Closed | At::Over, _) => {}
            // Said before a gateway hangs up, at any time: it has done nothing.
            (_, 421) => self.later(code),
            (At::Greeting, 200..=299) => match self.job.login.clone() {
                Some((user, password)) => {
                    let password = password.map_or_else(String::new, |password| format!(" {password}"));
                    self.say(now, At::Login, &format!("LOGI {user}{password}"));
                }
                None => self.say_page(now),
            },
            // Without logins there is nothing to log in to.
            (At::Login, 200..=299 | 500) => self.say_page(now),
            // What is wrong with our own login somebody can mend.
            (At::Login, _) => self.end(Outcome::Later { why: "login_refused".to_owned() }),
            (At::Page, 200..=299 | 800..=999) if self.job.urgent => self.say(now, At::Level, "LEVE 0"),
            (At::Page, 200..=299 | 800..=999) => self.say_message(now),
            (At::Page, 550) => self.refused(code),
            // Whatever it says to the level, the page goes on.
            (At::Level, _) => self.say_message(now),
            (At::Line { .. } | At::Text, 200..=299) => self.say(now, At::Send, "SEND"),
            (At::Line { other: false }, 500) => self.say(now, At::Data { other: true }, "DATA"),
            (At::Data { other: false }, 500) => self.say_line(now, true),
            (At::Data { .. }, 300..=399) => {
                let text = self.message().to_owned();
                // A line that is a dot alone ends the text (§4.5.2).
                let shy = if text.starts_with('.') { " " } else { "" };
                self.say(now, At::Text, &format!("{shy}{text}\r\n."));
            }
            // Not such a message, or not so long a one.
            (At::Line { .. } | At::Data { .. } | At::Text, 550 | 552) => self.refused(code),
            // 8yz and 9yz are two-way words for sent and queued (§4.6.9).
            (At::Send, 200..=299 | 800..=999) => self.sent(now, line),
            (At::Send, 550) => self.refused(code),
            // 503: incomplete; 554: technical; 7yz: not delivered.
            (At::Send, 500..=599 | 700..=799) => self.later(code),
            (At::Send, _) => self.broken(&format!("snpp_{code}")),
            (_, _) => self.later(code),
        }
    }

    fn message(&self) -> &str {
        self.job.messages.get(self.taken).map_or("", String::as_str)
    }

    fn say_page(&mut self, now: Instant) {
        let line = format!("PAGE {}", self.job.pager);
        self.say(now, At::Page, &line);
    }

    fn say_message(&mut self, now: Instant) {
        if self.message().len() > MAX_ON_LINE {
            self.say(now, At::Data { other: false }, "DATA");
        } else {
            self.say_line(now, false);
        }
    }

    fn say_line(&mut self, now: Instant, other: bool) {
        let line = format!("MESS {}", self.message());
        self.say(now, At::Line { other }, &line);
    }

    fn sent(&mut self, now: Instant, line: &[u8]) {
        self.taken += 1;
        if self.taken < self.job.messages.len() {
            // A gateway forgets all but the login after SEND (§4.3).
            return self.say_page(now);
        }
        let mut words = line.split(|b| *b == b' ');
        let tag = words.nth(1).filter(|_| matches!(line.first(), Some(b'8' | b'9')));
        let tag = tag.filter(|tag| (1..=40).contains(&tag.len()) && tag.iter().all(u8::is_ascii_digit));
        let reference = tag.map(|tag| String::from_utf8_lossy(tag).into_owned());
        self.end(Outcome::Taken { reference });
    }
}

impl Dialogue for Page {
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Connected if self.at == At::Closed => {
                self.ends_at = Some(now + WITHIN);
                self.wait(now, At::Greeting);
            }
            Input::Connected => {}
            Input::Bytes(bytes) => {
                for byte in bytes {
                    match byte {
                        _ if self.at == At::Over => return,
                        b'\n' => self.read_line(now),
                        b'\r' => {}
                        _ if self.line.len() == MAX_LINE => self.broken("unreadable"),
                        byte => self.line.push(*byte),
                    }
                }
            }
            Input::Closed => self.broken("broken_off"),
            Input::Due if self.due_at.is_some_and(|at| at <= now) => self.broken("silent"),
            Input::Due => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.due_at.map(|at| (at, Reason::Silence))
    }

    fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }
}

#[cfg(test)]
mod tests;
