//! Whether the service still comes round, as somebody beside it sees who looks now and then. Pure.
//!
//! Counts looks, not time: a machine that was asleep, or a process that was stopped and goes on, has not stood still for whoever
//! slept as long. What always holds: it is never frozen within [`Standstill::new`]'s number of looks after a beat.

/// What a look finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It has come round since the look before, or a few looks ago.
    Alive,
    /// It has not for a while: nobody should vouch for it.
    Still,
    /// It has not for so long that it will not by itself.
    Frozen,
}

/// Looks without a beat before nobody vouches for it any more: one that is late now and then is alive.
const DOUBT_AFTER: u32 = 5;

/// Counts the looks since the last beat.
#[derive(Clone, Copy, Debug)]
pub struct Standstill {
    looks: u32,
    seen: Option<u64>,
    still: u32,
}

impl Standstill {
    /// Frozen after `looks` looks without a beat.
    pub const fn new(looks: u32) -> Self {
        Self { looks, seen: None, still: 0 }
    }

    /// A look: it has beaten `beats` times in all.
    pub fn look(&mut self, beats: u64) -> Found {
        if self.seen.replace(beats) == Some(beats) {
            self.still = self.still.saturating_add(1);
        } else {
            self.still = 0;
        }
        match self.still {
            still if still >= self.looks => Found::Frozen,
            still if still >= DOUBT_AFTER => Found::Still,
            _ => Found::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_beats_now_and_then_is_alive_and_what_does_not_is_frozen_after_so_many_looks() {
        let mut standstill = Standstill::new(30);
        for beats in 0..100 {
            assert_eq!(standstill.look(beats / 4), Found::Alive, "{beats}");
        }
        let found: Vec<Found> = (0..31).map(|_| standstill.look(24)).collect();
        // Three looks at the last beat have been had above.
        assert_eq!(found.iter().position(|found| *found == Found::Still), Some(1));
        assert_eq!(found.iter().position(|found| *found == Found::Frozen), Some(26));
        assert_eq!(standstill.look(25), Found::Alive, "it came round after all");
    }

    #[test]
    fn the_first_look_finds_nothing_wrong() {
        assert_eq!(Standstill::new(1).look(0), Found::Alive);
    }
}
