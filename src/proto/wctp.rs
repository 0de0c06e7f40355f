//! WCTP 1.1 (Wireless Communications Transfer Protocol) from the enterprise host's side: the request that hands a page over,
//! and the answer to it. Pure; `io/deliver/pager` does the HTTP.
//!
//! What always holds: whatever a page says, it stays text (quick-xml escapes it); of an answer no entity but XML's own five is
//! expanded and no DTD is read: gateways name the protocol's own, which is passed over and never fetched, and one that brings
//! declarations of its own is refused.

use quick_xml::events::{BytesCData, BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

use crate::proto::paging::Outcome;

const DTD: &str = "wctp-Operation SYSTEM \"http://dtd.wctp.org/wctp-dtd-v1r1.dtd\"";
const VERSION: &str = "wctp-dtd-v1r1";
/// No answer is deeper.
const MAX_DEPTH: usize = 16;

/// A page, and who hands it over.
#[derive(Clone)]
pub struct Submit {
    /// Who we are to the carrier.
    pub sender: String,
    pub security_code: Option<String>,
    /// Ours for it; a gateway tells a repeat by it.
    pub message_id: String,
    /// When it is handed over: `2026-03-07T02:10:00`, in UTC.
    pub at: String,
    pub pager: String,
    pub text: String,
    pub urgent: bool,
}

impl Submit {
    /// The request's body (`wctp-SubmitRequest`).
    pub fn to_xml(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        self.write(&mut writer).expect("writing to memory does not fail");
        writer.into_inner()
    }

    fn write(&self, xml: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.write_event(Event::DocType(BytesText::from_escaped(DTD)))?;
        let open = |name: &'static str| Event::Start(BytesStart::new(name));
        let close = |name: &'static str| Event::End(BytesEnd::new(name));
        let operation = BytesStart::new("wctp-Operation").with_attributes([("wctpVersion", VERSION)]);
        xml.write_event(Event::Start(operation))?;
        xml.write_event(open("wctp-SubmitRequest"))?;
        let header = BytesStart::new("wctp-SubmitHeader").with_attributes([("submitTimestamp", self.at.as_str())]);
        xml.write_event(Event::Start(header))?;
        let mut originator = BytesStart::new("wctp-Originator").with_attributes([("senderID", self.sender.as_str())]);
        if let Some(code) = &self.security_code {
            originator.push_attribute(("securityCode", code.as_str()));
        }
        xml.write_event(Event::Empty(originator))?;
        let priority = if self.urgent { "HIGH" } else { "NORMAL" };
        let control =
            [("messageID", self.message_id.as_str()), ("allowResponse", "false"), ("deliveryPriority", priority)];
        xml.write_event(Event::Empty(BytesStart::new("wctp-MessageControl").with_attributes(control)))?;
        let recipient = BytesStart::new("wctp-Recipient").with_attributes([("recipientID", self.pager.as_str())]);
        xml.write_event(Event::Empty(recipient))?;
        xml.write_event(close("wctp-SubmitHeader"))?;
        xml.write_event(open("wctp-Payload"))?;
        xml.write_event(open("wctp-Alphanumeric"))?;
        // What XML 1.0 has no way to write is a blank on a pager.
        let text: String = self
            .text
            .chars()
            .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
            .collect();
        xml.write_event(Event::Text(BytesText::new(&text)))?;
        for name in ["wctp-Alphanumeric", "wctp-Payload", "wctp-SubmitRequest", "wctp-Operation"] {
            xml.write_event(close(name))?;
        }
        Ok(())
    }
}

/// What a gateway answered: `wctp-Confirmation`, with success or failure in it. `None`: it says neither, or cannot be read.
pub fn read_answer(body: &[u8]) -> Option<Outcome> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut found = None;
    loop {
        match reader.read_event().ok()? {
            // Declarations of its own could define entities.
            Event::DocType(doctype) if doctype.contains(&b'[') => return None,
            Event::Start(tag) => {
                found = found.or(answer(&path, &tag)?);
                path.push(tag.name().as_ref().to_vec());
                if path.len() > MAX_DEPTH {
                    return None;
                }
            }
            Event::Empty(tag) => found = found.or(answer(&path, &tag)?),
            Event::End(_) => drop(path.pop()),
            // An entity that is none of XML's own is not looked up.
            Event::GeneralRef(name) if !name.is_char_ref() && !is_predefined(&name) => return None,
            Event::Eof => return if path.is_empty() { found } else { None },
            Event::Text(_)
            | Event::CData(BytesCData { .. })
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

/// What a gateway says of a failure: its number and its words, which stand beside it or in it.
pub fn read_words(body: &[u8]) -> Option<String> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut found: Option<(String, String)> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Empty(tag) | Event::Start(tag) if is_failure(tag.name().as_ref()) => {
                found = Some((beside(&tag), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, inside)) = &mut found {
                    inside.push_str(&String::from_utf8_lossy(&text));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let (beside, inside) = found?;
    let words = if beside.contains(' ') { beside } else { format!("{beside} {}", inside.trim()) };
    Some(words.trim().to_owned()).filter(|words| !words.is_empty())
}

fn is_failure(name: &[u8]) -> bool {
    name == b"wctp-Failure"
}

/// `403 No such recipient`, as far as it says so.
fn beside(tag: &BytesStart<'_>) -> String {
    let attribute = |name: &str| {
        let value = tag.try_get_attribute(name).ok().flatten()?.value;
        Some(unescape(&String::from_utf8_lossy(&value)))
    };
    let both = [attribute("errorCode"), attribute("errorText")];
    both.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// XML's own five entities; others stay as they are written.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

fn is_predefined(name: &[u8]) -> bool {
    matches!(name, b"lt" | b"gt" | b"amp" | b"apos" | b"quot")
}

/// The outer `None`: the tag cannot be read.
#[allow(clippy::option_option, reason = "what cannot be read ends the reading, what is no answer does not")]
fn answer(path: &[Vec<u8>], tag: &BytesStart<'_>) -> Option<Option<Outcome>> {
    let inside = path.iter().map(Vec::as_slice).eq([b"wctp-Operation".as_slice(), b"wctp-Confirmation"]);
    let attribute = |name: &str| -> Option<Option<String>> {
        match tag.try_get_attribute(name).ok()? {
            // What we look for is digits; no entity makes them.
            Some(value) if value.value.contains(&b'&') => None,
            Some(value) => Some(Some(String::from_utf8(value.value.into_owned()).ok()?)),
            None => Some(None),
        }
    };
    match tag.name().as_ref() {
        b"wctp-Success" if inside => {
            attribute("successCode")?;
            Some(Some(Outcome::Taken { reference: None }))
        }
        b"wctp-Failure" if inside => {
            let code = attribute("errorCode")?.unwrap_or_default();
            let plain = (1..=6).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
            let why = if plain { format!("wctp_{code}") } else { "wctp_failure".to_owned() };
            // 403: no such recipient; 411: too long a message. All else is ours to mend, or theirs.
            let refused = matches!(code.as_str(), "403" | "411");
            Some(Some(if refused { Outcome::Refused { why } } else { Outcome::Later { why } }))
        }
        _ => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(text: &str) -> String {
        let submit = Submit {
            sender: "desk@example.com".into(),
            security_code: Some("a\"b<c".into()),
            message_id: "att_1".into(),
            at: "2026-03-07T02:10:00".into(),
            pager: "5550142".into(),
            text: text.into(),
            urgent: true,
        };
        String::from_utf8(submit.to_xml()).expect("UTF-8")
    }

    #[test]
    fn a_page_is_a_submit_request_of_the_protocols_shape() {
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
            <!DOCTYPE wctp-Operation SYSTEM \"http://dtd.wctp.org/wctp-dtd-v1r1.dtd\">\
            <wctp-Operation wctpVersion=\"wctp-dtd-v1r1\"><wctp-SubmitRequest>\
            <wctp-SubmitHeader submitTimestamp=\"2026-03-07T02:10:00\">\
            <wctp-Originator senderID=\"desk@example.com\" securityCode=\"a&quot;b&lt;c\"/>\
            <wctp-MessageControl messageID=\"att_1\" allowResponse=\"false\" deliveryPriority=\"HIGH\"/>\
            <wctp-Recipient recipientID=\"5550142\"/></wctp-SubmitHeader>\
            <wctp-Payload><wctp-Alphanumeric>burst pipe</wctp-Alphanumeric></wctp-Payload>\
            </wctp-SubmitRequest></wctp-Operation>";
        assert_eq!(submit("burst pipe"), expected);
    }

    #[test]
    fn whatever_a_page_says_it_stays_text() {
        let xml = submit("</wctp-Alphanumeric><x a='1'/> & ]]> \u{1}\u{ffff}");
        let said = xml.split_once("<wctp-Alphanumeric>").and_then(|(_, rest)| rest.split_once("</wctp-Alphanumeric>"));
        let said = said.expect("one payload").0;
        assert!(!said.contains(['<', '>', '\u{1}', '\u{ffff}']), "{said}");
        assert_eq!(xml.matches("wctp-Alphanumeric").count(), 3);
    }

    fn confirmation(inner: &str) -> Option<Outcome> {
        let head = "<?xml version=\"1.0\"?><!DOCTYPE wctp-Operation SYSTEM \"http://dtd.wctp.org/wctp-dtd-v1r1.dtd\">";
        let xml = format!(
            "{head}<wctp-Operation wctpVersion=\"wctp-dtd-v1r1\"><wctp-Confirmation>{inner}</wctp-Confirmation></wctp-Operation>"
        );
        read_answer(xml.as_bytes())
    }

    #[test]
    fn success_is_taken_and_failures_are_told_apart() {
        let taken = Some(Outcome::Taken { reference: None });
        assert_eq!(confirmation("<wctp-Success successCode=\"200\" successText=\"Accepted\"/>"), taken);
        assert_eq!(confirmation("<wctp-Success successCode=\"200\">Message &amp; all accepted</wctp-Success>"), taken);
        let failure =
            |code: &str| confirmation(&format!("<wctp-Failure errorCode=\"{code}\" errorText=\"x\">y</wctp-Failure>"));
        for code in ["403", "411"] {
            assert_eq!(failure(code), Some(Outcome::Refused { why: format!("wctp_{code}") }));
        }
        for code in ["300", "301", "302", "303", "400", "401", "402", "500", "503", "600", "606"] {
            assert_eq!(failure(code), Some(Outcome::Later { why: format!("wctp_{code}") }));
        }
        let odd = Some(Outcome::Later { why: "wctp_failure".into() });
        assert_eq!(failure("a phone number"), odd, "nothing of theirs gets into a log");
        assert_eq!(confirmation("<wctp-Failure/>"), odd);
    }

    #[test]
    fn a_failure_is_said_in_the_gateway_s_own_words() {
        let words = |failure: &str| {
            let xml = format!("<wctp-Operation><wctp-Confirmation>{failure}</wctp-Confirmation></wctp-Operation>");
            read_words(xml.as_bytes())
        };
        for (failure, said) in [
            ("<wctp-Failure errorCode=\"403\" errorText=\"Invalid recipient\"/>", Some("403 Invalid recipient")),
            (
                "<wctp-Failure errorCode=\"403\" errorText=\"Joe&apos;s &amp; co\">y</wctp-Failure>",
                Some("403 Joe's & co"),
            ),
            ("<wctp-Failure errorCode=\"403\">No such pager</wctp-Failure>", Some("403 No such pager")),
            ("<wctp-Failure errorCode=\"403\"/>", Some("403")),
            ("<wctp-Failure/>", None),
            ("<wctp-Success successCode=\"200\">ok</wctp-Success>", None),
        ] {
            assert_eq!(words(failure).as_deref(), said, "{failure}");
        }
        assert_eq!(read_words(b"\xff"), None);
    }

    #[test]
    fn what_is_no_confirmation_says_nothing() {
        let texts: [&[u8]; 7] = [
            b"",
            b"<html><body>200 OK</body></html>",
            b"<wctp-Success successCode=\"200\"/>",
            b"<wctp-Operation><wctp-Confirmation>",
            b"<wctp-Operation><wctp-Confirmation></wctp-Operation>",
            b"\xff\xfe",
            b"<wctp-Operation><x><wctp-Success successCode=\"200\"/></x></wctp-Operation>",
        ];
        for text in texts {
            assert_eq!(read_answer(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn entities_and_declarations_of_ones_own_are_refused() {
        let body = "<wctp-Operation><wctp-Confirmation><wctp-Success successCode=\"200\">&x;</wctp-Success></wctp-Confirmation></wctp-Operation>";
        assert_eq!(read_answer(body.as_bytes()), None);
        let bomb = format!("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{}", body.replace("&x;", ""));
        assert_eq!(read_answer(bomb.as_bytes()), None);
        let in_attribute = body.replace("\"200\">&x;", "\"&x;\">");
        assert_eq!(read_answer(in_attribute.as_bytes()), None);
        let deep = "<a>".repeat(100);
        assert_eq!(read_answer(deep.as_bytes()), None);
    }
}
