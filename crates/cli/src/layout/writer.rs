//! Writing a layout. What is there at the end is whole: blobs get their name once they are proven,
//! the index is written last, and a tar file takes its place when it is complete.

use std::{
    collections::HashSet,
    fs,
    io::{self, BufWriter, Read, Write as _},
    path::{Path, PathBuf},
};

use oci::{Digest, Hasher};
use tempfile::NamedTempFile;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{Entry, INDEX, Index, MARKER, MARKER_TEXT, Reader, blob_path, wrong};
use crate::error::Error;

/// Pieces between whoever brings them and the file.
const PIECES_AHEAD: usize = 8;
/// How much of a file is read at once to prove it.
const READ_BYTES: usize = 1 << 20;

/// A layout that is written.
pub(crate) struct Writer {
    path: PathBuf,
    form: Form,
    index: Index,
}

enum Form {
    Directory,
    Tar(Box<Tar>),
}

/// A tar file that is not complete yet.
struct Tar {
    /// Taken while a thread writes.
    builder: Option<tar::Builder<BufWriter<NamedTempFile>>>,
    written: HashSet<Digest>,
}

/// Bytes on their way into a layout.
pub(crate) trait Source {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// They stopped coming.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error>;
}

/// Bytes that are there.
pub(crate) struct Whole(pub(crate) Option<Vec<u8>>);

impl Source for Whole {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.take())
    }
}

impl Writer {
    /// Writes to a directory: a new one, an empty one, or a layout that images are added to.
    ///
    /// # Errors
    /// It holds something else, or cannot be written.
    pub(crate) fn directory(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Written { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        let mut names = fs::read_dir(path).map_err(failed)?;
        let is_layout = path.join(MARKER).try_exists().map_err(failed)?;
        let index = if is_layout {
            // One that broke off has no index yet.
            let has_index = path.join(INDEX).try_exists().map_err(failed)?;
            if has_index { Reader::open(path)?.1 } else { Index::default() }
        } else if names.next().is_some() {
            return Err(wrong(path, "it holds something else: name a new or empty directory"));
        } else {
            fs::write(path.join(MARKER), MARKER_TEXT).map_err(failed)?;
            Index::default()
        };
        Ok(Self { path: path.to_owned(), form: Form::Directory, index })
    }

    /// Writes a tar file, in place of one that is there.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn file(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Written { path: path.to_owned(), source };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A name that says what it is, should a power cut leave it there.
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".partial")
            .tempfile_in(parent.unwrap_or(Path::new(".")))
            .map_err(failed)?;
        let mut builder = tar::Builder::new(BufWriter::with_capacity(READ_BYTES, file));
        append(&mut builder, Path::new(MARKER), MARKER_TEXT.len(), MARKER_TEXT.as_bytes())
            .map_err(failed)?;
        let tar = Tar { builder: Some(builder), written: HashSet::new() };
        let form = Form::Tar(Box::new(tar));
        Ok(Self { path: path.to_owned(), form, index: Index::default() })
    }

    /// Tells whether a blob is in the layout already, and right.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn has(&self, digest: &Digest) -> Result<bool, Error> {
        match &self.form {
            Form::Tar(tar) => Ok(tar.written.contains(digest)),
            Form::Directory => {
                let (path, digest) = (self.path.join(blob_path(digest)), digest.clone());
                let proven = spawn_blocking({
                    let path = path.clone();
                    move || is_proven(&path, &digest)
                });
                let proven = proven.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
                proven.map_err(|source| Error::File { path, source })
            }
        }
    }

    /// Writes a blob, and proves size and digest.
    ///
    /// # Errors
    /// It is not what it should be, stopped coming, or cannot be written: the layout does not have
    /// it then.
    pub(crate) async fn put(
        &mut self,
        digest: &Digest,
        size_bytes: u64,
        source: &mut impl Source,
    ) -> Result<(), Error> {
        let mut proof = Proof::new(digest, size_bytes);
        match &mut self.form {
            Form::Directory => put_file(&self.path, digest, source, &mut proof).await,
            Form::Tar(tar) => {
                let written = tar.put(digest, size_bytes, source, &mut proof).await;
                let failed = |source| Error::Written { path: self.path.clone(), source };
                written?.map_err(failed)?;
                tar.written.insert(digest.clone());
                Ok(())
            }
        }
    }

    /// Lists an image.
    pub(crate) fn list(&mut self, entry: Entry) {
        self.index.put(entry);
    }

    /// Writes the index, and so ends the layout.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Self { path, form, index } = self;
        let failed = |source| Error::Written { path: path.clone(), source };
        let bytes = index.to_bytes();
        match form {
            Form::Directory => {
                let mut file = NamedTempFile::new_in(&path).map_err(failed)?;
                file.write_all(&bytes).map_err(failed)?;
                keep(file, &path.join(INDEX)).map_err(failed)
            }
            Form::Tar(tar) => {
                let mut builder = tar.builder.expect("no thread writes any more");
                append(&mut builder, Path::new(INDEX), bytes.len(), bytes.as_slice())
                    .map_err(failed)?;
                let buffered = builder.into_inner().map_err(failed)?;
                let file = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
                keep(file, &path).map_err(failed)
            }
        }
    }
}

/// Makes a file durable under its name.
fn keep(file: NamedTempFile, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // A temporary file is its owner's alone; a layout is for others to read.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

async fn put_file(
    root: &Path,
    digest: &Digest,
    source: &mut impl Source,
    proof: &mut Proof<'_>,
) -> Result<(), Error> {
    let path = root.join(blob_path(digest));
    let failed = |source| Error::Written { path: path.clone(), source };
    let directory = path.parent().expect("a blob lies below its algorithm");
    fs::create_dir_all(directory).map_err(failed)?;
    let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
    while let Some(piece) = source.next().await? {
        proof.add(&piece)?;
        file.write_all(&piece).map_err(failed)?;
    }
    proof.end()?;
    keep(file, &path).map_err(failed)
}

impl Tar {
    /// The outer error is the source's, the inner one the file's.
    async fn put(
        &mut self,
        digest: &Digest,
        size_bytes: u64,
        source: &mut impl Source,
        proof: &mut Proof<'_>,
    ) -> Result<io::Result<()>, Error> {
        let (pieces, incoming) = mpsc::channel(PIECES_AHEAD);
        let mut builder = self.builder.take().expect("one blob is written at a time");
        let (path, size) = (blob_path(digest), usize::try_from(size_bytes));
        let writing = spawn_blocking(move || {
            let size = size.map_err(io::Error::other);
            let incoming = Incoming { pieces: incoming, piece: io::Cursor::default() };
            let written = size.and_then(|size| append(&mut builder, &path, size, incoming));
            (builder, written)
        });
        let sent = send(source, proof, pieces).await;
        let (builder, written) = match writing.await {
            Ok(ended) => ended,
            Err(panic) => return Ok(Err(io::Error::other(panic))),
        };
        self.builder = Some(builder);
        if written.is_err() {
            return Ok(written);
        }
        sent.map(Ok)
    }
}

/// Sends what comes to the thread that writes; it takes no more once it failed.
async fn send(
    source: &mut impl Source,
    proof: &mut Proof<'_>,
    pieces: mpsc::Sender<Vec<u8>>,
) -> Result<(), Error> {
    while let Some(piece) = source.next().await? {
        proof.add(&piece)?;
        if pieces.send(piece).await.is_err() {
            return Ok(());
        }
    }
    proof.end()
}

/// The thread's end of what comes.
struct Incoming {
    pieces: mpsc::Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

fn append(
    builder: &mut tar::Builder<BufWriter<NamedTempFile>>,
    path: &Path,
    size: usize,
    bytes: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    builder.append_data(&mut header, path, bytes)
}

/// What was seen of a blob, held against what it should be.
pub(super) struct Proof<'a> {
    digest: &'a Digest,
    size_bytes: u64,
    hasher: Hasher,
    seen_bytes: u64,
}

impl<'a> Proof<'a> {
    fn new(digest: &'a Digest, size_bytes: u64) -> Self {
        Self { digest, size_bytes, hasher: Hasher::new(digest.algorithm()), seen_bytes: 0 }
    }

    fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.seen_bytes += piece.len() as u64;
        if self.seen_bytes > self.size_bytes {
            return Err(self.wrong(format!("more than its {} bytes came", self.size_bytes)));
        }
        self.hasher.update(piece);
        Ok(())
    }

    fn end(&self) -> Result<(), Error> {
        if self.seen_bytes < self.size_bytes {
            let (seen, size) = (self.seen_bytes, self.size_bytes);
            return Err(self.wrong(format!("{seen} of its {size} bytes came")));
        }
        if self.hasher.clone().finish() == *self.digest {
            return Ok(());
        }
        Err(self.wrong("its bytes are not what its digest says".to_owned()))
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Unproven { digest: self.digest.to_string(), reason }
    }
}

fn is_proven(path: &Path, digest: &Digest) -> io::Result<bool> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut hasher = Hasher::new(digest.algorithm());
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish() == *digest),
            read => hasher.update(&buffer[..read]),
        }
    }
}
