//! The TLS side of the listener: a certificate chain and its key, read and checked at start.

use std::{fs, io, path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {flag} {}", path.display())]
    Unreadable {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{flag} {} has no {expected}: {reason}", path.display())]
    Malformed {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is not the certificate's.
    #[error(
        "the key of --tls-key {} is not the one of the first certificate of --tls-cert {}: the \
         server's own certificate comes first in its file", key.display(), cert.display()
    )]
    KeyMismatch {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The certificate or the key is of no use.
    #[error("the certificate of --tls-cert {} and its key cannot be used", cert.display())]
    Unusable {
        /// The certificate file.
        cert: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

/// Reads the files and makes what accepts TLS connections: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let TlsFiles { cert, key } = files;
    let read = |flag, path: &PathBuf| {
        fs::read(path).map_err(|source| TlsError::Unreadable { flag, path: path.clone(), source })
    };
    let malformed = |flag, path: &PathBuf, expected, reason: &str| TlsError::Malformed {
        flag,
        path: path.clone(),
        expected,
        reason: reason.to_owned(),
    };

    const CHAIN: &str = "certificate in PEM";
    let chain_malformed = |reason: &str| malformed("--tls-cert", cert, CHAIN, reason);
    let chain = CertificateDer::pem_slice_iter(&read("--tls-cert", cert)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| chain_malformed(&pem_reason(&error)))?;
    if chain.is_empty() {
        return Err(chain_malformed("it has no section BEGIN CERTIFICATE"));
    }

    let text = read("--tls-key", key)?;
    let private_key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let is_encrypted = text.windows(21).any(|window| window == b"ENCRYPTED PRIVATE KEY");
        let reason = if is_encrypted {
            "it is encrypted; write it without a password (openssl pkey)".to_owned()
        } else {
            pem_reason(&error)
        };
        malformed("--tls-key", key, "private key in PEM", &reason)
    })?;

    let unusable = |source| match source {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::KeyMismatch { cert: cert.clone(), key: key.clone() }
        }
        source => TlsError::Unusable { cert: cert.clone(), source },
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn pem_reason(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "it has no such section".to_owned(),
        pem::Error::MissingSectionEnd { .. } => "a section has no END line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line is malformed".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(cert: &str, key: &str) -> String {
        let home = tempfile::tempdir().unwrap();
        let files =
            TlsFiles { cert: home.path().join("server.crt"), key: home.path().join("server.pem") };
        fs::write(&files.cert, cert).unwrap();
        fs::write(&files.key, key).unwrap();
        match acceptor(&files) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error.to_string().replace(&format!("{}/", home.path().display()), ""),
        }
    }

    #[test]
    fn files_are_checked() {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let (cert, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let other = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        assert_eq!(said(&cert, &key), "accepted");
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let torn = cert.replace("-----END CERTIFICATE-----", "");
        let refused = [
            said("nonsense", &key),
            said(&torn, &key),
            said(&cert, "nonsense"),
            said(&cert, &encrypted),
            said(&cert, &other.signing_key.serialize_pem()),
        ];
        insta::assert_snapshot!(refused.join("\n"));
        let absent = TlsFiles { cert: "absent.crt".into(), key: "absent.pem".into() };
        let Err(refused) = acceptor(&absent) else { panic!("there is no such file") };
        assert_eq!(refused.to_string(), "cannot read --tls-cert absent.crt");
    }
}
