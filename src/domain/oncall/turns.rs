//! A rotation ready for arithmetic: whose turn it is, and when the next begins. Pure.
//!
//! Nothing is stored per shift: hand-off n is the anchor's wall time plus the lengths before it, so that the past and the
//! future come out of the same configuration. What always holds: hand-offs never go back in time; where a zone skips one, two
//! fall on the same instant and the later counts.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::{Rotation, ShiftLength, ShiftTurn, first_instant};
use crate::base::clock::UtcMs;

/// Hours of a month like any other.
const MONTH_HOURS: i64 = 730;
/// No rotation is further from where its hours put it.
const MAX_WALK: usize = 20_000;

pub(super) struct Turns<'a> {
    turns: &'a [ShiftTurn],
    zone: TimeZone,
    anchor: DateTime,
    /// Months and hours from the anchor to each turn of the first round, and to the second round.
    offsets: Vec<(i64, i64)>,
}

impl<'a> Turns<'a> {
    pub(super) fn of(rotation: &'a Rotation, zone: TimeZone) -> Option<Self> {
        let anchor = rotation.anchor.parse().ok()?;
        let mut offsets = vec![(0, 0)];
        let (mut months, mut hours) = (0_i64, 0_i64);
        for turn in &rotation.turns {
            match turn.length {
                ShiftLength::Hours(n) => hours += i64::from(n),
                ShiftLength::Days(n) => hours += i64::from(n) * 24,
                ShiftLength::Weeks(n) => hours += i64::from(n) * 24 * 7,
                ShiftLength::Months(n) => months += i64::from(n),
            }
            offsets.push((months, hours));
        }
        let usable = !rotation.turns.is_empty() && rotation.turns.iter().all(|turn| turn.length.lasts());
        usable.then_some(Self { turns: &rotation.turns, zone, anchor, offsets })
    }

    /// Whose turn it is at `at`.
    pub(super) fn turn_at(&self, at: UtcMs) -> Option<&'a ShiftTurn> {
        let place = self.number_at(at)?.rem_euclid(self.len());
        self.turns.get(usize::try_from(place).ok()?)
    }

    /// The first hand-off later than `after`; none where one has the only turn, which never ends.
    pub(super) fn next_hand_off(&self, after: UtcMs) -> Option<UtcMs> {
        if self.turns.len() == 1 {
            return None;
        }
        self.hand_off(self.number_at(after)? + 1)
    }

    /// When the turn with this number begins.
    pub(super) fn hand_off(&self, number: i64) -> Option<UtcMs> {
        let (round, place) = (number.div_euclid(self.len()), number.rem_euclid(self.len()));
        let (round_months, round_hours) = *self.offsets.last()?;
        let (months, hours) = *self.offsets.get(usize::try_from(place).ok()?)?;
        let months = round.checked_mul(round_months)?.checked_add(months)?;
        let hours = round.checked_mul(round_hours)?.checked_add(hours)?;
        let civil = self.anchor.checked_add(Span::new().try_months(months).ok()?).ok()?;
        first_instant(&self.zone, civil.checked_add(SignedDuration::from_hours(hours)).ok()?)
    }

    /// The number of the turn that has begun last at `at`; negative before the anchor.
    pub(super) fn number_at(&self, at: UtcMs) -> Option<i64> {
        let civil = self.zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?);
        let hours = civil.duration_since(self.anchor).as_hours();
        let (round_months, round_hours) = *self.offsets.last()?;
        let round = (round_months * MONTH_HOURS + round_hours).max(1);
        // Zones shift civil time by hours and months differ by days: the guess is off by some turns.
        let mut number = hours.div_euclid(round) * self.len() + 1;
        let mut walked = 0;
        while self.hand_off(number + 1)? <= at {
            number += 1;
            walked += 1;
            if walked > MAX_WALK {
                return None;
            }
        }
        while self.hand_off(number)? > at {
            number -= 1;
            walked += 1;
            if walked > MAX_WALK {
                return None;
            }
        }
        Some(number)
    }

    fn len(&self) -> i64 {
        i64::try_from(self.turns.len()).unwrap_or(i64::MAX)
    }
}

impl ShiftLength {
    /// It lasts at all.
    pub const fn lasts(self) -> bool {
        match self {
            Self::Hours(n) | Self::Days(n) | Self::Weeks(n) | Self::Months(n) => n > 0,
        }
    }

    /// In words: "2 weeks".
    pub fn words(self) -> String {
        let (n, unit) = match self {
            Self::Hours(n) => (n, "hour"),
            Self::Days(n) => (n, "day"),
            Self::Weeks(n) => (n, "week"),
            Self::Months(n) => (n, "month"),
        };
        format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
    }
}
