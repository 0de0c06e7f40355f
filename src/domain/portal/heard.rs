//! What callers of an account hear, each with a name that its client knows it by: so that what is approved can be listened to, a
//! recording above all. Music is none of it.
//!
//! Pure; asked by `http/portal/greetings`. What always holds: each is at the JSON pointer at which the account has it, and nothing is
//! listed that would not be said.

use crate::base::clock::UtcMs;
use crate::domain::account::said::list_speeches;
use crate::domain::account::{Account, Speech};

/// Where the announcement before the greeting is.
const STATUS: &str = "/status_greeting";

/// Something that callers hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard<'a> {
    /// Where the account has it, as a JSON pointer.
    pub at: String,
    pub title: String,
    pub speech: &'a Speech,
    /// What it says, where that is written somewhere.
    pub words: Option<&'a str>,
}

/// All that callers hear by `now`, in the order in which they would.
pub fn list_heard(account: &Account, now: UtcMs) -> Vec<Heard<'_>> {
    let status = account.status_greeting_at(now);
    let mut all: Vec<(String, &Speech)> = Vec::new();
    all.extend(status.map(|status| (STATUS.to_owned(), &status.speech)));
    all.extend(account.speeches());
    all.extend(list_speeches(&account.hours, &account.menus));
    let mut heard = Vec::new();
    for (at, speech) in all {
        let Some(title) = title(account, &at, now).filter(|_| speech.is_said()) else { continue };
        let words = match speech {
            Speech::Spoken { text } => Some(text.as_str()),
            Speech::Recorded { .. } | Speech::Uploaded { .. } if at == STATUS => {
                status.and_then(|s| s.words.as_deref())
            }
            Speech::Recorded { .. } | Speech::Uploaded { .. } => None,
        };
        heard.push(Heard { at, title, speech, words });
    }
    heard
}

/// What somebody of the client's would call it; none: it is no words, or over.
fn title(account: &Account, at: &str, now: UtcMs) -> Option<String> {
    let hours = &account.hours;
    let parts: Vec<&str> = at.split('/').skip(1).collect();
    let greets = parts.last() == Some(&"greeting");
    let named = |name: &str| if greets { format!("Greeting: {name}") } else { format!("After the greeting: {name}") };
    match parts.as_slice() {
        ["status_greeting"] => Some("Announcement before the greeting".to_owned()),
        ["greeting"] => Some("The usual greeting".to_owned()),
        ["apology"] => Some("When nobody is free".to_owned()),
        ["comfort", ..] => Some("While they wait".to_owned()),
        ["recording", ..] => Some("Before a call is recorded".to_owned()),
        ["hours", "usual", ..] => Some(named("usual hours")),
        ["hours", "overdue", ..] => Some("After a long wait".to_owned()),
        ["hours", "windows", n, ..] => nth(&hours.windows, n).map(|window| named(&window.name)),
        ["hours", "holidays", n, ..] => nth(&hours.holidays, n).map(|day| named(&day.name)),
        ["hours", "overrides", n, ..] => {
            nth(&hours.overrides, n).filter(|over| now < over.until).map(|over| named(&over.reason))
        }
        ["menus", n, ..] => nth(&account.menus, n).map(|menu| format!("Menu: {}", menu.name)),
        _ => None,
    }
}

fn nth<'a, T>(list: &'a [T], n: &str) -> Option<&'a T> {
    list.get(n.parse::<usize>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::StatusGreeting;
    use crate::domain::account::flow::Flow;
    use crate::domain::account::hours::{FlowOverride, Holiday, Hours};
    use crate::domain::message::render::tests::account;

    fn recording(name: &str) -> Speech {
        Speech::Uploaded { recording: name.into() }
    }

    #[test]
    fn what_callers_hear_is_listed_by_names_that_a_client_knows_and_what_is_over_is_not() {
        let holiday = Holiday {
            name: "Christmas".into(),
            date: "12-25".into(),
            span: None,
            greeting: Some(recording("christmas")),
            flow: Flow::Announcement { speech: Speech::Spoken { text: "Merry Christmas.".into() } },
        };
        let storm = FlowOverride {
            from: UtcMs(0),
            until: UtcMs(1_000),
            reason: "storm".into(),
            made_at: UtcMs(0),
            greeting: Some(recording("storm")),
            flow: Flow::default(),
        };
        let status = StatusGreeting {
            speech: recording("snow"),
            words: Some("Closed by snow.".into()),
            by: "Pat".into(),
            at: UtcMs(0),
            until: Some(UtcMs(1_000)),
        };
        let mut account = Account {
            greeting: recording("usual"),
            apology: Speech::Spoken { text: " ".into() },
            hours: Hours { holidays: vec![holiday], overrides: vec![storm], ..Hours::default() },
            status_greeting: Some(status),
            ..account()
        };
        account.recording.announcement = None;
        account.queueing.music = vec![recording("music")];
        let listed = |now| {
            let heard = list_heard(&account, UtcMs(now)).into_iter();
            heard.map(|one| (one.at, one.title, one.words.map(str::to_owned))).collect::<Vec<_>>()
        };
        let of =
            |at: &str, title: &str, words: Option<&str>| (at.to_owned(), title.to_owned(), words.map(str::to_owned));
        let stays = [
            of("/greeting", "The usual greeting", None),
            of("/hours/holidays/0/greeting", "Greeting: Christmas", None),
            of("/hours/holidays/0/flow/speech", "After the greeting: Christmas", Some("Merry Christmas.")),
        ];
        assert_eq!(listed(1_000), stays, "no music, no words that are none, nothing that is over");
        let now = listed(999);
        assert!(stays.iter().all(|one| now.contains(one)));
        assert_eq!(now[0], of("/status_greeting", "Announcement before the greeting", Some("Closed by snow.")));
        assert!(now.contains(&of("/hours/overrides/0/greeting", "Greeting: storm", None)));
    }
}
