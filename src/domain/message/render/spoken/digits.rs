//! Digits one by one, in groups with pauses: telephone numbers (twice), codes, long numbers, letters and digits together.

use super::{Here, Spoken, is_digits, words};

/// After these comes something that is typed in or looked up, not counted.
const CUES: [&str; 33] = [
    "code",
    "passcode",
    "pin",
    "password",
    "combo",
    "combination",
    "lockbox",
    "account",
    "acct",
    "policy",
    "order",
    "po",
    "wo",
    "invoice",
    "confirmation",
    "conf",
    "serial",
    "model",
    "mrn",
    "license",
    "plate",
    "vin",
    "ticket",
    "case",
    "claim",
    "badge",
    "reference",
    "ref",
    "tracking",
    "member",
    "id",
    "permit",
    "zip",
];
/// May stand between.
const BETWEEN: [&str; 5] = ["is", "#", "number", "no", "num"];

/// `2, 0, 2. 5, 5, 5. 0, 1, 0, 1`: digits in groups, with pauses.
pub fn spoken_number(e164: &str) -> String {
    let digits: Vec<char> = e164.chars().filter(char::is_ascii_digit).collect();
    // North American numbers are said without the country code, in their usual groups.
    match digits.as_slice() {
        ['1', rest @ ..] if rest.len() == 10 => grouped(rest, &[3, 3, 4]),
        all => grouped(all, &[]),
    }
}

/// So that it can be written down and compared.
pub fn twice(spoken: &str) -> String {
    format!("{spoken}. Again: {spoken}")
}

/// Letters and digits one by one, in groups.
pub fn spelled(text: &str) -> String {
    let piece = |piece: &str| {
        let each: Vec<char> = piece.chars().filter(|c| c.is_alphanumeric() || matches!(c, '*' | '#')).collect();
        grouped(&each, &[])
    };
    let pieces: Vec<String> = text.split(['-', '/', '.']).map(piece).filter(|piece| !piece.is_empty()).collect();
    pieces.join(". ")
}

fn grouped(each: &[char], sizes: &[usize]) -> String {
    let say = |c: &char| match c {
        '*' => "star".to_owned(),
        '#' => "pound".to_owned(),
        c => c.to_uppercase().to_string(),
    };
    let (mut groups, mut rest, mut sizes) = (Vec::new(), each, sizes.iter());
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(3).min(rest.len());
        // Nothing is left alone at the end.
        let size = if rest.len() == 4 { 4 } else { size };
        groups.push(rest[..size].iter().map(say).collect::<Vec<_>>().join(", "));
        rest = &rest[size..];
    }
    groups.join(". ")
}

/// A telephone number in one word or up to four, with its extension.
pub(super) fn phone(here: Here<'_>) -> Option<Spoken> {
    let (count, number) = (1..=4).rev().find_map(|count| {
        let last = here.next(count - 1)?;
        let mut bare: Vec<&str> = here.all[here.at..here.at + count - 1].iter().map(|word| word.bare).collect();
        bare.push(last.bare);
        Some((count, as_phone(&bare.join(" "))?))
    })?;
    let (more, extension) = match here.all.get(here.at + count) {
        Some(word) if matches!(word.lower().as_str(), "x" | "ext" | "extension") => {
            (2, here.all.get(here.at + count + 1).map(|word| word.bare).filter(|bare| is_digits(bare)))
        }
        Some(word) => (1, word.bare.strip_prefix(['x', 'X']).filter(|rest| is_digits(rest))),
        None => (0, None),
    };
    let Some(extension) = extension else { return Spoken::of(count, twice(&number)) };
    Spoken::of(count + more, twice(&format!("{number}, extension {}", spelled(extension))))
}

fn as_phone(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+');
    if !text.chars().all(allowed) {
        return None;
    }
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let digits = groups.concat();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    if text.starts_with('+') {
        return (8..=15).contains(&digits.len()).then(|| spoken_number(&digits));
    }
    match sizes.as_slice() {
        [10] | [3, 7] | [6, 4] | [3, 3, 4] => Some(spoken_number(&format!("1{digits}"))),
        [11] | [1, 10] | [1, 3, 7] | [1, 3, 3, 4] if digits.starts_with('1') => Some(spoken_number(&digits)),
        [3, 4] if text.contains('-') && !text.contains(' ') => {
            Some(grouped(&digits.chars().collect::<Vec<_>>(), &[3, 4]))
        }
        _ => None,
    }
}

/// What is typed in or looked up: each of its letters and digits, twice if there are many.
pub(super) fn code(here: Here<'_>) -> Option<Spoken> {
    let cue = |back: usize| here.before(back).map(|word| word.lower());
    let is_cue = |word: &String| CUES.contains(&word.as_str());
    let near = cue(1)
        .filter(is_cue)
        .or_else(|| cue(1).filter(|w| BETWEEN.contains(&w.as_str())).and_then(|_| cue(2)).filter(is_cue));
    near?;
    let bare = here.word().bare.trim_start_matches('#');
    let typed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '*' | '#');
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    if digits < 2 || bare.len() < 3 || !bare.chars().all(typed) {
        return None;
    }
    let each = spelled(bare);
    Spoken::of(1, if bare.len() == 3 { each } else { twice(&each) })
}

/// A number alone: thousands without their comma, decimals, and long ones by their digits.
pub(super) fn number(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    if let Some(rest) = bare.strip_prefix('#').filter(|rest| !rest.is_empty()) {
        return Spoken::of(1, format!("number {}", words(rest)));
    }
    if is_digits(bare) && (bare.len() >= 5 || (bare.len() >= 2 && bare.starts_with('0'))) {
        return Spoken::of(1, spelled(bare));
    }
    // Numbers that a dash holds together and that are no range: parts of one.
    if bare.contains('-') && bare.split('-').all(is_digits) {
        return Spoken::of(1, spelled(bare));
    }
    Spoken::of(1, super::amounts::amount(bare)?)
}

/// Letters and digits in one word: `4B`, `F-150`, `2x4`.
pub(super) fn mixed(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let has_letter = bare.contains(char::is_alphabetic);
    if !here.word().has_digit() || !has_letter || !bare.chars().all(|c| c.is_alphanumeric() || c == '-') {
        return None;
    }
    if let Some((one, other)) = bare.split_once(['x', 'X']).filter(|(a, b)| is_digits(a) && is_digits(b)) {
        return Spoken::of(1, format!("{one} by {other}"));
    }
    if bare.contains('-') {
        return Spoken::of(1, words(&bare.replace('-', " ")));
    }
    let mut runs: Vec<String> = Vec::new();
    for c in bare.chars() {
        let same = |run: &String| run.chars().next().is_some_and(|first| first.is_alphabetic() == c.is_alphabetic());
        match runs.last_mut().filter(|run| same(run)) {
            Some(run) => run.push(c),
            None => runs.push(c.to_string()),
        }
    }
    let say = |run: String| {
        let digits = is_digits(&run);
        if (digits && run.len() > 2) || (!digits && run.chars().count() <= 3) {
            run.to_uppercase().chars().map(String::from).collect::<Vec<_>>().join(" ")
        } else {
            run
        }
    };
    Spoken::of(1, runs.into_iter().map(say).collect::<Vec<_>>().join(" "))
}
