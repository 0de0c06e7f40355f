//! Reads a mail that came back to us: a report of a mail server on one of ours, what a machine sends by itself, or what a
//! person wrote. Pure; `engine/mail_in` drives it.
//!
//! Never fails: what cannot be read is a person's mail without words, so that a person looks. Bounded by the size that the
//! door takes and by what is kept of a text.

mod dsn;
mod reply;

use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};

pub use dsn::{Action, Report};

/// What is kept of a person's words, in characters.
pub const MAX_WORDS: usize = 4_000;
const MAX_SUBJECT: usize = 200;

/// What a mail is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// A mail server tells what became of a mail of ours (RFC 3464).
    Report(Report),
    /// A machine answered by itself (RFC 3834): nobody has read anything.
    Automatic,
    /// A person wrote.
    Reply(Reply),
}

/// What a person wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// As the mail says it; may be anybody.
    pub from: String,
    pub subject: String,
    /// Without what is quoted and without the signature.
    pub words: String,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}

/// A letter and the name that its sender gave it, by which a repeat is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub letter: Letter,
    pub message_id: Option<String>,
}

/// Reads a mail. `sender`: of the envelope; empty where a machine wants no answer.
pub fn read(raw: &[u8], sender: &str) -> Read {
    let Some(message) = MessageParser::default().parse(raw) else {
        let reply = Reply { from: sender.to_owned(), subject: String::new(), words: String::new() };
        return Read { letter: Letter::Reply(reply), message_id: None };
    };
    let message_id = message.message_id().map(str::to_owned);
    let letter = match dsn::find(&message) {
        Some(report) => Letter::Report(report),
        None if is_automatic(&message, sender) => Letter::Automatic,
        None => Letter::Reply(written(&message, sender)),
    };
    Read { letter, message_id }
}

/// RFC 3834 §2 and §5, and what machines said before there was one.
fn is_automatic(message: &Message<'_>, sender: &str) -> bool {
    let header = |name: &str| message.header_raw(name.to_owned()).map(|value| value.trim().to_ascii_lowercase());
    let submitted =
        header("Auto-Submitted").is_some_and(|value| !value.split([';', ' ', '(']).any(|word| word == "no"));
    let old = ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response"];
    let old = old.into_iter().any(|name| header(name).is_some_and(|value| value != "no"));
    let bulk = |value: String| matches!(value.as_str(), "bulk" | "junk" | "auto_reply" | "list");
    // Read receipts (RFC 8098), and calendars that answer for their owner.
    let report = message.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|s| s.eq_ignore_ascii_case("report"))
    });
    // Exchange's absence notices say no more than this; a person's mail carries no such word.
    let suppressed = header("X-Auto-Response-Suppress").is_some_and(|value| value == "all");
    let null = matches!(sender.trim(), "" | "<>");
    // A mail that came back is nobody's absence notice, whatever else it says of itself.
    if null && is_old_bounce(message) {
        return false;
    }
    submitted || old || header("Precedence").is_some_and(bulk) || report || suppressed || null
}

/// A server of another age that says in its own words that a mail came back: a person has to read it.
fn is_old_bounce(message: &Message<'_>) -> bool {
    let subject = message.subject().unwrap_or_default().to_ascii_lowercase();
    let words = ["failure notice", "undeliver", "delivery failed", "delivery status", "returned mail", "mail delivery"];
    let from = sender_of(message).to_ascii_lowercase();
    words.iter().any(|word| subject.contains(word))
        || from.starts_with("mailer-daemon@")
        || from.starts_with("postmaster@")
}

fn sender_of(message: &Message<'_>) -> String {
    let address = message.from().and_then(|from| from.first()).and_then(|first| first.address());
    address.unwrap_or_default().to_owned()
}

fn written(message: &Message<'_>, sender: &str) -> Reply {
    let from = match sender_of(message) {
        from if from.is_empty() => sender.to_owned(),
        from => from,
    };
    let words = match message.text_part(0).map(|part| &part.body) {
        // A part of HTML alone stands in for the text.
        Some(PartType::Html(html)) => {
            reply::new_words(&mail_parser::decoders::html::html_to_text(reply::new_html(html)))
        }
        Some(PartType::Text(text)) => reply::new_words(text),
        _ => String::new(),
    };
    let subject = message.subject().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    Reply {
        from: from.chars().take(320).collect(),
        subject: subject.chars().take(MAX_SUBJECT).collect(),
        words: words.chars().take(MAX_WORDS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(headers: &str, body: &str) -> Vec<u8> {
        format!("From: Ben Ortiz <ben@example.com>\r\nMessage-ID: <m1@example.com>\r\n{headers}\r\n{body}").into_bytes()
    }

    fn words(raw: &[u8]) -> String {
        match read(raw, "ben@example.com").letter {
            Letter::Reply(reply) => reply.words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_person_s_own_words_are_what_is_left_without_the_quotation() {
        let raw = mail(
            "Subject: Re: burst pipe\r\n",
            "1 ok\r\n\r\nOn Sat, 7 Mar 2026 at 02:10, Desk wrote:\r\n> Reply OK\r\n> to confirm\r\n",
        );
        assert_eq!(words(&raw), "1 ok");
        let Read { letter: Letter::Reply(reply), message_id } = read(&raw, "x@example.com") else { panic!("a reply") };
        assert_eq!((reply.from.as_str(), reply.subject.as_str()), ("ben@example.com", "Re: burst pipe"));
        assert_eq!(message_id.as_deref(), Some("m1@example.com"));
    }

    #[test]
    fn html_alone_is_read_as_words_without_its_quotation() {
        let html = "<html><body><p>Ok</p><blockquote>Reply OK to confirm</blockquote></body></html>";
        assert_eq!(words(&mail("Content-Type: text/html\r\n", html)), "Ok");
        let gmail = "<div dir=\"ltr\">confirm</div><div class=\"gmail_quote\">On Sat &lt;x&gt; wrote: no</div>";
        assert_eq!(words(&mail("Content-Type: text/html\r\n", gmail)), "confirm");
    }

    #[test]
    fn encoded_words_are_decoded() {
        let raw = mail("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", "b2sK\r\n");
        assert_eq!(words(&raw), "ok");
        let raw = mail(
            "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            "K=FCche\r\n",
        );
        assert_eq!(words(&raw), "K\u{fc}che");
    }

    #[test]
    fn what_a_machine_sends_by_itself_is_no_reply() {
        for header in [
            "Auto-Submitted: auto-replied\r\n",
            "Auto-Submitted: auto-generated; owner-email=\"x@example.com\"\r\n",
            "Precedence: bulk\r\n",
            "Precedence: auto_reply\r\n",
            "X-Autoreply: yes\r\n",
            "X-Auto-Response-Suppress: All\r\n",
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
        ] {
            assert_eq!(read(&mail(header, "ok\r\n"), "ben@example.com").letter, Letter::Automatic, "{header}");
        }
        assert_eq!(words(&mail("Auto-Submitted: no\r\n", "ok\r\n")), "ok");
        assert_eq!(read(&mail("", "I am away\r\n"), "").letter, Letter::Automatic, "no sender in the envelope");
    }

    #[test]
    fn a_bounce_of_another_age_is_for_a_person_to_read() {
        let raw = b"From: MAILER-DAEMON@example.com\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n";
        assert!(matches!(read(raw, "").letter, Letter::Reply(_)));
        // By RFC 3834 too, and one whose report says nothing that can be read.
        let said = [&b"Auto-Submitted: auto-replied\r\n"[..], &raw[..]].concat();
        assert!(matches!(read(&said, "<>").letter, Letter::Reply(_)));
        let broken =
            b"From: MAILER-DAEMON@example.com\r\nSubject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\n\
            Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n\r\nSorry.\r\n\
            --x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n--x--\r\n";
        assert!(matches!(read(broken, "").letter, Letter::Reply(_)));
        assert!(matches!(read(broken, "ann@example.com").letter, Letter::Automatic), "a person's own machine");
    }

    #[test]
    fn nonsense_is_a_mail_without_words() {
        for raw in [&b""[..], b"\r\n\r\n", b"\xff\xfe", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x"] {
            let Read { letter: Letter::Reply(reply), .. } = read(raw, "a@example.com") else { panic!("{raw:?}") };
            assert!(reply.words.chars().count() <= MAX_WORDS);
        }
    }
}
