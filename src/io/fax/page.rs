//! The pages of a fax: a letter's lines set in black on white, 1,728 dots wide at 204 by 196 dots an inch, as fax machines have
//! them in their fine mode (ITU-T T.4). Long letters take several pages; each has at its top who sends, when, and which page it is.
//!
//! The same letter gives the same dots. Nothing here knows how pages travel.

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _, point};

use crate::domain::message::render::fax::Letter;

/// Dots across: 215 mm, whatever the paper.
pub const WIDTH: usize = 1_728;
/// Dots down: 11 inches, which fit on A4 as well.
pub const HEIGHT: usize = 2_156;
/// Bytes of a row.
pub const ROW: usize = WIDTH / 8;
/// Dots an inch, across and down.
pub const RESOLUTION: (u32, u32) = (204, 196);
/// Pages at the most: what is longer is cut, and said to be cut.
pub const MAX_PAGES: usize = 10;

/// DejaVu Sans 2.37. `font/LICENCE.txt` is its licence.
pub(in crate::io) static FONT: &[u8] = include_bytes!("font/DejaVuSans.ttf");

/// Left and right of everything.
const MARGIN: f32 = 90.0;
const RIGHT: f32 = WIDTH as f32 - MARGIN;
/// Where a page's head line stands, and what is under it.
const HEAD: f32 = 40.0;
const TOP: f32 = 120.0;
const BOTTOM: f32 = HEIGHT as f32 - 70.0;
/// What answers are set in by.
const INDENT: f32 = 40.0;
/// Coverage from which on a dot is black.
const BLACK: f32 = 0.45;

/// Sizes of type, in dots down: 14 points are 38.
const SMALL: f32 = 28.0;
const USUAL: f32 = 38.0;
const LARGE: f32 = 50.0;
const HUGE: f32 = 64.0;

/// Who sends, in the line at the top of each page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Station {
    /// The service's name.
    pub header: String,
    /// Its fax number, as people write it; machines show it too.
    pub id: String,
}

/// One page of dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// Row after row; the highest bit is the leftmost dot, 1 is black.
    bits: Vec<u8>,
}

impl Page {
    fn blank() -> Self {
        Self { bits: vec![0; ROW * HEIGHT] }
    }

    /// Row after row.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.bits.chunks_exact(ROW)
    }

    fn blacken(&mut self, x: i64, y: i64) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < WIDTH && y < HEIGHT {
            self.bits[y * ROW + x / 8] |= 0x80 >> (x % 8);
        }
    }

    fn rule(&mut self, y: f32) {
        for y in [y as i64, y as i64 + 1] {
            (MARGIN as i64..RIGHT as i64).for_each(|x| self.blacken(x, y));
        }
    }
}

/// One line of type.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    text: String,
    size: f32,
    bold: bool,
    indent: f32,
    /// White above it.
    above: f32,
    /// A rule above it.
    ruled: bool,
}

/// Sets a letter.
pub fn set(letter: &Letter, station: &Station) -> Vec<Page> {
    let pen = Pen::new();
    let mut pages: Vec<Page> = Vec::new();
    let mut y = BOTTOM + 1.0;
    let mut cut = false;
    for line in lines(&pen, letter) {
        if y + line.above + line.size > BOTTOM {
            if pages.len() == MAX_PAGES {
                cut = true;
                break;
            }
            pages.push(Page::blank());
            y = TOP;
        } else {
            y += line.above;
        }
        let page = pages.last_mut().expect("one was pushed when there was none");
        if line.ruled {
            page.rule(y - line.above / 2.0);
        }
        pen.write(page, MARGIN + line.indent, y, &line);
        y += line.size * 1.25;
    }
    if cut && let Some(last) = pages.last_mut() {
        let text = format!("Cut here: the rest is with the answering service ({}).", letter.reference);
        let line = Line { text, size: SMALL, bold: true, indent: 0.0, above: 0.0, ruled: false };
        pen.write(last, MARGIN, BOTTOM, &line);
    }
    let count = pages.len();
    for (n, page) in (1..).zip(&mut pages) {
        head(&pen, page, letter, station, n, count);
    }
    pages
}

/// The line at the top: who, when, which page.
fn head(pen: &Pen, page: &mut Page, letter: &Letter, station: &Station, n: usize, count: usize) {
    let small = |text: String| Line { text, size: SMALL, bold: false, indent: 0.0, above: 0.0, ruled: false };
    let who = [station.header.as_str(), station.id.as_str()].into_iter().filter(|part| !part.is_empty());
    let which = small(format!("Page {n} of {count}"));
    let when = small(letter.sent.clone());
    let right = RIGHT - pen.width(&which.text, SMALL);
    let middle = right - 60.0 - pen.width(&when.text, SMALL);
    let room = middle - 40.0 - MARGIN;
    let who = small(pen.shortened(&who.collect::<Vec<_>>().join("   "), SMALL, room));
    pen.write(page, MARGIN, HEAD, &who);
    pen.write(page, middle, HEAD, &when);
    pen.write(page, right, HEAD, &which);
    page.rule(HEAD + SMALL * 1.4);
}

/// All lines of the letter.
fn lines(pen: &Pen, letter: &Letter) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |text: &str, size: f32, bold: bool, indent: f32, above: f32, ruled: bool| {
        let mut first = true;
        for part in text.lines().map(clean) {
            for text in pen.wrap(&part, size, RIGHT - MARGIN - indent) {
                let (above, ruled) = if first { (above, ruled) } else { (0.0, false) };
                lines.push(Line { text, size, bold, indent, above, ruled });
                first = false;
            }
        }
    };
    add(&letter.account, HUGE, true, 0.0, 0.0, false);
    add(&letter.title, LARGE, true, 0.0, 20.0, false);
    for about in &letter.about {
        add(about, USUAL, false, 0.0, 6.0, false);
    }
    for (n, answer) in letter.answers.iter().enumerate() {
        add(&answer.label, SMALL, true, 0.0, if n == 0 { 50.0 } else { 26.0 }, n == 0);
        add(&answer.words, USUAL, false, INDENT, 4.0, false);
    }
    if let Some(callback) = &letter.callback {
        add("Number to call back", SMALL, true, 0.0, 50.0, true);
        add(callback, LARGE, true, INDENT, 4.0, false);
    }
    for (n, note) in letter.notes.iter().enumerate() {
        add(note, USUAL, false, 0.0, if n == 0 { 50.0 } else { 6.0 }, n == 0);
    }
    add(&format!("Reference {}", letter.reference), SMALL, false, 0.0, 40.0, false);
    lines
}

/// What cannot be set is not set: tabs and the like become blanks.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Sets type.
struct Pen {
    font: FontRef<'static>,
}

impl Pen {
    fn new() -> Self {
        Self { font: FontRef::try_from_slice(FONT).expect("the font is part of the program, and is one") }
    }

    /// Dots lie a little closer across than down.
    fn scale(size: f32) -> PxScale {
        PxScale { x: size * RESOLUTION.0 as f32 / RESOLUTION.1 as f32, y: size }
    }

    fn advance(&self, c: char, size: f32) -> f32 {
        let font = self.font.as_scaled(Self::scale(size));
        font.h_advance(font.glyph_id(c))
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(c, size)).sum()
    }

    /// As much of it as there is room for.
    fn shortened(&self, text: &str, size: f32, room: f32) -> String {
        let mut used = 0.0;
        let fits = text.chars().take_while(|c| {
            used += self.advance(*c, size);
            used <= room
        });
        fits.collect()
    }

    /// Lines no wider than `room`, broken between words, and within words that are wider.
    fn wrap(&self, text: &str, size: f32, room: f32) -> Vec<String> {
        let blank = self.advance(' ', size);
        let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let width = self.width(word, size);
            if !line.is_empty() && used + blank + width <= room {
                line.push(' ');
                line.push_str(word);
                used += blank + width;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            used = 0.0;
            for c in word.chars() {
                let advance = self.advance(c, size);
                if used + advance > room && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += advance;
            }
        }
        lines.push(line);
        lines
    }

    fn write(&self, page: &mut Page, x: f32, y: f32, line: &Line) {
        let font = self.font.as_scaled(Self::scale(line.size));
        let mut at = x;
        for c in line.text.chars() {
            let id = font.glyph_id(c);
            let glyph = id.with_scale_and_position(Self::scale(line.size), point(at, y + font.ascent()));
            if let Some(outline) = self.font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
                outline.draw(|x, y, coverage| {
                    if coverage > BLACK {
                        let (x, y) = (left + i64::from(x), top + i64::from(y));
                        page.blacken(x, y);
                        if line.bold {
                            page.blacken(x + 1, y);
                            page.blacken(x + 2, y);
                        }
                    }
                });
            }
            at += font.h_advance(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::render::Written;

    pub(crate) fn letter(words: &str) -> Letter {
        Letter {
            account: "Imaginary Plumbing".into(),
            title: "URGENT message".into(),
            about: vec!["Repair".into(), "Taken Sat 7 Mar 2026, 02:10 CST".into()],
            answers: vec![
                Written { label: "Caller".into(), words: "Jane Roe".into(), long: false },
                Written { label: "Problem".into(), words: words.into(), long: true },
            ],
            callback: Some("+1 202 555 0147".into()),
            notes: vec!["Called from +1 202 555 0148.".into()],
            reference: "msg_1".into(),
            sent: "Sat 7 Mar 2026, 02:15 CST".into(),
        }
    }

    fn ink(page: &Page, rows: std::ops::Range<usize>) -> u32 {
        page.rows().skip(rows.start).take(rows.len()).flatten().map(|byte| byte.count_ones()).sum()
    }

    #[test]
    fn a_letter_of_usual_length_is_one_page_with_a_head_and_white_edges() {
        let station = Station { header: "Night Desk".into(), id: "+1 202 555 0100".into() };
        let pages = set(&letter("Burst pipe in the kitchen"), &station);
        assert_eq!(pages.len(), 1);
        let page = &pages[0];
        assert_eq!(page.rows().count(), HEIGHT);
        assert!(ink(page, 30..100) > 1_000, "its head line");
        assert!(ink(page, 120..190) > 3_000, "the account's name");
        assert_eq!(ink(page, 0..30) + ink(page, 2_000..HEIGHT), 0);
        assert!(page.rows().all(|row| row[..10].iter().chain(&row[ROW - 10..]).all(|byte| *byte == 0)));
        assert!(pages == set(&letter("Burst pipe in the kitchen"), &station), "the same dots again");
    }

    #[test]
    fn a_long_message_takes_several_pages_and_one_beyond_all_bounds_is_cut() {
        let pages = set(&letter(&"water everywhere and rising fast ".repeat(150)), &Station::default());
        assert!((2..=4).contains(&pages.len()), "{}", pages.len());
        let endless = set(&letter(&"water ".repeat(100_000)), &Station::default());
        assert_eq!(endless.len(), MAX_PAGES);
    }

    #[test]
    fn lines_are_broken_between_words_and_within_what_is_wider_than_the_page() {
        let pen = Pen::new();
        let room = RIGHT - MARGIN;
        let long = format!("see https://example.com/{} now", "a".repeat(200));
        for text in [long.as_str(), "short", "", "  many   blanks  "] {
            let lines = pen.wrap(text, USUAL, room);
            assert!(lines.iter().all(|line| pen.width(line, USUAL) <= room), "{lines:?}");
            let squeezed = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            assert_eq!(squeezed(&lines.concat()), squeezed(text));
        }
        assert_eq!(pen.wrap("  many   blanks  ", USUAL, room), ["many blanks"]);
    }
}
