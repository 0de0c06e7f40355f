//! What makes a chain of the audit log: each row's hash is over all that it holds and over the hash of the row before, and
//! the end of the chain has a seal of its own.
//!
//! The hashes are keyed (HMAC-SHA256) with a key drawn from the house's, which is outside the database: whoever can write the
//! database alone can neither make a row nor move the end.

use ring::hmac;

use crate::base::clock::UtcMs;

use super::AuditRow;

/// Bytes of a hash, and of a seal.
pub const HASH_BYTES: usize = 32;

/// A place in the chain: its end, or where it was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Of the last row before it; 0: there was none yet.
    pub number: i64,
    pub at: UtcMs,
    pub hash: Vec<u8>,
    pub seal: Vec<u8>,
}

impl Mark {
    /// Where every chain begins.
    pub const fn beginning() -> Self {
        Self { number: 0, at: UtcMs(0), hash: Vec::new(), seal: Vec::new() }
    }

    /// A place in the chain under its seal.
    pub fn sealed(key: &hmac::Key, name: &str, number: i64, at: UtcMs, hash: Vec<u8>) -> Self {
        let mut mark = Self { number, at, hash, seal: Vec::new() };
        mark.seal = mark.signing(key, name).sign().as_ref().to_vec();
        mark
    }

    /// Whether its seal is ours.
    pub fn is_ours(&self, key: &hmac::Key, name: &str) -> bool {
        *self == Self::beginning() || same(self.signing(key, name).sign().as_ref(), &self.seal)
    }

    fn signing(&self, key: &hmac::Key, name: &str) -> hmac::Context {
        let mut context = hmac::Context::with_key(key);
        context.update(b"mark");
        for part in [name.as_bytes(), &self.hash] {
            write(&mut context, part);
        }
        context.update(&self.number.to_be_bytes());
        context.update(&self.at.0.to_be_bytes());
        context
    }
}

/// The hash of a row, whatever stands in it as its hash.
pub fn hash(key: &hmac::Key, row: &AuditRow) -> Vec<u8> {
    let mut context = hmac::Context::with_key(key);
    context.update(b"row");
    context.update(&row.number.to_be_bytes());
    context.update(&row.at.0.to_be_bytes());
    for part in [&row.before, row.who.as_bytes(), row.act.as_bytes(), row.object.as_bytes()] {
        write(&mut context, part);
    }
    context.sign().as_ref().to_vec()
}

/// With its length before it, so that what moves from one part to the next makes another hash.
fn write(context: &mut hmac::Context, part: &[u8]) {
    context.update(&(part.len() as u64).to_be_bytes());
    context.update(part);
}

/// Whoever tries seals learns nothing by how long it took.
fn same(ours: &[u8], theirs: &[u8]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).fold(0, |found, (a, b)| found | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[secret; 32])
    }

    fn row() -> AuditRow {
        AuditRow {
            number: 7,
            at: UtcMs(1_772_866_800_000),
            who: "usr_kim".into(),
            act: "message.read".into(),
            object: "msg_1".into(),
            before: vec![1; HASH_BYTES],
            hash: Vec::new(),
        }
    }

    #[test]
    fn whatever_is_changed_in_a_row_changes_its_hash() {
        let whole = hash(&key(1), &row());
        let changes: [fn(&mut AuditRow); 7] = [
            |row| row.number += 1,
            |row| row.at = row.at.plus_ms(1),
            |row| row.who.push('x'),
            |row| row.act = "message.listed".into(),
            |row| row.object.clear(),
            |row| row.before[31] ^= 1,
            // What moves from one part to the next.
            |row| {
                row.who.push_str("mes");
                row.act = "sage.read".into();
            },
        ];
        for change in changes {
            let mut changed = row();
            change(&mut changed);
            assert_ne!(hash(&key(1), &changed), whole, "{changed:?}");
        }
        assert_ne!(hash(&key(2), &row()), whole, "and nobody makes one without the key");
    }

    #[test]
    fn the_end_of_the_chain_cannot_be_moved_without_the_key() {
        let end = Mark::sealed(&key(1), "head", 7, UtcMs(5), vec![3; HASH_BYTES]);
        assert!(end.is_ours(&key(1), "head"));
        assert!(!end.is_ours(&key(2), "head"));
        assert!(!end.is_ours(&key(1), "cut"), "the end is no place where it was cut off");
        assert!(!Mark { number: 6, ..end.clone() }.is_ours(&key(1), "head"));
        assert!(!Mark { seal: Vec::new(), ..end }.is_ours(&key(1), "head"));
        assert!(Mark::beginning().is_ours(&key(1), "head"), "nothing was written yet");
    }
}
