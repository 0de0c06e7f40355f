//! Spreadsheets and calendars as they come.

use super::*;
use crate::base::id::{AccountId, ContactId, DestinationId};
use crate::domain::account::{Destination, Reach};
use crate::domain::oncall::read_in::Shift;
use crate::domain::oncall::read_table::read_csv;
use jiff::Timestamp;

fn contact(name: &str, email: &str) -> Contact {
    Contact {
        id: ContactId::named(name.split(' ').next().expect("a first name")),
        account: AccountId::named("a"),
        name: name.to_owned(),
        title: String::new(),
        language: None,
        zone: None,
        destinations: vec![Destination {
            id: DestinationId::named(email),
            label: "email".into(),
            reach: Reach::Email(email.to_owned()),
            ring_secs: 30,
            blocked: false,
            hours: Vec::new(),
        }],
    }
}

fn contacts() -> Vec<Contact> {
    vec![
        contact("Ben Ortiz", "ben@example.com"),
        contact("Ann", "ann@example.com"),
        contact("Ann Lee", "lee@example.com"),
    ]
}

fn chicago() -> TimeZone {
    TimeZone::get("America/Chicago").expect("a zone")
}

/// The beginning of 2026, in UTC.
fn now() -> UtcMs {
    UtcMs(1_767_225_600_000)
}

fn understood(read: &ReadIn) -> Vec<(usize, &str, String)> {
    let hours = |shift: &Shift| format!("{}+{}", shift.from, (shift.until.0 - shift.from.0) / 60_000);
    read.shifts.iter().map(|shift| (shift.line, shift.name.as_str(), hours(shift))).collect()
}

#[test]
fn a_calendar_is_read_event_by_event() {
    let event = |lines: &str| format!("BEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\n");
    let text = [
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned(),
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nSUMMARY:On call: Ben\r\n  Ortiz"),
        event("DTSTART;TZID=\"Europe/Vienna\":20261127T150000\r\nDURATION:PT2H\r\nSUMMARY:Ann Lee"),
        event(
            "DTSTART;VALUE=DATE:20261127\r\nDTEND;VALUE=DATE:20261128\r\nSUMMARY:night\r\nATTENDEE;CN=\"Ann; boss\":MAILTO:ann@example.com",
        ),
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nRRULE:FREQ=MONTHLY\r\nSUMMARY:Ann"),
        event("DTSTART;TZID=Custom Zone:20261127T140000\r\nDTEND:20261127T150000Z\r\nSUMMARY:Ann"),
        event("DTSTART:20261127T140000Z\r\nSUMMARY:Ann"),
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nSTATUS:CANCELLED\r\nSUMMARY:Ann"),
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nSUMMARY:Team meeting"),
        "END:VCALENDAR\r\n".to_owned(),
    ];
    let read = read_ics(&text.concat(), &chicago(), &contacts(), now());
    let expected = [
        (3, "Ben Ortiz", "1795788000000+60".to_owned()),
        (9, "Ann Lee", "1795788000000+120".to_owned()),
        (14, "Ann", "1795759200000+1440".to_owned()),
    ];
    assert_eq!(understood(&read), expected);
    let why: Vec<_> =
        read.not_understood.iter().map(|n| n.why.split_whitespace().take(2).collect::<String>()).collect();
    assert_eq!(why, ["Itrepeats", "Itsbeginning", "Itsend", "Itnames"]);
    let cancelled: Vec<_> = read.cancelled.iter().map(|one| (one.text.as_str(), one.from)).collect();
    assert_eq!(cancelled, [("Ann", Some(UtcMs(1_795_788_000_000)))], "it is told, and nobody has to correct it");
    assert_eq!(read_ics("hello", &chicago(), &contacts(), now()).not_understood.len(), 1);
}

/// A calendar of these events, all of Ann, read at the beginning of 2026.
fn repeating(events: &[&str]) -> ReadIn {
    let event = |lines: &&str| format!("BEGIN:VEVENT\r\nSUMMARY:Ann\r\n{lines}\r\nEND:VEVENT\r\n");
    let text: String = events.iter().map(event).collect();
    read_ics(&format!("BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n"), &chicago(), &contacts(), now())
}

/// When each begins on the clocks of Chicago, and how many minutes it lasts.
fn shifts(read: &ReadIn) -> Vec<(String, i64)> {
    let begins = |at: UtcMs| {
        let at = Timestamp::from_millisecond(at.0).expect("an instant");
        chicago().to_datetime(at).strftime("%m-%d %H:%M").to_string()
    };
    read.shifts.iter().map(|shift| (begins(shift.from), shift.until.since(shift.from) / 60_000)).collect()
}

fn listed(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(at, minutes)| ((*at).to_owned(), *minutes)).collect()
}

#[test]
fn a_night_that_repeats_begins_and_ends_at_its_hours_when_clocks_change() {
    let zone = "TZID=America/Chicago";
    let night = format!("DTSTART;{zone}:20261031T200000\r\nDTEND;{zone}:20261101T080000\r\nRRULE:FREQ=DAILY;COUNT=2");
    let day = format!("DTSTART;{zone}:20261101T080000\r\nDTEND;{zone}:20261101T200000\r\nRRULE:FREQ=DAILY;COUNT=1");
    let read = repeating(&[&night, &day]);
    // The clocks go back in the first night: it has an hour more, and the day begins where it ends.
    let expected = [("10-31 20:00", 780), ("11-01 20:00", 720), ("11-01 08:00", 720)];
    assert_eq!(shifts(&read), listed(&expected), "{read:?}");
    assert_eq!(read.shifts[0].until, read.shifts[2].from);

    // In March they go forward from 02:00 to 03:00: what would begin between begins then, and what is in between whole is not there.
    let gap = "DTSTART:20260307T023000\r\nDTEND:20260307T033000\r\nRRULE:FREQ=DAILY;COUNT=3";
    let expected = [("03-07 02:30", 60), ("03-08 03:00", 30), ("03-09 02:30", 60)];
    assert_eq!(shifts(&repeating(&[gap])), listed(&expected));
    let within = "DTSTART:20260307T023000\r\nDTEND:20260307T024500\r\nRRULE:FREQ=DAILY;COUNT=3";
    assert_eq!(shifts(&repeating(&[within])), listed(&[("03-07 02:30", 15), ("03-09 02:30", 15)]));

    // What is written in UTC stays there.
    let utc = "DTSTART:20261031T140000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=2";
    assert_eq!(shifts(&repeating(&[utc])), listed(&[("10-31 09:00", 60), ("11-01 08:00", 60)]));
}

#[test]
fn what_is_left_out_or_moved_of_an_event_that_repeats_is() {
    let week = "UID:1\r\nDTSTART:20260601T080000\r\nDTEND:20260601T100000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260615T130000Z\r\n\
        EXDATE:20260603T080000,20260601T080000";
    let moved = "UID:1\r\nRECURRENCE-ID:20260608T080000\r\nDTSTART:20260609T090000\r\nDTEND:20260609T100000";
    let off = "UID:1\r\nRECURRENCE-ID:20260610T080000\r\nSTATUS:CANCELLED\r\nDTSTART:20260610T080000\r\nDTEND:20260610T100000";
    // Until 15 June, 08:00 in Chicago, that one included.
    let read = repeating(&[week, moved, off]);
    assert_eq!(shifts(&read), listed(&[("06-15 08:00", 120), ("06-09 09:00", 60)]), "{read:?}");
    assert_eq!((read.not_understood.len(), read.cut.len()), (0, 0));
}

#[test]
fn one_without_an_end_is_read_for_a_year_and_says_so_and_what_is_over_is_not_read() {
    let read = repeating(&["DTSTART:20251201T080000\r\nDTEND:20251201T200000\r\nRRULE:FREQ=WEEKLY;INTERVAL=2"]);
    let begins = shifts(&read);
    assert_eq!(begins.first(), listed(&[("01-12 08:00", 720)]).first());
    assert_eq!((begins.len(), begins.last()), (26, listed(&[("12-28 08:00", 720)]).last()));
    let cut: Vec<_> = read.cut.iter().map(|cut| (cut.line, cut.text.as_str(), cut.until)).collect();
    assert_eq!(cut, [(2, "Ann", now().plus_ms(366 * 86_400_000))]);
}

#[test]
fn an_event_whose_repeating_is_not_understood_is_left_out_whole_with_its_reason() {
    let start = "DTSTART:20260601T080000\r\nDTEND:20260601T100000\r\n";
    for (lines, part) in [
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY"),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU", "none of the days of its rule"),
        ("RRULE:FREQ=DAILY;UNTIL=soon", "until no time"),
        ("RRULE:FREQ=DAILY\r\nRDATE:20260701T080000", "RDATE"),
        ("RRULE:FREQ=DAILY\r\nEXDATE:tomorrow", "EXDATE cannot be read"),
    ] {
        let read = repeating(&[&format!("{start}{lines}")]);
        assert_eq!((read.shifts.len(), read.not_understood.len()), (0, 1), "{lines}");
        let not = &read.not_understood[0];
        assert!(not.line == 2 && not.why.contains(part), "{lines}: {not:?}");
    }
    let long_ago = repeating(&["DTSTART:20100601T080000\r\nDTEND:20100601T100000\r\nRRULE:FREQ=DAILY"]);
    assert!(long_ago.not_understood[0].why.contains("ten years ago"));
    let backward = repeating(&["DTSTART:20260601T080000\r\nDTEND:20260601T070000\r\nRRULE:FREQ=DAILY"]);
    assert!(backward.shifts.is_empty() && backward.not_understood[0].why.contains("before it begins"));
}

#[test]
fn whatever_is_read_nothing_panics_and_every_shift_has_a_length() {
    let seeds = [
        "person,start,end\nBen Ortiz,2026-11-27 08:00,2026-11-27 20:00\n",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261127T140000Z\nDURATION:PT2H\nSUMMARY:Ann é\n x\nEND:VEVENT\n",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261127T140000\nDTEND:20261127T160000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SA;UNTIL=20270401\nEXDATE:20261211T140000\nSUMMARY:Ann\nEND:VEVENT\n",
    ];
    let mut rng = crate::base::rng::Rng::seeded(7);
    for _ in 0..3_000 {
        for seed in seeds {
            let mut chars: Vec<char> = seed.chars().collect();
            for _ in 0..rng.below(6) {
                let place = usize::try_from(rng.below(u64::try_from(chars.len()).expect("small"))).expect("small");
                let strange = ['é', '"', ';', ':', '\n', ' ', '9', '\u{feff}'];
                chars[place] = strange[usize::try_from(rng.below(8)).expect("small")];
            }
            let text: String = chars.into_iter().collect();
            let table = read_csv(&text, &chicago(), &contacts(), None);
            for read in [table, read_ics(&text, &chicago(), &contacts(), now())] {
                assert!(read.shifts.iter().all(|shift| shift.from < shift.until), "{text}");
            }
        }
    }
}
