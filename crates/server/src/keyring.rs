//! Where the keyring comes from: `CISTERN_KEYRING`, else `<data-dir>/keyring`.
//!
//! Only a first start makes one. A data directory whose keyring is gone is not given another: that
//! would silently lose every secret sealed with the old one.

use std::path::{Path, PathBuf};

use registry::{Keyring, KeyringError};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::{
    config::SecretVariables,
    data_directory::{self, DataDirectoryError},
};

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyringFileError {
    /// There is data, and no key for it.
    #[error(
        "{} is missing, and {} was sealed with it: restore the keyring from a backup or set \
         CISTERN_KEYRING, or name another --data-dir to start anew", keyring.display(), sealed.display()
    )]
    Missing {
        /// Where the keyring should be.
        keyring: PathBuf,
        /// What was sealed with it.
        sealed: PathBuf,
    },
    /// The text is no keyring.
    #[error("the keyring of {place} cannot be used: restore it from a backup")]
    Malformed {
        /// The file or the variable.
        place: String,
        /// What is wrong with it.
        source: KeyringError,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] DataDirectoryError),
}

/// Loads the keyring, or makes one where `sealed` (the database) does not exist yet.
pub(crate) fn load_or_generate(
    data_dir: &Path,
    variables: &SecretVariables,
    sealed: &Path,
) -> Result<Keyring, KeyringFileError> {
    let parse = |text: &str, place: String| {
        Keyring::parse(text).map_err(|source| KeyringFileError::Malformed { place, source })
    };
    if let Some(text) = &variables.keyring {
        return parse(text.expose_secret(), "CISTERN_KEYRING".to_owned());
    }
    let path = data_dir.join("keyring");
    if let Some(text) = data_directory::read(&path)?.map(Zeroizing::new) {
        return parse(&text, path.display().to_string());
    }
    let exists = sealed.try_exists().map_err(|source| DataDirectoryError::File {
        action: "look for",
        path: sealed.to_owned(),
        source,
    })?;
    if exists {
        return Err(KeyringFileError::Missing { keyring: path, sealed: sealed.to_owned() });
    }
    let keyring = Keyring::generate();
    data_directory::write_private(&path, keyring.to_text().as_bytes())?;
    Ok(keyring)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_kept_and_missed() {
        let home = tempfile::tempdir().unwrap();
        let sealed = home.path().join("metadata.sqlite");
        let load = |variables: &SecretVariables| {
            load_or_generate(home.path(), variables, &sealed).map(|keyring| keyring.to_text())
        };
        let none = SecretVariables::default();
        let first = load(&none).unwrap();
        std::fs::write(&sealed, "").unwrap();
        assert_eq!(load(&none).unwrap(), first);
        let other = Keyring::generate().to_text();
        let variable = SecretVariables { root: None, keyring: Some(other.to_string().into()) };
        assert_eq!(load(&variable).unwrap(), other);
        std::fs::write(home.path().join("keyring"), "nonsense").unwrap();
        assert!(matches!(load(&none), Err(KeyringFileError::Malformed { .. })));
        std::fs::remove_file(home.path().join("keyring")).unwrap();
        assert!(matches!(load(&none), Err(KeyringFileError::Missing { .. })));
    }
}
