//! Trunks whose carrier answers and takes no calls of ours, and the alarm for them: an account that is suspended, a login
//! that is wrong. 403 is said of single numbers as well, so it takes several in a row to count.
//!
//! Pure but for the alarm. What always holds: one call that a carrier takes, or refuses for the called party's sake,
//! and it is a good trunk again.

use std::collections::BTreeMap;

use super::Carrier;
use super::alarms::{Alarms, REFUSING};
use super::watch::Fault;
use crate::engine::feed::AlarmLevel;
use crate::proto::sip::hunt::{Blame, blame};

/// So many calls in a row that were forbidden, and it is not the number.
const FORBIDDEN: u32 = 3;

#[derive(Clone, Copy, Debug)]
struct Row {
    status: u16,
    calls: u32,
}

/// Who refuses, and how often in a row.
#[derive(Debug, Default)]
pub(super) struct Refusing {
    rows: BTreeMap<usize, Row>,
}

impl Refusing {
    /// A trunk's final answer to a call of ours. The fault that makes others go first for a while, as far as is known.
    pub(super) fn answered(&mut self, trunk: usize, status: u16) -> Option<Fault> {
        match blame(status) {
            // Not a word of the carrier's about us, one way or the other.
            Blame::Way => return Some(Fault::Server),
            Blame::Terms => return None,
            Blame::CalledParty => {
                self.rows.remove(&trunk);
                return None;
            }
            Blame::Account | Blame::AccountOrNumber => {}
        }
        let row = self.rows.entry(trunk).or_insert(Row { status, calls: 0 });
        *row = Row { status, calls: row.calls.saturating_add(1) };
        self.refuses(trunk).then_some(Fault::Account)
    }

    /// A trunk takes a call.
    pub(super) fn took(&mut self, trunk: usize) {
        self.rows.remove(&trunk);
    }

    /// Somebody has seen to it: it is looked at anew.
    pub(super) fn seen_to(&mut self) {
        self.rows.clear();
    }

    fn refuses(&self, trunk: usize) -> bool {
        self.rows.get(&trunk).is_some_and(|row| blame(row.status) == Blame::Account || row.calls >= FORBIDDEN)
    }

    /// Says who refuses now.
    pub(super) fn tell(&self, carriers: &[Carrier], alarms: &Alarms) {
        let names: Vec<String> = self
            .rows
            .iter()
            .filter(|(trunk, _)| self.refuses(**trunk))
            .filter_map(|(trunk, row)| Some(format!("{} ({})", carriers.get(*trunk)?.name, row.status)))
            .collect();
        if names.is_empty() {
            return alarms.take_back(REFUSING);
        }
        let all = names.len() == carriers.len();
        let level = if all { AlarmLevel::Critical } else { AlarmLevel::Warning };
        let others = if all { "No other trunk is left" } else { "Calls go out over the others" };
        alarms.raise(
            REFUSING,
            level,
            format!(
                "The carrier refuses every call that goes out over {}. {others}. Look at the account there, and at \
                 `login`, `password_file` and `caller_ids`.",
                names.join(", ")
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_account_counts_at_once_and_a_forbidden_number_after_three_in_a_row() {
        let mut refusing = Refusing::default();
        for status in [401, 402, 407] {
            assert_eq!(refusing.answered(0, status), Some(Fault::Account), "{status}");
            refusing.took(0);
        }
        let told = [403, 403, 486, 403, 488, 403, 403].map(|status| refusing.answered(0, status));
        assert_eq!(told[..6], [None; 6], "a busy line lies between");
        assert_eq!(told[6], Some(Fault::Account), "a word about our offer does not");
        assert_eq!(refusing.answered(0, 503), Some(Fault::Server), "not about us");
        assert!(refusing.refuses(0), "and no reason to trust it again");
        refusing.seen_to();
        assert_eq!(refusing.answered(0, 403), None);
        assert_eq!(refusing.answered(1, 403), None, "each for itself");
    }
}
