//! Long texts: how many parts a text makes, the parts themselves, and their heads (3GPP TS 23.040 §9.2.3.24.1) read on
//! the way in. Pure.

use super::alphabet::{Alphabet, Coding};

/// Of one text alone, and of each of several: 140 octets, six of which the head takes.
const fn room(coding: Coding, several: bool) -> usize {
    match (coding, several) {
        (Coding::Gsm7, false) => 160,
        (Coding::Gsm7, true) => 153,
        (Coding::Ucs2, false) => 70,
        (Coding::Ucs2, true) => 67,
    }
}

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub coding: Coding,
    /// Septets, or units of 16 bits.
    pub units: usize,
    /// Each is paid for as a text.
    pub parts: usize,
}

/// A text, or a part of a long one, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub coding: Coding,
    /// It begins with a head that says which part of what it is.
    pub headed: bool,
    pub octets: Vec<u8>,
}

/// Which part of what a text that came in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The same for all parts of one text.
    pub reference: u16,
    pub of: u8,
    /// From 1.
    pub number: u8,
}

/// How long a text is, and how many parts it makes, by a carrier with this alphabet.
pub fn measure(text: &str, alphabet: Alphabet) -> Size {
    let coding = Coding::of(text, alphabet);
    Size { coding, units: text.chars().map(|c| coding.units(c)).sum(), parts: pieces(text, coding).len() }
}

/// Cut so that no character, and no pair that makes one, stands on two sides.
fn pieces(text: &str, coding: Coding) -> Vec<&str> {
    let whole: usize = text.chars().map(|c| coding.units(c)).sum();
    if whole <= room(coding, false) {
        return vec![text];
    }
    let (mut pieces, mut from, mut used) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        let units = coding.units(c);
        if used + units > room(coding, true) {
            pieces.push(&text[from..at]);
            (from, used) = (at, 0);
        }
        used += units;
    }
    pieces.push(&text[from..]);
    pieces
}

/// The parts of a text, in order. `reference`: of the long ones, another for each.
///
/// More than 255 parts no head can number: what is beyond is left off.
pub fn split(text: &str, reference: u8, alphabet: Alphabet) -> Vec<Part> {
    let coding = Coding::of(text, alphabet);
    let mut pieces = pieces(text, coding);
    pieces.truncate(255);
    let of = u8::try_from(pieces.len()).expect("just truncated");
    let part = |(number, piece): (u8, &str)| {
        let mut octets = if of > 1 { vec![5, 0, 3, reference, of, number] } else { Vec::new() };
        octets.extend(coding.encode(piece, alphabet));
        Part { coding, headed: of > 1, octets }
    };
    (1..=of).zip(pieces).map(part).collect()
}

/// The head of a text that has one, and what comes after it. The place is `None` for a head about something else; the
/// whole is, if the head is longer than the text.
pub fn read_head(octets: &[u8]) -> Option<(Option<Place>, &[u8])> {
    let (length, rest) = octets.split_first()?;
    let (mut head, body) = rest.split_at_checked(usize::from(*length))?;
    let mut place = None;
    while let [kind, length, rest @ ..] = head {
        let (about, further) = rest.split_at_checked(usize::from(*length))?;
        place = match (kind, about) {
            (0x00, [reference, of, number]) => Some((u16::from(*reference), *of, *number)),
            (0x08, [high, low, of, number]) => Some((u16::from_be_bytes([*high, *low]), *of, *number)),
            _ => place,
        };
        head = further;
    }
    let sound = |(reference, of, number): (u16, u8, u8)| {
        (of > 1 && (1..=of).contains(&number)).then_some(Place { reference, of, number })
    };
    Some((place.and_then(sound), body))
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::decode;
    use super::*;

    const GSM7: Alphabet = Alphabet::Gsm7;

    fn size(text: &str) -> (Coding, usize, usize) {
        let size = measure(text, GSM7);
        (size.coding, size.units, size.parts)
    }

    #[test]
    fn lengths_are_those_that_carriers_bill() {
        assert_eq!(size(""), (Coding::Gsm7, 0, 1));
        assert_eq!(size(&"a".repeat(160)), (Coding::Gsm7, 160, 1));
        assert_eq!(size(&"a".repeat(161)), (Coding::Gsm7, 161, 2));
        assert_eq!(size(&"a".repeat(306)), (Coding::Gsm7, 306, 2));
        assert_eq!(size(&"a".repeat(307)), (Coding::Gsm7, 307, 3));
        assert_eq!(size(&"€".repeat(80)), (Coding::Gsm7, 160, 1));
        assert_eq!(size(&"я".repeat(70)), (Coding::Ucs2, 70, 1));
        assert_eq!(size(&"я".repeat(71)), (Coding::Ucs2, 71, 2));
        assert_eq!(size(&"🚰".repeat(35)), (Coding::Ucs2, 70, 1));
        assert_eq!(size(&"🚰".repeat(36)), (Coding::Ucs2, 72, 2));
    }

    #[test]
    fn a_long_text_is_put_together_again_by_its_heads_and_no_part_is_too_long() {
        for text in
            ["water ".repeat(100), "€".repeat(230), "Привет ".repeat(40), "🚰".repeat(100), "a".repeat(152) + "€€€€€"]
        {
            let parts = split(&text, 7, GSM7);
            assert_eq!(parts.len(), measure(&text, GSM7).parts);
            let mut said = String::new();
            for (number, part) in (1..).zip(&parts) {
                let most = if part.coding == Coding::Ucs2 { 140 } else { 159 };
                assert!(part.headed && part.octets.len() <= most, "{}", part.octets.len());
                let (place, body) = read_head(&part.octets).expect("a head");
                let of = u8::try_from(parts.len()).expect("few");
                assert_eq!(place, Some(Place { reference: 7, of, number }));
                said += &decode(part.coding.number(), body, GSM7);
            }
            assert_eq!(said, text);
        }
        assert_eq!(split("1ok", 7, GSM7), [Part { coding: Coding::Gsm7, headed: false, octets: b"1ok".to_vec() }]);
    }

    #[test]
    fn heads_of_other_kinds_are_passed_over_and_broken_ones_are_told() {
        let wide = Place { reference: 0x0102, of: 3, number: 2 };
        assert_eq!(read_head(&[6, 8, 4, 1, 2, 3, 2, b'x']), Some((Some(wide), b"x".as_slice())));
        assert_eq!(read_head(&[4, 0x24, 2, 1, 1, b'x']), Some((None, b"x".as_slice())), "a language, no part");
        assert_eq!(read_head(&[5, 0, 3, 9, 2, 3, b'x']), Some((None, b"x".as_slice())), "the third of two");
        assert_eq!(read_head(&[]), None);
        assert_eq!(read_head(&[9, 0, 3]), None);
        assert_eq!(read_head(&[3, 0, 9, 1]), None);
    }
}
