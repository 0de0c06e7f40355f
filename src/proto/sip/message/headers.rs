//! A message's header fields, in order: a name and a text each. `rsip::Header` is the enum that names the usual ones, and
//! no more: what is in a value is read by `address` and its like. Names compare without case; values are kept as they came
//! (unfolded), so that a response echoes what the request said.

use rsip::headers::UntypedHeader as _;
use rsip::headers::untyped as u;

use super::address::{Address, CSeq, Via, split_list};

macro_rules! known {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A header of that name, as rsip's enum has it.
        fn header(name: &str, value: &str) -> rsip::Header {
            $(if name.eq_ignore_ascii_case($name) { return rsip::Header::$variant(u::$variant::new(value)); })*
            rsip::Header::Other(name.to_owned(), value.to_owned())
        }
        fn name_value(header: &rsip::Header) -> (&str, &str) {
            match header {
                $(rsip::Header::$variant(inner) => ($name, inner.value()),)*
                rsip::Header::Other(name, value) => (name, value),
            }
        }
    };
}

known! {
    Via = "Via", From = "From", To = "To", CallId = "Call-ID", CSeq = "CSeq", Contact = "Contact",
    MaxForwards = "Max-Forwards", ContentLength = "Content-Length", ContentType = "Content-Type",
    Route = "Route", RecordRoute = "Record-Route", Allow = "Allow", Accept = "Accept",
    AcceptEncoding = "Accept-Encoding", AcceptLanguage = "Accept-Language", AlertInfo = "Alert-Info",
    AuthenticationInfo = "Authentication-Info", Authorization = "Authorization", CallInfo = "Call-Info",
    ContentDisposition = "Content-Disposition", ContentEncoding = "Content-Encoding",
    ContentLanguage = "Content-Language", Date = "Date", ErrorInfo = "Error-Info", Event = "Event",
    Expires = "Expires", InReplyTo = "In-Reply-To", MimeVersion = "MIME-Version",
    MinExpires = "Min-Expires", Organization = "Organization", Priority = "Priority",
    ProxyAuthenticate = "Proxy-Authenticate", ProxyAuthorization = "Proxy-Authorization",
    ProxyRequire = "Proxy-Require", ReplyTo = "Reply-To", Require = "Require", RetryAfter = "Retry-After",
    Server = "Server", Subject = "Subject", SubscriptionState = "Subscription-State",
    Supported = "Supported", Timestamp = "Timestamp", Unsupported = "Unsupported",
    UserAgent = "User-Agent", Warning = "Warning", WwwAuthenticate = "WWW-Authenticate",
}

/// The header fields of a message.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<rsip::Header>);

impl Headers {
    /// Appends a field. Line breaks in `value` become spaces: no caller can smuggle in a header.
    pub fn push(&mut self, name: &str, value: impl AsRef<str>) {
        let value = value.as_ref();
        if value.contains(['\r', '\n']) {
            self.0.push(header(name, &value.replace(['\r', '\n'], " ")));
        } else {
            self.0.push(header(name, value));
        }
    }

    /// Puts a field before all others.
    pub fn push_front(&mut self, name: &str, value: impl AsRef<str>) {
        self.push(name, value);
        self.0.rotate_right(1);
    }

    /// Replaces the value of the first field called `name`.
    pub fn replace_first(&mut self, name: &str, value: &str) {
        if let Some(field) = self.0.iter_mut().find(|h| name_value(h).0.eq_ignore_ascii_case(name)) {
            *field = header(name, value);
        }
    }

    /// Takes out the first field called `name`.
    pub fn remove_first(&mut self, name: &str) {
        if let Some(at) = self.0.iter().position(|h| name_value(h).0.eq_ignore_ascii_case(name)) {
            self.0.remove(at);
        }
    }

    /// Replaces the value of the first field called `name`, or appends it.
    pub fn set(&mut self, name: &str, value: &str) {
        if self.first(name).is_some() { self.replace_first(name, value) } else { self.push(name, value) }
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(name_value)
    }

    /// The values of every field called `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The first value of `name`.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Every comma-separated element of every field called `name` (RFC 3261 §7.3.1).
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name).flat_map(split_list)
    }

    /// Number of fields called `name`.
    pub fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    /// From, if it can be read.
    pub fn from(&self) -> Option<Address> {
        Address::parse(self.first("From")?)
    }

    /// To, if it can be read.
    pub fn to(&self) -> Option<Address> {
        Address::parse(self.first("To")?)
    }

    /// The first Contact's address, if it can be read.
    pub fn contact(&self) -> Option<Address> {
        Address::parse(self.elements("Contact").next()?)
    }

    pub fn call_id(&self) -> &str {
        self.first("Call-ID").unwrap_or_default()
    }

    pub fn cseq(&self) -> Option<CSeq> {
        CSeq::parse(self.first("CSeq")?)
    }

    /// The topmost Via, if it can be read.
    pub fn via(&self) -> Option<Via> {
        Via::parse(self.elements("Via").next()?)
    }

    /// The tag of From; empty from an RFC 2543 client.
    pub fn from_tag(&self) -> String {
        self.from().and_then(|a| a.param("tag").map(str::to_owned)).unwrap_or_default()
    }

    /// The tag of To.
    pub fn to_tag(&self) -> Option<String> {
        self.to().and_then(|a| a.param("tag").map(str::to_owned))
    }
}

/// What a response takes over from its request, as it came.
pub fn reply_headers(request: &Headers, to_tag: Option<&str>) -> Headers {
    let mut reply = Headers::default();
    for (name, value) in request.iter() {
        match name {
            "Via" | "From" | "Call-ID" | "CSeq" => reply.push(name, value),
            // A To that cannot be read gets no tag: one pasted on could land inside a quoted string.
            "To" => match (to_tag, Address::parse(value)) {
                (Some(tag), Some(to)) if to.param("tag").is_none() => reply.push("To", format!("{value};tag={tag}")),
                _ => reply.push("To", value),
            },
            // RFC 3261 §8.2.6.1: a 100 carries the Timestamp back; harmless elsewhere.
            "Timestamp" => reply.push(name, value),
            _ => {}
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_whatever_its_case_and_lists_are_one_or_many_fields() {
        let mut headers = Headers::default();
        headers.push("rOuTe", "<sip:a;lr>, <sip:b;lr>");
        headers.push("X-Own", "1");
        headers.push("Route", "<sip:c;lr>");
        assert_eq!(headers.elements("route").collect::<Vec<_>>(), ["<sip:a;lr>", "<sip:b;lr>", "<sip:c;lr>"]);
        assert_eq!(headers.first("x-own"), Some("1"));
    }

    #[test]
    fn a_line_break_in_a_value_cannot_add_a_header() {
        let mut headers = Headers::default();
        headers.push("X-Name", "a\r\nX-Evil: 1");
        assert_eq!(headers.first("X-Name"), Some("a  X-Evil: 1"));
    }
}
