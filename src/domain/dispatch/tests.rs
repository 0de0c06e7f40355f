//! The protocols of an answering service on simulated time, and random nights against the promises.

mod board;
mod by_hand;
mod change;
mod fax;
mod hold;
mod hours;
mod inbox;
mod lanes;
mod meanwhile;
mod notice;
mod patience;
mod random;
mod recurring;
mod retry;
mod steps;
mod stopped;
mod unheard;

use std::collections::BTreeMap;

use super::event::{CallNews, Failure};
use super::protocol::{Method, Protocol, Repeat, Step, Target, Until};
use super::state::{CallOutcome, NewDispatch, Reason};
use super::*;
use crate::base::id::{AccountId, ContactId, DestinationId, DispatchId, MessageId, ProtocolId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Contact, Destination, Reach, Urgency};
use crate::domain::message::form::Answers;
use crate::domain::oncall::OnCall;

#[derive(Default)]
struct Town {
    contacts: Vec<Contact>,
    on_call: BTreeMap<String, ContactId>,
    /// The code that is free now; 1 unless set.
    code: Option<u16>,
    /// The message has been changed so often.
    changes: u32,
    /// The message is protected.
    protected: bool,
    /// Nobody has a PIN of their own.
    no_pins: bool,
    answers: Answers,
}

impl World for Town {
    fn on_call(&self, role: &str, _at: UtcMs) -> Option<OnCall> {
        let contact = self.on_call.get(role)?.clone();
        Some(OnCall { contact, others: vec![], until: None, why: "rotation".into() })
    }
    fn zone(&self) -> &str {
        "UTC"
    }
    fn answers(&self) -> Option<&Answers> {
        Some(&self.answers)
    }
    fn edition(&self) -> u32 {
        1 + self.changes
    }
    fn is_protected(&self) -> bool {
        self.protected
    }
    fn has_own_pin(&self, _contact: &ContactId) -> bool {
        !self.no_pins
    }
    fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.contacts.iter().find(|c| c.id == *id)
    }
    fn takes_texts(&self, number: &PhoneNumber) -> Option<bool> {
        super::stopped::takes_texts(&self.contacts, number)
    }
    fn pick_code(&self, _number: &PhoneNumber) -> Option<u16> {
        Some(self.code.unwrap_or(1))
    }
}

pub(super) fn number(n: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1202555{n:04}")).expect("a valid number")
}

fn town() -> Town {
    let person = |name: &str, base: u32| {
        let dst = |label: &str, reach| Destination {
            id: DestinationId::named(&format!("{name}-{label}")),
            label: label.into(),
            reach,
            ring_secs: 30,
            blocked: false,
            hours: Vec::new(),
        };
        Contact {
            id: ContactId::named(name),
            account: AccountId::named("plumbing"),
            name: name.into(),
            title: "technician".into(),
            language: None,
            zone: None,
            destinations: vec![
                dst("mobile", Reach::Phone(number(base))),
                dst("home", Reach::Phone(number(base + 1))),
                dst("email", Reach::Email(format!("{name}@example.com"))),
            ],
        }
    };
    Town {
        contacts: vec![person("ben", 100), person("ada", 110), person("office", 120)],
        on_call: [("technician".to_owned(), ContactId::named("ben"))].into(),
        ..Town::default()
    }
}

pub(super) fn on_call(label: &str) -> Vec<Target> {
    vec![Target::OnCall { role: "technician".into(), destination: label.into() }]
}

pub(super) fn named(name: &str, label: &str) -> Target {
    Target::Contact { contact: ContactId::named(name), destination: label.into() }
}

pub(super) fn protocol(steps: Vec<(Method, Vec<Target>, u32)>, repeat: bool, until: Until) -> Protocol {
    Protocol {
        id: ProtocolId::named("p"),
        account: AccountId::named("plumbing"),
        name: "Urgent".into(),
        version: 1,
        steps: steps.into_iter().map(|(method, to, wait_secs)| Step::new(method, to, wait_secs)).collect(),
        repeat: repeat.then_some(Repeat { from_step: 1 }),
        until,
    }
}

fn plumbing() -> Protocol {
    let call = Method::CallOut { leave_message: true };
    protocol(
        vec![
            (Method::TextConfirm, on_call("mobile"), 900),
            (call, on_call("mobile"), 600),
            (Method::CallOut { leave_message: false }, on_call("home"), 0),
        ],
        true,
        Until::Confirmed,
    )
}

/// Ben's mobile by an operator or else the machine, then his home by an operator alone.
pub(super) fn by_operators() -> Protocol {
    let call = |then_machine| Method::OperatorCall { leave_message: true, then_machine };
    let steps = vec![(call(true), on_call("mobile"), 600), (call(false), on_call("home"), 0)];
    protocol(steps, true, Until::Confirmed)
}

fn saved(protocol: Protocol) -> State {
    NewDispatch {
        id: DispatchId::named("d"),
        message: MessageId::named("m"),
        account: AccountId::named("plumbing"),
        urgency: Urgency::Urgent,
        protocol,
        undo_secs: 5,
        on_call: None,
        patched_to: Vec::new(),
    }
    .saved(UtcMs(0))
}

/// A desk that obeys: hands over, lets the carrier accept, lets calls ring 30 s unless told otherwise.
pub(super) struct Night {
    town: Town,
    pub(super) s: State,
    pub(super) now: UtcMs,
    log: Vec<Entry>,
    /// What left the house: seconds after T0, channel, number or address.
    sent: Vec<(i64, Channel, String)>,
    /// Calls that ring, and when they end.
    ringing: Vec<(UtcMs, AttemptId)>,
    pub(super) cancelled: Vec<AttemptId>,
    refuse: Option<(Channel, Failure)>,
    silent: bool,
    /// Lanes are: what is to be handed over waits for its turn.
    full: bool,
}

impl Night {
    pub(super) fn of(protocol: Protocol) -> Self {
        Self {
            town: town(),
            s: saved(protocol),
            now: UtcMs(0),
            log: vec![],
            sent: vec![],
            ringing: vec![],
            cancelled: vec![],
            refuse: None,
            silent: false,
            full: false,
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let (next, effects) = apply(&self.s, &event, self.now, &self.town);
            self.s = next;
            for effect in effects {
                match effect {
                    Effect::Hand(attempt) if self.full => events.push(Event::Queued { attempt }),
                    Effect::Hand(attempt) => events.push(Event::Hand { attempt, node: "n".into() }),
                    Effect::Perform(id) => events.extend(self.perform(&id)),
                    Effect::CancelCall(attempt) => {
                        self.cancelled.push(attempt.clone());
                        let rang = self.ringing.len();
                        self.ringing.retain(|(_, a)| *a != attempt);
                        if self.ringing.len() < rang {
                            events.push(Event::Call { attempt, news: CallNews::Ended(CallOutcome::Cancelled) });
                        }
                    }
                    Effect::Record(entry) => self.log.push(entry),
                }
            }
        }
    }

    fn perform(&mut self, id: &AttemptId) -> Option<Event> {
        let a = self.s.find_attempt(id).expect("a known attempt");
        if a.job.is_some() {
            return None;
        }
        let at = self.now.since(self.s.open_at) / 1_000;
        self.sent.push((at, a.channel, a.address.as_str().to_owned()));
        if let Some((_, failure)) = self.refuse.filter(|(channel, _)| *channel == a.channel) {
            return Some(Event::Failed { attempt: id.clone(), failure, why: "refused".into() });
        }
        if self.silent {
            return None;
        }
        match a.channel {
            Channel::Call => {
                self.ringing.push((self.now.plus_secs(i64::from(a.ring_secs)), id.clone()));
                None
            }
            _ => Some(Event::Accepted { attempt: id.clone(), provider_id: None }),
        }
    }

    /// Lets time pass to `secs` after T0, waking exactly when the dispatch asks for it.
    pub(super) fn until(&mut self, secs: i64) {
        let end = self.s.open_at.plus_secs(secs);
        for _ in 0..10_000 {
            let ring = self.ringing.iter().map(|(at, _)| *at).min();
            let wake = self.s.wake().map(|(at, _)| at);
            let Some(next) = [ring, wake].into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            if ring == Some(next) {
                let i = self.ringing.iter().position(|(at, _)| *at == next).expect("it rings");
                let (_, attempt) = self.ringing.remove(i);
                self.tell(Event::Call { attempt, news: CallNews::Ended(CallOutcome::NoAnswer) });
            } else {
                self.tell(Event::Due);
            }
        }
        self.now = end;
    }

    pub(super) fn times(&self) -> Vec<(i64, Channel)> {
        self.sent.iter().map(|(at, channel, _)| (*at, *channel)).collect()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.log.iter().map(|entry| timeline::sentence(entry, "UTC").1).collect()
    }
}

#[test]
fn the_plumbing_protocol_keeps_its_times_to_the_second_twice_round() {
    let mut night = Night::of(plumbing());
    night.until(3_120);
    use Channel::{Call, Text};
    assert_eq!(
        night.times(),
        [(0, Text), (900, Call), (1_530, Call), (1_560, Text), (2_460, Call), (3_090, Call), (3_120, Text)]
    );
    assert!(night.s.troubles.contains(&Trouble::NobodyTold), "round 2 alarms while nobody has been told");
    assert_eq!(night.s.attempts[0].code, night.s.attempts[3].code, "the code stays over the rounds");
}

#[test]
fn a_reply_confirms_once_and_is_answered() {
    let mut night = Night::of(plumbing());
    night.until(60);
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed);
    assert_eq!(night.s.closed_by.as_deref(), Some("ben"));
    let replies = |night: &Night| night.s.attempts.iter().map(|a| a.purpose.clone()).collect::<Vec<_>>();
    assert_eq!(replies(&night).last(), Some(&state::Purpose::ConfirmedReply));
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(replies(&night).last(), Some(&state::Purpose::AlreadyReply));
    night.until(90_000);
    assert_eq!(night.times().iter().filter(|(_, c)| *c == Channel::Call).count(), 0);
    assert_eq!(night.s.wake(), None);
}

#[test]
fn a_reply_while_the_phone_rings_takes_the_call_back() {
    let mut night = Night::of(plumbing());
    night.until(910);
    assert_eq!(night.ringing.len(), 1);
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!((night.cancelled.len(), night.ringing.len()), (1, 0));
    assert_eq!(night.s.wake(), None);
}

#[test]
fn a_permanent_failure_moves_on_at_once() {
    let mut night = Night::of(plumbing());
    night.refuse = Some((Channel::Text, Failure::Permanent));
    night.until(0);
    assert_eq!(night.times(), [(0, Channel::Text), (0, Channel::Call)]);
}

#[test]
fn a_call_that_cannot_be_made_moves_on_at_once_and_one_there_is_no_line_for_is_tried_again() {
    for (news, why, for_good) in [
        (CallNews::WrongNumber, "wrong_number", true),
        (CallNews::Forbidden, "not_allowed_by_our_rules", true),
        (CallNews::Blocked, "taken_for_spam_on_the_way", true),
        (CallNews::NoTrunk, "no_trunk", false),
        (CallNews::NoVoice, "our_voice_failed", false),
        (CallNews::Limited, "too_many_calls_out", false),
    ] {
        let mut night = Night::of(plumbing());
        night.until(900);
        let call = night.s.attempts.iter().find(|a| a.channel == Channel::Call).expect("it calls at 15:00").id.clone();
        let before = night.s.attempts.len();
        night.tell(Event::Call { attempt: call.clone(), news });
        let after = night.s.attempts.iter().find(|a| a.id == call).expect("it is kept");
        assert_eq!(after.failed.as_ref().map(|failed| failed.why.as_str()), for_good.then_some(why), "{news:?}");
        assert_eq!(after.retry_at.is_some(), !for_good, "{news:?}");
        assert_eq!(night.s.attempts.len() > before, for_good, "{news:?}: the next step, or this one again");
    }
}

#[test]
fn a_voice_that_fails_is_tried_again_and_blamed_on_no_trunk() {
    let mut night = Night::of(plumbing());
    night.until(900);
    let call = night.s.attempts.iter().find(|a| a.channel == Channel::Call).expect("it calls at 15:00").id.clone();
    for secs in [900, 905, 920, 950] {
        night.until(secs);
        // No telephone rings.
        night.ringing.clear();
        night.tell(Event::Call { attempt: call.clone(), news: CallNews::NoVoice });
    }
    let failed = night.s.attempts.iter().find(|a| a.id == call).and_then(|a| a.failed.clone());
    assert_eq!(failed.map(|failed| failed.why).as_deref(), Some("our_voice_failed"));
    assert!(night.s.troubles.contains(&Trouble::VoiceDown), "{:?}", night.s.troubles);
    assert!(!night.s.troubles.contains(&Trouble::EdgeDown { channel: Channel::Call }));
    let mut secs = 950;
    while night.ringing.is_empty() {
        secs += 10;
        assert!(secs < 7_200, "it calls again");
        night.until(secs);
    }
    let next = night.ringing.remove(0).1;
    night.tell(Event::Call { attempt: next, news: CallNews::Answered });
    assert!(!night.s.troubles.contains(&Trouble::VoiceDown), "a call that is answered shows that it is back");
}

#[test]
fn a_carrier_that_is_down_is_tried_again_then_passed_over_with_an_alarm() {
    let mut night = Night::of(plumbing());
    use Channel::{Call, Text};
    night.refuse = Some((Text, Failure::Temporary));
    night.until(60);
    assert_eq!(night.times(), [(0, Text), (5, Text), (20, Text), (50, Text), (50, Call)]);
    assert!(night.s.troubles.contains(&Trouble::EdgeDown { channel: Text }));
}

#[test]
fn who_confirms_after_their_call_was_given_up_is_believed() {
    let mut night = Night::of(plumbing());
    night.until(910);
    let call = night.ringing.remove(0).1;
    night.tell(Event::Call { attempt: call.clone(), news: CallNews::Answered });
    night.until(910 + 700);
    assert_eq!(night.s.find_attempt(&call).expect("known").outcome, Some(CallOutcome::Lost));
    night.tell(Event::Call { attempt: call, news: CallNews::Confirmed });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

#[test]
fn without_acceptance_the_wait_runs_from_handing_over() {
    let mut night = Night::of(plumbing());
    night.silent = true;
    night.until(899);
    assert_eq!(night.s.due_at(0), Some(night.s.open_at.plus_secs(900)));
    night.until(900);
    assert_eq!(night.times().last(), Some(&(900, Channel::Call)));
    assert_eq!(night.times().iter().filter(|(_, c)| *c == Channel::Text).count(), 2, "once more, flagged");
    assert!(night.s.attempts[0].uncertain);
}

#[test]
fn nobody_on_call_moves_on_with_an_alarm_and_rounds_keep_their_distance() {
    let mut night = Night::of(plumbing());
    night.town.on_call.clear();
    night.until(180);
    assert!(night.sent.is_empty());
    assert_eq!(night.s.round, 4);
    assert!(night.s.troubles.contains(&Trouble::NobodyOnCall { role: "technician".into() }));
    night.town.on_call.insert("technician".into(), ContactId::named("ada"));
    night.until(240);
    assert_eq!(night.times(), [(240, Channel::Text)]);
    assert!(!night.s.troubles.contains(&Trouble::NobodyOnCall { role: "technician".into() }), "somebody is now");
}

#[test]
fn the_clinic_texts_the_office_only_if_the_doctor_did_not_confirm_and_then_asks_an_operator() {
    let clinic = protocol(
        vec![(Method::TextConfirm, on_call("mobile"), 300), (Method::Text, vec![named("office", "mobile")], 0)],
        false,
        Until::Confirmed,
    );
    let mut night = Night::of(clinic.clone());
    night.until(600);
    assert_eq!(night.times(), [(0, Channel::Text), (300, Channel::Text)]);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    assert!(night.s.needs_operator());
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed, "a late reply counts");
    assert!(!night.s.needs_operator());
    assert!(night.lines().contains(&"office will be told that it is handled.".to_owned()), "{:#?}", night.lines());
    let mut night = Night::of(clinic);
    night.until(100);
    night.tell(Event::Replied { number: number(100), code: 1 });
    night.until(9_000);
    assert!(!night.sent.iter().any(|(_, _, to)| *to == *number(120).as_e164()), "the office was not texted");
}

#[test]
fn email_and_text_to_two_people_end_when_all_are_accepted() {
    let to = |label: &str| vec![named("ben", label), named("ada", label)];
    let lawyer =
        protocol(vec![(Method::Email, to("email"), 0), (Method::Text, to("mobile"), 0)], false, Until::HandedOver);
    let mut night = Night::of(lawyer.clone());
    night.until(0);
    assert_eq!(night.sent.len(), 4);
    assert_eq!(night.s.phase, Phase::Delivered);
    let text = night.s.attempts[3].id.clone();
    night.tell(Event::Failed { attempt: text, failure: Failure::Permanent, why: "undelivered".into() });
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed, "a bounce re-opens it");
    // On a call that is still up, the email waits for its end; the text does not.
    let mut night = Night::of(lawyer);
    night.s.on_call = Some(crate::base::id::CallId::named("c"));
    night.until(60);
    assert_eq!(night.times(), [(0, Channel::Text), (0, Channel::Text)]);
    assert_eq!(night.s.phase, Phase::Running);
    night.tell(Event::CallEnded);
    assert_eq!(night.s.phase, Phase::Delivered);
}

#[test]
fn until_delivered_ends_when_a_person_heard_it_but_not_at_a_voicemail() {
    let call = Method::CallOut { leave_message: true };
    let property = protocol(
        vec![(call, vec![named("ben", "mobile")], 600), (call, vec![named("ada", "mobile")], 600)],
        true,
        Until::Told,
    );
    let mut night = Night::of(property);
    night.until(10);
    let first = night.ringing.remove(0).1;
    night.tell(Event::Call { attempt: first.clone(), news: CallNews::Answered });
    night.tell(Event::Call { attempt: first, news: CallNews::Ended(CallOutcome::LeftOnMachine) });
    assert_eq!(night.s.phase, Phase::Running);
    night.until(620);
    let second = night.ringing.remove(0).1;
    night.tell(Event::Call { attempt: second.clone(), news: CallNews::Told });
    assert_eq!(night.s.phase, Phase::Told);
    night.tell(Event::Call { attempt: second, news: CallNews::Ended(CallOutcome::Confirmed) });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

#[test]
fn it_can_be_taken_back_until_it_opens_and_not_after() {
    let undo = Event::Operator { by: "kim".into(), act: OperatorAct::Undo };
    let mut night = Night::of(plumbing());
    night.tell(undo.clone());
    assert_eq!((night.s.phase, night.s.wake()), (Phase::Cancelled, None));
    let mut night = Night::of(plumbing());
    night.until(0);
    night.tell(undo);
    assert_eq!(night.s.phase, Phase::Running);
}

#[test]
fn a_patch_on_the_call_ends_it_when_it_opens_or_while_it_runs() {
    let mut night = Night::of(plumbing());
    night.tell(Event::Patched { to: vec!["ben".into()] });
    assert_eq!(night.s.phase, Phase::Open);
    night.until(0);
    assert_eq!((night.s.phase, night.sent.len()), (Phase::Patched, 0));
    let mut night = Night::of(plumbing());
    night.until(910);
    night.tell(Event::Patched { to: vec!["ben".into()] });
    assert_eq!((night.s.phase, night.cancelled.len()), (Phase::Patched, 1));
}

#[test]
fn a_second_patch_for_the_same_message_is_on_its_time_line_and_told_twice_it_is_there_once() {
    let mut night = Night::of(plumbing());
    night.until(910);
    for to in ["ben", "ada", "ada", "ben"] {
        night.tell(Event::Patched { to: vec![to.into()] });
    }
    assert_eq!(night.s.closed_by.as_deref(), Some("ben, then ada"));
    assert_eq!(night.s.patched_to, ["ben", "ada"]);
    let put_through = |line: &&String| line.starts_with("The caller was put through");
    assert_eq!(night.lines().iter().filter(put_through).count(), 2);
}

#[test]
fn a_name_that_reads_like_two_is_one_and_names_that_were_kept_as_a_sentence_are_read() {
    let mut night = Night::of(plumbing());
    night.until(910);
    for to in ["Ann, then Bob", "Bob", "Ann, then Bob"] {
        night.tell(Event::Patched { to: vec![to.into()] });
    }
    assert_eq!(night.s.patched_to, ["Ann, then Bob", "Bob"]);
    let mut kept = serde_json::to_value(&night.s).expect("it is stored so");
    for (was, names) in [
        (serde_json::json!(null), vec![]),
        (serde_json::json!("Ben, then Ada"), vec!["Ben, then Ada"]),
        (serde_json::json!(["Ben", "Ada"]), vec!["Ben", "Ada"]),
    ] {
        kept["patched_to"] = was;
        let read: State = serde_json::from_value(kept.clone()).expect("it is read");
        assert_eq!(read.patched_to, names);
    }
}

#[test]
fn after_a_patch_the_emails_still_go_out_when_the_call_is_over() {
    let to = |label: &str| vec![named("ben", label), named("ada", label)];
    let steps = vec![(Method::Email, to("email"), 0), (Method::Text, to("mobile"), 0)];
    let lawyer = protocol(steps, false, Until::HandedOver);
    for running in [false, true] {
        let mut night = Night::of(lawyer.clone());
        night.s.on_call = Some(crate::base::id::CallId::named("c"));
        night.until(if running { 10 } else { -5 });
        night.tell(Event::Patched { to: vec!["ben".into()] });
        night.until(60);
        assert_eq!(night.s.phase, Phase::Patched);
        assert!(!night.times().iter().any(|(_, channel)| *channel == Channel::Email));
        night.tell(Event::CallEnded);
        let mails = night.times().iter().filter(|(_, channel)| *channel == Channel::Email).count();
        assert_eq!((mails, night.s.wake()), (2, None));
    }
}

#[test]
fn an_operator_skips_a_wait_and_confirms_by_hand() {
    let mut night = Night::of(plumbing());
    night.until(10);
    night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Skip { moves: None } });
    assert_eq!(night.times().last(), Some(&(10, Channel::Call)));
    let act = OperatorAct::Confirm { who: "ben".into(), note: Some("on the phone".into()), edition: None };
    night.tell(Event::Operator { by: "kim".into(), act });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ben")));
    assert!(night.lines().contains(&"ben confirmed to kim: on the phone.".to_owned()));
}

#[test]
fn a_stop_fails_the_step_now_and_alarms() {
    let mut night = Night::of(plumbing());
    night.until(60);
    night.tell(Event::Stopped { number: number(100) });
    assert_eq!(night.times().last(), Some(&(60, Channel::Call)));
    assert!(night.s.needs_operator());
    // The next round does not text him.
    for contact in night.town.contacts.iter_mut().filter(|contact| contact.name == "ben") {
        contact.destinations.iter_mut().for_each(|d| d.blocked = true);
    }
    night.until(3_000);
    assert!(night.s.round > 1, "{}", night.s.round);
    let said: Vec<String> = night.lines().into_iter().filter(|line| line.contains("STOP")).collect();
    assert_eq!(said, ["Ben texted STOP: no text reaches them until they text START."]);
}

#[test]
fn a_crash_with_unknown_outcome_sends_a_text_once_more_and_redials() {
    let mut night = Night::of(plumbing());
    night.silent = true;
    night.until(0);
    let text = night.s.attempts[0].id.clone();
    night.silent = false;
    night.tell(Event::Interrupted { attempt: text });
    assert_eq!(night.times(), [(0, Channel::Text), (0, Channel::Text)]);
    assert!(night.s.attempts[0].uncertain && night.s.attempts.len() == 1);
    night.until(900);
    let call = night.ringing.remove(0).1;
    night.tell(Event::Interrupted { attempt: call });
    assert_eq!(night.times().iter().filter(|(_, c)| *c == Channel::Call).count(), 2);
}

#[test]
fn the_time_line_says_what_happened_and_what_comes_next() {
    let mut night = Night::of(plumbing());
    night.until(10);
    let lines = night.lines();
    assert!(lines.contains(&"Text sent to ben, accepted.".to_owned()), "{lines:#?}");
    assert!(
        lines.iter().any(|l| l.starts_with("If no reply by 00:15:05 UTC: call the technician on call (mobile)")),
        "{lines:#?}"
    );
    assert_eq!(
        timeline::next(&night.s, "UTC").map(|(_, text)| text).as_deref(),
        Some("If no reply by 00:15:05 UTC: step 2.")
    );
    // Read on many desks: whose time it is, is said.
    assert_eq!(
        timeline::next(&night.s, "America/New_York").map(|(_, text)| text).as_deref(),
        Some("If no reply by 19:15:05 EST: step 2.")
    );
    // A call that rang for 30 s in vain: the time said is never before the time meant.
    night.until(16 * 60);
    let lines = night.lines();
    assert!(lines.iter().any(|l| l.starts_with("If no reply by 00:25:35 UTC: ")), "{lines:#?}");
}

#[test]
fn protocols_that_could_not_work_are_refused_with_every_fault() {
    let town = town();
    let check = |protocol: &Protocol| {
        let schedule = crate::domain::oncall::Schedule {
            id: crate::base::id::ScheduleId::named("s"),
            account: AccountId::named("plumbing"),
            role: "technician".into(),
            zone: "UTC".into(),
            layers: vec![],
            temporary: vec![],
            remind: false,
            holidays: vec![],
            overrides: vec![],
            fallback: Some(ContactId::named("ben")),
        };
        let faults = validate::validate(protocol, &town.contacts, &[schedule]);
        faults.into_iter().map(|fault| (fault.step, fault.code)).collect::<Vec<_>>()
    };
    assert_eq!(check(&plumbing()), []);
    let bad = protocol(
        vec![
            (Method::LivePatch, on_call("mobile"), 60),
            (Method::Email, vec![named("ben", "mobile"), named("zoe", "email")], 0),
            (Method::Text, vec![], 0),
            (Method::Text, vec![Target::OnCall { role: "doctor".into(), destination: "mobile".into() }], 0),
            (Method::Text, on_call("pager"), 0),
            (Method::Pager, on_call("mobile"), 0),
            (Method::Webhook, on_call("mobile"), 0),
        ],
        true,
        Until::Confirmed,
    );
    assert_eq!(
        check(&bad),
        [
            (Some(1), "patch_waits"),
            (Some(2), "wrong_destination"),
            (Some(2), "unknown_contact"),
            (Some(3), "nobody"),
            (Some(4), "unknown_role"),
            (Some(5), "unknown_destination"),
            (Some(6), "wrong_destination"),
            (Some(7), "wrong_destination"),
        ]
    );
}

#[test]
fn a_protocol_reads_as_plain_english() {
    let lines = describe::describe(&plumbing(), &town().contacts, &[]);
    assert_eq!(
        lines,
        [
            "1. Text the technician on call (mobile) and ask for a confirmation, wait 15 minutes for an answer.",
            "2. Call the technician on call (mobile), leave a message if nobody takes it, wait 10 minutes for an answer.",
            "3. Call the technician on call (home).",
            "Then again from step 1.",
            "Until a person confirms.",
        ]
    );
}

#[test]
fn a_wait_that_is_over_is_the_reason_to_wake() {
    let mut night = Night::of(plumbing());
    assert_eq!(night.s.wake(), Some((UtcMs(5_000), Reason::Open)));
    night.until(1);
    assert_eq!(night.s.wake(), Some((UtcMs(905_000), Reason::WaitOver)));
}
