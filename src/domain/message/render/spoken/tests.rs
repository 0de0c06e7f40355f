//! The table of what is written and said, and what holds of any text.

use super::*;
use crate::base::clock::UtcMs;

/// Written, tab, said; `#` begins a heading.
const CASES: &str = include_str!("../../../../../tests/spoken-cases.tsv");

#[test]
fn what_is_written_is_said_so_that_it_can_be_written_down() {
    let cases = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let cases: Vec<_> = cases.map(|line| line.split_once('\t').expect("written, tab, said")).collect();
    assert!(cases.len() >= 60, "the table has {} cases", cases.len());
    let wrong = cases.iter().filter_map(|(written, said)| {
        let heard = words(written);
        (heard != *said).then(|| format!("{written}\n  wanted {said}\n  heard  {heard}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {} are said otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn numbers_are_spoken_in_groups() {
    assert_eq!(spoken_number("+12025550101"), "2, 0, 2. 5, 5, 5. 0, 1, 0, 1");
    assert_eq!(spoken_number("+431234567"), "4, 3, 1. 2, 3, 4. 5, 6, 7");
}

#[test]
fn times_are_spoken_as_people_say_them() {
    assert_eq!(spoken_time(UtcMs(1_772_871_000_000), "America/Chicago"), "Saturday March 7 at 2 10 a.m.");
    assert_eq!(spoken_time(UtcMs(1_772_871_000_000), "UTC"), "Saturday March 7 at 8 10 a.m.");
}

#[test]
fn whatever_is_typed_is_said_without_mark_up_and_no_word_is_lost() {
    let mut rng = crate::base::rng::Rng::seeded(7);
    let parts = CASES
        .split_whitespace()
        .chain(["\"", "'", "#", "/", "-", "&", "<b>", "é", "…", "½", "🔥", "()", ".", "°", "$", "1'", "#-"]);
    let parts: Vec<_> = parts.collect();
    for seed in 0..20_000 {
        let pick = |rng: &mut crate::base::rng::Rng| {
            let part = parts[usize::try_from(rng.below(parts.len() as u64)).expect("small")];
            if rng.below(4) == 0 { part.to_uppercase() } else { part.to_owned() }
        };
        let text: Vec<String> = (0..=rng.below(6)).map(|_| pick(&mut rng)).collect();
        let text = text.join(if rng.below(9) == 0 { "" } else { " " });
        let said = words(&text);
        assert!(!said.contains(['<', '>', '{', '[', '\\', '#', '\n']), "{seed}: {text:?} is said as {said:?}");
        let plain =
            text.split_whitespace().filter(|word| word.len() > 5 && word.chars().all(|c| c.is_ascii_lowercase()));
        for word in plain {
            assert!(said.contains(word) || words(word) != *word, "{seed}: {word} is lost of {text:?}: {said:?}");
        }
    }
}
