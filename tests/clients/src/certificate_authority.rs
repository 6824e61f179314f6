//! A private certificate authority: what a company runs inside, and nobody else trusts.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use tempfile::TempDir;

use crate::program::write;

/// An authority of its own; its files live as long as it does.
pub struct CertificateAuthority {
    root: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

impl CertificateAuthority {
    /// Makes one.
    ///
    /// # Panics
    /// When keys cannot be generated or files not be written.
    #[must_use]
    pub fn new() -> Self {
        let mut root = CertificateParams::new([]).expect("no names");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root =
            CertifiedIssuer::self_signed(root, generate_key()).expect("a root can be signed");
        let directory = TempDir::with_prefix("authority-").expect("a temporary directory");
        write(&directory.path().join("ca.pem"), root.pem());
        Self { root, directory }
    }

    /// The file with its own certificate.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for a server of these names and addresses.
    ///
    /// # Panics
    /// When one of them cannot be named in a certificate.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Files {
        self.issue("server", names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client.
    #[must_use]
    pub fn client(&self) -> Files {
        self.issue("client", &["client.test"], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> Files {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut leaf = CertificateParams::new(names).expect("names are good");
        leaf.extended_key_usages = vec![usage];
        let key = generate_key();
        let leaf = leaf.signed_by(&key, &self.root).expect("a leaf can be signed");
        let at = |ending: &str| self.directory.path().join(format!("{name}.{ending}"));
        let files = Files { certificate: at("pem"), key: at("key") };
        write(&files.certificate, leaf.pem());
        write(&files.key, key.serialize_pem());
        files
    }
}

impl Default for CertificateAuthority {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateAuthority({})", self.directory.path().display())
    }
}

fn generate_key() -> KeyPair {
    KeyPair::generate().expect("a key can be generated")
}
