//! Reading `[fax]`: what stands at the top of each page that is faxed.

use super::section::Section;

const STATION_FIX: &str =
    "Write the number as machines show it, 20 digits, blanks and a plus at most: \"+1 202 555 0100\"";
/// ITU-T T.30 §5.3.6.2.4.
const MAX_STATION: usize = 20;
const MAX_HEADER: usize = 60;

/// Who sends a fax.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fax {
    /// The file has such a section: faxes are meant to be sent.
    pub is_meant: bool,
    /// Our fax number, as machines show it.
    pub station_id: String,
    /// The service's name.
    pub header: String,
}

pub(super) fn read_fax(section: &Section<'_>) -> Fax {
    let id = section.parsed("station_id", STATION_FIX, |text| {
        let fits = text.chars().all(|c| c.is_ascii_digit() || " +".contains(c)) && text.len() <= MAX_STATION;
        fits.then(|| text.to_owned())
    });
    let fix = format!("Write the service's name, {MAX_HEADER} characters at most: header = \"Night Desk Answering\"");
    let header = section.parsed("header", &fix, |text| {
        let fits = text.chars().count() <= MAX_HEADER && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned())
    });
    section.finish();
    Fax {
        is_meant: section.is_there(),
        station_id: id.map_or_else(String::new, |at| at.value),
        header: header.map_or_else(String::new, |at| at.value),
    }
}
