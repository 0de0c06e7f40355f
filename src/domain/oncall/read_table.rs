//! Shifts out of a spreadsheet saved as text: commas, semicolons or tabs, cells in quotation marks, times as Excel writes them. Pure.
//!
//! What always holds: each line is a shift, or told of with its reason. Whether a date begins with its day or its month is decided by the
//! file, where its dates can be read only one way, whatever whoever asks says; else by them; never here. What was decided is said in
//! `notes`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::dates::{DateOrder, ReadDay, Side, Written, date_in, parse};
use super::read_in::{MAX_LINES, ReadIn, find_person};
use crate::domain::account::Contact;

const SEPARATORS: [(char, &str); 3] = [(',', "commas"), (';', "semicolons"), ('\t', "tabs")];
/// A cell in quotation marks that is longer than this is one that was not closed.
const MAX_CELL_LINES: usize = 20;
/// Lines that are named one by one.
const MOST_NAMED: usize = 5;
const NO_START: &str = "The start is no time like 2026-11-27 08:00.";
const NO_END: &str = "The end is no time like 2026-11-27 08:00.";

/// A date that may be two, and nothing in the file says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnclearDate {
    pub line: usize,
    /// As it is written: "5/12/2026".
    pub text: String,
    /// What it would be: "12 May 2026",
    pub month_first: String,
    /// or "5 Dec 2026".
    pub day_first: String,
}

/// One line of it, which may go on over several where a cell in quotation marks does.
struct Record<'a> {
    line: usize,
    text: &'a str,
    cells: Vec<String>,
    /// A quotation mark opens and does not close.
    is_open: bool,
}

/// A line of which everything was read but what depends on the other lines.
struct Entry<'a> {
    line: usize,
    text: &'a str,
    who: &'a Contact,
    start: Cell,
    end: Cell,
}

struct Cell {
    text: String,
    written: Written,
}

/// Where the three are.
struct Columns {
    person: usize,
    start: usize,
    end: usize,
}

/// A spreadsheet with a line of headings: person (or name, contact), start (or from), end (or until); civil times are in `zone`. `order`:
/// what whoever asks says of dates of which the file says nothing.
pub fn read_csv(text: &str, zone: &TimeZone, contacts: &[Contact], order: Option<DateOrder>) -> ReadIn {
    let mut read = ReadIn::default();
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        read.refuse(1, "", "There is nothing in it.");
        return read;
    }
    let lines: Vec<&str> = text.lines().collect();
    // Excel's own word to itself; the headings say the same.
    let head = usize::from(lines[0].trim().to_ascii_lowercase().starts_with("sep="));
    let heading = lines.get(head).copied().unwrap_or_default();
    let found = SEPARATORS.into_iter().find_map(|(comma, named)| Some((comma, named, Columns::find(heading, comma)?)));
    let Some((comma, named, columns)) = found else {
        let line = (head + 1).min(lines.len());
        read.refuse(line, heading, "The first line has to name the columns person, start and end.");
        return read;
    };
    if comma != ',' {
        read.notes.push(format!("Its columns are separated by {named}."));
    }
    let mut entries = Vec::new();
    for record in records(&lines, head + 1, comma) {
        if record.cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.line > MAX_LINES {
            read.refuse(record.line, record.text, "There are too many lines: make it of several parts.");
            break;
        }
        match read_record(&record, &columns, (comma, named), contacts) {
            Ok((who, start, end)) => entries.push(Entry { line: record.line, text: record.text, who, start, end }),
            Err(why) => read.refuse(record.line, record.text, why),
        }
    }
    let order = decide(&mut read, &entries, order);
    note_whole_days(&mut read, &entries, order);
    for entry in &entries {
        take(&mut read, entry, order, zone);
    }
    read.not_understood.sort_by_key(|not| not.line);
    read
}

impl Columns {
    fn find(heading: &str, comma: char) -> Option<Self> {
        let heads: Vec<String> =
            Splitter::of(heading, comma).cells.iter().map(|head| head.trim().to_lowercase()).collect();
        let column = |known: &[&str]| heads.iter().position(|head| known.contains(&head.as_str()));
        Some(Self {
            person: column(&["person", "name", "contact", "who"])?,
            start: column(&["start", "from", "begin", "begins"])?,
            end: column(&["end", "until", "to", "ends"])?,
        })
    }
}

/// Cells of a line as they are read.
struct Splitter {
    cells: Vec<String>,
    /// Within quotation marks.
    quoted: bool,
}

impl Splitter {
    fn of(line: &str, comma: char) -> Self {
        let mut splitter = Self { cells: vec![String::new()], quoted: false };
        splitter.read(line, comma);
        splitter
    }

    fn read(&mut self, line: &str, comma: char) {
        let mut chars = line.chars().peekable();
        while let Some(char) = chars.next() {
            // It never is empty: it begins with one cell.
            let Some(cell) = self.cells.last_mut() else { return };
            match char {
                '"' if self.quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    cell.push('"');
                }
                '"' if self.quoted && chars.clone().find(|next| *next != ' ').is_none_or(|next| next == comma) => {
                    self.quoted = false;
                }
                // Elsewhere it is one that somebody wrote: five inches (RFC 4180 §2).
                '"' if !self.quoted && cell.trim().is_empty() => {
                    cell.clear();
                    self.quoted = true;
                }
                char if char == comma && !self.quoted => self.cells.push(String::new()),
                char => cell.push(char),
            }
        }
    }
}

/// All lines from the one at `first` on.
fn records<'a>(lines: &[&'a str], first: usize, comma: char) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    let mut at = first;
    while let Some(text) = lines.get(at).copied() {
        let alone = Splitter::of(text, comma);
        let (splitter, next) =
            if alone.quoted { whole_cell(lines, at, comma).unwrap_or((alone, at + 1)) } else { (alone, at + 1) };
        records.push(Record { line: at + 1, text, is_open: splitter.quoted, cells: splitter.cells });
        at = next;
    }
    records
}

/// The line at `at` with those over which its last cell goes on, and the line after it. None: it does not close.
fn whole_cell(lines: &[&str], at: usize, comma: char) -> Option<(Splitter, usize)> {
    let mut splitter = Splitter::of(lines.get(at)?, comma);
    for (offset, line) in lines.iter().enumerate().skip(at + 1).take(MAX_CELL_LINES) {
        splitter.cells.last_mut()?.push('\n');
        splitter.read(line, comma);
        if !splitter.quoted {
            return Some((splitter, offset + 1));
        }
    }
    None
}

fn read_record<'a>(
    record: &Record<'_>,
    columns: &Columns,
    (comma, named): (char, &str),
    contacts: &'a [Contact],
) -> Result<(&'a Contact, Cell, Cell), String> {
    if record.is_open {
        return Err("A quotation mark opens here and does not close.".to_owned());
    }
    let other = SEPARATORS.iter().find(|(other, _)| *other != comma && record.text.matches(*other).count() > 1);
    if let (1, Some((_, other))) = (record.cells.len(), other) {
        return Err(format!("It is separated by {other}, and the first line by {named}."));
    }
    let cell = |at: usize| record.cells.get(at).map_or("", |cell| cell.trim());
    let who = find_person(cell(columns.person), contacts)?;
    let (start, end) = (cell(columns.start), cell(columns.end));
    let read = |text: &str| parse(text).map(|written| Cell { text: text.to_owned(), written });
    let from = read(start).ok_or(NO_START)?;
    // A day alone is the whole day, and need not be written twice.
    let is_day = matches!(from.written, Written::Civil { time: None, .. });
    let until = read(if end.is_empty() && is_day { start } else { end }).ok_or(NO_END)?;
    Ok((who, from, until))
}

/// Lines with a date that can be read one way only.
struct Shown<'a> {
    lines: Vec<usize>,
    /// The first of these dates.
    text: &'a str,
}

impl<'a> Shown<'a> {
    fn of(entries: &'a [Entry<'_>], is_so: fn(ReadDay) -> bool) -> Option<Self> {
        let (mut lines, mut text) = (Vec::new(), None);
        for (line, cell) in cells(entries).filter(|(_, cell)| cell.written.day().is_some_and(is_so)) {
            text.get_or_insert_with(|| date_in(&cell.text));
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        Some(Self { lines, text: text? })
    }

    /// `line 4`, `lines 4 and 7`.
    fn named(&self, word: &str) -> String {
        let named: Vec<String> = self.lines.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        match (named.as_slice(), self.lines.len() - named.len()) {
            ([one], 0) => format!("{word} {one}"),
            ([first @ .., last], 0) => format!("{word}s {} and {last}", first.join(", ")),
            (all, more) => format!("{word}s {} and {more} more", all.join(", ")),
        }
    }
}

fn cells<'a>(entries: &'a [Entry<'_>]) -> impl Iterator<Item = (usize, &'a Cell)> {
    entries.iter().flat_map(|entry| [(entry.line, &entry.start), (entry.line, &entry.end)])
}

/// Which order counts, and what is to be said of it.
fn decide(read: &mut ReadIn, entries: &[Entry<'_>], said: Option<DateOrder>) -> Option<DateOrder> {
    let month = Shown::of(entries, |day| matches!(day, ReadDay::MonthFirst(_)));
    let day = Shown::of(entries, |day| matches!(day, ReadDay::DayFirst(_)));
    // Each other date can be read one way only, whatever comes first.
    let either = cells(entries).find_map(|(line, cell)| match cell.written.day() {
        Some(ReadDay::Either { month_first, day_first }) => Some((line, date_in(&cell.text), month_first, day_first)),
        _ => None,
    });
    let Some((line, text, month_first, day_first)) = either else {
        note_both(read, month.as_ref(), day.as_ref());
        return None;
    };
    let as_line = |one: &Shown<'_>, order: DateOrder| {
        let but = if said.is_some_and(|said| said != order) { ", not as you say" } else { "" };
        (order, format!("as line {} writes them ({}){but}", one.lines[0], one.text))
    };
    let (order, because) = match (&month, &day, said) {
        (Some(one), None, _) => as_line(one, DateOrder::MonthFirst),
        (None, Some(one), _) => as_line(one, DateOrder::DayFirst),
        (_, _, Some(order)) => (order, "as you say".to_owned()),
        (Some(_), Some(_), None) | (None, None, None) => {
            note_both(read, month.as_ref(), day.as_ref());
            let (month_first, day_first) = (words(month_first), words(day_first));
            read.unclear_date = Some(UnclearDate { line, text: text.to_owned(), month_first, day_first });
            return None;
        }
    };
    let (first, is, other, odd) = match order {
        DateOrder::MonthFirst => ("month", month_first, "day", day),
        DateOrder::DayFirst => ("day", day_first, "month", month),
    };
    read.notes.push(format!("Dates are read {first} first, {because}: {text} is {}.", words(is)));
    if let Some(odd) = odd {
        let (verb, text) = (if odd.lines.len() == 1 { "does" } else { "do" }, odd.text);
        let lines = odd.named("Line");
        read.notes.push(format!("{lines} {verb} not fit: read {other} first, as {text} can be no other day."));
    }
    Some(order)
}

/// Lines that contradict each other decide nothing.
fn note_both(read: &mut ReadIn, month: Option<&Shown<'_>>, day: Option<&Shown<'_>>) {
    if let (Some(month), Some(day)) = (month, day) {
        let (verb, one, other) = (if month.lines.len() == 1 { "writes" } else { "write" }, month.text, day.text);
        let (month, day) = (month.named("Line"), day.named("line"));
        read.notes.push(format!(
            "{month} {verb} the month first ({one}), {day} the day ({other}): each is read in the one way in which it can be. Look whether \
             all of them are meant so."
        ));
    }
}

/// Ends that are days alone are read to the end of that day, which not everybody means.
fn note_whole_days(read: &mut ReadIn, entries: &[Entry<'_>], order: Option<DateOrder>) {
    let ends = |entry: &Entry<'_>| entry.end.written.whole_day(order);
    let Some((first, day)) = entries.iter().find_map(|entry| Some((entry.line, ends(entry)?))) else { return };
    read.notes.push(format!(
        "A day without a time is the whole day: line {first} ends when {} is over, at midnight.",
        words(day)
    ));
    let meets = |entry: &Entry<'_>, other: &Entry<'_>| {
        let starts = |one: &Entry<'_>| one.start.written.whole_day(order);
        entry.line != other.line
            && ends(entry).is_some_and(|day| starts(other) == Some(day) && starts(entry) != Some(day))
    };
    let pair = entries.windows(2).find(|pair| meets(&pair[0], &pair[1]) || meets(&pair[1], &pair[0]));
    if let Some([one, other]) = pair {
        read.notes.push(format!(
            "Lines {} and {} have a day in common, on which both are on call. If it was meant to be the first that is not covered, write \
             the day before it, or times.",
            one.line, other.line
        ));
    }
}

fn take(read: &mut ReadIn, entry: &Entry<'_>, order: Option<DateOrder>, zone: &TimeZone) {
    let Entry { line, text, who, start, end } = entry;
    for cell in [start, end] {
        if let Some(ReadDay::Either { month_first, day_first }) = cell.written.day().filter(|_| order.is_none()) {
            let (date, one, other) = (date_in(&cell.text), words(month_first), words(day_first));
            let why = format!("{date} may be {one} or {other}: say which comes first, the month or the day.");
            return read.refuse(*line, text, why);
        }
    }
    match (start.written.instant(order, zone, Side::Start), end.written.instant(order, zone, Side::End)) {
        (Some(from), Some(until)) => read.take(*line, text, who, from, until),
        (None, _) => read.refuse(*line, text, NO_START),
        (_, None) => read.refuse(*line, text, NO_END),
    }
}

/// `12 May 2026`.
fn words(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

#[cfg(test)]
#[path = "read_table_tests.rs"]
mod tests;
