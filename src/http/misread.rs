//! What is wrong with a request that is JSON, or a query, and not what was asked for, in the house's words. Serde's own are for whoever
//! wrote the types, and repeat what was sent. Pure.

use serde_path_to_error::{Path, Segment};

use crate::domain::account::fault::Fault;

use super::error::{Problem, Wrong, as_sentence};

/// Where the forms of all bodies are.
const DESCRIBED: &str = "What belongs there is in /api/openapi.json.";

/// A body that is no JSON, or not the JSON that was asked for.
pub fn of_body(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        let (line, column) = (inner.line(), inner.column());
        let detail = match inner.is_eof() {
            true => "The JSON breaks off before its end. Send all of it.".to_owned(),
            false => {
                format!("It cannot be read as JSON from line {line}, column {column} on. Correct it there. {DESCRIBED}")
            }
        };
        return Problem::malformed("body.malformed", detail);
    }
    of("body.invalid", pointer(error.path()), &inner.to_string())
}

/// A query: `text` is what axum says of it.
pub fn of_query(text: &str) -> Problem {
    let said = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let named = said.split_once(": ").filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let (at, said) = named.map_or((String::new(), said), |(name, said)| (format!("/{name}"), said));
    of("query.invalid", at, said)
}

fn of(code: &'static str, at: String, said: &str) -> Problem {
    let mut fault = explain(said);
    fault.pointer.insert_str(0, &at);
    let place = if fault.pointer.is_empty() { String::new() } else { format!("{}: ", fault.pointer) };
    let detail = format!("{place}{} {}", fault.detail, fault.cure);
    Problem { errors: vec![Wrong::Written(fault)], ..Problem::malformed(code, detail.trim_end()) }
}

fn pointer(path: &Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        // Which of several forms was tried; not a place.
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}

/// RFC 6901 §3.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The pointer of the answer goes on from where the message is about.
fn explain(said: &str) -> Fault {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    // What stands in an enum says itself where it is wrong: `base/placed`.
    if let Some((at, said)) = said.split_once(": ").filter(|(at, _)| at.starts_with('/')) {
        let mut fault = explain(said);
        fault.pointer.insert_str(0, at);
        return fault;
    }
    let fault = |below: Option<&str>, code: &'static str, detail: String, cure: String| Fault {
        pointer: below.map_or_else(String::new, |name| format!("/{}", escape(name))),
        code: code.into(),
        detail,
        cure,
    };
    if let Some(name) = quoted(said, "missing field ") {
        return fault(Some(name), "missing", "This is missing.".to_owned(), format!("Send it. {DESCRIBED}"));
    }
    if let Some(name) = quoted(said, "duplicate field ") {
        return fault(Some(name), "twice", "This stands twice.".to_owned(), "Send it once.".to_owned());
    }
    // The path leads to it already.
    if said.starts_with("unknown field ") {
        let cure = choice(said).map_or_else(|| "Leave it out.".to_owned(), |known| format!("Known here: {known}."));
        return fault(None, "unknown", "Nothing of this name belongs here.".to_owned(), cure);
    }
    if said.starts_with("unknown variant ") {
        let cure = choice(said).map_or_else(|| DESCRIBED.to_owned(), |words| format!("Write one of: {words}."));
        return fault(None, "word", "This is none of the words that may stand here.".to_owned(), cure);
    }
    let mismatch = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    if let Some((found, wanted)) = mismatch.and_then(|said| said.rsplit_once(", expected ")) {
        let wanted = belongs(wanted);
        if said.starts_with("invalid type: ") {
            let detail = format!("{} stands where {wanted} belongs.", stands(found));
            return fault(None, "kind", detail, format!("Send {wanted}."));
        }
        return fault(None, "value", "This value cannot stand here.".to_owned(), format!("Send {wanted}."));
    }
    if said.starts_with("invalid length ") {
        return fault(None, "length", "This has too many or too few parts.".to_owned(), DESCRIBED.to_owned());
    }
    if said.starts_with("data did not match any variant") {
        return fault(None, "form", "This has none of the forms that may stand here.".to_owned(), DESCRIBED.to_owned());
    }
    // Types of ours say what is wrong in words of ours.
    fault(None, "value", as_sentence(said), String::new())
}

/// The name after `what`, which serde puts in backticks.
fn quoted<'a>(said: &'a str, what: &str) -> Option<&'a str> {
    said.strip_prefix(what)?.strip_prefix('`')?.split_once('`').map(|(name, _)| name)
}

/// What serde says may stand there, without its backticks.
fn choice(said: &str) -> Option<String> {
    let known = said.rsplit_once(", expected ")?.1;
    let known = known.strip_prefix("one of ").unwrap_or(known);
    known.contains('`').then(|| known.replace('`', "").replace(" or ", ", "))
}

/// What was found, without what it says.
fn stands(found: &str) -> &'static str {
    match found.split([' ', '`']).next().unwrap_or_default() {
        "string" | "character" => "A text",
        "integer" | "floating" | "number" => "A number",
        "boolean" => "True or false",
        "null" | "unit" | "Option" => "Null",
        "map" => "An object",
        "sequence" => "A list",
        _ => "Something else",
    }
}

fn belongs(wanted: &str) -> &'static str {
    match wanted.split(' ').next().unwrap_or_default() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "string" | "enum" | "variant" => "a text",
        "struct" | "internally" | "adjacently" | "map" => "an object",
        "tuple" | "sequence" => "a list",
        "unit" | "null" => "null",
        _ => match wanted {
            "a string" | "a borrowed string" => "a text",
            "a boolean" => "true or false",
            "a sequence" => "a list",
            "a map" => "an object",
            _ => "what /api/openapi.json says",
        },
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::flow::Flow;
    use crate::domain::ivr::menu::Node;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read alone")]
    struct Row {
        name: String,
        count: u32,
        #[serde(default)]
        word: Option<Word>,
        #[serde(default)]
        number: Option<PhoneNumber>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read alone")]
    struct Sheet {
        rows: Vec<Row>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read alone")]
    struct Steps {
        #[serde(default)]
        usual: Flow,
        #[serde(default)]
        nodes: Vec<Node>,
    }

    fn problem(text: &str) -> Problem {
        let error = serde_path_to_error::deserialize::<_, Sheet>(&mut serde_json::Deserializer::from_str(text));
        of_body(&error.expect_err("it is wrong"))
    }

    fn fault(row: &str) -> (String, String, String) {
        let problem = problem(&format!(r#"{{"rows": [{{"name": "a", "count": 1}}, {row}]}}"#));
        assert_eq!(problem.code, "body.invalid");
        let [Wrong::Written(fault)] = problem.errors.as_slice() else { panic!("one fault: {problem:?}") };
        assert!(!problem.detail.contains("line"), "{}", problem.detail);
        (fault.pointer.clone(), fault.code.to_string(), format!("{} {}", fault.detail, fault.cure))
    }

    fn told(pointer: &str, code: &str, words: &str) -> (String, String, String) {
        (pointer.to_owned(), code.to_owned(), words.to_owned())
    }

    #[test]
    fn each_mistake_is_told_with_its_place_and_what_to_do() {
        let described = "What belongs there is in /api/openapi.json.";
        let cases = [
            (r#"{"count": 1}"#, told("/rows/1/name", "missing", &format!("This is missing. Send it. {described}"))),
            (
                r#"{"name": 5, "count": 1}"#,
                told("/rows/1/name", "kind", "A number stands where a text belongs. Send a text."),
            ),
            (
                r#"{"name": "a", "count": -1}"#,
                told("/rows/1/count", "value", "This value cannot stand here. Send a whole number, 0 or more."),
            ),
            (
                r#"{"name": "a", "count": "x"}"#,
                told(
                    "/rows/1/count",
                    "kind",
                    "A text stands where a whole number, 0 or more belongs. Send a whole number, 0 or more.",
                ),
            ),
            (
                r#"{"name": "a", "count": 1, "a/b": 1}"#,
                told(
                    "/rows/1/a~1b",
                    "unknown",
                    "Nothing of this name belongs here. Known here: name, count, word, number.",
                ),
            ),
            (
                r#"{"name": "a", "count": 1, "word": "blue"}"#,
                told(
                    "/rows/1/word",
                    "word",
                    "This is none of the words that may stand here. Write one of: red, green.",
                ),
            ),
        ];
        for (row, expected) in cases {
            assert_eq!(fault(row), expected, "{row}");
        }
        let (pointer, _, words) = fault(r#"{"name": "a", "count": 1, "number": "12"}"#);
        assert_eq!(pointer, "/rows/1/number");
        assert!(words.starts_with("Not a complete telephone number: write it as"), "{words}");
    }

    #[test]
    fn what_is_wrong_in_a_flow_or_a_menu_is_told_at_the_field_in_which_it_is_written() {
        let at = |text: &str| {
            let error = serde_path_to_error::deserialize::<_, Steps>(&mut serde_json::Deserializer::from_str(text));
            let problem = of_body(&error.expect_err("it is wrong"));
            let [Wrong::Written(fault)] = problem.errors.as_slice() else { panic!("one fault: {problem:?}") };
            (fault.pointer.clone(), fault.code.to_string())
        };
        let cases = [
            (r#"{"usual": {"kind": "announcement", "speech": {"kind": "spoken"}}}"#, "/usual/speech/text", "missing"),
            (r#"{"usual": {"kind": "announcement", "speech": "Hello"}}"#, "/usual/speech", "kind"),
            (r#"{"usual": {"kind": "spill", "number": "12"}}"#, "/usual/number", "value"),
            (
                r#"{"usual": {"kind": "patch", "whom": [], "failed":
                    {"kind": "voicemail", "call_type": "ct_x", "speech": {"kind": "sung"}}}}"#,
                "/usual/failed/speech",
                "word",
            ),
            (
                r#"{"nodes": [{"id": "ask", "step": "gather", "choices": [], "timeout_secs": null,
                    "speech": {"kind": "spoken", "text": "Press 1."}}]}"#,
                "/nodes/0/timeout_secs",
                "kind",
            ),
        ];
        for (text, pointer, code) in cases {
            assert_eq!(at(text), (pointer.to_owned(), code.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        for row in [r#"{"name": "a", "count": "Jane Roe"}"#, r#"{"name": "a", "count": 1, "word": "Jane Roe"}"#] {
            assert!(!fault(row).2.contains("Jane"), "{row}");
        }
    }

    #[test]
    fn what_is_no_json_says_where() {
        let broken = problem(r#"{"rows": [}"#);
        assert_eq!(broken.code, "body.malformed");
        assert!(broken.detail.starts_with("It cannot be read as JSON from line 1, column 11 on."), "{}", broken.detail);
        assert!(problem(r#"{"rows": ["#).detail.starts_with("The JSON breaks off"));
    }

    #[test]
    fn a_query_is_told_by_its_parameter() {
        let said = "Failed to deserialize query string: open: unknown variant `x`, expected `a` or `b`";
        let problem = of_query(said);
        assert_eq!(problem.code, "query.invalid");
        let detail = "/open: This is none of the words that may stand here. Write one of: a, b.";
        assert_eq!(problem.detail, detail);
    }
}
