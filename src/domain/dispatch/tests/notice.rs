//! Whoever was sent a notice rings back when the dispatch is over.

use super::*;

fn told(night: &mut Night, who: &str, n: u32) {
    let act = OperatorAct::Told {
        number: number(n),
        people: vec![ContactId::named(who)],
        edition: Some(night.town.changes + 1),
    };
    night.tell(Event::Operator { by: "kim".into(), act });
}

#[test]
fn whoever_rings_back_has_the_name_by_which_they_were_asked_last_and_a_shared_telephone_is_whose_contact_was_asked() {
    let to = vec![named("ben", "mobile"), named("ada", "mobile")];
    let mut night = Night::of(protocol(vec![(Method::Text, to, 0)], false, Until::HandedOver));
    night.until(0);
    let name = |n: u32, who: &[&str]| {
        let people: Vec<_> = who.iter().map(|who| ContactId::named(who)).collect();
        night.s.find_asked(&number(n), &people).map(|a| a.name.clone())
    };
    assert_eq!(name(100, &["ben"]).as_deref(), Some("ben"));
    assert_eq!(name(100, &["ada", "office"]).as_deref(), Some("ada"), "from a telephone that both have");
    assert_eq!(name(100, &[]).as_deref(), Some("ben"), "the number was asked, whoever has it now");
    assert_eq!(name(120, &["office"]), None);
}

#[test]
fn who_has_the_pin_that_all_share_is_whom_a_step_asked_last_before_whom_one_only_informed() {
    let email = Step { informs: true, ..Step::new(Method::Email, vec![named("office", "email")], 0) };
    let text = |who: &str| Step::new(Method::TextConfirm, vec![named(who, "mobile")], 120);
    let mut protocol = protocol(vec![], false, Until::Confirmed);
    protocol.steps = vec![text("ada"), text("ben"), email];
    let mut night = Night::of(protocol);
    night.until(60);
    assert_eq!(night.s.list_asked(), [&ContactId::named("ada")]);
    night.until(300);
    let asked: Vec<&str> = night.s.list_asked().into_iter().map(ContactId::as_str).collect();
    let of = |name: &str| ContactId::named(name).as_str().to_owned();
    assert_eq!(asked, [of("ben"), of("ada"), of("office")]);
}

fn owes(night: &Night, who: &str, n: u32) -> bool {
    night.s.find_unheard_notice(&number(n), &[ContactId::named(who)]).is_some()
}

#[test]
fn each_who_was_sent_a_notice_is_told_once_and_the_dispatch_stays_as_it_ended() {
    let to = vec![named("ben", "mobile"), named("ada", "mobile")];
    let mut night = Night::of(protocol(vec![(Method::Text, to, 0)], false, Until::HandedOver));
    night.until(0);
    assert_eq!((night.s.phase, owes(&night, "ben", 100)), (Phase::Delivered, true));
    assert!(owes(&night, "ben", 101), "also from another telephone of theirs");
    assert!(!owes(&night, "office", 120), "who was sent nothing has nothing to hear");
    let closed_at = night.s.closed_at;
    told(&mut night, "ben", 101);
    assert!(night.lines().contains(&"ben rang back and was told by kim.".to_owned()), "{:?}", night.lines());
    assert_eq!((night.s.phase, night.s.closed_at, night.sent.len()), (Phase::Delivered, closed_at, 2));
    assert_eq!((owes(&night, "ben", 100), owes(&night, "ada", 110)), (false, true));
    let (lines, state) = (night.lines().len(), night.s.clone());
    told(&mut night, "ben", 100);
    assert_eq!((night.lines().len(), &night.s), (lines, &state), "once");
}

#[test]
fn words_of_before_a_change_tell_nobody() {
    let to = vec![named("ben", "mobile")];
    let mut night = Night::of(protocol(vec![(Method::Text, to, 0)], false, Until::HandedOver));
    night.until(0);
    let (number, people) = (number(100), vec![ContactId::named("ben")]);
    let act = OperatorAct::Told { number, people, edition: Some(2) };
    night.tell(Event::Operator { by: "kim".into(), act });
    assert!(owes(&night, "ben", 100));
}

#[test]
fn whoever_accepted_by_text_may_still_hear_it_and_who_was_stood_down_has_nothing_to_hear() {
    let to = vec![named("ben", "mobile"), named("ada", "mobile")];
    let mut night = Night::of(protocol(vec![(Method::TextConfirm, to, 600)], false, Until::Confirmed));
    night.until(10);
    assert!(!owes(&night, "ben", 100), "it is open: they can confirm it");
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed);
    assert_eq!((owes(&night, "ben", 100), owes(&night, "ada", 110)), (true, false));
    told(&mut night, "ben", 100);
    assert_eq!((night.s.phase, owes(&night, "ben", 100)), (Phase::Confirmed, false));
}
