//! Making challenges and checking answers.
//!
//! A nonce is a time, a random number and a MAC over both and over who asked: it cannot be forged, needs no
//! table, and serves only the address it was given to. A table holds the counts of nonces that were used
//! *rightly*, so that no answer works twice; it is bounded, and forgetting in it makes nonces old, never
//! fresh again. What always holds: a user who does not exist costs the same work and gets the same answer as
//! a wrong password.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use secrecy::SecretString;

use super::super::message::Uri;
use super::fields::{Credentials, quote};
use super::{Algorithm, Hash, Ingredients, hex, response};

/// How long a nonce is good for.
const NONCE_LIFE: Duration = Duration::from_secs(10 * 60);
/// Nonces whose counts are kept.
const MAX_COUNTED: usize = 20_000;
const TIME: usize = 8;
const SALT: usize = 8;
const MAC: usize = 16;

/// What came of checking credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// An old nonce, one that is not ours, or one used so before: to be asked anew. Nothing was checked, or
    /// nothing is told of it.
    Stale,
    Wrong,
}

/// Challenges and checks for one realm.
#[derive(Debug)]
pub struct Gate {
    realm: &'static str,
    /// What we ask for, best first (RFC 8760 §2.4).
    offered: Vec<Algorithm>,
    key: hmac::Key,
    began: Instant,
    /// The highest count seen, by nonce.
    counts: HashMap<u64, u32>,
    /// The same nonces by the time they were made, in milliseconds.
    by_time: BTreeMap<(u64, u64), ()>,
    /// Nonces made up to here are old, whatever their age: their counts may have been forgotten.
    forgotten: Option<u64>,
    most: usize,
}

/// A nonce of ours, read.
struct Made {
    at: u64,
    salt: u64,
}

impl Gate {
    /// `secret` has to be random and its own.
    pub fn new(realm: &'static str, offered: Vec<Algorithm>, secret: &[u8; 32], now: Instant) -> Self {
        let (counts, by_time) = (HashMap::new(), BTreeMap::new());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { realm, offered, key, began: now, counts, by_time, forgotten: None, most: MAX_COUNTED }
    }

    /// The values of `WWW-Authenticate` for someone at `from`, best first. `salt` is to be random.
    pub fn challenges(&self, now: Instant, from: IpAddr, salt: u64, stale: bool) -> Vec<String> {
        let nonce = self.nonce(now, from, salt);
        let stale = if stale { ",stale=true" } else { "" };
        let one = |algorithm: &Algorithm| {
            let realm = quote(self.realm);
            format!("Digest realm={realm},nonce=\"{nonce}\",algorithm={algorithm},qop=\"auth\"{stale}")
        };
        self.offered.iter().map(one).collect()
    }

    /// Checks an answer that came from `from` with a request of this method, for this URI where something rests on it.
    /// `ha1_of` finds the secret of the user for a hash, if there is such a user.
    pub fn check(
        &mut self,
        now: Instant,
        from: IpAddr,
        given: &Credentials,
        (method, target): (&str, Option<&Uri>),
        body: &[u8],
        ha1_of: impl FnOnce(Hash) -> Option<SecretString>,
    ) -> Verdict {
        let Some(made) = self.read_nonce(now, from, &given.nonce) else { return Verdict::Stale };
        // What was not offered is not taken: the weakest would decide (RFC 8760 §3).
        let offered = self.offered.contains(&given.algorithm) && given.realm == self.realm;
        // Else whoever overhears an answer could have it do for another request (RFC 7616 §3.4.6).
        let meant = target.is_none_or(|target| Uri::parse(&given.uri).is_ok_and(|uri| uri.is_same_resource(target)));
        // Made for everybody, so that those who exist are not told apart by being quicker.
        let nobody = self.nobody(&given.user);
        let found = ha1_of(given.algorithm.hash);
        let exists = found.is_some();
        let secret = found.unwrap_or(nobody);
        let expected = response(
            &secret,
            Ingredients {
                algorithm: given.algorithm,
                nonce: &given.nonce,
                cnonce: &given.cnonce,
                nc: &given.nc,
                qop: given.qop,
                method,
                uri: &given.uri,
                body,
            },
        );
        let equal = self.is_equal(expected.as_bytes(), given.response.to_ascii_lowercase().as_bytes());
        if !(equal && exists && offered && meant) {
            return Verdict::Wrong;
        }
        // Without qop there is no count: such a nonce works once.
        self.count(&made, given.count().filter(|_| given.qop.is_some()).unwrap_or(u32::MAX))
    }

    /// A count that is not above the last one was seen before.
    fn count(&mut self, made: &Made, count: u32) -> Verdict {
        match self.counts.get_mut(&made.salt) {
            Some(seen) if *seen >= count => return Verdict::Stale,
            Some(seen) => *seen = count,
            None => {
                while self.counts.len() >= self.most
                    && let Some(((at, salt), ())) = self.by_time.pop_first()
                {
                    self.counts.remove(&salt);
                    self.forgotten = Some(at);
                }
                self.counts.insert(made.salt, count);
                self.by_time.insert((made.at, made.salt), ());
            }
        }
        Verdict::Right
    }

    /// Forgets the counts of nonces that are too old to be taken anyway.
    pub fn sweep(&mut self, now: Instant) {
        let oldest = self.millis(now).saturating_sub(millis(NONCE_LIFE));
        while let Some(((_, salt), ())) = self.by_time.first_key_value().filter(|((at, _), ())| *at < oldest) {
            self.counts.remove(salt);
            self.by_time.pop_first();
        }
    }

    /// Nonces whose counts are held.
    pub fn counted(&self) -> usize {
        self.counts.len()
    }

    fn millis(&self, now: Instant) -> u64 {
        millis(now.saturating_duration_since(self.began))
    }

    fn nonce(&self, now: Instant, from: IpAddr, salt: u64) -> String {
        let mut bytes = self.millis(now).to_be_bytes().to_vec();
        bytes.extend_from_slice(&salt.to_be_bytes());
        let mac = self.mac(&bytes, from);
        bytes.extend_from_slice(&mac.as_ref()[..MAC]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn mac(&self, bytes: &[u8], from: IpAddr) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"nonce");
        context.update(bytes);
        match from.to_canonical() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        context.sign()
    }

    /// A nonce that we made for `from`, and that is not too old.
    fn read_nonce(&self, now: Instant, from: IpAddr, nonce: &str) -> Option<Made> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok().filter(|b| b.len() == TIME + SALT + MAC)?;
        let (made, mac) = bytes.split_at(TIME + SALT);
        if !self.is_equal(&self.mac(made, from).as_ref()[..MAC], mac) {
            return None;
        }
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).ok();
        let (at, salt) = (number(&made[..TIME])?, number(&made[TIME..])?);
        let old = self.millis(now).saturating_sub(at) > millis(NONCE_LIFE)
            || (self.forgotten.is_some_and(|upto| at <= upto) && !self.counts.contains_key(&salt));
        (!old).then_some(Made { at, salt })
    }

    /// What stands for the secret of a user there is not.
    fn nobody(&self, user: &str) -> SecretString {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"nobody");
        context.update(user.as_bytes());
        SecretString::from(hex(context.sign().as_ref()))
    }

    /// Whether two texts are equal, in a time that tells nothing of where they differ: their MACs are
    /// compared, which whoever guesses cannot foresee.
    fn is_equal(&self, a: &[u8], b: &[u8]) -> bool {
        hmac::verify(&self.key, b, hmac::sign(&self.key, a).as_ref()).is_ok()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::super::message::Headers;
    use super::super::client::{Asked, Login, credentials, pick_challenge};
    use super::super::fields::Challenge;
    use super::super::ha1;
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    const REALM: &str = "cordboard";
    const OFFERED: [Algorithm; 2] = [Algorithm::SHA_256, Algorithm::MD5];

    struct Rig {
        clock: TestClock,
        gate: Gate,
        salt: u64,
    }

    fn home() -> IpAddr {
        "192.0.2.7".parse().expect("an address")
    }

    fn login(user: &str, password: &str) -> Login {
        Login { user: user.to_owned(), password: SecretString::from(password.to_owned()), realm: None }
    }

    impl Rig {
        fn new() -> Self {
            let clock = TestClock::at(UtcMs(0));
            let gate = Gate::new(REALM, OFFERED.to_vec(), &[7; 32], clock.instant());
            Self { clock, gate, salt: 0 }
        }

        fn challenge(&mut self, algorithm: Algorithm) -> Challenge {
            self.salt += 1;
            let mut headers = Headers::default();
            for value in self.gate.challenges(self.clock.instant(), home(), self.salt, false) {
                headers.push("WWW-Authenticate", value);
            }
            let all = Challenge::all_in(&headers);
            assert_eq!(pick_challenge(&all, Some(REALM)).map(|c| c.algorithm), Some(Algorithm::SHA_256));
            all.into_iter().find(|c| c.algorithm == algorithm).expect("offered")
        }

        fn check_from(&mut self, from: IpAddr, value: &str) -> Verdict {
            let mut headers = Headers::default();
            headers.push("Authorization", value);
            let given = Credentials::find(&headers, REALM).expect("readable");
            let kims = given.user == "kim";
            self.gate.check(self.clock.instant(), from, &given, ("REGISTER", None), b"", |hash| {
                kims.then(|| ha1(hash, "kim", REALM, &SecretString::from("secret".to_owned())))
            })
        }

        fn check(&mut self, value: &str) -> Verdict {
            self.check_from(home(), value)
        }
    }

    fn answer(challenge: &Challenge, login: &Login, count: u32) -> String {
        credentials(challenge, login, Asked { method: "REGISTER", uri: "sip:h", body: b"" }, "cn", count)
    }

    #[test]
    fn the_right_secret_opens_by_either_algorithm_and_each_count_once() {
        let mut rig = Rig::new();
        for algorithm in OFFERED {
            let challenge = rig.challenge(algorithm);
            let kim = login("kim", "secret");
            assert_eq!(rig.check(&answer(&challenge, &kim, 1)), Verdict::Right);
            assert_eq!(rig.check(&answer(&challenge, &kim, 1)), Verdict::Stale, "replayed");
            assert_eq!(rig.check(&answer(&challenge, &kim, 3)), Verdict::Right);
            assert_eq!(rig.check(&answer(&challenge, &kim, 2)), Verdict::Stale, "an older one");
        }
    }

    #[test]
    fn a_wrong_secret_and_a_user_who_does_not_exist_are_told_the_same() {
        let mut rig = Rig::new();
        let challenge = rig.challenge(Algorithm::SHA_256);
        assert_eq!(rig.check(&answer(&challenge, &login("kim", "guess"), 1)), Verdict::Wrong);
        assert_eq!(rig.check(&answer(&challenge, &login("nobody", "secret"), 1)), Verdict::Wrong);
        assert_eq!(rig.gate.counted(), 0, "guesses leave nothing behind");
        assert_eq!(rig.check(&answer(&challenge, &login("kim", "secret"), 1)), Verdict::Right);
    }

    #[test]
    fn a_nonce_gets_old_and_cannot_be_made_or_taken_elsewhere() {
        let mut rig = Rig::new();
        let kim = login("kim", "secret");
        let challenge = rig.challenge(Algorithm::MD5);
        let elsewhere = "192.0.2.8".parse().expect("an address");
        assert_eq!(rig.check_from(elsewhere, &answer(&challenge, &kim, 1)), Verdict::Stale);
        let mut forged = challenge.clone();
        forged.nonce.replace_range(4..5, if forged.nonce.as_bytes()[4] == b'A' { "B" } else { "A" });
        assert_eq!(rig.check(&answer(&forged, &kim, 1)), Verdict::Stale);
        rig.clock.advance(NONCE_LIFE + Duration::from_millis(1));
        assert_eq!(rig.check(&answer(&challenge, &kim, 1)), Verdict::Stale);
        // Wrong as well, but nothing is told of that.
        assert_eq!(rig.check(&answer(&challenge, &login("kim", "guess"), 1)), Verdict::Stale);
    }

    #[test]
    fn without_qop_a_nonce_works_once() {
        let mut rig = Rig::new();
        let mut challenge = rig.challenge(Algorithm::MD5);
        challenge.qop = None;
        let value = answer(&challenge, &login("kim", "secret"), 1);
        assert_eq!(rig.check(&value), Verdict::Right);
        assert_eq!(rig.check(&value), Verdict::Stale);
    }

    #[test]
    fn an_algorithm_that_was_not_offered_is_not_taken() {
        let mut rig = Rig::new();
        let mut challenge = rig.challenge(Algorithm::MD5);
        challenge.algorithm = Algorithm { hash: Hash::Md5, session: true };
        assert_eq!(rig.check(&answer(&challenge, &login("kim", "secret"), 1)), Verdict::Wrong);
    }

    #[test]
    fn the_table_of_counts_is_bounded_and_forgetting_lets_nothing_be_replayed() {
        let mut rig = Rig::new();
        rig.gate.most = 3;
        let kim = login("kim", "secret");
        let first = rig.challenge(Algorithm::MD5);
        assert_eq!(rig.check(&answer(&first, &kim, 1)), Verdict::Right);
        for _ in 0..3 {
            rig.clock.advance(Duration::from_millis(1));
            let next = rig.challenge(Algorithm::MD5);
            assert_eq!(rig.check(&answer(&next, &kim, 1)), Verdict::Right);
        }
        assert_eq!(rig.gate.counted(), 3);
        assert_eq!(rig.check(&answer(&first, &kim, 1)), Verdict::Stale, "its count is forgotten");
        rig.clock.advance(NONCE_LIFE * 2);
        let now = rig.clock.instant();
        rig.gate.sweep(now);
        assert_eq!(rig.gate.counted(), 0);
    }
}
