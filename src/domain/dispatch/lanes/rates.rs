//! What the house has decided of rates: for each channel, for single providers, and for each destination of a channel.
//! Plain data, read from the configuration.

use std::collections::BTreeMap;

use super::{Edge, Pace};
use crate::domain::dispatch::state::Channel;

/// The paces of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRates {
    /// Of each edge of it: the mail server, each provider of texts, each carrier of pages, each client's system.
    pub pace: Pace,
    /// To each destination: one number, one mailbox.
    pub to_one: Option<Pace>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// A channel that is not here has no limits.
    pub channels: BTreeMap<Channel, ChannelRates>,
    /// Providers with a pace of their own.
    pub providers: BTreeMap<(Channel, String), Pace>,
}

const fn pace(per_minute: u32, burst: u32, at_once: u32) -> Pace {
    Pace { per_minute, burst, at_once }
}

impl Rates {
    /// As they are unless the configuration says otherwise.
    ///
    /// A long number of North America takes a text a second; trunks take about a call a second; terminals of pagers have a line
    /// or two. A person is not sent more than a few texts at once, as carriers take more for spam. All that is urgent for one
    /// telephone is read in the same call, but only so much, as what waits for that call to end takes the others' places; and a
    /// fax machine has one line. A client's system is its own edge.
    pub fn usual() -> Self {
        let one = |channel, of_edge, to_one| (channel, ChannelRates { pace: of_edge, to_one });
        Self {
            channels: BTreeMap::from([
                one(Channel::Email, pace(120, 30, 8), Some(pace(30, 20, 4))),
                one(Channel::Text, pace(60, 20, 8), Some(pace(12, 8, 4))),
                one(Channel::Call, pace(60, 8, 30), Some(pace(60, 12, 8))),
                one(Channel::Pager, pace(60, 8, 2), Some(pace(12, 8, 2))),
                one(Channel::Push, pace(600, 60, 16), Some(pace(60, 20, 4))),
                one(Channel::Webhook, pace(300, 40, 8), None),
                one(Channel::Fax, pace(30, 4, 4), Some(pace(30, 4, 2))),
            ]),
            providers: BTreeMap::new(),
        }
    }

    pub(super) fn of_edge(&self, edge: &Edge) -> Option<Pace> {
        let own = edge.provider.as_ref().and_then(|name| self.providers.get(&(edge.channel, name.clone())));
        own.copied().or_else(|| self.channels.get(&edge.channel).map(|rates| rates.pace))
    }

    pub(super) fn to_one(&self, channel: Channel) -> Option<Pace> {
        self.channels.get(&channel).and_then(|rates| rates.to_one)
    }
}
