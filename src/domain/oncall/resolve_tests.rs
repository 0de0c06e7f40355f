//! The published cases, and what beats what.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::spans::{Source, final_spans};
use super::super::turns::Turns;
use super::super::{
    Layer, Override, OverrideAct, Rotation, Schedule, ShiftLength, ShiftTurn, Window, first_instant, last_instant,
};
use super::*;
use crate::base::id::{AccountId, ContactId, OverrideId, ScheduleId};
use crate::domain::account::hours::{Holiday, Span, Weekday};

const HOUR: i64 = 3_600_000;

fn blank(zone: &str) -> Schedule {
    Schedule::blank(ScheduleId::named("s"), AccountId::named("a"), "technician".into(), zone.into())
}

fn id(name: &str) -> ContactId {
    ContactId::named(name)
}

fn of(layers: Vec<Layer>, zone: &str) -> Schedule {
    Schedule { layers, ..blank(zone) }
}

fn turning(people: &[&str], anchor: &str, length: ShiftLength) -> Layer {
    Layer::plain("rotation", Rotation::even(people.iter().map(|name| id(name)).collect(), anchor, length))
}

fn over(n: usize, act: OverrideAct, from: UtcMs, until: UtcMs) -> Override {
    let made_at = UtcMs(i64::try_from(n).expect("small"));
    let id = OverrideId::named(&format!("o{n}"));
    Override { id, act, from, until, by: "the office".into(), made_at, note: String::new() }
}

/// Somebody alone for a time, as a layer of its own.
fn alone(name: &str, from: UtcMs, until: UtcMs, beside: bool) -> Layer {
    let layer = turning(&[name], "1970-01-01T00:00", ShiftLength::Days(1));
    Layer { name: format!("layer of {name}"), from: Some(from), until: Some(until), beside, ..layer }
}

fn utc(text: &str) -> UtcMs {
    let text = if text.len() == 17 { text.replace('Z', ":00Z") } else { text.to_owned() };
    UtcMs(text.parse::<Timestamp>().expect("a timestamp").as_millisecond())
}

fn local(zone: &str, text: &str) -> UtcMs {
    let zone = TimeZone::get(zone).expect("a zone");
    first_instant(&zone, text.parse().expect("a civil time")).expect("an instant")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn length(kind: &str, count: u64) -> ShiftLength {
    let count = u32::try_from(count).expect("small");
    match kind {
        "hourly" => ShiftLength::Hours(count),
        "daily" => ShiftLength::Days(count),
        "weekly" => ShiftLength::Weeks(count),
        "monthly" => ShiftLength::Months(count),
        other => panic!("no rotation is {other}"),
    }
}

/// The rotation of a case, of two people so that every hand-off shows.
fn case_schedule(given: &Value) -> Schedule {
    let rotation = &given["rotation"];
    let length = length(text(&rotation["type"]), rotation["length"].as_u64().expect("a number"));
    of(vec![turning(&["a", "b"], text(&rotation["start_local"]), length)], text(&rotation["tz"]))
}

fn cases(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/oncall-cases.json")).expect("valid JSON");
    let found: Vec<_> = list(&all["cases"]).iter().filter(|case| case["kind"] == kind).cloned().collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

/// Everybody's time by itself: who, from, until.
fn shifts(schedule: &Schedule, from: UtcMs, until: UtcMs) -> BTreeSet<(String, UtcMs, UtcMs)> {
    let found = crate::domain::oncall::reminder::shifts(schedule, from, until);
    let name = |id: &ContactId| id.as_str().trim_start_matches("con_").to_owned();
    found.iter().map(|(who, from, end)| (name(who), *from, end.unwrap_or(until))).collect()
}

#[test]
fn every_kind_of_case_that_concerns_schedules_is_run() {
    let all: Value = serde_json::from_str(include_str!("../../../tests/oncall-cases.json")).expect("valid JSON");
    let kinds: BTreeSet<&str> = list(&all["cases"]).iter().map(|case| text(&case["kind"])).collect();
    let here = [
        "clock_of_day",
        "layered_schedule",
        "on_call_set",
        "override_event",
        "rolling_users",
        "rotation_handoffs",
        "rotation_shift_at",
        "rotation_shift_end",
        "schedule_shifts",
        "shift_swap",
        "temporary_schedule_trim",
        "weekly_window_active",
    ];
    // Of texts and recaps: `domain/dispatch/confirm` and `domain/recap/plan`.
    let elsewhere = ["code_reuse", "confirm_reply", "next_daily_time", "passive_reply_limit"];
    assert_eq!(kinds, here.into_iter().chain(elsewhere).collect());
}

#[test]
fn rotations_hand_over_at_the_instants_of_the_published_cases() {
    let mut tried = 0;
    for case in cases("rotation_handoffs") {
        let schedule = case_schedule(&case["given"]);
        let zone = TimeZone::get(&schedule.zone).expect("a zone");
        let turns = Turns::of(&schedule.layers[0].rotation, zone).expect("usable");
        let expected: Vec<UtcMs> = list(&case["expect"]["handoffs"]).iter().map(|at| utc(text(at))).collect();
        // The list begins with the hand-off at or before the window's start.
        let start = local(&schedule.zone, text(&case["given"]["window_local"][0]));
        assert_eq!(turns.hand_off(turns.number_at(start).expect("a turn")), Some(expected[0]), "{}", case["id"]);
        for pair in expected.windows(2) {
            assert_eq!(turns.next_hand_off(pair[0]), Some(pair[1]), "{}", case["id"]);
        }
        tried += 1;
    }
    assert_eq!(tried, 7);
}

#[test]
fn shifts_end_where_the_published_cases_say() {
    for case in cases("rotation_shift_end") {
        let schedule = case_schedule(&case["given"]);
        let at = local(&schedule.zone, text(&case["given"]["at_local"]));
        let expected = utc(text(&case["expect"]["shift_end"]));
        assert_eq!(resolve(&schedule, at).and_then(|on| on.until), Some(expected), "{}", case["id"]);
        assert_eq!(expected.since(at) / 1_000, case["expect"]["seconds_from_at"].as_i64().expect("a number"));
    }
    for case in cases("rotation_shift_at") {
        let schedule = case_schedule(&case["given"]);
        let at = utc(text(&case["given"]["at"]));
        let (from, until) = (utc(text(&case["expect"]["shift"][0])), utc(text(&case["expect"]["shift"][1])));
        assert_eq!(resolve(&schedule, at).and_then(|on| on.until), Some(until), "{}", case["id"]);
        assert!(shifts(&schedule, from.plus_ms(-1), until).iter().any(|(_, begins, _)| *begins == from));
    }
    for case in cases("clock_of_day") {
        let given = &case["given"];
        let civil = format!("{}T{}", text(&given["date"]), text(&given["clock"]));
        let zone = TimeZone::get(text(&given["tz"])).expect("a zone");
        let civil = civil.parse().expect("a civil time");
        let (first, last) = (&case["expect"]["first_instant"], &case["expect"]["last_instant"]);
        assert_eq!(first_instant(&zone, civil), Some(utc(text(first))), "{}", case["id"]);
        assert_eq!(last_instant(&zone, civil), Some(utc(text(last))), "{}", case["id"]);
    }
}

const WEEK: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

fn window(given: &Value) -> Window {
    let days = match given["days"].as_array() {
        Some(days) => WEEK.iter().filter(|(name, _)| days.iter().any(|day| day == name)).map(|(_, day)| *day).collect(),
        None => WEEK.iter().map(|(_, day)| *day).collect(),
    };
    Window { days, span: Span { from: text(&given["start"]).into(), until: text(&given["end"]).into() } }
}

#[test]
fn windows_are_open_when_the_published_cases_say() {
    for case in cases("weekly_window_active") {
        let given = &case["given"]["window"];
        let layer = turning(&["a"], "2017-01-01T00:00", ShiftLength::Days(1));
        let schedule = of(vec![Layer { windows: vec![window(given)], ..layer }], text(&given["tz"]));
        for (at, active) in case["expect"]["active_at"].as_object().expect("instants") {
            assert_eq!(Some(resolve(&schedule, utc(at)).is_some()), active.as_bool(), "{} {at}", case["id"]);
        }
    }
}

/// An override as the cases write it.
fn act(given: &Value) -> OverrideAct {
    match (given["remove"].as_str(), given["add"].as_str()) {
        (Some(out), Some(taker)) => OverrideAct::Replace { contact: id(taker), instead_of: id(out) },
        (Some(out), None) => OverrideAct::Remove { contact: id(out) },
        (None, Some(more)) => OverrideAct::Add { contact: id(more) },
        (None, None) => panic!("it does nothing"),
    }
}

#[test]
fn shifts_of_whole_schedules_are_those_of_the_published_cases() {
    for case in cases("schedule_shifts") {
        let given = &case["given"];
        let zone = given["tz"].as_str().unwrap_or("UTC");
        let mut schedule = blank(zone);
        for base in list(&given["base"]) {
            let layer = match base["user"].as_str() {
                Some(user) => turning(&[user], "2018-01-01T00:00", ShiftLength::Days(1)),
                None => {
                    let rotation = &base["rotation"];
                    let mut people: Vec<&str> = list(&rotation["users"]).iter().map(text).collect();
                    // Who is at it began at the last hand-off, that of its wall time.
                    let at = usize::try_from(rotation["current_index"].as_u64().expect("an index")).expect("small");
                    people.rotate_left(at);
                    // To the minute: the rest is when a machine noticed it.
                    let begun = utc(&format!("{}Z", &text(&rotation["current_start"])[..16]));
                    let civil = TimeZone::get(zone)
                        .expect("a zone")
                        .to_datetime(Timestamp::from_millisecond(begun.0).expect("in range"));
                    let length = length(text(&rotation["type"]), rotation["length"].as_u64().expect("a number"));
                    turning(&people, &civil.strftime("%Y-%m-%dT%H:%M").to_string(), length)
                }
            };
            let windows = vec![window(&base["window"])];
            schedule.layers.push(Layer { windows, beside: true, ..layer });
        }
        for (n, given) in given["overrides"].as_array().into_iter().flatten().enumerate() {
            schedule.overrides.push(over(n, act(given), utc(text(&given["start"])), utc(text(&given["end"]))));
        }
        let (from, until) = (utc(text(&given["range"][0])), utc(text(&given["range"][1])));
        let expected: BTreeSet<_> = match case["expect"]["shifts"].as_array() {
            Some(shifts) => {
                shifts.iter().map(|s| (text(&s[0]).to_owned(), utc(text(&s[1])), utc(text(&s[2])))).collect()
            }
            // One that had begun before is shown from the range's start on.
            None => list(&case["expect"]["shifts_local"])
                .iter()
                .map(|s| (text(&s[0]).to_owned(), local(zone, text(&s[1])).max(from), local(zone, text(&s[2]))))
                .collect(),
        };
        assert_eq!(shifts(&schedule, from, until), expected, "{}", case["id"]);
    }
}

#[test]
fn overrides_at_once_make_the_sets_of_the_published_cases() {
    for case in cases("on_call_set") {
        let people = list(&case["given"]["base_users"]).iter().map(|user| id(text(user))).collect();
        let turns = vec![ShiftTurn { people, length: ShiftLength::Days(1) }];
        let mut schedule = of(vec![Layer::plain("all", Rotation { anchor: "2018-01-01T00:00".into(), turns })], "UTC");
        for (n, given) in list(&case["given"]["active_overrides"]).iter().enumerate() {
            schedule.overrides.push(over(n, act(given), UtcMs(0), UtcMs(HOUR)));
        }
        let set = |at: UtcMs| -> BTreeSet<ContactId> {
            resolve(&schedule, at).expect("somebody").people().cloned().collect()
        };
        assert_eq!(set(UtcMs(1)), list(&case["expect"]["users"]).iter().map(|user| id(text(user))).collect());
        assert_eq!(set(UtcMs(HOUR)).len(), list(&case["given"]["base_users"]).len(), "afterwards all is as it was");
    }
}

fn hours(value: &Value) -> UtcMs {
    let ms = (value.as_f64().expect("hours") * 3_600_000.0) as i64;
    UtcMs(ms)
}

#[test]
fn layers_lie_on_each_other_as_in_the_published_cases() {
    for case in cases("layered_schedule") {
        let mut rows = list(&case["given"]["layers"]).clone();
        rows.sort_by_key(|row| row[1].as_i64());
        let mut schedule = blank("UTC");
        let mut level = None;
        for row in &rows {
            // Those of the same level share.
            let beside = level == row[1].as_i64();
            level = row[1].as_i64();
            schedule.layers.push(alone(text(&row[0]), hours(&row[2]), hours(&row[3]), beside));
        }
        for row in list(&case["given"]["overrides"]) {
            let level = usize::try_from(row[1].as_u64().expect("a level")).expect("small");
            let act = OverrideAct::Only { contact: id(text(&row[0])) };
            schedule.overrides.push(over(level, act, hours(&row[2]), hours(&row[3])));
        }
        if let Some(at) = case["given"].get("query_hour") {
            let on = resolve(&schedule, hours(at)).expect("somebody");
            let people: Vec<_> = on.people().cloned().collect();
            assert_eq!(people, list(&case["expect"]["on_call"]).iter().map(|p| id(text(p))).collect::<Vec<_>>());
            continue;
        }
        let expected = list(&case["expect"]["final"]);
        for half in 0..48 {
            let at = UtcMs(half * HOUR / 2);
            let here = expected.iter().filter(|row| hours(&row[1]) <= at && at < hours(&row[2]));
            let here: BTreeSet<ContactId> = here.filter_map(|row| row[0].as_str().map(id)).collect();
            let on: BTreeSet<ContactId> = resolve(&schedule, at).iter().flat_map(|on| on.people().cloned()).collect();
            assert_eq!(on, here, "{} at half hour {half}", case["id"]);
        }
    }
}

#[test]
fn overrides_and_swaps_cut_shifts_as_in_the_published_cases() {
    for case in cases("shift_swap") {
        let (given, shift) = (&case["given"], &case["given"]["shift"]);
        let mut schedule = of(vec![alone(text(&shift[0]), hours(&shift[1]), hours(&shift[2]), false)], "UTC");
        if let Some(taker) = given["taken_by"].as_str() {
            let act = OverrideAct::Replace { contact: id(taker), instead_of: id(text(&shift[0])) };
            schedule.overrides.push(over(1, act, hours(&given["swap"][0]), hours(&given["swap"][1])));
        }
        for row in list(&case["expect"]["result"]) {
            let on = |at| resolve(&schedule, at).map(|on| on.contact);
            assert_eq!(on(hours(&row[1])), Some(id(text(&row[0]))), "{}", case["id"]);
            assert_eq!(on(hours(&row[2]).plus_ms(-1)), Some(id(text(&row[0]))), "{}", case["id"]);
        }
        assert_eq!(resolve(&schedule, hours(&shift[2])), None, "it ends with the shift");
    }
    // Seconds after the beginning, or before the end, of an event of an hour.
    let place = |value: &Value| match value.as_str().expect("a place").split_at(1) {
        ("s", offset) => UtcMs(offset.parse::<i64>().unwrap_or(0) * 1_000),
        (_, offset) => UtcMs(HOUR + offset.parse::<i64>().unwrap_or(0) * 1_000),
    };
    for case in cases("override_event") {
        let (event, given) = (&case["given"]["event"], &case["given"]["override"]);
        let mut schedule = of(vec![alone(text(&event[0]), place(&event[1]), place(&event[2]), false)], "UTC");
        let act = OverrideAct::Replace { contact: id(text(&given[0])), instead_of: id(text(&event[0])) };
        schedule.overrides.push(over(1, act, place(&given[1]), place(&given[2])));
        let expected: BTreeSet<_> = list(&case["expect"]["result"])
            .iter()
            .map(|row| (text(&row[0]).to_owned(), place(&row[1]), place(&row[2])))
            .collect();
        assert_eq!(shifts(&schedule, UtcMs(0), UtcMs(HOUR)), expected, "{}", case["id"]);
    }
}

#[test]
fn custom_lengths_and_pauses_make_the_rolling_users_of_the_published_cases() {
    let pause = |length| ShiftTurn { people: vec![], length };
    let turn = |name: &str, length| ShiftTurn { people: vec![id(name)], length };
    for case in cases("rolling_users") {
        // 2024-01-01 is a Monday.
        let anchor = "2024-01-01T00:00".to_owned();
        let (turns, windows) = if case["given"]["by_day"].is_null() {
            let turns = ["U1", "U2"]
                .into_iter()
                .flat_map(|user| [turn(user, ShiftLength::Hours(3)), pause(ShiftLength::Hours(45))]);
            (turns.collect::<Vec<_>>(), vec![])
        } else {
            // Two worked days each: Monday to Thursday, Friday to Tuesday, and so on over four weeks.
            let days = [("U1", 4), ("U2", 5), ("U1", 5), ("U2", 4), ("U1", 5), ("U2", 5)];
            let turns = days.into_iter().map(|(user, days)| turn(user, ShiftLength::Days(days)));
            let days = vec![Weekday::Monday, Weekday::Wednesday, Weekday::Friday];
            let span = Span { from: "00:00".into(), until: "03:00".into() };
            (turns.collect(), vec![Window { days, span }])
        };
        let layer = Layer { windows, ..Layer::plain("rolling", Rotation { anchor, turns }) };
        let schedule = of(vec![layer], "UTC");
        let on = |days: i64| {
            let at = utc("2024-01-01T00:05:00Z").plus_ms(days * 24 * HOUR);
            resolve(&schedule, at).map(|on| on.contact)
        };
        for user in ["U1", "U2", "nobody"] {
            for day in list(&case["expect"][user]) {
                let expected = Some(id(user)).filter(|_| user != "nobody");
                assert_eq!(on(day.as_i64().expect("a day")), expected, "{} day {day}", case["id"]);
            }
        }
    }
}

#[test]
fn a_weekly_shift_over_the_autumn_change_is_an_hour_longer() {
    let layer = turning(&["a", "b"], "2024-10-01T00:00", ShiftLength::Weeks(1));
    let on = resolve(&of(vec![layer], "America/Chicago"), utc("2024-11-04T00:00:00Z")).expect("somebody");
    assert_eq!(on.until, Some(utc("2024-11-05T06:00:00Z")));
    assert_eq!(on.contact, id("a"));
}

#[test]
fn an_override_beats_the_rotation_and_the_one_made_last_beats_the_earlier() {
    let layer = Layer { name: "rotation B".into(), ..turning(&["a", "b"], "2026-11-02T08:00", ShiftLength::Days(1)) };
    let mut schedule = of(vec![layer], "UTC");
    let only = |who: &str, from: &str, until: &str, made: &str| Override {
        made_at: utc(made),
        ..over(1, OverrideAct::Only { contact: id(who) }, utc(from), utc(until))
    };
    schedule.overrides.push(only("c", "2026-11-02T10:00:00Z", "2026-11-02T20:00:00Z", "2026-11-02T09:00:00Z"));
    let later = only("d", "2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z", "2026-11-01T17:02:00Z");
    schedule.overrides.push(Override { id: OverrideId::named("o2"), made_at: utc("2026-11-02T09:01:00Z"), ..later });
    let at = |text| resolve(&schedule, utc(text)).map(|on| (on.contact, on.until, on.why)).expect("somebody");
    assert_eq!(at("2026-11-02T09:00:00Z"), (id("a"), Some(utc("2026-11-02T10:00:00Z")), "rotation B".into()));
    let why = "override by the office, 09:00, beats rotation B".to_owned();
    assert_eq!(at("2026-11-02T11:00:00Z"), (id("c"), Some(utc("2026-11-02T12:00:00Z")), why));
    assert_eq!(at("2026-11-02T12:00:00Z").0, id("d"));
    assert_eq!(at("2026-11-02T20:00:00Z").1, Some(utc("2026-11-03T08:00:00Z")));
}

#[test]
fn the_fallback_stands_in_and_without_one_nobody_is_on_call() {
    let layer = turning(&["a"], "2026-11-02T08:00", ShiftLength::Days(1));
    let mut schedule = of(vec![layer], "Nowhere/Land");
    assert_eq!(resolve(&schedule, UtcMs(0)), None);
    schedule.fallback = Some(id("f"));
    let on = resolve(&schedule, UtcMs(0)).expect("the fallback");
    assert_eq!((on.contact, on.until, on.why.as_str()), (id("f"), None, "fallback"));
}

#[test]
fn one_person_alone_is_on_call_open_endedly() {
    let layer = turning(&["a"], "2026-11-02T08:00", ShiftLength::Weeks(1));
    let schedule = of(vec![layer], "Europe/Vienna");
    assert_eq!(resolve(&schedule, utc("2026-11-09T12:00:00Z")).expect("somebody").until, None);
}

#[test]
fn on_holidays_another_layer_counts() {
    let usual = turning(&["a"], "2026-01-01T00:00", ShiftLength::Days(1));
    let holidays = Layer {
        name: "holidays".into(),
        days: crate::domain::oncall::Days::Holidays,
        ..turning(&["b"], "2026-01-01T00:00", ShiftLength::Days(1))
    };
    let mut schedule = of(vec![usual, holidays], "America/Chicago");
    schedule.holidays.push(Holiday {
        name: "Christmas".into(),
        date: "12-25".into(),
        span: None,
        greeting: None,
        flow: crate::domain::account::flow::Flow::default(),
    });
    let on = resolve(&schedule, local("America/Chicago", "2026-12-24T23:59")).expect("somebody");
    assert_eq!((on.contact, on.until), (id("a"), Some(local("America/Chicago", "2026-12-25T00:00"))));
    let on = resolve(&schedule, local("America/Chicago", "2026-12-25T00:00")).expect("somebody");
    assert_eq!((on.contact, on.until), (id("b"), Some(local("America/Chicago", "2026-12-26T00:00"))));
    assert_eq!(on.why, "holidays");
}

#[test]
fn spans_cover_what_was_asked_for_and_say_by_what() {
    let layer = turning(&["a", "b"], "2026-11-02T08:00", ShiftLength::Days(1));
    let mut schedule = of(vec![layer], "UTC");
    let (from, until) = (utc("2026-11-02T10:00:00Z"), utc("2026-11-04T10:00:00Z"));
    let remove = OverrideAct::Remove { contact: id("b") };
    schedule.overrides.push(over(1, remove, utc("2026-11-03T07:00:00Z"), utc("2026-11-03T09:00:00Z")));
    let spans = final_spans(&schedule, from, until);
    let said: Vec<_> = spans.iter().map(|span| (span.people.len(), span.from, span.starts, span.ends)).collect();
    let (eight, nine) = (utc("2026-11-03T08:00:00Z"), utc("2026-11-03T09:00:00Z"));
    let next = utc("2026-11-04T08:00:00Z");
    assert_eq!(said, [(1, from, false, true), (0, eight, true, true), (1, nine, true, true), (1, next, true, false)]);
    assert_eq!(spans[1].source, Source::Override { ids: vec![OverrideId::named("o1")] });
    assert!(spans.windows(2).all(|pair| pair[0].until == pair[1].from));
}
