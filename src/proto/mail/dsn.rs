//! Delivery status notifications (RFC 3464): what a mail server says became of a mail.

use mail_parser::{Message, MessagePart, MimeHeaders as _, PartType};

/// Kept of a server's own words, in characters, before they are made fit to be shown.
const MAX_SAID: usize = 1_000;

/// What became of a mail for its one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub action: Action,
    /// RFC 3463: `5.1.1`.
    pub status: String,
    /// Whom it did not reach, where the report says so.
    pub recipient: Option<String>,
    /// What the server that would not have it answered, in its own words (§2.3.6).
    pub said: Option<String>,
}

/// RFC 3464 §2.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    /// Given to a server that reports no further, or to several: nothing new.
    Passed,
}

/// The report in this mail, if it is one.
pub(super) fn find(message: &Message<'_>) -> Option<Report> {
    let part = message.parts.iter().find(|part| is_status(part))?;
    let text = match &part.body {
        PartType::Text(text) => text.to_string(),
        PartType::Binary(octets) | PartType::InlineBinary(octets) => String::from_utf8_lossy(octets).into_owned(),
        PartType::Message(inner) => String::from_utf8_lossy(inner.raw_message()).into_owned(),
        PartType::Html(_) | PartType::Multipart(_) => return None,
    };
    // One of ours has one recipient; if a report has more, the worst is told.
    let mut reports: Vec<Report> = groups(&text).iter().filter_map(recipient).collect();
    reports.sort_by_key(|report| match report.action {
        Action::Failed => 0,
        Action::Delayed => 1,
        Action::Delivered => 2,
        Action::Passed => 3,
    });
    reports.into_iter().next()
}

fn is_status(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("message")
            && kind.subtype().is_some_and(|sub| {
                // RFC 6533: the same with addresses in other alphabets.
                sub.eq_ignore_ascii_case("delivery-status") || sub.eq_ignore_ascii_case("global-delivery-status")
            })
    })
}

type Fields = Vec<(String, String)>;

/// Groups of fields, apart by empty lines (§2.1.1), lines unfolded.
fn groups(text: &str) -> Vec<Fields> {
    let (mut all, mut own): (Vec<Fields>, Fields) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if line.trim().is_empty() {
            if !own.is_empty() {
                all.push(std::mem::take(&mut own));
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = own.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            own.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    if !own.is_empty() {
        all.push(own);
    }
    all
}

/// A group about a recipient: it says an action (§2.3).
fn recipient(fields: &Fields) -> Option<Report> {
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let action = match bare(field("action")?).to_ascii_lowercase().as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        _ => Action::Passed,
    };
    let status = field("status").and_then(|value| code(bare(value)));
    let status = status.or_else(|| field("diagnostic-code").and_then(|text| text.split_whitespace().find_map(code)));
    let usual = match action {
        Action::Failed => "5.0.0",
        Action::Delayed => "4.0.0",
        Action::Delivered | Action::Passed => "2.0.0",
    };
    // `rfc822; ben@example.com`.
    let whom = field("final-recipient").or_else(|| field("original-recipient"));
    let whom =
        whom.and_then(|value| value.split_once(';')).map(|(_, address)| bare(address).chars().take(320).collect());
    // `smtp; 550 5.1.1 no such user`. What stands in brackets is no comment there.
    let said = field("diagnostic-code").map(|value| value.split_once(';').map_or(value, |(_, words)| words).trim());
    let said = said.filter(|words| !words.is_empty()).map(|words| words.chars().take(MAX_SAID).collect());
    Some(Report { action, status: status.unwrap_or_else(|| usual.to_owned()), recipient: whom, said })
}

/// Without comments, `failed (expired)`.
fn bare(value: &str) -> &str {
    value.split('(').next().unwrap_or(value).trim()
}

/// RFC 3463 §2: three numbers with points, the first of them 2, 4 or 5.
fn code(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let mut parts = text.split('.');
    let digits =
        |part: Option<&str>| part.is_some_and(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    let class = matches!(parts.next(), Some("2" | "4" | "5"));
    let sound = class && digits(parts.next()) && digits(parts.next()) && parts.next().is_none();
    sound.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Letter, read};
    use super::*;

    fn report(status_part: &str) -> Option<Report> {
        let raw = format!(
            "From: MAILER-DAEMON@mx.example.net\r\nTo: <bounces@desk.example.com>\r\nSubject: Undelivered Mail Returned to Sender\r\n\
             Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\r\n\r\n\
             --B\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n{status_part}\r\n\
             --B\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: burst pipe\r\nAction: failed\r\n\r\n--B--\r\n"
        );
        match read(raw.as_bytes(), "").letter {
            Letter::Report(report) => Some(report),
            _ => None,
        }
    }

    #[test]
    fn a_report_says_what_became_of_a_mail_and_why() {
        let told = report(
            "Reporting-MTA: dns; mx.example.net\r\nArrival-Date: Sat, 7 Mar 2026 02:10:00 -0600\r\n\r\n\
             Final-Recipient: rfc822; ben@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 <ben@example.com>:\r\n    no such user\r\n",
        );
        let expected = Report {
            action: Action::Failed,
            status: "5.1.1".into(),
            recipient: Some("ben@example.com".into()),
            said: Some("550 5.1.1 <ben@example.com>: no such user".into()),
        };
        assert_eq!(told, Some(expected));
        let bare = report("Action: failed\r\nDiagnostic-Code: smtp;\r\n").expect("a report");
        assert_eq!(bare.said, None, "no words are none");
    }

    #[test]
    fn delays_and_deliveries_are_told_apart_and_comments_are_ignored() {
        let one = |text: &str| report(&format!("Reporting-MTA: dns; mx\r\n\r\n{text}")).map(|r| (r.action, r.status));
        let delayed = one("Action: delayed (will retry)\r\nStatus: 4.4.1 (no answer)\r\n");
        assert_eq!(delayed, Some((Action::Delayed, "4.4.1".to_owned())));
        assert_eq!(one("Action: delivered\r\nStatus: 2.0.0\r\n"), Some((Action::Delivered, "2.0.0".to_owned())));
        assert_eq!(one("Action: expanded\r\nStatus: 2.0.0\r\n"), Some((Action::Passed, "2.0.0".to_owned())));
        // The worst of several.
        let two = one("Action: delivered\r\nStatus: 2.0.0\r\n\r\nAction: FAILED\r\nStatus: 4.4.7\r\n");
        assert_eq!(two, Some((Action::Failed, "4.4.7".to_owned())));
    }

    #[test]
    fn a_code_that_is_none_is_replaced_by_the_plainest_of_its_class() {
        let status =
            |text: &str| report(&format!("Reporting-MTA: dns; mx\r\n\r\nAction: failed\r\n{text}")).map(|r| r.status);
        assert_eq!(status("Status: nope\r\n").as_deref(), Some("5.0.0"));
        assert_eq!(status("Status: 9.1.1\r\nDiagnostic-Code: smtp; 552 5.2.2 full\r\n").as_deref(), Some("5.2.2"));
        assert_eq!(status("Status: 5.1.1; DROP TABLE\r\n").as_deref(), Some("5.0.0"));
    }

    #[test]
    fn a_report_without_a_group_about_somebody_is_none() {
        assert_eq!(report("Reporting-MTA: dns; mx.example.net\r\n"), None);
        assert_eq!(report(""), None);
    }
}
