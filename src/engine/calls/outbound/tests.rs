//! Call-outs through the drivers: PINs, talks with the caller, and the messages of two clients for one telephone.

use super::waiting::Waiting;
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::base::id::{AccountId, ContactId};
use crate::domain::call::bridge::Source;
use crate::engine::callout::AskPin;
use crate::engine::calls::house::*;
use crate::engine::calls::tests::{call_out, dialled_out};
use crate::engine::signal::LegEvent;
use crate::io::media::LegStats;

const CALLER: &str = "+12025550147";

fn requested() -> CallOutRequest {
    CallOutRequest {
        caller_id: Some(number("+12025550102")),
        caller: Some(number(CALLER)),
        longest_talk_secs: Some(600),
        ..call_out()
    }
}

/// A call-out whose contact has answered and pressed 1.
struct Answered {
    house: House,
    told: mpsc::UnboundedReceiver<(AttemptId, CallOutEvent)>,
    leg: LegId,
    events: mpsc::Sender<LegEvent>,
}

impl Answered {
    async fn by(request: CallOutRequest) -> Self {
        let mut house = House::open("greeting");
        let (tell, told) = mpsc::unbounded_channel();
        house.calls.place(request, tell);
        let (leg, offer, events) = dialled_out(&mut house).await;
        events.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call-out listens");
        house.until("intro", |d| plays(d, leg)).await;
        let call = Self { house, told, leg, events };
        call.presses("1");
        call
    }

    fn presses(&self, keys: &str) {
        for digit in keys.chars() {
            self.house.calls.on_media(MediaEvent::Digit { leg: self.leg, digit, at: SystemClock.instant() });
        }
    }

    /// The next words, to their end.
    async fn hears(&mut self, what: &str) {
        let leg = self.leg;
        let play = self.house.until(what, |d| plays(d, leg)).await.1;
        self.house.calls.on_media(MediaEvent::PlayDone { leg, play });
    }

    /// Heard the message, pressed 2, and the caller's telephone is dialled.
    async fn presses_two(&mut self) -> (LegId, Vec<u8>, mpsc::Sender<LegEvent>) {
        self.hears("content").await;
        self.house.until("question", |d| plays(d, self.leg)).await;
        self.presses("2");
        self.hears("what comes").await;
        self.house.hears(self.leg, &[Source::Ringback]).await;
        let asked = |d: &Did| if let Did::Asked(call) = d { Some(call.clone()) } else { None };
        let asked = self.house.until("the caller is dialled", asked).await.1;
        assert_eq!((asked.to.as_e164(), asked.account), (CALLER, Some(AccountId::named("plumbing"))));
        assert_eq!(asked.caller_id, Some(number("+12025550102")), "the account's number, and nobody's own");
        dialled_out(&mut self.house).await
    }

    async fn all_told(mut self) -> Vec<CallOutEvent> {
        self.house.calls.on_media(MediaEvent::Closed { leg: self.leg, stats: LegStats::default() });
        let mut got = Vec::new();
        while let Some((_, event)) = self.told.recv().await {
            got.push(event);
        }
        got
    }
}

#[tokio::test]
async fn without_a_voice_nobody_is_rung_and_the_desks_hear_once_of_an_account_whose_and_for_whom() {
    let house = House::open("greeting");
    let unread = |attempt: &str, person: &str| CallOutRequest {
        attempt: AttemptId::named(attempt),
        person: Some(person.to_owned()),
        content: Some("mute".into()),
        ..requested()
    };
    for (attempt, person) in [("one", "Ben Ortiz"), ("two", "Ada Quill")] {
        let (tell, mut told) = mpsc::unbounded_channel();
        house.calls.place(unread(attempt, person), tell);
        assert_eq!(told.recv().await.map(|(_, event)| event), Some(CallOutEvent::Ended(OutboundEnd::NoVoice)));
        assert_eq!(told.recv().await, None, "and that is all");
    }
    let alarms = house.calls.alarms();
    let texts: Vec<&str> = alarms.iter().map(|alarm| alarm.text.as_str()).collect();
    assert_eq!(
        texts,
        ["Imaginary Plumbing: a message for Ada Quill could not be read out by telephone: the voice failed."]
    );
    house.calls.silence(&alarms[0].id).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    house.calls.place(unread("three", "Ben Ortiz"), tell);
    assert_eq!(told.recv().await.map(|(_, event)| event), Some(CallOutEvent::Ended(OutboundEnd::NoVoice)));
    assert_eq!(house.calls.alarms().len(), 1, "seen to, and failed again");
}

#[tokio::test]
async fn two_joins_the_two_and_the_caller_who_hangs_up_leads_back_to_the_question() {
    let mut call = Answered::by(requested()).await;
    let (caller, offer, at_caller) = call.presses_two().await;
    at_caller.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call-out listens");
    let leg = call.leg;
    let each = |d: &Did| match d {
        Did::Bridged { matrix } if matrix.heard_by(caller) == [Source::Leg(leg)] => Some(matrix.clone()),
        _ => None,
    };
    let matrix = call.house.until("both hear each other", each).await.1;
    assert_eq!(matrix.heard_by(leg), [Source::Leg(caller)]);
    at_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call-out listens");
    call.house.hears(leg, &[]).await;
    call.hears("that they are no longer connected").await;
    call.house.until("question", |d| plays(d, leg)).await;
    call.presses("1");
    call.hears("thanks").await;
    call.house.until("hang-up", |d| hangs_up(d, leg)).await;
    call.house.calls.on_media(MediaEvent::Closed { leg: caller, stats: LegStats::default() });
    let got = call.all_told().await;
    let wanted = [
        CallOutEvent::Answered,
        CallOutEvent::Told,
        CallOutEvent::Joined,
        CallOutEvent::Parted { secs: 0 },
        CallOutEvent::Confirmed,
        CallOutEvent::Ended(OutboundEnd::Confirmed),
    ];
    assert_eq!(got, wanted);
}

#[tokio::test]
async fn a_caller_whose_line_is_busy_is_said_so_and_nobody_hears_anybody() {
    let mut call = Answered::by(requested()).await;
    let (caller, _offer, at_caller) = call.presses_two().await;
    at_caller.send(LegEvent::Ended(Cause::Busy)).await.expect("the call-out listens");
    call.house.hears(call.leg, &[]).await;
    call.hears("busy").await;
    call.house.until("question", |d| plays(d, call.leg)).await;
    call.events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call-out listens");
    call.house.calls.on_media(MediaEvent::Closed { leg: caller, stats: LegStats::default() });
    let got = call.all_told().await;
    let told = [CallOutEvent::NotJoined(Cause::Busy), CallOutEvent::Ended(OutboundEnd::ToldOnly)];
    assert_eq!(got[got.len() - 2..], told);
}

#[tokio::test]
async fn who_hangs_up_while_the_caller_rings_leaves_no_telephone_ringing() {
    let mut call = Answered::by(requested()).await;
    let (caller, _offer, _at_caller) = call.presses_two().await;
    call.events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call-out listens");
    call.house.until("the caller's hang-up", |d| hangs_up(d, caller)).await;
    call.house.calls.on_media(MediaEvent::Closed { leg: caller, stats: LegStats::default() });
    let got = call.all_told().await;
    let told = [CallOutEvent::NotJoined(Cause::Released), CallOutEvent::Ended(OutboundEnd::ToldOnly)];
    assert_eq!(got[got.len() - 2..], told);
}

#[tokio::test]
async fn a_message_is_read_behind_the_right_pin_and_three_wrong_ones_end_the_call() {
    for right in [true, false] {
        let pin = Some(AskPin { contact: Some(ContactId::named("ada")) });
        let mut call = Answered::by(CallOutRequest { pin, ..requested() }).await;
        call.hears("the question for the PIN").await;
        if right {
            call.presses("4711#");
            call.hears("content").await;
            call.house.until("question", |d| plays(d, call.leg)).await;
        } else {
            for nth in 1..=3 {
                call.presses("0815#");
                call.hears(&format!("that it was wrong, {nth}")).await;
            }
            call.house.until("hang-up", |d| hangs_up(d, call.leg)).await;
        }
        // An error means that it was hung up before.
        let _ = call.events.send(LegEvent::Ended(Cause::HungUp)).await;
        let got = call.all_told().await;
        let end = if right { OutboundEnd::ToldOnly } else { OutboundEnd::NotAccepted };
        assert_eq!((got.contains(&CallOutEvent::Told), got.last()), (right, Some(&CallOutEvent::Ended(end))));
    }
}

#[tokio::test]
async fn the_pin_that_is_one_too_many_alarms_the_desks_and_stands_on_no_record() {
    let pin = Some(AskPin { contact: None });
    let mut call = Answered::by(CallOutRequest { pin, ..requested() }).await;
    call.hears("the question for the PIN").await;
    call.presses("9999#");
    call.hears("that it was wrong").await;
    let alarms = call.house.calls.alarms();
    assert!(alarms.iter().any(|alarm| alarm.text.contains("wrong PINs")), "{alarms:?}");
    for line in call.house.seen.iter().map(|line| format!("{line:?}")) {
        assert!(!line.contains("9999"), "no PIN stands on record: {line}");
    }
}

#[tokio::test]
async fn another_clients_message_waits_until_the_telephone_is_free_and_has_a_call_of_its_own() {
    let (two, mut second) = mpsc::unbounded_channel();
    let mut call = Answered::by(requested()).await;
    let other = CallOutRequest {
        attempt: AttemptId::named("two"),
        account: Some(AccountId::named("clinic")),
        caller_id: Some(number("+12025550104")),
        ..requested()
    };
    call.house.calls.place(other, two);
    let leg = call.leg;
    call.hears("content").await;
    call.house.until("question", |d| plays(d, leg)).await;
    call.presses("1");
    call.hears("thanks").await;
    let hung_up = |d: &Did| {
        assert!(!matches!(d, Did::Dialled { .. }), "no second call while one is up");
        assert!(plays(d, leg).is_none(), "and nothing of the other client's in this one");
        hangs_up(d, leg)
    };
    call.house.until("hang-up", hung_up).await;
    assert!(second.try_recv().is_err(), "nothing has become of the other yet");
    call.house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    let asked = |d: &Did| if let Did::Asked(call) = d { Some(call.clone()) } else { None };
    let asked = call.house.until("the other call", asked).await.1;
    assert_eq!((asked.account, asked.caller_id), (Some(AccountId::named("clinic")), Some(number("+12025550104"))));
    let (leg, _offer, _events) = dialled_out(&mut call.house).await;
    call.house.calls.cancel(&AttemptId::named("two"));
    call.house.until("hang-up", |d| hangs_up(d, leg)).await;
    call.house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    assert_eq!(second.recv().await.map(|(_, event)| event), Some(CallOutEvent::Ended(OutboundEnd::Cancelled)));
}

#[test]
fn who_waits_for_a_telephone_for_too_long_finds_it_busy_and_one_that_is_taken_back_is_told_so() {
    let now = SystemClock.instant();
    let (events, mut told) = mpsc::unbounded_channel();
    let mut waiting = Waiting::default();
    for (name, after) in [("one", 0), ("two", 60), ("three", 90)] {
        let attempt = AttemptId::named(name);
        let tell = Tell { attempt: attempt.clone(), events: events.clone(), ended: false };
        waiting
            .add(now + Duration::from_secs(after), Order { request: CallOutRequest { attempt, ..requested() }, tell });
    }
    waiting.take_back(&AttemptId::named("two"));
    waiting.give_up(now + Duration::from_secs(299));
    assert_eq!(waiting.due_at(), Some(now + Duration::from_secs(300)));
    waiting.give_up(now + Duration::from_secs(300));
    let left = waiting.take();
    assert_eq!(left.iter().map(|order| order.tell.attempt.clone()).collect::<Vec<_>>(), [AttemptId::named("three")]);
    let ends: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).map(|(_, event)| event).collect();
    let busy = OutboundEnd::NotReached(Cause::Busy);
    assert_eq!(ends, [OutboundEnd::Cancelled, busy].map(CallOutEvent::Ended));
}
