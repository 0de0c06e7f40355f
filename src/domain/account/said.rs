//! What the flows of an account say and where they send its callers, each with its place: to be looked at by those who know
//! what can be said and whose numbers there are (`engine/clients`). Pure.

use super::flow::{Flow, Spill};
use super::hours::Hours;
use super::patching::Unreached;
use super::{Account, Speech};
use crate::domain::ivr::menu::{Menu, Step};

/// Every flow of hours and menus, with the JSON pointer to it.
pub fn list_flows<'a>(hours: &'a Hours, menus: &'a [Menu]) -> Vec<(String, &'a Flow)> {
    let mut all = vec![("/hours/usual".to_owned(), &hours.usual)];
    all.extend(hours.overdue.iter().map(|flow| ("/hours/overdue".to_owned(), flow)));
    let windows = hours.windows.iter().enumerate();
    all.extend(windows.map(|(n, window)| (format!("/hours/windows/{n}/flow"), &window.flow)));
    let holidays = hours.holidays.iter().enumerate();
    all.extend(holidays.map(|(n, day)| (format!("/hours/holidays/{n}/flow"), &day.flow)));
    let overrides = hours.overrides.iter().enumerate();
    all.extend(overrides.map(|(n, over)| (format!("/hours/overrides/{n}/flow"), &over.flow)));
    for (n, menu) in menus.iter().enumerate() {
        all.extend(exits(menu, &format!("/menus/{n}")));
    }
    all
}

fn exits<'a>(menu: &'a Menu, at: &str) -> Vec<(String, &'a Flow)> {
    let mut all = vec![(format!("{at}/otherwise"), &menu.otherwise)];
    all.extend(menu.nodes.iter().enumerate().filter_map(|(n, node)| match &node.step {
        Step::Exit { flow } => Some((format!("{at}/nodes/{n}/flow"), flow)),
        Step::Play { .. } | Step::Gather(_) | Step::Digits(_) | Step::Branch { .. } => None,
    }));
    all
}

/// Everything that hours and menus say to callers, greetings too, with where it is written. Words that are missing are not
/// among it.
pub fn list_speeches<'a>(hours: &'a Hours, menus: &'a [Menu]) -> Vec<(String, &'a Speech)> {
    let mut all = Vec::new();
    let windows = hours.windows.iter().map(|window| &window.greeting).enumerate();
    all.extend(windows.map(|(n, greeting)| (format!("/hours/windows/{n}/greeting"), greeting)));
    let holidays = hours.holidays.iter().map(|day| &day.greeting).enumerate();
    all.extend(holidays.map(|(n, greeting)| (format!("/hours/holidays/{n}/greeting"), greeting)));
    let overrides = hours.overrides.iter().map(|over| &over.greeting).enumerate();
    all.extend(overrides.map(|(n, greeting)| (format!("/hours/overrides/{n}/greeting"), greeting)));
    let mut all: Vec<_> =
        all.into_iter().filter_map(|(at, greeting)| greeting.as_ref().map(|said| (at, said))).collect();
    all.extend(list_flows(hours, &[]).into_iter().flat_map(|(at, flow)| said_in(flow, &at)));
    all.retain(|(_, speech)| speech.is_said());
    all.extend(menus.iter().enumerate().flat_map(|(n, menu)| list_menu_speeches(menu, &format!("/menus/{n}"))));
    all
}

/// Everything that one menu says, as if it were written at `at`.
pub fn list_menu_speeches<'a>(menu: &'a Menu, at: &str) -> Vec<(String, &'a Speech)> {
    let of_exits = exits(menu, at).into_iter().flat_map(|(at, flow)| said_in(flow, &at));
    let mut all: Vec<_> = asked(menu, at).into_iter().chain(of_exits).collect();
    all.retain(|(_, speech)| speech.is_said());
    all
}

/// What a flow says, each at the field in which it is written.
fn said_in<'a>(flow: &'a Flow, at: &str) -> Vec<(String, &'a Speech)> {
    let own = |speech: &'a Speech| (format!("{at}/speech"), speech);
    match flow {
        Flow::Voicemail(voicemail) => vec![own(&voicemail.speech)],
        Flow::Announcement { speech } => vec![own(speech)],
        Flow::Patch(patch) => {
            let failed = match &patch.failed {
                Unreached::Voicemail(voicemail) => Some((format!("{at}/failed/speech"), &voicemail.speech)),
                Unreached::Queue { .. } | Unreached::Apology => None,
            };
            patch.speech.as_ref().map(own).into_iter().chain(failed).collect()
        }
        Flow::Queue { .. } | Flow::Menu { .. } | Flow::Spill(_) | Flow::CheckIn => Vec::new(),
    }
}

/// What a menu says on the way.
fn asked<'a>(menu: &'a Menu, at: &str) -> Vec<(String, &'a Speech)> {
    let mut all = Vec::new();
    for (n, node) in menu.nodes.iter().enumerate() {
        let at = format!("{at}/nodes/{n}");
        match &node.step {
            Step::Play { speech, .. } => all.push((format!("{at}/speech"), speech)),
            Step::Gather(gather) => {
                all.push((format!("{at}/speech"), &gather.speech));
                all.extend(gather.invalid.as_ref().map(|speech| (format!("{at}/invalid"), speech)));
                all.extend(gather.silent.as_ref().map(|speech| (format!("{at}/silent"), speech)));
            }
            Step::Digits(digits) => {
                all.push((format!("{at}/speech"), &digits.speech));
                all.extend(digits.invalid.as_ref().map(|speech| (format!("{at}/invalid"), speech)));
                all.extend(digits.silent.as_ref().map(|speech| (format!("{at}/silent"), speech)));
            }
            Step::Branch { .. } | Step::Exit { .. } => {}
        }
    }
    all
}

impl Account {
    /// Every number elsewhere that it sends callers to, with where that is written.
    pub fn spills(&self) -> Vec<(String, &Spill)> {
        let mut spills = Vec::new();
        for (at, flow) in list_flows(&self.hours, &self.menus) {
            if let Flow::Spill(spill) = flow {
                spills.push((format!("{at}/number"), spill));
            }
        }
        spills
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallTypeId;
    use crate::base::phone::PhoneNumber;
    use crate::domain::account::flow::Voicemail;
    use crate::domain::account::patching::AutoPatch;
    use crate::domain::ivr::tests::{exit, gather, says, spoken};
    use crate::domain::message::render::tests::account;

    #[test]
    fn everything_that_is_said_on_the_way_is_found_at_its_place() {
        let mut ask = gather("ask", &[("1", "out")]);
        let Step::Gather(words) = &mut ask.step else { panic!("it asks") };
        (words.invalid, words.silent) = (Some(spoken("what?")), Some(spoken(" ")));
        let spill = Spill {
            number: PhoneNumber::parse("+12025550160").expect("a number"),
            ring_secs: 30,
            failed: Default::default(),
            before_answer: false,
        };
        let menu = Menu {
            name: "main".into(),
            start: "ask".into(),
            nodes: vec![ask, exit("out", says("bye"))],
            otherwise: Flow::Spill(spill),
        };
        let hours = Hours { usual: says("closed"), ..Hours::default() };
        let account = Account { hours, menus: vec![menu], ..account() };
        let mut found: Vec<_> = list_speeches(&account.hours, &account.menus).into_iter().map(|(at, _)| at).collect();
        found.sort();
        let all = [
            "/hours/usual/speech",
            "/menus/0/nodes/0/invalid",
            "/menus/0/nodes/0/speech",
            "/menus/0/nodes/1/flow/speech",
        ];
        assert_eq!(found, all);
        let alone: Vec<_> = list_menu_speeches(&account.menus[0], "/menu").into_iter().map(|(at, _)| at).collect();
        assert_eq!(alone, ["/menu/nodes/0/speech", "/menu/nodes/0/invalid", "/menu/nodes/1/flow/speech"]);
        let spills: Vec<_> = account.spills().into_iter().map(|(at, _)| at).collect();
        assert_eq!(spills, ["/menus/0/otherwise/number"]);
    }

    #[test]
    fn words_after_a_patch_that_nobody_took_are_found_where_they_are_written_and_not_at_those_before_it() {
        let voicemail = Voicemail {
            speech: spoken("leave a message"),
            call_type: CallTypeId::named("urgent"),
            max_secs: 120,
            silence_secs: 6,
        };
        let patch =
            |speech| Flow::Patch(AutoPatch { whom: vec![], speech, failed: Unreached::Voicemail(voicemail.clone()) });
        let hours = Hours { usual: patch(Some(spoken("please hold"))), ..Hours::default() };
        let menu = Menu {
            name: "main".into(),
            start: "ask".into(),
            nodes: vec![gather("ask", &[("1", "ask")]), exit("out", patch(None))],
            otherwise: says("bye"),
        };
        let menus = [menu];
        let found: Vec<_> = list_speeches(&hours, &menus);
        let at = |words: &str| {
            let said = found.iter().filter(|(_, speech)| **speech == spoken(words));
            said.map(|(at, _)| at.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(at("please hold"), ["/hours/usual/speech"]);
        assert_eq!(at("leave a message"), ["/hours/usual/failed/speech", "/menus/0/nodes/1/flow/failed/speech"]);
    }
}
