//! Menus with something wrong, and what is said of it.

use super::*;
use crate::domain::ivr::tests::{exit, gather, menu, play, says};

fn code(fault: &Fault) -> String {
    fault.code.strip_prefix("flow.").expect("codes are dotted").to_owned()
}

fn codes(menu: &Menu) -> Vec<(String, String)> {
    validate(menu, "/menus/0").iter().map(|fault| (fault.pointer.clone(), code(fault))).collect()
}

fn found(menu: &Menu) -> Vec<String> {
    validate(menu, "").iter().map(code).collect()
}

#[test]
fn a_menu_of_words_choices_and_exits_has_no_fault() {
    assert_eq!(codes(&menu()), []);
}

#[test]
fn all_faults_are_told_at_once_each_at_its_place_and_with_what_to_do() {
    let mut menu = menu();
    menu.start = "nowhere".into();
    menu.nodes.push(play("silence", " ", "gone"));
    menu.nodes.push(exit("silence", Flow::Menu { menu: "main".into() }));
    let found = codes(&menu);
    let last = menu.nodes.len() - 1;
    for (place, code) in [
        ("/menus/0/start".to_owned(), "dead_end"),
        (format!("/menus/0/nodes/{}/speech", last - 1), "prompt_missing"),
        (format!("/menus/0/nodes/{}/next", last - 1), "dead_end"),
        (format!("/menus/0/nodes/{last}/id"), "name_twice"),
        (format!("/menus/0/nodes/{last}/flow"), "menu_in_menu"),
        ("/menus/0/nodes/0".to_owned(), "unreachable"),
    ] {
        assert!(found.contains(&(place.clone(), code.to_owned())), "{place} {code}: {found:?}");
    }
    assert!(validate(&menu, "").iter().all(|fault| fault.detail.ends_with('.') && fault.cure.ends_with('.')));
}

#[test]
fn choices_are_keys_each_once_and_say_what_they_are_about() {
    for (digits, code) in
        [("", Some("digits")), ("1#", Some("digits")), ("x", Some("digits")), ("#", None), ("12", None)]
    {
        let mut menu = menu();
        let Step::Gather(gather) = &mut menu.nodes[0].step else { panic!("it asks first") };
        gather.choices[0].digits = digits.into();
        assert_eq!(found(&menu), Vec::from_iter(code), "{digits}");
    }
    let mut menu = menu();
    let Step::Gather(gather) = &mut menu.nodes[0].step else { panic!("it asks first") };
    gather.choices[1].digits = gather.choices[0].digits.clone();
    gather.choices[1].label = String::new();
    assert_eq!(found(&menu), ["digits_twice", "label_missing"]);
}

#[test]
fn a_round_that_a_silent_caller_cannot_leave_is_refused_and_one_by_a_key_is_not() {
    let mut menu = menu();
    menu.nodes =
        vec![play("start", "hello", "ask"), gather("ask", &[("9", "start"), ("1", "out")]), exit("out", says("bye"))];
    assert_eq!(found(&menu), [] as [&str; 0], "9 repeats it, and whoever presses nothing gets out");
    let Step::Gather(asks) = &mut menu.nodes[1].step else { panic!("it asks") };
    asks.gave_up = Some("start".into());
    assert_eq!(codes(&menu), [("/menus/0/nodes/0".to_owned(), "loop".to_owned())]);
    (menu.start, menu.nodes) = ("start".into(), vec![play("start", "hello", "start")]);
    assert_eq!(found(&menu), ["loop"]);
}

#[test]
fn figures_that_make_no_sense_are_refused() {
    let mut menu = menu();
    let Step::Gather(gather) = &mut menu.nodes[0].step else { panic!("it asks first") };
    (gather.timeout_secs, gather.retries) = (0, 100);
    assert_eq!(found(&menu), ["timeout", "retries"]);
    gather_of(&mut menu).choices.clear();
    assert!(found(&menu).iter().any(|code| code == "no_choice"));
}

fn gather_of(menu: &mut Menu) -> &mut Gather {
    let Step::Gather(gather) = &mut menu.nodes[0].step else { panic!("it asks first") };
    gather
}

#[test]
fn a_number_that_is_asked_for_says_what_it_is_and_how_long_and_leads_on() {
    let wrong = |change: fn(&mut Digits)| {
        let mut menu = menu();
        let mut digits = crate::domain::ivr::digits_tests::number();
        digits.next = "urgent".into();
        change(&mut digits);
        gather_of(&mut menu).choices[1].next = "number".into();
        menu.nodes.push(crate::domain::ivr::digits_tests::node(digits));
        menu.nodes.push(gather("again", &[("1", "hours")]));
        gather_of(&mut menu).choices.push(super::super::menu::Choice {
            digits: "3".into(),
            label: "hours".into(),
            next: "again".into(),
        });
        found(&menu)
    };
    assert_eq!(wrong(|_| {}), [] as [&str; 0]);
    assert_eq!(wrong(|d| d.label = " ".into()), ["label_missing"]);
    assert_eq!(wrong(|d| (d.min, d.max) = (6, 5)), ["digit_count"]);
    assert_eq!(wrong(|d| (d.min, d.max) = (0, 5)), ["digit_count"]);
    assert_eq!(wrong(|d| d.max = 33), ["digit_count"]);
    assert_eq!(wrong(|d| d.next = "nowhere".into()), ["dead_end"]);
    assert_eq!(wrong(|d| d.gave_up = Some("number".into())), ["loop"], "whoever presses nothing");
    assert_eq!(wrong(|d| d.back = Some("Is that right?".into())), ["digits_unsaid"]);
    assert_eq!(wrong(|d| (d.say_back, d.back) = (false, Some("Is that right?".into()))), [] as [&str; 0]);
    assert_eq!(wrong(|d| (d.timeout_secs, d.retries) = (0, 100)), ["timeout", "retries"]);
}
