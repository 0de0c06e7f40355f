//! Who we say is calling: From, P-Asserted-Identity (RFC 3325) and Privacy (RFC 3323) of a call out.
//!
//! Which number may be shown is decided before (`engine/trunk`); here it is only put where a carrier looks for it.

/// Where a carrier reads the number that it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// In P-Asserted-Identity; From says which customer calls.
    Pai,
    /// In From alone.
    From,
    /// In both.
    #[default]
    Both,
}

/// The value of From, without a tag, and the headers to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub from: String,
    pub headers: Vec<(String, String)>,
}

/// RFC 3323 §4.1.1.3.
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// How `number` is shown, written as the carrier wants it; `None`: withheld. `own` is the trunk's first number, by which
/// the carrier knows its customer.
pub fn present(shown: Shown, number: Option<&str>, own: Option<&str>, host: &str) -> Identity {
    let address = |user: &str| format!("<sip:{user}@{host}>");
    let asserted = |user: &str| ("P-Asserted-Identity".to_owned(), address(user));
    match number {
        Some(number) => match shown {
            Shown::Pai => Identity { from: address(own.unwrap_or(number)), headers: vec![asserted(number)] },
            Shown::From => Identity { from: address(number), headers: Vec::new() },
            Shown::Both => Identity { from: address(number), headers: vec![asserted(number)] },
        },
        None => {
            let customer = own.filter(|_| shown != Shown::From).map(asserted);
            let privacy = ("Privacy".to_owned(), "id".to_owned());
            Identity { from: ANONYMOUS.to_owned(), headers: customer.into_iter().chain([privacy]).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "+12025550100";
    const SHOWN: &str = "+12025550102";

    fn said(shown: Shown, number: Option<&str>, own: Option<&str>) -> (String, Vec<String>) {
        let identity = present(shown, number, own, "192.0.2.1");
        (identity.from, identity.headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect())
    }

    #[test]
    fn the_number_stands_where_the_carrier_looks_for_it() {
        let asserted = "P-Asserted-Identity: <sip:+12025550102@192.0.2.1>".to_owned();
        let (from, headers) = said(Shown::Both, Some(SHOWN), Some(OWN));
        assert_eq!((from.as_str(), headers), ("<sip:+12025550102@192.0.2.1>", vec![asserted.clone()]));
        let (from, headers) = said(Shown::Pai, Some(SHOWN), Some(OWN));
        assert_eq!((from.as_str(), headers), ("<sip:+12025550100@192.0.2.1>", vec![asserted]));
        let (from, headers) = said(Shown::From, Some(SHOWN), Some(OWN));
        assert_eq!((from.as_str(), headers), ("<sip:+12025550102@192.0.2.1>", Vec::new()));
    }

    #[test]
    fn a_withheld_number_is_in_no_header_the_called_party_sees() {
        let (from, headers) = said(Shown::Both, None, Some(OWN));
        assert_eq!(from, ANONYMOUS);
        // For the carrier alone: it takes it out for Privacy's sake (RFC 3325 §7).
        assert_eq!(headers, ["P-Asserted-Identity: <sip:+12025550100@192.0.2.1>", "Privacy: id"]);
        assert_eq!(said(Shown::From, None, Some(OWN)).1, ["Privacy: id"]);
        assert_eq!(said(Shown::Both, None, None).1, ["Privacy: id"]);
    }
}
