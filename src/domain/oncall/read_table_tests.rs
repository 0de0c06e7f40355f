//! Spreadsheets as they come.

use super::*;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId};
use jiff::Timestamp;

fn contacts() -> Vec<Contact> {
    let contact = |name: &str| Contact {
        id: ContactId::named(name),
        account: AccountId::named("a"),
        name: name.to_owned(),
        title: String::new(),
        language: None,
        zone: None,
        destinations: Vec::new(),
    };
    ["Ben Ortiz", "Ann", "Lee, Ann"].map(contact).to_vec()
}

fn chicago() -> TimeZone {
    TimeZone::get("America/Chicago").expect("a zone")
}

fn read_by(text: &str, order: Option<DateOrder>) -> ReadIn {
    read_csv(text, &chicago(), &contacts(), order)
}

fn clocks(at: UtcMs) -> String {
    let at = Timestamp::from_millisecond(at.0).expect("an instant");
    chicago().to_datetime(at).strftime("%m-%d %H:%M").to_string()
}

/// `2 Ann 11-27 08:00 11-27 20:00`.
fn understood(read: &ReadIn) -> Vec<String> {
    let shifts = read.shifts.iter();
    shifts.map(|one| format!("{} {} {} {}", one.line, one.name, clocks(one.from), clocks(one.until))).collect()
}

fn refused(read: &ReadIn) -> Vec<(usize, &str)> {
    read.not_understood.iter().map(|not| (not.line, not.why.as_str())).collect()
}

#[test]
fn a_name_with_two_blanks_is_whoever_a_page_shows_alike() {
    let read = read_by("person,start,end\nben  ORTIZ,2026-11-27 08:00,2026-11-27 20:00\n", None);
    assert_eq!(understood(&read), ["2 Ben Ortiz 11-27 08:00 11-27 20:00"]);
}

#[test]
fn a_spreadsheet_is_read_line_by_line_and_says_what_it_did_not_understand() {
    let text = "Start;End;Name\r\n2026-11-27 08:00;2026-11-27 20:00;Ben Ortiz\r\n2026-11-27T20:00;2026-11-28T08:00;ANN\n\n\
        2026-11-28 08:00;2026-11-28 07:00;Ann\nsoon;2026-11-29 08:00;Ann\n2026-11-28 08:00;2026-11-29 08:00;Zed\n\
        2026-03-08 01:00;2026-03-08 03:00;\"Ann \"\"Lee\"\"\"\n;;\n2026-11-28 08:00;;Ann\n";
    let read = read_by(text, None);
    assert_eq!(understood(&read), ["2 Ben Ortiz 11-27 08:00 11-27 20:00", "3 Ann 11-27 20:00 11-28 08:00"]);
    let unknown = "The account has no contact of this name.";
    let expected = [(5, "It ends before it begins."), (6, NO_START), (7, unknown), (8, unknown), (10, NO_END)];
    assert_eq!(refused(&read), expected);
    assert_eq!(read.notes, ["Its columns are separated by semicolons."]);
    let none = read_by("a,b\n1,2", None);
    assert_eq!((none.shifts.len(), none.not_understood.len()), (0, 1));
    assert_eq!(read_by("\u{feff}\n", None).not_understood.len(), 1);
}

#[test]
fn a_file_of_american_excel_is_read_and_says_by_which_of_its_lines() {
    let text = "\u{feff}sep=,\r\nperson,start,end\r\nAnn,12/5/2026 8:00 AM,12/5/2026 8:00 PM\r\n\
        \"Lee, Ann\",12/13/26 8:00 AM,12/14/26 8:00 AM\r\n,,\r\n";
    let read = read_by(text, None);
    assert_eq!(understood(&read), ["3 Ann 12-05 08:00 12-05 20:00", "4 Lee, Ann 12-13 08:00 12-14 08:00"]);
    assert_eq!(read.notes, ["Dates are read month first, as line 4 writes them (12/13/26): 12/5/2026 is 5 Dec 2026."]);
    assert_eq!((refused(&read), &read.unclear_date), (vec![], &None));
}

#[test]
fn a_date_that_may_be_two_is_asked_about_and_never_guessed() {
    let text = "person,start,end\nAnn,5/12/2026 8:00,2026-12-06 08:00\nAnn,7/7/2026 8:00,7/7/2026 20:00\n";
    let read = read_by(text, None);
    assert_eq!(understood(&read), ["3 Ann 07-07 08:00 07-07 20:00"]);
    let why = "5/12/2026 may be 12 May 2026 or 5 Dec 2026: say which comes first, the month or the day.";
    assert_eq!(refused(&read), [(2, why)]);
    let (month_first, day_first) = ("12 May 2026".to_owned(), "5 Dec 2026".to_owned());
    assert_eq!(read.unclear_date, Some(UnclearDate { line: 2, text: "5/12/2026".into(), month_first, day_first }));
    let said = read_by(text, Some(DateOrder::DayFirst));
    assert_eq!(understood(&said)[0], "2 Ann 12-05 08:00 12-06 08:00");
    assert_eq!(
        (said.notes, said.unclear_date),
        (vec!["Dates are read day first, as you say: 5/12/2026 is 5 Dec 2026.".to_owned()], None)
    );
    // Lines that contradict each other decide nothing.
    let both =
        read_by(&format!("{text}Ann,13/12/2026 8:00,13/12/2026 9:00\nAnn,12/14/2026 8:00,12/14/2026 9:00\n"), None);
    let why = "Line 5 writes the month first (12/14/2026), line 4 the day (13/12/2026): each is read in the one way in which it can be. \
        Look whether all of them are meant so.";
    assert_eq!(both.notes, [why]);
    assert_eq!((both.shifts.len(), both.not_understood.len(), both.unclear_date.is_some()), (3, 1, true));
}

/// A shift of an hour on each day, as it is written.
fn file(days: &[&str]) -> String {
    let lines: Vec<String> = days.iter().map(|day| format!("Ann,{day} 8:00,{day} 9:00\n")).collect();
    format!("person,start,end\n{}", lines.concat())
}

#[test]
fn a_file_that_writes_its_dates_both_ways_says_which_lines_do_not_fit() {
    // None of them can be read otherwise, and yet somebody may have meant another month.
    let certain = read_by(&file(&["12/13/2026", "14/12/2026", "15/12/2026"]), None);
    assert_eq!((certain.shifts.len(), certain.unclear_date), (3, None));
    let why = "Line 2 writes the month first (12/13/2026), lines 3 and 4 the day (14/12/2026): each is read in the one way in which it \
        can be. Look whether all of them are meant so.";
    assert_eq!(certain.notes, [why]);
    // Once it is said which comes first, those that cannot be read so are named.
    let days = ["5/12/2026", "14/12/2026", "12/13/2026", "15/12/2026"];
    let said = read_by(&file(&days), Some(DateOrder::MonthFirst));
    let order = "Dates are read month first, as you say: 5/12/2026 is 12 May 2026.";
    assert_eq!(said.notes, [order, "Lines 3 and 5 do not fit: read day first, as 14/12/2026 can be no other day."]);
    let other = read_by(&file(&days), Some(DateOrder::DayFirst));
    assert_eq!(other.notes[1], "Line 4 does not fit: read month first, as 12/13/2026 can be no other day.");
    let mut days = vec!["12/13/2026"; 8];
    days.push("14/12/2026");
    let many = read_by(&file(&days), None);
    assert!(many.notes[0].starts_with("Lines 2, 3, 4, 5, 6 and 3 more write the month first"), "{:?}", many.notes);
}

#[test]
fn what_excel_shows_in_its_other_formats_is_read_to_the_end_of_the_day() {
    let text = "person,start,end\nAnn,25-Dec-26 8:00,25-Dec-26 24:00\n\
        Ben Ortiz,\"December 26, 2026\",\"Saturday, December 26, 2026\"\n";
    let read = read_by(text, None);
    let days = ["2 Ann 12-25 08:00 12-26 00:00", "3 Ben Ortiz 12-26 00:00 12-27 00:00"];
    assert_eq!((understood(&read), refused(&read)), (days.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn what_can_be_read_only_one_way_says_how_the_others_are_read_whatever_is_sent_along() {
    let text = "person,start,end\nAnn,27/11/2026 8:00,27/11/2026 20:00\nAnn,5/12/2026 8:00,5/12/2026 20:00\n";
    for said in [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst)] {
        let read = read_by(text, said);
        assert_eq!(understood(&read), ["2 Ann 11-27 08:00 11-27 20:00", "3 Ann 12-05 08:00 12-05 20:00"], "{said:?}");
        let but = if said == Some(DateOrder::MonthFirst) { ", not as you say" } else { "" };
        let note =
            format!("Dates are read day first, as line 2 writes them (27/11/2026){but}: 5/12/2026 is 5 Dec 2026.");
        assert_eq!((read.notes, read.unclear_date), (vec![note], None));
    }
    // Where the file shows both, whoever asks decides.
    let both = read_by(&format!("{text}Ann,12/14/2026 8:00,12/14/2026 9:00\n"), Some(DateOrder::MonthFirst));
    assert_eq!(both.notes[0], "Dates are read month first, as you say: 5/12/2026 is 12 May 2026.");
}

#[test]
fn a_day_without_a_time_is_the_whole_day_and_days_in_common_are_said() {
    let read = read_by(
        "person,start,end\nAnn,2026-12-12,2026-12-12\nBen Ortiz,2026-12-13,\nAnn,2026-03-08,2026-03-08\n",
        None,
    );
    let days =
        ["2 Ann 12-12 00:00 12-13 00:00", "3 Ben Ortiz 12-13 00:00 12-14 00:00", "4 Ann 03-08 00:00 03-09 00:00"];
    assert_eq!(understood(&read), days);
    // The eighth of March has 23 hours there.
    assert_eq!(read.shifts[2].until.since(read.shifts[2].from), 23 * 3_600_000);
    let note = "A day without a time is the whole day: line 2 ends when 12 Dec 2026 is over, at midnight.";
    assert_eq!(read.notes, [note]);
    let met = read_by("person,start,end\nAnn,2026-12-12,2026-12-13\nBen Ortiz,2026-12-13,2026-12-14\n", None);
    assert_eq!(met.notes.len(), 2, "{:?}", met.notes);
    assert!(met.notes[1].starts_with("Lines 2 and 3 have a day in common"), "{:?}", met.notes);
}

#[test]
fn cells_in_quotation_marks_may_hold_anything_and_a_line_that_is_written_otherwise_says_how() {
    let text = "person,start,end,note\n\"Lee, Ann\",2026-12-12 08:00,2026-12-12 09:00,\"two\nlines, and \"\"more\"\"\"\n\
        Ann;2026-12-12 08:00;2026-12-12 09:00\n\"Ann,2026-12-12 08:00,2026-12-12 09:00\nAnn,2026-12-13 08:00,2026-12-13 09:00,5\" pipe\n";
    let read = read_by(text, None);
    assert_eq!(understood(&read), ["2 Lee, Ann 12-12 08:00 12-12 09:00", "6 Ann 12-13 08:00 12-13 09:00"]);
    let expected = [
        (4, "It is separated by semicolons, and the first line by commas."),
        (5, "A quotation mark opens here and does not close."),
    ];
    assert_eq!(refused(&read), expected);
}
