//! The receiving side of SMTP (RFC 5321), as a machine over bytes: takes mail for addresses that are ours and no other.
//!
//! Knows no socket, no TLS and no address: who drives it (`io/mail_in`) says which addresses are ours, and whether a mail is
//! stored, which alone makes it say that it was taken. What always holds: nothing grows beyond its bound; a mail ends at
//! CR LF . CR LF and nowhere else, so nobody smuggles a second one in; what came before TLS is forgotten with it (RFC 3207
//! §4.2); whoever guesses addresses or talks nonsense is hung up on.

use std::collections::VecDeque;

/// The longest command (§4.5.3.1.4 asks for 512; parameters make it longer).
const MAX_LINE: usize = 2_048;
/// Addresses of ours that one mail may be for.
const MAX_RECIPIENTS: usize = 10;
/// Refusals until the caller is hung up on.
const MAX_ERRORS: u32 = 10;
/// Mails over one connection.
const MAX_MAILS: u32 = 50;
/// A mail that is too large is read on this many times its bound, so that its sender hears why.
const PATIENCE: usize = 4;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    Say(String),
    /// A mail is whole: answer with [`Session::stored`]. Nothing further is read until then.
    Mail(Mail),
    /// Begin TLS, then call [`Session::secured`].
    StartTls,
    Close,
}

/// A mail as it was handed over.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Of the envelope; empty: it wants no answer.
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, dots unstuffed.
    pub raw: Vec<u8>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("octets", &self.raw.len()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Stage {
    /// Nobody has said hello.
    Fresh,
    Ready,
    Envelope(Mail),
    Data {
        mail: Mail,
        /// Octets of it that came, also of one that is too large.
        came: usize,
        /// The next octet is not the first of its line.
        in_line: bool,
    },
    Storing,
    Securing,
    Over,
}

/// One conversation.
#[derive(Debug)]
pub struct Session {
    /// Who we say that we are.
    name: String,
    max_size: usize,
    /// TLS is offered, and not there yet.
    offers_tls: bool,
    stage: Stage,
    buffer: Vec<u8>,
    errors: u32,
    mails: u32,
    outputs: VecDeque<Output>,
}

impl Session {
    /// A conversation that begins. `offers_tls`: whoever wants to may have it.
    pub fn new(name: &str, max_size: usize, offers_tls: bool) -> Self {
        let greeting = Output::Say(format!("220 {name} ESMTP\r\n"));
        Self {
            name: name.to_owned(),
            max_size,
            offers_tls,
            stage: Stage::Fresh,
            buffer: Vec::new(),
            errors: 0,
            mails: 0,
            outputs: VecDeque::from([greeting]),
        }
    }

    /// Bytes from the other side.
    pub fn handle(&mut self, bytes: &[u8], is_ours: &dyn Fn(&str) -> bool) {
        self.buffer.extend_from_slice(bytes);
        self.work(is_ours);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The mail that was given out is stored, or cannot be now.
    pub fn stored(&mut self, stored: bool, is_ours: &dyn Fn(&str) -> bool) {
        if matches!(self.stage, Stage::Storing) {
            self.stage = Stage::Ready;
            self.say(if stored { "250 2.0.0 Taken" } else { "451 4.3.0 Cannot be stored now; try again later" });
            self.work(is_ours);
        }
    }

    /// TLS is there: all begins anew.
    pub fn secured(&mut self) {
        if matches!(self.stage, Stage::Securing) {
            self.stage = Stage::Fresh;
            self.offers_tls = false;
            self.buffer.clear();
        }
    }

    /// The other side says nothing, or we stop.
    pub fn end(&mut self, why: &str) {
        if !matches!(self.stage, Stage::Over) {
            self.say(&format!("421 4.4.2 {} {why}", self.name));
            self.close();
        }
    }

    fn close(&mut self) {
        self.stage = Stage::Over;
        self.buffer.clear();
        self.outputs.push_back(Output::Close);
    }

    fn say(&mut self, text: &str) {
        self.outputs.push_back(Output::Say(format!("{text}\r\n")));
    }

    fn refuse(&mut self, text: &str) {
        self.say(text);
        self.errors += 1;
        if self.errors >= MAX_ERRORS {
            self.say("421 4.7.0 Too many errors");
            self.close();
        }
    }

    fn work(&mut self, is_ours: &dyn Fn(&str) -> bool) {
        loop {
            let moved = match self.stage {
                Stage::Fresh | Stage::Ready | Stage::Envelope(_) => self.command(is_ours),
                Stage::Data { .. } => self.data(),
                Stage::Storing => false,
                Stage::Securing | Stage::Over => {
                    self.buffer.clear();
                    false
                }
            };
            if !moved {
                return;
            }
        }
    }

    /// One command, if it is whole.
    fn command(&mut self, is_ours: &dyn Fn(&str) -> bool) -> bool {
        let Some(end) = find_crlf(&self.buffer) else {
            if self.buffer.len() > MAX_LINE {
                self.say("500 5.5.2 Line too long");
                self.close();
            }
            return false;
        };
        let line: Vec<u8> = self.buffer.drain(..end + 2).take(end).collect();
        match String::from_utf8(line) {
            Ok(line) if line.len() <= MAX_LINE && !line.contains(['\r', '\n', '\0']) => {
                self.obey(line.trim_end(), is_ours)
            }
            _ => self.refuse("500 5.5.2 Not understood"),
        }
        true
    }

    fn obey(&mut self, line: &str, is_ours: &dyn Fn(&str) -> bool) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (verb.to_ascii_uppercase().as_str(), &mut self.stage) {
            ("EHLO", _) if !rest.trim().is_empty() => {
                self.stage = Stage::Ready;
                let tls = if self.offers_tls { "250-STARTTLS\r\n" } else { "" };
                self.say(&format!(
                    "250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n{tls}250 ENHANCEDSTATUSCODES",
                    self.name, self.max_size
                ));
            }
            ("HELO", _) if !rest.trim().is_empty() => {
                self.stage = Stage::Ready;
                self.say(&format!("250 {}", self.name));
            }
            ("EHLO" | "HELO", _) => self.refuse("501 5.5.4 Say who you are"),
            ("STARTTLS", Stage::Ready) if self.offers_tls && rest.is_empty() => {
                self.say("220 2.0.0 Go ahead");
                self.stage = Stage::Securing;
                // What was sent along in the clear is not part of what is said inside.
                self.buffer.clear();
                self.outputs.push_back(Output::StartTls);
            }
            ("NOOP", _) => self.say("250 2.0.0 OK"),
            ("RSET", stage) => {
                if matches!(stage, Stage::Envelope(_)) {
                    *stage = Stage::Ready;
                }
                self.say("250 2.0.0 OK");
            }
            ("QUIT", _) => {
                self.say("221 2.0.0 Bye");
                self.close();
            }
            ("VRFY", _) => self.refuse("252 2.1.5 Send it and see"),
            ("MAIL", Stage::Ready) => self.mail(rest),
            ("RCPT", Stage::Envelope(mail)) => match path(rest, "TO:") {
                None => self.refuse("501 5.1.3 RCPT TO:<address>"),
                Some((to, _)) if !is_ours(&to) => self.refuse("550 5.1.1 No such mailbox here"),
                Some(_) if mail.to.len() >= MAX_RECIPIENTS => self.refuse("452 4.5.3 Too many recipients"),
                Some((to, _)) => {
                    mail.to.push(to);
                    self.say("250 2.1.5 OK");
                }
            },
            ("DATA", Stage::Envelope(mail)) if !mail.to.is_empty() => {
                let mail =
                    Mail { from: std::mem::take(&mut mail.from), to: std::mem::take(&mut mail.to), raw: Vec::new() };
                self.stage = Stage::Data { mail, came: 0, in_line: false };
                self.say("354 End with a single dot");
            }
            ("MAIL" | "RCPT" | "DATA" | "STARTTLS", _) => self.refuse("503 5.5.1 Not now"),
            _ => self.refuse("500 5.5.1 Not known here"),
        }
    }

    fn mail(&mut self, rest: &str) {
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return self.refuse("501 5.1.7 MAIL FROM:<address>");
        };
        // RFC 1870 §6.1: what says that it is too large is refused before it is sent.
        let size = parameters.split_ascii_whitespace().find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("SIZE").then(|| value.parse::<usize>().unwrap_or(usize::MAX))
        });
        if size.is_some_and(|size| size > self.max_size) {
            return self.refuse("552 5.3.4 Too large");
        }
        if self.mails >= MAX_MAILS {
            self.say("421 4.7.0 Enough over one connection; come again");
            return self.close();
        }
        self.mails += 1;
        self.stage = Stage::Envelope(Mail { from, to: Vec::new(), raw: Vec::new() });
        self.say("250 2.1.0 OK");
    }

    /// What of a mail is there.
    fn data(&mut self) -> bool {
        let Stage::Data { mail, came, in_line } = &mut self.stage else { return false };
        let (line, whole) = match find_crlf(&self.buffer) {
            Some(end) => (self.buffer.drain(..end + 2).collect::<Vec<u8>>(), true),
            // A line without an end goes on as it comes; a CR at its end may be the end's first half.
            None if self.buffer.len() > MAX_LINE => {
                let keep = usize::from(self.buffer.last() == Some(&b'\r'));
                let all = self.buffer.len();
                (self.buffer.drain(..all - keep).collect(), false)
            }
            None => return false,
        };
        let first = !std::mem::replace(in_line, !whole);
        if first && line == b".\r\n" {
            let too_large = *came > self.max_size;
            let mail = std::mem::replace(mail, Mail { from: String::new(), to: Vec::new(), raw: Vec::new() });
            if too_large {
                self.stage = Stage::Ready;
                self.refuse("552 5.3.4 Too large");
            } else {
                self.stage = Stage::Storing;
                self.outputs.push_back(Output::Mail(mail));
            }
            return true;
        }
        // §4.5.2: a dot at the beginning of a line was doubled on the way.
        let text = if first { line.strip_prefix(b".").unwrap_or(&line) } else { &line };
        *came += text.len();
        if *came <= self.max_size {
            mail.raw.extend_from_slice(text);
        } else {
            mail.raw = Vec::new();
        }
        if *came > self.max_size.saturating_mul(PATIENCE) {
            self.say("552 5.3.4 Too large");
            self.close();
            return false;
        }
        true
    }
}

fn find_crlf(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n")
}

/// `FROM:<a@b> SIZE=1`: the address and what follows it.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let rest = rest.trim_start();
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (address, parameters) = tail.trim_start().strip_prefix('<')?.split_once('>')?;
    let sound = address.len() <= 320 && !address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '<');
    let fits = address.contains('@') || (address.is_empty() && keyword == "FROM:");
    (sound && fits).then(|| (address.to_owned(), parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(address: &str) -> bool {
        address.starts_with("reply+")
    }

    fn session() -> Session {
        let mut session = Session::new("desk.example.com", 1_000, true);
        assert_eq!(session.poll_output(), Some(Output::Say("220 desk.example.com ESMTP\r\n".into())));
        session
    }

    /// The codes that are answered; what else is done in brackets.
    fn say(session: &mut Session, text: &str) -> Vec<String> {
        session.handle(text.as_bytes(), &ours);
        codes(session)
    }

    fn codes(session: &mut Session) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(output) = session.poll_output() {
            out.push(match output {
                Output::Say(line) => line[..3].to_owned(),
                Output::Mail(mail) => format!("[{}]", String::from_utf8(mail.raw).expect("a text")),
                Output::StartTls => "[tls]".to_owned(),
                Output::Close => "[close]".to_owned(),
            });
        }
        out
    }

    const ENVELOPE: &str = "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<reply+a@desk.example.com>\r\nDATA\r\n";

    #[test]
    fn a_mail_is_taken_once_it_is_stored() {
        let mut session = session();
        assert_eq!(say(&mut session, ENVELOPE), ["250", "250", "250", "354"], "commands may come together");
        assert_eq!(say(&mut session, "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"), ["[Subject: x\r\n\r\n.dot\r\n]"]);
        session.stored(true, &ours);
        assert_eq!(codes(&mut session), ["250", "221", "[close]"], "what came meanwhile is read afterwards");
    }

    #[test]
    fn what_cannot_be_stored_is_asked_for_again() {
        let mut session = session();
        say(&mut session, ENVELOPE);
        assert_eq!(say(&mut session, "x\r\n.\r\n"), ["[x\r\n]"]);
        session.stored(false, &ours);
        assert_eq!(codes(&mut session), ["451"]);
        assert_eq!(say(&mut session, "MAIL FROM:<a@b.test>\r\n"), ["250"]);
    }

    #[test]
    fn only_our_own_addresses_have_a_mailbox_and_who_guesses_is_hung_up_on() {
        let mut session = session();
        assert_eq!(say(&mut session, "EHLO me\r\nMAIL FROM:<a@b.test>\r\nDATA\r\n"), ["250", "250", "503"]);
        let mut last = Vec::new();
        for n in 0..9 {
            last = say(&mut session, &format!("RCPT TO:<guess{n}@desk.example.com>\r\n"));
        }
        assert_eq!(last, ["550", "421", "[close]"]);
        assert_eq!(say(&mut session, "NOOP\r\n"), [""; 0]);
    }

    #[test]
    fn a_mail_that_is_too_large_is_refused_when_declared_and_when_sent() {
        let mut session = session();
        assert_eq!(say(&mut session, "EHLO me\r\nMAIL FROM:<a@b.test> SIZE=1001\r\n"), ["250", "552"]);
        say(&mut session, ENVELOPE);
        let line = format!("{}\r\n", "x".repeat(400));
        for _ in 0..3 {
            assert_eq!(say(&mut session, &line), [""; 0]);
        }
        assert_eq!(say(&mut session, ".\r\n"), ["552"]);
        say(&mut session, ENVELOPE);
        // No end in sight: it is not read for ever, line breaks or not.
        let endless = "x".repeat(5_000);
        assert_eq!(say(&mut session, &endless), ["552", "[close]"]);
        assert!(session.buffer.is_empty());
    }

    #[test]
    fn nothing_but_cr_lf_dot_cr_lf_ends_a_mail() {
        let mut session = session();
        say(&mut session, ENVELOPE);
        let smuggled = "a\n.\nMAIL FROM:<x@y>\r\n\n.\r\nb\r.\r\r\n";
        assert_eq!(say(&mut session, smuggled), [""; 0]);
        let got = say(&mut session, ".\r\n");
        assert_eq!(got, [format!("[{smuggled}]")]);
    }

    #[test]
    fn octets_may_come_one_by_one() {
        let mut session = session();
        let mut got = Vec::new();
        for octet in format!("{ENVELOPE}a\r\n..b\r\n.\r\n").bytes() {
            session.handle(&[octet], &ours);
            got.extend(codes(&mut session));
        }
        assert_eq!(got, ["250", "250", "250", "354", "[a\r\n.b\r\n]"]);
    }

    #[test]
    fn what_was_said_before_tls_is_forgotten_with_it() {
        let mut session = session();
        assert_eq!(say(&mut session, "STARTTLS\r\n"), ["503"]);
        let inject = "EHLO me\r\nMAIL FROM:<a@b.test>\r\nRSET\r\nSTARTTLS\r\nMAIL FROM:<evil@b.test>\r\n";
        assert_eq!(say(&mut session, inject), ["250", "250", "250", "220", "[tls]"]);
        session.secured();
        assert_eq!(say(&mut session, "MAIL FROM:<a@b.test>\r\n"), ["503"], "say hello again");
        session.handle(b"EHLO me\r\n", &ours);
        let Some(Output::Say(hello)) = session.poll_output() else { panic!("an answer") };
        assert!(!hello.contains("STARTTLS"), "{hello}");
        assert_eq!(say(&mut session, "STARTTLS\r\n"), ["503"]);
    }

    #[test]
    fn nonsense_is_refused() {
        let mut session = session();
        for (text, code) in [
            ("MAIL FROM:<a@b.test>\r\n", "503"),
            ("EHLO\r\n", "501"),
            ("HELO me\r\n", "250"),
            ("MAIL a@b.test\r\n", "501"),
            ("TURN\r\n", "500"),
            ("MAIL FROM:<a@b.test>\r\n", "250"),
            ("RCPT TO:<>\r\n", "501"),
            ("MAIL FROM:<a@b.test>\r\n", "503"),
            ("RSET\r\n", "250"),
            ("a\nNOOP\r\n", "500"),
        ] {
            assert_eq!(say(&mut session, text), [code], "{text}");
        }
        let mut session = self::session();
        assert_eq!(say(&mut session, &"x".repeat(MAX_LINE + 1)), ["500", "[close]"]);
    }

    #[test]
    fn a_caller_who_says_nothing_is_let_go() {
        let mut session = session();
        session.end("Nothing heard");
        assert_eq!(codes(&mut session), ["421", "[close]"]);
        session.end("again");
        assert_eq!(codes(&mut session), [""; 0]);
    }
}
