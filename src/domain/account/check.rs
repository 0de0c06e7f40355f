//! The check of an account's hours and menus before they are saved: everything wrong with them at once, each fault with
//! its place and with what to do.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::flow::{Flow, Spill, Voicemail};
use super::hours::{DayOf, Span};
use super::patching::{AutoPatch, MAX_PEOPLE, Unreached};
use super::{Account, Speech};
use crate::base::id::CallTypeId;
use crate::domain::ivr::menu::Step;
use crate::domain::ivr::validate::validate;

const MAX_WINDOWS: usize = 100;
/// Holidays, and overrides.
const MAX_DAYS: usize = 500;
const MAX_MENUS: usize = 50;
/// What a voicemail may be long, and silent.
const VOICEMAIL_SECS: std::ops::RangeInclusive<u32> = 5..=600;
const SILENCE_SECS: std::ops::RangeInclusive<u32> = 2..=60;
const RING_SECS: std::ops::RangeInclusive<u32> = 5..=120;

/// One thing wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901): `/hours/windows/0/from`.
    pub at: String,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub message: String,
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub struct Faults {
    pub all: Vec<Fault>,
}

impl Faults {
    pub fn add(&mut self, at: &str, code: &'static str, message: String) {
        self.all.push(Fault { at: at.to_owned(), code, message });
    }
}

/// All that is wrong with the hours and menus of `account`. Empty: they can be saved.
pub fn check(account: &Account) -> Vec<Fault> {
    let mut check = Check { account, faults: Faults::default() };
    check.hours();
    check.menus();
    check.faults.all
}

struct Check<'a> {
    account: &'a Account,
    faults: Faults,
}

impl Check<'_> {
    fn hours(&mut self) {
        let account = self.account;
        let hours = &account.hours;
        let timed = !hours.windows.is_empty() || !hours.holidays.is_empty();
        if timed && TimeZone::get(&account.zone).is_err() {
            let message = format!("There is no time zone \"{}\": take one like America/New_York.", account.zone);
            self.faults.add("/zone", "zone", message);
        }
        self.at_most("/hours/windows", hours.windows.len(), MAX_WINDOWS);
        self.at_most("/hours/holidays", hours.holidays.len(), MAX_DAYS);
        self.at_most("/hours/overrides", hours.overrides.len(), MAX_DAYS);
        self.flow("/hours/usual", &hours.usual);
        if hours.check_in.as_ref().is_some_and(|number| !account.dids.contains(number)) {
            let message = "That is no number of this account: name one of its own, or add it first.";
            self.faults.add("/hours/check_in", "unknown_number", message.into());
        }
        let mut names = BTreeSet::new();
        for (n, window) in hours.windows.iter().enumerate() {
            let at = format!("/hours/windows/{n}");
            self.name(&at, &window.name, &mut names);
            if window.days.is_empty() {
                self.faults.add(&format!("{at}/days"), "no_day", "Say on which days it begins.".into());
            }
            self.span(&at, &window.span);
            self.greeting(&at, window.greeting.as_ref());
            self.flow(&format!("{at}/flow"), &window.flow);
        }
        for (n, day) in hours.holidays.iter().enumerate() {
            let at = format!("/hours/holidays/{n}");
            self.name(&at, &day.name, &mut names);
            if DayOf::parse(&day.date).is_none() {
                let message = "Write the day as 2026-11-26, or as 12-25 for every year.";
                self.faults.add(&format!("{at}/date"), "date", message.into());
            } else if day.date == "02-29" {
                let message = "Not every year has a 29 February: take 02-28 or 03-01, or a date with its year.";
                self.faults.add(&format!("{at}/date"), "leap_day", message.into());
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
                let message = "It ends before it begins: give it a later end.";
                self.faults.add(&format!("{at}/until"), "until", message.into());
            }
            if over.reason.trim().is_empty() {
                let message = "Say why: others will wonder.";
                self.faults.add(&format!("{at}/reason"), "reason", message.into());
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
                let message = format!("There are two menus \"{}\": give one of them another name.", menu.name);
                self.faults.add(&format!("{at}/name"), "name_twice", message);
            }
            self.faults.all.extend(validate(menu, &at));
            self.exit(&format!("{at}/otherwise"), &menu.otherwise);
            for (m, node) in menu.nodes.iter().enumerate() {
                if let Step::Exit { flow } = &node.step {
                    self.exit(&format!("{at}/nodes/{m}/flow"), flow);
                }
            }
        }
    }

    /// That a menu leads into another is told by the menu's own check.
    fn exit(&mut self, at: &str, flow: &Flow) {
        if !matches!(flow, Flow::Menu { .. }) {
            self.flow(at, flow);
        }
    }

    fn flow(&mut self, at: &str, flow: &Flow) {
        match flow {
            Flow::Queue { call_type: Some(call_type), .. } => self.call_type(&format!("{at}/call_type"), call_type),
            Flow::Queue { call_type: None, .. } | Flow::CheckIn => {}
            Flow::Menu { menu } => {
                if !self.account.menus.iter().any(|there| there.name == *menu) {
                    let message = format!("There is no menu \"{menu}\": name one that there is, or add it.");
                    self.faults.add(&format!("{at}/menu"), "unknown_menu", message);
                }
            }
            Flow::Voicemail(voicemail) => self.voicemail(at, voicemail),
            Flow::Patch(patch) => self.patch(at, patch),
            Flow::Announcement { speech } => self.speech(&format!("{at}/speech"), speech),
            Flow::Spill(Spill { number, ring_secs, .. }) => {
                self.within(&format!("{at}/ring_secs"), *ring_secs, &RING_SECS);
                if self.account.dids.contains(number) {
                    let message = "That is a number of this account: the call would come back here. Name another.";
                    self.faults.add(&format!("{at}/number"), "round", message.into());
                }
            }
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
            let message = "Say whom to ring: a role of the schedules, or a contact.";
            self.faults.add(&format!("{at}/whom"), "nobody", message.into());
        }
        self.at_most(&format!("{at}/whom"), patch.whom.len(), MAX_PEOPLE);
        if let Some(speech) = &patch.speech {
            self.speech(&format!("{at}/speech"), speech);
        }
        let failed = format!("{at}/failed");
        match &patch.failed {
            Unreached::Queue { call_type: Some(call_type), .. } => {
                self.call_type(&format!("{failed}/call_type"), call_type);
            }
            Unreached::Voicemail(voicemail) => self.voicemail(&failed, voicemail),
            Unreached::Queue { call_type: None, .. } | Unreached::Apology => {}
        }
    }

    fn call_type(&mut self, at: &str, call_type: &CallTypeId) {
        if !self.account.call_types.iter().any(|there| there.id == *call_type) {
            let message = "The account has no such call type: name one of its own.";
            self.faults.add(at, "unknown_call_type", message.into());
        }
    }

    fn name<'a>(&mut self, at: &str, name: &'a str, names: &mut BTreeSet<&'a str>) {
        if name.trim().is_empty() {
            self.faults.add(&format!("{at}/name"), "name_missing", "Give it a name.".into());
        } else if !names.insert(name) {
            let message = format!("There are two called \"{name}\": give one of them another name.");
            self.faults.add(&format!("{at}/name"), "name_twice", message);
        }
    }

    fn span(&mut self, at: &str, span: &Span) {
        if span.times().is_none() {
            let message = "Write both times as 08:00; midnight is 00:00.";
            self.faults.add(&format!("{at}/from"), "time", message.into());
        }
    }

    fn greeting(&mut self, at: &str, greeting: Option<&Speech>) {
        if let Some(greeting) = greeting {
            self.speech(&format!("{at}/greeting"), greeting);
        }
    }

    fn speech(&mut self, at: &str, speech: &Speech) {
        if !speech.is_said() {
            let message = "There is nothing to hear: write the words, or name a recording.";
            self.faults.add(at, "prompt_missing", message.into());
        }
    }

    fn within(&mut self, at: &str, secs: u32, range: &std::ops::RangeInclusive<u32>) {
        if !range.contains(&secs) {
            let message = format!("Take {} to {} seconds.", range.start(), range.end());
            self.faults.add(at, "seconds", message);
        }
    }

    fn at_most(&mut self, at: &str, count: usize, most: usize) {
        if count > most {
            self.faults.add(at, "too_many", format!("There are {count}: {most} at most."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::domain::account::hours::{FlowOverride, Holiday, Hours, Weekday, Window};
    use crate::domain::ivr::tests::{menu, says};
    use crate::domain::message::render::tests::account;

    fn codes(account: &Account) -> Vec<(String, &'static str)> {
        check(account).into_iter().map(|fault| (fault.at, fault.code)).collect()
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
        let to_ourselves = Spill { number: account().dids[0].clone(), ring_secs: 300, failed: Default::default() };
        let holiday = |name: &str, date: &str| Holiday {
            name: name.into(),
            date: date.into(),
            span: None,
            greeting: None,
            flow: Flow::Spill(to_ourselves.clone()),
        };
        let hours = Hours {
            usual: Flow::Menu { menu: "gone".into() },
            windows: vec![window("day", "8:00", silent), window("day", "08:00", says("x"))],
            holidays: vec![holiday("a", "2026-02-30"), holiday("b", "02-29")],
            overrides: vec![FlowOverride {
                from: UtcMs(2),
                until: UtcMs(2),
                reason: " ".into(),
                made_at: UtcMs(0),
                greeting: None,
                flow: Flow::Queue { priority: None, call_type: Some(CallTypeId::named("gone")) },
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
            assert!(found.contains(&(at.to_owned(), code)), "{at} {code}: {found:?}");
        }
        assert!(check(&account).iter().all(|fault| fault.message.ends_with('.')));
    }
}
