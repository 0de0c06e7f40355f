//! TLS for SIP and for the front door: who we are ([`Identity`], read from files and re-read while we run) and whom we
//! speak to ([`TlsPeer`]).
//!
//! One provider: rustls on ring. A trunk's certificate is held against the name in its configuration by RFC 5922: a
//! `sip:` URI, else a DNS name, letter by letter; a wildcard stands for nothing but itself. Always: a new file that
//! cannot be used leaves the old one in force and is told of.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub use crate::config::tls::{IdentityFiles, TlsFault};
use crate::config::tls::{read_certificates, read_pair};

/// What told one state of a file from the next: when it was written, and how long it is.
type Stamp = Option<(SystemTime, u64)>;

/// Who we are. Clones are one; what [`Identity::refresh`] reads counts from the next handshake on.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    files: IdentityFiles,
    current: RwLock<Arc<CertifiedKey>>,
    stamps: Mutex<[Stamp; 2]>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.0.files).finish()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the files.
    pub fn load(files: IdentityFiles) -> Result<Self, TlsFault> {
        let stamps = stamps(&files);
        let current = read_pair(&files)?;
        Ok(Self(Arc::new(Inner { files, current: RwLock::new(Arc::new(current)), stamps: Mutex::new(stamps) })))
    }

    /// Reads the files again if they have changed, or `anyway`. Whether there is something new; if it cannot be used,
    /// the old stays.
    pub fn refresh(&self, anyway: bool) -> Result<bool, TlsFault> {
        let inner = &*self.0;
        let now = stamps(&inner.files);
        {
            let mut seen = inner.stamps.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now && !anyway {
                return Ok(false);
            }
            *seen = now;
        }
        let fresh = read_pair(&inner.files)?;
        let mut current = inner.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.cert != fresh.cert;
        *current = Arc::new(fresh);
        Ok(changed)
    }

    /// The files it is read from.
    pub fn files(&self) -> &IdentityFiles {
        &self.0.files
    }

    /// Takes connections as this. `alpn`: what is spoken inside, if that is agreed on in the handshake.
    pub fn acceptor(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring speaks every version of TLS that rustls has");
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::clone(&self.0) as _);
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Inner {
    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Inner {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for Inner {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn stamps(files: &IdentityFiles) -> [Stamp; 2] {
    [&files.certificate, &files.key].map(|path| stamp(path))
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// What a certificate must say: the name a peer is configured by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerName(String);

impl PeerName {
    /// A host name or an address, as it stands in a configuration; or `*.carrier.example`, for a carrier whose
    /// certificate says just that.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim_matches(['[', ']']).to_ascii_lowercase();
        let host = name.strip_prefix("*.").unwrap_or(&name);
        ServerName::try_from(host.to_owned()).is_ok().then_some(Self(name))
    }

    /// What to ask for by SNI: a name, never an address or a pattern.
    fn ask_for(&self, host: &str) -> Result<ServerName<'static>, TlsFault> {
        let asked = if self.0.starts_with("*.") { host.trim_matches(['[', ']']) } else { &self.0 };
        ServerName::try_from(asked.to_owned()).map_err(|e| TlsFault::new(Path::new(asked), e))
    }

    /// RFC 5922 §7.1 and §7.2: `sip:` URIs without a user if there are any, else DNS names; no wildcard matching.
    fn is_named_by(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if self.0.parse::<IpAddr>().is_ok() {
            let name = ServerName::try_from(self.0.as_str()).map_err(|_| Error::General("a name".to_owned()))?;
            return verify_server_name(&ParsedCertificate::try_from(certificate)?, &name);
        }
        let read = webpki::EndEntityCert::try_from(certificate);
        let read = read.map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let mut domains: Vec<&str> = read.valid_uri_names().filter_map(sip_domain).collect();
        if domains.is_empty() {
            domains = read.valid_dns_names().collect();
        }
        if domains.iter().any(|domain| domain.trim_end_matches('.').eq_ignore_ascii_case(&self.0)) {
            return Ok(());
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidForName))
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The domain that a URI in a certificate speaks for, if it is a SIP one without a user.
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let host = rest.split([';', '?']).next()?;
    (scheme.eq_ignore_ascii_case("sip") && !host.contains('@')).then_some(host)
}

/// Someone we open TLS connections to.
#[derive(Clone)]
pub struct TlsPeer {
    name: PeerName,
    /// The host as configured, for SNI.
    asked: ServerName<'static>,
    verifier: Arc<Verifier>,
    connector: TlsConnector,
    identity: Option<Identity>,
}

impl fmt::Debug for TlsPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPeer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TlsPeer {
    /// A peer configured as `host`, whose certificate must say `name` and come from an authority in `ca_file`, or from
    /// one the system trusts. `identity`: what we show if asked.
    pub fn new(
        host: &str,
        name: PeerName,
        ca_file: Option<PathBuf>,
        identity: Option<Identity>,
    ) -> Result<Self, TlsFault> {
        let asked = name.ask_for(host)?;
        let roots = read_roots(ca_file.as_deref())?;
        let stamp = ca_file.as_deref().and_then(stamp);
        let verifier = Arc::new(Verifier {
            name: name.clone(),
            roots: RwLock::new(Arc::new(roots)),
            ca_file,
            stamp: Mutex::new(stamp),
            provider: provider(),
        });
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring speaks every version of TLS that rustls has")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _);
        let config = match &identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::clone(&identity.0) as _),
            None => builder.with_no_client_auth(),
        };
        Ok(Self { name, asked, verifier, connector: TlsConnector::from(Arc::new(config)), identity })
    }

    /// The name its certificate must say.
    pub const fn name(&self) -> &PeerName {
        &self.name
    }

    /// Clones are one. Two of the same name may trust others, or show another certificate.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.verifier, &other.verifier)
    }

    /// What we show it if asked.
    pub const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Reads the authorities again if their file has changed, or `anyway`. Whether there is something new; what cannot
    /// be used changes nothing.
    pub fn refresh(&self, anyway: bool) -> Result<bool, TlsFault> {
        let Some(file) = &self.verifier.ca_file else { return Ok(false) };
        let now = stamp(file);
        {
            let mut seen = self.verifier.stamp.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now && !anyway {
                return Ok(false);
            }
            *seen = now;
        }
        let fresh = read_roots(Some(file))?;
        *self.verifier.roots.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }

    pub(crate) fn connector(&self) -> (TlsConnector, ServerName<'static>) {
        (self.connector.clone(), self.asked.clone())
    }
}

/// For a client that names its server as the system does (RFC 6125), trusting the system or `ca_file`.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsFault> {
    let roots = read_roots(ca_file)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring speaks every version of TLS that rustls has");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read_roots(ca_file: Option<&Path>) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca_file else {
        let system = rustls_native_certs::load_native_certs();
        // A store holds some that nobody can read; what counts is whether anything can be trusted.
        roots.add_parsable_certificates(system.certs);
        return match roots.is_empty() {
            true => {
                let why = "this system trusts no authority; install ca-certificates, or name a ca_file";
                Err(TlsFault::new(Path::new("the system's certificates"), why))
            }
            false => Ok(roots),
        };
    };
    for certificate in read_certificates(path)? {
        roots.add(certificate).map_err(|e| TlsFault::new(path, e))?;
    }
    Ok(roots)
}

/// Holds a trunk's certificate against its name.
#[derive(Debug)]
struct Verifier {
    name: PeerName,
    roots: RwLock<Arc<RootCertStore>>,
    ca_file: Option<PathBuf>,
    stamp: Mutex<Stamp>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _asked: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = Arc::clone(&self.roots.read().unwrap_or_else(PoisonError::into_inner));
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, algorithms)?;
        self.name.is_named_by(certificate)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").into()
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().expect("ASCII"))
    }

    fn uri(name: &str) -> SanType {
        SanType::URI(name.try_into().expect("ASCII"))
    }

    fn named(configured: &str, certificate: &CertificateDer<'_>) -> bool {
        PeerName::parse(configured).expect("a name").is_named_by(certificate).is_ok()
    }

    #[test]
    fn a_certificate_names_its_domain_letter_by_letter() {
        let plain = certificate(vec![dns("sip.carrier.example"), dns("*.other.example")]);
        assert!(named("SIP.Carrier.example", &plain));
        assert!(!named("carrier.example", &plain));
        assert!(!named("gw1.other.example", &plain), "RFC 5922 §7.2: no wildcard matching");
        assert!(named("*.other.example", &plain), "but a wildcard is itself, for whoever asks for it");
    }

    #[test]
    fn a_sip_uri_goes_before_dns_names_and_one_with_a_user_is_none() {
        let both = certificate(vec![dns("host.example"), uri("sip:carrier.example;x")]);
        assert!(named("carrier.example", &both));
        assert!(!named("host.example", &both));
        let other =
            certificate(vec![dns("host.example"), uri("sip:bob@carrier.example"), uri("https://carrier.example")]);
        assert!(named("host.example", &other));
        assert!(!named("carrier.example", &other));
    }

    #[test]
    fn an_address_is_named_as_an_address_only() {
        let ip = certificate(vec![SanType::IpAddress([192, 0, 2, 1].into()), dns("192.0.2.7.example")]);
        assert!(named("192.0.2.1", &ip));
        assert!(!named("192.0.2.7", &ip));
        assert!(PeerName::parse("not a name").is_none());
        assert!(PeerName::parse("a.*.example").is_none());
    }

    #[test]
    fn a_new_certificate_counts_at_once_and_a_broken_one_changes_nothing() {
        let dir = std::env::temp_dir().join(format!("cordboard-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary directory is writable");
        let files = IdentityFiles { certificate: dir.join("cert.pem"), key: dir.join("key.pem") };
        let write = |name: &str| {
            let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
            std::fs::write(&files.certificate, made.cert.pem()).expect("writable");
            std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writable");
            made.cert.der().clone()
        };
        assert!(Identity::load(files.clone()).expect_err("nothing there").to_string().contains("cert.pem"));
        let first = write("a.example");
        let identity = Identity::load(files.clone()).expect("both are there");
        assert_eq!(identity.refresh(false), Ok(false));
        assert_eq!(identity.0.current().cert[0], first);
        let second = write("b.example");
        assert_eq!(identity.refresh(true), Ok(true));
        assert_eq!(identity.0.current().cert[0], second);
        // Half a renewal: the key is another's.
        let made = rcgen::generate_simple_self_signed(vec!["c.example".to_owned()]).expect("a certificate");
        std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writable");
        assert!(identity.refresh(true).expect_err("it does not fit").to_string().contains("does not fit"));
        std::fs::write(&files.certificate, "nonsense").expect("writable");
        assert!(identity.refresh(true).is_err());
        assert_eq!(identity.0.current().cert[0], second);
        let _ = std::fs::remove_dir_all(&dir);
    }
}
