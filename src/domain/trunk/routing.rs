//! The machine: rules of each trunk, what runs over it, what each account has used.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::dial_plan::DialPlan;
use super::refusal::Refusal;
use super::toll::TollWatch;
use crate::base::id::AccountId;
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::domain::call::bridge::LegId;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

/// What a trunk may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkRules {
    /// Lower is tried first.
    pub priority: u16,
    /// Share of the calls among trunks of one priority.
    pub weight: u16,
    /// Calls at one time, both ways.
    pub channels: usize,
    /// New calls out within a second.
    pub calls_per_second: usize,
    pub plan: DialPlan,
    /// The country code that emergency numbers may come with.
    pub country: String,
    /// It is registered with an address for emergency calls.
    pub emergency: bool,
}

impl TrunkRules {
    fn may_dial(&self, to: &PhoneNumber) -> bool {
        match to.emergency_code() {
            Some(code) => {
                let bare = to.digits();
                self.emergency && (bare == code || bare.strip_prefix(self.country.as_str()) == Some(code))
            }
            None => !to.is_short() && self.plan.allows(to),
        }
    }
}

/// What one account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls out at one time.
    pub account_calls: usize,
    /// Calls out within an hour.
    pub account_calls_per_hour: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { account_calls: 10, account_calls_per_hour: 120 }
    }
}

/// Somebody wants to call out.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub to: &'a PhoneNumber,
    /// In whose name; none for what the service does for itself.
    pub account: Option<&'a AccountId>,
}

/// What people should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Refusals pile up as in toll fraud.
    TollSuspected,
    /// None for an hour.
    TollOver,
}

#[derive(Debug)]
struct Line {
    rules: TrunkRules,
    in_use: usize,
    /// When the latest calls out began, as many as a second may have.
    begun: VecDeque<Instant>,
}

impl Line {
    fn is_free(&self, now: Instant) -> bool {
        let recent = self.begun.iter().filter(|at| now.saturating_duration_since(**at) < SECOND).count();
        self.in_use < self.rules.channels && recent < self.rules.calls_per_second
    }
}

#[derive(Debug)]
struct Held {
    trunk: usize,
    account: Option<AccountId>,
}

#[derive(Debug, Default)]
struct Usage {
    in_use: usize,
    /// When calls out began, the last hour's.
    begun: VecDeque<Instant>,
}

/// Which trunk, and whether at all.
#[derive(Debug)]
pub struct Routing {
    lines: Vec<Line>,
    limits: Limits,
    legs: HashMap<LegId, Held>,
    accounts: HashMap<AccountId, Usage>,
    toll: TollWatch,
    notices: VecDeque<Notice>,
    rng: Rng,
}

impl Routing {
    /// Trunks are known by their place in `trunks`.
    pub fn new(trunks: impl IntoIterator<Item = TrunkRules>, limits: Limits, rng: Rng) -> Self {
        let line = |rules| Line { rules, in_use: 0, begun: VecDeque::new() };
        Self {
            lines: trunks.into_iter().map(line).collect(),
            limits,
            legs: HashMap::new(),
            accounts: HashMap::new(),
            toll: TollWatch::default(),
            notices: VecDeque::new(),
            rng,
        }
    }

    /// May this be called at all? The one door: live patches, call-outs and what a transfer or a diversion asks for.
    pub fn permit(&mut self, now: Instant, ask: &Ask<'_>) -> Result<(), Refusal> {
        let refusal = self.refusal(now, ask);
        if refusal.is_some_and(Refusal::is_suspicious) && self.toll.refused(now) {
            self.notices.push_back(Notice::TollSuspected);
        }
        refusal.map_or(Ok(()), Err)
    }

    fn refusal(&mut self, now: Instant, ask: &Ask<'_>) -> Option<Refusal> {
        let emergency = ask.to.emergency_code().is_some();
        if !self.lines.iter().any(|line| line.rules.may_dial(ask.to)) {
            return Some(if emergency { Refusal::Emergency } else { Refusal::Destination });
        }
        let usage = ask.account.and_then(|account| self.accounts.get_mut(account))?;
        // A call for help is not counted against anybody.
        if emergency {
            return None;
        }
        while usage.begun.front().is_some_and(|at| now.saturating_duration_since(*at) >= HOUR) {
            usage.begun.pop_front();
        }
        if usage.in_use >= self.limits.account_calls {
            Some(Refusal::AccountCalls)
        } else if usage.begun.len() >= self.limits.account_calls_per_hour {
            Some(Refusal::AccountHour)
        } else {
            None
        }
    }

    /// The trunks to try, in order. `is_up` tells of a trunk whether it answers pings. One that does not may still carry
    /// calls: it is tried where no other may, and a call for help is tried over each.
    pub fn pick(&mut self, now: Instant, ask: &Ask<'_>, is_up: impl Fn(usize) -> bool) -> Result<Vec<usize>, Refusal> {
        self.permit(now, ask)?;
        let mut open: Vec<usize> = (0..self.lines.len()).filter(|at| self.lines[*at].rules.may_dial(ask.to)).collect();
        if ask.to.emergency_code().is_none() {
            open.retain(|at| self.lines[*at].is_free(now));
            if open.iter().any(|at| is_up(*at)) {
                open.retain(|at| is_up(*at));
            }
        }
        if open.is_empty() {
            return Err(Refusal::LinesBusy);
        }
        let shares: Vec<(u16, u16)> =
            open.iter().map(|at| (self.lines[*at].rules.priority, self.lines[*at].rules.weight)).collect();
        let mut order: Vec<usize> = self.rng.weighted_order(&shares).into_iter().map(|at| open[at]).collect();
        order.sort_by_key(|at| !is_up(*at));
        Ok(order)
    }

    /// A channel of this trunk is free.
    pub fn has_channel(&self, trunk: usize) -> bool {
        self.lines.get(trunk).is_some_and(|line| line.in_use < line.rules.channels)
    }

    /// A call came in over this trunk.
    pub fn came_in(&mut self, leg: LegId, trunk: usize) {
        self.hold(leg, trunk, None);
    }

    /// The trunk that a leg runs over now.
    pub fn trunk_of(&self, leg: LegId) -> Option<usize> {
        self.legs.get(&leg).map(|held| held.trunk)
    }

    /// A call goes out over this trunk.
    pub fn goes_out(&mut self, now: Instant, leg: LegId, trunk: usize, account: Option<AccountId>) {
        if let Some(account) = &account {
            let usage = self.accounts.entry(account.clone()).or_default();
            usage.in_use += 1;
            usage.begun.push_back(now);
        }
        self.began(now, trunk);
        self.hold(leg, trunk, account);
    }

    /// The same call now tries this trunk instead.
    pub fn moves(&mut self, now: Instant, leg: LegId, trunk: usize) {
        let Some(held) = self.legs.get_mut(&leg) else { return };
        let before = std::mem::replace(&mut held.trunk, trunk);
        self.lines[before].in_use -= 1;
        self.lines[trunk].in_use += 1;
        self.began(now, trunk);
    }

    fn began(&mut self, now: Instant, trunk: usize) {
        let line = &mut self.lines[trunk];
        line.begun.push_back(now);
        if line.begun.len() > line.rules.calls_per_second {
            line.begun.pop_front();
        }
    }

    fn hold(&mut self, leg: LegId, trunk: usize, account: Option<AccountId>) {
        self.lines[trunk].in_use += 1;
        self.legs.insert(leg, Held { trunk, account });
    }

    /// The call is over.
    pub fn ended(&mut self, leg: LegId) {
        let Some(held) = self.legs.remove(&leg) else { return };
        self.lines[held.trunk].in_use -= 1;
        if let Some(usage) = held.account.and_then(|account| self.accounts.get_mut(&account)) {
            usage.in_use -= 1;
        }
    }

    /// Calls that are over without a word are forgotten. Called now and then.
    pub fn keep(&mut self, is_alive: impl Fn(LegId) -> bool) {
        let gone: Vec<LegId> = self.legs.keys().copied().filter(|leg| !is_alive(*leg)).collect();
        gone.into_iter().for_each(|leg| self.ended(leg));
    }

    /// Accounts that have not called for an hour are forgotten. Called now and then.
    pub fn tidy(&mut self, now: Instant) {
        self.accounts.retain(|_, usage| {
            let last = usage.begun.back();
            usage.in_use > 0 || last.is_some_and(|at| now.saturating_duration_since(*at) < HOUR)
        });
    }

    /// What people should hear of.
    pub fn poll_output(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// When to call [`Routing::on_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.toll.quiet_at()
    }

    pub fn on_timeout(&mut self, now: Instant) {
        if self.toll.on_timeout(now) {
            self.notices.push_back(Notice::TollOver);
        }
    }

    /// A person has seen to the suspicion of toll fraud.
    pub fn toll_seen_to(&mut self) {
        self.toll.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    fn rules(priority: u16, weight: u16) -> TrunkRules {
        TrunkRules {
            priority,
            weight,
            channels: 2,
            calls_per_second: 100,
            plan: DialPlan::default(),
            country: "1".to_owned(),
            emergency: false,
        }
    }

    fn start() -> Instant {
        TestClock::at(UtcMs(0)).instant()
    }

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).expect("a number")
    }

    fn routing(trunks: impl IntoIterator<Item = TrunkRules>) -> Routing {
        Routing::new(trunks, Limits::default(), Rng::seeded(3))
    }

    const BEN: &str = "+12025550110";

    #[test]
    fn the_first_priority_carries_the_calls_while_it_is_up_and_has_channels() {
        let (mut routing, now, ben) = (routing([rules(20, 1), rules(10, 1)]), start(), number(BEN));
        let ask = Ask { to: &ben, account: None };
        assert_eq!(routing.pick(now, &ask, |_| true), Ok(vec![1, 0]));
        assert_eq!(routing.pick(now, &ask, |at| at != 1), Ok(vec![0]));
        for leg in 1..=2 {
            routing.goes_out(now, LegId(leg), 1, None);
        }
        assert_eq!(routing.pick(now, &ask, |_| true), Ok(vec![0]), "the first is full");
        routing.came_in(LegId(3), 0);
        routing.came_in(LegId(4), 0);
        assert_eq!(routing.pick(now, &ask, |_| true), Err(Refusal::LinesBusy));
        routing.ended(LegId(1));
        routing.ended(LegId(1));
        assert_eq!(routing.pick(now, &ask, |_| true), Ok(vec![1]));
    }

    #[test]
    fn trunks_that_seem_down_are_tried_all_the_same_if_none_is_up_and_for_help_always() {
        let served = |priority| TrunkRules { emergency: true, ..rules(priority, 1) };
        let (mut routing, now) = (routing([served(10), served(20)]), start());
        let (ben, help) = (number(BEN), number("+911"));
        let ask = Ask { to: &ben, account: None };
        assert_eq!(routing.pick(now, &ask, |_| false), Ok(vec![0, 1]), "a ping unanswered is no call refused");
        assert_eq!(routing.pick(now, &ask, |at| at == 1), Ok(vec![1]));
        assert_eq!(routing.pick(now, &Ask { to: &help, account: None }, |at| at == 1), Ok(vec![1, 0]));
        for leg in 1..=2 {
            routing.goes_out(now, LegId(leg), 1, None);
        }
        assert_eq!(routing.pick(now, &ask, |at| at == 1), Ok(vec![0]), "the one that is up is full");
    }

    #[test]
    fn among_equals_calls_are_shared_by_weight() {
        let (mut routing, now, ben) = (routing([rules(10, 1), rules(10, 3)]), start(), number(BEN));
        let ask = Ask { to: &ben, account: None };
        let picks = (0..1_000).map(|_| routing.pick(now, &ask, |_| true).expect("allowed")[0]);
        let heavier = picks.filter(|first| *first == 1).count();
        assert!((680..820).contains(&heavier), "{heavier} of 1000");
    }

    #[test]
    fn a_call_that_moves_to_another_trunk_frees_the_first() {
        let (mut routing, now) = (routing([rules(10, 1), rules(20, 1)]), start());
        routing.goes_out(now, LegId(1), 0, None);
        routing.goes_out(now, LegId(2), 0, None);
        assert!(!routing.has_channel(0));
        routing.moves(now, LegId(1), 1);
        assert!(routing.has_channel(0));
        routing.ended(LegId(1));
        routing.ended(LegId(2));
        assert!(routing.legs.is_empty() && routing.lines.iter().all(|line| line.in_use == 0));
    }

    #[test]
    fn channels_are_counted_right_whatever_comes_and_goes() {
        for seed in 0..200 {
            let mut rng = Rng::seeded(seed);
            let trunks = [rules(10, 1), rules(10, 2), rules(20, 1)];
            let limits = Limits { account_calls: 3, account_calls_per_hour: 1_000 };
            let (mut routing, now) = (Routing::new(trunks, limits, Rng::seeded(seed)), start());
            let account = AccountId::named("one");
            let ben = number(BEN);
            for n in 0..200 {
                let ask = Ask { to: &ben, account: Some(&account) };
                let (leg, trunk) = (LegId(rng.below(20)), usize::try_from(rng.below(3)).expect("small"));
                match rng.below(5) {
                    0 => routing.ended(leg),
                    1 if routing.has_channel(trunk) => routing.moves(now, leg, trunk),
                    2 if routing.has_channel(trunk) => routing.came_in(LegId(1_000 + n), trunk),
                    3 => routing.keep(|leg| leg.0 % 7 != n % 7),
                    _ => {
                        if let Ok(trunks) = routing.pick(now, &ask, |_| true) {
                            routing.goes_out(now, LegId(2_000 + n), trunks[0], Some(account.clone()));
                        }
                    }
                }
                for (at, line) in routing.lines.iter().enumerate() {
                    let held = routing.legs.values().filter(|held| held.trunk == at).count();
                    assert_eq!((line.in_use, held <= 2), (held, true), "{seed}");
                }
                let out = routing.legs.values().filter(|held| held.account.is_some()).count();
                assert_eq!(routing.accounts.get(&account).map_or(0, |usage| usage.in_use), out, "{seed}");
                assert!(out <= 3, "{seed}");
            }
        }
    }

    #[test]
    fn only_the_trunk_that_may_dial_it_is_asked() {
        let mut abroad = rules(20, 1);
        abroad.plan.allowed.push("+44".parse().expect("a pattern"));
        let (mut routing, now) = (routing([rules(10, 1), abroad]), start());
        let london = number("+442071838750");
        assert_eq!(routing.pick(now, &Ask { to: &london, account: None }, |_| true), Ok(vec![1]));
        let premium = number("+449098790879");
        assert_eq!(routing.pick(now, &Ask { to: &premium, account: None }, |_| true), Err(Refusal::Destination));
    }

    #[test]
    fn a_trunk_takes_so_many_new_calls_a_second() {
        let (mut routing, now, ben) =
            (routing([TrunkRules { calls_per_second: 2, channels: 100, ..rules(10, 1) }]), start(), number(BEN));
        let ask = Ask { to: &ben, account: None };
        for leg in 0..2 {
            assert!(routing.pick(now, &ask, |_| true).is_ok());
            routing.goes_out(now, LegId(leg), 0, None);
        }
        assert_eq!(routing.pick(now, &ask, |_| true), Err(Refusal::LinesBusy));
        assert!(routing.pick(now + SECOND, &ask, |_| true).is_ok());
    }

    #[test]
    fn an_account_has_so_many_calls_at_once_and_in_an_hour() {
        let limits = Limits { account_calls: 2, account_calls_per_hour: 3 };
        let trunk = TrunkRules { channels: 100, ..rules(10, 1) };
        let (mut routing, now, ben) = (Routing::new([trunk], limits, Rng::seeded(1)), start(), number(BEN));
        let (one, other) = (AccountId::named("one"), AccountId::named("other"));
        let ask = Ask { to: &ben, account: Some(&one) };
        for leg in 1..=2 {
            assert_eq!(routing.permit(now, &ask), Ok(()));
            routing.goes_out(now, LegId(leg), 0, Some(one.clone()));
        }
        assert_eq!(routing.permit(now, &ask), Err(Refusal::AccountCalls));
        assert_eq!(routing.permit(now, &Ask { account: Some(&other), ..ask }), Ok(()), "each for itself");
        routing.ended(LegId(1));
        assert_eq!(routing.permit(now, &ask), Ok(()));
        routing.goes_out(now + SECOND, LegId(3), 0, Some(one.clone()));
        routing.ended(LegId(2));
        routing.ended(LegId(3));
        assert_eq!(routing.permit(now + SECOND, &ask), Err(Refusal::AccountHour));
        assert_eq!(routing.permit(now + HOUR, &ask), Ok(()), "the first ones are an hour old");
        routing.tidy(now + HOUR + SECOND);
        assert!(routing.accounts.is_empty(), "nothing is kept of who does not call");
    }

    #[test]
    fn emergency_numbers_go_out_over_a_registered_trunk_alone_and_whatever_else_runs() {
        let (mut routing, now) = (routing([rules(10, 1)]), start());
        for text in ["+911", "+1911", "+112", "+44999"] {
            let refused = routing.pick(now, &Ask { to: &number(text), account: None }, |_| true);
            assert_eq!(refused, Err(Refusal::Emergency), "{text}");
        }
        let short = number("+1411");
        assert_eq!(routing.permit(now, &Ask { to: &short, account: None }), Err(Refusal::Destination));

        let mut routing = self::routing([TrunkRules { emergency: true, channels: 0, ..rules(10, 1) }]);
        let account = AccountId::named("one");
        for text in ["+911", "+1911"] {
            let (help, account) = (number(text), Some(&account));
            assert_eq!(routing.pick(now, &Ask { to: &help, account }, |_| true), Ok(vec![0]), "{text}");
        }
        // Another country's, dialled with its code, would not reach it.
        assert_eq!(routing.permit(now, &Ask { to: &number("+44999"), account: None }), Err(Refusal::Emergency));
        assert_eq!(routing.permit(now, &Ask { to: &short, account: None }), Err(Refusal::Destination));
    }

    #[test]
    fn refusals_that_pile_up_are_told_of_once_and_taken_back() {
        let (mut routing, now) = (routing([rules(10, 1)]), start());
        for n in 0..20 {
            let expensive = number(&format!("+2525550{n:03}"));
            assert_eq!(routing.permit(now, &Ask { to: &expensive, account: None }), Err(Refusal::Destination));
        }
        assert_eq!((routing.poll_output(), routing.poll_output()), (Some(Notice::TollSuspected), None));
        let over = routing.poll_timeout().expect("it ends by itself");
        routing.on_timeout(over);
        assert_eq!((routing.poll_output(), routing.poll_timeout()), (Some(Notice::TollOver), None));
    }
}
