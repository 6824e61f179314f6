//! The access keys of root users: from the environment, else from `<data-dir>/credentials`, which
//! the first start makes.
//!
//! The file is in the AWS shared-credentials format, so that AWS clients can read it as it stands:
//! profile `default` for the default account, `account-<id>` for each further one. What else
//! somebody wrote in it stays.

use std::{fmt::Write as _, fs, io, os::unix::fs::PermissionsExt as _, path::Path};

use metadata::AccountId;
use rand::{CryptoRng, seq::IndexedRandom as _};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::{
    config::SecretVariables,
    data_directory::{self, DataDirectoryError},
    doors::RootCredentials,
};

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] DataDirectoryError),
    /// A profile lacks one of its two lines.
    #[error(
        "profile {profile} of {path} has no {key}: add it, or remove the profile to have new keys \
         made"
    )]
    Incomplete {
        /// The profile.
        profile: String,
        /// The file.
        path: String,
        /// The line it lacks.
        key: &'static str,
    },
}

/// The credentials of every account, and whether somebody should know something about the file.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// One key pair per account, in the order of the accounts.
    pub(crate) root: Vec<RootCredentials>,
    /// What a log line should warn of.
    pub(crate) warning: Option<String>,
}

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";

/// Returns the name of the credentials file.
fn file_in(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join("credentials")
}

/// Loads the credentials of `accounts`, the default one first; those that are missing are made and
/// written down.
pub(crate) fn load_or_generate(
    data_dir: &Path,
    variables: &SecretVariables,
    accounts: &[AccountId],
    random: &mut impl CryptoRng,
) -> Result<Loaded, CredentialsError> {
    let path = file_in(data_dir);
    let mut text = Zeroizing::new(data_directory::read(&path)?.unwrap_or_default());
    let found_bytes = text.len();
    let mut root = Vec::new();
    for (index, account) in accounts.iter().enumerate() {
        let known = match (index, &variables.root) {
            (0, Some(pair)) => Some(pair.clone()),
            _ => find(&text, &path, &profile(index, account))?,
        };
        let (access_key_id, secret_access_key) = match known {
            Some(pair) => pair,
            None => {
                let (id, secret) = generate(random);
                append(&mut text, &profile(index, account), &id, &secret);
                (id, secret)
            }
        };
        let account = account.clone();
        root.push(RootCredentials { account, access_key_id, secret_access_key });
    }
    if text.len() > found_bytes {
        data_directory::write_private(&path, text.as_bytes())?;
    }
    Ok(Loaded { root, warning: readable_by_others(&path) })
}

/// Finds the credentials of the default account without making any.
pub(crate) fn find_default(
    data_dir: &Path,
    variables: &SecretVariables,
) -> Result<Option<(String, SecretString)>, CredentialsError> {
    if let Some(pair) = &variables.root {
        return Ok(Some(pair.clone()));
    }
    let path = file_in(data_dir);
    match data_directory::read(&path)?.map(Zeroizing::new) {
        Some(text) => find(&text, &path, "default"),
        None => Ok(None),
    }
}

fn profile(index: usize, account: &AccountId) -> String {
    if index == 0 { "default".to_owned() } else { format!("account-{account}") }
}

/// Finds the key pair of a profile.
fn find(
    text: &str,
    path: &Path,
    profile: &str,
) -> Result<Option<(String, SecretString)>, CredentialsError> {
    let header = |line: &str| Some(line.strip_prefix('[')?.strip_suffix(']')?.trim().to_owned());
    let mut lines = text.lines().map(str::trim);
    if !lines.by_ref().any(|line| header(line).as_deref() == Some(profile)) {
        return Ok(None);
    }
    let (mut id, mut secret) = (None, None);
    for line in lines.take_while(|line| header(line).is_none()) {
        match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some((ID, value)) if !value.is_empty() => id = Some(value.to_owned()),
            Some((SECRET, value)) if !value.is_empty() => secret = Some(value.into()),
            _ => {}
        }
    }
    let incomplete = |key| CredentialsError::Incomplete {
        profile: profile.to_owned(),
        path: path.display().to_string(),
        key,
    };
    Ok(Some((id.ok_or_else(|| incomplete(ID))?, secret.ok_or_else(|| incomplete(SECRET))?)))
}

fn append(text: &mut String, profile: &str, id: &str, secret: &SecretString) {
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    let secret = secret.expose_secret();
    write!(text, "[{profile}]\n{ID} = {id}\n{SECRET} = {secret}\n").expect("memory takes text");
}

/// Makes a key pair that looks as those of AWS do. The secret has 40 characters that nobody takes
/// for another (no 0, O, 1, l, I) and that no shell or URL minds: 232 bits.
fn generate(random: &mut impl CryptoRng) -> (String, SecretString) {
    const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const SECRET_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let mut pick = |alphabet: &[u8], length: usize| -> String {
        let one = |_| char::from(*alphabet.choose(random).expect("an alphabet has letters"));
        (0..length).map(one).collect()
    };
    (format!("AKIA{}", pick(ID_ALPHABET, 16)), pick(SECRET_ALPHABET, 40).into())
}

fn readable_by_others(path: &Path) -> Option<String> {
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(format!("cannot look at {}: {error}", path.display())),
    };
    let path = path.display();
    (mode & 0o077 != 0).then(|| format!("{path} has mode {mode:o}: others can read it; chmod 600"))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    fn load(home: &Path, variables: &SecretVariables, accounts: &[&str]) -> Vec<(String, String)> {
        let accounts: Vec<_> = accounts.iter().map(|id| AccountId::parse(id).unwrap()).collect();
        let loaded =
            load_or_generate(home, variables, &accounts, &mut StdRng::from_os_rng()).unwrap();
        assert_eq!(loaded.warning, None);
        let shown = |one: RootCredentials| {
            (one.access_key_id, one.secret_access_key.expose_secret().to_owned())
        };
        loaded.root.into_iter().map(shown).collect()
    }

    #[test]
    fn keys_are_made_once_and_for_each_account() {
        let home = tempfile::tempdir().unwrap();
        let first = load(home.path(), &SecretVariables::default(), &["000000000000"]);
        let (id, secret) = &first[0];
        assert!(id.len() == 20 && id.starts_with("AKIA") && secret.len() == 40, "{id} {secret}");
        let both = ["000000000000", "111111111111"];
        let second = load(home.path(), &SecretVariables::default(), &both);
        assert_eq!(second[0], first[0]);
        assert_ne!(second[1], first[0]);
        assert_eq!(load(home.path(), &SecretVariables::default(), &both), second);
        let file = home.path().join("credentials");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("[default]\naws_access_key_id = AKIA"), "{text}");
        assert!(text.contains("\n\n[account-111111111111]\n"), "{text}");
    }

    #[test]
    fn the_environment_wins_and_writes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let pair = ("test".to_owned(), SecretString::from("secret"));
        let variables = SecretVariables { root: Some(pair), keyring: None };
        let loaded = load(home.path(), &variables, &["000000000000"]);
        assert_eq!(loaded, [("test".to_owned(), "secret".to_owned())]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_of_somebody_is_kept_and_checked() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("credentials");
        let text = "# mine\n[other]\nregion = x\n[ default ]\naws_access_key_id=A=B\n";
        fs::write(&file, text).unwrap();
        let refused = find_default(home.path(), &SecretVariables::default()).unwrap_err();
        assert!(refused.to_string().contains("has no aws_secret_access_key"), "{refused}");
        fs::write(&file, format!("{text}aws_secret_access_key = s=\n[x]")).unwrap();
        let (id, secret) = find_default(home.path(), &SecretVariables::default()).unwrap().unwrap();
        assert_eq!((id.as_str(), secret.expose_secret()), ("A=B", "s="));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(readable_by_others(&file).unwrap().contains("mode 644"));
    }
}
