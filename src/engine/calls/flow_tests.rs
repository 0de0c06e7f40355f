//! The ways after the greeting, through the drivers: menu, voicemail, announcement, a number elsewhere.

use super::house::*;
use super::*;
use crate::base::id::CallTypeId;
use crate::domain::account::flow::{Spill, SpillFailed, Voicemail};
use crate::domain::account::hours::Hours;
use crate::domain::call::bridge::{KeysBound, LegId, Source};
use crate::domain::ivr::menu::Menu;
use crate::domain::ivr::tests::{exit, gather, says, spoken};
use crate::engine::signal::LegEvent;
use crate::io::recording::Kind;

const IN_MENU: &str = "+12025550171";
const TO_VOICEMAIL: &str = "+12025550172";
const ELSEWHERE: &str = "+12025550173";
/// The number's own office is rung before the call is answered.
pub(super) const OFFICE_FIRST: &str = "+12025550178";
/// What a trunk shows of us that does not show an account's number.
pub(super) const SHOWN: &str = "+12025550179";
/// Callers go to the operators before those of other calls, as calls of a type.
pub(super) const RANKED: &str = "+12025550194";
const CLOSED: &str = "+12025550174";
/// Who takes calls elsewhere.
const PARTNER: &str = "+12025550160";

fn urgent() -> CallTypeId {
    CallTypeId::named("urgent")
}

/// What the number's account does at any hour.
pub(super) fn hours(did: &PhoneNumber) -> Hours {
    let usual = match did.as_e164() {
        IN_MENU => Flow::Menu { menu: "main".into() },
        TO_VOICEMAIL => Flow::Voicemail(Voicemail {
            speech: spoken("speak after the tone"),
            call_type: urgent(),
            max_secs: 60,
            silence_secs: 5,
        }),
        ELSEWHERE | OFFICE_FIRST => {
            let before_answer = did.as_e164() == OFFICE_FIRST;
            Flow::Spill(Spill { number: number(PARTNER), ring_secs: 30, failed: SpillFailed::Queue, before_answer })
        }
        CLOSED => says("we are closed"),
        RANKED => Flow::Queue { priority: Some(7), call_type: Some(urgent()), skills: Default::default() },
        patch_tests::PUT_THROUGH => patch_tests::flow(),
        check_in_tests::LINE => Flow::CheckIn,
        _ => Flow::default(),
    };
    Hours { usual, ..Hours::default() }
}

pub(super) fn menus() -> Vec<Menu> {
    let first = Flow::Queue { priority: Some(7), call_type: Some(urgent()), skills: Default::default() };
    let nodes = vec![gather("press", &[("1", "emergency")]), exit("emergency", first)];
    vec![Menu { name: "main".into(), start: "press".into(), nodes, otherwise: Flow::default() }]
}

fn line(did: &Did, wanted: &str) -> Option<Value> {
    match did {
        Did::Wrote(Line::Event { kind, body, .. }) if kind == wanted => Some(body.clone()),
        _ => None,
    }
}

/// A caller who has heard the greeting, and the play of what comes after it.
async fn greeted(house: &mut House, did: &str) -> (LegId, mpsc::Sender<LegEvent>, crate::io::media::PlayId) {
    let (leg, events) = house.dials(did, Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    let play = house.until("what comes after it", |d| plays(d, leg)).await.1;
    (leg, events, play)
}

#[tokio::test]
async fn a_choice_by_sip_info_ranks_the_caller_and_shows_at_the_pop() {
    let mut house = House::open("greeting");
    let (leg, events, _) = greeted(&mut house, IN_MENU).await;
    assert_eq!(house.calls.views()[0].state, CallState::Menu);
    events.send(LegEvent::Digit('1')).await.expect("the call listens");
    house.hears(leg, &[Source::Music]).await;
    let rank = house.shown("the caller in the queue", |event| match event {
        FeedEvent::Queue { queue } => queue.waiting.first().map(|waits| waits.priority),
        _ => None,
    });
    assert_eq!(rank.await, 7);
    house.ready("kim").await;
    house.takes("kim").await;
    let view = house.shown("the call at the seat", |event| match event {
        FeedEvent::Call { call } if call.state == CallState::Talking => Some(call.clone()),
        _ => None,
    });
    let view = view.await;
    let chosen: Vec<_> = view.chosen.iter().map(|c| (c.key.as_str(), c.label.as_str())).collect();
    assert_eq!((chosen, view.call_type.clone()), (vec![("1", "to emergency")], Some(urgent())));
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.finished().await;
    let lines = &house.seen;
    let picked = lines.iter().any(|line| {
        matches!(line, Line::Event { kind, body, .. } if kind == "flow_picked"
        && *body == serde_json::json!({"flow": "menu", "why": "usual"}))
    });
    assert!(picked, "{lines:?}");
}

#[tokio::test]
async fn the_callers_keys_are_bound_in_the_menu_alone_and_come_as_telephone_events_too() {
    let mut house = House::open("greeting");
    let (leg, events) = house.dials(IN_MENU, Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    let bound = |d: &Did| match d {
        Did::BoundKeys { leg: of, bound } if *of == leg => Some(*bound == KeysBound::All),
        _ => None,
    };
    assert!(house.until("keys are ours", bound).await.1);
    let at = house.calls.0.wiring.clock.instant();
    house.calls.on_media(MediaEvent::Digit { leg, digit: '1', at });
    assert!(!house.until("and no longer", bound).await.1);
    house.until("the choice on record", |d| line(d, "menu_left")).await;
    let of_choice = house.seen.iter().find(|l| matches!(l, Line::Event { kind, .. } if kind == "menu_chosen"));
    let Some(Line::Event { body, .. }) = of_choice else { panic!("{:?}", house.seen) };
    assert_eq!(*body, serde_json::json!({"choice": "to emergency"}), "what it is about, and not the key");
}

#[tokio::test]
async fn a_voicemail_is_on_record_from_its_first_word_to_its_last() {
    let mut house = House::open("greeting");
    let (leg, events, play) = greeted(&mut house, TO_VOICEMAIL).await;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    let play = house.until("the tone", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    let mut begun = None;
    let mut recorded = false;
    house
        .until("the recording, and that on record", |d| {
            recorded |= matches!(d, Did::Recorded { kind: Kind::Sound, leg: of } if *of == leg);
            if let Did::Wrote(Line::VoicemailBegun(line)) = d {
                begun = Some(line.clone());
            }
            (recorded && begun.is_some()).then_some(())
        })
        .await;
    assert_eq!(begun.map(|begun| (begun.call, begun.call_type)), Some((house.call(), urgent())));
    house.calls.on_media(MediaEvent::Voice { leg, speaks: true });
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    let heard = |d: &Did| if let Did::Wrote(Line::VoicemailEnded { heard, .. }) = d { Some(*heard) } else { None };
    assert!(house.until("its end", heard).await.1);
    assert_eq!(house.finished().await.outcome, "voicemail");
}

#[tokio::test]
async fn an_announcement_ends_the_call() {
    let mut house = House::open("greeting");
    let (leg, _events, play) = greeted(&mut house, CLOSED).await;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    house.until("the end", |d| hangs_up(d, leg)).await;
    assert_eq!(house.finished().await.outcome, "announced");
}

/// A call that rings elsewhere: its leg, that one's, and the ways of their events.
async fn spilling(house: &mut House) -> (LegId, LegId, Vec<u8>, mpsc::Sender<LegEvent>, mpsc::Sender<LegEvent>) {
    let (leg, events) = house.dials(ELSEWHERE, Some(offer()));
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, leg)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg, play });
    let asked = |d: &Did| if let Did::Asked(call) = d { Some(call.clone()) } else { None };
    let asked = house.until("dialled elsewhere", asked).await.1;
    let caller_id = asked.caller_id.as_ref().map(PhoneNumber::as_e164);
    assert_eq!((asked.to.as_e164(), caller_id), (PARTNER, Some(ELSEWHERE)), "as the account");
    let dialled = |d: &Did| match d {
        Did::Dialled { leg, offer, events } => Some((*leg, offer.clone(), events.clone())),
        _ => None,
    };
    let (other, sdp, there) = house.until("rung", dialled).await.1;
    (leg, other, sdp, events, there)
}

#[tokio::test]
async fn a_call_taken_elsewhere_is_connected_with_whoever_answers_there() {
    let mut house = House::open("greeting");
    let (leg, other, sdp, _events, there) = spilling(&mut house).await;
    there.send(LegEvent::Answered(answer_to(&sdp))).await.expect("the call listens");
    house.hears(leg, &[Source::Leg(other)]).await;
    assert_eq!(house.calls.views()[0].state, CallState::Patched);
    there.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(house.finished().await.outcome, "spilled");
}

#[tokio::test]
async fn where_it_is_busy_elsewhere_the_caller_waits_here() {
    let mut house = House::open("greeting");
    let (_, _, _, _events, there) = spilling(&mut house).await;
    there.send(LegEvent::Ended(Cause::Busy)).await.expect("the call listens");
    house.until("that on record", |d| line(d, "spill_failed")).await;
    house.ready("kim").await;
    house.takes("kim").await;
    house.until("somebody to talk to", |d| line(d, "talking")).await;
}

#[tokio::test]
async fn an_office_rung_first_is_heard_by_a_caller_who_is_told_so_before_the_answer() {
    let mut house = House::open("greeting");
    let (leg, events) = house.dials(OFFICE_FIRST, Some(offer()));
    let command = |d: &Did| match d {
        Did::Trunk { leg: of, command } if *of == leg => Some(format!("{command:?}")),
        _ => None,
    };
    assert_eq!(house.until("that it rings", command).await.1, "Ring");
    assert_eq!(house.until("for somebody else", command).await.1, "WaitForOthers");
    let dialled = |d: &Did| match d {
        Did::Dialled { leg, offer, events } => Some((*leg, offer.clone(), events.clone())),
        _ => None,
    };
    let (other, sdp, there) = house.until("rung", dialled).await.1;
    there.send(LegEvent::EarlyMedia(answer_to(&sdp))).await.expect("the call listens");
    house.hears(leg, &[Source::Leg(other)]).await;
    there.send(LegEvent::Answered(answer_to(&sdp))).await.expect("the call listens");
    house.until("answer", |d| answers(d, leg)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    house.hears(other, &[Source::Leg(leg)]).await;
    there.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(house.finished().await.outcome, "spilled");
}

#[tokio::test]
async fn a_call_that_comes_from_the_office_does_not_ring_it() {
    for from in [PARTNER, SHOWN] {
        let mut house = House::open("greeting");
        let (leg, _events) = house.dials_from(from, OFFICE_FIRST, Some(offer()));
        house.until("answer", |d| answers(d, leg)).await;
    }
}
