//! The promises, looked at after each commit, each hand-over and each step of a simulated night. Knows neither machine nor house
//! from inside: only what was stored, what left, and when. What it holds against them is kept by the promise's name.

use std::collections::{BTreeMap, BTreeSet};

use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AttemptId, DispatchId};
use cordboard::domain::account::Urgency;
use cordboard::domain::dispatch::event::{Effect, Entry, Event, Note, OperatorAct};
use cordboard::domain::dispatch::in_hours::OutOfHours;
use cordboard::domain::dispatch::protocol::{Protocol, Until};
use cordboard::domain::dispatch::state::{Attempt, Channel, Phase, Purpose, State, Trouble};

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// Each saved message is closed with a reason, or waits.
    NeverLost,
    /// What waits has exactly one reason to wake, stored with it.
    OneReasonToWake,
    /// What is due is done.
    NothingOverdue,
    /// A confirmation counts once, and stands.
    OneEffect,
    /// Nothing of the message leaves once somebody's yes is committed, and what rings is taken back with it.
    NothingAfterYes,
    /// Nothing of a protected message leaves by what others can read.
    NothingInClear,
    /// At most one duplicate per attempt and crash.
    OneDuplicate,
    /// Urgent never behind routine.
    UrgentFirst,
    /// In one leave only messages of one account to one person, none of them urgent or to be confirmed.
    OnlyAlike,
    /// What is urgent waits for no hours, and what is not leaves in those of its destination.
    InHours,
    /// "Until confirmed" never gives up silently.
    NeverSilent,
    /// A dispatch runs the version that it began with.
    Pinned,
    /// A step goes on when its time is over, whatever its edge does.
    OnTime,
}

/// Where an attempt may arrive: one place, or each device of an inbox.
const DEVICES: [&str; 4] = ["", "phone", "tablet", "watch"];

/// What of one dispatch is remembered.
#[derive(Default)]
struct Case {
    protocol: Option<Protocol>,
    yes: u32,
}

/// How often an attempt arrived, and how often it may have after the first time.
#[derive(Default)]
struct Count {
    arrived: u32,
    excuses: u32,
    in_doubt: bool,
}

#[derive(Default)]
pub struct Judge {
    cases: BTreeMap<DispatchId, Case>,
    counts: BTreeMap<(AttemptId, String), Count>,
    /// Routine attempts that went past urgent ones of their channel, and since when these wait.
    past: BTreeMap<Channel, (UtcMs, i64)>,
    /// Time that was lost to crashes, pauses and clocks that were set.
    pub lost_ms: i64,
    pub faults: Vec<(Promise, String)>,
    pub seen: Seen,
}

/// What came up at all, so that a simulation in which nothing happens does not pass for one in which all is well.
#[derive(Default)]
pub struct Seen {
    pub phases: BTreeSet<&'static str>,
    pub channels: BTreeSet<Channel>,
    pub crashes: u32,
    pub duplicates: u32,
    pub jumps: u32,
    pub late_yes: u32,
    pub queued: u32,
    pub joint: u32,
    /// What became of messages for destinations outside of their hours.
    pub hours: BTreeSet<&'static str>,
    pub pinned: u32,
    pub changed: u32,
    pub steps: u64,
}

impl Judge {
    fn fault(&mut self, promise: Promise, words: String) {
        self.faults.push((promise, words));
    }

    fn check(&mut self, promise: Promise, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.fault(promise, words());
        }
    }

    /// A message and its dispatch were stored.
    pub fn saved(&mut self, state: &State) {
        let case = Case { protocol: Some(state.protocol.clone()), yes: 0 };
        self.cases.insert(state.id.clone(), case);
    }

    /// A decision was committed. `effects`: what follows from it, as calls that are taken back.
    pub fn committed(&mut self, before: &State, after: &State, event: &Event, effects: &[Effect]) {
        self.seen.steps += 1;
        self.seen.phases.insert(after.phase.name());
        self.changed(after, event);
        self.stays_confirmed(before, after, event);
        self.is_told_back(before, after, effects);
        self.never_silent(before, after);
        self.seen.hours.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Record(Entry { note: Note::Hours { then, .. }, .. }) => Some(out_of_hours(then)),
            _ => None,
        }));
        if matches!(event, Event::Operator { act: OperatorAct::Retry { .. }, .. }) {
            // Whoever has it tried again has read that it may have arrived.
            for a in
                after.attempts.iter().filter(|a| before.attempts.iter().any(|b| b.id == a.id && b.failed.is_some()))
            {
                self.excuse(&a.id);
            }
        }
    }

    fn changed(&mut self, after: &State, event: &Event) {
        if let Event::Operator { act: OperatorAct::Change { protocol: Some(next), .. }, .. } = event {
            self.seen.changed += 1;
            // In force for the message as it is now, if it begins anew or had not begun.
            if after.protocol == **next {
                self.case(after).protocol = Some((**next).clone());
            }
        }
        let pinned = self.case(after).protocol.clone();
        self.check(Promise::Pinned, pinned.as_ref() == Some(&after.protocol), || {
            format!("{} runs version {} of its protocol", after.id, after.protocol.version)
        });
    }

    fn case(&mut self, state: &State) -> &mut Case {
        self.cases.entry(state.id.clone()).or_default()
    }

    /// It is another than it was when it was looked at last, by however many decisions.
    pub fn moved(&mut self, before: &State, after: &State) {
        self.seen.phases.insert(after.phase.name());
        let pinned = self.case(after).protocol.clone();
        self.check(Promise::Pinned, pinned.as_ref() == Some(&after.protocol), || {
            format!("{} runs version {} of its protocol", after.id, after.protocol.version)
        });
        self.stays_confirmed(before, after, &Event::Due);
        self.never_silent(before, after);
    }

    fn stays_confirmed(&mut self, before: &State, after: &State, event: &Event) {
        let began_anew = after.first_run != before.first_run;
        if began_anew {
            self.case(after).yes = 0;
        }
        if before.phase == Phase::Confirmed && !began_anew {
            let same =
                (before.phase, &before.closed_by, before.closed_at) == (after.phase, &after.closed_by, after.closed_at);
            self.check(Promise::OneEffect, same, || format!("{}: a yes was taken back by {event:?}", after.id));
        } else if after.phase == Phase::Confirmed {
            self.case(after).yes += 1;
            let yes = self.case(after).yes;
            self.seen.late_yes += u32::from(before.phase == Phase::ExhaustedUnconfirmed);
            self.check(Promise::OneEffect, yes == 1, || format!("{}: confirmed {yes} times", after.id));
        }
        let thanks = |s: &State| s.attempts.iter().filter(|a| a.purpose == Purpose::ConfirmedReply).count();
        let handled = |s: &State| s.attempts.iter().filter(|a| a.purpose == Purpose::StandDown).count();
        if before.phase == Phase::Confirmed && !began_anew {
            let same = (thanks(before), handled(before)) == (thanks(after), handled(after));
            self.check(Promise::OneEffect, same, || format!("{}: told a second time that it is confirmed", after.id));
        }
    }

    fn is_told_back(&mut self, before: &State, after: &State, effects: &[Effect]) {
        let ended = before.phase.is_open() && !after.phase.is_open();
        for a in after.attempts.iter().filter(|a| ended && rings(a)) {
            let back = effects.iter().any(|effect| matches!(effect, Effect::CancelCall(id) if *id == a.id));
            // Whoever said yes in it ends it themselves.
            let own = a.confirmed_at.is_some() || a.told_at.is_some();
            self.check(Promise::NothingAfterYes, back || own, || {
                format!("{} still rings after {:?}", a.id, after.phase)
            });
        }
    }

    fn never_silent(&mut self, before: &State, after: &State) {
        let until = after.protocol.until;
        if after.phase == Phase::ExhaustedUnconfirmed {
            self.check(Promise::NeverSilent, after.needs_operator(), || {
                format!("{}: exhausted, nobody asked", after.id)
            });
        }
        if after.phase == Phase::Running && after.round > 1 && until != Until::HandedOver && !after.anybody_told() {
            let told = after.troubles.contains(&Trouble::NobodyTold);
            self.check(Promise::NeverSilent, told, || format!("{}: round {}, nobody asked", after.id, after.round));
        }
        if until == Until::Confirmed && before.phase.is_open() && !after.phase.is_open() {
            use Phase::{Cancelled, ClosedByOperator, Confirmed, Patched, ReadAtCheckIn};
            let by_people = [Cancelled, ClosedByOperator, Confirmed, Patched, ReadAtCheckIn].contains(&after.phase);
            let by_step = after.current().and_then(|run| after.step_of(run)).is_some_and(|step| step.done.is_some());
            self.check(Promise::NeverSilent, by_people || by_step, || {
                format!("{}: {:?}, unconfirmed", after.id, after.phase)
            });
        }
    }

    /// What is stored of a dispatch: its state, and the timer that was written with it.
    pub fn stored(&mut self, state: &State, timer: Option<UtcMs>) {
        let wake = state.wake().map(|(at, _)| at);
        self.check(Promise::OneReasonToWake, timer == wake, || {
            format!("{}: timer {timer:?}, wakes {wake:?}", state.id)
        });
        let at_once = state.urgency != Urgency::Urgent || state.attempts.iter().all(|a| a.not_before.is_none());
        self.check(Promise::InHours, at_once, || format!("{}: it is urgent and waits for hours", state.id));
        let settled = state.attempts.iter().all(Attempt::is_settled);
        let waits = match state.phase {
            Phase::Open | Phase::Running => wake.is_some(),
            Phase::HeldForCheckIn => wake.is_some() || state.current().is_some_and(|run| state.due_at(run).is_none()),
            Phase::HeldForRecap => true,
            Phase::ExhaustedUnconfirmed => state.needs_operator(),
            _ => state.closed_at.is_some() && (wake.is_some() || settled),
        };
        self.check(Promise::OneReasonToWake, waits, || format!("{}: {:?} sleeps for ever", state.id, state.phase));
    }

    /// All that was saved, and what there is of it.
    pub fn all(&mut self, stored: &BTreeSet<DispatchId>) {
        let lost: Vec<DispatchId> = self.cases.keys().filter(|id| !stored.contains(*id)).cloned().collect();
        for id in lost {
            self.fault(Promise::NeverLost, format!("{id} was saved and is gone"));
        }
    }

    /// All that is due by now has been done.
    pub fn settled(&mut self, state: &State, now: UtcMs) {
        if let Some((at, reason)) = state.wake() {
            self.check(Promise::NothingOverdue, at > now, || {
                format!("{}: {reason:?} is {} ms late", state.id, now.since(at))
            });
        }
        let Some((run, step)) = state.current().and_then(|run| Some((run, state.step_of(run)?))) else { return };
        let is_text =
            state.attempts_of_try(run).all(|a| matches!(a.channel, Channel::Text | Channel::Pager | Channel::Email));
        if state.phase != Phase::Running
            || !is_text
            || state.on_call.is_some()
            || state.protocol.until == Until::HandedOver
        {
            return;
        }
        let apart = step.tries.map_or(0, |tries| i64::from(tries.apart_secs));
        let most = i64::from(step.times()) * (i64::from(step.wait_secs).max(apart) + 3 * 60) * 1_000;
        // What is not urgent leaves when all before it have and in its hours, and has its time from then on.
        let is_routine = state.urgency != Urgency::Urgent;
        if is_routine && state.attempts_of_try(run).any(|a| a.handed_at.is_none() && !a.is_settled()) {
            return;
        }
        let left = state.attempts_of_try(run).filter_map(|a| a.handed_at.filter(|_| is_routine));
        let from = left.fold(state.runs[run].entered_at, UtcMs::max);
        let late = now.since(from) - most - self.lost_ms;
        self.check(Promise::OnTime, late <= 0, || {
            format!("{}: step {} is {late} ms over its time", state.id, step.wait_secs)
        });
    }

    /// The night is over, and everything has had its time: nothing hangs.
    pub fn morning(&mut self, state: &State) {
        use Phase::{ExhaustedUnconfirmed, HeldForCheckIn, HeldForRecap};
        let done =
            !state.phase.is_open() || [ExhaustedUnconfirmed, HeldForCheckIn, HeldForRecap].contains(&state.phase);
        let settled = state.attempts.iter().all(Attempt::is_settled);
        self.check(Promise::NeverLost, done && settled, || format!("{} hangs in {:?}", state.id, state.phase));
    }

    /// Something of an attempt is given to the outside now. `state`: as it is committed.
    pub fn leaves(&mut self, state: &State, a: &Attempt) {
        self.seen.channels.insert(a.channel);
        let open = state.phase.is_open() && state.is_of_now(&a.purpose);
        self.check(Promise::NothingAfterYes, open || !a.is_step(), || format!("{} left in {:?}", a.id, state.phase));
    }

    /// It is not given to the outside before the hours that it waits for; by a clock that may have been set meanwhile.
    pub fn in_hours(&mut self, a: &Attempt, now: UtcMs) {
        let early = a.not_before.map_or(0, |at| at.since(now)) - self.lost_ms;
        self.check(Promise::InHours, early <= 0, || format!("{} left {early} ms before its hours", a.id));
    }

    /// Several are given to the outside in one.
    pub fn leave_jointly(&mut self, members: &[(State, Attempt)]) {
        self.seen.joint += 1;
        let Some((one, first)) = members.first() else { return };
        for (state, a) in members {
            self.leaves(state, a);
            let alike = state.account == one.account && (a.channel, &a.address) == (first.channel, &first.address);
            let plain = state.urgency == Urgency::Routine && a.code.is_none();
            self.check(Promise::OnlyAlike, alike && plain, || format!("{} left in one with {}", a.id, first.id));
        }
        let dispatches: BTreeSet<&DispatchId> = members.iter().map(|(state, _)| &state.id).collect();
        self.check(Promise::OnlyAlike, dispatches.len() == members.len(), || format!("{} left twice in one", first.id));
    }

    /// It reached somebody's device (`where_at`, where there are several).
    pub fn arrives(&mut self, attempt: &AttemptId, where_at: &str) {
        let count = self.counts.entry((attempt.clone(), where_at.to_owned())).or_default();
        count.arrived += 1;
        let (arrived, excuses) = (count.arrived, count.excuses);
        self.seen.duplicates += u32::from(arrived > 1);
        self.check(Promise::OneDuplicate, arrived <= 1 + excuses, || {
            format!("{attempt} arrived {arrived} times, and {excuses} of them may have been in doubt")
        });
    }

    /// It may go once more: a crash took its answer, or whoever took it said that they had not.
    pub fn excuse(&mut self, attempt: &AttemptId) {
        for where_at in DEVICES {
            self.counts.entry((attempt.clone(), where_at.to_owned())).or_default().excuses += 1;
        }
    }

    /// Nobody says whether it arrived: it may go once more for that, and not again.
    pub fn in_doubt(&mut self, attempt: &AttemptId, where_at: &str) {
        let count = self.counts.entry((attempt.clone(), where_at.to_owned())).or_default();
        if !std::mem::replace(&mut count.in_doubt, true) {
            count.excuses += 1;
        }
    }

    /// A routine attempt is handed over. `waits`: something urgent waits in the same line. The routine has a tenth of the rate for
    /// itself, so that it goes on through any night, and no more than that.
    pub fn routine_leaves(&mut self, channel: Channel, per_minute: u32, waits: bool, now: UtcMs) {
        if !waits {
            self.past.remove(&channel);
            return;
        }
        let (since, past) = self.past.entry(channel).or_insert((now, 0));
        *past += 1;
        let own = 2 + now.since(*since).max(0) * i64::from(per_minute) / 600_000;
        let past = *past;
        self.check(Promise::UrgentFirst, past <= own, || {
            format!("{past} routine of {channel:?} went past an urgent one")
        });
    }

    /// Nothing urgent waits there any more.
    pub fn nothing_urgent(&mut self, channel: Channel) {
        self.past.remove(&channel);
    }
}

const fn out_of_hours(then: &OutOfHours) -> &'static str {
    match then {
        OutOfHours::Instead { .. } => "instead",
        OutOfHours::Waits => "waits",
        OutOfHours::Urgent => "urgent",
        OutOfHours::NowUrgent => "now urgent",
        OutOfHours::CallerWaits => "caller waits",
    }
}

fn rings(a: &Attempt) -> bool {
    a.is_step() && a.channel == Channel::Call && a.patch.is_none() && a.in_flight_since.is_some()
}
