//! TAP 1.8 (Telocator Alphanumeric Protocol, 4 February 1997) from the entry device's side, over a terminal server: the
//! dialogue that hands messages to a paging terminal.
//!
//! A machine over bytes and time; `io/deliver/pager` drives it. What always holds: a transaction counts as taken only once
//! its last block was acknowledged and the terminal has not taken that back before it hung up; a block is sent again
//! only if the terminal asks for it, as one that was not answered may have been paged.

mod block;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::proto::paging::{Dialogue, Input, Outcome, Output, Reason, WITHIN};

pub use block::{blocks, checksum};

const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
const RS: u8 = 0x1e;
const EOT: u8 = 0x04;
const ESC: u8 = 0x1b;
const CR: u8 = b'\r';

/// §7: how often a carriage return asks for `ID=`, and how long each is waited for (N1, T1).
const ASKS: u32 = 3;
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How often a login (N2) and a block (N3) are sent at most.
const LOGINS: u32 = 3;
const SENDINGS: u32 = 3;
/// How long an answer to a login or a block may take (T3).
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long the terminal may take to say goodbye (T5).
const GOODBYE_WITHIN: Duration = Duration::from_secs(8);
/// No line of a terminal is longer.
const MAX_LINE: usize = 2_000;

/// What is to be handed over. All of it is printable ASCII.
#[derive(Clone)]
pub struct Job {
    /// At most six characters, as the terminal's operator has given it.
    pub password: Option<String>,
    pub pager: String,
    /// One transaction each, in order.
    pub messages: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Closed,
    /// Carriage returns sent so far.
    Id {
        asks: u32,
    },
    /// Logins sent so far.
    Login {
        tries: u32,
    },
    Go,
    /// How often the block was sent.
    Block {
        sendings: u32,
    },
    /// All is acknowledged.
    Goodbye,
    Over,
}

/// What a line of the terminal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Ack,
    Nak,
    /// This transaction breaks a rule and is abandoned.
    Abandoned,
    GoAhead,
    /// It hangs up.
    HangsUp,
    /// A message sequence: `511 …`.
    Code(u16),
    Words,
}

/// One page on its way over one connection.
pub struct Page {
    job: Job,
    /// Blocks of each transaction that is not done, in order.
    transactions: VecDeque<VecDeque<Vec<u8>>>,
    at: At,
    line: Vec<u8>,
    /// The last number the terminal said: why, if it then refuses.
    code: Option<u16>,
    /// And the words it said last.
    said: Option<String>,
    out: VecDeque<Output>,
    due_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl Page {
    pub fn new(job: Job) -> Self {
        let transactions = job.messages.iter().map(|message| blocks(&job.pager, message).into()).collect();
        let (line, out) = (Vec::new(), VecDeque::new());
        Self { job, transactions, at: At::Closed, line, code: None, said: None, out, due_at: None, ends_at: None }
    }

    fn wait(&mut self, now: Instant, at: At, within: Duration) {
        let due_at = now + within;
        self.at = at;
        self.due_at = Some(self.ends_at.map_or(due_at, |end| due_at.min(end)));
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.out.push_back(Output::Send(bytes));
    }

    fn end(&mut self, outcome: Outcome) {
        if self.at == At::Over {
            return;
        }
        if !matches!(self.at, At::Closed | At::Id { .. } | At::Goodbye) {
            self.send(vec![EOT, CR]);
        }
        self.at = At::Over;
        self.due_at = None;
        self.out.push_back(Output::Done(outcome));
    }

    /// Not taken; the terminal's own number says why, if it gave one.
    fn later(&mut self, why: &str) {
        let why = self.code.take().map_or_else(|| why.to_owned(), |code| format!("tap_{code}"));
        self.end(Outcome::Later { why });
    }

    /// The answer did not come.
    fn broken(&mut self, why: &str) {
        match self.at {
            // Everything was acknowledged before.
            At::Goodbye => self.end(Outcome::Taken { reference: None }),
            At::Block { .. } if self.is_last_block() => self.end(Outcome::Unsure { why: why.to_owned() }),
            _ => self.later(why),
        }
    }

    /// With this block the transaction is whole.
    fn is_last_block(&self) -> bool {
        self.transactions.front().is_none_or(|blocks| blocks.len() <= 1)
    }

    fn ask(&mut self, now: Instant, asks: u32) {
        self.send(vec![CR]);
        self.wait(now, At::Id { asks }, ASK_EVERY);
    }

    fn log_in(&mut self, now: Instant, tries: u32) {
        let mut login = vec![ESC];
        login.extend_from_slice(b"PG1");
        login.extend_from_slice(self.job.password.as_deref().unwrap_or_default().as_bytes());
        login.push(CR);
        self.send(login);
        self.code = None;
        self.wait(now, At::Login { tries }, ANSWER_WITHIN);
    }

    fn send_block(&mut self, now: Instant, sendings: u32) {
        match self.transactions.front().and_then(VecDeque::front).cloned() {
            Some(block) => {
                self.send(block);
                (self.code, self.said) = (None, None);
                self.wait(now, At::Block { sendings }, ANSWER_WITHIN);
            }
            None => {
                self.send(vec![EOT, CR]);
                self.wait(now, At::Goodbye, GOODBYE_WITHIN);
            }
        }
    }

    fn acknowledged(&mut self, now: Instant) {
        if let Some(blocks) = self.transactions.front_mut() {
            blocks.pop_front();
            if blocks.is_empty() {
                self.transactions.pop_front();
            }
        }
        self.send_block(now, 1);
    }

    fn answered(&mut self, now: Instant, answer: Answer) {
        match (self.at, answer) {
            (_, Answer::Words) | (At::Closed | At::Over, _) => {}
            // Below 500 it only tells what it does.
            (_, Answer::Code(code)) => self.code = Some(code).filter(|code| *code >= 500),
            (At::Login { .. }, Answer::Ack) => self.wait(now, At::Go, ANSWER_WITHIN),
            (At::Login { tries }, Answer::Nak) if tries < LOGINS => self.log_in(now, tries + 1),
            // What is wrong with our own login somebody can mend.
            (At::Login { .. }, Answer::Nak | Answer::Abandoned) => self.later("login_refused"),
            // Some terminals leave the acknowledgement out.
            (At::Go | At::Login { .. }, Answer::GoAhead) => self.send_block(now, 1),
            (At::Block { .. }, Answer::Ack) => self.acknowledged(now),
            (At::Block { sendings }, Answer::Nak) if sendings < SENDINGS => self.send_block(now, sendings + 1),
            (At::Block { .. }, Answer::Nak) => self.later("garbled"),
            // After the acknowledgement it may still take back what it then found wrong (§3, step 9).
            (At::Block { .. } | At::Goodbye, Answer::Abandoned) => {
                let why = self.code.take().map_or_else(|| "abandoned".to_owned(), |code| format!("tap_{code}"));
                self.end(Outcome::Refused { why });
            }
            (At::Goodbye, Answer::HangsUp) => self.end(Outcome::Taken { reference: None }),
            // It says so itself: what it has not acknowledged it will not page.
            (_, Answer::HangsUp) => self.later("hung_up"),
            (_, Answer::Ack | Answer::Nak | Answer::Abandoned | Answer::GoAhead) => {}
        }
    }

    /// Why it refuses it says on lines of their own, or before the sign (§3, steps 8 and 9). To a login nothing is kept.
    fn keep_words(&mut self, answer: Answer, line: &[u8]) {
        if !matches!(self.at, At::Block { .. } | At::Goodbye) {
            return;
        }
        let words = match answer {
            Answer::Words => line,
            Answer::Code(code) if code >= 500 => line,
            Answer::Nak | Answer::Abandoned => line.get(..line.len().saturating_sub(1)).unwrap_or_default(),
            _ => &[],
        };
        if !words.is_empty() {
            self.said = Some(String::from_utf8_lossy(words).into_owned());
        }
    }

    fn read(&mut self, now: Instant, byte: u8) {
        // Seven bits and parity: terminal servers may hand the eighth through.
        let byte = byte & 0x7f;
        if byte == CR {
            let line = std::mem::take(&mut self.line);
            if let Some(answer) = understand(&line) {
                self.keep_words(answer, &line);
                self.answered(now, answer);
            }
            return;
        }
        if self.line.len() == MAX_LINE {
            return self.broken("unreadable");
        }
        if byte != b'\n' && byte != 0 {
            self.line.push(byte);
        }
        // It asks who we are without ending the line; again, if it did not understand our answer.
        if self.line.ends_with(b"ID=") {
            match self.at {
                At::Id { .. } => {
                    self.line.clear();
                    self.log_in(now, 1);
                }
                At::Login { tries } if tries < LOGINS => {
                    self.line.clear();
                    self.log_in(now, tries + 1);
                }
                At::Login { .. } => self.later("login_refused"),
                _ => {}
            }
        }
    }
}

/// What a line says; `None` for an empty one. Its words may stand before the sign on the same line.
fn understand(line: &[u8]) -> Option<Answer> {
    let last = *line.last()?;
    Some(match last {
        ACK => Answer::Ack,
        NAK => Answer::Nak,
        RS => Answer::Abandoned,
        EOT if line.ends_with(&[ESC, EOT]) => Answer::HangsUp,
        b'p' if line.ends_with(&[ESC, b'[', b'p']) => Answer::GoAhead,
        _ => {
            let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
            let ends = line.get(3).is_none_or(|b| !b.is_ascii_alphanumeric());
            let code = std::str::from_utf8(&line[..digits]).ok().filter(|_| digits == 3 && ends);
            code.and_then(|code| code.parse().ok()).map_or(Answer::Words, Answer::Code)
        }
    })
}

impl Dialogue for Page {
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Connected if self.at == At::Closed => {
                self.ends_at = Some(now + WITHIN);
                self.ask(now, 1);
            }
            Input::Connected => {}
            Input::Bytes(bytes) => {
                for byte in bytes {
                    if self.at == At::Over {
                        return;
                    }
                    self.read(now, *byte);
                }
            }
            Input::Closed => self.broken("broken_off"),
            Input::Due if self.due_at.is_some_and(|at| at <= now) => match self.at {
                At::Id { asks } if asks < ASKS => self.ask(now, asks + 1),
                _ => self.broken("silent"),
            },
            Input::Due => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let reason = match self.at {
            At::Id { asks } if asks < ASKS => Reason::Again,
            _ => Reason::Silence,
        };
        self.due_at.map(|at| (at, reason))
    }

    fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }
}

#[cfg(test)]
mod tests;
