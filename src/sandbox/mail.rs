//! Reads a mail as far as a page needs it: sender, subject, the plain text.
//!
//! Knows encoded words (RFC 2047), quoted-printable, base64 and multiparts (RFC 2045, 2046), and takes the
//! first plain part. What it cannot read it shows as it came. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the page shows of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    /// Where an answer goes; empty: it asks for none.
    pub reply_to: String,
    /// Its own identifier, with its brackets.
    pub id: String,
    pub subject: String,
    /// Lines ended by LF; what goes along is named at the end.
    pub body: String,
}

/// Multiparts within multiparts are followed this deep.
const DEPTH: usize = 4;

/// Reads headers and body.
pub fn read(raw: &[u8]) -> Mail {
    let text = String::from_utf8_lossy(raw).replace("\r\n", "\n");
    let (head, body) = split(&text);
    let headers = unfold(head);
    Mail {
        from: decode_words(header(&headers, "from")),
        reply_to: address(header(&headers, "reply-to")).to_owned(),
        id: header(&headers, "message-id").to_owned(),
        subject: decode_words(header(&headers, "subject")),
        body: plain_part(&headers, body, DEPTH) + &attached(&headers, body),
    }
}

/// `Attached: voicemail.wav`, a line for each; sounds are not kept.
fn attached(headers: &[(String, String)], body: &str) -> String {
    let kind = header(headers, "content-type");
    let Some(boundary) = parameter(kind, "boundary").filter(|_| kind.starts_with("multipart/mixed")) else {
        return String::new();
    };
    let name = |part: &str| {
        let headers = unfold(split(part).0);
        parameter(header(&headers, "content-disposition"), "filename")
    };
    parts(body, &boundary).into_iter().filter_map(name).map(|name| format!("\nAttached: {name}\n")).collect()
}

fn split(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text, ""))
}

fn unfold(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    headers
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
}

/// `Ben <ben@example.com>`: what is in the brackets, if there are any.
fn address(value: &str) -> &str {
    value.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(address, _)| address).trim()
}

fn plain_part(headers: &[(String, String)], body: &str, depth: usize) -> String {
    let kind = header(headers, "content-type");
    if depth > 0
        && kind.to_ascii_lowercase().starts_with("multipart/")
        && let Some(boundary) = parameter(kind, "boundary")
    {
        let parts = parts(body, &boundary);
        let is_plain = |part: &&str| {
            let kind = header(&unfold(split(part).0), "content-type").to_ascii_lowercase();
            kind.is_empty() || kind.starts_with("text/plain") || kind.starts_with("multipart/")
        };
        if let Some(part) = parts.iter().copied().find(|part| is_plain(part)).or_else(|| parts.first().copied()) {
            let (head, body) = split(part);
            return plain_part(&unfold(head), body, depth - 1);
        }
    }
    match header(headers, "content-transfer-encoding").to_ascii_lowercase().as_str() {
        "quoted-printable" => String::from_utf8_lossy(&quoted_printable(body, false)).into_owned(),
        "base64" => {
            let packed: String = body.split_ascii_whitespace().collect();
            let text = STANDARD.decode(packed).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            text.unwrap_or_else(|_| body.to_owned()).replace("\r\n", "\n")
        }
        _ => body.to_owned(),
    }
}

fn parts<'a>(body: &'a str, boundary: &str) -> Vec<&'a str> {
    let delimiter = format!("--{boundary}");
    let closed = body.split(&format!("{delimiter}--")).next().unwrap_or(body);
    closed.split(&delimiter).skip(1).map(|part| part.strip_prefix('\n').unwrap_or(part)).collect()
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|p| {
        let (n, v) = p.split_once('=')?;
        n.trim().eq_ignore_ascii_case(name).then(|| v.trim().trim_matches('"').to_owned())
    })
}

/// `underscore_is_space`: the variant of RFC 2047 §4.2.
fn quoted_printable(text: &str, underscore_is_space: bool) -> Vec<u8> {
    let (bytes, mut out, mut i) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        if bytes[i] == b'=' && bytes.get(i + 1) == Some(&b'\n') {
            i += 2;
        } else if let (b'=', Some(high), Some(low)) = (bytes[i], hex(i + 1), hex(i + 2)) {
            out.push(u8::try_from(high * 16 + low).expect("two hex digits make a byte"));
            i += 3;
        } else {
            out.push(if underscore_is_space && bytes[i] == b'_' { b' ' } else { bytes[i] });
            i += 1;
        }
    }
    out
}

/// Decodes `=?utf-8?b?…?=`; white space between two of them vanishes (RFC 2047 §6.2).
fn decode_words(text: &str) -> String {
    let (mut out, mut rest, mut after_word) = (String::new(), text, false);
    while let Some(start) = rest.find("=?") {
        let Some((word, len)) = decode_word(&rest[start..]) else {
            out.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            after_word = false;
            continue;
        };
        let between = &rest[..start];
        if !(after_word && between.trim().is_empty()) {
            out.push_str(between);
        }
        out.push_str(&word);
        rest = &rest[start + len..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

fn decode_word(text: &str) -> Option<(String, usize)> {
    let mut fields = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (data, _) = rest.split_once("?=")?;
    let bytes = match encoding {
        "b" | "B" => STANDARD.decode(data).ok()?,
        "q" | "Q" => quoted_printable(data, true),
        _ => return None,
    };
    let len = 2 + charset.len() + 1 + encoding.len() + 1 + data.len() + 2;
    Some((String::from_utf8_lossy(&bytes).into_owned(), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_with_encoded_words_shows_its_plain_text() {
        let raw = b"From: =?utf-8?q?Caf=C3=A9_Desk?= <desk@example.test>\r\nSubject: =?utf-8?b?QnVyc3Q=?=\r\n =?utf-8?Q?_pipe?=\r\n\
            Content-Type: multipart/alternative;\r\n boundary=\"x y\"\r\n\r\npreamble\r\n--x y\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n\
            --x y\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9 =\r\nis wet\r\n--x y--\r\n";
        let mail = read(raw);
        assert_eq!(mail.from, "Café Desk <desk@example.test>");
        assert_eq!(mail.subject, "Burst pipe");
        assert_eq!(mail.body.trim_end(), "Café is wet");
    }

    #[test]
    fn what_goes_along_is_named() {
        let raw =
            b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHear it.\r\n\
            --b\r\nContent-Type: audio/wav\r\nContent-Disposition: attachment; filename=\"voicemail.wav\"\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nUklGRg==\r\n--b--\r\n";
        assert_eq!(read(raw).body, "Hear it.\n\nAttached: voicemail.wav\n");
        assert_eq!(read(b"Content-Type: text/plain\r\n\r\nNothing.").body, "Nothing.");
    }

    #[test]
    fn base64_is_read_and_broken_mail_is_shown_as_it_came() {
        assert_eq!(read(b"Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n").body, "hello");
        assert_eq!(read(b"no headers at all").body, "");
        assert_eq!(read(b"Subject: =?utf-8?b?!!?= x=?y\r\n\r\nb=\xff").subject, "=?utf-8?b?!!?= x=?y");
        let endless = format!("Content-Type: multipart/mixed; boundary=a\n\n{}", "--a\n".repeat(50));
        assert!(read(endless.as_bytes()).body.len() < endless.len());
    }
}
