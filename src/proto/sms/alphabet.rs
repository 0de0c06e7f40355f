//! The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1) and UCS-2, what comes in other codings, and what a carrier has in place
//! of the first towards us.
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

/// What a carrier takes texts in that name no coding (`data_coding` 0). The phone gets septets in any case, so that what is
/// not in their alphabet goes as UCS-2 whatever the carrier's own can write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alphabet {
    /// Septets, one in an octet.
    #[default]
    Gsm7,
    Latin1,
    Ascii,
}

impl Alphabet {
    fn holds(self, c: char) -> bool {
        let writes = match self {
            Self::Gsm7 => true,
            Self::Latin1 => u8::try_from(c).is_ok(),
            Self::Ascii => c.is_ascii(),
        };
        writes && septets(c).is_some()
    }

    fn write(self, c: char, out: &mut Vec<u8>) {
        match (self, septets(c)) {
            (Self::Latin1 | Self::Ascii, _) => out.push(u8::try_from(c).unwrap_or(b'?')),
            (Self::Gsm7, Some((true, septet))) => out.extend([ESCAPE, septet]),
            (Self::Gsm7, Some((false, septet))) => out.push(septet),
            (Self::Gsm7, None) => out.push(b'?'),
        }
    }

    fn read(self, octets: &[u8]) -> String {
        if self != Self::Gsm7 {
            return read_latin1(octets);
        }
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

/// How a text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// In the carrier's own alphabet; septets on the phone.
    Gsm7,
    Ucs2,
}

impl Coding {
    /// The one that carries this text with the least, by a carrier with this alphabet.
    pub fn of(text: &str, alphabet: Alphabet) -> Self {
        if text.chars().all(|c| alphabet.holds(c)) { Self::Gsm7 } else { Self::Ucs2 }
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
    pub fn encode(self, text: &str, alphabet: Alphabet) -> Vec<u8> {
        match self {
            Self::Gsm7 => {
                let mut out = Vec::with_capacity(text.len());
                text.chars().for_each(|c| alphabet.write(c, &mut out));
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

/// ASCII, and Latin-1, whose octets are Unicode's first.
fn read_latin1(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

/// Reads what came in, by SMPP's number of its coding; `alphabet`: the carrier's own. What cannot be read of it is U+FFFD; half
/// a UCS-2 unit at the end is completed to something that shows.
pub fn decode(data_coding: u8, octets: &[u8], alphabet: Alphabet) -> String {
    match data_coding {
        1 | 3 => read_latin1(octets),
        8 => {
            let units =
                octets.chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit.get(1).copied().unwrap_or(0xfd)]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        0 => alphabet.read(octets),
        // Message classes (3GPP TS 23.038 §4) and what is not known: septets.
        _ => Alphabet::Gsm7.read(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GSM7: Alphabet = Alphabet::Gsm7;

    #[test]
    fn every_character_of_the_alphabet_goes_and_comes_back() {
        let basic: String = BASIC.iter().filter(|c| **c != '\u{1b}').collect();
        let extended: String = EXTENSION.iter().map(|(_, c)| *c).collect();
        for text in [basic, extended, "1ok".to_owned(), "[Zoë] costs 5€".replace('ë', "è")] {
            assert_eq!(Coding::of(&text, GSM7), Coding::Gsm7, "{text}");
            assert_eq!(decode(0, &Coding::Gsm7.encode(&text, GSM7), GSM7), text);
        }
        for text in ["Zoë", "Привет", "🚰 leak", "tab\there"] {
            assert_eq!(Coding::of(text, GSM7), Coding::Ucs2, "{text}");
            assert_eq!(decode(8, &Coding::Ucs2.encode(text, GSM7), GSM7), text);
        }
    }

    #[test]
    fn a_carrier_s_own_alphabet_takes_what_it_can_write_and_the_phone_can_show() {
        let (latin1, ascii) = (Alphabet::Latin1, Alphabet::Ascii);
        assert_eq!(Coding::Gsm7.encode("@_Zoè[", latin1), b"@_Zo\xe8[");
        assert_eq!(decode(0, b"@_Zo\xe8[", latin1), "@_Zoè[");
        assert_eq!(Coding::Gsm7.encode("@_$[1ok]", ascii), b"@_$[1ok]");
        assert_eq!(decode(0, b"@_$[1ok]", ascii), "@_$[1ok]");
        for (text, alphabet, coding) in [
            ("Zoè", latin1, Coding::Gsm7),
            ("Zoè", ascii, Coding::Ucs2),
            ("5€", latin1, Coding::Ucs2),
            // Latin-1 has it, phones' septets do not.
            ("Zoë", latin1, Coding::Ucs2),
            ("`1ok`", ascii, Coding::Ucs2),
            ("[1ok] {a} ~ ^ | \\", ascii, Coding::Gsm7),
        ] {
            assert_eq!(Coding::of(text, alphabet), coding, "{text}");
            assert_eq!(decode(coding.number(), &coding.encode(text, alphabet), alphabet), text);
        }
    }

    #[test]
    fn what_comes_in_other_codings_or_broken_is_read_as_far_as_it_goes() {
        assert_eq!(decode(3, b"Stra\xdfe", GSM7), "Straße");
        assert_eq!(decode(1, b"1ok", GSM7), "1ok");
        assert_eq!(decode(8, &[0xd8, 0x3d], GSM7), "\u{fffd}");
        assert_eq!(decode(8, &[0, b'o', 0], GSM7), "o\u{fd}");
        assert_eq!(decode(0, &[0x80, b'o', ESCAPE], GSM7), "\u{fffd}o ");
        assert_eq!(decode(0xf1, &[0, b'o'], Alphabet::Latin1), "@o", "a class of messages, in septets");
    }
}
