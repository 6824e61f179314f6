//! Whom to trust: the system's root certificates, and those of a file.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::error::Error;

/// Trusts the system's roots and those of `bundle`. A system without any is no error: an endpoint
/// without TLS or with a root of its own needs none.
pub(crate) fn config(bundle: Option<&Path>) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = bundle {
        add(&mut roots, path)?;
    }
    let unsupported = |error: rustls::Error| Error::Trust {
        what: "TLS cannot be set up".to_owned(),
        reason: error.to_string(),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unsupported)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    let pem =
        std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let wrong = |reason: String| Error::Trust { what: path.display().to_string(), reason };
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        found += 1;
    }
    if found == 0 {
        return Err(wrong("there is no certificate in it (PEM)".to_owned()));
    }
    Ok(())
}
