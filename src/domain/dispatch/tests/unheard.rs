//! A yes by text to a protected message from somebody who can open it nowhere.

use super::*;
use crate::domain::dispatch::state::Purpose;

/// Ben is texted about a protected message, with ten minutes; then his mobile rings.
fn night() -> Night {
    let call = Method::CallOut { leave_message: false };
    let steps = vec![(Method::TextConfirm, on_call("mobile"), 600), (call, on_call("mobile"), 600)];
    let mut night = Night::of(protocol(steps, true, Until::Confirmed));
    night.town.protected = true;
    night
}

fn says_yes(night: &mut Night) {
    night.tell(Event::Replied { number: number(100), code: 1 });
}

fn asks_operators(night: &Night) -> bool {
    night.s.troubles.contains(&Trouble::AcceptedUnheard { who: "ben".into() })
}

fn with_inboxes() -> Night {
    let mut night = night();
    for contact in &mut night.town.contacts {
        contact.destinations.push(Destination {
            id: DestinationId::named(&format!("{}-inbox", contact.name)),
            label: "inbox".into(),
            reach: Reach::Inbox(String::new()),
            ring_secs: 30,
            blocked: false,
            hours: Vec::new(),
        });
    }
    night
}

#[test]
fn it_confirms_nothing_the_desks_are_told_and_the_steps_go_on() {
    let mut night = night();
    night.until(60);
    says_yes(&mut night);
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Running, None));
    assert!(night.s.attempts.iter().all(|a| a.confirmed_at.is_none()));
    assert!(asks_operators(&night) && night.s.needs_operator());
    let answers = |night: &Night| night.s.attempts.iter().filter(|a| a.purpose == Purpose::HearFirstReply).count();
    assert_eq!(answers(&night), 1, "they hear what to do");
    let said = "Ben accepted it by text, can open it nowhere and has not heard it: that confirms nothing.";
    assert_eq!(night.lines().iter().filter(|line| *line == said).count(), 1, "{:#?}", night.lines());
    for _ in 0..5 {
        says_yes(&mut night);
    }
    assert_eq!(answers(&night), 3, "whatever answers by itself is not answered for ever");
    night.until(600);
    assert_eq!(night.times().last(), Some(&(600, Channel::Call)), "the next step follows as ever");
}

#[test]
fn once_they_have_heard_it_their_yes_counts() {
    let mut night = night();
    night.until(60);
    says_yes(&mut night);
    night.until(610);
    let call = night.ringing[0].1.clone();
    night.tell(Event::Call { attempt: call.clone(), news: CallNews::Answered });
    night.tell(Event::Call { attempt: call, news: CallNews::Told });
    assert!(!asks_operators(&night), "they know it now");
    says_yes(&mut night);
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ben")));
}

#[test]
fn an_operator_who_has_told_them_confirms_it_by_hand() {
    let mut night = night();
    night.until(60);
    says_yes(&mut night);
    let act = OperatorAct::Confirm { who: "ben".into(), note: None, edition: None };
    night.tell(Event::Operator { by: "kim".into(), act });
    assert_eq!(night.s.phase, Phase::Confirmed);
    assert!(!night.s.needs_operator());
}

#[test]
fn whoever_has_an_inbox_and_a_pin_confirms_by_text_and_without_the_pin_does_not() {
    for (no_pins, phase) in [(false, Phase::Confirmed), (true, Phase::Running)] {
        let mut night = with_inboxes();
        night.town.no_pins = no_pins;
        night.until(60);
        says_yes(&mut night);
        assert_eq!(night.s.phase, phase);
        assert_eq!(asks_operators(&night), no_pins);
    }
}
