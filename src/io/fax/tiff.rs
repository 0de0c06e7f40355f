//! Pages as a TIFF of class F (RFC 2306): each one image in T.6 (group 4), with the tags by which a fax engine knows size,
//! resolution and place of a page.

use fax::encoder::Encoder;
use fax::{Color, VecWriter};

use super::page::{HEIGHT, Page, RESOLUTION, WIDTH};

/// Types of a field's values (TIFF 6.0, section 2).
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// The file: little-endian, page after page.
pub fn write(pages: &[Page]) -> Vec<u8> {
    // Where the first directory is, comes to stand at byte 4.
    let mut file = b"II\x2a\x00\0\0\0\0".to_vec();
    let mut link = 4;
    let count = u16::try_from(pages.len()).expect("a letter has few pages");
    for (n, page) in (0..).zip(pages) {
        let (strip, image) = (offset(&file), encode(page));
        file.extend_from_slice(&image);
        pad(&mut file);
        let rationals = offset(&file);
        for resolution in [RESOLUTION.0, RESOLUTION.1] {
            file.extend_from_slice(&resolution.to_le_bytes());
            file.extend_from_slice(&1_u32.to_le_bytes());
        }
        let directory = offset(&file);
        file[link..link + 4].copy_from_slice(&directory.to_le_bytes());
        link = put_directory(
            &mut file,
            strip,
            u32::try_from(image.len()).expect("a page has half a megabyte at most"),
            rationals,
            (n, count),
        );
    }
    file
}

fn offset(file: &[u8]) -> u32 {
    u32::try_from(file.len()).expect("pages of a few kilobytes")
}

/// Values and directories begin at even offsets.
fn pad(file: &mut Vec<u8>) {
    if !file.len().is_multiple_of(2) {
        file.push(0);
    }
}

/// Returns where the offset of the next directory stands.
fn put_directory(file: &mut Vec<u8>, strip: u32, len: u32, rationals: u32, (page, pages): (u16, u16)) -> usize {
    let (width, height) = (u32::try_from(WIDTH).expect("1728"), u32::try_from(HEIGHT).expect("2156"));
    let fields: [(u16, u16, u32, u32); 17] = [
        (254, LONG, 1, 2),                 // one page of several
        (256, LONG, 1, width),             // image width
        (257, LONG, 1, height),            // image length
        (258, SHORT, 1, 1),                // bits a sample
        (259, SHORT, 1, 4),                // T.6
        (262, SHORT, 1, 0),                // 0 is white
        (266, SHORT, 1, 1),                // the highest bit is the leftmost
        (273, LONG, 1, strip),             // where the image is
        (274, SHORT, 1, 1),                // upright
        (277, SHORT, 1, 1),                // samples a dot
        (278, LONG, 1, height),            // rows in the one strip
        (279, LONG, 1, len),               // bytes of it
        (282, RATIONAL, 1, rationals),     // dots across
        (283, RATIONAL, 1, rationals + 8), // dots down
        (293, LONG, 1, 0),                 // T.6 without its options
        (296, SHORT, 1, 2),                // an inch
        (297, SHORT, 2, u32::from(page) | u32::from(pages) << 16),
    ];
    file.extend_from_slice(&17_u16.to_le_bytes());
    for (tag, kind, count, value) in fields {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&kind.to_le_bytes());
        file.extend_from_slice(&count.to_le_bytes());
        // A short value stands left in its four bytes, which little-endian does by itself.
        file.extend_from_slice(&value.to_le_bytes());
    }
    let link = file.len();
    file.extend_from_slice(&[0; 4]);
    link
}

fn encode(page: &Page) -> Vec<u8> {
    let mut encoder = Encoder::new(VecWriter::new());
    let width = u32::try_from(WIDTH).expect("1728");
    for row in page.rows() {
        let dots = row.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
        let dots = dots.map(|black| if black { Color::Black } else { Color::White });
        let Ok(()) = encoder.encode_line(dots, width);
    }
    let Ok(written) = encoder.finish();
    written.finish()
}

#[cfg(test)]
mod tests {
    use super::super::page::{ROW, Station, set};
    use super::*;
    use crate::domain::message::render::Written;
    use crate::domain::message::render::fax::Letter;

    fn pages(words: &str) -> Vec<Page> {
        let letter = Letter {
            account: "Imaginary Plumbing".into(),
            title: "Message".into(),
            about: vec!["Repair".into()],
            answers: vec![Written { label: "Problem".into(), words: words.into(), long: true }],
            callback: None,
            notes: vec![],
            reference: "m".into(),
            sent: "now".into(),
        };
        set(&letter, &Station::default())
    }

    fn number(file: &[u8], at: usize, len: usize) -> usize {
        file[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    #[test]
    fn every_page_of_the_file_decodes_to_its_dots() {
        let pages = pages(&"a leak, water on the floor ".repeat(120));
        assert!(pages.len() > 1);
        let file = write(&pages);
        assert_eq!(&file[..4], b"II\x2a\x00");
        let mut directory = number(&file, 4, 4);
        for (n, page) in pages.iter().enumerate() {
            let field = |tag: usize| {
                let entries = number(&file, directory, 2);
                let places = (0..entries).map(|entry| directory + 2 + entry * 12);
                let at = places.into_iter().find(|at| number(&file, *at, 2) == tag).expect("the tag is there");
                number(&file, at + 8, 4)
            };
            assert_eq!((field(256), field(257), field(259)), (WIDTH, HEIGHT, 4));
            assert_eq!(field(297), n | pages.len() << 16);
            assert_eq!((number(&file, field(282), 4), number(&file, field(283), 4)), (204, 196));
            let image = &file[field(273)..][..field(279)];
            let mut rows = page.rows();
            fax::decoder::decode_g4(image.iter().copied(), WIDTH as u32, Some(HEIGHT as u32), |transitions| {
                let row = rows.next().expect("no more rows than the page has");
                let dots: Vec<bool> =
                    fax::decoder::pels(transitions, WIDTH as u32).map(|color| color == Color::Black).collect();
                let wanted: Vec<bool> = (0..WIDTH).map(|x| row[x / 8] & (0x80 >> (x % 8)) != 0).collect();
                assert_eq!(dots, wanted);
            })
            .expect("it can be decoded");
            assert!(rows.next().is_none());
            assert_eq!(ROW * 8, WIDTH);
            directory = number(&file, directory + 2 + number(&file, directory, 2) * 12, 4);
        }
        assert_eq!(directory, 0, "no further page");
    }
}
