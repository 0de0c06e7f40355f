//! Amounts: money, fractions, ranges, measures with their units, rates.

use super::{Here, Spoken, is_digits};

/// As written, one of it, more of it.
const UNITS: [(&str, &str, &str); 61] = [
    ("%", "percent", "percent"),
    ("°", "degree", "degrees"),
    ("deg", "degree", "degrees"),
    ("°f", "degree Fahrenheit", "degrees Fahrenheit"),
    ("°c", "degree Celsius", "degrees Celsius"),
    ("mg", "milligram", "milligrams"),
    ("mcg", "microgram", "micrograms"),
    ("g", "gram", "grams"),
    ("kg", "kilogram", "kilograms"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ml", "milliliter", "milliliters"),
    ("cc", "c c", "c c"),
    ("l", "liter", "liters"),
    ("gal", "gallon", "gallons"),
    ("gals", "gallon", "gallons"),
    ("qt", "quart", "quarts"),
    ("qts", "quart", "quarts"),
    ("ft", "foot", "feet"),
    ("\"", "inch", "inches"),
    ("in", "inch", "inches"),
    ("yd", "yard", "yards"),
    ("yds", "yard", "yards"),
    ("mi", "mile", "miles"),
    ("mm", "millimeter", "millimeters"),
    ("cm", "centimeter", "centimeters"),
    ("km", "kilometer", "kilometers"),
    ("sqft", "square foot", "square feet"),
    ("sf", "square foot", "square feet"),
    ("mph", "mile per hour", "miles per hour"),
    ("psi", "p s i", "p s i"),
    ("gpm", "gallon per minute", "gallons per minute"),
    ("btu", "B T U", "B T U"),
    ("btus", "B T U", "B T U"),
    ("hp", "horsepower", "horsepower"),
    ("v", "volt", "volts"),
    ("kw", "kilowatt", "kilowatts"),
    ("kwh", "kilowatt hour", "kilowatt hours"),
    ("amp", "amp", "amps"),
    ("amps", "amp", "amps"),
    ("bpm", "beat per minute", "beats per minute"),
    ("sec", "second", "seconds"),
    ("secs", "second", "seconds"),
    ("min", "minute", "minutes"),
    ("mins", "minute", "minutes"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("wk", "week", "weeks"),
    ("wks", "week", "weeks"),
    ("mo", "month", "months"),
    ("mos", "month", "months"),
    ("yr", "year", "years"),
    ("yrs", "year", "years"),
    ("yo", "year old", "years old"),
    ("y/o", "year old", "years old"),
    ("x", "time", "times"),
    ("k", "thousand", "thousand"),
    ("ea", "each", "each"),
    ("pc", "piece", "pieces"),
    ("pcs", "piece", "pieces"),
];
/// They mean something else when they stand alone, or stand for nothing.
const NEVER_ALONE: [&str; 8] = ["in", "g", "l", "v", "x", "k", "°", "sf"];
const FRACTIONS: [(&str, &str); 9] = [
    ("1/2", "one half"),
    ("1/3", "one third"),
    ("2/3", "two thirds"),
    ("1/4", "one quarter"),
    ("3/4", "three quarters"),
    ("1/8", "one eighth"),
    ("3/8", "three eighths"),
    ("5/8", "five eighths"),
    ("7/8", "seven eighths"),
];

/// A plain amount: `1,250`, `98.6`, `-5`, `3/4`, `1-1/2`.
pub(super) fn amount(text: &str) -> Option<String> {
    if let Some((_, said)) = FRACTIONS.iter().find(|(written, _)| *written == text) {
        return Some((*said).to_owned());
    }
    if let Some((whole, part)) = text.split_once('-').filter(|(whole, part)| is_digits(whole) && part.contains('/')) {
        return Some(format!("{whole} and {}", amount(part)?));
    }
    let (minus, text) = text.strip_prefix('-').map_or(("", text), |rest| ("minus ", rest));
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let whole = thousands(whole)?;
    let part = match part {
        Some(part) if is_digits(part) => {
            format!(" point {}", part.chars().map(String::from).collect::<Vec<_>>().join(" "))
        }
        Some(_) => return None,
        None => String::new(),
    };
    Some(format!("{minus}{whole}{part}"))
}

/// `1,250` is 1250; `12,5` is nothing that we know.
fn thousands(text: &str) -> Option<String> {
    if is_digits(text) {
        return Some(text.to_owned());
    }
    let (first, rest) = text.split_once(',')?;
    let groups = rest.split(',').all(|group| group.len() == 3 && is_digits(group));
    (groups && (1..=3).contains(&first.len()) && is_digits(first)).then(|| text.replace(',', ""))
}

/// The amount at the beginning of a word, and what follows it there.
fn leading(bare: &str) -> Option<(&str, &str)> {
    let end = bare.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '/' | '-')).unwrap_or(bare.len());
    let (number, rest) = bare.split_at(end);
    number.contains(|c: char| c.is_ascii_digit()).then_some((number, rest))
}

fn unit(written: &str, one: bool) -> Option<&'static str> {
    let written = written.to_ascii_lowercase();
    UNITS.iter().find(|(name, ..)| *name == written).map(|(_, single, more)| if one { *single } else { *more })
}

/// The unit of a number that stands alone, in the words that follow it; how many they are.
fn unit_after(here: Here<'_>, one: bool) -> Option<(usize, String)> {
    let next = here.next(1)?;
    let lower = next.lower();
    if next.bare == "L" {
        return Some((1, unit("l", one)?.to_owned()));
    }
    if matches!(next.bare, "F" | "C") {
        let scale = if next.bare == "F" { "Fahrenheit" } else { "Celsius" };
        return Some((1, format!("{} {scale}", if one { "degree" } else { "degrees" })));
    }
    if lower == "sq" && here.next(2).is_some_and(|word| word.lower() == "ft") {
        return Some((2, unit("sqft", one)?.to_owned()));
    }
    if matches!(lower.as_str(), "deg" | "degrees") && here.next(2).is_some_and(|word| matches!(word.bare, "F" | "C")) {
        return Some((2, unit(&format!("°{}", here.next(2)?.lower()), false)?.to_owned()));
    }
    let alone = !NEVER_ALONE.contains(&lower.as_str());
    alone.then(|| unit(&lower, one)).flatten().map(|unit| (1, unit.to_owned()))
}

/// `$45.50`, `$1,250`, `$5/hr`, `$2.5k`.
pub(super) fn money(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let sign = bare.chars().next()?;
    let (one, more, small) = match sign {
        '$' => ("dollar", "dollars", "cents"),
        '€' => ("euro", "euros", "cents"),
        '£' => ("pound", "pounds", "pence"),
        _ => return None,
    };
    let (sum, per) =
        bare[sign.len_utf8()..].split_once('/').map_or_else(|| (&bare[sign.len_utf8()..], None), |(s, p)| (s, Some(p)));
    if per.is_some_and(|per| !per.chars().all(char::is_alphabetic)) {
        return None;
    }
    let (number, rest) = leading(sum)?;
    let thousand = match rest {
        "" => "",
        "k" | "K" => " thousand",
        "m" | "M" => " million",
        _ => return None,
    };
    let said = match number.split_once('.') {
        Some((whole, "00")) => format!("{} {more}", thousands(whole)?),
        Some((whole, cents)) if cents.len() == 2 && is_digits(cents) && thousand.is_empty() => {
            format!(
                "{} {} and {} {small}",
                thousands(whole)?,
                if whole == "1" { one } else { more },
                cents.trim_start_matches('0')
            )
        }
        _ => format!("{}{thousand} {}", amount(number)?, if number == "1" && thousand.is_empty() { one } else { more }),
    };
    let per = per.map(|per| format!(" per {}", unit(per, true).unwrap_or(per))).unwrap_or_default();
    Spoken::of(1, said + &per)
}

/// Two numbers with a stroke that are no date: a blood pressure, how bad a pain is, around the clock.
pub(super) fn rate(here: Here<'_>) -> Option<Spoken> {
    let (a, b) = here.word().bare.split_once('/').filter(|(a, b)| is_digits(a) && is_digits(b))?;
    if (a, b) == ("24", "7") {
        return Spoken::of(1, "24 7");
    }
    let pain = (1..=3).filter_map(|back| here.before(back)).any(|word| word.lower() == "pain");
    if b == "10" && pain {
        return Spoken::of(1, format!("{a} out of {b}"));
    }
    let high = a.len() >= 2 && b.len() >= 2 && a.parse::<u32>().is_ok_and(|a| (32..300).contains(&a));
    high.then(|| Spoken::of(1, format!("{a} over {b}")))?
}

/// A dash or an `x` between two numbers; a dash elsewhere is a pause.
pub(super) fn dash(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let between =
        here.before(1).is_some_and(|word| word.has_digit()) && here.next(1).is_some_and(|word| word.has_digit());
    match bare {
        "-" | "--" if between => Spoken::of(1, "to"),
        "x" | "X" if between => Spoken::of(1, "by"),
        "+" => Spoken::of(1, "plus"),
        "=" => Spoken::of(1, "equals"),
        "%" => Spoken::of(1, "percent"),
        _ => None,
    }
}

/// `1/2`, `1 1/2`, with or without a unit.
pub(super) fn fraction(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    let part = here.next(1).filter(|next| word.is_number() && next.bare.contains('/'));
    let (count, written, last) = match part {
        Some(next) => {
            let (number, rest) = leading(next.bare)?;
            (2, format!("{}-{number}", word.bare), rest)
        }
        None => {
            let (number, rest) = leading(word.bare)?;
            (1, number.to_owned(), rest)
        }
    };
    if !written.contains('/') || written.starts_with('-') {
        return None;
    }
    let said = amount(&written)?;
    if !last.is_empty() {
        return Spoken::of(count, format!("{said} {}", unit(last, count == 1)?));
    }
    let there = Here { at: here.at + count - 1, ..here };
    match unit_after(there, count == 1) {
        Some((more, unit)) => Spoken::of(count + more, format!("{said} {unit}")),
        None => Spoken::of(count, said),
    }
}

/// `10-15 min`, `9-5`.
pub(super) fn range(here: Here<'_>) -> Option<Spoken> {
    let (from, rest) = here.word().bare.split_once('-')?;
    let (to, written) = leading(rest)?;
    let counts = |text: &str| is_digits(text) && text.len() <= 4 && !text.starts_with('0');
    if !counts(from) || !counts(to) {
        return None;
    }
    let said = format!("{from} to {to}");
    if !written.is_empty() {
        return Spoken::of(1, format!("{said} {}", unit(written, false)?));
    }
    match unit_after(here, false) {
        Some((more, unit)) => Spoken::of(1 + more, format!("{said} {unit}")),
        None => Spoken::of(1, said),
    }
}

/// `5'10"`, `6'`.
pub(super) fn feet(here: Here<'_>) -> Option<Spoken> {
    let (feet, inches) = here.word().bare.split_once('\'')?;
    if !is_digits(feet) {
        return None;
    }
    let foot = if feet == "1" { "foot" } else { "feet" };
    if inches.is_empty() {
        return Spoken::of(1, format!("{feet} {foot}"));
    }
    let inches = inches.trim_end_matches(['"', '\'']);
    is_digits(inches)
        .then(|| Spoken::of(1, format!("{feet} {foot} {inches} {}", if inches == "1" { "inch" } else { "inches" })))?
}

/// `500mg`, `72 F`, `101.5°`, `3x`, `12 hrs`.
pub(super) fn measure(here: Here<'_>) -> Option<Spoken> {
    let (number, written) = leading(here.word().bare)?;
    let said = amount(number)?;
    let one = number == "1";
    if written.is_empty() {
        let (more, unit) = unit_after(here, one)?;
        return Spoken::of(1 + more, format!("{said} {unit}"));
    }
    let degrees = match written {
        "F" | "f" if number.len() > 1 => unit("°f", one),
        "C" if number.len() > 1 => unit("°c", one),
        _ => unit(written, one),
    };
    Spoken::of(1, format!("{said} {}", degrees?))
}
