//! The contract on every store, and what is the file's own.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod sqlite_file;

use metadata::{MemoryMetadata, SqliteMetadata};

/// Two handles on one store in memory.
async fn memory_store() -> (MemoryMetadata, MemoryMetadata, ()) {
    let store = MemoryMetadata::new();
    (store.clone(), store, ())
}

/// Two handles on one file that share nothing else, as two processes would.
async fn sqlite_store() -> (SqliteMetadata, SqliteMetadata, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let one = SqliteMetadata::open(&path).await.unwrap();
    let other = SqliteMetadata::open(&path).await.unwrap();
    (one, other, directory)
}

mod memory {
    metadata::conformance_suite!(crate::memory_store);
}

mod sqlite {
    metadata::conformance_suite!(crate::sqlite_store);
}
