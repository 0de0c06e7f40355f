//! The addresses that mail comes back to: each email of ours has two of its own, one in the envelope for bounces and one for
//! replies. They name the attempt and carry a keyed hash over it, so nobody can make one up.
//!
//! Local parts are read whatever their case, as mail servers on the way may change it; at most 64 octets (RFC 5321 §4.5.3.1.1).

use ring::hmac;

use crate::base::id::AttemptId;

const MAX_LOCAL: usize = 64;
/// Characters of the hash: 80 bits.
const HASH_CHARS: usize = 16;
/// RFC 4648's base 32, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Bounce,
    Reply,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Bounce => "bounces",
            Self::Reply => "reply",
        }
    }
}

/// An address that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    pub purpose: Purpose,
    pub attempt: AttemptId,
}

/// Makes and knows our addresses.
#[derive(Clone)]
pub struct Addresses {
    domain: String,
    key: hmac::Key,
}

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addresses").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Addresses {
    /// Addresses at `domain`, under the installation's own key.
    pub fn new(domain: &str, key: hmac::Key) -> Self {
        Self { domain: domain.to_ascii_lowercase(), key }
    }

    /// Where what becomes of this attempt's email is told. None: its name is too long for an address.
    pub fn of(&self, purpose: Purpose, attempt: &AttemptId) -> Option<String> {
        let own = body(attempt).to_ascii_lowercase();
        let local = format!("{}+{own}.{}", purpose.name(), self.hash(purpose, &own));
        (local.len() <= MAX_LOCAL).then(|| format!("{local}@{}", self.domain))
    }

    /// Reads an address of somebody's envelope; none: it is not one of ours.
    pub fn read(&self, address: &str) -> Option<Ours> {
        let (local, domain) = address.rsplit_once('@')?;
        if !domain.trim_end_matches('.').eq_ignore_ascii_case(&self.domain) || local.len() > MAX_LOCAL {
            return None;
        }
        let local = local.to_ascii_lowercase();
        let (word, token) = local.split_once('+')?;
        let purpose = [Purpose::Bounce, Purpose::Reply].into_iter().find(|purpose| purpose.name() == word)?;
        let (own, hash) = token.rsplit_once('.')?;
        let attempt: AttemptId = format!("att_{own}").parse().ok()?;
        same(hash.as_bytes(), self.hash(purpose, own).as_bytes()).then_some(Ours { purpose, attempt })
    }

    fn hash(&self, purpose: Purpose, own: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose.name().as_bytes());
        context.update(&[0]);
        context.update(own.as_bytes());
        let tag = context.sign();
        let first = tag.as_ref()[..10].iter().fold(0_u128, |bits, octet| (bits << 8) | u128::from(*octet));
        (0..HASH_CHARS).rev().map(|at| char::from(ALPHABET[((first >> (at * 5)) & 31) as usize])).collect()
    }
}

/// The identifier without what it is of.
fn body(attempt: &AttemptId) -> &str {
    attempt.as_str().split_once('_').map_or(attempt.as_str(), |(_, rest)| rest)
}

/// Takes as long whatever differs.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;

    fn addresses(key: u8) -> Addresses {
        Addresses::new("Desk.Example.com", hmac::Key::new(hmac::HMAC_SHA256, &[key; 32]))
    }

    #[test]
    fn an_address_leads_back_to_its_attempt_whatever_its_case() {
        let ours = addresses(1);
        let dispatch = AttemptId::fresh(UtcMs(1_772_871_000_000));
        let attempt = AttemptId::named(&format!("{}-123", body(&dispatch)));
        for purpose in [Purpose::Bounce, Purpose::Reply] {
            let address = ours.of(purpose, &attempt).expect("it fits");
            assert!(address.ends_with("@desk.example.com") && address.find('@').expect("an at") <= MAX_LOCAL);
            let expected = Some(Ours { purpose, attempt: attempt.clone() });
            assert_eq!(ours.read(&address), expected);
            assert_eq!(ours.read(&address.to_uppercase()), expected);
        }
        assert_eq!(ours.of(Purpose::Bounce, &AttemptId::named(&"x".repeat(60))), None);
    }

    #[test]
    fn nobody_makes_one_up() {
        let ours = addresses(1);
        let attempt = AttemptId::named("abc-1");
        let bounce = ours.of(Purpose::Bounce, &attempt).expect("it fits");
        let reply = ours.of(Purpose::Reply, &attempt).expect("it fits");
        assert_eq!(addresses(2).read(&bounce), None, "another installation's");
        for forged in [
            bounce.replace("abc-1", "abc-2"),
            bounce.replace("bounces", "reply"),
            reply.replace("reply", "bounces"),
            reply.replace("desk.", "www."),
            "bounces+abc-1.@desk.example.com".to_owned(),
            "bounces+.aaaaaaaaaaaaaaaa@desk.example.com".to_owned(),
            "postmaster@desk.example.com".to_owned(),
            "bounces@desk.example.com".to_owned(),
            String::new(),
        ] {
            assert_eq!(ours.read(&forged), None, "{forged}");
        }
    }
}
