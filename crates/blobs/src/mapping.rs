//! Read-only mappings of staged and committed files: the one module that may say `unsafe`.
//!
//! Windows of a mapping are for the kernel's eyes, in a write to a socket. User space never
//! dereferences them: where a file was truncated that would raise SIGBUS, while a kernel that
//! misses a page while it copies fails the write with EFAULT. What keeps the windows honest (their
//! length checked, their pages resident) is in [`crate::filesystem`].

#![expect(unsafe_code, reason = "mapping a file and asking mincore about it are unsafe calls")]

use std::{
    fs::File,
    io,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use memmap2::{Advice, Mmap, MmapOptions};
use rustix::param::page_size;

/// How much of a file one mapping covers. Nearly every blob fits into one, so that the page
/// tables filled for one reader serve the next; address space costs nothing.
pub(crate) const EXTENT_BYTES: u64 = 1 << 30;

/// The most pages that one question of residency may cover.
const QUESTION_PAGES: usize = 1024;

/// The mappings of one file, made as they are needed.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    extents: RwLock<Vec<Option<Extent>>>,
}

impl Mapping {
    /// Returns the extent that covers `offset`. `size_bytes` is the final size of the file; where
    /// it is not known yet, the extent may reach past the end and the file grow into it.
    pub(crate) fn extent(
        &self,
        file: &File,
        offset: u64,
        size_bytes: Option<u64>,
    ) -> io::Result<Extent> {
        let index = usize::try_from(offset / EXTENT_BYTES).map_err(io::Error::other)?;
        let known = self.extents.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(extent)) = known.get(index) {
            return Ok(extent.clone());
        }
        drop(known);
        let start = index as u64 * EXTENT_BYTES;
        let length = size_bytes.map_or(EXTENT_BYTES, |size| (size - start).min(EXTENT_BYTES));
        let mut extents = self.extents.write().unwrap_or_else(PoisonError::into_inner);
        if extents.len() <= index {
            extents.resize(index + 1, None);
        }
        // Another reader may have been faster; then its mapping is the one to share.
        match &mut extents[index] {
            Some(extent) => Ok(extent.clone()),
            empty => Ok(empty.insert(Extent::map(file, start, length)?).clone()),
        }
    }
}

/// One mapped stretch of a file. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    map: Arc<Mmap>,
    bytes: Bytes,
    start: u64,
}

struct Owner(Arc<Mmap>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Extent {
    fn map(file: &File, start: u64, length: u64) -> io::Result<Self> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        // SAFETY: the mapping is readable for as long as `Mmap` lives, and `Bytes` keeps it alive.
        // The bytes behind it may change or vanish (a growing or a truncated file), so nobody in
        // this process may look at them: `Access::Kernel` says so to whoever is handed a window,
        // and this crate reads files with `pread` only.
        let map = unsafe { MmapOptions::new().offset(start).len(length).map(file)? };
        let map = Arc::new(map);
        Ok(Self { bytes: Bytes::from_owner(Owner(Arc::clone(&map))), map, start })
    }

    /// Returns the end of this extent in the file.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.map.len() as u64
    }

    /// Returns the mapped bytes of `range` (offsets in the file), without touching them.
    pub(crate) fn window(&self, range: &Range<u64>) -> Bytes {
        self.bytes.slice(self.within(range))
    }

    /// Returns how many bytes from the start of `range` on are in memory, in whole pages, so that
    /// a write of them causes no read. A kernel that does not tell is taken to have none.
    pub(crate) fn resident_bytes(&self, range: &Range<u64>) -> u64 {
        let within = self.within(range);
        let page = page_size();
        let first = within.start - within.start % page;
        let pages = (within.end - first).div_ceil(page).min(QUESTION_PAGES);
        let mut resident = [0_u8; QUESTION_PAGES];
        // SAFETY: `within` lies inside the mapping, whose start is page aligned, so that the pages
        // asked about are mapped; the answer takes one byte a page, and there is room for them.
        let status = unsafe {
            let address = self.map.as_ptr().add(first).cast_mut().cast();
            libc::mincore(
                address,
                (pages * page).min(self.map.len() - first),
                resident.as_mut_ptr(),
            )
        };
        if status != 0 {
            return 0;
        }
        let leading = resident[..pages].iter().take_while(|&&flags| flags & 1 == 1).count();
        ((first + leading * page).saturating_sub(within.start) as u64).min(range.end - range.start)
    }

    /// Reads the pages of `range` in and enters them in the page tables. Blocks.
    ///
    /// # Errors
    /// EFAULT where the file ends before, or a page cannot be read; EINVAL before Linux 5.14.
    pub(crate) fn populate(&self, range: &Range<u64>) -> io::Result<()> {
        let within = self.within(range);
        self.map.advise_range(Advice::PopulateRead, within.start, within.len())
    }

    fn within(&self, range: &Range<u64>) -> Range<usize> {
        let at = |offset: u64| usize::try_from(offset - self.start).expect("inside the mapping");
        at(range.start)..at(range.end)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::unix::fs::FileExt};

    use super::*;

    const MIB: u64 = 1 << 20;

    /// A file of `mib` MiB that is on its medium and, where that is one, not in memory.
    fn cold_file(mib: u64) -> (tempfile::TempDir, File) {
        let dir = tempfile::tempdir().unwrap();
        let open = OpenOptions::new().read(true).write(true).create(true).clone();
        let file = open.open(dir.path().join("file")).unwrap();
        file.write_all_at(&vec![7; (mib * MIB) as usize], 0).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        (dir, file)
    }

    #[test]
    fn populated_pages_are_resident() {
        let (_dir, file) = cold_file(3);
        let extent = Mapping::default().extent(&file, 0, Some(3 * MIB)).unwrap();
        assert_eq!(extent.end(), 3 * MIB);
        let window = 5000..MIB + 5000;
        extent.populate(&window).unwrap();
        assert_eq!(extent.resident_bytes(&window), MIB);
        let beyond = extent.resident_bytes(&(5000..3 * MIB));
        assert!((MIB..=3 * MIB - 5000).contains(&beyond), "{beyond}");
        assert_eq!(extent.window(&window).len() as u64, MIB);
    }

    #[test]
    fn pages_that_are_not_there_are_neither_resident_nor_populated() {
        let (_dir, file) = cold_file(1);
        let extent = Mapping::default().extent(&file, 0, None).unwrap();
        assert_eq!(extent.end(), EXTENT_BYTES);
        assert_eq!(extent.resident_bytes(&(2 * MIB..3 * MIB)), 0);
        let past_the_end = extent.populate(&(2 * MIB..3 * MIB)).unwrap_err();
        assert_eq!(past_the_end.raw_os_error(), Some(libc::EFAULT));
        // The file grows into the mapping.
        file.write_all_at(&[7; MIB as usize], 2 * MIB).unwrap();
        assert_eq!(extent.resident_bytes(&(2 * MIB..3 * MIB)), MIB);
    }

    #[test]
    fn readers_share_one_mapping_of_an_extent() {
        let (_dir, file) = cold_file(1);
        let mapping = Mapping::default();
        let extents = [0, 4096, EXTENT_BYTES].map(|at| mapping.extent(&file, at, None).unwrap());
        assert!(Arc::ptr_eq(&extents[0].map, &extents[1].map));
        assert!(!Arc::ptr_eq(&extents[0].map, &extents[2].map));
        assert_eq!(extents[2].window(&(EXTENT_BYTES..EXTENT_BYTES + 1)).len(), 1);
    }
}
