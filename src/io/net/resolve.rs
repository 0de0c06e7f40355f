//! Asks DNS where a host's SIP servers are, as `proto/sip/locate` says (RFC 3263).
//!
//! Keeps nothing: whoever asks (`engine/trunk`) keeps the last good answer and asks again when it runs out. /etc/hosts
//! counts too.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, Record};

use crate::proto::sip::Transport;
use crate::proto::sip::locate::{self, Lookup, Server, SrvRecord};

/// How long one question may take, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;
/// Addresses of one name taken into account at most.
const MAX_ADDRESSES: usize = 8;

/// Why a host could not be looked up. Holds no name: the caller knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The name server answered: there is no such host, or it has no such service.
    Nothing,
    /// No answer that counts.
    Failed(String),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no such host, or it takes no SIP over this transport"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ResolveError {}

impl From<NetError> for ResolveError {
    fn from(error: NetError) -> Self {
        if error.is_no_records_found() || error.is_nx_domain() {
            Self::Nothing
        } else {
            Self::Failed(error.to_string())
        }
    }
}

/// What was found, and how long it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub servers: Vec<Server>,
    pub ttl: Duration,
}

/// The way to DNS. Cheap to clone.
#[derive(Clone)]
pub struct Resolver(TokioResolver);

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    /// Asks `server` alone, else whom the system asks; for addresses that a socket bound to `own` reaches.
    pub fn new(server: Option<SocketAddr>, own: IpAddr) -> Result<Self, ResolveError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = match server {
            Some(address) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                let server = NameServerConfig::new(address.ip(), true, connections.into());
                TokioResolver::builder_with_config(ResolverConfig::from_name_servers(vec![server]), provider)
            }
            None => TokioResolver::builder(provider)?,
        };
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = ATTEMPTS;
        // Nobody asks again before an answer has run out.
        options.cache_size = 0;
        options.ip_strategy = match own {
            IpAddr::V4(_) => LookupIpStrategy::Ipv4Only,
            // `[::]` is both families.
            IpAddr::V6(ip) if ip.is_unspecified() => LookupIpStrategy::Ipv6AndIpv4,
            IpAddr::V6(_) => LookupIpStrategy::Ipv6Only,
        };
        Ok(Self(builder.build()?))
    }

    /// Finds the servers of `host` for SIP over `transport`.
    pub async fn locate(&self, host: &str, port: Option<u16>, transport: Transport) -> Result<Located, ResolveError> {
        match locate::plan(host, port, transport) {
            Lookup::Here(address) => Ok(Located { servers: vec![Server::alone(vec![address])], ttl: Duration::MAX }),
            Lookup::Addresses { host, port } => self.addresses_alone(&host, port).await,
            Lookup::Srv { name, host, port } => match self.0.srv_lookup(name).await {
                Ok(found) => self.follow(found.answers()).await,
                Err(error) => match ResolveError::from(error) {
                    // RFC 3263 §4.2: without SRV, the name's own addresses and the usual port.
                    ResolveError::Nothing => self.addresses_alone(&host, port).await,
                    failed @ ResolveError::Failed(_) => Err(failed),
                },
            },
        }
    }

    async fn follow(&self, answers: &[Record]) -> Result<Located, ResolveError> {
        let records = answers.iter().filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(SrvRecord {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                host: srv.target.to_ascii(),
            }),
            _ => None,
        });
        let records = locate::usable(records.collect()).ok_or(ResolveError::Nothing)?;
        let mut ttl = shortest_ttl(answers);
        let (mut servers, mut last) = (Vec::new(), ResolveError::Nothing);
        for record in records {
            match self.addresses(&record.host, record.port).await {
                Ok((addresses, holds)) => {
                    ttl = ttl.min(holds);
                    servers.push(Server { priority: record.priority, weight: record.weight, addresses });
                }
                // One of several that cannot be found hides no other.
                Err(why) => last = why,
            }
        }
        if servers.is_empty() { Err(last) } else { Ok(Located { servers, ttl }) }
    }

    async fn addresses_alone(&self, host: &str, port: u16) -> Result<Located, ResolveError> {
        let (addresses, ttl) = self.addresses(host, port).await?;
        Ok(Located { servers: vec![Server::alone(addresses)], ttl })
    }

    async fn addresses(&self, host: &str, port: u16) -> Result<(Vec<SocketAddr>, Duration), ResolveError> {
        let found = self.0.lookup_ip(host).await?;
        let addresses: Vec<SocketAddr> =
            found.iter().take(MAX_ADDRESSES).map(|ip: IpAddr| SocketAddr::new(ip, port)).collect();
        let ttl = shortest_ttl(found.as_lookup().answers());
        if addresses.is_empty() { Err(ResolveError::Nothing) } else { Ok((addresses, ttl)) }
    }
}

fn shortest_ttl(answers: &[Record]) -> Duration {
    answers.iter().map(|record| Duration::from_secs(record.ttl.into())).min().unwrap_or_default()
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
pub(crate) mod tests;
