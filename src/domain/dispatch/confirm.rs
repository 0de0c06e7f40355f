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
    fn the_lowest_free_code_is_picked_until_none_is_left() {
        assert_eq!(pick_code(&BTreeSet::new()), Some(1));
        assert_eq!(pick_code(&(1..=9).collect()), Some(10));
        assert_eq!(pick_code(&[1, 3].into()), Some(2));
        assert_eq!(pick_code(&(1..=999).collect()), None);
    }
}
