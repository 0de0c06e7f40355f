//! How we come by the keys of a browser's SRTP. The core agrees them by DTLS (RFC 5764 §4.2) and keeps them; but it
//! does its arithmetic with whatever provider it is given, so it is given one that notes the master keys from which
//! session keys are derived (RFC 3711 §4.3) and leaves the arithmetic to the core's own provider.
//!
//! One for each peer. Always: what is noted leaves through [`Keying::take`] alone, and is shown nowhere. Rests on the
//! core deriving session keys by [`RTCCrypto::block_encrypt`], the encryption key first, and on nothing else being
//! encrypted so; `peer_tests` fail where that no longer holds.

use std::sync::{Arc, Mutex, PoisonError};

use rtc::crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher, CryptoAlgorithm,
    CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider,
    RTCRandom, SignatureScheme, SigningKey, StreamCipher, StreamCipherAlgorithm,
};

use crate::proto::rtp::srtp::{Keys, MasterKey, Suite};

const KEY: usize = 16;
const SALT: usize = 14;

/// The provider that a peer's core gets.
pub(super) struct Keying {
    inner: Arc<dyn RTCCryptoProvider>,
    /// What was derived from and not taken yet, in that order: ours, then theirs.
    masters: Mutex<Vec<MasterKey>>,
}

impl Keying {
    pub(super) fn new(inner: Arc<dyn RTCCryptoProvider>) -> Arc<Self> {
        Arc::new(Self { inner, masters: Mutex::default() })
    }

    /// The keys of a handshake that has ended since the last time.
    pub(super) fn take(&self) -> Option<Keys> {
        let mut masters = self.masters.lock().unwrap_or_else(PoisonError::into_inner);
        let [ours, theirs] = masters[..] else { return None };
        masters.clear();
        Some(Keys { suite: Suite::Tag80, ours, theirs })
    }

    /// A master key's first block is its salt as it is: label and block number are 0 (RFC 3711 §4.3.1).
    fn note(&self, key: &[u8], block: &[u8]) {
        let (Ok(key), Some(salt)) = (<[u8; KEY]>::try_from(key), block.first_chunk::<SALT>()) else { return };
        let mut masters = self.masters.lock().unwrap_or_else(PoisonError::into_inner);
        if masters.len() < 2 && !masters.iter().any(|known| known.0[..KEY] == key) {
            let mut master = [0; KEY + SALT];
            master[..KEY].copy_from_slice(&key);
            master[KEY..].copy_from_slice(salt);
            masters.push(MasterKey(master));
        }
    }
}

impl RTCCryptoProvider for Keying {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.inner.random()
    }
}

impl RTCCrypto for Keying {
    fn block_encrypt(&self, algorithm: BlockCipherAlgorithm, key: &[u8], block: &mut [u8]) -> Result<(), CryptoError> {
        self.note(key, block);
        self.inner.crypto().block_encrypt(algorithm, key, block)
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, data)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.inner.crypto().new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.inner.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.inner.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.inner.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(&self, algorithm: KeyExchangeAlgorithm) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.crypto().verify_signature(scheme, public_key, message, signature)
    }
}
