//! A certificate authority of a test's own, and what it issues.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

use std::path::PathBuf;
use std::sync::Arc;

use cordboard::io::net::tls::{Identity, IdentityFiles};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use tokio_rustls::TlsConnector;

use crate::temp::TempDir;

/// An authority of the test's own, in a directory of its own.
pub struct Authority {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn fresh() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let dir = TempDir::new("authority");
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).expect("writable");
        Self { dir, issuer }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A certificate for `names` in files called after `file`, in place of one that was there.
    pub fn issue(&self, file: &str, names: &[&str]) -> IdentityFiles {
        let mut params = CertificateParams::default();
        // Not its authority's name: to some clients it would have signed itself.
        params.distinguished_name.push(DnType::CommonName, file);
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse() {
                Ok(ip) => SanType::IpAddress(ip),
                Err(_) => SanType::DnsName((*name).try_into().expect("ASCII")),
            })
            .collect();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let path = |ending: &str| self.dir.path().join(format!("{file}.{ending}"));
        let files = IdentityFiles { certificate: path("pem"), key: path("key") };
        std::fs::write(&files.certificate, certificate.pem()).expect("writable");
        std::fs::write(&files.key, key.serialize_pem()).expect("writable");
        files
    }

    pub fn identity(&self, file: &str, names: &[&str]) -> Identity {
        Identity::load(self.issue(file, names)).expect("just written")
    }

    /// What some client that trusts it connects with.
    pub fn connector(&self) -> TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.expect("TLS").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}
