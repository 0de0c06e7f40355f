//! `[[sms]]`: the providers by which texts leave and come in, each in its shape.

use secrecy::SecretString;

use crate::base::phone::PhoneNumber;
use crate::proto::sms::alphabet::Alphabet;
use crate::proto::sms::receipt::Ids;

use super::pager::{PagerAt, read_at};
use super::read::{NUMBER_FIX, parse_base_url, parse_name, read_secret};
use super::section::Section;

/// A provider of texts.
#[derive(Clone, Debug)]
pub struct SmsProvider {
    /// In the addresses it calls back: `/hooks/sms/<name>/inbound`.
    pub name: String,
    /// The number that texts come from.
    pub from: PhoneNumber,
    /// Further numbers of ours with it: an account that has one is texted for from it.
    pub numbers: Vec<PhoneNumber>,
    /// Lower goes first; the next is for when it is down.
    pub priority: i64,
    pub shape: SmsShape,
}

/// How it is spoken to.
#[derive(Clone, Debug)]
pub enum SmsShape {
    Twilio {
        base_url: String,
        account_sid: String,
        auth_token: SecretString,
    },
    Telnyx {
        base_url: String,
        api_key: SecretString,
        /// Of Ed25519: what its callbacks are signed with.
        public_key: [u8; 32],
    },
    /// SMPP 3.4, as a transceiver.
    Smpp {
        at: PagerAt,
        system_id: String,
        password: SecretString,
        system_type: String,
        /// Texts that may wait for the carrier's answer at once.
        window: usize,
        /// What it takes texts in that name no coding.
        alphabet: Alphabet,
        receipt_ids: Ids,
    },
}

impl SmsProvider {
    /// It calls us back over HTTP.
    pub const fn calls_back(&self) -> bool {
        !matches!(self.shape, SmsShape::Smpp { .. })
    }
}

pub(super) fn read_sms(section: &Section<'_>) -> Option<SmsProvider> {
    let fix = "Use lower-case letters, digits and hyphens: it is part of an address";
    let name = section.parsed("name", fix, parse_name);
    let kinds = "Write \"twilio\", \"telnyx\" or \"smpp\"";
    let kind =
        section.parsed("kind", kinds, |text| matches!(text, "twilio" | "telnyx" | "smpp").then(|| text.to_owned()));
    let from = section.parsed("from", NUMBER_FIX, |text| PhoneNumber::parse(text).ok());
    let numbers = section.list("numbers", NUMBER_FIX, |text| PhoneNumber::parse(text).ok()).unwrap_or_default();
    let priority = section.number("priority", 1..=1_000);
    let (needs, shape): (&[&'static str], _) = match kind.as_ref().map(|kind| kind.value.as_str()) {
        Some("telnyx") => (&["api_key_file", "public_key"], read_telnyx(section)),
        Some("smpp") => (&["address", "system_id", "password_file"], read_smpp(section)),
        _ => (&["account_sid", "auth_token_file"], read_twilio(section)),
    };
    section.finish();
    let all = || ["name", "kind"].into_iter().chain(needs.iter().copied()).chain(["from"]);
    for key in all().filter(|key| !section.has(key)) {
        let mut all: Vec<&str> = all().collect();
        let last = all.pop().unwrap_or_default();
        section.complain_missing(key, &format!("Every [[sms]] of its kind needs {} and {last}", all.join(", ")));
    }
    kind?;
    Some(SmsProvider {
        name: name?.value,
        from: from?.value,
        numbers: numbers.into_iter().map(|at| at.value).collect(),
        priority: priority.map_or(10, |at| at.value),
        shape: shape?,
    })
}

fn read_twilio(section: &Section<'_>) -> Option<SmsShape> {
    let base_url = section.parsed("base_url", "Write it as \"https://api.twilio.com\"", parse_base_url);
    let account_sid = section.text("account_sid");
    let auth_token = read_secret(section, "auth_token_file");
    Some(SmsShape::Twilio {
        base_url: base_url.map_or_else(|| "https://api.twilio.com".to_owned(), |url| url.value),
        account_sid: account_sid?.value,
        auth_token: auth_token?,
    })
}

fn read_telnyx(section: &Section<'_>) -> Option<SmsShape> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let base_url = section.parsed("base_url", "Write it as \"https://api.telnyx.com\"", parse_base_url);
    let api_key = read_secret(section, "api_key_file");
    let fix = "Copy the public key from the provider's portal: 32 octets in base64";
    let public_key = section.parsed("public_key", fix, |text| STANDARD.decode(text).ok()?.try_into().ok());
    Some(SmsShape::Telnyx {
        base_url: base_url.map_or_else(|| "https://api.telnyx.com".to_owned(), |url| url.value),
        api_key: api_key?,
        public_key: public_key?.value,
    })
}

fn read_smpp(section: &Section<'_>) -> Option<SmsShape> {
    let at = read_at(section, Some(2_775));
    // 3.4 §5.2.1 and §5.2.3: fifteen and twelve characters.
    let id = section
        .parsed("system_id", "Write the name the carrier gave you, 15 characters at most", |text| word(text, 15));
    let system_type =
        section.parsed("system_type", "Write what the carrier asks for, 12 characters at most", |text| word(text, 12));
    let password = read_secret(section, "password_file");
    let window = section.number("window", 1..=1_000);
    let alphabet = section.parsed("alphabet", "Write \"gsm7\", \"latin1\" or \"ascii\"", |text| match text {
        "gsm7" => Some(Alphabet::Gsm7),
        "latin1" => Some(Alphabet::Latin1),
        "ascii" => Some(Alphabet::Ascii),
        _ => None,
    });
    let receipt_ids = section.parsed("receipt_ids", "Write \"as_taken\", \"decimal\" or \"hex\"", |text| match text {
        "as_taken" => Some(Ids::AsTaken),
        "decimal" => Some(Ids::Decimal),
        "hex" => Some(Ids::Hex),
        _ => None,
    });
    Some(SmsShape::Smpp {
        at: at?,
        system_id: id?.value,
        password: password?,
        system_type: system_type.map(|at| at.value).unwrap_or_default(),
        window: window.and_then(|at| usize::try_from(at.value).ok()).unwrap_or(10),
        alphabet: alphabet.map(|at| at.value).unwrap_or_default(),
        receipt_ids: receipt_ids.map(|at| at.value).unwrap_or_default(),
    })
}

fn word(text: &str, most: usize) -> Option<String> {
    ((1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())).then(|| text.to_owned())
}
