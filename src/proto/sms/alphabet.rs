//! The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1) and UCS-2, and what comes in other codings.
//!
//! Septets are kept one in an octet, as SMPP carries them. What always holds: a text that is coded and read again is the
//! same text.

/// The default alphabet by its numbers; 0x1b leads to the extension.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];
const ESCAPE: u8 = 0x1b;
/// After the escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How a text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gsm7,
    Ucs2,
}

impl Coding {
    /// The one that carries this text with the least.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// Its number in SMPP's `data_coding` (§5.2.19).
    pub const fn number(self) -> u8 {
        match self {
            Self::Gsm7 => 0,
            Self::Ucs2 => 8,
        }
    }

    /// What a character takes: septets, or units of 16 bits.
    pub(super) fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => septets(c).map_or(1, |(escaped, _)| if escaped { 2 } else { 1 }),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// The text in octets. What has no place in the alphabet is `?`; [`Coding::of`] chooses one in which all have.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Gsm7 => {
                let mut out = Vec::with_capacity(text.len());
                for c in text.chars() {
                    match septets(c) {
                        Some((true, septet)) => out.extend([ESCAPE, septet]),
                        Some((false, septet)) => out.push(septet),
                        None => out.push(b'?'),
                    }
                }
                out
            }
            Self::Ucs2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

/// Whether it is in the extension, and its septet there.
fn septets(c: char) -> Option<(bool, u8)> {
    if let Some((septet, _)) = EXTENSION.iter().find(|(_, known)| *known == c) {
        return Some((true, *septet));
    }
    let at = BASIC.iter().position(|known| *known == c).filter(|at| *at != usize::from(ESCAPE))?;
    Some((false, u8::try_from(at).ok()?))
}

/// Reads what came in, by SMPP's number of its coding. What cannot be read of it is U+FFFD; half a UCS-2 unit at the end is
/// completed to something that shows.
pub fn decode(data_coding: u8, octets: &[u8]) -> String {
    match data_coding {
        // ASCII, and Latin-1, whose octets are Unicode's first.
        1 | 3 => octets.iter().map(|octet| char::from(*octet)).collect(),
        8 => {
            let units =
                octets.chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit.get(1).copied().unwrap_or(0xfd)]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => {
            let mut out = String::with_capacity(octets.len());
            let mut octets = octets.iter();
            while let Some(octet) = octets.next() {
                match *octet {
                    ESCAPE => {
                        let after = octets.next();
                        let found = after.and_then(|after| EXTENSION.iter().find(|(septet, _)| septet == after));
                        out.push(found.map_or(' ', |(_, c)| *c));
                    }
                    octet => out.push(BASIC.get(usize::from(octet)).copied().unwrap_or(char::REPLACEMENT_CHARACTER)),
                }
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_alphabet_goes_and_comes_back() {
        let basic: String = BASIC.iter().filter(|c| **c != '\u{1b}').collect();
        let extended: String = EXTENSION.iter().map(|(_, c)| *c).collect();
        for text in [basic, extended, "1ok".to_owned(), "[Zoë] costs 5€".replace('ë', "è")] {
            assert_eq!(Coding::of(&text), Coding::Gsm7, "{text}");
            assert_eq!(decode(0, &Coding::Gsm7.encode(&text)), text);
        }
        for text in ["Zoë", "Привет", "🚰 leak", "tab\there"] {
            assert_eq!(Coding::of(text), Coding::Ucs2, "{text}");
            assert_eq!(decode(8, &Coding::Ucs2.encode(text)), text);
        }
    }

    #[test]
    fn what_comes_in_other_codings_or_broken_is_read_as_far_as_it_goes() {
        assert_eq!(decode(3, b"Stra\xdfe"), "Straße");
        assert_eq!(decode(1, b"1ok"), "1ok");
        assert_eq!(decode(8, &[0xd8, 0x3d]), "\u{fffd}");
        assert_eq!(decode(8, &[0, b'o', 0]), "o\u{fd}");
        assert_eq!(decode(0, &[0x80, b'o', ESCAPE]), "\u{fffd}o ");
    }
}
