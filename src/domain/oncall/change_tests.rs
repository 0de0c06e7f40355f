//! Overrides, swaps and temporary schedules as people make them.

use super::*;
use crate::base::id::{AccountId, ScheduleId};
use crate::domain::oncall::{Layer, Rotation, ShiftLength, resolve};

const HOUR: i64 = 3_600_000;

fn at(hours: i64) -> UtcMs {
    UtcMs(hours * HOUR)
}

fn contact(name: &str) -> Contact {
    let (id, account) = (ContactId::named(name), AccountId::named("a"));
    Contact {
        id,
        account,
        name: name.to_owned(),
        title: String::new(),
        language: None,
        zone: None,
        destinations: vec![],
    }
}

fn contacts() -> Vec<Contact> {
    ["a", "b", "c"].map(contact).to_vec()
}

/// Days of `a` and `b` in turn, from the beginning of time.
fn schedule() -> Schedule {
    let people = ["a", "b"].map(ContactId::named).to_vec();
    let layer = Layer::plain("rotation", Rotation::even(people, "1970-01-01T00:00", ShiftLength::Days(1)));
    let blank = Schedule::blank(ScheduleId::named("s"), AccountId::named("a"), "technician".into(), "UTC".into());
    Schedule { layers: vec![layer], ..blank }
}

fn shift(name: &str, from: i64, until: i64) -> TemporaryShift {
    TemporaryShift { contact: ContactId::named(name), from: at(from), until: at(until) }
}

fn on(schedule: &Schedule, hour: i64) -> String {
    resolve(schedule, at(hour)).map_or_else(String::new, |on| on.contact.as_str().trim_start_matches("con_").to_owned())
}

const MADE: Made<'_> = Made { by: "Kim", at: UtcMs(1) };

#[test]
fn two_shifts_are_swapped_both_or_neither() {
    let swap = SwapEdit { edition: None, seen: vec![], one: shift("a", 0, 24), other: shift("b", 24, 48) };
    let after = swap.apply(&schedule(), &contacts(), MADE).expect("both are on call then");
    assert_eq!([on(&after, 1), on(&after, 25), on(&after, 49)], ["b", "a", "a"]);
    let wrong = SwapEdit { other: shift("b", 48, 72), ..swap };
    let faults = wrong.apply(&schedule(), &contacts(), MADE).expect_err("b is not on call then");
    assert_eq!(
        faults.iter().map(|f| (f.pointer.as_str(), &*f.code)).collect::<Vec<_>>(),
        [("/other", "swap.not_on_call")]
    );
}

#[test]
fn an_override_that_could_mean_nothing_is_refused_with_every_fault() {
    let act = OverrideAct::Replace { contact: ContactId::named("x"), instead_of: ContactId::named("x") };
    let edit = OverrideEdit { edition: None, act, from: at(2), until: at(1), note: String::new() };
    let faults = edit.apply(&schedule(), &contacts(), Made { at: at(3), ..MADE }).expect_err("all of it is wrong");
    let codes: Vec<&str> = faults.iter().map(|fault| &*fault.code).collect();
    let unknown = "schedule.unknown_contact";
    assert_eq!(codes, ["schedule.times", "override.past", unknown, unknown, "override.same"]);
}

#[test]
fn a_temporary_schedule_stands_in_place_of_layers_and_trims_older_ones() {
    let edit = |name: &str, from, until, shifts| TemporaryEdit {
        edition: None,
        name: name.to_owned(),
        from: at(from),
        until: at(until),
        shifts,
    };
    let storm = edit("storm", 4, 12, vec![shift("c", 4, 12)]);
    let storm = storm.apply(&schedule(), &contacts(), MADE).expect("a plan");
    let party = edit("party", 6, 8, vec![]).apply(&storm, &contacts(), MADE).expect("another");
    let names: Vec<_> = party.temporary.iter().map(|plan| (plan.name.as_str(), plan.from, plan.until)).collect();
    assert_eq!(names, [("storm", at(4), at(6)), ("party", at(6), at(8)), ("storm", at(8), at(12))]);
    assert_eq!([on(&party, 3), on(&party, 4), on(&party, 7), on(&party, 9), on(&party, 12)], ["a", "c", "", "c", "a"]);
    let outside = edit("x", 4, 12, vec![shift("c", 3, 5)]);
    assert_eq!(outside.apply(&schedule(), &contacts(), MADE).expect_err("outside")[0].code, "temporary.outside");
}

#[test]
fn a_time_taken_out_of_temporary_schedules_trims_them_as_in_the_published_cases() {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/oncall-cases.json")).expect("valid JSON");
    let cases = all["cases"].as_array().expect("a list").iter().filter(|c| c["kind"] == "temporary_schedule_trim");
    let mut tried = 0;
    for case in cases {
        // All on one day: what counts is the hour.
        let hour = |value: &serde_json::Value| {
            let text = value.as_str().expect("a time");
            let clock = text.split('T').next_back().expect("a part").trim_end_matches('Z');
            at(clock[..2].parse().expect("an hour"))
        };
        let plan = |given: &serde_json::Value| Temporary {
            name: "one".to_owned(),
            from: hour(&given["start"]),
            until: hour(&given["end"]),
            shifts: given["shifts"]
                .as_array()
                .expect("shifts")
                .iter()
                .map(|s| TemporaryShift {
                    contact: ContactId::named(s[0].as_str().expect("a name")),
                    from: hour(&s[1]),
                    until: hour(&s[2]),
                })
                .collect(),
            by: "Kim".to_owned(),
            made_at: UtcMs(0),
        };
        let mut plans = vec![plan(&case["given"]["temporary"])];
        let range = &case["given"]["delete_range"];
        cut(&mut plans, hour(&range[0]), hour(&range[1]));
        let expected: Vec<_> = case["expect"]["result"].as_array().expect("a list").iter().map(plan).collect();
        assert_eq!(plans, expected, "{}", case["id"]);
        tried += 1;
    }
    assert!(tried > 0);
}
