//! Check-ins through the drivers: what is asked of the store, what is told the caller, what goes on record.

use super::check_in::{Answer, CheckIns, DutyChange, Heard};
use super::house::*;
use super::outbound::Opened;
use super::*;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ContactId, DispatchId, ScheduleId, UserId};
use crate::domain::account::Speech;
use crate::domain::call::bridge::{KeysBound, LegId, Source};
use crate::domain::call::comes::Comes;
use crate::domain::call::outbound::AskPin;
use crate::domain::checkin::on_call::{Duty, Span};
use crate::domain::checkin::pin::Pin;
use crate::domain::checkin::{Held, Marked, Welcome};
use crate::engine::legs::{Later, ONE_MOMENT};
use crate::engine::signal::LegEvent;
use crate::io::media::PlayId;
use crate::io::store::audit::Who;
use crate::io::store::calls::PINS_LOCKED;
use crate::proto::audio::tone::sine;

/// The number on which people check in.
pub(super) const LINE: &str = "+12025550176";

/// What a store says that knows one PIN; another one is one too many, and one fails it.
pub(super) fn look(pin: &Pin) -> Result<Answer, String> {
    match pin.reveal() {
        "4711" => Ok(Answer::Welcome(Box::new(welcome()))),
        "8888" => {
            let held = vec![Held { dispatch: DispatchId::named("one"), edition: 1, words: "A stuck lift.".into() }];
            Ok(Answer::Welcome(Box::new(Welcome { held, ..welcome() })))
        }
        "9999" => Ok(Answer::Refused { limit: true }),
        "5555" => Err("no room".to_owned()),
        _ => Ok(Answer::Refused { limit: false }),
    }
}

/// The same, of whoever was called.
pub(super) fn opens(pin: &Pin) -> Result<Opened, String> {
    look(pin).map(|answer| match answer {
        Answer::Welcome(_) => Opened::Right,
        Answer::Refused { limit } => Opened::Wrong { limit },
    })
}

/// The same store of somebody who is vouched for: Ada, or nobody it knows.
pub(super) fn vouched(contact: &ContactId) -> Answer {
    if *contact == ContactId::named("ada") {
        Answer::Welcome(Box::new(welcome()))
    } else {
        Answer::Refused { limit: false }
    }
}

pub(super) fn welcome() -> Welcome {
    let held = |n: &str| Held { dispatch: DispatchId::named(n), edition: 1, words: format!("Held {n}.") };
    let people = ["Ada", "Ben"].map(|name| (ContactId::named(name), name.to_owned())).to_vec();
    let schedule = ScheduleId::named("doctor");
    let duty = Duty { schedule, role: "doctor".into(), now: None, hand_off: None, people };
    let contact = Some(ContactId::named("ada"));
    Welcome {
        contact,
        who: "Ada".into(),
        held: vec![held("one"), held("two")],
        duties: vec![duty],
        ..Welcome::default()
    }
}

/// A store that knows that PIN and tells what was heard.
pub(super) struct Listed(pub(super) mpsc::UnboundedSender<Heard>);

impl CheckIns for Listed {
    fn look<'a>(
        &'a self,
        _account: &'a Account,
        _caller: Option<&'a PhoneNumber>,
        pin: &'a Pin,
        _now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { look(pin) })
    }

    fn vouched<'a>(
        &'a self,
        _account: &'a Account,
        contact: &'a ContactId,
        _now: UtcMs,
    ) -> Later<'a, Result<Answer, String>> {
        Box::pin(async move { Ok(vouched(contact)) })
    }

    fn opens<'a>(
        &'a self,
        _account: &'a AccountId,
        _called: &'a PhoneNumber,
        _of: &'a AskPin,
        pin: &'a Pin,
        _now: UtcMs,
    ) -> Later<'a, Result<Opened, String>> {
        Box::pin(async move { opens(pin) })
    }

    fn read<'a>(&'a self, _dispatch: &'a DispatchId, _to: &'a Who, _at: UtcMs) -> Later<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn mark<'a>(&'a self, _account: &'a Account, heard: &'a Heard) -> Later<'a, Result<Marked, String>> {
        Box::pin(
            async move { self.0.send(heard.clone()).map(|()| Marked::Noted).map_err(|_| "nobody listens".to_owned()) },
        )
    }

    fn put_on_call<'a>(&'a self, _change: &'a DutyChange) -> Later<'a, Result<u32, String>> {
        Box::pin(async { Err("nobody asks for it here".to_owned()) })
    }
}

/// Somebody on the check-in line, where the PIN is asked for.
struct Line {
    house: House,
    leg: LegId,
    events: mpsc::Sender<LegEvent>,
    play: PlayId,
}

impl Line {
    async fn rings() -> Self {
        let mut house = House::open("greeting");
        let (leg, events) = house.dials(LINE, Some(offer()));
        house.until("answer", |d| answers(d, leg)).await;
        events.send(LegEvent::Established(None)).await.expect("the call listens");
        let play = house.until("greeting", |d| plays(d, leg)).await.1;
        house.calls.on_media(MediaEvent::PlayDone { leg, play });
        let play = house.until("the question for the PIN", |d| plays(d, leg)).await.1;
        Self { house, leg, events, play }
    }

    async fn presses(&self, keys: &str) {
        for key in keys.chars() {
            self.events.send(LegEvent::Digit(key)).await.expect("the call listens");
        }
    }

    /// What is said next.
    async fn hears(&mut self) {
        let leg = self.leg;
        self.play = self.house.until("words", |d| plays(d, leg)).await.1;
    }

    fn hears_to_end(&self) {
        self.house.calls.on_media(MediaEvent::PlayDone { leg: self.leg, play: self.play });
    }
}

#[tokio::test]
async fn a_message_that_was_heard_is_stored_before_it_is_said_to_be() {
    let mut line = Line::rings().await;
    assert_eq!(line.house.calls.views()[0].state, CallState::CheckIn);
    line.presses("4711#").await;
    let (leg, mut read, mut play) = (line.leg, None, None);
    let both = |d: &Did| {
        if let Did::Read(dispatch, to) = d {
            read = Some((dispatch.clone(), to.clone()));
        }
        play = plays(d, leg).or(play);
        read.clone().zip(play)
    };
    let (read, play) = line.house.until("the message, and that it is put down as read", both).await.1;
    line.play = play;
    assert_eq!(read, (DispatchId::named("one"), Who::Contact(ContactId::named("ada"))), "whatever they do with it");
    line.presses("2").await;
    line.hears_to_end();
    line.hears().await;
    line.presses("2").await;
    let heard = |d: &Did| if let Did::Heard(heard) = d { Some(heard.clone()) } else { None };
    let heard = line.house.until("what was heard", heard).await.1;
    assert_eq!((heard.dispatch, heard.who.as_str()), (DispatchId::named("one"), "Ada"));
    assert_eq!(heard.call, line.house.call());
    line.hears().await;
    line.events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(line.house.finished().await.outcome, "checked_in");
    let record = format!("{:?}", line.house.seen);
    assert!(!record.contains("4711"), "no PIN is on record: {record}");
    let came = line.house.seen.iter().find_map(|l| match l {
        record::Line::Event { kind, body, .. } if kind == "checked_in" => Some(body.clone()),
        _ => None,
    });
    assert_eq!(came, Some(serde_json::json!({"contact": "con_ada", "held": 2})));
    let marked: Vec<_> = line.house.kinds().into_iter().filter(|kind| kind == "read_at_check_in").collect();
    assert_eq!(marked.len(), 1, "the second was not heard to its end");
}

#[tokio::test]
async fn whoever_waits_for_a_stuck_voice_is_asked_to_and_then_comes_to_an_operator() {
    let mut line = Line::rings().await;
    line.presses("8888#").await;
    line.hears().await;
    assert_eq!(line.play, ONE_MOMENT, "no silence meanwhile");
    line.hears_to_end();
    while line.play == ONE_MOMENT {
        line.hears().await;
    }
    // The tone for a voice that is given up.
    line.hears_to_end();
    line.house.hears(line.leg, &[Source::Music]).await;
    let marked = line.house.kinds().into_iter().any(|kind| kind == "read_at_check_in");
    assert!(!marked, "and nothing was heard");
}

#[tokio::test]
async fn whoever_wants_a_person_waits_for_one_and_keys_are_theirs_again() {
    let mut line = Line::rings().await;
    line.presses("4711#").await;
    line.hears().await;
    line.presses("0").await;
    let (leg, source) = (line.leg, [Source::Music]);
    let bound = |d: &Did| match d {
        Did::BoundKeys { leg: of, bound } if *of == leg => Some(*bound),
        _ => None,
    };
    assert_eq!(line.house.until("the keys", bound).await.1, KeysBound::None);
    line.house.hears(leg, &source).await;
    line.house.ready("kim").await;
    line.house.takes("kim").await;
    line.events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    line.house.finished().await;
    assert!(line.house.kinds().iter().any(|kind| kind == "check_in_left"));
}

#[tokio::test]
async fn one_wrong_pin_too_many_is_an_alarm_and_sounds_like_any_other() {
    let mut line = Line::rings().await;
    for pin in ["1111#", "9999#"] {
        line.presses(pin).await;
        line.hears().await;
        line.hears_to_end();
        line.hears().await;
    }
    let alarms = line.house.calls.alarms();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(
        alarms[0].text.contains("too many wrong PINs at check-in, the last from +1 202 555 0150"),
        "{}",
        alarms[0].text
    );
    line.presses("2222#").await;
    line.hears().await;
    line.hears_to_end();
    let leg = line.leg;
    line.house.until("the end", |d| hangs_up(d, leg)).await;
    assert_eq!(line.house.finished().await.outcome, "checked_in");
    let kinds = line.house.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == PINS_LOCKED).count(), 1, "a start tells it again");
    assert_eq!(kinds.iter().filter(|kind| *kind == "pin_refused").count(), 3);
}

#[tokio::test]
async fn where_the_store_fails_an_operator_helps() {
    let mut line = Line::rings().await;
    line.presses("5555#").await;
    line.hears().await;
    line.hears_to_end();
    let (leg, source) = (line.leg, [Source::Music]);
    line.house.hears(leg, &source).await;
}

#[tokio::test]
async fn somebody_else_is_put_on_call_and_the_desks_are_told() {
    let mut line = Line::rings().await;
    line.presses("4711#").await;
    line.hears().await;
    // To the other choices, who is on call, Ben, for eight hours.
    for keys in ["7", "4", "2", "8#"] {
        line.presses(keys).await;
        line.hears().await;
    }
    line.presses("1").await;
    let change = |d: &Did| if let Did::OnCall(change) = d { Some(change.clone()) } else { None };
    let change = line.house.until("the change", change).await.1;
    assert_eq!((change.contact, change.span, change.by.as_str()), (ContactId::named("Ben"), Span::Hours(8), "Ada"));
    let told = |event: &FeedEvent| matches!(event, FeedEvent::Account { edition: 7, .. }).then_some(());
    line.house.shown("the account is another", told).await;
}

#[test]
fn what_is_said_of_messages_is_kept_nowhere() {
    use crate::domain::checkin::CheckIn;
    let content = Speech::Spoken { text: "You have 1 new message. The message. Held one.".to_owned() };
    assert!(!CheckIn::is_fixed(&content));
    assert!(CheckIn::speeches().all(|speech| CheckIn::is_fixed(&speech)));
}

#[tokio::test]
async fn whom_an_operator_vouches_for_hears_what_is_held_and_the_dispatch_says_who_vouched() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(leg, &[Source::Leg(operator)]).await;
    let ada = Some(ContactId::named("ada"));
    assert_eq!(house.does("kim", Command::CheckIn { vouched: ada }).await, Ok(()));
    house.until("Kim is let go", |d| hangs_up(d, operator)).await;
    let words = house.until("what is held is read", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play: words });
    house.until("which keys there are", |d| plays(d, leg)).await;
    events.send(LegEvent::Digit('2')).await.expect("the call listens");
    let heard = |d: &Did| if let Did::Heard(heard) = d { Some(heard.clone()) } else { None };
    let heard = house.until("delivered", heard).await.1;
    assert_eq!((heard.dispatch, heard.who.as_str()), (DispatchId::named("one"), "Ada, vouched for by kim"));
    assert_eq!(heard.proven, Who::User(UserId::named("kim")), "it is her word, not a PIN");
}

#[tokio::test]
async fn a_word_that_came_to_nothing_is_not_the_operators_when_a_pin_follows_it() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(leg, &[Source::Leg(operator)]).await;
    let nobody = Some(ContactId::named("removed"));
    assert_eq!(house.does("kim", Command::CheckIn { vouched: nobody }).await, Ok(()));
    house.until("Kim is let go", |d| hangs_up(d, operator)).await;
    let words = house.until("that nobody is known so", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play: words });
    house.until("the PIN is asked for", |d| plays(d, leg)).await;
    for key in "4711#".chars() {
        events.send(LegEvent::Digit(key)).await.expect("the call listens");
    }
    let words = house.until("what is held is read", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play: words });
    house.until("which keys there are", |d| plays(d, leg)).await;
    events.send(LegEvent::Digit('2')).await.expect("the call listens");
    let heard = |d: &Did| if let Did::Heard(heard) = d { Some(heard.clone()) } else { None };
    let heard = house.until("delivered", heard).await.1;
    assert_eq!((heard.who.as_str(), heard.proven), ("Ada", Who::Contact(ContactId::named("ada"))));
}

#[tokio::test]
async fn who_comes_back_from_there_comes_with_the_reason_and_to_whoever_is_free_first() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(leg, &[Source::Leg(operator)]).await;
    assert_eq!(house.does("kim", Command::CheckIn { vouched: None }).await, Ok(()));
    house.until("the PIN is asked for", |d| plays(d, leg)).await;
    for key in ['0', '#'] {
        events.send(LegEvent::Digit(key)).await.expect("the call listens");
    }
    let (again, _from_again) = house.takes("kim").await;
    house.hears(leg, &[Source::Leg(again)]).await;
    let comes = |e: &FeedEvent| match e {
        FeedEvent::Call { call } if call.state == CallState::Talking => call.comes.clone(),
        _ => None,
    };
    let comes = house.shown("why they come", comes).await;
    assert_eq!(comes.why, Comes::FromCheckIn { checked_in: false, contact: None, wrong_pins: 0 });
    let told = |d: &Did| match d {
        Did::Wrote(record::Line::Event { kind, body, .. }) if kind == "told_why" => Some(body.clone()),
        _ => None,
    };
    assert_eq!(house.until("and it is on record", told).await.1["why"]["kind"], "from_check_in");
}

#[tokio::test]
async fn a_status_greeting_spoken_in_is_stored_before_it_is_said_and_taken_down_again() {
    let mut line = Line::rings().await;
    line.presses("4711#").await;
    line.hears().await;
    // To the other choices, a status greeting, and straight to the tone.
    for keys in ["7", "5", "#"] {
        line.presses(keys).await;
        line.hears().await;
    }
    line.hears_to_end();
    let (did, ()) = line.house.until("to be taken down", |d| matches!(d, Did::TakesDown { .. }).then_some(())).await;
    let Did::TakesDown { leg, mut take } = did else { unreachable!("it was picked") };
    take.add(&sine(500.0, 4_000.0, 16_000));
    line.presses("#").await;
    let ended = |d: &Did| if let Did::EndsTake { leg } = d { Some(*leg) } else { None };
    assert_eq!((leg, line.house.until("the end of it", ended).await.1), (line.leg, line.leg));
    take.end();
    line.hears().await;
    line.hears_to_end();
    line.hears().await;
    line.presses("1").await;
    let put_up = |d: &Did| if let Did::PutUp(status) = d { Some(status.clone()) } else { None };
    let status = line.house.until("the status greeting", put_up).await.1;
    assert_eq!((status.account, status.by.as_str(), status.until), (AccountId::named("plumbing"), "Ada", None));
    let told = |event: &FeedEvent| matches!(event, FeedEvent::Account { edition: 8, .. }).then_some(());
    line.house.shown("the account is another", told).await;
    // Said, the other choices again, that it plays, and away with it.
    line.hears().await;
    line.hears_to_end();
    line.hears().await;
    line.presses("5").await;
    line.hears().await;
    line.presses("2").await;
    let down = |d: &Did| if let Did::TakenDown(account, by) = d { Some((account.clone(), by.clone())) } else { None };
    let down = line.house.until("the end of the status greeting", down).await.1;
    assert_eq!(down, (AccountId::named("plumbing"), "Ada".to_owned()));
    let told = |event: &FeedEvent| matches!(event, FeedEvent::Account { edition: 9, .. }).then_some(());
    line.house.shown("the account is another", told).await;
}
