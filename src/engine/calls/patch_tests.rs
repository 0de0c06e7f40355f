//! Patches that nobody makes by hand, through the drivers: who is found, who is asked, and who hears whom.

use super::house::*;
use super::*;
use crate::base::id::ContactId;
use crate::domain::account::Patching;
use crate::domain::account::patching::{AutoPatch, Found, Unreached, Whom};
use crate::domain::call::bridge::{LegId, Source};
use crate::domain::dispatch::patch_step::{PatchEnd, PatchNews};
use crate::engine::signal::LegEvent;

/// Its callers are put through to the technician.
pub(super) const PUT_THROUGH: &str = "+12025550175";
const ANN: &str = "+12025550161";

pub(super) fn patching(_did: &PhoneNumber) -> Patching {
    Patching::default()
}

pub(super) fn flow() -> Flow {
    let whom = vec![Whom::Role { role: "technician".into() }];
    Flow::Patch(AutoPatch { whom, speech: None, failed: Unreached::default() })
}

/// Ann, if it is the technician who is asked for.
pub(super) fn find(whom: &[Whom]) -> Vec<Found> {
    assert_eq!(whom, [Whom::Role { role: "technician".into() }]);
    let numbers = vec![(number(ANN), 20)];
    vec![Found { contact: ContactId::named("ann"), name: "Ann".into(), why: "on call".into(), numbers }]
}

fn line(did: &Did, wanted: &str) -> Option<Value> {
    match did {
        Did::Wrote(Line::Event { kind, body, .. }) if kind == wanted => Some(body.clone()),
        _ => None,
    }
}

struct Sought {
    house: House,
    caller: LegId,
    events: mpsc::Sender<LegEvent>,
    ann: LegId,
    offer: Vec<u8>,
    at_ann: mpsc::Sender<LegEvent>,
}

/// A caller for whom Ann's telephone rings.
async fn sought() -> Sought {
    let mut house = House::open("greeting");
    let (caller, events) = house.dials(PUT_THROUGH, Some(offer()));
    house.until("answer", |d| answers(d, caller)).await;
    events.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("greeting", |d| plays(d, caller)).await.1;
    house.calls.on_media(MediaEvent::PlayDone { leg: caller, play });
    let asked = |d: &Did| if let Did::Asked(call) = d { Some(call.clone()) } else { None };
    let asked = house.until("Ann is dialled", asked).await.1;
    let caller_id = asked.caller_id.as_ref().map(PhoneNumber::as_e164);
    assert_eq!((asked.to.as_e164(), caller_id), (ANN, Some(PUT_THROUGH)), "as the account");
    let dialled = |d: &Did| match d {
        Did::Dialled { leg, offer, events } => Some((*leg, offer.clone(), events.clone())),
        _ => None,
    };
    let (ann, offer, at_ann) = house.until("Ann is rung", dialled).await.1;
    Sought { house, caller, events, ann, offer, at_ann }
}

#[tokio::test]
async fn ann_presses_one_and_is_patched_under_her_name() {
    let Sought { mut house, caller, events, ann, offer, at_ann } = sought().await;
    assert_eq!(house.calls.views()[0].state, CallState::Reaching);
    at_ann.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house.until("the question", |d| plays(d, ann)).await;
    at_ann.send(LegEvent::Digit('1')).await.expect("the call listens");
    house.hears(caller, &[Source::Leg(ann)]).await;
    let view = house.calls.views()[0].clone();
    let patch = view.patch.expect("a patch");
    assert_eq!((view.state, patch.contact.map(|c| c.name)), (CallState::Patched, Some("Ann".to_owned())));
    events.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    assert_eq!(house.finished().await.outcome, "patched");
    let to =
        house.seen.iter().find_map(|l| if let Line::Patched { to, .. } = l { Some(to.reveal().clone()) } else { None });
    assert_eq!(to.as_deref(), Some("Ann"));
    let kinds = house.kinds();
    for kind in ["patch_sought", "person_found", "patch_dialled", "patch_answered", "patch_accepted", "patch_over"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
}

#[tokio::test]
async fn ann_presses_two_and_an_operator_takes_the_call() {
    let Sought { mut house, ann, offer, at_ann, events: _events, .. } = sought().await;
    at_ann.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house.until("the question", |d| plays(d, ann)).await;
    at_ann.send(LegEvent::Digit('2')).await.expect("the call listens");
    house.until("Ann is let go", |d| hangs_up(d, ann)).await;
    house.until("that nobody came on record", |d| line(d, "nobody_reached")).await;
    house.ready("kim").await;
    house.takes("kim").await;
    house.until("somebody to talk to", |d| line(d, "talking")).await;
}

#[tokio::test]
async fn a_star_brings_an_operator_to_the_two() {
    let Sought { mut house, caller, ann, offer, at_ann, events } = sought().await;
    at_ann.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house.until("the question", |d| plays(d, ann)).await;
    at_ann.send(LegEvent::Digit('1')).await.expect("the call listens");
    house.hears(caller, &[Source::Leg(ann)]).await;
    events.send(LegEvent::Digit('*')).await.expect("the call listens");
    house.until("the star on record", |d| line(d, "patch_recalled")).await;
    let view = house.calls.views()[0].clone();
    assert!(view.waits() && view.state == CallState::Patched);
    house.ready("kim").await;
    let (kim, _kim_events) = house.takes("kim").await;
    house.hears(kim, &[Source::Leg(caller), Source::Leg(ann)]).await;
    assert_eq!(house.calls.views()[0].state, CallState::Conference);
}

#[tokio::test]
async fn what_becomes_of_an_operators_patch_is_news_until_it_connects() {
    let mut house = House::open("greeting");
    let (caller, from_caller) = house.queued().await;
    house.ready("kim").await;
    let (operator, _from_kim) = house.takes("kim").await;
    house.hears(caller, &[Source::Leg(operator)]).await;
    let ann = ContactRef { id: ContactId::named("ann"), name: "Ann".into() };
    for round in 0..3 {
        let patch = Command::Patch {
            number: number(ANN),
            contact: Some(ann.clone()),
            ring: Duration::from_secs(30),
            then: Default::default(),
            cold: false,
        };
        assert_eq!(house.does("kim", patch).await, Ok(()));
        let dialled = |d: &Did| match d {
            Did::Dialled { leg, offer, events } => Some((*leg, offer.clone(), events.clone())),
            _ => None,
        };
        let (leg, offer, at_ann) = house.until("Ann is rung", dialled).await.1;
        match round {
            0 => at_ann.send(LegEvent::Ended(Cause::Busy)).await.expect("the call listens"),
            1 => {
                at_ann.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
                house.hears(leg, &[Source::Leg(operator)]).await;
                assert_eq!(house.does("kim", Command::Cancel).await, Ok(()));
            }
            _ => from_caller.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens"),
        }
        if round < 2 {
            house.hears(caller, &[Source::Leg(operator)]).await;
        } else {
            house.until("that the caller has gone on record", |d| line(d, "caller_gone")).await;
            assert_eq!(house.does("kim", Command::Cancel).await, Ok(()));
        }
    }
    house.finished().await;
    let told: Vec<_> = house.seen.iter().filter_map(told_of).collect();
    let ends = [PatchEnd::Busy, PatchEnd::Refused, PatchEnd::CallerGone];
    let wanted: Vec<_> = ends.into_iter().flat_map(|why| [PatchNews::Begun, PatchNews::Over(why)]).collect();
    let wanted: Vec<_> = wanted.into_iter().zip(1..).map(|(news, nth)| (nth, ann.id.clone(), news)).collect();
    assert_eq!(told, wanted);
}

fn told_of(line: &Line) -> Option<(u32, ContactId, PatchNews)> {
    match line {
        Line::Patching { nth, contact: Some(contact), news, .. } => Some((*nth, contact.clone(), *news)),
        _ => None,
    }
}
