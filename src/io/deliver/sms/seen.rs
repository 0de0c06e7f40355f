//! Which texts over SMPP are the same one come again: it has no names for texts that come in, so they are given some here.
//!
//! In memory alone, kept by `smpp`'s link, one for each carrier.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use rusmpp::pdus::DeliverSm;

use super::smpp::{ASK_EVERY, ASKED_WITHIN};
use crate::base::clock::{Clock as _, SystemClock};

/// A carrier sends again what it got no answer to, over the next connection: so long that is looked for.
const AGAIN_WITHIN: Duration = Duration::from_secs(10 * 60);
const MOST_SEEN: usize = 4_096;

/// Names for texts that came in: SMPP has none. A text that comes again over the next connection, as it got no answer, has the
/// name it had, so that it counts once.
pub(super) struct Seen {
    /// Of this start of the process.
    start: String,
    session: u32,
    count: u64,
    texts: VecDeque<SeenText>,
}

struct SeenText {
    hash: [u8; 32],
    at: Instant,
    session: u32,
    answered: Option<Instant>,
    name: String,
}

impl Seen {
    pub(super) const fn new(start: String) -> Self {
        Self { start, session: 0, count: 0, texts: VecDeque::new() }
    }

    pub(super) fn next_session(&mut self) {
        self.session += 1;
    }

    /// The connection is found lost. What was answered long before has its answer: the same words after it are another text.
    pub(super) fn lost(&mut self, now: Instant) {
        let doubtful = ASK_EVERY + ASKED_WITHIN;
        self.texts.retain(|text| text.answered.is_none_or(|at| now.duration_since(at) <= doubtful));
    }

    pub(super) fn name(&mut self, deliver: &DeliverSm, octets: &[u8]) -> String {
        let whole =
            [deliver.source_addr.as_ref(), deliver.destination_addr.as_ref(), &[u8::from(deliver.esm_class)], octets]
                .concat();
        let hash: [u8; 32] = digest(&SHA256, &whole).as_ref().try_into().expect("SHA-256 gives 32 octets");
        self.name_at(SystemClock.instant(), hash)
    }

    fn name_at(&mut self, now: Instant, hash: [u8; 32]) -> String {
        while self.texts.front().is_some_and(|text| now.duration_since(text.at) > AGAIN_WITHIN) {
            self.texts.pop_front();
        }
        // The last of before may have been answered, and the answer lost with the connection.
        let session = self.session;
        let again =
            self.texts.iter().position(|text| text.hash == hash && (text.session < session || text.answered.is_none()));
        let name = match again.and_then(|at| self.texts.remove(at)) {
            Some(text) => text.name,
            None => {
                self.count += 1;
                format!("{}:{}", self.start, self.count)
            }
        };
        if self.texts.len() == MOST_SEEN {
            self.texts.pop_front();
        }
        self.texts.push_back(SeenText { hash, at: now, session, answered: None, name: name.clone() });
        name
    }

    /// The last one was answered.
    pub(super) fn answered(&mut self, now: Instant) {
        if let Some(text) = self.texts.back_mut() {
            text.answered = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_has_its_name_and_one_that_was_sent_twice_has_another() {
        let now = SystemClock.instant();
        let mut seen = Seen::new("s".into());
        seen.next_session();
        let first = seen.name_at(now, [1; 32]);
        seen.answered(now);
        let second = seen.name_at(now, [1; 32]);
        assert_ne!(first, second, "STOP, START and STOP are three");
        assert_eq!(seen.name_at(now, [1; 32]), second, "it could not be stored, and comes again");
        seen.answered(now);
        seen.lost(now + Duration::from_secs(1));
        seen.next_session();
        let again = seen.name_at(now, [1; 32]);
        assert!([&first, &second].contains(&&again), "its answer was lost with the connection");
        seen.answered(now);
        seen.lost(now + Duration::from_secs(300));
        seen.next_session();
        let other = seen.name_at(now + Duration::from_secs(301), [1; 32]);
        assert!(
            ![&first, &second].contains(&&other),
            "the yes to another message, minutes after the first was answered"
        );
        let late = now + AGAIN_WITHIN + Duration::from_secs(1);
        seen.next_session();
        assert!(![first, second].contains(&seen.name_at(late, [1; 32])));
    }
}
