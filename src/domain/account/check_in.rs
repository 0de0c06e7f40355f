//! Which calls of an account are check-ins: those to a number of its own for that, and those that a flow leads there.

use super::flow::Flow;
use super::hours::Picked;
use super::said::list_flows;
use super::{Account, Speech};
use crate::base::clock::UtcMs;
use crate::base::phone::PhoneNumber;

impl Account {
    /// What counts for a call to `did` that arrives at `now`.
    pub fn flow_of_call(&self, did: &PhoneNumber, now: UtcMs) -> Picked {
        if self.hours.check_in.as_ref() != Some(did) {
            return self.flow_at(now);
        }
        let text = format!("This is the check-in line of {}.", self.name);
        let why = "the check-in number".to_owned();
        Picked { flow: Flow::CheckIn, greeting: Speech::Spoken { text }, status: None, window: None, why }
    }

    /// Its people can check in by telephone, by whatever way.
    pub fn checks_in(&self) -> bool {
        let leads_there = |(_, flow): &(String, &Flow)| **flow == Flow::CheckIn;
        self.hours.check_in.is_some() || list_flows(&self.hours, &self.menus).iter().any(leads_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::check::check;
    use crate::domain::account::hours::Hours;
    use crate::domain::message::render::tests::account;

    #[test]
    fn a_number_of_its_own_leads_to_the_check_in_at_any_hour_and_the_others_do_not() {
        let line = PhoneNumber::parse("+12025550109").expect("a valid number");
        let mut account = account();
        assert!(!account.checks_in());
        account.dids.push(line.clone());
        account.hours = Hours { check_in: Some(line.clone()), ..Hours::default() };
        assert!(account.checks_in());
        let picked = account.flow_of_call(&line, UtcMs(0));
        assert_eq!((picked.flow, picked.why.as_str()), (Flow::CheckIn, "the check-in number"));
        assert_eq!(account.flow_of_call(&account.dids[0], UtcMs(0)), account.flow_at(UtcMs(0)));
        assert_eq!(check(&account), []);
        account.dids.pop();
        let faults: Vec<_> = check(&account).into_iter().map(|fault| (fault.pointer, fault.code)).collect();
        assert_eq!(faults, [("/hours/check_in".to_owned(), "flow.unknown_number".into())]);
    }
}
