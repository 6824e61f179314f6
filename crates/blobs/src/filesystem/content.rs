//! The bytes of one file, read by mapped windows or by `pread`.

use std::{
    fmt,
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::{
    fs::Advice,
    io::{Errno, ReadWriteFlags},
    param::page_size,
};

use crate::{
    Access, Content, Error,
    blocking::{DropOffRuntime, blocking},
    mapping::{Extent, Mapping},
};

/// The size of a mapped window (components.md 1, "blob bytes").
const WINDOW_BYTES: u64 = 1 << 20;

/// The most that one `pread` copies.
const COPY_BYTES: usize = 256 << 10;

/// Below this a copy costs less than a window does.
const SMALL_BYTES: usize = 16 << 10;

/// How far the medium is asked to read ahead of a window that was not in memory.
const READ_AHEAD_BYTES: u64 = 4 << 20;

/// A staged or committed file, open. It stays readable after its name is gone.
pub(super) struct FileContent {
    /// Closing the last handle of an unlinked file, and unmapping, take time.
    opened: DropOffRuntime<Arc<Opened>>,
    /// The final size in bytes, once the file is committed.
    size_bytes: OnceLock<u64>,
}

struct Opened {
    file: File,
    mapping: Mapping,
}

impl FileContent {
    /// A file that still grows.
    pub(super) fn growing(file: File) -> Self {
        let opened = Opened { file, mapping: Mapping::default() };
        Self { opened: DropOffRuntime::new(Arc::new(opened)), size_bytes: OnceLock::new() }
    }

    /// A file that has its final size.
    pub(super) fn settled(file: File, size_bytes: u64) -> Self {
        let content = Self::growing(file);
        content.settle(size_bytes);
        content
    }

    /// Records the final size; from now on a shorter file is a truncated one.
    pub(super) fn settle(&self, size_bytes: u64) {
        let _ = self.size_bytes.set(size_bytes);
    }

    pub(super) fn file(&self) -> &File {
        &self.opened.file
    }

    /// Returns the final size where the file still has that, and a name. Asks the kernel about
    /// the open file, never the medium.
    pub(super) fn sound_size_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::fstat(self.file()).ok()?;
        let size_bytes = *self.size_bytes.get()?;
        (stat.st_nlink > 0 && length(&stat) == size_bytes).then_some(size_bytes)
    }

    /// Returns how many bytes there are to read, which must reach `end` and the final size.
    fn checked_length(&self, end: u64) -> Result<u64, Error> {
        let stat = rustix::fs::fstat(self.file()).map_err(Error::io("asking for a length"))?;
        let size_bytes = self.size_bytes.get().copied();
        let available = length(&stat).min(size_bytes.unwrap_or(u64::MAX));
        let expected = size_bytes.unwrap_or(end).max(end);
        if available < expected {
            return Err(Error::Truncated { expected, available });
        }
        Ok(available)
    }

    /// Returns a mapped window at the start of `wanted`, its pages in memory; none where copying
    /// is better or mapping is not possible.
    async fn window(&self, wanted: Range<u64>, length: u64) -> Result<Option<Bytes>, Error> {
        let size_bytes = self.size_bytes.get().copied();
        let page = page_size() as u64;
        // A file truncated after this check has zeros up to the end of its new last page, which
        // no write fails on. The next read finds that out; so in a file at rest the page of the
        // last wanted byte is left to be copied, and what is mapped always has a next read.
        let end = if size_bytes.is_some() { (wanted.end - 1) / page * page } else { wanted.end };
        let end = end.min((wanted.start + WINDOW_BYTES) / page * page);
        let extent = match self.opened.mapping.extent(self.file(), wanted.start, size_bytes) {
            Ok(extent) => extent,
            Err(error) => {
                tracing::debug!(%error, "a file cannot be mapped and is copied");
                return Ok(None);
            }
        };
        let range = wanted.start..end.min(extent.end());
        if range.start >= range.end {
            return Ok(None);
        }
        // What was appended a moment ago is in memory: there is nothing to read ahead.
        let ahead = if size_bytes.is_some() { range.end + WINDOW_BYTES } else { range.end };
        let ahead = length.min(extent.end()).min(ahead);
        let resident_bytes = extent.resident_bytes(&(range.start..ahead));
        if range.start + resident_bytes < range.end {
            self.bring_in(&extent, range.clone()).await?;
        } else if range.start + resident_bytes < ahead {
            self.read_ahead(range.end);
        }
        Ok(Some(extent.window(&range)))
    }

    /// Waits, off the runtime, until the pages of `range` are in memory.
    async fn bring_in(&self, extent: &Extent, range: Range<u64>) -> Result<(), Error> {
        const ACTION: &str = "reading stored bytes";
        let (opened, extent, end) = (Arc::clone(&self.opened), extent.clone(), range.end);
        let read = blocking(ACTION, move || {
            advise(&opened.file, range.start..range.end + READ_AHEAD_BYTES);
            match extent.populate(&range) {
                // Before Linux 5.14 nothing populates: a read brings the pages in as well.
                Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => {
                    let mut scratch = vec![0; (range.end - range.start) as usize];
                    opened.file.read_exact_at(&mut scratch, range.start)
                }
                populated => populated,
            }
            .map_err(Error::io(ACTION))
        });
        match read.await {
            // The kernel reports a page past the end as it does one that cannot be read.
            Err(error) => self.checked_length(end).and(Err(error)),
            Ok(()) => Ok(()),
        }
    }

    /// Asks the medium for what comes after `offset`, without waiting.
    fn read_ahead(&self, offset: u64) {
        let opened = Arc::clone(&self.opened);
        drop(tokio::task::spawn_blocking(move || {
            advise(&opened.file, offset..offset + READ_AHEAD_BYTES);
        }));
    }

    /// Copies bytes out of the file: at once where they are in memory, else off the runtime.
    async fn copy(&self, offset: u64, max: usize) -> Result<Bytes, Error> {
        const ACTION: &str = "reading stored bytes";
        let mut buffer = vec![0; max];
        let slices = &mut [IoSliceMut::new(&mut buffer)];
        match rustix::io::preadv2(self.file(), slices, offset, ReadWriteFlags::NOWAIT) {
            Ok(read) => buffer.truncate(read),
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => {
                let opened = Arc::clone(&self.opened);
                buffer = blocking(ACTION, move || {
                    let read = loop {
                        match opened.file.read_at(&mut buffer, offset) {
                            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                            read => break read.map_err(Error::io(ACTION))?,
                        }
                    };
                    buffer.truncate(read);
                    Ok(buffer)
                })
                .await?;
            }
            Err(cause) => return Err(Error::io(ACTION)(cause)),
        }
        if buffer.is_empty() {
            return Err(Error::Truncated { expected: offset + max as u64, available: offset });
        }
        Ok(buffer.into())
    }
}

#[async_trait]
impl Content for FileContent {
    async fn read(&self, offset: u64, max: usize, access: Access) -> Result<Bytes, Error> {
        let end = offset.saturating_add(max as u64);
        let length = self.checked_length(end)?;
        if max == 0 {
            return Ok(Bytes::new());
        }
        if access == Access::Kernel
            && max > SMALL_BYTES
            && let Some(window) = self.window(offset..end, length).await?
        {
            return Ok(window);
        }
        self.copy(offset, max.min(COPY_BYTES)).await
    }
}

impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileContent").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

fn length(stat: &rustix::fs::Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// Starts reading `range` in. Only a hint: what it fails to bring in is read later.
fn advise(file: &File, range: Range<u64>) {
    let length = std::num::NonZeroU64::new(range.end - range.start);
    if let Err(error) = rustix::fs::fadvise(file, range.start, length, Advice::WillNeed) {
        tracing::debug!(%error, "reading ahead is not possible");
    }
}
