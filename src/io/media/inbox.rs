//! What a media thread is sent. It takes what is there and never waits for a sender.
//!
//! A channel of the standard library does wait: a sender that has its place and has not filled it yet holds the receiver up,
//! which spins until it has. A media thread goes before every other thread, so on a busy core it spins in front of the very
//! thread it waits for. Here such a message is simply not there yet: it is taken at the next beat.

use std::task::{Context, Poll, Waker};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The receiving end.
#[derive(Debug)]
pub(super) struct Inbox<T>(UnboundedReceiver<T>);

/// What an inbox holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    Message(T),
    Nothing,
    /// Nothing, and nobody can send any more.
    Closed,
}

/// An inbox and the way into it.
pub(super) fn inbox<T>() -> (UnboundedSender<T>, Inbox<T>) {
    let (sender, receiver) = unbounded_channel();
    (sender, Inbox(receiver))
}

impl<T> Inbox<T> {
    /// The next message, if it is there whole.
    pub(super) fn take(&mut self) -> Taken<T> {
        match self.0.poll_recv(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(message)) => Taken::Message(message),
            Poll::Ready(None) => Taken::Closed,
            Poll::Pending => Taken::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_in_their_order_and_the_end_is_told_after_the_last() {
        let (sender, mut inbox) = inbox();
        assert_eq!(inbox.take(), Taken::Nothing);
        for n in 0..1_000 {
            sender.send(n).unwrap();
        }
        drop(sender);
        for n in 0..1_000 {
            assert_eq!(inbox.take(), Taken::Message(n));
        }
        assert_eq!(inbox.take(), Taken::Closed);
    }
}
