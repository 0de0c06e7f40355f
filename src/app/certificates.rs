//! Certificates while we run: read again on SIGHUP, and when their files have changed. What cannot be used is told and
//! changes nothing.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::tls::IdentityFiles;
use crate::config::trunk::{Trunk, TrunkTransport};
use crate::config::{Config, Sip};
use crate::io::net::tls::{Identity, PeerName, TlsFault, TlsPeer};

use super::Failure;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// All certificates of this process.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    pub(super) sip: Option<Identity>,
    pub(super) http: Option<Identity>,
    /// Of the door for mail.
    pub(super) mail_in: Option<Identity>,
    /// By the trunk's name.
    pub(super) trunks: Vec<(String, TlsPeer)>,
}

impl Certificates {
    /// Reads all of them.
    pub fn load(config: &Config) -> Result<Self, Failure> {
        let read = |files: &Option<IdentityFiles>, what: &str| {
            let read = files.clone().map(Identity::load).transpose();
            read.map_err(|fault| Failure::new(format!("{what}: {fault}")))
        };
        let Sip { tls, .. } = &config.sip;
        let trunks = config.trunks.iter().filter(|trunk| trunk.transport == TrunkTransport::Tls);
        let trunks = trunks.map(|trunk| match peer(trunk) {
            Ok(peer) => Ok((trunk.name.clone(), peer)),
            Err(fault) => Err(Failure::new(format!("trunk {}: {fault}", trunk.name))),
        });
        Ok(Self {
            sip: read(tls, "[sip.tls]")?,
            http: read(&config.http.tls, "[http.tls]")?,
            mail_in: read(&config.mail_in.as_ref().and_then(|mail_in| mail_in.tls.clone()), "[mail_in]")?,
            trunks: trunks.collect::<Result<_, _>>()?,
        })
    }

    /// Whom a trunk is spoken to as.
    pub(super) fn of_trunk(&self, name: &str) -> Option<TlsPeer> {
        self.trunks.iter().find(|(trunk, _)| trunk == name).map(|(_, peer)| peer.clone())
    }

    /// Reads again what has changed, or all of it.
    fn refresh(&self, anyway: bool) {
        let identities = [&self.sip, &self.http, &self.mail_in].into_iter().flatten();
        let shown = self.trunks.iter().filter_map(|(_, peer)| peer.identity());
        for identity in identities.chain(shown) {
            tell(identity.refresh(anyway), &identity.files().certificate.display());
        }
        for (name, peer) in &self.trunks {
            tell(peer.refresh(anyway), &format_args!("the authorities of trunk {name}"));
        }
    }

    /// Keeps looking until the process ends.
    pub(super) async fn keep(self) -> Result<(), Failure> {
        let cannot = |e: std::io::Error| Failure::new(format!("signals cannot be listened to: {e}"));
        let mut hang_up = signal(SignalKind::hangup()).map_err(cannot)?;
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let anyway = tokio::select! {
                _ = hang_up.recv() => true,
                _ = look.tick() => false,
            };
            self.refresh(anyway);
        }
    }
}

fn peer(trunk: &Trunk) -> Result<TlsPeer, TlsFault> {
    let name = trunk.tls.name.as_deref().unwrap_or(&trunk.target.host);
    let name = PeerName::parse(name).ok_or_else(|| TlsFault::no_name(name))?;
    let identity = trunk.tls.identity.clone().map(Identity::load).transpose()?;
    TlsPeer::new(&trunk.target.host, name, trunk.tls.ca_file.clone(), identity)
}

fn tell(refreshed: Result<bool, TlsFault>, what: &dyn std::fmt::Display) {
    match refreshed {
        Ok(true) => tracing::info!("{what}: read again, in force from the next connection on"),
        Ok(false) => {}
        Err(fault) => {
            metrics::counter!("cordboard_tls_refresh_failed_total").increment(1);
            tracing::error!("{fault}. What was read before stays in force");
        }
    }
}
