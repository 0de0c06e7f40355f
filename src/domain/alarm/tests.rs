//! The alarm chain on injected time: who is told when, who acknowledges what, and what a restart leaves.

use super::*;
use crate::domain::dispatch::confirm::Reply;

const START: UtcMs = UtcMs(1_772_871_000_000);

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

fn step(after_secs: u32, by: Means, name: &str, to: &str) -> Step {
    Step { after_secs, by, name: name.into(), number: number(to) }
}

/// Pat is texted after a minute and called two minutes later; then Lee is texted.
fn plan() -> Plan {
    let steps = vec![
        step(60, Means::Text, "Pat", "+12025550180"),
        step(120, Means::Call, "Pat", "+12025550180"),
        step(120, Means::Text, "Lee", "+12025550181"),
    ];
    Plan { steps, repeat_secs: 600, remind_secs: 1_800 }
}

fn one() -> Standing {
    Standing::from([("dispatch:dsp_1".to_owned(), Kind::Message)])
}

fn two() -> Standing {
    let mut both = one();
    both.insert("dispatch:dsp_2".to_owned(), Kind::Message);
    both
}

struct House {
    plan: Plan,
    state: State,
    now: UtcMs,
}

impl House {
    fn new() -> Self {
        let state = State::new(AlarmChainId::named("one"), START);
        Self { plan: plan(), state, now: START }
    }

    fn look(&mut self, standing: &Standing, news: &[News]) -> Vec<Effect> {
        let (state, effects) = advance(&self.state, &self.plan, standing, news, self.now);
        self.state = state;
        effects
    }

    /// Looks each second for so long; seconds since the start, by what and to whom.
    fn pass(&mut self, secs: i64, standing: &Standing) -> Vec<(i64, Means, String)> {
        let mut took = Vec::new();
        for _ in 0..secs {
            self.now = self.now.plus_secs(1);
            for effect in self.look(standing, &[]) {
                let Effect::Take(taken) = effect else { continue };
                took.push((self.now.since(START) / 1_000, taken.by, taken.name.clone()));
                if taken.by == Means::Text {
                    self.look(standing, &[(taken.id, Outcome::Accepted)]);
                }
            }
        }
        took
    }

    fn last(&self) -> AttemptId {
        self.state.taken.last().expect("a step was taken").id.clone()
    }

    fn acknowledges(&mut self, upto: Option<UtcMs>) -> bool {
        let acknowledgment = Acknowledgment { at: self.now, by: "Kim".into(), via: Via::Desk };
        let done = acknowledge(&self.state, &self.plan, acknowledgment, upto);
        let changed = done.is_some();
        if let Some((state, _)) = done {
            self.state = state;
        }
        changed
    }
}

fn took(at: i64, by: Means, name: &str) -> (i64, Means, String) {
    (at, by, name.to_owned())
}

#[test]
fn nobody_is_told_before_the_first_step_is_due_and_then_one_after_another() {
    let mut house = House::new();
    assert_eq!(house.look(&one(), &[]), []);
    assert_eq!(house.pass(59, &one()), []);
    assert_eq!(house.pass(1, &one()), [took(60, Means::Text, "Pat")]);
    assert_eq!(house.pass(120, &one()), [took(180, Means::Call, "Pat")]);
    // It rings for half a minute; the wait runs from its end.
    assert_eq!(house.pass(30, &one()), []);
    house.look(&one(), &[(house.last(), Outcome::NotReached)]);
    assert_eq!(house.pass(120, &one()), [took(330, Means::Text, "Lee")]);
    assert_eq!(house.pass(599, &one()), []);
    assert_eq!(house.pass(1, &one()), [took(930, Means::Text, "Pat")], "round again, at a bounded pace");
    assert_eq!(house.state.taken.last().map(|taken| taken.round), Some(2));
}

#[test]
fn a_call_that_never_ends_holds_up_the_chain_no_longer_than_its_guard() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(180, &one());
    assert_eq!(house.pass(400, &one()), [took(180 + 180 + 120, Means::Text, "Lee")]);
}

#[test]
fn a_text_that_no_carrier_takes_brings_the_next_step_at_once() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.now = START.plus_secs(60);
    house.look(&one(), &[]);
    let effects = house.look(&one(), &[(house.last(), Outcome::Failed)]);
    assert!(matches!(effects.as_slice(), [Effect::Take(Taken { by: Means::Call, .. })]), "{effects:?}");
    // But where all fails, the next round keeps its pace.
    house.look(&one(), &[(house.last(), Outcome::Failed)]);
    house.look(&one(), &[(house.last(), Outcome::Failed)]);
    assert_eq!(house.state.taken.len(), 3);
    assert_eq!(house.state.chain.as_ref().and_then(|chain| chain.due_at), Some(START.plus_secs(660)));
}

#[test]
fn an_acknowledgment_ends_the_chain_and_what_stands_on_rings_again_later() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(70, &one());
    assert!(house.acknowledges(None));
    assert!(!house.acknowledges(None), "once is enough");
    assert_eq!(house.pass(1_799, &one()), []);
    assert_eq!(house.pass(1, &one()), [took(1_870, Means::Text, "Pat")], "it stands, and nobody has seen to it");
}

#[test]
fn a_ringing_call_is_taken_back_when_somebody_acknowledges_or_the_cause_is_gone() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(180, &one());
    let rings = house.last();
    let acknowledgment = Acknowledgment { at: house.now, by: "Kim".into(), via: Via::Desk };
    let (_, effects) = acknowledge(&house.state, &house.plan, acknowledgment, None).expect("there is one");
    assert_eq!(effects, [Effect::Cancel(rings.clone())]);
    assert_eq!(house.look(&Standing::new(), &[]), [Effect::Cancel(rings)]);
    assert!(house.state.is_over() && house.state.chain.is_none());
}

#[test]
fn who_presses_1_acknowledges_what_stood_when_the_call_was_made() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(180, &one());
    house.pass(10, &two());
    house.look(&two(), &[(house.last(), Outcome::Acknowledged)]);
    let left: Vec<&String> = house.state.unacknowledged().map(|(name, _)| name).collect();
    assert_eq!(left, ["dispatch:dsp_2"], "of the second they were told nothing");
    assert_eq!(house.state.acknowledged.as_ref().map(|a| (a.by.as_str(), a.via)), Some(("Pat", Via::Key)));
    assert_eq!(
        house.pass(51, &two()),
        [took(241, Means::Text, "Pat")],
        "it has a chain of its own, from its own first second"
    );
}

#[test]
fn an_alarm_that_comes_while_the_chain_runs_begins_no_second_one() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(70, &one());
    assert_eq!(house.pass(110, &two()), [took(180, Means::Call, "Pat")]);
}

#[test]
fn an_alarm_of_which_nobody_was_told_does_not_wait_for_the_next_round_of_one_that_is_gone() {
    let mut house = House::new();
    house.look(&one(), &[]);
    let all = [took(60, Means::Text, "Pat"), took(180, Means::Call, "Pat")];
    assert_eq!(house.pass(200, &one())[..], all);
    // The first is seen to while the second comes: as if there had been none before.
    let other = Standing::from([("dispatch:dsp_2".to_owned(), Kind::Message)]);
    house.pass(1, &two());
    assert_eq!(house.pass(120, &other), [took(261, Means::Text, "Pat")]);
}

#[test]
fn a_cause_that_is_gone_before_the_first_step_troubles_nobody() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(30, &one());
    assert_eq!(house.pass(600, &Standing::new()), []);
    assert!(house.state.taken.is_empty());
}

#[test]
fn without_steps_nobody_is_told_and_a_desk_can_acknowledge_all_the_same() {
    let mut house = House::new();
    house.plan = Plan::default();
    house.look(&one(), &[]);
    assert_eq!(house.pass(4_000, &one()), []);
    assert_eq!(house.state.chain.as_ref().map(|chain| chain.due_at), Some(None));
    assert!(house.acknowledges(None));
}

#[test]
fn a_plan_with_fewer_steps_goes_on_with_its_first() {
    let mut house = House::new();
    house.look(&one(), &[]);
    house.pass(200, &one());
    house.plan.steps.truncate(1);
    let told = house.pass(400, &one());
    assert_eq!(told.first().map(|(_, by, name)| (*by, name.as_str())), Some((Means::Text, "Pat")));
}

#[test]
fn no_word_that_acknowledges_confirms_a_message_or_is_a_carriers() {
    for body in ["ack", "ACK", " Ack. ", "\u{201c}ack\u{201d}", "acknowledged", "Acknowledge!"] {
        assert!(is_acknowledgment(body), "{body}");
        assert_eq!(Reply::parse(body), Reply::Other, "{body}");
    }
    for body in ["1ok", "ok", "1ack", "ack 1", "stop", "yes", "", "back", "not ack"] {
        assert!(!is_acknowledgment(body), "{body}");
    }
}

#[test]
fn what_is_told_says_how_many_and_since_when_and_fits_into_one_text() {
    let mut house = House::new();
    house.look(&two(), &[]);
    let text = words::text(&house.state, "America/Chicago", START);
    assert_eq!(
        text,
        "ALARM: 2 messages need an operator, since 02:10. Nobody has acknowledged. See the desk, or reply ACK."
    );
    let next_day = words::text(&house.state, "America/Chicago", START.plus_secs(86_400));
    assert!(next_day.contains("an operator, since Sat 02:10. Nobody"), "{next_day}");
    let mut all = two();
    all.insert("watchdog:dispatcher".to_owned(), Kind::Standstill);
    all.insert("trunks_down".to_owned(), Kind::House);
    house.look(&all, &[]);
    let text = words::text(&house.state, "America/Chicago", START);
    assert!(text.starts_with("ALARM: the service stands still"), "{text}");
    assert!(text.len() <= 306 && text.is_ascii(), "two parts at most: {text}");
    assert!(!words::spoken(&house.state, "UTC", START).contains("dsp_"));
}
