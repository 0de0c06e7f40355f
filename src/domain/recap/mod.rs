//! Recaps: the daily report of an account's messages, by email at times of its own. Pure.
//!
//! A [`Plan`] says when and to whom. A [`Recap`] is one of its times come: what it reports on was fixed when it was made,
//! and each of its emails is tried until it is accepted or given up. `engine/recaps` drives it. What always holds: a time
//! is reported on once; what was missed is reported on late, all of it in one recap; a message that was held for a recap
//! counts as recapped only once an email that holds it was accepted.

pub mod plan;
pub mod report;
pub mod table;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, DispatchId, MessageId, RecapId, StepRunId};
use crate::domain::dispatch::event::Failure;
use plan::{Files, Slot};

/// A recap that is made so long after its time is called late.
const LATE_MS: i64 = 10 * 60_000;
/// When an email is tried again, in minutes after each failure; then every hour.
const AGAIN_MINUTES: [i64; 4] = [1, 5, 15, 30];
const HOUR_MINUTES: i64 = 60;
/// An email that nobody has accepted by then is given up.
const GIVE_UP_MS: i64 = 24 * 60 * 60_000;

/// One report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recap {
    pub id: RecapId,
    pub account: AccountId,
    /// The date and time it is for, on the account's clock: `2026-03-07 08:00`.
    pub slot: String,
    /// What was taken after this, and up to `due_at`, is in it.
    pub since: UtcMs,
    pub due_at: UtcMs,
    pub made_at: UtcMs,
    /// What was held for it, the oldest first.
    pub held: Vec<Held>,
    /// What else was taken meanwhile, the oldest first.
    pub taken: Vec<MessageId>,
    pub mails: Vec<RecapMail>,
    /// What goes along with each, as it was set when it was made.
    #[serde(default)]
    pub files: Files,
}

/// A message that waited for this recap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub dispatch: DispatchId,
    /// The run of the step that held it: a message that was changed meanwhile, and begun again, is not meant.
    pub run: StepRunId,
    pub message: MessageId,
}

/// The email to one person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecapMail {
    /// Becomes the Message-ID: a second try is shown once.
    pub attempt: AttemptId,
    pub name: String,
    pub address: String,
    pub accepted_at: Option<UtcMs>,
    pub failures: u32,
    pub retry_at: Option<UtcMs>,
    /// Given up; a short code.
    pub failed: Option<String>,
    /// An operator has seen that it was.
    #[serde(default)]
    pub seen: bool,
}

impl std::fmt::Debug for Recap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recap").field("id", &self.id).field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RecapMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecapMail").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

/// The alarm about an email that was given up.
pub fn lost_alarm(recap: &RecapId, email: &AttemptId) -> String {
    format!("recap:{recap}:{email}:lost")
}

/// Which email an alarm is about, if it is about one that was given up.
pub fn read_lost_alarm(alarm: &str) -> Option<(RecapId, AttemptId)> {
    let (recap, email) = alarm.strip_prefix("recap:")?.strip_suffix(":lost")?.split_once(':')?;
    Some((recap.parse().ok()?, email.parse().ok()?))
}

impl RecapMail {
    pub const fn is_settled(&self) -> bool {
        self.accepted_at.is_some() || self.failed.is_some()
    }
}

impl Recap {
    /// The recap for `slot`, made at `now`, to these people by name and address.
    pub fn new(
        id: RecapId,
        account: AccountId,
        slot: &Slot,
        since: UtcMs,
        now: UtcMs,
        to: &[(String, String)],
    ) -> Self {
        let own = id.as_str();
        let own = own.split_once('_').map_or(own, |(_, rest)| rest);
        let mail = |(n, (name, address)): (usize, &(String, String))| RecapMail {
            attempt: AttemptId::named(&format!("{own}-{}", n + 1)),
            name: name.clone(),
            address: address.clone(),
            accepted_at: None,
            failures: 0,
            retry_at: None,
            failed: None,
            seen: false,
        };
        let mails = to.iter().enumerate().map(mail).collect();
        let (held, taken) = (Vec::new(), Vec::new());
        let (slot, due_at, files) = (slot.name(), slot.at, Files::default());
        Self { id, account, slot, since, due_at, made_at: now, held, taken, mails, files }
    }

    /// What a file of it is called: `recap-2026-03-07-0800.pdf`.
    pub fn file_name(&self, ending: &str) -> String {
        format!("recap-{}.{ending}", self.slot.replace(':', "").replace(' ', "-"))
    }

    /// The emails to be sent now, by their places.
    pub fn due(&self, now: UtcMs) -> Vec<usize> {
        let due = |mail: &RecapMail| !mail.is_settled() && mail.retry_at.is_none_or(|at| at <= now);
        self.mails.iter().enumerate().filter(|(_, mail)| due(mail)).map(|(n, _)| n).collect()
    }

    /// An email was accepted.
    pub fn accepted(&mut self, mail: usize, now: UtcMs) {
        if let Some(mail) = self.mails.get_mut(mail) {
            mail.accepted_at.get_or_insert(now);
            mail.retry_at = None;
        }
    }

    /// It was not, as far as is known: it is sent again with the same Message-ID, unless nothing would come of it.
    pub fn failed(&mut self, mail: usize, failure: Failure, why: &str, now: UtcMs) {
        let late = now.since(self.made_at) >= GIVE_UP_MS;
        let Some(mail) = self.mails.get_mut(mail) else { return };
        mail.failures += 1;
        if failure == Failure::Permanent || late {
            mail.failed = Some(why.to_owned());
            return;
        }
        let tries = usize::try_from(mail.failures).unwrap_or(usize::MAX);
        let minutes = AGAIN_MINUTES.get(tries - 1).copied().unwrap_or(HOUR_MINUTES);
        mail.retry_at = Some(now.plus_secs(minutes * 60));
    }

    /// Nothing more will be done for it.
    pub fn is_settled(&self) -> bool {
        self.mails.iter().all(RecapMail::is_settled)
    }

    /// Somebody has it.
    pub fn is_sent(&self) -> bool {
        self.mails.iter().any(|mail| mail.accepted_at.is_some())
    }

    /// It is made so much after its time that it has to be said.
    pub const fn is_late(&self) -> bool {
        self.made_at.since(self.due_at) >= LATE_MS
    }

    /// When it wants attention next. None: it is settled.
    pub fn wake(&self) -> Option<UtcMs> {
        let open = self.mails.iter().filter(|mail| !mail.is_settled());
        open.map(|mail| mail.retry_at.unwrap_or(self.made_at)).min()
    }

    /// Who has it, by name.
    pub fn recipients(&self) -> Vec<String> {
        let accepted = self.mails.iter().filter(|mail| mail.accepted_at.is_some());
        accepted.map(|mail| mail.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_names_the_email_that_it_is_about() {
        let (recap, email) = (RecapId::named("r"), AttemptId::named("r-1"));
        assert_eq!(read_lost_alarm(&lost_alarm(&recap, &email)), Some((recap, email)));
        assert_eq!(read_lost_alarm("recap:rcp_r:att_r-1"), None);
    }

    const DUE: UtcMs = UtcMs(1_772_892_000_000);

    fn recap(made_after_ms: i64) -> Recap {
        let plan = plan::Plan { times: vec!["08:00".to_owned().try_into().expect("a time")], ..plan::Plan::default() };
        let slot = plan.last_slot("America/Chicago", UtcMs(0), DUE).expect("there is one");
        let to = [("Ben".to_owned(), "ben@example.com".to_owned()), ("Ada".to_owned(), "ada@example.com".to_owned())];
        let account = AccountId::named("one");
        Recap::new(RecapId::named("r"), account, &slot, UtcMs(0), DUE.plus_ms(made_after_ms), &to)
    }

    #[test]
    fn each_email_is_tried_until_it_is_accepted_and_no_more_often() {
        let (mut recap, now) = (recap(0), DUE);
        assert_eq!((recap.due(now), recap.wake(), recap.is_late()), (vec![0, 1], Some(DUE), false));
        recap.accepted(0, now);
        recap.failed(1, Failure::Temporary, "smtp_451", now);
        assert_eq!((recap.due(now), recap.is_sent(), recap.is_settled()), (vec![], true, false));
        let again = recap.wake().expect("it is tried again");
        assert_eq!((again.since(now), recap.due(again)), (60_000, vec![1]));
        recap.accepted(1, again);
        assert_eq!((recap.wake(), recap.is_settled()), (None, true));
        assert_eq!(recap.recipients(), ["Ben", "Ada"]);
    }

    #[test]
    fn an_address_that_is_refused_is_given_up_at_once_and_a_relay_that_is_away_after_a_day() {
        let mut recap = recap(0);
        recap.failed(0, Failure::Permanent, "smtp_550", DUE);
        assert_eq!(recap.mails[0].failed.as_deref(), Some("smtp_550"));
        let mut tries = 0;
        while let Some(at) = recap.wake() {
            recap.failed(1, Failure::Unknown, "timeout", at);
            tries += 1;
            assert!(tries < 40, "it ends");
        }
        assert!(tries > 20, "it was tried all day: {tries} times");
        assert!(recap.is_settled() && !recap.is_sent());
    }

    #[test]
    fn a_file_of_it_is_called_by_its_date_and_time() {
        assert_eq!(recap(0).file_name("csv"), "recap-2026-03-07-0800.csv");
    }

    #[test]
    fn what_is_made_ten_minutes_after_its_time_is_late() {
        assert!(!recap(9 * 60_000).is_late());
        assert!(recap(10 * 60_000).is_late());
    }
}
