//! Which numbers may be dialled over a trunk, by how they begin. Denied unless allowed.

use std::str::FromStr;

use crate::base::phone::PhoneNumber;

/// Which numbers may be dialled: those that an allowed pattern matches and no denied one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPlan {
    pub allowed: Vec<DialPattern>,
    pub denied: Vec<DialPattern>,
}

impl DialPlan {
    /// What a trunk may dial unless it says otherwise: its own country, without premium numbers.
    ///
    /// # Panics
    /// If `country` is no country code: digits that do not begin with 0.
    pub fn of_country(country: &str) -> Self {
        let pattern = |text: &str| text.parse().expect("these patterns are valid, a test holds them so");
        let own = format!("+{country}").parse().expect("the configuration lets country codes through alone");
        Self { allowed: vec![own], denied: DENIED.iter().map(|text| pattern(text)).collect() }
    }

    /// Whether `number` may be dialled.
    pub fn allows(&self, number: &PhoneNumber) -> bool {
        let is = |patterns: &[DialPattern]| patterns.iter().any(|p| p.matches(number));
        is(&self.allowed) && !is(&self.denied)
    }
}

/// What is denied unless a trunk says otherwise. Under +1: premium numbers (area code 900, exchange 976), and the area
/// codes of other countries that share +1 and cost what calls abroad cost. Elsewhere, for trunks that allow more than
/// +1: satellites, international networks and premium services, personal numbers and the premium ranges that fraud
/// is paid through.
const DENIED: [&str; 37] = [
    "+1900", "+1xxx976", "+1242", "+1246", "+1264", "+1268", "+1284", "+1345", "+1441", "+1473", "+1649", "+1658",
    "+1664", "+1721", "+1758", "+1767", "+1784", "+1809", "+1829", "+1849", "+1868", "+1869", "+1876", "+1500",
    "+1700", "+1710", "+1x11", "+870", "+881", "+882", "+883", "+979", "+449", "+4470", "+49900", "+49137", "+3389",
];

impl Default for DialPlan {
    fn default() -> Self {
        Self::of_country("1")
    }
}

/// How a number begins: `+1202`, with `x` for any digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPattern(String);

impl DialPattern {
    /// The number begins so.
    fn matches(&self, number: &PhoneNumber) -> bool {
        let number = number.as_e164();
        number.len() >= self.0.len() && self.0.bytes().zip(number.bytes()).all(|(p, n)| p == b'x' || p == n)
    }
}

impl FromStr for DialPattern {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('+').ok_or(())?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'x');
        if plain && digits.len() <= 15 && !digits.starts_with('0') { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).expect("a valid number")
    }

    #[test]
    fn premium_and_foreign_numbers_are_denied_unless_allowed() {
        let plan = DialPlan::default();
        assert!(plan.allows(&number("+12025550110")));
        for denied in ["+19005550110", "+12029765550", "+18765550110", "+442071838750", "+37052123456"] {
            assert!(!plan.allows(&number(denied)), "{denied}");
        }
    }

    #[test]
    fn a_country_allowed_is_still_without_its_premium_numbers() {
        let mut plan = DialPlan::default();
        plan.allowed.push("+44".parse().expect("a pattern"));
        assert!(plan.allows(&number("+442071838750")));
        assert!(!plan.allows(&number("+449098790879")));
        let british = DialPlan::of_country("44");
        assert!(british.allows(&number("+442071838750")));
        assert!(!british.allows(&number("+449098790879")) && !british.allows(&number("+12025550110")));
    }
}
