//! Addresses: house numbers, streets, directions, parts of a building, states with their ZIP code; and the saints, mounts and
//! forts that are written as streets and feet are.

use super::digits::spelled;
use super::short::ordinal_of;
use super::{Here, Spoken, Word, is_digits};

const STREETS: [(&str, &str); 32] = [
    ("st", "Street"),
    ("dr", "Drive"),
    ("ave", "Avenue"),
    ("av", "Avenue"),
    ("rd", "Road"),
    ("blvd", "Boulevard"),
    ("ln", "Lane"),
    ("pkwy", "Parkway"),
    ("hwy", "Highway"),
    ("fwy", "Freeway"),
    ("expy", "Expressway"),
    ("tpke", "Turnpike"),
    ("rte", "Route"),
    ("ct", "Court"),
    ("pl", "Place"),
    ("cir", "Circle"),
    ("ter", "Terrace"),
    ("sq", "Square"),
    ("trl", "Trail"),
    ("aly", "Alley"),
    ("xing", "Crossing"),
    ("street", "Street"),
    ("drive", "Drive"),
    ("avenue", "Avenue"),
    ("road", "Road"),
    ("boulevard", "Boulevard"),
    ("lane", "Lane"),
    ("parkway", "Parkway"),
    ("highway", "Highway"),
    ("court", "Court"),
    ("place", "Place"),
    ("way", "Way"),
];
/// Nothing else is written so.
const ALWAYS: [&str; 10] = ["ave", "rd", "blvd", "ln", "pkwy", "hwy", "fwy", "expy", "tpke", "rte"];
/// No street is called that.
const NO_NAME: [&str; 20] = [
    "of", "for", "from", "with", "by", "to", "the", "a", "an", "and", "call", "at", "is", "see", "saw", "per", "via",
    "needs", "on", "in",
];
const UNITS: [(&str, &str); 14] = [
    ("apt", "apartment"),
    ("apartment", "apartment"),
    ("ste", "suite"),
    ("suite", "suite"),
    ("rm", "room"),
    ("room", "room"),
    ("bldg", "building"),
    ("building", "building"),
    ("fl", "floor"),
    ("flr", "floor"),
    ("floor", "floor"),
    ("unit", "unit"),
    ("lot", "lot"),
    ("bay", "bay"),
];
const DIRECTIONS: [(&str, &str); 8] = [
    ("N", "North"),
    ("S", "South"),
    ("E", "East"),
    ("W", "West"),
    ("NE", "North East"),
    ("NW", "North West"),
    ("SE", "South East"),
    ("SW", "South West"),
];
const STATES: [(&str, &str); 51] = [
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "D C"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
];
/// Words too, or short for something else: states only before a ZIP code.
const WORDS_TOO: [&str; 13] = ["OK", "HI", "IN", "OR", "ME", "OH", "MA", "PA", "LA", "ID", "MD", "AL", "DE"];

fn find<'a>(table: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    table.iter().find(|(written, _)| *written == name).map(|(_, said)| *said)
}

/// `1420` as `14 20`, `405` as `4 oh 5`, longer ones by their digits.
fn pairs(number: &str) -> String {
    let (left, right) = match number.len() {
        3 | 4 => number.split_at(number.len() - 2),
        5.. => return spelled(number),
        _ => return number.to_owned(),
    };
    match (left.len(), right, &right[..1]) {
        (1, "00", _) => number.to_owned(),
        (2, "00", _) if left.ends_with('0') => format!("{} thousand", &left[..1]),
        (_, "00", _) => format!("{left} hundred"),
        (_, _, "0") => format!("{left} oh {}", &right[1..]),
        _ => format!("{left} {right}"),
    }
}

/// What a part of a building is called: `4B`, `12`, `C`.
fn part(bare: &str) -> Option<String> {
    let bare = bare.trim_start_matches('#');
    let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = bare.split_at(digits);
    let plain = rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let letters = rest.chars().filter(|c| c.is_ascii_alphabetic()).count();
    if !plain || letters > 2 || bare.is_empty() || ordinal_of(bare).is_some() {
        return None;
    }
    if number.is_empty() && !bare.chars().all(|c| c.is_ascii_uppercase()) {
        return None;
    }
    let rest: String = rest.chars().map(|c| format!(" {c}")).collect::<String>().replace(" -", "");
    Some(format!("{}{}", pairs(number), rest.to_uppercase()).trim().to_owned())
}

/// `apt #4B`, `Ste 210`, `rm 12`, `2nd fl`.
pub(super) fn unit(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    // The state, before its ZIP code.
    if word.bare == "FL" && here.next(1).is_some_and(|next| zip(next.bare).is_some()) {
        return None;
    }
    let name = find(&UNITS, &word.lower())?;
    let ahead = |count: usize| here.all.get(here.at + count);
    let sign = usize::from(ahead(1).is_some_and(|next| next.bare == "#"));
    // A dot may belong to an abbreviation, any other mark ends it.
    let goes_on = word.tail.is_none() || (word.is_dotted() && word.lower() != name);
    let value = ahead(1 + sign).filter(|_| goes_on).and_then(|next| part(next.bare));
    match value {
        Some(value) => Spoken::of(2 + sign, format!("{name} {value}")),
        None => Spoken::short(1, name),
    }
}

/// `78701`, `78701-1234`.
fn zip(bare: &str) -> Option<String> {
    let (first, more) = bare.split_once('-').map_or((bare, None), |(first, more)| (first, Some(more)));
    let fits = is_digits(first) && first.len() == 5 && more.is_none_or(|more| is_digits(more) && more.len() == 4);
    fits.then(|| {
        let each = |digits: &str| digits.chars().map(String::from).collect::<Vec<_>>().join(", ");
        more.map_or_else(|| each(first), |more| format!("{}. {}", each(first), each(more)))
    })
}

/// `TX 78701`; a state alone after a comma.
pub(super) fn state(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    let name = find(&STATES, word.bare)?;
    if let Some(zip) = here.next(1).and_then(|next| zip(next.bare)) {
        return Spoken::of(2, format!("{name} {zip}"));
    }
    let before = here.at.checked_sub(1).map(|at| here.all[at]);
    let after_town = before.is_some_and(|town| town.tail == Some(',') && town.is_capital());
    (after_town && !WORDS_TOO.contains(&word.bare)).then(|| Spoken::of(1, name))?
}

fn is_street(word: Word<'_>) -> bool {
    find(&STREETS, &word.lower()).is_some()
}

/// A number, a name, and `St` or the like.
pub(super) fn house_number(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
    let (number, letter) = bare.split_at(digits);
    if !(1..=6).contains(&digits) || letter.len() > 1 || !letter.chars().all(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    let street = (2..=5).filter_map(|ahead| here.next(ahead).or_else(|| dotted_next(here, ahead))).any(is_street);
    let broken = (1..=3).filter_map(|ahead| here.next(ahead)).any(|word| NO_NAME.contains(&word.lower().as_str()));
    if !street || broken {
        return None;
    }
    let letter = if letter.is_empty() { String::new() } else { format!(" {}", letter.to_uppercase()) };
    Spoken::of(1, format!("{}{letter}", pairs(number)))
}

/// The same as [`Here::next`], over a dotted direction (`14 N. Elm St`).
fn dotted_next<'a>(here: Here<'a>, ahead: usize) -> Option<Word<'a>> {
    let between = here.all.get(here.at..here.at + ahead)?;
    let near = |word: &Word<'_>| word.tail.is_none() || (word.is_dotted() && find(&DIRECTIONS, word.bare).is_some());
    between.iter().all(near).then(|| here.all.get(here.at + ahead).copied())?
}

/// `N` before a street's name, `SW` behind it.
pub(super) fn direction(here: Here<'_>) -> Option<Spoken> {
    let name = find(&DIRECTIONS, here.word().bare)?;
    let before = here.before(1)?;
    let named = here.follows().is_some_and(|next| next.is_capital() || next.has_digit());
    ((before.has_digit() && named) || is_street(before)).then(|| Spoken::short(1, name))?
}

/// Whether the word before can be a street's name.
fn is_named(before: Word<'_>) -> bool {
    let name = !before.is_number() && !NO_NAME.contains(&before.lower().as_str());
    name && before.tail.is_none()
}

/// `Elm St`, `40 Lake Dr`, and `Dr. Patel`.
pub(super) fn street(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    let lower = word.lower();
    let name = find(&STREETS, &lower)?;
    if name.to_ascii_lowercase() == lower {
        return None;
    }
    if ALWAYS.contains(&lower.as_str()) {
        return Spoken::short(1, name);
    }
    let before = here.before(1).filter(|before| is_named(*before));
    let numbered = before.is_some() && (2..=4).filter_map(|back| here.before(back)).any(|word| word.has_digit());
    let next = here.follows().filter(|_| matches!(word.tail, None | Some('.')));
    let ends = next.is_none_or(|next| find(&UNITS, &next.lower()).is_some() || next.bare.starts_with('#'));
    let named = before.is_some_and(|before| before.is_capital() || before.has_digit());
    let calls = next.is_some_and(|next| next.is_capital());
    let is_street = match lower.as_str() {
        "st" => (numbered || named) && !(calls && word.is_dotted() && !numbered),
        "dr" => (numbered && (named || !calls)) || (named && ends),
        _ => numbered || (named && ends),
    };
    if is_street {
        return Spoken::short(1, name);
    }
    match lower.as_str() {
        "dr" => Spoken::short(1, "Doctor"),
        "st" if calls => Spoken::short(1, "Saint"),
        _ => None,
    }
}

/// `Mt. Sinai`, `Ft. Worth`.
pub(super) fn saint(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    let name = match word.bare {
        "Mt" => "Mount",
        "Ft" => "Fort",
        _ => return None,
    };
    let counted = here.before(1).is_some_and(|before| before.has_digit());
    let calls = here.follows().is_some_and(|next| next.is_capital());
    (calls && !counted).then(|| Spoken::short(1, name))?
}
