//! Edges that are away for longer than a step waits: what nothing follows is tried again for a day.

use super::*;

#[test]
fn a_relay_that_is_away_for_ten_minutes_costs_no_email_and_its_alarm_goes_when_it_is_back() {
    let office = protocol(
        vec![(Method::Email, vec![named("ben", "email")], 0), (Method::Text, vec![named("ben", "mobile")], 0)],
        false,
        Until::HandedOver,
    );
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(600);
    let tries = |night: &Night| night.times().iter().filter(|(_, c)| *c == Channel::Email).map(|(at, _)| *at).collect();
    let tried: Vec<i64> = tries(&night);
    assert_eq!(tried, [0, 5, 20, 50, 110, 410]);
    assert!(night.times().contains(&(0, Channel::Text)), "what follows does not wait for it");
    assert_eq!(night.s.phase, Phase::Running);
    assert!(night.s.troubles.contains(&Trouble::EdgeDown { channel: Channel::Email }));
    night.refuse = None;
    night.until(1_310);
    assert_eq!((night.s.phase, night.s.needs_operator()), (Phase::Delivered, false));
}

#[test]
fn an_edge_that_stays_away_for_a_day_is_given_up_and_an_operator_asked() {
    let office = protocol(vec![(Method::Email, vec![named("ben", "email")], 0)], false, Until::HandedOver);
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(26 * 3_600);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
    let last = night.times().last().expect("it was tried").0;
    assert!((22 * 3_600..=24 * 3_600).contains(&last), "{last}");
    assert!(night.times().len() < 40);
}

#[test]
fn the_record_of_a_patch_waits_for_its_relay() {
    let with_record = protocol(
        vec![(Method::TextConfirm, on_call("mobile"), 900), (Method::Email, vec![named("ben", "email")], 0)],
        false,
        Until::Confirmed,
    );
    let mut night = Night::of(with_record);
    night.until(10);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.tell(Event::Patched { to: vec!["Ben".into()] });
    night.until(300);
    night.refuse = None;
    night.until(1_000);
    let record = night.s.attempts.iter().find(|a| a.purpose == state::Purpose::Record).expect("a record");
    assert!(record.accepted_at.is_some(), "{record:?}");
}

#[test]
fn a_post_in_doubt_is_tried_again_as_one_that_was_not_taken_and_goes_out_after_a_patch_too() {
    let posts = || protocol(vec![(Method::Webhook, vec![named("ben", "desk")], 0)], false, Until::HandedOver);
    let with_desk = |night: &mut Night| {
        let mut desk = night.town.contacts[0].destinations[0].clone();
        (desk.label, desk.reach) = ("desk".into(), Reach::Webhook("desk".into()));
        night.town.contacts[0].destinations.push(desk);
    };
    let mut night = Night::of(posts());
    with_desk(&mut night);
    night.refuse = Some((Channel::Webhook, Failure::Unknown));
    night.until(300);
    night.refuse = None;
    night.until(500);
    assert_eq!(night.times().iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 5, 20, 50, 110, 410]);
    assert_eq!(night.s.phase, Phase::Delivered);
    let mut night = Night::of(posts());
    with_desk(&mut night);
    night.tell(Event::Patched { to: vec!["Ben".into()] });
    night.until(1);
    assert_eq!((night.s.phase, night.times()), (Phase::Patched, vec![(0, Channel::Webhook)]));
}

#[test]
fn to_go_on_when_only_an_edge_is_waited_for_gives_up_what_it_has_not_taken() {
    let office = protocol(vec![(Method::Email, vec![named("ben", "email")], 0)], false, Until::HandedOver);
    let mut night = Night::of(office);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(300);
    assert_eq!(night.s.phase, Phase::Running);
    night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Skip { moves: None } });
    assert_eq!((night.s.phase, night.s.wake()), (Phase::ExhaustedUnconfirmed, None));
}

#[test]
fn each_client_s_system_that_is_down_is_an_alarm_of_its_own() {
    let to = vec![named("ben", "desk"), named("ben", "store")];
    let mut night = Night::of(protocol(vec![(Method::Webhook, to, 0)], false, Until::HandedOver));
    for name in ["desk", "store"] {
        let mut system = night.town.contacts[0].destinations[0].clone();
        (system.label, system.reach) = (name.into(), Reach::Webhook(name.into()));
        night.town.contacts[0].destinations.push(system);
    }
    night.refuse = Some((Channel::Webhook, Failure::Temporary));
    night.until(60);
    let down = |name: &str| Trouble::SystemDown { name: name.into() };
    assert!(night.s.troubles.contains(&down("desk")) && night.s.troubles.contains(&down("store")));
    night.until(111);
    let desk = night.s.attempts.iter().find(|a| a.address.as_str() == "desk").expect("it was tried").id.clone();
    night.tell(Event::Accepted { attempt: desk, provider_id: None });
    assert!(!night.s.troubles.contains(&down("desk")), "it is back");
    assert!(night.s.troubles.contains(&down("store")), "which says nothing of the other");
}

#[test]
fn an_alarm_of_an_edge_stays_while_it_still_holds_up_somebody_else() {
    let two = protocol(
        vec![
            (Method::Email, vec![named("ben", "email")], 0),
            (Method::Text, vec![named("ben", "mobile")], 3_000),
            (Method::Email, vec![named("ada", "email")], 0),
        ],
        false,
        Until::HandedOver,
    );
    let mut night = Night::of(two);
    night.refuse = Some((Channel::Email, Failure::Temporary));
    night.until(2_999);
    night.refuse = None;
    let down = Trouble::EdgeDown { channel: Channel::Email };
    assert!(night.s.troubles.contains(&down));
    night.until(3_001);
    let of = |night: &Night, name: &str| {
        night.s.attempts.iter().find(|a| a.channel == Channel::Email && a.name == name).cloned()
    };
    assert!(of(&night, "ada").is_some_and(|a| a.accepted_at.is_some()), "hers is taken");
    assert!(of(&night, "ben").is_some_and(|a| a.accepted_at.is_none()), "his waits for its next try");
    assert!(night.s.troubles.contains(&down), "which is why it still needs somebody");
    night.until(3 * 3_600);
    assert_eq!((night.s.phase, night.s.needs_operator()), (Phase::Delivered, false));
}
