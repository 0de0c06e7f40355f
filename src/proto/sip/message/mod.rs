//! The message model: requests and responses as the agent handles them. Of `rsip` are the names of headers, methods and
//! status codes; all that is read out of a message, start line, URIs, addresses and header values, is read by our own
//! parsers, because rsip's grammar refuses what RFC 4475 calls valid (extension methods, `;` in a user part, `tel:`).
//!
//! Holds only what `wire` has let through. Pure data.

pub mod address;
pub mod body;
pub mod headers;
pub mod uri;

use std::fmt;

pub use address::{Address, CSeq, Via};
pub use headers::Headers;
pub use uri::Uri;

/// A request's method. Case matters (RFC 3261 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// One that rsip knows.
    Known(rsip::Method),
    /// Any other token.
    Other(String),
}

/// By their names, so that reading one takes no memory: it is read several times for each message.
const KNOWN: [(&str, rsip::Method); 14] = [
    ("ACK", rsip::Method::Ack),
    ("BYE", rsip::Method::Bye),
    ("CANCEL", rsip::Method::Cancel),
    ("INFO", rsip::Method::Info),
    ("INVITE", rsip::Method::Invite),
    ("MESSAGE", rsip::Method::Message),
    ("NOTIFY", rsip::Method::Notify),
    ("OPTIONS", rsip::Method::Options),
    ("PRACK", rsip::Method::PRack),
    ("PUBLISH", rsip::Method::Publish),
    ("REFER", rsip::Method::Refer),
    ("REGISTER", rsip::Method::Register),
    ("SUBSCRIBE", rsip::Method::Subscribe),
    ("UPDATE", rsip::Method::Update),
];

impl Method {
    pub const INVITE: Self = Self::Known(rsip::Method::Invite);
    pub const ACK: Self = Self::Known(rsip::Method::Ack);
    pub const BYE: Self = Self::Known(rsip::Method::Bye);
    pub const CANCEL: Self = Self::Known(rsip::Method::Cancel);
    pub const OPTIONS: Self = Self::Known(rsip::Method::Options);
    pub const REGISTER: Self = Self::Known(rsip::Method::Register);
    pub const INFO: Self = Self::Known(rsip::Method::Info);
    pub const UPDATE: Self = Self::Known(rsip::Method::Update);
    pub const PRACK: Self = Self::Known(rsip::Method::PRack);
    pub const REFER: Self = Self::Known(rsip::Method::Refer);
    pub const NOTIFY: Self = Self::Known(rsip::Method::Notify);

    /// Reads a token; exact case, as rsip itself would also take `invite`.
    pub fn parse(token: &str) -> Self {
        KNOWN
            .iter()
            .find(|(name, _)| *name == token)
            .map_or_else(|| Self::Other(token.to_owned()), |(_, known)| Self::Known(*known))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => known.fmt(f),
            Self::Other(token) => f.write_str(token),
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// Either.
#[derive(Clone, Debug)]
pub enum Message {
    Request(Request),
    Response(Response),
}

/// The reason phrase of a status, as the RFCs have it.
pub fn reason_phrase(status: u16) -> String {
    match status {
        200 => "OK".to_owned(),
        202 => "Accepted".to_owned(),
        481 => "Call/Transaction Does Not Exist".to_owned(),
        // rsip names a code in one word (`BusyHere`); the phrase is those words apart.
        _ => match rsip::StatusCode::from(status) {
            rsip::StatusCode::Other(..) => "Unspecified".to_owned(),
            known => {
                let text = known.to_string();
                let word = text.split_once(' ').map_or("", |(_, word)| word);
                let mut phrase = String::with_capacity(word.len() + 4);
                for c in word.chars() {
                    if c.is_ascii_uppercase() && !phrase.is_empty() {
                        phrase.push(' ');
                    }
                    phrase.push(c);
                }
                phrase
            }
        },
    }
}

impl Request {
    /// The bytes for the wire; Content-Length is set from the body.
    pub fn to_bytes(&self) -> Vec<u8> {
        render(format!("{} {} SIP/2.0\r\n", self.method, self.uri), &self.headers, &self.body)
    }
}

impl Response {
    /// A response to `request`: Via, From, To, Call-ID and CSeq as they came (RFC 3261 §8.2.6.2), with
    /// `to_tag` added if To has none.
    pub fn to_request(request: &Request, status: u16, to_tag: Option<&str>) -> Self {
        Self {
            status,
            reason: reason_phrase(status),
            headers: headers::reply_headers(&request.headers, to_tag),
            body: Vec::new(),
        }
    }

    /// The bytes for the wire; Content-Length is set from the body.
    pub fn to_bytes(&self) -> Vec<u8> {
        render(format!("SIP/2.0 {} {}\r\n", self.status, self.reason), &self.headers, &self.body)
    }
}

fn render(start: String, headers: &Headers, body: &[u8]) -> Vec<u8> {
    use fmt::Write as _;
    let mut text = start;
    for (name, value) in headers.iter() {
        if !name.eq_ignore_ascii_case("Content-Length") {
            // Writing to a String cannot fail.
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive_and_open() {
        assert_eq!(Method::parse("INVITE"), Method::INVITE);
        assert_eq!(Method::parse("invite"), Method::Other("invite".to_owned()));
        assert_eq!(Method::parse("NEWMETHOD").to_string(), "NEWMETHOD");
    }

    #[test]
    fn reason_phrases_read_as_words() {
        assert_eq!(reason_phrase(486), "Busy Here");
        assert_eq!(reason_phrase(200), "OK");
        assert_eq!(reason_phrase(503), "Service Unavailable");
        assert_eq!(reason_phrase(299), "Unspecified");
    }
}
