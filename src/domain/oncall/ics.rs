//! Shifts as a calendar that other programs read (iCalendar, RFC 5545). Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::clock::UtcMs;

/// Lines are folded after so many octets (RFC 5545 §3.1).
const MAX_LINE: usize = 75;

/// One shift of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same for the same shift, whenever it is read.
    pub uid: String,
    pub from: UtcMs,
    pub until: UtcMs,
    pub summary: String,
    pub description: String,
}

/// When what is in a calendar was changed last, and how often it was: the same until somebody changes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    pub sequence: u32,
    pub at: UtcMs,
}

/// A whole calendar, called `name`.
pub fn render(name: &str, events: &[Event], revised: Revision) -> String {
    let mut text = String::new();
    let mut line = |content: &str| fold(&mut text, content);
    for fixed in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Cordboard//On call//EN", "CALSCALE:GREGORIAN"] {
        line(fixed);
    }
    line(&format!("X-WR-CALNAME:{}", escape(name)));
    line("REFRESH-INTERVAL;VALUE=DURATION:PT15M");
    for event in events {
        line("BEGIN:VEVENT");
        line(&format!("UID:{}", escape(&event.uid)));
        // In a calendar without METHOD it is when the event was revised, not when it is read (RFC 5545 §3.8.7.2).
        line(&format!("DTSTAMP:{}", instant(revised.at)));
        // Never less than before (§3.8.7.4). It counts changes of any shift: one more than needed does no harm.
        line(&format!("SEQUENCE:{}", revised.sequence));
        line(&format!("DTSTART:{}", instant(event.from)));
        line(&format!("DTEND:{}", instant(event.until)));
        line(&format!("SUMMARY:{}", escape(&event.summary)));
        line(&format!("DESCRIPTION:{}", escape(&event.description)));
        // On call is no time that is taken: others may still plan things.
        line("TRANSP:TRANSPARENT");
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    text
}

/// RFC 5545 §3.3.5, form 2.
fn instant(at: UtcMs) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545 §3.3.11.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' => escaped.push_str("\\\\"),
            ';' => escaped.push_str("\\;"),
            ',' => escaped.push_str("\\,"),
            '\n' => escaped.push_str("\\n"),
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}

fn fold(text: &mut String, content: &str) {
    let mut octets = 0;
    for char in content.chars() {
        if octets + char.len_utf8() > MAX_LINE {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(char);
        octets += char.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_an_event_and_long_lines_are_folded_between_characters() {
        let event = Event {
            uid: "sch_a-0@cordboard".into(),
            from: UtcMs(0),
            until: UtcMs(3_600_000),
            summary: format!("Zoë; {}", "é".repeat(60)),
            description: "rotation A, week\nnext".into(),
        };
        let text = render("Plumbing, on call", &[event], Revision { sequence: 7, at: UtcMs(1_000) });
        assert!(text.contains("\r\nDTSTART:19700101T000000Z\r\nDTEND:19700101T010000Z\r\n"), "{text}");
        assert!(text.contains("\r\nDTSTAMP:19700101T000001Z\r\nSEQUENCE:7\r\n"), "{text}");
        assert!(text.contains("X-WR-CALNAME:Plumbing\\, on call\r\n"), "{text}");
        assert!(text.contains("DESCRIPTION:rotation A\\, week\\nnext\r\n"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= MAX_LINE), "{text}");
        assert!(text.replace("\r\n ", "").contains(&"é".repeat(60)), "unfolded it is whole");
    }
}
