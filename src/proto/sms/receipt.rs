//! What a delivery receipt over SMPP says (3.4, appendix B): `id:… sub:001 dlvrd:001 … stat:DELIVRD err:000 text:…`.
//! Pure.

/// What became of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// On its way.
    Sent,
    Delivered,
    /// The carrier has given up.
    Failed,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The carrier's name for the text.
    pub id: String,
    pub fate: Fate,
    /// A short code: `undeliv_011`.
    pub word: String,
}

/// How a carrier writes its name for a text in a receipt. Some give the text a hexadecimal number and have a decimal one in
/// its receipt (3.4, appendix B), or the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// As when it took the text, letter by letter.
    #[default]
    AsTaken,
    /// Hexadecimal when it takes the text, decimal in the receipt.
    Decimal,
    /// Decimal when it takes the text, hexadecimal in the receipt.
    Hex,
}

impl Ids {
    /// The name by which a text is known here, of what the carrier said when it took it.
    pub fn taken(self, id: &str) -> String {
        match self {
            Self::AsTaken => id.to_owned(),
            Self::Decimal => plain(id, 16),
            Self::Hex => plain(id, 10),
        }
    }

    /// The same of what a receipt says; `named`: in the parameter that is as when it was taken (§5.3.2.12), unless the carrier
    /// writes there what stands in the receipt's words.
    pub fn of_receipt(self, named: Option<&str>, written: &str) -> String {
        match (self, named.filter(|named| !named.is_empty())) {
            (Self::AsTaken, named) => named.unwrap_or(written).to_owned(),
            (_, Some(named)) if named != written => self.taken(named),
            (Self::Decimal, _) => plain(written, 10),
            (Self::Hex, _) => plain(written, 16),
        }
    }
}

/// A number without the zeros before it, in decimal; what is none stays as it is.
fn plain(id: &str, radix: u32) -> String {
    let digits = id.bytes().all(|b| b.is_ascii_hexdigit());
    u128::from_str_radix(id, radix).ok().filter(|_| digits).map_or_else(|| id.to_owned(), |number| number.to_string())
}

/// Reads a receipt. `None`: it is none, or it says what tells nothing (`UNKNOWN`).
pub fn read(text: &str) -> Option<Receipt> {
    // The names are written in any case, and what follows `text:` is not the carrier's own.
    let lower = text.to_ascii_lowercase();
    let lower = lower.split(" text:").next().unwrap_or_default();
    let id = word(text.get(..lower.len())?, lower, "id:")?;
    let (stat, err) = (word(lower, lower, "stat:")?, word(lower, lower, "err:"));
    let fate = match stat.as_str() {
        "delivrd" | "delivered" => Fate::Delivered,
        "acceptd" | "enroute" | "buffred" => Fate::Sent,
        "undeliv" | "rejectd" | "expired" | "deleted" | "failed" => Fate::Failed,
        _ => return None,
    };
    let err = err.filter(|err| err.len() <= 6 && err.bytes().all(|b| b.is_ascii_alphanumeric()));
    let why = err.filter(|_| fate == Fate::Failed).map_or_else(|| stat.clone(), |err| format!("{stat}_{err}"));
    Some(Receipt { id, fate, word: why })
}

/// What follows `name`, where that begins a word.
fn word(text: &str, lower: &str, name: &str) -> Option<String> {
    let at = lower.match_indices(name).map(|(at, _)| at).find(|at| *at == 0 || lower[..*at].ends_with(' '))?;
    let value = text[at + name.len()..].split(' ').next().unwrap_or_default();
    (1..=65).contains(&value.len()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_read_as_carriers_write_them() {
        let text = "id:7b1f-A sub:001 dlvrd:001 submit date:2603070210 done date:2603070211 stat:DELIVRD err:000 text:stat:UNDELIV";
        let delivered = Receipt { id: "7b1f-A".into(), fate: Fate::Delivered, word: "delivrd".into() };
        assert_eq!(read(text), Some(delivered));
        let failed =
            read("id:1 sub:001 dlvrd:000 submit date:1 done date:2 stat:UNDELIV err:011 Text:Burst").expect("one");
        assert_eq!((failed.fate, failed.word.as_str()), (Fate::Failed, "undeliv_011"));
        for (stat, fate) in [
            ("ACCEPTD", Some(Fate::Sent)),
            ("ENROUTE", Some(Fate::Sent)),
            ("EXPIRED", Some(Fate::Failed)),
            ("REJECTD", Some(Fate::Failed)),
            ("DELETED", Some(Fate::Failed)),
            ("UNKNOWN", None),
            ("BURST", None),
        ] {
            assert_eq!(read(&format!("id:1 stat:{stat} err:0")).map(|receipt| receipt.fate), fate, "{stat}");
        }
    }

    #[test]
    fn a_text_is_known_by_its_receipt_however_the_carrier_writes_numbers() {
        for (ids, taken, named, written) in [
            (Ids::AsTaken, "7b1f-A", None, "7b1f-A"),
            (Ids::AsTaken, "1a2b", Some("1a2b"), "6699"),
            (Ids::Decimal, "1A2B", None, "0000006699"),
            (Ids::Decimal, "1a2b", Some("1a2b"), "6699"),
            (Ids::Decimal, "1a2b", Some("6699"), "6699"),
            (Ids::Decimal, "00001234", Some(""), "4660"),
            (Ids::Hex, "0000006699", None, "1a2b"),
            (Ids::Hex, "6699", Some("6699"), "1A2B"),
            // No numbers: as they are.
            (Ids::Decimal, "7b1f-A", None, "7b1f-A"),
            (Ids::Hex, "+12", None, "+12"),
        ] {
            assert_eq!(ids.of_receipt(named, written), ids.taken(taken), "{ids:?} {taken} {written}");
        }
        assert_ne!(Ids::Decimal.of_receipt(None, "6700"), Ids::Decimal.taken("1a2b"));
    }

    #[test]
    fn what_is_no_receipt_is_none() {
        for text in [
            "",
            "1ok",
            "stat:DELIVRD",
            "id: stat:DELIVRD",
            "grid:7 stat:DELIVRD",
            "id:ü stat:",
            "text:id:1 stat:DELIVRD",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
