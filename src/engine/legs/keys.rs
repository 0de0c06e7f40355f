//! Keys that a far end sends twice: by signalling (INFO) and as audio (telephone-event, or the tones themselves). Each
//! counts once.
//!
//! What is agreed on does not say which it will be: telephones set to INFO name telephone-event all the same. So the
//! first key tells, until something else is agreed on.

use super::Legs;
use crate::domain::call::bridge::LegId;

/// How a key was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    BySignalling,
    AsAudio,
}

/// How a far end sends its keys, as far as is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keys(Option<Sent>);

impl Keys {
    /// A key has come. False if it is one that has come, or will, the other way.
    pub(super) fn counts(&mut self, sent: Sent) -> bool {
        *self.0.get_or_insert(sent) == sent
    }
}

impl Legs {
    /// Whether a key on this leg is to be heard.
    pub(super) fn counts_key(&mut self, leg: LegId, sent: Sent) -> bool {
        self.wires.iter_mut().find(|wire| wire.leg == leg).is_none_or(|wire| wire.keys.counts(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_both_ways_counts_once_whichever_comes_first() {
        for (first, other) in [(Sent::BySignalling, Sent::AsAudio), (Sent::AsAudio, Sent::BySignalling)] {
            let mut keys = Keys::default();
            let heard = [first, other, first, other, other, first].into_iter().filter(|sent| keys.counts(*sent));
            assert_eq!(heard.count(), 3);
        }
    }
}
