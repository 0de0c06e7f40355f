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

    /// The order in which to try what has these priorities and weights: lower priorities first; among equals at
    /// random, the first place going by weight (RFC 2782, "Weight"). Weight 0 is seldom first among heavier ones.
    pub fn weighted_order(&mut self, items: &[(u16, u16)]) -> Vec<usize> {
        let mut left: Vec<usize> = (0..items.len()).collect();
        left.sort_by_key(|at| items[*at].0);
        let mut order = Vec::with_capacity(left.len());
        while let Some(first) = left.first() {
            let priority = items[*first].0;
            let equals = left.iter().take_while(|at| items[**at].0 == priority).count();
            // Tenths of a weight, so that 0 is not never.
            let share = |at: &usize| if items[*at].1 == 0 { 1 } else { 10 * u64::from(items[*at].1) };
            let mut drawn = self.below(left[..equals].iter().map(share).sum());
            let mut pick = 0;
            while drawn >= share(&left[pick]) {
                drawn -= share(&left[pick]);
                pick += 1;
            }
            order.push(left.remove(pick));
        }
        order
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

    #[test]
    fn order_goes_by_priority_and_within_it_by_weight() {
        let items = [(20, 1), (10, 3), (10, 1), (30, 0), (10, 0)];
        let (mut rng, mut first) = (Rng::seeded(1), [0; 5]);
        for _ in 0..4_000 {
            let order = rng.weighted_order(&items);
            first[order[0]] += 1;
            assert_eq!(order[3..], [0, 3], "a higher number comes later, always");
            let mut all = order.clone();
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3, 4]);
        }
        assert!((2_700..3_100).contains(&first[1]), "three in four: {first:?}");
        assert!((850..1_150).contains(&first[2]), "one in four: {first:?}");
        assert!((20..250).contains(&first[4]), "seldom: {first:?}");
        assert_eq!(rng.weighted_order(&[]), Vec::<usize>::new());
    }
}
