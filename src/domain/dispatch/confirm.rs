//! Confirmation by text: what a reply means, and which codes are free.

use std::collections::BTreeSet;

/// A code is not used again at a number until this long after its dispatch has closed, so that a late
/// reply can never confirm another message.
pub const CODE_QUARANTINE_MS: i64 = 24 * 60 * 60 * 1_000;

/// The highest code; a number with more messages than this in a day gets no further code.
const MAX_CODE: u16 = 999;

/// Help is sent to one number at most this often between two replies that were understood.
pub const MAX_HELP_REPLIES: i64 = 5;

/// What a text that came in means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `1ok`.
    Code(u16),
    /// `ok`, without saying what for.
    Bare,
    /// Asks for no more texts. Carriers block on these words by themselves.
    Stop,
    /// Takes a STOP back. `YES` is such a word for carriers, so it never confirms.
    Start,
    /// Anything else: for people to read.
    Other,
}

impl Reply {
    /// Reads a text. Any case, marks around it ignored (`'1 OK.'`).
    pub fn parse(body: &str) -> Self {
        let text = body.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let word = text[digits..].trim_start_matches(|c: char| !c.is_alphanumeric());
        let yes = matches!(word, "ok" | "okay" | "k" | "confirm" | "confirmed");
        match (digits, yes) {
            (1..=3, true) => text[..digits].parse().map_or(Self::Other, Self::Code),
            (0, true) => Self::Bare,
            (0, false) => match word {
                "stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" => Self::Stop,
                "start" | "yes" | "unstop" => Self::Start,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// The one code that a text names without being a confirmation: `11`, `ok 11`, `#11 yes`. None: it names none, or several, or says
/// more than that. What it names is not confirmed by it; the answer begins with that one.
pub fn named_code(body: &str) -> Option<u16> {
    const BESIDE: [&str; 9] = ["ok", "okay", "k", "confirm", "confirmed", "yes", "yep", "y", "code"];
    let kind = |c: char| (c.is_ascii_digit(), c.is_alphanumeric());
    let text: Vec<char> = body.to_lowercase().chars().collect();
    let mut named = None;
    for word in text.chunk_by(|a, b| kind(*a) == kind(*b)) {
        let word: String = word.iter().filter(|c| c.is_alphanumeric()).collect();
        if word.is_empty() || BESIDE.contains(&word.as_str()) {
            continue;
        }
        if named.is_some() || word.len() > 3 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        named = word.parse().ok();
    }
    named
}

/// The lowest code not in `taken` (open, or closed less than [`CODE_QUARANTINE_MS`] ago).
pub fn pick_code(taken: &BTreeSet<u16>) -> Option<u16> {
    (1..=MAX_CODE).find(|code| !taken.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_as_people_type_it() {
        for text in ["1ok", "1 OK", "'1ok'", " 1-Okay. ", "1k", "1 confirmed", "(1) confirm", "1, ok!", "001ok"] {
            assert_eq!(Reply::parse(text), Reply::Code(1), "{text}");
        }
        assert_eq!(Reply::parse("123ok"), Reply::Code(123));
        for text in ["ok", "OK!", "k", " Confirmed "] {
            assert_eq!(Reply::parse(text), Reply::Bare, "{text}");
        }
        for text in ["1234ok", "1", "ok 1", "on my way", "", "1ok thanks", "12 Elm St", "👍", "no", "1 no"] {
            assert_eq!(Reply::parse(text), Reply::Other, "{text}");
        }
    }

    #[test]
    fn words_of_the_carriers_never_confirm() {
        assert_eq!(Reply::parse("YES"), Reply::Start);
        assert_eq!(Reply::parse("1yes"), Reply::Other);
        assert_eq!(Reply::parse("Stop."), Reply::Stop);
    }

    #[test]
    fn a_code_that_is_named_and_not_confirmed_is_known() {
        for text in ["11", "ok 11", "OK11", "#11 yes", "11yes", "Confirm 11!", "code: 011", "\u{1f44d} 11"] {
            assert_eq!(named_code(text), Some(11), "{text}");
            assert!(!matches!(Reply::parse(text), Reply::Code(_) | Reply::Bare), "{text}");
        }
        for text in ["yes", "", "\u{1f44d}", "11ok 10ok", "11 minutes", "1111", "12 Elm St", "on my way", "00:05"] {
            assert_eq!(named_code(text), None, "{text}");
        }
    }

    #[test]
    fn the_lowest_free_code_is_picked_until_none_is_left() {
        assert_eq!(pick_code(&BTreeSet::new()), Some(1));
        assert_eq!(pick_code(&(1..=9).collect()), Some(10));
        assert_eq!(pick_code(&[1, 3].into()), Some(2));
        assert_eq!(pick_code(&(1..=999).collect()), None);
    }
}
