//! What somebody texts back: whose code it is, stop and start, and words that are no code. In the order of the driver's `arrivals`.
//!
//! Whom a text means the machine says. What always holds: each text is settled once, whatever it says.

use std::collections::{BTreeMap, BTreeSet};

use cordboard::base::id::DispatchId;
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::dispatch::confirm::{CODE_QUARANTINE_MS, Code, Meant, Reply, newest_open, pick_meant};
use cordboard::domain::dispatch::event::Event;
use cordboard::domain::dispatch::state::Trouble;

use super::{Crashed, House, Row};

impl House {
    /// In the order of `engine/dispatcher/arrivals`: whose it is the machine says.
    pub(super) fn handle_text(&mut self, i: usize, from: &PhoneNumber, body: &str) -> Result<(), Crashed> {
        let (codes, whose): (Vec<Code>, Vec<DispatchId>) = self.codes_of(from).into_iter().unzip();
        match pick_meant(Reply::parse(body), &codes) {
            Meant::Yes(at) => {
                let event = Event::Replied { number: from.clone(), code: codes[at].code };
                return self.decide(&whose[at], &event, Some(i));
            }
            Meant::Which(at) => {
                let event = Event::AskedWhich { number: from.clone(), name: "somebody".into() };
                return self.decide(&whose[at], &event, Some(i));
            }
            Meant::Stop => return self.stop(i, from),
            Meant::Start => {
                if self.start(i, from)? {
                    return Ok(());
                }
            }
            Meant::Nothing => {}
        }
        let asked = newest_open(&codes).map(|at| whose[at].clone()).or_else(|| self.open_at(from).pop());
        match asked {
            Some(id) => {
                let help = self.rng.below(3) > 0;
                let words = Some(body.to_owned().into());
                let event = Event::Unplaced { number: from.clone(), name: "somebody".into(), help, words, among: 1 };
                self.decide(&id, &event, Some(i))
            }
            None => self.settle(i),
        }
    }

    fn stop(&mut self, i: usize, from: &PhoneNumber) -> Result<(), Crashed> {
        self.block(from, true)?;
        for id in self.open_at(from) {
            self.decide(&id, &Event::Stopped { number: from.clone() }, None)?;
        }
        self.settle(i)
    }

    /// True if that is all it has to say: they had been stopped. Dispatches hear of it before the block is lifted.
    fn start(&mut self, i: usize, from: &PhoneNumber) -> Result<bool, Crashed> {
        let mut destinations = self.town.contacts.iter().flat_map(|contact| &contact.destinations);
        let blocked = destinations.any(|destination| destination.blocked && destination.reach.phone() == Some(from));
        if blocked {
            let warned: BTreeSet<DispatchId> = self.open_at(from).into_iter().chain(self.stopped_at(from)).collect();
            for id in warned {
                self.decide(&id, &Event::Started { number: from.clone() }, None)?;
            }
        }
        self.before_commit()?;
        self.set_blocked(from, false);
        self.disk.inbound[i].handled |= blocked;
        self.point()?;
        Ok(blocked)
    }

    fn block(&mut self, number: &PhoneNumber, blocked: bool) -> Result<(), Crashed> {
        self.before_commit()?;
        self.set_blocked(number, blocked);
        self.point()
    }

    fn set_blocked(&mut self, number: &PhoneNumber, blocked: bool) {
        for destination in self.town.contacts.iter_mut().flat_map(|contact| &mut contact.destinations) {
            if destination.reach.phone() == Some(number) {
                destination.blocked = blocked;
            }
        }
    }

    /// Open dispatches that warn of a STOP from that number.
    fn stopped_at(&self, number: &PhoneNumber) -> Vec<DispatchId> {
        let warns = |trouble: &Trouble| matches!(trouble, Trouble::Stopped { number: Some(of), .. } if of == number);
        let open = self.disk.rows.values().filter(|row| row.state.phase.is_open());
        open.filter(|row| row.state.troubles.iter().any(warns)).map(|row| row.state.id.clone()).collect()
    }

    fn open_at(&self, number: &PhoneNumber) -> Vec<DispatchId> {
        let at = |row: &&Row| row.state.attempts.iter().any(|a| a.address.phone() == Some(number));
        let open = self.disk.rows.values().filter(|row| row.state.phase.is_open()).filter(at);
        open.map(|row| row.state.id.clone()).collect()
    }

    /// Codes that are not free at a number, and whose each is.
    fn codes_of(&self, number: &PhoneNumber) -> Vec<(Code, DispatchId)> {
        let mut codes = Vec::new();
        for state in self.disk.rows.values().map(|row| &row.state) {
            let quiet = state.closed_at.is_some_and(|at| self.now().since(at) >= CODE_QUARANTINE_MS);
            if let Some((_, code, _)) = state.codes().filter(|_| !quiet).find(|(at, _, _)| *at == number) {
                let is_open = state.closed_at.is_none();
                codes.push((Code { code, given_at: state.open_at, is_open }, state.id.clone()));
            }
        }
        codes
    }

    pub(super) fn taken_codes(&self) -> BTreeMap<PhoneNumber, BTreeSet<u16>> {
        let mut taken: BTreeMap<PhoneNumber, BTreeSet<u16>> = BTreeMap::new();
        for state in self.disk.rows.values().map(|row| &row.state) {
            if state.closed_at.is_none_or(|at| self.now().since(at) < CODE_QUARANTINE_MS) {
                for (number, code, _) in state.codes() {
                    taken.entry(number.clone()).or_default().insert(code);
                }
            }
        }
        taken
    }
}
