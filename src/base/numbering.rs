//! How one trunk's carrier writes telephone numbers: with a plus, without, national or international.
//!
//! Reads what it sends into E.164, and writes E.164 as it wants it. Knows prefixes, not area codes: whether a
//! number exists is for the network to say. Used by `engine/trunk` on every number that crosses a trunk. What always
//! holds: what [`Numbering::write`] wrote, [`Numbering::read`] of the same plan reads as the same number.

use super::phone::{PhoneError, PhoneNumber};

/// The form in which a trunk wants numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberFormat {
    /// `+12025550101`.
    #[default]
    E164,
    /// `12025550101`.
    E164NoPlus,
    /// As a subscriber of the trunk's country dials it: `2025550101`, `02071838750`, `0114420…`.
    National,
}

/// A country's prefixes, and the form its trunk wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// The country code that national numbers lack.
    pub country: String,
    /// Before a national number ("0" in most countries). Empty: none is written.
    pub national_prefix: String,
    /// Before a country code, dialled from here. The first is the one written.
    pub international_prefixes: Vec<String>,
    pub format: NumberFormat,
}

impl Default for Numbering {
    /// North America.
    fn default() -> Self {
        Self::of_country("1")
    }
}

impl Numbering {
    /// The usual prefixes of a country, by its code.
    pub fn of_country(country: &str) -> Self {
        let american = country == "1";
        // Carriers in North America send 00 as well, from abroad.
        let international: &[&str] = if american { &["011", "00"] } else { &["00"] };
        Self {
            country: country.to_owned(),
            national_prefix: if american { String::new() } else { "0".to_owned() },
            international_prefixes: international.iter().map(|&prefix| prefix.to_owned()).collect(),
            format: NumberFormat::default(),
        }
    }

    /// Reads a number as this trunk's carrier writes it. Visual separators (RFC 3966 §5.1.1) count for nothing.
    pub fn read(&self, text: &str) -> Result<PhoneNumber, PhoneError> {
        let text = text.trim();
        let (is_global, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
        let mut digits = String::with_capacity(16);
        for c in rest.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' => {}
                _ => return Err(PhoneError::Character),
            }
        }
        let digits = if is_global { digits } else { self.complete(&digits).ok_or(PhoneError::Length)? };
        PhoneNumber::parse(&format!("+{digits}"))
    }

    /// The digits with their country code, if it can be told.
    fn complete(&self, digits: &str) -> Option<String> {
        let abroad = self.international_prefixes.iter().filter(|prefix| !prefix.is_empty());
        if let Some(rest) = abroad.filter_map(|prefix| digits.strip_prefix(prefix.as_str())).next() {
            return Some(rest.to_owned());
        }
        let bare_is_global = self.format == NumberFormat::E164NoPlus;
        if self.country == "1" {
            // A North American number has ten digits, always; with a 1 before them it is complete.
            return match digits.len() {
                10 => Some(format!("1{digits}")),
                11 if digits.starts_with('1') => Some(digits.to_owned()),
                _ => bare_is_global.then(|| digits.to_owned()),
            };
        }
        if self.national_prefix.is_empty() {
            return Some(if bare_is_global { digits.to_owned() } else { format!("{}{digits}", self.country) });
        }
        match digits.strip_prefix(self.national_prefix.as_str()) {
            Some(rest) => Some(format!("{}{rest}", self.country)),
            // Where national numbers begin with a prefix, one that begins with the country's own code is complete.
            None if bare_is_global || digits.starts_with(&self.country) => Some(digits.to_owned()),
            None => Some(format!("{}{digits}", self.country)),
        }
    }

    /// Writes a number as this trunk's carrier wants it. Where that form would be read as another number, a longer one
    /// is taken that is not.
    pub fn write(&self, number: &PhoneNumber) -> String {
        let digits = number.digits();
        let abroad = self.international_prefixes.first().filter(|prefix| !prefix.is_empty());
        let abroad = abroad.map(|prefix| format!("{prefix}{digits}"));
        let first = match self.format {
            NumberFormat::E164 => None,
            NumberFormat::E164NoPlus => Some(digits.to_owned()),
            NumberFormat::National => {
                digits.strip_prefix(self.country.as_str()).map(|rest| format!("{}{rest}", self.national_prefix))
            }
        };
        let second = abroad.filter(|_| self.format == NumberFormat::National);
        let mut forms = [first, second].into_iter().flatten();
        forms.find(|form| self.read(form).as_ref() == Ok(number)).unwrap_or_else(|| number.as_e164().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(plan: &Numbering, text: &str) -> Option<String> {
        plan.read(text).ok().map(String::from)
    }

    #[test]
    fn an_american_carriers_forms_are_one_number() {
        let plan = Numbering::default();
        let forms =
            ["+12025550101", "12025550101", "2025550101", "(202) 555-0101", "011 1 202.555.0101", "0012025550101"];
        for text in forms {
            assert_eq!(read(&plan, text).as_deref(), Some("+12025550101"), "{text}");
        }
        assert_eq!(read(&plan, "011442071838750").as_deref(), Some("+442071838750"));
        for wrong in ["5550101", "anonymous", "", "+", "+0123456789", "442071838750"] {
            assert_eq!(read(&plan, wrong), None, "{wrong}");
        }
        let bare = Numbering { format: NumberFormat::E164NoPlus, ..plan };
        assert_eq!(read(&bare, "442071838750").as_deref(), Some("+442071838750"));
    }

    #[test]
    fn a_british_carriers_forms_are_one_number() {
        let plan = Numbering::of_country("44");
        for text in ["+44 20 7183 8750", "020 7183 8750", "00442071838750", "442071838750", "2071838750"] {
            assert_eq!(read(&plan, text).as_deref(), Some("+442071838750"), "{text}");
        }
        let number = plan.read("+442071838750").expect("a number");
        let written = |format| Numbering { format, ..plan.clone() }.write(&number);
        assert_eq!(written(NumberFormat::National), "02071838750");
        assert_eq!(written(NumberFormat::E164NoPlus), "442071838750");
        assert_eq!(written(NumberFormat::E164), "+442071838750");
    }

    #[test]
    fn national_form_takes_the_international_prefix_for_other_countries() {
        let plan = Numbering { format: NumberFormat::National, ..Numbering::default() };
        let write = |text: &str| plan.write(&PhoneNumber::parse(text).expect("a number"));
        assert_eq!(write("+12025550101"), "2025550101");
        assert_eq!(write("+442071838750"), "011442071838750");
        let plan = Numbering { format: NumberFormat::National, national_prefix: "1".to_owned(), ..plan };
        assert_eq!(plan.write(&PhoneNumber::parse("+12025550101").expect("a number")), "12025550101");
    }

    #[test]
    fn a_form_that_would_be_misread_is_not_written() {
        // Ten digits in all, Egypt's would be taken for an American one.
        let plan = Numbering { format: NumberFormat::E164NoPlus, ..Numbering::default() };
        assert_eq!(plan.write(&PhoneNumber::parse("+2025550101").expect("a number")), "+2025550101");
    }

    fn plans() -> impl Strategy<Value = Numbering> {
        let formats =
            prop_oneof![Just(NumberFormat::E164), Just(NumberFormat::E164NoPlus), Just(NumberFormat::National)];
        let prefixes = ("[1-9][0-9]{0,2}", "(0|1|8|06|)", "(00|011|810|)");
        let any = prefixes.prop_map(|(country, national_prefix, international)| Numbering {
            country,
            national_prefix,
            international_prefixes: vec![international],
            format: NumberFormat::E164,
        });
        let usual = prop_oneof![Just("1"), Just("44"), Just("49"), Just("39")].prop_map(Numbering::of_country);
        (prop_oneof![any, usual], formats).prop_map(|(plan, format)| Numbering { format, ..plan })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same_number(plan in plans(), own in any::<bool>(), digits in "[1-9][0-9]{2,14}") {
            // Half of them in the plan's own country, where the forms differ.
            let text = if own { format!("+{}{digits}", plan.country) } else { format!("+{digits}") };
            let Ok(number) = PhoneNumber::parse(&text) else { return Ok(()) };
            prop_assert_eq!(plan.read(&plan.write(&number)), Ok(number));
        }

        #[test]
        fn no_text_makes_it_panic(plan in plans(), text in ".{0,24}") {
            let _ = plan.read(&text);
        }
    }
}
