//! A certificate nobody trusts until told to.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// The names a scripted upstream's certificate is good for.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// Makes a root of its own and a certificate under it; returns the root as PEM.
pub(super) fn acceptor() -> (TlsAcceptor, String) {
    let mut root = CertificateParams::new([]).expect("no names");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, generate_key()).expect("a root can be signed");
    let key = generate_key();
    let leaf = CertificateParams::new(NAMES.map(String::from)).expect("names are good");
    let leaf = leaf.signed_by(&key, &root).expect("a leaf can be signed");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .expect("key and certificate belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), root.pem())
}

fn generate_key() -> KeyPair {
    KeyPair::generate().expect("a key can be generated")
}
