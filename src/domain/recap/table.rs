//! A recap as a table for spreadsheets: comma-separated values (RFC 4180), a row for each message. Pure.
//!
//! It begins with the mark of UTF-8 (BOM), by which Excel knows that it is no file of the local alphabet. Each label that a
//! form asked has a column, in the order in which they come. What always holds: what a caller said is never a formula; of a
//! protected message a row says only that there is one.

use super::Recap;
use super::report::{Item, became, protected_words};
use crate::base::clock::UtcMs;
use crate::domain::account::{Account, Urgency};
use crate::domain::message::render::{civil, number, written_answers};

/// By which programs know UTF-8.
const BOM: char = '\u{feff}';

/// The table of `recap`: what was held for it, and what else was taken.
pub fn table(account: &Account, recap: &Recap, held: &[Item], taken: &[Item]) -> String {
    let zone = account.zone.as_str();
    let items = held.iter().map(|item| ("held", item)).chain(taken.iter().map(|item| ("dispatched", item)));
    let mut labels: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (part, item) in items {
        let answers = if item.protected { Vec::new() } else { written_answers(&item.message) };
        for answer in &answers {
            if !labels.contains(&answer.label) {
                labels.push(answer.label.clone());
            }
        }
        rows.push((part, item, answers));
    }
    let mut out = String::from(BOM);
    let head = ["Taken", "In this recap", "Call type", "Urgent", "Called from"].map(str::to_owned);
    line(&mut out, head.into_iter().chain(labels.iter().cloned()).chain(["What became of it".to_owned()]));
    for (part, item, answers) in rows {
        let message = &item.message;
        let urgent = if message.urgency == Urgency::Urgent { "yes" } else { "no" };
        let caller = message.caller.as_ref().filter(|_| !item.protected).map(|caller| number(caller.as_e164()));
        let head = [
            written(message.taken_at, zone),
            part.to_owned(),
            item.call_type.clone(),
            urgent.to_owned(),
            caller.unwrap_or_default(),
        ];
        // A label that is there twice in a form is one column, and both are in it.
        let said = labels.iter().map(|label| {
            let of_it = answers.iter().filter(|answer| answer.label == *label).map(|answer| answer.words.as_str());
            of_it.collect::<Vec<_>>().join("\n")
        });
        let became =
            if item.protected { protected_words(account) } else { became(item.state.as_ref(), recap.due_at, zone) };
        line(&mut out, head.into_iter().chain(said).chain([became]));
    }
    out
}

/// As spreadsheets read a time in any language.
fn written(at: UtcMs, zone: &str) -> String {
    civil(at, zone).strftime("%Y-%m-%d %H:%M").to_string()
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&quoted(&defused(cell)));
    }
    // RFC 4180 §2: lines end in CRLF.
    out.push_str("\r\n");
}

/// What a spreadsheet would take for a formula is text. A telephone number is one as it is: digits behind a plus call nothing.
fn defused(cell: String) -> String {
    let starts_one = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let number = cell.strip_prefix('+').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == ' '));
    if starts_one && !number { format!("'{cell}") } else { cell }
}

/// RFC 4180 §2: what holds a comma, a quote or a line's end stands in quotes, and a quote in it is doubled.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RecapId;
    use crate::domain::dispatch::hold::TimeOfDay;
    use crate::domain::message::form::Sensitive;
    use crate::domain::message::render::tests::{account, message};
    use crate::domain::recap::plan::Plan;

    fn rows(held: &[Item], taken: &[Item]) -> String {
        let eight = UtcMs(1_772_892_000_000);
        let plan = Plan { times: vec![TimeOfDay::parse("08:00").expect("a time")], ..Plan::default() };
        let slot = plan.last_slot("America/Chicago", UtcMs(0), eight).expect("it has come");
        let recap = Recap::new(RecapId::named("r"), account().id, &slot, UtcMs(0), eight, &[]);
        table(&account(), &recap, held, taken)
    }

    fn item(problem: &str) -> Item {
        Item { message: message(problem), call_type: "Routine".into(), state: None, protected: false }
    }

    #[test]
    fn a_row_holds_what_was_said_and_its_time_on_the_accounts_clock() {
        let table = rows(&[item("Drip, \"slow\"\nin the hall")], &[item("Burst pipe")]);
        let table = table.strip_prefix(BOM).expect("it says that it is UTF-8");
        assert!(table.starts_with("Taken,In this recap,Call type,Urgent,Called from,"), "{table}");
        assert!(table.contains("2026-03-07 02:10,held,Routine,yes,+1 202 555 0148,"), "{table}");
        assert!(table.contains("\"Drip, \"\"slow\"\"\nin the hall\""), "{table}");
        assert!(table.contains(",dispatched,") && table.contains("Burst pipe"), "{table}");
        assert_eq!(table.matches("\r\n").count(), 3, "a head and two rows: {table}");
        assert!(table.ends_with("\r\n"));
    }

    #[test]
    fn what_callers_say_is_never_a_formula() {
        for said in ["=HYPERLINK(\"x\")", "+1+cmd", "-2+3", "@sum(1)"] {
            let table = rows(&[item(said)], &[]);
            let cell = quoted(&format!("'{said}"));
            assert!(table.contains(&cell), "{said}: {table}");
        }
        assert_eq!(defused("+1 202 555 0148".to_owned()), "+1 202 555 0148");
        assert_eq!(defused("a=b".to_owned()), "a=b");
        assert_eq!(defused("\t=1".to_owned()), "'\t=1");
    }

    #[test]
    fn of_a_protected_message_a_row_says_only_that_there_is_one_and_what_is_sensitive_is_not_in_it() {
        let table = rows(&[Item { protected: true, ..item("Burst pipe") }], &[]);
        for said in ["Burst", "Jane", "0147", "0148", "dog"] {
            assert!(!table.contains(said), "{said}: {table}");
        }
        assert!(table.contains("protected. Call "), "{table}");
        let mut secret = item("Burst pipe");
        secret.message.form.fields[2].sensitive = Sensitive::Kept;
        assert!(!rows(&[secret], &[]).contains("Burst"));
    }

    #[test]
    fn a_recap_about_nothing_has_its_head_alone() {
        assert_eq!(rows(&[], &[]).matches("\r\n").count(), 1);
    }
}
