//! Written text as a voice says it, so that whoever listens can write it down: digits in groups and telephone numbers twice,
//! abbreviations in full, amounts, times and addresses as people say them.
//!
//! What operators type, word by word: each rule looks at a word and those beside it and says one or more of them, the first
//! that fits is taken, and what no rule knows is said as it is written. English as spoken in North America. Pure;
//! `speech` makes sentences of it. Holds: every word is said or is a mark that has no sound; nothing is said that was
//! not written. The table of cases is `tests/spoken-cases.tsv`.

mod amounts;
mod digits;
mod net;
mod places;
mod short;
#[cfg(test)]
mod tests;
mod when;

pub use digits::{spelled, spoken_number, twice};
pub use when::spoken_time;

/// A word without its marks, and the mark after it that a voice makes a pause of.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    bare: &'a str,
    tail: Option<char>,
}

impl Word<'_> {
    fn lower(&self) -> String {
        self.bare.to_ascii_lowercase()
    }

    fn is_capital(&self) -> bool {
        self.bare.starts_with(char::is_uppercase)
    }

    fn is_number(&self) -> bool {
        is_digits(self.bare)
    }

    fn has_digit(&self) -> bool {
        self.bare.contains(|c: char| c.is_ascii_digit())
    }

    fn is_dotted(&self) -> bool {
        self.tail == Some('.')
    }
}

/// A word among the others.
#[derive(Clone, Copy)]
struct Here<'a> {
    all: &'a [Word<'a>],
    at: usize,
}

impl<'a> Here<'a> {
    fn word(&self) -> Word<'a> {
        self.all[self.at]
    }

    /// The word `ahead` of this one, if no mark stands between.
    fn next(&self, ahead: usize) -> Option<Word<'a>> {
        let between = self.all.get(self.at..self.at + ahead)?;
        between.iter().all(|word| word.tail.is_none()).then(|| self.all.get(self.at + ahead).copied())?
    }

    /// The word after this one, whatever mark stands between.
    fn follows(&self) -> Option<Word<'a>> {
        self.all.get(self.at + 1).copied()
    }

    /// The word `back` before this one, if no mark but a dot or a colon stands between.
    fn before(&self, back: usize) -> Option<Word<'a>> {
        let from = self.at.checked_sub(back)?;
        let near = |word: &Word<'_>| matches!(word.tail, None | Some('.' | ':'));
        self.all[from..self.at].iter().all(near).then(|| self.all[from])
    }
}

/// What is said for one word or more.
struct Spoken {
    words: usize,
    text: String,
    /// A dot after it was part of the abbreviation.
    dot: bool,
}

impl Spoken {
    fn of(words: usize, text: impl Into<String>) -> Option<Self> {
        Some(Self { words, text: text.into(), dot: false })
    }

    fn short(words: usize, text: impl Into<String>) -> Option<Self> {
        Some(Self { words, text: text.into(), dot: true })
    }
}

type Rule = fn(Here<'_>) -> Option<Spoken>;

const RULES: [Rule; 26] = [
    digits::phone,
    net::address,
    digits::code,
    when::clock,
    amounts::rate,
    when::date,
    when::month,
    when::weekday,
    amounts::money,
    amounts::dash,
    places::unit,
    places::state,
    amounts::fraction,
    amounts::range,
    amounts::feet,
    amounts::measure,
    places::house_number,
    places::direction,
    places::street,
    places::saint,
    short::ordinal,
    short::abbreviation,
    short::letters,
    digits::number,
    digits::mixed,
    short::slashed,
];

/// `text` as it is said.
pub fn words(text: &str) -> String {
    let clean = clean(text);
    let all: Vec<Word<'_>> = clean.split_whitespace().filter_map(split).collect();
    let mut said: Vec<String> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let here = Here { all: &all, at };
        let spoken = RULES.iter().find_map(|rule| rule(here));
        let spoken = spoken.unwrap_or_else(|| Spoken { words: 1, text: plain(here.word().bare), dot: false });
        at += spoken.words;
        let tail = all[at - 1].tail.filter(|tail| !(spoken.dot && *tail == '.'));
        if !spoken.text.is_empty() {
            said.push(spoken.text + &tail.map(String::from).unwrap_or_default());
        }
    }
    said.join(" ")
}

/// Marks of one kind for those that look alike; pictures and what a voice would take for mark-up left out.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '½' => clean.push_str(" 1/2 "),
            '¼' => clean.push_str(" 1/4 "),
            '¾' => clean.push_str(" 3/4 "),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => clean.push('-'),
            '\u{2018}' | '\u{2019}' => clean.push('\''),
            '\u{201c}' | '\u{201d}' => clean.push('"'),
            '…' => clean.push_str(". "),
            '×' => clean.push_str(" x "),
            'º' => clean.push('°'),
            '~' => clean.push_str(" about "),
            '<' | '>' | '{' | '}' | '[' | ']' | '|' | '\\' | '^' | '`' => clean.push(' '),
            // Arrows, frames, pictures, and what joins them.
            '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{200d}' | '\u{1f000}'.. => clean.push(' '),
            c => clean.push(c),
        }
    }
    clean
}

/// Takes the marks off a word. Inches keep theirs.
fn split(text: &str) -> Option<Word<'_>> {
    let mut bare = text.trim_start_matches(['(', '"', '\'', ',', ';', ':', '!', '?']);
    let quoted = text.starts_with(['"', '\'']);
    let mut tail = None;
    while let Some(last) = bare.chars().next_back() {
        let inches = !quoted && bare.starts_with(|c: char| c.is_ascii_digit());
        match last {
            '.' | ',' | ';' | ':' | '!' | '?' => tail = Some(last),
            ')' => {}
            '"' | '\'' if !inches => {}
            _ => break,
        }
        bare = &bare[..bare.len() - last.len_utf8()];
    }
    (!bare.is_empty()).then_some(Word { bare, tail })
}

/// Without marks that a voice would read out.
fn plain(word: &str) -> String {
    let dropped = |c: char| matches!(c, '*' | '_' | '"' | '(' | ')' | '#');
    let kept: String = word.chars().filter(|c| !dropped(*c)).collect();
    if kept.contains(char::is_alphanumeric) { kept } else { String::new() }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
