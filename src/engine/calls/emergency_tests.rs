//! Calls that desk phones make while their operators have no caller: for help, and others. In `house`.

use super::house::{Did, House, answer_to, hangs_up, number, offer, plays, user};
use super::*;
use crate::domain::call::bridge::{LegId, Source};
use crate::engine::signal::{DialOut, Dialled, LegEvent, PhoneCall};
use crate::proto::sdp::Srtp;

impl House {
    /// A desk phone makes a call; its leg and where its events go.
    pub(super) fn phone_calls(&self, name: &str, to: Dialled) -> (LegId, mpsc::Sender<LegEvent>) {
        let (events, received) = mpsc::channel(8);
        let (leg, user) = (self.legs.fresh(), UserId::named(name));
        let peer = [127, 0, 0, 1].into();
        self.calls.place_from_phone(PhoneCall {
            leg,
            user,
            to,
            offer: Some(offer()),
            srtp: Srtp::Off,
            peer,
            events: received,
        });
        (leg, events)
    }
}

fn answers(did: &Did, of: LegId) -> Option<()> {
    matches!(did, Did::Phone { leg, command: LegCommand::Answer(_) } if *leg == of).then_some(())
}

fn help() -> Dialled {
    Dialled::Number(PhoneNumber::emergency("911").expect("an emergency number"))
}

async fn dialled(house: &mut House) -> (DialOut, LegId, Vec<u8>, mpsc::Sender<LegEvent>) {
    let asks = |d: &Did| match d {
        Did::Asked(call) => Some(call.clone()),
        _ => None,
    };
    let call = house.until("the trunks are asked", asks).await.1;
    let (did, ()) = house.until("dial", |d| matches!(d, Did::Dialled { .. }).then_some(())).await;
    let Did::Dialled { leg, offer, events } = did else { unreachable!("Dialled was picked") };
    (call, leg, offer, events)
}

fn critical(house: &House) -> Vec<String> {
    house.calls.alarms().into_iter().filter(|a| a.level == AlarmLevel::Critical).map(|a| a.text).collect()
}

#[tokio::test]
async fn an_operator_who_dials_an_emergency_number_without_a_caller_is_connected_and_all_desks_know() {
    let mut house = House::open("greeting");
    let (phone, from_phone) = house.phone_calls("kim", help());
    let (call, trunk, offer, from_trunk) = dialled(&mut house).await;
    // Nobody's limits, and the number that the trunk's address is registered with.
    assert_eq!((call.to.emergency_code(), call.account, call.caller_id), (Some("911"), None, None));
    assert_eq!(critical(&house).len(), 1);
    assert!(!house.calls.is_idle(), "a stop waits for it");
    from_trunk.send(LegEvent::Answered(answer_to(&offer))).await.expect("the call listens");
    house.hears(phone, &[Source::Leg(trunk)]).await;
    house.until("the phone is answered", |d| answers(d, phone)).await;
    from_phone.send(LegEvent::Ended(Cause::HungUp)).await.expect("the call listens");
    house.until("the trunk is let go", |d| hangs_up(d, trunk)).await;
    for leg in [phone, trunk] {
        house.calls.on_media(MediaEvent::Closed { leg, stats: Default::default() });
    }
    while !house.calls.is_idle() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_emergency_call_that_no_trunk_takes_is_refused_aloud_and_the_desks_say_what_to_do() {
    let mut house = House::open("greeting");
    let (phone, from_phone) = house.phone_calls("kim", help());
    let (_, _, _, from_trunk) = dialled(&mut house).await;
    from_trunk.send(LegEvent::Ended(Cause::Forbidden)).await.expect("the call listens");
    house.until("the phone is answered", |d| answers(d, phone)).await;
    from_phone.send(LegEvent::Established(None)).await.expect("the call listens");
    let play = house.until("the words", |d| plays(d, phone)).await.1;
    assert!(critical(&house).iter().any(|text| text.contains("another telephone")), "{:?}", critical(&house));
    house.calls.on_media(MediaEvent::PlayDone { leg: phone, play });
    house.until("the phone is let go", |d| hangs_up(d, phone)).await;
}

#[tokio::test]
async fn any_other_number_without_a_caller_is_refused_and_raises_no_alarm() {
    let mut house = House::open("greeting");
    let (phone, _from_phone) = house.phone_calls("kim", Dialled::Number(number("+12025550190")));
    let refused = |d: &Did| {
        matches!(d, Did::Phone { leg, command: LegCommand::RejectSaying(Cause::Forbidden, _) } if *leg == phone)
            .then_some(())
    };
    house.until("refused", refused).await;
    assert_eq!(critical(&house), Vec::<String>::new());
}

#[tokio::test]
async fn a_second_call_for_help_is_an_alarm_of_its_own_and_each_says_whose_it_is() {
    let mut house = House::open("greeting");
    house.ready("kim").await;
    house.desk.heartbeat(user("lee"), false);
    let _kims = (house.phone_calls("kim", help()), dialled(&mut house).await);
    let _lees = (house.phone_calls("lee", help()), dialled(&mut house).await);
    let alarms = critical(&house);
    assert_eq!(alarms.len(), 2, "{alarms:?}");
    assert!(alarms[0].starts_with("kim ") && alarms[1].starts_with("lee "), "{alarms:?}");
    let _again = (house.phone_calls("lee", help()), dialled(&mut house).await);
    let ids: std::collections::HashSet<_> = house.calls.alarms().into_iter().map(|alarm| alarm.id).collect();
    assert_eq!((critical(&house).len(), ids.len()), (3, 3), "again is again");
}
