//! Confirmation by text: what a reply means, which message it is about, and which codes are free. Pure: `engine/dispatcher/arrivals`
//! asks. What always holds: a yes that could be for several messages is for none of them.

use std::collections::BTreeSet;

use crate::base::clock::UtcMs;

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
    /// Whoever has that telephone is not who is meant: for people to read, and told nothing of what is open.
    WrongNumber,
    /// Anything else: for people to read.
    Other,
}

impl Reply {
    /// Reads a text. Any case, marks around it ignored (`'1 OK.'`).
    pub fn parse(body: &str) -> Self {
        let text = body.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if is_wrong_number(&text) {
            return Self::WrongNumber;
        }
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

/// It says, in whatever sentence, that it came to somebody else.
fn is_wrong_number(text: &str) -> bool {
    let is_mark = |c: char| !c.is_alphanumeric();
    let words: Vec<&str> = text.split_whitespace().collect();
    // Marks behind the first word part the two: "the valve is wrong, number 3 leaks".
    words.windows(2).any(|pair| match (pair[0].trim_start_matches(is_mark), pair[1].trim_matches(is_mark)) {
        ("wrong", second) => matches!(second, "number" | "num" | "nr" | "person" | "phone"),
        ("numero" | "n\u{fa}mero", second) => second == "equivocado",
        _ => false,
    })
}

/// A code at a number that is not free again yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub code: u16,
    pub given_at: UtcMs,
    /// So is its dispatch.
    pub is_open: bool,
}

/// Whose text it is. Codes are named by their place among those that were asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// It is the yes to this one.
    Yes(usize),
    /// It is a yes, and several are open: they are asked which, as this one's.
    Which(usize),
    /// No more texts to this number.
    Stop,
    /// Texts again; and for people to read, as it may be meant for a yes.
    Start,
    /// No yes to anything: for people to read.
    Nothing,
}

/// Whose text a reply is, by the codes at its sender's number.
pub fn pick_meant(reply: Reply, codes: &[Code]) -> Meant {
    let open: Vec<usize> = (0..codes.len()).filter(|at| codes[*at].is_open).collect();
    match reply {
        Reply::Code(code) => codes.iter().position(|given| given.code == code).map_or(Meant::Nothing, Meant::Yes),
        Reply::Bare => match (open.as_slice(), codes.len(), newest_open(codes)) {
            ([one], _, _) => Meant::Yes(*one),
            // Nothing is open: whoever confirms what was confirmed lately hears by whom.
            ([], 1, _) => Meant::Yes(0),
            (_, _, Some(newest)) => Meant::Which(newest),
            (_, _, None) => Meant::Nothing,
        },
        Reply::Stop => Meant::Stop,
        Reply::Start => Meant::Start,
        Reply::WrongNumber | Reply::Other => Meant::Nothing,
    }
}

/// Of the codes that are open the one that was given last.
pub fn newest_open(codes: &[Code]) -> Option<usize> {
    let open = (0..codes.len()).filter(|at| codes[*at].is_open);
    open.max_by_key(|at| (codes[*at].given_at, codes[*at].code))
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
    fn whoever_says_that_it_is_the_wrong_number_is_nobody_who_confirms() {
        for text in [
            "Wrong number!",
            "wrong number",
            "Sorry, you have the WRONG   NUMBER.",
            "1 wrong number",
            "ok wrong person",
            "N\u{fa}mero equivocado",
        ] {
            assert_eq!(Reply::parse(text), Reply::WrongNumber, "{text}");
        }
        for text in ["the valve is wrong, number 3 leaks", "wrong", "what number?"] {
            assert_eq!(Reply::parse(text), Reply::Other, "{text}");
        }
        let open = Code { code: 1, given_at: UtcMs(0), is_open: true };
        assert_eq!(pick_meant(Reply::WrongNumber, &[open]), Meant::Nothing);
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
    fn a_yes_is_for_the_one_it_names_or_for_the_only_one_that_is_open() {
        let code = |code, given_at, is_open| Code { code, given_at: UtcMs(given_at), is_open };
        let (late, open, newer) = (code(1, 10, false), code(2, 20, true), code(3, 30, true));
        let bare = |codes: &[Code]| pick_meant(Reply::Bare, codes);
        assert_eq!(
            pick_meant(Reply::Code(1), &[late, open]),
            Meant::Yes(0),
            "a late yes hears by whom it was confirmed"
        );
        assert_eq!(pick_meant(Reply::Code(9), &[late, open]), Meant::Nothing);
        assert_eq!(bare(&[late, open]), Meant::Yes(1));
        assert_eq!(bare(&[late]), Meant::Yes(0));
        assert_eq!(bare(&[newer, late, open]), Meant::Which(0), "two are open: none of them is confirmed by it");
        assert_eq!(bare(&[open, newer]), Meant::Which(1));
        assert_eq!((bare(&[late, code(4, 40, false)]), bare(&[])), (Meant::Nothing, Meant::Nothing));
        // Words of the carriers, and anything else, are no yes, however few are open.
        assert_eq!(pick_meant(Reply::Stop, &[open]), Meant::Stop);
        assert_eq!(pick_meant(Reply::Start, &[open]), Meant::Start);
        assert_eq!(pick_meant(Reply::Other, &[open]), Meant::Nothing);
        assert_eq!((newest_open(&[late]), newest_open(&[open, newer, late])), (None, Some(1)));
    }

    #[test]
    fn the_lowest_free_code_is_picked_until_none_is_left() {
        assert_eq!(pick_code(&BTreeSet::new()), Some(1));
        assert_eq!(pick_code(&(1..=9).collect()), Some(10));
        assert_eq!(pick_code(&[1, 3].into()), Some(2));
        assert_eq!(pick_code(&(1..=999).collect()), None);
    }
}
