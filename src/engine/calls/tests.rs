//! Whole calls through the drivers, with signalling, media, voice and record replaced by channels. No sleeps: each
//! test waits for the next thing the drivers do.

use super::house::{Did, House, answer_to, answers, hangs_up, number, offer, plays, user};
use std::time::Duration;

use tokio::sync::mpsc;

use super::check::CheckRefused;
use super::record::Line;
use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::base::id::{AccountId, AttemptId, ContactId};
use crate::domain::call::bridge::{LegId, Source};
use crate::domain::operator::{Phone, Phones};
use crate::engine::callout::{CallOut, CallOutEvent, CallOutRequest, OutboundEnd};
use crate::engine::feed::CallState;
use crate::engine::signal::LegEvent;
use crate::io::media::LegStats;

#[tokio::test]
async fn a_call_goes_from_invite_through_a_warm_patch_to_wrap_up() {
    let mut house = House::open("greeting");
    let (caller, from_caller) = house.queued().await;
    house
        .shown("her earlier messages", |e| matches!(e, FeedEvent::Call { call } if call.earlier == 3).then_some(()))
        .await;
    house.ready("kim").await;
    let (operator, _from_operator) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    assert_eq!(house.does("lee", Command::Hold).await, Err(CommandError::NotYours));
    assert_eq!(house.does("kim", Command::Join).await, Err(CommandError::NotNow));

    let ben = ContactRef { id: ContactId::named("ben"), name: "Ben".into() };
    let (to, ring) = (number("+12025550190"), Duration::from_secs(30));
    let patch = Command::Patch { number: to, contact: Some(ben.clone()), ring, then: Default::default(), cold: false };
    assert_eq!(house.does("kim", patch).await, Ok(()));
    let dialled = |d: &Did| matches!(d, Did::Dialled { .. }).then_some(());
    let (Did::Dialled { leg: contact, offer, events: from_contact }, ()) = house.until("dial", dialled).await else {
        unreachable!("dialled picks Dialled")
    };
    from_contact.send(LegEvent::Ringing).await.expect("the call listens");
    house.hears(operator, &[Source::Ringback]).await;
    from_contact.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house.hears(contact, &[Source::Leg(operator)]).await;
    let view = house.calls.views()[0].clone();
    assert_eq!(view.patch.and_then(|p| p.contact), Some(ben.clone()));
    assert_eq!(house.does("kim", Command::Join).await, Ok(()));
    house.hears(caller, &[Source::Leg(operator), Source::Leg(contact)]).await;
    assert_eq!(house.calls.joined(&view.id), Some(Some(ben)));
    assert_eq!(house.does("kim", Command::Drop).await, Ok(()));
    house.hears(caller, &[Source::Leg(contact)]).await;
    house.until("operator let go", |d| hangs_up(d, operator)).await;
    assert_eq!(house.does("kim", Command::WrapUpDone { disposition: None }).await, Ok(()));

    from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.until("contact let go", |d| hangs_up(d, contact)).await;
    let end = house.finished().await;
    assert_eq!((end.outcome.as_str(), end.operator), ("patched", Some(UserId::named("kim"))));
    for leg in [caller, operator, contact] {
        house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    }
    house.gone().await;
    let kinds = house.kinds();
    let wanted = [
        "verstat",
        "arrived",
        "established",
        "greeting_started",
        "greeting_ended",
        "queued",
        "offered",
        "talking",
        "patch_dialled",
        "patch_ringing",
        "patch_answered",
        "patch_joined",
        "patch_dropped",
        "wrapped_up",
        "caller_gone",
        "ended",
    ];
    let mut rest = kinds.iter();
    for kind in wanted {
        assert!(rest.any(|k| k == kind), "{kind} in order in {kinds:?}");
    }
    let (seat, queue) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!((seat.calls.len(), queue.ready), (0, 1));
}

#[tokio::test]
async fn an_unknown_number_is_refused_as_wrong() {
    let mut house = House::open("greeting");
    let (leg, _events) = house.dials("+12025550199", Some(offer()));
    let refused = |d: &Did| match d {
        Did::Trunk { leg: l, command: LegCommand::Reject(cause) } if *l == leg => Some(*cause),
        _ => None,
    };
    assert_eq!(house.until("refusal", refused).await.1, Cause::WrongNumber);
}

#[tokio::test]
async fn a_late_offer_is_answered_with_ours_and_the_greeting_waits_for_theirs() {
    let mut house = House::open("greeting");
    let (leg, events) = house.dials("+12025550102", None);
    let ours = house.until("our offer", |d| answers(d, leg)).await.1;
    events.send(LegEvent::Established(Some(answer_to(&ours)))).await.expect("the call listens");
    house.until("media", |d| matches!(d, Did::Connected { .. }).then_some(())).await;
    house.until("greeting", |d| plays(d, leg)).await;
}

#[tokio::test]
async fn an_offer_without_a_codec_of_ours_is_refused_and_recorded() {
    let mut house = House::open("greeting");
    let g729 = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 18\r\n";
    let (leg, _events) = house.dials("+12025550102", Some(g729.into()));
    let refused = |d: &Did| match d {
        Did::Trunk { leg: l, command: LegCommand::Reject(cause) } if *l == leg => Some(*cause),
        _ => None,
    };
    let rings = |d: &Did| matches!(d, Did::Trunk { leg: l, command: LegCommand::Ring } if *l == leg);
    let first = house.until("a word", |d| rings(d).then_some(None).or_else(|| refused(d).map(Some))).await.1;
    assert_eq!(first, Some(Cause::Incompatible), "it was told that it rings before it was refused");
    assert_eq!(house.finished().await.cause, Cause::Incompatible);
}

#[tokio::test]
async fn a_far_end_hold_is_answered_and_we_stop_sending() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    let held = String::from_utf8(offer()).expect("text").replace("sendrecv", "sendonly");
    assert!(held.contains("sendonly"));
    events.send(LegEvent::Reoffered(Some(held.into_bytes()))).await.expect("the call listens");
    // The far end sends and does not listen to talk: it hears nothing from us unless it says sendrecv.
    let connected = |d: &Did| match d {
        Did::Connected { leg: l, send } if *l == leg => Some(*send),
        _ => None,
    };
    assert!(!house.until("hold", connected).await.1);
    let answered = |d: &Did| matches!(d, Did::Trunk { command: LegCommand::AnswerReoffer(_), .. }).then_some(());
    house.until("answer", answered).await;
}

#[tokio::test]
async fn the_same_description_again_is_answered_and_told_to_media_which_may_hear_it_from_elsewhere() {
    let mut house = House::open("greeting");
    let (leg, events) = house.queued().await;
    events.send(LegEvent::Reoffered(Some(offer()))).await.expect("the call listens");
    let told = |d: &Did| matches!(d, Did::Connected { leg: l, send: true } if *l == leg).then_some(());
    house.until("media", told).await;
    let answered = |d: &Did| matches!(d, Did::Trunk { command: LegCommand::AnswerReoffer(_), .. }).then_some(());
    house.until("answer", answered).await;
}

#[tokio::test]
async fn one_panic_ends_one_call_and_its_neighbour_goes_on() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    let (doomed, _events) = house.dials("+12025550166", Some(offer()));
    house.until("hang-up", |d| hangs_up(d, doomed)).await;
    let end = house.finished().await;
    assert_eq!((end.outcome.as_str(), end.cause), ("fault", Cause::Fault));
    house.gone().await;
    assert_eq!(house.calls.views().len(), 1);
    house.ready("kim").await;
    let (operator, _events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
}

#[tokio::test]
async fn a_browser_that_dies_gives_the_caller_to_the_next_operator() {
    let mut house = House::open("greeting");
    let (caller, _from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.ready("lee").await;
    events.send(LegEvent::Ended(Cause::Lost)).await.expect("the call listens");
    house.calls.on_media(MediaEvent::Silent { leg: operator });
    house.hears(caller, &[Source::Music]).await;
    let (next, _events) = house.takes("lee").await;
    house.hears(caller, &[Source::Leg(next)]).await;
    let (seat, _) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!((seat.state, seat.calls.len()), (crate::engine::feed::SeatState::NotReady, 0));
}

#[tokio::test]
async fn without_a_voice_the_caller_hears_a_tone_and_the_desks_an_alarm() {
    let mut house = House::open("mute");
    let (leg, events) = house.dials("+12025550102", Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    house.until("tone", |d| plays(d, leg)).await;
    let alarms = house.calls.alarms();
    assert_eq!(alarms.len(), 1);
    assert!(alarms[0].dismissible);
    house.calls.silence("another").await;
    assert_eq!(house.calls.alarms().len(), 1);
    house.calls.silence(&alarms[0].id).await;
    assert_eq!(house.calls.alarms().len(), 0, "an operator has seen to it");
}

#[tokio::test]
async fn an_operator_takes_a_waiting_caller_out_of_turn_only_with_a_free_seat() {
    let mut house = House::open("greeting");
    let (_caller, _events) = house.queued().await;
    assert_eq!(house.does("kim", Command::Take).await, Err(CommandError::NotReady));
    let nobody = CallId::named("nobody");
    assert_eq!(house.calls.command(&nobody, &UserId::named("kim"), Command::Take).await, Err(CommandError::NoSuchCall));
}

pub(super) fn call_out() -> CallOutRequest {
    CallOutRequest {
        attempt: AttemptId::named("one"),
        account: Some(AccountId::named("plumbing")),
        person: Some("Ben Ortiz".into()),
        to: number("+12025550190"),
        caller_id: None,
        ring_secs: 30,
        intro: "Imaginary Plumbing has an urgent message.".into(),
        content: Some("Burst pipe. Call back 555 0150.".into()),
        leave: None,
        pin: None,
        caller: None,
        longest_talk_secs: None,
    }
}

#[tokio::test]
async fn a_call_out_is_told_and_confirmed_by_keys() {
    let mut house = House::open("greeting");
    let (events, mut heard) = mpsc::unbounded_channel();
    house.calls.place(call_out(), events);
    let dialled = |d: &Did| matches!(d, Did::Dialled { .. }).then_some(());
    let (Did::Dialled { leg, offer, events }, ()) = house.until("dial", dialled).await else {
        unreachable!("dialled picks Dialled")
    };
    events.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call-out listens");
    house.until("intro", |d| plays(d, leg)).await;
    let press = |digit| MediaEvent::Digit { leg, digit, at: SystemClock.instant() };
    house.calls.on_media(press('1'));
    let play = house.until("content", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.until("question", |d| plays(d, leg)).await;
    house.calls.on_media(press('1'));
    let play = house.until("thanks", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.until("hang-up", |d| hangs_up(d, leg)).await;
    house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    let mut got = vec![];
    while let Some((_, event)) = heard.recv().await {
        got.push(event);
    }
    let ended = CallOutEvent::Ended(OutboundEnd::Confirmed);
    assert_eq!(got, [CallOutEvent::Answered, CallOutEvent::Told, CallOutEvent::Confirmed, ended]);
    assert!(house.calls.is_idle());
}

#[tokio::test]
async fn a_call_out_that_is_taken_back_stops_ringing() {
    let mut house = House::open("greeting");
    let (events, mut heard) = mpsc::unbounded_channel();
    house.calls.place(call_out(), events);
    let dialled = |d: &Did| match d {
        Did::Dialled { leg, events, .. } => Some((*leg, events.clone())),
        _ => None,
    };
    let (leg, _events) = house.until("dial", dialled).await.1;
    house.calls.cancel(&AttemptId::named("one"));
    house.until("hang-up", |d| hangs_up(d, leg)).await;
    house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    let last = heard.recv().await.map(|(_, event)| event);
    assert_eq!(last, Some(CallOutEvent::Ended(OutboundEnd::Cancelled)));
}

/// The leg of a call-out that was dialled, and where its events go.
pub(super) async fn dialled_out(house: &mut House) -> (LegId, Vec<u8>, mpsc::Sender<LegEvent>) {
    let dialled = |d: &Did| match d {
        Did::Dialled { leg, offer, events } => Some((*leg, offer.clone(), events.clone())),
        _ => None,
    };
    house.until("dial", dialled).await.1
}

#[tokio::test]
async fn a_second_message_for_a_telephone_that_is_called_is_read_in_the_same_call() {
    let mut house = House::open("greeting");
    let ((one, mut first), (two, mut second)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    house.calls.place(call_out(), one);
    let (leg, offer, events) = dialled_out(&mut house).await;
    house.calls.place(CallOutRequest { attempt: AttemptId::named("two"), ..call_out() }, two);
    events.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call-out listens");
    assert_eq!(second.recv().await.map(|(_, event)| event), Some(CallOutEvent::Answered));
    let alone = |d: &Did| {
        assert!(!matches!(d, Did::Dialled { .. }), "no second call while one is up");
        plays(d, leg)
    };
    let press = || MediaEvent::Digit { leg, digit: '1', at: SystemClock.instant() };
    house.until("intro", alone).await;
    for last in [false, true] {
        house.calls.on_media(press());
        let play = house.until("content", alone).await.1;
        house.calls.on_media(MediaEvent::PlayDone { leg, play });
        house.until("question", alone).await;
        house.calls.on_media(press());
        let play = house.until("thanks", alone).await.1;
        house.calls.on_media(MediaEvent::PlayDone { leg, play });
        if !last {
            house.until("the second intro", alone).await;
        }
    }
    house.until("hang-up", |d| hangs_up(d, leg)).await;
    house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    for told in [&mut first, &mut second] {
        let mut got = vec![];
        while let Some((_, event)) = told.recv().await {
            got.push(event);
        }
        let ended = CallOutEvent::Ended(OutboundEnd::Confirmed);
        assert_eq!(got[got.len() - 3..], [CallOutEvent::Told, CallOutEvent::Confirmed, ended]);
    }
    assert!(house.calls.is_idle());
}

#[tokio::test]
async fn a_message_that_comes_when_the_call_is_over_has_one_of_its_own_and_is_taken_back_alone() {
    let mut house = House::open("greeting");
    let ((one, mut first), (two, mut second)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    house.calls.place(call_out(), one);
    let (leg, _, events) = dialled_out(&mut house).await;
    events.send(LegEvent::Ended(Cause::Busy)).await.expect("the call-out listens");
    let busy = CallOutEvent::Ended(OutboundEnd::NotReached(Cause::Busy));
    assert_eq!(first.recv().await.map(|(_, event)| event), Some(busy));
    house.calls.place(CallOutRequest { attempt: AttemptId::named("two"), ..call_out() }, two);
    house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    let (leg, _offer, _events) = dialled_out(&mut house).await;
    house.calls.cancel(&AttemptId::named("one"));
    house.calls.cancel(&AttemptId::named("two"));
    house.until("hang-up", |d| hangs_up(d, leg)).await;
    house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    let last = second.recv().await.map(|(_, event)| event);
    assert_eq!(last, Some(CallOutEvent::Ended(OutboundEnd::Cancelled)));
}

#[tokio::test]
async fn a_media_check_lets_the_operator_hear_themselves_and_counts_what_came_up() {
    let mut house = House::open("greeting");
    assert_eq!(house.calls.check_media(user("kim")).await, Err(CheckRefused::NoPhone));
    house.desk.heartbeat(user("kim"), false);
    house.desk.phones(UserId::named("kim"), Phones::of(Phone::Softphone));
    for (packets_in, passes) in [(10, false), (150, true)] {
        assert_eq!(house.calls.check_media(user("kim")).await, Ok(()));
        let (leg, events) = house.takes("kim").await;
        let play = house.until("tone", |d| plays(d, leg)).await.1;
        house.calls.on_media(MediaEvent::PlayDone { leg, play });
        house.hears(leg, &[Source::Leg(leg)]).await;
        events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the check listens");
        house.until("close", |d| matches!(d, Did::Closed).then_some(())).await;
        house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats { packets_in, ..LegStats::default() } });
        let shown = async {
            loop {
                if let Ok(FeedEvent::Seat { seat }) = house.feed.recv().await
                    && seat.checked
                {
                    return;
                }
            }
        };
        if passes {
            tokio::time::timeout(Duration::from_secs(10), shown).await.expect("the seat is checked");
        }
    }
    assert!(house.desk.set_ready(user("kim"), true, None).await.is_ok());
}

#[tokio::test]
async fn who_types_is_shown_the_caller_and_rung_on_taking() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    house.desk.heartbeat(user("kim"), true);
    let (caller, _events) = house.queued().await;
    let offered = |event: &FeedEvent| match event {
        FeedEvent::Call { call } if call.state == CallState::Offered => {
            Some((call.seat.clone(), call.offered_until.is_some()))
        }
        _ => None,
    };
    let shown = house.shown("an offer is shown", offered).await;
    assert_eq!(shown, (Some(UserId::named("kim")), true));
    assert_eq!(house.does("kim", Command::Take).await, Ok(()));
    let (operator, _events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
}

#[tokio::test]
async fn an_operator_whose_phone_hangs_up_ends_the_call_once_the_console_is_heard() {
    let mut house = House::open("greeting");
    let (caller, _events) = house.queued().await;
    house.ready("kim").await;
    let (operator, events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.hears(caller, &[Source::Music]).await;
    house.desk.heartbeat(user("kim"), false);
    house.until("caller let go", |d| hangs_up(d, caller)).await;
    assert_eq!(house.finished().await.outcome, "taken");
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_waiting_is_recorded_as_abandoned_and_leaves_the_queue() {
    let mut house = House::open("greeting");
    let (caller, events) = house.queued().await;
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(house.finished().await.outcome, "abandoned");
    house.calls.on_media(MediaEvent::Closed { leg: caller, stats: LegStats::default() });
    house.gone().await;
    house.ready("kim").await;
    let (seat, queue) = house.desk.board(user("kim")).await.expect("the desk is open");
    assert_eq!((seat.calls.len(), queue.waiting.len()), (0, 0));
}

#[tokio::test]
async fn when_the_service_stops_everybody_is_let_go() {
    let mut house = House::open("greeting");
    let (caller, _events) = house.queued().await;
    house.ready("kim").await;
    let (operator, _events) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.calls.stop();
    let mut left = vec![caller, operator];
    let mut outcome = None;
    while !left.is_empty() || outcome.is_none() {
        let (_, (leg, end)) = house
            .until("hang-ups and the record's end", |d| match d {
                Did::Trunk { leg, command: LegCommand::HangUp } | Did::Phone { leg, command: LegCommand::HangUp } => {
                    Some((Some(*leg), None))
                }
                Did::Wrote(Line::Finished { end, .. }) => Some((None, Some(end.outcome.clone()))),
                _ => None,
            })
            .await;
        outcome = outcome.or(end);
        if let Some(leg) = leg {
            left.retain(|l| *l != leg);
            house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
        }
    }
    // The next start puts the caller on the desks, to be rung back.
    assert_eq!(outcome.as_deref(), Some(CUT_OFF));
    house.gone().await;
    assert!(house.calls.is_idle());
}

#[tokio::test]
async fn a_caller_whose_media_failed_is_hung_up_and_not_left_standing() {
    let mut house = House::open("hello");
    let (leg, _events) = house.queued().await;
    house.calls.on_media(MediaEvent::Closed { leg, stats: LegStats::default() });
    let hung_up = |d: &Did| match d {
        Did::Trunk { leg: ended, command: LegCommand::HangUp } if *ended == leg => Some(()),
        _ => None,
    };
    house.until("hang up", hung_up).await;
    assert_eq!(house.finished().await.cause, Cause::Fault);
}

#[tokio::test]
async fn an_operator_whose_media_failed_gives_the_caller_back_to_the_queue() {
    let mut house = House::open("hello");
    house.ready("kim").await;
    let (caller, _events) = house.queued().await;
    let (operator, _phone) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    house.calls.on_media(MediaEvent::Closed { leg: operator, stats: LegStats::default() });
    house.hears(caller, &[Source::Music]).await;
}
