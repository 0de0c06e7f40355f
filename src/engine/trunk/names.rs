//! Looks a carrier's host up, again and again, off the signalling loop.

use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::io::net::Resolver;
use crate::proto::sip::Transport;
use crate::proto::sip::locate::Server;

/// DNS says how long an answer holds; shorter and longer than this is not believed.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);
/// How soon a name that could not be looked up is asked for again.
const RETRY: Duration = Duration::from_secs(10);

/// What came of looking a trunk's host up.
pub struct Found {
    /// The trunk, by its place.
    pub at: usize,
    /// None: no answer, or no such host.
    pub servers: Option<Vec<Server>>,
}

/// One trunk's host.
pub struct Follow {
    pub at: usize,
    pub host: String,
    pub port: Option<u16>,
    pub transport: Transport,
    /// For the log.
    pub trunk: String,
}

impl Follow {
    /// Runs until nobody wants to know any more.
    pub async fn run(self, resolver: Resolver, found: mpsc::Sender<Found>) {
        let mut fails = false;
        loop {
            let (servers, wait) = match resolver.locate(&self.host, self.port, self.transport).await {
                Ok(located) => {
                    if std::mem::take(&mut fails) {
                        info!(trunk = %self.trunk, "the trunk's host can be looked up again");
                    }
                    (Some(located.servers), located.ttl.clamp(SHORTEST, LONGEST))
                }
                Err(why) => {
                    if !std::mem::replace(&mut fails, true) {
                        warn!(trunk = %self.trunk, "the trunk's host cannot be looked up ({why}); what was known holds");
                    }
                    metrics::counter!("cordboard_trunk_lookups_failed_total", "trunk" => self.trunk.clone())
                        .increment(1);
                    (None, RETRY)
                }
            };
            if found.send(Found { at: self.at, servers }).await.is_err() {
                return;
            }
            tokio::select! {
                () = found.closed() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
