//! Schedules out of seeds, against a second implementation that knows no calendar arithmetic: it looks at a zone's clock every five
//! minutes. In every zone there is, over the change of its clocks.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::spans::{final_spans, layer_spans};
use super::{
    Layer, Override, OverrideAct, Rotation, Schedule, ShiftLength, ShiftTurn, Temporary, TemporaryShift, Window,
    resolve,
};
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, OverrideId, ScheduleId};
use crate::base::rng::Rng;
use crate::domain::account::hours::{Span, Weekday};

const STEP_MS: i64 = 5 * 60_000;
const DAY_MS: i64 = 86_400_000;
const PEOPLE: [&str; 4] = ["a", "b", "c", "d"];
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// What the clock of a zone shows every five minutes.
struct Wall {
    from: UtcMs,
    shown: Vec<DateTime>,
}

impl Wall {
    fn of(zone: &TimeZone, from: UtcMs, days: i64) -> Self {
        let shown = (0..days * DAY_MS / STEP_MS).map(|n| {
            let at = Timestamp::from_millisecond(from.0 + n * STEP_MS).expect("in range");
            zone.to_datetime(at)
        });
        Self { from, shown: shown.collect() }
    }

    fn at(&self, n: usize) -> UtcMs {
        self.from.plus_ms(i64::try_from(n).expect("small") * STEP_MS)
    }

    /// When it first shows this, or more.
    fn first(&self, civil: DateTime) -> usize {
        self.shown.iter().position(|shown| *shown >= civil).unwrap_or(self.shown.len())
    }

    /// When it shows this for the last time; if it never does, when it shows more.
    fn last(&self, civil: DateTime) -> usize {
        match self.shown.iter().rposition(|shown| *shown <= civil) {
            Some(n) if self.shown[n] == civil => n,
            Some(n) => n + 1,
            None => 0,
        }
    }

    /// Who is on call by a layer at each of its instants.
    fn layer(&self, layer: &Layer) -> Vec<Vec<ContactId>> {
        let mut on = vec![Vec::new(); self.shown.len()];
        let mut civil: DateTime = layer.rotation.anchor.parse().expect("a civil time");
        let mut turns = layer.rotation.turns.iter().cycle();
        while self.first(civil) < on.len() {
            let turn = turns.next().expect("it goes round");
            let hours = match turn.length {
                ShiftLength::Hours(n) => n,
                ShiftLength::Days(n) => n * 24,
                ShiftLength::Weeks(n) => n * 168,
                ShiftLength::Months(_) => unreachable!("none is made here"),
            };
            let next = civil + SignedDuration::from_hours(i64::from(hours));
            on[self.first(civil)..self.first(next)].fill(turn.people.clone());
            civil = next;
        }
        if layer.windows.is_empty() {
            return on;
        }
        let mut open = vec![false; on.len()];
        let mut date = self.shown[0].date().yesterday().expect("in range");
        while date <= self.shown[self.shown.len() - 1].date() {
            for window in layer.windows.iter().filter(|w| w.days.iter().any(|d| d.as_civil() == date.weekday())) {
                let (from, until) = window.span.times().expect("times of the day");
                let ends = if until <= from { date.tomorrow().expect("in range") } else { date };
                let (from, until) = (self.first(date.to_datetime(from)), self.last(ends.to_datetime(until)));
                if from < until {
                    open[from..until.min(on.len())].fill(true);
                }
            }
            date = date.tomorrow().expect("in range");
        }
        on.iter_mut().zip(open).filter(|(_, open)| !open).for_each(|(on, _)| on.clear());
        on
    }
}

fn add(people: &mut Vec<ContactId>, more: &[ContactId]) {
    for person in more {
        if !people.contains(person) {
            people.push(person.clone());
        }
    }
}

/// Who is on call at an instant, given what each layer says then.
fn naive(schedule: &Schedule, layers: &[Vec<ContactId>], at: UtcMs) -> Vec<ContactId> {
    let mut people = Vec::new();
    let covering = schedule.temporary.iter().find(|plan| (plan.from..plan.until).contains(&at));
    if let Some(plan) = covering {
        for shift in plan.shifts.iter().filter(|shift| (shift.from..shift.until).contains(&at)) {
            add(&mut people, std::slice::from_ref(&shift.contact));
        }
    } else {
        let mut levels: BTreeMap<usize, Vec<ContactId>> = BTreeMap::new();
        let mut level = 0;
        for (n, (layer, on)) in schedule.layers.iter().zip(layers).enumerate() {
            level += usize::from(n > 0 && !layer.beside);
            add(levels.entry(level).or_default(), on);
        }
        people = levels.into_values().rev().find(|people| !people.is_empty()).unwrap_or_default();
    }
    for over in schedule.overrides.iter().filter(|over| (over.from..over.until).contains(&at)) {
        match &over.act {
            OverrideAct::Only { contact } => people = vec![contact.clone()],
            OverrideAct::Add { contact } => add(&mut people, std::slice::from_ref(contact)),
            OverrideAct::Remove { contact } => people.retain(|person| person != contact),
            OverrideAct::Replace { contact, instead_of } => {
                if people.contains(instead_of) {
                    let there = people.contains(contact) && contact != instead_of;
                    people.retain(|person| !there || person != instead_of);
                    people.iter_mut().filter(|person| *person == instead_of).for_each(|p| *p = contact.clone());
                }
            }
        }
    }
    if people.is_empty() { schedule.fallback.iter().cloned().collect() } else { people }
}

struct Maker(Rng);

impl Maker {
    fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    fn some(&mut self, n: usize) -> usize {
        usize::try_from(self.below(u64::try_from(n).expect("small"))).expect("small")
    }

    fn person(&mut self) -> ContactId {
        let n = self.some(PEOPLE.len());
        ContactId::named(PEOPLE[n])
    }

    fn layer(&mut self, first: DateTime, n: usize) -> Layer {
        let turns = (0..=self.some(4)).map(|_| {
            let people = (0..self.some(3)).map(|_| self.person()).collect::<std::collections::BTreeSet<_>>();
            let length = match self.below(4) {
                0 => ShiftLength::Hours(5 + u32::try_from(self.below(30)).expect("small")),
                1 => ShiftLength::Weeks(1),
                _ => ShiftLength::Days(1 + u32::try_from(self.below(2)).expect("small")),
            };
            ShiftTurn { people: people.into_iter().collect(), length }
        });
        let turns: Vec<_> = turns.collect();
        let clock = |maker: &mut Self| format!("{:02}:{:02}", maker.below(5), 30 * maker.below(2));
        let windows = (0..self.some(3)).map(|_| {
            let days = WEEK.into_iter().filter(|_| self.below(3) > 0).collect();
            let until = if self.below(2) == 0 { clock(&mut *self) } else { "18:00".to_owned() };
            Window { days, span: Span { from: clock(&mut *self), until } }
        });
        let windows: Vec<_> = windows.collect();
        let anchor = format!("{}T0{}:{}0", first.date(), self.below(4), 3 * self.below(2));
        let beside = self.below(3) == 0;
        Layer { windows, beside, ..Layer::plain(&format!("layer {n}"), Rotation { anchor, turns }) }
    }

    fn time(&mut self, from: UtcMs) -> (UtcMs, UtcMs) {
        let begins = from.plus_ms(i64::try_from(self.below(700)).expect("small") * STEP_MS);
        (begins, begins.plus_ms(i64::try_from(1 + self.below(400)).expect("small") * STEP_MS))
    }

    fn schedule(&mut self, zone: &str, wall: &Wall) -> Schedule {
        let (id, account) = (ScheduleId::named("s"), AccountId::named("a"));
        let mut schedule = Schedule::blank(id, account, "technician".into(), zone.to_owned());
        schedule.layers = (0..self.some(4)).map(|n| self.layer(wall.shown[0], n)).collect();
        let start = wall.from.plus_ms(2 * DAY_MS);
        for n in 0..self.some(4) {
            let (contact, instead_of) = (self.person(), self.person());
            let act = match self.below(4) {
                0 => OverrideAct::Only { contact },
                1 => OverrideAct::Add { contact },
                2 => OverrideAct::Remove { contact },
                _ => OverrideAct::Replace { contact, instead_of },
            };
            let (from, until) = self.time(start);
            let (id, made_at) = (OverrideId::named(&format!("o{n}")), UtcMs(i64::try_from(n).expect("small")));
            schedule.overrides.push(Override { id, act, from, until, by: "x".into(), made_at, note: String::new() });
        }
        if self.below(4) == 0 {
            let (from, until) = self.time(start);
            let shifts = (0..self.some(3)).map(|_| {
                let (begins, ends) = self.time(start);
                TemporaryShift { contact: self.person(), from: begins.max(from), until: ends.min(until) }
            });
            let shifts = shifts.filter(|shift| shift.from < shift.until).collect();
            let (name, by) = ("storm".to_owned(), "x".to_owned());
            schedule.temporary.push(Temporary { name, from, until, shifts, by, made_at: UtcMs(0) });
        }
        schedule.fallback = (self.below(3) == 0).then(|| self.person());
        schedule
    }
}

#[test]
fn every_instant_has_exactly_the_set_that_the_layers_imply_in_every_zone_over_the_change_of_its_clocks() {
    let only: Option<u64> = std::env::var("CORDBOARD_ONCALL_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut zones: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    zones.sort();
    assert!(zones.len() > 400, "the zones are there");
    let year = "2026-01-15T00:00:00Z".parse::<Timestamp>().expect("a timestamp");
    let (mut changed, mut looked, mut gaps, mut several) = (0, 0, 0, 0);
    for (seed, zone_name) in (0..).zip(&zones) {
        if only.is_some_and(|only| only != seed) {
            continue;
        }
        let Ok(zone) = TimeZone::get(zone_name) else { continue };
        let mut maker = Maker(Rng::seeded(seed));
        let skipped = usize::try_from(seed % 2).expect("small");
        let change = zone.following(year).nth(skipped).map(|change| change.timestamp());
        changed += usize::from(change.is_some());
        let middle = change.unwrap_or(year).as_millisecond().div_euclid(STEP_MS) * STEP_MS;
        // Anchors are two days before what is looked at, on the clock's first day.
        let wall = Wall::of(&zone, UtcMs(middle - 4 * DAY_MS), 8);
        if wall.shown.iter().any(|shown| shown.second() != 0 || shown.minute() % 5 != 0) {
            continue;
        }
        let schedule = maker.schedule(zone_name, &wall);
        let on: Vec<Vec<Vec<ContactId>>> = schedule.layers.iter().map(|layer| wall.layer(layer)).collect();
        let (from, until) = (UtcMs(middle - 2 * DAY_MS), UtcMs(middle + 2 * DAY_MS));
        let spans = final_spans(&schedule, from, until);
        let told = format!("CORDBOARD_ONCALL_SEED={seed} ({zone_name})");
        assert_eq!(spans.first().map(|span| span.from), Some(from), "{told}");
        assert_eq!(spans.last().map(|span| span.until), Some(until), "{told}");
        assert!(spans.windows(2).all(|pair| pair[0].until == pair[1].from), "no hole and no overlap: {told}");
        assert!(spans.iter().all(|span| span.from < span.until), "{told}");
        let by_layer = layer_spans(&schedule, from, until);
        for n in 0..wall.shown.len() {
            let at = wall.at(n);
            if at < from || at >= until {
                continue;
            }
            let layers: Vec<Vec<ContactId>> = on.iter().map(|on| on[n].clone()).collect();
            let expected = naive(&schedule, &layers, at);
            let span = spans.iter().find(|span| span.from <= at && at < span.until).expect("no hole");
            assert_eq!(span.people, expected, "{told} at {at}, {} on the wall", wall.shown[n]);
            for (spans, expected) in by_layer.iter().zip(&layers) {
                let span = spans.iter().find(|span| span.from <= at && at < span.until);
                assert_eq!(span.map(|span| span.people.as_slice()).unwrap_or_default(), expected, "{told} at {at}");
            }
            if n % 97 == 0 {
                let resolved = resolve(&schedule, at);
                let people: Vec<_> = resolved.iter().flat_map(|on| on.people().cloned()).collect();
                assert_eq!(people, expected, "{told} at {at}");
            }
            looked += 1;
            gaps += usize::from(expected.is_empty());
            several += usize::from(expected.len() > 1);
        }
    }
    if only.is_none() {
        let reached = (changed > 150, looked > 300_000, gaps > 10_000, several > 10_000);
        assert_eq!(
            reached,
            (true, true, true, true),
            "the seeds reach what there is: {changed} {looked} {gaps} {several}"
        );
    }
}
