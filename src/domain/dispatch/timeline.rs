//! The history and the next move of a dispatch in plain sentences, for operators and clients.

use super::describe::capital;
use super::event::{DeviceLine, Entry, Note, Via};
use super::in_hours;
use super::job::JobOutcome;
use super::patch_step::PatchEnd;
use super::refused;
use super::state::{Attempt, CallOutcome, Channel, Cursor, Phase, Reason, State, Trouble};
use crate::base::clock::UtcMs;
use crate::domain::alarm::{self, Means};
use crate::domain::message::render::{clock_in_zone, one_line, second_in_zone};

/// The stable kind of a line (`attempt`, `accepted`, …) and its sentence, times in `zone`.
pub fn sentence(entry: &Entry, zone: &str) -> (&'static str, String) {
    match &entry.note {
        Note::Opened { protocol, version } => ("opened", format!("Dispatch opened: {protocol}, version {version}.")),
        Note::Round { round } => ("repeat", format!("Round {round}: again from the start of the repeat.")),
        Note::Step { step, does, why } => {
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
            ("step", format!("Step {}: {does}{why}.", step + 1))
        }
        Note::NotMade { step, does, why } => ("step", format!("Step {} skipped ({does}): {why}.", step + 1)),
        Note::Again { step, nth, of, does } => ("step", format!("Step {}, try {nth} of {of}: {does}.", step + 1)),
        Note::NoOne { role } => ("failed", format!("Nobody is on call as {role}.")),
        Note::Unreachable { name, why } => ("failed", format!("{} {why}.", capital(name))),
        Note::Started { name } => ("operator", format!("{} texted START: texts reach them again.", capital(name))),
        Note::HeldForCall { name } => ("waiting", format!("The email to {name} waits for the call to end.")),
        Note::Hours { name, label, not_before, then } => {
            ("hours", in_hours::sentence(name, label, *not_before, then, entry.at, zone))
        }
        Note::Queued { channel, name } => {
            let text =
                format!("{} to {name} waits for its turn: more is to leave than may at once.", capital(channel.noun()));
            ("waiting", text)
        }
        Note::Bundled { channel, name } => {
            let text = format!(
                "The {} to {name} that still waits for its turn is left out: the next says the same.",
                channel.noun()
            );
            ("waiting", text)
        }
        Note::Handed { channel, name, label, again } => {
            let again = if *again { ", once more: whether it arrived the first time is not known" } else { "" };
            let text = match channel {
                Channel::Call => format!("Calling {name} ({label}){again}."),
                Channel::Fax => format!("Faxing {name} ({label}){again}."),
                Channel::Text if label.is_empty() => format!("Answering {name} by text{again}."),
                Channel::Email if label.is_empty() => format!("Answering {name} by email{again}."),
                Channel::Push if label.is_empty() => {
                    format!("Telling {name}'s inbox that nothing is left to do{again}.")
                }
                Channel::Webhook => format!("Posting it to {name}'s system{again}."),
                Channel::Pager => format!("Sending a page to {}{again}.", refused::whom(*channel, name, label, None)),
                Channel::Text | Channel::Email | Channel::Push => {
                    format!("Sending {} to {name}{again}.", an(*channel))
                }
            };
            ("attempt", text)
        }
        Note::LeftAlong { channel, name, of } => {
            let channel = channel.noun();
            ("attempt", format!("It went to {name} in one {channel} with others that had waited: {of} messages."))
        }
        Note::Accepted { channel, name, label } => {
            let what = match channel {
                Channel::Push if label.is_empty() => "Word that nothing is left to do".to_owned(),
                _ if label.is_empty() => "Answer".to_owned(),
                _ => capital(channel.noun()),
            };
            ("accepted", format!("{what} sent to {}, accepted.", refused::whom(*channel, name, label, None)))
        }
        Note::Delivered { channel: Channel::Webhook, name } => ("delivered", format!("{name}'s system has taken it.")),
        Note::Delivered { channel, name } => {
            ("delivered", format!("{} delivered to {name}'s device.", capital(channel.noun())))
        }
        Note::Delayed { name, status } => {
            ("waiting", format!("Email to {name}: their mail server has not taken it yet ({status}), still under way."))
        }
        Note::DelayedOften { name, times, since } => {
            let since = clock_in_zone(*since, zone);
            ("waiting", format!("Email to {name}: their mail server has said so {times} times since {since}."))
        }
        Note::Faxed { name, pages } => {
            let pages = if *pages == 1 { "its page".to_owned() } else { format!("all {pages} pages") };
            ("delivered", format!("Fax to {name}: their machine has confirmed {pages}."))
        }
        Note::FaxTakenBack { name } => ("attempt", format!("Fax to {name}: taken back.")),
        Note::Failed { channel, name, label, why, said, for_good } => {
            let said = said.as_ref().map(|said| said.reveal().as_str());
            ("failed", refused::sentence(*channel, &refused::whom(*channel, name, label, said), why, said, *for_good))
        }
        Note::Devices { name, lines } => ("attempt", format!("{name}'s devices: {}.", device_words(lines))),
        Note::Waiting { until, next, asks_nobody } => {
            ("waiting", wait_over(*asks_nobody, &second_in_zone(*until, zone), next))
        }
        Note::Held { until, next } => {
            ("waiting", format!("If nobody has checked in by {}: {next}.", clock_in_zone(*until, zone)))
        }
        Note::ReadAtCheckIn { who, by: None } => {
            ("told", format!("{} heard it at check-in, by telephone.", capital(who)))
        }
        Note::ReadAtCheckIn { who, by: Some(by) } => ("told", format!("{by} read it out to {who} at check-in.")),
        Note::Recapped { to } => ("accepted", format!("In the recap to {}, accepted.", to.join(", "))),
        Note::Answered { name } => ("accepted", format!("{name}'s phone was answered.")),
        Note::CallEnded { name, label, outcome, wrong_pins } => {
            let words = if *wrong_pins { wrong_pins_words(*outcome) } else { outcome_words(*outcome) };
            ("attempt", format!("Call to {name} ({label}): {words}."))
        }
        Note::Told { name } => ("told", format!("{name} heard the message.")),
        Note::ToldByOperator { name, by } => ("told", format!("{name} rang back and was told by {by}.")),
        Note::Joined { name } => ("attempt", format!("{name} pressed 2 and is connected to the caller.")),
        Note::Parted { name, since, secs } => {
            let (at, long) = (clock_in_zone(*since, zone), how_long(*secs));
            ("attempt", format!("{name} was connected to the caller {at}, {long}."))
        }
        Note::NotJoined { name, why } => {
            ("attempt", format!("{name} pressed 2 and was not connected to the caller: {}.", caller_words(*why)))
        }
        Note::Read { name } => ("told", format!("{name} opened the message in the inbox.")),
        Note::NoticeInstead { name, label } => {
            ("attempt", format!("No device of {name}'s takes it: a notice without content goes to {label}."))
        }
        Note::Confirmed { name, via, note, by } => {
            let via = match (via, by) {
                (Via::Text, _) => "by text".to_owned(),
                (Via::Key, _) => "by key on the phone".to_owned(),
                (Via::Operator, Some(by)) => format!("to {by}"),
                (Via::Operator, None) => "to an operator".to_owned(),
                (Via::Inbox, _) => "in the inbox".to_owned(),
                (Via::Mail, _) => "by email".to_owned(),
            };
            let note = note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
            ("confirmed", format!("{name} confirmed {via}{note}."))
        }
        Note::Repeated { name, ended } => {
            let text = match ended {
                None => format!("{name} replied again."),
                Some(Phase::Confirmed) => format!("{name} replied again; it was confirmed before."),
                Some(Phase::ClosedByOperator) => {
                    format!("{name} replied after it was closed by the service; that confirms nothing.")
                }
                Some(_) => format!("{name} replied when it needed nothing more."),
            };
            ("reply", text)
        }
        Note::RepeatedOften { name, times, since } => {
            let since = clock_in_zone(*since, zone);
            ("reply", format!("{name} has replied again {times} times since {since}, and is not answered any more."))
        }
        Note::Trouble { trouble } => ("alarm", trouble_words(trouble)),
        Note::Skipped { by } => ("operator", format!("{by} went on to the next step.")),
        Note::Retried { by } => ("operator", format!("{by} had it tried again.")),
        Note::Closed { phase, by, reason } => {
            let by = by.as_deref().unwrap_or("nobody");
            let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            let text = match phase {
                Phase::Patched => format!("The caller was put through to {by}."),
                Phase::Cancelled => format!("Taken back by {by}."),
                Phase::ClosedByOperator => format!("Closed by {by}{reason}."),
                Phase::Delivered => "Everything was accepted for delivery.".to_owned(),
                other => format!("Closed ({}).", other.name().replace('_', " ")),
            };
            ("closed", text)
        }
        Note::JobOffered { name, label, then_machine } => {
            let then = if *then_machine { "; if none takes it within 60 s, the machine calls" } else { "" };
            ("attempt", format!("An operator is asked to call {name} ({label}){then}."))
        }
        Note::JobTaken { name, label, by } => ("attempt", format!("{by} calls {name} ({label}).")),
        Note::JobFreed { name, by } => {
            ("operator", format!("{by} has let go of the call to {name}; another operator is asked."))
        }
        Note::TextedByHand { name, label, by } => {
            ("operator", format!("{by} has the message texted to {name} ({label})."))
        }
        Note::HandCallLeft { name, by } => {
            ("operator", format!("{by} has let go of the call to {name} without saying what came of it."))
        }
        Note::JobDone { name, label, by, outcome } => {
            ("attempt", format!("{by}'s call to {name} ({label}): {}.", job_words(outcome)))
        }
        Note::NobodyTook { name } => {
            ("attempt", format!("No operator has made the call to {name} within 60 s: the machine makes it."))
        }
        Note::PatchOffered { name, label } => {
            ("attempt", format!("The operator is asked to put the caller through to {name} ({label})."))
        }
        Note::PatchBegun { name } => ("attempt", format!("The operator rings {name} for the caller.")),
        Note::PatchOver { name, label, why } => {
            ("attempt", format!("The caller was not put through to {name} ({label}): {}.", patch_words(*why)))
        }
        Note::Paused { by, who, until } => {
            let until = clock_in_zone(*until, zone);
            (
                "waiting",
                format!("{who} rang back and speaks with {by}: nothing goes out meanwhile, until {until} at most."),
            )
        }
        Note::Resumed => ("operator", "The talk is over: the protocol goes on.".to_owned()),
        Note::StoodDown { names, closed } => {
            let how = if *closed { "closed" } else { "handled" };
            ("closed", format!("{} will be told that it is {how}.", names.join(", ")))
        }
        Note::NotTexted { name } => {
            ("attempt", format!("{} is not texted about it: they asked for no more texts (STOP).", capital(name)))
        }
        Note::Changed { by, again: true, .. } => {
            let text =
                format!("Changed by {by}: it goes out again from the first step. What was told before stays as told.");
            ("changed", text)
        }
        Note::Changed { by, open: true, .. } => {
            let text =
                format!("Changed by {by}: what goes out from now on says it anew. What was told before stays as told.");
            ("changed", text)
        }
        Note::Changed { by, unsent, .. } => {
            let why = unsent.as_ref().map(|why| format!(" Why: {why}")).unwrap_or_default();
            (
                "changed",
                format!("Changed by {by} after delivery, not sent again: whoever was told has other words.{why}"),
            )
        }
        Note::HeardBefore { who } => {
            ("changed", format!("{who} heard it by telephone as it was before the change: it stays held."))
        }
        Note::AnsweredBefore { name } => {
            ("changed", format!("{name} answered what was told before the change; that confirms nothing."))
        }
        Note::Texted { name, words, among } => {
            ("alarm", texted_words(name, words.as_ref().map(|words| words.reveal().as_str()), *among))
        }
        Note::Wrote { name, words: Some(words), .. } => {
            let words = one_line(words.reveal());
            ("alarm", format!("{} wrote from the inbox: \u{201c}{words}\u{201d}", capital(name)))
        }
        Note::Wrote { name, words: None, .. } => {
            ("alarm", format!("{} wrote from the inbox; the words can no longer be read.", capital(name)))
        }
        Note::Mailed { name, elsewhere, words } => {
            ("alarm", mailed_words(name, *elsewhere, words.as_ref().map(|words| words.reveal().as_str())))
        }
        Note::NotOpened { name } => {
            ("alarm", format!("{} accepted it and has not opened it yet: the desks are warned.", capital(name)))
        }
        Note::AcceptedUnheard { name } => {
            let text = format!(
                "{} accepted it by text, can open it nowhere and has not heard it: that confirms nothing.",
                capital(name)
            );
            ("alarm", text)
        }
        Note::UnopenedSeen { name, by } => ("operator", format!("{by} saw to it that {name} knows what it says.")),
        Note::Dismissed { by } => ("operator", format!("{by} saw to what came in: it is off the desks.")),
        Note::Alarmed { by: Means::Text, name } => ("alarm", format!("Alarm: {name} is texted.")),
        Note::Alarmed { by: Means::Call, name } => ("alarm", format!("Alarm: {name} is called.")),
        Note::Acknowledged { by, via } => ("operator", alarm::words::acknowledged(by, *via)),
        Note::Reopened { name } => ("failed", format!("What was sent to {name} came back undelivered.")),
    }
}

/// A text that matches nothing, with what it says where that may stand here.
fn texted_words(name: &str, words: Option<&str>, among: u32) -> String {
    let name = capital(name);
    let Some(words) = words.map(one_line) else {
        return format!("{name} sent a text that may be about another message: an operator reads it.");
    };
    let among = if among > 1 { format!(", with {among} messages open") } else { String::new() };
    format!("{name} sent a text that matches nothing{among}: \u{201c}{words}\u{201d}")
}

/// A reply to an email, with what it says.
fn mailed_words(name: &str, elsewhere: bool, words: Option<&str>) -> String {
    let whose = if elsewhere {
        format!("The email to {name} was answered from another address")
    } else {
        format!("{} answered by email", capital(name))
    };
    match words.map(one_line) {
        Some(words) => format!("{whose}: \u{201c}{words}\u{201d}"),
        None => format!("{whose}; the words can no longer be read."),
    }
}

/// Whole minutes, as a talk is counted; a short one in seconds.
fn how_long(secs: u32) -> String {
    if secs < 60 { format!("{secs} s") } else { format!("{} min", (secs + 30) / 60) }
}

/// Why somebody who was called was not connected to the caller.
const fn caller_words(why: PatchEnd) -> &'static str {
    match why {
        PatchEnd::Refused => "declined",
        PatchEnd::GivenUp => "given up",
        other => patch_words(other),
    }
}

/// What comes when a wait is over.
fn wait_over(asks_nobody: bool, time: &str, next: &str) -> String {
    if asks_nobody { format!("At {time}: {next}.") } else { format!("If no reply by {time}: {next}.") }
}

fn device_words(lines: &[DeviceLine]) -> String {
    let words = lines.iter().map(|line| match (&line.why, line.again) {
        (None, _) => format!("taken for {}", line.device),
        (Some(why), true) => format!("not taken for {} ({}), which is tried again", line.device, why.replace('_', " ")),
        (Some(why), false) => format!("not taken for {} ({})", line.device, why.replace('_', " ")),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// What comes next and when, in one sentence. `None`: nothing does.
pub fn next(state: &State, zone: &str) -> Option<(UtcMs, String)> {
    match state.phase {
        Phase::HeldForCheckIn if state.paused.is_some() => {}
        Phase::ExhaustedUnconfirmed => {
            let at = state.runs.last().and_then(|run| run.ended_at).unwrap_or(state.open_at);
            let late = if state.only_hands_over() { "" } else { " A late reply still counts." };
            return Some((at, format!("The steps have run out: an operator must see to it.{late}")));
        }
        Phase::HeldForCheckIn => return held(state, zone),
        Phase::HeldForRecap => {
            let since = state.held_for_recap()?.entered_at;
            let text = format!("Held for the next recap since {}.", clock_in_zone(since, zone));
            return Some((since, text));
        }
        Phase::Confirmed => {
            let unopened = state.unopened.as_ref()?;
            let at = unopened.due_at?;
            let time = clock_in_zone(at, zone);
            return Some((at, format!("If {} has not opened it by {time}: the desks are warned.", unopened.name)));
        }
        Phase::Open | Phase::Running => {}
        _ => return None,
    }
    let (at, reason) = state.wake()?;
    let time = second_in_zone(at, zone);
    let text = match reason {
        Reason::Open => format!("Starts at {time}; until then it can be taken back."),
        Reason::NextRound => format!("Round {} starts at {time}.", state.round + 1),
        Reason::CallEnd => "Sends the email when the call has ended.".to_owned(),
        Reason::Hours => {
            let waits = |a: &&Attempt| a.not_before == Some(at) && !a.is_settled();
            let since = state.attempts.iter().find(waits).map_or(at, |a| a.planned_at);
            let time = in_hours::when(at, since, zone);
            format!("Waits for the hours of who is to be reached: not before {time}.")
        }
        Reason::Retry => format!("Tries again at {time}."),
        Reason::WaitOver => {
            let run = state.current().and_then(|run| state.runs.get(run));
            let step = run.and_then(|run| state.protocol.steps.get(run.step));
            wait_over(step.is_some_and(|step| step.method.asks_nobody()), &time, &after(state))
        }
        Reason::CallGuard => {
            let calling =
                state.attempts.iter().rev().find(|a| a.channel == Channel::Call && a.in_flight_since.is_some());
            let name = calling.map_or("somebody", |a| a.name.as_str());
            return Some((calling.and_then(|a| a.in_flight_since).unwrap_or(at), format!("Calling {name} now.")));
        }
        Reason::FaxGuard => {
            let faxing = state.attempts.iter().rev().find(|a| a.channel == Channel::Fax && a.in_flight_since.is_some());
            let name = faxing.map_or("somebody", |a| a.name.as_str());
            return Some((faxing.and_then(|a| a.in_flight_since).unwrap_or(at), format!("Faxing {name} now.")));
        }
        Reason::Job => {
            let found = state.attempts.iter().rev().filter(|a| a.in_flight_since.is_some());
            let mut found = found.filter_map(|a| a.job.as_ref().map(|job| (a, job)));
            let Some((a, job)) = found.next() else {
                return Some((at, "An operator is asked to call.".to_owned()));
            };
            match (&job.taken, job.then_machine) {
                (Some(taken), _) => return Some((taken.at, format!("{} calls {} now.", taken.name, a.name))),
                (None, true) => format!("If no operator takes the call to {} by {time}: the machine calls.", a.name),
                (None, false) => format!("An operator has to call {}.", a.name),
            }
        }
        Reason::Patch => {
            let mut asked = state.attempts.iter().filter(|a| a.in_flight_since.is_some());
            let found = asked.find_map(|a| a.patch.as_ref().map(|patch| (a, patch)));
            match found {
                Some((a, patch)) if patch.begun => {
                    return Some((a.in_flight_since.unwrap_or(at), format!("Being put through to {} now.", a.name)));
                }
                Some((a, _)) => {
                    format!("If the caller is not being put through to {} by {time}: {}.", a.name, after(state))
                }
                None => format!("Goes on at {time}."),
            }
        }
        Reason::Paused => {
            let pause = state.paused.as_ref();
            let (who, by) = pause.map_or(("The contact", "an operator"), |p| (p.who.as_str(), p.by.as_str()));
            format!("Paused while {who} speaks with {by}; goes on at {time} at the latest.")
        }
        Reason::Turn => {
            let waiting = state.attempts.iter().filter(|a| a.is_planned() && a.queued_at.is_some());
            let Some((a, since)) = waiting.filter_map(|a| Some((a, a.queued_at?))).min_by_key(|(_, since)| *since)
            else {
                return Some((at, "Waits for its turn.".to_owned()));
            };
            let (what, time) = (capital(a.channel.noun()), clock_in_zone(since, zone));
            return Some((
                since,
                format!("{what} to {} waits for its turn since {time}: more is to leave than may at once.", a.name),
            ));
        }
        Reason::Hand => match state.attempts.iter().find(|a| a.is_planned() && state.is_spoken_on(a)) {
            Some(a) => format!("Calls {} once the call that an operator makes there is over.", a.name),
            None => "Being sent now.".to_owned(),
        },
        Reason::HoldOver | Reason::AcceptGuard | Reason::Unopened => "Being sent now.".to_owned(),
    };
    Some((at, text))
}

/// The same, in the sentence that was written when the wait began, which says by name what comes.
pub fn next_by_name(state: &State, history: &[Entry], zone: &str) -> Option<(UtcMs, String)> {
    let (at, text) = next(state, zone)?;
    let waits = state.phase == Phase::Running && state.wake().is_some_and(|(_, reason)| reason == Reason::WaitOver);
    let begun = history.iter().rev().find(|entry| matches!(entry.note, Note::Waiting { .. }));
    Some((at, begun.filter(|_| waits).map_or(text, |entry| sentence(entry, zone).1)))
}

/// A message that waits for the client: since when, and what comes if nobody checks in.
fn held(state: &State, zone: &str) -> Option<(UtcMs, String)> {
    let run = state.current()?;
    let since = state.runs.get(run)?.entered_at;
    let held = format!("Held for check-in since {}.", clock_in_zone(since, zone));
    Some(match state.due_at(run) {
        Some(at) => (at, format!("{held} If nobody has checked in by {}: {}.", clock_in_zone(at, zone), after(state))),
        None => (since, held),
    })
}

/// What follows the wait the dispatch is in: the sentence recorded when the wait began says it by name.
fn after(state: &State) -> String {
    let Cursor::In { run } = state.cursor else { return String::new() };
    let step = state.runs.get(run).map_or(0, |run| run.step);
    if let (Some(made), Some(run)) = (state.step_of(run), state.runs.get(run))
        && run.has_tries_left(made)
    {
        return format!("step {} again, try {} of {}", step + 1, run.again + 2, made.times());
    }
    match (step + 1 < state.protocol.steps.len(), state.next_round()) {
        (true, _) => format!("step {}", step + 2),
        (false, Some(from)) => format!("again from step {}", from + 1),
        (false, None) => "an operator is asked".to_owned(),
    }
}

/// A trouble as an alarm's sentence.
pub fn trouble_words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::TextUnplaced { from } => format!("{from} sent a text that matches nothing: read it and act."),
        Trouble::Wrote { from } => format!("{from} wrote from the inbox: read it and act."),
        Trouble::MailUnplaced { from } => format!("{} answered by email: read it and act.", capital(from)),
        Trouble::Unreachable { who } => format!("{} cannot be reached as the protocol says.", capital(who)),
        Trouble::Stopped { who, .. } => {
            format!("{} texted STOP: no text reaches them until they text START.", capital(who))
        }
        Trouble::SpokeUnconfirmed { who, secs } => {
            format!(
                "{} spoke with the caller for {} and did not press 1, so the steps go on: ask, and confirm it by hand if it is \
                 taken care of.",
                capital(who),
                how_long(*secs)
            )
        }
        Trouble::AcceptedUnheard { who } => {
            format!(
                "{} accepted a protected message by text and can open it nowhere, for want of an inbox or a PIN: call them and tell \
                 it. Until they have heard it their yes confirms nothing.",
                capital(who)
            )
        }
        Trouble::WrongPins { who } => {
            format!(
                "A wrong PIN was keyed three times in the call to {who}: whoever has that phone has not heard the message. Call, and \
                 ask who is there."
            )
        }
        Trouble::HeldBack { channel } => {
            format!(
                "An urgent {} waits for its turn for over a minute: more is to leave than its rate lets through. See to it by \
                 hand if it cannot wait; the rates are in [rates] of the configuration.",
                channel.noun()
            )
        }
        Trouble::EdgeDown { channel } => match channel {
            Channel::Email => "The mail server does not take the email.".to_owned(),
            Channel::Text => "The text provider does not take the text.".to_owned(),
            Channel::Call => "No trunk takes the call.".to_owned(),
            Channel::Pager => "The pager carrier does not take the page.".to_owned(),
            // As it was written before each system had an alarm of its own.
            Channel::Webhook => "A client's system does not take what is posted to it (webhook).".to_owned(),
            Channel::Push => "No push service takes the secure message.".to_owned(),
            Channel::Fax => "A fax does not get through.".to_owned(),
        },
        Trouble::VoiceDown => {
            "A call could not be made, as the voice that reads messages out failed: read it out by hand, and see to the \
             voice."
                .to_owned()
        }
        Trouble::FaxHeldUp => {
            "A fax cannot leave here: no trunk takes it, or faxes cannot be made on this machine. It is tried \
                               again, and none of its tries is used up; see to the trunks."
                .to_owned()
        }
        Trouble::SystemDown { name } => {
            format!("The client's system \u{201c}{name}\u{201d} does not take what is posted to it (webhook).")
        }
        Trouble::JobWaits { who } => {
            format!("The call to {who} waits: an operator has to make it, or say what came of it.")
        }
        Trouble::NobodyOnCall { role } => format!("Nobody is on call as {role}."),
        Trouble::NobodyTold => "A whole round is over and nobody has been told.".to_owned(),
        Trouble::NobodyAsked => "A whole round is over in which nobody could be asked.".to_owned(),
        Trouble::NotHandedOver { some: false } => "The steps have run out and nothing could be handed over.".to_owned(),
        Trouble::NotHandedOver { some: true } => "The steps have run out and not all could be handed over.".to_owned(),
        Trouble::Exhausted => "The steps have run out and nobody has confirmed.".to_owned(),
    }
}

/// Why a caller was not put through.
const fn patch_words(why: PatchEnd) -> &'static str {
    match why {
        PatchEnd::NoAnswer => "no answer",
        PatchEnd::Busy => "busy",
        PatchEnd::Refused => "they did not take it",
        PatchEnd::WrongNumber => "the number cannot be called",
        PatchEnd::NotConnected => "the call could not be made",
        PatchEnd::GivenUp => "given up by the operator",
        PatchEnd::NotBegun => "nobody rang them in time",
        PatchEnd::CallerGone => "the caller has hung up",
        PatchEnd::OperatorLost => "the operator's line was lost",
    }
}

/// The same of a call in which somebody keyed wrong PINs: they took it, and have not heard it.
fn wrong_pins_words(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::LeftRequest | CallOutcome::LeftOnMachine | CallOutcome::LeftWithPerson => {
            "a wrong PIN three times, so the message was not read; whoever has that phone was asked to call back"
        }
        CallOutcome::NotAccepted => "a wrong PIN three times, so the message was not read",
        other => outcome_words(other),
    }
}

fn outcome_words(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Confirmed => "confirmed",
        CallOutcome::ToldOnly => "heard the message, did not confirm",
        CallOutcome::LeftRequest => "nobody took it, a request to call back was left",
        CallOutcome::LeftOnMachine => "voicemail answered, a request to call back was left",
        CallOutcome::LeftWithPerson => {
            "they heard another message and pressed no key for this one, a request to call back was said to them"
        }
        CallOutcome::NotAccepted => "answered, not accepted",
        CallOutcome::Machine => "voicemail answered, nothing was left",
        CallOutcome::Fax => "a fax answered",
        CallOutcome::Silent => "answered, and nothing was heard",
        CallOutcome::Busy => "busy",
        CallOutcome::NoAnswer => "no answer",
        CallOutcome::Declined => "declined",
        CallOutcome::Lost => "the call was lost",
        CallOutcome::Cancelled => "taken back",
    }
}

/// What an operator says came of a call.
fn job_words(outcome: &JobOutcome) -> String {
    match outcome {
        JobOutcome::Told { name } => format!("told {name}"),
        JobOutcome::Confirmed { name } => format!("{name} confirmed"),
        JobOutcome::Refused => "refused".to_owned(),
        JobOutcome::LeftWith { name } => format!("a request to call back was left with {name}"),
        JobOutcome::LeftOnVoicemail => "a request to call back was left on voicemail".to_owned(),
        JobOutcome::NoAnswer => "no answer".to_owned(),
        JobOutcome::Busy => "busy".to_owned(),
        JobOutcome::WrongNumber => "wrong number".to_owned(),
    }
}

fn an(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "an email",
        Channel::Text => "a text",
        Channel::Call => "a call",
        Channel::Pager => "a page",
        Channel::Push => "a secure message",
        Channel::Webhook => "a webhook",
        Channel::Fax => "a fax",
    }
}
