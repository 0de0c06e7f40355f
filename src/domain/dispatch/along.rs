//! Which attempts a provider means by the name that it gave to what it took: one, or several that left in one text or email.
//!
//! Pure; `engine/dispatcher` asks when a receipt or a bounce has come in. What always holds: a name that a provider gives anew after a
//! while means what it was given to last, and nothing of before.

use super::state::Attempt;
use crate::base::id::DispatchId;

/// Of attempts that a provider knows by one name, those of the delivery that had it last.
pub fn pick_last(mut named: Vec<(DispatchId, Attempt)>) -> Vec<(DispatchId, Attempt)> {
    let last = named.iter().max_by_key(|(_, attempt)| attempt.accepted_at.or(attempt.handed_at));
    if let Some((own, along)) = last.map(|(_, attempt)| (attempt.id.clone(), attempt.along.clone())) {
        named.retain(|(_, attempt)| attempt.id == own || (along.is_some() && attempt.along == along));
    }
    named
}

/// All of a delivery is on record: what came of several is written down in more than one commit, it may be.
pub fn is_whole(delivery: &[(DispatchId, Attempt)]) -> bool {
    let of = delivery.first().map(|(_, attempt)| usize::try_from(attempt.along_of).unwrap_or(usize::MAX));
    of.is_some_and(|of| delivery.len() >= of)
}
