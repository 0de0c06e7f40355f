//! The bounded writer of one connection: what waits to go out, and the word that it is not to go out any more.
//!
//! Dropping a [`Writer`] closes the connection once what waits is sent. [`Writer::cut`] closes it at once: what waits in it
//! has been given up, and a far end that reads on must not get it after all.

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use super::WRITER_DEPTH;

/// The loop's end.
#[derive(Debug)]
pub struct Writer {
    messages: mpsc::Sender<Vec<u8>>,
    cut: watch::Sender<bool>,
}

/// The connection's end.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) messages: mpsc::Receiver<Vec<u8>>,
    pub(super) cut: Cut,
}

/// Says when a connection is to end at once.
#[derive(Clone, Debug)]
pub(super) struct Cut(watch::Receiver<bool>);

/// Both ends of a connection's writer.
pub(super) fn writer() -> (Writer, Outbound) {
    let (sender, messages) = mpsc::channel(WRITER_DEPTH);
    let (cut, is_cut) = watch::channel(false);
    (Writer { messages: sender, cut }, Outbound { messages, cut: Cut(is_cut) })
}

impl Writer {
    /// Hands a message in, if there is room and somebody to take it.
    pub(super) fn try_send(&self, bytes: Vec<u8>) -> Result<(), TrySendError<Vec<u8>>> {
        self.messages.try_send(bytes)
    }

    /// Its connection is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    /// Ends the connection without another byte.
    pub(super) fn cut(self) {
        // A connection that is gone has nothing to send.
        let _ = self.cut.send(true);
    }
}

impl Cut {
    /// Waits for it. Cancel-safe; never ends if the writer was dropped in peace.
    pub(super) async fn wait(&mut self) {
        if self.0.wait_for(|cut| *cut).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
