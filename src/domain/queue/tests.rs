//! The queue as the desk drives it, on injected time.

use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::rng::Rng;
use crate::domain::operator::skill::Skill;

fn call(name: &str) -> CallId {
    CallId::named(name)
}

fn user(name: &str) -> UserId {
    UserId::named(name)
}

fn skills(words: &[&str]) -> Skills {
    words.iter().map(|word| Skill::parse(word).expect("a skill")).collect()
}

fn terms(priority: i32, needed: &[&str]) -> Terms {
    Terms {
        priority,
        max_wait: Duration::from_secs(120),
        comfort: Some(Duration::from_secs(30)),
        position: false,
        skills: skills(needed),
        skill_wait: Duration::from_secs(20),
        since: None,
    }
}

struct Desk {
    clock: TestClock,
    queue: Queue,
}

impl Desk {
    fn open() -> Self {
        Self { clock: TestClock::at(UtcMs(0)), queue: Queue::default() }
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.queue.handle(self.clock.instant(), input);
        std::iter::from_fn(|| self.queue.poll_output()).collect()
    }

    fn joins(&mut self, name: &str, priority: i32) -> Vec<Output> {
        self.tell(Input::Enqueue { call: call(name), terms: terms(priority, &[]) })
    }

    fn needs(&mut self, name: &str, skills: &[&str]) -> Vec<Output> {
        self.tell(Input::Enqueue { call: call(name), terms: terms(0, skills) })
    }

    fn at_work(&mut self, name: &str, skilled: &[&str]) -> Vec<Output> {
        self.tell(Input::AtWork { user: user(name), skills: skills(skilled) })
    }

    fn idle(&mut self, name: &str) -> Vec<Output> {
        let since = self.clock.instant();
        self.tell(Input::SeatIdle { user: user(name), since })
    }

    fn after(&mut self, secs: u64) -> Vec<Output> {
        self.clock.advance(Duration::from_secs(secs));
        self.tell(Input::Tick)
    }
}

fn comfort(c: &str) -> Output {
    Output::Comfort { call: call(c), place: None }
}

fn offer(c: &str, u: &str) -> Output {
    Output::Offer { call: call(c), user: user(u), taken: false }
}

#[test]
fn priority_goes_first_then_the_longest_wait() {
    let mut desk = Desk::open();
    desk.joins("first", 0);
    desk.after(1);
    desk.joins("second", 0);
    desk.after(1);
    desk.joins("clinic", 5);
    assert_eq!(desk.idle("kim"), [offer("clinic", "kim")]);
    assert_eq!(desk.idle("lee"), [offer("first", "lee")]);
    assert_eq!(desk.idle("max"), [offer("second", "max")]);
}

#[test]
fn a_caller_who_is_raised_goes_before_those_who_wait_longer_and_is_never_lowered() {
    let mut desk = Desk::open();
    desk.joins("first", 3);
    desk.joins("second", 0);
    desk.tell(Input::Raise { call: call("second"), priority: 9 });
    desk.tell(Input::Raise { call: call("first"), priority: 1 });
    desk.tell(Input::Raise { call: call("nobody"), priority: 99 });
    let waiting: Vec<_> = desk.queue.waiting().iter().map(|t| (t.call.clone(), t.terms.priority)).collect();
    assert_eq!(waiting, [(call("second"), 9), (call("first"), 3)]);
    assert_eq!(desk.idle("kim"), [offer("second", "kim")]);
}

#[test]
fn the_operator_longest_idle_is_offered_the_call() {
    let mut desk = Desk::open();
    desk.idle("kim");
    desk.after(1);
    desk.idle("lee");
    assert_eq!(desk.joins("a", 0), [offer("a", "kim")]);
    assert_eq!(desk.joins("b", 0), [offer("b", "lee")]);
}

#[test]
fn a_failed_offer_gives_the_caller_the_head_with_the_wait_so_far() {
    let mut desk = Desk::open();
    desk.idle("kim");
    desk.joins("a", 0);
    let waited_since = desk.clock.instant();
    desk.after(5);
    desk.joins("urgent", 9);
    desk.tell(Input::OfferFailed { call: call("a"), user: user("kim") });
    assert_eq!(desk.idle("lee"), [offer("a", "lee")], "before the higher priority");
    assert_eq!(desk.queue.waiting()[0].since, waited_since);
}

#[test]
fn a_caller_given_back_after_talking_keeps_the_original_wait_and_may_wait_again() {
    let mut desk = Desk::open();
    let first = desk.clock.instant();
    desk.joins("a", 0);
    desk.idle("kim");
    desk.tell(Input::Dequeue { call: call("a") });
    desk.after(600);
    desk.joins("b", 3);
    let told = desk.tell(Input::Requeue { call: call("a"), terms: Terms { comfort: None, ..terms(0, &[]) } });
    assert_eq!(told, [], "not overdue at once for the ten minutes it was served");
    assert_eq!((desk.queue.waiting()[0].call.clone(), desk.queue.waiting()[0].since), (call("a"), first));
}

#[test]
fn waiting_callers_hear_a_word_on_time_and_are_overdue_once() {
    let mut desk = Desk::open();
    desk.joins("a", 0);
    assert_eq!(desk.after(29), []);
    assert_eq!(desk.after(1), [comfort("a")]);
    assert_eq!(desk.after(30), [comfort("a")]);
    let told = desk.after(60);
    assert!(told.contains(&Output::Overdue { call: call("a") }));
    assert!(!desk.after(1).contains(&Output::Overdue { call: call("a") }));
    assert_eq!(desk.idle("kim"), [], "who is told the apology is offered to nobody");
}

#[test]
fn somebody_who_fetches_a_caller_too_late_does_not_take_them_from_who_is_offered_them() {
    let mut desk = Desk::open();
    desk.idle("kim");
    desk.joins("a", 0);
    desk.idle("lee");
    assert_eq!(desk.tell(Input::OfferFailed { call: call("a"), user: user("sam") }), []);
    assert_eq!(desk.queue.waiting()[0].offered, Some(user("kim")));
}

#[test]
fn an_overdue_caller_whose_offer_fails_is_overdue_again() {
    let mut desk = Desk::open();
    desk.idle("kim");
    desk.joins("a", 0);
    assert!(desk.after(120).contains(&Output::Overdue { call: call("a") }));
    assert!(
        desk.tell(Input::OfferFailed { call: call("a"), user: user("kim") })
            .contains(&Output::Overdue { call: call("a") })
    );
}

#[test]
fn an_operator_can_take_a_caller_out_of_turn() {
    let mut desk = Desk::open();
    desk.joins("a", 0);
    desk.after(1);
    desk.joins("b", 0);
    let taken = |name| [Output::Offer { call: call(name), user: user("kim"), taken: true }];
    assert_eq!(desk.tell(Input::Take { call: call("b"), user: user("kim") }), taken("b"), "idle or not");
    assert_eq!(desk.tell(Input::Take { call: call("a"), user: user("kim") }), [], "one at a time");
    assert_eq!(desk.tell(Input::Take { call: call("b"), user: user("lee") }), [], "it is offered to kim");
    desk.tell(Input::Dequeue { call: call("b") });
    assert_eq!(desk.tell(Input::Take { call: call("a"), user: user("kim") }), taken("a"));
    let mut desk = Desk::open();
    desk.idle("kim");
    desk.tell(Input::SeatBusy { user: user("kim") });
    assert_eq!(desk.joins("a", 0), []);
}

#[test]
fn nobody_is_offered_twice_whatever_happens() {
    for seed in 0..2_000 {
        let mut rng = Rng::seeded(seed);
        let mut desk = Desk::open();
        // Who is offered what, as the outside sees it.
        let mut offered: Vec<(CallId, UserId)> = Vec::new();
        for _ in 0..120 {
            let c = format!("c{}", rng.below(6));
            let u = format!("u{}", rng.below(4));
            let outputs = match rng.below(7) {
                0 => {
                    if desk.queue.waiting().iter().any(|t| t.call == call(&c)) {
                        vec![]
                    } else {
                        desk.joins(&c, 0)
                    }
                }
                1 => {
                    offered.retain(|(oc, _)| *oc != call(&c));
                    desk.tell(Input::Dequeue { call: call(&c) })
                }
                2 => {
                    // Now and then by somebody to whom it was not offered.
                    offered.retain(|(oc, ou)| *oc != call(&c) || *ou != user(&u));
                    desk.tell(Input::OfferFailed { call: call(&c), user: user(&u) })
                }
                3 | 4 if !offered.iter().any(|(_, ou)| *ou == user(&u)) => desk.idle(&u),
                5 => desk.tell(Input::SeatBusy { user: user(&u) }),
                _ => desk.after(rng.below(20)),
            };
            for output in outputs {
                if let Output::Offer { call, user, .. } = output {
                    assert!(!offered.iter().any(|(c, u)| *c == call || *u == user), "seed {seed}");
                    offered.push((call, user));
                }
            }
        }
    }
}

#[test]
fn a_caller_goes_to_the_longest_idle_operator_who_has_all_skills() {
    let mut desk = Desk::open();
    for (name, skilled) in [("kim", &["medical"][..]), ("lee", &["spanish", "medical"]), ("max", &["spanish"])] {
        desk.at_work(name, skilled);
        desk.idle(name);
        desk.after(1);
    }
    assert_eq!(desk.needs("a", &["Spanish", "medical"]), [offer("a", "lee")]);
    assert_eq!(desk.needs("b", &["spanish"]), [offer("b", "max")]);
    assert_eq!(desk.joins("c", 0), [offer("c", "kim")]);
}

#[test]
fn who_waits_for_a_skill_holds_nobody_up_and_is_offered_to_anybody_in_the_end() {
    let mut desk = Desk::open();
    desk.at_work("kim", &[]);
    // Lee has it, and is in a call.
    desk.at_work("lee", &["spanish"]);
    assert_eq!(desk.needs("a", &["spanish"]), []);
    assert_eq!(desk.idle("kim"), []);
    assert_eq!(desk.joins("b", 0), [offer("b", "kim")], "who needs nothing goes by");
    desk.tell(Input::Dequeue { call: call("b") });
    assert_eq!(desk.idle("kim"), []);
    assert_eq!(desk.queue.poll_timeout().map(|(_, why)| why), Some(Reason::Skills));
    assert_eq!(desk.after(19), []);
    assert_eq!(desk.after(1), [offer("a", "kim")]);
}

#[test]
fn a_skill_that_nobody_at_work_has_is_not_waited_for() {
    let mut desk = Desk::open();
    desk.at_work("kim", &[]);
    desk.at_work("lee", &["spanish"]);
    desk.idle("kim");
    assert_eq!(desk.needs("a", &["spanish"]), []);
    assert_eq!(desk.tell(Input::Left { user: user("lee") }), [offer("a", "kim")], "the one who had it went home");
}

#[test]
fn an_operator_may_take_a_caller_whose_skills_they_lack() {
    let mut desk = Desk::open();
    desk.at_work("kim", &[]);
    desk.at_work("lee", &["spanish"]);
    desk.idle("kim");
    desk.needs("a", &["spanish"]);
    let taken = Output::Offer { call: call("a"), user: user("kim"), taken: true };
    assert_eq!(desk.tell(Input::Take { call: call("a"), user: user("kim") }), [taken]);
}

/// What the outside knows of a caller: enough to say who may be offered them.
struct Known {
    terms: Terms,
    since: Instant,
}

#[test]
fn nobody_is_overtaken_at_an_operator_who_could_have_them_and_nobody_is_stuck() {
    const WORDS: [&[&str]; 4] = [&[], &["spanish"], &["medical"], &["spanish", "medical"]];
    let mut skilled = 0;
    for seed in 0..3_000 {
        let mut rng = Rng::seeded(seed);
        let mut desk = Desk::open();
        let mut callers: BTreeMap<CallId, Known> = BTreeMap::new();
        let mut at_work: BTreeMap<UserId, Skills> = BTreeMap::new();
        for _ in 0..80 {
            let c = call(&format!("c{}", rng.below(8)));
            let u = format!("u{}", rng.below(4));
            let outputs = match rng.below(8) {
                0 | 1 if !callers.contains_key(&c) => {
                    let terms = terms(rng.below(3) as i32, WORDS[rng.below(4) as usize]);
                    callers.insert(c.clone(), Known { terms: terms.clone(), since: desk.clock.instant() });
                    desk.tell(Input::Enqueue { call: c, terms })
                }
                2 => {
                    callers.remove(&c);
                    desk.tell(Input::Dequeue { call: c })
                }
                3 => {
                    at_work.insert(user(&u), skills(WORDS[rng.below(4) as usize]));
                    desk.tell(Input::AtWork { user: user(&u), skills: at_work[&user(&u)].clone() })
                }
                4 => {
                    at_work.remove(&user(&u));
                    let mut outputs = desk.tell(Input::SeatBusy { user: user(&u) });
                    outputs.extend(desk.tell(Input::Left { user: user(&u) }));
                    outputs
                }
                5 | 6 if at_work.contains_key(&user(&u)) => {
                    if desk.queue.waiting().iter().any(|t| t.offered == Some(user(&u))) {
                        vec![]
                    } else {
                        desk.idle(&u)
                    }
                }
                _ => desk.after(rng.below(10)),
            };
            let now = desk.clock.instant();
            let fits = |user: &UserId, known: &Known| {
                let has_all = |skills: &Skills| known.terms.skills.is_subset(skills);
                let waited = now.saturating_duration_since(known.since) >= known.terms.skill_wait;
                at_work.get(user).is_some_and(has_all) || waited || !at_work.values().any(has_all)
            };
            let waiting = desk.queue.waiting();
            let free = waiting.iter().filter(|t| t.can_be_offered() && !t.overdue_told);
            for (_, user) in &desk.queue.idle {
                assert!(
                    !free.clone().any(|t| fits(user, &callers[&t.call])),
                    "seed {seed}: stuck beside an idle operator"
                );
            }
            for output in &outputs {
                let Output::Offer { call, user, .. } = output else { continue };
                let place = waiting.iter().position(|t| t.call == *call).expect("offered, so in the queue");
                let overtaken = waiting[..place].iter().filter(|t| t.offered.is_none() && !t.overdue_told);
                let overtaken = overtaken.filter(|t| fits(user, &callers[&t.call])).count();
                assert_eq!(overtaken, 0, "seed {seed}: overtaken");
                skilled += usize::from(!callers[call].terms.skills.is_empty());
            }
        }
    }
    assert!(skilled > 1_000, "the seeds reach callers who need skills: {skilled}");
}

/// What callers who are to be told their place are told in the next 30 seconds.
fn told(desk: &mut Desk) -> Vec<(CallId, Option<Place>)> {
    let outputs = desk.after(30);
    let place = |output| match output {
        Output::Comfort { call, place } => Some((call, place)),
        _ => None,
    };
    outputs.into_iter().filter_map(place).collect()
}

fn place(position: u32, minutes: Option<u32>) -> Option<Place> {
    Some(Place { position, minutes })
}

impl Desk {
    fn counts(&mut self, name: &str, priority: i32) {
        let max_wait = Duration::from_secs(3_600);
        self.tell(Input::Enqueue {
            call: call(name),
            terms: Terms { position: true, max_wait, ..terms(priority, &[]) },
        });
    }

    fn served(&mut self, name: &str) {
        self.tell(Input::Served { call: call(name) });
    }
}

#[test]
fn callers_are_told_their_place_and_nothing_of_time_while_that_is_unknown() {
    let mut desk = Desk::open();
    desk.counts("a", 0);
    desk.counts("b", 0);
    desk.joins("c", 0);
    assert_eq!(told(&mut desk), [(call("a"), place(1, None)), (call("b"), place(2, None)), (call("c"), None)]);
    desk.served("a");
    assert!(told(&mut desk).contains(&(call("b"), place(1, None))), "she moved up");
}

#[test]
fn the_wait_is_told_once_some_have_been_answered() {
    let mut desk = Desk::open();
    // Three who waited a minute each, at the first place.
    for name in ["a", "b", "c"] {
        desk.counts(name, 0);
        desk.after(60);
        desk.served(name);
    }
    desk.counts("d", 0);
    desk.counts("e", 0);
    assert_eq!(told(&mut desk), [(call("d"), place(1, Some(1))), (call("e"), place(2, Some(2)))]);
}

#[test]
fn who_is_overtaken_is_told_nothing_rather_than_a_worse_number() {
    let mut desk = Desk::open();
    desk.counts("a", 0);
    assert_eq!(told(&mut desk), [(call("a"), place(1, None))]);
    desk.counts("clinic", 5);
    let both = told(&mut desk);
    assert!(both.contains(&(call("a"), None)) && both.contains(&(call("clinic"), place(1, None))), "{both:?}");
    desk.served("clinic");
    assert_eq!(told(&mut desk), [(call("a"), place(1, None))]);
}

#[test]
fn a_caller_who_is_being_offered_is_told_no_place() {
    let mut desk = Desk::open();
    desk.idle("kim");
    desk.counts("a", 0);
    assert_eq!(told(&mut desk), [(call("a"), None)]);
}

#[test]
fn a_caller_who_cannot_be_offered_now_keeps_the_place() {
    let mut desk = Desk::open();
    desk.joins("a", 0);
    desk.after(1);
    desk.joins("b", 0);
    desk.tell(Input::Pause { call: call("a") });
    assert_eq!(desk.idle("kim"), [offer("b", "kim")]);
    assert_eq!(desk.idle("lee"), []);
    assert_eq!(desk.tell(Input::Take { call: call("a"), user: user("lee") }), [], "not even by a key");
    assert_eq!(desk.tell(Input::Resume { call: call("a") }), [offer("a", "lee")]);
}

#[test]
fn who_was_overdue_meanwhile_is_overdue_when_they_are_back() {
    let mut desk = Desk::open();
    desk.joins("a", 0);
    desk.tell(Input::Pause { call: call("a") });
    assert!(desk.after(120).contains(&Output::Overdue { call: call("a") }));
    assert!(desk.tell(Input::Resume { call: call("a") }).contains(&Output::Overdue { call: call("a") }));
}

#[test]
fn a_caller_to_be_called_back_goes_by_the_wait_that_began_on_the_line() {
    let mut desk = Desk::open();
    let began = desk.clock.instant();
    desk.after(60);
    desk.joins("b", 0);
    desk.tell(Input::Enqueue { call: call("back"), terms: Terms { since: Some(began), ..terms(0, &[]) } });
    assert_eq!(desk.idle("kim"), [offer("back", "kim")]);
    assert_eq!(desk.idle("lee"), [offer("b", "lee")]);
}

#[test]
fn a_caller_to_be_called_back_whom_nobody_takes_does_not_stand_before_those_on_the_line() {
    let mut desk = Desk::open();
    let back = Terms { since: Some(desk.clock.instant()), comfort: None, ..terms(0, &[]) };
    desk.tell(Input::Enqueue { call: call("back"), terms: back });
    desk.after(1);
    desk.joins("b", 0);
    assert_eq!(desk.idle("kim"), [offer("back", "kim")]);
    desk.tell(Input::OfferFailed { call: call("back"), user: user("kim") });
    assert_eq!(desk.idle("kim"), [offer("b", "kim")]);
    desk.tell(Input::Served { call: call("b") });
    assert_eq!(desk.idle("kim"), []);
    assert_eq!(desk.queue.poll_timeout().map(|(_, why)| why), Some(Reason::Rest));
    assert!(desk.after(30).contains(&offer("back", "kim")));
}

/// A call that we are to make, for somebody who begins to wait now.
fn to_make(desk: &mut Desk, name: &str, priority: i32) -> Vec<Output> {
    let terms = Terms { since: Some(desk.clock.instant()), comfort: None, ..terms(priority, &[]) };
    desk.tell(Input::Enqueue { call: call(name), terms })
}

fn make_way(c: &str, u: &str) -> Output {
    Output::MakeWay { call: call(c), user: user(u) }
}

/// As the desk says it: the seat is free before the queue knows why.
fn comes_back(desk: &mut Desk, c: &str, u: &str) -> Vec<Output> {
    let mut outputs = desk.idle(u);
    outputs.extend(desk.tell(Input::OfferFailed { call: call(c), user: user(u) }));
    outputs
}

#[test]
fn a_caller_on_the_line_does_not_wait_out_the_ring_time_of_a_call_to_make_that_nobody_takes() {
    let mut desk = Desk::open();
    desk.idle("kim");
    assert_eq!(to_make(&mut desk, "back", 5), [offer("back", "kim")]);
    desk.after(2);
    assert_eq!(desk.joins("live", 0), [], "she may be about to take it");
    assert_eq!(desk.queue.poll_timeout().map(|(_, why)| why), Some(Reason::Look));
    assert_eq!(desk.after(3), [make_way("back", "kim")]);
    assert_eq!(desk.after(1), [], "once");
    assert_eq!(comes_back(&mut desk, "back", "kim"), [offer("live", "kim")]);
    let first = desk.queue.waiting().first().map(|t| (t.call.clone(), t.offered.clone()));
    assert_eq!(first, Some((call("back"), None)), "it is at its place");
    desk.tell(Input::Served { call: call("live") });
    assert_eq!(desk.idle("lee"), [offer("back", "lee")], "and made as soon as nobody on the line waits");
    // Nobody took it for longer than that: whoever comes now has her at once.
    desk.after(10);
    assert_eq!(desk.joins("next", 0), [make_way("back", "lee")]);
}

#[test]
fn a_call_to_make_that_was_taken_is_left_to_her() {
    let mut desk = Desk::open();
    desk.idle("kim");
    to_make(&mut desk, "back", 0);
    desk.tell(Input::Taken { call: call("back") });
    desk.joins("live", 0);
    assert_eq!(desk.after(10), []);
    // She pressed the key as it was asked to make way.
    let mut desk = Desk::open();
    desk.idle("kim");
    to_make(&mut desk, "back", 0);
    desk.joins("live", 0);
    assert_eq!(desk.after(5), [make_way("back", "kim")]);
    assert_eq!(desk.tell(Input::Taken { call: call("back") }), []);
    assert_eq!(desk.after(20), []);
}

#[test]
fn several_calls_to_make_that_nobody_takes_keep_a_caller_waiting_no_longer_than_one() {
    let mut desk = Desk::open();
    for name in ["one", "two", "three"] {
        to_make(&mut desk, name, 0);
        desk.after(1);
    }
    desk.joins("live", 0);
    assert_eq!(desk.idle("kim"), [offer("one", "kim")], "its place came first");
    assert_eq!(desk.after(5), [make_way("one", "kim")]);
    assert_eq!(comes_back(&mut desk, "one", "kim"), [offer("live", "kim")]);
    // It was the ring time that ran out.
    let mut desk = Desk::open();
    to_make(&mut desk, "one", 0);
    to_make(&mut desk, "two", 0);
    assert_eq!(desk.idle("kim"), [offer("one", "kim")]);
    desk.tell(Input::OfferFailed { call: call("one"), user: user("kim") });
    desk.joins("live", 0);
    assert_eq!(desk.idle("kim"), [offer("live", "kim")]);
}

#[test]
fn a_call_to_make_makes_way_for_nobody_who_needs_what_its_operator_cannot_do() {
    let mut desk = Desk::open();
    desk.at_work("kim", &[]);
    desk.at_work("lee", &["spanish"]);
    desk.idle("kim");
    to_make(&mut desk, "back", 0);
    desk.after(6);
    assert_eq!(desk.needs("live", &["spanish"]), []);
    assert_eq!(desk.after(20), [make_way("back", "kim")], "then anybody will do");
}

#[test]
fn whatever_makes_way_makes_it_for_somebody_on_the_line() {
    let mut made_way = 0;
    for seed in 0..500 {
        let mut rng = Rng::seeded(seed);
        let mut desk = Desk::open();
        for n in 0..80 {
            let name = format!("c{n}");
            let outputs = match rng.below(8) {
                0 => to_make(&mut desk, &name, rng.below(2) as i32),
                1 => desk.joins(&name, 0),
                2 => {
                    let at_it = desk.queue.waiting().into_iter().find(|t| t.offered.is_some()).map(|t| t.call.clone());
                    at_it.map(|call| desk.tell(Input::Served { call })).unwrap_or_default()
                }
                3 | 4 => {
                    let u = format!("u{}", rng.below(3));
                    let busy = desk.queue.waiting().iter().any(|t| t.offered == Some(user(&u)));
                    if busy { vec![] } else { desk.idle(&u) }
                }
                _ => desk.after(1 + rng.below(4)),
            };
            for output in outputs {
                let Output::MakeWay { call, user } = output else { continue };
                made_way += 1;
                let since = desk.clock.instant();
                let offered = desk.tell(Input::SeatIdle { user: user.clone(), since });
                let waiting = desk.queue.waiting();
                let on_line = |o: &Output| {
                    let Output::Offer { call, user: to, .. } = o else { return false };
                    *to == user && waiting.iter().any(|t| t.call == *call && !t.is_off_line())
                };
                assert!(offered.iter().any(on_line), "seed {seed}: it made way for nobody: {offered:?}");
                desk.tell(Input::OfferFailed { call, user });
            }
        }
    }
    assert!(made_way > 100, "the seeds reach it: {made_way}");
}
