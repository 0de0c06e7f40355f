//! Calls on a shard, for tests: the calls' own machines say who hears whom, and the shard does it, with real sockets and
//! injected time.

use super::shard::Command;
use super::shard_tests::Rig;
use crate::base::id::UserId;
use crate::domain::account::flow::Flow;
use crate::domain::call::bridge::{BridgeId, LegId};
use crate::domain::call::leg::LegInput;
use crate::domain::call::{Call, Input, OperatorCommand, Output, Setup, tests};

/// What a plain call is made with.
pub(super) fn setup(caller: LegId) -> Setup {
    Setup { caller, comfort: Vec::new(), ..tests::setup() }
}

/// A shard with calls on it.
pub(super) struct CallRig {
    pub(super) rig: Rig,
    pub(super) calls: Vec<Call>,
    revs: u64,
}

impl CallRig {
    pub(super) const fn new(rig: Rig) -> Self {
        Self { rig, calls: Vec::new(), revs: 0 }
    }

    /// One more caller, whose greeting has been heard.
    pub(super) fn calls_in(&mut self, caller: LegId, flow: Flow) {
        let setup = Setup { flow, ..setup(caller) };
        self.calls.push(Call::new(self.rig.now(), setup));
        let call = self.calls.len() - 1;
        self.tell(call, Input::Arrived);
        self.leg(call, caller, LegInput::Established);
        self.tell(call, Input::PlayDone { leg: caller, play: 1 });
    }

    pub(super) fn tell(&mut self, call: usize, input: Input) {
        self.calls[call].handle(self.rig.now(), input);
        self.carry_out(call);
    }

    pub(super) fn leg(&mut self, call: usize, leg: LegId, event: LegInput) {
        self.tell(call, Input::Leg { leg, event });
    }

    pub(super) fn comes_up(&mut self, call: usize, leg: LegId) {
        self.leg(call, leg, LegInput::Answered);
        self.leg(call, leg, LegInput::MediaUp);
    }

    pub(super) fn does(&mut self, call: usize, by: &UserId, command: OperatorCommand) {
        self.calls[call].command(self.rig.now(), by, command).expect("it fits the phase");
        self.carry_out(call);
    }

    /// What a call wants of the shard.
    pub(super) fn carry_out(&mut self, call: usize) {
        while let Some(output) = self.calls[call].poll_output() {
            match output {
                Output::SetBridge { matrix, .. } => {
                    self.revs += 1;
                    let bridge = BridgeId(1 + call as u64);
                    self.rig.commands.send(Command::SetBridge(bridge, self.revs, matrix)).unwrap();
                }
                Output::BindKeys { leg, bound } => self.rig.commands.send(Command::BindDigits(leg, bound)).unwrap(),
                Output::HangUp { leg } => {
                    self.rig.commands.send(Command::Close(leg)).unwrap();
                    self.rig.peers.retain(|(l, ..)| *l != leg);
                }
                _ => {}
            }
        }
    }
}
