//! Finding the session description in a message's body: by itself, or in a part of a multipart.

use super::Headers;

/// A body that is not something we can use: answered with 415.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

/// The SDP of a body; `None` for no body.
pub fn find_sdp(headers: &Headers, body: &[u8]) -> Result<Option<Vec<u8>>, Unsupported> {
    if body.is_empty() {
        return Ok(None);
    }
    let encoded = headers.elements("Content-Encoding").any(|e| !e.eq_ignore_ascii_case("identity"));
    if encoded {
        return Err(Unsupported);
    }
    let Some(content_type) = headers.first("Content-Type") else {
        // RFC 3261 §20.15 wants a type with a body; some gateways forget it.
        return if body.starts_with(b"v=") { Ok(Some(body.to_vec())) } else { Err(Unsupported) };
    };
    let (media, params) = content_type.split_once(';').unwrap_or((content_type, ""));
    let media = media.trim();
    if media.eq_ignore_ascii_case("application/sdp") {
        return Ok(Some(body.to_vec()));
    }
    if media.get(..10).is_some_and(|m| m.eq_ignore_ascii_case("multipart/")) {
        let boundary = params
            .split(';')
            .filter_map(|p| p.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
            .map(|(_, value)| value.trim().trim_matches('"'))
            .filter(|b| !b.is_empty() && b.len() <= 70)
            .ok_or(Unsupported)?;
        return sdp_part(body, boundary).map(Some).ok_or(Unsupported);
    }
    Err(Unsupported)
}

/// The first `application/sdp` part (RFC 2046 §5.1).
fn sdp_part(body: &[u8], boundary: &str) -> Option<Vec<u8>> {
    let delimiter = format!("--{boundary}");
    let mut rest = &body[find(body, delimiter.as_bytes())? + delimiter.len()..];
    // A part costs its delimiter at least, so the loop is bounded by the body's length.
    while let Some(end) = find(rest, delimiter.as_bytes()) {
        let part = &rest[..end];
        let (head, content) = match find(part, b"\r\n\r\n") {
            Some(at) => (&part[..at], &part[at + 4..]),
            None => (&part[..0], part),
        };
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let is_sdp = head.lines().any(|line| {
            line.split_once(':').is_some_and(|(name, value)| {
                name.trim() == "content-type" && value.split(';').next().unwrap_or_default().trim() == "application/sdp"
            })
        });
        if is_sdp {
            // The line break before a delimiter belongs to the delimiter.
            return Some(content.strip_suffix(b"\r\n").unwrap_or(content).to_vec());
        }
        rest = &rest[end + delimiter.len()..];
    }
    None
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(content_type: &str) -> Headers {
        let mut headers = Headers::default();
        headers.push("Content-Type", content_type);
        headers
    }

    #[test]
    fn finds_the_description_alone_or_among_parts() {
        assert_eq!(find_sdp(&typed("application/SDP"), b"v=0\r\n"), Ok(Some(b"v=0\r\n".to_vec())));
        let body = b"--xx\r\nContent-Type: application/isup\r\n\r\n\x01\x00\r\n--xx\r\ncontent-type: application/sdp; x=1\r\n\r\nv=0\r\ns=-\r\n\r\n--xx--\r\n";
        assert_eq!(find_sdp(&typed("multipart/mixed;boundary=\"xx\""), body), Ok(Some(b"v=0\r\ns=-\r\n".to_vec())));
        assert_eq!(find_sdp(&typed("application/unknownformat"), b"<audio>"), Err(Unsupported));
        assert_eq!(find_sdp(&typed("multipart/mixed;boundary=yy"), body), Err(Unsupported));
    }
}
