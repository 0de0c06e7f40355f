//! A client's own office is rung before a call is answered, and the service takes what it does not: which calls are not
//! to go there, because they come from there.
//!
//! An office that is busy or closed may have its telephone forwarded to the very number that rings it. What always holds:
//! such a call does not go round, and its caller is answered here.

use super::Account;
use super::flow::Flow;
use super::hours::Picked;
use crate::base::phone::PhoneNumber;

impl Picked {
    /// What counts for a call from `caller`, forwarded by `forwarded_from`: an office that makes or forwards it is not rung
    /// by it, and neither is one for a call of our own, which is what comes back from a telephone that forwards without saying so.
    /// `shown`: what trunks show of us that do not show the account's number.
    #[must_use]
    pub fn not_back_to(
        mut self,
        account: &Account,
        shown: &[PhoneNumber],
        caller: Option<&PhoneNumber>,
        forwarded_from: Option<&PhoneNumber>,
    ) -> Self {
        if let Flow::Spill(spill) = &self.flow
            && spill.before_answer
        {
            let from = |line: &PhoneNumber| *line == spill.number || shown.contains(line);
            let from_there = [caller, forwarded_from].into_iter().flatten().any(from);
            // Not one that such a number forwards: that is how a client's own calls come here.
            let from_us = caller.is_some_and(|caller| account.own_numbers().contains(caller));
            if from_there || from_us {
                self.flow = Flow::default();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::flow::{Spill, SpillFailed};
    use super::*;
    use crate::base::clock::UtcMs;
    use crate::domain::account::hours::Hours;
    use crate::domain::message::render::tests::account;

    #[test]
    fn a_call_that_comes_from_the_office_does_not_ring_it() {
        let number = |text: &str| PhoneNumber::parse(text).expect("a valid number");
        let (office, stranger, trunk) = (number("+12025550160"), number("+12025550199"), number("+12025550190"));
        let spill = |before_answer| {
            Flow::Spill(Spill { number: office.clone(), ring_secs: 20, failed: SpillFailed::Queue, before_answer })
        };
        let of = |before_answer| {
            let hours = Hours { usual: spill(before_answer), ..Hours::default() };
            Account { hours, ..account() }
        };
        let ours = of(true).dids[0].clone();
        let flow = |before_answer, caller: Option<&PhoneNumber>, forwarded: Option<&PhoneNumber>| {
            let account = of(before_answer);
            account.flow_at(UtcMs(0)).not_back_to(&account, std::slice::from_ref(&trunk), caller, forwarded).flow
        };
        assert_eq!(flow(true, Some(&stranger), None), spill(true));
        assert_eq!(flow(true, None, Some(&stranger)), spill(true));
        assert_eq!(flow(true, Some(&stranger), Some(&office)), Flow::default(), "forwarded by it");
        assert_eq!(flow(true, Some(&office), None), Flow::default(), "made by it");
        assert_eq!(flow(true, Some(&ours), None), Flow::default(), "forwarded without a word");
        assert_eq!(flow(true, Some(&trunk), None), Flow::default(), "by the number that a trunk shows for all");
        assert_eq!(flow(true, Some(&stranger), Some(&trunk)), Flow::default(), "and forwarded from there");
        assert_eq!(flow(true, Some(&stranger), Some(&ours)), spill(true), "the client's line, forwarded to us");
        assert_eq!(flow(false, Some(&trunk), None), spill(false));
        let shown = Account { caller_id: Some(stranger.clone()), ..of(true) };
        let back = shown.flow_at(UtcMs(0)).not_back_to(&shown, &[], Some(&stranger), None).flow;
        assert_eq!(back, Flow::default(), "by the number that its calls show");
        assert_eq!(flow(false, Some(&office), None), spill(false), "answered first, it is a person's choice");
    }
}
