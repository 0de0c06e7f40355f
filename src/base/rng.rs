//! Randomness: a seeded generator for machines ([`Rng`]), the system's source for secrets ([`secure_bytes`]).

use ring::rand::{SecureRandom, SystemRandom};

/// A small, fast, seedable generator (SplitMix64). Replays from its seed; not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A generator that always gives the same sequence for `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator seeded by the system.
    pub fn from_system() -> Self {
        Self::seeded(u64::from_le_bytes(secure_bytes()))
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// A token of `len` lower-case letters and digits, as SIP tags and branches use.
    pub fn token(&mut self, len: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        (0..len).map(|_| char::from(ALPHABET[(self.next_u64() >> 59) as usize])).collect()
    }
}

/// `N` bytes from the system's random source, for keys, tokens and seeds.
pub fn secure_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's random source answers on every platform we run on");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_replays() {
        let (mut a, mut b) = (Rng::seeded(7), Rng::seeded(7));
        assert_eq!(a.token(20), b.token(20));
        assert_ne!(a.token(20), Rng::seeded(8).token(20));
    }
}
