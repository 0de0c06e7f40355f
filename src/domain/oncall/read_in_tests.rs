//! Spreadsheets and calendars as they come.

use super::*;
use crate::base::id::{AccountId, DestinationId};
use crate::domain::account::Destination;

fn contact(name: &str, email: &str) -> Contact {
    Contact {
        id: ContactId::named(name.split(' ').next().expect("a first name")),
        account: AccountId::named("a"),
        name: name.to_owned(),
        title: String::new(),
        destinations: vec![Destination {
            id: DestinationId::named(email),
            label: "email".into(),
            reach: Reach::Email(email.to_owned()),
            ring_secs: 30,
            blocked: false,
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

fn understood(read: &ReadIn) -> Vec<(usize, &str, String)> {
    let hours = |shift: &Shift| format!("{}+{}", shift.from, (shift.until.0 - shift.from.0) / 60_000);
    read.shifts.iter().map(|shift| (shift.line, shift.name.as_str(), hours(shift))).collect()
}

#[test]
fn a_spreadsheet_is_read_line_by_line_and_says_what_it_did_not_understand() {
    let text = "Start;End;Name\r\n2026-11-27 08:00;2026-11-27 20:00;Ben Ortiz\r\n2026-11-27T20:00;2026-11-28T08:00;ANN@example.com\n\n\
        2026-11-28 08:00;2026-11-28 07:00;Ann\n28/11/2026;2026-11-29 08:00;Ann\n2026-11-28 08:00;2026-11-29 08:00;Zed\n\
        2026-03-08 01:00;2026-03-08 03:00;\"Ann \"\"Lee\"\"\"\n2026-11-28;2026-11-29;Ann\n";
    let read = read_csv(text, &chicago(), &contacts());
    let expected = [(2, "Ben Ortiz", "1795788000000+720".to_owned()), (3, "Ann", "1795831200000+720".to_owned())];
    assert_eq!(understood(&read), expected);
    let why: Vec<_> = read.not_understood.iter().map(|n| (n.line, n.why.as_str())).collect();
    let unknown = "The account has no contact of this name.";
    let start = "The start is no time like 2026-11-27 08:00.";
    assert_eq!(why, [(5, "It ends before it begins."), (6, start), (7, unknown), (8, unknown), (9, start)]);
    let none = read_csv("a,b\n1,2", &chicago(), &contacts());
    assert_eq!((none.shifts.len(), none.not_understood.len()), (0, 1));
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
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Ann"),
        event("DTSTART;TZID=Custom Zone:20261127T140000\r\nDTEND:20261127T150000Z\r\nSUMMARY:Ann"),
        event("DTSTART:20261127T140000Z\r\nSUMMARY:Ann"),
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nSTATUS:CANCELLED\r\nSUMMARY:Ann"),
        event("DTSTART:20261127T140000Z\r\nDTEND:20261127T150000Z\r\nSUMMARY:Team meeting"),
        "END:VCALENDAR\r\n".to_owned(),
    ];
    let read = read_ics(&text.concat(), &chicago(), &contacts());
    let expected = [
        (3, "Ben Ortiz", "1795788000000+60".to_owned()),
        (9, "Ann Lee", "1795788000000+120".to_owned()),
        (14, "Ann", "1795759200000+1440".to_owned()),
    ];
    assert_eq!(understood(&read), expected);
    let why: Vec<_> =
        read.not_understood.iter().map(|n| n.why.split_whitespace().take(2).collect::<String>()).collect();
    assert_eq!(why, ["Itrepeats:", "Itsbeginning", "Itsend", "Itnames"]);
    assert_eq!(read_ics("hello", &chicago(), &contacts()).not_understood.len(), 1);
}

#[test]
fn whatever_is_read_nothing_panics_and_every_shift_has_a_length() {
    let seeds = [
        "person,start,end\nBen Ortiz,2026-11-27 08:00,2026-11-27 20:00\n",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261127T140000Z\nDURATION:PT2H\nSUMMARY:Ann é\n x\nEND:VEVENT\n",
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
            for read in [read_csv(&text, &chicago(), &contacts()), read_ics(&text, &chicago(), &contacts())] {
                assert!(read.shifts.iter().all(|shift| shift.from < shift.until), "{text}");
            }
        }
    }
}
