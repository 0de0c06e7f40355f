//! Abbreviations in full, ordinals, and letters that are said one by one.

use super::{Here, Spoken, is_digits, words};

/// In whatever case they are written.
const SHORT: [(&str, &str); 91] = [
    ("mr", "Mister"),
    ("mrs", "Missus"),
    ("ms", "Miz"),
    ("prof", "Professor"),
    ("atty", "attorney"),
    ("jr", "Junior"),
    ("sr", "Senior"),
    ("esq", "Esquire"),
    ("rev", "Reverend"),
    ("sgt", "Sergeant"),
    ("lt", "Lieutenant"),
    ("capt", "Captain"),
    ("asap", "as soon as possible"),
    ("appt", "appointment"),
    ("appts", "appointments"),
    ("w/", "with"),
    ("w/o", "without"),
    ("b/c", "because"),
    ("c/b", "call back"),
    ("cb", "call back"),
    ("n/a", "not applicable"),
    ("s/p", "status post"),
    ("h/o", "history of"),
    ("r/o", "rule out"),
    ("f/u", "follow up"),
    ("d/c", "discharge"),
    ("a/c", "A C"),
    ("y/n", "yes or no"),
    ("&", "and"),
    ("#", "number"),
    ("pls", "please"),
    ("plz", "please"),
    ("thx", "thanks"),
    ("msg", "message"),
    ("msgs", "messages"),
    ("tmrw", "tomorrow"),
    ("tmw", "tomorrow"),
    ("approx", "approximately"),
    ("btwn", "between"),
    ("re", "regarding"),
    ("vs", "versus"),
    ("etc", "et cetera"),
    ("dept", "department"),
    ("ofc", "office"),
    ("mgr", "manager"),
    ("mgmt", "management"),
    ("maint", "maintenance"),
    ("bsmt", "basement"),
    ("gar", "garage"),
    ("ac", "A C"),
    ("hvac", "H V A C"),
    ("emer", "emergency"),
    ("emerg", "emergency"),
    ("hosp", "hospital"),
    ("pt", "patient"),
    ("pts", "patients"),
    ("dob", "date of birth"),
    ("dx", "diagnosis"),
    ("hx", "history"),
    ("rx", "prescription"),
    ("rxs", "prescriptions"),
    ("sx", "symptoms"),
    ("tx", "treatment"),
    ("bp", "blood pressure"),
    ("o2", "oxygen"),
    ("temp", "temperature"),
    ("meds", "medications"),
    ("med", "medication"),
    ("prn", "as needed"),
    ("bid", "twice a day"),
    ("tid", "three times a day"),
    ("qid", "four times a day"),
    ("preop", "pre op"),
    ("postop", "post op"),
    ("pre-op", "pre op"),
    ("post-op", "post op"),
    ("wks", "weeks"),
    ("hrs", "hours"),
    ("mins", "minutes"),
    ("min", "minutes"),
    ("yrs", "years"),
    ("ext", "extension"),
    ("inc", "Incorporated"),
    ("corp", "Corporation"),
    ("co", "Company"),
    ("bros", "Brothers"),
    ("assoc", "Associates"),
    ("intl", "International"),
    ("addr", "address"),
    ("qty", "quantity"),
    ("m-f", "Monday to Friday"),
];
/// As words they mean something else, or nothing.
const CAPITALS: [(&str, &str); 13] = [
    ("ER", "E R"),
    ("ICU", "I C U"),
    ("EMT", "E M T"),
    ("EKG", "E K G"),
    ("UTI", "U T I"),
    ("OB", "O B"),
    ("IV", "I V"),
    ("ETA", "E T A"),
    ("SOB", "shortness of breath"),
    ("LOC", "loss of consciousness"),
    ("PA", "P A"),
    ("USA", "U S A"),
    ("CO", "C O"),
];
/// Written small or with capitals they are words.
const WORDS_TOO: [&str; 7] = ["co", "re", "bid", "med", "gar", "sr", "lt"];
const ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];
const TENS: [(&str, &str); 8] = [
    ("twenty", "twentieth"),
    ("thirty", "thirtieth"),
    ("forty", "fortieth"),
    ("fifty", "fiftieth"),
    ("sixty", "sixtieth"),
    ("seventy", "seventieth"),
    ("eighty", "eightieth"),
    ("ninety", "ninetieth"),
];

/// `2nd`, up to `99th`.
pub(super) fn ordinal_of(bare: &str) -> Option<String> {
    let lower = bare.to_ascii_lowercase();
    let number = ["st", "nd", "rd", "th"].iter().find_map(|end| lower.strip_suffix(end))?;
    let number: usize = Some(number).filter(|number| is_digits(number) && number.len() <= 2)?.parse().ok()?;
    if let Some(said) = ORDINALS.get(number.checked_sub(1)?) {
        return Some((*said).to_owned());
    }
    let (ten, tenth) = TENS.get(number / 10 - 2)?;
    Some(match number % 10 {
        0 => (*tenth).to_owned(),
        one => format!("{ten} {}", ORDINALS[one - 1]),
    })
}

/// `2nd fl`.
pub(super) fn ordinal(here: Here<'_>) -> Option<Spoken> {
    Spoken::of(1, ordinal_of(here.word().bare)?)
}

/// An abbreviation in full.
pub(super) fn abbreviation(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    let (bare, lower) = (word.bare, word.lower());
    let next = here.follows();
    match lower.as_str() {
        // To what it is written: a person, or what a patient says.
        "c/o" => {
            let patient = here.before(1).is_some_and(|before| matches!(before.lower().as_str(), "pt" | "patient"));
            return Spoken::short(1, if patient { "complains of" } else { "care of" });
        }
        "p.o" | "po" if next.is_some_and(|next| next.lower() == "box") => return Spoken::short(1, "P O"),
        "no" if word.is_dotted() && next.is_some_and(|next| next.has_digit()) => return Spoken::short(1, "number"),
        "us" if bare == "US" && next.is_some_and(|next| next.has_digit()) => return Spoken::of(1, "U S"),
        _ => {}
    }
    if let Some((_, full)) = CAPITALS.iter().find(|(short, _)| *short == bare) {
        return Spoken::short(1, *full);
    }
    // `q4h`: how often.
    if let Some(hours) =
        lower.strip_prefix('q').and_then(|rest| rest.strip_suffix('h')).filter(|hours| is_digits(hours))
    {
        return Spoken::of(1, format!("every {hours} hours"));
    }
    // With a mark of its own it is short; without, it may be the word.
    let sure = match lower.as_str() {
        "re" => word.tail == Some(':'),
        "bid" => bare == "BID",
        other => word.is_dotted() || !WORDS_TOO.contains(&other),
    };
    let (_, full) = SHORT.iter().find(|(short, _)| sure && *short == lower)?;
    Spoken::short(1, *full)
}

/// `HVAC`, `M.D.`, the `Q.` of a name.
pub(super) fn letters(here: Here<'_>) -> Option<Spoken> {
    let word = here.word();
    let each = |letters: &mut dyn Iterator<Item = char>| letters.map(String::from).collect::<Vec<_>>().join(" ");
    let mut pieces = word.bare.split('.');
    if word.bare.contains('.') && pieces.all(|piece| piece.len() == 1 && piece.chars().all(|c| c.is_ascii_alphabetic()))
    {
        return Spoken::short(1, each(&mut word.bare.to_uppercase().chars().filter(|c| *c != '.')));
    }
    let capital = word.bare.chars().all(|c| c.is_ascii_uppercase());
    if word.bare.len() == 1 && capital && word.is_dotted() && here.follows().is_some_and(|next| next.is_capital()) {
        return Spoken::short(1, word.bare);
    }
    let silent = !word.bare.contains(['A', 'E', 'I', 'O', 'U', 'Y']);
    (capital && silent && (2..=5).contains(&word.bare.len())).then(|| Spoken::of(1, each(&mut word.bare.chars())))?
}

/// Words with a stroke between: `and/or`, `Mon/Tues`; and short ones that a dash joins to a number: `24-hr`.
pub(super) fn slashed(here: Here<'_>) -> Option<Spoken> {
    let bare = here.word().bare;
    let alphabetic = |piece: &str| !piece.is_empty() && piece.chars().all(|c| c.is_alphabetic() || c == '\'');
    if !bare.contains('/') || !bare.split('/').all(alphabetic) {
        return None;
    }
    if bare.eq_ignore_ascii_case("and/or") {
        return Spoken::of(1, "and or");
    }
    Spoken::of(1, bare.split('/').map(words).collect::<Vec<_>>().join(" or "))
}
