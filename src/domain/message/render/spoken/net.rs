//! Addresses of the net: an email address is said and then spelled, as nobody hears `roe` from `row`; a page is said.

use super::{Here, Spoken};

/// `jane.roe@example.com`, `www.example.com/help`, and an `@` that stands alone.
pub(super) fn address(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    if bare == "@" {
        return Spoken::of(1, "at");
    }
    if let Some((name, domain)) = bare.split_once('@') {
        let whole = !name.is_empty() && domain.contains('.');
        let domain = said(domain);
        return whole
            .then(|| Spoken::of(1, format!("{} at {domain}. Spelled: {}, at {domain}", said(name), letters(name))))?;
    }
    let page = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).unwrap_or(bare);
    match page.strip_prefix("www.") {
        Some(rest) => Spoken::of(1, format!("w w w dot {}", said(rest))),
        None if page.len() < bare.len() => Spoken::of(1, said(page)),
        None => None,
    }
}

fn mark(c: char) -> Option<&'static str> {
    Some(match c {
        '.' => "dot",
        '_' => "underscore",
        '-' => "dash",
        '+' => "plus",
        '/' => "slash",
        _ => return None,
    })
}

fn said(text: &str) -> String {
    let mut said = String::new();
    for c in text.chars() {
        match mark(c) {
            Some(mark) => said.push_str(&format!(" {mark} ")),
            None if c.is_ascii_digit() => said.push_str(&format!(" {c} ")),
            None if c.is_alphanumeric() => said.push(c),
            None => {}
        }
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn letters(text: &str) -> String {
    let known = text.chars().filter(|c| c.is_alphanumeric() || mark(*c).is_some());
    known.map(|c| mark(c).map_or_else(|| c.to_string(), str::to_owned)).collect::<Vec<_>>().join(", ")
}
