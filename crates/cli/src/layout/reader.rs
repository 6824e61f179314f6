//! Reading a layout.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use oci::Digest;

use super::{INDEX, INDEX_BYTES_MAX, Index, MARKER, blob_path, check_marker, tar_entries, wrong};
use crate::error::Error;

/// A layout that is read.
#[derive(Debug)]
pub(crate) struct Reader {
    path: PathBuf,
    /// Where each file lies, of a tar file; none of a directory.
    entries: Option<HashMap<PathBuf, Extent>>,
}

/// A part of a tar file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) size_bytes: u64,
}

/// The bytes of a blob, unproven.
pub(crate) struct Blob {
    /// How many there are.
    pub(crate) size_bytes: u64,
    /// They themselves.
    pub(crate) bytes: Box<dyn Read + Send>,
}

impl Reader {
    /// Opens a directory or a tar file, and its index.
    ///
    /// # Errors
    /// It cannot be read, or is no layout.
    pub(crate) fn open(path: &Path) -> Result<(Self, Index), Error> {
        let file_error = |source| Error::File { path: path.to_owned(), source };
        let is_directory = std::fs::metadata(path).map_err(file_error)?.is_dir();
        let entries = if is_directory {
            None
        } else {
            let file = File::open(path).map_err(file_error)?;
            Some(tar_entries::scan(file).map_err(|error| error.at(path))?)
        };
        let reader = Self { path: path.to_owned(), entries };
        let marker = reader.small(Path::new(MARKER), INDEX_BYTES_MAX)?;
        let marker = marker.ok_or_else(|| {
            wrong(path, format!("there is no {MARKER} in it: it is no OCI image layout"))
        })?;
        check_marker(&marker).map_err(|reason| wrong(path, reason))?;
        let index = reader.small(Path::new(INDEX), INDEX_BYTES_MAX)?;
        let index = index.ok_or_else(|| wrong(path, format!("there is no {INDEX} in it")))?;
        let index = Index::parse(&index).map_err(|reason| wrong(path, reason))?;
        Ok((reader, index))
    }

    /// Opens a blob; none where the layout does not have it.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn blob(&self, digest: &Digest) -> Result<Option<Blob>, Error> {
        self.entry(&blob_path(digest))
    }

    /// Reads a manifest and proves its digest; none where the layout does not have it.
    ///
    /// # Errors
    /// It cannot be read, is too large, or is not what its digest says.
    pub(crate) fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let Some(bytes) = self.small(&blob_path(digest), INDEX_BYTES_MAX)? else { return Ok(None) };
        if Digest::of_with(digest.algorithm(), &bytes) == *digest {
            return Ok(Some(bytes));
        }
        Err(wrong(&self.path, format!("the bytes of {digest} are not what their digest says")))
    }

    fn small(&self, name: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(blob) = self.entry(name)? else { return Ok(None) };
        if blob.size_bytes > limit {
            let (name, size) = (name.display(), blob.size_bytes);
            return Err(wrong(
                &self.path,
                format!(
                    "{name} has {size} bytes: at most {limit} are read of an index or manifest"
                ),
            ));
        }
        let mut bytes = Vec::new();
        let read = blob.bytes.take(limit).read_to_end(&mut bytes);
        read.map_err(|source| self.unreadable(name, source))?;
        Ok(Some(bytes))
    }

    fn entry(&self, name: &Path) -> Result<Option<Blob>, Error> {
        let opened = match &self.entries {
            None => open_file(&self.path.join(name)),
            Some(entries) => match entries.get(name) {
                Some(extent) => open_extent(&self.path, *extent).map(Some),
                None => return Ok(None),
            },
        };
        opened.map_err(|source| self.unreadable(name, source))
    }

    fn unreadable(&self, name: &Path, source: io::Error) -> Error {
        let path = match self.entries {
            None => self.path.join(name),
            Some(_) => self.path.clone(),
        };
        Error::File { path, source }
    }
}

fn open_file(path: &Path) -> io::Result<Option<Blob>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let size_bytes = about.len();
    Ok(Some(Blob { size_bytes, bytes: Box::new(file.take(size_bytes)) }))
}

fn open_extent(path: &Path, extent: Extent) -> io::Result<Blob> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(extent.offset))?;
    let Extent { size_bytes, .. } = extent;
    Ok(Blob { size_bytes, bytes: Box::new(file.take(size_bytes)) })
}
