//! Whom a TLS connection trusts, and as whom it comes.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use secrecy::ExposeSecret as _;

use crate::{ClientIdentity, SettingsError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The roots that every connection trusts: the system's and the configured ones. A system without
/// any is no error: an upstream on loopback or with a private root needs none of them.
pub(crate) fn common_roots(extra: &[String]) -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a root certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    add_roots(&mut roots, extra).map_err(|source| SettingsError::RootCertificate { source })?;
    Ok(roots)
}

/// Adds the certificates of PEM texts, each of which has to hold one.
pub(crate) fn add_roots(roots: &mut RootCertStore, pem_texts: &[String]) -> Result<(), Cause> {
    for pem in pem_texts {
        for certificate in certificates(pem)? {
            roots.add(certificate)?;
        }
    }
    Ok(())
}

/// Makes the settings of TLS; `identity` is shown to a server that asks for one.
pub(crate) fn config(
    roots: RootCertStore,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, Cause> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(ClientIdentity { certificates: pem, key }) => {
            let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
                .map_err(|error| format!("no private key found in the PEM text: {error}"))?;
            builder.with_client_auth_cert(certificates(pem)?, key)?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>()?;
    if found.is_empty() { Err("no certificate found in the PEM text".into()) } else { Ok(found) }
}
