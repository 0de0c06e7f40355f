//! The client's morning page: each message of the night in one sentence. "02:14 Burst pipe at 5th St: texted Ben Ortiz, confirmed by
//! Ben Ortiz 02:19." Pure; made of a dispatch's own history, so it can say nothing that the time line does not.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::clock::UtcMs;
use crate::domain::dispatch::event::{Entry, Note, Via};
use crate::domain::dispatch::in_hours::{OutOfHours, is_days_off};
use crate::domain::dispatch::job::JobOutcome;
use crate::domain::dispatch::patch_step::PatchEnd;
use crate::domain::dispatch::state::{CallOutcome, Channel, Phase, Trouble};
use crate::domain::message::render::{clock, date_and_clock};
use crate::domain::oncall::first_instant;

/// A night begins in the evening before its date and ends in the morning, on the account's clock.
const EVENING: i8 = 18;
const MORNING: i8 = 8;

/// How a yes begins.
const YES: &str = "confirmed by ";

/// The night that ended, or ends, on a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    pub date: Date,
    pub from: UtcMs,
    pub until: UtcMs,
}

impl Night {
    /// The night of `date`.
    pub fn of(date: Date, zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let from = first_instant(&zone, date.yesterday().ok()?.at(EVENING, 0, 0, 0))?;
        Some(Self { date, from, until: first_instant(&zone, date.at(MORNING, 0, 0, 0))? })
    }

    /// The one that `now` is in, else the last one.
    pub fn last(zone: &str, now: UtcMs) -> Option<Self> {
        let of = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let today = of.to_datetime(Timestamp::from_millisecond(now.0).ok()?).date();
        let coming = today.tomorrow().ok().and_then(|date| Self::of(date, zone)).filter(|night| night.from <= now);
        coming.or_else(|| Self::of(today, zone))
    }
}

/// A message of the night.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub taken_at: UtcMs,
    /// What it is about, as far as it may be said here.
    pub about: &'a str,
    /// None: it was not dispatched.
    pub phase: Option<Phase>,
    pub needs_operator: bool,
    /// It only had to be handed over.
    pub only_hands_over: bool,
    pub entries: &'a [Entry],
}

/// It in one sentence.
pub fn sentence(told: &Told<'_>, zone: &str) -> String {
    let mut parts = Parts::default();
    let mut entries = told.entries;
    while let [entry, later @ ..] = entries {
        parts.note(entry, later, zone);
        entries = later;
    }
    match told.phase {
        None => parts.say("nobody was to be told".to_owned()),
        Some(phase) => {
            if let Some(stands) = stands(phase, told.only_hands_over) {
                parts.say(stands.to_owned());
            }
            if phase.is_open() && told.needs_operator {
                parts.say("an operator sees to it".to_owned());
            }
        }
    }
    format!("{} {}: {}.", clock(told.taken_at, zone), told.about.trim_end_matches('.'), parts.into_text())
}

/// How it stands, where what was done does not say it.
const fn stands(phase: Phase, only_hands_over: bool) -> Option<&'static str> {
    match phase {
        Phase::ExhaustedUnconfirmed if only_hands_over => Some("not all of it could be sent and every step was made"),
        Phase::HeldForRecap => Some("held for the recap"),
        Phase::HeldForCheckIn => Some("held until somebody checks in"),
        Phase::ExhaustedUnconfirmed => Some("nobody has confirmed and every step was made"),
        Phase::Open | Phase::Running => Some("still open"),
        Phase::Recapped
        | Phase::ReadAtCheckIn
        | Phase::Confirmed
        | Phase::Told
        | Phase::Delivered
        | Phase::Patched
        | Phase::Cancelled
        | Phase::ClosedByOperator => None,
    }
}

/// What was done, in order; the same done again and again is said once.
#[derive(Default)]
struct Parts(Vec<(String, u32)>);

impl Parts {
    fn say(&mut self, what: String) {
        match self.0.iter_mut().find(|(said, _)| *said == what) {
            Some((_, times)) => *times += 1,
            None => self.0.push((what, 1)),
        }
    }

    /// A call that was stopped had begun before the yes that stopped it.
    fn say_before_yes(&mut self, what: String) {
        let is_yes = self.0.last().is_some_and(|(said, _)| said.starts_with(YES));
        let yes = if is_yes { self.0.pop() } else { None };
        self.say(what);
        self.0.extend(yes);
    }

    fn note(&mut self, entry: &Entry, later: &[Entry], zone: &str) {
        let at = clock(entry.at, zone);
        match &entry.note {
            Note::Handed { channel, name, label, again } if !label.is_empty() => {
                let left = *again || !never_left(later, (*channel, name.as_str(), label.as_str()));
                if let Some(done) = done(*channel, name).filter(|_| left) {
                    self.say(done);
                }
            }
            Note::CallEnded { name, wrong_pins: true, .. } => self.say(format!("called {name} (wrong PIN)")),
            Note::CallEnded { name, outcome: outcome @ CallOutcome::Cancelled, .. } => {
                self.say_before_yes(format!("called {name}{}", heard(*outcome)));
            }
            Note::CallEnded { name, outcome, .. } => self.say(format!("called {name}{}", heard(*outcome))),
            Note::JobDone { name, by, outcome, .. } => self.say(format!("{by} called {name}{}", came_of(outcome))),
            Note::Failed { channel, name, for_good: true, .. } => {
                self.say(format!("the {} to {name} failed", channel.noun()));
            }
            Note::NoOne { role } => self.say(format!("nobody was on call as {role}")),
            Note::Unreachable { name, .. } => self.say(format!("{name} could not be reached")),
            Note::Trouble { trouble: Trouble::Stopped { who, .. } } => {
                self.say(format!("{who} asked for no more texts (STOP)"));
            }
            Note::Hours { name, not_before: Some(until), then: OutOfHours::Waits, .. } => {
                let until =
                    if is_days_off(*until, entry.at) { date_and_clock(*until, zone) } else { clock(*until, zone) };
                self.say(format!("kept for {name} until {until}"));
            }
            Note::PatchOver { name, why, .. } => self.say(format!("caller not put through to {name}{}", kept(*why))),
            Note::Joined { name } => self.say(format!("{name} spoke with the caller {at}")),
            Note::Told { name } => self.say(format!("{name} heard it {at}")),
            Note::Read { name } => self.say(format!("{name} opened it {at}")),
            Note::ReadAtCheckIn { who, .. } => self.say(format!("{who} heard it at check-in {at}")),
            Note::Recapped { to } => self.say(format!("in the recap to {}", to.join(", "))),
            Note::Confirmed { name, via, by, .. } => self.say(match (via, by) {
                (Via::Operator, Some(by)) => format!("{YES}{name} to {by} {at}"),
                (Via::Operator, None) => format!("{YES}{name} to an operator {at}"),
                (Via::Text | Via::Key | Via::Inbox | Via::Mail, _) => format!("{YES}{name} {at}"),
            }),
            Note::Changed { by, .. } => self.say(format!("changed by {by} {at}")),
            Note::Closed { phase, by, .. } => {
                let by = by.as_deref().unwrap_or("nobody");
                match phase {
                    Phase::Patched => self.say(format!("caller put through to {by} {at}")),
                    Phase::Cancelled => self.say(format!("taken back by {by} {at}")),
                    Phase::ClosedByOperator => self.say(format!("closed by {by} {at}")),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn into_text(self) -> String {
        let said =
            self.0.into_iter().map(|(what, times)| if times == 1 { what } else { format!("{what} ({times} times)") });
        let text = said.collect::<Vec<_>>().join(", ");
        if text.is_empty() { "nothing was done yet".to_owned() } else { text }
    }
}

/// What was handed over by this way, to this name and label, was refused before anybody had taken it. What is handed over once
/// more as it may have arrived was not.
fn never_left(later: &[Entry], (channel, name, label): (Channel, &str, &str)) -> bool {
    let same = |c: Channel, n: &str, l: &str| (c, n, l) == (channel, name, label);
    let mut refused = false;
    for entry in later {
        match &entry.note {
            Note::Handed { channel: c, name: n, label: l, again } if same(*c, n, l) => return refused && !*again,
            Note::Failed { channel: c, name: n, label: l, .. } if same(*c, n, l) => refused = true,
            Note::Accepted { channel: c, name: n, label: l } if same(*c, n, l) => return false,
            Note::Delivered { channel: c, name: n } if (*c, n.as_str()) == (channel, name) => return false,
            Note::Faxed { name: n, .. } if (Channel::Fax, n.as_str()) == (channel, name) => return false,
            _ => {}
        }
    }
    refused
}

/// A call is said once it is over: with what came of it.
fn done(channel: Channel, name: &str) -> Option<String> {
    Some(match channel {
        Channel::Text => format!("texted {name}"),
        Channel::Email => format!("emailed {name}"),
        Channel::Pager => format!("paged {name}"),
        Channel::Push => format!("sent {name} a secure message"),
        Channel::Webhook => format!("posted to {name}'s system"),
        Channel::Fax => format!("faxed {name}"),
        Channel::Call => return None,
    })
}

fn heard(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Confirmed | CallOutcome::ToldOnly => "",
        CallOutcome::LeftRequest | CallOutcome::LeftOnMachine | CallOutcome::LeftWithPerson => " (asked to call back)",
        CallOutcome::Machine => " (voicemail)",
        CallOutcome::Busy => " (busy)",
        CallOutcome::NoAnswer => " (no answer)",
        CallOutcome::NotAccepted | CallOutcome::Declined => " (not taken)",
        CallOutcome::Fax | CallOutcome::Silent | CallOutcome::Lost => " (nobody heard it)",
        CallOutcome::Cancelled => " (stopped ringing)",
    }
}

fn kept(why: PatchEnd) -> &'static str {
    match why {
        PatchEnd::NoAnswer => " (no answer)",
        PatchEnd::Busy => " (busy)",
        PatchEnd::Refused => " (not taken)",
        PatchEnd::WrongNumber => " (wrong number)",
        PatchEnd::NotConnected | PatchEnd::OperatorLost => " (not connected)",
        PatchEnd::GivenUp | PatchEnd::NotBegun => " (not tried)",
        PatchEnd::CallerGone => " (they had hung up)",
    }
}

fn came_of(outcome: &JobOutcome) -> &'static str {
    match outcome {
        JobOutcome::Told { .. } | JobOutcome::Confirmed { .. } => "",
        JobOutcome::Refused => " (not taken)",
        JobOutcome::LeftWith { .. } | JobOutcome::LeftOnVoicemail => " (asked to call back)",
        JobOutcome::NoAnswer => " (no answer)",
        JobOutcome::Busy => " (busy)",
        JobOutcome::WrongNumber => " (wrong number)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: &str = "America/New_York";

    fn at(text: &str) -> UtcMs {
        UtcMs(text.parse::<Timestamp>().expect("an instant").as_millisecond())
    }

    fn entry(text: &str, note: Note) -> Entry {
        Entry { at: at(text), who: None, note }
    }

    fn handed(channel: Channel) -> Note {
        Note::Handed { channel, name: "Ben".into(), label: "mobile".into(), again: false }
    }

    #[test]
    fn a_text_that_is_confirmed_is_one_sentence() {
        let entries = [
            entry("2026-03-07T07:14:05Z", Note::Opened { protocol: "urgent".into(), version: 1 }),
            entry("2026-03-07T07:14:05Z", handed(Channel::Text)),
            entry(
                "2026-03-07T07:14:06Z",
                Note::Accepted { channel: Channel::Text, name: "Ben".into(), label: "mobile".into() },
            ),
            entry("2026-03-07T07:19:00Z", Note::Confirmed { name: "Ben".into(), via: Via::Text, note: None, by: None }),
        ];
        let told = Told {
            taken_at: at("2026-03-07T07:14:00Z"),
            about: "Burst pipe at 5th St",
            phase: Some(Phase::Confirmed),
            needs_operator: false,
            only_hands_over: false,
            entries: &entries,
        };
        assert_eq!(sentence(&told, ZONE), "02:14 Burst pipe at 5th St: texted Ben, confirmed by Ben 02:19.");
    }

    #[test]
    fn a_call_that_a_yes_stopped_is_told_before_the_yes() {
        let outcome = CallOutcome::Cancelled;
        let called = Note::CallEnded { name: "Ben".into(), label: "mobile".into(), outcome, wrong_pins: false };
        let yes = Note::Confirmed { name: "Ben".into(), via: Via::Text, note: None, by: None };
        assert_eq!(
            came_to(Phase::Confirmed, false, &[handed(Channel::Text), yes, called.clone()]),
            "texted Ben, called Ben (stopped ringing), confirmed by Ben 02:30."
        );
        assert_eq!(came_to(Phase::Running, false, &[called]), "called Ben (stopped ringing), still open.");
    }

    #[test]
    fn what_was_tried_again_and_again_is_said_once_and_an_open_one_says_so() {
        let called =
            |outcome| Note::CallEnded { name: "Ben".into(), label: "mobile".into(), outcome, wrong_pins: false };
        let entries = [
            entry("2026-03-07T07:14:05Z", handed(Channel::Text)),
            entry("2026-03-07T07:29:05Z", handed(Channel::Call)),
            entry("2026-03-07T07:29:35Z", called(CallOutcome::NoAnswer)),
            entry("2026-03-07T07:40:00Z", handed(Channel::Text)),
        ];
        let told = Told {
            taken_at: at("2026-03-07T07:14:00Z"),
            about: "No heat.",
            phase: Some(Phase::Running),
            needs_operator: false,
            only_hands_over: false,
            entries: &entries,
        };
        assert_eq!(sentence(&told, ZONE), "02:14 No heat: texted Ben (2 times), called Ben (no answer), still open.");
        let none = Told { phase: None, entries: &[], ..told };
        assert_eq!(sentence(&none, ZONE), "02:14 No heat: nobody was to be told.");
    }

    /// The sentence of a night's message that came to this.
    fn came_to(phase: Phase, needs_operator: bool, notes: &[Note]) -> String {
        comes_to(phase, needs_operator, false, notes)
    }

    fn comes_to(phase: Phase, needs_operator: bool, only_hands_over: bool, notes: &[Note]) -> String {
        let entries: Vec<Entry> = notes.iter().map(|note| entry("2026-03-07T07:30:00Z", note.clone())).collect();
        let taken_at = at("2026-03-07T07:14:00Z");
        let (about, phase, entries) = ("No heat", Some(phase), entries.as_slice());
        let said = sentence(&Told { taken_at, about, phase, needs_operator, only_hands_over, entries }, ZONE);
        said.trim_start_matches("02:14 No heat: ").to_owned()
    }

    #[test]
    fn a_patch_that_connected_says_to_whom_and_one_that_did_not_says_why() {
        let over = Note::PatchOver { name: "Ben".into(), label: "mobile".into(), why: PatchEnd::NoAnswer };
        let put_through = Note::Closed { phase: Phase::Patched, by: Some("Ada".into()), reason: None };
        assert_eq!(
            came_to(Phase::Patched, false, &[over, put_through]),
            "caller not put through to Ben (no answer), caller put through to Ada 02:30."
        );
        let joined = Note::Joined { name: "Ben".into() };
        assert_eq!(came_to(Phase::Told, false, &[joined]), "Ben spoke with the caller 02:30.");
    }

    #[test]
    fn what_was_refused_is_not_said_to_have_been_sent_and_what_came_back_later_is() {
        let failed = |channel, for_good| Note::Failed {
            channel,
            name: "Ben".into(),
            label: "mobile".into(),
            why: "no_device".into(),
            said: None,
            for_good,
        };
        let accepted = |channel| Note::Accepted { channel, name: "Ben".into(), label: "mobile".into() };
        let said = |notes: &[Note]| came_to(Phase::Running, false, notes);
        assert_eq!(
            said(&[handed(Channel::Push), failed(Channel::Push, true), handed(Channel::Text), accepted(Channel::Text)]),
            "the secure message to Ben failed, texted Ben, still open."
        );
        let twice = [handed(Channel::Text), failed(Channel::Text, false), handed(Channel::Text)];
        assert_eq!(said(&twice), "texted Ben, still open.", "once, at the second try");
        let came_back = [handed(Channel::Email), accepted(Channel::Email), failed(Channel::Email, true)];
        assert_eq!(said(&came_back), "emailed Ben, the email to Ben failed, still open.");
        let again = Note::Handed { channel: Channel::Text, name: "Ben".into(), label: "mobile".into(), again: true };
        let unknown = [handed(Channel::Text), failed(Channel::Text, false), again, failed(Channel::Text, true)];
        assert_eq!(said(&unknown), "texted Ben (2 times), the text to Ben failed, still open.", "it may have arrived");
    }

    #[test]
    fn somebody_who_texted_stop_is_said_to_have() {
        let trouble = Trouble::Stopped { who: "Ben".into(), number: None };
        assert_eq!(
            came_to(Phase::Running, false, &[handed(Channel::Text), Note::Trouble { trouble }]),
            "texted Ben, Ben asked for no more texts (STOP), still open."
        );
    }

    #[test]
    fn steps_that_ran_out_say_so_and_who_sees_to_it_now() {
        let outcome = CallOutcome::LeftOnMachine;
        let called = Note::CallEnded { name: "Ben".into(), label: "mobile".into(), outcome, wrong_pins: false };
        assert_eq!(
            came_to(Phase::ExhaustedUnconfirmed, true, &[handed(Channel::Text), called]),
            "texted Ben, called Ben (asked to call back), nobody has confirmed and every step was made, \
             an operator sees to it."
        );
        assert_eq!(
            comes_to(Phase::ExhaustedUnconfirmed, true, true, &[handed(Channel::Text)]),
            "texted Ben, not all of it could be sent and every step was made, an operator sees to it."
        );
    }

    #[test]
    fn what_is_held_says_for_what_also_while_an_operator_sees_to_it() {
        assert_eq!(came_to(Phase::HeldForRecap, false, &[]), "held for the recap.");
        assert_eq!(came_to(Phase::HeldForCheckIn, true, &[]), "held until somebody checks in, an operator sees to it.");
        let hours = |begin: &str| {
            let not_before = Some(at(begin));
            Note::Hours { name: "Ben".into(), label: "email".into(), not_before, then: OutOfHours::Waits }
        };
        let kept = |begin: &str| came_to(Phase::Running, false, &[hours(begin)]);
        assert_eq!(kept("2026-03-07T13:00:00Z"), "kept for Ben until 08:00, still open.");
        assert_eq!(kept("2026-03-09T12:00:00Z"), "kept for Ben until Mon 9 Mar 2026, 08:00, still open.");
        let recapped = Note::Recapped { to: vec!["Olive".into()] };
        assert_eq!(came_to(Phase::Recapped, false, &[recapped]), "in the recap to Olive.");
    }

    #[test]
    fn the_last_night_is_the_one_that_one_is_in_or_came_out_of() {
        let date = |now: &str| Night::last(ZONE, at(now)).map(|night| night.date.to_string());
        // 02:14, 09:00 and 17:59 of the 7th; 18:00 of the 7th begins the night of the 8th.
        for now in ["2026-03-07T07:14:00Z", "2026-03-07T14:00:00Z", "2026-03-07T22:59:00Z"] {
            assert_eq!(date(now).as_deref(), Some("2026-03-07"), "{now}");
        }
        assert_eq!(date("2026-03-07T23:00:00Z").as_deref(), Some("2026-03-08"));
        let night = Night::of("2026-03-08".parse().expect("a date"), ZONE).expect("a night");
        assert_eq!(night.until.since(night.from), 13 * 3_600_000, "the clocks went forward in it");
    }
}
