//! The words of a page, in the alphabet and the length that a carrier takes. Pure.

/// More pieces than this of one message nobody reads from a pager; what does not fit is cut, and said to be cut.
const MAX_PARTS: usize = 9;

/// What becomes of a message that is longer than the carrier takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Long {
    /// Its end is left off, and shows as `...`.
    Cut,
    /// It goes as several pages, `1/2` before the first.
    Split,
}

/// The message as one page or several, each of `max` characters at most.
pub fn parts(text: &str, max: usize, long: Long) -> Vec<String> {
    if text.chars().count() <= max {
        return vec![text.to_owned()];
    }
    if long == Long::Cut {
        return vec![cut(text, max)];
    }
    for count in 2..=MAX_PARTS {
        if let Some(parts) = pack(text, max, count) {
            return parts;
        }
    }
    let mut parts = Vec::new();
    let mut rest = text;
    for n in 1..=MAX_PARTS {
        let head = format!("{n}/{MAX_PARTS} ");
        let room = max.saturating_sub(head.len());
        let (piece, left) = take(rest, room);
        parts.push(head + &if n == MAX_PARTS { cut(rest, room) } else { piece.to_owned() });
        rest = left;
    }
    parts
}

/// In `count` pieces, if it fits.
fn pack(text: &str, max: usize, count: usize) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text;
    for n in 1..=count {
        let head = format!("{n}/{count} ");
        let (piece, left) = take(rest, max.saturating_sub(head.len()));
        parts.push(head + piece);
        rest = left;
    }
    rest.is_empty().then_some(parts)
}

/// As many whole words as have room, and what is left; of a word that is longer than the room, its beginning.
fn take(text: &str, room: usize) -> (&str, &str) {
    let Some((end, _)) = text.char_indices().nth(room) else { return (text, "") };
    let end = if text[end..].starts_with(' ') { end } else { text[..end].rfind(' ').unwrap_or(end) };
    (text[..end].trim_end(), text[end..].trim_start())
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// The text in printable ASCII on one line: what pagers show. Letters lose their accents; what has no likeness is `?`.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            '\u{a0}' | '\u{2000}'..='\u{200a}' => out.push(' '),
            '·' | '•' | '–' | '—' | '‐' | '‑' => out.push('-'),
            '‘' | '’' | '‚' | '´' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            '…' => out.push_str("..."),
            'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => out.push('A'),
            'à'..='å' | 'ā' | 'ă' | 'ą' => out.push('a'),
            'Æ' => out.push_str("AE"),
            'æ' => out.push_str("ae"),
            'Ç' | 'Ć' | 'Č' => out.push('C'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'È'..='Ë' | 'Ē' | 'Ę' | 'Ě' => out.push('E'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => out.push('e'),
            'Ì'..='Ï' => out.push('I'),
            'ì'..='ï' => out.push('i'),
            'Ñ' | 'Ń' | 'Ň' => out.push('N'),
            'ñ' | 'ń' | 'ň' => out.push('n'),
            'Ò'..='Ö' | 'Ø' | 'Ő' => out.push('O'),
            'ò'..='ö' | 'ø' | 'ő' => out.push('o'),
            'Ù'..='Ü' | 'Ů' | 'Ű' => out.push('U'),
            'ù'..='ü' | 'ů' | 'ű' => out.push('u'),
            'Ý' => out.push('Y'),
            'ý' | 'ÿ' => out.push('y'),
            'ß' => out.push_str("ss"),
            'Ł' => out.push('L'),
            'ł' => out.push('l'),
            'Ś' | 'Š' => out.push('S'),
            'ś' | 'š' => out.push('s'),
            'Ź' | 'Ż' | 'Ž' => out.push('Z'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            c if c.is_control() || c.is_whitespace() => out.push(' '),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_goes_as_it_is() {
        assert_eq!(parts("burst pipe", 10, Long::Split), ["burst pipe"]);
        assert_eq!(parts("burst pipe", 10, Long::Cut), ["burst pipe"]);
    }

    #[test]
    fn what_does_not_is_split_between_words_or_cut() {
        let text = "Jane Roe; 202 555 0147; water all over the kitchen";
        assert_eq!(parts(text, 30, Long::Split), ["1/2 Jane Roe; 202 555 0147;", "2/2 water all over the kitchen"]);
        assert_eq!(parts(text, 30, Long::Cut), ["Jane Roe; 202 555 0147; wat..."]);
    }

    #[test]
    fn however_long_it_is_no_part_is_too_long_and_no_word_is_lost_but_what_is_said_to_be() {
        for max in [20, 40, 80] {
            for words in 1..120 {
                let text = "leak ".repeat(words) + "end";
                let made = parts(&text, max, Long::Split);
                assert!(made.iter().all(|part| part.chars().count() <= max), "{made:?}");
                let strip = |part: &String| {
                    part.split_once(' ').filter(|_| made.len() > 1).map_or_else(|| part.clone(), |(_, w)| w.to_owned())
                };
                let said = made.iter().map(strip).collect::<Vec<_>>().join(" ");
                assert!(said == text || (said.ends_with("...") && made.len() == MAX_PARTS), "{said}");
            }
        }
        let long_word = parts(&"x".repeat(50), 20, Long::Split);
        assert!(long_word.iter().all(|part| part.len() <= 20) && long_word.len() == 4, "{long_word:?}");
    }

    #[test]
    fn pagers_get_letters_they_can_show() {
        assert_eq!(
            ascii("Zoë Müller · Straße\r\nROHRBRUCH – „jetzt“ 🚰"),
            "Zoe Muller - Strasse  ROHRBRUCH - \"jetzt\" ?"
        );
    }
}
