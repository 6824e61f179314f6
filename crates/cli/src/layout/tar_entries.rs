//! What lies where in a tar file. Nothing is unpacked: the names are looked up, not opened.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use tar::{Archive, Entry, EntryType};

use super::{reader::Extent, wrong};
use crate::error::Error;

/// The most files in a tar file.
const ENTRIES_MAX: usize = 200_000;
/// The longest extended header, in bytes: a name is far shorter.
const EXTENSION_BYTES_MAX: u64 = 64 << 10;

/// Why a tar file is not read.
#[derive(Debug)]
pub(super) enum ScanError {
    /// It cannot be.
    Io(io::Error),
    /// It is not one that a layout comes in.
    Refused(String),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl ScanError {
    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            // What `tar` finds wrong with a header is of these kinds.
            Self::Io(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Other
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::UnexpectedEof
                ) =>
            {
                wrong(path, format!("it is no tar file that can be read: {error}"))
            }
            Self::Io(source) => Error::File { path: path.to_owned(), source },
            Self::Refused(reason) => wrong(path, reason),
        }
    }
}

fn refused(reason: impl Into<String>) -> ScanError {
    ScanError::Refused(reason.into())
}

/// Finds every file of a tar file.
pub(super) fn scan(mut file: File) -> Result<HashMap<PathBuf, Extent>, ScanError> {
    refuse_compressed(&mut file)?;
    let size_bytes = file.metadata()?.len();
    let mut archive = Archive::new(file);
    let mut found = HashMap::new();
    // The long name that an extended header gave for the next file.
    let mut long_name = None;
    // Raw: what extends a header comes as an entry, and its size is checked before it is read.
    for entry in archive.entries_with_seek()?.raw(true) {
        let mut entry = entry?;
        let extent =
            Extent { offset: entry.raw_file_position(), size_bytes: entry.header().entry_size()? };
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let bytes = extension(&mut entry)?;
                let name = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
                long_name = Some(String::from_utf8_lossy(name).into_owned());
            }
            EntryType::XHeader => long_name = pax_name(&extension(&mut entry)?)?.or(long_name),
            EntryType::XGlobalHeader | EntryType::Directory => long_name = None,
            EntryType::Regular | EntryType::Continuous => {
                let name = match long_name.take() {
                    Some(name) => PathBuf::from(name),
                    None => entry.header().path()?.into_owned(),
                };
                let name = plain(&name)?;
                if extent.offset.saturating_add(extent.size_bytes) > size_bytes {
                    return Err(refused(format!("it ends inside {}", name.display())));
                }
                if found.len() >= ENTRIES_MAX {
                    return Err(refused(format!("it has more than {ENTRIES_MAX} files")));
                }
                if let Some(name) = found.insert(name.clone(), extent).map(|_| name) {
                    return Err(refused(format!("it has {} twice", name.display())));
                }
            }
            other => {
                let name = entry.header().path()?.display().to_string();
                return Err(refused(format!(
                    "{name} is neither a file nor a directory ({other:?}): no image layout has such"
                )));
            }
        }
    }
    Ok(found)
}

fn refuse_compressed(file: &mut File) -> Result<(), ScanError> {
    use std::io::{Seek as _, SeekFrom};
    let mut start = [0; 4];
    let read = file.read(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    match &start[..read] {
        [0x1f, 0x8b, ..] => Err(refused("it is compressed with gzip: decompress it first")),
        [0x28, 0xb5, 0x2f, 0xfd] => Err(refused("it is compressed with zstd: decompress it first")),
        [] => Err(refused("it is empty")),
        _ => Ok(()),
    }
}

fn extension(entry: &mut Entry<'_, File>) -> Result<Vec<u8>, ScanError> {
    if entry.header().entry_size()? > EXTENSION_BYTES_MAX {
        return Err(refused(format!(
            "an extended header has more than {EXTENSION_BYTES_MAX} bytes"
        )));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The name in a pax header. One that changes the size of its file is refused: it would be read
/// wrong.
fn pax_name(header: &[u8]) -> Result<Option<String>, ScanError> {
    let mut name = None;
    for record in tar::PaxExtensions::new(header) {
        let record = record?;
        match record.key_bytes() {
            b"path" => name = Some(String::from_utf8_lossy(record.value_bytes()).into_owned()),
            b"size" => {
                return Err(refused(
                    "it has a file whose size stands in a pax header (8 GiB and more): unpack it, \
                     and import the directory",
                ));
            }
            _ => {}
        }
    }
    Ok(name)
}

/// A name without what would lead elsewhere.
fn plain(name: &Path) -> Result<PathBuf, ScanError> {
    let mut plain = PathBuf::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(refused(format!("{} leads out of it", name.display())));
            }
        }
    }
    Ok(plain)
}
