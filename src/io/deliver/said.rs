//! What a carrier, a mail server or a client's system said to a delivery in its own words, made fit for a line of a dispatch's time
//! line. Decides nothing: what an answer means is the edge's that asked.
//!
//! What always holds: it is one line that can be printed, of bounded length; what quotes a secret of ours is not kept at all; and as
//! it may quote a number or an address it is a person's, for no log line and no metric.

use serde_json::Value;

use crate::base::pii::Pii;
use crate::domain::message::form::visible;
use crate::domain::message::render::one_line;

/// The longest that is kept, in characters: a sentence or two.
const MAX_CHARS: usize = 160;

/// `words` as they are kept; none, if they say nothing or too much.
pub fn fit(words: &str, secret: Option<&str>) -> Option<Pii<String>> {
    if secret.is_some_and(|secret| !secret.is_empty() && words.contains(secret)) {
        return None;
    }
    let words = one_line(&visible(words, false));
    let mut kept: String = words.chars().take(MAX_CHARS).collect();
    if kept.len() < words.len() {
        kept.push('\u{2026}');
    }
    (!kept.is_empty()).then(|| Pii::new(kept))
}

/// Those of an HTTP answer, behind its status: a sentence in its JSON (RFC 9457 §3.1, and what else it is called), or its first line.
pub(super) fn in_body(status: u16, body: &[u8]) -> Option<Pii<String>> {
    let text = std::str::from_utf8(body).ok()?;
    let words = match serde_json::from_str::<Value>(text) {
        Ok(json) => sentence(&json)?.to_owned(),
        // A page is for browsers.
        Err(_) => text.trim_start().lines().next().filter(|line| !line.starts_with('<'))?.to_owned(),
    };
    fit(&words, None).and_then(|_| fit(&format!("{status} {words}"), None))
}

fn sentence(json: &Value) -> Option<&str> {
    let wrong = json.get("errors").and_then(|errors| errors.get(0)).unwrap_or(json);
    ["detail", "message", "error", "title"].into_iter().find_map(|name| wrong.get(name).and_then(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(words: &str) -> Option<String> {
        fit(words, Some("s3cret")).map(Pii::into_inner)
    }

    #[test]
    fn words_are_one_line_of_bounded_length_and_hold_no_secret() {
        assert_eq!(kept("550  no such\r\npager\u{7}\u{202e}").as_deref(), Some("550 no such pager"));
        for nothing in ["", " \r\n", "\u{200b}", "550 not with s3cret"] {
            assert_eq!(kept(nothing), None, "{nothing:?}");
        }
        let long = kept(&"no ".repeat(200)).expect("it says something");
        assert!(long.chars().count() == MAX_CHARS + 1 && long.ends_with('\u{2026}'), "{long}");
        assert_eq!(fit("no", Some("")).map(Pii::into_inner).as_deref(), Some("no"), "no password is no secret");
    }

    #[test]
    fn an_answer_over_http_says_its_sentence_behind_its_status() {
        for (body, words) in [
            (r#"{"title":"Bad","detail":"no field x"}"#, Some("422 no field x")),
            (r#"{"code":21614,"message":"not a mobile"}"#, Some("422 not a mobile")),
            (r#"{"errors":[{"code":"40310","title":"Invalid","detail":"not a number"}]}"#, Some("422 not a number")),
            (r#"{"error":"closed"}"#, Some("422 closed")),
            ("closed today\nand tomorrow", Some("422 closed today")),
            ("<html><body>Error</body></html>", None),
            (r#"{"ok":false}"#, None),
            ("\"\"", None),
            ("", None),
        ] {
            assert_eq!(in_body(422, body.as_bytes()).map(Pii::into_inner).as_deref(), words, "{body}");
        }
        assert_eq!(in_body(422, b"\xff\xfe"), None);
    }
}
