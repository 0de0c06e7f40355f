//! A report as pages (PDF): its pieces set in the type that faxed pages are set in, which is embedded as far as it is used.
//!
//! Pages are as wide as A4 and as high as Letter, so that they fit on both. Nothing here knows what a report is about. What
//! always holds: the same report gives the same octets; its words can be searched and copied; what the type has no sign for is
//! an empty box.

use std::collections::BTreeMap;

use ab_glyph::{Font as _, FontRef, GlyphId};
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use super::fax::page::FONT;
use crate::domain::recap::report::Block;

/// Points; 72 are an inch.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 792.0;
const MARGIN: f32 = 54.0;
const TOP: f32 = HEIGHT - MARGIN;
const BOTTOM: f32 = MARGIN + 20.0;
/// Where the number of a page stands.
const FOOT: f32 = 34.0;
/// Sizes of type.
const LARGE: f32 = 14.0;
const USUAL: f32 = 10.0;
const SMALL: f32 = 8.0;
/// From line to line, in sizes of type.
const LEADING: f32 = 1.4;
/// What answers are set in by.
const INDENT: f32 = 14.0;
/// How dark labels are; 0 is black.
const PALE: f32 = 0.35;

const FONT_NAME: Name<'static> = Name(b"F0");
/// Six letters and a plus say that it is a part of a font (ISO 32000-1 §9.6.4).
const BASE_FONT: Name<'static> = Name(b"CORDBD+DejaVuSans");
const IDENTITY: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// A line of words at its place.
struct Piece {
    x: f32,
    y: f32,
    size: f32,
    gray: f32,
    glyphs: Vec<u8>,
}

struct Setter {
    font: FontRef<'static>,
    used: GlyphRemapper,
    /// What each sign that is used says.
    says: BTreeMap<u16, char>,
    pages: Vec<Vec<Piece>>,
    /// The foot of the last line.
    y: f32,
}

/// The pages of a report.
pub fn pages(title: &str, blocks: &[Block]) -> Vec<u8> {
    let font = FontRef::try_from_slice(FONT).expect("the font that is built in is one");
    let mut setter =
        Setter { font, used: GlyphRemapper::new(), says: BTreeMap::new(), pages: vec![Vec::new()], y: TOP };
    for block in blocks {
        setter.set(block);
    }
    setter.number_pages();
    setter.finish(title)
}

impl Setter {
    fn set(&mut self, block: &Block) {
        match block {
            Block::Heading(words) => {
                self.gap(LARGE);
                self.words(words, LARGE, MARGIN, 0.0);
                self.gap(4.0);
            }
            Block::Line(words) => self.words(words, USUAL, MARGIN, 0.0),
            Block::Message { title, rows, became } => {
                self.gap(USUAL);
                self.words(title, USUAL, MARGIN, PALE);
                for (label, said) in rows {
                    let words = if label.is_empty() { said.clone() } else { format!("{label}: {said}") };
                    self.words(&words, USUAL, MARGIN + INDENT, 0.0);
                }
                if let Some(became) = became {
                    self.words(became, USUAL, MARGIN + INDENT, PALE);
                }
            }
        }
    }

    /// White, unless a page begins.
    fn gap(&mut self, height: f32) {
        if self.y < TOP {
            self.y -= height;
        }
    }

    fn words(&mut self, words: &str, size: f32, x: f32, gray: f32) {
        for line in words.split('\n') {
            for line in self.broken(line, size, WIDTH - MARGIN - x) {
                self.y -= size * LEADING;
                if self.y < BOTTOM {
                    self.pages.push(Vec::new());
                    self.y = TOP - size * LEADING;
                }
                let (y, glyphs) = (self.y, self.encoded(&line));
                self.put(Piece { x, y, size, gray, glyphs });
            }
        }
    }

    fn put(&mut self, piece: Piece) {
        if let Some(page) = self.pages.last_mut() {
            page.push(piece);
        }
    }

    /// Lines that are no wider, between words, and within one that is wider by itself.
    fn broken(&self, words: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut at = 0.0;
        for word in words.split_inclusive(' ') {
            let wide = self.width(word.trim_end(), size);
            if at > 0.0 && at + wide > width {
                lines.push(String::new());
                at = 0.0;
            }
            for c in word.chars() {
                let wide = self.width(c.encode_utf8(&mut [0; 4]), size);
                if at + wide > width && c != ' ' {
                    lines.push(String::new());
                    at = 0.0;
                }
                if let Some(line) = lines.last_mut() {
                    line.push(c);
                }
                at += wide;
            }
        }
        lines
    }

    fn width(&self, words: &str, size: f32) -> f32 {
        let thousandths: f32 = words.chars().map(|c| self.advance(self.font.glyph_id(c))).sum();
        thousandths * size / 1_000.0
    }

    /// In thousandths of the size of type.
    fn advance(&self, glyph: GlyphId) -> f32 {
        let em = self.font.units_per_em().unwrap_or(1_000.0);
        self.font.h_advance_unscaled(glyph) * 1_000.0 / em
    }

    /// The numbers of the signs, as the part of the font that is embedded has them.
    fn encoded(&mut self, words: &str) -> Vec<u8> {
        let mut octets = Vec::with_capacity(words.len() * 2);
        for c in words.chars() {
            let c = if c.is_control() { ' ' } else { c };
            let glyph = self.used.remap(self.font.glyph_id(c).0);
            if glyph != 0 {
                self.says.entry(glyph).or_insert(c);
            }
            octets.extend(glyph.to_be_bytes());
        }
        octets
    }

    fn number_pages(&mut self) {
        let count = self.pages.len();
        for n in 0..count {
            let words = format!("{} / {count}", n + 1);
            let x = WIDTH - MARGIN - self.width(&words, SMALL);
            let glyphs = self.encoded(&words);
            self.pages[n].push(Piece { x, y: FOOT, size: SMALL, gray: PALE, glyphs });
        }
    }

    fn finish(self, title: &str) -> Vec<u8> {
        let mut last = 0;
        let mut fresh = || {
            last += 1;
            Ref::new(last)
        };
        let (catalog, tree, info) = (fresh(), fresh(), fresh());
        let (font, cid_font, descriptor, file, cmap) = (fresh(), fresh(), fresh(), fresh(), fresh());
        let pages: Vec<(Ref, Ref)> = self.pages.iter().map(|_| (fresh(), fresh())).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree);
        pdf.document_info(info).title(TextStr(title));
        let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(pages.iter().map(|(page, _)| *page)).count(count);
        for ((page, contents), pieces) in pages.iter().zip(&self.pages) {
            let mut written = pdf.page(*page);
            written.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(tree).contents(*contents);
            written.resources().fonts().pair(FONT_NAME, font);
            written.finish();
            pdf.stream(*contents, &drawn(pieces));
        }
        pdf.type0_font(font)
            .base_font(BASE_FONT)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid_font)
            .to_unicode(cmap);
        let widths: Vec<f32> = self.used.remapped_gids().map(|glyph| self.advance(GlyphId(glyph))).collect();
        let mut cid = pdf.cid_font(cid_font);
        cid.subtype(CidFontType::Type2).base_font(BASE_FONT).system_info(IDENTITY).font_descriptor(descriptor);
        cid.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        cid.widths().consecutive(0, widths);
        cid.finish();
        let em = self.font.units_per_em().unwrap_or(1_000.0);
        let (ascent, descent) =
            (self.font.ascent_unscaled() * 1_000.0 / em, self.font.descent_unscaled() * 1_000.0 / em);
        pdf.font_descriptor(descriptor)
            .name(BASE_FONT)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-1_021.0, descent, 1_793.0, ascent))
            .italic_angle(0.0)
            .ascent(ascent)
            .descent(descent)
            .cap_height(729.0)
            .stem_v(80.0)
            .font_file2(file);
        let part = subsetter::subset(FONT, 0, &self.used).expect("the font that is built in has parts");
        // ISO 32000-1 §9.9: how long the font is as it stands.
        pdf.stream(file, &part).pair(Name(b"Length1"), i32::try_from(part.len()).unwrap_or(i32::MAX));
        let mut words = UnicodeCmap::new(Name(b"Cordboard"), IDENTITY);
        for (glyph, c) in self.says {
            words.pair(glyph, c);
        }
        pdf.cmap(cmap, &words.finish());
        pdf.finish()
    }
}

fn drawn(pieces: &[Piece]) -> Vec<u8> {
    let mut content = Content::new();
    for piece in pieces {
        content.begin_text();
        content.set_fill_gray(piece.gray).set_font(FONT_NAME, piece.size);
        content.next_line(piece.x, piece.y).show(Str(&piece.glyphs));
        content.end_text();
    }
    content.finish().into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(said: &str) -> Block {
        Block::Message {
            title: "Sat 7 Mar 2026, 02:10 · Routine".to_owned(),
            rows: vec![("Problem".to_owned(), said.to_owned()), (String::new(), "protected.".to_owned())],
            became: Some("Confirmed by Ben, 02:14.".to_owned()),
        }
    }

    fn count(octets: &[u8], wanted: &str) -> usize {
        octets.windows(wanted.len()).filter(|part| *part == wanted.as_bytes()).count()
    }

    #[test]
    fn a_report_is_a_pdf_with_a_part_of_the_font_and_the_same_one_each_time() {
        let blocks = [Block::Heading("Imaginary Plumbing".to_owned()), message("Rohrbruch in der Küche, вода")];
        let pdf = pages("A recap", &blocks);
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
        assert_eq!(count(&pdf, "/Type /Page\n") + count(&pdf, "/Type /Page "), 1);
        assert_eq!(count(&pdf, "/FontFile2"), 1);
        assert!(pdf.len() < 100_000, "no more of the font than is used: {} octets", pdf.len());
        assert_eq!(pages("A recap", &blocks), pdf);
    }

    #[test]
    fn each_sign_that_is_set_can_be_read_back() {
        let pdf = pages("A recap", &[Block::Line("aü".to_owned())]);
        for code in ["<0061>", "<00FC>"] {
            assert!(count(&pdf, code) > 0, "{code} is not in the table of signs");
        }
    }

    #[test]
    fn a_long_report_takes_several_pages_and_a_word_without_end_is_broken() {
        let font = FontRef::try_from_slice(FONT).expect("the font that is built in is one");
        let setter = Setter { font, used: GlyphRemapper::new(), says: BTreeMap::new(), pages: vec![], y: TOP };
        let lines = setter.broken(&"m".repeat(400), USUAL, 300.0);
        assert!(lines.len() > 5 && lines.concat().len() == 400);
        assert!(lines.iter().all(|line| setter.width(line, USUAL) <= 300.0));
        let broken = setter.broken("burst pipe in the hall of the house", USUAL, 60.0);
        assert!(broken.len() > 1 && broken.concat() == "burst pipe in the hall of the house");
        assert!(broken.iter().all(|line| setter.width(line.trim_end(), USUAL) <= 60.0), "{broken:?}");
        let many = pages("A recap", &vec![message("burst pipe"); 60]);
        assert!(count(&many, "/Type /Page\n") + count(&many, "/Type /Page ") > 3, "{} octets", many.len());
    }
}
