//! A connection to a paging gateway or a terminal server, one for each page: drives a [`Dialogue`] to its outcome.
//! Decides nothing.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::base::clock::{Clock as _, SystemClock};
use crate::config::pager::PagerAt;
use crate::io::net::tls::client_config;
use crate::proto::paging::{Dialogue, Input, Outcome, Output};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long the far end may take to let a few hundred octets in.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// Where it leads, and how.
pub(super) struct Line {
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Line {
    /// # Errors
    /// A sentence that says what cannot be used.
    pub(super) fn new(at: &PagerAt) -> Result<Self, String> {
        let tls = match &at.tls {
            None => None,
            Some(tls) => {
                let name = ServerName::try_from(at.host.clone());
                let name = name.map_err(|_| "its name cannot be used for TLS".to_owned())?;
                let config = client_config(tls.ca_file.as_deref()).map_err(|fault| fault.to_string())?;
                Some((Arc::new(config), name))
            }
        };
        Ok(Self { host: at.host.clone(), port: at.port, tls })
    }

    /// How it ended, and what the carrier said if it refused.
    pub(super) async fn converse(&self, dialogue: impl Dialogue) -> (Outcome, Option<String>) {
        let later = |why: &str| (Outcome::Later { why: why.to_owned() }, None);
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let Ok(Ok(stream)) = timeout(CONNECT_WITHIN, connecting).await else { return later("no_connection") };
        let Some((config, name)) = &self.tls else { return converse(stream, dialogue).await };
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream);
        match timeout(CONNECT_WITHIN, handshake).await {
            Ok(Ok(stream)) => converse(stream, dialogue).await,
            Ok(Err(_)) | Err(_) => later("no_tls"),
        }
    }
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut dialogue: impl Dialogue,
) -> (Outcome, Option<String>) {
    let mut buffer = [0; 2_048];
    dialogue.handle(SystemClock.instant(), Input::Connected);
    loop {
        while let Some(output) = dialogue.poll_output() {
            match output {
                Output::Done(outcome) => return (outcome, dialogue.said().map(str::to_owned)),
                Output::Send(bytes) => {
                    let sent = timeout(WRITE_WITHIN, stream.write_all(&bytes)).await;
                    // What is encrypted may wait for more until it is told not to.
                    let sent =
                        matches!(sent, Ok(Ok(()))) && matches!(timeout(WRITE_WITHIN, stream.flush()).await, Ok(Ok(())));
                    if !sent {
                        dialogue.handle(SystemClock.instant(), Input::Closed);
                    }
                }
            }
        }
        // Until its outcome a dialogue always waits for something.
        let Some((at, _)) = dialogue.poll_timeout() else {
            return (Outcome::Unsure { why: "stuck".to_owned() }, None);
        };
        let input = match timeout_at(Instant::from_std(at), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => Input::Closed,
            Ok(Ok(n)) => Input::Bytes(&buffer[..n]),
            Err(_) => Input::Due,
        };
        dialogue.handle(SystemClock.instant(), input);
    }
}
