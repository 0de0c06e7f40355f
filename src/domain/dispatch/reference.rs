//! What a person names who calls back about a message left on a voicemail: six digits, made of the dispatch's own identifier,
//! so that nothing has to be kept and it says nothing of the message.
//!
//! Two open dispatches may have the same by chance (one pair among a thousand of them, about every other time): whoever looks
//! one up sees all that have it, and picks by the caller's name.

use crate::base::id::DispatchId;

const DIGITS: usize = 6;

/// The reference of a dispatch, the same for all its steps and rounds.
pub fn of(id: &DispatchId) -> String {
    // FNV-1a: each octet changes all of it.
    let hash = id
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // Without a zero in front, which people leave out.
    (100_000 + (hash >> 16) % 900_000).to_string()
}

/// As somebody typed it, who heard it in groups: `482 913`. None: it cannot be one.
pub fn parse(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '#')).collect();
    (digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::clock::UtcMs;

    #[test]
    fn a_reference_is_six_digits_and_stays() {
        let id = DispatchId::named("leak");
        // Voicemails of before an update name it too.
        assert_eq!((of(&id).as_str(), DIGITS), ("725192", 6));
        assert_eq!(parse(&of(&id)), Some(of(&id)));
        assert_eq!(parse("482 913."), Some("482913".into()));
        assert_eq!((parse("48291"), parse("+12025550101"), parse("48291a")), (None, None, None));
    }

    #[test]
    fn dispatches_of_one_night_have_references_of_their_own() {
        let all: BTreeSet<_> =
            (0..500).map(|n| of(&DispatchId::fresh(UtcMs(1_772_871_000_000 + n * 60_000)))).collect();
        assert!(all.len() >= 497, "{}", all.len());
    }
}
