//! A user agent with an owner, in simulated time: messages in, what it sends and tells out. How the owner answers is the
//! test's to say ([`Owner`]).

use std::time::{Duration, Instant};

use cordboard::base::rng::Rng;
use cordboard::proto::sip::{Agent, AgentConfig, Command, Event, Flow, Input, Output, Transport};

/// Outputs that one input may have. More are outputs without end.
const MOST_OUTPUTS: usize = 5_000;

/// Who owns an agent.
pub trait Owner {
    /// What follows from an event, at once.
    fn hears(&mut self, now: Instant, event: Event) -> Vec<Command>;

    /// Looks at a message that goes out.
    fn looks_at(&mut self, _sent: &[u8]) {}
}

/// An agent, its owner, and one peer.
pub struct Bench<O> {
    pub agent: Agent,
    pub owner: O,
    pub now: Instant,
    pub flow: Flow,
    pub sent: Vec<String>,
}

/// A way from 192.0.2.44.
pub fn flow(transport: Transport) -> Flow {
    let connection = u64::from(transport != Transport::Udp);
    Flow { transport, local: ([127, 0, 0, 1], 5060).into(), peer: ([192, 0, 2, 44], 5066).into(), connection }
}

impl<O: Owner> Bench<O> {
    pub fn new(config: AgentConfig, transport: Transport, seed: u64, now: Instant, owner: O) -> Self {
        let agent = Agent::new(config, Rng::seeded(seed));
        Self { agent, owner, now, flow: flow(transport), sent: Vec::new() }
    }

    pub fn feed(&mut self, input: Input) {
        self.agent.handle(self.now, input);
        for _ in 0..MOST_OUTPUTS {
            let Some(output) = self.agent.poll_output() else { return };
            let event = match output {
                Output::Transmit { bytes, .. } | Output::Refuse { bytes, .. } => {
                    self.owner.looks_at(&bytes);
                    self.sent.push(String::from_utf8_lossy(&bytes).into_owned());
                    continue;
                }
                Output::CloseFlow { .. } => continue,
                Output::Event(event) => event,
            };
            for command in self.owner.hears(self.now, event) {
                self.agent.handle(self.now, Input::Command(command));
            }
        }
        panic!("outputs without end");
    }

    pub fn receive(&mut self, bytes: Vec<u8>) {
        self.feed(Input::Received { flow: self.flow, bytes });
    }

    pub fn pass(&mut self, by: Duration) {
        self.now += by;
        self.feed(Input::Timeout);
    }
}
