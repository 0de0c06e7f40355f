//! Hours on days like any other, and on those when the clocks change.

use super::*;
use crate::domain::message::render::tests::account;

fn local(zone: &str, text: &str) -> UtcMs {
    first_instant(&TimeZone::get(zone).unwrap(), text.parse().unwrap()).unwrap()
}

fn utc(text: &str) -> UtcMs {
    UtcMs(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn says(text: &str) -> Flow {
    Flow::Announcement { speech: Speech::Spoken { text: text.to_owned() } }
}

fn span(from: &str, until: &str) -> Span {
    Span { from: from.to_owned(), until: until.to_owned() }
}

const WORKDAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
const EVERY_DAY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn window(name: &str, days: &[Weekday], from: &str, until: &str) -> Window {
    Window { name: name.to_owned(), days: days.to_vec(), span: span(from, until), greeting: None, flow: says(name) }
}

fn holiday(name: &str, date: &str, hours: Option<Span>) -> Holiday {
    Holiday { name: name.to_owned(), date: date.to_owned(), span: hours, greeting: None, flow: says(name) }
}

fn open(zone: &str, hours: Hours) -> Account {
    Account { zone: zone.to_owned(), hours, ..account() }
}

fn windows(zone: &str, windows: Vec<Window>) -> Account {
    open(zone, Hours { windows, ..Hours::default() })
}

fn why(account: &Account, at: UtcMs) -> String {
    account.flow_at(at).why
}

#[test]
fn an_account_without_hours_queues_its_callers_behind_its_greeting() {
    let picked = account().flow_at(utc("2026-11-26T12:00:00Z"));
    assert_eq!((picked.flow, picked.why.as_str(), picked.window), (Flow::default(), "usual", None));
    assert_eq!(picked.greeting, account().greeting);
}

#[test]
fn a_window_counts_from_its_first_minute_to_its_last_in_the_accounts_zone() {
    const ZONE: &str = "America/New_York";
    let account = windows(ZONE, vec![window("office hours", &WORKDAYS, "08:00", "17:00")]);
    let at = |text| why(&account, local(ZONE, text));
    assert_eq!(at("2026-11-25T07:59:59"), "usual");
    assert_eq!(at("2026-11-25T08:00:00"), "window office hours");
    assert_eq!(at("2026-11-25T16:59:59"), "window office hours");
    assert_eq!(at("2026-11-25T17:00:00"), "usual");
    assert_eq!(at("2026-11-28T10:00:00"), "usual", "a Saturday");
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
    const ZONE: &str = "Europe/Vienna";
    let account = windows(ZONE, vec![window("night", &[Weekday::Friday], "22:00", "06:00")]);
    let at = |text| why(&account, local(ZONE, text));
    assert_eq!(at("2026-11-27T03:00"), "usual", "Friday's early hours are Thursday's night");
    assert_eq!(at("2026-11-27T22:00"), "window night");
    assert_eq!(at("2026-11-28T05:59"), "window night");
    assert_eq!(at("2026-11-28T06:00"), "usual");
    assert_eq!(at("2026-11-28T22:30"), "usual");
}

#[test]
fn from_an_hour_to_the_same_hour_is_a_day_and_a_night() {
    let account = windows("UTC", vec![window("weekend", &[Weekday::Saturday], "12:00", "12:00")]);
    let at = |text| why(&account, utc(text));
    assert_eq!(at("2026-11-28T11:59:00Z"), "usual");
    assert_eq!(at("2026-11-29T11:59:00Z"), "window weekend");
    assert_eq!(at("2026-11-29T12:00:00Z"), "usual");
}

#[test]
fn of_windows_that_overlap_the_shorter_one_is_meant_and_its_greeting_with_it() {
    let mut lunch = window("lunch", &WORKDAYS, "12:00", "13:00");
    lunch.greeting = Some(Speech::Spoken { text: "We are at lunch".into() });
    let day = window("day", &EVERY_DAY, "00:00", "00:00");
    for order in [vec![lunch.clone(), day.clone()], vec![day, lunch.clone()]] {
        let account = windows("UTC", order);
        assert_eq!(why(&account, utc("2026-11-25T11:00:00Z")), "window day");
        let picked = account.flow_at(utc("2026-11-25T12:30:00Z"));
        assert_eq!((picked.window.as_deref(), Some(picked.greeting)), (Some("lunch"), lunch.greeting.clone()));
    }
}

#[test]
fn an_override_beats_a_holiday_which_beats_a_window_which_beats_the_usual() {
    let mut hours = Hours {
        overdue: None,
        usual: says("usual"),
        windows: vec![window("day", &EVERY_DAY, "00:00", "00:00")],
        holidays: vec![holiday("every 26th of November", "11-26", None)],
        overrides: vec![],
        check_in: None,
    };
    let at = utc("2026-11-26T12:00:00Z");
    let says_at = |hours: &Hours, at| open("UTC", hours.clone()).flow_at(at).why;
    assert_eq!(says_at(&hours, at), "holiday every 26th of November");
    assert_eq!(says_at(&hours, utc("2027-11-26T12:00:00Z")), "holiday every 26th of November");
    assert_eq!(says_at(&hours, utc("2026-11-27T00:00:00Z")), "window day");
    hours.holidays.push(holiday("Thanksgiving", "2026-11-26", None));
    assert_eq!(says_at(&hours, at), "holiday Thanksgiving", "a date beats every year's");
    hours.holidays.push(holiday("the feast", "2026-11-26", Some(span("11:00", "14:00"))));
    assert_eq!(says_at(&hours, at), "holiday the feast", "and some hours of it the whole day");
    assert_eq!(says_at(&hours, utc("2026-11-26T14:00:00Z")), "holiday Thanksgiving");
    let over = |reason: &str, made_at| FlowOverride {
        from: utc("2026-11-26T11:30:00Z"),
        until: utc("2026-11-26T12:30:00Z"),
        reason: reason.to_owned(),
        made_at: UtcMs(made_at),
        greeting: None,
        flow: says(reason),
    };
    hours.overrides = vec![over("later", 2), over("earlier", 1)];
    assert_eq!(says_at(&hours, at), "override: later");
    assert_eq!(says_at(&hours, utc("2026-11-26T12:30:00Z")), "holiday the feast");
}

#[test]
fn what_counts_does_so_until_something_else_counts() {
    const ZONE: &str = "America/New_York";
    let mut hours = Hours {
        overdue: None,
        usual: says("usual"),
        windows: vec![window("day", &WORKDAYS, "08:00", "17:00"), window("lunch", &WORKDAYS, "12:00", "13:00")],
        holidays: vec![holiday("Thanksgiving", "2026-11-26", None)],
        overrides: vec![],
        check_in: None,
    };
    let until = |hours: &Hours, at: &str| open(ZONE, hours.clone()).flow_until(local(ZONE, at));
    let then = |text: &str| Some(local(ZONE, text));
    assert_eq!(until(&hours, "2026-11-24T09:00"), then("2026-11-24T12:00"), "lunch is the shorter one");
    assert_eq!(until(&hours, "2026-11-24T12:00"), then("2026-11-24T13:00"));
    assert_eq!(until(&hours, "2026-11-24T17:00"), then("2026-11-25T08:00"));
    assert_eq!(until(&hours, "2026-11-25T17:00"), then("2026-11-26T00:00"), "a holiday");
    assert_eq!(until(&hours, "2026-11-26T09:00"), then("2026-11-27T00:00"), "in which no window begins");
    assert_eq!(until(&hours, "2026-11-27T17:00"), then("2026-11-30T08:00"), "over a weekend");
    hours.overrides.push(FlowOverride {
        from: local(ZONE, "2026-11-24T10:00"),
        until: local(ZONE, "2026-12-24T10:00"),
        reason: "storm".into(),
        made_at: UtcMs(0),
        greeting: None,
        flow: says("storm"),
    });
    assert_eq!(until(&hours, "2026-11-24T09:00"), then("2026-11-24T10:00"));
    assert_eq!(until(&hours, "2026-11-24T10:00"), then("2026-12-24T10:00"), "however long it is");
    assert_eq!(until(&Hours::default(), "2026-11-24T10:00"), None, "the usual is for good");
}

#[test]
fn the_night_of_a_changed_clock_ends_when_the_clock_says_so() {
    const ZONE: &str = "America/New_York";
    let account = windows(ZONE, vec![window("night", &[Weekday::Saturday], "22:00", "06:00")]);
    // On 1 November 2026 the clocks of New York go back: the night is nine hours long.
    assert_eq!(account.flow_until(utc("2026-11-01T03:00:00Z")), Some(utc("2026-11-01T11:00:00Z")));
}

#[test]
fn when_clocks_go_forward_what_falls_into_the_gap_begins_right_after_it() {
    const ZONE: &str = "America/New_York";
    // On 8 March 2026 it is never 02:30: after 01:59:59 comes 03:00.
    let from = windows(ZONE, vec![window("late", &[Weekday::Sunday], "02:30", "08:00")]);
    assert_eq!(why(&from, utc("2026-03-08T06:59:59Z")), "usual");
    assert_eq!(why(&from, utc("2026-03-08T07:00:00Z")), "window late");
    let until = windows(ZONE, vec![window("early", &[Weekday::Sunday], "00:00", "02:30")]);
    assert_eq!(why(&until, utc("2026-03-08T06:59:59Z")), "window early");
    assert_eq!(why(&until, utc("2026-03-08T07:00:00Z")), "usual");
    let inside = windows(ZONE, vec![window("never", &[Weekday::Sunday], "02:10", "02:50")]);
    assert_eq!(why(&inside, utc("2026-03-08T07:00:00Z")), "usual", "that day it does not come to pass");
}

#[test]
fn when_clocks_go_back_a_window_begins_at_the_first_and_ends_at_the_last_of_the_repeated_times() {
    const ZONE: &str = "America/New_York";
    // On 1 November 2026 01:30 is at 05:30Z and again at 06:30Z.
    let from = windows(ZONE, vec![window("late", &[Weekday::Sunday], "01:30", "08:00")]);
    assert_eq!(why(&from, utc("2026-11-01T05:29:00Z")), "usual");
    assert_eq!(why(&from, utc("2026-11-01T05:30:00Z")), "window late");
    assert_eq!(why(&from, utc("2026-11-01T06:10:00Z")), "window late", "01:10 for the second time");
    let until = windows(ZONE, vec![window("early", &[Weekday::Sunday], "00:00", "01:30")]);
    assert_eq!(why(&until, utc("2026-11-01T06:29:00Z")), "window early");
    assert_eq!(why(&until, utc("2026-11-01T06:30:00Z")), "usual");
}

#[test]
fn a_holiday_in_a_zone_whose_midnight_is_skipped_begins_with_the_day() {
    // Beirut skips midnight of 29 March 2026: the day begins at 01:00.
    let hours = Hours { holidays: vec![holiday("feast", "2026-03-29", None)], ..Hours::default() };
    let account = open("Asia/Beirut", hours);
    assert_eq!(why(&account, utc("2026-03-28T21:59:59Z")), "usual");
    assert_eq!(why(&account, utc("2026-03-28T22:00:00Z")), "holiday feast");
    assert_eq!(why(&account, utc("2026-03-29T20:59:59Z")), "holiday feast");
    assert_eq!(why(&account, utc("2026-03-29T21:00:00Z")), "usual");
}

#[test]
fn a_zone_that_does_not_exist_leaves_the_usual() {
    let account = windows("Nowhere/Land", vec![window("day", &EVERY_DAY, "00:00", "00:00")]);
    assert_eq!(why(&account, UtcMs(0)), "usual");
}

#[test]
fn hours_read_back_from_their_json_and_old_accounts_have_none() {
    let hours = Hours {
        overdue: None,
        usual: Flow::default(),
        windows: vec![window("night", &EVERY_DAY, "18:00", "08:00")],
        holidays: vec![holiday("Christmas", "12-25", Some(span("00:00", "12:00")))],
        overrides: vec![],
        check_in: None,
    };
    let text = serde_json::to_string(&hours).unwrap();
    assert_eq!(serde_json::from_str::<Hours>(&text).unwrap(), hours);
    assert_eq!(serde_json::from_str::<Hours>("{}").unwrap(), Hours::default());
    let short = r#"{"usual": {"kind": "queue"}, "windows": [{"name": "n", "days": ["monday"], "from": "08:00",
        "until": "17:00", "flow": {"kind": "voicemail", "speech": {"kind": "spoken", "text": "hello"},
        "call_type": "ct_x"}}]}"#;
    let Flow::Voicemail(read) = serde_json::from_str::<Hours>(short).unwrap().windows[0].flow.clone() else {
        panic!("voicemail")
    };
    assert_eq!((read.max_secs, read.silence_secs), (120, 6));
}
