//! The check of a protocol's conditions against the account: what they name has to be there, and whoever writes one is
//! warned of a step that is never made and of circumstances in which no step is left.
//!
//! Warnings are found by going through all circumstances that conditions tell apart: call types, answers, and the times at
//! which hours begin and end. Where these are too many, nothing is said rather than something wrong.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::condition::{AnswerIs, Circumstances, Conditions};
use super::protocol::{Method, Protocol, Step};
use super::validate::ProtocolFault;
use crate::base::clock::UtcMs;
use crate::domain::account::hours::Span;
use crate::domain::account::{Account, CallType, Urgency};
use crate::domain::message::form::{Answers, Field, FieldKind};

/// Answers that one step may look at.
const MAX_ANSWERS: usize = 10;
/// Circumstances looked at.
const MAX_CASES: usize = 20_000;
/// What stands for any answer that no condition names.
const OTHER: &str = "\u{2026}";

/// What conditions name and the account does not have, or what they leave out.
pub fn check(protocol: &Protocol, account: &Account) -> Vec<ProtocolFault> {
    let mut faults = Vec::new();
    for (n, step) in (1..).zip(&protocol.steps) {
        let mut fault = |code, message: String| faults.push(ProtocolFault { step: Some(n), code, message });
        let only = &step.only;
        for id in &only.call_types {
            if !account.call_types.iter().any(|t| t.id == *id) {
                fault("unknown_call_type", "A condition names a call type that is gone.".into());
            }
        }
        if only.answers.len() > MAX_ANSWERS {
            fault("too_many_answers", format!("A step looks at {MAX_ANSWERS} answers at most."));
        }
        for answer in &only.answers {
            let mut fields = types_of(only, account).flat_map(|t| &t.form.fields).filter(|f| f.name == answer.field);
            match fields.next() {
                None => fault("unknown_field", format!("No form of these call types has a field {}.", answer.field)),
                Some(field) if fields.chain([field]).any(|f| !f.sensitive.is_no()) => {
                    fault("sensitive_field", format!("{} is sensitive: no step may depend on it.", field.label));
                }
                Some(_) => {}
            }
        }
        if let Some(hours) = &only.hours {
            if hours.at.span.times().is_none() {
                fault("hours", "Hours are written as 18:00.".into());
            }
            if hours.at.days.is_empty() {
                fault("hours_days", "Say on which days these hours begin.".into());
            }
        }
        for name in &only.windows {
            if !names(account).any(|there| there == name) {
                fault("unknown_window", format!("The account's hours have no {name}."));
            }
        }
    }
    faults
}

/// What a sound protocol would not do as one may think: a step that is never made, and circumstances in which none is left.
pub fn warn(protocol: &Protocol, account: &Account) -> Vec<ProtocolFault> {
    let mut warnings = Vec::new();
    for (n, step) in (1..).zip(&protocol.steps).filter(|(_, step)| !step.only.is_empty()) {
        let met = find_case(account, &[step], |case| step.only.hold(&case.circumstances()));
        if met.is_some_and(|found| found.is_none()) {
            let message = "This step is never made: its conditions cannot hold together.".to_owned();
            warnings.push(ProtocolFault { step: Some(n), code: "never_made", message });
        }
    }
    // What only informs does not bring the message to anybody who acts, and a patch needs the caller.
    let left: Vec<&Step> = protocol.steps.iter().filter(|step| step.asks_without_caller()).collect();
    let looped = protocol.looped();
    // Where the steps only inform that is a fault, and where none is left at all it is said below.
    let puts_through = looped.iter().any(|step| step.method == Method::LivePatch);
    if puts_through && !left.is_empty() && !looped.iter().any(Step::asks_without_caller) {
        let from = protocol.steps.len() - looped.len() + 1;
        let message = format!(
            "Once the caller has hung up, nobody can be asked from step {from} on: nothing is repeated then, and \
             operators are asked."
        );
        warnings.push(ProtocolFault { step: None, code: "repeat_patches", message });
    }
    let none = |case: &Case<'_>| !left.iter().any(|step| step.only.hold(&case.circumstances()));
    if let Some(Some(case)) = find_case(account, &left, none) {
        let message =
            format!("{}, no step is left that reaches somebody: operators are asked at once.", case.words(&left));
        warnings.push(ProtocolFault { step: None, code: "no_step_left", message });
    }
    warnings
}

/// Call types whose messages a condition lets by.
fn types_of<'a>(only: &'a Conditions, account: &'a Account) -> impl Iterator<Item = &'a CallType> {
    let named = |t: &&CallType| only.call_types.is_empty() || only.call_types.contains(&t.id);
    account.call_types.iter().filter(|t| t.urgency != Urgency::NotLegitimate).filter(named)
}

/// Windows and holidays of the account, by name.
fn names(account: &Account) -> impl Iterator<Item = &String> {
    let windows = account.hours.windows.iter().map(|window| &window.name);
    windows.chain(account.hours.holidays.iter().map(|day| &day.name))
}

/// Circumstances that conditions tell from others.
#[derive(Clone)]
struct Case<'a> {
    call_type: &'a CallType,
    answers: Answers,
    at: DateTime,
    window: Option<String>,
}

impl Case<'_> {
    fn circumstances(&self) -> Circumstances<'_> {
        let (answers, window) = (&self.answers, self.window.as_deref());
        // On clocks that never change: the week stands for all.
        let at = self.at.to_zoned_datetime(TimeZone::UTC).expect("UTC has every civil time");
        Circumstances { call_type: Some(&self.call_type.id), answers, at, window }
    }

    /// Where a message would be in them, as far as these steps look at it.
    fn words(&self, steps: &[&Step]) -> String {
        let any = |looks: &dyn Fn(&Conditions) -> bool| steps.iter().any(|step| looks(&step.only));
        if !any(&|only| !only.is_empty()) {
            return "Once the caller has hung up".to_owned();
        }
        let mut parts = vec![format!("For {}", self.call_type.name)];
        if any(&|only| only.hours.is_some() || !only.windows.is_empty()) {
            parts.push(match &self.window {
                Some(holiday) if any(&|only| !only.windows.is_empty()) => format!("in \u{201c}{holiday}\u{201d}"),
                _ => self.at.strftime("on %A at %H:%M").to_string(),
            });
        }
        let fields: BTreeSet<&str> =
            steps.iter().flat_map(|step| &step.only.answers).map(|answer| answer.field.as_str()).collect();
        for name in fields {
            let Some(field) = self.call_type.form.fields.iter().find(|f| f.name == name) else { continue };
            parts.push(match self.answers.get(name).map(String::as_str) {
                None => format!("where \u{201c}{}\u{201d} is not answered", field.label),
                Some(OTHER) => format!("where \u{201c}{}\u{201d} is something else", field.label),
                Some(value) => format!("where \u{201c}{}\u{201d} is {value}", field.label),
            });
        }
        parts.join(", ")
    }
}

/// The first of the circumstances that these steps tell apart that is `wanted`. `None`: they are too many to go through.
fn find_case<'a>(
    account: &'a Account,
    steps: &[&Step],
    wanted: impl Fn(&Case<'a>) -> bool,
) -> Option<Option<Case<'a>>> {
    let times = times(account, steps);
    let mut looked = 0;
    for call_type in account.call_types.iter().filter(|t| t.urgency != Urgency::NotLegitimate) {
        let mut all = vec![Answers::new()];
        for (name, values) in values(call_type, steps) {
            let mut next = Vec::new();
            for answers in &all {
                for value in &values {
                    let mut answers = answers.clone();
                    if let Some(value) = value {
                        answers.insert(name.to_owned(), value.clone());
                    }
                    next.push(answers);
                }
            }
            all = next;
            if all.len() > MAX_CASES {
                return None;
            }
        }
        for answers in all {
            for (at, window) in &times {
                looked += 1;
                if looked > MAX_CASES {
                    return None;
                }
                let case = Case { call_type, answers: answers.clone(), at: *at, window: window.clone() };
                if wanted(&case) {
                    return Some(Some(case));
                }
            }
        }
    }
    Some(None)
}

/// What each field of this form that conditions look at may be, as far as they tell it apart. `None`: not answered.
fn values<'a>(call_type: &'a CallType, steps: &[&Step]) -> BTreeMap<&'a str, Vec<Option<String>>> {
    let mut found = BTreeMap::new();
    for field in &call_type.form.fields {
        let looks: Vec<&AnswerIs> =
            steps.iter().flat_map(|step| &step.only.answers).filter(|answer| answer.field == field.name).collect();
        if !looks.is_empty() {
            found.insert(field.name.as_str(), values_of(field, &looks));
        }
    }
    found
}

fn values_of(field: &Field, looks: &[&AnswerIs]) -> Vec<Option<String>> {
    let named: BTreeSet<&String> = looks.iter().flat_map(|answer| &answer.is).collect();
    let is_named = |option: &String| named.iter().any(|name| name.to_lowercase() == option.to_lowercase());
    let yes_no = ["yes".to_owned(), "no".to_owned()];
    let options = match &field.kind {
        FieldKind::YesNo => Some(yes_no.as_slice()),
        FieldKind::Choice { options } | FieldKind::Several { options } => Some(options.as_slice()),
        _ => None,
    };
    let mut values: Vec<Option<String>> = match options {
        Some(options) => options.iter().filter(|option| is_named(option)).cloned().map(Some).collect(),
        None => named.iter().map(|name| Some((*name).clone())).collect(),
    };
    // One of those that no condition names stands for them all.
    let other = match options {
        Some(options) => options.iter().find(|option| !is_named(option)).cloned(),
        None => Some(OTHER.to_owned()),
    };
    if matches!(field.kind, FieldKind::Several { .. }) && values.len() > 1 {
        let together: Vec<String> = values.iter().flatten().cloned().collect();
        values.push(Some(together.join("\n")));
    }
    if other.is_some() {
        values.push(other);
    }
    if !field.required || field.shown_if.is_some() || field.hours.is_some() {
        values.push(None);
    }
    values
}

/// Times of a week between which nothing changes that these steps look at, each with the window that counts then; and one for
/// each holiday.
fn times(account: &Account, steps: &[&Step]) -> Vec<(DateTime, Option<String>)> {
    let hours = &account.hours;
    let by_window = steps.iter().any(|step| !step.only.windows.is_empty());
    let mut spans: Vec<Span> =
        steps.iter().filter_map(|step| step.only.hours.as_ref()).map(|hours| hours.at.span.clone()).collect();
    if by_window {
        spans.extend(hours.windows.iter().map(|window| window.span.clone()));
    }
    let mut clock: BTreeSet<Time> =
        spans.iter().filter_map(Span::times).flat_map(|(from, until)| [from, until]).collect();
    clock.insert(Time::midnight());
    // A week in which no clock is put forward or back anywhere that matters: it stands for all.
    let monday = Date::constant(2026, 6, 1);
    let zone = TimeZone::get(&account.zone).unwrap_or(TimeZone::UTC);
    let mut times = Vec::new();
    for day in monday.series(jiff::Span::new().days(1)).take(7) {
        for time in &clock {
            let at = day.to_datetime(*time);
            let instant = zone.to_timestamp(at).map(|at| UtcMs(at.as_millisecond()));
            let window = instant.ok().filter(|_| by_window).and_then(|at| account.window_at(at));
            times.push((at, window));
        }
    }
    if by_window {
        let days: Vec<_> = times.iter().map(|(at, _)| *at).collect();
        for day in &hours.holidays {
            times.extend(days.iter().map(|at| (*at, Some(day.name.clone()))));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, CallTypeId, ProtocolId};
    use crate::domain::account::hours::Weekday;
    use crate::domain::dispatch::condition::HoursAre;
    use crate::domain::dispatch::protocol::{Repeat, Until};
    use crate::domain::message::form::{AskedAt, Form, Sensitive};

    fn account() -> Account {
        let field = |name: &str, label: &str, kind, required| Field {
            name: name.into(),
            label: label.into(),
            kind,
            required,
            ..Field::default()
        };
        let call_type = |name: &str, fields| CallType {
            id: CallTypeId::named(name),
            name: name.into(),
            urgency: Urgency::Urgent,
            triggers: String::new(),
            watched: vec![],
            form: Form { version: 1, fields },
            protocol: None,
            protected: false,
            priority: None,
        };
        let mut account = Account::blank(AccountId::named("one"));
        account.zone = "America/Chicago".into();
        let mut card = field("card", "Card", FieldKind::Text, false);
        card.sensitive = Sensitive::Kept;
        account.call_types = vec![
            call_type("Urgent", vec![field("water", "Is there water?", FieldKind::YesNo, true), card]),
            call_type("Routine", vec![field("about", "About", FieldKind::Text, true)]),
        ];
        account
    }

    fn step(only: Conditions) -> Step {
        Step { only, ..Step::new(Method::Text, vec![], 0) }
    }

    fn protocol(steps: Vec<Step>) -> Protocol {
        Protocol {
            id: ProtocolId::named("p"),
            account: AccountId::named("one"),
            name: "P".into(),
            version: 1,
            steps,
            repeat: None,
            until: Until::HandedOver,
        }
    }

    fn answer(field: &str, is: &[&str]) -> AnswerIs {
        AnswerIs { field: field.into(), is: is.iter().map(|value| (*value).to_owned()).collect(), not: false }
    }

    fn with(answers: Vec<AnswerIs>) -> Conditions {
        Conditions { answers, ..Conditions::default() }
    }

    fn at(from: &str, until: &str, days: &[Weekday], outside: bool) -> Conditions {
        let span = Span { from: from.into(), until: until.into() };
        let hours = Some(HoursAre { at: AskedAt { days: days.to_vec(), span }, outside });
        Conditions { hours, ..Conditions::default() }
    }

    const WEEK: [Weekday; 5] =
        [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

    fn warned(steps: Vec<Step>) -> Vec<(Option<usize>, &'static str, String)> {
        warn(&protocol(steps), &account()).into_iter().map(|w| (w.step, w.code, w.message)).collect()
    }

    #[test]
    fn what_a_condition_names_has_to_be_there() {
        let routine = Conditions { call_types: vec![CallTypeId::named("Routine")], ..with(vec![answer("water", &[])]) };
        let gone = Conditions {
            call_types: vec![CallTypeId::named("gone")],
            windows: vec!["Night".into()],
            ..Conditions::default()
        };
        let steps = vec![
            step(with(vec![answer("water", &["yes"])])),
            step(with(vec![answer("gas", &[])])),
            step(with(vec![answer("card", &[])])),
            step(routine),
            step(gone),
            step(at("6 pm", "08:00", &[], false)),
        ];
        let found: Vec<_> = check(&protocol(steps), &account()).into_iter().map(|f| (f.step, f.code)).collect();
        let expected = [
            (Some(2), "unknown_field"),
            (Some(3), "sensitive_field"),
            (Some(4), "unknown_field"),
            (Some(5), "unknown_call_type"),
            (Some(5), "unknown_window"),
            (Some(6), "hours"),
            (Some(6), "hours_days"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_step_that_is_never_made_is_warned_of() {
        let never = |only| warned(vec![step(only), step(Conditions::default())]).iter().any(|w| w.1 == "never_made");
        assert!(never(with(vec![answer("water", &["maybe"])])), "no such answer");
        assert!(never(with(vec![answer("water", &["yes"]), answer("water", &["no"])])));
        assert!(never(Conditions {
            call_types: vec![CallTypeId::named("Routine")],
            ..with(vec![answer("water", &["yes"])])
        }));
        let mut all_but = at("00:00", "00:00", &WEEK, true);
        all_but.answers = vec![answer("water", &["yes"])];
        assert!(!never(all_but), "at the weekend");
        assert!(!never(with(vec![answer("about", &["pipes"])])));
    }

    #[test]
    fn steps_that_go_round_and_can_ask_nobody_after_the_call_are_warned_of() {
        let patch = || Step::new(Method::LivePatch, vec![], 0);
        let informs = Step { informs: true, ..Step::new(Method::Email, vec![], 0) };
        let text = || step(Conditions::default());
        let steps = vec![text(), informs, patch()];
        let from = |steps: &[Step], from_step| {
            let repeat = Some(Repeat { from_step });
            warn(&Protocol { repeat, ..protocol(steps.to_vec()) }, &account())
        };
        assert_eq!(warned(steps.clone()), [], "nothing is repeated");
        assert_eq!(from(&steps, 1), []);
        for n in [2, 3] {
            let all = from(&steps, n);
            assert_eq!(all.iter().map(|w| (w.step, w.code)).collect::<Vec<_>>(), [(None, "repeat_patches")]);
            assert!(all[0].message.contains(&format!("from step {n} on")), "{}", all[0].message);
        }
        assert_eq!(from(&[patch(), text()], 1), []);
    }

    #[test]
    fn where_no_step_is_left_it_is_said_for_which_message_and_when() {
        let day = || step(at("08:00", "18:00", &WEEK, false));
        let night = || step(at("08:00", "18:00", &WEEK, true));
        assert_eq!(warned(vec![day(), night()]), [], "between them they are always");
        let one = |steps| {
            let mut all = warned(steps);
            assert_eq!(all.iter().map(|w| (w.0, w.1)).collect::<Vec<_>>(), [(None, "no_step_left")]);
            all.remove(0).2
        };
        assert_eq!(
            one(vec![day()]),
            "For Urgent, on Monday at 00:00, no step is left that reaches somebody: operators are asked at once."
        );
        let dry = || step(with(vec![answer("water", &["yes"])]));
        let text = one(vec![dry()]);
        assert!(text.starts_with("For Urgent, where \u{201c}Is there water?\u{201d} is no, no step is left"), "{text}");
        let informs = Step { informs: true, ..step(Conditions::default()) };
        one(vec![dry(), informs]);
        let patch = Step::new(Method::LivePatch, vec![], 0);
        let text = one(vec![patch]);
        assert!(text.starts_with("Once the caller has hung up, no step is left"), "{text}");
    }
}
