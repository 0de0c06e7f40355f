//! The check of an account's hours and menus before they are saved: everything wrong with them at once, each fault with
//! its place and with what to do.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::edit::{MAX_SKILLS, MAX_SPEECH, PRIORITY};
use super::fault::{Fault, Faults};
use super::flow::{Flow, Spill, SpillFailed, Voicemail};
use super::hours::{DayOf, Span};
use super::patching::{AutoPatch, MAX_PEOPLE};
use super::{Account, Speech};
use crate::base::id::CallTypeId;
use crate::domain::ivr::menu::{Menu, Step};
use crate::domain::ivr::validate::validate;

const MAX_WINDOWS: usize = 100;
/// Holidays, and overrides.
const MAX_DAYS: usize = 500;
const MAX_MENUS: usize = 50;
/// What a voicemail may be long, and silent.
const VOICEMAIL_SECS: std::ops::RangeInclusive<u32> = 5..=600;
const SILENCE_SECS: std::ops::RangeInclusive<u32> = 2..=60;
const RING_SECS: std::ops::RangeInclusive<u32> = 5..=120;

/// All that is wrong with the hours and menus of `account`. Empty: they can be saved.
pub fn check(account: &Account) -> Vec<Fault> {
    let mut check = Check { account, faults: Faults::default() };
    check.hours();
    check.menus();
    check.faults.into_list()
}

/// What is wrong with words that are said at `at`, but for whether they can be.
pub fn check_words(speech: &Speech, at: &str) -> Option<Fault> {
    let (code, detail, cure) = if !speech.is_said() {
        let cure = "Write the words, or name a recording.".to_owned();
        ("flow.prompt_missing", "There is nothing to hear.", cure)
    } else if matches!(speech, Speech::Spoken { text } if text.chars().count() > MAX_SPEECH) {
        let cure = format!("Write {MAX_SPEECH} characters at most.");
        ("flow.prompt_too_long", "Nobody listens to so many words.", cure)
    } else {
        return None;
    };
    Some(Fault { pointer: at.to_owned(), code: code.into(), detail: detail.to_owned(), cure })
}

/// All that is wrong with a menu that `account` might have, as if it were written at `at`.
pub fn check_menu(account: &Account, menu: &Menu, at: &str) -> Vec<Fault> {
    let mut check = Check { account, faults: Faults::default() };
    check.menu(at, menu);
    check.faults.into_list()
}

struct Check<'a> {
    account: &'a Account,
    faults: Faults,
}

impl Check<'_> {
    fn fault(&mut self, at: &str, code: &'static str, detail: impl Into<String>, cure: impl Into<String>) {
        self.faults.add(at, code, detail, cure);
    }

    fn hours(&mut self) {
        let account = self.account;
        let hours = &account.hours;
        let timed = !hours.windows.is_empty() || !hours.holidays.is_empty();
        if timed && TimeZone::get(&account.zone).is_err() {
            let detail = format!("There is no time zone \"{}\".", account.zone);
            self.fault("/zone", "flow.zone", detail, "Take one like America/New_York.");
        }
        self.at_most("/hours/windows", hours.windows.len(), MAX_WINDOWS);
        self.at_most("/hours/holidays", hours.holidays.len(), MAX_DAYS);
        self.at_most("/hours/overrides", hours.overrides.len(), MAX_DAYS);
        self.flow("/hours/usual", &hours.usual);
        self.overdue(hours.overdue.as_ref());
        if hours.check_in.as_ref().is_some_and(|number| !account.dids.contains(number)) {
            let (detail, cure) = ("That is no number of this account.", "Name one of its own, or add it first.");
            self.fault("/hours/check_in", "flow.unknown_number", detail, cure);
        }
        let mut names = BTreeSet::new();
        for (n, window) in hours.windows.iter().enumerate() {
            let at = format!("/hours/windows/{n}");
            self.name(&at, &window.name, &mut names);
            if window.days.is_empty() {
                self.fault(
                    &format!("{at}/days"),
                    "flow.no_day",
                    "It begins on no day.",
                    "Say on which days it begins.",
                );
            }
            self.span(&at, &window.span);
            self.greeting(&at, window.greeting.as_ref());
            self.flow(&format!("{at}/flow"), &window.flow);
        }
        for (n, day) in hours.holidays.iter().enumerate() {
            let at = format!("/hours/holidays/{n}");
            self.name(&at, &day.name, &mut names);
            if DayOf::parse(&day.date).is_none() {
                let cure = "Write it as 2026-11-26, or as 12-25 for every year.";
                self.fault(&format!("{at}/date"), "flow.date", "This is no day.", cure);
            } else if day.date == "02-29" {
                let cure = "Take 02-28 or 03-01, or a date with its year.";
                self.fault(&format!("{at}/date"), "flow.leap_day", "Not every year has a 29 February.", cure);
            }
            if let Some(span) = &day.span {
                self.span(&format!("{at}/span"), span);
            }
            self.greeting(&at, day.greeting.as_ref());
            self.flow(&format!("{at}/flow"), &day.flow);
        }
        for (n, over) in hours.overrides.iter().enumerate() {
            let at = format!("/hours/overrides/{n}");
            if over.until <= over.from {
                self.fault(&format!("{at}/until"), "flow.until", "It ends before it begins.", "Give it a later end.");
            }
            if over.reason.trim().is_empty() {
                let detail = "It says no reason.";
                self.fault(&format!("{at}/reason"), "flow.reason", detail, "Say why: others will wonder.");
            }
            self.greeting(&at, over.greeting.as_ref());
            self.flow(&format!("{at}/flow"), &over.flow);
        }
    }

    fn menus(&mut self) {
        let account = self.account;
        self.at_most("/menus", account.menus.len(), MAX_MENUS);
        let mut names = BTreeSet::new();
        for (n, menu) in account.menus.iter().enumerate() {
            let at = format!("/menus/{n}");
            if !names.insert(&menu.name) {
                let detail = format!("There are two menus \"{}\".", menu.name);
                self.fault(&format!("{at}/name"), "flow.name_twice", detail, "Give one of them another name.");
            }
            self.menu(&at, menu);
        }
    }

    fn menu(&mut self, at: &str, menu: &Menu) {
        self.faults.extend(validate(menu, at));
        self.exit(&format!("{at}/otherwise"), &menu.otherwise);
        for (m, node) in menu.nodes.iter().enumerate() {
            match &node.step {
                Step::Exit { flow } => self.exit(&format!("{at}/nodes/{m}/flow"), flow),
                Step::Digits(digits) => self.field(&format!("{at}/nodes/{m}/field"), digits.field.as_deref()),
                Step::Play { .. } | Step::Gather(_) | Step::Branch { .. } => {}
            }
        }
    }

    /// That a menu leads into another is told by the menu's own check.
    fn exit(&mut self, at: &str, flow: &Flow) {
        if matches!(flow, Flow::Spill(spill) if spill.before_answer) {
            let detail = "Callers in a menu were answered long ago.";
            let cure = "Ring before the answer where the hours say what happens to a call, or not at all.";
            self.fault(&format!("{at}/before_answer"), "flow.answered", detail, cure);
        }
        if !matches!(flow, Flow::Menu { .. }) {
            self.flow(at, flow);
        }
    }

    fn flow(&mut self, at: &str, flow: &Flow) {
        match flow {
            Flow::CheckIn => {}
            Flow::Queue { priority, call_type, skills } => {
                if priority.is_some_and(|priority| !(PRIORITY.0..=PRIORITY.1).contains(&priority)) {
                    let cure = format!("Choose {} to {}; 0 is ordinary, higher goes first.", PRIORITY.0, PRIORITY.1);
                    self.fault(&format!("{at}/priority"), "flow.priority", "This priority is out of bounds.", cure);
                }
                if let Some(call_type) = call_type {
                    self.call_type(&format!("{at}/call_type"), call_type);
                }
                self.at_most(&format!("{at}/skills"), skills.len(), MAX_SKILLS);
            }
            Flow::Menu { menu } => {
                if !self.account.menus.iter().any(|there| there.name == *menu) {
                    let detail = format!("There is no menu \"{menu}\".");
                    self.fault(
                        &format!("{at}/menu"),
                        "flow.unknown_menu",
                        detail,
                        "Name one that there is, or add it.",
                    );
                }
            }
            Flow::Voicemail(voicemail) => self.voicemail(at, voicemail),
            Flow::Patch(patch) => self.patch(at, patch),
            Flow::Announcement { speech } => self.speech(&format!("{at}/speech"), speech),
            Flow::Spill(spill) => self.spill(at, spill),
        }
    }

    /// What follows a wait that was too long leads to no other wait, and asks nothing.
    fn overdue(&mut self, flow: Option<&Flow>) {
        let at = "/hours/overdue";
        match flow {
            None => {}
            Some(Flow::Spill(Spill { failed: SpillFailed::Queue, .. })) => {
                let detail = "Who has waited too long would wait again.";
                self.fault(&format!("{at}/failed"), "flow.overdue", detail, "Let them hear the apology then.");
            }
            Some(flow @ (Flow::Voicemail(_) | Flow::Announcement { .. } | Flow::Spill(_))) => self.exit(at, flow),
            Some(_) => {
                let detail = "Who has waited too long is not sent there.";
                self.fault(at, "flow.overdue", detail, "Take a message, an announcement or a number elsewhere.");
            }
        }
    }

    fn spill(&mut self, at: &str, spill: &Spill) {
        self.within(&format!("{at}/ring_secs"), spill.ring_secs, &RING_SECS);
        let place = format!("{at}/number");
        if spill.number.is_short() {
            // Nobody is sent to the police by an account's hours: a person decides that.
            let detail = "This is an emergency number or a short code, not a subscriber's.";
            self.fault(&place, "flow.spill_number", detail, "Name a number of the client's: +12025550101.");
        } else if self.account.dids.contains(&spill.number) {
            let detail = "That is a number of this account: the call would come back here.";
            self.fault(&place, "flow.round", detail, "Name another.");
        }
    }

    fn voicemail(&mut self, at: &str, voicemail: &Voicemail) {
        self.speech(&format!("{at}/speech"), &voicemail.speech);
        self.call_type(&format!("{at}/call_type"), &voicemail.call_type);
        self.within(&format!("{at}/max_secs"), voicemail.max_secs, &VOICEMAIL_SECS);
        self.within(&format!("{at}/silence_secs"), voicemail.silence_secs, &SILENCE_SECS);
    }

    /// Whether those people are there, `check_people` tells.
    fn patch(&mut self, at: &str, patch: &AutoPatch) {
        if patch.whom.is_empty() {
            let cure = "Say whom to ring: a role of the schedules, or a contact.";
            self.fault(&format!("{at}/whom"), "flow.nobody", "Nobody is rung.", cure);
        }
        self.at_most(&format!("{at}/whom"), patch.whom.len(), MAX_PEOPLE);
        if let Some(speech) = &patch.speech {
            self.speech(&format!("{at}/speech"), speech);
        }
        if let Some(failed) = patch.failed.clone().flow() {
            self.flow(&format!("{at}/failed"), &failed);
        }
    }

    fn call_type(&mut self, at: &str, call_type: &CallTypeId) {
        if !self.account.call_types.iter().any(|there| there.id == *call_type) {
            self.fault(at, "flow.unknown_call_type", "The account has no such call type.", "Name one of its own.");
        }
    }

    /// Where a number goes that a caller enters. Every desk sees it, so a field that must not get about has none.
    fn field(&mut self, at: &str, field: Option<&str>) {
        let Some(field) = field else { return };
        let fields = self.account.call_types.iter().flat_map(|there| &there.form.fields);
        let named: Vec<_> = fields.filter(|there| there.name == field).collect();
        if named.is_empty() {
            let detail = format!("No form of the account has a field \"{field}\".");
            self.fault(at, "flow.unknown_field", detail, "Name one that there is, or none.");
        } else if named.iter().any(|there| !there.sensitive.is_no()) {
            let detail = "That field must not get about, and every desk sees what callers enter.";
            self.fault(at, "flow.sensitive_field", detail, "Let the operator ask for it, or take another field.");
        }
    }

    fn name<'a>(&mut self, at: &str, name: &'a str, names: &mut BTreeSet<&'a str>) {
        let place = format!("{at}/name");
        if name.trim().is_empty() {
            self.fault(&place, "flow.name_missing", "It has no name.", "Give it one.");
        } else if !names.insert(name) {
            let detail = format!("There are two called \"{name}\".");
            self.fault(&place, "flow.name_twice", detail, "Give one of them another name.");
        }
    }

    fn span(&mut self, at: &str, span: &Span) {
        if span.times().is_none() {
            let cure = "Write both as 08:00; midnight is 00:00.";
            self.fault(&format!("{at}/from"), "flow.time", "This is no time of the day.", cure);
        }
    }

    fn greeting(&mut self, at: &str, greeting: Option<&Speech>) {
        if let Some(greeting) = greeting {
            self.speech(&format!("{at}/greeting"), greeting);
        }
    }

    fn speech(&mut self, at: &str, speech: &Speech) {
        self.faults.extend(check_words(speech, at));
    }

    fn within(&mut self, at: &str, secs: u32, range: &std::ops::RangeInclusive<u32>) {
        if !range.contains(&secs) {
            let cure = format!("Choose {} to {} seconds.", range.start(), range.end());
            self.fault(at, "flow.seconds", format!("{secs} s is out of bounds."), cure);
        }
    }

    fn at_most(&mut self, at: &str, count: usize, most: usize) {
        if count > most {
            let detail = format!("There are {count}, and {most} at most.");
            self.fault(at, "flow.too_many", detail, "Take some out.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::domain::account::hours::{FlowOverride, Holiday, Hours, Weekday, Window};
    use crate::domain::account::patching::{Unreached, Whom};
    use crate::domain::ivr::tests::{menu, says};
    use crate::domain::message::render::tests::account;

    fn codes(account: &Account) -> Vec<(String, String)> {
        let code = |fault: &Fault| fault.code.strip_prefix("flow.").expect("codes are dotted").to_owned();
        check(account).into_iter().map(|fault| (fault.pointer.clone(), code(&fault))).collect()
    }

    fn span(from: &str, until: &str) -> Span {
        Span { from: from.to_owned(), until: until.to_owned() }
    }

    fn window(name: &str, from: &str, flow: Flow) -> Window {
        Window { name: name.into(), days: vec![Weekday::Monday], span: span(from, "17:00"), greeting: None, flow }
    }

    #[test]
    fn an_account_as_it_should_be_has_no_fault() {
        let windows = vec![window("day", "08:00", Flow::Menu { menu: "main".into() })];
        let account = Account { hours: Hours { windows, ..Hours::default() }, menus: vec![menu()], ..account() };
        assert_eq!(codes(&account), []);
    }

    #[test]
    fn all_faults_are_told_at_once_each_at_its_place() {
        let silent = Flow::Announcement { speech: Speech::Spoken { text: String::new() } };
        let to_ourselves = Spill {
            number: account().dids[0].clone(),
            ring_secs: 300,
            failed: Default::default(),
            before_answer: false,
        };
        let holiday = |name: &str, date: &str| Holiday {
            name: name.into(),
            date: date.into(),
            span: None,
            greeting: None,
            flow: Flow::Spill(to_ourselves.clone()),
        };
        let hours = Hours {
            overdue: None,
            usual: Flow::Menu { menu: "gone".into() },
            windows: vec![window("day", "8:00", silent), window("day", "08:00", says("x"))],
            holidays: vec![holiday("a", "2026-02-30"), holiday("b", "02-29")],
            overrides: vec![FlowOverride {
                from: UtcMs(2),
                until: UtcMs(2),
                reason: " ".into(),
                made_at: UtcMs(0),
                greeting: None,
                flow: Flow::Queue {
                    priority: None,
                    call_type: Some(CallTypeId::named("gone")),
                    skills: Default::default(),
                },
            }],
            check_in: None,
        };
        let account = Account { zone: "Nowhere/Land".into(), hours, menus: vec![menu(), menu()], ..account() };
        let found = codes(&account);
        for (at, code) in [
            ("/zone", "zone"),
            ("/hours/usual/menu", "unknown_menu"),
            ("/hours/windows/0/from", "time"),
            ("/hours/windows/0/flow/speech", "prompt_missing"),
            ("/hours/windows/1/name", "name_twice"),
            ("/hours/holidays/0/date", "date"),
            ("/hours/holidays/0/flow/ring_secs", "seconds"),
            ("/hours/holidays/0/flow/number", "round"),
            ("/hours/holidays/1/date", "leap_day"),
            ("/hours/overrides/0/until", "until"),
            ("/hours/overrides/0/reason", "reason"),
            ("/hours/overrides/0/flow/call_type", "unknown_call_type"),
            ("/menus/1/name", "name_twice"),
        ] {
            assert!(found.contains(&(at.to_owned(), code.to_owned())), "{at} {code}: {found:?}");
        }
        let told = check(&account);
        assert!(told.iter().all(|fault| fault.detail.ends_with('.') && fault.cure.ends_with('.')), "{told:?}");
    }

    fn usually(flow: Flow) -> Account {
        Account { hours: Hours { usual: flow, ..Hours::default() }, ..account() }
    }

    #[test]
    fn no_account_sends_its_callers_to_an_emergency_number() {
        for number in ["+911", "+1911", "+112", "+411"] {
            let number = crate::base::phone::PhoneNumber::parse(number).expect("it parses");
            let spill = Spill { number, ring_secs: 30, failed: Default::default(), before_answer: false };
            let found = codes(&usually(Flow::Spill(spill)));
            assert_eq!(found, [("/hours/usual/number".to_owned(), "spill_number".to_owned())]);
        }
    }

    #[test]
    fn nobody_is_rung_before_the_answer_for_a_caller_who_was_answered() {
        let number = crate::base::phone::PhoneNumber::parse("+12025550160").expect("a valid number");
        let spill = Spill { number, ring_secs: 30, failed: Default::default(), before_answer: true };
        assert_eq!(codes(&usually(Flow::Spill(spill.clone()))), []);
        let menu = Menu { otherwise: Flow::Spill(spill), ..menu() };
        let told = codes(&Account { menus: vec![menu], ..account() });
        assert_eq!(told, [("/menus/0/otherwise/before_answer".to_owned(), "answered".to_owned())]);
    }

    #[test]
    fn words_have_an_end() {
        let says = |letters| codes(&usually(says(&"x".repeat(letters))));
        assert_eq!(says(MAX_SPEECH), []);
        assert_eq!(says(MAX_SPEECH + 1), [("/hours/usual/speech".to_owned(), "prompt_too_long".to_owned())]);
    }

    #[test]
    fn the_way_of_those_whom_nobody_takes_is_checked_like_any_other() {
        let failed = Unreached::Queue {
            priority: Some(101),
            call_type: Some(CallTypeId::named("gone")),
            skills: Default::default(),
        };
        let patch = AutoPatch { whom: vec![Whom::Role { role: "technician".into() }], speech: None, failed };
        let expected = [("priority", "priority"), ("call_type", "unknown_call_type")];
        let expected = expected.map(|(at, code)| (format!("/hours/usual/failed/{at}"), code.to_owned()));
        assert_eq!(codes(&usually(Flow::Patch(patch))), expected);
    }

    #[test]
    fn a_priority_is_within_the_bounds_that_an_accounts_own_has() {
        let ranked = |priority| {
            codes(&usually(Flow::Queue { priority: Some(priority), call_type: None, skills: Default::default() }))
        };
        assert_eq!((ranked(100), ranked(-100)), (vec![], vec![]));
        for out in [101, -101, i32::MAX] {
            assert_eq!(ranked(out), [("/hours/usual/priority".to_owned(), "priority".to_owned())]);
        }
    }

    #[test]
    fn what_follows_a_wait_that_was_too_long_leads_to_no_other_wait() {
        let after = |flow| codes(&Account { hours: Hours { overdue: Some(flow), ..Hours::default() }, ..account() });
        let number = || crate::base::phone::PhoneNumber::parse("+12025550160").expect("it parses");
        let spill =
            |failed, before_answer| Flow::Spill(Spill { number: number(), ring_secs: 30, failed, before_answer });
        assert_eq!((after(says("closed")), after(spill(SpillFailed::Apology, false))), (vec![], vec![]));
        let at = |place: &str, code: &str| [(format!("/hours/overdue{place}"), code.to_owned())];
        assert_eq!(after(spill(SpillFailed::Queue, false)), at("/failed", "overdue"));
        assert_eq!(after(spill(SpillFailed::Apology, true)), at("/before_answer", "answered"));
        assert_eq!(after(Flow::default()), at("", "overdue"));
        assert_eq!(after(Flow::CheckIn), at("", "overdue"));
    }

    #[test]
    fn a_number_that_callers_enter_goes_into_a_field_that_there_is_and_that_may_get_about() {
        use crate::domain::ivr::digits_tests::{node, number};
        use crate::domain::message::form::{Field, Form, Sensitive};
        let with = |name: &str, sensitive| {
            let mut whole = account();
            let mut menu = menu();
            let mut digits = number();
            digits.next = "urgent".into();
            menu.nodes.push(node(digits));
            menu.start = "number".into();
            let field = Field { name: name.into(), label: "Policy".into(), sensitive, ..Field::default() };
            whole.call_types = vec![crate::domain::account::CallType {
                id: CallTypeId::named("urgent"),
                name: "Urgent".into(),
                urgency: crate::domain::account::Urgency::Urgent,
                triggers: String::new(),
                watched: vec![],
                form: Form { version: 1, fields: vec![field] },
                protocol: None,
                protected: false,
                priority: None,
            }];
            whole.menus = vec![menu];
            let field = |(at, code): (String, String)| at.ends_with("/field").then_some(code);
            codes(&whole).into_iter().filter_map(field).collect::<Vec<_>>()
        };
        assert_eq!(with("policy", Sensitive::No), [] as [&str; 0]);
        assert_eq!(with("other", Sensitive::No), ["unknown_field"]);
        assert_eq!(with("policy", Sensitive::Kept), ["sensitive_field"], "every desk sees it");
    }
}
