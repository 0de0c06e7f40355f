//! How a recap reads: subject, plain text and HTML, from the messages as they are when it is sent. Pure.
//!
//! First what was held for it, whole; then what was dispatched otherwise, a line each with what became of it. What is
//! sensitive leaves here as little as by any other email.

use super::Recap;
use crate::base::clock::UtcMs;
use crate::domain::account::{Account, Urgency};
use crate::domain::dispatch::state::{Phase, State};
use crate::domain::message::Message;
use crate::domain::message::render::notice::call_words;
use crate::domain::message::render::{civil, clock, date_and_clock, headline, number, written_answers};

/// A message of a recap.
#[derive(Clone, Debug)]
pub struct Item {
    pub message: Message,
    pub call_type: String,
    /// Its dispatch, if it has one.
    pub state: Option<State>,
    /// What it says is not written here.
    pub protected: bool,
}

/// In place of what a protected message says.
pub(super) fn protected_words(account: &Account) -> String {
    format!("protected. {}", call_words(account))
}

/// A recap, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The same, for pages.
    pub blocks: Vec<Block>,
}

/// A piece of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Heading(String),
    Line(String),
    /// A message: its title, labels with what was said, and what became of it.
    Message {
        title: String,
        rows: Vec<(String, String)>,
        became: Option<String>,
    },
}

/// The report of `recap`: what was held for it and what else was taken.
pub fn report(account: &Account, recap: &Recap, held: &[Item], taken: &[Item]) -> Report {
    let zone = account.zone.as_str();
    let all = held.len() + taken.len();
    let count = match all {
        0 => "no messages".to_owned(),
        1 => "1 message".to_owned(),
        n => format!("{n} messages"),
    };
    let late = if recap.is_late() { " (late)" } else { "" };
    let subject = format!("{}: recap of {}, {count}{late}", account.name, date_and_clock(recap.due_at, zone));
    let mut paper = Paper { protected: protected_words(account), ..Paper::default() };
    paper.heading(&format!("{}: {count}", account.name));
    paper.line(&format!("From {} to {}.", date_and_clock(recap.since, zone), date_and_clock(recap.due_at, zone)));
    if recap.is_late() {
        let made = date_and_clock(recap.made_at, zone);
        paper.line(&format!("This recap is late: it was made {made}. Nothing is missing in it."));
    }
    if !held.is_empty() {
        paper.heading("Held for this recap");
    }
    for item in held {
        paper.whole(item, zone);
    }
    if !taken.is_empty() {
        paper.heading("Dispatched since the last recap");
    }
    for item in taken {
        paper.brief(item, recap.due_at, zone);
    }
    if all == 0 {
        paper.line("Nobody left a message.");
    }
    let (text, html, blocks) = paper.finish(&account.name);
    Report { subject, text, html, blocks }
}

/// What became of a message, in a sentence.
pub fn became(state: Option<&State>, now: UtcMs, zone: &str) -> String {
    let Some(state) = state else { return "Kept for the record; nobody was to be told.".to_owned() };
    let by = state.closed_by.as_deref().unwrap_or("somebody");
    let at = state.closed_at.map_or_else(String::new, |at| {
        let today = civil(at, zone).date() == civil(now, zone).date();
        format!(", {}", if today { clock(at, zone) } else { date_and_clock(at, zone) })
    });
    match state.phase {
        Phase::Confirmed => format!("Confirmed by {by}{at}."),
        Phase::Told => format!("Told to {by}{at}."),
        Phase::Delivered => format!("Sent and accepted{at}."),
        Phase::Patched => format!("The caller was put through to {by}{at}."),
        Phase::ReadAtCheckIn => format!("Heard at check-in by {by}{at}."),
        Phase::Recapped => format!("In a recap before{at}."),
        Phase::ClosedByOperator => format!("Closed by {by}{at}."),
        Phase::Cancelled => format!("Taken back{at}."),
        Phase::ExhaustedUnconfirmed if state.only_hands_over() => {
            "NOT ALL OF IT COULD BE SENT: all steps were gone through.".to_owned()
        }
        Phase::ExhaustedUnconfirmed => "NOT CONFIRMED: all steps were gone through.".to_owned(),
        Phase::HeldForCheckIn => "Held until you check in.".to_owned(),
        Phase::HeldForRecap => "Held for a recap.".to_owned(),
        Phase::Open | Phase::Running => "Still being dispatched.".to_owned(),
    }
}

/// The same words three times: plain, as HTML, and in pieces.
#[derive(Default)]
struct Paper {
    text: String,
    html: String,
    blocks: Vec<Block>,
    /// In place of what a protected message says.
    protected: String,
}

impl Paper {
    fn heading(&mut self, words: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        self.text.push_str(&format!("{gap}{words}\n{}\n", "=".repeat(words.chars().count().min(60))));
        self.blocks.push(Block::Heading(words.to_owned()));
        self.html.push_str(&format!("<h2 style=\"font-size:18px;margin:20px 0 6px\">{}</h2>\n", escaped(words)));
    }

    fn line(&mut self, words: &str) {
        self.text.push_str(&format!("{words}\n"));
        self.blocks.push(Block::Line(words.to_owned()));
        self.html.push_str(&format!("<p style=\"margin:4px 0\">{}</p>\n", escaped(words)));
    }

    fn whole(&mut self, item: &Item, zone: &str) {
        let message = &item.message;
        let title = format!("{} · {}", date_and_clock(message.taken_at, zone), item.call_type);
        self.text.push_str(&format!("\n{title}\n"));
        self.blocks.push(Block::Message { title: title.clone(), rows: Vec::new(), became: None });
        self.html.push_str(&format!(
            "<div style=\"border:1px solid #d0d5dc;border-radius:6px;padding:8px 12px;margin:8px 0\">\n<b>{}</b>\n<table style=\"border-collapse:collapse\">\n",
            escaped(&title)
        ));
        if item.protected {
            let words = self.protected.clone();
            self.text.push_str(&format!("  {words}\n"));
            self.row("", &words);
            self.html.push_str("</table>\n</div>\n");
            return;
        }
        for answer in written_answers(message) {
            let gap = if answer.long { "\n  " } else { " " };
            self.text.push_str(&format!("  {}:{gap}{}\n", answer.label, answer.words.replace('\n', "\n  ")));
            self.row(&answer.label, &answer.words);
        }
        if let Some(caller) = &message.caller {
            let caller = number(caller.as_e164());
            self.text.push_str(&format!("  Called from: {caller}\n"));
            self.row("Called from", &caller);
        }
        self.html.push_str("</table>\n</div>\n");
    }

    fn row(&mut self, label: &str, words: &str) {
        if let Some(Block::Message { rows, .. }) = self.blocks.last_mut() {
            rows.push((label.to_owned(), words.to_owned()));
        }
        self.html.push_str(&format!(
            "<tr><td style=\"color:#5b6572;padding:2px 12px 2px 0;vertical-align:top\">{}</td><td>{}</td></tr>\n",
            escaped(label),
            escaped(words).replace('\n', "<br>")
        ));
    }

    fn brief(&mut self, item: &Item, now: UtcMs, zone: &str) {
        let urgent = if item.message.urgency == Urgency::Urgent { "URGENT, " } else { "" };
        let title = format!("{} · {urgent}{}", date_and_clock(item.message.taken_at, zone), item.call_type);
        let headline = if item.protected { self.protected.clone() } else { headline(&item.message) };
        let became = became(item.state.as_ref(), now, zone);
        self.text.push_str(&format!("\n{title}: {headline}\n  {became}\n"));
        let rows = vec![(String::new(), headline.clone())];
        self.blocks.push(Block::Message { title: title.clone(), rows, became: Some(became.clone()) });
        self.html.push_str(&format!(
            "<p style=\"margin:8px 0\"><b>{}</b>: {}<br><span style=\"color:#5b6572\">{}</span></p>\n",
            escaped(&title),
            escaped(&headline),
            escaped(&became)
        ));
    }

    fn finish(self, title: &str) -> (String, String, Vec<Block>) {
        let html = format!(
            "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
             <body style=\"font:15px/1.45 sans-serif;color:#1f2730;max-width:720px;margin:16px auto;padding:0 12px\">\n{}</body></html>\n",
            escaped(title),
            self.html
        );
        (self.text, html, self.blocks)
    }
}

/// What callers said is text, never markup.
fn escaped(words: &str) -> String {
    let mut html = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RecapId;
    use crate::domain::dispatch::hold::TimeOfDay;
    use crate::domain::message::form::Sensitive;
    use crate::domain::message::render::tests::{account, message};
    use crate::domain::recap::plan::Plan;

    /// 2026-03-07T08:00 in Chicago.
    const EIGHT: UtcMs = UtcMs(1_772_892_000_000);

    fn recap(made_at: UtcMs) -> Recap {
        let plan = Plan { times: vec![TimeOfDay::parse("08:00").expect("a time")], ..Plan::default() };
        let slot = plan.last_slot("America/Chicago", UtcMs(0), EIGHT).expect("it has come");
        let day = 24 * 3_600_000;
        Recap::new(RecapId::named("r"), account().id, &slot, EIGHT.plus_ms(-day), made_at, &[])
    }

    fn item(problem: &str) -> Item {
        Item { message: message(problem), call_type: "Routine".into(), state: None, protected: false }
    }

    #[test]
    fn what_was_held_is_whole_and_the_rest_says_what_became_of_it() {
        let report = report(&account(), &recap(EIGHT), &[item("Drip\nin the hall")], &[item("Burst pipe")]);
        assert_eq!(report.subject, "Imaginary Plumbing: recap of Sat 7 Mar 2026, 08:00, 2 messages");
        for part in [
            "Held for this recap",
            "Problem:\n  Drip\n  in the hall",
            "Pets: one dog",
            "+1 202 555 0148",
            "URGENT, Routine: Jane Roe · Burst pipe",
            "Kept for the record",
        ] {
            assert!(report.text.contains(part), "{part} is missing in {}", report.text);
        }
        assert!(report.html.contains("Drip<br>in the hall") && report.html.contains("Burst pipe"));
        assert!(!report.text.contains("late"), "{}", report.text);
    }

    #[test]
    fn of_a_protected_message_it_says_only_that_there_is_one() {
        let protected = Item { protected: true, ..item("Burst pipe") };
        let report =
            report(&account(), &recap(EIGHT), std::slice::from_ref(&protected), std::slice::from_ref(&protected));
        for words in [&report.text, &report.html, &format!("{:?}", report.blocks)] {
            assert_eq!(words.matches("protected. Call ").count(), 2, "{words}");
            for said in ["Burst", "Jane", "0147", "0148", "dog"] {
                assert!(!words.contains(said), "{said}: {words}");
            }
        }
    }

    #[test]
    fn a_late_one_says_so_and_one_about_nothing_too() {
        let report = report(&account(), &recap(EIGHT.plus_ms(3_600_000)), &[], &[]);
        assert_eq!(report.subject, "Imaginary Plumbing: recap of Sat 7 Mar 2026, 08:00, no messages (late)");
        assert!(report.text.contains("This recap is late: it was made Sat 7 Mar 2026, 09:00."), "{}", report.text);
        assert!(report.text.contains("Nobody left a message."));
    }

    #[test]
    fn what_callers_say_is_no_markup_and_what_is_sensitive_is_not_in_it() {
        let mut secret = item("<script>alert(1)</script> & \"more\"");
        let report_of = |item: &Item| report(&account(), &recap(EIGHT), std::slice::from_ref(item), &[]);
        let html = report_of(&secret).html;
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"), "{html}");
        secret.message.form.fields[2].sensitive = Sensitive::Kept;
        let report = report_of(&secret);
        assert!(!report.text.contains("script") && !report.html.contains("script"), "{}", report.text);
    }
}
