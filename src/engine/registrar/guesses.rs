//! Guessing of desk phones' secrets: who is listened to, and who has failed too often.
//!
//! A source that has failed too often is not listened to for a while, whoever it names. A user who is being
//! guessed at is heard only from sources that have not failed lately. Neither ever locks out the true phone:
//! one that was right before is heard from its address, whatever others do in its name or beside it. Pure
//! and bounded.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Failures of one source at once, and how long one is remembered.
const BY_SOURCE: Limit = Limit { most: 10, each: Duration::from_secs(30) };
/// Failures in the name of one user, from wherever.
const BY_USER: Limit = Limit { most: 30, each: Duration::from_secs(60) };
/// Failures of a source that was right for the user before: a phone whose secret was changed.
const BY_KNOWN: Limit = Limit { most: 10, each: Duration::from_secs(10) };
/// How long a source that was right counts as the user's own.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Entries of each table.
const MOST: usize = 10_000;
/// Longest name that is told apart from others.
const NAME: usize = 64;

struct Limit {
    most: u32,
    each: Duration,
}

/// Failures that drain away with time.
#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    at: Instant,
}

impl Failures {
    fn left(self, now: Instant, limit: &Limit) -> u32 {
        let drained = now.saturating_duration_since(self.at).as_millis() / limit.each.as_millis().max(1);
        self.count.saturating_sub(u32::try_from(drained).unwrap_or(u32::MAX))
    }
}

/// Who has failed, and who was right.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    by_source: HashMap<IpAddr, Failures>,
    by_user: HashMap<String, Failures>,
    by_known: HashMap<(String, IpAddr), Failures>,
    right: HashMap<(String, IpAddr), Instant>,
    /// Names that are not heard for now, and of which that was said.
    told: HashSet<String>,
}

impl Guesses {
    /// Whether this source may try in this user's name now.
    pub(super) fn allows(&self, now: Instant, from: IpAddr, user: &str) -> bool {
        let (from, user) = (network_of(from), name_of(user));
        let pair = (user, from);
        if self.right.get(&pair).is_some_and(|at| now.saturating_duration_since(*at) < KNOWN_FOR) {
            return left(&self.by_known, &pair, now, &BY_KNOWN) < BY_KNOWN.most;
        }
        let of_source = left(&self.by_source, &from, now, &BY_SOURCE);
        let guessed_at = left(&self.by_user, &pair.0, now, &BY_USER) >= BY_USER.most;
        if guessed_at { of_source == 0 } else { of_source < BY_SOURCE.most }
    }

    /// Of a name that is somebody's: whether it is news that it is not heard from there. Until it was right again.
    pub(super) fn is_news(&mut self, user: &str) -> bool {
        if self.told.len() >= MOST {
            self.told.clear();
        }
        self.told.insert(user.to_owned())
    }

    pub(super) fn failed(&mut self, now: Instant, from: IpAddr, user: &str) {
        let (from, user) = (network_of(from), name_of(user));
        let pair = (user, from);
        if self.right.contains_key(&pair) {
            return add(&mut self.by_known, pair, now, &BY_KNOWN);
        }
        add(&mut self.by_source, from, now, &BY_SOURCE);
        add(&mut self.by_user, pair.0, now, &BY_USER);
    }

    pub(super) fn succeeded(&mut self, now: Instant, from: IpAddr, user: &str) {
        self.told.remove(user);
        let pair = (name_of(user), network_of(from));
        if self.right.len() >= MOST && !self.right.contains_key(&pair) {
            self.right.retain(|_, at| now.saturating_duration_since(*at) < KNOWN_FOR);
        }
        // More phones than that are heard as strangers are.
        if self.right.len() < MOST || self.right.contains_key(&pair) {
            self.right.insert(pair, now);
        }
    }

    /// Forgets what has drained away.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.by_source.retain(|_, f| f.left(now, &BY_SOURCE) > 0);
        self.by_user.retain(|_, f| f.left(now, &BY_USER) > 0);
        self.by_known.retain(|_, f| f.left(now, &BY_KNOWN) > 0);
        self.right.retain(|_, at| now.saturating_duration_since(*at) < KNOWN_FOR);
    }
}

fn left<K: Hash + Eq>(table: &HashMap<K, Failures>, key: &K, now: Instant, limit: &Limit) -> u32 {
    table.get(key).map_or(0, |f| f.left(now, limit))
}

/// One more. In a full table the one that has failed least lately makes room.
fn add<K: Hash + Eq + Clone>(table: &mut HashMap<K, Failures>, key: K, now: Instant, limit: &Limit) {
    if table.len() >= MOST && !table.contains_key(&key) {
        let least = table.iter().min_by_key(|(_, f)| (f.left(now, limit), f.at)).map(|(key, _)| key.clone());
        if let Some(least) = least {
            table.remove(&least);
        }
    }
    let count = left(table, &key, now, limit).saturating_add(1).min(limit.most * 2);
    table.insert(key, Failures { count, at: now });
}

/// A source: an address, or what one household has of IPv6.
fn network_of(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

fn name_of(user: &str) -> String {
    user.chars().take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    fn source(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0xC000_0200 + n).into()
    }

    #[test]
    fn a_source_that_guesses_is_not_listened_to_for_a_while() {
        let (mut guesses, clock) = (Guesses::default(), TestClock::at(UtcMs(0)));
        for n in 0..BY_SOURCE.most {
            assert!(guesses.allows(clock.instant(), source(1), &format!("user{n}")));
            guesses.failed(clock.instant(), source(1), &format!("user{n}"));
        }
        assert!(!guesses.allows(clock.instant(), source(1), "kim"));
        assert!(guesses.is_news("kim") && !guesses.is_news("kim"));
        assert!(guesses.allows(clock.instant(), source(2), "kim"));
        guesses.succeeded(clock.instant(), source(2), "kim");
        assert!(guesses.is_news("kim"), "the next time");
        clock.advance(BY_SOURCE.each);
        assert!(guesses.allows(clock.instant(), source(1), "kim"));
        guesses.failed(clock.instant(), source(1), "kim");
        assert!(!guesses.allows(clock.instant(), source(1), "kim"), "one at a time from then on");
    }

    #[test]
    fn a_user_guessed_at_from_everywhere_is_still_heard_from_home_and_from_a_new_place() {
        let (mut guesses, clock) = (Guesses::default(), TestClock::at(UtcMs(0)));
        let now = clock.instant();
        guesses.succeeded(now, source(1), "kim");
        for n in 0..BY_USER.most * 2 {
            guesses.failed(now, source(10 + n), "kim");
        }
        assert!(!guesses.allows(now, source(10), "kim"), "it has had its guess");
        assert!(guesses.allows(now, source(1), "kim"), "her own phone");
        assert!(guesses.allows(now, source(200), "kim"), "her phone in another office");
        // A neighbour behind the same address guesses at others: that is not her fault.
        for n in 0..BY_SOURCE.most {
            guesses.failed(now, source(1), &format!("user{n}"));
        }
        assert!(guesses.allows(now, source(1), "kim"));
        assert!(!guesses.allows(now, source(1), "lee"));
    }

    #[test]
    fn the_tables_are_bounded_and_empty_themselves() {
        let (mut guesses, clock) = (Guesses::default(), TestClock::at(UtcMs(0)));
        for n in 0..u32::try_from(MOST).expect("few") + 50 {
            guesses.failed(clock.instant(), source(n), &format!("user{n}"));
        }
        assert_eq!((guesses.by_source.len(), guesses.by_user.len()), (MOST, MOST));
        clock.advance(BY_USER.each);
        guesses.sweep(clock.instant());
        assert_eq!((guesses.by_source.len(), guesses.by_user.len()), (0, 0));
    }
}
