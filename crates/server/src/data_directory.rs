//! The data directory: made private, used by one process at a time, written without half files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirectoryError {
    /// It cannot be made, or nothing can be written in it.
    #[error(
        "cannot write in the data directory {} (make it a writable directory, or name another \
         with --data-dir)", path.display()
    )]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "the data directory {} is in use by {holder}: stop it, or name another directory with \
         --data-dir", path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who has it: the process id it wrote down.
        holder: String,
    },
    /// A file in it cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was to be done, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Where a process that serves is reached: what clients on its machine need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// What clients are told to use.
    pub(crate) url: String,
    /// The default registry's region.
    pub(crate) region: String,
}

/// A data directory that this process has for itself, until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    // Holds the lock for as long as it is open.
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory where it is missing (mode 0700) and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        let unwritable = |source| DataDirectoryError::Unwritable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(unwritable)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                // Whoever has the lock may not have written its id yet.
                let _ = lock.read_to_string(&mut pid);
                let holder = match pid.trim() {
                    "" => "another process".to_owned(),
                    pid => format!("process {pid}"),
                };
                return Err(DataDirectoryError::InUse { path: path.to_owned(), holder });
            }
            Err(error) => return Err(unwritable(error.into())),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(unwritable)?;
        let directory = Self { path: path.to_owned(), _lock: lock };
        // What a process that was killed left behind would mislead `cistern env`.
        directory.forget_address()?;
        Ok(directory)
    }

    /// Writes down where this process is reached, for `cistern env`.
    pub(crate) fn write_address(&self, address: &Address) -> Result<(), DataDirectoryError> {
        let Address { url, region } = address;
        write_private(&address_path(&self.path), format!("{url}\n{region}\n").as_bytes())
    }

    /// Takes back what [`DataDirectory::write_address`] wrote.
    pub(crate) fn forget_address(&self) -> Result<(), DataDirectoryError> {
        let path = address_path(&self.path);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(DataDirectoryError::File { action: "remove", path, source })
            }
            _ => Ok(()),
        }
    }
}

fn address_path(data_dir: &Path) -> PathBuf {
    data_dir.join("address")
}

/// Returns where the process that serves from `data_dir` is reached, where one does.
pub(crate) fn read_address(data_dir: &Path) -> Result<Option<Address>, DataDirectoryError> {
    let text = read(&address_path(data_dir))?;
    Ok(text
        .as_deref()
        .and_then(|text| text.trim().split_once('\n'))
        .map(|(url, region)| Address { url: url.to_owned(), region: region.to_owned() }))
}

/// Reads a file, where there is one.
pub(crate) fn read(path: &Path) -> Result<Option<String>, DataDirectoryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => {
            Err(DataDirectoryError::File { action: "read", path: path.to_owned(), source })
        }
    }
}

/// Replaces a file by one that only its owner may read: all of it, durably, or nothing.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DataDirectoryError> {
    let replace = || {
        let temporary = path.with_added_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    replace().map_err(|source| DataDirectoryError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn one_process_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/data");
        let first = DataDirectory::open(&path).unwrap();
        assert_eq!((mode(&path), mode(&path.join("lock"))), (0o700, 0o600));
        let refused = DataDirectory::open(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        DataDirectory::open(&path).unwrap();
    }

    #[test]
    fn an_address_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(home.path()).unwrap();
        let written =
            Address { url: "http://127.0.0.1:5000".to_owned(), region: "eu-west-1".to_owned() };
        directory.write_address(&written).unwrap();
        let address = || read_address(home.path()).unwrap();
        assert_eq!(address(), Some(written));
        assert_eq!(mode(&home.path().join("address")), 0o600);
        directory.forget_address().unwrap();
        directory.forget_address().unwrap();
        assert_eq!(address(), None);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let home = tempfile::tempdir().unwrap();
        let occupied = home.path().join("occupied");
        fs::write(&occupied, "").unwrap();
        assert!(matches!(
            DataDirectory::open(&occupied),
            Err(DataDirectoryError::Unwritable { path, .. }) if path == occupied
        ));
    }
}
