//! What the page shows: the phones with their owners, mailboxes, numbers to dial, log-ins; as JSON.
//!
//! Holds the phones, decides nothing about calls. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use serde::Serialize;

use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;
use crate::sandbox::answer::Answer;
use crate::sandbox::exchange::TextOutcome;
use crate::sandbox::mail;
use crate::sandbox::phone::{Mode, Phone, State, Text};
use crate::sandbox::smtp::Received;

const MAILBOXES: usize = 64;
const MAILS_KEPT: usize = 30;
const ANSWERS_SHOWN: usize = 10;
/// A mail's body on the page; more is cut.
const BODY_SHOWN: usize = 20_000;

/// A phone of the sandbox and whose it is.
#[derive(Clone, Debug)]
pub struct PhoneEntry {
    pub number: PhoneNumber,
    /// Whose it is: "Ben Ortiz".
    pub name: String,
    /// What it is: "technician, mobile".
    pub title: String,
}

/// A mailbox and whose it is.
#[derive(Clone, Debug)]
pub struct MailboxEntry {
    pub address: String,
    pub name: String,
}

/// A number of the demo that the newcomer can dial.
#[derive(Clone, Debug, Serialize)]
pub struct NumberEntry {
    pub number: PhoneNumber,
    /// The account that answers there.
    pub account: String,
    /// What to call about, in a few words.
    pub hint: String,
}

/// A log-in of the demo, shown on the page.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    pub login: String,
    pub password: String,
    pub role: String,
}

#[derive(Debug)]
pub struct Entry {
    pub phone: Phone,
    name: String,
    title: String,
}

#[derive(Clone, Debug, Serialize)]
struct MailView {
    /// Within its mailbox.
    id: u64,
    at: UtcMs,
    from: String,
    subject: String,
    body: String,
    /// It says where an answer goes.
    can_answer: bool,
    /// What was answered.
    answers: Vec<String>,
    #[serde(skip)]
    reply_to: String,
    #[serde(skip)]
    message_id: String,
}

#[derive(Debug)]
struct Mailbox {
    name: String,
    mails: VecDeque<MailView>,
}

/// Everything on the page.
#[derive(Debug)]
pub struct Board {
    caller: PhoneNumber,
    phones: BTreeMap<PhoneNumber, Entry>,
    mailboxes: BTreeMap<String, Mailbox>,
    /// Mails that ever came.
    mails: u64,
    numbers: Vec<NumberEntry>,
    logins: Vec<Login>,
}

#[derive(Serialize)]
struct PhoneView<'a> {
    number: &'a PhoneNumber,
    name: &'a str,
    title: &'a str,
    mode: Mode,
    state: &'static str,
    with: Option<&'a str>,
    since: Option<UtcMs>,
    last: Option<&'a str>,
    /// The page whose handset is held to it.
    handset: Option<u64>,
    texts: &'a VecDeque<Text>,
}

#[derive(Serialize)]
struct MailboxView<'a> {
    address: &'a str,
    name: &'a str,
    mails: &'a VecDeque<MailView>,
}

impl Board {
    pub fn new(
        caller: PhoneNumber,
        phones: Vec<PhoneEntry>,
        mailboxes: Vec<MailboxEntry>,
        numbers: Vec<NumberEntry>,
        logins: Vec<Login>,
    ) -> Self {
        let entry = |name: String, title: String| Entry { phone: Phone::default(), name, title };
        let mut all: BTreeMap<_, _> = phones.into_iter().map(|p| (p.number, entry(p.name, p.title))).collect();
        all.entry(caller.clone()).or_insert_with(|| entry("You, the caller".to_owned(), "any telephone".to_owned()));
        let mailbox = |m: MailboxEntry| (m.address.to_lowercase(), Mailbox { name: m.name, mails: VecDeque::new() });
        Self { caller, phones: all, mailboxes: mailboxes.into_iter().map(mailbox).collect(), mails: 0, numbers, logins }
    }

    pub fn phone(&mut self, number: &PhoneNumber) -> Option<&mut Phone> {
        self.phones.get_mut(number).map(|e| &mut e.phone)
    }

    pub fn has_phone(&self, number: &PhoneNumber) -> bool {
        self.phones.contains_key(number)
    }

    /// Every phone with its number.
    pub fn phones(&self) -> impl Iterator<Item = (&PhoneNumber, &Phone)> {
        self.phones.iter().map(|(number, entry)| (number, &entry.phone))
    }

    /// Every phone with its number, to be changed.
    pub fn phones_mut(&mut self) -> impl Iterator<Item = (&PhoneNumber, &mut Phone)> {
        self.phones.iter_mut().map(|(number, entry)| (number, &mut entry.phone))
    }

    /// Puts a text on the phone it is for.
    pub fn take_text(&mut self, at: UtcMs, from: PhoneNumber, to: &PhoneNumber, body: String) -> TextOutcome {
        let Some(phone) = self.phone(to) else { return TextOutcome::NoSuchPhone };
        if phone.mode() == Mode::Off {
            return TextOutcome::SwitchedOff;
        }
        phone.keep_text(Text { at, with: from, body, mine: false, failed: false });
        TextOutcome::Delivered
    }

    /// Puts a mail into each mailbox it is for.
    pub fn take_mail(&mut self, at: UtcMs, received: &Received) {
        let read = mail::read(&received.raw);
        let from = if read.from.is_empty() { received.from.clone() } else { read.from };
        let body = read.body.chars().take(BODY_SHOWN).collect();
        self.mails += 1;
        let view = MailView {
            id: self.mails,
            at,
            from,
            subject: read.subject,
            body,
            can_answer: !read.reply_to.is_empty(),
            answers: Vec::new(),
            reply_to: read.reply_to,
            message_id: read.id,
        };
        for address in received.to.iter().map(|a| a.to_lowercase()) {
            if !self.mailboxes.contains_key(&address) && self.mailboxes.len() >= MAILBOXES {
                continue;
            }
            let fresh = || Mailbox { name: String::new(), mails: VecDeque::new() };
            let mailbox = self.mailboxes.entry(address).or_insert_with(fresh);
            mailbox.mails.push_front(view.clone());
            mailbox.mails.truncate(MAILS_KEPT);
        }
    }

    /// What an answer to this mail is; none: there is no such mail, or it asks for no answer.
    pub fn answer(&self, address: &str, id: u64, body: String) -> Option<Answer> {
        let from = address.to_lowercase();
        let mailbox = self.mailboxes.get(&from)?;
        let mail = mailbox.mails.iter().find(|mail| mail.id == id && mail.can_answer)?;
        let again = mail.subject.to_lowercase().starts_with("re:");
        let subject = if again { mail.subject.clone() } else { format!("Re: {}", mail.subject) };
        Some(Answer {
            from,
            name: mailbox.name.clone(),
            to: mail.reply_to.clone(),
            subject,
            answers: mail.message_id.clone(),
            asked_by: mail.from.clone(),
            asked: mail.body.clone(),
            body,
        })
    }

    /// That was taken.
    pub fn answered(&mut self, address: &str, id: u64, body: String) {
        let mailbox = self.mailboxes.get_mut(&address.to_lowercase());
        let mail = mailbox.and_then(|mailbox| mailbox.mails.iter_mut().find(|mail| mail.id == id));
        if let Some(mail) = mail.filter(|mail| mail.answers.len() < ANSWERS_SHOWN) {
            mail.answers.push(body);
        }
    }

    /// The page as JSON. `handset`: the page that listens to a phone.
    pub fn view(&self, now: Instant, utc: UtcMs, handset: impl Fn(&PhoneNumber) -> Option<u64>) -> String {
        let when = |since: Instant| {
            let ago = now.saturating_duration_since(since).as_millis();
            utc.plus_ms(-i64::try_from(ago).unwrap_or(0))
        };
        let phone = |(number, entry): (&'_ PhoneNumber, &'_ Entry)| {
            let (state, with, since) = match entry.phone.state() {
                State::Idle => ("idle", None, None),
                State::Ringing { from, since, .. } => {
                    ("ringing", from.as_ref().map(PhoneNumber::as_e164), Some(*since))
                }
                State::Dialling { to, since, alerted: true, .. } => ("alerting", Some(to.as_str()), Some(*since)),
                State::Dialling { to, since, .. } => ("dialling", Some(to.as_str()), Some(*since)),
                State::Talking { with, since, machine: true, .. } => ("voicemail", Some(with.as_str()), Some(*since)),
                State::Talking { with, since, .. } => ("talking", Some(with.as_str()), Some(*since)),
            };
            serde_json::to_value(PhoneView {
                number,
                name: &entry.name,
                title: &entry.title,
                mode: entry.phone.mode(),
                state,
                with,
                since: since.map(when),
                last: entry.phone.last(),
                handset: handset(number),
                texts: entry.phone.texts(),
            })
            .expect("a view of plain words and numbers is JSON")
        };
        let others = self.phones.iter().filter(|(number, _)| **number != self.caller);
        let mailbox = |(address, m): (&'_ String, &'_ Mailbox)| {
            serde_json::to_value(MailboxView { address, name: &m.name, mails: &m.mails })
                .expect("a view of plain words and numbers is JSON")
        };
        serde_json::json!({
            "now": utc,
            "caller": self.phones.get_key_value(&self.caller).map(phone),
            "phones": others.map(phone).collect::<Vec<_>>(),
            "mailboxes": self.mailboxes.iter().map(mailbox).collect::<Vec<_>>(),
            "numbers": self.numbers,
            "logins": self.logins,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, TestClock};
    use crate::sandbox::phone::Input;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).expect("a number")
    }

    fn board() -> Board {
        let ben = PhoneEntry { number: number("+12025550110"), name: "Ben".to_owned(), title: "mobile".to_owned() };
        Board::new(number("+12025550190"), vec![ben], Vec::new(), Vec::new(), Vec::new())
    }

    #[test]
    fn a_text_reaches_a_phone_unless_it_is_off_or_there_is_none() {
        let (mut board, desk, ben) = (board(), number("+12025550102"), number("+12025550110"));
        let text = |board: &mut Board, to: &PhoneNumber| board.take_text(UtcMs(5), desk.clone(), to, "hi".to_owned());
        assert_eq!(text(&mut board, &ben), TextOutcome::Delivered);
        assert_eq!(text(&mut board, &number("+12025550139")), TextOutcome::NoSuchPhone);
        let clock = TestClock::at(UtcMs(0));
        board.phone(&ben).expect("a phone").handle(clock.instant(), Input::SetMode(Mode::Off));
        assert_eq!(text(&mut board, &ben), TextOutcome::SwitchedOff);
        let view: serde_json::Value =
            serde_json::from_str(&board.view(clock.instant(), UtcMs(9), |_| None)).expect("JSON");
        assert_eq!(view["phones"][0]["texts"][0]["body"], "hi");
        assert_eq!(view["caller"]["state"], "idle");
    }

    #[test]
    fn a_mail_lies_in_each_mailbox_it_is_for_the_newest_first() {
        let mut board = board();
        let mail = |subject: &str| Received {
            from: "desk@example.test".to_owned(),
            to: vec!["Ann@Example.test".to_owned(), "bob@example.test".to_owned()],
            raw: format!("Subject: {subject}\r\n\r\nwet\r\n").into_bytes(),
        };
        board.take_mail(UtcMs(1), &mail("one"));
        board.take_mail(UtcMs(2), &mail("two"));
        let clock = TestClock::at(UtcMs(0));
        let view: serde_json::Value =
            serde_json::from_str(&board.view(clock.instant(), UtcMs(9), |_| None)).expect("JSON");
        assert_eq!(view["mailboxes"][0]["address"], "ann@example.test");
        assert_eq!(view["mailboxes"][1]["mails"][0]["subject"], "two");
        assert_eq!(view["mailboxes"][1]["mails"][0]["from"], "desk@example.test");
        assert_eq!(view["mailboxes"][1]["mails"][0]["can_answer"], false);
        assert_eq!(board.answer("bob@example.test", 2, "ok".into()), None, "it does not say where to");
        let mut mail = mail("three");
        mail.raw = b"From: Desk <desk@example.test>\r\nReply-To: Desk <reply+a@example.test>\r\nMessage-ID: <1@a>\r\n\
            Subject: three\r\n\r\nwet\r\n"
            .to_vec();
        board.take_mail(UtcMs(3), &mail);
        let answer = board.answer("Bob@example.test", 3, "ok".into()).expect("an answer");
        assert_eq!((answer.to.as_str(), answer.subject.as_str()), ("reply+a@example.test", "Re: three"));
        assert_eq!((answer.from.as_str(), answer.answers.as_str()), ("bob@example.test", "<1@a>"));
        board.answered("bob@example.test", 3, "ok".into());
        let view: serde_json::Value =
            serde_json::from_str(&board.view(clock.instant(), UtcMs(9), |_| None)).expect("JSON");
        assert_eq!(view["mailboxes"][1]["mails"][0]["answers"][0], "ok");
        assert_eq!(view["mailboxes"][0]["mails"][0]["answers"].as_array().map(Vec::len), Some(0), "Ann has not");
        for i in 0..200 {
            let to = vec![format!("{i}@example.test")];
            board.take_mail(UtcMs(3), &Received { from: String::new(), to, raw: Vec::new() });
        }
        assert_eq!(board.mailboxes.len(), MAILBOXES);
    }
}
